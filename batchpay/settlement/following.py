"""FOLLOWING: what became of the charges of before: where each recipient's share is, what was given
back, what is disputed.

It comes last in a run, on a budget of its own under the same limiter, and is never in anybody's
way: a list that fails ends it for tonight, and so do some single things in a row. Where a share is
decides nothing; a charge that is read again is evidence like any look-up by its id, and may be a
stop. Where it ends, the next run, or `settle`, goes on (events.Followed). One thing that the
gateway never tells is in no other's way.

    news        refunds by their list; disputes, moved transfers and charges that changed, by the
                gateway's events
    links       chains to their transfers: by the list where that costs less, else one by one
    transfers   where each is: the same way
"""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from batchpay.domain.books import Booked, Happened, PageOf, Refund, Span, Transfer
from batchpay.domain.events import DisputeSeen, Followed, RefundSeen, TransferSeen
from batchpay.domain.model import Answer, OnItsWay, Outcome
from batchpay.lifecycle.after import (
    DAY_NS,
    FOLLOWED_NS,
    OVER,
    is_due,
    is_followed,
    left_open,
    may_differ,
    seen,
)
from batchpay.lifecycle.attempt import Attempt, begun_ns
from batchpay.lifecycle.charge import can_be_asked_for, key_in
from batchpay.lifecycle.proof import is_unknown
from batchpay.settlement.cases import Case
from batchpay.settlement.channel import GLANCE_S, Request
from batchpay.settlement.ledger import NOT_THERE
from batchpay.settlement.means import Means
from batchpay.settlement.paging import PAGE_SIZE
from batchpay.settlement.since import OVERLAP

# so many chains without a transfer, and none with one: the gateway tells of none
SILENT_AFTER = 3
MOST = 100_000  # attempts that one run looks after, and holds in memory
KEPT_OPEN = 500  # orders that one event names
LONGEST_S = 60.0  # of one run
FAILURES = 3  # of single things in a row: the gateway answers nothing now
PATIENCE = 50  # how much more `settle` may take, whose whole purpose it is

T = TypeVar("T")


SpanAt = Callable[..., Awaitable[Answer[PageOf[Any]]]]
"""A list of the gateway's: span, offset, `may_leave`."""


@dataclass(frozen=True, slots=True)
class Follows:
    """What a run brings to it."""

    # where the last one stopped; None: nothing was ever followed
    before: Followed | None
    requests: int  # at most so many (job: `[gateway] follow`); 0: none
    patient: bool = False  # `settle`: all that is open, whatever its schedule says
    # Words what was given back of a charge: order id, charge, refunds that a list told; None:
    # nothing.
    refund_seen: Callable[[str, Booked, Sequence[Refund]], RefundSeen | None] = (
        lambda order, booked, refunds: None
    )
    # by charge, as last told
    known_refunds: Mapping[str, RefundSeen] = field(default_factory=dict)
    known_disputes: Mapping[str, str] = field(default_factory=dict)  # charge -> status


class PendingRound:
    """Which pending charges are asked about in this run: those that are due on the widening
    schedule, and of those older than a day no more than the budget; the next run goes on behind
    them.
    """

    def __init__(self, follows: Follows, now_ns: int) -> None:
        self._follows = follows
        self._now_ns = now_ns
        before = follows.before or Followed(since_ns=0)
        self.asked_ns = before.pending_ns
        self.after = before.pending_after
        self.has_old = False  # was there any that is asked about less often?

    def rest(self, attempts: Sequence[Attempt]) -> frozenset[str]:
        """The keys of those that are not asked about."""
        if self._follows.patient or not self._follows.requests:
            return frozenset()
        waiting = [
            one
            for one in attempts
            if one.outcome is Outcome.PENDING and not one.missing_ns
        ]
        old = [one for one in waiting if self._now_ns - begun_ns(one) >= DAY_NS]
        self.has_old = bool(old)
        due = [one for one in old if is_due(begun_ns(one), self.asked_ns, self._now_ns)]
        due.sort(
            key=lambda one: (one.intent.order_id <= self.after, one.intent.order_id)
        )
        asked = due[: self._follows.requests]
        if len(asked) < len(due):
            self.after = asked[-1].intent.order_id
        else:
            self.after = ""
            self.asked_ns = self._now_ns
        mine = {one.intent.key for one in asked}
        return frozenset(one.intent.key for one in old if one.intent.key not in mine)


@dataclass(frozen=True, slots=True)
class _UpTo:
    """How far refunds and events are read by now, and the transfers that events name."""

    news_from: str
    events_from: str = ""
    events_at: int = 0
    touched: frozenset[str] = frozenset()


class Follower:
    """One run's following."""

    def __init__(
        self,
        means: Means,
        follows: Follows,
        pending: PendingRound,
        deadline_ns: int | None,
    ) -> None:
        self._gateway = means.gateway
        self._channel = means.channel
        self._recorder = means.recorder
        self._clock = means.clock
        self._follows = follows
        self._pending = pending
        self._deadline_ns = deadline_ns
        self._left = follows.requests
        self._longest_s = LONGEST_S
        if follows.patient:
            self._left *= PATIENCE
            self._longest_s *= PATIENCE
        self._began_s = self._clock.elapsed_s()
        self._ended = False
        self._failures = 0  # single things in a row that were not told
        self._unread = dict.fromkeys(follows.before.unread if follows.before else ())
        self._told = False  # did the gateway tell of any transfer?
        self._without_one = 0

    async def follow(self) -> None:
        """All of it, as far as the budget goes. Writes what is news, and where it stopped."""
        now_ns = self._clock.now_ns()
        before = self._follows.before or Followed(since_ns=now_ns - FOLLOWED_NS)
        at_most = min(MOST, self._left * PAGE_SIZE // 2)  # two lists tell of each
        ways, after = self._recorder.cases.on_their_way(
            before.since_ns,
            before.open,
            before.after,
            at_most,
            partial(is_followed, now_ns=now_ns),
        )
        cases = self._recorder.cases
        is_first = self._follows.before is None
        if is_first and not (ways or self._pending.has_old or cases.knows_charges()):
            return
        news = await self._news(before, now_ns)
        due = [
            one
            for one in ways
            if self._is_due(one, before.asked_ns, now_ns, news.touched)
        ]
        over = await self._transfers(due)
        asked_ns = before.asked_ns
        since_ns = before.since_ns
        still_open = before.open
        if not after:  # else nobody knows what lies beyond
            if not self._ended or self._tells_of_none:
                asked_ns = now_ns
            left = [one for one in ways if (one.order_id, one.attempt) not in over]
            since_ns, still_open = left_open(left, now_ns, KEPT_OPEN)
        await self._recorder.note(
            Followed(
                since_ns=since_ns,
                open=still_open,
                after=after,
                asked_ns=asked_ns,
                pending_ns=self._pending.asked_ns,
                pending_after=self._pending.after,
                news_from=news.news_from,
                events_from=news.events_from,
                events_at=news.events_at,
                unread=tuple(self._unread)[:KEPT_OPEN],
                untold=self._tells_of_none,
            )
        )

    @property
    def _tells_of_none(self) -> bool:
        return self._without_one >= SILENT_AFTER and not self._told

    def _is_due(
        self, one: OnItsWay, asked_ns: int, now_ns: int, touched: frozenset[str]
    ) -> bool:
        if self._follows.patient or one.transfer in touched:
            return True
        return is_due(one.begun_ns, asked_ns, now_ns)

    # --- one request

    async def _ask(
        self, request: Request[T], *, single: bool = False
    ) -> Answer[T] | None:
        """None: it was not told, or may not be asked; then nothing more is, unless it was the first
        failure of some `single` things. What is not served (NOT_THERE) is an answer without `said`.
        """
        if self._ended or self._left <= 0 or self._is_late():
            self._ended = True
            return None
        self._left -= 1
        answer = await self._channel.glance(request)
        if answer is not None and (answer.said or answer.status in NOT_THERE):
            self._failures = 0
            return answer
        self._failures += 1
        self._ended = not single or self._failures >= FAILURES
        return None

    def _is_late(self) -> bool:
        if self._clock.elapsed_s() - self._began_s > self._longest_s:
            return True
        if self._deadline_ns is None:
            return False
        return self._clock.now_ns() + int(GLANCE_S * 1e9) > self._deadline_ns

    async def _pages(
        self, page_at: SpanAt, since: str, at_most: int
    ) -> tuple[list[Any], bool]:
        """A list from a time on, as far as it is told; its first page alone where it has more than
        so many. Was it told?
        """
        found: list[Any] = []
        while True:
            answer = await self._ask(partial(page_at, Span(since), len(found)))
            if answer is None or answer.said is None:
                return found, False
            page = answer.said
            found += page.things
            if (
                not page.things
                or len(found) >= page.total
                or -(-page.total // PAGE_SIZE) > at_most
            ):
                return found, True

    # --- news

    async def _news(self, before: Followed, now_ns: int) -> _UpTo:
        """Refunds since the last time, and what the gateway's events name."""
        since = before.news_from
        begun = _instant(now_ns)
        self._unread.update(dict.fromkeys(self._which_say_so()))
        if not since:
            for charge_id in tuple(self._unread):
                await self._look_at(charge_id, [])
            return _UpTo(begun)
        begin, at = before.events_from or since, before.events_at
        refunds, is_told = await self._pages(
            self._gateway.refunds, since, self._left // 4
        )
        happened, at, is_all = await self._events(begin, at)
        told = [one for one in refunds if one is not None]
        looked_at = dict.fromkeys([*(one.charge_id for one in told), *self._unread])
        for charge_id in filter(None, looked_at):
            await self._look_at(
                charge_id, [one for one in told if one.charge_id == charge_id]
            )
        if self._ended:  # in whatever way: what was not read is read the next time
            return _UpTo(since, begin, at)
        news_from = begun
        if not is_told or any(one.charge_id in self._unread for one in told):
            news_from = _not_long_before(since, now_ns)
        for charge_id, first in self._changed(happened):
            if charge_id not in looked_at:
                await self._look_at(charge_id, [])
            if self._ended:
                return _UpTo(news_from, begin, at + first)
        touched = frozenset(one.about for one in happened)
        if is_all:
            events_from = begun if news_from != begun else ""
            return _UpTo(news_from, events_from, touched=touched)
        return _UpTo(news_from, begin, at + len(happened), touched)

    async def _events(self, begin: str, at: int) -> tuple[list[Happened], int, bool]:
        """The gateway's events from a time on, behind so many: half of what is left goes for them
        at most. With the place where they really begin, and whether these are all.
        """
        happened: list[Happened] = []
        for _ in range(max(1, self._left // 2)):
            read = partial(self._gateway.happened, Span(begin), at + len(happened))
            answer = await self._ask(read)
            if answer is None or answer.said is None:
                return happened, at, False
            page = answer.said
            if at > page.total:  # it forgot some
                at = 0
                continue
            happened += page.things
            if not page.things or at + len(happened) >= page.total:
                return happened, at, True
        return happened, at, False

    def _changed(self, happened: Sequence[Happened]) -> Iterator[tuple[str, int]]:
        """Charges of ours that events name, and that may not be what the journal says; with the
        place of the first event that does.
        """
        named: dict[str, list[Happened]] = {}
        first: dict[str, int] = {}
        for place, one in enumerate(happened):
            charge_id = _charge_named(one)
            if charge_id:
                named.setdefault(charge_id, []).append(one)
                first.setdefault(charge_id, place)
        for charge_id, some in named.items():
            case = self._recorder.cases.case_of(charge_id)
            if case is None or case.attempt is None:
                continue
            if may_differ(some, charge_id, case.attempt):
                yield charge_id, first[charge_id]

    def _which_say_so(self) -> list[str]:
        """Charges of this run that say themselves that something was given back, which the journal
        has not told yet: the gateway's lists may lack it.
        """
        known = {one: told.total for one, told in self._follows.known_refunds.items()}
        refunded = self._recorder.refunded
        return [one for one, total in refunded.items() if known.get(one) != total]

    async def _look_at(self, charge_id: str, refunds: Sequence[Refund]) -> None:
        """One of our charges, of which something was given back, or which is disputed."""
        case = self._recorder.cases.case_of(charge_id)
        if case is None or case.attempt is None:
            return
        asked = case.intent
        answer = await self._ask(partial(self._gateway.booked, charge_id), single=True)
        if answer is None:
            if not self._ended:
                self._unread[charge_id] = None
            return
        booked = answer.said
        is_told = booked is not None and booked.id == charge_id
        if not is_told and not is_unknown(answer):
            self._unread[charge_id] = None
            return
        self._unread.pop(charge_id, None)
        if is_unknown(answer) and case.attempt.outcome is Outcome.PENDING:
            await self._recorder.missing(case, charge_id)
        if booked is None or not is_told:
            return
        await self._judge(case, booked)
        back = self._follows.refund_seen(asked.order_id, booked, refunds)
        known = self._follows.known_refunds.get(charge_id)
        if back is not None and (
            known is None
            or (known.total, known.contradicts) != (back.total, back.contradicts)
        ):
            await self._recorder.note(back, asked.batch_id)
        charge = case.attempt.charge
        known_dispute = self._follows.known_disputes.get(charge_id)
        if charge and booked.dispute and known_dispute != booked.dispute:
            dispute = DisputeSeen(
                order=asked.order_id,
                charge_id=charge_id,
                status=booked.dispute,
                amount=charge.amount,
                currency=charge.currency.upper(),
            )
            await self._recorder.note(dispute, asked.batch_id)

    async def _judge(self, case: Case, booked: Booked) -> None:
        """What a charge is now is judged as every look-up by its id is. One that was only told of
        for an order is its own where it carries its key (Doubts).
        """
        charge = booked.charge
        if charge is None or case.attempt is None:
            return
        if case.attempt.charge is not None or key_in(charge) == case.intent.key:
            await self._recorder.found(case, charge, by_id=True)

    # --- transfers

    async def _transfers(self, due: Sequence[OnItsWay]) -> frozenset[tuple[str, int]]:
        """Order id and attempt of those whose share is at its end by now."""
        told = await self._linked(due)
        known: dict[str, list[OnItsWay]] = {}
        for one in due:
            name = told.name_of(one)
            if name and name not in told.transfers:
                known.setdefault(name, []).append(one)
        if known:
            await self._placed(list(known), known, told)
        shown = {}
        for one in due:
            transfer = told.transfers.get(told.name_of(one))
            if transfer is not None:
                self._told = True
                shown[one.order_id, one.attempt] = transfer
        return await self._seen(shown)

    async def _seen(
        self, shown: Mapping[tuple[str, int], Transfer]
    ) -> frozenset[tuple[str, int]]:
        """Writes what is news of it; the attempts themselves are read for that, and for no other.
        Returns those whose share is at its end.
        """
        found: list[tuple[Attempt, TransferSeen]] = []
        over = set()
        for attempt in self._recorder.cases.attempts_of(
            order_id for order_id, _ in shown
        ):
            which = (attempt.intent.order_id, attempt.intent.attempt)
            transfer = shown.get(which)
            if transfer is None:
                continue
            seen_now = seen(transfer, attempt)
            if seen_now != attempt.transfer:
                found.append((attempt, seen_now))
            if seen_now.stands in OVER:
                over.add(which)
        await self._recorder.transfers_seen(found)
        return frozenset(over)

    async def _linked(self, due: Sequence[OnItsWay]) -> _Told:
        """The transfers of the chains that nobody has asked about."""
        told = _Told()
        missing = [one for one in due if not one.transfer]
        if not missing:
            return told
        links, _ = await self._pages(
            self._gateway.chains, _since(missing), len(missing)
        )
        for link in links:
            if link.transfer_id:
                told.ids[link.id] = link.transfer_id
        for one in missing:
            chain = one.chain
            if chain in told.ids or self._tells_of_none:
                continue
            answer = await self._ask(partial(self._gateway.chained, chain), single=True)
            if answer is None:
                continue
            if answer.said is None:
                self._without_one += 1
                continue
            self._told = True
            told.ids[chain] = answer.said.id
            told.transfers[answer.said.id] = answer.said
        return told

    async def _placed(
        self, names: Sequence[str], of: Mapping[str, Sequence[OnItsWay]], told: _Told
    ) -> None:
        """Where these transfers are."""
        ways = [one for some in of.values() for one in some]
        listed, _ = await self._pages(self._gateway.transfers, _since(ways), len(names))
        for transfer in listed:
            if transfer.id in of:
                told.transfers[transfer.id] = transfer
        for name in names:
            if name in told.transfers:
                continue
            answer = await self._ask(partial(self._gateway.transfer, name), single=True)
            if answer is None:
                continue
            if answer.said is not None and answer.said.id == name:
                told.transfers[name] = answer.said


@dataclass(slots=True)
class _Told:
    """What the gateway told of transfers in this run."""

    ids: dict[str, str] = field(default_factory=dict)  # chain -> transfer
    transfers: dict[str, Transfer] = field(default_factory=dict)  # by id

    def name_of(self, one: OnItsWay) -> str:
        """The id of its transfer; empty: nobody knows it."""
        return one.transfer or self.ids.get(one.chain, "")


def _charge_named(one: Happened) -> str:
    """The charge that an event is about, or that what it is about belongs to; empty: none. Where a
    transfer is, is asked of the transfer.
    """
    if one.key.startswith("transfer."):
        return ""
    return next(filter(can_be_asked_for, (one.charge_id, one.about)), "")


def _since(ways: Iterable[OnItsWay]) -> str:
    """From when a list must show what belongs to these charges."""
    return _instant(min(one.begun_ns for one in ways))


def _not_long_before(since: str, now_ns: int) -> str:
    """Then, or now where nothing is followed from so long ago any more."""
    if since > _instant(now_ns - FOLLOWED_NS):
        return since
    return _instant(now_ns)


def _instant(at_ns: int) -> str:
    """With the margin of every list; ISO 8601 UTC."""
    at = datetime.fromtimestamp(at_ns // 10**9, UTC) - OVERLAP
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
