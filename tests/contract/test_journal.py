"""One suite for every journal: what the loop may rely on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.domain.books import Transfer
from batchpay.domain.errors import Taken
from batchpay.domain.model import (
    Batch,
    ChargedAtOnce,
    ChargeSeen,
    Event,
    Judged,
    OnItsWay,
    Outcome,
    Problem,
    Read,
    Repeat,
    Wrote,
)
from batchpay.domain.ports import Journal
from batchpay.journals.memory import MemoryJournal
from batchpay.journals.sqlite import stencils
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle import after
from batchpay.lifecycle.attempt import begun_ns
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.places import tail_of
from batchpay.lifecycle.proof import Proof, Verdict
from batchpay.lifecycle.sale_terms import fitting_terms, terms_of
from batchpay.messages.message import plain
from batchpay.settlement import Case, Recorder
from tests import nights
from tests.fakes import START_NS, FakeClock, in_virtual_time


@pytest.fixture(params=["memory", "sqlite", "shortened"])
def journal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal("night")
        return
    if request.param == "shortened":
        monkeypatch.setattr(stencils, "LEARNED_FROM", 2)
    opened = SqliteJournal(tmp_path / "state" / "batchpay.db", "night")
    yield opened
    opened.verify()
    opened.close()


def intent(order_id: str, attempt: int = 1, send: int = 1, **data: Any) -> Event:
    return Event(
        "intent",
        1,
        "run",
        "batch",
        "",
        2,
        order_id,
        attempt,
        send,
        {"state": "in_doubt", **data},
    )


def answer(order_id: str, state: str, attempt: int = 1) -> Event:
    return Event(
        "answer", 2, "run", "batch", "", 2, order_id, attempt, 1, {"state": state}
    )


def test_events_come_back_as_they_were_in_order(journal: Journal) -> None:
    """What was appended is read again, numbered from 1."""
    journal.append([intent("0001", text="Ünïcode ขอบคุณ"), intent("2")])
    journal.append([answer("0001", "succeeded")])
    found = list(journal.events())
    assert [(event.seq, event.kind, event.order_id) for event in found] == [
        (1, "intent", "0001"),
        (2, "intent", "2"),
        (3, "answer", "0001"),
    ]
    assert found[0].data["text"] == "Ünïcode ขอบคุณ"
    assert [event.seq for event in journal.events(["intent"], after=1)] == [2]


def test_histories_hold_the_events_of_the_asked_orders_only(journal: Journal) -> None:
    """Oldest first, for each order."""
    journal.append([intent("a"), intent("b"), answer("a", "succeeded")])
    assert {
        order: [e.kind for e in events]
        for order, events in journal.histories(["a", "c"]).items()
    } == {"a": ["intent", "answer"]}


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
    for state in ("held", "in_doubt", "pending", "succeeded", "unproven"):
        journal.append([answer("a", state)])
        with pytest.raises(Taken):
            journal.append([intent("a", attempt=2)])
    journal.append([answer("a", "declined")])
    journal.append([intent("a", attempt=2)])


@pytest.mark.fault("J02")
def test_every_attempt_that_began_is_told(journal: Journal) -> None:
    """Sent or adopted, once each, whatever became of it."""
    journal.append([intent("a"), answer("a", "declined"), intent("a", attempt=2)])
    adopted = Event(
        "adopted", 1, "run", "batch", "", 2, "b", 3, 0, {"state": "succeeded"}
    )
    journal.append([adopted, Event("stray", 1, data={"key": "k", "charge": {}})])
    assert list(journal.begun()) == [("a", 1), ("a", 2), ("b", 3)]


@pytest.mark.fault("B22", "L6")
def test_what_is_said_lately_to_have_charged_nothing_is_told(journal: Journal) -> None:
    """Refused, or told 429 and to go again; since a time."""
    journal.append(
        [intent("a"), answer("a", "refused"), intent("b"), answer("b", "declined")]
    )
    assert (journal.uncharged_since(2), journal.uncharged_since(3)) == (["a"], [])
    journal.append(
        [intent("c"), answer("c", "held"), intent("d"), answer("d", "succeeded")]
    )
    assert sorted(journal.uncharged_since(2)) == ["a", "c"]


@pytest.mark.fault("J05", "L3")
def test_what_went_once_more_lately_is_told(journal: Journal) -> None:
    """Under the same key or the next one; since a time."""
    journal.append([intent("a"), answer("a", "refused"), intent("b")])
    journal.append([answer("b", "held"), intent("b", send=2), intent("c")])
    journal.append([intent("a", attempt=2)])
    at_ns = intent("a").at_ns
    assert sorted(journal.went_again_since(at_ns)) == ["a", "b"]
    assert journal.went_again_since(at_ns + 1) == []


def test_open_orders_are_those_that_did_not_end(journal: Journal) -> None:
    """Succeeded, declined and refused are ends; everything else is asked about again."""
    states = (
        "succeeded",
        "declined",
        "refused",
        "expired",
        "reversed",
        "pending",
        "in_doubt",
        "unproven",
        "held",
    )
    journal.append([intent(state) for state in states])
    journal.append([answer(state, state) for state in states])
    assert journal.open_orders() == ["held", "in_doubt", "pending", "unproven"]


def test_many_writers_share_commits_and_a_bad_one_hurts_nobody(
    journal: Journal,
) -> None:
    """What arrives together is written together; a conflict fails alone."""

    async def write() -> list[Any]:
        orders = [str(n % 50) for n in range(60)]
        return await asyncio.gather(
            *(journal.write([intent(order)]) for order in orders),
            return_exceptions=True,
        )

    results = asyncio.run(write())
    assert sum(isinstance(result, Taken) for result in results) == 10
    assert len(list(journal.events())) == 50


@pytest.mark.fault("B19", "I6")
def test_only_a_held_order_is_sent_again(journal: Journal) -> None:
    """Whatever a worker believes: a second send needs an attempt that is known to have charged
    nothing.
    """
    for state in ("in_doubt", "pending", "succeeded", "unproven"):
        journal.append([intent(state), answer(state, state)])
        with pytest.raises(Taken):
            journal.append([intent(state, send=2)])
    journal.append([answer("in_doubt", "held")])
    journal.append([intent("in_doubt", send=2)])


@pytest.mark.fault("L6", "J04")
@pytest.mark.parametrize("state", ["succeeded", "pending", "unproven", "in_doubt"])
def test_money_that_a_closed_attempt_has_after_all_blocks_the_next(
    journal: Journal, state: str
) -> None:
    """A declined charge became successful: attempt 2 never begins, until there is proof again that
    it took none.
    """
    journal.append([intent("a"), answer("a", "declined"), answer("a", state)])
    for event in (intent("a", attempt=2), intent("a", send=2), withdrawn("a")):
        with pytest.raises(Taken):
            journal.append([event])
    assert journal.open_orders() == ([] if state == "succeeded" else ["a"])
    journal.append([answer("a", "reversed"), intent("a", attempt=2)])


@pytest.mark.fault("L6", "J04")
@pytest.mark.parametrize("state", ["succeeded", "pending", "unproven", "in_doubt"])
def test_money_of_an_earlier_attempt_beside_an_open_one_blocks_its_order_for_good(
    journal: Journal, state: str
) -> None:
    """Attempt 1 has money after all while attempt 2 is open: kept, and nothing is sent for this
    order again.
    """
    journal.append(
        [
            intent("a"),
            answer("a", "declined"),
            intent("a", attempt=2),
            answer("a", "held", attempt=2),
        ]
    )
    journal.append([answer("a", state)])
    journal.append([answer("a", "declined"), answer("a", "declined", attempt=2)])
    for event in (intent("a", attempt=2, send=2), intent("a", attempt=3)):
        with pytest.raises(Taken):
            journal.append([event])
    assert journal.open_orders() == ["a"]


@pytest.mark.fault("L6")
def test_late_evidence_without_money_about_an_earlier_attempt_changes_nothing(
    journal: Journal,
) -> None:
    """The later attempt stays what it is, settled or open, and the journal stays sound."""
    journal.append([intent("a"), answer("a", "declined"), intent("a", attempt=2)])
    journal.append([answer("a", "expired"), answer("a", "held")])
    assert journal.open_orders() == ["a"]
    journal.append([answer("a", "succeeded", attempt=2)])
    journal.append([answer("a", "reversed"), answer("a", "held")])
    assert journal.open_orders() == []
    with pytest.raises(Taken):
        journal.append([intent("a", attempt=3)])


@pytest.mark.fault("L3", "I6")
def test_a_charge_that_was_seen_is_not_unseen(journal: Journal) -> None:
    """What says of a paid or pending attempt that nothing was charged, or nothing known, makes no
    second send.
    """
    for state in ("succeeded", "pending", "unproven"):
        journal.append(
            [
                intent(state),
                answer(state, state),
                answer(state, "in_doubt"),
                answer(state, "held"),
            ]
        )
        for event in (intent(state, send=2), withdrawn(state)):
            with pytest.raises(Taken):
                journal.append([event])
    assert journal.open_orders() == ["pending", "unproven"]


@pytest.mark.fault("L3", "J13")
def test_only_a_held_attempt_is_withdrawn_and_then_the_next_one_may_follow(
    journal: Journal,
) -> None:
    """It was never sent, or is proven not to have been charged: it never will be, and the order is
    free.
    """
    journal.append([intent("a")])
    for state in ("in_doubt", "pending"):
        journal.append([answer("a", state)])
        with pytest.raises(Taken):
            journal.append([withdrawn("a")])
    journal.append([intent("b"), answer("b", "held")])
    with pytest.raises(Taken):
        journal.append([withdrawn("b", attempt=2)])
    journal.append([withdrawn("b")])
    for event in (withdrawn("b"), intent("b", send=2), intent("b")):
        with pytest.raises(Taken):
            journal.append([event])
    journal.append([intent("b", attempt=2)])
    assert journal.open_orders() == ["a", "b"]


@pytest.mark.fault("L3", "J04")
def test_a_withdrawn_attempt_that_was_charged_after_all_blocks_the_next(
    journal: Journal,
) -> None:
    """Whoever sent it: its money is seen before the next attempt begins, or beside it."""
    journal.append(
        [intent("a"), answer("a", "held"), withdrawn("a"), answer("a", "succeeded")]
    )
    with pytest.raises(Taken):
        journal.append([intent("a", attempt=2)])


@pytest.mark.fault("L3", "G08")
def test_the_number_of_an_attempt_is_used_once(journal: Journal) -> None:
    """An adopted charge has its key already: no intent asks for it with that key, nor with that of
    one before it.
    """
    journal.append([adopted("a", 2, "declined", beside=False)])
    for attempt in (1, 2):
        with pytest.raises(Taken):
            journal.append([intent("a", attempt=attempt)])
    with pytest.raises(Taken):
        journal.append([adopted("a", 2, "declined", beside=False)])
    journal.append([intent("a", attempt=3)])


@pytest.mark.fault("L3")
def test_an_intent_is_never_beside_another_attempt(journal: Journal) -> None:
    """Only a charge that exists is kept there; what is yet to be sent is refused."""
    journal.append([intent("a")])
    with pytest.raises(Taken):
        journal.append([intent("a", attempt=2, beside=True)])


def test_evidence_about_what_never_began_is_a_bug(journal: Journal) -> None:
    """Nothing could be made of it: no event says what was asked."""
    with pytest.raises(Taken):
        journal.append([answer("a", "succeeded")])
    journal.append([intent("a")])
    with pytest.raises(Taken):
        journal.append([answer("a", "succeeded", attempt=2)])


def test_what_another_job_charged_says_nothing_about_our_attempts(
    journal: Journal,
) -> None:
    """It is kept under the order's id, whatever its charge looks like."""
    charge = {"id": "chrg_test_9", "metadata": {"state": "pending"}}
    event = Event(
        "elsewhere",
        2,
        order_id="a",
        attempt=1,
        data={"charge": charge, "job": "day", "state": "succeeded"},
    )
    journal.append([event, replace(event, data={"charge": charge})])
    journal.append(
        [intent("a"), replace(event, attempt=0), answer("a", "declined"), event]
    )
    # says no state of its own
    journal.append(
        [Event("found", 2, order_id="a", attempt=1, data={"charge": charge})]
    )
    journal.append([intent("a", attempt=2)])


def withdrawn(order_id: str, attempt: int = 1) -> Event:
    return Event(
        "withdrawn",
        3,
        "run",
        order_id=order_id,
        attempt=attempt,
        data={"state": "withdrawn"},
    )


def adopted(order_id: str, attempt: int, state: str, *, beside: bool = True) -> Event:
    data = {
        "state": state,
        "charge": {"id": f"chrg_test_{attempt}"},
        **({"beside": True} if beside else {}),
    }
    return Event("adopted", 3, "run", "batch", "", 0, order_id, attempt, 0, data)


@pytest.mark.fault("L6", "L3")
@pytest.mark.parametrize("state", ["in_doubt", "held", "pending", "succeeded"])
def test_a_charge_beside_an_open_attempt_is_kept_and_blocks_its_order_for_good(
    journal: Journal, state: str
) -> None:
    """Evidence is never refused; whatever becomes of either attempt, nothing is sent for this order
    again.
    """
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
def test_a_charge_without_money_beside_an_attempt_changes_nothing_about_it(
    journal: Journal, state: str
) -> None:
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
    """The first attempt was closed, then shown to have taken money after all: its place is empty,
    the order is not.
    """
    journal.append([intent("a"), answer("a", "declined"), answer("a", "succeeded")])
    journal.append([adopted("a", 2, "succeeded")])
    with pytest.raises(Taken):
        journal.append([intent("a", attempt=3)])


# --- what is asked of all orders


@pytest.mark.fault("J07", "E04")
def test_look_alikes_are_sent_or_adopted_orders(journal: Journal) -> None:
    """By the form of their own ids, whatever their intents keep; each once, whatever attempts it
    has.
    """
    journal.append(
        [
            intent("0012"),
            answer("0012", "declined"),
            intent("0012", attempt=2),
            intent("12.0"),
        ]
    )
    journal.append([adopted("ab 1", 1, "succeeded", beside=False), intent("other")])
    assert journal.look_alikes(["12", "ab1", "nobody", "12"]) == {
        "12": ["0012", "12.0"],
        "ab1": ["ab 1"],
    }
    assert journal.look_alikes([]) == {}
    journal.append([intent("๐๐๑๒"), intent("ก๑๒"), intent("เอ")])
    journal.append([intent("٠١٢")])
    assert journal.look_alikes(["12", "ก12"]) == {
        "12": ["0012", "12.0", "๐๐๑๒", "٠١٢"],
        "ก12": ["ก๑๒"],
    }
    assert journal.look_alikes(["\ud800"]) == {}


@pytest.mark.fault("J07", "X14")
def test_look_alikes_are_found_in_the_digits_of_every_script(journal: Journal) -> None:
    """Oldest first, also those that were sent since it was asked first."""
    assert journal.look_alikes(["12"]) == {}
    journal.append([intent("๐๐๑๒"), intent("0012"), intent("١٬٠٠١"), intent("注文7")])
    assert journal.look_alikes(["12", "1001", "7"]) == {
        "12": ["๐๐๑๒", "0012"],
        "1001": ["١٬٠٠١"],
    }
    journal.append([answer("๐๐๑๒", "declined"), intent("๐๐๑๒", attempt=2)])
    journal.append([intent("१२"), intent("ａ๗"), intent("A-๗")])
    journal.append([adopted("１๒.๐", 1, "succeeded", beside=False)])
    assert journal.look_alikes(["a7", "12", "a-7"]) == {
        "12": ["๐๐๑๒", "0012", "१२", "１๒.๐"],
        "a7": ["ａ๗"],
        "a-7": ["A-๗"],
    }


def told(
    order_id: str,
    kind: str,
    charge: str,
    at_ns: int = 5,
    created_at: str = "",
    attempt: int = 1,
) -> Event:
    seen = {"id": charge, **({"created_at": created_at} if created_at else {})}
    return Event(
        kind,
        at_ns,
        order_id=order_id,
        attempt=attempt,
        data={"charge": seen, "state": "pending"},
    )


@pytest.mark.fault("J11")
def test_a_charge_is_the_orders_whose_key_it_carries_when_it_is_looked_up_last(
    journal: Journal,
) -> None:
    """Then the first whose answer carried its key; then the first that was told of it."""

    def carrying(order_id: str, kind: str, whose: str) -> Event:
        event = told(order_id, kind, "chrg_1")
        key = key_of("night", whose, 1)
        charge = event.data["charge"] | {"metadata": {"batchpay_key": key}}
        return replace(event, data=event.data | {"charge": charge})

    steps = [
        (carrying("a", "answer", "c"), "a"),
        (carrying("b", "answer", "b"), "b"),
        (carrying("c", "answer", "c"), "b"),
        (carrying("a", "found", "c"), "b"),
        (carrying("c", "found", "c"), "c"),
    ]
    journal.append([intent(order_id) for order_id in "abc"])
    for event, owner in steps:
        journal.append([event])
        assert journal.order_of_charge("chrg_1") == ("night", owner, 1)


@pytest.mark.fault("J11")
def test_a_charge_belongs_to_the_order_that_told_of_it_first(journal: Journal) -> None:
    """Answers, look-ups, adoptions and a person's word tell of one."""
    journal.append(
        [intent("a"), told("a", "answer", "chrg_1"), told("a", "found", "chrg_2")]
    )
    journal.append(
        [intent("b"), told("b", "answer", "chrg_1"), told("b", "resolved", "chrg_3")]
    )
    journal.append([adopted("c", 4, "succeeded", beside=False)])
    journal.append([Event("stop", data={"charge": {"id": "chrg_9"}})])
    asked = ("chrg_1", "chrg_2", "chrg_3", "chrg_test_4", "chrg_9", "chrg", "\ud800")
    owners = [journal.order_of_charge(charge_id) for charge_id in asked]
    assert owners == [
        ("night", "a", 1),
        ("night", "a", 1),
        ("night", "b", 1),
        ("night", "c", 4),
        None,
        None,
        None,
    ]


@pytest.mark.fault("J05")
def test_charges_known_are_those_told_of_since_a_time(journal: Journal) -> None:
    """With what the gateway said of their making; events may stand an hour out of the order of
    their times.
    """
    hour = 3600 * 10**9
    journal.append([intent(order_id) for order_id in "abcd"])
    journal.append(
        [
            told("a", "answer", "chrg_old", hour),
            told("b", "answer", "chrg_b", 2 * hour, "2026-01-02"),
        ]
    )
    journal.append(
        [
            told("c", "found", "chrg_late", hour + 1),
            told("b", "found", "chrg_b", 3 * hour, "2026-01-03"),
        ]
    )
    journal.append(
        [
            told("b", "found", "chrg_b", 4 * hour),
            told("d", "resolved", "chrg_word", 4 * hour),
        ]
    )
    journal.append(
        [Event("answer", 4 * hour, order_id="d", attempt=1, data={"state": "refused"})]
    )
    assert journal.charges_known(2 * hour) == {"chrg_b": "2026-01-03"}
    assert journal.charges_known(hour + 1) == {"chrg_b": "2026-01-03", "chrg_late": ""}
    assert journal.charges_known(0) == {
        "chrg_b": "2026-01-03",
        "chrg_late": "",
        "chrg_old": "",
    }
    assert journal.charges_known(5 * hour) == {}
    assert journal.youngest_charges(0) == {"chrg_b": "2026-01-03"}
    assert journal.youngest_charges(3 * hour) == {"chrg_b": "2026-01-03"}
    assert journal.youngest_charges(3 * hour + 1) == {}


def test_no_other_job_is_elsewhere_in_a_journal_of_one(journal: Journal) -> None:
    """Our own events are not another job's."""
    journal.append([intent("a")])
    assert journal.elsewhere(["a", "b", "\ud800"]) == {}
    assert journal.job_of_batch("batch") == ""
    assert journal.histories(["\ud800"]) == {}


# --- what is asked about the events of an order, a batch, a run


def asks(
    order_id: str, at_ns: int = 1, attempt: int = 1, row: int = 2, **asked: Any
) -> Event:
    """An intent that says what it asks for."""
    kept = {
        "amount": 100,
        "currency": "thb",
        "destination": "recp_1",
        "payer": "cust_1",
        **asked,
    }
    data = {"state": "in_doubt", "intent": kept}
    return Event(
        "intent", at_ns, "run", BATCH, "Orders", row, order_id, attempt, 1, data
    )


BATCH = "2026-01-01-0123456789ab"
TERMS = terms_of("cust_1", "recp_1", 100, "thb")


def test_what_happened_since_is_told_but_for_what_is_ordinary(journal: Journal) -> None:
    """Whatever is asked for by an index or not."""
    journal.append([Event("stop", 1, data={"reason": "x"})])
    journal.append([intent("a"), Event("listing", 1, data={"bound": "x"})])
    ordinary = {"listing", "intent", "answer", "found"}
    assert [journal.happened(after, but=ordinary) for after in (0, 1)] == [True, False]
    assert [journal.happened(after, but={"listing"}) for after in (0, 1, 2)] == [
        True,
        True,
        False,
    ]


def test_the_rows_of_open_attempts_are_told_by_their_numbers(journal: Journal) -> None:
    """Of the attempt that is open, and of this batch."""
    for row, order_id in ((9, "a"), (2, "b"), (3, "c"), (4, "d")):
        journal.append([replace(intent(order_id), row=row)])
    journal.append(
        [answer("b", "pending"), answer("c", "succeeded"), answer("d", "declined")]
    )
    journal.append([replace(intent("d", 2), batch_id="other", row=5)])
    assert journal.open_places("batch") == [("", 2), ("", 9)]
    assert journal.open_places("other") == [("", 5)]


def test_the_last_event_is_known_by_its_number_and_digest(journal: Journal) -> None:
    """An event's digest stays what it was, whatever follows; one that is not there has none."""
    empty, before_all = journal.head()
    assert (empty, bool(before_all)) == (0, True)
    journal.append([intent("a")])
    seq, digest = journal.head()
    journal.append([answer("a", "declined")])
    assert (seq, journal.digest_of(1), journal.digest_of(3)) == (1, digest, "")
    assert journal.head() == (2, journal.digest_of(2)) != (1, digest)
    journal.verify()
    journal.verify_new()
    journal.reread()
    journal.verify_new()


@pytest.mark.fault("J03")
def test_the_account_is_told_by_its_events(journal: Journal) -> None:
    """In order."""
    journal.append(
        [Event("account", 1, data={"account": name}) for name in ("one", "two")]
    )
    assert [event.data["account"] for event in journal.accounts()] == ["one", "two"]


def test_who_asked_the_same_is_told_by_terms(journal: Journal) -> None:
    """Since a time, or of whatever age by what the terms begin with, but for ids of other cells."""
    journal.append(
        [asks("old", 5), asks("a", 10), answer("a", "declined"), asks("a", 11, 2)]
    )
    journal.append([asks("other", 12, amount=101), asks("made", 13, ids_from="Order")])
    assert journal.asked_terms([TERMS, "nobody"], 10) == {
        TERMS: [
            ("a", BATCH, 10, TERMS),
            ("a", BATCH, 11, TERMS),
            ("made", BATCH, 13, TERMS),
        ]
    }
    assert journal.asked_under([TERMS, "nobody"], "Order") == {
        TERMS: [
            ("old", BATCH, 5, "", "intent"),
            ("a", BATCH, 10, "", "intent"),
            ("a", BATCH, 11, "", "intent"),
        ]
    }
    assert journal.asked_under([TERMS], "")[TERMS] == [
        ("made", BATCH, 13, "Order", "intent")
    ]
    assert journal.asked_terms([], 0) == journal.asked_under([], "") == {}
    journal.append([asks("shop", 14, destination="recp_9")])
    asked = fitting_terms("cust_1", "recp_1", 100, "thb")[0]
    found = journal.asked_terms([asked], 13)[asked]
    assert [one[0] for one in found] == ["made", "shop"]
    of_any = fitting_terms("tokn_1", "recp_9", 100, "thb")
    under = journal.asked_under(of_any, "")
    assert [one[0] for some in under.values() for one in some] == []
    assert [one[0] for one in journal.asked_under(of_any, "x")[of_any[1]]] == ["shop"]
    journal.append([asks("came", 15, ids_from="Order", corrects="p1")])
    of_others = journal.asked_under([TERMS], "Order")[TERMS]
    corrections = journal.asked_under([TERMS], "Order", corrections=True)[TERMS]
    came = ("came", BATCH, 15, "Order", "intent")
    assert came not in of_others and corrections == [*of_others, came]


@pytest.mark.fault("J14")
def test_who_came_to_correct_a_row_is_told_by_every_name_of_it(
    journal: Journal,
) -> None:
    """Each order once; only for the names that are asked about, or for all."""
    journal.append(
        [asks("a", corrects="place", sale=["place", "by order"]), asks("plain")]
    )
    journal.append([answer("a", "declined"), asks("a", attempt=2, corrects="place")])
    assert journal.corrected(["place", "nowhere", ""]) == {"place": ["a"]}
    assert journal.corrected() == {"place": ["a"], "by order": ["a"]}
    at_ns = asks("a").at_ns
    assert journal.corrected(since_ns=at_ns) == journal.corrected()
    assert journal.corrected(since_ns=at_ns + 1) == {}


@pytest.mark.parametrize("since_ns", [0, 2**62])
def test_shares_on_their_way_are_told(journal: Journal, since_ns: int) -> None:
    """Of charges that succeeded, since then or of these orders, until they have arrived."""
    recorder = Recorder(journal, FakeClock(), "night", "2026-11-24", live=False)
    in_virtual_time(nights.first(recorder), nights.AT_S)
    (way,) = journal.on_their_way(since_ns, ["0001"], "", "0001", 9)
    (attempt,) = fold(journal.histories(["0001"])["0001"])
    assert attempt.charge is not None
    assert way == OnItsWay("0001", 1, begun_ns(attempt), attempt.charge.chain or "", "")
    assert bool(journal.on_their_way(since_ns, [], "", "", 9)) is (since_ns == 0)
    arrived = after.seen(Transfer("trsf_1", "recp_1", 5, "THB", paid=True), attempt)
    in_virtual_time(recorder.transfers_seen([(attempt, arrived)]), nights.AT_S)
    assert journal.on_their_way(since_ns, ["0001"], "", "0001", 9) == []


async def four_shares(recorder: Recorder) -> None:
    """One order a second: two paid, one taken over with two attempts, one that is not as asked; and
    a person's word on that one.
    """
    for number in (2, 3):
        await pay(recorder, number, nights.shown(f"000{number}"))
    for attempt in (1, 2):
        await asyncio.sleep(1)
        await recorder.adopt(nights.shown("0001", attempt), attempt)
    odd = await pay(recorder, 4, nights.shown("0004", amount=1))
    await asyncio.sleep(1)
    await recorder.resolve(odd, "accepted", "it is right", "kim")


async def pay(recorder: Recorder, number: int, charge: ChargeSeen) -> Case:
    await asyncio.sleep(1)
    case = Case(nights.intent_of(f"000{number}"))
    at_s = asyncio.get_running_loop().time()
    await recorder.intend(case, at_s)
    await recorder.answered(case, Verdict(Proof.CHARGE, charge=charge), 200, "", at_s)
    return case


def test_shares_on_their_way_are_told_so_many_at_once(journal: Journal) -> None:
    """By order id, never part of an order; behind one, and up to another; of before, those alone
    that changed since, be it by a person's word.
    """
    recorder = Recorder(journal, FakeClock(), "night", "2026-11-24", live=False)
    in_virtual_time(four_shares(recorder))

    def told(since_s: int, *which: Any) -> list[str]:
        ways = journal.on_their_way(START_NS + since_s * 10**9, *which)
        return [f"{one.order_id[-1]}.{one.attempt}" for one in ways]

    assert told(0, [], "", "", 9) == ["1.1", "1.2", "2.1", "3.1", "4.1"]
    assert told(0, [], "", "", 1) == ["1.1", "1.2"]
    assert told(0, [], "0001", "", 1) == ["2.1"]
    assert told(0, [], "0001", "0003", 9) == ["2.1", "3.1"]
    assert told(0, [], "0004", "", 9) == []
    assert told(3, [], "", "", 9) == ["1.1", "1.2", "4.1"]
    assert told(6, [], "", "", 9) == ["4.1"]
    assert told(9, ["0003", "nobody"], "", "", 9) == ["3.1"]
    found = {
        (one.order_id, one.attempt): one
        for one in journal.on_their_way(0, [], "", "", 9)
    }
    for order_id, events in journal.histories(["0001", "0002", "0003", "0004"]).items():
        for one in fold(events):
            assert found[order_id, one.intent.attempt].begun_ns == begun_ns(one)


def test_orders_of_a_batch_and_since_a_time(journal: Journal) -> None:
    """Rows that caused an attempt, those that are settled, and what happened since."""
    assert (journal.knows_orders(), journal.last_of_orders()) == (False, 0)
    journal.append([asks("a", 5, row=2), asks("b", 6, row=3), answer("a", "succeeded")])
    journal.append([Event("totals", 9, "run", BATCH)])
    assert (journal.knows_orders(), journal.last_of_orders()) == (True, 3)
    assert sorted(journal.orders_of(BATCH)) == ["a", "b"]
    assert journal.orders_since(6) == ["b"]
    assert journal.orders_of_row(BATCH, "Orders", 2) == ["a"]
    assert journal.orders_of_row(BATCH, "", 2) == []
    assert journal.owned(BATCH, "Orders", 2, 9) == {2: ("a",), 3: ("b",)}
    assert journal.owned(BATCH, "Orders", 3, 9) == {3: ("b",)}
    assert journal.owned(BATCH, "", 2, 9) == {}
    assert journal.settled_rows(BATCH, "Orders", 2, 9) == {2}
    assert journal.settled_rows(BATCH, "Orders", 3, 9) == frozenset()
    assert (journal.moved(BATCH), journal.moved("another")) == (False, False)
    assert (journal.changed(BATCH, 1), journal.changed(BATCH, 2)) == (True, False)
    journal.append([Event("held", 10, "run", BATCH)])
    assert journal.moved(BATCH)
    journal.append([asks("0a", 11, row=2), asks("a2", 12, row=2)])
    assert journal.orders_of_row(BATCH, "Orders", 2) == ["a", "0a", "a2"]


def test_adopted_charges_are_told_with_their_batch_or_as_unplaced(
    journal: Journal,
) -> None:
    """One that tells of no row of its file is unplaced, whatever the day of its batch."""
    journal.append([asks("a"), adopted("b", 2, "succeeded", beside=False)])
    of_a_day = replace(adopted("c", 3, "succeeded", beside=False), batch_id=BATCH)
    journal.append([of_a_day])
    assert journal.adopted() == [("batch", "b"), (BATCH, "c")]
    assert (
        journal.unplaced(BATCH) == journal.unplaced("2026-09-09-0123456789ab") == ["c"]
    )
    assert journal.batch_named("2026-09-09-0123456789ab") == BATCH
    assert journal.batch_named("2026-09-09-ffffffffffff") == "2026-09-09-ffffffffffff"


def test_a_persons_cancellations_are_kept(journal: Journal) -> None:
    """Of orders that no attempt was made for."""
    journal.append(
        [Event("cancelled", 1, order_id="a", data={"reason": "r"}), intent("b")]
    )
    assert [event.order_id for event in journal.cancelled()] == ["a"]


def test_what_a_run_did_is_told_in_brief(journal: Journal) -> None:
    """Orders only, between two numbers; the last run of a batch is one that began."""
    journal.append([Event("run.started", 1, "run"), asks("a")])
    paid = {
        "state": "succeeded",
        "charge": {"id": "chrg_1", "amount": 100, "currency": "thb"},
    }
    journal.append([replace(answer("a", "succeeded"), batch_id=BATCH, data=paid)])
    journal.append(
        [Event("totals", 3, "never began", BATCH), Event("held", 3, "stray", BATCH)]
    )
    asked, done = journal.done_in("run", 0, None, ["a"])
    assert (asked.kind, asked.order_id, asked.state, asked.amount) == (
        "intent",
        "a",
        "in_doubt",
        0,
    )
    assert (done.state, done.amount, done.currency, done.batch_id) == (
        "succeeded",
        100,
        "thb",
        BATCH,
    )
    assert list(journal.done_in("run", 2, None, ["a"])) == [done]
    assert list(journal.done_in("run", 0, 3, ["a"])) == [asked]
    assert list(journal.done_in("another", 0, None, ["a"])) == []
    assert list(journal.done_in("run", 0, None, ["b"])) == []
    assert (journal.last_run_of(BATCH), journal.last_run_of("another")) == ("run", "")


def paid(order_id: str, amount: Any, currency: str = "thb", **others: Any) -> Event:
    charge = {"id": f"chrg_{order_id}", "amount": amount, "currency": currency}
    told = answer(order_id, "succeeded")
    return replace(told, data={"state": "succeeded", "charge": charge}, **others)


def test_what_a_run_charged_at_once_is_added_up(journal: Journal) -> None:
    """By batch and currency, from the answers themselves; an order of which it wrote anything else
    is none of these, but for where its share is.
    """
    journal.append([Event("run.started", 1, "run")])
    for number in range(1, 10):
        journal.append([intent(f"a{number}"), paid(f"a{number}", 100 + number)])
    journal.append([intent("y"), paid("y", 7, "jpy")])
    seen = Event("transfer", 3, "run", "batch", "", 2, "a1", 1, 1)
    journal.append([replace(seen, data={"id": "trsf_1", "stands": "sent"})])
    journal.append([replace(seen, order_id="old", batch_id="older")])
    others = {
        "declined",
        "unanswered",
        "again",
        "seen",
        "none",
        "moved",
        "twice",
        "adopted",
    }
    journal.append([intent(order_id) for order_id in sorted(others - {"adopted"})])
    journal.append([answer("declined", "declined"), answer("again", "declined")])
    journal.append([paid(order_id, 50) for order_id in ("seen", "twice", "twice")])
    journal.append([paid("none", None), paid("moved", 50, batch_id="another")])
    journal.append([intent("again", 2), answer("again", "succeeded", 2)])
    journal.append([replace(answer("seen", "reversed"), kind="found")])
    journal.append([replace(paid("adopted", 60), kind="adopted")])
    wrote = journal.wrote_in("run", 0, None)
    assert sorted(wrote.charged) == [
        ChargedAtOnce("batch", "jpy", 7, ["y"]),
        ChargedAtOnce("batch", "thb", 945, [f"a{number}" for number in range(1, 10)]),
    ]
    assert set(wrote.others) == others
    assert wrote.batches == {"batch", "older", "another"}
    told = journal.wrote_in("run", 0, None, ["a1", "y", "elsewhere"])
    assert [one.minor for one in told.charged] == [844]
    assert set(told.others) == {*others, "a1", "y"}


def test_what_another_run_wrote_is_not_added_up(journal: Journal) -> None:
    """An order that one run sent, and of which another knows that it was charged, is a story of
    both; so is one that was written about before, or after, what is asked for.
    """
    journal.append([intent("a"), replace(intent("b"), run_id="next"), intent("c")])
    journal.append([replace(paid("a", 100), run_id="next"), paid("b", 100)])
    journal.append([replace(paid("c", 100), run_id="")])
    journal.append([replace(intent("d"), run_id=""), replace(paid("d", 9), run_id="")])
    for run_id, others in (("run", {"a", "b", "c"}), ("next", {"a", "b"})):
        wrote = journal.wrote_in(run_id, 0, None)
        assert (wrote.charged, set(wrote.others)) == ([], others)
    head, _ = journal.head()
    journal.append([intent("e"), paid("e", 100), intent("f"), paid("f", 10)])
    assert journal.wrote_in("run", head, None).charged == [
        ChargedAtOnce("batch", "thb", 110, ["e", "f"])
    ]
    assert set(journal.wrote_in("run", head + 1, head + 4).others) == {"e", "f"}
    assert journal.wrote_in("none", 0, None) == Wrote([], [], frozenset())


# --- the rows of a batch


def judged(
    first: int, *order_ids: str, sheet: str = "Orders", cells: bytes = b"cells"
) -> Judged:
    rows = list(range(first, first + len(order_ids)))
    chunk: Any = SimpleNamespace(rows=rows, sheet=sheet, cells=lambda: cells)
    problems = {0: (Problem("Amount", "x", plain("write 1.00"), "number-format"),)}
    documents = [{"order_id": order_id, "amount": 5} for order_id in order_ids]
    return Judged(
        chunk, documents, problems, frozenset({1}), {1: "place"}, {1: ("old", "id")}
    )


def batch(**changes: Any) -> Batch:
    columns = ("order_id", "amount")
    made = Batch(
        BATCH,
        "night",
        "a.csv",
        "0" * 64,
        "csv",
        4,
        columns,
        (),
        (),
        "test",
        "1",
        "2",
        "0",
    )
    return replace(made, **{"read": (Read("THB", 4, 20),), **changes})


PLANNED = Event("batch.planned", 1, "run")
REPEATS = {
    ("Orders", 3): Repeat(Outcome.DUPLICATE, plain("the same as row 2"), "Orders", 2)
}


def test_rows_are_staged_and_then_planned_as_they_were(journal: Journal) -> None:
    """Documents, problems, come-backs, corrections, earlier ids and cells, chunk by chunk."""
    staged = journal.stage(
        BATCH, [judged(2, "a", "b"), judged(4, "c", "d", cells=b"more")]
    )
    assert [chunk.rows[0] for chunk in journal.chunks(BATCH, staged)] == [2, 4]
    assert (list(journal.chunks(BATCH)), journal.batches()) == ([], [])
    journal.plan(PLANNED, batch(), staged, REPEATS)
    first, second = journal.chunks(BATCH)
    assert (first.documents[1], first.comeback, first.cells) == (
        {"order_id": "b", "amount": 5},
        {1},
        b"cells",
    )
    assert first.problems == {
        0: (Problem("Amount", "x", plain("write 1.00"), "number-format"),)
    }
    assert (first.corrects, first.earlier) == ({1: "place"}, {1: ("old", "id")})
    assert (second.number, list(second.rows), second.cells) == (1, [4, 5], b"more")
    assert journal.spans(BATCH) == [(0, "Orders", 2, 3), (1, "Orders", 4, 5)]
    assert journal.chunk(BATCH, 1) == second
    assert journal.chunk(BATCH, 2) is journal.chunk("another", 0) is None
    assert (journal.batches(), journal.repeats(BATCH)) == ([batch()], REPEATS)
    assert journal.spans("another") == [] and journal.repeats("another") == {}


def test_the_same_plan_again_is_no_event_and_another_is(journal: Journal) -> None:
    """Other rows take the place of those before; a judgement leaves them."""

    def plan(*order_ids: str, **changes: Any) -> list[str]:
        staged = journal.stage(BATCH, [judged(2, *order_ids)])
        journal.plan(PLANNED, batch(**changes), staged, {})
        return [chunk.documents[0]["order_id"] for chunk in journal.chunks(BATCH)]

    assert (plan("a", "b"), plan("a", "b"), len(list(journal.events()))) == (
        ["a"],
        ["a"],
        1,
    )
    assert (plan("x", "b"), len(list(journal.events()))) == (["x"], 2)
    journal.judge(PLANNED, batch(refusal="too many"))
    journal.judge(PLANNED, batch(id="another"))
    assert [one.refusal for one in journal.batches()] == ["too many"]
    assert [chunk.documents[0]["order_id"] for chunk in journal.chunks(BATCH)] == ["x"]
    assert [event.kind for event in journal.events()] == ["batch.planned"] * 3


@pytest.mark.fault("J06")
def test_a_row_of_a_file_is_known_whatever_job_names_its_batch(
    journal: Journal,
) -> None:
    """By the digest of the file; nothing where the file, the sheet or the row is another."""
    theirs = f"2026-02-02-{tail_of('day', '0' * 64)}"
    journal.plan(PLANNED, batch(), journal.stage(BATCH, [judged(2, "a", "b")]), {})
    assert journal.id_of_row("day", theirs, "Orders", 3) == "b"
    others = [
        ("night", theirs, "Orders", 3),
        ("day", theirs, "", 3),
        ("day", theirs, "Orders", 4),
    ]
    assert [journal.id_of_row(*other) for other in others] == ["", "", ""]


def test_every_method_of_the_port_is_asked_here() -> None:
    """So that another journal can be built against it."""
    source = Path(__file__).read_text("utf-8")
    methods = [
        name for name, of in vars(Journal).items() if name[0] != "_" and callable(of)
    ]
    missing = {name for name in methods if f"journal.{name}(" not in source} - {"close"}
    assert missing == set() and "opened.close()" in source
