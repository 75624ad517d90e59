"""DRAFTS: each input file as a batch, before anything is decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from batchpay import __version__
from batchpay.batches.last import is_behind
from batchpay.batches.planned import PlannedBatch
from batchpay.domain.model import Batch
from batchpay.intake.take_in import Intake, Intakes
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.places import batch_id_of
from batchpay.reports.manifest import batch_told


def batch_id_in(
    job: Job,
    journal: SqliteJournal,
    received: datetime,
    sha256: str,
) -> str:
    """The id of a file's batch: that under which the journal knows the file; where it was lost or
    put back, that of the file's first reports; else a new one.
    """
    for batch in journal.batches():
        if batch.sha256 == sha256:
            return batch.id
    new = batch_id_of(received, job.name, sha256)
    known = journal.batch_named(new)
    if known != new:
        return known
    mode = job.gateway.mode
    return batch_told(job.report.directory, job.name, mode, sha256, new) or new


def drafts_of(
    job: Job,
    journal: SqliteJournal,
    intakes: Intakes,
    now_ns: int,
) -> list[PlannedBatch]:
    """The files of a command as batches, before they are judged as files. `now_ns`: when those
    were received that nobody has seen yet.
    """
    known = _known(journal, now_ns)
    return [
        PlannedBatch(
            batch_of(job, intake, now_ns, known.get(intake.batch_id)),
            intake.rows,
            intake.repeats,
            had_other_ids=intake.had_other_ids,
        )
        for intake in intakes.files
    ]


def _known(journal: SqliteJournal, now_ns: int) -> dict[str, Batch]:
    """The batches as they were planned before. A file came no later than now: where a clock that
    was ahead said so, that is mended, for by this time is known what was asked before, and lately.
    """
    batches = journal.batches()
    if not is_behind(journal, now_ns):
        batches = [
            replace(batch, first_seen_ns=min(batch.first_seen_ns, now_ns))
            for batch in batches
        ]
    return {batch.id: batch for batch in batches}


def batch_of(
    job: Job,
    intake: Intake,
    first_seen_ns: int,
    known: Batch | None = None,
) -> Batch:
    """The batch of an input file as it is planned now; `known`: as it was planned before."""
    likeness = ""
    if known is not None:
        first_seen_ns = known.first_seen_ns
        likeness = known.likeness
    return Batch(
        id=intake.batch_id,
        job=job.name,
        file=intake.snapshot.name,
        sha256=intake.snapshot.sha256,
        format=intake.snapshot.format,
        rows_read=intake.tally.read,
        columns=intake.columns,
        unused=_unused(job, intake.columns),
        metadata=tuple(job.columns.metadata),
        mode=job.gateway.mode,
        job_sha256=job.sha256,
        schema_sha256=job.schema.sha256,
        lookups=job.lookups(),
        version=__version__,
        delimiter=job.input.delimiter,
        encoding=job.input.encoding,
        header_row=job.input.header_row,
        notes=intake.notes,
        refusal=intake.refusal,
        first_seen_ns=first_seen_ns,
        fingerprint=intake.features.fingerprint,
        sample=intake.features.sample,
        likeness=likeness,
        read=intake.tally.reading(),
    )


def _unused(job: Job, columns: Iterable[str]) -> tuple[str, ...]:
    """Columns that no field uses, and that are not ours."""
    used = set(job.columns.used())
    return tuple(
        column
        for column in columns
        if column not in used and not column.startswith("batchpay_")
    )
