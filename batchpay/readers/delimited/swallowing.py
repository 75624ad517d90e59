"""Rows that quotes have swallowed: a cell begins with a quote that nobody closed, a cell of a later
row ends with one, and by the rules of CSV all between them is one cell of one row.

    >>> roles = Roles(money=("amount",), needed=("id", "amount"))
    >>> row = {"id": "2", "item": "5 ft pole,200.00\\n3,6 ft pole", "amount": "1234.00"}
    >>> swallowed(row, ",", roles)
    True
    >>> swallowed({**row, "item": "5 ft pole\\nred, blue"}, ",", roles)
    False

Such a row is sound, and its order would be charged the amount of another. It is known by its lines:
the first and the last have all cells of a row, and none is empty without which no row is an order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from batchpay.job.job import Roles

if TYPE_CHECKING:
    import pyarrow as pa


def swallows_rows(batch: pa.RecordBatch, delimiter: str, roles: Roles) -> bool:
    """Is there such a row among these?"""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = batch.schema.names
    for column in batch.columns:
        is_over_lines = pc.match_substring(column, "\n")
        has_more = pc.match_substring(column, delimiter)
        broken = pc.indices_nonzero(pc.and_(is_over_lines, has_more))
        if not len(broken):
            continue
        for cells in pa.Table.from_batches([batch.take(broken)]).to_pylist():
            if swallowed({name: cells[name] or "" for name in names}, delimiter, roles):
                return True
    return False


def swallowed(cells: Mapping[str, str], delimiter: str, roles: Roles) -> bool:
    """Is this row, by its cells, made of several?"""
    names = list(cells)
    texts = list(cells.values())
    for at, text in enumerate(texts):
        if "\n" not in text:
            continue
        lines = text.replace("\r\n", "\n").split("\n")
        first = [*texts[:at], *lines[0].split(delimiter)]
        last = [*lines[-1].split(delimiter), *texts[at + 1 :]]
        if all(_is_row(names, row, roles) for row in (first, last)):
            return True
    return False


def _is_row(names: Sequence[str], texts: Sequence[str], roles: Roles) -> bool:
    """May these be the cells of a row of an order?"""
    if len(texts) != len(names):
        return False
    row = dict(zip(names, texts, strict=True))
    has_all = all(row.get(name, "-").strip() for name in roles.needed)
    amounts = [row[name] for name in roles.money if row.get(name)]
    return has_all and all(any(map(str.isdigit, text)) for text in amounts)
