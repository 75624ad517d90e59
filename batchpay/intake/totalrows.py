"""Rows that a spreadsheet adds below its orders: sums, named as such. They are no orders, and their
rejection says so.

A row is called one only where it is rejected anyway, and where one of its cells says nothing but
that it is a total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from batchpay.domain.model import Chunk, Problem
from batchpay.domain.text import folded, told
from batchpay.messages.problems import TOTAL_ROW

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


def named(
    chunk: Chunk, problems: Mapping[int, tuple[Problem, ...]]
) -> dict[int, tuple[Problem, ...]]:
    """The problems of a chunk, with what it looks like before all else at each rejected row that is
    a total.
    """
    found = dict(problems)
    if not problems:
        return found
    for column in chunk.columns:
        if column.startswith("batchpay_"):
            continue
        texts = chunk.texts(column)
        for at in problems:
            if is_total(texts[at]) and not _is_named(found[at]):
                found[at] = (Problem(column, told(texts[at]), TOTAL_ROW()), *found[at])
    return found


def _is_named(found: Iterable[Problem]) -> bool:
    return any(problem.said.code == TOTAL_ROW.code for problem in found)


def is_total(cell: str) -> bool:
    """Does a cell say that its row is a sum, and nothing else?

    >>> is_total(" Grand Total: "), is_total("รวม"), is_total("Total Wine Ltd")
    (True, True, False)
    """
    return 0 < len(cell) <= _LONGEST and folded(cell).strip(" \t:.=()[]-*").strip() in _WORDS
