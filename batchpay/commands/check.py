"""CHECK: what a file holds, and what of it may be sent; nothing is sent, no state is written.

Every row is judged where `run` judges it (`planned.placed_rows`); only the rows are read from
the file instead of from the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from batchpay import __version__
from batchpay.batches.clock import SystemClock, iso
from batchpay.batches.drafts import batch_id_in, drafts_of
from batchpay.batches.guards import guards_of
from batchpay.batches.judging import judge_files
from batchpay.batches.keeping import KeptRows
from batchpay.batches.planned import (
    Placed,
    PlannedBatch,
    beside_others,
    placed_rows,
)
from batchpay.batches.putback import lay_over
from batchpay.batches.wholeness import loss_of
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Batch, Judged, Outcome, Problem, Repeat
from batchpay.domain.money import major_text
from batchpay.domain.text import mode_told
from batchpay.domain.text import told as shown
from batchpay.intake.controls import Tally
from batchpay.intake.grouping import Group, Groups
from batchpay.intake.take_in import Intake, Intakes, Keep, Rows, Source, take_in
from batchpay.job.job import Job
from batchpay.job.packaged import data_path
from batchpay.journals.lock import witnessed
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.going import Going
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.rows import (
    Cancelled,
    ConflictWith,
    Rejected,
    goes_now,
)
from batchpay.messages import noticed
from batchpay.messages.message import plain, worded
from batchpay.reconciliation.findings import Place, finding_of

OnProblem = Callable[[str, str, int, Problem], None]
"""Called with file, sheet, row and problem, in the file's order; what other rows and the journal
say comes last.
"""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong with one row."""

    file: str
    sheet: str  # empty for files without sheets
    row: int  # as the accountant sees it: the header is row 1
    problem: Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found."""

    exit_code: int
    files: tuple[Mapping[str, Any], ...]  # each as `check --json` shows it
    rejected: int  # rows that somebody must correct
    refusals: tuple[str, ...]  # of files that could not be read at all
    problems: tuple[RowProblem, ...] = ()  # empty when they were told one by one
    groups: tuple[Group, ...] = ()  # the same fault in many rows, once
    # right rows that the next run would not send, by why; a cell stands for the order's id
    held: tuple[Group, ...] = ()
    at: str = ""  # when, UTC, ISO 8601


def check(job: Job, on_problem: OnProblem | None = None) -> Checked:
    """Read, map and validate every row of every input file, and hold it against what the journal
    knows.

    `on_problem` is told of each problem as it is found, and then none is kept: a file may have any
    number. Raises InputMissing and what reading the job's only file raises.
    """
    problems: list[RowProblem] = []
    groups = Groups()

    def tell(file: str, sheet: str, row: int, problem: Problem) -> None:
        groups.add(file, sheet, row, problem)
        if on_problem is not None:
            on_problem(file, sheet, row, problem)
        else:
            problems.append(RowProblem(file, sheet, row, problem))

    with ExitStack() as stack:
        at_ns = SystemClock().now_ns()
        journal, unreadable = _journal_if_readable(job, stack, at_ns)
        intakes = taken_in(
            job, stack, journal, at_ns, partial(_told_as_read, stack, tell)
        )
        drafts = drafts_of(job, journal, intakes, at_ns)
        planned = judge_files(job, journal, drafts, yes=False, now_ns=at_ns)
        checking = _Checking(job, journal, tell, planned)
        each = list(map(checking.file, intakes.files, planned))
    files = [told for told, _ in each]
    if unreadable:
        for told in files:
            told["warnings"].append(unreadable)
    rejected = sum(number for _, number in each)
    if intakes.refused or any(one.batch.refusal for one in planned):
        code = 65
    elif rejected:
        code = 10
    else:
        code = 0
    return Checked(
        exit_code=code,
        files=tuple(files),
        rejected=rejected,
        refusals=tuple(map(str, intakes.refused)),
        problems=tuple(problems),
        groups=groups.all(),
        held=checking.held.all(),
        at=iso(at_ns),
    )


def acknowledged(job: Job, checked: Checked) -> dict[str, Any]:
    """What the sender of a file can keep: what came, by its digest, what it asks for, and what of
    it is right. No cell of it stands there but those that are wrong.
    """
    return {
        "acknowledgement": 1,  # of this form
        "batchpay": __version__,
        "job": job.name,
        "mode": mode_told(job.gateway.mode),
        "checked_at": checked.at,
        "exit_code": checked.exit_code,
        "files": checked.files,
        "rejected": checked.rejected,
        "refusals": checked.refusals,
        "groups": [group.to_json() for group in checked.groups],
        "held": [group.to_json() for group in checked.held],
    }


def _told_as_read(
    stack: ExitStack,
    tell: OnProblem,
    source: Source,
    chunks: Iterator[Judged],
) -> Rows:
    """Tell what is wrong with the rows as they are. They are kept only if they are read again:
    mostly nobody needs them.
    """
    file = source.snapshot.name
    for judged in chunks:
        for at in sorted(judged.problems):
            for problem in judged.problems[at]:
                tell(file, judged.chunk.sheet, judged.chunk.rows[at], problem)
    return KeptRows(stack, source.again).read


def _journal_if_readable(
    job: Job, stack: ExitStack, at_ns: int
) -> tuple[SqliteJournal, str]:
    """The journal as far as this user may read it, with what it has lost laid over it; else an
    empty one, and a sentence that says so.
    """
    unreadable = ""
    known_to_be = witnessed(job.state_path, job.name)
    try:
        journal = SqliteJournal(job.state_path, job.name, read_only=True)
        stack.callback(journal.close)
        lay_over(loss_of(job, journal, known_to_be), journal, at_ns)
    except BatchpayError as error:
        unreadable = (
            f"rows are judged by this file alone, the journal cannot be read: {error}"
        )
        # an empty one, in memory
        journal = SqliteJournal(data_path("no journal"), job.name, read_only=True)
        stack.callback(journal.close)
    return journal, unreadable


WARNED = 20  # rows of a file that are named because they resemble recent orders

_At = tuple[str, int]  # sheet and row


@dataclass(frozen=True, slots=True)
class _JudgedRows:
    """What the rows of a file are beside the journal and each other."""

    # of what may be sent, by currency
    counts: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)  # likewise, smallest units
    # rows that an order of the journal is against
    contested: set[_At] = field(default_factory=set)
    flawed: set[_At] = field(default_factory=set)  # rows that break a rule
    held: set[_At] = field(default_factory=set)  # rows that the next run would not send


class _Checking:
    """The files of one check, held against the journal and each other."""

    def __init__(
        self,
        job: Job,
        journal: SqliteJournal,
        tell: OnProblem,
        planned: Sequence[PlannedBatch],
    ) -> None:
        self._job = job
        self._journal = journal
        self._tell = tell
        self._knows_orders = journal.knows_orders()
        self._warned: list[str] = []
        present = [one.batch.id for one in planned]
        at_ns = SystemClock().now_ns()
        self._guards = guards_of(job, journal, present=present, at_ns=at_ns)
        self._going = Going(several=len(planned) > 1)  # what rows that go ask for
        self.held = Groups()

    def file(self, intake: Intake, batch: PlannedBatch) -> tuple[dict[str, Any], int]:
        """One file as `--json` shows it, and how many of its rows somebody must correct: each once,
        a row that breaks a rule as that, whatever else stands against it.
        """
        self._warned = []
        repeated, wrong = self._tell_repeats(intake)
        judged = self._judged(intake, batch)
        others = (repeated | judged.contested) - judged.flawed
        to_correct = (wrong | judged.contested) - judged.flawed
        told = file_told(intake, batch.batch, len(others))
        told["read"] = read_told(intake.tally)
        told["may_be_sent"] = sums_told(judged.counts, judged.sums)
        told["held"] = len(judged.held)
        told["warnings"] += self._warned
        return told, intake.tally.rejected + len(to_correct)

    def _tell_repeats(self, intake: Intake) -> tuple[set[_At], set[_At]]:
        """Rows that the files themselves ask for twice, each told; and those of them that somebody
        must correct: one that only says the same again is charged once.
        """
        found, wrong = set(), set()
        for (sheet, row), repeat in sorted(intake.repeats.items()):
            if _is_of_files(repeat, knows_orders=self._knows_orders):
                problem = Problem("", "", repeat.reason, repeat.outcome.value)
                self._tell(intake.snapshot.name, sheet, row, problem)
                found.add((sheet, row))
                if repeat.outcome is not Outcome.DUPLICATE:
                    wrong.add((sheet, row))
        return found, wrong

    def _judged(self, intake: Intake, batch: PlannedBatch) -> _JudgedRows:
        """What may be sent, and the rows that the journal's orders stand against, which are
        told.
        """
        refused = bool(batch.batch.refusal)
        found = _JudgedRows()
        if not (self._knows_orders or batch.repeats or self._may_hold()):
            if refused:
                return found
            return _JudgedRows(intake.tally.orders, intake.tally.valid)
        for one in placed_rows(self._job, self._journal, batch, self._guards):
            placed = one if refused else beside_others(one, self._guards, self._going)
            row = placed.row
            if not refused and goes_now(placed.standing):
                currency = row.document["currency"].upper()
                found.counts[currency] += 1
                found.sums[currency] += row.document["amount"]
                self._warn_of(placed)
            elif not refused and self._tell_held(batch.batch, placed):
                found.held.add((row.sheet, row.row))
            if row.problems:
                found.flawed.add((row.sheet, row.row))
            if self._is_contested(placed):
                self._tell_contested(batch.batch, placed)
                found.contested.add((row.sheet, row.row))
        return found

    def _may_hold(self) -> bool:
        """May a row be kept back that stands beside no order of the journal and no other of its
        id?
        """
        guards = self._guards
        of_gateway = (
            guards.barred,
            guards.smallest_share,
            guards.least_charge,
            guards.most_charge,
        )
        of_job = (guards.max_day, guards.max_recipient)
        is_near_held = guards.near_duplicates == "hold"
        holds = bool(guards.stop) or guards.holds_no_share or is_near_held
        return holds or any((*of_gateway, *of_job))

    def _tell_held(self, batch: Batch, placed: Placed) -> bool:
        """Is a row held that could go? Then its group has one more."""
        row = placed.row
        place = Place(batch, row, bool(self._guards.stop), placed.sale)
        finding = finding_of(place, placed.standing)
        if finding.outcome is not Outcome.HELD:
            return False
        code = finding.codes[0] if finding.codes else finding.outcome.value
        problem = Problem("", shown(row.order_id), plain(finding.reason), code)
        self.held.add(batch.file, row.sheet, row.row, problem)
        return True

    def _warn_of(self, placed: Placed) -> None:
        """Keep what a person should know before the row is sent."""
        said = worded(getattr(placed.standing, "warnings", ()))
        if said and len(self._warned) < WARNED:
            self._warned.append(
                f"row {placed.row.row}, order {shown(placed.row.order_id)}: {said}"
            )

    def _is_contested(self, placed: Placed) -> bool:
        """Does the journal stand against a row of which nothing was told yet?"""
        if _is_of_files(placed.row.repeat, knows_orders=self._knows_orders):
            return False
        return is_against_others(placed, knows_orders=self._knows_orders)

    def _tell_contested(self, batch: Batch, placed: Placed) -> None:
        row = placed.row
        finding = finding_of(Place(batch, row), placed.standing)
        problem = Problem("", "", plain(finding.reason), finding.outcome.value)
        self._tell(batch.file, row.sheet, row.row, problem)


# --- what check and plan share


def is_against_others(placed: Placed, *, knows_orders: bool) -> bool:
    """Does another row of the files, or an order of the journal, stand against a row that breaks no
    rule by itself?
    """
    if placed.row.problems:
        return False
    if _is_of_files(placed.row.repeat, knows_orders=knows_orders):
        return True
    if isinstance(placed.standing, Rejected):
        return True
    return knows_orders and isinstance(placed.standing, ConflictWith | Cancelled)


def _is_of_files(repeat: Repeat | None, *, knows_orders: bool) -> bool:
    """Do the files alone tell what a row repeats? The journal may know which of two look-alikes is
    right.
    """
    return repeat is not None and not (knows_orders and repeat.looks_like)


def taken_in(
    job: Job,
    stack: ExitStack,
    journal: SqliteJournal,
    at_ns: int,
    keep: Keep,
) -> Intakes:
    """The job's files, read as a run would read them now."""
    received = datetime.fromtimestamp(at_ns / 1e9, UTC)
    named = partial(batch_id_in, job, journal, received)
    lineages = Lineages.of_job(job, journal)
    return take_in(job, stack, named, keep, journal.owned, lineages)


def file_told(intake: Intake, batch: Batch, repeated: int) -> dict[str, Any]:
    """A file as `--json` shows it."""
    tally = intake.tally
    return {
        "file": intake.snapshot.name,
        "sha256": intake.snapshot.sha256,
        "batch": intake.batch_id,
        "rows": tally.read,
        "rejected": tally.rejected,
        "repeated": repeated,
        "valid": sums_told(tally.orders, tally.valid),
        "warnings": list(warnings_about(intake, batch)),
        "refusal": batch.refusal,
    }


def read_told(tally: Tally) -> dict[str, Any]:
    """Count and sum of all rows as the reader counted them, by currency: those that could be read;
    rows without a currency stand under the empty one.
    """
    told = {}
    for read in tally.reading():
        told[read.currency] = {"count": read.rows, "sum_minor": read.sum}
    return told


def sums_told(counts: Mapping[str, int], sums: Mapping[str, int]) -> dict[str, Any]:
    """Count and sum by currency."""
    told = {}
    for code in sorted(counts):
        minor = sums[code]
        told[code] = {
            "count": counts[code],
            "sum_minor": minor,
            "sum": major_text(minor, code),
        }
    return told


def warnings_about(intake: Intake, batch: Batch) -> Iterator[str]:
    """What a person should know about a file before it is sent."""
    yield from intake.notes
    if batch.likeness:
        yield batch.likeness
    if batch.unused:
        yield str(noticed.UNUSED_COLUMNS(names=", ".join(batch.unused)))
    if not intake.has_totals:
        yield str(noticed.NO_TOTALS(name=intake.snapshot.name))
