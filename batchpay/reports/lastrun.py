"""run.json: the last run over all of its files, for programs; index.html shows the same.

What the run did stands apart from what its files come to, over all runs that had to do with them.
Its sums are those of the files' report.json, added up; and what their rows say was charged is held
against what the journal wrote down with each charge.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from batchpay.domain.model import Batch, RunDone
from batchpay.messages import steps
from batchpay.reconciliation.totals import Equation, Totals
from batchpay.reports.files import Directory, own_file
from batchpay.reports.summary import currency_json, equation_json, run_json

NAME = "run.json"


@dataclass(frozen=True, slots=True)
class FileOfRun:
    """A batch that a run read or changed, as it stands now; and what this run did to it."""

    batch: Batch
    totals: Totals
    part: RunDone


@dataclass(frozen=True, slots=True)
class LastRun:
    """A run, all of its files, and what these come to."""

    job: str
    mode: str
    run: RunDone
    files: tuple[FileOfRun, ...]
    totals: Totals
    equations: tuple[Equation, ...]


def sum_of(every: Iterable[Totals]) -> Totals:
    """All of them added up."""
    whole = Totals()
    for totals in every:
        for one in fields(Totals):
            mine = getattr(whole, one.name)
            theirs = getattr(totals, one.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(whole, one.name, mine + theirs)
    return whole


def write_last_run(
    reports: Path, told: LastRun, job_file: str, mode: int
) -> tuple[Path, ...]:
    """The file, in the folder of the reports. Raises CannotWrite."""
    directory = Directory(reports, mode, shared_by=told.job)
    document = steps.addressed(document_of(told), job_file)
    text = json.dumps(document, ensure_ascii=False, indent=2)
    with directory.file(own_file(reports, NAME, told.job)) as file:
        file.write(f"{text}\n".encode("utf-8", "replace"))
    return tuple(directory.written)


def document_of(told: LastRun) -> dict[str, Any]:
    """What the file holds, always in the same order."""
    totals = told.totals
    currencies = sorted(totals.rows | totals.charged)
    return {
        "run_version": 1,
        "job": told.job,
        "mode": told.mode,
        "test_mode": told.mode == "test",
        "run": run_json(told.run),
        "requests": dict(told.run.requests),
        "batches": [_file_json(one) for one in told.files],
        "rows": totals.rows_read,
        "outcomes": totals.outcomes(),
        "currencies": [currency_json(totals, currency) for currency in currencies],
        "equations": [equation_json(one) for one in told.equations],
    }


def _file_json(one: FileOfRun) -> dict[str, Any]:
    return {
        "id": one.batch.id,
        "file": one.batch.file,
        "rows": one.totals.rows_read,
        "outcomes": one.totals.outcomes(),
        "this_run": run_json(one.part),
    }
