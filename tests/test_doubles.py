"""What is too much of a sale that was charged more than once: all that was given back counts, on
whichever charge.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from batchpay.domain.model import ChargeSeen
from batchpay.gateways.omise.books import booked_in
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import Shown
from batchpay.lifecycle.paid import charged_by, doubled, paid_apart, paid_by
from batchpay.reconciliation.doubles import (
    Given,
    is_elsewhere,
    match_elsewhere,
    with_doubles,
)
from batchpay.reconciliation.matching import Difference, match_charges
from batchpay.reconciliation.refunds import refunded_of
from tests.test_lifecycle import INTENT
from tests.test_matching import JOB, MADE
from tests.test_survivors_life import seen_as

DUE = MADE["amount"]
HALF = DUE // 2


def shown(number: int, back: int = 0, **changes: Any) -> dict[str, Any]:
    """A charge of the order, as the gateway shows it."""
    return {
        **MADE,
        "id": f"chrg_test_{number}",
        "refunded_amount": back,
        **changes,
    }


def seen(document: dict[str, Any]) -> ChargeSeen:
    charge = booked_in(document).charge
    assert charge is not None
    return charge


def tried(number: int, *documents: dict[str, Any], **asked: Any) -> Attempt:
    """An attempt with the charges that the gateway made for it, the first of them reported."""
    key = f"{INTENT.key[:-1]}{number}"
    metadata = {**MADE["metadata"], "batchpay_key": key}
    charge, *others = (seen({**one, "metadata": metadata}) for one in documents)
    intent = replace(INTENT, attempt=number, key=key, **asked)
    return replace(
        Attempt(intent, adopted=False),
        charge=charge,
        others=tuple(map(Shown, others)),
        twins=frozenset(one["id"] for one in documents),
    )


def told(*attempts: Attempt, unknown: Any = ()) -> list[Difference]:
    """What an audit says of what was charged more than once, and of refunds."""
    charges = [one for attempt in attempts for one, _ in charged_by((attempt,))]
    charges += map(seen, unknown)
    listed = [booked_in(_document(one)) for one in charges]
    match = match_charges(JOB, attempts, listed, live=False)
    refunded = [
        one
        for booked in listed
        if (one := refunded_of(booked.id, "0001", booked, [])) is not None
    ]
    given = {one.charge_id: one.total for one in refunded}
    refunds = [one.difference("UTC") for one in refunded]
    return list(with_doubles(match.several, given, refunds))


def _document(charge: ChargeSeen) -> dict[str, Any]:
    return {
        **MADE,
        "id": charge.id,
        "amount": charge.amount,
        "currency": charge.currency,
        "status": charge.status,
        "paid": charge.paid,
        "refunded_amount": charge.refunded or 0,
        "metadata": dict(charge.metadata),
        **({} if charge.captured is None else {"captured_amount": charge.captured}),
    }


def asked_back(*attempts: Attempt, unknown: Any = ()) -> dict[str, int]:
    found = told(*attempts, unknown=unknown)
    return {one.charge_id: one.refund_minor for one in found if one.refund_minor}


@pytest.mark.fault("B31", "J31")
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_of_all_charges_what_is_too_much_and_not_given_back_yet_is_asked_for(
    count: int, apart: bool
) -> None:
    """Whichever of them a person gave back, and however much: by the sums alone. What a run says of
    it is the same; and who does what the audit says has paid once, and is asked for nothing more.
    """
    for backs in product((0, HALF, DUE), repeat=count):
        charges = [shown(number, back) for number, back in enumerate(backs, 1)]
        attempts = _tried(charges, apart)
        too_much = max(0, DUE * count - sum(backs) - DUE)
        asked = asked_back(*attempts)
        assert sum(asked.values()) == too_much, backs
        is_open = any(map(doubled, attempts)) or bool(paid_apart(attempts))
        assert is_open is (too_much > 0), backs
        left = {one["id"]: DUE - one["refunded_amount"] for one in charges}
        assert all(0 < back <= left[name] for name, back in asked.items()), backs
        for one in charges:
            one["refunded_amount"] += asked.get(one["id"], 0)
        if too_much:
            assert sum(one["refunded_amount"] for one in charges) == DUE * (count - 1)
        after = told(*_tried(charges, apart))
        assert {one.kind for one in after} == {"refunded"}, backs
        assert not any(one.refund_minor for one in after)


def _tried(charges: list[dict[str, Any]], apart: bool) -> list[Attempt]:
    if apart:
        return [tried(number, one) for number, one in enumerate(charges, 1)]
    return [tried(1, *charges)]


@pytest.mark.fault("B31", "J31")
def test_the_charge_that_a_person_began_to_give_back_goes_and_the_reported_one_stays() -> (
    None
):
    """So one whole charge is what is left."""
    one, two, three = shown(1), shown(2), shown(3)
    assert asked_back(tried(1, two, one, three)) == {one["id"]: DUE, three["id"]: DUE}
    begun = shown(1, 100)
    assert asked_back(tried(1, begun, two)) == {"chrg_test_1": DUE - 100}
    assert asked_back(tried(1, one), tried(2, two)) == {"chrg_test_2": DUE}
    assert asked_back(tried(1, shown(1, DUE)), tried(2, two)) == {}


@pytest.mark.fault("B31", "J31")
def test_a_sale_that_was_corrected_should_have_paid_what_was_asked_for_last() -> None:
    """It stays as it was corrected, wherever that was to go."""
    dear, cheap = shown(1, amount=DUE + 500), shown(2)
    before = tried(1, dear, amount=DUE + 500)
    assert asked_back(before, tried(2, cheap)) == {"chrg_test_1": DUE + 500}
    dear["refunded_amount"] = DUE
    now = tried(1, dear, amount=DUE + 500), tried(2, cheap)
    assert asked_back(*now) == {"chrg_test_1": 500} and paid_apart(now) == now
    gone = tried(2, shown(2, DUE))
    assert asked_back(before, gone) == {"chrg_test_1": 500}
    assert paid_apart((before, gone)) == (before,)
    elsewhere = tried(2, cheap, destination="recp_test_2")
    assert asked_back(tried(1, shown(1)), elsewhere) == {"chrg_test_1": DUE}


@pytest.mark.fault("B31", "J31")
def test_what_took_nothing_or_a_part_counts_as_what_it_took() -> None:
    """Several that took no more together than was asked are no double; they stay told."""
    ended = {"status": "reversed", "paid": False}
    for status in ("reversed", "expired", "failed"):
        over = shown(2, **{**ended, "status": status})
        assert told(tried(1, shown(1)), tried(2, over)) == []
    part = shown(2, captured_amount=600)
    assert asked_back(tried(1, shown(1), part)) == {"chrg_test_2": 600}
    assert asked_back(tried(1, shown(1, 600), part)) == {}
    rest = shown(1, captured_amount=DUE - 600)
    assert not doubled(tried(1, rest, part))
    (twin,) = told(tried(1, rest, part))
    assert (twin.kind, twin.charge_id) == ("other-charge", "chrg_test_2")


@pytest.mark.fault("B31", "J31")
def test_a_charge_that_nobody_knows_stays_where_it_asked_for_more() -> None:
    """A journal that was put back lost what it was corrected to: what is paid too much is told of
    the smaller one, which loses the seller nothing.
    """
    lost = {"metadata": {**MADE["metadata"], "batchpay_key": "lost"}}
    lost["metadata"]["order_id"] = "0001"
    known = tried(1, shown(1))
    more = shown(2, amount=DUE + 500, **lost)
    taken = paid_by([*charged_by((known,)), (seen(more), None)])
    assert taken.too_much == {"chrg_test_1": DUE} and taken.due == DUE + 500
    same = paid_by([(seen(shown(2)), None), *charged_by((known,))])
    assert same.too_much == {"chrg_test_2": DUE}
    alone = paid_by([(seen(shown(2)), None), (seen(shown(3, amount=5)), None)])
    assert alone.too_much == {"chrg_test_3": 5}


@pytest.mark.fault("B31")
def test_what_was_taken_in_another_currency_is_too_much_beside_all_that_is_due() -> (
    None
):
    """A part of what is due cannot be told from it."""
    yen = shown(2, amount=500, currency="JPY")
    assert asked_back(tried(1, shown(1), yen)) == {"chrg_test_2": 500}
    assert asked_back(tried(1, yen, shown(1))) == {"chrg_test_2": 500}
    for back in (1, DUE):
        assert paid_by(charged_by((tried(1, shown(1, back), yen),))).too_much == {}
    mixed = paid_by(charged_by((tried(1, shown(1), yen, shown(3)),)))
    assert mixed.rest == {"JPY": 500, "THB": DUE}
    both = paid_by(charged_by((tried(1, yen, {**yen, "id": "chrg_test_3"}),)))
    assert both.too_much == {"chrg_test_3": 500}
    unread = seen_as("chrg_test_2", amount="?")
    known = replace(tried(1, shown(1)), others=(Shown(unread),))
    assert doubled(known)
    back = replace(unread, refunded=DUE)
    assert not doubled(replace(known, others=(Shown(back),)))


@pytest.mark.fault("B31", "J31")
def test_what_is_asked_for_says_why() -> None:
    """What it is beside, what was given back of all of them, and what still is to be."""
    whole, begun = told(tried(1, shown(1), shown(2, HALF), shown(3))), "617.25 THB"
    named = {one.charge_id: one for one in whole if one.kind == "double"}
    said = "the order was charged by chrg_test_1 too: 617.25 THB of its charges was given back"
    assert named["chrg_test_2"].told == (
        f"{said}, {begun} of this one are still to be given back"
    )
    assert named["chrg_test_3"].told == (
        f"{said}, 1,234.50 THB of this one are still to be given back"
    )
    (plain,) = told(tried(1, shown(1), shown(2)))
    assert plain.told == "the order was charged by chrg_test_1 too: give this one back"
    assert (plain.state, plain.id) == ("chrg_test_1", "double:chrg_test_2")
    (over,) = told(tried(1, shown(1, DUE), shown(2)))
    assert (over.kind, over.charge_id) == ("refunded", "chrg_test_1")
    assert over.told.startswith(
        "the order was charged by chrg_test_2 too, and this one was given back: refunds of"
    )
    part, _ = told(tried(1, shown(1, HALF), shown(2, HALF)))
    assert ", and what was too much was given back: refunds of" in part.told
    foreign = shown(2, amount=500, currency="JPY")
    (third,) = told(tried(1, shown(1), foreign))
    assert third.told.endswith(": give this one back")
    over_asked = shown(2, amount=DUE + 500)
    (more,) = told(tried(1, shown(1, captured_amount=DUE - 7), over_asked))
    assert more.told.endswith(": give 1,239.43 THB of this one back")


# --- beside another job


def beside(
    theirs: list[dict[str, Any]], *mine: Attempt, given: Given | None = None
) -> list[Difference]:
    others = {**MADE["metadata"], "batchpay_job": "day", "batchpay_key": "another"}
    shown_now = [{**one, "metadata": others} for one in theirs]
    listed = [booked_in(one) for one in shown_now]
    listed += [
        booked_in(_document(one))
        for attempt in mine
        for one, _ in charged_by((attempt,))
    ]
    named = {one["id"]: ("0001",) for one in theirs}
    return list(match_elsewhere(named, {"0001": mine}, listed, given or {}))


@pytest.mark.fault("J06", "J31")
@pytest.mark.parametrize(
    "mine, theirs",
    [(1, 1), (2, 1), (1, 2), (2, 2)],
)
def test_of_a_sale_that_two_jobs_charged_all_that_was_given_back_counts(
    mine: int, theirs: int
) -> None:
    """Whichever job's, and in parts. What is too much of this job's own is told beside it."""
    count = mine + theirs
    for backs in product((0, HALF, DUE), repeat=count):
        charges = [shown(number, back) for number, back in enumerate(backs, 1)]
        ours, others = charges[:mine], charges[mine:]
        found = beside(others, tried(1, *ours))
        is_too_much = DUE * count - sum(backs) > DUE
        left = [one["id"] for one in charges if one["refunded_amount"] < DUE]
        if any(one["id"] in left for one in others):
            assert bool(found) is is_too_much, backs
        else:
            assert found == []
        for one in found:
            assert {one.charge_id, one.state} <= set(left) and not one.refund_minor
    (plain,) = beside([shown(2)], tried(1, shown(1)))
    assert plain.told == (
        "job day charged the same order, which chrg_test_1 charged too: give one of the two back"
    )
    (part,) = beside([shown(2, HALF)], tried(1, shown(1)))
    assert part.told.endswith(
        "too: 617.25 THB of its charges was given back, 617.25 THB are still to be given back"
    )
    assert beside([shown(2)], tried(1, shown(1)), given={"chrg_test_1": DUE}) == []
    over = shown(2, status="failed", paid=False)
    assert beside([over], tried(1, shown(1))) == [] == beside([shown(2)])
    assert not is_elsewhere(JOB, None) and not is_elsewhere(JOB, seen(shown(1)))
    for name, is_theirs in (("day", True), ("", False)):
        metadata = {"order_id": "0001", "batchpay_job": name}
        assert is_elsewhere(JOB, seen(shown(1, metadata=metadata))) is is_theirs
    assert not is_elsewhere(JOB, seen(shown(1, metadata={"batchpay_job": "day"})))


@pytest.mark.fault("J06", "J31")
def test_of_two_jobs_amounts_neither_is_known_to_be_right() -> None:
    """That one of the two is left is enough, whichever it is."""
    dear = tried(1, shown(1, amount=DUE + 500), amount=DUE + 500)
    ended, now = shown(1, status="failed", paid=False, amount=DUE), shown(2)
    for ours, theirs in (
        ((dear, tried(2, now)), shown(3, amount=DUE + 500)),
        ((tried(1, ended), tried(2, now)), shown(3)),
    ):
        assert beside([theirs], *ours)
        assert (
            beside([{**theirs, "refunded_amount": theirs["amount"]}], *ours[1:]) == []
        )
    back = {"chrg_test_1": DUE + 500, "chrg_test_2": DUE}
    assert beside([shown(3, amount=DUE + 500)], dear, tried(2, now), given=back) == []
