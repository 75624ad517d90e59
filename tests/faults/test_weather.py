"""Limits, refused keys, outages, slow days: the run gives way, holds the rest, and the next one
goes on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.adversary import LOST_AFTER, PENDING, Adversary, Fate, Request, error, says
from tests.doses import SWEEP
from tests.faults.stage import Stage
from tests.world import order

HTML = b"<html>slow down</html>"
CONCURRENCY = 4
RETRY_AFTER = ("1", "", "-1", "1e9", "Thu, 01 Jan 1970 00:00:00 GMT", "soon")


def from_post(
    number: int, fate: Fate, gateway: Adversary, *, also_gets: bool = False
) -> Callable[[Request], Fate | None]:
    """From the nth POST on, this happens to every request."""
    return lambda request: (
        fate
        if (request.method == "POST" or also_gets)
        and len(gateway.requests("POST")) >= number
        else None
    )


@pytest.mark.fault("B19", "I11", "L3")
def test_429_slows_all_workers_and_burns_no_attempt(
    night: Stage, gateway: Adversary
) -> None:
    """Every form of Retry-After, among good answers; the agreed rate holds in every window."""
    turns = {3 + 4 * n: header for n, header in enumerate(RETRY_AFTER)}
    limited: list[Request] = []

    def rule(request: Request) -> Fate | None:
        header = (
            turns.pop(len(gateway.requests("POST")), None)
            if request.method == "POST"
            else None
        )
        if header is None:
            return None
        limited.append(request)
        return says(
            HTML, 429, f"Retry-After: {header}" if header else "", commit="never"
        )

    gateway.rule = rule
    night.job(rate="100/s")
    night.orders([order(number) for number in range(30)])
    night.run()  # three sends an order and run: an unlucky one is held
    assert night.run("--summary").returncode == 0
    night.right()
    assert len(limited) == len(RETRY_AFTER)
    assert {row["attempts"] for row in night.results()} == {"1"}
    assert night.posts() == 30 + len(RETRY_AFTER)
    told_to_wait = limited[0].at
    meanwhile = [
        r for r in gateway.requests() if told_to_wait < r.at < told_to_wait + 0.95
    ]
    assert len(meanwhile) <= 2 * CONCURRENCY


@pytest.mark.fault("B19")
@SWEEP
def test_429_for_a_long_time(night: Stage, gateway: Adversary) -> None:
    """Ten seconds of nothing else: bounded sends an order, no attempt burnt, and then all is
    well.
    """
    end = time.monotonic() + 10
    gateway.rule = lambda request: (
        error(429, "too_many_requests") if time.monotonic() < end else None
    )
    night.orders([order(number) for number in range(20)])
    while time.monotonic() < end:
        assert night.run().returncode in (0, 11, 69)
    assert night.until_quiet().returncode == 0
    night.right()


@pytest.mark.fault("B20", "L4")
@pytest.mark.parametrize("status", [401, pytest.param(403, marks=SWEEP)])
def test_a_key_revoked_in_mid_run(
    night: Stage, gateway: Adversary, status: int
) -> None:
    """Stop at once, 77, the rest held; a new key goes on, and what was in doubt is found."""
    rows = [order(number) for number in range(30)]
    night.orders(rows)
    night.job(rate="40/s")
    gateway.on("00002", LOST_AFTER)
    gateway.rule = from_post(
        6,
        error(status, "authentication_failure", "no such key"),
        gateway,
        also_gets=True,
    )
    revoked = night.run()
    assert revoked.returncode == 77 and "OMISE_SECRET_KEY" in revoked.stderr
    refused = [request for request in gateway.requests() if request.status == status]
    assert 1 <= len(refused) <= 1 + CONCURRENCY
    assert night.row("00002")["outcome"] == "in_doubt"
    gateway.rule = lambda request: None
    assert night.run("--summary").returncode == 0
    night.right()
    assert night.sends("00002") == 1
    if status == 401:  # nor later, when it does not even tell whose it is
        gateway.rule = lambda request: error(
            401, "authentication_failure", "no such key"
        )
        assert [night.run(verb=verb).returncode for verb in ("run", "settle")] == [
            77,
            77,
        ]


@pytest.mark.fault("B20", "B29", "L4")
@pytest.mark.parametrize("status", [403, pytest.param(401, marks=SWEEP)])
def test_what_a_proxy_refuses_says_nothing_of_the_key(
    night: Stage, gateway: Adversary, status: int
) -> None:
    """No error object of the gateway's: nothing more is sent, nothing was charged, and who looks
    after the network acts.
    """
    night.orders([order(number) for number in range(10)])
    page = says(b"<html>Blocked by policy</html>", status, commit="never")
    gateway.rule = from_post(3, page, gateway, also_gets=True)
    barred = night.run()
    assert barred.returncode == 69 and "Blocked by policy" in barred.stderr, (
        barred.stderr
    )
    assert "a proxy" in barred.stderr and "OMISE_SECRET_KEY" not in barred.stderr
    gateway.rule = lambda request: page
    assert night.run().returncode == 69
    gateway.rule = lambda request: None
    assert night.run("--summary").returncode == 0
    night.right()


@pytest.mark.fault("B21")
@pytest.mark.parametrize(
    "status", [404, pytest.param(405, marks=SWEEP), pytest.param(410, marks=SWEEP)]
)
def test_no_place_to_charge(night: Stage, gateway: Adversary, status: int) -> None:
    """Three such answers are enough: 78, nothing charged, the rest held; the right place later
    charges all.
    """
    night.orders([order(number) for number in range(30)])
    night.job(rate="40/s")
    gateway.rule = lambda request: (
        says(HTML, status, commit="never") if request.method == "POST" else None
    )
    wrong = night.run()
    assert wrong.returncode == 78 and "url" in wrong.stderr
    assert night.posts() <= 3 + CONCURRENCY
    assert night.outcomes() == {"held": 30}
    gateway.rule = lambda request: None
    assert night.run("--summary").returncode == 0
    night.right()


@pytest.mark.fault("B35", "I15")
def test_the_gateway_goes_down_in_mid_run(night: Stage, gateway: Adversary) -> None:
    """Pauses, then the rest is held; cron's next run goes on as if nothing had been."""
    night.orders([order(number) for number in range(60)])
    gateway.rule = from_post(8, Fate(read=0), gateway, also_gets=True)
    down = night.run()
    assert down.returncode == 11, (down.stdout, down.stderr)
    assert night.outcomes()["held"] > 0
    gateway.rule = lambda request: None
    assert night.run("--summary").returncode == 0
    night.right()
    assert night.outcomes() == {"succeeded": 60}


@pytest.mark.fault("B05")
def test_connections_reset_as_they_are_accepted(
    night: Stage, gateway: Adversary
) -> None:
    """Not sent, or in doubt by a byte that the kernel took: once charged in any case."""
    gateway.hang_up = lambda connection: connection in (1, 3, 4, 6)
    night.orders([order(number) for number in range(10)])
    assert night.run("--summary").returncode == 0
    night.right()
    assert night.posts() == 10


@pytest.mark.fault("B33", "B34", "I8", "L9")
def test_pending_for_days_then_every_end(night: Stage, gateway: Adversary) -> None:
    """Asked on each run, never sent again; then paid, failed, expired; and a success that is
    reversed.
    """
    rows = [order(number) for number in range(5)]
    night.orders(rows)
    for number in (1, 2, 3):
        gateway.on(order(number)["order_id"], PENDING)
    for _ in range(2):
        assert night.run().returncode == 11
        assert night.outcomes() == {"succeeded": 2, "pending": 3}
        assert "pay.example" in night.row("00001")["authorize_uri"]
    asked = [
        request
        for request in gateway.requests("GET")
        if request.path.startswith("/charges/")
    ]
    assert len(asked) >= 3
    gateway.turn("00001", status="successful")
    gateway.turn("00002", status="failed", failure_code="payment_rejected")
    gateway.turn("00003", status="expired")
    gateway.turn("00004", status="reversed")
    assert night.quietly().returncode == 10
    night.right()
    assert night.outcomes() == {
        "succeeded": 2,
        "declined": 1,
        "expired": 1,
        "reversed": 1,
    }


@pytest.mark.fault("B36", "I11")
def test_a_slow_day_goes_by_concurrency(night: Stage, gateway: Adversary) -> None:
    """Most answers take a while, some very long: never more on the way than agreed, and not one at
    a time either.
    """
    dice = random.Random(36)
    slow = {
        number: 0.8 if dice.random() < 0.05 else 0.05 + dice.random() / 10
        for number in range(60)
    }
    gateway.rule = lambda request: (
        Fate(before_s=slow[int(request.order_id)]) if request.order_id else None
    )
    night.orders([order(number) for number in range(60)])
    assert night.run("--summary").returncode == 0
    spans = [(r.at, r.at + slow[int(r.order_id)]) for r in gateway.requests("POST")]
    under_way = [sum(begin <= at < end for begin, end in spans) for at, _ in spans]
    assert 2 <= max(under_way) <= CONCURRENCY
    night.right()
