"""Who is sent next: one at a time for each payer, nothing that nobody knows, nothing beside an open
attempt.
"""

from __future__ import annotations

from typing import Any

import pytest

from batchpay.domain.model import Outcome
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import advance
from batchpay.lifecycle.request import intent_of
from batchpay.settlement import Candidate, Case, Limits
from batchpay.settlement.queue import LANES_WAITING, Queue, limited
from tests.test_lifecycle import answer_event, event


def candidate(number: int, **changes: Any) -> Candidate:
    document = {
        "order_id": f"{number:04d}",
        "amount": 100,
        "currency": "thb",
        "destination": "recp_test_1",
        "customer": "cust_test_1",
        **changes,
    }
    intent = intent_of(
        document,
        job="night",
        attempt=1,
        fee=None,
        batch_id="b",
        sheet="",
        row=number,
        run_id="r",
        journal_id="j",
    )
    return Candidate(document["order_id"], intent)


def queue(*candidates: Candidate) -> Queue:
    made = Queue(Limits())
    made.begin(candidates)
    made.open()
    return made


def taken(from_: Queue) -> str | None:
    case = from_.take(quiet=True)
    return case.intent.order_id if case else None


@pytest.mark.fault("L12", "B19")
def test_a_payer_waits_for_its_own_and_for_nobody_else() -> None:
    """Also when its first order comes back for another try while its second one is out."""
    waiting = queue(
        candidate(0), candidate(1), candidate(2, customer="cust_test_2"), candidate(3)
    )
    first = waiting.take(quiet=True)
    assert first is not None and first.intent.order_id == "0000"
    assert taken(waiting) == "0002"
    assert taken(waiting) is None
    first.sends_in_run = 1
    waiting.done(first)
    waiting.again(first)
    assert taken(waiting) == "0001"
    assert taken(waiting) is None and not waiting.idle


def known(number: int, *, in_doubt: bool = False) -> Case:
    """An order that an earlier run left open."""
    intent = candidate(number).intent
    assert intent is not None
    unclear = frozenset({1}) if in_doubt else frozenset()
    return Case(
        intent,
        Attempt(intent, adopted=False, sends=1, unproven_sends=unclear),
        present=False,
    )


def test_orders_that_nobody_knows_and_those_without_a_row_are_passed_over() -> None:
    """They are not claimed: the report says why."""
    some = queue(Candidate("0009", None), candidate(1))
    some.known["0008"] = known(8)
    some.known["0009"] = Case(candidate(9).intent)  # type: ignore[arg-type]  # known, but nothing was written yet
    assert (taken(some), taken(some)) == ("0001", None)


def test_an_open_order_of_an_earlier_run_goes_once_its_row_is_there() -> None:
    """As the very case that look-ups write to; one in doubt waits for them."""
    some = queue(Candidate("0000", None), Candidate("0001", None))
    some.known["0000"], some.known["0001"] = known(0), known(1, in_doubt=True)
    assert some.take(quiet=True) is some.known["0000"] and some.known["0000"].present
    some.done(some.known["0000"])
    assert taken(some) is None and some.known["0001"].present


@pytest.mark.fault("J13", "L3")
def test_a_new_attempt_of_an_order_goes_beside_none_that_may_yet_take_money() -> None:
    """One that was never charged gives way to it; one in doubt, or found by a list meanwhile, does
    not.
    """
    given = candidate(0)
    ready, doubt = known(0), known(0, in_doubt=True)
    anew = Candidate("0000", given.intent, (), ready.attempt)
    some = queue(anew)
    some.known["0000"] = ready
    case = some.take(quiet=True)
    assert case is not None and case is not ready and case.withdraw is ready.attempt
    for candidates, held in (((given,), ready), ((anew,), doubt), ((given,), doubt)):
        some = queue(*candidates)
        some.known["0000"] = held
        assert taken(some) is None


@pytest.mark.fault("L12", "I16")
def test_no_more_orders_are_kept_aside_for_a_busy_payer_than_agreed() -> None:
    """Then the file waits, whoever comes next in it; and goes on when one of them had its turn."""
    rows = [candidate(number) for number in range(LANES_WAITING + 2)]
    last = candidate(9999, customer="cust_test_2")
    crowded, some = queue(*rows, last), queue(*rows[:LANES_WAITING], last)
    first = crowded.take(quiet=True)
    assert first is not None
    assert taken(crowded) is None  # the last row is not even looked at
    crowded.done(first)
    assert taken(crowded) == "0001"
    assert taken(crowded) is None  # one more was kept aside in its place
    assert (taken(some), taken(some)) == ("0000", "9999")


@pytest.mark.fault("H04")
def test_after_the_canaries_the_others_go_side_by_side() -> None:
    """Only the first so many must have succeeded; later ones are waited for by nobody."""
    made = Queue(Limits(canary=1))
    made.begin(
        [candidate(number, customer=f"cust_test_{number}") for number in range(4)]
    )
    made.open()
    canary = made.take(quiet=True)
    assert canary is not None and taken(made) is None
    paid = answer_event(1).data["charge"]
    canary.attempt = advance(known(0).attempt, event("found", charge=paid))
    assert canary.attempt.outcome is Outcome.SUCCEEDED
    made.done(canary)
    assert [taken(made) for _ in range(4)] == ["0001", "0002", "0003", None]
    assert made.why_held == ""


def test_a_limit_counts_its_orders() -> None:
    """In words that fit one and many."""
    assert limited(1) == "this run was limited to 1 order (--limit)"
    assert limited(20) == "this run was limited to 20 orders (--limit)"
