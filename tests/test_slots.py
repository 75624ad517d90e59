"""Slots and turns by themselves: who is let in, and what becomes of those who do not come."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from batchpay.settlement.slots import AHEAD_S, PROMPT_S, Slots, Turn
from tests.fakes import in_virtual_time


def run(main: Coroutine[Any, Any, None]) -> None:
    in_virtual_time(main)


def slots(number: int) -> Slots:
    return Slots(number, asyncio.get_running_loop().time)


async def waits(wanted: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """It has begun, and is not over."""
    task = asyncio.create_task(wanted)
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def answered(some: Slots, times: int, took_s: float = 0.01) -> None:
    """So many requests that began together."""
    turns = [await some.turn() for _ in range(times)]
    for turn in turns:
        await turn.enter()
    await asyncio.sleep(took_s)
    for turn in turns:
        turn.end(answered=True)


def test_before_anything_is_answered_there_is_a_turn_for_each_slot() -> None:
    async def main() -> None:
        some = slots(2)
        first, _ = await some.turn(), await some.turn()
        third = await waits(some.turn())
        first.end()  # nothing was asked
        await third

    run(main())


def test_prompt_answers_let_half_as_many_be_ahead_and_not_for_long() -> None:
    async def main() -> None:
        some = slots(4)
        await answered(some, 4)
        six = [await some.turn() for _ in range(6)]
        seventh = await waits(some.turn())
        for turn in six[:4]:
            await turn.enter()
        fifth = await waits(six[4].enter())
        six[0].end(answered=True)
        await asyncio.gather(fifth, seventh)
        await asyncio.sleep(2 * AHEAD_S)
        await waits(some.turn())
        six[1].end()  # five are left, one more than slots
        six[2].end()
        assert some._turns.taken == 4

    run(main())


def test_slow_answers_let_nobody_be_ahead() -> None:
    async def main() -> None:
        some = slots(2)
        await answered(some, 2, 2 * PROMPT_S)
        for _ in range(2):
            await some.turn()
        await waits(some.turn())

    run(main())


def test_who_does_not_come_leaves_the_place_to_the_next() -> None:
    """Cancelled while it waits, or after it was let in."""

    async def main() -> None:
        some = slots(1)
        first = await some.turn()
        await first.enter()
        gone, late, next_one = [await waits(some.turn()) for _ in range(3)]
        gone.cancel()
        first.end()
        late.cancel()  # it was let in a moment ago
        turn = await next_one
        await turn.enter()
        assert isinstance(turn, Turn)
        assert (some._turns.taken, some._requests.taken) == (1, 1)
        turn.end()
        assert (some._turns.taken, some._requests.taken) == (0, 0)

    run(main())
