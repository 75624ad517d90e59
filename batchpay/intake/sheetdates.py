"""SHEETDATES: the dates that spreadsheet programs make of an order id, and whether a cell is one of
them.

    >>> [is_date_of(cell, "3-1") for cell in ("1-Mar", "3-Jan", "2025-03-01 00:00:00")]
    [True, True, True]
    >>> is_date_of("1001-2", "1001-1"), is_date_of("10.2", "10.1"), is_date_of("2-Mar", "3-1")
    (False, False, False)

An id is read as each language's order of day, month and year reads it; a cell is held against those
readings, never against the mere look of a date: 1001-2 is a line of an invoice like 1001-1. A cell
without a year and without the name of a month is what no program writes for a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from batchpay.domain.text import folded

_NAMES = (  # short forms; English, Thai, German, French and Spanish where they differ
    ("jan", "january", "ม.ค", "janv", "ene"),
    ("feb", "february", "ก.พ", "févr"),
    ("mar", "march", "มี.ค", "mrz", "mär", "mars"),
    ("apr", "april", "เม.ย", "avr", "abr"),
    ("may", "พ.ค", "mai"),
    ("jun", "june", "มิ.ย", "juin"),
    ("jul", "july", "ก.ค", "juil"),
    ("aug", "august", "ส.ค", "août", "ago"),
    ("sep", "sept", "september", "ก.ย"),
    ("oct", "october", "ต.ค", "okt"),
    ("nov", "november", "พ.ย"),
    ("dec", "december", "ธ.ค", "dez", "déc", "dic"),
)
_MONTHS = {
    folded(name): month for month, names in enumerate(_NAMES, 1) for name in names
}
_LONGEST_FIRST = sorted(map(re.escape, _MONTHS), key=len, reverse=True)
MONTH_NAME = rf"(?:{'|'.join(_LONGEST_FIRST)})\.?"
_NAME = rf"({'|'.join(_LONGEST_FIRST)})\.?"
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_OLDEST = 1900  # the first year that spreadsheets know
_CENTURY_ENDS = 30  # 29 is 2029 and 30 is 1930
_SEPARATED = re.compile(r"(\d{1,4})([-/.])(\d{1,4})(?:\2(\d{1,4}))?")
_DAY_NAME = re.compile(rf"(\d{{1,2}})[-/.]*{_NAME}(?:[-/.]*(\d{{4}}|\d{{2}}))?")
_NAME_NUMBER = re.compile(rf"{_NAME}[-/.]*(\d{{1,4}})")
_JAPANESE = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日")
_MIDNIGHT = re.compile(
    r"t?(?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)?am)(?:z|[+-]00:?00)?$"
)


class _Date(NamedTuple):
    """A date as one order of its parts reads it."""

    year: int | None
    month: int
    day: int
    order: str  # mdy, dmy, ymd; empty: no order was needed


def is_date_of(cell: str, own: str) -> bool:
    """Is the cell a date that a spreadsheet program makes of the id `own`?"""
    mine = list(_readings(_without_blanks(own)))
    if not mine:
        return False
    theirs = _shown(_without_blanks(cell))
    return any(_made_of(shown, one) for shown in theirs for one in mine)


def _without_blanks(text: str) -> str:
    return "".join(folded(text).split())


def _made_of(shown: _Date, mine: _Date) -> bool:
    """An id without a year gets that of its day; one that has all parts keeps their order."""
    if (shown.month, shown.day) != (mine.month, mine.day):
        return False
    if mine.year is None or shown.year is None:
        return True
    if shown.year != mine.year:
        return False
    if not shown.order or not mine.order:
        return True
    return shown.order == mine.order


def _readings(own: str) -> Iterator[_Date]:
    """What programs take an id for."""
    if parts := _SEPARATED.fullmatch(own):
        a = parts[1]
        b = parts[3]
        c = parts[4]
        if c:
            return _of_three(a, b, c)
        return _of_two(a, b)
    return _named(own)


def _of_two(a: str, b: str) -> Iterator[_Date]:
    yield from _dates(None, a, b, "mdy")
    yield from _dates(None, b, a, "dmy")
    if len(a) == 4:
        yield from _dates(a, b, "1", "")
    if len(b) == 4 or (len(b) == 2 and int(b) > 31):
        yield from _dates(b, a, "1", "")


def _of_three(a: str, b: str, c: str) -> Iterator[_Date]:
    if len(c) in (2, 4):
        yield from _dates(c, a, b, "mdy")
        yield from _dates(c, b, a, "dmy")
    if len(a) in (2, 4):
        if len(a) == 2:
            order = "ymd"
        else:
            order = ""
        yield from _dates(a, b, c, order)


def _named(text: str) -> Iterator[_Date]:
    """1-Mar, 1-Mar-25, MAR1, Mar-45."""
    if parts := _DAY_NAME.fullmatch(text):
        month = str(_MONTHS[parts[2]])
        yield from _dates(parts[3], month, parts[1], "")
    elif parts := _NAME_NUMBER.fullmatch(text):
        month = str(_MONTHS[parts[1]])
        number = parts[2]
        yield from _dates(None, month, number, "")
        yield from _dates(number.zfill(2), month, "1", "")


def _shown(cell: str) -> Iterator[_Date]:
    """A cell as the date that it shows: none without a year and without a month's name."""
    bare = cell
    if ":" in cell:
        bare = _MIDNIGHT.sub("", cell)
    if parts := _JAPANESE.fullmatch(bare):
        yield from _dates(parts[1], parts[2], parts[3], "")
    elif parts := _SEPARATED.fullmatch(bare):
        a = parts[1]
        b = parts[3]
        c = parts[4]
        if not c:
            return
        has_whole_year = max(len(a), len(c)) == 4
        is_all_pairs = len(a) == len(b) == len(c) == 2  # 03/01/26, never 3-1-26
        if has_whole_year or is_all_pairs:
            yield from _of_three(a, b, c)
    else:
        yield from _named(bare)


def _dates(
    year: str | None,
    month: str,
    day: str,
    order: str,
) -> Iterator[_Date]:
    """The date, if there is one."""
    m = int(month)
    d = int(day)
    if year is None:
        y = None
    else:
        y = int(year)
    if y is not None and year is not None and len(year) == 2:
        if y < _CENTURY_ENDS:
            y += 2000
        else:
            y += 1900
    if 1 <= m <= 12 and 1 <= d <= _DAYS[m - 1] and (y is None or y >= _OLDEST):
        yield _Date(y, m, d, order)
