"""Fail at every system call that writes, syncs, renames or sends: killed there, or told EIO or
ENOSPC, then run again.

`BATCHPAY_SWEEP=1` (make sweep) takes every call of a run of five orders; otherwise a sample, spread
over a run of two.
"""

from __future__ import annotations

import signal

import pytest

from tests.doses import FULL
from tests.machine import (
    Point,
    end,
    needs_strace,
    new_market,
    nothing_left_without_an_intent,
    recorded,
    settles,
)
from tests.world import Market, order

ORDERS = 5 if FULL else 2
SAMPLE = 2  # points of each scenario and fault without BATCHPAY_SWEEP
FAULTS = {"killed": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
ENDS_WELL = {0, 11, 69, 73, 74, 75}  # never 70: a failing disk is no bug of ours


def can(fault: str, point: Point) -> bool:
    """No disk or network lies behind the socket pair by which another thread wakes the loop: it
    cannot fail so.
    """
    return fault == "killed" or point.main or point.call != "sendto"


def prepared(market: Market, planned: bool) -> list[dict[str, str]]:
    """The orders of a night; with `planned`, they were read already by a run that was to send
    none.
    """
    rows = [order(number) for number in range(ORDERS)]
    market.orders(rows)
    market.job()
    if planned:
        assert market.run("--limit", "0").returncode == 11
    return rows


def chosen(points: list[Point], offset: int) -> list[Point]:
    """All of them, or a sample that has every kind of call and is spread over its numbers."""
    if FULL:
        return points
    calls = sorted({point.call for point in points})
    picked = []
    for at in range(SAMPLE):
        mine = [
            point for point in points if point.call == calls[(at + offset) % len(calls)]
        ]
        picked.append(mine[(at * 7 + offset * 3) * len(mine) // 41 % len(mine)])
    return picked


@needs_strace
@pytest.mark.fault(
    "A01",
    "A02",
    "A03",
    "A04",
    "A05",
    "A09",
    "A10",
    "A11",
    "D01",
    "D02",
    "D03",
    "D04",
    "I1",
    "I4",
    "I15",
)
@pytest.mark.parametrize("planned", [False, True], ids=["main thread", "other threads"])
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_call_fails_every_order_is_paid_once(
    fault: str, planned: bool
) -> None:
    """No POST without a durable intent at the moment of the failure; then two runs settle all, and
    a third is idle.
    """
    with new_market() as market:
        prepared(market, planned)
        points = [
            point
            for point in recorded(market)
            if point.main is not planned and can(fault, point)
        ]
    hit = 0
    picked = chosen(points, list(FAULTS).index(fault))
    for point in picked:
        with new_market() as market:
            rows = prepared(market, planned)
            log = market.folder / "calls"
            words, how = market.command("run", "job.toml", PYTHONDONTWRITEBYTECODE="1")
            broken = end(market, [*point.strace(FAULTS[fault], log), *words], how)
            hit += (
                "(INJECTED)" in log.read_text() or broken.returncode == -signal.SIGKILL
            )
            assert broken.returncode in (
                ENDS_WELL if fault != "killed" else {0, -signal.SIGKILL}
            ), (point, broken)
            assert "Traceback" not in broken.stderr, (point, broken)
            try:
                nothing_left_without_an_intent(market)
                settles(market, rows)
            except AssertionError as error:
                error.add_note(f"{fault} at {point}: {broken}")
                raise
    print(
        f"{fault}, {'other threads' if planned else 'main thread'}: {hit} of {len(picked)}"
        " points hit"
    )
    # a few calls fall away when commits happen to be shared
    assert hit >= len(picked) * 0.8
