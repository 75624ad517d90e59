"""Input files made of bytes, and what becomes of them between the disk and the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchpay.domain.model import Judged, Problem
from batchpay.intake.take_in import Source, take_in
from batchpay.job.job import Job
from batchpay.job.load import load_job
from tests.badfiles import HEADER
from tests.jobs import INVOICE, job_text

USUAL = {"customer": '"customer"', "description": '"note"', "metadata": INVOICE}
CARD = "4242424242424242"


def row(number: int = 1, **changes: str) -> dict[str, str]:
    """A good row."""
    return {
        "order_id": f"A{number:05d}",
        "amount": "10.00",
        "currency": "THB",
        "recipient": "recp_test_1",
        "customer": f"cust_test_{number}",
        "note": "",
        "invoice": "",
        "extra": "",
        **changes,
    }


def text_of(
    rows: Iterable[dict[str, str]], header: Sequence[str] = HEADER, delimiter: str = ","
) -> str:
    """Rows as CSV with LF."""
    lines = [header, *([row.get(name, "") for name in header] for row in rows)]
    return "".join(
        delimiter.join(quoted(cell, delimiter) for cell in cells) + "\n"
        for cells in lines
    )


def quoted(cell: str, delimiter: str = ",") -> str:
    """A cell in quotes where it needs them."""
    return (
        '"' + cell.replace('"', '""') + '"'
        if any(ch in cell for ch in f'"\r\n{delimiter}')
        else cell
    )


@dataclass
class Looked:
    """Everything that the rows of the input became."""

    rows: list[int] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    # by row number
    problems: dict[int, tuple[Problem, ...]] = field(default_factory=dict)
    cells: dict[str, list[str]] = field(default_factory=dict)  # by column
    sheets: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)  # 65: it cannot be read
    # 65: it was read, and nothing of it is sent
    unsent: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    repeats: dict[int, str] = field(default_factory=dict)  # row number -> outcome
    chunks: int = 0

    @property
    def rules(self) -> dict[int, list[tuple[str, str]]]:
        """(column, rule) of each problem, by row number."""
        return {
            row: [(problem.column, problem.rule) for problem in found]
            for row, found in self.problems.items()
        }

    @property
    def refusal(self) -> str:
        """The one sentence with which the one file is refused."""
        (sentence,) = self.refused
        return sentence


def job(
    folder: Path,
    file: str,
    **otherwise: str,
) -> Job:
    """A job that reads the file, whatever it is called; `otherwise` is for `job_text`."""
    path = folder / "job.toml"
    path.write_text(job_text(**(USUAL | otherwise)), "utf-8")
    return load_job(path, input_override=str(folder / file))


def look(
    folder: Path, file: str, data: bytes | str | None = None, **how: Any
) -> Looked:
    """Read, map and validate a file as `check`, `plan` and `run` do; `data` is written first."""
    if data is not None:
        (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)
    looked = Looked()

    def keep(source: Source, chunks: Iterator[Judged]) -> None:
        for judged in chunks:
            rows = list(judged.chunk.rows)
            looked.rows += rows
            looked.documents += judged.documents
            looked.problems |= {
                rows[at]: problems for at, problems in judged.problems.items()
            }
            looked.sheets.add(judged.chunk.sheet)
            looked.chunks += 1
            for name in judged.chunk.columns:
                looked.cells.setdefault(name, []).extend(judged.chunk.texts(name))

    with ExitStack() as stack:
        intakes = take_in(job(folder, file, **how), stack, lambda sha256: sha256, keep)
        looked.notes = [note for intake in intakes.files for note in intake.notes]
        looked.unsent = [intake.refusal for intake in intakes.files if intake.refusal]
        looked.refused = [str(error) for error in intakes.refused]
        looked.repeats = {
            row: repeat.outcome.value
            for intake in intakes.files
            for (_, row), repeat in intake.repeats.items()
        }
    return looked


def look_at(folder: Path, *rows: dict[str, str], **how: Any) -> Looked:
    """The same for a CSV of these rows."""
    return look(folder, "orders.csv", text_of(rows), **how)
