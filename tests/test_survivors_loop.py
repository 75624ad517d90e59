"""Where one small change of the loop once went unseen: when it ends, and what wakes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.domain.model import Answer, Intent, Outcome
from batchpay.lifecycle.request import intent_of
from batchpay.settlement import Brought, Limits, Run, at_gateway
from batchpay.settlement.reading import PASSED_OVER
from tests import test_settlement
from tests.fakes import FakeGateway
from tests.test_settlement import SETTINGS, World, document, only, until
from tests.test_settlement_races import fields_of, interrupted, made_elsewhere
from tests.test_survivors_lists import Long
from tests.test_survivors_settlement import FOR_EVER, Unreadable


@pytest.mark.fault("C07", "I15")
def test_a_deadline_ends_a_pause() -> None:
    """Nobody waits for a gateway behind the time at which nothing may be sent any more."""
    settings = replace(SETTINGS, pause_s=300.0, concurrency=2)
    world = World(FakeGateway(lambda post, fields: "unreachable"), settings=settings)
    world.run(5, limits=Limits(deadline_ns=until(20), deadline="06:00 UTC"))
    assert world.gateway.posts == []
    assert 1000.0 + 20 - settings.timeout_s <= world.now_s < 1000.0 + 20
    assert world.settlement and "deadline 06:00 UTC" in world.settlement.why_held


@pytest.mark.fault("L11", "B32")
def test_eight_lists_in_vain_end_the_sending_however_short_a_doubt_is() -> None:
    """Seven are no reason yet; what is sent by then was sent."""
    settings = replace(SETTINGS, rate=2, concurrency=1, doubt_period_s=3.0)
    world = World(Unreadable(times=((1040.0, FOR_EVER),)), settings=settings)
    world.run(200)
    assert (
        world.settlement
        and "could not be read completely while charging" in world.settlement.why_held
    )
    # the first in vain is the third, thirty seconds after the second
    eighth_s = 1060.0 + 7 * settings.lookup_gap_s
    # each waits for its turn
    assert (
        eighth_s < world.gateway.posts[-1][0] < eighth_s + 9 * 2 / settings.rate + 1.0
    )


@pytest.mark.fault("B16", "L7")
def test_a_charge_that_an_earlier_run_left_without_its_chain_is_given_its_moment() -> (
    None
):
    """It was paid just before that run was interrupted: asked for at once it would be a stop."""

    class Late(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            answer = await super().charge(intent, may_leave)
            made = self.charges[-1]
            made["chain"] = None
            return replace(answer, said=dict(made))

    world = World(Late())
    world.run(1, meanwhile=interrupted)
    assert world.outcomes(1)["0000"] is Outcome.PENDING

    def chain_comes(_: object) -> None:
        asyncio.get_running_loop().call_later(
            2.0, world.gateway.charges[0].update, {"chain": "acch_test_1"}
        )

    assert world.run(1, meanwhile=chain_comes)["0000"] is Outcome.SUCCEEDED
    assert world.stops() == []


@pytest.mark.fault("A15")
def test_what_breaks_in_one_worker_ends_the_run_and_is_what_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not that all else was cancelled for it; and nothing of the run goes on when it is told."""
    under_way: list[str] = []
    left: list[list[str]] = []

    class Broken(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
            if "a list" in under_way and len(self.posts) > 3:
                raise RuntimeError("broken")
            return await super().charge(intent, may_leave)

        async def page(
            self,
            since: str,
            offset: int,
            may_leave: Callable[[], bool],
            limit: int = 100,
        ) -> Answer:
            under_way.append("a list")
            try:
                return await super().page(since, offset, may_leave, limit)
            finally:
                under_way.remove("a list")

    async def watched(run: Run, brought: Brought) -> None:
        try:
            await at_gateway(run, brought)
        finally:
            left.append(list(under_way))

    monkeypatch.setattr(test_settlement, "at_gateway", watched)
    world = World(
        Broken(only(1, "lost before"), latency_s=0.5),
        settings=replace(SETTINGS, rate=4),
    )
    with pytest.raises(RuntimeError, match="broken"):
        world.run(60)
    assert left == [[]]


@pytest.mark.fault("J06", "E13")
def test_an_order_that_another_job_charges_meanwhile_is_not_charged_and_ends_the_sending() -> (
    None
):
    """A list while charging showed it; who charged it is said, and by which charge."""
    theirs = intent_of(
        document(120),
        job="day",
        attempt=1,
        fee=None,
        batch_id="2026-11-24-0123456789ab",
        sheet="",
        row=122,
        run_id="another",
        journal_id="another",
    )
    world = World(settings=replace(SETTINGS, rate=2))

    def charge_elsewhere(_: object) -> None:
        world.gateway._commit(dict(parse_qsl(theirs.body)))

    with pytest.raises(
        Misconfigured,
        match=r'^order 0120 was charged, .*, by job "day" \(chrg_test_\d+\)',
    ):
        world.run(200, meanwhile=charge_elsewhere)
    assert world.gateway.money()["0120"] == 1
    # what was under way ended
    assert len(world.gateway.posts) <= 120 + SETTINGS.concurrency
    assert world.stops() == []


@pytest.mark.fault("J02", "L11")
def test_beside_a_charge_that_names_nobody_its_order_is_not_sent() -> None:
    """Of a journal that was lost: it may be that very order's; what asks for other money goes."""
    world = World()
    fields = fields_of(1)
    nameless = {
        name: value for name, value in fields.items() if not name.startswith("meta")
    }
    made_elsewhere(world, nameless)
    outcomes = world.run(2, adopt=True)
    assert outcomes == {"0000": Outcome.HELD, "0001": Outcome.SUCCEEDED}
    assert [sent["metadata[order_id]"] for _, sent in world.gateway.posts] == ["0001"]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Every run that a world makes."""
    made: list[Run] = []

    async def watched(run: Run, brought: Brought) -> None:
        made.append(run)
        await at_gateway(run, brought)

    monkeypatch.setattr(test_settlement, "at_gateway", watched)
    return made


class Deleted(FakeGateway):
    """Tells of every recipient that it is deleted."""

    async def read(
        self, path: str, query: Mapping[str, Any], may_leave: Callable[[], bool]
    ) -> Answer:
        if not path.startswith("/recipients/"):
            return await super().read(path, query, may_leave)
        may_leave()
        name = path.rpartition("/")[2]
        said = {"object": "recipient", "id": name, "deleted": True}
        return Answer(out=True, status=200, said=said)


@pytest.mark.fault("J23")
def test_what_is_told_of_recipients_is_noted_and_of_whom_nothing_is_told(
    runs: list[Run],
) -> None:
    """In the journal where it is news; of the others a person hears."""
    world = World()
    world.run(1)
    assert list(world.journal.events(["preflight"])) == []
    told = [note for note in runs[-1].notes if "does not tell of" in note]
    assert told == ["the gateway does not tell of 1 recipient, such as recp_test_1"]
    known = World(Deleted())
    known.run(1)
    (event,) = known.journal.events(["preflight"])
    assert list(event.data["barred"]) == ["recp_test_1"]
    assert not [note for note in runs[-1].notes if "does not tell of" in note]


@pytest.mark.fault("J12")
def test_what_lists_pass_over_is_told_once_a_run(runs: list[Run]) -> None:
    """However many lists it reads."""
    world = World(Long())
    world.run(2)
    world.gateway.long.add("chrg_test_1")  # type: ignore[attr-defined]
    world.run(4)
    assert runs[-1].notes.count(PASSED_OVER) == 1
