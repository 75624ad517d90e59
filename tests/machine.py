"""The machine around the program: system calls that fail, a journal read from outside, full disks,
other clocks.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchpay.commands import run as pipeline
from batchpay.domain.errors import BatchpayError
from batchpay.job.key import secret_key
from batchpay.job.load import load_job
from batchpay.sandbox import SandboxServer
from batchpay.terminal.bars import Quiet
from tests.doses import FULL
from tests.world import KEY, Market

STRACE = shutil.which("strace")
FAKETIME = next(
    iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None
)
CALLS = ("write", "pwrite64", "fdatasync", "fsync", "rename", "sendto", "connect")


def _may_trace() -> bool:
    return (
        STRACE is not None
        and subprocess.run(
            [STRACE, "true"], capture_output=True, check=False
        ).returncode
        == 0
    )


needs_strace = pytest.mark.skipif(
    not _may_trace(), reason="strace is not installed, or this user may not trace"
)
needs_faketime = pytest.mark.skipif(
    FAKETIME is None, reason="libfaketime is not installed"
)
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="mounting a small disk needs root"
)


@contextmanager
def new_market(**settings: str) -> Iterator[Market]:
    """A market of its own for one of many rounds inside a test; its folder goes with it."""
    with tempfile.TemporaryDirectory() as folder, SandboxServer() as sandbox:
        yield Market(Path(folder), sandbox, settings)


def end(
    market: Market, words: list[str], how: dict[str, Any], timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command of `market.command`, wrapped by the caller, to its end."""
    assert how["cwd"] == market.folder
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        check=False,
        **how,
    )


def limited(limit: Callable[[], None]) -> dict[str, Any]:
    """Popen's way to set a resource limit in the child alone."""
    return {"preexec_fn": limit}


def sampled(*few: object, more: Sequence[object]) -> list[object]:
    """The cases of every run, and more of them in a sweep."""
    return [*few, *(more if FULL else ())]


def wait_for(what: Callable[[], bool], longest_s: float = 30) -> None:
    """Until it is so; fails when it never is."""
    give_up = time.monotonic() + longest_s
    while not what():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.005)


# --- the journal, from outside


def journal_events(state: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, order id and data of every event, read from a copy: the journal itself is not even
    opened.
    """
    if not (state / "batchpay.db").exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        for path in state.glob("batchpay.db*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(Path(folder) / "batchpay.db")) as raw:
            if not raw.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'events'"
            ).fetchone():
                return []
            rows = raw.execute(
                "SELECT kind, order_id, data FROM plain_events ORDER BY seq"
            ).fetchall()
    return [(kind, order_id, json.loads(data)) for kind, order_id, data in rows]


def nothing_left_without_an_intent(market: Market) -> None:
    """Law L1, I4 and I5: the gateway saw no key more often than the journal has durable intents for
    its order.
    """
    sends = Counter(
        order_id
        for kind, order_id, _ in journal_events(market.folder / "state")
        if kind == "intent"
    )
    key_of = {
        data["intent"]["key"]: order_id
        for kind, order_id, data in journal_events(market.folder / "state")
        if kind == "intent" and "intent" in data
    }
    for key, posts in Counter(
        entry.key for entry in market.sandbox.requests("POST", "/charges")
    ).items():
        assert key in key_of, f"a POST with key {key} has no intent in the journal"
        assert posts <= sends[key_of[key]], (key, posts, sends)


def in_this_process(market: Market, name: str = "orders.csv") -> tuple[int, str]:
    """The verb `run` without the second it takes to start a process: for hundreds of rounds."""
    job = load_job(market.folder / "job.toml", input_override=str(market.folder / name))
    try:
        result = pipeline.run(
            job,
            secret_key({"OMISE_SECRET_KEY": KEY}, job.gateway),
            pipeline.Options(),
            Quiet(),
        )
    except BatchpayError as error:
        return error.exit_code, str(error)
    return result.exit_code, " ".join(str(error) for error in result.trouble)


def settles(
    market: Market, rows: list[dict[str, str]], *flags: str, runs: int = 2
) -> None:
    """When the fault is over: in at most so many runs all is paid, once; one run more makes no POST
    (I1, I3, I15).
    """
    results = [market.run(*flags)]
    while results[-1].returncode != 0 and len(results) < runs:
        results.append(market.run())
    assert results[-1].returncode == 0, [
        (r.returncode, r.stdout, r.stderr) for r in results
    ]
    posts = market.posts()
    assert in_this_process(market) == (0, "")
    assert market.posts() == posts
    assert market.outcomes() == {"succeeded": len(rows)}
    market.agree(rows)
    nothing_left_without_an_intent(market)


# --- system calls


@dataclass(frozen=True, slots=True)
class Point:
    """The k-th call of a kind in the main thread, or in the first thread that makes so many."""

    call: str
    number: int
    main: bool

    def strace(self, fault: str, log: Path) -> list[str]:
        """The words before a command; strace counts calls per thread, and follows threads only with
        -f. With
        --seccomp-bpf it would be faster, and not inject at all (strace 6.1).
        """
        assert STRACE is not None
        follow = [] if self.main else ["-f"]
        inject = f"inject={self.call}:{fault}:when={self.number}"
        return [
            STRACE,
            *follow,
            "-qq",
            "-o",
            str(log),
            "-e",
            f"trace={self.call}",
            "-e",
            inject,
        ]


def recorded(market: Market) -> list[Point]:
    """Every point that a clean run of this market passes: those of its main thread, and those of
    others that are the first to reach their number.
    """
    log = market.folder / "calls"
    words, how = market.command("run", "job.toml", PYTHONDONTWRITEBYTECODE="1")
    trace = [
        str(STRACE),
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        str(log),
        "-e",
        f"trace={','.join(CALLS)}",
    ]
    done = end(market, [*trace, *words], how)
    assert done.returncode == 0, (done.stdout, done.stderr)
    seen: Counter[tuple[str, str]] = Counter()
    reached: Counter[str] = Counter()
    points = []
    main = ""
    for line in log.read_text().splitlines():
        thread, what = line.split(maxsplit=1)
        call = what.partition("(")[0]
        if call not in CALLS:
            continue  # the second half of a call, an exit
        main = main or thread
        seen[thread, call] += 1
        number = seen[thread, call]
        if thread == main:
            points.append(Point(call, number, main=True))
        elif number > reached[call]:
            points.append(Point(call, number, main=False))
        reached[call] = max(reached[call], number)
    return points
