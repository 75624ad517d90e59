"""From the journal of an earlier version to today's, inside the caller's transaction: all of it or
none, events as they were (docs/faults.md, J33 and A13).

What a later version adds is derived from the events; nothing else of a journal ever changes its
form.
"""

from __future__ import annotations

import re
import sqlite3
from importlib import resources

from batchpay.journals.attempts import keep_asked, keep_came_to, keep_open
from batchpay.journals.guard import replay
from batchpay.journals.sqlite import reread
from batchpay.journals.sqlite.lines import COLUMNS, event_of
from batchpay.journals.sqlite.soundness import statements

# what schema.sql is; tests/test_journal_migration.py holds the two together
SCHEMA_VERSION = "10"
# versions that `migrate` knows
OLDER = frozenset({"1", "2", "3", "4", "5", "6", "7", "8", "9"})
_GONE_SINCE_1 = (
    "events_of_an_order",
    "alike_orders",
    "events_of_a_kind",
    "rows_with_an_intent",
    # since 7 it finds the charge in what is kept by a stencil, too
    "charges_told_of",
    # since 9 without what SQLite keeps beside it anyhow
    "events_of_a_batch",
)
# what events alone are behind: made anew, for before version 2 one of them had two forms
_DERIVED = ("open_attempts", "asked", "came_to")
_NEW_SINCE_1 = frozenset(
    {
        "events_of_an_order",
        "events_of_a_kind",
        "events_of_a_batch",
        "charges_told_of",
        "open_attempts",
        "unsettled",
        "asked",
        "asked_alike",
        "asked_terms",
        "asked_corrects",
        "asked_rows",
        "came_to",
        "stencils",
        "stencils_stay",
        "stencils_remain",
        "plain_events",
    }
)
_NAME = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER|VIEW) (\w+)")
_PAGE = 2000


def schema() -> str:
    """The text of schema.sql."""
    return resources.files(__package__).joinpath("schema.sql").read_text("utf-8")


def migrate(connection: sqlite3.Connection) -> None:
    """An earlier version -> 10. Whatever fails, the caller rolls back.

    Version 2 differs in nothing but what ids look alike: 8E5 and 800000 were two. Version 3 in
    nothing but what terms are: the card of a customer was part of them. Version 4 in nothing but
    which kinds of event are found by an index. Version 5 in what is kept of what attempts asked
    for, and what came of them. Version 6, and 7 with packed events, in
    what is kept in full: all. Version 8 in that runs, digests, and order ids and rows in events
    are. Version 9 in nothing but what terms are: the recipient of a customer's order stood before
    the payer.
    """
    for name in _GONE_SINCE_1:
        connection.execute(f"DROP INDEX IF EXISTS {name}")
    connection.execute("DROP VIEW IF EXISTS plain_events")
    for name in _DERIVED:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    for statement in statements(schema()):
        named = _NAME.search(statement)
        if named and named[1] in _NEW_SINCE_1 - there:
            connection.execute(statement)
    _derive(connection)  # today's rule knows more than the one that filled them
    # they were filled from events that nobody has verified now
    reread.doubt(connection)
    connection.execute(
        "UPDATE meta SET value = ? WHERE name = 'schema_version'", (SCHEMA_VERSION,)
    )


def derive_anew(connection: sqlite3.Connection) -> None:
    """The tables that follow from the events of orders, from the events that are there."""
    connection.execute("DELETE FROM asked")
    connection.execute("DELETE FROM came_to")
    connection.execute("DELETE FROM open_attempts")
    _derive(connection)


def _derive(connection: sqlite3.Connection) -> None:
    """Fill the tables that follow from the events of orders."""
    query = (
        f"SELECT job, {COLUMNS} FROM events "  # noqa: S608 - our own words
        "WHERE seq > ? AND order_id <> '' ORDER BY seq LIMIT ?"
    )
    after = 0
    while rows := connection.execute(query, (after, _PAGE)).fetchall():
        for job in {row[0] for row in rows}:
            events = [event_of(row[1:]) for row in rows if row[0] == job]
            keep_asked(connection, job, events)
            keep_open(connection, replay, job, events)
            keep_came_to(connection, job, events)
        after = rows[-1][1]
