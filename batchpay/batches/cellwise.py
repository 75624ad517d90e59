"""CELLWISE: in which cells a row differs from the one that it is in conflict with, as both files
had them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from batchpay.domain.model import Batch, Finding, Outcome, StoredChunk
from batchpay.domain.secrets import masked
from batchpay.domain.text import told
from batchpay.job.job import PAYERS, Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.payers import payment_method
from batchpay.messages import standing as said
from batchpay.messages.message import Message
from batchpay.readers.cells import Cells, decode_cells

MOST = 500  # conflicts of a batch of which the cells are told
NAMED = 6  # cells of one row
LONGEST = 60  # characters of one cell
_KEPT = 8  # chunks that are kept unpacked


class _Place(NamedTuple):
    batch_id: str
    sheet: str
    row: int


class Cellwise:
    """Of the rows of one batch."""

    def __init__(self, job: Job, journal: SqliteJournal, batch: Batch) -> None:
        self._columns = job.columns.used()
        self._payers = frozenset(job.columns.of(*PAYERS))
        self._journal = journal
        self._batch = batch
        self._left = MOST
        self._spans = lru_cache(_KEPT)(journal.spans)
        self._cells: Callable[[str, int], Cells | None] = lru_cache(_KEPT)(self._unpack)

    def of(self, chunk: StoredChunk, findings: list[Finding]) -> list[Finding]:
        """The same findings; a conflict that waits for somebody tells its cells."""
        if not any(map(_is_open_conflict, findings)):
            return findings
        own = decode_cells(chunk.cells)
        return [self._with_cells(finding, own) for finding in findings]

    def _with_cells(self, finding: Finding, own: Cells) -> Finding:
        if not (_is_open_conflict(finding) and self._left):
            return finding
        self._left -= 1
        return replace(finding, cells=self._told(finding, own))

    def _told(self, finding: Finding, own: Cells) -> tuple[Message, ...]:
        place = next(self._places(finding), None)
        theirs = self._row_of(place) if place else None
        mine = _row_in(own, finding.row)
        if place is None or theirs is None or mine is None:
            return ()
        cells = []
        for column in self._columns:
            if column in mine and column in theirs and mine[column] != theirs[column]:
                shown = {
                    "column": told(column, LONGEST),
                    "mine": self._shown(column, mine[column]),
                    "theirs": self._shown(column, theirs[column]),
                }
                cells.append(said.DIFFERS_CELL(**shown))
        if not cells:
            return ()
        return (said.DIFFERS_CELLS(cells=tuple(cells[:NAMED])),)

    def _shown(self, column: str, cell: str) -> str:
        """What pays is shown by its kind and last characters."""
        if column in self._payers:
            return payment_method(cell)
        return told(masked(cell), LONGEST)

    def _places(self, finding: Finding) -> Iterator[_Place]:
        """The other rows that its reason names."""
        own = _Place(self._batch.id, finding.sheet, finding.row)
        for reason in finding.reasons:
            for fields in _fields_in(reason):
                place = self._place_in(fields, finding.sheet)
                if place is not None and place != own:
                    yield place

    def _place_in(self, fields: Mapping[str, object], sheet: str) -> _Place | None:
        row = fields.get("row")
        if not isinstance(row, int):
            return None
        batch_id = str(fields.get("batch", ""))
        if not batch_id and "file" in fields:
            batch_id = self._batch_of(str(fields["file"]))
        there = str(fields.get("sheet", "" if batch_id else sheet))
        return _Place(batch_id or self._batch.id, there, row)

    def _batch_of(self, file: str) -> str:
        """The newest batch of a file of this name."""
        found = [one.id for one in self._journal.batches() if one.file == file]
        return found[-1] if found else ""

    def _row_of(self, place: _Place) -> Mapping[str, str] | None:
        for number, sheet, first, last in self._spans(place.batch_id):
            same_sheet = not place.sheet or place.sheet == sheet
            if same_sheet and first <= place.row <= last:
                cells = self._cells(place.batch_id, number)
                return _row_in(cells, place.row) if cells else None
        return None

    def _unpack(self, batch_id: str, number: int) -> Cells | None:
        chunk = self._journal.chunk(batch_id, number)
        return decode_cells(chunk.cells) if chunk else None


def _is_open_conflict(finding: Finding) -> bool:
    return finding.outcome is Outcome.CONFLICT and not finding.settled_by


def _fields_in(said: Message) -> Iterator[Mapping[str, object]]:
    """The fields of a message and of those in it, the outermost first."""
    yield dict(said.fields)
    for _, field in said.fields:
        inner: Sequence[object] = field if isinstance(field, tuple) else (field,)
        for one in inner:
            if isinstance(one, Message):
                yield from _fields_in(one)


def _row_in(cells: Cells, row: int) -> Mapping[str, str] | None:
    """The cells of one row by their columns."""
    if row not in cells.rows:
        return None
    at = cells.rows.index(row)
    return {column: cells.texts(column)[at] for column in cells.columns}
