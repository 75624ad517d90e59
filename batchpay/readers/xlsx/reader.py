"""XLSX: one sheet by calamine, or row by row through openpyxl when it is too large to be held in
memory.

Cells are what the sheet stores, not how it shows them: 1234.5 for "1,234.50 THB", ISO dates, true
or false; only zeros in front of a whole number are read as they are shown, as ids have them. A time
of midnight is a date alone, as a sheet does not tell them apart. Links, macros and formulas are
never followed or run.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from batchpay.domain.errors import FileRefused
from batchpay.domain.figures import SIGNS
from batchpay.domain.model import Problem
from batchpay.domain.text import told
from batchpay.job.job import Input, Roles
from batchpay.messages import headers, noticed, sheets
from batchpay.messages.message import Message
from batchpay.messages.problems import BEYOND, NO_VALUE_IN, SHEET_ERROR_IN
from batchpay.readers import numbers
from batchpay.readers.header import check_header, is_of_header
from batchpay.readers.looking import LOOKED_AT, Groups, groups_of
from batchpay.readers.looks import ERROR, TEXT, Looks, SheetLook, pack
from batchpay.readers.pieces import ROW, Notes, Piece, Typed, batch_of, raw_of
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.table import CHUNK_ROWS, Table
from batchpay.readers.xlsx.area import Area
from batchpay.readers.xlsx.book import (
    Book,
    NoSuchSheet,
    Values,
    cells_of,
    rejects_book,
    rejects_row,
    text_of,
)
from batchpay.readers.xlsx.formats import Unlike, Zeros
from batchpay.readers.xlsx.layout import Layout
from batchpay.readers.xlsx.looks import RowsSeen, sheet_look
from batchpay.readers.xlsx.remarks import Merged, Signs, Struck, comments_on, some
from batchpay.readers.xlsx.seeking import other_row, side_by_side, which_sheet
from batchpay.readers.xlsx.sheet import SheetFacts, column_name

_UNCLEAR = frozenset(
    {sheets.NO_SHEET.code, sheets.NO_SHEET_NEAR.code, sheets.SEVERAL_SHEETS.code}
)
_TEXT_NUMBER = re.compile(r"\s*-?[0-9][0-9,]*(\.[0-9]+)?\s*")


def read_xlsx(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
    roles: Roles,
) -> Table:
    """The table of one sheet of a workbook, whose rows can be read once. Raises FileRefused, with
    the one change of the job that makes it readable where looking shows one, and what libraries do.
    """
    groups = groups_of(wanted, settings.aliases)
    book = _opened(snapshot, settings, groups)
    all_rows = book.rows()
    shown = list(islice(all_rows, LOOKED_AT))
    rows: Iterator[Values] = chain(shown, all_rows)
    area = None
    header_row = settings.header_row
    ours = rejects_row(shown)
    if settings.area and not ours:
        area = Area.of(settings.area)
        rows = area.cut(rows)
        book.facts = area.of_facts(book.facts)
        header_row, header = area.first_row, _header(rows, 1)
    else:
        header_row = ours or header_row
        header = _header(rows, header_row)
    try:
        names, about = check_header(
            snapshot.path, header, wanted, header_row, settings.aliases
        )
    except FileRefused as refused:
        said = None
        if is_of_header(refused):
            said = other_row(book, shown, header_row, area, groups)
        elif refused.said[0].code == headers.COLUMN_TWICE.code and area is None:
            said = side_by_side(book, header, header_row, groups)
        if said is None:
            raise
        raise FileRefused(said) from refused
    layout = Layout(
        names=names,
        wanted=frozenset(wanted),
        formed=settings.formed,
        money=frozenset(roles.money),
        needed=frozenset(roles.needed),
        before=area.first_column - 1 if area else 0,
        currency=roles.currency,
        currencies=frozenset(roles.currencies),
        ids=frozenset(roles.ids),
    )

    look = None
    if header_row <= len(shown):
        look = sheet_look(book, shown[: header_row - 1], names, layout.before)

    def pieces(notes: Notes) -> Iterator[Piece]:
        blamed = (
            Struck(book.facts, layout, settings.struck_rows == "accept"),
            Merged(book.facts, layout),
        )
        return _pieces(book, rows, layout, header_row + 1, notes, look, blamed)

    about += _about(book, layout)
    if not ours:  # where each wrong cell has one
        about += comments_on(book.facts, layout, header_row)
    return Table(snapshot, names, book.sheet.name, pieces, settings.not_cards, about)


def _opened(snapshot: Snapshot, settings: Input, groups: Groups) -> Book:
    """The workbook with the sheet that is meant. Raises FileRefused, which names the one that holds
    the columns when the job does not.
    """
    try:
        try:
            return Book.open(snapshot, settings.sheet)
        except NoSuchSheet as missing:
            return rejects_book(snapshot, missing)
    except FileRefused as refused:
        said = None
        if refused.said[0].code in _UNCLEAR:
            said = which_sheet(snapshot, settings.sheet, settings.header_row, groups)
        if said is None:
            raise
        raise FileRefused(said) from refused


def _about(book: Book, layout: Layout) -> list[Message]:
    """What a person should know of the sheet that its rows do not show."""
    hidden = []
    for sheet in book.package.sheets:
        if not sheet.visible and sheet != book.sheet:
            hidden.append(f"'{told(sheet.name)}'")
    facts = book.facts
    columns = []
    for column in facts.hidden_columns:
        if column <= len(layout.names) and layout.names[column - 1] in layout.wanted:
            letter = column_name(column + layout.before)
            columns.append(f"{letter} ('{told(layout.names[column - 1])}')")
    rows = some([str(row) for row in facts.first_hidden], facts.hidden_rows)
    ranges = some(facts.first_merged, facts.merged)
    about = [
        (not book.sheet.visible, noticed.HIDDEN_SHEET(sheet=told(book.sheet.name))),
        (hidden, noticed.HIDDEN_SHEETS(names=", ".join(hidden))),
        (facts.hidden_rows, noticed.HIDDEN_ROWS(rows=facts.hidden_rows, named=rows)),
        (columns, noticed.HIDDEN_COLUMNS(named=some(columns, len(columns)))),
        (facts.merged, noticed.MERGED_CELLS(ranges=facts.merged, named=ranges)),
        (book.package.from_1904, noticed.FROM_1904()),
        (book.package.has_macros, noticed.MACROS()),
        (not book.at_once, noticed.ROW_BY_ROW()),
    ]
    return [
        *(note for holds, note in about if holds),
        *_other_signs(book, layout),
        *_other_words(book, layout),
    ]


def _other_signs(book: Book, layout: Layout) -> Iterator[Message]:
    """Of a column of amounts whose cells are shown with the sign of another currency than the job
    says that they are.
    """
    if not layout.currency:
        return
    others = {
        style: sign
        for style, sign in book.signs.items()
        if layout.currency not in SIGNS[sign]
    }
    for name, shown in _shown_in(book, layout, others):
        yield noticed.SHOWN_WITH(column=name, sign=shown, currency=layout.currency)


def _other_words(book: Book, layout: Layout) -> Iterator[Message]:
    """Of one whose cells are shown with words that make another amount of a number, or none."""
    for name, shown in _shown_in(book, layout, book.words):
        yield noticed.SHOWN_AS(column=name, word=shown)


def _shown_in(
    book: Book, layout: Layout, told_of: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    """Each column of amounts with what the styles of its cells tell."""
    if not told_of:
        return
    found: dict[int, dict[str, None]] = {}
    for _, styles in book.facts.looks.known:
        for column, style in zip(styles[::2], styles[1::2], strict=True):
            text = told_of.get(int(style)) if str(style).isdecimal() else None
            if text:
                found.setdefault(int(column), {})[told(text)] = None
    for column, name in enumerate(layout.names, 1 + layout.before):
        if name in layout.money and column in found:
            yield told(name), ", ".join(found[column])


def _header(rows: Iterator[Values], row: int) -> list[str]:
    """The cells of the header; the rows from it on are read."""
    above = list(islice(rows, row))
    if len(above) < row:
        return []
    return cells_of(above[-1])


def _pieces(
    book: Book,
    rows: Iterator[Values],
    layout: Layout,
    row: int,
    notes: Notes,
    look: SheetLook | None,
    blamed: tuple[Struck, Merged],
) -> Iterator[Piece]:
    marked = _Marked(book.facts, layout)
    seen = _Seen(book, layout)
    kinds = _Kinds(layout)
    signs = Signs(book.facts, layout, book.signs)
    rows_seen = RowsSeen(book, layout.before)
    while values := list(islice(rows, CHUNK_ROWS)):
        piece = _piece(values, layout, row, marked, seen, kinds, blamed, signs)
        piece.looks = _looks(rows_seen, values, row, layout, look, book)
        yield piece
        row += len(values)
        look = None
    struck = blamed[0].notes()
    for note in (*seen.notes.values(), *kinds.notes(), *struck, *signs.notes()):
        notes.add(note)
    if marked.elsewhere:
        notes.add(noticed.MARKED_ELSEWHERE(cells=marked.elsewhere))


def _looks(
    rows_seen: RowsSeen,
    values: list[Values],
    first: int,
    layout: Layout,
    sheet: SheetLook | None,
    book: Book,
) -> bytes:
    rows = {}
    for row, cells in enumerate(values, first):
        rows[row] = rows_seen.of(row, cells[: len(layout.names)])
    for column, row in book.facts.errors:
        at = column - 1  # of the table, as all facts of it
        if row in rows and at < len(layout.names):
            kinds = rows[row].kinds.ljust(at + 1, TEXT)
            rows[row] = rows[row]._replace(kinds=kinds[:at] + ERROR + kinds[at + 1 :])
    return pack(Looks(sheet, rows=rows))


def _piece(
    values: list[Values],
    layout: Layout,
    row: int,
    marked: _Marked,
    seen: _Seen,
    kinds: _Kinds,
    blamed: tuple[Struck, Merged],
    signs: Signs,
) -> Piece:
    names = layout.names
    width = len(names)
    fitted = [_fitted(cells, width) for cells in values]
    columns = list(zip(*fitted, strict=True))
    texts = [[text_of(value) for value in column] for column in columns]
    problems: dict[int, list[Problem]] = {}
    typed: Typed = {}
    for name, column, column_texts in zip(names, columns, texts, strict=True):
        if name not in layout.wanted:
            continue
        for at, value in enumerate(column):
            if type(value) in (int, float):
                if found := numbers.inexact(name, value, column_texts[at]):
                    problems.setdefault(at, []).append(found)
                if numbers.is_told(column_texts[at], formed=name in layout.formed):
                    typed.setdefault(name, {})[at] = "number"
            elif type(value) is not str and (kind := _kind(value)):
                typed.setdefault(name, {})[at] = kind
    kinds.see(row, columns)
    signs.see(row, columns, texts)
    seen.apply(row, columns, texts, typed)
    marked.apply(row, texts, problems)
    for one in blamed:
        one.apply(row, texts, problems)
    for at, cells in enumerate(values):
        if len(cells) <= width:
            continue
        more = list(map(text_of, cells[width:]))
        beyond = list(filter(None, more))
        if not beyond:
            continue
        texts[-1][at] = " ".join(filter(None, (texts[-1][at], *beyond)))
        place = width + 1 + more.index(beyond[0])
        said = _beyond(layout, place, row + at)
        problem = Problem(ROW, told(" ".join(beyond)), said)
        problems.setdefault(at, []).append(problem)
    marked.keep_blank(row, texts, problems)
    batch = batch_of(names, texts)
    return Piece(batch, range(row, row + len(values)), raw_of(batch), problems, typed)


@dataclass(slots=True)
class _Kinds:
    """Columns of amounts in which some cells are numbers and others texts that look like some."""

    layout: Layout
    numbers: dict[str, int] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)  # addresses

    def see(self, first: int, columns: Sequence[Values]) -> None:
        """Look at the amounts of the rows from `first` on."""
        for at, name in enumerate(self.layout.names):
            if name not in self.layout.money:
                continue
            for row, value in enumerate(columns[at], first):
                if type(value) in (int, float):
                    self.numbers[name] = self.numbers.get(name, 0) + 1
                elif type(value) is str and _TEXT_NUMBER.fullmatch(value):
                    address = self.layout.address(at + 1, row)
                    self.texts.setdefault(name, []).append(address)

    def notes(self) -> Iterator[Message]:
        """Of each column that has both, one."""
        for name, cells in self.texts.items():
            if self.numbers.get(name):
                yield noticed.TEXT_NUMBERS(
                    column=told(name),
                    cells=len(cells),
                    named=some(cells, len(cells)),
                )


def _beyond(layout: Layout, column: int, row: int) -> Message:
    """`column` counts from the table's first."""
    cell = layout.address(column, row)
    return BEYOND(cell=cell, column=cell.rstrip("0123456789"))


def _fitted(cells: Values, width: int) -> Values:
    if len(cells) >= width:
        return cells[:width]
    return [*cells, *[""] * (width - len(cells))]


class _Seen:
    """Whole numbers shown with zeros: what is shown is what a person takes for the id."""

    def __init__(self, book: Book, layout: Layout) -> None:
        self.notes: dict[str, Message] = {}  # by column, of those that a field uses
        self._zeros = book.zeros
        self._names = layout.names
        self._wanted = layout.wanted
        self._money = layout.money
        self._styled = {
            column: cells
            for column, cells in book.facts.styled.items()
            if column <= len(layout.names)
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
                    kind = form.kind
                    if name in self._money:
                        kind = form.of_money
                    if kind and type(value) in (int, float):
                        typed.setdefault(name, {})[at] = kind
                    continue
                was = shown_texts[at]
                seen = _with_zeros(value, form)
                if seen and seen != was:
                    shown_texts[at] = seen
                    self._note(name, seen, was)

    def _note(self, name: str, seen: str, number: str) -> None:
        if name in self._wanted and name not in self.notes:
            example = noticed.SHOWN_FOR(shown=told(seen), number=told(number))
            self.notes[name] = noticed.WITH_ZEROS(column=told(name), example=example)


def _with_zeros(value: Any, zeros: Zeros) -> str:
    """A whole number of exactly known digits as the sheet shows it; empty for anything else."""
    if type(value) not in (int, float):
        return ""
    if abs(value) >= numbers.EXACT_BELOW or not float(value).is_integer():
        return ""
    return zeros.shown(int(value))


class _Marked:
    """The cells that have an error or no value, row by row."""

    def __init__(self, facts: SheetFacts, layout: Layout) -> None:
        self.elsewhere = 0
        self._layout = layout
        self._names = layout.names
        self._wanted = layout.wanted
        self._by_row: dict[int, list[tuple[int, str]]] = {}
        for column, row in sorted(facts.no_value):
            self._by_row.setdefault(row, []).append((column, ""))
        for (column, row), error in sorted(facts.errors.items()):
            self._by_row.setdefault(row, []).append((column, error))

    def apply(
        self, first: int, texts: list[list[str]], problems: dict[int, list[Problem]]
    ) -> None:
        """Blame the rows from `first` on, and let error cells show their error."""
        if not self._by_row:
            return
        width = len(self._names)
        for at in range(len(texts[0])):
            for column, error in self._by_row.get(first + at, ()):
                if column > width:
                    beyond = error or "a formula without a value"
                    said = _beyond(self._layout, column, first + at)
                    problem = Problem(ROW, beyond, said)
                    problems.setdefault(at, []).append(problem)
                    continue
                name = self._names[column - 1]
                texts[column - 1][at] = error
                if name not in self._wanted:
                    self.elsewhere += 1
                    continue
                cell = self._layout.address(column, first + at)
                if error:
                    said = SHEET_ERROR_IN(cell=cell)
                else:
                    said = NO_VALUE_IN(cell=cell)
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
                cell = self._layout.address(self._by_row[first + at][0][0], first + at)
                problems[at] = [Problem(ROW, "", NO_VALUE_IN(cell=cell))]


def _kind(value: Any) -> str:
    """What a cell is when neither text nor number."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return "date"
    return ""
