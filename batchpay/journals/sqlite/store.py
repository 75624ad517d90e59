"""The journal in one SQLite file.

file        the SQLite file, its events, and whether they are what was written
writing     one commit for all that waits, on the disk before a call returns
orders      what is asked about orders and their attempts
batches     the rows of files as last planned, and what they caused
archiving   the events of a finished batch, packed
"""

from __future__ import annotations

from batchpay.journals.sqlite.archiving import Archiving
from batchpay.journals.sqlite.batches import Batches
from batchpay.journals.sqlite.file import LOCKED_WAIT_S
from batchpay.journals.sqlite.orders import Orders

__all__ = ["LOCKED_WAIT_S", "SqliteJournal"]


class SqliteJournal(Orders, Batches, Archiving):
    """Journal protocol over one file; one object per process and job, safe to use from one loop and
    its thread.
    """
