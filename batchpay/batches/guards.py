"""GUARDS: what holds rows of a batch back now, whatever they ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from batchpay.batches.day import taken_on_day
from batchpay.batches.last import last_inputs, preflight_of
from batchpay.batches.orders import attempts_of
from batchpay.domain.events import (
    STOPS,
    NewOrders,
    OrderCancelled,
    told_by,
    told_in,
)
from batchpay.domain.model import Batch, Event, StoredChunk
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt, word_of
from batchpay.lifecycle.order_ids import form_in
from batchpay.lifecycle.rows import Guards
from batchpay.lifecycle.unclaimed import KINDS, Nameless, Terms, unclaimed_in
from batchpay.settlement.evidence import is_claimed
from batchpay.settlement.in_force import UNREADABLE, stop_in_force, unreadable_in
from batchpay.settlement.preflight import Preflight


class SaidNew(NamedTuple):
    """What people said --yes about: orders that resemble others, and are new."""

    # the first of `fitting_terms` of orders -> order id -> when it was said (wall clock, ns)
    orders: dict[str, dict[str, int]]
    charges: set[str]  # ids of adopted charges that files resembled


def said_new_in(journal: SqliteJournal) -> SaidNew:
    """All that was ever said; a word of which it is not kept what it was about is asked for
    again.
    """
    said = SaidNew({}, set())
    for event, told in told_in(journal, NewOrders):
        for terms, order_id in told.orders:
            said.orders.setdefault(terms, {})[order_id] = event.at_ns
        said.charges.update(told.charges)
    return said


def _cancelled_sales(
    cancelled: Iterable[tuple[Event, OrderCancelled]],
) -> dict[str, str]:
    """All that cancelled sales are known by -> who said so, when and why."""
    found: dict[str, str] = {}
    for event, told in cancelled:
        word = word_of(told.by, told.reason, event.at_ns)
        found.update(dict.fromkeys(told.sale, word))
    return found


def guards_of(
    job: Job,
    journal: SqliteJournal,
    refusal: str = "",
    present: Collection[str] | None = None,
    at_ns: int = 0,
) -> Guards:
    """What holds rows of a batch back now. `present`: the batches of this run, else those of the
    last one; `at_ns`: when it is looked at, 0: as the last run did.
    """
    told = preflight_of(journal)
    cancelled = list(told_by(journal.cancelled(), OrderCancelled))
    seen = list(journal.events({*UNREADABLE, *KINDS}))
    if present is None:
        present = last_inputs(journal) or ()
    form = form_in(distinct=job.input.distinct_ids)
    guards = Guards(
        job=job.name,
        refusal=refusal,
        stop=stop_in_force(journal.events(STOPS)),
        unreadable=unreadable_in(event for event in seen if event.kind in UNREADABLE),
        nameless=_nameless(journal, seen),
        fee=job.fee,
        holds_no_share=job.fee is not None and job.controls.min_share == "hold",
        distinct_ids=job.input.distinct_ids,
        near_duplicates=job.controls.near_duplicates,
        history=job.controls.history,
        max_day=job.controls.max_day or {},
        max_recipient=job.controls.max_recipient or {},
        of_day=taken_on_day(job, journal, at_ns),
        ids_from=job.columns.ids_from,
        extras_from=job.extras_from,
        said_new=said_new_in(journal).orders,
        cancelled={form(event.order_id): event.order_id for event, _ in cancelled},
        cancelled_sales=_cancelled_sales(cancelled),
        present=frozenset(present),
    )
    return told_by_gateway(job, guards, told)


def told_by_gateway(job: Job, guards: Guards, told: Preflight) -> Guards:
    """The same with what the gateway said of recipients and limits."""
    smallest_share: Mapping[str, int] = {}
    if job.controls.min_share == "hold":
        smallest_share = told.smallest_share
    return replace(
        guards,
        barred=told.barred,
        smallest_share=smallest_share,
        least_charge=told.least_charge,
        most_charge=told.most_charge,
    )


def _nameless(
    journal: SqliteJournal, seen: Sequence[Event]
) -> dict[Terms, dict[str, Nameless]]:
    """Charges that name nobody, by their terms: those that no order holds as its own by
    now.
    """
    found: dict[Terms, dict[str, Nameless]] = {}
    for terms, some in unclaimed_in(seen).nameless.items():
        for charge_id, one in some.items():
            if not is_claimed(journal, journal.job, charge_id):
                found.setdefault(terms, {})[charge_id] = one
    return found


def guards_of_batch(job: Job, journal: SqliteJournal, batch: Batch) -> Guards:
    """The same for a batch as its rows stand now, whether or not its file was there in the last
    run.
    """
    inputs = last_inputs(journal)
    gone = ""
    if inputs is not None and batch.id not in inputs:
        gone = batch.file
    lost = unplaced_in(journal, batch, partial(journal.chunks, batch.id))
    return replace(guards_of(job, journal, batch.refusal), gone=gone, unplaced=lost)


def unplaced_in(
    journal: SqliteJournal, batch: Batch, chunks: Callable[[], Iterable[StoredChunk]]
) -> Attempt | None:
    """An adopted charge of a file, made by a version that did not tell of which row, whose order id
    no row has now.
    """
    orders = attempts_of(journal, journal.unplaced(batch.id))
    lost = {
        attempt.intent.order_id: attempt
        for attempts in orders.values()
        for attempt in attempts
        if attempt.adopted and not attempt.placed and not attempt.closed
    }
    for chunk in chunks() if lost else ():
        for document in chunk.documents:
            lost.pop(str(document.get("order_id", "")), None)
        for ids in chunk.earlier.values():
            for one in ids:
                lost.pop(one, None)
    return next(iter(lost.values()), None)
