"""rejects.csv or rejects.parquet: the rows somebody must correct, as the input had them, ready to
be sent back.

The columns that begin with batchpay_ say which row each one was (lineage.py). Of them,
batchpay_retry = yes asks for another attempt at an unchanged row, batchpay_id gives a damaged order
id back, and batchpay_defused names the cells that got an apostrophe here, so that the reader takes
it off again. The header is in row 1, wherever the input had it: such a file is known by its
columns. Rejects of an Excel file are written as CSV so far.

A row that came back and does not stand beside the columns that name its row keeps those as they
came: with new ones it would come back as a correction of itself, and of nothing else.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from batchpay.domain.lineage import ADDED, ASTRAY, NAMING, told_id
from batchpay.domain.model import Finding, Outcome
from batchpay.domain.text import defused, visible
from batchpay.readers.cells import Cells, decode_cells
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs

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
    if not any(inputs.totals.count(outcome) for outcome in WANTED):
        for form in ("csv", "tsv", "parquet"):
            directory.remove(f"rejects.{form}")
    elif inputs.batch.format == "parquet":
        _write_parquet(directory, inputs)
    else:
        _write_text(directory, inputs)


def _rejected(inputs: Inputs) -> Iterator[tuple[tuple[str, ...], list[list[str]]]]:
    """Chunk by chunk: the input's columns, and rows of their cells with what we add."""
    for chunk, findings in inputs.findings():
        places = [at for at, finding in enumerate(findings) if finding.outcome in WANTED]
        if not places:
            continue
        cells = decode_cells(chunk.cells)
        own = [name for name in cells.columns if name not in ADDED]
        lists = [cells.texts(name) for name in own]
        added = [
            {**_told(findings[at]), **_as_it_came(findings[at], cells, at)}.values()
            for at in places
        ]
        yield (
            tuple(own),
            [
                [*(texts[at] for texts in lists), *ours]
                for at, ours in zip(places, added, strict=True)
            ],
        )


def _told(finding: Finding) -> dict[str, str]:
    """All of ADDED but the last."""
    place = (finding.batch_id, str(finding.row), finding.sheet)
    own = told_id(finding.order_id, finding.batch_id, finding.sheet, finding.row)
    texts = (*place, finding.outcome.value, visible(finding.reason), "", own)
    return dict(zip(ADDED[:-1], texts, strict=True))


def _as_it_came(finding: Finding, cells: Cells, at: int) -> dict[str, str]:
    """What stood in NAMING, where that was found not to name the row that came back."""
    if not any(problem.rule in ASTRAY for problem in finding.problems):
        return {}
    return {name: cells.texts(name)[at] if name in cells.columns else "" for name in NAMING}


def _write_text(directory: Directory, inputs: Inputs) -> None:
    batch = inputs.batch
    if batch.format == "xlsx":
        encoding, delimiter = ("utf-8", ",")
    else:
        encoding, delimiter = (batch.encoding, batch.delimiter)
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    with directory.text(
        "rejects.tsv" if batch.format == "tsv" else "rejects.csv", encoding, "replace"
    ) as text:
        writer = csv.writer(text, delimiter=delimiter)
        first = True
        for columns, rows in _rejected(inputs):
            if first:
                writer.writerow([*map(defused, columns), *ADDED])
                first = False
            for row in rows:
                safe = [defused(cell) for cell in row]
                names = (*columns, *ADDED[:-1])
                changed = [
                    name for name, cell, was in zip(names, safe, row, strict=True) if cell != was
                ]
                writer.writerow([*safe, json.dumps(changed, ensure_ascii=False) if changed else ""])


def _write_parquet(directory: Directory, inputs: Inputs) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with directory.file("rejects.parquet") as file, ExitStack() as stack:
        writer: Any = None
        for columns, rows in _rejected(inputs):
            names = [*columns, *ADDED[:-1]]
            arrays = [pa.array(list(values), pa.string()) for values in zip(*rows, strict=True)]
            table = pa.Table.from_arrays(arrays, names=names)
            if writer is None:
                writer = stack.enter_context(
                    pq.ParquetWriter(file, table.schema, write_page_checksum=True)
                )
            writer.write_table(table)
