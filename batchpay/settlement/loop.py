"""Who is sent, asked or waited for, and when the run is over.

list     the gateway's charges since the last completed listing; adopt what is ours        (law L11)
ask      again about every charge that was pending or unproven
send     workers: permit, durable intent, request, proof, durable answer                   (laws L1-L4)
doubt    one asker: look up what nobody answered; twice absent may be sent again           (law L5)
list     once more, to see that the gateway's books and ours agree
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from batchpay.errors import Bug, Misconfigured, Taken
from batchpay.job import SENDS_PER_RUN, GatewaySettings
from batchpay.lifecycle import CHARGE_ID, DoubtRules, Proof, seen, verdict
from batchpay.listing import Listing, page_of
from batchpay.model import Answer, ChargeSeen, Intent, Outcome, Page
from batchpay.protocols import Clock, Gateway
from batchpay.settlement.books import Books, Case
from batchpay.settlement.line import Line

OVERLAP = timedelta(minutes=10)  # every listing begins this long before what it must cover
EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)  # before the gateway's first charge
REREAD_AFTER_S = 5.0  # a paid charge without a chain is read again after this (law L7)
STRANGERS = 3  # answers 404, 405 or 410 that are not about the order: this is no place to charge
LOOK_UPS_IN_VAIN = 8  # incomplete listings in a row before a run leaves its doubts to the next one


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of an input of this run that may be sent: a new attempt, or one that is open already."""

    order_id: str
    intent: Intent | None  # None: the journal has the attempt


@dataclass(slots=True)
class Limits:
    """How far this run may go."""

    orders: int | None = None  # at most so many orders are sent
    canary: int | None = None  # the first so many must succeed before any other is sent


class Settlement:
    """One run's loop. `run` raises what makes going on impossible; everything else is in the journal."""

    def __init__(
        self, settings: GatewaySettings, gateway: Gateway, line: Line, books: Books, clock: Clock, *,
        limits: Limits | None = None, progress: Callable[[Case], None] = lambda case: None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._live = settings.mode == "live"
        self._gateway = gateway
        self._line = line
        self._books = books
        self._clock = clock
        self._limits = limits or Limits()
        self._progress = progress
        self._rules = DoubtRules(settings.doubt_period_s, settings.lookup_gap_s, clock.boot_id, clock.elapsed_s())
        self._known: dict[str, Case] = {}  # open orders of earlier runs
        self._doubts: dict[str, Case] = {}
        self._rereads: deque[tuple[float, Case]] = deque()
        self._again: deque[Case] = deque()
        self._busy = 0
        self._claimed = 0
        self._canaries: list[Case] = []
        self._strangers = 0
        self._news = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._workers_done = False
        self.why_held = ""  # why sending ended before everything was sent

    # --- the run

    async def look(self, since: datetime, *, adopt: bool, known_before: bool) -> bool:
        """List the gateway's charges from `since` and adopt what is ours; False when no list could be had.

        Raises Misconfigured for an empty journal (`known_before` False) beside charges of this job without `adopt`.
        """

        async def absorb(page: Page) -> None:
            matched = self._books.match(page.charges)
            if matched and not known_before and not adopt:
                raise Misconfigured(
                    f"the gateway has charges of this job (such as {matched[0][0].id}) but the journal is empty: it "
                    "was lost or is another one. Restore it, or run once with --adopt to take these charges over"
                )
            for charge, known in matched:
                await self._absorb(charge, known, adopting=True)

        for _ in range(LOOK_UPS_IN_VAIN):
            listing = await self._list(since - OVERLAP, absorb)
            if listing and listing.complete:
                bound = self._line.gateway_date or listing.latest or iso(since)
                await self._books.note("listing", {"bound": bound})
                return True
            if self._line.closed:
                break
            await self._line.rest(min(self._settings.lookup_gap_s, 10.0))
        self.why_held = self._line.closed or "the gateway's list of charges could not be read completely"
        return False

    async def recover(self) -> None:
        """Take up every order that an earlier run left open, and ask once about each charge that may have moved."""
        for case in self._books.open_cases():
            self._known[case.intent.order_id] = case
            assert case.attempt is not None
            if case.attempt.outcome is Outcome.IN_DOUBT:
                self._doubt(case, early=False)
            elif case.attempt.charge is not None and not self._line.closed:
                await self._reread(case)

    async def settle(self, candidates: Iterator[Candidate]) -> None:
        """Send what may be sent and wait out every doubt."""
        self._candidates = candidates
        tasks = {asyncio.create_task(self._all_workers()), asyncio.create_task(self._ask())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, *self._workers):
                task.cancel()
            await asyncio.gather(*tasks, *self._workers, return_exceptions=True)
        if not self.why_held:
            self.why_held = self._over()

    async def compare(self, since: datetime) -> None:
        """List once more: whatever the gateway has of this job must be in the journal, once."""

        async def absorb(page: Page) -> None:
            for charge, known in self._books.match(page.charges):
                await self._absorb(charge, known, adopting=False)

        listing = await self._list(self._from(since), absorb)
        if listing and listing.complete:
            await self._books.note("listing", {"bound": self._line.gateway_date or listing.latest or iso(since)})

    def interrupt(self, why: str, grace_s: float | None = None) -> None:
        """Claim nothing more; what is under way may end, within `grace_s` if given. The rest stays in doubt."""
        self._line.close(why)
        self._pulse()
        if grace_s is not None:
            asyncio.get_running_loop().call_later(grace_s, self._cut)

    def _cut(self) -> None:
        for worker in self._workers:
            worker.cancel()

    # --- workers

    async def _all_workers(self) -> None:
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.concurrency)]
        await asyncio.gather(*self._workers)
        self._workers_done = True
        self._pulse()

    async def _work(self) -> None:
        while (case := await self._take()) is not None:
            self._busy += 1
            try:
                await self._send(case)
            except asyncio.CancelledError:
                if not self._line.closed:
                    raise
                return  # cut short: the intent is durable, so the order is in doubt
            finally:
                self._busy -= 1
                self._pulse()

    async def _take(self) -> Case | None:
        """The next order to send; None when nothing can come any more."""
        while not self._over():
            if self._again:
                return self._again.popleft()
            if not self._waits_for_canary() and (case := self._next_candidate()) is not None:
                return case
            if not (self._busy or self._doubts or self._rereads):
                return None
            await self._news.wait()
        return None

    def _next_candidate(self) -> Case | None:
        limit = self._limits.orders
        while limit is None or self._claimed < limit:
            candidate = next(self._candidates, None)
            if candidate is None:
                return None
            case = self._claim(candidate)
            if case is not None:
                self._claimed += 1
                if self._limits.canary is not None and len(self._canaries) < self._limits.canary:
                    self._canaries.append(case)
                return case
        self.why_held = self.why_held or f"--limit {limit} orders were sent in this run"
        return None

    def _claim(self, candidate: Candidate) -> Case | None:
        known = self._known.get(candidate.order_id)
        if candidate.intent is None:
            if known is None or known.attempt is None:
                return None
            known.present = True
            return known if known.attempt.ready and known.sends_in_run == 0 else None
        return Case(candidate.intent, before=()) if known is None or known.attempt is None else None

    def _waits_for_canary(self) -> bool:
        """Have all canaries been sent, and are they not all known to be well?"""
        wanted = self._limits.canary
        if wanted is None or len(self._canaries) < wanted:
            return False
        outcomes = [case.attempt.outcome if case.attempt else Outcome.HELD for case in self._canaries]
        if all(outcome is Outcome.SUCCEEDED for outcome in outcomes):
            return False
        if not (self._busy or self._doubts or self._rereads or self._again):
            self.why_held = f"--canary {wanted}: not all of the first {wanted} orders succeeded"
        return True

    def _over(self) -> str:
        """Why nothing may be sent any more; empty while something may."""
        if self._books.stopped:
            return f"a stop is in force: {self._books.stopped}"
        return self._line.closed

    async def _send(self, case: Case) -> None:
        """One send: permit, durable intent, request, proof, durable answer; in this order and no other."""
        if not await self._line.permit():
            return
        if self._over():
            self._line.unused()
            return
        boot_s = self._clock.elapsed_s()
        try:
            await self._books.intend(case, boot_s)
        except Taken:  # another row of this run was faster with the same order: the report will name it
            self._line.unused()
            return
        except BaseException:
            self._line.unused()
            raise
        case.sends_in_run += 1
        left_s: float | None = None

        def may_leave() -> bool:
            nonlocal left_s
            now_s = self._clock.elapsed_s()
            if self._over() or now_s - boot_s > self._settings.send_window_s:
                return False
            left_s = now_s
            return True

        answer = await self._line.send(partial(self._gateway.charge, case.intent), may_leave)
        await self._conclude(case, answer, left_s)
        self._progress(case)

    async def _conclude(self, case: Case, answer: Answer, left_s: float | None) -> None:
        if answer.withheld:
            await self._books.void(case)
            self._send_again(case)
            return
        proof = verdict(answer, case.intent, live=self._live, doubted=case.doubted)
        await self._books.answered(case, proof, answer.status, answer.excerpt, left_s)
        match proof.proof:
            case Proof.CHARGE if case.attempt and case.attempt.wants_chain:
                self._rereads.append((self._clock.elapsed_s() + REREAD_AFTER_S, case))
            case Proof.NOT_SENT | Proof.THROTTLED:
                self._send_again(case)
            case Proof.IN_DOUBT:
                self._doubt(case, early=True)
            case Proof.NOT_HERE:
                self._stranger(proof.message)
            case Proof.KEY_REUSED:
                await self._key_reused(case, proof.message)

    def _send_again(self, case: Case) -> None:
        """The same key and body, later in this run if it may."""
        if case.sends_in_run < SENDS_PER_RUN and case.present:
            self._again.append(case)

    def _stranger(self, message: str) -> None:
        self._strangers += 1
        if self._strangers >= STRANGERS:
            why = f"{self._settings.url} does not take charges: {message}"
            self._line.close(why, Misconfigured(f"{why}; check [gateway] url in the job file"))

    async def _key_reused(self, case: Case, message: str) -> None:
        intent = case.intent
        why = f"order {intent.order_id}: the gateway knows key {intent.key} with another body than {intent.body_sha256}"
        await self._books.stop(f"{why}: {message}", case)
        self._line.close(why, Bug(f"{why} ({message}); nothing more is sent: please report this"))

    # --- doubts

    def _doubt(self, case: Case, *, early: bool) -> None:
        """Put an unanswered order on the list to be looked up: soon, and again when absence proves something."""
        assert case.attempt is not None and case.attempt.doubt is not None
        due_s = self._rules.due_s(case.attempt.doubt)
        soon_s = self._clock.elapsed_s() + self._settings.lookup_gap_s
        case.ask_at_s = min(due_s, soon_s) if early else due_s
        self._doubts[case.intent.order_id] = case
        self._pulse()

    async def _ask(self) -> None:
        """The one asker: re-reads and look-ups as they fall due, until no worker can need one any more."""
        in_vain = 0
        while not self._line.closed:
            news, now_s = self._news, self._clock.elapsed_s()
            if self._rereads and self._rereads[0][0] <= now_s:
                await self._reread(self._rereads[0][1])
                self._rereads.popleft()
                self._pulse()
            elif any(case.ask_at_s <= now_s for case in self._doubts.values()):
                in_vain = 0 if await self._look_up() else in_vain + 1
                if in_vain >= LOOK_UPS_IN_VAIN:
                    self._doubts.clear()  # they stay in doubt; the next run asks
                self._pulse()
            elif times := [case.ask_at_s for case in self._doubts.values()] + [at_s for at_s, _ in self._rereads]:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, min(times) - now_s)):
                        await news.wait()
            elif self._workers_done:
                return
            else:
                await news.wait()

    async def _look_up(self) -> bool:
        """One complete listing for all doubts together; those it may prove absent are those due before it began."""
        now_s = self._clock.elapsed_s()
        doubts = dict(self._doubts)
        due = [case for case in doubts.values() if self._due_s(case) <= now_s]
        by_key = {case.intent.key: case for case in doubts.values()}

        async def absorb(page: Page) -> None:
            for charge in page.charges:
                if case := by_key.get(charge.metadata.get("batchpay_key", "")):
                    await self._books.found(case, charge)
                    self._found(case)

        first_sent_ns = min(case.attempt.sent_ns for case in doubts.values() if case.attempt)
        listing = await self._list(self._from(datetime.fromtimestamp(first_sent_ns // 10**9, UTC)), absorb)
        complete = listing is not None and listing.complete
        for case in doubts.values():
            if case.intent.order_id in self._doubts:
                if complete and case in due:
                    await self._absent(case)
                else:
                    soon_s = self._clock.elapsed_s() + self._settings.lookup_gap_s
                    case.ask_at_s = max(self._due_s(case), soon_s) if complete else soon_s
        return complete

    def _due_s(self, case: Case) -> float:
        assert case.attempt is not None and case.attempt.doubt is not None
        return self._rules.due_s(case.attempt.doubt)

    def _found(self, case: Case) -> None:
        self._doubts.pop(case.intent.order_id, None)
        if case.attempt and case.attempt.wants_chain:
            self._rereads.append((self._clock.elapsed_s() + REREAD_AFTER_S, case))
        self._progress(case)

    async def _absent(self, case: Case) -> None:
        """After the doubt period and in a complete list: once more for a person's token, twice for a new send."""
        assert case.attempt is not None and case.attempt.doubt is not None
        closes = self._rules.closes(case.attempt.doubt)
        await self._books.absent(case, self._clock.elapsed_s(), closes=closes)
        if not closes:
            case.ask_at_s = self._due_s(case)
            return
        del self._doubts[case.intent.order_id]
        if case.attempt.ready:
            self._send_again(case)
        self._progress(case)

    async def _reread(self, case: Case) -> None:
        """Ask for one charge by its id: pending may have ended, a chain may have come."""
        assert case.attempt is not None and case.attempt.charge is not None
        charge_id = case.attempt.charge.id
        if not CHARGE_ID.fullmatch(charge_id):
            return
        answer = await self._line.ask(partial(self._gateway.get, charge_id))
        charge, flaws = seen(answer.document) if answer else (None, ())
        if charge is not None and charge.id == charge_id and not flaws:
            await self._books.found(case, charge, reread=case.attempt.wants_chain)
            self._progress(case)

    # --- lists

    def _from(self, ours: datetime) -> datetime:
        """Where a list begins that must reach back to a time of our clock; a clock never checked says nothing."""
        return ours - OVERLAP if self._line.gateway_date else EVERYTHING

    async def _list(self, since: datetime, absorb: Callable[[Page], Awaitable[None]]) -> Listing | None:
        """Read one listing to its end, page by page; None when the gateway gave no page at all."""
        listing = Listing()
        from_, pages = iso(since), 0
        while not (listing.complete or listing.broken):
            offset = listing.offset
            answer = await self._line.ask(partial(self._gateway.page, from_, offset))
            page = page_of(answer.document) if answer and answer.status == 200 else None
            if page is None:
                return listing if pages else None
            pages += 1
            await absorb(listing.add(page))
        return listing

    async def _absorb(self, charge: ChargeSeen, known: Case | int | None, *, adopting: bool) -> None:
        """Take a charge of this job from a list into the journal; what cannot be explained is a stop."""
        if isinstance(known, Case):
            await self._books.found(known, charge)
            return
        if known is None:
            await self._books.stop(f"{charge.id} carries this job's name and a key this job would not make")
            return
        try:
            case = await self._books.adopt(charge, known)
        except Taken:
            order_id = charge.metadata.get("order_id", "")
            await self._books.stop(f"order {order_id}: {charge.id} stands beside another open charge of the order")
            return
        self._progress(case)
        if not adopting:
            await self._books.stop(f"{charge.id} was made for this job by another run, with another journal", case)

    def _pulse(self) -> None:
        """Wake whoever waits for something to happen."""
        self._news.set()
        self._news = asyncio.Event()


def iso(at: datetime) -> str:
    """`2026-11-24T13:45:39Z`, as the gateway's lists take it (omise-api.md, 7.8)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
