"""XLSX: one sheet by calamine, or row by row through openpyxl when it is too large to be held in
memory.

Cells are what the sheet stores, not how it shows them: 1234.5 for "1,234.50 THB", ISO dates, true
or false; only zeros in front of a whole number are read as they are shown, as ids have them. A time
of midnight is a date alone, as a sheet does not tell them apart. Links, macros and formulas are
never followed or run.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from batchpay.domain.errors import FileRefused
from batchpay.domain.lineage import is_rejects_file
from batchpay.domain.model import Problem
from batchpay.domain.text import told
from batchpay.job.job import Input, Roles
from batchpay.messages import files
from batchpay.messages.message import Message
from batchpay.messages.problems import BEYOND, NO_VALUE, SHEET_ERROR
from batchpay.readers import numbers
from batchpay.readers.header import check_header
from batchpay.readers.pieces import ROW, Notes, Piece, Typed, batch_of, raw_of
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.table import CHUNK_ROWS, Table
from batchpay.readers.xlsx.formats import Unlike, Zeros, zero_formats
from batchpay.readers.xlsx.package import Package, Sheet
from batchpay.readers.xlsx.sheet import MARKED_LIMIT, SheetFacts, column_name, has_values, scan

DENSE_LIMIT = 30_000_000  # cells between A1 and the last one, which calamine holds all
Values = Sequence[Any]


def read_xlsx(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
    roles: Roles,
) -> Table:
    """The table of one sheet of a workbook, whose rows can be read once. Raises FileRefused, and
    what libraries do.
    """
    try:
        book = _Book.open(snapshot, settings.sheet)
    except _NoSuchSheet as missing:
        book = _rejects_book(snapshot, missing)
    rows = book.rows()
    header_row, header, below = _header(rows, settings.header_row)
    names, about = check_header(snapshot.path, header, wanted, header_row, settings.aliases)

    def pieces(notes: Notes) -> Iterator[Piece]:
        values = chain(below, rows)
        formed = settings.formed
        return _pieces(book, values, names, wanted, formed, header_row + 1, notes)

    return Table(snapshot, names, book.sheet.name, pieces, settings.not_cards, about + _about(book))


@dataclass(slots=True)
class _Book:
    """A workbook with the sheet that was chosen and what its XML tells."""

    package: Package
    sheet: Sheet
    facts: SheetFacts
    zeros: Mapping[int, Zeros | Unlike]
    at_once: bool

    @classmethod
    def open(cls, snapshot: Snapshot, wanted: str | None) -> _Book:
        package = Package.open(snapshot, snapshot.stream())
        sheet = _choose(package, wanted)
        zeros = zero_formats(package)
        facts = scan(package.windows(sheet.part), zeros)
        if facts.twice:
            raise FileRefused(
                files.CELL_TWICE(
                    path=str(snapshot.path),
                    sheet=told(sheet.name),
                    what=facts.twice,
                )
            )
        marked = len(facts.errors) + len(facts.no_value)
        if marked > MARKED_LIMIT or facts.lost:
            raise FileRefused(
                files.TOO_MANY_ERRORS(path=str(snapshot.path), sheet=told(sheet.name))
            )
        cells = facts.last_row * facts.last_column
        at_once = package.small and cells <= DENSE_LIMIT
        return cls(package, sheet, facts, zeros, at_once)

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
            raise _NoSuchSheet(files.NO_SHEET(path=path, sheet=told(wanted), names=names))
        meant = told(near[0])
        raise _NoSuchSheet(
            files.NO_SHEET_NEAR(
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
        raise FileRefused(files.NO_DATA(path=path, names=names))
    if len(filled) != 1:
        raise FileRefused(
            files.SEVERAL_SHEETS(
                path=path,
                sheets=len(filled),
                names=names,
            )
        )
    return filled[0]


def _about(book: _Book) -> list[Message]:
    """What a person should know of the sheet that its rows do not show."""
    hidden = []
    for sheet in book.package.sheets:
        if not sheet.visible and sheet != book.sheet:
            hidden.append(f"'{told(sheet.name)}'")
    facts = book.facts
    about = [
        (not book.sheet.visible, files.HIDDEN_SHEET(sheet=told(book.sheet.name))),
        (hidden, files.HIDDEN_SHEETS(names=", ".join(hidden))),
        (facts.hidden_rows, files.HIDDEN_ROWS(rows=facts.hidden_rows)),
        (facts.merged, files.MERGED_CELLS(ranges=facts.merged)),
        (book.package.has_macros, files.MACROS()),
        (not book.at_once, files.ROW_BY_ROW()),
    ]
    return [note for holds, note in about if holds]


def _header(rows: Iterator[Values], row: int) -> tuple[int, list[str], list[Values]]:
    """The header's row and cells, and rows below it that have been read already.

    A file of ours that comes back has its header in row 1, whatever the job says of its inputs.
    """
    above = list(islice(rows, row))
    if above:
        first = _cells(above[0])
        if is_rejects_file(first):
            return 1, first, above[1:]
    if len(above) < row:
        return row, [], []
    return row, _cells(above[-1]), []


def _cells(values: Values) -> list[str]:
    cells = [_text(value) for value in values]
    while cells and not cells[-1]:
        cells.pop()
    return cells


class _NoSuchSheet(FileRefused):
    """The sheet that the job names is not there."""


def _rejects_book(snapshot: Snapshot, missing: _NoSuchSheet) -> _Book:
    """The one sheet of a file of ours, which somebody's program has named; raises `missing` for any
    other file.
    """
    try:
        book = _Book.open(snapshot, None)
    except FileRefused:
        raise missing from None
    if not is_rejects_file(_cells(next(book.rows(), ()))):
        raise missing
    return _Book.open(snapshot, None)  # its rows can be read once


def _pieces(
    book: _Book,
    rows: Iterator[Values],
    names: Sequence[str],
    wanted: Collection[str],
    formed: Collection[str],
    row: int,
    notes: Notes,
) -> Iterator[Piece]:
    marked = _Marked(book.facts, names, wanted)
    seen = _Seen(book, names, wanted)
    while values := list(islice(rows, CHUNK_ROWS)):
        yield _piece(values, names, wanted, formed, row, marked, seen)
        row += len(values)
    for note in seen.notes.values():
        notes.add(note)
    if marked.elsewhere:
        notes.add(files.MARKED_ELSEWHERE(cells=marked.elsewhere))


def _piece(
    values: list[Values],
    names: Sequence[str],
    wanted: Collection[str],
    formed: Collection[str],
    row: int,
    marked: _Marked,
    seen: _Seen,
) -> Piece:
    width = len(names)
    fitted = [_fitted(cells, width) for cells in values]
    columns = list(zip(*fitted, strict=True))
    texts = [[_text(value) for value in column] for column in columns]
    problems: dict[int, list[Problem]] = {}
    typed: Typed = {}
    for name, column, column_texts in zip(names, columns, texts, strict=True):
        if name not in wanted:
            continue
        for at, value in enumerate(column):
            if type(value) in (int, float):
                if found := numbers.inexact(name, value, column_texts[at]):
                    problems.setdefault(at, []).append(found)
                if numbers.is_told(column_texts[at], formed=name in formed):
                    typed.setdefault(name, {})[at] = "number"
            elif type(value) is not str and (kind := _kind(value)):
                typed.setdefault(name, {})[at] = kind
    seen.apply(row, columns, texts, typed)
    marked.apply(row, texts, problems)
    for at, cells in enumerate(values):
        if len(cells) <= width:
            continue
        beyond = list(filter(None, map(_text, cells[width:])))
        if not beyond:
            continue
        texts[-1][at] = " ".join(filter(None, (texts[-1][at], *beyond)))
        problem = Problem(ROW, told(" ".join(beyond)), _beyond(width))
        problems.setdefault(at, []).append(problem)
    marked.keep_blank(row, texts, problems)
    batch = batch_of(names, texts)
    return Piece(batch, range(row, row + len(values)), raw_of(batch), problems, typed)


def _beyond(width: int) -> Message:
    return BEYOND(column=column_name(width + 1))


def _fitted(cells: Values, width: int) -> Values:
    if len(cells) >= width:
        return cells[:width]
    return [*cells, *[""] * (width - len(cells))]


class _Seen:
    """Whole numbers shown with zeros: what is shown is what a person takes for the id."""

    def __init__(self, book: _Book, names: Sequence[str], wanted: Collection[str]) -> None:
        self.notes: dict[str, Message] = {}  # by column, of those that a field uses
        self._zeros = book.zeros
        self._names = names
        self._wanted = wanted
        self._styled = {
            column: cells for column, cells in book.facts.styled.items() if column <= len(names)
        }

    def apply(
        self,
        first: int,
        columns: Sequence[Values],
        texts: list[list[str]],
        typed: Typed,
    ) -> None:
        """Let the cells of the rows from `first` on be what the sheet shows; what no id looks like
        is marked.
        """
        for column, styled in self._styled.items():
            name = self._names[column - 1]
            values = columns[column - 1]
            shown_texts = texts[column - 1]
            for row, style in styled.between(first, first + len(values)):
                at = row - first
                form = self._zeros[style]
                value = values[at]
                if isinstance(form, Unlike):
                    if type(value) in (int, float):
                        typed.setdefault(name, {})[at] = form.kind
                    continue
                was = shown_texts[at]
                seen = _with_zeros(value, form)
                if seen and seen != was:
                    shown_texts[at] = seen
                    self._note(name, seen, was)

    def _note(self, name: str, seen: str, number: str) -> None:
        if name in self._wanted and name not in self.notes:
            example = files.SHOWN_FOR(shown=told(seen), number=told(number))
            self.notes[name] = files.WITH_ZEROS(column=told(name), example=example)


def _with_zeros(value: Any, zeros: Zeros) -> str:
    """A whole number of exactly known digits as the sheet shows it; empty for anything else."""
    if type(value) not in (int, float):
        return ""
    if abs(value) >= numbers.EXACT_BELOW or not float(value).is_integer():
        return ""
    return zeros.shown(int(value))


class _Marked:
    """The cells that have an error or no value, row by row."""

    def __init__(self, facts: SheetFacts, names: Sequence[str], wanted: Collection[str]) -> None:
        self.elsewhere = 0
        self._names = names
        self._wanted = wanted
        self._by_row: dict[int, list[tuple[int, str]]] = {}
        for column, row in sorted(facts.no_value):
            self._by_row.setdefault(row, []).append((column, ""))
        for (column, row), error in sorted(facts.errors.items()):
            self._by_row.setdefault(row, []).append((column, error))

    def apply(self, first: int, texts: list[list[str]], problems: dict[int, list[Problem]]) -> None:
        """Blame the rows from `first` on, and let error cells show their error."""
        if not self._by_row:
            return
        width = len(self._names)
        for at in range(len(texts[0])):
            for column, error in self._by_row.get(first + at, ()):
                if column > width:
                    beyond = error or "a formula without a value"
                    problem = Problem(ROW, beyond, _beyond(width))
                    problems.setdefault(at, []).append(problem)
                    continue
                name = self._names[column - 1]
                texts[column - 1][at] = error
                if name not in self._wanted:
                    self.elsewhere += 1
                    continue
                if error:
                    said = SHEET_ERROR()
                else:
                    said = NO_VALUE()
                problems.setdefault(at, []).append(Problem(name, error, said))

    def keep_blank(
        self, first: int, texts: list[list[str]], problems: dict[int, list[Problem]]
    ) -> None:
        """A row in which nothing stands but formulas without a value is a row: a spreadsheet
        program shows them.
        """
        if not self._by_row:
            return
        for at in range(len(texts[0])):
            is_marked = first + at in self._by_row
            if not is_marked or at in problems:
                continue
            if not any(column[at] for column in texts):
                problems[at] = [Problem(ROW, "", NO_VALUE())]


def _text(value: Any) -> str:
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


def _kind(value: Any) -> str:
    """What a cell is when neither text nor number."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return "date"
    return ""


def _unescaped(value: Any) -> Any:
    """`_x000D_` writes a character that XML cannot; calamine undoes it, openpyxl does not."""
    if type(value) is not str or "_x" not in value:
        return value
    from openpyxl.utils.escape import unescape

    return str(unescape(value))
