"""report.json: what a program, or a person in a hurry, wants to know of a batch (schemas/report.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from batchpay.model import Finding, Outcome
from batchpay.money import EXPONENTS, grouped_text, major_text
from batchpay.reconciliation import Totals
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs
from batchpay.text import many

NEEDS_A_PERSON = frozenset({Outcome.UNPROVEN, Outcome.CONFLICT, Outcome.IN_DOUBT})
LISTED = 100  # rows that are spelled out


def write_summary(directory: Directory, inputs: Inputs) -> None:
    """The file."""
    with directory.file("report.json") as file:
        file.write((json.dumps(summary_of(inputs), ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace"))


def summary_of(inputs: Inputs) -> dict[str, Any]:
    """The document, always in the same order."""
    batch, totals = inputs.batch, inputs.totals
    attention = list(_attention(inputs))
    return {
        "report_version": 1,
        "test_mode": batch.mode == "test",
        "mode": "TEST" if batch.mode == "test" else "live",
        "job": batch.job,
        "batch": {
            "id": batch.id, "file": batch.file, "sha256": batch.sha256, "format": batch.format,
            "rows_read": batch.rows_read, "refusal": batch.refusal, "notes": _notes(inputs),
        },
        "verdict": verdict_of(inputs),
        "exit_code": inputs.exit_code,
        "stop": inputs.stop,
        "outcomes": totals.outcomes(),
        "duplicates_of": {name: n for name, n in sorted(totals.named.items()) if n},
        "currencies": [_currency(totals, currency) for currency in sorted(totals.rows)],
        "equations": [
            {"currency": e.currency, "name": e.name, "left": e.left, "right": e.right, "closes": e.closes}
            for e in inputs.equations
        ],
        "recipients": by_recipient(totals),
        "codes": by_code(totals),
        "needs_a_person": {"count": _count(totals, NEEDS_A_PERSON), "rows": attention},
        "journal": {"id": inputs.journal_id, "seq": inputs.head_seq, "digest": inputs.head_digest},
    }  # fmt: skip


def verdict_of(inputs: Inputs) -> str:
    """One line for a person."""
    batch, totals = inputs.batch, inputs.totals
    test = "TEST: " if batch.mode == "test" else ""
    if batch.refusal:
        return f"{test}the whole batch is refused, nothing was sent. {batch.refusal}"
    moved = " and ".join(f"{grouped_text(n, c)} {c}" for c, n in totals.money_moved().items()) or "nothing"
    counts = ", ".join(f"{number} {name}" for name, number in totals.outcomes().items())
    return f"{test}{moved} charged; {many(totals.rows_read, 'row')}: {counts or 'none'}."


def _notes(inputs: Inputs) -> list[str]:
    notes = [*inputs.batch.notes, *filter(None, [inputs.batch.likeness])]
    if inputs.batch.format == "xlsx":
        notes.append("rejects of an Excel file are written as CSV so far")
    return notes


def _currency(totals: Totals, currency: str) -> dict[str, Any]:
    outcomes = {}
    for outcome in Outcome:
        if count := totals.count(outcome, currency):
            total = totals.sums[currency, outcome.value]
            outcomes[outcome.value] = {"count": count, "sum_minor": total, "sum": _major(total, currency)}
    charged = totals.charged[currency]
    return {
        "currency": currency, "rows": totals.rows[currency], "charged_minor": charged,
        "charged": _major(charged, currency), "outcomes": outcomes,
    }  # fmt: skip


def _major(minor: int, currency: str) -> str:
    return major_text(minor, currency) if currency in EXPONENTS else str(minor)


def by_recipient(totals: Totals) -> list[dict[str, Any]]:
    """Charged per recipient and currency, the largest first."""
    import pandas as pd

    rows = [(to, currency, totals.recipient_counts[to, currency], n) for (to, currency), n in totals.recipients.items()]
    frame = pd.DataFrame(rows, columns=["destination", "currency", "count", "sum_minor"], dtype=object)
    frame = frame.sort_values(["currency", "sum_minor", "destination"], ascending=[True, False, True])
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return [{**row, "sum": _major(row["sum_minor"], row["currency"])} for row in records]


def by_code(totals: Totals) -> list[dict[str, Any]]:
    """Why rows failed, the most frequent first."""
    import pandas as pd

    rows = [(outcome, code, n) for (outcome, code), n in totals.codes.items()]
    frame = pd.DataFrame(rows, columns=["outcome", "code", "count"], dtype=object)
    frame = frame.sort_values(["count", "outcome", "code"], ascending=[False, True, True])
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return records


def _attention(inputs: Inputs) -> Iterator[dict[str, Any]]:
    left = LISTED
    if not _count(inputs.totals, NEEDS_A_PERSON):
        return
    for _, findings in inputs.findings():
        for finding in findings:
            if finding.outcome in NEEDS_A_PERSON and left:
                left -= 1
                yield _row(finding)


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "row": finding.row, "sheet": finding.sheet, "order_id": finding.order_id, "outcome": finding.outcome.value,
        "charge_id": finding.charge_id, "reason": finding.reason, "who_acts": finding.who_acts,
    }  # fmt: skip


def _count(totals: Totals, outcomes: frozenset[Outcome]) -> int:
    return sum(totals.count(outcome) for outcome in outcomes)
