"""P5: the share of the agreed rate that is used, and the most the gateway saw in any window."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.charge import afresh
from benchmarks.market import gateway, market, most_in_any_window, write_orders
from benchmarks.measure import Figure, Size, load

# the agreed rate as the job says it, how many that is, in which window, how many orders in flight
# ... and the share of it that should be used
RATES = (
    ("1000/min", 1000, 60.0, 8, ">= 99 %"),
    ("100/s", 100, 1.0, 8, ">= 99 %"),
    ("1000/s", 1000, 1.0, 100, ">= 95 %"),
)


def measure(size: Size) -> Iterator[Figure]:
    """Every request counts, as it arrives at the gateway."""
    seconds = 6 if size.quick else 25
    for told, most, window_s, concurrency, bar in RATES:
        rows = size.rows or int(most / window_s * seconds)
        with market() as place, gateway() as quick:
            write_orders(place.folder / "orders.csv", rows)
            place.job(quick.url, rate=told, concurrency=concurrency)
            afresh(place, quick)
            arrivals, posts = quick.arrivals_s(), quick.posts_s()
        charging = [at for at in arrivals if posts[0] <= at <= posts[-1]]
        share = (len(charging) - 1) / (posts[-1] - posts[0]) / (most / window_s)
        seen = most_in_any_window(arrivals, window_s)
        note = f"{len(posts):,} charges in {posts[-1] - posts[0]:.0f} s, {load()}"
        yield Figure("P5", f"share of {told} used", bar, f"{share:.2%}", note)
        yield Figure(
            "P5",
            f"most requests in any {window_s:.0f} s at {told}",
            f"<= {most}",
            str(seen),
            "at the gateway",
        )
