"""Recipients that cannot be paid are found before anybody is charged for them."""

from __future__ import annotations

import httpx
import pytest

from tests.world import KEY, Market, order


def test_an_unverified_recipients_orders_are_held_until_it_is_verified(market: Market) -> None:
    """Not one charge goes to it; when it is verified the next run sends."""
    market.orders([order(1), order(2, recipient="recp_test_sandboxunverified"), order(3)])
    market.job()
    assert market.run().returncode == 11
    rows = {row["order_id"]: row for row in market.results()}
    assert [rows[i]["outcome"] for i in ("00001", "00002", "00003")] == ["succeeded", "held", "succeeded"]
    assert "recp_test_sandboxunverified is not verified" in rows["00002"]["reason"]
    assert market.posts() == 2
    asked = [entry.path for entry in market.sandbox.requests("GET") if entry.path.startswith("/recipients/")]
    assert sorted(asked) == ["/recipients/recp_test_sandbox1", "/recipients/recp_test_sandbox3",
                             "/recipients/recp_test_sandboxunverified"]  # fmt: skip
    url = f"{market.sandbox.url}/recipients/recp_test_sandboxunverified/verify"
    assert httpx.post(url, auth=(KEY, ""), trust_env=False).status_code == 200
    assert market.run().returncode == 0
    market.agree()


@pytest.mark.parametrize(
    "rule",
    [{"status": 404, "body": "no such page"}, {"status": 500, "body": ""}, {"status": 403, "body": "{}"},
     {"reply": "reset"}, {"body": "[]"}],
)  # fmt: skip
def test_a_gateway_that_tells_of_no_recipient_bars_nobody(market: Market, rule: dict[str, object]) -> None:
    """It is asked a few times and then left alone; no trouble with that stops a run."""
    market.orders([order(number, recipient=f"recp_test_sandbox{number}") for number in range(30)])
    market.job()
    market.sandbox.add_rule({"method": "GET", "path": "/recipients/*", **rule})
    result = market.run()
    assert result.returncode == 0, result.stderr
    asked = [entry for entry in market.sandbox.requests("GET") if entry.path.startswith("/recipients/")]
    assert len(asked) <= 8
    market.agree()


def test_nothing_to_send_asks_nobody(market: Market) -> None:
    """The same file again costs two lists and no more."""
    market.orders([order(number) for number in range(4)])
    market.job()
    market.run()
    before = len(market.sandbox.requests("GET"))
    market.run()
    assert len(market.sandbox.requests("GET")) == before + 2


def test_a_plan_asks_only_when_told_to(market: Market) -> None:
    """With --preflight it warns of who cannot be paid; no charge, no journal, and the rate holds for the run after."""
    market.orders([order(1), order(2, recipient="recp_test_sandboxunverified")])
    market.job(rate="3/s")
    assert "not verified" not in market.run(verb="plan").stderr
    assert market.sandbox.requests() == []
    planned = market.run("--preflight", verb="plan")
    assert "recp_test_sandboxunverified is not verified" in planned.stderr
    assert not (market.folder / "state" / "batchpay.db").exists()
    market.run()
    times = sorted(entry.at for entry in market.sandbox.requests())
    assert max(sum(1 for other in times if at <= other < at + 1.0) for at in times) <= 3
