"""Law L3 is one rule: whatever is written, in memory, in SQLite and read back from the events it
comes to the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain.errors import Taken
from batchpay.domain.model import NO_MONEY, Event, Outcome
from batchpay.journals.guard import BESIDE, NO_MONEY_STATES, Open, follow, replay
from batchpay.journals.memory import MemoryJournal
from batchpay.journals.sqlite.store import SqliteJournal
from tests.doses import dose

STATES = [
    *(outcome.value for outcome in Outcome),
    "withdrawn",
    "a later word",
    "",
    None,
]
KINDS = [
    "intent",
    "adopted",
    "voided",
    "answer",
    "found",
    "absent",
    "resolved",
    "withdrawn",
    "missing",
    "unclear",
    "untold",
    "disbelieved",
    "elsewhere",
    "cancelled",
]
NESTED: list[dict[str, Any]] = [
    {},
    {"charge": {"id": "chrg_1", "metadata": {"state": "succeeded", "x": "}"}}},
    {"verdict": 'said "state":"held"}'},
    {"zone": {"state": "declined"}},
    {"status": 200, "unit": None, "state ": "held"},
    {"account": {"beside": True}},
]
DATA = st.builds(
    lambda state, beside, nested: {
        **nested,
        **({} if state is None else {"state": state}),
        **({"beside": True} if beside else {}),
    },
    st.sampled_from(STATES),
    st.integers(0, 3).map(lambda n: n == 0),
    st.sampled_from(NESTED),
)
EVENTS = st.builds(
    lambda kind, order, attempt, send, data: Event(
        kind, 1, order_id=order, attempt=attempt, send=send, data=data
    ),
    st.sampled_from(KINDS),
    st.sampled_from(["a", "b"]),
    st.integers(1, 3),
    st.sampled_from([1, 1, 1, 0, 2, 3]),
    DATA,
)
LIKELY = st.builds(  # one order that gets far
    lambda kind, attempt, state: Event(
        kind, 1, order_id="a", attempt=attempt, send=1, data={"state": state}
    ),
    st.sampled_from(["intent", "answer", "answer", "adopted", "withdrawn"]),
    st.integers(1, 3),
    st.sampled_from(["in_doubt", "held", "declined", "succeeded", "withdrawn"]),
)


def in_memory(_: Path, **kwargs: Any) -> sqlite3.Connection:
    return sqlite3.connect(":memory:", **kwargs)


def table(journal: SqliteJournal) -> dict[str, Open]:
    rows = journal._connection.execute(
        "SELECT order_id, attempt, state FROM open_attempts"
    ).fetchall()
    return {order_id: Open(attempt, state) for order_id, attempt, state in rows}


def refused(journal: Any, events: list[Event]) -> bool:
    try:
        journal.append(events)
    except Taken:
        return True
    return False


def replayed(events: Iterator[Event]) -> dict[str, Open]:
    """What `replay` makes of everything, with nothing but the events to go by."""
    now: dict[str, Open | None] = {}
    last: dict[str, int] = {}
    for event in events:
        key, state = event.order_id, event.data.get("state") or ""
        beside = bool(event.data.get("beside"))
        known = last.get(key, 0)
        now[key] = replay(
            now.get(key),
            event.kind,
            event.attempt,
            event.send,
            state,
            beside,
            lambda known=known: known,
        )
        if event.kind in ("intent", "adopted"):
            last[key] = max(known, event.attempt)
    return {key: value for key, value in now.items() if value}


@pytest.mark.fault("L3", "I7", "J04")
@settings(max_examples=dose(150, 400), deadline=None)
@given(st.lists(st.one_of(EVENTS, LIKELY, LIKELY), max_size=30), st.integers(1, 7))
def test_one_rule_in_memory_in_sqlite_and_from_the_events(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], at_once: int
) -> None:
    """The same is refused, the same is open, and soundness finds the tables to be what the events
    add up to.
    """
    path = tmp_path_factory.getbasetemp() / "guard.db"
    memory, journal = (
        MemoryJournal("night"),
        SqliteJournal(path, "night", connect=in_memory),
    )
    try:
        for start in range(0, len(events), at_once):
            some = events[start : start + at_once]
            assert refused(memory, some) == refused(journal, some), some
            assert memory._open == table(journal)
        assert memory.open_orders() == journal.open_orders()
        assert replayed(journal.events()) == memory._open
        journal.verify()
    finally:
        journal.close()


# --- what the rule promises, whatever was written


@pytest.mark.fault("L3", "I1")
@settings(max_examples=dose(100, 300), deadline=None)
@given(st.lists(st.one_of(EVENTS, LIKELY, LIKELY), max_size=40))
def test_nothing_begins_while_the_last_word_on_another_attempt_is_money(
    events: list[Event],
) -> None:
    """Told apart from the rule itself: by the last money or no-money word on each attempt before a
    first intent.
    """
    journal = MemoryJournal("night")
    for event in events:
        words = {
            old.attempt: str(old.data.get("state"))
            for old in journal._events
            if old.order_id == event.order_id
            and old.kind not in ("intent", "elsewhere", "withdrawn")
            and old.data.get("state") not in ("held", "in_doubt", "withdrawn", "", None)
        }
        if refused(journal, [event]) or event.kind != "intent" or event.send != 1:
            continue
        known = {outcome.value for outcome in NO_MONEY}
        assert all(word in known for word in words.values()), (event, words)


@pytest.mark.fault("L6")
def test_every_no_money_outcome_closes() -> None:
    """The words of the model and that of a withdrawal, no others."""
    assert {outcome.value for outcome in NO_MONEY} | {"withdrawn"} == NO_MONEY_STATES
    for outcome in Outcome:
        now = follow(
            Open(1, "in_doubt"), "answer", 1, 1, outcome.value, False, lambda: 1
        )
        assert (now is None) == (outcome in NO_MONEY)


def test_what_an_earlier_version_let_happen_blocks_its_order() -> None:
    """Read back, never refused: a second attempt beside a paid one, a send of what was not held."""
    for now, kind, attempt, send in (
        (Open(1, "succeeded"), "intent", 2, 1),
        (Open(1, "pending"), "intent", 1, 2),
        (None, "withdrawn", 1, 0),
        (None, "answer", 1, 1),
    ):
        then = replay(now, kind, attempt, send, "pending", False, lambda: 0)
        assert then == Open(now.attempt if now else attempt, BESIDE)


@pytest.mark.fault("L3", "J04")
@pytest.mark.parametrize(
    ("now", "state", "beside", "then"),
    [
        # nothing is known of it: that is doubt, never held
        (None, "", False, Open(1, "in_doubt")),
        (None, "held", False, Open(1, "in_doubt")),
        (None, "pending", False, Open(1, "pending")),
        (None, "declined", False, None),
        (Open(2, BESIDE), "declined", False, Open(2, BESIDE)),  # once blocked, for ever
        (Open(2, BESIDE), "succeeded", True, Open(2, BESIDE)),
        (Open(2, "in_doubt"), "succeeded", True, Open(2, BESIDE)),
        (Open(2, "in_doubt"), "declined", True, Open(2, "in_doubt")),
        (None, "succeeded", True, Open(1, BESIDE)),
    ],
)
def test_what_an_adopted_charge_opens(
    now: Open | None, state: str, beside: bool, then: Open | None
) -> None:
    """Alone, or beside an attempt that may have the order's money too."""
    assert follow(now, "adopted", 1, 0, state, beside, lambda: 0) == then
