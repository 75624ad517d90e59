"""REPORT --at: a report that was replaced since, made again from the journal as it was then, and
held against the manifest that was kept of it.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from batchpay.batches.publish import write_as_of
from batchpay.domain.errors import InputMissing, Usage
from batchpay.domain.events import RunCounted, TotalsCounted
from batchpay.domain.model import Batch, Event
from batchpay.job.job import Job
from batchpay.journals.sqlite.past import as_of
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.reports.manifest import digests_of

NAMED = 20  # numbers that a refusal names


@dataclass(frozen=True, slots=True)
class Again:
    """What was made, and whether it is what it was."""

    batch_id: str
    seq: int
    directory: Path
    files: tuple[Path, ...]
    kept: Path | None  # the manifest of then; None: nobody kept it
    differs: tuple[str, ...] = ()  # names of files whose bytes are others

    @property
    def exit_code(self) -> int:
        """12 where a file is not what the manifest says it was."""
        if self.differs:
            return 12
        return 0


def report_at(job: Job, seq: int, batch_id: str | None = None) -> Again:
    """Write the reports that were made from event `seq` into a folder of their own, beside those of
    today. Raises Usage for an event from which no report was made, InputMissing where the rows of
    then are not kept any more.
    """
    with closing(SqliteJournal(job.state_path, job.name, read_only=True)) as journal:
        noted = _noted(journal, seq, batch_id)
        last = _last(journal, noted)
    folder = job.report.directory / noted.batch_id
    with as_of(job.state_path, job.name, last) as past:
        batch = _batch(past, noted)
        if not any(True for _ in past.spans(batch.id)) and batch.rows_read:
            raise InputMissing(
                f"the rows of batch {batch.id} as event {seq} found them are not kept any more: its"
                " file, or the job, was read anew since"
            )
        directory = folder / f"at-{seq}"
        files = write_as_of(job, past, batch, noted, directory)
    kept, digests = digests_of(folder, seq)
    made = digests_of(directory, seq)[1]
    differs = tuple(
        name for name, digest in sorted(digests.items()) if made.get(name) != digest
    )
    return Again(noted.batch_id, seq, directory, files, kept, differs)


def _noted(journal: SqliteJournal, seq: int, batch_id: str | None) -> Event:
    """The event that a report was made from. Raises Usage."""
    every = [
        event
        for event in journal.events([TotalsCounted.kind])
        if batch_id is None or event.batch_id == batch_id
    ]
    found = next((event for event in every if event.seq == seq), None)
    if found is not None:
        return found
    known = ", ".join(str(event.seq) for event in every[-NAMED:]) or "none"
    raise Usage(
        f"--at {seq}: no report was made from that event of the journal; those that were:"
        f" {known} (manifest.json of a report says its own, as journal.seq)"
    )


def _last(journal: SqliteJournal, noted: Event) -> int:
    """The last event that the report of then knew: a run counts all of its batches, writes down how
    it ended, and only then the reports.
    """
    for event in journal.events([RunCounted.kind], after=noted.seq):
        if event.run_id == noted.run_id:
            return event.seq
    return noted.seq


def _batch(past: SqliteJournal, noted: Event) -> Batch:
    found = next((one for one in past.batches() if one.id == noted.batch_id), None)
    if found is None:
        raise InputMissing(f"the journal of then has no batch {noted.batch_id}")
    return found
