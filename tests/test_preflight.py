"""Recipients that cannot be paid are found before anybody is charged for them."""

from __future__ import annotations

import httpx
import pytest

from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside


def asked_about(market: Market) -> list[str]:
    """The recipients that were asked about, in order."""
    asked = [entry.path for entry in market.sandbox.requests("GET")]
    return [
        path.removeprefix("/recipients/")
        for path in asked
        if path.startswith("/recipients/")
    ]


def test_an_unverified_recipients_orders_are_held_until_it_is_verified(
    market: Market,
) -> None:
    """Not one charge goes to it; when it is verified the next run sends."""
    market.orders(
        [order(1), order(2, recipient="recp_test_sandboxunverified"), order(3)]
    )
    market.job()
    assert market.run().returncode == 11
    rows = {row["order_id"]: row for row in market.results()}
    assert [rows[i]["outcome"] for i in ("00001", "00002", "00003")] == [
        "succeeded",
        "held",
        "succeeded",
    ]
    assert "recp_test_sandboxunverified is not verified" in rows["00002"]["reason"]
    assert market.posts() == 2
    assert sorted(asked_about(market)) == [
        "recp_test_sandbox1",
        "recp_test_sandbox3",
        "recp_test_sandboxunverified",
    ]
    url = f"{market.sandbox.url}/recipients/recp_test_sandboxunverified/verify"
    assert httpx.post(url, auth=(KEY, ""), trust_env=False).status_code == 200
    assert market.run().returncode == 0
    market.agree()


@pytest.mark.parametrize(
    "rule",
    [
        {"status": 404, "body": "no such page"},
        {"status": 500, "body": ""},
        {"status": 403, "body": "{}"},
        {"reply": "reset"},
        {"body": "[]"},
    ],
)
def test_a_gateway_that_tells_of_no_recipient_bars_nobody(
    market: Market, rule: dict[str, object]
) -> None:
    """Each is asked about, once; no trouble with that stops a run."""
    market.orders(
        [order(number, recipient=f"recp_test_sandbox{number}") for number in range(30)]
    )
    market.job()
    market.sandbox.add_rule({"method": "GET", "path": "/recipients/*", **rule})
    result = market.run()
    assert result.returncode == 0, result.stderr
    assert len(asked_about(market)) == len(set(asked_about(market))) == 30
    market.agree()


@pytest.mark.fault("J23")
def test_what_is_wrong_with_each_recipient_is_told_apart(market: Market) -> None:
    """Absent, unverified and inactive ones, however many there are: held, the engineer acts; the
    others are paid.
    """
    names = [
        "recp_test_sandboxunverified",
        "recp_test_nobody000000001",
        "recp_test_nobody000000002",
        "recp_test_nobody000000003",
        "recp_test_sandbox1",
    ]
    market.orders([order(number, recipient=name) for number, name in enumerate(names)])
    market.job()
    assert market.run().returncode == 11
    rows = market.results()
    assert [row["outcome"] for row in rows] == ["held"] * 4 + ["succeeded"]
    assert [row["who_acts"] for row in rows] == ["engineer"] * 4 + ["-"]
    assert "is not verified" in rows[0]["reason"] and all(
        "does not exist" in row["reason"] for row in rows[1:4]
    )
    assert market.posts() == 1


@pytest.mark.fault("J13", "J35")
def test_a_recipient_that_waits_stays_so_while_other_files_run(market: Market) -> None:
    """Only what a run may send is asked about; what was told of the others stands."""
    market.orders([order(1, recipient="recp_test_sandboxunverified")])
    market.orders([order(2)], "other.csv")
    market.job()
    assert market.run().returncode == 11
    before = len(asked_about(market))
    assert market.run("--input", "other.csv").returncode == 11
    (row,) = [row for row in market.results() if row["order_id"] == "00001"]
    assert (row["outcome"], row["who_acts"]) == (
        "held",
        "engineer",
    ) and "is not verified" in row["reason"]
    assert asked_about(market)[before:] == ["recp_test_sandbox2"]


@pytest.mark.fault("J29")
def test_a_share_too_small_to_be_transferred_is_held_unless_the_job_says_send(
    market: Market,
) -> None:
    """A plan that asks says the same; nothing of it is charged."""
    market.orders([order(1, amount="29.99"), order(2, amount="30.00")])
    market.job()
    told = market.run("--preflight", verb="plan")
    assert told.returncode == 11 and "would charge 1 order" in told.stdout
    assert market.run().returncode == 11
    held, sent = market.results()
    assert (held["outcome"], held["who_acts"], sent["outcome"]) == (
        "held",
        "accountant",
        "succeeded",
    )
    assert (
        "share would be 29.99 THB, the gateway's smallest transfer is 30.00"
        in held["reason"]
    )
    market.job(more='[controls]\nmin_share = "send"')
    assert market.run().returncode == 0
    assert market.posts() == 2
    market.orders([order(3, amount="5.00")], "less.csv")
    assert market.run("--input", "less.csv").returncode == 10, (
        "no setting makes a charge of that"
    )
    assert market.posts() == 2


@pytest.mark.fault("H04")
def test_a_limit_of_the_run_counts_recipients_that_wait(market: Market) -> None:
    """They may be verified by the time they are asked about: the plan is refused whole before
    that.
    """
    market.orders([order(1), order(2, recipient="recp_test_sandboxunverified")])
    market.job()
    assert market.run("--limit", "0").returncode == 11
    assert market.posts() == 0
    market.job(more='[controls]\nmax_total = { THB = "150.00" }')
    assert market.run().returncode == 65
    assert market.posts() == 0


def test_nothing_to_send_asks_nobody(market: Market) -> None:
    """The same file again costs a look at the account, two lists with their youngest charge, and
    one page each of the refunds, events and transfers that follow charges.
    """
    market.orders([order(number) for number in range(4)])
    market.job()
    market.run()
    before = len(market.sandbox.requests("GET"))
    market.run()
    assert len(market.sandbox.requests("GET")) == before + 8


def test_a_plan_asks_only_when_told_to(market: Market) -> None:
    """With --preflight it warns of who cannot be paid; no charge, no journal, and the rate holds
    for the run after.
    """
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


@pytest.mark.fault("J23", "B20", "B02", "B29")
@pytest.mark.parametrize(
    ("how", "code", "why"),
    [
        ("another key", 77, "the gateway refused the secret key (401"),
        ("nobody there", 69, "gave not one answer ("),
        ("a page", 78, "is not the gateway (status 404"),
        ("another mode", 78, "the key is of live mode, the job says test"),
    ],
)
def test_a_plan_that_can_ask_nobody_says_so_and_blames_no_recipient(
    market: Market, how: str, code: int, why: str
) -> None:
    """What would be charged is shown all the same; the run ends as it said."""
    market.orders([order(1), order(2)])
    market.job()
    if how == "another key":
        market.sandbox.accept_keys("skey_test_another000000")
    elif how == "nobody there":
        market.job(url="http://127.0.0.1:9")
    elif how == "a page":
        market.sandbox.add_rule(
            {"method": "GET", "path": "*", "status": 404, "body": "no such page"}
        )
    else:
        of_live = '{"object": "account", "id": "account_live_1", "livemode": true}'
        market.sandbox.add_rule({"method": "GET", "path": "/account", "body": of_live})
    planned = market.run("--preflight", verb="plan")
    assert planned.returncode == code, planned
    assert "would charge 2 orders" in planned.stdout, planned.stdout
    assert planned.stderr.count(why) == 1, planned.stderr
    assert "does not tell of it" not in planned.stderr, planned.stderr
    made = market.run("--preflight", "--json", verb="plan")
    assert made.returncode == code and why in made.stdout, made
    ran = market.run()
    assert ran.returncode == code and why in ran.stderr, ran


@pytest.mark.fault("J23", "B17")
def test_a_plan_asks_nobody_more_where_only_errors_come(market: Market) -> None:
    """A gateway that answers 503 is asked for its account, and for no recipient then; one that
    tells of no recipient is no silent one.
    """
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule({"method": "GET", "path": "/recipients/*", "status": 403})
    planned = market.run("--preflight", verb="plan")
    assert planned.returncode == 0, planned
    assert planned.stderr.count("does not tell of it") == 2, planned.stderr
    before = len(asked_about(market))
    market.sandbox.add_rule({"method": "GET", "path": "*", "status": 503})
    planned = market.run("--preflight", verb="plan")
    assert planned.returncode == 69, planned
    assert "gave not one answer (status 503)" in planned.stderr, planned.stderr
    assert len(asked_about(market)) == before
