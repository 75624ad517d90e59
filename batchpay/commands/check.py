"""`check` and `plan`: what a file holds and what would be sent of it; nothing is sent, no state is
written.

Both judge every row where `run` judges it (`candidates.placed_rows`); only the rows are read from
the file again instead of from the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from batchpay.batches import history
from batchpay.batches.candidates import (
    PlannedBatch,
    Survey,
    batch_of,
    judge_files,
    placed_rows,
    survey,
    unasked,
)
from batchpay.batches.clock import SystemClock
from batchpay.batches.open_job import refuse_another_place
from batchpay.batches.wholeness import loss_of, refuse_lost
from batchpay.domain import steps
from batchpay.domain.errors import BatchpayError, DoesNotAddUp, Misconfigured
from batchpay.domain.exits import sentence
from batchpay.domain.model import Finding, Judged, Outcome, Problem, StoredChunk
from batchpay.domain.money import major_text
from batchpay.domain.text import told as shown
from batchpay.intake.take_in import Intake, Intakes, Keep, judged_chunks, take_in
from batchpay.job.job import Job
from batchpay.job.packaged import data_path
from batchpay.journals.lock import witnessed
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.plan import batch_id_of, by_order, content_of, key_of
from batchpay.lifecycle.standing import (
    Cancelled,
    ConflictWith,
    Guards,
    MayGo,
    RepeatOf,
    Waits,
    goes_now,
    is_sendable,
)
from batchpay.messages.message import plain
from batchpay.reconciliation.findings import Place, finding_of
from batchpay.reconciliation.totals import Totals, exit_code, must_act
from batchpay.settlement import Preflight
from batchpay.settlement.queue import limited
from batchpay.settlement.recorder import AND_ALSO

OnProblem = Callable[[str, str, int, Problem], None]
"""Called with file, sheet, row and problem, in the file's order; what other rows and the journal
say comes last.
"""

OnRow = Callable[[Finding, bool], None]
"""Called with where a row stands, and whether it would be sent."""

LARGEST_LISTED = 1000  # recipients and orders a plan spells out


# --- check
# -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Checked:
    """What `check` found, without the problems, which it told one by one."""

    files: list[dict[str, Any]] = field(default_factory=list)
    rejected: int = 0
    refusals: list[str] = field(default_factory=list)  # of files that could not be read at all
    exit_code: int = 0


def check(job: Job, on_problem: OnProblem) -> Checked:
    """Read, map and validate every row of every input file, and hold it against what the journal
    knows.
    """

    def keep(intake: Intake, chunks: Iterator[Judged]) -> None:
        for judged in chunks:
            for at in sorted(judged.problems):
                for problem in judged.problems[at]:
                    on_problem(
                        intake.snapshot.name, judged.chunk.sheet, judged.chunk.rows[at], problem
                    )

    with ExitStack() as stack:
        journal, unreadable = _journal_if_readable(job, stack)
        at_ns = SystemClock().now_ns()
        intakes = _taken_in(job, stack, journal, at_ns, keep)
        planned = _planned(job, journal, intakes, at_ns, yes=False)
        checked = Checked()
        for intake, batch in zip(intakes.files, planned, strict=True):
            repeated = _tell_repeats(journal, intakes, intake, on_problem)
            contested, may_go = _tell_contested(job, journal, intake, batch, planned, on_problem)
            told = _told(job, intake, batch, repeated + contested)
            told["may_be_sent"] = _sums_of(*may_go)
            told["warnings"] += [unreadable] * bool(unreadable)
            checked.files.append(told)
            checked.rejected += intake.tally.rejected + repeated + contested
        checked.refusals = [str(error) for error in intakes.refused]
        refused = bool(intakes.refused) or any(batch.batch.refusal for batch in planned)
        if refused:
            checked.exit_code = 65
        elif checked.rejected:
            checked.exit_code = 10
        else:
            checked.exit_code = 0
        return checked


def _taken_in(
    job: Job, stack: ExitStack, journal: SqliteJournal, at_ns: int, keep: Keep
) -> Intakes:
    lineages = Lineages(journal)
    batch_id_of = partial(_batch_id, job, journal, at_ns)
    return take_in(job, stack, batch_id_of, keep, journal.owned, lineages)


def _journal_if_readable(job: Job, stack: ExitStack) -> tuple[SqliteJournal, str]:
    """The journal as far as this user may read it; else an empty one, and a sentence that says
    so.
    """
    try:
        journal, unreadable = SqliteJournal(job.state_path, job.name, read_only=True), ""
    except BatchpayError as error:
        journal = SqliteJournal(
            data_path("no journal"), job.name, read_only=True
        )  # an empty one, in memory
        unreadable = f"rows are judged by this file alone, the journal cannot be read: {error}"
    stack.callback(journal.close)
    return journal, unreadable


def _tell_repeats(
    journal: SqliteJournal, intakes: Intakes, intake: Intake, on_problem: OnProblem
) -> int:
    """Rows that the files themselves ask for twice; which of two look-alikes is right, the journal
    may know.
    """
    repeats = intakes.repeats_of(intake.batch_id)
    if journal.knows_orders():
        repeats = {place: repeat for place, repeat in repeats.items() if not repeat.looks_like}
    for (sheet, row), repeat in sorted(repeats.items()):
        problem = Problem("", "", repeat.reason, repeat.outcome.value)
        on_problem(intake.snapshot.name, sheet, row, problem)
    return len(repeats)


def _tell_contested(
    job: Job,
    journal: SqliteJournal,
    intake: Intake,
    batch: PlannedBatch,
    planned: list[PlannedBatch],
    on_problem: OnProblem,
) -> tuple[int, tuple[Counter[str], Counter[str]]]:
    """Rows that the journal's orders stand against: how many; and count and sum by currency of what
    may be sent.
    """
    known, refused = journal.knows_orders(), bool(batch.batch.refusal)
    counts, sums = Counter[str](), Counter[str]()
    if not known and (refused or not batch.repeats):
        return 0, (counts, sums) if refused else (intake.tally.orders, intake.tally.valid)
    guards = history.guards_of(job, journal, present=[other.batch.id for other in planned])
    found = 0
    for placed in placed_rows(job, journal, batch, guards):
        repeat, document = placed.row.repeat, placed.row.document
        if not refused and (is_sendable(placed.standing) or isinstance(placed.standing, Waits)):
            counts[document["currency"].upper()] += 1
            sums[document["currency"].upper()] += document["amount"]
        if (
            known
            and (repeat is None or repeat.looks_like)
            and isinstance(placed.standing, ConflictWith | Cancelled)
        ):
            finding = finding_of(Place(batch.batch, placed.row), placed.standing)
            problem = Problem("", "", plain(finding.reason), finding.outcome.value)
            on_problem(intake.snapshot.name, placed.row.sheet, placed.row.row, problem)
            found += 1
    return found, (counts, sums)


# --- plan
# -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    """What the rows of a plan add up to."""

    limit: int | None = None
    impossible: str = ""  # why a run would end before it sends anything
    survey: Survey = field(default_factory=Survey)
    totals: dict[str, Totals] = field(
        default_factory=dict
    )  # by batch id, of the rows that would not be sent
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome, reason) -> rows
    asked: dict[str, str] = field(default_factory=dict)  # standing.held_beside
    unread: dict[str, None] = field(default_factory=dict)  # files that no run has read
    going: set[int] | None = (
        None  # hashes of the order ids that would be sent, where another row asks for one of them
    )
    repeated: list[tuple[Totals, Finding]] = field(default_factory=list)  # rows that do

    def counted(self) -> None:
        """Count the rows that repeat another: as it will be, when that is sent."""
        for totals, finding in self.repeated:
            goes = self.going is not None and hash(finding.order_id) in self.going
            totals.add(
                replace(finding, counts_as=Outcome.SUCCEEDED, who_acts="-") if goes else finding
            )

    def hold(self) -> str:
        """Why one row more that may go is not sent in this run; empty when it is."""
        if self.impossible:
            return self.impossible
        if self.limit is not None and self.survey.orders >= self.limit:
            return limited(self.limit)
        return ""


def plan(
    job: Job,
    ask: Callable[[frozenset[str]], Preflight] | None = None,
    *,
    yes: bool = False,
    limit: int | None = None,
    on_row: OnRow = lambda finding, sent: None,
    now_ns: int | None = None,
) -> dict[str, Any]:
    """What `run` would send now, by the same code: counts, sums, recipients, warnings and a hash
    over all of it.

    `ask`: tells which recipients cannot be paid now, and the smallest share; without it nothing
    leaves the machine. `yes` and `limit` are those of `run`; `now_ns`: the wall clock, UTC, if not
    this machine's. Raises Misconfigured, InputMissing and what opening the journal raises.
    """
    with ExitStack() as stack:
        known_to_be = witnessed(job.state_path, job.name)
        journal = SqliteJournal(job.state_path, job.name, read_only=True)
        stack.callback(journal.close)
        journal.verify()
        refuse_another_place(job, journal)
        refuse_lost(loss := loss_of(job, journal, known_to_be))
        if now_ns is None:
            at_ns = SystemClock().now_ns()
        else:
            at_ns = now_ns
        intakes = _taken_in(job, stack, journal, at_ns, _drain)
        planned = _planned(job, journal, intakes, at_ns, yes=yes)
        digest = hashlib.sha256(json.dumps([job.sha256, job.schema.sha256, _lookups(job)]).encode())
        guards = history.guards_of(job, journal, present=[batch.batch.id for batch in planned])
        guards = replace(guards, are_new=yes)
        if loss is not None and not loss.noted:  # a run keeps them before it does anything else
            words = {
                key: one.why for one in loss.words for key in (*one.keys, by_order(one.order_id))
            }
            stop = AND_ALSO.join(
                filter(None, (str(guards.stop), *(one["reason"] for one in loss.stops)))
            )
            guards = replace(guards, cancelled_sales={**guards.cancelled_sales, **words}, stop=stop)
        stop = str(guards.stop)
        impossible = _impossible(job, journal, planned, guards)
        if impossible is None:
            asked = _ask(job, journal, planned, guards, ask)
        else:
            asked = None
        if asked is not None:
            if job.controls.min_share == "hold":
                smallest = asked.smallest_share
            else:
                smallest = {}
            guards = replace(
                guards,
                barred=asked.barred,
                smallest_share=smallest,
                least_charge=asked.least_charge,
            )
        if isinstance(impossible, DoesNotAddUp):
            guards = replace(guards, stop=stop or str(impossible))
        tally = _Tally(
            limit,
            str(impossible or ""),
            unread=_unread(journal, planned),
            going=set() if any(one.repeats for one in planned) else None,
        )
        for batch in planned:
            digest.update(batch.batch.sha256.encode())
            _walk(job, journal, batch, guards, tally, digest, on_row)
        tally.counted()
        latest = history.last_totals(journal)
        mine = {batch.batch.id for batch in planned}
        others = [
            Totals.from_json(e.data)
            for name, e in latest.items()
            if name not in mine and history.is_open(e)
        ]
        others += [history.strays(job, journal), history.taken_as_they_are(latest)]
    refusals = [
        f"{batch.batch.file}: {batch.batch.refusal}" for batch in planned if batch.batch.refusal
    ]
    refusals += [str(error) for error in intakes.refused]
    codes = [65] * bool(refusals) + [
        exit_code([*tally.totals.values(), *others], stopped=bool(stop))
    ]
    if impossible is not None:
        codes.append(impossible.exit_code)
        refusals.append(str(impossible))
    code = next(code for code in (12, 78, 65, 11, 10, 0) if code in codes)
    received = sorted(planned, key=lambda one: one.batch.first_seen_ns)
    acts = must_act([*others, *(tally.totals[one.batch.id] for one in received)])
    return {
        **_document(job, planned, intakes, tally, asked),
        "stop": stop,
        "refusals": refusals,
        "plan_hash": f"sha256:{digest.hexdigest()}",
        "exit_code": code,
        "next_step": sentence(code, acts),
        "who_acts": dict(acts.orders),
    }


def _unread(journal: SqliteJournal, planned: Sequence[PlannedBatch]) -> dict[str, None]:
    """The files of which the journal knows nothing yet: no word about their rows is taken."""
    known = {batch.id for batch in journal.batches()}
    return {one.batch.file: None for one in planned if one.batch.id not in known}


def _impossible(
    job: Job, journal: SqliteJournal, planned: list[PlannedBatch], guards: Guards
) -> Misconfigured | DoesNotAddUp | None:
    """Why a run would end before it sends anything."""
    try:
        survey(job, journal, planned, unasked(guards), strict=True)
    except (Misconfigured, DoesNotAddUp) as error:
        return error
    return None


def _ask(
    job: Job,
    journal: SqliteJournal,
    planned: list[PlannedBatch],
    guards: Guards,
    ask: Callable[[frozenset[str]], Preflight] | None,
) -> Preflight | None:
    """What the gateway says of the recipients that something may be sent to, and what it said of
    others before.
    """
    if ask is None:
        return None
    found = survey(job, journal, planned, unasked(guards))
    if not found.orders:
        return None
    return ask(found.destinations).beside(history.preflight_of(journal), found.destinations)


def _walk(
    job: Job,
    journal: SqliteJournal,
    batch: PlannedBatch,
    guards: Guards,
    tally: _Tally,
    digest: Any,
    on_row: OnRow,
) -> None:
    """Every row of one file: what would be sent of it, what not and why."""
    totals = tally.totals[batch.batch.id] = Totals()
    for placed in placed_rows(job, journal, batch, guards, decided=True, asked=tally.asked):
        if goes_now(placed.standing):
            hold = tally.hold()
        else:
            hold = ""
        sent = goes_now(placed.standing) and not hold
        place = Place(batch.batch, placed.row, bool(guards.stop), placed.sale)
        finding = finding_of(place, placed.standing, hold, placed.later)
        on_row(finding, sent)
        if not sent:
            if isinstance(placed.standing, RepeatOf):
                tally.repeated.append((totals, finding))
            else:
                totals.add(finding)
            tally.reasons[finding.outcome.value, finding.reason] += 1
            continue
        tally.survey.add(job, placed)
        document = placed.row.document
        if tally.going is not None:
            tally.going.add(hash(document["order_id"]))
        if isinstance(placed.standing, MayGo):
            number = placed.standing.number
        else:
            number = finding.attempts
        digest.update(
            f"{key_of(job.name, document['order_id'], number)}{content_of(document)}".encode()
        )


def _document(
    job: Job, planned: list[PlannedBatch], intakes: Intakes, tally: _Tally, asked: Preflight | None
) -> dict[str, Any]:
    survey = tally.survey
    shares = sorted(survey.recipients.items(), key=lambda item: (-item[1][1], item[0]))[
        :LARGEST_LISTED
    ]
    warnings = [
        f"{intake.snapshot.name}: {note}"
        for intake, batch in zip(intakes.files, planned, strict=True)
        for note in _warnings(job, intake, batch)
    ]
    if survey.warned:
        warnings.append(
            f"{survey.warned} of these orders ask for the same payer, recipient and amount as one"
            " of the last ten days"
        )
    words = [reason for _, reason in tally.reasons]
    words += [batch.batch.refusal for batch in planned]
    if tally.unread and any(steps.IS_CANCEL in one for one in words):
        warnings.append(steps.RUN_FIRST(files=", ".join(map(shown, tally.unread))))
    if asked is not None:
        warnings += [
            f"recipient {recipient} {why}" for recipient, why in sorted(asked.barred.items())
        ]
        warnings += [
            f"recipient {recipient}: the gateway does not tell of it" for recipient in asked.unknown
        ]
    return {
        "job": job.name,
        "mode": job.gateway.mode,
        "files": [
            _told(job, intake, batch, len(intakes.repeats_of(intake.batch_id)))
            for intake, batch in zip(intakes.files, planned, strict=True)
        ],
        "to_send": {currency: _sums(survey, currency) for currency in sorted(survey.sums)},
        "recipients": [
            {"destination": d, "currency": c, "count": n, "sum_minor": s, "sum": major_text(s, c)}
            for (d, c), (n, s) in shares
        ],
        "not_sent": [
            {"outcome": outcome, "reason": reason, "count": number}
            for (outcome, reason), number in tally.reasons.most_common(LARGEST_LISTED)
        ],
        "outcomes": _outcomes(tally.totals.values()),
        "warnings": warnings,
    }


def _outcomes(every: Iterable[Totals]) -> dict[str, int]:
    """Outcome -> rows of all files, in the contract's order, without those that did not happen."""
    rows = Counter[str]()
    for totals in every:
        rows.update(totals.outcomes())
    return {outcome.value: rows[outcome.value] for outcome in Outcome if rows[outcome.value]}


def _sums(survey: Survey, currency: str) -> dict[str, Any]:
    """Count, sum, commission and shares of one currency; the commission is exact, the gateway
    rounds each order's.
    """
    told: dict[str, Any] = {
        "count": survey.counts[currency],
        "sum_minor": survey.sums[currency],
        "sum": major_text(survey.sums[currency], currency),
    }
    if commission := survey.commission.get(currency):
        rounded = int(commission.to_integral_value())
        told["commission"] = major_text(rounded, currency)
        told["shares"] = major_text(survey.sums[currency] - rounded, currency)
    return told


# --- parts
# -------------------------------------------------------------------------------------------------


def _planned(
    job: Job, journal: SqliteJournal, intakes: Intakes, now_ns: int, *, yes: bool
) -> list[PlannedBatch]:
    """The batches as `run` would plan them; their rows are read from the files again."""
    known = {batch.id: batch for batch in journal.batches()}
    drafts = [
        PlannedBatch(
            batch_of(job, intake, now_ns, known.get(intake.batch_id)),
            partial(_chunks, job, intake),
            intakes.repeats_of(intake.batch_id),
            had_other_ids=intake.had_other_ids,
        )
        for intake in intakes.files
    ]
    return judge_files(job, journal, drafts, yes=yes, now_ns=now_ns)


def _chunks(job: Job, intake: Intake) -> Iterator[StoredChunk]:
    for number, judged in enumerate(judged_chunks(job, intake)):
        sheet, rows = judged.chunk.sheet, judged.chunk.rows
        yield StoredChunk(
            number,
            sheet,
            rows,
            judged.documents,
            judged.problems,
            judged.comeback,
            b"",
            judged.corrects,
            judged.earlier,
        )


def _told(job: Job, intake: Intake, batch: PlannedBatch, repeated: int) -> dict[str, Any]:
    tally = intake.tally
    return {
        "file": intake.snapshot.name,
        "sha256": intake.snapshot.sha256,
        "batch": intake.batch_id,
        "rows": tally.read,
        "rejected": tally.rejected,
        "repeated": repeated,
        "valid": _sums_of(tally.orders, tally.valid),
        "warnings": _warnings(job, intake, batch),
        "refusal": batch.batch.refusal,
    }


def _sums_of(counts: Mapping[str, int], sums: Mapping[str, int]) -> dict[str, Any]:
    """Count and sum by currency."""
    return {
        c: {"count": counts[c], "sum_minor": sums[c], "sum": major_text(sums[c], c)}
        for c in sorted(counts)
    }


def _warnings(job: Job, intake: Intake, batch: PlannedBatch) -> list[str]:
    """What a person should know about a file before it is sent."""
    warnings = [*intake.notes, *filter(None, [batch.batch.likeness])]
    used = set(job.columns.used())
    extra = [
        column
        for column in intake.columns
        if column not in used and not column.startswith("batchpay_")
    ]
    if extra:
        warnings.append(f"columns no field uses: {', '.join(extra)}")
    if not intake.has_totals:
        warnings.append(
            "no control totals: a file cut at the end of a line would look whole; declare count"
            f" and total in [controls], or beside the file as {intake.snapshot.name}.totals.json"
        )
    return warnings


def _lookups(job: Job) -> list[str]:
    return sorted(getattr(source, "sha256", "") for source in job.columns.fields.values())


def _batch_id(job: Job, journal: SqliteJournal, now_ns: int, sha256: str) -> str:
    known = next((batch for batch in journal.batches() if batch.sha256 == sha256), None)
    fresh = batch_id_of(datetime.fromtimestamp(now_ns / 1e9, UTC), job.name, sha256)
    if known:
        return known.id
    return journal.batch_named(fresh)


def _drain(intake: Intake, chunks: Iterator[Judged]) -> None:
    for _ in chunks:
        pass
