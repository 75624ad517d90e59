"""P9: the reports that people open, against XlsxWriter writing the same rows and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from benchmarks.finished import finished
from benchmarks.measure import Figure, Size, load, python, ratio, spread, walls

PEER = """
import sys, time
import pyarrow.parquet as pq
import xlsxwriter
rows = pq.read_table(sys.argv[1]).to_pylist()
start = time.perf_counter()
book = xlsxwriter.Workbook(sys.argv[2], {"constant_memory": True, "remove_timezone": True})
sheet = book.add_worksheet()
for at, row in enumerate(rows):
    for column, value in enumerate(row.values()):
        if value not in (None, ""):
            sheet.write(at, column, value)
book.close()
print(time.perf_counter() - start)
"""
TABLE = ("parquet",)


def measure(size: Size) -> Iterator[Figure]:
    """`report` with one form beside the table that the peer reads; each once, as it is long."""
    done = finished(size.of(20_000, 5_000))
    place = done.place
    costs = {}
    for forms in (TABLE, (*TABLE, "html"), (*TABLE, "xlsx")):
        place.job(done.quick.url, formats=forms)
        costs[forms[-1]] = place.program("report", "job.toml", expect=(11,))
    tables = (place.folder / "reports").glob("*/results.parquet")
    table = max(tables, key=lambda path: path.stat().st_size)
    words = python("-c", PEER, str(table), str(place.folder / "peer.xlsx"))
    peer = spread(
        [
            float(
                subprocess.run(words, capture_output=True, text=True, check=True).stdout
            )
        ]
    )
    place.job(done.quick.url, formats=("csv", "parquet", "json"))
    bare = costs["parquet"].wall_s
    for form in ("html", "xlsx"):
        ours = walls([costs[form]])
        more = spread([max(ours.median - bare, 0.001)])
        note = (
            f"{done.rows:,} rows, {more.told(' s')} more than parquet alone ({bare:.1f} s), peer"
            f" {peer.told(' s')}, {costs[form].peak_mib:.0f} MiB, {load()}"
        )
        yield Figure(
            "P9", f"report.{form} against a bare sheet", "-", ratio(more, peer), note
        )
