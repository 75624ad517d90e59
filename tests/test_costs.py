"""What the gateway says it kept of a charge, and that cannot be true, is in no sum: it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from openpyxl import load_workbook

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside
SCHEMA = json.loads(Path("schemas/report.schema.json").read_text("utf-8"))
LIES: dict[str, dict[str, int]] = {
    "a fee of ten million": {"fee": 10**9},
    "a net below zero": {"net": -5},
    "a VAT below zero": {"fee_vat": -29},
    "a net above the charge": {"net": 10**7},
}


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


@pytest.mark.parametrize("lie", LIES)
def test_costs_that_cannot_be_are_in_no_sum_and_told(market: Market, lie: str) -> None:
    """Of three charges one lies: the sums are those of the two others in every file, and the row,
    the page, the workbook and report.json say that one was left out; an audit finds it.
    """
    market.job(more='[report]\nformats = ["csv", "json", "xlsx", "html"]\n')
    market.orders([order(1), order(2), order(3)])
    market.sandbox.add_rule(
        method="POST", path="/charges", order_id="00002", change=LIES[lie]
    )
    assert market.run().returncode == 0
    rows = {row["order_id"]: row for row in market.results()}
    lying = rows["00002"]
    assert (lying["outcome"], lying["fee"], lying["net"]) == ("succeeded", "", "")
    assert "cannot be true" in lying["warnings"]
    (report,) = market.reports()
    jsonschema.validate(report, SCHEMA)
    (told,) = report["currencies"]
    assert told["costs_left_out"] == 1
    (fees,) = told["fees"]
    for name in ("fee", "fee_vat", "net"):
        honest = sum(int(rows[one][name]) for one in ("00001", "00003"))
        assert fees[f"{name}_minor"] == honest
    (folder,) = (market.folder / "reports").glob("2*")
    said = "fee, VAT or net of 1 charge in THB"
    assert said in (folder / "report.html").read_text("utf-8")
    summary = load_workbook(folder / "report.xlsx")["Summary"]
    assert any(said in str(cell.value) for cell in summary["A"])
    today = datetime.now(UTC).date()
    days = ("--from", str(today - timedelta(1)), "--to", str(today))
    audited = market.run("--json", *days, verb="audit")
    assert audited.returncode == 12
    noted = market.run(*days, verb="audit")
    for one in json.loads(audited.stdout)["differences"]:
        said = ("--note", one["id"], "--reason", "asked the gateway")
        noted = market.run(*days, *said, verb="audit")
    assert noted.returncode == 0, noted.stdout
    assert market.run(verb="report").returncode == 0
    assert market.reports() == [report]
