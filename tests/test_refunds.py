"""Refunds as the gateway shows them, and a person's word on a difference: what is said of them, and
what holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from batchpay.domain.books import Refund
from batchpay.domain.model import ChargeSeen, Event
from batchpay.gateways.omise.books import booked_in, refund_in, transaction_in
from batchpay.gateways.omise.objects import charge_in
from batchpay.reconciliation import refunds
from batchpay.reconciliation.matching import Difference
from batchpay.reconciliation.noting import kept, note_on, open_of
from batchpay.reconciliation.refunds import (
    Refunded,
    totals_of,
)
from tests.test_matching import CHARGE_ID, MADE

ZONE = "Asia/Bangkok"
ONE = Refund("rfnd_test_1", CHARGE_ID, 4000, "THB", "2026-11-25T17:00:00Z")
pytestmark = pytest.mark.fault("J31")


def refund(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A refund object; it was made on the 26th of Bangkok, the 25th of UTC."""
    return {
        "object": "refund",
        "id": f"rfnd_test_{number}",
        "amount": 4000,
        "currency": "THB",
        "charge": CHARGE_ID,
        "created_at": "2026-11-25T17:00:00Z",
        **changes,
    }


def charge(refunded: Any = 0, *refunds: Any, **changes: Any) -> dict[str, Any]:
    return {
        **MADE,
        "refunded_amount": refunded,
        "refunds": {"object": "list", "data": list(refunds)},
        **changes,
    }


def refunded_of(
    charge_id: str,
    order_id: str,
    document: dict[str, Any] | None,
    beside: list[Refund],
    journal: ChargeSeen | None = None,
) -> Refunded | None:
    """Of a document as the gateway gives it."""
    booked = None if document is None else booked_in(document)
    return refunds.refunded_of(charge_id, order_id, booked, beside, journal)


def booked_as_refunds(entries: list[dict[str, Any]]) -> Counter[str]:
    """The same."""
    return refunds.booked_as_refunds([transaction_in(entry) for entry in entries])


def told(
    document: dict[str, Any] | None, *beside: dict[str, Any], journal: Any = None
) -> str:
    """The sentence, after `refunded: `."""
    listed = [one for one in map(refund_in, beside) if one is not None]
    found = refunded_of(CHARGE_ID, "0001", document, listed, journal)
    assert found is not None
    return found.difference(ZONE).told


CHARGED = f"of charge {CHARGE_ID} of order 0001"
WAS = "charged 1,234.50 THB on 2026-11-24, "
BY_HAND = "; made at the gateway, not by batchpay (days of Asia/Bangkok)"


@pytest.mark.parametrize(
    "document, beside, sentence",
    [
        (
            charge(4000, refund()),
            [],
            (
                f"a refund of 40.00 THB (4000 in the smallest unit) on 2026-11-26 {CHARGED};"
                f" {WAS}1,194.50 THB left"
            ),
        ),
        (
            charge(0),  # the list of charges is older than that of refunds
            [refund()],
            (
                f"a refund of 40.00 THB (4000 in the smallest unit) on 2026-11-26 {CHARGED};"
                f" {WAS}1,194.50 THB left"
            ),
        ),
        (
            charge(4000, refund()),
            [
                refund(),
                refund(
                    2,
                    amount=1,
                    charge={"id": CHARGE_ID},
                    created_at="2026-11-25T16:59:59Z",
                ),
            ],
            (
                f"refunds of 40.01 THB (4001 in the smallest unit) in all {CHARGED}: 0.01 THB on"
                f" 2026-11-25 (rfnd_test_2), 40.00 THB on 2026-11-26 (rfnd_test_1); {WAS}1,194.49"
                " THB left"
            ),
        ),
        (
            charge(
                4100, refund()
            ),  # the gateway tells the one, and of the other no more than its amount
            [],
            (
                f"refunds of 41.00 THB (4100 in the smallest unit) in all {CHARGED}: 40.00 THB on"
                " 2026-11-26 (rfnd_test_1), 1.00 THB on a day that the gateway does not tell;"
                f" {WAS}1,193.50 THB left"
            ),
        ),
        (
            {**MADE, "refunded": 123450},  # as it was before 2019-05-29
            [],
            (
                f"refunds of 1,234.50 THB (123450 in the smallest unit) in all {CHARGED}: 1,234.50"
                f" THB on a day that the gateway does not tell; {WAS}0.00 THB left"
            ),
        ),
        (
            charge(
                4000,
                refund(created_at=None, created="2026-11-25T17:00:00Z"),
                currency="JPY",
            ),
            [],
            (
                f"refunds of 4,000 JPY in all {CHARGED}: 4,000 JPY on a day that the gateway does"
                " not tell; charged 123,450 JPY on 2026-11-24, 119,450 JPY left; what is told"
                " cannot be true beside the charge, and is in no sum: 40.00 THB (rfnd_test_1)"
            ),
        ),
        (
            charge(10**9, refund()),  # more in all than was charged
            [],
            (
                "a refund of 40.00 THB (4000 in the smallest unit) on 2026-11-26"
                f" {CHARGED}; {WAS}1,194.50 THB left; what is told cannot be true beside the"
                " charge, and is in no sum: 10,000,000.00 THB in all"
            ),
        ),
        (
            charge(
                100, refund(amount=123450), refund(2, amount=1)
            ),  # ... and by several
            [],
            (
                f"refunds of 1.00 THB (100 in the smallest unit) in all {CHARGED}: 1.00 THB on a"
                f" day that the gateway does not tell; {WAS}1,233.50 THB left; what is told cannot"
                " be true beside the charge, and is in no sum: 1,234.50 THB (rfnd_test_1), 0.01"
                " THB (rfnd_test_2)"
            ),
        ),
        (
            None,  # the gateway shows the charge no more, and the journal never knew it
            [refund(created_at="soon")],
            (
                "a refund of 40.00 THB (4000 in the smallest unit) on a day that the gateway does"
                f" not tell {CHARGED}"
            ),
        ),
    ],
)
def test_a_refund_is_told_with_amount_currency_and_days(
    document: dict[str, Any] | None, beside: list[dict[str, Any]], sentence: str
) -> None:
    """Of which charge, of which order, on which day of the job's zone, and what is left."""
    assert told(document, *beside) == sentence + BY_HAND


def test_what_the_gateway_shows_no_more_is_told_by_the_journal() -> None:
    """The charge's own amount and day."""
    journal = charge_in(MADE)
    assert told(None, refund(), journal=journal).endswith(
        f"{CHARGED}; {WAS}1,194.50 THB left{BY_HAND}"
    )
    assert refunded_of(CHARGE_ID, "", None, [], journal) is None


@pytest.mark.parametrize("odd", ["4000", -1, 2**63, 40.0, True, ["x"]])
def test_what_cannot_be_read_is_said_and_stays_a_difference(odd: Any) -> None:
    """Evidence is never taken for nothing."""
    document = charge(odd)
    assert booked_in(document).speaks_of_refunds
    found = refunded_of(CHARGE_ID, "0001", document, [])
    assert found is not None and (found.total, found.difference(ZONE).state) == (
        0,
        f"refunded_amount is {odd!r}",
    )
    assert f"cannot be read: refunded_amount is {odd!r}" in found.difference(ZONE).told


@pytest.mark.parametrize("none", [0, None, False, ""])
def test_nothing_given_back_is_no_difference(none: Any) -> None:
    """However the gateway says so."""
    for document in (
        charge(none),
        {**MADE, "refunds": None},
        {**MADE, "refunds": {"data": [refund(object="list")]}},
    ):
        assert not booked_in(document).speaks_of_refunds
        assert (
            refunded_of(
                CHARGE_ID,
                "0001",
                document,
                [Refund("rfnd_test_1", "chrg_test_2", 1, "THB", "")],
            )
            is None
        )


@pytest.mark.parametrize(
    "thing",
    [None, [], {}, {"object": "refund"}, {"object": "refund", "id": 7}, charge()],
)
def test_what_is_no_refund_is_none(thing: Any) -> None:
    assert refund_in(thing) is None


def test_of_a_refund_what_cannot_be_read_is_empty() -> None:
    """It stays a refund: its id is evidence."""
    odd = {
        "object": "refund",
        "id": "rfnd_test_1",
        "amount": "4000",
        "currency": None,
        "charge": 7,
    }
    assert refund_in(odd) == Refund("rfnd_test_1", "", 0, "", "")
    assert "'' on a day that" in told(None, {**odd, "amount": 7, "charge": CHARGE_ID})


def test_the_journal_keeps_every_refund_in_a_charge() -> None:
    """With what it is of."""
    found = refunded_of(CHARGE_ID, "0001", charge(4000, refund()), [])
    assert found is not None
    told = found.as_told("UTC")
    assert (told.order, told.charge_id, told.total, told.currency) == (
        "0001",
        CHARGE_ID,
        4000,
        "THB",
    )
    assert list(told.refunds) == [
        {
            "id": "rfnd_test_1",
            "charge_id": CHARGE_ID,
            "amount": 4000,
            "currency": "THB",
            "made_at": "2026-11-25T17:00:00Z",
        }
    ]


def test_an_order_that_nobody_knows_is_not_named() -> None:
    found = refunded_of(CHARGE_ID, "", charge(4000, refund()), [])
    assert (
        found is not None and f"of charge {CHARGE_ID};" in found.difference(ZONE).told
    )


def test_the_difference_is_the_same_on_either_day() -> None:
    """Seen from the charge and seen from the refund: one id, one amount, one state, so that one
    note holds for both.
    """
    by_charge = refunded_of(CHARGE_ID, "0001", charge(4000, refund()), [])
    by_refund = refunded_of(CHARGE_ID, "0001", charge(4000), [ONE])
    assert by_charge is not None and by_refund is not None
    one, other = by_charge.difference(ZONE), by_refund.difference(ZONE)
    assert one == other and one.id == f"refunded:{CHARGE_ID}"
    assert (one.amount, one.currency, by_charge.untold) == (4000, "THB", 0)


# --- sums


def refunded(
    charge_id: str, total: int, currency: str = "THB", *, counts: bool = True
) -> Refunded:
    return Refunded(charge_id, "1", currency, 9000, "", total, (), counts=counts)


def test_the_totals_say_gross_refunded_and_left_and_what_the_days_gave_back() -> None:
    """Refunds of these days' charges reduce what is left; refunds of other days' charges are told
    apart.
    """
    of_days, of_others = (
        refunded("chrg_test_1", 1000),
        refunded("chrg_test_2", 500, "JPY", counts=False),
    )
    made = [(of_days, ONE), (of_others, replace(ONE, amount=500, currency="JPY"))]
    totals = totals_of(
        {"THB": 9000}, [of_days, of_others, refunded("chrg_test_3", 2000)], made
    )
    thb, jpy = totals["THB"], totals["JPY"]
    assert (thb.gross, thb.refunded, thb.left, thb.made) == (9000, 3000, 6000, 4000)
    assert (jpy.gross, jpy.refunded, jpy.left, jpy.made) == (0, 0, 0, 500)
    assert list(totals) == ["JPY", "THB"] and totals_of({}, [], []) == {}


@pytest.mark.fault("J31")
@pytest.mark.parametrize(
    "given, left, is_odd", [(599, 1, False), (600, 0, False), (1001, 600, True)]
)
def test_of_a_charge_captured_in_part_is_left_what_it_took(
    given: int, left: int, is_odd: bool
) -> None:
    """An audit and the charge itself say alike whether all of it was given back."""
    document = charge(given, amount=1000, captured_amount=600)
    one = refunded_of(MADE["id"], "0001", document, [])
    seen = charge_in(document)
    assert one is not None and seen is not None
    assert (one.charged, one.left, bool(one.contradicts)) == (600, left, is_odd)
    assert seen.given_back is (one.left == 0)


def test_a_ledgers_debits_of_refunds_are_summed() -> None:
    """By their origin; their keys were never seen."""
    debit = {
        "direction": "debit",
        "origin": "rfnd_test_1",
        "amount": 4000,
        "currency": "thb",
    }
    entries = [
        debit,
        debit,
        {**debit, "direction": "credit"},
        {**debit, "origin": "trsf_1"},
        {**debit, "amount": "1"},
    ]
    assert booked_as_refunds(
        [*entries, {**debit, "currency": None, "amount": 1}]
    ) == Counter({"THB": 8000, "": 1})


# --- notes


def noted(difference: Difference, reason: str = "agreed", at_ns: int = 7) -> Event:
    return Event(
        "noted",
        at_ns=at_ns,
        data={
            **note_on(difference, reason, "kim").as_told().data(),
            "since": "a later version",
        },
    )


REFUNDED = Difference("refunded", "0001", CHARGE_ID, "a refund", 4000, "THB")


def test_a_note_holds_for_the_difference_as_it_was() -> None:
    """Its words may change, and the order of what is found; what it is about, how much and where it
    stood may not.
    """
    notes = kept([noted(REFUNDED)])
    assert (
        notes[REFUNDED.id].reason,
        notes[REFUNDED.id].by,
        notes[REFUNDED.id].at_ns,
    ) == (
        "agreed",
        "kim",
        7,
    )
    assert open_of([REFUNDED, replace(REFUNDED, told="in other words")], notes) == []
    for changed in (
        replace(REFUNDED, amount=5000),
        replace(REFUNDED, currency="JPY"),
        replace(REFUNDED, state="lost"),
        replace(REFUNDED, charge_id="chrg_test_2"),
        replace(REFUNDED, kind="double"),
    ):
        assert open_of([changed], notes) == [changed]


def test_the_last_note_counts() -> None:
    """Also when it was made of another state."""
    more = replace(REFUNDED, amount=5000)
    notes = kept([noted(REFUNDED), noted(more, "the rest too", 8)])
    assert (notes[REFUNDED.id].reason, notes[REFUNDED.id].amount) == (
        "the rest too",
        5000,
    )
    assert open_of([more], notes) == [] and open_of([REFUNDED], notes) == [REFUNDED]
