"""What of a journal is verified when: what is new at once, what is older where it is read, and all
of it in turns.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from batchpay import api
from batchpay.domain.errors import BatchpayError, InputOutput, Taken
from batchpay.domain.model import Event
from batchpay.journals.sqlite import reread, tally
from batchpay.journals.sqlite.reread import NOTHING, TURNS, mark_of
from batchpay.journals.sqlite.soundness import BrokenChain, Damaged, chained
from batchpay.journals.sqlite.store import SqliteJournal
from tests.contract.test_journal import BATCH, batch, judged
from tests.world import KEY, Market, order

ORDERS = 30


@pytest.fixture(autouse=True)
def _nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a journal of years."""
    monkeypatch.setattr(reread, "WHOLE_UP_TO", 0)


def intent(order_id: str, attempt: int = 1, **asked: object) -> Event:
    kept = {
        "amount": 5,
        "currency": "thb",
        "destination": "recp_1",
        "payer": order_id,
        **asked,
    }
    data = {"state": "in_doubt", "intent": kept}
    return Event("intent", 1, "run", "batch", "", 2, order_id, attempt, 1, data)


def answer(order_id: str, state: str, attempt: int = 1, kind: str = "answer") -> Event:
    return Event(kind, 2, "run", "batch", "", 2, order_id, attempt, 1, {"state": state})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A night that ended well: orders that succeeded, one declined, one that is open; and the one
    after it.
    """
    place = tmp_path / "j.db"
    first = opened(place)
    first.verify_new()
    staged = first.stage(BATCH, [judged(2, "0", "1")])
    first.plan(Event("", 1, run_id="run"), batch(), staged, {})
    first.append([Event("run.started", 1, "run")])
    for number in range(ORDERS):
        first.append([intent(f"{number}"), answer(f"{number}", "succeeded")])
    first.append([intent("no"), answer("no", "declined"), intent("open")])
    first.reread()
    first.close()
    return place


def opened(path: Path) -> SqliteJournal:
    return SqliteJournal(path, "night")


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    again = opened(path)
    yield again
    again.close()


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript("DROP TRIGGER events_stay; DROP TRIGGER events_remain")
        for statement in statements:
            raw.execute(statement)
        raw.execute(
            "CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the"
            " journal is append-only'); END"
        )
        raw.execute(
            "CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the"
            " journal is append-only'); END"
        )
        raw.commit()


def forge(path: Path, seq: int, statement: str) -> None:
    """An edit, and every digest from it on made anew."""
    edit(path, statement)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER events_stay")
        digest = raw.execute(
            "SELECT digest FROM plain_events WHERE seq = ?", (seq - 1,)
        ).fetchone()[0]
        rows = raw.execute(
            "SELECT * FROM plain_events WHERE seq >= ? ORDER BY seq", (seq,)
        ).fetchall()
        for row in rows:
            digest = chained(digest, row)
            raw.execute("UPDATE events SET digest = ? WHERE seq = ?", (digest, row[0]))
        raw.execute(
            "CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the"
            " journal is append-only'); END"
        )
        raw.commit()


OLD = "UPDATE events SET data = replace(data, 'recp_1', 'recp_2') WHERE order_id = '7'"


def test_what_is_new_is_what_no_run_has_verified(journal: SqliteJournal) -> None:
    """A run that ended well says how far; what it wrote itself counts, what another wrote
    between does not.
    """
    mark = mark_of(journal._connection)
    assert (mark.seq, mark.digest) == journal.head() and mark.turns == 1
    journal.verify_new()
    journal.append([intent("mine")])
    other = opened(journal.path)
    other.append([intent("other")])
    other.close()
    journal.append([intent("mine, too")])
    journal.reread()
    assert mark_of(journal._connection).seq == mark.seq + 1
    journal.verify_new()
    journal.reread()
    assert mark_of(journal._connection).seq == mark.seq + 3


def test_a_run_that_verified_nothing_keeps_nothing(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.db")
    journal.append([intent("a")])
    journal.reread()
    assert mark_of(journal._connection) == NOTHING
    journal.close()


@pytest.mark.fault("D06", "D14")
def test_an_old_event_that_changed_is_found_where_it_is_read(path: Path) -> None:
    """Before anything is decided by it; from then on the whole journal is verified, and no run
    begins.
    """
    edit(path, OLD)
    journal = opened(path)
    journal.verify_new()
    assert [event.order_id for event in journal.histories(["6"])["6"]] == ["6", "6"]
    with pytest.raises(BrokenChain):
        journal.histories(["7"])
    journal.reread()
    journal.close()
    again = opened(path)
    for _ in range(2):
        with pytest.raises(BrokenChain):
            again.verify_new()
    again.close()


@pytest.mark.fault("D14")
def test_an_order_whose_beginning_bears_another_name_is_damage(path: Path) -> None:
    """The beginning is not read then, so that nothing holds it against the chain: what followed it
    tells that it is missing.
    """
    journal = opened(path)
    journal.verify_new()
    edit(
        path,
        "UPDATE events SET order_id = 'x' WHERE order_id = '7' AND kind = 'intent'",
    )
    assert [event.kind for event in journal.histories(["6"])["6"]] == [
        "intent",
        "answer",
    ]
    with pytest.raises(Damaged, match="attempt 1 of order 7 never began"):
        journal.histories(["7"])
    assert mark_of(journal._connection).doubted
    journal.close()


@pytest.mark.fault("D06", "D14")
def test_an_old_event_that_changed_is_found_in_its_turn(path: Path) -> None:
    """By nobody's reading: within the runs of a round, and it stays found."""
    edit(path, OLD)
    journal = opened(path)
    journal.verify_new()
    with pytest.raises(BrokenChain):
        for _ in range(TURNS):
            journal.verify_new()
            journal.reread()
    journal.append([intent("late")])
    journal.close()
    again = opened(path)
    with pytest.raises(BrokenChain):
        again.verify_new()
    again.close()


EDITS = {
    "an order settled": "DELETE FROM open_attempts WHERE order_id = 'open'",
    "a payment forgotten": "DELETE FROM open_attempts WHERE order_id = '7'",
    "a payment more": "INSERT INTO open_attempts VALUES ('night', 'zz', 1, 'succeeded')",
    "a payment renamed": "UPDATE open_attempts SET order_id = 'zz' WHERE order_id = '7'",
    "who asked": "DELETE FROM asked WHERE order_id = '7'",
    "as what who asked is known": "UPDATE asked SET alike = 'zz' WHERE order_id = '7'",
    "what an order corrected": "UPDATE asked SET corrects = 'zz' WHERE order_id = '7'",
    "events of an order": "UPDATE events SET order_id = 'zz' || seq WHERE order_id = '7'",
    "an order's events": "UPDATE events SET order_id = '' WHERE order_id = '7'",
    "a stop": "UPDATE events SET kind = 'held' WHERE kind = 'run.started'",
    "an order's state": "UPDATE open_attempts SET state = 'held' WHERE order_id = 'open'",
    "an attempt opened": "INSERT INTO open_attempts VALUES ('night', 'no', 1, 'held')",
    "an index gone": "DROP INDEX one_intent_a_send",
    "asked by nobody": (
        "INSERT INTO asked SELECT 9999, job, 'x', 1, at_ns, 'x', terms, corrects, batch_id, sheet,"
        ' "row", amount, currency, destination, paid_with, run_id, mode, fee, adopted FROM asked'
        " LIMIT 1"
    ),
}
LATER = {
    "what was asked": "UPDATE asked SET terms = 'x' WHERE order_id = '7'",
    "a row's cells": "UPDATE row_chunks SET cells = x'00'",
}


@pytest.mark.fault("D06", "D14")
@pytest.mark.parametrize("what", EDITS)
def test_what_a_run_goes_by_is_verified_at_its_start(path: Path, what: str) -> None:
    """However old it is."""
    edit(path, EDITS[what])
    journal = opened(path)
    with pytest.raises(Damaged):
        journal.verify_new()
    journal.close()


@pytest.mark.fault("D06", "D14")
@pytest.mark.parametrize("what", ["an order settled", "a payment renamed", "a stop"])
def test_what_is_shown_is_verified_before(path: Path, what: str) -> None:
    edit(path, EDITS[what])
    journal = opened(path)
    with pytest.raises(Damaged):
        journal.verify_shown()
    journal.close()


def test_who_looks_for_no_order_adds_up_none(path: Path) -> None:
    """Of those that were sent there may be a million; a run, and who asks about one, does."""
    statements: list[str] = []
    journal = opened(path)
    journal._connection.set_trace_callback(statements.append)
    journal.verify_shown()
    shown = [one for one in statements if "crc32" in one]
    journal.verify_new()
    every = [one for one in statements if "crc32" in one][len(shown) :]
    journal.close()
    assert [len(shown), len(every)] == [2, 5]
    assert not any("events_of_an_order" in one or "asked" in one for one in shown)


def test_a_turn_asks_for_many_orders_at_once(path: Path) -> None:
    """Not for one after the other."""
    journal = opened(path)
    journal.verify_new()
    journal.append([intent(f"more {number}") for number in range(100 * TURNS)])
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)
    journal.reread()
    journal.close()
    assert len(statements) < 40


def found_in_a_round(path: Path, trouble: type[BatchpayError]) -> None:
    """Runs follow each other, and one of a round raises."""
    journal = opened(path)
    with pytest.raises(trouble):
        for _ in range(TURNS):
            journal.verify_new()
            journal.reread()
    journal.close()


@pytest.mark.fault("D06", "D14")
@pytest.mark.parametrize("what", LATER)
def test_what_follows_from_old_events_is_verified_in_its_turn(
    path: Path, what: str
) -> None:
    edit(path, LATER[what])
    found_in_a_round(path, Damaged)


@pytest.mark.fault("D06")
@pytest.mark.parametrize(
    "index",
    ["events_of_an_order", "one_intent_a_send", "asked_rows", "events_of_a_kind",
     "events_of_a_batch", "asked_alike", "asked_terms"],
)  # fmt: off
def test_an_index_that_lost_a_row_is_found_in_its_turn(path: Path, index: str) -> None:
    """Written wrongly by whatever wrote: the statement of the index stays as it is."""
    with closing(sqlite3.connect(path)) as raw:
        page = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)
        ).fetchone()[0]
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("CREATE TABLE spare (a)")
        other = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'spare'"
        ).fetchone()[0]
        assert page != other
        size = raw.execute("PRAGMA page_size").fetchone()[0]
        raw.execute("DROP TABLE spare")
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    at = (page - 1) * size
    assert data[at] == 10  # a leaf of an index, in one page
    cells = int.from_bytes(data[at + 3 : at + 5], "big")
    data[at + 3 : at + 5] = (cells - 1).to_bytes(2, "big")
    path.write_bytes(data)
    found_in_a_round(path, InputOutput)


@pytest.mark.fault("D14")
def test_a_past_that_was_made_anew_is_not_the_one_that_was_verified(path: Path) -> None:
    """Its chain fits and the run's own mark does not."""
    forge(path, 20, "UPDATE events SET at_ns = 3 WHERE seq = 20")
    journal = opened(path)
    for _ in range(2):
        with pytest.raises(BrokenChain):
            journal.verify_new()
    journal.close()


@pytest.mark.fault("D06")
@pytest.mark.parametrize(
    "value", ["", "x", "{} 0", '{"seq": "a"} 44136fa355b3678a', "[] 4f53cda1"]
)
def test_a_mark_that_is_none_means_that_all_is_verified(path: Path, value: str) -> None:
    edit(path, OLD)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE meta SET value = ? WHERE name = 'verified'", (value,))
        raw.commit()
    journal = opened(path)
    with pytest.raises(BrokenChain):
        journal.verify_new()
    journal.close()


def test_every_event_is_read_again_within_so_many_runs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much each of them adds, and however few they are."""
    turns = 12
    monkeypatch.setattr(reread, "TURNS", turns)
    journal = opened(path)
    came_to = []
    for number in range(3 * turns):
        journal.verify_new()
        journal.append([intent(f"{number} {i}") for i in range(number)])
        journal.reread()
        mark = mark_of(journal._connection)
        came_to.append((mark.reread, mark.seq))
    journal.close()
    ends = [at for at, (read, seq) in enumerate(came_to) if read == seq]
    assert ends[0] < turns
    assert all(b - a <= turns for a, b in pairwise(ends))


def test_a_run_that_another_job_overtook_at_the_beginning_has_nothing_to_read_again(
    tmp_path: Path,
) -> None:
    """Two jobs begin one journal at once: what this one has verified ends before the first event,
    which is the other one's.
    """
    place = tmp_path / "j.db"
    with (
        closing(SqliteJournal(place, "night")) as mine,
        closing(SqliteJournal(place, "day")) as theirs,
    ):
        mine.verify_new()
        theirs.append([Event("run.started", 1, "run")])
        mine.append([Event("run.started", 2, "run"), intent("0001")])
        mine.reread()
        assert mark_of(mine._connection).reread == 0
        mine.verify_new()
        mine.reread()
        assert mark_of(mine._connection).seq == 3


def test_a_small_journal_is_verified_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(path, OLD)
    monkeypatch.setattr(reread, "WHOLE_UP_TO", 1000)
    journal = opened(path)
    with pytest.raises(BrokenChain):
        journal.verify_new()
    journal.close()


# --- that something is not there
# --------------------------------------------------------------------------------------------------

GONE = [
    f"DELETE FROM {table} WHERE order_id = '{{0}}'"
    for table in ("asked", "open_attempts")
]
GONE += ["DELETE FROM came_to WHERE seq NOT IN (SELECT seq FROM asked)"]
VANISHED = {
    "renamed": "UPDATE events SET order_id = 'zz' || seq WHERE order_id = '{0}'",
    "unnamed": "UPDATE events SET order_id = '' WHERE order_id = '{0}'",
    "of another job": "UPDATE events SET job = 'zz' WHERE order_id = '{0}'",
    "deleted": "DELETE FROM events WHERE order_id = '{0}'",
    "as they were": "SELECT 1",
}


def sums(journal: SqliteJournal) -> tuple[tally.Sums | None, tally.Sums]:
    """What was kept, and what is there."""
    connection = journal._connection
    return tally.kept(connection, journal.head()), tally.counted(connection)


@pytest.mark.fault("D06", "D14", "L3")
@pytest.mark.parametrize("events", VANISHED)
def test_an_order_that_vanished_is_missed_before_it_is_looked_for(
    path: Path, events: str
) -> None:
    """Its lines are taken from every table by which it would be found."""
    edit(path, *(one.format("7") for one in [VANISHED[events], *GONE]))
    journal = opened(path)
    for _ in range(2):
        with pytest.raises(Damaged):
            journal.verify_new()
    journal.close()


def test_the_sums_are_kept_with_every_event(journal: SqliteJournal) -> None:
    """Orders that come, go, come back, correct another; and what is refused leaves them alone."""
    later = [
        intent("no", 2, corrects="b:2"),
        answer("no", "declined", 2),
        intent("no", 3),
    ]
    for events in (
        [intent("a"), intent("b"), answer("a", "succeeded")],
        [answer("b", "declined"), Event("stop", 1, "run", data={"reason": "x"})],
        [answer("b", "succeeded", kind="found"), answer("open", "held")],
        later,
    ):
        journal.append(events)
        kept, found = sums(journal)
        assert kept == found
    with pytest.raises(Taken):
        journal.append([intent("a")])
    kept, found = sums(journal)
    assert kept == found and found[tally.CORRECTS][0] == 1


@pytest.mark.fault("D06", "F07", "G10")
@pytest.mark.parametrize("by", ["nobody", "a program that does not know them", "a bit"])
def test_sums_that_are_none_mean_that_all_is_verified(path: Path, by: str) -> None:
    """Then they are made anew."""
    change = {
        "nobody": "DELETE FROM meta WHERE name = 'tally'",
        "a program that does not know them": "SELECT 1",
        "a bit": "UPDATE meta SET value = replace(value, '[', '[ ') WHERE name = 'tally'",
    }
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(change[by])
        before = raw.execute("SELECT value FROM meta WHERE name = 'tally'").fetchone()
        raw.commit()
    journal = opened(path)
    if before and by != "a bit":
        journal.append([intent("new")])
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("UPDATE meta SET value = ? WHERE name = 'tally'", before)
            raw.commit()
    journal.append([intent("newer")])
    assert sums(journal)[0] is None
    journal.verify_new()
    assert journal._old == 0
    journal.reread()
    kept, found = sums(journal)
    assert kept == found
    journal.verify_new()
    assert journal._old > 0
    journal.close()
    edit(path, OLD, "DELETE FROM meta WHERE name = 'tally'")
    again = opened(path)
    with pytest.raises(BrokenChain):
        again.verify_new()
    again.close()


@pytest.mark.fault("F07")
def test_sums_that_an_earlier_version_made_otherwise_are_none(path: Path) -> None:
    """It did not say how: all is verified, once, and the sums are made as they are now."""
    with closing(sqlite3.connect(path)) as raw:
        (kept,) = raw.execute("SELECT value FROM meta WHERE name = 'tally'").fetchone()
        _, *older = json.loads(kept.rpartition(" ")[0])
        told = json.dumps(older)
        value = f"{told} {tally._check(told)}"
        raw.execute("UPDATE meta SET value = ? WHERE name = 'tally'", (value,))
        raw.commit()
    journal = opened(path)
    assert sums(journal)[0] is None
    journal.verify_new()
    assert journal._old == 0
    journal.reread()
    journal.verify_new()
    assert journal._old > 0
    journal.close()


@pytest.mark.fault("D09", "D14", "I1")
def test_an_order_that_was_taken_out_of_the_journal_is_not_charged_again(
    market: Market,
) -> None:
    """By the true program: 74, told before anything is sent."""
    market.orders([order(number) for number in range(1, 5)])
    job = api.load(market.job())
    key = api.secret_key(job, {"OMISE_SECRET_KEY": KEY})
    assert api.run(job, key).published[0].totals.outcomes()["succeeded"] == 4
    path = market.folder / "state" / "batchpay.db"
    edit(path, *(one.format("00002") for one in [VANISHED["renamed"], *GONE]))
    market.orders([order(2), order(9)], "again.csv")
    posts = market.posts()
    with pytest.raises(InputOutput, match="holds other rows than were written"):
        api.run(api.load(market.folder / "job.toml", input_file="again.csv"), key)
    assert market.posts() == posts == 4
