"""What a row is, and what may become of it: the one decision, every branch of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain.model import Outcome, Problem, Repeat, StoredChunk
from batchpay.gateways.omise.objects import charge_in
from batchpay.job.job import MAX_ATTEMPTS, Fee
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.going import Going, held_beside
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.payers import content_of, payer_of, single_use_of
from batchpay.lifecycle.places import by_order, place_of
from batchpay.lifecycle.rows import (
    Cancellation,
    Cancelled,
    ConflictWith,
    DuplicateOf,
    Elsewhere,
    Guards,
    History,
    MayGo,
    Near,
    Owns,
    Rejected,
    Renamed,
    RepeatOf,
    Row,
    Standing,
    Unnamed,
    Waits,
    is_sendable,
    rows_of,
)
from batchpay.lifecycle.sale_terms import fitting_terms_in, terms_of
from batchpay.lifecycle.sales import owner_of, settled_by
from batchpay.lifecycle.standing import stand
from batchpay.lifecycle.terms import (
    are_strangers,
    asks_the_same,
    contradicts,
    is_a_strangers,
    is_to_the_letter,
    same_terms,
)
from batchpay.lifecycle.unclaimed import Nameless
from batchpay.messages.message import plain, worded
from batchpay.reconciliation.findings import who_acts_for
from tests.test_lifecycle import (
    BATCH,
    DECLINED,
    DOCUMENT,
    FIRST,
    INTENT,
    OTHER,
    answer_event,
    charge,
    event,
)

CHANGED = {**DOCUMENT, "card": "tokn_test_2"}
PROBLEM = Problem("Amount", "1,2", plain("write 12"), "number-format")
VOIDED = event("voided", 1)
ABSENT = event("absent", 1, boot_id="b", boot_s=1.0, closes=True)
PAID = answer_event(1)
BY_HAND = event("resolved", **{"as": "cancelled"}, reason="wrong shop", by="me")
BY_ME = "me on 1970-01-01T00:00:00Z: wrong shop"
WITHDRAWN = event("withdrawn")
PLACED = event(
    "adopted",
    charge=PAID.data["charge"],
    intent={**FIRST.data["intent"], "content": ""},
)
ADOPTED = replace(PLACED, row=0)  # made by a version that did not tell of which row
ADOPTED_DECLINED = replace(
    ADOPTED, data={**ADOPTED.data, "charge": DECLINED.data["charge"]}
)
TWICE = Repeat(Outcome.DUPLICATE, plain("as row 2"), "", 2)
CONTESTED = Repeat(Outcome.CONFLICT, plain("row 3 differs"))
LOOKS_ALIKE = Repeat(
    Outcome.CONFLICT, plain("row 3 has its id without zeros"), alone=True
)
TOKEN_TWICE = Repeat(Outcome.REJECTED, plain("token-twice"))


def history(*events: Any, **more: Any) -> History:
    """What a journal with these events of order 0001 knows; its first attempt is of row 2 of
    BATCH.
    """
    attempts = fold(events)
    return History(
        {"0001": attempts} if attempts else {},
        {2: ("0001",)} if attempts else {},
        **more,
    )


def other(document: dict[str, Any] = DOCUMENT, **changes: Any) -> Row:
    """A row of another file than the one whose row 2 asked first."""
    return Row(OTHER, "", 9, document, **changes)


def mine(document: dict[str, Any] = DOCUMENT, **changes: Any) -> Row:
    """The row that asked first."""
    return Row(BATCH, "", 2, document, **changes)


def beside(document: dict[str, Any] = DOCUMENT, **changes: Any) -> Row:
    """Another row of the same file."""
    return Row(BATCH, "", 3, document, **changes)


def second(*events: Any, batch: str = OTHER) -> list[Any]:
    """Events of attempt 2, asked by row 9 of another file."""
    key = INTENT.key[:-1] + "0"
    intent = {**FIRST.data["intent"], "key": key}
    first = replace(
        FIRST, attempt=2, batch_id=batch, row=9, data={**FIRST.data, "intent": intent}
    )
    return [first, *(replace(one, attempt=2, batch_id=batch, row=9) for one in events)]


FREE = Guards()
WITH_ITS_FILE = Guards(present=frozenset({BATCH, OTHER}))


@pytest.mark.fault("E03", "E04", "E05", "J13")
@pytest.mark.parametrize(
    "row, events, guards, kind, sent",
    [
        # nobody asked yet
        (other(), [], FREE, MayGo, True),
        (other(repeat=TWICE), [], FREE, RepeatOf, False),
        (other(repeat=CONTESTED), [], FREE, ConflictWith, False),
        (other(repeat=TOKEN_TWICE), [], FREE, Rejected, False),
        (other(problems=(PROBLEM,)), [], FREE, Rejected, False),
        (other(problems=(PROBLEM,), repeat=CONTESTED), [], FREE, Rejected, False),
        # an attempt in doubt
        (mine(), [FIRST], FREE, Owns, True),
        (mine(CHANGED), [FIRST], FREE, Owns, False),
        (mine(problems=(PROBLEM,)), [FIRST], FREE, Owns, False),
        (beside(), [FIRST], FREE, DuplicateOf, False),
        (other(), [FIRST], FREE, DuplicateOf, True),
        (other(), [FIRST], WITH_ITS_FILE, DuplicateOf, False),
        (other(repeat=TWICE), [FIRST], FREE, DuplicateOf, False),
        (other(CHANGED), [FIRST], FREE, ConflictWith, False),
        (other(CHANGED, comeback=True), [FIRST], FREE, ConflictWith, False),
        # proven not charged
        (mine(), [FIRST, VOIDED], FREE, Owns, True),
        (mine(), [FIRST, ABSENT], FREE, Owns, True),
        (mine(CHANGED), [FIRST, VOIDED], FREE, MayGo, True),
        (mine(problems=(PROBLEM,)), [FIRST, VOIDED], FREE, Rejected, False),
        (mine(repeat=CONTESTED), [FIRST, VOIDED], FREE, ConflictWith, False),
        (mine(repeat=TOKEN_TWICE), [FIRST, VOIDED], FREE, Rejected, False),
        (mine(repeat=TWICE), [FIRST, VOIDED], FREE, Owns, True),
        (other(), [FIRST, VOIDED], FREE, DuplicateOf, True),
        (other(), [FIRST, VOIDED], WITH_ITS_FILE, DuplicateOf, False),
        (other(CHANGED), [FIRST, VOIDED], FREE, MayGo, True),
        (other(CHANGED), [FIRST, VOIDED], WITH_ITS_FILE, ConflictWith, False),
        (other(CHANGED, repeat=TWICE), [FIRST, VOIDED], FREE, RepeatOf, False),
        (beside(CHANGED), [FIRST, VOIDED], WITH_ITS_FILE, MayGo, True),
        (mine(CHANGED), [FIRST, VOIDED, WITHDRAWN], FREE, MayGo, True),
        (mine(), [FIRST, VOIDED, WITHDRAWN], FREE, MayGo, True),
        (other(), [FIRST, VOIDED, WITHDRAWN], FREE, MayGo, True),
        # charged, or may be
        (mine(), [FIRST, PAID], FREE, Owns, False),
        (mine(problems=(PROBLEM,)), [FIRST, PAID], FREE, Owns, False),
        (beside(), [FIRST, PAID], FREE, DuplicateOf, False),
        (other(comeback=True), [FIRST, PAID], FREE, DuplicateOf, False),
        (other(CHANGED), [FIRST, PAID], FREE, ConflictWith, False),
        # took no money
        (mine(), [FIRST, DECLINED], FREE, Owns, False),
        (other(), [FIRST, DECLINED], FREE, DuplicateOf, False),
        (other(comeback=True), [FIRST, DECLINED], FREE, MayGo, True),
        (other(CHANGED), [FIRST, DECLINED], FREE, MayGo, True),
        (other(CHANGED, repeat=TWICE), [FIRST, DECLINED], FREE, RepeatOf, False),
        (beside(CHANGED, comeback=True), [FIRST, DECLINED], FREE, ConflictWith, False),
        (beside(comeback=True), [FIRST, DECLINED], FREE, DuplicateOf, False),
        # a second attempt beside it
        (mine(), [FIRST, DECLINED, *second(PAID)], FREE, Owns, False),
        (mine(), [FIRST, VOIDED, *second(PAID)], FREE, ConflictWith, False),
        (mine(), [FIRST, *second(PAID)], FREE, Owns, False),
        (
            other(CHANGED, comeback=True),
            [FIRST, VOIDED, *second(VOIDED, batch="2026-11-26-aaaaaaaaaaaa")],
            FREE,
            ConflictWith,
            False,
        ),
        (
            Row("2026-11-27-cccccccccccc", "", 4, DOCUMENT),
            [FIRST, VOIDED, *second(VOIDED)],
            FREE,
            DuplicateOf,
            False,
        ),
        # a person's word
        (mine(), [FIRST, VOIDED, BY_HAND], FREE, Owns, False),
        (
            other(CHANGED, comeback=True),
            [FIRST, VOIDED, BY_HAND],
            FREE,
            Cancelled,
            False,
        ),
        # found at the gateway, made by a journal that is gone
        (mine(), [ADOPTED], FREE, Owns, False),
        (beside(), [ADOPTED], FREE, Owns, False),
        (beside(repeat=TWICE), [ADOPTED], FREE, DuplicateOf, False),
        (mine(repeat=CONTESTED), [ADOPTED], FREE, ConflictWith, False),
        (mine(repeat=LOOKS_ALIKE), [ADOPTED], FREE, Owns, False),
        (mine({**DOCUMENT, "amount": 5}), [ADOPTED], FREE, Owns, False),
        (mine(repeat=CONTESTED), [PLACED], FREE, Owns, False),
        (mine(repeat=TWICE), [PLACED], FREE, Owns, False),
        (beside(), [PLACED], FREE, DuplicateOf, False),
        (other(), [ADOPTED], FREE, DuplicateOf, False),
        (other({**DOCUMENT, "amount": 5}), [ADOPTED], FREE, ConflictWith, False),
        (other({**DOCUMENT, "amount": 5}), [ADOPTED_DECLINED], FREE, MayGo, True),
        (other(), [ADOPTED_DECLINED], FREE, DuplicateOf, False),
    ],
)
def test_what_a_row_is(
    row: Row, events: list[Any], guards: Guards, kind: type, sent: bool
) -> None:
    """Ownership, coming back, what was planned and never charged; and whether
    a run sends it.
    """
    standing = stand(row, history(*events), guards)
    assert (type(standing), is_sendable(standing)) == (kind, sent), standing


def test_every_outcome_of_its_own_attempt_is_shown_by_a_row_and_named_by_its_double() -> (
    None
):
    """However the row reads by now, and whatever holds others back."""
    for status, outcome in (
        ("successful", Outcome.SUCCEEDED),
        ("pending", Outcome.PENDING),
        ("failed", Outcome.DECLINED),
        ("expired", Outcome.EXPIRED),
        ("reversed", Outcome.REVERSED),
    ):
        known = history(
            FIRST, answer_event(1, status=status, paid=status == "successful")
        )
        for guards in (
            FREE,
            Guards(refusal="r", stop="s", barred={"recp_test_1": "b"}),
        ):
            shown = stand(mine(), known, guards)
            double = stand(beside(), known, guards)
            assert isinstance(shown, Owns) and shown.attempt.outcome is outcome
            assert isinstance(double, DuplicateOf) and double.attempt is shown.attempt


def test_who_owns_an_order() -> None:
    """The row of the first intent owns it, even when the row now maps to another id."""
    known = history(FIRST)
    assert owner_of(known, BATCH, "", 2, "0001")
    assert owner_of(known, BATCH, "", 2, "another id")
    assert owner_of(known, BATCH, "", 3, "0001") is None
    assert owner_of(known, BATCH, "s", 2, "0001") is None
    assert owner_of(known, OTHER, "", 2, "0001") is None


@pytest.mark.fault("J13", "L11")
def test_of_two_attempts_of_one_row_the_last_is_shown_unless_one_is_in_doubt() -> None:
    """An adopted charge of its batch beside its own attempt: what nobody knows yet is not hidden
    behind a success.
    """
    again = replace(ADOPTED, attempt=2, data={**ADOPTED.data, "beside": True})
    shown = owner_of(history(FIRST, VOIDED, again), BATCH, "", 2, "0001")
    assert shown and shown.outcome is Outcome.SUCCEEDED
    doubt = owner_of(history(FIRST, again), BATCH, "", 2, "0001")
    assert doubt and doubt.outcome is Outcome.IN_DOUBT


@pytest.mark.fault("I3", "J11")
def test_a_row_shows_the_charge_of_its_own_id_whatever_was_written_into_it_since() -> (
    None
):
    """Somebody gave the charge another order's id and key at the gateway, and it was taken over
    under that one, too, for the same row.
    """
    own = fold([FIRST, PAID])
    anothers = fold([replace(PLACED, order_id="0002")])
    asked = replace(anothers[0].intent, order_id="0002")
    both = {"0001": own, "0002": (replace(anothers[0], intent=asked),)}
    known = History(both, {2: ("0001", "0002")})
    shown = owner_of(known, BATCH, "", 2, "0001")
    assert shown and shown.intent.order_id == "0001"
    renamed = owner_of(known, BATCH, "", 2, "0002")
    assert renamed and renamed.intent.order_id == "0002"
    under_neither = owner_of(known, BATCH, "", 2, "0003")
    assert under_neither and under_neither.intent.order_id == "0002"


@pytest.mark.fault("J13", "I2")
def test_an_attempt_that_was_withdrawn_and_had_been_charged_is_what_its_row_came_to() -> (
    None
):
    """Not the next one, which was declined: nobody would see the money."""
    declined = replace(DECLINED, attempt=2)
    found = event("found", charge=PAID.data["charge"])
    next_one = [replace(one, row=2) for one in second(batch=BATCH)]
    known = history(FIRST, VOIDED, WITHDRAWN, *next_one, declined, found)
    standing = stand(mine(), known, FREE)
    assert isinstance(standing, Owns) and not standing.resumes
    assert standing.attempt.intent.attempt == 1
    assert standing.attempt.outcome is Outcome.SUCCEEDED


@pytest.mark.fault("J13", "E12", "I2")
def test_a_row_shows_its_withdrawn_attempt_although_the_next_one_waits_to_go() -> None:
    """Another journal sent it. The next one, planned in its place by an edited job and never
    charged, made the row a conflict with itself.
    """
    intent = {**FIRST.data["intent"], "attempt": 2, "content": "as the job is now"}
    planned = replace(FIRST, attempt=2, data={**FIRST.data, "intent": intent})
    found = event("found", charge=PAID.data["charge"])
    waits = replace(VOIDED, attempt=2)
    known = history(FIRST, VOIDED, WITHDRAWN, planned, waits, found)
    for document in (DOCUMENT, CHANGED):
        shown = stand(mine(document), known, FREE)
        assert isinstance(shown, Owns) and not shown.resumes
        assert shown.attempt.outcome is Outcome.SUCCEEDED
    assert isinstance(stand(other(), known, FREE), DuplicateOf)


def test_an_adopted_charge_knows_its_batch_and_its_terms_only() -> None:
    """It is owned by any row of its batch; a payer that it does not tell, or a token, is nobody's
    contradiction.
    """
    known = history(ADOPTED)
    assert (
        owner_of(known, BATCH, "", 9, "0001")
        and owner_of(known, OTHER, "", 2, "0001") is None
    )

    def told(payer: str) -> Standing:
        kept = {**ADOPTED.data["intent"], "payer": payer}
        return stand(
            other(),
            history(replace(ADOPTED, data={**ADOPTED.data, "intent": kept})),
            FREE,
        )

    assert isinstance(told(""), DuplicateOf) and isinstance(
        told("tokn_test_1"), DuplicateOf
    )
    customer = {**DOCUMENT, "customer": "cust_test_1", "card": "card_test_7"}
    for payer, kind in (("cust_test_1", DuplicateOf), ("cust_test_2", ConflictWith)):
        kept = {**ADOPTED.data["intent"], "payer": payer}
        known = history(replace(ADOPTED, data={**ADOPTED.data, "intent": kept}))
        assert isinstance(stand(other(customer), known, FREE), kind)


@pytest.mark.fault("L11", "J13")
def test_a_charge_that_is_not_decided_contradicts_no_row_yet() -> None:
    """A person could say nothing of it; once it has taken the money, they are asked."""
    waits = {**ADOPTED.data, **answer_event(1, status="pending", paid=False).data}
    other_terms = mine({**DOCUMENT, "amount": 5})
    shown = stand(other_terms, history(replace(ADOPTED, data=waits)), FREE)
    assert isinstance(shown, Owns) and not (shown.contradicts or shown.resumes)
    assert shown.attempt.outcome is Outcome.PENDING
    decided = stand(other_terms, history(ADOPTED), FREE)
    assert isinstance(decided, Owns) and decided.contradicts


@pytest.mark.fault("L11")
def test_an_adopted_charge_whose_terms_the_row_denies_is_a_contradiction() -> None:
    """The run ends and a person looks; a row that broke a rule denies nothing."""
    denied = stand(mine({**DOCUMENT, "amount": 5}), history(ADOPTED), FREE)
    assert isinstance(denied, Owns) and denied.contradicts
    assert (
        denied.attempt.outcome is Outcome.UNPROVEN
        and "other terms" in denied.attempt.why_unproven
    )
    for quiet in (
        mine(),
        mine({**DOCUMENT, "amount": 5}, problems=(PROBLEM,)),
        mine({}),
    ):
        standing = stand(quiet, history(ADOPTED), FREE)
        assert isinstance(standing, Owns) and not standing.contradicts


@pytest.mark.fault("J13")
def test_what_was_planned_and_never_charged_is_withdrawn_before_the_next() -> None:
    """The next attempt has the next number and knows whom to withdraw, whoever asks for it."""
    ready = fold([FIRST, VOIDED])[0]
    for row in (mine(CHANGED), beside(CHANGED), other(CHANGED)):
        assert stand(row, history(FIRST, VOIDED), FREE) == MayGo(2, (ready,), ready)
    withdrawn = fold([FIRST, VOIDED, WITHDRAWN])
    assert stand(mine(CHANGED), history(FIRST, VOIDED, WITHDRAWN), FREE) == MayGo(
        2, withdrawn
    )


@pytest.mark.fault("J13")
def test_a_row_that_now_asks_for_another_order_withdraws_what_it_asked_first() -> None:
    """An edited job maps it to another id: its first order, never charged, must not go as well."""
    ready = fold([FIRST, VOIDED])[0]
    standing = stand(
        mine({**DOCUMENT, "order_id": "0777"}), history(FIRST, VOIDED), FREE
    )
    assert standing == MayGo(1, (), ready)


def test_the_next_attempt_has_the_next_number_and_knows_those_before() -> None:
    """A try after a decline is a new attempt; all that were made are asked about before it goes
    (J04).
    """
    declined = fold([FIRST, DECLINED])
    assert stand(other(CHANGED), history(FIRST, DECLINED), FREE) == MayGo(2, declined)


@pytest.mark.fault("B31", "I7")
def test_a_declined_order_with_a_second_charge_under_its_key_does_not_come_back() -> (
    None
):
    """The twin may have taken the money, or may yet: whoever lifts the stop does not thereby pay
    twice.
    """
    twin = charge_in(charge(id="chrg_test_2", status="pending", paid=False))
    assert twin
    known = history(FIRST, DECLINED, event("found", charge=twin.to_json()))
    assert isinstance(stand(other(CHANGED, comeback=True), known, FREE), ConflictWith)
    assert isinstance(
        stand(other(CHANGED, comeback=True), history(FIRST, DECLINED), FREE), MayGo
    )


@pytest.mark.fault("L3", "L11")
@pytest.mark.parametrize("events", [[FIRST, DECLINED], [FIRST, VOIDED]])
def test_attempts_end_where_keys_are_no_longer_looked_for(events: list[Any]) -> None:
    """Twenty keys of an order are recomputed from a list: a twenty-first would not be
    recognised.
    """
    last = replace(fold(events)[0], intent=replace(INTENT, attempt=MAX_ATTEMPTS))
    known = replace(history(), attempts={"0001": (last,)})
    assert isinstance(stand(other(CHANGED, comeback=True), known, FREE), ConflictWith)
    before = replace(last, intent=replace(INTENT, attempt=MAX_ATTEMPTS - 1))
    known = replace(history(), attempts={"0001": (before,)})
    assert isinstance(stand(other(CHANGED, comeback=True), known, FREE), MayGo)


@pytest.mark.fault("L10")
def test_a_cancelled_order_is_never_sent() -> None:
    """Whether its attempt was closed by the word, was never charged, or never was."""
    never = history(cancelled={"0001": BY_ME})
    assert stand(other(comeback=True), never, FREE) == Cancelled(BY_ME)
    assert stand(
        mine(), history(FIRST, VOIDED, cancelled={"0001": "late"}), FREE
    ) == Cancelled("late")
    closed = history(FIRST, VOIDED, BY_HAND)
    assert stand(other(CHANGED, comeback=True), closed, FREE) == Cancelled(BY_ME)


@pytest.mark.parametrize("code", ["invalid_card", "cancelled"])
def test_a_refusal_by_the_gateway_is_no_persons_word(code: str) -> None:
    """Only a person's `cancelled` ends an order for ever, whatever words a gateway says."""
    refused = event(
        "answer", 1, verdict="refused", code=code, message="settled by hand: no"
    )
    known = history(FIRST, refused)
    assert isinstance(stand(other(CHANGED), known, FREE), MayGo)
    (attempt,) = known.attempts["0001"]
    assert (attempt.cancelled, who_acts_for(attempt)) == (None, "accountant")


def test_what_a_gateway_answers_late_takes_no_persons_word_back() -> None:
    """Cancelled, and then a refusal of its own comes in: it stays cancelled."""
    late = event("answer", 1, verdict="refused", code="invalid_card")
    (attempt,) = fold([FIRST, BY_HAND, late])
    assert (attempt.cancelled, who_acts_for(attempt)) == ("wrong shop", "-")


@pytest.mark.fault("L10", "D09")
def test_no_charge_that_took_no_money_takes_the_word_back_that_an_order_is_never_sent() -> (
    None
):
    """The journal had been put back when it was said: what lists show of it then was declined, and
    so was an attempt that the journal had lost. One that took money is what the order came to.
    """
    failed = event("found", charge=DECLINED.data["charge"])
    lost = replace(ADOPTED_DECLINED, attempt=2)
    again = other(CHANGED, comeback=True)
    for known in (
        history(FIRST, VOIDED, BY_HAND, failed),
        history(FIRST, VOIDED, BY_HAND, lost),
    ):
        assert stand(again, known, FREE) == Cancelled(BY_ME)
    paid = history(FIRST, VOIDED, BY_HAND, event("found", charge=PAID.data["charge"]))
    assert isinstance(stand(again, paid, FREE), ConflictWith)


# --- guards that every attempt passes


ZEROS = {**DOCUMENT, "order_id": "1", "amount": 5, "destination": "recp_test_2"}


def look_alike(*events: Any) -> dict[str, Any]:
    """What a journal knows in which order 0001 looks like order 1."""
    return {"look_alikes": {alike("1"): fold(events)}}


@pytest.mark.fault("J07", "E04")
def test_an_id_that_lost_its_zeros_is_a_conflict_whatever_it_asks_and_whatever_it_did() -> (
    None
):
    """First attempt, later attempt, one that goes on: none of them is sent; a source with both ids
    says so.
    """
    twin = look_alike(FIRST, PAID)
    first = stand(other(ZEROS), History(**twin), FREE)
    assert isinstance(first, ConflictWith) and first.attempt
    assert "order 0001's" in worded(first.why) and "write 0001" in worded(first.why)
    of_one = {"order_id": "1"}
    renamed = [replace(one, **of_one) for one in (FIRST, DECLINED)]
    later = History({"1": fold(renamed)}, {2: ("1",)}, **twin)
    assert isinstance(
        stand(other({**DOCUMENT, "order_id": "1"}, comeback=True), later, FREE),
        ConflictWith,
    )
    waiting = [
        replace(
            FIRST,
            **of_one,
            data={**FIRST.data, "intent": {**FIRST.data["intent"], "content": "x"}},
        ),
        replace(VOIDED, **of_one),
    ]
    held = History({"1": fold(waiting)}, {2: ("1",)}, **twin)
    assert isinstance(
        stand(mine({**DOCUMENT, "order_id": "1"}), held, FREE), ConflictWith
    )
    distinct = Guards(distinct_ids=True)
    assert isinstance(stand(other(ZEROS), History(**twin), distinct), MayGo)
    same = History(
        {"0001": fold([FIRST, DECLINED])},
        {},
        look_alikes={alike("0001"): fold([FIRST, DECLINED])},
    )
    assert isinstance(stand(other(CHANGED), same, FREE), MayGo), (
        "an order is not its own look-alike"
    )


@pytest.mark.fault("J07")
def test_a_look_alike_of_a_row_with_an_open_attempt_keeps_it_from_going_on() -> None:
    """Never charged: it is a conflict. In doubt: it shows that, and is not sent again."""
    known = {
        "look_alikes": {
            alike("0001"): fold(
                [replace(FIRST, order_id="1"), replace(PAID, order_id="1")]
            )
        }
    }
    assert isinstance(
        stand(mine(), history(FIRST, VOIDED, **known), FREE), ConflictWith
    )
    doubt = stand(mine(), history(FIRST, **known), FREE)
    assert isinstance(doubt, Owns) and not doubt.resumes
    double = stand(other(), history(FIRST, VOIDED, **known), FREE)
    assert isinstance(double, DuplicateOf) and not double.resumes


def elsewhere(**changes: Any) -> Elsewhere:
    return replace(
        Elsewhere("day", "chrg_test_9", "", "recp_test_1", 123450, "thb"), **changes
    )


@pytest.mark.fault("J06", "E13")
def test_the_very_order_that_another_job_charged_ends_the_run() -> None:
    """Same id, recipient, amount and payer: was the job renamed? At its first attempt and at every
    later one.
    """
    for found in (elsewhere(), elsewhere(payer="tokn_test_1")):
        known = {"elsewhere": {"0001": (elsewhere(amount=1), found)}}
        assert stand(other(), history(**known), FREE) == Renamed(found)
        assert stand(
            other(CHANGED), history(FIRST, DECLINED, **known), FREE
        ) == Renamed(found)
        # a send that would resume
        assert stand(mine(), history(FIRST, VOIDED, **known), FREE) == Renamed(found)
    for strange in (
        elsewhere(amount=1),
        elsewhere(destination="recp_test_2"),
        elsewhere(currency="jpy"),
    ):
        known = {"elsewhere": {"0001": (strange,)}}
        assert isinstance(stand(other(), history(**known), FREE), MayGo)
    customer = {**DOCUMENT, "customer": "cust_test_1"}
    del customer["card"]
    known = {"elsewhere": {"0001": (elsewhere(payer="cust_test_2"),)}}
    assert isinstance(stand(other(customer), history(**known), FREE), MayGo)


@pytest.mark.fault("J06", "E13")
def test_what_another_job_charged_counts_by_all_that_the_sale_ever_asked_for() -> None:
    """A row that was corrected asks for something else today: its order's earlier attempts tell
    what it asked for, those of its sale under other ids, and the rows that it goes back to, as far
    as they could be read.
    """
    theirs = elsewhere()
    known: dict[str, Any] = {"elsewhere": {"0001": (theirs,)}}
    more = {**DOCUMENT, "amount": 5}
    assert stand(other(more), history(FIRST, DECLINED, **known), FREE) == Renamed(
        theirs
    )
    assert isinstance(stand(other(more), history(**known), FREE), MayGo)
    # under another id, which the row had
    of_kin = once(FIRST, DECLINED, elsewhere={"0005": (theirs,)})
    row = other(more, earlier=("0005",), corrects=place_of(BATCH, "", 7))
    assert stand(row, of_kin, FREE) == Renamed(theirs)
    # by the rows that it goes back to, none of which was sent
    half = {"order_id": "0001", "destination": "recp_test_1"}
    for told, stands in (
        (DOCUMENT, Renamed),
        (half, Renamed),
        ({**DOCUMENT, "amount": 6}, MayGo),
        ({**half, "destination": "recp_test_2"}, MayGo),
        ({"order_id": "0001"}, MayGo),
    ):
        back = {place_of(OTHER, "", 9): (more, told)}
        standing = stand(other(more), history(went_back=back, **known), FREE)
        assert isinstance(standing, stands), told


BARRED = Guards(barred={"recp_test_1": "is not verified"})


@pytest.mark.parametrize(
    "guards, acts, word",
    [
        (Guards(refusal="the file has 3 rows"), "accountant", "3 rows"),
        (BARRED, "engineer", "recipient recp_test_1 is not verified"),
        (Guards(stop="unproven"), "a person", "a stop is in force: unproven"),
        (
            Guards(smallest_share={"THB": 123451}),
            "accountant",
            "smallest transfer is 1234.51",
        ),
        (
            Guards(smallest_share={"THB": 123450}, fee=Fee({}, "0.001")),
            "accountant",
            "share would be 1234.48 THB",
        ),
        (
            Guards(holds_no_share=True, fee=Fee({"THB": 123450})),
            "accountant",
            "share would be 0.00 THB, which no transfer is made of",
        ),
        (
            Guards(
                holds_no_share=True,
                smallest_share={"THB": 3000},
                fee=Fee({"THB": 123450}),
            ),
            "accountant",
            "smallest transfer is 30.00",
        ),
        (Guards(refusal="r", stop="s", barred=BARRED.barred), "accountant", "r"),
    ],
)
def test_what_holds_a_row_back_holds_every_kind_of_it(
    guards: Guards, acts: str, word: str
) -> None:
    """A new order, one that comes back, one that was never charged; who acts is named. What is in
    doubt stays so.
    """
    for row, events in (
        (other(), []),
        (other(CHANGED), [FIRST, DECLINED]),
        (mine(), [FIRST, VOIDED]),
        (mine(CHANGED), [FIRST, VOIDED]),
    ):
        standing = stand(row, history(*events), guards)
        assert isinstance(standing, Waits), (row, standing)
        assert standing.who_acts == acts and word in worded(standing.why)
    doubt = stand(mine(), history(FIRST), guards)
    assert isinstance(doubt, Owns) and not doubt.resumes
    double = stand(other(), history(FIRST), guards)
    assert isinstance(double, DuplicateOf) and not double.resumes


@pytest.mark.fault("J29")
def test_a_share_that_can_be_transferred_holds_nobody() -> None:
    """To the last satang; of a currency that the gateway does not tell, nothing is known."""
    for guards in (
        Guards(smallest_share={"THB": 123450}),
        Guards(smallest_share={"JPY": 10**9}),
        Guards(smallest_share={"THB": 123350}, fee=Fee({"THB": 100})),
        Guards(holds_no_share=True, fee=Fee({"THB": 123449})),
        Guards(holds_no_share=False, fee=Fee({"THB": 123450})),
    ):
        assert isinstance(stand(other(), history(), guards), MayGo)


# --- orders that ask for the same


TERMS = terms_of(payer_of(DOCUMENT), "recp_test_1", 123450, "thb")


def near(*others: Near) -> dict[str, Any]:
    return {"near": {TERMS: others}}


LAST_WEEK = Near("0009", "2026-11-20-dddddddddddd", 0)


@pytest.mark.fault("E04")
def test_a_recent_order_that_asked_for_the_same_is_told() -> None:
    """Not the order itself, nor another one of its file, nor one that goes in the same run."""
    told = stand(other(), history(**near(LAST_WEEK)), FREE)
    assert isinstance(
        told, MayGo
    ) and "order 0009 of batch 2026-11-20-dddddddddddd asked" in str(told.warnings[0])
    more = stand(
        other(), history(**near(LAST_WEEK, replace(LAST_WEEK, order_id="0010"))), FREE
    )
    assert isinstance(more, MayGo) and "and 1 more" in str(more.warnings[0])
    for quiet in (Near("0001", BATCH, 0), Near("0009", OTHER, 0)):
        assert stand(other(), history(**near(quiet)), FREE) == MayGo(1)
    sent = near(replace(LAST_WEEK, at_ns=7))
    assert stand(other(), history(**sent), Guards(began_ns=7)) == MayGo(1)
    came_back = Guards(present=frozenset({LAST_WEEK.batch_id}), began_ns=8)
    # its file is here again: it is no newer
    assert stand(other(), history(**sent), came_back) == told


@pytest.mark.fault("E04")
def test_a_job_may_hold_such_an_order() -> None:
    """Until a person cancels it or changes the job; what holds it back otherwise is told first."""
    hold = Guards(near_duplicates="hold")
    standing = stand(other(), history(**near(LAST_WEEK)), hold)
    assert (
        isinstance(standing, Waits)
        and standing.who_acts == "accountant"
        and standing.warnings
    )
    assert worded(standing.why).startswith(
        "order 0009"
    ) and 'near_duplicates = "warn"' in worded(standing.why)
    barred = stand(
        other(), history(**near(LAST_WEEK)), replace(hold, barred=BARRED.barred)
    )
    assert (
        isinstance(barred, Waits) and barred.who_acts == "engineer" and barred.warnings
    )
    assert isinstance(stand(other(), history(), hold), MayGo)


def test_a_row_that_was_sent_is_told_of_what_was_asked_before_it() -> None:
    """Not of what came later, which is told at the later one; a row that broke a rule is told of
    nothing.
    """
    earlier, later = replace(LAST_WEEK, at_ns=0), replace(LAST_WEEK, at_ns=2)
    sent = history(FIRST, PAID, **near(earlier))
    shown = stand(mine(), sent, FREE)
    assert isinstance(shown, Owns) and shown.warnings
    quiet = stand(mine(), history(FIRST, PAID, **near(later)), FREE)
    assert isinstance(quiet, Owns) and not quiet.warnings
    for row in (mine(problems=(PROBLEM,)), mine({})):
        standing = stand(row, sent, FREE)
        assert isinstance(standing, Owns) and not standing.warnings
    held = stand(mine(), history(FIRST, VOIDED, **near(earlier)), BARRED)
    assert isinstance(held, Waits) and held.warnings


# --- corrections


@pytest.mark.fault("E03", "J14")
def test_a_token_that_goes_with_an_attempt_of_an_earlier_file_pays_no_other_order() -> (
    None
):
    """Of the two the one that goes first has it; a correction goes with what its row did not
    spend.
    """
    (held,) = history(FIRST, VOIDED).attempts["0001"]
    goes_on = Owns(held, resumes=True)
    another = other({**DOCUMENT, "order_id": "0002"})
    new = MayGo(1)
    going = Going()
    assert held_beside(mine(), goes_on, Guards(), going) == goes_on
    told = held_beside(another, new, Guards(), going)
    assert isinstance(told, Rejected) and "order 0001" in worded(told.why)
    instead = MayGo(2, withdraw=held)
    assert held_beside(another, instead, Guards(), going) == instead
    assert held_beside(another, new, Guards(asks_first=True), going) == new
    customer = {**DOCUMENT, "order_id": "0003", "card": "", "customer": "cust_test_1"}
    assert held_beside(other(customer), new, Guards(), going) == new
    first = Going()
    assert held_beside(another, new, Guards(), first) == new
    assert held_beside(mine(), goes_on, Guards(), first) == goes_on


def corrected_by(*events: Any, order_id: str = "0005") -> dict[str, Any]:
    """Row 9 of OTHER came back under another id."""
    place = place_of(OTHER, "", 9)
    named = [replace(one, order_id=order_id, batch_id=BATCH, row=7) for one in events]
    named[0] = replace(
        named[0],
        data={**named[0].data, "intent": {**named[0].data["intent"], "sale": [place]}},
    )
    return {"corrected": {place: fold(named)}, "bears": {place: "0001"}}


@pytest.mark.fault("E05", "J07")
def test_a_row_whose_corrected_row_was_charged_is_not_charged_as_well() -> None:
    """Under whatever id it came back; while that one took no money, or was never charged, the row
    is itself.
    """
    for events in ([FIRST, PAID], [FIRST]):
        standing = stand(other(), history(**corrected_by(*events)), FREE)
        assert isinstance(standing, DuplicateOf) and "corrected row" in worded(
            standing.why
        )
        assert standing.attempt.intent.order_id == "0005"
    for events in ([FIRST, DECLINED], [FIRST, VOIDED]):
        assert isinstance(stand(other(), history(**corrected_by(*events)), FREE), MayGo)
    same_id = history(FIRST, PAID, **corrected_by(FIRST, PAID, order_id="0001"))
    standing = stand(other(), same_id, FREE)
    assert isinstance(standing, DuplicateOf) and worded(standing.why).startswith(
        "duplicate of order 0001"
    )


@pytest.mark.fault("J07")
def test_a_correction_of_a_row_that_was_charged_is_its_duplicate() -> None:
    """With other terms nobody but a person knows whether it is the same sale."""
    correction = other(corrects=place_of(BATCH, "", 2))
    for events in ([FIRST, PAID], [FIRST]):
        standing = stand(correction, history(**corrected_by(*events)), FREE)
        assert isinstance(standing, DuplicateOf) and worded(standing.why).startswith(
            "it corrects a row that was charged"
        )
    changed = replace(
        correction, document={**DOCUMENT, "amount": DOCUMENT["amount"] + 1}
    )
    standing = stand(changed, history(**corrected_by(FIRST, PAID)), FREE)
    assert isinstance(standing, ConflictWith) and "batchpay_ columns" in worded(
        standing.why
    )
    assert standing.attempt and standing.attempt.intent.order_id == "0005"
    assert isinstance(
        stand(correction, history(**corrected_by(FIRST, DECLINED)), FREE), MayGo
    )


@pytest.mark.fault("J07")
def test_an_attempt_of_the_same_sale_that_goes_in_this_run_bars_the_others() -> None:
    """It was never charged: without its file here it stands in nobody's way."""
    waits = history(**corrected_by(FIRST, VOIDED))
    assert isinstance(
        stand(other(), waits, replace(FREE, present=(BATCH,))), DuplicateOf
    )
    assert isinstance(stand(other(), waits, FREE), MayGo)


@pytest.mark.fault("J07")
def test_an_attempt_that_was_not_charged_is_not_sent_again_beside_its_sale() -> None:
    """Ready, it is a duplicate; in doubt, it shows itself and waits to be looked up."""
    kin = corrected_by(FIRST, PAID)
    (attempts,) = kin["corrected"].values()
    kin["corrected"] = {place_of(BATCH, "", 2): attempts}
    assert isinstance(stand(mine(), history(FIRST, VOIDED, **kin), FREE), DuplicateOf)
    doubt = stand(mine(), history(FIRST, **kin), FREE)
    assert isinstance(doubt, Owns) and not doubt.resumes
    free = stand(mine(), history(FIRST, VOIDED), FREE)
    assert isinstance(free, Owns) and free.resumes


# --- a row that has another id than it had


def once(*events: Any, **more: Any) -> History:
    """What is known of row 9 of OTHER, which was order 0005 before; that is another row's, which is
    0001 today.
    """
    place = place_of(OTHER, "", 9)
    more = {"bears": {place_of(BATCH, "", 7): "0001"}, **more}
    attempts = fold(
        [replace(one, order_id="0005", batch_id=BATCH, row=7) for one in events]
    )
    known: dict[str, Any] = (
        {"attempts": {"0005": attempts}, "corrected": {place: attempts}}
        if attempts
        else {}
    )
    return History(**known, others={place: ("0005",)}, **more)


@pytest.mark.fault("J13", "I1", "I19")
def test_a_charge_without_a_key_that_names_an_id_that_the_row_had_may_be_the_rows() -> (
    None
):
    """It took money for the sale when it had that id; another order's name says that it did not."""
    for order_id, kind in (("0005", Waits), ("0006", MayGo)):
        one = Nameless("chrg_test_9", "", "recp_test_1", 123450, "thb", "", order_id)
        guards = Guards(job="j", nameless={one.terms: {one.charge_id: one}})
        assert isinstance(stand(other(), once(), guards), kind)


@pytest.mark.fault("J13", "E05")
def test_an_id_that_was_a_mistake_excuses_no_row_from_a_look_at_that_order() -> None:
    """Its row tells that it is another; a job that holds what resembles a recent order holds."""
    holds = Guards(near_duplicates="hold", present=(BATCH, OTHER))
    asked = near(Near("0005", BATCH, 1))
    mended = once(FIRST, PAID, bears={place_of(BATCH, "", 7): "0005"}, **asked)
    assert isinstance(stand(other(), mended, holds), Waits)
    assert isinstance(
        stand(other(), mended, replace(holds, near_duplicates="warn")), MayGo
    )
    own = once(FIRST, DECLINED, **asked)
    again = other({**DOCUMENT, "order_id": "0001"}, comeback=True)
    assert isinstance(stand(again, own, holds), MayGo)


@pytest.mark.fault("J13", "E05")
def test_a_word_about_an_order_is_none_about_a_row_that_had_its_id_by_mistake() -> None:
    """An older charge, of ids that are made no more, is none of that order's; it may be the row's.
    A word about the id that the row had before anybody asked for it is one about the row.
    """
    terms = fitting_terms_in(DOCUMENT)[0]
    old = {"unnamed": {terms: (Unnamed("Q", BATCH, 1, frozenset({"a"})),)}}
    guards = Guards(ids_from="b", present=(BATCH, OTHER), said_new={terms: {"0005": 2}})
    anothers = once(FIRST, PAID, bears={place_of(BATCH, "", 7): "0005"}, **old)
    assert isinstance(stand(other(), anothers, guards), Waits)
    assert isinstance(stand(other(), once(**old), guards), MayGo)


@pytest.mark.fault("J13", "J07")
def test_what_took_money_under_an_earlier_id_is_the_same_sale() -> None:
    """Whoever was charged for it; other terms are for a person, and what ended in vain is asked for
    by a person.
    """
    row = other(earlier=("0005",))
    changed = replace(row, document={**DOCUMENT, "amount": 5})
    for events in ([FIRST, PAID], [FIRST], [PLACED]):
        standing = stand(row, once(*events), FREE)
        assert isinstance(standing, DuplicateOf) and "earlier id" in worded(
            standing.why
        )
        standing = stand(changed, once(*events), FREE)
        assert isinstance(standing, ConflictWith) and "a file of its own" in worded(
            standing.why
        )
    assert isinstance(stand(row, once(FIRST, DECLINED), FREE), DuplicateOf)
    for again in (replace(row, comeback=True), changed):
        standing = stand(again, once(FIRST, DECLINED), FREE)
        assert isinstance(standing, MayGo) and [
            a.intent.order_id for a in standing.before
        ] == ["0005"]
    assert isinstance(stand(row, once(FIRST, VOIDED), FREE), MayGo)
    assert isinstance(
        stand(row, once(FIRST, VOIDED), replace(FREE, present=(BATCH,))), DuplicateOf
    )
    assert isinstance(stand(row, once(), FREE), MayGo)


@pytest.mark.fault("J13", "J07", "E05")
def test_an_earlier_id_that_was_a_mistake_binds_nobody() -> None:
    """The row that was charged has another id today; while nobody can tell, the row waits, but for
    a stranger's.
    """
    row, whose = other(earlier=("0005",)), place_of(BATCH, "", 7)
    stranger = replace(
        row, document={**DOCUMENT, "amount": 5, "destination": "recp_test_2"}
    )
    word = Cancellation(
        "fraud", "0005", 2, BATCH, (whose,), ({**DOCUMENT, "order_id": "0005"},)
    )
    words = {"words": {place_of(OTHER, "", 9): (word,)}}
    here = replace(FREE, present=(BATCH,))
    for events in (
        [FIRST, PAID],
        [FIRST],
        [FIRST, DECLINED],
        [FIRST, VOIDED, BY_HAND],
        None,
    ):
        told: Any = words if events is None else {}
        for bears in ({whose: "0005"}, {whose: "0006"}):
            assert isinstance(
                stand(row, once(*events or (), bears=bears, **told), here), MayGo
            )
            waits = stand(row, once(*events or (), bears=bears, **told), FREE)
            assert (
                isinstance(waits, Waits)
                and waits.who_acts == "accountant"
                and "--yes" in worded(waits.why)
            )
            said = replace(FREE, are_new=True)
            assert isinstance(
                stand(row, once(*events or (), bears=bears, **told), said), MayGo
            )
        # it has no id today
        assert isinstance(
            stand(row, once(*events or (), bears={}, **told), here), Waits
        )
    assert isinstance(
        stand(stranger, once(FIRST, PAID, bears={whose: "0005"}), FREE), MayGo
    )


@pytest.mark.fault("J13")
def test_an_attempt_of_its_own_under_an_earlier_id_that_never_went_bars_nobody() -> (
    None
):
    """It is withdrawn, and the row goes under the id that it has now."""
    row = mine({**DOCUMENT, "order_id": "0009"}, earlier=("0001",))
    place = place_of(BATCH, "", 2)
    attempts = fold([FIRST, VOIDED])
    known = History(
        {"0001": attempts},
        {2: ("0001",)},
        corrected={place: attempts},
        others={place: ("0001",)},
    )
    standing = stand(row, known, replace(FREE, present=(BATCH,)))
    assert isinstance(standing, MayGo) and standing.withdraw == attempts[0]


@pytest.mark.fault("J07")
def test_a_cancelled_sale_stays_cancelled_under_every_id() -> None:
    """By the order's own event, by an attempt under an earlier id, by that of its correction."""
    row = other(earlier=("0005",))
    word = Cancellation(
        "fraud",
        "0005",
        1,
        BATCH,
        (place_of(BATCH, "", 7),),
        ({**DOCUMENT, "order_id": "0005"},),
    )
    words = {place_of(OTHER, "", 9): (word,)}
    assert stand(row, once(words=words), FREE) == Cancelled("fraud")
    assert stand(row, once(FIRST, VOIDED, BY_HAND), FREE) == Cancelled(BY_ME)
    assert stand(
        other(), history(**corrected_by(FIRST, VOIDED, BY_HAND)), FREE
    ) == Cancelled(BY_ME)


@pytest.mark.fault("J06", "B31")
def test_every_charge_of_the_very_order_that_the_other_job_made_is_named() -> None:
    """Its key was charged twice: nobody but a run of that job stops for it, so this one tells of
    both. One that is seen under two ids is one; a third job's is not that job's.
    """
    known = {
        "0001": (elsewhere(), elsewhere(charge_id="chrg_test_8"), elsewhere(amount=1)),
        "0005": (elsewhere(), elsewhere(charge_id="chrg_test_7", job="week")),
    }
    standing = stand(other(earlier=("0005",)), once(elsewhere=known), FREE)
    assert standing == Renamed(elsewhere(charge_id="chrg_test_9, chrg_test_8"))


@pytest.mark.fault("J06")
def test_another_jobs_charge_is_seen_under_every_id_of_the_sale() -> None:
    """The id that a row tells to have had counts as its own."""
    charge = Elsewhere(
        "old-name",
        "chrg_test_9",
        "",
        DOCUMENT["destination"],
        DOCUMENT["amount"],
        DOCUMENT["currency"],
    )
    row = other(earlier=("0005",))
    assert isinstance(stand(row, once(elsewhere={"0005": (charge,)}), FREE), Renamed)
    assert isinstance(stand(row, once(elsewhere={"0006": (charge,)}), FREE), MayGo)


@pytest.mark.fault("L11", "J32")
def test_a_charge_of_its_file_that_no_row_shows_keeps_the_rows_of_other_ids_back() -> (
    None
):
    """Nobody knows of which row it is; a person does, or gives the ids back."""
    lost = fold([replace(ADOPTED, order_id="0005")])[0]
    standing = stand(other(), history(), replace(FREE, unplaced=lost))
    assert (
        isinstance(standing, ConflictWith)
        and standing.attempt == lost
        and "order_id" in worded(standing.why)
    )


def settled(row: Row, known: History, received_ns: int = 0) -> Attempt | None:
    return settled_by(row, known, received_ns)


def test_what_settles_a_row_elsewhere() -> None:
    """A later success of its order, or of the row that corrects it; not its own, nor what was there
    before.
    """
    paid = fold([FIRST, PAID])[0]
    assert settled(other(problems=(PROBLEM,)), history(FIRST, PAID)) == paid
    assert settled(other(), history(FIRST, PAID), received_ns=1) is None
    assert settled(mine(), history(FIRST, PAID)) is None
    assert settled(other(), history(FIRST, DECLINED)) is None
    assert settled(other(), history()) is None
    assert settled(other({}), history()) is None
    place = place_of(OTHER, "", 9)
    intent = {**FIRST.data["intent"], "corrects": place}
    corrects = replace(FIRST, data={**FIRST.data, "intent": intent})
    found = settled(other(), history(**corrected_by(corrects, PAID)), received_ns=9)
    assert found and found.intent.order_id == "0005"
    key = by_order("0001")
    first, paid_then = (
        replace(one, order_id="0005", batch_id=BATCH, row=7) for one in (FIRST, PAID)
    )
    told = {**FIRST.data["intent"], "corrects": key, "sale": [key]}
    of_order = fold([replace(first, data={**FIRST.data, "intent": told}), paid_then])
    assert settled(other(), history(corrected={place: of_order}))
    assert settled(other(), history(corrected={place: of_order}), received_ns=9) is None
    assert (
        settled(
            other(corrects="there"), history(corrected={place: of_order}), received_ns=9
        )
        is None
    )


MONEY = st.tuples(st.sampled_from([500, 700]), st.sampled_from(["thb", "THB", "jpy"]))
PAYERS = st.sampled_from(
    [
        {},
        {"customer": "cust_1"},
        {"customer": "cust_2"},
        {"card": "tokn_1"},
        {"source": "src_1"},
    ]
)
ROWS = st.builds(
    lambda payer, money, to: {
        "order_id": "0001",
        "amount": money[0],
        "currency": money[1],
        "destination": to,
        **payer,
    },
    PAYERS,
    MONEY,
    st.sampled_from(["recp_1", "recp_2"]),
)


@pytest.mark.fault("J07", "J13")
@given(ROWS, ROWS)
def test_whether_two_ask_for_the_same_has_one_answer(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    """Of a row and a row, and of a row and the attempt that the other one caused; whatever case a
    currency is written in.
    """
    asked = Attempt(
        replace(
            INTENT,
            content="",
            amount=two["amount"],
            currency=two["currency"],
            destination=two["destination"],
            payer=payer_of(two),
            single_use=single_use_of(two),
        ),
        adopted=True,
    )
    assert (
        are_strangers(one, two) == are_strangers(two, one) == is_a_strangers(one, asked)
    )
    same = same_terms(one, asked)
    assert same == is_to_the_letter(one, asked) == asks_the_same(one, asked, "")
    assert not (same and (contradicts(one, asked) or is_a_strangers(one, asked)))
    written = {**one, "currency": one["currency"].swapcase()}
    assert same_terms(written, asked) == same
    assert contradicts(written, asked) == contradicts(one, asked)


REFUSED = event(
    "answer", 1, verdict="refused", status=400, code="bad_request", message="m"
)
THROTTLED = event(
    "answer", 1, verdict="throttled", status=429, code="too_many", message="m"
)
MISSING = event("missing")
DENIED = event("resolved", **{"as": "not-charged"}, reason="looked", by="me")
ENDS = st.sampled_from(
    [
        [REFUSED],
        [DECLINED],
        [DECLINED, MISSING],
        [DECLINED, MISSING, DENIED],
        [DENIED],
        [VOIDED, WITHDRAWN],
    ]
)
NAMELESS = st.builds(
    Nameless,
    st.just("chrg_test_zz"),
    st.sampled_from(["", "cust_other"]),
    st.sampled_from([INTENT.destination, "recp_other"]),
    st.sampled_from([INTENT.amount, INTENT.amount + 1]),
    st.just(INTENT.currency),
    st.sampled_from(["", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]),
)
ASKED = st.sampled_from(
    [
        DOCUMENT,
        CHANGED,
        {**DOCUMENT, "amount": INTENT.amount + 1},
        {**CHANGED, "amount": 777},
    ]
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "stop": st.just("a stop"),
        "gone": st.just("a.csv"),
        "refusal": st.just("refused"),
        "unreadable": st.just("unreadable"),
        "barred": st.just({INTENT.destination: "barred"}),
        "near_duplicates": st.just("hold"),
        "cancelled": st.just({alike("0001"): "001"}),
    },
)


@pytest.mark.fault("B22", "L3", "I1")
@given(
    ENDS,
    NAMELESS,
    ASKED,
    MORE,
    st.sampled_from([[], [VOIDED], [THROTTLED], [ABSENT]]),
    st.booleans(),
)
def test_what_keeps_a_next_attempt_from_beginning_keeps_one_that_has_begun(
    end: list[Any],
    nameless: Nameless,
    asked: dict[str, Any],
    more: dict[str, Any],
    begun: list[Any],
    near: bool,
) -> None:
    """Whatever the earlier attempt came to: a fresh one, one that goes on and one that is taken
    over from another file pass one gate.
    """
    guards = Guards(
        job="j",
        nameless={nameless.terms: {nameless.charge_id: nameless}},
        present={OTHER},
        **more,
    )
    terms = terms_of(
        payer_of(asked), asked["destination"], asked["amount"], asked["currency"]
    )
    beside_it = {"near": {terms: (Near("0777", "b", 1),)}} if near else {}
    first = [FIRST, *end]
    row = other(asked, comeback=True)
    fresh = stand(row, history(*first, **beside_it), guards)
    assert isinstance(fresh, MayGo | Waits | ConflictWith), fresh

    key = INTENT.key[:-1] + "0"
    intent = {
        **FIRST.data["intent"],
        "key": key,
        "amount": asked["amount"],
        "batch_id": OTHER,
    }
    intent |= {"content": content_of(asked), "attempt": 2, "row": 9}
    changes = {"attempt": 2, "batch_id": OTHER, "row": 9}
    second = [replace(FIRST, data={**FIRST.data, "intent": intent}, **changes)]
    second += [replace(one, **changes) for one in begun]
    attempts = fold([*first, *second])
    owning = History({"0001": attempts}, {9: "0001"}, **beside_it)
    absent = replace(guards, present={"2026-11-25-bbbbbbbbbbbb"})
    elsewhere = Row("2026-11-25-bbbbbbbbbbbb", "", 4, asked)
    own, taken_over = stand(row, owning, guards), stand(elsewhere, owning, absent)
    assert is_sendable(own) == is_sendable(taken_over) == isinstance(fresh, MayGo)
    if isinstance(fresh, Waits) and begun:
        assert isinstance(own, Waits) and own.why == fresh.why


def test_rows_of_a_chunk_carry_what_was_read_of_them() -> None:
    """Problems, repeats, retry and what they correct, each at its own row."""
    chunk = StoredChunk(
        0,
        "s",
        [2, 5],
        [DOCUMENT, CHANGED],
        {1: (PROBLEM,)},
        frozenset({1}),
        b"",
        {1: "there"},
    )
    assert rows_of(BATCH, chunk, {("s", 2): TWICE, ("", 5): CONTESTED}) == [
        Row(BATCH, "s", 2, DOCUMENT, (), TWICE),
        Row(BATCH, "s", 5, CHANGED, (PROBLEM,), None, True, "there"),
    ]


DESCRIBED = {**DOCUMENT, "description": "thanks"}


def asked_by(extras_from: str) -> Any:
    """The first intent, by this part of the job."""
    intent = {**FIRST.data["intent"], "extras_from": extras_from}
    return replace(FIRST, data={**FIRST.data, "intent": intent})


@pytest.mark.fault("J13", "J07", "J33")
@pytest.mark.parametrize(
    ("kept", "row", "events", "kind"),
    [
        ("a", other(DESCRIBED), [DECLINED], MayGo),  # its sender wrote another text
        ("a", other(DESCRIBED), [PAID], ConflictWith),
        ("b", other(DESCRIBED), [DECLINED], DuplicateOf),  # the job was edited
        ("b", other(DESCRIBED), [PAID], DuplicateOf),
        ("b", other(DESCRIBED, comeback=True), [DECLINED], MayGo),
        ("b", other(CHANGED), [DECLINED], MayGo),  # another payer
        ("b", other({**DESCRIBED, "amount": 5}), [PAID], ConflictWith),
        ("", other(DESCRIBED), [DECLINED], DuplicateOf),  # nobody kept it
        ("", other(DESCRIBED), [PAID], DuplicateOf),
        ("b", beside(DESCRIBED), [DECLINED], DuplicateOf),
        # never charged: its text of today is sent
        ("b", mine(DESCRIBED), [VOIDED], MayGo),
        ("b", other(DESCRIBED), [VOIDED], DuplicateOf),
    ],
)
def test_only_its_sender_changes_a_row(
    kept: str, row: Row, events: list[Any], kind: type
) -> None:
    """What the job adds beside the money is no row's own."""
    standing = stand(row, history(asked_by(kept), *events), Guards(extras_from="a"))
    assert type(standing) is kind, standing


def test_rows_without_an_order_id_are_matters_of_their_own() -> None:
    """Two that could not be read are not one sale; two of one order are, wherever they stand."""
    rows = [Row(BATCH, "", 2, {}), Row(BATCH, "", 3, {}), mine(), other()]
    sales = [History().sale(row) for row in rows]
    assert len(set(sales)) == 3 and sales[2] == sales[3]
