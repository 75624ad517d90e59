"""One suite for every journal: what the loop may rely on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchpay.errors import Taken
from batchpay.journals.memory import MemoryJournal
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Event
from batchpay.protocols import Journal


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    opened = SqliteJournal(tmp_path / "state" / "batchpay.db", "night")
    yield opened
    opened.verify()
    opened.close()


def intent(order_id: str, attempt: int = 1, send: int = 1, **data: Any) -> Event:
    return Event("intent", 1, "run", "batch", "", 2, order_id, attempt, send, {"state": "in_doubt", **data})


def answer(order_id: str, state: str, attempt: int = 1) -> Event:
    return Event("answer", 2, "run", "batch", "", 2, order_id, attempt, 1, {"state": state})


def test_events_come_back_as_they_were_in_order(journal: Journal) -> None:
    """What was appended is read again, numbered from 1."""
    journal.append([intent("0001", text="Ünïcode ขอบคุณ"), intent("2")])
    journal.append([answer("0001", "succeeded")])
    found = list(journal.events())
    assert [(event.seq, event.kind, event.order_id) for event in found] == [
        (1, "intent", "0001"), (2, "intent", "2"), (3, "answer", "0001"),
    ]  # fmt: skip
    assert found[0].data["text"] == "Ünïcode ขอบคุณ"
    assert [event.seq for event in journal.events(["intent"], after=1)] == [2]


def test_histories_hold_the_events_of_the_asked_orders_only(journal: Journal) -> None:
    """Oldest first, for each order."""
    journal.append([intent("a"), intent("b"), answer("a", "succeeded")])
    assert {order: [e.kind for e in events] for order, events in journal.histories(["a", "c"]).items()} == {
        "a": ["intent", "answer"]
    }


@pytest.mark.fault("E01", "G08")
def test_a_second_intent_for_one_send_is_refused_whole(journal: Journal) -> None:
    """Law L3: the second writer meets a conflict, and nothing of what came with it stays."""
    journal.append([intent("a")])
    with pytest.raises(Taken):
        journal.append([intent("b"), intent("a")])
    assert [event.order_id for event in journal.events()] == ["a"]


@pytest.mark.fault("E01")
def test_one_open_attempt_an_order(journal: Journal) -> None:
    """Attempt 2 exists only after attempt 1 is proven to have taken no money."""
    journal.append([intent("a")])
    for state in ("in_doubt", "pending", "succeeded", "unproven", "held"):
        journal.append([answer("a", state)])
        with pytest.raises(Taken):
            journal.append([intent("a", attempt=2)])
    journal.append([answer("a", "declined")])
    journal.append([intent("a", attempt=2)])


def test_open_orders_are_those_that_did_not_end(journal: Journal) -> None:
    """Succeeded, declined and refused are ends; everything else is asked about again."""
    states = ("succeeded", "declined", "refused", "expired", "reversed", "pending", "in_doubt", "unproven", "held")
    journal.append([intent(state) for state in states])
    journal.append([answer(state, state) for state in states])
    assert journal.open_orders() == ["held", "in_doubt", "pending", "unproven"]


def test_many_writers_share_commits_and_a_bad_one_hurts_nobody(journal: Journal) -> None:
    """What arrives together is written together; a conflict fails alone."""

    async def write() -> list[Any]:
        orders = [str(n % 50) for n in range(60)]
        return await asyncio.gather(*(journal.write([intent(order)]) for order in orders), return_exceptions=True)

    results = asyncio.run(write())
    assert sum(isinstance(result, Taken) for result in results) == 10
    assert len(list(journal.events())) == 50


@pytest.mark.fault("B19", "I6")
def test_only_a_held_order_is_sent_again(journal: Journal) -> None:
    """Whatever a worker believes: a second send needs an attempt that is known to have charged nothing."""
    journal.append([intent("a")])
    for state in ("in_doubt", "pending", "succeeded", "unproven"):
        journal.append([answer("a", state)])
        with pytest.raises(Taken):
            journal.append([intent("a", send=2)])
    journal.append([answer("a", "held")])
    journal.append([intent("a", send=2)])


@pytest.mark.fault("L6")
def test_late_evidence_about_an_earlier_attempt_is_kept_and_changes_nothing_else(journal: Journal) -> None:
    """The later attempt stays what it is, settled or open, and the journal stays sound."""
    journal.append([intent("a"), answer("a", "declined"), intent("a", attempt=2)])
    journal.append([answer("a", "pending", attempt=1)])
    journal.append([answer("a", "succeeded", attempt=2)])
    journal.append([answer("a", "unproven", attempt=1), answer("a", "declined", attempt=1)])
    assert journal.open_orders() == []


def adopted(order_id: str, attempt: int, state: str, *, beside: bool = True) -> Event:
    data = {"state": state, "charge": {"id": f"chrg_test_{attempt}"}, **({"beside": True} if beside else {})}
    return Event("adopted", 3, "run", "batch", "", 0, order_id, attempt, 0, data)


@pytest.mark.fault("L6", "L3")
@pytest.mark.parametrize("state", ["in_doubt", "held", "pending", "succeeded"])
def test_a_charge_beside_an_open_attempt_is_kept_and_blocks_its_order_for_good(journal: Journal, state: str) -> None:
    """Evidence is never refused; whatever becomes of either attempt, nothing is sent for this order again."""
    journal.append([intent("a"), answer("a", state)])
    journal.append([adopted("a", 2, "succeeded")])
    assert [event.kind for event in journal.events()] == ["intent", "answer", "adopted"]
    for later in ("held", "declined"):
        journal.append([answer("a", later), answer("a", "reversed", attempt=2)])
        for event in (intent("a", send=2), intent("a", attempt=3)):
            with pytest.raises(Taken):
                journal.append([event])
    assert journal.open_orders() == ["a"]


@pytest.mark.fault("L6", "L3")
@pytest.mark.parametrize("state", ["held", "succeeded"])
def test_a_charge_without_money_beside_an_attempt_changes_nothing_about_it(journal: Journal, state: str) -> None:
    """The open attempt goes on as it would have; a settled one stays settled."""
    journal.append([intent("a"), answer("a", state), adopted("a", 2, "declined")])
    assert journal.open_orders() == (["a"] if state == "held" else [])
    if state == "held":
        journal.append([intent("a", send=2), answer("a", "declined")])
        journal.append([intent("a", attempt=3)])
        return
    with pytest.raises(Taken):
        journal.append([intent("a", attempt=3)])


@pytest.mark.fault("L6", "L3")
def test_a_charge_beside_late_evidence_blocks_its_order_too(journal: Journal) -> None:
    """The first attempt was closed, then shown to have taken money after all: its place is empty, the order is not."""
    journal.append([intent("a"), answer("a", "declined"), answer("a", "succeeded")])
    journal.append([adopted("a", 2, "succeeded")])
    with pytest.raises(Taken):
        journal.append([intent("a", attempt=3)])
