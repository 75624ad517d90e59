"""The part of a sheet that the job names: `range = "A4:H"`, or `"A4:H20"`.

>>> Area.of("B4:D"), Area.of("A4:H20").last_row
(Area(first_column=2, first_row=4, last_column=4, last_row=0), 20)
>>> str(Area.of("b4:d")), str(Area.of("A4:AB20"))
('B4:D', 'A4:AB20')
>>> Area.of("D4:B")
Traceback (most recent call last):
ValueError: the column D is behind B
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from batchpay.job.job import Input
from batchpay.readers.xlsx.sheet import LAST_ROW, SheetFacts, column_name, column_number

_AREA = re.compile(
    r"([A-Za-z]{1,3})([1-9][0-9]{0,6}):([A-Za-z]{1,3})([1-9][0-9]{0,6})?"
)
_LAST_COLUMN = 16_384


@dataclass(frozen=True, slots=True)
class Area:
    """Columns and rows from 1, both ends included; its first row is the header."""

    first_column: int
    first_row: int
    last_column: int
    last_row: int = 0  # 0: to the end of the sheet

    @classmethod
    def of(cls, text: str) -> Area:
        """Raises ValueError, with the reason, for what is no area of a sheet."""
        found = _AREA.fullmatch(text.replace("$", ""))
        if found is None:
            raise ValueError('write it as "A4:H", or "A4:H20"')
        first, last = column_number(found[1]), column_number(found[3])
        area = cls(first, int(found[2]), last, int(found[4] or 0))
        if first > last:
            raise ValueError(
                f"the column {found[1].upper()} is behind {found[3].upper()}"
            )
        if area.last_row and area.last_row <= area.first_row:
            raise ValueError("it must hold a header and rows below it")
        if last > _LAST_COLUMN or max(area.first_row, area.last_row) > LAST_ROW:
            raise ValueError(f"a sheet ends at {column_name(_LAST_COLUMN)}{LAST_ROW}")
        return area

    def __str__(self) -> str:
        end = str(self.last_row or "")
        first = f"{column_name(self.first_column)}{self.first_row}"
        return f"{first}:{column_name(self.last_column)}{end}"

    def cut(self, rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Of a sheet's rows, from the first one on, the header's and those below it, each from the
        first column to the last.
        """
        for cells in islice(rows, self.first_row - 1, self.last_row or None):
            yield cells[self.first_column - 1 : self.last_column]

    def of_facts(self, facts: SheetFacts) -> SheetFacts:
        """What is known of its cells, as if its first column were A."""
        before = self.first_column - 1
        end = self.last_row or LAST_ROW

        def inside(column: int, row: int = self.first_row) -> bool:
            return before < column <= self.last_column and self.first_row <= row <= end

        errors = {
            (column - before, row): error
            for (column, row), error in facts.errors.items()
            if inside(column, row)
        }
        no_value = {
            (column - before, row)
            for column, row in facts.no_value
            if inside(column, row)
        }
        styled = {
            column - before: cells
            for column, cells in facts.styled.items()
            if inside(column)
        }
        hidden = [column - before for column in facts.hidden_columns if inside(column)]
        struck = {
            row: frozenset(column - before for column in columns if inside(column, row))
            for row, columns in facts.struck.items()
        }
        merged_down = [
            (first - before, top, last - before, bottom)
            for first, top, last, bottom in facts.merged_down
            if inside(first, top)
        ]
        commented = [
            (column - before, row)
            for column, row in facts.commented
            if inside(column, row)
        ]
        return replace(
            facts,
            errors=errors,
            no_value=no_value,
            styled=styled,
            hidden_columns=hidden,
            struck=struck,
            commented=commented,
            merged_down=merged_down,
        )


def range_to(settings: Input, columns: int, last_row: int) -> str:
    """The part of a sheet from where the job has its header to a row, that many columns wide."""
    first_column, first_row = 1, settings.header_row
    if settings.area:
        area = Area.of(settings.area)
        first_column, first_row = area.first_column, area.first_row
    return str(Area(first_column, first_row, first_column + columns - 1, last_row))
