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
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from batchpay.domain.errors import BatchpayError, Bug, InputOutput, Taken
from batchpay.domain.model import (
    Batch,
    Done,
    Event,
    Judged,
    Problem,
    Read,
    Repeat,
    StoredChunk,
)
from batchpay.journals.attempts import keep_asked, keep_open
from batchpay.journals.guard import follow
from batchpay.journals.sqlite import soundness
from batchpay.journals.sqlite.migration import schema
from batchpay.journals.sqlite.opening import RESTORE, open_to_read, prepare, translated
from batchpay.journals.sqlite.opening import open_to_write as _open
from batchpay.journals.sqlite.soundness import GENESIS, chained
from batchpay.lifecycle.plan import by_order, tail_of

LOCKED_WAIT_S = 30.0  # how long another program may hold the file
DISORDER_NS = (
    3600 * 10**9
)  # events stand in the order of their commits: their times may be so far out of order
CHARGES_OF = "('answer', 'found', 'adopted', 'resolved')"  # kinds of event that tell of a charge
T = TypeVar("T")
_COLUMNS = 'seq, kind, at_ns, run_id, batch_id, sheet, "row", order_id, attempt, send, data, digest'


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
        self._lock = threading.RLock()
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
        self._waiting: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._last_seq = self.head()[0]

    # --- writing
    # ---------------------------------------------------------------------------------------------

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append, durably, all or none. Raises Taken, CannotWrite, InputOutput or TryLater."""
        with self._lock, self._transaction():
            return self._insert(events)

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same from the loop; what arrives together shares one commit."""
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_groups, name="journal", daemon=True)
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
                results = [self._insert(submission.events) for submission in group]
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
            yield
            self._connection.execute("COMMIT")
            self._durable(self._last_seq)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _insert(self, events: Sequence[Event]) -> list[Event]:
        seq, digest = self._head()
        stored = []
        for event in events:
            seq += 1
            try:
                digest = self._insert_one(event, seq, digest)
            except (
                ValueError,
                OverflowError,
                TypeError,
            ) as error:  # no disk and no damage: it is not the journal's
                raise Bug(
                    f"{self.path}: an event of kind {event.kind} cannot be written: {error!r}"
                ) from error
            stored.append(_stored(event, seq, digest))
        self._last_seq = seq
        return stored

    def _insert_one(self, event: Event, seq: int, digest: str) -> str:
        data = _data(event)
        digest = chained(digest, _line(seq, self.job, event, data))
        values = (
            seq,
            self.job,
            event.kind,
            event.at_ns,
            event.run_id,
            event.batch_id,
            event.sheet,
            event.row,
            event.order_id,
            event.attempt,
            event.send,
            data,
            digest,
        )
        if event.order_id:
            self._guard(event, seq)
        self._connection.execute(f"INSERT INTO events VALUES ({','.join('?' * 13)})", values)  # noqa: S608
        if event.order_id:
            keep_asked(self._connection, self.job, seq, event)
        return digest

    def _guard(self, event: Event, seq: int) -> None:
        """Keep the table of open attempts in step: entering twice is a conflict, not a second
        payment.
        """
        keep_open(self._connection, follow, self.job, seq, event)

    def _head(self) -> tuple[int, str]:
        row = self._connection.execute(
            "SELECT seq, digest FROM events ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        if row:
            return (row[0], row[1])
        return (0, GENESIS)

    # --- reading
    # ---------------------------------------------------------------------------------------------

    def head(self) -> tuple[int, str]:
        """Sequence number and digest of the last event of any job."""
        with self._lock, self._translated():
            return self._head()

    def digest_of(self, seq: int) -> str:
        """The digest of one event of any job; empty for one that is not there."""
        with self._lock, self._translated():
            row = self._connection.execute(
                "SELECT digest FROM events WHERE seq = ?", (seq,)
            ).fetchone()
        if row:
            return str(row[0])
        return ""

    def accounts(self) -> Iterator[Event]:
        """The `account` events of every job in the file, this job's last: it is one file's money,
        whoever wrote it.
        """
        of_kind = "kind = 'account' AND order_id = ''"
        return chain(
            self._select(f"{of_kind} AND job <> ?", (self.job,)),
            self._select(f"{of_kind} AND job = ?", (self.job,)),
        )

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """This job's events in order, or those of some kinds, after a sequence number."""
        wanted = tuple(kinds)
        if wanted:
            of_kinds = f" AND kind IN ({','.join('?' * len(wanted))})"
        else:
            of_kinds = ""
        return self._select(f"job = ? AND seq > ?{of_kinds}", (self.job, after, *wanted))

    def histories(self, order_ids: Sequence[str]) -> dict[str, list[Event]]:
        """The events of some orders, oldest first."""
        found: dict[str, list[Event]] = {}
        for some in _slices(order_ids):
            where = f"job = ? AND order_id <> '' AND order_id IN ({','.join('?' * len(some))})"
            for event in self._select(where, (self.job, *some)):
                found.setdefault(event.order_id, []).append(event)
        return found

    def owned(self, batch_id: str, sheet: str, first_row: int, last_row: int) -> dict[int, str]:
        """Row number -> order id for the rows of a batch that caused an intent."""
        query = (
            'SELECT "row", order_id FROM events WHERE job = ? AND batch_id = ? AND "row"'
            " BETWEEN ? AND ? AND sheet = ? AND kind IN ('intent', 'adopted') AND send <= 1"
        )
        with self._lock, self._translated():
            return dict(
                self._connection.execute(
                    query, (self.job, batch_id, first_row, last_row, sheet)
                ).fetchall()
            )

    def settled_rows(
        self, batch_id: str, sheet: str, first_row: int, last_row: int
    ) -> frozenset[int]:
        """The rows of a batch whose own attempt succeeded: whatever else is known, they are never
        sent again. Those of an adopted charge are not among them: it may be that they ask for other
        terms.
        """
        query = (
            'SELECT e."row" FROM events AS e JOIN open_attempts AS o ON o.job = e.job AND'
            " o.order_id = e.order_id AND o.attempt = e.attempt AND o.state = 'succeeded' WHERE"
            ' e.job = ? AND e.batch_id = ? AND e."row" BETWEEN ? AND ? AND e.sheet = ? AND e.kind'
            " IN ('intent', 'adopted') AND e.send <= 1 AND e.kind = 'intent'"
        )
        with self._lock, self._translated():
            rows = self._connection.execute(
                query, (self.job, batch_id, first_row, last_row, sheet)
            ).fetchall()
        return frozenset(row for (row,) in rows)

    def look_alikes(self, forms: Sequence[str]) -> dict[str, list[str]]:
        """Look-alike form of an order id (plan.alike) -> the ids of orders that were sent, or
        adopted, under that form, oldest first.
        """
        return _grouped(dict.fromkeys(self._asked("alike, order_id", "alike", forms)))

    def asked_terms(
        self, terms: Sequence[str], since_ns: int
    ) -> dict[str, list[tuple[str, str, int]]]:
        """Terms (plan.terms_of) -> order id, batch id and wall-clock time (ns) of every attempt
        that asked the same since then, oldest first.
        """
        rows = self._asked(
            "terms, order_id, batch_id, at_ns", "terms", terms, "AND at_ns >= ?", since_ns
        )
        return _grouped(
            (form, (order_id, batch_id, at_ns)) for form, order_id, batch_id, at_ns in rows
        )

    def asked_under(
        self, beginnings: Sequence[str], but: str
    ) -> dict[str, list[tuple[str, str, int, str, str]]]:
        """What terms begin with (plan.fitting_terms) -> the same of whatever age, with the cells
        that the order id was made of (job.Columns.ids_from), empty where unknown, and the kind of
        the event; `but`: not those made of these.
        """
        query = (
            "SELECT a.order_id, a.batch_id, a.at_ns, CAST(coalesce(json_extract(e.data,"
            " '$.intent.ids_from'), '') AS TEXT) AS made_of, e.kind FROM asked AS a JOIN events AS"
            " e ON e.seq = a.seq WHERE a.job = ? AND a.terms BETWEEN ? AND ? AND made_of <> ? ORDER"
            " BY a.seq"
        )
        with self._lock, self._translated():
            found = {
                some: self._connection.execute(query, (self.job, some, f"{some}~", but)).fetchall()
                for some in dict.fromkeys(beginnings)
            }
        return {some: rows for some, rows in found.items() if rows}

    def corrected(self, keys: Collection[str] | None = None) -> dict[str, list[str]]:
        """A row's place (plan.place_of), or its order (kinship.by_order) -> the ids of orders whose
        attempt came to correct that row, by any of the names that it went by then. Corrections are
        few: all of them are read.

        `keys`: only these places and orders.
        """
        query = (
            "SELECT a.corrects, json_extract(e.data, '$.intent.sale'), a.order_id FROM asked AS a"
            " JOIN events AS e ON e.seq = a.seq WHERE a.job = ? AND a.corrects <> '' ORDER BY a.seq"
        )
        with self._lock, self._translated():
            rows = self._connection.execute(query, (self.job,)).fetchall()
            pairs = [
                (key, order_id)
                for corrects, sale, order_id in rows
                for key in (corrects, *_texts(sale))
            ]
        return _grouped(dict.fromkeys(pair for pair in pairs if keys is None or pair[0] in keys))

    def _asked(
        self, columns: str, column: str, wanted: Sequence[str], more: str = "", *values: Any
    ) -> list[Any]:
        """Rows of `asked` where one column has one of some values, oldest first within each."""
        found = []
        for some in _slices(wanted):
            query = (
                f"SELECT {columns} FROM asked WHERE job = ? "  # noqa: S608 - our own words
                f"AND {column} IN ({','.join('?' * len(some))}) {more} ORDER BY seq"
            )
            with self._lock, self._translated():
                found += self._connection.execute(query, (self.job, *some, *values)).fetchall()
        return found

    def order_of_charge(self, charge_id: str) -> tuple[str, str, int] | None:
        """Job, order id and attempt of the first event, of any job in the file, that tells of a
        charge.
        """
        if not _storable(charge_id):
            return None
        query = (
            f"SELECT job, order_id, attempt FROM events WHERE kind IN {CHARGES_OF} "  # noqa: S608
            "AND json_extract(data, '$.charge.id') = ? ORDER BY seq LIMIT 1"
        )
        with self._lock, self._translated():
            row = self._connection.execute(query, (charge_id,)).fetchone()
        if row:
            return (row[0], row[1], row[2])
        return None

    def batch_named(self, batch_id: str) -> str:
        """The id under which this journal knows the batch of the same digest, whatever the day;
        else the id itself.
        """
        return next(
            (known for known in self._batch_ids() if known[-12:] == batch_id[-12:]), batch_id
        )

    def _batch_ids(self) -> Iterator[str]:
        """Every batch that an event tells of, one step of the index each."""
        query = "SELECT min(batch_id) FROM events WHERE job = ? AND batch_id <> '' AND batch_id > ?"
        known: str | None = ""
        while known is not None:
            with self._lock, self._translated():
                known = self._connection.execute(query, (self.job, known)).fetchone()[0]
            if known is not None:
                yield known

    def elsewhere(self, order_ids: Sequence[str]) -> dict[str, list[tuple[str, list[Event]]]]:
        """Order id -> other jobs in the same file, each with its events of that id, or of one that
        corrects it, oldest first.
        """
        wanted = {by_order(order_id): order_id for order_id in order_ids}
        query = (
            "SELECT a.job, a.order_id, json_extract(e.data, '$.intent.sale') FROM asked AS a JOIN"
            " events AS e ON e.seq = a.seq WHERE a.job {} ? AND a.corrects <> ''"
        )
        with self._lock, self._translated():
            before = self._connection.execute(query.format("<"), (self.job,)).fetchall()
            corrections = (
                before + self._connection.execute(query.format(">"), (self.job,)).fetchall()
            )
        asked = {
            order_id: {order_id: None} for order_id in order_ids
        }  # -> ids under which other jobs may have it
        for _, by, sale in corrections:
            for key in wanted.keys() & set(_texts(sale)):
                asked[wanted[key]][by] = None
        events: dict[str, dict[str, list[Event]]] = {}
        for job, event in self._of_other_jobs([one for ids in asked.values() for one in ids]):
            events.setdefault(event.order_id, {}).setdefault(job, []).append(event)
        found = {
            order_id: [pair for one in ids for pair in events.get(one, {}).items()]
            for order_id, ids in asked.items()
        }
        return {order_id: pairs for order_id, pairs in found.items() if pairs}

    def _of_other_jobs(self, order_ids: Sequence[str]) -> Iterator[tuple[str, Event]]:
        """The events of other jobs in the file, for some order ids."""
        for some in _slices(list(dict.fromkeys(order_ids))):
            query = (
                f"SELECT job, {_COLUMNS} FROM events WHERE order_id <> '' "  # noqa: S608
                f"AND order_id IN ({','.join('?' * len(some))}) AND job <> ? ORDER BY seq"
            )
            with self._lock, self._translated():
                rows = self._connection.execute(query, (*some, self.job)).fetchall()
            for job, *row in rows:
                yield job, _event(row)

    def id_of_row(self, job: str, batch_id: str, sheet: str, row: int) -> str:
        """The order id that this job's row of a file has which another job knows as this batch;
        empty where none.
        """
        tail = batch_id[-12:]
        mine = next((b for b in self.batches() if tail_of(job, b.sha256) == tail), None)
        for number, of_sheet, first, last in self.spans(mine.id) if mine is not None else ():
            if mine and of_sheet == sheet and first <= row <= last:
                chunk = self.chunk(mine.id, number)
            else:
                chunk = None
            if chunk is not None and row in chunk.rows:
                return str(chunk.documents[list(chunk.rows).index(row)].get("order_id") or "")
        return ""

    def charges_known(self, since_ns: int) -> dict[str, str]:
        """Charge id -> `created_at` ("" when it was not told) of every charge that an answer, a
        look-up or an adoption of this job told of since then, by our wall clock (ns).
        """
        known: dict[str, str] = {}
        wanted = "job = ? AND kind IN ('answer', 'found', 'adopted')"
        query = (
            "SELECT seq, at_ns, "  # noqa: S608
            f"CASE WHEN {wanted} THEN json_extract(data, '$.charge.id') END, "
            f"CASE WHEN {wanted} THEN json_extract(data, '$.charge.created_at') END "
            "FROM events WHERE seq < ? ORDER BY seq DESC LIMIT 2000"
        )
        before, youngest = self.head()[0] + 1, since_ns
        while before > 1 and youngest >= since_ns - DISORDER_NS:
            with self._lock, self._translated():
                page = self._connection.execute(query, (self.job, self.job, before)).fetchall()
            for _, at_ns, charge_id, created_at in page:
                if charge_id is not None and at_ns >= since_ns:
                    known[charge_id] = known.get(charge_id) or created_at or ""
            if page:
                before, youngest = (page[-1][0], max(row[1] for row in page))
            else:
                before, youngest = (0, 0)
        return known

    def refused_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts that an answer refused since then, by our wall clock (ns)."""
        refused = "job = ? AND kind = 'answer' AND json_extract(data, '$.state') = 'refused'"
        query = (
            f"SELECT seq, at_ns, CASE WHEN {refused} THEN order_id END FROM events "  # noqa: S608 - our own words
            "WHERE seq < ? ORDER BY seq DESC LIMIT 2000"
        )
        found: dict[str, None] = {}
        before, youngest = self.head()[0] + 1, since_ns
        while before > 1 and youngest >= since_ns - DISORDER_NS:
            with self._lock, self._translated():
                page = self._connection.execute(query, (self.job, before)).fetchall()
            found |= dict.fromkeys(
                order_id
                for _, at_ns, order_id in page
                if order_id is not None and at_ns >= since_ns
            )
            if page:
                before, youngest = (page[-1][0], max(row[1] for row in page))
            else:
                before, youngest = (0, 0)
        return list(found)

    def last_run_of(self, batch_id: str) -> str:
        """The last run that wrote about a batch more than where its rows stand; empty when none
        did.
        """
        query = (
            "SELECT run_id FROM events WHERE job = ? AND batch_id = ? AND kind <> 'totals' AND"
            " run_id IN (SELECT run_id FROM events WHERE job = ? AND kind = 'run.started' AND"
            " order_id = '') ORDER BY seq DESC LIMIT 1"
        )
        with self._lock, self._translated():
            row = self._connection.execute(query, (self.job, batch_id, self.job)).fetchone()
        return row[0] if row else ""

    def done_in(self, run_id: str, after: int, before: int | None) -> Iterator[Done]:
        """What a run wrote about orders, between two numbers of events."""
        columns = (
            "kind, batch_id, order_id, attempt, send, json_extract(data, '$.state'), "
            "json_extract(data, '$.charge.amount'), json_extract(data, '$.charge.currency')"
        )
        if before is None:
            last = self.head()[0] + 1
        else:
            last = before
        for start in range(after, last, 20000):
            query = (
                f"SELECT {columns} FROM events WHERE seq > ? AND seq <= ? AND seq < ? "  # noqa: S608 - our own words
                "AND job = ? AND run_id = ? AND order_id <> '' ORDER BY seq"
            )
            values = (start, start + 20000, last, self.job, run_id)
            with self._lock, self._translated():
                page = self._connection.execute(query, values).fetchall()
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
            "SELECT batch_id, order_id FROM events INDEXED BY one_intent_a_send "
            "WHERE job = ? AND kind IN ('intent', 'adopted') AND send = 0 ORDER BY seq"
        )
        with self._lock, self._translated():
            return self._connection.execute(query, (self.job,)).fetchall()

    def unplaced(self, batch_id: str) -> list[str]:
        """Order ids of adopted charges of a file that did not tell of which of its rows they are,
        whatever day their batch is of.
        """
        query = (
            'SELECT DISTINCT order_id FROM events WHERE job = ? AND batch_id = ? AND "row" = 0 '
            "AND kind IN ('intent', 'adopted') AND send <= 1"
        )
        same = [known for known in self._batch_ids() if known[-12:] == batch_id[-12:]]
        with self._lock, self._translated():
            return [
                row[0]
                for known in same
                for row in self._connection.execute(query, (self.job, known)).fetchall()
            ]

    def orders_of(self, batch_id: str) -> list[str]:
        """Order ids with an attempt that a row of this batch caused."""
        query = (
            "SELECT DISTINCT order_id FROM events WHERE job = ? AND batch_id = ? AND kind IN"
            " ('intent', 'adopted') AND send <= 1"
        )
        with self._lock, self._translated():
            return [
                row[0] for row in self._connection.execute(query, (self.job, batch_id)).fetchall()
            ]

    def orders_since(self, at_ns: int) -> list[str]:
        """Order ids with any event since then."""
        query = (
            "SELECT DISTINCT order_id FROM events WHERE job = ? AND order_id <> '' AND at_ns >= ?"
            " ORDER BY order_id"
        )
        with self._lock, self._translated():
            return [row[0] for row in self._connection.execute(query, (self.job, at_ns)).fetchall()]

    def begun(self) -> Iterator[tuple[str, int]]:
        """Order id and number of every attempt of this job that was ever sent, or adopted."""
        query = (
            "SELECT seq, order_id, attempt FROM asked WHERE job = ? AND seq > ? ORDER BY seq LIMIT"
            " 20000"
        )
        after, page = 0, [(0, "", 0)]
        while page:
            with self._lock, self._translated():
                page = self._connection.execute(query, (self.job, after)).fetchall()
            yield from ((order_id, attempt) for _, order_id, attempt in page)
            if page:
                after = page[-1][0]

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet: in doubt, pending, unproven or never
        sent.
        """
        query = (
            "SELECT order_id FROM open_attempts WHERE job = ? AND state <> 'succeeded' ORDER BY"
            " order_id"
        )
        with self._lock, self._translated():
            return [row[0] for row in self._connection.execute(query, (self.job,)).fetchall()]

    def cancelled(self) -> list[Event]:
        """Every word of a person that an order without an attempt is never to be sent."""
        return list(self._select("job = ? AND kind = 'cancelled'", (self.job,)))

    def knows_orders(self) -> bool:
        """Did any order of this job ever have an attempt?"""
        query = "SELECT 1 FROM asked WHERE job = ? LIMIT 1"
        with self._lock, self._translated():
            return self._connection.execute(query, (self.job,)).fetchone() is not None

    def _select(self, where: str, values: Sequence[Any]) -> Iterator[Event]:
        """Pages by sequence number, so that nothing is held between them."""
        after = 0
        while True:
            query = (
                f"SELECT {_COLUMNS} FROM events WHERE {where} AND seq > ? ORDER BY seq LIMIT 20000"  # noqa: S608
            )
            with self._lock, self._translated():
                page = [
                    _event(row)
                    for row in self._connection.execute(query, (*values, after)).fetchall()
                ]
            yield from page
            if len(page) < 20000:
                return
            after = page[-1].seq

    def verify(self) -> None:
        """Is all as it was written? Raises Damaged, or BrokenChain at the first event that does not
        fit.
        """
        with self._lock, self._translated():
            soundness.verify(self._connection, self.path, schema())

    # --- the rows of a batch
    # ---------------------------------------------------------------------------------

    def stage(self, batch_id: str, chunks: Iterable[Judged]) -> str:
        """Keep the rows of a batch beside those planned before. Returns the generation, for
        `plan`.
        """
        generation = uuid.uuid4().hex
        digest = hashlib.sha256()
        for number, judged in enumerate(chunks):
            blob, cells = _pack(judged), judged.chunk.cells()
            digest.update(hashlib.sha256(blob).digest() + hashlib.sha256(cells).digest())
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
        self, event: Event, batch: Batch, staged: str, repeats: Mapping[tuple[str, int], Repeat]
    ) -> None:
        """Make the staged rows the batch's rows. The same plan again leaves the journal as it
        is.
        """
        generation, _, digest = staged.partition(":")
        data = {
            "batch": asdict(batch),
            "rows_sha256": digest,
            "generation": generation,
            "repeats": [
                [sheet, row, *repeat.to_json()] for (sheet, row), repeat in repeats.items()
            ],
        }
        known = self._planned(batch.id)
        same = known is not None and {**known, "generation": generation} == json.loads(
            json.dumps(data)
        )
        if known is not None and same:
            keep = known["generation"]
        else:
            keep = generation
        with self._lock, self._transaction():
            if not same:
                self._insert([replace(event, kind="batch.planned", batch_id=batch.id, data=data)])
            self._connection.execute(
                "DELETE FROM row_chunks WHERE job = ? AND batch_id = ? AND generation <> ?",
                (self.job, batch.id, keep),
            )

    def judge(self, event: Event, batch: Batch) -> None:
        """The rows of a batch stay as they are, and another decision was made about it as a
        whole.
        """
        planned = self._planned(batch.id)
        if planned is not None:
            self.append(
                [
                    replace(
                        event,
                        kind="batch.planned",
                        batch_id=batch.id,
                        data=planned | {"batch": asdict(batch)},
                    )
                ]
            )

    def moved(self, batch_id: str) -> bool:
        """Did anything happen to a batch since its totals were last written down?"""
        query = "SELECT kind FROM events WHERE job = ? AND batch_id = ? ORDER BY seq DESC LIMIT 1"
        with self._lock, self._translated():
            row = self._connection.execute(query, (self.job, batch_id)).fetchone()
        return row is not None and row[0] != "totals"

    def changed(self, batch_id: str, after: int) -> bool:
        """Did anything happen to an order of a batch after an event?"""
        query = (
            "SELECT 1 FROM events WHERE job = ? AND batch_id = ? AND seq > ? AND order_id <> ''"
            " LIMIT 1"
        )
        with self._lock, self._translated():
            return (
                self._connection.execute(query, (self.job, batch_id, after)).fetchone() is not None
            )

    def last_of_orders(self) -> int:
        """Number of the last event about an order of this job; 0 when there is none."""
        query = "SELECT seq FROM events WHERE job = ? AND order_id <> '' ORDER BY seq DESC LIMIT 1"
        with self._lock, self._translated():
            row = self._connection.execute(query, (self.job,)).fetchone()
        return row[0] if row else 0

    def batches(self) -> list[Batch]:
        """Every batch as last planned, by first receipt."""
        with self._translated():
            latest = {
                event.batch_id: event.data["batch"] for event in self.events(["batch.planned"])
            }
            return [_batch(kept) for kept in latest.values()]

    def repeats(self, batch_id: str) -> dict[tuple[str, int], Repeat]:
        """The rows of a batch that its own batch, or another of the same run, already asks for."""
        planned = self._planned(batch_id)
        with self._translated():
            if planned:
                kept = planned["repeats"]
            else:
                kept = []
            return {(sheet, row): Repeat.from_json(rest) for sheet, row, *rest in kept}

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk of a batch as last planned; `chunks` is what proves that all of them are as
        they were kept.
        """
        planned = self._planned(batch_id)
        if planned is None:
            return None
        query = (
            "SELECT number, sheet, judged, cells FROM row_chunks "
            "WHERE job = ? AND batch_id = ? AND generation = ? AND number = ?"
        )
        with self._lock, self._translated():
            row = self._connection.execute(
                query, (self.job, batch_id, planned["generation"], number)
            ).fetchone()
        if row:
            return _unpack(*row)
        return None

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]:
        """Number, sheet, first and last row of each chunk of a batch as last planned, in the file's
        order.
        """
        planned = self._planned(batch_id)
        query = (
            "SELECT number, sheet, first_row, last_row FROM row_chunks "
            "WHERE job = ? AND batch_id = ? AND generation = ? ORDER BY number"
        )
        with self._lock, self._translated():
            if planned:
                key = (self.job, batch_id, planned["generation"])
            else:
                key = ("", "", "")
            return self._connection.execute(query, key).fetchall()

    def chunks(self, batch_id: str, staged: str = "") -> Iterator[StoredChunk]:
        """The rows of a batch as last planned, or as `stage` kept them just now.

        Raises InputOutput when they are not the ones that were kept.
        """
        if staged:
            planned = None
        else:
            planned = self._planned(batch_id)
        if planned is None and not staged:
            return
        generation, _, wanted = staged.partition(":")
        if planned is not None:
            generation, wanted = planned["generation"], planned["rows_sha256"]
        digest, number = hashlib.sha256(), 0
        query = (
            "SELECT number, sheet, judged, cells FROM row_chunks "
            "WHERE job = ? AND batch_id = ? AND generation = ? AND number = ?"
        )
        while True:
            with self._lock, self._translated():
                key = (self.job, batch_id, generation, number)
                row = self._connection.execute(query, key).fetchone()
                if row:
                    chunk = _unpack(*row)
                else:
                    chunk = None
            if chunk is None:
                break
            digest.update(hashlib.sha256(row[2]).digest() + hashlib.sha256(row[3]).digest())
            yield chunk
            number += 1
        if digest.hexdigest() != wanted:
            raise InputOutput(
                f"{self.path}: the rows kept for batch {batch_id} are damaged; {RESTORE}"
            )

    def _planned(self, batch_id: str) -> dict[str, Any] | None:
        query = (
            "SELECT data FROM events WHERE job = ? AND kind = 'batch.planned' AND order_id = '' AND"
            " batch_id = ? ORDER BY seq DESC LIMIT 1"
        )
        with self._lock, self._translated():
            row = self._connection.execute(query, (self.job, batch_id)).fetchone()
            if row:
                planned = _object(row[0])
            else:
                planned = None
            if (
                planned is not None
                and not {"batch", "generation", "rows_sha256", "repeats"} <= planned.keys()
            ):
                raise ValueError(f"batch {batch_id} lacks a part of its plan")
            return planned

    def close(self) -> None:
        """Write what waits, then let go of the file."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None
        self._connection.close()


class _Submission:
    __slots__ = ("done", "events", "loop")

    def __init__(
        self,
        events: Sequence[Event],
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[list[Event]],
    ) -> None:
        self.events, self.loop, self.done = events, loop, done


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

    with suppress(
        RuntimeError
    ):  # the run has failed and its loop is closed: what it handed over is written all the same
        group[0].loop.call_soon_threadsafe(settle)


# --- lines
# -------------------------------------------------------------------------------------------------


def _line(seq: int, job: str, event: Event, data: str) -> list[Any]:
    return [
        seq,
        job,
        event.kind,
        event.at_ns,
        event.run_id,
        event.batch_id,
        event.sheet,
        event.row,
        event.order_id,
        event.attempt,
        event.send,
        data,
    ]


_DATA = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_ESCAPED = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _data(event: Event) -> str:
    """What an event keeps, as JSON; half a surrogate pair, which is no text for SQLite, stays an
    escape.
    """
    data = _DATA.encode(event.data)
    if _storable(data):
        return data
    return _ESCAPED.encode(event.data)


def _storable(text: str) -> bool:
    """Can SQLite hold it?"""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _stored(event: Event, seq: int, digest: str) -> Event:
    """The event with its place in the chain; `dataclasses.replace` takes four times as long."""
    return Event(
        event.kind,
        event.at_ns,
        event.run_id,
        event.batch_id,
        event.sheet,
        event.row,
        event.order_id,
        event.attempt,
        event.send,
        event.data,
        seq,
        digest,
    )


def _object(data: str) -> dict[str, Any]:
    kept = json.loads(data)
    if not isinstance(kept, dict):
        raise ValueError("what an event keeps is no JSON object")
    return kept


def _texts(data: str | None) -> list[str]:
    if data:
        kept = json.loads(data)
    else:
        kept = []
    if isinstance(kept, list):
        return [text for text in kept if isinstance(text, str)]
    return []


def _event(row: Sequence[Any]) -> Event:
    seq, kind, at_ns, run_id, batch_id, sheet, number, order_id, attempt, send, data, digest = row
    if type(at_ns) is not int:
        raise TypeError(f"event {seq} has no time")
    return Event(
        kind,
        at_ns,
        run_id,
        batch_id,
        sheet,
        number,
        order_id,
        attempt,
        send,
        _object(data),
        seq,
        digest,
    )


def _slices(values: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """At most so many at a time, each once; a text that no journal can hold is nowhere in it."""
    unique = [value for value in dict.fromkeys(values) if _storable(value)]
    for start in range(0, len(unique), size):
        yield unique[start : start + size]


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _pack(judged: Judged) -> bytes:
    """Row numbers, documents, problems, come-backs and, where there are any, corrected places and
    earlier order ids, by position.
    """
    problems = {
        str(at): [problem.to_json() for problem in found] for at, found in judged.problems.items()
    }
    kept: list[Any] = [list(judged.chunk.rows), judged.documents, problems, sorted(judged.comeback)]
    if (
        judged.corrects or judged.earlier
    ):  # without them the bytes, and so a plan's digest, are those of version 1
        kept.append({str(at): place for at, place in sorted(judged.corrects.items())})
    if judged.earlier:
        kept.append({str(at): ids for at, ids in sorted(judged.earlier.items())})
    return zlib.compress(
        json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        ),
        1,
    )


def _unpack(number: int, sheet: str, judged: bytes, cells: bytes) -> StoredChunk:
    kept = json.loads(zlib.decompress(judged).decode("utf-8", "surrogatepass"))
    rows, documents, problems, comeback = kept[:4]
    if len(kept) > 4:
        corrects = kept[4]
    else:
        corrects = {}
    if len(kept) > 5:
        earlier = kept[5]
    else:
        earlier = {}
    return StoredChunk(
        number=number,
        sheet=sheet,
        rows=rows,
        documents=documents,
        problems={int(at): tuple(map(Problem.from_json, found)) for at, found in problems.items()},
        comeback=frozenset(comeback),
        cells=cells,
        corrects={int(at): place for at, place in corrects.items()},
        earlier={int(at): tuple(ids) for at, ids in earlier.items()},
    )


def _batch(kept: Mapping[str, Any]) -> Batch:
    lists = {
        name: tuple(kept.get(name, ()))
        for name in ("columns", "unused", "metadata", "notes", "sample")
    }
    read = tuple(Read(**one) for one in kept.get("read", ()))
    return Batch(**{**kept, **lists, "read": read})
