"""A workbook, the sheet of it that is meant, and the values of its rows.

Cells are what the sheet stores, not how it shows them: 1234.5 for "1,234.50 THB", ISO dates, true
or false. A time of midnight is a date alone, as a sheet does not tell them apart.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from batchpay.domain.errors import FileRefused
from batchpay.domain.lineage import is_rejects_file
from batchpay.domain.text import told
from batchpay.messages import sheets
from batchpay.readers import numbers
from batchpay.readers.looking import LOOKED_AT
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.xlsx.formats import (
    Unlike,
    Zeros,
    sign_formats,
    struck_formats,
    word_formats,
    zero_formats,
)
from batchpay.readers.xlsx.package import Package, Sheet
from batchpay.readers.xlsx.sheet import (
    MARKED_LIMIT,
    SheetFacts,
    commented_cells,
    has_values,
    scan,
)

DENSE_LIMIT = 30_000_000  # cells between A1 and the last one, which calamine holds all
Values = Sequence[Any]


class NoSuchSheet(FileRefused):
    """The sheet that the job names is not there."""


@dataclass(slots=True)
class Book:
    """A workbook with the sheet that was chosen and what its XML tells."""

    package: Package
    sheet: Sheet
    facts: SheetFacts
    zeros: Mapping[int, Zeros | Unlike]
    signs: Mapping[int, str]  # cell style -> the currency's sign that it shows
    words: Mapping[int, str]  # ... and the words that change what a number says
    at_once: bool

    @classmethod
    def open(cls, snapshot: Snapshot, wanted: str | None) -> Book:
        package = Package.open(snapshot, snapshot.stream())
        sheet = _choose(package, wanted)
        zeros = zero_formats(package)
        windows = package.windows(sheet.part)
        struck = struck_formats(package)
        facts = scan(windows, zeros, struck, uncalculated=package.uncalculated)
        if facts.twice:
            raise FileRefused(
                sheets.CELL_TWICE(
                    path=str(snapshot.path),
                    sheet=told(sheet.name),
                    what=facts.twice,
                )
            )
        marked = len(facts.errors) + len(facts.no_value)
        if marked > MARKED_LIMIT or facts.lost:
            raise FileRefused(
                sheets.TOO_MANY_ERRORS(path=str(snapshot.path), sheet=told(sheet.name))
            )
        with suppress(ExpatError, ParseError):  # of broken ones nobody is told
            for part in package.comments(sheet):
                facts.commented += commented_cells(package.windows(part))
        cells = facts.last_row * facts.last_column
        at_once = package.small and cells <= DENSE_LIMIT
        signs = sign_formats(package)
        words = word_formats(package)
        return cls(package, sheet, facts, zeros, signs, words, at_once)

    def rows(self) -> Iterator[Values]:
        """The values of every row from the first of the sheet to the last in which a person sees
        something; once.
        """
        if self.at_once:
            rows = self._by_calamine()
        else:
            rows = self._by_openpyxl()
        count = 0
        for row in rows:
            count += 1
            yield row
        for _ in range(count, self.facts.last_marked):
            yield ()

    def _by_calamine(self) -> Iterator[Values]:
        import python_calamine

        with python_calamine.load_workbook(self.package.stored()) as workbook:
            sheet = workbook.get_sheet_by_name(self.sheet.name)
            indent: list[str] = []
            if sheet.start:
                indent = [""] * sheet.start[1]
            for row in sheet.iter_rows():
                yield indent + row

    def _by_openpyxl(self) -> Iterator[Values]:
        import openpyxl

        stream = self.package.snapshot.stream()
        workbook = openpyxl.load_workbook(
            stream,
            read_only=True,
            data_only=True,
            keep_links=False,
        )
        sheet = workbook[self.sheet.name]
        sheet.reset_dimensions()  # what a sheet says of its size is not to be trusted
        for row in sheet.iter_rows(values_only=True):
            yield list(map(_unescaped, row))


def _choose(package: Package, wanted: str | None) -> Sheet:
    names = ", ".join(f"'{told(sheet.name)}'" for sheet in package.sheets) or "none"
    path = str(package.snapshot.path)
    if wanted is not None:
        for sheet in package.sheets:
            if sheet.name == wanted:
                return sheet
        known = [sheet.name for sheet in package.sheets]
        near = difflib.get_close_matches(wanted, known, n=1)
        if not near:
            raise NoSuchSheet(
                sheets.NO_SHEET(path=path, sheet=told(wanted), names=names)
            )
        meant = told(near[0])
        raise NoSuchSheet(
            sheets.NO_SHEET_NEAR(
                path=path,
                sheet=told(wanted),
                near=meant,
                names=names,
            )
        )
    filled = []
    for sheet in package.sheets:
        if sheet.visible and has_values(package.windows(sheet.part)):
            filled.append(sheet)
    if not filled:
        raise FileRefused(sheets.NO_DATA(path=path, names=names))
    if len(filled) != 1:
        raise FileRefused(
            sheets.SEVERAL_SHEETS(
                path=path,
                sheets=len(filled),
                names=names,
            )
        )
    return filled[0]


def rejects_book(snapshot: Snapshot, missing: NoSuchSheet) -> Book:
    """The one sheet of a file of ours, which somebody's program has named; raises `missing` for any
    other file.
    """
    try:
        book = Book.open(snapshot, None)
    except FileRefused:
        raise missing from None
    if not rejects_row(list(islice(book.rows(), LOOKED_AT))):
        raise missing
    return Book.open(snapshot, None)  # its rows can be read once


def rejects_row(shown: Sequence[Values]) -> int:
    """The row, from 1, that holds our own columns, under the titles that the sheet had; 0: none.
    Such a file is known by them, whatever the job says of its inputs.
    """
    for row, values in enumerate(shown, 1):
        if is_rejects_file(cells_of(values)):
            return row
    return 0


def cells_of(values: Values) -> list[str]:
    cells = [text_of(value) for value in values]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def text_of(value: Any) -> str:
    """One cell's value as text."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        if value:
            return "true"
        return "false"
    if isinstance(value, (int, float)):
        if abs(value) < 1e15:
            return numbers.float_text(float(value))
        return numbers.plain_decimal(str(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return str(value)


def _unescaped(value: Any) -> Any:
    """`_x000D_` writes a character that XML cannot; calamine undoes it, openpyxl does not."""
    if type(value) is not str or "_x" not in value:
        return value
    from openpyxl.utils.escape import unescape

    return str(unescape(value))
