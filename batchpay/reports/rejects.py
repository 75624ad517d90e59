"""rejects.csv, .tsv, .parquet or .xlsx: the rows somebody must correct, as the input had them,
ready to be sent back; in the input's own form, and as rejects.xlsx too where the job wants
workbooks.

The columns that begin with batchpay_ say which row each one was (lineage.py). Of them,
batchpay_retry = yes asks for another attempt at an unchanged row, batchpay_id gives a damaged order
id back, and batchpay_defused names the cells that got an apostrophe here, so that the reader takes
it off again. The header is in row 1, wherever the input had it: such a file is known by its
columns. A workbook is the sheet as it was, with the wrong cells in colour and a note on each
(sendback.py); of any other input every cell in it is a text. No program takes a text cell for a
formula or a number: nothing is defused there, and what is told is in the language of the reports.

A row that was settled elsewhere is nobody's to correct, and is not in it. One that a person
cancelled is, and says so: it may be wanted after all.

A row that came back and does not stand beside the columns that name its row keeps those as they
came: with new ones it would come back as a correction of itself, and of nothing else.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from batchpay.domain.lineage import (
    ADDED,
    ASTRAY,
    NAMING,
    REASON,
    RETRY,
    UNSEEN,
    told_id,
)
from batchpay.domain.model import Batch, Finding, Outcome
from batchpay.domain.text import defused, short_cell, visible
from batchpay.messages.labels import SAY_YES
from batchpay.messages.message import Message
from batchpay.messages.problems import (
    BEYOND,
    DATE_AMOUNT,
    MERGED_ID,
    STRUCK_THROUGH,
    TOTAL_ROW,
    TOTAL_ROW_SUM,
    UNSEEN_FAULT,
)
from batchpay.readers.cells import Cells, between, decode_cells
from batchpay.readers.looks import Looks, RowLook, SheetLook, unpack
from batchpay.readers.typed import kinds_of, typed_column
from batchpay.reconciliation.lines import lines_of
from batchpay.reports.files import Directory
from batchpay.reports.sendback import Form, Line, write_sheet
from batchpay.reports.table import Inputs, reason_of
from batchpay.reports.words import Words

if TYPE_CHECKING:
    import pyarrow as pa

WANTED = frozenset(
    {
        Outcome.REJECTED,
        Outcome.REFUSED,
        Outcome.DECLINED,
        Outcome.EXPIRED,
        Outcome.REVERSED,
        Outcome.CONFLICT,
    }
)
# a row that is to be deleted, and one that is told already
_SAID_ELSEWHERE = frozenset(
    entry.code for entry in (TOTAL_ROW, TOTAL_ROW_SUM, UNSEEN_FAULT)
)


def write_rejects(directory: Directory, inputs: Inputs) -> None:
    """The file, when there is a row for it; one of an earlier writing goes away when there is none
    any more.
    """
    wanted = _forms_of(inputs)
    if not _has_any(inputs):
        wanted = ()
    for form in FORMS:
        if form not in wanted:
            directory.remove(f"rejects.{form}")
    if "parquet" in wanted:
        _write_parquet(directory, lambda: _rejected(inputs, _in_english(inputs), str))
    elif "csv" in wanted or "tsv" in wanted:
        rows = _rejected(inputs, _in_english(inputs), str)
        _write_text(directory, inputs.batch, rows)
    if "xlsx" in wanted:
        _write_sheet(directory, inputs)


FORMS = ("csv", "tsv", "parquet", "xlsx")


def _forms_of(inputs: Inputs) -> tuple[str, ...]:
    """The input's own form, and a workbook beside it where the job wants workbooks."""
    own = inputs.batch.format
    if own not in FORMS:
        own = "csv"
    if "xlsx" in inputs.formats and own != "xlsx":
        return (own, "xlsx")
    return (own,)


def _has_any(inputs: Inputs) -> bool:
    """Is there a row for it?"""
    if not any(inputs.totals.count(outcome) for outcome in WANTED):
        return False
    for _, findings in inputs.findings():
        if any(map(is_to_correct, lines_of(findings).apart.values())):
            return True
    return False


def _in_english(inputs: Inputs) -> Callable[[Finding], str]:
    return lambda finding: reason_of(finding, inputs)


def is_to_correct(finding: Finding) -> bool:
    """Does somebody correct the row, and send it back?"""
    return finding.outcome in WANTED and not finding.settled_by


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some rows that somebody must correct."""

    columns: tuple[str, ...]  # the input's own
    rows: list[list[str]]  # their cells, with what we add
    findings: list[Finding]
    looks: Looks  # of these columns
    sheet: SheetLook | None  # of the file


def _rejected(
    inputs: Inputs, reason: Callable[[Finding], str], say: Callable[[Message], str]
) -> Iterator[_Rows]:
    """The rows that somebody must correct, chunk by chunk. `reason`: how each of them is said."""
    sheet = None
    for chunk, findings in inputs.findings():
        apart = lines_of(findings).apart
        places = [at for at, finding in apart.items() if is_to_correct(finding)]
        if not places and chunk.number:
            continue
        cells = decode_cells(chunk.cells)
        own = [at for at, name in enumerate(cells.columns) if name not in ADDED]
        looks = unpack(cells.looks).only(own)
        sheet = looks.sheet or sheet
        if not places:
            continue
        names = tuple(cells.columns[at] for at in own)
        columns = [cells.texts(name) for name in names]
        rows = []
        for at in places:
            finding = apart[at]
            came = [texts[at] for texts in columns]
            why = reason(finding)
            if _needs_yes(finding):
                why = f"{why} | {say(SAY_YES())}"
            added = _told(finding, why) | _as_it_came(finding, cells, at)
            rows.append([*came, *added.values()])
        yield _Rows(names, rows, [apart[at] for at in places], looks, sheet)


def _needs_yes(finding: Finding) -> bool:
    """Do the cells not show what is wrong with the row, nor, once it is mended, that it is?"""
    for problem in finding.problems:
        if problem.rule in UNSEEN and problem.said.code not in _SAID_ELSEWHERE:
            return True
    return False


def _told(finding: Finding, why: str) -> dict[str, str]:
    """All of ADDED but the last."""
    number = finding.row
    sheet = finding.sheet
    own_id = told_id(finding.order_id, finding.batch_id, sheet, number)
    reason = short_cell(visible(why))
    retry = ""
    texts = (
        finding.batch_id,
        str(number),
        sheet,
        finding.outcome.value,
        reason,
        retry,
        own_id,
    )
    return dict(zip(ADDED[:-1], texts, strict=True))


def _as_it_came(finding: Finding, cells: Cells, at: int) -> dict[str, str]:
    """What stood in NAMING, where that was found not to name the row that came back."""
    if not any(problem.rule in ASTRAY for problem in finding.problems):
        return {}
    came = dict.fromkeys(NAMING, "")
    for name in NAMING:
        if name in cells.columns:
            came[name] = cells.texts(name)[at]
    return came


def _write_text(directory: Directory, batch: Batch, chunks: Iterable[_Rows]) -> None:
    name, encoding, delimiter = _form_of(batch)
    names: list[str] = []
    with directory.text(name, encoding, "replace") as text:
        writer = csv.writer(text, delimiter=delimiter)
        for some in chunks:
            if not names:
                names = [*some.columns, *ADDED[:-1]]
                writer.writerow([*map(defused, some.columns), *ADDED])
            at = names.index(REASON)
            for came in some.rows:
                row = [*came]
                row[at] = _in_letters_of(encoding, row[at])
                safe = [defused(cell) for cell in row]
                writer.writerow([*safe, _defused_names(names, row, safe)])


def _in_letters_of(encoding: str, reason: str) -> str:
    """A reason as an encoding can write it: what it has no letter for as an escape, as everywhere
    in messages. A ? would be taken for one.
    """
    try:
        reason.encode(encoding)
    except UnicodeEncodeError:
        plain = reason.replace("\u2420", "\\x20").encode(encoding, "backslashreplace")
        return plain.decode(encoding)
    return reason


def _form_of(batch: Batch) -> tuple[str, str, str]:
    """Name, encoding and delimiter: the input's own."""
    encoding = batch.encoding
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    if batch.format == "tsv":
        return "rejects.tsv", encoding, between(batch.format, batch.delimiter)
    return "rejects.csv", encoding, batch.delimiter


def _defused_names(names: list[str], row: list[str], safe: list[str]) -> str:
    """The names of the cells that got an apostrophe, as JSON; empty when none did."""
    changed = []
    for name, came, shown in zip(names, row, safe, strict=True):
        if came != shown:
            changed.append(name)
    if not changed:
        return ""
    return json.dumps(changed, ensure_ascii=False)


def _write_parquet(directory: Directory, chunks: Callable[[], Iterable[_Rows]]) -> None:
    """Columns of the types that they had, but for those in which a cell is no value of its type."""
    import pyarrow.parquet as pq

    untyped: set[str] = set(ADDED)
    with directory.file("rejects.parquet") as file:
        while True:
            file.seek(0)
            file.truncate()
            with ExitStack() as stack:
                writer: Any = None
                told = len(untyped)
                for some in chunks():
                    table = _typed(some, untyped)
                    if len(untyped) > told:
                        break
                    if writer is None:
                        writer = stack.enter_context(
                            pq.ParquetWriter(
                                file, table.schema, write_page_checksum=True
                            )
                        )
                    writer.write_table(table)
                else:
                    return


def _typed(some: _Rows, untyped: set[str]) -> pa.Table:
    """A table of some rows; a column that must be text is added to `untyped`."""
    import pyarrow as pa

    names = [*some.columns, *ADDED[:-1]]
    arrays = []
    for name, texts in zip(names, zip(*some.rows, strict=True), strict=True):
        array = None
        if name not in untyped and some.looks.schema is not None:
            array = typed_column(texts, some.looks.schema.field(name).type)
            if array is None:
                untyped.add(name)
        if array is None:
            array = pa.array(list(texts), pa.string())
        arrays.append(array)
    return pa.Table.from_arrays(arrays, names=names)


def _write_sheet(directory: Directory, inputs: Inputs) -> None:
    words = Words(inputs.language, inputs.time_zone, inputs.job_file)
    parts = _rejected(inputs, words.reason, words.say)
    first = next(parts)
    names = (*first.columns, *ADDED)
    ids = frozenset(at for at, name in enumerate(names) if name in inputs.ids)
    form = Form(
        title=f"{inputs.batch.job} · {inputs.batch.id}",
        names=names,
        own=len(first.columns),
        ids=ids,
        sheet=first.sheet,
    )
    marks = _Marks(names, inputs, words)
    with directory.file("rejects.xlsx") as file:
        write_sheet(file, form, _lines(chain([first], parts), marks))


def _lines(parts: Iterable[_Rows], marks: _Marks) -> Iterator[Line]:
    for some in parts:
        kinds = kinds_of(some.looks.schema, some.columns)
        for cells, finding in zip(some.rows, some.findings, strict=True):
            look = some.looks.of(finding.row)
            if kinds:
                look = RowLook(kinds=kinds)
            undated = marks.undated(finding)
            yield Line([*cells, ""], look, marks.of(finding, cells), undated)


class _Marks:
    """Which cells of a row are wrong, and what stands on their notes."""

    def __init__(self, names: Sequence[str], inputs: Inputs, words: Words) -> None:
        self._at = {name: at for at, name in enumerate(names)}
        self._inputs = inputs
        self._words = words

    def of(self, finding: Finding, cells: Sequence[str]) -> dict[int, str]:
        """By column; where no cell is to blame, that of the reason, which says it itself."""
        notes: dict[int, list[str]] = {}
        for problem in finding.problems:
            at = self._at.get(problem.column)
            if (
                problem.said.code == BEYOND.code
            ):  # shown in the last column (readers.xlsx)
                at = self._at[ADDED[0]] - 1
            if problem.rule in (
                STRUCK_THROUGH.code,
                MERGED_ID.code,
            ):  # of the whole row
                at = self._first_id()
            if at is not None:
                said = visible(self._words.say(problem.message()))
                notes.setdefault(at, []).append(said)
        if not finding.problems:
            for column in self._columns(finding):
                at = self._at.get(column)
                if at is not None and cells[at]:
                    notes[at] = [visible(self._words.reason(finding))]
        if _needs_yes(finding):
            notes[self._at[RETRY]] = [self._words.say(SAY_YES())]
        if not notes:
            return {self._at[REASON]: ""}
        return {at: "\n".join(said) for at, said in notes.items()}

    def undated(self, finding: Finding) -> frozenset[int]:
        """The columns of amounts in which it has a date."""
        found = [
            self._at.get(problem.column, -1)
            for problem in finding.problems
            if problem.said.code == DATE_AMOUNT.code
        ]
        return frozenset(found)

    def _first_id(self) -> int | None:
        """The first column of which order ids are made."""
        places = [self._at[name] for name in self._inputs.ids if name in self._at]
        return min(places, default=None)

    def _columns(self, finding: Finding) -> tuple[str, ...]:
        if finding.outcome in (Outcome.CONFLICT, Outcome.REJECTED):
            return self._inputs.ids
        if finding.outcome in (Outcome.DECLINED, Outcome.EXPIRED, Outcome.REVERSED):
            return self._inputs.payers
        return ()
