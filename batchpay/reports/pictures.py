"""The pictures of report.html: bars as a few rectangles, placed by whole numbers.

Written as our own lines of SVG: a picture here is a row of rectangles, and a library that draws
(matplotlib: 30 MB with what it needs) would outline its letters, so that nobody could search or
copy them, and could not follow the reader's light or dark page.

>>> [(part.name, part.x, part.width) for part in bar({"a": 3, "b": 0, "c": 1}).parts]
[('a', 0, 750), ('c', 750, 250)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH = 1000  # units of a bar that is whole
LEAST = 6  # ... of a part that is not nothing: everybody sees that there is one
BARS = 60  # at most, of a chart over time
HEIGHT = 100
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle of a bar."""

    name: str
    value: int
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A whole and its parts, side by side."""

    whole: int
    parts: tuple[Part, ...]
    width: int = WIDTH


def bar(values: Mapping[str, int], width: int = WIDTH) -> Bar:
    """Parts as wide as their shares, in their order; what is nothing is left out."""
    there = {name: value for name, value in values.items() if value > 0}
    whole = sum(there.values())
    if not whole:
        return Bar(0, (), width)
    widths = _widths(list(there.values()), width)
    parts = []
    x = 0
    for (name, value), own in zip(there.items(), widths, strict=True):
        parts.append(Part(name, value, x, own))
        x += own
    return Bar(whole, tuple(parts), width)


def _widths(values: Sequence[int], width: int) -> list[int]:
    """Of every part, at least LEAST where there is room; together they are `width`."""
    least = min(LEAST, width // len(values))
    free = width - least * len(values)
    whole = sum(values)
    widths = [least + free * value // whole for value in values]
    widths[widths.index(max(widths))] += width - sum(widths)
    return widths


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a chart over time."""

    x: int
    width: int
    height: int
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """What was sent when, and how long its end took."""

    columns: tuple[Column, ...]
    seconds: int  # that a bar is wide
    first: str  # the first instant and the last, UTC
    last: str
    most: int  # in one bar
    median_s: int
    slowest_s: int


def timeline(times: Sequence[tuple[str, str]]) -> Timeline | None:
    """Of the instants at which charges were sent and ended, in order; None without any."""
    sent = [_moment(one) for one, _ in times]
    if not sent:
        return None
    start = sent[0]
    span = int((sent[-1] - start).total_seconds()) + 1
    seconds = next((one for one in _WIDTHS_S if span <= one * BARS), -(-span // BARS))
    counts = [0] * -(-span // seconds)
    for moment in sent:
        counts[int((moment - start).total_seconds()) // seconds] += 1
    most = max(counts)
    waits = sorted(_waits(times))
    return Timeline(
        columns=tuple(_columns(counts, most)),
        seconds=seconds,
        first=times[0][0],
        last=f"{start + timedelta(seconds=span - 1):%Y-%m-%dT%H:%M:%SZ}",
        most=most,
        median_s=waits[len(waits) // 2] if waits else 0,
        slowest_s=waits[-1] if waits else 0,
    )


def _columns(counts: Sequence[int], most: int) -> list[Column]:
    width = WIDTH // max(len(counts), 12)
    found = []
    for at, count in enumerate(counts):
        height = -(-HEIGHT * count // most)
        found.append(Column(at * width, width - 1, height, count))
    return found


def _waits(times: Sequence[tuple[str, str]]) -> list[int]:
    """Seconds from sending to the end, of what has ended: begun ones count."""
    waits = []
    for sent, settled in times:
        if settled:
            waits.append(int((_moment(settled) - _moment(sent)).total_seconds()) + 1)
    return waits


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at)
