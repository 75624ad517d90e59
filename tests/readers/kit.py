"""A file and what `check` says of it: the same job for every format."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from batchpay import readers
from batchpay.checking import check
from batchpay.config import load_job
from batchpay.errors import BatchpayError
from batchpay.model import Problem

JOB = """
name = "files"
[input]
file = "{name}"
{more}
[columns]
order_id    = "order_id"
amount      = {{ column = "amount", unit = "major" }}
currency    = "currency"
destination = "recipient"
customer    = "customer"
description = "note"
"""
HEADER = ("order_id", "amount", "currency", "recipient", "customer", "note")


def row(number: int = 1, **changes: str) -> list[str]:
    """The cells of a row that breaks no rule."""
    cells = {
        "order_id": f"{number:04d}", "amount": "20.00", "currency": "THB", "recipient": "recp_test_1",
        "customer": f"cust_test_{number}", "note": "", **changes,
    }  # fmt: skip
    return [cells[name] for name in HEADER]


def csv_text(*rows: Sequence[str], header: Sequence[str] = HEADER, end: str = "\n", delimiter: str = ",") -> str:
    """Lines without quotes: only for cells that need none."""
    return "".join(delimiter.join(cells) + end for cells in (header, *rows))


@dataclass
class Said:
    """What `check` said: an exit code, problems by row, warnings, refusals."""

    exit_code: int
    problems: dict[int, list[Problem]] = field(default_factory=dict)
    rows: int = 0
    warnings: list[str] = field(default_factory=list)
    refusal: str = ""

    def rules(self) -> dict[int, list[str]]:
        """Row number -> the rules it broke."""
        return {number: [problem.rule for problem in found] for number, found in self.problems.items()}


def said(folder: Path, data: bytes | str, name: str = "orders.csv", more: str = "") -> Said:
    """Write the file, check it, tell."""
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    (folder / "job.toml").write_text(JOB.format(name=name, more=more), "utf-8")
    problems: dict[int, list[Problem]] = {}

    def note(file: str, sheet: str, number: int, problem: Problem) -> None:
        problems.setdefault(number, []).append(problem)

    try:
        checked = check(load_job(folder / "job.toml"), note)
    except BatchpayError as error:
        return Said(error.exit_code, refusal=str(error))
    told = checked.files[0] if checked.files else {"rows": 0, "warnings": [], "refusal": ""}
    refusal = " ".join([*checked.refusals, told["refusal"]])
    return Said(checked.exit_code, problems, told["rows"], told["warnings"], refusal)


def cells_of(folder: Path, data: bytes, name: str, columns: Sequence[str], more: str = "") -> list[list[str]]:
    """Every row of a file as the readers give it, cell for cell."""
    (folder / name).write_bytes(data)
    (folder / "job.toml").write_text(JOB.format(name=name, more=more), "utf-8")
    job = load_job(folder / "job.toml")
    found: list[list[str]] = []
    with ExitStack() as stack:
        snapshot = stack.enter_context(readers.open_snapshot(folder / name))
        for chunk in readers.read(snapshot, job.input, []).chunks():
            found += [list(cells) for cells in zip(*(chunk.texts(column) for column in columns), strict=True)]
    return found
