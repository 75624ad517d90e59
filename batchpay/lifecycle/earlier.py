"""EARLIER: what a journal keeps of the rows of earlier files, by their places, as these were last
planned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from batchpay.domain.model import Batch, Document, Problem, StoredChunk, tail_in
from batchpay.lifecycle.places import place_of, row_at
from batchpay.lifecycle.rivals import Rivals, rivals_among

_LOOKED_THROUGH = 20  # chunks for rows that came before
_VERSIONS = 3  # of one file, the latest
_KEPT = 4  # chunks: a file that came back has its rows in the order of the first one


class RowsJournal(Protocol):
    """What is asked of a journal about rows."""

    def batches(self) -> list[Batch]: ...
    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]: ...
    def chunk(self, batch_id: str, number: int) -> StoredChunk | None: ...
    def corrected(
        self, keys: Collection[str] | None = None
    ) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class EarlierRow:
    """What the journal keeps of one row."""

    order_id: str = ""
    corrects: str = ""
    earlier: tuple[str, ...] = ()
    document: Document | None = None
    problems: tuple[Problem, ...] = ()
    asked: tuple[Document, ...] = ()  # as Judged has it


NOTHING = EarlierRow()


@dataclass(frozen=True, slots=True)
class _Span:
    """The rows of one chunk."""

    number: int
    sheet: str
    first: int
    last: int


class EarlierRows:
    """Reads them, and keeps the little that the next rows will ask for again."""

    def __init__(self, journal: RowsJournal, form: Callable[[str], str]) -> None:
        """Reads nothing before it is asked. `form`: what an id looks like."""
        self._journal = journal
        self._form = form
        # last 12 digits of a batch id -> batch, in the order in which they came
        self._known: dict[str, Batch] | None = None
        self._spans: dict[str, list[_Span]] = {}
        self._chunks: dict[tuple[str, int], dict[int, EarlierRow]] = {}
        self._whole_chunks: dict[tuple[str, int], StoredChunk | None] = {}
        self._corrections: Mapping[str, Sequence[str]] | None = None
        self._readings: dict[str, list[str]] | None = None
        # batch id -> place -> it and its rivals
        self._rivals: dict[str, dict[str, Rivals]] = {}

    def where(self, place: str) -> tuple[str, str, int] | None:
        """Batch, sheet and row of a place; None when the journal does not know its batch."""
        at = row_at(place)
        if at is None:
            return None
        tail, sheet, row = at
        batch = self._batches().get(tail)
        if batch is not None:
            return (batch.id, sheet, row)
        return None

    def received_ns(self, place: str) -> int:
        """When the file of a place first came (wall clock); 0 where the journal does not know."""
        batch = self._batch_of(place)
        if batch is None:
            return 0
        return batch.first_seen_ns

    def _batch_of(self, place: str) -> Batch | None:
        at = row_at(place)
        if at is None:
            return None
        return self._batches().get(at[0])

    def batches(self) -> Sequence[Batch]:
        """The files that the journal knew when this was first asked, in the order in which they
        came.
        """
        return list(self._batches().values())

    def _batches(self) -> Mapping[str, Batch]:
        """Read once, for there may be a place to look up with each row."""
        if self._known is None:
            self._known = {
                tail_in(batch.id): batch for batch in self._journal.batches()
            }
        return self._known

    def row(self, place: str) -> EarlierRow:
        """The row of a place; of one that the journal does not know there is nothing."""
        known = self.where(place)
        if known is None:
            return NOTHING
        return self._chunk_of(place).get(known[2], NOTHING)

    def document(self, place: str) -> Document | None:
        """What the row of a place asked for as far as it could be read; None when the journal does
        not know it.
        """
        return self.row(place).document

    def documents(self, places: Iterable[str]) -> tuple[Document, ...]:
        """The same of several places, of those that the journal knows, and what they asked for
        when the job read them otherwise.
        """
        found: list[Document] = []
        for row in map(self.row, places):
            if row.document is not None:
                found += (row.document, *row.asked)
        return tuple(found)

    def read_right(self, place: str) -> Document | None:
        """What the row of a place asks for, where nothing was wrong with its file as a whole."""
        batch = self._batch_of(place)
        if batch is None or batch.refusal:
            return None
        return self.document(place)

    def problems(self, place: str) -> tuple[Problem, ...]:
        """What was wrong with the row of a place when its file was last read."""
        return self.row(place).problems

    def orders_beside(self, place: str) -> dict[str, Document | None]:
        """The order ids of the other rows that stand in one chunk with that of a place, and what
        they ask for; None of those that were rejected.
        """
        known = self.where(place)
        if known is None:
            return {}
        found: dict[str, Document | None] = {}
        for row, told in self._chunk_of(place).items():
            if not told.order_id or row == known[2]:
                continue
            found[told.order_id] = told.document
            if told.problems:
                found[told.order_id] = None
        return found

    def beside(self, place: str) -> list[Document]:
        """What the rows ask for that stand in one chunk with that of a place, its own among
        them.
        """
        rows = self._chunk_of(place).values()
        return [row.document for row in rows if row.document is not None]

    @property
    def corrections(self) -> Mapping[str, Sequence[str]]:
        """Place of a row, or an order (places.by_order) -> the orders whose attempts came to
        correct it, as they stood when this was first asked.
        """
        if self._corrections is None:
            self._corrections = self._journal.corrected()
        return self._corrections

    def readings(self) -> Mapping[str, Sequence[str]]:
        """What was read of rows of which corrections were sent, and of those beside them -> their
        places; of the latest of them, as it is a help and no proof.
        """
        if self._readings is None:
            self._readings = {}
            for batch_id, number in self._corrected_chunks()[-_LOOKED_THROUGH:]:
                chunk = self._journal.chunk(batch_id, number)
                if chunk is None:
                    continue
                for at, row in enumerate(chunk.rows):
                    reading = reading_of(chunk, at)
                    place = place_of(batch_id, chunk.sheet, row)
                    if reading:
                        self._readings.setdefault(reading, []).append(place)
        return self._readings

    def _corrected_chunks(self) -> list[tuple[str, int]]:
        """Batch and number of the chunks that have a row of which a correction was sent, oldest
        file first.
        """
        found: dict[str, dict[int, None]] = {}
        for place in self.corrections:
            known = self.where(place)
            if known is None:
                continue
            batch_id, sheet, row = known
            for span in self._spans_of(batch_id):
                if span.sheet == sheet and span.first <= row <= span.last:
                    found.setdefault(batch_id, {})[span.number] = None
        return [
            (batch.id, number)
            for batch in self._batches().values()
            for number in found.get(batch.id, ())
        ]

    def reading(self, place: str) -> str:
        """What was read of the row of one place; empty where the journal does not know it."""
        found = self.stored(place)
        if found is None:
            return ""
        return reading_of(*found)

    def stored(self, place: str) -> tuple[StoredChunk, int] | None:
        """The chunk of the row of a place, and its position there; None when the journal does not
        know it.
        """
        known = self.where(place)
        if known is None:
            return None
        batch_id, sheet, row = known
        for span in self._spans_of(batch_id):
            if span.sheet == sheet and span.first <= row <= span.last:
                chunk = self._whole(batch_id, span.number)
                if chunk is not None and row in chunk.rows:
                    return chunk, chunk.rows.index(row)
        return None

    def _whole(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk; the last ones are kept, for the rows of a file that came back are in order."""
        key = (batch_id, number)
        if key not in self._whole_chunks:
            chunk = self._journal.chunk(batch_id, number)
            while len(self._whole_chunks) >= _KEPT:
                del self._whole_chunks[next(iter(self._whole_chunks))]
            self._whole_chunks[key] = chunk
        return self._whole_chunks[key]

    def rivals(self, place: str) -> Rivals | None:
        """The row of a place, and those of its file that contradict it under its order id; None
        where none does, or the journal does not know its file.
        """
        known = self.where(place)
        if known is None:
            return None
        batch_id = known[0]
        if batch_id not in self._rivals:
            self._rivals[batch_id] = rivals_among(partial(self._orders_of, batch_id))
        return self._rivals[batch_id].get(place)

    def _orders_of(self, batch_id: str) -> Iterator[tuple[str, int, Document]]:
        """Place, hash of what the id looks like, and document of the rows that broke no rule."""
        for span in self._spans_of(batch_id):
            chunk = self._journal.chunk(batch_id, span.number)
            if chunk is None:
                continue
            for at, document in enumerate(chunk.documents):
                if at not in chunk.problems:
                    place = place_of(batch_id, chunk.sheet, chunk.rows[at])
                    yield place, hash(self._form(document["order_id"])), document

    def as_planned(
        self, batch_id: str, sheet: str, rows: Sequence[int]
    ) -> Mapping[int, EarlierRow]:
        """Some rows of a batch as they were last planned; there is one at least."""
        first = rows[0]
        last = rows[-1]
        numbers = []
        for span in self._spans_of(batch_id):
            if span.sheet == sheet and span.first <= last and first <= span.last:
                numbers.append(span.number)
        # as ever, but for a program that cuts its chunks otherwise
        if len(numbers) == 1:
            return self._rows(batch_id, numbers[0])
        found: dict[int, EarlierRow] = {}
        for number in numbers:
            found.update(self._rows(batch_id, number))
        return found

    def versions(
        self, batch_id: str, file: str, sheet: str, rows: Sequence[int]
    ) -> Iterator[tuple[str, StoredChunk]]:
        """What stood where some rows of a file stand when it came before under that name, the
        latest first: batch and chunk; there is one row at least.
        """
        same: list[str] = []
        for batch in self._batches().values():
            if batch.id == batch_id:
                break
            if batch.file == file:
                same.append(batch.id)
        for earlier in reversed(same[-_VERSIONS:]):
            for span in self._spans_of(earlier):
                is_there = span.first <= rows[-1] and rows[0] <= span.last
                if span.sheet == sheet and is_there:
                    chunk = self._whole(earlier, span.number)
                    if chunk is not None:
                        yield earlier, chunk

    def _chunk_of(self, place: str) -> Mapping[int, EarlierRow]:
        known = self.where(place)
        if known is None:
            return {}
        batch_id, sheet, row = known
        for span in self._spans_of(batch_id):
            if span.sheet == sheet and span.first <= row <= span.last:
                return self._rows(batch_id, span.number)
        return {}

    def _spans_of(self, batch_id: str) -> list[_Span]:
        if batch_id not in self._spans:
            self._spans[batch_id] = [
                _Span(*span) for span in self._journal.spans(batch_id)
            ]
        return self._spans[batch_id]

    def _rows(self, batch_id: str, number: int) -> dict[int, EarlierRow]:
        key = (batch_id, number)
        if key not in self._chunks:
            chunk = self._journal.chunk(batch_id, number)
            while len(self._chunks) >= _KEPT:
                del self._chunks[next(iter(self._chunks))]
            self._chunks[key] = {}
            if chunk:
                self._chunks[key] = dict(_told(chunk))
        return self._chunks[key]


def reading_of(chunk: StoredChunk, at: int) -> str:
    """A digest of what was read of a row, right or wrong: equal of rows that say the same; empty
    where nothing tells it from another sale, because its id is empty.
    """
    document = chunk.documents[at]
    problems = chunk.problems.get(at, ())
    wrong = sorted((problem.column, problem.value) for problem in problems)
    if "order_id" not in document and any(not value for _, value in wrong):
        return ""
    text = json.dumps([document, wrong], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _told(chunk: StoredChunk) -> Iterable[tuple[int, EarlierRow]]:
    for at, document in enumerate(chunk.documents):
        order_id = str(document.get("order_id") or "")
        told = EarlierRow(
            order_id,
            chunk.corrects.get(at, ""),
            chunk.earlier.get(at, ()),
            document,
            tuple(chunk.problems.get(at, ())),
            chunk.asked.get(at, ()),
        )
        yield chunk.rows[at], told
