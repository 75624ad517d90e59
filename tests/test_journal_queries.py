"""What the journal on disk is asked about all orders, and that no question walks through all
events.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.domain.errors import InputOutput
from batchpay.domain.events import AskedFor, begins
from batchpay.domain.model import Batch, Done, Event, Judged, Problem
from batchpay.journals.asked import asked
from batchpay.journals.sqlite import orders
from batchpay.journals.sqlite.batches import _between
from batchpay.journals.sqlite.rows import pack, unpack
from batchpay.journals.sqlite.soundness import _meant
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.places import place_of, tail_of
from batchpay.lifecycle.sale_terms import terms_of
from batchpay.messages.message import plain

HOUR_NS = 3600 * 10**9


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "j.db", "night")
    yield opened
    opened.verify()
    opened.close()


def intent(
    order_id: str,
    at_ns: int = 1,
    attempt: int = 1,
    batch_id: str = "batch-1",
    **asked: Any,
) -> Event:
    kept = {
        "amount": 100,
        "currency": "thb",
        "destination": "recp_1",
        "payer": "cust_1",
        **asked,
    }
    data = {"state": "in_doubt", "intent": kept}
    return Event(
        "intent",
        at_ns,
        batch_id=batch_id,
        order_id=order_id,
        attempt=attempt,
        send=1,
        data=data,
    )


def answer(order_id: str, state: str, attempt: int = 1, charge: str = "") -> Event:
    data = {"state": state, **({"charge": {"id": charge}} if charge else {})}
    return Event("answer", 2, order_id=order_id, attempt=attempt, send=1, data=data)


TERMS = terms_of("cust_1", "recp_1", 100, "thb")


def test_when_a_batch_was_told_429(journal: SqliteJournal) -> None:
    """Answers to its own charges alone."""
    told = {"state": "held", "status": 429, "verdict": "throttled"}
    journal.append(
        [
            intent("a"),
            Event(
                "answer",
                7,
                batch_id="batch-1",
                order_id="a",
                attempt=1,
                send=1,
                data=told,
            ),
            intent("b", batch_id="batch-2"),
            Event(
                "answer",
                8,
                batch_id="batch-2",
                order_id="b",
                attempt=1,
                send=1,
                data=told,
            ),
        ]
    )
    assert [event.at_ns for event in journal.told_429("batch-1")] == [7]
    assert not list(journal.told_429("batch-3"))


@pytest.mark.fault("J06", "J07")
def test_who_asked_the_same(journal: SqliteJournal) -> None:
    """Every attempt since a time with its batch, oldest first; of an adopted charge what it
    says.
    """
    journal.append(
        [
            intent("old", 5),
            intent("a", 10),
            answer("a", "declined"),
            intent("a", 11, 2, "batch-2"),
        ]
    )
    journal.append([intent("other", 12, amount=101), intent("THB", 13, currency="THB")])
    seen = {
        "state": "succeeded",
        "intent": {
            "amount": 100,
            "currency": "thb",
            "destination": "recp_1",
            "payer": "",
        },
    }
    journal.append(
        [Event("adopted", 14, order_id="seen", attempt=1, batch_id="b", data=seen)]
    )
    by_whom = terms_of("", "recp_1", 100, "thb")
    assert journal.asked_terms([TERMS, by_whom, "0" * 16], 10) == {
        TERMS: [
            ("a", "batch-1", 10, TERMS),
            ("a", "batch-2", 11, TERMS),
            ("THB", "batch-1", 13, TERMS),
        ],
        by_whom: [("seen", "b", 14, by_whom)],
    }
    assert journal.asked_terms([TERMS], 14) == journal.asked_terms([], 0) == {}


@pytest.mark.fault("J14")
def test_who_came_to_correct_a_row(journal: SqliteJournal) -> None:
    """By the place of the row; each order once."""
    place, other = (
        place_of("2026-01-01-0123456789ab", "Orders", 7),
        place_of("2026-01-01-0123456789ab", "", 7),
    )
    journal.append(
        [
            intent("a", corrects=place),
            answer("a", "declined"),
            intent("a", attempt=2, corrects=place),
        ]
    )
    journal.append([intent("b", corrects=place), intent("plain")])
    assert journal.corrected([place, other, ""]) == {place: ["a", "b"]}


@pytest.mark.fault("J06")
def test_what_other_jobs_of_the_file_did_with_an_order(tmp_path: Path) -> None:
    """By order and job, oldest first; each job keeps its own open attempts."""
    jobs = {
        name: SqliteJournal(tmp_path / "j.db", name)
        for name in ("night", "day", "noon")
    }
    for name in ("day", "noon", "night"):
        jobs[name].append(
            [intent("a"), answer("a", "succeeded", charge=f"chrg_{name}")]
        )
    jobs["day"].append([intent("b")])
    found = jobs["night"].elsewhere(["a", "b", "c"])
    assert {
        order_id: [job for job, _ in of_jobs] for order_id, of_jobs in found.items()
    } == {
        "a": ["day", "noon"],
        "b": ["day"],
    }
    noon = dict(found["a"])["noon"]
    assert [event.kind for event in noon] == ["intent", "answer"]
    assert noon == jobs["noon"].histories(["a"])["a"]
    assert jobs["night"].order_of_charge("chrg_day") == ("day", "a", 1)
    assert jobs["night"].look_alikes(["a", "b"]) == {"a": ["a"]}
    assert jobs["night"].asked_terms([TERMS], 0) == {
        TERMS: [("a", "batch-1", 1, TERMS)]
    }
    assert jobs["night"].charges_known(0) == {"chrg_night": ""}
    assert jobs["noon"].open_orders() == []
    jobs["night"].verify()
    for opened in jobs.values():
        opened.close()


@pytest.mark.fault("J06")
def test_what_rows_of_the_same_file_caused_in_other_jobs(tmp_path: Path) -> None:
    """Whatever day its batch is of there; not what this job's own rows did, nor other files'."""
    path, digest = tmp_path / "j.db", "ab" * 32
    for job, day in (("night", 1), ("day", 2)):
        opened = SqliteJournal(path, job)
        batch_id = f"2026-01-0{day}-{tail_of(job, digest)}"
        caused = intent(f"{job}-1", batch_id=batch_id)
        opened.append([replace(caused, sheet="S", row=7), intent(f"{job}-2")])
        opened.close()
    with closing(SqliteJournal(path, "night")) as opened:
        batches = opened.batches_elsewhere(digest)
        assert batches == [("day", f"2026-01-02-{tail_of('day', digest)}")]
        assert opened.batches_elsewhere("cd" * 32) == []
        found = opened.owned_elsewhere(batches, "S", 7, 9)
        assert {row: list(some) for row, some in found.items()} == {
            7: [("day", "day-1")]
        }
        assert opened.owned_elsewhere(batches, "S", 8, 9) == {}
        assert opened.owned_elsewhere(batches, "", 7, 9) == {}


def test_what_recipients_and_tokens_were_asked_for_is_found_among_the_last_attempts(
    journal: SqliteJournal,
) -> None:
    """Whoever else a token of the same last characters paid, and whatever an older one asked."""
    spent = {"payer": "tokn_1_abcd", "single_use": "tokn_1_abcd"}
    like = {"payer": "tokn_2_abcd", "single_use": "tokn_2_abcd"}
    journal.append([intent("old", 1), intent("paid", 2, destination="recp_2", **spent)])
    journal.append([intent("like", 3, destination="recp_3", **like), intent("new", 4)])

    def asked(
        recipients: set[str], tokens: set[str], most: int = 9, until: int = 5
    ) -> list[str]:
        found = journal.asked_of(recipients, tokens, until, most)
        return [order_id for _, order_id, *_ in found]

    assert asked({"recp_1"}, set()) == ["new", "old"]
    assert asked({"recp_1", "\ud800"}, {"tokn_1_abcd"}) == ["new", "paid", "old"]
    assert asked(set(), {"tokn_2_abcd", "tokn_3_abcd"}) == ["like"]
    assert asked({"recp_1"}, {"tokn_1_abcd"}, 3) == ["new", "paid"]
    assert asked({"recp_1"}, {"tokn_1_abcd"}, 9, 4) == ["paid", "old"]
    (found,) = journal.asked_of({"recp_2"}, set(), 5, 9)
    asked_for = AskedFor("tokn_1_abcd", "recp_2", 100, "thb", "tokn_1_abcd")
    assert found == (2, "paid", "batch-1", asked_for)
    assert journal.orders_sent_since(2) == {"like", "new", "paid"}


@pytest.mark.fault("J05")
def test_the_youngest_charge_stands_where_it_was_told(journal: SqliteJournal) -> None:
    """Not where events end: a look-up may tell of an older one later, in another page of events."""

    def seen(charge_id: str, created_at: str) -> Event:
        told = {"charge": {"id": charge_id, "created_at": created_at}}
        return Event("found", 50 * HOUR_NS, order_id="a", attempt=1, data=told)

    journal.append([intent("a"), seen("young", "2026-11-24T10:00:00Z")])
    journal.append([Event("run.started", 50 * HOUR_NS) for _ in range(20_000)])
    journal.append([seen("old", "2026-11-23T10:00:00Z")])
    young = {"young": "2026-11-24T10:00:00Z"}
    assert journal.youngest_charges(50 * HOUR_NS) == young
    assert journal.youngest_charges(51 * HOUR_NS) == {}


@pytest.mark.fault("J05")
def test_the_youngest_charges_are_all_of_one_second(journal: SqliteJournal) -> None:
    """Wherever they stand."""

    def seen(number: int) -> Event:
        made = "2026-11-24T10:00:00Z" if number % 2000 == 7 else "2026-11-24T09:00:00Z"
        told = {"charge": {"id": f"chrg_{number}", "created_at": made}}
        return Event("found", 50 * HOUR_NS, order_id="a", attempt=1, data=told)

    journal.append([intent("a"), *(seen(number) for number in range(3000))])
    assert set(journal.youngest_charges(0)) == {"chrg_7", "chrg_2007"}


@pytest.mark.fault("J05")
def test_the_youngest_charge_is_not_looked_for_among_those_of_long_before(
    journal: SqliteJournal,
) -> None:
    """What SQLite does for it does not grow with them."""
    day_ns = 24 * HOUR_NS

    def seen(day: int) -> Event:
        told = {
            "charge": {"id": f"of {day}", "created_at": f"1970-01-{day:02}T00:00:00Z"}
        }
        at_ns = (day - 1) * day_ns
        return Event("found", at_ns, order_id="a", attempt=1, data=told)

    journal.append([intent("a")])
    found = []
    for days in (range(1, 4), range(4, 10)):
        for day in days:
            journal.append([seen(day) for _ in range(1000)])
        journal.append([seen(30) for _ in range(2500)])
        assert set(journal.youngest_charges(0)) == {"of 30"}
        steps = work(journal, lambda: journal.youngest_charges(0))
        found.append((steps, work(journal, lambda: journal.charges_known(29 * day_ns))))
    few, many = found
    assert many[0] < 1.1 * few[0] and many[1] < 1.5 * few[1]


def work(journal: SqliteJournal, call: Callable[[], object]) -> int:
    """So many tens of steps does SQLite's machine take for it."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    journal._connection.set_progress_handler(step, 10)
    call()
    journal._connection.set_progress_handler(None, 0)
    return steps


def test_many_values_are_asked_about_at_once(journal: SqliteJournal) -> None:
    """More than SQLite takes in one statement."""
    journal.append([intent(f"0{n}") for n in range(3000)])
    forms = [str(n) for n in range(3000)]
    assert journal.look_alikes(forms)["2999"] == ["02999"]
    assert len(journal.look_alikes(forms)) == 2999  # "0" is nothing without its zeros
    assert len(journal.histories([f"0{n}" for n in range(3000)])) == 3000


@pytest.mark.fault("J05", "C01")
def test_charges_known_are_found_behind_a_clock_that_was_wrong_once(
    journal: SqliteJournal,
) -> None:
    """A few events of a machine that thought it was 1970 do not hide those before them."""
    journal.append([intent(f"{n}", 100 * HOUR_NS) for n in range(10)])
    for n in range(5):
        journal.append(
            [
                Event(
                    "answer",
                    100 * HOUR_NS,
                    order_id=f"{n}",
                    attempt=1,
                    data={"charge": {"id": f"c{n}"}},
                )
            ]
        )
    journal.append([Event("run.started", n) for n in range(500)])
    assert set(journal.charges_known(99 * HOUR_NS)) == {"c0", "c1", "c2", "c3", "c4"}


@pytest.mark.fault("J05")
def test_charges_known_does_not_walk_to_the_beginning(journal: SqliteJournal) -> None:
    """It stops where a whole page of events is older, an hour of disorder allowed for."""
    journal.append(
        [
            intent("a"),
            Event(
                "found",
                50 * HOUR_NS,
                order_id="a",
                attempt=1,
                data={"charge": {"id": "deep"}},
            ),
        ]
    )
    journal.append([Event("run.started", n) for n in range(5000)])
    journal.append(
        [
            Event(
                "found",
                50 * HOUR_NS,
                order_id="a",
                attempt=1,
                data={"charge": {"id": "near"}},
            )
        ]
    )
    assert journal.charges_known(49 * HOUR_NS) == {"near": ""}


QUESTIONS: dict[str, tuple[Any, ...]] = {
    "look_alikes": (["a"],),
    "asked_terms": (["a"], 0),
    "corrected": (["a"],),
    "order_of_charge": ("a",),
    "elsewhere": (["a", "b"],),
    "batches_elsewhere": ("a",),
    "owned_elsewhere": ([("a", "b"), ("c", "d")], "", 1, 9),
    "asked_under": (["a"], "b"),
    "histories": (["a", "b"],),
    "open_orders": (),
    "moved": ("a",),
    "owned": ("a", "", 1, 9),
    "settled_rows": ("a", "", 1, 9),
    "orders_of": ("a",),
    "last_sent_of": ("a",),
    "orders_of_row": ("a", "", 1),
    "repeats": ("a",),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_scans_a_table(journal: SqliteJournal, question: str) -> None:
    """Each is answered by an index, with two values or two thousand; nor does writing an event scan
    anything.
    """
    journal.append([intent("x")])
    asked: list[str] = []
    journal._connection.set_trace_callback(asked.append)
    getattr(journal, question)(*QUESTIONS[question])
    journal.append([intent("y"), answer("y", "declined"), answer("y", "succeeded")])
    journal._connection.set_trace_callback(None)
    assert len(asked) > 8
    for statement in asked:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            steps = [
                row[3]
                for row in journal._connection.execute(
                    f"EXPLAIN QUERY PLAN {statement}"
                ).fetchall()
            ]
            scans = [
                step
                for step in steps
                if step.startswith("SCAN")
                and "ORDER BY seq DESC LIMIT 1" not in statement
                and not step.endswith("CONSTANT ROWS")  # those that are written
                and "VIRTUAL TABLE" not in step  # those that are asked for
            ]
            assert scans == [], (statement, steps)


# --- evidence is kept as it came


@pytest.mark.fault("J19", "L6")
def test_half_a_surrogate_pair_is_kept(journal: SqliteJournal) -> None:
    """The gateway may send it, escaped; SQLite cannot hold it as text, so it stays an escape."""
    odd = "caf\u00e9 \ud800 \u0000 \U0001f600"
    journal.append(
        [
            intent("a"),
            Event(
                "answer",
                2,
                order_id="a",
                attempt=1,
                send=1,
                data={
                    "state": "unproven",
                    "message": odd,
                    "charge": {"id": "chrg_1", "metadata": {odd: odd}},
                },
            ),
        ]
    )
    kept = next(journal.events(["answer"])).data
    assert kept["message"] == odd
    assert kept["charge"]["metadata"] == {odd: odd}
    assert journal.order_of_charge("chrg_1") == ("night", "a", 1)


# --- the rows of a batch


def judged(corrects: dict[int, str], cells: bytes = b"cells") -> Any:
    chunk = SimpleNamespace(rows=[2, 3, 4], sheet="", cells=lambda: cells)
    problems = {1: (Problem("Amount", "x", plain("write 1.00"), "number-format"),)}
    return Judged(
        chunk,
        [{"order_id": "a"}, {}, {"order_id": "c"}],
        problems,
        frozenset({2}),
        corrects,
    )


def plan(journal: SqliteJournal, chunks: list[Any]) -> None:
    batch = Batch(
        "b",
        "night",
        "a.csv",
        "0" * 64,
        "csv",
        3,
        ("order_id",),
        (),
        (),
        "test",
        "1",
        "2",
        "0",
    )
    journal.plan(Event("batch.planned", 1), batch, journal.stage("b", chunks), {})


@pytest.mark.fault("J33")
def test_corrected_places_are_kept_with_the_rows(journal: SqliteJournal) -> None:
    """By position; without any, the bytes are those that version 1 kept, so that a batch planned
    again is the same.
    """
    chunk = unpack(0, "", pack(judged({0: "place\t2\tü", 2: "other"})), b"cells")
    assert chunk.corrects == {0: "place\t2\tü", 2: "other"}
    assert (chunk.comeback, list(chunk.rows)) == (frozenset({2}), [2, 3, 4])
    version_1 = zlib.decompress(pack(judged({})))
    assert version_1.endswith(b",[2]]")
    assert unpack(0, "", pack(judged({})), b"").corrects == {}


# --- and is it still what the events say?

EDITS = {
    "a row gone": "DELETE FROM asked WHERE order_id = 'a'",
    "a row more": (
        "INSERT INTO asked SELECT 99, job, 'z', 1, at_ns, 'z', terms, corrects, batch_id, sheet,"
        ' "row", amount, currency, destination, paid_with, run_id, mode, fee, adopted FROM asked'
        " LIMIT 1"
    ),
    "another form": "UPDATE asked SET alike = 'x' WHERE order_id = 'a'",
    "other terms": "UPDATE asked SET terms = 'x' WHERE order_id = 'a'",
    "another place": "UPDATE asked SET corrects = 'x' WHERE order_id = 'a'",
    "another time": "UPDATE asked SET at_ns = at_ns + 1 WHERE order_id = 'a'",
    "another amount": "UPDATE asked SET amount = 1 WHERE order_id = 'a'",
    "another job": "UPDATE asked SET job = 'day' WHERE order_id = 'a'",
    "two rows exchanged": (
        "UPDATE asked SET terms = (SELECT o.terms FROM asked AS o WHERE o.seq = 3 - asked.seq) "
        "WHERE seq IN (1, 2)"
    ),
    "an index gone": "DROP INDEX asked_terms",
    "an open attempt gone": "DELETE FROM open_attempts WHERE order_id = 'late'",
    "an open attempt settled": "UPDATE open_attempts SET attempt = 2 WHERE order_id = 'late'",
}


@pytest.mark.fault("D14", "D06")
@pytest.mark.parametrize("edit", EDITS)
def test_what_follows_from_the_events_is_verified(tmp_path: Path, edit: str) -> None:
    """Any change of the tables that forbid a second payment is damage."""
    journal = SqliteJournal(tmp_path / "j.db", "night")
    journal.append([intent("a"), intent("b", amount=5), answer("b", "succeeded")])
    journal.append(
        [intent("late"), answer("late", "declined"), answer("late", "succeeded")]
    )
    journal.verify()
    with closing(sqlite3.connect(tmp_path / "j.db")) as raw:
        raw.execute(EDITS[edit])
        raw.commit()
    with pytest.raises(InputOutput, match="damaged or edited"):
        journal.verify()
    journal.close()


@pytest.mark.fault("J19", "L6")
@pytest.mark.parametrize(
    "kept",
    [None, [], "x", {"currency": None, "corrects": None, "amount": None, "payer": 5}],
)
def test_an_adopted_charge_of_any_shape_is_kept(
    journal: SqliteJournal, kept: Any
) -> None:
    """What it does not say counts as empty; nothing of it is a reason to lose it."""
    journal.append(
        [
            Event(
                "adopted",
                1,
                order_id="0007",
                attempt=1,
                data={"state": "unproven", "intent": kept},
            )
        ]
    )
    assert journal.look_alikes(["7"]) == {"7": ["0007"]}
    assert journal.corrected([""]) == journal.corrected(["None"]) == {}
    payer = "5" if isinstance(kept, dict) else ""
    terms = terms_of(payer, "", 0, "")
    assert journal.asked_terms([terms], 0) == {terms: [("0007", "", 1, terms)]}


@pytest.mark.parametrize(
    ("kind", "send", "new"),
    [
        ("intent", 1, True),
        ("intent", 2, False),
        ("adopted", 0, True),
        ("answer", 1, False),
        ("found", 0, False),
    ],
)
def test_what_begins_an_attempt(kind: str, send: int, new: bool) -> None:
    """Its first intent or its adoption; no answer, and no second send."""
    assert begins(kind, send) is new


@pytest.mark.fault("D06")
def test_money_that_goes_and_comes_on_another_attempt_is_no_damage(
    journal: SqliteJournal,
) -> None:
    """The second attempt is reversed, then the first turns out to be paid, then to be reversed
    too.
    """
    journal.append(
        [
            intent("a"),
            answer("a", "declined"),
            intent("a", 2, attempt=2),
            answer("a", "succeeded", 2),
        ]
    )
    for attempt, state in ((2, "reversed"), (1, "succeeded"), (1, "reversed")):
        journal.append(
            [Event("found", 3, order_id="a", attempt=attempt, data={"state": state})]
        )
        journal.verify()
    assert journal.open_orders() == []


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("DROP INDEX asked_terms", "its index asked_terms is missing"),
        (
            "DROP INDEX asked_terms; CREATE INDEX asked_terms ON asked (job)",
            "its index asked_terms is not the one that",
        ),
        (
            "DROP INDEX asked_terms; DROP TRIGGER events_stay",
            "its index asked_terms is missing",
        ),
        ("CREATE TABLE note (a)", "its table note is not the one that"),
        (
            "UPDATE row_chunks SET cells = x'00'",
            "the rows kept for batch b are not those that were planned",
        ),
    ],
)
def test_damage_is_named(tmp_path: Path, edit: str, told: str) -> None:
    """What is not as it was made, by its kind and name."""
    opened = SqliteJournal(tmp_path / "j.db", "night")
    plan(opened, [judged({})])
    opened.verify()
    with closing(sqlite3.connect(tmp_path / "j.db")) as raw:
        raw.executescript(edit)
    with pytest.raises(InputOutput, match=rf"^\S*j\.db\b.*\b{told}"):
        opened.verify()
    opened.close()


# --- lines


def test_a_line_is_the_same_however_its_data_was_put_together(
    journal: SqliteJournal,
) -> None:
    """Keys in their order, and letters as they are: a person can read and compare them."""
    journal.append(
        [
            Event("note", 1, data={"b": "café", "a": 1}),
            Event("note", 1, data={"a": 1, "b": "café"}),
        ]
    )
    rows = journal._connection.execute(
        "SELECT data FROM events ORDER BY seq"
    ).fetchall()
    assert rows == [('{"a":1,"b":"café"}',)] * 2


# --- what a run did


def test_what_a_run_wrote_about_orders(journal: SqliteJournal) -> None:
    """From behind one event to before another, of its own; what an event does not say is nothing,
    not None.
    """
    charge = {"id": "chrg_1", "amount": 700, "currency": "thb"}
    where: dict[str, Any] = {"batch_id": "b", "order_id": "a", "attempt": 1, "send": 1}
    for run_id in ("r1", "r2"):
        order_id = f"of {run_id}"
        journal.append(
            [
                Event("run.started", 1, run_id),
                Event("intent", 2, run_id, data={}, **{**where, "order_id": order_id}),
                Event(
                    "answer",
                    3,
                    run_id,
                    data={"state": "declined", "charge": charge},
                    **{**where, "order_id": order_id},
                ),
            ]
        )
    mine = [
        Done("intent", "b", "of r1", 1, 1, "", 0, ""),
        Done("answer", "b", "of r1", 1, 1, "declined", 700, "thb"),
    ]
    orders = ["of r1", "of r2"]
    assert (
        list(journal.done_in("r1", 1, None, orders))
        == list(journal.done_in("r1", 0, 4, orders))
        == mine
    )
    assert list(journal.done_in("r1", 1, 3, orders)) == mine[:1]
    assert list(journal.done_in("r1", 2, None, orders)) == mine[1:]
    assert list(journal.done_in("r1", 2, None, ["of r2"])) == []


def test_of_a_long_run_every_event_is_told(journal: SqliteJournal) -> None:
    """It is read piece by piece, and nothing is lost between two of them."""
    journal.append([Event("listing", 1, "r1") for _ in range(19_998)])
    journal.append(
        [Event("found", 1, "r1", order_id=str(n), attempt=1) for n in range(4)]
    )
    assert sorted(journal.wrote_in("r1", 0, None).others) == ["0", "1", "2", "3"]
    assert sorted(journal.wrote_in("r1", 0, 20_001).others) == ["0", "1"]
    assert sorted(journal.wrote_in("r1", 20_000, None).others) == ["2", "3"]


def test_one_chunk_of_a_batch(journal: SqliteJournal) -> None:
    """By its number; None for what is not there."""
    plan(journal, [judged({}), judged({}, b"second")])
    found = [journal.chunk("b", number) for number in range(3)]
    assert [chunk and chunk.cells for chunk in found] == [b"cells", b"second", None]
    assert journal.chunk("none", 0) is None


def test_whether_anything_happened_to_an_order_of_a_batch_since(
    journal: SqliteJournal,
) -> None:
    """After an event, not at it; what is about the batch and no order counts for nothing."""
    journal.append(
        [
            intent("a"),
            intent("b", batch_id="batch-2"),
            Event("totals", 3, batch_id="batch-1"),
        ]
    )
    assert journal.changed("batch-1", 0)
    assert not journal.changed("batch-1", 1)
    assert journal.changed("batch-2", 1)
    assert journal.last_sent_of("batch-1") == 1
    assert journal.last_sent_of("batch-3") == 0


def test_adopted_charges_are_those_of_this_job_without_a_row(tmp_path: Path) -> None:
    """Oldest first, with the batch that the charge told."""
    night, day = (SqliteJournal(tmp_path / "j.db", name) for name in ("night", "day"))
    for job in (night, day):
        of = job.job
        job.append(
            [
                Event("adopted", 1, order_id=f"{n} {of}", attempt=1, batch_id=f"b{n}")
                for n in (2, 1)
            ]
        )
        job.append(
            [
                Event(
                    "intent",
                    1,
                    order_id=f"row {of}",
                    attempt=1,
                    send=1,
                    batch_id="b1",
                    row=2,
                )
            ]
        )
    assert night.adopted() == [("b2", "2 night"), ("b1", "1 night")]
    for job in (night, day):
        job.close()


def test_the_same_plan_again_is_not_written_again(journal: SqliteJournal) -> None:
    """Its rows stay those that were kept first; another plan of the batch takes their place."""
    for cells, times in ((b"cells", 1), (b"cells", 1), (b"others", 2), (b"others", 2)):
        plan(journal, [judged({}, cells)])
        assert len(list(journal.events(["batch.planned"]))) == times
        assert [chunk.cells for chunk in journal.chunks("b")] == [cells]
        assert journal._connection.execute(
            "SELECT count(*) FROM row_chunks"
        ).fetchone() == (1,)


def test_the_same_cells_on_another_sheet_are_other_rows(journal: SqliteJournal) -> None:
    """They are kept once only where they stand at the same places."""
    for sheet in ("One", "Two"):
        chunk = SimpleNamespace(rows=[2], sheet=sheet, cells=lambda: b"cells")
        plan(journal, [Judged(chunk, [{}], {}, frozenset(), {})])
        assert journal.spans("b") == [(0, sheet, 2, 2)]
        plan(journal, [Judged(chunk, [{}], {}, frozenset(), {})])
    assert len(list(journal.events(["batch.planned"]))) == 2


@pytest.mark.fault("J32")
def test_rows_that_are_read_no_more(journal: SqliteJournal) -> None:
    """Of a file that was planned again: those before, between and behind its rows, and on sheets
    that it has no more.
    """
    places = {"a": ("", 1), "b": ("", 3), "c": ("", 6), "d": ("", 9), "e": ("One", 3)}
    for order_id, (sheet, row) in places.items():
        asked = replace(intent(order_id, batch_id="b"), sheet=sheet, row=row)
        journal.append([asked])

    def rows(sheet: str, *numbers: int) -> Any:
        chunk = SimpleNamespace(rows=list(numbers), sheet=sheet, cells=lambda: b"cells")
        return Judged(chunk, [{}] * len(numbers), {}, frozenset(), {})

    plan(journal, [rows("", 1, 9), rows("One", 3)])
    assert journal.gone_rows() == []
    plan(journal, [rows("", 2, 4), rows("", 7, 8)])
    assert journal.gone_rows() == [("b", one) for one in ("a", "c", "d")]
    plan(journal, [rows("Two", 1, 9)])
    assert sorted(journal.gone_rows()) == [("b", one) for one in sorted(places)]
    plan(journal, [rows("One", 3, 4)])
    assert sorted(journal.gone_rows()) == [("b", one) for one in "abcd"]
    plan(journal, [])
    assert sorted(journal.gone_rows()) == [("b", one) for one in sorted(places)]


# --- what is kept of rows and of what was asked


def judged_rows(*documents: dict[str, Any], **more: Any) -> Judged:
    rows: Any = SimpleNamespace(rows=range(2, 2 + len(documents)), sheet="s")
    return Judged(rows, list(documents), {}, **more)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"comeback": frozenset({1, 0})},
        {"corrects": {1: "there", 0: "here"}},
        {"earlier": {1: ("A", "B"), 0: ("C",)}},
        {"corrects": {1: "there"}, "earlier": {0: ("C",)}},
    ],
)
def test_rows_come_back_as_they_were_judged(more: dict[str, Any]) -> None:
    """In one form, in whatever order they were told; what is no text for a file, too."""
    made = judged_rows({"order_id": "A\ud800"}, {"order_id": "B"}, **more)
    back = unpack(7, "s", pack(made), b"cells")
    assert (back.number, back.sheet, list(back.rows)) == (7, "s", [2, 3])
    assert back.documents == made.documents and back.cells == b"cells"
    for name in ("comeback", "corrects", "earlier"):
        assert getattr(back, name) == getattr(made, name), name
    turned = {
        name: dict(reversed(one.items())) if isinstance(one, dict) else one
        for name, one in more.items()
    }
    again = judged_rows({"order_id": "A\ud800"}, {"order_id": "B"}, **turned)
    assert pack(again) == pack(made)


@pytest.mark.fault("I17")
@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        (5, 5),
        (2**63 - 1, 2**63 - 1),
        (-(2**63) + 1, -(2**63) + 1),
        (2**63, 0),
        (-(2**63), 0),
        (True, 0),
        ("5", 0),
        (5.0, 0),
        (None, 0),
    ],
)
def test_what_was_asked_for_is_kept_as_a_row_can_hold_it(
    amount: Any, kept: int
) -> None:
    """An adopted charge may say anything; what is not said is empty."""
    intent_ = {
        "payer": "tokn_test_1",
        "destination": "recp_1",
        "currency": "thb",
        "corrects": "there",
        "run_id": "r1",
        "mode": "live",
        "amount": amount,
    }
    where: tuple[Any, ...] = (3, "r2", "b", "s", 7, "0001", 2)
    row = asked(9, "night", "intent", *where, {"intent": intent_})
    assert (row.seq, row.job, row.at_ns, row.batch_id) == (9, "night", 3, "b")
    assert (row.sheet, row.row, row.order_id, row.attempt) == ("s", 7, "0001", 2)
    assert (row.alike, row.amount, row.currency) == ("1", kept, "thb")
    assert (row.destination, row.corrects) == ("recp_1", "there")
    assert (row.run_id, row.mode, row.paid_with) == ("r1", "live", "card *st_1")
    assert (row.fee, row.adopted) == (0, 0)
    for fee in ({"fee_fixed": 0}, {"fee_percentage": "1"}):
        told = asked(9, "night", "adopted", *where, {"intent": {**intent_, **fee}})
        assert (told.fee, told.adopted) == (1, 1)
    own = asked(9, "night", "intent", 3, "r1", *where[2:], {"intent": intent_})
    assert own == row._replace(run_id=None)


def test_the_rows_between_those_that_are_known() -> None:
    """Before, between and behind them."""
    assert list(_between([(2, 4), (5, 6), (9, 9)])) == [(1, 1), (7, 8), (10, 2**62)]
    assert list(_between([(1, 4)])) == [(5, 2**62)]
    assert list(_between([])) == [(1, 2**62)]


# --- other jobs of one file


@pytest.mark.fault("J06", "J03")
def test_what_other_jobs_of_the_file_tell(tmp_path: Path) -> None:
    """Whose a batch is, and whose money: this job's own word comes last."""
    path = tmp_path / "j.db"
    for job, batch_id in (("night", "b-000000000001"), ("day", "b-000000000002")):
        opened = SqliteJournal(path, job)
        data = {"account": job, "mode": "test", "url": "u"}
        opened.append([Event("account", 1, data=data)])
        opened.append([intent("A", batch_id=batch_id)])
        opened.close()
    for job, other in (("night", "day"), ("day", "night")):
        opened = SqliteJournal(path, job)
        told = [event.data["account"] for event in opened.accounts()]
        assert told == [other, job]
        own, theirs = "b-000000000001", "b-000000000002"
        if job == "day":
            own, theirs = theirs, own
        assert opened.job_of_batch(theirs) == other
        assert opened.job_of_batch(own) == opened.job_of_batch("b-000000000009") == ""
        seq, digest = opened.head()
        assert opened.digest_of(seq) == digest and len(digest) > 20
        assert opened.digest_of(seq + 1) == ""
        opened.close()


@pytest.mark.fault("J05", "J11")
@pytest.mark.parametrize("step", [1, 2, 2000])
def test_the_youngest_charge_is_found_however_many_are_walked_over_at_once(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """By when the gateway made it, and not by when it was told; of those since a time."""
    monkeypatch.setattr(orders, "STEP", step)
    noon_ns = 1_790_000_000 * 10**9
    for number, minute in enumerate((10, 40, 20), 1):
        name = f"chrg_test_{number}"
        at_ns = noon_ns + number * 10**9
        made = {"id": name, "created_at": f"2026-09-21T14:{minute}:00Z"}
        data = {"state": "succeeded", "charge": made}
        journal.append(
            [
                intent(name, at_ns),
                Event("answer", at_ns, order_id=name, attempt=1, send=1, data=data),
            ]
        )
    assert journal.youngest_charges(0) == {"chrg_test_2": "2026-09-21T14:40:00Z"}
    third_ns = noon_ns + 3 * 10**9
    assert journal.youngest_charges(third_ns) == {"chrg_test_3": "2026-09-21T14:20:00Z"}
    assert journal.youngest_charges(third_ns + 1) == {}
    assert set(journal.charges_known(0)) == {f"chrg_test_{at}" for at in (1, 2, 3)}
    assert set(journal.charges_known(third_ns)) == {"chrg_test_3"}
    assert journal.charges_known(third_ns + 1) == {}


def test_a_statement_is_the_same_without_its_comments_and_layout() -> None:
    told = "CREATE TABLE x (  -- of which\n  a TEXT, -- and b\n b  TEXT)"
    assert _meant(told) == "CREATE TABLE x ( a TEXT, b TEXT)"
    assert _meant(None) == ""
