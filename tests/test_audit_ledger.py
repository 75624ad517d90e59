"""audit over the account's own entries: one to one, to the satang, from balance to balance."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from batchpay.batches.clock import SystemClock
from batchpay.sandbox import SandboxServer
from batchpay.sandbox.charging import _settle
from tests.faults.test_twins import give_back
from tests.inside import Inside
from tests.test_auditing import audited
from tests.test_following import rows, turn
from tests.world import BY_CUSTOMER, KEY, Market, order

MARKET = Inside

DAY_S = 86_400
HANDS = count(90_000)  # a token is charged once


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Inside(tmp_path, sandbox)


def listed(market: Market, path: str) -> Any:
    """What the gateway tells."""
    answer = httpx.get(f"{market.sandbox.url}{path}", auth=(KEY, ""), trust_env=False)
    return answer.raise_for_status().json()


def folder(market: Market) -> Path:
    """Of the one audit."""
    (found,) = (market.folder / "reports").glob("audit-*")
    return found


def table(market: Market, name: str) -> list[dict[str, str]]:
    with (folder(market) / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_satang_has_its_entry_and_people_get_it_as_tables(market: Market) -> None:
    """Charges in two currencies, one transfer sent, one paid, one refund: all sides agree, and the
    workbook, the CSVs and the JSON say the same in main units.
    """
    market.job(more="[fee]\nfixed = { THB = 500, JPY = 10 }")
    rows = [order(1), order(2), order(3, amount="20000", currency="JPY"), order(4)]
    market.orders([*rows, order(5, card="tokn_test_sandbox000050011")])
    assert market.run().returncode == 10
    turn(market, "00001", "transfer_sent")
    turn(market, "00002", "transfer_paid")
    turn(market, "00004", "refunded")
    market.run(verb="settle")
    code, kinds, told = audited(market)
    assert (code, kinds) == (12, {"refunded": ["00004"]}), told
    (balance,) = told["balances"]  # type: ignore[misc,union-attr]
    theirs = listed(market, "/balance")
    assert balance["closing_minor"] == theirs["total"] and balance["opening_minor"] == 0
    assert balance["credits_minor"] - balance["debits_minor"] == theirs["total"]
    (fees,) = told["fees"].values()  # type: ignore[attr-defined]
    assert (
        fees["funding_minor"]
        == fees["fee_minor"] + fees["fee_vat_minor"] + fees["net_minor"]
    )
    assert (fees["charges"], fees["net_minor"]) == (4, fees["credited_minor"])
    assert told["entries"] == {"charge": 4, "transfer": 2, "refund": 1}
    charges = table(market, "charges.csv")
    assert {row["transfer is"] for row in charges} == {"sent", "paid", "created", ""}
    credited = sum(Decimal(row["credited"]) for row in charges if row["credited"])
    entries = table(market, "ledger.csv")
    of_charges = [row for row in entries if row["of"].startswith("charge ")]
    assert sum(Decimal(row["credit"]) for row in of_charges) == credited
    assert Decimal(fees["credited"]) == credited
    book = openpyxl.load_workbook(BytesIO((folder(market) / "audit.xlsx").read_bytes()))
    assert book.sheetnames == ["Balance", "Fees", "Differences", "Charges", "Ledger"]
    cells = [[cell.value for cell in row] for row in book["Balance"].iter_rows()]
    assert any(row[0] == "THB" and row[4] == theirs["total"] / 100 for row in cells)
    dated = [cell.value for cell in next(iter(book["Charges"].columns))]
    assert any(isinstance(value, datetime) for value in dated)
    manifest = json.loads((folder(market) / "manifest.json").read_text())
    assert {"audit.xlsx", "charges.csv", "ledger.csv", "differences.csv"} <= set(
        manifest["reports"]
    )


def test_the_balance_rolls_from_audit_to_audit(market: Market) -> None:
    """What one day closes with, the next opens with; where it does not, that is a difference."""
    day = datetime.now(UTC).date()
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    days = ("--from", str(day), "--to", str(day), "--json")
    first = json.loads(market.run(*days, verb="audit").stdout)
    (balance,) = first["balances"]
    market.sandbox.add_rule(
        method="GET",
        path="/balance",
        change={"total": balance["closing_minor"] - 1},
    )
    again = market.run(*days, verb="audit")
    assert json.loads(again.stdout)["balances"][0]["opening_minor"] == -1
    assert again.returncode == 0  # nothing closed before these days
    yesterday = str(day - timedelta(days=1))
    market.sandbox.clear_rules()
    before = ("--from", yesterday, "--to", yesterday, "--json")
    closed = json.loads(market.run(*before, verb="audit").stdout)
    assert closed["balances"][0]["closing_minor"] == 0
    rolled = market.run(*days, verb="audit")
    assert rolled.returncode == 0
    market.sandbox.add_rule(
        method="GET", path="/balance", change={"total": balance["closing_minor"] - 1}
    )
    broken = json.loads(market.run(*days, verb="audit").stdout)
    assert [one["kind"] for one in broken["differences"]] == ["balance"]
    assert "closed with 0.00 THB" in broken["differences"][0]["told"]


def by_hand(market: Market) -> None:
    """100.00 THB that somebody takes at the gateway."""
    told = {
        "amount": "10000",
        "currency": "thb",
        "card": f"tokn_test_sandbox{next(HANDS):05d}4242",
    }
    answer = httpx.post(
        f"{market.sandbox.url}/charges", data=told, auth=(KEY, ""), trust_env=False
    )
    answer.raise_for_status()


def one_day(market: Market, day: date) -> tuple[int, list[str]]:
    """How its audit ends, and the kinds of difference."""
    done = market.run("--from", str(day), "--to", str(day), "--json", verb="audit")
    found = json.loads(done.stdout)["differences"]
    return done.returncode, [one["kind"] for one in found]


@pytest.mark.fault("J30")
def test_a_day_closes_when_it_is_over(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found while it went on is no closing balance: what is booked in the rest of it makes
    no difference of the next day's audit. One that was over is held against the next day.
    """
    day = datetime.now(UTC).date()
    yesterday = day - timedelta(days=1)
    now_ns = SystemClock.now_ns
    market.job()
    market.orders([order(1)])
    market.sandbox.set_clock(-DAY_S)
    with monkeypatch.context() as before:
        before.setattr(SystemClock, "now_ns", lambda one: now_ns(one) - DAY_S * 10**9)
        assert market.run().returncode == 0
        assert one_day(market, yesterday) == (0, [])
    by_hand(market)
    market.sandbox.set_clock(0)
    assert one_day(market, day) == (0, [])
    assert one_day(market, yesterday) == (0, [])
    assert one_day(market, day) == (0, [])
    market.sandbox.set_clock(-DAY_S)
    market.sandbox.store._latest -= DAY_S
    by_hand(market)
    market.sandbox.set_clock(0)
    assert one_day(market, day) == (12, ["balance"])
    assert one_day(market, yesterday) == (0, [])
    assert one_day(market, day) == (0, [])


@pytest.mark.fault("J30")
def test_days_of_another_time_zone_close_for_themselves(market: Market) -> None:
    """After `time_zone` changed the day before ended at another time."""
    for hour in range(26):
        market.sandbox.set_clock(hour * 3600 - 2 * DAY_S)
        by_hand(market)
    market.sandbox.set_clock(0)
    day = datetime.now(UTC).date() - timedelta(days=1)
    market.job(more='[controls]\ntime_zone = "Etc/GMT-14"\n')
    assert one_day(market, day - timedelta(days=1)) == (0, [])
    market.job(more='[controls]\ntime_zone = "Etc/GMT+12"\n')
    assert one_day(market, day) == (0, [])


@pytest.mark.parametrize(
    ("path", "change", "kind"),
    [
        ("/charges", lambda page: page["data"][0].update(fee=1), "fees"),
        (
            "/charges",
            lambda page: page["data"][0].update(funding_amount=10_126),
            "fee-sum",
        ),
        (
            "/transactions",
            lambda page: page["data"].remove(
                next(one for one in page["data"] if one["direction"] == "debit")
            ),
            "no-debit",
        ),
        (
            "/transactions",
            lambda page: next(
                one for one in page["data"] if one["direction"] == "debit"
            ).update(amount=1),
            "debit-differs",
        ),
        ("/transfers", lambda page: page["data"].pop(0), "transfer-missing"),
    ],
)
def test_a_satang_off_is_a_difference(
    market: Market, path: str, change: Any, kind: str
) -> None:
    """In either ledger; each of its own kind, and of its order."""
    market.job()
    market.orders([order(1)])
    market.run()
    turn(market, "00001", "transfer_sent")
    market.run(verb="settle")
    assert audited(market)[:2] == (0, {})
    page = listed(market, f"{path}?limit=100")
    change(page)
    page["total"] = len(page["data"])
    market.sandbox.add_rule(method="GET", path=path, body=page)
    code, kinds, told = audited(market)
    assert code == 12 and kind in kinds, told
    assert kinds[kind] == ["00001"]


def test_one_sale_under_two_ids_is_found(market: Market) -> None:
    """The same customer, shop and amount, and the same invoice: a person must look. The same
    customer who buys the same again with another invoice is nobody's.
    """
    market.job(**BY_CUSTOMER)
    same = {
        "card": "cust_test_sandbox1",
        "amount": "500.00",
        "recipient": "recp_test_sandbox1",
    }
    market.orders(
        [
            order(1, **same, invoice="INV-17"),
            order(2, **same, invoice="INV-18"),
            order(3, **same, invoice="INV-17"),
            order(4, invoice="INV-17"),
        ]
    )
    market.run()
    code, kinds, told = audited(market)
    assert (code, kinds) == (12, {"one-sale-two-ids": ["00003"]}), told["differences"]
    (one,) = told["differences"]  # type: ignore[misc]
    assert "order 00001 was charged too" in one["told"] and "INV-17" in one["told"]
    mine = {one["metadata"]["order_id"]: one["id"] for one in market.own_charges()}
    give_back(market, mine["00001"], "20000")
    assert set(audited(market)[1]) == {"one-sale-two-ids", "refunded"}
    give_back(market, mine["00003"], "30000")
    assert set(audited(market)[1]) == {"refunded"}


def test_a_gateway_that_tells_no_balance_says_so(market: Market) -> None:
    market.job()
    market.orders([order(1)])
    market.run()
    market.sandbox.add_rule(
        method="GET", path="/balance", status=404, body={"object": "error"}
    )
    code, kinds, told = audited(market)
    assert (code, kinds) == (0, {})
    assert told["balances"][0]["closing"] is None  # type: ignore[index]
    assert any("does not tell its balance" in note for note in told["notes"])  # type: ignore[attr-defined]


@pytest.mark.fault("J31")
def test_of_a_dispute_it_is_told_how_it_stands(market: Market) -> None:
    """Everywhere in the words of the reports and of the order's story: an open one is a person's,
    and a lost one until somebody took note of it; one that was won is nobody's. What a note was
    about stands beside what it is now, and the account's entries name the order.
    """
    market.job()
    market.orders([order(n) for n in (1, 2)])
    assert market.run().returncode == 0
    turn(market, "00001", "disputed")
    turn(market, "00002", "disputed")
    assert said_of_disputes(market, 12) == ["open", "open"]
    lost = next(
        one for one in table(market, "differences.csv") if one["order"] == "00002"
    )
    noted = market.run(*TODAY, "--note", lost["id"], "--reason", "seen", verb="audit")
    assert noted.returncode == 12 and "1 difference noted" in noted.stdout
    turn(market, "00001", "dispute_won")
    turn(market, "00002", "dispute_lost")
    assert said_of_disputes(market, 12) == ["won", "lost"]
    told = market.run(*TODAY, verb="audit").stdout
    assert "must look at 1 difference. " in told
    assert (
        "disputed by its payer's bank: open; it has changed since, look again" in told
    )
    market.run(*TODAY, "--note", lost["id"], "--reason", "we lost", verb="audit")
    assert said_of_disputes(market, 0) == ["won", "lost"]
    told = market.run(*TODAY, verb="audit").stdout
    assert "nothing to do; 1 difference noted by a person" in told
    entries = [one for one in table(market, "ledger.csv") if "dispute" in one["what"]]
    assert [one["order"] for one in entries] == ["00001", "00002", "00001"]
    assert {one["of"].partition(" ")[0] for one in entries} == {"dispute"}
    market.run(verb="settle")
    kept = {row["order_id"]: row["dispute"] for row in market.results()}
    assert kept == {"00001": "won", "00002": "lost"}
    for number, how in kept.items():
        said = f"disputed by its payer's bank: {how}"
        assert said in market.run(number, verb="status").stdout
        (row,) = (one for one in market.results() if one["order_id"] == number)
        assert (row["warnings"], row["who_acts"]) == (said, "-")


TODAY = [f"--{flag}={datetime.now(UTC).date()}" for flag in ("from", "to")]


def said_of_disputes(market: Market, code: int) -> list[str]:
    """How each dispute stands by every form of an audit, in the order of the orders."""
    lines = market.run(*TODAY, verb="audit")
    assert lines.returncode == code, lines
    kept = json.loads((folder(market) / "audit.json").read_text())["differences"]
    rows = table(market, "differences.csv")
    book = openpyxl.load_workbook(BytesIO((folder(market) / "audit.xlsx").read_bytes()))
    cells = [str(cell.value) for row in book["Differences"] for cell in row]
    told = [one["told"] for one in kept]
    assert told == [one["what"] for one in rows] == [c for c in cells if c in told]
    assert all(one in lines.stdout for one in told)
    return [one.removeprefix("disputed by its payer's bank: ") for one in told]


def captured_in_part(market: Market, order_id: str, minor: int) -> str:
    """The pending charge of an order is captured, and no more of it than this; its id."""
    (charge_id,) = (
        one["id"]
        for one in market.own_charges()
        if one["metadata"]["order_id"] == order_id
    )
    for ledger in market.sandbox.store.ledgers.values():
        charge = ledger.find("charge", charge_id)
        if charge is not None:
            charge.captured_amount = minor
            ledger.commit(charge, *_settle(ledger, charge), news="charge.complete")
    return str(charge_id)


def fees_agree(market: Market, told: dict[str, Any]) -> int:
    """How many charges the sums of the fees are of: of those that charges.csv says took money, of
    those that the gateway is said to have charged, and the sheet says the same.
    """
    (fees,) = told["fees"].values()
    took = [row for row in table(market, "charges.csv") if row["funding amount"]]
    for name, column in (
        ("funding", "funding amount"),
        ("fee", "fee"),
        ("net", "net"),
        ("credited", "credited"),
    ):
        assert Decimal(fees[name]) == sum(Decimal(row[column]) for row in took)
    assert fees["charges"] == len(took) == sum(told["gateway_charges"].values())
    book = openpyxl.load_workbook(BytesIO((folder(market) / "audit.xlsx").read_bytes()))
    cells = [[cell.value for cell in row] for row in book["Fees"].iter_rows()]
    assert any(row[:2] == ["THB", len(took)] and row[-1] == 0 for row in cells), cells
    return len(took)


def taken_as_it_is(market: Market) -> tuple[str, ...]:
    """Two orders, of which the first was captured in part, and a person took it so; the word."""
    market.job(more='[report]\nformats = ["csv", "json", "xlsx"]')
    market.orders([order(1, card="tokn_test_sandbox3ds00001"), order(2)])
    assert market.run().returncode == 11
    charge_id = captured_in_part(market, "00001", 5000)
    assert market.run(verb="settle").returncode == 12
    word = ("--as", f"charged:{charge_id}", "--reason", "half of it", "00001")
    assert market.run(*word, verb="resolve").returncode == 0
    market.run("--lift-stop", "--reason", "seen", verb="resolve")
    assert market.run(verb="settle").returncode == 10
    assert told_of_share(market) == ("created", "5000", "2000", False)
    return word


@pytest.mark.fault("B15")
def test_a_share_that_does_not_arrive_of_a_charge_that_a_person_took_is_told(
    market: Market,
) -> None:
    """As that of any other, until somebody says that it is seen to."""
    word = taken_as_it_is(market)
    turn(market, "00001", "transfer_failed")
    assert market.run(verb="settle").returncode == 10
    row = rows(market)["00001"]
    assert row["who_acts"] == "accountant" and "batchpay resolve" in row["reason"]
    assert market.run(*word, verb="resolve").returncode == 0
    assert rows(market)["00001"]["who_acts"] == "-"


@pytest.mark.fault("B15", "I2")
def test_the_share_of_a_charge_that_a_person_took_as_it_is_is_followed(
    market: Market,
) -> None:
    """Until it has arrived the batch is not final; every form counts its money and its share."""
    taken_as_it_is(market)
    turn(market, "00001", "transfer_paid")
    turn(market, "00002", "transfer_paid")
    market.run(verb="settle")
    assert told_of_share(market) == ("paid", "5000", "2000", True)
    (path,) = (market.folder / "reports").glob("2*/report.xlsx")
    book = openpyxl.load_workbook(BytesIO(path.read_bytes()))
    told = [[cell.value for cell in row] for row in book["By recipient"].iter_rows()]
    shares = sum(row[5] for row in told[1:] if str(row[0]).startswith("recp_"))
    (report,) = market.reports()
    (sums,) = report["currencies"]
    assert shares == 50 + 102.25 and Decimal(sums["recipient_amount"]) == Decimal(
        "152.25"
    )
    code, kinds, audit = audited(market)
    assert (code, kinds) == (12, {"terms": ["00001"]}), audit["differences"]
    assert fees_agree(market, audit) == 2
    (line,) = (one for one in table(market, "charges.csv") if one["order"] == "00001")
    assert (line["transfer is"], line["transfer amount"]) == ("paid", "50.00")
    debits = [one for one in table(market, "ledger.csv") if one["debit"]]
    assert {one["order"] for one in debits if "transfer " in one["of"]} >= {"00001"}
    assert not [one for one in debits if one["of"].startswith("other")]


def told_of_share(market: Market) -> tuple[str, str, str, bool]:
    """Where the share of the first order is, how much it is, what the bank gets, and whether the
    batch is final.
    """
    row = rows(market)["00001"]
    (report,) = market.reports()
    final = report["final"]["is_final"]
    return row["transfer_status"], row["transfer_amount"], row["bank_amount"], final


@pytest.mark.fault("B31", "I2")
def test_every_charge_that_took_money_is_in_every_form_of_an_audit(
    market: Market,
) -> None:
    """The second charge of an order as well, and one that the journal does not know."""
    market.job()
    market.orders([order(1), order(2)])
    market.sandbox.add_rule(
        method="POST", path="/charges", order_id="00002", action="double"
    )
    assert market.run().returncode == 12
    code, kinds, told = audited(market)
    assert (code, kinds) == (12, {"double": ["00002"]}), told["differences"]
    assert fees_agree(market, told) == 3
    orders = [one["order"] for one in table(market, "charges.csv")]
    assert orders == ["00001", "00002", "00002"]
    assert told["entries"] == {"charge": 3}
