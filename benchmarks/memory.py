"""P6: peak memory of `check` and `run` at ten times the rows."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.charge import afresh
from benchmarks.finished import finished
from benchmarks.market import gateway, market, write_orders
from benchmarks.measure import Figure, Size, load


def measure(size: Size) -> Iterator[Figure]:
    """The larger run is the one that `resume` and `reports` go on from."""
    rows = size.of(1_000_000, 100_000)
    with market() as place:
        place.job()
        peaks = []
        for count in (rows // 10, rows):
            write_orders(place.folder / "orders.csv", count)
            peaks.append(place.program("check", "job.toml").peak_mib)
    yield _figure("check", peaks, rows, "<= 1.2x")
    rows = size.of(100_000, 10_000)
    with market() as place, gateway() as quick:
        write_orders(place.folder / "orders.csv", rows // 10)
        place.job(quick.url, formats=("csv", "parquet", "json"))
        small = afresh(place, quick).peak_mib
    peaks = [small, finished(rows).cost.peak_mib]
    yield _figure("run", peaks, rows, "<= 1.2x, 250 MiB")


def _figure(verb: str, peaks: list[float], rows: int, bar: str) -> Figure:
    note = f"{peaks[0]:.0f} and {peaks[1]:.0f} MiB at {rows // 10:,} and {rows:,} rows, {load()}"
    return Figure(
        "P6",
        f"memory of {verb} at ten times the rows",
        bar,
        f"{peaks[1] / peaks[0]:.2f}x",
        note,
    )
