"""READ: a file becomes chunks of rows of text, with everything about single rows and cells said as problems.

for path in find_files(job.input):
    with open_snapshot(path) as snapshot:
        table = read(snapshot, job.input, job.columns.used())
        for chunk in table.chunks(): ...
        snapshot.verify_unchanged()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from batchpay.job import Input
from batchpay.readers.delimited import read_delimited
from batchpay.readers.find import find_files
from batchpay.readers.parquet import read_parquet
from batchpay.readers.snapshot import Format, Snapshot, open_snapshot
from batchpay.readers.table import Table, TextChunk
from batchpay.readers.xlsx import read_xlsx

Reader = Callable[[Snapshot, Input, Sequence[str]], Table]
FORMATS: dict[Format, Reader] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "parquet": read_parquet,
    "xlsx": read_xlsx,
}

__all__ = ["FORMATS", "Snapshot", "Table", "TextChunk", "find_files", "open_snapshot", "read"]


def read(snapshot: Snapshot, settings: Input, columns: Sequence[str]) -> Table:
    """The table of a file; `columns` are those the job reads, which must stand in its header once each."""
    return FORMATS[snapshot.format](snapshot, settings, columns)
