"""SLOTS: how many requests are under way at once, and how far intents may be ahead of them.

A slot is a request on its way: taken when its intent is durable, free when its answer has been
read. A turn is what may become one: an intent is written in it. While the gateway answers quickly,
there are more turns than slots, so that no slot waits for the disk; where it does not, an intent
would grow stale in the queue (law L2), and there is a slot for each turn. No slot waits for the
rate: a permit comes first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

# as many turns are ahead of their slots as answers were read in so many seconds ...
AHEAD_S = 0.05
# ... each to a request that took no longer than this: a fraction of any send window
PROMPT_S = 1.0

_Waiter = asyncio.Future[None]


class Slots:
    """Those of one run; whoever has waited longest is next."""

    def __init__(self, slots: int, elapsed_s: Callable[[], float]) -> None:
        self._ahead = _Ahead(slots // 2, elapsed_s)
        self._turns = _Places(lambda: slots + self._ahead.number())
        self._requests = _Places(lambda: slots)

    async def turn(self) -> Turn:
        """Wait until one more intent may be written."""
        await self._turns.take()
        return Turn(self._turns, self._requests, self._ahead)


class Turn:
    """To be ended by whoever has it, whatever came of it."""

    __slots__ = ("_ahead", "_began_s", "_requests", "_turns")

    def __init__(self, turns: _Places, requests: _Places, ahead: _Ahead) -> None:
        self._turns = turns
        self._requests = requests
        self._ahead = ahead
        # its request, or the wait for its first byte
        self._began_s: float | None = None

    async def enter(self) -> None:
        """Wait for the slot; done at once for one that has it."""
        if self._began_s is None:
            await self._requests.take()
            self._began_s = self._ahead.elapsed_s()

    def end(self, *, answered: bool = False) -> None:
        """Somebody else may have it. `answered`: the gateway was asked, and said something."""
        if self._began_s is not None:
            if answered:
                self._ahead.answered(self._began_s)
            self._requests.leave()
        self._turns.leave()


class _Ahead:
    """How many turns may be ahead of their slots, by how promptly the gateway answers."""

    def __init__(self, most: int, elapsed_s: Callable[[], float]) -> None:
        self.elapsed_s = elapsed_s
        # when the last prompt answers were read, no more of them than turns may be ahead
        self._prompt_s: deque[float] = deque(maxlen=most)

    def number(self) -> int:
        """As many as answers were read just now."""
        earliest_s = self.elapsed_s() - AHEAD_S
        while self._prompt_s and self._prompt_s[0] < earliest_s:
            self._prompt_s.popleft()
        return len(self._prompt_s)

    def answered(self, began_s: float) -> None:
        """The answer to a request that began then was read now."""
        now_s = self.elapsed_s()
        if now_s - began_s <= PROMPT_S:
            self._prompt_s.append(now_s)


class _Places:
    """So many at once, and a line of those who wait for one."""

    def __init__(self, room: Callable[[], int]) -> None:
        self.taken = 0
        self._room = room
        self._line: deque[_Waiter] = deque()

    async def take(self) -> None:
        """Wait in the line; who is let in was counted by who let it in."""
        if not self._line and self._has_room():
            self.taken += 1
            return
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._line.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.leave()  # it was let in, and does not come
            else:
                with suppress(ValueError):
                    self._line.remove(waiter)
            raise

    def leave(self) -> None:
        """There is room again, for the first of the line that has not gone away."""
        self.taken -= 1
        while self._line and self._has_room():
            waiter = self._line.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self.taken += 1

    def _has_room(self) -> bool:
        return self.taken < self._room()
