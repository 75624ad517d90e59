"""The journal in one SQLite file: every commit is on the disk before a call returns.

`synchronous=FULL` with a write-ahead log: a commit that returned survives a power cut
(sqlite.org/pragma.html, "synchronous"). Whatever waits while one commit is under way shares the
next one; nothing lingers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from batchpay.domain.errors import BatchpayError, Bug, InputOutput, Taken
from batchpay.domain.events import (
    ASKED_FOR,
    BEGINNINGS,
    CHARGE_AMOUNT_AT,
    CHARGE_CREATED_AT,
    CHARGE_CURRENCY_AT,
    CHARGE_ID_AT,
    CHARGES,
    FREQUENT,
    IDS_FROM_AT,
    SALE_AT,
    SHOWN_CHARGES,
    SINGLE_USE_AT,
    STATE_AT,
    Absent,
    Answered,
    AskedFor,
    BatchPlanned,
    BelongsTo,
    OrderCancelled,
    RunStarted,
    TotalsCounted,
    line,
    told_in,
)
from batchpay.domain.model import (
    Batch,
    Done,
    Event,
    Judged,
    OnItsWay,
    Outcome,
    Plain,
    Repeat,
    StoredChunk,
)
from batchpay.journals.attempts import Changed, keep_asked, keep_came_to, keep_open
from batchpay.journals.guard import follow
from batchpay.journals.sqlite import many, reread, soundness, tally
from batchpay.journals.sqlite.lines import (
    COLUMNS,
    RARE,
    any_of,
    event_of,
    is_storable,
    line_of,
    object_of,
    stored,
    texts_of,
)
from batchpay.journals.sqlite.migration import schema
from batchpay.journals.sqlite.opening import RESTORE, open_beside, open_to_read, prepare, translated
from batchpay.journals.sqlite.opening import open_to_write as _open
from batchpay.journals.sqlite.rows import pack, unpack
from batchpay.journals.sqlite.soundness import GENESIS, chained
from batchpay.lifecycle.after import OVER, created_ns
from batchpay.lifecycle.plan import by_order, payment_method, tail_of

LOCKED_WAIT_S = 30.0  # how long another program may hold the file
# events stand in the order of their commits: their times may be so far out of order
DISORDER_NS = 3600 * 10**9
PAGE = 20000  # events that are read at a time
MOST_ATTEMPTS = 2**63 - 1  # of an order: behind all of them
T = TypeVar("T")
BEGUN = any_of(BEGINNINGS)
CHARGED = any_of(CHARGES)
SEEN = any_of(SHOWN_CHARGES)
_OF_ROWS = 'a.job = ? AND a.batch_id = ? AND a."row" BETWEEN ? AND ? AND a.sheet = ?'
_SEVERAL = f'SELECT a."row" FROM asked AS a WHERE {_OF_ROWS} GROUP BY a."row" HAVING count(*) > 1'
_PLAIN = (
    'SELECT a."row", a.order_id, a.attempt, a.at_ns, a.amount, a.currency, a.destination,'
    " a.paid_with, a.run_id, a.mode, a.fee, c.settled_ns, c.charge_id, c.chain, c.transfer,"
    " c.amount, c.currency, c.fee, c.fee_vat, c.net, c.platform_fee, c.funding_amount,"
    " c.funding_currency, c.transfer_status, c.transfer_amount, c.transfer_fee, c.bank_amount,"
    " c.transfer_sent_at, c.transfer_paid_at FROM asked AS a CROSS JOIN came_to AS c ON c.seq ="
    f" a.seq WHERE {_OF_ROWS} AND c.plain = 1 AND c.amount IS NOT NULL AND a.mode <> ''"
    " AND a.paid_with <> '' AND a.\"row\" > 0 AND NOT EXISTS (SELECT 1 FROM asked AS n WHERE"
    " n.job = a.job AND n.terms = a.terms AND n.at_ns >= ? AND n.at_ns < a.at_ns"
    " AND n.order_id <> a.order_id AND n.batch_id <> a.batch_id)"
)
# `+`: by the numbers of the events, and not by the job, which nearly all of them are of
_LATELY = (
    f"SELECT a.at_ns, a.order_id, a.batch_id, {ASKED_FOR} FROM asked AS a CROSS JOIN events AS e"
    " ON e.seq = a.seq WHERE +a.job = ?1 AND a.seq >= ?2 AND a.at_ns < ?6"
    " AND (a.destination IN (SELECT value FROM json_each(?3))"
    " OR a.paid_with IN (SELECT value FROM json_each(?4)))"
    " AND (a.destination IN (SELECT value FROM json_each(?3))"
    f" OR json_extract(e.data, '{SINGLE_USE_AT}') IN (SELECT value FROM json_each(?5)))"
    " ORDER BY a.seq DESC"
)
# what stands beside the greatest is of its row (sqlite.org/lang_select.html, "bare columns")
_YOUNGEST = (
    f"SELECT json_extract(data, '{CHARGE_ID_AT}'), max(json_extract(data, '{CHARGE_CREATED_AT}'))"
    f" FROM events WHERE seq > ? AND seq <= ? AND +job = ? AND at_ns >= ? AND kind IN {SEEN}"
)
_OVER = any_of(sorted(OVER))
_SUCCEEDED = Outcome.SUCCEEDED.value
# No column tells the time of what an event of a rare kind changed: a person's word that a charge is
# accepted. When a charge was made that this journal did not make, its event alone tells.
_ON_THEIR_WAY = (
    "SELECT a.order_id, a.attempt, a.at_ns, a.adopted, c.settled_ns, c.chain, c.transfer, CASE"
    f" a.adopted WHEN 1 THEN (SELECT json_extract(e.data, '{CHARGE_CREATED_AT}') FROM events AS e"
    " WHERE e.seq = a.seq) END FROM came_to AS c CROSS JOIN asked AS a ON a.seq = c.seq WHERE"
    f" c.state = '{_SUCCEEDED}' AND c.chain <> '' AND c.transfer_status NOT IN {_OVER}"
    " AND a.job = ? AND (a.order_id, a.attempt) > (?, ?) AND (? = '' OR a.order_id <= ?)"
    " AND (a.at_ns >= ? OR c.settled_ns >= ? OR a.order_id IN (SELECT value FROM json_each(?))"
    f" OR a.order_id IN (SELECT order_id FROM events WHERE job = ? AND {RARE} AND order_id <> ''"
    " AND at_ns >= ?)) ORDER BY a.order_id, a.attempt LIMIT ?"
)
_CHUNK = (
    "SELECT number, sheet, judged, cells FROM row_chunks "
    "WHERE job = ? AND batch_id = ? AND generation = ? AND number = ?"
)


class SqliteJournal:
    """Journal protocol over one file; one object per process and job, safe to use from one loop and
    its thread.
    """

    def __init__(
        self,
        path: Path,
        job: str,
        *,
        read_only: bool = False,
        locked_wait_s: float = LOCKED_WAIT_S,
        durable: Callable[[int], None] = lambda seq: None,
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect,
    ) -> None:
        """Open or create; a journal of an earlier version is brought to today's. Raises
        Misconfigured for a file that is none of this program's journals or another user's,
        CannotWrite, InputOutput, TryLater when it stays locked by another program for
        `locked_wait_s` or another job's run hinders its migration.

        `read_only`: nothing is written; where there is no file yet, an empty journal in memory, and
        of an earlier version's file a temporary copy in today's form. `durable` is told the number
        of the last event after each commit. `connect`: how a writable file is opened, the port to
        the disk.
        """
        self._durable = durable
        self.path = path
        self.job = job
        self._locked_wait_s = locked_wait_s
        self._lock = threading.RLock()
        self._beside: sqlite3.Connection | None = None  # the loop's own, to read by: see _reads
        self._broken: InputOutput | None = (
            None  # why nothing is written through this object any more
        )
        self._reading = read_only
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
        self._waiting: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._at = self.head()  # the head, in a transaction
        self._last_seq = self._at[0]

    # --- writing

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append, durably, all or none. Raises Taken, CannotWrite, InputOutput or TryLater."""
        with self._lock, self._transaction():
            return self._insert(events)

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same from the loop; what arrives together shares one commit."""
        if self._writer is None:
            with self._translated():
                self._beside = open_beside(self.path, self._locked_wait_s)
            self._writer = threading.Thread(
                target=self._write_groups,
                name="journal",
                daemon=True,
            )
            self._writer.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Event]] = loop.create_future()
        self._waiting.put(_Submission(events, loop, done))
        return await done

    def _write_groups(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            while not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._commit_group(group)
                    return
                group.append(following)
            self._commit_group(group)

    def _commit_group(self, group: list[_Submission]) -> None:
        try:
            with self._lock, self._transaction():
                written = iter(self._insert([one for some in group for one in some.events]))
            results = [list(islice(written, len(some.events))) for some in group]
        except BatchpayError as error:
            if len(group) == 1 or not isinstance(error, Taken):
                _tell(group, [error] * len(group))
                return
            for submission in group:  # one of them breaks a rule: the others must not suffer for it
                self._commit_group([submission])
            return
        except BaseException as error:  # a bug or no memory: whoever waits must hear of it
            _tell(
                group,
                [InputOutput(f"{self.path}: the journal's thread failed: {error!r}")] * len(group),
            )
            return
        _tell(group, results)

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

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.path, reading=self._reading)

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._at = _head(self._connection)
            goes_on = self._sure == self._at
            yield
            self._connection.execute("COMMIT")
            if goes_on:
                self._sure = self._at
            self._durable(self._last_seq)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _insert(self, events: Sequence[Event]) -> list[Event]:
        """All of them, by a few statements in all: one for each event would wait as often for the
        loop to let go of the interpreter.
        """
        seq, digest = self._at
        lines = []
        written = []
        for event in events:
            seq += 1
            try:
                line = line_of(seq, self.job, event)
                digest = chained(digest, line)
            except (ValueError, TypeError) as error:
                raise self._unwritable([event], error) from error
            lines.append((*line, digest))
            written.append(stored(event, seq, digest))
        of_orders = [event for event in written if event.order_id]
        opened = self._guard(of_orders)
        try:
            many.insert(self._connection, "events", lines)
        except (ValueError, OverflowError, TypeError) as error:
            raise self._unwritable(events, error) from error
        began = keep_asked(self._connection, self.job, of_orders)
        keep_came_to(self._connection, self.job, of_orders)
        news = tally.news_of(self.job, written, began, opened)
        tally.follow(self._connection, self._at, (seq, digest), news)
        self._at = (seq, digest)
        self._last_seq = seq
        return written

    def _guard(self, events: Sequence[Event]) -> Changed:
        """Keep the table of open attempts in step: entering twice is a conflict, not a second
        payment.
        """
        return keep_open(self._connection, follow, self.job, events)

    def _unwritable(self, events: Sequence[Event], error: Exception) -> Bug:
        """No disk and no damage: it is not the journal's."""
        kinds = ", ".join(sorted({event.kind for event in events}))
        return Bug(f"{self.path}: an event of kind {kinds} cannot be written: {error!r}")

    # --- reading

    @contextmanager
    def _reads(self) -> Iterator[sqlite3.Connection]:
        """What the loop reads by. Once a thread writes that is a connection of its own, so that no
        answer waits until a commit is over; it shows what is committed, as the other would.
        """
        if self._beside is not None:
            with self._translated():
                yield self._beside
        else:
            with self._lock, self._translated():
                yield self._connection

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
            return _head(connection)

    def digest_of(self, seq: int) -> str:
        """The digest of one event of any job; empty for one that is not there."""
        row = self._first("SELECT digest FROM events WHERE seq = ?", seq)
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
            of_kinds = f" AND kind IN ({_places(wanted)})"
        if wanted and not set(wanted).intersection(FREQUENT):
            of_kinds += f" AND {RARE}"
        return self._select(f"job = ? AND seq > ?{of_kinds}", (self.job, after, *wanted))

    def histories(self, order_ids: Sequence[str]) -> dict[str, list[Event]]:
        """The events of some orders, oldest first. Raises Damaged for an order of which the
        beginning is not found any more.
        """
        found: dict[str, list[Event]] = {}
        for some in _slices(order_ids):
            where = f"job = ? AND order_id <> '' AND order_id IN ({_places(some)})"
            for event in self._select(where, (self.job, *some)):
                found.setdefault(event.order_id, []).append(event)
        with self._translated(), self._doubted():
            for events in found.values():
                reread.refuse_headless(self.path, events)
        return found

    def owned(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> dict[int, str]:
        """Row number -> order id for the rows of a batch that caused an intent."""
        query = (
            'SELECT "row", order_id FROM asked WHERE job = ? AND batch_id = ? AND "row" BETWEEN ?'
            " AND ? AND sheet = ? ORDER BY seq"
        )
        return dict(self._rows(query, self.job, batch_id, first_row, last_row, sheet))

    def settled_rows(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> frozenset[int]:
        """The rows of a batch whose own attempt succeeded: whatever else is known, they are never
        sent again. Those of an adopted charge are not among them: it may be that they ask for other
        terms.
        """
        query = (
            'SELECT a."row" FROM asked AS a JOIN open_attempts AS o ON o.job = a.job AND'
            " o.order_id = a.order_id AND o.attempt = a.attempt AND o.state = 'succeeded' WHERE"
            ' a.job = ? AND a.batch_id = ? AND a."row" BETWEEN ? AND ? AND a.sheet = ?'
            " AND a.adopted = 0"
        )
        return frozenset(self._column(query, self.job, batch_id, first_row, last_row, sheet))

    def plain_rows(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
        near_ns: int,
    ) -> list[Plain]:
        """The rows of a batch that caused one attempt, the only one of its order, which succeeded
        without anything to tell; but for those of terms that another order of another batch asked
        for before it, since then (`near_ns`).
        """
        key = (self.job, batch_id, first_row, last_row, sheet)
        several = self._column(_SEVERAL, *key)
        rows = map(Plain._make, self._rows(_PLAIN, *key, near_ns))
        return [row for row in rows if row.row not in several]

    def on_their_way(
        self,
        since_ns: int,
        also: Collection[str],
        after: str,
        until: str,
        at_most: int,
    ) -> list[OnItsWay]:
        """Attempts that succeeded with a chain and whose transfer is not over, of these orders and
        of those that were sent, settled or changed otherwise since then, by order id and attempt.

        Those behind an order (`after`) and up to another (`until`; empty: to the end): so many, and
        the rest of the last one's order.
        """
        since = (since_ns, since_ns, json.dumps(list(also)), self.job, since_ns)
        key = (self.job, after, MOST_ATTEMPTS, until, until)
        rows = self._rows(_ON_THEIR_WAY, *key, *since, at_most)
        if rows and len(rows) == at_most:
            last, attempt, *_ = rows[-1]
            rows += self._rows(_ON_THEIR_WAY, self.job, last, attempt, last, last, *since, -1)
        return [_on_its_way(*row) for row in rows]

    def look_alikes(self, forms: Sequence[str]) -> dict[str, list[str]]:
        """Look-alike form of an order id (plan.alike) -> the ids of orders that were sent, or
        adopted, under that form, oldest first.
        """
        pairs = self._asked("alike, order_id", "alike", forms)
        return _grouped(dict.fromkeys(pairs))

    def asked_terms(
        self, terms: Sequence[str], since_ns: int
    ) -> dict[str, list[tuple[str, str, int]]]:
        """Terms (plan.terms_of) -> order id, batch id and wall-clock time (ns) of every attempt
        that asked the same since then, oldest first.
        """
        columns = "terms, order_id, batch_id, at_ns"
        rows = self._asked(columns, "terms", terms, "AND at_ns >= ?", since_ns)
        return _grouped((form, tuple(asked)) for form, *asked in rows)

    def last_asked(self) -> int:
        """The number of the event by which the last attempt began; 0: there is none."""
        query = "SELECT coalesce(max(seq), 0) FROM asked WHERE job = ?"
        return int(self._rows(query, self.job)[0][0])

    def asked_of(
        self, recipients: Collection[str], tokens: Collection[str], until_ns: int, most: int
    ) -> Iterator[tuple[int, str, str, AskedFor]]:
        """Wall-clock time (ns), order id, batch id and terms of attempts before a time that asked
        for one of some recipients, or spent one of some card tokens, newest first: of the last
        ones, so many.

        A token pays alone (schemas/order.schema.json): by its last characters, which stand beside
        the events, those events are found that have to be read.
        """
        forms = {payment_method(token) for token in tokens}
        wanted = map(_listed, (recipients, forms, tokens))
        rows = self._rows(_LATELY, self.job, self._first_of_last(most), *wanted, until_ns)
        for at_ns, order_id, batch_id, *terms in rows:
            yield at_ns, order_id, batch_id, AskedFor(*terms)

    def orders_asked_since(self, at_ns: int, most: int) -> list[str]:
        """The ids of orders of which an attempt began since then, of the last attempts, so many."""
        query = "SELECT DISTINCT order_id FROM asked WHERE seq >= ? AND +job = ? AND at_ns >= ?"
        return self._column(query, self._first_of_last(most), self.job, at_ns)

    def _first_of_last(self, most: int) -> int:
        """The number of the event by which the first of the last attempts began, so many."""
        query = "SELECT seq FROM asked WHERE +job = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
        row = self._first(query, self.job, most - 1)
        if row:
            return int(row[0])
        return 0

    def asked_under(
        self, beginnings: Sequence[str], but: str
    ) -> dict[str, list[tuple[str, str, int, str, str]]]:
        """What terms begin with (plan.fitting_terms) -> the same of whatever age, with the cells
        that the order id was made of (job.Columns.ids_from), empty where unknown, and the kind of
        the event; `but`: not those made of these.
        """
        query = (
            f"SELECT a.order_id, a.batch_id, a.at_ns, CAST(coalesce(json_extract(e.data,"
            f" '{IDS_FROM_AT}'), '') AS TEXT) AS made_of, e.kind FROM asked AS a JOIN events AS e"
            " ON e.seq = a.seq WHERE a.job = ? AND a.terms BETWEEN ? AND ? AND made_of <> ?"
            " ORDER BY a.seq"
        )
        found = {}
        for some in dict.fromkeys(beginnings):
            rows = self._rows(query, self.job, some, f"{some}~", but)
            if rows:
                found[some] = rows
        return found

    def corrected(self, keys: Collection[str] | None = None) -> dict[str, list[str]]:
        """A row's place (plan.place_of), or its order (kinship.by_order) -> the ids of orders whose
        attempt came to correct that row, by any of the names that it went by then. Corrections are
        few: all of them are read.

        `keys`: only these places and orders.
        """
        query = (
            f"SELECT a.corrects, json_extract(e.data, '{SALE_AT}'), a.order_id FROM asked AS a"
            " JOIN events AS e ON e.seq = a.seq WHERE a.job = ? AND a.corrects <> '' ORDER BY a.seq"
        )
        pairs: dict[tuple[str, str], None] = {}
        with self._reads() as connection:
            for corrects, sale, order_id in connection.execute(query, (self.job,)):
                for key in (corrects, *texts_of(sale)):
                    if keys is None or key in keys:
                        pairs[key, order_id] = None
        return _grouped(pairs)

    def _asked(
        self, columns: str, column: str, wanted: Sequence[str], more: str = "", *values: Any
    ) -> list[Any]:
        """Rows of `asked` where one column has one of some values, oldest first within each."""
        found = []
        for some in _slices(wanted):
            query = (
                f"SELECT {columns} FROM asked WHERE job = ? AND {column} IN ({_places(some)})"
                f" {more} ORDER BY seq"
            )
            found += self._rows(query, self.job, *some, *values)
        return found

    def order_of_charge(self, charge_id: str) -> tuple[str, str, int] | None:
        """Job, order id and attempt of the first event, of any job in the file, that tells of a
        charge.
        """
        if not is_storable(charge_id):
            return None
        query = (
            f"SELECT job, order_id, attempt FROM events WHERE kind IN {CHARGED}"
            f" AND json_extract(data, '{CHARGE_ID_AT}') = ? ORDER BY seq LIMIT 1"
        )
        row = self._first(query, charge_id)
        if row:
            return (row[0], row[1], row[2])
        return None

    def batch_named(self, batch_id: str) -> str:
        """The id under which this journal knows the batch of the same digest, whatever the day;
        else the id itself.
        """
        return next(self._same_batches(batch_id), batch_id)

    def _same_batches(self, batch_id: str) -> Iterator[str]:
        """The ids that the batch of a digest goes by here."""
        return (known for known in self._batch_ids(self.job) if known[-12:] == batch_id[-12:])

    def _batch_ids(self, job: str) -> Iterator[str]:
        """Every batch that an event of the job tells of, one step of the index each."""
        query = "SELECT min(batch_id) FROM events WHERE job = ? AND batch_id <> '' AND batch_id > ?"
        known: str | None = ""
        while known is not None:
            known = self._first(query, job, known)[0]
            if known is not None:
                yield known

    def job_of_batch(self, batch_id: str) -> str:
        """The other job in the file that knows the batch of this digest; empty where none does."""
        tail = batch_id[-12:]
        for job in self._jobs():
            if job != self.job and any(known[-12:] == tail for known in self._batch_ids(job)):
                return job
        return ""

    def _jobs(self) -> Iterator[str]:
        """Every job that has a batch, one step of the index each."""
        query = "SELECT min(job) FROM events WHERE batch_id <> '' AND job > ?"
        job: str | None = ""
        while job is not None:
            job = self._first(query, job)[0]
            if job is not None:
                yield job

    def elsewhere(self, order_ids: Sequence[str]) -> dict[str, list[tuple[str, list[Event]]]]:
        """Order id -> other jobs in the same file, each with its events of that id, or of one that
        corrects it, oldest first.
        """
        asked = self._ids_elsewhere(order_ids)
        events: dict[str, dict[str, list[Event]]] = {}
        for job, event in self._of_other_jobs([one for ids in asked.values() for one in ids]):
            events.setdefault(event.order_id, {}).setdefault(job, []).append(event)
        found = {}
        for order_id, ids in asked.items():
            pairs = [pair for one in ids for pair in events.get(one, {}).items()]
            if pairs:
                found[order_id] = pairs
        return found

    def _ids_elsewhere(self, order_ids: Sequence[str]) -> dict[str, dict[str, None]]:
        """Order id -> the ids under which other jobs may have it: its own, and of corrections."""
        query = (
            f"SELECT a.order_id, json_extract(e.data, '{SALE_AT}') FROM asked AS a"
            " JOIN events AS e ON e.seq = a.seq WHERE a.job {} ? AND a.corrects <> ''"
        )
        before = self._rows(query.format("<"), self.job)
        after = self._rows(query.format(">"), self.job)
        wanted = {by_order(order_id): order_id for order_id in order_ids}
        asked: dict[str, dict[str, None]] = {order_id: {order_id: None} for order_id in order_ids}
        for correction, sale in (*before, *after):
            for key in wanted.keys() & set(texts_of(sale)):
                asked[wanted[key]][correction] = None
        return asked

    def _of_other_jobs(self, order_ids: Sequence[str]) -> Iterator[tuple[str, Event]]:
        """The events of other jobs in the file, for some order ids."""
        for some in _slices(list(dict.fromkeys(order_ids))):
            query = (
                f"SELECT job, {COLUMNS} FROM events WHERE order_id <> ''"
                f" AND order_id IN ({_places(some)}) AND job <> ? ORDER BY seq"
            )
            for job, *row in self._rows(query, *some, self.job):
                yield job, event_of(row)

    def id_of_row(self, job: str, batch_id: str, sheet: str, row: int) -> str:
        """The order id that this job's row of a file has which another job knows as this batch;
        empty where none.
        """
        tail = batch_id[-12:]
        mine = next((one for one in self.batches() if tail_of(job, one.sha256) == tail), None)
        if mine is None:
            return ""
        for number, of_sheet, first, last in self.spans(mine.id):
            if of_sheet != sheet or not first <= row <= last:
                continue
            chunk = self.chunk(mine.id, number)
            if chunk is not None and row in chunk.rows:
                document = chunk.documents[list(chunk.rows).index(row)]
                return str(document.get("order_id") or "")
        return ""

    def charges_known(self, since_ns: int) -> dict[str, str]:
        """Charge id -> `created_at` ("" when it was not told) of every charge that an answer, a
        look-up or an adoption of this job told of since then, by our wall clock (ns).
        """
        known: dict[str, str] = {}
        paths = (CHARGE_ID_AT, CHARGE_CREATED_AT)
        columns = [f"json_extract(data, '{path}')" for path in paths]
        for charge_id, created_at in self._since(since_ns, f"kind IN {SEEN}", columns):
            if charge_id is not None:
                known[charge_id] = known.get(charge_id) or created_at or ""
        return known

    def youngest_charge(self, since_ns: int) -> tuple[str, str] | None:
        """Charge id and `created_at` of the youngest of these, as the gateway told it."""
        found: tuple[str, str] | None = None
        until = self.head()[0]
        youngest_ns = since_ns
        while until > 0 and youngest_ns >= since_ns - DISORDER_NS:
            span = (until - PAGE, until)
            charge_id, created_at = self._first(_YOUNGEST, *span, self.job, since_ns)
            if created_at and charge_id and (found is None or created_at > found[1]):
                found = charge_id, created_at
            query = "SELECT coalesce(max(at_ns), 0) FROM events WHERE seq > ? AND seq <= ?"
            youngest_ns = self._first(query, *span)[0]
            until -= PAGE
        return found

    def uncharged_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts of which an answer, or a look-up, said since then that nothing was
        charged, by our wall clock (ns).
        """
        uncharged = (
            f"kind IN ('{Answered.kind}', '{Absent.kind}') AND json_extract(data, '{STATE_AT}') IN"
            f" ('{Outcome.REFUSED.value}', '{Outcome.HELD.value}')"
        )
        orders = self._since(since_ns, uncharged, ["order_id"])
        return list(dict.fromkeys(order_id for (order_id,) in orders if order_id is not None))

    def _since(self, since_ns: int, where: str, columns: Sequence[str]) -> Iterator[list[Any]]:
        """Columns of this job's events of one sort since then, youngest first; all None for others.

        It walks back over all events: times stand in the order of the commits but for DISORDER_NS.
        """
        wanted = ", ".join(f"CASE WHEN job = ? AND {where} THEN {one} END" for one in columns)
        query = (
            f"SELECT seq, at_ns, {wanted} FROM events WHERE seq < ? ORDER BY seq DESC LIMIT 2000"
        )
        jobs = [self.job] * len(columns)
        before = self.head()[0] + 1
        youngest = since_ns
        while before > 1 and youngest >= since_ns - DISORDER_NS:
            page = self._rows(query, *jobs, before)
            for _, at_ns, *values in page:
                if at_ns >= since_ns:
                    yield values
            if not page:
                return
            before = page[-1][0]
            youngest = max(at_ns for _, at_ns, *_ in page)

    def last_run_of(self, batch_id: str) -> str:
        """The last run that wrote about a batch more than where its rows stand; empty when none
        did.
        """
        query = (
            f"SELECT run_id FROM events WHERE job = ? AND batch_id = ? AND kind <>"
            f" '{TotalsCounted.kind}' AND run_id IN (SELECT run_id FROM events WHERE job = ?"
            f" AND kind = '{RunStarted.kind}' AND {RARE}) ORDER BY seq DESC LIMIT 1"
        )
        row = self._first(query, self.job, batch_id, self.job)
        if row:
            return str(row[0])
        return ""

    def done_in(self, run_id: str, after: int, before: int | None) -> Iterator[Done]:
        """What a run wrote about orders, between two numbers of events."""
        paths = (STATE_AT, CHARGE_AMOUNT_AT, CHARGE_CURRENCY_AT)
        told = ", ".join(f"json_extract(data, '{path}')" for path in paths)
        query = (
            f"SELECT kind, batch_id, order_id, attempt, send, {told} FROM events WHERE seq > ?"
            " AND seq <= ? AND seq < ? AND job = ? AND run_id = ? AND order_id <> '' ORDER BY seq"
        )
        if before is None:
            before = self.head()[0] + 1
        for start in range(after, before, PAGE):
            page = self._rows(query, start, start + PAGE, before, self.job, run_id)
            for kind, batch_id, order_id, attempt, send, state, amount, currency in page:
                yield Done(
                    kind,
                    batch_id,
                    order_id,
                    attempt,
                    send,
                    state or "",
                    amount or 0,
                    currency or "",
                )

    def adopted(self) -> list[tuple[str, str]]:
        """Batch id, as the charge told it, and order id of every charge that was adopted, oldest
        first.
        """
        query = (
            "SELECT batch_id, order_id FROM events INDEXED BY one_intent_a_send"
            f" WHERE job = ? AND kind IN {BEGUN} AND send = 0 ORDER BY seq"
        )
        return self._rows(query, self.job)

    def unplaced(self, batch_id: str) -> list[str]:
        """Order ids of adopted charges of a file that did not tell of which of its rows they are,
        whatever day their batch is of.
        """
        query = 'SELECT DISTINCT order_id FROM asked WHERE job = ? AND batch_id = ? AND "row" = 0'
        found = []
        for known in list(self._same_batches(batch_id)):
            found += self._column(query, self.job, known)
        return found

    def orders_of(self, batch_id: str) -> list[str]:
        """Order ids with an attempt that a row of this batch caused."""
        query = "SELECT DISTINCT order_id FROM asked WHERE job = ? AND batch_id = ?"
        return self._column(query, self.job, batch_id)

    def orders_since(self, at_ns: int) -> list[str]:
        """Order ids with any event since then."""
        query = (
            "SELECT DISTINCT order_id FROM events WHERE job = ? AND order_id <> '' AND at_ns >= ?"
            " ORDER BY order_id"
        )
        return self._column(query, self.job, at_ns)

    def begun(self) -> Iterator[tuple[str, int]]:
        """Order id and number of every attempt of this job that was ever sent, or adopted."""
        query = (
            "SELECT seq, order_id, attempt FROM asked WHERE job = ? AND seq > ?"
            f" ORDER BY seq LIMIT {PAGE}"
        )
        after = 0
        while page := self._rows(query, self.job, after):
            yield from ((order_id, attempt) for _, order_id, attempt in page)
            after = page[-1][0]

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet: in doubt, pending, unproven or never
        sent.
        """
        query = (
            "SELECT order_id FROM open_attempts WHERE job = ? AND state <> 'succeeded' ORDER BY"
            " order_id"
        )
        return self._column(query, self.job)

    def cancelled(self) -> list[Event]:
        """Every word of a person that an order without an attempt is never to be sent."""
        return list(self.events([OrderCancelled.kind]))

    def knows_orders(self) -> bool:
        """Did any order of this job ever have an attempt?"""
        query = "SELECT 1 FROM asked WHERE job = ? LIMIT 1"
        return self._first(query, self.job) is not None

    def _select(self, where: str, values: Sequence[Any], index: str = "") -> Iterator[Event]:
        """Pages by sequence number, so that nothing is held between them. `index`: the one to look
        in, where SQLite would rather walk over all events.
        """
        source = "events"
        if index:
            source = f"events INDEXED BY {index}"
        query = (
            f"SELECT {COLUMNS} FROM {source} WHERE {where} AND seq > ? ORDER BY seq LIMIT {PAGE}"
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

    # --- is it what was written?

    def verify(self) -> None:
        """Is all as it was written? Raises Damaged, or BrokenChain at the first event that does not
        fit.
        """
        with self._lock, self._translated(), self._doubted():
            soundness.verify(self._connection, self.path, schema())
            self._sure = _head(self._connection)
        self._old = 0

    def verify_new(self) -> None:
        """The same of all that was written since a run last kept how far it had come, and of every
        order that is not settled; what is older is held against the chain wherever it is read.
        """
        with self._lock, self._translated(), self._doubted():
            self._old = reread.verify_new(self._connection, self.path, schema())
            self._sure = _head(self._connection)

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

    def _prove(self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> None:
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
        except (soundness.Damaged, ValueError, TypeError, KeyError, sqlite3.DatabaseError):
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

    # --- the rows of a batch

    def stage(self, batch_id: str, chunks: Iterable[Judged]) -> str:
        """Keep the rows of a batch beside those planned before. Returns the generation, for
        `plan`.
        """
        generation = uuid.uuid4().hex
        digest = hashlib.sha256()
        for number, judged in enumerate(chunks):
            blob = pack(judged)
            cells = judged.chunk.cells()
            _add(digest, blob, cells)
            rows = judged.chunk.rows
            values = (
                self.job,
                batch_id,
                generation,
                number,
                judged.chunk.sheet,
                rows[0],
                rows[-1],
                blob,
                cells,
            )
            with self._lock, self._transaction():
                self._connection.execute(
                    "INSERT INTO row_chunks VALUES (?,?,?,?,?,?,?,?,?)", values
                )
        return f"{generation}:{digest.hexdigest()}"

    def plan(
        self,
        event: Event,
        batch: Batch,
        staged: str,
        repeats: Mapping[tuple[str, int], Repeat],
    ) -> None:
        """Make the staged rows the batch's rows. The same plan again leaves the journal as it is.

        `event`: when, and in which run.
        """
        planned = BatchPlanned.made(batch, staged, repeats)
        known = self._planned(batch.id)
        same = known is not None and known.says_the_same(planned)
        keep = planned
        if known is not None and same:
            keep = known
        with self._lock, self._transaction():
            if not same:
                self._insert([_of_batch(event, batch, planned)])
            self._connection.execute(
                "DELETE FROM row_chunks WHERE job = ? AND batch_id = ? AND generation <> ?",
                (self.job, batch.id, keep.generation),
            )

    def judge(self, event: Event, batch: Batch) -> None:
        """The rows of a batch stay as they are, and another decision was made about it as a
        whole.
        """
        planned = self._planned(batch.id)
        if planned is not None:
            self.append([_of_batch(event, batch, planned.judged_anew(batch))])

    def moved(self, batch_id: str) -> bool:
        """Did anything happen to a batch since its totals were last written down?"""
        query = "SELECT kind FROM events WHERE job = ? AND batch_id = ? ORDER BY seq DESC LIMIT 1"
        row = self._first(query, self.job, batch_id)
        return row is not None and row[0] != TotalsCounted.kind

    def changed(self, batch_id: str, after: int) -> bool:
        """Did anything happen to an order of a batch after an event?"""
        query = (
            "SELECT 1 FROM events WHERE job = ? AND batch_id = ? AND seq > ? AND order_id <> ''"
            " LIMIT 1"
        )
        return self._first(query, self.job, batch_id, after) is not None

    def happened(self, after: int, *, but: Collection[str]) -> bool:
        """Did anything happen after an event but what is of some kinds?"""
        part = ""
        if set(FREQUENT).issubset(but):
            part = f" AND {RARE}"
        query = (
            f"SELECT 1 FROM events WHERE job = ? AND seq > ?{part} AND kind NOT IN"
            f" ({_places(list(but))}) LIMIT 1"
        )
        return self._first(query, self.job, after, *but) is not None

    def open_places(self, batch_id: str) -> list[tuple[str, int]]:
        """Sheet and row of a batch's rows of which an attempt did not end yet, by their numbers."""
        query = (
            'SELECT a.sheet, a."row" FROM open_attempts AS o CROSS JOIN events AS e ON'
            " e.job = o.job AND e.order_id = o.order_id AND e.attempt = o.attempt CROSS JOIN asked"
            " AS a ON a.seq = e.seq WHERE o.job = ? AND o.state <> 'succeeded' AND a.batch_id = ?"
            f' AND e.kind IN {BEGUN} ORDER BY a.sheet, a."row"'
        )
        return self._rows(query, self.job, batch_id)

    def last_of_orders(self) -> int:
        """Number of the last event about an order of this job; 0 when there is none."""
        query = "SELECT seq FROM events WHERE job = ? AND order_id <> '' ORDER BY seq DESC LIMIT 1"
        row = self._first(query, self.job)
        if row:
            return int(row[0])
        return 0

    def batches(self) -> list[Batch]:
        """Every batch as last planned, by first receipt."""
        with self._translated():
            plans = told_in(self, BatchPlanned)
            latest = {event.batch_id: planned for event, planned in plans}
            return [planned.batch for planned in latest.values()]

    def repeats(self, batch_id: str) -> dict[tuple[str, int], Repeat]:
        """The rows of a batch that its own batch, or another of the same run, already asks for."""
        planned = self._planned(batch_id)
        if planned is None:
            return {}
        with self._translated():
            return planned.repeats

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk of a batch as last planned; `chunks` is what proves that all of them are as
        they were kept.
        """
        planned = self._planned(batch_id)
        if planned is None:
            return None
        row = self._first(_CHUNK, self.job, batch_id, planned.generation, number)
        if row:
            return unpack(*row)
        return None

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]:
        """Number, sheet, first and last row of each chunk of a batch as last planned, in the file's
        order.
        """
        planned = self._planned(batch_id)
        if planned is None:
            return []
        query = (
            "SELECT number, sheet, first_row, last_row FROM row_chunks "
            "WHERE job = ? AND batch_id = ? AND generation = ? ORDER BY number"
        )
        return self._rows(query, self.job, batch_id, planned.generation)

    def chunks(self, batch_id: str, staged: str = "") -> Iterator[StoredChunk]:
        """The rows of a batch as last planned, or as `stage` kept them just now.

        Raises InputOutput when they are not the ones that were kept.
        """
        generation, _, wanted = staged.partition(":")
        if not staged:
            planned = self._planned(batch_id)
            if planned is None:
                return
            generation = planned.generation
            wanted = planned.rows_sha256
        digest = hashlib.sha256()
        number = 0
        while True:
            with self._reads() as connection:
                key = (self.job, batch_id, generation, number)
                row = connection.execute(_CHUNK, key).fetchone()
                if not row:
                    break
                chunk = unpack(*row)
            _add(digest, row[2], row[3])
            yield chunk
            number += 1
        if digest.hexdigest() != wanted:
            raise InputOutput(
                f"{self.path}: the rows kept for batch {batch_id} are damaged; {RESTORE}"
            )

    def _planned(self, batch_id: str) -> BatchPlanned | None:
        query = (
            f"SELECT seq, data FROM events WHERE job = ? AND kind = '{BatchPlanned.kind}'"
            f" AND {RARE} AND batch_id = ? ORDER BY seq DESC LIMIT 1"
        )
        with self._reads() as connection:
            row = connection.execute(query, (self.job, batch_id)).fetchone()
            if not row:
                return None
            self._prove(connection, [row])
            return BatchPlanned.of_data(object_of(row[1]), batch_id)

    def close(self) -> None:
        """Write what waits, then let go of the file."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None
        if self._beside is not None:
            self._beside.close()
            self._beside = None
        self._connection.close()


class _Submission:
    __slots__ = ("done", "events", "loop")

    def __init__(
        self,
        events: Sequence[Event],
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[list[Event]],
    ) -> None:
        self.events = events
        self.loop = loop
        self.done = done


def _tell(group: list[_Submission], results: Sequence[list[Event] | BatchpayError]) -> None:
    """Tell the loop, in one wake-up, how its submissions ended."""

    def settle() -> None:
        for submission, result in zip(group, results, strict=True):
            if submission.done.done():
                continue
            if isinstance(result, BatchpayError):
                submission.done.set_exception(result)
            else:
                submission.done.set_result(result)

    # the run has failed and its loop is closed: what it handed over is written all the same
    with suppress(RuntimeError):
        group[0].loop.call_soon_threadsafe(settle)


def _head(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT seq, digest FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    if row:
        return (row[0], row[1])
    return (0, GENESIS)


def _of_batch(event: Event, batch: Batch, planned: BatchPlanned) -> Event:
    """`event`: when, and in which run."""
    return line(planned, event.at_ns, event.run_id, batch_id=batch.id)


def _add(digest: hashlib._Hash, blob: bytes, cells: bytes) -> None:
    """One more chunk of a batch's rows: what proves that all of them are as they were kept."""
    digest.update(hashlib.sha256(blob).digest() + hashlib.sha256(cells).digest())


def _listed(texts: Iterable[str]) -> str:
    """Texts as a query takes many of them; one that no journal can hold is nowhere in it."""
    return json.dumps(list(filter(is_storable, texts)))


def _places(values: Sequence[Any]) -> str:
    """So many values in a query."""
    return ",".join("?" * len(values))


def _slices(values: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """At most so many at a time, each once; a text that no journal can hold is nowhere in it."""
    once = dict.fromkeys(values)
    unique = [value for value in once if is_storable(value)]
    for start in range(0, len(unique), size):
        yield unique[start : start + size]


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _on_its_way(
    order_id: str,
    attempt: int,
    at_ns: int,
    adopted: int,
    settled_ns: int,
    chain: str,
    transfer: str,
    created_at: Any,
) -> OnItsWay:
    begun_ns = at_ns
    if adopted:
        begun_ns = created_ns(str(created_at or ""), settled_ns)
    return OnItsWay(order_id, attempt, begun_ns, chain, transfer)
