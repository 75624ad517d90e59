"""What no cell may hold, looked for in whole blocks first: control characters, card numbers, endless text.

A clean block costs one pass over its bytes; only where that finds anything are columns and cells looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from batchpay.model import Problem
from batchpay.readers import cards
from batchpay.readers.pieces import Piece

if TYPE_CHECKING:
    import pyarrow as pa

CELL_LIMIT = 64 * 1024  # bytes of one cell

# RE2 patterns: linear in time, 2 ms for a block of a megabyte.
_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{2028}\x{2029}]|\r(?:[^\n]|\z)"
_BETWEEN = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in cards.FOREIGN_BETWEEN)
_FOREIGN_CARD = rf"[^\P{{Nd}}0-9]|[0-9][{_BETWEEN}]"  # another script's digit, or another's blank after a digit
_CARD = (
    r"(?:\A|[^0-9A-Za-z_])(?:2[ \t-]{0,3}[2-7]|3|4|5[ \t-]{0,3}[1-5]|6|8[ \t-]{0,3}1)"
    r"(?:[ \t-]{0,3}[0-9]){11}"
)
_ANYTHING = "|".join((_CONTROL, _FOREIGN_CARD, _CARD))


def screen(piece: Piece, not_cards: Collection[str]) -> None:
    """Blame the rows where something was found, and mask the card numbers."""
    if len(piece.raw) > CELL_LIMIT:
        _blame_long(piece)
    if _matches(piece.raw, _ANYTHING):
        _blame_control(piece)
        _mask_cards(piece, not_cards)


def _matches(raw: bytes, pattern: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pc.match_substring_regex(pa.array([raw], pa.string()), pattern)[0].as_py())


def _where(column: pa.Array, pattern: str) -> list[int]:
    import pyarrow.compute as pc

    found: list[int] = pc.indices_nonzero(pc.match_substring_regex(column, pattern)).to_pylist()
    return found


def _blame_control(piece: Piece) -> None:
    for name, column in zip(piece.batch.schema.names, piece.batch.columns, strict=True):
        for at in _where(column, _CONTROL):
            remedy = "remove the control character; a line break inside a cell is LF, in quotes"
            piece.blame(at, Problem(name, cards.told(column[at].as_py()), "control-character", remedy))


def _blame_long(piece: Piece) -> None:
    import pyarrow.compute as pc

    for name, column in zip(piece.batch.schema.names, piece.batch.columns, strict=True):
        lengths = pc.binary_length(column)
        if (pc.max(lengths).as_py() or 0) > CELL_LIMIT:
            for at in pc.indices_nonzero(pc.greater(lengths, CELL_LIMIT)).to_pylist():
                text = column[at].as_py()
                remedy = f"{len(text)} characters; a cell holds at most {CELL_LIMIT} bytes: shorten it"
                piece.blame(at, Problem(name, cards.told(text), "cell-too-long", remedy))


def _mask_cards(piece: Piece, not_cards: Collection[str]) -> None:
    import pyarrow as pa

    columns = list(piece.batch.columns)
    for index, name in enumerate(piece.batch.schema.names):
        masks = {} if name in not_cards else _masks(columns[index])
        if not masks:
            continue
        texts = columns[index].to_pylist()
        for at, mask in masks.items():
            texts[at] = mask
            remedy = "a card number may not stand in a file: remove it (masked here); pay by token, customer or source"
            piece.blame(at, Problem(name, cards.told(mask), "card-number", remedy))
        columns[index] = pa.array(texts, pa.string())
    piece.batch = pa.RecordBatch.from_arrays(columns, names=piece.batch.schema.names)


def _masks(column: pa.Array) -> dict[int, str]:
    """The masked text of every cell that holds a card number, by position."""
    suspects = {at: column[at].as_py() for at in _where(column, f"{_CARD}|{_FOREIGN_CARD}")}
    return {at: mask for at, text in suspects.items() if (mask := cards.masked(text)) != text}
