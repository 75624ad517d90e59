"""What the outside judge gets, and nothing else: the gateway's log, the journal, the reports, the
inputs.

Read from one folder: `gateway.jsonl` (lines {"request": ...} and {"charge": ...}), the SQLite file
that `job.toml` names (opened read-only), the reports below its report directory, and every file
that can be an input. Nothing here imports the product.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

INPUTS = (".csv", ".tsv", ".xlsx", ".parquet")
Row = dict[str, str]


@dataclass(frozen=True)
class Event:
    """One line of the journal, as it lies in the file."""

    seq: int
    job: str
    kind: str
    at_ns: int
    run_id: str
    batch_id: str
    sheet: str
    row: int
    order_id: str
    attempt: int
    send: int
    text: str
    digest: str

    @cached_property
    def data(self) -> dict[str, Any]:
        """Its JSON, with floats kept apart from whole numbers."""
        return dict(json.loads(self.text))


@dataclass(frozen=True)
class Facts:
    """What a caller may know beside the four things."""

    exit_code: int | None = None  # of the last run
    inputs_before: Mapping[str, str] | None = None  # name -> SHA-256 before the run
    # (seq, digest) of the journal's head at earlier times
    heads: Sequence[tuple[int, str]] = ()
    # CLOCK_MONOTONIC: faults had stopped, two runs were over, one more began
    quiet_since: float | None = None
    # path -> SHA-256 before `report` was run again
    reports_before: Mapping[str, str] | None = None
    output: str = ""  # everything the program printed
    secrets: Sequence[str] = ()  # beside the key in the gateway's log
    peak_kb: int | None = None  # the largest resident size of a run
    most_files: int | None = None  # the most descriptors a run had open
    files: Sequence[str] = ()  # the input files of the last run; empty: of all batches


@dataclass(frozen=True)
class Evidence:
    """The four things, read."""

    folder: Path
    job: Mapping[str, Any]
    requests: Sequence[Mapping[str, Any]] = ()
    charges: Sequence[Mapping[str, Any]] = ()
    # charge id -> CLOCK_MONOTONIC of its commit
    born: Mapping[str, float] = field(default_factory=dict)
    events: Sequence[Event] = ()
    results: Sequence[Row] = ()
    reports: Sequence[Mapping[str, Any]] = ()
    manifests: Sequence[tuple[Path, Mapping[str, Any]]] = ()
    facts: Facts = field(default_factory=Facts)

    @property
    def name(self) -> str:
        """The job's name, under which order ids and keys live."""
        return str(self.job["name"])

    @property
    def state(self) -> Path:
        """Where the journal is."""
        url = str(self.job.get("state", {}).get("url", "sqlite:///state/batchpay.db"))
        return self.folder / url.removeprefix("sqlite:///")

    @property
    def report_folder(self) -> Path:
        """Where the reports are."""
        return self.folder / str(self.job.get("report", {}).get("directory", "reports"))

    def setting(self, name: str, default: str) -> str:
        """One value of [gateway]."""
        return str(self.job.get("gateway", {}).get(name, default))

    @cached_property
    def posts(self) -> list[Mapping[str, Any]]:
        """Every POST /charges that arrived whole, in order."""
        found = (
            r
            for r in self.requests
            if r["method"] == "POST" and r["target"] == "/charges" and r["whole"]
        )
        return sorted(found, key=lambda r: r["at"])

    @cached_property
    def ours(self) -> list[Mapping[str, Any]]:
        """The charges that carry this job's name."""
        return [
            c for c in self.charges if c["metadata"].get("batchpay_job") == self.name
        ]

    @cached_property
    def input_files(self) -> list[Path]:
        """Every file of the folder that can be an input."""
        return sorted(
            p for p in self.folder.iterdir() if p.is_file() and p.suffix in INPUTS
        )


def read(folder: Path, facts: Facts | None = None) -> Evidence:
    """All of it; what is not there is empty."""
    evidence = Evidence(folder, tomllib.loads((folder / "job.toml").read_text("utf-8")))
    requests, charges, born = _gateway(folder / "gateway.jsonl")
    reports = evidence.report_folder
    return Evidence(
        folder,
        evidence.job,
        requests,
        charges,
        born,
        _events(evidence.state, evidence.name),
        [row for path in sorted(reports.glob("*/results.csv")) for row in table(path)],
        [
            json.loads(path.read_text("utf-8"))
            for path in sorted(reports.glob("*/report.json"))
        ],
        [
            (path, json.loads(path.read_text("utf-8")))
            for path in sorted(reports.glob("*/manifest*.json"))
        ],
        facts or Facts(),
    )


def _gateway(path: Path) -> tuple[list[Any], list[Any], dict[str, float]]:
    requests, charges, born = [], [], {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        entry = json.loads(line)
        if "request" in entry:
            requests.append(entry["request"])
        else:
            charges.append(entry["charge"])
            born[entry["charge"]["id"]] = entry["born"]
    return requests, charges, born


def _events(path: Path, job: str) -> list[Event]:
    """Every line of the journal, of any job: the chain runs through all of them."""
    if not path.exists():
        return []
    query = (
        'SELECT seq, job, kind, at_ns, run_id, batch_id, sheet, "row", order_id, attempt, send,'
        " data, digest "
    )
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5
    )
    try:
        made = "SELECT 1 FROM sqlite_master WHERE name = 'plain_events'"
        # before version 7 of the journal every event was kept in full
        source = "plain_events" if connection.execute(made).fetchone() else "events"
        return [
            Event(*row)
            for row in connection.execute(f"{query} FROM {source} ORDER BY seq")
        ]
    finally:
        connection.close()


def table(path: Path, delimiter: str = ",") -> list[Row]:
    """A CSV file as dicts of text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def input_rows(path: Path) -> list[tuple[str, int, Row]]:
    """Sheet, row number as the accountant sees it, and cells, of a well-formed input; blank lines
    are skipped.
    """
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        cells = pq.read_table(path).to_pylist()
        return [
            ("", at, {name: str(value) for name, value in row.items()})
            for at, row in enumerate(cells, start=2)
        ]
    if path.suffix == ".xlsx":
        return _sheet_rows(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        header = next(reader, [])
        rows, begins = [], reader.line_num + 1
        for cells in reader:
            if any(cells):
                rows.append(("", begins, dict(zip(header, cells, strict=False))))
            begins = reader.line_num + 1
    return rows


def _sheet_rows(path: Path) -> list[tuple[str, int, Row]]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    rows = []
    for sheet in book.worksheets:
        lines = list(sheet.iter_rows(values_only=True))
        header = [str(cell) for cell in lines[0]] if lines else []
        for at, cells in enumerate(lines[1:], start=2):
            if any(cell is not None for cell in cells):
                texts = ("" if cell is None else str(cell) for cell in cells)
                rows.append((sheet.title, at, dict(zip(header, texts, strict=False))))
    book.close()
    return rows


def form(body: str) -> dict[str, str]:
    """The fields of a form body, decoded by us."""
    return dict(parse_qsl(body, keep_blank_values=True))


def seconds(text: str) -> float:
    """`0.6s`, `2m`, `500ms`."""
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|m|h)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[unit]


def rate(text: str) -> tuple[int, float]:
    """`8/s` or `900/min`: how many, in how many seconds."""
    number, unit = text.split("/")
    return int(number), {"s": 1.0, "min": 60.0}[unit]


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(paths: Sequence[Path]) -> dict[str, str]:
    """Name -> SHA-256."""
    return {str(path): sha256(path) for path in paths}
