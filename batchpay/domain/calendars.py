"""How a file writes its dates, declared by one example: the 31st of December of any year.

    >>> date_form_of("31/12/2567").read("1/7/2568")
    '2025-07-01'
    >>> date_form_of("令和6年12月31日").read("平成元年１月８日")
    '1989-01-08'
    >>> date_form_of("31 ธ.ค. 2567").read("๕ ก.พ. ๒๕๖๘")
    '2025-02-05'
    >>> date_form_of("12/31/2024").read("31/12/2024") is None
    True

Day 31 and month 12 can be nothing else, so that the example says which stands where; its year says
the calendar: one of 1900 to 2100 is of the common era, one of 2443 to 2643 of the Buddhist era (543
years more), one behind an era's name is Japanese. A cell of another calendar does not fit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from batchpay.messages import settings
from batchpay.messages.message import Message

Calendar = Literal["common", "buddhist", "japanese"]

# years; Thailand's since 1941, when its year began to begin in January
BUDDHIST_AHEAD = 543
_COMMON_YEARS = range(1900, 2101)
# Name and letter of an era -> its first day, and the last one.
# The Cabinet Office's list of era names (gengo), since the calendar is the Gregorian one.
_ERAS = (
    ("明治", "M", date(1873, 1, 1), date(1912, 7, 29)),
    ("大正", "T", date(1912, 7, 30), date(1926, 12, 24)),
    ("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
    ("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    ("令和", "R", date(2019, 5, 1), date(2100, 12, 31)),
)
_FIRST_YEAR = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
_ERA_NAMES = "|".join(name for name, *_ in _ERAS)
_LETTERS = {letter: name for name, letter, _, _ in _ERAS}
# A year's months, January first; those of an example by the last of them.
_MONTHS = {
    "th": "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
    "th-short": "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.",
    "en": "January February March April May June July August September October November December",
    "en-short": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
}
_LONGEST = 40  # characters of a cell that may be a date


class UnclearDate(ValueError):
    """An example that does not say how dates are written: `said` tells why."""

    def __init__(self, said: Message) -> None:
        super().__init__(str(said))
        self.said = said


@dataclass(frozen=True, slots=True)
class DateForm:
    """How a column writes its dates. Made by `date_form_of`."""

    example: str
    calendar: Calendar
    months: tuple[str, ...]  # names, folded; empty where a month is a number
    pattern: re.Pattern[str] = field(repr=False, compare=False)

    def read(self, cell: str) -> str | None:
        """The date as ISO 8601 tells it; None for a cell that does not fit wholly."""
        match = self.pattern.fullmatch(_plain(cell))
        if match is None or len(cell) > _LONGEST:
            return None
        found = self._date(match.groupdict())
        if found is None:
            return None
        return found.isoformat()

    def _date(self, parts: dict[str, str]) -> date | None:
        if self.months:
            month = self.months.index(parts["month"].casefold()) + 1
        else:
            month = int(parts["month"])
        year = 1 if parts["year"] == "元" else int(parts["year"])
        era = parts.get("era", "")
        name = _LETTERS.get(era.upper(), era)
        if self.calendar == "buddhist":
            year -= BUDDHIST_AHEAD
        elif self.calendar == "japanese":
            year += _FIRST_YEAR[name] - 1
        try:
            found = date(year, month, int(parts["day"]))
        except ValueError:
            return None
        if self.calendar != "japanese":
            return found if year in _COMMON_YEARS else None
        first, last = next(
            (first, last) for era, _, first, last in _ERAS if era == name
        )
        return found if first <= found <= last else None


def _plain(text: str) -> str:
    """Digits of every script as ASCII, full-width forms and ligatures of eras as what they stand
    for.
    """
    wide = unicodedata.normalize("NFKC", text)
    # of which NFKC takes two letters apart that nobody types so
    wide = wide.replace("\u0e4d\u0e32", "\u0e33")
    return "".join(_digit(character) for character in wide)


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is None:
        return character
    return str(value)


@lru_cache(maxsize=256)
def date_form_of(example: str) -> DateForm:
    """The form that an example shows. Raises UnclearDate."""
    text = _plain(example)
    months, text = _without_month_name(text)
    era = re.search(f"(?:{_ERA_NAMES}|[{''.join(_LETTERS)}])(?=[0-9])", text)
    numbers = re.findall("[0-9]+", text)
    wanted = {"31"} if months else {"31", "12"}
    years = [number for number in numbers if number not in wanted]
    if len(numbers) != len(wanted) + 1 or len(years) != 1 or not wanted <= {*numbers}:
        raise UnclearDate(settings.DATE_FORM_UNCLEAR())
    calendar = _calendar(years[0], is_era=era is not None)
    return DateForm(
        example, calendar, months, _date_pattern(text, months, years[0], era)
    )


def _without_month_name(text: str) -> tuple[tuple[str, ...], str]:
    """The names of the months that an example uses, and the example with a mark in its place."""
    for names in _MONTHS.values():
        folded = tuple(_plain(name).casefold() for name in names.split())
        at = text.casefold().find(folded[-1])
        if at >= 0:
            return folded, f"{text[:at]}\0{text[at + len(folded[-1]) :]}"
    return (), text


def _calendar(year: str, *, is_era: bool) -> Calendar:
    if is_era:
        return "japanese"
    if len(year) != 4:
        raise UnclearDate(settings.DATE_FORM_CENTURY())
    if int(year) in _COMMON_YEARS:
        return "common"
    if int(year) - BUDDHIST_AHEAD in _COMMON_YEARS:
        return "buddhist"
    raise UnclearDate(settings.DATE_FORM_CENTURY())


def _date_pattern(
    text: str,
    months: Sequence[str],
    year: str,
    era: re.Match[str] | None,
) -> re.Pattern[str]:
    """What a cell must be from its first character to its last."""
    made = ""
    at = 0
    while at < len(text):
        number = re.match("[0-9]+", text[at:])
        if era is not None and at == era.start():
            made += f"(?P<era>{_eras_like(era[0])})"
            at = era.end()
        elif number is None:
            made += _literal(text[at], months)
            at += 1
        else:
            made += _number(number[0], year, is_era=era is not None)
            at += number.end()
    return re.compile(made, re.IGNORECASE)


def _literal(character: str, months: Sequence[str]) -> str:
    if character == "\0":
        return f"(?P<month>{'|'.join(sorted(map(re.escape, months), key=len, reverse=True))})"
    return re.escape(character)


def _number(number: str, year: str, *, is_era: bool) -> str:
    if number == "31":
        return "(?P<day>[0-9]{1,2})"
    if number == "12":
        return "(?P<month>[0-9]{1,2})"
    if is_era:
        return "(?P<year>[0-9]{1,2}|元)"
    return "(?P<year>[0-9]{4})"


def _eras_like(era: str) -> str:
    """Every era, written as the example writes its own: by name or by letter."""
    if era in _LETTERS:
        return "|".join(_LETTERS)
    return _ERA_NAMES
