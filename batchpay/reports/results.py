"""results.csv and results.parquet: every row of the input once."""

from __future__ import annotations

import csv
from typing import Any

from batchpay.domain.secrets import masked, may_hold_more
from batchpay.domain.text import LONGEST_CELL, defused, short_cell, visible
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs, header_of, rows_of

__all__ = ["defused", "write_results_csv", "write_results_parquet"]


def write_results_csv(directory: Directory, inputs: Inputs) -> None:
    """UTF-8 with a byte order mark, commas, CR LF; ids as they came, formulas defused, nothing
    invisible.
    """
    header = header_of(inputs.batch)
    texts = [kind == "text" for kind in header.values()]
    with directory.text("results.csv", "utf-8-sig", "surrogatepass") as text:
        writer = csv.writer(text)
        writer.writerow([defused(name) for name in header])
        for columns in rows_of(inputs):
            told = list(map(_cells, columns, texts))
            writer.writerows(zip(*told, strict=True))


def _cells(column: list[Any], is_text: bool) -> list[Any]:
    if not is_text:
        return column
    return [defused(value) for value in shown_cells(column)]


def write_results_parquet(directory: Directory, inputs: Inputs) -> None:
    """The same rows, typed: whole numbers, UTC times, text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    header = header_of(inputs.batch)
    kinds: dict[str, Any] = {
        "text": pa.string(),
        "int": pa.int64(),
        "time": pa.timestamp("us", "UTC"),
    }
    schema = pa.schema([(name, kinds[kind]) for name, kind in header.items()])
    with (
        directory.file("results.parquet") as file,
        pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            write_page_checksum=True,
        ) as writer,
    ):
        for columns in rows_of(inputs):
            arrays = []
            for values, kind in zip(columns, header.values(), strict=True):
                arrays.append(_array(values, kinds[kind], kind))
            batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
            writer.write_batch(batch)


def _array(values: list[Any], kind: Any, name: str) -> Any:
    import pyarrow as pa

    if name == "text":
        return pa.array(shown_cells(values), kind)
    if name != "time":
        return pa.array(values, kind)
    texts = [value.removesuffix("Z") or None for value in values]
    instants = pa.array(texts, pa.string()).cast(pa.timestamp("us"))
    return instants.cast(kind)


def shown_cells(cells: list[str]) -> list[str]:
    """The cells of a text column as they may be shown: one line each, without tokens and keys, and
    no longer than a spreadsheet program can hold; the journal keeps all of it.

    Card numbers were masked as the file was read, but for columns in which the job says there are
    none.
    """
    whole = "".join(cells)
    if may_hold_more(whole):
        cells = [masked(cell, cards=False) for cell in cells]
    if not (whole.isascii() and whole.isprintable()):
        cells = [visible(cell) for cell in cells]
    if max(map(len, cells), default=0) > LONGEST_CELL:
        cells = [short_cell(cell) for cell in cells]
    return cells
