"""Rejects through LibreOffice and back, of every kind of input: zeros, Thai and Japanese are kept,
the rest comes back as it was, and what is corrected goes once.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import shutil
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batchpay.reports.sendback import WRONG
from tests.world import Market, order

if os.environ.get("BATCHPAY_UI") != "1":
    pytest.skip(
        "make test-ui sends rejects through LibreOffice", allow_module_level=True
    )

from tests.ui.test_sheets import converted, profile

__all__ = ["profile"]
DECLINED = "tokn_test_sandbox000040011"
ROWS = [
    order(1, order_id="0000001"),
    order(2, order_id="0000002", amount="100.255", invoice="ร้านกาแฟ 0066"),
    order(3, order_id="0000003", card=DECLINED, invoice="=大阪"),
    order(4, order_id="0000004", recipient="acct_1", invoice="-1"),
]
# comma, quote, UTF-8: what a person chooses where LibreOffice asks
FILTERS = {"csv": "csv:Text - txt - csv (StarCalc):44,34,76"}
SETTINGS = {"orders.xlsx": "header_row = 3", "orders.csv": 'encoding = "cp874"'}


def _write(path: Path) -> None:
    """The orders in the form of the file's name."""
    rows = ROWS
    if path.suffix == ".csv":  # Thai Windows knows no Japanese
        rows = [
            {**row, "invoice": row["invoice"].replace("大阪", "กขค")} for row in ROWS
        ]
    if path.suffix == ".parquet":
        table = pa.Table.from_pylist(rows).append_column(
            "day", pa.array([dt.date(2026, 11, 24)] * len(rows))
        )
        pq.write_table(table, path)
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        book.active.title = "ご注文"
        book.active.append(["ยอดขาย 日次"])
        book.active.append([])
        book.active.append(list(rows[0]))
        for at, row in enumerate(rows, 4):
            book.active.append([*row.values()])
            book.active.cell(at, 6).data_type = "s"  # a text, whatever it begins with
            book.active.cell(at, 1, int(row["order_id"])).number_format = "0000000"
            book.active.cell(at, 2, float(row["amount"])).number_format = "#,##0.00"
        book.save(path)
    else:
        with path.open("w", encoding="cp874", newline="") as file:
            writer = csv.DictWriter(
                file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ","
            )
            writer.writeheader()
            writer.writerows(rows)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("name", ["orders.xlsx", "orders.csv", "orders.parquet"])
def test_rejects_come_back_through_libreoffice(
    market: Market, profile: Path, name: str, form: str
) -> None:
    """The workbook opened and saved, as a workbook or as CSV: the same rejects; corrected, once
    each.
    """
    _write(market.folder / name)
    more = '[report]\nformats = ["csv", "json", "xlsx"]'
    market.job(file=name, input=SETTINGS.get(name, ""), more=more)
    assert market.run().returncode == 10
    assert market.outcomes() == {"succeeded": 1, "rejected": 2, "declined": 1}
    (rejects,) = (market.folder / "reports").glob("*/rejects.xlsx")
    converted(profile, rejects, FILTERS.get(form, form), market.folder / "saved")
    saved = market.folder / "saved" / f"rejects.{form}"
    again = market.run("--input", str(saved))
    assert again.returncode == 10, again.stderr
    assert market.posts() == 2, "nothing of it was sent"
    (second,) = set((market.folder / "reports").glob("*/rejects.xlsx")) - {rejects}
    assert _told(second)["0000002"] == _told(rejects)["0000002"]
    assert set(_told(second)) == {"0000002", "0000004"}, (
        "the declined one is a duplicate"
    )
    fixed = market.folder / f"fixed.{form}"
    _correct(saved, fixed)
    result = market.run("--input", str(fixed))
    assert market.money() == dict.fromkeys([f"{n:07d}" for n in (1, 2, 3, 4)], 1), (
        result.stderr
    )
    sent = {c["metadata"]["order_id"]: c for c in market.sandbox.charges() if c["paid"]}
    assert sent["0000002"]["metadata"]["invoice"] == "ร้านกาแฟ 0066"
    assert sent["0000003"]["metadata"]["invoice"] in ("=大阪", "=กขค")
    assert sent["0000004"]["metadata"]["invoice"] == "-1"


def _told(path: Path) -> dict[str, tuple[list[object], set[str]]]:
    """Order id -> its cells with the amount as a number, and which are in colour."""
    found = {}
    sheet = openpyxl.load_workbook(path).active
    for line in sheet.iter_rows():
        if str(line[0].value).startswith("0000"):
            cells = [str(cell.value) for cell in line[:6]]
            wrong = {
                cell.column_letter for cell in line if cell.fill.fgColor.rgb == WRONG
            }
            found[str(line[0].value)] = ([*cells], wrong)
    return found


def _correct(saved: Path, fixed: Path) -> None:
    right = {"0000002": (2, "100.25"), "0000003": (5, "tokn_test_sandbox000054242")}
    right["0000004"] = (4, "recp_test_sandbox4")
    if saved.suffix == ".csv":
        rows = list(csv.reader(saved.read_text("utf-8").splitlines(keepends=True)))
        for row in rows:
            if row[0] in right:
                column, text = right[row[0]]
                row[column - 1] = text
        with fixed.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
        return
    shutil.copy(saved, fixed)
    book = openpyxl.load_workbook(fixed)
    for line in book.active.iter_rows():
        if line[0].value in right:
            column, text = right[line[0].value]
            line[column - 1].value = text
    book.save(fixed)
