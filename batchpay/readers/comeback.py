"""A rejects file that comes back: the apostrophe that kept a cell from being a formula is taken off
again, and a cell whose card number was masked is still the one that was rejected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from batchpay.domain.lineage import ADDED, DEFUSED, REASON, is_rejects_file
from batchpay.domain.model import Problem
from batchpay.domain.text import FORMULA_STARTS, told
from batchpay.messages import problems
from batchpay.readers.pieces import Piece

_MASK = re.compile(r"\*{9,15}[0-9]{4}")  # what cards.without_cards leaves


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
    if is_rejects_file(names) and REASON in names:
        _blame_masked(piece)
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


def _blame_masked(piece: Piece) -> None:
    """A row that was rejected for a card number is rejected again as long as its mask stands there:
    what is sent beside the money was never meant to be a mask.
    """
    import pyarrow.compute as pc

    names = piece.batch.schema.names
    reasons = piece.batch.column(names.index(REASON))
    told_so = pc.indices_nonzero(pc.match_substring(reasons, problems.CARD_NUMBER.code))
    for at in told_so.to_pylist():
        for name, column in zip(names, piece.batch.columns, strict=True):
            text = column[at].as_py() or ""
            if name not in ADDED and _MASK.search(text):
                piece.blame(at, Problem(name, told(text), problems.CARD_NUMBER()))


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
