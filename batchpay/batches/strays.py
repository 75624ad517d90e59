"""STRAYS: charges of this job that no row of a report shows, and what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from batchpay.batches.orders import attempts_of
from batchpay.batches.standings import findings_of, later_in
from batchpay.domain.events import STOPS, Stop, told_in
from batchpay.domain.exits import NOBODY
from batchpay.domain.model import MONEY_MOVED, Batch, Finding, Outcome, tail_in
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.reconciliation.findings import find_without_row
from batchpay.reconciliation.totals import Totals
from batchpay.settlement.in_force import stop_in_force


class Rowless(NamedTuple):
    """A charge that no row of a report shows, and what the line of a row would tell of it."""

    attempt: Attempt
    finding: Finding


def strays_of(job: Job, journal: SqliteJournal) -> list[Rowless]:
    """Every one of them."""
    stopped = bool(stop_in_force(journal.events(STOPS)))
    apart = list(_apart(job, journal))
    found = [find_without_row(*one, stopped=stopped) for one in apart]
    attempts = (attempt for attempt, _ in apart)
    return list(map(Rowless, attempts, later_in(journal).of(found)))


def stray_totals(strays: Iterable[Finding]) -> Totals:
    """What charges that no row shows add to the exit code, and to those who must act: nothing once
    one took no money, and nobody has anything to do about it.
    """
    totals = Totals()
    for finding in strays:
        if finding.who_acts != NOBODY or finding.outcome in MONEY_MOVED:
            totals.add(finding)
    return totals


def unshown(job: Job, journal: SqliteJournal) -> list[Attempt]:
    """Charges that no row of a report shows, whatever became of them (J32): adopted ones, of files
    that this journal never read, and of rows that an edited job or another row of the same order
    keeps from showing them; those of rows that an edited job reads no more; and those of rows that
    show what they were charged under another id.
    """
    return [attempt for attempt, _ in _apart(job, journal)]


def is_shown(
    attempt: Attempt, siblings: Iterable[Attempt], keys: Collection[str]
) -> bool:
    """Is its key among those that rows tell of, or, once it took no money, that of any attempt of
    its order?
    """
    if attempt.closed:
        return any(one.intent.key in keys for one in siblings)
    return attempt.intent.key in keys


def _apart(
    job: Job, journal: SqliteJournal
) -> Iterator[tuple[Attempt, Sequence[Attempt]]]:
    """What `unshown` tells, each with every attempt of its order."""
    known = {tail_in(batch.id): batch for batch in journal.batches()}
    gone = frozenset(journal.gone_rows())
    twice = _charged_under_two_ids(journal)
    begun = dict.fromkeys(order_id for _, order_id in (*journal.adopted(), *gone))
    orders = attempts_of(journal, [*begun, *(twice - begun.keys())])
    by_file: dict[str, list[Attempt]] = {}
    for attempts in orders.values():
        for attempt in attempts:
            is_apart = attempt.stands and attempt.intent.order_id in twice
            if attempt.adopted or is_apart or _lost_its_row(attempt, gone):
                by_file.setdefault(tail_in(attempt.intent.batch_id), []).append(attempt)
    for tail, some in by_file.items():
        found: Iterable[Attempt] = some
        if tail in known:
            found = _unshown_of(job, journal, known[tail], some, orders)
        for attempt in found:
            yield attempt, orders[attempt.intent.order_id]


def _charged_under_two_ids(journal: SqliteJournal) -> set[str]:
    """The orders of rows that were charged under several ids, as a stop told of one of them."""
    stops = [told.order for _, told in told_in(journal, Stop) if told.order]
    found: set[str] = set()
    for attempts in attempts_of(journal, list(dict.fromkeys(stops))).values():
        for attempt in attempts:
            asked = attempt.intent
            if attempt.placed:
                place = asked.batch_id, asked.sheet, asked.row
                ids = journal.orders_of_row(*place)
                found.update(ids if len(ids) > 1 else ())
    return found


def _lost_its_row(attempt: Attempt, gone: Collection[tuple[str, str]]) -> bool:
    """Was it made for a row that its file has no more? One that was never charged is asked for by
    nobody then.
    """
    asked = attempt.intent
    was_charged = attempt.outcome is not Outcome.HELD
    return was_charged and (asked.batch_id, asked.order_id) in gone


def _unshown_of(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    some: Sequence[Attempt],
    orders: Mapping[str, Sequence[Attempt]],
) -> Iterator[Attempt]:
    """Those of a file's charges that none of its rows shows, nor a later attempt of the
    same order.
    """
    owners: dict[tuple[str, int], tuple[str, ...]] = {}
    for _, sheet, first, last in journal.spans(batch.id):
        for row, orders_of_it in journal.owned(batch.id, sheet, first, last).items():
            owners[sheet, row] = orders_of_it
    doubtful = []
    for attempt in some:
        asked = attempt.intent
        is_alone = owners.get((asked.sheet, asked.row)) == (asked.order_id,)
        # the others have a row of their own, which shows nothing else
        if len(orders[asked.order_id]) > 1 or not is_alone:
            doubtful.append(attempt)
    if not doubtful:
        return
    shown: set[str] = set()
    for _, findings in findings_of(job, journal, batch)():
        shown.update(finding.idempotency_key for finding in findings)
    for attempt in doubtful:
        if not is_shown(attempt, orders[attempt.intent.order_id], shown):
            yield attempt


def adopted_json(strays: Sequence[Rowless]) -> dict[str, Any]:
    """The same as numbers: how many by outcome, what they took by currency, and each of them."""
    attempts = [stray.attempt for stray in strays]
    sums: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.money is not None:
            sums[attempt.money.currency.upper()] += attempt.money.summed
    return {
        "count": len(attempts),
        "outcomes": dict(
            sorted(Counter(attempt.outcome.value for attempt in attempts).items())
        ),
        "charged": [
            {"currency": code, "sum_minor": n} for code, n in sorted(sums.items())
        ],
        "charges": [_adopted(stray) for stray in strays],
    }


def _adopted(stray: Rowless) -> dict[str, Any]:
    attempt, finding = stray
    asked = attempt.intent
    charge = attempt.charge
    return {
        "order": asked.order_id,
        "charge": charge.id if charge else "",
        "outcome": attempt.outcome.value,
        "amount": asked.amount,
        "currency": asked.currency.upper(),
        "destination": asked.destination,
        "batch": asked.batch_id,
        "created_at": charge.created_at if charge else "",
        "open": finding.who_acts != NOBODY or finding.accepted,
        "reason": finding.reason,
    }
