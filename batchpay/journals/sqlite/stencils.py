"""STENCILS: what many events have in common is kept once.

The thousands of intents of a run differ in a few ids and numbers; so do its answers. What they have
in common is kept as a stencil, a text with holes, in the table `stencils`; an event of that shape
keeps the number of its stencil and what stands in the holes, but for what its columns have. The
chain is made over the whole text, which is put together again wherever it is read: by DATA in our
queries, and in SQL's own words by the view `plain_events` (schema.sql). Nothing is lost, nothing is
guessed: what is to be kept is put together at once, and kept in full where that is not the text to
the letter. Of its run such an event keeps which earlier one tells it (RUN).

A stencil is learned from the first events of a shape that a process writes, which stand in the
journal in full.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from batchpay.domain.events import FREQUENT, charge_in
from batchpay.domain.model import Event

APART = "\x7f"  # between what stands in the holes; texts that hold it are kept in full
LEARNED_FROM = 32  # events of a shape
MOST_SHAPES = 64  # that are learned at the same time
MOST_STENCILS = 16  # of a kind, that an event is held against
_OPENS = "{"  # an event that is kept in full begins so, and no other does
# before what stands in the holes: the charge's id, by which events are found, and the number
_CHARGE, _FIRST = 0, 2
# behind it: what stands in these columns of the event
_ORDER, _ROW = -2, -1
_OF_A_WORD = r'[^"\\&=,:{}\[\]\x00-\x1f\x7f]'
_WORD = re.compile(f"({_OF_A_WORD}+)")
_ID = re.compile("[A-Za-z0-9_]*")

OF_DATA = 'data, order_id, "row"'
DATA = f"plain({OF_DATA})"
"""What an event keeps, as text, in a query; `read_by` is what it takes."""
RUN = f"CASE substr(run_id, 1, 1) WHEN char({ord(APART)}) THEN told_run(run_id) ELSE run_id END"
"""The run of an event."""
DIGEST = "CASE typeof(digest) WHEN 'blob' THEN lower(hex(digest)) ELSE digest END"
"""The digest of an event, as text."""

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
        # of two places at least, for it to give a tuple
        self._parts_of: Callable[[Sequence[str]], tuple[str, ...]]
        self._parts_of = itemgetter(*self._holes, 0, 0)

    def filled(self, parts: Sequence[str]) -> str:
        """The text of an event. Raises IndexError where there are too few parts."""
        return self._text % self._parts_of(parts)[:-2]

    def of_one(self) -> tuple[str, int] | None:
        """The text as a form for %, and the part that it takes, where that is one of what is
        kept.
        """
        if len(self._holes) == 1 and self._holes[0] >= _FIRST:
            return self._text, self._holes[0]
        return None


def _for_filling(piece: Piece) -> str:
    if isinstance(piece, int):
        return "%s"
    return piece.replace("%", "%%")


class _Fitting(Stencil):
    """A stencil that events are held against before they are written."""

    def __init__(self, number: int, pieces: Sequence[Piece]) -> None:
        super().__init__(pieces)
        self._number = str(number)
        self._shape = re.compile("".join(_for_fitting(pieces)))
        # which parts the groups of it are
        self._parts = list(dict.fromkeys(self._holes))

    def short(self, text: str, charge_id: str, columns: Sequence[str]) -> str:
        """What is to be kept of an event; empty where it does not fit. `columns`: what stands in
        them.
        """
        fits = self._shape.fullmatch(text)
        if fits is None:
            return ""
        words = dict(zip(self._parts, fits.groups(), strict=True))
        charge_id = words.pop(_CHARGE, charge_id)
        kept = [words[part] for part in words if part > 0]
        parts = [charge_id, self._number, *kept]
        if self.filled([*parts, *columns]) != text:
            return ""
        return APART.join(parts)


def _for_fitting(pieces: Sequence[Piece]) -> Iterator[str]:
    seen = set()
    for piece in pieces:
        if isinstance(piece, str):
            yield re.escape(piece)
        elif piece in seen:
            yield f"(?P=part{piece - _ORDER})"
        else:
            seen.add(piece)
            yield f"(?P<part{piece - _ORDER}>{_OF_A_WORD}+)"


class _Sample(NamedTuple):
    """What differs from event to event of a shape."""

    charge_id: str
    order_id: str
    row: str
    words: Sequence[str]  # of its text


class Shortening:
    """What one process writes into one journal: the stencils that it learned, and which event tells
    a run in full.
    """

    def __init__(self) -> None:
        self._known: dict[str, list[_Fitting]] = {}
        self._samples: dict[tuple[str, ...], list[_Sample]] = {}
        self._runs: dict[str, int] = {}
        # learned in a transaction that is not committed yet: nothing is kept by them
        self._fresh: dict[tuple[str, ...], _Fitting] = {}
        self._fresh_runs: dict[str, int] = {}

    def run(self, event: Event, seq: int) -> str:
        """What is to be kept of the run of an event of this number: which earlier one tells it."""
        run_id = event.run_id
        if event.kind in FREQUENT and run_id in self._runs:
            return f"{APART}{self._runs[run_id]}"
        if run_id:
            self._fresh_runs.setdefault(run_id, seq)
        return run_id

    def short(self, connection: sqlite3.Connection, event: Event, text: str) -> str:
        """What is to be kept of an event of this text, which may be the text; in the caller's
        transaction.
        """
        if event.kind not in FREQUENT or not event.order_id or APART in text:
            return text
        charge_id = charge_in(event).get("id") or ""
        if not isinstance(charge_id, str) or not _ID.fullmatch(charge_id):
            return text
        columns = (event.order_id, str(event.row))
        known = self._known.get(event.kind, [])
        for at, stencil in enumerate(known):
            short = stencil.short(text, charge_id, columns)
            if short and short.startswith(charge_id + APART):
                if at:
                    known.insert(0, known.pop(at))
                return short
        between_and_words = _WORD.split(text)
        shape = (event.kind, *between_and_words[::2])
        sample = _Sample(charge_id, *columns, between_and_words[1::2])
        self._learn(connection, shape, sample)
        return text

    def committed(self) -> None:
        """What was learned in the transaction is in the file."""
        for (kind, *_), stencil in self._fresh.items():
            known = self._known.setdefault(kind, [])
            known.insert(0, stencil)
            del known[MOST_STENCILS:]
        self._runs = self._fresh_runs | self._runs
        self.rolled_back()

    def rolled_back(self) -> None:
        """It is not."""
        self._fresh.clear()
        self._fresh_runs.clear()

    def _learn(
        self, connection: sqlite3.Connection, shape: tuple[str, ...], sample: _Sample
    ) -> None:
        if shape in self._fresh:
            return
        samples = self._samples.setdefault(shape, [])
        samples.append(sample)
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


def _pieces(between: Sequence[str], samples: Sequence[_Sample]) -> list[Piece]:
    """What all samples have in common, with a hole for each word in which they differ; words that
    are the same in each of them share what stands in it.
    """
    charges, orders, rows, _ = zip(*samples, strict=True)
    known = {rows: _ROW, orders: _ORDER, charges: _CHARGE}
    parts = dict(known)
    pieces: list[Piece] = []
    text = between[0]
    every = zip(*(sample.words for sample in samples), strict=True)
    for words, then in zip(every, between[1:], strict=True):
        if len(set(words)) == 1:
            text += words[0] + then
            continue
        next_part = len(parts) - len(known) + _FIRST
        pieces += [text, parts.setdefault(words, next_part)]
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
    """From now on DATA is what an event keeps, in full, in the queries of a connection, RUN its
    run, and `told_at` what it tells at some places.
    """
    connection.create_function("plain", 3, partial(_plain, connection, {}))
    connection.create_function("told", -1, partial(_told, connection, {}))
    connection.create_function("told_run", 1, partial(_run, connection, {}))


def _plain(
    connection: sqlite3.Connection,
    known: dict[str, Stencil],
    data: Any,
    order_id: Any,
    row: Any,
) -> Any:
    """What cannot be put together stays as it is: that does not fit the chain, and whoever reads
    says so.
    """
    if not isinstance(data, str) or data.startswith(_OPENS):
        return data
    parts = [*data.split(APART), order_id, str(row)]
    try:
        stencil = known.get(parts[1])
        if stencil is None:
            stencil = _stencil(connection, parts[1])
            known[parts[1]] = stencil
        return stencil.filled(parts)
    except _NO_STENCIL:
        return data


def told_at(*paths: str) -> str:
    """In a query, what an event tells at some places, put together and read once (values_of)."""
    quoted = ", ".join(f"'{path}'" for path in paths)
    return (
        f"CASE substr(data, 1, 1) WHEN '{{' THEN json_extract(data, {quoted})"
        f" ELSE json(told({OF_DATA}, {quoted})) END"
    )


def or_told_at(*paths: str) -> str:
    """The same, but of an event that a stencil keeps what it keeps: `telling` reads it, for a third
    of what it costs SQLite to ask us about each.
    """
    quoted = ", ".join(f"'{path}'" for path in paths)
    return f"CASE substr(data, 1, 1) WHEN '{{' THEN json_extract(data, {quoted}) ELSE data END"


def telling(
    connection: sqlite3.Connection, *paths: str
) -> Callable[[str, str, int], str]:
    """Of what `or_told_at` found, the order and the row: what `told_at` would have."""
    known: dict[tuple[str, ...], Stencil] = {}
    # of stencils that tell there one word of an event, and else the same of each
    of_one: dict[str, tuple[str, int]] = {}

    def told(kept: str, order_id: str, row: int) -> str:
        if kept.startswith("["):
            return kept
        parts = kept.split(APART)
        if len(parts) > 1 and parts[1] in of_one:
            text, hole = of_one[parts[1]]
            if hole < len(parts):
                return text % parts[hole]
        found = _told(connection, known, kept, order_id, row, *paths)
        stencil = known.get((*parts[1:2], *paths))
        if stencil is not None and (one := stencil.of_one()):
            of_one[parts[1]] = one
        return found

    return told


def _told(
    connection: sqlite3.Connection,
    known: dict[tuple[str, ...], Stencil],
    data: str,
    order_id: Any,
    row: Any,
    *paths: str,
) -> str:
    """What an event that a stencil keeps tells at some places, as json_extract tells it of the
    text: a JSON list, with the same holes. The text is neither made nor read.
    """
    parts = [*data.split(APART), order_id, str(row)]
    try:
        stencil = known.get((parts[1], *paths))
        if stencil is None:
            stencil = Stencil(_telling(_pieces_of(connection, parts[1]), paths))
            known[parts[1], *paths] = stencil
        return stencil.filled(parts)
    except _NO_STENCIL:
        return _told_by_all(_plain(connection, {}, data, order_id, row), paths)


def _told_by_all(text: str, paths: Sequence[str]) -> str:
    """The same of an event's text; what is no JSON stays as it is, and SQLite says so."""
    try:
        whole = json.loads(text)
    except ValueError:
        return text
    return json.dumps([_at(whole, path.split(".")[1:]) for path in paths])


def _telling(pieces: Sequence[Piece], paths: Sequence[str]) -> list[Piece]:
    """Of a stencil what it has at some places: where its holes are is seen by numbers in them.
    Raises ValueError where a hole may begin in mid-escape.
    """
    for piece, hole in pairwise(pieces):
        if isinstance(piece, str) and isinstance(hole, int) and _ESCAPES.search(piece):
            raise ValueError("no number may stand there")
    constant = "".join(piece for piece in pieces if isinstance(piece, str))
    mark = next(mark for mark in map(str, _MARKS) if mark not in constant)
    holes = [piece for piece in dict.fromkeys(pieces) if isinstance(piece, int)]
    marks = {hole: f"{mark}{at:06d}" for at, hole in enumerate(holes)}
    text = "".join(
        marks[piece] if isinstance(piece, int) else piece for piece in pieces
    )
    found = [_at(json.loads(text), path.split(".")[1:]) for path in paths]
    told = json.dumps(found, ensure_ascii=False)
    split = re.split(f"({mark}[0-9]{{6}})", told)
    in_hole = {made: hole for hole, made in marks.items()}
    return [in_hole.get(piece, piece) for piece in split]


_ESCAPES = re.compile(r"\\(u[0-9a-fA-F]{0,3})?\Z")
# none begins with 0, which no number of JSON does
_MARKS = range(10**8 + 7, 10**9, 7919)


def _at(kept: Any, names: Sequence[str]) -> Any:
    for name in names:
        if not isinstance(kept, dict):
            return None
        kept = kept.get(name)
    return kept


def _run(connection: sqlite3.Connection, known: dict[str, str], kept: str) -> str:
    """The same of a run that another event tells."""
    if kept not in known:
        try:
            query = "SELECT run_id FROM events WHERE seq = ?"
            (told,) = connection.execute(
                query, (int(kept.removeprefix(APART)),)
            ).fetchone()
        except _NO_STENCIL:
            return kept
        known[kept] = told
    return known[kept]


def _stencil(connection: sqlite3.Connection, number: str) -> Stencil:
    return Stencil(_pieces_of(connection, number))


def _pieces_of(connection: sqlite3.Connection, number: str) -> list[Piece]:
    query = "SELECT pieces FROM stencils WHERE id = ?"
    row = connection.execute(query, (number,)).fetchone()
    if row is None:
        raise LookupError(number)
    pieces: list[Piece] = json.loads(row[0])
    return pieces
