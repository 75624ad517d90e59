"""What spreadsheet libraries do not tell, from one pass over a sheet's XML: errors, formulas
without value, what is hidden or merged, styles.

Libraries put cells where their addresses say: of two cells or rows with one address one is lost
without a word. So every address is looked at here.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

# cells with an error or without a value; more and the sheet is broken as a whole
MARKED_LIMIT = 200_000
LAST_ROW = 1_048_576
LOOKS_LIMIT = 10_000  # kinds of rows whose styles are kept
STYLED_COLUMNS = 1000  # ... up to this one
_RANGE = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")
NAMED_LIMIT = 1000  # rows, columns and ranges that are kept to be named
_SLICE = 256 * 1024  # bytes that the parser gets at a time
_LETTERS = 26
_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_TRUE = ("1", "true")
# What stands behind the table (ECMA-376, CT_Worksheet): formulas there are of other things.
_BEHIND = (
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "drawing",
    "legacyDrawing",
    "tableParts",
    "extLst",
)


@dataclass(slots=True)
class RowLooks:
    """Heights and styles of all rows, equal ones kept once."""

    rows: array[int] = field(default_factory=lambda: array("I"))
    looks: array[int] = field(default_factory=lambda: array("I"))
    known: dict[tuple[str, tuple[int | str, ...]], int] = field(default_factory=dict)
    unfolded: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def add(self, row: int, height: str, styles: list[int | str]) -> None:
        """One row: column and style in turns."""
        look = (height, tuple(styles))
        at = self.known.get(look)
        if at is None:
            if len(self.known) >= LOOKS_LIMIT:
                return  # a sheet without two rows alike
            at = self.known[look] = len(self.known)
            self.unfolded.append((height, _unfolded(styles)))
        self.rows.append(row)
        self.looks.append(at)

    def of(self, row: int) -> tuple[str, tuple[int, ...]]:
        """Height and styles of one."""
        at = bisect_left(self.rows, row)
        if at < len(self.rows) and self.rows[at] == row:
            return self.unfolded[self.looks[at]]
        return "", ()


def _unfolded(styles: list[int | str]) -> tuple[int, ...]:
    by_column = {}
    for column, style in zip(styles[::2], styles[1::2], strict=True):
        text = str(style)
        if text.isdecimal() and len(text) < 6 and int(column) <= STYLED_COLUMNS:
            by_column[int(column)] = int(text)
    return tuple(
        by_column.get(column, 0) for column in range(1, max(by_column, default=0) + 1)
    )


@dataclass(slots=True)
class SheetFacts:
    """Cells by column and row, both from 1."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    no_value: set[tuple[int, int]] = field(default_factory=set)
    lost: bool = False  # a cell without an address that is one of them
    hidden_rows: int = 0
    first_hidden: list[int] = field(default_factory=list)  # of these rows
    hidden_columns: list[int] = field(default_factory=list)
    merged: int = 0
    first_merged: list[str] = field(default_factory=list)  # of these ranges
    # those over several rows: first column and row, last column and row
    merged_down: list[tuple[int, int, int, int]] = field(default_factory=list)
    last_row: int = 0
    last_column: int = 0
    twice: str = ""  # what stands there more than once, or where it does not belong
    styled: dict[int, Styled] = field(default_factory=dict)  # by column
    # columns, hidden
    widths: list[tuple[int, int, str, bool]] = field(default_factory=list)
    looks: RowLooks = field(default_factory=RowLooks)
    # row -> its columns whose style strikes through, empty cells among them
    struck: dict[int, frozenset[int]] = field(default_factory=dict)
    # cells with a comment, by column and row
    commented: list[tuple[int, int]] = field(default_factory=list)

    def look_of(self, row: int) -> tuple[str, tuple[int, ...]]:
        """Height and styles of a row, from its first column on; of any row that has none, none."""
        return self.looks.of(row)

    @property
    def last_marked(self) -> int:
        """The last row with an error or a formula without a value; libraries may end before it."""
        return max((row for _, row in (*self.errors, *self.no_value)), default=0)


@dataclass(slots=True)
class Styled:
    """The number cells of one column that have a chosen style, in the order of their rows."""

    rows: array[int] = field(default_factory=lambda: array("I"))
    styles: array[int] = field(default_factory=lambda: array("I"))

    def between(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Row and style of those from row `first` up to, not including, row `end`."""
        for at in range(bisect_left(self.rows, first), bisect_left(self.rows, end)):
            yield self.rows[at], self.styles[at]


def has_values(windows: Iterable[bytes]) -> bool:
    """Does any cell hold anything? No more of the sheet is read than that takes."""
    found: list[str] = []

    def started(tag: str, _: list[str]) -> None:
        if tag.rpartition(":")[2] in ("v", "is", "f"):
            found.append(tag)

    parser = _parser(started)
    return any(found for _ in _fed(parser, windows))


def scan(
    windows: Iterable[bytes],
    styles: Collection[int] = (),
    struck: Collection[int] = (),
    *,
    uncalculated: bool = False,
) -> SheetFacts:
    """One pass over a sheet's XML. Of number cells with one of these styles the place is kept, and
    of all cells with a `struck` one.
    `uncalculated`: a formula's 0 is what its writer put there for want of a value.

    Raises expat.ExpatError for what is no XML.
    """
    empty = frozenset({"", "0"} if uncalculated else {""})
    seen = _Scan(frozenset(map(str, styles)), empty)
    seen.struck = frozenset(map(str, struck))
    parser = _parser(seen.started)
    seen.listen = lambda heard: setattr(parser, "CharacterDataHandler", heard)
    for _ in _fed(parser, windows):
        if seen.facts.twice:
            break
    seen.end_cell()
    seen.end_row()
    return seen.facts


def commented_cells(windows: Iterable[bytes]) -> list[tuple[int, int]]:
    """Column and row of the cells to which a sheet's comments belong."""
    found: list[tuple[int, int]] = []

    def started(tag: str, attributes: list[str]) -> None:
        if tag.rpartition(":")[2] != "comment" or len(found) >= MARKED_LIMIT:
            return
        told = dict(zip(attributes[::2], attributes[1::2], strict=True))
        place = _PLACE.fullmatch(told.get("ref", ""))
        if place:
            found.append((column_number(place[1]), int(place[2])))

    for _ in _fed(_parser(started), windows):
        pass
    return found


def _parser(started: Callable[[str, list[str]], None]) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = started
    return parser


def _fed(parser: expat.XMLParserType, windows: Iterable[bytes]) -> Iterator[None]:
    """Gives the parser some at a time, to the end."""
    for window in windows:
        for start in range(0, len(window), _SLICE):
            parser.Parse(window[start : start + _SLICE], False)
            yield
    parser.Parse(b"", True)
    yield


class _Scan:
    """What the elements of a sheet tell, one after the other. A cell is looked at when the next
    element that is no part of it begins.
    """

    def __init__(self, styles: frozenset[str], empty: frozenset[str]) -> None:
        self.facts = SheetFacts()
        self._empty = empty  # texts of a formula that has no value
        self.struck: frozenset[str] = frozenset()
        self._struck: dict[tuple[int | str, ...], frozenset[int]] = {}  # by look
        self.listen: Callable[[Callable[[str], None] | None], None] = lambda _: None
        self._styles = styles
        self._tables = 0
        self._row = 0
        self._row_text = "0"
        self._column = 0
        self._in_row: set[int] = set()
        self._height = ""  # of the row
        self._look: list[int | str] = []  # of its cells: column and style in turns
        self._columns: dict[str, int] = {}  # letters -> number
        self._cell: tuple[int, bool, str] | None = None  # a cell to be looked at
        self._kind = ""  # of the cell that began last
        self._addressed = False
        self._in_table = False
        self._has_formula = False
        self._text: list[str] | None = None  # of its value
        self._on: dict[str, Callable[[list[str]], None]] = {}
        self._known: dict[str, Callable[[list[str]], None]] = {
            "c": self._start_cell,
            "v": self._start_value,
            "is": self._start_value,
            "f": self._start_formula,
            "row": self._start_row,
            "sheetData": self._start_table,
            "col": self._start_columns,
            "mergeCell": self._start_merged,
            **dict.fromkeys(_BEHIND, self._start_behind),
        }

    def started(self, tag: str, attributes: list[str]) -> None:
        """An element begins."""
        on = self._on.get(tag)
        if on is None:
            on = self._on[tag] = self._known.get(tag.rpartition(":")[2], _nothing)
        on(attributes)

    def end_cell(self) -> None:
        """The cell that was begun is whole."""
        if self._cell is None:
            return
        column, addressed, kind = self._cell
        text = "".join(self._text or ()).strip()
        place = (column, self._row)
        facts = self.facts
        if kind == "e":
            facts.lost |= not addressed
            if len(facts.errors) <= MARKED_LIMIT:
                facts.errors[place] = text or "#ERROR!"
        # a text may be empty
        elif self._has_formula and text in self._empty and kind != "str":
            facts.lost |= not addressed
            if len(facts.no_value) <= MARKED_LIMIT:
                facts.no_value.add(place)
        self._cell = None
        self._text = None
        self._has_formula = False
        self.listen(None)

    def end_row(self) -> None:
        """The row that was begun is whole."""
        if self._look or self._height:
            self.facts.looks.add(self._row, self._height, self._look)
        if self.struck and not self.struck.isdisjoint(self._look):
            self._strike(self._look)
        self._look = []
        self._height = ""

    def _strike(self, look: list[int | str]) -> None:
        key = tuple(look)
        if key not in self._struck:
            columns = []
            for column, style in zip(look[::2], look[1::2], strict=True):
                if style in self.struck:
                    columns.append(int(column))
            self._struck[key] = frozenset(columns)
        self.facts.struck[self._row] = self._struck[key]

    def _fault(self, what: str) -> None:
        self.facts.twice = self.facts.twice or what

    def _start_table(self, _: list[str]) -> None:
        self._tables += 1
        if self._tables > 1:
            self._fault("more than one table of cells")

    def _start_row(self, attributes: list[str]) -> None:
        if self._cell is not None:
            self.end_cell()
        self.end_row()
        told = dict(zip(attributes[::2], attributes[1::2], strict=True))
        text = told.get("r", "")
        if text.isdecimal() and len(text) < 10:
            number = int(text)
        else:
            number = self._row + 1
        if number <= self._row:
            self._fault(f"row {number} more than once, or out of its order")
        elif number > LAST_ROW:
            self._fault(f"row {number}, where a sheet ends at {LAST_ROW}")
        self._row = number
        self._row_text = str(number)
        self._column = 0
        self._in_row = set()
        self.facts.last_row = max(self.facts.last_row, number)
        if told.get("customHeight") in _TRUE:
            self._height = told.get("ht", "")[:8]
        if told.get("hidden") in _TRUE:
            self.facts.hidden_rows += 1
            if self.facts.hidden_rows <= NAMED_LIMIT:
                self.facts.first_hidden.append(number)

    def _start_cell(self, attributes: list[str]) -> None:
        if self._cell is not None:
            self.end_cell()
        reference = style = kind = ""
        for at in range(0, len(attributes), 2):
            name = attributes[at]
            if name == "r":
                reference = attributes[at + 1]
            elif name == "s":
                style = attributes[at + 1]
            elif name == "t":
                kind = attributes[at + 1]
        column = self._column_of(reference)
        if column in self._in_row:
            self._fault(f"a cell of row {self._row} more than once")
        self._in_row.add(column)
        self._column = column
        self.facts.last_column = max(self.facts.last_column, column)
        if style:
            self._look += (column, style)
        if style in self._styles and kind in ("", "n"):
            self._keep_style(column, int(style), addressed=bool(reference))
        self._kind = kind
        self._addressed = bool(reference)
        self._in_table = True
        if kind == "e":
            self._cell = (column, self._addressed, kind)

    def _column_of(self, reference: str) -> int:
        if not reference:
            return self._column + 1
        letters = reference.removesuffix(self._row_text)
        number = self._columns.get(letters)
        if number is not None:
            return number
        number = column_number(letters)
        if not number:
            self._fault(f"cells of another row in row {self._row}")
            return self._column + 1
        self._columns[letters] = number
        return number

    def _keep_style(self, column: int, style: int, *, addressed: bool) -> None:
        if not addressed:
            self._fault(
                "numbers shown with zeros, without the addresses of their cells"
            )
            return
        styled = self.facts.styled.setdefault(column, Styled())
        styled.rows.append(self._row)
        styled.styles.append(style)

    def _start_formula(self, _: list[str]) -> None:
        if not self._in_table:
            return
        if self._cell is None:
            self._cell = (self._column, self._addressed, self._kind)
        self._has_formula = True

    def _start_value(self, _: list[str]) -> None:
        if self._cell is not None and self._text is None:
            self._text = []
            self.listen(self._text.append)

    def _start_columns(self, attributes: list[str]) -> None:
        told = dict(zip(attributes[::2], attributes[1::2], strict=True))
        first, last = told.get("min", ""), told.get("max", "")
        if not first.isdecimal() or not last.isdecimal():
            return
        if len(self.facts.widths) < NAMED_LIMIT:
            hidden = told.get("hidden") in _TRUE
            self.facts.widths.append(
                (int(first), int(last), told.get("width", "")[:20], hidden)
            )
        if told.get("hidden") in _TRUE:
            some = range(int(first), min(int(last), int(first) + NAMED_LIMIT) + 1)
            self.facts.hidden_columns.extend(some)

    def _start_merged(self, attributes: list[str]) -> None:
        told = dict(zip(attributes[::2], attributes[1::2], strict=True))
        self.facts.merged += 1
        if self.facts.merged <= NAMED_LIMIT:
            self.facts.first_merged.append(told.get("ref", ""))
        if found := _RANGE.fullmatch(told.get("ref", "")):
            first, last = int(found[2]), int(found[4])
            if first < last <= LAST_ROW:
                columns = column_number(found[1]), column_number(found[3])
                self.facts.merged_down.append((columns[0], first, columns[1], last))

    def _start_behind(self, _: list[str]) -> None:
        if self._cell is not None:
            self.end_cell()
        self._in_table = False


def _nothing(_: list[str]) -> None:
    """An element that tells nothing."""


def column_number(letters: str) -> int:
    """28 for AB; 0 for what is no column."""
    if not letters.isascii() or not letters.isalpha() or len(letters) > 3:
        return 0
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number


def column_name(number: int) -> str:
    """28 is AB."""
    name = ""
    while number:
        number, letter = divmod(number - 1, _LETTERS)
        name = chr(ord("A") + letter) + name
    return name
