"""Sums that a spreadsheet or a dataframe made: 30.299999999999997 is what 30.3 became on the way.

Spreadsheets keep 15 digits, and show no more; what stands behind them is the noise of binary
fractions. So an amount with more digits than that is read to 15 of them, where these say a number
of few digits; an id never is.

>>> clean("30.299999999999997"), clean("123456.78000000003"), clean("33.333333333333336")
('30.3', '123456.78', '')
>>> clean("30.3"), clean("0.1234567890123"), clean("12345678901234567")
('', '', '')
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from batchpay.messages.problems import NOT_EXACT
from batchpay.readers.pieces import Noise, Notes, Piece

if TYPE_CHECKING:
    import pyarrow as pa

_KEPT = 15  # digits of a spreadsheet's number
_CLEAN = 13  # ... of which so many may say something: the last two are nought
_NOISY = r"\A-?[0-9]{1,15}\.[0-9]{5,24}\z"
_ROUND = Context(prec=_KEPT)


def clean(text: str) -> str:
    """The number that 15 digits of a longer one say; empty where they say none of fewer digits."""
    number = Decimal(text)
    if len(number.as_tuple().digits) <= _KEPT:
        return ""
    kept = _ROUND.plus(number).normalize()
    if len(kept.as_tuple().digits) > _CLEAN:
        return ""
    return format(kept, "f")


def without_noise(piece: Piece, money: Collection[str], notes: Notes) -> None:
    """Read the amounts of a piece to 15 digits; what its reader had against them is lifted."""
    import pyarrow as pa

    names = piece.batch.schema.names
    for name in sorted(set(money) & set(names)):
        index = names.index(name)
        places = _noisy(piece.batch.column(index))
        if not places:
            continue
        texts = piece.batch.column(index).to_pylist()
        for at in places:
            text = clean(texts[at])
            if text and _is_only_inexact(piece, at, name):
                notes.noise.append(Noise(piece.rows[at], name, texts[at], text))
                texts[at] = text
        piece.batch = piece.batch.set_column(index, name, pa.array(texts, pa.string()))


def _noisy(column: pa.Array) -> list[int]:
    import pyarrow.compute as pc

    found: list[int] = pc.indices_nonzero(
        pc.match_substring_regex(column, _NOISY)
    ).to_pylist()
    return found


def _is_only_inexact(piece: Piece, at: int, name: str) -> bool:
    """Has nobody anything else against this cell? What a reader has against its digits goes."""
    found = piece.problems.get(at, [])
    others = [
        one for one in found if one.column == name and one.said.code != NOT_EXACT.code
    ]
    if others:
        return False
    left = [one for one in found if one.column != name]
    if left:
        piece.problems[at] = left
    else:
        piece.problems.pop(at, None)
    return True
