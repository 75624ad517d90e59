"""Answers that contradict what was asked: a stop, 12 (or 70), and nothing more is sent, in this run
and the next.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adversary import Adversary, Fate, Request, error, http
from tests.doses import SWEEP
from tests.faults.stage import Stage
from tests.world import order

ORDERS, BAD = 40, "00003"
ROUND = 4  # requests that may be on their way when the stop comes


def stopped(night: Stage, code: int = 12, rate: int = 40, after_s: int = 0) -> None:
    """Run, and run again: the stop is there, and stays, and holds the rest back. `after_s`: how
    late it may come.
    """
    night.job(rate=f"{rate}/s")
    night.orders([order(number) for number in range(ORDERS)])
    first = night.run()
    assert first.returncode == code, (first.stdout, first.stderr)
    posts = night.posts()
    assert posts <= int(BAD) + 2 + 2 * ROUND + rate * after_s
    second = night.run()
    assert second.returncode == 12 and "STOP" in second.stdout
    assert night.posts() == posts
    assert night.outcomes()["held"] >= ORDERS - posts


@pytest.mark.fault("B15", "L7", "L10")
def test_answers_exchanged_between_two_requests(
    night: Stage, gateway: Adversary
) -> None:
    """Each proves the other's charge, which is none of its own."""
    gateway.on("00003", Fate(swap=True))
    gateway.on("00004", Fate(swap=True))
    stopped(night)
    night.right()


@pytest.mark.fault("B30", "L7", "L10")
def test_answers_shifted_by_one_on_a_connection(
    night: Stage, gateway: Adversary
) -> None:
    """From the fourth order on, each gets what the one before it on its connection should have
    got.
    """
    before: dict[int, bytes] = {}

    def shifted(request: Request) -> Fate | None:
        def frame(body: bytes) -> bytes:
            mine, before[request.connection] = (
                before.get(request.connection, body),
                body,
            )
            return http(mine)

        return (
            Fate(framed=frame)
            if request.method == "POST" and request.order_id >= BAD
            else None
        )

    gateway.rule = shifted
    stopped(night)
    night.right()


LIES: list[Any] = [
    pytest.param(
        {"change": {"livemode": True, "id": "chrg_5xlive0000000000000"}},
        "B37",
        id="live charge in test mode",
    ),
    pytest.param({"becomes": {"destination": None}}, "B16", id="no destination"),
    pytest.param({"change": {"currency": "USD"}}, "B15", id="another currency"),
    pytest.param({"change": {"amount": 1}}, "B15", id="another amount", marks=SWEEP),
    pytest.param(
        {"change": {"captured_amount": 5000}},
        "B15",
        id="a part of it captured",
        marks=SWEEP,
    ),
    pytest.param(
        {"change": {"destination": "recp_test_other"}},
        "B15",
        id="another recipient",
        marks=SWEEP,
    ),
    pytest.param(
        {"change": {"amount": "10325"}}, "B15", id="amount as text", marks=SWEEP
    ),
    pytest.param(
        {"change": {"amount": 103.25}}, "B15", id="amount as a float", marks=SWEEP
    ),
    pytest.param({"change": {"livemode": None}}, "B15", id="no mode", marks=SWEEP),
    pytest.param({"change": {"metadata": {}}}, "B37", id="no metadata", marks=SWEEP),
    pytest.param(
        {"change": {"id": "../../transfers"}},
        "B37",
        id="no id of a charge",
        marks=SWEEP,
    ),
    pytest.param(
        {"change": {"status": "successful", "paid": False}},
        "B15",
        id="not paid",
        marks=SWEEP,
    ),
    pytest.param({"becomes": {"chain": None}}, "B16", id="no chain", marks=SWEEP),
]


@pytest.mark.fault("B15", "B16", "B37", "L7", "L10")
@pytest.mark.parametrize(("lie", "fault"), LIES)
def test_a_charge_that_is_not_what_was_asked(
    night: Stage, gateway: Adversary, lie: dict[str, Any], fault: str
) -> None:
    """One field differs from the request."""
    gateway.on(BAD, Fate(**lie))
    if lie == {"becomes": {"chain": None}}:
        # it is read once more after five seconds (law L7)
        stopped(night, rate=4, after_s=5)
    else:
        stopped(night)
    night.right()
    # Another id is another charge: then the list shows the true one, as asked, and the stop stays
    # all the same.
    assert night.row(BAD)["outcome"] == (
        "succeeded" if "id" in lie.get("change", {}) else "unproven"
    ), fault


@pytest.mark.fault("B24", "L10")
@pytest.mark.parametrize("status", [409, pytest.param(422, marks=SWEEP)])
def test_a_key_known_with_another_body(
    night: Stage, gateway: Adversary, status: int
) -> None:
    """Our key discipline is broken: 70, and both digests can be found."""
    gateway.on(
        BAD,
        error(
            status,
            "idempotency_key_reused",
            "the Idempotency-Key was used with a different body",
        ),
    )
    stopped(night, code=70)
    # held once two look-ups did not find it
    assert night.row(BAD)["outcome"] in (
        "in_doubt",
        "held",
    )
    (reason,) = (
        json.loads(row[0])["reason"]
        for row in night.read("SELECT data FROM events WHERE kind = 'stop'")
    )
    assert night.row(BAD)["idempotency_key"] in reason
    night.right()


@pytest.mark.fault("B31", "I1", "L10")
def test_two_charges_for_one_key_are_both_written_down(
    night: Stage, gateway: Adversary
) -> None:
    """The gateway charged twice for one request: the judge sees it, and so does the program."""
    night.orders([order(number) for number in range(10)])
    gateway.on(BAD, Fate(commit="twice"))
    for _ in range(2):
        assert night.run().returncode == 12
        assert night.posts() == 10
    (reason,) = (
        json.loads(row[0])["reason"]
        for row in night.read("SELECT data FROM events WHERE kind = 'stop'")
    )
    twins = [
        charge["id"]
        for charge in gateway.charges()
        if charge["metadata"]["order_id"] == BAD
    ]
    assert len(twins) == 2 and all(twin in reason for twin in twins)
    night.right(but=("I1", "I2"))
