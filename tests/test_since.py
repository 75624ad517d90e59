"""What changed since the last report of a batch stands on its page and in its workbook; a conflict
names the cells that differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from openpyxl import load_workbook

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.test_following import turn
from tests.world import BY_CUSTOMER, Market, order

MARKET = Inside
FORMATS = '[report]\nformats = ["csv", "json", "xlsx", "html"]\n'


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def told(market: Market, file: str) -> tuple[str, set[str]]:
    """The page of a file, and the lines of the first sheet of its workbook."""
    for page in (market.folder / "reports").glob("2*/report.html"):
        text = unescape(page.read_text("utf-8"))
        if f"<h1>{file}" in text:
            book = load_workbook(page.with_name("report.xlsx"))
            return text, {str(cell.value) for cell in book["Summary"]["A"]}
    raise AssertionError(file)


def test_what_changed_since_the_last_report_is_told(market: Market) -> None:
    """A first report has nothing to compare; a charge that is paid later and a share that arrives
    are counts before and after.
    """
    market.job(more=FORMATS)
    pays_later = order(2, card="tokn_test_sandbox3ds0002")
    market.orders([order(1), pays_later])
    assert market.run().returncode == 11
    page, lines = told(market, "orders.csv")
    assert "Since the report of" not in page
    turn(market, "00002", "successful")
    turn(market, "00001", "transfer_paid")
    market.run(verb="settle")
    page, lines = told(market, "orders.csv")
    assert "Since the report of" in page
    changes = (
        "succeeded: 1 → 2",
        "pending: 1 → 0",
        "Charged: 101.25 THB → 203.50 THB",
        "Transfer stands: arrived: 0 → 1",
    )
    for change in changes:
        assert change in page, change
        assert change in lines, change
    before = page
    assert market.run(verb="report").returncode == 0
    assert told(market, "orders.csv")[0] == before


@pytest.mark.fault("E10")
def test_a_conflict_names_the_cells_that_differ(market: Market) -> None:
    """Column, the cell there and the cell here: of a row in its own file, and of one that was
    charged from another file; what pays is shown by its last characters.
    """
    market.job(file="*.csv", more=FORMATS, **BY_CUSTOMER)
    card = {"card": "cust_test_sandbox4242"}
    market.orders([order(1, **card)], name="a.csv")
    assert market.run().returncode == 0
    other = {"amount": "7.00", "card": "cust_test_sandbox1111"}
    rivals = [order(2, **card), order(2, amount="9.00", **card)]
    market.orders([order(1, **card | other), *rivals], name="b.csv")
    assert market.run().returncode == 10
    page, _ = told(market, "b.csv")
    assert "amount: '101.25' there, '7.00' here" in page
    assert "card: 'customer *4242' there, 'customer *1111' here" in page
    assert "amount: '9.00' there, '102.25' here" in page
    assert "amount: '102.25' there, '9.00' here" in page
    assert "cust_test_sandbox" not in page
    for report in (market.folder / "reports").glob("2*/report.xlsx"):
        action = load_workbook(report)["Needs action"]
        said = " ".join(
            str(cell)
            for row in action.iter_rows(values_only=True)
            for cell in row
            if cell
        )
        if "b.csv" in str(report) or "9.00" in said:
            assert "amount: '9.00' there, '102.25' here" in said
