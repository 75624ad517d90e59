"""A file that is corrected where it lies, and one of whose columns was sorted or shifted alone on
the way: nobody is charged another's amount, or for another's seller.

Each test is a story of nights of the true program over real HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tests.inside import Inside
from tests.test_coming_back import found, rejected
from tests.test_sale import DECLINED, inbox, job, night
from tests.test_sale import sale as one_sale
from tests.world import Market

MARKET = Inside
SHOPS = {f"Shop {n}": f"recp_test_sandbox{n}" for n in range(1, 9)}
BY_SHOP = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
Rows = list[dict[str, str]]


def sale(number: int, **changes: str) -> dict[str, str]:
    """A row of an own shop and amount."""
    told = {
        "recipient": f"Shop {number * 3 % 8 + 1}",
        "amount": f"{number * 37 % 100 + 100}.00",
    }
    return one_sale(number, **{**told, **changes})


def shops(market: Market, table: dict[str, str] = SHOPS) -> None:
    lines = "".join(f"{name},{recipient}\n" for name, recipient in table.items())
    (market.folder / "shops.csv").write_text(f"shop,id\n{lines}", "utf-8")


def with_column(rows: Rows, column: str, cells: Iterable[str]) -> Rows:
    """The rows with other cells in one column alone."""
    return [{**row, column: cell} for row, cell in zip(rows, list(cells), strict=True)]


def charged(market: Market) -> dict[str, tuple[int, str]]:
    """Order id -> amount and recipient of what took money."""
    return {
        one["metadata"]["order_id"]: (one["amount"], one["destination"])
        for one in market.own_charges()
        if one["status"] == "successful"
    }


def as_asked(rows: Rows) -> dict[str, tuple[int, str]]:
    return {
        row["order_id"]: (int(row["amount"][:-3]) * 100, SHOPS[row["recipient"]])
        for row in rows
    }


DONE: dict[str, Callable[[list[str]], list[str]]] = {
    "sorted": sorted,
    "shifted up": lambda cells: [*cells[1:], cells[0]],
    # of those that were refused one, and one that was charged
    "exchanged": lambda cells: [*cells[:4], cells[5], cells[4], *cells[6:]],
}


@pytest.mark.fault("J14", "E05")
@pytest.mark.parametrize("column", ["amount", "recipient"])
@pytest.mark.parametrize("done", DONE)
def test_a_column_that_was_sorted_in_the_file_itself_charges_nobody(
    market: Market, done: str, column: str
) -> None:
    """Three of eight rows were refused. They are corrected in the file, and new ones added, and a
    column is sorted alone. What was charged is in conflict with its charge; of the others none goes
    by that column until its cells are back in their rows.
    """
    shops(market)
    job(market, destination=BY_SHOP)
    right = [sale(n) for n in range(1, 9)]
    wrong = [
        {**row, "currency": "Baht"} if at in (1, 5, 7) else row
        for at, row in enumerate(right)
    ]
    inbox(market, a=wrong)
    assert night(market) == 10
    before = charged(market)
    assert len(before) == 5
    cells = DONE[done]([row[column] for row in right])
    moved = with_column(right, column, cells)
    if done != "exchanged":
        moved.append(sale(9, recipient="Shop 1"))
    inbox(market, a=moved)
    assert night(market) == 10
    same = {
        row["order_id"]: row
        for row, own in zip(moved, [*right, {}], strict=False)
        if row == own
    }
    assert charged(market) == before | as_asked(list(same.values()))
    asked = [row for row in found(market, "a") if "(moved-cells)" in row["reason"]]
    assert asked and {row["outcome"] for row in asked} == {"rejected"}
    inbox(market, a=right)
    assert night(market) == 0
    assert charged(market) == as_asked(right)


@pytest.mark.fault("J14", "E05")
def test_cells_that_moved_in_the_file_itself_wait_for_an_answer(
    market: Market,
) -> None:
    """The file is saved once more with the column as it was, under another name: it is asked about
    again. Who says in the rejects file that they are meant has them charged so.
    """
    job(market)
    right = [one_sale(n, amount=f"{n * 37 % 100 + 100}.00") for n in range(1, 7)]
    wrong = [{**row, "recipient": "Ari"} for row in right[:4]] + right[4:]
    inbox(market, a=wrong)
    assert night(market) == 10
    moved = with_column(right, "amount", [row["amount"] for row in right][::-1])
    inbox(market, a=moved)
    assert night(market) == 10
    inbox(market, a=None, b=[{**row, "invoice": f"I{row['invoice']}"} for row in moved])
    assert night(market) == 10
    assert market.posts() == 2
    told = [
        row for row in rejected(market, "b") if row["batchpay_outcome"] == "rejected"
    ]
    assert len(told) == 4 and all("(moved-cells)" in r["batchpay_reason"] for r in told)
    inbox(market, b=None, c=[{**row, "batchpay_retry": "yes"} for row in told])
    assert night(market) == 0
    assert {row["outcome"] for row in found(market, "c")} == {"succeeded"}


@pytest.mark.fault("J14", "E05")
def test_what_a_person_corrects_in_the_file_itself_goes(market: Market) -> None:
    """Shops and amounts of rows that were refused, or whose card was declined; and shops that a
    lookup file gave each other's recipients are given their own.
    """
    table = {**SHOPS, "Shop 4": SHOPS["Shop 7"], "Shop 7": SHOPS["Shop 4"]}
    shops(market, table)
    job(market, destination=BY_SHOP)
    right = [sale(n) for n in range(1, 9)]
    wrong = [
        {**right[0], "currency": "Baht"},
        {**right[1], "currency": "Baht"},
        {**right[2], "recipient": "Shop X", "amount": "12,5.00"},
        {**right[3], "card": DECLINED},
        *right[4:],
    ]
    inbox(market, a=wrong)
    assert night(market) == 10
    assert market.posts() == 5
    shops(market)
    right[3]["amount"] = "777.00"
    right[2]["recipient"] = "Shop 5"
    inbox(market, a=right)
    assert night(market) == 0
    assert charged(market) == as_asked(right)


@pytest.mark.fault("J14", "E05")
@pytest.mark.parametrize("done", ["sorted", "shifted up"])
@pytest.mark.parametrize("came", ["rejects", "in place"])
def test_a_part_of_a_sum_that_was_sorted_alone_charges_nobody(
    market: Market, done: str, came: str
) -> None:
    """The sums that it makes are nobody's, but its cells are each other's."""
    job(
        market,
        amount='{ sum = ["Goods", "Shipping"], unit = "major" }',
    )
    right = [
        {
            **one_sale(n),
            "Goods": f"{n * 37 % 100 + 100}.00",
            "Shipping": f"{n * 53 % 60 + 7}",
        }
        for n in range(1, 6)
    ]
    inbox(market, a=[{**row, "recipient": "Ari"} for row in right])
    assert night(market) == 10
    own = {row["order_id"]: row for row in right}
    back = right
    if came == "rejects":
        back = [
            {**row, "recipient": own[row["order_id"]]["recipient"]}
            for row in rejected(market, "a")
        ]
    cells = DONE[done]([row["Shipping"] for row in back])
    # as a spreadsheet writes them again
    moved = with_column(back, "Shipping", [f"{cell}.00" for cell in cells])
    inbox(market, a=moved)
    assert night(market) == 10
    stayed = [
        row for row, cell in zip(back, cells, strict=True) if row["Shipping"] == cell
    ]
    assert market.posts() == len(stayed) < 3
    asked = [row for row in found(market, "a") if "(moved-cells)" in row["reason"]]
    assert len(asked) == 5 - len(stayed)
    assert all("Shipping: " in row["reason"] for row in asked)
    inbox(market, a=back)
    assert night(market) == 0
