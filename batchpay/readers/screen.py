"""What no cell may hold, looked for in whole blocks first: control characters, card numbers, keys,
endless text.

A clean block costs one pass over its bytes; only where that finds anything are columns and cells
looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from batchpay.domain.cards import without_cards
from batchpay.domain.model import Problem
from batchpay.domain.secrets import KEY_PATTERN, without_keys
from batchpay.domain.text import told
from batchpay.messages import problems
from batchpay.messages.message import Message
from batchpay.readers.pieces import Piece

if TYPE_CHECKING:
    import pyarrow as pa

CELL_LIMIT = 64 * 1024  # bytes of one cell
SHORTEST = 13  # bytes in which a card number or a key has room

# RE2 patterns, linear in time. A block that is clean costs the first look alone, some milliseconds
# a megabyte: it sees a card's first digits and eleven more, with few characters between, of which
# no letter, or groups that may be a card's; days and times in a column do not begin so. What it
# does not pass is looked at as batchpay.domain.cards cuts: in one piece or cut alike anyhow; cut as
# printed; in another script.
_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{2028}\x{2029}]|\r(?:[^\n]|\z)"
# blanks, dashes, line ends and what is not ASCII
_NO_MARK = r"[^0-9A-Za-z!-,./:-@\[-`{-~]"
# of those in a list, , ; and |, none
_MARKS = (r"\.", "/", ":", "_", r"\*", r"[!-)+<-@\[-^`{}~]")


def _anyhow(cut: str) -> str:
    cut = f"(?:{cut}){{0,3}}"
    return rf"(?:2{cut}[2-7]|3|4|5{cut}[1-5]|6|8{cut}1)(?:{cut}[0-9]){{11}}"


_NO_DIGIT_BEFORE = r"(?:\A|[^0-9])"
_ANYHOW = rf"{_NO_DIGIT_BEFORE}(?:{'|'.join(_anyhow(f'{_NO_MARK}|{mark}') for mark in _MARKS)})"
_ISSUED = r"(?:2[2-7]|3[0-9]|4[0-9]|5[1-5]|6[0-9]|81)[0-9]{2}"


def _printed(cut: str) -> str:
    return (
        rf"{_ISSUED}(?:{cut}{{1,3}}[0-9]{{4}}(?:[0-9]{{2}})?){{1,3}}{cut}{{1,3}}[0-9]"
    )


_PRINTED = (
    rf"(?:\A|[^0-9]){_printed('[^0-9A-Za-z]')}|(?:\A|[^0-9A-Za-z_]){_printed('[^0-9]')}"
)
_FOREIGN = r"[^\P{Nd}0-9]"
_DENSE = rf"{_NO_DIGIT_BEFORE}{_anyhow('[^0-9A-Za-z,;|]')}"
_GROUPS = r"[0-9]{4}[^0-9]{1,3}[0-9]{4}(?:[0-9]{2})?[^0-9]{1,3}[0-9]{3}"
FIRST_LOOK = "|".join((_CONTROL, _FOREIGN, KEY_PATTERN, _DENSE, _GROUPS))
CARD = "|".join((_ANYHOW, _PRINTED, _FOREIGN))
_ANYTHING = "|".join((_CONTROL, KEY_PATTERN, CARD))


def screen(piece: Piece, not_cards: Collection[str]) -> None:
    """Blame the rows where something was found, and mask the card numbers and keys."""
    if len(piece.raw) > CELL_LIMIT:
        _blame_long(piece)
    if _matches(piece.raw, FIRST_LOOK) and _matches(piece.raw, _ANYTHING):
        _blame_control(piece)
        _mask(piece, KEY_PATTERN, without_keys, problems.SECRET_KEY())
        _mask(piece, CARD, without_cards, problems.CARD_NUMBER(), not_cards)


def _matches(raw: bytes, pattern: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(
        pc.match_substring_regex(pa.array([raw], pa.string()), pattern)[0].as_py()
    )


def _where(column: pa.Array, pattern: str) -> list[int]:
    import pyarrow.compute as pc

    found: list[int] = pc.indices_nonzero(
        pc.match_substring_regex(column, pattern)
    ).to_pylist()
    return found


def _longest(column: pa.Array) -> int:
    import pyarrow.compute as pc

    return pc.max(pc.binary_length(column)).as_py() or 0


def _blame_control(piece: Piece) -> None:
    for name, column in zip(piece.batch.schema.names, piece.batch.columns, strict=True):
        for at in _where(column, _CONTROL):
            found = told(column[at].as_py())
            piece.blame(at, Problem(name, found, problems.CONTROL_CHARACTER()))


def _blame_long(piece: Piece) -> None:
    import pyarrow.compute as pc

    for name, column in zip(piece.batch.schema.names, piece.batch.columns, strict=True):
        if _longest(column) <= CELL_LIMIT:
            continue
        is_long = pc.greater(pc.binary_length(column), CELL_LIMIT)
        for at in pc.indices_nonzero(is_long).to_pylist():
            text = column[at].as_py()
            said = problems.CELL_TOO_LONG(length=len(text), limit=CELL_LIMIT)
            piece.blame(at, Problem(name, told(text), said))


def _mask(
    piece: Piece,
    pattern: str,
    without: Callable[[str], str],
    said: Message,
    but: Collection[str] = (),
) -> None:
    """Blame the rows in which `without` takes something away, and keep what it leaves."""
    import pyarrow as pa

    columns = list(piece.batch.columns)
    for index, name in enumerate(piece.batch.schema.names):
        if name in but or _longest(columns[index]) < SHORTEST:
            masks = {}
        else:
            masks = _masks(columns[index], pattern, without)
        if not masks:
            continue
        texts = columns[index].to_pylist()
        for at, mask in masks.items():
            texts[at] = mask
            piece.blame(at, Problem(name, told(mask), said))
        columns[index] = pa.array(texts, pa.string())
    piece.batch = pa.RecordBatch.from_arrays(columns, names=piece.batch.schema.names)


def _masks(
    column: pa.Array, pattern: str, without: Callable[[str], str]
) -> dict[int, str]:
    """The masked text of every cell that holds what may not stand there, by position."""
    masks = {}
    for at in _where(column, pattern):
        text = column[at].as_py()
        mask = without(text)
        if mask != text:
            masks[at] = mask
    return masks
