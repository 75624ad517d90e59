"""MANY: many rows a statement: each statement of the journal's thread is a wait for the
interpreter's lock, which the loop holds.

A statement is prepared anew for each number of values, so there are few such numbers: powers of
two.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

MOST = 64  # rows of a statement: of 13 columns, SQLite before 3.32 takes 999 values in one


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """All rows, in their order. Raises sqlite3.Error, and OverflowError for what SQLite cannot
    hold.
    """
    at = 0
    while at < len(rows):
        size = min(MOST, 1 << (len(rows) - at).bit_length() - 1)
        some = rows[at : at + size]
        connection.execute(_inserting(table, len(some[0]), size), list(chain.from_iterable(some)))
        at += size


@lru_cache
def _inserting(table: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {','.join([row] * rows)}"  # noqa: S608 - our own words


def those_of(
    connection: sqlite3.Connection, query: str, first: Sequence[Any], keys: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query over some keys. `query`: with `(*)` where they stand, after as many
    values as `first` has.
    """
    for at in range(0, len(keys), MOST):
        some = list(keys[at : at + MOST])
        size = 1 << (len(some) - 1).bit_length()
        some += some[-1:] * (size - len(some))  # the same key once more changes nothing
        places = f"({','.join('?' * size)})"
        yield from connection.execute(query.replace("(*)", places), (*first, *some))
