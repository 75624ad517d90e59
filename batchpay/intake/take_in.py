"""From input files to judged rows: what never leaves the machine, the same for check, plan and
run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchpay import readers
from batchpay.domain.errors import BatchpayError, FileRefused
from batchpay.domain.model import Judged, Repeat, orders_of
from batchpay.domain.text import told
from batchpay.intake import totalrows
from batchpay.intake.controls import (
    Tally,
    fee_check,
    max_amount_check,
    mode_check,
    parse_totals,
    refusal_of,
    require_fixed_fee,
)
from batchpay.intake.likeness import Features
from batchpay.intake.mapping import map_chunk
from batchpay.intake.provenance import held_against, unknown
from batchpay.intake.repeats import Owned, Place, Repeats, nobody
from batchpay.intake.validation import Checker
from batchpay.job.job import Controls, FromColumn, Job
from batchpay.job.packaged import read_regular
from batchpay.lifecycle.kinship import Lineages, Trace, only_named
from batchpay.messages import files
from batchpay.messages.message import Message

NAMED_ROWS = 5  # in a note
MAX_TOTALS_BYTES = 1 << 20
Keep = Callable[["Intake", Iterator[Judged]], None]


@dataclass(slots=True)
class Intake:
    """One input file, read and judged."""

    snapshot: readers.Snapshot
    batch_id: str
    tally: Tally = field(default_factory=Tally)
    columns: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    refusal: str = ""
    features: Features = field(default_factory=Features)
    likeness: str = ""  # a warning: how it resembles a recent file
    recipients: set[str] = field(default_factory=set)  # of the rows that broke no rule
    staged: str = ""
    has_totals: bool = False  # did its sender declare what it holds?
    had_other_ids: bool = False  # did any of its rows ever have another order id than now?
    lineages: Lineages | None = (
        None  # of the journal that knows which ids its rows had before; None: nobody does
    )


@dataclass(slots=True)
class Intakes:
    """All input files of one command, with what stands in more than one row of them."""

    files: list[Intake] = field(default_factory=list)
    refused: list[BatchpayError] = field(
        default_factory=list
    )  # files that could not be read at all
    repeats: dict[Place, Repeat] = field(default_factory=dict)

    def repeats_of(self, batch_id: str) -> dict[tuple[str, int], Repeat]:
        """The repeated rows of one file, by sheet and row."""
        return {
            (sheet, row): repeat
            for (batch, sheet, row), repeat in self.repeats.items()
            if batch == batch_id
        }


def judged_chunks(job: Job, intake: Intake) -> Iterator[Judged]:
    """Read, map and validate one file, a chunk at a time."""
    checks = [mode_check(job.gateway.mode, job.columns)]
    if job.controls.max_amount:
        checks.append(max_amount_check(job.controls.max_amount, job.columns))
    if job.fee:
        checks.append(fee_check(job.fee, job.columns))
    checker = Checker(job.schema, job.columns, checks)
    table = readers.read(intake.snapshot, job.input, job.columns.used())
    intake.columns = tuple(table.columns)
    restored: list[int] = []
    if intake.lineages:
        held = intake.lineages.document
    else:
        held = unknown
    for chunk in table.chunks():
        mapped = held_against(map_chunk(chunk, job.columns, job.input.odd_ids), held)
        restored += [chunk.rows[at] for at in mapped.restored]
        judged = checker.judge(mapped)
        if judged.problems:
            judged = replace(judged, problems=totalrows.named(chunk, judged.problems))
        if job.fee:
            require_fixed_fee(judged, job.fee, intake.snapshot.name)
        if intake.lineages:
            judged = replace(judged, earlier=intake.lineages.earlier(intake.batch_id, judged))
        intake.had_other_ids = intake.had_other_ids or bool(judged.earlier)
        yield judged
    found = [*table.notes, *_told_rounded(job, table), *_told_restored(restored)]
    notes = [*job.schema.notes, *map(str, found)]
    intake.notes = intake.notes or notes  # read again, it keeps what was found out about repeats


def _told_rounded(job: Job, table: readers.Table) -> Iterator[Message]:
    """A dataframe makes decimals of a column of whole numbers as soon as one is missing."""
    source = job.columns.fields["order_id"]
    if isinstance(source, FromColumn) and source.column in table.rounded:
        yield files.ROUNDED_IDS(column=told(source.column))


def _told_restored(rows: Sequence[int]) -> Iterator[Message]:
    """Which rows of a file that came back have an id again that a program had damaged."""
    named = ", ".join(map(str, rows[:NAMED_ROWS]))
    if len(rows) > NAMED_ROWS:
        yield files.RESTORED_MORE(rows=named, more=len(rows) - NAMED_ROWS)
    elif len(rows) > 1:
        yield files.RESTORED_IDS(rows=named)
    elif rows:
        yield files.RESTORED_ID(row=rows[0])


def take_in(
    job: Job,
    stack: ExitStack,
    batch_id_of: Callable[[str], str],
    keep: Keep,
    owned: Owned = nobody,
    lineages: Lineages | None = None,
) -> Intakes:
    """Read every input file once; `keep` takes each one's judged chunks, `Intakes` what they add up
    to.

    `owned` tells which rows caused an attempt already: of those the journal speaks; `lineages`
    follow a row that corrects another back to the first, know what that held and which ids a row
    had. Raises InputMissing when there is no file and the job does not say that this is fine.
    """
    trace: Trace = lineages.of if lineages else only_named
    asked = lineages.was_asked if lineages else bool
    distinct = job.input.alike_ids == "distinct"
    intakes = Intakes()
    repeats = Repeats(distinct=distinct, trace=trace, asked=asked)
    seen: set[str] = set()
    paths = readers.find_files(job.input)
    for path in paths:
        try:
            _require_name(path)
            snapshot = stack.enter_context(readers.open_snapshot(path))
            if snapshot.sha256 in seen:
                continue  # the same bytes under another name are the same batch
            seen.add(snapshot.sha256)
            intake = Intake(snapshot, batch_id_of(snapshot.sha256), lineages=lineages)
            keep(intake, _counted(job, intake, repeats))
            snapshot.verify_unchanged()
            controls = _controls(job, path)
            intake.has_totals = controls.count is not None or controls.total is not None
            intake.refusal = " ".join(map(str, refusal_of(intake.tally, controls, job.input)))
            intakes.files.append(intake)
        except readers.OF_ONE_FILE as error:
            if len(paths) == 1 and not isinstance(error, FileRefused):
                raise
            intakes.refused.append(error)  # and the others go on
    if repeats.candidates():
        _resolve(job, intakes, repeats, owned)
    return intakes


def _resolve(job: Job, intakes: Intakes, repeats: Repeats, owned: Owned) -> None:
    """Files that may be sent are held against each other, a refused one only against itself."""
    together = [intake for intake in intakes.files if not intake.refusal]
    for group in (together, *([intake] for intake in intakes.files if intake.refusal)):
        intakes.repeats |= repeats.resolve(
            [(intake.batch_id, judged_chunks(job, intake)) for intake in group], owned
        )
        for intake in group:
            intake.notes += map(str, repeats.notes)


def _counted(job: Job, intake: Intake, repeats: Repeats) -> Iterator[Judged]:
    for judged in judged_chunks(job, intake):
        intake.tally.add(judged)
        repeats.add(intake.batch_id, judged)
        intake.features.add(orders_of(judged))
        intake.recipients.update(
            d["destination"] for at, d in enumerate(judged.documents) if at not in judged.problems
        )
        yield judged


def _require_name(path: Path) -> None:
    """Reports, journal and terminal name a file: they can write nothing but text."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path.name).decode("utf-8", "backslashreplace")
        raise FileRefused(files.NAME_NOT_TEXT(path=shown)) from error


def _controls(job: Job, path: Path) -> Controls:
    """The job's control totals, or those its sender laid beside the file:
    `orders.csv.totals.json`.
    """
    beside = path.with_name(f"{path.name}.totals.json")
    try:
        data = read_regular(beside, MAX_TOTALS_BYTES)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.lexists(
            beside
        ):  # a link to nothing is no absence
            return job.controls
        wrong = files.TOTALS_UNREAD(path=str(beside), wrong=str(error.strerror))
        raise readers.Unread(wrong) from error
    count, total = parse_totals(data, beside.name)
    return replace(
        job.controls,
        count=job.controls.count if count is None else count,
        total=job.controls.total if total is None else total,
    )
