"""Where one small change of a run once went unseen: who is sent, who is held, and what a list of
charges proves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.domain.model import Answer, Outcome
from batchpay.job.job import Limit
from batchpay.journals.memory import MemoryJournal
from batchpay.settlement import Limits
from tests.fakes import START_NS, FakeGateway
from tests.test_settlement import SETTINGS, World, only
from tests.test_survivors_settlement import after_a_night
from tests.world import KEY, Market, order

ONE_AT_A_TIME = replace(SETTINGS, concurrency=1)

# --- recipients


@pytest.mark.fault("J23")
def test_orders_for_a_deleted_or_inactive_recipient_are_held(market: Market) -> None:
    """Each with its own reason, before anything is sent to any of them; all others go."""
    gone, idle = "recp_test_sandboxgone", "recp_test_sandboxinactive"
    market.orders(
        [order(1), order(2, recipient=gone), order(3, recipient=idle), order(4)]
    )
    market.job()
    with httpx.Client(auth=(KEY, ""), trust_env=False) as person:
        assert (
            person.delete(f"{market.sandbox.url}/recipients/{gone}").json()["deleted"]
            is True
        )
    assert market.run().returncode == 11
    rows = {row["order_id"]: row for row in market.results()}
    assert [row["outcome"] for row in rows.values()] == [
        "succeeded",
        "held",
        "held",
        "succeeded",
    ]
    assert gone in rows["00002"]["reason"] and "deleted" in rows["00002"]["reason"]
    assert idle in rows["00003"]["reason"] and "active" in rows["00003"]["reason"]
    assert market.posts() == 2
    market.agree()


# --- how far a run may go


@pytest.mark.fault("H04")
def test_failures_are_looked_at_from_the_twentieth_order_itself() -> None:
    """Not one more is sent."""
    world = World(FakeGateway(lambda post, fields: "declined"), settings=ONE_AT_A_TIME)
    world.run(40, limits=Limits(max_failures=Limit(count=0)))
    assert len(world.gateway.posts) == 20
    assert (
        world.settlement
        and "20 of the first 20 orders took no money" in world.settlement.why_held
    )


@pytest.mark.fault("H04")
@pytest.mark.parametrize("allowed, posts", [(19, 40), (18, 20)])
def test_as_many_failures_as_agreed_are_let_through(allowed: int, posts: int) -> None:
    """Nineteen of nineteen allowed hold nobody; the first order sent twice is counted once."""

    def fate(post: int, fields: dict[str, str]) -> str:
        if post == 0:
            return "429"
        return "declined" if int(fields["metadata[order_id]"]) < 19 else "ok"

    world = World(FakeGateway(fate), settings=ONE_AT_A_TIME)
    world.run(40, limits=Limits(max_failures=Limit(count=allowed)))
    assert len(world.gateway.posts) == posts + 1


def test_a_limit_says_so_where_it_held_something_and_only_there() -> None:
    """Three of three orders are no limit that held; the words name the flag."""
    world = World(settings=ONE_AT_A_TIME)
    world.run(4, limits=Limits(orders=3))
    assert (
        world.settlement
        and world.settlement.why_held == "this run was limited to 3 orders (--limit)"
    )
    assert len(world.gateway.posts) == 3
    free = World()
    free.run(3)
    assert free.settlement and free.settlement.why_held == ""


def test_a_canary_waits_for_all_of_its_orders_and_then_lets_the_others_go() -> None:
    """A slow answer among the first is no reason to hold the rest for the night."""

    class SlowFirst(FakeGateway):
        async def charge(self, intent: Any, may_leave: Callable[[], bool]) -> Answer:
            if intent.order_id == "0001":
                await asyncio.sleep(0.7)
            return await super().charge(intent, may_leave)

    world = World(SlowFirst())
    assert set(world.run(8, limits=Limits(canary=3)).values()) == {Outcome.SUCCEEDED}
    assert world.settlement and world.settlement.why_held == ""
    in_doubt = World(FakeGateway(only(1, "lost after")))
    assert set(in_doubt.run(8, limits=Limits(canary=3)).values()) == {Outcome.SUCCEEDED}


@pytest.mark.fault("B15", "I15")
def test_orders_that_wait_out_a_pause_are_sent_in_the_same_run() -> None:
    """A short outage in the middle of a night costs time, and no order its turn."""
    world = World(
        FakeGateway(lambda post, fields: "503 before" if 5 <= post < 10 else "ok"),
        settings=ONE_AT_A_TIME,
    )
    assert set(world.run(20).values()) == {Outcome.SUCCEEDED}
    world.check()


@pytest.mark.fault("B19")
@pytest.mark.parametrize("status", [429, 503])
def test_a_list_that_is_refused_for_a_while_is_had_in_the_end(status: int) -> None:
    """The first list of a run is tried several times over before the run gives up."""

    @dataclass
    class Busy(FakeGateway):
        left: int = 12

        async def page(
            self,
            since: str,
            offset: int,
            may_leave: Callable[[], bool],
            limit: int = 100,
        ) -> Answer:
            if self.left > 0:
                self.left -= 1
                may_leave()
                return Answer(out=True, status=status, retry_after="1")
            return await super().page(since, offset, may_leave, limit)

    world = World(Busy(), settings=replace(SETTINGS, pause_s=0.5))
    assert set(world.run(3).values()) == {Outcome.SUCCEEDED}


# --- lists


def stranger(number: int, at_s: float) -> dict[str, Any]:
    """A charge of the account that is nobody's order of this job."""
    made = datetime.fromtimestamp(START_NS // 10**9 + at_s, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    return {
        "object": "charge",
        "id": f"chrg_test_stranger{number}",
        "livemode": False,
        "status": "successful",
        "paid": True,
        "amount": 5,
        "currency": "THB",
        "destination": None,
        "chain": None,
        "created_at": made,
        "metadata": {},
        "_at_s": at_s,
    }


@dataclass
class Crowded(FakeGateway):
    """A gateway that tells its time, on whose account others charge while its list is read."""

    grows: int = 150  # charges more with each page: more than a page holds
    slowly_s: float = 1.0

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        now_s = asyncio.get_running_loop().time()
        date = format_datetime(
            datetime.fromtimestamp(START_NS // 10**9 + now_s, UTC), usegmt=True
        )
        self.charges += [
            stranger(len(self.charges) + n, now_s) for n in range(self.grows)
        ]
        await asyncio.sleep(self.slowly_s)
        return replace(await super().page(since, offset, may_leave, limit), date=date)


@pytest.mark.fault("B32", "I15")
def test_a_list_of_an_account_that_grows_faster_than_it_can_be_read_ends() -> None:
    """It is complete when all that there was and a page of younger charges were read, and the night
    goes on.
    """
    world = World(Crowded())
    began_s = world.now_s
    assert set(world.run(2).values()) == {Outcome.SUCCEEDED}
    assert world.now_s - began_s < 180


@pytest.mark.fault("B32", "D07", "L11")
def test_a_list_goes_on_past_charges_that_are_a_few_seconds_younger_than_itself() -> (
    None
):
    """Our own charge may stand behind them: clocks of two machines of a gateway differ by so
    much.
    """
    world = World()
    world.run(1)
    (ours,) = world.gateway.charges
    gateway = Crowded(charges=[], grows=0, slowly_s=0.0)
    gateway.charges += [stranger(number, world.now_s + 4.0) for number in range(150)]
    gateway.charges.append(
        {
            **ours,
            "created_at": stranger(0, world.now_s)["created_at"],
            "_at_s": world.now_s,
        }
    )
    again = World(gateway, MemoryJournal(), now_s=world.now_s)
    with pytest.raises(Misconfigured, match="of this job"):
        again.run(1)
    assert again.gateway.posts == []


# --- without a list, without an account


@pytest.mark.fault("J27", "B32")
def test_what_is_pending_is_asked_for_by_its_id_although_no_list_can_be_read() -> None:
    """What has an id needs no list; nothing is sent."""
    world, gateway = after_a_night(only(1, "pending"))
    gateway.charges[1].update(status="successful", paid=True, chain="acch_test_2")

    async def no_page(*given: Any, **named: Any) -> Answer:
        return Answer(out=True, status=200, said={"object": "search"})

    gateway.page = no_page  # type: ignore[method-assign]
    assert world.run(4)["0001"] is Outcome.SUCCEEDED
    assert gateway.by_id == ["chrg_test_2"] and len(gateway.posts) == 3


@pytest.mark.fault("L7", "B16", "J04")
def test_a_charge_that_is_paid_late_and_without_a_chain_is_asked_for_once_and_then_a_stop() -> (
    None
):
    """It was pending when the run before ended: that it took the money is news, though nothing is
    proven by it.
    """
    world, gateway = after_a_night(only(1, "pending"))
    gateway.charges[1].update(status="successful", paid=True)
    assert world.run(4)["0001"] is Outcome.UNPROVEN
    (stop,) = world.stops()
    assert "chrg_test_2" in stop and "no chain" in stop
    sent = len(gateway.posts)
    assert world.run(6)["0001"] is Outcome.UNPROVEN
    assert len(gateway.posts) == sent


@pytest.mark.fault("J03")
def test_an_account_that_nobody_told_is_written_down_as_none() -> None:
    """Mode and address are held all the same; the account is, once it is told."""
    world = World(FakeGateway(account=""))
    world.run(1)
    world.gateway.account = "account_test_1"
    world.run(2)
    assert [event.data["account"] for event in world.journal.events(["account"])] == [
        "",
        "account_test_1",
    ]
