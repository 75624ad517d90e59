"""A rejects file that comes back: the apostrophe that kept a cell from being a formula is taken off
again, and a row whose fault its cells show no more is rejected again: one with a masked card number
or key, one whose cells had slipped, one that looked like a sum, one with a formula without a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from batchpay.domain.lineage import (
    ADDED,
    DEFUSED,
    REASON,
    RETRY,
    UNSEEN,
    is_rejects_file,
)
from batchpay.domain.model import Problem
from batchpay.domain.text import FORMULA_STARTS, told
from batchpay.messages import problems
from batchpay.readers.pieces import Piece

# what `screen` leaves of a card number, and of a key
_MASKS = (
    (problems.CARD_NUMBER, re.compile(r"\*{9,15}[0-9]{4}")),
    (problems.SECRET_KEY, re.compile(r"\b([spc]key|chain)_\*{3}")),
)


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


def restore(piece: Piece, *, shows_strikes: bool = False) -> None:
    """Undo what the rejects file says was done to its cells; who has corrected one may have taken
    it off already. `shows_strikes`: the file is of a kind that keeps them.
    """
    names = piece.batch.schema.names
    if is_rejects_file(names) and REASON in names:
        _blame_again(piece)
        _strike_again(piece, shows_strikes=shows_strikes)
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


def _blame_again(piece: Piece) -> None:
    """A row that comes back as it went is rejected for what it was rejected for: what is sent
    beside the money was never meant to be a mask, nor an amount what a comma left of it.
    """
    for said, mask in _MASKS:
        for at in _told_of(piece, said.code):
            for name, text in _own_cells(piece, at):
                if mask.search(text):
                    piece.blame(at, Problem(name, told(text), said()))
    for at in _told_of(piece, problems.NO_VALUE_IN.code):
        for name, text in _own_cells(piece, at):
            if not text and _is_told_of(piece, at, name) and not _says_yes(piece, at):
                piece.blame(at, Problem(name, "", problems.NO_VALUE_AGAIN()))
    for rule in sorted(UNSEEN):
        for at in _told_of(piece, rule):
            if not _says_yes(piece, at):
                retry = told(_cell(piece, at, RETRY))
                piece.blame(at, Problem(RETRY, retry, problems.UNSEEN_FAULT(), rule))


def _strike_again(piece: Piece, *, shows_strikes: bool) -> None:
    """A row that was struck through is, until its strike is gone or somebody says yes; a file of
    texts shows neither.
    """
    rule = problems.STRUCK_THROUGH.code
    for at in _told_of(piece, rule):
        if _says_yes(piece, at):
            found = piece.problems.pop(at, [])
            if left := [problem for problem in found if problem.rule != rule]:
                piece.problems[at] = left
        elif not shows_strikes:
            retry = told(_cell(piece, at, RETRY))
            piece.blame(at, Problem(RETRY, retry, problems.STRUCK_AGAIN()))


def _told_of(piece: Piece, rule: str) -> list[int]:
    """Where the reason names this rule, in whichever language."""
    import pyarrow.compute as pc

    reasons = piece.batch.column(piece.batch.schema.names.index(REASON))
    places: list[int] = pc.indices_nonzero(
        pc.match_substring(reasons, f"({rule})")
    ).to_pylist()
    return places


def _is_told_of(piece: Piece, at: int, name: str) -> bool:
    """Is it this column whose formula had no value?"""
    for told_once in _cell(piece, at, REASON).split(" | "):
        if told_once.startswith(f"{name}: ") and problems.NO_VALUE_IN.code in told_once:
            return True
    return False


def _own_cells(piece: Piece, at: int) -> list[tuple[str, str]]:
    names = piece.batch.schema.names
    return [(name, _cell(piece, at, name)) for name in names if name not in ADDED]


def _says_yes(piece: Piece, at: int) -> bool:
    return _cell(piece, at, RETRY).strip().lower() == "yes"


def _cell(piece: Piece, at: int, name: str) -> str:
    names = piece.batch.schema.names
    if name not in names:
        return ""
    return piece.batch.column(names.index(name))[at].as_py() or ""


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
