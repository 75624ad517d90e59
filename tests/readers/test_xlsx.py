"""Excel: what the sheet stores, as text; bombs, links and macros are weighed or left alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchpay.readers import xlsx
from tests.readers.kit import HEADER, cells_of, row, said


def workbook(*rows: list[Any], header: tuple[str, ...] = HEADER, change: Callable[[Any], None] | None = None) -> bytes:
    """One sheet of rows; `change` may do anything to the workbook before it is written."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Orders"
    for cells in (list(header), *rows):
        sheet.append(cells)
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None) -> bytes:
    """The same package with its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, part in (extra or {}).items():
            new.writestr(name, part)
    return out.getvalue()


def refused(folder: Path, data: bytes, more: str = "") -> str:
    """Why the file is refused with 65."""
    found = said(folder, data, "orders.xlsx", more)
    assert found.exit_code == 65, found
    return found.refusal


def test_rows_keep_their_numbers(tmp_path: Path) -> None:
    """A blank row in between is skipped and counted."""
    found = said(tmp_path, workbook(row(1), [], row(2, amount="x")), "orders.xlsx")
    assert (found.rows, list(found.problems)) == (2, [4])


@pytest.mark.fault("X09", "X17")
def test_numbers_dates_and_truths_become_text(tmp_path: Path) -> None:
    """1234.5 whatever the format shows; ISO dates; no .0."""
    cells = [1234.5, 100, 0.1, True, datetime(2026, 2, 28), datetime(2026, 2, 28, 13, 45), "0012"]
    header = tuple("abcdefg")
    (found,) = cells_of(tmp_path, workbook(cells, header=header), "t.xlsx", header)
    assert found == ["1234.5", "100", "0.1", "true", "2026-02-28", "2026-02-28T13:45:00", "0012"]


@pytest.mark.fault("X17")
def test_more_digits_than_a_sheet_keeps_are_rejected(tmp_path: Path) -> None:
    """The sheet had rounded them before anybody looked; as text they are right."""
    found = said(tmp_path, workbook(row(1, order_id=12345678901234567), row(2)), "orders.xlsx")  # type: ignore[arg-type]
    assert found.rules() == {2: ["number-not-exact"]}


@pytest.mark.fault("X17")
def test_formulas_and_error_cells(tmp_path: Path) -> None:
    """A formula without a value and an error are rejected, in the columns that matter."""
    found = said(tmp_path, workbook(row(1, amount="=1+1"), row(2), row(3, note="=NA()")), "orders.xlsx")
    assert found.rules()[2][0] == "formula-without-value" and 3 not in found.problems

    def error(book: Any) -> None:
        cell = book["Orders"]["B2"]
        cell.value, cell.data_type = "#DIV/0!", "e"

    found = said(tmp_path, workbook(row(1), row(2), change=error), "orders.xlsx")
    assert found.rules()[2][0] == "error-cell"


@pytest.mark.fault("X17")
def test_hidden_and_merged_and_several_sheets(tmp_path: Path) -> None:
    """Hidden rows are read and told; of two filled sheets one must be named; a hidden one is not chosen by itself."""

    def hide(book: Any) -> None:
        book["Orders"].row_dimensions[2].hidden = True
        book["Orders"].merge_cells("F2:F3")
        other = book.create_sheet("Old")
        other.append(["x"])
        other.sheet_state = "hidden"

    found = said(tmp_path, workbook(row(1), row(2), change=hide), "orders.xlsx")
    assert found.rows == 2 and any("hidden rows" in w for w in found.warnings)
    assert any("'Old'" in w for w in found.warnings) and any("merged" in w for w in found.warnings)

    def second(book: Any) -> None:
        book.create_sheet("Other").append(["x"])

    data = workbook(row(1), change=second)
    assert "sheet =" in refused(tmp_path, data)
    assert said(tmp_path, data, "orders.xlsx", 'sheet = "Orders"').exit_code == 0
    assert "did you mean 'Orders'" in refused(tmp_path, data, 'sheet = "orders"')


@pytest.mark.fault("X17")
def test_a_million_empty_formatted_rows_are_no_rows(tmp_path: Path) -> None:
    """A sheet that says it is endless."""
    data = repacked(
        workbook(row(1)),
        lambda name, part: part.replace(b"</sheetData>", b'<row r="1048576"><c r="A1048576" s="1"/></row></sheetData>')
        if name.endswith("sheet1.xml") else part,
    )  # fmt: skip
    assert said(tmp_path, data, "orders.xlsx").rows == 1


@pytest.mark.fault("X17")
def test_bombs_are_weighed_before_they_are_unpacked(tmp_path: Path) -> None:
    """By the size a part declares and by its ratio."""
    data = repacked(workbook(row(1)), lambda name, part: part, {"xl/media/x.xml": b" " * 300_000_000})
    assert "100 times" in refused(tmp_path, data)


@pytest.mark.fault("X17")
@pytest.mark.parametrize("declaration", [
    b'<!DOCTYPE x [<!ENTITY a "b">]>', b'<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
])  # fmt: skip
def test_no_declaration_is_followed(tmp_path: Path, declaration: bytes) -> None:
    """Entities and document types: no spreadsheet writes them."""

    def declare(name: str, part: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return part
        at = part.find(b"<worksheet")
        return part[:at] + declaration + part[at:]

    assert "document type" in refused(tmp_path, repacked(workbook(row(1)), declare))


@pytest.mark.fault("X17", "X20")
def test_other_things_that_call_themselves_xlsx(tmp_path: Path) -> None:
    """Old .xls, a password, a path out of the package, a cut file, a file without its directory."""
    assert "password" in refused(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)
    assert "path" in refused(tmp_path, repacked(workbook(row(1)), lambda name, part: part, {"../evil.xml": b"<x/>"}))
    data = workbook(row(1))
    for cut in (100, len(data) // 2, len(data) - 30):
        refused(tmp_path, data[:cut])
    assert said(tmp_path, data, "orders.csv").exit_code == 65


@pytest.mark.fault("X17")
def test_macros_and_links_are_told_or_ignored(tmp_path: Path) -> None:
    """Never run, never followed."""
    data = repacked(workbook(row(1)), lambda name, part: part, {"xl/vbaProject.bin": b"x" * 100})
    found = said(tmp_path, data, "orders.xlsx")
    assert found.exit_code == 0 and any("macros" in w for w in found.warnings)


@pytest.mark.fault("X26")
def test_a_card_number_as_a_number_is_found(tmp_path: Path) -> None:
    """A sheet that made a number of it."""
    found = said(tmp_path, workbook(row(1, note=4111111111111111)), "orders.xlsx")  # type: ignore[arg-type]
    assert "card-number" in found.rules()[2]


VALUE = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029\ufffe\uffff"))
    .filter(lambda text: not text.startswith("=") and "_x" not in text),
    st.integers(-(10**12), 10**12), st.booleans(), st.none(), st.floats(-1e6, 1e6).map(lambda f: round(f, 4)),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(VALUE, min_size=2, max_size=2), min_size=1, max_size=10))
def test_both_libraries_read_the_same(tmp_path: Path, rows: list[list[Any]]) -> None:
    """calamine at once, openpyxl row by row."""
    data = workbook(*(["k", *cells] for cells in rows), header=("k", "a", "b"))
    at_once = cells_of(tmp_path, data, "t.xlsx", list("kab"))
    before = xlsx.DENSE_LIMIT
    try:
        xlsx.DENSE_LIMIT = 0
        assert cells_of(tmp_path, data, "t.xlsx", list("kab")) == at_once
    finally:
        xlsx.DENSE_LIMIT = before
    assert len(at_once) == len(rows)
