"""What many events have in common is kept once: nothing of them is lost, the chain is the one it
was, and who damages what they have in common is found out.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain import events
from batchpay.domain.errors import InputOutput, Taken
from batchpay.domain.model import Event
from batchpay.journals import sqlite as sqlite_journal
from batchpay.journals.sqlite import stencils
from batchpay.journals.sqlite.lines import line_of, values_of
from batchpay.journals.sqlite.soundness import GENESIS, BrokenChain, chained
from batchpay.journals.sqlite.stencils import (
    Shortening,
    or_told_at,
    read_by,
    telling,
    told_at,
)
from batchpay.journals.sqlite.store import SqliteJournal
from tests.doses import dose
from tests.fakes import in_virtual_time


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learned from few, so that little is enough to see it."""
    monkeypatch.setattr(stencils, "LEARNED_FROM", 3)


def intent(number: int, run: str = "run-1", **more: Any) -> Event:
    order = f"{number:05d}"
    body = f"amount={number}00&card=tokn_{order}&metadata%5Border_id%5D={order}&row={number + 1}"
    asked = {"amount": number * 100, "body": body, "payer": f"tokn_{order}"}
    data = {"boot_s": number / 7, "intent": {**asked, "run_id": run, **more}}
    at = (number, run, "batch-1", "", number + 1, order)
    return Event("intent", *at, 1, 1, {**data, "state": "in_doubt"})


def answer(number: int, **more: Any) -> Event:
    charge = {"id": f"chrg_{number:05d}", "amount": number * 100, "currency": "thb"}
    data = {"charge": {**charge, **more}, "state": "succeeded", "verdict": "charge"}
    at = (number, "run-1", "batch-1", "", number + 1, f"{number:05d}")
    return Event("answer", *at, 1, 1, data)


def filled(path: Path, numbers: Sequence[int] = range(1, 21)) -> Path:
    journal = SqliteJournal(path, "night")
    for number in numbers:
        journal.append([intent(number)])
        journal.append([answer(number)])
    journal.close()
    return path


def kept(path: Path, source: str = "events") -> list[str]:
    """The data of each event, as they lie there."""
    with closing(sqlite3.connect(path)) as raw:
        query = f"SELECT data FROM {source} ORDER BY seq"
        return [data for (data,) in raw.execute(query)]


def spoil(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(
            f"DROP TRIGGER stencils_stay; DROP TRIGGER stencils_remain;{statement}"
        )
        raw.commit()


def test_what_events_have_in_common_is_kept_once(tmp_path: Path) -> None:
    """The first three of each shape in full, of the others what differs; and all are read as they
    were written.
    """
    path = filled(tmp_path / "j.db")
    short = [data for data in kept(path) if not data.startswith("{")]
    assert len(short) == 2 * 17
    assert all(len(data) < 60 for data in short)
    order = "00020"
    assert not any(order in data.split("\x7f") for data in short)  # its column tells it
    journal = SqliteJournal(path, "night", read_only=True)
    journal.verify()
    written = [
        one for number in range(1, 21) for one in (intent(number), answer(number))
    ]
    assert [event.data for event in journal.events()] == [one.data for one in written]
    assert [event.data for event in journal.histories(["00020"])["00020"]] == [
        intent(20).data,
        answer(20).data,
    ]
    assert journal.order_of_charge("chrg_00001") == ("night", "00001", 1)
    assert journal.order_of_charge("chrg_00020") == ("night", "00020", 1)
    assert journal.order_of_charge("chrg_00021") is None
    journal.close()


def test_sql_alone_puts_them_together_again(tmp_path: Path) -> None:
    """The view says what was written, to the letter, without our program: data, run and digest."""
    path = filled(tmp_path / "j.db")
    written = [
        one for number in range(1, 21) for one in (intent(number), answer(number))
    ]
    texts = [line_of(1, "night", event)[-1] for event in written]
    assert kept(path, "plain_events") == texts
    digest = GENESIS
    with closing(sqlite3.connect(path)) as raw:
        for line in raw.execute("SELECT * FROM plain_events ORDER BY seq"):
            digest = chained(digest, line)
            assert (line[4], line[12]) == ("run-1", digest)
        runs = "SELECT run_id, count(*) FROM events GROUP BY run_id ORDER BY 2"
        assert raw.execute(runs).fetchall() == [("run-1", 1), ("\x7f1", 39)]
        query = "SELECT DISTINCT typeof(digest), length(digest) FROM events"
        assert raw.execute(query).fetchall() == [("blob", 32)]


def test_a_run_is_told_by_an_event_that_is_in_the_file(tmp_path: Path) -> None:
    """Not by one of a commit that did not happen, whose number is another's then; and an event of a
    rare kind tells it in full.
    """
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    journal.append([intent(1)])
    with pytest.raises(Taken):
        journal.append([intent(2, run="run-2"), intent(1, run="run-2")])
    journal.append([intent(3), intent(4, run="run-2"), intent(5, run="run-2")])
    journal.append([intent(6, run="run-2"), Event("stop", 7, "run-2")])
    journal.verify()
    told = [event.run_id for event in journal.events()]
    assert told == ["run-1", "run-1", *["run-2"] * 4]
    journal.close()
    with closing(sqlite3.connect(path)) as raw:
        runs = [run for (run,) in raw.execute("SELECT run_id FROM events ORDER BY seq")]
    assert runs == ["run-1", "\x7f1", "run-2", "run-2", "\x7f3", "run-2"]


def test_a_run_that_no_event_tells_any_more_breaks_the_chain(tmp_path: Path) -> None:
    """As every change of what is kept once."""
    path = filled(tmp_path / "j.db")
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(
            "DROP TRIGGER events_stay; UPDATE events SET run_id = char(127) || '99' WHERE seq = 30"
        )
    with closing(SqliteJournal(path, "night", read_only=True)) as journal:
        with pytest.raises(InputOutput):
            journal.verify()
        assert [one.run_id for one in journal.histories(["00015"])["00015"]] == [
            "run-1",
            "\x7f99",
        ]


def test_the_chain_is_the_one_of_events_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How an event is kept changes no digest: a manifest of before still names it."""
    short = SqliteJournal(filled(tmp_path / "short.db"), "night", read_only=True)
    monkeypatch.setattr(stencils, "LEARNED_FROM", 1000)
    full = SqliteJournal(filled(tmp_path / "full.db"), "night", read_only=True)
    assert kept(full.path) == kept(full.path, "plain_events")
    assert short.head() == full.head()
    short.close()
    full.close()


def test_an_archived_batch_is_read_as_before(tmp_path: Path) -> None:
    """Its first events are packed then, and those that a stencil keeps stay as they are."""
    path = filled(tmp_path / "j.db")
    journal = SqliteJournal(path, "night")
    before = [event.data for event in journal.events()]
    lines = list(journal.lines_of("batch-1"))
    short = [data for data in kept(path) if data[0] != "{"]
    journal.archive(Event("archived", 99, "run-2", "batch-1"), "batch-1")
    journal.verify()
    assert [event.data for event in journal.events()][:-1] == before
    assert list(journal.lines_of("batch-1"))[:-1] == lines
    assert [data for data in kept(path) if data[0] != "{"] == short
    assert journal.order_of_charge("chrg_00002") == ("night", "00002", 1)
    assert journal.order_of_charge("chrg_00020") == ("night", "00020", 1)
    journal.close()


def test_queries_ask_what_an_event_says_in_full() -> None:
    """`data` itself is no JSON where a stencil keeps the rest of it. Asked as it lies there: plans,
    which are never kept so; and by the archive, of those that are in full.
    """
    asked = re.compile(r"json_extract\((?:\w+\.)?data\b")
    allowed = {"stencils.py", "batches.py", "archiving.py"}
    folders = [Path(sqlite_journal.__file__).parent, Path(events.__file__).parent]
    found = [
        path.name
        for folder in folders
        for path in folder.glob("*.py")
        if asked.search(path.read_text("utf-8"))
    ]
    assert set(found) <= allowed


DAMAGE = {
    "another text": "UPDATE stencils SET pieces = replace(pieces, 'state', 'State')",
    "another hole": "UPDATE stencils SET pieces = replace(pieces, ', 2,', ', 1,')",
    "no hole": "UPDATE stencils SET pieces = replace(pieces, ', 2,', ', 99,')",
    "no list": "UPDATE stencils SET pieces = '{'",
    "a list of lists": "UPDATE stencils SET pieces = '[[]]'",
    "another number": "UPDATE stencils SET id = -id",
    "gone": "DELETE FROM stencils",
}


@pytest.mark.fault("D06", "D14")
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_stencil_breaks_the_chain(tmp_path: Path, damage: str) -> None:
    """It stands behind events: the first of them does not fit the chain any more, and nothing is
    told of it.
    """
    path = filled(tmp_path / "j.db")
    first = next(at for at, data in enumerate(kept(path), 1) if data[0] != "{")
    spoil(path, damage)
    journal = SqliteJournal(path, "night")
    with pytest.raises(BrokenChain, match=f"event {first} "):
        journal.verify()
    with pytest.raises(BrokenChain):
        journal.verify_new()
    journal.close()


@pytest.mark.fault("D06")
def test_an_event_whose_stencil_is_gone_is_not_told(tmp_path: Path) -> None:
    path = filled(tmp_path / "j.db")
    spoil(path, "DELETE FROM stencils")
    journal = SqliteJournal(path, "night", read_only=True)
    with pytest.raises(InputOutput):
        journal.histories(["00020"])
    journal.close()


def test_stencils_are_only_added(tmp_path: Path) -> None:
    with closing(sqlite3.connect(filled(tmp_path / "j.db"))) as raw:
        for statement in ("UPDATE stencils SET pieces = ''", "DELETE FROM stencils"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_what_is_rolled_back_is_not_relied_on(tmp_path: Path) -> None:
    """A stencil of a commit that did not happen is not in the file: another job's may take its
    number.
    """
    path = tmp_path / "j.db"
    night, day = SqliteJournal(path, "night"), SqliteJournal(path, "day")
    with pytest.raises(Taken):
        night.append([*map(intent, (1, 2, 3)), intent(1)])
    assert not kept(path, "plain_events")
    for journal in (day, night, day, night):
        for number in range(journal.head()[0] + 1, journal.head()[0] + 9):
            journal.append([intent(number, run=journal.job), answer(number)])
    for journal in (day, night):
        journal.verify()
        journal.close()
    assert sum(data[0] != "{" for data in kept(path)) > 30


def test_they_are_read_while_a_thread_writes(tmp_path: Path) -> None:
    """By the loop's own connection, which learns them from the file."""
    journal = SqliteJournal(tmp_path / "j.db", "night")

    async def both() -> None:
        for number in range(1, 9):
            await journal.write([intent(number)])
            (event,) = journal.histories([f"{number:05d}"])[f"{number:05d}"]
            assert event.data == intent(number).data

    in_virtual_time(both())
    journal.close()
    assert sum(data[0] != "{" for data in kept(journal.path)) == 5


def test_a_word_that_changed_once_is_a_hole_from_then_on(tmp_path: Path) -> None:
    """Charges of one second have their time in common, those of the next have another: after the
    second stencil none is learned any more.
    """
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, "night")
    for number in range(1, 41):
        at = f"2026-11-26T16:42:{number // 10:02d}Z"
        journal.append([intent(number)])
        journal.append([answer(number, created_at=at)])
    journal.verify()
    journal.close()
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM stencils").fetchone() == (3,)


# --- any text

WORDS = st.text(
    st.sampled_from("aZ09 .-_%+=&,:{}[]\"\\\x7f\n\x01'ü入\ud800"), max_size=6
)
DATA = st.fixed_dictionaries(
    {"boot_s": st.floats(0, 9), "state": st.sampled_from(["held", "in_doubt"])},
    optional={
        "a": WORDS,
        "b": st.lists(WORDS, max_size=2),
        "charge": st.fixed_dictionaries({"id": WORDS}, optional={"c": WORDS}),
    },
)


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as made:
        read_by(made)
        yield made


ASKED = (
    "$.state",
    "$.charge.id",
    "$.charge",
    "$.boot_s",
    "$.order",
    "$.row",
    "$.none.such",
)


def _there(kept: Any, path: str) -> Any:
    for name in path.split(".")[1:]:
        kept = kept.get(name) if isinstance(kept, dict) else None
    return kept


@pytest.mark.parametrize("end", ["t", "u001f", "\\t", '"'])
def test_what_differs_behind_a_backslash_is_told(
    connection: sqlite3.Connection, end: str
) -> None:
    """A tab and a line break in one place of two events: what is shared ends in mid-escape."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS stencils (id INTEGER PRIMARY KEY, pieces)"
    )
    shortening = Shortening()
    said = {"t": "\t", "u001f": "\x1f"}.get(end, end)
    for number in range(1, 9):
        a = f"order{said if number % 2 else chr(10)}{number}"
        data = {"boot_s": float(number), "state": "held", "a": a}
        event = Event("answer", 1, "run", row=number, order_id="A", data=data)
        text = line_of(1, "night", event)[-1]
        short = shortening.short(connection, event, text)
        shortening.committed()
        kept = '(SELECT ? AS data, ? AS order_id, ? AS "row")'
        query = f"SELECT {told_at('$.state', '$.a')} FROM {kept}"
        (found,) = connection.execute(query, (short, "A", number)).fetchone()
        assert values_of(found) == ["held", a]


@settings(max_examples=dose(50, 150), deadline=None)
@given(st.lists(DATA, min_size=4, max_size=12))
def test_whatever_an_event_says_it_says_afterwards(
    connection: sqlite3.Connection, every: list[dict[str, Any]]
) -> None:
    """Quotes, control characters, half a pair: it is put together to the letter, or kept in
    full.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS stencils (id INTEGER PRIMARY KEY, pieces)"
    )
    shortening = Shortening()
    told_one_by_one = [
        (paths, telling(connection, *paths))
        for paths in (
            [*ASKED],
            ["$.state", "$.charge.amount"],
            ["$.charge.id", "$.row"],
        )
    ]
    for number, data in enumerate(every, start=1):
        order_id = f"A{number}"
        if number % 2:
            data |= {"order": order_id, "row": number}
        event = Event("answer", 1, "run", row=number, order_id=order_id, data=data)
        text = line_of(1, "night", event)[-1]
        short = shortening.short(connection, event, text)
        shortening.committed()
        query = "SELECT plain(?, ?, ?)"
        found = connection.execute(query, (short, order_id, number)).fetchone()
        assert found == (text,)
        query = f'SELECT {told_at(*ASKED)} FROM (SELECT ? AS data, ? AS order_id, ? AS "row")'
        (found,) = connection.execute(query, (short, order_id, number)).fetchone()
        assert values_of(found) == [_there(json.loads(text), path) for path in ASKED]
        for paths, telling_ in told_one_by_one:
            query = f"SELECT {or_told_at(*paths)} FROM (SELECT ? AS data)"
            (kept,) = connection.execute(query, (short,)).fetchone()
            found = values_of(telling_(kept, order_id, number))
            assert found == [_there(json.loads(text), path) for path in paths]
        told = json.loads(text).get("charge", {}).get("id")
        if "\\ud800" not in text:
            query = f"SELECT {stencils.CHARGE_TOLD_OF} FROM (SELECT ? AS data)"
            assert connection.execute(query, (short,)).fetchone()[0] in (
                told,
                told or None,
            )
