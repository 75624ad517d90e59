"""One pass of following, decision by decision: what it asks, what it writes, and where the next one
goes on; in virtual time, on real parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from batchpay.domain.books import (
    Booked,
    ChainLink,
    Happened,
    PageOf,
    Refund,
    Span,
    Transfer,
)
from batchpay.domain.events import (
    DisputeSeen,
    Followed,
    RefundSeen,
    Told,
    TransferSeen,
    told_by,
    told_in,
)
from batchpay.domain.model import Answer, Outcome
from batchpay.lifecycle.attempt import Attempt
from batchpay.settlement import Channel, Means, Recorder, following
from batchpay.settlement.following import Follower, Follows, PendingRound
from batchpay.settlement.pacing import Breaker, Pacer
from tests.fakes import START_NS, FakeClock, FakeGateway, in_virtual_time
from tests.test_following import attempt
from tests.test_settlement import JOB, SETTINGS, World, only

DAY_S = 86_400.0
T = TypeVar("T", bound=Told)


@dataclass
class Books:
    """What a gateway tells beside its charges. It keeps what it was asked; what `fails` begins a
    question, or ends it, has that status.
    """

    chains_listed: dict[str, str] = field(default_factory=dict)  # chain -> transfer
    chains_told: dict[str, Transfer] = field(default_factory=dict)
    transfers_listed: tuple[Transfer, ...] = ()
    transfers_told: dict[str, Transfer] = field(default_factory=dict)
    refunds_listed: tuple[Refund | None, ...] = ()
    events: tuple[Happened, ...] = ()
    charges: dict[str, Booked] = field(default_factory=dict)
    fails: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)  # as told, where it is another
    latency_s: float = 0.05
    asked: list[str] = field(default_factory=list)
    since: dict[str, str] = field(default_factory=dict)

    async def _told(self, name: str, said: Any) -> Answer[Any]:
        self.asked.append(name)
        await asyncio.sleep(self.latency_s)
        status = self.fails.get(name, 200 if said is not None else 404)
        if status != 200:
            return Answer(out=True, status=status, code="not_found" * (status == 404))
        return Answer(out=True, status=status, said=said)

    async def _listed(
        self, name: str, span: Span, offset: int, things: Sequence[Any]
    ) -> Any:
        self.since.setdefault(name, span.since)
        page = tuple(things[offset : offset + following.PAGE_SIZE])
        total = self.totals.get(name, len(things))
        return await self._told(
            f"{name} {offset}", PageOf(page, ("",) * len(page), total)
        )

    async def chains(self, span: Span, offset: int, may_leave: Any) -> Any:
        links = [ChainLink(*one) for one in self.chains_listed.items()]
        return await self._listed("chains", span, offset, links)

    async def transfers(self, span: Span, offset: int, may_leave: Any) -> Any:
        return await self._listed("transfers", span, offset, self.transfers_listed)

    async def refunds(self, span: Span, offset: int, may_leave: Any) -> Any:
        return await self._listed("refunds", span, offset, self.refunds_listed)

    async def happened(self, span: Span, offset: int, may_leave: Any) -> Any:
        return await self._listed("events", span, offset, self.events)

    async def chained(self, chain_id: str, may_leave: Any) -> Any:
        return await self._told(chain_id, self.chains_told.get(chain_id))

    async def transfer(self, transfer_id: str, may_leave: Any) -> Any:
        return await self._told(transfer_id, self.transfers_told.get(transfer_id))

    async def booked(self, charge_id: str, may_leave: Any) -> Any:
        return await self._told(charge_id, self.charges.get(charge_id))


def share(number: int, **more: Any) -> Transfer:
    """The transfer of the order of a number, in `Night`."""
    amount = 1000 + number
    fields = {"recipient": "recp_test_1", "amount": amount, "currency": "THB"} | more
    return Transfer(f"trsf_{number}", **fields)


class Night:
    """Three charges, of which the first was declined once before: order 0000 has two attempts, and
    the chains are acch_test_4, 2 and 3.
    """

    def __init__(self, count: int = 3) -> None:
        self.world = World(FakeGateway(only(0, "declined")))
        self.world.run(count)
        self.world.batch = "2026-11-25-0123456789ab"
        self.world.payer = lambda number: {"card": f"tokn_test_{number}9"}
        assert set(self.world.run(count).values()) == {Outcome.SUCCEEDED}
        self.began_ns = START_NS + int(self.world.now_s * 1e9)

    def follow(
        self,
        books: Books,
        requests: int = 50,
        before: Followed | None = None,
        later_s: float = 0.0,
        deadline_s: float | None = None,
        waiting: Sequence[Attempt] = (),
        **more: Any,
    ) -> Followed | None:
        """One pass; what it wrote of where it stopped. None: nothing."""
        since = sum(1 for _ in self.world.journal.events())
        self.world.now_s += later_s

        async def main() -> None:
            clock = FakeClock()
            channel = Channel(clock, Pacer(50, 1.0, 1), Breaker(5.0), lambda: None)
            keeper = Recorder(self.world.journal, clock, JOB, "run", live=False)
            follows = Follows(before, requests, **more)
            deadline_ns = (
                None if deadline_s is None else clock.now_ns() + int(deadline_s * 1e9)
            )
            turns = PendingRound(follows, clock.now_ns())
            if waiting:
                turns.rest(waiting)
            gateway: Any = books
            means = Means(SETTINGS, gateway, channel, keeper, clock)
            follower = Follower(means, follows, turns, deadline_ns)
            await follower.follow()

        self.now_ns = START_NS + int(self.world.now_s * 1e9)
        _, self.world.now_s = in_virtual_time(main(), self.world.now_s)
        self.new = [*self.world.journal.events(after=since)]
        told = [one for _, one in told_in(self.world.journal, Followed)]
        return told[-1] if any(one.kind == Followed.kind for one in self.new) else None

    def seen(self) -> dict[str, str]:
        """Order and attempt -> where the last pass saw its transfer."""
        found = [one for one in self.new if one.kind == TransferSeen.kind]
        return {f"{one.order_id}/{one.attempt}": one.data["stands"] for one in found}

    def told(self, kind: type[T]) -> list[T]:
        """What the last pass wrote of a kind."""
        return [one for _, one in told_by(self.new, kind)]

    def first_ns(self) -> int:
        """When the first of the charges was sent that succeeded."""
        return min(
            one.at_ns for one in self.world.journal.events(["intent"]) if one.row > 2
        )


CHAINS = {"acch_test_4": "trsf_0", "acch_test_2": "trsf_1", "acch_test_3": "trsf_2"}
ALL = {"0000/2": "created", "0001/1": "created", "0002/1": "created"}
ORDERS = ("0001", "0002", "0000")  # the oldest first
SHARES = tuple(share(number) for number in range(3))
CHAINS_OF_FOUR = ("acch_test_5", "acch_test_2", "acch_test_3", "acch_test_4")
TWO = {name: CHAINS[name] for name in ("acch_test_4", "acch_test_2")}


@pytest.mark.parametrize(
    ("books", "asked", "seen", "still_open"),
    [
        # both lists tell of all
        (Books(CHAINS, {}, SHARES), ["chains 0", "transfers 0"], ALL, ORDERS),
        # what is paid, or taken back, is over; what failed is not
        (
            Books(
                CHAINS,
                {},
                (
                    share(0, paid=True),
                    share(1, deleted=True),
                    share(2, failure_code="x"),
                ),
            ),
            ["chains 0", "transfers 0"],
            {"0000/2": "paid", "0001/1": "deleted", "0002/1": "failed"},
            ("0002",),
        ),
        # a chain that the list lacks is asked itself, and tells of the transfer, too
        (
            Books(TWO, {"acch_test_3": share(2, sent=True)}, SHARES[:2]),
            ["chains 0", "acch_test_3", "transfers 0"],
            ALL | {"0002/1": "sent"},
            ORDERS,
        ),
        # one that nobody has a transfer of yet hides no other
        (
            Books({"acch_test_3": "trsf_2", "acch_test_4": ""}, {}, SHARES),
            ["chains 0", "acch_test_4", "acch_test_2", "transfers 0"],
            {"0002/1": "created"},
            ORDERS,
        ),
        # a transfer that the list lacks is asked for by its id; others' are nobody's
        (
            Books(CHAINS, {}, (share(8), share(0)), {"trsf_2": share(2)}),
            ["chains 0", "transfers 0", "trsf_1", "trsf_2"],
            {"0000/2": "created", "0002/1": "created"},
            ORDERS,
        ),
        # an answer about another transfer is none
        (
            Books(CHAINS, {}, SHARES[1:], {"trsf_0": share(1, paid=True)}),
            ["chains 0", "transfers 0", "trsf_0"],
            {"0001/1": "created", "0002/1": "created"},
            ORDERS,
        ),
        # neither list is served: one by one
        (
            Books({}, dict(zip(CHAINS, SHARES, strict=True)), fails={"chains 0": 404}),
            ["chains 0", *CHAINS],
            ALL,
            ORDERS,
        ),
    ],
)
def test_what_the_gateway_tells_of_shares_is_kept_and_the_rest_stays_open(
    books: Books, asked: list[str], seen: dict[str, str], still_open: tuple[str, ...]
) -> None:
    """By the lists, else one by one; each attempt gets its own transfer and no other."""
    night = Night()
    told = night.follow(books)
    assert (books.asked, night.seen()) == (asked, seen)
    assert told == Followed(
        since_ns=night.now_ns,
        open=still_open,
        asked_ns=night.now_ns,
        news_from=ten_minutes_before(night.now_ns),
    )
    assert books.since["chains"] == ten_minutes_before(night.first_ns())


def ten_minutes_before(at_ns: int) -> str:
    """The margin of every list; ISO 8601 UTC."""
    at = datetime.fromtimestamp(at_ns // 10**9, UTC) - timedelta(minutes=10)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_was_seen_is_written_once_and_what_is_over_is_asked_no_more() -> None:
    night = Night()
    first = night.follow(Books(CHAINS, {}, SHARES))
    assert first is not None
    again = Books(CHAINS, {}, (share(0, sent=True), share(1), share(2, paid=True)))
    second = night.follow(again, before=first)
    # whose transfer is known by now has no chain to be asked for
    assert again.asked == ["refunds 0", "events 0", "transfers 0"]
    assert night.seen() == {"0000/2": "sent", "0002/1": "paid"}
    assert second is not None and second.open == ("0001", "0000")
    last = Books(CHAINS, {}, (share(0, paid=True), share(1, deleted=True)))
    third = night.follow(last, before=second)
    assert third is not None and third.open == ()
    nothing = Books()
    night.follow(nothing, before=third)
    assert nothing.asked == ["refunds 0", "events 0"] and night.seen() == {}


def test_where_nothing_was_ever_followed_and_nothing_is_on_its_way_nothing_is_asked() -> (
    None
):
    """Where nothing was ever charged, nothing is written either, unless an old pending charge
    waits, whose turn must be kept. Where something was, events are read from here on.
    """
    nobody = Night()
    nobody.world = World(FakeGateway())
    books = Books()
    assert nobody.follow(books) is None and books.asked == []
    night = Night()
    told = night.follow(books, later_s=36 * DAY_S)
    assert told is not None and books.asked == []
    assert told.news_from == ten_minutes_before(night.now_ns)
    old = [attempt(name, night.began_ns) for name in "ab"]
    told = night.follow(books, waiting=old[:1])
    assert told is not None and books.asked == []
    assert (told.pending_ns, told.pending_after) == (night.now_ns, "")
    told = night.follow(books, 1, waiting=old)
    assert told is not None and (told.pending_ns, told.pending_after) == (0, "a")


@pytest.mark.parametrize(
    ("books", "asked", "untold"),
    [
        # three in vain, and none with one: the gateway tells of no transfer, and is asked no more
        (Books(fails={"chains 0": 404}), ["chains 0", *CHAINS], True),
        # two in vain are no proof, and none is where another has its transfer
        (
            Books({"acch_test_3": "trsf_2"}),
            ["chains 0", *tuple(CHAINS)[:2], "transfers 0"],
            False,
        ),
        (
            Books({}, {"acch_test_2": SHARES[1]}, fails={"chains 0": 410}),
            ["chains 0", *CHAINS],
            False,
        ),
    ],
)
def test_a_gateway_that_tells_of_no_transfer(
    books: Books, asked: list[str], untold: bool
) -> None:
    night = Night()
    told = night.follow(books)
    assert told is not None and told.untold is untold
    if "transfers 0" in asked:
        asked = [*asked, "trsf_2"]
    assert books.asked == asked
    assert (told.asked_ns, len(told.open)) == (night.now_ns, 3)


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_list_that_is_not_served_is_no_trouble(status: int) -> None:
    night = Night()
    books = Books(
        chains_told=dict(zip(CHAINS, SHARES, strict=True)), fails={"chains 0": status}
    )
    told = night.follow(books)
    assert night.seen() == ALL and told is not None and told.asked_ns == night.now_ns


def test_a_gateway_that_told_of_one_transfer_tells_of_transfers() -> None:
    """Of an earlier night's; three chains without one prove nothing then."""
    night = Night(4)
    first = night.follow(Books({"acch_test_4": "trsf_3"}, {}, (share(3),)))
    assert first is not None and night.seen() == {"0003/1": "created"}
    later = Books(transfers_listed=(share(3),))
    told = night.follow(later, before=replace(first, news_from=""))
    assert later.asked[-1] == "transfers 0" and len(later.asked) == 5
    assert told is not None and not told.untold


def test_a_chain_that_told_of_its_transfer_lets_all_others_be_asked() -> None:
    """Three in vain end it only where none told."""
    chains = list(CHAINS_OF_FOUR)
    books = Books(chains_told={"acch_test_5": SHARES[0]})
    told = Night(4).follow(books)
    assert books.asked == ["chains 0", *chains] and told is not None and not told.untold
    books = Books()
    told = Night(4).follow(books)
    assert books.asked == ["chains 0", *chains[:3]] and told is not None and told.untold


def test_a_question_without_an_answer_ends_it_for_tonight() -> None:
    """It waits ten seconds and no longer."""
    night = Night()
    books = Books(CHAINS, {}, SHARES, latency_s=10.1)
    began_s = night.world.now_s
    told = night.follow(books)
    assert books.asked == ["chains 0"] and told is not None and told.asked_ns == 0
    assert night.world.now_s - began_s == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("fails", "asked", "seen"),
    [
        ({"chains 0": 500}, ["chains 0"], []),
        ({"chains 0": 401}, ["chains 0"], []),
        ({"transfers 0": 429}, ["chains 0", "acch_test_3", "transfers 0"], ["0002/1"]),
    ],
)
def test_one_request_that_fails_ends_it_for_tonight(
    fails: dict[str, int], asked: list[str], seen: list[str]
) -> None:
    """What was seen until then is kept; all that was due is due again."""
    night = Night()
    books = Books(TWO, {"acch_test_3": share(2)}, (share(1),), fails=fails)
    told = night.follow(books)
    assert (books.asked, sorted(night.seen())) == (asked, seen)
    assert told == Followed(
        since_ns=night.now_ns,
        open=("0001", "0002", "0000"),
        news_from=ten_minutes_before(night.now_ns),
    )


@pytest.mark.parametrize(
    ("fails", "asked", "seen"),
    [
        (
            {"acch_test_3": status},
            ["chains 0", "acch_test_3", "transfers 0"],
            ["0000/2", "0001/1"],
        )
        for status in (302, 400, 401, 403, 409, 429, 503)
    ]
    + [
        (
            {"trsf_0": status},
            ["chains 0", "acch_test_3", "transfers 0", "trsf_0"],
            ["0001/1", "0002/1"],
        )
        for status in (302, 401, 429, 500)
    ],
)
def test_one_thing_that_is_never_told_is_in_no_others_way(
    fails: dict[str, int], asked: list[str], seen: list[str]
) -> None:
    """It is asked for again on its schedule."""
    night = Night()
    listed = (share(1), share(0)) if "acch_test_3" in fails else (share(1),)
    books = Books(TWO, {"acch_test_3": share(2)}, listed, fails=fails)
    told = night.follow(books)
    assert (books.asked, sorted(night.seen())) == (asked, seen)
    assert told is not None and told.asked_ns == night.now_ns
    assert len(told.open) == 3


def test_three_things_in_a_row_that_are_not_told_end_it_for_tonight() -> None:
    chains = list(CHAINS_OF_FOUR)
    told_one = {chains[2]: SHARES[0]}
    fails = {chains[0]: 500, chains[1]: 502, chains[3]: 503}
    books = Books(chains_told=told_one, fails=dict(fails))
    told = Night(4).follow(books)
    assert books.asked[:5] == ["chains 0", *chains] and told is not None
    assert told.asked_ns > 0
    books = Books(chains_told={chains[3]: SHARES[0]}, fails=fails | {chains[2]: 500})
    told = Night(4).follow(books)
    assert books.asked == ["chains 0", *chains[:3]] and told is not None
    assert told.asked_ns == 0


def test_a_charge_that_is_never_told_is_asked_for_again_and_hides_no_other() -> None:
    """Neither what was given back of others, nor what events name, nor, once it is told, what a
    list told of it while it was not.
    """
    fails = {"chrg_test_2": 500}
    events = (Happened("dispute.create", "dspt_1", "chrg_test_3"),)
    night = Night()
    first = night.follow(
        Books(
            CHAINS,
            {},
            SHARES,
            refunds_listed=(given_back(2),),
            events=events,
            charges={"chrg_test_3": Booked("chrg_test_3", dispute="open")},
            fails=fails,
        ),
        before=BEFORE,
        refund_seen=words,
    )
    assert first is not None and first.unread == ("chrg_test_2",)
    assert [one.charge_id for one in night.told(DisputeSeen)] == ["chrg_test_3"]
    assert night.told(RefundSeen) == []
    # its refund is in the list no earlier than that night; events are not read twice
    assert first.news_from == BEFORE.news_from
    assert first.events_from == ten_minutes_before(night.now_ns)
    later = Books(
        refunds_listed=(given_back(2),), charges={"chrg_test_2": Booked("chrg_test_2")}
    )
    second = night.follow(later, before=first, refund_seen=words, later_s=DAY_S)
    assert later.since["refunds"] == BEFORE.news_from
    assert later.since["events"] == first.events_from
    assert [one.total for one in night.told(RefundSeen)] == [100]
    assert second is not None and second.unread == () and second.events_from == ""


NO_WORD = Answer(out=True, status=200)


@pytest.mark.parametrize("what", ["refunds", "happened", "booked"])
@pytest.mark.parametrize("word", [NO_WORD, replace(NO_WORD, status=404)])
def test_an_answer_that_is_not_what_was_asked_for_tells_nothing(
    what: str, word: Answer[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of a proxy, or an object of another kind, under any status: what it hid is read the
    next night.
    """

    async def odd(*_: object, **__: object) -> Answer[Any]:
        return word

    events = (Happened("dispute.create", "dspt_1", "chrg_test_3"),)
    books = Books(
        CHAINS,
        {},
        SHARES,
        refunds_listed=(given_back(2),),
        events=events,
        charges={
            "chrg_test_2": Booked("chrg_test_2"),
            "chrg_test_3": Booked("chrg_test_3", dispute="open"),
        },
    )
    night = Night()
    with monkeypatch.context() as patched:
        patched.setattr(books, what, odd)
        first = night.follow(books, before=BEFORE, refund_seen=words)
    night.follow(books, before=first, refund_seen=words, later_s=DAY_S)
    assert [one.charge_id for one in night.told(DisputeSeen)] == ["chrg_test_3"]
    assert [one.total for one in night.told(RefundSeen)] == [100]


def test_a_charge_without_an_answer_keeps_no_list_open_for_ever() -> None:
    """Refunds are read from five weeks ago at most."""
    before = replace(BEFORE, news_from="2026-10-01T00:00:00Z")
    books = Books(refunds_listed=(given_back(2),), fails={"chrg_test_2": 500})
    night = Night()
    told = night.follow(books, before=before)
    assert told is not None and told.unread == ("chrg_test_2",)
    assert told.news_from == ten_minutes_before(night.now_ns)


@pytest.mark.parametrize("requests", [1, 2, 3, 4])
def test_the_budget_is_all_that_is_asked(requests: int) -> None:
    """So many requests; of `settle` fifty times as many. Where it ends, all is due again."""
    whole = ["chains 0", "transfers 0", "trsf_1", "trsf_2"]
    night = Night()
    books = Books(CHAINS, {}, SHARES[:1], {"trsf_1": SHARES[1], "trsf_2": SHARES[2]})
    told = night.follow(books, requests)
    assert books.asked == whole[:requests] and told is not None
    assert told.asked_ns == (night.now_ns if requests == 4 else 0)
    other = replace(books, asked=[])
    Night().follow(other, 1, patient=True)
    assert other.asked == whole


def test_so_many_are_followed_as_two_lists_may_tell_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half a page for each request; the next run goes on behind the last one, and comes round."""
    monkeypatch.setattr(following, "PAGE_SIZE", 5)
    night = Night()
    before = Followed(since_ns=0, open=("gone",), asked_ns=7)
    told = night.follow(Books(CHAINS, {}, SHARES), 1, before)
    assert told == replace(
        before, after="0001", news_from=ten_minutes_before(night.now_ns)
    )
    rest = night.follow(Books(CHAINS, {}, SHARES), 9, replace(told, news_from=""))
    assert rest is not None and (rest.after, len(rest.open)) == ("", 3)


@pytest.mark.parametrize(
    ("deadline_s", "asked"),
    [(None, 3), (9.9, 0), (10.1, 1), (14.9, 1), (15.1, 2), (20.1, 3)],
)
def test_it_asks_nothing_that_could_outlast_the_deadline(
    deadline_s: float | None, asked: int
) -> None:
    """A question may take ten seconds; these take five."""
    night = Night()
    books = Books(TWO, {"acch_test_3": SHARES[2]}, SHARES, latency_s=5.0)
    night.follow(books, deadline_s=deadline_s)
    assert len(books.asked) == asked


@pytest.mark.parametrize(("latency_s", "asked"), [(7.4, 9), (7.6, 8), (9.5, 7)])
def test_it_begins_no_question_after_a_minute_but_in_settle(
    latency_s: float, asked: int
) -> None:
    night = Night()
    books = Books(
        refunds_listed=tuple(given_back(number) for number in (2, 3, 4)),
        chains_told=dict(zip(CHAINS, SHARES, strict=True)),
        charges={
            f"chrg_test_{number}": Booked(f"chrg_test_{number}") for number in (2, 3, 4)
        },
        latency_s=latency_s,
    )
    night.follow(books, before=BEFORE)
    assert len(books.asked) == asked
    patient = replace(books, asked=[])
    Night().follow(patient, before=BEFORE, patient=True)
    assert len(patient.asked) == 9


# --- when it is due


@pytest.mark.parametrize(
    ("later_days", "asked_days", "more", "is_asked"),
    [
        (0.9, 0.8, {}, True),
        (1.1, 0.8, {}, True),
        (1.2, 1.1, {}, False),
        (1.3, 1.1, {}, True),
        (1.2, 1.1, {"patient": True}, True),
        (34.9, 1.1, {}, True),
        (35.1, 1.1, {"patient": True}, False),
    ],
)
def test_what_is_due_is_asked_about(
    later_days: float, asked_days: float, more: dict[str, bool], *, is_asked: bool
) -> None:
    """On the first day each run, then ever more rarely, for 35 days; `settle` asks about all."""
    night = Night()
    before = Followed(
        since_ns=0, asked_ns=night.began_ns + int(asked_days * DAY_S * 1e9)
    )
    books = Books(CHAINS, {}, SHARES)
    night.follow(books, before=before, later_s=later_days * DAY_S, **more)
    assert bool(books.asked) is is_asked


def test_a_transfer_that_an_event_names_is_asked_about_at_once() -> None:
    """Whatever its schedule says; and no other."""
    night = Night()
    first = night.follow(Books(CHAINS, {}, SHARES))
    assert first is not None
    before = replace(first, asked_ns=night.began_ns + int(1.1 * DAY_S * 1e9))
    moved = Books(
        events=(Happened("transfer.pay", "trsf_1", ""),),
        transfers_told={"trsf_1": share(1, paid=True)},
    )
    night.follow(moved, before=before, later_s=1.2 * DAY_S)
    assert moved.asked == ["refunds 0", "events 0", "transfers 0", "trsf_1"]
    assert night.seen() == {"0001/1": "paid"}


# --- news

BEFORE = Followed(since_ns=0, news_from="2026-11-20T00:00:00Z")


def given_back(number: int, charge: str = "chrg_test_") -> Refund:
    """A refund of a charge."""
    return Refund(
        f"rfnd_{number}", f"{charge}{number}", 100, "THB", "2026-11-24T00:00:00Z"
    )


def words(order: str, booked: Booked, refunds: Sequence[Refund]) -> RefundSeen | None:
    """What is kept of what was given back; None: nothing was."""
    total = sum(one.amount for one in refunds)
    if not total:
        return None
    return RefundSeen(order=order, charge_id=booked.id, total=total)


def test_what_was_given_back_or_disputed_is_looked_up_once_and_told_when_it_is_news() -> (
    None
):
    """Of our charges alone: another's, and what is no refund, is not asked about."""
    disputed = [
        Happened(f"dispute.{what}", "dspt_1", charge)
        for what, charge in (
            ("create", "chrg_test_3"),
            ("update", "chrg_test_3"),
            ("create", "chrg_other_1"),
            ("create", ""),
        )
    ]
    books = Books(
        refunds_listed=(
            given_back(2),
            None,
            given_back(2),
            given_back(9),
            given_back(4),
            given_back(1),  # which the gateway does not know
        ),
        events=(
            *disputed,
            Happened("charge.complete", "chrg_test_5", "", "successful"),
            Happened("charge.complete", "chrg_other_2", "", "failed"),
        ),
        charges={
            "chrg_test_2": Booked("chrg_test_2"),
            "chrg_test_3": Booked("chrg_test_3", dispute="open"),
            # another one's answer
            "chrg_test_4": Booked("chrg_test_2", dispute="open"),
        },
    )
    night = Night(4)
    told = night.follow(books, before=BEFORE, refund_seen=words)
    looked_at = ["chrg_test_2", "chrg_test_4", "chrg_test_1", "chrg_test_3"]
    assert books.asked == [
        "refunds 0",
        "events 0",
        *looked_at,
        "chains 0",
        *CHAINS_OF_FOUR[:3],
    ]
    assert books.since["refunds"] == books.since["events"] == BEFORE.news_from
    assert told is not None and told.unread == ("chrg_test_4",)
    assert told.news_from == BEFORE.news_from
    assert told.events_from == ten_minutes_before(night.now_ns)
    back = RefundSeen(order="0001", charge_id="chrg_test_2", total=200)
    dispute = DisputeSeen(
        order="0002",
        charge_id="chrg_test_3",
        status="open",
        amount=1002,
        currency="THB",
    )
    assert night.told(RefundSeen) == [back] and night.told(DisputeSeen) == [dispute]
    known: Any = {
        "known_refunds": {"chrg_test_2": back},
        "known_disputes": {"chrg_test_3": "open"},
    }
    night.follow(replace(books, asked=[]), before=BEFORE, refund_seen=words, **known)
    assert night.told(RefundSeen) == night.told(DisputeSeen) == []
    known = {
        "known_refunds": {"chrg_test_2": replace(back, total=100)},
        "known_disputes": {"chrg_test_3": "won", "chrg_test_2": "open"},
    }
    night.follow(replace(books, asked=[]), before=BEFORE, refund_seen=words, **known)
    assert night.told(RefundSeen) == [back] and night.told(DisputeSeen) == [dispute]


@pytest.mark.parametrize(
    "trouble",
    [
        {"fails": {"refunds 0": 500}},
        {"fails": {"events 0": 500}},
        {"fails": {"chrg_test_2": 401}},
        {"requests": 1},
        {"deadline_s": 1.0},
        {"deadline_s": 10.07},
    ],
)
def test_news_that_were_not_read_are_read_the_next_time(
    trouble: dict[str, Any],
) -> None:
    """Whatever ended it: trouble, the budget or the deadline."""
    books = Books(CHAINS, {}, SHARES, refunds_listed=(given_back(2),), charges={})
    books.fails |= trouble.pop("fails", {})
    night = Night()
    told = night.follow(books, before=BEFORE, **trouble)
    assert told is not None and told.news_from == BEFORE.news_from
    books = Books(
        refunds_listed=(given_back(2),), charges={"chrg_test_2": Booked("chrg_test_2")}
    )
    night.follow(books, before=told, refund_seen=words)
    assert [one.total for one in night.told(RefundSeen)] == [100]


@pytest.mark.parametrize(
    ("count", "requests", "asked"),
    [
        (100, 50, ["0"]),
        (101, 50, ["0", "100"]),
        (1200, 51, [str(at) for at in range(0, 1200, 100)]),
        (1201, 51, ["0"]),
        (101, 7, ["0"]),
        (200, 8, ["0", "100"]),
        (100, 3, ["0"]),
    ],
)
def test_a_list_of_news_may_cost_a_quarter_of_the_budget(
    count: int, requests: int, asked: list[str]
) -> None:
    """Of a longer one the first page alone is read."""
    elsewhere = tuple(given_back(number, "chrg_other_") for number in range(count))
    books = Books(refunds_listed=elsewhere)
    Night().follow(books, requests, BEFORE)
    pages = [one.split()[1] for one in books.asked if one.startswith("refunds")]
    assert pages == asked


SAID = [
    Happened("charge.create", "chrg_test_2", "", "pending"),
    Happened("charge.complete", "chrg_test_2", "", "successful"),
    Happened("charge.create", "chrg_test_3", "", "successful"),
    Happened("transfer.pay", "trsf_1", "chrg_test_3"),
]


@pytest.mark.parametrize(
    ("events", "read"),
    [
        (SAID, []),
        ([Happened("charge.create", "chrg_test_2", "")], []),
        ([Happened("charge.complete", "chrg_test_2", "")], ["chrg_test_2"]),
        ([*SAID, Happened("charge.update", "chrg_test_3", "", "successful")], [3]),
        ([*SAID, Happened("charge.reverse", "chrg_test_3", "", "reversed")], [3]),
        ([Happened("charge.reverse", "chrg_test_3", "", "reversed"), *SAID], [3]),
        ([*SAID, SAID[0]], ["chrg_test_2"]),  # pending again
        ([*SAID, Happened("refund.create", "rfnd_1", "chrg_test_3")], [3]),
        ([Happened("charge.update", "chrg_other_1", "", "failed")], []),
        ([Happened("charge.update", "chrg_test_1", "", "failed")], ["chrg_test_1"]),
        ([Happened("charge.complete", "chrg_test_1", "", "failed")], []),
        ([Happened("charge.update", "", "")], []),
    ],
)
@pytest.mark.fault("J04", "I8")
def test_a_charge_is_read_again_where_an_event_says_otherwise_than_the_journal(
    events: list[Happened], read: list[Any]
) -> None:
    """The journal has chrg_test_1 as declined, the others as successful."""
    books = Books(events=tuple(events))
    Night().follow(books, before=BEFORE)
    ids = [one if isinstance(one, str) else f"chrg_test_{one}" for one in read]
    assert [one for one in books.asked if one.startswith("chrg_")] == ids


def test_events_that_a_budget_did_not_reach_are_read_the_next_time() -> None:
    """Half of the budget goes for their pages; the place is kept until all of them were read, and
    what was read is not read again.
    """
    elsewhere = [Happened("charge.update", "chrg_other_1", "", "failed")] * 450
    events = (*elsewhere, Happened("charge.update", "chrg_test_2", "", "reversed"))
    night = Night()
    asked, before = [], BEFORE
    for _ in range(4):
        books = Books(events=events)
        told = night.follow(books, 5, before)
        assert told is not None
        before = told
        asked.append([one for one in books.asked if one[0] == "e" or "chrg" in one])
    assert asked == [
        ["events 0", "events 100"],
        ["events 200", "events 300"],
        ["events 400", "chrg_test_2"],
        ["events 0", "events 100"],  # from the last night's end on
    ]
    assert (told.events_from, told.events_at) == (told.events_from, 200)


def test_where_the_budget_ends_at_a_charge_the_next_time_begins_with_its_event() -> (
    None
):
    events = [
        Happened("charge.update", f"chrg_test_{number}", "", "reversed")
        for number in (4, 2, 3)
    ]
    books = Books(events=tuple(events))
    night = Night()
    told = night.follow(books, 3, BEFORE)
    assert told is not None and books.asked == ["refunds 0", "events 0", "chrg_test_4"]
    assert (told.events_from, told.events_at) == (BEFORE.news_from, 1)
    assert told.news_from == ten_minutes_before(night.now_ns)
    books = Books(events=tuple(events))
    told = night.follow(books, 50, told)
    assert [one for one in books.asked if "chrg" in one] == [
        "chrg_test_2",
        "chrg_test_3",
    ]
    assert told is not None and (told.events_from, told.events_at) == ("", 0)
    # a gateway that forgot some of them is read from the begin
    books = Books(events=tuple(events[:1]))
    told = night.follow(books, 50, replace(BEFORE, events_from="x", events_at=2))
    assert books.asked[1:4] == ["events 2", "events 0", "chrg_test_4"]


def test_a_list_that_ends_before_its_own_count_is_read_to_its_last_page() -> None:
    """An empty page is the end, whatever the gateway counts."""
    books = Books(CHAINS, {}, SHARES, totals={"chains": 150, "transfers": 4})
    night = Night()
    night.follow(books)
    assert books.asked == ["chains 0", "chains 3", "transfers 0", "transfers 3"]
    assert night.seen() == ALL
