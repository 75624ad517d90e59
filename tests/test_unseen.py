"""A run, or a settle, that could not look at the gateway did not end well, though nothing is open;
and what waits beside a charge that is gone says what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside
AWAY: dict[str, tuple[dict[str, Any], int]] = {
    "its list fails": ({"path": "/charges", "status": 500}, 75),
    "its list is none": ({"path": "/charges", "body": {"object": "x"}}, 75),
    "nobody tells whose the key is": ({"path": "/account", "status": 500}, 69),
    "it answers nothing but errors": ({"path": "*", "status": 503}, 69),
    "the key is refused": ({"path": "/charges", "status": 401}, 77),
}


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


@pytest.mark.fault("J24", "I13")
@pytest.mark.parametrize("away", AWAY)
def test_who_could_not_look_says_so_though_nothing_is_open(
    market: Market, away: str
) -> None:
    """Without a terminal, too: the code is not 0, and a sentence tells why. Once the gateway tells
    again all is well again, without a word.
    """
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    rule, code = AWAY[away]
    market.sandbox.add_rule(method="GET", **rule)
    for verb in ("settle", "run"):
        ended = market.run(verb=verb)
        assert (ended.returncode, f"exit {code}" in ended.stdout) == (code, True)
        assert ended.stderr.startswith("batchpay: the gateway")
        if code == 75:
            assert "nothing is known of what became of them since" in ended.stderr
    market.sandbox.clear_rules()
    for verb in ("settle", "run"):
        ended = market.run(verb=verb)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.fault("J04", "J27")
def test_what_waits_beside_a_charge_that_is_gone_says_what_ends_it(
    market: Market,
) -> None:
    """It was asked for before; no later run sends it, and none is said to, before a person has said
    what became of the other order.
    """
    market.job()
    pays_later = order(3, card="tokn_test_sandbox3ds0003")
    market.orders([order(1), pays_later, order(4)])
    market.sandbox.add_rule(
        method="POST",
        path="/charges",
        order_id="00004",
        status=401,
        commit="never",
        code="authentication_failure",
    )
    assert market.run().returncode == 77
    market.sandbox.clear_rules()
    market.sandbox.turn(order_id="00003", becomes="forgotten")
    for _ in range(2):
        assert market.run().returncode == 11
        waits = {row["order_id"]: row for row in market.results()}["00004"]
        assert (waits["outcome"], waits["who_acts"]) == ("held", "a person")
        assert "a person sees to order 00003 first" in waits["reason"]
        assert "a person sees to order 00003 first" in market.run(verb="status").stdout
    word = ("--as", "not-charged", "--reason", "nobody paid", "00003")
    said = market.run(*word, verb="resolve")
    assert said.returncode == 0, said.stderr
    market.run()
    assert market.money() == {"00001": 1, "00004": 1}


@pytest.mark.fault("J04", "J27", "J05")
def test_what_a_person_accepted_and_is_gone_hides_nothing(market: Market) -> None:
    """It was pending with another amount, and taken so: once its stop is lifted, what waits beside
    it waits for a run alone, and goes.
    """
    market.job()
    pays_later = order(3, card="tokn_test_sandbox3ds0003")
    market.orders([order(1), order(4), pays_later])
    market.sandbox.add_rule(order_id="00003", change={"amount": 20125})
    market.sandbox.add_rule(action="rate_limited", order_id="00004")
    assert market.run().returncode == 12
    (gone,) = (
        charge["id"]
        for charge in market.own_charges()
        if charge["metadata"]["order_id"] == "00003"
    )
    for ledger in market.sandbox.store.ledgers.values():
        ledger.shelves["charge"][gone].amount = 20125
    say(market, "00003", "--as", f"charged:{gone}")
    say(market, "--lift-stop")
    market.sandbox.clear_rules()
    market.sandbox.turn(order_id="00003", becomes="forgotten")
    assert market.run("--limit", "0").returncode == 12
    say(market, "--lift-stop")
    market.run("--limit", "0")
    rows = {row["order_id"]: row for row in market.results()}
    assert "accepted by" in rows["00003"]["reason"]
    waits = rows["00004"]
    assert (waits["outcome"], waits["who_acts"]) == ("held", "next run"), waits
    assert "a person sees to" not in waits["reason"]
    assert market.run().returncode == 10
    assert market.money() == {"00001": 1, "00004": 1}


def say(market: Market, *words: str) -> None:
    """A person's word."""
    said = market.run(*words, "--reason", "taken so", verb="resolve")
    assert said.returncode == 0, said.stderr
