"""report.xlsx and rejects.xlsx, read back: typed cells, nothing but our formulas, and sums that
agree with every other file.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from batchpay.domain.errors import CannotWrite
from batchpay.domain.money import to_minor
from batchpay.messages import labels
from batchpay.reconciliation.totals import Totals
from batchpay.reports import workbook as forms
from batchpay.reports import write_reports
from batchpay.reports.pivots import checks, pivots_of
from batchpay.reports.sheets import major
from batchpay.reports.words import Words
from tests.nights_told import CHARGED, ROWS, night
from tests.test_reports import NAMES


def written(folder: Path, **changes: Any) -> dict[str, list[list[Any]]]:
    """Every sheet's cells; of a formula what it comes to."""
    write_reports(folder, night(**changes))
    book = openpyxl.load_workbook(folder / "report.xlsx", data_only=True)
    return {sheet.title: [list(row) for row in sheet.iter_rows()] for sheet in book}


def values(sheet: list[list[Any]]) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet]


def column(sheet: list[list[Any]], name: str) -> list[Any]:
    """The cells below a heading of the first row."""
    at = [cell.value for cell in sheet[0]].index(name)
    return [row[at] for row in sheet[1:]]


def test_the_sheets_and_every_row_once(tmp_path: Path) -> None:
    """In the file's order, with what people ask about in front and the input's own columns after
    it.
    """
    sheets = written(tmp_path)
    assert tuple(sheets) == forms.SHEETS
    head = [cell.value for cell in sheets["Results"][0]]
    assert head[:8] == [
        "Row",
        "Order",
        "Outcome",
        "Reason",
        "Who acts",
        "Amount",
        "Currency",
        "Recipient",
    ]
    assert head[8:11] == ["Item", "reason", "metadata[invoice]"]
    assert [cell.value for cell in column(sheets["Results"], "Row")] == [
        r.row for r in ROWS
    ]


def test_rows_that_came_back_are_told_with_what_they_were(tmp_path: Path) -> None:
    """In a sheet of their own, and in report.json; the first hundred there."""
    change = {
        "corrects": "batch 2026-11-23-aaaaaaaaaaaa row 9",
        "changed": "amount: 9 THB -> 8 THB",
    }
    rows = [replace(ROWS[0], **change, attempts=2), *ROWS[1:]]
    made = night(rows)
    write_reports(tmp_path, made)
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx")["Came back"]
    head, *found = sheet.iter_rows(values_only=True)
    assert [dict(zip(head, row, strict=True)) for row in found] == [
        {
            "Row": 2,
            "Order": "0001",
            "Outcome": "succeeded",
            "Amount": 1234.5,
            "Currency": "THB",
            "Attempts": 2,
            "Corrects the row": change["corrects"],
            "What changed": change["changed"],
        }
    ]
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))["came_back"]
    assert told["count"] == 1
    assert told["rows"] == [
        {
            "row": 2,
            "sheet": "",
            "order_id": "0001",
            "outcome": "succeeded",
            "attempts": 2,
            **change,
        }
    ]
    assert Totals.from_json(made.totals.to_json()).came_back == {"succeeded": 1}
    assert Totals.from_json(night().totals.to_json()).came_back == {}


def test_ids_are_texts_amounts_are_numbers_and_days_are_days(tmp_path: Path) -> None:
    """With the decimals of each currency; a time is of the zone that its heading names."""
    results = written(tmp_path)["Results"]
    ids = column(results, "Order")
    assert [cell.value for cell in ids] == [row.order_id for row in ROWS]
    assert {cell.number_format for cell in ids} == {"@"}
    amounts = column(results, "Amount")
    assert [cell.number_format for cell in amounts if cell.value is not None] == [
        *["#,##0.00"] * 6,
        "#,##0",
        "#,##0.00",
    ]
    assert (amounts[0].value, amounts[6].value) == (1234.5, 5000)
    settled = column(results, "Settled (Asia/Bangkok)")
    assert settled[0].value == datetime(2026, 11, 25, 0, 0)
    assert settled[3].value is None


@pytest.mark.fault("X05")
def test_nothing_but_our_own_formulas_is_one(tmp_path: Path) -> None:
    """What a file wrote stays a text in every sheet, also where it looks like an escape."""
    write_reports(tmp_path, night())
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    found = [
        c
        for sheet in book
        for row in sheet.iter_rows()
        for c in row
        if c.data_type == "f"
    ]
    assert found
    for cell in found:
        assert cell.value.startswith(("=IF(", "=SUM(", "=SUMIFS(", "=COUNTIFS(")), cell
    kept = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert {"=1+1", "=cmd()", "+66", "@x", "-5", "'quoted", "a\\x1b[31mb"} <= kept
    assert "_x0041_" in kept or "A" not in kept


def test_the_same_journal_gives_the_same_workbook(tmp_path: Path) -> None:
    """Byte for byte, whenever it is made."""
    for folder in ("one", "two"):
        write_reports(tmp_path / folder, night())
    for name in ("report.xlsx", "rejects.xlsx"):
        assert (tmp_path / "one" / name).read_bytes() == (
            tmp_path / "two" / name
        ).read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "report.xlsx") as packed:
        assert {item.date_time[0] for item in packed.infolist()} == {1980}


def test_every_file_says_the_same_money(tmp_path: Path) -> None:
    """csv, parquet, json and the workbook: charged by currency, fees, and rows by outcome."""
    sheets = written(tmp_path)
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    from_csv = Counter[str]()
    for line in lines:
        from_csv[line["currency"]] += int(line["charged_amount"] or 0)
    from_parquet = Counter[str]()
    for row in pq.read_table(tmp_path / "results.parquet").to_pylist():
        from_parquet[row["currency"]] += row["charged_amount"] or 0
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    from_json = {one["currency"]: one["charged_minor"] for one in report["currencies"]}
    from_xlsx = Counter[str]()
    ledger = sheets["Ledger"]
    for at, amount in enumerate(column(ledger, "Charged")):
        if column(ledger, "Charge")[at].value:
            currency = column(ledger, "Currency")[at].value
            from_xlsx[currency] += to_minor(str(Decimal(str(amount.value))), currency)
    assert (
        from_csv
        == from_parquet
        == from_json
        == from_xlsx
        == {"THB": 246900, "JPY": 5000}
    )
    outcomes = Counter(line["outcome"].replace("_", " ") for line in lines)
    assert (
        Counter(cell.value for cell in column(sheets["Results"], "Outcome")) == outcomes
    )


def test_the_summary_shows_each_sum_and_that_it_holds(tmp_path: Path) -> None:
    """Formulas over Results, each beside what the journal noted; TEST stands large on top."""
    lines = values(written(tmp_path)["Summary"])
    assert lines[0][0] == str(labels.TEST())
    told = {tuple(line[:3]): line[3:] for line in lines if line[0]}
    charged = told["succeeded", str(labels.OUTCOMES_TOLD[0]()), "THB"]
    assert charged == [2, 2469, 2469, "OK"]
    assert told["Total", "rows read", "JPY"] == [1, 5000, 5000, "OK"]
    assert told["THB", "Gateway fee", "THB"][0] == 90.12
    assert told["JPY", "Gateway fee", "THB"][0] == 0.46
    assert "DIFFERS" not in {cell for line in lines for cell in line}


def test_a_sum_that_differs_from_the_journals_is_shown(tmp_path: Path) -> None:
    """By the check beside it, and by name where it has no formula."""
    made = night()
    made.totals.sums["THB", "succeeded"] += 1
    made.totals.fees["THB", "THB", "vat"] += 1
    write_reports(tmp_path, made)
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", data_only=True)
    lines = [[cell.value for cell in row] for row in book["Summary"].iter_rows()]
    wrong = [line for line in lines if line[6] == "DIFFERS"]
    assert [line[0] for line in wrong] == ["succeeded"]
    assert any(
        str(line[0]).startswith("DIFFERS: VAT on fee THB: 630") for line in lines
    )


def test_pivots_are_exact_beyond_any_float() -> None:
    """A thousand rows of the largest amount add up to the last satang."""
    most = 2**53 - 1
    rows = [
        replace(CHARGED, row=at, amount=most, charged_amount=most) for at in range(1000)
    ]
    made = night(rows, [["1", "", ""]] * 1000)
    pivots = pivots_of(made.findings())
    assert [int(row["amount"]) for row in pivots.outcomes.to_dict("records")] == [
        1000 * most
    ]
    assert all(check.holds for check in checks(pivots, made.totals))
    assert major(most, "THB") == Decimal("90071992547409.91")


def test_who_must_act_finds_the_row_the_reason_and_the_command(tmp_path: Path) -> None:
    """Each row once, the link of the payer, and what to type beside the job file."""
    action = written(tmp_path)["Needs action"]
    rows = {line[1]: line for line in values(action)[1:]}
    assert set(rows) == {"0003", "0004", "0005", "=1+1", "0007"}
    assert rows["0005"][7] == CHARGED.destination
    assert rows["0005"][9].startswith("https://pay.example/")
    assert rows["=1+1"][8] == (
        "batchpay resolve night.toml --as not-charged --reason 'your reason' =1+1"
    )


def test_by_recipient_and_by_code(tmp_path: Path) -> None:
    """What went to whom, the largest first, and why the rest was not charged, in plain words."""
    sheets = written(tmp_path)
    recipients = values(sheets["By recipient"])
    assert [line[:4] for line in recipients[1:]] == [
        [CHARGED.destination, "JPY", 1, 5000],
        [CHARGED.destination, "THB", 1, 1234.5],
        ["recp_test_other", "THB", 1, 1234.5],
        ["Total", "JPY", 1, 5000],
        ["Total", "THB", 2, 2469],
    ]
    codes = {line[0]: line for line in values(sheets["By code"])[1:]}
    assert (
        codes["insufficient_fund"][1]
        == "not enough money, or the card's limit is reached"
    )
    assert codes["insufficient_fund"][-1] == "yes, later or with another card"
    assert codes["number-format"][3] == "accountant"
    summary = values(sheets["Summary"])
    earned = summary.index(["What we earned", *[None] * (len(summary[0]) - 1)])
    assert [line[4] for line in summary[earned + 2 : earned + 4]] == [
        "525 JPY − 0.49 THB",
        162.82,
    ]


def test_rejects_come_as_a_workbook_of_texts(tmp_path: Path) -> None:
    """Beside the input's own form: its columns and cells, ours behind, nothing defused."""
    write_reports(tmp_path, night())
    assert (tmp_path / "rejects.csv").exists()
    sheet = openpyxl.load_workbook(tmp_path / "rejects.xlsx").active
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert head[: len(NAMES)] == list(NAMES) and head[-1] == "batchpay_defused"
    assert [row[0] for row in rows] == ["0003", "0004"]
    assert (rows[0][1], rows[0][-1]) == ("=cmd()", None)
    assert {
        c.data_type for row in sheet.iter_rows(min_row=2) for c in row if c.value
    } == {"s"}


def test_rejects_of_a_workbook_are_one_in_any_formats(tmp_path: Path) -> None:
    """The input's own form."""
    made = night(formats=("json",))
    write_reports(tmp_path, replace(made, batch=replace(made.batch, format="xlsx")))
    assert sorted(path.name for path in tmp_path.glob("rejects.*")) == ["rejects.xlsx"]


def test_a_very_large_night_keeps_the_rows_that_did_not_simply_succeed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says by which rule; its sums are numbers, and still checked."""
    monkeypatch.setattr(forms, "DETAILED", 6)
    sheets = written(tmp_path)
    numbers = [cell.value for cell in column(sheets["Results"], "Row")]
    assert numbers == [3, 4, 5, 6, 7]
    lines = values(sheets["Summary"])
    rule = str(labels.SHEET_LIMITED(rows=8, most=6, listed=5))
    assert rule in {line[0] for line in lines}
    told = {tuple(line[:3]): line[3:] for line in lines if line[0]}
    assert told["Total", "rows read", "THB"] == [7, 8641.5, 8641.5, "OK"]
    monkeypatch.setattr(forms, "DETAILED", 3)
    sheets = written(tmp_path)
    assert len(sheets["Results"]) == 4
    assert str(labels.SHEET_CUT(most=3)) in {
        line[0] for line in values(sheets["Summary"])
    }


def test_an_empty_batch_has_a_workbook(tmp_path: Path) -> None:
    """Headings and nothing below them."""
    sheets = written(tmp_path, rows=[], cells=[])
    assert len(sheets["Results"]) == 1 and not (tmp_path / "rejects.xlsx").exists()


def test_a_workbook_that_cannot_be_finished_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is told as one, and leaves nothing under the name."""

    def full(self: Words, finding: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Words, "reason", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write_reports(tmp_path, night(formats=("xlsx",)))
    assert not list(tmp_path.glob("*report.xlsx*"))
