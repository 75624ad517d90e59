"""P9: every report of a large batch from the journal, against pyarrow writing the same table."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from benchmarks.finished import finished
from benchmarks.measure import Figure, Size, load, python, ratio, spread, walls

PEER = """
import os, sys, time
import pyarrow.parquet as pq
from pyarrow import csv
table = pq.read_table(sys.argv[1])
start = time.perf_counter()
with open(sys.argv[2] + ".csv", "wb") as file:
    csv.write_csv(table, file)
    os.fsync(file.fileno())
with open(sys.argv[2] + ".parquet", "wb") as file:
    pq.write_table(table, file, compression="zstd")
    os.fsync(file.fileno())
print(time.perf_counter() - start)
"""


def measure(size: Size) -> Iterator[Figure]:
    """The whole `report` command against the mere writing of rows that are in memory already."""
    done = finished(size.of(100_000, 10_000))
    ours, theirs = [], []
    for _ in range(1 if done.rows >= 100_000 else size.runs):
        ours.append(done.place.program("report", "job.toml", expect=(11,)))
        tables = (done.place.folder / "reports").glob("*/results.parquet")
        # `resume` leaves small batches beside it
        table = max(tables, key=lambda path: path.stat().st_size)
        words = python("-c", PEER, str(table), str(done.place.folder / "peer"))
        theirs.append(
            float(
                subprocess.run(words, capture_output=True, text=True, check=True).stdout
            )
        )
    mine, other = walls(ours), spread(theirs)
    note = f"{done.rows:,} rows, {mine.told(' s')} and {other.told(' s')}, {load()}"
    yield Figure(
        "P9",
        "csv + parquet + json reports against pyarrow",
        "<= 3x",
        ratio(mine, other),
        note,
    )
