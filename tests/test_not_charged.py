"""Why rows were not charged: each row that was not stands in it once, so that it adds up with the
counts beside the verdict.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from openpyxl import load_workbook

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.world import BY_CUSTOMER, Market, order

MARKET = Inside
FORMATS = '[report]\nformats = ["csv", "json", "xlsx", "html"]\n'
CHARGED = ("succeeded", "unproven")


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def night_of_every_kind(market: Market, language: str = "en") -> Path:
    """Rows of each outcome that is no charge, some with two faults; returns the folder."""
    more = f'{FORMATS}language = "{language}"\n'
    market.job(more=more, **BY_CUSTOMER)
    card = {"card": "cust_test_sandbox4242"}
    rows = [
        order(1, **card),
        order(2, card="cust_test_gone4242"),
        order(3, amount="x", recipient=""),
        order(4, amount="y"),
        order(5, card="cust_test_sandbox0011"),
        order(6, **card),
        order(6, amount="77.00", **card),
        order(1, **card),
        order(7, card="cust_test_sandbox3ds0007"),
        order(8, card="cust_test_sandbox3ds0008"),
        *(order(number, **card) for number in range(20, 25)),
    ]
    market.orders(rows)
    market.sandbox.add_rule(order_id="00008", becomes="pending", times=1)
    market.run("--limit", "6")
    (folder,) = (market.folder / "reports").glob("2*")
    return folder


def reasons_on_the_page(page: str) -> list[tuple[str, int]]:
    """Outcome and rows of each line of the section."""
    start = page.index('<section aria-labelledby="codes">')
    table = page[start : page.index("</section>", start)]
    found = []
    for line in re.findall(r"<tr><th scope=\"row\">.*?</tr>", table):
        outcome = re.search(r'<span class="dot (\w+)">', line)
        cells = re.findall(r'<td class="n">(.*?)</td>', line)
        assert outcome is not None
        found.append((outcome[1], int(unescape(cells[0]))))
    return found


@pytest.mark.parametrize("language", ["en", "ja", "th"])
def test_each_row_that_was_not_charged_has_one_reason(
    market: Market, language: str
) -> None:
    """The lines of the page and of the workbook add up to the rows of each outcome, and to all of
    them but those that were charged.
    """
    folder = night_of_every_kind(market, language)
    wanted = Counter(
        row["outcome"] for row in market.results() if row["outcome"] not in CHARGED
    )
    assert {"held", "conflict", "pending", "duplicate", "rejected"} <= wanted.keys()
    assert {"refused", "declined"} <= wanted.keys()
    page = (folder / "report.html").read_text("utf-8")
    told = Counter[str]()
    for outcome, rows in reasons_on_the_page(page):
        told[outcome] += rows
    assert told == wanted
    book = load_workbook(folder / "report.xlsx")
    sheet = book.worksheets[[*book.sheetnames].index("By code")]
    lines = list(sheet.iter_rows(min_row=2, values_only=True))
    rows = [line[4] for line in lines if isinstance(line[4], int)]
    assert sum(rows) == wanted.total()
    assert any(str(line[4]).startswith("=SUM(") for line in lines)
