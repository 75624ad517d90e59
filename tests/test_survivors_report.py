"""Where one small change of a line of the report once went unseen: who acts, what is told of a
charge and its share, and what settles a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from batchpay.domain.books import Transfer
from batchpay.domain.events import DisputeSeen, RefundSeen, TransferSeen
from batchpay.domain.model import (
    ChargeSeen,
    Finding,
    Further,
    Outcome,
    Plain,
    Repeat,
    StoredChunk,
)
from batchpay.gateways.omise.books import booked_in, transfer_in
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import Shown
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.rows import (
    Cancelled,
    ConflictWith,
    DuplicateOf,
    Elsewhere,
    MayGo,
    Owns,
    Rejected,
    Renamed,
    RepeatOf,
    Row,
    Standing,
    Waits,
)
from batchpay.messages.message import plain
from batchpay.reconciliation.findings import (
    Place,
    finding_of,
    further_of,
    who_acts_for,
    with_later,
)
from batchpay.reconciliation.lines import NO_ROWS, PlainRows, plain_at, plain_lines
from batchpay.reconciliation.matching import (
    Difference,
    apart,
    match_charges,
    match_transfers,
)
from tests.test_lifecycle import BATCH, DOCUMENT, INTENT, charge
from tests.test_reconciliation import PROBLEM, TWICE, batch, one
from tests.test_standing import DECLINED, FIRST, PAID, answer_event, mine
from tests.test_survivors_life import (
    ENDED,
    GIVEN_BACK,
    ODD,
    SEEN,
    TWIN,
    WAITS,
    seen_as,
    stands_as,
)

MINE = seen_as()
PLACE = Place(batch(), mine(), sale="the sale")


def line_of(standing: Standing, place: Place = PLACE, **more: Any) -> Finding:
    return finding_of(place, standing, **more)


def owns(charge: ChargeSeen | None = MINE, *others: ChargeSeen, **more: Any) -> Finding:
    """The line of a row whose attempt has this charge, and those beside it."""
    return line_of(Owns(stands_as(charge, *others, **more)))


# --- who acts

FLAWED = {"flaws": ("amount: asked 1",)}
DOUBT = {"unproven_sends": frozenset({1})}
STAYS = seen_as("chrg_test_1", status="pending", paid=False)
DECLINED_ONE = seen_as("chrg_test_1", status="failed", paid=False)


@pytest.mark.fault("I19", "L10", "J27")
@pytest.mark.parametrize(
    ("attempt", "stopped", "acts"),
    [
        (stands_as(MINE), True, "-"),
        (stands_as(MINE, TWIN), False, "a person"),  # twice
        (stands_as(MINE, GIVEN_BACK), True, "a person"),  # until the stop is lifted
        (stands_as(MINE, GIVEN_BACK), False, "-"),
        (stands_as(MINE, TWIN, accepted="kim"), True, "-"),
        (stands_as(MINE, missing_ns=1), False, "a person"),
        (stands_as(MINE, missing_ns=1, accepted="kim"), False, "-"),
        (stands_as(MINE, **FLAWED), True, "a person"),
        (stands_as(MINE, accepted="kim", **FLAWED), True, "-"),
        (stands_as(**DOUBT), True, "next run"),
        (stands_as(spent=True, **DOUBT), True, "a person"),
        (stands_as(may_be="chrg_test_9", **DOUBT), True, "a person"),
        (stands_as(untold="chrg_test_9", **DOUBT), True, "a person"),
        (stands_as(unshown_in="account_test_1", **DOUBT), True, "a person"),
        (stands_as(refused=True), True, "accountant"),
        (stands_as(refused=True, may_be="chrg_test_9"), True, "a person"),
        (stands_as(refused=True, code="locked_out"), True, "engineer"),
        (stands_as(refused=True, called_off="me: w"), True, "-"),
        (stands_as(STAYS), True, "next run"),
        (stands_as(STAYS, missing_ns=1), True, "a person"),
        (stands_as(replace(STAYS, authorize_uri="https://x")), True, "payer"),
        (stands_as(DECLINED_ONE), True, "payer"),
        (stands_as(), True, "next run"),
    ],
)
def test_who_acts_for_an_attempt(attempt: Attempt, stopped: bool, acts: str) -> None:
    """A person where money may be wrong; else whoever can mend it; nobody where it is well."""
    assert who_acts_for(attempt, stopped=stopped) == acts
    shown = line_of(Owns(attempt), replace(PLACE, stopped=stopped))
    assert shown.who_acts == acts


@pytest.mark.fault("B31")
@pytest.mark.parametrize(
    ("attempt", "stands"),
    [
        (stands_as(MINE, TWIN), "open"),
        (stands_as(MINE, TWIN, accepted="kim"), "noted"),
        (stands_as(MINE, GIVEN_BACK), "given back"),
        (stands_as(replace(MINE, refunded=123450), TWIN), "kept"),
        (stands_as(replace(MINE, refunded=1), TWIN), "open"),  # a part is not all
    ],
)
def test_what_other_charges_of_an_order_took(attempt: Attempt, stands: str) -> None:
    """And whether that is over; what took nothing is not told."""
    assert further_of(attempt) == (Further("chrg_test_2", "THB", 123450, stands),)
    assert further_of(stands_as(MINE, WAITS, ENDED)) == ()


# --- rows of which nothing was sent


@pytest.mark.fault("I3", "I19")
@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (Rejected((PROBLEM,)), (Outcome.REJECTED, Outcome.REJECTED, "accountant")),
        (
            Rejected(why=(plain("w"),)),
            (Outcome.REJECTED, Outcome.REJECTED, "accountant"),
        ),
        (Cancelled("kim: fraud"), (Outcome.REJECTED, Outcome.REJECTED, "-")),
        (RepeatOf(TWICE), (Outcome.DUPLICATE, Outcome.HELD, "-")),
        (
            ConflictWith((plain("w"),)),
            (Outcome.CONFLICT, Outcome.CONFLICT, "accountant"),
        ),
        (
            Renamed(Elsewhere("day", "chrg_test_9", "", "r", 5, "thb")),
            (Outcome.HELD, Outcome.HELD, "engineer"),
        ),
        (Waits((plain("w"),), "a person"), (Outcome.HELD, Outcome.HELD, "a person")),
        (MayGo(1), (Outcome.HELD, Outcome.HELD, "next run")),
    ],
)
def test_where_a_row_that_was_not_sent_stands(
    standing: Standing, told: tuple[Outcome, Outcome, str]
) -> None:
    """With what its file says of it."""
    found = line_of(standing)
    assert (found.outcome, found.counts_as, found.who_acts) == told
    assert (found.order_id, found.amount, found.currency) == ("0001", 123450, "THB")
    assert (found.read_amount, found.read_currency) == (123450, "THB")
    assert (found.destination, found.payment_method) == ("recp_test_1", "card *st_1")
    assert (found.mode, found.attempts, found.sale) == ("test", 0, "the sale")
    assert (found.batch_id, found.row, found.whole_refused) == (BATCH, 2, False)


def test_what_is_told_of_rows_that_were_not_sent() -> None:
    """Their problems, whose word it is, what they repeat, and what to be warned of."""
    warned = (plain("be warned"),)
    assert line_of(Rejected((PROBLEM,))).problems == (PROBLEM,)
    cancelled = line_of(Cancelled("kim: fraud"))
    assert cancelled.cancelled == "kim: fraud"
    assert "cancelled by kim: fraud; " in cancelled.reason
    assert line_of(RepeatOf(TWICE)).reason == "as row 2; not sent yet"
    renamed = line_of(Renamed(Elsewhere("day", "chrg_test_9", "", "r", 5, "thb")))
    for word in ('job "day"', "chrg_test_9", "0001"):
        assert word in renamed.reason
    for standing in (MayGo(1, warnings=warned), Waits((plain("w"),), "x", warned)):
        assert line_of(standing).warnings == warned
    own = line_of(Waits((plain("w"),), "engineer", warned, stands_as()))
    assert (own.reason, own.who_acts, own.warnings) == ("w", "engineer", warned)
    assert own.idempotency_key == INTENT.key and own.attempts == 1
    refused = replace(PLACE, batch=replace(batch(), refusal="no"))
    assert line_of(MayGo(1), refused).whole_refused


@pytest.mark.fault("J04")
def test_a_row_that_may_go_says_why_it_did_not() -> None:
    """What the last run says; else that an earlier charge was asked for, and not shown."""
    untold = stands_as(untold="chrg_test_9")
    assert (
        line_of(MayGo(2, (stands_as(), untold)), hold="--limit 3").reason == "--limit 3"
    )
    told = line_of(MayGo(2, (stands_as(), untold))).reason
    assert "chrg_test_9" in told and "0001" in told
    assert line_of(MayGo(2, (stands_as(),))).reason == "not sent yet"
    in_another = stands_as(unshown_in="account_test_1")
    assert line_of(MayGo(2, (in_another,))).reason == "not sent yet"


@pytest.mark.fault("E04", "I3")
@pytest.mark.parametrize(
    ("attempt", "acts", "accepted", "more"),
    [
        (stands_as(MINE), "-", False, ""),
        (stands_as(**DOUBT), "-", False, ""),
        (stands_as(MINE, **FLAWED), "-", False, ""),
        (stands_as(MINE, accepted="kim", **FLAWED), "-", True, ""),
        (stands_as(MINE, accepted="kim"), "-", False, ""),
        (stands_as(DECLINED_ONE), "payer", False, "one-time token pays once"),
        (stands_as(refused=True), "accountant", False, "batchpay_retry"),
    ],
)
def test_a_duplicate_counts_like_what_it_names(
    attempt: Attempt, acts: str, accepted: bool, more: str
) -> None:
    """Where that took no money it is for the same people, and says how to ask again."""
    found = line_of(DuplicateOf(attempt, (plain("as that one"),)))
    assert (found.outcome, found.counts_as) == (Outcome.DUPLICATE, attempt.outcome)
    assert (found.who_acts, found.accepted) == (acts, accepted)
    assert found.duplicate_of == "0001" and found.reason.startswith("as that one")
    assert (more in found.reason) if more else (found.reason == "as that one")


# --- what settles a row elsewhere


@pytest.mark.fault("E05", "J07", "J27")
@pytest.mark.parametrize(
    ("standing", "settled"),
    [
        (Rejected((PROBLEM,)), True),
        (ConflictWith((plain("w"),)), True),
        (Owns(stands_as(DECLINED_ONE)), True),
        (Owns(stands_as(refused=True)), True),
        (Owns(stands_as(seen_as(status="expired", paid=False))), True),
        (Owns(stands_as(seen_as(status="reversed", paid=False))), True),
        (
            Owns(stands_as(DECLINED_ONE, missing_ns=1)),
            False,
        ),  # nobody knows it any more
        (Owns(stands_as(refused=True, may_be="chrg_test_9")), False),  # for a person
        (Owns(stands_as(MINE)), False),
        (Owns(stands_as(**DOUBT)), False),
        (MayGo(1), False),
    ],
)
def test_other_money_settles_only_what_took_none(
    standing: Standing, *, settled: bool
) -> None:
    """By what it was, and for nobody any more."""
    found = line_of(standing, later=fold([FIRST, PAID])[0])
    assert bool(found.settled_by) is settled
    if settled:
        assert found.who_acts == "-"
        assert found.settled_by.endswith("row 2, succeeded, chrg_test_1")
    else:
        assert found == line_of(standing)


# --- what became of an attempt


@pytest.mark.fault("I2", "I17")
def test_the_money_of_a_line_is_what_the_gateway_says_of_its_charge() -> None:
    """Only where money of this order moved; of a pending one, until when it waits."""
    charge = replace(
        MINE,
        captured=100000,
        fee=5,
        fee_vat=1,
        net=99994,
        platform_fee=7,
        funding_amount=100000,
        funding_currency="USD",
        transfer="trsf_test_9",
        failure_code=None,
    )
    found = owns(charge)
    assert (found.charged_amount, found.charged_currency) == (100000, "THB")
    assert (found.fee, found.fee_vat, found.net) == (5, 1, 99994)
    assert (found.platform_fee, found.recipient_amount) == (7, 99993)
    assert (found.fee_currency, found.funding_currency) == ("USD", "USD")
    assert (found.funding_amount, found.transfer_id) == (100000, "trsf_test_9")
    assert (found.chain_id, found.charge_id) == ("acch_test_1", "chrg_test_1")
    bare = owns()
    assert (bare.fee_currency, bare.funding_currency, bare.transfer_id) == ("", "", "")
    failed = owns(replace(DECLINED_ONE, failure_code="insufficient_fund", fee=5))
    assert (failed.charged_amount, failed.fee, failed.failure_code) == (
        None,
        None,
        "insufficient_fund",
    )
    waits = replace(
        STAYS, authorize_uri="https://x", expires_at="2026-12-01T00:00:00Z", qr_uri="q"
    )
    told = owns(waits)
    assert (told.authorize_uri, told.expires_at, told.qr_uri) == (
        "https://x",
        "2026-12-01T00:00:00Z",
        "q",
    )
    assert (
        owns(replace(MINE, authorize_uri="https://x", qr_uri="q")).authorize_uri == ""
    )


def test_what_a_line_says_of_its_attempt() -> None:
    """What was asked, when, in which mode, and what no correction mends."""
    asked = replace(INTENT, payer="", run_id="r7", currency="thb", mode="live")
    attempt = replace(
        stands_as(
            replace(MINE, fee=4506, fee_vat=315, net=118629),
            sent_ns=5 * 10**9,
            settled_ns=9 * 10**9,
        ),
        intent=asked,
    )
    found = line_of(Owns(attempt, warnings=(plain("be warned"),)))
    assert (found.sent_at, found.settled_at) == (
        "1970-01-01T00:00:05Z",
        "1970-01-01T00:00:09Z",
    )
    assert (found.run_id, found.mode, found.currency) == ("r7", "live", "THB")
    assert found.payment_method == "card *st_1"  # its row tells
    assert found.warnings == (plain("be warned"),)
    old = line_of(Owns(replace(attempt, intent=replace(asked, mode=""))))
    assert old.mode == "test"
    for still_open in ({"charge": STAYS}, {"charge": None, **DOUBT}, {"charge": None}):
        assert line_of(Owns(replace(attempt, **still_open))).settled_at == ""
    refused = owns(None, refused=True, code="bad_request")
    assert (refused.error_code, owns(None, code="c").error_code) == ("bad_request", "")
    assert owns(MINE, missing_ns=1).gone == "open"
    assert owns(MINE, missing_ns=1, accepted="kim").gone == "noted"
    assert owns(MINE).gone == owns(DECLINED_ONE, missing_ns=1).gone == ""
    assert owns(MINE, accepted="kim", **FLAWED).accepted
    assert not (owns(MINE, **FLAWED).accepted or owns(MINE, accepted="kim").accepted)
    cancelled = owns(None, refused=True, called_off="me: fraud", called_off_why="fraud")
    assert cancelled.cancelled == "fraud"


# --- the recipient's share

FAILED = replace(SEEN, stands="failed", code="bank_closed", message="closed in May")


@pytest.mark.fault("J29", "L7")
@pytest.mark.parametrize(
    ("transfer", "changes", "acts", "words", "differs"),
    [
        (SEEN, {}, "-", [], False),
        (replace(SEEN, stands="paid"), {}, "-", [], False),
        (
            FAILED,
            {},
            "accountant",
            [
                "trsf_test_1 to recp_test_1 failed: bank_closed, closed in May",
                "once it is paid otherwise",
            ],
            False,
        ),
        (replace(FAILED, message=""), {}, "accountant", ["failed: bank_closed"], False),
        (
            replace(SEEN, stands="deleted"),
            {},
            "accountant",
            ["trsf_test_1 to recp_test_1 was deleted", "--as", "0001"],
            False,
        ),
        (FAILED, {"share_left": "kim"}, "-", ["failed: bank_closed"], False),
        (
            ODD,
            {},
            "a person",
            ["is not the recipient's share: it is 1.00 THB", "--as", "0001"],
            True,
        ),
        (ODD, {"accepted": "kim"}, "-", ["it is 1.00 THB", "kim"], False),
        (ODD, FLAWED, "a person", ["it is 1.00 THB"], False),
        (replace(ODD, stands="failed", code="c"), {}, "a person", ["failed: c"], True),
        # what is for somebody already stays so
        (FAILED, FLAWED, "a person", ["failed: bank_closed"], False),
    ],
)
def test_what_is_told_of_the_recipients_share(
    transfer: TransferSeen,
    changes: dict[str, Any],
    acts: str,
    words: list[str],
    differs: bool,
) -> None:
    """Whoever must act about it comes before nobody."""
    told = replace(
        transfer, amount=5, fee=2, net=3, sent_at="s", paid_at="p", currency="THB"
    )
    found = owns(MINE, transfer=told, **changes)
    assert (found.who_acts, found.transfer_differs) == (acts, differs)
    assert [word for word in words if word not in found.reason] == []
    assert (found.transfer_id, found.transfer_status) == ("trsf_test_1", told.stands)
    gets = None if told.stands in ("failed", "deleted") else 3
    assert (found.transfer_amount, found.transfer_fee) == (5, 2)
    assert found.bank_amount == gets
    assert (found.transfer_sent_at, found.transfer_paid_at) == ("s", "p")
    assert found.transfer_code == told.code
    nothing = owns(DECLINED_ONE, transfer=told)
    assert nothing.transfer_status == ""  # no money moved


def test_what_happened_to_a_charge_since_is_told_beside_its_outcome() -> None:
    """A refund; a dispute that is open is for a person."""
    line = owns()
    back = RefundSeen(order="0001", charge_id="c", currency="THB", total=5)
    given = with_later(line, back, None)
    assert given.refunded_amount == 5 and "0.05 THB" in str(given.warnings[-1])
    assert (given.outcome, given.who_acts) == (Outcome.SUCCEEDED, "-")
    for status, acts in (("open", "a person"), ("pending", "a person"), ("won", "-")):
        dispute = DisputeSeen(order="0001", charge_id="c", status=status)
        told = with_later(line, None, dispute)
        assert (told.dispute, told.who_acts) == (status, acts)
        where = told.reason if acts == "a person" else str(told.warnings[-1])
        assert status in where
        both = with_later(line, back, dispute)
        assert both.refunded_amount == 5 and both.dispute == status
    assert with_later(line, None, None) == line


# --- an order with several attempts that took money

KEYED = replace(
    FIRST, data={**FIRST.data, "intent": {**FIRST.data["intent"], "key": "k"}}
)


def adopted_beside(**changes: Any) -> Any:
    """A second attempt, found at the gateway, that took the money too."""
    paid = seen_as("chrg_test_2", metadata={"batchpay_key": "k"}, **changes)
    told = {**KEYED.data, "charge": paid.to_json(), "flaws": [], "beside": True}
    return replace(KEYED, kind="adopted", attempt=2, send=0, data=told)


@pytest.mark.fault("B31")
def test_two_attempts_that_took_money_are_for_a_person_until_one_is_given_back() -> (
    None
):
    """Told at each of them; or a person says that both stay, once."""
    lone = one(FIRST, PAID)
    assert (lone.paid_apart, lone.who_acts) == ("", "-")
    both = one(FIRST, PAID, adopted_beside())
    assert (both.paid_apart, both.who_acts) == ("open", "a person")
    assert "chrg_test_1" in both.reason and "chrg_test_2" in both.reason
    back = one(FIRST, PAID, adopted_beside(refunded_amount=123450))
    assert back.paid_apart == "" and "chrg_test_2" in back.reason
    assert back.who_acts == "-"
    ended = one(FIRST, PAID, adopted_beside(status="failed", paid=False))
    assert ended.paid_apart == "" and "two attempts" not in ended.reason
    word = replace(
        KEYED,
        kind="resolved",
        attempt=2,
        send=0,
        data={"as": "accepted", "reason": "both", "by": "kim"},
    )
    noted = one(FIRST, PAID, adopted_beside(), word)
    assert noted.paid_apart == "noted" and noted.reason.count("both") == 1
    mine_noted = replace(word, attempt=1)
    told_once = one(FIRST, PAID, adopted_beside(), mine_noted)
    assert told_once.paid_apart == "noted" and told_once.reason.count("kim on") == 1
    declined = one(FIRST, DECLINED, adopted_beside())
    assert declined.paid_apart == ""


# --- a row of which there is nothing to tell

KEPT = Plain(
    row=2,
    order_id="0001",
    attempt=1,
    sent_ns=5 * 10**9,
    amount=123450,
    currency="thb",
    destination="recp_test_1",
    paid_with="card *st_1",
    run_id="r1",
    mode="test",
    with_fee=0,
    settled_ns=9 * 10**9,
    charge_id="chrg_test_1",
    chain="acch_test_1",
    transfer="",
    charged=123450,
    charged_currency="THB",
    fee=4506,
    fee_vat=315,
    net=118629,
    platform_fee=None,
    funding_amount=None,
    funding_currency="",
    transfer_status="",
    transfer_amount=None,
    transfer_fee=None,
    bank_amount=None,
    transfer_sent_at="",
    transfer_paid_at="",
)


def columns_of(rows: Iterable[Plain]) -> list[list[Any]]:
    return list(map(list, zip(*rows, strict=True)))


def rows_at(places: Iterable[int], rows: Iterable[Plain]) -> PlainRows:
    kept = columns_of(rows) or [[] for _ in Plain._fields]
    return PlainRows(list(places), dict(zip(Plain._fields, kept, strict=True)))


def chunk(document: dict[str, Any] = DOCUMENT, **more: Any) -> StoredChunk:
    documents: list[Any] = [document]
    made = StoredChunk(0, "", [2], documents, {}, frozenset(), b"")
    return replace(made, **more)


@pytest.mark.fault("I2")
@pytest.mark.parametrize(
    ("some", "repeats", "later", "is_plain"),
    [
        (chunk(), {}, [], True),
        (chunk({**DOCUMENT, "currency": "THB"}), {}, [], True),
        (chunk({**DOCUMENT, "metadata": {"a": "b"}}), {}, [], True),
        (chunk({**DOCUMENT, "order_id": "0002"}), {}, [], False),
        (chunk({**DOCUMENT, "amount": 5}), {}, [], False),
        (chunk({**DOCUMENT, "destination": "r2"}), {}, [], False),
        (chunk({**DOCUMENT, "currency": "jpy"}), {}, [], False),
        (chunk({**DOCUMENT, "card": "tokn_test_2"}), {}, [], False),
        (chunk({}), {}, [], False),
        (chunk(problems={0: (PROBLEM,)}), {}, [], False),
        (chunk(corrects={0: "there"}), {}, [], False),
        (chunk(earlier={0: ("0005",)}), {}, [], False),
        (chunk(comeback=frozenset({0})), {}, [], False),
        (chunk(rows=[3]), {}, [], False),
        (chunk(), {("", 2): TWICE}, [], False),
        (chunk(), {("s", 2): TWICE}, [], True),
        (chunk(), {}, ["chrg_test_1"], False),
        (chunk(), {}, ["chrg_test_2"], True),
    ],
)
def test_a_line_with_nothing_to_tell_is_one_that_nobody_speaks_of(
    some: StoredChunk,
    repeats: dict[tuple[str, int], Repeat],
    later: list[str],
    *,
    is_plain: bool,
) -> None:
    """It asks for what was asked, and nothing happened since."""
    found = plain_at(some, columns_of([KEPT]), repeats, later)
    assert found == (rows_at([0], [KEPT]) if is_plain else NO_ROWS)


COSTS: list[tuple[dict[str, Any], bool]] = [
    ({"fee": 3, "fee_vat": 0, "net": 123447}, True),
    ({"fee": 3, "fee_vat": 1, "net": 123447}, False),
    ({"fee": -3, "fee_vat": 1, "net": 2}, False),
    ({"fee": 3, "fee_vat": None, "net": 123447}, False),
    ({"fee": 3, "fee_vat": 0, "net": None}, False),
    ({"fee": 123451}, False),
    ({"fee": 5, "fee_vat": 0, "net": 0, "funding_amount": 4}, True),
    ({"fee": 5, "fee_vat": 0, "net": 0, "funding_currency": "THB"}, True),
    ({"fee": 5, "fee_vat": 0, "net": 0, "funding_currency": "USD"}, True),
    (
        {
            "fee": 5,
            "fee_vat": 0,
            "net": 0,
            "funding_currency": "USD",
            "funding_amount": 4,
        },
        False,
    ),
]


@pytest.mark.fault("I2")
@pytest.mark.parametrize(("costs", "is_plain"), COSTS)
def test_of_many_plain_lines_each_that_is_none_is_found(
    costs: dict[str, Any], *, is_plain: bool
) -> None:
    """Whatever stands beside it, and in the file's order."""
    documents = [{**DOCUMENT, "order_id": f"000{number}"} for number in range(4)]
    rows = [
        KEPT._replace(row=2 + at, order_id=one["order_id"], charge_id=f"chrg_{at}")
        for at, one in enumerate(documents)
    ]
    rows[1] = rows[1]._replace(**costs)
    some = chunk(rows=[2, 3, 4, 5], documents=documents)
    found = plain_at(some, columns_of(reversed(rows)), {}, [])
    stay = [0, 1, 2, 3] if is_plain else [0, 2, 3]
    assert found == rows_at(stay, [rows[at] for at in stay])
    documents[2] = {**documents[2], "amount": 1}
    found = plain_at(some, columns_of(rows[:3]), {}, ["chrg_0"])
    stay = stay[1:-2]
    assert found == rows_at(stay, [rows[at] for at in stay])


def test_a_line_with_nothing_to_tell_is_what_a_look_at_its_events_says() -> None:
    """To the letter."""
    first = replace(FIRST, at_ns=5 * 10**9)
    costs = {"fee": 4506, "fee_vat": 315, "net": 118629}
    paid = replace(answer_event(1, **costs), at_ns=9 * 10**9)
    long_way = one(first, paid)
    kept = KEPT._replace(mode=INTENT.mode or "test")
    lines = plain_lines(batch(), chunk(), rows_at([0], [kept]))
    assert lines.findings() == [replace(long_way, mode=kept.mode)]


def test_row_and_batch_are_named() -> None:
    row = Row(BATCH, "Orders", 7, DOCUMENT)
    found = line_of(MayGo(1), Place(batch(), row))
    assert (found.file, found.sheet, found.row) == ("orders.csv", "Orders", 7)
    assert Shown(TWIN).weight == (2, True)


# --- the audit


def paid_to(recipient: str, number: int, **changes: Any) -> Attempt:
    """A success of an order of its own, for a recipient."""
    charge_id = f"chrg_test_{number}"
    charge = replace(MINE, id=charge_id, destination=recipient)
    asked = replace(INTENT, order_id=f"{number:04d}", destination=recipient)
    return replace(stands_as(charge), intent=asked, **changes)


def transferred(recipient: str = "recp_test_1", **changes: Any) -> Transfer:
    some = {"id": "trsf_test_1", "amount": 123450, "currency": "thb", **changes}
    return transfer_in({"object": "transfer", "recipient": recipient, **some})


@pytest.mark.fault("E14", "J36")
def test_what_shares_an_id_is_named_by_its_order_too() -> None:
    """Beside what it is about; what has one of its own keeps it."""
    one_ = Difference("status", "0001", "c", "told", about="what")
    other = replace(one_, order_id="0002")
    alone = replace(one_, kind="terms")
    first, second, third = apart([one_, other, alone])
    assert third == alone and first.id != second.id
    assert first.about.startswith("what-") and second.about.startswith("what-")
    bare = replace(one_, about="")
    for found in apart([bare, replace(bare, order_id="0002")]):
        assert found.about.startswith("c-")


@pytest.mark.fault("E14")
def test_a_charge_that_lost_its_key_is_the_one_that_its_attempt_shows() -> None:
    """By its id; not where that attempt was merely told another order's."""
    lost = {**charge(), "metadata": {}}
    mine = [stands_as(MINE)]
    booked = [booked_in(lost)]
    match = match_charges("night", mine, booked, live=False)
    assert match.others == 0 and dict(match.theirs) == {"THB": 123450}
    anothers = [stands_as(MINE, anothers=True)]
    assert match_charges("night", anothers, booked, live=False).others == 1


@pytest.mark.fault("E14", "I2")
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"status": "reversed", "paid": True}, "false-success"),
        ({"status": "successful", "paid": False}, "false-success"),
    ],
)
def test_a_success_of_ours_that_is_none_there_is_told(
    changes: dict[str, Any], kind: str
) -> None:
    booked = [booked_in(charge(**changes))]
    match = match_charges("night", [stands_as(MINE)], booked, live=False)
    assert kind in [one_.kind for one_ in match.differences]


@pytest.mark.fault("J29")
def test_transfers_that_are_missing_are_told_by_recipient() -> None:
    """How many of how many, of how much; the last order stands for them."""
    some = [paid_to("recp_b", 2), paid_to("recp_a", 1), paid_to("recp_a", 3)]
    first, second = match_transfers(some, [])
    assert "2 of 2 transfers of 1,234.50 THB" in first.told
    assert "to recp_a are missing at the gateway" in first.told
    assert (first.order_id, first.charge_id) == ("0003", "chrg_test_3")
    assert (first.amount, first.currency) == (2 * 123450, "THB")
    assert "to recp_b is missing at the gateway" in second.told
    assert match_transfers(some[1:2], [transferred("recp_a")]) == []
    (gone,) = match_transfers(some[1:2], [transferred("recp_a", deleted=True)])
    assert gone.kind == "transfer-missing"


@pytest.mark.fault("J29")
def test_a_transfer_that_failed_is_of_a_charge_only_where_that_is_known() -> None:
    """By amount it is of one of several, and names none."""
    failed = transferred("recp_a", failure_code="bank_closed")
    (guessed,) = match_transfers([paid_to("recp_a", 1)], [failed])
    assert (guessed.kind, guessed.order_id, guessed.charge_id) == (
        "transfer-failed",
        "",
        "",
    )
    assert "failed: bank_closed" in guessed.told and guessed.state == "bank_closed"
    known = paid_to("recp_a", 1, transfer=replace(SEEN, amount=5))
    (proven,) = match_transfers([known], [failed])
    assert (proven.order_id, proven.charge_id) == ("0001", "chrg_test_1")
    (gone,) = match_transfers([known], [])
    assert (gone.amount, gone.about) == (5, "trsf_test_1")
    assert "transfer trsf_test_1 of 0.05 THB" in gone.told
    untold = paid_to("recp_a", 1, transfer=SEEN)
    (unread,) = match_transfers([untold], [])
    assert unread.amount == 0
