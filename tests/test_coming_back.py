"""Rows of rejects files that come back damaged, filled down, or beside the file that they correct:
no sale is charged twice, none is lost, and what the program says to do about them ends well when it
is done in the rejects file itself.

Each test is a story of nights of the true program over real HTTP.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from batchpay.commands import cancel as cancelling
from batchpay.domain.lineage import NAMING
from batchpay.job.load import load_job
from batchpay.messages import steps
from tests.test_doors import told_back
from tests.test_sale import DECLINED, R, inbox, job, lose, night, once, sale
from tests.world import Market, order

CLEARED = dict.fromkeys(NAMING, "")


def rejected(market: Market, file: str) -> list[dict[str, str]]:
    """The rows of the rejects file of an input file."""
    (batch,) = {
        row["batch_id"] for row in market.results() if row["file"] == f"{file}.csv"
    }
    with (market.folder / "reports" / batch / "rejects.csv").open(
        encoding="utf-8-sig", newline=""
    ) as text:
        return list(csv.DictReader(text))


def found(market: Market, file: str) -> list[dict[str, str]]:
    """The rows of an input file, as its results have them."""
    return [row for row in market.results() if row["file"] == f"{file}.csv"]


def asked(market: Market) -> Counter[str]:
    """How many charges took money, by invoice."""
    return Counter(
        c["metadata"]["invoice"]
        for c in market.own_charges()
        if c["status"] == "successful"
    )


TORN: dict[str, dict[str, str | None]] = {
    "no id": {"batchpay_id": ""},
    "no row": {"batchpay_row": ""},
    "no batch": {"batchpay_batch": ""},
    "filled down": {"batchpay_row": "4"},
    "a column dropped": {"batchpay_batch": None},
    "two columns dropped": {"batchpay_row": None, "batchpay_id": None},
    "an edited id": {"batchpay_id": "id:00001"},
}


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize("another", [True, False])
@pytest.mark.parametrize("torn", TORN)
def test_a_row_that_names_its_row_no_more_is_no_new_order(
    market: Market, torn: str, *, another: bool
) -> None:
    """Declined; it came back under another id with another payer, and one cell of ours was lost on
    the way. Its own rejects file says what to do, as often as it is sent as it is, and doing it
    there ends well.
    """
    job(market)
    inbox(market, a=[sale(1, card=DECLINED), sale(2)])
    night(market)
    (told,) = rejected(market, "a")
    paid = {"order_id": "R-1", "card": "cust_test_sandbox77x4242"}
    damaged = {
        name: cell
        for name, cell in (told | paid | TORN[torn]).items()
        if cell is not None
    }
    inbox(market, a=None, b=[damaged])
    assert night(market) == 10
    assert asked(market) == {"INV-2": 1}
    (row,) = found(market, "b")
    assert row["outcome"] == "rejected" and "torn-row" in row["reason"]
    (back,) = rejected(market, "b")
    inbox(market, b=None, c=[back])
    assert night(market) == 10
    assert asked(market) == {"INV-2": 1}
    (back,) = rejected(market, "c")
    named = CLEARED if another else {name: told[name] for name in NAMING}
    inbox(market, c=None, d=[back | named])
    assert night(market) == 0
    once(market, 1, 2)
    if not another:
        inbox(market, d=None, e=[told | {"card": "cust_test_sandbox77x4242"}])
        assert night(market) == 0
        once(market, 1, 2)


HARMLESS = {
    "a decimal": {"batchpay_row": "2.0"},
    "a decimal comma": {"batchpay_row": "2,0"},
    "blanks": dict.fromkeys(("batchpay_row", "batchpay_batch", "batchpay_id"), "{} "),
    "digits of another script": {"batchpay_row": "๒"},
}


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_does_no_harm_to_the_columns_of_a_row_is_undone(
    market: Market, harmless: str
) -> None:
    """It is the correction that it was, and what it corrects is charged no more."""
    job(market)
    inbox(market, a=[sale(1, card=DECLINED), sale(2)])
    night(market)
    (told,) = rejected(market, "a")
    shown = {name: cell.format(told[name]) for name, cell in HARMLESS[harmless].items()}
    paid = {"card": "cust_test_sandbox77x4242"}
    inbox(market, a=None, b=[told | paid | {"order_id": "R-1"} | shown])
    assert night(market) == 0
    inbox(market, b=None, c=[told | paid])
    assert night(market) == 0
    once(market, 1, 2)


# what somebody does to one column of five rows that came back
TO_A_COLUMN: dict[str, Callable[[list[str]], list[str]]] = {
    "reversed": lambda cells: cells[::-1],
    "two exchanged": lambda cells: [cells[1], cells[0], *cells[2:]],
    "shifted up": lambda cells: [*cells[1:], cells[0]],
    "filled down": lambda cells: cells[:1] * 5,
}


@pytest.mark.fault("J14", "E05")
@pytest.mark.parametrize("column", ["amount", "card", "recipient"])
@pytest.mark.parametrize("done", TO_A_COLUMN)
def test_a_column_that_was_sorted_or_filled_alone_charges_nobody(
    market: Market, done: str, column: str
) -> None:
    """Its rows were rejected for another column, which is right now: their cells are each other's,
    until they are back in their rows and somebody says so.
    """
    job(market)
    rows = [sale(n, amount=f"{n * 37 % 100 + 100}.00") for n in range(1, 6)]
    wrong = "currency" if column == "recipient" else "recipient"
    inbox(market, a=[{**row, wrong: "Baht"} for row in rows])
    assert night(market) == 10
    right = {row["order_id"]: row for row in rows}
    back = [
        {**row, wrong: right[row["order_id"]][wrong]} for row in rejected(market, "a")
    ]
    own = [row[column] for row in back]
    cells = TO_A_COLUMN[done](own)
    moved = sum(1 for one, other in zip(own, cells, strict=True) if one != other)
    assert moved > 1
    both = zip(back, cells, strict=True)
    inbox(market, b=[{**row, column: cell} for row, cell in both])
    for name in ("b", "c"):  # as they were, and as they are told
        assert night(market) == 10
        told = [
            row
            for row in rejected(market, name)
            if f"{column}: " in row["batchpay_reason"] or name == "c"
        ]
        assert len(told) == moved, told
        assert market.posts() == 5 - moved
        if name == "b":
            assert "(moved-cells)" in told[0]["batchpay_reason"]
            inbox(market, c=told)
    again = [
        {**row, column: right[row["order_id"]][column], "batchpay_retry": "yes"}
        for row in rejected(market, "c")
    ]
    inbox(market, d=again)
    assert night(market) == 0
    asked_for = {
        one["metadata"]["order_id"]: (
            one["amount"],
            one["customer"],
            one["destination"],
        )
        for one in market.own_charges()
    }
    assert asked_for == {
        row["order_id"]: (int(row["amount"][:-3]) * 100, row["card"], row["recipient"])
        for row in rows
    }


@pytest.mark.fault("J14", "E05")
def test_a_yes_to_another_question_says_nothing_of_cells_that_moved(
    market: Market,
) -> None:
    """Declined cards are to be asked once more, and somebody sorted the payers meanwhile: nobody
    is charged another's order before they are asked about that.
    """
    job(market)
    declined = [f"cust_test_sandbox{n}0011" for n in range(1, 5)]
    inbox(market, a=[sale(n, card=card) for n, card in enumerate(declined, 1)])
    assert night(market) == 10
    back = [{**row, "batchpay_retry": "yes"} for row in rejected(market, "a")]
    cells = [row["card"] for row in back][::-1]
    inbox(
        market,
        b=[{**row, "card": cell} for row, cell in zip(back, cells, strict=True)],
    )
    assert night(market) == 10
    assert market.posts() == 4
    told = rejected(market, "b")
    assert len(told) == 4 and all("(moved-cells)" in r["batchpay_reason"] for r in told)
    inbox(market, b=None, c=[{**row, "batchpay_retry": "yes"} for row in told])
    assert night(market) == 10
    assert market.posts() == 8


# cells that nobody could read, and as a person corrects them
AMOUNTS = ("1.200,00", "90,00", "3.400,00", "560,00", "7.800,00")
SHOPS = ("Ari Audio", "Silom Silk", "Ratchada Records", "Thonburi Tea", "Bang Na Books")


@pytest.mark.fault("J14", "E05")
@pytest.mark.parametrize("column", ["amount", "shop"])
def test_a_column_that_was_corrected_and_then_sorted_alone_charges_nobody(
    market: Market, column: str
) -> None:
    """What its cells were meant to say is known by what their reasons said of them, or by the name
    in the lookup file that is nearest.
    """
    shops = "".join(f"{name},recp_test_sandbox{n}\n" for n, name in enumerate(SHOPS))
    (market.folder / "shops.csv").write_text(f"shop,id\n{shops}", "utf-8")
    destination = (
        '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    )
    job(market, destination=destination)
    rows = []
    for at, name in enumerate(SHOPS):
        amount = AMOUNTS[at].replace(".", "").replace(",", ".")
        rows.append(sale(at + 1, amount=amount, recipient=name))
    wrong = [
        {**row, "amount": AMOUNTS[at]}
        if column == "amount"
        else {**row, "recipient": f"{SHOPS[at]}x"}
        for at, row in enumerate(rows)
    ]
    where = "amount" if column == "amount" else "recipient"
    inbox(market, a=wrong)
    assert night(market) == 10
    right = {row["order_id"]: row[where] for row in rows}
    back = rejected(market, "a")
    cells = sorted(right[row["order_id"]] for row in back)
    sorted_alone = [{**row, where: cells[at]} for at, row in enumerate(back)]
    inbox(market, b=sorted_alone)
    assert night(market) == 10
    told = rejected(market, "b")
    moved = [row for row in sorted_alone if row[where] != right[row["order_id"]]]
    assert len(told) == len(moved) > 2
    assert all("(moved-cells)" in row["batchpay_reason"] for row in told)
    mended = [
        {**row, where: right[row["order_id"]], "batchpay_retry": "yes"} for row in told
    ]
    inbox(market, c=mended)
    assert night(market) == 0
    expected = {
        row["order_id"]: (
            int(row["amount"].replace(".", "")),
            f"recp_test_sandbox{SHOPS.index(row['recipient'])}",
        )
        for row in rows
    }
    assert {
        one["metadata"]["order_id"]: (one["amount"], one["destination"])
        for one in market.own_charges()
    } == expected


@pytest.mark.fault("J14", "E05", "X09")
@pytest.mark.parametrize("meant", [True, False])
@pytest.mark.parametrize(
    ("was", "now", "again"),
    [
        ("45,500.00", "45.5", "45,500.00"),
        ("455.00", "45500", "455.00"),
        ("1.200,00", "120000", "1200.00"),
    ],
)
def test_an_amount_whose_point_a_spreadsheet_moved_is_asked_about(
    market: Market, was: str, now: str, again: str, *, meant: bool
) -> None:
    """The row was sent back for its recipient, or the reason said what its amount may mean: written
    as it was, or with a yes, it goes, once.
    """
    job(market)
    inbox(market, a=[sale(1, amount=was, recipient="Ari"), sale(2)])
    assert night(market) == 10
    (back,) = rejected(market, "a")
    inbox(market, b=[{**back, "recipient": "recp_test_sandbox1", "amount": now}])
    assert night(market) == 10
    once(market, 2)
    (told,) = rejected(market, "b")
    assert "(rescaled-amount)" in told["batchpay_reason"]
    # what a refused cell may have meant is not what the amount was
    is_read = was != "1.200,00"
    assert ("the amount was" in told["batchpay_reason"]) == is_read
    if meant:
        told["batchpay_retry"] = "yes"
    else:
        told["amount"] = again
    inbox(market, c=[told])
    assert night(market) == 0
    once(market, 1, 2)


@pytest.mark.fault("J14", "E05", "X09")
def test_an_amount_that_was_asked_about_waits_for_an_answer(market: Market) -> None:
    """The row comes back once more as it was told: nobody has said that its amount is meant."""
    job(market)
    inbox(market, a=[sale(1, amount="455.00", recipient="Ari"), sale(2)])
    assert night(market) == 10
    (back,) = rejected(market, "a")
    inbox(market, b=[{**back, "recipient": "recp_test_sandbox1", "amount": "45500"}])
    assert night(market) == 10
    for name in ("c", "d"):
        (told,) = rejected(market, chr(ord(name) - 1))
        inbox(market, **{name: [told]})
        assert night(market) == 10
        once(market, 2)
    (told,) = rejected(market, "d")
    assert "(rescaled-amount)" in told["batchpay_reason"]
    inbox(market, e=[{**told, "batchpay_retry": "yes"}])
    assert night(market) == 0
    once(market, 1, 2)


@pytest.mark.fault("J14", "E05")
@pytest.mark.parametrize("done", ["shifted up", "filled down", "one"])
def test_a_currency_that_nobody_asked_to_change_is_asked_about(
    market: Market, done: str
) -> None:
    """The rows were rejected for their recipients. They come back as they were told: nobody has
    said that another currency is meant. As it was, or with a yes, they go.
    """
    job(market)
    own = ["JPY", "THB", "JPY", "THB", "JPY"]
    rows = [
        sale(n, amount=f"{n}500", currency=currency)
        for n, currency in enumerate(own, 1)
    ]
    inbox(market, a=[{**row, "recipient": "Ari"} for row in rows])
    assert night(market) == 10
    cells = TO_A_COLUMN.get(done, lambda own: ["THB", *own[1:]])(own)
    back = [
        {**told, "recipient": row["recipient"], "currency": cell}
        for told, row, cell in zip(rejected(market, "a"), rows, cells, strict=True)
    ]
    changed = [n for n in range(5) if cells[n] != own[n]]
    inbox(market, b=back)
    for name in ("b", "c", "d"):
        assert night(market) == 10
        assert market.posts() == 5 - len(changed)
        told = rejected(market, name)
        assert len(told) == len(changed)
        rule = "moved-cells" if done == "shifted up" else "changed-currency"
        assert all(rule in row["batchpay_reason"] for row in told)
        inbox(market, **{chr(ord(name) + 1): told})
    as_it_was = {row["order_id"]: row["currency"] for row in rows}
    told = [{**row, "currency": as_it_was[row["order_id"]]} for row in told]
    told[0] |= {"currency": back[changed[0]]["currency"], "batchpay_retry": "yes"}
    if done == "shifted up":
        told = [{**row, "batchpay_retry": "yes"} for row in told]
    inbox(market, e=told)
    assert night(market) == 0
    expected = dict(zip(as_it_was, own, strict=True))
    expected[told[0]["order_id"]] = cells[changed[0]]
    assert {
        one["metadata"]["order_id"]: one["currency"].upper()
        for one in market.own_charges()
    } == expected


@pytest.mark.fault("E05")
@pytest.mark.parametrize(
    ("was", "now"),
    [
        ({"currency": "Yen"}, {"currency": "JPY"}),
        ({"currency": ""}, {"currency": "THB"}),
        ({"currency": "JPY", "amount": "100.50"}, {"currency": "THB"}),
    ],
)
def test_a_currency_that_its_reason_spoke_of_is_corrected(
    market: Market, was: dict[str, str], now: dict[str, str]
) -> None:
    """As the reason said, also where it spoke of the amount: yen have no decimals."""
    job(market)
    inbox(market, a=[sale(1, **{"amount": "500", **was}), sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    inbox(market, b=[{**told, **now}])
    assert night(market) == 0
    once(market, 1, 2)


@pytest.mark.fault("J08", "E05")
@pytest.mark.parametrize("other", [DECLINED, "cust_test_gone4242"])
def test_a_row_with_the_id_of_its_neighbour_is_not_charged_as_that_one(
    market: Market, other: str
) -> None:
    """The id column was shifted and the rest deleted: the neighbour, whose card was declined or
    refused, is another sale, and waits for its own payer.
    """
    job(market)
    inbox(market, a=[sale(1, card=DECLINED), sale(2, card=other)])
    assert night(market) == 10
    first = rejected(market, "a")[0]
    posts = market.posts()
    shifted = first | {"order_id": sale(2)["order_id"], "batchpay_retry": "yes"}
    inbox(market, b=[shifted | {"card": sale(1)["card"]}])
    assert night(market) == 10
    assert market.posts() == posts
    (told,) = rejected(market, "b")
    assert "(another-row)" in told["batchpay_reason"]
    assert not any(row["settled_by"] for row in found(market, "a"))


@pytest.mark.fault("J07", "J08", "E05")
@pytest.mark.parametrize("filled", [1, -1])
def test_an_id_column_filled_as_a_series_charges_none_under_the_next_id(
    market: Market, filled: int
) -> None:
    """Each row has its neighbour's id, and the last one that nobody has yet: it is another's, too.
    As told, each with its own id, all go; whoever corrects one id alone means it.
    """
    job(market)
    inbox(market, a=[sale(number, recipient="") for number in range(11, 16)])
    assert night(market) == 10
    whole = [
        told | {"recipient": sale(number)["recipient"]}
        for number, told in enumerate(rejected(market, "a"), 11)
    ]
    shifted = [
        told | {"order_id": sale(number + filled)["order_id"]}
        for number, told in enumerate(whole, 11)
    ]
    inbox(market, a=None, b=shifted)
    assert night(market) == 10
    assert not market.posts()
    reasons = [told["batchpay_reason"] for told in rejected(market, "b")]
    assert len(reasons) == 5 and all("(another-row)" in reason for reason in reasons)
    inbox(market, b=None, c=[*whole[:4], whole[4] | {"order_id": "N-15"}])
    assert night(market) == 0
    once(market, *range(11, 16))


@pytest.mark.fault("E05")
def test_two_amounts_that_somebody_corrected_are_corrected(market: Market) -> None:
    """Values that no other row had are no cells that moved; nor is one that another has."""
    job(market)
    rows = [
        sale(n, amount=f"{n}0.00", recipient="recp_test_sandbox1") for n in range(3, 7)
    ]
    inbox(market, a=[{**row, "recipient": "shop"} for row in rows])
    assert night(market) == 10
    back = [{**row, "recipient": "recp_test_sandbox1"} for row in rejected(market, "a")]
    back[0]["amount"], back[1]["amount"] = "41.00", "50.00"
    inbox(market, b=back)
    assert night(market) == 0
    assert market.posts() == 4


@pytest.mark.fault("J07", "J08", "E05")
@pytest.mark.parametrize(
    "cells",
    [("order_id", "amount", "card", "recipient", "invoice"), ("order_id", "card")],
)
def test_a_row_that_was_filled_down_answers_for_no_sale(
    market: Market, cells: tuple[str, ...]
) -> None:
    """Two rows without a payer came back as copies of an order that was charged: they are not
    settled by it.
    """
    job(market)
    inbox(market, a=[sale(1), sale(2, card=""), sale(3, card="")])
    assert night(market) == 10
    told = rejected(market, "a")
    first = sale(1)
    inbox(market, b=[row | {name: first[name] for name in cells} for row in told])
    assert night(market) == 10
    (outcome,) = {row["outcome"] for row in found(market, "b")}
    assert outcome == ("conflict" if "amount" in cells else "rejected")
    assert not any(row["settled_by"] for row in found(market, "a"))
    if "amount" in cells:
        assert all(str(steps.OWN_ID()) in row["reason"] for row in found(market, "b"))
    inbox(
        market,
        b=None,
        c=[row | {"card": sale(number)["card"]} for number, row in enumerate(told, 2)],
    )
    assert night(market) == 0
    once(market, 1, 2, 3)


@pytest.mark.fault("J07", "E05")
def test_one_charge_answers_for_one_sale(market: Market) -> None:
    """Two rows of which nothing was told but the amount came back as one order that was charged:
    one of them may be it, and the other waits for a person.
    """
    job(market)
    unknown = {"card": "", "recipient": "", "amount": sale(1)["amount"]}
    inbox(market, a=[sale(1), sale(2, **unknown), sale(3, **unknown)])
    assert night(market) == 10
    told = rejected(market, "a")
    first = sale(1)
    inbox(market, b=[row | {name: first[name] for name in first} for row in told])
    night(market)
    assert [bool(row["settled_by"]) for row in found(market, "a")].count(True) == 1
    inbox(market, b=None)
    assert night(market) == 10
    once(market, 1)


@pytest.mark.fault("E03", "J07")
@pytest.mark.parametrize("how", ["left", "both", "apart"])
def test_what_contested_rows_came_back_as_stands_in_their_place(
    market: Market, how: str
) -> None:
    """Two rows of one order id contradict each other, and the first file stays where it is."""
    job(market)
    inbox(market, a=[sale(1), sale(2, order_id=sale(1)["order_id"]), sale(3)])
    assert night(market) == 10
    one, two = rejected(market, "a")
    back = {
        "left": [two],
        "both": [one, two | {"order_id": "00002"} | CLEARED],
        "apart": [one, two | {"order_id": "00002"}],
    }
    inbox(market, b=back[how])
    ended = night(market)
    assert ended == 0
    numbers = (2, 3) if how == "left" else (1, 2, 3)
    once(market, *numbers)
    assert all(row["outcome"] == "succeeded" for row in found(market, "b"))
    night(market)
    once(market, *numbers)


# --- two rows of one file under one id: a person gives one of them an id of its own

SAME_ID = {"order_id": sale(1)["order_id"], "amount": "200.00"}


def contested(
    market: Market, *more: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """A night of two rows under one id, 100.00 and 200.00 THB; the rows of its rejects file, the
    second under an id of its own.
    """
    job(market)
    inbox(market, a=[sale(1, amount="100.00"), sale(2, **SAME_ID), *more])
    assert night(market) == 10
    once(market)
    one, two = rejected(market, "a")
    return one, two | {"order_id": "00002"}


@pytest.mark.fault("E03", "J07", "J13")
@pytest.mark.parametrize("away", [True, False])
@pytest.mark.parametrize("lost", [True, False])
def test_of_rows_under_one_id_each_goes_once_when_one_has_an_id_of_its_own(
    market: Market, *, away: bool, lost: bool
) -> None:
    """Each old row names what was charged for it; nothing goes again, not after a loss either."""
    one, two = contested(market)
    inbox(market, b=[one, two])
    if away:
        inbox(market, a=None)
    assert night(market) == 0
    once(market, 1, 2)
    first, second = found(market, "a")
    batch = found(market, "b")[0]["batch_id"]
    assert f"order 00001 of batch {batch} row 2" in first["settled_by"]
    assert (
        f"order 00002 of batch {batch} row 3" in second["reason"] + second["settled_by"]
    )
    if lost:
        lose(market)
    night(market, adopt=lost)
    once(market, 1, 2)


@pytest.mark.fault("E03", "J07")
@pytest.mark.parametrize(
    "way", ["as it is", "columns cleared", "the first file without it"]
)
def test_the_other_row_goes_later_by_what_it_is_told(market: Market, way: str) -> None:
    """Only the mended row came back first. The other one does not go by itself: whether it is still
    wanted nobody said.
    """
    one, two = contested(market)
    inbox(market, a=None, b=[two])
    assert night(market) == 0
    once(market, 2)
    (first, _) = found(market, "a")
    assert (first["outcome"], first["settled_by"]) == ("conflict", "")
    assert "leave only the right one" in first["reason"]
    back = {
        "as it is": one,
        "columns cleared": one | CLEARED,
        "the first file without it": sale(1, amount="100.00"),
    }
    inbox(market, c=[back[way]])
    assert night(market) == 0
    once(market, 1, 2)
    assert "order 00001" in found(market, "a")[0]["settled_by"]


@pytest.mark.fault("E03", "J07", "E05")
def test_a_mended_row_that_is_sent_twice_goes_once(market: Market) -> None:
    """In two files of one night, beside the first file and the row that it contradicted there."""
    one, two = contested(market)
    inbox(market, b=[one, two], c=[two])
    assert night(market) == 0
    once(market, 1, 2)
    assert [row["outcome"] for row in found(market, "c")] == ["duplicate"]


@pytest.mark.fault("E03", "J07", "I1")
@pytest.mark.parametrize(
    ("amount", "outcome"),
    [("200.00", "duplicate"), ("300.00", "conflict"), ("150.00", "conflict")],
)
def test_the_row_that_has_an_id_of_its_own_now_is_charged_under_no_other(
    market: Market, amount: str, outcome: str
) -> None:
    """A later export has it as it was, or with terms that none of the two had."""
    one, two = contested(market)
    both = amount == "150.00"
    inbox(market, b=[one, two] if both else [two])
    assert night(market) == (0 if both else 10)
    inbox(
        market, a=None, b=None, c=[sale(2, order_id=SAME_ID["order_id"], amount=amount)]
    )
    night(market)
    once(market, 2, *([1] if both else []))
    (row,) = found(market, "c")
    assert row["outcome"] == outcome


@pytest.mark.fault("E03", "J07", "I1")
@pytest.mark.parametrize("at_once", [True, False])
def test_rivals_that_ask_for_the_same_in_the_end_may_be_one_sale(
    market: Market, *, at_once: bool
) -> None:
    """One payer, two amounts; the second came back with the first one's, and with an id."""
    job(market)
    inbox(
        market, a=[sale(1, amount="100.00"), sale(1, amount="200.00", invoice="INV-2")]
    )
    assert night(market) == 10
    one, two = rejected(market, "a")
    corrected = two | {"order_id": "00002", "amount": "100.00"}
    inbox(market, a=None, b=[corrected, *([one] if at_once else [])])
    night(market)
    inbox(market, c=[one])
    night(market)
    assert asked(market) == ({} if at_once else {"INV-2": 1})
    assert {row["outcome"] for row in found(market, "c")} <= {"conflict", "duplicate"}


@pytest.mark.fault("E03", "J07", "I19")
def test_a_row_whose_own_correction_is_not_paid_is_settled_by_no_other(
    market: Market,
) -> None:
    """The first was paid under the id that both had; what came for the second was declined."""
    one, two = contested(market)
    inbox(market, b=[one, two | {"card": DECLINED}])
    assert night(market) == 10
    once(market, 1)
    first, second = found(market, "a")
    assert "order 00001" in first["settled_by"]
    assert (second["outcome"], second["settled_by"]) == ("conflict", "")


@pytest.mark.fault("J07")
@pytest.mark.parametrize("away", [True, False])
def test_another_sale_under_a_charged_id_is_sent_from_the_rejects_file(
    market: Market, *, away: bool
) -> None:
    """With its columns as they were told it is the first sale's correction still, and its reason
    says to clear them.
    """
    job(market)
    inbox(market, a=[sale(1)])
    assert night(market) == 0
    inbox(market, a=None, b=[sale(2, order_id="00001")])
    assert night(market) == 10
    (told,) = rejected(market, "b")
    inbox(market, c=[told | {"order_id": "X-2"}], **({"b": None} if away else {}))
    night(market)
    if not away:
        assert "without the batchpay_ columns" in found(market, "c")[0]["reason"]
    inbox(market, c=None, d=[told | {"order_id": "X-2"} | CLEARED])
    # it asks for what a recent file asked for, under another id: that is asked about
    night(market, yes=True)
    once(market, 1, 2)


@pytest.mark.fault("E03", "J07")
def test_rows_with_one_token_come_back_with_two(market: Market) -> None:
    """Beside the file that had one."""
    market.job(file="inbox/*.csv")
    token = "tokn_test_sandbox1x4242"
    inbox(
        market,
        a=[
            sale(1, card=token),
            sale(2, card=token),
            sale(3, card="tokn_test_sandbox3x4242"),
        ],
    )
    assert night(market) == 10
    one, two = rejected(market, "a")
    inbox(market, b=[one, two | {"card": "tokn_test_sandbox2x4242"}])
    assert night(market) == 0
    once(market, 1, 2, 3)
    assert night(market) == 0
    once(market, 1, 2, 3)


@pytest.mark.fault("J07", "E08", "I1")
def test_ids_that_stood_in_one_file_are_of_two_sales_whatever_they_become(
    market: Market,
) -> None:
    """2.50 and 2.5 ask for the same; one of them was wrong, and comes back under a new id."""
    job(market)
    wrong = sale(2, card=sale(1)["card"], recipient=sale(1)["recipient"], amount="?")
    inbox(market, a=[sale(1, order_id="2.50"), wrong | {"order_id": "2.5"}, sale(3)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    corrected = told | {"order_id": "N-1", "amount": sale(1)["amount"]}
    inbox(market, a=None, b=[corrected])
    assert night(market) == 0
    once(market, 1, 2, 3)


KEPT_BACK = {
    "zeros that were lost": ("00017", {"order_id": "17"}),
    "a decimal that was lost": ("2.50", {"order_id": "2.5"}),
    "and another fault": ("2.50", {"order_id": "2.5", "amount": "?"}),
}


@pytest.mark.fault("J07", "E04", "I1")
@pytest.mark.parametrize("how", KEPT_BACK)
def test_a_row_that_was_kept_back_beside_a_look_alike_is_no_other_sale_under_a_new_id(
    market: Market, how: str
) -> None:
    """Its id is that of an order that was charged, but for what programs do to ids, and a person
    gives it one of its own: it is what it was.
    """
    order_id, damage = KEPT_BACK[how]
    job(market)
    inbox(market, a=[sale(1, order_id=order_id), sale(2)])
    assert night(market) == 0
    inbox(market, a=None, b=[sale(1) | damage, sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "b")
    inbox(market, b=None, c=[told | {"order_id": "N-1", "amount": sale(1)["amount"]}])
    assert night(market) == 0
    once(market, 1, 2)
    was, _ = found(market, "b")
    assert f"order {order_id} " in was["settled_by"]


@pytest.mark.fault("J08", "X05")
@pytest.mark.parametrize("dropped", ["batchpay_defused", "all of ours"])
@pytest.mark.parametrize("cell", ['="0008"', "=A1", "-cmd()"])
def test_an_apostrophe_of_ours_makes_no_id_of_what_is_none(
    market: Market, cell: str, dropped: str
) -> None:
    """Only the recipient was corrected, and the column that names our apostrophes is gone."""
    job(market)
    inbox(market, a=[sale(1, order_id=cell, recipient="")])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    assert told["order_id"] == f"'{cell}" and told["batchpay_defused"]
    back = told | {"recipient": sale(1)["recipient"]}
    for name in list(back):
        if name == dropped or (name.startswith("batchpay_") and "all" in dropped):
            del back[name]
    inbox(market, a=None, b=[back])
    assert night(market) == 10
    once(market)
    (row,) = found(market, "b")
    assert "(formula-text)" in row["reason"]


@pytest.mark.fault("J07", "J08", "I1")
@pytest.mark.parametrize("shown", ["1.005", "1005,00", "1'005", "1\u202f005"])
def test_an_id_that_a_sheet_of_another_country_shows_is_its_own_again(
    market: Market, shown: str
) -> None:
    """Its recipient was corrected there: the row is charged under the id that it had, and told."""
    job(market)
    inbox(market, a=[sale(1, order_id="01005", recipient="")])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    inbox(market, a=None, b=[told | sale(1, order_id=shown)])
    assert night(market) == 0
    once(market, 1)
    (row,) = found(market, "b")
    assert row["order_id"] == "01005"


@pytest.mark.fault("J07", "E04")
def test_a_row_that_was_kept_back_beside_a_cancelled_look_alike_stays_cancelled(
    market: Market,
) -> None:
    """A person's word that its order is never sent holds under every id that the row is given."""
    job(market)
    inbox(market, a=[sale(1, order_id="00017")])
    assert night(market, limit=0) == 11
    cancelling.cancel(load_job(market.folder / "job.toml"), "00017", "given back")
    inbox(market, a=None, b=[sale(1, order_id="17")])
    assert night(market) == 10
    (told,) = rejected(market, "b")
    inbox(market, b=None, c=[told | {"order_id": "N-1"}])
    assert night(market) == 10
    assert not market.posts()
    (row,) = found(market, "c")
    assert row["outcome"] == "rejected" and str(steps.NEW_ID()) in row["reason"]


@pytest.mark.fault("J07", "E04", "I1")
def test_a_row_that_was_kept_back_beside_a_look_alike_goes_as_another_sale(
    market: Market,
) -> None:
    """It asks for something else under a new id: a conflict, and what its reason says ends well."""
    job(market)
    inbox(market, a=[sale(1, order_id="00017")])
    assert night(market) == 0
    inbox(market, a=None, b=[sale(3, order_id="17")])
    assert night(market) == 10
    (told,) = rejected(market, "b")
    inbox(market, b=None, c=[told | {"order_id": "N-1"}])
    assert night(market) == 10
    once(market, 1)
    (row,) = found(market, "c")
    assert row["outcome"] == "conflict" and str(steps.ANOTHER_SALE()) in row["reason"]
    inbox(market, c=None, d=[told | CLEARED | {"order_id": "N-2"}])
    assert night(market, yes=True) == 0
    once(market, 1, 3)


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize("beside", [True, False])
def test_the_id_of_a_look_alike_is_written_out_beside_the_other_row(
    market: Market, *, beside: bool
) -> None:
    """Both rows are in the rejects file; the one asks for the other's order, and is its duplicate
    once it says so.
    """
    job(market)
    inbox(market, a=[sale(1, order_id="A-024"), sale(1, order_id="a-024"), sale(3)])
    assert night(market) == 10
    one, two = rejected(market, "a")
    assert "write A-024" in two["batchpay_reason"]
    inbox(market, b=[one, two | {"order_id": "A-024"}])
    if not beside:
        inbox(market, a=None)
    assert night(market) == 0
    once(market, 1, 3)
    assert night(market) == 0
    once(market, 1, 3)


@pytest.mark.fault("J07", "H01")
def test_a_senders_totals_are_not_of_the_rows_that_come_back(market: Market) -> None:
    """Where the job declares them; a file of totals beside the rejects file is of that."""
    declared = '[controls]\ncount = 2\ntotal = { THB = "500.00" }'
    job(market, more=declared)
    inbox(market, a=[sale(1, amount="200.00"), sale(2, amount="300.00", currency="X")])
    assert night(market) == 65
    job(market, more="[controls]\ncount = 2")
    assert night(market) == 10
    (told,) = rejected(market, "a")
    inbox(market, b=[told | {"currency": "THB"}])
    beside = market.folder / "inbox" / "b.csv.totals.json"
    beside.write_text('{"count": 2}')
    assert night(market) == 65
    beside.unlink()
    assert night(market) == 0
    once(market, 1, 2)


@pytest.mark.fault("J07", "X09", "H01")
def test_what_a_whole_file_proved_holds_for_the_rows_that_come_back_of_it(
    market: Market,
) -> None:
    """How its amounts are written, that its last row is their sum, and what its sender declared of
    it.
    """
    amount = '{ column = "amount", unit = "major", format = "1.234,56" }'
    declared = '[controls]\ncount = 4\ntotal = { THB = "4800.00" }'
    job(market, amount=amount, more=declared)
    rows = [
        sale(1, amount="1.100,50"),
        sale(2, amount="99,50"),
        sale(3, amount="1.200", recipient="nobody"),
        sale(4, amount="2.400"),
    ]
    inbox(market, a=rows)
    assert night(market) == 10
    mended, total = rejected(market, "a")
    mended["recipient"] = "recp_test_sandbox1"
    inbox(market, b=[mended, total])
    assert night(market) == 10
    once(market, 1, 2, 3)
    charged = found(market, "b")[0]
    assert charged["amount_major"] == "1200.00"
    (again,) = rejected(market, "b")
    inbox(market, a=None, b=None, c=[again | {"batchpay_retry": "yes"}])
    assert night(market) == 0
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("J07", "I19")
def test_of_rows_that_say_the_same_one_charge_settles_one(market: Market) -> None:
    """Two sales of one payer, whose ids a program lost."""
    job(market, metadata="")
    two = [sale(1, order_id="#N/A")] * 2
    inbox(market, a=two)
    assert night(market) == 10
    one, other = rejected(market, "a")
    inbox(market, a=None, b=[one | {"order_id": "N-1"}, other])
    assert night(market) == 10
    assert [row["settled_by"] != "" for row in found(market, "a")] == [True, False]
    assert len(rejected(market, "b")) == 1
    inbox(market, b=None, c=[*two, sale(3)])
    assert night(market) == 10
    assert [row["settled_by"] for row in found(market, "c")] == ["", "", ""]
    inbox(market, c=None, d=[other | {"order_id": "N-2"}])
    assert night(market, yes=True) == 0
    inbox(market, d=None, e=[*two, sale(4)])
    assert night(market) == 0
    assert market.money() == {"N-1": 1, "N-2": 1, "00003": 1, "00004": 1}


@pytest.mark.fault("J07", "J08", "X07", "X17")
def test_what_only_its_file_showed_of_a_row_stays_wrong_with_it(market: Market) -> None:
    """A comma without quotes cut an amount, and a sheet rounded an id: as texts that came back both
    look right.
    """
    fixed = {
        "currency": '{ value = "THB" }',
        "destination": '{ value = "recp_test_sandbox1" }',
        "customer": '{ value = "cust_test_sandbox1x4242" }',
    }
    job(market, file="inbox/*.*", metadata="", **fixed)
    inbox(market)
    folder = market.folder / "inbox"
    (folder / "a.csv").write_text("order_id,amount,note\nA-1,1,000.00,x\nA-2,200,y,z\n")
    book = Workbook()
    book.active.append(("order_id", "amount"))
    book.active.append((12345678901234567, 300))
    book.save(folder / "b.xlsx")
    assert night(market) == 10
    first, second = rejected(market, "a")
    (rounded,) = sheet_rows(market, "b.xlsx")
    for path in folder.iterdir():
        path.unlink()
    inbox(market, c=[first, second | {"batchpay_retry": "yes"}], d=[rounded])
    assert night(market) == 10
    assert market.money() == {"A-2": 1}
    (first,) = rejected(market, "c")
    (rounded,) = rejected(market, "d")
    inbox(market, c=None, d=None, e=[first], f=[rounded])
    assert night(market) == 10
    assert market.money() == {"A-2": 1}
    (first,) = rejected(market, "e")
    (rounded,) = rejected(market, "f")
    inbox(market, e=None, f=None)
    inbox(market, g=[first | {"amount": "1,000.00", "batchpay_retry": "yes"}])
    inbox(market, h=[rounded | {"order_id": "12345678901234567"}])
    assert night(market) == 0
    assert market.money() == {"A-1": 1, "A-2": 1, "12345678901234567": 1}


AS_TOLD = {
    "blanks": ("N002 ", "remove the blanks"),
    "an invisible character": ("N\u200b002", "without the characters"),
    "a formula": ('="N002"', "the text of a formula"),
    "quotes": ("“N002”", "quotes"),
    "nothing": ("", "fill it in"),
}


@pytest.mark.fault("J08")
@pytest.mark.parametrize("wrong", AS_TOLD)
def test_who_writes_the_id_as_told_is_not_said_to_have_sorted(
    market: Market, wrong: str
) -> None:
    """Beside other rows of that id, which were rejected, too, and come back or do not; once one row
    of it is left, it is charged.
    """
    cell, remedy = AS_TOLD[wrong]
    job(market)
    rows = [sale(2, order_id="N002"), sale(3, order_id="N002", amount="310.00")]
    mine = sale(2, order_id=cell)
    inbox(market, a=[sale(1), *rows, mine])
    assert night(market) == 10
    *others, refused = rejected(market, "a")
    assert remedy in refused["batchpay_reason"]
    mended = refused | {"order_id": "N002"}
    inbox(market, a=None, b=[*others, mended])
    assert night(market) == 10
    reasons = [row["batchpay_reason"] for row in rejected(market, "b")]
    assert len(reasons) == 3
    assert not any("another-row" in reason for reason in reasons), reasons
    assert all("the same order id" in reason for reason in reasons), reasons
    inbox(market, b=None, c=[rejected(market, "b")[-1]])
    assert night(market) == 0
    assert market.money() == {"00001": 1, "N002": 1}


TYPED = {"exponent": "0.00E+00", "words": '"No "0', "percentage": "0%"}


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize("form", TYPED)
def test_an_id_written_as_text_as_told_is_taken_once_somebody_says_yes(
    market: Market, form: str
) -> None:
    """The very number, as text: no cell shows whether a person wrote it so. The second reason says
    what helps, and that it is told so as often as it is sent as it is.
    """
    fixed = {
        "currency": '{ value = "THB" }',
        "destination": '{ value = "recp_test_sandbox1" }',
        "customer": '{ value = "cust_test_sandbox1x4242" }',
    }
    job(market, file="inbox/*.*", metadata="", **fixed)
    inbox(market)
    folder = market.folder / "inbox"
    book = Workbook()
    book.active.append(("order_id", "amount"))
    book.active.append((8850000000123, 300))
    book.active["A2"].number_format = TYPED[form]
    book.save(folder / "b.xlsx")
    assert night(market) == 10
    (wrong,) = sheet_rows(market, "b.xlsx")
    (folder / "b.xlsx").unlink()
    as_text = wrong | {"order_id": "8850000000123"}
    assert "batchpay_retry" not in wrong["batchpay_reason"]
    for name in "cd":
        inbox(market, **{name: [as_text]})
        assert night(market) == 10
        assert market.money() == {}
        (as_text,) = rejected(market, name)
        assert "write yes in batchpay_retry" in as_text["batchpay_reason"]
        inbox(market, **{name: None})
    inbox(market, e=[as_text | {"batchpay_retry": "yes"}])
    assert night(market) == 0
    assert market.money() == {"8850000000123": 1}


@pytest.mark.fault("J07", "J08")
def test_a_date_that_another_program_writes_otherwise_is_no_id_either(
    market: Market,
) -> None:
    """The workbook of rejected rows, saved as CSV with dates and numbers as that program shows
    them.
    """
    fixed = {
        "currency": '{ value = "THB" }',
        "destination": '{ value = "recp_test_sandbox1" }',
        "customer": '{ value = "cust_test_sandbox1x4242" }',
    }
    job(market, file="inbox/*.*", metadata="", **fixed)
    inbox(market)
    book = Workbook()
    book.active.append(("order_id", "amount"))
    for cells in ((date(2026, 3, 1), 300), (12345678901234567, 400)):
        book.active.append(cells)
    book.save(market.folder / "inbox" / "a.xlsx")
    assert night(market) == 10
    day, rounded = sheet_rows(market, "a.xlsx")
    (market.folder / "inbox" / "a.xlsx").unlink()
    shown = [(day, text) for text in ("03/01/2026", "1/3/2026", "1-Mar-26")]
    shown += [(rounded, "12345678901234600")]
    for number, (cells, text) in enumerate(shown):
        name = f"b{number}"
        inbox(market, **{name: [cells | {"order_id": text}]})
        assert night(market) == 10
        assert len(rejected(market, name)) == 1
        inbox(market, **{name: None})
    assert market.money() == {}
    right = [day | {"order_id": "3-1"}, rounded | {"order_id": "12345678901234567"}]
    inbox(market, d=right)
    assert night(market) == 0
    assert market.money() == {"3-1": 1, "12345678901234567": 1}


def sheet_rows(market: Market, file: str) -> list[dict[str, str]]:
    """The rows of the rejects file of a workbook, as a program saves them as CSV."""
    (batch,) = {row["batch_id"] for row in market.results() if row["file"] == file}
    sheet = load_workbook(market.folder / "reports" / batch / "rejects.xlsx").active
    header, *rows = sheet.iter_rows(values_only=True)
    return [
        {
            name: "" if cell is None else str(cell)
            for name, cell in zip(header, row, strict=True)
        }
        for row in rows
    ]


@pytest.mark.fault("J07", "I19")
def test_a_row_beside_the_columns_of_its_neighbour_gives_that_one_no_other_id(
    market: Market,
) -> None:
    """A fill handle went over the columns of two rows of one payer, neither of which was read
    right: each is charged once, under its own id.
    """
    job(market)
    one = sale(1, amount="abc")
    inbox(market, a=[one, sale(2, amount="xyz", card=one["card"]), sale(3)])
    assert night(market) == 10
    first, second = rejected(market, "a")
    ours = {name: cell for name, cell in first.items() if name.startswith("batchpay_")}
    right = {"amount": "100.00"}
    inbox(market, a=None, b=[first | right, second | {"amount": "250.00"} | ours])
    assert night(market) == 10
    once(market, 1, 3)
    (back,) = rejected(market, "b")
    assert "another-row" in back["batchpay_reason"]
    inbox(market, b=None, c=[second | {"amount": "250.00"}], d=[first | right])
    assert night(market) == 0
    once(market, 1, 2, 3)


@pytest.mark.fault("J14", "A11")
def test_a_duplicate_of_what_ended_without_money_is_told_when_its_order_is_charged(
    market: Market,
) -> None:
    """Declined, sent again as it was, then with another card: nobody has to pay any more, in the
    report of no file, and what is read is what the journal would tell now.
    """
    job(market)
    inbox(market, a=[sale(1, card=DECLINED), sale(2)])
    assert night(market) == 10
    inbox(market, a=None, b=[sale(1, card=DECLINED)])
    assert night(market) == 10
    (again,) = found(market, "b")
    assert (again["outcome"], again["who_acts"]) == ("duplicate", "payer")
    inbox(market, b=None, c=[sale(1)])
    assert night(market) == 0
    assert asked(market) == {"INV-1": 1, "INV-2": 1}
    told = market.results()
    assert {row["who_acts"] for row in told} == {"-"}
    standing = market.run(verb="status")
    assert standing.returncode == 0
    assert "payer" not in standing.stdout
    assert market.run(verb="report").returncode == 0
    assert market.results() == told


@pytest.mark.fault("J14", "A11")
def test_a_row_that_is_given_up_is_given_up_in_the_report_of_what_came_back_for_it(
    market: Market,
) -> None:
    """A mended row that is no better, and a person's word about the first: the report of the
    second says so at once.
    """
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    inbox(market, a=None, b=[{**told, "amount": "y"}])
    assert night(market) == 10
    (first,) = [row for row in found(market, "a") if row["outcome"] == "rejected"]
    word = ("--cancel", "--row", first["row"], "--reason", "gone")
    assert (
        market.program("resolve", "job.toml", first["batch_id"], *word).returncode == 0
    )
    (back,) = found(market, "b")
    assert (back["who_acts"], "cancelled" in back["reason"]) == ("-", True)
    shown = market.results()
    assert market.run(verb="report").returncode == 10
    assert market.results() == shown


@pytest.mark.fault("J14", "J35")
def test_a_duplicate_of_what_was_paid_is_told_anew_when_that_is_reversed(
    market: Market,
) -> None:
    """Nights later, in a report that nothing else touched; no other report is written again."""
    job(market)
    inbox(market, a=[sale(1), sale(2)])
    assert night(market) == 0
    inbox(market, a=None, b=[sale(1)])
    assert night(market) == 0
    inbox(market, b=None, c=[sale(2)])
    assert night(market) == 0
    (untouched,) = found(market, "c")
    manifest = market.folder / "reports" / untouched["batch_id"] / "manifest.json"
    as_it_was = manifest.read_bytes()
    market.sandbox.turn("reversed", order_id="00001")
    inbox(market, c=None, d=[sale(3)])
    assert night(market) == 10
    (again,) = found(market, "b")
    assert (again["outcome"], again["who_acts"]) == ("duplicate", "payer")
    assert "reversed" in again["reason"]
    assert manifest.read_bytes() == as_it_was
    shown = market.results()
    assert market.run(verb="report").returncode == 10
    assert market.results() == shown


@pytest.mark.fault("J17", "E03")
def test_a_row_of_an_older_file_that_may_go_now_is_in_the_exit_code_of_that_night(
    market: Market,
) -> None:
    """Its id looked like another one's; a person says that such ids are two orders, and its file is
    away: it waits for it.
    """
    job(market)
    inbox(market, a=[sale(1, order_id="0017")])
    assert night(market) == 0
    inbox(market, a=None, b=[sale(2, order_id="17")])
    assert night(market) == 10
    job(market, input='alike_ids = "distinct"')
    inbox(market, b=None, c=[sale(3)])
    assert night(market) == 11
    (waits,) = found(market, "b")
    assert waits["outcome"] == "held"
    assert night(market) == 11


@pytest.mark.fault("J07", "J13", "E05", "I1")
@pytest.mark.parametrize("answer", ["its file", "yes"])
def test_a_row_that_came_back_waits_where_its_sale_may_be_charged_under_another_column(
    market: Market, answer: str
) -> None:
    """It came back under an id that a person typed, and was not sent. Then ids are those of another
    column, and an export has the sale as it always was; the file that could tell is away.
    """
    job(market)
    wrong = sale(2, amount="a lot", invoice="INV-02")
    inbox(market, a=[sale(1), wrong])
    assert night(market) == 10
    (back,) = rejected(market, "a")
    back |= {"order_id": "N-2", "invoice": "INV-92", "amount": sale(2)["amount"]}
    inbox(market, b=[back])
    assert night(market, limit=0) == 11
    job(market, R)
    export = sale(2, order_id="Z", invoice="INV-02")
    inbox(market, a=None, b=None, c=[export, sale(3), sale(4)])
    assert night(market) == 11
    inbox(market, b=[back], c=None)
    assert night(market) == 11
    once_each = {"INV-1": 1, "INV-02": 1, "INV-3": 1, "INV-4": 1}
    assert asked(market) == once_each
    (waits,) = found(market, "b")
    assert waits["outcome"] == "held" and "this row came back for" in waits["reason"]
    if answer == "yes":
        assert night(market, yes=True) == 0
        assert asked(market) == once_each | {"INV-92": 1}
    else:
        inbox(market, a=[sale(1), wrong])
        night(market)
        assert asked(market) == once_each
        assert found(market, "b")[0]["outcome"] == "duplicate"


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize("files", ["xy", "yx", "one"])
def test_of_a_sale_under_two_ids_one_goes_in_a_run_also_where_neither_came_back(
    market: Market, files: str
) -> None:
    """A person typed another id while nothing could go; then both ids come in plain files of one
    night, each behind an order of the same payer. Nothing in these files links the two.
    """
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    night(market)
    (told,) = rejected(market, "a")
    typed = {"order_id": "R-1", "amount": sale(1)["amount"]}
    inbox(market, a=None, b=[told | typed])
    assert market.run("--limit", "0").returncode == 11
    own, other = sale(1), sale(1) | {"order_id": "R-1"}
    before = sale(3) | {"card": own["card"]}
    if files == "one":
        inbox(market, b=None, x=[before, own, other])
    else:
        inbox(market, b=None, **{files[0]: [before, own], files[1]: [other, sale(4)]})
    night(market)
    night(market)
    assert asked(market)["INV-1"] == 1


@pytest.mark.fault("J33", "I1")
@pytest.mark.parametrize(
    "flaw",
    [{"recipient": ""}, {"amount": "x"}, {"amount": "150.00", "recipient": ""}],
    ids=["as much", "unread", "more"],
)
def test_a_row_beside_another_of_its_order_is_not_settled_by_that_one(
    market: Market, flaw: dict[str, str]
) -> None:
    """What one row of a file is charged says nothing of the row below it: that one is told, and
    comes back, also when the whole file comes again with more.
    """
    market.job(file="*.csv", card="", customer='"card"')
    own = {"card": "cust_test_sandbox4242"}
    rows = [order(6, **own), order(6, **own | flaw)]
    market.orders(rows, name="a.csv")
    assert night(market) == 10
    market.orders([*rows, order(7, card="cust_test_sandbox74242")], name="b.csv")
    assert night(market) == 10
    assert market.money() == {"00006": 1, "00007": 1}
    flawed = [row for row in market.results() if row["outcome"] == "rejected"]
    assert [(row["file"], row["settled_by"]) for row in flawed] == [
        ("a.csv", ""),
        ("b.csv", ""),
    ]
    assert {row["who_acts"] for row in flawed} == {"accountant"}


@pytest.mark.fault("J14", "I1")
@pytest.mark.parametrize("ended", ["paid", "cancelled"])
def test_a_yes_about_another_file_frees_no_order_that_asked_nothing(
    market: Market, ended: str
) -> None:
    """An id that a person typed for a sale that was declined twice, and that was paid or cancelled
    then, comes in a plain file with the same terms; another file repeats a recent one.
    """
    job(market)
    others = [sale(8), sale(9)]
    first = sale(1, card=DECLINED)
    inbox(market, n=others, a=[first])
    assert night(market) == 10
    (back,) = rejected(market, "a")
    inbox(market, b=[back | {"order_id": "B1", "amount": "90.00"}])
    assert night(market) == 10
    inbox(market, n=None, a=None, b=None)
    again = sale(1)
    if ended == "paid":
        inbox(market, a2=[again])
        night(market)
        inbox(market, a2=None)
        paid = (1, 8, 9)
    else:
        cancelling.cancel(load_job(market.folder / "job.toml"), "00001", "called off")
        again = first
        paid = (8, 9)
    posts = market.posts()
    inbox(market, c=[again | {"order_id": "B1"}])
    asked_again = [one | {"order_id": f"M{n}"} for n, one in enumerate(others)]
    inbox(market, d=asked_again)
    night(market)
    (held,) = found(market, "c")
    assert held["outcome"] == ("duplicate" if ended == "paid" else "rejected"), held
    night(market, yes=True)
    assert market.posts() == posts + 2
    (held,) = found(market, "c")
    assert held["outcome"] == ("duplicate" if ended == "paid" else "rejected"), held
    assert asked(market) == Counter(
        {"INV-8": 2, "INV-9": 2, **{f"INV-{n}": 1 for n in paid if n == 1}}
    )


@pytest.mark.fault("J07", "E04")
@pytest.mark.parametrize("distinct", [True, False])
def test_what_a_person_cancelled_is_not_sent_under_what_was_made_of_its_id(
    market: Market, *, distinct: bool
) -> None:
    """Of one that asks for the same it is enough that programs or eyes may have made it; where the
    source has ids that look alike, they are its own, but for the characters of one text.
    """
    rules = 'alike_ids = "distinct"' if distinct else ""
    job(market, input=rules)
    ids = {
        "A-26-001": "A-26-1",
        "X3\u20131": "X3-1",
        "B-๒๖": "B-26",
        "C-26-001": "C-๒๖-๑",
        "Caf\u00e9-1": "Cafe\u0301-1",
    }
    rows = [sale(n, order_id=own) for n, own in enumerate(ids, 1)]
    inbox(market, a=[*rows, sale(9)])
    assert night(market, limit=0) == 11
    for own in ids:
        cancelling.cancel(load_job(market.folder / "job.toml"), own, "called off")
    inbox(market, a=None)
    made = [row | {"order_id": ids[row["order_id"]]} for row in rows]
    inbox(market, b=[*made, sale(9)])
    night(market, yes=True)
    outcomes = {row["order_id"]: row["outcome"] for row in found(market, "b")}
    went = {one for one, outcome in outcomes.items() if outcome == "succeeded"}
    its_own = {*ids.values()} - {"Cafe\u0301-1"} if distinct else set()
    assert went == {"00009", *its_own}, outcomes
    assert outcomes["Cafe\u0301-1"] == "conflict"


@pytest.mark.fault("X04", "J07")
@pytest.mark.parametrize("first", ["Caf\u00e9-1", "CAF\u00c9-1"])
def test_each_of_several_cancelled_ids_that_look_alike_holds_its_own_text(
    market: Market, first: str
) -> None:
    """A source with ids that only look alike has two orders; whichever was cancelled last, neither
    goes in other characters, and an id that no order had goes.
    """
    job(market, input='alike_ids = "distinct"')
    ids = ["Caf\u00e9-1", "CAF\u00c9-1"]
    inbox(market, a=[sale(n, order_id=own) for n, own in enumerate(ids, 1)])
    assert night(market, limit=0) == 11
    for own in sorted(ids, key=lambda own: own != first):
        cancelling.cancel(load_job(market.folder / "job.toml"), own, "called off")
    inbox(market, a=None)
    made = ["Cafe\u0301-1", "CAFE\u0301-1", "cafe\u0301-1"]
    inbox(market, b=[sale(n, order_id=own) for n, own in enumerate(made, 1)])
    night(market, yes=True)
    outcomes = [row["outcome"] for row in found(market, "b")]
    assert outcomes == ["conflict", "conflict", "succeeded"], found(market, "b")


@pytest.mark.fault("X04", "J07")
def test_one_text_in_other_characters_is_no_other_sale_under_a_new_id(
    market: Market,
) -> None:
    """It was kept back beside the charged one, and came back from the rejects file under an id that
    a person typed.
    """
    job(market, input='alike_ids = "distinct"')
    one, other = "Caf\u00e9-1", "Cafe\u0301-1"
    inbox(market, a=[sale(1, order_id=one)])
    assert night(market) == 0
    inbox(market, a=None, b=[sale(1, order_id=other)])
    night(market, yes=True)
    assert [row["outcome"] for row in found(market, "b")] == ["conflict"]
    inbox(market, b=None)
    told_back(market, other, "NEW-1", "inbox/c.csv")
    night(market, yes=True)
    assert asked(market)["INV-1"] == 1


@pytest.mark.fault("X04", "J07")
def test_one_text_in_other_characters_is_one_order_whatever_the_job_says(
    market: Market,
) -> None:
    """No source has both on purpose: in one file, in two files of a run, on two nights."""
    job(market, input='alike_ids = "distinct"')
    one, other = "Caf\u00e9-1", "Cafe\u0301-1"
    inbox(market, a=[sale(1, order_id=one)])
    assert night(market) == 0
    inbox(market, b=[sale(1, order_id=other), sale(2)])
    night(market, yes=True)
    once(market, 1, 2)
    (twin, _) = found(market, "b")
    assert twin["outcome"] == "conflict" and "Unicode NFC" in twin["reason"]
    inbox(market, a=None, b=None)
    inbox(market, c=[sale(3, order_id=f"{one}3")], d=[sale(3, order_id=f"{other}3")])
    night(market, yes=True)
    once_at_most = asked(market)["INV-3"]
    assert once_at_most <= 1
