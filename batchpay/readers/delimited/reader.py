"""CSV and TSV: well-formed blocks by Arrow, blocks with trouble by the strict standard reader.

A row is a record: a line break in quotes stays inside its cell and its row, as a spreadsheet shows
it. A record with too few or too many cells is a rejected row; for display the cells too many stay
in the last one, joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from batchpay.domain.errors import FileRefused, Misconfigured
from batchpay.domain.lineage import ROW as ROW_COLUMN
from batchpay.domain.lineage import is_rejects_file
from batchpay.domain.model import Problem
from batchpay.domain.text import told
from batchpay.job.job import Input, Roles
from batchpay.messages import headers, noticed, problems, sheets, texts
from batchpay.readers.cells import between
from batchpay.readers.delimited.harmless import Harmless, other_between
from batchpay.readers.delimited.plain import plain_rows
from batchpay.readers.delimited.records import (
    Record,
    Records,
    lines_to_open_quote,
    names_of,
    records_of,
)
from batchpay.readers.delimited.seeking import Stated, proposal_for
from batchpay.readers.delimited.swallowing import swallowed, swallows_rows
from batchpay.readers.delimited.text import (
    LINE_LIMIT,
    Block,
    blocks,
    codec_of,
    line_ends,
    starts_with_bom,
)
from batchpay.readers.header import (
    SEPARATORS,
    check_header,
    in_single_quotes,
    is_of_header,
)
from batchpay.readers.looking import groups_of
from batchpay.readers.pieces import ROW, Notes, Piece, batch_of
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.table import Table


def read_delimited(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
    roles: Roles,
) -> Table:
    """The table of a CSV or TSV file. Raises FileRefused, with the one change of the job that makes
    it readable where looking at the file shows one.
    """
    delimiter = settings.delimiter
    if len(delimiter) != 1 or delimiter in '\r\n"_' or delimiter.isalnum():
        raise Misconfigured(headers.BAD_DELIMITER(delimiter=repr(delimiter)))
    delimiter = between(snapshot.format, delimiter)
    codec_of(settings.encoding)
    stated = _Source(
        snapshot=snapshot,
        encoding=settings.encoding,
        delimiter=delimiter,
        header_row=settings.header_row,
        wanted=tuple(wanted),
        roles=roles,
    )
    came_back = _of_rejects_file(stated)
    if settings.area and came_back is None:
        raise FileRefused(sheets.RANGE_NO_SHEET(path=str(snapshot.path)))
    source = came_back or stated
    try:
        header, rest, _ = source.header()
        row = source.header_row
        names, about = check_header(
            snapshot.path, header, wanted, row, settings.aliases
        )
    except FileRefused as refused:
        how = Stated(source.encoding, delimiter, source.header_row)
        said = None
        if is_of_header(refused):
            said = proposal_for(snapshot, how, groups_of(wanted, settings.aliases))
        if said is None:
            raise
        raise FileRefused(said) from refused
    if source != stated:
        about.append(noticed.CAME_BACK())
    elif _is_in_single_quotes(rest, delimiter):
        path = str(snapshot.path)
        raise FileRefused(headers.CELLS_IN_SINGLE_QUOTES(path=path, row=row + 1))

    def pieces(notes: Notes) -> Iterator[Piece]:
        return source.pieces(names, notes)

    return Table(snapshot, names, "", pieces, settings.not_cards, about)


def _is_in_single_quotes(rest: Block, delimiter: str) -> bool:
    """Do all cells of the first row below the header stand in apostrophes?"""
    first = records_of(rest.data.decode(), delimiter, 1).records
    cells = [cell for record in first for cell in record.cells if cell]
    return len(cells) > 1 and all(map(in_single_quotes, cells))


def _of_rejects_file(stated: _Source) -> _Source | None:
    """How a file of ours that comes back is to be read, whatever the job says of its inputs; None
    for any other.

    Its header is in row 1, or where the job says, under the titles of a workbook. A byte order mark
    says that it is UTF-8, as does the same file where it is nothing in the stated encoding; its
    header says what stands between the cells.
    """
    encodings = ["utf-8"]
    if not starts_with_bom(stated.snapshot):
        encodings.insert(0, stated.encoding)
    for encoding in dict.fromkeys(encodings):
        try:
            first = next(blocks(stated.snapshot, encoding), None)
        except FileRefused:
            continue  # whoever reads it as stated says why
        if first and (found := _as_rejects(replace(stated, encoding=encoding), first)):
            return found
    return None


def _as_rejects(source: _Source, first: Block) -> _Source | None:
    text = first.data.decode()
    if ROW_COLUMN not in text:
        return None
    for delimiter in dict.fromkeys((source.delimiter, *_BETWEEN)):
        records = records_of(text, delimiter, 1).records
        for row in dict.fromkeys((1, source.header_row)):
            if len(records) >= row and is_rejects_file(records[row - 1].cells):
                return replace(source, delimiter=delimiter, header_row=row)
    return None


_BETWEEN = (",", ";", "\t")
_SHOWN_END = 50  # characters of a last line


@dataclass(frozen=True, slots=True)
class _Source:
    snapshot: Snapshot
    encoding: str
    delimiter: str
    header_row: int
    wanted: tuple[str, ...]  # the columns that the job reads
    roles: Roles

    @property
    def path(self) -> str:
        """As messages name it."""
        return str(self.snapshot.path)

    def header(self) -> tuple[list[str], Block, Iterator[Block]]:
        """The header's cells, what follows it in its block, and the blocks after that."""
        stream = blocks(self.snapshot, self.encoding, self.wanted)
        data = b""
        for block in stream:
            data += block.data
            found = records_of(data.decode(), self.delimiter, self.header_row)
            if len(found.records) == self.header_row:
                if not found.rest and not data.endswith(b"\n"):
                    self._check_header(found.records[-1])
                    raise FileRefused(
                        texts.NO_LINE_END_HEADER(path=self.path, line=found.lines)
                    )
                header = found.records[-1]
                self._check_header(header)
                return (
                    names_of(header),
                    Block(found.rest.encode(), 1 + found.lines),
                    stream,
                )
            if len(data) > LINE_LIMIT:
                break
        if data and found.rest:
            raise self._unclosed(1 + found.lines, found.rest)
        raise FileRefused(headers.NO_HEADER(path=self.path, row=self.header_row))

    def _check_header(self, header: Record) -> None:
        for cell in header.cells:
            if "\r" in cell.replace("\r\n", ""):
                raise FileRefused(headers.HEADER_CR(path=self.path))
        if header.broken:
            raise FileRefused(
                headers.HEADER_QUOTE(path=self.path, line=header.line + 1)
            )

    def pieces(self, names: Sequence[str], notes: Notes) -> Iterator[Piece]:
        """All rows below the header."""
        _, rest, stream = self.header()
        row = self.header_row + 1
        kept = b""
        line = rest.line
        for block in chain([rest], stream):
            data = kept + block.data
            if not data:
                continue
            plain = plain_rows(data, self.delimiter, names)
            kept = b""
            line_before = line
            if plain is not None:
                piece = Piece(plain.batch, plain.rows_from(row), data)
                notes.blank_rows += plain.blank
                row += plain.batch.num_rows + plain.blank
                line += line_ends(data)
            else:
                found = records_of(data.decode(), self.delimiter)
                kept = found.rest.encode()
                if len(kept) > LINE_LIMIT:
                    raise self._unclosed(line + found.lines, found.rest)
                piece = self._any(found, data, names, row, line, notes)
                row += len(found.records)
                line += found.lines
            if b'"' in data and swallows_rows(piece.batch, self.delimiter, self.roles):
                self._refuse_swallowed(data, names, line_before)
            if not kept and not data.endswith(b"\n"):
                self._unended(data, line - 1, len(names), notes)
            yield piece
        if kept:
            raise self._unclosed(line, kept.decode())

    def _any(
        self,
        found: Records,
        data: bytes,
        names: Sequence[str],
        row: int,
        line: int,
        notes: Notes,
    ) -> Piece:
        """Whatever a block holds, row by row."""
        width = len(names)
        texts = [self._fitted(record.cells, width) for record in found.records]
        columns: list[Sequence[str]] = [()] * width
        if texts:
            columns = list(zip(*texts, strict=True))
        rows = range(row, row + len(texts))
        piece = Piece(batch_of(names, columns), rows, data)
        harmless = Harmless(self.delimiter, names, self.roles, found.records)
        for at, record in enumerate(found.records):
            if record.broken:
                self._blame_quote(piece, at, record, line)
            elif len(record.cells) == width or not any(record.cells):
                continue
            elif not harmless.is_so(at):
                piece.blame(at, self._ragged(record, names, line))
            elif len(record.cells) < width:
                notes.short.append(rows[at])
            else:
                notes.surplus.append(rows[at])
        return piece

    def _refuse_swallowed(self, data: bytes, names: Sequence[str], line: int) -> None:
        """Name the first record of a block that has swallowed others."""
        width = len(names)
        for record in records_of(data.decode(), self.delimiter).records:
            cells = dict(zip(names, self._fitted(record.cells, width), strict=True))
            if record.lines > 1 and swallowed(cells, self.delimiter, self.roles):
                first = line + record.line
                last = first + record.lines - 1
                said = texts.QUOTE_ROWS(path=self.path, line=first, last=last)
                raise FileRefused(said)

    def _fitted(self, cells: list[str], width: int) -> list[str]:
        if len(cells) > width:
            last = width - 1
            beyond = list(filter(None, cells[width:]))
            return [*cells[:last], self.delimiter.join((cells[last], *beyond))]
        absent = width - len(cells)
        return cells + [""] * absent

    def _ragged(self, record: Record, names: Sequence[str], line: int) -> Problem:
        width = len(names)
        first = line + record.line
        cells = len(record.cells)
        between = other_between(record.cells, self.delimiter, width)
        if between:
            said = problems.RAGGED_BETWEEN(
                line=first,
                found=SEPARATORS[between],
                expected=SEPARATORS.get(self.delimiter, f"'{self.delimiter}'"),
            )
        elif record.lines == 1 and cells < width:
            said = problems.RAGGED_SHORT(
                line=first,
                cells=cells,
                width=width,
                column=told(names[cells]),
            )
        elif record.lines == 1:
            said = problems.RAGGED_LINE(line=first, cells=cells, width=width)
        else:
            last = first + record.lines - 1
            said = problems.RAGGED_LINES(
                line=first,
                last=last,
                cells=cells,
                width=width,
            )
        return Problem(ROW, self._shown(record), said)

    def _blame_quote(
        self,
        piece: Piece,
        at: int,
        record: Record,
        line: int,
    ) -> None:
        start = line + record.line
        if record.lines > 1:  # it swallowed lines that may be rows
            first = start + record.opened
            last = start + record.lines - 1
            raise FileRefused(texts.QUOTE_LOST(path=self.path, line=first, last=last))
        said = problems.QUOTE(line=start)
        piece.blame(at, Problem(ROW, self._shown(record), said))

    def _shown(self, record: Record) -> str:
        return told(self.delimiter.join(record.cells))

    def _unclosed(self, line: int, rest: str) -> FileRefused:
        opened = line + lines_to_open_quote(rest, self.delimiter)
        return FileRefused(texts.QUOTE_OPEN(path=self.path, line=opened))

    def _unended(
        self,
        data: bytes,
        line: int,
        width: int,
        notes: Notes,
    ) -> None:
        """A last line without its end: a packed file proves itself whole, of another only what its
        sender declares can; a row that lacks cells was cut.
        """
        text = data.decode()
        cells = records_of(text, self.delimiter).records[-1].cells
        if self.snapshot.gzipped:
            notes.add(noticed.UNENDED_PACKED())
            return
        said = texts.NO_LINE_END(
            path=self.path,
            line=line,
            end=told(text[text.rfind("\n") + 1 :][-_SHOWN_END:]),
            name=self.snapshot.name,
        )
        if len(cells) < width:
            raise FileRefused(said)
        notes.unended = said
