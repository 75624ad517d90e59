"""P7: `batchpay --help` against `python -c "import click"`."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import (
    Figure,
    Size,
    alternating,
    batchpay,
    load,
    process,
    python,
    ratio,
    walls,
)


def measure(size: Size) -> Iterator[Figure]:
    """Many short processes, taking turns."""
    ours, theirs = alternating(
        5 if size.quick else 20,
        lambda: process(batchpay("--help")),
        lambda: process(python("-c", "import click")),
    )
    mine, other = walls(ours), walls(theirs)
    note = f"{mine.told(' s', 3)} and {other.told(' s', 3)}, {load()}"
    yield Figure(
        "P7",
        "batchpay --help against import click",
        "<= 1.5x",
        ratio(mine, other),
        note,
    )
