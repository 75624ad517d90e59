"""Where one small change of the queue once went unseen: who goes next, how far a run may go, and
what it says then.
"""

from __future__ import annotations

from typing import Any

import pytest

from batchpay.domain.model import Outcome
from batchpay.job.job import SENDS_PER_RUN, Limit
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import advance
from batchpay.settlement import Candidate, Case, Limits
from batchpay.settlement.queue import FAILURES_FROM, Queue
from tests.test_lifecycle import answer_event, event
from tests.test_queue import candidate, known


def queue(
    count: int, limits: Limits | None = None, *, alone: bool = False, **changes: Any
) -> Queue:
    """Rows that nobody's payer keeps apart."""
    made = Queue(limits or Limits())
    made.begin(
        [
            candidate(number, **{"customer": f"cust_test_{number}", **changes})
            for number in range(count)
        ]
    )
    if not alone:
        made.open()
    return made


def take(from_: Queue, *, quiet: bool = True) -> Case:
    """The next case; there must be one."""
    case = from_.take(quiet=quiet)
    assert case is not None
    return case


def charged(case: Case, outcome: Outcome) -> Case:
    """The same, answered so."""
    paid = outcome is Outcome.SUCCEEDED
    charge = {
        **answer_event(1).data["charge"],
        "status": "successful" if paid else "failed",
        "paid": paid,
    }
    charge["chain"] = charge["chain"] if paid else None
    intent = case.intent
    case.attempt = advance(
        Attempt(intent, adopted=False, sends=1, unproven_sends=frozenset({1})),
        event("found", charge=charge),
    )
    assert case.attempt.outcome is outcome
    case.sends_in_run = 1
    case.left = True
    return case


# --- one at a time


@pytest.mark.fault("L11")
def test_the_first_order_goes_alone_until_the_list_after_it_allows_the_others() -> None:
    """Neither while it is out nor when it is done; what is left is waited for, and the queue is not
    idle before.
    """
    some = queue(3, alone=True)
    assert some.idle and not some.waits_for_list
    first = take(some)
    assert not some.idle and not some.waits_for_list
    assert some.take(quiet=True) is None
    first.sends_in_run = 1
    some.done(first)
    assert some.idle and some.waits_for_list
    assert some.take(quiet=True) is None
    some.open()
    assert not some.waits_for_list
    assert [take(some).intent.order_id for _ in range(2)] == ["0001", "0002"]


@pytest.mark.fault("L11", "E12")
def test_an_order_that_was_kept_back_before_its_intent_is_not_the_first() -> None:
    """The list after it would say nothing of another run: the next one goes alone."""
    some = queue(3, alone=True)
    some.done(take(some))
    assert some.idle and not some.waits_for_list
    first = take(some)
    assert some.take(quiet=True) is None
    first.sends_in_run = 1
    some.done(first)
    assert some.waits_for_list and some.take(quiet=True) is None


def test_what_is_closed_waits_for_no_list_and_hands_out_nothing() -> None:
    """Although its first order was sent."""
    some = queue(3, alone=True)
    first = take(some)
    first.sends_in_run = 1
    some.done(first)
    some.closed = "enough"
    assert not some.waits_for_list and some.take(quiet=True) is None
    some.open()
    assert some.take(quiet=True) is None


# --- again


@pytest.mark.fault("B19", "L12")
def test_an_order_goes_again_as_often_as_a_run_may_and_only_while_its_row_is_there() -> (
    None
):
    """Before the rows that were not sent yet; without its row it waits for another run."""
    some = queue(2)
    first = take(some)
    for sends in range(1, SENDS_PER_RUN):
        first.sends_in_run = sends
        some.done(first)
        assert some.idle
        some.again(first)
        assert not some.idle
        assert take(some) is first
    first.sends_in_run = SENDS_PER_RUN
    some.done(first)
    some.again(first)
    assert some.idle and take(some).intent.order_id == "0001"
    gone = known(9)
    gone.sends_in_run = 1
    some.again(gone)
    assert some.take(quiet=True) is None


@pytest.mark.fault("L5", "L12")
def test_a_doubt_of_an_earlier_run_that_was_proven_absent_is_like_a_row() -> None:
    """It goes before the rows, counts against the limit, and waits for its payer as they do."""
    some = queue(2, Limits(orders=2))
    absent = known(7)
    absent.present = True
    some.again(absent)
    assert some.idle  # a row that waits is no order under way
    assert take(some) is absent
    assert take(some).intent.order_id == "0000"
    assert some.take(quiet=True) is None
    assert some.why_held == "this run was limited to 2 orders (--limit)"


@pytest.mark.fault("L12")
def test_what_waits_for_its_payer_is_handed_out_in_its_order_and_counted() -> None:
    """One for each that is done; a payer whose last order went is free at once."""
    some = Queue(Limits())
    some.begin([candidate(number) for number in range(3)])
    some.open()
    for number in range(3):
        case = take(some)
        assert case.intent.order_id == f"000{number}"
        assert some.take(quiet=True) is None
        some.done(case)
    assert some.idle and some.take(quiet=True) is None
    once = queue(3, customer=None, card="tokn_test_1")  # one token each: nobody waits
    assert [take(once).intent.order_id for _ in range(3)] == ["0000", "0001", "0002"]


# --- how far a run may go


def test_a_limit_of_none_and_a_limit_that_is_met() -> None:
    """Of nothing nothing is sent; where all was sent nothing is held."""
    none = queue(1, Limits(orders=0))
    assert none.take(quiet=True) is None and "0 orders" in none.why_held
    met = queue(2, Limits(orders=2))
    assert [take(met).intent.order_id for _ in range(2)] == ["0000", "0001"]
    assert met.take(quiet=True) is None and met.why_held == ""


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (1, "--canary 1: the first order did not succeed"),
        (2, "--canary 2: not all of the first 2 orders succeeded"),
    ],
)
def test_canaries_that_did_not_succeed_hold_the_rest(wanted: int, told: str) -> None:
    """Said once nothing is under way any more: until then they may yet succeed."""
    some = queue(4, Limits(canary=wanted))
    canaries = [take(some) for _ in range(wanted)]
    assert some.take(quiet=True) is None and some.why_held == ""  # they are out
    for case in canaries[:-1]:
        some.done(charged(case, Outcome.SUCCEEDED))
    some.done(charged(canaries[-1], Outcome.DECLINED))
    # a doubt is looked into
    assert some.take(quiet=False) is None and some.why_held == ""
    assert some.take(quiet=True) is None and some.why_held == told


@pytest.mark.fault("H04")
def test_failures_are_counted_by_order_and_not_by_send() -> None:
    """Of orders that were sent, once each, in this run; the words say how many of how many."""
    some = queue(FAILURES_FROM + 2, Limits(max_failures=Limit(count=1)))
    for number in range(FAILURES_FROM - 1):
        some.done(
            charged(take(some), Outcome.DECLINED if number < 2 else Outcome.SUCCEEDED)
        )
        assert some.closed == ""
    unsent = take(some)  # given back by a worker that did not send it
    some.done(unsent)
    assert some.closed == ""
    voided = charged(
        take(some), Outcome.SUCCEEDED
    )  # written down, and it did not leave
    voided.left = False
    some.done(voided)
    assert some.closed == ""
    some.done(charged(take(some), Outcome.SUCCEEDED))
    assert (
        some.closed
        == f"[controls] max_failures: 2 of the first {FAILURES_FROM} orders took no money"
    )
    lenient = queue(FAILURES_FROM, Limits(max_failures=Limit(count=2)))
    for number in range(FAILURES_FROM):
        lenient.done(
            charged(
                take(lenient), Outcome.DECLINED if number < 2 else Outcome.SUCCEEDED
            )
        )
    assert lenient.closed == ""


def test_a_row_that_a_list_found_meanwhile_is_passed_over_and_those_behind_it_are_not() -> (
    None
):
    """Nothing is claimed for it: the limit is for others."""
    some = Queue(Limits(orders=1))
    some.begin([Candidate("0009", None), candidate(1), candidate(2)])
    some.open()
    assert take(some).intent.order_id == "0001"
    assert some.take(quiet=True) is None and "1 order " in some.why_held
