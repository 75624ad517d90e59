"""Every refusal of the corpus of bad files is the right one, and doing what it says is success."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.badfiles import HEADER, NOTES, ROWS, Bad, all_of_them, book_of, text_of
from tests.readers.files import look

BAD = all_of_them()
_SETTING = r'(header_row = \d+|(?:delimiter|encoding|sheet|range) = "[^"]+")'


def test_the_corpus_is_no_smaller_than_it_was() -> None:
    """And holds each kind that is told of."""
    assert len(BAD) >= 300
    assert len({bad.kind for bad in BAD}) >= 40


@pytest.mark.fault("X01", "X06", "X19")
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.kind}-{bad.name}")
def test_what_a_refusal_says_is_done_and_leads_to_success(
    tmp_path: Path, bad: Bad
) -> None:
    """By one who has nothing but the sentence."""
    how = {"input": bad.input, "order_id": f'"{bad.order_id}"'}
    refusal = look(tmp_path, bad.name, bad.data, **how).refusal
    assert bad.says in refusal, refusal
    assert done(tmp_path, bad, refusal) == ROWS


def done(folder: Path, bad: Bad, refusal: str) -> int:
    """Rows without a problem after what the sentence says."""
    name, data, how, order_id = bad.name, bad.data, bad.input, bad.order_id
    settings = re.findall(
        r'(header_row = \d+|(?:delimiter|encoding|sheet|range) = "[^"]+")', refusal
    )
    if found := re.search(r"give it the name ([^ ,;]+)", refusal):
        name = found[1]
    for setting in settings:
        key = setting.partition(" ")[0]
        kept = [line for line in how.splitlines() if not line.startswith(f"{key} ")]
        how = "\n".join([*kept, setting])
    if "press Enter behind it" in refusal:
        data += b"\n"
    if "write a row with the names of its columns above it" in refusal:
        data = with_names(bad)
    if "write all of them into row 2" in refusal:
        data = in_one_row(bad)
    if "replace ', ' by ','" in refusal:
        data = data.replace(b", ", b",")
    if "replace “ and ” by" in refusal:
        data = data.replace("“".encode(), b'"').replace("”".encode(), b'"')
    if 'the first and the last " off' in refusal:
        lines = data.decode().splitlines()
        bare = "".join(f"{line[1:-1]}\n" for line in lines)
        data = bare.replace('""', '"').encode()
    if "replace ' by \"" in refusal:
        data = data.replace(b"'", b'"')
    if "delete that row" in refusal:
        note = NOTES[bad.kind.rpartition("-")[2]]
        data = text_of(note).encode() if name.endswith("csv") else book_of(note)
    if "write quotes inside a cell twice" in refusal and "make one row" in refusal:
        note = NOTES[bad.kind.rpartition("-")[2]].encode()
        data = data.replace(b'"' + note, b'"""' + note + b'"')
        data = data.replace(b"," + note + b'"', b',"' + note + b'"""')
    if "is nearly their header" in refusal:
        book = openpyxl.load_workbook(io.BytesIO(data))
        book["Orders"]["B1"] = "amount"
        sink = io.BytesIO()
        book.save(sink)
        data = sink.getvalue()
    if "in Excel as CSV UTF-8" in refusal:
        data = text_of("x").encode("utf-8-sig")
    if found := re.search("it has '([^']+)'; the difference: a line break", refusal):
        order_id = found[1]
    is_as_it_was = (name, data, order_id) == (bad.name, bad.data, bad.order_id)
    if not settings and is_as_it_was:
        # what another program does: it is opened there and saved, exported, or unpacked
        note = NOTES[bad.kind.rpartition("-")[2]]
        if "unpack it" in refusal or ".csv or .xlsx" in refusal:
            name, data = "orders.csv", text_of(note).encode()
        else:
            assert ".xlsx" in refusal, refusal
            name, data = "orders.xlsx", book_of(note, named(bad.order_id))
    looked = look(folder, name, data, input=how, order_id=f'"{order_id}"')
    assert looked.refused == [], looked.refused
    assert {*HEADER[1:], order_id.replace("\\n", "\n")} <= set(looked.cells)
    return len(looked.rows) - len(looked.problems)


def with_names(bad: Bad) -> bytes:
    """A file with the row above its first that it lacks."""
    if bad.name.endswith(".csv"):
        return f"{','.join(HEADER)}\n".encode() + bad.data
    book = openpyxl.load_workbook(io.BytesIO(bad.data))
    sheet = book["Orders"]
    sheet.insert_rows(1)
    for column, name in enumerate(HEADER, 1):
        sheet.cell(1, column, name)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def in_one_row(bad: Bad) -> bytes:
    """A file whose names all stand in its second row."""
    if bad.name.endswith(".csv"):
        lines = bad.data.split(b"\n")
        return b"\n".join([lines[0], ",".join(HEADER).encode(), *lines[2:]])
    book = openpyxl.load_workbook(io.BytesIO(bad.data))
    sheet = book["Orders"]
    for cells in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(cells))
    for column, name in enumerate(HEADER, 1):
        sheet.cell(2, column, name)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def named(order_id: str) -> Callable[[Any], None]:
    """A change of a sheet that gives its first column this name."""

    def change(sheet: Any) -> None:
        sheet["A1"] = order_id

    return change


@pytest.mark.fault("X01", "X19")
@pytest.mark.parametrize("name", ["orders.csv", "orders.xlsx"])
def test_a_header_that_is_above_an_order_that_is_paid_by_token(
    tmp_path: Path, name: str
) -> None:
    """The row that holds the names is told, and no token."""
    token = "tokn_test_5xuy4w91xqz7d1w9u0"
    if name.endswith("csv"):
        data = text_of("x").replace("cust_test_", token).encode()
    else:

        def paid_by_token(sheet: Any) -> None:
            for row in range(2, ROWS + 2):
                sheet.cell(row, 5, f"{token}{row}")

        data = book_of("x", paid_by_token)
    how = {"customer": "", "card": '"customer"'}
    refusal = look(tmp_path, name, data, input="header_row = 2", **how).refusal
    assert "say header_row = 1 in" in refusal and token not in refusal
    looked = look(tmp_path, name, data, input="header_row = 1", **how)
    assert len(looked.rows) == ROWS and not looked.problems
