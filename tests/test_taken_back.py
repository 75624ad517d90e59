"""A row that asks for nothing, or less, takes back the other rows of its order id: none is charged
before a person has said what is right (E08). Against the true program over real HTTP.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inside import Inside
from tests.readers.files import look_at, row
from tests.test_coming_back import found, rejected
from tests.test_doors import night, write
from tests.test_provenance import send
from tests.world import Market, order

MARKET = Inside

MINUS = ["-500.00", "(500.00)", "500.00-", "0.00", "CR 500.00"]
TOO_SMALL = (
    "1.00"  # for the gateway: that is no fault of the row, and is told of it later
)


@pytest.mark.fault("E08")
@pytest.mark.parametrize("amount", MINUS)
@pytest.mark.parametrize("is_first", [True, False])
def test_an_order_that_its_file_takes_back_is_not_charged(
    market: Market, amount: str, is_first: bool
) -> None:
    """Each row says where the other one stands; once it is gone, the order goes."""
    both = [order(1, amount="500.00"), order(1, amount=amount)]
    lines = [order(2), *(both[::-1] if is_first else both)]
    assert send(market, "a.csv", lines) == 10
    assert market.money() == {"00002": 1}
    outcomes = sorted(row["outcome"] for row in found(market, "a"))
    assert outcomes == ["conflict", "rejected", "succeeded"]
    back = rejected(market, "a")
    (right,) = (line for line in back if line["batchpay_outcome"] == "conflict")
    where = 3 if is_first else 4
    assert f"other content stands in row {where}" in right["batchpay_reason"]
    assert send(market, "b.csv", back) == 10
    assert market.money() == {"00002": 1}
    write(market, "c.csv", [right])
    market.job(file="[ac].csv")  # also beside the file that took it back
    night(market)
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("E08")
def test_what_another_file_of_the_run_takes_back_waits_too(market: Market) -> None:
    write(market, "a.csv", [order(1), order(2)])
    write(market, "b.csv", [order(1, amount="-101.25"), order(3)])
    market.job(file="*.csv")
    assert night(market) == 10
    assert market.money() == {"00002": 1, "00003": 1}
    (waits,) = (row for row in found(market, "a") if row["order_id"] == "00001")
    assert waits["outcome"] == "conflict"
    assert "row 2 of b.csv" in waits["reason"]


@pytest.mark.fault("E08")
def test_a_row_that_is_rejected_otherwise_takes_nothing_back(market: Market) -> None:
    """It may be corrected; and an order that was charged is charged."""
    lines = [order(1), order(1, amount="abc"), order(2), order(2, recipient="nobody")]
    send(market, "a.csv", lines)
    assert market.money() == {"00001": 1, "00002": 1}
    send(market, "b.csv", [order(1, amount="-101.25")])
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("E08")
@pytest.mark.parametrize(
    "amount", ["500.00 Cr.", "$-500.00", "THB -500.00", "-500.005"]
)
def test_a_credit_in_any_form_takes_its_order_back(tmp_path: Path, amount: str) -> None:
    looked = look_at(tmp_path, row(1, amount="500.00"), row(1, amount=amount))
    assert set(looked.problems) == {3}
    assert looked.repeats == {2: "conflict"}


@pytest.mark.fault("E08", "X14")
@pytest.mark.parametrize(
    "order_id",
    [
        "A00001 ",
        "\xa0A00001",
        "A00001\u200b",
        '"A00001"',
        "“A00001”",
        '="A00001"',
        "a00001",
    ],
)
@pytest.mark.parametrize("ids", ["one", "distinct"])
def test_a_damaged_id_takes_the_order_back_that_it_was(
    tmp_path: Path, order_id: str, ids: str
) -> None:
    """Its row is never sent, and no other order's; where look-alikes are orders of their own, an id
    that breaks no rule is another order's.
    """
    lines = [
        row(1, amount="80.00"),
        row(1, order_id=order_id, amount="-80.00"),
        row(2),
    ]
    how = {"input": 'alike_ids = "distinct"'} if ids == "distinct" else {}
    looked = look_at(tmp_path, *lines, **how)
    assert set(looked.problems) == {3}
    is_another = ids == "distinct" and order_id == "a00001"
    assert looked.repeats == ({} if is_another else {2: "conflict"})


@pytest.mark.fault("E08")
def test_what_a_damaged_id_takes_back_is_not_charged(market: Market) -> None:
    lines = [
        order(1),
        {**order(1, amount="-101.25"), "order_id": "00001 "},
        {**order(2, amount="(102.50)"), "order_id": '"00002"'},
        order(2),
        order(3),
    ]
    assert send(market, "a.csv", lines) == 10
    assert market.money() == {"00003": 1}
    outcomes = sorted(row["outcome"] for row in found(market, "a"))
    assert outcomes == ["conflict", "conflict", "rejected", "rejected", "succeeded"]


@pytest.mark.fault("E08")
def test_a_damaged_id_that_asks_for_money_takes_nothing_back(tmp_path: Path) -> None:
    looked = look_at(tmp_path, row(1), row(1, order_id="A00001 "))
    assert (set(looked.problems), looked.repeats) == ({3}, {})


FORMS = [{}, {"amount": '{ column = "amount", unit = "major", format = "1.234,56" }'}]


@pytest.mark.fault("E08", "X09")
@pytest.mark.parametrize(
    "amount", ["80.00-", "80,00-", "CR 70.00", "70.00 Cr.", "80\u2212"]
)
@pytest.mark.parametrize("how", FORMS)
def test_no_remedy_makes_a_price_of_what_is_paid_back(
    tmp_path: Path, amount: str, how: dict[str, str]
) -> None:
    looked = look_at(tmp_path, row(1, amount=amount), **how)
    ((problem,),) = looked.problems.values()
    assert problem.rule == "number-format"
    assert "if it is that, remove the row" in problem.remedy


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    "amount", ["USD 10.00", "10.00 USD", "EUR 10,00", "10 XYZ", "€ 10"]
)
@pytest.mark.parametrize("how", FORMS)
def test_no_remedy_takes_an_amount_for_another_currencys(
    tmp_path: Path, amount: str, how: dict[str, str]
) -> None:
    looked = look_at(tmp_path, row(1, amount=amount), **how)
    ((problem,),) = looked.problems.values()
    assert problem.rule == "other-currency"


@pytest.mark.fault("X09")
def test_a_minus_ends_a_price_in_yen(tmp_path: Path) -> None:
    looked = look_at(tmp_path, row(1, amount="¥4,000-", currency="JPY"))
    ((problem,),) = looked.problems.values()
    assert "paid back" not in problem.remedy


@pytest.mark.fault("E08", "J08")
@pytest.mark.parametrize("amount", [*MINUS, TOO_SMALL])
def test_a_correction_goes_beside_the_refused_row_that_it_corrects(
    market: Market, amount: str
) -> None:
    """Nobody need take the file away that holds it. When it is corrected there, too, it is the same
    order; asking for other money there, it is in conflict with what was charged.
    """
    rows = [order(1, amount=amount), order(2)]
    assert send(market, "a.csv", rows) == 10
    (told,) = rejected(market, "a")
    write(market, "b.csv", [told | {"amount": "500.00"}])
    market.job(file="*.csv")
    assert night(market) == 0
    assert market.money() == {"00001": 1, "00002": 1}
    write(market, "a.csv", [order(1, amount="500.00"), order(2)])
    assert night(market) == 0
    write(market, "a.csv", [order(1, amount="50.00"), order(2)])
    assert night(market) == 10
    outcomes = {row["outcome"] for row in found(market, "a") if row["amount"] == "5000"}
    assert outcomes == {"conflict"}
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("E08")
def test_a_correction_waits_beside_what_takes_it_back_elsewhere(market: Market) -> None:
    """Only the row that it corrects gives way to it."""
    assert send(market, "a.csv", [order(1, amount="0.00"), order(2)]) == 10
    (told,) = rejected(market, "a")
    write(market, "b.csv", [told | {"amount": "500.00"}])
    write(market, "c.csv", [order(1, amount="-500.00")])
    market.job(file="*.csv")
    assert night(market) == 10
    assert market.money() == {"00002": 1}
    (waits,) = found(market, "b")
    assert waits["outcome"] == "conflict"
    assert "row 2 of c.csv" in waits["reason"]


IN_THE_WAY = {
    "other money": {"amount": "120.00"},
    "the same id to the eye": {"order_id": "1", "amount": "120.00"},
    "less than nothing": {"amount": "-101.25"},
}


@pytest.mark.fault("E08", "H05")
@pytest.mark.parametrize("other", IN_THE_WAY)
@pytest.mark.parametrize("apart", [True, False])
def test_a_row_that_a_person_gave_up_stands_in_nobodys_way(
    market: Market, other: str, *, apart: bool
) -> None:
    """Nor does what comes back for it, which is never sent either."""
    rival = order(1, **IN_THE_WAY[other])
    lines = [order(1), order(2)]
    write(market, "a.csv", lines if apart else [*lines, rival])
    if apart:
        write(market, "b.csv", [rival])
    market.job(file="*.csv")
    assert night(market) == 10
    assert market.money() == {"00002": 1}
    file, row = ("b", 2) if apart else ("a", 4)
    batch = found(market, file)[0]["batch_id"]
    back = [one for one in rejected(market, file) if one["batchpay_row"] == str(row)]
    given_up = ("--cancel", "--row", str(row), "--reason", "wrong")
    assert market.program("resolve", "job.toml", batch, *given_up).returncode == 0
    write(market, "c.csv", back)
    assert night(market) in (0, 10)
    assert market.money() == {"00001": 1, "00002": 1}
    charged = [c["amount"] for c in market.own_charges()]
    assert sorted(charged) == [10125, 10225]
