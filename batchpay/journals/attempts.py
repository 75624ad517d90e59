"""The tables that follow from the events of an order: `open_attempts` (law L3, guard.py), `asked`
(asked.py) and `came_to` (came_to.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from batchpay.domain.errors import Taken
from batchpay.domain.events import BEGINNINGS, begins, is_beside, state_in
from batchpay.domain.model import Event
from batchpay.journals.asked import Asked, asked
from batchpay.journals.came_to import CameTo, came_of, came_plainly, is_first_send
from batchpay.journals.guard import Last, Open
from batchpay.journals.sqlite import many
from batchpay.journals.sqlite.lines import COLUMNS, event_of

Rule = Callable[[Open | None, str, int, int, str, bool, Last], Open | None]
"""guard.follow for an event that is to be written, guard.replay for one that stands in the journal
already.
"""

LAST = (  # a tuple of texts reads in SQL as it does here
    "SELECT max(attempt) FROM events WHERE job = ? AND order_id = ?"  # noqa: S608 - our own words
    f" AND kind IN {BEGINNINGS} AND seq < ?"
)
_LAST_OF = (
    "SELECT order_id, max(attempt) FROM events WHERE job = ?"  # noqa: S608 - our own words
    f" AND seq < ? AND kind IN {BEGINNINGS} AND order_id IN (*) GROUP BY order_id"
)
# one row, whatever it finds: the interpreter's lock is let go for each
_OPEN_OF = (
    "SELECT json_group_array(json_array(order_id, attempt, state)) FROM open_attempts"
    " WHERE job = ? AND order_id IN (*)"
)
_DELETE = "DELETE FROM open_attempts WHERE job = ? AND order_id IN (*)"


Row = tuple[str, str, int, str]
"""Of `open_attempts`: job, order id, attempt, state."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows of `open_attempts` that came, and that went."""

    came: Sequence[Row] = ()
    went: Sequence[Row] = ()


def keep_open(
    connection: sqlite3.Connection,
    rule: Rule,
    job: str,
    events: Sequence[Event],
) -> Changed:
    """Bring the rows of their orders in step with the next events of a job, by their numbers, all
    at once; returns what that changed. Raises Taken, by the rule, before anything is changed.
    """
    if not events:
        return Changed()
    orders = list(dict.fromkeys(event.order_id for event in events))
    before = {}
    for (found,) in many.those_of(connection, _OPEN_OF, [job], orders):
        for order_id, attempt, state in json.loads(found):
            before[order_id] = Open(attempt, state)
    now: dict[str, Open | None] = {**before}
    begun = _Begun(connection, job, events[0].seq, orders)
    for event in events:
        order_id = event.order_id
        try:
            now[order_id] = rule(
                now.get(order_id),
                event.kind,
                event.attempt,
                event.send,
                state_in(event.data),
                is_beside(event.data),
                partial(begun.last, order_id),
            )
        except Taken as error:
            raise Taken(f"order {order_id}: {error}") from None
        if event.kind in BEGINNINGS:
            begun.add(order_id, event.attempt)
    return _write(connection, job, before, now)


class _Begun:
    """The highest attempt of each order that began so far: before some event by the journal, and by
    the events since. The journal is asked for all of them where it matters for one.
    """

    def __init__(
        self, connection: sqlite3.Connection, job: str, seq: int, orders: Sequence[str]
    ) -> None:
        self._connection = connection
        self._before = (job, seq)
        self._orders = orders
        self._kept: dict[str, int] | None = None
        self._fresh: dict[str, int] = {}

    def add(self, order_id: str, attempt: int) -> None:
        self._fresh[order_id] = max(attempt, self._fresh.get(order_id, 0))

    def last(self, order_id: str) -> int:
        if self._kept is None:
            rows = many.those_of(self._connection, _LAST_OF, self._before, self._orders)
            self._kept = dict(rows)
        return max(self._kept.get(order_id, 0), self._fresh.get(order_id, 0))


def _write(
    connection: sqlite3.Connection,
    job: str,
    before: Mapping[str, Open],
    now: Mapping[str, Open | None],
) -> Changed:
    """What changed of the open attempts: out with what was, in with what is."""
    changed = {order: then for order, then in now.items() if then != before.get(order)}
    gone = [order_id for order_id in changed if order_id in before]
    deque(many.those_of(connection, _DELETE, [job], gone), maxlen=0)
    opened = [
        (job, order_id, *then) for order_id, then in changed.items() if then is not None
    ]
    many.insert(connection, "open_attempts", opened)
    return Changed(opened, [(job, order_id, *before[order_id]) for order_id in gone])


def keep_asked(
    connection: sqlite3.Connection, job: str, events: Iterable[Event]
) -> list[Asked]:
    """Enter what attempts asked for that begin among these events, which have their numbers;
    returns the rows.
    """
    rows = [
        asked(
            event.seq,
            job,
            event.kind,
            event.at_ns,
            event.run_id,
            event.batch_id,
            event.sheet,
            event.row,
            event.order_id,
            event.attempt,
            event.data,
        )
        for event in events
        if begins(event.kind, event.send)
    ]
    many.insert(connection, "asked", rows)
    return rows


_BEGUN_OF = (
    "SELECT order_id, attempt, seq FROM events WHERE job = ?"  # noqa: S608 - our own words
    f" AND kind IN {BEGINNINGS} AND send <= 1 AND order_id IN (*)"
)
_KNOWN = "SELECT seq FROM came_to WHERE seq IN (*)"
_FORGET = "DELETE FROM came_to WHERE seq IN (*)"


def keep_came_to(
    connection: sqlite3.Connection, job: str, events: Sequence[Event]
) -> None:
    """Bring what came of attempts in step with the next events of their orders, which are in the
    journal already.
    """
    news: dict[str, list[Event]] = {}
    for event in events:
        news.setdefault(event.order_id, []).append(event)
    orders = [
        order for order, some in news.items() if not all(map(is_first_send, some))
    ]
    if not orders:
        return
    begun: dict[str, list[tuple[int, int]]] = {order: [] for order in orders}
    for order_id, attempt, seq in many.those_of(connection, _BEGUN_OF, [job], orders):
        if (attempt, seq) not in begun[order_id]:
            begun[order_id].append((attempt, seq))
    seqs = [seq for some in begun.values() for _, seq in some]
    known = {seq for (seq,) in many.those_of(connection, _KNOWN, (), seqs)}
    rows = []
    others = []
    for order in orders:
        plainly = None
        if known.isdisjoint(seq for _, seq in begun[order]):
            plainly = came_plainly(begun[order], news[order])
        if plainly is None:
            others.append(order)
        else:
            rows.append(plainly)
    gone = [seq for order in others for _, seq in begun[order] if seq in known]
    deque(many.those_of(connection, _FORGET, (), gone), maxlen=0)
    for order in others:
        rows += came_of_order(connection, job, order)
    many.insert(connection, "came_to", rows)


def came_of_order(
    connection: sqlite3.Connection, job: str, order_id: str
) -> list[CameTo]:
    """The rows of an order, from all its events."""
    query = (
        f"SELECT {COLUMNS} FROM events WHERE job = ? AND order_id = ?"  # noqa: S608 - our own words
        " AND order_id <> '' ORDER BY seq"
    )
    return came_of(
        [event_of(row) for row in connection.execute(query, (job, order_id))]
    )
