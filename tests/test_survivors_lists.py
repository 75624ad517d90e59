"""Where one small change of how lists are read once went unseen: what is asked for, waited for,
said and written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from batchpay.domain.events import Adopted, NamelessListed, Stray, line, told_in
from batchpay.domain.model import Answer, Intent, Outcome, Page
from batchpay.domain.times import ONCE_OFF_S, SKEW_S, instant_ns
from batchpay.gateways.omise.gateway import Omise
from batchpay.gateways.omise.objects import charge_in
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import could_be, flaws_of
from batchpay.lifecycle.elsewhere import asked_of
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.listing import Listing
from batchpay.lifecycle.paid import doubled
from batchpay.lifecycle.payers import payer_fits
from batchpay.lifecycle.terms import asked_by
from batchpay.lifecycle.unclaimed import nameless_of
from batchpay.settlement import Case, Channel, Look, Means, Recorder, paging
from batchpay.settlement.absorbing import _other_than
from batchpay.settlement.lists import (
    Lists,
)
from batchpay.settlement.may_be import may_be
from batchpay.settlement.odd import MOST_BARE
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.paging import read_list
from batchpay.settlement.reading import PASSED_OVER
from batchpay.settlement.since import EVERYTHING, charged_since, iso
from batchpay.settlement.unshown import age_s
from tests.fakes import START_NS, FakeClock, FakeGateway, in_virtual_time
from tests.test_lifecycle import INTENT, charge
from tests.test_settlement import SETTINGS, World, only
from tests.test_settlement_races import fields_of, made_elsewhere
from tests.test_survivors_gateway import Pages, read
from tests.test_survivors_run import stranger
from tests.test_survivors_settlement import (
    FOR_EVER,
    GONE,
    SEE_CHARGE,
    Dim,
    Hiding,
    Unreadable,
    after_a_night,
)


@pytest.mark.fault("J27", "J05")
def test_a_pending_charge_that_the_gateway_knows_by_its_id_is_waited_for() -> None:
    """Only one that it does not know is for a person: a list without one that is there is a copy
    from before.
    """
    world, gateway = after_a_night(only(2, "pending"))
    gateway.hidden = {"chrg_test_3"}
    world.run(4)
    assert world.settlement and "does not show chrg_test_3" in world.settlement.why_held
    assert len(gateway.posts) == 3
    assert list(world.journal.events(["missing"])) == []


@pytest.mark.fault("J02", "L11")
def test_charges_that_the_journal_knows_are_no_sign_of_an_older_one() -> None:
    """Nothing is noted and nothing waited for; one that it does not know is noted once."""
    world, gateway = after_a_night(lambda post, fields: "ok")
    began_s = world.now_s
    world.run(4)
    assert list(world.journal.events(["restored"])) == []
    assert world.now_s - began_s < 15
    lost = World(gateway, now_s=world.now_s)
    lost.run(4, adopt=True)
    (told,) = lost.journal.events(["restored"])
    shown = told.data.pop("shown")
    assert told.data == {"met": "chrg_test_1", "empty": True}
    assert list(shown) == [f"chrg_test_{number}" for number in (1, 2, 3, 4)]
    assert len(gateway.posts) == 4


@dataclass
class Long(FakeGateway):
    """Some charges are too long to be read in a list."""

    long: set[str] = field(default_factory=set)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        if any(one["id"] in self.long for one in answer.said["data"]):
            return Answer(out=True, too_long=True)
        return answer


@pytest.mark.fault("J12")
def test_a_charge_that_every_list_passes_over_is_told_once() -> None:
    """However many lists a run reads; of lists that pass nothing over nothing is told."""
    world = World(Long())
    world.run(2)
    assert world.settlement and world.settlement.lists.notes == []
    world.gateway.long.add("chrg_test_1")  # type: ignore[attr-defined]
    world.run(4)
    assert world.settlement.lists.notes == [PASSED_OVER]


@dataclass
class Old(FakeGateway):
    """Its lists show charges without their chains; says which were asked for by their id."""

    by_id: list[str] = field(default_factory=list)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        data = [{**one, "chain": None} for one in answer.said["data"]]
        return replace(answer, said={**answer.said, "data": data})

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        self.by_id.append(charge_id)
        return await super().get(charge_id, may_leave)


@pytest.mark.fault("J05", "L7")
def test_a_charge_that_a_list_shows_without_its_chain_is_asked_for_by_its_id_once() -> (
    None
):
    """It was paid with one: nothing is believed of such a list, and nothing is a stop."""
    world = World()
    world.run(2)
    gateway = Old(charges=world.gateway.charges, posts=world.gateway.posts)
    world.gateway = gateway
    assert set(world.run(2).values()) == {Outcome.SUCCEEDED}
    assert sorted(gateway.by_id) == ["chrg_test_1", "chrg_test_2"]
    assert world.stops() == []


@pytest.mark.fault("J05", "L11")
def test_lists_that_nobody_can_read_are_asked_for_eight_times_after_a_loss() -> None:
    """A person may have made the charge readable meanwhile; what is said is written once."""
    world = World()
    world.run(1)
    pages: list[str] = []

    class Counted(Dim):
        async def page(
            self,
            since: str,
            offset: int,
            may_leave: Callable[[], bool],
            limit: int = 100,
        ) -> Answer:
            pages.append(since)
            return await super().page(since, offset, may_leave, limit)

    again = World(
        Counted(instead={"metadata": None}, charges=world.gateway.charges),
        now_s=world.now_s,
    )
    again.run(2)
    assert again.gateway.posts == []
    # the first begins where our clock says, the others at the beginning
    assert len(pages) == 8 + 1
    assert len(list(again.journal.events(["unreadable"]))) == 1


@pytest.mark.fault("J12")
@pytest.mark.parametrize(
    ("pages", "asked"),
    [
        (Pages(130, 60), [(0, 100), (0, 25), (24, 50), (73, 100)]),
        (Pages(18, 7), [(0, 100), (0, 25), (0, 6), (5, 12), (5, 3), (7, 6), (12, 12)]),
        (
            Pages(12, unreadable=frozenset({3})),
            [
                (0, 100),
                (0, 25),
                (0, 6),
                (0, 2),
                (1, 4),
                (1, 2),
                (2, 4),
                (2, 2),
                (3, 1),
                (4, 1),
                (4, 2),
                (5, 4),
                (8, 8),
            ],
        ),
    ],
)
def test_pages_shrink_to_a_quarter_and_grow_to_the_double(
    pages: Pages, asked: list[tuple[int, int]]
) -> None:
    """Down to two charges, and then to one by itself; never above what the gateway gives."""
    ended, listing, _ = read(pages)
    assert (ended, listing.complete) == (True, True)
    assert pages.asked == asked


@pytest.mark.fault("B32", "I15")
def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many pages; it proves nothing."""
    monkeypatch.setattr(paging, "PAGES", 3)
    for total, whole in ((297, True), (298, False)):
        pages = Pages(total)
        ended, listing, _ = read(pages)
        assert (ended, listing.complete) == (True, whole), total
        assert len(pages.asked) == 3 + (not whole)


SENT = datetime.fromtimestamp(START_NS // 10**9, UTC)
NAMELESS = {"metadata": {}, "created_at": iso(SENT)}


@pytest.mark.fault("C04", "J02")
def test_a_list_that_is_to_prove_absence_begins_before_any_clock_says_it_was_sent() -> (
    None
):
    """For a doubt as for a person's word; where the gateway tells no time it begins with all."""
    sent = [SENT + timedelta(hours=hours) for hours in (5, 3, 9)]
    attempts = [
        Attempt(INTENT, adopted=False, sent_ns=int(at.timestamp()) * 10**9)
        for at in sent
    ]
    begins = SENT + timedelta(hours=3) - timedelta(seconds=ONCE_OFF_S)
    assert charged_since(attempts, dated=True) == begins
    assert charged_since(attempts, dated=False) == EVERYTHING
    used = replace(attempts[0], reused=True)
    assert charged_since([*attempts, used], dated=True) == EVERYTHING


@pytest.mark.fault("J11", "L5")
@pytest.mark.parametrize(
    ("changes", "may"),
    [
        (NAMELESS, True),
        ({**NAMELESS, "created_at": iso(SENT - timedelta(seconds=ONCE_OFF_S))}, True),
        (
            {**NAMELESS, "created_at": iso(SENT - timedelta(seconds=ONCE_OFF_S + 1))},
            False,
        ),  # made before it was sent
        ({**NAMELESS, "amount": 1}, False),
        ({"created_at": iso(SENT)}, False),  # it says whose it is
    ],
)
def test_what_names_nobody_may_be_an_attempts_when_its_time_and_terms_fit(
    changes: dict[str, Any], may: bool
) -> None:
    """By either clock, each as wrong as it may have been when it was sent: a person may have set
    it since (C04).
    """
    found = charge_in(charge(**changes))
    assert found is not None
    recorder = Recorder(MemoryJournal("night"), FakeClock(), "night", "run", live=False)
    attempt = Attempt(
        INTENT,
        adopted=False,
        sends=1,
        unproven_sends=frozenset({1}),
        sent_ns=START_NS + 999_999_999,
    )
    assert may_be(found, attempt, recorder, dated=True) is may


@pytest.mark.fault("J05", "L11")
def test_a_charge_whose_metadata_a_list_does_not_tell_is_asked_for_once() -> None:
    """By its id, whatever the journal knows of it; one that tells no recipient either may be
    anybody's.
    """
    asked: list[str] = []

    class Asked(Dim):
        async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
            asked.append(charge_id)
            return await super().get(charge_id, may_leave)

    world = World()
    world.run(2)
    world.gateway = Asked(
        charges=[*world.gateway.charges, stranger(9, world.now_s - 1.0)]
    )
    assert set(world.run(2).values()) == {Outcome.SUCCEEDED}
    assert sorted(asked) == ["chrg_test_1", "chrg_test_2", "chrg_test_stranger9"]
    empty = World(Dim(charges=[stranger(9, world.now_s - 1.0)]), now_s=world.now_s)
    assert set(empty.run(2).values()) == {Outcome.SUCCEEDED}


@pytest.mark.fault("B32")
def test_of_entries_that_tell_only_their_ids_so_many_are_asked_for() -> None:
    """An account may have a million of them."""
    asked: list[str] = []

    class Asked(Dim):
        async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
            asked.append(charge_id)
            return await super().get(charge_id, may_leave)

    world = World()
    many = [stranger(n, world.now_s - 1.0) for n in range(MOST_BARE + 20)]
    world.gateway = Asked(charges=many)
    assert set(world.run(2).values()) == {Outcome.SUCCEEDED}
    bare = [one for one in asked if "stranger" in one]
    assert len(set(bare)) == len(bare) == MOST_BARE


@pytest.mark.fault("J11", "L10")
def test_a_charge_that_only_the_last_list_of_a_run_lacks_is_a_stop_too() -> None:
    """It is older than a doubt; what was sent before is not affected."""
    world, gateway = after_a_night(lambda post, fields: "ok")
    world.now_s -= 43_000.0 - 400.0  # by a clock that may be five minutes off

    def vanishes(_: object) -> None:
        asyncio.get_running_loop().call_later(3.0, gateway.hidden.add, "chrg_test_3")

    assert world.run(4, meanwhile=vanishes)["0003"] is Outcome.SUCCEEDED
    assert world.stops() == [f"order 0002: chrg_test_3 {GONE}; {SEE_CHARGE()}"]
    bound = [event.data["bound"] for event in world.journal.events(["listing"])][-1]
    # the next list begins where that one is
    assert bound == gateway.charges[2]["created_at"]


@dataclass
class Garbled(FakeGateway):
    """Its lists do not tell the metadata of some charges so that anybody could read it; asked for
    by its id, each does.
    """

    garbled: set[str] = field(default_factory=set)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        data = [
            one | ({"metadata": ["unread"]} if one["id"] in self.garbled else {})
            for one in answer.said["data"]
        ]
        return replace(answer, said={**answer.said, "data": data})


@pytest.mark.fault("J02", "L11")
def test_a_charge_that_a_list_garbles_is_taken_over_as_its_id_tells_it() -> None:
    """Behind a lost journal: it is its order's, which succeeded, and nothing is sent again."""
    world = World(Garbled())
    world.run(3)
    lost = World(Garbled(charges=world.gateway.charges), now_s=world.now_s + 100.0)
    lost.gateway.garbled = {"chrg_test_2"}  # type: ignore[attr-defined]
    assert set(lost.run(3, adopt=True).values()) == {Outcome.SUCCEEDED}
    assert lost.gateway.posts == []
    assert list(lost.journal.events(["nameless"])) == []


@pytest.mark.fault("B19", "L11")
@pytest.mark.parametrize(
    ("amount", "kept"), [(1000, ["chrg_test_2"]), (1001, []), (999, [])]
)
def test_a_nameless_charge_is_kept_beside_the_refused_order_that_it_fits(
    amount: int, kept: list[str]
) -> None:
    """Of its amount; what fits only the order that succeeded, or none, keeps nobody back."""
    world = World(FakeGateway(only(0, "error bad_request")))
    assert world.run(2)["0000"] is Outcome.REFUSED

    (first,) = world.gateway.charges
    nameless = {**first, "id": "chrg_test_2", "amount": amount, "metadata": {}}
    world.gateway.charges.append(nameless)
    world.run(2)
    told = [event.data["charges"] for event in world.journal.events(["nameless"])]
    assert [one["charge_id"] for some in told for one in some] == kept


@pytest.mark.fault("B31", "J27")
def test_an_id_that_an_answer_told_and_the_gateway_does_not_know_is_no_second_charge() -> (
    None
):
    """The list shows the order's one charge under its key, with another id: the told one is asked
    for, once, and was a false one.
    """

    class Mistold(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            answer = await super().charge(intent, may_leave)
            return replace(answer, said={**answer.said, "id": "chrg_test_99"})

    world = World(Mistold())
    assert world.run(1) == {"0000": Outcome.SUCCEEDED}
    # the one that is reported until then
    (missing,) = world.journal.events(["missing"])
    (attempt,) = fold(world.journal.histories(["0000"])["0000"])
    assert attempt.charge is not None and attempt.charge.id == "chrg_test_1"
    assert missing.order_id == "0000" and not doubled(attempt)
    assert world.stops() == [] and len(world.gateway.posts) == 1


@pytest.mark.fault("J05")
def test_of_charges_that_a_list_lacks_the_oldest_is_named_first() -> None:
    """Whichever this run learned of first."""

    async def main() -> list[str]:
        line, clock = (
            Channel(FakeClock(), Pacer(1, 1.0, 1), Breaker(1.0), lambda: None),
            FakeClock(),
        )
        recorder = Recorder(MemoryJournal("night"), clock, "night", "run", live=False)
        made = [iso(SENT + timedelta(seconds=number)) for number in (2, 1, 3)]
        recorder.expected.known = {f"chrg_test_{at[-3:-1]}": (at, 0.0) for at in made}
        means = Means(SETTINGS, Omise(FakeGateway()), line, recorder, clock)
        found = Lists(means, lambda case: None)
        return found.witnesses.lacking(Listing(since=iso(SENT), begun_s=1000.0))

    lacking, _ = in_virtual_time(main(), 2000.0)
    assert len(lacking) == 3 and lacking == sorted(lacking)


@pytest.mark.fault("B32", "F01")
def test_of_a_line_that_is_closed_no_list_is_had() -> None:
    """Not one page came: that is no list at all, and no empty one."""

    async def never(answer: Answer) -> bool:
        raise AssertionError

    async def main() -> bool:
        line = Channel(FakeClock(), Pacer(1, 1.0, 1), Breaker(1.0), lambda: None)
        line.close("SIGTERM")
        return await read_list(line, Pages(3).at, Listing(), never)

    assert in_virtual_time(main(), 1000.0)[0] is False


@pytest.mark.fault("J05", "L11", "B32")
def test_a_list_that_does_not_show_the_first_order_opens_nothing() -> None:
    """It is complete, and a copy from before: one order goes alone, and no other until a list shows
    its charge.
    """
    gateway = Hiding(latency_s=1.2)
    gateway.hidden = {f"chrg_test_{number}" for number in range(100)}
    world = World(gateway, settings=replace(SETTINGS, concurrency=4))
    assert list(world.run(6).values()).count(Outcome.SUCCEEDED) == 1
    assert len(gateway.posts) == 1
    assert world.stops() == [f"order 0000: chrg_test_1 {GONE}; {SEE_CHARGE()}"]
    gateway.hidden = set()
    world.now_s += 43_000.0
    world.run(6)
    assert len(gateway.posts) == 1  # until a person has looked


@pytest.mark.fault("J05", "C04")
@pytest.mark.parametrize(
    "made",
    [
        "2025-11-24T08:45:39-05:00",
        "2025-11-24 13:45:39",
        "2025-11-24",
        "1764000000",
        "",
    ],
)
def test_a_charge_whose_time_cannot_be_read_may_be_of_any_time(made: str) -> None:
    """Written in another form it is no older than what it is held against."""
    found = charge_in(charge(**{**NAMELESS, "created_at": made}))
    since_ns = instant_ns("2026-11-24T13:45:39Z") or 0
    assert found is not None and could_be(found, INTENT, since_ns)
    assert not could_be(
        replace(found, created_at="2025-11-24T13:45:39Z"),
        INTENT,
        since_ns,
    )


@pytest.mark.fault("B16", "J05")
def test_a_charge_without_a_recipient_may_be_an_attempts_of_the_same_payer() -> None:
    """A gateway that knows no destination, and lost what names the order; of another payer, or of
    none, it is not.
    """
    intent = replace(INTENT, payer="cust_test_1:card_test_9")
    found = charge_in(charge(**NAMELESS))
    assert found is not None
    found = replace(found, destination=None, payer="cust_test_1", unread=frozenset())
    assert could_be(found, intent)
    assert not could_be(replace(found, payer="cust_test_2"), intent)
    assert not could_be(replace(found, payer=None), intent)


@pytest.mark.fault("B15", "B16", "L5", "L7")
@pytest.mark.parametrize(
    ("asked", "told", "fits"),
    [
        ("cust_test_1", "cust_test_1", True),
        ("cust_test_1:card_test_9", "cust_test_1", True),
        ("cust_test_1:card_test_9", "cust_test_2", False),
        ("src_test_1", "src_test_1", True),
        ("src_test_1", "src_test_2", False),
        # a charge names no token, and a source is no customer
        ("tokn_test_1", "cust_test_1", None),
        ("tokn_test_1", None, None),
        ("cust_test_1", "src_test_1", None),
        ("src_test_1", "cust_test_1", None),
        ("cust_test_1", None, None),
        ("", "cust_test_1", None),
        ("", None, None),
    ],
)
@pytest.mark.parametrize("destination", ["recp_test_1", None])
def test_whether_a_charge_may_be_an_orders_by_its_payer_has_one_answer(
    asked: str, told: str | None, fits: bool | None, destination: str | None
) -> None:
    """Whoever asks. Where it tells no recipient, it must tell the payer."""
    found = charge_in(charge(**NAMELESS))
    assert found is not None
    found = replace(found, payer=told, destination=destination, unread="")
    intent = replace(INTENT, payer=asked)
    assert payer_fits(asked, told or "") is fits
    may = fits is True or (fits is None and destination is not None)
    assert could_be(found, intent) is may
    assert nameless_of(found).may_be_of([intent.order_id], asked) is may
    of_payer = [one for one in flaws_of(found, intent, False) if "payer" in one]
    assert bool(of_payer) is (fits is False)
    if destination is not None:
        assert asked_by(intent).contradicts(asked_of(found)) is (fits is False)


@pytest.mark.fault("J05", "B32")
def test_lists_that_lag_behind_what_is_being_sent_stop_nothing() -> None:
    """All night long the youngest charge is in no list yet: only the one order that goes alone has
    to be shown.
    """
    gateway = FakeGateway(latency_s=1.0, lag_s=3.0)
    world = World(gateway, settings=replace(SETTINGS, concurrency=1))
    assert set(world.run(150).values()) == {Outcome.SUCCEEDED}
    assert world.stops() == [] and len(gateway.posts) == 150


@pytest.mark.parametrize(("dated", "told_s"), [(True, 600.0), (False, 600.0 - SKEW_S)])
def test_a_charge_is_younger_by_a_margin_where_nobody_checked_our_clock(
    dated: bool, told_s: float
) -> None:
    """A charge that a list lacks is a stop after some time: a clock that goes wrong may not bring
    it forward.
    """
    now = datetime(2026, 11, 24, 12, 10, tzinfo=UTC)
    assert age_s("2026-11-24T12:00:00Z", now, dated=dated) == told_s
    assert age_s("some day", now, dated=dated) == 0.0


# --- what a list must show


def lists_of(
    known: Mapping[str, tuple[str, float]] = MappingProxyType({}),
    journal: MemoryJournal | None = None,
    gateway: Any = None,
) -> Lists:
    """Of a run at 1000 s that has proof of some charges: when each was made, and when it was
    proven.
    """
    clock = FakeClock()
    channel = Channel(clock, Pacer(50, 1.0, 1), Breaker(1.0), lambda: None)
    recorder = Recorder(
        journal or MemoryJournal("night"), clock, "night", "run", live=False
    )
    recorder.expected.known.update(known)
    omise = Omise(gateway or FakeGateway())
    means = Means(SETTINGS, omise, channel, recorder, clock)
    return Lists(means, lambda case: None)


AT = iso(SENT)
LAG_S = SETTINGS.doubt_period_s / 8


@pytest.mark.fault("J05", "J11")
@pytest.mark.parametrize(
    ("made", "proven_s", "must"),
    [
        (AT, float("-inf"), True),  # by a run of before
        (AT, 1000.0 - LAG_S - 0.1, True),
        (AT, 1000.0 - LAG_S, False),  # a list may lag as long
        (iso(SENT - timedelta(seconds=1)), 0.0, False),  # before its begin
        (iso(SENT + timedelta(seconds=9)), 0.0, True),
        (iso(SENT + timedelta(seconds=10)), 0.0, False),  # after its end
        ("24.11.2026", 0.0, False),  # nobody can tell when
    ],
)
def test_a_list_must_show_what_was_proven_in_its_time_a_lag_before_it_began(
    made: str, proven_s: float, must: bool
) -> None:
    """Whatever else is known that it need not show."""
    need_not = {"chrg_test_7": ("some day", 0.0)}
    found = lists_of({**need_not, "chrg_test_1": (made, proven_s)})
    listing = Listing(since=AT, begun_s=1000.0, now=iso(SENT + timedelta(seconds=9)))
    assert found.witnesses.lacking(listing) == (["chrg_test_1"] if must else [])
    listing.complete = True
    assert found.witnesses.proves_absence(listing) is not must
    listing.skipped = 1  # it may be what was passed over
    assert found.witnesses.lacking(
        listing
    ) == [] and not found.witnesses.proves_absence(listing)


@pytest.mark.fault("J05", "J11")
def test_a_list_begins_with_the_youngest_charge_that_it_must_show() -> None:
    """Else with what is asked for."""
    young, old = (iso(SENT - timedelta(hours=hours)) for hours in (2, 3))
    known = {"chrg_test_1": (young, 0.0), "chrg_test_2": (old, 0.0)}
    late = {"chrg_test_3": (iso(SENT - timedelta(hours=4)), 1000.0 - LAG_S)}

    async def absorb(page: Page) -> None:
        assert page.charges == ()

    def begins(some: Mapping[str, tuple[str, float]]) -> str:
        async def main() -> str:
            listing = await lists_of(some).reading.read(SENT, absorb)
            assert listing is not None
            return listing.since

        return in_virtual_time(main(), 1000.0)[0]

    assert begins(known) == young
    assert begins(late) == AT
    assert begins({}) == AT


@pytest.mark.fault("J11", "L5")
def test_a_charge_that_may_be_an_attempts_is_not_one_that_is_anothers() -> None:
    """Of several in a list the first that it can be is told; a list that was not had shows none."""
    attempt = Attempt(
        INTENT,
        adopted=False,
        sends=1,
        unproven_sends=frozenset({1}),
        sent_ns=START_NS,
    )
    some = [
        charge_in(charge(**{**NAMELESS, "id": f"chrg_test_{number}", **changes}))
        for number, changes in enumerate(({"amount": 1}, {}, {}))
    ]
    unclear = [one for one in some if one is not None]
    found = lists_of()

    def may_be_its(lists: Lists, listing: Listing | None) -> str:
        return in_virtual_time(lists.may_be.its(listing, attempt), 1000.0)[0]

    assert may_be_its(found, Listing(unclaimed=unclear)) == "chrg_test_1"
    assert may_be_its(found, Listing(unclaimed=unclear[:1])) == ""
    assert may_be_its(found, None) == ""
    journal = MemoryJournal("night")
    told = Adopted(
        intent=replace(INTENT, order_id="0002"), charge=unclear[1], flaws=("whose",)
    )
    journal.append([line(told, START_NS, order_id="0002", attempt=1)])
    known = lists_of(journal=journal)
    assert may_be_its(known, Listing(unclaimed=unclear)) == "chrg_test_2"


@pytest.mark.fault("B31")
@pytest.mark.parametrize(
    ("key", "twins", "unknown", "other"),
    [
        (INTENT.key, {"chrg_test_1"}, (), "chrg_test_1"),
        ("another", {"chrg_test_1"}, (), ""),  # it was told of it, and is not its own
        (INTENT.key, set(), (), ""),  # what it has was not its own
        (INTENT.key, {"chrg_test_1", "chrg_test_2"}, (), ""),  # both are known
        (INTENT.key, {"chrg_test_1"}, ("chrg_test_1",), ""),  # it was asked for
    ],
)
def test_a_second_charge_under_a_key_makes_the_first_one_asked_for_once(
    key: str, twins: set[str], unknown: tuple[str, ...], other: str
) -> None:
    """Are there two, or did an answer tell a false id?"""
    first = charge_in(charge())
    shown = charge_in(charge(id="chrg_test_2", metadata={"batchpay_key": key}))
    assert first is not None and shown is not None
    attempt = Attempt(
        INTENT,
        adopted=False,
        sends=1,
        charge=first,
        twins=frozenset(twins),
        unknown=frozenset(unknown),
    )
    assert _other_than(Case(INTENT, attempt), shown) == other
    assert _other_than(Case(INTENT), shown) == ""


# --- what a run looks for before it sends


@pytest.mark.fault("J11", "J05")
@pytest.mark.parametrize(("hidden_s", "sent"), [(15.0, 4), (1e9, 3)])
def test_a_list_that_lacks_a_charge_for_a_while_is_waited_for(
    hidden_s: float, sent: int
) -> None:
    """Up to the doubt period; then nothing is sent. It is the youngest: no stop, for the gateway
    knows it by its id.
    """
    world, gateway = after_a_night(lambda post, fields: "ok")
    gateway.hidden = {"chrg_test_3"}
    gone_s = world.now_s + hidden_s

    class Late(type(gateway)):  # type: ignore[misc]
        async def page(
            self,
            since: str,
            offset: int,
            may_leave: Callable[[], bool],
            limit: int = 100,
        ) -> Answer:
            if asyncio.get_running_loop().time() >= gone_s:
                self.hidden = set()
            return await super().page(since, offset, may_leave, limit)

    gateway.__class__ = Late
    world.run(4)
    assert len(gateway.posts) == sent and world.stops() == []


@dataclass
class Counting(FakeGateway):
    """Counts the lists that are begun."""

    lists: int = 0

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        self.lists += not offset
        return await super().page(since, offset, may_leave, limit)


@pytest.mark.fault("J02", "L11")
@pytest.mark.parametrize(("quiet_in_s", "lists"), [(3.0, 2), (-0.5, 1)])
def test_beside_an_unknown_charge_a_list_follows_once_nothing_can_land_any_more(
    quiet_in_s: float, lists: int
) -> None:
    """Where that is so already, one list says it all."""
    gateway = Counting()
    found = lists_of(gateway=gateway)

    async def main() -> str:
        gateway._commit(fields_of(1))
        look = Look(SENT, True, True, 1000.0 + quiet_in_s)
        return await found.first_look.look(look)

    why, ended_s = in_virtual_time(main(), 1000.0)
    assert why == "" and ended_s >= 1000.0 + quiet_in_s
    assert gateway.lists == lists


@pytest.mark.fault("J05", "L11")
def test_a_run_whose_every_list_is_unreadable_charges_one_order_and_names_no_charge() -> (
    None
):
    """Nothing was lacking in a list that was not had."""
    gateway = Unreadable(times=((1000.3, FOR_EVER),))
    world = World(gateway)
    world.run(6)
    assert len(gateway.posts) == 1 and world.stops() == []


# --- what carries a key and names no order


@pytest.mark.fault("J04", "L11")
@pytest.mark.parametrize("number", [1, 2])
def test_a_charge_that_kept_only_its_key_is_the_orders_whose_key_it_is(
    number: int,
) -> None:
    """Kept when a list shows it; taken over, as its own attempt, where its order is about to be
    sent. Nothing is.
    """
    fields = {**fields_of(number), "amount": str(1000 + number - 1)}
    key = fields["metadata[batchpay_key]"]
    nameless = {
        name: value for name, value in fields.items() if not name.startswith("meta")
    }
    world = World()
    made = made_elsewhere(world, {**nameless, "metadata[batchpay_key]": key})
    world.run(0)
    (kept,) = told_in(world.journal, Stray)
    assert (kept[1].key, kept[1].charge.id) == (key, made["id"])
    assert world.run(1) == {"0000": Outcome.SUCCEEDED}
    assert world.gateway.posts == []
    (attempt,) = fold(world.journal.histories(["0000"])["0000"])
    asked = attempt.intent
    assert (asked.attempt, asked.key, asked.amount) == (number, key, 1000 + number - 1)
    # what nobody knows of another attempt than the row's own is not told
    assert bool(asked.body) is bool(asked.single_use) is (number == 1)
    assert (attempt.adopted, attempt.flaws) == (True, ())


@pytest.mark.fault("B19", "L11")
@pytest.mark.parametrize(
    ("payer", "kept"), [("cust_test_0", 1), ("", 1), ("cust_test_9", 0)]
)
def test_a_nameless_charge_of_another_payer_keeps_no_refused_order_back(
    payer: str, kept: int
) -> None:
    """One that does not tell who paid may be anybody's."""
    gateway = FakeGateway(only(0, "error bad_request"))
    world = World(gateway, payer=lambda number: {"customer": f"cust_test_{number}"})
    assert world.run(2)["0000"] is Outcome.REFUSED
    (first,) = gateway.charges
    nameless = {**first, "id": "chrg_test_2", "amount": 1000, "metadata": {}}
    gateway.charges.append({**nameless, "customer": payer or None})
    world.run(2)
    assert len(list(told_in(world.journal, NamelessListed))) == kept
