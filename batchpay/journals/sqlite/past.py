"""A journal as it was after one of its events: a copy without what came later, for whoever makes an
old report again. The journal itself is only read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from batchpay.journals.sqlite.migration import derive_anew
from batchpay.journals.sqlite.opening import Translated, open_to_read
from batchpay.journals.sqlite.packed import teach
from batchpay.journals.sqlite.store import LOCKED_WAIT_S, SqliteJournal


@contextmanager
def as_of(path: Path, job: str, seq: int) -> Iterator[SqliteJournal]:
    """The journal with nothing after event `seq`; gone at the end. Raises what opening raises."""
    with TemporaryDirectory(prefix="batchpay-") as folder:
        copy = Path(folder, "journal.db")
        with (
            closing(open_to_read(path, LOCKED_WAIT_S)) as source,
            closing(sqlite3.connect(copy, isolation_level=None)) as target,
            Translated(path),
        ):
            source.backup(target)
            teach(target)
            _cut(target, seq)
        with closing(SqliteJournal(copy, job, read_only=True)) as journal:
            yield journal


def _cut(connection: sqlite3.Connection, seq: int) -> None:
    """The triggers that make it append-only are put back: it is a journal like any other."""
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("DELETE FROM events WHERE seq > ?", (seq,))
    derive_anew(connection)
    for _, statement in triggers:
        connection.execute(statement)
