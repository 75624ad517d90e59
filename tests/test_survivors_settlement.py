"""Where one small change of the loop, its doubts or its books once went unseen; in virtual time, on
real parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from batchpay.domain.errors import DoesNotAddUp, Misconfigured, Taken
from batchpay.domain.events import BelongsTo, Disowned, Lifted, TransferSeen, line
from batchpay.domain.model import Answer, Event, Intent, Outcome
from batchpay.gateways.omise.gateway import Omise
from batchpay.gateways.omise.objects import charge_in
from batchpay.job.job import MAX_ATTEMPTS, Fee
from batchpay.journals.memory import MemoryJournal
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.proof import Proof, Verdict
from batchpay.messages.steps import SEE_CHARGE, SETTLE_GONE
from batchpay.settlement import (
    Brought,
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
from tests.fakes import START_NS, FakeClock, FakeGateway, in_virtual_time
from tests.test_lifecycle import INTENT, charge
from tests.test_settlement import JOB, SETTINGS, Silent, World, candidates, only
from tests.test_settlement_races import fields_of, interrupted, made_elsewhere

# --- doubts


class Dated(FakeGateway):
    """Tells its time with every list."""

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        now = datetime.fromtimestamp(
            START_NS // 10**9 + int(asyncio.get_running_loop().time()), UTC
        )
        answer = await super().page(since, offset, may_leave, limit)
        return replace(answer, date=format_datetime(now, usegmt=True))


@pytest.mark.fault("B07", "L5", "I1")
def test_a_doubt_of_long_ago_is_looked_for_from_its_own_beginning() -> None:
    """Beside one of a moment ago: its charge, shown late, lies before what the younger one needs to
    be looked up.
    """
    world = World(Dated(only(0, "lost after"), lag_s=701.0))
    world.run(1, meanwhile=lambda settlement: settlement.interrupt("SIGTERM", 0.1))
    assert world.outcomes(1)["0000"] is Outcome.IN_DOUBT
    world.now_s = 1000.0 + 700.0
    world.gateway.fate = lambda post, fields: "lost before" if post == 1 else "ok"
    world.run(2)
    assert world.gateway.money()["0000"] == 1
    assert world.outcomes(1)["0000"] is Outcome.SUCCEEDED


@dataclass
class Unreadable(FakeGateway):
    """At some times it answers with no list."""

    times: tuple[tuple[float, float], ...] = ()

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        now_s = asyncio.get_running_loop().time()
        if any(from_s <= now_s < until_s for from_s, until_s in self.times):
            return replace(answer, said={"object": "search"})
        return answer


FOR_EVER = float("inf")


@pytest.mark.fault("B32", "I15")
def test_a_run_ends_although_lists_stay_incomplete() -> None:
    """Its doubt is left to the next run, which asks again."""
    world = World(Unreadable(only(2, "lost before"), times=((1001.0, FOR_EVER),)))
    began_s = world.now_s
    outcomes = world.run()
    assert list(outcomes.values()).count(Outcome.IN_DOUBT) == 1
    assert world.now_s - began_s < 300
    world.gateway.times = ()  # type: ignore[attr-defined]
    assert set(world.run().values()) == {Outcome.SUCCEEDED}
    world.check()


@pytest.mark.fault("B32", "I15")
def test_a_list_that_is_incomplete_for_a_while_settles_the_doubt_when_it_can() -> None:
    """Seven look-ups in vain are no reason to leave it to the next run, nor are as many more after
    a good one.
    """
    for times in (((1001.5, 1012.0),), ((1001.5, 1012.0), (1015.0, 1026.0))):
        world = World(Unreadable(only(2, "lost before"), times=times))
        assert set(world.run().values()) == {Outcome.SUCCEEDED}
        world.check()


@pytest.mark.fault("B16", "L7")
@pytest.mark.parametrize("late_s", [0.5, 4.0])
def test_a_chain_that_comes_a_moment_late_is_seen_in_the_same_run(
    late_s: float,
) -> None:
    """A paid charge without one is read again after five seconds, once."""

    class Late(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            answer = await super().charge(intent, may_leave)
            made = self.charges[-1]
            chain, made["chain"] = made["chain"], None
            asyncio.get_running_loop().call_later(late_s, made.update, {"chain": chain})
            return replace(answer, said=dict(made))

    world = World(Late())
    assert set(world.run(3).values()) == {Outcome.SUCCEEDED}
    assert world.stops() == []
    assert len(world.gateway.posts) == 3


@pytest.mark.fault("B16", "L7", "L10")
def test_a_chain_that_does_not_come_is_a_stop_and_is_asked_for_once() -> None:
    """Five seconds after the answer; nothing is sent behind it."""

    class Never(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            answer = await super().charge(intent, may_leave)
            self.charges[-1]["chain"] = None
            return replace(answer, said=dict(self.charges[-1]))

    world = World(Never(), settings=replace(SETTINGS, concurrency=1, rate=1))
    outcomes = world.run(30)
    assert Outcome.UNPROVEN in outcomes.values() and Outcome.HELD in outcomes.values()
    assert any("no chain on a paid charge" in reason for reason in world.stops())


# --- watching while charging


@pytest.mark.fault("L11", "I15")
def test_a_long_night_is_watched_and_never_closed_without_reason() -> None:
    """Five minutes of orders are more than eight lists; each of them was good."""
    world = World(settings=replace(SETTINGS, rate=1, concurrency=1))
    assert set(world.run(300).values()) == {Outcome.SUCCEEDED}
    assert world.settlement and world.settlement.why_held == ""


@pytest.mark.fault("L11", "B32")
def test_lists_that_fail_for_longer_than_a_doubt_period_end_the_sending() -> None:
    """Without them nobody would see another run; the rest is for the next one."""
    world = World(
        Unreadable(times=((1040.0, FOR_EVER),)),
        settings=replace(SETTINGS, rate=2, concurrency=1),
    )
    outcomes = world.run(300)
    held = list(outcomes.values()).count(Outcome.HELD)
    assert 100 < held < 280
    assert world.settlement
    assert (
        world.settlement.why_held
        == "the gateway's list of charges could not be read completely while charging"
    )


@pytest.mark.fault("L11", "B32")
def test_lists_that_fail_for_less_than_a_doubt_period_end_nothing() -> None:
    """However often they were asked for meanwhile; nor do two such times add up."""
    gateway = Unreadable(times=((1055.0, 1075.0), (1095.0, 1115.0)))
    patient = replace(
        SETTINGS, rate=5, concurrency=1, lookup_gap_s=0.5, doubt_period_s=60.0
    )
    world = World(gateway, settings=patient)
    assert set(world.run(600).values()) == {Outcome.SUCCEEDED}
    assert world.now_s > 1115.0


# --- one send


@pytest.mark.fault("L2", "I6")
def test_an_intent_that_grew_old_while_connecting_is_voided_and_goes_again_in_the_same_run() -> (
    None
):
    """Not a byte of the first left; it burns no attempt and leaves no doubt."""

    @dataclass
    class Slow(FakeGateway):
        slow: int = 2

        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            if intent.order_id == "0001" and self.slow:
                self.slow -= 1
                await asyncio.sleep(SETTINGS.send_window_s + 0.2)
            return await super().charge(intent, may_leave)

    world = World(Slow())
    assert set(world.run(3).values()) == {Outcome.SUCCEEDED}
    assert [event.send for event in world.journal.events(["voided"])] == [1, 2]
    (attempt,) = fold(world.journal.histories(["0001"])["0001"])
    assert (attempt.sends, attempt.doubted, attempt.intent.attempt) == (3, False, 1)
    assert len(world.gateway.posts) == 3


@dataclass
class Racing(MemoryJournal):
    """Once armed, the next first intent takes a moment to be written, and says so."""

    armed: bool = False
    waits: asyncio.Event | None = None
    order_id: str = ""

    def __init__(self) -> None:
        super().__init__(JOB)

    async def write(self, events: Sequence[Event]) -> list[Event]:
        event = events[0]
        if (
            self.armed
            and event.kind == "intent"
            and event.send == 1
            and self.waits is not None
        ):
            self.armed, self.order_id = False, event.order_id
            self.waits.set()
            await asyncio.sleep(0.3)
        elif event.kind == "adopted":
            await asyncio.sleep(0.4)
        return self.append(events)


@pytest.mark.fault("L3", "L11", "E12")
def test_a_charge_that_is_adopted_while_its_order_is_being_sent_keeps_that_back() -> (
    None
):
    """A list shows a charge of another run while a worker has just written its intent: not a byte
    of it leaves.
    """
    journal = Racing()

    class Elsewhere(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            await asyncio.sleep(0.5 if journal.order_id == intent.order_id else 0.0)
            return await super().charge(intent, may_leave)

        async def page(
            self,
            since: str,
            offset: int,
            may_leave: Callable[[], bool],
            limit: int = 100,
        ) -> Answer:
            if len(self.posts) > 20 and not journal.order_id:
                journal.armed, journal.waits = True, asyncio.Event()
                await journal.waits.wait()
                number = int(journal.order_id)
                fields = {
                    **self.posts[0][1],
                    "metadata[order_id]": journal.order_id,
                    "amount": str(1000 + number),
                }
                self._commit(
                    {
                        **fields,
                        "metadata[batchpay_key]": key_of(JOB, journal.order_id, 1),
                    }
                )
            return await super().page(since, offset, may_leave, limit)

    world = World(
        Elsewhere(),
        journal,
        settings=replace(SETTINGS, rate=2, concurrency=1, send_window_s=5.0),
    )
    world.run(120)
    assert journal.order_id
    assert world.gateway.money()[journal.order_id] == 1
    sent = [fields["metadata[order_id]"] for _, fields in world.gateway.posts]
    assert journal.order_id not in sent
    (attempt,) = fold(journal.histories([journal.order_id])[journal.order_id])
    assert attempt.outcome is Outcome.SUCCEEDED and not attempt.adopted


# --- what is of this job


@pytest.mark.fault("L11", "J07")
def test_the_last_key_of_an_order_is_one_that_this_job_makes_and_the_next_is_none() -> (
    None
):
    """The twentieth attempt is adopted like the first; a twenty-first is a stop."""
    world = World()
    made_elsewhere(world, fields_of(MAX_ATTEMPTS), "failed")
    world.run(0, adopt=True)
    assert world.stops() == []
    (attempt,) = fold(world.journal.histories(["0000"])["0000"])
    assert (attempt.intent.attempt, attempt.adopted, attempt.outcome) == (
        MAX_ATTEMPTS,
        True,
        Outcome.DECLINED,
    )
    strange = World()
    made_elsewhere(strange, fields_of(MAX_ATTEMPTS + 1))
    strange.run(0, adopt=True)
    (why,) = strange.stops()
    assert "carries this job's name and a key this job would not make" in why


def test_what_a_list_shows_again_is_written_once() -> None:
    """Nights of the same file add nothing to the history of an order."""
    world = World()
    world.run(5)
    kinds = [event.kind for event in world.journal.events() if event.order_id]
    for _ in range(3):
        world.run(5)
    assert [event.kind for event in world.journal.events() if event.order_id] == kinds
    assert set(kinds) == {"intent", "answer"}


@dataclass
class Written:
    """Books over a journal in memory."""

    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal("night"))
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.journal, self.clock, "night", "run", live=False)

    def run(self, main: Callable[[Recorder], Any]) -> None:
        in_virtual_time(main(self.recorder), 1000.0)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events()]


def of_job(job: str, **changes: Any) -> Any:
    """A charge as a list shows it."""
    metadata = {
        "order_id": "0001",
        "batchpay_key": key_of(job or "night", "0001", 1),
        "batchpay_job": job,
    }
    found = charge_in(charge(**{"metadata": metadata, **changes}))
    assert found is not None
    return found


@pytest.mark.fault("J02", "L11")
def test_a_charge_that_names_nobody_is_noted_once_and_not_where_a_person_disowned_it() -> (
    None
):
    """Whichever run's list shows it; what took no money, or tells nobody that it is of, fits no
    order.
    """
    written = Written()
    nameless = [
        of_job("night", id=f"chrg_test_{number}", metadata={}) for number in (1, 2, 3)
    ]
    failed = of_job("night", id="chrg_test_4", metadata={}, status="failed", paid=False)
    written.journal.append(
        [line(Disowned(charge_id="chrg_test_2", reason="a test"), 1)]
    )

    async def main(_: Recorder) -> None:
        recorder = Recorder(written.journal, written.clock, "night", "run", live=False)
        await recorder.strays.keep_nameless([*nameless[:2], failed])
        await recorder.strays.keep_nameless(nameless[:2])
        next_run = Recorder(written.journal, written.clock, "night", "next", live=False)
        await next_run.strays.keep_nameless(nameless)

    written.run(main)
    told = [event.data["charges"] for event in written.journal.events(["nameless"])]
    ids = [[one["charge_id"] for one in some] for some in told]
    assert ids == [["chrg_test_1"], ["chrg_test_3"]]


@pytest.mark.fault("J06")
def test_another_jobs_charge_is_noted_when_it_takes_money_and_when_that_changes() -> (
    None
):
    """Once each; our own, and those of nobody's order, are not noted."""
    written = Written()
    declined = {"status": "failed", "paid": False}

    async def main(recorder: Recorder) -> None:
        await recorder.others.keep([of_job("night")])
        await recorder.others.keep([of_job("day", **declined)])
        await recorder.others.keep([of_job("day", metadata={"batchpay_job": "day"})])
        await recorder.others.keep([of_job("", id="chrg_test_3")])
        assert written.kinds() == []
        await recorder.others.keep([of_job("day")])
        await recorder.others.keep([of_job("day")])
        assert written.kinds() == ["elsewhere"]
        await recorder.others.keep([of_job("day", **declined)])
        await recorder.others.keep([of_job("day", **declined)])
        assert written.kinds() == ["elsewhere"] * 2
        await recorder.others.keep([of_job("day", id="chrg_test_2")])
        assert written.kinds() == ["elsewhere"] * 3

    written.run(main)
    first, ended, other = (event.data for event in written.journal.events())
    assert (first["job"], first["charge_id"], first["takes_money"]) == (
        "day",
        "chrg_test_1",
        True,
    )
    assert (first["destination"], first["amount"], first["currency"]) == (
        "recp_test_1",
        123450,
        "thb",
    )
    assert (ended["takes_money"], other["charge_id"]) == (False, "chrg_test_2")


@pytest.mark.fault("J13", "L3")
def test_only_an_attempt_that_was_never_charged_is_withdrawn() -> None:
    """One that is on its way, or has ended, gives way to nobody."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        assert case.attempt is not None
        with pytest.raises(Taken, match="order 0001 is not held by now"):
            await recorder.withdraw(case.attempt)
        await recorder.void(case)
        await recorder.withdraw(case.attempt)
        assert case.attempt.state == "withdrawn"
        with pytest.raises(Taken):
            await recorder.withdraw(case.attempt)

    written.run(main)
    assert written.kinds() == ["intent", "voided", "withdrawn"]


@pytest.mark.fault("L1", "L3")
def test_an_intent_needs_an_order_that_is_held() -> None:
    """Sends are numbered, the first carries what is asked, the others do not; none goes beside an
    open one.
    """
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        with pytest.raises(Taken, match="order 0001 is in_doubt by now"):
            await recorder.intend(case, 1001.0)
        await recorder.void(case)
        await recorder.intend(case, 1002.0)

    written.run(main)
    first, voided, second = written.journal.events()
    assert [event.send for event in (first, voided, second)] == [1, 1, 2]
    assert "intent" in first.data and "intent" not in second.data
    assert (first.data["boot_s"], second.data["boot_s"], second.data["boot_id"]) == (
        1000.0,
        1002.0,
        "one boot",
    )
    assert first.data["sha256"] == second.data["sha256"] == INTENT.body_sha256
    assert (first.data["state"], voided.data["state"]) == ("in_doubt", "held")


@pytest.mark.fault("J27")
def test_a_charge_that_is_gone_is_noted_once_until_it_is_seen_again() -> None:
    """Not every night anew."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.missing(case)  # nothing was ever sent for it
        await recorder.intend(case, 1000.0)
        await recorder.found(
            case, of_job("night", status="pending", paid=False, chain=None)
        )
        await recorder.missing(case)
        await recorder.missing(case)

    written.run(main)
    assert written.kinds() == ["intent", "found", "missing"]
    # it is about no send
    assert [event.send for event in written.journal.events(["missing"])] == [0]


@pytest.mark.fault("J11", "L10")
def test_a_stop_for_a_charge_is_told_once_also_by_the_next_run() -> None:
    """What a person has lifted is not brought up again for the same charge; another charge is."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        await recorder.stop_for_charge("chrg_test_1", "first")
        await recorder.stop_for_charge("chrg_test_1", "again")
        assert recorder.stopped == "first"
        await recorder.note(Lifted(reason="seen"))
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        assert later.stopped == ""
        await later.stop_for_charge("chrg_test_1", "again")
        assert later.stopped == ""
        await later.stop_for_charge("chrg_test_2", "another")
        assert later.stopped == "another"

    written.run(main)
    assert [event.data["reason"] for event in written.journal.events(["stop"])] == [
        "first",
        "another",
    ]


@pytest.mark.fault("L10", "I1")
def test_two_charges_that_took_money_are_told_once_and_not_with_every_word_about_them() -> (
    None
):
    """A person who takes note of one of them does not stop the runs again."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))
        second = {
            **charge()["metadata"],
            "batchpay_job": "night",
            "batchpay_key": key_of("night", "0001", 2),
        }
        other = await recorder.adopt(
            of_job("night", id="chrg_test_2", metadata=second), 2
        )
        await recorder.note(Lifted(reason="seen"))
        await recorder.resolve(other, "accepted", "refunded", "me")

    written.run(main)
    (stop,) = written.journal.events(["stop"])
    assert "two attempts took money: chrg_test_1, chrg_test_2" in stop.data["reason"]
    assert written.kinds()[-1] == "resolved"


@pytest.mark.fault("E12", "L10", "L11")
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("row", "first", "second", "stops"),
    [
        ("2", {}, {}, True),
        ("2", {}, {"status": "pending", "paid": False}, True),
        ("3", {}, {}, False),
        ("2", {"status": "failed", "paid": False}, {}, False),
        ("2", {}, {"status": "failed", "paid": False}, False),
        ("2", None, {}, True),  # in doubt: it may have taken money
    ],
)
def test_a_charge_that_is_met_stops_beside_one_of_its_row_under_another_id(
    row: str, first: Any, second: dict[str, Any], stops: bool, known: bool
) -> None:
    """Whether or not this journal once meant to ask for it, and only where both may have money."""
    written = Written()
    key = key_of("night", "0777", 1)
    metadata = {
        "order_id": "0777",
        "batchpay_key": key,
        "batchpay_job": "night",
        "batchpay_batch": INTENT.batch_id,
        "batchpay_row": row,
    }
    shown = of_job("night", id="chrg_test_2", metadata=metadata, **second)

    async def main(recorder: Recorder) -> None:
        other = replace(INTENT, order_id="0777", key=key, row=int(row))
        meant = Case(other)
        if known:
            await recorder.intend(meant, 1000.0)
            await recorder.void(meant)
            await recorder.withdraw(meant.attempt)
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        if first is not None:
            await recorder.found(case, of_job("night", **first))
        if known:
            await recorder.found(meant, shown)
        else:
            await recorder.adopt(shown, 1)

    written.run(main)
    told = [event.data["reason"] for event in written.journal.events(["stop"])]
    assert len(told) == stops, told
    mine = "a request without an answer" if first is None else "chrg_test_1"
    for reason in told:
        assert f"chrg_test_2 for this one, {mine} for order 0001." in reason


@pytest.mark.fault("B19")
def test_a_gateway_that_charged_behind_a_429_is_not_believed_again() -> None:
    """Written down once, with the order and the charge that showed it; the next run knows."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.answered(
            case, Verdict(Proof.THROTTLED, message="m" * 400), 429, "", None
        )
        assert recorder.trust_429
        await recorder.found(case, of_job("night"))
        assert not recorder.trust_429
        other = replace(INTENT, order_id="0002", key=key_of("night", "0002", 1))
        second = Case(other)
        await recorder.intend(second, 1000.0)
        await recorder.answered(second, Verdict(Proof.THROTTLED), 429, "", None)
        mine = charge_in(charge(id="chrg_test_2", metadata={"batchpay_key": other.key}))
        assert mine is not None
        await recorder.found(second, mine)
        assert not Recorder(
            written.journal, written.clock, "night", "run", live=False
        ).trust_429

    written.run(main)
    # of the first, and of no other
    (told,) = written.journal.events(["throttle.distrusted"])
    assert told.data == {"order": "0001", "charge": "chrg_test_1"}
    answer, _ = written.journal.events(["answer"])
    assert answer.data["message"] == "m" * 300


@pytest.mark.fault("L11", "D10")
@pytest.mark.parametrize("live", [False, True])
def test_what_an_adopted_charge_says_is_all_that_is_known_of_its_order(
    live: bool,
) -> None:
    """No body, no content, whose row it was by its own words, the commission of the job; empty
    where it is silent.
    """
    written = Written()
    recorder = Recorder(
        written.journal,
        written.clock,
        "night",
        "run",
        live=live,
        fee=Fee({"THB": 5}, "2.5"),
    )
    told = {
        **charge()["metadata"],
        "batchpay_job": "night",
        "batchpay_batch": "b",
        "batchpay_run": "r9",
    }
    shown: dict[str, Any] = {
        "id": "chrg_1" if live else "chrg_test_1",
        "livemode": live,
        "metadata": told,
    }
    cases = []

    async def main() -> None:
        cases.append(
            await recorder.adopt(of_job("night", **shown, customer="cust_1"), 1)
        )
        silent = {
            **shown,
            "metadata": {**told, "order_id": "0002"},
            "destination": None,
        }
        cases.append(await recorder.adopt(of_job("night", **silent), 1))

    in_virtual_time(main(), 1000.0)
    one, other = (case.intent for case in cases)
    assert (one.body, one.body_sha256, one.content, one.mode) == (
        "",
        "",
        "",
        "live" if live else "test",
    )
    assert (one.batch_id, one.sheet, one.row, one.run_id) == ("b", "", 0, "r9")
    assert (one.destination, one.payer, one.fee_fixed, one.fee_percentage) == (
        "recp_test_1",
        "cust_1",
        5,
        "2.5",
    )
    assert (other.destination, other.payer) == ("", "")
    first, second = written.journal.events(["adopted"])
    assert (
        "no destination" in second.data["flaws"]
        and "no destination" not in first.data["flaws"]
    )
    assert not first.data.get("beside") and not second.data.get("beside")


@pytest.mark.fault("J13", "L11")
def test_an_adopted_charge_tells_of_which_cells_its_id_was_made_and_what_it_corrects() -> (
    None
):
    """So far as it was told to the gateway; without a commission of the job none is known."""
    written = Written()
    told = {**charge()["metadata"], "batchpay_job": "night", "batchpay_ids": "a"}
    sale = {"batchpay_corrects": '["p", "q"]', "batchpay_row": "Orders!7"}

    async def main(recorder: Recorder) -> None:
        shown = of_job("night", metadata={**told, **sale})
        case = await recorder.adopt(shown, 1)
        asked = case.intent
        assert (asked.ids_from, asked.corrects, asked.sale) == ("a", "p", ("p", "q"))
        assert (asked.sheet, asked.row) == ("Orders", 7)
        assert (asked.alike, asked.fee_fixed, asked.fee_percentage) == ("1", None, None)
        assert recorder.adopted == 1
        given_back = replace(shown, id="chrg_test_2", refunded=5)
        await recorder.found(case, given_back)
        assert recorder.refunded == {"chrg_test_2": 5}

    written.run(main)


@pytest.mark.fault("B19")
@pytest.mark.parametrize(
    ("status", "shown", "trusted"),
    [(429, True, False), (429, False, True), (428, True, True), (430, True, True)],
)
def test_a_429_that_tells_of_a_charge_is_the_last_that_is_believed(
    status: int, *, shown: bool, trusted: bool
) -> None:
    """Told once, with the order and its charge."""
    written = Written()
    found = of_job("night") if shown else None

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        told = Verdict(Proof.IN_DOUBT, charge=found)
        for _ in range(2):
            await recorder.answered(case, told, status, "", 1000.0)
        assert recorder.trust_429 is trusted

    written.run(main)
    told = [event.data for event in written.journal.events(["throttle.distrusted"])]
    assert told == [{"order": "0001", "charge": "chrg_test_1"}] * (not trusted)


@pytest.mark.fault("J05", "L11")
def test_an_entry_that_cannot_be_read_waits_for_a_word_about_it_alone() -> None:
    """Told once a reason."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        assert not recorder.is_unreadable("chrg_test_1")
        for why in ("one", "one", "two"):
            await recorder.unreadable("chrg_test_1", why)
        assert recorder.is_unreadable("chrg_test_1")
        assert not recorder.is_unreadable("chrg_test_2")

    written.run(main)
    told = [event.data["reason"] for event in written.journal.events(["unreadable"])]
    assert told == ["one", "two"]


@pytest.mark.fault("J04", "J03")
def test_what_the_gateway_did_not_show_of_an_attempt_is_told_once() -> None:
    """The charge that was asked for, or the account in which nothing is shown of that time."""
    for by_account in (False, True):
        written = Written()

        async def main(recorder: Recorder, by_account: bool = by_account) -> None:
            await recorder.note(BelongsTo(account="acct_1", mode="test", url="u"))
            case = Case(INTENT)
            await recorder.untold(case, "chrg_test_1")  # nothing was written of it yet
            await recorder.untold_account(case)
            await recorder.intend(case, 1000.0)
            for _ in range(2):
                if by_account:
                    await recorder.untold_account(case)
                else:
                    await recorder.untold(case, "chrg_test_1")
            assert case.attempt is not None
            told = case.attempt.untold, case.attempt.unshown_in
            assert told == (("", "acct_1") if by_account else ("chrg_test_1", ""))

        written.run(main)
        (event,) = written.journal.events(["untold"])
        charge_id = "acct_1" if by_account else "chrg_test_1"
        assert event.data["charge_id"] == charge_id
        assert bool(event.data.get("account")) is by_account


@pytest.mark.fault("L7", "J27")
def test_a_persons_word_keeps_its_charge_and_how_that_differs() -> None:
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.resolve(
            case, "charged", "her phone", "kim", of_job("night"), ["amount: asked 1"]
        )
        assert case.attempt is not None and case.attempt.flaws == ("amount: asked 1",)

    written.run(main)
    (event,) = written.journal.events(["resolved"])
    assert event.data["flaws"] == ["amount: asked 1"]
    assert (event.data["by"], event.data["reason"]) == ("kim", "her phone")


@pytest.mark.fault("J27")
def test_a_charge_that_is_gone_is_told_by_its_id_where_it_is_not_the_one_reported() -> (
    None
):
    """Each once."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        waits = {"status": "pending", "paid": False, "chain": None}
        for number in (1, 7):
            shown = of_job("night", id=f"chrg_test_{number}", **waits)
            await recorder.found(case, shown)
        for charge_id in ("chrg_test_7", "chrg_test_1", "", "chrg_test_7"):
            await recorder.missing(case, charge_id)

    written.run(main)
    told = [
        event.data.get("charge_id") for event in written.journal.events(["missing"])
    ]
    assert told == ["chrg_test_7", None]


def test_news_of_many_transfers_are_each_written_once() -> None:
    """A night may have a million; they are written some at a time."""
    written = Written()
    count = 501

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))
        assert case.attempt is not None
        seen = [
            (case.attempt, TransferSeen(id=f"trsf_test_{number}", stands="created"))
            for number in range(count)
        ]
        after = await recorder.transfers_seen(seen)
        transfer = after[INTENT.key].transfer
        assert transfer is not None and transfer.id == f"trsf_test_{count - 1}"

    written.run(main)
    told = [event.data["id"] for event in written.journal.events(["transfer"])]
    assert told == [f"trsf_test_{number}" for number in range(count)]


@pytest.mark.fault("J11", "B31")
@pytest.mark.parametrize(
    ("charge_id", "anothers"), [("chrg_test_1", 1), ("any text", 0)]
)
def test_only_what_can_be_asked_for_makes_a_charge_another_orders(
    charge_id: str, anothers: int
) -> None:
    """Any text may stand in an answer for a charge that has an id of its own."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        for order_id in ("0001", "0002"):
            case = Case(replace(INTENT, order_id=order_id, key=order_id))
            await recorder.intend(case, 1000.0)
            await recorder.found(case, of_job("night", id=charge_id))

    written.run(main)
    told = [event.data["reason"] for event in written.journal.events(["stop"])]
    assert sum("was answered for order 0002" in one for one in told) == anothers


@pytest.mark.fault("L3", "L11")
@pytest.mark.parametrize(("ended", "beside"), [(True, False), (False, True)])
def test_a_charge_beside_an_attempt_that_is_not_over_says_so(
    ended: bool, beside: bool
) -> None:
    """One that took no money is over, and the adopted one is alone."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        if ended:
            await recorder.found(case, of_job("night", status="failed", paid=False))
        second = {
            **charge()["metadata"],
            "batchpay_job": "night",
            "batchpay_key": key_of("night", "0001", 2),
        }
        await recorder.adopt(of_job("night", id="chrg_test_2", metadata=second), 2)

    written.run(main)
    (adopted,) = written.journal.events(["adopted"])
    assert bool(adopted.data.get("beside")) is beside


@pytest.mark.fault("J06")
def test_a_charge_that_names_no_job_is_not_another_jobs() -> None:
    """And one of an order that was sent here too is noted beside what was done with it here."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        await recorder.others.keep([of_job("", metadata={"order_id": "0001"})])
        await recorder.intend(Case(INTENT), 1000.0)
        for _ in range(2):
            await recorder.others.keep([of_job("day", id="chrg_test_2")])

    written.run(main)
    assert written.kinds() == ["intent", "elsewhere", "stop"]  # it may be charged twice


@pytest.mark.fault("J05")
def test_lists_must_show_what_was_proven_since_and_the_last_before() -> None:
    """So that a quiet month leaves a witness too, and a second with two charges two of them."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        for number in (1, 2):
            case = Case(replace(INTENT, order_id=f"000{number}", key=f"{number}"))
            await recorder.intend(case, 1000.0)
            await recorder.found(case, of_job("night", id=f"chrg_test_{number}"))
            assert recorder.cases.case_of(f"chrg_test_{number}") is not None
        known = []
        for since_s in (0, 10 * 86_400):
            later = Recorder(written.journal, written.clock, "night", "run", live=False)
            later.expected.remember(START_NS + since_s * 10**9)
            known.append(set(later.expected.known))
        assert known == [{"chrg_test_1", "chrg_test_2"}] * 2
        later_case = Recorder(
            written.journal, written.clock, "night", "run", live=False
        ).cases.case_of("chrg_test_2")
        assert later_case is not None and later_case.attempt is not None
        assert (later_case.intent.order_id, later_case.others, later_case.present) == (
            "0002",
            (),
            False,
        )
        assert recorder.cases.case_of("chrg_test_9") is None

    written.run(main)


@pytest.mark.fault("J05")
def test_what_is_told_of_an_old_charge_makes_no_list_begin_before_the_last_one() -> (
    None
):
    """A copy from between the two shows the old one, and lacks what was charged after the last."""
    written = Written()
    made = {"old": "2026-11-23T00:00:00Z", "last": "2026-11-24T00:00:00Z"}

    async def main(recorder: Recorder) -> None:
        cases = {}
        for name, created_at in made.items():
            cases[name] = Case(replace(INTENT, order_id=name, key=name))
            await recorder.intend(cases[name], 1000.0)
            seen = of_job("night", id=f"chrg_test_{name}", created_at=created_at)
            await recorder.found(cases[name], seen)
        await asyncio.sleep(10 * 86_400)
        since_ns = written.clock.now_ns() - 10**9
        changed = {"status": "reversed", "reversed": True}
        charge = of_job("night", id="chrg_test_old", created_at=made["old"], **changed)
        await recorder.found(cases["old"], charge, reread=True)
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        assert set(written.journal.charges_known(since_ns)) == {"chrg_test_old"}
        later.expected.remember(since_ns)
        youngest = max(created_at for created_at, _ in later.expected.known.values())
        assert youngest == made["last"]

    written.run(main)


@pytest.mark.fault("J05", "J11")
def test_a_charge_whose_stop_was_lifted_need_not_be_in_lists_any_more() -> None:
    """Until then it must: a list that does not show it may lack others too."""
    written = Written()
    since_ns = START_NS - 10**9

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))
        await recorder.stop_for_charge("chrg_test_1", "no list shows it")
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        later.expected.remember(since_ns)
        assert set(later.expected.known) == {"chrg_test_1"}
        await recorder.note(Lifted(reason="seen"))
        later = Recorder(written.journal, written.clock, "night", "run", live=False)
        later.expected.remember(since_ns)
        await later.found(case, of_job("night"))
        assert later.expected.known == {}

    written.run(main)


def test_whose_journal_it_is_is_what_was_written_last() -> None:
    """An empty journal is nobody's."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        assert recorder.belonging.account() == {}
        await recorder.note(BelongsTo(account="", mode="test", url="u"))
        await recorder.note(BelongsTo(account="a", mode="test", url="u"))
        assert recorder.belonging.account() == {
            "account": "a",
            "mode": "test",
            "url": "u",
        }

    written.run(main)


@pytest.mark.fault("L6", "I8")
@pytest.mark.parametrize(
    ("changes", "new"),
    [
        ({}, False),
        ({"failure_message": "another word"}, False),
        ({"fee": 7}, False),
        ({"amount": 123451}, True),
        ({"currency": "JPY"}, True),
        ({"destination": "recp_test_2"}, True),
        ({"livemode": True}, True),
        ({"chain": "acch_test_2"}, True),
        ({"chain": None}, False),  # an older page takes nothing back
        ({"status": "reversed"}, True),
        ({"id": "chrg_test_2"}, True),
    ],
)
def test_what_a_look_up_says_is_written_when_it_is_new(
    changes: dict[str, Any], new: bool
) -> None:
    """Of a charge that is known: where it stands, and what was asked for it."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))
        await recorder.found(case, of_job("night", **changes))

    written.run(main)
    assert written.kinds().count("found") == 1 + new


@pytest.mark.fault("J11", "L10")
def test_a_charge_of_another_jobs_order_is_nobody_elses(tmp_path: Path) -> None:
    """It stops the run, which says whose it is and for whom it was answered; our order is not paid
    by it.
    """
    night, day = (SqliteJournal(tmp_path / "j.db", name) for name in ("night", "day"))
    told: dict[str, Any] = {"order_id": "of day", "attempt": 2, "batch_id": "b"}
    day.append(
        [
            Event(
                "adopted",
                1,
                data={"state": "succeeded", "charge": {"id": "chrg_test_1"}},
                **told,
            )
        ]
    )
    clock = FakeClock()
    recorder = Recorder(night, clock, "night", "run", live=False)

    async def main() -> Case:
        case = Case(INTENT)
        data = {
            "intent": kept(INTENT),
            "boot_id": "b",
            "boot_s": 1.0,
            "state": "in_doubt",
        }
        night.append(
            [
                Event(
                    "intent",
                    order_id="0001",
                    attempt=1,
                    send=1,
                    batch_id=INTENT.batch_id,
                    row=2,
                    data=data,
                )
            ]
        )
        (case.attempt,) = fold(night.histories(["0001"])["0001"])
        await recorder.found(case, of_job("night"))
        again = Verdict(Proof.CHARGE, charge=of_job("night"))
        # what was told is no second stop
        await recorder.answered(case, again, 200, "", 1001.0)
        return case

    case, _ = in_virtual_time(main(), 1000.0)
    assert case.attempt is not None and case.attempt.outcome is Outcome.UNPROVEN
    assert case.attempt.strangers == {"chrg_test_1"}
    assert not case.attempt.twins  # it is no second charge of ours either
    why = "chrg_test_1 was answered for order 0001; it is order of day's of job day"
    assert recorder.stopped == why
    assert [event.data["reason"] for event in night.events(["stop"])] == [why]
    for journal in (night, day):
        journal.close()


# --- a gateway that is none, and a list that cannot be read


@dataclass
class Stranger(FakeGateway):
    """Takes no charges: each POST is answered by something that does not know what one is."""

    strange: range = range(1000)
    asked: int = 0

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
        self.asked += 1
        if self.asked - 1 not in self.strange:
            return await super().charge(intent, may_leave)
        may_leave()
        return Answer(out=True, status=404)


@pytest.mark.fault("B21")
def test_three_answers_of_a_stranger_end_the_run() -> None:
    """It is told which address that is; nothing is in doubt."""
    world = World(Stranger(), settings=replace(SETTINGS, concurrency=1))
    assert set(world.run(12).values()) == {Outcome.HELD}
    assert world.gateway.asked == 3  # type: ignore[attr-defined]
    assert world.line and isinstance(world.line.fatal, Misconfigured)
    assert SETTINGS.url in str(world.line.fatal) and "[gateway] url" in str(
        world.line.fatal
    )


@pytest.mark.fault("B21")
def test_two_answers_of_a_stranger_end_nothing() -> None:
    """Their orders are held, the others go."""
    world = World(
        Stranger(strange=range(1, 3)), settings=replace(SETTINGS, concurrency=1)
    )
    outcomes = list(world.run(5).values())
    assert (outcomes.count(Outcome.SUCCEEDED), outcomes.count(Outcome.HELD)) == (3, 2)
    assert world.line and world.line.fatal is None


@dataclass
class Blank(Dated):
    """Its first answers to who asks for a list are none."""

    blank: int = 0
    since: list[str] = field(default_factory=list)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        self.since.append(since)
        return (
            replace(answer, said={"object": "search"})
            if len(self.since) <= self.blank
            else answer
        )


@pytest.mark.fault("B32", "L11")
@pytest.mark.parametrize(("blank", "sent"), [(7, 3), (8, 0), (1000, 0)])
def test_the_list_before_the_first_send_is_asked_for_eight_times(
    blank: int, sent: int
) -> None:
    """With a moment between; a run without it sends nothing and says why."""
    world = World(Blank(blank=blank))
    world.run(3)
    assert len(world.gateway.posts) == sent
    assert world.now_s - 1000.0 >= 7 * SETTINGS.lookup_gap_s
    assert world.settlement is not None
    assert ("could not be read completely" in world.settlement.why_held) is (not sent)


@pytest.mark.fault("F01")
def test_a_signal_before_the_first_list_ends_the_run_at_once() -> None:
    """It says so; nothing more is asked."""
    world = World(Blank(blank=1000))
    world.run(3, meanwhile=interrupted)
    assert world.settlement and world.settlement.why_held == "SIGTERM"
    assert world.now_s < 1000.0 + 4.0


# --- charges that lists should show


@dataclass
class Hiding(FakeGateway):
    """Some charges are in none of its lists; says which were asked for by their id."""

    hidden: set[str] = field(default_factory=set)
    by_id: list[str] = field(default_factory=list)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        data = [one for one in answer.said["data"] if one["id"] not in self.hidden]
        return replace(answer, said={**answer.said, "data": data, "total": len(data)})

    def _visible(self, since: str) -> list[dict[str, Any]]:
        return [one for one in super()._visible(since) if one["id"] not in self.hidden]

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        self.by_id.append(charge_id)
        return await super().get(charge_id, may_leave)


def after_a_night(fate: Callable[[int, dict[str, str]], str]) -> tuple[World, Hiding]:
    """Three orders, one after the other, and half a day later."""
    gateway = Hiding(fate, latency_s=1.2)  # each made in a second of its own
    world = World(gateway, settings=replace(SETTINGS, concurrency=1))
    world.run(3)
    world.now_s += 43_000.0
    gateway.by_id.clear()
    return world, gateway


GONE = "is in the journal, and no complete list of the gateway shows it"


@pytest.mark.fault("J11", "L10")
def test_a_paid_charge_that_lists_pass_over_is_a_stop() -> None:
    """Younger ones are shown; nothing is sent any more."""
    world, gateway = after_a_night(lambda post, fields: "ok")
    gateway.hidden = {"chrg_test_1"}
    world.run(4)
    assert world.stops() == [f"order 0000: chrg_test_1 {GONE}; {SEE_CHARGE()}"]
    assert len(gateway.posts) == 3


@pytest.mark.fault("J11", "L10")
def test_the_youngest_paid_charge_is_missed_when_the_gateway_does_not_know_it() -> None:
    """A list that merely lags is waited for; a charge that is not there by its id either is a
    stop.
    """
    world, gateway = after_a_night(lambda post, fields: "ok")
    del gateway.charges[-1]
    world.run(4)
    step = SETTLE_GONE(order="0002", charge="chrg_test_3")
    why = f"{GONE}, nor does it know one of this id"
    assert world.stops() == [f"order 0002: chrg_test_3 {why}; {step}"]
    world, gateway = after_a_night(lambda post, fields: "ok")
    gateway.hidden = {"chrg_test_3"}
    world.run(4)
    assert world.stops() == []
    assert world.settlement and "does not show chrg_test_3" in world.settlement.why_held
    assert len(gateway.posts) == 3


@pytest.mark.fault("J11")
def test_a_charge_that_a_stop_told_of_is_not_waited_for_again() -> None:
    """The run of the next night tells of the stop, not of the list."""
    world, gateway = after_a_night(lambda post, fields: "ok")
    gateway.hidden = {"chrg_test_3"}
    world.journal.append(
        [
            Event(
                "stop",
                data={"reason": "look at it", "order": "", "charge": "chrg_test_3"},
            )
        ]
    )
    world.run(4)
    assert (
        world.settlement
        and world.settlement.why_held == "a stop is in force: look at it"
    )


@pytest.mark.fault("J27")
def test_a_pending_charge_that_is_gone_is_no_stop_and_no_failure() -> None:
    """It is noted, once, for a person; the others go on."""
    world, gateway = after_a_night(only(2, "pending"))
    gateway.charges[-1].update(id="chrg_test_of_others", metadata={})
    world.run(4)
    assert world.stops() == []
    (attempt,) = fold(world.journal.histories(["0002"])["0002"])
    assert attempt.outcome is Outcome.PENDING and attempt.missing_ns
    assert len(list(world.journal.events(["missing"]))) == 1
    assert world.outcomes(4)["0003"] is Outcome.SUCCEEDED


@pytest.mark.fault("L6", "J27")
def test_what_was_pending_is_asked_for_by_its_id_once_a_night() -> None:
    """Whatever lists show; also where it is gone and no list need show it."""
    world, gateway = after_a_night(only(1, "pending"))
    world.run(3)
    assert gateway.by_id == ["chrg_test_2"]
    gateway.charges[1].update(status="successful", paid=True, chain="acch_test_2")
    gateway.hidden = {"chrg_test_2"}
    world.run(3)
    assert world.outcomes(3)["0001"] is Outcome.SUCCEEDED


@pytest.mark.fault("J27")
def test_a_pending_charge_of_long_ago_that_is_gone_is_noted_too() -> None:
    """No list need show it any more; asked for by its id the gateway says that there is none."""
    world, gateway = after_a_night(only(1, "pending"))
    for _ in range(2):
        world.run(3)
        world.now_s += 43_000.0
    gateway.charges[1].update(id="chrg_test_of_others", metadata={})
    world.run(3)
    (attempt,) = fold(world.journal.histories(["0001"])["0001"])
    assert attempt.outcome is Outcome.PENDING and attempt.missing_ns
    assert world.stops() == []


@dataclass
class Steps(Silent):
    """Listens."""

    seen: list[tuple[str, float]] = field(default_factory=list)
    orders: set[str] = field(default_factory=set)

    def order(self, case: Case) -> None:
        self.orders.add(case.intent.order_id)

    def phase(self, name: str, total: int | None = None) -> None:
        self.seen.append((name, asyncio.get_running_loop().time()))


def steps(
    world: World, count: int, *, wait_s: float = 0.0, impossible: bool = False
) -> list[tuple[str, float]]:
    """The steps of one run with their times, from its begin on."""
    progress, began_s = Steps(), world.now_s

    async def main() -> None:
        clock = FakeClock()
        line = Channel(clock, Pacer(50, 1.0, 1), Breaker(5.0), lambda: None)
        recorder = Recorder(world.journal, clock, JOB, "run", live=False)
        means = Means(SETTINGS, Omise(world.gateway), line, recorder, clock)
        run = Run(means, progress, Limits())
        start = datetime.fromtimestamp(clock.now_ns() / 1e9, UTC)
        known = any(event.kind == "intent" for event in world.journal.events())
        look = Look(start - timedelta(days=1), known, False, 0.0)

        def survey() -> Surveyed:
            if impossible:
                raise DoesNotAddUp("a person must look")
            return Surveyed(count, ["recp_test_1"])

        brought = Brought(
            look, start, wait_s, survey, lambda: candidates(count, world.journal)
        )
        if impossible:
            with pytest.raises(DoesNotAddUp):
                await at_gateway(run, brought)
            assert run.loop.why_held == "a person must look"
        else:
            await at_gateway(run, brought)
            assert progress.orders == {f"{number:04d}" for number in range(count)}
        assert (run.whose_unknown, run.blind) == ("", "")
        assert any(
            "does not tell of 1 recipient, such as recp_test_1" in note
            for note in run.notes
        ) is (count > 0 and not impossible)

    _, world.now_s = in_virtual_time(main(), world.now_s)
    return [(name, at_s - began_s) for name, at_s in progress.seen]


def test_the_steps_of_a_run_in_their_order() -> None:
    """It waits where a journal was lost, before anything is listed; recipients are asked about
    where one is paid.
    """
    plain = steps(World(), 2)
    assert [name for name, _ in plain] == [
        "entering",
        "listing",
        "asking",
        "preflight",
        "charging",
        "comparing",
    ]
    assert [name for name, _ in steps(World(), 0)] == [
        "entering",
        "listing",
        "asking",
        "charging",
        "comparing",
    ]
    lost = steps(World(), 2, wait_s=20.0)
    assert [name for name, _ in lost][:3] == ["entering", "waiting", "listing"]
    assert lost[2][1] - lost[1][1] == pytest.approx(20.0)


@pytest.mark.fault("J06", "I15")
def test_a_run_that_can_send_nothing_settles_what_is_open_all_the_same() -> None:
    """A doubt of the night before is looked up; then the run ends with what makes it impossible."""
    # the first list of the next run does not show it
    world = World(FakeGateway(only(0, "lost after"), lag_s=15.0))
    world.run(1, meanwhile=lambda settlement: settlement.interrupt("SIGTERM", 0.1))
    assert world.outcomes(1)["0000"] is Outcome.IN_DOUBT
    steps(world, 1, impossible=True)
    assert world.outcomes(1)["0000"] is Outcome.SUCCEEDED
    assert len(world.gateway.posts) == 1


def test_a_run_that_has_not_begun_holds_nothing_back() -> None:
    """What ends it before its first list has its own words."""

    async def main() -> None:
        clock = FakeClock()
        recorder = Recorder(MemoryJournal(JOB), clock, JOB, "run", live=False)
        line = Channel(clock, Pacer(1, 1.0, 1), Breaker(1.0), lambda: None)
        means = Means(SETTINGS, Omise(FakeGateway()), line, recorder, clock)
        loop = Settlement(means)
        assert loop.why_held == ""
        loop.hold("wait")
        assert loop.why_held == "wait"

    in_virtual_time(main(), 1000.0)


@pytest.mark.fault("L11")
def test_where_lists_begin() -> None:
    """The first as far back as an empty journal looks; while charging ten minutes before the
    run.
    """
    world = World(Blank())
    world.run(2)
    start = datetime.fromtimestamp(START_NS / 1e9 + 1000, UTC)
    first, watched, *_ = (time_of(since) for since in world.gateway.since)  # type: ignore[attr-defined]
    assert first == start - timedelta(days=35, minutes=10)
    assert watched is not None and timedelta() <= watched - (
        start - timedelta(minutes=10)
    ) < timedelta(seconds=5)


def test_an_answer_is_kept_with_its_status_and_what_it_said() -> None:
    """What is not as asked for is kept as it came."""
    world = World(
        FakeGateway(only(1, "wrong amount")), settings=replace(SETTINGS, concurrency=1)
    )
    world.run(2)
    good, odd = (event.data for event in world.journal.events(["answer"]))
    assert (good["status"], "excerpt" in good) == (200, False)
    assert odd["status"] == 200 and '"amount": 1' in odd["excerpt"]


@dataclass
class Dim(FakeGateway):
    """Its lists do not show what a charge is for; asked for one by its id it may."""

    instead: dict[str, Any] | None = None  # of the charge by its id

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        answer = await super().page(since, offset, may_leave, limit)
        data = [{**one, "metadata": 5} for one in answer.said["data"]]
        return replace(answer, said={**answer.said, "data": data})

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        answer = await super().get(charge_id, may_leave)
        return replace(answer, said={**answer.said, **(self.instead or {})})


@pytest.mark.fault("J05", "L11")
def test_what_a_list_does_not_tell_of_a_charge_is_asked_for_by_its_id() -> None:
    """Then it is one of ours like any other, and the run goes on."""
    world = World()
    world.run(2)
    world.gateway = Dim(charges=world.gateway.charges, posts=world.gateway.posts)
    assert set(world.run(3).values()) == {Outcome.SUCCEEDED}
    assert world.gateway.money() == {"0000": 1, "0001": 1, "0002": 1}


@pytest.mark.fault("J05", "L11")
@pytest.mark.parametrize("instead", [{"metadata": None}, {"id": "chrg_test_9"}])
def test_a_charge_that_nobody_can_tell_keeps_everything_back(
    instead: dict[str, Any],
) -> None:
    """It may be an order of this job, whose journal is empty. The run ends by itself and says which
    charge it is.
    """
    world = World()
    world.run(2)
    known = Dim(
        instead=instead, charges=world.gateway.charges, posts=world.gateway.posts
    )
    world.gateway = known
    # a journal that knows them all holds nothing back
    assert world.run(3)["0002"] is Outcome.SUCCEEDED
    later_s = world.now_s
    world = World(
        Dim(instead=instead, charges=known.charges[:2], posts=known.posts[:2])
    )
    world.now_s = later_s
    assert world.run(3)["0002"] is Outcome.HELD
    assert len(world.gateway.posts) == 2
    assert (
        world.settlement
        and "what chrg_test_1 in the gateway's list is for cannot be read"
        in world.settlement.why_held
    )


@pytest.mark.fault("B25")
def test_a_used_token_may_be_our_own_doing_only_if_it_was_this_token() -> None:
    """A doubt about an earlier attempt with another card says nothing about this one."""
    earlier = fold(
        [
            Event(
                "intent",
                at_ns=1,
                order_id="0001",
                attempt=1,
                send=1,
                batch_id="b",
                row=2,
                data={"intent": kept(INTENT), "boot_id": "b", "boot_s": 1.0},
            ),
            Event(
                "answer",
                order_id="0001",
                attempt=1,
                send=1,
                data={"verdict": "in_doubt"},
            ),
        ]
    )[0]
    assert earlier.doubted
    same, other = (
        replace(INTENT, attempt=2),
        replace(INTENT, attempt=2, single_use="tokn_test_2"),
    )
    assert Case(same, others=(earlier,)).doubted
    assert not Case(other, others=(earlier,)).doubted
    assert not Case(same).doubted
    assert Case(INTENT, earlier).doubted


def kept(intent: Intent) -> dict[str, Any]:
    names = ("order_id", "attempt", "batch_id", "sheet", "row")
    return {
        name: getattr(intent, name)
        for name in intent.__dataclass_fields__
        if name not in names
    }


@pytest.mark.fault("F01")
def test_an_interrupted_run_tells_why_and_asks_nothing_more() -> None:
    """The reason is the signal's; what was in doubt stays so."""
    world = World(FakeGateway(only(0, "lost before")))
    world.run(3, meanwhile=interrupted)
    assert world.settlement and world.settlement.why_held == "SIGTERM"


@pytest.mark.fault("L7")
@pytest.mark.parametrize("flaws", [(), ("it is 1.00 THB",), ("it is 2.00 THB",)])
def test_a_person_takes_a_transfer_as_it_was_told_then(flaws: tuple[str, ...]) -> None:
    """Another one that is not the share is for a person again."""
    written = Written()

    async def main(recorder: Recorder) -> None:
        case = Case(INTENT)
        await recorder.intend(case, 1000.0)
        await recorder.found(case, of_job("night"))

        async def see(flaws: tuple[str, ...]) -> None:
            assert case.attempt is not None
            seen = TransferSeen(id="trsf_test_1", stands="created", flaws=flaws)
            after = await recorder.transfers_seen([(case.attempt, seen)])
            case.attempt = after[INTENT.key]

        await see(("it is 1.00 THB",))
        assert case.attempt is not None and case.attempt.share_differs
        await recorder.resolve(case, "accepted", "why", "kim")
        assert not case.attempt.share_differs
        await see(flaws)
        assert case.attempt.share_differs is (flaws == ("it is 2.00 THB",))

    written.run(main)
