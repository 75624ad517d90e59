"""What no cell may hold, looked for in whole blocks first: control characters, card numbers, endless text.

A clean block costs a few passes of numpy over its bytes; only where one of them stirs are cells looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from batchpay.model import Problem
from batchpay.readers import cards
from batchpay.readers.pieces import Piece
from batchpay.shown import shown

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CELL_LIMIT = 64 * 1024  # bytes of one cell

# RE2 patterns: linear in time, run over whole columns.
_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{2028}\x{2029}]|\r(?:[^\n]|\z)"
_FOREIGN_CONTROL = r"[\x{80}-\x{9F}\x{2028}\x{2029}]"
_BETWEEN = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in cards.FOREIGN_BETWEEN)
_FOREIGN_CARD = rf"[^\P{{Nd}}0-9]|[0-9][{_BETWEEN}]"
_CARD = (
    r"(?:\A|[^0-9A-Za-z_])(?:2[ \t-]{0,3}[2-7]|3|4|5[ \t-]{0,3}[1-5]|6|8[ \t-]{0,3}1)"
    r"(?:[ \t-]{0,3}[0-9]){11}"
)


def screen(piece: Piece, not_cards: Collection[str]) -> None:
    """Blame the rows where something was found, and mask the card numbers."""
    import numpy as np

    foreign = not piece.raw.isascii()
    data = np.frombuffer(piece.raw, dtype=np.uint8)
    if _has_control(data, piece.raw) or (foreign and _matches(piece.raw, _FOREIGN_CONTROL)):
        _blame_control(piece)
    if len(data) > CELL_LIMIT:
        _blame_long(piece)
    everywhere = foreign and _matches(piece.raw, _FOREIGN_CARD)
    if everywhere or _has_run(data, piece.raw):
        _mask_cards(piece, not_cards, everywhere=everywhere)


# --- control characters -----------------------------------------------------------------------------------------


def _has_control(data: np.ndarray, raw: bytes) -> bool:
    """More bytes below the blank than tabs and line ends, or DEL?"""
    import numpy as np

    harmless = raw.count(b"\n") + raw.count(b"\t") + raw.count(b"\r\n")
    return int(np.count_nonzero(data < 0x20)) != harmless or b"\x7f" in raw


def _matches(raw: bytes, pattern: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pc.match_substring_regex(pa.array([raw], pa.string()), pattern)[0].as_py())


def _blame_control(piece: Piece) -> None:
    for name, column in zip(piece.batch.schema.names, piece.batch.columns, strict=True):
        for at in _where(column, _CONTROL):
            value = shown(cards.masked(column[at].as_py()))
            remedy = "remove the control character; a line break inside a cell is LF, in quotes"
            piece.blame(at, Problem(name, value, "control-character", remedy))


def _where(column: pa.Array, pattern: str) -> list[int]:
    import pyarrow.compute as pc

    found: list[int] = pc.indices_nonzero(pc.match_substring_regex(column, pattern)).to_pylist()
    return found


# --- length -----------------------------------------------------------------------------------------------------


def _blame_long(piece: Piece) -> None:
    import pyarrow.compute as pc

    for name, column in zip(piece.batch.schema.names, piece.batch.columns, strict=True):
        lengths = pc.binary_length(column)
        if (pc.max(lengths).as_py() or 0) > CELL_LIMIT:
            for at in pc.indices_nonzero(pc.greater(lengths, CELL_LIMIT)).to_pylist():
                text = column[at].as_py()
                remedy = f"{len(text)} characters; at most {CELL_LIMIT} bytes: shorten it"
                piece.blame(at, Problem(name, shown(cards.masked(text)), "cell-too-long", remedy))


# --- card numbers -----------------------------------------------------------------------------------------------


def _has_run(data: np.ndarray, raw: bytes) -> bool:
    """Do 13 digits follow each other anywhere, blanks and dashes between them aside?"""
    if not _runs_13((data - 0x30 < 10) | (data == 0x20) | (data == 0x2D) | (data == 0x09)):
        return False
    import numpy as np

    return _runs_13(np.frombuffer(raw.translate(None, b" \t-"), dtype=np.uint8) - 0x30 < 10)


def _runs_13(ok: np.ndarray) -> bool:
    """Is any run of True at least 13 long? Doubling: 2, 4, 8, then 8 and 5."""
    for step in (1, 2, 4):
        ok = ok[:-step] & ok[step:]
    return bool((ok[:-5] & ok[5:]).any())


def _mask_cards(piece: Piece, not_cards: Collection[str], *, everywhere: bool) -> None:
    import pyarrow as pa

    columns = list(piece.batch.columns)
    for index, name in enumerate(piece.batch.schema.names):
        if name in not_cards:
            continue
        masks = _masks(columns[index], everywhere=everywhere)
        if not masks:
            continue
        texts = columns[index].to_pylist()
        for at, mask in masks.items():
            texts[at] = mask
            remedy = "a card number may not stand in a file: remove it (it was masked here); use a token or a customer id"
            piece.blame(at, Problem(name, shown(mask), "card-number", remedy))
        columns[index] = pa.array(texts, pa.string())
    piece.batch = pa.RecordBatch.from_arrays(columns, names=piece.batch.schema.names)


def _masks(column: pa.Array, *, everywhere: bool) -> dict[int, str]:
    """The masked text of every cell that holds a card number, by position."""
    import pyarrow.compute as pc

    suspects = set(_where(column, _CARD))
    if everywhere:
        suspects.update(pc.indices_nonzero(pc.invert(pc.string_is_ascii(column))).to_pylist())
    texts = {at: column[at].as_py() for at in sorted(suspects)}
    return {at: mask for at, text in texts.items() if (mask := cards.masked(text)) != text}
