"""KINSHIP: which rows are one sale, because one of them came back to correct another.

    a row  <-  the row that corrects it  <-  the row that corrects that one ...

and every row with the order id of the first of them. A row names only the one that it came back for; who came before
that one stands in the journal, in the rows of its batch as they were last planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from batchpay.model import Batch, Document, StoredChunk

_ORDER = "order\t"  # no place begins like this: it begins with 12 hexadecimal digits
_KEPT = 4  # chunks: a file that came back has its rows in the order of the first one


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The rows that a correction goes back to, nearest first."""

    places: tuple[str, ...] = ()  # planning.place_of each
    order_ids: tuple[str, ...] = ()  # of those of them whose order id could be read
    first_id: str = ""  # order id of the first row of all; empty when it had none

    @property
    def identity(self) -> str:
        """What all corrections of the first row have in common: its order id if it has one, else its place."""
        if self.first_id:
            return by_order(self.first_id)
        return self.places[-1] if self.places else ""

    def is_of_another(self, order_id: str) -> bool:
        """Does it go back to anything but rows of this very order?"""
        return bool(self.places) and (not self.first_id or set(self.order_ids) != {order_id})


Trace = Callable[[str], Ancestry]
"""Place of the row that a row came back for -> its ancestry."""


def only_named(place: str) -> Ancestry:
    """The ancestry of a row when there is no journal to ask: the row that it names."""
    return Ancestry((place,))


def by_order(order_id: str) -> str:
    """The identity of a sale whose first row has this order id."""
    return f"{_ORDER}{order_id}"


class _Journal(Protocol):
    def batches(self) -> list[Batch]: ...
    def chunks(self, batch_id: str) -> Iterator[StoredChunk]: ...
    def chunk(self, batch_id: str, number: int) -> StoredChunk | None: ...


@dataclass(frozen=True, slots=True)
class _Told:
    """What the journal keeps of one row."""

    order_id: str
    corrects: str
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class _Span:
    """The rows of one chunk."""

    number: int
    sheet: str
    first: int
    last: int


class Lineages:
    """Follows corrections back through a journal; keeps the little that the next rows will ask for again."""

    def __init__(self, journal: _Journal) -> None:
        """Reads nothing before it is asked."""
        self._journal = journal
        self._batches: dict[str, str] | None = None  # last 12 digits of a batch id -> batch id
        self._spans: dict[str, list[_Span]] = {}
        self._chunks: dict[tuple[str, int], dict[int, _Told]] = {}

    def of(self, place: str) -> Ancestry:
        """The ancestry of a row that came back for this place. Raises what reading the journal raises."""
        places: list[str] = []
        order_ids: list[str] = []
        first_id = ""
        while place and place not in places:  # nobody's own ancestor, whatever a file says
            places.append(place)
            told = self._row(place)
            first_id = told.order_id
            order_ids += [first_id] if first_id else []
            place = told.corrects
        return Ancestry(tuple(places), tuple(dict.fromkeys(order_ids)), first_id)

    def document(self, place: str) -> Document | None:
        """What the row of a place asked for as far as it could be read; None when the journal does not know it."""
        return self._row(place).document

    def where(self, place: str) -> tuple[str, str, int] | None:
        """Batch, sheet and row of a place; None when the journal does not know its batch."""
        tail, _, rest = place.partition("\t")
        row, _, sheet = rest.partition("\t")
        if self._batches is None:
            self._batches = {batch.id[-12:]: batch.id for batch in self._journal.batches()}
        batch_id = self._batches.get(tail)
        return (batch_id, sheet, int(row)) if batch_id and row.isdecimal() else None

    def _row(self, place: str) -> _Told:
        nothing = _Told("", "")
        known = self.where(place)
        if known is None:
            return nothing
        batch_id, sheet, row = known
        span = next((s for s in self._spans_of(batch_id) if s.sheet == sheet and s.first <= row <= s.last), None)
        return nothing if span is None else self._rows(batch_id, span.number).get(row, nothing)

    def _spans_of(self, batch_id: str) -> list[_Span]:
        if batch_id not in self._spans:
            chunks = (chunk for chunk in self._journal.chunks(batch_id) if chunk.rows)
            self._spans[batch_id] = [_Span(c.number, c.sheet, c.rows[0], c.rows[-1]) for c in chunks]
        return self._spans[batch_id]

    def _rows(self, batch_id: str, number: int) -> dict[int, _Told]:
        key = (batch_id, number)
        if key not in self._chunks:
            chunk = self._journal.chunk(batch_id, number)
            while len(self._chunks) >= _KEPT:
                del self._chunks[next(iter(self._chunks))]
            self._chunks[key] = dict(_told(chunk)) if chunk else {}
        return self._chunks[key]


def _told(chunk: StoredChunk) -> Iterable[tuple[int, _Told]]:
    for at, document in enumerate(chunk.documents):
        yield chunk.rows[at], _Told(str(document.get("order_id") or ""), chunk.corrects.get(at, ""), document)
