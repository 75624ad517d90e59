"""P8: time from the start of `run` to its first send, beside few and beside many finished rows."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.market import KEY, Gateway, Market, gateway, market, write_orders
from benchmarks.measure import (
    Figure,
    Size,
    batchpay,
    both,
    load,
    process,
    python,
    spread,
)

ROOT = Path(__file__).parent.parent
BACK_S = 3 * 86_400  # when they were charged: before every list of tonight
LEFT = 1000  # rows of their file that are not sent yet
BETWEEN = 10  # orders of the night between then and now
SCAN = (
    "import sys, sqlite3\nfor row in sqlite3.connect(sys.argv[1]).execute('SELECT * FROM events"
    " ORDER BY seq'): pass"
)
LONGEST_S = 600.0
WHAT = {
    "a new file": ("--input", "new.csv"),
    "the rest of the same file": (),
}


@dataclass(frozen=True, slots=True)
class First:
    """What it took to come to the first send."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A folder with so many finished rows, and a copy of its state as it was then."""

    place: Market
    quick: Gateway
    rows: int


def measure(size: Size) -> Iterator[Figure]:
    """A new file beside the finished one, and the finished file's own last rows, in turns."""
    large = size.of(100_000, 10_000, full=1_000_000)
    with market() as one, gateway() as quick, market() as other, gateway() as busy:
        few = _finished(Finished(one, quick, large // 10))
        many = _finished(Finished(other, busy, large))
        scans = [_scan_s(many) for _ in range(size.runs)]
        for what, words in WHAT.items():
            small, big = [], []
            for _ in range(size.runs):
                small.append(_first_send(few, words))
                big.append(_first_send(many, words))
            yield from _figures(what, (few, small), (many, big), scans)


def _figures(
    what: str,
    few: tuple[Finished, Sequence[First]],
    many: tuple[Finished, Sequence[First]],
    scans: Sequence[float],
) -> Iterator[Figure]:
    small = spread([one.wall_s for one in few[1]])
    big = spread([one.wall_s for one in many[1]])
    small_cpu = spread([one.cpu_s for one in few[1]])
    big_cpu = spread([one.cpu_s for one in many[1]])
    note = (
        f"beside {few[0].rows:,} and {many[0].rows:,} rows: {small.told(' s')} and"
        f" {big.told(' s')}, {small_cpu.told(' s')} and {big_cpu.told(' s')} of CPU;"
        f" a plain scan {spread(scans).told(' s')}, {load()}"
    )
    yield Figure(
        "P8", f"start to first send of {what}", "<= 1.5 s", big.told(" s"), note
    )
    yield Figure(
        "P8",
        f"the same, of few rows ({what})",
        "<= 1.2x",
        both((big, small), (big_cpu, small_cpu)),
        "",
    )


def _finished(done: Finished) -> Finished:
    place = done.place
    write_orders(place.folder / "orders.csv", done.rows + LEFT)
    write_orders(place.folder / "new.csv", 10, first=90_000_000)
    place.job(done.quick.url)
    done.quick.back(BACK_S)
    words = python("-m", "benchmarks.past", str(BACK_S), str(done.rows))
    environ = {"OMISE_SECRET_KEY": KEY, "PYTHONPATH": str(ROOT)}
    process(words, folder=place.folder, environ=environ, expect=(11,))
    done.quick.back(0)
    # the night between: the first one lists what was charged shortly before the last list
    write_orders(place.folder / "between.csv", BETWEEN, first=80_000_000)
    place.program("run", "job.toml", "--input", "between.csv", expect=(0, 11))
    shutil.copytree(place.folder / "state", place.folder / "kept")
    return done


def _scan_s(done: Finished) -> float:
    journal = str(done.place.folder / "kept" / "batchpay.db")
    return process(python("-c", SCAN, journal)).wall_s


def _first_send(done: Finished, words: Sequence[str]) -> First:
    """Start the program, wait for its first charge at the gateway, kill it; what it left in doubt
    is taken back, there and here.
    """
    folder = done.place.folder
    shutil.rmtree(folder / "state")
    shutil.copytree(folder / "kept", folder / "state")
    done.quick.keep(done.rows + BETWEEN)
    done.quick.unseen()
    start = time.monotonic()
    child = subprocess.Popen(
        batchpay("run", "job.toml", *words),
        cwd=folder,
        env={"PATH": "/bin", "OMISE_SECRET_KEY": KEY, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    posts: list[float] = []
    try:
        while not posts and child.poll() is None:
            if time.monotonic() > start + LONGEST_S:
                break
            time.sleep(0.05)
            posts = done.quick.posts_s()
    finally:
        child.kill()
    if not posts:
        raise SystemExit(f"the run ended with {child.wait()} and without a send")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return First(posts[0] - start, usage.ru_utime + usage.ru_stime)
