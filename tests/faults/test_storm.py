"""Two hundred orders in a storm: faults in bursts, kills, signals and double starts; then calm, and
the judge.

A seed says what happens; BATCHPAY_STORM=17 runs that one alone, BATCHPAY_SWEEP=1 forty of them.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.adversary import (
    DECLINED,
    LOST_AFTER,
    LOST_BEFORE,
    OK,
    PENDING,
    Adversary,
    Fate,
    Request,
    error,
    says,
)
from tests.doses import dose
from tests.faults.stage import Stage, stage
from tests.world import order

ORDERS = 200
ROUNDS = 3  # runs in the storm
ALONE = os.environ.get("BATCHPAY_STORM")
SEEDS = [int(ALONE)] if ALONE else list(range(dose(4, 40)))
HTML = b"<html>busy</html>"

POSTS: tuple[Callable[[random.Random], Fate], ...] = (
    lambda dice: LOST_AFTER,
    lambda dice: LOST_BEFORE,
    lambda dice: Fate(commit="late", late_s=dice.random() / 5, cut=0, end="reset"),
    lambda dice: Fate(read=dice.randrange(900)),
    lambda dice: Fate(cut=dice.randrange(1000), end="close"),
    lambda dice: Fate(before_s=dice.random() / 5, after_s=dice.random() / 5),
    lambda dice: Fate(after_s=1.2),
    lambda dice: Fate(drip_s=0.005),
    lambda dice: Fate(end="close"),
    lambda dice: error(dice.choice((500, 502, 503, 504)), "internal_error"),
    lambda dice: says(HTML, dice.choice((200, 500, 502, 599))),
    lambda dice: says(
        HTML,
        429,
        dice.choice(("", "Retry-After: 1", "Retry-After: 1e9")),
        commit="never",
    ),
    lambda dice: error(dice.choice((400, 402, 422)), "invalid_card", "no"),
    lambda dice: error(400, "backend_error"),
    lambda dice: error(409, "conflict"),
    lambda dice: DECLINED,
    lambda dice: PENDING,
)
GETS: tuple[Callable[[random.Random], Fate], ...] = (
    lambda dice: error(dice.choice((500, 503, 429)), "busy"),
    lambda dice: Fate(cut=dice.randrange(400), end="reset"),
    lambda dice: Fate(change={"data": []}),
    lambda dice: Fate(change={"total": 10**6}),
    lambda dice: Fate(after_s=dice.random() / 2),
    lambda dice: says(HTML),
)


class Weather:
    """Calm, and now and then a burst of one fault or of all of them."""

    def __init__(self, seed: int, gateway: Adversary) -> None:
        self.dice = random.Random(seed)
        self.gateway = gateway
        self.left = 0
        self.kinds: tuple[Callable[[random.Random], Fate], ...] = ()

    def __call__(self, request: Request) -> Fate:
        """What happens to this request."""
        dice = self.dice
        if self.left <= 0 and dice.random() < 0.06:
            self.left = dice.randrange(1, 8)
            kinds = POSTS if request.method == "POST" else GETS
            self.kinds = kinds if dice.random() < 0.3 else (dice.choice(kinds),)
            self.gateway.lag_s = dice.choice((0, 0, 0.3))
        if self.left <= 0:
            return OK
        self.left -= 1
        fate = dice.choice(self.kinds)(dice)
        return fate if request.method == "POST" or fate.commit == "now" else OK


def one_run(night: Stage, dice: random.Random) -> None:
    """Start it, perhaps twice, wait until some requests came, and end it in some way."""
    words, how = night.command(
        "run", "job.toml", *(["--grace", "0.2"] if dice.random() < 0.3 else [])
    )
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    wanted = len(night.gateway.requests()) + dice.choice((0, 1, 3, 20, 60, 100))
    end = dice.choice(
        (
            signal.SIGKILL,
            signal.SIGKILL,
            signal.SIGKILL,
            signal.SIGTERM,
            signal.SIGINT,
            None,
        )
    )
    with subprocess.Popen(words, **quiet, **how) as first:
        deadline = time.monotonic() + 20
        while (
            first.poll() is None
            and len(night.gateway.requests()) < wanted
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        if dice.random() < 0.4:
            second = subprocess.run(words, timeout=60, check=False, **quiet, **how)
            assert "Traceback" not in second.stderr, second.stderr
        if end is not None and first.poll() is None:
            time.sleep(dice.random() / 10)
            first.send_signal(end)
        _, told = first.communicate(timeout=60)
        assert "Traceback" not in told, told
    night.said += told
    night.note_head()


def storm(folder: Path, seed: int) -> tuple[Stage, int]:
    """The whole night of one seed; returns the last exit code."""
    dice = random.Random(seed)
    with Adversary() as gateway:
        night = stage(folder, gateway, doubt="1.5s", rate="150/s")
        night.orders([order(number) for number in range(ORDERS)])
        gateway.strangers(dice.choice((0, 3, 98, 99, 100)))
        gateway.rule = Weather(seed, gateway)
        for _ in range(ROUNDS):
            one_run(night, dice)
        gateway.rule, gateway.lag_s = (lambda request: None), 0.0
        for charge in gateway.charges():
            if charge["status"] == "pending":
                gateway.turn(
                    charge["metadata"]["order_id"],
                    status=dice.choice(("successful", "failed", "expired")),
                )
        return night, night.until_quiet().returncode


@pytest.fixture(scope="module")
def storms(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[int, Future[tuple[Stage, int]]]]:
    """All seeds, four at a time: they mostly wait."""
    with ThreadPoolExecutor(4) as pool:
        yield {
            seed: pool.submit(storm, tmp_path_factory.mktemp(f"storm{seed}"), seed)
            for seed in SEEDS
        }


@pytest.mark.fault(
    "A15",
    "B09",
    "B19",
    "B32",
    "B36",
    "E01",
    "F01",
    "F02",
    "F05",
    "I1",
    "I2",
    "I3",
    "I4",
    "I5",
    "I6",
    "I7",
    "I8",
    "I9",
    "I10",
    "I11",
    "I12",
    "I13",
    "I14",
    "I15",
    "I16",
    "I17",
    "I18",
    "I19",
    "I20",
    "L1",
    "L3",
    "L5",
    "L6",
    "L8",
    "L9",
    "L11",
)
@pytest.mark.parametrize("seed", SEEDS)
def test_after_the_storm_every_order_is_settled_once(
    storms: dict[int, Future[tuple[Stage, int]]], seed: int
) -> None:
    """Two runs in the calm settle everything, a third sends nothing, and all books agree."""
    night, code = storms[seed].result()
    again = f"BATCHPAY_STORM={seed} pytest {__file__}"
    assert code in (0, 10), (again, night.said[-1000:], night.outcomes())
    night.right()
    assert sum(night.outcomes().values()) == ORDERS, again
    assert set(night.outcomes()) <= {"succeeded", "declined", "refused", "expired"}, (
        again,
        night.outcomes(),
    )
    assert night.outcomes()["succeeded"] > ORDERS // 2, again
