"""All nights of a job, as its index shows them: from what the journal noted of each batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from batchpay.batches.clock import iso
from batchpay.batches.counted import last_totals, totals_in
from batchpay.batches.open_job import OpenJob
from batchpay.batches.runs import Runs
from batchpay.batches.tonight import last_run_of, publish_last_run
from batchpay.domain.events import STOPS, Audited, RunCounted, RunStarted, told_in
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.reconciliation.totals import exit_code
from batchpay.reports.index import AuditMade, Night, Nights, Ran, write_index
from batchpay.reports.words import Words
from batchpay.settlement.in_force import stop_in_force


def publish_index(opened: OpenJob, runs: Runs | None = None) -> tuple[Path, ...]:
    """run.json, where the job wants what programs read; index.html and `latest`, where it wants
    pages. `runs`: those that were read already. Raises CannotWrite.
    """
    job = opened.job
    last = last_run_of(job, opened.journal, runs or Runs(opened.journal))
    written = publish_last_run(opened, last)
    if "html" not in job.report.formats:
        return written
    words = Words(job.report.language, job.controls.time_zone, job.path.name)
    nights = replace(nights_of(opened), last=last)
    index = write_index(job.report.directory, nights, words, job.report.mode)
    return (*written, *index)


def nights_of(opened: OpenJob) -> Nights:
    """Every batch that has a report, the newest first, and every run. Ages are told for the
    newest of all these, so that the same journal gives the same page.
    """
    journal = opened.journal
    latest = last_totals(journal)
    found = []
    for batch in journal.batches():
        if batch.id not in latest:
            continue
        totals = totals_in(latest[batch.id])
        equations = totals.equations(batch.rows_read, batch.read)
        adds_up = all(one.closes for one in equations)
        # what a stop says of all nights stands above them
        code = exit_code([totals], stopped=False, open_equation=not adds_up)
        received = iso(batch.first_seen_ns)
        night = Night(batch.id, batch.file, batch.mode, received, code, totals)
        found.append(replace(night, adds_up=adds_up))
    found.sort(key=lambda night: (night.received, night.batch), reverse=True)
    begun = sorted(journal.events([RunStarted.kind]), key=lambda event: event.seq)
    ended = {event.run_id: told for event, told in told_in(journal, RunCounted)}
    runs = [
        Ran(
            iso(event.at_ns),
            ended[event.run_id].exit_code if event.run_id in ended else None,
        )
        for event in begun
    ]
    every = [*begun, *latest.values()]
    newest = max([event.at_ns for event in every], default=0)
    stop = stop_in_force(journal.events(STOPS))
    audits = tuple(_audits_of(journal))
    return Nights(
        opened.job.name, tuple(found), tuple(runs), iso(newest), stop, audits=audits
    )


def _audits_of(journal: SqliteJournal) -> list[AuditMade]:
    """The last one of any days; the newest first."""
    made: dict[tuple[str, str], AuditMade] = {}
    for event, told in told_in(journal, Audited):
        days = (told.first, told.last)
        made.pop(days, None)
        made[days] = AuditMade(*days, iso(event.at_ns), told.differences, told.open)
    return [*reversed(made.values())]
