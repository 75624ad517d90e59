"""Where one small change of the loop once went unseen: when it ends, and what wakes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batchpay.settlement import Limits
from tests.fakes import FakeGateway
from tests.test_settlement import SETTINGS, World, until
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
    assert world.settlement and "could not be read completely while charging" in world.settlement.why_held
    eighth_s = 1060.0 + 7 * settings.lookup_gap_s  # the first in vain is the third, thirty seconds after the second
    assert eighth_s < world.gateway.posts[-1][0] < eighth_s + 8 * 2 / settings.rate + 1.0  # each waits for its turn
