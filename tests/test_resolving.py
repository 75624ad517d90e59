"""A person's word: kept with its reason, never against the evidence."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import time
from datetime import UTC, datetime

import httpx
import pytest

from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside

WHY = ("--reason", "asked the bank")


def spent_token(market: Market) -> None:
    """Order 00002 is in doubt for a person: no answer, then used_token."""
    market.orders([order(number) for number in range(4)])
    market.job()
    market.sandbox.add_rule(
        {
            "method": "POST",
            "path": "/charges",
            "order_id": "00002",
            "action": "reset_before",
            "times": 1,
        }
    )
    market.sandbox.add_rule(
        {
            "method": "POST",
            "path": "/charges",
            "order_id": "00002",
            "action": "error_before",
            "status": 400,
            "body": {
                "object": "error",
                "code": "used_token",
                "message": "token was already used",
            },
        }
    )
    assert market.run().returncode == 11
    assert market.outcomes()["in_doubt"] == 1
    market.sandbox.clear_rules()


@pytest.mark.fault("H05", "B25")
def test_an_order_in_doubt_is_settled_as_not_charged(market: Market) -> None:
    """Looked up first; then it is closed, never sent by itself, and may come back in another
    file.
    """
    spent_token(market)
    posts = market.posts()
    said = market.run("00002", "--as", "not-charged", *WHY, verb="resolve")
    assert said.returncode == 0, said.stderr
    (row,) = [row for row in market.results() if row["order_id"] == "00002"]
    assert (row["outcome"], row["error_code"]) == ("refused", "not_charged")
    assert re.match(
        r"not_charged; correct it .*; settled by \S+ on 20\S+Z: asked the bank",
        row["reason"],
    ), row["reason"]
    assert market.run().returncode == 10
    assert market.posts() == posts
    market.orders([order(2, card="tokn_test_sandbox777774242")], "again.csv")
    assert market.run("--input", "again.csv").returncode == 0
    market.agree()


@pytest.mark.fault("H05")
def test_a_word_against_the_evidence_is_refused(market: Market) -> None:
    """No such charge, another order's charge, a charge that exists, a doubt that is too young."""
    spent_token(market)
    ids = {
        charge["metadata"]["order_id"]: charge["id"]
        for charge in market.sandbox.charges()
    }
    refused = market.run(
        "00002", "--as", "charged:chrg_test_nothing", *WHY, verb="resolve"
    )
    assert refused.returncode == 64 and "knows no charge" in refused.stderr
    refused = market.run(
        "00002", "--as", f"charged:{ids['00001']}", *WHY, verb="resolve"
    )
    assert refused.returncode == 12 and "is the charge of order 00001" in refused.stderr
    assert (
        market.run("00001", "--as", "not-charged", *WHY, verb="resolve").returncode
        == 64
    )
    assert (
        market.run("99", "--as", "not-charged", *WHY, verb="resolve").returncode == 64
    )
    assert market.outcomes()["in_doubt"] == 1


@pytest.mark.fault("H05")
def test_inside_the_doubt_period_nobody_can_say_not_charged(market: Market) -> None:
    """75, and what the gateway then shows wins."""
    market.orders([order(1)])
    market.job(doubt="60s", timeout="20s")
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "action": "hang_after"}
    )
    with market.start("run", "job.toml") as process:
        while not market.posts():
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
    market.sandbox.clear_rules()
    told_of_it = market.run("00001", verb="status").stdout
    assert "the next run, or batchpay settle job.toml" in told_of_it, told_of_it
    assert "([gateway] doubt_period, 60 s)" in told_of_it
    assert "--as not-charged --reason 'your reason' 00001; if it has one" in told_of_it
    early = market.run("00001", "--as", "not-charged", *WHY, verb="resolve")
    assert early.returncode == 75 and "doubt period" in early.stderr
    (charge,) = market.sandbox.charges()
    said = market.run("00001", "--as", f"charged:{charge['id']}", *WHY, verb="resolve")
    assert said.returncode == 0, said.stderr
    assert market.outcomes() == {"succeeded": 1}
    assert re.match(
        r"settled by \S+ on 20\S+Z: asked the bank", market.results()[0]["reason"]
    )
    market.agree()


def test_settle_says_that_it_learned_nothing_where_run_says_that_it_sends_nothing(
    market: Market,
) -> None:
    """It never sends anything; what keeps its look back is named, the second time, too."""
    market.orders([order(1)])
    market.job(doubt="1s", timeout="1s")
    market.sandbox.add_rule(method="POST", path="/charges", action="hang_after")
    with market.start("run", "job.toml") as process:
        while not market.posts():
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
    market.sandbox.clear_rules()
    market.sandbox.add_rule(
        method="GET", path="/charges*", status=503, body={"object": "error"}
    )
    for _ in range(2):
        done = market.run(verb="settle")
    assert "nothing was learned of what is open: the gateway answers" in done.stdout
    assert "nothing is sent" not in done.stdout
    assert market.run().returncode == 11
    assert "nothing is sent, as before: " in market.run().stdout


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
    assert "asked the bank" in next(
        row["reason"] for row in market.results() if row["order_id"] == "00003"
    )


@pytest.mark.fault("B31")
def test_a_lifted_stop_lets_the_next_run_send(market: Market) -> None:
    """With a reason that the journal keeps; without a stop there is nothing to lift."""
    market.orders([order(number) for number in range(30)])
    market.job(rate="20/s")
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 64
    market.sandbox.add_rule(
        {
            "method": "POST",
            "path": "/charges",
            "order_id": "00002",
            "drop": ["destination"],
        }
    )
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
    for words in (
        [],
        ["1", "--cancel", "--lift-stop", *WHY],
        ["1", "--as", "paid", *WHY],
        ["1", "--cancel"],
        ["1", "--as", "not-charged", "--row", "2", *WHY],
        ["1", "--cancel", "--sheet", "x", *WHY],
        ["1", "--cancel", "--row", "2", *WHY],
    ):
        assert market.run(*words, verb="resolve").returncode == 64, words


# --- which charge is an order's

DAY = datetime.now(UTC).strftime("%Y-%m-%d")


def told(market: Market, order_id: str) -> dict[str, str]:
    """The newest row of an order."""
    return next(
        row for row in reversed(market.results()) if row["order_id"] == order_id
    )


def resolve(
    market: Market, order_id: str, word: str
) -> subprocess.CompletedProcess[str]:
    """A person's word."""
    return market.run(order_id, "--as", word, *WHY, verb="resolve")


def audit(market: Market) -> tuple[int, list[str], bool]:
    """Exit code, kinds of difference, and whether the two sums agree."""
    done = market.run(
        "--from",
        DAY,
        "--to",
        datetime.now(UTC).strftime("%Y-%m-%d"),
        "--json",
        verb="audit",
    )
    found = json.loads(done.stdout)
    return (
        done.returncode,
        [one["kind"] for one in found["differences"]],
        found["journal"] == found["gateway"],
    )


def charge_ids(market: Market, order_id: str = "") -> list[str]:
    """The charges of an order at the gateway, as it knows them, oldest first."""
    return [
        c["id"]
        for c in market.sandbox.charges()
        if order_id in ("", c["metadata"].get("order_id"))
    ]


@pytest.mark.fault("H05", "J11", "B25")
@pytest.mark.parametrize(
    ("lost", "disowned"),
    [
        (["metadata"], False),
        (["metadata"], True),
        (["metadata.batchpay_key", "metadata.batchpay_job"], False),
    ],
)
def test_a_charge_that_names_nobody_is_evidence_and_may_be_said_to_be_it(
    market: Market, lost: list[str], disowned: bool
) -> None:
    """`not-charged` is refused beside it, and says which it is; `charged` keeps it, unproven and
    accepted. `disowned`: it was said before to be none of this job's; the later word is taken.
    """
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule(action="reset_after", order_id="00001")
    market.sandbox.add_rule(method="GET", path="/charges*", order_id="00001", drop=lost)
    assert market.run().returncode == 11
    (mine,) = charge_ids(market, "00001")
    while (refused := resolve(market, "00001", "not-charged")).returncode == 75:
        # the doubt period ends, to the second
        assert "may yet arrive" in refused.stderr
        time.sleep(0.2)
    assert (
        refused.returncode == 12
        and mine in refused.stderr
        and "--not-ours" in refused.stderr
    )
    assert told(market, "00001")["outcome"] == "in_doubt"
    assert (
        "is the charge of"
        in resolve(market, "00001", f"charged:{charge_ids(market, '00002')[0]}").stderr
    )
    if disowned:
        done = market.run("--not-ours", mine, *WHY, verb="resolve")
        assert done.returncode == 0, done.stderr
    done = resolve(market, "00001", f"charged:{mine}")
    assert done.returncode == 0, done.stderr
    row = told(market, "00001")
    assert (row["outcome"], row["charge_id"], row["who_acts"]) == (
        "unproven",
        mine,
        "-",
    )
    assert int(row["charged_amount"]) == 10125 and "asked the bank" in row["reason"]
    market.orders([order(1)], "again.csv")
    posts = market.posts()
    assert market.run("--input", "again.csv").returncode == 10
    assert market.posts() == posts and market.money()["00001"] == 1


@pytest.mark.fault("H05")
def test_a_charge_without_a_key_and_with_other_terms_is_nobodys(market: Market) -> None:
    """Amount, currency, recipient and mode must fit before a person can say that it is this
    order's.
    """
    market.orders([order(1)])
    market.job(timeout="1s", doubt="30s")
    by_hand = {
        "amount": "5000",
        "currency": "thb",
        "card": "tokn_test_sandboxbyhand4242",
    }
    httpx.post(
        f"{market.sandbox.url}/charges", data=by_hand, auth=(KEY, ""), trust_env=False
    ).raise_for_status()
    unanswered = market.sandbox.add_rule(action="reset_before", order_id="00001")
    with market.start("run", "job.toml", "--grace", "0") as process:
        while not unanswered.applied:
            time.sleep(0.01)
        process.terminate()  # the doubt is left to the next run
    assert market.outcomes() == {"in_doubt": 1}
    (other,) = charge_ids(market)
    refused = resolve(market, "00001", f"charged:{other}")
    assert refused.returncode in (12, 64) and "settled" not in refused.stdout


@pytest.mark.fault("B31", "I2", "J04")
def test_of_two_charges_under_one_key_the_one_that_took_money_is_reported(
    market: Market,
) -> None:
    """Whichever came first: its row, its sums, the audit; the twin is named, and a person may say
    that it is known.
    """
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule(action="double", order_id="00001", becomes="pending")
    assert market.run().returncode == 12
    first, second = charge_ids(market, "00001")
    market.sandbox.turn("failed", charge_id=first)
    market.sandbox.turn("successful", charge_id=second)
    assert market.run().returncode == 12
    row = told(market, "00001")
    assert (row["outcome"], row["charge_id"], row["charged_amount"]) == (
        "succeeded",
        second,
        "10125",
    )
    assert row["who_acts"] == "a person" and f"{first} is failed" in row["reason"]
    assert not list((market.folder / "reports").glob("*/rejects*"))
    (report,) = market.reports()
    assert report["currencies"][0]["charged_minor"] == 10125
    code, kinds, agree = audit(market)
    assert code == 12 and "other-charge" in kinds and agree
    assert resolve(market, "00001", f"charged:{first}").returncode == 12
    assert resolve(market, "00001", f"charged:{second}").returncode == 0
    assert told(market, "00001")["who_acts"] == "-"
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    assert market.run().returncode == 0
    market.orders([order(1, amount="90.00")], "again.csv")
    assert market.run("--input", "again.csv").returncode == 10
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("B31", "J04")
def test_an_order_whose_charges_under_one_key_all_ended_without_money_may_come_back(
    market: Market,
) -> None:
    """Nothing waits for a charge that took nothing; before the next attempt each is read by its
    id.
    """
    market.orders([order(1, card="tokn_test_sandbox000010011")])
    market.job()
    market.sandbox.add_rule(action="double", order_id="00001")
    assert market.run().returncode == 12
    assert told(market, "00001")["outcome"] == "declined"
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    market.sandbox.clear_rules()
    market.orders([order(1)], "again.csv")
    assert market.run("--input", "again.csv").returncode == 0
    assert market.money() == {"00001": 1}


@pytest.mark.fault("J11", "H05", "I2")
def test_a_charge_answered_for_two_orders_is_counted_once_and_a_person_ends_it(
    market: Market,
) -> None:
    """The stop is written once; what is another order's is no money of this one; its own is looked
    for by its key.
    """
    market.orders([order(1), order(2), order(3)])
    market.job()
    assert market.run("--limit", "1").returncode == 11
    url = f"{market.sandbox.url}/charges/{charge_ids(market)[0]}"
    first = httpx.get(url, auth=(KEY, ""), trust_env=False).json()
    market.sandbox.add_rule(order_id="00002", commit="never", body=first)
    assert market.run().returncode == 12
    row = told(market, "00002")
    assert (row["outcome"], row["charged_amount"], row["fee"]) == ("unproven", "", "")
    (report,) = market.reports()
    assert report["currencies"][0]["charged_minor"] == sum(
        c["amount"] for c in market.sandbox.charges()
    )
    market.sandbox.clear_rules()
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    assert market.run().returncode == 12
    # no new stop for what was told
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 64
    time.sleep(0.7)
    assert resolve(market, "00002", "not-charged").returncode == 0
    assert market.run().returncode == 10
    assert market.money()["00001"] == 1 and audit(market)[2]


@pytest.mark.fault("J15", "B15", "I2")
def test_a_charge_that_failed_took_no_money_whatever_else_is_wrong_with_it(
    market: Market,
) -> None:
    """Answered to our own request: its status beats its flaws, and no money column says
    otherwise.
    """
    market.orders([order(1, card="tokn_test_sandbox000010011")])
    market.job()
    market.sandbox.add_rule(order_id="00001", drop=["metadata"])
    assert market.run().returncode == 10
    row = told(market, "00001")
    assert (row["outcome"], row["charged_amount"], row["fee"]) == ("declined", "", "")
    assert resolve(market, "00001", "not-charged").returncode == 64
    market.sandbox.clear_rules()
    market.orders([order(1)], "again.csv")
    assert market.run("--input", "again.csv").returncode == 0
    assert market.money() == {"00001": 1}


@pytest.mark.fault("J15", "I14")
def test_what_a_person_accepted_counts_as_10_everywhere_and_is_bound_to_what_it_was(
    market: Market,
) -> None:
    """run, settle, status, report; with its file gone too. Another amount later is another thing to
    accept.
    """
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", change={"amount": 9000}
    )
    assert market.run().returncode == 12
    (mine,) = charge_ids(market, "00001")
    assert resolve(market, "00001", f"charged:{mine}").returncode == 0
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    (report,) = market.reports()
    assert all(equation["closes"] for equation in report["equations"]), report[
        "equations"
    ]
    codes = [
        market.run(verb=verb).returncode
        for verb in ("run", "settle", "status", "report")
    ]
    assert codes == [10, 10, 10, 10]
    market.orders([order(2)], "other.csv")
    assert market.run("--input", "other.csv").returncode == 10
    market.sandbox.clear_rules()
    market.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", change={"amount": 99999}
    )
    done = market.run()
    assert done.returncode == 12 and "999.99 THB" in done.stdout
    assert "accepted" not in told(market, "00001")["reason"]


@pytest.mark.fault("J32", "H05")
def test_an_adopted_charge_of_no_file_here_can_be_accepted(market: Market) -> None:
    """An unproven stray is no 12 any more once a person took note of it."""
    market.orders([order(1)])
    market.job()
    assert market.run().returncode == 0
    for path in (market.folder / "state").iterdir():
        path.unlink()
    market.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", null=["chain"]
    )
    market.orders([order(2)])
    assert market.run("--adopt").returncode == 12
    (mine,) = charge_ids(market, "00001")
    assert resolve(market, "00001", f"charged:{mine}").returncode == 0
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    assert (market.run().returncode, market.run(verb="status").returncode) == (10, 10)
    assert market.posts() == 2


@pytest.mark.fault("J04", "J13", "J14")
@pytest.mark.parametrize("answer", [{"status": 503, "body": ""}, {"body": "null"}])
def test_a_next_attempt_that_an_earlier_charge_holds_back_says_so(
    market: Market, answer: dict[str, object]
) -> None:
    """The charge that proved the first attempt cannot be read: nothing is sent, and the row says
    why and who acts.
    """
    market.orders([order(1, card="tokn_test_sandbox000010011")])
    market.job()
    assert market.run().returncode == 10
    market.sandbox.add_rule({"method": "GET", "path": "/charges/*", **answer})
    market.orders([order(1)], "again.csv")
    assert market.run("--input", "again.csv").returncode == 11
    row = told(market, "00001")
    (mine,) = charge_ids(market, "00001")
    held = next(r for r in market.results() if r["outcome"] == "held")
    assert (
        mine in held["reason"] and "resolve job.toml --as not-charged" in held["reason"]
    ), row
    if answer["body"] == "null":
        assert resolve(market, "00001", "not-charged").returncode == 0
    else:
        assert resolve(market, "00001", "not-charged").returncode == 69
        market.sandbox.clear_rules()
    assert market.run("--input", "again.csv").returncode == 0
    assert market.money() == {"00001": 1}


@pytest.mark.fault("J11", "J27")
def test_a_word_is_taken_although_another_charge_is_gone_for_good(
    market: Market,
) -> None:
    """A list that lacks a charge proves nothing; where its id is not known either it is a stop, and
    a person ends both.
    """
    market.orders([order(1), order(2, card="tokn_test_sandbox000020011")])
    market.job()
    assert market.run().returncode == 10
    market.sandbox.add_rule(
        method="GET", path="/charges/*", status=404, code="not_found", message="x"
    )
    market.orders([order(2)], "again.csv")
    assert market.run("--input", "again.csv").returncode == 11
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="*"
    )
    time.sleep(1.7)
    refused = resolve(market, "00002", "not-charged")
    assert refused.returncode == 12 and "order 00001: " in refused.stderr, refused
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    assert resolve(market, "00002", "not-charged").returncode == 0


@pytest.mark.fault("J27")
def test_a_charge_that_was_not_known_and_is_known_again_says_so(market: Market) -> None:
    """The row no longer says that the gateway does not know it."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    assert market.run().returncode == 11
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00001"
    )
    market.sandbox.add_rule(
        method="GET", path="/charges/*", status=404, code="not_found", message="x"
    )
    time.sleep(0.7)
    market.run()
    assert "no longer knows" in told(market, "00001")["reason"]
    market.sandbox.clear_rules()
    assert market.run().returncode == 11
    assert "will decide" in told(market, "00001")["reason"]


@pytest.mark.fault("J15", "I8", "L10")
@pytest.mark.parametrize("lost", [["destination"], ["metadata"]])
def test_what_a_person_accepted_and_is_reversed_then_needs_nobody(
    market: Market, lost: list[str]
) -> None:
    """No stop about the same again; a charge that takes its money once more is a new one."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(path="/charges*", order_id="00001", drop=lost)
    market.sandbox.add_rule(method="GET", path="/charges*", order_id="00001", drop=lost)
    assert market.run().returncode == 12
    (mine,) = charge_ids(market)
    assert resolve(market, "00001", f"charged:{mine}").returncode == 0
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    assert market.run().returncode == 10
    market.sandbox.turn("reversed", charge_id=mine)
    assert market.run().returncode == 10
    assert told(market, "00001")["outcome"] == "reversed"
    (report,) = market.reports()
    assert not report["stop"] and market.run().returncode == 10
    if lost == ["destination"]:  # lists show whose it is
        market.sandbox.turn("successful", charge_id=mine)
        assert market.run().returncode == 12


@pytest.mark.fault("B31", "L10")
def test_a_stop_names_each_charge_once(market: Market) -> None:
    """A third charge under the key came later: the stop about two of them says no more."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(action="double", order_id="00001")
    assert market.run().returncode == 12
    first = market.own_charges()[0]
    third = {
        "amount": "10125",
        "currency": "thb",
        "card": "tokn_test_sandboxthird4242",
        "destination": "recp_test_sandbox1",
        **{f"metadata[{name}]": value for name, value in first["metadata"].items()},
    }
    market.sandbox.clear_rules()
    httpx.post(
        f"{market.sandbox.url}/charges", data=third, auth=(KEY, ""), trust_env=False
    )
    assert market.run().returncode == 12
    (report,) = market.reports()
    ids = charge_ids(market, "00001")
    assert len(ids) == 3 and [report["stop"].count(one) for one in ids] == [1, 1, 1]
    assert market.run("--lift-stop", *WHY, verb="resolve").returncode == 0
    (report,) = market.reports()
    assert [lift["stop"].count(ids[0]) for lift in report["lifted"]] == [1]


@pytest.mark.fault("I10")
def test_a_row_that_another_file_settled_says_so_before_anybody_asks(
    market: Market,
) -> None:
    """The older batch's report is written anew: `report` writes the same bytes afterwards."""
    market.orders([order(1, card="tokn_test_sandbox000010011"), order(2, amount="1x")])
    market.job()
    assert market.run().returncode == 10
    (path,) = (market.folder / "reports").glob("*/rejects.csv")
    text = path.read_text("utf-8-sig").replace(
        "tokn_test_sandbox000010011", "tokn_test_sandbox774242"
    )
    (market.folder / "back.csv").write_text(text.replace("1x", "77.00"), "utf-8")
    time.sleep(1.1)
    assert market.run("--input", "back.csv").returncode == 0
    old = [row for row in market.results() if row["file"] == "orders.csv"]
    assert all(row["settled_by"] for row in old), old
    files = [
        p for p in (market.folder / "reports").glob("*/*") if p.name != "manifest.json"
    ]
    before = {path: path.read_bytes() for path in files}
    market.run(verb="report")
    assert {path: path.read_bytes() for path in files} == before
