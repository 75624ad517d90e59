"""TALLY: how many rows there are by which orders are found, and what they add up to.

What is read is proved by the chain. That something is *not* there cannot be proved so: a row that
is missing, doubled or renamed is not read, and its order looks like one that was never sent. So the
journal keeps a sum over each table and index that such a look-up goes by, in the transaction of
each event. Before a run believes what its look-ups do not find, the rows are added up anew: a
quarter of a microsecond each.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from batchpay.domain.events import FREQUENT
from batchpay.domain.model import Event
from batchpay.journals.asked import Asked
from batchpay.journals.attempts import Changed, Row
from batchpay.journals.sqlite.lines import RARE
from batchpay.journals.sqlite.soundness import Damaged

_KEPT = "tally"
_FORM = 2  # how rows are summed; kept sums of another form are none
_WRAP = 1 << 62
_APART = "\x1f"
ORDERS = "events_of_an_order"
KINDS = "events_of_a_kind"
OPEN = "open_attempts"
ALIKE = "asked_alike"
CORRECTS = "asked_corrects"
# what is added up -> the columns of a row, its number last, and where they are read from: an index
# where it has all of them, so that what a look-up is answered from is what is counted
_FROM = {
    ORDERS: ("order_id, job, seq", f"events INDEXED BY {ORDERS} WHERE order_id <> ''"),
    KINDS: ("job, kind, seq", f"events INDEXED BY {KINDS} WHERE {RARE}"),
    OPEN: ("job, order_id, state, attempt", "open_attempts"),
    ALIKE: ("job, alike, seq", f"asked INDEXED BY {ALIKE}"),
    CORRECTS: (
        "job, corrects, seq",
        f"asked INDEXED BY {CORRECTS} WHERE corrects <> ''",
    ),
}
_CALLED = {
    ORDERS: "the index by which the events of an order are found",
    KINDS: "the index by which stops, plans and words of people are found",
    OPEN: "the table of open attempts",
    ALIKE: "the index by which it is known that an order was sent",
    CORRECTS: "the index by which it is known what came back for a row",
}

Sums = dict[str, tuple[int, int]]
"""What is added up -> number of rows, and the sum of their checksums."""

NOTHING: Sums = dict.fromkeys(_FROM, (0, 0))
EVERY = tuple(_FROM)
# by what else there is it is told where a job's rows stand
SHOWN = (KINDS, OPEN)


@dataclass(slots=True)
class News:
    """What a few events change of the sums."""

    sums: Sums = field(default_factory=lambda: dict(NOTHING))

    def add(self, name: str, rows: Iterable[tuple[str, int]], sign: int = 1) -> None:
        """Rows that came, or with `sign` -1 went: texts, put together, and number."""
        count, total = self.sums[name]
        for texts, number in rows:
            count += sign
            total += sign * crc32(texts.encode("utf-8", "surrogatepass"), number)
        self.sums[name] = (count, total)


def news_of(
    job: str, events: Iterable[Event], asked: Iterable[Asked], opened: Changed
) -> News:
    """What events of a job, numbered, with what follows from them, change of the sums."""
    news = News()
    of_orders = []
    of_kinds = []
    for event in events:
        if event.order_id:
            of_orders.append((f"{event.order_id}{_APART}{job}", event.seq))
        if event.kind not in FREQUENT:
            of_kinds.append((f"{job}{_APART}{event.kind}", event.seq))
    news.add(ORDERS, of_orders)
    news.add(KINDS, of_kinds)
    began = list(asked)
    news.add(ALIKE, [(f"{job}{_APART}{one.alike}", one.seq) for one in began])
    corrections = [one for one in began if one.corrects]
    news.add(
        CORRECTS, [(f"{job}{_APART}{one.corrects}", one.seq) for one in corrections]
    )
    news.add(OPEN, map(_open, opened.came))
    news.add(OPEN, map(_open, opened.went), sign=-1)
    return news


def _open(row: Row) -> tuple[str, int]:
    job, order_id, attempt, state = row
    return f"{job}{_APART}{order_id}{_APART}{state}", attempt


def follow(
    connection: sqlite3.Connection,
    before: tuple[int, str],
    after: tuple[int, str],
    news: News,
) -> None:
    """Keep the sums in step, in the transaction of the events between two heads of the journal.

    Sums that stand at another event (a program that does not know them wrote since) are dropped:
    the next run verifies all, and counts anew.
    """
    sums = kept(connection, before)
    if before[0] == 0:
        sums = NOTHING
    if sums is None:
        connection.execute("DELETE FROM meta WHERE name = ?", (_KEPT,))
        return
    keep(
        connection, after, {name: _plus(sums[name], news.sums[name]) for name in _FROM}
    )


def _plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], (one[1] + other[1]) % _WRAP


def kept(connection: sqlite3.Connection, head: tuple[int, str]) -> Sums | None:
    """The sums as they were kept with this head of the journal; None where they were not, or are
    not as they were kept.
    """
    found = connection.execute(
        "SELECT value FROM meta WHERE name = ?", (_KEPT,)
    ).fetchone()
    if not found:
        return None
    told, _, check = str(found[0]).rpartition(" ")
    if _check(told) != check:
        return None
    try:
        form, seq, digest, sums = json.loads(told)
        known = {name: (int(sums[name][0]), int(sums[name][1])) for name in _FROM}
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    if (form, seq, digest) != (_FORM, *head):
        return None
    return known


def keep(
    connection: sqlite3.Connection, head: tuple[int, str], sums: Mapping[str, object]
) -> None:
    """Inside the caller's transaction."""
    told = json.dumps([_FORM, *head, sums])
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEPT, f"{told} {_check(told)}")
    )


def counted(connection: sqlite3.Connection, names: Iterable[str] = EVERY) -> Sums:
    """The sums of what is there now, or of some of it.

    Not a line of Python runs for a row: it would take as long again. What is no text was never
    written, and counts as none.
    """
    connection.create_function("crc32", 2, crc32, deterministic=True)
    found = {}
    for name in names:
        columns, place = _FROM[name]
        *texts, number = columns.split(", ")
        text = f" || '{_APART}' || ".join(texts)
        checksum = f"crc32(ifnull(CAST({text} AS BLOB), x''), ifnull(CAST({number} AS INTEGER), 0))"
        query = f"SELECT count(*), sum({checksum}) FROM {place}"  # noqa: S608 - our own words
        count, total = connection.execute(query).fetchone()
        found[name] = (count, (total or 0) % _WRAP)  # NULL where there is no row
    return found


def refuse_others(
    connection: sqlite3.Connection, path: Path, known: Sums, names: Iterable[str]
) -> None:
    """Raises Damaged where what is there does not add up to what was kept, of some of it."""
    found = counted(connection, names)
    for name in found:
        count, total = known[name]
        if found[name] == (count, total):
            continue
        what = f"{_CALLED[name]} holds {found[name][0]} rows, {count} were written"
        if found[name][0] == count:
            what = f"{_CALLED[name]} holds other rows than were written"
        raise Damaged(path, what)


def _check(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:16]
