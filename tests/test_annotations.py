"""What a file says of its orders beside what the job reads: told once a file; nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.badfiles import HEADER
from tests.inside import Inside
from tests.readers.files import Looked, look, row, text_of
from tests.test_doors import write
from tests.world import Market, order

MARKET = Inside


def renamed(folder: Path, amount: str, rows: list[dict[str, str]], unit: str) -> Looked:
    """What a file comes to whose column of amounts has this name."""
    header = [amount if name == "amount" else name for name in HEADER]
    lines = [{**line, amount: line["amount"]} for line in rows]
    how = {"amount": f'{{ column = "{amount}", unit = "{unit}" }}'}
    return look(folder, "orders.csv", text_of(lines, header), **how)


def told(looked: Looked, word: str) -> list[str]:
    """The notes with a word."""
    return [note for note in looked.notes if word in note]


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    ("name", "currency", "is_told"),
    [
        ("Amount (JPY)", "THB", True),
        ("amount usd", "THB", True),
        ("金額（円）", "THB", True),
        ("ยอดเงิน (บาท)", "USD", True),
        ("Amount US$", "SGD", True),
        ("Amount $", "SGD", False),
        ("Amount THB/JPY", "THB", False),
        ("Amount (THB)", "THB", False),
        ("Amount", "THB", False),
        ("元金額", "THB", False),
    ],
)
def test_a_name_that_says_another_currency_is_told(
    tmp_path: Path, name: str, currency: str, is_told: bool
) -> None:
    """And charged is what the row says."""
    rows = [row(1, currency=currency), row(2, currency=currency)]
    looked = renamed(tmp_path, name, rows, "major")
    assert looked.problems == {}
    notes = told(looked, "its name says")
    assert len(notes) == is_told
    for note in notes:
        assert f"2 orders, the first of them in row 2, are in {currency}" in note


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    ("words", "is_told"),
    [
        (["JPY", "THB", "บาท"], True),
        (["円", "", "บาท (THB)"], True),
        (["JPY", "円", "¥"], False),
        (["JPY", "THB", "by hand"], False),
    ],
)
def test_a_column_of_currencies_that_nobody_reads_is_told(
    tmp_path: Path, words: list[str], is_told: bool
) -> None:
    """Where the job names one for all rows, and a row says another."""
    rows = [
        row(at, amount="500", extra=word, currency="")
        for at, word in enumerate(words, 1)
    ]
    how = {"currency": '{ value = "JPY" }'}
    looked = look(tmp_path, "orders.csv", text_of(rows), **how)
    assert looked.problems == {}
    notes = told(looked, "they are charged in JPY") + told(
        looked, "it is charged in JPY"
    )
    assert len(notes) == is_told
    for note in notes:
        assert (
            "says THB, บาท in 2 rows: 3, 4;" in note
            or "says บาท (THB) in row 4;" in note
        )
    read = look(tmp_path, "orders.csv", text_of(rows))
    assert told(read, "charged in") == []


@pytest.mark.fault("X11")
@pytest.mark.parametrize(
    ("name", "unit", "is_told"),
    [
        ("Amount (THB thousand)", "major", True),
        ("Amount (in millions)", "minor", True),
        ("จำนวนเงิน (พันบาท)", "major", True),
        ("Betrag Tsd. THB", "major", True),
        ("Amount (satang)", "major", True),
        ("Amount (satang)", "minor", False),
        ("Thousandth", "major", False),
        ("Amount", "major", False),
    ],
)
def test_a_name_that_says_another_scale_is_told(
    tmp_path: Path, name: str, unit: str, is_told: bool
) -> None:
    """With what an order is charged for all that."""
    looked = renamed(tmp_path, name, [row(1, amount="500")], unit)
    assert looked.problems == {}
    notes = told(looked, "its name says")
    assert len(notes) == is_told
    for note in notes:
        assert ("row 2 with 500.00 THB" in note) == (unit == "major")


@pytest.mark.fault("X06")
@pytest.mark.parametrize(
    "word",
    [
        "Cancelled",
        "canceled by seller",
        "Refunded",
        "Chargeback",
        "ยกเลิกแล้ว",
        "คืนเงิน",
        "キャンセル済み",
        "返品",
        "Storniert",
    ],
)
def test_a_column_that_calls_orders_off_is_told_where_no_field_uses_it(
    tmp_path: Path, word: str
) -> None:
    """With its first rows, of those that are charged; what says that nothing is, is none."""
    others = [
        "Paid",
        "",
        "not cancelled",
        "non-refundable",
        "キャンセル不可",
        "ไม่ยกเลิก",
    ]
    texts = [*others, word, word]
    rows = [row(at, extra=text) for at, text in enumerate(texts, 1)]
    rows.append(row(10, extra=word, amount="x"))
    looked = look(tmp_path, "orders.csv", text_of(rows))
    (note,) = told(looked, "as they stand")
    assert f"'extra', which no field uses, says '{word}' in 2 rows: 8, 9; they" in note
    assert set(looked.problems) == {10}
    used = look(tmp_path, "orders.csv", text_of(rows), description='"extra"')
    assert told(used, "as they stand") == []


@pytest.mark.fault("X06")
def test_of_many_rows_the_first_are_named(tmp_path: Path) -> None:
    rows = [row(at, extra="Cancelled") for at in range(1, 9)]
    (note,) = told(look(tmp_path, "orders.csv", text_of(rows)), "as they stand")
    assert "in 8 rows: 2, 3, 4, 5, 6, …; they" in note


@pytest.mark.fault("X06")
@pytest.mark.parametrize("name", ["Refund", "ยกเลิก", "キャンセル日"])
def test_a_column_called_so_is_told_where_some_rows_fill_it(
    tmp_path: Path, name: str
) -> None:
    """A no, and a nought, are none; one that all fill is of something else."""
    header = [*HEADER, name]
    cells = ["", "0.00", "no", "2026-11-27"]
    rows = [{**row(at), name: cell} for at, cell in enumerate(cells, 1)]
    (note,) = told(look(tmp_path, "orders.csv", text_of(rows, header)), "as it stands")
    assert f"column '{name}', which no field uses, is filled in row 5; it" in note
    rows = [{**row(at), name: "within 30 days"} for at in (1, 2)]
    assert told(look(tmp_path, "orders.csv", text_of(rows, header)), "stand:") == []


@pytest.mark.fault("X06")
@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["", "x", ""], "in row 3;"),
        (["", " X ", "no"], "in row 3;"),
        (["\u2717", "", "\xd7"], "in 2 rows: 2, 4;"),
        (["x", "yes", "x"], "in row 3;"),
        (["x", "x", "\u2713"], "in row 4;"),
        (["\u25cb", "\xd7", "\xd7"], "in row 2;"),
        (["x", "x", "x"], ""),
    ],
)
def test_a_cross_in_such_a_column_is_a_mark_where_no_other_is(
    tmp_path: Path, cells: list[str], found: str
) -> None:
    """Beside cells that say yes otherwise it is a no."""
    rows = [{**row(at), "Cancelled": cell} for at, cell in enumerate(cells, 1)]
    looked = look(tmp_path, "orders.csv", text_of(rows, [*HEADER, "Cancelled"]))
    notes = [note for note in told(looked, "stand") if "is filled" in note]
    assert [found in note for note in notes] == [True] * bool(found)


@pytest.mark.fault("X06")
def test_a_row_that_says_nothing_else_is_told(tmp_path: Path) -> None:
    """The orders below it are charged."""
    title = dict.fromkeys(row(1), "") | {"order_id": "Cancelled"}
    looked = look(tmp_path, "orders.csv", text_of([row(1), title, row(2)]))
    (note,) = told(looked, "as they stand")
    assert "row 3 says 'Cancelled' and nothing else" in note
    assert looked.rules == {3: [("order_id", "only-cell")]}


@pytest.mark.fault("X06")
def test_a_night_without_trouble_is_silent_and_its_summary_says_so(
    market: Market,
) -> None:
    """As `check` does before it, and the reports after it."""
    rows = [{**order(at), "Status": "Cancelled" if at == 2 else ""} for at in (1, 2)]
    write(market, "a.csv", rows)
    market.job(file="a.csv")
    said = "column 'Status', which no field uses, says 'Cancelled' in row 3"
    checked = market.run(verb="check")
    assert said in checked.stdout + checked.stderr
    ended = market.run()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert said in market.run("--summary").stdout


@pytest.mark.fault("X28")
def test_an_empty_cell_is_no_line_of_a_lookup_file(tmp_path: Path) -> None:
    """Though a line of it has no value yet: it is filled in where it is empty."""
    (tmp_path / "whose.csv").write_text("shop,id\nA,\nB,recp_test_1\n", "utf-8")
    table = '{ column = "extra", lookup = "whose.csv", key = "shop", value = "id" }'
    rows = [row(1, extra="B"), row(2), row(3, extra="A")]
    looked = look(tmp_path, "orders.csv", text_of(rows), destination=table)
    assert looked.rules == {3: [("extra", "required")], 4: [("extra", "lookup-empty")]}
    assert "whose.csv" not in looked.problems[3][0].remedy
