"""The loop in virtual time against a gateway in memory that does not know idempotency."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

import pytest

from batchpay.domain.errors import (
    BatchpayError,
    Bug,
    Misconfigured,
    NotAllowed,
)
from batchpay.domain.model import Answer, Event, Intent, Outcome
from batchpay.gateways.omise.gateway import Omise
from batchpay.gateways.omise.objects import charge_in
from batchpay.job.job import GatewaySettings, Limit
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.request import intent_of
from batchpay.lifecycle.rows import Guards, History, MayGo, Row, is_sendable
from batchpay.lifecycle.standing import stand
from batchpay.messages.nights import STATUS_PAGE
from batchpay.settlement import (
    Brought,
    Candidate,
    Case,
    Channel,
    Limits,
    Look,
    Means,
    Recorder,
    Run,
    Settlement,
    Surveyed,
    at_gateway,
)
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.since import time_of
from tests.fakes import START_NS, CrashAt, Died, FakeClock, FakeGateway, in_virtual_time

SETTINGS = GatewaySettings(
    rate=50,
    concurrency=4,
    timeout_s=3.0,
    send_window_s=1.0,
    doubt_period_s=20.0,
    lookup_gap_s=2.0,
    pause_s=5.0,
)
JOB = "night"
BATCH = "2026-11-24-0123456789ab"


def one_time_token(number: int) -> dict[str, str]:
    return {"card": f"tokn_test_{number}"}


def document(
    number: int, payer: Callable[[int], dict[str, str]] = one_time_token
) -> dict[str, Any]:
    return {
        "order_id": f"{number:04d}",
        "amount": 1000 + number,
        "currency": "thb",
        "destination": "recp_test_1",
        **payer(number),
    }


def candidates(
    count: int,
    journal: MemoryJournal,
    payer: Callable[[int], dict[str, str]] = one_time_token,
    batch: str = "",
) -> Iterable[Candidate]:
    """What the rows of a file mean now, by the one decision."""
    batch = batch or BATCH
    for number in range(count):
        order = document(number, payer)
        events = journal.histories([order["order_id"]])
        history = History(
            attempts={order_id: fold(found) for order_id, found in events.items()}
        )
        standing = stand(Row(batch, "", number + 2, order), history, Guards())
        if isinstance(standing, MayGo):
            intent = intent_of(
                order,
                job=JOB,
                attempt=standing.number,
                fee=None,
                batch_id=batch,
                sheet="",
                row=number + 2,
                run_id="run",
                journal_id=journal.id,
                mode="test",
            )
            yield Candidate(
                order["order_id"], intent, standing.before, standing.withdraw
            )
        elif is_sendable(standing):
            yield Candidate(order["order_id"], None)


class Silent:
    """Talk port: nobody listens."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A step."""

    def order(self, case: Case) -> None:
        """An order moved."""


@dataclass
class World:
    """One machine's state and one gateway; runs follow each other in one time."""

    gateway: FakeGateway = field(default_factory=FakeGateway)
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal(JOB))
    settings: GatewaySettings = SETTINGS
    now_s: float = 1000.0
    ahead_s: float = 0.0  # of the machine's clock
    line: Channel | None = None
    payer: Callable[[int], dict[str, str]] = one_time_token
    settlement: Settlement | None = None
    batch: str = BATCH

    def run(
        self,
        count: int = 5,
        *,
        limits: Limits | None = None,
        adopt: bool = False,
        meanwhile: Callable[[Settlement], Any] | None = None,
        edges: Sequence[Any] | None = None,
    ) -> dict[str, Outcome]:
        async def main() -> None:
            clock = FakeClock(self.ahead_s)
            gateway, journal = edges or (self.gateway, self.journal)
            pacer = Pacer(self.settings.rate, 1.0, 1)
            self.line = Channel(
                clock, pacer, Breaker(self.settings.pause_s), lambda: None
            )
            recorder = Recorder(journal, clock, JOB, "run", live=False)
            means = Means(self.settings, Omise(gateway), self.line, recorder, clock)
            run = Run(means, Silent(), limits or Limits())
            self.settlement = run.loop
            if meanwhile:
                asyncio.get_running_loop().call_later(1.0, meanwhile, self.settlement)
            start = datetime.fromtimestamp(clock.now_ns() / 1e9, UTC)
            known = any(
                event.kind in ("intent", "adopted") for event in self.journal.events()
            )
            bounds = (
                [
                    time_of(event.data["bound"])
                    for event in self.journal.events(["listing"])
                ]
                if known
                else []
            )
            since = (bounds and bounds[-1]) or start - timedelta(days=35)
            look = Look(
                since, known, adopt, clock.elapsed_s() + self.settings.doubt_period_s
            )

            def rows() -> Iterable[Candidate]:
                return candidates(count, self.journal, self.payer, self.batch)

            def survey() -> Surveyed:
                return Surveyed(len(list(rows())), ["recp_test_1"])

            await at_gateway(run, Brought(look, start, 0.0, survey, rows))

        _, self.now_s = in_virtual_time(main(), self.now_s)
        self.now_s += 1
        return self.outcomes(count)

    def outcomes(self, count: int = 5) -> dict[str, Outcome]:
        found = {}
        for number in range(count):
            order_id = f"{number:04d}"
            attempts = fold(self.journal.histories([order_id]).get(order_id, []))
            found[order_id] = attempts[-1].outcome if attempts else Outcome.HELD
        return found

    def stops(self) -> list[str]:
        return [str(event.data["reason"]) for event in self.journal.events(["stop"])]

    def check(self) -> None:
        """Never twice; every POST had its intent; nothing again inside the doubt period."""
        assert all(count == 1 for count in self.gateway.money().values()), (
            self.gateway.money()
        )
        by_order = Counter(event.order_id for event in self.journal.events(["intent"]))
        histories = self.journal.histories(list(by_order))
        intents: Counter[str] = Counter()
        for order_id, sends in by_order.items():
            intents[fold(histories[order_id])[-1].intent.key] += sends
        posts = Counter(
            fields["metadata[batchpay_key]"] for _, fields in self.gateway.posts
        )
        assert posts <= intents, posts - intents


def only(number: int, fate: str) -> Callable[[int, dict[str, str]], str]:
    return lambda post, fields: fate if post == number else "ok"


def test_every_order_is_charged_once() -> None:
    """The plain case."""
    world = World()
    assert set(world.run(30).values()) == {Outcome.SUCCEEDED}
    assert len(world.gateway.posts) == 30
    world.check()
    world.run(30)
    assert len(world.gateway.posts) == 30


def test_what_a_run_wrote_itself_is_no_news_in_a_list() -> None:
    """Every charge as it was answered, and no charge that differs in anything, or is unknown."""
    world = World(FakeGateway(only(2, "declined")))
    world.run()
    assert world.settlement is not None
    news_of = world.settlement._recorder.expected.news_of
    seen = [charge_in(charge) for charge in world.gateway.charges]
    charges = [charge for charge in seen if charge is not None]
    assert len(charges) == 5 and news_of(charges) == ()
    changed = [
        replace(charges[0], **{name: _other(value)})
        for name, value in asdict(charges[0]).items()
    ]
    assert news_of([*changed, *charges]) == tuple(changed)


def _other(value: Any) -> Any:
    """Another value of the same type, or one where there was none."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case dict():
            return {**value, "order_id": "0002"}
        case tuple():
            return (*value, "amount")
    return f"{value} "


@pytest.mark.fault("B07", "B17", "B18")
@pytest.mark.parametrize(
    "fate", ["lost before", "lost after", "503 before", "503 after", "lands late 2.5"]
)
def test_an_unanswered_order_is_looked_up_and_charged_once(fate: str) -> None:
    """Adopted when it landed; sent again, same key, only after the doubt period when it did not."""
    world = World(FakeGateway(only(2, fate)))
    assert set(world.run().values()) == {Outcome.SUCCEEDED}
    world.check()
    key = world.gateway.posts[2][1]["metadata[batchpay_key]"]
    times = [
        at_s
        for at_s, fields in world.gateway.posts
        if fields["metadata[batchpay_key]"] == key
    ]
    assert len(times) == (2 if "before" in fate else 1)
    if len(times) == 2:
        assert times[1] - times[0] >= SETTINGS.doubt_period_s + SETTINGS.lookup_gap_s


@pytest.mark.fault("B32")
def test_a_list_that_lags_is_not_believed() -> None:
    """Absence counts only after the doubt period, which is longer than the lag."""
    world = World(FakeGateway(only(0, "lost after"), lag_s=15))
    assert set(world.run().values()) == {Outcome.SUCCEEDED}
    assert len(world.gateway.posts) == 5


@pytest.mark.fault("C04", "B07")
@pytest.mark.parametrize("ahead_s", [-86_400.0, 3600.0, 5e8])
def test_a_wrong_clock_that_nobody_could_check_hides_no_charge(ahead_s: float) -> None:
    """A gateway that never says its own time: look-ups begin at its first charge; its first answer
    shows the clock.
    """
    world = World(FakeGateway(only(0, "lost after")), ahead_s=ahead_s)
    world.run()
    assert world.line and "clock" in world.line.closed
    world.ahead_s = 0.0
    assert set(world.run().values()) == {Outcome.SUCCEEDED}
    assert len(world.gateway.posts) == 5
    world.check()


@pytest.mark.fault("B25")
def test_a_used_token_after_a_doubt_is_never_called_refused() -> None:
    """It may be our own first send that used it: it stays in doubt for a person."""

    def fate(post: int, fields: dict[str, str]) -> str:
        return (
            "lost before"
            if post == 0
            else "error used_token"
            if fields["card"] == "tokn_test_0"
            else "ok"
        )

    world = World(FakeGateway(fate))
    assert world.run()["0000"] is Outcome.IN_DOUBT
    posts = len(world.gateway.posts)
    assert world.run()["0000"] is Outcome.IN_DOUBT
    assert len(world.gateway.posts) == posts
    assert (
        World(FakeGateway(only(0, "error used_token"))).run()["0000"] is Outcome.REFUSED
    )


@pytest.mark.fault("B15", "B16")
def test_an_answer_that_proves_nothing_stops_this_run_and_the_next() -> None:
    """Unproven: recorded, stop, nothing more is sent until a person lifts it."""
    world = World(FakeGateway(only(3, "wrong amount")))
    outcomes = world.run(40)
    assert list(outcomes.values()).count(Outcome.UNPROVEN) == 1
    assert len(world.stops()) == 1
    posts = len(world.gateway.posts)
    assert posts < 12
    world.run(40)
    assert len(world.gateway.posts) == posts


@pytest.mark.fault("B31")
def test_two_charges_for_one_key_are_found_and_stop() -> None:
    """The listing after the run sees what no answer said."""
    world = World(FakeGateway(only(1, "twice")))
    world.run()
    assert len(world.stops()) == 1
    assert "two charges" in world.stops()[0]


@pytest.mark.fault("B31", "A08")
def test_two_charges_for_one_key_that_a_new_run_meets_on_one_page_are_a_stop() -> None:
    """Neither answer was read, because the run died; the next run's first list shows both at
    once.
    """
    world = World(settings=GatewaySettings(**{**vars_of(SETTINGS), "concurrency": 1}))
    with pytest.raises(Died):
        world.run(edges=(CrashAt(1).wrap(world.gateway, ("charge",)), world.journal))
    (charge,) = world.gateway.charges
    world.gateway.charges.append({**charge, "id": "chrg_test_77"})
    world.now_s += 4
    world.run()
    assert len(world.stops()) == 1
    assert "two charges" in world.stops()[0]


@pytest.mark.fault("B19")
def test_429_burns_no_attempt_and_everybody_slows_down() -> None:
    """Refused at the door: the same attempt goes again in the same run."""
    world = World(FakeGateway(lambda post, fields: "429" if post in (1, 2) else "ok"))
    assert set(world.run(10).values()) == {Outcome.SUCCEEDED}
    assert all(event.attempt == 1 for event in world.journal.events(["intent"]))
    world.check()


def test_at_most_three_sends_per_order_and_run() -> None:
    """Then it is held, and the next run goes on with the same key."""
    world = World(
        FakeGateway(
            lambda post, fields: (
                "429" if fields["metadata[order_id]"] == "0001" else "ok"
            )
        )
    )
    assert world.run()["0001"] is Outcome.HELD
    assert (
        len([e for e in world.journal.events(["intent"]) if e.order_id == "0001"]) == 3
    )
    world.gateway.fate = lambda post, fields: "ok"
    assert world.run()["0001"] is Outcome.SUCCEEDED
    assert len({f["metadata[batchpay_key]"] for _, f in world.gateway.posts}) == 5


@pytest.mark.fault("B20")
def test_a_refused_key_stops_at_once_and_a_new_one_resumes() -> None:
    """At most as many more requests as were under way."""
    world = World(FakeGateway(lambda post, fields: "401" if post >= 3 else "ok"))
    world.run(30)
    assert world.line and isinstance(world.line.fatal, NotAllowed)
    assert len(world.gateway.posts) <= 3 + SETTINGS.concurrency
    world.gateway.fate = lambda post, fields: "ok"
    assert set(world.run(30).values()) == {Outcome.SUCCEEDED}
    world.check()


@pytest.mark.fault("B02", "B35")
def test_a_gateway_that_cannot_be_reached_opens_the_breaker() -> None:
    """Three pauses, then the rest is held for the next run."""
    world = World(FakeGateway(lambda post, fields: "unreachable"))
    assert set(world.run(30).values()) == {Outcome.HELD}
    assert world.line and world.line.closed == "the gateway does not answer"
    world.gateway.fate = lambda post, fields: "ok"
    assert set(world.run(30).values()) == {Outcome.SUCCEEDED}


class KnowsTheKey(FakeGateway):
    """With another body than the first order's."""

    async def charge(self, intent: Any, may_leave: Any) -> Any:
        self.fate = only(0, "error idempotency_key_reused")
        answer = await super().charge(intent, may_leave)
        return type(answer)(out=True, status=422, said=answer.said)


@pytest.mark.fault("B24")
def test_a_reused_key_is_a_bug_of_ours() -> None:
    """Stop, 70."""
    world = World(KnowsTheKey())
    world.run()
    assert world.line and isinstance(world.line.fatal, Bug)
    assert world.stops()


@pytest.mark.fault("D09", "D10")
def test_a_lost_journal_charges_nothing_again() -> None:
    """78 on an empty journal beside our charges; --adopt takes them over."""
    world = World()
    world.run(10)
    world.journal = MemoryJournal(JOB)
    with pytest.raises(Misconfigured, match="--adopt"):
        world.run(10)
    assert set(world.run(12, adopt=True).values()) == {Outcome.SUCCEEDED}
    assert len(world.gateway.posts) == 12
    assert set(world.gateway.money().values()) == {1}


@pytest.mark.fault("B33", "B34")
def test_a_pending_charge_is_asked_about_on_each_run_and_never_sent_again() -> None:
    """It moves when the gateway says so."""
    world = World(FakeGateway(only(0, "pending")))
    assert world.run()["0000"] is Outcome.PENDING
    assert world.run()["0000"] is Outcome.PENDING
    world.gateway.charges[0] |= {
        "status": "successful",
        "paid": True,
        "chain": "acch_test_9",
    }
    assert world.run()["0000"] is Outcome.SUCCEEDED
    assert len(world.gateway.posts) == 5


def test_limit_and_canary_hold_the_rest() -> None:
    """The rest waits for the next run; a canary that dies sends nobody after it."""
    world = World()
    world.run(10, limits=Limits(orders=3))
    assert len(world.gateway.posts) == 3
    world.run(10, limits=Limits(canary=2))
    assert len(world.gateway.posts) == 10
    sick = World(FakeGateway(only(0, "declined")))
    sick.run(10, limits=Limits(canary=2))
    assert len(sick.gateway.posts) == 2
    assert sick.settlement and "canary" in sick.settlement.why_held


@pytest.mark.fault("F01")
def test_an_interrupted_run_claims_nothing_more_and_the_next_goes_on() -> None:
    """What is under way is answered and written."""
    world = World(settings=GatewaySettings(**{**vars_of(SETTINGS), "rate": 8}))
    world.run(30, meanwhile=lambda settlement: settlement.interrupt("SIGTERM"))
    assert 0 < len(world.gateway.posts) < 10
    assert set(world.run(30).values()) == {Outcome.SUCCEEDED}
    world.check()


@pytest.mark.fault("F01")
def test_grace_cuts_the_wait_and_leaves_a_doubt() -> None:
    """The intent is durable, so the order is in doubt and the next run looks it up."""
    world = World(FakeGateway(latency_s=2.9))
    world.run(3, meanwhile=lambda settlement: settlement.interrupt("SIGTERM", 0.1))
    assert Outcome.IN_DOUBT in world.outcomes(3).values() or not world.gateway.posts
    world.gateway.latency_s = 0.05
    assert set(world.run(3).values()) == {Outcome.SUCCEEDED}
    world.check()


def until(seconds: float) -> int:
    """A wall-clock instant so long after the start of a world's first run."""
    return START_NS + int((1000.0 + seconds) * 1e9)


@pytest.mark.fault("C07")
def test_nothing_starts_that_may_not_be_answered_by_the_deadline() -> None:
    """What is under way ends, the rest is held, and the next night sends it."""
    world = World(settings=replace(SETTINGS, rate=2))
    outcomes = world.run(30, limits=Limits(deadline_ns=until(8), deadline="06:00 UTC"))
    assert Outcome.HELD in outcomes.values() and Outcome.SUCCEEDED in outcomes.values()
    assert (
        max(at_s for at_s, _ in world.gateway.posts) <= 1000.0 + 8 - SETTINGS.timeout_s
    )
    assert world.settlement and "deadline 06:00 UTC" in world.settlement.why_held
    assert set(world.run(30).values()) == {Outcome.SUCCEEDED}


@pytest.mark.fault("C07")
def test_a_doubt_is_not_waited_for_beyond_the_deadline() -> None:
    """It stays in doubt and the next run asks."""
    world = World(FakeGateway(only(2, "lost before")))
    outcomes = world.run(limits=Limits(deadline_ns=until(10), deadline="06:00 UTC"))
    assert list(outcomes.values()).count(Outcome.IN_DOUBT) == 1
    assert world.now_s < 1000.0 + 12
    assert set(world.run().values()) == {Outcome.SUCCEEDED}
    world.check()


@pytest.mark.fault("H04")
@pytest.mark.parametrize("limit", [Limit(per_10000=2000), Limit(count=4)])
def test_too_many_failures_hold_the_rest(limit: Limit) -> None:
    """Looked at from the twentieth order on; doubts are still asked about."""
    every_third = FakeGateway(
        lambda post, fields: (
            "declined" if post % 3 == 0 else "lost after" if post == 5 else "ok"
        )
    )
    world = World(every_third)
    outcomes = list(world.run(60, limits=Limits(max_failures=limit)).values())
    assert 20 <= len(world.gateway.posts) <= 20 + SETTINGS.concurrency
    assert outcomes.count(Outcome.HELD) == 60 - len(world.gateway.posts)
    assert Outcome.IN_DOUBT not in outcomes
    assert world.settlement and "max_failures" in world.settlement.why_held
    # what was written down, and held before it left, is no charge
    assert (
        f"of the first {len(world.gateway.posts)} orders" in world.settlement.why_held
    )


@pytest.mark.fault("B35")
def test_charges_that_fail_pause_although_lists_are_answered() -> None:
    """Five non-answers to charges in a row, whatever the look-ups between them say."""
    world = World(
        FakeGateway(lambda post, fields: "503 before"),
        settings=replace(SETTINGS, lookup_gap_s=0.1),
    )
    outcomes = world.run(60)
    assert Outcome.HELD in outcomes.values()
    assert (
        world.line
        and world.line.closed
        == f"the gateway answers with 503: {STATUS_PAGE} tells of incidents"
    )
    assert len(world.gateway.posts) <= 4 * (5 + SETTINGS.concurrency)


def test_one_customer_is_charged_once_at_a_time() -> None:
    """Two charges of one stored customer are never on their way together; other payers go
    meanwhile.
    """
    out: dict[str, int] = {}
    most: dict[str, int] = {}
    gateway = FakeGateway(latency_s=0.2)
    charge = gateway.charge

    async def counted(intent: Intent, may_leave: Callable[[], bool]) -> Any:
        out[intent.payer] = out.get(intent.payer, 0) + 1
        most[intent.payer] = max(most.get(intent.payer, 0), out[intent.payer])
        answer = await charge(intent, may_leave)
        out[intent.payer] -= 1
        return answer

    gateway.charge = counted  # type: ignore[method-assign]
    world = World(
        gateway,
        payer=lambda number: {
            "customer": "cust_test_1" if number % 2 else f"cust_test_x{number}"
        },
    )
    start_s = world.now_s
    assert set(world.run(24).values()) == {Outcome.SUCCEEDED}
    assert max(most.values()) == 1
    # two lists ask for the youngest charge
    assert world.now_s - start_s < 24 * 0.2 + 2 * 0.2


class SlowDisk:
    """A journal whose commits take a second, or so long; when each answer was durable, by order."""

    def __init__(self, journal: MemoryJournal, commit_s: float = 1.0) -> None:
        self._journal = journal
        self._commit_s = commit_s
        self.durable_s: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def write(self, events: Sequence[Event]) -> list[Event]:
        await asyncio.sleep(self._commit_s)
        for event in events:
            if event.kind == "answer":
                self.durable_s[event.order_id] = asyncio.get_running_loop().time()
        return await self._journal.write(events)


def test_a_slot_is_free_when_its_answer_has_been_read() -> None:
    """The next order's intent is committed while the answer before it is; but no more requests are
    under way than agreed.
    """
    under_way: list[int] = [0]
    gateway = FakeGateway(latency_s=0.2)
    charge = gateway.charge

    async def counted(intent: Intent, may_leave: Callable[[], bool]) -> Any:
        under_way.append(under_way[-1] + 1)
        answer = await charge(intent, may_leave)
        under_way.append(under_way[-1] - 1)
        return answer

    gateway.charge = counted  # type: ignore[method-assign]
    world = World(gateway, settings=replace(SETTINGS, concurrency=2, send_window_s=5.0))
    disk = SlowDisk(world.journal)
    assert set(world.run(21, edges=(gateway, disk)).values()) == {Outcome.SUCCEEDED}
    assert max(under_way) == 2
    times = [at_s for at_s, _ in gateway.posts[1:]]  # the first goes alone
    assert times[-1] - times[0] < 20 / 2 * (1.0 + 0.2) * 1.05
    world.check()


@dataclass
class Stalled(FakeGateway):
    """Prompt, but for a while in which it answers nothing; and the most that it was asked at
    once.
    """

    stalls_s: tuple[float, float] = (0.0, 0.0)  # from, until; of the loop's time
    under_way: int = 0
    most: int = 0

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            answer = await super().charge(intent, may_leave)
            from_s, until_s = self.stalls_s
            now_s = asyncio.get_running_loop().time()
            if from_s <= now_s < until_s and not answer.withheld:
                await asyncio.sleep(until_s - now_s)
            return answer
        finally:
            self.under_way -= 1


BUSY = replace(
    SETTINGS,
    rate=10**6,
    concurrency=20,
    send_window_s=5.0,
    timeout_s=30.0,
    doubt_period_s=60.0,
)


@pytest.mark.fault("L1", "L2")
def test_no_slot_waits_for_the_disk_while_the_gateway_is_prompt() -> None:
    """Intents are durable before their slot is free: 20 in flight at 20 ms are 1000/s, whatever a
    commit takes; each byte had its intent, and no intent grew old.
    """
    gateway = Stalled(latency_s=0.02)
    world = World(gateway, settings=BUSY)
    disk = SlowDisk(world.journal, 0.008)
    outcomes = world.run(400, edges=(gateway, disk))
    assert set(outcomes.values()) == {Outcome.SUCCEEDED}
    assert gateway.most == 20
    times = [at_s for at_s, _ in gateway.posts[40:]]
    assert len(times) / (times[-1] - times[0]) > 0.95 * 20 / 0.02
    assert list(world.journal.events(["voided"])) == []
    world.check()


@pytest.mark.fault("B36", "L2")
@pytest.mark.parametrize(("latency_s", "stalls_s"), [(0.02, 12.0), (8.0, 0.0)])
def test_a_slow_gateway_makes_few_intents_stale(
    latency_s: float, stalls_s: float
) -> None:
    """One that answers slowly none at all; one that stops to answer those that were ahead, once
    each: at most half as many as are in flight.
    """
    world = World(settings=BUSY)
    gateway = Stalled(latency_s=latency_s)
    gateway.stalls_s = (world.now_s + 0.3, world.now_s + 0.3 + stalls_s)
    world.gateway = gateway
    disk = SlowDisk(world.journal, 0.008)
    outcomes = world.run(600, edges=(gateway, disk))
    assert set(outcomes.values()) == {Outcome.SUCCEEDED}
    assert gateway.most == 20
    voided = [event.order_id for event in world.journal.events(["voided"])]
    assert len(voided) == len(set(voided))
    assert 0 < len(voided) <= 10 if stalls_s else not voided
    world.check()


@pytest.mark.fault("L1", "L3")
def test_an_order_of_the_same_payer_waits_until_the_answer_before_it_is_durable() -> (
    None
):
    """However early the slot is free."""
    world = World(
        settings=replace(SETTINGS, send_window_s=5.0),
        payer=lambda number: {"customer": "cust_test_1"},
    )
    disk = SlowDisk(world.journal)
    assert set(world.run(6, edges=(world.gateway, disk)).values()) == {
        Outcome.SUCCEEDED
    }
    orders = [
        (at_s, fields["metadata[order_id]"]) for at_s, fields in world.gateway.posts
    ]
    for (_, before), (at_s, _) in pairwise(orders):
        assert at_s > disk.durable_s[before]


def asked_by_another_run() -> dict[str, str]:
    """What it sends for an order that is in no file of this one."""
    intent = intent_of(
        document(900),
        job=JOB,
        attempt=1,
        fee=None,
        batch_id="2026-11-24-0123456789ab",
        sheet="",
        row=902,
        run_id="another",
        journal_id="another",
    )
    return dict(parse_qsl(intent.body))


@pytest.mark.fault("E12", "G06")
def test_another_run_with_another_journal_is_seen_while_charging() -> None:
    """Two machines at the same instant: after the first order, then every 30 s; both would stop."""
    world = World(FakeGateway(latency_s=0.05), settings=replace(SETTINGS, rate=2))

    def charge_elsewhere(settlement: Settlement) -> None:
        asyncio.get_running_loop().call_later(
            1.5, world.gateway._commit, asked_by_another_run()
        )

    world.run(200, meanwhile=charge_elsewhere)
    assert world.stops() and "another run" in world.stops()[0]
    assert len(world.gateway.posts) < 70


@pytest.mark.fault("B19")
def test_a_charge_behind_a_429_is_never_sent_again() -> None:
    """The next run's list takes the order out of the queue, and a 429 of this gateway proves
    nothing any more.
    """
    world = World(FakeGateway(only(0, "429 after")))
    world.run(3, meanwhile=lambda settlement: settlement.interrupt("SIGTERM"))
    assert world.outcomes(3)["0000"] is Outcome.HELD
    world.gateway.fate = lambda post, fields: "429" if post == 3 else "ok"
    assert set(world.run(4).values()) == {Outcome.SUCCEEDED}
    world.check()
    times = [
        at_s
        for at_s, fields in world.gateway.posts
        if fields["metadata[order_id]"] == "0003"
    ]
    assert len(world.gateway.posts) == 5
    assert times[1] - times[0] >= SETTINGS.doubt_period_s


@pytest.mark.fault("B19")
@pytest.mark.parametrize("lag_s", [0.0, 8.0])
def test_who_was_told_429_waits_for_a_list(lag_s: float) -> None:
    """It shows the one that was charged; the other one, of which no 429 is believed any more, goes
    after a doubt period. A list that lags behind is waited for.
    """
    fates = {"0002": "429 after", "0004": "429"}
    world = World(
        FakeGateway(
            lambda post, f: fates.pop(f["metadata[order_id]"], "ok"), lag_s=lag_s
        )
    )
    assert set(world.run(6).values()) == {Outcome.SUCCEEDED}
    assert set(world.gateway.money().values()) == {1} and len(world.gateway.posts) == 7
    world.check()
    times = [
        at_s
        for at_s, fields in world.gateway.posts
        if fields["metadata[order_id]"] == "0004"
    ]
    assert times[1] - times[0] >= SETTINGS.doubt_period_s


@pytest.mark.fault("B19", "I11")
def test_lists_for_those_who_were_told_429_cost_little() -> None:
    """A storm that is well behaved: every order goes, at nearly the rate of what the gateway
    takes.
    """
    world = World(FakeGateway(lambda post, _: "429" if post % 10 == 9 else "ok"))
    world.settings = replace(SETTINGS, lookup_gap_s=10.0)
    assert set(world.run(300).values()) == {Outcome.SUCCEEDED}
    posts = [at_s for at_s, _ in world.gateway.posts]
    assert len(posts) == 333 and world.gateway.gets <= 40
    assert posts[-1] - posts[0] < 115


def vars_of(settings: GatewaySettings) -> dict[str, Any]:
    return {
        name: getattr(settings, name) for name in GatewaySettings.__dataclass_fields__
    }


__all__ = ["BatchpayError", "World"]


@pytest.mark.fault("J05", "L5")
def test_a_stale_copy_of_the_list_proves_no_absence() -> None:
    """It lacks a charge that was answered: so that it lacks another one says nothing, and nothing
    is sent again.
    """
    world = World()

    def fate(number: int, fields: dict[str, str]) -> str:
        if number == 0:
            return "ok"
        world.gateway.copy_at_s = 1.0  # from now on lists come from a copy of long ago
        return "lost after"

    world.gateway.fate = fate
    outcomes = world.run(2)
    assert outcomes == {"0000": Outcome.SUCCEEDED, "0001": Outcome.IN_DOUBT}
    assert len(world.gateway.posts) == 2
    world.gateway.copy_at_s = None
    assert world.run(2)["0001"] is Outcome.SUCCEEDED
    assert len(world.gateway.posts) == 2
    world.check()


@pytest.mark.fault("J05", "L5", "I6")
def test_while_a_stop_tells_of_a_charge_that_lists_lack_they_prove_nothing() -> None:
    """Days later, lists still come from a copy: the stop says so, and the doubt beside it stays
    one, night after night, until lists show everything again.
    """
    world = World()

    def fate(number: int, fields: dict[str, str]) -> str:
        if number:
            # lists come from a copy of before all charges, from then on
            world.gateway.copy_at_s = 0.0
        return "ok" if number == 0 else "lost after"

    world.gateway.fate = fate
    assert world.run(2)["0001"] is Outcome.IN_DOUBT
    for _ in range(3):
        world.now_s += 3 * 86_400
        assert world.run(2)["0001"] is Outcome.IN_DOUBT
    assert len(world.stops()) == 1 and "no complete list" in world.stops()[0]
    world.gateway.copy_at_s = None
    assert world.run(2)["0001"] is Outcome.SUCCEEDED
    assert len(world.gateway.posts) == 2


@pytest.mark.fault("J04", "I7")
def test_a_charge_that_ended_and_became_successful_is_found_before_the_next_attempt() -> (
    None
):
    """Days later, in no list that is read any more: its order comes back, and the charge is asked
    for by its id.
    """
    world = World(gateway=FakeGateway(fate=only(0, "declined")))
    assert world.run(1)["0000"] is Outcome.DECLINED
    world.now_s += 5 * 86_400
    world.run(2)  # another order's charge: lists are read from there on
    world.now_s += 5 * 86_400
    world.gateway.charges[0].update(status="successful", paid=True, chain="acch_test_1")
    world.batch, world.payer = (
        "2026-11-25-ba9876543210",
        lambda number: {"customer": f"cust_test_{number}"},
    )
    assert world.run(1)["0000"] is Outcome.SUCCEEDED
    assert len(world.gateway.posts) == 2
    assert "was declined, is now succeeded" in world.stops()[0]
