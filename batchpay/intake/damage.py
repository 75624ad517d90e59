"""DAMAGE: is a text what a program made of an id, or of no id at all? And is it what was made of
this one?

    >>> [fault_of(cell).rule for cell in ("8.85E+12", "#N/A", "nan", '="0008"')]
    ['exponent-number', 'error-cell', 'not-a-number', 'formula-text']
    >>> fault_of("0000001"), fault_of("1003.0"), fault_of("1E5"), fault_of("3-1")
    (None, None, None, None)

Numbers in exponent form are known by what programs write and people do not: a sign before the
exponent, or a decimal point in front of it. `1E5` is an article number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from html import unescape
from typing import Literal
from unicodedata import category

from batchpay.domain.alike import drawn
from batchpay.domain.text import folded, in_ascii_digits
from batchpay.intake.sheetdates import MONTH_NAME, is_date_of
from batchpay.messages import problems
from batchpay.messages.message import Message

KEPT_DIGITS = (15, 16, 17)  # of a number: by a spreadsheet, by a library, by a computer
_EXACT = Context(prec=60)


# Errors end in ! or ? in every language; those that do not are listed. A row of # is a number in
# too narrow a column.
_ERROR = re.compile(
    r"\#[¡¿]?[^\W\d](?:[^\W\d]|[/.'-]|/0)*[!?] | \#[^\W\d]/[^\W\d]!? | \#{2,} |"
    r" (?:err|fehler|erreur):[0-9]+"
    r"| \#(?:na|n/an/a|nv|yok|hiányzik|není_k_dispozici|getting_data|loading(?:\.\.\.)?|busy"
    r"|error|err)",
    re.VERBOSE,
)
_NOT_A_NUMBER = re.compile(
    r"[+-]?(?:(?:nan|snan|qnan)(?:\([^)]*\))?|inf|infinity|∞|1\.?\#(?:inf|ind|qnan|snan)[0-9]*)"
)
_NO_VALUE = re.compile(
    r"[<(\[]?(?:null|none|nil|nat|na|n/a|undefined)[>)\]]?|[<(\[](?:blank|empty|unset)[>)\]]|\\n|(?:system\.)?dbnull"
    r"|\[objectobject\]|loading\.\.\."
)
_PLACEHOLDER = re.compile(
    r"[-–—―ー_.?*]+|tb[adc]|x{3,9}|unknown|noid|ไม่มี|ไม่ระบุ|ไม่ทราบ|なし|無し?|未定|不明|keine?|unbekannt"
)
_EXPONENT = re.compile(r"[+-]?(?:[\d.,]*\d[\d.,]*e[+-]\d+|(?:\d+[.,]\d*|[.,]\d+)e\d+)")
_FORMULA = re.compile(r"\{?=.*|[+@-][a-z_.]+\(.*", re.DOTALL)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september"
    r"|october|november|december)"
)
_THAI_MONTH = r"(?:ม\.ค|ก\.พ|มี\.ค|เม\.ย|พ\.ค|มิ\.ย|ก\.ค|ส\.ค|ก\.ย|ต\.ค|พ\.ย|ธ\.ค)\.?"
_DATE = re.compile(
    rf"\d{{1,2}}-{_MONTH}(?:-\d{{2,4}})? | {_MONTH}-\d{{2,4}} |"
    rf" \d{{1,2}}-?{_THAI_MONTH}(?:-?\d{{2,4}})? |"
    rf" \d{{1,2}}[-.]{MONTH_NAME}(?:[-.]?(?:\d{{4}}|\d{{2}}))? |"  # 01. Mai, 01-janv
    r" (?:(?:令和|平成|昭和)?(?:\d+|元)年)?\d+月\d+日"
    r"| \d{4}-\d{2}-\d{2}t?00:00:00(?:\.0+)?(?:z|\+00:00)?",
    re.VERBOSE,
)
# Drawn quotes on either side, plain ones in front: 55" is a screen. Apostrophes only as a pair, or
# alone: before other text one is a spreadsheet's mark of text.
_MARK = "['`\u2018-\u201b]"
_DRAWN = "\u201c-\u201f\u2039\u203a\xab\xbb"
_QUOTED = re.compile(
    rf"[\"{_DRAWN}].*|.*[{_DRAWN}]|{_MARK}(?:.*['`\xb4\u2018-\u201b])?", re.DOTALL
)
# How a sheet shows a number: a percentage, with a currency's sign, with commas between thousands;
# in other countries with points or apostrophes there, and with a comma before decimals. 1.004
# alone may be a version.
_SIGN = "[$฿£€¥₩₫₱₹]"
_APOSTROPHE = "['\u2019\u02bc]"
_SHOWN = re.compile(
    rf"-?\d[\d.,]*(?:%|{_SIGN}) | -?{_SIGN}-?\d[\d.,]* |"
    r" -?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)? |"
    r" -?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+|\.\d{3}) | -?\d+,0+ |"
    rf" -?[1-9]\d{{0,2}}(?:{_APOSTROPHE}\d{{3}})+(?:[.,]\d+)?",
    re.VERBOSE,
)
_KINDS = (
    (problems.ERROR_CELL, _ERROR),
    (problems.NOT_A_NUMBER, _NOT_A_NUMBER),
    (problems.NO_ID, _NO_VALUE),
    (problems.PLACEHOLDER, _PLACEHOLDER),
    (problems.EXPONENT_NUMBER, _EXPONENT),
    (problems.FORMULA_TEXT, _FORMULA),
    (problems.DATE_CELL, _DATE),
    (problems.QUOTED_ID, _QUOTED),
    (problems.SHOWN_NUMBER, _SHOWN),
)
# of cells that are no text
_TYPES = {
    "date": problems.DATE_CELL,
    "boolean": problems.BOOLEAN_CELL,
    "exponent": problems.EXPONENT_CELL,
    "fraction": problems.FRACTION_CELL,
    "percent": problems.PERCENT_CELL,
    "labelled": problems.LABELLED_CELL,
}
FAULTS = frozenset(
    {fault.code for fault, _ in _KINDS} | {fault.code for fault in _TYPES.values()}
)
"""The codes of all that is told of a cell that is no id."""

# How any of them begins or, for numbers and dates, goes on; a whole column is looked through for it
# at once.
_SUSPECT = re.compile(
    r"\n(?![0-9]*+(?:\n|$))"  # a number alone is none of them
    r"(?:[#={+@<(\[\\∞-]|1?\.?#|n(?:[au/]|il|on|ot)|[qs]na|inf|err|fehl|und|db|sys|loa|\d[\d.,]*e|[.,]\d+e"
    r"|[-–—―ー_.?*]+(?:\n|$)|tb[adc]|xxx|unk?[nb]|noid|kein|ไม่|なし|無|未定|不明"
    rf"|\d+[年月]|\d{{4}}-\d\d-\d\d[t0]|\d{{1,2}}(?:[-.][^\W\d]|[ก-ฮ])|{_MONTH}-|[令平昭]"
    rf"|-?{_SIGN}|-?\d{{1,3}},\d|-?\d[\d.,]*(?:%|{_SIGN})|[\"{_DRAWN}]|{_MARK}"
    rf"|\d+,0|\d{{1,3}}(?:{_APOSTROPHE}\d|\.\d{{3}}[.,]\d))"
)
_DRAWN_LAST = re.compile(rf"[{_DRAWN}](?:\n|$)")  # one pattern for both is slower


def suspicious(texts: Sequence[str]) -> bool:
    """May there be damage in a column at all? False is certain."""
    column = folded("\n".join(("", *texts))).replace(" ", "")
    if not column.isascii() and _DRAWN_LAST.search(column):
        return True
    return _SUSPECT.search(column) is not None


def fault_of(text: str) -> Message | None:
    """Why this text is no id, and what to do; None when it may be one. An apostrophe before one
    that is none, as we write it into rejects files, makes it no id either.

    >>> fault_of("'#N/A").rule, fault_of("'0008")
    ('error-cell', None)
    """
    plain = _plain(text)
    for bare in dict.fromkeys((plain, _MARKS.sub("", plain))):
        for fault, form in _KINDS:
            if form.fullmatch(bare):
                return fault()
    return None


_MARKS = re.compile(rf"\A{_MARK}+")


def fault_of_type(kind: str) -> Message | None:
    """The same for a cell whose type says it: `date`, `boolean`, `exponent`, `fraction`, `percent`
    or `labelled`.
    """
    fault = _TYPES.get(kind)
    if fault is None:
        return None
    return fault()


def _plain(text: str) -> str:
    """Without blanks, case, width and other ways to write a minus."""
    return "".join(folded(text).split())


# --- an id that came back

Trace = Literal["", "sure", "doubtful"]
"""What a cell tells of an id: nothing, so that it is another's; it was made of it; of it, or of
others just as well.
"""

# rules of cells that tell of no id at all
_BLANK = frozenset({"error-cell", "not-a-number", "no-value"})
_LITERAL = re.compile(r'\{?=?"?([^"=]*)"?\}?')  # ="0008", =0008
# =A1, =SUM(A1): tell of no id either
_REFERENCE = re.compile(r"\$?[a-z]{1,3}\$?[0-9]+|.*[(!:].*", re.DOTALL)
_NUMBER = re.compile(
    r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.?\d+|\.)(?:e[+-]?\d{1,3})?|[+-]?\d{1,3}(?:,\d{3})+"
)
# A number as programs write it: without zeros in front, or rounded to the digits before an
# exponent.
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)?(?:\.\d+)?")
_ROUNDED_NUMBER = re.compile(r"-?(\d(?:[.,]\d+)?)e[+-]?\d{1,3}", re.IGNORECASE)
_FRACTION = re.compile(r"(?:(\d{1,5}) )?(\d{1,5})/(\d{1,5})")


def trace_of(cell: str, own: str, kind: str = "", *, odd: bool = False) -> Trace:
    """Is `cell` what a program makes of the very id `own`?

    Told from what programs do to `own`, never from what both look like: an id that a person wrote
    is not undone. `kind` is the type of a cell that is no text (see `fault_of_type`); `odd`: error
    words may be ids of this source.
    """
    cell, own = in_ascii_digits(cell.strip()), in_ascii_digits(own)
    bare = _MARKS.sub("", cell)
    if not bare:
        return "doubtful"
    if (
        own.strip() in (bare, cell)
        or is_date_of(bare, own)
        or _made_a_boolean(bare, own, kind)
    ):
        return "sure"
    fault = fault_of(bare)
    if fault is not None and fault.rule in _BLANK and not odd:
        return "doubtful"
    if fault is not None and fault.rule == "formula-text":
        return _of_formula(_plain(bare), _plain(own), odd=odd)
    return _of_number(bare, own, kind)


def is_damaged(cell: str, own: str) -> bool:
    """Is `cell` another text than the id `own`, and what programs may have made of it?"""
    return cell != own and trace_of(cell, own) != ""


def may_be_one(one: str, other: str) -> bool:
    """May one of two ids be what a program, or an eye, made of the other? Of ids that ask for the
    same; others may look like that by chance.

    >>> may_be_one("12345678901234567", "12345678901234500"), may_be_one("2.50", "2.5")
    (True, True)
    >>> may_be_one("A-1", "A\\u20131"), may_be_one("3-1", "1-Mar"), may_be_one("A-26-001", "A-26-1")
    (True, True, True)
    >>> may_be_one("1.004", "1004"), may_be_one("1004,00", "1'004"), may_be_one("#1003", "1003-")
    (True, True, True)
    >>> may_be_one("1001-1", "1001-2"), may_be_one("1.01", "1.1")
    (False, False)
    """
    mine, its = _bare(one), _bare(other)
    if mine == its or not _numbers_of(mine).isdisjoint(_numbers_of(its)):
        return True
    for cell, own in ((one, other), (other, one)):
        if (
            trace_of(cell, own, odd=True)
            or has_lost_letters(own, cell)
            or is_misread(cell, own)
        ):
            return True
    return False


def numbers_abroad(order_ids: Sequence[str]) -> dict[int, str]:
    """Position -> the number that an id is as sheets of other countries write it, where it is
    written otherwise here.

    >>> numbers_abroad(["1004", "1.004", "1.234,50", "1.1", "１．００４"])
    {1: '1004', 2: '1234.50', 4: '1004'}
    """
    column = folded("".join(order_ids))
    if not any(sign in column for sign in ".,'\u2019\u02bc"):
        return {}
    found = {}
    for at, order_id in enumerate(order_ids):
        if (
            order_id[:1].isalpha() or order_id.isdecimal()
        ):  # most ids, and this is quicker
            continue
        number = _number_abroad(order_id)
        if number is not None:
            found[at] = format(number, "f")
    return found


def _bare(order_id: str) -> str:
    """An id as the eye takes it, entities of web pages read, without signs and punctuation before
    and behind it, numbers in it without zeros in front.
    """
    seen = drawn(unescape(order_id))
    if not seen.isalnum():
        seen = _without_marks(seen)
    return _ZEROS.sub("", seen)


_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")


def _without_marks(text: str) -> str:
    """The text between its first and its last letter or digit; all of it where it has none. Thai
    vowels above letters are no marks.
    """
    inside = [at for at, letter in enumerate(text) if category(letter)[0] not in "PSZ"]
    if not inside:
        return text
    return text[inside[0] : inside[-1] + 1]


def has_lost_letters(was: str, is_now: str) -> bool:
    """Are they the same but for ? where an encoding had no letters?"""
    if was == is_now or len(was) != len(is_now):
        return False
    pairs = zip(was, is_now, strict=True)
    return all(
        one == other or (other == "?" and not one.isascii()) for one, other in pairs
    )


def is_misread(cell: str, own: str) -> bool:
    """Is it the UTF-8 of the id, read as another encoding?"""
    if cell.isascii():
        return False
    for encoding in ("cp1252", "latin-1", "cp874", "cp932"):
        try:
            if cell.encode(encoding) == own.encode("utf-8"):
                return True
        except UnicodeEncodeError:
            continue
    return False


def tells_nothing(text: str) -> bool:
    """Is it what programs write for a cell that holds nothing?

    >>> tells_nothing("NaN"), tells_nothing("<NA>"), tells_nothing("0")
    (True, True, False)
    """
    fault = fault_of(text)
    return fault is not None and fault.rule in _BLANK


def _of_formula(cell: str, own: str, *, odd: bool) -> Trace:
    literal = _LITERAL.fullmatch(cell)
    if literal and literal[1] == own:
        return "sure"
    refers = literal is None or _REFERENCE.fullmatch(literal[1]) is not None
    if refers and not odd:
        return "doubtful"
    return ""


def _made_a_boolean(cell: str, own: str, kind: str) -> bool:
    return (
        _plain(own) in ("true", "false")
        and _plain(own) == _plain(cell)
        and (kind == "boolean" or cell.isupper())
    )


def _of_number(cell: str, own: str, kind: str) -> Trace:
    """The number that programs take an id for: as it is, cut or rounded, or the nearest one that a
    computer keeps.
    """
    if kind == "fraction":
        numbers = _fraction(own)
    else:
        numbers = _numbers_of(own)
    if not numbers:
        return ""
    rounded = _ROUNDED_NUMBER.fullmatch(_plain(cell))
    if rounded and _EXPONENT.fullmatch(_plain(cell)):
        kept = [len(rounded[1]) - 1]
        shown = {Decimal(_plain(cell).replace(",", "."))}
    else:
        kept = list(KEPT_DIGITS)
        shown = _shown_by(cell)
        if not shown.isdisjoint(numbers):
            return "sure"
        if not shown.isdisjoint(Decimal(float(number)) for number in numbers):
            return "doubtful"
    if any(not shown.isdisjoint(_cut(number, kept)) for number in numbers):
        return "doubtful"
    return ""


def _shown_by(cell: str) -> set[Decimal]:
    """The numbers of which programs make this text, in whichever country; of 1.004 there are
    two.
    """
    shown = set()
    if _PLAIN_NUMBER.fullmatch(cell):
        shown.add(number_of(cell))
    shown.add(_number_abroad(cell))
    return {number for number in shown if number is not None}


def _numbers_of(text: str) -> set[Decimal]:
    """The numbers for which programs take a text, in whichever country."""
    numbers = (number_of(text), _number_abroad(text))
    return {number for number in numbers if number is not None}


# 1.004,5 1'004.5 1 004,5; blanks are gone by then
_ABROAD = re.compile(
    r"(-?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:\.\d{3})+))(?:,(\d+))?"
    rf"|(-?[1-9]\d{{0,2}}(?:{_APOSTROPHE}\d{{3}})+)(?:[.,](\d+))?",
    re.ASCII,
)
_BETWEEN = re.compile(rf"\.|{_APOSTROPHE}")


def _number_abroad(text: str) -> Decimal | None:
    """The number that a text is as sheets of other countries write it.

    >>> _number_abroad("1.004"), _number_abroad("1'004,50"), _number_abroad("1.00")
    (Decimal('1004'), Decimal('1004.50'), None)
    """
    found = _ABROAD.fullmatch(_plain(text))
    if not found:
        return None
    whole = _BETWEEN.sub("", found[1] or found[3])
    return Decimal(f"{whole}.{found[2] or found[4] or ''}")


def number_of(text: str) -> Decimal | None:
    """The number that a text is, if a program takes it for one."""
    plain = _plain(text)
    if not plain.isascii() or not _NUMBER.fullmatch(plain):
        return None
    return Decimal(plain.replace(",", ""))


def _fraction(own: str) -> set[Decimal]:
    parts = _FRACTION.fullmatch(own)
    if not parts or not int(parts[3]):
        return set()
    whole = int(parts[1] or 0)
    value = whole + Fraction(int(parts[2]), int(parts[3]))
    return {Decimal(repr(float(value)))}


def _cut(number: Decimal, kept: Iterable[int]) -> Iterator[Decimal]:
    """The number with so many digits, cut and rounded."""
    for digits in kept:
        places = min(max(digits, 1), _EXACT.prec)
        last = Decimal((0, (1,), number.adjusted() - places + 1))
        for rounding in (ROUND_DOWN, ROUND_HALF_UP):
            yield number.quantize(last, rounding=rounding, context=_EXACT)
