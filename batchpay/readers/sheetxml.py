"""What spreadsheet libraries do not tell, read from a sheet's XML: errors, formulas without value, hidden rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MARKED_LIMIT = 200_000  # cells with an error or without a value; more and the sheet is broken as a whole
_ROW_LIMIT = 32 * 1024**2
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)[\s>]")
_ERROR = re.compile(
    rb"""<(?:\w+:)?c\s([^>]*\bt\s*=\s*["']e["'][^>]*)>(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?"""
    rb"""(?:<(?:\w+:)?v[^>]*>([^<]*))?"""
)
_NO_VALUE = re.compile(
    rb"""<(?:\w+:)?c((?:\s[^>]*)?)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"""
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_HIDDEN = re.compile(rb"""<(?:\w+:)?row\s[^>]*\bhidden\s*=\s*["'](?:1|true)["']""")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_COLUMNS = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})\d""")
_ROWS = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{0,3}(\d{1,7})""")
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


def has_values(windows: Iterable[bytes]) -> bool:
    """Does any cell hold anything?"""
    return any(_VALUE.search(window) for window in _whole_rows(windows))


def scan(windows: Iterable[bytes]) -> SheetFacts:
    """One pass over a sheet's XML."""
    facts = SheetFacts()
    for window in _whole_rows(windows):
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
        cut = data.rfind(b"<", 0, cut + 1) if cut > 0 else len(data)
        if cut > 0:
            yield data[:cut]
        kept = data[cut:]
    if kept:
        yield kept


def _place(attributes: bytes) -> tuple[int, int] | None:
    found = _REFERENCE.search(attributes)
    return (_column(found[1]), int(found[2])) if found else None


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
