"""What people remark in a sheet without a word in its cells: rows that they strike through, and
comments on cells.

A strike through a cell without which a row is no order takes the order back: nobody charges it
until somebody says what is meant. A comment is only told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from batchpay.domain.figures import SIGNS
from batchpay.domain.model import Problem
from batchpay.domain.text import told
from batchpay.messages import noticed
from batchpay.messages.message import Message
from batchpay.messages.problems import MERGED_AMOUNT, MERGED_ID, STRUCK_THROUGH
from batchpay.readers.pieces import ROW, Found
from batchpay.readers.xlsx.book import Values
from batchpay.readers.xlsx.layout import Layout
from batchpay.readers.xlsx.sheet import SheetFacts

NAMED = 5  # cells, rows or ranges in a note


def some(named: Sequence[str], of: int) -> str:
    """The first of them, and that there are more."""
    listed = ", ".join(told(name) for name in named[:NAMED])
    if of > NAMED:
        listed += ", …"
    return listed


@dataclass(slots=True)
class Struck:
    """The cells of a sheet that are struck through, row by row."""

    facts: SheetFacts
    layout: Layout
    accepts: bool  # are they read like any other?
    _cells: int = 0  # that are read
    _named: list[str] = field(default_factory=list)  # the first of them

    def apply(self, first: int, texts: Sequence[Sequence[str]], found: Found) -> None:
        """Blame the rows from `first` on whose order is struck through."""
        if not self.facts.struck:
            return
        names = self.layout.names
        for at in range(len(texts[0])):
            columns = self.facts.struck.get(first + at, frozenset())
            filled = [
                column
                for column in sorted(columns)
                if column <= len(names) and texts[column - 1][at].strip()
            ]
            named = [self.layout.address(column, first + at) for column in filled]
            needed = [one for one in filled if names[one - 1] in self.layout.needed]
            if needed and not self.accepts:
                said = STRUCK_THROUGH(cells=some(named, len(named)))
                # no cell is wrong: the order keeps its id in all reports
                problem = Problem(ROW, told(texts[needed[0] - 1][at]), said)
                found.setdefault(at, []).append(problem)
                continue
            self._cells += len(named)
            self._named += named[: NAMED - len(self._named)]

    def notes(self) -> Iterator[Message]:
        """Of cells that are read, though they are struck through, one."""
        if self._cells:
            named = some(self._named, self._cells)
            yield noticed.STRUCK_CELLS(cells=self._cells, named=named)


@dataclass(slots=True)
class Merged:
    """Cells that are merged over the rows of several lines: what stands in the first is of all."""

    facts: SheetFacts
    layout: Layout
    # those of rows that are still to be read, the next one last
    _left: list[tuple[int, int, int, int]] = field(init=False)

    def __post_init__(self) -> None:
        ranges = reversed(self.facts.merged_down)
        self._left = sorted(ranges, key=lambda one: one[1], reverse=True)

    def apply(self, first: int, texts: Sequence[Sequence[str]], found: Found) -> None:
        """Blame the rows from `first` on whose id is merged over rows with amounts of their own,
        or their amount over rows with ids of their own.
        """
        end = first + len(texts[0])
        while self._left and self._left[-1][1] < end:
            left, top, right, bottom = self._left.pop()
            if top < first or left > len(self.layout.names):
                continue
            names = frozenset(self.layout.names[left - 1 : right])
            for mine, others, said in (
                (self.layout.ids, self.layout.money, MERGED_ID),
                (self.layout.money, self.layout.ids, MERGED_AMOUNT),
            ):
                if names & mine and self._has_own(others, top, bottom, first, texts):
                    last = self.layout.address(right, bottom)
                    cells = f"{self.layout.address(left, top)}:{last}"
                    at = top - first
                    problem = Problem(ROW, told(texts[left - 1][at]), said(cells=cells))
                    found.setdefault(at, []).append(problem)

    def _has_own(
        self,
        columns: frozenset[str],
        top: int,
        bottom: int,
        first: int,
        texts: Sequence[Sequence[str]],
    ) -> bool:
        """Does one of these columns say something below the first row? Of rows that are read later
        nobody knows.
        """
        end = first + len(texts[0])
        if bottom >= end:
            return True
        return any(
            cell.strip()
            for name, column in zip(self.layout.names, texts, strict=True)
            if name in columns
            for cell in column[top + 1 - first : bottom + 1 - first]
        )


@dataclass(slots=True)
class Signs:
    """Amounts that a sheet shows with the sign of another currency than their row's."""

    facts: SheetFacts
    layout: Layout
    signs: Mapping[int, str]  # cell style -> sign
    _cells: int = 0
    _named: list[str] = field(default_factory=list)

    def see(
        self, first: int, columns: Sequence[Values], texts: Sequence[Sequence[str]]
    ) -> None:
        """Look at the amounts of the rows from `first` on."""
        names = self.layout.names
        codes = [at for at, name in enumerate(names) if name in self.layout.currencies]
        if not self.signs or not codes:
            return
        money = [at for at, name in enumerate(names) if name in self.layout.money]
        for at, code in enumerate(texts[codes[0]]):
            _, styles = self.facts.look_of(first + at)
            for column in money:
                place = column + self.layout.before
                style = styles[place] if place < len(styles) else 0
                meant = SIGNS.get(self.signs.get(style, ""), frozenset())
                is_other = meant and code and code.strip().upper() not in meant
                if is_other and type(columns[column][at]) in (int, float):
                    self._cells += 1
                    self._named.append(self.layout.address(column + 1, first + at))
                    del self._named[NAMED:]

    def notes(self) -> Iterator[Message]:
        """Of all of them, one."""
        if self._cells:
            named = some(self._named, self._cells)
            yield noticed.SHOWN_BESIDE(cells=self._cells, named=named)


def comments_on(facts: SheetFacts, layout: Layout, header_row: int) -> list[Message]:
    """That cells have comments of which orders are made."""
    named = []
    for column, row in sorted(facts.commented, key=lambda place: place[::-1]):
        is_read = column <= len(layout.names) and row > header_row
        if is_read and layout.names[column - 1] in layout.wanted:
            named.append(layout.address(column, row))
    if not named:
        return []
    return [noticed.COMMENTED(cells=len(named), named=some(named, len(named)))]
