"""What this run did, apart from what its batches came to: from the journal, told by the true
program.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import jsonschema
import pytest

from batchpay.batches import stories
from batchpay.job.packaged import data_path
from batchpay.lifecycle.proof import Proof
from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside


def told(market: Market) -> dict[str, Any]:
    """The only report, which keeps its schema."""
    (report,) = market.reports()
    jsonschema.validate(
        report, json.loads(data_path("schemas/report.schema.json").read_text("utf-8"))
    )
    return report


@pytest.mark.fault("I10", "L9")
def test_a_run_that_sent_nothing_says_so(market: Market) -> None:
    """The second night charged nothing; the batch's sum stands beside it, and the report is still
    the first run's.
    """
    market.orders([order(1), order(2)])
    market.job()
    first = json.loads(market.run("--json").stdout)
    assert first["run"]["sent"] == 2
    assert first["run"]["charged"] == [
        {"currency": "THB", "sum_minor": 20350, "sum": "203.50"}
    ]
    report = told(market)
    assert report["run"] == {**first["run"]} and report["run"]["exit_code"] == 0
    again = market.run("--summary")
    assert (
        "charged 203.50 THB" in again.stdout
        and "sent 0 orders, charged nothing" in again.stdout
    )
    before = {
        path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    }
    assert market.run(verb="report").returncode == 0
    assert {
        path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    } == before
    assert told(market) == report


def test_each_run_tells_of_its_own(market: Market) -> None:
    """Ten at first, the rest later: each run's sums are its own, the batch's are both."""
    market.orders([order(number) for number in range(4)])
    limits = 'max_total = { THB = "50000.00" }\nmax_failures = "20%"'
    fee = '[fee]\nfixed = { THB = 500 }\npercentage = "10.5"'
    market.job(more=f"[controls]\n{limits}\n{fee}")
    assert market.run("--limit", "1").returncode == 11
    first = told(market)
    assert (first["run"]["sent"], first["currencies"][0]["charged_minor"]) == (1, 10025)
    assert (first["run"]["verb"], first["run"]["flags"]) == ("run", ["--limit 1"])
    settings = {
        "rate": first["run"]["settings"]["rate"],
        "max_total": "50,000.00 THB",
        "max_failures": "20%",
        "fee": "5.00 THB + 10.5%",
    }
    assert first["run"]["settings"] == settings
    assert "limited to 1 order" in first["run"]["held"] and first["who_acts"] == {
        "next run": 3
    }
    assert market.run().returncode == 0
    second = told(market)
    assert second["run"]["id"] != first["run"]["id"] and second["run"]["held"] == ""
    assert (second["run"]["flags"], second["run"]["settings"]) == (
        [],
        first["run"]["settings"],
    )
    assert (second["run"]["sent"], second["run"]["charged"][0]["sum_minor"]) == (
        3,
        10125 + 10225 + 10325,
    )
    assert second["currencies"][0]["charged_minor"] == 4 * 10025 + 600


def test_what_was_pending_is_charged_in_the_run_that_hears_of_it(
    market: Market,
) -> None:
    """Sent by one run, charged as far as anybody knew in another."""
    header = "order_id,amount,currency,recipient,source,invoice\n"
    (market.folder / "orders.csv").write_text(
        header + "q1,50.00,THB,recp_test_sandbox1,src_test_sandbox1,i\n"
    )
    path = market.job(more='[report]\nformats = ["json", "html"]')
    path.write_text(
        path.read_text().replace('card        = "card"', 'source      = "source"')
    )
    assert market.run().returncode == 11
    assert (told(market)["run"]["sent"], told(market)["run"]["charged"]) == (1, [])
    (charge,) = market.sandbox.charges()
    httpx.post(
        f"{market.sandbox.url}/charges/{charge['id']}/mark_as_paid",
        auth=(KEY, ""),
        trust_env=False,
    )
    assert market.run(verb="settle").returncode == 0
    run = told(market)["run"]
    assert (run["sent"], run["looked_up"], run["charged"][0]["sum_minor"]) == (
        0,
        1,
        5000,
    )
    assert run["verb"] == "settle"
    (page,) = (market.folder / "reports").glob("2*/report.html")
    text = " ".join(re.sub("<[^>]*>", " ", page.read_text("utf-8")).split())
    assert "Started as batchpay settle job.toml" in text
    sent = market.sandbox.charges()[0]["metadata"]["batchpay_run"]
    assert f"{sent} batchpay run job.toml " in text


def test_money_is_told_to_everybody_who_has_some_of_it(market: Market) -> None:
    """Asked, charged, fees and VAT in their currency, what is left, the platform's and the
    recipients' shares.
    """
    market.orders([order(1), order(2, amount="x")])
    market.job(more='[fee]\nfixed = { THB = 500 }\npercentage = "10.5"')
    assert market.run().returncode == 10
    report, (row, _) = told(market), market.results()
    (thb,) = (one for one in report["currencies"] if one["currency"] == "THB")
    assert (thb["asked_minor"], thb["charged_minor"]) == (10125, 10125)
    assert (thb["platform_fee_minor"], thb["recipient_amount_minor"]) == (
        int(row["platform_fee"]),
        int(row["recipient_amount"]),
    )
    (fees,) = thb["fees"]
    assert fees["fee_currency"] == row["fee_currency"]
    assert [fees[f"{name}_minor"] for name in ("fee", "fee_vat", "net")] == [
        int(row[name]) for name in ("fee", "fee_vat", "net")
    ]


def test_every_party_that_must_act_is_named_with_its_rows(market: Market) -> None:
    """Beside the exit code and in the report, not only the worst one's."""
    declined = [order(n, card=f"tokn_test_sandbox{n:05d}0011") for n in (1, 2)]
    market.orders([*declined, order(3, amount="x"), order(4), order(5)])
    market.job()
    made = market.run("--limit", "3")
    assert made.returncode == 11, made.stdout
    last = made.stdout.splitlines()[-1]
    for party in (
        "the accountant: 1 order ",
        "the payer: 2 orders ",
        "the next run: 1 order ",
    ):
        assert party in last, last
    assert told(market)["who_acts"] == {"accountant": 1, "next run": 1, "payer": 2}


@pytest.mark.fault("J24")
def test_a_run_that_could_not_look_leaves_good_reports_as_they_were(
    market: Market,
) -> None:
    """A refused key, a gateway that is silent, a job that reads every row otherwise: not a byte
    changes.
    """
    market.orders([order(1), order(2, amount="x")])
    market.job()
    assert market.run().returncode == 10
    before = {
        path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    }
    market.job(more='[controls]\nmax_amount = { THB = "0.50" }')
    assert market.run(OMISE_SECRET_KEY="skey_test_wrong0123456789").returncode in (
        77,
        78,
    )
    market.sandbox.add_rule({"method": "GET", "path": "/*", "status": 503})
    silent = market.run("--summary")
    assert {
        path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    } == before
    assert "are as they were" in silent.stdout


def test_a_night_without_a_file_leaves_a_report(market: Market) -> None:
    """report.json and manifest in a folder of its own, 0, silent; never without `optional`."""
    market.job()
    assert market.run().returncode == 66
    assert not (market.folder / "reports").exists()
    market.job(input="optional = true")
    quiet = market.run()
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    report = told(market)
    assert (
        report["batch"]["id"].endswith("-no-input")
        and report["exit_code"] == report["run"]["exit_code"] == 0
    )
    (folder,) = (market.folder / "reports").glob("2*")
    assert folder.name == report["batch"]["id"]
    assert {path.name for path in folder.iterdir()} == {"report.json", "manifest.json"}
    last = json.loads(market.run("--json", verb="status").stdout)["last_run"]
    assert (last["exit_code"], last["started"], last["run"]) == (
        0,
        report["run"]["started"],
        report["run"]["id"],
    )


def test_status_tells_of_the_last_run_and_of_the_one_that_is_on(market: Market) -> None:
    """Who runs, since when, and what it has in hand is not listed as waiting; afterwards how it
    ended, or that it did not.
    """
    market.orders([order(number) for number in range(30)])
    market.job()
    assert market.run("--limit", "1").returncode == 11
    market.job(rate="4/s")
    with market.start("run", "job.toml") as process:
        until = time.monotonic() + 60
        while market.posts() < 2 and time.monotonic() < until:
            time.sleep(0.1)
        during = json.loads(market.run("--json", verb="status").stdout)
        process.kill()
    assert during["running"]["pid"] == str(process.pid) and during["running"]["started"]
    assert (during["last_run"]["run"], during["last_run"]["ended"]) == (
        during["running"]["run"],
        "",
    )
    (batch,) = during["batches"]
    assert (batch["open"], batch["open_count"]) == ([], 0) and batch["in_work"] > 0
    killed = market.run(verb="status")
    assert "did not end" in killed.stdout and "running now" not in killed.stdout
    assert "before batchpay report " in killed.stdout
    # what held them the night before held none that went since
    assert "not sent yet" in killed.stdout and "--limit" not in killed.stdout
    market.job()
    assert market.run().returncode == 0
    ended = json.loads(market.run("--json", verb="status").stdout)
    assert (ended["running"], ended["last_run"]["exit_code"]) == (None, 0)


def test_an_orders_whole_story(market: Market) -> None:
    """Every row that asks for it and every event in words, with time, attempt and charge; an
    unknown one is 64.
    """
    market.orders([order(1), order(2, amount="x")])
    market.job()
    market.run()
    story = json.loads(market.run("00001", "--json", verb="status").stdout)
    (row,) = market.results()[:1]
    assert [(one["row"], one["outcome"]) for one in story["rows"]] == [(2, "succeeded")]
    assert [event["kind"] for event in story["events"]] == [
        "intent",
        "answer",
        "transfer",
    ]
    assert (
        story["events"][1]["charge"] == row["charge_id"]
        and row["idempotency_key"] in story["events"][0]["told"]
    )
    (attempt,) = story["attempts"]
    assert (attempt["amount"], attempt["currency"], attempt["sends"]) == (
        10125,
        "THB",
        1,
    )
    assert (
        attempt["charge"]["recipient_amount"] == attempt["transfer"]["amount"] == 10125
    )
    said = market.run("00001", verb="status").stdout
    for line in (
        "  attempt 1: 101.25 THB from card *4242 for recp_test_sandbox1, sent once",
        f"    charge    {row['charge_id']} successful, 101.25 THB; fee 3.70 THB; VAT 0.26 THB; net",
        f"    transfer  {row['transfer_id']} created, 101.25 THB; the bank gets 71.25 THB",
    ):
        assert line in said, said
    assert (
        row["charge_id"] in said and "which proves a charge as it was asked for" in said
    )
    assert stories._PROVES.keys() == set(Proof)
    assert "rejected" in market.run("00002", verb="status").stdout
    assert market.run("00009", verb="status").returncode == 64


@pytest.mark.fault("J32")
def test_adopted_charges_that_no_file_asked_for_are_told(market: Market) -> None:
    """The journal was lost and the file did not come again: in status and in a report, with their
    sums.
    """
    market.orders([order(1), order(2)])
    market.job()
    assert market.run().returncode == 0
    for path in (market.folder / "state").iterdir():
        path.unlink()
    market.orders([order(9)])
    adopting = market.run("--adopt", "--json")
    assert adopting.returncode == 0, adopting.stdout
    run = json.loads(adopting.stdout)["run"]
    assert (
        run["sent"],
        run["adopted"]["count"],
        run["adopted"]["charged"][0]["sum_minor"],
    ) == (
        1,
        2,
        20350,
    )
    assert run["charged"][0]["sum_minor"] == 10925
    status = json.loads(market.run("--json", verb="status").stdout)["adopted_elsewhere"]
    kept = json.loads(
        (market.folder / "reports" / "adopted" / "adopted.json").read_text()
    )
    assert (
        status["charged"]
        == kept["charged"]
        == [{"currency": "THB", "sum_minor": 20350}]
    )
    assert {one["order"] for one in kept["charges"]} == {"00001", "00002"}
    assert (
        "in no row of a report: 2 charges, charged 203.50 THB"
        in market.run(verb="status").stdout
    )


@pytest.mark.fault("B31", "I2")
def test_both_charges_of_an_order_are_money_that_moved_in_the_run_that_made_them(
    market: Market,
) -> None:
    """A row is about one of them; what the run charged is what the gateway took, and the next run
    charged nothing.
    """
    market.job()
    market.orders([order(1), order(2)])
    market.sandbox.add_rule(action="double", order_id="00001")
    assert market.run().returncode == 12
    taken = sum(
        charge["amount"]
        for charge in market.own_charges()
        if charge["status"] == "successful"
    )
    assert [charge["metadata"]["order_id"] for charge in market.own_charges()].count(
        "00001"
    ) == 2
    (thb,) = told(market)["run"]["charged"]
    assert (thb["currency"], thb["sum_minor"]) == ("THB", taken)
    # beside each other in the summary: of all runs it is the same money
    (line,) = re.findall(
        r"THB charged +(.*)", market.run("--summary", verb="settle").stdout
    )
    assert line.split()[-1] == f"{taken / 100:,.2f}"
    later = json.loads(market.run("--json").stdout)
    assert later["run"]["charged"] == []
