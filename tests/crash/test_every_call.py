"""Die before and after every call of gateway and journal, resume, and look: each order paid once,
idempotency off.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchpay.domain.model import Outcome
from tests.fakes import CrashAt, Died, FakeGateway
from tests.test_settlement import World

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
