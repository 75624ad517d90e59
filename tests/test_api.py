"""batchpay.api: what the commands do, as frozen values and without a word."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

import batchpay
from batchpay import api
from batchpay.batches.signals import Signals
from batchpay.domain.errors import Misconfigured, TryLater, Usage
from tests.world import KEY, Market, order

ROOT = Path(batchpay.__file__).parent.parent
DOCS = (ROOT / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


@pytest.fixture
def job(market: Market, monkeypatch: pytest.MonkeyPatch) -> api.Job:
    """Three orders, one of which is wrong."""
    monkeypatch.setenv("OMISE_SECRET_KEY", KEY)
    market.orders([order(1), order(2), order(3, amount="1.234")])
    return api.load(market.job())


def programs(market: Market, example: str) -> subprocess.CompletedProcess[str]:
    """The example as a program of its own, in the job's folder."""
    _, how = market.command()
    words = [sys.executable, "-W", "error", "-c", example]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, **how
    )


def test_the_example_runs(market: Market, job: api.Job) -> None:
    """As it stands: what is wrong, what would go, what became of it."""
    done = programs(market, EXAMPLES[0])
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("orders.csv, row 4: ")
    assert rest == [
        "would charge 2 orders, 203.50 THB",
        "orders.csv {'succeeded': 2, 'rejected': 1}",
        "10",
        "0",
    ]
    assert market.posts() == 2


def test_inside_an_event_loop_a_call_says_how_it_is_called(
    market: Market, job: api.Job
) -> None:
    """It would need a second loop in the thread; in another thread it goes."""
    key = api.secret_key(job)

    async def calls() -> api.Result:
        for call in (api.run, api.settle):
            with pytest.raises(Usage, match="to_thread"):
                call(job, key)
        with pytest.raises(Usage, match="to_thread"):
            api.plan(job, ask=api.asking(job, key))
        return await asyncio.to_thread(api.run, job, key)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asyncio.run(calls()).exit_code == 10
    assert market.posts() == 2


def test_the_example_of_the_readme_runs(market: Market, job: api.Job) -> None:
    """The shortest one."""
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    done = programs(market, example)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "10 [{'succeeded': 2, 'rejected': 1}]\n"


def test_what_cannot_begin_is_raised_with_the_commands_code(market: Market) -> None:
    """The second example ends as the command does."""
    done = programs(market, EXAMPLES[1])
    assert (done.returncode, done.stdout) == (78, "")
    assert "no-such-job.toml: there is no such job file" in done.stderr


def test_every_result_is_frozen_and_nothing_is_printed(
    market: Market, job: api.Job, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is called; the files of a result are there."""
    key = api.secret_key(job)
    results: list[Any] = [
        api.check(job),
        api.plan(job),
        api.plan(job, api.asking(job, key)),
    ]
    results += [
        api.run(job, key),
        api.settle(job, key),
        api.report(job),
        api.status(job),
    ]
    told = api.story(job, "00001")
    assert capfd.readouterr() == ("", "")
    for one in results:
        assert one.__dataclass_params__.frozen
        for field in dataclasses.fields(one):
            assert not isinstance(getattr(one, field.name), list), field.name
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(one, field.name, None)
    ran = results[3]
    assert all(path.exists() for batch in ran.published for path in batch.files)
    assert [row["outcome"] for row in told["rows"]] == ["succeeded"]


@pytest.mark.parametrize("verb", ["check", "plan", "run", "status", "report"])
def test_the_commands_end_with_the_codes_of_their_results(
    market: Market, job: api.Job, verb: str
) -> None:
    """And tell the same: the command line is the first user."""
    made = market.run("--json", verb=verb)
    told = json.loads(made.stdout)
    key = api.secret_key(job)
    calls = {
        "check": lambda: api.check(job),
        "plan": lambda: api.plan(job),
        "run": lambda: api.run(job, key),
        "status": lambda: api.status(job),
        "report": lambda: api.report(job),
    }
    mine = calls[verb]()
    assert made.returncode == told["exit_code"] == mine.exit_code
    if isinstance(mine, api.Plan):
        assert json.loads(json.dumps(mine.document())) == told
    if isinstance(mine, api.Checked):
        assert json.loads(json.dumps(mine.files)) == told["files"]
        assert [one.row for one in mine.problems] == [
            one["row"] for one in told["problems"]
        ]


def test_problems_that_are_told_are_not_kept(job: api.Job) -> None:
    """A file may have any number of them."""
    heard: list[tuple[str, str, int, str]] = []
    found = api.check(
        job, lambda file, sheet, row, p: heard.append((file, sheet, row, p.rule))
    )
    assert heard == [("orders.csv", "", 4, "too-many-decimals")]
    assert found.problems == () and found.rejected == 1


def test_errors_are_those_of_the_commands(market: Market, job: api.Job) -> None:
    """Each with its exit code."""
    with pytest.raises(Misconfigured) as wrong:
        api.secret_key(job, {})
    with pytest.raises(Usage) as unknown:
        api.story(job, "00001")
    assert (wrong.value.exit_code, unknown.value.exit_code) == (78, 64)
    assert isinstance(wrong.value, api.BatchpayError)


def test_a_file_that_is_read_once_more_is_parsed_once(
    job: api.Job, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`plan` walks its rows several times, and so does `run`."""
    from batchpay import readers

    # a repeat: read again to say which
    market.orders([order(1), order(2), order(2), order(3)])
    parsed: list[str] = []

    def read(snapshot: readers.Snapshot, *rest: Any) -> readers.Table:
        parsed.append(snapshot.name)
        return was(snapshot, *rest)

    was = readers.read
    monkeypatch.setattr(readers, "read", read)
    planned = api.plan(job)
    assert (planned.to_send["THB"]["count"], parsed) == (3, ["orders.csv"])
    ran = api.run(job, api.secret_key(job))
    assert (ran.published[0].totals.outcomes()["succeeded"], len(parsed)) == (3, 2)
    api.check(job)
    assert len(parsed) <= 4


def test_a_run_in_a_thread_leaves_signals_alone(job: api.Job, market: Market) -> None:
    """Python lets only the main thread take them; whoever has threads has handlers of their own."""
    before = signal.getsignal(signal.SIGTERM)
    codes: list[int] = []
    ran = threading.Thread(
        target=lambda: codes.append(api.run(job, api.secret_key(job)).exit_code)
    )
    ran.start()
    ran.join(60)
    assert (codes, market.posts()) == ([10], 2)
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_the_main_thread_a_signal_ends_a_run_before_it_sends() -> None:
    """As it does the command."""
    with pytest.raises(TryLater, match="SIGTERM"), Signals():
        os.kill(os.getpid(), signal.SIGTERM)


def test_the_document_names_all_there_is() -> None:
    """Every call stands in the table with its parameters."""
    table = DOCS[DOCS.index("| Call |") :].split("\n\n")[0]
    calls = re.findall(r"^\| `(\w+)\(", table, re.MULTILINE)
    functions = [name for name in api.__all__ if name[0].islower()]
    assert sorted(calls) == sorted(functions)
    assert all(hasattr(api, name) for name in api.__all__)
    assert (ROOT / "batchpay" / "py.typed").exists()
