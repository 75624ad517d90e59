"""From input files to judged rows, on this machine, the same for check, plan and run."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from batchpay import readers
from batchpay.domain import lineage
from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.errors import BatchpayError, FileRefused
from batchpay.domain.lineage import ADDED, is_rejects_file
from batchpay.domain.model import (
    Chunk,
    Judged,
    Repeat,
    StoredChunk,
)
from batchpay.domain.text import told
from batchpay.intake.asbefore import as_before, merged_before
from batchpay.intake.calledoff import CalledOff
from batchpay.intake.controls import (
    Check,
    Tally,
    fee_check,
    max_amount_check,
    mode_check,
    parse_totals,
    proves_whole,
    refusal_of,
    require_fixed_fee,
)
from batchpay.intake.headings import Headings
from batchpay.intake.hundredfold import Hundredfold
from batchpay.intake.likeness import Features
from batchpay.intake.mapping import Mapped, map_chunk
from batchpay.intake.moved import but_for_charged, moved_in, with_unmeant_in_place
from batchpay.intake.noorders import NoOrders, SecondTable
from batchpay.intake.provenance import (
    held_against,
    of_other_jobs,
    unknown,
)
from batchpay.intake.repeats import Owned, Place, Repeats, nobody
from batchpay.intake.separators import Separators
from batchpay.intake.stoodbefore import Stood, stood_before
from batchpay.intake.subtotals import Subtotals
from batchpay.intake.validation import Checker
from batchpay.job.job import Columns, Controls, FromColumn, Job
from batchpay.job.packaged import read_regular
from batchpay.lifecycle.earlier import EarlierRows
from batchpay.lifecycle.kinship import Lineages
from batchpay.messages import files, noticed, sheets
from batchpay.messages.message import Message
from batchpay.readers.cells import Cells, decode_cells

NAMED_ROWS = 5  # in a note
MAX_TOTALS_BYTES = 1 << 20

Rows = Callable[[], Iterable[StoredChunk]]
"""The judged rows of a file, in its order; call it again to read them again."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input file that lies still, and the batch whose rows it holds."""

    snapshot: readers.Snapshot
    batch_id: str
    again: Rows  # its rows, judged anew from the file; their cells are left out


Keep = Callable[[Source, Iterator[Judged]], Rows | None]
"""Takes a file's rows as they are judged, once; says where they can be read again. None: from the
file.
"""


@dataclass(frozen=True, slots=True)
class Intake:
    """One input file, read and judged."""

    snapshot: readers.Snapshot
    batch_id: str
    rows: Rows
    columns: tuple[str, ...]
    tally: Tally
    features: Features
    recipients: frozenset[str]  # of the rows that broke no rule
    notes: tuple[str, ...]  # what a person should know about the file as a whole
    had_other_ids: bool  # did any of its rows ever have another order id than now?
    has_totals: bool  # did its sender declare what it holds?
    refusal: (
        # why nothing of it is sent: its own rules and totals; empty when there is no reason
        str
    )
    # by sheet and row
    repeats: Mapping[tuple[str, int], Repeat] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intakes:
    """All input files of one command."""

    files: tuple[Intake, ...]
    refused: tuple[BatchpayError, ...]  # why others could not be read at all


class _Judge:
    """Maps and validates the chunks of one file, and counts them as they go by."""

    def __init__(
        self,
        job: Job,
        snapshot: readers.Snapshot,
        batch_id: str,
        lineages: Lineages | None,
    ) -> None:
        self._job = job
        self._file = snapshot.name
        self._path = snapshot.path
        self._batch_id = batch_id
        self._lineages = lineages
        self._cells = _EarlierCells(lineages)
        self._table = readers.read(
            snapshot,
            job.input,
            job.columns.used(),
            job.columns.roles(),
        )
        self._columns = job.columns.found_in(self._table.columns)
        self._checker = Checker(job.schema, self._columns, _checks(job, self._columns))
        self._no_orders = NoOrders(
            self._columns,
            totals=job.input.total_rows,
            odd_ids=job.input.odd_ids == "accept",
        )
        told_before = unknown if lineages is None else lineages.rows.read_right
        self._separators = Separators(self._columns, told_before)
        self._hundredfold = Hundredfold(job.controls)
        self._subtotals = Subtotals(job.input.total_rows)
        unread = _unread(self._table.columns, self._columns)
        self._headings = Headings(self._columns, unread)
        self._called_off = CalledOff(unread)
        # rows that have an id again that a program had damaged
        self._restored: list[int] = []
        # ... and whose words are as they were before a program changed them
        self._reread: list[int] = []
        # columns whose cells were moved without the rest of their rows
        self._moved: set[str] = set()
        self.columns = tuple(self._table.columns)
        self.tally = Tally()
        self.features = Features()
        self.recipients: set[str] = set()
        self.had_other_ids = False

    def chunks(self) -> Iterator[Judged]:
        """The file, a chunk at a time. Of its last row it is known only at the end what it is."""
        before: Judged | None = None
        self._moved = set()
        for chunk in self._table.chunks():
            judged = self._judged(chunk)
            if not len(judged.chunk.rows):
                continue
            if before is not None:
                yield before
            before = judged
        if before is not None:
            yield self._no_orders.ended(before)

    def counted(self, repeats: Repeats) -> Iterator[Judged]:
        """The same, counted. To be read once."""
        for judged in self.chunks():
            orders = orders_of(judged)
            self.tally.add(judged)
            self.features.add(orders)
            self.recipients.update(values_of(orders, "destination"))
            had_other_ids = bool(judged.earlier or judged.corrects)
            self.had_other_ids = self.had_other_ids or had_other_ids
            repeats.add(self._batch_id, judged)
            self._separators.look(judged)
            self._hundredfold.look(judged)
            self._subtotals.look(judged)
            self._headings.look(judged)
            self._called_off.look(judged)
            yield judged
        if self._table.unended is not None:
            self._require_whole(self._table.unended)

    def _require_whole(self, otherwise: Message) -> None:
        """A file that may have been cut is believed where its sender's count and total agree with
        it. Raises FileRefused.
        """
        if not proves_whole(self.tally, self.controls()):
            raise FileRefused(otherwise)
        self._table.notes.append(noticed.UNENDED_PROVEN())

    def stored(self) -> Iterator[StoredChunk]:
        """The same, as a journal would give them back, without their cells."""
        for number, judged in enumerate(self.chunks()):
            yield stored(number, judged)

    def _judged(self, chunk: readers.TextChunk) -> Judged:
        """A chunk with what its rows are, without those that nobody could take for an order."""
        judged, mapped = self._judged_once(chunk)
        found, gone = self._no_orders.look(judged)
        if self._no_orders.second is not None:
            raise FileRefused(self._two_tables(self._no_orders.second))
        if goes_on := self._no_orders.goes_on:
            raise FileRefused(
                sheets.HEADER_GOES_ON(
                    path=str(self._path),
                    row=goes_on.row,
                    column=goes_on.column,
                    cells=", ".join(goes_on.cells),
                )
            )
        if gone:
            judged, mapped = self._judged_once(chunk.without(gone))
            left = [at for at in range(len(chunk.rows)) if at not in gone]
            found = {new: found[at] for new, at in enumerate(left) if at in found}
        rows = judged.chunk.rows
        self._restored += [rows[at] for at in mapped.restored]
        self._reread += [rows[at] for at in mapped.reread]
        judged = replace(judged, problems=found)
        if self._lineages is None:
            return judged
        earlier = self._lineages.rows
        found = as_before(judged, earlier.problems, self._job.input)
        judged = replace(judged, problems=found)
        judged = replace(judged, problems=merged_before(judged, earlier.row))
        return replace(judged, corrects=self._corrected(judged, earlier))

    def _corrected(self, judged: Judged, earlier: EarlierRows) -> Mapping[int, str]:
        """The rows that those of a chunk came back for, or were when their file came before."""
        rows = judged.chunk.rows
        if not len(rows) or is_rejects_file(self.columns):
            return judged.corrects
        sheet = judged.chunk.sheet
        versions = [
            Stood(batch_id, chunk, decode_cells)
            for batch_id, chunk in earlier.versions(
                self._batch_id, self._file, sheet, rows
            )
        ]
        return {**stood_before(judged, self._columns, versions), **judged.corrects}

    def _two_tables(self, second: SecondTable) -> Message:
        """Why a file with two tables is refused, and how one of them is read."""
        path = str(self._path)
        if second.name:
            return sheets.OTHER_HEADER(
                path=path, row=second.row, cell=second.cell, name=second.name
            )
        if self._table.snapshot.format != "xlsx":
            return sheets.SECOND_TABLE(path=path, row=second.row, cell=second.cell)
        return sheets.SECOND_TABLE_IN_SHEET(
            path=path,
            sheet=told(self._table.sheet),
            row=second.row,
            cell=second.cell,
            range=readers.range_to(self._job.input, len(self.columns), second.last),
        )

    def _judged_once(self, chunk: Chunk) -> tuple[Judged, Mapped]:
        """The same as it stands, and what it was judged from."""
        job = self._job
        lineages = self._lineages
        read = map_chunk(chunk, self._columns, job.input.odd_ids)
        mapped = held_against(read, self._columns, unknown)
        if lineages:
            mapped = self._held_against_journal(read, lineages)
        judged = self._checker.judge(mapped)
        if job.fee:
            require_fixed_fee(judged, job.fee, self._file)
        if lineages:
            judged = replace(
                judged,
                earlier=lineages.earlier(self._batch_id, judged),
                asked=lineages.asked(self._batch_id, judged),
            )
        return judged, mapped

    def _held_against_journal(self, read: Mapped, lineages: Lineages) -> Mapped:
        """What was read, beside what its rows were before as the journal knows."""
        rows = lineages.rows
        columns = self._columns
        mapped = held_against(
            read,
            columns,
            rows.document,
            rows.orders_beside,
            rows.problems,
            self._moved,
            self._cells.of,
        )
        in_place = partial(
            lineages.in_place, self._batch_id, self._file, read.chunk.sheet
        )
        mapped = with_unmeant_in_place(
            mapped, columns, self._cells.of, in_place, self._moved
        )
        self._moved |= moved_in(mapped)
        if lineage.ID not in read.chunk.columns:
            mapped = but_for_charged(mapped, read, lineages.standing)
        return of_other_jobs(mapped, lineages.job_of)

    def controls(self) -> Controls:
        """What the job, or the sender beside the file, says that the file must hold."""
        came_back = is_rejects_file(self.columns)
        return _controls(self._job, self._path, came_back=came_back)

    def refusals(self) -> tuple[Message, ...]:
        """Why nothing of the file is sent, whatever its sender declared; once it was read."""
        return (*self._separators.refusals(), *self._subtotals.refusals())

    def notes(self) -> tuple[str, ...]:
        """What a person should know about the file, once it was read to its end."""
        found = (
            *_told_open(self._path),
            *self._table.notes,
            *self._no_orders.notes(),
            *self._hundredfold.notes(),
            *self._headings.notes(),
            *self._called_off.notes(),
            *_told_rounded(self._columns, self._table),
            *_told_restored(self._restored),
            *_told_reread(self._reread),
        )
        return (*self._job.schema.notes, *map(str, found))


class _EarlierCells:
    """The cells of rows of earlier files; those of the last chunks are kept, by their columns."""

    def __init__(self, lineages: Lineages | None) -> None:
        self._lineages = lineages
        self._unpacked: list[tuple[StoredChunk, Cells, dict[str, list[str]]]] = []

    def of(self, place: str, column: str) -> str | None:
        """The cell of a column in the row of a place; None where the journal does not know it."""
        if self._lineages is None:
            return None
        found = self._lineages.rows.stored(place)
        if found is None:
            return None
        chunk, at = found
        cells, texts = self._unpack(chunk)
        if column not in texts:
            texts[column] = []
            if column in cells.columns:
                texts[column] = cells.texts(column)
        return texts[column][at] if texts[column] else None

    def _unpack(self, chunk: StoredChunk) -> tuple[Cells, dict[str, list[str]]]:
        for known, cells, texts in self._unpacked:
            if known is chunk:
                return cells, texts
        one = (chunk, decode_cells(chunk.cells), dict[str, list[str]]())
        self._unpacked = [*self._unpacked[-1:], one]
        return one[1:]


def stored(number: int, judged: Judged, cells: bytes = b"") -> StoredChunk:
    """A judged chunk as it is kept."""
    return StoredChunk(
        number=number,
        sheet=judged.chunk.sheet,
        rows=judged.chunk.rows,
        documents=list(judged.documents),
        problems=judged.problems,
        comeback=judged.comeback,
        cells=cells,
        corrects=judged.corrects,
        earlier=judged.earlier,
        asked=judged.asked,
    )


def _checks(job: Job, columns: Columns) -> list[Check]:
    """What the job asks of a row beside its schema; `columns` by the names of its file."""
    checks = [mode_check(job.gateway.mode, columns)]
    if job.controls.max_amount:
        checks.append(max_amount_check(job.controls.max_amount, columns))
    if job.fee:
        checks.append(fee_check(job.fee, columns))
    return checks


def _unread(names: Iterable[str], columns: Columns) -> tuple[str, ...]:
    """The columns that its sender wrote, and no field reads."""
    used = {*columns.used(), *ADDED}
    return tuple(name for name in names if name not in used)


def _told_open(path: Path) -> Iterator[Message]:
    """Who has the file open, and may save it again."""
    if name := readers.who_has_open(path):
        yield files.OPEN_ELSEWHERE(name=told(name))


def _told_rounded(columns: Columns, table: readers.Table) -> Iterator[Message]:
    """A dataframe makes decimals of a column of whole numbers as soon as one is missing."""
    source = columns.fields["order_id"]
    if isinstance(source, FromColumn) and source.column in table.rounded:
        yield noticed.ROUNDED_IDS(column=told(source.column))


def _told_restored(rows: Sequence[int]) -> Iterator[Message]:
    """Which rows of a file that came back have an id again that a program had damaged."""
    named = ", ".join(map(str, rows[:NAMED_ROWS]))
    if len(rows) > NAMED_ROWS:
        yield noticed.RESTORED_MORE(rows=named, more=len(rows) - NAMED_ROWS)
    elif len(rows) > 1:
        yield noticed.RESTORED_IDS(rows=named)
    elif rows:
        yield noticed.RESTORED_ID(row=rows[0])


def _told_reread(rows: Sequence[int]) -> Iterator[Message]:
    """How many rows of a file that came back have words again that a program had changed."""
    if rows:
        yield noticed.WORDS_REREAD(rows=len(rows), first=rows[0])


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
    repeats = _repeats(job, lineages)
    files: list[Intake] = []
    refused: list[BatchpayError] = []
    seen: set[str] = set()
    own = [*(path for path, _ in job.own_files()), job.report.directory]
    paths = readers.find_files(job.input, own)
    for path in paths:
        try:
            _require_name(path)
            snapshot = stack.enter_context(readers.open_snapshot(path))
            if snapshot.sha256 in seen:
                continue  # the same bytes under another name are the same batch
            seen.add(snapshot.sha256)
            batch_id = batch_id_of(snapshot.sha256)
            files.append(_read(job, path, snapshot, batch_id, keep, repeats, lineages))
        except readers.OF_ONE_FILE as error:
            if len(paths) == 1 and not isinstance(error, FileRefused):
                raise
            refused.append(error)  # and the others go on
    if files and (left := readers.own_among(job.input, own)):
        said = noticed.OWN_FILES(names=readers.names_of(left))
        files[0] = replace(files[0], notes=(str(said), *files[0].notes))
    if repeats.candidates():
        files = _told_apart(files, repeats, owned)
    return Intakes(tuple(files), tuple(refused))


def _repeats(job: Job, lineages: Lineages | None) -> Repeats:
    distinct = job.input.distinct_ids
    if lineages is None:
        return Repeats(distinct=distinct)
    return Repeats(
        distinct=distinct,
        trace=lineages.of,
        rivals=lineages.rows.rivals,
        asked=lineages.was_asked,
        given_up=lineages.words.given_up,
    )


def _read(
    job: Job,
    path: Path,
    snapshot: readers.Snapshot,
    batch_id: str,
    keep: Keep,
    repeats: Repeats,
    lineages: Lineages | None,
) -> Intake:
    """One file, once, to its end."""

    def again() -> Iterator[StoredChunk]:
        yield from _Judge(job, snapshot, batch_id, lineages).stored()

    judge = _Judge(job, snapshot, batch_id, lineages)
    kept = keep(Source(snapshot, batch_id, again), judge.counted(repeats))
    snapshot.verify_unchanged()
    controls = judge.controls()
    refusal = (*judge.refusals(), *refusal_of(judge.tally, controls, job.input))
    return Intake(
        snapshot=snapshot,
        batch_id=batch_id,
        rows=kept or again,
        columns=judge.columns,
        tally=judge.tally,
        features=judge.features,
        recipients=frozenset(judge.recipients),
        notes=judge.notes(),
        had_other_ids=judge.had_other_ids,
        has_totals=controls.count is not None or controls.total is not None,
        refusal=" ".join(map(str, refusal)),
    )


def _told_apart(
    files: Sequence[Intake], repeats: Repeats, owned: Owned
) -> list[Intake]:
    """The same with the rows that are asked for twice. Files that may be sent are held against each
    other, a refused one only against itself.
    """
    together = [intake for intake in files if not intake.refusal]
    alone = [[intake] for intake in files if intake.refusal]
    told: dict[str, Intake] = {}
    for group in (together, *alone):
        rows = [(intake.batch_id, intake.rows()) for intake in group]
        names = {intake.batch_id: intake.snapshot.name for intake in group}
        found = _by_batch(repeats.resolve(rows, owned, names))
        for intake in group:
            of_file = found.get(intake.batch_id, {})
            also = repeats.notes_on(intake.batch_id)
            notes = (*intake.notes, *map(str, also))
            told[intake.batch_id] = replace(intake, notes=notes, repeats=of_file)
    return [told[intake.batch_id] for intake in files]


def _by_batch(
    found: Mapping[Place, Repeat],
) -> dict[str, dict[tuple[str, int], Repeat]]:
    """Batch -> sheet and row -> what is repeated."""
    each: dict[str, dict[tuple[str, int], Repeat]] = defaultdict(dict)
    for (batch_id, sheet, row), repeat in found.items():
        each[batch_id][sheet, row] = repeat
    return each


def _require_name(path: Path) -> None:
    """Reports, journal and terminal name a file: they can write nothing but text."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path.name).decode("utf-8", "backslashreplace")
        raise FileRefused(files.NAME_NOT_TEXT(path=shown)) from error


def _controls(job: Job, path: Path, *, came_back: bool) -> Controls:
    """The job's control totals, or its sender's beside the file: `orders.csv.totals.json`. The
    job's are of files that its sender wrote: of rows that came back from us they tell nothing.
    """
    controls = job.controls
    if came_back:
        controls = replace(controls, count=None, total=None)
    beside = path.with_name(f"{path.name}.totals.json")
    try:
        data = read_regular(beside, MAX_TOTALS_BYTES)
    except OSError as error:
        # a link to nothing is no absence
        if isinstance(error, FileNotFoundError) and not os.path.lexists(beside):
            return controls
        wrong = files.TOTALS_UNREAD(path=str(beside), wrong=str(error.strerror))
        raise readers.Unread(wrong) from error
    count, total = parse_totals(data, beside.name)
    if count is not None:
        controls = replace(controls, count=count)
    if total is not None:
        controls = replace(controls, total=total)
    return controls
