"""TONIGHT: the last run over all of its files: what it did, and what these files come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from batchpay.batches.counted import counted_before, last_totals, totals_in
from batchpay.batches.open_job import OpenJob
from batchpay.batches.runs import Runs
from batchpay.batches.strays import unshown
from batchpay.domain.events import InputsRead, RunCounted, told_in
from batchpay.domain.model import Batch, tail_in
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.reconciliation.totals import Equation, Totals
from batchpay.reports.lastrun import FileOfRun, LastRun, sum_of, write_last_run
from batchpay.reports.words import CHARGED_SINCE


def publish_last_run(opened: OpenJob, told: LastRun | None) -> tuple[Path, ...]:
    """run.json, where the job wants what programs read. Raises CannotWrite."""
    report = opened.job.report
    if told is None or "json" not in report.formats:
        return ()
    return write_last_run(report.directory, told, opened.job.path.name, report.mode)


def last_run_of(job: Job, journal: SqliteJournal, runs: Runs) -> LastRun | None:
    """The last run that came to its end; None before there was any."""
    run_id = ""
    for event, _ in told_in(journal, RunCounted):
        run_id = event.run_id
    whole = runs.whole(run_id)
    if whole is None:
        return None
    latest = last_totals(journal)
    files = tuple(
        FileOfRun(batch, totals_in(latest[batch.id]), runs.part_of(run_id, batch.id))
        for batch in _touched(journal, runs, run_id)
        if batch.id in latest
    )
    totals = sum_of(one.totals for one in files)
    equations = _equations(job, journal, runs, files)
    return LastRun(job.name, job.gateway.mode, whole, files, totals, equations)


def _touched(journal: SqliteJournal, runs: Runs, run_id: str) -> list[Batch]:
    """The batches whose files it read, and those of whose orders it wrote anything down."""
    read: set[str] = set()
    for event, told in told_in(journal, InputsRead):
        if event.run_id == run_id:
            read.update(told.batches)
    tails = runs.batches_of(run_id)
    return [
        batch
        for batch in journal.batches()
        if batch.id in read or tail_in(batch.id) in tails
    ]


def _equations(
    job: Job, journal: SqliteJournal, runs: Runs, files: Sequence[FileOfRun]
) -> tuple[Equation, ...]:
    """What the rows of these files came to since the counts before this run, beside what the events
    of the run say that it charged or adopted; nothing where it took over charges that no row shows.
    """
    begun = runs.started_at(files[0].part.id) if files else 0
    ids = {one.batch.id for one in files}
    rows = Counter[str]()
    events = Counter[str]()
    for one in files:
        rows.update(_taken(one.totals))
        before = counted_before(journal, one.batch.id, begun)
        if before is not None:
            rows.subtract(_taken(totals_in(before)))
        events.update(one.part.charged)
        events.update(one.part.adopted_sums)
    if any(attempt.intent.batch_id in ids for attempt in unshown(job, journal)):
        return ()
    return tuple(
        Equation(currency, CHARGED_SINCE, rows[currency], events[currency])
        for currency in sorted(rows.keys() | events.keys())
        if rows[currency] or events[currency]
    )


def _taken(totals: Totals) -> Counter[str]:
    """All that the charges of a batch took, further ones of an order among them."""
    taken = Counter(totals.charged)
    for (currency, *_), minor in totals.further.items():
        taken[currency] += minor
    return taken
