"""A sum that the gateway tells, and that nobody can read, is unknown: never nothing, and never as
if it had not been told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openpyxl import load_workbook

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.test_costs import SCHEMA
from tests.world import Market, order

MARKET = Inside
FEE = '[fee]\nfixed = { THB = 500 }\npercentage = "10.5"\n'
FORMATS = '[report]\nformats = ["csv", "json", "xlsx", "html"]\n'


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield MARKET(tmp_path, sandbox)


def one_night(market: Market, change: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Two orders, of which the gateway says something odd of the second: the exit code, and its
    row.
    """
    market.job(more=FEE + FORMATS)
    market.orders([order(1), order(2)])
    market.sandbox.add_rule(
        method="*", path="/charges*", order_id="00002", change=change
    )
    code = market.run().returncode
    rows = {row["order_id"]: row for row in market.results()}
    return code, rows["00002"]


def told_in(market: Market) -> dict[str, Any]:
    """What report.json says of the only currency."""
    (report,) = market.reports()
    jsonschema.validate(report, SCHEMA)
    (told,) = report["currencies"]
    return dict(told)


def page_of(market: Market) -> str:
    (folder,) = (market.folder / "reports").glob("2*")
    return (folder / "report.html").read_text("utf-8")


@pytest.mark.fault("B15", "J19", "L7")
@pytest.mark.parametrize(
    ("captured", "shown"),
    [(5000.0, "5000.0"), ("5000", '"5000"'), (2**64, str(2**64)), (-1, "-1")],
)
def test_a_captured_amount_that_nobody_can_read_proves_nothing(
    market: Market, captured: Any, shown: str
) -> None:
    """It may be a part: a stop, with what came, and no sum has any part of the charge."""
    code, row = one_night(market, {"captured_amount": captured})
    assert (code, row["outcome"]) == (12, "unproven")
    assert f"captured_amount cannot be read: {shown}" in row["reason"]
    for column in ("charged_amount", "platform_fee", "recipient_amount", "fee", "net"):
        assert row[column] == "", column
    told = told_in(market)
    assert (told["charged_unknown"], told["recipient_amount_unknown"]) == (1, 1)
    first = next(row for row in market.results() if row["order_id"] == "00001")
    assert told["charged_minor"] == int(first["amount"])


@pytest.mark.fault("B15", "L7")
def test_a_captured_amount_that_is_not_told_hides_nothing(market: Market) -> None:
    """As of the gateway's versions that have none."""
    code, row = one_night(market, {"captured_amount": None})
    assert (code, row["outcome"], row["reason"]) == (0, "succeeded", "")


@pytest.mark.fault("B15", "J19", "L7")
@pytest.mark.parametrize("amount", ["10225", 2**70, 10225.0, None, True, []])
def test_an_amount_that_nobody_can_read_is_in_no_sum_before_and_after_a_word(
    market: Market, amount: Any
) -> None:
    """It is told as it came; nothing is said to have been charged, and no share is below zero, also
    where a person takes it as it is.
    """
    change = {"amount": amount, "captured_amount": amount}
    code, row = one_night(market, change)
    assert (code, row["outcome"]) == (12, "unproven")
    assert (
        "amount cannot be read: " in row["reason"] and "got 0.00" not in row["reason"]
    )
    assert (
        market.run(
            "00002",
            "--as",
            f"charged:{row['charge_id']}",
            "--reason",
            "seen",
            verb="resolve",
        ).returncode
        == 0
    )
    assert market.run("--lift-stop", "--reason", "seen", verb="resolve").returncode == 0
    again = market.run("--summary")
    assert again.returncode == 10
    said = "nobody can read how much it took: 1 charge in THB"
    assert said in again.stdout
    (row,) = [row for row in market.results() if row["order_id"] == "00002"]
    assert row["charged_amount"] == row["platform_fee"] == row["recipient_amount"] == ""
    told = told_in(market)
    assert (told["charged_unknown"], told["recipient_amount_unknown"]) == (1, 1)
    assert told["recipient_amount_minor"] > 0 and told["earned"][0]["sum_minor"] > 0
    (report,) = market.reports()
    assert said in report["verdict"] and said in page_of(market)
    story = market.run("00002", verb="status")
    assert story.returncode == 10 and "cannot be read" in story.stdout


@pytest.mark.fault("J15", "B15", "L7")
@pytest.mark.parametrize(
    ("commission", "flaw", "is_share_known"),
    [
        ({"fixed": "500"}, 'platform_fee[fixed] cannot be read: "500"', True),
        ({"percentage": "x"}, 'platform_fee[percentage] cannot be read: "x"', True),
        ({"amount": "1574"}, 'platform_fee[amount] cannot be read: "1574"', False),
        (1574, "platform_fee cannot be read: 1574", False),
    ],
)
def test_a_commission_that_nobody_can_read_is_not_said_to_be_none(
    market: Market, commission: Any, flaw: str, *, is_share_known: bool
) -> None:
    """The part that cannot be read is named, and what the recipient gets is not known by it."""
    if isinstance(commission, dict):
        commission = {"fixed": 500, "percentage": 10.5, "amount": 1574, **commission}
    code, row = one_night(market, {"platform_fee": commission})
    assert (code, row["outcome"]) == (12, "unproven")
    assert flaw in row["reason"] and "got none" not in row["reason"]
    assert bool(row["recipient_amount"]) is is_share_known


@pytest.mark.fault("B15", "L7")
def test_a_commission_that_nobody_asked_for_and_nobody_can_read_is_a_flaw(
    market: Market,
) -> None:
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(
        method="POST", path="/charges", change={"platform_fee": {"amount": "500"}}
    )
    assert market.run().returncode == 12
    (row,) = market.results()
    assert (row["outcome"], row["recipient_amount"]) == ("unproven", "")


@pytest.mark.fault("B15")
@pytest.mark.parametrize("name", ["fee", "fee_vat", "net"])
@pytest.mark.parametrize("value", [5.5, "373", 2**70])
def test_costs_that_nobody_can_read_are_in_no_sum_and_counted(
    market: Market, name: str, value: Any
) -> None:
    """The charge succeeded; what is ours is told without its costs, and that this is so."""
    code, row = one_night(market, {name: value})
    assert (code, row["outcome"]) == (0, "succeeded")
    assert (row["fee"], row["fee_vat"], row["net"]) == ("", "", "")
    assert f"{name} cannot be read: {json.dumps(value)}" in row["warnings"]
    told = told_in(market)
    assert told["costs_left_out"] == 1
    (first,) = [row for row in market.results() if row["order_id"] == "00001"]
    (fees,) = told["fees"]
    assert [fees[f"{one}_minor"] for one in ("fee", "fee_vat", "net")] == [
        int(first[one]) for one in ("fee", "fee_vat", "net")
    ]
    assert "what is ours is told without them" in page_of(market)


@pytest.mark.fault("B15")
@pytest.mark.parametrize("names", [["fee"], ["net"], ["fee", "fee_vat", "net"]])
def test_of_costs_that_are_not_told_nobody_is_warned(
    market: Market, names: list[str]
) -> None:
    """What is told stands in its column; that what is ours is told without the rest is said."""
    code, row = one_night(market, dict.fromkeys(names))
    assert (code, row["outcome"], row["warnings"]) == (0, "succeeded", "")
    empty = [name for name in ("fee", "fee_vat", "net") if not row[name]]
    assert empty == names
    assert told_in(market)["costs_left_out"] == 1
    assert "what is ours is told without them" in page_of(market)


@pytest.mark.fault("B15")
def test_interest_that_the_merchant_bears_is_taken_off_what_is_ours(
    market: Market,
) -> None:
    """In every form of report, and only where there is any: what is ours, what the gateway kept
    and the share are what was charged.
    """
    market.job(more=FEE + FORMATS)
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    plain = told_in(market)
    assert "interest" not in plain["fees"][0] and "Interest" not in page_of(market)
    market.orders([order(3), order(4)])
    market.sandbox.add_rule(
        method="POST",
        path="/charges",
        order_id="00004",
        change={"interest": 1000, "interest_vat": 70, "net": 8000},
    )
    assert market.run().returncode == 0
    reports = sorted(
        (market.folder / "reports").glob("2*"), key=lambda one: one.stat().st_ctime
    )
    folder = reports[-1]
    report = json.loads((folder / "report.json").read_text("utf-8"))
    jsonschema.validate(report, SCHEMA)
    (told,) = report["currencies"]
    (fees,), (ours,) = told["fees"], told["earned"]
    assert (fees["interest_minor"], told["costs_left_out"]) == (1070, 0)
    kept = fees["fee_minor"] + fees["fee_vat_minor"] + fees["interest_minor"]
    assert ours["sum_minor"] == told["platform_fee_minor"] - kept
    page = (folder / "report.html").read_text("utf-8")
    assert "10.70 THB Interest with VAT" in page
    sheet = load_workbook(folder / "report.xlsx")["Summary"]
    cells = {str(cell.value): cell.row for row in sheet.iter_rows() for cell in row}
    at = cells["Ours"]
    assert sheet.cell(at, 5).value == "Interest with VAT"
    assert (
        sheet.cell(at + 1, 6).value
        == f"=SUM(B{at + 1},-C{at + 1},-D{at + 1},-E{at + 1})"
    )


@pytest.mark.fault("J29")
@pytest.mark.parametrize(("mode", "outcome"), [("hold", "held"), ("send", "succeeded")])
def test_a_share_of_nothing_is_held_in_whichever_currency(
    market: Market, mode: str, outcome: str
) -> None:
    """The gateway tells its smallest transfer in the account's currency alone; one of nothing is
    below any.
    """
    market.job(
        more="[fee]\nfixed = { THB = 500, JPY = 5000 }\n"
        f'[controls]\nmin_share = "{mode}"\n'
    )
    market.orders([order(1), order(2, amount="5000", currency="JPY")])
    market.run()
    rows = {row["order_id"]: row for row in market.results()}
    assert (rows["00001"]["outcome"], rows["00002"]["outcome"]) == (
        "succeeded",
        outcome,
    )
    if mode == "hold":
        assert (
            "share would be 0 JPY, which no transfer is made of"
            in rows["00002"]["reason"]
        )
        assert rows["00002"]["who_acts"] == "accountant"


def becomes(market: Market, change: dict[str, Any]) -> None:
    """What the gateway tells of the first order's transfer from now on, by its id alone."""
    name = next(row for row in market.results() if row["order_id"] == "00001")[
        "transfer_id"
    ]
    market.sandbox.add_rule(
        method="GET", path="/transfers", status=404, body={"object": "error"}
    )
    market.sandbox.add_rule(method="GET", path=f"/transfers/{name}", change=change)


@pytest.mark.fault("J29", "B15")
@pytest.mark.parametrize(
    ("change", "word", "code"),
    [
        ({"amount": "8651"}, 'its amount cannot be read: "8651"', 12),
        ({"net": 5651.5}, "its net cannot be read: 5651.5", 12),
        ({"total_fee": 2**70}, f"its total_fee cannot be read: {2**70}", 12),
        ({"amount": None}, "", 0),
    ],
)
def test_a_transfer_that_nobody_can_read_is_for_a_person_and_in_no_sum(
    market: Market, change: dict[str, Any], word: str, code: int
) -> None:
    """It is not said to be of 0.00; one that tells nothing is asked about no further."""
    market.job(more=FORMATS)
    market.orders([order(1)])
    assert market.run().returncode == 0
    becomes(market, change)
    assert market.run(verb="settle").returncode == code
    (row,) = market.results()
    assert row["transfer_status"] == "created" and word in row["reason"]
    (transfers,) = told_in(market)["transfers"]
    name = {"net": "bank", "total_fee": "fee"}.get(*change, "amount")
    assert transfers[f"{name}_unknown"] == 1
    assert "+ 1 × ?" in page_of(market)
