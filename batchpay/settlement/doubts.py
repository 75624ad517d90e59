"""The one asker: what became of every send that nobody answered, and of every charge that was not
final (law L5).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from batchpay.domain.model import ChargeSeen, Outcome, Page
from batchpay.domain.ports import Clock
from batchpay.job.job import GatewaySettings
from batchpay.lifecycle.charge import can_be_asked_for, key_in
from batchpay.lifecycle.doubt import DoubtRules
from batchpay.messages import nights as said
from batchpay.settlement.by_id import NO_REPLY, Reply, ask_for
from batchpay.settlement.cases import Case
from batchpay.settlement.lists import Lists
from batchpay.settlement.means import Means
from batchpay.settlement.reading import MOST_INCOMPLETE
from batchpay.settlement.shown_before import ask_for_one
from batchpay.settlement.since import OVERLAP, charged_since

REREAD_AFTER_S = 5.0  # a paid charge without a chain is read again after this (law L7)


def doubt_rules(settings: GatewaySettings, clock: Clock) -> DoubtRules:
    """A job's periods of law L5, on this machine, for what begins now."""
    return DoubtRules(
        settings.doubt_period_s,
        settings.lookup_gap_s,
        clock.boot_id,
        clock.elapsed_s(),
    )


class News:
    """Wakes whoever waits for something to happen, or for a turn."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()
        self._turns: deque[asyncio.Future[None]] = deque()

    def tell(self) -> None:
        """Something happened: everybody looks."""
        self._happened.set()
        self._happened = asyncio.Event()
        while self._turns:
            self.tell_one()

    def tell_one(self) -> None:
        """There may be something for one of those who wait for a turn. Whoever takes it tells the
        next, so that no more of them wake than find something, and one.
        """
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def turn(self) -> None:
        """Until everybody is told, or this one."""
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        await turn

    async def wait(self, at_most_s: float | None = None) -> None:
        """Until something does, or so long."""
        happened = self._happened
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await happened.wait()


class Doubts:
    """Cases in doubt, charges to read again. `again` takes a case that may be sent once more,
    `told` one that moved.
    """

    def __init__(
        self,
        means: Means,
        lists: Lists,
        news: News,
        again: Callable[[Case], None],
        told: Callable[[Case], None],
    ) -> None:
        self._gap_s = means.settings.lookup_gap_s
        self._gateway = means.gateway
        self._channel = means.channel
        self._recorder = means.recorder
        self._lists = lists
        self._clock = means.clock
        self._news = news
        self._again = again
        self._told = told
        self._rules = doubt_rules(means.settings, means.clock)
        self._open: dict[str, Case] = {}
        self._rereads: deque[tuple[float, Case]] = deque()
        self._incomplete = 0
        # does the account show a charge of before it was told? None: nobody asked yet
        self._shows_earlier: bool | None = None

    @property
    def none(self) -> bool:
        """Is there nothing to ask about?"""
        return not (self._open or self._rereads)

    def add(self, case: Case, *, early: bool) -> None:
        """Look an unanswered order up: when absence proves something, and `early` once before
        that.
        """
        due_s = self._due_s(case)
        if early:
            case.ask_at_s = min(due_s, self._clock.elapsed_s() + self._gap_s)
        else:
            case.ask_at_s = due_s
        self._open[case.intent.order_id] = case
        self._news.tell()

    def read_again(self, case: Case) -> None:
        """A paid charge without a chain: ask for it once more in a moment."""
        self._rereads.append((self._clock.elapsed_s() + REREAD_AFTER_S, case))
        self._news.tell()

    async def work(self, nothing_can_come: Callable[[], bool]) -> None:
        """Ask as things fall due, until `nothing_can_come` any more or the channel closes."""
        while not self._channel.closed:
            now_s = self._clock.elapsed_s()
            if self._rereads and self._rereads[0][0] <= now_s:
                await self.reread(self._rereads[0][1])
                self._rereads.popleft()
                self._news.tell()
            elif any(case.ask_at_s <= now_s for case in self._open.values()):
                await self._look_up_or_leave()
                self._news.tell()
            elif not self.none:
                await self._news.wait(max(0.0, self._next_s() - now_s))
            elif nothing_can_come():
                return
            else:
                await self._news.wait()

    def _next_s(self) -> float:
        """When something falls due next."""
        look_ups = [case.ask_at_s for case in self._open.values()]
        rereads = [at_s for at_s, _ in self._rereads]
        return min(look_ups + rereads)

    async def reread(self, case: Case) -> None:
        """Ask for one charge by its id: pending may have ended, a chain may have come."""
        assert case.attempt is not None and case.attempt.charge is not None
        charge = await self._read(case, case.attempt.charge.id)
        if charge is not None:
            await self._recorder.found(
                case,
                charge,
                reread=case.attempt.wants_chain,
                by_id=True,
            )
            self._told(case)

    async def reread_all(self, case: Case) -> None:
        """Ask for every charge of an order that was charged twice: one of them may have been given
        back.
        """
        if case.attempt is None:
            return
        for charge_id in sorted(case.attempt.twins):
            if self._channel.closed:
                return
            reply = await self._ask(charge_id)
            if reply.charge is not None:
                await self._recorder.found(case, reply.charge, by_id=True)
                self._told(case)
            elif reply.is_unknown:
                await self._recorder.missing(case, charge_id)
                self._told(case)

    async def ask_after_word(self, case: Case) -> list[str]:
        """Ask for every charge of an attempt that a person's word ended; that one is not there is
        what was said, or nearly. Those of which the gateway told nothing.
        """
        assert case.attempt is not None
        untold = []
        for charge_id in sorted(case.attempt.twins):
            reply = await self._ask(charge_id)
            if reply.charge is not None:
                await self._recorder.found(case, reply.charge, by_id=True)
                self._told(case)
            elif can_be_asked_for(charge_id) and not reply.is_unknown:
                untold.append(charge_id)
        return untold

    async def _read(self, case: Case, charge_id: str) -> ChargeSeen | None:
        """A charge by its id; None when it could not be had. That the gateway knows no such charge
        is noted of an attempt that is pending (J27).
        """
        reply = await self._ask(charge_id)
        is_pending = (
            case.attempt is not None and case.attempt.outcome is Outcome.PENDING
        )
        if reply.is_unknown and is_pending:
            await self._recorder.missing(case, charge_id)
            self._told(case)
        return reply.charge

    async def _ask(self, charge_id: str) -> Reply:
        """What is no id of a charge is not asked for."""
        if not can_be_asked_for(charge_id):
            return NO_REPLY
        return await ask_for(self._gateway, self._channel, charge_id)

    async def clears(self, case: Case) -> bool:
        """Did every charge of the attempts beside it (Case.others) end without money, asked again
        by its id just now (J04)?

        What is found is written down: a charge that may take money after all keeps this attempt
        from being sent. One that the gateway no longer knows proves nothing, but for a person's
        word that it was looked for.
        """
        for earlier in case.others:
            others = tuple(other for other in case.others if other is not earlier)
            old = Case(earlier.intent, earlier, others, present=False)
            ids = set(earlier.twins)
            if earlier.charge:
                ids.add(earlier.charge.id)
            for charge_id in sorted(ids):
                if not await self._took_nothing(old, charge_id, denied=earlier.denied):
                    return False
        return True

    async def _took_nothing(self, old: Case, charge_id: str, *, denied: bool) -> bool:
        """Of one charge. `denied`: a person looked for it, and said that it took nothing."""
        reply = await self._ask(charge_id)
        if reply.charge is not None:
            await self._recorder.found(old, reply.charge, by_id=True)
            return not reply.charge.takes_money
        if denied and (reply.status == 200 or reply.is_unknown):
            return True  # it answers, and has nothing to show: a person looked
        if reply.is_unknown:
            await self._recorder.missing(old, charge_id)
        elif not self._channel.closed:
            await self._recorder.untold(old, charge_id)
        return False

    async def _look_up_or_leave(self) -> None:
        """A gateway whose lists stay incomplete keeps its secrets for this run: the next one asks
        again.
        """
        if await self._look_up():
            self._incomplete = 0
        else:
            self._incomplete += 1
        if self._incomplete >= MOST_INCOMPLETE:
            self._open.clear()

    async def _look_up(self) -> bool:
        """One complete listing for all doubts together; those it may prove absent are those due
        before it began.
        """
        now_s = self._clock.elapsed_s()
        doubts = dict(self._open)
        due = [case for case in doubts.values() if self._due_s(case) <= now_s]
        for case in doubts.values():
            self._recorder.take_up(case)

        async def absorb(page: Page) -> None:
            await self._lists.absorbing.absorb_all(page)
            for case in doubts.values():
                still_open = case.intent.order_id in self._open
                if (
                    still_open
                    and case.attempt
                    and case.attempt.outcome is not Outcome.IN_DOUBT
                ):
                    self._found(case)

        for case in doubts.values():
            await self._ask_for_hinted(case)
        if not self._open:
            return True
        since = self._since(list(doubts.values()), proves=bool(due))
        listing = await self._lists.reading.read(since, absorb, proving=bool(due))
        proves = self._lists.witnesses.proves_absence(listing)
        for case in doubts.values():
            if case.intent.order_id not in self._open:
                continue
            assert case.attempt is not None
            unclear = await self._lists.may_be.its(listing, case.attempt)
            if unclear:
                await self._leave(case, unclear)
            elif proves and case in due and await self._may_be_anothers(case):
                await self._leave_untold(case)
            elif proves and case in due:
                await self._absent(case)
            else:
                case.ask_at_s = self._clock.elapsed_s() + self._gap_s
                if proves:
                    case.ask_at_s = max(self._due_s(case), case.ask_at_s)
        return proves

    def _since(self, doubts: Sequence[Case], *, proves: bool) -> datetime:
        """From when a list must show their charges. `proves`: it is to prove that some were not
        made; then no time is trusted that one charge says of itself.
        """
        attempts = [case.attempt for case in doubts if case.attempt]
        if proves or not self._channel.dated:
            return charged_since(attempts, dated=self._channel.dated)
        sent_ns = min(one.sent_ns for one in attempts)
        return datetime.fromtimestamp(sent_ns // 10**9, UTC) - OVERLAP

    async def _ask_for_hinted(self, case: Case) -> None:
        """An answer spoke of a charge and did not prove it: the gateway, asked for its id, says
        whose it is.
        """
        attempt = case.attempt
        if (
            attempt is None
            or not attempt.hinted
            or attempt.outcome is not Outcome.IN_DOUBT
        ):
            return
        charge = await self._read(case, attempt.hinted)
        if charge is not None and key_in(charge) == case.intent.key:
            await self._recorder.found(case, charge, by_id=True)
            self._found(case)

    async def _leave(self, case: Case, unclear: str) -> None:
        """A charge that may be this order's, and cannot be told: no look-up of this run will prove
        its absence.
        """
        del self._open[case.intent.order_id]
        await self._recorder.unclear(case, unclear)
        self._lists.notes.append(
            str(said.UNCLEAR(order=case.intent.order_id, charge=unclear))
        )
        self._told(case)

    async def _may_be_anothers(self, case: Case) -> bool:
        """Was it sent before the journal was told its account, and does nothing show that the key
        was of the same one then (J03)? A charge that was proven before shows it. Or was it sent
        while the journal knew another account as its own?
        """
        if case.attempt is None:
            return False
        belonging = self._recorder.belonging
        others = belonging.others_since(case.attempt.sent_ns)
        if others != {""}:
            return bool(others)
        if self._shows_earlier is None:
            earlier = belonging.witnesses(untold=True)
            reply = await ask_for_one(earlier, self._gateway, self._channel)
            self._shows_earlier = reply.charge is not None
        return not self._shows_earlier

    async def _leave_untold(self, case: Case) -> None:
        """No look-up in this account proves anything about it: that is for a person."""
        del self._open[case.intent.order_id]
        await self._recorder.untold_account(case)
        self._told(case)

    def _due_s(self, case: Case) -> float:
        assert case.attempt is not None and case.attempt.doubt is not None
        return self._rules.due_s(case.attempt.doubt)

    def _found(self, case: Case) -> None:
        self._open.pop(case.intent.order_id, None)
        if case.attempt and case.attempt.wants_chain:
            self.read_again(case)
        self._told(case)

    async def _absent(self, case: Case) -> None:
        """After the doubt period, in a complete list: the second such look proves that nothing was
        charged, a gap after the first; never of one whose token is spent.
        """
        assert case.attempt is not None and case.attempt.doubt is not None
        # a listing beside this one found it meanwhile
        if case.attempt.outcome is not Outcome.IN_DOUBT:
            self._found(case)
            return
        closes = self._rules.closes(case.attempt.doubt)
        await self._recorder.absent(case, self._clock.elapsed_s(), closes=closes)
        if not closes:
            case.ask_at_s = self._due_s(case)
            return
        del self._open[case.intent.order_id]
        if case.attempt.resends:
            self._again(case)
        self._told(case)
