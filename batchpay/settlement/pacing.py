"""PACING: how fast requests may leave; arithmetic of numbers, waiting is left to the caller.

Even pacing (GCRA) inside a hard window: at most `rate` requests in any rolling window at the
gateway, whatever the burst. A request counts from its permit until a window after its first byte
left, so a slow commit between the two cannot bunch requests up. Seconds are those of one clock the
caller chooses; `jitter` is drawn by the caller, 0 to 1.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# of the window: what the way to the gateway may shorten between two requests
SLACK = 0.008
# how far timers may oversleep and catch up: more would bunch requests up, longer is idle time
CATCH_UP_S = 0.005
# how late a busy gateway may note one request and not the next, where there are few: of a window's
LATENESS_S = 0.04
FEW = 50
FLOOR = 0.1  # the rate never adapts below this share of what was agreed
RECOVERY_SHARE = 0.1
RECOVERY_EVERY_S = 5.0
LONGEST_RETRY_AFTER_S = 3600.0
# of X-RateLimit-Reset; a window is a minute (docs/gateway.md, 6)
LONGEST_ADVICE_S = 120.0
TICK_S = 1.0  # of the clock it is told by: the window may end so much earlier
# a shorter window than this is told too coarsely, in whole seconds, to be compared with another
TELLING_S = 10.0
# of what a window takes: less than this of it is ours, so others have the rest
ENOUGH = 0.9
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0


def backoff_s(failures: int, jitter: float) -> float:
    """Full jitter: anything between nothing and the doubled wait. `failures` in a row, from 1."""
    return jitter * min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures, 16))


def retry_after_s(header: str, told_s: float) -> float | None:
    """Seconds to wait by a Retry-After header that was told at `told_s` (seconds since 1970 by the
    gateway's clock).

    Both forms, a number of seconds and an HTTP date; None for what is absent, over, absurd or words
    (docs/faults.md, B19).
    """
    text = header.strip()
    seconds = 0.0
    if text.isascii() and text.isdigit():
        if len(text) <= 5:
            seconds = float(text)
    elif (until := http_date(text)) is not None:
        seconds = until.timestamp() - told_s
    if 0 < seconds <= LONGEST_RETRY_AFTER_S:
        return seconds
    return None


def http_date(text: str) -> datetime | None:
    """The UTC instant of an HTTP date in any of its three forms (RFC 9110, 5.6.7); None when it is
    not one.

    >>> http_date("Sun, 06 Nov 1994 08:49:37 GMT").isoformat()
    '1994-11-06T08:49:37+00:00'
    >>> http_date("Sun Nov  6 08:49:37 1994") == http_date("Sunday, 06-Nov-94 08:49:37 GMT")
    True
    """
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo:
            return moment.astimezone(UTC)
        return moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


class Pacer:
    """The shared limiter of a run. Ask `wait_s`; when it is 0 take a `permit`, then `left` or
    `unused` it.
    """

    def __init__(
        self,
        rate: int,
        window_s: float,
        burst: int,
        earlier: Iterable[float] = (),
    ) -> None:
        """`earlier`: when requests of earlier runs left, in this clock's seconds."""
        self._rate = rate
        lateness_s = 0.0
        if rate <= FEW:
            lateness_s = LATENESS_S
        self._window_s = window_s + max(window_s * SLACK, lateness_s)
        self._interval_s = self._window_s / rate
        self._burst = burst
        self._left: deque[float] = deque(sorted(earlier)[-rate:])
        self._permits = 0
        self._next_s = float("-inf")
        if self._left:
            self._next_s = self._left[-1] + self._interval_s
        self._share = 1.0
        self._share_since_s = float("-inf")
        self._blocked_until_s = float("-inf")
        self._throttled_in_a_row = 0
        self._advised_until_s = float("-inf")
        self._advised_interval_s = 0.0
        # when requests left, as far back as an advice may look
        self._history = sorted(earlier)
        # that a window of the gateway was ever seen to take, ours and free
        self._most = 0

    def share(self, now_s: float) -> float:
        """The share of the agreed rate in use now, after a 429 and its recovery."""
        if self._share >= 1:
            return 1.0
        steps = max(0, int((now_s - self._share_since_s) / RECOVERY_EVERY_S))
        return min(1.0, self._share + steps * RECOVERY_SHARE)

    def wait_s(self, now_s: float) -> float:
        """Seconds until a permit may be free: 0 when one is; ask again afterwards."""
        if self._throttled_in_a_row and self._permits:
            # one probe at a time until the gateway takes requests again
            return self._interval_s
        while self._left and self._left[0] <= now_s - self._window_s:
            self._left.popleft()
        next_s = self._next_s - (self._burst - 1) * self._interval_s
        wait_s = max(self._blocked_until_s - now_s, next_s - now_s, 0.0)
        full = len(self._left) + self._permits - self._rate
        if full >= 0:
            in_window = self._interval_s
            if full < len(self._left):
                in_window = self._left[full] + self._window_s - now_s
            wait_s = max(wait_s, in_window)
        return wait_s

    def permit(self, now_s: float) -> None:
        """Take the permit that `wait_s` said is free."""
        assert self.wait_s(now_s) <= 0
        self._permits += 1
        idle = self._next_s < now_s - max(self._interval_s, CATCH_UP_S)
        interval_s = self._interval_s / self.share(now_s)
        if now_s < self._advised_until_s:
            interval_s = max(interval_s, self._advised_interval_s)
        if idle:
            self._next_s = now_s
        self._next_s += interval_s

    def left(self, now_s: float) -> None:
        """The request's first byte leaves now."""
        self._permits -= 1
        self._left.append(now_s)
        self._history.append(now_s)
        if self._history[0] < now_s - 2 * LONGEST_ADVICE_S:
            del self._history[: bisect_left(self._history, now_s - LONGEST_ADVICE_S)]

    def unused(self) -> None:
        """The permit's request never left."""
        self._permits -= 1

    def answered(self) -> None:
        """The gateway took a request and answered with anything but 429."""
        self._throttled_in_a_row = 0

    def advised(self, now_s: float, remaining: int, reset_in_s: float) -> None:
        """The gateway says how many requests it takes until its window ends. Our own are paced:
        others' are what costs.

        What it still takes and what of its window we took ourselves is ours. Where that is all that
        the agreed rate would send in this time, nothing slows down; else what it still takes is
        spread, never below the floor. When it takes none, a window that took more of ours before
        than it has of them now is full of others' requests.
        """
        if not 0 < reset_in_s <= LONGEST_ADVICE_S:
            return
        ours = (
            remaining
            + len(self._history)
            - bisect_left(self._history, now_s - reset_in_s)
        )
        self._most = max(self._most, ours)
        surely_s = max(reset_in_s - TICK_S, min(reset_in_s, TICK_S))
        wanted = surely_s * self.share(now_s) / self._interval_s
        if remaining == 0 and reset_in_s >= TELLING_S:
            wanted = max(wanted, self._most)
        if ours >= ENOUGH * wanted - 1:
            self._advised_until_s = float("-inf")
            return
        self._advised_until_s = now_s + reset_in_s
        self._advised_interval_s = min(
            reset_in_s / max(1, remaining), self._interval_s / FLOOR
        )

    def throttled(self, now_s: float, after_s: float | None, jitter: float) -> float:
        """A 429: wait as told or back off, and halve the rate, once per wait. Returns the wait in
        seconds.
        """
        self._throttled_in_a_row += 1
        if after_s is not None:
            wait_s = after_s
        else:
            wait_s = max(self._interval_s, backoff_s(self._throttled_in_a_row, jitter))
        if now_s >= self._blocked_until_s:
            self._share = max(FLOOR, self.share(now_s) / 2)
            self._share_since_s = now_s + wait_s
        self._blocked_until_s = max(self._blocked_until_s, now_s + wait_s)
        return wait_s


class Breaker:
    """Counts non-answers in a row: after five a pause. The fourth pause of a run, whatever was
    answered between them, is its end: nothing more is sent or asked.
    """

    IN_A_ROW = 5
    PAUSES = 3

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self._in_a_row = 0
        self._pauses = 0
        self.paused_until_s = float("-inf")
        self._throttled_since_s: float | None = None

    @property
    def open(self) -> bool:
        """Has the gateway been given up for this run?"""
        return self._pauses > self.PAUSES

    def answered(self) -> None:
        """Any answer but a 5xx: the gateway is there."""
        self._in_a_row = 0

    def throttled_for_s(self, now_s: float, *, throttled: bool) -> float:
        """One more answer, a 429 or another: for how long has the gateway given nothing but 429?"""
        if not throttled:
            self._throttled_since_s = None
            return 0.0
        if self._throttled_since_s is None:
            self._throttled_since_s = now_s
        return now_s - self._throttled_since_s

    def silent(self, now_s: float) -> None:
        """A failed connect, a timeout or a 5xx."""
        if now_s < self.paused_until_s:
            return  # the same outage, told by a request that was already on its way
        self._in_a_row += 1
        if self._in_a_row >= self.IN_A_ROW:
            self._in_a_row = 0
            self._pauses += 1
            self.paused_until_s = now_s + self.pause_s
