"""Who is sent next: one at a time for each payer, nobody for a barred recipient, nothing that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from batchpay.lifecycle import Attempt
from batchpay.planning import intent_of
from batchpay.settlement import Candidate, Case, Limits
from batchpay.settlement.queue import Queue


def candidate(number: int, **changes: Any) -> Candidate:
    document = {"order_id": f"{number:04d}", "amount": 100, "currency": "thb", "destination": "recp_test_1",
                "customer": "cust_test_1", **changes}  # fmt: skip
    intent = intent_of(
        document, job="night", attempt=1, fee=None, batch_id="b", sheet="", row=number, run_id="r", journal_id="j"
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
    waiting = queue(candidate(0), candidate(1), candidate(2, customer="cust_test_2"), candidate(3))
    first = waiting.take(quiet=True)
    assert first is not None and first.intent.order_id == "0000"
    assert taken(waiting) == "0002"
    assert taken(waiting) is None
    first.sends_in_run = 1
    waiting.done(first)
    waiting.again(first)
    assert taken(waiting) == "0001"
    assert taken(waiting) is None and not waiting.idle


def test_a_barred_recipients_orders_and_unknown_ones_are_passed_over() -> None:
    """They are not claimed: the report says why."""
    some = queue(candidate(0, destination="recp_test_barred"), Candidate("0009", None), candidate(1))
    some.barred = {"recp_test_barred"}
    some.known["0008"] = Case(candidate(8).intent, Attempt(candidate(8).intent))  # type: ignore[arg-type]
    assert (taken(some), taken(some)) == ("0001", None)


def test_an_open_order_of_an_earlier_run_goes_once_its_row_is_there() -> None:
    """As the very case that look-ups write to; barred when its recipient is."""
    intent = candidate(0).intent
    assert intent is not None
    known = Case(intent, Attempt(intent), present=False)
    some = queue(Candidate("0000", None))
    some.known["0000"] = known
    assert some.take(quiet=True) is known and known.present
    barred = queue(Candidate("0000", None))
    barred.known["0000"] = Case(intent, Attempt(intent), present=False)
    barred.barred = {"recp_test_1"}
    assert taken(barred) is None
