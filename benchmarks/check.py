"""P2: `batchpay check` on a CSV of 12 columns, whole process, against `pandas.read_csv(dtype=str)`
alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.market import market, write_orders
from benchmarks.measure import (
    Figure,
    Size,
    alternating,
    both,
    cpus,
    load,
    process,
    python,
    walls,
)

PEER = "import sys, pandas; pandas.read_csv(sys.argv[1], dtype=str)"


def measure(size: Size) -> Iterator[Figure]:
    """Reading, mapping and validating every row against reading them."""
    rows = size.of(1_000_000, 100_000)
    with market() as place:
        path = write_orders(place.folder / "orders.csv", rows, bad_every=1000)
        place.job()
        ours, theirs = alternating(
            size.runs,
            lambda: place.program("check", "job.toml", expect=(0, 10)),
            lambda: process(python("-c", PEER, str(path))),
        )
    mine, other = walls(ours), walls(theirs)
    note = f"{rows:,} rows, {mine.told(' s')} and {other.told(' s')}, {load()}"
    yield Figure(
        "P2",
        "check against pandas.read_csv(dtype=str)",
        "<= 2x",
        both((mine, other), (cpus(ours), cpus(theirs))),
        note,
    )
    peak, peer = (
        max(cost.peak_mib for cost in ours),
        max(cost.peak_mib for cost in theirs),
    )
    yield Figure(
        "P2",
        "check, peak memory",
        "<= 250 MiB",
        f"{peak:.0f} MiB",
        f"{rows:,} rows; pandas {peer:.0f} MiB",
    )
