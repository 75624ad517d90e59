"""Where the header is, when it is not where the job says: found by looking, and only told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

LOOKED_AT = 25  # rows from the first on


Groups = Sequence[Collection[str]]
"""The columns that a job reads: of each the names under which a file may have it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row that holds names of columns, from 1, and what the job would have to say beside it."""

    row: int
    cells: Sequence[str]
    held: int  # of the wanted columns
    changes: tuple[str, ...] = field(default=())  # settings of [input], as TOML


def groups_of(wanted: Collection[str], aliases: Groups = ()) -> Groups:
    """Each wanted column with its names; `aliases` are those that have several."""
    known = {name for group in aliases for name in group}
    return (*aliases, *((name,) for name in dict.fromkeys(wanted) if name not in known))


def held_by(cells: Collection[str], groups: Groups) -> int:
    """How many of the columns a row names."""
    there = set(cells)
    return sum(not there.isdisjoint(group) for group in groups)


def best_place(
    rows: Iterable[Sequence[str]],
    groups: Groups,
    changes: tuple[str, ...] = (),
) -> Place | None:
    """The row that names most of the columns, of several the first; None when none names any."""
    best: Place | None = None
    for number, cells in enumerate(rows, 1):
        held = held_by(cells, groups)
        if held and (best is None or held > best.held):
            best = Place(number, cells, held, changes)
    return best


def in_two_rows(rows: Iterable[Sequence[str]], groups: Groups) -> int:
    """The upper of two rows that name all columns together, neither of them alone, as where cells
    are merged; 0 when there are none.
    """
    above: Sequence[str] = ()
    for number, cells in enumerate(rows, 1):
        held = [held_by(some, groups) for some in (above, cells, (*above, *cells))]
        if held[2] == len(groups) and 0 < held[0] < held[2] and 0 < held[1] < held[2]:
            return number - 1
        above = cells
    return 0
