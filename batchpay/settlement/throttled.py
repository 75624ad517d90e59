"""Who was told 429, and waits for the gateway's own list before its request goes again.

A 429 says that nothing was charged, and is believed. A gateway that charged all the same is found
out by a list that was begun after that answer: what it shows is taken up, and nothing goes twice.
One list serves all that were throttled before it began. It costs requests, so it comes at once only
when there is nothing else to send, and else once in a while: about one request in fifty.
"""

from __future__ import annotations

import asyncio

from batchpay.domain.ports import Clock
from batchpay.settlement.cases import Case

LIST_EVERY_S = 10.0  # while others are sent
# of a list that does not show every charge of this run yet: what is so much older it shows
LAG_MARGIN_S = 10.0


class Throttled:
    """They come by `add`, and go by `release`; `came` is set when the wait for a list may end
    sooner.
    """

    def __init__(self, clock: Clock, *, gap_s: float, patience_s: float) -> None:
        """`gap_s`: between two lists of which the first was of no use. `patience_s`: so long a list
        that lags is waited for; then they are held, for the next run to look.
        """
        self._clock = clock
        self._gap_s = gap_s
        self._patience_s = patience_s
        self._waiting: list[tuple[float, Case]] = []
        self._starving = False
        self._was_no_use = False
        self.came = asyncio.Event()

    @property
    def none(self) -> bool:
        """Does nobody wait?"""
        return not self._waiting

    def add(self, case: Case) -> None:
        """It was told 429 just now."""
        self._waiting.append((self._clock.elapsed_s(), case))
        self.came.set()

    def starve(self) -> None:
        """There is nothing else to send."""
        if self._waiting:
            self._starving = True
            self.came.set()

    def wait_s(self, otherwise_s: float) -> float:
        """From the end of one list to the next one; `otherwise_s` where nobody waits here."""
        if not self._waiting:
            return otherwise_s
        if not self._starving:
            return min(otherwise_s, LIST_EVERY_S)
        if self._was_no_use:
            return min(otherwise_s, self._gap_s)
        return 0.0

    def release(self, shown_until_s: float | None, begun_s: float) -> list[Case]:
        """Those that a list which began then has shown, or shown not to be there. `shown_until_s`:
        every charge of this run that was proven before is in it; None: every one.
        """
        until_s = begun_s
        if shown_until_s is not None:
            until_s = min(begun_s, shown_until_s - LAG_MARGIN_S)
        told = [case for at_s, case in self._waiting if at_s <= until_s]
        oldest_s = begun_s - self._patience_s
        self._waiting = [
            one for one in self._waiting if one[0] > max(until_s, oldest_s)
        ]
        self._starving = False
        self._was_no_use = not told
        return told

    def no_list(self) -> None:
        """A list could not be had."""
        self._starving = False
        self._was_no_use = True
