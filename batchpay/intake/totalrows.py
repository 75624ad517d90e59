"""The words by which spreadsheets name the sums that they add below their rows."""

from __future__ import annotations

from collections.abc import Iterable

from batchpay.domain.text import folded

_WORDS = frozenset(
    {
        "total",
        "totals",
        "grand total",
        "sub total",
        "subtotal",
        "sum",
        "total amount",
        "sum total",
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
    }
)
_LONGEST = max(map(len, _WORDS)) + 8  # characters of a cell worth looking at


_HINTS = ("total", "sum", "รวม", "計")  # one of them is in each


def may_have_totals(cells: Iterable[str]) -> bool:
    """False: no cell of these is a total; most columns of ids are told so at once."""
    text = folded("\n".join(cells))
    return any(hint in text for hint in _HINTS)


def is_total(cell: str) -> bool:
    """Does a cell say that its row is a sum, and nothing else?

    >>> is_total(" Grand Total: "), is_total("รวม"), is_total("Total Wine Ltd")
    (True, True, False)
    """
    return (
        0 < len(cell) <= _LONGEST
        and folded(cell).strip(" \t:.=()[]-*").strip() in _WORDS
    )
