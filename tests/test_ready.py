"""A run that is forked is a run: what it says, how it ends, where it stands and what it knows."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import ready
from tests.world import KEY, Market, order


def both_ways(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, **environ: str
) -> list[subprocess.CompletedProcess[str]]:
    """Forked, and started anew."""
    env = {**ready.given(os.environ), **environ}
    monkeypatch.setattr(ready, "FORKS", True)
    forked = ready.run(words, folder, env, 60)
    monkeypatch.setattr(ready, "FORKS", False)
    return [forked, ready.run(words, folder, env, 60)]


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["run"],
        ["run", "job.toml", "--limit", "x"],
        ["check", "job.toml"],
        ["plan", "job.toml", "--json"],
        ["status", "job.toml"],
        ["run", "other.toml"],
    ],
    ids=" ".join,
)
def test_a_forked_run_says_and_ends_as_one_that_is_started(
    market: Market, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Word by word, whatever its exit code."""
    market.orders([order(1, invoice="ใบแจ้งหนี้"), order(2, amount="x")])
    market.job()
    forked, started = both_ways(words, market.folder, monkeypatch, OMISE_SECRET_KEY=KEY)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


def test_runs_that_are_forked_know_nothing_of_each_other(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has the variables, the folder and the memory that it was given, and not those of the one
    before.
    """
    market.orders([order(1)])
    market.job()
    monkeypatch.setattr(ready, "FORKS", True)
    (market.folder / "key").write_text(KEY)
    (market.folder / "key").chmod(0o600)
    for _ in range(2):
        assert market.run().returncode == 0
        keyless = market.run(OMISE_SECRET_KEY="")
        assert keyless.returncode == 78 and "OMISE_SECRET_KEY" in keyless.stderr
        assert (
            market.run(OMISE_SECRET_KEY="", OMISE_SECRET_KEY_FILE="key").returncode == 0
        )
    elsewhere = ready.run(
        ["status", "night/job.toml"], market.folder.parent, ready.given(os.environ), 60
    )
    assert elsewhere.returncode == 78 and "night/job.toml" in elsewhere.stderr


def test_a_run_that_hangs_is_killed(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As subprocess.run does it; the next run is none the worse."""
    market.orders([order(number) for number in range(60)])
    market.job(rate="10/s")
    monkeypatch.setattr(ready, "FORKS", True)
    env = {**ready.given(os.environ), "OMISE_SECRET_KEY": KEY}
    with pytest.raises(subprocess.TimeoutExpired):
        ready.run(["run", "job.toml"], market.folder, env, 1.5)
    assert json.loads(market.run("--json", verb="status").stdout)["job"] == "night"


def test_variables_that_python_reads_are_for_a_process_of_its_own(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork would not know them."""
    monkeypatch.setattr(ready, "FORKS", True)
    env = {**ready.given(os.environ), "PYTHONVERBOSE": "1"}
    assert (
        "import 'batchpay'" in ready.run(["--version"], market.folder, env, 60).stderr
    )
