"""Look-ups that lie: late, shifted, cut, empty, refused, with our charge on the edge of a page."""

from __future__ import annotations

import shutil

import pytest

from tests.adversary import (
    LOST_AFTER,
    LOST_BEFORE,
    OK,
    Adversary,
    Fate,
    Request,
    error,
    says,
)
from tests.doses import SWEEP
from tests.faults.stage import Stage
from tests.world import order

PAGE = 100


@pytest.mark.fault("B32", "L5", "I6")
def test_a_charge_that_the_index_shows_late_is_found(
    night: Stage, gateway: Adversary
) -> None:
    """The list lags by most of the doubt period; nothing is sent twice, and what never was is sent
    again.
    """
    night.job(doubt="1.5s")
    gateway.lag_s = 0.8
    night.orders([order(number) for number in range(12)])
    for number in (1, 4, 7):
        gateway.on(order(number)["order_id"], LOST_AFTER)
    gateway.on("00009", LOST_BEFORE)
    assert night.run("--summary").returncode == 0
    night.quietly()
    night.right()
    assert night.posts() == 13


@pytest.mark.fault("B32", "L5")
@pytest.mark.parametrize(
    "others",
    [PAGE - 2, pytest.param(PAGE - 1, marks=SWEEP), pytest.param(PAGE, marks=SWEEP)],
)
def test_no_page_hides_our_charge(
    night: Stage, gateway: Adversary, others: int
) -> None:
    """Ours on the edge of a page, strangers added in front and behind while it is read, and every
    other answer bad.
    """
    gateway.strangers(others)
    night.orders([order(number) for number in range(6)])
    for number in (0, 1, 2):
        gateway.on(order(number)["order_id"], LOST_AFTER)
    gateway.on("00004", LOST_BEFORE)
    shifts = iter([0, 0, 0, 5, 0, 0, 5, 0])

    def meanwhile(request: Request) -> None:
        gateway.strangers(1, age_s=next(shifts, 0))

    gateway.before_list = meanwhile
    empty = Fate(change={"data": []})
    gateway.lists(
        OK,
        OK,
        OK,
        error(500, "x"),
        error(429, "x"),
        empty,
        says(b"<html>"),
        OK,
        error(404),
        OK,
        Fate(change={"total": 10**9}),
        Fate(change={"data": None}),
        Fate(change={"total": "7"}),
    )
    night.run()
    gateway.before_list = lambda request: None
    assert night.quietly().returncode == 0
    night.right()
    assert night.posts() == 7


@pytest.mark.fault("B32", "L11")
def test_no_list_no_send(night: Stage, gateway: Adversary) -> None:
    """While the first list cannot be had whole, nothing goes out."""
    gateway.strangers(3)
    gateway.rule = lambda request: (
        Fate(change={"data": []}) if request.method == "GET" else None
    )
    night.orders([order(number) for number in range(3)])
    assert night.run().returncode == 11
    assert night.posts() == 0 and night.outcomes() == {"held": 3}
    gateway.rule = lambda request: None
    assert night.run("--summary").returncode == 0
    night.right()


@pytest.mark.fault("J05", "B32", "L5", "L11", "I1")
def test_a_list_that_is_cut_in_silence_proves_no_absence(
    night: Stage, gateway: Adversary
) -> None:
    """The count is cut alike. Neither an empty journal nor an order in doubt takes it for all there
    is, and the reason names the charge that it ends without.
    """
    gateway.strangers(3)
    night.orders([order(1), order(2)])
    assert night.run().returncode == 0
    shutil.rmtree(night.folder / "state")
    shutil.rmtree(night.folder / "reports")
    gateway.cap = 3
    blind = night.run("--adopt")
    assert blind.returncode == 11 and night.posts() == 2
    assert "the list ends without chrg_test_00000" in night.row("00001")["reason"]
    gateway.cap = 0
    assert night.run("--adopt").returncode == 0 and night.posts() == 2
    night.orders([order(1), order(2), order(3)])
    gateway.on("00003", LOST_AFTER)
    gateway.cap = 5
    assert night.run().returncode in (11, 69) and night.posts() <= 3
    gateway.cap = 0
    assert night.run().returncode == 0 and night.posts() == 3
