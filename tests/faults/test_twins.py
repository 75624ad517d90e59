"""Two charges of one order that both took money: told until one is given back, or until a person
leaves it so.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import jsonschema
import pytest

from batchpay.job.packaged import data_path
from tests.test_next_steps import follow
from tests.world import KEY, Market, order

LIFT = ("--lift-stop", "--reason", "seen at the gateway")


def twice_charged(market: Market) -> tuple[str, str]:
    """Three orders, the second charged twice under one key; ids of the charge that is reported, and
    of the other.
    """
    market.orders([order(1), order(2), order(3)])
    market.job()
    market.sandbox.add_rule(action="double", order_id="00002", times=1)
    assert market.run().returncode == 12
    reported = told(market)["charge_id"]
    (twin,) = {
        one["id"]
        for one in market.own_charges()
        if one["metadata"]["order_id"] == "00002"
    } - {reported}
    return reported, twin


def told(market: Market, order_id: str = "00002") -> dict[str, str]:
    """The row of an order."""
    (row,) = [row for row in market.results() if row["order_id"] == order_id]
    return row


def give_back(market: Market, charge_id: str, amount: str) -> None:
    """As a person does at the gateway."""
    url = f"{market.sandbox.url}/charges/{charge_id}/refunds"
    httpx.post(
        url, data={"amount": amount}, auth=(KEY, ""), trust_env=False
    ).raise_for_status()


def all_say(market: Market, code: int, acts: dict[str, int]) -> dict[str, Any]:
    """run, settle, report, status and plan end so and name these parties; the report, which lists
    those rows.
    """
    for verb in ("plan", "status", "report", "settle", "run"):
        done = market.run("--json", verb=verb)
        assert (done.returncode, json.loads(done.stdout)["who_acts"]) == (code, acts), (
            verb,
            done.stdout,
            done.stderr,
        )
    (report,) = [
        one for one in market.reports() if one["batch"]["file"] == "orders.csv"
    ]
    needs = report["needs_a_person"]
    assert needs["count"] == acts.get("a person", 0) == len(needs["rows"])
    assert all(one["who_acts"] == "a person" for one in needs["rows"])
    return report


@pytest.mark.fault("B31", "I2", "I14", "L10")
def test_an_order_charged_twice_is_for_a_person_until_one_is_given_back(
    market: Market,
) -> None:
    """The lift is a look, not the money: 10, with both charges named, on every night, also without
    the file.
    """
    reported, twin = twice_charged(market)
    (report,) = market.reports()
    assert [one["order_id"] for one in report["needs_a_person"]["rows"]] == ["00002"]
    assert market.run(*LIFT, verb="resolve").returncode == 0
    (report,) = market.reports()
    assert (report["exit_code"], report["stop"]) == (10, ""), (
        "nobody had to say `report`"
    )
    report = all_say(market, 10, {"a person": 1})
    (row,) = report["needs_a_person"]["rows"]
    assert reported in row["reason"] and twin in row["reason"]
    posts = market.posts()
    market.orders([order(4)], "other.csv")
    assert market.run("--input", "other.csv").returncode == 10
    assert market.posts() == posts + 1, "it stops nothing"
    give_back(market, twin, "100")
    assert market.run().returncode == 10
    give_back(market, twin, "10125")
    assert market.run().returncode == 0
    report = all_say(market, 0, {})
    assert f"{twin} is successful, given back" in told(market)["reason"]
    assert report["further_charges"][0]["charges"][0]["stands"] == "given back"


@pytest.mark.fault("B31", "I14", "J31")
@pytest.mark.parametrize(
    "refunds", [("reported",), ("twin",), ("half of reported", "half of twin")]
)
def test_whichever_charge_was_given_back_run_and_audit_agree(
    market: Market, refunds: tuple[str, ...]
) -> None:
    """The reported one, the other, or a half of each: nobody is asked for more, and once a person
    has lifted the stop and taken note of the refunds all is 0.
    """
    reported, twin = twice_charged(market)
    for one in refunds:
        half, _, which = one.rpartition(" of ")
        amount = "5112" if half else "10225"
        if which == "reported":
            amount = "5113" if half else "10225"
        give_back(market, {"reported": reported, "twin": twin}[which], amount)
    assert market.run().returncode == 12
    assert market.run(*LIFT, verb="resolve").returncode == 0
    all_say(market, 0, {})
    day = str(datetime.now(UTC).date())
    days = ("--from", day, "--to", day)
    found = json.loads(market.run(*days, "--json", verb="audit").stdout)
    assert [one["kind"] for one in found["differences"]] == ["refunded"] * len(refunds)
    assert not any(one["refund_minor"] for one in found["differences"])
    assert not list((market.folder / "reports").glob("audit-*/refunds.csv"))
    for one in found["differences"]:
        assert "the order was charged by " in one["told"]
        note = ("--note", one["id"], "--reason", "seen")
        code = market.run(*days, *note, verb="audit").returncode
    assert code == 0


@pytest.mark.fault("B31", "I14", "J31")
def test_what_is_still_too_much_is_asked_for_to_the_last(market: Market) -> None:
    """A part of either leaves the rest a person's, in the audit's list as in every run; as that
    list says, it ends.
    """
    reported, twin = twice_charged(market)
    assert market.run(*LIFT, verb="resolve").returncode == 0
    give_back(market, reported, "5000")
    give_back(market, twin, "5000")
    all_say(market, 10, {"a person": 1})
    assert "; give 2.25 THB back at the gateway, " in told(market)["reason"]
    day = str(datetime.now(UTC).date())
    assert market.run("--from", day, "--to", day, verb="audit").returncode == 12
    (listed,) = (market.folder / "reports").glob("audit-*/refunds.csv")
    with listed.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["amount"] for row in rows] == ["225"]
    for row in rows:
        give_back(market, row["charge_id"], row["amount"])
    assert market.run().returncode == 0
    all_say(market, 0, {})
    market.run("--from", day, "--to", day, verb="audit")
    assert not listed.exists()


@pytest.mark.fault("B31", "I2")
def test_what_a_second_charge_took_stands_beside_the_sums(market: Market) -> None:
    """The gateway's sum is that of the journal and of the further charges; the money columns are
    about one charge.
    """
    _, twin = twice_charged(market)
    (report,) = market.reports()
    (sums,), (further,) = report["currencies"], report["further_charges"]
    gateway = sum(
        one["amount"] for one in market.own_charges() if one["status"] == "successful"
    )
    assert gateway == sums["charged_minor"] + further["sum_minor"]
    assert all(one["closes"] for one in report["equations"])
    line = f"charged twice: 1 order, 102.25 THB more at the gateway ({twin})"
    assert line in report["verdict"]
    for verb in ("status", "report", "settle"):
        assert line in market.run(verb=verb).stdout
    jsonschema.validate(
        report, json.loads(data_path("schemas/report.schema.json").read_text("utf-8"))
    )


@pytest.mark.fault("B31", "I14")
def test_a_person_may_leave_an_order_charged_twice(market: Market) -> None:
    """As printed: nobody must act, it counts as 10 as all that was accepted, and the row says whose
    word it is.
    """
    twice_charged(market)
    assert market.run(*LIFT, verb="resolve").returncode == 0
    follow(market, told(market)["reason"])
    report = all_say(market, 10, {})
    assert "; accepted by " in told(market)["reason"]
    assert report["further_charges"][0]["charges"][0]["stands"] == "noted"


@pytest.mark.fault("B31", "L10", "D14")
def test_who_lifted_a_stop_is_told(market: Market) -> None:
    """By `status`, by the order's story and by the report: who, when, why."""
    twice_charged(market)
    assert market.run(*LIFT, verb="resolve").returncode == 0
    (report,) = market.reports()
    (lift,) = report["lifted"]
    assert (
        lift["reason"] == "seen at the gateway"
        and lift["by"]
        and "00002" in lift["stop"]
    )
    for flags, verb in (((), "status"), ((), "report")):
        assert (
            f"a stop was lifted by {lift['by']} on "
            in market.run(*flags, verb=verb).stdout
        )
    story = market.run("00002", verb="status").stdout
    assert (
        "a person lifted the stop: seen at the gateway" in story
        and f"(by {lift['by']})" in story
    )
    assert "lifted" not in market.run("00001", verb="status").stdout
    kept = {
        path: path.read_bytes() for path in (market.folder / "reports").glob("*/*.json")
    }
    assert market.run(verb="report").returncode == 10
    assert {path: path.read_bytes() for path in kept} == kept
