"""Order ids in every format alike: what no id can be is rejected, what the sheet shows is the
id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from batchpay.readers.xlsx.formats import Zeros
from tests.readers.files import Looked, look, look_at, row, text_of
from tests.readers.test_parquet import look_at as look_at_parquet
from tests.readers.test_parquet import table
from tests.readers.test_xlsx import book, both, good, with_cell

TEXTS = [
    "#N/A",
    "nan",
    "NULL",
    "8.85E+12",
    "8,85E+12",
    '="0008"',
    "=0008",
    "#REF!",
    "1-Mar",
]
FORMATS = ["csv", "tsv", "parquet", "xlsx"]


def as_format(folder: Path, form: str, *ids: str, **how: Any) -> Looked:
    """Rows with these ids in a file of this format."""
    rows = [row(number, order_id=text) for number, text in enumerate(ids)]
    if form == "parquet":
        return look_at_parquet(folder, table(*rows), **how)
    if form == "xlsx":
        return look(
            folder,
            "orders.xlsx",
            book(
                *(good(n, order_id=text) for n, text in enumerate(ids)), change=_texts
            ),
        )
    delimiter = "\t" if form == "tsv" else ","
    return look(folder, f"orders.{form}", text_of(rows, delimiter=delimiter), **how)


def _texts(workbook: openpyxl.Workbook) -> None:
    """No formulas and no errors: texts that look like them."""
    for cell in workbook["Orders"]["A"]:
        cell.data_type = "s"


@pytest.mark.fault("J08", "X09")
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_no_id_is_rejected_in_every_format_alike(
    tmp_path: Path, form: str
) -> None:
    """The same rows, rules and remedies; the good row among them goes on."""
    csv = as_format(tmp_path, "csv", *TEXTS, "A1")
    looked = as_format(tmp_path, form, *TEXTS, "A1")
    assert looked.problems == csv.problems
    assert set(looked.problems) == set(range(2, 2 + len(TEXTS)))
    rules = [looked.rules[number] for number in sorted(looked.rules)]
    names = (
        "error-cell",
        "not-a-number",
        "no-value",
        "exponent-number",
        "exponent-number",
        "formula-text",
        "formula-text",
        "error-cell",
        "date-cell",
    )
    assert rules == [[("order_id", name)] for name in names]
    assert all("order_id" not in document for document in looked.documents[:-1])
    assert all(
        'odd_ids = "accept"' in found.remedy
        for problems in looked.problems.values()
        for found in problems
    )


@pytest.mark.fault("J08")
@pytest.mark.parametrize("form", ["csv", "tsv", "parquet"])
def test_a_source_whose_ids_really_look_so_says_so(tmp_path: Path, form: str) -> None:
    """odd_ids = "accept": taken as they stand."""
    looked = as_format(tmp_path, form, *TEXTS, input='odd_ids = "accept"')
    assert looked.problems == {}
    assert [document["order_id"] for document in looked.documents] == TEXTS


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (dt.date(2025, 3, 1), "date-cell"),
        (dt.datetime(2025, 3, 1, 13, 5), "date-cell"),
        (dt.time(13, 5), "date-cell"),
        (dt.timedelta(hours=30), "date-cell"),
        (True, "boolean-cell"),
    ],
)
def test_a_cell_that_is_a_date_or_a_truth_is_no_id(
    tmp_path: Path, value: Any, rule: str
) -> None:
    """Typed so in the sheet or the column: rejected; the same as text is an id."""
    looked = both(tmp_path, book(good(1, order_id=value), good(2)))
    assert looked.rules == {2: [("order_id", rule)]}
    assert both(tmp_path, book(good(1, note=value))).problems == {}
    if not isinstance(value, dt.timedelta):
        assert (
            look_at_parquet(tmp_path, table(row(1), order_id=pa.array([value]))).rules
            == looked.rules
        )
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        assert look_at(tmp_path, row(1, order_id=value.isoformat())).problems == {}


@pytest.mark.fault("J08", "X15")
def test_columns_of_dates_reject_every_row_that_has_one(tmp_path: Path) -> None:
    """Of any type, dictionaries too; an absent one is an empty id."""
    for array in (
        pa.array([dt.date(2025, 3, 1), None]),
        pa.array([dt.datetime(2025, 3, 1), None], pa.timestamp("ns", "UTC")),
        pa.array([dt.date(2025, 3, 1), None]).dictionary_encode(),
        pa.array([dt.time(1), None]),
    ):
        looked = look_at_parquet(tmp_path, table(row(1), row(2), order_id=array))
        assert looked.rules == {
            2: [("order_id", "date-cell")],
            3: [("order_id", "required")],
        }, array.type


@pytest.mark.fault("J08")
def test_whole_numbers_are_the_same_id_in_every_format(tmp_path: Path) -> None:
    """A number cell, an integer column and a column of doubles of 1003: `1003`, and the doubles are
    told.
    """
    assert (
        both(
            tmp_path, book(good(1, order_id=1003), good(2, order_id=1004.0))
        ).documents[0]["order_id"]
        == "1003"
    )
    for array in (pa.array([1003]), pa.array([1003.0])):
        looked = look_at_parquet(tmp_path, table(row(1), order_id=array))
        assert (looked.problems, looked.documents[0]["order_id"]) == ({}, "1003")
        told = [
            note
            for note in looked.notes
            if "column 'order_id' is of type double" in note
        ]
        assert len(told) == pa.types.is_floating(array.type)
    assert look_at_parquet(tmp_path, table(row(1), amount=pa.array([10.0]))).notes == []


@pytest.mark.fault("J08")
@pytest.mark.parametrize("cell", ["nan", "8.85E+12", "#N/A", "=A1"])
def test_ids_made_of_more_than_one_cell_are_looked_at_cell_by_cell(
    tmp_path: Path, cell: str
) -> None:
    """A damaged part of a template, or a damaged key of a lookup, is blamed once, in its own
    column.
    """
    of_two = '{ template = "{extra}-{order_id}" }'
    looked = look_at(tmp_path, row(1, extra="N"), row(2, extra=cell), order_id=of_two)
    assert looked.documents[0]["order_id"] == "N-A00001"
    assert [found[0] for found in looked.rules[3]] == ["extra"]
    (tmp_path / "shops.csv").write_text(
        f'shop,id\nN,recp_test_1\n"{cell}",recp_test_2\n'
    )
    shops = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    looked = look_at(
        tmp_path, row(1, recipient="N"), row(2, recipient=cell), destination=shops
    )
    assert [found[0] for found in looked.rules[3]] == ["recipient"]
    assert "destination" not in looked.documents[1]
    looked = look_at(
        tmp_path, row(2, recipient=cell), destination=shops, input='odd_ids = "accept"'
    )
    assert looked.documents[0]["destination"] == "recp_test_2"


@pytest.mark.fault("J08")
def test_a_shop_may_stand_in_quotes_where_an_id_may_not(tmp_path: Path) -> None:
    """The names of a lookup file are people's own; an id in quotes would be another order."""
    (tmp_path / "shops.csv").write_text('shop,id\n"""Best"" Shop",recp_test_2\n')
    shops = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    rows = (row(1, recipient='"Best" Shop'), row(2, recipient='"Best" Shop'))
    rows[1]["order_id"] = "\u201c2\u201d"
    looked = look_at(tmp_path, *rows, destination=shops)
    assert looked.documents[0]["destination"] == "recp_test_2"
    assert looked.rules == {3: [("order_id", "quoted-id")]}


@pytest.mark.fault("J08")
@pytest.mark.parametrize("accept", ["", 'odd_ids = "accept"'])
@pytest.mark.parametrize("cell", ["N\u3000", " N", "N "])
def test_no_blank_stands_unseen_inside_an_id_that_is_made_of_cells(
    tmp_path: Path, cell: str, accept: str
) -> None:
    """At the end of a cell it is in the middle of the id."""
    of_two = '{ template = "{extra}-{order_id}-{note}" }'
    rows = (
        row(1, extra="N", note="1 2"),
        row(2, extra="N", note=cell),
        row(3, extra=cell, note="1"),
    )
    looked = look_at(tmp_path, *rows, order_id=of_two, input=accept)
    assert looked.documents[0]["order_id"] == "N-A00001-1 2"
    assert looked.rules == {
        3: [("note", "surrounding-blanks")],
        4: [("extra", "surrounding-blanks")],
    }


@pytest.mark.fault("X28")
def test_what_is_wrong_with_a_lookup_file_is_told_of_it(tmp_path: Path) -> None:
    """Blanks, quotes, an error word, a text that is no recipient, of the other mode, a line that
    ends too early, a number that lost its zeros: by line and column of that file.
    """
    (tmp_path / "shops.csv").write_text(
        'shop,id\nNorth,"recp_test_1 "\n"two\nlines",#N/A\nQuoted,"""recp_test_2"""\n'
        "Live,recp_live_1\nShort\n7,recp_test_7\n",
        "utf-8",
    )
    shops = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    keys = ("North", "two\nlines", "Quoted", "Live", "Short", "007", "7")
    rows = [row(number, recipient=key) for number, key in enumerate(keys)]
    looked = look_at(tmp_path, *rows, destination=shops)
    told = {
        number: [(found.column, found.rule, found.remedy) for found in problems]
        for number, problems in looked.problems.items()
    }
    in_line = "it stands in line {} of shops.csv, column 'id', and is corrected there: "
    no_recipient = "The seller who gets the split"
    assert [
        (number, column, rule, remedy.partition(": recp_")[0])
        for number, found in sorted(told.items())
        for column, rule, remedy in found
    ] == [
        (
            2,
            "recipient",
            "surrounding-blanks",
            in_line.format(2) + "remove the blanks before and after it",
        ),
        (3, "recipient", "pattern", in_line.format(4) + no_recipient),
        (4, "recipient", "pattern", in_line.format(5) + no_recipient),
        (5, "recipient", "pattern", in_line.format(6) + no_recipient),
        (5, "recipient", "other-mode", told[5][1][2]),
        (
            6,
            "recipient",
            "lookup-empty",
            "fill in column 'id' of its line in shops.csv",
        ),
        (7, "recipient", "lookup-missing", told[7][0][2]),
    ]
    assert told[5][1][2].startswith(in_line.format(6))
    assert "has '7'; the difference: zeros in front" in told[7][0][2]
    assert looked.documents[6]["destination"] == "recp_test_7"


def test_what_is_wrong_in_a_lookup_file_ends_when_it_is_corrected_there(
    tmp_path: Path,
) -> None:
    """The orders stay as they are."""
    shops = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    for cell, problems in (("recp_test_1 ", 1), ("recp_test_1", 0)):
        (tmp_path / "shops.csv").write_text(f'shop,id\nNorth,"{cell}"\n', "utf-8")
        looked = look_at(tmp_path, row(1, recipient="North"), destination=shops)
        told = [found.remedy for each in looked.problems.values() for found in each]
        assert len(told) == problems
        assert all("line 2 of shops.csv, column 'id', and is" in one for one in told)
    assert looked.documents[0]["destination"] == "recp_test_1"


@pytest.mark.parametrize(
    ("text", "itself", "code", "number"),
    [
        ("5%", "P5", "0%", 0.05),
        ("$5", "D5", None, None),
        ("1,234", "T1234", None, None),
        ("No 7", "No 7", '"No "0', 7),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_told_of_an_id_that_is_none_ends_it(
    tmp_path: Path, form: str, text: str, itself: str, code: str | None, number: Any
) -> None:
    """The id itself, as text, goes; so does the cell as it is where the job says that ids of this
    source look so.
    """
    if code is None:
        assert set(as_format(tmp_path, form, text).rules) == {2}
    elif form == "xlsx":
        data = book(good(1, order_id=number), change=formatted(code))
        assert set(look(tmp_path, "orders.xlsx", data).rules) == {2}
        accept = 'odd_ids = "accept"'
        assert look(tmp_path, "orders.xlsx", data, input=accept).rules == {}
    written = as_format(tmp_path, form, itself)
    assert (written.rules, written.documents[0]["order_id"]) == ({}, itself)
    if form != "xlsx":
        accepted = as_format(tmp_path, form, text, input='odd_ids = "accept"')
        assert accepted.rules == {}


def test_an_amount_that_is_shown_as_a_percentage_is_formatted_and_written(
    tmp_path: Path,
) -> None:
    """By one after the other, as the remedy says."""
    percent = book(good(1, amount=0.05), change=formatted("0%", "B"))
    looked = look(tmp_path, "orders.xlsx", percent)
    assert (
        "format it as a number, then write the amount" in looked.problems[2][0].remedy
    )
    done = book(good(1, amount=50), change=formatted("0.00", "B"))
    looked = look(tmp_path, "orders.xlsx", done)
    assert (looked.problems, looked.documents[0]["amount"]) == ({}, 5000)


@pytest.mark.fault("X28", "J08")
def test_an_error_in_a_sheet_is_looked_up_nowhere(tmp_path: Path) -> None:
    """It is told once, of the sheet: no line of the lookup file would mend it."""
    (tmp_path / "shops.csv").write_text("shop,id\nrecp_test_1,recp_test_1\n")
    shops = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    data = book(good(1, recipient="#N/A"), good(2, recipient="recp_test_1"))
    looked = look(tmp_path, "orders.xlsx", data, destination=shops)
    assert looked.rules == {2: [("recipient", "error-cell")]}


# --- zeros


def formatted(code: str, column: str = "A") -> Callable[[openpyxl.Workbook], None]:
    """All cells of a column in this number format."""

    def change(workbook: openpyxl.Workbook) -> None:
        for cell in workbook["Orders"][column]:
            cell.number_format = code

    return change


@pytest.mark.fault("J08", "X09")
@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("0000000", 1, "0000001"),
        ("00", 123, "123"),
        ("0000000;-0000000", 7, "0000007"),
        ("000-0000", 15551234, "1555-1234"),
        ('"INV-"00000', 42, "INV-00042"),
        ("\\A000", 7, "A007"),
        ("[$-41E]0000", 7, "0007"),
        ("00000_)", 7, "00007"),
        ("#000", 7, "007"),
        ("[Red]000", 0, "000"),
        ("0000000", 7.0, "0000007"),
        ("General", 7, "7"),
        ("0", 7, "7"),
        ("0.00", 7, "7"),
        ("#,##0", 7000, "7000"),
        ("0000", 1.5, "1.5"),
        ("0000;0;", 0, "0"),
        ("0000", -7, "-7"),
        ("@", 7, "7"),
    ],
)
def test_an_id_is_what_its_number_format_shows(
    tmp_path: Path, code: str, number: Any, shown: str
) -> None:
    """Zeros in front are part of it, told once; decimals are not how ids are shown."""
    looked = both(
        tmp_path,
        book(good(1, order_id=number), good(2, order_id="A"), change=formatted(code)),
    )
    assert (looked.problems, looked.documents[0]["order_id"]) == ({}, shown)
    assert looked.cells["order_id"][0] == shown
    told = [note for note in looked.notes if "as the sheet shows them" in note]
    assert len(told) == (
        Zeros.of(code) is not None
        and shown != str(int(number))
        and number == int(number)
    )
    assert all(shown in note for note in told)


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    ("code", "number", "rule"),
    [
        ("0.00E+00", 800000, "exponent-cell"),
        ("00E+00", 8850000000000, "exponent-cell"),
        ("##0.0E+0", 800000, "exponent-cell"),
        ("# ?/?", 0.5, "fraction-cell"),
        ("# ??/16", 0.5, "fraction-cell"),
        ("0%", 0.05, "percent-cell"),
        ("0.00%", 7, "percent-cell"),
        ('"No "0', 7, "labelled-cell"),
        ('0"-A"', 7, "labelled-cell"),
        ('General"番"', 7, "labelled-cell"),
    ],
)
def test_a_number_shown_as_no_id_is_written_is_no_id(
    tmp_path: Path, code: str, number: Any, rule: str
) -> None:
    """A spreadsheet made 800000 of 8E5, and a half of 1/2; what it shows as No 7 is No 7 in a CSV
    of the same sheet. In a column of amounts the same format says nothing, but for a percentage.
    """
    looked = both(
        tmp_path,
        book(good(1, order_id=number), good(2, order_id="A"), change=formatted(code)),
    )
    assert looked.rules == {2: [("order_id", rule)]}
    amounts = both(tmp_path, book(good(1, amount=7), change=formatted(code, "B")))
    shown_so = {2: [("amount", "number-format")]} if "%" in code else {}
    assert amounts.rules == shown_so
    accepted = look(
        tmp_path,
        "orders.xlsx",
        book(good(1, order_id=7), change=formatted(code)),
        input='odd_ids = "accept"',
    )
    assert accepted.documents[0]["order_id"] == "7"


@pytest.mark.fault("X17", "X09")
@pytest.mark.parametrize(
    ("code", "number", "shown_so"),
    [
        ("#,##0.00,", 50000, True),  # 50.00
        ("#,##0.00,,", 50000, True),
        ("(#,##0.00)", 50000, True),
        ("-#,##0.00", 50000, True),
        ('"▲"#,##0', 50000, True),
        ('"△ "#,##0', 50000, True),
        ('#,##0"-"', 50000, True),
        ('0"00"', 50000, True),
        ('"1"0', 50000, True),
        ("-General", 50000, True),
        ("[Red]-#,##0;0", 50000, True),
        ("#,##0.00_);(#,##0.00)", 50000, False),
        ('_(* #,##0_);_(* \\(#,##0\\);_(* "-"_);_(@_)', 50000, False),
        ('#,##0.0,"K"', 50000, False),  # 50.0K
        ('#,##0" (THB)"', 50000, False),
        ('#,##0.00" inkl. 19% MwSt"', 50000, False),
        ("#,##0.-", 50000, False),  # as a price is written
        ('0".–"', 50000, False),
        ('#,##0.00;-#,##0.00;"-"', 50000, False),
        ("[$฿-41E]#,##0.00;[Red]-[$฿-41E]#,##0.00", 50000, False),
    ],
)
def test_an_amount_that_a_sheet_shows_as_another_one_is_not_charged(
    tmp_path: Path, code: str, number: int, *, shown_so: bool
) -> None:
    """Nobody who looked at the sheet saw the number behind it: as text the same is refused."""
    data = book(good(1, amount=number), change=formatted(code, "B"))
    looked = both(tmp_path, data)
    expected = {2: [("amount", "number-format")]} if shown_so else {}
    assert looked.rules == expected
    if shown_so:
        assert "shows another amount" in str(looked.problems[2][0].said)
        part = '{ sum = ["amount", "extra"], unit = "major" }'
        data = book(good(1, amount=number, extra=5), change=formatted(code, "B"))
        looked = look(tmp_path, "orders.xlsx", data, amount=part)
        assert looked.rules == expected


@pytest.mark.fault("J08", "X09")
@pytest.mark.parametrize(
    ("unit", "example"), [("major", "1,234.56"), ("minor", "1,234")]
)
def test_a_part_of_an_amount_that_is_shown_as_a_percentage_adds_nothing(
    tmp_path: Path, unit: str, example: str
) -> None:
    """A discount of 5% is no 0.05 baht, and with a declared format no more."""
    data = book(good(1, amount=100, extra=5), change=formatted("0%", "H"))
    for form in ("", f', format = "{example}"'):
        total = f'{{ sum = ["amount", "extra"], unit = "{unit}"{form} }}'
        looked = look(tmp_path, "orders.xlsx", data, amount=total)
        assert looked.rules == {2: [("extra", "number-format")]}
        assert "as a percentage" in str(looked.problems[2][0].said)
        alone = f'{{ column = "extra", unit = "{unit}"{form} }}'
        looked = look(tmp_path, "orders.xlsx", data, amount=alone)
        assert looked.rules == {2: [("extra", "number-format")]}


@pytest.mark.fault("J08")
def test_zeros_are_told_once_a_file_and_amounts_stay_amounts(tmp_path: Path) -> None:
    """Twenty rows, one note; a column that no field uses is read so too, without one; too many
    digits stay rejected.
    """
    rows = [
        good(number, order_id=number, amount=7, extra=number) for number in range(1, 21)
    ]
    rows.append(good(99, order_id=1234567890123456))

    def change(workbook: openpyxl.Workbook) -> None:
        for column in "ABH":
            formatted("0000", column)(workbook)

    looked = both(tmp_path, book(*rows, change=change))
    assert looked.rules == {22: [("order_id", "number-not-exact")]}
    assert [document["amount"] for document in looked.documents[:20]] == [700] * 20
    assert looked.documents[19]["order_id"] == looked.cells["extra"][19] == "0020"
    # order_id and amount
    assert sum("as the sheet shows them" in note for note in looked.notes) == 2


@pytest.mark.fault("J08")
def test_a_formulas_number_is_shown_with_zeros_too(tmp_path: Path) -> None:
    """Its value has the cell's format; a text in such a cell is itself."""
    data = with_cell('<c r="F3" s="1"><f>1+1</f><v>2</v></c>')
    plain = look(tmp_path, "orders.xlsx", data)
    assert plain.cells["note"][1] == "2"
    styled = book(good(1, note=5), good(2, note="@"), change=formatted("000", "F"))
    looked = both(tmp_path, styled)
    assert looked.cells["note"] == ["005", "@"]
