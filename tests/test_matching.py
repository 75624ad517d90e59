"""The audit's matching alone: every kind of difference, and nothing where nothing differs."""

from __future__ import annotations

from typing import Any

import pytest

from batchpay.gateways.omise.books import booked_in, transaction_in, transfer_in
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.paid import money_of
from batchpay.reconciliation import matching
from batchpay.reconciliation.doubles import Given, match_elsewhere, with_doubles
from batchpay.reconciliation.ledger import BothSides, Closed, ledger_of
from batchpay.reconciliation.matching import Difference, Match
from batchpay.reconciliation.refunds import refunded_of
from tests.test_lifecycle import FIRST, answer_event, charge, event

JOB = "night"
MADE = charge(
    metadata={**charge()["metadata"], "batchpay_job": JOB},
    net=118_000,
    platform_fee=None,
)
CHARGE_ID = MADE["id"]


def attempt(*more: Any) -> Attempt:
    """The attempt that MADE answers."""
    (folded,) = fold([FIRST, *(more or (answer_event(1),))])
    return folded


def match_charges(
    job: str, attempts: list[Attempt], charges: list[Any], *, live: bool
) -> Match:
    """Of documents as the gateway gives them."""
    return matching.match_charges(
        job, attempts, [booked_in(one) for one in charges], live=live
    )


def doubles(match: Match, given: Given | None = None) -> list[Difference]:
    """What is to be given back of orders that were charged more than once."""
    found = list(with_doubles(match.several, given or {}, []))
    assert all(one.kind == "double" and one.refund_minor for one in found)
    return found


def match_credits(
    attempts: list[Attempt], charges: list[Any], entries: list[Any]
) -> list[Difference]:
    """The same."""
    shown = [booked_in(one) for one in charges]
    return matching.match_credits(
        attempts, shown, [transaction_in(one) for one in entries]
    )


def match_transfers(attempts: list[Attempt], transfers: list[Any]) -> list[Difference]:
    """The same."""
    return matching.match_transfers(attempts, [transfer_in(one) for one in transfers])


def kinds(attempts: list[Attempt], charges: list[Any]) -> list[str]:
    return [
        difference.kind
        for difference in match_charges(JOB, attempts, charges, live=False).differences
    ]


def test_what_agrees_is_matched_and_summed_on_both_sides() -> None:
    """And what is not this job's, or no charge at all, is counted apart."""
    others = [charge(metadata={}, id="chrg_test_9"), {"object": "list"}]
    match = match_charges(JOB, [attempt()], [MADE, *others], live=False)
    assert (match.matched, match.others, match.differences) == (1, 2, [])
    assert dict(match.ours) == dict(match.theirs) == {"THB": MADE["amount"]}


PENDING = answer_event(1, status="pending", paid=False)
UNPROVEN = event(
    "answer",
    1,
    verdict="unproven",
    charge=answer_event(1).data["charge"],
    flaws=["amount"],
)


@pytest.mark.fault("E14", "I2")
@pytest.mark.parametrize(
    "mine, theirs, found",
    [
        ([], [MADE], ["unknown-to-journal"]),
        ([attempt()], [], ["false-success"]),
        ([attempt(PENDING)], [], ["unknown-to-gateway"]),
        ([attempt(event("voided", 1))], [], []),
        ([attempt(event("voided", 1))], [MADE], ["other-charge"]),
        (
            [attempt()],
            [{**MADE, "id": "chrg_test_2"}],
            ["other-charge", "false-success"],
        ),
        ([attempt()], [{**MADE, "status": "failed", "paid": False}], ["false-success"]),
        ([attempt()], [{**MADE, "paid": False}], ["false-success", "terms"]),
        ([attempt(PENDING)], [MADE], ["status"]),
        ([attempt(UNPROVEN)], [MADE], []),
        (
            [attempt(UNPROVEN)],
            [{**MADE, "status": "reversed", "paid": False}],
            ["status"],
        ),
        ([attempt()], [{**MADE, "amount": 1}], ["amount", "terms"]),
        ([attempt()], [{**MADE, "refunded_amount": 5}], []),
        ([attempt()], [{**MADE, "dispute": {"object": "dispute"}}], ["disputed"]),
    ],
)
def test_each_difference_has_its_kind(
    mine: list[Attempt], theirs: list[Any], found: list[str]
) -> None:
    """One side has it and the other has not, or has it otherwise."""
    assert kinds(mine, theirs) == found


@pytest.mark.fault("B31", "J31")
@pytest.mark.parametrize("given, due", [(0, 600), (100, 500), (600, 0)])
def test_of_a_double_captured_in_part_what_it_took_is_given_back(
    given: int, due: int
) -> None:
    """No more is asked for than the payer paid; what was given back is less of that."""
    part = {
        **MADE,
        "id": "chrg_test_2",
        "captured_amount": 600,
        "refunded_amount": given,
    }
    match = match_charges(JOB, [attempt()], [MADE, part], live=False)
    refunded = refunded_of("chrg_test_2", "0001", booked_in(part), [])
    assert [(one.amount, one.refund_minor) for one in doubles(match)] == [
        (600, due)
    ] * (due > 0)
    assert refunded is None or refunded.left == due


@pytest.mark.fault("B15")
def test_the_ledgers_line_of_a_charge_captured_in_part_is_of_what_it_took() -> None:
    """Its fee and net are of that."""
    both = BothSides(
        attempts=[attempt()],
        charges=[booked_in({**MADE, "captured_amount": 600})],
        placed={CHARGE_ID: "0001"},
        transactions=[],
        transfers=[],
        refunds=[],
        balance=None,
        covers=bool,
        is_later=bool,
        order_of=str,
        transfers_of={},
        before=Closed(),
    )
    assert [line.amount for line in ledger_of(both).lines] == [600]


@pytest.mark.fault("J31")
def test_only_what_took_money_counts_as_charged() -> None:
    """And only this job's, by its attempt, its key or its name; what is given back of others is no
    part of that sum.
    """
    nameless = {"order_id": "0001", "batchpay_key": MADE["metadata"]["batchpay_key"]}
    for mine in (MADE, {**MADE, "metadata": nameless}, {**MADE, "metadata": {}}):
        match = match_charges(JOB, [attempt()], [mine], live=False)
        assert (match.placed, match.summed) == ({CHARGE_ID: "0001"}, {CHARGE_ID})
    ended = {**MADE, "status": "reversed", "paid": False}
    match = match_charges(JOB, [attempt()], [ended], live=False)
    assert (match.placed, match.summed) == ({CHARGE_ID: "0001"}, set())
    for other in ({**MADE, "metadata": {"batchpay_job": "day"}}, {"object": "list"}):
        match = match_charges(JOB, [], [other], live=False)
        assert not match.placed and not match.summed


@pytest.mark.fault("B31")
@pytest.mark.parametrize("status", ["expired", "failed", "pending", "unheard-of"])
def test_a_second_charge_that_says_it_is_paid_is_a_double_whatever_its_status(
    status: str,
) -> None:
    """It took the payer's money as far as it says: a run counts it so, and an audit does."""
    paid = {**MADE, "id": "chrg_test_2", "status": status, "paid": True}
    second = event("found", charge=answer_event(1, **paid).data["charge"])
    known = attempt(answer_event(1), second)
    match = match_charges(JOB, [known], [MADE, paid], live=False)
    took = sum(charge.taken for charge in money_of(known))
    assert dict(match.theirs) == {"THB": took} == {"THB": 2 * MADE["amount"]}
    (double,) = doubles(match)
    assert (double.charge_id, double.refund_minor) == ("chrg_test_2", MADE["amount"])
    unpaid = {**paid, "paid": False}
    assert not doubles(match_charges(JOB, [known], [MADE, unpaid], live=False))


BEFORE_2019 = {key: MADE[key] for key in MADE if key != "refunded_amount"}


@pytest.mark.fault("J06", "J31")
@pytest.mark.parametrize(
    "back",
    [
        {**MADE, "refunded_amount": MADE["amount"]},
        {**MADE, "captured_amount": 600, "refunded_amount": 600},
        {**BEFORE_2019, "refunded": MADE["amount"]},
        {**MADE, "refunded_amount": None, "refunded": MADE["amount"]},
    ],
)
def test_what_was_given_back_is_asked_of_neither_job(back: dict[str, Any]) -> None:
    """Whether the other job's charge was given back or ours, and by whichever name that is told."""
    others = {**MADE["metadata"], "batchpay_job": "day", "batchpay_key": "another"}
    theirs = {**MADE, "id": "chrg_test_2", "metadata": others}
    known = {"0001": [attempt()], "0002": [attempt()]}

    def found(*charges: Any) -> list[str]:
        booked = [booked_in(one) for one in charges]
        named = {"chrg_test_2": ("0001", "0002")}
        return [one.kind for one in match_elsewhere(named, known, booked, {})]

    assert found(MADE, theirs) == ["charged-by-another-job"]
    assert found(back, theirs) == []
    assert found(MADE, {**back, "id": "chrg_test_2", "metadata": others}) == []
    charge = booked_in(back).charge
    assert charge is not None and charge.given_back


@pytest.mark.fault("J36")
def test_what_tells_no_time_and_is_in_no_list_counts_on_no_side() -> None:
    """It stands by name; the same charge in the list is matched."""
    timeless = attempt(answer_event(1, created_at=None))
    match = match_charges(JOB, [timeless], [], live=False)
    assert [
        (one.order_id, one.charge_id, one.currency) for one in match.without_time
    ] == [("0001", CHARGE_ID, "THB")]
    assert (match.differences, dict(match.ours)) == ([], {})
    assert match_charges(JOB, [timeless], [MADE], live=False).matched == 1


@pytest.mark.fault("B31")
def test_of_two_charges_the_one_in_no_report_is_given_back() -> None:
    """A twin that the journal knows is no second difference; where neither is reported, the later
    one goes back.
    """
    second = {**MADE, "id": "chrg_test_2"}
    known = attempt(
        answer_event(1),
        event("found", charge=answer_event(1, id="chrg_test_2").data["charge"]),
    )
    match = match_charges(JOB, [known], [second, MADE], live=False)
    assert [
        (d.kind, d.charge_id, d.refund_minor, d.currency) for d in doubles(match)
    ] == [("double", "chrg_test_2", MADE["amount"], "THB")]
    assert match.differences == []
    unknown = match_charges(JOB, [], [MADE, second], live=False)
    assert [d.charge_id for d in doubles(unknown)] == ["chrg_test_2"]


@pytest.mark.fault("J31")
def test_a_difference_goes_by_an_id_that_a_person_can_type() -> None:
    """The kind and what it is about, in plain letters; two that would share one are named by their
    orders too.
    """
    from batchpay.reconciliation.matching import Difference, apart

    one, other, alone = (
        Difference("terms", order_id, charge_id, "")
        for order_id, charge_id in (
            ("1", CHARGE_ID),
            ("2", CHARGE_ID),
            ("3", "chrg_test_3"),
        )
    )
    assert (one.id, alone.id) == (f"terms:{CHARGE_ID}", "terms:chrg_test_3")
    assert [d.id.partition("-")[0] for d in apart([one, other, alone])] == [
        one.id,
        one.id,
        alone.id,
    ]
    assert len({d.id for d in apart([one, other, alone])}) == 3
    assert apart([one, alone]) == [one, alone]
    odd = Difference("terms", "1", "chrg test\x1b[31m\n", "").id
    assert (
        odd == Difference("terms", "2", "chrg test\x1b[31m\n", "").id
        and odd.partition(":")[2].isalnum()
    )
    assert Difference("terms", "order 7", "", "").id.startswith("terms:")


def credit(**changes: Any) -> dict[str, Any]:
    return {
        "object": "transaction",
        "direction": "credit",
        "origin": CHARGE_ID,
        "amount": 118_000,
        **changes,
    }


@pytest.mark.parametrize(
    "entries, found",
    [
        ([credit()], []),
        ([credit(direction="debit")], ["no-credit"]),
        ([credit(), credit()], ["two-credits"]),
        ([credit(amount=1)], ["credit-differs"]),
    ],
)
def test_each_success_has_one_credit_of_its_net(
    entries: list[Any], found: list[str]
) -> None:
    """A charge that did not succeed, or that is not in the period's list, needs none."""
    assert [d.kind for d in match_credits([attempt()], [MADE], entries)] == found
    assert (
        match_credits([attempt(PENDING), attempt(event("voided", 1))], [MADE], entries)
        == []
    )
    assert match_credits([attempt()], [], entries) == []


def transfer(**changes: Any) -> dict[str, Any]:
    return {
        "id": "trsf_test_1",
        "recipient": MADE["destination"],
        "amount": MADE["amount"],
        **changes,
    }


@pytest.mark.parametrize(
    "transfers, found",
    [
        ([transfer()], []),
        ([], ["transfer-missing"]),
        ([transfer(deleted=True)], ["transfer-missing"]),
        ([transfer(failure_code="invalid_account")], ["transfer-failed"]),
        (
            [
                transfer(),
                transfer(recipient="recp_test_9", failure_code="invalid_account"),
            ],
            [],
        ),
        ([transfer(), transfer(amount=[1], failure_code="invalid_account")], []),
    ],
)
def test_each_success_has_a_transfer(transfers: list[Any], found: list[str]) -> None:
    """By recipient and amount, as many as were earned."""
    mine = [attempt(), attempt(PENDING)]
    assert [d.kind for d in match_transfers(mine, transfers)] == found


@pytest.mark.fault("J31")
def test_a_missing_transfer_of_one_day_is_not_that_of_another() -> None:
    """They share recipient and amount; what is noted of the one says nothing of the other."""
    later = attempt(answer_event(1, id="chrg_test_2"))
    (one,), (other,) = match_transfers([attempt()], []), match_transfers([later], [])
    assert (one.id, one.amount, one.currency) == (
        other.id,
        other.amount,
        other.currency,
    )
    assert one.state != other.state


def test_another_charge_under_a_key_is_told_with_what_the_journal_has() -> None:
    """Its charge where it shows one, else what it knows of the attempt."""
    other = {**MADE, "id": "chrg_test_2"}
    for known, told in (
        (attempt(), CHARGE_ID),
        (attempt(event("absent", 1, boot_id="b", boot_s=260.0)), "in_doubt"),
    ):
        match = match_charges(JOB, [known], [other], live=False)
        (found,) = [one for one in match.differences if one.kind == "other-charge"]
        assert f"the journal says {told} for the same key" in str(found)
