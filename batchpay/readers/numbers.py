"""Numbers of binary formats as the text a person would have typed; those that are no longer exact
are told.

A whole number is written without a point (100.0 is "100"), nothing ever with an exponent. A number
that needs more digits than its type keeps was rounded before it reached the file: nobody knows what
was meant.
"""

from __future__ import annotations

import math
from decimal import Decimal

from batchpay.domain.model import Problem
from batchpay.domain.text import told
from batchpay.messages import problems

# decimal digits that a 64-bit float keeps, and all that a spreadsheet keeps
DOUBLE_DIGITS = 15
SINGLE_DIGITS = 6
HALF_DIGITS = 3
EXACT_BELOW = 10**15


def float_text(number: float, shortest: str = "") -> str:
    """A float as text; `shortest` is its shortest form when it is not that of a 64-bit float."""
    if not math.isfinite(number):
        if math.isnan(number):
            return "NaN"
        if number > 0:
            return "Infinity"
        return "-Infinity"
    if number.is_integer() and abs(number) < EXACT_BELOW:
        return str(int(number))
    text = shortest or repr(number)
    if "e" in text or text.endswith(".0"):
        return plain_decimal(text)
    return text


def plain_decimal(text: str) -> str:
    """`1E-7` as `0.0000001`; zeros that say nothing, as in `10.5000`, are left away."""
    plain = format(Decimal(text), "f")
    if "." in plain:
        return plain.rstrip("0").rstrip(".")
    return plain


def is_told(text: str, *, formed: bool) -> bool:
    """Must a cell be told to be a number? In a column whose texts have a declared form all of them,
    elsewhere those that a form could read otherwise: 1.234, which a text may mean as 1234.
    """
    return formed or text[-4:-3] == "."


def inexact(
    column: str,
    number: float,
    text: str,
    digits: int = DOUBLE_DIGITS,
) -> Problem | None:
    """What is wrong with a number that an order is to be made of, if anything."""
    if not math.isfinite(number):
        return Problem(column, text, problems.NO_NUMBER())
    told_digits = Decimal(text).normalize().as_tuple().digits
    if abs(number) >= EXACT_BELOW or len(told_digits) > digits:
        return Problem(column, told(text), problems.NOT_EXACT(digits=digits))
    return None
