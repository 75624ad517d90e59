"""Die before and after every call of gateway and journal, resume, and look: each order paid once,
idempotency off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from batchpay.domain.model import Event, Outcome
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.proof import Proof, Verdict
from batchpay.settlement import Case, Recorder
from tests.fakes import CrashAt, Died, FakeClock, FakeGateway, in_virtual_time
from tests.test_lifecycle import INTENT
from tests.test_settlement import (
    JOB,
    SETTINGS,
    KnowsTheKey,
    World,
    asked_by_another_run,
)
from tests.test_survivors_settlement import of_job

GATEWAY_CALLS = ("charge", "get", "page", "read")
FATES: dict[str, Callable[[int, dict[str, str]], str]] = {
    "all well": lambda post, fields: "ok",
    "one lost after": lambda post, fields: "lost after" if post == 1 else "ok",
    "one lost before": lambda post, fields: "lost before" if post == 1 else "ok",
    "one lands late": lambda post, fields: "lands late 2.5" if post == 1 else "ok",
    "one declined, one limited": lambda post, fields: {0: "declined", 2: "429"}.get(
        post, "ok"
    ),
}


def dies_at(
    point: int, fate: Callable[[int, dict[str, str]], str]
) -> tuple[World, bool]:
    """A run of three orders that dies at the given call; did it?"""
    world, crash = World(FakeGateway(fate)), CrashAt(point)
    edges = (
        crash.wrap(world.gateway, GATEWAY_CALLS),
        crash.wrap(world.journal, ("write",)),
    )
    try:
        world.run(3, edges=edges)
    except Died:
        world.now_s += 4  # a late request may still land after the death
        return world, True
    return world, False


@pytest.mark.fault("A02", "A03", "A04", "A05", "A07", "A08", "A09", "A10", "A12", "C05")
@pytest.mark.parametrize("name", FATES)
def test_no_call_to_die_at_charges_twice_or_loses_an_outcome(name: str) -> None:
    """At every call there is: the second run ends every order, and a third makes no POST."""
    point = died = 0
    while True:
        world, dead = dies_at(point, FATES[name])
        if not dead:
            break
        died += 1
        world.gateway.fate = lambda post, fields: "ok"
        outcomes = world.run(3)
        posts = len(world.gateway.posts)
        world.run(3)
        world.check()
        assert len(world.gateway.posts) == posts, point
        assert set(outcomes.values()) <= {Outcome.SUCCEEDED, Outcome.DECLINED}, (
            point,
            outcomes,
        )
        assert world.stops() == [], point
        money = world.gateway.money()
        assert {
            order for order, outcome in outcomes.items() if outcome is Outcome.SUCCEEDED
        } == set(money), point
        point += 1
    assert died > 15


@pytest.mark.fault("A15")
@pytest.mark.parametrize("seed", range(40))
def test_dying_again_and_again_converges(seed: int) -> None:
    """Ten deaths in a row at wandering points: still one charge an order."""
    world = World()
    for death in range(10):
        crash = CrashAt((seed * 7 + death * 11) % 37)
        edges = (
            crash.wrap(world.gateway, GATEWAY_CALLS),
            crash.wrap(world.journal, ("write",)),
        )
        try:
            world.run(6, edges=edges)
        except Died:
            world.now_s += 4
    assert set(world.run(6).values()) == {Outcome.SUCCEEDED}
    world.check()


# --- evidence, and the stop that it brings


class DiesBehind(MemoryJournal):
    """The process is gone as soon as some evidence of an order is durable."""

    def __init__(self, job: str, kind: str, order_id: str = "") -> None:
        super().__init__(job)
        self.kind, self.order_id = kind, order_id

    async def write(self, events: Sequence[Event]) -> list[Event]:
        written = await super().write(events)
        for event in events:
            if event.kind == self.kind and event.order_id.endswith(self.order_id):
                self.kind = ""
                raise Died
        return written


def of_same_row(**changes: Any) -> Any:
    """A charge of INTENT's row, under another id."""
    metadata = {
        "order_id": "0777",
        "batchpay_key": key_of("night", "0777", 1),
        "batchpay_job": "night",
        "batchpay_batch": INTENT.batch_id,
        "batchpay_row": str(INTENT.row),
    }
    return of_job("night", id="chrg_test_2", metadata=metadata, **changes)


async def charged(recorder: Recorder) -> None:
    case = Case(INTENT)
    await recorder.intend(case, 1000.0)
    await recorder.found(case, of_job("night"))


async def adopts_a_second_one_of_its_row(recorder: Recorder) -> None:
    await charged(recorder)
    await recorder.adopt(of_same_row(), 1)


async def finds_a_second_one_of_its_row(recorder: Recorder) -> None:
    order = {"order_id": "0777", "key": key_of("night", "0777", 1)}
    meant = Case(replace(INTENT, **order))
    await recorder.intend(meant, 1000.0)
    await recorder.void(meant)
    assert meant.attempt is not None
    await recorder.withdraw(meant.attempt)
    await charged(recorder)
    await recorder.found(meant, of_same_row())


async def adopts_what_another_job_charged_too(recorder: Recorder) -> None:
    await recorder.others.keep([of_job("day", id="chrg_test_3")])
    await recorder.adopt(of_job("night"), 1)


async def sees_another_jobs_of_its_order(recorder: Recorder) -> None:
    await charged(recorder)
    await recorder.others.keep([of_job("day", id="chrg_test_3")])


async def is_charged_behind_a_429(recorder: Recorder) -> None:
    case = Case(INTENT)
    await recorder.intend(case, 1000.0)
    told = Verdict(Proof.IN_DOUBT, charge=of_job("night"))
    await recorder.answered(case, told, 429, "", 1000.0)


@pytest.mark.fault("A03", "A10", "B19", "E12", "J06", "L10")
@pytest.mark.parametrize(
    ("comes", "kind", "order_id", "brings"),
    [
        (adopts_a_second_one_of_its_row, "adopted", "0777", "stop"),
        (finds_a_second_one_of_its_row, "found", "0777", "stop"),
        (adopts_what_another_job_charged_too, "adopted", "0001", "stop"),
        (sees_another_jobs_of_its_order, "elsewhere", "0001", "stop"),
        (is_charged_behind_a_429, "answer", "0001", "throttle.distrusted"),
    ],
)
def test_no_death_parts_evidence_and_the_stop_that_it_brings(
    comes: Callable[[Recorder], Any], kind: str, order_id: str, brings: str
) -> None:
    """Known already on the next night, nothing would ask for it again."""
    journal = DiesBehind("night", kind, order_id)
    with pytest.raises(Died):
        in_virtual_time(
            comes(Recorder(journal, FakeClock(), "night", "run", live=False)), 1000.0
        )
    assert len(list(journal.events([kind]))) == 1 + (kind == "found")
    assert len(list(journal.events([brings]))) == 1
    after = Recorder(journal, FakeClock(), "night", "again", live=False)
    assert bool(after.stopped) is (brings == "stop")
    assert after.trust_429 is (brings == "stop")


@pytest.mark.fault("A03", "B24", "L10")
def test_no_death_parts_a_reused_key_and_its_stop() -> None:
    """The next run sends nothing beside a bug of ours."""
    world = World(KnowsTheKey(), journal=DiesBehind(JOB, "answer", "0000"))
    with pytest.raises(Died):
        world.run(1)
    (stop,) = world.stops()
    assert "with another body than" in stop
    world.gateway = FakeGateway()
    world.run(3)
    assert world.gateway.posts == []


@pytest.mark.fault("A03", "E12", "L10")
def test_no_death_parts_a_charge_of_another_run_and_its_stop() -> None:
    """Another journal charges beside this one: it is taken over, and nothing more is sent."""
    world = World(
        FakeGateway(latency_s=0.05),
        journal=DiesBehind(JOB, "adopted"),
        settings=replace(SETTINGS, rate=2),
    )

    def charge_elsewhere(settlement: Any) -> None:
        asyncio.get_running_loop().call_later(
            1.5, world.gateway._commit, asked_by_another_run()
        )

    with pytest.raises(Died):
        world.run(200, meanwhile=charge_elsewhere)
    (stop,) = world.stops()
    assert "another run" in stop
    posts = len(world.gateway.posts)
    world.run(200)
    assert len(world.gateway.posts) == posts
