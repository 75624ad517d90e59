"""The words by which spreadsheets name the sums that they add below their rows.

Some say so and nothing else. Others say of what: "Shop A Total", "小計 A店". These may be names of
orders, too, so that the row has to agree.
"""

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
        "nettotal",
        "totalresult",
        "รวม",
        "รวมทั้งหมด",
        "รวมทั้งสิ้น",
        "รวมเงิน",
        "รวมเป็นเงิน",
        "ยอดรวม",
        "ยอดรวมทั้งหมด",
        "ยอดรวมทั้งสิ้น",
        "ยอดรวมสุทธิ",
        "รวมสุทธิ",
        "รวมจำนวนเงิน",
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
        "gesamtergebnis",
        "teilergebnis",
    }
)
_LONGEST = max(map(len, _WORDS)) + 16  # characters of a cell worth looking at
# behind such a word: how many rows it sums, "Total (6)", "合計 12件"
_COUNT = re.compile(r"\([0-9,]+[^0-9()]*\)|[0-9,]+(件|点|rows?|items?|orders?|รายการ)")
_MARKS = str.maketrans("", "", " \t\n:.=[]*-")

# beside the name of what is summed: at its end, or before it
_LATIN = (
    r"(?:(?:sub|grand|net)[ -]?)?totals?|sum|summe|(?:zwischen|gesamt|end)summe|result"
    r"|(?:gesamt|teil)?ergebnis|gesamt"
)
_LAST = re.compile(
    rf"(?:.*[^a-z0-9])?(?:{_LATIN})|.*(?:[小合総累]計|計|รวม)", re.DOTALL
)
_FIRST = re.compile(
    rf"(?:{_LATIN})[ :].*|(?:小計|合計|総計|累計|ยอดรวม|ผลรวม|รวม).*", re.DOTALL
)
_BEHIND = re.compile(r"\([^()]*\)$")  # (THB), (税込), (3 rows)
_ENDS = " \t\n:.=*-\u3000"
_NAME = 120  # characters of a cell that may name a sum

_HINTS = ("total", "sum", "รวม", "計", "gesamt", "result", "ergebnis")
"""One of them is in each."""


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


def may_be_total(cell: str) -> bool:
    """May a cell say that its row is the sum of some? It may be the name of an order as well.

    >>> may_be_total("Shop A Total"), may_be_total("Summe Shop A"), may_be_total("合計（税込）")
    (True, True, True)
    >>> may_be_total("Total (THB):"), may_be_total("ร้าน A รวม"), may_be_total("A店 小計")
    (True, True, True)
    >>> may_be_total("Consumer 7"), may_be_total("A-1"), may_be_total("Totals7")
    (False, False, False)
    """
    if not 0 < len(cell) <= _NAME:
        return False
    text = folded(cell).strip(_ENDS)
    text = _BEHIND.sub("", text).rstrip(_ENDS)
    return bool(_LAST.fullmatch(text) or _FIRST.fullmatch(text))
