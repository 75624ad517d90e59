"""Is a journal what was written into it? Asked before a run sends anything, of all that decides what is sent.

pages           SQLite's own check: no page, no index says anything that the tables do not
chain           each event carries the digest of all before it
open attempts   the table that forbids a second payment is what the events add up to
rows            the kept rows of every batch are those that were planned
schema          tables, indexes and triggers are those of schema.sql

A bit that changes none of these stands where nobody reads.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchpay.errors import InputOutput
from batchpay.model import NO_MONEY, Outcome

GENESIS = "0" * 64
NO_MONEY_STATES = frozenset(outcome.value for outcome in NO_MONEY)
BESIDE = "beside"  # state of an order whose open attempt met a charge of another one: it is never sent again
_REMEDY = (
    "Nothing was sent. Restore the last good copy and run again: charges made since are found at the gateway and "
    "adopted."
)

Key = tuple[str, str]  # job and order id
_STATE = '"state":"'
_BESIDE = '{"beside":true'  # keys are sorted
_q = json.encoder.encode_basestring  # a text as JSON, quotes included
_sha256 = hashlib.sha256


class Damaged(InputOutput):
    """The journal's file does not hold what was written into it."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}: the journal was damaged or edited. {_REMEDY}")


class BrokenChain(Damaged):
    """The hash chain of the journal does not verify: an event was changed, lost or added outside batchpay."""

    def __init__(self, path: Path, seq: int) -> None:
        super().__init__(path, f"event {seq} does not fit the hash chain")


def chained(digest: str, line: Sequence[Any]) -> str:
    """SHA-256 over the digest before it and the line as a JSON array, spelled out: it is made for every event ever
    written each time a run begins, and `json.dumps` takes twice as long for the same bytes.
    """
    seq, job, kind, at_ns, run_id, batch_id, sheet, row, order_id, attempt, send, data = line[:12]
    text = (
        f"{digest}[{seq:d}, {_q(job)}, {_q(kind)}, {at_ns:d}, {_q(run_id)}, {_q(batch_id)}, {_q(sheet)}, {row:d}, "
        f"{_q(order_id)}, {attempt:d}, {send:d}, {_q(data)}]"
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
    _open_attempts(connection, path, _chain(connection, path))
    _rows(connection, path)
    _schema(connection, path, schema)


def _pages(connection: sqlite3.Connection, path: Path) -> None:
    ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if found != "ok":
        raise Damaged(path, f"SQLite's integrity check says {found!r}")


def _schema(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    fresh = sqlite3.connect(":memory:")
    try:
        fresh.executescript(schema)
        wanted = [(*names, _meant(sql)) for *names, sql in fresh.execute(query)]
    finally:
        fresh.close()
    for *names, sql in connection.execute(query):
        if (*names, _meant(sql)) not in wanted:
            raise Damaged(path, f"its {names[0]} {names[1]} is not the one that batchpay made")
        wanted.remove((*names, _meant(sql)))
    if wanted:
        raise Damaged(path, f"its {wanted[0][0]} {wanted[0][1]} is missing")


def _meant(sql: str | None) -> str:
    """A statement without its comments and its layout."""
    return " ".join(re.sub(r"--[^\n]*", "", sql or "").split())


@dataclass(slots=True)
class _Open:
    """What the events say of the table of open attempts (sqlite.SqliteJournal._guard), without holding every order.

    Most orders are settled: of those only a sum of hashes is kept, which the table must add up to as well.
    """

    unsettled: dict[Key, tuple[int, str]] = field(default_factory=dict)  # attempt and state
    closed: set[Key] = field(default_factory=set)
    later: dict[Key, int] = field(default_factory=dict)  # the attempt that is settled, where it is not the first
    settled: int = 0

    def follow(self, line: Sequence[Any]) -> None:
        """One more event of an order."""
        key, attempt, state = (line[1], line[8]), line[9], _state_of(line[11])
        if self.unsettled.get(key, (0, ""))[1] == BESIDE:
            return
        if line[2] == "adopted" and line[11].startswith(_BESIDE):
            if state not in NO_MONEY_STATES:
                self._block(key, attempt)
            return
        if line[2] == "adopted" or (line[2] == "intent" and line[10] == 1):
            self.closed.discard(key)
            self.unsettled[key] = attempt, Outcome.IN_DOUBT.value
        if not state or key in self.closed:
            return
        if key in self.unsettled:
            if self.unsettled[key][0] != attempt:
                return  # late evidence about an attempt before the open one
            del self.unsettled[key]
        elif self.later.get(key, 1) != attempt:
            return
        else:
            self.settled -= _mark(key, attempt)  # what is neither open nor closed took money
            self.later.pop(key, None)
        self._enter(key, attempt, state)

    def _block(self, key: Key, attempt: int) -> None:
        if key in self.unsettled:
            attempt = self.unsettled[key][0]
        elif key not in self.closed:  # then it is settled
            attempt = self.later.pop(key, 1)
            self.settled -= _mark(key, attempt)
        self.closed.discard(key)
        self.unsettled[key] = attempt, BESIDE

    def _enter(self, key: Key, attempt: int, state: str) -> None:
        if state == Outcome.SUCCEEDED:
            self.settled += _mark(key, attempt)
            if attempt != 1:
                self.later[key] = attempt
        elif state in NO_MONEY_STATES:
            self.closed.add(key)
        else:
            self.unsettled[key] = attempt, state


def _mark(key: Key, attempt: int) -> int:
    return hash((key, attempt))


def _state_of(data: str) -> str:
    """The state that an event keeps: the last key of that name, for keys are sorted and what nests stands before."""
    at = data.rfind(_STATE)
    return data[at + len(_STATE) : data.index('"', at + len(_STATE))] if at >= 0 else ""


def _chain(connection: sqlite3.Connection, path: Path) -> _Open:
    """Walk all events."""
    digest, expected, found = GENESIS, 1, _Open()
    query = (
        'SELECT seq, job, kind, at_ns, run_id, batch_id, sheet, "row", order_id, attempt, send, data, digest '
        "FROM events ORDER BY seq"
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
    return found


def _open_attempts(connection: sqlite3.Connection, path: Path, found: _Open) -> None:
    query = "SELECT job, order_id, attempt, state FROM open_attempts"
    settled = 0
    for job, order_id, attempt, state in connection.execute(query):
        if state == Outcome.SUCCEEDED:
            settled += _mark((job, order_id), attempt)
        elif found.unsettled.pop((job, order_id), None) != (attempt, state):
            raise Damaged(path, f"order {order_id} is not where its events put it")
    if found.unsettled or settled != found.settled:
        lost = next((order_id for _, order_id in found.unsettled), "an order")
        raise Damaged(path, f"{lost} is missing among those that have an attempt, or stands there wrongly")


def _rows(connection: sqlite3.Connection, path: Path) -> None:
    planned: dict[Key, dict[str, Any]] = {}
    for job, batch_id, data in connection.execute(
        "SELECT job, batch_id, data FROM events WHERE kind = 'batch.planned' ORDER BY seq"
    ):
        planned[job, batch_id] = json.loads(data)
    query = (
        "SELECT number, judged, cells FROM row_chunks WHERE job = ? AND batch_id = ? AND generation = ? ORDER BY number"
    )
    for (job, batch_id), plan in planned.items():
        digest = hashlib.sha256()
        for _, judged, cells in connection.execute(query, (job, batch_id, plan["generation"])):
            digest.update(hashlib.sha256(judged).digest() + hashlib.sha256(cells).digest())
        if digest.hexdigest() != plan["rows_sha256"]:
            raise Damaged(path, f"the rows kept for batch {batch_id} are not those that were planned")
