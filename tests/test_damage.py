"""What programs make of ids is known again, and nothing else is taken for it."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain import lineage
from batchpay.domain.lineage import is_rejects_file, own_id, place_told, told_id
from batchpay.intake import damage, sheetdates
from batchpay.intake.damage import (
    fault_of,
    is_damaged,
    may_be_one,
    suspicious,
    trace_of,
)
from batchpay.readers.xlsx import formats


@pytest.mark.parametrize("module", [damage, lineage, sheetdates, formats])
def test_the_examples_of_the_modules_hold(module: object) -> None:
    """What the docstrings show is what happens."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


ODD = {
    "error-cell": [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#n/a",
        "#FIELD!",
        "#NV",
        "#WERT!",
        "#BEZUG!",
        "#VALEUR!",
        "#NOM?",
        "#¡VALOR!",
        "#¿NOMBRE?",
        "#N/D",
        "#Н/Д",
        "#ССЫЛКА!",
        "#DEĞER!",
        "#YOK",
        "＃Ｎ／Ａ",
        "#####",
        "Err:502",
        "#ERROR!",
        "# N/A",
        "'#N/A",
    ],
    "not-a-number": [
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "nan(ind)",
        "inf",
        "-inf",
        "+Infinity",
        "∞",
        "1.#QNAN",
        "-1.#IND",
        "1.#INF",
        "'nan",
        "\u2018NaN",
    ],
    "no-value": [
        "null",
        "NULL",
        "None",
        "NaT",
        "nil",
        "NA",
        "N/A",
        "<NA>",
        "(null)",
        "[NULL]",
        "\\N",
        "undefined",
        "(blank)",
    ],
    "placeholder": [
        "-",
        "--",
        "—",
        "?",
        "*",
        "...",
        "TBD",
        "XXX",
        "unknown",
        "ไม่มี",
        "なし",
        "不明",
        "'-",
    ],
    "exponent-number": [
        "8.85E+12",
        "8,85E+12",
        "8.85e12",
        "1E+05",
        "1e-05",
        "-8.85E+12",
        "−8.85E+12",
        ".5E3",
        "８.８５Ｅ＋１２",
        "8.85 E+12",
        "'8.85E+12",
    ],
    "formula-text": [
        '="0008"',
        "=0008",
        "=A1",
        "=SUM(A1:A2)",
        "＝0008",
        '\'="0008"',
        "''=A1",
        "\u2019=0008",
        "{=A1}",
        "+SUM(A1)",
        "@SUM(A1)",
        "-cmd()",
    ],
    "date-cell": [
        "1-Mar",
        "05-Dec",
        "Mar-01",
        "1-Mar-25",
        "2025-11-24 00:00:00",
        "2025-11-24T00:00:00",
        "3月1日",
        "1-มี.ค.",
        "1 มี.ค. 67",
        "01. Mrz",
        "1. Mai 24",
        "01-janv",
        "1-févr.-2024",
        "令和6年3月1日",
        "令和元年5月1日",
    ],
    "quoted-id": [
        "\u201c0008\u201d",
        '"0008"',
        '"0008',
        "0008\u201d",
        "\u20180008\u2019",
        "'0008'",
        "\u201e0008\u201c",
        "«0008»",
        "＂0008＂",
        '"',
        "'",
        "\u2019",
        '\u2019"0008"',
    ],
    "shown-number": [
        "5%",
        "12.5%",
        "５％",
        "$5",
        "฿1,234.00",
        "5 €",
        "￥100",
        "-$5",
        "1,234",
        "-1,234,567.50",
        "1.004,00",
        "-1.004,5",
        "1.234.567",
        "1'004",
        "1\u2019234\u2019567.50",
        "1004,0",
        "1004,00",
        "1 004,00",
        "1\u202f004,00",
    ],
}
# as sheets of other countries show 1004
SHOWN_1004 = [
    "1.004",
    "1.004,00",
    "1004,0",
    "1'004",
    "1\u2019004",
    "1'004.00",
    "1 004",
    "1\xa0004",
    "1\u202f004,00",
]
FINE = [
    "0000001",
    "1003.0",
    "1E5",
    "1e3",
    "12E4",
    "3-1",
    "12/5",
    "2025-11-24",
    "20251124",
    "-3",
    "+3",
    "@home",
    "#12",
    "#A12!",
    "nancy",
    "INF-7",
    "none-1",
    "NAB",
    "Err",
    "A=1",
    "#",
    "E5",
    "0x10",
    "x" * 100,
    "ร้าน 12",
    "cafe\u0301",
    "A B",
    "TRUE",
    "2025-11-24 13:05:00",
    "{x}",
    "<x>",
    "",
    'TV-55"',
    "'0008",
    "\u20190008",
    "'-16",
    "'1.004",
    "n'a",
    "O\u2019Neill",
    "「0008」",
    'a "b" c',
    "A5%",
    "5%5",
    "US$5",
    "$A",
    "1,23",
    "0,001",
    "1,234,56",
    "A1,234",
    "(5)",
    "5.10",
    "5.1.24",
    "1.24-A",
    "1.004",
    "1 004",
    "1004,5",
    "1.2.345",
    "0.004.000",
    "1'00",
    "5.dec1",
    "12-maya",
]


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in ODD.items() for text in texts]
)
def test_what_no_id_looks_like(rule: str, text: str) -> None:
    """Known by its form, in any case and width; a whole column is looked through first, and that
    misses none.
    """
    fault = fault_of(text)
    assert fault is not None and fault.rule == rule
    assert 'odd_ids = "accept"' in str(fault)
    assert suspicious(["A1", text, "A2"])


@pytest.mark.fault("J08", "X14")
@pytest.mark.parametrize("text", FINE)
def test_what_an_id_may_look_like(text: str) -> None:
    """Zeros, points, article numbers, dates as people write them: ids."""
    assert fault_of(text) is None


@given(
    st.text(max_size=12)
    | st.from_regex(r"-?[0-9]{1,3}([.,'\u2019][0-9]{1,3}){1,3}", fullmatch=True)
    | st.from_regex(r"[-+#=]?[0-9.,]*[eE#n][-+a0-9/!A-Z]*", fullmatch=True)
    | st.text("\"'`\u2018\u2019\u201c\u201d«» 8", max_size=4)
)
def test_the_quick_look_misses_nothing(text: str) -> None:
    """What the close look refuses, the quick one has seen."""
    if fault_of(text) is not None and "\n" not in text:
        assert suspicious([text])


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    ("cell", "own"),
    [
        ("1", "0000001"),
        ("1.0", "0000001"),
        ("2.02511E+17", "202511240000012345"),
        ("", "A1"),
        ("#REF!", "A1"),
        ("202511240000012000", "202511240000012345"),
        ("202511240000012352", "202511240000012345"),
        ("100000", "1E5"),
        ("1.00E+05", "1E5"),
        ("3-Jan", "3-1"),
        ("01/03/2025", "3-1"),
        ("2025-03-01", "3-1"),
        ("5-Dec", "12/5"),
        ("2025-12-05 00:00:00", "12/5"),
        ("Mar-01", "MAR1"),
        ("1.1", "1.10"),
        ("1,003", "1003"),
        ("-3.00", "-3"),
        ("nan", "0007"),
        ('="0008"', "0008"),
        ("=B7", "0008"),
        ("A1 ", "A1"),
        ("'-16", "-16"),
        ("\u20190008", "0008"),
        ("TRUE", "true"),
        ("2E+17", "202511240000012345"),
        ("2,02511E+17", "202511240000012345"),
        ("800000", "8E5"),
        ("Jan-25", "2025-1"),
        ("03/01/26", "3-1"),
        ("1. Mrz", "3-1"),
        ("3月1日", "3-1"),
        ("2026/3/1", "3-1"),
        ("03-01-2026", "3-1-26"),
        ("1/3/2025", "2025-1-3"),
        *((shown, "1004") for shown in SHOWN_1004),
        ("1.005", "01005"),
        ("12.345", "12345"),
        ("1.234.567", "1234567"),
        ("1004", "1.004"),
        ("-1.004,0", "-1004"),
        ("1.234.567.890.123.450.000", "1234567890123451234"),
    ],
)
def test_an_id_is_known_in_what_programs_made_of_it(cell: str, own: str) -> None:
    """Zeros lost, rounded, turned into a date, another case or width, gone, an error."""
    assert is_damaged(cell, own)
    assert not is_damaged(own, own)


@pytest.mark.fault("J08")
def test_what_kind_of_cell_a_workbook_has_is_held_against_the_very_id() -> None:
    """A date, a fraction, a number with an exponent or a truth value that is not this id's is
    another's.
    """
    assert (
        trace_of("2025-03-01", "3-1", "date")
        == trace_of("800000", "8E5", "exponent")
        == "sure"
    )
    assert (
        trace_of("0.5", "1/2", "fraction")
        == trace_of("1.5", "1 1/2", "fraction")
        == "sure"
    )
    assert trace_of("true", "TRUE", "boolean") == "sure"
    for cell, own, kind in [
        ("2025-03-01", "1001-1", "date"),
        ("0.5", "1/3", "fraction"),
        ("0.5", "A1", "fraction"),
        ("1", "1/0", "fraction"),
        ("true", "A1", "boolean"),
        ("800000", "8E4", "exponent"),
    ]:
        assert trace_of(cell, own, kind) == ""


@pytest.mark.fault("J08")
def test_what_could_be_made_of_other_ids_as_well_is_doubtful() -> None:
    """Nothing, an error, a rounded number; where error words may be ids of the source, they are
    taken as they stand.
    """
    long = "202511240000012345"
    for cell, own in [
        ("", "A1"),
        ("#REF!", "A1"),
        ("=B7", "A1"),
        ("2.02511E+17", long),
        ("202511240000012000", long),
    ]:
        assert trace_of(cell, own) == "doubtful"
    assert trace_of("1", "0000001") == trace_of(long, long) == "sure"
    assert {trace_of(shown, "1004") for shown in SHOWN_1004} == {"sure"}
    assert trace_of("nan", "A1", odd=True) == trace_of("=B7", "A1", odd=True) == ""


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    ("cell", "own"),
    [
        ("A2", "A1"),
        ("0002", "0001"),
        ("202511240000012346", "202511240000012345"),
        ("2025-11-24", "A1"),
        ("1004", "1003.0"),
        ("4-1", "A1"),
        ("12", "0x12"),
        ("A1-2", "A1"),
        ("1e999", "1"),
        ("1", "1e999x"),
        ("a1", "A1"),
        ("A 1", "A1"),
        ("Ａ１", "A1"),
        ("0012", "12"),
        ("+12", "12"),
        ("1E5", "100000"),
        ("1001-2", "1001-1"),
        ("10.2", "10.1"),
        ("1.1", "10.1"),
        ("12/6", "12/5"),
        ("5/12", "12/5"),
        ("1/3", "3-1"),
        ("3-1-26", "3-1"),
        ("1-3-2026", "3-1-2026"),
        ("2-Mar", "3-1"),
        ("2026-03-02", "3-1"),
        ("1-Mar", "A1"),
        ("8.85E+12", "0007"),
        ('="0009"', "0008"),
        ("1.005", "1004"),
        ("1.004,5", "1004"),
        ("1.00", "100"),
        ("01.004", "1004"),
        ("1.", "1" + "0" * 400),
        (f"1.{'0' * 99}E+5", "100001"),
    ],
)
def test_another_orders_id_is_no_damage(cell: str, own: str) -> None:
    """Whoever writes another id asks for another order."""
    assert not is_damaged(cell, own)


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((shown, "1004") for shown in SHOWN_1004),
        ("1004,0", "1.004"),
        ("#1003", "1003"),
        ("1003-", "1003"),
        ("1003/", "#1003"),
        ("#A-1001", "A-1001"),
        ("#1.004", "1004"),
        ("5%", "5"),
        ("\u20190009", "0009"),
        ("-16", "16"),
        ("๑.๐๐๔", "1004"),
        ("A-๒๖-๐๐๑", "A-26-1"),
        ("๑๒๓๔๕๖๗๘๙๐๑๒๓๔๕๐๐", "12345678901234567"),
    ],
)
def test_ids_of_orders_that_ask_for_the_same_may_be_one(one: str, other: str) -> None:
    """As sheets of other countries show a number, or with marks before and behind it."""
    assert may_be_one(one, other) and may_be_one(other, one)


@pytest.mark.fault("X14")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.005", "1004"),
        ("1.01", "1.1"),
        ("#1003", "1004"),
        ("1003-1", "1003-2"),
        ("A-1", "A1"),
        ("#", "-"),
        ("1003-๑", "1003-2"),
        ("\u0e01\u0e34", "\u0e01"),
    ],
)
def test_ids_of_other_orders_are_no_ones_else(one: str, other: str) -> None:
    """Marks inside an id, other digits and Thai vowels tell them apart."""
    assert not may_be_one(one, other) and not may_be_one(other, one)


# --- how a row says which it was

BATCH = "2025-11-24-0123456789ab"


@given(st.text(max_size=20), st.text(max_size=8), st.integers(1, 10**6))
def test_an_id_and_a_row_come_back_as_they_were_told(
    order_id: str, sheet: str, row: int
) -> None:
    """Of any id and sheet; a row number that a program made a decimal of is still it."""
    told = told_id(order_id, BATCH, sheet, row)
    assert own_id(told) == order_id
    assert (
        place_told(told, BATCH, sheet, str(row))
        == place_told(told, BATCH, sheet, f"{row}.0")
        == (BATCH, sheet, row)
    )


@pytest.mark.parametrize(
    "told",
    [
        "",
        "A1",
        "id:A1",
        "id:A1:",
        "id:A2:0000",
        "id:A1:zzzzzzzz",
        "0000001",
        "id:0000001",
        "ID:A1:00000000",
    ],
)
def test_what_was_not_told_says_nothing(told: str) -> None:
    """Neither an id nor a row."""
    assert own_id(told) is None
    assert place_told(told, BATCH, "", "7") is None


def test_a_number_filled_down_names_no_other_row() -> None:
    """Row, batch, sheet or id changed without the others: nothing is said of any row."""
    told = told_id("0000001", BATCH, "Orders", 7)
    for batch, sheet, row in [
        (BATCH, "Orders", "8"),
        (BATCH, "Other", "7"),
        ("2025-11-24-0123456789ac", "Orders", "7"),
        ("45985", "Orders", "7"),
        (BATCH, "Orders", ""),
        (BATCH, "Orders", "7.5"),
        (BATCH, "Orders", "-7"),
        (BATCH, "Orders", "07"),
        ("", "", "7"),
    ]:
        assert place_told(told, batch, sheet, row) is None
    assert own_id(told) == "0000001"
    assert own_id(told.replace("0000001", "0000002")) is None


def test_a_rejects_file_is_known_by_its_columns() -> None:
    """Two of ours that every version has written."""
    assert is_rejects_file(("order_id", "batchpay_row", "batchpay_outcome"))
    assert not is_rejects_file(("order_id", "batchpay_row"))


@pytest.mark.fault("J08", "X14")
@pytest.mark.parametrize(
    ("cell", "own"),
    [
        ("๐๐๐๒", "0002"),
        ("๒", "0002"),
        ("٠٠٠٢", "0002"),
        ("०००२", "0002"),
        ("A-๐๐๒", "A-002"),
        ("๑,๐๐๔", "1004"),
        ("١٬٠٠٤", "1004"),
        ("0002", "๐๐๐๒"),
    ],
)
def test_digits_of_other_scripts_are_known_again(cell: str, own: str) -> None:
    assert trace_of(cell, own) == "sure"
    assert is_damaged(cell, own) and may_be_one(cell, own)
    assert not is_damaged("๓", own)
    for number in ("๘.๘๕E+๑๒", "١٬٠٠٤"):
        assert suspicious([number]) and fault_of(number) is not None
