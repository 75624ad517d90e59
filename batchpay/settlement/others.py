"""Other jobs' charges of our very orders, and what is to be said of them (docs/faults.md, J06 and
E13).

Two names over the same orders, each with its own journal, cannot see each other's intents. What
they can see is the gateway's list: every list of a run is held against the orders of this job, and
the same rule judges all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from batchpay.domain.events import ChargedElsewhere, told_by
from batchpay.domain.model import ChargeSeen, Event, Intent
from batchpay.domain.ports import Journal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.elsewhere import (
    asked_for,
    asked_of,
    came_to_correct,
    charged_beside,
    is_of_sale,
)
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.places import by_order, order_in, row_told, sale_told
from batchpay.messages import steps
from batchpay.settlement.cases import Case
from batchpay.settlement.entries import Entries
from batchpay.settlement.whose import Whose


class OtherJobs:
    """Their charges of this job's orders, as the lists of this run showed them."""

    def __init__(
        self,
        entries: Entries,
        journal: Journal,
        job: str,
        whose: Whose,
        stop_for_charges: Callable[
            [Iterable[tuple[str, str]], Sequence[Event]], Awaitable[None]
        ],
        ask_for: Callable[[Iterable[Attempt]], Awaitable[None]],
    ) -> None:
        """`stop_for_charges`: writes the stops about charges, and why, in one commit with what
        brings them. `ask_for`: asks first whether attempts have their money still.
        """
        self._ask_for = ask_for
        self._entries = entries
        self._journal = journal
        self._job = job
        self._whose = whose
        self._stop_for_charges = stop_for_charges
        # order -> charge id -> other jobs' charges that lists showed in this run
        self._elsewhere: dict[str, dict[str, ChargeSeen]] = {}

    async def keep(self, charges: Iterable[ChargeSeen]) -> None:
        """Charges that other jobs of this account made, kept for as long as their orders may come
        here (J06).

        One that asks what an attempt of this job took, or may have taken, is a stop: nobody can
        take it back any more.
        """
        others = {
            charge.id: charge for charge in charges if self._is_another_jobs(charge)
        }
        if not others:
            return
        pairs = []
        for charge in others.values():
            pairs += [
                (charge, order_id) for order_id in orders_of(charge, self._journal)
            ]
        # before anything is awaited: no worker may begin with its order from now on
        for charge, order_id in pairs:
            self._elsewhere.setdefault(order_id, {})[charge.id] = charge
        orders = list(dict.fromkeys(order_id for _, order_id in pairs))
        known = self._known_elsewhere(orders)
        news = [
            self._entries.line(elsewhere_told(charge), order_id=order_id)
            for charge, order_id in pairs
            if known.get((order_id, charge.id), False) != charge.takes_money
        ]
        await self._ask_for([mine for _, mine in self._pairs(orders, news)])
        await self._stop_for_charges(self._doubles(orders, news), news)
        if news:  # its order may have begun meanwhile
            await self._stop_for_charges(self._doubles(orders), ())

    def _known_elsewhere(self, orders: Sequence[str]) -> dict[tuple[str, str], bool]:
        """Order and charge of another job -> did it take money, or may it, when last told of?"""
        known = {}
        for order_id, events in self._journal.histories(orders).items():
            for _, told in told_by(events, ChargedElsewhere):
                known[order_id, told.charge_id] = told.takes_money
        return known

    def charge_of(self, case: Case) -> ChargeSeen | None:
        """Another job's charge, seen in this run, of the sale for which this attempt is about to
        ask.
        """
        seen: dict[str, ChargeSeen] = {}
        for order_id in _ids_of(case.intent):
            seen |= self._elsewhere.get(order_id, {})
        if not seen:
            return None
        intents = [case.intent, *(other.intent for other in case.others)]
        asked = list(asked_for(case.went_back, intents))
        for charge in seen.values():
            if charge.takes_money and is_of_sale(asked_of(charge), asked):
                return charge
        return None

    def _is_another_jobs(self, charge: ChargeSeen) -> bool:
        job = charge.metadata.get("batchpay_job", "")
        if not charge.metadata.get("order_id") or job in ("", self._job):
            return False
        return self._whose.place(charge) is None

    def _doubles(
        self, order_ids: Sequence[str], news: Sequence[Event] = ()
    ) -> Iterator[tuple[str, str]]:
        """The id of each such charge, and why it is a stop."""
        for told, mine in self._pairs(order_ids, news):
            yield told.charge_id, _charged_twice(told, mine)

    def _pairs(self, order_ids: Sequence[str], news: Sequence[Event]) -> Iterator[Pair]:
        """Each charge of another job that took what one of these orders, or what came to correct
        it, took too. `news`: what is to be written of them now.
        """
        families = families_of(self._journal, order_ids)
        histories = self._journal.histories(order_ids)
        for order_id in order_ids:
            told = [one for one in news if one.order_id == order_id]
            events = (*histories.get(order_id, ()), *told)
            yield from pairs(events, families[order_id])

    def doubles_of(self, mine: Attempt) -> Iterator[tuple[str, str]]:
        """The same for the order of an attempt, as it is written now, and for those that it came to
        correct.
        """
        order_ids = _ids_of(mine.intent)
        families = families_of(self._journal, order_ids)
        for order_id, events in self._journal.histories(order_ids).items():
            others = (
                one for one in families[order_id] if one.intent.key != mine.intent.key
            )
            yield from doubles(events, (*others, mine))


def orders_of(charge: ChargeSeen, journal: Journal) -> tuple[str, ...]:
    """By which order ids this job may know the sale of another job's charge: the charge's own,
    those of the rows that it corrected, and that of the same row of the same file here, whatever
    column it takes ids from.
    """
    metadata = charge.metadata
    sheet, row = row_told(metadata.get("batchpay_row", ""))
    here = journal.id_of_row(
        metadata.get("batchpay_job", ""), metadata.get("batchpay_batch", ""), sheet, row
    )
    return tuple(
        dict.fromkeys(filter(None, (metadata["order_id"], *ids_in(metadata), here)))
    )


def ids_in(metadata: Mapping[str, str]) -> list[str]:
    """Order ids of the rows that a charge came to correct."""
    keys = sale_told(metadata)
    return [order_id for key in keys if (order_id := order_in(key))]


def elsewhere_told(charge: ChargeSeen) -> ChargedElsewhere:
    """What the journal keeps of another job's charge."""
    return ChargedElsewhere(
        job=charge.metadata.get("batchpay_job", ""),
        charge_id=charge.id,
        payer=charge.payer or "",
        destination=charge.destination or "",
        amount=charge.amount,
        currency=charge.currency,
        takes_money=charge.takes_money,
    )


def doubles(
    events: Sequence[Event], attempts: Sequence[Attempt]
) -> Iterator[tuple[str, str]]:
    """Charge id of another job, and why it is a stop."""
    for told, mine in pairs(events, attempts):
        yield told.charge_id, _charged_twice(told, mine)


Pair = tuple[ChargedElsewhere, Attempt]
"""A charge of another job, and an attempt that took, or may have taken, the same money."""


def pairs(events: Sequence[Event], attempts: Sequence[Attempt]) -> Iterator[Pair]:
    """Those of an order. `events`: of the order; `attempts`: its own, and those that came to
    correct it.
    """
    latest = {told.charge_id: told for _, told in told_by(events, ChargedElsewhere)}
    for told in latest.values():
        if not told.takes_money:
            continue
        for attempt in charged_beside(asked_of(told), attempts):
            yield told, attempt


def _ids_of(intent: Intent) -> tuple[str, ...]:
    """The id of an attempt's order, and of those that it came to correct."""
    return (intent.order_id, *filter(None, map(order_in, intent.sale)))


def families_of(
    journal: Journal, order_ids: Sequence[str]
) -> dict[str, tuple[Attempt, ...]]:
    """Order id -> the attempts of that order, and those that came to correct it under other ids."""
    corrected = journal.corrected(frozenset(map(by_order, order_ids)))
    ids = (*order_ids, *chain.from_iterable(corrected.values()))
    histories = journal.histories(list(dict.fromkeys(ids)))
    attempts = {order_id: fold(events) for order_id, events in histories.items()}
    families = {}
    for order_id in order_ids:
        key = by_order(order_id)
        family = [*attempts.get(order_id, ())]
        for other in dict.fromkeys(corrected.get(key, ())):
            if other != order_id:
                family += came_to_correct(order_id, attempts.get(other, ()))
        families[order_id] = tuple(family)
    return families


def _charged_twice(told: ChargedElsewhere, attempt: Attempt) -> str:
    if attempt.charge:
        mine = attempt.charge.id
    else:
        mine = "a request without an answer"
    terms = "payer and amount"
    if told.destination == attempt.intent.destination:
        terms = "payer, recipient and amount"
    return (
        f"order {attempt.intent.order_id}: two jobs charge it, for the same {terms}: {mine} by"
        f" this one, {told.charge_id} by job {told.job}. Give one of the two back, and run only one"
        " of the jobs"
    )


def renamed(order_id: str, job: str, charge_id: str) -> str:
    """What is said of a job whose order another one has charged: it seems to have been renamed
    (E13).
    """
    return (
        f"order {order_id} was charged, for a payer and an amount that it asks or asked for,"
        f' by job "{job}" ({charge_id}). {steps.CHARGED_ELSEWHERE(job=job, order=order_id)}'
    )
