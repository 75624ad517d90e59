"""How a file writes its numbers, declared by an example: `1.234,56`, `¥1,234`, `(1,234.56)`.

    >>> form_of("1.234,56").read("12.345,6")
    Figure(number='12345.6', sign='')
    >>> form_of("¥１，２３４").read("￥５００")
    Figure(number='500', sign='¥')
    >>> form_of("(1,234.56)").read("(8.40)").number
    '-8.40'
    >>> form_of("1.234,56").read("1,234.56") is None
    True
    >>> form_of("1,234.00").read("500.00").number, form_of("1,234.00").read("5.50").number
    ('500', '5.50')

The example says which signs may stand where; groups, decimals and the currency's sign may be left
out in a cell, nothing else may stand in it. A cell that could mean two things means what its form
says. `declared_by` goes the other way: from a cell that is not plainly a number to the example that
would make it one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from batchpay.domain.money import EXPONENTS
from batchpay.messages import settings
from batchpay.messages.message import Message

ANY_SIGN = "¤"  # as in CLDR's number patterns: whichever the row's own currency has
LONGEST = 60  # characters of a cell that may be a number

_DOLLARS = frozenset({"AUD", "CAD", "HKD", "SGD", "USD"})
# What people write beside an amount -> the currencies that it may mean; each code means itself.
SIGNS: dict[str, frozenset[str]] = {
    "฿": frozenset({"THB"}),
    "บาท": frozenset({"THB"}),
    "baht": frozenset({"THB"}),
    "¥": frozenset({"JPY", "CNY"}),
    "円": frozenset({"JPY"}),
    "元": frozenset({"CNY"}),
    "$": _DOLLARS,
    "A$": frozenset({"AUD"}),
    "C$": frozenset({"CAD"}),
    "HK$": frozenset({"HKD"}),
    "S$": frozenset({"SGD"}),
    "US$": frozenset({"USD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "Fr.": frozenset({"CHF"}),
    "kr": frozenset({"DKK"}),
    "kr.": frozenset({"DKK"}),
    "RM": frozenset({"MYR"}),
    "Rp": frozenset({"IDR"}),
    **{code: frozenset({code}) for code in EXPONENTS},
}

_BLANKS = " \u00a0\u202f"
_MINUS = "-\u2212"
_TRIANGLES = "▲△"  # Japanese books: a negative number
_ZERO = ord("0")
_WIDE_ZERO = ord("０")
# Full-width forms: of the currency signs, which stand beside digits of any kind, and of ASCII.
_NARROW_SIGNS = {0xFFE5: "¥", 0xFFE1: "£"}
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_GROUPS = {",": ",", ".": r"\.", " ": f"[{_BLANKS}]", "'": "['’]"}


class Unclear(ValueError):
    """An example that does not say how numbers are written: `said` tells why."""

    def __init__(self, said: Message) -> None:
        super().__init__(str(said))
        self.said = said


@dataclass(frozen=True, slots=True)
class Figure:
    """What a cell says: a plain number as `money.to_minor` takes it, and the currency's sign beside
    it.
    """

    number: str
    sign: str = ""

    def is_of(self, currency: str) -> bool:
        """May the sign beside it mean this currency?"""
        return not self.sign or currency.upper() in SIGNS[self.sign]


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How a column writes its numbers. Made by `form_of`."""

    example: str
    zero: int  # code point of the digit 0 that it may use beside ASCII's
    group: str  # between thousands; empty: nothing may stand there
    point: str  # before decimals; empty: there are none
    has_brackets: bool  # (500) is -500
    ends_in_minus: bool  # 500- is -500
    has_triangle: bool  # ▲500 is -500
    is_padded: bool  # blanks may stand around it
    before: str  # the currency's sign, where one may stand
    after: str
    pattern: re.Pattern[str] = field(repr=False, compare=False)
    # it is said that thousands stand in numbers without decimals, too
    may_be_whole: bool = False
    # how many zeros behind the point are no decimals, also of a currency that has none
    zeros: int = 0

    @property
    def sign(self) -> str:
        """The currency's sign that the example has; empty where it has none, or any."""
        return (self.before or self.after).replace(ANY_SIGN, "")

    def read(self, cell: str) -> Figure | None:
        """What a cell says; None when it does not fit wholly."""
        if len(cell) > LONGEST:
            return None
        text = _in_ascii(cell, self.zero)
        if text is None:
            return None
        if self.is_padded:
            text = text.strip(_BLANKS)
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        return _figure(match, "0" * self.zeros)


def _figure(match: re.Match[str], none: str) -> Figure | None:
    """The parts of a cell put together; None where they contradict each other. `none`: decimals
    that are left out.
    """
    parts = match.groupdict()
    marks = [parts.get(name) for name in ("minus", "inner", "last", "open", "within")]
    given = sum(1 for mark in marks if mark)
    is_open = bool(parts.get("open") or parts.get("within"))
    closings = [name for name in ("close", "end") if parts.get(name)]
    if given > 1 or len(closings) != is_open:
        return None
    if parts.get("before") and parts.get("after"):
        return None
    sign = _known_sign(parts.get("before") or parts.get("after") or "")
    if sign is None:
        return None
    number = "".join(filter(str.isdigit, match["whole"]))
    if parts.get("fraction") and parts["fraction"] != none:
        number = f"{number}.{match['fraction']}"
    if given:
        number = f"-{number}"
    return Figure(number, sign)


def _known_sign(text: str) -> str | None:
    """A sign as `SIGNS` has it, a code in either case; None for what is none."""
    if not text or text in SIGNS:
        return text
    if text.upper() in EXPONENTS:
        return text.upper()
    return None


def _in_ascii(text: str, zero: int) -> str | None:
    """A text with its digits, all of ASCII or all of one other script, as ASCII; None for any other
    mixture.
    """
    # Shift_JIS has the yen sign where ASCII has a backslash
    text = text.replace("\\", "¥")
    if text.isascii():
        return text
    zeros = {_zero_of(character) for character in text if character.isdigit()}
    if len(zeros) != 1 or not zeros <= {_ZERO, zero}:
        return None
    used = zeros.pop()
    assert used is not None
    text = text.translate(_NARROW_SIGNS)
    if zero == _WIDE_ZERO:
        text = text.translate(_NARROW)
    return text.translate({used + digit: _ZERO + digit for digit in range(10)})


def _zero_of(digit: str) -> int | None:
    """The code point of the 0 of a digit's script; None for one that is no decimal digit."""
    value = unicodedata.decimal(digit, None)
    if value is None:
        return None
    return ord(digit) - value


# --- from an example to a form


@lru_cache(maxsize=256)
def form_of(example: str) -> NumberForm:
    """The form that an example shows. Raises Unclear."""
    zeros = {_zero_of(character) for character in example if character.isdigit()}
    zero = next(iter(zeros - {_ZERO}), _ZERO)
    if zero is None or len(zeros) != 1:
        raise Unclear(settings.FORM_DIGITS())
    text = _in_ascii(example, zero) or ""
    bare = text.strip(_BLANKS)
    has_brackets = "(" in bare and ")" in bare
    if has_brackets:
        bare = bare.replace("(", "", 1).replace(")", "", 1)
    has_triangle = any(mark in bare for mark in _TRIANGLES)
    for mark in _TRIANGLES:
        bare = bare.replace(mark, "", 1)
    ends_in_minus = bare[-1:] in tuple(_MINUS)
    places = [at for at, character in enumerate(bare) if character.isdigit()]
    first, last = places[0], places[-1]
    group, point = _separators(bare[first : last + 1])
    fraction = bare[first : last + 1].rpartition(point)[2] if point else ""
    before = _sign_in(bare[:first].strip(_BLANKS + _MINUS))
    after = _sign_in(bare[last + 1 :].strip(_BLANKS + _MINUS))
    pattern = _pattern(
        group=group,
        point=point,
        before=before,
        after=after,
        has_brackets=has_brackets,
        has_triangle=has_triangle,
        ends_in_minus=ends_in_minus,
    )
    return NumberForm(
        example=example,
        zero=zero,
        group=group,
        point=point,
        has_brackets=has_brackets,
        ends_in_minus=ends_in_minus,
        has_triangle=has_triangle,
        is_padded=text != text.strip(_BLANKS),
        before=before,
        after=after,
        pattern=pattern,
        zeros=fraction.count("0") if not fraction.strip("0") else 0,
    )


def with_whole(form: NumberForm, example: str) -> NumberForm:
    """The same for numbers whose decimals may be left out, as a second example says: `1.234` beside
    `1.234,56`. Raises Unclear.
    """
    whole = form_of(example)
    if not form.point or whole.point or whole.group != form.group:
        raise Unclear(settings.FORM_NOT_WHOLE(form=form.example))
    return replace(form, may_be_whole=True)


@lru_cache(maxsize=16)
def swapped(form: NumberForm) -> NumberForm | None:
    """The form of whoever has comma and point the other way round; None where it has not both.

    >>> swapped(form_of("1.234,56")).read("1.234").number
    '1.234'
    """
    if {form.group, form.point} != {",", "."}:
        return None
    pattern = _pattern(
        group=form.point,
        point=form.group,
        before=form.before,
        after=form.after,
        has_brackets=form.has_brackets,
        has_triangle=form.has_triangle,
        ends_in_minus=form.ends_in_minus,
    )
    return replace(form, group=form.point, point=form.group, pattern=pattern)


def _sign_in(text: str) -> str:
    if text == ANY_SIGN:
        return text
    sign = _known_sign(text)
    if sign is None:
        raise Unclear(settings.FORM_SIGN(sign=text, signs=", ".join(SIGNS)))
    return sign


def _separators(core: str) -> tuple[str, str]:
    """What stands between thousands and before decimals, from the first digit to the last. No
    currency has three decimals, so that three digits behind a sign are thousands.
    """
    signs = "".join(character for character in core if not character.isdigit())
    alike = signs.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")
    pieces = re.split("[^0-9]", core)
    kinds = list(dict.fromkeys(alike))
    if not kinds:
        return "", ""
    last = alike[-1]
    is_grouped_whole = len(kinds) == 1 and all(len(piece) == 3 for piece in pieces[1:])
    if is_grouped_whole:
        group, point = last, ""
        groups = pieces
    elif alike.count(last) == 1:
        group, point = (alike[0] if len(kinds) == 2 else ""), last
        groups = pieces[:-1]
    else:
        raise Unclear(settings.FORM_UNCLEAR())
    is_known = point in ("", ",", ".") and (not group or group in _GROUPS)
    is_sound = len(groups[0]) <= 3 or len(groups) == 1
    if len(kinds) > 2 or not is_known or not is_sound or {*map(len, groups[1:])} - {3}:
        raise Unclear(settings.FORM_UNCLEAR())
    return group, point


def _pattern(
    *,
    group: str,
    point: str,
    before: str,
    after: str,
    has_brackets: bool,
    has_triangle: bool,
    ends_in_minus: bool,
) -> re.Pattern[str]:
    """What a cell must be from its first character to its last, in ASCII digits."""
    marks = _MINUS
    if has_triangle:
        marks += _TRIANGLES
    blank = f"[{_BLANKS}]?"
    opening, within, closing, end = "", "", "", ""
    if has_brackets:
        opening, within = r"(?P<open>\()?", r"(?P<within>\()?"
        closing, end = r"(?P<close>\))?", r"(?P<end>\))?"
    whole = "(?P<whole>[0-9]++)"
    if group:
        by_thousands = f"[0-9]{{1,3}}(?:{_GROUPS[group]}[0-9]{{3}})++"
        whole = f"(?P<whole>{by_thousands}|[0-9]++)"
    fraction = ""
    if point:
        fraction = f"(?:{re.escape(point)}(?P<fraction>[0-9]++))?"
    parts = [opening, f"(?P<minus>[{marks}])?", _sign_pattern("before", before)]
    if before:
        parts += [blank, f"(?P<inner>[{marks}])?"]
    parts += [within, whole, fraction, closing]
    if after:
        parts += [blank, _sign_pattern("after", after)]
    if ends_in_minus:
        parts.append(f"(?P<last>[{_MINUS}])?")
    return re.compile("".join((*parts, end)))


def _sign_pattern(name: str, sign: str) -> str:
    """A place where the declared sign may stand, or any that somebody uses."""
    if not sign:
        return ""
    if sign == ANY_SIGN:
        signs = sorted(SIGNS, key=len, reverse=True)
    else:
        signs = [sign]
    if sign in EXPONENTS or sign == ANY_SIGN:
        signs += [code.lower() for code in signs if code in EXPONENTS]
    return f"(?P<{name}>{'|'.join(map(re.escape, signs))})?"


# --- from a cell to the example that would read it


def declared_by(cell: str, *, whole: bool = False) -> tuple[str, str] | None:
    """The example under which a cell is a number, and that number; None when there is no one such
    example. `whole`: the number must have no decimals, and the example none.

    >>> declared_by("1.234,5"), declared_by("฿ 1,200.00"), declared_by("1 234")
    (('1.234,56', '1234.5'), ('฿1,234.56', '1200.00'), ('1 234,56', '1234'))
    >>> declared_by("about 100") is None
    True
    """
    if len(cell) > LONGEST:
        return None
    zeros = {_zero_of(character) for character in cell if character.isdigit()}
    zero = next(iter(zeros), None)
    if len(zeros) != 1 or zero is None:
        return None
    text = _in_ascii(cell, zero) or ""
    places = [at for at, character in enumerate(text) if character.isdigit()]
    first, last = places[0], places[-1]
    try:
        group, point = _separators(text[first : last + 1])
    except Unclear:
        return None
    if whole and point:
        return None
    core = f"1{group or ','}234" if whole else _with_both(group, point)
    example = _example(text[:first], core, text[last + 1 :], zero)
    try:
        found = form_of(example).read(cell)
    except Unclear:
        return None
    if found is None:
        return None
    return example, found.number


def without_zeros(example: str, number: str) -> Iterator[tuple[str, str]]:
    """The same where all that stands behind the point is zeros, which are left out.

    >>> list(without_zeros("1,234.56", "500.00")), list(without_zeros("1,234.56", "500.50"))
    ([('1,234.00', '500')], [])
    """
    whole, _, fraction = number.partition(".")
    zeroed = example.replace("56", "00").replace("๕๖", "๐๐").replace("５６", "００")
    if fraction == "00" and zeroed != example:
        yield zeroed, whole


def _with_both(group: str, point: str) -> str:
    """`1.234,56`, say: an example with both separators where one of them tells the other."""
    if not point:
        point = "," if group in (".", " ") else "."
    elif not group:
        group = "." if point == "," else ","
    return f"1{group or ','}234{point}56"


def _example(left: str, core: str, right: str, zero: int) -> str:
    """An example with the signs of a cell around its number, in the cell's own digits."""
    before = left.replace("\u00a0", " ").replace("\u2212", "-")
    after = right.replace("\u00a0", " ").replace("\u2212", "-")
    kept = f"{_squeezed(before)}{core}{_squeezed(after)}"
    if before[:1] == " " or after[-1:] == " ":
        kept = f" {kept} "
    if zero == _ZERO:
        return kept
    return kept.translate({_ZERO + digit: zero + digit for digit in range(10)})


def _squeezed(text: str) -> str:
    return "".join(text.split())
