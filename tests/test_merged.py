"""Cells of a sheet that are merged over several rows, each with something of its own: what stands
in the first of them is charged to nobody before a person has said of what it is (E08). Against the
true program over real HTTP.
"""

from __future__ import annotations

import openpyxl
import pytest

from tests.inside import Inside
from tests.test_coming_back import rejected
from tests.test_doors import night
from tests.test_provenance import send
from tests.world import Market, order

MARKET = Inside


def sheet(market: Market, rows: list[dict[str, str]], *merged: str) -> int:
    """A night with these rows, and cells merged over several."""
    book = openpyxl.Workbook()
    for cells in (list(rows[0]), *(list(one.values()) for one in rows)):
        book.active.append(cells)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(market.folder / "a.xlsx")
    market.job(file="a.xlsx")
    return night(market)


def back(market: Market) -> list[dict[str, str]]:
    """The rows of the workbook that were sent back, as a program saves them as CSV."""
    (batch,) = {r["batch_id"] for r in market.results() if r["file"] == "a.xlsx"}
    path = market.folder / "reports" / batch / "rejects.xlsx"
    header, *lines = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [
        {str(name): str(cell or "") for name, cell in zip(header, line, strict=True)}
        for line in lines
    ]


def amounts(market: Market) -> dict[str, int]:
    return {c["metadata"]["order_id"]: c["amount"] for c in market.own_charges()}


LINES = [
    order(1, amount="100.00"),
    order(1, order_id="", amount="50.00"),
    order(1, order_id="", amount="25.00"),
]


@pytest.mark.fault("E08")
@pytest.mark.parametrize("merged", [["A2:A4"], ["A2:A4", "C2:C4", "D2:D4", "E2:E4"]])
def test_the_first_line_of_a_merged_id_is_not_charged_alone(
    market: Market, merged: list[str]
) -> None:
    """As it came, and with the ids filled in, it waits; the sum of all goes."""
    assert sheet(market, [*LINES, order(2)], *merged) == 10
    assert market.money() == {"00002": 1}
    first, *others = back(market)
    assert "merged over A2:A4" in first["batchpay_reason"]
    assert send(market, "b.csv", [first, *others]) == 10
    assert market.money() == {"00002": 1}
    filled = [first, *(line | order(1, amount=line["amount"]) for line in others)]
    assert send(market, "c.csv", filled) == 10
    assert market.money() == {"00002": 1}
    two = [first, filled[1] | {"amount": "75.00"}]
    assert send(market, "d.csv", two) == 10
    assert market.money() == {"00002": 1}
    again = rejected(market, "d")[0]
    assert send(market, "e.csv", [again | {"amount": "175.00"}]) == 0
    assert amounts(market) == {"00001": 17500, "00002": 10225}


@pytest.mark.fault("E08")
def test_a_row_of_a_merged_id_goes_when_somebody_says_that_it_is_right(
    market: Market,
) -> None:
    assert sheet(market, LINES, "A2:A4") == 10
    first, *_ = back(market)
    assert send(market, "b.csv", [first]) == 10
    (again,) = rejected(market, "b")
    assert send(market, "c.csv", [again]) == 10
    assert market.money() == {}
    assert send(market, "d.csv", [again | {"batchpay_retry": "yes"}]) == 0
    assert amounts(market) == {"00001": 10000}


@pytest.mark.fault("E08")
def test_an_amount_that_is_merged_over_several_orders_is_none_of_the_first(
    market: Market,
) -> None:
    orders = [order(1, amount="300.00"), order(2, amount=""), order(3)]
    assert sheet(market, orders, "B2:B3") == 10
    assert market.money() == {"00003": 1}
    first, second = back(market)
    assert "the amount is merged over B2:B3" in first["batchpay_reason"]
    right = [first | {"amount": "200.00"}, second | {"amount": "100.00"}]
    assert send(market, "b.csv", right) == 0
    assert amounts(market) == {"00001": 20000, "00002": 10000, "00003": 10325}


@pytest.mark.fault("E08")
def test_an_order_whose_id_and_amount_are_merged_alike_is_charged(
    market: Market,
) -> None:
    """Its lines have nothing to charge: the amount is the order's."""
    line = dict.fromkeys(order(1), "") | {"invoice": "INV-1b"}
    sheet(market, [order(1, amount="300.00"), line, order(2)], "A2:A3", "B2:B3")
    assert amounts(market) == {"00001": 30000, "00002": 10225}
