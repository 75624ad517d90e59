"""P4: CPU per charge, everything the process does included, and the journal's share of it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from batchpay.domain.model import Event
from batchpay.journals.sqlite.store import SqliteJournal
from benchmarks.charge import IN_FLIGHT, afresh, script
from benchmarks.market import gateway, market, write_orders
from benchmarks.measure import Figure, Size, load, ratio, spread


def measure(size: Size) -> Iterator[Figure]:
    """At saturation, then at an agreed 100 a second, where waiting costs more than working."""
    rows = size.of(20_000, 3_000)
    with market() as place, gateway() as quick:
        write_orders(place.folder / "orders.csv", rows)
        place.job(quick.url, concurrency=IN_FLIGHT)
        script_rows = rows // 20
        small = write_orders(place.folder / "few.csv", script_rows)
        whole, share, peer = [], [], []
        for _ in range(size.runs):
            each_s = afresh(place, quick).cpu_s / rows
            whole.append(each_s * 1e6)
            peer.append(script(place, quick, small).cpu_s / script_rows * 1e6)
            share.append(
                _replayed_s(
                    place.folder / "state/batchpay.db", place.folder / "state/again.db"
                )
                / rows
                / each_s
            )
        few = size.of(1_500, 500)
        write_orders(place.folder / "orders.csv", few)
        place.job(quick.url, concurrency=8, rate="100/s")
        calm = afresh(place, quick).cpu_s / few * 1e6
    cost, part, theirs = spread(whole), spread(share), spread(peer)
    note = f"at saturation, {rows:,} rows, {IN_FLIGHT} in flight, {load()}"
    yield Figure(
        "P4", "CPU per charge, whole process", "none", cost.told(" us", 0), note
    )
    against = f"the script's {theirs.told(' us', 0)} over {script_rows:,} rows"
    yield Figure(
        "P4", "the same against the script's", "<= 0.125x", ratio(cost, theirs), against
    )
    note = "the run's own events written again through the journal, asyncio included"
    yield Figure(
        "P4", "the journal's share of it", "<= 10 %", f"{part.median:.0%}", note
    )
    yield Figure(
        "-",
        "CPU per charge at 100 a second",
        "none",
        f"{calm:.0f} us",
        f"{few:,} rows, start-up included",
    )


def _replayed_s(kept: Path, into: Path) -> float:
    """CPU seconds to write a run's events about orders again, as many at once as orders were in
    flight.
    """
    source = SqliteJournal(kept, "bench", read_only=True)
    events = [
        replace(event, seq=0, digest="")
        for event in source.events(["intent", "answer"])
    ]
    source.close()
    journal = SqliteJournal(into, "bench")
    start = time.process_time()
    asyncio.run(_write(journal, events))
    spent_s = time.process_time() - start
    journal.close()
    assert sqlite3.connect(into).execute("SELECT count(*) FROM events").fetchone() == (
        len(events),
    )
    for path in into.parent.glob(f"{into.name}*"):
        path.unlink()
    return spent_s


async def _write(journal: SqliteJournal, events: list[Event]) -> None:
    for start in range(0, len(events), IN_FLIGHT):
        await asyncio.gather(
            *(journal.write([event]) for event in events[start : start + IN_FLIGHT])
        )
