"""Where one small change of the decision about a row once went unseen: what it is told, by whose
word it goes, and what it may take beside those before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from batchpay.domain.events import Disowned, Stop, Stray, line
from batchpay.domain.exits import A_PERSON, ACCOUNTANT, ENGINEER
from batchpay.domain.model import Outcome, Problem, Repeat, StoredChunk
from batchpay.gateways.omise.objects import charge_in
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.going import (
    Going,
    counts_since,
    held_beside,
)
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.places import by_order, place_of
from batchpay.lifecycle.rivals import Rivals
from batchpay.lifecycle.rows import (
    Cancellation,
    Cancelled,
    ConflictWith,
    DuplicateOf,
    Guards,
    History,
    MayGo,
    Near,
    Owns,
    Past,
    Rejected,
    Row,
    Same,
    Standing,
    Unnamed,
    Waits,
    attempt_told,
    conflict_with,
    goes_now,
    rows_of,
)
from batchpay.lifecycle.sale_terms import fitting_terms_in, terms_in
from batchpay.lifecycle.sales import (
    asked_before,
    is_kin,
    is_said_of,
    keys_of,
    kin_without_money,
    settled_by,
    why_cancelled,
)
from batchpay.lifecycle.standing import stand
from batchpay.lifecycle.terms import Asked, differs
from batchpay.lifecycle.unclaimed import (
    Nameless,
    Unclaimed,
    disowned_in,
    fits,
    maybe_charged_among,
    nameless_of,
    nameless_told,
    unclaimed_in,
)
from batchpay.messages import standing as said
from batchpay.messages.message import plain, worded
from batchpay.messages.problems import TOTAL_ROW
from tests.test_lifecycle import (
    BATCH,
    DECLINED,
    DOCUMENT,
    FIRST,
    INTENT,
    OTHER,
    charge,
    event,
)
from tests.test_standing import (
    ADOPTED,
    CHANGED,
    FREE,
    LAST_WEEK,
    LOOKS_ALIKE,
    PAID,
    TERMS,
    VOIDED,
    WITH_ITS_FILE,
    corrected_by,
    history,
    mine,
    near,
    once,
    other,
    second,
)

CHARGED = Nameless("chrg_test_9", "", "recp_test_1", 123450, "thb", "")
ASKED = fitting_terms_in(DOCUMENT)[0]
LONG_AGO = "2026-11-01-cccccccccccc"


def why_of(standing: Standing) -> str:
    """What a person reads of it."""
    assert isinstance(standing, Waits | ConflictWith | DuplicateOf | Rejected), standing
    return worded(standing.why)


# --- what holds a row back


@pytest.mark.fault("J29", "H04")
@pytest.mark.parametrize(
    ("guards", "acts", "words"),
    [
        (
            Guards(gone="a.csv"),
            ACCOUNTANT,
            ["give a.csv to a run again", "--reason TEXT 0001; or", f"TEXT {OTHER}"],
        ),
        (Guards(unreadable="see chrg_test_9"), A_PERSON, ["see chrg_test_9"]),
        (
            Guards(barred={"recp_test_1": "is deleted"}, gone="a.csv", stop="s"),
            ENGINEER,
            ["recipient recp_test_1 is deleted"],
        ),
        (Guards(gone="a.csv", stop="s", unreadable="u"), ACCOUNTANT, ["a.csv"]),
        (Guards(stop="s", unreadable="u"), A_PERSON, ["a stop is in force: s"]),
        (
            Guards(job="j", nameless={CHARGED.terms: {CHARGED.charge_id: CHARGED}}),
            A_PERSON,
            ["chrg_test_9", "charged:chrg_test_9 --reason TEXT 0001"],
        ),
    ],
)
def test_what_holds_a_row_says_what_it_is_about_and_what_to_do(
    guards: Guards, acts: str, words: list[str]
) -> None:
    """With amounts as people write them; of several the one that lasts longest."""
    standing = stand(other(), history(), guards)
    assert isinstance(standing, Waits) and standing.who_acts == acts
    assert [word for word in words if word not in worded(standing.why)] == []


@pytest.mark.fault("X11")
@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ({"least_charge": {"THB": 123451}}, ["1234.51", "ask for more"]),
        ({"most_charge": {"THB": 123449}}, ["1234.49", "in parts"]),
    ],
)
@pytest.mark.parametrize("held_by", [{}, {"stop": "s"}, {"gone": "a.csv"}])
def test_what_the_gateway_never_takes_is_rejected_whatever_else_holds_it(
    guards: dict[str, Any], words: list[str], held_by: dict[str, Any]
) -> None:
    """With both amounts as people write them."""
    standing = stand(other(), history(), Guards(**guards, **held_by))
    assert isinstance(standing, Rejected)
    said = worded(standing.why)
    for word in ("1234.50 THB", "--reason TEXT 0001", *words):
        assert word in said


@pytest.mark.parametrize(
    "guards",
    [
        Guards(least_charge={"THB": 123450}, most_charge={"THB": 123450}),
        Guards(least_charge={"JPY": 10**9}, most_charge={"JPY": 1}),
        Guards(max_day={"THB": 123450}, max_recipient={"THB": 123450}),
        Guards(max_day={"JPY": 1}, max_recipient={"JPY": 1}),
    ],
)
def test_at_a_limit_itself_a_row_goes(guards: Guards) -> None:
    """And where the limit is of another currency."""
    assert stand(other(), history(), guards) == MayGo(1)


@pytest.mark.fault("J07")
def test_an_id_that_looks_like_a_cancelled_ones_is_nobodys_to_send() -> None:
    """Its own id is no other; a source that has both ids says so."""
    guards = Guards(cancelled={alike("0001"): "001"})
    told = why_of(stand(other(), history(), guards))
    assert "order 001's, which a person cancelled" in told
    own = Guards(cancelled={alike("0001"): "0001"})
    for free in (own, replace(guards, distinct_ids=True)):
        assert stand(other(), history(), free) == MayGo(1)


# --- what was asked for under an id that nobody knows any more


def unnamed(**changes: Any) -> dict[str, Any]:
    """A charge of the same terms, made when ids were made of other cells."""
    charged = replace(Unnamed("0777", LONG_AGO, 5, frozenset({"a"})), **changes)
    return {"unnamed": {ASKED: (charged,)}}


@pytest.mark.fault("J07", "J13")
@pytest.mark.parametrize(
    ("changes", "guards", "goes"),
    [
        ({}, {}, False),
        ({}, {"ids_from": Guards().ids_from}, True),  # nobody says of which cells
        ({"known_under": frozenset({"a", "b"})}, {}, True),  # its id of today is known
        ({"order_id": "0001"}, {}, True),  # it is its own
        ({}, {"are_new": True}, True),
        ({}, {"said_new": {ASKED: {"0001": 5}}}, True),
        ({}, {"said_new": {ASKED: {"0001": 4}}}, False),  # it was charged since
        ({}, {"said_new": {ASKED: {"0002": 9}}}, False),  # of another order
        ({}, {"said_new": {"other terms": {"0001": 9}}}, False),
    ],
)
def test_a_charge_of_the_same_money_under_an_unknown_id_waits_for_a_word(
    changes: dict[str, Any], guards: dict[str, Any], *, goes: bool
) -> None:
    """A person says of this very order that it is new, after that charge."""
    known = history(**unnamed(**changes))
    standing = stand(other(), known, Guards(**{"ids_from": "b", **guards}))
    assert isinstance(standing, MayGo) is goes
    if not goes:
        told = why_of(standing)
        assert "order 0777" in told and f"file of batch {LONG_AGO}" in told
        assert "--reason TEXT 0001" in told and "; if it is another one" in told


@pytest.mark.fault("J07")
def test_a_charge_that_may_be_any_of_several_orders_names_them() -> None:
    """Up to five of those that stand against it, and none of the row's own ids."""
    unsent = {ASKED: ("0001", "0002", "0003", "0004", "0005", "0006", "0007")}
    standing = stand(other(), history(**unnamed(), unsent=unsent), Guards(ids_from="b"))
    assert "0002, 0003, 0004, 0005, 0006" in why_of(standing)
    assert "0007" not in why_of(standing)
    alone = stand(
        other(), history(**unnamed(), unsent={ASKED: ("0001",)}), Guards(ids_from="b")
    )
    assert why_of(alone).count("0001") == 1  # in what to do


@pytest.mark.fault("J07", "J13")
def test_what_ended_in_vain_under_an_earlier_id_keeps_no_order_that_comes_back() -> (
    None
):
    """It asks for one attempt more, whatever that one was; unless it took money, or may have."""
    row = other(earlier=("0005",), comeback=True)
    unclear = {"bears": {}}
    assert isinstance(stand(row, once(FIRST, DECLINED, **unclear), FREE), MayGo)
    waits = stand(replace(row, comeback=False), once(FIRST, DECLINED, **unclear), FREE)
    assert isinstance(waits, Waits) and "order 0005" in worded(waits.why)
    assert isinstance(stand(row, once(FIRST, PAID, **unclear), FREE), Waits)
    # what was never charged, and may be sent from where it is, keeps nobody back
    assert isinstance(stand(row, once(FIRST, VOIDED, **unclear), FREE), MayGo)


# --- what is far outside of what was asked for a recipient


def past(orders: int, least: int, most: int) -> dict[str, Any]:
    return {"past": {("recp_test_1", "thb"): Past(orders, least, most)}}


A_HUNDREDTH = {"hundredth": {TERMS: Near("0009", LONG_AGO, 1)}}


@pytest.mark.fault("E04")
@pytest.mark.parametrize(
    ("known", "words"),
    [
        (past(9, 1, 2), []),  # so few say nothing
        (past(10, 1, 12344), ["1,234.50", "10 orders", "123.44"]),
        (past(10, 1, 12345), []),
        (past(10, 1234500, 1234500), []),
        (past(10, 1234501, 9999999), ["1,234.50", "10 orders", "12,345.01"]),
        (A_HUNDREDTH, ["1,234.50", "order 0009", LONG_AGO]),
        ({**A_HUNDREDTH, **past(10, 1, 1)}, ["order 0009"]),
        ({"hundredth": {TERMS: Near("0001", LONG_AGO, 1)}}, []),  # it is its own
        ({"past": {("recp_test_2", "thb"): Past(10, 1, 1)}}, []),
    ],
)
def test_an_amount_far_outside_of_its_recipients_past_is_told_or_held(
    known: dict[str, Any], words: list[str]
) -> None:
    """Above ten times the most, below a tenth of the least, or a hundred times what the same payer
    was asked; the job says whether a person must look first.
    """
    told = stand(other(), history(**known), FREE)
    assert isinstance(told, MayGo) and bool(told.warnings) is bool(words)
    held = stand(other(), history(**known), Guards(history="hold"))
    assert isinstance(held, Waits) is bool(words)
    for word in words:
        assert word in worded(told.warnings) and word in why_of(held)
    if isinstance(held, Waits):
        assert held.who_acts == ACCOUNTANT
        assert "--reason TEXT 0001" in worded(held.why)


# --- what a day may take


def asks(number: int, amount: int = 1000, **changes: Any) -> Row:
    """One of several orders of a file, each of its own payer."""
    document = {
        **DOCUMENT,
        "order_id": f"{number:04d}",
        "amount": amount,
        "card": f"tokn_test_{number}",
        **changes,
    }
    return Row(BATCH, "", number + 1, document)


def in_turn(guards: Guards, *rows: Row, several: bool = False) -> list[Standing]:
    """What rows are that would all go, one after the other."""
    going = Going(several=several)
    return [held_beside(row, MayGo(1), guards, going) for row in rows]


@pytest.mark.fault("H04")
@pytest.mark.parametrize(
    ("limits", "recipients", "sent"),
    [
        ({"max_day": {"THB": 2500}}, ("r1", "r1", "r1"), [True, True, False]),
        ({"max_day": {"THB": 2500}}, ("r1", "r2", "r3"), [True, True, False]),
        ({"max_recipient": {"THB": 1999}}, ("r1", "r1", "r2"), [True, False, True]),
        ({"max_recipient": {"THB": 2000}}, ("r1", "r1", "r1"), [True, True, False]),
        (
            {"max_day": {"THB": 3000}, "of_day": {("", "THB"): 1001}},
            ("r1", "r1", "r1"),
            [True, False, False],
        ),
        (
            {"max_recipient": {"THB": 3000}, "of_day": {("r2", "THB"): 3000}},
            ("r1", "r2", "r1"),
            [True, False, True],
        ),
    ],
)
def test_what_a_day_may_take_is_left_to_those_that_go_first(
    limits: dict[str, Any], recipients: tuple[str, ...], sent: list[bool]
) -> None:
    """With what the day took already; of all recipients, and of each."""
    rows = [asks(at, destination=to) for at, to in enumerate(recipients, 1)]
    found = in_turn(Guards(**limits), *rows)
    assert [isinstance(one, MayGo) for one in found] == sent


@pytest.mark.fault("H04")
@pytest.mark.parametrize("limit", ["max_day", "max_recipient"])
def test_over_a_days_limit_a_person_reads_three_amounts_and_what_to_do(
    limit: str,
) -> None:
    """And whether it is the recipient's own limit."""
    guards: Any = Guards(**{limit: {"THB": 2500}})
    _, _, third = in_turn(guards, asks(1), asks(2), asks(3))
    assert isinstance(third, Waits) and third.who_acts == ACCOUNTANT
    told = worded(third.why)
    assert ("recipient" in told) is (limit == "max_recipient")
    for word in ("10.00 THB", "20.00 THB", "25.00 THB", "--reason TEXT 0003"):
        assert word in told
    alone = stand(asks(4, 2501), History(), guards)
    assert isinstance(alone, Waits) and "25.01 THB" in worded(alone.why)


@pytest.mark.fault("H04")
def test_what_was_sent_already_takes_no_second_share_of_its_day() -> None:
    """It counts among what the day took; what was never charged is as if new."""
    guards = Guards(max_day={"THB": 123450})
    (doubt,) = fold([FIRST])
    (ready,) = fold([FIRST, VOIDED])
    for attempt, sums in ((doubt, 0), (ready, 123450)):
        going = Going()
        goes_on = Owns(attempt, resumes=True)
        assert held_beside(mine(), goes_on, guards, going) == goes_on
        assert going.sums["", "THB"] == going.sums["recp_test_1", "THB"] == sums
    spent = replace(guards, of_day={("", "THB"): 1})
    shown = stand(mine(), history(FIRST), spent)
    assert isinstance(shown, Owns) and shown.resumes
    assert isinstance(stand(mine(), history(FIRST, VOIDED), spent), Waits)


@pytest.mark.fault("H04")
@pytest.mark.parametrize(
    ("events", "counts"),
    [
        ([FIRST], True),  # it may be sent again today
        ([replace(FIRST, at_ns=100), VOIDED], False),
        ([replace(FIRST, at_ns=100), DECLINED], False),
        ([FIRST, PAID], False),  # yesterday
        ([replace(FIRST, at_ns=100), PAID], True),
        ([replace(FIRST, at_ns=99), PAID], False),
    ],
)
def test_what_a_day_took_is_what_was_sent_in_it_or_is_in_doubt(
    events: list[Any], *, counts: bool
) -> None:
    """From its first moment on."""
    (attempt,) = fold(events)
    assert counts_since(attempt, 100) is counts


# --- orders that go beside each other


@pytest.mark.fault("E04", "J07")
@pytest.mark.parametrize(
    ("guards", "several", "second_id", "batch", "kind", "words"),
    [
        ({}, False, "1", OTHER, MayGo, ""),
        ({}, True, "1", OTHER, ConflictWith, "0001"),
        ({"distinct_ids": True}, True, "1", OTHER, MayGo, ""),
        ({}, True, "1", BATCH, MayGo, ""),  # its own file is judged as one
        ({}, True, "0999", OTHER, MayGo, ""),
        ({"near_duplicates": "hold"}, False, "0999", BATCH, Waits, "order 0001"),
        ({"near_duplicates": "hold"}, True, "0001", BATCH, MayGo, ""),
        ({"near_duplicates": "hold"}, True, "1", OTHER, ConflictWith, "0001"),
    ],
)
def test_of_two_that_ask_for_the_same_in_one_run_the_second_may_wait(
    guards: dict[str, Any],
    several: bool,
    second_id: str,
    batch: str,
    kind: type,
    words: str,
) -> None:
    """Where a file of two has its id damaged, or the job holds what resembles another."""
    asked = {**DOCUMENT, "customer": "cust_test_1", "card": "card_test_1"}
    first = mine(asked)
    then = Row(batch, "", 5, {**asked, "order_id": second_id})
    one, two = in_turn(Guards(**guards), first, then, several=several)
    assert isinstance(one, MayGo) and type(two) is kind
    if kind is not MayGo:
        assert words in why_of(two)
    other_money = replace(then, document={**then.document, "amount": 7})
    assert in_turn(Guards(**guards), first, other_money, several=several) == [
        MayGo(1),
        MayGo(1),
    ]


@pytest.mark.fault("E03", "E10")
def test_a_token_that_pays_an_order_pays_no_other() -> None:
    """One of an earlier file, or one that goes first; what takes another's place goes with what
    that one did not spend.
    """
    spent = {"spent": {"tokn_test_1": Near("0009", LONG_AGO, 1)}}
    told = stand(other(), history(**spent), FREE)
    assert isinstance(told, Rejected)
    for word in ("order 0009", LONG_AGO, "enter the card again"):
        assert word in worded(told.why)
    for held_by in ({"stop": "s"}, {"gone": "a.csv"}, {"max_day": {"THB": 1}}):
        assert stand(other(), history(**spent), Guards(**held_by)) == told
    own = {"spent": {"tokn_test_1": Near("0001", LONG_AGO, 1)}}
    assert stand(other(), history(**own), FREE) == MayGo(1)
    assert stand(other(), history(**spent), Guards(asks_first=True)) == MayGo(1)
    goes_on = stand(mine(), history(FIRST, VOIDED, **spent), FREE)
    assert isinstance(goes_on, Owns) and goes_on.resumes
    taken = {"spent": {"tokn_test_2": Near("0009", LONG_AGO, 1)}}
    assert isinstance(
        stand(mine(CHANGED), history(FIRST, VOIDED, **taken), FREE), MayGo
    )
    same_token = asks(2, card="tokn_test_1")
    _, second_one = in_turn(FREE, asks(1), same_token)
    assert isinstance(second_one, Rejected)
    for word in ("order 0001", BATCH, "enter the card again"):
        assert word in worded(second_one.why)


# --- what a row is by itself


@pytest.mark.fault("L11")
def test_a_person_who_took_an_adopted_charge_took_its_terms_too() -> None:
    """What is wrong with it is told beside how its row differs; the run goes on."""
    wrong = replace(ADOPTED, data={**ADOPTED.data, "flaws": ["amount: asked 5, got 6"]})
    row = mine({**DOCUMENT, "amount": 5})
    told = stand(row, history(wrong), FREE)
    assert isinstance(told, Owns) and told.contradicts
    assert told.attempt.flaws[0] == "amount: asked 5, got 6"
    assert "other terms" in told.attempt.flaws[1] and len(told.attempt.flaws) == 2
    word = event("resolved", **{"as": "accepted"}, reason="a discount", by="me")
    taken = stand(row, history(wrong, word), FREE)
    assert isinstance(taken, Owns) and not taken.contradicts
    assert "a discount" in taken.attempt.accepted


@pytest.mark.fault("E03", "E08", "J07")
def test_what_its_own_file_makes_of_a_row_is_told_in_the_files_words() -> None:
    """Unless an attempt of its order, or one that looks like it, tells more."""
    conflict = Repeat(Outcome.CONFLICT, plain("row 3 differs"), alone=True)
    rejected = Repeat(Outcome.REJECTED, plain("row 3 has its token"))
    assert why_of(stand(other(repeat=conflict), history(), FREE)) == "row 3 differs"
    told = stand(other(repeat=rejected), history(), FREE)
    assert why_of(told) == "row 3 has its token"
    double = stand(other(repeat=conflict), history(FIRST, PAID), FREE)
    assert isinstance(double, DuplicateOf) and "chrg_test_1" in why_of(double)
    changed = stand(other(CHANGED, repeat=conflict), history(FIRST, PAID), FREE)
    assert why_of(changed) == "row 3 differs"
    several = replace(conflict, alone=False)
    asked = stand(other(repeat=several), history(FIRST, PAID), FREE)
    assert why_of(asked) == "row 3 differs"
    never = stand(other(repeat=conflict), history(FIRST, VOIDED), FREE)
    assert why_of(never) == "row 3 differs"


@pytest.mark.fault("J07")
def test_of_two_rows_that_look_alike_the_earlier_orders_twin_names_that_order() -> None:
    """Else they contest each other, in the words of their file."""
    looks = replace(LOOKS_ALIKE, looks_like="01")
    twin = {"look_alikes": {alike("0001"): fold([replace(FIRST, order_id="01")])}}
    told = why_of(stand(other(repeat=looks), history(**twin), FREE))
    assert "order 01 of batch" in told
    assert why_of(stand(other(repeat=looks), history(), FREE)) == (
        "row 3 has its id without zeros"
    )
    asked = once(FIRST, DECLINED, **twin)
    told = stand(other(repeat=looks, earlier=("0005",)), asked, FREE)
    assert isinstance(told, ConflictWith) and "order 01 of batch" in why_of(told)


@pytest.mark.fault("J13")
@pytest.mark.parametrize(
    ("received_ns", "kind"), [(None, MayGo), (0, DuplicateOf), (1, MayGo), (2, MayGo)]
)
def test_a_row_that_comes_back_is_answered_by_an_attempt_since_its_file_came(
    received_ns: int | None, kind: type
) -> None:
    """One attempt more is made than there were then, and not one for each file."""
    known = history(FIRST, DECLINED, received_ns=received_ns)
    assert type(stand(other(comeback=True), known, FREE)) is kind


@pytest.mark.fault("J07")
@pytest.mark.parametrize(
    ("events", "changed", "kind", "words"),
    [
        (
            [FIRST, PAID],
            False,
            DuplicateOf,
            "the corrected row of its order was charged",
        ),
        ([FIRST, PAID], True, ConflictWith, "came back as another, which was charged"),
        (
            [FIRST, VOIDED],
            False,
            DuplicateOf,
            "the corrected row of its order goes first",
        ),
        ([FIRST, VOIDED], True, ConflictWith, "came back as another, which goes first"),
    ],
)
def test_a_row_whose_order_came_back_as_another_is_told_so(
    events: list[Any], changed: bool, kind: type, words: str
) -> None:
    """Another row of its id was corrected: this one asks for the same, or for something else."""
    first, *rest = (replace(one, order_id="0005", row=7) for one in events)
    intent = {**first.data["intent"], "sale": [by_order("0001")]}
    corrected = fold([replace(first, data={**first.data, "intent": intent}), *rest])
    known = history(corrected={place_of(OTHER, "", 9): corrected})
    row = other({**DOCUMENT, "amount": 5} if changed else DOCUMENT)
    standing = stand(row, known, Guards(present={BATCH}))
    assert type(standing) is kind and words in why_of(standing)
    assert "order 0005 of batch" in why_of(standing)


@pytest.mark.fault("J07", "J13")
@pytest.mark.parametrize(
    ("changed", "words"),
    [(False, "an earlier id of this order goes first"), (True, "had another order id")],
)
def test_what_goes_first_under_an_earlier_id_is_told_so(
    changed: bool, words: str
) -> None:
    """It was never charged, and its file is here."""
    row = other({**DOCUMENT, "amount": 5} if changed else DOCUMENT, earlier=("0005",))
    told = stand(row, once(FIRST, VOIDED), Guards(present={BATCH}))
    assert words in why_of(told)


@pytest.mark.fault("J07")
def test_a_copy_of_an_order_that_its_row_never_asked_for_is_for_a_person() -> None:
    """A fill handle went over the ids; a correction of that very order, or of what asked for the
    same, is none.
    """
    place = place_of(OTHER, "", 9)
    asked = {**DOCUMENT, "amount": 777}
    row = other(corrects=place_of(BATCH, "", 5))
    copied = stand(row, history(FIRST, PAID, named={place: asked}), FREE)
    assert isinstance(copied, ConflictWith)
    for word in ("order 0001", "came back for", "under its own order id"):
        assert word in why_of(copied)
    alike_ = stand(row, history(FIRST, PAID, named={place: DOCUMENT}), FREE)
    untold = stand(row, history(FIRST, PAID, named={place: {}}), FREE)
    assert isinstance(alike_, DuplicateOf) and isinstance(untold, DuplicateOf)
    intent = {**FIRST.data["intent"], "corrects": place_of(BATCH, "", 5)}
    corrects = replace(FIRST, data={**FIRST.data, "intent": intent})
    known = history(corrects, PAID, named={place: asked})
    assert isinstance(stand(row, known, FREE), DuplicateOf)


@pytest.mark.fault("B22", "J13")
def test_a_key_that_the_gateway_knows_with_another_body_is_planned_anew() -> None:
    """By its own row, or by the next one that asks for it where its file is not here; a stop keeps
    what it came to in sight.
    """
    reused = event("answer", 1, verdict="key_reused", status=409, code="c", message="m")
    ended = event("absent", 1, boot_id="b", boot_s=1.0, closes=True)
    known = [FIRST, reused, ended]
    (attempt,) = fold(known)
    assert attempt.reused and attempt.ready
    mine_now = stand(mine(), history(*known), FREE)
    assert isinstance(mine_now, MayGo) and mine_now.withdraw == attempt
    stopped = stand(mine(), history(*known), Guards(stop="s"))
    assert isinstance(stopped, Owns) and not stopped.resumes
    alone = stand(other(), history(*known), FREE)
    assert isinstance(alone, MayGo) and alone.withdraw == attempt
    waits = stand(other(), history(*known), WITH_ITS_FILE)
    assert isinstance(waits, DuplicateOf) and not waits.resumes


@pytest.mark.fault("E04")
def test_a_recent_order_is_told_whenever_it_was_asked_for() -> None:
    """Where no run's own orders are to be left out."""
    asked = near(replace(LAST_WEEK, at_ns=5))
    told = stand(other(), history(**asked), Guards())
    assert isinstance(told, MayGo) and told.warnings


# --- what a row is read as


TOTAL = Problem("", "", TOTAL_ROW())


def test_rows_of_a_chunk_but_some_keep_what_was_read_of_them() -> None:
    """The ids that they had before, too."""
    chunk = StoredChunk(
        0,
        "s",
        [2, 5, 6],
        [DOCUMENT, CHANGED, DOCUMENT],
        {},
        frozenset(),
        b"",
        earlier={2: ("0005",)},
    )
    assert rows_of(BATCH, chunk, {}, but=[2, 5]) == [
        Row(BATCH, "s", 6, DOCUMENT, earlier=("0005",))
    ]
    assert [row.row for row in rows_of(BATCH, chunk, {}, but=[2])] == [5, 6]


def test_a_row_is_of_the_sale_of_its_first_row_or_its_order_or_of_its_own() -> None:
    """In that order."""
    firsts = {other().place: "the first"}
    assert History(firsts=firsts).sale(other()) == "the first"
    assert History(firsts=firsts).sale(mine()) == by_order("0001")
    assert History().sale(other({})) == other().place


@pytest.mark.parametrize(
    ("standing", "now"),
    [
        (MayGo(1), True),
        (Owns(fold([FIRST, VOIDED])[0], resumes=True), True),
        (Owns(fold([FIRST, VOIDED])[0]), False),
        (Owns(fold([FIRST])[0], resumes=True), False),  # it is looked up first
        (DuplicateOf(fold([FIRST, VOIDED])[0], (), resumes=True), True),
        (DuplicateOf(fold([FIRST])[0], (), resumes=True), False),
        (Cancelled("no"), False),
        (Waits((), ACCOUNTANT), False),
    ],
)
def test_what_goes_without_being_asked_about_first(
    standing: Standing, *, now: bool
) -> None:
    """What is new, or proven not to have been charged."""
    assert goes_now(standing) is now


@pytest.mark.parametrize(
    ("sheet", "row", "place"),
    [
        ("", 7, "batch b row 7"),
        ("Orders", 7, "batch b sheet Orders row 7"),
        ("Orders", 0, "batch b sheet Orders"),
        ("", 0, "batch b"),
    ],
)
def test_another_order_is_told_by_its_place_and_its_charge(
    sheet: str, row: int, place: str
) -> None:
    """As far as they are known; and then what to do about it."""
    intent = replace(INTENT, batch_id="b", sheet=sheet, row=row)
    (held,), (paid,) = fold([FIRST, VOIDED]), fold([FIRST, PAID])
    assert (
        str(attempt_told(replace(held, intent=intent)))
        == f"order 0001 of {place}, held"
    )
    told = str(attempt_told(replace(paid, intent=intent)))
    assert told == f"order 0001 of {place}, succeeded, chrg_test_1"
    clash = conflict_with(held, said.CONFLICT_PAID, plain("do this"))
    assert worded(clash.why).endswith("do this") and clash.attempt == held


# --- one sale under two ids


ROW = place_of(OTHER, "", 9)  # of other()
WHOSE = place_of(BATCH, "", 7)  # of the order beside it
STRANGER = {**DOCUMENT, "amount": 5, "destination": "recp_test_2"}


def of_another(*events: Any, **changes: Any) -> Attempt:
    """An attempt of order 0005, which another row asked for; with some of what it asked."""
    told = [replace(one, order_id="0005", batch_id=BATCH, row=7) for one in events]
    (attempt,) = fold(told or [replace(FIRST, order_id="0005", batch_id=BATCH, row=7)])
    return replace(attempt, intent=replace(attempt.intent, **changes))


@pytest.mark.fault("J07", "J13", "E05")
@pytest.mark.parametrize(
    ("row", "asked", "known", "guards", "one_sale"),
    [
        # the row itself says so, or a person does, or it is its own
        (other(corrects="there"), {}, {}, {}, True),
        (other(), {}, {"said": {ROW: {"0005": True}}}, {}, True),
        (other(), {"row": 0}, {}, {}, True),
        (other(), {"batch_id": OTHER, "row": 9}, {}, {}, True),
        # it came to correct the row, or its order
        (other(), {"sale": (ROW,)}, {}, {}, True),
        (other(), {"corrects": by_order("0001")}, {}, {}, True),
        (other({}), {"corrects": by_order("")}, {}, {}, None),
        # a person typed one id in the place of the other
        (other(), {}, {"typed": {ROW: [by_order("0005")]}}, {}, True),
        (other(), {}, {"typed": {ROW: [WHOSE]}}, {}, True),
        (other(), {}, {"typed": {ROW: [WHOSE]}}, {"are_new": True}, True),
        (other(STRANGER), {}, {"typed": {ROW: [WHOSE]}}, {"are_new": True}, False),
        (other(STRANGER), {}, {"typed": {ROW: [WHOSE]}}, {}, False),
        (
            other(STRANGER),
            {},
            {"typed": {ROW: [WHOSE]}, "typed_before": {ROW: [WHOSE]}},
            {},
            True,
        ),
        # the row that was charged has this row's id today, or another one
        (other(), {}, {"bears": {WHOSE: "0001"}}, {}, True),
        (other(STRANGER), {}, {"bears": {WHOSE: "0001"}}, {}, True),
        (other(), {}, {"bears": {WHOSE: "1"}}, {}, True),
        (other(), {}, {"bears": {WHOSE: "1"}}, {"distinct_ids": True}, None),
        (other(), {}, {"bears": {WHOSE: "0006"}}, {"present": {BATCH}}, False),
        # its file is not here to tell, or gives it no id
        (other(), {}, {"bears": {WHOSE: "0006"}}, {}, None),
        (other(), {}, {"bears": {}}, {"present": {BATCH}}, None),
        (other(), {}, {}, {}, None),
        (other(STRANGER), {}, {}, {}, False),
        # a person once said so, for another id than today's
        (
            other(),
            {},
            {"said": {ROW: {"0005": False}}, "bears": {WHOSE: "0006"}},
            {"present": {BATCH}},
            None,
        ),
        (
            other(STRANGER),
            {},
            {"said": {ROW: {"0005": False}}, "bears": {WHOSE: "0006"}},
            {"present": {BATCH}},
            None,
        ),
        (
            other(),
            {},
            {"said": {ROW: {"0005": False}}, "bears": {WHOSE: "0001"}},
            {},
            True,
        ),
    ],
)
def test_who_tells_whether_two_ids_are_one_sale(
    row: Row,
    asked: dict[str, Any],
    known: dict[str, Any],
    guards: dict[str, Any],
    one_sale: bool | None,
) -> None:
    """The first that knows; None where nobody can tell."""
    attempt = of_another(FIRST, PAID, **asked)
    assert is_kin(row, attempt, History(**known), Guards(**guards)) is one_sale


@pytest.mark.fault("E03", "J07")
def test_two_rows_that_contradicted_each_other_are_two_sales() -> None:
    """Whatever else says that they are one: a person gave one of them an id of its own. Not where
    they ask for the same, or the row could not be read.
    """
    cheap = {**DOCUMENT, "amount": 5}
    rivals = Rivals({"p": terms_in(cheap), WHOSE: terms_in(DOCUMENT)})
    known = History(rivals={ROW: (["p"], [rivals])})
    attempt = of_another(FIRST, PAID)
    row = other(cheap, corrects="there")
    assert is_kin(row, attempt, known, FREE) is False
    assert is_kin(replace(row, problems=(TOTAL,)), attempt, known, FREE) is True
    assert is_kin(replace(row, document=DOCUMENT), attempt, known, FREE) is True
    nobodys = History(rivals={ROW: (["elsewhere"], [Rivals({"p": "", "q": ""})])})
    assert is_kin(row, attempt, nobodys, FREE) is True


@pytest.mark.fault("J07")
@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ({"order_id": "0001"}, {}, True),
        ({"places": (ROW,)}, {}, True),
        ({}, {"bears": {WHOSE: "0001"}}, True),
        ({"asked": (STRANGER,)}, {"bears": {WHOSE: "0001"}}, True),
        ({}, {}, None),
        ({"asked": (DOCUMENT,)}, {}, None),
        ({"asked": (STRANGER, DOCUMENT)}, {}, None),
        ({"asked": (STRANGER,)}, {}, False),
        ({"asked": (DOCUMENT,)}, {"bears": {WHOSE: "0006"}}, False),
    ],
)
def test_whom_a_word_about_an_earlier_id_is_about(
    word: dict[str, Any], known: dict[str, Any], said: bool | None
) -> None:
    """The row itself, by its id or its place; or whoever has its id today."""
    told = replace(Cancellation("fraud", "0005", 2, BATCH, (WHOSE,)), **word)
    here = (
        Guards(present={BATCH}) if "0006" in known.get("bears", {}).values() else FREE
    )
    assert is_said_of(other(), told, History(**known), here) is said


def test_by_what_a_row_is_named() -> None:
    """Its place, and every id that it has or had; one without an id by its place alone."""
    assert keys_of(other(earlier=("0005",))) == (
        ROW,
        by_order("0001"),
        by_order("0005"),
    )
    assert keys_of(other({})) == (ROW,)


THROTTLED = event("answer", 1, verdict="throttled", status=429, code="c", message="m")
REFUSED = event("answer", 1, verdict="refused", status=400, code="c", message="m")
WITHDRAWN = event("withdrawn")


def beside_it(*attempts: Attempt, **more: Any) -> History:
    """What is known of a row that may be one sale with other orders."""
    return History(corrected={ROW: attempts}, **{"bears": {WHOSE: "0001"}, **more})


@pytest.mark.fault("B19", "J07")
@pytest.mark.parametrize(
    ("events", "is_in_vain"),
    [
        ([FIRST, DECLINED], True),
        ([FIRST, REFUSED], True),
        ([FIRST, THROTTLED], True),  # it left, and is said to have charged nothing
        ([FIRST, THROTTLED, WITHDRAWN], True),
        ([FIRST, VOIDED], False),  # nobody was asked
        ([FIRST, VOIDED, WITHDRAWN], False),
        ([FIRST], False),
        ([FIRST, PAID], False),
    ],
)
def test_what_somebody_was_asked_for_in_vain(
    events: list[Any], *, is_in_vain: bool
) -> None:
    """Of one sale only."""
    attempt = of_another(*events)
    found = list(kin_without_money(other(), beside_it(attempt), FREE))
    assert found == ([attempt] if is_in_vain else [])
    others = beside_it(attempt, bears={WHOSE: "0006"})
    assert list(kin_without_money(other(), others, Guards(present={BATCH}))) == []


@pytest.mark.fault("B19", "J07", "J13", "I1")
def test_what_may_be_of_the_sale_is_looked_for_before_the_row_goes() -> None:
    """Where nobody can tell, and nothing else keeps the row back: it is an order that came back, or
    a person said that it is new. What was asked for in vain answers for none but its own sale.
    """
    maybe = of_another(FIRST, REFUSED)
    known = beside_it(maybe, bears={})
    row = other(comeback=True)
    assert is_kin(row, maybe, known, FREE) is None
    standing = stand(row, known, FREE)
    assert standing == MayGo(1, (maybe,), unsure=(maybe,))
    assert asked_before(other(), known, FREE) is None
    missing = replace(maybe, missing_ns=1)
    assert isinstance(stand(row, beside_it(missing, bears={}), FREE), Waits)


@pytest.mark.fault("J06", "J07", "J13", "I1")
def test_what_may_be_of_the_sale_keeps_the_row_back_whatever_an_edit_makes_of_it() -> (
    None
):
    """It asked for the same when its file came; likewise what was asked for in vain."""
    ended = of_another(FIRST, DECLINED)
    edited = {**DOCUMENT, "amount": DOCUMENT["amount"] - 5}
    row = other(edited, asked=(DOCUMENT,))
    assert asked_before(row, beside_it(ended), FREE) == ended
    assert asked_before(other(edited), beside_it(ended), FREE) is None
    unsure = beside_it(ended, bears={})
    assert isinstance(stand(row, unsure, FREE), Waits)
    assert isinstance(stand(other(edited), unsure, FREE), MayGo)


@pytest.mark.fault("J13", "J07")
def test_that_an_id_is_another_asks_for_no_second_attempt() -> None:
    """The last that asked for the same is told, whatever waits before it; not one that corrected
    the row.
    """
    waits, ended = of_another(FIRST, THROTTLED), of_another(FIRST, DECLINED)
    again = replace(ended, intent=replace(ended.intent, order_id="0006"))
    known = beside_it(waits, ended, again)
    assert asked_before(other(), known, FREE) == again
    assert asked_before(other(), beside_it(waits, ended), FREE) == ended
    for row in (
        other(comeback=True),
        other(corrects="there"),
        other({**DOCUMENT, "amount": 5}),
    ):
        assert asked_before(row, known, FREE) is None
    corrects = replace(ended, intent=replace(ended.intent, sale=(ROW,)))
    assert asked_before(other(), beside_it(corrects), FREE) is None


@pytest.mark.fault("J13")
def test_a_later_attempt_settles_the_row_whose_own_was_sent() -> None:
    """Whenever its file came: an earlier one settled something else, and so did one of an order of
    which the row never asked anything.
    """
    paid_then = [FIRST, DECLINED, *second(PAID)]
    last = fold(paid_then)[-1]
    assert settled_by(mine(), history(*paid_then), 1) == last
    # a later attempt of another order is no later one of its own
    apart = replace(last, intent=replace(last.intent, order_id="0005"))
    kin = {"corrected": {mine().place: (apart,)}, "bears": {ROW: "0001"}}
    assert settled_by(mine(corrects=""), history(FIRST, DECLINED, **kin), 1) is None
    # of its own not a byte left
    assert settled_by(mine(), history(FIRST, VOIDED, *second(PAID)), 1) is None
    third = Row(LONG_AGO, "", 4, DOCUMENT)
    assert settled_by(third, history(*paid_then), 1) is None
    key = INTENT.key[:-1] + "1"
    intent = {**FIRST.data["intent"], "key": key}
    mine_again = [
        replace(FIRST, attempt=3, data={**FIRST.data, "intent": intent}),
        replace(DECLINED, attempt=3),
    ]
    assert settled_by(mine(), history(*paid_then, *mine_again), 1) is None


@pytest.mark.fault("E03", "J07")
def test_what_a_rival_was_charged_settles_no_row_that_came_back_itself() -> None:
    """They contradicted each other under one id; one that did not come back is of its order."""
    cheap = {**DOCUMENT, "amount": 5}
    rivals = Rivals({ROW: terms_in(cheap), place_of(BATCH, "", 2): terms_in(DOCUMENT)})
    found = {"rivals": {ROW: ([ROW], [rivals])}}
    paid = fold([FIRST, PAID])[0]
    came = of_another(FIRST, DECLINED, sale=(ROW,))
    went = of_another(FIRST, DECLINED)
    row = other(cheap)
    for kin, settles in (((came,), None), ((went,), paid), ((), paid)):
        known = History({"0001": (paid,)}, corrected={ROW: kin}, **found)
        assert settled_by(row, known, 0) == settles
    apart = History({"0001": (paid,)}, corrected={ROW: (came,)})
    assert settled_by(row, apart, 0) == paid


@pytest.mark.fault("J07", "E05")
def test_of_several_that_settle_a_row_the_one_that_came_for_it_is_told() -> None:
    """Else the first; what merely has to do with its sale settles nothing."""
    own = fold([FIRST, PAID])[0]
    came = of_another(FIRST, PAID, sale=(ROW,))
    row = other(problems=(TOTAL,))
    assert (
        settled_by(row, History({"0001": (own,)}, corrected={ROW: (came,)}), 0) == came
    )
    answered = of_another(FIRST, PAID)
    known = History({"0001": (own,)}, answered={ROW: (answered,)})
    assert settled_by(row, known, 0) == own
    assert settled_by(row, History(answered={ROW: (answered,)}), 0) == answered
    declined = of_another(FIRST, DECLINED)
    assert settled_by(row, History(answered={ROW: (declined,)}), 0) is None
    # another order that its id once had; it asked for other money
    other_money = of_another(FIRST, PAID, amount=5)
    assert settled_by(other(), beside_it(other_money), 0) is None
    same_money = of_another(FIRST, PAID)
    assert settled_by(other(), beside_it(same_money), 0) == same_money
    assert settled_by(other(), beside_it(same_money, bears={WHOSE: "0006"}), 0) is None


@pytest.mark.fault("J07", "E05")
def test_the_same_row_in_an_older_file_speaks_for_this_one() -> None:
    """By what settled it, or what was charged of its order since that file came; but for the row's
    own.
    """
    paid = fold([FIRST, PAID])[0]
    told = of_another(FIRST, PAID)

    def known(received_ns: int, *settled: Attempt) -> History:
        older = Same(place_of(LONG_AGO, "", 4), received_ns, settled)
        return history(FIRST, PAID, same={ROW: (older,), mine().place: (older,)})

    assert settled_by(other(), known(0, told), 1) == told
    assert settled_by(other(), known(0), 1) == paid
    assert settled_by(other(), known(1), 1) is None
    assert settled_by(mine(), known(0), 1) is None
    declined = of_another(FIRST, DECLINED)
    assert settled_by(other(), known(1, declined), 1) is None


@pytest.mark.fault("J07")
@pytest.mark.parametrize(
    ("row", "known", "guards", "word"),
    [
        (other(), {}, {}, ""),
        (other(), {}, {"cancelled_sales": {ROW: "w"}}, "w"),
        (other(), {}, {"cancelled_sales": {"there": "w"}}, ""),
        (other(corrects="there"), {}, {"cancelled_sales": {"there": "w"}}, "w"),
        (other(), {}, {"cancelled_sales": {by_order("0001"): "w"}}, ""),
        (
            other(corrects="there"),
            {"others": {ROW: ("0005",)}},
            {"cancelled_sales": {by_order("0005"): "w"}},
            "w",
        ),
        (
            other(corrects="there"),
            {"others": {ROW: ("0005",)}, "cancelled": {"0005": "w"}},
            {},
            "w",
        ),
        (other(), {"others": {ROW: ("0005",)}, "cancelled": {"0005": "w"}}, {}, ""),
        (other(), {"cancelled": {"0001": "w"}}, {}, "w"),
        (
            other(),
            {"typed": {ROW: [by_order("0005")]}, "cancelled": {"0005": "w"}},
            {},
            "w",
        ),
        (
            other(),
            {"typed": {ROW: [by_order("0005")]}},
            {"cancelled_sales": {by_order("0005"): "w"}},
            "w",
        ),
        (
            other(),
            {"typed": {ROW: [by_order("0005")]}, "cancelled": {"0005": "w"}},
            {"are_new": True},
            "w",
        ),
        (other(), {"words": {ROW: (Cancellation("w", "0001", 2, BATCH),)}}, {}, "w"),
        (other(), {"words": {ROW: (Cancellation("w", "0005", 2, BATCH),)}}, {}, ""),
    ],
)
def test_whose_word_cancels_a_row(
    row: Row, known: dict[str, Any], guards: dict[str, Any], word: str
) -> None:
    """Its own, that of its order, of what it came back for, and of what a person typed for it; one
    that did not come back is no other sale for the ids that it had.
    """
    assert why_cancelled(row, History(**known), Guards(**guards)) == word


@pytest.mark.fault("J07")
def test_a_cancelled_attempt_cancels_those_of_its_sale() -> None:
    """Any attempt of its own order, whatever was found of others since, or one of another order
    that is one sale with it.
    """
    by_hand = event("resolved", **{"as": "cancelled"}, reason="wrong shop", by="me")
    word = "me on 1970-01-01T00:00:00Z: wrong shop"
    assert why_cancelled(other(), history(FIRST, VOIDED, by_hand), FREE) == word
    later = history(FIRST, VOIDED, by_hand, *second(DECLINED))
    assert why_cancelled(other(), later, FREE) == word
    kin = of_another(FIRST, VOIDED, by_hand)
    assert why_cancelled(other(), beside_it(kin), FREE) == word
    apart = beside_it(kin, bears={WHOSE: "0006"})
    assert why_cancelled(other(), apart, Guards(present={BATCH})) == ""
    assert why_cancelled(other(), beside_it(of_another(FIRST, DECLINED)), FREE) == ""


@pytest.mark.fault("L10")
def test_a_persons_word_ends_what_waits_for_others() -> None:
    """A row that broke a rule, or took no money, stays what it is: it is told that nobody is asked
    any more. One that was charged all the same says whose word it was.
    """
    word = {"cancelled": {"0001": "w"}}
    for history_of, given_up in ((history(**word), "w"), (history(), "")):
        wrong = stand(other(problems=(TOTAL,)), history_of, FREE)
        assert wrong == Rejected((TOTAL,), given_up=given_up)
    for answer in (DECLINED, PAID):
        shown = stand(mine(), history(FIRST, answer, **word), FREE)
        assert isinstance(shown, Owns) and shown.given_up == "w"


@pytest.mark.fault("J13")
@pytest.mark.parametrize(
    ("by_itself", "kind"),
    [
        (None, Owns),
        (Repeat(Outcome.CONFLICT, plain("row 4 differs")), Owns),
    ],
)
def test_of_two_ids_that_look_alike_the_one_that_was_sent_does_not_give_way(
    by_itself: Repeat | None, kind: type
) -> None:
    """What rows of its very own id make of it counts all the same."""
    looks = replace(LOOKS_ALIKE, looks_like="01", by_itself=by_itself)
    assert isinstance(stand(mine(repeat=looks), history(FIRST, PAID), FREE), kind)
    waits = stand(mine(repeat=looks), history(FIRST, VOIDED), FREE)
    assert isinstance(waits, Owns if by_itself is None else ConflictWith)
    if by_itself is not None:
        assert why_of(waits) == "row 4 differs"


@pytest.mark.fault("L11", "J13")
def test_an_adopted_charge_that_waits_is_not_planned_anew() -> None:
    """Nobody here knows what it asked for, to the letter."""
    ready = replace(fold([FIRST, VOIDED])[0], adopted=True)
    known = History({"0001": (ready,)}, {2: ("0001",)})
    shown = stand(mine(problems=(TOTAL,)), known, FREE)
    assert isinstance(shown, Owns) and shown.attempt == ready


@pytest.mark.fault("J07", "E03")
def test_what_waits_of_its_sale_is_no_reason_why_a_contested_row_is_told_less() -> None:
    """Money and words come first; what was never charged is neither."""
    conflict = Repeat(Outcome.CONFLICT, plain("row 3 differs"), alone=True)
    row = other(repeat=conflict)
    here = Guards(present={BATCH})
    waits = stand(row, history(**corrected_by(FIRST, VOIDED)), here)
    assert why_of(waits) == "row 3 differs"
    paid = stand(row, history(**corrected_by(FIRST, PAID)), here)
    assert isinstance(paid, DuplicateOf)


# --- do two ask for the same?


def of(payer: str = "cust_1", **changes: Any) -> Asked:
    """Who asks for how much, for whom."""
    return replace(Asked(payer, "r1", 500, "thb"), **changes)


@pytest.mark.fault("J07", "J13")
@pytest.mark.parametrize(
    ("one", "other_one", "strangers"),
    [
        (of(), of("cust_2", amount=7), True),
        (of(), of("cust_2", currency="jpy"), True),
        (of(), of("cust_2"), False),  # the same money
        (of(), of("cust_2", currency=None), False),
        (of(), of(amount=7), False),  # the same payer
        (of("cust_1:card_1"), of("cust_1:card_2", amount=7), False),
        (of(""), of("cust_2", amount=7), False),  # nobody knows who
        (of(), of("cust_2", amount=None), False),  # ... or how much
        (of("tokn_1", pays_once=True), of("tokn_2", amount=7), False),
        (of("tokn_1", pays_once=True), of("tokn_2", amount=7, destination="r2"), True),
        (of("tokn_1", pays_once=True), of("cust_2", amount=7), False),
        (of("tokn_1", pays_once=True), of("tokn_2", amount=7, destination=None), False),
        (of("tokn_1", pays_once=True), of("tokn_2", amount=7, destination=""), False),
        (of("cust_1", destination="r2"), of("cust_1", amount=7), False),
        (of("src_1"), of("src_2", amount=7), True),
        (of("src_1"), of("cust_2", amount=7), False),  # nor a source of a customer
        (of("src_1"), of("cust_2", amount=7, destination="r2"), True),
        (of(""), of("cust_2", amount=7, destination="r2"), False),
    ],
)
def test_other_payers_of_other_money_are_strangers(
    one: Asked, other_one: Asked, *, strangers: bool
) -> None:
    """A token tells nothing of who paid, nor do a source and a customer of each other: there the
    recipient does.
    """
    assert one.stranger_to(other_one) is strangers
    assert other_one.stranger_to(one) is strangers


@pytest.mark.fault("J06", "J07")
@pytest.mark.parametrize(
    ("other_one", "may", "elsewhere"),
    [
        (of(), True, True),
        (of("cust_1:card_7"), True, True),
        (of("cust_2"), False, False),
        # nobody knows who paid: there the recipient tells
        (of("tokn_1"), True, False),
        (of("src_1"), True, False),
        (of(""), True, False),
    ],
)
def test_who_pays_tells_of_both_sides_alike_whether_it_may_be_one_sale(
    other_one: Asked, *, may: bool, elsewhere: bool
) -> None:
    """Whichever of the two is the row. `elsewhere`: with another recipient."""
    away = replace(other_one, destination="r2")
    for one, two in ((of(), other_one), (other_one, of())):
        assert one.may_be_sale_of(two) is one.same(two) is may
        assert one.contradicts(two) is not may
    assert of().may_be_sale_of(away) is away.may_be_sale_of(of()) is elsewhere


@pytest.mark.fault("J07")
@pytest.mark.parametrize(
    ("told", "denies"),
    [
        (of(), False),
        (of("cust_2"), True),
        (of(destination="r2"), True),
        (of(amount=7), True),
        (of(currency="jpy"), True),
        (of("", destination=None, amount=None, currency=None), False),
        (of("tokn_1"), False),
    ],
)
def test_what_is_not_known_denies_nothing(told: Asked, *, denies: bool) -> None:
    assert told.contradicts(of()) is denies


@pytest.mark.fault("E05")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": 7}, "0.07 THB instead of 1,234.50 THB"),
        ({"currency": "jpy"}, "123,450 JPY instead of 1,234.50 THB"),
        ({"currency": "THB", "description": "x"}, "another description or metadata"),
        ({"destination": "r2"}, "recipient r2 instead of recp_test_1"),
        ({"card": "tokn_test_2"}, "another way to pay"),
        (
            {"amount": 7, "destination": "r2"},
            "0.07 THB instead of 1,234.50 THB, recipient r2 instead of recp_test_1",
        ),
    ],
)
def test_how_a_row_differs_from_what_was_asked(
    changes: dict[str, Any], words: str
) -> None:
    """Everything that differs, and nothing else."""
    told = str(differs({**DOCUMENT, **changes}, fold([FIRST])[0]))
    assert words in told
    kinds = ("instead of", "another way", "description")
    assert sum(word in told for word in kinds) == 1


@pytest.mark.parametrize(
    ("kept", "row", "another"),
    [
        ("tokn_test_1", {"card": "tokn_test_2"}, False),  # a charge names no token
        ("", {"customer": "cust_1"}, False),
        ("cust_1", {"customer": "cust_2"}, True),
        ("cust_2", {"card": "tokn_test_2"}, False),
    ],
)
def test_of_an_adopted_charge_its_payer_is_what_it_tells(
    kept: str, row: dict[str, str], *, another: bool
) -> None:
    document = {name: one for name, one in DOCUMENT.items() if name != "card"}
    intent = replace(INTENT, content="", payer=kept)
    told = str(differs({**document, **row}, Attempt(intent, adopted=True)))
    assert ("another way to pay" in told) is another


# --- charges of which nothing tells whose they are

NAMELESS = Nameless("chrg_test_9", "", "recp_test_1", 123450, "thb", "")
KEY = INTENT.key


@pytest.mark.fault("J02", "L11", "B16")
@pytest.mark.parametrize(
    ("changes", "payer", "fits_it"),
    [
        ({}, "cust_1", True),
        ({}, "tokn_1", True),
        ({"payer": "cust_1"}, "cust_1:card_2", True),
        ({"payer": "cust_2"}, "cust_1", False),
        ({"order_id": "0001"}, "cust_1", True),
        ({"order_id": "0002"}, "cust_1", False),
        ({"key": KEY}, "cust_1", False),  # it is the order's own by its key
        ({"key": "another"}, "cust_1", True),
        ({"amount": 7}, "cust_1", False),
        ({"destination": "r2"}, "cust_1", False),
        # it tells no recipient: its payer must be the order's
        ({"destination": "", "payer": "cust_1"}, "cust_1:card_2", True),
        ({"destination": "", "payer": "cust_2"}, "cust_1", False),
        ({"destination": "", "payer": "cust_2"}, "tokn_1", False),
        ({"destination": ""}, "cust_1", False),
    ],
)
def test_which_orders_charge_a_nameless_one_may_be(
    changes: dict[str, Any], payer: str, *, fits_it: bool
) -> None:
    """By its terms, its payer and what it names, as far as it tells."""
    one = replace(NAMELESS, **changes)
    kept = Unclaimed()
    kept.add_nameless(one)
    asked = Asked(payer, "recp_test_1", 123450, "thb")
    found = fits(kept.nameless, asked, ["0001"], "night")
    assert found == ([one] if fits_it else [])
    assert fits({}, asked, ["0001"], "night") == []
    for unknown in ("destination", "amount", "currency"):
        half = replace(asked, **{unknown: None})
        assert fits(kept.nameless, half, ["0001"], "night") == []


@pytest.mark.fault("B19", "B22")
@pytest.mark.parametrize(
    ("made", "events", "unclear"),
    [
        ("", [FIRST, DECLINED], False),
        ("", [FIRST, REFUSED], True),
        ("", [FIRST, THROTTLED], True),
        ("", [FIRST, VOIDED], False),
        ("2099-01-01T00:00:00Z", [FIRST, REFUSED], True),
        ("1969-01-01T00:00:00Z", [FIRST, REFUSED], False),  # long before it was sent
    ],
)
def test_beside_what_is_said_to_have_charged_nothing_a_nameless_charge_is_in_doubt(
    made: str, events: list[Any], *, unclear: bool
) -> None:
    kept = Unclaimed()
    one = replace(NAMELESS, created_at=made)
    kept.add_nameless(one)
    (attempt,) = fold([replace(events[0], at_ns=10**18), *events[1:]])
    found = list(maybe_charged_among([attempt], kept.nameless, "night"))
    assert found == ([(attempt, one)] if unclear else [])


@pytest.mark.fault("J02", "L11")
def test_what_is_kept_of_a_charge_that_names_nobody() -> None:
    """Who paid and what it names; of one that kept a key nothing else is believed."""
    told = charge_in(charge(metadata={"order_id": "0001"}, customer="cust_test_1"))
    keyed = charge_in(
        charge(metadata={"order_id": "0001", "batchpay_key": "k"}, destination=None)
    )
    assert told is not None and keyed is not None
    one, other_one = nameless_of(told), nameless_of(keyed)
    at = "2026-11-24T00:00:00Z"
    mine = ("chrg_test_1", "cust_test_1", "recp_test_1", 123450, "thb", at, "0001")
    assert one == Nameless(*mine) and one.terms == ("recp_test_1", 123450, "thb")
    assert (other_one.order_id, other_one.key, other_one.destination) == ("", "k", "")


@pytest.mark.fault("J02", "L11")
def test_what_lists_showed_is_known_again_but_for_what_a_person_disowned() -> None:
    """A stray is its order's by its key, whatever anybody says."""
    found = charge_in(charge())
    assert found is not None
    told = (
        Stray(key=KEY, charge=found),
        Stray(key=KEY, charge=replace(found, id="chrg_test_2")),
        nameless_told([NAMELESS, replace(NAMELESS, charge_id="chrg_test_8")]),
        Disowned(charge_id="chrg_test_8"),
        Disowned(charge_id="chrg_test_1"),
        Stop(reason="no such event"),
    )
    events = [line(one, 1) for one in told]
    kept = unclaimed_in(events)
    assert list(kept.strays[KEY]) == ["chrg_test_1", "chrg_test_2"]
    assert kept.nameless == {NAMELESS.terms: {"chrg_test_9": NAMELESS}}
    assert kept.has(NAMELESS)
    assert not kept.has(replace(NAMELESS, charge_id="chrg_test_8"))
    assert not kept.has(replace(NAMELESS, amount=7))
    assert disowned_in(events) == {"chrg_test_8", "chrg_test_1"}
