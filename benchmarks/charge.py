"""P3: `batchpay run` without a rate limit, 100 in flight, all laws on, against what people use
instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.market import Gateway, Market, gateway, market, sandbox, write_orders
from benchmarks.measure import (
    Cost,
    Figure,
    Size,
    Spread,
    alternating,
    load,
    process,
    python,
    spread,
)
from benchmarks.peers import newman

ROOT = Path(__file__).parent.parent
IN_FLIGHT = 100


def measure(size: Size) -> Iterator[Figure]:
    """Whole processes: rows by wall time, from start to end, reports included."""
    rows, few = size.of(20_000, 3_000), size.of(20_000, 3_000) // 20
    with market() as place, gateway() as quick:
        small = write_orders(place.folder / "few.csv", few)
        write_orders(place.folder / "orders.csv", rows)
        place.job(quick.url, concurrency=IN_FLIGHT)
        program, why = newman.command()
        paid = newman.collection(place.folder, quick.url)
        words = [
            *program,
            "run",
            str(paid),
            "-d",
            str(small),
            "--reporters",
            "json",
            "--reporter-json-export",
            str(place.folder / "newman.json"),
        ]
        works = [lambda: afresh(place, quick), lambda: script(place, quick, small)]
        works += [lambda: process(words)] if program else []
        ours, scripts, *others = alternating(size.runs, *works)
    mine, theirs = _rate(rows, ours), _rate(few, scripts)
    speeds = f"{mine.told('', 0)} and {theirs.told('', 0)} rows/s"
    note = f"{speeds}, {rows:,} and {few:,} rows, {IN_FLIGHT} in flight, {load()}"
    yield Figure(
        "P3",
        "run against pandas + jsonschema + omise-python",
        ">= 8x",
        _times(mine, theirs),
        note,
    )
    what = "run against Newman"
    if others:
        rate = _rate(few, others[0])
        yield Figure(
            "P3",
            what,
            ">= 40x",
            _times(mine, rate),
            f"{rate.told('', 0)} rows/s over {few:,} rows",
        )
    else:
        yield Figure("P3", what, ">= 40x", "skipped", why)
    yield from _with_latency(size)
    yield from _ceilings(size)


def afresh(place: Market, quick: Gateway, *words: str) -> Cost:
    """A run from nothing against a gateway that knows nothing."""
    place.forget()
    quick.forget()
    return place.program("run", "job.toml", *words)


def script(place: Market, quick: Gateway, orders: Path) -> Cost:
    """What people use instead, over some orders."""
    words = python(
        "-m",
        "benchmarks.peers.script",
        str(orders),
        quick.url,
        str(place.folder / "script.csv"),
    )
    return process(words, folder=ROOT)


def _rate(rows: int, costs: list[Cost]) -> Spread:
    return spread([rows / cost.wall_s for cost in costs])


def _times(ours: Spread, theirs: Spread) -> str:
    return f"{ours.median / theirs.median:.1f}x"


def charging_rate(quick: Gateway) -> float:
    """Charges a second while charging, as the gateway saw them arrive."""
    posts = quick.posts_s()
    return (len(posts) - 1) / (posts[-1] - posts[0])


def _with_latency(size: Size) -> Iterator[Figure]:
    """What 20 ms of latency allow is concurrency / latency: how much of it is had."""
    for concurrency, bar in ((20, ">= 85 %"), (IN_FLIGHT, ">= 60 %")):
        rows = size.of(10_000, 2_000)
        with market() as place, gateway(latency_s=0.02) as slow:
            write_orders(place.folder / "orders.csv", rows)
            place.job(slow.url, concurrency=concurrency)
            rates = []
            bare = []
            for _ in range(size.runs):
                afresh(place, slow)
                rates.append(charging_rate(slow))
                slow.forget()
                _bare(slow.url, rows, concurrency)
                bare.append(charging_rate(slow))
        had, most = spread(rates), concurrency / 0.02
        peer = spread(bare).median / most
        yield Figure(
            "P3",
            f"charging at 20 ms, {concurrency} in flight, of concurrency / latency",
            bar,
            f"{had.median / most:.0%}",
            f"{had.told('', 0)} of {most:,.0f} charges/s, bare sockets {peer:.0%}, {rows:,} rows,"
            f" {load()}",
        )


def _ceilings(size: Size) -> Iterator[Figure]:
    """Bare sockets, which prove and keep nothing, show what the gateways themselves can do."""
    for name, serve, rows, bar in (
        ("fast gateway", gateway, size.of(20_000, 3_000), ">= 25 %"),
        ("sandbox", sandbox, 2_000, "none"),
    ):
        with market() as place, serve() as served:
            write_orders(place.folder / "orders.csv", rows)
            place.job(served.url, concurrency=IN_FLIGHT)
            bare = _bare(served.url, rows, IN_FLIGHT)
            ours = place.program("run", "job.toml", expect=(0, 10))
        most, mine = rows / bare.wall_s, rows / ours.wall_s
        note = (
            f"{mine:,.0f} and {most:,.0f} rows/s whole process, {rows:,} rows, {load()}"
        )
        yield Figure(
            "P3",
            f"run against the {name}, of bare sockets",
            bar,
            f"{mine / most:.0%}",
            note,
        )


def _bare(url: str, rows: int, in_flight: int) -> Cost:
    words = python("-m", "benchmarks.peers.bare", url, str(rows), str(in_flight))
    return process(words, folder=ROOT)
