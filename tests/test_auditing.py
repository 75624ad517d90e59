"""audit: two ledgers, one truth; what differs is named on both sides."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside

TODAY = datetime.now(UTC).strftime("%Y-%m-%d")


def audited(market: Market) -> tuple[int, dict[str, list[str]], dict[str, object]]:
    """Exit code, order ids by kind of difference, and the whole document."""
    days = ("--from", TODAY, "--to", datetime.now(UTC).strftime("%Y-%m-%d"))
    result = market.run(*days, "--json", verb="audit")
    assert result.stdout, result.stderr
    told = json.loads(result.stdout)
    kinds: dict[str, list[str]] = {}
    for difference in told["differences"]:
        kinds.setdefault(difference["kind"], []).append(difference["order_id"])
    return result.returncode, kinds, told


def test_a_night_matches_to_the_satang(market: Market) -> None:
    """Charges, credits and transfers; declined and refused rows are no differences."""
    rows = [order(number) for number in range(130)]
    market.orders([*rows, order(500, card="tokn_test_sandbox005000011")])
    market.job(more="[fee]\nfixed = { THB = 500 }")
    assert market.run().returncode == 10
    code, kinds, told = audited(market)
    assert (code, kinds) == (0, {}), told["differences"]
    assert (
        told["journal"] == told["gateway"]
        and told["matched"] == 131
        and told["notes"] == []
    )


@pytest.mark.fault("E14", "I2")
def test_what_was_done_by_hand_is_shown(market: Market) -> None:
    """A charge by hand is somebody else's; a refund, a lost charge and a false success are
    differences.
    """
    market.orders([order(number) for number in range(5)])
    market.job()
    market.run()
    by_hand = {
        "amount": "5000",
        "currency": "thb",
        "card": "tokn_test_sandboxbyhand4242",
    }
    httpx.post(
        f"{market.sandbox.url}/charges", data=by_hand, auth=(KEY, ""), trust_env=False
    ).raise_for_status()
    code, kinds, told = audited(market)
    assert (code, kinds, told["other_charges_of_the_account"]) == (0, {}, 1)
    listed = httpx.get(
        f"{market.sandbox.url}/charges?limit=100", auth=(KEY, ""), trust_env=False
    ).json()
    by_order = {charge["metadata"].get("order_id"): charge for charge in listed["data"]}
    by_order["00000"]["refunded_amount"] = 100
    by_order["00001"] |= {"status": "failed", "paid": False}
    market.sandbox.add_rule({"method": "GET", "path": "/charges", "body": listed})
    code, kinds, _ = audited(market)
    assert code == 12 and kinds == {"refunded": ["00000"], "false-success": ["00001"]}


@pytest.mark.fault("B31")
def test_a_double_charge_comes_with_a_refund_list(market: Market) -> None:
    """All but the one in our report are to be given back."""
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "order_id": "00002", "action": "double"}
    )
    assert market.run().returncode == 12
    code, kinds, told = audited(market)
    assert code == 12 and kinds == {"double": ["00002"]}
    # the sums are of as many charges as are told, and the double is on one side alone
    assert (told["journal_charges"], told["gateway_charges"]) == (
        {"THB": 2},
        {"THB": 3},
    )
    assert told["matched"] == 2
    lines = market.run("--from", TODAY, "--to", TODAY, verb="audit").stdout
    assert "2 charges alike on both sides" in lines and "by 3 charges" in lines
    (refunds,) = (market.folder / "reports").glob("audit-*/refunds.csv")
    with refunds.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["mode"] == "TEST" and (told["mode"], told["test_mode"]) == ("TEST", True)
    assert market.run("--from", TODAY, "--to", TODAY, verb="audit").stdout.startswith(
        "TEST: audit of "
    )
    story = market.run("00002", verb="status").stdout
    assert story.startswith("order 00002: TEST, ")
    (mine,) = [r for r in market.results() if r["order_id"] == "00002"]
    assert row["charge_id"] != mine["charge_id"] and (
        row["amount"],
        row["currency"],
    ) == (
        mine["amount"],
        "THB",
    )


@pytest.mark.fault("D09")
def test_a_charge_the_journal_lost_is_a_difference_until_a_run_adopts_it(
    market: Market,
) -> None:
    """And the run that adopts it sends nothing for it."""
    market.orders([order(number) for number in range(3)])
    market.job()
    market.run("--limit", "1")
    kept = {
        path.name: path.read_bytes() for path in (market.folder / "state").iterdir()
    }
    market.run()
    for path in (market.folder / "state").iterdir():
        path.unlink()
    for name, data in kept.items():
        (market.folder / "state" / name).write_bytes(data)
    code, kinds, _ = audited(market)
    assert code == 12 and sorted(kinds["unknown-to-journal"]) == ["00001", "00002"]
    assert market.run().returncode == 0
    assert market.posts() == 3
    assert audited(market)[0] == 0


def test_a_period_must_make_sense(market: Market) -> None:
    """64 for one that ends before it begins, or that has days which have not begun yet; 77 for a
    refused key.
    """
    market.orders([order(1)])
    market.job()
    assert (
        market.run(
            "--from", "2026-02-02", "--to", "2026-02-01", verb="audit"
        ).returncode
        == 64
    )
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    for first, last, flag in (
        (TODAY, tomorrow, "--to"),
        ("2030-01-01", "2030-01-02", "--from"),
    ):
        done = market.run("--from", first, "--to", last, verb="audit")
        assert (
            done.returncode == 64
            and f"{flag} {last if flag == '--to' else first}: lies in the future"
            in done.stderr
        )
    assert not list((market.folder / "reports").glob("audit-*"))
    market.sandbox.accept_keys("skey_test_another000000")
    assert (
        market.run(
            "--from", "2026-02-01", "--to", "2026-02-01", verb="audit"
        ).returncode
        == 77
    )


@pytest.mark.fault("B15", "I2")
def test_a_lie_that_a_list_corrected_is_corrected_in_the_books(market: Market) -> None:
    """An answer told another amount than the gateway lists: the run stops, and both ledgers say
    what is listed.
    """
    market.orders([order(1), order(2)])
    market.job(rate="20/s")
    rule = {
        "method": "POST",
        "path": "/charges",
        "order_id": "00002",
        "action": "change",
        "change": {"amount": 1},
    }
    market.sandbox.add_rule(rule)
    assert market.run().returncode == 12
    code, kinds, told = audited(market)
    assert told["journal"] == told["gateway"] == {"THB": "203.50"}
    assert (code, kinds) == (0, {})


@pytest.mark.fault("I2")
def test_sums_that_differ_are_never_nothing_to_do(market: Market) -> None:
    """The gateway lists another amount than it once told: 12, and the order is named."""
    market.orders([order(1), order(2)])
    market.job()
    assert market.run().returncode == 0
    listed = httpx.get(
        f"{market.sandbox.url}/charges?limit=100", auth=(KEY, ""), trust_env=False
    ).json()
    other = next(c for c in listed["data"] if c["metadata"]["order_id"] == "00002")
    other["amount"] = other["captured_amount"] = other["amount"] + 1
    market.sandbox.add_rule({"method": "GET", "path": "/charges", "body": listed})
    code, kinds, told = audited(market)
    assert told["journal"] != told["gateway"]
    assert code == 12 and kinds["amount"] == ["00002"]


@pytest.mark.fault("J36", "I2")
def test_a_charge_that_tells_no_time_is_listed_by_name(market: Market) -> None:
    """Answers without `created_at`: what a list has is matched all the same; what none has stands
    by name.
    """
    market.orders([order(number) for number in range(3)])
    market.job()
    for number in (1, 2):
        rule = {"method": "POST", "path": "/charges", "order_id": f"{number:05d}"}
        market.sandbox.add_rule(
            {**rule, "action": "change", "change": {"created_at": None}}
        )
    assert market.run().returncode == 0
    code, kinds, told = audited(market)
    assert (code, kinds, told["matched"], told["without_time"]) == (0, {}, 3, [])
    listed = httpx.get(
        f"{market.sandbox.url}/charges?limit=100", auth=(KEY, ""), trust_env=False
    ).json()
    listed["data"] = [
        charge for charge in listed["data"] if charge["metadata"]["order_id"] == "00002"
    ]
    listed["total"] = len(listed["data"])
    market.sandbox.add_rule({"method": "GET", "path": "/charges", "body": listed})
    code, kinds, told = audited(market)
    (timeless,) = told["without_time"]
    mine = {row["order_id"]: row for row in market.results()}["00001"]
    assert (timeless["order_id"], timeless["charge_id"]) == ("00001", mine["charge_id"])
    assert (code, kinds) == (
        12,
        {"false-success": ["00000"]},
    ), "a time that the list should have covered"
    assert "1 charge without a time of making" in told["notes"][0]
