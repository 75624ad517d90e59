"""The proof table, the fold and the state table: every pair of inputs, every arrow."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain.exits import A_PERSON
from batchpay.domain.model import Event, Intent, Outcome
from batchpay.gateways.omise.objects import charge_in
from batchpay.job.job import Fee
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.attempt import NEXT, impossible
from batchpay.lifecycle.charge import flaws_of
from batchpay.lifecycle.doubt import DoubtRules
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.paid import doubled, money_charges
from batchpay.lifecycle.payers import content_of
from batchpay.lifecycle.proof import Proof, verdict
from batchpay.lifecycle.request import intent_of
from batchpay.reconciliation.findings import who_acts_for
from batchpay.settlement.evidence import is_claimed, is_known_already
from tests.fakes import charged

DOCUMENT = {
    "order_id": "0001",
    "amount": 123450,
    "currency": "thb",
    "destination": "recp_test_1",
    "card": "tokn_test_1",
}
BATCH = "2026-11-24-0123456789ab"
INTENT: Intent = intent_of(
    DOCUMENT,
    job="night",
    attempt=1,
    fee=None,
    batch_id=BATCH,
    sheet="",
    row=2,
    run_id="r1",
    journal_id="j1",
)


def charge(**changes: Any) -> dict[str, Any]:
    """The charge object that INTENT asks for."""
    return {
        "object": "charge",
        "id": "chrg_test_1",
        "status": "successful",
        "paid": True,
        "livemode": False,
        "amount": 123450,
        "currency": "THB",
        "destination": "recp_test_1",
        "chain": "acch_test_1",
        "metadata": {"batchpay_key": INTENT.key, "order_id": "0001"},
        "created_at": "2026-11-24T00:00:00Z",
        **changes,
    }


def error(code: str, message: str = "m") -> dict[str, Any]:
    return {"object": "error", "code": code, "message": message, "location": "l"}


OUR_BODIES = {
    "charge": charge(),
    "wrong amount": charge(amount=1),
    "error": error("invalid_card"),
    "backend": error("backend_error"),
    "used": error("used_token"),
    "not found customer": error("not_found", "customer cust_test_1 was not found"),
    "not found": error("not_found", "the requested resource was not found"),
    "key reused": error("idempotency_key_reused"),
    "no code": {"object": "error"},
    "list": {"object": "list", "data": []},
    "html": None,
    "array": [],
}
STATUSES = [
    None,
    99,
    100,
    200,
    201,
    204,
    301,
    307,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    410,
    413,
    414,
    422,
    425,
    429,
    431,
    451,
    499,
    500,
    502,
    503,
    504,
    599,
    600,
    999,
]


def expected(out: bool, status: int | None, body: str, doubted: bool) -> Proof:
    """The proof table once more, in the order of its rows, written as conditions on its own
    columns.
    """
    is_error = body in (
        "error",
        "backend",
        "used",
        "not found customer",
        "not found",
        "key reused",
    )
    if not out:
        return Proof.NOT_SENT
    if status is None or not 200 <= status <= 499 or 300 <= status <= 399:
        return Proof.IN_DOUBT
    if status <= 299:
        return {"charge": Proof.CHARGE, "wrong amount": Proof.UNPROVEN}.get(
            body, Proof.IN_DOUBT
        )
    if body in ("charge", "wrong amount"):
        return Proof.IN_DOUBT  # somebody charged, whatever the status says
    if status in (401, 403):
        return Proof.KEY_REFUSED
    if status == 429:
        return Proof.THROTTLED
    if status in (409, 422) and body == "key reused":
        return Proof.KEY_REUSED
    if status in (408, 409, 425, 499) or body == "backend":
        return Proof.IN_DOUBT
    if status in (405, 410) or (
        status == 404 and (not is_error or body == "not found")
    ):
        return Proof.NOT_HERE
    if status in (413, 414, 431) and not is_error:
        return Proof.NOT_HERE
    if not is_error:
        return Proof.IN_DOUBT
    if body == "used" and doubted:
        return Proof.IN_DOUBT
    if status != 404 and body == "not found":
        return Proof.REFUSED
    return Proof.REFUSED


@pytest.mark.fault(
    "B12", "B13", "B14", "B17", "B18", "B21", "B22", "B23", "B24", "B25", "B26", "B29"
)
@pytest.mark.parametrize("status", STATUSES)
def test_every_pair_of_the_proof_table(status: int | None) -> None:
    """Each status with each body, sent or not, after a doubt or not, has the verdict of its row."""
    wrong = []
    for body, out, doubted in itertools.product(
        OUR_BODIES, (True, False), (True, False)
    ):
        answer = charged(out=out, status=status, said=OUR_BODIES[body])
        got = verdict(answer, INTENT, live=False, doubted=doubted).proof
        if got is not (row := expected(out, status, body, doubted)):
            wrong.append((body, out, doubted, got, row))
    assert wrong == []


@given(
    st.booleans(),
    st.none() | st.integers(0, 1000),
    st.sampled_from(sorted(OUR_BODIES)),
    st.booleans(),
    st.booleans(),
)
def test_only_two_rows_say_refused_or_charged(
    out: bool, status: int | None, body: str, doubted: bool, live: bool
) -> None:
    """Nothing is ever called a success without 2xx and a charge, or a refusal without 4xx and an
    error object.
    """
    found = verdict(
        charged(out=out, status=status, said=OUR_BODIES[body]),
        INTENT,
        live=live,
        doubted=doubted,
    )
    if found.proof in (Proof.CHARGE, Proof.UNPROVEN):
        assert (
            out
            and status is not None
            and 200 <= status <= 299
            and found.charge is not None
        )
    if found.proof is Proof.REFUSED:
        assert out and status is not None and 400 <= status <= 499 and found.code


@pytest.mark.fault("B15", "B16", "B30", "B37")
@pytest.mark.parametrize(
    "changes, flaw",
    [
        ({"amount": 123451}, "amount"),
        ({"currency": "JPY"}, "currency"),
        ({"destination": "recp_test_2"}, "destination"),
        ({"destination": None}, "destination"),
        ({"livemode": True}, "livemode"),
        ({"id": "chrg_1"}, "id"),
        ({"id": "../chrg_test_1"}, "id"),
        ({"metadata": {}}, "batchpay_key"),
        ({"metadata": {"batchpay_key": "another"}}, "batchpay_key"),
        ({"metadata": None}, "batchpay_key"),
        ({"paid": False}, "paid"),
        ({"status": "failed"}, "paid"),
        ({"status": "pending"}, "paid"),
        ({"amount": "123450"}, "amount"),
        ({"amount": True}, "amount"),
        ({"paid": "true"}, "paid"),
        ({"id": 7}, "id"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_is_unproven(
    changes: dict[str, Any], flaw: str
) -> None:
    """Law L7: each field that differs is named."""
    found = verdict(
        charged(out=True, status=200, said=charge(**changes)),
        INTENT,
        live=False,
        doubted=False,
    )
    assert found.proof is Proof.UNPROVEN
    assert any(flaw in text for text in found.flaws)


def event(kind: str, send: int = 0, **data: Any) -> Event:
    return Event(
        kind,
        at_ns=1,
        order_id="0001",
        attempt=1,
        send=send,
        batch_id=BATCH,
        row=2,
        data=data,
    )


def kept() -> dict[str, Any]:
    names = ("order_id", "attempt", "batch_id", "sheet", "row")
    return {
        name: getattr(INTENT, name)
        for name in INTENT.__dataclass_fields__
        if name not in names
    }


FIRST = event("intent", 1, intent=kept(), boot_id="b", boot_s=100.0)


def answer_event(send: int, **changes: Any) -> Event:
    found = charge_in(charge(**changes))
    assert found
    return event("answer", send, verdict="charge", charge=found.to_json())


@pytest.mark.fault("B19", "L6")
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([FIRST], False),  # nobody says anything
        ([FIRST, event("voided", 1)], False),  # not a byte left
        ([FIRST, event("answer", 1, verdict="not_sent")], False),
        ([FIRST, event("answer", 1, verdict="throttled")], True),
        ([FIRST, event("answer", 1, verdict="throttled"), event("withdrawn")], True),
        ([FIRST, event("answer", 1, verdict="key_refused")], True),
        ([FIRST, event("answer", 1, verdict="not_here")], True),
        ([FIRST, event("answer", 1, verdict="refused")], True),
        ([FIRST, event("absent", 1, boot_id="b", boot_s=1.0, closes=True)], True),
        ([FIRST, answer_event(1)], False),
    ],
)
def test_who_is_said_to_have_charged_nothing(
    events: list[Event], *, expected: bool
) -> None:
    """Whatever left and is said not to have charged, gone again, withdrawn or over."""
    assert fold(events)[0].said_uncharged is expected


@pytest.mark.parametrize(
    "events, outcome",
    [
        ([FIRST], Outcome.IN_DOUBT),
        ([FIRST, event("voided", 1)], Outcome.HELD),
        ([FIRST, event("answer", 1, verdict="not_sent")], Outcome.HELD),
        ([FIRST, event("answer", 1, verdict="throttled")], Outcome.HELD),
        ([FIRST, event("answer", 1, verdict="key_refused")], Outcome.HELD),
        ([FIRST, event("answer", 1, verdict="in_doubt")], Outcome.IN_DOUBT),
        (
            [FIRST, event("answer", 1, verdict="refused", code="invalid_card")],
            Outcome.REFUSED,
        ),
        ([FIRST, answer_event(1)], Outcome.SUCCEEDED),
        ([FIRST, answer_event(1, status="pending", paid=False)], Outcome.PENDING),
        ([FIRST, answer_event(1, status="failed", paid=False)], Outcome.DECLINED),
        ([FIRST, answer_event(1, status="expired", paid=False)], Outcome.EXPIRED),
        ([FIRST, answer_event(1, status="reversed", paid=False)], Outcome.REVERSED),
        ([FIRST, answer_event(1, status="nobody knows", paid=False)], Outcome.PENDING),
        ([FIRST, answer_event(1, chain=None)], Outcome.PENDING),
        (
            [
                FIRST,
                answer_event(1, chain=None),
                event(
                    "found", charge=charge_in(charge(chain=None)).to_json(), reread=True
                ),
            ],
            Outcome.UNPROVEN,
        ),
        (
            [
                FIRST,
                answer_event(1, chain=None),
                event("found", charge=charge_in(charge()).to_json(), reread=True),
            ],
            Outcome.SUCCEEDED,
        ),
        ([FIRST, event("absent", 1, boot_id="b", boot_s=1.0)], Outcome.IN_DOUBT),
        (
            [FIRST, event("absent", 1, boot_id="b", boot_s=1.0, closes=True)],
            Outcome.HELD,
        ),
        (
            [
                FIRST,
                event("answer", 1, verdict="in_doubt", spent=True),
                event("absent", 1, boot_id="b", boot_s=1.0, closes=True),
            ],
            Outcome.IN_DOUBT,
        ),
        (
            [
                FIRST,
                event("answer", 1, verdict="throttled"),
                event("intent", 2, boot_id="b", boot_s=101.0),
            ],
            Outcome.IN_DOUBT,
        ),
    ],
)
def test_what_events_add_up_to(events: list[Event], outcome: Outcome) -> None:
    """The state of an attempt is the sum of its events, and of nothing else."""
    (attempt,) = fold(events)
    assert attempt.outcome is outcome
    assert attempt.intent == INTENT


def test_a_refusal_after_a_proven_absence_speaks_about_its_own_request() -> None:
    """Law L5: the first doubt was closed by look-ups, so the 4xx of the second send may close the
    attempt.
    """
    absent = event("absent", 1, boot_id="b", boot_s=1.0, closes=True)
    again = event("intent", 2, boot_id="b", boot_s=300.0)
    (attempt,) = fold(
        [
            FIRST,
            absent,
            again,
            event("answer", 2, verdict="refused", code="bad_request"),
        ]
    )
    assert attempt.outcome is Outcome.REFUSED
    assert attempt.doubted


def test_two_charges_under_one_key_are_seen_and_the_first_is_kept() -> None:
    """Fault B31: both ids are remembered."""
    second = charge_in(charge(id="chrg_test_2"))
    assert second
    (attempt,) = fold([FIRST, answer_event(1), event("found", charge=second.to_json())])
    assert attempt.twins == {"chrg_test_1", "chrg_test_2"}
    assert attempt.charge and attempt.charge.id == "chrg_test_1"


@pytest.mark.fault("B31", "I2")
@pytest.mark.parametrize(
    "first, second, reported",
    [
        ("failed", "successful", "chrg_test_2"),
        ("successful", "failed", "chrg_test_1"),
        ("expired", "pending", "chrg_test_2"),
        ("pending", "successful", "chrg_test_2"),
        ("pending", "failed", "chrg_test_1"),
        ("failed", "failed", "chrg_test_1"),
    ],
)
def test_of_two_charges_under_one_key_the_heavier_is_reported(
    first: str, second: str, reported: str
) -> None:
    """It took money, or may, whichever was seen first; only when none may is the attempt over."""
    late = charge_in(
        charge(id="chrg_test_2", status=second, paid=second == "successful")
    )
    assert late
    begun = answer_event(1, status=first, paid=first == "successful")
    (attempt,) = fold([FIRST, begun, event("found", charge=late.to_json())])
    assert attempt.charge and attempt.charge.id == reported
    assert attempt.closed is ({first, second} <= {"failed", "expired"})
    assert {one.charge.id for one in attempt.others} == {
        "chrg_test_1",
        "chrg_test_2",
    } - {reported}
    assert who_acts_for(attempt) == A_PERSON


def test_only_the_one_charge_of_an_attempt_is_nothing_new() -> None:
    """To the letter; of two under one key neither is passed over."""
    (alone,) = fold([FIRST, answer_event(1)])
    assert alone.charge and is_known_already(alone, alone.charge)
    assert not is_known_already(alone, replace(alone.charge, status="reversed"))
    second = charge_in(charge(id="chrg_test_2"))
    assert second
    (two,) = fold([FIRST, answer_event(1), event("found", charge=second.to_json())])
    assert two.charge == alone.charge and not is_known_already(two, alone.charge)
    assert doubled(two) and not doubled(alone)
    assert not doubled(replace(two, accepted="me: it was given back in cash"))
    back = replace(alone.charge, refunded=alone.charge.amount)
    assert not doubled(replace(two, charge=back))


@pytest.mark.parametrize("chain", [None, "chain_1"])
@pytest.mark.parametrize(("status", "paid"), [("successful", True), ("pending", False)])
def test_a_split_is_asked_for_again_only_where_a_paid_charge_shows_none(
    chain: str | None, status: str, paid: bool
) -> None:
    """Once; what is not paid yet has no split to show."""
    (attempt,) = fold([FIRST, answer_event(1)])
    assert attempt.charge
    shown = replace(attempt.charge, chain=chain, status=status, paid=paid)
    wanted = chain is None and paid
    assert replace(attempt, charge=shown).wants_chain is wanted
    assert not replace(attempt, charge=shown, reread=True).wants_chain
    assert not replace(attempt, charge=None).wants_chain


@pytest.mark.fault("C05")
def test_doubt_is_counted_on_the_clock_of_one_boot_only() -> None:
    """After a reboot the whole period starts anew, and earlier look-ups prove nothing."""
    (attempt,) = fold([FIRST, event("absent", 1, boot_id="b", boot_s=260.0)])
    assert attempt.doubt
    same = DoubtRules(period_s=150, gap_s=10, boot_id="b", run_start_s=5000.0)
    other = replace(same, boot_id="c", run_start_s=7.0)
    assert same.due_s(attempt.doubt) == 270.0
    assert same.closes(attempt.doubt)
    assert other.due_s(attempt.doubt) == 157.0
    assert not other.closes(attempt.doubt)


def test_the_state_table_lets_money_never_go_back() -> None:
    """Fault B34: what is proven stays proven; only a reversal may follow a success."""
    for before, after in itertools.product(Outcome, repeat=2):
        if before in (
            Outcome.DECLINED,
            Outcome.EXPIRED,
            Outcome.REFUSED,
            Outcome.REVERSED,
        ):
            assert impossible(before, after) == (before is not after)
    assert NEXT[Outcome.SUCCEEDED] == {Outcome.REVERSED}
    assert impossible(Outcome.SUCCEEDED, Outcome.DECLINED)
    assert not impossible(Outcome.PENDING, Outcome.SUCCEEDED)


DECLINED = answer_event(1, status="failed", paid=False)
OTHER = "2026-11-25-ba9876543210"
CHANGED = {**DOCUMENT, "card": "tokn_test_2"}


@pytest.mark.fault("L6")
def test_what_is_not_about_an_attempt_and_absence_without_doubt_change_nothing() -> (
    None
):
    """Notes of an order are no steps; a look-up in vain says nothing about what is proven."""
    known = fold([FIRST, answer_event(1)])
    absent = event("absent", 1, boot_id="b", boot_s=1.0, closes=True)
    assert (
        fold([event("cancelled", reason="x"), FIRST, answer_event(1), absent]) == known
    )
    assert not fold([event("cancelled", reason="x")])


@pytest.mark.parametrize(
    "data, outcome, code",
    [
        (
            {"as": "not-charged", "reason": "asked the bank"},
            Outcome.REFUSED,
            "not_charged",
        ),
        (
            {
                "as": "charged",
                "reason": "seen",
                "charge": answer_event(1).data["charge"],
            },
            Outcome.SUCCEEDED,
            "",
        ),
    ],
)
def test_a_persons_word_ends_a_doubt(data: Any, outcome: Outcome, code: str) -> None:
    """With its reason; a charge that the person names is evidence like any other."""
    (attempt,) = fold([FIRST, event("resolved", by="me", **data)])
    assert (attempt.outcome, attempt.code, bool(attempt.unproven_sends)) == (
        outcome,
        code,
        False,
    )
    assert outcome is Outcome.SUCCEEDED or "asked the bank" in attempt.message


@pytest.mark.fault("B16", "L7")
def test_why_a_split_is_unproven_and_how_ids_may_come() -> None:
    """A chain may be an id or an expanded object; without one the reason says what is missing."""
    expanded = charge_in(
        charge(
            chain={"object": "charge_chain", "id": "acch_test_7"}, destination={"id": 7}
        )
    )
    assert expanded and (expanded.chain, expanded.destination) == ("acch_test_7", None)
    chainless = charge_in(charge(chain=None))
    assert chainless
    (attempt,) = fold(
        [
            FIRST,
            answer_event(1, chain=None),
            event("found", charge=chainless.to_json(), reread=True),
        ]
    )
    assert "no chain" in attempt.why_unproven


@pytest.mark.fault("L3", "I1")
@pytest.mark.parametrize("status", ["failed", "expired", "reversed"])
def test_a_charge_that_says_it_is_paid_never_ended_without_money(status: str) -> None:
    """The gateway contradicts itself: its order is a person's, and no other attempt follows, also
    where it said so of a charge that was declined before.
    """
    paid = charge_in(charge(status=status))
    assert paid
    told = {"charge": paid.to_json(), "flaws": flaws_of(paid, INTENT, live=False)}
    (at_once,) = fold([FIRST, event("answer", 1, verdict="unproven", **told)])
    (later,) = fold([FIRST, DECLINED, event("found", **told)])
    for attempt in (at_once, later):
        assert attempt.charge and attempt.charge.took_money
        assert (attempt.outcome, attempt.closed) == (Outcome.UNPROVEN, False)
        assert money_charges([attempt]) == ["chrg_test_1"]


@pytest.mark.fault("B31", "L10")
def test_every_charge_that_took_money_is_counted() -> None:
    """One of each attempt; both of a key that was charged twice."""
    second = charge_in(charge(id="chrg_test_2"))
    assert second
    (twice,) = fold([FIRST, answer_event(1), event("found", charge=second.to_json())])
    assert money_charges([twice]) == ["chrg_test_1", "chrg_test_2"]
    assert money_charges(fold([FIRST, answer_event(1)])) == ["chrg_test_1"]
    assert money_charges(fold([FIRST, DECLINED])) == []


def test_content_is_everything_an_order_asks_for() -> None:
    """Any change of any field is other content; the order of keys is not."""
    assert content_of(DOCUMENT) == content_of(dict(reversed(DOCUMENT.items())))
    assert content_of(DOCUMENT) != content_of({**DOCUMENT, "metadata": {"a": "b"}})


def asked(fixed: int | None, percentage: str | None) -> Intent:
    """INTENT with a commission."""
    return replace(INTENT, fee_fixed=fixed, fee_percentage=percentage)


@pytest.mark.fault("J15", "B15")
@pytest.mark.parametrize(
    "fixed, percentage, got, flaws",
    [
        (None, None, None, 0),
        (None, None, {"fixed": None, "percentage": None, "amount": None}, 0),
        (None, None, {"fixed": 0, "percentage": 0, "amount": 0}, 0),
        (None, None, {"fixed": 1, "percentage": None, "amount": 1}, 2),
        (500, "10.5", {"fixed": 500, "percentage": 10.5, "amount": 13462}, 0),
        (500, "10.5", {"fixed": 500, "percentage": "10.50", "amount": 13463}, 0),
        (500, "10.5", {"fixed": 500, "percentage": 10.5, "amount": 13461}, 1),
        (500, "10.5", {"fixed": 500, "percentage": 10.5, "amount": 13464}, 1),
        (500, "10.5", {"fixed": 5, "percentage": 10.5, "amount": 13462}, 1),
        (500, "10.5", {"fixed": 500, "percentage": "ten", "amount": 13462}, 1),
        (500, "10.5", {"fixed": 500, "percentage": "NaN", "amount": 13462}, 1),
        (500, "10.5", {"fixed": 500, "percentage": "Infinity", "amount": 13462}, 1),
        (500, "10.5", {"fixed": "500", "percentage": 10.5, "amount": 13462}, 1),
        (500, "10.5", None, 3),
        (500, "10.5", {"fixed": 0, "percentage": 0, "amount": 0}, 3),
        (500, None, {"fixed": 500, "percentage": None, "amount": 500}, 0),
    ],
)
def test_a_commission_is_part_of_the_proof(
    fixed: Any, percentage: Any, got: Any, flaws: int
) -> None:
    """Fixed part and percentage as asked, the amount within the rounding of both; else a person
    looks.
    """
    answer = charged(out=True, status=200, said=charge(platform_fee=got))
    found = verdict(answer, asked(fixed, percentage), live=False, doubted=False)
    assert len(found.flaws) == flaws and all(
        "platform_fee[" in flaw for flaw in found.flaws
    )
    for flaw in found.flaws:
        if "cannot be read: " in flaw:
            continue
        wanted = flaw.partition("asked ")[2].partition(",")[0]
        assert wanted.endswith((" THB", " %")), flaw
    assert found.proof is (Proof.UNPROVEN if flaws else Proof.CHARGE)


@pytest.mark.fault("B15", "L7")
@pytest.mark.parametrize(
    ("told", "flaw"),
    [
        (
            {"customer": "cust_test_2"},
            "payer: asked customer *st_1, got customer *st_2",
        ),
        ({"customer": {"object": "customer", "id": "cust_test_1"}}, ""),
        ({"customer": None}, ""),
        # that is no customer
        ({"source": {"object": "source", "id": "src_test_1"}}, ""),
        (
            {"captured_amount": 50000},
            "captured_amount: asked 1234.50 THB, got 500.00 THB",
        ),
        ({"captured_amount": 0}, "captured_amount: asked 1234.50 THB, got 0.00 THB"),
        ({"captured_amount": 123450}, ""),
        (
            {"amount": 200000, "captured_amount": 123450},
            "amount: asked 1234.50 THB, got 2000.00 THB",
        ),
        ({"captured_amount": None}, ""),
        # of what took nothing it tells nothing (docs/gateway.md, 3.1)
        ({"captured_amount": 0, "status": "pending", "paid": False}, ""),
        ({"captured_amount": 7, "status": "failed", "paid": False}, ""),
    ],
)
def test_who_paid_and_how_much_was_taken_are_part_of_the_proof(
    told: dict[str, Any], flaw: str
) -> None:
    """A charge of another customer, or one of which a person captured a part, is not as asked."""
    asked_of = replace(INTENT, payer="cust_test_1:card_test_1")
    answer = charged(out=True, status=200, said=charge(**told))
    found = verdict(answer, asked_of, live=False, doubted=False)
    assert "; ".join(found.flaws) == flaw
    assert found.proof is (Proof.UNPROVEN if flaw else Proof.CHARGE)


@pytest.mark.fault("J15")
def test_a_charge_that_took_no_money_may_leave_its_commission_out() -> None:
    """But not say something else."""
    for got, flaws in ((None, 0), ({"fixed": 7, "percentage": None, "amount": 0}, 2)):
        document = charge(status="failed", paid=False, platform_fee=got)
        found = verdict(
            charged(out=True, status=200, said=document),
            asked(500, None),
            live=False,
            doubted=False,
        )
        assert len(found.flaws) == flaws


@pytest.mark.fault("J15", "A13")
def test_what_an_older_journal_asked_stands_in_its_body() -> None:
    """Commissions were not kept apart from it: they are read from there."""
    for fee, kept_fee in (
        (Fee({"THB": 500}, "10.5"), (500, "10.5")),
        (None, (None, None)),
    ):
        old = intent_of(
            DOCUMENT,
            job="night",
            attempt=1,
            fee=fee,
            batch_id=BATCH,
            sheet="",
            row=2,
            run_id="r1",
            journal_id="j1",
        )
        data = {
            name: value
            for name, value in kept().items()
            if name not in ("mode", "fee_fixed", "fee_percentage")
        }
        (attempt,) = fold(
            [
                event(
                    "intent",
                    1,
                    intent={**data, "body": old.body},
                    boot_id="b",
                    boot_s=1.0,
                )
            ]
        )
        assert (attempt.intent.fee_fixed, attempt.intent.fee_percentage) == kept_fee


@pytest.mark.fault("B32", "J04")
@pytest.mark.parametrize(
    "known, found, by_id, outcome",
    [
        (
            {},
            {"status": "pending", "paid": False, "chain": None},
            False,
            Outcome.SUCCEEDED,
        ),
        (
            {},
            {"status": "pending", "paid": False, "chain": None},
            True,
            Outcome.SUCCEEDED,
        ),
        ({}, {"chain": None}, False, Outcome.SUCCEEDED),
        ({}, {"status": "reversed", "paid": False}, False, Outcome.REVERSED),
        (
            {"status": "failed", "paid": False},
            {"status": "pending", "paid": False},
            False,
            Outcome.DECLINED,
        ),
        (
            {"status": "failed", "paid": False},
            {"status": "pending", "paid": False},
            True,
            Outcome.PENDING,
        ),
        ({"status": "failed", "paid": False}, {}, True, Outcome.SUCCEEDED),
        (
            {"status": "pending", "paid": False},
            {"status": "failed", "paid": False},
            False,
            Outcome.DECLINED,
        ),
    ],
)
def test_a_page_from_before_takes_nothing_back(
    known: Any, found: Any, by_id: bool, outcome: Outcome
) -> None:
    """A list may be a copy; what is asked for by its id is not, but a paid charge is not unpaid by
    it either.
    """
    document = charge_in(charge(**found))
    assert document
    (attempt,) = fold(
        [
            FIRST,
            answer_event(1, **known),
            event("found", charge=document.to_json(), by_id=by_id),
        ]
    )
    assert attempt.outcome is outcome


@pytest.mark.fault("J27")
def test_a_charge_that_the_gateway_no_longer_knows_is_noted_and_nothing_else() -> None:
    """From the first time on; it is pending as before, until it is seen again."""
    pending = answer_event(1, status="pending", paid=False)
    gone = replace(event("missing"), at_ns=7)
    (attempt,) = fold([FIRST, pending, gone, replace(gone, at_ns=9)])
    assert (attempt.outcome, attempt.missing_ns) == (Outcome.PENDING, 7)
    back = charge_in(charge())
    assert back
    (attempt,) = fold([FIRST, pending, gone, event("found", charge=back.to_json())])
    assert (attempt.outcome, attempt.missing_ns) == (Outcome.SUCCEEDED, 0)


def test_a_person_may_accept_what_is_not_proven() -> None:
    """It stays unproven, and says who took note of it and why; a complete proof settles it."""
    wrong = event(
        "answer",
        1,
        verdict="unproven",
        charge=answer_event(1).data["charge"],
        flaws=["amount: x"],
    )
    (attempt,) = fold(
        [FIRST, wrong, event("resolved", **{"as": "accepted"}, reason="seen", by="me")]
    )
    assert (attempt.outcome, attempt.accepted) == (
        Outcome.UNPROVEN,
        "me on 1970-01-01T00:00:00Z: seen",
    )
    right = event(
        "resolved",
        **{"as": "charged"},
        reason="seen",
        by="me",
        charge=answer_event(1).data["charge"],
    )
    (attempt,) = fold([FIRST, wrong, right])
    assert attempt.outcome is Outcome.SUCCEEDED


@pytest.mark.fault("J13")
def test_what_was_withdrawn_is_as_if_it_had_never_been_unless_it_was_charged() -> None:
    """Then it is its row's again, and no other attempt may follow."""
    (gone,) = fold([FIRST, event("voided", 1), event("withdrawn")])
    assert (gone.state, gone.closed, gone.ready, gone.may_go_again) == (
        "withdrawn",
        True,
        False,
        False,
    )
    assert not gone.owned_by(BATCH, "", 2)
    found = charge_in(charge())
    assert found
    (back,) = fold(
        [
            FIRST,
            event("voided", 1),
            event("withdrawn"),
            event("found", charge=found.to_json()),
        ]
    )
    assert (back.state, back.closed, back.owned_by(BATCH, "", 2)) == (
        "succeeded",
        False,
        True,
    )


@pytest.mark.fault("B15", "B19", "J11", "I1")
@pytest.mark.parametrize(
    ("changes", "then_its_own", "is_its_own"),
    [
        ({"amount": 5, "metadata": {}}, True, False),  # two answers were exchanged
        ({"amount": 5, "metadata": {}}, False, False),
        # it merely names nobody: nothing says that it is not
        ({"metadata": {}}, False, True),
        ({}, False, True),
        ({"amount": 5}, False, True),  # its key says whose it is, whatever else it says
    ],
)
def test_a_charge_that_was_told_for_an_order_is_its_own_if_that_asked_for_it(
    changes: dict[str, Any], then_its_own: bool, is_its_own: bool
) -> None:
    """Any other charge that names nobody may be of an order with its terms, which is not sent."""
    journal = MemoryJournal("night")
    seen = charge_in(charge(**changes))
    assert seen
    flaws = flaws_of(seen, INTENT, live=False)
    told = event(
        "answer", 1, verdict="unproven" if flaws else "charge", charge=seen.to_json()
    )
    journal.append([FIRST, replace(told, data={**told.data, "flaws": list(flaws)})])
    if then_its_own:
        own = charge_in(charge(id="chrg_test_2"))
        assert own
        journal.append([event("found", charge=own.to_json())])
    assert is_claimed(journal, "night", "chrg_test_1") is is_its_own
    assert is_claimed(journal, "another", "chrg_test_1")
    assert not is_claimed(journal, "night", "chrg_test_9")
