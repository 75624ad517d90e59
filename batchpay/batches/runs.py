"""What one run did, and to which batch, added up from its events alone (law L9): never from the
columns that its reports are made of, so that the two can be held against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from batchpay.batches.clock import iso, run_began
from batchpay.domain.events import (
    BEGINNINGS,
    Absent,
    Adopted,
    Found,
    Held,
    Intended,
    Missing,
    OfLoss,
    Recovered,
    Restored,
    RunCounted,
    RunStarted,
    Stop,
    Unclear,
    Untold,
    Withdrawn,
    kinds,
    of,
    told_in,
)
from batchpay.domain.model import (
    MONEY_MOVED,
    ChargedAtOnce,
    ChargeSeen,
    Done,
    Event,
    Outcome,
    RunBegun,
    RunDone,
    tail_in,
)
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.paid import money_of

At = tuple[str, int]
"""Order id and attempt."""

_MONEY = frozenset(outcome.value for outcome in MONEY_MOVED)
_UNSENT = frozenset({Outcome.HELD.value, Withdrawn.kind})
_LOOKED = frozenset(kinds(Found, Absent, Missing, Unclear, Untold))


@dataclass(slots=True)
class _Attempt:
    """What a run wrote about one attempt."""

    batch: str
    began_here: bool = False
    intent: bool = False
    adopted: bool = False
    looked_up: bool = False
    state: str = ""
    amount: int = 0
    currency: str = ""

    @property
    def was_sent(self) -> bool:
        """Did it leave the machine in this run?"""
        return self.intent and self.state not in _UNSENT

    def add(self, done: Done) -> None:
        kind = done.kind
        if kind in BEGINNINGS:
            self.intent = self.intent or kind == Intended.kind
            self.adopted = self.adopted or kind == Adopted.kind
            self.began_here = self.began_here or done.send <= 1
        elif kind in _LOOKED:
            self.looked_up = True
        if done.state:
            self.state = done.state
        if done.currency:
            self.amount = done.amount
            self.currency = done.currency.upper()


class _Read(NamedTuple):
    """What a run wrote about orders."""

    charged: Sequence[
        ChargedAtOnce
    ]  # sent and answered at once, and nothing else: added up
    apart: Mapping[At, _Attempt]  # of all others
    batches: frozenset[str]  # the last digits of theirs


def _outcomes(made: Iterable[_Attempt], charged: int) -> dict[str, int]:
    """Where those that it sent stood at its end, in the README's order; so many `charged` beside
    them.
    """
    counts = Counter(one.state for one in made if one.was_sent)
    counts[Outcome.SUCCEEDED.value] += charged
    return {one.value: counts[one.value] for one in Outcome if counts[one.value]}


class Runs:
    """The runs of a journal that is not written to meanwhile; each is read once."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self._read: dict[str, _Read] = {}

    @cached_property
    def _started(self) -> dict[str, Event]:
        return {
            event.run_id: event for event in self._journal.events([RunStarted.kind])
        }

    @cached_property
    def _until(self) -> dict[str, int]:
        """Run -> number of the event with which the next run of this job began."""
        begins = self._started.values()
        return {one.run_id: after.seq for one, after in pairwise(begins)}

    @cached_property
    def _ended(self) -> dict[str, tuple[Event, RunCounted]]:
        return {
            event.run_id: (event, told)
            for event, told in told_in(self._journal, RunCounted)
        }

    @cached_property
    def _restored(self) -> dict[str, bool]:
        """Run that found the journal older than it had been, or dealt with that -> did it know no
        order at all?
        """
        found: dict[str, bool] = {}
        for event in self._journal.events(kinds(Restored, Recovered)):
            told = of(event)
            found.setdefault(event.run_id, False)
            if isinstance(told, OfLoss) and told.empty:
                found[event.run_id] = True
        return found

    @cached_property
    def _holds(self) -> dict[tuple[str, str], str]:
        """Run and last digits of the batch -> why it was held."""
        found: dict[tuple[str, str], str] = {}
        for event, told in told_in(self._journal, Held):
            batch = tail_in(event.batch_id)
            found[event.run_id, batch] = told.reason
        return found

    @cached_property
    def _stopped(self) -> frozenset[str]:
        """The orders of which a stop tells."""
        return frozenset(told.order for _, told in told_in(self._journal, Stop))

    def of_batch(self, batch_id: str) -> RunDone | None:
        """The last run that changed a batch, and what it did to it; None when no run did."""
        run_id = self._journal.last_run_of(batch_id)
        if run_id not in self._started:
            return None
        return self._told(run_id, tail_in(batch_id))

    def whole(self, run_id: str) -> RunDone | None:
        """A run, over all batches; None for what was no run."""
        if run_id in self._started:
            return self._told(run_id, "")
        return None

    def started_at(self, run_id: str) -> int:
        """Number of the event by which a run began."""
        return self._started[run_id].seq

    def part_of(self, run_id: str, batch_id: str) -> RunDone:
        """What a run did to a batch, which may be nothing."""
        return self._told(run_id, tail_in(batch_id))

    def batches_of(self, run_id: str) -> set[str]:
        """The last digits of the batches of whose orders a run wrote anything down."""
        return set(self._wrote(run_id).batches)

    def begun(self, run_ids: Collection[str]) -> list[RunBegun]:
        """How some runs were started, the oldest first; of what was no run, nothing."""
        return [
            self._begun(run_id, event)
            for run_id, event in self._started.items()
            if run_id in run_ids
        ]

    def _begun(self, run_id: str, event: Event) -> RunBegun:
        told = RunStarted.read(event)
        code = None
        if run_id in self._ended:
            _, ended = self._ended[run_id]
            code = ended.exit_code
        return RunBegun(
            run_id, run_began(run_id, event.at_ns), code, told.verb, told.flags
        )

    def in_hand(self, run_id: str) -> frozenset[At]:
        """Order id and attempt of all that a run has asked for itself."""
        if run_id not in self._started:
            return frozenset()
        wrote = self._wrote(run_id)
        mine = {at for at, one in wrote.apart.items() if one.intent}
        for some in wrote.charged:
            mine.update((order_id, 1) for order_id in some.order_ids)
        return frozenset(mine)

    def _told(self, run_id: str, batch: str) -> RunDone:
        wrote = self._wrote(run_id)
        mine = {
            at: one
            for at, one in wrote.apart.items()
            if not batch or one.batch == batch
        }
        at_once = [
            one for one in wrote.charged if not batch or tail_in(one.batch_id) == batch
        ]
        plain = sum(len(one.order_ids) for one in at_once)
        self._take_no_money(run_id, mine)
        made = {at: one for at, one in mine.items() if not one.adopted}
        adopted = {at: one for at, one in mine.items() if one.adopted}
        several = self._of_several(run_id, mine)
        charged = self._newly_charged(run_id, made)
        found = {at: one for at, one in adopted.items() if one.state in _MONEY}
        ended = ""
        code = None
        requests: Mapping[str, int] = {}
        if run_id in self._ended:
            counted, told = self._ended[run_id]
            ended = iso(counted.at_ns)
            code = told.exit_code
            requests = told.requests
        begun = RunStarted.read(self._started[run_id])
        return RunDone(
            id=run_id,
            started=run_began(run_id, self._started[run_id].at_ns),
            ended=ended,
            exit_code=code,
            sent=sum(one.was_sent for one in made.values()) + plain,
            charged=_sums(charged, made, several, at_once),
            adopted=len(adopted),
            adopted_sums=_sums(found, adopted, several),
            looked_up=sum(one.looked_up for one in mine.values()),
            restored=run_id in self._restored,
            lost=self._restored.get(run_id, False),
            held=self._held(run_id, batch),
            outcomes=_outcomes(made.values(), plain),
            verb=begun.verb,
            flags=begun.flags,
            settings=begun.settings,
            requests=requests,
        )

    def _held(self, run_id: str, batch: str) -> str:
        """Why rows were held, each reason once."""
        reasons = {
            why: None
            for (run, of), why in self._holds.items()
            if run == run_id and batch in ("", of)
        }
        return " ".join(reasons)

    def _wrote(self, run_id: str) -> _Read:
        """All that a run wrote about, with an object for each attempt of which it wrote more than
        that it was sent and charged.
        """
        if run_id in self._read:
            return self._read[run_id]
        start = self._started[run_id].seq
        until = self._until.get(run_id)
        wrote = self._journal.wrote_in(run_id, start, until, self._stopped)
        apart: dict[At, _Attempt] = {}
        for done in self._journal.done_in(run_id, start, until, wrote.others):
            at = (done.order_id, done.attempt)
            one = apart.get(at)
            if one is None:
                one = apart[at] = _Attempt(tail_in(done.batch_id))
            one.add(done)
        tails = frozenset(map(tail_in, wrote.batches))
        read = self._read[run_id] = _Read(wrote.charged, apart, tails)
        return read

    def _of_several(
        self, run_id: str, mine: Mapping[At, _Attempt]
    ) -> dict[At, Counter[str]]:
        """Attempts under whose key more than one charge took money (B31), each a stop -> what of
        that is news of a run.

        All of it moved, though a row of a report is about one charge.
        """
        orders = sorted(self._stopped & {order_id for order_id, _ in mine})
        start = self._started[run_id].seq
        until = self._until.get(run_id)
        found = {}
        for order_id, events in self._journal.histories(orders).items():
            before = _folded(events, start)
            known = {charge.id for attempt in before for charge in money_of(attempt)}
            for attempt in _folded(events, until):
                at = (order_id, attempt.intent.attempt)
                money = money_of(attempt)
                if len(money) > 1 and at in mine:
                    found[at] = _news(money, known)
        return found

    def _newly_charged(
        self, run_id: str, made: Mapping[At, _Attempt]
    ) -> dict[At, _Attempt]:
        """Those that took money by the end of the run and were not known to have done so before
        it.
        """
        moved = {at: one for at, one in made.items() if one.state in _MONEY}
        older = [order_id for (order_id, _), one in moved.items() if not one.began_here]
        start = self._started[run_id].seq
        before = self._moved_before(older, start)
        return {at: one for at, one in moved.items() if at not in before}

    def _take_no_money(self, run_id: str, mine: Mapping[At, _Attempt]) -> None:
        """An unproven charge may have taken none, or be another order's: then its amount is no
        money. It may have taken a part.
        """
        unproven = {
            at: one for at, one in mine.items() if one.state == Outcome.UNPROVEN.value
        }
        orders = sorted({order_id for order_id, _ in unproven})
        until = self._until.get(run_id)
        for order_id, events in self._journal.histories(orders).items():
            for attempt in _folded(events, until):
                one = unproven.get((order_id, attempt.intent.attempt))
                if one is not None and attempt.money is None:
                    one.amount = 0
                elif one is not None and attempt.money is not None:
                    one.amount = attempt.money.summed

    def _moved_before(self, order_ids: list[str], seq: int) -> set[At]:
        moved = set()
        for order_id, events in self._journal.histories(order_ids).items():
            for attempt in _folded(events, seq):
                if attempt.money is not None:
                    moved.add((order_id, attempt.intent.attempt))
        return moved


def _folded(events: Iterable[Event], until: int | None) -> tuple[Attempt, ...]:
    """The attempts of an order as they were before an event; None: as they are."""
    return fold(event for event in events if until is None or event.seq < until)


def _news(money: Iterable[ChargeSeen], known: Collection[str]) -> Counter[str]:
    """What of these charges is not known yet, by currency; all of their currencies are named."""
    news = Counter[str]()
    for charge in money:
        if charge.id in known:
            amount = 0
        else:
            amount = charge.summed
        news[charge.currency.upper()] += amount
    return news


def _sums(
    attempts: Mapping[At, _Attempt],
    of: Collection[At],
    several: Mapping[At, Counter[str]],
    at_once: Iterable[ChargedAtOnce] = (),
) -> dict[str, int]:
    """By currency, what attempts took, those `at_once` among them; where one took several charges
    (`several`), and is one `of` these, what of them is news.
    """
    sums: Counter[str] = Counter()
    for some in at_once:
        sums[some.currency.upper()] += some.minor
    for at, one in attempts.items():
        if at not in several:
            sums[one.currency] += one.amount
    for at, further in several.items():
        if at in of:
            sums.update(further)
    return dict(sorted(sums.items()))
