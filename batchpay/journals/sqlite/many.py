"""MANY: many rows a statement: each step of a statement of the journal's thread is a wait for the
interpreter's lock, which the loop holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

# rows of a statement: of 13 columns, SQLite before 3.32 takes 999 values in one
MOST = 64
# to be kept prepared: three tables' with each number of rows, and all others
STATEMENTS = 512


def insert(
    connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]
) -> None:
    """All rows, in their order. Raises sqlite3.Error, and OverflowError for what SQLite cannot
    hold.
    """
    for at in range(0, len(rows), MOST):
        some = rows[at : at + MOST]
        statement = _inserting(table, len(some[0]), len(some))
        connection.execute(statement, list(chain.from_iterable(some)))


@lru_cache(STATEMENTS)
def _inserting(table: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {','.join([row] * rows)}"  # noqa: S608 - our own words


def those_of(
    connection: sqlite3.Connection,
    query: str,
    first: Sequence[Any],
    keys: Sequence[Any],
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query over some keys. `query`: with `(*)` where they stand, after as many
    values as `first` has.
    """
    for at in range(0, len(keys), MOST):
        some = keys[at : at + MOST]
        places = f"({','.join('?' * len(some))})"
        yield from connection.execute(query.replace("(*)", places), (*first, *some))
