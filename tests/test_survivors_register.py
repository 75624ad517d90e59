"""Where one small change of what a run knows once went unseen: whose a charge is, what is news of
it, what lists may say, and who waits for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.domain.books import PageOf
from batchpay.domain.errors import GatewaySilent
from batchpay.domain.events import (
    BelongsTo,
    ChargedElsewhere,
    Disowned,
    Lifted,
    Listed,
    NewOrders,
    Restored,
    Stop,
    Told,
    Unreadable,
    at_state,
    line,
)
from batchpay.domain.model import Answer, ChargeSeen, Event, OnItsWay
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import Shown
from batchpay.lifecycle.elsewhere import asked_of
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.paid import money_charges, money_of, paid_apart
from batchpay.lifecycle.places import by_order
from batchpay.lifecycle.sale_terms import BY_TERMS_NS
from batchpay.lifecycle.terms import Asked
from batchpay.settlement import Case, Channel, Recorder
from batchpay.settlement.belonging import Belonging
from batchpay.settlement.cases import Cases
from batchpay.settlement.entries import Entries
from batchpay.settlement.evidence import (
    is_claimed,
    is_known_already,
    is_refund,
    is_same,
    why_stop,
)
from batchpay.settlement.in_force import charges_told, stop_in_force, unreadable_in
from batchpay.settlement.ledger import TRIES, booked_charge, whole
from batchpay.settlement.others import (
    doubles,
    elsewhere_told,
    families_of,
)
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.throttled import LIST_EVERY_S, Throttled
from tests.fakes import START_NS, FakeClock, in_virtual_time
from tests.test_lifecycle import FIRST, INTENT, event
from tests.test_standing import DECLINED, PAID, THROTTLED, VOIDED
from tests.test_survivors_life import ENDED, GIVEN_BACK, TWIN, WAITS, seen_as, stands_as
from tests.test_survivors_settlement import Written, of_job

MINE = seen_as()
REFUSED = event("answer", 1, verdict="refused", status=400, code="c", message="m")


def kept(*events: Event) -> list[Event]:
    """Events of one order as the journal has them: each with where its attempt stands then."""
    return [
        at_state(one, fold(events[:number])[-1].state)
        for number, one in enumerate(events, 1)
    ]


def beside() -> Event:
    """A second attempt of the order, found at the gateway: it took the money too."""
    key = key_of("night", "0001", 2)
    paid = seen_as("chrg_test_2", metadata={"batchpay_key": key, "order_id": "0001"})
    asked = {**FIRST.data["intent"], "key": key}
    told = {"intent": asked, "charge": paid.to_json(), "flaws": [], "beside": True}
    return replace(FIRST, kind="adopted", attempt=2, send=0, data=told)


def at(main: Callable[[Recorder], Coroutine[Any, Any, Any]]) -> Written:
    """A run over a journal of its own, at 1000 s."""
    written = Written()
    written.run(main)
    return written


# --- what is news of an attempt


def known(**changes: Any) -> Attempt:
    """One that succeeded as it was asked for."""
    return replace(stands_as(MINE, twins=frozenset({MINE.id})), **changes)


@pytest.mark.fault("L6")
@pytest.mark.parametrize(
    ("changes", "charge", "is_known"),
    [
        ({}, MINE, True),
        ({}, replace(MINE, refunded=5), False),
        ({}, TWIN, False),
        ({"flaws": ("x",)}, MINE, False),
        ({"unproven_sends": frozenset({1})}, MINE, False),
        ({"refused": True}, MINE, False),
        ({"missing_ns": 1}, MINE, False),
        ({"untold": "chrg_test_1"}, MINE, False),
        ({"twins": frozenset({"chrg_test_1", "chrg_test_2"})}, MINE, False),
    ],
)
def test_only_the_one_charge_that_proved_an_attempt_is_no_news(
    changes: dict[str, Any], charge: ChargeSeen, *, is_known: bool
) -> None:
    assert is_known_already(known(**changes), charge) is is_known


@pytest.mark.fault("L6", "B31")
@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"charge": replace(MINE, refunded=5)}, True),  # an audit tells it
        ({"charge": replace(MINE, livemode=True)}, False),
        ({"charge": replace(MINE, amount=5)}, False),
        ({"charge": replace(MINE, currency="jpy")}, False),
        ({"charge": replace(MINE, destination="r2")}, False),
        ({"charge": replace(MINE, chain=None)}, False),
        ({"charge": replace(MINE, status="pending")}, False),
        ({"flaws": ("x",)}, False),
        ({"twins": frozenset({"chrg_test_1", "chrg_test_2"})}, False),
        ({"reread": True}, False),
        ({"missing_ns": 1}, False),
        ({"unknown": frozenset({"chrg_test_9"})}, False),
        ({"untold": "chrg_test_1"}, False),
        ({"odd": "partially refunded"}, False),
        ({"others": (Shown(TWIN),)}, False),
        ({"sent_ns": 7, "code": "c"}, True),
    ],
)
def test_a_look_up_says_the_same_where_nothing_of_money_changed(
    changes: dict[str, Any], *, same: bool
) -> None:
    assert is_same(known(), known(**changes)) is same
    beside = {"others": (Shown(TWIN),)}
    given_back = known(charge=replace(MINE, refunded=5), **beside)
    assert not is_same(known(**beside), given_back)


def test_what_was_given_back_is_a_refund() -> None:
    back = known(charge=replace(MINE, refunded=5))
    assert is_refund(known(), back) and not is_refund(back, back)
    assert not is_refund(stands_as(), back) and not is_refund(back, stands_as())


PENDING = known(charge=seen_as(status="pending", paid=False, chain=None))
FAILED = known(charge=seen_as(status="failed", paid=False, chain=None))
BOTH = frozenset({MINE.id, TWIN.id})
TWICE = known(twins=BOTH, others=(Shown(TWIN),))
OTHERWISE = known(charge=TWIN, twins=BOTH, others=(Shown(MINE),))
UNPROVEN = known(flaws=("amount: asked 1",))
SECOND = replace(
    stands_as(TWIN, twins=frozenset({TWIN.id})), intent=replace(INTENT, attempt=2)
)


@pytest.mark.fault("L10", "B31", "I8")
@pytest.mark.parametrize(
    ("others", "before", "after", "by_hand", "why"),
    [
        ((), None, known(), False, ""),
        ((), PENDING, known(), False, ""),
        ((), None, UNPROVEN, False, "chrg_test_1 is not proven to be what was asked"),
        ((), UNPROVEN, UNPROVEN, False, ""),
        ((), replace(UNPROVEN, accepted="kim"), UNPROVEN, False, "is not proven"),
        ((), None, replace(UNPROVEN, accepted="kim"), False, ""),
        ((), None, stands_as(flaws=("x",)), False, "a charge is not proven"),
        (
            (),
            known(),
            TWICE,
            False,
            "two charges carry one key: chrg_test_1, chrg_test_2",
        ),
        ((), None, TWICE, False, "two charges carry one key"),
        ((), TWICE, TWICE, False, ""),
        ((), TWICE, known(twins=BOTH), False, ""),
        (
            (),
            replace(TWICE, others=(Shown(WAITS),)),
            TWICE,
            False,
            "two charges of one key took money: chrg_test_1, chrg_test_2",
        ),
        # one attempt is not two, whatever its other charge may yet take
        (
            (),
            replace(PENDING, twins=BOTH, others=(Shown(WAITS),)),
            replace(TWICE, others=(Shown(WAITS),)),
            False,
            "",
        ),
        ((), FAILED, known(), False, "was declined, is now succeeded"),
        ((), FAILED, known(), True, ""),  # by a person
        ((), replace(PENDING, denied=True), FAILED, False, ""),
        ((), replace(FAILED, denied=True), known(), False, "was declined"),
        ((), known(), FAILED, False, "was succeeded, is now declined"),
        ((), replace(known(), denied=True), FAILED, False, ""),
        ((), known(), known(odd="disputed"), False, "now says of it: disputed"),
        ((), known(odd="disputed"), known(odd="disputed"), False, ""),
        ((SECOND,), None, known(), False, "two attempts took money: chrg_test_"),
        ((SECOND,), PENDING, known(), False, "two attempts took money"),
        ((SECOND,), known(), known(), False, ""),
        ((SECOND,), known(), known(charge=replace(MINE, refunded=5)), False, ""),
        ((SECOND,), stands_as(), known(), False, "two attempts took money"),
        # which of those that are known is the order's, a person says
        ((), TWICE, OTHERWISE, True, ""),
        ((), TWICE, OTHERWISE, False, ""),  # told when the second one came
        ((SECOND,), PENDING, known(), True, ""),
        ((SECOND,), FAILED, known(), True, "two attempts took money"),
    ],
)
def test_what_breaks_a_promise_is_a_stop_once(
    others: tuple[Attempt, ...],
    before: Attempt | None,
    after: Attempt,
    by_hand: bool,
    why: str,
) -> None:
    """Told with the order and its charges; a person may contradict."""
    told = why_stop(others, before, after, by_hand=by_hand)
    assert why in told and bool(told) is bool(why)
    assert told.startswith("order 0001: ") or not told


# --- what money an order took


@pytest.mark.fault("B31")
@pytest.mark.parametrize(
    ("attempt", "ids"),
    [
        (known(), [MINE.id]),
        (known(charge=WAITS, twins=frozenset({WAITS.id})), [WAITS.id]),
        (FAILED, []),
        (known(twins=frozenset()), []),  # what it has was not its own
        (TWICE, [MINE.id, TWIN.id]),
        (known(others=(Shown(ENDED),)), [MINE.id]),
        (stands_as(), []),
    ],
)
def test_which_charges_of_an_order_may_have_taken_money(
    attempt: Attempt, ids: list[str]
) -> None:
    assert sorted(money_charges([attempt])) == ids


@pytest.mark.fault("B31")
def test_attempts_that_each_have_money_are_paid_apart() -> None:
    """Not where all of one was given back, or what it has is another order's."""
    third = known(charge=GIVEN_BACK, others=(Shown(GIVEN_BACK),))
    assert money_of(known()) == (MINE,) and money_of(stands_as()) == ()
    assert money_of(known(anothers=True, others=(Shown(TWIN),))) == (TWIN,)
    assert money_of(PENDING) == () == money_of(FAILED)
    assert money_of(TWICE) == (MINE, TWIN)
    assert paid_apart([known(), SECOND]) == (known(), SECOND)
    assert paid_apart([known(), SECOND, FAILED]) == (known(), SECOND)
    assert paid_apart([known(), third]) == () == paid_apart([known()])
    partly = known(charge=GIVEN_BACK, others=(Shown(MINE),))
    assert paid_apart([partly, SECOND]) == (partly, SECOND)


# --- whose a charge is


@pytest.mark.fault("J11", "B31")
@pytest.mark.parametrize(
    ("told", "claimed"),
    [
        ([FIRST, PAID], True),
        ([FIRST], False),
        ([FIRST, DECLINED], True),
    ],
)
def test_a_charge_is_claimed_by_the_attempt_that_holds_it(
    told: list[Event], *, claimed: bool
) -> None:
    journal = MemoryJournal("night")
    journal.append(told)
    assert is_claimed(journal, "night", "chrg_test_1") is claimed
    assert not is_claimed(journal, "night", "chrg_test_2")
    if claimed:
        assert is_claimed(journal, "day", "chrg_test_1")  # another job's


@pytest.mark.fault("J11", "B30")
@pytest.mark.parametrize(
    ("amount", "word", "claimed"),
    [
        (1, [], False),  # it was merely told of it, and did not ask for it
        (1, [event("resolved", **{"as": "accepted"}, reason="r", by="me")], True),
        (123450, [], True),  # it may be its own
    ],
)
def test_what_an_attempt_was_merely_told_may_be_any_others(
    amount: int, word: list[Event], *, claimed: bool
) -> None:
    """Two answers may have been exchanged; a person's word takes it."""
    told = seen_as(metadata={}, amount=amount).to_json()
    odd = event("answer", 1, verdict="unproven", charge=told, flaws=["whose is it"])
    journal = MemoryJournal("night")
    journal.append([FIRST, odd, *word])
    assert is_claimed(journal, "night", "chrg_test_1") is claimed


@pytest.mark.fault("J11", "L10")
def test_a_charge_of_another_order_or_attempt_is_named_with_it() -> None:
    """And whether that one saw it with its own key."""

    async def main(recorder: Recorder) -> None:
        first = Case(INTENT)
        await recorder.intend(first, 1000.0)
        await recorder.found(first, of_job("night"))
        whose = recorder.whose
        theirs = replace(INTENT, order_id="0002")
        told = whose.anothers_charge(of_job("night"), theirs)
        assert told == (
            "chrg_test_1 was answered for order 0002; it is order 0001's (attempt 1)"
        )
        again = whose.anothers_charge(of_job("night"), replace(INTENT, attempt=2))
        assert again.endswith("it is order 0001's (attempt 1)")
        assert whose.anothers_charge(of_job("night"), INTENT) == ""
        assert whose.is_anothers("chrg_test_1", theirs)
        assert not whose.is_anothers("chrg_test_1", INTENT)
        assert not whose.is_anothers("chrg_test_9", INTENT)
        assert whose.carries_their_key("chrg_test_1")
        assert not whose.carries_their_key("chrg_test_9")
        new = of_job("night", id="chrg_test_5")
        assert whose.anothers_charge(new, theirs) == ""
        assert "it is order 0002's" in whose.anothers_charge(new, INTENT)
        odd = of_job("night", id="chrg_test_7", metadata={"batchpay_key": "k"})
        await recorder.found(first, odd)
        assert not whose.carries_their_key("chrg_test_7")
        assert recorder.cases.proven_by("chrg_test_7") is None
        written.journal.order_of_charge = lambda _: ("day", "1", 1)  # type: ignore[method-assign]
        assert whose.carries_their_key("chrg_test_8")

    written = Written()
    written.run(main)


@pytest.mark.fault("J11", "B16")
def test_a_charge_that_kept_its_key_alone_is_found_by_those_who_began() -> None:
    """By the key of any attempt, or where the journal has the charge's id under it; else it is a
    stray. One walk through the journal for all of a page.
    """

    async def main(recorder: Recorder) -> None:
        for order_id in ("0001", "0002"):
            asked = replace(INTENT, order_id=order_id, key=key_of("night", order_id, 1))
            await recorder.intend(Case(asked), 1000.0)
        bare = [
            of_job("night", id=f"chrg_test_{at}", metadata={"batchpay_key": key})
            for at, key in enumerate(
                (key_of("night", "0002", 1), key_of("night", "0009", 1), "odd")
            )
        ]
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        walks = []
        begun = written.journal.begun
        written.journal.begun = lambda: (walks.append(1), begun())[1]  # type: ignore[method-assign]
        ((charge, case),) = later.whose.match(bare)
        assert charge == bare[0] and isinstance(case, Case)
        assert case.intent.order_id == "0002"
        assert [later.whose.place(one) for one in bare] == [("0002", 1), None, None]
        assert later.strays.strays_of("0009") == [(1, bare[1])]
        assert len(walks) == 1
        told = {"order_id": "0001", "batchpay_key": key_of("night", "0001", 1)}
        assert later.whose.place(of_job("night", metadata=told)) == ("0001", 1)
        assert later.strays.strays_of("0001") == [] and len(walks) == 1

    written = Written()
    written.run(main)


@pytest.mark.fault("J11")
def test_a_charge_that_the_journal_has_under_its_key_is_its_orders() -> None:
    """Adopted for an order of which nothing else began; not where its key is another's."""

    async def main(recorder: Recorder) -> None:
        key = key_of("night", "0001", 1)
        bare = of_job("night", metadata={"batchpay_key": key})
        await recorder.adopt(of_job("night"), 1)
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        assert later.whose._known_by_id("chrg_test_1", key) == ("0001", 1)
        assert later.whose._known_by_id("chrg_test_1", "another") is None
        assert later.whose._known_by_id("chrg_test_9", key) is None
        other_job = Recorder(written.journal, written.clock, "day", "run", live=False)
        assert other_job.whose._known_by_id("chrg_test_1", key) is None
        assert later.whose.place(bare) == ("0001", 1)
        proven = later.cases.proven_by
        case = proven("chrg_test_1")
        assert case is not None and case.intent.order_id == "0001"
        assert proven("chrg_test_9") is None

    written = Written()
    written.run(main)


@pytest.mark.fault("J07", "J13", "B32")
@pytest.mark.parametrize(
    ("asked", "later_ns", "is_one"),
    [
        ({}, 1, True),
        ({"order_id": FIRST.order_id}, 1, False),  # of its own order
        ({"amount": 9}, 1, False),  # for other terms
        ({"ids_from": "made"}, 1, False),  # with an id of the same cells
        ({}, 0, False),  # no later than the first one
        ({}, BY_TERMS_NS - 1, True),
        ({}, BY_TERMS_NS, False),  # too long after its last request
    ],
)
@pytest.mark.parametrize("said", ["", "0009", "other"])
def test_which_orders_may_be_a_sale_that_was_asked_for_in_vain_before_ids_were_edited(
    asked: dict[str, Any], later_ns: int, said: str, *, is_one: bool
) -> None:
    """That went after it, for its terms, under ids of other cells; unless a person called them
    new.
    """
    journal = MemoryJournal("night")
    made = {**FIRST.data["intent"], "ids_from": "made"}
    first = replace(FIRST, data={**FIRST.data, "intent": made})
    intent = {**FIRST.data["intent"], "key": "two", "ids_from": "edited", **asked}
    at_ns = FIRST.at_ns + later_ns
    order_id = asked.get("order_id", "0009")
    data = {**FIRST.data, "intent": intent}
    other = replace(FIRST, order_id=order_id, attempt=2, at_ns=at_ns, data=data)
    journal.append([*kept(first, DECLINED), *kept(other)])
    if said:
        journal.append([line(NewOrders(orders=(("terms", said),)), 1)])
    mine, *_ = fold(journal.histories(["0001"])["0001"])
    found = [one.intent.order_id for one in Cases(journal, "night").by_terms(mine)]
    assert found == (["0009"] if is_one and said != "0009" else [])
    unknown = replace(mine, intent=replace(mine.intent, ids_from=""))
    assert not list(Cases(journal, "night").by_terms(unknown))


# --- what an earlier run left


@pytest.mark.fault("L6", "B31", "J27")
def test_what_did_not_end_and_what_was_charged_twice_is_taken_up() -> None:
    """In any number; until it ended, or a person took note of it."""
    journal = MemoryJournal("night")
    cases = Cases(journal, "night")
    assert not cases.is_anything_open() and cases.open_cases() == []
    for number in range(501):
        told = {"order_id": f"{number:04d}"}
        ends = [[], [PAID], [DECLINED]][min(number, 2) if number < 3 else 0]
        journal.append(kept(*[replace(one, **told) for one in (FIRST, *ends)]))
    intent = {**FIRST.data["intent"], "key": "two"}
    again = replace(FIRST, attempt=2, data={**FIRST.data, "intent": intent})
    several = kept(*[replace(one, order_id="more") for one in (FIRST, DECLINED, again)])
    journal.append(several)
    *found, last = [case.intent.order_id for case in cases.open_cases()]
    assert last == "more" and len(found) == 499 and {"0001", "0002"}.isdisjoint(found)
    assert cases.is_anything_open()


@pytest.mark.fault("B31", "J27")
@pytest.mark.parametrize(
    ("ends", "stop", "taken_up"),
    [
        ([PAID], Stop(reason="r", order="0001"), 0),
        ([PAID, beside()], Stop(reason="r", order="0001"), 2),
        ([PAID, beside()], Stop(reason="r", charge="chrg_test_1"), 2),
        ([PAID, beside()], Stop(reason="r", charge="chrg_test_9"), 0),
        ([PAID, beside()], Stop(reason="r"), 0),
        ([PAID, event("missing")], Stop(reason="r", order="0001"), 1),
    ],
)
def test_a_stop_leads_to_the_orders_that_were_charged_twice(
    ends: list[Event], stop: Stop, taken_up: int
) -> None:
    """By its order, or by its charge where that is one of this job's."""
    journal = MemoryJournal("night")
    journal.append([*kept(FIRST, *ends), line(stop, 1)])
    assert len(Cases(journal, "night").doubled_cases()) == taken_up
    if not stop.order:
        assert Cases(journal, "day").doubled_cases() == []


@pytest.mark.fault("B31")
def test_what_a_person_took_note_of_is_taken_up_no_more() -> None:
    journal = MemoryJournal("night")
    word = event("resolved", **{"as": "accepted"}, reason="r", by="me")
    journal.append([*kept(FIRST, PAID, beside(), word), line(Stop(order="0001"), 1)])
    assert Cases(journal, "night").doubled_cases() == []


@pytest.mark.parametrize("after", ["", "b", "d"])
@pytest.mark.parametrize("at_most", [1, 2, 9])
def test_shares_on_their_way_are_walked_round_once(after: str, at_most: int) -> None:
    """From behind an order to the end, and from the beginning to it; some at a time, the whole of
    the last one's order.
    """
    ids = ["a", "b", "c", "d", "e"]
    asked: list[tuple[str, str]] = []

    class Journal:
        def on_their_way(
            self, since_ns: int, also: Any, begin: str, until: str, most: int
        ) -> list[Any]:
            assert (since_ns, also, most) == (7, ("x",), at_most)
            asked.append((begin, until))
            some = [one for one in ids if one > begin and (not until or one <= until)]
            return [SimpleNamespace(order_id=one) for one in some[:most]]

    journal: Any = Journal()

    def wanted(one: OnItsWay) -> bool:
        return one.order_id != "c"

    found, last = Cases(journal, "night").on_their_way(
        7, ("x",), after, at_most, wanted
    )
    told = [one.order_id for one in found]
    turn = (
        [*ids[ids.index(after) + 1 :], *ids[: ids.index(after) + 1]] if after else ids
    )
    every = [one for one in turn if one != "c"]
    assert told == every[: len(told)] and len(told) >= min(at_most, len(every))
    assert bool(last) is (len(told) < len(every)) or last == turn[-1]
    if at_most == 9:
        assert told == every and last == ""


# --- what lists may say


@pytest.mark.fault("J05", "B19")
def test_what_is_said_to_have_charged_nothing_is_what_was_written_last() -> None:
    """Whatever left, and is refused or held; not what was never sent, charged, or in doubt."""

    async def main(recorder: Recorder) -> None:
        expected = recorder.expected
        for events, uncharged in (
            ([FIRST, REFUSED], True),
            ([FIRST, THROTTLED], True),
            ([FIRST, VOIDED], False),
            ([FIRST, PAID], False),
            ([FIRST], False),
        ):
            (attempt,) = fold(events)
            expected.follow(attempt)
            assert expected.said_uncharged() == ([attempt] if uncharged else [])
            found = expected.uncharged(attempt.intent.key)
            assert found == (attempt if uncharged else None)
        expected.doubt(None)
        assert expected.said_uncharged() == []
        for events in ([FIRST], [FIRST, PAID]):
            expected.doubt(fold(events)[0])
            assert expected.said_uncharged() == []
        expected.doubt(fold([FIRST, REFUSED])[0])
        expected.doubt(fold([FIRST, THROTTLED])[0])
        assert expected.said_uncharged() == [fold([FIRST, REFUSED])[0]]

    at(main)


@pytest.mark.fault("J05", "B19")
def test_what_was_said_to_have_charged_nothing_is_remembered_for_a_while() -> None:
    """A day beyond the last list, as far as our clock may have been off; in any number; but for a
    person's word.
    """

    async def main(recorder: Recorder) -> None:
        since_ns = START_NS + 86_400 * 10**9
        for number in range(502):
            told = {"order_id": f"{number:04d}", "at_ns": START_NS}
            intent = {**FIRST.data["intent"], "key": f"key {number}"}
            begun = replace(FIRST, data={**FIRST.data, "intent": intent})
            some = [begun, REFUSED]
            if number == 501:
                some.append(
                    event("resolved", **{"as": "not-charged"}, reason="r", by="m")
                )
            written.journal.append(kept(*[replace(one, **told) for one in some]))
        expected = recorder.expected
        expected.remember(since_ns)
        assert len(expected.said_uncharged()) == 501
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        later.expected.remember(since_ns + 1)
        assert later.expected.said_uncharged() == []

    written = Written()
    written.run(main)


@pytest.mark.fault("J05")
@pytest.mark.parametrize(("beyond_ns", "known_then"), [(0, True), (1, False)])
def test_the_last_charge_of_five_weeks_is_a_witness(
    beyond_ns: int, *, known_then: bool
) -> None:
    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))
        (found,) = written.journal.events(["found"])
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        later.expected.remember(found.at_ns + 35 * 86_400 * 10**9 + beyond_ns)
        assert (set(later.expected.known) == {"chrg_test_1"}) is known_then

    written = Written()
    written.run(main)


# --- other jobs


ASKS = {
    "order_id": "0001",
    "amount": INTENT.amount,
    "currency": INTENT.currency,
    "destination": INTENT.destination,
}


def made_by(job: str, **changes: Any) -> ChargedElsewhere:
    return replace(elsewhere_told(of_job(job)), **changes)


@pytest.mark.fault("J06")
@pytest.mark.parametrize(
    ("events", "told", "stops"),
    [
        ([FIRST, PAID], [made_by("day")], 1),
        ([FIRST], [made_by("day")], 1),  # it may have taken it
        ([FIRST, DECLINED], [made_by("day")], 0),
        ([FIRST, VOIDED], [made_by("day")], 0),
        ([FIRST, PAID], [made_by("day", takes_money=False)], 0),
        ([FIRST, PAID], [made_by("day"), made_by("day", takes_money=False)], 0),
        ([FIRST, PAID], [made_by("day", amount=5)], 0),
        ([FIRST, PAID], [made_by("day", destination="r2")], 0),
        ([FIRST, PAID], [made_by("day", currency="jpy")], 0),
        ([FIRST, PAID], [], 0),
    ],
)
def test_an_order_that_two_jobs_charged_is_a_stop(
    events: list[Event], told: list[ChargedElsewhere], stops: int
) -> None:
    """What the other job's charge came to last counts."""
    lines = [line(one, 1, order_id="0001") for one in told]
    found = list(doubles([*events, *lines], fold(events)))
    assert [charge_id for charge_id, _ in found] == ["chrg_test_1"] * stops
    for _, why in found:
        mine = "a request without an answer" if events == [FIRST] else "chrg_test_1"
        assert f"{mine} by this one, chrg_test_1 by job day" in why


@pytest.mark.fault("J06")
def test_two_jobs_charged_an_order_that_was_corrected_meanwhile() -> None:
    """What it asked for before counts, also where its correction has another id."""
    more = {**FIRST.data["intent"], "amount": 5, "attempt": 2, "key": "another"}
    again = replace(FIRST, attempt=2, data={**FIRST.data, "intent": more})
    of_its_id = fold([FIRST, DECLINED, again])
    fix = {**more, "order_id": "0001-b", "attempt": 1, "sale": [by_order("0001")]}
    under_another = [
        *fold([FIRST, DECLINED]),
        *fold(
            [
                replace(
                    again,
                    order_id="0001-b",
                    attempt=1,
                    data={**again.data, "intent": fix},
                )
            ]
        ),
    ]
    told = [line(made_by("day"), 1, order_id="0001")]
    for attempts in (of_its_id, under_another):
        assert [one for one, _ in doubles(told, attempts)] == ["chrg_test_1"]
    assert list(doubles(told, fold([again]))) == []


@pytest.mark.fault("J06")
def test_the_family_of_an_order_is_what_came_to_correct_it() -> None:
    """And no other attempt of the ids under which that came."""
    journal = MemoryJournal("night")
    asked = FIRST.data["intent"]
    fix = {**asked, "order_id": "0009", "attempt": 2, "key": "k2"}
    fix |= {"corrects": by_order("0001"), "sale": [by_order("0001")]}
    own = {**asked, "order_id": "0009", "key": "k1"}
    begun = replace(FIRST, order_id="0009", data={**FIRST.data, "intent": own})
    again = replace(begun, attempt=2, data={**FIRST.data, "intent": fix})
    declined = replace(DECLINED, order_id="0009")
    journal.append(kept(FIRST, DECLINED))
    journal.append(kept(begun, declined, again))
    found = families_of(journal, ["0001", "0002"])
    assert [one.intent.key for one in found["0001"]] == [asked["key"], "k2"]
    assert found["0002"] == ()


@pytest.mark.fault("J06")
def test_what_is_kept_of_another_jobs_charge_comes_back() -> None:
    """Who paid, and for whom, as far as it told."""
    full = of_job("day", customer="cust_1")
    assert asked_of(elsewhere_told(full)) == asked_of(full)
    assert asked_of(full) == Asked("cust_1", full.destination, full.amount, "thb")
    silent = elsewhere_told(of_job("day", destination=None))
    assert (silent.destination, silent.payer, silent.job) == ("", "", "day")


@pytest.mark.fault("J06", "J07")
@pytest.mark.parametrize(
    ("changes", "intent", "found"),
    [
        ({}, {}, True),
        ({}, {"order_id": "0002"}, False),
        ({}, {"order_id": "0002", "sale": ("a place", by_order("0001"))}, True),
        ({}, {"amount": 5}, False),
        ({"status": "failed", "paid": False}, {}, False),
    ],
)
def test_what_another_job_charges_meanwhile_keeps_the_same_sale_back(
    changes: dict[str, Any], intent: dict[str, Any], *, found: bool
) -> None:
    """By any order id of it; what asks for other money, or took none, keeps nothing."""

    async def main(recorder: Recorder) -> None:
        theirs = of_job("day", **changes)
        await recorder.others.keep([theirs])
        told = recorder.others.charge_of(Case(replace(INTENT, **intent)))
        assert told == (theirs if found else None)
        now = replace(INTENT, **{**intent, "amount": 7})
        before = fold([FIRST, DECLINED])
        for case in (Case(now, others=before), Case(now, went_back=(ASKS,))):
            takes = theirs.takes_money and (
                "sale" in intent or "order_id" not in intent
            )
            told = recorder.others.charge_of(case)
            assert told == (theirs if takes else None)

    at(main)


@pytest.mark.fault("J06", "J07")
def test_another_jobs_row_of_the_same_file_is_known_by_its_id_here() -> None:
    """Whatever column it takes ids from."""

    async def main(recorder: Recorder) -> None:
        asked: list[Any] = []

        def id_of_row(*where: Any) -> str:
            asked.append(where)
            return "0077"

        written.journal.id_of_row = id_of_row  # type: ignore[method-assign]
        told = {
            "order_id": "0001",
            "batchpay_key": key_of("day", "0001", 1),
            "batchpay_job": "day",
            "batchpay_batch": "b",
            "batchpay_row": "Orders!7",
            "batchpay_corrects": f'["{by_order("0005")}", "a place"]'.replace(
                "\t", "\\t"
            ),
        }
        await recorder.others.keep([of_job("day", metadata=told)])
        assert asked == [("day", "b", "Orders", 7)]

    written = Written()
    written.run(main)
    ids = [event.order_id for event in written.journal.events(["elsewhere"])]
    assert ids == ["0001", "0005", "0077"]


# --- charges that nothing tells whose they are


@pytest.mark.fault("J02", "L11")
def test_a_nameless_charge_that_an_attempt_holds_keeps_no_other_back() -> None:
    """Until then it keeps back whatever fits it, and what is said to have charged nothing."""

    async def main(recorder: Recorder) -> None:
        nameless = of_job("night", id="chrg_test_7", metadata={})
        asked = replace(INTENT, order_id="0002")
        strays = recorder.strays
        assert strays.may_be_charged(asked) is None
        await strays.keep_nameless([nameless])
        found = strays.may_be_charged(asked)
        assert found is not None and found.charge_id == "chrg_test_7"
        assert strays.may_be_charged(replace(asked, amount=5)) is None
        (refused,) = fold([replace(FIRST, at_ns=1), REFUSED])
        ((attempt, one),) = strays.maybe_charged_among([refused])
        assert (attempt, one) == (refused, found)
        other_money = Case(replace(asked, amount=5), others=(refused,))
        assert strays.is_maybe_charged(Case(asked))
        assert strays.is_maybe_charged(other_money)
        assert not strays.is_maybe_charged(replace(other_money, others=()))
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, nameless)
        await recorder.resolve(case, "accepted", "seen", "kim")
        assert strays.may_be_charged(asked) is None
        assert list(strays.maybe_charged_among([refused])) == []

    at(main)


@pytest.mark.fault("J04", "L11")
def test_a_stray_that_an_attempt_holds_is_no_stray_any_more() -> None:
    async def main(recorder: Recorder) -> None:
        bare = of_job("night", metadata={"batchpay_key": key_of("night", "0001", 1)})
        recorder.strays.meet(key_of("night", "0001", 1), bare)
        assert recorder.strays.strays_of("0001") == [(1, bare)]
        assert recorder.strays.strays_of("0002") == []
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))
        assert recorder.strays.strays_of("0001") == []

    at(main)


@pytest.mark.fault("J02")
def test_many_nameless_charges_are_each_kept_once() -> None:
    async def main(recorder: Recorder) -> None:
        some = [of_job("night", id=f"chrg_test_{at}", metadata={}) for at in range(501)]
        await recorder.strays.keep_nameless(some)

    written = at(main)
    told = [event.data["charges"] for event in written.journal.events(["nameless"])]
    ids = [one["charge_id"] for some in told for one in some]
    assert ids == [f"chrg_test_{number}" for number in range(501)]
    assert [len(some) for some in told] == [500, 1]


# --- whose the journal is


@pytest.mark.fault("J03")
def test_whose_a_journal_is_is_kept_beside_it_and_written_once() -> None:
    """What others tell counts where it does not say; by no account it says nothing."""
    journal = MemoryJournal("night")
    kept: list[Mapping[str, str]] = []
    mine = {"account": "acct_1", "mode": "test", "url": "u"}
    beside = {"account": "acct_9", "by": "report.json"}

    async def main() -> None:
        entries = Entries(journal, FakeClock(), "run")
        belonging = Belonging(entries, journal, beside, kept.append)
        alone = Belonging(entries, journal, {}, kept.append)
        assert belonging.belongs_to() == beside and alone.belongs_to() == {}
        await belonging.belong(BelongsTo(account="", mode="test", url="u"))
        assert belonging.others_since(0) == set()  # nobody told any
        assert belonging.belongs_to() == {**mine, **beside}
        assert alone.belongs_to() == {**mine, "account": ""}
        for _ in range(2):
            await belonging.belong(BelongsTo(**mine))
        assert belonging.belongs_to() == mine == belonging.account()
        told_ns = FakeClock().now_ns()
        assert belonging.others_since(told_ns) == set()
        assert belonging.others_since(told_ns - 1) == {""}
        assert not belonging.lost_events()
        await entries.note(Restored(met="chrg_test_1"))
        assert belonging.lost_events()

    in_virtual_time(main(), 1000.0)
    assert [event.data["account"] for event in journal.events(["account"])] == [
        "",
        "acct_1",
    ]
    assert kept == [{**mine, "account": ""}, mine, mine]


@pytest.mark.fault("J03")
def test_the_youngest_charge_from_before_is_the_one_that_shows_the_account() -> None:
    """Three of them, for one may be gone."""

    class Known:
        told: tuple[Event, ...] = ()

        def charges_known(self, since_ns: int) -> Mapping[str, str]:
            some = {"a": "2026-01-01", "e": "2026-01-05", "b": "2026-01-02"}
            some |= {"c": "2026-01-03", "d": "2026-01-04"}
            return some if since_ns == 0 else {"e": "2026-01-05"}

        def accounts(self) -> tuple[Event, ...]:
            return self.told

    journal: Any = Known()
    entries: Any = None
    belonging = Belonging(entries, journal, {}, lambda _: None)
    assert belonging.witnesses(untold=True) == ["e", "d", "c"]
    Known.told = (line(BelongsTo(account="acct_1", mode="test", url="u"), 5),)
    assert belonging.witnesses(untold=True) == ["d", "c", "b"]
    assert belonging.witnesses(untold=False) == ["e", "d", "c"]


@pytest.mark.fault("J03")
def test_an_account_that_was_known_meanwhile_is_another() -> None:
    """Also where the first one is known again: a send may have been repeated there."""
    journal = MemoryJournal("night")
    for at_ns, account in ((2, ""), (4, "acct_2"), (6, "acct_1"), (8, "")):
        told = BelongsTo(account=account, mode="test", url="u")
        journal.append([line(told, at_ns)])
    entries: Any = None
    belonging = Belonging(entries, journal, {}, lambda _: None)
    assert belonging.others_since(3) == {"", "acct_2"}
    assert belonging.others_since(4) == belonging.others_since(5) == {"acct_2"}
    assert belonging.others_since(6) == belonging.others_since(9) == set()


@pytest.mark.fault("J11", "L10")
def test_which_charges_a_person_has_seen() -> None:
    """Those of stops that stood before they were lifted."""

    async def main(recorder: Recorder) -> None:
        await recorder.stop_for_charge("chrg_test_1", "one")
        await recorder.note(Lifted(reason="seen"))
        await recorder.stop_for_charge("chrg_test_2", "two")
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        assert later.stopped_for == {"chrg_test_1", "chrg_test_2"}
        later.expected.prove(of_job("night"))
        later.expected.prove(of_job("night", id="chrg_test_2"))
        assert set(later.expected.known) == {"chrg_test_2"}

    written = Written()
    written.run(main)


# --- who waits for a list


@pytest.mark.fault("B19")
def test_one_list_serves_all_that_were_throttled_before_it() -> None:
    """At once where there is nothing else to send; after a while where there is, and after one that
    was of no use.
    """

    async def main() -> None:
        clock = FakeClock()
        now_s = clock.elapsed_s()
        waits = Throttled(clock, gap_s=2.0, patience_s=20.0)
        one, two = Case(INTENT), Case(replace(INTENT, order_id="0002"))
        waits.starve()
        assert waits.none and not waits.came.is_set() and waits.wait_s(30.0) == 30.0
        waits.add(one)
        assert waits.came.is_set() and not waits.none
        assert waits.wait_s(30.0) == LIST_EVERY_S and waits.wait_s(3.0) == 3.0
        waits.came.clear()
        waits.starve()
        assert waits.came.is_set() and waits.wait_s(30.0) == 0.0
        waits.no_list()
        assert waits.wait_s(30.0) == LIST_EVERY_S
        waits.starve()
        assert waits.wait_s(30.0) == 2.0 and waits.wait_s(1.0) == 1.0
        assert waits.release(None, now_s - 0.1) == []
        assert waits.wait_s(30.0) == LIST_EVERY_S
        waits.starve()
        assert waits.wait_s(30.0) == 2.0
        waits.add(two)
        assert waits.release(None, now_s) == [one, two] and waits.none
        waits.add(one)
        waits.starve()
        assert waits.wait_s(30.0) == 0.0
        # a list that lags shows what is so much older than what it shows
        assert waits.release(now_s + 9.9, now_s + 5.0) == []
        assert waits.release(now_s + 10.0, now_s + 5.0) == [one]
        waits.add(two)
        assert waits.release(now_s, now_s + 20.0) == [] and waits.none

    in_virtual_time(main(), 1000.0)


# --- stops, and what keeps everything back


@pytest.mark.fault("L10", "J11")
@pytest.mark.parametrize(
    ("told", "in_force"),
    [
        ([], ""),
        ([Stop(reason="one")], "one"),
        ([Stop(reason="one"), Stop(reason="two")], "one; and also: two"),
        (
            [Stop(reason="one"), Stop(reason="two"), Stop(reason="one")],
            "one; and also: two",
        ),
        ([Stop(reason="one"), Lifted(reason="seen")], ""),
        ([Stop(reason="one"), Lifted(reason="seen"), Stop(reason="two")], "two"),
        (
            [
                Stop(reason="of: chrg_test_1"),
                Stop(reason="of: chrg_test_1, chrg_test_2"),
            ],
            "of: chrg_test_1, chrg_test_2",
        ),
        (
            [
                Stop(reason="of: chrg_test_1, chrg_test_2"),
                Stop(reason="of: chrg_test_1"),
            ],
            "of: chrg_test_1, chrg_test_2; and also: of: chrg_test_1",
        ),
    ],
)
def test_which_stops_are_in_force(told: list[Told], in_force: str) -> None:
    """All that no person has lifted; of two that name charges the one that names more."""
    assert stop_in_force([line(one, 1) for one in told]) == in_force


ODD = Unreadable(charge_id="chrg_test_1", reason="one")
OTHER_ODD = Unreadable(charge_id="chrg_test_2", reason="two")


@pytest.mark.fault("J05", "L11")
@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], ""),
        ([ODD], "one"),
        ([ODD, OTHER_ODD], "one"),
        ([ODD, OTHER_ODD, replace(ODD, reason="again")], "two"),  # the oldest word
        ([ODD, Disowned(charge_id="chrg_test_1")], ""),
        ([ODD, Disowned(charge_id="chrg_test_2")], "one"),
        ([ODD, Listed(bound="2026-11-24T00:00:00Z")], ""),
        ([ODD, Listed(bound="2026-11-24T00:00:00Z"), OTHER_ODD], "two"),
        ([ODD, Stop(reason="no such event")], "one"),
    ],
)
def test_what_keeps_everything_back_until_a_person_or_a_whole_list_tells(
    told: list[Told], why: str
) -> None:
    assert unreadable_in([line(one, 1) for one in told]) == why


@pytest.mark.fault("L10")
def test_only_a_stop_about_a_charge_is_one_that_lists_may_lack() -> None:
    told = [
        Stop(reason="one"),
        Stop(reason="two", charge="c"),
        Unreadable(charge_id="d", reason="r"),
    ]
    assert charges_told([line(one, 1) for one in told]) == ({"c"}, set())


# --- the account's own ledger, list by list


PAGE = PageOf(("a", "b", "c"), ("a", "b", "c"), 3)


def heard(page: PageOf[str] | None, status: int | None = 200) -> Answer[PageOf[str]]:
    return Answer(out=True, status=status, said=page, kind="list", code="c")


def whole_of(*answers: Answer[Any], closes: bool = False) -> tuple[Any, int]:
    """What a list comes to, whose pages are answered like this in turn, the last for ever; and how
    often it was asked for.
    """
    asked: list[int] = []

    async def page_at(
        offset: int, may_leave: Callable[[], bool], *, limit: int
    ) -> Answer[Any]:
        assert may_leave() and limit == 100
        asked.append(offset)
        return answers[min(len(asked), len(answers)) - 1]

    async def main() -> Any:
        clock = FakeClock()
        channel = Channel(clock, Pacer(50, 1.0, 1), Breaker(1.0), lambda: None)
        if closes:
            asyncio.get_running_loop().call_later(0.5, channel.close, "SIGTERM")
        return await whole(channel, "/refunds", page_at)

    return in_virtual_time(main(), 1000.0)[0], len(asked)


SHIFTED = heard(PageOf(("a", "b"), ("a", "b"), 1))


@pytest.mark.fault("B32")
@pytest.mark.parametrize(
    ("answers", "found", "asked"),
    [
        ([heard(PAGE)], ["a", "b", "c"], 1),
        ([SHIFTED, heard(PAGE)], ["a", "b", "c"], 2),
        ([heard(None, 404)], None, 1),
        ([heard(None, 405)], None, 1),
        ([heard(None, 410)], None, 1),
        ([heard(None)], None, TRIES),  # something else, for ever
        ([heard(None), heard(PAGE)], ["a", "b", "c"], 2),
    ],
)
def test_a_list_of_the_ledger_is_whole_or_none(
    answers: list[Answer[Any]], found: list[str] | None, asked: int
) -> None:
    """It is asked for again while it shifts; one that the gateway does not have is none."""
    assert whole_of(*answers) == (found, asked)


@pytest.mark.fault("B32")
@pytest.mark.parametrize("status", [406, 201])
def test_a_list_that_the_gateway_has_and_does_not_give_is_silence(status: int) -> None:
    with pytest.raises(
        GatewaySilent, match="list /refunds could not be read completely"
    ):
        whole_of(heard(None, status))


def test_a_list_is_asked_for_no_more_when_the_run_is_over() -> None:
    with pytest.raises(GatewaySilent, match="try later"):
        whole_of(SHIFTED, closes=True)


@pytest.mark.parametrize(
    ("charge_id", "shown", "found"),
    [
        ("chrg_test_1", "chrg_test_1", True),
        ("chrg_test_1", "chrg_test_2", False),
        ("any text", "any text", False),
    ],
)
def test_a_charge_of_the_ledger_is_the_one_that_was_asked_for(
    charge_id: str, shown: str, *, found: bool
) -> None:
    booked = SimpleNamespace(id=shown)

    async def asked(name: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        assert name == charge_id and may_leave()
        return heard(booked) if not silent else Answer(out=True, trouble="reset")  # type: ignore[arg-type]

    async def main() -> Any:
        channel = Channel(FakeClock(), Pacer(50, 1.0, 1), Breaker(1.0), lambda: None)
        gateway: Any = SimpleNamespace(booked=asked)
        return await booked_charge(gateway, channel, charge_id)

    silent = False
    assert in_virtual_time(main(), 1000.0)[0] is (booked if found else None)
    silent = True
    if charge_id != "any text":
        with pytest.raises(GatewaySilent, match="does not answer about chrg_test_1"):
            in_virtual_time(main(), 1000.0)
