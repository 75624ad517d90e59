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
from datetime import datetime

WIDTH = 1000  # units of a bar that is whole
LEAST = 6  # ... of a part that is not nothing: everybody sees that there is one
BARS = 60  # at most, of a chart over time
HEIGHT = 100
_WIDTHS_S = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    43200,
    86400,
)


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


def timeline(sent: Mapping[str, int], waits: Mapping[int, int]) -> Timeline | None:
    """Of charges by the instant at which they were sent, and by the seconds that their end took;
    None without any.
    """
    if not sent:
        return None
    first, last = min(sent), max(sent)
    start = _moment(first)
    span = int((_moment(last) - start).total_seconds()) + 1
    seconds = next((one for one in _WIDTHS_S if span <= one * BARS), -(-span // BARS))
    counts = [0] * -(-span // seconds)
    for at, number in sent.items():
        counts[int((_moment(at) - start).total_seconds()) // seconds] += number
    return Timeline(
        columns=tuple(_columns(counts, max(counts))),
        seconds=seconds,
        first=first,
        last=last,
        most=max(counts),
        median_s=_median(waits),
        slowest_s=max(waits, default=0),
    )


def _median(waits: Mapping[int, int]) -> int:
    """Of numbers that come so often each."""
    half = sum(waits.values()) // 2
    for seconds, number in sorted(waits.items()):
        half -= number
        if half < 0:
            return seconds
    return 0


def _columns(counts: Sequence[int], most: int) -> list[Column]:
    width = WIDTH // max(len(counts), 12)
    found = []
    for at, count in enumerate(counts):
        height = -(-HEIGHT * count // most)
        found.append(Column(at * width, width - 1, height, count))
    return found


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at)
