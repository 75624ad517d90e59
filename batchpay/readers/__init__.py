"""READ: a file becomes chunks of rows of text, with everything about single rows and cells said as
problems.

for path in find_files(job.input):
    with open_snapshot(path) as snapshot:
        table = read(snapshot, job.input, job.columns.used())
        for chunk in table.chunks(): ...
        snapshot.verify_unchanged()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from batchpay.domain.errors import FileRefused
from batchpay.job.job import Input, Roles
from batchpay.readers.apart import read_apart
from batchpay.readers.delimited.reader import read_delimited
from batchpay.readers.find import find_files, names_of, own_among
from batchpay.readers.leftovers import who_has_open
from batchpay.readers.snapshot import (
    OF_ONE_FILE,
    Format,
    Snapshot,
    Unread,
    open_snapshot,
)
from batchpay.readers.table import Table, TextChunk
from batchpay.readers.xlsx.area import range_to

Reader = Callable[[Snapshot, Input, Sequence[str], Roles], Table]
NO_ROLES = Roles()
FORMATS: dict[Format, Reader] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "parquet": read_apart,
    "xlsx": read_apart,
}

__all__ = [
    "FORMATS",
    "OF_ONE_FILE",
    "Snapshot",
    "Table",
    "TextChunk",
    "Unread",
    "find_files",
    "names_of",
    "open_snapshot",
    "own_among",
    "range_to",
    "read",
    "who_has_open",
]


def read(
    snapshot: Snapshot,
    settings: Input,
    columns: Sequence[str],
    roles: Roles = NO_ROLES,
) -> Table:
    """The table of a file; `columns` are those the job reads, which must stand in its header once
    each, `roles` what some of them are for.

    Raises FileRefused, or TryLater when the file was being written.
    """
    try:
        table = FORMATS[snapshot.format](snapshot, settings, columns, roles)
    except FileRefused:
        snapshot.verify_unchanged()
        raise
    table.money = roles.money
    return table
