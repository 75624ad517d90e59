"""A connection to SQLite that breaks when a test wants it to; imported by processes that are to die
of it, and so with nothing that is slow to import.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Breaking(sqlite3.Connection):
    """Counts what it is asked to do, and does something else the nth time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = 0
        self.at: Callable[[int, str], None] = lambda count, statement: None

    def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
        self.count += 1
        self.at(self.count, statement)
        return super().execute(statement, *args)

    def executemany(self, statement: str, *args: Any) -> sqlite3.Cursor:
        self.count += 1
        self.at(self.count, statement)
        return super().executemany(statement, *args)


def breaking(at: Callable[[int, str], None]) -> Callable[..., Breaking]:
    """How to connect to a file, for a journal: `at(number, statement)` comes before each."""

    def connect(path: Path, **kwargs: Any) -> Breaking:
        connection = sqlite3.connect(path, factory=Breaking, **kwargs)
        connection.at = at
        return connection

    return connect
