"""ENDING: the code with which a run ends, and who must act; `plan` tells both before, `report`
after it, by the same code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from batchpay.batches.counted import (
    given_files,
    is_due,
    last_totals,
    still_counts,
    taken_as_they_are,
    totals_in,
    totals_of,
)
from batchpay.batches.standings import findings_of
from batchpay.batches.strays import stray_totals, strays_of
from batchpay.domain.exits import Acts, worst
from batchpay.domain.model import Batch
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.reconciliation.totals import Totals, exit_code, must_act

Counted = tuple[Batch, Totals]
"""A batch and what its rows come to."""


def code_over(
    job: Job,
    journal: SqliteJournal,
    every: Iterable[Totals],
    codes: Iterable[int],
    *,
    stopped: bool,
    open_equation: bool,
) -> int:
    """The exit code over these batches, and what stands in none (README.md, "Exit codes").

    `codes`: of what went wrong beside the rows. `stopped`: is a stop in force?
    """
    taken = taken_as_they_are(last_totals(journal))
    apart = stray_totals(one.finding for one in strays_of(job, journal))
    totals = [*every, apart, taken]
    of_rows = exit_code(totals, stopped=stopped, open_equation=open_equation)
    return worst([of_rows, *codes])


def acts_over(
    job: Job,
    journal: SqliteJournal,
    counted: Sequence[Counted],
    others: Iterable[Totals] = (),
    *,
    stopped: bool,
) -> Acts:
    """Who must act, over the same batches as the code. `others`: of older batches."""
    received = sorted(counted, key=lambda one: one[0].first_seen_ns)
    of_rows = (totals for _, totals in received)
    apart = stray_totals(one.finding for one in strays_of(job, journal))
    every = [*others, *of_rows, apart]
    return must_act(every, given_files(job, counted), stopped=stopped)


def older_batches(
    job: Job, journal: SqliteJournal, but: Collection[str], stop: str
) -> Iterator[Counted]:
    """Every batch beside those of a run by which it ends, too, as its rows stand now."""
    latest = last_totals(journal)
    for batch in journal.batches():
        known = latest.get(batch.id)
        if batch.id in but or not still_counts(journal, known, stop):
            continue
        if known is None or is_due(journal, known, stop):
            yield batch, totals_of(findings_of(job, journal, batch)).totals
        else:
            yield batch, totals_in(known)


def opens_an_equation(counted: Iterable[Counted]) -> bool:
    """Does any equation of these batches not close?"""
    for batch, totals in counted:
        if not all(one.closes for one in totals.equations(batch.rows_read, batch.read)):
            return True
    return False
