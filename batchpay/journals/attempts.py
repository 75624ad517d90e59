"""The tables that follow from the events of an order: `open_attempts` (law L3, guard.py) and
`asked` (asked.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from batchpay.domain.errors import Taken
from batchpay.domain.events import BEGINNINGS, begins, is_beside, state_in
from batchpay.domain.model import Event
from batchpay.journals.asked import asked
from batchpay.journals.guard import Last, Open

Rule = Callable[[Open | None, str, int, int, str, bool, Last], Open | None]
"""guard.follow for an event that is to be written, guard.replay for one that stands in the journal
already.
"""

LAST = (  # a tuple of texts reads in SQL as it does here
    "SELECT max(attempt) FROM events WHERE job = ? AND order_id = ?"  # noqa: S608 - our own words
    f" AND kind IN {BEGINNINGS} AND seq < ?"
)


def keep_open(
    connection: sqlite3.Connection,
    rule: Rule,
    job: str,
    seq: int,
    event: Event,
) -> None:
    """Bring the order's row in step with its next event. Raises Taken, by the rule."""
    row = connection.execute(
        "SELECT attempt, state FROM open_attempts WHERE job = ? AND order_id = ?",
        (job, event.order_id),
    ).fetchone()
    if row:
        now = Open(*row)
    else:
        now = None

    def last() -> int:
        return connection.execute(LAST, (job, event.order_id, seq)).fetchone()[0] or 0

    try:
        then = rule(
            now,
            event.kind,
            event.attempt,
            event.send,
            state_in(event.data),
            is_beside(event.data),
            last,
        )
    except Taken as error:
        raise Taken(f"order {event.order_id}: {error}") from None
    if then != now:
        _write(connection, (job, event.order_id), now, then)


def _write(
    connection: sqlite3.Connection,
    key: tuple[str, str],
    now: Open | None,
    then: Open | None,
) -> None:
    if then is None:
        connection.execute("DELETE FROM open_attempts WHERE job = ? AND order_id = ?", key)
    elif now is None:
        connection.execute("INSERT INTO open_attempts VALUES (?, ?, ?, ?)", (*key, *then))
    else:
        connection.execute(
            "UPDATE open_attempts SET attempt = ?, state = ? WHERE job = ? AND order_id = ?",
            (*then, *key),
        )


def keep_asked(
    connection: sqlite3.Connection,
    job: str,
    seq: int,
    event: Event,
) -> None:
    """Enter what an attempt asked for, if the event begins one."""
    if begins(event.kind, event.send):
        row = asked(
            seq, job, event.at_ns, event.batch_id, event.order_id, event.attempt, event.data
        )
        connection.execute("INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
