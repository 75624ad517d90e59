"""REREAD: what of a journal was verified before, what is new, and the rest of it in turns.

A run does not read again what the years before it wrote. It verifies

    new       every event since the last one that it knows to be right (`Mark`), with all that
              follows from them; every order that is not settled, from its first event on; schema
    sums      all by which it is known that an order was sent or is open, and what stops it
              (tally.py): what is not there was never there
    in turns  at its end, a part of what is older: all of it within TURNS runs, and each event
              within as many since it was read last, for what is younger stands behind it

and whatever older event it reads for a decision in between is held against the one before it, one
by one (`fits`). A small journal is verified whole, each time. Where anything is not as it was, the
mark is doubted: from then on the whole journal is verified before anything is sent, until the good
copy is back.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from batchpay.domain.events import (
    BEGINNINGS,
    Absent,
    Answered,
    BatchPlanned,
    Found,
    Intended,
    TransferSeen,
    Voided,
    begins,
    is_beside,
    kinds,
    state_in,
)
from batchpay.domain.model import Event
from batchpay.journals.asked import COLUMNS as ASKED
from batchpay.journals.asked import Asked
from batchpay.journals.attempts import LAST
from batchpay.journals.guard import Open, replay
from batchpay.journals.sqlite import many, tally
from batchpay.journals.sqlite.lines import RARE, object_of
from batchpay.journals.sqlite.packed import WHOLE
from batchpay.journals.sqlite.soundness import (
    GENESIS,
    PAGE,
    BrokenChain,
    Damaged,
    Key,
    asked_in_line,
    chained,
    state_of_text,
    verify,
    verify_came_to,
    verify_came_to_again,
    verify_rows_of,
    verify_schema,
)
from batchpay.journals.sqlite.stencils import DIGEST, RUN

WHOLE_UP_TO = 5_000  # events: so many are verified in the time in which a person blinks
TURNS = 30  # runs, in which all that is older is read once
_MARK = "verified"
# what only an attempt that began can meet
_FOLLOW = kinds(Answered, Voided, Found, Absent)
LINE = (
    f'SELECT seq, job, kind, at_ns, {RUN}, batch_id, sheet, "row", order_id, attempt, send,'
    f" {WHOLE}, {DIGEST} FROM events"
)
# as the index of orders wants it
_OF_ONE = "job = ? AND order_id = ? AND order_id <> ''"
_BEGUN = f"kind IN {BEGINNINGS}"  # a tuple of texts reads in SQL as it does here
# index of `events` -> which of them are in it, and by what it finds them
_FOUND_BY = {
    "events_of_an_order": ("{0}.order_id <> ''", ("order_id", "job")),
    "one_intent_a_send": ("{0}." + _BEGUN, ("job", "order_id", "attempt", "send")),
    "events_of_a_kind": ("{0}." + RARE, ("job", "kind")),
    "events_of_a_batch": ("{0}.batch_id <> ''", ("job", "batch_id")),
}
_FOUND_BY_OF_ASKED = {
    "asked_rows": ("TRUE", ("job", "batch_id", '"row"')),
    "asked_alike": ("TRUE", ("job", "alike")),
    "asked_terms": ("TRUE", ("job", "terms", "at_ns")),
    "asked_corrects": ("{0}.corrects <> ''", ("job", "corrects")),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal was verified, and how far it was read again in this round."""

    # the last event of which all before it was verified or written by a run
    seq: int = 0
    digest: str = GENESIS  # of it
    reread: int = 0  # up to which event this round has come
    turns: int = 0  # runs of this round
    # The last of the open attempts that this round has come to.
    job: str = ""
    order_id: str = ""
    doubted: bool = False  # since then something was found that is not as it was


NOTHING = Mark()


def mark_of(connection: sqlite3.Connection) -> Mark:
    """What was kept; NOTHING where nothing was, or where it is not as it was kept."""
    found = connection.execute(
        "SELECT value FROM meta WHERE name = ?", (_MARK,)
    ).fetchone()
    if not found:
        return NOTHING
    told, _, check = str(found[0]).rpartition(" ")
    try:
        if _check(told) != check:
            return NOTHING
        return Mark(**json.loads(told))
    except (ValueError, TypeError):
        return NOTHING


def keep(connection: sqlite3.Connection, mark: Mark) -> None:
    """Inside the caller's transaction."""
    told = json.dumps(asdict(mark))
    values = (_MARK, f"{told} {_check(told)}")
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)


def doubt(connection: sqlite3.Connection) -> None:
    """From now on the whole journal is verified again, and against what was known of it. Inside the
    caller's transaction.
    """
    keep(connection, replace(mark_of(connection), doubted=True))


def _check(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:16]


# --- what is new


def verify_new(
    connection: sqlite3.Connection,
    path: Path,
    schema: str,
    looked_for: Iterable[str] = tally.EVERY,
) -> int:
    """Verify what is new, or all where little is there or nothing was verified before. Returns the
    number of the last event that was not read now. Raises Damaged or BrokenChain.

    `looked_for`: what must be there as it was added up, for what is not there to count as that.
    """
    mark = mark_of(connection)
    last = _last(connection)
    is_known = 0 < mark.seq <= last and _digest_at(connection, mark.seq) == mark.digest
    sums = tally.kept(connection, (last, _digest_at(connection, last)))
    if last <= WHOLE_UP_TO or mark.doubted or not is_known or sums is None:
        verify(connection, path, schema)
        _refuse_another_past(connection, path, mark)
        return 0
    verify_schema(connection, path, schema)
    tally.refuse_others(connection, path, sums, looked_for)
    _span(connection, path, mark.seq, last)
    _refuse_what_nobody_asked(connection, path, last)
    _unsettled(connection, path)
    return mark.seq


def _refuse_another_past(
    connection: sqlite3.Connection, path: Path, mark: Mark
) -> None:
    """A chain that fits, and in which another event stands where one was verified before, was made
    anew by somebody.
    """
    if mark.seq and _digest_at(connection, mark.seq) not in ("", mark.digest):
        raise BrokenChain(path, mark.seq)


def _last(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0


def _digest_at(connection: sqlite3.Connection, seq: int) -> str:
    if seq == 0:
        return GENESIS
    row = connection.execute(
        f"SELECT {DIGEST} FROM events WHERE seq = ?", (seq,)
    ).fetchone()
    if row:
        return str(row[0])
    return ""


def _unsettled(connection: sqlite3.Connection, path: Path) -> None:
    """Every order that a run asks about stands where its events put it."""
    query = "SELECT job, order_id FROM open_attempts WHERE state <> 'succeeded'"
    for key in connection.execute(query).fetchall():
        _hold(connection, path, key)


def _refuse_what_nobody_asked(
    connection: sqlite3.Connection, path: Path, last: int
) -> None:
    query = (
        "SELECT order_id FROM asked WHERE seq > ? UNION ALL SELECT charge_id FROM came_to WHERE"
        " seq > ? LIMIT 1"
    )
    row = connection.execute(query, (last, last)).fetchone()
    if row:
        raise _not_asked(path, str(row[0]))


# --- in turns


def next_turn(mark: Mark, seq: int, digest: str) -> Mark:
    """The mark of a run that has come to an event, before it reads its part of what is older."""
    if mark.reread >= seq or mark.turns >= TURNS:
        mark = replace(mark, reread=0, turns=0)
    return replace(mark, seq=seq, digest=digest, doubted=False)


def take_turn(connection: sqlite3.Connection, path: Path, mark: Mark) -> Mark:
    """Read a part of what is older again, with all that follows from it. Raises Damaged or
    BrokenChain.
    """
    left = TURNS - mark.turns
    until = mark.reread + -(-(mark.seq - mark.reread) // left)
    _span(connection, path, mark.reread, until, again=True)
    _in_every_index(connection, path, "events", _FOUND_BY, mark.reread, until)
    _in_every_index(connection, path, "asked", _FOUND_BY_OF_ASKED, mark.reread, until)
    of_orders = _of_open_attempts(connection, path, mark, until - mark.reread)
    return replace(
        mark,
        reread=until,
        turns=mark.turns + 1,
        job=of_orders[0],
        order_id=of_orders[1],
    )


def _of_open_attempts(
    connection: sqlite3.Connection, path: Path, mark: Mark, most: int
) -> Key:
    """No attempt stands open that never began. Returns up to where they were looked at; at the end,
    where they begin.
    """
    query = (
        "SELECT o.job, o.order_id, EXISTS (SELECT 1 FROM events AS e WHERE e.job = o.job AND"
        f" e.order_id = o.order_id AND e.attempt = o.attempt AND e.{_BEGUN}) FROM open_attempts"
        " AS o WHERE (o.job, o.order_id) > (?, ?) ORDER BY o.job, o.order_id LIMIT ?"
    )
    rows = connection.execute(query, (mark.job, mark.order_id, most)).fetchall()
    for job, order_id, began in rows:
        if not began:
            _hold(connection, path, (job, order_id))
    # none to look at: nothing is known to be right but the journal's beginning
    if not rows or len(rows) < most:
        return "", ""
    return rows[-1][0], rows[-1][1]


def _in_every_index(
    connection: sqlite3.Connection,
    path: Path,
    table: str,
    found_by: Mapping[str, tuple[str, Sequence[str]]],
    after: int,
    until: int,
) -> None:
    """What stands in a table is found by each of its indexes, which decide what is read of it."""
    for index, (part, columns) in found_by.items():
        same = " AND ".join(f"i.{column} = t.{column}" for column in columns)
        query = (
            f"SELECT min(t.seq) FROM {table} AS t NOT INDEXED WHERE t.seq > ? AND t.seq <= ? AND"
            f" {part.format('t')} AND NOT EXISTS (SELECT 1 FROM {table} AS i INDEXED BY {index}"
            f" WHERE {same} AND {part.format('i')} AND i.seq = t.seq)"
        )
        (seq,) = connection.execute(query, (after, until)).fetchone()
        if seq is not None:
            raise Damaged(path, f"its index {index} does not find event {seq}")


# --- a span of events, and what follows from them


def _span(
    connection: sqlite3.Connection,
    path: Path,
    after: int,
    until: int,
    *,
    again: bool = False,
) -> None:
    """The events after one, up to another: the chain, and that the tables which follow from them
    are what they add up to. `again`: it is a part of all, which are read in turns.
    """
    digest = _digest_at(connection, after)
    query = f"{LINE} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT {PAGE}"
    while after < until:
        lines = connection.execute(query, (after, until)).fetchall()
        digest = _chain(path, digest, after, lines)
        if not lines:
            raise BrokenChain(path, after + 1)
        of_orders = [line for line in lines if line[8]]
        begun = _told_by_beginnings(of_orders)
        span = (after, lines[-1][0])
        _same_open(connection, path, list(filter(_moves, of_orders)), begun)
        _same_asked(connection, path, of_orders, begun, span)
        if again:
            verify_came_to_again(connection, path, of_orders, begun, span)
        else:
            verify_came_to(connection, path, of_orders)
        _same_rows(connection, path, lines)
        after = lines[-1][0]


def _chain(path: Path, digest: str, after: int, lines: Iterable[Sequence[Any]]) -> str:
    for line in lines:
        after += 1
        if line[0] != after or not fits(digest, line):
            raise BrokenChain(path, after)
        digest = line[12]
    return digest


def fits(digest: str, line: Sequence[Any]) -> bool:
    """Is a line, its own digest last, the one that follows a digest?"""
    try:
        return bool(chained(digest, line) == line[12])
    except (TypeError, ValueError):  # a column holds what no event ever held
        return False


def _moves(line: Sequence[Any]) -> bool:
    """Can it change where its order stands? Where a share is says nothing of that."""
    return line[2] != TransferSeen.kind or bool(state_of_text(line[11]))


def _told_by_beginnings(lines: Iterable[Sequence[Any]]) -> dict[int, dict[str, Any]]:
    """Number -> what is kept of it, of each event among these that begins an attempt."""
    return {line[0]: object_of(line[11]) for line in lines if begins(line[2], line[10])}


def _same_open(
    connection: sqlite3.Connection,
    path: Path,
    lines: Sequence[Sequence[Any]],
    begun: Mapping[int, Mapping[str, Any]],
) -> None:
    """Later events may have moved an order on: one that does not stand where these put it is looked
    at from its first event to its last.
    """
    now: dict[Key, Open | None] = {}
    for line in lines:
        key = (line[1], line[8])
        if key not in now:
            now[key] = _before(connection, key, line)
        now[key] = _after(connection, key, now[key], line, begun)
    for job in {job for job, _ in now}:
        orders = [order_id for one, order_id in now if one == job]
        query = (
            "SELECT order_id, attempt, state FROM open_attempts"
            " WHERE job = ? AND order_id IN (*)"
        )
        rows = many.those_of(connection, query, [job], orders)
        stand = {order_id: Open(attempt, state) for order_id, attempt, state in rows}
        for order_id in orders:
            if stand.get(order_id) != now[job, order_id]:
                _hold(connection, path, (job, order_id))


def _before(
    connection: sqlite3.Connection, key: Key, line: Sequence[Any]
) -> Open | None:
    """Where an order stood before a line."""
    if line[2] == Intended.kind and line[9] == line[10] == 1:
        return None
    return _stands(connection, key, line[0])


def _stands(connection: sqlite3.Connection, key: Key, before: int) -> Open | None:
    """Where the events of an order before a number put it."""
    now: Open | None = None
    query = f"{LINE} WHERE {_OF_ONE} AND seq < ? ORDER BY seq"
    for line in connection.execute(query, (*key, before)).fetchall():
        now = _after(connection, key, now, line)
    return now


def _after(
    connection: sqlite3.Connection,
    key: Key,
    now: Open | None,
    line: Sequence[Any],
    begun: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
) -> Open | None:
    seq, kind, attempt, send, data = line[0], line[2], line[9], line[10], line[11]
    state = ""
    beside = False
    if begins(kind, send):
        kept = begun.get(seq) or object_of(data)
        state = state_in(kept)
        beside = is_beside(kept)
    elif kind != Intended.kind:
        state = state_of_text(data)
    return replay(
        now, kind, attempt, send, state, beside, partial(_last_of, connection, key, seq)
    )


def _last_of(connection: sqlite3.Connection, key: Key, seq: int) -> int:
    return connection.execute(LAST, (*key, seq)).fetchone()[0] or 0


def _hold(connection: sqlite3.Connection, path: Path, key: Key) -> None:
    """Hold an order, from its first event to its last, against where it stands, and what is read of
    it against the chain.
    """
    query = f"{LINE} WHERE {_OF_ONE} ORDER BY seq"
    for line in connection.execute(query, key).fetchall():
        if not fits(_digest_at(connection, line[0] - 1), line):
            raise BrokenChain(path, line[0])
    query = "SELECT attempt, state FROM open_attempts WHERE job = ? AND order_id = ?"
    row = connection.execute(query, key).fetchone()
    stands = None
    if row:
        stands = Open(*row)
    if stands != _stands(connection, key, _last(connection) + 1):
        raise Damaged(path, f"order {key[1]} is not where its events put it")


def _same_asked(
    connection: sqlite3.Connection,
    path: Path,
    lines: Iterable[Sequence[Any]],
    begun: Mapping[int, Mapping[str, Any]],
    span: tuple[int, int],
) -> None:
    wanted = [asked_in_line(line, begun[line[0]]) for line in lines if line[0] in begun]
    query = f"SELECT {ASKED} FROM asked WHERE seq > ? AND seq <= ? ORDER BY seq"
    found = [Asked(*row) for row in connection.execute(query, span)]
    if found != wanted:
        odd = next(iter({*found} ^ {*wanted}))
        raise _not_asked(path, odd.order_id)


def _not_asked(path: Path, order_id: str) -> Damaged:
    return Damaged(
        path,
        f"what order {order_id} asked for is not what its events say that it asked",
    )


def _same_rows(
    connection: sqlite3.Connection, path: Path, lines: Iterable[Sequence[Any]]
) -> None:
    """The kept rows of a batch, where it was planned last, are those that were planned."""
    for line in lines:
        if line[2] != BatchPlanned.kind:
            continue
        job, batch_id = line[1], line[5]
        query = (
            "SELECT max(seq) FROM events WHERE job = ? AND batch_id = ? AND kind ="
            f" '{BatchPlanned.kind}' AND {RARE}"
        )
        (latest,) = connection.execute(query, (job, batch_id)).fetchone()
        if latest == line[0]:
            plan = BatchPlanned.of_data(json.loads(line[11]), batch_id)
            verify_rows_of(connection, path, (job, batch_id), plan)


# --- one by one


def prove(connection: sqlite3.Connection, path: Path, seqs: Sequence[int]) -> None:
    """Hold some events against the ones before them, however old they are. Raises BrokenChain."""
    digests = dict(_digests(connection, [seq - 1 for seq in seqs]))
    query = f"{LINE} WHERE seq IN (*)"
    for line in many.those_of(connection, query, (), seqs):
        if not fits(digests.get(line[0] - 1, GENESIS), line):
            raise BrokenChain(path, line[0])


def lines_at(
    connection: sqlite3.Connection, path: Path, seqs: Sequence[int]
) -> list[tuple[str, tuple[Any, ...]]]:
    """Some events: the digest before each, and its line. Raises BrokenChain for one that does not
    fit it, or is not there.
    """
    digests = dict(_digests(connection, [seq - 1 for seq in seqs]))
    query = f"{LINE} WHERE seq IN (*)"
    lines = {line[0]: line for line in many.those_of(connection, query, (), seqs)}
    found = []
    for seq in seqs:
        before = digests.get(seq - 1, GENESIS)
        if seq not in lines or not fits(before, lines[seq]):
            raise BrokenChain(path, seq)
        found.append((before, lines[seq]))
    return found


def refuse_headless(path: Path, events: Iterable[Event]) -> None:
    """An order is read by its id: events that were renamed or taken away do not show that they are
    gone, but those that followed them do. Raises Damaged.
    """
    begun = set()
    for event in events:
        if event.kind in BEGINNINGS:
            begun.add(event.attempt)
        elif event.kind in _FOLLOW and event.attempt not in begun:
            raise Damaged(
                path, f"attempt {event.attempt} of order {event.order_id} never began"
            )


def _digests(
    connection: sqlite3.Connection, seqs: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    query = f"SELECT seq, {DIGEST} FROM events WHERE seq IN (*)"
    return many.those_of(connection, query, (), seqs)
