"""A journal of an earlier version becomes one of today: whole or not at all, its events as they
were (J33, A13).
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain.errors import BatchpayError, Misconfigured, Taken, TryLater
from batchpay.domain.model import Event
from batchpay.journals.lock import RunLock, lock_path
from batchpay.journals.sqlite import stencils
from batchpay.journals.sqlite.migration import SCHEMA_VERSION, schema
from batchpay.journals.sqlite.soundness import chained, statements
from batchpay.journals.sqlite.stencils import LEARNED_FROM
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.order_ids import kept_as
from batchpay.lifecycle.sale_terms import fitting_terms, terms_of
from tests.breaking import breaking
from tests.old import ID, SCHEMA_1, Open, Refused, journal_1, rule_1

# --- the version and what it stands for

MEANING = {
    "1": "57d07223c5e7b3bcc1e07d6b7523ce249ef6ffb07a22b6352aaee7cf8aa2e38d",
    "2": "3c559439ef03eb06f9b077d3395f6bfd8064d004873886c97b3eb5976d262c02",
    "3": "c90abfce2cc1310b95da4ced7edf789c10666fb882d0c2b5c37e6b5e669f3eff",
    "4": "f0660bce2b484f3e717348f9392ec480533733c0f849c6b1daeb00010d7d7863",
    "5": "0ee1cb1297ddb75a88fd6dcda5bcc4e9ecd6c77fd68753f90b25bd9020c37158",
    "6": "ced9787e38fbba0e34a624e76dbbd16197525a06f766a617a50c13f163161ccb",
    "8": "e5504c779aab3ef8bf8a6fb5fa714358eb9b04bd994f95c00b322f6ee441841c",
    "9": "f7e88bc66e3afb1174725c89c285cca586369777a31ea44d061b3ffa6b41a805",
    "10": "f2a355c613afb68d275413080e57fb0833071b9af19aad6442a7febc899c43cf",
}


def meaning(text: str, *, derived: bool = True) -> str:
    """A digest of what a journal's form says: statements without comments and layout, and how
    `asked` is derived.
    """
    parts = []
    for statement in statements(text):
        lines = (line.partition("--")[0] for line in statement.splitlines())
        parts.append(" ".join(" ".join(lines).split()))
    if derived:
        parts += [
            kept_as(order_id)
            for order_id in (
                "0012",
                "12.0",
                " A b",
                "００0012 ａ",
                "ß1.00",
                "0",
                "1003.05",
                "8E5",
                "1.10",
                "'0017",
                "17.",
            )
        ]
        parts += [
            terms_of("cust_1", "recp_1", 100, "THB"),
            terms_of("", "recp_ü", 0, "jpy"),
        ]
        parts += [
            terms_of("cust_1:card_1", "recp_1", 100, "THB"),
            terms_of("tokn_1", "recp_1", 100, "THB"),
        ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@pytest.mark.fault("J33")
def test_a_changed_form_is_a_new_version() -> None:
    """Whoever changes schema.sql, or what the table `asked` is derived by, must say how older
    journals get there.
    """
    found = meaning(schema())
    assert found == MEANING[SCHEMA_VERSION], (
        "schema.sql (or kept_as or terms_of, from which the table `asked` is derived) is"
        f" no longer that of journal version {SCHEMA_VERSION}: raise SCHEMA_VERSION in"
        " journals/migration.py, write the step that brings a journal of the version before to the"
        " new one, keep that version's schema in tests/old, and enter the new digest in MEANING:"
        f" {found}"
    )
    assert meaning(SCHEMA_1, derived=False) == MEANING["1"], (
        "the schema of version 1 is history: it does not change"
    )


@pytest.mark.fault("J33", "X14")
def test_ids_in_other_digits_are_kept_as_every_version_kept_them(
    tmp_path: Path,
) -> None:
    """And found by what they look like today, in a journal of before too."""
    path = tmp_path / "j.db"
    kept = {"๐๐๑๒": "๐๐๑๒", "A ٣.0": "a٣", "๑,๐๐๑": "๑,๐๐๑", "००": "००"}
    with closing(SqliteJournal(path, "night")) as journal:
        journal.append([intent(order_id) for order_id in kept])
    with closing(sqlite3.connect(path)) as raw:
        assert dict(raw.execute("SELECT order_id, alike FROM asked")) == kept
    with closing(SqliteJournal(path, "night", read_only=True)) as journal:
        journal.verify()
        assert journal.look_alikes(["12", "a3", "1001", "1,001", ""]) == {
            "12": ["๐๐๑๒"],
            "a3": ["A ٣.0"],
            "1001": ["๑,๐๐๑"],
            "": ["००"],
        }


def test_comments_and_layout_mean_nothing() -> None:
    """A better comment is no new version."""
    assert meaning("-- a\nCREATE TABLE x (\n  y TEXT -- b\n);\n") == meaning(
        "CREATE TABLE x ( y TEXT );\n"
    )
    assert meaning("CREATE TABLE x (y TEXT);\n") != meaning(
        "CREATE TABLE x (z TEXT);\n"
    )


# --- journals of version 1


def intent(order_id: str, attempt: int = 1, send: int = 1, **asked: Any) -> Event:
    kept = {
        "alike": "of an older rule",
        "amount": 100,
        "currency": "thb",
        "destination": "recp_1",
        "payer": "cust_1",
        **asked,
    }
    data: dict[str, Any] = {"boot_id": "b", "boot_s": 1.5, "state": "in_doubt"}
    return Event(
        "intent",
        7,
        "run",
        "batch-1",
        "",
        2,
        order_id,
        attempt,
        send,
        {**data, "intent": kept} if send == 1 else data,
    )


def answer(
    order_id: str, state: str, attempt: int = 1, charge: str = "", kind: str = "answer"
) -> Event:
    data: dict[str, Any] = {
        "state": state,
        **({"charge": {"id": charge}} if charge else {}),
    }
    return Event(kind, 8, "run", "batch-1", "", 2, order_id, attempt, 1, data)


def life() -> Iterator[tuple[str, Event]]:
    """What two jobs wrote into one file."""
    yield "night", Event("run.started", 1, "run")
    for number in range(8):
        yield "night", intent(f"000{number}")
        yield "night", answer(f"000{number}", "succeeded", charge=f"chrg_{number}")
    yield "night", intent("declined")
    yield "night", answer("declined", "declined", charge="chrg_d")
    yield "night", intent("declined", 2)
    yield "day", intent("0001")
    yield "night", intent("late")
    yield "night", answer("late", "declined", charge="chrg_l")
    # version 1 took no notice
    yield (
        "night",
        answer("late", "succeeded", charge="chrg_l", kind="found"),
    )
    yield "night", intent("twice")
    yield "night", answer("twice", "declined", charge="chrg_t")
    yield "night", answer("twice", "succeeded", charge="chrg_t", kind="found")
    yield "night", intent("twice", 2)  # ... and let the next attempt begin
    yield "night", intent("held")
    yield "night", answer("held", "held")
    adopted = {
        "intent": {"amount": 5, "currency": "thb", "destination": "recp_1"},
        "state": "pending",
    }
    yield (
        "night",
        Event(
            "adopted", 9, "run", "batch-0", order_id="0009.0", attempt=1, data=adopted
        ),
    )
    yield "night", Event("run.finished", 10, "run", data={"exit_code": 11})


OPEN = {
    ("night", "declined"): (2, "in_doubt"),
    ("day", "0001"): (1, "in_doubt"),
    ("night", "late"): (1, "succeeded"),
    ("night", "twice"): (1, "beside"),
    ("night", "held"): (1, "held"),
    ("night", "0009.0"): (1, "pending"),
    **{("night", f"000{number}"): (1, "succeeded") for number in range(8)},
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return journal_1(tmp_path / "j.db", life())


def events_of(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("SELECT * FROM events ORDER BY seq").fetchall()


def dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as raw:
        return "\n".join(raw.iterdump())


def form(path: Path) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as raw:
        return {
            (*row[:2], " ".join((row[2] or "").split()))
            for row in raw.execute("SELECT type, name, sql FROM sqlite_master")
        }


def open_attempts(path: Path) -> dict[tuple[str, str], tuple[int, str]]:
    with closing(sqlite3.connect(path)) as raw:
        return {
            (job, order): (n, state)
            for job, order, n, state in raw.execute("SELECT * FROM open_attempts")
        }


@pytest.mark.fault("J33", "A13")
def test_a_journal_of_version_1_becomes_one_of_today(old: Path, tmp_path: Path) -> None:
    """Same events, same id; what is derived is what today's rules make of them, and the form is
    that of a new file.
    """
    before = events_of(old)
    journal = SqliteJournal(old, "night")
    journal.verify()
    assert journal.id == ID
    assert journal.look_alikes(["1", "9", "of an older rule"]) == {
        "1": ["0001"],
        "9": ["0009.0"],
    }
    assert journal.order_of_charge("chrg_3") == ("night", "0003", 1)
    for event in (intent("late", 2), intent("twice", 2, 2), intent("twice", 3)):
        with pytest.raises(Taken):
            journal.append([event])
    journal.append([intent("held", send=2), intent("new", corrects="a place")])
    journal.verify()
    journal.close()
    assert events_of(old)[: len(before)] == before
    SqliteJournal(tmp_path / "new.db", "night").close()
    assert form(old) == form(tmp_path / "new.db")


@pytest.mark.fault("J33")
def test_the_first_form_of_version_1_is_brought_to_today_too(
    old: Path, tmp_path: Path
) -> None:
    """Before it told where an open attempt stands, it told whether it was settled."""
    with closing(sqlite3.connect(old)) as raw:
        raw.executescript(
            """
            DROP TABLE open_attempts;
            CREATE TABLE open_attempts (job TEXT NOT NULL, order_id TEXT NOT NULL,
                attempt INTEGER NOT NULL, settled INTEGER NOT NULL, PRIMARY KEY (job, order_id)
            ) WITHOUT ROWID;
            CREATE INDEX unsettled ON open_attempts (job) WHERE settled = 0;
            """
        )
    journal = SqliteJournal(old, "night")
    journal.verify()
    journal.close()
    assert open_attempts(old) == OPEN
    SqliteJournal(tmp_path / "new.db", "night").close()
    assert form(old) == form(tmp_path / "new.db")


@pytest.mark.fault("J33", "J08")
def test_a_journal_of_version_2_learns_which_ids_look_alike(tmp_path: Path) -> None:
    """It held 8E5 and 800000 apart; its events and everything else stay as they are."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    journal.append([intent("8E5"), intent("A1")])
    journal.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE asked SET alike = '8e5' WHERE order_id = '8E5'")
        raw.execute("UPDATE meta SET value = '2' WHERE name = 'schema_version'")
        raw.commit()
    before, open_before, form_before = events_of(path), open_attempts(path), form(path)
    journal = SqliteJournal(path, "night")
    journal.verify()
    assert journal.look_alikes(["800000", "8e5", "a1"]) == {
        "800000": ["8E5"],
        "a1": ["A1"],
    }
    journal.close()
    assert (events_of(path), open_attempts(path), form(path)) == (
        before,
        open_before,
        form_before,
    )


@pytest.mark.fault("J33", "J13")
def test_a_journal_of_version_3_learns_that_a_card_is_no_payer(tmp_path: Path) -> None:
    """It held the cards of a customer apart; its events and everything else stay as they are."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    journal.append(
        [intent("A1", payer="cust_1:card_1"), intent("A2", payer="cust_1:card_2")]
    )
    journal.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE asked SET terms = order_id")
        raw.execute("UPDATE meta SET value = '3' WHERE name = 'schema_version'")
        raw.commit()
    before, open_before, form_before = events_of(path), open_attempts(path), form(path)
    journal = SqliteJournal(path, "night")
    journal.verify()
    terms = terms_of("cust_1", "recp_1", 100, "thb")
    assert [asked[0] for asked in journal.asked_terms([terms], 0)[terms]] == [
        "A1",
        "A2",
    ]
    journal.close()
    assert (events_of(path), open_attempts(path), form(path)) == (
        before,
        open_before,
        form_before,
    )


@pytest.mark.fault("J33", "J06")
def test_a_journal_of_version_9_learns_that_a_recipient_tells_no_customers_order(
    tmp_path: Path,
) -> None:
    """It held the orders of a customer apart by their recipients, whom a lookup file gives."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    journal.append([intent("A1"), intent("A2", destination="recp_2")])
    journal.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE asked SET terms = order_id")
        raw.execute("UPDATE meta SET value = '9' WHERE name = 'schema_version'")
        raw.commit()
    before, form_before = events_of(path), form(path)
    journal = SqliteJournal(path, "night")
    journal.verify()
    fitting = fitting_terms("cust_1", "recp_3", 100, "thb")[0]
    found = journal.asked_terms([fitting], 0)[fitting]
    assert [asked[0] for asked in found] == ["A1", "A2"]
    journal.close()
    assert (events_of(path), form(path)) == (before, form_before)


@pytest.mark.fault("J33")
def test_a_journal_of_version_4_finds_rare_events_by_their_kind(tmp_path: Path) -> None:
    """Also those about an order; its events and everything else stay as they are."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    journal.append(
        [intent("A1"), Event("cancelled", 7, "run", order_id="A2", data={"reason": ""})]
    )
    journal.close()
    form_before = form(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP INDEX events_of_a_kind")
        raw.execute(
            "CREATE INDEX events_of_a_kind ON events (job, kind) WHERE order_id = ''"
        )
        raw.execute("UPDATE meta SET value = '4' WHERE name = 'schema_version'")
        raw.commit()
    before, open_before = events_of(path), open_attempts(path)
    journal = SqliteJournal(path, "night")
    journal.verify()
    assert [event.order_id for event in journal.cancelled()] == ["A2"]
    journal.close()
    assert (events_of(path), open_attempts(path), form(path)) == (
        before,
        open_before,
        form_before,
    )


@pytest.mark.fault("J33", "J04")
def test_open_attempts_are_what_todays_rule_makes_of_the_events(old: Path) -> None:
    """Money that version 1 overlooked blocks its order: settled, or for good where another attempt
    has begun.
    """
    SqliteJournal(old, "day").close()
    assert open_attempts(old) == OPEN


@pytest.mark.fault("J33")
def test_a_journal_of_version_1_is_read_without_being_written(old: Path) -> None:
    """`plan` and `status` see it in today's form, through a copy that is gone afterwards."""
    before = old.read_bytes()
    names = {path.name for path in old.parent.iterdir()} | {"j.db-wal", "j.db-shm"}
    journal = SqliteJournal(old, "night", read_only=True)
    journal.verify()
    assert journal.id == ID
    assert journal.open_orders() == ["0009.0", "declined", "held", "twice"]
    # one is the other job's
    assert len(list(journal.events())) == len(events_of(old)) - 1
    assert dict(journal.elsewhere(["0001"])["0001"])["day"][0].kind == "intent"
    journal.close()
    assert old.read_bytes() == before
    assert {path.name for path in old.parent.iterdir()} <= names


# --- whatever breaks on the way


@pytest.mark.fault("A13", "J33", "D01")
@pytest.mark.parametrize(
    "trouble", ["database or disk is full", "disk I/O error", "database is locked"]
)
def test_a_migration_that_fails_at_any_statement_has_not_been(
    old: Path, trouble: str
) -> None:
    """Every statement fails once: old form and old content, to the letter; the next run
    migrates.
    """
    good, before, events, failed, number = (
        old.read_bytes(),
        dump(old),
        events_of(old),
        0,
        0,
    )
    ended: set[str] = set()
    while failed == number:
        number += 1

        def fail(count: int, _: str, number: int = number) -> None:
            nonlocal failed
            if count == number:
                failed = number
                raise sqlite3.OperationalError(trouble)

        try:
            SqliteJournal(old, "night", connect=breaking(fail)).close()
        except BatchpayError as error:
            assert error.exit_code in (73, 74, 75), error
            assert "restore" not in str(error), error
            # ... when it failed after the commit
            assert dump(old) == before or old_or_new(old, events) == SCHEMA_VERSION
            ended.add(old_or_new(old, events))
        if failed == number and number % 10 == 0:  # now and then: it goes on from here
            SqliteJournal(old, "night").close()
            assert open_attempts(old) == OPEN
            old.write_bytes(good)
    assert number > 50
    assert ended == {"1", SCHEMA_VERSION}
    assert open_attempts(old) == OPEN


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from batchpay.journals.sqlite.stencils import LEARNED_FROM
from batchpay.journals.sqlite.store import SqliteJournal
from tests.breaking import breaking
at = int(sys.argv[2])
def die(count, statement):
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
print("ready", flush=True)
SqliteJournal(Path(sys.argv[1]), "night", connect=breaking(die)).close()
"""


def killed(path: Path, at: int, after_s: float = 60.0) -> int:
    """A process that opens a journal and dies at its nth statement, or after a time. Returns how it
    ended.
    """
    command = [sys.executable, "-c", KILLED, str(path), str(at)]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.returncode


def old_or_new(path: Path, before: list[tuple[Any, ...]]) -> str:
    """The version of a journal whose process was killed; everything else of it must fit that
    version.
    """
    assert events_of(path) == before
    with closing(sqlite3.connect(path)) as raw:
        ((version,),) = raw.execute(
            "SELECT value FROM meta WHERE name = 'schema_version'"
        ).fetchall()
        has = {
            name
            for (name,) in raw.execute(
                "SELECT name FROM sqlite_master WHERE name IN ('asked', 'alike_orders')"
            )
        }
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert has == ({"alike_orders"} if version == "1" else {"asked"})
    return str(version)


@pytest.mark.fault("A13", "J33", "F05")
def test_a_killed_migration_leaves_the_old_journal_or_the_new_one(
    tmp_path: Path,
) -> None:
    """SIGKILL at a statement, the last ones too, and at any time: the events are the same, the next
    run goes on.
    """
    many = [(job, event) for copy in range(80) for job, event in life_of(copy)]
    path = journal_1(tmp_path / "j.db", many)
    good, before, dice = path.read_bytes(), events_of(path), random.Random(1)
    counted = 0

    def count(number: int, _: str) -> None:
        nonlocal counted
        counted = number

    began = time.perf_counter()
    SqliteJournal(path, "night", connect=breaking(count)).close()
    took_s, seen = time.perf_counter() - began, set()
    for at, after_s in (
        *(
            (number, 60.0)
            for number in (5, 9, 12, counted // 3, counted - 2, counted - 1, counted)
        ),
        *((0, dice.uniform(0, 1.2 * took_s)) for _ in range(5)),
    ):
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        path.write_bytes(good)
        ended = killed(path, at, after_s)
        assert ended == -signal.SIGKILL if at else ended in (0, -signal.SIGKILL)
        seen.add(old_or_new(path, before))
        journal = SqliteJournal(path, "night")
        journal.verify()
        journal.close()
    assert "1" in seen


def life_of(copy: int) -> Iterator[tuple[str, Event]]:
    for job, event in life():
        yield (
            f"{job}-{copy % 2}",
            Event(
                event.kind,
                event.at_ns,
                event.run_id,
                event.batch_id,
                event.sheet,
                event.row,
                event.order_id and f"{copy}-{event.order_id}",
                event.attempt,
                event.send,
                event.data,
            ),
        )


# --- while others are at work


@pytest.mark.fault("J33")
def test_no_journal_is_migrated_under_another_jobs_run(old: Path) -> None:
    """It may be an earlier program's, which would write events without what belongs to them now:
    75, untouched.
    """
    own = RunLock(old, "night", 5, {"started": "noon"})
    other = RunLock(old, "day", 5, {"started": "morning"})
    before = dump(old)
    with pytest.raises(TryLater, match=f"pid {os.getpid()}, since morning"):
        SqliteJournal(old, "night")
    assert dump(old) == before
    SqliteJournal(old, "night", read_only=True).close()
    other.close()
    SqliteJournal(old, "night").close()
    RunLock(old, "day", 5, {"started": "later"}).close()  # the lock has been given back
    own.close()
    assert open_attempts(old) == OPEN


@pytest.mark.fault("J33")
def test_a_run_that_begins_while_a_journal_is_migrated_undoes_it(old: Path) -> None:
    """Its process opened the old form a moment before."""
    began: list[RunLock] = []

    def begin(_: int, statement: str) -> None:
        if statement.startswith("UPDATE meta"):
            began.append(RunLock(old, "day", 5, {"started": "morning"}))

    before = dump(old)
    with pytest.raises(TryLater):
        SqliteJournal(old, "night", connect=breaking(begin))
    assert dump(old) == before
    began[0].close()
    assert lock_path(old, "day").exists()
    SqliteJournal(old, "night").close()


@pytest.mark.fault("J33")
def test_a_journal_of_version_6_keeps_its_events_in_full(tmp_path: Path) -> None:
    """It knew no stencils: what it holds stays as it lies there, and is read and gone on with."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    journal.append([intent("A1"), answer("A1", "succeeded", charge="chrg_1")])
    journal.close()
    form_before = form(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(
            """
            DROP VIEW plain_events;
            DROP TABLE stencils;
            DROP INDEX charges_told_of;
            CREATE INDEX charges_told_of ON events (json_extract(data, '$.charge.id')) WHERE
                kind IN ('answer', 'found', 'adopted', 'resolved')
                AND json_extract(data, '$.charge.id') IS NOT NULL;
            UPDATE meta SET value = '6' WHERE name = 'schema_version';
            """
        )
    before, open_before = events_of(path), open_attempts(path)
    with closing(SqliteJournal(path, "night", read_only=True)) as reader:
        assert reader.order_of_charge("chrg_1") == ("night", "A1", 1)
    journal = SqliteJournal(path, "night")
    journal.verify()
    assert journal.order_of_charge("chrg_1") == ("night", "A1", 1)
    for number in range(2, 2 + LEARNED_FROM + 2):
        journal.append([intent(f"A{number}", payer=f"cust_{number}")])
    journal.verify()
    journal.close()
    assert events_of(path)[: len(before)] == before
    assert open_attempts(path).items() >= open_before.items()
    assert not events_of(path)[-1][11].startswith("{")
    assert form(path) == form_before


PART_8 = """json_extract('["' || replace(e.data, char(127), '","') || '"]', '$[' || {} || ']')"""
VIEW_8 = f"""
CREATE VIEW plain_events AS SELECT seq, job, kind, at_ns, run_id, batch_id, sheet, "row", order_id,
    attempt, send, CASE substr(data, 1, 1) WHEN '{{' THEN data ELSE (
        SELECT group_concat(text, '') FROM (
            SELECT CASE typeof(piece.value) WHEN 'integer' THEN {PART_8.format("piece.value")}
                ELSE piece.value END AS text
            FROM stencils, json_each(stencils.pieces) AS piece
            WHERE stencils.id = {PART_8.format("1")} ORDER BY piece.key))
    END AS data, digest FROM events AS e
"""


def journal_8(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As version 8 left it: stencils without holes for columns, runs and digests as texts."""
    pieces = stencils._pieces

    def pieces_8(between: Any, samples: Any) -> Any:
        apart = [
            one._replace(order_id=f"order {at}", row=f"row {at}")
            for at, one in enumerate(samples)
        ]
        return pieces(between, apart)

    with monkeypatch.context() as patch:
        patch.setattr(stencils, "_pieces", pieces_8)
        patch.setattr(stencils.Shortening, "run", lambda _, event, seq: event.run_id)
        journal = SqliteJournal(path, "night")
        for number in range(1, 2 * LEARNED_FROM):
            name = f"A{number:02d}"
            body = f"order_id={name}&row={number}"
            asked_for = intent(name, payer=f"cust_{number}", body=body, run_id="run")
            charged = answer(name, "succeeded", charge=f"chrg_{number}")
            journal.append([replace(one, row=number) for one in (asked_for, charged)])
        journal.close()
    with closing(sqlite3.connect(path)) as raw:
        stay = "SELECT sql FROM sqlite_master WHERE name = 'events_stay'"
        ((trigger,),) = raw.execute(stay).fetchall()
        raw.executescript(
            f"""
            DROP TRIGGER events_stay;
            UPDATE events SET digest = lower(hex(digest));
            {trigger};
            DROP VIEW plain_events;
            {VIEW_8};
            DROP INDEX events_of_a_batch;
            CREATE INDEX events_of_a_batch ON events (job, batch_id, seq) WHERE batch_id <> '';
            UPDATE asked SET run_id = 'run';
            UPDATE meta SET value = '8' WHERE name = 'schema_version';
            """
        )


@pytest.mark.fault("J33")
def test_a_journal_of_version_8_keeps_its_events_and_stencils(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knew texts of digests, and no events that tell the run of later ones: what it holds stays
    as it lies there, is read by version 9, and is gone on with in its form.
    """
    path = tmp_path / "j.db"
    journal_8(path, monkeypatch)
    before, open_before = events_of(path), open_attempts(path)
    assert not before[-1][11].startswith("{") and len(before[-1][12]) == 64
    with closing(SqliteJournal(path, "night", read_only=True)) as reader:
        reader.verify()
        told = [event.data for event in reader.events()]
        assert reader.order_of_charge("chrg_60") == ("night", "A60", 1)
        orders = sorted({event.order_id for event in reader.events()})
        assert len(list(reader.done_in("run", 0, None, orders))) == len(before)
    assert events_of(path) == before
    journal = SqliteJournal(path, "night")
    journal.verify()
    head = journal.head()
    assert head == (len(before), before[-1][12])
    journal.append([Event("run.started", 8, "later")])
    for number in range(1, 2 * LEARNED_FROM):
        name = f"B{number:02d}"
        body = f"order_id={name}&row={number}"
        asked_for = intent(name, payer=f"cust_{number}", body=body, run_id="later")
        journal.append([replace(asked_for, row=number, run_id="later")])
    journal.verify()
    journal.verify_new()
    journal.reread()
    every = list(journal.events())
    assert [event.data for event in every][: len(before)] == told
    assert {event.run_id for event in every} == {"run", "later"}
    assert journal.digest_of(head[0]) == head[1]
    journal.close()
    fresh = SqliteJournal(tmp_path / "fresh.db", "night")
    fresh.close()
    assert form(path) == form(tmp_path / "fresh.db")
    assert events_of(path)[: len(before)] == before
    assert open_attempts(path).items() >= open_before.items()
    last = events_of(path)[-1]
    assert last[4] == f"\x7f{len(before) + 1}" and len(last[12]) == 32
    digest = before[-1][12]
    with closing(sqlite3.connect(path)) as raw:
        query = "SELECT * FROM plain_events WHERE seq > ? ORDER BY seq"
        for line in raw.execute(query, (len(before),)):
            digest = chained(digest, line)
            assert digest == line[12]
    assert digest == every[-1].digest


@pytest.mark.fault("J33")
def test_two_processes_that_open_an_old_journal_migrate_it_once(old: Path) -> None:
    """The second finds it done."""
    code = (
        "import sys; from pathlib import Path; from batchpay.journals.sqlite.store import"
        " SqliteJournal;journal = SqliteJournal(Path(sys.argv[1]), sys.argv[2]); journal.verify();"
        " journal.close()"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(old), job])
        for job in ("night", "day")
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    assert open_attempts(old) == OPEN


@pytest.mark.fault("D12", "J33")
@pytest.mark.parametrize("version", ["0", "11", "99", "2.0", ""])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_version_that_nobody_here_knows_is_refused_and_left(
    old: Path, version: str, read_only: bool
) -> None:
    """78, and not a byte of it is changed, its mode included."""
    with closing(sqlite3.connect(old)) as raw:
        raw.execute(
            "UPDATE meta SET value = ? WHERE name = 'schema_version'", (version,)
        )
        raw.commit()
    old.chmod(0o640)
    before = old.read_bytes()
    with pytest.raises(
        Misconfigured, match="it was left untouched: use the program that wrote it"
    ):
        SqliteJournal(old, "night", read_only=read_only)
    assert old.read_bytes() == before
    assert old.stat().st_mode & 0o777 == 0o640


# --- any history

STATES = [
    "in_doubt",
    "held",
    "pending",
    "succeeded",
    "unproven",
    "declined",
    "refused",
    "reversed",
    "expired",
]
MOVES = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from(["next", "again", "tell", "adopt"]),
    st.integers(1, 3),
    st.sampled_from(STATES),
    st.booleans(),
)


@pytest.mark.fault("J33", "A13")
@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, max_size=25))
def test_any_history_of_version_1_is_sound_afterwards(
    tmp_path_factory: pytest.TempPathFactory,
    moves: list[tuple[str, str, int, str, bool]],
) -> None:
    """Whatever version 1 wrote: what the migration derives is what soundness finds in the
    events.
    """
    path = tmp_path_factory.mktemp("old") / "j.db"
    written: list[tuple[str, Event]] = []
    last, now, sends = dict.fromkeys("ab", 0), Open(), set()
    for order_id, move, attempt, state, beside in moves:
        number = (
            last[order_id] + 1
            if move in ("next", "adopt")
            else min(attempt, last[order_id])
        )
        data = {"state": state, **({"beside": True} if beside else {})}
        made = {
            "next": intent(order_id, number),
            "again": intent(order_id, number, 1 + attempt),
            "tell": answer(order_id, state, number),
            "adopt": Event("adopted", 9, order_id=order_id, attempt=number, data=data),
        }[move]
        if not number or (made.kind, order_id, number, made.send) in sends:
            continue
        with suppress(Refused):
            rule_1(now, "night", made)
            written.append(("night", made))
            last[order_id] = max(last[order_id], number)
            if move != "tell":
                sends.add((made.kind, order_id, number, made.send))
    journal_1(path, written)
    before = events_of(path)
    journal = SqliteJournal(path, "night")
    journal.verify()
    journal.close()
    assert events_of(path) == before
