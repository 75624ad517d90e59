"""STOOD BEFORE: rows that were rejected, in the next version of the file in which they stood.

Such a row waits in a rejects file, and people correct it there, or in the file itself, or in both:
that is one row. A row of the file is the one that stood in its place when the file last came under
that name where it

    was rejected there, and is so still, or had no order id by which it would be known
    asks for the same in all but what was wrong with it
    has no order id that another row of that file had

Its place is told by the orders around it that stood there, too: rows that came before them move
them all. Where the file had none, it is that file if every cell of the row is as it was. A file
that is written anew each night has other orders, and no such row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.model import Document, Judged, StoredChunk
from batchpay.intake.sources import needed_by
from batchpay.job.job import Columns
from batchpay.lifecycle.order_ids import alike, all_alike
from batchpay.lifecycle.places import place_of


class StoodCells(Protocol):
    """The cells of a chunk that a journal kept."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    def texts(self, column: str) -> list[str]: ...


Unpack = Callable[[bytes], StoodCells]


@dataclass(frozen=True)
class Stood:
    """A part of an earlier version of a file; `unpack` reads the cells that were kept of it."""

    batch_id: str
    chunk: StoredChunk
    unpack: Unpack

    @cached_property
    def cells(self) -> StoodCells:
        """Its cells: few rows ask for them."""
        return self.unpack(self.chunk.cells)

    @cached_property
    def forms(self) -> Mapping[str, int]:
        """What the ids of its orders look like -> the first row of one."""
        return _first_rows(self.chunk, self.chunk.rows)

    @cached_property
    def rejected(self) -> Mapping[int, int]:
        """Row -> position of those that were rejected."""
        rows = self.chunk.rows
        return {rows[at]: at for at in self.chunk.problems}


def stood_before(
    judged: Judged, columns: Columns, versions: Sequence[Stood]
) -> dict[int, str]:
    """Position -> the place of the row that it was in an earlier version of its file, of rows that
    came back for none; `versions`: the latest first.
    """
    found: dict[int, str] = {}
    for before in versions:
        if not before.rejected or judged.chunk.sheet != before.chunk.sheet:
            continue
        for at, row in _stood_at(judged, before):
            old = before.rejected.get(row)
            if old is None or at in found or at in judged.corrects:
                continue
            if _is_the_row(judged, at, before, old, columns):
                found[at] = place_of(before.batch_id, before.chunk.sheet, row)
    return found


def _first_rows(chunk: Judged | StoredChunk, rows: Sequence[int]) -> dict[str, int]:
    """What the ids of the rows look like that broke no rule -> the first row with it."""
    right = [row for at, row in enumerate(rows) if at not in chunk.problems]
    forms = all_alike(values_of(orders_of(chunk), "order_id"))
    found: dict[str, int] = {}
    for form, row in zip(forms, right, strict=True):
        found.setdefault(form, row)
    return found


def _stood_at(judged: Judged, before: Stood) -> Iterator[tuple[int, int]]:
    """Position of each row, and the row that it was then, as the next orders above and below tell
    it; nothing of those between which rows were put or left out.
    """
    rows = judged.chunk.rows
    if not before.forms:
        yield from enumerate(rows)
        return
    by = {
        row: row - before.forms[form]
        for form, row in _first_rows(judged, rows).items()
        if form in before.forms
    }
    moved = list(map(by.get, rows))
    above = list(accumulate(moved, _latest))
    below = list(accumulate(reversed(moved), _latest))[::-1]
    for at, row in enumerate(rows):
        told = [by_rows for by_rows in (above[at], below[at]) if by_rows is not None]
        if len(set(told)) == 1:
            yield at, row - told[0]


def _latest(before: int | None, now: int | None) -> int | None:
    return before if now is None else now


def _is_the_row(
    judged: Judged, at: int, before: Stood, old: int, columns: Columns
) -> bool:
    was = before.chunk.documents[old]
    now = judged.documents[at]
    wrong = _wrong_columns(before, old, columns)
    had_no_id = "order_id" not in was or _is_of("order_id", columns, wrong)
    if at not in judged.problems and not had_no_id:
        return False  # its id tells
    if alike(str(now.get("order_id", ""))) in before.forms:
        return False
    if _right_parts(was, columns, wrong) != _right_parts(now, columns, wrong):
        return False
    return bool(before.forms) or _are_its_cells(judged, at, before, old, wrong)


def _wrong_columns(before: Stood, old: int, columns: Columns) -> set[str]:
    """The columns in which something was wrong, or the fields where no single one was."""
    wrong = {problem.column for problem in before.chunk.problems[old]}
    for name in tuple(wrong):
        if name in columns.fields:
            wrong.update(needed_by(columns.fields[name]))
    return wrong


def _is_of(name: str, columns: Columns, wrong: Collection[str]) -> bool:
    """Is a field made of something that was wrong?"""
    head, _, key = name.partition(".")
    source = columns.metadata.get(key) if key else columns.fields.get(head)
    if name in wrong or head in wrong:
        return True
    return source is not None and not set(needed_by(source)).isdisjoint(wrong)


def _right_parts(
    document: Document, columns: Columns, wrong: Collection[str]
) -> dict[str, object]:
    """What a row asks for, but for what was wrong."""
    parts: dict[str, object] = {}
    for name, value in document.items():
        if name == "metadata":
            parts |= {f"metadata.{key}": text for key, text in value.items()}
        else:
            parts[name] = value
    return {
        name: value for name, value in parts.items() if not _is_of(name, columns, wrong)
    }


def _are_its_cells(
    judged: Judged, at: int, before: Stood, old: int, wrong: Collection[str]
) -> bool:
    cells = before.cells
    if set(cells.columns) != set(judged.chunk.columns):
        return False
    return all(
        judged.chunk.cell(name, at) == cells.texts(name)[old]
        for name in cells.columns
        if name not in wrong
    )
