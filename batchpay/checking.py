"""`check` and `plan`: what a file holds and what would be sent of it; nothing is sent, no state is written."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from batchpay.clock import SystemClock
from batchpay.controls import run_refusal
from batchpay.desk import Sendable, likeness, sendable
from batchpay.intake import Intake, Intakes, judged_chunks, take_in
from batchpay.job import Job
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Judged, Problem, StoredChunk, orders_of
from batchpay.money import major_text
from batchpay.planning import batch_id_of, content_of, key_of

OnProblem = Callable[[str, str, int, Problem], None]
"""Called with file, sheet, row and problem, in the file's order; repeats come last."""

LARGEST_LISTED = 1000  # recipients and orders a plan spells out


@dataclass(slots=True)
class Checked:
    """What `check` found, without the problems, which it told one by one."""

    files: list[dict[str, Any]] = field(default_factory=list)
    rejected: int = 0
    refusals: list[str] = field(default_factory=list)  # of files that could not be read at all
    exit_code: int = 0


def check(job: Job, on_problem: OnProblem) -> Checked:
    """Read, map and validate every row of every input file."""

    def keep(intake: Intake, chunks: Iterator[Judged]) -> None:
        for judged in chunks:
            for at in sorted(judged.problems):
                for problem in judged.problems[at]:
                    on_problem(intake.snapshot.name, judged.chunk.sheet, judged.chunk.rows[at], problem)

    with ExitStack() as stack:
        intakes = take_in(job, stack, partial(_batch_id, job), keep)
        checked = Checked()
        for intake in intakes.files:
            repeats = intakes.repeats_of(intake.batch_id)
            for (sheet, row), repeat in sorted(repeats.items()):
                on_problem(intake.snapshot.name, sheet, row, Problem("", "", repeat.outcome.value, repeat.reason))
            checked.files.append(_told(job, intake, len(repeats)))
            checked.rejected += intake.tally.rejected + len(repeats)
        checked.refusals = [str(error) for error in intakes.refused]
        checked.exit_code = _exit_code(intakes, checked.rejected)
        return checked


def plan(job: Job, ask: Callable[[frozenset[str]], dict[str, str]] | None = None) -> dict[str, Any]:
    """What `run` would send now, by the same code: counts, sums, recipients, warnings and a hash over all of it.

    `ask`: tells which recipients cannot be paid now, each with why; without it nothing leaves the machine.
    """
    sums: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    recipients: dict[tuple[str, str], list[int]] = {}
    digest = hashlib.sha256(json.dumps([job.sha256, job.schema.sha256, _lookups(job)]).encode())
    with ExitStack() as stack:
        journal = SqliteJournal(job.state_path, job.name, read_only=True)
        stack.callback(journal.close)
        earlier = list(journal.batches())
        known = {batch.sha256: batch.id for batch in earlier}
        now_ns = SystemClock().now_ns()
        intakes = take_in(job, stack, lambda sha256: known.get(sha256) or _batch_id(job, sha256), _drain)
        rejected = sum(i.tally.rejected for i in intakes.files) + len(intakes.repeats)
        for intake in intakes.files:
            digest.update(intake.snapshot.sha256.encode())
            found = likeness(journal, earlier, intake, map(orders_of, judged_chunks(job, intake)), now_ns)
            intake.refusal, intake.likeness = intake.refusal or found.refusal, found.warning
            for item in _sendables(job, journal, intake, intakes) if not intake.refusal else ():
                currency, amount = item.document["currency"].upper(), item.document["amount"]
                sums[currency] += amount
                counts[currency] += 1
                share = recipients.setdefault((item.document["destination"], currency), [0, 0])
                share[0] += 1
                share[1] += amount
                order_id = item.document["order_id"]
                digest.update(f"{key_of(job.name, order_id, item.number)}{content_of(item.document)}".encode())
    barred = ask(frozenset(destination for destination, _ in recipients)) if ask else {}
    refusals = [f"{i.snapshot.name}: {i.refusal}" for i in intakes.files if i.refusal]
    refusals += [str(error) for error in intakes.refused]
    refusals += filter(None, [run_refusal(sums, job.controls.max_total)])
    return {
        "job": job.name,
        "mode": job.gateway.mode,
        "files": [_told(job, i, len(intakes.repeats_of(i.batch_id))) for i in intakes.files],
        "to_send": {c: {"count": counts[c], "sum_minor": sums[c], "sum": major_text(sums[c], c)} for c in sorted(sums)},
        "recipients": [
            {"destination": d, "currency": c, "count": n, "sum_minor": s, "sum": major_text(s, c)}
            for (d, c), (n, s) in sorted(recipients.items(), key=lambda item: (-item[1][1], item[0]))[:LARGEST_LISTED]
        ],
        "warnings": [
            *(f"{i.snapshot.name}: {note}" for i in intakes.files for note in _warnings(job, i)),
            *(f"recipient {recipient} {why}" for recipient, why in sorted(barred.items())),
        ],
        "refusals": refusals,
        "plan_hash": f"sha256:{digest.hexdigest()}",
        "exit_code": 65 if refusals else _exit_code(intakes, rejected),
    }


def _sendables(job: Job, journal: SqliteJournal, intake: Intake, intakes: Intakes) -> Iterator[Sendable]:
    repeats = intakes.repeats_of(intake.batch_id)
    for number, judged in enumerate(judged_chunks(job, intake)):
        chunk = StoredChunk(
            number, judged.chunk.sheet, judged.chunk.rows, judged.documents, judged.problems, judged.comeback, b""
        )
        yield from sendable(journal, intake.batch_id, chunk, repeats)


def _told(job: Job, intake: Intake, repeated: int) -> dict[str, Any]:
    tally = intake.tally
    return {
        "file": intake.snapshot.name,
        "sha256": intake.snapshot.sha256,
        "batch": intake.batch_id,
        "rows": tally.read,
        "rejected": tally.rejected,
        "repeated": repeated,
        "valid": {
            c: {"count": tally.orders[c], "sum_minor": tally.valid[c], "sum": major_text(tally.valid[c], c)}
            for c in sorted(tally.orders)
        },
        "warnings": _warnings(job, intake),
        "refusal": intake.refusal,
    }


def _warnings(job: Job, intake: Intake) -> list[str]:
    """What a person should know about a file before it is sent."""
    warnings = [*intake.notes, *filter(None, [intake.likeness])]
    used = set(job.columns.used())
    extra = [column for column in intake.columns if column not in used and not column.startswith("batchpay_")]
    if extra:
        warnings.append(f"columns no field uses: {', '.join(extra)}")
    if not intake.has_totals:
        warnings.append(
            "no control totals: a file cut at the end of a line would look whole; declare count and total in "
            f"[controls], or beside the file as {intake.snapshot.name}.totals.json"
        )
    return warnings


def _exit_code(intakes: Intakes, rejected: int) -> int:
    if intakes.refused or any(intake.refusal for intake in intakes.files):
        return 65
    return 10 if rejected else 0


def _lookups(job: Job) -> list[str]:
    return sorted(getattr(source, "sha256", "") for source in job.columns.fields.values())


def _batch_id(job: Job, sha256: str) -> str:
    return batch_id_of(datetime.now(UTC), job.name, sha256)


def _drain(intake: Intake, chunks: Iterator[Judged]) -> None:
    for _ in chunks:
        pass
