"""Who is sent, asked or waited for, and when that is over: what `run` does of its sequence in one
loop, where three things go on beside one another.

send     workers: a list back to earlier requests, earlier charges, permit, durable intent, request,
  proof, durable answer  (laws L1-L4)
doubt    one asker: look up what nobody answered; twice absent may be sent again           (law L5)
watch    after the first order, then every 30 s: does another run charge for this job?     (law L11)
         sooner for those who were told 429: was it charged all the same?
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from batchpay.domain.errors import Bug, Misconfigured, Taken
from batchpay.domain.model import Answer, ChargeSeen, ChargeWithoutId, Outcome
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.proof import Proof, verdict
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.cases import Case
from batchpay.settlement.doubts import Doubts, News
from batchpay.settlement.first_look import Look
from batchpay.settlement.lists import Lists
from batchpay.settlement.means import Means
from batchpay.settlement.others import renamed
from batchpay.settlement.queue import Candidate, Limits, Queue
from batchpay.settlement.reach import Reach
from batchpay.settlement.reading import MOST_INCOMPLETE
from batchpay.settlement.since import OVERLAP, time_of
from batchpay.settlement.slots import Slots, Turn
from batchpay.settlement.throttled import Throttled

# answers 404, 405 or 410 that are not about the order: this is no place to charge
STRANGERS = 3
WATCH_EVERY_S = 30.0
# one sends, another writes the next intent, a third one what came back
WORKERS_A_SLOT = 3


Rest = Callable[[Sequence[Attempt]], Collection[str]]
"""Of the open attempts, the keys of those that are not asked about in this run."""


def _nobody_rests(attempts: Sequence[Attempt]) -> Collection[str]:
    return ()


class Settlement:
    """One run's loop. Its steps raise what makes going on impossible; everything else is in the
    journal.
    """

    def __init__(
        self,
        means: Means,
        *,
        limits: Limits | None = None,
        progress: Callable[[Case], None] = lambda case: None,
    ) -> None:
        settings = means.settings
        self._settings = settings
        self._live = settings.mode == "live"
        self._gateway = means.gateway
        self._channel = means.channel
        self._recorder = means.recorder
        self._clock = means.clock
        self._limits = limits or Limits()
        self._progress = progress
        self._news = News()
        self._queue = Queue(self._limits)
        self._slots = Slots(settings.concurrency, self._clock.elapsed_s)
        self.lists = Lists(means, progress)
        self._doubts = Doubts(
            means, self.lists, self._news, self._queue.again, progress
        )
        self.reach = Reach(means, self.lists)
        self._throttled = Throttled(
            self._clock,
            gap_s=settings.lookup_gap_s,
            patience_s=settings.doubt_period_s,
        )
        self._strangers = 0
        self._first_sent = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._workers_done = asyncio.Event()
        self._why_held = ""
        # another job charges what this one was about to ask for
        self.refused: Misconfigured | None = None

    @property
    def why_held(self) -> str:
        """Why sending ended before everything was sent, or went past something."""
        return self._why_held or self._queue.why_held or self.reach.why_held

    def hold(self, why: str) -> None:
        """Nothing is sent in this run, and why."""
        self._why_held = why

    # --- the run

    async def look(self, look: Look) -> bool:
        """List the gateway's charges and adopt what is ours; False when no list could be had.

        Raises Misconfigured for an empty journal beside charges of this job, unless it is to adopt
        them.
        """
        self._why_held = await self.lists.first_look.look(look)
        return not self._why_held

    async def recover(self, rest: Rest = _nobody_rests) -> None:
        """Take up every order that an earlier run left open, and ask once about each charge that
        may have moved, but for those that `rest` names: a later run asks about them.
        """
        cases = self._recorder.cases.open_cases()
        resting = rest([case.attempt for case in cases if case.attempt is not None])
        for case in cases:
            self._queue.known[case.intent.order_id] = case
            self._recorder.register(case)
            assert case.attempt is not None
            if case.attempt.outcome is Outcome.IN_DOUBT:
                self._doubts.add(case, early=False)
            elif case.attempt.wants_chain:
                # it may have been paid a moment ago (law L7)
                self._doubts.read_again(case)
            elif case.intent.key in resting:
                continue
            elif case.attempt.charge is not None and not self._channel.closed:
                await self._doubts.reread(case)
                if case.attempt.wants_chain:
                    self._doubts.read_again(case)
        for case in self._recorder.cases.doubled_cases():
            await self._doubts.reread_all(case)

    async def ask_after_words(self, orders: Sequence[str]) -> bool:
        """What does the gateway say by now of the charges of which a person said what became? Does
        it say something of each?
        """
        untold: list[str] = []
        for case in self._recorder.cases.said_cases(orders):
            untold += await self._doubts.ask_after_word(case)
        if untold and not self._channel.closed:
            note = str(said.NOT_ASKED_AGAIN(charge=untold[0], count=len(untold)))
            self.lists.notes.append(note)
            self.lists.owed.append(note)
        return not untold

    async def settle(self, candidates: Iterator[Candidate]) -> None:
        """Send what may be sent and wait out every doubt."""
        self._queue.begin(candidates)
        timer = self._set_deadline()
        beside: tuple[Coroutine[Any, Any, None], ...] = (
            self._all_workers(),
            self._doubts.work(self._workers_done.is_set),
            self._watch(),
        )
        tasks = [asyncio.create_task(one) for one in beside]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            if timer is not None:
                timer.cancel()
            for task in (*tasks, *self._workers):
                task.cancel()
            await asyncio.gather(*tasks, *self._workers, return_exceptions=True)
        self._why_held = self._over()

    async def compare(self, since: datetime) -> None:
        """List once more: whatever the gateway has of this job must be in the journal, once."""
        await self.lists.watching.compare(since)

    def interrupt(self, why: str, grace_s: float | None = None) -> None:
        """Claim nothing more; what is under way may end, within `grace_s` if given. The rest stays
        in doubt.
        """
        self._channel.close(why)
        self._news.tell()
        if grace_s is not None:
            asyncio.get_running_loop().call_later(grace_s, self._cut)

    def _cut(self) -> None:
        for worker in self._workers:
            worker.cancel()

    # --- when it is over

    def _over(self) -> str:
        """Why nothing may be sent any more; empty while something may."""
        if self._recorder.stopped:
            return f"a stop is in force: {self._recorder.stopped}"
        if not self._channel.closed and self._seconds_left() <= 0:
            self._channel.close(self._limits.too_late)
        return (
            self._channel.closed or self._queue.closed or self.lists.first_look.unsure
        )

    def _seconds_left(self) -> float:
        now_ns = self._clock.now_ns()
        return self._limits.seconds_left(now_ns, self._settings.timeout_s)

    def _set_deadline(self) -> asyncio.TimerHandle | None:
        """Wakes whoever waits when the time has come; whether it has is asked of the clock."""
        left_s = self._seconds_left()
        if left_s == float("inf"):
            return None
        return asyncio.get_running_loop().call_later(
            max(0.0, left_s) + 0.01, self._expire
        )

    def _expire(self) -> None:
        self._over()
        self._news.tell()

    # --- watching for another run

    async def _watch(self) -> None:
        """Law L11: one order first, then a list; and a list again every 30 s while anything is
        sent.
        """
        since = datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC) - OVERLAP
        await self._until(self._first_sent)
        incomplete = 0
        well_s = self._clock.elapsed_s()
        opening = True
        while not (self._workers_done.is_set() or self._over()):
            begun_s = self._clock.elapsed_s()
            further = await self.lists.watching.watch(since, opening=opening)
            if further:
                self._resend(begun_s)
                since = further
                opening = False
                incomplete = 0
                well_s = self._clock.elapsed_s()
                gap_s = WATCH_EVERY_S
                self._queue.open()
            else:
                self._throttled.no_list()
                incomplete += 1
                gap_s = self._settings.lookup_gap_s
            incomplete_s = self._clock.elapsed_s() - well_s
            if (
                incomplete >= MOST_INCOMPLETE
                and incomplete_s > self._settings.doubt_period_s
            ):
                self._queue.closed = self.lists.watching.no_use
                await self.lists.watching.stop_for_unshown()
            self._news.tell()
            await self._until_next_list(gap_s)

    def _resend(self, begun_s: float) -> None:
        """Those that were told 429 before a list began, and of which it shows no charge, may go
        again.
        """
        for case in self._throttled.release(self.lists.watching.shown_until_s, begun_s):
            if case.attempt is not None and case.attempt.resends:
                self._queue.again(case)

    async def _until_next_list(self, gap_s: float) -> None:
        """So long at most, and until all workers are done; sooner where orders wait for a list."""
        began_s = self._clock.elapsed_s()
        while not self._workers_done.is_set():
            left_s = began_s + self._throttled.wait_s(gap_s) - self._clock.elapsed_s()
            if left_s <= 0:
                return
            self._throttled.came.clear()
            await self._until(self._throttled.came, left_s)

    async def _until(
        self, event: asyncio.Event, at_most_s: float | None = None
    ) -> None:
        """Until the event, or so long, or until all workers are done."""
        waits = {
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self._workers_done.wait()),
        }
        try:
            await asyncio.wait(
                waits, timeout=at_most_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()

    # --- workers

    async def _all_workers(self) -> None:
        self._workers = [
            asyncio.create_task(self._work())
            for _ in range(WORKERS_A_SLOT * self._settings.concurrency)
        ]
        await asyncio.gather(*self._workers)
        self._workers_done.set()
        self._news.tell()

    async def _work(self) -> None:
        try:
            while (taken := await self._take()) is not None:
                case, turn = taken
                self._news.tell_one()
                try:
                    await self._send(case, turn)
                finally:
                    self._queue.done(case)
                    if case.sends_in_run:
                        self._first_sent.set()
                    if self._queue.idle:
                        self._news.tell()
                    else:
                        self._news.tell_one()
        except asyncio.CancelledError:
            if not self._channel.closed:
                raise  # else cut short: the intent is durable, so the order is in doubt
        finally:
            self._news.tell()  # what ends one worker ends them all

    async def _take(self) -> tuple[Case, Turn] | None:
        """The next order to send, with a turn for its intent; None when nothing can come any
        more.
        """
        while not self._over():
            turn = await self._slots.turn()  # first: what is taken goes at once
            case = self._next()
            if case is not None:
                return case, turn
            turn.end()
            if self._queue.idle:
                self._throttled.starve()
            is_done = (
                self._queue.idle and self._quiet and not self._queue.waits_for_list
            )
            if is_done or self._over():
                return None
            await self._news.turn()
        return None

    def _next(self) -> Case | None:
        if self._over():
            return None
        try:
            return self._queue.take(quiet=self._quiet)
        except Misconfigured as error:
            self._refuse(error)
            return None

    @property
    def _quiet(self) -> bool:
        """Is nothing in doubt, and does nobody wait for a list?"""
        return self._doubts.none and self._throttled.none

    async def _send(self, case: Case, turn: Turn) -> None:
        """One send: a list back to earlier requests, earlier charges, permit, durable intent,
        request, proof, durable answer; in this order.

        The slot is free when the answer has been read. What goes in it next depends on nothing that
        is not durable yet: an order of the same payer, canaries and limits wait for `done`.
        """
        asked = None
        try:
            asked = await self._ask(case, turn)
        finally:
            turn.end(answered=asked is not None and asked[0].status is not None)
        if asked is not None:
            await self._conclude(case, *asked)
            self._progress(case)

    async def _ask(
        self, case: Case, turn: Turn
    ) -> tuple[Answer[ChargeSeen | ChargeWithoutId], float | None] | None:
        """The first half of it, up to the answer, with CLOCK_BOOTTIME of the request's first byte;
        None when nothing was asked.
        """
        if not await self._may_go(case) or not await self._channel.permit():
            return None
        if case.attempt is not None or case.withdraw is not None:
            # what has a past is asked about right before its intent
            await self._enter(turn)
        self._refuse_elsewhere(case)
        shown = self._may_be_charged(case)  # by a list, while this waited
        if self._over() or (case.attempt and not case.attempt.resends) or shown:
            self._channel.unused()
            await self._take_up(case)
            return None
        intent_s = await self._intend(case)
        if intent_s is None:
            return None
        case.sends_in_run += 1
        await self._enter(turn)
        left_s: float | None = None

        def may_leave() -> bool:
            nonlocal left_s
            now_s = self._clock.elapsed_s()
            if not self._may_leave(case, now_s - intent_s):
                return False
            left_s = now_s
            case.left = True
            return True

        answer = await self._channel.send(
            partial(self._gateway.charge, case.intent), may_leave
        )
        return answer, left_s

    async def _may_go(self, case: Case) -> bool:
        """Is nothing of before in its way, as far as the gateway and its lists tell? What they show
        of it is taken up.
        """
        if not await self.reach.reaches(case):
            return False
        if not await self._doubts.clears(case) or await self._is_believed_no_more(case):
            return False
        if self._may_be_charged(case):
            await self._take_up(case)
            return False
        return True

    async def _intend(self, case: Case) -> float | None:
        """Its intent is durable when this returns, with CLOCK_BOOTTIME of it; None where another
        row of this run was faster with the same order: the report will name it.
        """
        try:
            if case.attempt is None and case.withdraw is not None:
                await self._recorder.withdraw(case.withdraw)
            intent_s = self._clock.elapsed_s()
            await self._recorder.intend(case, intent_s)
        except Taken:
            self._channel.unused()
            return None
        except BaseException:
            self._channel.unused()
            raise
        return intent_s

    def _may_leave(self, case: Case, waited_s: float) -> bool:
        """May the first byte leave, so long after the intent? A list may have shown the order, or
        another job's charge of it, meanwhile.
        """
        is_found = (
            case.attempt is not None and case.attempt.outcome is not Outcome.IN_DOUBT
        )
        self._refuse_elsewhere(case)
        is_stale = waited_s > self._settings.send_window_s
        return not (is_found or self._over() or is_stale or self._may_be_charged(case))

    async def _enter(self, turn: Turn) -> None:
        """Wait for the slot, with a permit in hand."""
        try:
            await turn.enter()
        except BaseException:
            self._channel.unused()
            raise

    async def _is_believed_no_more(self, case: Case) -> bool:
        """Was its last answer a 429, or that of one whose place it takes or beside which it goes,
        of a gateway that was seen to charge behind one since? Then that one is in doubt, as it
        would be if it was answered now, and is looked up; this one waits.
        """
        if self._recorder.trust_429:
            return False
        waits = False
        for told in (case, *self._recorder.cases.open_before(case)):
            attempt = told.attempt
            if attempt is None:
                continue
            if attempt.is_told_429 and not attempt.withdrawn:
                await self._recorder.believe_no_more(told)
                self._doubts.add(told, early=True)
                waits = True
            elif told is not case:
                waits = waits or attempt.outcome is Outcome.IN_DOUBT
        return waits

    def _may_be_charged(self, case: Case) -> bool:
        """Has any list shown a charge that is its order's or its sale's, or may be, of this attempt
        or of an earlier one? Asked before each send: what was not there before the last one may be
        there now.
        """
        if self._recorder.strays.strays_of(case.intent.order_id):
            return True
        is_maybe_charged = self._recorder.strays.is_maybe_charged(case)
        return is_maybe_charged or self._recorder.cases.stands_beside(case)

    async def _take_up(self, case: Case) -> None:
        """What carries its key becomes its own; of what names nobody its row says that a person
        must tell.
        """
        strays = self._recorder.strays.strays_of(case.intent.order_id)
        if strays:
            await self.lists.absorbing.take_up(case, strays)

    async def _conclude(
        self,
        case: Case,
        answer: Answer[ChargeSeen | ChargeWithoutId],
        left_s: float | None,
    ) -> None:
        if answer.withheld:
            await self._recorder.void(case)
            self._queue.again(case)
            return
        trust_429 = self._recorder.trust_429
        proof = verdict(
            answer,
            case.intent,
            live=self._live,
            doubted=case.doubted,
            trust_429=trust_429,
        )
        if proof.proof is Proof.NOT_HERE:  # before anybody else's turn
            self._stranger(proof.message)
        evidence = answer.excerpt
        if proof.flaws and not evidence:
            evidence = answer.evidence()  # as it came: a person may need it
        reused = ""
        if proof.proof is Proof.KEY_REUSED:
            reused = self._why_reused(case)
        stop = ""
        if reused:
            stop = f"{reused}: {proof.message}"
        await self._recorder.answered(
            case, proof, answer.status, evidence, left_s, stop
        )
        if proof.charge is not None and not self._channel.gateway_date:
            made = time_of(proof.charge.created_at)
            if made is not None:
                self._channel.compare_clock(made)
        match proof.proof:
            case Proof.CHARGE if case.attempt and case.attempt.wants_chain:
                self._doubts.read_again(case)
            case Proof.NOT_SENT:
                self._queue.again(case)
            case Proof.THROTTLED:
                self._throttled.add(case)
            case Proof.IN_DOUBT if (
                case.attempt and case.attempt.outcome is Outcome.IN_DOUBT
            ):
                self._doubts.add(case, early=True)
            case Proof.KEY_REUSED:
                self._key_reused(case, reused, proof.message)

    def _refuse_elsewhere(self, case: Case) -> None:
        other = self._recorder.others.charge_of(case)
        if other is not None:
            job = other.metadata["batchpay_job"]
            self._refuse(Misconfigured(renamed(case.intent.order_id, job, other.id)))

    def _refuse(self, error: Misconfigured) -> None:
        """Nothing more is sent in this run; what is under way may end, and doubts are waited out
        (J06).
        """
        self.refused = self.refused or error
        self._queue.closed = self._queue.closed or str(error)

    def _stranger(self, message: str) -> None:
        self._strangers += 1
        if self._strangers >= STRANGERS:
            why = f"{self._settings.url} does not take charges: {message}"
            self._channel.close(why, Misconfigured(f"{why}; {steps.GATEWAY_URL()}"))

    def _why_reused(self, case: Case) -> str:
        """The gateway knows the key with another body: why that is a stop. A journal that was lost
        or put back asked for it before that: then it is none.
        """
        if self._recorder.belonging.lost_events():
            return ""
        intent = case.intent
        return (
            f"order {intent.order_id}: the gateway knows key {intent.key} with another body than"
            f" {intent.body_sha256}"
        )

    def _key_reused(self, case: Case, why: str, message: str) -> None:
        """After a loss the order is looked for, as in any doubt. In a whole journal it is a bug of
        ours.
        """
        if why:
            bug = f"{why} ({message}); nothing more is sent: please report this"
            self._channel.close(why, Bug(bug))
        elif case.attempt and case.attempt.outcome is Outcome.IN_DOUBT:
            self._doubts.add(case, early=True)
