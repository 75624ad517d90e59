"""Every row ends in exactly one outcome, with a reason and somebody who acts; the totals must
close, and can fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from batchpay.domain.model import Batch, Finding, Judged, Outcome, Problem, Read, Repeat
from batchpay.intake.controls import Tally
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.rows import Elsewhere, Guards, History, Row
from batchpay.lifecycle.unclaimed import Nameless
from batchpay.messages.message import plain
from batchpay.messages.steps import LIFT_STOP
from batchpay.reconciliation.findings import NOT_SENT_YET, find
from batchpay.reconciliation.totals import ROWS_READ, SUMS_READ, Totals, exit_code
from tests.test_lifecycle import (
    BATCH,
    DECLINED,
    DOCUMENT,
    FIRST,
    INTENT,
    OTHER,
    answer_event,
    event,
)

EMPTY = History()
FREE = Guards()
RECEIVED_NS = 5  # after FIRST was sent: what was charged by then settled something else


def batch(batch_id: str = BATCH) -> Batch:
    return Batch(
        id=batch_id,
        job="night",
        file="orders.csv",
        sha256="0" * 64,
        format="csv",
        rows_read=1,
        columns=("a",),
        unused=(),
        metadata=(),
        mode="test",
        job_sha256="",
        schema_sha256="",
        version="0",
        first_seen_ns=RECEIVED_NS,
    )


def one(
    *events: Any,
    batch_id: str = BATCH,
    row: int = 2,
    document: dict[str, Any] = DOCUMENT,
    problems: tuple[Problem, ...] = (),
    repeat: Repeat | None = None,
    hold: str = "",
    guards: Guards = FREE,
    **known: Any,
) -> Finding:
    """The finding of one row; `known`: what else its history knows."""
    attempts = fold(events)
    history = (
        History(
            {"0001": attempts}, {2: ("0001",)} if batch_id == BATCH else {}, **known
        )
        if attempts
        else EMPTY
    )
    (finding,) = find(
        batch(batch_id),
        [Row(batch_id, "", row, document, problems, repeat)],
        history,
        guards,
        hold,
    )
    return finding


PROBLEM = Problem("Amount", "1,2", plain("write 12"), "number-format")
TWICE = Repeat(Outcome.DUPLICATE, plain("as row 2"), "", 2)


@pytest.mark.fault("I3", "I19")
@pytest.mark.parametrize(
    "finding, outcome, counts_as, acts, word",
    [
        (one(), Outcome.HELD, Outcome.HELD, "next run", "not sent yet"),
        (one(hold="--limit 3"), Outcome.HELD, Outcome.HELD, "next run", "--limit 3"),
        (
            one(problems=(PROBLEM, PROBLEM)),
            Outcome.REJECTED,
            Outcome.REJECTED,
            "accountant",
            " | ",
        ),
        (one(FIRST), Outcome.IN_DOUBT, Outcome.IN_DOUBT, "next run", "no proof"),
        (
            one(FIRST, problems=(PROBLEM,)),
            Outcome.IN_DOUBT,
            Outcome.IN_DOUBT,
            "next run",
            "no proof",
        ),
        (one(FIRST, answer_event(1)), Outcome.SUCCEEDED, Outcome.SUCCEEDED, "-", ""),
        (
            one(
                FIRST,
                answer_event(
                    1, status="failed", paid=False, failure_code="insufficient_fund"
                ),
            ),
            Outcome.DECLINED,
            Outcome.DECLINED,
            "payer",
            "insufficient_fund",
        ),
        (
            one(
                FIRST,
                answer_event(
                    1, status="pending", paid=False, authorize_uri="https://x"
                ),
            ),
            Outcome.PENDING,
            Outcome.PENDING,
            "payer",
            "will decide",
        ),
        (
            one(
                FIRST,
                event("answer", 1, verdict="refused", code="bad_request", message="no"),
            ),
            Outcome.REFUSED,
            Outcome.REFUSED,
            "accountant",
            "bad_request: no",
        ),
        (
            one(
                FIRST, event("answer", 1, verdict="throttled", code="too_many_requests")
            ),
            Outcome.HELD,
            Outcome.HELD,
            "next run",
            "too_many_requests",
        ),
        (
            one(
                FIRST,
                event("answer", 1, verdict="in_doubt", spent=True, code="used_token"),
            ),
            Outcome.IN_DOUBT,
            Outcome.IN_DOUBT,
            "a person",
            "used_token",
        ),
        (
            one(
                FIRST,
                event(
                    "answer",
                    1,
                    verdict="unproven",
                    charge=answer_event(1).data["charge"],
                    flaws=["amount: x"],
                ),
            ),
            Outcome.UNPROVEN,
            Outcome.UNPROVEN,
            "a person",
            "amount: x",
        ),
        (
            one(FIRST, answer_event(1), batch_id=OTHER, row=9),
            Outcome.DUPLICATE,
            Outcome.SUCCEEDED,
            "-",
            "chrg_test_1",
        ),
        (
            one(FIRST, batch_id=OTHER, row=9, document={**DOCUMENT, "amount": 5}),
            Outcome.CONFLICT,
            Outcome.CONFLICT,
            "accountant",
            "other content",
        ),
        (
            one(repeat=TWICE, row=3),
            Outcome.DUPLICATE,
            Outcome.HELD,
            "-",
            "as row 2",
        ),
        (
            one(
                FIRST,
                answer_event(1),
                repeat=TWICE,
                row=3,
            ),
            Outcome.DUPLICATE,
            Outcome.SUCCEEDED,
            "-",
            "row 2, succeeded, chrg_test_1",
        ),
        (
            one(
                FIRST,
                answer_event(1),
                repeat=TWICE,
                row=3,
                batch_id=OTHER,
                document={**DOCUMENT, "amount": 5},
            ),
            Outcome.CONFLICT,
            Outcome.CONFLICT,
            "accountant",
            "other content",
        ),
        (
            one(repeat=Repeat(Outcome.CONFLICT, plain("row 3 differs"))),
            Outcome.CONFLICT,
            Outcome.CONFLICT,
            "accountant",
            "row 3",
        ),
    ],
)
def test_where_a_row_ends(
    finding: Finding, outcome: Outcome, counts_as: Outcome, acts: str, word: str
) -> None:
    """One outcome, a reason unless it is well, and who acts."""
    assert (finding.outcome, finding.counts_as, finding.who_acts) == (
        outcome,
        counts_as,
        acts,
    )
    assert word in finding.reason
    assert bool(finding.reason) is (outcome is not Outcome.SUCCEEDED)


@pytest.mark.fault("I19")
@pytest.mark.parametrize(
    "code", ["service_not_found", "locked_out", "invalid_charge", "brand_not_supported"]
)
def test_what_no_correction_of_a_row_mends_is_an_engineers(code: str) -> None:
    """The account or the address is wrong, not the order."""
    assert (
        one(FIRST, event("answer", 1, verdict="refused", code=code)).who_acts
        == "engineer"
    )


@pytest.mark.fault("I19", "L10")
def test_who_acts_on_an_unproven_charge() -> None:
    """A person, until one took note of it; then nobody."""
    wrong = event(
        "answer",
        1,
        verdict="unproven",
        charge=answer_event(1).data["charge"],
        flaws=["amount: x"],
    )
    noted = event("resolved", **{"as": "accepted"}, reason="refunded", by="me")
    assert (one(FIRST, wrong).who_acts, one(FIRST, wrong, noted).who_acts) == (
        "a person",
        "-",
    )


def test_a_rejected_row_without_an_order_id_has_none() -> None:
    """Nothing of ours stands in its place."""
    finding = one(document={}, problems=(PROBLEM,))
    assert (
        finding.outcome,
        finding.order_id,
        finding.currency,
        finding.destination,
    ) == (
        Outcome.REJECTED,
        "",
        "",
        "",
    )


RESOLVED = event("resolved", **{"as": "cancelled"}, reason="wrong shop", by="me")
REREAD = event(
    "found", charge={**answer_event(1).data["charge"], "chain": None}, reread=True
)
ADOPTED = event(
    "adopted",
    charge=answer_event(1).data["charge"],
    intent={**FIRST.data["intent"], "content": ""},
)
SECOND = replace(ADOPTED, attempt=2, data={**ADOPTED.data, "beside": True})


@pytest.mark.fault("I3", "I19", "L6")
@pytest.mark.parametrize(
    "finding, outcome, acts, word",
    [
        (
            one(FIRST, event("voided", 1), RESOLVED, batch_id=OTHER, row=9),
            Outcome.REJECTED,
            "-",
            "cancelled by me on 1970-01-01T00:00:00Z: wrong shop; ",
        ),
        (
            one(FIRST, answer_event(1, chain=None)),
            Outcome.PENDING,
            "next run",
            "its chain is not there yet",
        ),
        (
            one(FIRST, answer_event(1, chain=None), REREAD),
            Outcome.UNPROVEN,
            "a person",
            "no chain on a paid charge",
        ),
        (
            one(FIRST, answer_event(1, status="expired", paid=False)),
            Outcome.EXPIRED,
            "payer",
            "without money",
        ),
        (
            one(FIRST, event("answer", 1, verdict="refused", code="locked_out")),
            Outcome.REFUSED,
            "engineer",
            "locked_out",
        ),
        (
            one(ADOPTED, document={**DOCUMENT, "amount": 5}),
            Outcome.UNPROVEN,
            "a person",
            "other terms",
        ),
        (
            one(FIRST, event("voided", 1), SECOND),
            Outcome.SUCCEEDED,
            "-",
            "the journal had lost it",
        ),
        (
            one(FIRST, event("voided", 1), replace(SECOND, batch_id=OTHER)),
            Outcome.CONFLICT,
            "-",  # it was made after the file came: it settled the row
            "nothing is left to do",
        ),
        (one(FIRST, SECOND), Outcome.IN_DOUBT, "next run", "no proof"),
    ],
)
def test_what_seldom_happens_has_its_words_too(
    finding: Finding, outcome: Outcome, acts: str, word: str
) -> None:
    """A person's word, a missing chain, a charge of another journal."""
    assert (finding.outcome, finding.who_acts) == (outcome, acts)
    assert word in finding.reason


GONE = event("missing")
PENDING = answer_event(1, status="pending", paid=False, authorize_uri="https://x")
UNPROVEN = event(
    "answer",
    1,
    verdict="unproven",
    charge=answer_event(1).data["charge"],
    flaws=["amount: x"],
)
ACCEPTED = event("resolved", **{"as": "accepted"}, reason="their mistake", by="me")
ELSEWHERE = {
    "elsewhere": {
        "0001": (Elsewhere("day", "chrg_test_9", "", "recp_test_1", 123450, "thb"),)
    }
}


@pytest.mark.fault("J06", "J13", "J23", "J27", "J29")
@pytest.mark.parametrize(
    "finding, outcome, acts, word",
    [
        (
            one(guards=Guards(barred={"recp_test_1": "is not verified"})),
            Outcome.HELD,
            "engineer",
            "is not verified",
        ),
        (
            one(guards=Guards(stop="two charges"), hold="--limit 3"),
            Outcome.HELD,
            "a person",
            "two charges",
        ),
        (one(guards=Guards(refusal="3 rows")), Outcome.HELD, "accountant", "3 rows"),
        (
            one(
                FIRST,
                DECLINED,
                batch_id=OTHER,
                document={**DOCUMENT, "card": "x"},
                **ELSEWHERE,
            ),
            Outcome.HELD,
            "engineer",
            'job "day" charged this very order (chrg_test_9)',
        ),
        (
            one(FIRST, PENDING, GONE),
            Outcome.PENDING,
            "a person",
            "no longer knows chrg_test_1",
        ),
        (
            one(FIRST, UNPROVEN, ACCEPTED),
            Outcome.UNPROVEN,
            "-",
            "accepted by me on 1970-01-01T00:00:00Z: their",
        ),
        (
            one(FIRST, event("voided", 1), event("withdrawn")),
            Outcome.HELD,
            "next run",
            "not sent yet",
        ),
    ],
)
def test_what_holds_a_row_back_and_what_a_person_must_do_is_said(
    finding: Finding, outcome: Outcome, acts: str, word: str
) -> None:
    """A reason that is true, and who acts: not always the next run."""
    assert (finding.outcome, finding.who_acts) == (outcome, acts)
    assert word in finding.reason


@pytest.mark.fault("B22", "J04", "I14", "I19")
def test_what_may_have_taken_money_is_not_settled_by_other_money() -> None:
    """A later attempt paid, and the first, refused beside a charge that names nobody, or ended with
    a charge that is gone, may have paid as well: whoever must see to that still must.
    """
    refused = event(
        "answer", 1, verdict="refused", status=400, code="bad_request", message="m"
    )
    second = [
        replace(late, attempt=2, batch_id=OTHER, row=9, at_ns=RECEIVED_NS + 1)
        for late in (FIRST, answer_event(1))
    ]
    fits = Nameless(
        "chrg_test_zz",
        "",
        INTENT.destination,
        INTENT.amount,
        INTENT.currency,
        created_at="",
    )
    beside = Guards(nameless={fits.terms: {fits.charge_id: fits}})
    assert one(FIRST, refused, *second).who_acts == "-"
    unclear = one(FIRST, refused, *second, guards=beside)
    assert (unclear.outcome, unclear.who_acts) == (Outcome.REFUSED, "a person")
    gone = one(FIRST, DECLINED, event("missing"), *second)
    assert (gone.outcome, gone.who_acts) == (Outcome.DECLINED, "payer")
    for finding in (unclear, gone):
        assert not finding.settled_by
        assert exit_code([counted(finding)], stopped=False) == 10


@pytest.mark.fault("I14")
def test_a_row_that_was_settled_elsewhere_keeps_its_outcome_and_counts_no_more() -> (
    None
):
    """It names batch, row and charge; before its file came, or in doubt, nothing settles it."""
    late = replace(FIRST, at_ns=RECEIVED_NS + 1)
    for known in ({"problems": (PROBLEM,)}, {"document": {**DOCUMENT, "amount": 5}}):
        settled = one(late, answer_event(1), batch_id=OTHER, row=9, **known)
        assert (
            settled.outcome in (Outcome.REJECTED, Outcome.CONFLICT)
            and settled.who_acts == "-"
        )
        assert f"batch {BATCH} row 2, succeeded, chrg_test_1" in settled.settled_by
        assert exit_code([counted(settled)], stopped=False) == 0
        before = one(FIRST, answer_event(1), batch_id=OTHER, row=9, **known)
        assert (before.outcome, before.settled_by, before.who_acts) == (
            settled.outcome,
            "",
            "accountant",
        )
        assert exit_code([counted(settled, before)], stopped=False) == 10


@pytest.mark.fault("I14")
def test_an_unproven_charge_that_a_person_accepted_counts_as_10() -> None:
    """Not as 12; another one that nobody accepted does."""
    accepted, open_one = one(FIRST, UNPROVEN, ACCEPTED), one(FIRST, UNPROVEN)
    assert exit_code([counted(accepted)], stopped=False) == 10
    assert exit_code([counted(accepted, open_one)], stopped=False) == 12


@pytest.mark.fault("J16")
def test_fees_are_in_the_currency_of_the_account() -> None:
    """Which is not always the order's."""
    paid = one(
        FIRST,
        answer_event(1, fee=10, net=90, funding_amount=4115, funding_currency="usd"),
    )
    assert (
        paid.currency,
        paid.fee_currency,
        paid.funding_amount,
        paid.funding_currency,
    ) == (
        "THB",
        "USD",
        4115,
        "USD",
    )
    assert one(FIRST, PENDING).fee_currency == ""


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ((ADOPTED,), "the journal had lost it"),
        (
            (
                FIRST,
                event("answer", 1, verdict="in_doubt"),
                event("absent", 1, boot_id="b", boot_s=1.0, closes=True),
                event("intent", 2, boot_id="b", boot_s=9.0),
                answer_event(2),
            ),
            "sent again, 2 in all",
        ),
        (
            (FIRST, event("answer", 1, verdict="in_doubt"), answer_event(1)),
            "a look-up found the charge",
        ),
        ((FIRST, event("answer", 1, verdict="throttled"), answer_event(1)), ""),
    ],
)
def test_a_charge_whose_answer_was_lost_says_so(
    events: tuple[Any, ...], word: str
) -> None:
    """An auditor sees which charge was not proven by its own answer."""
    finding = one(*events)
    assert finding.outcome is Outcome.SUCCEEDED
    assert bool(finding.reason) is bool(word) and word in finding.reason


def test_money_stands_only_where_it_moved() -> None:
    """Fees are filled in on failed charges too (docs/gateway.md, 3.4): they are not shown."""
    declined = one(FIRST, answer_event(1, status="failed", paid=False, fee=10, net=90))
    assert (declined.fee, declined.net, declined.charged_amount) == (None, None, None)
    paid = one(
        FIRST, answer_event(1, fee=10, fee_vat=1, net=90, platform_fee={"amount": 450})
    )
    assert (paid.fee, paid.fee_vat, paid.net, paid.platform_fee) == (10, 1, 90, 450)
    assert paid.recipient_amount == 123450 - 450


@pytest.mark.fault("H06", "I12")
def test_a_payment_method_is_its_kind_and_last_four() -> None:
    """No full token in a report."""
    assert one(FIRST).payment_method == "card *st_1"
    assert one(problems=(PROBLEM,), document={}).payment_method == ""


def counted(*findings: Finding) -> Totals:
    totals = Totals()
    for finding in findings:
        totals.add(finding)
    return totals


PAID = one(FIRST, answer_event(1))


def test_what_is_not_settled_has_no_time_of_it() -> None:
    """Pending, in doubt or held: nothing has been decided yet."""
    pending = answer_event(1, status="pending", paid=False)
    assert one(FIRST, pending).settled_at == one(FIRST).settled_at == ""
    assert one(FIRST, pending, replace(answer_event(1), kind="found")).settled_at != ""


@pytest.mark.fault("I19")
def test_what_a_person_took_note_of_may_still_move() -> None:
    """Then whoever acts on what it became acts."""
    noted = event("resolved", **{"as": "accepted"}, reason="seen", by="me")
    reversed_ = replace(answer_event(1, chain=None, status="reversed"), kind="found")
    unproven = (FIRST, answer_event(1, chain=None), REREAD, noted)
    assert [one(*unproven).who_acts, one(*unproven, reversed_).who_acts] == [
        "-",
        "payer",
    ]


def test_a_row_is_of_the_mode_that_its_order_was_sent_in() -> None:
    """Which may have been another than its file's when that was planned anew; old journals kept
    none.
    """
    live = replace(
        FIRST, data={**FIRST.data, "intent": {**FIRST.data["intent"], "mode": "live"}}
    )
    assert (one(FIRST).mode, one(live).mode) == ("test", "live")


@pytest.mark.fault("I18")
def test_who_got_what_of_a_charge_is_summed_by_name() -> None:
    """Fees in their own currency; the platform's and the recipient's part in the charge's."""
    charged = answer_event(
        1,
        fee=10,
        fee_vat=1,
        net=123439,
        platform_fee={"amount": 39},
        funding_currency="JPY",
    )
    totals = counted(one(FIRST, charged), one(FIRST, charged))
    assert totals.shares == {
        ("THB", "platform"): 78,
        ("THB", "recipient"): 2 * (123450 - 39),
        ("THB", "known"): 2,
    }
    assert {name: sum_ for (_, _, name), sum_ in totals.fees.items()} == {
        "fee": 20,
        "vat": 2,
        "net": 246878,
    }
    assert counted(one(FIRST, answer_event(1))).fees == {}


@pytest.mark.fault("J18")
def test_equations_stand_in_the_order_of_their_currencies() -> None:
    """The same bytes for the same journal."""
    codes = sorted(["THB", "JPY", "USD", "EUR", "SGD", "MYR", "HKD", "GBP"])
    totals = counted(
        *(
            one(document={**DOCUMENT, "currency": code.lower()})
            for code in reversed(codes)
        )
    )
    read = [Read(code, 1, DOCUMENT["amount"]) for code in reversed(codes)]
    told = [
        equation.currency for equation in totals.equations(8, read) if equation.currency
    ]
    assert told == sorted(told) and set(told) == set(codes)


def test_totals_come_back_from_the_journal_as_they_were() -> None:
    """What was written down is what was counted."""
    totals = counted(PAID, one(), one(problems=(PROBLEM,)))
    assert Totals.from_json(totals.to_json()) == totals
    assert totals.outcomes() == {"rejected": 1, "held": 1, "succeeded": 1}
    assert totals.money_moved() == {"THB": 123450}


@pytest.mark.fault("I2", "I3")
def test_the_equations_close_and_can_fail() -> None:
    """A lost row, a row counted twice, an amount that differs: each is seen."""
    assert all(equation.closes for equation in counted(PAID, one()).equations(2))
    lost = counted(PAID).equations(2)
    assert [e.name for e in lost if not e.closes] == [
        "rows in the file = rows reported"
    ]
    short = counted(replace(PAID, charged_amount=1)).equations(1)
    assert [e.name for e in short if not e.closes] == [
        "amounts asked = amounts charged"
    ]
    # a batch whose rows nobody counted
    assert len(counted(PAID).equations()) == len(lost) - 1
    assert [e.name for e in counted(PAID).equations(1) if "rows read" in e.name] == []
    unsent = counted(replace(PAID, idempotency_key="")).equations(1)
    assert [e.name for e in unsent if not e.closes] == [
        "rows with a send = sum of the outcomes of sent rows"
    ]


@dataclass
class Rows:
    """A chunk without cells."""

    rows: range
    sheet: str = ""


READ = [
    {**DOCUMENT, "amount": 100},
    {**DOCUMENT, "amount": 200},
    {**DOCUMENT, "amount": 5, "currency": "jpy"},
    {"order_id": "0004", "currency": "thb"},
    {"order_id": "0005", "amount": 7},
]

BAD = {3: (PROBLEM,), 4: (PROBLEM,)}


def judged_twice() -> tuple[Tally, Totals]:
    """The same rows as the reader counts them, and as findings; the last two are rejected."""
    tally = Tally()
    tally.add(Judged(Rows(range(2, 7)), READ, BAD))  # type: ignore[arg-type]
    return tally, counted(*findings_of(READ))


def findings_of(documents: list[dict[str, Any]]) -> list[Finding]:
    """Of rows of which nothing was sent."""
    return [
        one(row=at + 2, document=document, problems=BAD.get(at, ()))
        for at, document in enumerate(documents)
    ]


@pytest.mark.fault("J18")
def test_what_was_read_is_held_against_what_is_reported() -> None:
    """Rows and sums by currency, also of rows without one, counted once as they are read and once
    as they end.
    """
    tally, totals = judged_twice()
    equations = totals.equations(5, tally.reading())
    assert all(equation.closes for equation in equations), equations
    assert {(e.currency, e.left) for e in equations if e.name == ROWS_READ} == {
        ("THB", 3),
        ("JPY", 1),
        ("", 1),
    }
    assert {(e.currency, e.left) for e in equations if e.name == SUMS_READ} == {
        ("THB", 300),
        ("JPY", 5),
    }


@pytest.mark.fault("J18")
def test_a_row_that_only_one_side_counts_opens_an_equation() -> None:
    """A row the reader did not count, one no finding has, one whose amount or currency changed on
    its way.
    """
    tally, totals = judged_twice()
    more = Read("USD", 1, 1)
    assert not all(e.closes for e in totals.equations(5, [*tally.reading(), more]))
    assert not all(e.closes for e in totals.equations(5, tally.reading()[:-1]))
    for read in (
        {**DOCUMENT, "amount": 101},
        {**DOCUMENT, "amount": 100, "currency": "usd"},
    ):
        rows = findings_of([read, *READ[1:]])
        assert not all(e.closes for e in counted(*rows).equations(5, tally.reading()))
    short = Tally()
    short.add(Judged(Rows(range(2, 8)), READ, BAD))  # type: ignore[arg-type]
    # a row that mapping lost is still one that was read
    assert short.read == 6 and short.reading()[0] == Read("", 2, 0)


@pytest.mark.fault("J18")
def test_a_job_that_reads_a_sent_row_otherwise_closes_all_the_same() -> None:
    """What was sent is shown as it was sent, and counted as it was read."""
    sent = one(
        FIRST, answer_event(1), document={**DOCUMENT, "amount": 1, "currency": "jpy"}
    )
    assert (sent.amount, sent.currency) == (123450, "THB")
    assert all(e.closes for e in counted(sent).equations(1, [Read("JPY", 1, 1)]))


@pytest.mark.fault("I14")
@pytest.mark.parametrize(
    "outcomes, code",
    [
        ([], 0),
        ([Outcome.SUCCEEDED], 0),
        ([Outcome.SUCCEEDED, Outcome.REJECTED], 10),
        ([Outcome.DECLINED], 10),
        ([Outcome.REFUSED], 10),
        ([Outcome.CONFLICT], 10),
        ([Outcome.EXPIRED], 10),
        ([Outcome.REVERSED], 10),
        ([Outcome.REJECTED, Outcome.HELD], 11),
        ([Outcome.PENDING], 11),
        ([Outcome.IN_DOUBT], 11),
        ([Outcome.UNPROVEN, Outcome.HELD], 12),
    ],
)
def test_the_exit_code_is_a_function_of_outcomes(
    outcomes: list[Outcome], code: int
) -> None:
    """README.md, "Exit codes"; a duplicate counts like what it names."""
    findings = [
        replace(PAID, outcome=outcome, counts_as=outcome) for outcome in outcomes
    ]
    duplicates = [
        replace(PAID, outcome=Outcome.DUPLICATE, counts_as=outcome)
        for outcome in outcomes
    ]
    assert exit_code([counted(*findings)], stopped=False) == code
    assert exit_code([counted(*duplicates)], stopped=False) == code
    assert exit_code([counted(*findings)], stopped=True) == 12
    assert exit_code([counted(*findings)], stopped=False, open_equation=True) == 12


@pytest.mark.fault("H06", "I12")
def test_the_gateways_words_do_not_carry_a_token_into_a_report() -> None:
    """It names the token it did not find: not in full, and nothing invisible with it."""
    words = "token tokn_test_5xuy4w91xqz7d1w9u0t was not\x1b[31m found"
    for finding in (
        one(
            FIRST,
            event("answer", 1, verdict="refused", code="not_found", message=words),
        ),
        one(
            FIRST,
            answer_event(
                1, status="failed", paid=False, failure_code="x", failure_message=words
            ),
        ),
        one(FIRST, event("answer", 1, verdict="in_doubt", message=words)),
    ):
        assert "was not\\x1b[31m found" in finding.reason
        assert "tokn_" in finding.reason and "5xuy4w91" not in finding.reason


def test_a_finding_has_the_codes_of_what_it_says() -> None:
    """They stay when a sentence is worded otherwise; a sentence that was kept as text has none."""
    assert one().codes == ("held.not-sent-yet",)
    assert one(hold="--limit 3").codes == ()
    assert one(guards=Guards(stop="two charges")).codes == ("held.stop", "lift-stop")
    assert one(guards=Guards(refusal=NOT_SENT_YET[0])).codes == ("held.not-sent-yet",)
    assert one(problems=(PROBLEM, PROBLEM)).codes == ("number-format", "number-format")
    assert (PAID.codes, PAID.reason) == ((), "")


@pytest.mark.fault("I8", "J13")
def test_a_row_that_waits_still_shows_what_was_sent_for_it() -> None:
    """Its key, its attempt and when: a request that the gateway turned away is no request that
    never was.
    """
    waits = one(
        FIRST,
        event("answer", 1, verdict="throttled"),
        guards=Guards(stop="two charges"),
    )
    assert (waits.outcome, waits.who_acts, waits.reason) == (
        Outcome.HELD,
        "a person",
        f"a stop is in force: two charges; {LIFT_STOP()}",
    )
    assert (waits.attempts, waits.idempotency_key, bool(waits.sent_at)) == (
        1,
        FIRST.data["intent"]["key"],
        True,
    )
    assert all(equation.closes for equation in counted(waits).equations(1))
