"""Who is sent next: the rows in their order, one at a time for each payer, within what this run may
send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from batchpay.domain.model import NO_MONEY, Document, Intent, Outcome
from batchpay.job.job import SENDS_PER_RUN, Limit
from batchpay.lifecycle.attempt import Attempt
from batchpay.messages import nights as said
from batchpay.settlement.cases import Case

# orders kept aside because their payer is busy; then the file waits
LANES_WAITING = 2000
# max_failures is looked at once so many orders were sent
FAILURES_FROM = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of an input of this run that may be sent: a new attempt, or one that is open
    already.
    """

    order_id: str
    intent: Intent | None  # None: the journal has the attempt
    # the others of its order, and those of its sale that took no money
    before: tuple[Attempt, ...] = ()
    # one that was never charged and gives way to this one
    withdraw: Attempt | None = None
    # what the rows asked for that its row goes back to, as far as they could be read
    went_back: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How far this run may go."""

    orders: int | None = None  # at most so many orders are sent
    canary: int | None = None  # the first so many must succeed before any other is sent
    max_failures: Limit | None = None  # of the orders sent so far
    # wall clock; nothing starts that may not be answered by then
    deadline_ns: int | None = None
    deadline: str = ""  # the same for people

    def seconds_left(self, now_ns: int, timeout_s: float) -> float:
        """Until nothing may start any more: a request takes up to the timeout, and must be answered
        by the deadline.
        """
        if self.deadline_ns is None:
            return float("inf")
        return (self.deadline_ns - now_ns) / 1e9 - timeout_s

    @property
    def too_late(self) -> str:
        """Why the rest is held once no second is left."""
        return str(said.DEADLINE(deadline=self.deadline))


class Queue:
    """Hands out cases; a case that was taken comes back through `done`, and through `again` if it
    may go again.
    """

    def __init__(self, limits: Limits) -> None:
        self.known: dict[str, Case] = {}  # open orders of earlier runs
        self.why_held = ""  # why what is left of the file is not sent
        # why nothing more is sent in this run, by what the orders so far came to
        self.closed = ""
        self._limits = limits
        self._candidates: Iterator[Candidate] = iter(())
        self._ahead: Candidate | None = None  # the next of them, looked at
        self._ready: deque[Case] = deque()  # claimed, waiting for nothing but a worker
        # doubts of earlier runs that were proven absent: like rows of the file
        self._proven: deque[Case] = deque()
        self._tried = False
        self._busy: set[str] = set()  # payers with a request on its way
        self._lanes: dict[str, deque[Case]] = {}  # orders that wait for their payer
        self._waiting = 0
        self._out = 0
        self._one_at_a_time = True
        self._claimed = 0
        self._canaries: list[Case] = []
        self._sent = 0
        self._failed = 0

    def begin(self, candidates: Iterable[Candidate]) -> None:
        """The rows of this run's files that may be sent."""
        self._candidates = iter(candidates)

    def open(self) -> None:
        """The first order went well by the gateway's own list: the others may follow side by
        side.
        """
        self._one_at_a_time = False

    def take(self, *, quiet: bool) -> Case | None:
        """The next case to send, None when there is none now; `quiet`: nothing else is on its way
        or in doubt.
        """
        if self.closed or (self._one_at_a_time and (self._out or self._tried)):
            return None
        case = self._next_ready() or self._next_row(quiet=quiet)
        if case is not None:
            self._out += 1
            self._busy.add(_lane(case))
        return case

    def done(self, case: Case) -> None:
        """A taken case's send was concluded, whatever came of it."""
        lane = _lane(case)
        # one that was kept back before its intent tells of no other run
        self._tried = self._tried or case.sends_in_run > 0
        self._out -= 1
        self._busy.discard(lane)
        if waiting := self._lanes.get(lane):
            self._ready.append(waiting.popleft())
            self._waiting -= 1
            if not waiting:
                del self._lanes[lane]
        self._count(case)

    def again(self, case: Case) -> None:
        """The same key and body may go once more, later in this run."""
        if case.sends_in_run >= SENDS_PER_RUN or not case.present:
            return
        if case.sends_in_run:
            self._ready.append(case)
        else:
            self._proven.append(case)

    @property
    def idle(self) -> bool:
        """Is nothing taken, and nothing ready to be?"""
        return not (self._out or self._ready)

    @property
    def waits_for_list(self) -> bool:
        """Was the first order sent, and does the list after it not allow the others yet?"""
        return self._one_at_a_time and self._tried and not self.closed

    # --- which

    def _next_ready(self) -> Case | None:
        for at, case in enumerate(self._ready):
            if self._is_free(_lane(case)):
                del self._ready[at]
                return case
        return None

    def _next_row(self, *, quiet: bool) -> Case | None:
        limit = self._limits.orders
        while self._waiting < LANES_WAITING and not self._waits_for_canary(quiet=quiet):
            if not self._proven and self._peek() is None:
                return None
            if limit is not None and self._claimed >= limit:
                self.why_held = self.why_held or limited(limit)
                return None
            if self._proven:
                case: Case | None = self._proven.popleft()
            else:
                case = self._claim_next()
            if case is None:
                continue
            self._claimed += 1
            if (
                self._limits.canary is not None
                and len(self._canaries) < self._limits.canary
            ):
                self._canaries.append(case)
            if self._is_free(_lane(case)):
                return case
            self._lanes.setdefault(_lane(case), deque()).append(case)
            self._waiting += 1
        return None

    def _peek(self) -> Candidate | None:
        """The next row, without taking it."""
        if self._ahead is None:
            self._ahead = next(self._candidates, None)
        return self._ahead

    def _claim_next(self) -> Case | None:
        candidate = self._ahead
        self._ahead = None
        if candidate is None:
            return None
        return self._claim(candidate)

    def _claim(self, candidate: Candidate) -> Case | None:
        known = self.known.get(candidate.order_id)
        attempt = None
        if known is not None:
            attempt = known.attempt
        if candidate.intent is not None:
            is_over = attempt is None or attempt.closed
            gives_way = candidate.withdraw is not None and (
                attempt is None or attempt.ready
            )
            if not (is_over or gives_way):
                return None  # by a list, meanwhile
            return Case(
                candidate.intent,
                others=candidate.before,
                withdraw=candidate.withdraw,
                went_back=candidate.went_back,
            )
        if known is None or attempt is None:
            return None
        known.present = True
        keys = {other.intent.key for other in known.others}
        of_its_sale = [one for one in candidate.before if one.intent.key not in keys]
        known.others = (*known.others, *of_its_sale)
        known.went_back = candidate.went_back
        if attempt.resends and known.sends_in_run == 0:
            return known
        return None

    def _is_free(self, lane: str) -> bool:
        return not lane or lane not in self._busy

    def _waits_for_canary(self, *, quiet: bool) -> bool:
        """Have all canaries been sent, and are they not all known to be well?"""
        wanted = self._limits.canary
        if wanted is None or len(self._canaries) < wanted:
            return False
        if all(map(_is_well, self._canaries)):
            return False
        if quiet and self.idle:
            first = said.CANARY(wanted=wanted, orders=wanted)
            if wanted == 1:
                first = said.CANARY_FIRST()
            self.why_held = str(first)
        return True

    # --- how they went

    def _count(self, case: Case) -> None:
        """Every order once that left in this run, and each that took no money: more of those than
        agreed closes the queue.
        """
        if case.attempt is None or not case.left:
            return
        self._sent += not case.counted
        case.counted = True
        self._failed += case.attempt.outcome in NO_MONEY
        limit = self._limits.max_failures
        if (
            limit
            and self._sent >= FAILURES_FROM
            and limit.exceeded_by(self._failed, self._sent)
        ):
            self.closed = str(said.FAILURES(failed=self._failed, sent=self._sent))


def limited(orders: int) -> str:
    """Why the rest is held."""
    return str(said.LIMITED(count=orders))


def _is_well(case: Case) -> bool:
    return case.attempt is not None and case.attempt.outcome is Outcome.SUCCEEDED


def _lane(case: Case) -> str:
    """Who pays, where two charges at once could disturb each other: a stored customer; empty for
    what pays once.
    """
    intent = case.intent
    if intent.single_use:
        return ""
    return intent.payer.partition(":")[0]
