"""Findings written down once, so that every form of a report after the first reads them instead of
judging again.

To judge a row costs its history: two lines of the journal or more, parsed and folded. What came of
it is a tenth of that to read; of rows with nothing to tell columns are kept, and no finding is
made. The file has no name, so that it goes with the process, and holds only what the journal said a
moment ago.
"""

from __future__ import annotations

import marshal
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from batchpay.domain.model import Finding, Further, Outcome, Problem, StoredChunk
from batchpay.messages.message import read
from batchpay.reconciliation.lines import Column, Lines, PlainLines, Same, lines_of

Found = tuple[StoredChunk, Sequence[Finding]]

_FRAME = struct.Struct("<qq")  # how long the findings are, and the cells
_NAMES = tuple(field.name for field in fields(Finding))
_values_of = attrgetter(*_NAMES)
_OUTCOME = _NAMES.index("outcome")
_COUNTS_AS = _NAMES.index("counts_as")
_PROBLEMS = _NAMES.index("problems")
_FURTHER = _NAMES.index("further")
_METADATA = _NAMES.index("metadata")
_MESSAGES = tuple(map(_NAMES.index, ("reasons", "warnings", "cells")))
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_VALUES = {outcome: outcome.value for outcome in Outcome}
_further_values = attrgetter(*(field.name for field in fields(Further)))
_PLAIN = tuple(field.name for field in fields(PlainLines))
_of_plain = attrgetter(*_PLAIN)
_COLUMNS = (_PLAIN.index("kept"), _PLAIN.index("metadata"))


class KeptFindings:
    """Use as a context: the file is gone at its end."""

    def __init__(self, folder: Path) -> None:
        """The file is made in this folder when the first finding comes."""
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._complete = False

    def __enter__(self) -> KeptFindings:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """The file is gone; what is read afterwards is asked for anew."""
        self._drop()

    def reading(
        self, source: Callable[[], Iterable[Found]]
    ) -> Callable[[], Iterator[Found]]:
        """`source`, asked only until it was read once to its end. Chunks come again without their
        documents.
        """

        def read() -> Iterator[Found]:
            if self._complete and self._file is not None:
                yield from self._again(self._file)
                return
            self._begin()
            for found in source():
                self._keep(*found)
                yield found
            self._complete = self._file is not None

        return read

    def _begin(self) -> None:
        self._drop()
        try:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it outlives this call
        except OSError:
            self._file = None

    def _keep(self, chunk: StoredChunk, findings: Sequence[Finding]) -> None:
        """A disk without room costs time, not a report: then every form judges anew."""
        if self._file is None:
            return
        place = [chunk.number, chunk.sheet, list(chunk.rows)]
        lines = lines_of(findings)
        apart = [(at, _told(finding)) for at, finding in lines.apart.items()]
        told = marshal.dumps([place, _told_plain(lines.plain), apart])
        try:
            self._file.write(_FRAME.pack(len(told), len(chunk.cells)))
            self._file.write(told)
            self._file.write(chunk.cells)
            self._file.flush()
        except OSError:
            self._drop()

    def _again(self, file: IO[bytes]) -> Iterator[Found]:
        at = 0
        while True:
            file.seek(at)  # somebody else may read between two chunks
            head = file.read(_FRAME.size)
            if not head:
                return
            told, cells = _FRAME.unpack(head)
            place, plain, apart = marshal.loads(file.read(told))  # noqa: S302 - our own
            number, sheet, rows = place
            chunk = StoredChunk(
                number, sheet, rows, [], {}, frozenset(), file.read(cells)
            )
            at += _FRAME.size + told + cells
            told_apart = {at: _finding(values) for at, values in apart}
            yield chunk, Lines(_plain(plain), told_apart)

    def _drop(self) -> None:
        if self._file is not None:
            # closing writes what is left, on a disk that may be full
            with suppress(OSError):
                self._file.close()
        self._file = None
        self._complete = False


def _told_plain(lines: PlainLines | None) -> list[Any] | None:
    if lines is None:
        return None
    values = list(_of_plain(lines))
    kept, metadata = _COLUMNS
    values[kept] = {name: _told_column(one) for name, one in lines.kept.items()}
    values[metadata] = _told_column(lines.metadata)
    return values


def _told_column(column: Column) -> Any:
    if isinstance(column, Same):
        return column.value, column.times
    return column


def _plain(values: list[Any] | None) -> PlainLines | None:
    if values is None:
        return None
    kept, metadata = _COLUMNS
    values[kept] = {name: _column(one) for name, one in values[kept].items()}
    values[metadata] = _column(values[metadata])
    return PlainLines(*values)


def _column(told: Any) -> Column:
    if isinstance(told, tuple):
        return Same(*told)
    column: list[Any] = told
    return column


def _told(finding: Finding) -> list[Any]:
    values = list(_values_of(finding))
    values[_OUTCOME] = _VALUES[finding.outcome]
    values[_COUNTS_AS] = _VALUES[finding.counts_as]
    values[_METADATA] = dict(finding.metadata)
    # most rows have none of these
    if finding.problems:
        values[_PROBLEMS] = [problem.to_json() for problem in finding.problems]
    if finding.further:
        values[_FURTHER] = list(map(_further_values, finding.further))
    for at in _MESSAGES:
        if values[at]:
            values[at] = [message.to_json() for message in values[at]]
    return values


def _finding(values: list[Any]) -> Finding:
    values[_OUTCOME] = _OUTCOMES[values[_OUTCOME]]
    values[_COUNTS_AS] = _OUTCOMES[values[_COUNTS_AS]]
    if values[_PROBLEMS]:
        values[_PROBLEMS] = tuple(map(Problem.from_json, values[_PROBLEMS]))
    if values[_FURTHER]:
        values[_FURTHER] = tuple(Further(*told) for told in values[_FURTHER])
    for at in _MESSAGES:
        if values[at]:
            values[at] = tuple(map(read, values[at]))
    return Finding(*values)
