"""Is a journal what was written into it? Asked before a run sends anything, of all that decides
what is sent.

pages           SQLite's own check: no page, no index says anything that the tables do not
chain           each event carries the digest of all before it
open attempts   the table that forbids a second payment is what the events add up to
asked           the table by which orders are held against each other is what they asked
came to         the table from which reports show what came of them is what their events add up to
rows            the kept rows of every batch are those that were planned
schema          tables, indexes and triggers are those of schema.sql

A bit that changes none of these stands where nobody reads.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from batchpay.domain.errors import InputOutput
from batchpay.domain.events import (
    STATE_TEXT,
    BatchPlanned,
    Intended,
    begins,
    is_beside,
    state_in,
)
from batchpay.domain.model import Event, Outcome
from batchpay.journals.asked import COLUMNS as ASKED
from batchpay.journals.asked import Asked, asked
from batchpay.journals.attempts import LAST
from batchpay.journals.came_to import COLUMNS as CAME_TO
from batchpay.journals.came_to import CameTo, came_in_all, came_plainly
from batchpay.journals.guard import Open, replay
from batchpay.journals.sqlite import many
from batchpay.journals.sqlite.lines import COLUMNS, event_of
from batchpay.journals.sqlite.packed import WHOLE
from batchpay.journals.sqlite.stencils import DIGEST, RUN

GENESIS = "0" * 64
PAGE = 5_000  # events that are held against what follows from them at a time
AT_ONCE = 500  # orders of which all events are read at a time
_REMEDY = (
    "Nothing is sent from it. Keep a copy of it as it is, find out who or what changed it, then"
    " restore the last good copy and run again: charges made since are found at the gateway and"
    " adopted."
)

Key = tuple[str, str]  # job and order id
# the state, and nothing that nests behind it: the one brace that closes is that of the whole
_STATE_LAST = re.compile(
    STATE_TEXT + r'"([a-z_]*)"(?:,"\w+":(?:"[^"\\]*"|[^",{}\[\]\\]+))*\}'
)
_number_of = attrgetter("seq")
_q = json.encoder.encode_basestring  # a text as JSON, quotes included
_sha256 = hashlib.sha256


class Damaged(InputOutput):
    """The journal's file does not hold what was written into it."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"{path}: {what}: the journal was damaged or edited. {_REMEDY}"
        )


class BrokenChain(Damaged):
    """The hash chain of the journal does not verify: an event was changed, lost or added outside
    batchpay.
    """

    def __init__(self, path: Path, seq: int) -> None:
        super().__init__(path, f"event {seq} does not fit the hash chain")


def chained(digest: str, line: Sequence[Any]) -> str:
    """SHA-256 over the digest before it and the line as a JSON array, spelled out: it is made for
    every event ever written each time a run begins, and `json.dumps` takes twice as long for the
    same bytes.
    """
    (
        seq,
        job,
        kind,
        at_ns,
        run_id,
        batch_id,
        sheet,
        row,
        order_id,
        attempt,
        send,
        data,
    ) = line[:12]
    text = (
        f"{digest}[{seq:d}, {_q(job)}, {_q(kind)}, {at_ns:d}, {_q(run_id)}, {_q(batch_id)},"
        f" {_q(sheet)}, {row:d}, {_q(order_id)}, {attempt:d}, {send:d}, {_q(data)}]"
    )
    return _sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def statements(script: str) -> Iterator[str]:
    """The statements of a SQL script, one by one."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def verify(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    """Raises Damaged, or BrokenChain at the first event that does not fit."""
    _pages(connection, path)
    found = _chain(connection, path)
    _open_attempts(connection, path, found)
    _asked(connection, path, found)
    _no_more_came_to(connection, path)
    _rows(connection, path)
    verify_schema(connection, path, schema)


def _pages(connection: sqlite3.Connection, path: Path) -> None:
    ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if found != "ok":
        raise Damaged(path, f"SQLite's integrity check says {found!r}")


_MADE = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def verify_schema(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    """Tables, indexes and triggers are those of the schema. Raises Damaged."""
    wanted = list(_made_by(schema))
    for *names, sql in connection.execute(_MADE):
        if (*names, _meant(sql)) not in wanted:
            raise Damaged(
                path, f"its {names[0]} {names[1]} is not the one that batchpay made"
            )
        wanted.remove((*names, _meant(sql)))
    if wanted:
        raise Damaged(path, f"its {wanted[0][0]} {wanted[0][1]} is missing")


@lru_cache(maxsize=4)
def _made_by(schema: str) -> tuple[tuple[str, ...], ...]:
    """What a new file of this schema holds."""
    fresh = sqlite3.connect(":memory:")
    try:
        fresh.executescript(schema)
        return tuple((*names, _meant(sql)) for *names, sql in fresh.execute(_MADE))
    finally:
        fresh.close()


@lru_cache(maxsize=256)
def _meant(sql: str | None) -> str:
    """A statement without its comments and its layout."""
    return " ".join(re.sub(r"--[^\n]*", "", sql or "").split())


@dataclass(slots=True)
class _Derived:
    """What the events say of the tables that follow from them (attempts.py), without holding every
    order.

    Most orders are settled: of those only a sum of hashes is kept, which the table must add up to
    as well.
    """

    connection: sqlite3.Connection
    unsettled: dict[Key, Open] = field(default_factory=dict)
    closed: set[Key] = field(default_factory=set)  # began, and nothing is open
    # the attempt that is settled, where it is not the first
    later: dict[Key, int] = field(default_factory=dict)
    settled: int = 0
    asked: int = 0

    def follow(self, line: Sequence[Any]) -> None:
        """One more event of an order."""
        seq, job, kind, _, _, _, _, _, order_id, attempt, send, text = line[:12]
        key = (job, order_id)
        state = ""
        beside = False
        if begins(kind, send):
            data = json.loads(text)
            state = state_in(data)
            beside = is_beside(data)
            self.asked += hash(asked_in_line(line, data))
        elif kind != Intended.kind:
            state = state_of_text(text)
        fresh = kind == Intended.kind and attempt == send == 1
        now = self._now(key, seq, fresh=fresh)
        then = replay(
            now, kind, attempt, send, state, beside, lambda: self._last(key, seq)
        )
        if then != now:
            self._leave(key, now)
            self._enter(key, then)
        elif now is None and begins(kind, send):
            self.closed.add(key)

    def _now(self, key: Key, seq: int, *, fresh: bool) -> Open | None:
        if key in self.unsettled:
            return self.unsettled[key]
        if fresh or key in self.closed or not self._last(key, seq):
            return None
        # what is neither open nor closed took money
        return Open(self.later.get(key, 1), Outcome.SUCCEEDED.value)

    def _last(self, key: Key, seq: int) -> int:
        return self.connection.execute(LAST, (*key, seq)).fetchone()[0] or 0

    def _leave(self, key: Key, now: Open | None) -> None:
        self.closed.discard(key)
        if now is not None and self.unsettled.pop(key, None) is None:
            self.settled -= _mark(key, now.attempt)
            self.later.pop(key, None)

    def _enter(self, key: Key, then: Open | None) -> None:
        if then is None:
            self.closed.add(key)
        elif then.state != Outcome.SUCCEEDED:
            self.unsettled[key] = then
        else:
            self.settled += _mark(key, then.attempt)
            if then.attempt != 1:
                self.later[key] = then.attempt


def asked_in_line(line: Sequence[Any], data: Mapping[str, Any]) -> Asked:
    """What an attempt asked for that begins by a line."""
    seq, job, kind, at_ns, run_id, batch_id, sheet, row, order_id, attempt = line[:10]
    return asked(
        seq, job, kind, at_ns, run_id, batch_id, sheet, row, order_id, attempt, data
    )


def _mark(key: Key, attempt: int) -> int:
    return hash((key, attempt))


def state_of_text(data: str) -> str:
    """The state that an event keeps: its last key of that name, unless that is one of something
    nested.
    """
    at = data.rfind(STATE_TEXT)
    if at < 0:
        return ""
    found = _STATE_LAST.fullmatch(data, at)
    if found:
        return found[1]
    return state_in(json.loads(data))


def _chain(connection: sqlite3.Connection, path: Path) -> _Derived:
    """Walk all events."""
    digest = GENESIS
    expected = 1
    of_orders: list[Sequence[Any]] = []
    found = _Derived(connection)
    query = (
        f"SELECT seq, job, kind, at_ns, {RUN}, batch_id, sheet,"  # noqa: S608 - our own words
        f' "row", order_id, attempt, send, {WHOLE}, {DIGEST} FROM events ORDER BY seq'
    )
    for line in connection.execute(query):
        try:
            digest = chained(digest, line)
        except (TypeError, ValueError):  # a column holds what no event ever held
            raise BrokenChain(path, expected) from None
        if line[0] != expected or digest != line[12]:
            raise BrokenChain(path, line[0])
        expected += 1
        if line[8]:
            found.follow(line)
            of_orders.append(line)
        if len(of_orders) == PAGE:
            verify_came_to(connection, path, of_orders)
            of_orders = []
    verify_came_to(connection, path, of_orders)
    return found


def _open_attempts(connection: sqlite3.Connection, path: Path, found: _Derived) -> None:
    query = "SELECT job, order_id, attempt, state FROM open_attempts"
    settled = 0
    for job, order_id, attempt, state in connection.execute(query):
        if state == Outcome.SUCCEEDED:
            settled += _mark((job, order_id), attempt)
        elif found.unsettled.pop((job, order_id), None) != (attempt, state):
            raise Damaged(path, f"order {order_id} is not where its events put it")
    if found.unsettled or settled != found.settled:
        lost = next((order_id for _, order_id in found.unsettled), "an order")
        raise Damaged(
            path,
            f"{lost} is missing among those that have an attempt, or stands there wrongly",
        )


def _asked(connection: sqlite3.Connection, path: Path, found: _Derived) -> None:
    query = f"SELECT {ASKED} FROM asked"  # noqa: S608 - our own words
    total = 0
    for row in connection.execute(query):
        total += hash(row)
    if total != found.asked:
        raise Damaged(
            path,
            "what orders asked for, by which they are held against each other, is not what they"
            " asked",
        )


def verify_came_to(
    connection: sqlite3.Connection, path: Path, lines: Iterable[Sequence[Any]]
) -> None:
    """What is kept of what came of the attempts that some lines, in their order, are about is what
    their events add up to. Raises Damaged.

    An order that was sent once and answered as it should is known by these two lines; of any other,
    and where they say something else, all of its events are read.
    """
    orders: dict[Key, list[Sequence[Any]]] = {}
    for line in lines:
        orders.setdefault((line[1], line[8]), []).append(line)
    plain: dict[int, tuple[Key, CameTo | None]] = {}
    others: list[Key] = []
    for key, some in orders.items():
        if _is_first_line(some[0]) and len(some) <= 2:
            events = list(map(_event_in, some))
            came = came_plainly([(1, events[0].seq)], events[1:])
            if came is not None or len(events) == 1:
                plain[events[0].seq] = (key, came)
                continue
        others.append(key)
    query = f"SELECT {CAME_TO} FROM came_to WHERE seq IN (*)"  # noqa: S608 - our own words
    rows = many.those_of(connection, query, (), list(plain))
    kept = {row[0]: CameTo(*row) for row in rows}
    for seq, (key, came) in plain.items():
        if kept.get(seq) != came:
            others.append(key)
    _hold_came_to(connection, path, others)


def verify_came_to_again(
    connection: sqlite3.Connection,
    path: Path,
    lines: Iterable[Sequence[Any]],
    begun: Collection[int],
    span: tuple[int, int],
) -> None:
    """The same for a part of what is older, which is read whole, part by part: of the attempts that
    began behind an event and up to another, and nothing is kept there of anything else. Of their
    orders all events are read, so that what came later is held there, and once.
    """
    lines = list(lines)
    near: dict[Key, list[Event]] = {}
    for line in lines:
        if line[0] in begun:
            near[line[1], line[8]] = []
    for line in lines:
        if (line[1], line[8]) in near:
            near[line[1], line[8]].append(_event_in(line))
    _hold_came_to(connection, path, list(near), near, span)
    query = "SELECT seq FROM came_to WHERE seq > ? AND seq <= ?"
    for (seq,) in connection.execute(query, span):
        if seq not in begun:
            raise _came_of_nothing(path, seq)


def _came_of_nothing(path: Path, seq: int) -> Damaged:
    return Damaged(path, f"what is said to have come of event {seq} came of nothing")


def _is_first_line(line: Sequence[Any]) -> bool:
    """Is it the first thing that is known of an order?"""
    return bool(line[2] == Intended.kind and line[9] == line[10] == 1)


def _event_in(line: Sequence[Any]) -> Event:
    return event_of((*line[:1], *line[2:13]))


def _hold_came_to(
    connection: sqlite3.Connection,
    path: Path,
    keys: Sequence[Key],
    near: Mapping[Key, Sequence[Event]] = MappingProxyType({}),
    span: tuple[int, int] = (0, 0),
) -> None:
    """The same for orders of which all events are read, but for those behind one and up to another
    (`span`), which were read just now (`near`).
    """
    for job in dict.fromkeys(job for job, _ in keys):
        orders = [order_id for one, order_id in keys if one == job]
        for at in range(0, len(orders), AT_ONCE):
            histories = {
                one: [*near.get((job, one), ())] for one in orders[at : at + AT_ONCE]
            }
            _hold_some_came_to(connection, path, job, histories, span)


def _hold_some_came_to(
    connection: sqlite3.Connection,
    path: Path,
    job: str,
    histories: Mapping[str, list[Event]],
    span: tuple[int, int],
) -> None:
    orders = list(histories)
    of_some = "FROM events WHERE job = ? AND order_id <> '' AND order_id IN (*)"
    elsewhere = of_some.replace("job = ?", "job = ? AND NOT (seq > ? AND seq <= ?)")
    query = f"SELECT {COLUMNS} {elsewhere} ORDER BY seq"
    for row in many.those_of(connection, query, [job, *span], orders):
        event = event_of(row)
        histories[event.order_id].append(event)
    of_event = {}
    for order_id, events in histories.items():
        events.sort(key=_number_of)
        of_event.update(dict.fromkeys(map(_number_of, events), order_id))
    query = (
        f"SELECT {CAME_TO} FROM came_to WHERE seq IN (SELECT seq {of_some})"  # noqa: S608
        " ORDER BY seq"
    )
    kept: dict[str, list[CameTo]] = {order_id: [] for order_id in orders}
    for row in many.those_of(connection, query, [job], orders):
        kept[of_event[row[0]]].append(CameTo(*row))
    for order_id, events in histories.items():
        if kept[order_id] != sorted(came_in_all(events)):
            raise Damaged(
                path, f"what came of order {order_id} is not what its events say"
            )


def _no_more_came_to(connection: sqlite3.Connection, path: Path) -> None:
    query = (
        "SELECT seq FROM came_to AS c WHERE NOT EXISTS (SELECT 1 FROM asked AS a WHERE a.seq ="
        " c.seq) LIMIT 1"
    )
    row = connection.execute(query).fetchone()
    if row:
        raise _came_of_nothing(path, row[0])


def _rows(connection: sqlite3.Connection, path: Path) -> None:
    planned: dict[Key, BatchPlanned] = {}
    plans = "SELECT job, batch_id, data FROM events WHERE kind = ? ORDER BY seq"
    for job, batch_id, data in connection.execute(plans, (BatchPlanned.kind,)):
        planned[job, batch_id] = BatchPlanned.of_data(json.loads(data), batch_id)
    for key, plan in planned.items():
        verify_rows_of(connection, path, key, plan)


def verify_rows_of(
    connection: sqlite3.Connection,
    path: Path,
    key: Key,
    plan: BatchPlanned,
) -> None:
    """The kept rows of a batch are those that were planned. `key`: job and batch. Raises
    Damaged.
    """
    query = (
        "SELECT number, judged, cells FROM row_chunks WHERE job = ? AND batch_id = ? AND generation"
        " = ? ORDER BY number"
    )
    digest = hashlib.sha256()
    for _, judged, cells in connection.execute(query, (*key, plan.generation)):
        digest.update(hashlib.sha256(judged).digest() + hashlib.sha256(cells).digest())
    if digest.hexdigest() != plan.rows_sha256:
        raise Damaged(
            path, f"the rows kept for batch {key[1]} are not those that were planned"
        )
