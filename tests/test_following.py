"""After the charge: transfers followed to their end, refunds and disputes of earlier nights, on a
budget that is in nobody's way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from batchpay import api
from batchpay.domain.books import Transfer
from batchpay.domain.events import Followed, Intended, line
from batchpay.domain.model import ChargeSeen, Intent, OnItsWay
from batchpay.lifecycle import after
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.sandbox import SandboxServer
from batchpay.settlement import cases, following
from batchpay.settlement.following import Follows, PendingRound
from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside

SCHEMA = json.loads(
    (Path(__file__).parents[1] / "schemas/report.schema.json").read_text()
)
DAY_NS = 86_400 * 10**9


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield MARKET(tmp_path, sandbox)


def turn(market: Market, order_id: str, becomes: str) -> None:
    """What happens at the gateway to an order's charge, or its transfer, while nobody looks."""
    told = {"order_id": order_id, "becomes": becomes}
    answer = httpx.post(
        f"{market.sandbox.url}/__sandbox/turn", json=told, trust_env=False
    )
    assert answer.json()["turned"], answer.text


def rows(market: Market) -> dict[str, dict[str, str]]:
    """Order id -> its row of results.csv."""
    return {row["order_id"]: row for row in market.results()}


def report(market: Market) -> Any:
    """The one report.json, as its schema wants it."""
    (told,) = market.reports()
    jsonschema.validate(told, SCHEMA)
    return told


def asked(market: Market, since: int) -> list[str]:
    """What was asked of the gateway beyond charges, after so many requests."""
    about = ("/chains", "/transfers", "/events", "/refunds")
    later = market.sandbox.requests()[since:]
    return [f"{one.method} {one.path}" for one in later if one.path.startswith(about)]


# --- transfers


def test_a_share_is_found_in_the_night_and_followed_to_its_end(market: Market) -> None:
    """Two lists tell of all; charge less commission is the transfer, less its fee what the bank
    gets; the batch is final when the last has arrived.
    """
    forms = '[report]\nformats = ["csv", "json", "html"]\n'
    market.job(more='[fee]\nfixed = { THB = 500 }\npercentage = "10"\n' + forms)
    market.orders([order(n) for n in (1, 2, 3)])
    assert market.run().returncode == 0
    assert asked(market, 0) == ["GET /chains", "GET /transfers"]
    first = rows(market)["00001"]
    share = 10125 - 500 - 1013
    assert (
        first["transfer_id"].startswith("trsf_test_")
        and first["transfer_status"] == "created"
    )
    assert (first["recipient_amount"], first["transfer_amount"]) == (
        str(share),
        str(share),
    )
    assert (first["transfer_fee"], first["bank_amount"]) == ("3000", str(share - 3000))
    assert report(market)["final"] == {"is_final": False, "waits_for": {"transfers": 3}}
    (page,) = market.folder.glob("reports/*/report.html")
    assert "when it was last asked about transfers, " in page.read_text("utf-8")
    for name in ("00001", "00002"):
        turn(market, name, "transfer_paid")
    turn(market, "00003", "transfer_sent")
    assert market.run(verb="settle").returncode == 0
    told = rows(market)
    assert [told[name]["transfer_status"] for name in sorted(told)] == [
        "paid",
        "paid",
        "sent",
    ]
    assert [told[name]["iso20022_status"] for name in sorted(told)] == [
        "ACCC",
        "ACCC",
        "ACSC",
    ]
    assert told["00001"]["transfer_paid_at"].endswith("Z")
    (money,) = report(market)["currencies"]
    assert {one["status"]: one["count"] for one in money["transfers"]} == {
        "sent": 1,
        "paid": 2,
    }
    for one in money["transfers"]:
        assert one["amount_minor"] - one["fee_minor"] == one["bank_minor"]
    in_all = sum(one["amount_minor"] for one in money["transfers"])
    assert in_all == money["recipient_amount_minor"]
    turn(market, "00003", "transfer_paid")
    market.run(verb="settle")
    assert report(market)["final"] == {"is_final": True, "waits_for": {}}
    before = len(market.sandbox.requests())
    market.run(verb="settle")
    # nothing is on its way any more
    assert "GET /transfers" not in asked(market, before)


def test_a_transfer_that_failed_is_somebodys_and_says_why(market: Market) -> None:
    """The payer was charged once, which stays; the share is for the accountant, and that is 10."""
    market.job()
    market.orders([order(1), order(2)])
    market.run()
    turn(market, "00002", "transfer_failed")
    ended = market.run(verb="settle")
    assert ended.returncode == 10
    row = rows(market)["00002"]
    assert (row["outcome"], row["who_acts"]) == ("succeeded", "accountant")
    assert (
        row["transfer_code"] == "transfer_failed" and "transfer_failed" in row["reason"]
    )
    (told,) = report(market)["later"]
    assert (told["order_id"], told["transfer_status"]) == ("00002", "failed")
    assert market.run(verb="status").returncode == 10
    # what the bank sent back it does not get, in any form
    assert row["bank_amount"] == "" and rows(market)["00001"]["bank_amount"] != ""
    sums = report(market)["currencies"][0]["transfers"]
    assert [one["bank_minor"] for one in sums if one["status"] == "failed"] == [0]
    story = market.run("00002", verb="status").stdout
    told_then, told_now = story.partition("is failed")[::2]
    assert "the bank gets" in told_then and "the bank gets" not in told_now
    assert "is failed" in story and "the recipient's bank did not take it" in story
    assert market.posts() == 2


def test_a_transfer_that_is_not_the_share_does_not_add_up(market: Market) -> None:
    """A satang less than the charge less the commission is 12, and a person's."""
    market.job()
    market.orders([order(1)])
    market.sends_another_share()
    assert market.run().returncode == 12
    row = rows(market)["00001"]
    assert (
        row["who_acts"] == "a person"
        and "101.24 THB, the share 101.25 THB" in row["reason"]
    )


def test_a_gateway_that_tells_of_no_transfer_costs_three_questions(
    market: Market,
) -> None:
    """It is no trouble, and no batch is called final that nobody can see the end of."""
    market.job()
    market.orders([order(n) for n in range(1, 8)])
    for path in ("/chains", "/chains/*"):
        market.sandbox.add_rule(
            method="GET", path=path, status=404, body={"object": "error"}
        )
    assert market.run().returncode == 0
    assert len(asked(market, 0)) == 4
    assert {row["transfer_id"] for row in market.results()} == {""}
    assert report(market)["final"]["waits_for"] == {"transfers": 7}


@pytest.mark.parametrize(
    "trouble",
    [
        {"action": "error_before"},
        {"action": "html_before"},
        {"action": "reset_before"},
        {"action": "rate_limited"},
        {"status": 401, "code": "authentication_failure", "commit": "never"},
        {"status": 200, "body": {"object": "list", "data": "none"}},
    ],
)
def test_trouble_with_it_is_in_nobodys_way(
    market: Market, trouble: dict[str, Any]
) -> None:
    """One question ends it for tonight; every order was charged, and the code says so."""
    market.job()
    market.orders([order(n) for n in (1, 2, 3)])
    market.sandbox.add_rule(method="GET", path="/chains*", **trouble)
    ended = market.run()
    assert ended.returncode == 0, ended.stderr
    market.agree()
    market.sandbox.clear_rules()
    assert market.run(verb="settle").returncode == 0
    assert {row["transfer_status"] for row in market.results()} == {"created"}


def test_its_budget_ends_it_and_the_next_goes_on(market: Market) -> None:
    """With one request a run nothing but the links is had; `settle` is patient."""
    path = market.job()
    path.write_text(path.read_text().replace("[gateway]", "[gateway]\nfollow = 1"))
    market.orders([order(n) for n in (1, 2, 3)])
    assert market.run().returncode == 0
    assert len(asked(market, 0)) == 1
    market.run(verb="settle")
    assert {row["transfer_status"] for row in market.results()} == {"created"}
    path.write_text(path.read_text().replace("follow = 1", "follow = 0"))
    before = len(market.sandbox.requests())
    market.run(verb="settle")
    assert asked(market, before) == []


def test_charges_that_were_taken_over_are_followed_like_any_other(
    market: Market,
) -> None:
    """The journal was lost: what the gateway has is adopted, and its transfers are found again."""
    market.job()
    market.orders([order(1), order(2)])
    market.run()
    for path in (market.folder / "state").iterdir():
        path.unlink()
    turn(market, "00002", "transfer_paid")
    assert market.run("--adopt").returncode == 0
    told = rows(market)
    assert [told[name]["transfer_status"] for name in sorted(told)] == [
        "created",
        "paid",
    ]


def test_too_many_for_one_run_are_followed_in_turns(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run holds so many in memory and no more; the next begins behind them, and comes round."""
    monkeypatch.setattr(following, "MOST", 2)
    monkeypatch.setattr(cases, "SLICE", 2)
    market.job()
    market.orders([order(n) for n in range(1, 6)])
    job = api.load(market.folder / "job.toml")
    key = api.secret_key(job, {"OMISE_SECRET_KEY": KEY})
    api.run(job, key)
    found = [Counter(row["transfer_status"] for row in market.results())]
    for _ in range(2):
        api.settle(job, key)
        found.append(Counter(row["transfer_status"] for row in market.results()))
    assert [one["created"] for one in found] == [2, 4, 5]


# --- refunds and disputes


def test_what_was_given_back_or_disputed_later_is_told_in_the_first_nights_report(
    market: Market,
) -> None:
    """Two lists tell of it: one refund, one dispute, each charge read once; a payer who got the
    money back is nobody's, a dispute is a person's.
    """
    market.job()
    market.orders([order(n) for n in (1, 2, 3)])
    market.run()
    market.orders([order(4)], "next.csv")
    assert market.run("--input", "next.csv").returncode == 0
    turn(market, "00001", "refunded")
    turn(market, "00002", "disputed")
    market.orders([order(5)], "third.csv")
    before = len(market.sandbox.requests())
    ended = market.run("--input", "third.csv")
    assert ended.returncode == 10, ended.stdout
    assert asked(market, before)[:2] == ["GET /refunds", "GET /events"]
    told = rows(market)
    assert (told["00001"]["outcome"], told["00001"]["refunded_amount"]) == (
        "succeeded",
        "10125",
    )
    assert (told["00001"]["who_acts"], told["00002"]["who_acts"]) == ("-", "a person")
    assert (
        told["00002"]["dispute"] == "open"
        and "disputes it (open)" in told["00002"]["reason"]
    )
    first = next(
        one for one in market.reports() if one["batch"]["file"] == "orders.csv"
    )
    jsonschema.validate(first, SCHEMA)
    assert [one["order_id"] for one in first["later"]] == ["00001", "00002"]
    assert first["currencies"][0]["refunded"] == "101.25"
    seqs = [one["journal"]["seq"] for one in market.reports()]
    # told once; status says it until it is over
    assert market.run(verb="settle").returncode == 0
    assert [one["journal"]["seq"] for one in market.reports()] == seqs
    assert market.run(verb="status").returncode == 10
    for path in ("/refunds", "/events"):
        market.sandbox.add_rule(
            method="GET", path=path, status=404, body={"object": "error"}
        )
    turn(market, "00003", "refunded")
    # no list tells it, the charge itself does
    assert market.run(verb="settle").returncode == 10
    assert rows(market)["00003"]["refunded_amount"] == "10325"


@pytest.mark.fault("B34", "J31")
@pytest.mark.parametrize("stands", ["transfer_paid", "transfer_sent", ""])
@pytest.mark.parametrize("seen", ["first the share", "at once"])
def test_a_sale_that_was_given_back_tells_what_its_recipient_got_too_much(
    market: Market, stands: str, seen: str
) -> None:
    """Refunded it is nobody's, and told; reversed it is the accountant's once it is seen that the
    bank has the share, who may end that.
    """
    market.job(more="[fee]\nfixed = { THB = 500 }\n")
    market.orders([order(n) for n in (1, 2, 3)])
    assert market.run().returncode == 0
    for name in ("00001", "00002", "00003") if stands else ():
        turn(market, name, stands)
    if seen == "first the share":
        assert market.run(verb="settle").returncode == 0
    turn(market, "00001", "refunded")
    turn(market, "00002", "reversed")
    assert market.run(verb="settle").returncode == 10
    told = rows(market)
    status = stands.removeprefix("transfer_") or "created"
    share = told["00003"]["transfer_amount"]
    assert share == str(10325 - 500)
    row = told["00001"]
    says = f"0.00 THB of the charge is left, and transfer {row['transfer_id']} of"
    assert f"{says} 96.25 THB to {row['destination']} is {status}" in row["warnings"]
    assert (row["outcome"], row["who_acts"]) == ("succeeded", "-")
    row = told["00002"]
    who = "payer"
    if stands and seen == "first the share":
        who = "accountant"
    assert (row["outcome"], row["who_acts"]) == ("reversed", who)
    assert "0.00 THB of the charge is left, and transfer trsf_test_" in row["reason"]
    assert "too much" not in "".join(told["00003"].values())
    story = market.run("00002", verb="status").stdout
    assert "of 97.25 THB" in story and "all the same" in story
    batch = row["batch_id"]
    word = ("--cancel", "--row", row["row"], "--reason", "the seller paid it back")
    done = market.run(batch, *word, verb="resolve")
    assert done.returncode == 0, done.stderr
    assert rows(market)["00002"]["who_acts"] == "-"
    assert market.run(verb="status").returncode == 0


@pytest.mark.fault("J31")
@pytest.mark.parametrize(
    ("stands", "amount", "left", "too_much"),
    [
        ("paid", 9_000, 0, 9_000),
        ("created", 9_000, 8_999, 1),
        ("sent", 9_000, 9_000, 0),
        ("paid", 9_000, 10_000, 0),
        ("failed", 9_000, 0, 0),
        ("deleted", 9_000, 0, 0),
        ("", 9_000, 0, 0),
        ("paid", None, 0, 0),
    ],
)
def test_how_much_more_a_recipient_gets_than_is_left(
    stands: str, amount: int | None, left: int, too_much: int
) -> None:
    assert after.too_much(stands, amount, left) == too_much


# --- when it is asked again


def intent(order_id: str, **more: Any) -> Intent:
    """One that was sent."""
    fields: dict[str, Any] = {
        "order_id": order_id,
        "attempt": 1,
        "key": order_id,
        "body": "",
        "body_sha256": "",
        "content": "",
        "amount": 10_000,
        "currency": "thb",
        "destination": "recp_1",
        "payer": "cust_1",
        "batch_id": "b",
        "sheet": "",
        "row": 2,
        "run_id": "r",
        "alike": order_id,
    }
    return Intent(**(fields | more))


def attempt(
    order_id: str, sent_ns: int, status: str = "pending", **more: Any
) -> Attempt:
    """An attempt with a charge."""
    asked = intent(order_id, **more)
    told = Intended(boot_id="", boot_s=0.0, intent=asked)
    begun = line(told, sent_ns, order_id=order_id, attempt=1, send=1)
    (made,) = fold([begun])
    paid = status == "successful"
    charge = ChargeSeen(
        "chrg_1",
        status,
        paid,
        10_000,
        "thb",
        False,
        destination="recp_1",
        chain="acch_1",
    )
    return replace(made, charge=charge)


def test_a_share_is_the_amount_less_the_commission_or_nobody_knows() -> None:
    plain = attempt("1", 1, "successful")
    assert after.share_of(plain) == 10_000
    assert plain.charge is not None
    told = replace(plain, charge=replace(plain.charge, platform_fee=700))
    assert after.share_of(told) == 9_300
    assert after.share_of(attempt("1", 1, "successful", fee_fixed=700)) is None
    elsewhere = replace(plain, charge=replace(plain.charge, destination="recp_2"))
    assert after.share_of(elsewhere) is None


def test_a_transfer_is_held_against_the_charge_to_the_satang() -> None:
    """Recipient, currency, amount, and that its fee and what the bank gets are all of it."""
    mine = attempt("1", 1, "successful")
    whole = Transfer("trsf_1", "recp_1", 10_000, "THB", fee=3_000, net=7_000)
    assert after.seen(whole, mine).flaws == ()
    for change, told in (
        ({"recipient": "recp_2"}, "recp_2, not to recp_1"),
        ({"currency": "USD"}, "in USD"),
        ({"amount": 9_999, "net": 6_999}, "99.99 THB, the share 100.00 THB"),
        ({"net": 6_999}, "the bank gets 69.99 THB"),
    ):
        (flaw,) = after.seen(replace(whole, **change), mine).flaws  # type: ignore[arg-type]
        assert told in flaw


def test_where_a_transfer_is_says_its_last_flag() -> None:
    plain = Transfer("trsf_1", "recp_1", 1, "THB")
    assert after.stands_of(plain) is after.Stands.CREATED
    sent = replace(plain, sent=True)
    assert after.stands_of(sent) is after.Stands.SENT
    failed = replace(sent, failure_code="transfer_failed")
    assert after.stands_of(failed) is after.Stands.FAILED
    assert after.stands_of(replace(failed, paid=True)) is after.Stands.PAID
    assert after.stands_of(replace(plain, deleted=True)) is after.Stands.DELETED


def test_the_schedule_widens_and_ends() -> None:
    """Asked in each run of the first day, then ever more rarely: a dozen times in 35 days."""
    asked_ns = 0
    days = []
    for hour in range(24, 35 * 24):
        now_ns = hour * DAY_NS // 24
        if after.is_due(0, asked_ns, now_ns):
            days.append(hour / 24)
            asked_ns = now_ns
    gaps = [later - earlier for earlier, later in pairwise(days)]
    assert days[0] == 1 and len(days) < 20
    assert gaps == sorted(gaps)
    old = OnItsWay("1", 1, 1, "acch_1", "")
    assert after.is_followed(old, 34 * DAY_NS) and not after.is_followed(
        old, 36 * DAY_NS
    )


def test_where_the_next_run_begins_is_bounded() -> None:
    """So many orders by name, and everything since the next one."""
    some = [OnItsWay(str(n), 1, n * 10, "acch_1", "") for n in range(1, 9)]
    assert after.left_open(some, 100, 10) == (100, tuple("12345678"))
    assert after.left_open(some, 100, 3) == (40, ("1", "2", "3"))
    assert after.left_open([], 100, 3) == (100, ())


def test_old_pending_charges_are_asked_about_in_turns() -> None:
    """Young ones always; of the old no more than the budget, and the next run goes on behind
    them; `settle` asks about all.
    """
    now_ns = 10 * DAY_NS
    old = [attempt(name, 1) for name in "abcde"]
    young = attempt("y", now_ns - 10)
    one = PendingRound(Follows(None, 2), now_ns)
    assert one.rest([young, *reversed(old)]) == frozenset("cde") and one.after == "b"
    assert one.asked_ns == 0
    then = Followed(since_ns=0, pending_after=one.after)
    two = PendingRound(Follows(then, 2), now_ns)
    assert two.rest([*old, young]) == frozenset("abe")
    third = PendingRound(Follows(replace(then, pending_after="d"), 9), now_ns)
    assert third.rest([*old, young]) == frozenset()
    assert (third.asked_ns, third.after) == (now_ns, "")
    fourth = PendingRound(
        Follows(Followed(since_ns=0, pending_ns=now_ns), 9), now_ns + 1
    )
    assert fourth.rest([*old, young]) == frozenset("abcde")
    assert PendingRound(Follows(then, 2, patient=True), now_ns).rest(old) == frozenset()
    assert PendingRound(Follows(then, 0), now_ns).rest(old) == frozenset()


def test_the_budget_of_old_pending_charges_is_for_those_that_the_gateway_knows() -> (
    None
):
    """One that it knows no more is a person's and takes nobody's turn; what has ended waits for
    nothing; one is old when it is a day old to the nanosecond.
    """
    now_ns = 10 * DAY_NS
    gone = replace(attempt("a", 1), missing_ns=5)
    ended = attempt("b", 1, "successful")
    young, old = attempt("c", now_ns - DAY_NS + 1), attempt("d", now_ns - DAY_NS)
    for some, has_old in (
        ([gone, ended, young], False),
        ([gone, ended, young, old], True),
    ):
        one = PendingRound(Follows(None, 1), now_ns)
        assert one.rest(some) == frozenset()
        assert (one.after, one.asked_ns, one.has_old) == ("", now_ns, has_old)
    many = PendingRound(Follows(None, 1), now_ns)
    assert many.rest([old, attempt("e", 1)]) == frozenset("e")
    assert (many.after, many.asked_ns) == ("d", 0)
    again = PendingRound(
        Follows(Followed(since_ns=0, pending_ns=2 * DAY_NS), 1), now_ns
    )
    assert again.rest([attempt("e", 1)]) == frozenset()


def test_a_qr_says_where_it_is_and_until_when(market: Market) -> None:
    """The payer of a pending charge needs both."""
    market.job(card="", source='"card"')
    market.orders([order(1, card="src_test_sandbox1")])
    assert market.run().returncode == 11
    row = rows(market)["00001"]
    assert row["outcome"] == "pending" and row["iso20022_status"] == "PDNG"
    assert row["expires_at"].endswith("Z") and row["qr_uri"].startswith("https://")
    assert "qrcode" not in row["authorize_uri"]
