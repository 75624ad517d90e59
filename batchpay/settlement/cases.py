"""CASES: the attempts of this run, and what the journal has of the earlier ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from batchpay.domain.events import NewOrders, Stop, told_in
from batchpay.domain.model import Document, Intent, OnItsWay, Outcome
from batchpay.domain.ports import Journal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.paid import doubled, paid_apart
from batchpay.lifecycle.places import places_of, row_at
from batchpay.lifecycle.sale_terms import BY_TERMS_NS, fitting_terms

SLICE = 500  # orders that are read at once


@dataclass(slots=True, eq=False)
class Case:
    """One attempt in this run, beside the others of its order, and what this run did for it: it is
    sent, or something is told of it.
    """

    intent: Intent
    attempt: Attempt | None = None  # None: nothing was written yet
    # the other attempts of its order, and those of its sale that its row brought (MayGo.before);
    # once the recorder has read it anew, those of its order alone
    others: tuple[Attempt, ...] = ()
    # one that was never charged and must give way before this one is sent
    withdraw: Attempt | None = None
    # what the rows asked for that its row goes back to
    went_back: tuple[Document, ...] = ()
    sends_in_run: int = 0
    left: bool = False  # did a request of this run leave?
    counted: bool = False  # among the orders of which max_failures is a share
    present: bool = True  # is its row in an input of this run?
    ask_at_s: float = 0.0  # when to look it up next
    # one writer at a time: none goes lost
    writing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def doubted(self) -> bool:
        """Was any send with its token ever in doubt, its own or of an attempt beside it? Then
        `used_token` may be our own doing.
        """
        attempts = [*self.others]
        if self.attempt is not None:
            attempts.append(self.attempt)
        token = self.intent.single_use
        return any(one.doubted for one in attempts if one.intent.single_use == token)

    @property
    def sends(self) -> int:
        """How often it was sent, or meant to be."""
        if self.attempt is None:
            return 0
        return self.attempt.sends


class Cases:
    """The run's register: one Case for each attempt that it works on, so that whoever finds
    evidence of it writes there; and the attempts of earlier runs that did not end.
    """

    def __init__(self, journal: Journal, job: str) -> None:
        self._journal = journal
        self._job = job
        # by key: what this run works on, sent now or before, and is not decided yet
        self._undecided: dict[str, Case] = {}
        # place -> the orders that came to correct its row; None: nobody asked yet
        self._corrections: dict[str, list[str]] | None = None

    def register(self, case: Case) -> None:
        """This is the one Case of its attempt."""
        self._undecided[case.intent.key] = case

    def at_work(self, key: str) -> Case | None:
        """The very Case that a worker holds of the attempt with a key."""
        return self._undecided.get(key)

    def follow(self, after: Attempt) -> None:
        """What an attempt is now: one that is decided is let go."""
        if after.outcome not in (Outcome.HELD, Outcome.IN_DOUBT):
            self._undecided.pop(after.intent.key, None)
        if after.intent.corrects and self._corrections is not None:
            for place in places_of(after.intent)[1:]:
                ids = self._corrections.setdefault(place, [])
                if after.intent.order_id not in ids:
                    ids.append(after.intent.order_id)

    def case_of(self, charge_id: str) -> Case | None:
        """The attempt whose charge this is, the very one that a worker holds if one does."""
        known = self._journal.order_of_charge(charge_id)
        if known is None or known[0] != self._job:
            return None
        return self.case_at(known[1], known[2])

    def case_at(self, order_id: str, number: int) -> Case | None:
        """An attempt by its number, the very Case that a worker holds if one does."""
        attempts = self.attempts(order_id)
        attempt = next((one for one in attempts if one.intent.attempt == number), None)
        if attempt is None:
            return None
        at_work = self.at_work(attempt.intent.key)
        return at_work or case_among(attempt, attempts)

    def proven_by(self, charge_id: str) -> Case | None:
        """The attempt of which the journal has kept this very charge as its own."""
        case = self.case_of(charge_id)
        if case is None or case.attempt is None or case.attempt.charge is None:
            return None
        if case.attempt.charge.id != charge_id:
            return None
        return case

    def open_before(self, case: Case) -> Iterator[Case]:
        """The attempts whose place a case takes, or beside which it goes, and that are not over:
        the very ones that workers hold, others as the journal has them now.
        """
        before = [*case.others]
        if case.withdraw is not None:
            before.append(case.withdraw)
        for one in {one.intent.key: one for one in before if not one.closed}.values():
            at_work = self.at_work(one.intent.key)
            if at_work is not None:
                yield at_work
                continue
            attempts = self.attempts(one.intent.order_id)
            now = next(now for now in attempts if now.intent.key == one.intent.key)
            yield case_among(now, attempts)

    def stands_beside(self, case: Case) -> bool:
        """Has any attempt beside which a case goes, of its order or its sale, money by now, or may
        it? A list may have shown it since the case was found.
        """
        before = list(case.others)
        if case.withdraw is not None:
            before.append(case.withdraw)
        keys = {one.intent.key for one in before}
        by_now = self.attempts_of(one.intent.order_id for one in before)
        return any(one.stands for one in by_now if one.intent.key in keys)

    def attempts_of(self, order_ids: Iterable[str]) -> Iterator[Attempt]:
        """All attempts of some orders."""
        ids = list(dict.fromkeys(order_ids))
        for start in range(0, len(ids), SLICE):
            for events in self._journal.histories(ids[start : start + SLICE]).values():
                yield from fold(events)

    def of_sale(self, intent: Intent) -> Iterator[Attempt]:
        """The attempts of other orders that are one sale with this one for sure: their row is its
        own, or both go back to one row.
        """
        places = places_of(intent)
        ids = self._journal.orders_of_row(intent.batch_id, intent.sheet, intent.row)
        for place in places[1:]:
            ids += self._orders_at(place)
        if self._corrections is None:
            self._corrections = {
                place: list(orders)
                for place, orders in self._journal.corrected().items()
            }
        for place in places:
            ids += self._corrections.get(place, ())
        for other in self.attempts_of(ids):
            if other.intent.order_id != intent.order_id and not set(places).isdisjoint(
                places_of(other.intent)
            ):
                yield other

    def by_terms(self, mine: Attempt) -> Iterator[Attempt]:
        """The attempts of other orders that went later and may be one sale with this one, for all
        that anybody knows: for terms that fit, under ids that were made of other cells. Those of
        which a person said that they are new are none.
        """
        asked = mine.intent
        if not asked.ids_from:
            return
        terms = fitting_terms(
            asked.payer, asked.destination, asked.amount, asked.currency
        )
        later = dict.fromkeys(
            order_id
            for some in self._journal.asked_under(terms, asked.ids_from).values()
            for order_id, _, at_ns, *_ in some
            if mine.sent_ns < at_ns < mine.went_ns + BY_TERMS_NS
        )
        later.pop(asked.order_id, None)
        for _, told in told_in(self._journal, NewOrders):
            for _, order_id in told.orders:
                later.pop(order_id, None)
        yield from self.attempts_of(later)

    def _orders_at(self, place: str) -> list[str]:
        """The orders that a row which another came to correct caused."""
        at = row_at(place)
        if at is None:
            return []
        tail, sheet, row = at
        return self._journal.orders_of_row(self._journal.batch_named(tail), sheet, row)

    def attempts(self, order_id: str) -> tuple[Attempt, ...]:
        """All attempts of one order."""
        return fold(self._journal.histories([order_id]).get(order_id, []))

    def others(self, intent: Intent) -> tuple[Attempt, ...]:
        """The other attempts of its order."""
        attempts = self.attempts(intent.order_id)
        return tuple(
            other for other in attempts if other.intent.attempt != intent.attempt
        )

    def open_cases(self) -> list[Case]:
        """Every order of an earlier run that did not end yet."""
        cases = []
        ids = self._journal.open_orders()
        for start in range(0, len(ids), SLICE):
            histories = self._journal.histories(ids[start : start + SLICE])
            for events in histories.values():
                attempts = fold(events)
                for attempt in attempts:
                    if not (attempt.closed or attempt.outcome is Outcome.SUCCEEDED):
                        cases.append(case_among(attempt, attempts))
        return cases

    def doubled_cases(self) -> list[Case]:
        """Every order that was charged twice, until the further charge is given back or a person
        took note of it; and every one whose charge the gateway knows no more, or says otherwise of
        than it was proven, until it does not or a person has told.
        """
        stops = [told for _, told in told_in(self._journal, Stop)]
        orders = list(dict.fromkeys(filter(None, map(self._order_of_stop, stops))))
        cases = []
        for events in self._journal.histories(orders).values():
            attempts = fold(events)
            apart = paid_apart(attempts)
            if any(attempt.accepted for attempt in apart):
                apart = ()
            for attempt in attempts:
                if doubled(attempt) or attempt.shaken or attempt in apart:
                    cases.append(case_among(attempt, attempts))
        return cases

    def said_cases(self, orders: Sequence[str]) -> list[Case]:
        """Every attempt of these orders that a person's word ended, or took as it is, and of which
        a charge was ever told.
        """
        cases = []
        for events in self._journal.histories(orders).values():
            attempts = fold(events)
            for attempt in attempts:
                if attempt.twins and (attempt.denied or attempt.accepted):
                    cases.append(case_among(attempt, attempts))
        return cases

    def _order_of_stop(self, stop: Stop) -> str:
        """The order that a stop is about, itself or by its charge; empty: none of this job's."""
        if stop.order or not stop.charge:
            return stop.order
        known = self._journal.order_of_charge(stop.charge)
        if known is None or known[0] != self._job:
            return ""
        return known[1]

    def knows_charges(self) -> bool:
        """Was any charge ever told of?"""
        return bool(self._journal.youngest_charges(0))

    def is_anything_open(self) -> bool:
        """Is there an order of an earlier run that the gateway must be asked about?"""
        return bool(self._journal.open_orders() or self.doubled_cases())

    def on_their_way(
        self,
        since_ns: int,
        also: Collection[str],
        after: str,
        at_most: int,
        wanted: Callable[[OnItsWay], bool],
    ) -> tuple[list[OnItsWay], str]:
        """The attempts with a share on its way that are `wanted`, of these orders and of those that
        changed since then, by our wall clock (UTC nanoseconds): `at_most`, and the rest of the last
        one's order, for a night may have a million.

        `after`: the order behind which it begins, and goes round. Returns with them the last order
        that was looked at where there are more; empty: that was all.
        """
        found: list[OnItsWay] = []
        last = ""
        for page in self._pages(since_ns, also, after, at_most):
            if len(found) >= at_most:
                return found, last
            found += filter(wanted, page)
            last = page[-1].order_id
        return found, ""

    def _pages(
        self, since_ns: int, also: Collection[str], after: str, at_most: int
    ) -> Iterator[list[OnItsWay]]:
        """To the end, and round to where it began; none is empty."""
        turns = [(after, "")]
        if after:
            turns.append(("", after))
        for at, until in turns:
            begin = at
            while page := self._journal.on_their_way(
                since_ns, also, begin, until, at_most
            ):
                yield page
                if len(page) < at_most:
                    break
                begin = page[-1].order_id


def case_among(attempt: Attempt, attempts: Sequence[Attempt]) -> Case:
    """An attempt of an earlier run, whose row may not be here."""
    others = tuple(other for other in attempts if other is not attempt)
    return Case(attempt.intent, attempt, others, present=False)
