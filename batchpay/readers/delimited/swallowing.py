"""Rows that quotes have swallowed: a cell begins with a quote that nobody closed, a cell of a later
row ends with one, and by the rules of CSV all between them is one cell of one row.

    >>> roles = Roles(money=("amount",), needed=("id", "amount"))
    >>> row = {"id": "2", "item": "5 ft pole,200.00\\n3,6 ft pole", "amount": "1234.00"}
    >>> swallowed(row, ",", roles)
    True
    >>> swallowed({**row, "item": "5 ft pole\\nred, blue"}, ",", roles)
    False

Such a row is sound, and its order would be charged the amount of another. It is known by its lines:
the first and the last, and one between them where there are any, have all cells of a row, none is
empty without which no row is an order, and where an amount belongs stands a number. A blank that
begins such a cell is that of a list in prose, unless cells of this row begin so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from batchpay.job.job import Roles

if TYPE_CHECKING:
    import pyarrow as pa

_LETTERS = 4  # beside a number at most: THB, baht


def swallows_rows(batch: pa.RecordBatch, delimiter: str, roles: Roles) -> bool:
    """Is there such a row among these?"""
    import pyarrow.compute as pc

    width = batch.num_columns
    for at, column in enumerate(batch.columns):
        is_over_lines = pc.match_substring(column, "\n")
        if not pc.any(is_over_lines).as_py():
            continue
        enough = pc.greater_equal(
            pc.count_substring(column, delimiter), max(width - 1, 1)
        )
        places = pc.indices_nonzero(pc.and_(is_over_lines, enough))
        texts = column.take(places).to_pylist()
        for place, text in zip(places.to_pylist(), texts, strict=True):
            if _lines(text, delimiter, at, width):
                (cells,) = batch.slice(place, 1).to_pylist()
                row = {name: cells[name] or "" for name in batch.schema.names}
                if swallowed(row, delimiter, roles):
                    return True
    return False


def swallowed(cells: Mapping[str, str], delimiter: str, roles: Roles) -> bool:
    """Is this row, by its cells, made of several?"""
    names = list(cells)
    texts = list(cells.values())
    width = len(texts)
    least = max(
        (at for at, name in enumerate(names) if name in roles.needed), default=0
    )
    for at, text in enumerate(texts):
        lines = _lines(text, delimiter, at, width)
        if not lines:
            continue
        first = [*texts[:at], *lines[0].split(delimiter)]
        last = [*lines[-1].split(delimiter), *texts[at + 1 :]]
        between = [line for line in lines[1:-1] if line.strip()]
        is_row = any(least <= line.count(delimiter) < width for line in between)
        if (is_row or not between) and all(
            _is_row(names, row, texts, roles) for row in (first, last)
        ):
            return True
    return False


def _lines(text: str, delimiter: str, at: int, width: int) -> list[str]:
    """The lines of a cell of which the first ends a row and the last begins one; else none. `at`:
    the cell's place in its row.
    """
    if "\n" not in text:
        return []
    lines = text.replace("\r\n", "\n").split("\n")
    ends = (lines[0].count(delimiter), lines[-1].count(delimiter))
    return lines if ends == (width - at - 1, at) else []


def _is_row(
    names: Sequence[str], texts: Sequence[str], beside: Sequence[str], roles: Roles
) -> bool:
    """May these be the cells of an order? `beside`: those of the row in which they stand."""
    has_blanks = any(text[:1].isspace() for text in beside)
    for name, text in zip(names, texts, strict=True):
        if name in roles.money and text and not _is_number(text):
            return False
        if name in roles.needed:
            is_prose = text[:1].isspace() and not has_blanks
            if is_prose or not text.strip():
                return False
    return True


def _is_number(text: str) -> bool:
    """Also with a sign, a code or a word beside it, in any script."""
    digits = sum(map(str.isdigit, text))
    letters = sum(map(str.isalpha, text))
    return digits > 0 and letters <= _LETTERS
