"""DAMAGE: is a text what a program made of an id, or of no id at all? And is it what was made of this one?

    >>> fault_of("8.85E+12").rule, fault_of("#N/A").rule, fault_of("nan").rule, fault_of('="0008"').rule
    ('exponent-number', 'error-cell', 'not-a-number', 'formula-text')
    >>> fault_of("0000001"), fault_of("1003.0"), fault_of("1E5"), fault_of("3-1")
    (None, None, None, None)

Numbers in exponent form are known by what programs write and people do not: a sign before the exponent, or a decimal
point in front of it. `1E5` is an article number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from batchpay.planning import alike

ACCEPT = 'or say odd_ids = "accept" in [input] if ids of this source really look so'
KEPT_DIGITS = (15, 16, 17)  # of a number: by a spreadsheet, by a library, by a computer


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell is no id: `rule` is a stable code, `remedy` says what to do."""

    rule: str
    remedy: str


_REMEDIES = {
    "error-cell": "an error of a spreadsheet, not an id: correct the cell",
    "not-a-number": "what a program writes where it has no number: write the id itself",
    "no-value": "what a program writes where it has no value: write the id itself",
    "exponent-number": "a number in exponent form has lost digits: write the id itself, as text",
    "formula-text": "the text of a formula: write the id itself, as text",
    "exponent-cell": "a number shown with an exponent, which a spreadsheet makes of 8E5: write the id as text",
    "fraction-cell": "a number shown as a fraction, which a spreadsheet makes of 1/2: write the id as text",
    "date-cell": "a date, which a spreadsheet makes of ids like 3-1: write the id itself, as text",
    "boolean-cell": "true or false, not a text: write the id itself, as text",
}
_FAULTS = {rule: Fault(rule, f"{remedy}, {ACCEPT}") for rule, remedy in _REMEDIES.items()}

# Errors end in ! or ? in every language; those that do not are listed. A row of # is a number in too narrow a column.
_ERROR = re.compile(
    r"\#[¡¿]?[^\W\d](?:[^\W\d]|[/.'-]|/0)*[!?] | \#[^\W\d]/[^\W\d]!? | \#{2,} | (?:err|fehler|erreur):[0-9]+"
    r"| \#(?:na|n/an/a|nv|yok|hiányzik|není_k_dispozici|getting_data|loading(?:\.\.\.)?|busy|error|err)",
    re.VERBOSE,
)
_NOT_A_NUMBER = re.compile(r"[+-]?(?:(?:nan|snan|qnan)(?:\([^)]*\))?|inf|infinity|∞|1\.?\#(?:inf|ind|qnan|snan)[0-9]*)")
_NO_VALUE = re.compile(
    r"[<(\[]?(?:null|none|nil|nat|na|n/a|undefined)[>)\]]?|[<(\[](?:blank|empty|unset)[>)\]]|\\n|(?:system\.)?dbnull"
    r"|\[objectobject\]|loading\.\.\."
)
_EXPONENT = re.compile(r"[+-]?(?:[\d.,]*\d[\d.,]*e[+-]\d+|(?:\d+[.,]\d*|[.,]\d+)e\d+)")
_FORMULA = re.compile(r"\{?=.*|[+@-][a-z_.]+\(.*", re.DOTALL)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september"
    r"|october|november|december)"
)
_THAI_MONTH = r"(?:ม\.ค|ก\.พ|มี\.ค|เม\.ย|พ\.ค|มิ\.ย|ก\.ค|ส\.ค|ก\.ย|ต\.ค|พ\.ย|ธ\.ค)\.?"
_DATE = re.compile(
    rf"\d{{1,2}}-{_MONTH}(?:-\d{{2,4}})? | {_MONTH}-\d{{2,4}} | \d{{1,2}}-{_THAI_MONTH} | (?:\d+年)?\d+月\d+日"
    r"| \d{4}-\d{2}-\d{2}t?00:00:00(?:\.0+)?(?:z|\+00:00)?",
    re.VERBOSE,
)
_KINDS = (
    ("error-cell", _ERROR),
    ("not-a-number", _NOT_A_NUMBER),
    ("no-value", _NO_VALUE),
    ("exponent-number", _EXPONENT),
    ("formula-text", _FORMULA),
    ("date-cell", _DATE),
)
# How any of them begins or, for numbers and dates, goes on; a whole column is looked through for it at once.
_SUSPECT = re.compile(
    r"\n(?:[#={+@<(\[\\∞-]|1?\.?#|n(?:[au/]|il|on|ot)|[qs]na|inf|err|fehl|und|db|sys|loa|\d[\d.,]*e|[.,]\d+e"
    rf"|\d+[年月]|\d{{4}}-\d\d-\d\d[t0]|\d{{1,2}}-[^\W\d]|{_MONTH}-)"
)


def suspicious(texts: Sequence[str]) -> bool:
    """May there be damage in a column at all? False is certain."""
    return _SUSPECT.search(_folded("\n".join(("", *texts))).replace(" ", "")) is not None


def fault_of(text: str) -> Fault | None:
    """Why this text is no id; None when it may be one."""
    plain = _plain(text)
    return next((_FAULTS[rule] for rule, form in _KINDS if form.fullmatch(plain)), None)


def fault_of_type(kind: str) -> Fault | None:
    """The same for a cell whose type says it: `date`, `boolean`, `exponent` or `fraction`."""
    return _FAULTS.get(f"{kind}-cell")


def _plain(text: str) -> str:
    """Without blanks, case, width and other ways to write a minus."""
    return "".join(_folded(text).split())


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")


# --- an id that came back ----------------------------------------------------------------------------------------

_DATE_LIKE = re.compile(  # what programs take for a date: 3-1, 12/5, MAR1, 2025.11.24
    rf"\d{{1,4}}[-/.]\d{{1,2}}(?:[-/.]\d{{1,4}})?|\d{{1,2}}[-/.]?{_MONTH}(?:[-/.]?\d{{1,4}})?|{_MONTH}[-/.]?\d{{1,4}}"
)
_ANY_DATE = re.compile(rf"{_DATE_LIKE.pattern}(?:t?\d{{1,2}}:\d{{2}}(?::\d{{2}})?.*)?")
_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+(?:e[+-]?\d{1,3})?")


def is_damaged(cell: str, own: str) -> bool:
    """Is `cell` what programs make of the id `own`, empty, or no id at all? Equal ones and other orders' are not."""
    if cell == own:
        return False
    if not cell or fault_of(cell) is not None or alike(cell) == alike(own):
        return True
    plain, mine = _plain(cell), _plain(own)
    if _DATE_LIKE.fullmatch(mine) and _ANY_DATE.fullmatch(plain):
        return True
    return _number(plain) in _numbers(mine)


def _number(plain: str) -> Decimal | None:
    """The number that a text is, if a program takes it for one."""
    if not plain.isascii() or not _NUMBER.fullmatch(plain):
        return None
    return Decimal(plain.replace(",", ""))


def _numbers(plain: str) -> set[Decimal]:
    """What the number that an id is becomes: itself, cut or rounded, or the nearest one a computer keeps."""
    number = _number(plain)
    if number is None:
        return set()
    numbers = {number, Decimal(float(number))}
    for digits in KEPT_DIGITS:
        last = Decimal((0, (1,), number.adjusted() - digits + 1))
        numbers |= {number.quantize(last, rounding=rounding) for rounding in (ROUND_DOWN, ROUND_HALF_UP)}
    return numbers
