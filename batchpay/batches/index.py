"""All nights of a job, as its index shows them: from what the journal noted of each batch."""

from __future__ import annotations

from pathlib import Path

from batchpay.batches.clock import iso
from batchpay.batches.counted import last_totals, totals_in
from batchpay.batches.open_job import OpenJob
from batchpay.domain.events import STOPS, RunCounted, RunStarted, told_in
from batchpay.reconciliation.totals import exit_code
from batchpay.reports.index import Night, Nights, Ran, write_index
from batchpay.reports.words import Words
from batchpay.settlement.in_force import stop_in_force


def publish_index(opened: OpenJob) -> tuple[Path, ...]:
    """index.html and `latest`, where the job wants pages; else nothing. Raises CannotWrite."""
    job = opened.job
    if "html" not in job.report.formats:
        return ()
    words = Words(job.report.language, job.controls.time_zone, job.path.name)
    return write_index(job.report.directory, nights_of(opened), words, job.report.mode)


def nights_of(opened: OpenJob) -> Nights:
    """Every batch that has a report, the newest first, and every run. Ages are told for the
    newest of all these, so that the same journal gives the same page.
    """
    journal = opened.journal
    latest = last_totals(journal)
    stopped = bool(stop_in_force(journal.events(STOPS)))
    found = []
    for batch in journal.batches():
        if batch.id not in latest:
            continue
        totals = totals_in(latest[batch.id])
        equations = totals.equations(batch.rows_read, batch.read)
        open_equation = not all(one.closes for one in equations)
        code = exit_code([totals], stopped=stopped, open_equation=open_equation)
        received = iso(batch.first_seen_ns)
        found.append(Night(batch.id, batch.file, batch.mode, received, code, totals))
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
    return Nights(opened.job.name, tuple(found), tuple(runs), iso(newest))
