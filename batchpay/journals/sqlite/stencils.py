"""STENCILS: what many events have in common is kept once.

The thousands of intents of a run differ in a few ids and numbers; so do its answers. What they have
in common is kept as a stencil, a text with holes, in the table `stencils`; an event of that shape
keeps the number of its stencil and what stands in the holes. The chain is made over the whole text,
which is put together again wherever it is read: by `plain(data)` in our queries, and in SQL's own
words by the view `plain_events` (schema.sql). Nothing is lost, nothing is guessed: what is to be
kept is put together at once, and kept in full where that is not the text to the letter.

A stencil is learned from the first events of a shape that a process writes, which stand in the
journal in full.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from batchpay.domain.events import FREQUENT, charge_in
from batchpay.domain.model import Event

APART = "\x7f"  # between what stands in the holes; texts that hold it are kept in full
LEARNED_FROM = 32  # events of a shape
MOST_SHAPES = 64  # that are learned at the same time
MOST_STENCILS = 16  # of a kind, that an event is held against
_OPENS = "{"  # an event that is kept in full begins so, and no other does
# before what stands in the holes: the charge's id, by which events are found, and the number
_CHARGE, _FIRST = 0, 2
_OF_A_WORD = r'[^"\\&=,:{}\[\]\x00-\x1f\x7f]'
_WORD = re.compile(f"({_OF_A_WORD}+)")
_ID = re.compile("[A-Za-z0-9_]*")

DATA = "plain(data)"
"""What an event keeps, as text, in a query; `read_by` is what it takes."""

# as the index charges_told_of has it
CHARGE_TOLD_OF = (
    "CASE substr(data, 1, 1) WHEN '{' THEN json_extract(data, '$.charge.id')"
    " ELSE nullif(substr(data, 1, instr(data, char(127)) - 1), '') END"
)

Piece = str | int
"""Of a stencil: a text, or which part of what is kept stands in the hole."""


class Stencil:
    """A text with holes."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._holes = [piece for piece in pieces if isinstance(piece, int)]
        self._text = "".join(map(_for_filling, pieces))
        # of at least two places, for it to give a tuple
        self._parts_of: Callable[[Sequence[str]], tuple[str, ...]]
        self._parts_of = itemgetter(*self._holes, 0)

    def filled(self, parts: Sequence[str]) -> str:
        """The text of an event. Raises IndexError where there are too few parts."""
        return self._text % self._parts_of(parts)[:-1]


def _for_filling(piece: Piece) -> str:
    if isinstance(piece, int):
        return "%s"
    return piece.replace("%", "%%")


class _Fitting(Stencil):
    """A stencil that events are held against before they are written."""

    def __init__(self, number: int, pieces: Sequence[Piece]) -> None:
        super().__init__(pieces)
        self._number = str(number)
        self._tells_charge = _CHARGE in self._holes
        self._shape = re.compile("".join(_for_fitting(pieces)))

    def short(self, text: str, charge_id: str) -> str:
        """What is to be kept of an event; empty where it does not fit."""
        fits = self._shape.fullmatch(text)
        if fits is None:
            return ""
        words = list(fits.groups())
        if self._tells_charge:
            charge_id = words.pop(fits.re.groupindex["part0"] - 1)
        parts = [charge_id, self._number, *words]
        if self.filled(parts) != text:
            return ""
        return APART.join(parts)


def _for_fitting(pieces: Sequence[Piece]) -> Iterator[str]:
    seen = set()
    for piece in pieces:
        if isinstance(piece, str):
            yield re.escape(piece)
        elif piece in seen:
            yield f"(?P=part{piece})"
        else:
            seen.add(piece)
            yield f"(?P<part{piece}>{_OF_A_WORD}+)"


class Shortening:
    """What one process writes into one journal: the stencils that it learned."""

    def __init__(self) -> None:
        self._known: dict[str, list[_Fitting]] = {}
        self._samples: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}
        # learned in a transaction that is not committed yet: nothing is kept by them
        self._fresh: dict[tuple[str, ...], _Fitting] = {}

    def short(self, connection: sqlite3.Connection, event: Event, text: str) -> str:
        """What is to be kept of an event of this text, which may be the text; in the caller's
        transaction.
        """
        if event.kind not in FREQUENT or not event.order_id or APART in text:
            return text
        charge_id = charge_in(event).get("id") or ""
        if not isinstance(charge_id, str) or not _ID.fullmatch(charge_id):
            return text
        known = self._known.get(event.kind, [])
        for at, stencil in enumerate(known):
            short = stencil.short(text, charge_id)
            if short and short.startswith(charge_id + APART):
                if at:
                    known.insert(0, known.pop(at))
                return short
        self._learn(connection, event.kind, text, charge_id)
        return text

    def committed(self) -> None:
        """What was learned in the transaction is in the file."""
        for (kind, *_), stencil in self._fresh.items():
            known = self._known.setdefault(kind, [])
            known.insert(0, stencil)
            del known[MOST_STENCILS:]
        self._fresh.clear()

    def rolled_back(self) -> None:
        """It is not."""
        self._fresh.clear()

    def _learn(
        self, connection: sqlite3.Connection, kind: str, text: str, charge_id: str
    ) -> None:
        between_and_words = _WORD.split(text)
        shape = (kind, *between_and_words[::2])
        if shape in self._fresh:
            return
        samples = self._samples.setdefault(shape, [])
        samples.append((charge_id, between_and_words[1::2]))
        if len(self._samples) > MOST_SHAPES:
            del self._samples[next(iter(self._samples))]
        if len(samples) < LEARNED_FROM:
            return
        # what is another word in a later sample is never taken for the same again
        self._samples[shape] = samples[:1]
        pieces = _pieces(shape[1:], samples)
        if not any(isinstance(piece, int) for piece in pieces):
            return
        query = "SELECT coalesce(max(id), 0) + 1 FROM stencils"
        (number,) = connection.execute(query).fetchone()
        told = json.dumps(pieces, ensure_ascii=False)
        connection.execute("INSERT INTO stencils VALUES (?, ?)", (number, told))
        self._fresh[shape] = _Fitting(number, pieces)


def _pieces(
    between: Sequence[str], samples: Sequence[tuple[str, list[str]]]
) -> list[Piece]:
    """What all samples have in common, with a hole for each word in which they differ; words that
    are the same in each of them share what stands in it.
    """
    charges = tuple(charge_id for charge_id, _ in samples)
    parts = {charges: _CHARGE}
    pieces: list[Piece] = []
    text = between[0]
    every = zip(*(words for _, words in samples), strict=True)
    for words, then in zip(every, between[1:], strict=True):
        if len(set(words)) == 1:
            text += words[0] + then
            continue
        pieces += [text, parts.setdefault(words, len(parts) + _FIRST - 1)]
        text = then
    return [*pieces, text]


# --- reading

# what was edited may be anything
_NO_STENCIL = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    sqlite3.Error,
)


def read_by(connection: sqlite3.Connection) -> None:
    """From now on `plain(data)` is what an event keeps, in full, in the queries of a connection."""
    connection.create_function("plain", 1, partial(_plain, connection, {}))


def _plain(connection: sqlite3.Connection, known: dict[str, Stencil], data: Any) -> Any:
    """What cannot be put together stays as it is: that does not fit the chain, and whoever reads
    says so.
    """
    if not isinstance(data, str) or data.startswith(_OPENS):
        return data
    parts = data.split(APART)
    try:
        stencil = known.get(parts[1])
        if stencil is None:
            stencil = _stencil(connection, parts[1])
            known[parts[1]] = stencil
        return stencil.filled(parts)
    except _NO_STENCIL:
        return data


def _stencil(connection: sqlite3.Connection, number: str) -> Stencil:
    query = "SELECT pieces FROM stencils WHERE id = ?"
    row = connection.execute(query, (number,)).fetchone()
    if row is None:
        raise LookupError(number)
    return Stencil(json.loads(row[0]))
