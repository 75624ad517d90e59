"""rejects.csv, .tsv, .parquet or .xlsx: the rows somebody must correct, as the input had them,
ready to be sent back; in the input's own form, and as rejects.xlsx too where the job wants
workbooks.

The columns that begin with batchpay_ say which row each one was (lineage.py). Of them,
batchpay_retry = yes asks for another attempt at an unchanged row, batchpay_id gives a damaged order
id back, and batchpay_defused names the cells that got an apostrophe here, so that the reader takes
it off again. The header is in row 1, wherever the input had it: such a file is known by its
columns. In a workbook every cell is a text, which no program takes for a formula or a number:
nothing is defused there, and the reasons are in the language of the reports.

A row that was settled elsewhere is nobody's to correct, and is not in it. One that a person
cancelled is, and says so: it may be wanted after all.

A row that came back and does not stand beside the columns that name its row keeps those as they
came: with new ones it would come back as a correction of itself, and of nothing else.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from batchpay.domain.lineage import ADDED, ASTRAY, NAMING, told_id
from batchpay.domain.model import Batch, Finding, Outcome
from batchpay.domain.text import defused, short_cell, visible
from batchpay.readers.cells import Cells, decode_cells
from batchpay.reports.files import Directory
from batchpay.reports.sheets import workbook
from batchpay.reports.table import Inputs, reason_of
from batchpay.reports.words import Words

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
        _write_parquet(directory, _rejected(inputs, _in_english(inputs)))
    elif "csv" in wanted or "tsv" in wanted:
        _write_text(directory, inputs.batch, _rejected(inputs, _in_english(inputs)))
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
    return any(any(map(is_to_correct, findings)) for _, findings in inputs.findings())


def _in_english(inputs: Inputs) -> Callable[[Finding], str]:
    return lambda finding: reason_of(finding, inputs)


def is_to_correct(finding: Finding) -> bool:
    """Does somebody correct the row, and send it back?"""
    return finding.outcome in WANTED and not finding.settled_by


_Rows = tuple[tuple[str, ...], list[list[str]]]
"""Some rows: the input's columns, and their cells with what we add."""


def _rejected(inputs: Inputs, reason: Callable[[Finding], str]) -> Iterator[_Rows]:
    """The rows that somebody must correct, chunk by chunk. `reason`: how each of them is said."""
    for chunk, findings in inputs.findings():
        places = [at for at, finding in enumerate(findings) if is_to_correct(finding)]
        if not places:
            continue
        cells = decode_cells(chunk.cells)
        own = [name for name in cells.columns if name not in ADDED]
        columns = [cells.texts(name) for name in own]
        rows = []
        for at in places:
            finding = findings[at]
            came = [texts[at] for texts in columns]
            added = _told(finding, reason(finding)) | _as_it_came(finding, cells, at)
            rows.append([*came, *added.values()])
        yield tuple(own), rows


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
        for columns, rows in chunks:
            if not names:
                names = [*columns, *ADDED[:-1]]
                writer.writerow([*map(defused, columns), *ADDED])
            for row in rows:
                safe = [defused(cell) for cell in row]
                writer.writerow([*safe, _defused_names(names, row, safe)])


def _form_of(batch: Batch) -> tuple[str, str, str]:
    """Name, encoding and delimiter: the input's own."""
    encoding = batch.encoding
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    if batch.format == "tsv":
        return "rejects.tsv", encoding, batch.delimiter
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


def _write_parquet(directory: Directory, chunks: Iterable[_Rows]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with directory.file("rejects.parquet") as file, ExitStack() as stack:
        writer: Any = None
        for columns, rows in chunks:
            names = [*columns, *ADDED[:-1]]
            arrays = [pa.array(list(values), pa.string()) for values in zip(*rows, strict=True)]
            table = pa.Table.from_arrays(arrays, names=names)
            if writer is None:
                writer = stack.enter_context(
                    pq.ParquetWriter(file, table.schema, write_page_checksum=True)
                )
            writer.write_table(table)


def _write_sheet(directory: Directory, inputs: Inputs) -> None:
    words = Words(inputs.language, inputs.time_zone, inputs.job_file)
    title = f"{inputs.batch.job} · {inputs.batch.id}"
    with (
        directory.file("rejects.xlsx") as file,
        workbook(file, title, inputs.batch.job) as book,
    ):
        sheet = book.sheet("Rejects")
        columns: tuple[str, ...] = ()
        for own, rows in _rejected(inputs, words.reason):
            if not columns:
                columns = (*own, *ADDED)
                sheet.head(columns)
            for row in rows:
                for at, cell in enumerate(row):
                    sheet.raw(at, cell)
                sheet.at += 1
        sheet.finish(len(columns), frozen=(1, 0), filtered=(0, sheet.at - 1), title=title)
