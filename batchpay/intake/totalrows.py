"""The words by which spreadsheets name the sums that they add below their rows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from batchpay.domain.text import folded

# without blanks, which some put between their letters
_WORDS = frozenset(
    {
        "total",
        "totals",
        "grandtotal",
        "subtotal",
        "sum",
        "totalamount",
        "sumtotal",
        "รวม",
        "รวมทั้งหมด",
        "รวมทั้งสิ้น",
        "รวมเงิน",
        "รวมเป็นเงิน",
        "ยอดรวม",
        "ยอดรวมทั้งหมด",
        "ยอดรวมทั้งสิ้น",
        "ผลรวม",
        "合計",
        "総計",
        "小計",
        "計",
        "総合計",
        "合計金額",
        "合計額",
        "累計",
        "summe",
        "gesamt",
        "gesamtsumme",
        "gesamtbetrag",
        "zwischensumme",
        "endsumme",
    }
)
_LONGEST = max(map(len, _WORDS)) + 16  # characters of a cell worth looking at
# behind such a word: how many rows it sums, "Total (6)", "合計 12件"
_COUNT = re.compile(r"\([0-9,]+[^0-9()]*\)|[0-9,]+(件|点|rows?|items?|orders?|รายการ)")
_MARKS = str.maketrans("", "", " \t\n:.=[]*-")

_HINTS = ("total", "sum", "รวม", "計", "gesamt")  # one of them is in each


def may_have_totals(cells: Iterable[str]) -> bool:
    """False: no cell of these is a total; most columns of ids are told so at once."""
    text = folded("\n".join(cells))
    return any(hint in text for hint in _HINTS)


def is_total(cell: str) -> bool:
    """Does a cell say that its row is a sum, and nothing else?

    >>> is_total(" Grand Total: "), is_total("รวม"), is_total("Total Wine Ltd")
    (True, True, False)
    >>> is_total("Sub-total:"), is_total("合　計（6件）"), is_total("SUM-1")
    (True, True, False)
    """
    if not 0 < len(cell) <= _LONGEST:
        return False
    plain = folded(cell).translate(_MARKS)
    return _COUNT.sub("", plain).strip("()") in _WORDS
