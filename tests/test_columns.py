"""What a column may be declared to be: how its numbers and dates are written, its other names, a
default, a sum.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.job.load import load_job
from tests.jobs import job_text
from tests.readers.files import HEADER, Looked, look, look_at, row, text_of
from tests.readers.test_xlsx import book, good

GERMAN = '{ column = "amount", unit = "major", format = "1.234,56" }'
PAID = '{ paid = { column = "invoice", format = "31/12/2567" } }'
SUM = '{ sum = ["amount", "extra"], unit = "major" }'
ALIASES = '{ column = ["order_id", "Order No", "注文番号", "เลขที่ใบสั่งซื้อ"] }'


def write_one(folder: Path, kind: str, one: Mapping[str, object]) -> None:
    """A workbook or a Parquet file of one row, its cells typed as they are."""
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(list(one))
        book.active.append(list(one.values()))
        book.save(folder / "orders.xlsx")
    else:
        columns = {name: [cell] for name, cell in one.items()}
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "orders.parquet")


def amounts(looked: Looked) -> list[int | None]:
    """Of each row, in the smallest unit."""
    return [document.get("amount") for document in looked.documents]


def only_problem(looked: Looked) -> tuple[str, str, str]:
    """Column, rule and remedy of the one problem."""
    (found,) = [
        problem for problems in looked.problems.values() for problem in problems
    ]
    return found.column, found.rule, found.remedy


# --- numbers


@pytest.mark.fault("X09", "X10")
@pytest.mark.parametrize(
    ("cell", "minor"),
    [
        ("1.234,50", 123450),
        ("฿1,500.00", 150000),
        ("THB 1,500", 150000),
        ("1,500 THB", 150000),
        ("1.234", 123400),
        ("1 234,5", 123450),
        ("1'234.50", 123450),
        ("１，２３４", 123400),
        ("๑,๒๓๔.๕๐", 123450),
        (" 1,234.50 ", 123450),
    ],
)
def test_a_refused_number_names_the_declaration_that_reads_it(
    tmp_path: Path, cell: str, minor: int
) -> None:
    """And doing what is said leads to success."""
    refused = look_at(tmp_path, row(1, amount=cell))
    column, _, remedy = only_problem(refused)
    assert column == "amount"
    _, _, said = remedy.partition(" say format = ")
    form = said.removesuffix(" beside its unit in [columns]")
    declared = look_at(
        tmp_path,
        row(1, amount=cell),
        amount=f'{{ column = "amount", unit = "major", format = {form} }}',
    )
    assert (declared.problems, amounts(declared)) == ({}, [minor])


@pytest.mark.fault("X09")
@pytest.mark.parametrize("cell", ["3000.00", "3,000.00", "3.000,00"])
def test_yen_with_decimals_that_are_zeros_are_read_where_the_job_says_so(
    tmp_path: Path, cell: str
) -> None:
    """A program that writes two decimals of everything is told how to be read; what is no zero, and
    three zeros, stay refused.
    """
    _, _, remedy = only_problem(look_at(tmp_path, row(1, amount=cell, currency="JPY")))
    form = remedy.partition(" say format = ")[2].removesuffix(
        " beside its unit in [columns]"
    )
    assert form in ('"1,234.00"', '"1.234,00"')
    column = f'{{ column = "amount", unit = "major", format = {form} }}'
    odd = cell.removesuffix("0") + "5"
    rows = [
        row(1, amount=cell, currency="JPY"),
        row(2, amount=odd, currency="JPY"),
        row(3, amount=odd),
        row(4, amount=f"{cell}0", currency="JPY"),
    ]
    declared = look_at(tmp_path, *rows, amount=column)
    assert declared.documents[0]["amount"] == 3000
    assert declared.documents[2]["amount"] == 300005
    assert set(declared.problems) == {3, 5}


@pytest.mark.parametrize("cell", ["(5.00)", "▲500"])
def test_what_no_declaration_makes_an_amount_is_told_as_negative(
    tmp_path: Path, cell: str
) -> None:
    """It is written well; only no order asks for it."""
    _, rule, remedy = only_problem(look_at(tmp_path, row(1, amount=cell)))
    assert (rule, "less than 0" in remedy) == ("number-format", True)


@pytest.mark.fault("X09")
@pytest.mark.parametrize("form", ["", ', format = "1.234,56"'])
def test_an_amount_that_is_a_date_is_told_so(tmp_path: Path, form: str) -> None:
    """Its cell shows whatever is typed into it as a date."""
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    one = {**row(1), "amount": date(2026, 1, 5)}
    book.active.append([one[name] for name in HEADER])
    sink = io.BytesIO()
    book.save(sink)
    amount = f'{{ column = "amount", unit = "major"{form} }}'
    looked = look(tmp_path, "orders.xlsx", sink.getvalue(), amount=amount)
    _, rule, remedy = only_problem(looked)
    assert (rule, "format it as a number" in remedy) == ("number-format", True)


@pytest.mark.fault("X09")
@pytest.mark.parametrize("cell", ["(5,00)", "▲500", "(5.00)", "(€5,00)"])
def test_nobody_is_told_to_write_a_refund_as_an_order(
    tmp_path: Path, cell: str
) -> None:
    """What does not fit a declared form, and means less than 0; as part of a sum it is written with
    a minus, where that is what it means.
    """
    looked = look_at(tmp_path, row(1, amount=cell), amount=GERMAN)
    _, rule, remedy = only_problem(looked)
    assert (rule, "an order asks for more" in remedy) == ("number-format", True)
    sum_ = SUM.replace("unit", 'format = "1.234,56", unit')
    looked = look_at(tmp_path, row(1, amount="20,00", extra=cell), amount=sum_)
    _, rule, remedy = only_problem(looked)
    assert (rule, "writes as -1.234,56" in remedy) == ("number-format", True)
    looked = look_at(tmp_path, row(1, amount="20,00", extra="-5,00"), amount=sum_)
    assert amounts(looked) == [1500]


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    "cell", ["about 100", "1,2,3", "1e3", "5²", "100 or 200", "-", "+5"]
)
def test_what_no_declaration_reads_gets_no_such_proposal(
    tmp_path: Path, cell: str
) -> None:
    """Only its own remedy."""
    _, rule, remedy = only_problem(look_at(tmp_path, row(1, amount=cell)))
    assert rule == "number-format" and "format =" not in remedy


@pytest.mark.fault("X09")
def test_the_declaration_alone_decides_what_a_cell_means(tmp_path: Path) -> None:
    """1.234 is a thousand and more by one form, and no amount by the other."""
    cells = [
        row(1, amount="1.234"),
        row(2, amount="1.234,50"),
        row(3, amount="1,234.50"),
    ]
    declared = look_at(tmp_path, *cells, amount=GERMAN)
    assert amounts(declared) == [123400, 123450, None]
    assert declared.rules == {4: [("amount", "number-format")]}
    plain = look_at(tmp_path, *cells)
    assert amounts(plain) == [None, None, 123450]


@pytest.mark.fault("X09")
def test_the_sign_beside_an_amount_must_be_the_rows_own(tmp_path: Path) -> None:
    """A row in yen with an amount in baht asks for neither."""
    form = '{ column = "amount", unit = "major", format = "¤1,234.56" }'
    cells = [
        ("฿5.00", "THB"),
        ("¥5", "JPY"),
        ("¥5", "THB"),
        ("5", "JPY"),
        ("USD 5", "USD"),
    ]
    rows = [
        row(at, amount=cell, currency=code) for at, (cell, code) in enumerate(cells, 1)
    ]
    looked = look_at(tmp_path, *rows, amount=form)
    assert amounts(looked) == [500, 5, None, 5, 500]
    assert looked.rules == {4: [("amount", "other-currency")]}


@pytest.mark.fault("X09")
@pytest.mark.parametrize("form", ["1.234,56 €", "EUR 1.234,56"])
def test_the_sign_of_a_format_is_held_against_the_rows_own_currency(
    tmp_path: Path, form: str
) -> None:
    """A bare number in such a column is of that currency, or of none that anybody knows; so is one
    that the sheet holds as a number.
    """
    how = {
        "amount": f'{{ column = "amount", unit = "major", format = "{form}" }}',
    }
    rows = [row(1, amount="80,50", currency="EUR"), row(2, amount="80,50")]
    looked = look_at(tmp_path, *rows, **how)
    assert amounts(looked) == [8050, None]
    column, rule, remedy = only_problem(looked)
    assert (column, rule) == ("amount", "other-currency")
    assert "the row's currency is THB" in remedy and "write ¤ for" in remedy
    numbers = book(good(1, amount=80.5, currency="EUR"), good(2, amount=80.5))
    looked = look(tmp_path, "orders.xlsx", numbers, **how)
    assert (amounts(looked), set(looked.problems)) == ([8050, None], {3})
    any_sign = form.replace("€", "¤").replace("EUR", "¤")
    how = {"amount": how["amount"].replace(form, any_sign)}
    assert amounts(look_at(tmp_path, *rows, **how)) == [8050, 8050]


@pytest.mark.fault("X09")
def test_amounts_in_the_smallest_unit_have_a_form_without_decimals(
    tmp_path: Path,
) -> None:
    """One with decimals is refused with the job."""
    form = '{ column = "amount", unit = "minor", format = "1.234" }'
    assert amounts(look_at(tmp_path, row(1, amount="1.234"), amount=form)) == [1234]
    _, rule, remedy = only_problem(
        look_at(
            tmp_path,
            row(1, amount="1.234"),
            amount='{ column = "amount", unit = "minor" }',
        )
    )
    assert rule == "not-whole" and 'say format = "1.234"' in remedy
    with pytest.raises(Misconfigured, match="takes whole numbers"):
        look_at(tmp_path, row(1), amount=form.replace("1.234", "1.234,56"))


# --- one sheet, three formats


@pytest.mark.fault("X09", "X10", "X26")
def test_the_same_sheet_gives_the_same_rows_in_every_format(tmp_path: Path) -> None:
    """A cell that holds a number or a date is one; a form is for texts. 1.234 is the number 1.234
    in a sheet that says so, whatever the texts of its column look like.
    """
    texts = ["1.234,5", "12,00", "7"]
    numbers = [1234.5, 12, 7]
    dates = [date(2024, 12, 31), date(2025, 2, 5), date(2025, 7, 1)]
    thai = [f"{day.day}/{day.month}/{day.year + 543}" for day in dates]
    rows = [
        row(at, amount=text, invoice=day)
        for at, (text, day) in enumerate(zip(texts, thai, strict=True), 1)
    ]
    how = {"amount": GERMAN, "metadata": PAID}
    (tmp_path / "orders.csv").write_text(text_of(rows), "utf-8")
    found = [look(tmp_path, "orders.csv", **how)]
    for cells, days in ((texts, thai), (numbers, dates)):
        typed = [
            {**one, "amount": amount, "invoice": day}
            for one, amount, day in zip(rows, cells, days, strict=True)
        ]
        book = openpyxl.Workbook()
        page = book.active
        page.append(list(typed[0]))
        for one in typed:
            page.append(list(one.values()))
        book.save(tmp_path / "orders.xlsx")
        columns = {name: [one[name] for one in typed] for name in typed[0]}
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "orders.parquet")
        found += [
            look(tmp_path, f"orders.{kind}", **how) for kind in ("xlsx", "parquet")
        ]
    assert [one.documents for one in found[1:]] == [found[0].documents] * 4
    assert [one.problems for one in found] == [{}] * 5
    assert amounts(found[0]) == [123450, 1200, 700]
    assert [one["metadata"]["paid"] for one in found[0].documents] == [
        "2024-12-31",
        "2025-02-05",
        "2025-07-01",
    ]


@pytest.mark.fault("X09", "X11")
@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_number_of_a_sheet_is_never_read_by_a_form(tmp_path: Path, kind: str) -> None:
    """1.234 baht is finer than a baht is; as a text it were 1234 baht."""
    for number in (1.234, Decimal("1.234")):
        one = {**row(1), "amount": number}
        write_one(tmp_path, kind, one)
        looked = look(tmp_path, f"orders.{kind}", amount=GERMAN)
        assert looked.rules == {2: [("amount", "too-many-decimals")]}


# --- dates


@pytest.mark.fault("X09")
def test_a_date_of_another_calendar_is_refused(tmp_path: Path) -> None:
    """2024 of the Buddhist era is long ago; an empty cell is no date and no fault."""
    rows = [row(1, invoice="1/7/2568"), row(2, invoice="1/7/2025"), row(3)]
    looked = look_at(tmp_path, *rows, metadata=PAID)
    assert looked.rules == {3: [("invoice", "date-format")]}
    assert looked.documents[0]["metadata"] == {"paid": "2025-07-01"}
    assert "metadata" not in looked.documents[2]


# --- other names


@pytest.mark.fault("X05")
@pytest.mark.parametrize("name", ["order_id", "Order No", "注文番号", "เลขที่ใบสั่งซื้อ"])
def test_a_column_is_found_under_any_of_its_names(tmp_path: Path, name: str) -> None:
    """Wherever the job names it: templates and other fields follow."""
    text = text_of([row(1), row(2)]).replace("order_id", name, 1)
    looked = look(
        tmp_path,
        "orders.csv",
        text,
        order_id=ALIASES,
        description='{ template = "Order {order_id}" }',
        metadata='{ no = "Order No" }',
    )
    assert looked.problems == {}
    assert [one["order_id"] for one in looked.documents] == ["A00001", "A00002"]
    assert looked.documents[1]["description"] == "Order A00002"
    assert looked.documents[1]["metadata"] == {"no": "A00002"}
    faulty = look(
        tmp_path, "orders.csv", text.replace("A00002", "#N/A"), order_id=ALIASES
    )
    assert faulty.rules[3][0][0] == name


@pytest.mark.fault("X05", "X06")
def test_two_names_of_one_column_in_a_file_are_refused(tmp_path: Path) -> None:
    """Both are told; none at all is told with all of them."""
    text = text_of([row(1)]).replace("extra", "注文番号", 1)
    refusal = look(tmp_path, "orders.csv", text, order_id=ALIASES).refusal
    assert "'order_id', '注文番号' are names of one column" in refusal
    text = text_of([row(1)]).replace("order_id", "xyz", 1)
    refusal = look(tmp_path, "orders.csv", text, order_id=ALIASES).refusal
    assert "no column 'order_id' or 'Order No' or '注文番号'" in refusal


@pytest.mark.fault("X05")
@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_other_names_are_known_in_every_format(tmp_path: Path, kind: str) -> None:
    """Also by the process that reads binary files."""
    one = {
        "注文番号" if name == "order_id" else name: cell
        for name, cell in row(1).items()
    }
    write_one(tmp_path, kind, one)
    looked = look(tmp_path, f"orders.{kind}", order_id=ALIASES)
    assert [document["order_id"] for document in looked.documents] == ["A00001"]


def test_a_name_belongs_to_one_column(tmp_path: Path) -> None:
    """Two lists that share a name cannot both be meant."""
    path = tmp_path / "job.toml"
    path.write_text(
        job_text(order_id='{ column = ["a", "b"] }', currency='{ column = ["b", "c"] }')
    )
    with pytest.raises(Misconfigured, match="'b' is a name of two columns"):
        load_job(path)


def test_which_cells_ids_are_made_of_does_not_depend_on_the_order_of_names(
    tmp_path: Path,
) -> None:
    """One name is what it was before there could be several; more of them are an edit."""

    def ids_from(source: str) -> str:
        path = tmp_path / "job.toml"
        path.write_text(job_text(order_id=source))
        return load_job(path).columns.ids_from

    assert (
        ids_from('"a"')
        == ids_from('{ column = "a" }')
        == ids_from('{ column = ["a"] }')
    )
    both = ids_from('{ column = ["a", "b"] }')
    assert both == ids_from('{ column = ["b", "a"] }') != ids_from('"a"')


# --- defaults


def test_an_empty_cell_has_its_default(tmp_path: Path) -> None:
    """A filled one keeps its own; a wrong one is refused, not replaced."""
    rows = [
        row(1, currency=""),
        row(2, currency="JPY", amount="5"),
        row(3, currency="XYZ"),
    ]
    looked = look_at(
        tmp_path,
        *rows,
        currency='{ column = "currency", default = "THB" }',
        description='{ column = "note", default = "Order" }',
    )
    assert [one.get("currency") for one in looked.documents] == ["thb", "jpy", None]
    assert looked.documents[0]["description"] == "Order"
    assert looked.rules == {4: [("currency", "unknown-currency")]}


@pytest.mark.parametrize(
    "field", ["order_id", "destination", "customer", "card", "source"]
)
def test_what_an_order_is_has_no_default(tmp_path: Path, field: str) -> None:
    """Nobody pays, and nobody is paid, whom no cell names."""
    with pytest.raises(Misconfigured, match="an empty cell has no default here"):
        look_at(tmp_path, row(1), **{field: '{ column = "extra", default = "x" }'})


def test_an_amount_has_no_default(tmp_path: Path) -> None:
    """What no cell asks for is not charged."""
    amount = '{ column = "amount", unit = "major", default = "5" }'
    with pytest.raises(Misconfigured, match="unit, which has no default"):
        look_at(tmp_path, row(1), amount=amount)


# --- sums


@pytest.mark.fault("X09")
def test_an_amount_is_the_exact_sum_of_its_parts(tmp_path: Path) -> None:
    """Also where a part is nothing or a discount; each part by the rule of all amounts."""
    cells = [
        ("0.10", "0.20"),
        ("100", "-0.50"),
        ("5", "0"),
        ("9007199254740.00", "0.01"),
    ]
    rows = [row(at, amount=one, extra=two) for at, (one, two) in enumerate(cells, 1)]
    looked = look_at(tmp_path, *rows, amount=SUM)
    assert amounts(looked) == [30, 9950, 500, 900719925474001]


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("goods", "shipping", "problem"),
    [
        ("5.00", "", ("extra", "part-empty")),
        ("5.00", "1,5", ("extra", "number-format")),
        ("5.005", "1", ("amount", "too-many-decimals")),
        ("5.00", "-5.00", ("amount + extra", "amount-not-positive")),
        ("90071992547409.91", "0.01", ("amount + extra", "amount-too-large")),
    ],
)
def test_a_sum_that_is_no_amount_is_refused(
    tmp_path: Path, goods: str, shipping: str, problem: tuple[str, str]
) -> None:
    """With the cell that is to blame."""
    looked = look_at(tmp_path, row(1, amount=goods, extra=shipping), amount=SUM)
    assert (looked.rules, amounts(looked)) == ({2: [problem]}, [None])


@pytest.mark.fault("X09")
def test_an_empty_part_adds_nothing_where_the_job_says_so(tmp_path: Path) -> None:
    """A row whose parts are all empty has no amount."""
    declared = SUM.replace("unit", 'default = "0", unit')
    rows = [row(1, amount="5.00", extra=""), row(2, amount="", extra="")]
    looked = look_at(tmp_path, *rows, amount=declared)
    assert amounts(looked) == [500, None]
    assert looked.rules == {3: [("amount", "required")]}


@pytest.mark.fault("X09")
def test_the_parts_of_a_sum_have_its_form(tmp_path: Path) -> None:
    """One form for all of them."""
    declared = SUM.replace("unit", 'format = "(1.234,56)", unit')
    looked = look_at(
        tmp_path, row(1, amount="1.234,50", extra="(34,50)"), amount=declared
    )
    assert (looked.problems, amounts(looked)) == ({}, [120000])


@pytest.mark.fault("X09", "X11")
@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_no_form_is_proposed_for_a_number_of_a_sheet(tmp_path: Path, kind: str) -> None:
    """It would not be read by it."""
    one = {**row(1), "amount": 1.234}
    write_one(tmp_path, kind, one)
    _, _, remedy = only_problem(look(tmp_path, f"orders.{kind}"))
    assert remedy.startswith("THB has 2 decimals") and "format" not in remedy
