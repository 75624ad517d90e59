"""A file's rows as chunks: blank rows left out, forbidden cells found, card numbers masked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batchpay.domain.errors import FileRefused
from batchpay.domain.model import Problem
from batchpay.messages.message import Message
from batchpay.readers.cells import encode_cells, texts_of
from batchpay.readers.comeback import restore
from batchpay.readers.fifteen import without_noise
from batchpay.readers.pieces import Notes, Piece
from batchpay.readers.screen import screen
from batchpay.readers.snapshot import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 8192


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Some thousand rows as text columns (see model.Chunk)."""

    columns: tuple[str, ...]
    sheet: str
    rows: Sequence[int]
    problems: Mapping[int, tuple[Problem, ...]]
    batch: pa.RecordBatch = field(repr=False)
    typed: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    looks: bytes = b""  # how the cells stood in the file, packed
    # texts that were asked for before: a column feeds several fields, and many look at ids
    _made: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def texts(self, column: str) -> list[str]:
        """The cells of one column; an empty or missing cell is the empty text. Raises KeyError."""
        if column not in self.columns:
            raise KeyError(column)
        if column not in self._made:
            index = self.columns.index(column)
            self._made[column] = texts_of(self.batch.column(index))
        return self._made[column]

    def cell(self, column: str, at: int) -> str:
        """One of them."""
        if column in self._made:
            return self._made[column][at]
        return self.batch.column(self.columns.index(column))[at].as_py() or ""

    def without(self, gone: Collection[int]) -> TextChunk:
        """The same without the rows at these positions."""
        piece = Piece(self.batch, list(self.rows), b"")
        piece.problems = {at: list(found) for at, found in self.problems.items()}
        piece.typed = {name: dict(kinds) for name, kinds in self.typed.items()}
        _leave_out(piece, list(gone))
        return TextChunk(
            self.columns,
            self.sheet,
            piece.rows,
            {at: tuple(found) for at, found in piece.problems.items()},
            piece.batch,
            piece.typed,
        )

    def cells(self) -> bytes:
        """All cells, columns and row numbers, compressed."""
        return encode_cells(self.rows, self.batch, self.looks)


@dataclass(slots=True)
class Table:
    """One table of one file. `notes` is complete when the chunks have been read to their end."""

    snapshot: Snapshot
    columns: tuple[str, ...]
    sheet: str
    pieces: Callable[[Notes], Iterator[Piece]] = field(repr=False)
    not_cards: Collection[str] = ()
    about_header: list[Message] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    unended: Message | None = None  # once read: why nobody knows that the file is whole
    money: Collection[str] = ()  # columns that nothing but amounts is made of
    # columns whose numbers the format keeps as binary fractions
    rounded: Collection[str] = ()

    def chunks(self) -> Iterator[TextChunk]:
        """The rows, from the first one each time. Raises FileRefused, or TryLater when the file was
        being written.
        """
        notes = Notes(others=list(self.about_header))
        try:
            for piece in self.pieces(notes):
                _drop_blank(piece, notes)
                if not piece.rows:
                    continue
                notes.rows += len(piece.rows)
                restore(piece, shows_strikes=self.snapshot.format == "xlsx")
                without_noise(piece, self.money, notes)
                screen(piece, self.not_cards)
                yield from self._cut(piece)
        except FileRefused:
            self.snapshot.verify_unchanged()
            raise
        finally:
            self.notes = notes.all()
            self.unended = notes.unended

    def _cut(self, piece: Piece) -> Iterator[TextChunk]:
        """A piece as chunks of about the same number of rows."""
        count = len(piece.rows)
        parts = -(-count // (CHUNK_ROWS * 3 // 2))
        for part in range(parts):
            start = part * count // parts
            end = (part + 1) * count // parts
            problems = {
                at - start: tuple(piece.problems[at])
                for at in sorted(piece.problems)
                if start <= at < end
            }
            typed = {
                name: {
                    at - start: kind for at, kind in kinds.items() if start <= at < end
                }
                for name, kinds in piece.typed.items()
            }
            batch = piece.batch.slice(start, end - start)
            yield TextChunk(
                self.columns,
                self.sheet,
                piece.rows[start:end],
                problems,
                batch,
                typed,
                piece.looks,
            )


def _drop_blank(piece: Piece, notes: Notes) -> None:
    """Rows without any text give no row; one with a problem is kept and told."""
    import pyarrow.compute as pc

    blank = None
    for column in piece.batch.columns:
        empty = pc.fill_null(pc.equal(pc.binary_length(column), 0), True)
        if blank is None:
            blank = empty
        else:
            blank = pc.and_(blank, empty)
        if not pc.any(blank).as_py():
            return
    if blank is None:
        return
    places = pc.indices_nonzero(blank).to_pylist()
    gone = [at for at in places if at not in piece.problems]
    if gone:
        _leave_out(piece, gone)
        notes.blank_rows += len(gone)


def _leave_out(piece: Piece, gone: Sequence[int]) -> None:
    import pyarrow as pa

    left_out = set(gone)
    kept = [at for at in range(len(piece.rows)) if at not in left_out]
    moved = {at: new for new, at in enumerate(kept)}
    piece.rows = [piece.rows[at] for at in kept]
    piece.batch = piece.batch.take(pa.array(kept, pa.int64()))
    piece.problems = {
        moved[at]: found for at, found in piece.problems.items() if at in moved
    }
    piece.typed = {
        name: {moved[at]: kind for at, kind in kinds.items() if at in moved}
        for name, kinds in piece.typed.items()
    }
