"""What a format reader hands over: some rows of text as they stand in the file, before anything is
looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from batchpay.domain.model import Problem
from batchpay.domain.text import told as shown
from batchpay.messages import noticed
from batchpay.messages.message import Message

if TYPE_CHECKING:
    import pyarrow as pa

ROW = "row"  # whom to blame when no single column is
Found = dict[int, list[Problem]]
"""Problems by position."""
Typed = dict[str, dict[int, str]]
"""Column -> position -> `date` or `boolean`: cells that the format calls something else than text
or a number.
"""


@dataclass(slots=True)
class Piece:
    """Rows in the file's order. A row with problems is a row even if all its cells are empty."""

    batch: pa.RecordBatch  # text columns
    rows: Sequence[int]
    raw: bytes  # UTF-8 in which every cell stands as it is, cells and rows apart
    problems: Found = field(default_factory=dict)
    typed: Typed = field(default_factory=dict)
    looks: bytes = b""  # how the cells stood (looks.py), packed

    def blame(self, at: int, problem: Problem) -> None:
        """One more thing that is wrong with the row at this position."""
        self.problems.setdefault(at, []).append(problem)


@dataclass(frozen=True, slots=True)
class Noise:
    """An amount that was read to the 15 digits that a spreadsheet keeps."""

    row: int
    column: str
    was: str
    read: str


@dataclass(slots=True)
class Notes:
    """Warnings about a file as a whole; rows without any text are counted."""

    blank_rows: int = 0
    rows: int = 0
    short: list[int] = field(default_factory=list)  # rows that end early
    surplus: list[int] = field(default_factory=list)  # ... or go on with empty cells
    noise: list[Noise] = field(default_factory=list)
    unended: Message | None = None  # why nobody knows that the file is whole
    others: list[Message] = field(default_factory=list)

    def add(self, note: Message) -> None:
        """One more warning, unless it has been given."""
        if note not in self.others:
            self.others.append(note)

    def all(self) -> list[Message]:
        """All warnings."""
        told = list(self.others)
        if self.short:
            told.append(noticed.SHORT_ROWS(rows=len(self.short), first=self.short[0]))
        if self.noise:
            first = self.noise[0]
            told.append(
                noticed.FIFTEEN_DIGITS(
                    cells=len(self.noise),
                    row=first.row,
                    column=shown(first.column),
                    was=shown(first.was),
                    read=first.read,
                )
            )
        if self.surplus:
            told.append(
                noticed.SURPLUS_CELLS(rows=len(self.surplus), first=self.surplus[0])
            )
        if self.blank_rows:
            told.append(noticed.BLANK_ROWS(rows=self.blank_rows))
        if not self.rows:
            told.append(noticed.NO_ROWS())
        return told


def batch_of(
    names: Sequence[str], columns: Sequence[Sequence[str | None]]
) -> pa.RecordBatch:
    """Python texts as a batch of text columns."""
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [pa.array(column, pa.string()) for column in columns], names=list(names)
    )


def raw_of(batch: pa.RecordBatch) -> bytes:
    """All cells of a batch as one text, apart from each other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not batch.num_columns:
        return b""
    lines = pc.binary_join_element_wise(*batch.columns, "\n", null_handling="replace")
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return cast(bytes, pc.binary_join(whole, "\n").buffers()[2].to_pybytes())
