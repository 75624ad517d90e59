"""XLSX: what the sheet stores becomes text, by two libraries of one mind; nothing in it is followed
or run.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest
import xlsxwriter
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Font

from batchpay.domain.errors import FileRefused
from batchpay.job.job import Input, Roles
from batchpay.readers import open_snapshot, read
from batchpay.readers.xlsx import package
from batchpay.readers.xlsx.reader import read_xlsx
from tests.readers.files import CARD, HEADER, Looked, look, row

Cells = Sequence[Any]
FAR = (  # an empty cell so far out that the sheet is read row by row
    '<row r="{}"><c r="XFD{}"/></row>'
)
SHEET = "xl/worksheets/sheet1.xml"


def book(
    *rows: Cells, change: Callable[[openpyxl.Workbook], None] | None = None
) -> bytes:
    """A workbook with the header and these rows, written by openpyxl."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Orders"
    sheet.append(HEADER)
    for cells in rows:
        sheet.append(list(cells))
    if change:
        change(workbook)
    sink = io.BytesIO()
    workbook.save(sink)
    return sink.getvalue()


def good(number: int = 1, **changes: Any) -> list[Any]:
    """A good row's cells; an amount is a number, as in most sheets."""
    cells: dict[str, Any] = {**row(number), "amount": 10, **changes}
    return [cells[name] for name in HEADER]


def rezipped(
    data: bytes, change: dict[str, Any], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The same package with some parts replaced, changed by a function, or added."""
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(sink, "w", compression) as new,
    ):
        for name in old.namelist():
            part: Any = change.pop(name, old.read(name))
            new.writestr(
                name, part(old.read(name).decode()) if callable(part) else part
            )
        for name, part in change.items():
            new.writestr(name, part)
    return sink.getvalue()


def far(data: bytes) -> bytes:
    """The same sheet, read row by row."""
    return rezipped(
        data,
        {
            SHEET: lambda xml: xml.replace(
                "</sheetData>", FAR.format(1_900, 1_900) + "</sheetData>"
            )
        },
    )


def with_cell(xml: str, column: str = "F") -> bytes:
    """A workbook with one good row and one whose note, or the cell of another column, is written
    so.
    """
    letter = {name: chr(ord("A") + at) for at, name in enumerate(HEADER)}
    name = next(name for name in HEADER if letter[name] == column)
    return rezipped(
        book(good(1), good(2, **{name: "@"})),
        {
            SHEET: lambda sheet: re.sub(
                rf'<c r="{column}3".*?</c>', xml.replace('"F3"', f'"{column}3"'), sheet
            )
        },
    )


def both(tmp_path: Path, data: bytes, **how: Any) -> Looked:
    """What both libraries say, which is the same."""
    at_once = look(tmp_path, "orders.xlsx", data, **how)
    by_row = look(tmp_path, "orders.xlsx", far(data), **how)
    assert at_once.refused == by_row.refused == []
    assert "large: read row by row, which is slower" in by_row.notes
    by_row.notes.remove("large: read row by row, which is slower")
    for looked in (at_once, by_row):
        looked.notes = [note for note in looked.notes if "blank row" not in note]
        looked.chunks = 0
    assert at_once == by_row
    return at_once


# --- values

VALUES = [
    (10, "10"),
    (1234.5, "1234.5"),
    (19.99, "19.99"),
    (0.07, "0.07"),
    (-3, "-3"),
    (1e-7, "0.0000001"),
    (999999999999999, "999999999999999"),
    (True, "true"),
    (False, "false"),
    ("0001", "0001"),
    ("เก้าอี้ 😀", "เก้าอี้ 😀"),
    (dt.date(2026, 11, 24), "2026-11-24"),
    (dt.datetime(2026, 11, 24, 13, 5), "2026-11-24T13:05:00"),
    (dt.datetime(2026, 11, 24), "2026-11-24"),
    (dt.date(1900, 3, 1), "1900-03-01"),
    ("two\nlines", "two\nlines"),
    ("'=1", "'=1"),
    (" x ", " x "),
    ("_x005F_x0041_", "_x0041_"),
    (None, ""),
    ("1,234.50", "1,234.50"),
    ("<&>\"'", "<&>\"'"),
]


@pytest.mark.fault("X17", "X04")
def test_values_are_what_the_sheet_stores(tmp_path: Path) -> None:
    """Not how it shows them: whole numbers without a point, ISO dates, true and false; texts to the
    character.
    """
    looked = both(
        tmp_path, book(*(good(n, extra=value) for n, (value, _) in enumerate(VALUES)))
    )
    assert looked.cells["extra"] == [text for _, text in VALUES]
    assert (looked.problems, looked.sheets, looked.rows[0]) == ({}, {"Orders"}, 2)


@pytest.mark.fault("X17")
def test_dates_count_from_1900_or_1904_as_the_book_says(tmp_path: Path) -> None:
    """The same number, four years and a day apart."""
    data = book(good(1, extra=dt.date(2026, 11, 24)))
    later = rezipped(
        data,
        {
            "xl/workbook.xml": lambda xml: re.sub(
                r"<workbookPr ?/?>", '<workbookPr date1904="1"/>', xml
            )
        },
    )
    assert both(tmp_path, data).cells["extra"] == ["2026-11-24"]
    assert both(tmp_path, later).cells["extra"] == ["2030-11-25"]


@pytest.mark.fault("X17", "X09", "X11")
@pytest.mark.parametrize(
    "value", [1234567890123456, 2**53 + 1, 1e22, 1234567890.1234567, -(10**15)]
)
def test_numbers_of_more_than_15_digits_are_rejected(
    tmp_path: Path, value: float
) -> None:
    """The sheet has rounded them already; in a column that no field uses they are kept as they
    are.
    """
    looked = both(
        tmp_path,
        book(good(1, amount=value), good(2, order_id=value), good(3, extra=value)),
    )
    assert looked.rules[2][0] == ("amount", "number-not-exact")
    assert looked.rules[3][0] == ("order_id", "number-not-exact")
    assert set(looked.problems) == {2, 3}


@pytest.mark.fault("X17", "X26")
@pytest.mark.parametrize("column", ["order_id", "amount", "note", "extra"])
@pytest.mark.parametrize("as_number", [True, False])
def test_a_card_number_in_a_numeric_cell_is_masked_too(
    tmp_path: Path, column: str, as_number: bool
) -> None:
    """Neither in the cells nor in what is said of them."""
    looked = both(
        tmp_path, book(good(1, **{column: int(CARD) if as_number else CARD}), good(2))
    )
    assert (column, "card-number") in looked.rules[2]
    assert set(looked.problems) == {2}
    assert CARD not in str(looked)


FORMULAS = {
    "number": ('<c r="F3"><f>1+1</f><v>2</v></c>', "2"),
    "text": ('<c r="F3" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>', "ab"),
    "empty text": ('<c r="F3" t="str"><f>""</f><v></v></c>', ""),
    "boolean": ('<c r="F3" t="b"><f>TRUE</f><v>1</v></c>', "true"),
    "inline": ('<c r="F3" t="inlineStr"><is><t>x</t><r><t>y</t></r></is></c>', "xy"),
}


@pytest.mark.fault("X17")
@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_the_values_they_had(tmp_path: Path, name: str) -> None:
    """Nothing is calculated."""
    xml, text = FORMULAS[name]
    looked = both(tmp_path, with_cell(xml))
    assert (looked.problems, looked.cells["note"][1]) == ({}, text)


BROKEN_CELLS = {
    "no value": ('<c r="F3"><f>1+1</f></c>', "formula-without-value"),
    "empty value": ('<c r="F3"><f>1+1</f><v></v></c>', "formula-without-value"),
    "self-closing": ('<c r="F3"><f>1+1</f><v/></c>', "formula-without-value"),
    "shared": ('<c r="F3"><f t="shared" si="0"/></c>', "formula-without-value"),
    "error": ('<c r="F3" t="e"><v>#DIV/0!</v></c>', "error-cell"),
    "error of a formula": (
        '<c r="F3" s="0" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        "error-cell",
    ),
}


@pytest.mark.fault("X17")
@pytest.mark.parametrize("name", BROKEN_CELLS)
def test_formulas_without_a_value_and_errors_reject_their_row(
    tmp_path: Path, name: str
) -> None:
    """In a column that a field reads; elsewhere they are only counted."""
    xml, rule = BROKEN_CELLS[name]
    assert both(tmp_path, with_cell(xml)).rules == {3: [("note", rule)]}
    elsewhere = look(tmp_path, "orders.xlsx", with_cell(xml, "H"))
    assert elsewhere.problems == {}
    assert (
        "1 cell with an error or without a value, in columns no field uses"
        in elsewhere.notes
    )


@pytest.mark.fault("X17")
def test_the_0_of_a_formula_that_nobody_calculated_is_no_value(tmp_path: Path) -> None:
    """XlsxWriter puts it there and says so in the workbook; a part of a sum would be 0."""
    unknown = with_cell('<c r="F3"><f>1+1</f><v>0</v></c>')
    assert both(tmp_path, unknown).rules == {3: [("note", "formula-without-value")]}
    for text in ("0", "2"):
        known = rezipped(
            with_cell(f'<c r="F3"><f>2-1</f><v>{text}</v></c>'),
            {"xl/workbook.xml": lambda xml: xml.replace('fullCalcOnLoad="1"', "")},
        )
        looked = both(tmp_path, known)
        assert (looked.problems, looked.cells["note"][1]) == ({}, text)
    known = with_cell('<c r="F3"><f>2</f><v>2</v></c>')
    assert both(tmp_path, known).problems == {}


@pytest.mark.parametrize(
    ("code", "sign"), [("[$¥-411]#,##0", "¥"), ('"฿"#,##0.00', ""), ("#,##0.00", "")]
)
def test_a_sheet_that_shows_another_currency_than_the_job_says_is_told(
    tmp_path: Path, code: str, sign: str
) -> None:
    """Where the job says one for all rows; the number is all that is read."""

    def change(workbook: openpyxl.Workbook) -> None:
        workbook["Orders"]["B3"].number_format = code

    data = book(good(1), good(2), change=change)
    said = "its numbers are shown with ¥, and the job says that they are THB"
    looked = both(tmp_path, data, currency='{ value = "THB" }')
    assert (said in " ".join(looked.notes)) == bool(sign)
    assert "are shown with" not in " ".join(both(tmp_path, data).notes)


def test_all_signs_that_a_sheet_shows_are_told(tmp_path: Path) -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        workbook["Orders"]["B2"].number_format = "[$€-407]#,##0.00"
        workbook["Orders"]["B3"].number_format = "[$¥-411]#,##0"

    data = book(good(1), good(2), change=change)
    notes = " ".join(both(tmp_path, data, currency='{ value = "THB" }').notes)
    assert "its numbers are shown with €, ¥, and the job" in notes


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ('#,##0.00" พันบาท"', "พันบาท"),
        ('#,##0.00"K"', "K"),
        ('"ยกเลิก "#,##0.00', "ยกเลิก"),
        ('"CANCELLED"', "CANCELLED"),
        ('0.0,"K"', ""),
        ('#,##0.00" kg"', ""),
    ],
)
def test_words_that_a_sheet_shows_beside_its_amounts_are_told(
    tmp_path: Path, code: str, word: str
) -> None:
    """Which make thousands of them, or none; a number that is divided by a thousand is itself."""

    def change(workbook: openpyxl.Workbook) -> None:
        workbook["Orders"]["B3"].number_format = code

    looked = both(tmp_path, book(good(1), good(2), change=change))
    assert looked.problems == {}
    said = f"numbers in it are shown with '{word}', which stands in no cell"
    assert (said in " ".join(looked.notes)) == bool(word)


@pytest.mark.fault("X09")
def test_the_sign_that_a_sheet_shows_is_held_against_the_rows_own_currency(
    tmp_path: Path,
) -> None:
    """Told once with the addresses: the number is all that is read."""

    def change(workbook: openpyxl.Workbook) -> None:
        for cell in ("B2", "B3", "B4", "B5"):
            workbook.active[cell].number_format = "[$$-409]#,##0.00"

    rows = [good(1), good(2, currency="usd"), good(3, amount="10.00"), good(4)]
    looked = both(tmp_path, book(*rows, change=change))
    told = [note for note in looked.notes if "are shown with the sign" in note]
    assert len(told) == 1
    assert told[0].startswith("2 amounts are shown with the sign of another currency")
    assert "row's: B2, B5; only the number is read" in told[0]


def struck(*cells: str) -> Callable[[openpyxl.Workbook], None]:
    """Strikes these cells of the sheet through."""

    def change(workbook: openpyxl.Workbook) -> None:
        for cell in cells:
            workbook.active[cell].font = Font(strike=True)

    return change


@pytest.mark.fault("X17")
def test_an_order_that_is_struck_through_is_not_charged(tmp_path: Path) -> None:
    """Wholly, or where its id or its amount is; any other cell is read and told."""
    whole = [f"{letter}3" for letter in "ABCDEFGH"]
    rows = [good(number, note="x") for number in range(1, 6)]
    data = book(*rows, change=struck(*whole, "B4", "F5", "G6", "B9"))
    looked = both(tmp_path, data)
    assert looked.rules == {
        3: [("row", "struck-through")],
        4: [("row", "struck-through")],
    }
    assert looked.documents[1]["order_id"] == "A00002"
    (found,) = looked.problems[3]
    assert "struck through in A3, B3, C3, D3, E3, …: remove the strike" in found.remedy
    (one,) = (note for note in looked.notes if "struck" in note)
    assert one == "1 cell that is struck through is read like any other: F5"
    how = 'struck_rows = "accept"'
    looked = look(tmp_path, "orders.xlsx", data, input=how)
    assert not looked.problems
    (one,) = (note for note in looked.notes if "struck" in note)
    assert one.startswith("8 cells that are struck through are read like any other: A3")


def test_a_strike_is_seen_where_the_job_names_a_part_of_the_sheet(
    tmp_path: Path,
) -> None:
    """By the addresses of the sheet."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["shop"])
    for cells in (HEADER, good(1), good(2)):
        workbook.active.append(["", *cells])
    workbook.active["C4"].font = Font(strike=True)
    workbook.active["C3"].comment = Comment("wait", "me")
    sink = io.BytesIO()
    workbook.save(sink)
    looked = both(tmp_path, sink.getvalue(), input='range = "B2:I"')
    assert looked.rules == {4: [("row", "struck-through")]}
    (found,) = looked.problems[4]
    assert "struck through in C4:" in found.remedy
    assert "1 cell has a comment, which is not read: C3" in looked.notes


def test_comments_on_cells_of_orders_are_told(tmp_path: Path) -> None:
    """Once a file; not those of the header, nor of columns that no field reads."""

    def change(workbook: openpyxl.Workbook) -> None:
        for cell in ("A1", "B2", "A3", "H3"):
            workbook.active[cell].comment = Comment("do not charge yet", "me")

    looked = both(tmp_path, book(good(1), good(2), change=change))
    assert not looked.problems
    assert "2 cells have a comment, which is not read: B2, A3" in looked.notes
    broken = {"xl/comments/comment1.xml": "<comments><comment ref="}
    data = rezipped(book(good(1), change=change), broken)
    looked = look(tmp_path, "orders.xlsx", data)
    assert not looked.refused
    assert not any("comment" in note for note in looked.notes)


@pytest.mark.fault("X17")
def test_merged_and_hidden_cells_are_read_and_told(tmp_path: Path) -> None:
    """A merged range has the value of its first cell; hidden rows count like any other; hidden
    sheets are not taken.
    """

    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook["Orders"]
        sheet.merge_cells("H2:H3")
        sheet.row_dimensions[3].hidden = True
        workbook.create_sheet("Old").append(["x"])
        workbook["Old"].sheet_state = "hidden"

    looked = both(tmp_path, book(good(1, extra="x"), good(2), good(3), change=change))
    assert (looked.problems, len(looked.documents)) == ({}, 3)
    assert looked.cells["extra"] == ["x", "", ""]
    told = " ".join(looked.notes)
    assert "hidden sheets not read: 'Old'" in told
    assert "1 hidden row is read" in told
    assert "1 merged range: only its first cell" in told


@pytest.mark.fault("X17", "X20")
def test_which_sheet_is_meant_is_never_guessed(tmp_path: Path) -> None:
    """Two with data and no name: refused; a wrong name: refused with the nearest; a hidden one only
    by name.
    """

    def two(workbook: openpyxl.Workbook) -> None:
        workbook.create_sheet("Other").append(HEADER)
        workbook["Other"].append(good(7))

    data = book(good(), change=two)
    data = rezipped(
        data, {"xl/workbook.xml": lambda xml: xml.replace('"Other"', '"../../etc"')}
    )
    refusal = look(tmp_path, "orders.xlsx", data).refusal
    assert "2 visible sheets hold data" in refusal
    assert "'Orders', '../../etc'" in refusal
    assert (
        "did you mean 'Orders'"
        in look(tmp_path, "orders.xlsx", data, input='sheet = "Order"').refusal
    )
    odd = look(tmp_path, "orders.xlsx", data, input='sheet = "../../etc"')
    assert (odd.sheets, odd.documents[0]["order_id"]) == ({"../../etc"}, "A00007")
    assert (
        "no visible sheet holds data" in look(tmp_path, "orders.xlsx", _blank()).refusal
    )


def _blank() -> bytes:
    sink = io.BytesIO()
    openpyxl.Workbook().save(sink)
    return sink.getvalue()


@pytest.mark.fault("X06", "X07")
def test_rows_beyond_the_header_and_blank_rows(tmp_path: Path) -> None:
    """A value to the right of the last name rejects its row; rows without any text are counted."""
    looked = both(
        tmp_path, book(good(1), [], [None, ""], [*good(2), None, "stray"], good(3))
    )
    assert looked.rules == {5: [("row", "ragged-row")]}
    assert looked.problems[5][0].value == "stray"
    assert looked.rows == [2, 5, 6]


# --- packages

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
ENTITY = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


def _hostile() -> dict[str, tuple[bytes, str]]:
    data = book(good(1))
    bomb = f'<c r="F3" t="inlineStr"><is><t>{"x" * 60 * 2**20}</t></is></c>'
    encrypted = bytearray(data)
    for at in [found.start() for found in re.finditer(b"PK\x01\x02", data)]:
        encrypted[at + 8] |= 1
    end = "</row></sheetData>"
    return {
        "zip bomb": (
            rezipped(data, {SHEET: lambda xml: xml.replace(end, bomb + end)}),
            "looks like a zip bomb",
        ),
        "bomb in another part": (
            rezipped(data, {"xl/media/a.png": bytes(60 * 2**20)}),
            "looks like a zip bomb",
        ),
        "laughs": (
            rezipped(data, {"xl/sharedStrings.xml": LAUGHS + "<sst/>"}),
            "declares a document type or entities",
        ),
        "entity": (
            rezipped(data, {SHEET: lambda xml: ENTITY + xml}),
            "declares a document type or entities",
        ),
        "hidden entity": (
            rezipped(data, {SHEET: lambda xml: (ENTITY + xml).encode("utf-16")}),
            "not UTF-8",
        ),
        "other encoding": (
            rezipped(
                data,
                {SHEET: lambda xml: '<?xml version="1.0" encoding="utf-7"?>' + xml},
            ),
            "not UTF-8",
        ),
        "path": (
            rezipped(data, {"../../evil.xml": b"<x/>"}),
            "path out of the workbook",
        ),
        "absolute": (
            rezipped(data, {"/etc/evil.xml": b"<x/>"}),
            "path out of the workbook",
        ),
        "backslash": (
            rezipped(data, {"xl\\..\\evil.xml": b"<x/>"}),
            "path out of the workbook",
        ),
        "encrypted part": (bytes(encrypted), "a zip with a password"),
        "case twice": (rezipped(data, {"xl/WORKBOOK.xml": b"<x/>"}), "two of one name"),
        "no workbook": (_zip({"a.xml": b"<a/>"}), "is a zip: 'a.xml': unpack it"),
        "docx": (
            _zip(
                {"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<Relationships/>"}
            ),
            "name no workbook among them",
        ),
        "xls": (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "an old Office file, such as an .xls, or one with a password",
        ),
        "broken xml": (
            rezipped(data, {SHEET: lambda xml: xml[: len(xml) // 2]}),
            "cut or damaged",
        ),
        "no xml": (rezipped(data, {SHEET: b"\x00\x01\x02"}), "UTF-8"),
    }


def _zip(parts: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as zipped:
        for name, part in parts.items():
            zipped.writestr(name, part)
    return sink.getvalue()


@pytest.mark.fault("X17", "X20")
def test_hostile_packages_are_refused_before_they_unfold(tmp_path: Path) -> None:
    """65 with a sentence each: bombs, entities, paths, passwords, other kinds of file."""
    for name, (data, told) in _hostile().items():
        assert told in look(tmp_path, "orders.xlsx", data).refusal, name


@pytest.mark.fault("X17")
def test_links_and_macros_are_never_followed(tmp_path: Path) -> None:
    """They may be there; nothing is opened, and macros are told."""
    rels = (
        "<Relationships"
        ' xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship'
        ' Id="rId1"'
        ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath"'
        ' Target="http://127.0.0.1:1/x.xlsx" TargetMode="External"/></Relationships>'
    )
    data = rezipped(
        book(good(1)),
        {
            "xl/externalLinks/_rels/externalLink1.xml.rels": rels,
            "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0",
        },
    )
    looked = both(tmp_path, data)
    assert looked.problems == {}
    assert "holds macros, which are not run" in looked.notes


@pytest.mark.fault("X17", "X08")
def test_very_many_empty_formatted_rows_are_no_rows(tmp_path: Path) -> None:
    """They cost time, not memory and not rows; the rows around them keep their numbers."""
    empty = "".join(
        f'<row r="{number}" s="1" ht="{number % 97}"><c r="A{number}" s="1"/></row>'
        for number in range(4, 200_004)
    )
    data = book(good(1), good(2))
    change = {SHEET: lambda xml: xml.replace("</sheetData>", empty + "</sheetData>")}
    looked = look(tmp_path, "orders.xlsx", rezipped(data, change))
    assert (looked.refused, looked.rows, looked.problems) == ([], [2, 3], {})


@pytest.mark.fault("E07", "X17")
def test_a_workbook_without_its_directory_is_refused(tmp_path: Path) -> None:
    """Cut before, in and after the directory."""
    data = book(good(1))
    directory = data.index(b"PK\x01\x02")
    for cut in (4, 1000, directory, directory + 50, len(data) - 1):
        assert look(tmp_path, "orders.xlsx", data[:cut]).refused, cut


@pytest.mark.fault("X17")
def test_flipped_bits_are_refused_or_change_nothing(tmp_path: Path) -> None:
    """Each part has a check sum; what it does not cover cannot change a cell."""
    data = book(good(1), good(2))
    clean = look(tmp_path, "orders.xlsx", data)
    for at in range(7, len(data), len(data) // 8):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        looked = look(tmp_path, "orders.xlsx", bytes(flipped))
        assert looked.refused or (looked.cells, looked.problems) == (
            clean.cells,
            clean.problems,
        ), at


# --- round trips

LEGAL = st.text(
    st.characters(
        min_codepoint=32,
        exclude_categories=["Cs", "Cc"],
        exclude_characters="\ufffe\uffff\u2028\u2029",
    ),
    max_size=6,
) | st.sampled_from(["", "a\nb", " ", "_x000D_", "0001", "=1", "e\u0301"])


@settings(
    max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate)
)  # two processes each
@given(st.lists(st.tuples(LEGAL, LEGAL), min_size=30, max_size=60))
def test_any_text_reads_back_by_both_libraries(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]]
) -> None:
    """Written as inline strings, as a program would; `_x000D_` is how XLSX writes what XML
    cannot.
    """
    path = tmp_path_factory.getbasetemp() / "round.xlsx"
    rows = "".join(
        f'<row r="{number}">{_inline("A", number, one)}{_inline("B", number, two)}</row>'
        for number, (one, two) in enumerate([("one", "two"), *table], 1)
    )
    sheet = f"<sheetData>{rows}</sheetData>"
    data = rezipped(
        book(),
        {SHEET: lambda xml: re.sub("<sheetData>.*</sheetData>", lambda _: sheet, xml)},
    )
    wanted = {number: cells for number, cells in enumerate(table, 2) if any(cells)}
    for form in (data, far(data)):
        path.write_bytes(form)
        found: dict[int, tuple[str, ...]] = {}
        with open_snapshot(path) as snapshot:
            for chunk in read(snapshot, Input(str(path)), ("one", "two")).chunks():
                found |= dict(
                    zip(
                        chunk.rows,
                        zip(chunk.texts("one"), chunk.texts("two"), strict=True),
                        strict=True,
                    )
                )
        assert found == wanted


def _inline(letter: str, number: int, text: str) -> str:
    text = escape(re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text))
    return f'<c r="{letter}{number}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


# --- every row in which a person sees anything

UNCALCULATED = (
    '<row r="{0}"><c r="A{0}"><f>"A"&amp;{0}</f></c><c r="B{0}"><f>B2</f></c></row>'
)


@pytest.mark.fault("J09", "X17")
def test_trailing_rows_of_formulas_without_values_are_rows(tmp_path: Path) -> None:
    """Libraries end before them, a spreadsheet program shows them: rejected, in whichever columns
    they stand.
    """
    stray = '<row r="5"><c r="H5"><f>1+1</f></c></row><row r="6"><c r="K6"><f>1+1</f></c></row>'
    tail = (
        UNCALCULATED.format(3)
        + UNCALCULATED.format(4)
        + stray
        + '<row r="9"><c r="A9" t="e"><v>#N/A</v></c></row>'
    )
    data = rezipped(
        book(good(1)),
        {SHEET: lambda xml: xml.replace("</sheetData>", tail + "</sheetData>")},
    )
    looked = both(tmp_path, data)
    assert looked.rows == [2, 3, 4, 5, 6, 9]
    assert set(looked.problems) == {3, 4, 5, 6, 9}
    assert ("order_id", "formula-without-value") in looked.rules[3]
    assert ("row", "formula-without-value") in looked.rules[5]
    assert ("row", "ragged-row") in looked.rules[6]
    assert ("order_id", "error-cell") in looked.rules[9]


@pytest.mark.fault("J09", "X17")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda xml: xml.replace('<row r="4"', '<row r="3"'), "row 3 more than once"),
        (
            lambda xml: xml.replace('r="4"', 'r="3"').replace("4", "3"),
            "row 3 more than once",
        ),
        (
            lambda xml: xml.replace('<row r="4"', '<row r="2"'),
            "row 2 more than once, or out of its order",
        ),
        (lambda xml: xml.replace('"A4"', '"A3"'), "cells of another row in row 4"),
        (lambda xml: xml.replace('"B4"', '"A4"'), "a cell of row 4 more than once"),
        (
            lambda xml: xml.replace(
                "</sheetData>", "</sheetData><sheetData><row/></sheetData>"
            ),
            "more than one table",
        ),
        (
            lambda xml: re.sub(r'(r="[A-H]?)4"', r'\g<1>2000000"', xml),
            "row 2000000, where a sheet ends",
        ),
        (
            lambda xml: re.sub(r' r="4"', "", re.sub(r'<row r="3"', '<row r="7"', xml)),
            "cells of another row in row 7",
        ),
    ],
)
def test_two_rows_or_cells_of_one_address_are_refused(
    tmp_path: Path, change: Callable[[str], str], told: str
) -> None:
    """Of which a library keeps one: 65, naming the row."""
    data = rezipped(book(good(1), good(2), good(3)), {SHEET: change})
    assert told in look(tmp_path, "orders.xlsx", data).refusal


@pytest.mark.fault("X17", "X19")
def test_of_several_sheets_the_one_that_nearly_fits_is_named_with_what_it_lacks(
    tmp_path: Path,
) -> None:
    """Doing what it says is success; of two that are equally near none is named."""

    def near(workbook: openpyxl.Workbook) -> None:
        workbook["Orders"]["B1"] = "amuont"
        workbook.create_sheet("Notes").append(["read", "me", "currency"])

    data = book(good(), change=near)
    refusal = look(tmp_path, "orders.xlsx", data).refusal
    assert "it has 'Orders', 'Notes', and none of them holds all columns" in refusal
    assert "row 1 of 'Orders' is nearly their header: no column 'amount'" in refusal
    assert "did you mean 'amuont'?" in refusal and 'say sheet = "Orders" in' in refusal
    done = '{ column = "amuont", unit = "major" }'
    looked = look(tmp_path, "orders.xlsx", input='sheet = "Orders"', amount=done)
    assert (looked.refused, looked.problems, len(looked.rows)) == ([], {}, 1)

    def both_near(workbook: openpyxl.Workbook) -> None:
        near(workbook)
        workbook.create_sheet("Later").append([*HEADER[:1], "amt", *HEADER[2:]])

    refusal = look(tmp_path, "orders.xlsx", book(good(), change=both_near)).refusal
    assert "3 visible sheets hold data" in refusal


@pytest.mark.fault("J09", "X17")
def test_a_sheet_of_nothing_but_formulas_is_a_sheet_with_data(tmp_path: Path) -> None:
    """Which of two is meant is not guessed because one has not been calculated."""

    def two(workbook: openpyxl.Workbook) -> None:
        workbook.create_sheet("Other").append(["=1+1"])

    assert (
        "several visible sheets hold data"
        in look(tmp_path, "orders.xlsx", book(good(), change=two)).refusal
    )


# --- names of parts, digits of sums


def renamed(data: bytes, name: Callable[[str], str]) -> bytes:
    """The same workbook, its parts under other names."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w") as new:
        for info in old.infolist():
            new.writestr(name(info.filename), old.read(info))
    return sink.getvalue()


@pytest.mark.fault("X19")
def test_parts_with_backslashes_or_in_other_letters_are_read(tmp_path: Path) -> None:
    """As some programs on Windows write them; what leads out of the workbook stays refused."""
    data = book(good(1), good(2))
    for name in (str.upper, lambda name: name.replace("/", "\\")):
        looked = look(tmp_path, "orders.xlsx", renamed(data, name))
        assert (looked.rows, looked.problems, looked.refused) == ([2, 3], {}, [])
    for out in ("/{}", "xl/../../{}", "..\\{}", "C:\\{}"):
        odd = renamed(data, lambda name, out=out: out.format(name))
        assert (
            "a path out of the workbook" in look(tmp_path, "orders.xlsx", odd).refusal
        )


BOOK, RELS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
STRINGS = "xl/sharedStrings.xml"
ROOT = "_rels/.rels"


def written(data: bytes, names: dict[str, str], targets: dict[str, str]) -> bytes:
    """The same workbook with parts under other names, and with other names told of them."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w") as new:
        for info in old.infolist():
            part = old.read(info)
            if info.filename.endswith(".rels"):
                text = part.decode()
                for target, now in targets.items():
                    text = text.replace(f'Target="{target}"', f'Target="{now}"')
                part = text.encode()
            if info.filename == "[Content_Types].xml":
                for name, now in names.items():
                    part = part.replace(f'"/{name}"'.encode(), f'"/{now}"'.encode())
            name = names.get(info.filename, info.filename)
            if name:
                new.writestr(name, part)
    return sink.getvalue()


def by_xlsxwriter() -> bytes:
    """Two good rows, texts in a part of their own."""
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as workbook:
        sheet = workbook.add_worksheet("Orders")
        for at, cells in enumerate((HEADER, good(1), good(2))):
            sheet.write_row(at, 0, cells)
    return sink.getvalue()


NAMED_OTHERWISE = {
    "absolute": ({}, {"worksheets/sheet1.xml": f"/{SHEET}", BOOK: f"/{BOOK}"}),
    "dots": ({}, {"worksheets/sheet1.xml": "./worksheets/../worksheets/sheet1.xml"}),
    "up": ({SHEET: "s/1.xml"}, {"worksheets/sheet1.xml": "../s/1.xml"}),
    "further up": ({}, {"worksheets/sheet1.xml": f"../../{SHEET}"}),
    "strings": ({STRINGS: "xl/s/all.xml"}, {"sharedStrings.xml": "s/all.xml"}),
    "blank": ({SHEET: "xl/a b.xml"}, {"worksheets/sheet1.xml": "a%20b.xml"}),
    "backslash": ({}, {"worksheets/sheet1.xml": "worksheets\\sheet1.xml"}),
    "other book": (
        {BOOK: "xl/b2.xml", RELS: "xl/_rels/b2.xml.rels"},
        {BOOK: "xl/b2.xml"},
    ),
    "at the root": (
        {BOOK: "b.xml", RELS: "_rels/b.xml.rels", SHEET: "s.xml", STRINGS: "t.xml"},
        {
            BOOK: "b.xml",
            "worksheets/sheet1.xml": "s.xml",
            "sharedStrings.xml": "t.xml",
        },
    ),
    "no root": ({ROOT: ""}, {}),
    "no types": ({"[Content_Types].xml": ""}, {}),
}


@pytest.mark.fault("X19")
@pytest.mark.parametrize("kind", NAMED_OTHERWISE)
def test_parts_are_found_by_what_the_workbook_says_of_them(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they are called, and however that is told. Of a large workbook only what other
    libraries find, too; the rest is told what to do.
    """
    data = written(by_xlsxwriter(), *NAMED_OTHERWISE[kind])
    looked = look(tmp_path, "orders.xlsx", data)
    assert (looked.rows, looked.problems, looked.refused) == ([2, 3], {}, [])
    assert looked.documents[0]["order_id"] == good(1)[0]
    monkeypatch.setattr(package, "MEMORY_LIMIT", 0)
    (tmp_path / "orders.xlsx").write_bytes(data)
    how = Input(str(tmp_path / "orders.xlsx"))
    with open_snapshot(tmp_path / "orders.xlsx") as snapshot:
        try:
            table = read_xlsx(snapshot, how, HEADER[:1], Roles())
        except FileRefused as refused:
            assert "save it as a new Excel workbook" in str(refused)
            assert kind in ODD
        else:
            rows = [chunk.texts(HEADER[0]) for chunk in table.chunks()]
            assert rows == [[good(1)[0], good(2)[0]]]
            assert kind not in ODD


ODD = {"further up", "blank", "backslash", "no root", "no types"}


@pytest.mark.fault("X17")
@pytest.mark.parametrize("part", [SHEET, RELS, STRINGS])
def test_a_workbook_that_lacks_a_part_is_told(tmp_path: Path, part: str) -> None:
    """A sheet that is named and not there holds orders that nobody sees."""
    lacking = written(by_xlsxwriter(), {part: ""}, {})
    refusal = look(tmp_path, "orders.xlsx", lacking).refusal
    if part == STRINGS:
        assert "is cut or damaged" in refusal
    else:
        assert f"its part {part} is missing" in refusal


@pytest.mark.fault("X10")
def test_the_noise_behind_15_digits_is_no_amount(tmp_path: Path) -> None:
    """A sum is read as the sheet shows it, once told; an id is not; thirds are rejected."""
    rows = [good(1, amount=1.25), good(2, amount=3.25), good(3, order_id=1.25)]
    noisy = {"1.25": repr(10.1 + 20.2), "3.25": repr(100 / 3)}

    def with_noise(xml: str) -> str:
        return re.sub(
            r"<v>([13]\.25)</v>", lambda found: f"<v>{noisy[found[1]]}</v>", xml
        )

    looked = look(tmp_path, "orders.xlsx", rezipped(book(*rows), {SHEET: with_noise}))
    assert looked.documents[0]["amount"] == 3030
    assert looked.rules == {
        3: [("amount", "number-not-exact")],
        4: [("order_id", "number-not-exact")],
    }
    assert "=ROUND(…,2)" in looked.problems[3][0].remedy
    assert "in row 2, column 'amount', 30.3 for 30.299999999999997" in " ".join(
        looked.notes
    )


# --- the audit of a sheet, told with addresses


def of_sheet(
    tmp_path: Path, change: Callable[[Any], None], *rows: Cells, **how: Any
) -> Looked:
    """What a sheet with these rows comes to, changed."""

    def changed(workbook: openpyxl.Workbook) -> None:
        change(workbook["Orders"])

    return look(tmp_path, "orders.xlsx", book(*rows, change=changed), **how)


@pytest.mark.fault("X13")
def test_what_is_hidden_merged_or_text_is_told_with_its_address(tmp_path: Path) -> None:
    """Nothing of it is an error: who reads the notes looks there."""

    def change(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["D"].hidden = True
        sheet.merge_cells("F2:F3")
        sheet["B3"] = "10.00"
        sheet.parent.epoch = dt.datetime(1904, 1, 1)

    looked = of_sheet(tmp_path, change, good(1), good(2))
    assert (looked.rows, looked.problems) == ([2, 3], {})
    told = "\n".join(looked.notes)
    assert "1 hidden row is read like any other: 3" in told
    assert "hidden columns are read like any other: D ('recipient')" in told
    assert "1 merged range: only its first cell has a value: F2:F3" in told
    assert "a number is stored as text, beside others that are numbers: B3" in told
    assert "count from 1904" in told


@pytest.mark.fault("X13")
@pytest.mark.parametrize("base", [1900, 1904])
@pytest.mark.parametrize("is_far", [False, True])
def test_dates_are_those_of_the_workbooks_calendar(
    tmp_path: Path, base: int, is_far: bool
) -> None:
    """By both libraries."""

    def change(workbook: openpyxl.Workbook) -> None:
        if base == 1904:
            workbook.epoch = dt.datetime(1904, 1, 1)

    data = book(good(1, note=dt.date(2025, 11, 24)), change=change)
    if base == 1904:  # openpyxl writes the number of 1900 when the epoch is set late
        data = rezipped(data, {SHEET: lambda xml: xml.replace(">45985<", ">44523<")})
    looked = look(tmp_path, "orders.xlsx", far(data) if is_far else data)
    assert looked.cells["note"] == ["2025-11-24"]


@pytest.mark.fault("X13")
def test_errors_and_formulas_without_value_name_their_cell(tmp_path: Path) -> None:
    """As a person finds it in the sheet."""

    def change(sheet: Any) -> None:
        sheet["B2"] = "=1+1"
        sheet["D3"] = "#REF!"

    looked = of_sheet(tmp_path, change, good(1), good(2))
    assert "cell B2 is a formula without a value" in looked.problems[2][0].remedy
    assert "cell D3" in looked.problems[3][0].remedy


def titled(sheet: Any) -> None:
    """Three rows of title and two columns to the left."""
    sheet.insert_rows(1, 3)
    sheet["A1"] = "Orders of the night"
    sheet.insert_cols(1, 2)


@pytest.mark.fault("X06")
def test_a_range_is_the_part_of_a_sheet_that_is_read(tmp_path: Path) -> None:
    """Addresses, marks and zeros stay those of the sheet; what lies outside is not looked at."""

    def change(sheet: Any) -> None:
        titled(sheet)
        sheet["A6"] = "see below"
        sheet["D7"] = "#N/A"
        sheet["L6"] = "beyond"
        sheet["C6"].number_format, sheet["C6"].value = "0000000", 1
        sheet["C8"], sheet["D8"] = "Total", 30

    rows = [good(1), good(2), good(3)]
    looked = of_sheet(tmp_path, change, *rows, input='range = "C4:J7"')
    assert looked.rows == [5, 6, 7]
    assert looked.documents[1]["order_id"] == "0000001"
    assert looked.rules == {7: [("amount", "error-cell")]}
    assert "cell D7" in looked.problems[7][0].remedy


@pytest.mark.fault("X06")
def test_a_range_in_the_wrong_row_is_told_the_right_one(tmp_path: Path) -> None:
    """Found by looking."""
    refusal = of_sheet(tmp_path, titled, good(1), input='range = "C2:J"').refusal
    assert 'say range = "C4:J" in [input]' in refusal
    assert of_sheet(tmp_path, titled, good(1), input='range = "C4:J"').rows == [5]


@pytest.mark.fault("X06")
def test_a_header_or_a_sheet_that_is_elsewhere_is_told(tmp_path: Path) -> None:
    """The row, the sheet, or the first of two tables side by side."""
    assert (
        "say header_row = 4 in [input]" in of_sheet(tmp_path, titled, good(1)).refusal
    )

    def cover(sheet: Any) -> None:
        titled(sheet)
        sheet.parent.create_sheet("Cover", 0)["A1"] = "The cover"

    refusal = of_sheet(tmp_path, cover, good(1)).refusal
    assert 'say sheet = "Orders" and header_row = 4 in [input]' in refusal
    refusal = of_sheet(tmp_path, cover, good(1), input='sheet = "Cover"').refusal
    assert 'say sheet = "Orders" and header_row = 4 in [input]' in refusal
    how = 'sheet = "Orders"\nheader_row = 4'
    assert of_sheet(tmp_path, cover, good(1), input=how).rows == [5]

    def twice(sheet: Any) -> None:
        for at, name in enumerate(HEADER, 10):
            sheet.cell(1, at, name)
            sheet.cell(2, at, "old")

    refusal = of_sheet(tmp_path, twice, good(1)).refusal
    assert 'say range = "A1:H" in [input]' in refusal
    assert of_sheet(tmp_path, twice, good(1), input='range = "A1:H"').rows == [2]
