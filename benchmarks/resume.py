"""P8: time from the start of `run` to its first send, with many finished rows in the journal."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from benchmarks.finished import Finished, finished
from benchmarks.market import KEY, write_orders
from benchmarks.measure import (
    Figure,
    Size,
    batchpay,
    load,
    process,
    python,
    ratio,
    spread,
)

SCAN = (
    "import sys, sqlite3\nfor row in sqlite3.connect(sys.argv[1]).execute('SELECT * FROM events"
    " ORDER BY seq'): pass"
)
LONGEST_S = 600.0


def measure(size: Size) -> Iterator[Figure]:
    """A new file beside the finished one, and the finished file's own last rows."""
    done = finished(size.of(100_000, 10_000))
    journal = str(done.place.folder / "state/batchpay.db")
    scans, new, same = [], [], []
    for number in range(size.runs):
        scans.append(process(python("-c", SCAN, journal)).wall_s)
        write_orders(done.place.folder / "new.csv", 10, first=90_000_000 + number * 10)
        new.append(first_send_s(done, "--input", "new.csv"))
        same.append(first_send_s(done))
    scan = spread(scans)
    for what, times in (
        ("a new file", spread(new)),
        ("the rest of the same file", spread(same)),
    ):
        note = f"{done.rows:,} finished rows; a plain scan {scan.told(' s')}, {load()}"
        yield Figure(
            "P8", f"start to first send of {what}", "<= 10 s", times.told(" s"), note
        )
        yield Figure(
            "P8", f"the same, of a plain scan ({what})", "<= 2x", ratio(times, scan), ""
        )


def first_send_s(done: Finished, *words: str) -> float:
    """Start the program, wait for its first charge at the gateway, kill it; what it left in doubt
    stays so.

    The gateway lists nothing: how long its lists take is its own affair.
    """
    done.quick.forget()
    start = time.monotonic()
    child = subprocess.Popen(
        batchpay("run", "job.toml", *words),
        cwd=done.place.folder,
        env={"PATH": "/bin", "OMISE_SECRET_KEY": KEY},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while (
            not (posts := done.quick.posts_s())
            and child.poll() is None
            and time.monotonic() < start + LONGEST_S
        ):
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()
    if not posts:
        raise SystemExit("the run ended without a send")
    return posts[0] - start
