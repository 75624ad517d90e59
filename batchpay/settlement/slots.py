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
        self._slots = slots
        self._elapsed_s = elapsed_s
        self._turns = 0
        self._under_way = 0
        self._for_turn: deque[_Waiter] = deque()
        self._for_slot: deque[_Waiter] = deque()
        # when the last prompt answers were read, no more of them than turns may be ahead
        self._prompt_s: deque[float] = deque(maxlen=slots // 2)

    async def turn(self) -> Turn:
        """Wait until one more intent may be written."""
        if self._for_turn or not self._has_turn():
            await self._in(self._for_turn, self._turn_over)
        else:
            self._turns += 1
        return Turn(self)

    def _has_turn(self) -> bool:
        return self._turns < self._slots + self._ahead()

    def _ahead(self) -> int:
        earliest_s = self._elapsed_s() - AHEAD_S
        while self._prompt_s and self._prompt_s[0] < earliest_s:
            self._prompt_s.popleft()
        return len(self._prompt_s)

    async def _enter(self) -> float:
        if self._for_slot or self._under_way >= self._slots:
            await self._in(self._for_slot, self._slot_over)
        else:
            self._under_way += 1
        return self._elapsed_s()

    async def _in(self, line: deque[_Waiter], over: Callable[[], None]) -> None:
        """Wait in a line; who is let in was counted by who let it in."""
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        line.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                over()  # it was let in, and does not come
            else:
                with suppress(ValueError):
                    line.remove(waiter)
            raise

    def _turn_over(self) -> None:
        self._turns -= 1
        while self._for_turn and self._has_turn():
            if _let_in(self._for_turn):
                self._turns += 1

    def _slot_over(self) -> None:
        self._under_way -= 1
        while self._for_slot and self._under_way < self._slots:
            if _let_in(self._for_slot):
                self._under_way += 1

    def _answered(self, took_s: float) -> None:
        if took_s <= PROMPT_S:
            self._prompt_s.append(self._elapsed_s())


class Turn:
    """To be ended by whoever has it, whatever came of it."""

    __slots__ = ("_began_s", "_slots")

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        # its request, or the wait for its first byte
        self._began_s: float | None = None

    async def enter(self) -> None:
        """Wait for the slot; done at once for one that has it."""
        if self._began_s is None:
            self._began_s = await self._slots._enter()

    def end(self, *, answered: bool = False) -> None:
        """Somebody else may have it. `answered`: the gateway was asked, and said something."""
        slots = self._slots
        if self._began_s is not None:
            if answered:
                slots._answered(slots._elapsed_s() - self._began_s)
            slots._slot_over()
        slots._turn_over()


def _let_in(line: deque[_Waiter]) -> bool:
    """The first of a line, unless it has gone away."""
    waiter = line.popleft()
    if waiter.done():
        return False
    waiter.set_result(None)
    return True
