"""P10, P11, P12: what a night of 10 new orders costs beside a large batch, of which some rows are
open; and what a charge takes on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.market import KEY, Gateway, Market, gateway, market, write_orders
from benchmarks.measure import (
    Cost,
    Figure,
    Size,
    both,
    cpus,
    load,
    process,
    python,
    walls,
)

ROOT = Path(__file__).parent.parent
BACK_S = 3 * 86_400  # when the batch was charged: before every list of tonight
OPEN = 10  # of its rows
NEW = 10  # orders of a night
NIGHTS = ("run", "settle", "status")


def measure(size: Size) -> Iterator[Figure]:
    """The same night beside a small batch and one ten times as large, in turns."""
    large = size.of(50_000, 5_000, full=1_000_000)
    with market() as one, gateway() as quick, market() as other, gateway() as busy:
        few = _charged(one, quick, large // 10)
        many = _charged(other, busy, large)
        small, big = _nights(one, size.runs), _nights(other, size.runs)
    bars = {
        "run": "<= 4 s, <= 1.3x",
        "settle": "<= 4 s, <= 1.3x",
        "status": "<= 1 s, flat",
    }
    for verb in NIGHTS:
        few_s, many_s = walls(small[verb]), walls(big[verb])
        found = both((many_s, few_s), (cpus(big[verb]), cpus(small[verb])))
        told = f"{few_s.told(' s')} and {many_s.told(' s')}"
        cpu = f"{cpus(small[verb]).told(' s')} and {cpus(big[verb]).told(' s')} of CPU"
        note = f"beside {large // 10:,} and {large:,} rows, {OPEN} open: {told}, {cpu}, {load()}"
        number = "P10"
        if verb != "run":
            number = "P11"
        yield Figure(
            number, f"a night of {NEW} orders: {verb}", bars[verb], found, note
        )
    each = (many - few) / (large - large // 10)
    yield Figure(
        "P12", "journal on disk a charge", "<= 1.5 kB", f"{each / 1000:.2f} kB", ""
    )


def _charged(place: Market, quick: Gateway, rows: int) -> int:
    """A batch that was charged some days ago; how large its journal is."""
    write_orders(place.folder / "orders.csv", rows, waiting=OPEN)
    place.job(quick.url, formats=("csv", "json"))
    quick.back(BACK_S)
    words = python("-m", "benchmarks.past", str(BACK_S))
    environ = {"OMISE_SECRET_KEY": KEY, "PYTHONPATH": str(ROOT)}
    process(words, folder=place.folder, environ=environ, expect=(11,))
    quick.back(0)
    return (place.folder / "state/batchpay.db").stat().st_size


def _nights(place: Market, runs: int) -> dict[str, list[Cost]]:
    """The first night lists what the batch's own run charged, and hears that the recipients have
    their shares: it is not counted.
    """
    costs: dict[str, list[Cost]] = {verb: [] for verb in NIGHTS}
    for number in range(runs + 1):
        first = 90_000_000 + number * NEW
        write_orders(place.folder / "new.csv", NEW, first=first)
        found = {
            "run": place.program("run", "job.toml", "--input", "new.csv", expect=(11,)),
            "settle": place.program("settle", "job.toml", expect=(11,)),
            "status": place.program("status", "job.toml", expect=(11,)),
        }
        for verb, cost in found.items():
            if number:
                costs[verb].append(cost)
    return costs
