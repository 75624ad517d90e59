"""The journal in one SQLite file.

file        the SQLite file, its events, and whether they are what was written
writing     one commit for all that waits, on the disk before a call returns
orders      what is asked about orders and their attempts
batches     the rows of files as last planned, and what they caused
archiving   the events of a finished batch, packed
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from batchpay.journals.sqlite.archiving import Archiving
from batchpay.journals.sqlite.batches import Batches
from batchpay.journals.sqlite.file import LOCKED_WAIT_S
from batchpay.journals.sqlite.orders import Orders

__all__ = ["LOCKED_WAIT_S", "SqliteJournal"]

T = TypeVar("T")


class SqliteJournal(Orders, Batches, Archiving):
    """Journal protocol over one file; one object per process and job, safe to use from one loop and
    its thread.
    """

    @cached_property
    def _kept(self) -> dict[type, object]:
        return {}

    def kept(self, kind: type[T]) -> T | None:
        """What a reader of it keeps, to go on from there; None: nothing yet."""
        found = self._kept.get(kind)
        if isinstance(found, kind):
            return found
        return None

    def keep(self, made: object) -> None:
        """Keep what a reader made of it, one thing a kind, for as long as it is open."""
        self._kept[type(made)] = made
