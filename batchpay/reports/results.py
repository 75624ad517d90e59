"""results.csv and results.parquet: every row of the input once."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import repeat
from typing import Any

from batchpay.domain.secrets import masked, may_hold_more
from batchpay.domain.text import (
    FORMULA_STARTS,
    LONGEST_CELL,
    defused,
    short_cell,
    visible,
)
from batchpay.reconciliation.lines import Column, Same, mapped
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs, header_of, rows_of

__all__ = ["defused", "write_results"]


Sink = Callable[[list[Column]], None]
"""Takes some rows: one column of values each, texts as they may be shown."""


def write_results(directory: Directory, inputs: Inputs, forms: Collection[str]) -> None:
    """The forms of it that are wanted, of `csv` and `parquet`, in one walk over the rows."""
    header = header_of(inputs.batch)
    with ExitStack() as stack:
        sinks = [stack.enter_context(SINKS[form](directory, header)) for form in forms]
        for columns in rows_of(inputs):
            shown = list(map(_shown, columns, header.values()))
            for sink in sinks:
                sink(shown)


def _shown(column: Column, kind: str) -> Column:
    if kind != "text":
        return column
    if isinstance(column, Same):
        return mapped(lambda cell: shown_cells([cell])[0], column)
    return shown_cells(column)


@contextmanager
def _csv(directory: Directory, header: Mapping[str, str]) -> Iterator[Sink]:
    """UTF-8 with a byte order mark, commas, CR LF; ids as they came, formulas defused, nothing
    invisible.
    """
    texts = [kind == "text" for kind in header.values()]
    with directory.text("results.csv", "utf-8-sig", "surrogatepass") as text:
        csv.writer(text).writerow([defused(name) for name in header])

        def write(columns: list[Column]) -> None:
            cells = map(_cells, columns, texts)
            # the writer of csv takes three times as long: it looks at each cell
            rows = map(",".join, zip(*cells, strict=True))
            text.write(CR_LF.join([*rows, ""]))

        yield write


CR_LF = "\r\n"
BETWEEN = "\x1f"  # of the cells of a column, to look at all of them at once
_QUOTED = re.compile(f'[",{CR_LF}]')
# looked for in a whole column, at a hundredth of what the pattern costs
_TO_QUOTE = ('"', ",", *CR_LF)
_FORMULA = re.compile(f"{BETWEEN}[{''.join(map(re.escape, FORMULA_STARTS))}]")


def _cells(column: Column, is_text: bool) -> Iterable[str]:
    """As they are written: quoted where a reader would take them apart (RFC 4180)."""
    if isinstance(column, Same):
        (cell,) = _cells([column.value], is_text)
        return repeat(cell, column.times)
    if not is_text:
        return ["" if value is None else str(value) for value in column]
    whole = BETWEEN.join(["", *column])
    if _FORMULA.search(whole):
        column = list(map(defused, column))
    if any(mark in whole for mark in _TO_QUOTE):
        return map(_quoted, column)
    return column


def _quoted(text: str) -> str:
    if not _QUOTED.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


@contextmanager
def _parquet(directory: Directory, header: Mapping[str, str]) -> Iterator[Sink]:
    """The same rows, typed: whole numbers, UTC times, text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

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

        def write(columns: list[Column]) -> None:
            arrays = []
            for values, kind in zip(columns, header.values(), strict=True):
                arrays.append(_array(values, kinds[kind], kind))
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))

        yield write


SINKS = {"csv": _csv, "parquet": _parquet}


def _array(column: Column, kind: Any, name: str) -> Any:
    import pyarrow as pa

    if isinstance(column, Same):
        return pa.repeat(_array([column.value], kind, name)[0], column.times)
    if name != "time":
        return pa.array(column, kind)
    texts = [value.removesuffix("Z") or None for value in column]
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
