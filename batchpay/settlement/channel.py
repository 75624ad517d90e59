"""The paced and guarded way to the gateway: every request, POST or GET, passes here and none is
repeated below.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from batchpay.domain.errors import (
    BatchpayError,
    GatewaySilent,
    Misconfigured,
    NotAllowed,
)
from batchpay.domain.model import Answer
from batchpay.domain.ports import Clock
from batchpay.domain.text import told
from batchpay.domain.times import SKEW_S
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.pacing import (
    Breaker,
    Pacer,
    backoff_s,
    http_date,
    retry_after_s,
)

TRIES = 5  # of one GET
# how long a gateway may answer every GET with 429: a window of its limit is a minute
MOST_THROTTLED_S = 180.0
GLANCE_S = 10.0  # how long a GET may take whose answer is not needed

T = TypeVar("T")

Request = Callable[[Callable[[], bool]], Awaitable[Answer[T]]]
"""Asks the gateway for something; what it is given is asked right before the first byte."""


class Channel:
    """One per run. `closed` says why nothing goes out any more, empty while something may."""

    def __init__(
        self,
        clock: Clock,
        pacer: Pacer,
        breaker: Breaker,
        left: Callable[[], None],
    ) -> None:
        """`left` is called as each request's first byte leaves: it outlives the process, for the
        next one's limiter.
        """
        self._clock = clock
        self._pacer = pacer
        # a gateway may answer the one and not the other
        self._sends = breaker
        self._asks = Breaker(breaker.pause_s)
        self._left = left
        self._gate = asyncio.Lock()
        self._shut = asyncio.Event()
        self.answers = 0
        self.closed = ""
        self.fatal: BatchpayError | None = None
        self.gateway_date = ""
        self.dated = False  # does the gateway tell its time in its answers?
        self.skewed = False  # are its clock and ours too far apart?
        self.trouble = ""  # why the last request got no answer
        self.ill = 0  # how many answers were a 5xx ...
        self.illness = 0  # ... and the last of them
        # how many answers were neither a 5xx nor a 429
        self.heard = 0
        # how many answers were a document of the gateway's, or one that a gateway may give
        self.spoke = 0
        # the last that was none: a page, a redirect, JSON of another kind
        self.foreign: Answer[object] | None = None

    def close(self, why: str, fatal: BatchpayError | None = None) -> None:
        """Let nothing more out; what is under way ends by itself."""
        self.closed = self.closed or why
        self.fatal = self.fatal or fatal
        self._shut.set()

    def silence(self, url: str) -> BatchpayError:
        """Why nobody there could be asked: what closed the line, or that nothing was answered."""
        return self.fatal or GatewaySilent(str(said.NOT_ONE(url=url, why=self.why)))

    @property
    def why(self) -> str:
        """Why the last request got no answer, behind a sentence; empty where that is not known."""
        if self.trouble:
            return f" ({self.trouble})"
        return ""

    async def rest(self, seconds: float) -> None:
        """Wait, but not longer than the channel is open."""
        if not self._shut.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._shut.wait()
            except TimeoutError:
                pass

    async def permit(self, *, asking: bool = False) -> bool:
        """Wait for the limiter and out of any pause; False when the channel closed meanwhile."""
        breaker = self._breaker(asking=asking)
        while not self.closed:
            if (pause_s := breaker.paused_until_s - self._clock.elapsed_s()) > 0:
                # outside the gate: the other kind of request goes on
                await self.rest(pause_s)
                continue
            async with self._gate:
                wait_s = self._pacer.wait_s(self._clock.elapsed_s())
                while wait_s > 0 and not self.closed:
                    await self.rest(wait_s)
                    wait_s = self._pacer.wait_s(self._clock.elapsed_s())
                now_s = self._clock.elapsed_s()
                if not self.closed and breaker.paused_until_s <= now_s:
                    self._pacer.permit(now_s)
                    return True
        return False

    def _breaker(self, *, asking: bool) -> Breaker:
        if asking:
            return self._asks
        return self._sends

    def unused(self) -> None:
        """Give a permit back."""
        self._pacer.unused()

    async def send(
        self,
        request: Request[T],
        may_leave: Callable[[], bool] = lambda: True,
        *,
        asking: bool = False,
        learn: bool = True,
    ) -> Answer[T]:
        """One permitted request; tells limiter and breaker what came of it, or with `learn` False
        the limiter only.
        """
        left = False

        def leaving() -> bool:
            nonlocal left
            if not may_leave():
                return False
            left = True
            self._pacer.left(self._clock.elapsed_s())
            self._left()
            return True

        try:
            answer = await request(leaving)
        finally:
            if not left:
                self._pacer.unused()
        self._note(answer)
        if not learn:
            self._heed(answer)
        elif not answer.withheld:
            self._learn(answer, self._breaker(asking=asking))
        return answer

    async def ask(self, request: Request[T], *, learn: bool = True) -> Answer[T] | None:
        """One GET, tried until the gateway itself answers it; None when it does not, or the channel
        closed before.

        `learn` False: it is about something that the key need not be good for.
        """
        for failures in range(1, TRIES + 1):
            if not await self.permit(asking=True):
                return None
            answer = await self._unless_closed(
                partial(self.send, request, asking=True, learn=learn)
            )
            if answer is None or self.closed:
                return None
            if _usable(answer) or answer.too_long:
                return answer
            if answer.status != 429:
                wait_s = backoff_s(failures, random.random())  # noqa: S311
                await self.rest(min(wait_s, self._asks.pause_s))
        return None

    async def glance(self, request: Request[T]) -> Answer[T] | None:
        """One GET whose answer is welcome but not needed: tried once, briefly; no trouble with it
        stops anything.
        """
        if not await self.permit(asking=True):
            return None
        try:
            async with asyncio.timeout(GLANCE_S):
                answer = await self._unless_closed(
                    partial(self.send, request, asking=True, learn=False)
                )
        except TimeoutError:
            return None
        if answer is not None and answer.status is not None:
            return answer
        return None

    async def _unless_closed(
        self, request: Callable[[], Coroutine[Any, Any, Answer[T]]]
    ) -> Answer[T] | None:
        """A GET is given up when the channel closes: nothing is lost with it."""
        asking = asyncio.ensure_future(request())
        closing = asyncio.ensure_future(self._shut.wait())
        try:
            await asyncio.wait({asking, closing}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            return None
        finally:
            asking.cancel()
            closing.cancel()
            await asyncio.gather(asking, closing, return_exceptions=True)

    def _learn(self, answer: Answer[object], breaker: Breaker) -> None:
        now_s = self._clock.elapsed_s()
        self.answers += answer.status is not None or answer.too_long
        if answer.too_long:
            breaker.answered()
            return
        if answer.status is None or answer.status >= 500:
            self._silent(now_s, breaker, answer.status)
            return
        breaker.answered()
        throttled_s = breaker.throttled_for_s(now_s, throttled=answer.status == 429)
        if breaker is self._asks and throttled_s > MOST_THROTTLED_S:
            self.close(str(said.THROTTLED()))
        self._check_clock(answer.date)
        self._heed(answer)
        if answer.status in (401, 403):
            self.refused(answer)

    def refused(self, answer: Answer[object]) -> None:
        """The key is good for nothing, or not for this: nothing more is sent or asked.

        A page instead of JSON is not the gateway's: a proxy's 403 says nothing of the key (B29).
        """
        if answer.excerpt and not answer.kind:
            before = said.BEFORE_IT(
                status=answer.status or 0, excerpt=told(answer.excerpt)
            )
            self.close(str(before), GatewaySilent(f"{before}; {steps.GATEWAY_URL()}"))
            return
        what = filter(None, (str(answer.status), answer.code or answer.message))
        why = said.KEY_REFUSED(said=" ".join(what))
        self.close(str(why), NotAllowed(f"{why}; {steps.KEY()}"))

    def _heed(self, answer: Answer[object]) -> None:
        """What an answer says about the rate."""
        now_s = self._clock.elapsed_s()
        if answer.status == 429:
            after_s = retry_after_s(answer.retry_after, self._told_s(answer))
            self._pacer.throttled(now_s, after_s, random.random())  # noqa: S311
        elif answer.status is not None and answer.status < 500:
            self._pacer.answered()
            self._take_advice(answer, now_s)

    def _note(self, answer: Answer[object]) -> None:
        """What a person should know of an answer that is none."""
        status = answer.status
        self.heard += answer.too_long or _tells(status)
        if status is None:
            if not (answer.too_long or answer.withheld):
                self.trouble = answer.trouble or self.trouble
        elif status >= 500:
            self.ill += 1
            self.illness = status
            self.trouble = f"status {status}"
        elif status in (401, 403, 429):
            return
        elif answer.kind:
            self.spoke += 1
        else:
            self.foreign = answer

    def _silent(self, now_s: float, breaker: Breaker, status: int | None) -> None:
        breaker.silent(now_s)
        if not breaker.open:
            return
        ill = said.SILENT()
        if status:
            ill = said.ILL(status=status)
        self.close(str(ill))

    def _take_advice(self, answer: Answer[object], now_s: float) -> None:
        """X-RateLimit-Remaining and -Reset (Unix seconds, by the gateway's own clock;
        docs/gateway.md, 6).
        """
        if not (_is_count(answer.remaining) and _is_count(answer.reset)):
            return
        reset_in_s = int(answer.reset) - self._told_s(answer)
        self._pacer.advised(now_s, int(answer.remaining), reset_in_s)

    def _told_s(self, answer: Answer[object]) -> float:
        """When it answered, by the gateway's own clock; by ours where it does not tell. Seconds
        since 1970.
        """
        theirs = http_date(answer.date)
        if theirs:
            return theirs.timestamp()
        return self._clock.now_ns() / 1e9

    def _check_clock(self, date: str) -> None:
        """Once per run: the gateway's clock and ours must agree, or look-ups by time prove
        nothing.
        """
        if self.gateway_date:
            return
        theirs = http_date(date)
        if theirs is not None:
            self.dated = True
            self.compare_clock(theirs)

    def compare_clock(self, theirs: datetime) -> None:
        """The gateway's time as it told it: a Date header, or else when it says it made a charge
        just now.
        """
        self.gateway_date = theirs.strftime("%Y-%m-%dT%H:%M:%SZ")
        ours = datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC)
        skew_s = (ours - theirs).total_seconds()
        if abs(skew_s) <= SKEW_S:
            return
        self.skewed = True
        seconds = f"{abs(skew_s):.0f}"
        why = said.CLOCK_BEHIND(seconds=seconds)
        if skew_s > 0:
            why = said.CLOCK_AHEAD(seconds=seconds)
        self.close(str(why), Misconfigured(f"{why}; {steps.CLOCK()}"))


def _usable(answer: Answer[object]) -> bool:
    """Did the gateway itself answer, with a document or with its error object?"""
    status = answer.status or 0
    if 200 <= status < 300:
        return True
    return 400 <= status < 500 and status != 429 and bool(answer.code)


def _tells(status: int | None) -> bool:
    """Is it the answer of one who is there and has time?"""
    return status is not None and status < 500 and status != 429


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
