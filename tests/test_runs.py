"""What this run did, apart from what its batches came to: from the journal, told by the true program."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema
import pytest

from batchpay.data import data_path
from tests.world import KEY, Market, order


def told(market: Market) -> dict[str, Any]:
    """The only report, which keeps its schema."""
    (report,) = market.reports()
    jsonschema.validate(report, json.loads(data_path("schemas/report.schema.json").read_text("utf-8")))
    return report


@pytest.mark.fault("I10", "L9")
def test_a_run_that_sent_nothing_says_so(market: Market) -> None:
    """The second night charged nothing; the batch's sum stands beside it, and the report is still the first run's."""
    market.orders([order(1), order(2)])
    market.job()
    first = json.loads(market.run("--json").stdout)
    assert first["run"]["sent"] == 2
    assert first["run"]["charged"] == [{"currency": "THB", "sum_minor": 20350, "sum": "203.50"}]
    report = told(market)
    assert report["run"] == {**first["run"]} and report["run"]["exit_code"] == 0
    again = market.run("--summary")
    assert "charged 203.50 THB" in again.stdout and "sent 0 orders, charged nothing" in again.stdout
    before = {path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")}
    assert market.run(verb="report").returncode == 0
    assert {path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")} == before
    assert told(market) == report


def test_each_run_tells_of_its_own(market: Market) -> None:
    """Ten at first, the rest later: each run's sums are its own, the batch's are both."""
    market.orders([order(number) for number in range(4)])
    market.job()
    assert market.run("--limit", "1").returncode == 11
    first = told(market)
    assert (first["run"]["sent"], first["currencies"][0]["charged_minor"]) == (1, 10025)
    assert "limited to 1 order" in first["run"]["held"] and first["who_acts"] == {"next run": 3}
    assert market.run().returncode == 0
    second = told(market)
    assert second["run"]["id"] != first["run"]["id"] and second["run"]["held"] == ""
    assert (second["run"]["sent"], second["run"]["charged"][0]["sum_minor"]) == (3, 10125 + 10225 + 10325)
    assert second["currencies"][0]["charged_minor"] == 4 * 10025 + 600


def test_what_was_pending_is_charged_in_the_run_that_hears_of_it(market: Market) -> None:
    """Sent by one run, charged as far as anybody knew in another."""
    header = "order_id,amount,currency,recipient,source,invoice\n"
    (market.folder / "orders.csv").write_text(header + "q1,50.00,THB,recp_test_sandbox1,src_test_sandbox1,i\n")
    path = market.job()
    path.write_text(path.read_text().replace('card        = "card"', 'source      = "source"'))
    assert market.run().returncode == 11
    assert (told(market)["run"]["sent"], told(market)["run"]["charged"]) == (1, [])
    (charge,) = market.sandbox.charges()
    httpx.post(f"{market.sandbox.url}/charges/{charge['id']}/mark_as_paid", auth=(KEY, ""), trust_env=False)
    assert market.run(verb="settle").returncode == 0
    run = told(market)["run"]
    assert (run["sent"], run["looked_up"], run["charged"][0]["sum_minor"]) == (0, 1, 5000)


def test_money_is_told_to_everybody_who_has_some_of_it(market: Market) -> None:
    """Asked, charged, fees and VAT in their currency, what is left, the platform's and the recipients' shares."""
    market.orders([order(1), order(2, amount="x")])
    market.job(more='[fee]\nfixed = { THB = 500 }\npercentage = "10.5"')
    assert market.run().returncode == 10
    report, (row, _) = told(market), market.results()
    (thb,) = (one for one in report["currencies"] if one["currency"] == "THB")
    assert (thb["asked_minor"], thb["charged_minor"]) == (10125, 10125)
    assert (thb["platform_fee_minor"], thb["recipient_amount_minor"]) == (
        int(row["platform_fee"]), int(row["recipient_amount"]),
    )  # fmt: skip
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
    for party in ("the accountant: 1 row ", "the payer: 2 rows ", "the next run: 1 row "):
        assert party in last, last
    assert told(market)["who_acts"] == {"accountant": 1, "next run": 1, "payer": 2}
