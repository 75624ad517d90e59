"""Real processes, really killed, at random points; idempotency off.

`BATCHPAY_KILLS` sets how many (default 20); `make sweep` kills by the hundred.
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.world import Market, order

KILLS = int(os.environ.get("BATCHPAY_KILLS", "20"))
A_ROUND = 10
# What else goes wrong meanwhile: slow answers, lost answers, late landings, 429 and 500 after the
# charge.
FAULTS = (
    {"wait_before_s": 0.01, "wait_after_s": 0.02, "every": 3},
    {"action": "reset_after", "every": 11},
    {"action": "error_after", "every": 13, "status": 503},
    {"action": "reset_late", "every": 17, "late_s": 0.3},
    {"action": "rate_limited", "every": 19, "retry_after": "1"},
)


def kill_somewhere(market: Market, dice: random.Random) -> None:
    """Start a run, wait for its first request or a moment, then a moment more, and kill it."""
    before = len(market.sandbox.requests())
    with market.start("run", "job.toml") as process:
        deadline = time.monotonic() + 10
        early = dice.random() < 0.15
        while not early and process.poll() is None and time.monotonic() < deadline:
            if len(market.sandbox.requests()) > before:
                break
            time.sleep(0.005)
        time.sleep(dice.random() * (0.4 if early else 0.25))
        process.send_signal(signal.SIGKILL)


@pytest.mark.fault(
    "A01",
    "A02",
    "A04",
    "A07",
    "A08",
    "A09",
    "A10",
    "A11",
    "A12",
    "A15",
    "F05",
    "I1",
    "I3",
    "I15",
)
@pytest.mark.parametrize("seed", range(max(1, KILLS // A_ROUND)))
def test_killed_again_and_again_every_order_is_paid_once(
    market: Market, seed: int
) -> None:
    """Ten deaths, then two runs: the ledger, the report and the rows agree, and a third run sends
    nothing.
    """
    dice = random.Random(seed)
    rows = [order(number) for number in range(60)]
    market.orders(rows)
    market.job(rate="60/s")
    for rule in FAULTS:
        market.sandbox.add_rule({**rule, "method": "POST", "path": "/charges"})
    for _ in range(A_ROUND):
        kill_somewhere(market, dice)
    market.sandbox.clear_rules()
    first = market.run()
    second = market.run()
    assert second.returncode == 0, (
        first.stdout,
        first.stderr,
        second.stdout,
        second.stderr,
    )
    posts = market.posts()
    third = market.run()
    assert (third.returncode, third.stdout, third.stderr) == (0, "", "")
    assert market.posts() == posts
    assert market.outcomes() == {"succeeded": 60}
    market.agree(rows)
