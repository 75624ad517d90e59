"""The journal on a real disk: durable, chained, private, refused when it is not ours."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batchpay.domain.errors import Bug, InputOutput, Misconfigured, Taken, TryLater
from batchpay.domain.model import Event
from batchpay.journals.lock import RunLock
from batchpay.journals.sqlite.soundness import BrokenChain
from batchpay.journals.sqlite.store import SqliteJournal


def filled(path: Path, count: int = 20) -> Path:
    journal = SqliteJournal(path, "night")
    journal.append(
        [
            Event("intent", n, order_id=str(n), attempt=1, send=1, data={"n": n})
            for n in range(count)
        ]
    )
    journal.close()
    return path


def verify(path: Path) -> None:
    journal = SqliteJournal(path, "night")
    try:
        journal.verify()
    finally:
        journal.close()


def test_every_commit_is_synchronous_and_the_file_private(tmp_path: Path) -> None:
    """Law L1: WAL with FULL; the state holds tokens, so nobody else may read it."""
    journal = SqliteJournal(tmp_path / "s" / "j.db", "night")
    pragma = journal._connection.execute("PRAGMA synchronous").fetchone()[0]
    assert pragma == 2
    assert journal._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    for name in (tmp_path / "s").iterdir():
        assert stat.S_IMODE(name.stat().st_mode) == 0o600
    journal.close()


def test_a_digest_covers_the_line_as_a_json_array(tmp_path: Path) -> None:
    """Whatever a text holds: anybody can check the chain with a JSON library and SHA-256."""
    journal = SqliteJournal(tmp_path / "j.db", 'ni"ght')
    odd = 'a"b\\c\n\x00\x1f/é ใบ \u2028 😀'
    event = Event(
        "intent", 3, odd, odd, odd, 4, odd, 1, 1, {"n": odd, "b": True, "x": None}
    )
    first, second = journal.append([event, Event("note", 5)])
    query = "SELECT * FROM plain_events ORDER BY seq"
    rows = journal._connection.execute(query).fetchall()
    for before, row, stored in zip(
        ["0" * 64, first.digest], rows, [first, second], strict=True
    ):
        line = json.dumps(list(row[:12]), ensure_ascii=False)
        assert (
            stored.digest
            == row[12]
            == hashlib.sha256(f"{before}{line}".encode()).hexdigest()
        )
    journal.close()


@pytest.mark.parametrize("size", [1, 2, 3, 63, 64, 65, 127, 300])
def test_a_group_of_any_size_is_kept_as_it_was_written(
    tmp_path: Path, size: int
) -> None:
    """Rows go in by few statements: none is lost at their edges, and all derived tables fit."""
    journal = SqliteJournal(tmp_path / "j.db", "night")
    sent = [
        Event(
            "intent", n, order_id=f"{n}", attempt=1, send=1, data={"state": "in_doubt"}
        )
        for n in range(size)
    ]
    told = [
        Event(
            "answer", n, order_id=f"{n}", attempt=1, send=1, data={"state": "succeeded"}
        )
        for n in range(size)
    ]
    with pytest.raises(Taken, match=f"order {size - 1}: attempt 1 may not begin"):
        journal.append([*sent, *sent[size - 1 :]])
    stored = (
        journal.append(sent) + journal.append(told[: size // 2]) + journal.append([])
    )
    assert list(journal.events()) == stored
    assert len(stored) == size + size // 2
    assert journal.open_orders() == sorted(f"{n}" for n in range(size // 2, size))
    journal.verify()
    journal.close()


@pytest.mark.fault("D14")
@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE events SET order_id = 'other' WHERE seq = 7",
        "UPDATE events SET data = '{}' WHERE seq = 7",
        "DELETE FROM events WHERE seq = 7",
        "UPDATE events SET seq = 99 WHERE seq = 20",
        "UPDATE events SET at_ns = 6.5 WHERE seq = 7",
        "UPDATE events SET attempt = 'one' WHERE seq = 7",
        "UPDATE events SET batch_id = x'00' WHERE seq = 7",
    ],
)
def test_an_edited_line_breaks_the_chain(tmp_path: Path, edit: str) -> None:
    """Even a person with a tool cannot change the journal unseen."""
    path = filled(tmp_path / "j.db")
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER events_stay")
    raw.execute("DROP TRIGGER events_remain")
    raw.execute(edit)
    raw.commit()
    raw.close()
    with pytest.raises(BrokenChain):
        verify(path)


def test_events_can_be_neither_changed_nor_deleted(tmp_path: Path) -> None:
    """Append-only, by trigger."""
    raw = sqlite3.connect(filled(tmp_path / "j.db"))
    for statement in ("UPDATE events SET kind = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(statement)
    raw.close()


@pytest.mark.fault("D06")
def test_a_flipped_bit_in_an_event_is_found_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    """Any one bit of the events' pages: the chain, or SQLite itself, says so."""
    path = filled(tmp_path / "j.db", count=200)
    good = path.read_bytes()
    places = [at for at in range(0, len(good), 997) if good[at : at + 1].isalnum()]
    found = 0
    for at in places:
        path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        try:
            verify(path)
        except (InputOutput, Misconfigured):
            found += 1
        for extra in ("-wal", "-shm"):
            Path(f"{path}{extra}").unlink(missing_ok=True)
    assert found >= len(places) // 3  # the rest hit indexes, free space or SQL text
    path.write_bytes(good)
    verify(path)


@pytest.mark.fault("D12")
def test_a_journal_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """Refused with 78 and untouched."""
    path = filled(tmp_path / "j.db")
    raw = sqlite3.connect(path)
    raw.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    raw.commit()
    raw.close()
    before = path.read_bytes()
    with pytest.raises(Misconfigured, match="another version"):
        SqliteJournal(path, "night")
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A SQLite file that is not a journal is named as such."""
    raw = sqlite3.connect(tmp_path / "j.db")
    raw.execute("CREATE TABLE customers (name)")
    raw.close()
    with pytest.raises(Misconfigured, match="not a batchpay journal"):
        SqliteJournal(tmp_path / "j.db", "night")


def test_a_file_that_is_no_database_is_74(tmp_path: Path) -> None:
    """Damage is named, never a traceback."""
    (tmp_path / "j.db").write_bytes(b"\x00garbage" * 1000)
    with pytest.raises(InputOutput):
        SqliteJournal(tmp_path / "j.db", "night")


@pytest.mark.fault("D05")
def test_a_locked_journal_is_waited_for_and_then_left(tmp_path: Path) -> None:
    """Another program holds it: 75, nothing written."""
    path = filled(tmp_path / "j.db")
    journal = SqliteJournal(path, "night", locked_wait_s=0.2)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TryLater, match="locked"):
        journal.append([Event("run.started")])
    holder.rollback()
    holder.close()
    journal.append([Event("run.started")])
    journal.close()


@pytest.mark.fault("L6", "D05")
def test_what_waits_when_a_run_fails_is_written_all_the_same(tmp_path: Path) -> None:
    """Answers that were handed over while the disk was busy outlive the loop that waited for
    them.
    """
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def fail() -> None:
        writes = []
        for number in (1, 2, 3):
            writes.append(
                asyncio.ensure_future(journal.write([Event("answer", number)]))
            )
            # each is a commit of its own, the first one under way
            await asyncio.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(fail())
    other.execute("ROLLBACK")
    journal.close()
    again = SqliteJournal(path, "night", read_only=True)
    assert [event.at_ns for event in again.events()] == [1, 2, 3]
    again.close()


def test_two_jobs_share_a_file_and_one_chain(tmp_path: Path) -> None:
    """Each sees its own events; the chain runs through both."""
    one, two = (
        SqliteJournal(tmp_path / "j.db", "one"),
        SqliteJournal(tmp_path / "j.db", "two"),
    )
    for journal in (one, two, one):
        journal.append([Event("run.started", run_id=journal.job)])
    assert [event.run_id for event in one.events()] == ["one", "one"]
    assert one.id == two.id
    two.verify()
    one.close()
    two.close()


@pytest.mark.fault("E01")
def test_who_only_reads_sees_one_moment_whatever_is_written_meanwhile(
    tmp_path: Path,
) -> None:
    """What several questions find fits together, and the writer is not kept from writing."""
    path = tmp_path / "j.db"
    writer = SqliteJournal(path, "night")
    writer.append([Event("run.started", 1)])
    reader = SqliteJournal(path, "night", read_only=True)
    writer.append([Event("run.finished", 2)])
    assert [event.at_ns for event in reader.events()] == [1]
    reader.verify()
    assert reader.head()[0] == 1
    reader.close()
    later = SqliteJournal(path, "night", read_only=True)
    assert [event.at_ns for event in later.events()] == [1, 2]
    later.close()
    writer.close()


@pytest.mark.fault("E01")
def test_the_lock_is_the_kernels_and_names_its_holder(tmp_path: Path) -> None:
    """A second run ends at once with the host, pid and start of the first; a killed holder holds
    nothing.
    """
    code = (
        "import sys, time; from pathlib import Path; from batchpay.journals.lock import"
        " RunLock;lock = RunLock(Path(sys.argv[1]), 'night', 5, {'started': 'noon'}); lock.stamp();"
        " print('held', flush=True);time.sleep(60)"
    )
    state = tmp_path / "j.db"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(state)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with pytest.raises(TryLater, match=f"pid {holder.pid}, since noon"):
            RunLock(state, "night", 5, {"started": "later"})
        RunLock(state, "another job", 5, {"started": "later"}).close()
        holder.kill()
    lock = RunLock(state, "night", 5, {"started": "later"})
    (age_s,) = lock.ages_s()
    assert 0 <= age_s < 60
    lock.close()


def test_the_lock_remembers_the_last_requests_only(tmp_path: Path) -> None:
    """A ring of as many stamps as the rate allows in one window."""
    lock = RunLock(tmp_path / "j.db", "night", 3, {"started": "noon"})
    for _ in range(5):
        lock.stamp()
        time.sleep(0.002)
    assert len(lock.ages_s()) == 3
    lock.close()
    assert lock.path.stat().st_size < 4096


@pytest.mark.fault("D09")
def test_what_is_laid_over_a_journal_that_is_read_stays_out_of_its_file(
    tmp_path: Path,
) -> None:
    """It answers as if it had been told; a journal that is written takes nothing so."""
    path = filled(tmp_path / "j.db")
    was = path.read_bytes()
    event = Event("cancelled", 30, order_id="b", data={"reason": "a fraud"})
    reader = SqliteJournal(path, "night", read_only=True)
    reader.verify_new()
    reader.as_if_told([event])
    assert [one.order_id for one in reader.cancelled()] == ["b"]
    assert len(list(reader.events())) == 21
    reader.close()
    assert path.read_bytes() == was
    writer = SqliteJournal(path, "night")
    with pytest.raises(Bug):
        writer.as_if_told([event])
    assert writer.head()[0] == 20
    writer.close()


@pytest.mark.fault("D09", "D10")
def test_what_is_laid_over_a_journal_that_is_not_there_makes_no_file(
    tmp_path: Path,
) -> None:
    """It is in memory."""
    reader = SqliteJournal(tmp_path / "j.db", "night", read_only=True)
    reader.as_if_told([Event("cancelled", 1, order_id="b", data={"reason": ""})])
    assert [one.order_id for one in reader.cancelled()] == ["b"]
    reader.close()
    assert not list(tmp_path.iterdir())
