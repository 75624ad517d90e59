"""What spreadsheet libraries do not tell, read from a sheet's XML: errors, formulas without value,
hidden rows, styles.

Libraries put cells where their addresses say: of two cells or rows with one address one is lost
without a word. So every address is looked at here.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

# cells with an error or without a value; more and the sheet is broken as a whole
MARKED_LIMIT = 200_000
LAST_ROW = 1_048_576
_ROW_LIMIT = 32 * 1024**2
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is|f)[\s>/]")
_ERROR = re.compile(
    rb"""<(?:\w+:)?c\s([^>]*\bt\s*=\s*["']e["'][^>]*)>(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?"""
    rb"""(?:<(?:\w+:)?v[^>]*>([^<]*))?"""
)
_NO_VALUE = re.compile(
    rb"""<(?:\w+:)?c((?:\s[^>]*)?)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"""
)
_DATA = re.compile(rb"<(?:\w+:)?sheetData[\s>]")
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])")
_ROW_NUMBER = re.compile(rb"""[^>]*?\sr\s*=\s*["'](\d{1,9})["']""")
_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']([A-Za-z]{1,3})(\d{1,9})["']""")
_TYPE = re.compile(rb"""\bt\s*=\s*["'](?!n["'])""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_HIDDEN = re.compile(rb"""<(?:\w+:)?row\s[^>]*\bhidden\s*=\s*["'](?:1|true)["']""")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_COLUMNS = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})\d""")
_LETTERS = 26


@dataclass(slots=True)
class SheetFacts:
    """Cells by column and row, both from 1."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    no_value: set[tuple[int, int]] = field(default_factory=set)
    lost: bool = False  # a cell without an address that is one of them
    hidden_rows: int = 0
    merged: int = 0
    last_row: int = 0
    last_column: int = 0
    twice: str = ""  # what stands there more than once, or where it does not belong
    styled: dict[int, Styled] = field(default_factory=dict)  # by column

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
    """Does any cell hold anything?"""
    return any(_VALUE.search(window) for window in _whole_rows(windows))


def scan(windows: Iterable[bytes], styles: Collection[int] = ()) -> SheetFacts:
    """One pass over a sheet's XML. Of number cells with one of these styles the place is kept."""
    facts = SheetFacts()
    addresses = _Addresses()
    of_style = re.compile(
        rb"""<(?:\w+:)?c\s([^>]*?\bs\s*=\s*["'](%s)["'][^>]*)>"""
        % b"|".join(b"%d" % number for number in styles)
    )
    for window in _whole_rows(windows):
        facts.twice = facts.twice or addresses.fault_in(window)
        for found in of_style.finditer(window) if styles else ():
            _keep_style(facts, found[1], int(found[2]))
        if b'"e"' in window or b"'e'" in window:
            for found in _ERROR.finditer(window):
                if (place := _place(found[1])) and len(facts.errors) <= MARKED_LIMIT:
                    facts.errors[place] = (found[2] or b"#ERROR!").decode("ascii", "replace")
                facts.lost |= place is None
        if _FORMULA.search(window):
            for found in _NO_VALUE.finditer(window):
                if b't="str"' in found[1]:
                    continue  # a formula whose text is empty
                if (place := _place(found[1])) and len(facts.no_value) <= MARKED_LIMIT:
                    facts.no_value.add(place)
                facts.lost |= place is None
        if b"hidden" in window:
            facts.hidden_rows += len(_HIDDEN.findall(window))
        if b"mergeCell" in window:
            facts.merged += len(_MERGED.findall(window))
        facts.last_column = max(facts.last_column, *map(_column, set(_COLUMNS.findall(window))), 0)
        facts.last_row = max(facts.last_row, _last_row(window))
    return facts


def _keep_style(facts: SheetFacts, attributes: bytes, style: int) -> None:
    place = _place(attributes)
    if _TYPE.search(attributes):
        return
    if place is None:
        facts.twice = (
            facts.twice or "numbers shown with zeros, without the addresses of their cells"
        )
    else:
        styled = facts.styled.setdefault(place[0], Styled())
        styled.rows.append(place[1])
        styled.styles.append(style)


class _Addresses:
    """Rows come one after the other, and cells lie in the row around them, each once."""

    def __init__(self) -> None:
        self._row = 0
        self._tables = 0

    def fault_in(self, window: bytes) -> str:
        """What is wrong with the rows of a window, which are whole ones; empty when nothing is."""
        self._tables += len(_DATA.findall(window))
        if self._tables > 1:
            return "more than one table of cells"
        for row in _ROW.split(window)[1:]:
            found = _ROW_NUMBER.match(row)
            if found:
                number = int(found[1])
            else:
                number = self._row + 1
            if number <= self._row:
                return f"row {number} more than once, or out of its order"
            if number > LAST_ROW:
                return f"row {number}, where a sheet ends at {LAST_ROW}"
            self._row = number
            cells = _CELL.findall(row)
            if {int(digits) for digits in {digits for _, digits in cells}} - {number}:
                return f"cells of another row in row {number}"
            if len(set(cells)) < len(cells):
                return f"a cell of row {number} more than once"
        return ""


def _last_row(window: bytes) -> int:
    """The largest row number; looked for among the longest ones only."""
    for digits in range(7, 0, -1):
        longest = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{0,3}(\d{%d})["']""" % digits)
        if longest.search(window):
            return max(map(int, longest.findall(window)))
    return 0


def _whole_rows(windows: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut before the start of a row."""
    kept = b""
    for window in windows:
        data = kept + window
        cut = max(data.rfind(b"<row"), data.rfind(b":row"))
        if cut <= 0 and len(data) < _ROW_LIMIT:
            kept = data
            continue
        if cut > 0:
            cut = data.rfind(b"<", 0, cut + 1)
        else:
            cut = len(data)
        if cut > 0:
            yield data[:cut]
        kept = data[cut:]
    if kept:
        yield kept


def _place(attributes: bytes) -> tuple[int, int] | None:
    found = _REFERENCE.search(attributes)
    if found:
        return (_column(found[1]), int(found[2]))
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + letter - ord("A") + 1
    return number


def column_name(number: int) -> str:
    """28 is AB."""
    name = ""
    while number:
        number, letter = divmod(number - 1, _LETTERS)
        name = chr(ord("A") + letter) + name
    return name
