"""Reports: whole or not at all, the same bytes for the same journal, safe in a spreadsheet, and
they agree.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import resource
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain.errors import CannotWrite, TryLater
from batchpay.domain.lineage import place_told
from batchpay.domain.model import Finding, Outcome, StoredChunk
from batchpay.domain.text import FORMULA_STARTS, defused, visible
from batchpay.job.packaged import data_path
from batchpay.lifecycle.rows import Guards
from batchpay.readers.cells import encode_cells
from batchpay.reconciliation.totals import Totals
from batchpay.reports import Inputs, write_reports
from batchpay.reports.files import Directory
from batchpay.reports.table import COLUMNS
from tests.test_reconciliation import PAID, PROBLEM, batch, one

PROMISED = [  # their order, to which columns are only added
    "file",
    "row",
    "sheet",
    "order_id",
    "outcome",
    "amount",
    "currency",
    "amount_major",
    "destination",
    "payment_method",
    "charge_id",
    "chain_id",
    "transfer_id",
    "fee",
    "fee_vat",
    "net",
    "platform_fee",
    "recipient_amount",
    "failure_code",
    "error_code",
    "reason",
    "who_acts",
    "attempts",
    "idempotency_key",
    "sent_at",
    "settled_at",
    "batch_id",
    "run_id",
]
NAMES = ("Order No", "Item", "reason")


def inputs(
    findings: list[Finding], cells: list[list[str]], form: str = "csv", **changes: Any
) -> Inputs:
    """One chunk of findings over these cells."""
    rows = [finding.row for finding in findings]
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(NAMES)
    table = pa.RecordBatch.from_arrays(
        [pa.array(column, pa.string()) for column in columns], names=list(NAMES)
    )
    chunk = StoredChunk(
        0, "", rows, [{} for _ in rows], {}, frozenset(), encode_cells(rows, table)
    )
    totals = Totals()
    for finding in findings:
        totals.add(finding)
    about = replace(
        batch(),
        rows_read=len(rows),
        columns=NAMES,
        unused=("Item", "reason"),
        metadata=("invoice",),
        format=form,
        **changes,
    )
    return Inputs(
        batch=about,
        formats=("csv", "parquet", "json"),
        findings=lambda: iter([(chunk, findings)]),
        totals=totals,
        equations=tuple(totals.equations(len(rows))),
        exit_code=10,
        journal_id="j",
        head_seq=7,
        head_digest="0" * 64,
        versions={"batchpay": "0"},
    )


REJECTED = replace(one(problems=(PROBLEM,)), row=3)
ROWS = [PAID, REJECTED]
CELLS = [["0001", "=cmd()", "n"], ["0002", "เก้าอี้\nไม้", ""]]


def read_csv(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_results_have_the_contracts_columns_in_order(tmp_path: Path) -> None:
    """Then the input's unused ones, metadata, and ours that came later."""
    write_reports(tmp_path, inputs(ROWS, CELLS))
    header, *rows = read_csv(tmp_path / "results.csv")
    assert header[: len(PROMISED)] == PROMISED == list(COLUMNS)
    assert header[len(PROMISED) :] == [
        "Item",
        "input.reason",
        "metadata[invoice]",
        "charged_amount",
        "fee_currency",
        "funding_amount",
        "funding_currency",
        "authorize_uri",
        "warnings",
        "settled_by",
        "mode",
        "transfer_status",
        "transfer_amount",
        "transfer_fee",
        "bank_amount",
        "transfer_code",
        "transfer_sent_at",
        "transfer_paid_at",
        "refunded_amount",
        "dispute",
        "expires_at",
        "qr_uri",
        "iso20022_status",
        "iso20022_reason",
        "corrects",
        "changed",
    ]
    assert {row[header.index("mode")] for row in rows} == {"TEST"}
    assert len(rows) == 2
    assert rows[0][:8] == [
        "orders.csv",
        "2",
        "",
        "0001",
        "succeeded",
        "123450",
        "THB",
        "1234.50",
    ]
    assert (tmp_path / "results.csv").read_bytes().startswith(b"\xef\xbb\xbffile,row")


@pytest.mark.fault("X05")
@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_cell_that_could_be_a_formula_is_defused(start: str) -> None:
    """With an apostrophe; everything else is as it was."""
    assert defused(f"{start}1+1") == f"'{start}1+1"
    assert defused("0001") == "0001"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4)
)
def test_any_text_comes_back_as_it_may_be_shown(texts: list[str]) -> None:
    """Quotes, delimiters, anything; line ends and what cannot be seen as escapes, in every form
    alike.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        findings = [replace(PAID, row=at + 2) for at in range(len(texts))]
        write_reports(
            Path(folder), inputs(findings, [["1", text, ""] for text in texts])
        )
        rows = read_csv(Path(folder) / "results.csv")[1:]
        table = pq.read_table(Path(folder) / "results.parquet").to_pylist()
    assert [row[len(PROMISED)] for row in rows] == [
        defused(visible(text)) for text in texts
    ]
    assert [row["Item"] for row in table] == [visible(text) for text in texts]


@pytest.mark.fault("I10", "A11")
def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    """No time of writing anywhere."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second, second):
        write_reports(folder, inputs(ROWS, CELLS))
    names = sorted(path.name for path in first.iterdir())
    assert names == [
        "manifest.json",
        "rejects.csv",
        "report.json",
        "results.csv",
        "results.parquet",
    ]
    assert [(first / name).read_bytes() for name in names] == [
        (second / name).read_bytes() for name in names
    ]


def test_parquet_says_what_csv_says_typed(tmp_path: Path) -> None:
    """Whole numbers, times, and no apostrophes."""
    write_reports(tmp_path, inputs(ROWS, CELLS))
    table = pq.read_table(tmp_path / "results.parquet")
    header, *rows = read_csv(tmp_path / "results.csv")
    assert table.column_names == header
    assert table.schema.field("amount").type == pa.int64()
    assert table.schema.field("sent_at").type == pa.timestamp("us", "UTC")
    for typed, told in zip(table.to_pylist(), rows, strict=True):
        for name, text in zip(header, told, strict=True):
            value = typed[name]
            if name.endswith("_at"):
                assert (value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else "") == text
            else:
                assert defused("" if value is None else str(value)) == text


def test_report_json_keeps_its_schema(tmp_path: Path) -> None:
    """Programs rely on it; a test-mode report says so."""
    write_reports(tmp_path, inputs(ROWS, CELLS))
    document = json.loads((tmp_path / "report.json").read_text())
    schema = json.loads(data_path("schemas/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["test_mode"] is True and document["verdict"].startswith(
        "TEST: 1,234.50 THB charged"
    )
    assert document["outcomes"] == {"succeeded": 1, "rejected": 1}


def test_a_row_for_a_person_has_the_codes_of_its_reason(tmp_path: Path) -> None:
    """And the commands in its sentences name the job file, as in results.csv."""
    held = one(guards=Guards(stop="two charges"))
    about = replace(inputs([held], [["1", "x", ""]]), job_file="night.toml")
    write_reports(tmp_path, about)
    (row,) = json.loads((tmp_path / "report.json").read_text())["needs_a_person"][
        "rows"
    ]
    header, cells = read_csv(tmp_path / "results.csv")
    assert row["reason"] == cells[header.index("reason")]
    assert row["reason"].startswith(
        "a stop is in force: two charges; see to it, then: batchpay"
    )
    assert "resolve night.toml --lift-stop" in row["reason"]
    assert row["reason_codes"] == ["held.stop", "lift-stop"]


@pytest.mark.parametrize(
    "form, name, stated, delimiter",
    [("csv", "rejects.csv", ";", ";"), ("tsv", "rejects.tsv", ",", "\t")],
)
def test_rejects_are_the_inputs_own_rows(
    tmp_path: Path, form: str, name: str, stated: str, delimiter: str
) -> None:
    """Its columns, its cells, its delimiter, and columns of ours that are ignored when it comes
    back.
    """
    cells = [["0001", "x", ""], ["0002", "=1+1", "y"]]
    write_reports(tmp_path, inputs(ROWS, cells, form, delimiter=stated))
    header, row = read_csv(tmp_path / name, delimiter)
    ours = ("batch", "row", "sheet", "outcome", "reason", "retry", "id", "defused")
    assert header == [*NAMES, *(f"batchpay_{name}" for name in ours)]
    told = dict(zip(header, row, strict=True))
    assert row[:3] == ["0002", "'=1+1", "y"]
    assert (told["batchpay_row"], told["batchpay_outcome"]) == ("3", "rejected")
    assert json.loads(told["batchpay_defused"]) == ["Item"]
    names = (told[f"batchpay_{name}"] for name in ("id", "batch", "sheet", "row"))
    assert place_told(*names) == (told["batchpay_batch"], told["batchpay_sheet"], 3)


def test_rejects_of_parquet_are_parquet_untouched(tmp_path: Path) -> None:
    """No apostrophe: nothing in a Parquet file is ever a formula."""
    write_reports(
        tmp_path, inputs(ROWS, [["0001", "x", ""], ["0002", "=1+1", "y"]], "parquet")
    )
    (row,) = pq.read_table(tmp_path / "rejects.parquet").to_pylist()
    assert (row["Item"], row["batchpay_outcome"]) == ("=1+1", "rejected")


def test_no_rejects_no_file(tmp_path: Path) -> None:
    """And one of an earlier writing goes away."""
    write_reports(tmp_path, inputs(ROWS, CELLS))
    write_reports(tmp_path, replace(inputs([PAID], CELLS[:1]), head_seq=9))
    assert not (tmp_path / "rejects.csv").exists()
    kept = json.loads((tmp_path / "manifest-7.json").read_text())
    assert "rejects.csv" in kept["reports"]


def test_the_manifest_names_every_report_by_digest(tmp_path: Path) -> None:
    """What an auditor compares."""
    import hashlib

    write_reports(tmp_path, inputs(ROWS, CELLS))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for name, digest in manifest["reports"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert manifest["journal"] == {"id": "j", "seq": 7, "digest": "0" * 64}
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.fault("I9")
def test_every_manifest_that_is_replaced_is_kept(tmp_path: Path) -> None:
    """Also those made from one and the same event for other files; the same once more replaces
    nothing.
    """
    seen = []
    for formats in (
        ("csv",),
        ("json",),
        ("csv", "json"),
        ("csv", "json"),
        ("parquet",),
    ):
        write_reports(
            tmp_path, dataclasses.replace(inputs(ROWS, CELLS), formats=formats)
        )
        seen.append((tmp_path / "manifest.json").read_bytes())
        assert {path.name for path in tmp_path.iterdir()} >= {
            "manifest.json",
            "rejects.csv",
        }
        kept = {path.read_bytes() for path in tmp_path.glob("manifest*.json")}
        assert kept == set(seen)
    assert len(list(tmp_path.glob("manifest*.json"))) == 4


def test_a_form_that_is_not_asked_for_any_more_goes_away(tmp_path: Path) -> None:
    """It would show what is not so any more beside files that are rewritten."""
    write_reports(
        tmp_path,
        dataclasses.replace(inputs(ROWS, CELLS), formats=("csv", "json", "parquet")),
    )
    write_reports(tmp_path, dataclasses.replace(inputs(ROWS, CELLS), formats=("csv",)))
    assert {path.name for path in tmp_path.iterdir()} == {
        "results.csv",
        "rejects.csv",
        "manifest.json",
        "manifest-7.json",
    }


@pytest.mark.fault("A11", "D02")
def test_a_file_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    """The old one stays; nothing half-written is left under any name."""
    directory = Directory(tmp_path)
    with directory.file("results.csv") as file:
        file.write(b"old")
    with pytest.raises(CannotWrite), directory.file("results.csv") as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert (tmp_path / "results.csv").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


@pytest.mark.fault("A11", "D16")
def test_a_machine_without_a_descriptor_left_is_told_as_one(tmp_path: Path) -> None:
    """It is no fault of the folder: later the same works."""
    directory = Directory(tmp_path)
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (used[0] + 1, allowed[1]))
    try:
        with suppress(OSError):
            while True:
                used.append(os.open(os.devnull, os.O_RDONLY))
        with (
            pytest.raises(TryLater, match=r"raise the limit .* then batchpay report"),
            directory.file("results.csv"),
        ):
            pass
        with pytest.raises(TryLater, match="raise the limit"):
            Directory(tmp_path / "new" / "deep")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
        for one in used:
            os.close(one)
    with directory.file("results.csv") as file:
        file.write(b"new")
    assert [path.name for path in directory.written] == ["results.csv"]


@pytest.mark.fault("A11", "I16")
def test_what_a_killed_writer_left_goes_away(tmp_path: Path) -> None:
    """Half a file under a temporary name, also of a file that is not written any more."""
    (tmp_path / ".rejects.tsv.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("of a person")
    write_reports(tmp_path, inputs(ROWS, CELLS))
    assert not list(tmp_path.glob(".*"))
    assert (tmp_path / "notes.txt").exists()


def test_an_empty_batch_has_a_report(tmp_path: Path) -> None:
    """A header and no row."""
    write_reports(tmp_path, inputs([], []))
    assert len(read_csv(tmp_path / "results.csv")) == 1
    assert io.StringIO((tmp_path / "report.json").read_text())
    assert (
        Outcome.SUCCEEDED.value
        not in json.loads((tmp_path / "report.json").read_text())["outcomes"]
    )


@pytest.mark.parametrize(
    ("mode", "folder"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)]
)
def test_files_have_the_jobs_mode_whatever_the_umask(
    tmp_path: Path, mode: int, folder: int
) -> None:
    """Folders accordingly; what lies there already is brought along."""
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            write_reports(
                tmp_path / "reports" / "batch", inputs([PAID], [["1", "x", ""]]), mode
            )
        finally:
            os.umask(before)
        for path in (tmp_path / "reports").rglob("*"):
            assert path.stat().st_mode & 0o777 == (folder if path.is_dir() else mode), (
                path
            )
        assert (tmp_path / "reports").stat().st_mode & 0o777 == folder


def test_a_report_that_was_shared_is_closed_again(tmp_path: Path) -> None:
    """The job's mode of today holds for every file that is written and for its folder."""
    write_reports(tmp_path / "batch", inputs([PAID], [["1", "x", ""]]), 0o644)
    write_reports(tmp_path / "batch", inputs([PAID], [["1", "x", ""]]), 0o600)
    assert (tmp_path / "batch").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "batch" / "results.csv").stat().st_mode & 0o777 == 0o600
