"""What the program asks people to send back is read by the job that made it, whatever programs did
to it on the way.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from batchpay.domain.lineage import NAMING, told_id
from batchpay.lifecycle.places import place_of
from tests.readers.files import HEADER, Looked, look, row, text_of
from tests.readers.test_parquet import packed, table
from tests.readers.test_xlsx import book, good
from tests.world import Market, order

BATCH = "2025-11-24-0123456789ab"
OURS = (
    "batchpay_batch",
    "batchpay_row",
    "batchpay_sheet",
    "batchpay_outcome",
    "batchpay_reason",
    "batchpay_retry",
    "batchpay_id",
    "batchpay_defused",
)
NAMES = (*HEADER, *OURS)


def back(
    order_id: str, cell: str, number: int = 7, sheet: str = "", **changes: str
) -> dict[str, str]:
    """A row that comes back with this cell for its order id."""
    ours = {
        "batchpay_batch": BATCH,
        "batchpay_row": str(number),
        "batchpay_sheet": sheet,
        "batchpay_outcome": "declined",
        "batchpay_reason": "x",
        "batchpay_retry": "",
        "batchpay_id": told_id(order_id, BATCH, sheet, number),
        "batchpay_defused": "",
    }
    return row(1, order_id=cell) | ours | changes


def looked_at(folder: Path, form: str, *rows: dict[str, str], **how: Any) -> Looked:
    """Such rows in a file of this format."""
    if form == "csv":
        return look(folder, "rejects.csv", text_of(rows, NAMES), **how)
    if form == "xlsx":
        sheet = openpyxl.Workbook()
        sheet.active.append(NAMES)
        for cells in rows:
            sheet.active.append([_typed(cells[name], name) for name in NAMES])
        sink = io.BytesIO()
        sheet.save(sink)
        return look(folder, "rejects.xlsx", sink.getvalue(), **how)
    columns = {name: [cells[name] or None for cells in rows] for name in NAMES}
    return look(folder, "rejects.parquet", packed(table().from_pydict(columns)), **how)


def _typed(text: str, name: str) -> Any:
    """As a spreadsheet program keeps it: numbers are numbers."""
    return (
        float(text)
        if name in ("order_id", "batchpay_row") and text.replace(".", "").isdigit()
        else text
    )


@pytest.mark.fault("J08")
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_a_damaged_id_is_its_own_again(tmp_path: Path, form: str) -> None:
    """Zeros lost, rounded, an error, gone, a date: given back, told once a file; another id is
    another order.
    """
    looked = looked_at(
        tmp_path,
        form,
        back("0000001", "1", 2),
        back("202511240000012345", "2.02511E+17", 3),
        back("A4", "#REF!", 4),
        back("A5", "", 5),
        back("3-1", "2025-03-01", 6),
        back("A7", "A7", 7),
        back("A8", "B8", 8),
        back("", "C9", 9),
    )
    assert looked.problems == {}
    ids = [document["order_id"] for document in looked.documents]
    assert ids == ["0000001", "202511240000012345", "A4", "A5", "3-1", "A7", "B8", "C9"]
    told = [note for note in looked.notes if "came back damaged" in note]
    assert len(told) == 1
    assert told[0].startswith(
        "rows 2, 3, 4, 5, 6: the order ids came back damaged by a program; batchpay_id says"
    )


@pytest.mark.fault("J08")
def test_what_a_sheet_made_of_an_id_is_forgiven_with_it(tmp_path: Path) -> None:
    """A rounded number, an error cell, a date cell; the same in a row that truly is another order
    stays rejected.
    """
    given = [
        back("123456789012345678", "x", 2),
        back("A3", "A3", 3),
        back("3-1", "x", 4),
        back("B5", "B6", 5),
    ]
    book_ = openpyxl.Workbook()
    book_.active.append(NAMES)
    for cells in given:
        book_.active.append([cells[name] for name in NAMES])
    book_.active["A2"] = 123456789012345678.0
    book_.active["A3"] = "#N/A"
    book_.active["A3"].data_type = "e"
    book_.active["A4"] = dt.date(2025, 3, 1)
    book_.active["F4"] = 9.12345678901234567
    sink = io.BytesIO()
    book_.save(sink)
    looked = look(tmp_path, "rejects.xlsx", sink.getvalue())
    assert [document.get("order_id") for document in looked.documents] == [
        "123456789012345678",
        "A3",
        "3-1",
        "B6",
    ]
    assert set(looked.problems) == {4}  # its note


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    "damage",
    ["", "id:0000001", "id:0000002:00000000", "0000001", "'id:0000001:1da5f322x"],
)
def test_a_damaged_batchpay_id_gives_nothing_back(tmp_path: Path, damage: str) -> None:
    """What the cell holds stays as it is, and the row is rejected: nothing tells any more which one
    it was.
    """
    looked = looked_at(
        tmp_path,
        "csv",
        back("0000001", "1", batchpay_id=damage),
        back("A2", "nan", batchpay_id=damage),
    )
    assert looked.documents[0]["order_id"] == "1"
    assert looked.rules == {
        2: [("batchpay_id", "torn-row")],
        3: [("order_id", "not-a-number"), ("batchpay_id", "torn-row")],
    }
    assert not [
        note for note in looked.notes if "came back" in note and "damaged" in note
    ]


@pytest.mark.fault("J08")
def test_an_id_that_is_made_of_several_cells_is_not_given_back(tmp_path: Path) -> None:
    """Which of its cells was damaged nobody can say; a text made of the id column has the mended
    one.
    """
    of_two = '{ template = "{extra}-{order_id}" }'
    looked = looked_at(
        tmp_path, "csv", back("N-0000001", "1", extra="N"), order_id=of_two
    )
    assert looked.documents[0]["order_id"] == "N-1"
    text = '{ template = "order {order_id}" }'
    looked = looked_at(tmp_path, "csv", back("0000001", "1"), description=text)
    assert looked.documents[0]["description"] == "order 0000001"


# --- which row it was


def corrected(
    folder: Path, *rows: dict[str, str], names: tuple[str, ...] = NAMES
) -> dict[int, str]:
    """Row number -> the place it came back for."""
    from contextlib import ExitStack

    from batchpay.intake.take_in import take_in
    from tests.readers.files import job

    (folder / "rejects.csv").write_text(text_of(rows, names))
    found: dict[int, str] = {}

    def keep(intake: Any, chunks: Any) -> None:
        for judged in chunks:
            found.update(
                {judged.chunk.rows[at]: place for at, place in judged.corrects.items()}
            )

    with ExitStack() as stack:
        take_in(job(folder, "rejects.csv"), stack, lambda sha256: sha256, keep)
    return found


def test_a_row_says_which_one_it_corrects(tmp_path: Path) -> None:
    """Batch, sheet and row as they were told; also where the order has no id yet, or another one
    now.
    """
    rows = (
        back("A1", "A1", 7),
        back("", "A2", 8, "Orders"),
        back("A3", "B3", 9),
        row(4) | dict.fromkeys(OURS, ""),
    )
    assert corrected(tmp_path, *rows) == {
        2: place_of(BATCH, "", 7),
        3: place_of(BATCH, "Orders", 8),
        4: place_of(BATCH, "", 9),
    }
    without_sheet = tuple(name for name in NAMES if name != "batchpay_sheet")
    assert corrected(tmp_path, back("A1", "A1", 7), names=without_sheet) == {
        2: place_of(BATCH, "", 7)
    }


@pytest.mark.parametrize(
    "damage",
    [
        {"batchpay_row": "8"},
        {"batchpay_row": ""},
        {"batchpay_row": "7 Nov"},
        {"batchpay_row": "#REF!"},
        {"batchpay_batch": "2025-11-25-0123456789ac"},
        {"batchpay_batch": "45985"},
        {"batchpay_batch": ""},
        {"batchpay_sheet": "Other"},
        {"batchpay_id": ""},
        {"batchpay_id": "id:A2:00000000"},
    ],
)
@pytest.mark.fault("J07", "J08")
def test_a_row_whose_place_was_damaged_is_rejected(
    tmp_path: Path, damage: dict[str, str]
) -> None:
    """As an order like any other it would be charged beside the one that it corrects."""
    rows = (back("A1", "A1", 7, **damage), back("A2", "A2", 9))
    assert corrected(tmp_path, *rows) == {3: place_of(BATCH, "", 9)}
    assert looked_at(tmp_path, "csv", *rows).rules == {2: [("batchpay_id", "torn-row")]}


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    "harmless",
    [
        {"batchpay_row": "1007.0"},
        {"batchpay_row": "1007,00"},
        {"batchpay_row": "1,007"},
        {"batchpay_row": "1.007,0"},
        {"batchpay_row": " 1 007 "},
        {"batchpay_batch": f" {BATCH.upper()}\u00a0"},
        {"batchpay_sheet": " "},
        {"batchpay_id": told_id("A1", BATCH, "", 1007).upper() + " "},
    ],
)
def test_what_does_no_harm_to_a_row_that_came_back_is_undone(
    tmp_path: Path, harmless: dict[str, str]
) -> None:
    """How a program shows a number, blanks around, another case."""
    rows = (back("A1", "A1", 1007, **harmless),)
    assert corrected(tmp_path, *rows) == {2: place_of(BATCH, "", 1007)}
    assert looked_at(tmp_path, "csv", *rows).problems == {}


def test_a_row_with_nothing_of_ours_is_an_order_like_any_other(tmp_path: Path) -> None:
    """So another sale is sent: all that named the row is cleared."""
    rows = (
        back("A1", "B1", 7, **dict.fromkeys(NAMING, "")),
        back("A2", "B2", 8, **dict.fromkeys(NAMING, " ")),
    )
    assert corrected(tmp_path, *rows) == {}
    assert looked_at(tmp_path, "csv", *rows).problems == {}


def test_a_file_without_our_columns_corrects_nobody(tmp_path: Path) -> None:
    """Older files of ours, and everybody's."""
    assert corrected(tmp_path, back("A1", "A1"), names=HEADER) == {}
    assert (
        corrected(
            tmp_path,
            back("A1", "A1"),
            names=tuple(n for n in NAMES if n != "batchpay_id"),
        )
        == {}
    )


# --- how the file is written

SETTINGS = {
    "as it is": "",
    "header lower": "header_row = 3",
    "semicolons": 'delimiter = ";"',
    "another encoding": 'encoding = "cp874"',
    "a sheet": 'sheet = "Orders"',
    "all": 'header_row = 3\ndelimiter = ";"\nencoding = "cp874"\nsheet = "Orders"',
}


@pytest.mark.fault("J08", "X06")
@pytest.mark.parametrize("settings", SETTINGS)
def test_a_rejects_file_is_known_whatever_the_job_says_of_inputs(
    tmp_path: Path, settings: str
) -> None:
    """As we write it for a workbook, in UTF-8 with its mark and commas; and saved anew by a
    spreadsheet program.
    """
    text = text_of([back("0000001", "1", note="ก้")], NAMES)
    given = SETTINGS[settings]
    forms = {
        "rejects.csv": "\ufeff" + text,
        "excel.csv": "\ufeff" + text.replace(",", ";").replace("\n", "\r\n"),
    }
    for name, form in forms.items():
        looked = look(tmp_path, name, form, input=given)
        assert (looked.refused, looked.rows) == ([], [2]), name
        assert looked.documents[0]["order_id"] == "0000001"
        assert looked.documents[0]["description"] == "ก้"
    assert looked_at(tmp_path, "xlsx", back("0000001", "1"), input=given).rows == [2]


def test_other_files_are_read_as_the_job_says(tmp_path: Path) -> None:
    """One column of ours is not enough, nor is a sheet of another name; title rows are left
    alone.
    """
    titled = "title\n\n" + text_of([row(1)])
    assert look(tmp_path, "orders.csv", titled, input="header_row = 3").rows == [4]
    one = text_of([row(1) | {"batchpay_row": "7"}], (*HEADER, "batchpay_row"))
    assert (
        "header_row = 1"
        in look(tmp_path, "orders.csv", one, input="header_row = 3").refusal
    )
    assert (
        "has no sheet 'Other'"
        in look(tmp_path, "orders.xlsx", book(good(1)), input='sheet = "Other"').refusal
    )
    assert (
        "say header_row = 1"
        in look(tmp_path, "orders.xlsx", book(good(1)), input="header_row = 9").refusal
    )


@pytest.mark.fault("J08", "X06")
@pytest.mark.parametrize(
    "settings, back",
    [
        ("header_row = 3", "back.csv"),
        ('header_row = 3\nsheet = "Orders"\nencoding = "cp874"', "back.csv"),
        ('header_row = 3\nsheet = "Orders"', "back.xlsx"),
    ],
)
def test_a_workbook_with_titles_comes_back_through_the_program(
    market: Market, settings: str, back: str
) -> None:
    """Declined, corrected in rejects.xlsx, by a person who types the id as a number, or saves it as
    CSV on the way, charged: once each.
    """
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Orders"
    rows = [
        order(1, order_id="0000001"),
        order(2, order_id="0000002", card="tokn_test_sandbox000040011"),
    ]
    for cells in [
        ["Orders of the day"],
        [],
        list(rows[0]),
        *(list(cells.values()) for cells in rows),
    ]:
        sheet.append(cells)
    workbook.save(market.folder / "orders.xlsx")
    market.job(file="orders.xlsx", input=settings)
    assert market.run().returncode == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.xlsx")
    book = openpyxl.load_workbook(rejects)
    *titles, head, row = (
        [cell.value or "" for cell in line] for line in book.active.iter_rows()
    )
    assert [line[0] for line in titles] == ["Orders of the day", ""]
    cells = dict(zip(head, row, strict=True))
    assert (cells["order_id"], cells["batchpay_row"], cells["batchpay_sheet"]) == (
        "0000002",
        "5",
        "Orders",
    )
    cells |= {"order_id": "2", "card": "tokn_test_sandbox000044242"}
    if back.endswith("xlsx"):
        book.active.cell(4, head.index("order_id") + 1, 2)
        book.active.cell(4, head.index("card") + 1, cells["card"])
        book.save(market.folder / back)
    else:
        _write_back(market.folder / back, cells)
    result = market.run("--input", back)
    assert result.returncode == 0, result.stderr
    assert market.money() == {"0000001": 1, "0000002": 1}


def _write_back(path: Path, cells: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(cells))
        writer.writeheader()
        writer.writerow(cells)


REASONS = {
    2: "row: found 'A,25,200.00' (ragged-row); line 3: 8 cells where the header has 7",
    3: "行: 'A\"x' でした (quote)。引用符",
    4: "amount: found '10.00 THB' (total-row); it is the last amount",
    5: "note: is empty (formula-without-value); cell F4 is a formula",
    6: "note: found 'skey_***' (secret-key); remove it",
}


STRUCK = "order_id: found 'A2' (struck-through); remove the strike"


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("retry", "is_left"), [("", True), ("no", True), ("YES", False)]
)
def test_a_row_that_was_struck_through_needs_a_word_where_no_strike_shows(
    tmp_path: Path, form: str, retry: str, *, is_left: bool
) -> None:
    """A workbook of rejects that was saved as text has lost it."""
    came = back("A2", "A2", batchpay_reason=STRUCK, batchpay_retry=retry)
    looked = looked_at(tmp_path, form, came)
    expected = {2: [("batchpay_retry", "struck-through")]} if is_left else {}
    assert looked.rules == expected


@pytest.mark.parametrize(
    ("retry", "strike", "is_left"),
    [("", True, True), ("yes", True, False), ("", False, False)],
)
def test_a_strike_that_comes_back_in_a_workbook_is_seen(
    tmp_path: Path, retry: str, *, strike: bool, is_left: bool
) -> None:
    """Taken off, or told in so many words that it means nothing."""
    cells = back("A2", "A2", batchpay_reason=STRUCK, batchpay_retry=retry)
    sheet = openpyxl.Workbook()
    sheet.active.append(NAMES)
    sheet.active.append([cells[name] for name in NAMES])
    sheet.active["A2"].font = Font(strike=strike)
    sink = io.BytesIO()
    sheet.save(sink)
    looked = look(tmp_path, "rejects.xlsx", sink.getvalue())
    assert looked.rules == ({2: [("row", "struck-through")]} if is_left else {})


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"batchpay_retry": ""}, {2, 3, 4, 5, 6}),
        ({"batchpay_retry": " Yes"}, {2, 3, 4, 5, 6}),  # no yes
        ({"batchpay_retry": "YES"}, {6}),
        ({"note": "whole"}, {2, 3, 4}),
    ],
)
def test_a_fault_that_cells_do_not_show_is_told_again(
    tmp_path: Path, form: str, changes: dict[str, str], left: set[int]
) -> None:
    """Until somebody says that it is put right: else 25.00 would be charged for 25,200.00."""
    rows = []
    for number, why in REASONS.items():
        ours = {"batchpay_outcome": "rejected", "batchpay_reason": why}
        ours["note"] = "skey_***" if "secret-key" in why else ""
        rows.append(back(f"A{number}", f"A{number}", number) | ours | changes)
    looked = looked_at(tmp_path, form, *rows)
    assert set(looked.problems) == left
    if left == {2, 3, 4, 5, 6} and not changes["batchpay_retry"]:
        rules = {row: found[0][1] for row, found in looked.rules.items()}
        assert rules == {
            2: "ragged-row",
            3: "quote",
            4: "total-row",
            5: "formula-without-value",
            6: "secret-key",
        }
