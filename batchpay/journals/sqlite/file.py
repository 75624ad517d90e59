"""FILE: the journal's SQLite file. What is older than what a run verified is held against the chain
wherever it is read.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from batchpay.domain.errors import BatchpayError, InputOutput
from batchpay.domain.events import FREQUENT, STATUS_AT, Answered, BelongsTo
from batchpay.domain.model import Event
from batchpay.journals.sqlite import reread, soundness, tally
from batchpay.journals.sqlite.lines import COLUMNS, RARE, event_of
from batchpay.journals.sqlite.migration import schema
from batchpay.journals.sqlite.opening import Translated, open_to_read, prepare
from batchpay.journals.sqlite.opening import open_to_write as _open
from batchpay.journals.sqlite.packed import is_storable
from batchpay.journals.sqlite.soundness import GENESIS
from batchpay.journals.sqlite.stencils import DATA, DIGEST, Shortening

LOCKED_WAIT_S = 30.0  # how long another program may hold the file
PAGE = 20000  # events that are read at a time
# told of the last event: of which journal, its number, its digest
Durable = Callable[[str, int, str], None]


class _Reads:
    """The connection that a question is asked by, locked for as long as that is the writer's."""

    __slots__ = ("_connection", "_lock", "_translated")

    def __init__(
        self,
        connection: sqlite3.Connection,
        translated: Translated,
        lock: threading.RLock | None = None,
    ) -> None:
        self._connection = connection
        self._translated = translated
        self._lock = lock

    def __enter__(self) -> sqlite3.Connection:
        if self._lock is not None:
            self._lock.acquire()
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._translated.__exit__(kind, error, trace)
        finally:
            if self._lock is not None:
                self._lock.release()


class JournalFile:
    """A journal's file, its events, and whether they are what was written."""

    def __init__(
        self,
        path: Path,
        job: str,
        *,
        read_only: bool = False,
        locked_wait_s: float = LOCKED_WAIT_S,
        durable: Durable = lambda journal_id, seq, digest: None,
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect,
    ) -> None:
        """Open or create; a journal of an earlier version is brought to today's. Raises
        Misconfigured for a file that is none of this program's journals or another user's,
        CannotWrite, InputOutput, TryLater when it stays locked by another program for
        `locked_wait_s` or another job's run hinders its migration.

        `read_only`: nothing is written; where there is no file yet, an empty journal in memory, and
        of an earlier version's file a temporary copy in today's form. `durable` is told the last
        event after each commit. `connect`: how a writable file is opened, the port to
        the disk.
        """
        self._durable = durable
        self.path = path
        self.job = job
        self._locked_wait_s = locked_wait_s
        self._lock = threading.RLock()
        # the loop's own, to read by: see _reads
        self._beside: sqlite3.Connection | None = None
        # why nothing is written through this object any more
        self._broken: InputOutput | None = None
        self._reading = read_only
        self._shortening = Shortening()
        if read_only:
            self._connection = open_to_read(path, locked_wait_s)
        else:
            self._connection = _open(path, locked_wait_s, connect)
        try:
            with self._translated():
                self.id = prepare(self._connection, path, None if read_only else job)
        except BaseException:
            self._connection.close()
            raise
        self._old = 0  # events up to here were not verified now: each is as it is read
        # up to here every event was verified, or written by this very object
        self._sure: tuple[int, str] | None = None
        self._at = self.head()  # the head, in a transaction

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing. After the disk failed once nothing more is written: the kernel may have
        dropped the pages it could not write, so that a later sync that succeeds proves nothing. The
        next run opens the file anew and verifies it.
        """
        if self._broken is not None:
            raise self._broken
        try:
            with self._translated(), self._all_or_none():
                yield
        except InputOutput as error:
            self._broken = error
            raise

    def _translated(self) -> Translated:
        return Translated(self.path, reading=self._reading)

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._at = head_of(self._connection)
            goes_on = self._sure == self._at
            yield
            self._connection.execute("COMMIT")
            self._shortening.committed()
            if goes_on:
                self._sure = self._at
            self._durable(self.id, *self._at)
        except BaseException:
            self._shortening.rolled_back()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _reads(self) -> AbstractContextManager[sqlite3.Connection]:
        """What the loop reads by. Once a thread writes that is a connection of its own, so that no
        answer waits until a commit is over; it shows what is committed, as the other would.
        """
        if self._beside is not None:
            return _Reads(self._beside, self._translated())
        return _Reads(self._connection, self._translated(), self._lock)

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._reads() as connection:
            return connection.execute(query, values).fetchall()

    def _first(self, query: str, *values: Any) -> Any:
        """The first row, or None."""
        with self._reads() as connection:
            return connection.execute(query, values).fetchone()

    def _column(self, query: str, *values: Any) -> list[Any]:
        """The first value of each row."""
        return [row[0] for row in self._rows(query, *values)]

    def head(self) -> tuple[int, str]:
        """Sequence number and digest of the last event of any job."""
        with self._reads() as connection:
            return head_of(connection)

    def digest_of(self, seq: int) -> str:
        """The digest of one event of any job; empty for one that is not there."""
        row = self._first(f"SELECT {DIGEST} FROM events WHERE seq = ?", seq)
        if row:
            return str(row[0])
        return ""

    def accounts(self) -> Iterator[Event]:
        """The `account` events of every job in the file, this job's last: it is one file's money,
        whoever wrote it.
        """
        of_kind = f"kind = '{BelongsTo.kind}' AND {RARE}"
        return chain(
            self._select(f"{of_kind} AND job <> ?", (self.job,), "events_of_a_kind"),
            self._select(f"{of_kind} AND job = ?", (self.job,)),
        )

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """This job's events in order, or those of some kinds, after a sequence number."""
        wanted = tuple(kinds)
        of_kinds = ""
        if wanted:
            of_kinds = f" AND kind IN ({places(wanted)})"
        if wanted and not set(wanted).intersection(FREQUENT):
            of_kinds += f" AND {RARE}"
        return self._select(
            f"job = ? AND seq > ?{of_kinds}", (self.job, after, *wanted)
        )

    def told_429(self, batch_id: str) -> Iterator[Event]:
        """Answers to charges of a batch that say that too many were asked for."""
        where = (
            f"job = ? AND batch_id <> '' AND batch_id = ? AND kind = '{Answered.kind}'"
        )
        told = f"json_extract({DATA}, '{STATUS_AT}') = 429"
        return self._select(
            f"{where} AND {told}", (self.job, batch_id), "events_of_a_batch"
        )

    def histories(self, order_ids: Sequence[str]) -> dict[str, list[Event]]:
        """The events of some orders, oldest first. Raises Damaged for an order of which the
        beginning is not found any more.
        """
        found: dict[str, list[Event]] = {}
        for some in slices(order_ids):
            where = f"job = ? AND order_id <> '' AND order_id IN ({places(some)})"
            for event in self._select(where, (self.job, *some)):
                found.setdefault(event.order_id, []).append(event)
        with self._translated(), self._doubted():
            for events in found.values():
                reread.refuse_headless(self.path, events)
        return found

    def _select(
        self, where: str, values: Sequence[Any], index: str = ""
    ) -> Iterator[Event]:
        """Pages by sequence number, so that nothing is held between them. `index`: the one to look
        in, where SQLite would rather walk over all events.
        """
        source = "events"
        if index:
            source = f"events INDEXED BY {index}"
        query = (
            f"SELECT {COLUMNS} FROM {source} WHERE {where} AND seq > ?"
            f" ORDER BY seq LIMIT {PAGE}"
        )
        after = 0
        while True:
            with self._reads() as connection:
                rows = connection.execute(query, (*values, after)).fetchall()
                self._prove(connection, rows)
                page = [event_of(row) for row in rows]
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].seq

    def verify(self) -> None:
        """Is all as it was written? Raises Damaged, or BrokenChain at the first event that does not
        fit.
        """
        with self._lock, self._translated(), self._doubted():
            soundness.verify(self._connection, self.path, schema())
            self._sure = head_of(self._connection)
        self._old = 0

    def verify_new(self) -> None:
        """The same of all that was written since a run last kept how far it had come, of every
        order that is not settled, and of all by which an order is found; what is older is held
        against the chain wherever it is read.
        """
        self._verify_new(tally.EVERY)

    def verify_shown(self) -> None:
        """The same for who asks for nothing, and shows where batches stand: of what is settled
        nothing is looked for by its id, so that the indexes of orders are not added up.
        """
        self._verify_new(tally.SHOWN)

    def _verify_new(self, looked_for: Iterable[str]) -> None:
        with self._lock, self._translated(), self._doubted():
            connection = self._connection
            self._old = reread.verify_new(connection, self.path, schema(), looked_for)
            self._sure = head_of(connection)

    def reread(self) -> None:
        """Keep how far the journal is known to be right, and read a part of what is older again: in
        so many runs (reread.TURNS) all of it. Raises what `verify` raises.
        """
        if self._sure is None:
            return
        with self._lock, self._translated(), self._doubted():
            mark = reread.next_turn(reread.mark_of(self._connection), *self._sure)
            mark = reread.take_turn(self._connection, self.path, mark)
        with self._lock, self._transaction():
            reread.keep(self._connection, mark)
            if not self._old:  # all of it was verified: that is what there is
                tally.keep(self._connection, self._at, tally.counted(self._connection))

    def _prove(
        self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]
    ) -> None:
        """Nothing that is read of what is older is believed unless it fits the chain where it
        stands.
        """
        old = [row[0] for row in rows if row[0] <= self._old]
        if old:
            with self._doubted():
                reread.prove(connection, self.path, old)

    @contextmanager
    def _doubted(self) -> Iterator[None]:
        """Of a journal that is damaged, no part passes for verified any more."""
        try:
            yield
        except (
            soundness.Damaged,
            ValueError,
            TypeError,
            KeyError,
            sqlite3.DatabaseError,
        ):
            self._sure = None
            self._doubt_mark()
            raise

    def _doubt_mark(self) -> None:
        with self._lock, suppress(BatchpayError, sqlite3.Error):
            if self._reading or self._connection.in_transaction:
                return
            mark = reread.mark_of(self._connection)
            if mark.seq and not mark.doubted:
                with self._transaction():
                    reread.doubt(self._connection)


def head_of(connection: sqlite3.Connection) -> tuple[int, str]:
    """Number and digest of the last event."""
    row = connection.execute(
        f"SELECT seq, {DIGEST} FROM events ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if row:
        return (row[0], row[1])
    return (0, GENESIS)


def places(values: Sequence[Any]) -> str:
    """So many values in a query."""
    return ",".join("?" * len(values))


def slices(values: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """At most so many at a time, each once; a text that no journal can hold is nowhere in it."""
    once = dict.fromkeys(values)
    unique = [value for value in once if is_storable(value)]
    for start in range(0, len(unique), size):
        yield unique[start : start + size]
