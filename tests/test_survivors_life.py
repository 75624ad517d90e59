"""Where one small change of the life of a charge, of its report or of the limits once went
unseen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from batchpay.batches.clock import iso
from batchpay.domain.errors import FileRefused
from batchpay.domain.events import TransferSeen
from batchpay.domain.model import ChargeSeen, Event, Outcome
from batchpay.domain.times import instant_ns
from batchpay.gateways.omise.objects import charge_in
from batchpay.intake.controls import (
    max_amount_check,
    mode_check,
    parse_totals,
    run_refusal,
)
from batchpay.job.job import Columns, FromColumn, FromValue
from batchpay.lifecycle.attempt import Attempt, may_be_made_since
from batchpay.lifecycle.charge import (
    Shown,
    could_be,
    fee_flaws_of,
    flaws_of,
    has_key,
    took_nothing,
)
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.paid import doubled, money_charges
from batchpay.lifecycle.proof import Proof, verdict
from batchpay.lifecycle.unclaimed import may_be_charge_of, nameless_of
from batchpay.reconciliation.totals import Totals
from batchpay.settlement.in_force import AND_ALSO, stop_in_force
from tests.fakes import charged
from tests.test_controls import COLUMNS, paid, refused, tally
from tests.test_lifecycle import (
    CHANGED,
    DECLINED,
    FIRST,
    INTENT,
    OTHER,
    answer_event,
    charge,
    error,
    event,
    kept,
)
from tests.test_reconciliation import ADOPTED, PROBLEM, counted, one

# --- the proof table


@pytest.mark.fault("B12", "B17", "B24")
@pytest.mark.parametrize(
    "status, document, proof, code, message",
    [
        (299, charge(), Proof.CHARGE, "", ""),
        (200, None, Proof.IN_DOUBT, "", "a success status without a charge object"),
        (200, error("bad", "words"), Proof.IN_DOUBT, "bad", "words"),
        (401, None, Proof.KEY_REFUSED, "401", ""),
        (403, error("forbidden"), Proof.KEY_REFUSED, "forbidden", "m"),
        (500, None, Proof.IN_DOUBT, "", "status 500"),
        (301, None, Proof.IN_DOUBT, "", "status 301"),
        (502, error("bad", "words"), Proof.IN_DOUBT, "bad", "words"),
        (408, None, Proof.IN_DOUBT, "", "status 408"),
        (408, error("slow", "words"), Proof.IN_DOUBT, "slow", "words"),
        (
            400,
            error("backend_error", ""),
            Proof.IN_DOUBT,
            "backend_error",
            "status 400",
        ),
        (
            404,
            None,
            Proof.NOT_HERE,
            "",
            "status 404 without the gateway's error object",
        ),
        (405, error("nope", "words"), Proof.NOT_HERE, "nope", "words"),
        (
            418,
            None,
            Proof.IN_DOUBT,
            "",
            "status 418 without the gateway's error object",
        ),
    ],
)
def test_a_verdict_says_what_it_rests_on(
    status: int, document: Any, proof: Proof, code: str, message: str
) -> None:
    """The gateway's code and words, else the bare status: somebody reads them in a report."""
    found = verdict(
        charged(out=True, status=status, said=document),
        INTENT,
        live=False,
        doubted=False,
    )
    assert (found.proof, found.code, found.message) == (proof, code, message)


@pytest.mark.fault("B19", "B22", "B26")
@pytest.mark.parametrize(
    ("status", "document", "proof"),
    [
        (429, error("too_many", "words"), Proof.THROTTLED),
        (428, error("too_many", "words"), Proof.REFUSED),
        (409, error("c", "the idempotency key was reused"), Proof.KEY_REUSED),
        (422, error("c", "Idempotency: different body"), Proof.KEY_REUSED),
        (409, error("idempotency_mismatch", "words"), Proof.KEY_REUSED),
        (422, error("c", "idempotent with other parameters"), Proof.KEY_REUSED),
        (422, error("c", "idempotent"), Proof.REFUSED),
        (422, error("c", "different"), Proof.REFUSED),
        (400, error("c", "the idempotency key was reused"), Proof.REFUSED),
        (404, error("service_not_found", "no such service"), Proof.NOT_HERE),
        (404, error("not_found", "no such page"), Proof.NOT_HERE),
        (404, error("not_found", "customer cust_test_1 was not found"), Proof.REFUSED),
        (404, error("other", "words"), Proof.REFUSED),
    ],
)
def test_what_a_refusal_rests_on(status: int, document: Any, proof: Proof) -> None:
    """The gateway's own code and words, kept with it."""
    answer = charged(out=True, status=status, said=document)
    found = verdict(answer, INTENT, live=False, doubted=False)
    assert found.proof is proof
    assert (found.code, found.message) == (document["code"], document["message"])
    assert found.charge is None and not found.spent


@pytest.mark.fault("B19", "B29")
def test_a_charge_that_is_told_with_another_status_is_one_to_ask_for() -> None:
    """Somebody charged, whatever the status says; and a 429 that is not believed says nothing."""
    answer = charged(out=True, status=402, said=charge())
    told = verdict(answer, INTENT, live=False, doubted=False)
    assert (told.proof, told.message) == (Proof.IN_DOUBT, "status 402 with a charge")
    assert told.charge is not None and told.charge.id == "chrg_test_1"
    nameless = charged(out=True, status=402, said=charge(id=None))
    unnamed = verdict(nameless, INTENT, live=False, doubted=False)
    assert (unnamed.proof, unnamed.charge) == (Proof.IN_DOUBT, None)
    busy = charged(out=True, status=429, said=error("too_many", "words"))
    doubted = verdict(busy, INTENT, live=False, doubted=False, trust_429=False)
    assert (doubted.proof, doubted.code, doubted.message) == (
        Proof.IN_DOUBT,
        "too_many",
        "words",
    )


@pytest.mark.parametrize("out, status", [(False, None), (True, None)])
def test_no_answer_says_why(out: bool, status: int | None) -> None:
    """Whether or not a byte left, the trouble is kept."""
    found = verdict(
        charged(out=out, status=status, trouble="the name is unknown"),
        INTENT,
        live=False,
        doubted=False,
    )
    assert found.message == "the name is unknown"


@pytest.mark.fault("B24", "J19")
@pytest.mark.parametrize(
    "changes, text",
    [
        ({"status": None}, "status is not a str"),
        ({"currency": ""}, "currency is empty"),
        ({"currency": None}, "currency is not a str"),
        ({"amount": 2**63}, "amount cannot be read: 9223372036854775808"),
        ({"id": "chrg_test_1\n"}, "id: asked a test charge, got chrg_test_1\n"),
        ({"id": "xchrg_test_1"}, "id: asked a test charge, got xchrg_test_1"),
        ({"id": "chrg_test_" + "x" * 65}, "id: asked a test charge"),
        ({"id": "chrg_1"}, "id: asked a test charge, got chrg_1"),
    ],
)
def test_evidence_that_is_odd_is_kept_and_named(
    changes: dict[str, Any], text: str
) -> None:
    """No null and no number beyond a column ends as a bug; what was asked and what came stands
    beside it.
    """
    found = verdict(
        charged(out=True, status=200, said=charge(**changes)),
        INTENT,
        live=False,
        doubted=False,
    )
    assert found.proof is Proof.UNPROVEN
    assert found.charge is not None
    assert any(flaw.startswith(text) for flaw in found.flaws), found.flaws
    (attempt,) = fold(
        [
            FIRST,
            evidence(
                "answer",
                1,
                found.charge.to_json(),
                verdict="unproven",
                flaws=found.flaws,
            ),
        ]
    )
    assert attempt.outcome is Outcome.UNPROVEN


def test_a_live_charge_is_one_whose_id_says_so() -> None:
    """The id of the other mode is a flaw, and the sentence names the mode that was asked for."""
    live = {"id": "chrg_1", "livemode": True}
    assert (
        verdict(
            charged(out=True, status=200, said=charge(**live)),
            INTENT,
            live=True,
            doubted=False,
        ).flaws
        == ()
    )
    wrong = verdict(
        charged(out=True, status=200, said=charge(livemode=True)),
        INTENT,
        live=True,
        doubted=False,
    )
    assert wrong.flaws == ("id: asked a live charge, got chrg_test_1",)


# --- what events add up to


def evidence(kind: str, send: int, shown: dict[str, Any], **data: Any) -> Event:
    return event(kind, send, charge=shown, **data)


WORD = {"by": "kim", "reason": "her phone"}


def adopted(word: dict[str, str] | None, flaws: list[str], **changes: Any) -> Event:
    """A charge that this journal did not make, by a person's word or by what it says itself."""
    found = charge_in(charge(**changes))
    assert found
    told = {"intent": kept(), "flaws": flaws} | ({"word": word} if word else {})
    return evidence("adopted", 0, found.to_json(), **told)


@pytest.mark.fault("B31")
@pytest.mark.parametrize("word", [None, WORD])
def test_a_charge_that_names_nobody_is_the_orders_by_a_persons_word_alone(
    word: dict[str, str] | None,
) -> None:
    """Then the one that carries its key is a second one that took money; else it is the only one,
    and the nameless may be anybody's.
    """
    nameless = adopted(word, ["metadata: no key"], metadata={})
    (attempt,) = fold([nameless, evidence("found", 0, charge(id="chrg_test_2"))])
    assert doubled(attempt) is bool(word)
    if word is None:
        assert attempt.charge is not None and attempt.charge.id == "chrg_test_2"
        assert attempt.twins == {"chrg_test_2"}
    else:
        assert attempt.twins == {"chrg_test_1", "chrg_test_2"}


@pytest.mark.parametrize("word", [None, WORD])
def test_what_a_person_took_over_keeps_how_it_differs_also_where_it_took_nothing(
    word: dict[str, str] | None,
) -> None:
    """It stands beside the word; of what a list showed alone it is nobody's money."""
    ended = {"status": "expired", "paid": False, "amount": 1}
    (attempt,) = fold([adopted(word, ["amount"], **ended)])
    assert attempt.flaws == (("amount",) if word else ())
    assert bool(attempt.accepted) is bool(attempt.by_hand) is bool(word)


def shown(**changes: Any) -> dict[str, Any]:
    """A charge as the journal keeps it."""
    found = charge_in(charge(**changes))
    assert found is not None
    return found.to_json()


def folded(*events: Event) -> Attempt:
    (attempt,) = fold(events)
    return attempt


def test_the_time_of_the_first_send_stays() -> None:
    """Whatever is sent again: the first intent's time is when it was sent."""
    first = replace(FIRST, at_ns=5 * 10**9)
    again = replace(event("intent", 2, boot_id="b", boot_s=300.0), at_ns=9 * 10**9)
    put_off = event("answer", 1, verdict="throttled")
    assert folded(first).sent_ns == 5 * 10**9
    twice = folded(first, put_off, again)
    assert (twice.sent_ns, twice.sends) == (5 * 10**9, 2)
    finding = one(first, put_off, again)
    assert (finding.sent_at, finding.settled_at) == ("1970-01-01T00:00:05Z", "")
    late = replace(answer_event(2), at_ns=11 * 10**9)
    assert one(first, put_off, again, late).settled_at == "1970-01-01T00:00:11Z"


@pytest.mark.fault("B31", "L10")
def test_another_charge_after_a_contradicted_one_is_judged_by_itself() -> None:
    """Flaws are those of the charge that is reported: a proper one beside it is a second charge,
    and counted.
    """
    wrong = evidence(
        "answer",
        1,
        shown(amount=1),
        verdict="unproven",
        flaws=["amount: asked 123450, got 1"],
    )
    same = evidence("found", 0, shown())
    # the same id, two stories
    assert folded(FIRST, wrong, same).outcome is Outcome.UNPROVEN
    other = evidence("found", 0, shown(id="chrg_test_2"))
    swapped = folded(FIRST, wrong, other)
    assert (
        swapped.outcome is Outcome.SUCCEEDED
        and swapped.charge
        and swapped.charge.id == "chrg_test_2"
    )
    assert sorted(money_charges([swapped])) == ["chrg_test_1", "chrg_test_2"]
    assert not swapped.closed


@pytest.mark.parametrize("proof", ["not_sent", "throttled", "key_refused", "not_here"])
def test_what_proves_that_nothing_was_charged_lets_the_same_key_go_again(
    proof: str,
) -> None:
    """The attempt is held, with what was said; it never was in doubt."""
    attempt = folded(FIRST, event("answer", 1, verdict=proof, code="c", message="m"))
    assert (attempt.outcome, attempt.ready, attempt.doubted) == (
        Outcome.HELD,
        True,
        False,
    )
    assert (attempt.code, attempt.message, attempt.throttled) == (
        "c",
        "m",
        proof == "throttled",
    )
    assert (attempt.sends, attempt.adopted) == (1, False)


@pytest.mark.fault("L5", "B25")
@pytest.mark.parametrize("closes", [False, True])
def test_what_had_to_be_looked_up_was_in_doubt(closes: bool) -> None:
    """Also where nobody wrote down that no answer came: a used token may be our own doing from then
    on.
    """
    attempt = folded(
        FIRST, event("absent", 1, boot_id="b", boot_s=300.0, closes=closes)
    )
    assert (attempt.doubted, attempt.ready) == (True, closes)


def test_what_a_charge_does_not_say_is_empty() -> None:
    """Never a word of ours in its place."""
    found = charge_in({"object": "charge", "id": "chrg_test_1"})
    assert found is not None and found.unread
    assert (found.status, found.currency, found.created_at, found.paid) == (
        "",
        "",
        "",
        False,
    )
    assert (
        found.destination
        is found.chain
        is found.fee
        is found.funding_currency
        is found.authorize_uri
        is None
    )


@pytest.mark.fault("I17")
@pytest.mark.parametrize(
    ("fee", "kept"),
    [
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-(2**63), None),
        (7.0, None),
        (True, None),
    ],
)
def test_a_number_that_no_column_holds_is_none(fee: Any, kept: int | None) -> None:
    """Nor is one that is not whole."""
    found = charge_in(charge(fee=fee))
    assert found is not None and found.fee == kept


@pytest.mark.fault("L7")
def test_a_chain_is_asked_for_once_and_of_a_charge_that_is_as_asked() -> None:
    """A paid charge whose split is not proven is read a second time, not a third."""
    without = evidence("found", 0, shown(chain=None))
    assert folded(FIRST, without).wants_chain
    assert not folded(
        FIRST, without, evidence("found", 0, shown(chain=None), reread=True)
    ).wants_chain
    assert not folded(
        FIRST, evidence("found", 0, shown(chain=None), flaws=["amount: asked 1, got 2"])
    ).wants_chain
    assert not folded(FIRST, evidence("found", 0, shown())).wants_chain
    assert not folded(
        FIRST, evidence("found", 0, shown(chain=None, status="pending", paid=False))
    ).wants_chain


def test_a_charge_ends_as_its_status_says() -> None:
    """The words of the gateway (docs/gateway.md, 3.2), each with its outcome."""
    said = {
        status: (
            folded(
                FIRST,
                evidence("found", 0, shown(status=status, paid=status == "successful")),
            ).outcome
        )
        for status in ("successful", "pending", "failed", "expired", "reversed")
    }
    assert said == {
        "successful": Outcome.SUCCEEDED,
        "pending": Outcome.PENDING,
        "failed": Outcome.DECLINED,
        "expired": Outcome.EXPIRED,
        "reversed": Outcome.REVERSED,
    }


@pytest.mark.fault("B31", "L6")
@pytest.mark.parametrize("proof", ["refused", "in_doubt"])
def test_a_second_charge_ends_what_was_said_of_another_send(proof: str) -> None:
    """What an answer said before no longer says where the attempt stands."""
    answer = event("answer", 2, verdict=proof, code="invalid_card", message="no")
    again = event("intent", 2, boot_id="b", boot_s=300.0)
    attempt = folded(
        FIRST,
        evidence("found", 0, shown()),
        again,
        answer,
        evidence("found", 0, shown(id="chrg_test_2")),
    )
    assert (attempt.refused, attempt.code, attempt.message) == (False, "", "")
    assert (
        attempt.charge
        and attempt.charge.id == "chrg_test_1"
        and len(attempt.twins) == 2
    )


@pytest.mark.fault("L6", "L7")
def test_an_answer_that_could_not_be_read_gives_way_to_the_charge_itself() -> None:
    """A list shows what the answer was about: it is judged by what it says, whole."""
    unread = event("answer", 1, verdict="unproven", flaws=["not a charge"])
    assert folded(FIRST, unread).outcome is Outcome.UNPROVEN
    assert (
        folded(FIRST, unread, evidence("found", 0, shown())).outcome
        is Outcome.SUCCEEDED
    )


def test_what_a_later_version_kept_beside_an_intent_is_passed_over() -> None:
    """The attempt is read by what this version knows."""
    later = replace(
        FIRST,
        data={
            **FIRST.data,
            "intent": {**FIRST.data["intent"], "of_a_later_version": 1},
        },
    )
    assert folded(later).intent == INTENT


KEYLESS = {"order_id": "0001"}


@pytest.mark.fault("L5")
@pytest.mark.parametrize(
    ("changes", "could"),
    [
        ({}, True),
        ({"metadata": {}}, True),
        ({"metadata": {**KEYLESS, "batchpay_key": "cut off"}}, True),
        ({"metadata": {"order_id": "0002"}}, False),
        ({"amount": 1}, False),
        ({"amount": "x"}, True),  # what cannot be read may be anything
        ({"currency": "JPY"}, False),
        ({"currency": 1}, True),
        ({"destination": "recp_test_2"}, False),
        ({"destination": None}, False),
        ({"destination": 7, "amount": "x"}, True),
        ({"created_at": "2026-11-23T23:59:59Z"}, False),
        ({"created_at": ""}, True),
    ],
)
def test_a_charge_without_a_key_could_be_of_an_order_that_asked_the_same(
    changes: dict[str, Any], could: bool
) -> None:
    """By its order id where it names one, its terms, and its time."""
    found = charge_in(charge(**{"metadata": KEYLESS, **changes}))
    assert found is not None
    assert could_be(found, INTENT, instant_ns("2026-11-24T00:00:00Z") or 0) is could


SENT_S = 1_764_000_000
DAY_S = 86_400


@pytest.mark.fault("C04", "B19", "J02")
@pytest.mark.parametrize(
    ("sent_s", "made", "reused", "may"),
    [
        (SENT_S, SENT_S + 1, False, True),
        # the clock that said when it was sent was hours ahead, and nobody could tell then
        (SENT_S, SENT_S - 2 * 3600, False, True),
        (SENT_S, SENT_S - DAY_S, False, True),
        (SENT_S, SENT_S - DAY_S - 1, False, False),
        (SENT_S, SENT_S - 30 * DAY_S, True, True),
        (SENT_S, None, False, True),
        (60, 0, False, True),
    ],
)
def test_no_clock_says_that_a_charge_is_older_than_what_may_have_made_it(
    sent_s: int, made: int | None, reused: bool, may: bool
) -> None:
    """What names nobody is held against every attempt that is said to have charged nothing, from a
    day before our clock says that it went: whoever set it since does not know how far it was off.
    """
    created_at = iso(made * 10**9) if made is not None else "yesterday"
    found = charge_in(charge(metadata={}, created_at=created_at))
    assert found is not None
    one = nameless_of(found)
    attempt = Attempt(INTENT, adopted=False, sent_ns=sent_s * 10**9, reused=reused)
    kept = may_be_charge_of(attempt, {one.terms: {one.charge_id: one}}, "night")
    assert bool(list(kept)) is may
    assert could_be(found, INTENT, attempt.charged_since_ns) is may


@pytest.mark.fault("C04", "J13")
@pytest.mark.parametrize(
    ("sent", "known", "made", "may"),
    [
        (1, 0, 0, True),
        (0, 0, 0, False),
        (-1, 5, 5, False),
        # not made by this journal: known since, and a clock says that it was made before
        (None, 1, -2 * 3600, True),
        (None, 1, 1 - DAY_S, True),
        (None, 1, -DAY_S, False),
        # it was known then
        (None, 0, 3600, False),
    ],
)
def test_a_charge_taken_over_since_may_be_made_since(
    sent: int | None, known: int, made: int, may: bool
) -> None:
    """A row that came back for one attempt more, or a person's word, are from our clock; the time
    of a charge of another journal is from the gateway's.
    """
    at_ns = SENT_S * 10**9
    attempt = Attempt(INTENT, adopted=True, known_ns=at_ns + known * 10**9)
    if sent is not None:
        attempt = replace(attempt, adopted=False, sent_ns=at_ns + sent * 10**9)
    found = charge_in(charge(created_at=iso(at_ns + made * 10**9)))
    assert may_be_made_since(replace(attempt, charge=found), at_ns) is may


@pytest.mark.fault("B30", "B31")
def test_a_charge_that_carries_another_key_is_no_twin() -> None:
    """An answer that belongs to somebody else is a flaw of ours, and no second charge of this
    order.
    """
    foreign = shown(
        id="chrg_test_9", metadata={"batchpay_key": "another", "order_id": "0002"}
    )
    flaw = "metadata[batchpay_key]: asked x, got another"
    mixed = folded(
        FIRST,
        evidence("answer", 1, foreign, verdict="unproven", flaws=[flaw]),
        evidence("found", 0, shown()),
    )
    assert mixed.twins == {"chrg_test_1"}
    assert mixed.outcome is Outcome.SUCCEEDED
    assert money_charges([mixed]) == ["chrg_test_1"]


@pytest.mark.fault("B34", "L6")
@pytest.mark.parametrize(
    "stale",
    [{"status": "pending", "paid": False}, {"chain": None}],
    ids=["pending", "without its chain"],
)
def test_an_older_picture_of_a_charge_takes_nothing_back(stale: dict[str, Any]) -> None:
    """A page from before the answer; a later picture is taken as it is."""
    known = folded(FIRST, answer_event(1), evidence("found", 0, shown(**stale)))
    assert (
        known.outcome is Outcome.SUCCEEDED
        and known.charge
        and known.charge.chain == "acch_test_1"
    )
    pending = answer_event(1, status="pending", paid=False)
    assert (
        folded(FIRST, pending, evidence("found", 0, shown())).outcome
        is Outcome.SUCCEEDED
    )
    reversed_ = evidence("found", 0, shown(status="reversed", paid=False))
    assert folded(FIRST, answer_event(1), reversed_).outcome is Outcome.REVERSED


def test_an_answer_that_left_late_starts_the_doubt_when_it_left() -> None:
    """A doubt period counts from the first byte, or from the commit if that was later."""
    for left_s, boot_s in ((104.5, 104.5), (90.0, 100.0), (None, 100.0)):
        attempt = folded(FIRST, event("answer", 1, verdict="in_doubt", left_s=left_s))
        assert attempt.doubt is not None and attempt.doubt.boot_s == boot_s


def test_a_cancelled_attempt_is_not_any_attempt_with_that_code() -> None:
    """Only a person's word closes for good: a gateway that happens to use the word refuses like
    with any other.
    """
    refused_ = event("answer", 1, verdict="refused", code="cancelled", message="m")
    assert folded(FIRST, refused_).refused
    throttled = event("answer", 1, verdict="throttled", code="cancelled")
    assert (
        "by hand"
        not in one(FIRST, throttled, batch_id=OTHER, row=9, document=CHANGED).reason
    )


def found(*flaws: str, **more: Any) -> Event:
    """A look-up showed this charge; by a list, where nothing else is said."""
    told = {name: more.pop(name) for name in ("by_id", "reread") if name in more}
    if flaws:
        told["flaws"] = list(flaws)
    return evidence("found", 0, shown(**more), **told)


def later(event: Event) -> Event:
    """In a later run."""
    return replace(event, run_id="another")


def said(as_: str, **more: Any) -> Event:
    return event("resolved", **{"as": as_}, reason="why", by="kim", **more)


def gone(charge_id: str = "") -> Event:
    return event("missing", **({"charge_id": charge_id} if charge_id else {}))


TWO, THREE = {"id": "chrg_test_2"}, {"id": "chrg_test_3"}
PENDING = {"status": "pending", "paid": False, "chain": None}
DOWN = {"status": "failed", "paid": False, "chain": None}
TAKEN_BACK = {"status": "reversed", "paid": False, "chain": None}
WRONG = "amount: asked 123450, got 1"


def test_attempts_are_told_in_the_order_of_their_numbers() -> None:
    """Whichever was found first."""
    told = adopted(None, [])
    again = replace(told, attempt=2)
    assert [one.intent.attempt for one in fold([again, told])] == [1, 2]


@pytest.mark.fault("B17", "L5")
@pytest.mark.parametrize(
    ("ids", "hinted"),
    [
        (["any text"], "any text"),
        (["any text", "chrg_test_5"], "chrg_test_5"),
        (["chrg_test_5", "any text"], "chrg_test_5"),
        (["chrg_test_5", "chrg_test_6"], "chrg_test_6"),
        (["any text", "another"], "any text"),
    ],
)
def test_what_answers_spoke_of_is_remembered_by_an_id_that_can_be_asked_for(
    ids: list[str], hinted: str
) -> None:
    spoken = [evidence("answer", 1, shown(id=one), verdict="in_doubt") for one in ids]
    assert folded(FIRST, *spoken).hinted == hinted


@pytest.mark.fault("L7")
def test_a_chain_that_was_asked_for_twice_stays_asked_for() -> None:
    """Whatever a later list shows."""
    without = {"chain": None}
    again = folded(FIRST, found(**without, reread=True), found(**without))
    assert again.reread and again.outcome is Outcome.UNPROVEN
    given_back = folded(FIRST, found(**without), found(**without, refunded_amount=5))
    assert given_back.charge is not None and given_back.charge.refunded == 5


@pytest.mark.fault("J27", "B31")
def test_a_false_id_gives_way_to_the_charge_that_carries_the_key() -> None:
    """The gateway knows no charge of it; one of another key is nobody's."""
    first = folded(FIRST, found(), gone())
    assert first.vanished and first.unknown == {"chrg_test_1"}
    mended = folded(FIRST, found(), gone(), found(**TWO))
    assert mended.charge is not None and mended.charge.id == "chrg_test_2"
    assert (mended.twins, mended.missing_ns) == ({"chrg_test_2"}, 0)
    assert (mended.others, mended.vanished) == ((), False)
    foreign = found("key", **TWO, metadata={"batchpay_key": "another"})
    kept_ = folded(FIRST, found(), gone(), foreign)
    assert kept_.charge is not None and kept_.charge.id == "chrg_test_1"
    assert kept_.twins == {"chrg_test_1"}
    # it is known after all
    assert folded(FIRST, found(), gone(), found(by_id=True)).unknown == frozenset()


AGAIN = event("intent", 2, boot_id="b", boot_s=300.0)
LATER = {**TWO, "created_at": "2026-11-24T09:00:00Z"}


@pytest.mark.fault("B31", "J11", "J27", "L10")
@pytest.mark.parametrize(
    ("before", "then", "reported"),
    [
        ([FIRST, found(), gone()], found(**LATER), "chrg_test_1"),
        ([FIRST, found(), gone()], found(**TWO, chain="acch_test_2"), "chrg_test_1"),
        ([FIRST, AGAIN, found(), gone()], found(**TWO), "chrg_test_1"),
        ([FIRST, found(created_at=""), gone()], found(**LATER), "chrg_test_1"),
        ([FIRST, found(), gone()], found(**LATER, **DOWN), "chrg_test_1"),
        ([FIRST, found(), gone(), said("accepted")], found(**TWO), "chrg_test_1"),
        ([FIRST, found(), found(**LATER)], gone(), "chrg_test_1"),
        ([FIRST, found(), found(**LATER)], gone("chrg_test_2"), "chrg_test_1"),
        ([FIRST, found(**PENDING), gone()], found(**LATER), "chrg_test_2"),
    ],
)
def test_a_charge_that_was_told_and_is_gone_gives_way_to_none_but_itself(
    before: list[Event], then: Event, reported: str
) -> None:
    """Another one under its key is beside it, whatever it took, until a person has told."""
    both = folded(*before, then)
    assert both.charge is not None and both.charge.id == reported
    assert both.twins == {"chrg_test_1", "chrg_test_2"} and len(both.others) == 1
    assert both.vanished and both.gone[0].id in both.unknown
    assert not both.is_no_witness(both.gone[0].id)
    lost, other = {}, LATER
    if both.gone[0].id == "chrg_test_2":
        lost, other = LATER, {}
    once_more = (*before, then, found(**other))
    assert folded(*once_more).charge == both.charge
    for word in (said("accepted"), said("charged", charge=shown(**other))):
        told = folded(*once_more, word)
        assert told.accepted and not (told.vanished or doubled(told))
        assert told.is_no_witness(both.gone[0].id)
    assert not folded(*once_more, found(**lost, by_id=True)).vanished


@pytest.mark.fault("J27")
def test_of_two_pending_charges_one_is_gone_until_a_person_has_told() -> None:
    """It may have taken money; the word is of that one, not of the other."""
    other = {**LATER, **PENDING}
    both = folded(FIRST, found(**PENDING), found(**other), gone("chrg_test_2"))
    assert both.lost and not both.missing_ns and both.gone[0].id == "chrg_test_2"
    told = folded(
        FIRST,
        found(**PENDING),
        found(**other),
        gone("chrg_test_2"),
        said("accepted"),
    )
    assert told.outcome is Outcome.PENDING and not told.lost
    ends = folded(
        FIRST,
        found(),
        found(**other),
        gone("chrg_test_2"),
        found(**LATER),
    )
    assert (ends.vanished, doubled(ends), ends.unknown) == (False, True, frozenset())


@pytest.mark.fault("J27", "B31")
def test_what_is_reported_instead_of_a_charge_is_as_it_is_itself() -> None:
    """The one that took money is, whichever was told first; that the other is gone is of that."""
    taken_over = folded(FIRST, found(**PENDING), gone(), found(**LATER))
    assert taken_over.missing_ns == 0 and taken_over.vanished
    back = {**LATER, **TAKEN_BACK}
    given_up = folded(FIRST, found(**PENDING), gone(), found(**LATER), found(**back))
    assert given_up.charge is not None and given_up.charge.id == "chrg_test_1"
    assert given_up.missing_ns and given_up.lost


@pytest.mark.fault("B31", "J27")
def test_of_two_charges_the_one_that_the_gateway_does_not_know_was_none() -> None:
    """The other is what is told then; where none is left that took money, it stays told."""
    both = folded(FIRST, found(), found(**TWO))
    assert both.twins == {"chrg_test_1", "chrg_test_2"} and doubled(both)
    for left, lost in (("chrg_test_2", "chrg_test_1"), ("chrg_test_1", "chrg_test_2")):
        one_ = folded(FIRST, found(), found(**TWO), gone(lost))
        assert one_.charge is not None and one_.charge.id == left
        assert (one_.twins, one_.others, one_.flaws) == ({left}, (), ())
        assert (one_.unknown, one_.missing_ns) == ({lost}, 0)
    wrong = found(WRONG, amount=1)
    flawed = folded(FIRST, wrong, found(WRONG, **TWO, amount=1), gone("chrg_test_2"))
    assert flawed.flaws == (WRONG,) and flawed.outcome is Outcome.UNPROVEN
    asked = folded(
        FIRST,
        found(chain=None, reread=True),
        found(**TWO, chain=None),
        gone("chrg_test_2"),
    )
    assert asked.reread
    other = folded(
        FIRST,
        found(chain=None, reread=True),
        found(**TWO, chain=None),
        gone("chrg_test_1"),
    )
    assert not other.reread
    ended = folded(FIRST, found(**DOWN), found(**TWO, **DOWN), gone("chrg_test_2"))
    assert ended.missing_ns and ended.twins == {"chrg_test_1", "chrg_test_2"}
    never = folded(FIRST, found(), gone("chrg_test_9"))
    assert (never.unknown, never.missing_ns) == ({"chrg_test_9"}, 0)


@pytest.mark.fault("L6", "B31")
@pytest.mark.parametrize(
    ("then", "outcome", "accepted"),
    [
        (found(WRONG, amount=1), Outcome.UNPROVEN, True),  # as it stood
        (found(WRONG, "more", amount=1), Outcome.UNPROVEN, False),
        (found("amount: asked 123450, got 2", amount=2), Outcome.UNPROVEN, False),
        (found(amount=1, **TAKEN_BACK), Outcome.REVERSED, False),  # nothing is left
        # one that says it is paid never ended without money
        (found(amount=1, **{**TAKEN_BACK, "paid": True}), Outcome.UNPROVEN, True),
        (found(amount=1, **DOWN), Outcome.UNPROVEN, False),
    ],
)
def test_what_a_person_took_note_of_is_one_charge_as_it_stood(
    then: Event, outcome: Outcome, *, accepted: bool
) -> None:
    """That it was reversed since is less than that."""
    attempt = folded(FIRST, found(WRONG, amount=1), said("accepted"), then)
    assert (attempt.outcome, bool(attempt.accepted)) == (outcome, accepted)


@pytest.mark.fault("B31")
@pytest.mark.parametrize(
    ("then", "accepted"),
    [
        (found(**TWO, **PENDING), True),
        (found(**TWO), False),
        (found(**THREE, **DOWN), True),
    ],
)
def test_a_further_charge_that_took_no_money_takes_no_persons_word_back(
    then: Event, *, accepted: bool
) -> None:
    told = [FIRST, found(), found(**TWO, **PENDING), said("accepted")]
    assert bool(folded(*told, then).accepted) is accepted


@pytest.mark.fault("B31")
def test_each_charge_of_a_key_is_as_it_was_last_seen() -> None:
    """The one that took money is reported, and asked for as a new one."""
    told = [FIRST, found(**PENDING), found(**TWO, **PENDING), found(**THREE, **PENDING)]
    attempt = folded(*told, found(**THREE, **DOWN))
    assert [(one.charge.id, one.charge.status) for one in attempt.others] == [
        ("chrg_test_2", "pending"),
        ("chrg_test_3", "failed"),
    ]
    paid = folded(*told, found(**THREE))
    assert paid.charge is not None and paid.charge.id == "chrg_test_3"
    assert {one.charge.id for one in paid.others} == {"chrg_test_1", "chrg_test_2"}
    asked = folded(FIRST, found(**PENDING, reread=True), found(**TWO, chain=None))
    assert asked.wants_chain


@pytest.mark.fault("B34", "L6")
@pytest.mark.parametrize(
    ("then", "odd"),
    [
        (found(), ""),
        (found(status="disputed"), "status 'disputed'"),
        (found(chain=None), ""),  # a copy from before
        (found(chain=None, by_id=True), "no chain any more"),
        (found(by_id=True), ""),
        (found(**PENDING, by_id=True), ""),  # in the run that sent it
        (later(found(**PENDING, by_id=True)), "status 'pending'"),
        (later(found(**PENDING)), ""),  # a copy from before
        (found(**TWO, status="disputed"), ""),
    ],
)
def test_what_no_outcome_names_is_told_of_a_charge_that_succeeded(
    then: Event, odd: str
) -> None:
    """It stays what it was."""
    attempt = folded(FIRST, found(), then)
    assert attempt.odd == odd
    if odd:
        assert attempt.outcome is Outcome.SUCCEEDED
    assert folded(FIRST, found(**PENDING), found(status="disputed")).odd == ""


WAITS_AGAIN = later(found(**PENDING, by_id=True))


@pytest.mark.fault("B34", "L10")
@pytest.mark.parametrize(
    ("then", "shaken", "accepted"),
    [
        ([], True, False),
        ([found()], True, False),  # a copy from before
        ([found(by_id=True)], False, False),
        ([found(**TAKEN_BACK)], False, False),
        ([found(**DOWN)], False, False),
        ([found(**PENDING)], True, False),
        ([found(**PENDING, by_id=True)], True, False),
        ([said("accepted")], False, True),
        ([said("accepted"), WAITS_AGAIN], False, True),
        ([said("accepted"), found(status="disputed")], False, True),
        ([found(status="disputed")], False, False),  # another stop
        ([said("accepted"), found(by_id=True), WAITS_AGAIN], True, False),
    ],
)
def test_what_is_told_of_a_charge_that_succeeded_stays_until_it_is_as_it_was(
    then: list[Event], *, shaken: bool, accepted: bool
) -> None:
    """Or a person took note of it, as it was told then."""
    attempt = folded(FIRST, found(), WAITS_AGAIN, *then)
    assert (attempt.shaken, bool(attempt.accepted)) == (shaken, accepted)


@pytest.mark.fault("B34")
@pytest.mark.parametrize(
    ("before", "then", "status"),
    [
        ({}, found(**PENDING, by_id=True), "successful"),
        (DOWN, found(**PENDING), "failed"),
        (DOWN, found(**PENDING, by_id=True), "pending"),
        (PENDING, found(**DOWN), "failed"),
    ],
)
def test_which_picture_of_a_charge_is_the_older_one(
    before: dict[str, Any], then: Event, status: str
) -> None:
    """Of a list it may be; of its id only where it was paid."""
    attempt = folded(FIRST, found(**before), then)
    assert attempt.charge is not None and attempt.charge.status == status
    newer = folded(FIRST, found(**PENDING), found(**PENDING, authorize_uri="https://x"))
    assert newer.charge is not None and newer.charge.authorize_uri == "https://x"


@pytest.mark.fault("L6", "J04")
def test_a_charge_that_is_shown_ends_what_was_said_without_one() -> None:
    """A person's word that there is none; that it may be another, or was not shown by its id."""
    told = folded(FIRST, said("not-charged"), found())
    assert (told.closed_as, told.closed_why, told.code, told.message) == (
        "",
        "",
        "",
        "",
    )
    assert (told.refused, told.by_hand) == (False, "")
    unclear = event("unclear", charge_id="chrg_test_9")
    assert folded(FIRST, unclear).may_be == "chrg_test_9"
    assert folded(FIRST, unclear, found()).may_be == ""
    untold = event("untold", charge_id="chrg_test_1")
    assert folded(FIRST, found(), untold).untold == "chrg_test_1"
    assert folded(FIRST, found(), untold, found()).untold == "chrg_test_1"
    assert folded(FIRST, found(), untold, found(by_id=True)).untold == ""


@pytest.mark.fault("L6")
def test_a_charge_without_money_that_names_nobody_any_more_is_no_flaw() -> None:
    """It is the very one that was known to have ended; another one may be anybody's."""
    bare = {**DOWN, "metadata": {}}
    assert folded(FIRST, found(**DOWN), found("no key", **bare)).flaws == ()
    other = folded(FIRST, found("no key", **TWO, **bare))
    assert other.flaws == ("no key",)


@pytest.mark.fault("B31")
def test_a_person_names_the_charge_and_its_others_stay_beside_it() -> None:
    """Each once; with the word, and without one where it is all as asked."""
    both = [FIRST, found(), found(**TWO), gone("chrg_test_9")]
    named = folded(*both, said("charged", charge=shown(**TWO)))
    assert named.charge is not None and named.charge.id == "chrg_test_2"
    assert [one.charge.id for one in named.others] == ["chrg_test_1"]
    assert named.accepted and named.by_hand and named.missing_ns == 0
    alone = folded(FIRST, said("charged", charge=shown()))
    assert alone.by_hand and not alone.accepted
    odd = folded(FIRST, said("charged", charge=shown(amount=1), flaws=[WRONG]))
    assert odd.by_hand and odd.accepted
    before = folded(FIRST, found(), said("accepted"), said("charged", charge=shown()))
    assert before.by_hand and before.accepted
    taken = folded(adopted(WORD, []))
    assert taken.by_hand and taken.accepted == ""


# --- where an attempt stands


def seen_as(charge_id: str = "chrg_test_1", **changes: Any) -> ChargeSeen:
    found = charge_in(charge(id=charge_id, **changes))
    assert found is not None
    return found


PAID = seen_as()
TWIN = seen_as("chrg_test_2")
GIVEN_BACK = seen_as("chrg_test_2", refunded_amount=123450)
WAITS = seen_as("chrg_test_2", status="pending", paid=False)
ENDED = seen_as("chrg_test_2", status="failed", paid=False)
SEEN = TransferSeen(id="trsf_test_1", stands="created")
ODD = replace(SEEN, flaws=("it is 1.00 THB",))


def stands_as(
    charge: ChargeSeen | None = None, *others: ChargeSeen, **more: Any
) -> Attempt:
    """An attempt with this charge, and those beside it."""
    beside = tuple(map(Shown, others))
    return replace(Attempt(INTENT, adopted=False), charge=charge, others=beside, **more)


@pytest.mark.fault("B31", "L3", "J27")
@pytest.mark.parametrize(
    ("name", "attempt", "value"),
    [
        ("closed", stands_as(ENDED), True),
        ("closed", stands_as(ENDED, ENDED), True),
        ("closed", stands_as(ENDED, WAITS), False),  # it may take money yet
        ("closed", stands_as(withdrawn=True), True),
        ("closed", stands_as(PAID, withdrawn=True), False),
        ("stands", stands_as(), False),  # free to be sent
        ("stands", stands_as(ENDED), False),
        ("stands", stands_as(PAID), True),
        ("stands", stands_as(unproven_sends=frozenset({1})), True),
        ("is_told_429", stands_as(throttled=True), True),
        ("is_told_429", stands_as(PAID, throttled=True), False),
        ("is_told_429", stands_as(), False),
        ("share_differs", stands_as(PAID, transfer=ODD), True),
        ("share_differs", stands_as(PAID, transfer=SEEN), False),
        ("share_differs", stands_as(PAID), False),
        ("share_differs", stands_as(PAID, transfer=ODD, accepted="kim"), False),
        ("share_differs", stands_as(WAITS, transfer=ODD), False),
        (
            "cancelled",
            stands_as(refused=True, called_off="me: w", called_off_why="w"),
            "w",
        ),
        ("cancelled", stands_as(refused=True, closed_as="not-charged"), None),
        ("cancelled", stands_as(called_off="me: w", called_off_why="w"), None),
        ("vanished", stands_as(PAID, missing_ns=1), True),
        ("vanished", stands_as(PAID, missing_ns=1, accepted="kim"), False),
        ("vanished", stands_as(ENDED, missing_ns=1), False),
        ("vanished", stands_as(PAID), False),
        ("unaccounted", stands_as(ENDED, missing_ns=1), True),
        ("unaccounted", stands_as(ENDED, missing_ns=1, denied=True), False),
        ("unaccounted", stands_as(PAID, missing_ns=1), False),
        ("unaccounted", stands_as(ENDED), False),
        ("said_uncharged", stands_as(sends=1), True),
        ("said_uncharged", stands_as(sends=1, never_left=1), False),
        ("said_uncharged", stands_as(refused=True), True),
        ("said_uncharged", stands_as(PAID, sends=1), False),
        ("unconfirmed", stands_as(refused=True), True),
        ("unconfirmed", stands_as(refused=True, by_hand="a person"), False),
        ("unconfirmed", stands_as(sends=1, never_left=1), False),
        ("may_go_again", stands_as(), True),
        ("may_go_again", stands_as(unproven_sends=frozenset({1})), True),
        ("may_go_again", stands_as(unproven_sends=frozenset({1}), spent=True), False),
        ("may_go_again", stands_as(unproven_sends=frozenset({1}), reused=True), False),
        ("may_go_again", stands_as(reused=True), False),
        ("may_go_again", stands_as(withdrawn=True), False),
        ("charged_since_ns", stands_as(sent_ns=90_000 * 10**9), 3600 * 10**9),
        ("charged_since_ns", stands_as(sent_ns=80_000 * 10**9), 0),
        ("charged_since_ns", stands_as(sent_ns=90_000 * 10**9, reused=True), 0),
        ("further", stands_as(PAID, TWIN, WAITS, ENDED), (TWIN,)),
        ("money", stands_as(PAID), PAID),
        ("money", stands_as(PAID, anothers=True), None),
        ("money", stands_as(ENDED, flaws=("x",)), None),
        ("money", stands_as(WAITS, flaws=("x",)), None),
        ("money", stands_as(PAID, flaws=("x",)), PAID),
        ("placed", stands_as(), True),
    ],
)
def test_where_an_attempt_stands(name: str, attempt: Attempt, value: object) -> None:
    """By its charges and by what was said of it."""
    assert getattr(attempt, name) == value


HALF_BACK = seen_as("chrg_test_2", refunded_amount=61725)


@pytest.mark.fault("B31", "J31")
@pytest.mark.parametrize(
    "attempt, is_doubled",
    [
        (stands_as(PAID, TWIN), True),
        (stands_as(PAID, GIVEN_BACK), False),
        (stands_as(PAID, HALF_BACK), True),
        (stands_as(seen_as(refunded_amount=61725), HALF_BACK), False),
        (stands_as(seen_as(refunded_amount=61724), HALF_BACK), True),
        (stands_as(seen_as(refunded_amount=999_999), TWIN), True),  # cannot be
        (stands_as(WAITS, PAID), False),  # one of them took none
        (stands_as(PAID, WAITS), False),
        (stands_as(PAID, TWIN, accepted="kim"), False),
        (stands_as(None, PAID, TWIN), True),
        (stands_as(seen_as(amount="?"), TWIN), True),  # nobody knows how much
        (stands_as(seen_as(captured_amount=100), TWIN), True),
        (stands_as(seen_as(captured_amount=61725), HALF_BACK), False),
    ],
)
def test_a_double_is_what_is_left_of_all_of_it_beyond_what_was_asked(
    attempt: Attempt, is_doubled: bool
) -> None:
    assert doubled(attempt) is is_doubled


@pytest.mark.fault("J11")
@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"flaws": ()}, False),
        ({"strangers": frozenset()}, False),
        ({"charge": TWIN}, False),
        ({"charge": None}, False),
    ],
)
def test_a_charge_is_known_as_anothers_where_that_is_what_is_wrong(
    changes: dict[str, Any], *, known: bool
) -> None:
    told = stands_as(PAID, flaws=("whose",), strangers=frozenset({"chrg_test_1"}))
    assert replace(told, **changes).is_known_as_anothers("chrg_test_1") is known


@pytest.mark.fault("J27", "L6")
@pytest.mark.parametrize(
    ("said", "denied"), [("not-charged", True), ("cancelled", False)]
)
def test_a_person_who_looked_and_found_no_charge_is_believed(
    said: str, *, denied: bool
) -> None:
    """No answer takes that word back."""
    word = event("resolved", **{"as": said}, reason="looked", by="me")
    attempt = folded(FIRST, word)
    assert (attempt.denied, attempt.closed) == (denied, True)


@pytest.mark.fault("B16", "L7")
@pytest.mark.parametrize(
    ("changes", "intent", "answered", "nothing"),
    [
        ({}, {}, False, True),
        ({"status": "expired"}, {}, False, True),
        ({"status": "successful"}, {}, False, False),
        ({"paid": True}, {}, False, False),
        ({"amount": "x"}, {}, False, False),  # not all of it can be read
        ({"metadata": 5}, {}, True, True),  # but for whom it names
        ({"metadata": {}}, {}, False, False),
        ({"metadata": {}}, {}, True, True),
        ({"metadata": {}, "amount": 1}, {}, True, False),
        ({"amount": 1}, {}, False, True),  # it carries the key
        ({"livemode": True}, {}, False, False),
        ({"id": "chrg_1", "livemode": True}, {}, False, True),
        ({"id": "chrg_1", "livemode": True}, {"mode": "test"}, False, False),
        ({"id": "chrg_1", "livemode": True}, {"mode": "live"}, False, True),
        ({}, {"mode": "live"}, False, False),
        ({"id": "any text"}, {}, False, False),
        ({"id": "any text"}, {"mode": "test"}, False, False),
    ],
)
def test_what_certainly_took_nothing(
    changes: dict[str, Any], intent: dict[str, str], *, answered: bool, nothing: bool
) -> None:
    """It ended, it is of the mode, all of it can be read, and it is the attempt's."""
    ended = charge_in(charge(**{"status": "failed", "paid": False, **changes}))
    assert ended is not None
    asked = replace(INTENT, **{"mode": "", **intent})
    assert took_nothing(ended, asked, answered=answered) is nothing


@pytest.mark.fault("B15", "L7")
@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"livemode": True}, "livemode: asked False, got True"),
        ({"captured_amount": 5}, "captured_amount: asked 1234.50 THB, got 0.05 THB"),
        ({"destination": "r2"}, "destination: asked recp_test_1, got r2"),
        ({"paid": False}, "paid: asked true for a successful charge, got False"),
        (
            {"metadata": {"batchpay_key": "k"}},
            f"metadata[batchpay_key]: asked {INTENT.key}, got k",
        ),
    ],
)
def test_how_a_charge_differs_is_named_with_what_was_asked(
    changes: dict[str, Any], flaw: str
) -> None:
    found = charge_in(charge(**changes))
    assert found is not None and flaw in flaws_of(found, INTENT, live=False)


@pytest.mark.fault("J15", "L7")
@pytest.mark.parametrize(
    ("asked", "got", "flaws"),
    [
        ({}, {}, ()),
        ({"fee_fixed": 500}, {"platform_fee_fixed": 500, "platform_fee": 500}, ()),
        (
            {"fee_fixed": 500},
            {},
            (
                "platform_fee[fixed]: asked 5.00 THB, got none",
                "platform_fee[amount]: asked 5.00 THB, got none",
            ),
        ),
        (
            {"fee_percentage": "2.5"},
            {"platform_fee_percentage": "2.50", "platform_fee": 3087},  # of 3086.25
            (),
        ),
        (
            {"fee_percentage": "2.5"},
            {"platform_fee_percentage": "x", "platform_fee": 3085},
            (
                "platform_fee[percentage]: asked 2.5 %, got -1 %",
                "platform_fee[amount]: asked 30.8625 THB, got 30.85 THB",
            ),
        ),
        (
            {},
            {"platform_fee_percentage": "NaN"},
            ("platform_fee[percentage]: asked 0 %, got -1 %",),
        ),
    ],
)
def test_a_commission_is_as_asked_or_told_part_by_part(
    asked: dict[str, Any], got: dict[str, Any], flaws: tuple[str, ...]
) -> None:
    """The amount within the rounding of both."""
    charge_ = replace(PAID, **got)
    assert fee_flaws_of(charge_, replace(INTENT, **asked)) == flaws


@pytest.mark.parametrize(
    ("key", "well"),
    [
        (INTENT.key, True),
        ("", False),
        (f"{INTENT.key}0", False),
        (INTENT.key.upper(), False),
    ],
)
def test_which_keys_are_ones_that_a_job_makes(key: str, *, well: bool) -> None:
    """Whichever job and order."""
    assert has_key(seen_as(metadata={"batchpay_key": key})) is well
    assert not has_key(seen_as(metadata={}))


# --- the report


def codes(*findings: Any) -> dict[tuple[str, str], int]:
    return dict(counted(*findings).codes)


def test_codes_are_the_rules_of_rejected_rows_and_the_gateways_of_the_others() -> None:
    """What report.json counts: every rule of a rejected row, one code of a declined or refused one,
    none of a good.
    """
    declined = one(
        FIRST,
        answer_event(1, status="failed", paid=False, failure_code="insufficient_fund"),
    )
    turned = one(
        FIRST, event("answer", 1, verdict="refused", code="bad_request", message="no")
    )
    twice = replace(PROBLEM, label="unknown-currency")
    assert codes(declined) == {("declined", "insufficient_fund"): 1}
    assert codes(turned, turned) == {("refused", "bad_request"): 2}
    assert codes(one(problems=(PROBLEM, twice))) == {
        ("rejected", "number-format"): 1,
        ("rejected", "unknown-currency"): 1,
    }
    assert codes(one(FIRST, answer_event(1)), one()) == {}
    assert codes(one(FIRST, answer_event(1), problems=(PROBLEM,))) == {}


@pytest.mark.fault("J13", "J14")
def test_an_edited_job_makes_no_charged_row_unproven() -> None:
    """What was charged keeps its outcome, whatever its row asks now; only an adopted charge is held
    against its row.
    """
    other = {**CHANGED, "amount": 5, "destination": "recp_test_9"}
    assert one(FIRST, answer_event(1), document=other).outcome is Outcome.SUCCEEDED
    assert one(FIRST, DECLINED, document=other).outcome is Outcome.DECLINED
    assert one(ADOPTED, document=other).outcome is Outcome.UNPROVEN
    assert one(ADOPTED, document={}).outcome is Outcome.SUCCEEDED


def test_an_address_to_pay_at_is_given_while_somebody_may_still_pay() -> None:
    """Not with a charge that has ended, and not where the gateway gave none."""
    pending = {"status": "pending", "paid": False}
    assert one(
        FIRST, answer_event(1, **pending, authorize_uri="https://pay.example/1")
    ).authorize_uri
    assert one(FIRST, answer_event(1, **pending)).authorize_uri == ""
    assert (
        one(FIRST, answer_event(1, authorize_uri="https://pay.example/1")).authorize_uri
        == ""
    )
    assert one(FIRST).authorize_uri == one().authorize_uri == ""


@pytest.mark.parametrize(
    "data, reason",
    [
        ({"message": "m", "code": "c"}, "m"),
        ({"code": "c"}, "c"),
        ({}, "it was not sent"),
    ],
)
def test_what_was_not_charged_says_why_not(data: dict[str, str], reason: str) -> None:
    """The gateway's words, else its code, else that it was not sent."""
    assert (
        one(FIRST, event("answer", 1, verdict="not_sent", **data)).reason
        == f"nothing was charged yet ({reason})"
    )


@pytest.mark.fault("I2")
def test_totals_are_the_same_in_any_order_of_rows() -> None:
    """What is kept and what is shown comes by currency, not by chance."""
    thb = one(FIRST, answer_event(1))
    usd = replace(
        thb, currency="USD", charged_currency="USD", charged_amount=7, amount=7
    )
    refunded = replace(
        thb, currency="AUD", charged_currency="AUD", charged_amount=0, amount=0
    )
    one_way, other_way = counted(usd, thb, refunded), counted(refunded, thb, usd)
    assert (
        list(one_way.money_moved()) == list(other_way.money_moved()) == ["THB", "USD"]
    )
    assert one_way.to_json() == other_way.to_json()
    assert [e.currency for e in one_way.equations()] == [
        e.currency for e in other_way.equations()
    ]
    assert [e.currency for e in one_way.equations() if "amounts" in e.name] == [
        "AUD",
        "THB",
        "USD",
    ]
    assert one_way.recipients == {
        ("recp_test_1", "THB"): 123450,
        ("recp_test_1", "USD"): 7,
        ("recp_test_1", "AUD"): 0,
    }
    assert set(one_way.recipient_counts.values()) == {1}


def test_money_that_did_not_move_is_in_no_sum_of_money() -> None:
    """A pending, declined or held row has an amount asked and none charged."""
    rows = [
        one(),
        one(FIRST),
        one(FIRST, DECLINED),
        one(FIRST, answer_event(1, status="pending", paid=False)),
    ]
    totals = counted(*rows)
    assert (totals.charged, totals.recipients, totals.money_moved()) == ({}, {}, {})
    assert not any("amounts" in equation.name for equation in totals.equations())
    assert totals.sums["THB", "declined"] == 123450
    assert Totals.from_json(totals.to_json()) == totals


# --- limits


@pytest.mark.fault("H03")
def test_only_what_the_job_maps_is_held_against_its_mode() -> None:
    """A fixed value is looked at like a column; a field the job does not have is not."""
    check = mode_check(
        "test",
        Columns(
            {"destination": FromColumn("Shop"), "customer": FromValue("cust_1")}, {}
        ),
    )
    found = check([{"destination": "recp_1", "customer": "cust_1", "card": "card_1"}])
    assert [problem.rule for problem in found[0]] == ["other-mode", "other-mode"]
    assert [problem.column for problem in found[0]][:1] == ["Shop"]


@pytest.mark.fault("H01")
def test_a_row_that_cannot_be_read_is_named_with_its_sheet() -> None:
    """The first of them; how many more there are is counted."""
    counted_ = tally(paid(100), {"order_id": "A"}, {"order_id": "B"}, bad=[1, 2])
    assert "the amount of row 3 and 1 more cannot be read" in refused(
        counted_, total={"THB": 100}
    )
    single = tally(paid(100), {"order_id": "A"}, bad=[1])
    assert "the amount of row 3 cannot be read" in refused(single, total={"THB": 100})


@pytest.mark.fault("H04")
@pytest.mark.parametrize("code", ["thb", "THB"])
def test_a_limit_of_a_run_fits_its_currency_however_it_is_written(code: str) -> None:
    """At the limit a run goes, one satang above it does not; a currency without a limit has
    none.
    """
    assert (
        run_refusal({code: 100}, {"thb": 100})
        == run_refusal({code: 100}, {"THB": 100})
        == ()
    )
    (told,) = map(str, run_refusal({code: 101}, {"Thb": 100}))
    assert (
        "The plan would charge 1.01 THB, [controls] max_total allows 1.00 THB" in told
    )
    assert (
        run_refusal({code: 10**9}, {"usd": 1}) == run_refusal({code: 10**9}, None) == ()
    )
    both = " ".join(
        map(str, run_refusal({"usd": 2, code: 101}, {"thb": 100, "usd": 1}))
    )
    assert both.index("THB") < both.index("USD")
    assert both.count("max_total allows") == 2


@pytest.mark.fault("H04")
def test_an_order_at_the_limit_goes_and_one_above_it_is_rejected() -> None:
    """To the satang, by currency."""
    check = max_amount_check({"THB": 100, "jpy": 5}, COLUMNS)
    found = check(
        [
            paid(100),
            paid(101),
            paid(5, "jpy"),
            paid(6, "jpy"),
            paid(10**9, "usd"),
            {"order_id": "A"},
        ]
    )
    assert list(found) == [1, 3]
    (problem,) = found[1]
    assert (problem.column, problem.rule, problem.value) == (
        "Amount",
        "above-max-amount",
        "1.01 THB",
    )
    assert "at most 1.00 THB an order" in problem.remedy


@pytest.mark.fault("H03")
@pytest.mark.parametrize(
    "mode, text, other", [("test", "recp_1", "live"), ("live", "recp_test_1", "test")]
)
def test_a_recipient_of_the_other_mode_is_told_with_both_modes(
    mode: Any, text: str, other: str
) -> None:
    """Which mode it is of, and which the job runs in."""
    ((problem,),) = mode_check(mode, COLUMNS)([{"destination": text}]).values()
    assert (problem.column, problem.value) == ("Shop", text)
    assert problem.remedy == f"it is of {other} mode, but the job runs in {mode} mode"


@pytest.mark.fault("H01")
def test_the_first_row_that_cannot_be_read_is_the_first_in_the_file() -> None:
    """In whatever order its problems were found."""
    total = tally(
        paid(100),
        {"order_id": "A"},
        {"order_id": "B"},
        {"order_id": "C"},
        bad=[3, 2, 1],
    )
    assert "the amount of row 3 and 2 more cannot be read" in refused(
        total, total={"THB": 100}
    )


@pytest.mark.fault("H01")
@pytest.mark.parametrize(
    "data, found",
    [
        (b"[", "is not strict JSON"),
        (b"{}", "must be an object with count, total or both"),
        (b'{"count": -1}', "has the count -1, not a whole number of rows"),
        (b'{"total": {"THB": 1}}', "must give the total as text per currency"),
        (b'{"total": ["THB"]}', "must give the total as text per currency"),
        (b'{"total": {"THB": "1,2"}}', "has the total 1,2 THB: write"),
        (
            b'{"total": {"THB": "1", "thb": "1"}}',
            "has two totals or a negative one for THB",
        ),
        (b'{"total": {"THB": "-1"}}', "has two totals or a negative one for THB"),
    ],
)
def test_a_doubtful_totals_file_is_named_first(data: bytes, found: str) -> None:
    """Its name, what was found, and what to do."""
    with pytest.raises(FileRefused) as refusal:
        parse_totals(data, "orders.csv.totals.json")
    told = str(refusal.value)
    assert told.startswith(f"orders.csv.totals.json {found}"), told
    assert "correct it and send it again with the file" in told


def test_a_total_of_nothing_is_a_total() -> None:
    """Zero rows and zero baht may be declared."""
    assert parse_totals(b'{"count": 0, "total": {"THB": "0"}}') == (0, {"THB": 0})


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ("of whom: chrg_test_1", "of whom: chrg_test_1, chrg_test_2", 1),
        ("of whom: chrg_test_1", "for what: chrg_test_1, chrg_test_2", 2),
        ("of whom: chrg_test_1, chrg_test_2", "of whom: chrg_test_1", 2),
        (
            "of whom: chrg_test_1, a word",
            "of whom: chrg_test_1, a word, chrg_test_2",
            2,
        ),
        ("of whom: chrg_test_1", "of whom: chrg_test_1", 1),
    ],
)
def test_a_stop_takes_the_place_of_one_that_names_fewer_of_its_charges(
    first: str, then: str, told: int
) -> None:
    """And of no other: what a person has not lifted stays told."""
    events = [
        Event("stop", at, data={"reason": why})
        for at, why in enumerate((first, then), 1)
    ]
    assert len(stop_in_force(events).split(AND_ALSO)) == told
    assert (
        stop_in_force(
            [*events, Event("lifted", 3, data={"reason": "seen", "by": "me"})]
        )
        == ""
    )
