"""A person's word: kept with its reason, never against the evidence."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time

import pytest

from tests.world import Market, order

WHY = ("--reason", "asked the bank")


def spent_token(market: Market) -> None:
    """Order 00002 is in doubt for a person: no answer, then used_token."""
    market.orders([order(number) for number in range(4)])
    market.job()
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "order_id": "00002", "action": "reset_before", "times": 1}
    )
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "order_id": "00002", "action": "error_before", "status": 400,
         "body": {"object": "error", "code": "used_token", "message": "token was already used"}}
    )  # fmt: skip
    assert market.run().returncode == 11
    assert market.outcomes()["in_doubt"] == 1
    market.sandbox.clear_rules()


@pytest.mark.fault("H05", "B25")
def test_an_order_in_doubt_is_settled_as_not_charged(market: Market) -> None:
    """Looked up first; then it is closed, never sent by itself, and may come back in another file."""
    spent_token(market)
    posts = market.posts()
    said = market.run("00002", "--as", "not-charged", *WHY, verb="resolve")
    assert said.returncode == 0, said.stderr
    (row,) = [row for row in market.results() if row["order_id"] == "00002"]
    assert (row["outcome"], row["error_code"]) == ("refused", "not_charged")
    assert "asked the bank" in row["reason"]
    assert market.run().returncode == 10
    assert market.posts() == posts
    market.orders([order(2, card="tokn_test_sandbox777774242")], "again.csv")
    assert market.run("--input", "again.csv").returncode == 0
    market.agree()


@pytest.mark.fault("H05")
def test_a_word_against_the_evidence_is_refused(market: Market) -> None:
    """No such charge, another order's charge, a charge that exists, a doubt that is too young."""
    spent_token(market)
    ids = {charge["metadata"]["order_id"]: charge["id"] for charge in market.sandbox.charges()}
    refused = market.run("00002", "--as", "charged:chrg_test_nothing", *WHY, verb="resolve")
    assert refused.returncode == 12 and "knows no charge" in refused.stderr
    refused = market.run("00002", "--as", f"charged:{ids['00001']}", *WHY, verb="resolve")
    assert refused.returncode == 12 and "is the charge of order 00001" in refused.stderr
    assert market.run("00001", "--as", "not-charged", *WHY, verb="resolve").returncode == 64
    assert market.run("99", "--as", "not-charged", *WHY, verb="resolve").returncode == 64
    assert market.outcomes()["in_doubt"] == 1


@pytest.mark.fault("H05")
def test_inside_the_doubt_period_nobody_can_say_not_charged(market: Market) -> None:
    """75, and what the gateway then shows wins."""
    market.orders([order(1)])
    market.job(doubt="60s", timeout="20s")
    market.sandbox.add_rule({"method": "POST", "path": "/charges", "action": "hang_after"})
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how) as process:
        while not market.posts():
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
    market.sandbox.clear_rules()
    early = market.run("00001", "--as", "not-charged", *WHY, verb="resolve")
    assert early.returncode == 75 and "doubt period" in early.stderr
    (charge,) = market.sandbox.charges()
    said = market.run("00001", "--as", f"charged:{charge['id']}", *WHY, verb="resolve")
    assert said.returncode == 0, said.stderr
    assert market.outcomes() == {"succeeded": 1}
    market.agree()


def test_a_held_order_can_be_cancelled_and_no_other(market: Market) -> None:
    """It is never sent, by this file or another."""
    market.orders([order(1), order(2), order(3)])
    market.job()
    assert market.run("--limit", "1").returncode == 11
    assert market.run("00001", "--cancel", *WHY, verb="resolve").returncode == 64
    assert market.run("00009", "--cancel", *WHY, verb="resolve").returncode == 64
    assert market.run("00003", "--cancel", *WHY, verb="resolve").returncode == 0
    assert market.run().returncode == 10
    assert market.outcomes() == {"succeeded": 2, "rejected": 1}
    market.orders([order(3), order(4)], "again.csv")
    assert market.run("--input", "again.csv").returncode == 10
    assert market.posts() == 3
    assert "asked the bank" in next(row["reason"] for row in market.results() if row["order_id"] == "00003")


@pytest.mark.fault("B31")
def test_a_lifted_stop_lets_the_next_run_send(market: Market) -> None:
    """With a reason that the journal keeps; without a stop there is nothing to lift."""
    market.orders([order(number) for number in range(30)])
    market.job(rate="20/s")
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 64
    market.sandbox.add_rule({"method": "POST", "path": "/charges", "order_id": "00002", "drop": ["destination"]})
    assert market.run().returncode == 12
    posts = market.posts()
    assert market.run().returncode == 12
    assert market.posts() == posts < 30
    lifted = market.run("--lift-stop", *WHY, "--json", verb="resolve")
    assert lifted.returncode == 0 and "lifted" in json.loads(lifted.stdout)["settled"]
    market.run()
    assert market.posts() == 30
    raw = sqlite3.connect(market.folder / "state" / "batchpay.db")
    (data,) = raw.execute("SELECT data FROM events WHERE kind = 'lifted'").fetchone()
    raw.close()
    assert json.loads(data)["reason"] == "asked the bank"


def test_resolve_says_what_it_takes(market: Market) -> None:
    """One thing at a time, with a reason."""
    market.orders([order(1)])
    market.job()
    for words in ([], ["1", "--cancel", "--lift-stop", *WHY], ["1", "--as", "paid", *WHY], ["1", "--cancel"]):
        assert market.run(*words, verb="resolve").returncode == 64, words
