"""P9: every report of a large batch from the journal, against pyarrow writing the same table."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from benchmarks.finished import Finished, finished
from benchmarks.measure import (
    Cost,
    Figure,
    Size,
    both,
    cpus,
    load,
    python,
    spread,
    walls,
)

PEER = """
import os, sys, time
import pyarrow.parquet as pq
from pyarrow import csv
table = pq.read_table(sys.argv[1])
start, cpu = time.perf_counter(), time.process_time()
with open(sys.argv[2] + ".csv", "wb") as file:
    csv.write_csv(table, file)
    os.fsync(file.fileno())
with open(sys.argv[2] + ".parquet", "wb") as file:
    pq.write_table(table, file, compression="zstd")
    os.fsync(file.fileno())
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def measure(size: Size) -> Iterator[Figure]:
    """The whole `report` command against the mere writing of rows that are in memory already."""
    done = finished(size.of(100_000, 10_000, full=1_000_000))
    ours: list[Cost] = []
    theirs: list[tuple[float, float]] = []
    for _ in range(1 if done.rows > 100_000 else size.runs):
        ours.append(done.place.program("report", "job.toml", expect=(11,)))
        theirs.append(_written(done))
    mine = walls(ours), cpus(ours)
    other = (
        spread([wall_s for wall_s, _ in theirs]),
        spread([cpu_s for _, cpu_s in theirs]),
    )
    told = [
        f"{one.told(' s')} and {its.told(' s')}"
        for one, its in zip(mine, other, strict=True)
    ]
    peak = max(cost.peak_mib for cost in ours)
    yield Figure(
        "P9",
        "csv + parquet + json reports against pyarrow",
        "<= 6x",
        both((mine[0], other[0]), (mine[1], other[1])),
        f"{done.rows:,} rows, {told[0]}, {told[1]} of CPU, peak {peak:.0f} MiB, {load()}",
    )


def _written(done: Finished) -> tuple[float, float]:
    """What it takes pyarrow to write the same table, by the clock and by CPU."""
    tables = (done.place.folder / "reports").glob("*/results.parquet")
    # `resume` leaves small batches beside it
    table = max(tables, key=lambda path: path.stat().st_size)
    words = python("-c", PEER, str(table), str(done.place.folder / "peer"))
    made = subprocess.run(words, capture_output=True, text=True, check=True)
    wall_s, cpu_s = map(float, made.stdout.split())
    return wall_s, cpu_s
