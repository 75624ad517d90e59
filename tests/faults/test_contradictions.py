"""The gateway takes back what it said, clocks disagree, and two journals believe they are the only
one.
"""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from tests.adversary import Adversary, Fate
from tests.faults.stage import Stage
from tests.world import Market, order


@pytest.mark.fault("B22", "I8", "L6", "L10")
def test_a_refusal_that_was_none(night: Stage, gateway: Adversary) -> None:
    """400 with a code, and the list shows the charge: written down, a stop, and never sent
    again.
    """
    night.orders([order(number) for number in range(6)])
    gateway.on("00002", Fate(status=400, code="invalid_card"))
    for _ in range(2):
        assert night.run().returncode == 12
        assert night.posts() == 6
    assert night.row("00002")["outcome"] == "succeeded"
    night.right()


@pytest.mark.fault("B19", "I1", "L10")
def test_a_429_that_charged(night: Stage, gateway: Adversary) -> None:
    """The list shows the charge before the order would go again: it is the order's, and nothing is
    sent twice.
    """
    night.orders([order(number) for number in range(6)])
    gateway.on("00002", Fate(status=429, code="too_many_requests"))
    assert night.run().returncode == 0
    assert night.posts() == 6
    assert night.row("00002")["outcome"] == "succeeded"
    night.right()


@pytest.mark.fault("C04")
@pytest.mark.parametrize("ahead_s", [900, -900])
def test_a_clock_that_is_far_from_the_gateways(
    night: Stage, gateway: Adversary, ahead_s: int
) -> None:
    """Look-ups by time prove nothing then: 78, nothing sent."""
    date = time.strftime(
        "Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + ahead_s)
    )
    gateway.gets("newest", Fate(headers=(date,)))
    gateway.lists(Fate(headers=(date,)))
    night.orders([order(1)])
    refused = night.run()
    assert refused.returncode == 78 and "clock" in refused.stderr
    assert night.posts() == 0
    night.right()


def cloned(night: Stage, folder: Path) -> Market:
    """The same machine once more, as it is now."""
    shutil.copytree(night.folder, folder)
    return Market(folder, night.sandbox, settings=night.settings)


@pytest.mark.fault("E12", "L11")
def test_a_cloned_machine_that_runs_later_sends_nothing(
    night: Stage, gateway: Adversary, tmp_path: Path
) -> None:
    """It finds what the first one charged, takes it over, and ends as well."""
    night.orders([order(0)], "first.csv")
    assert night.run("--input", "first.csv").returncode == 0
    night.orders([order(number) for number in range(1, 20)])
    clone = cloned(night, tmp_path.with_name(f"{tmp_path.name}-clone"))
    assert night.run().returncode == 0
    assert clone.run().returncode == 0
    assert night.posts() == 20
    assert clone.outcomes() == {"succeeded": 20}


@pytest.mark.fault("E12", "L11")
def test_two_cloned_machines_at_once_are_bounded(
    night: Stage, gateway: Adversary, tmp_path: Path
) -> None:
    """Each sends one order and lists again: both see the other, and stop after a charge or two."""
    night.orders([order(0)], "first.csv")
    night.run("--input", "first.csv")
    night.orders([order(number) for number in range(1, 60)])
    night.job(rate="40/s")
    clone = cloned(night, tmp_path.with_name(f"{tmp_path.name}-clone"))
    other = threading.Thread(target=clone.run)
    other.start()
    night.run()
    other.join()
    assert sum(count > 1 for count in night.money().values()) <= 4


@pytest.mark.fault("E13", "L11")
def test_a_renamed_job_charges_nothing_again(night: Stage, gateway: Adversary) -> None:
    """The gateway has these orders under another name: 78, and the message says under which."""
    night.orders([order(number) for number in range(6)])
    assert night.run().returncode == 0
    job = night.folder / "job.toml"
    job.write_text(job.read_text().replace('name = "night"', 'name = "nightly"'))
    renamed = night.run()
    assert night.posts() == 6
    assert renamed.returncode == 78 and '"night"' in renamed.stderr
