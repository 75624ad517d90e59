"""Rows that are no orders: told as what they are, never charged, and no reason to fill in cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.readers.files import HEADER, Looked, look, row, text_of
from tests.readers.test_xlsx import book, good

ORDERS = [row(1), row(2, amount="20.50"), row(3, amount="5.00")]


def line(**cells: str) -> dict[str, str]:
    """A row with these cells only."""
    return cells


def looked_at(tmp_path: Path, *rows: dict[str, str], **how: Any) -> Looked:
    """What three orders with these rows below come to."""
    return look(tmp_path, "orders.csv", text_of([*ORDERS, *rows]), **how)


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    "word",
    [
        "Total",
        "合計",
        "รวม",
        "Grand Total:",
        "Sub-total:",
        "合　計",
        "Total (3)",
        "Summe",
        "Zwischensumme:",
        "GESAMT",
    ],
)
@pytest.mark.parametrize(
    ("sum_", "told"), [("35.50", "is what the rows"), ("36.00", "come to")]
)
def test_a_total_row_is_told_with_its_sum_held_against_ours(
    tmp_path: Path, word: str, sum_: str, told: str
) -> None:
    """One sentence, and a note."""
    looked = looked_at(tmp_path, line(order_id=word, amount=sum_))
    assert looked.rules == {5: [("order_id", "total-row")]}
    (note,) = [note for note in looked.notes if "total row" in note]
    assert told in note
    assert f"{sum_} THB" in note


@pytest.mark.fault("X13")
def test_a_total_row_with_all_that_an_order_needs_is_never_charged(
    tmp_path: Path,
) -> None:
    """Where the job says who pays whom, nothing of it is missing."""
    fixed = {
        "destination": '{ value = "recp_test_1" }',
        "customer": '{ value = "cust_test_1" }',
    }
    total = line(order_id="Total", amount="35.50", currency="THB")
    assert looked_at(tmp_path, total, **fixed).rules == {5: [("order_id", "total-row")]}
    looked = looked_at(tmp_path, total, input='odd_ids = "accept"', **fixed)
    assert looked.rules == {5: [("amount", "total-row")]}
    # the row itself says so
    assert "is the sum of all above it" not in " ".join(looked.notes)


@pytest.mark.fault("X13")
def test_a_last_row_that_is_the_sum_of_all_goes_only_where_a_person_says_so(
    tmp_path: Path,
) -> None:
    """It has an id, a payer and a recipient, and may be an order; below it there may be remarks."""
    remark = line(order_id="End of report")
    for below in ((), (remark,)):
        looked = looked_at(tmp_path, row(4, amount="35.50"), *below)
        assert looked.rules[5] == [("amount", "total-row")]
        assert "the sum of all above it, 35.50 THB" in looked.problems[5][0].remedy
    looked = looked_at(tmp_path, row(4, amount="35.50"), input='total_rows = "accept"')
    assert (looked.rows, looked.problems) == ([2, 3, 4, 5], {})
    assert "is the sum of all above it, 35.50 THB" in " ".join(looked.notes)
    for others in (row(4, amount="35.51"), row(4, amount="35.50", currency="USD")):
        assert looked_at(tmp_path, others).problems == {}
    assert (
        looked_at(tmp_path, row(4, amount="35.50"), row(5, amount="1.00")).problems
        == {}
    )


@pytest.mark.fault("X13")
def test_of_two_rows_a_third_is_the_sum_by_chance(tmp_path: Path) -> None:
    """Round amounts are so: 100, 200, 300."""
    rows = [row(at, amount=f"{at}00.00") for at in (1, 2, 3)]
    assert look(tmp_path, "orders.csv", text_of(rows)).problems == {}


@pytest.mark.fault("X13")
def test_a_sum_without_a_word_is_known_by_what_it_comes_to(tmp_path: Path) -> None:
    """It has no id, and is what the column above adds up to."""
    for cells in ({}, {"order_id": "*"}):
        looked = looked_at(tmp_path, line(amount="35.50", **cells))
        assert ("amount", "total-row") in looked.rules[5]
        skipped = looked_at(
            tmp_path, line(amount="35.50", **cells), input='total_rows = "skip"'
        )
        assert (skipped.rows, skipped.problems) == ([2, 3, 4], {})
    looked = looked_at(tmp_path, line(amount="35.51"))
    assert ("amount", "total-row") not in looked.rules[5]


@pytest.mark.fault("X13")
def test_subtotals_are_held_against_the_rows_since_the_last(tmp_path: Path) -> None:
    """And the sum of all against all."""
    rows = [
        line(order_id="Subtotal", amount="35.50"),
        row(4, amount="1.00"),
        line(order_id="Subtotal", amount="1.00"),
        line(order_id="Total", amount="36.50"),
    ]
    looked = looked_at(tmp_path, *rows)
    assert set(looked.problems) == {5, 7, 8}
    assert (
        len(
            [
                note
                for note in looked.notes
                if "is what the rows above it come to" in note
            ]
        )
        == 3
    )


SUBTOTALS = [
    "Shop A Total",
    "Shop A Sum",
    "SUBTOTAL Shop A",
    "Shop 1 subtotal:",
    "Total Result",
    "Total (THB)",
    "Net Total",
    "Gesamtergebnis",
    "Shop A Ergebnis",
    "Summe Shop A",
    "Shop A Summe",
    "ยอดรวมสุทธิ",
    "รวมจำนวนเงิน",
    "ร้าน A รวม",
    "รวมร้าน A",
    "合計（税込）",
    "A店 小計",
    "A店計",
]


@pytest.mark.fault("X13")
@pytest.mark.parametrize("word", SUBTOTALS)
def test_a_sum_of_some_is_no_order_where_nobody_pays_it(
    tmp_path: Path, word: str
) -> None:
    """In place of its id, or in another cell where it has none; nothing asks to fill it in."""
    for cells in ({"order_id": word}, {"note": word}):
        (column,) = cells
        looked = looked_at(tmp_path, line(amount="35.50", **cells), row(4))
        assert looked.rules == {5: [(column, "total-row")]}
    how = {"input": 'total_rows = "skip"'}
    looked = looked_at(tmp_path, line(order_id=word, amount="35.50"), row(4), **how)
    assert (looked.rows, looked.problems) == ([2, 3, 4, 6], {})


@pytest.mark.fault("X13")
@pytest.mark.parametrize("word", SUBTOTALS)
def test_a_sum_of_some_that_somebody_filled_in_is_never_charged(
    tmp_path: Path, word: str
) -> None:
    """Where its amount is that of the rows since the last such row, or of all."""
    rows = [
        row(4, order_id=word, amount="35.50"),
        row(5, amount="4.00"),
        row(6, amount="6.00"),
        row(7, order_id=f"{word}:", amount="10.00"),
        row(8, order_id=f"{word}::", amount="45.50"),
        row(9),
    ]
    looked = looked_at(tmp_path, *rows)
    found = {at: [rule for _, rule in rules] for at, rules in looked.rules.items()}
    assert found == {5: ["total-row"], 8: ["total-row"], 9: ["total-row"]}
    looked = looked_at(tmp_path, *rows, input='total_rows = "skip"')
    assert (looked.rows, looked.problems) == ([2, 3, 4, 6, 7, 10], {})


@pytest.mark.fault("X13")
def test_an_order_called_as_a_sum_is_one_by_its_amount(tmp_path: Path) -> None:
    """Or by what the job says of such rows; one that is rejected otherwise is that."""
    named = row(4, order_id="Shop A Total", amount="35.51")
    looked = looked_at(tmp_path, named, row(5))
    assert (looked.rows, looked.problems) == ([2, 3, 4, 5, 6], {})
    named["amount"] = "35.50"
    looked = looked_at(tmp_path, named, row(5), input='total_rows = "accept"')
    assert looked.problems == {}
    named["amount"] = "x"
    assert looked_at(tmp_path, named, row(5)).rules == {
        5: [("amount", "number-format")]
    }


def amounts(*units: int) -> list[dict[str, str]]:
    """Orders of these amounts."""
    return [row(at, amount=f"{unit}.00") for at, unit in enumerate(units, 1)]


@pytest.mark.fault("X13")
@pytest.mark.parametrize("last", [(), (300,)])
def test_a_file_of_groups_that_their_sums_close_is_refused(
    tmp_path: Path, last: tuple[int, ...]
) -> None:
    """No word tells them; the sum of all may stand below."""
    text = text_of(amounts(100, 50, 150, 70, 30, 50, 150, *last))
    looked = look(tmp_path, "orders.csv", text)
    (sentence,) = looked.unsent
    assert f"Rows 4, 8{', 9' if last else ''}: the amount" in sentence
    looked = look(tmp_path, "orders.csv", text, input='total_rows = "accept"')
    assert looked.unsent == []


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    "units",
    [
        (100, 200, 300, 100, 200, 300),  # by chance, as of round amounts
        (100, 50, 150, 70, 30, 50, 151),
        (100, 50, 150, 70, 30, 50, 150, 10),
        (10, 10, 10, 10, 10, 10),
        (100, 150, 50, 300),
    ],
)
def test_sums_by_chance_are_orders(tmp_path: Path, units: tuple[int, ...]) -> None:
    how = {"input": 'total_rows = "accept"'} if len(units) == 4 else {}
    looked = look(tmp_path, "orders.csv", text_of(amounts(*units)), **how)
    assert (looked.unsent, looked.problems) == ([], {})


@pytest.mark.fault("X13")
def test_groups_of_two_currencies_are_no_groups(tmp_path: Path) -> None:
    rows = amounts(100, 50, 150, 70, 30, 50, 150)
    rows[5]["currency"] = "USD"
    assert look(tmp_path, "orders.csv", text_of(rows)).unsent == []


@pytest.mark.fault("X06")
@pytest.mark.parametrize("skip", ["", 'total_rows = "skip"'])
def test_a_header_of_two_rows_is_refused_where_it_does_not_say_what_is_charged(
    tmp_path: Path, skip: str
) -> None:
    """Its lower row is no total, though one of its names is Total."""
    text = (
        "order_id,amount,,,currency,recipient,customer\n"
        ",Goods,Shipping,Total,,,\n"
        "G1,90,10,100,THB,recp_test_1,cust_test_1\n"
    )
    how = {"input": skip, "description": '"order_id"', "metadata": "{}"}
    looked = look(tmp_path, "orders.csv", text, **how)
    assert "row 2 goes on with the header, and the column 'amount'" in looked.refusal
    assert "Goods, Shipping, Total" in looked.refusal
    text = text.replace(",,,currency", ",shipping,total,currency")
    text = text.replace(",Goods,Shipping,Total,,,\n", "")
    assert look(tmp_path, "orders.csv", text, **how).problems == {}


@pytest.mark.fault("X13")
def test_total_rows_are_left_out_where_the_job_says_so(tmp_path: Path) -> None:
    """Told, and no row; an order with that word in another cell stays one."""
    how = {"input": 'total_rows = "skip"'}
    looked = looked_at(tmp_path, line(order_id="Total", amount="35.50"), row(4), **how)
    assert (looked.rows, looked.problems) == ([2, 3, 4, 6], {})
    assert "1 total row skipped, as the job says: 5" in looked.notes
    looked = looked_at(tmp_path, row(4, amount="x", note="Total"), **how)
    assert 5 in looked.problems


@pytest.mark.fault("X13")
def test_further_lines_of_an_order_are_told_in_one_sentence(tmp_path: Path) -> None:
    """Money on the first only; one with money of its own is no further line."""
    rows = [line(order_id="A00003", note="Vase"), line(order_id="A00003", note="Bowl")]
    looked = looked_at(tmp_path, *rows)
    assert looked.rules == {
        5: [("order_id", "further-line")],
        6: [("order_id", "further-line")],
    }
    assert "a further line of the order in row 4" in looked.problems[6][0].remedy
    looked = looked_at(tmp_path, line(order_id="A00003", amount="1.00"))
    assert ("order_id", "further-line") not in looked.rules[5]


@pytest.mark.fault("X13")
def test_comments_and_repeated_headers_are_no_rows(tmp_path: Path) -> None:
    """As blank ones; told once a file."""
    header = dict(zip(HEADER, HEADER, strict=True))
    rows = [
        line(order_id="# exported by the shop"),
        header,
        row(4),
        line(order_id="※ おわり"),
    ]
    looked = looked_at(tmp_path, *rows)
    assert (looked.rows, looked.problems) == ([2, 3, 4, 7], {})
    assert "2 rows of nothing but a comment skipped" in looked.notes
    assert "1 row that repeats the header skipped: 6" in looked.notes


@pytest.mark.fault("X13")
@pytest.mark.parametrize("cell", ["#1001", "End of report", "A9"])
def test_a_row_of_one_cell_is_told_in_one_sentence(tmp_path: Path, cell: str) -> None:
    """It may be an order that nobody filled in: it is never left out; nor is one that has no other
    cells at all, of which nothing else is told.
    """
    looked = looked_at(tmp_path, line(order_id=cell))
    assert looked.rules == {5: [("order_id", "only-cell")]}
    looked = look(tmp_path, "orders.csv", f"{text_of(ORDERS)}{cell}\n")
    assert looked.rules == {5: [("row", "ragged-row")]}


def test_a_row_of_blanks_is_blank(tmp_path: Path) -> None:
    """What a space bar left is no row."""
    looked = looked_at(tmp_path, line(order_id=" ", note="\u3000"), row(4))
    assert (looked.rows, looked.problems) == ([2, 3, 4, 6], {})
    assert "1 blank row skipped" in looked.notes


@pytest.mark.fault("X13")
def test_an_order_that_lacks_its_id_is_no_sum(tmp_path: Path) -> None:
    """Though its amount is that of those above: who pays whom stands in it, and `skip` would lose
    it.
    """
    lost = row(4, order_id="", amount="35.50")
    looked = looked_at(tmp_path, lost, row(5), input='total_rows = "skip"')
    assert looked.rules == {5: [("order_id", "required")]}


@pytest.mark.fault("X13")
def test_of_a_sum_no_more_is_told_than_that(tmp_path: Path) -> None:
    """The word is no wrong recipient."""
    looked = looked_at(tmp_path, line(recipient="小計", amount="35.50"))
    assert looked.rules == {5: [("recipient", "total-row")]}


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    "below", [HEADER, ["Refund", "Sum", "", "To", "Reason", "", "", ""]]
)
def test_a_second_table_refuses_the_file_and_a_range_reads_the_first(
    tmp_path: Path, below: Sequence[str]
) -> None:
    """Its rows could be charged as orders."""
    data = book(good(1), good(2), [""], list(below), good(3))
    refusal = look(tmp_path, "orders.xlsx", data).refusal
    assert "in row 5 another table begins" in refusal
    assert 'say range = "A1:H3" in [input]' in refusal
    looked = look(tmp_path, "orders.xlsx", data, input='range = "A1:H3"')
    assert (looked.rows, looked.problems) == ([2, 3], {})
    text = text_of([row(1)]) + "\n" + ",".join(below) + "\n"
    assert "in files of their own" in look(tmp_path, "orders.csv", text).refusal


@pytest.mark.fault("X13")
@pytest.mark.parametrize("gap", [[], [[""]]])
@pytest.mark.parametrize(
    "below", [HEADER, ["Refund", "Sum", "", "To", "Reason", "", "", ""]]
)
def test_a_second_table_below_its_own_title_refuses_the_file(
    tmp_path: Path, below: Sequence[str], gap: Sequence[Sequence[str]]
) -> None:
    """With a blank row above the title or none: refunds are no orders."""
    data = book(good(1), good(2), *gap, ["Refunds"], list(below), good(3))
    refusal = look(tmp_path, "orders.xlsx", data).refusal
    assert f"in row {4 + len(gap)} another table begins ('Refunds')" in refusal
    assert 'say range = "A1:H3" in [input]' in refusal
    looked = look(tmp_path, "orders.xlsx", data, input='range = "A1:H3"')
    assert (looked.rows, looked.problems) == ([2, 3], {})


@pytest.mark.fault("X06", "X20")
@pytest.mark.parametrize("gap", [[], [line()], [line(order_id="Branch 2")]])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_header_with_its_columns_in_another_order_refuses_the_file(
    tmp_path: Path, form: str, gap: list[dict[str, str]]
) -> None:
    """What stands below it would be charged by the wrong columns. One that names a column anew of
    which the job makes nothing does no harm.
    """
    same = dict(zip(HEADER, HEADER, strict=True))
    swapped = {**same, "amount": "extra", "extra": "amount"}
    below = row(4, amount="5.00", extra="200.00")

    def refused(header: dict[str, str]) -> list[str]:
        rows = [*ORDERS, *gap, header, below]
        if form == "csv":
            return look(tmp_path, "orders.csv", text_of(rows)).refused
        cells = [[each.get(name) for name in HEADER] for each in rows]
        return look(tmp_path, "orders.xlsx", book(*cells)).refused

    (refusal,) = refused(swapped)
    assert f"row {5 + len(gap)} is another header, with 'extra' where" in refusal
    assert (
        "the first one has 'amount'" in refusal and "delete that header" not in refusal
    )
    (refusal,) = refused({**same, "amount": "Discount"})
    assert "with 'Discount' where the first one has 'amount'" in refusal
    if not gap:
        assert refused({**same, "extra": "Remark"}) == []
    # as it says: in a file of their own, or below the names of the first header
    above = look(tmp_path, "orders.csv", text_of([*ORDERS]))
    own = look(tmp_path, "orders.csv", text_of([below]))
    moved = {**below, "amount": below["extra"], "extra": below["amount"]}
    both_in_one = look(tmp_path, "orders.csv", text_of([*ORDERS, moved]))
    for done in (above, own, both_in_one):
        assert (done.refused, done.problems) == ([], {})
    assert both_in_one.documents[-1]["amount"] == 20_000


NETTO = row(6, order_id="Netto", amount="35.50")


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    ("below", "named"),
    [
        ((row(6, order_id="Ratchada", amount="35.50"), row(7), row(8)), "5"),
        (
            (NETTO, row(7), row(8), row(9, order_id="Silom", amount="20.00"), row(10)),
            "5, 8",
        ),
        ((NETTO, row(7, order_id="MwSt", amount="6.75"), row(8, amount="1.00")), "5"),
        ((row(6, order_id="สาขา ก", amount="35.50"), row(7)), "5"),
    ],
)
def test_a_sum_below_orders_whose_ids_are_numbered_and_its_own_is_not_is_none(
    tmp_path: Path, below: Sequence[dict[str, str]], named: str
) -> None:
    """A name, or a word that no list of ours has, above a rest that no sum closes: the file waits
    for a person, who may say that they are orders.
    """
    looked = looked_at(tmp_path, *below)
    assert looked.problems == {}
    (refusal,) = looked.unsent
    assert refusal.startswith(f"Rows {named}: the amount of each"), refusal
    assert "its order id has no digit" in refusal
    assert not looked_at(tmp_path, *below, input='total_rows = "accept"').unsent


@pytest.mark.fault("X13")
@pytest.mark.parametrize("first", ["A00001", "Ratchada"])
def test_an_amount_that_is_a_sum_by_chance_is_charged(
    tmp_path: Path, first: str
) -> None:
    """Where its id is one as the others are, has a digit, or sums one row, however long ago the
    others were read.
    """
    rest = [row(8), row(9)]
    for rows in (
        [*ORDERS, row(6, amount="35.50"), *rest],
        [row(1, order_id="Ari"), *ORDERS, row(6, order_id="Silom", amount="45.50")],
        [row(1), row(2, order_id="Silom", amount="10.00"), *rest, row(3)],
        [*ORDERS, row(6, order_id="Silom", amount="35.40"), *rest],
    ):
        looked = look(tmp_path, "orders.csv", text_of([*rows, row(11)]))
        assert not looked.unsent, looked.unsent
    many = [row(number) for number in range(2, 20_000)]
    total = row(20_001, order_id="Silom", amount="199990.00")
    every = [row(1, order_id=first), *many, total, row(20_002)]
    looked = look(tmp_path, "orders.csv", text_of(every))
    assert looked.chunks > 1
    assert bool(looked.unsent) is (first == "A00001")
