"""A rejects file that comes back: the apostrophe that kept a cell from being a formula is taken off
again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from batchpay.domain.lineage import DEFUSED
from batchpay.domain.model import Problem
from batchpay.domain.text import FORMULA_STARTS, told
from batchpay.messages import problems
from batchpay.readers.pieces import Piece


def restored_header(cells: Sequence[str], wanted: Collection[str]) -> list[str]:
    """The names of the columns as the input had them; without a cell of ours, as they are."""
    if DEFUSED not in cells:
        return list(cells)
    return [_restored(cell, wanted) for cell in cells]


def _restored(name: str, wanted: Collection[str]) -> str:
    if name in wanted:
        return name
    if name[:1] == "'" and name[1:].startswith(FORMULA_STARTS):
        return name[1:]
    return name


def restore(piece: Piece) -> None:
    """Undo what the rejects file says was done to its cells; who has corrected one may have taken
    it off already.
    """
    names = piece.batch.schema.names
    if DEFUSED not in names:
        return
    import pyarrow as pa

    wanted: dict[str, list[int]] = {}
    marks = piece.batch.column(names.index(DEFUSED)).to_pylist()
    for at, mark in enumerate(marks):
        if not mark:
            continue
        for name in _names(piece, at, mark):
            wanted.setdefault(name, []).append(at)
    for name in wanted.keys() & set(names):
        index = names.index(name)
        texts = piece.batch.column(index).to_pylist()
        for at in wanted[name]:
            texts[at] = (texts[at] or "").removeprefix("'")
        piece.batch = piece.batch.set_column(index, name, pa.array(texts, pa.string()))


def _names(piece: Piece, at: int, mark: str) -> list[str]:
    """The marked columns of one row; a mark that says nothing clear rejects it, as its cells may be
    another's.
    """
    try:
        names = json.loads(mark)
    except (ValueError, RecursionError):
        names = None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    piece.blame(at, Problem(DEFUSED, told(mark), problems.NOT_A_MARK()))
    return []
