"""PLAN: what `run` would send now, by the code that `run` sends by; nothing is sent, no state is
written.

    files -> planned batches -> one survey (what a run asks the gateway about) -> the rows, one by
    one
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from batchpay.batches.clock import SystemClock
from batchpay.batches.drafts import drafts_of
from batchpay.batches.ending import (
    Counted,
    acts_over,
    code_over,
    older_batches,
    opens_an_equation,
)
from batchpay.batches.guards import guards_of, told_by_gateway
from batchpay.batches.judging import judge_files
from batchpay.batches.keeping import keep_now
from batchpay.batches.last import preflight_of
from batchpay.batches.open_job import refuse_another_place
from batchpay.batches.planned import (
    Placed,
    PlannedBatch,
    beside_others,
    placed_rows,
    unasked,
)
from batchpay.batches.putback import lay_over
from batchpay.batches.session import Options, limits_of
from batchpay.batches.standings import findings_of
from batchpay.batches.survey import Survey, survey
from batchpay.batches.wholeness import Loss, loss_of, older_copy, refuse_lost
from batchpay.commands.check import (
    file_told,
    is_against_others,
    taken_in,
    warnings_about,
)
from batchpay.domain.errors import (
    DoesNotAddUp,
    FileRefused,
    GatewaySilent,
    InputMissing,
    Misconfigured,
    NotAllowed,
)
from batchpay.domain.exits import Acts, sentence
from batchpay.domain.model import Batch, Finding, Outcome
from batchpay.domain.money import major_text
from batchpay.domain.text import told as shown
from batchpay.intake.take_in import Intakes
from batchpay.job.job import Job
from batchpay.journals.lock import witnessed
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.going import Going
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.payers import content_of
from batchpay.lifecycle.rows import Guards, MayGo, RepeatOf, goes_now
from batchpay.messages import steps
from batchpay.reconciliation.findings import Place, finding_of
from batchpay.reconciliation.totals import Totals
from batchpay.settlement import Preflight
from batchpay.settlement.queue import limited

Ask = Callable[[frozenset[str]], Preflight]
"""Asks the gateway which of some recipients cannot be paid now, and its smallest transfer."""

OnRow = Callable[[Finding, bool], None]
"""Called with where a row stands, and whether it would be sent."""

LARGEST_LISTED = 1000  # recipients and orders a plan spells out


@dataclass(frozen=True, slots=True)
class Plan:
    """What `run` would send now. Its fields are the keys of `plan --json`, and what they hold is
    what stands there.
    """

    job: str
    mode: str  # test or live
    files: tuple[Mapping[str, Any], ...]
    # by currency: count, sum_minor, sum, and commission
    to_send: Mapping[str, Mapping[str, Any]]
    recipients: tuple[Mapping[str, Any], ...]  # the largest sums first
    not_sent: tuple[Mapping[str, Any], ...]  # outcome, reason, its codes, count
    outcomes: Mapping[str, int]  # of the rows that are not sent
    warnings: tuple[str, ...]
    stop: str  # why nothing is sent at all, by a stop in force
    refusals: tuple[str, ...]  # why files are not sent
    # over job, schema, lookups, files, and every order that would be sent
    plan_hash: str
    exit_code: int
    next_step: str
    who_acts: Mapping[str, int]  # about how many orders

    def document(self) -> dict[str, Any]:
        """For programs, and for `--out`."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is decided before the rows are walked."""

    intakes: Intakes
    planned: Sequence[PlannedBatch]
    guards: Guards
    stop: str  # in force already
    # why a run would end before it sends anything
    impossible: Misconfigured | DoesNotAddUp | None
    asked: Preflight | None  # what the gateway said
    # why it could not be asked: so would a run end
    unasked: GatewaySilent | NotAllowed | Misconfigured | None = None
    # files that no run has read: no word about their rows is taken yet
    unread: tuple[str, ...] = ()
    late: str = ""  # why a run that begins now sends nothing, by its deadline
    older: str = ""  # that what was sent since is not in the journal
    knows_orders: bool = False  # does the journal know any?


def plan(
    job: Job,
    ask: Ask | None = None,
    *,
    yes: bool = False,
    limit: int | None = None,
    on_row: OnRow | None = None,
    now_ns: int | None = None,
) -> Plan:
    """What `run` would send now: counts, sums, recipients, warnings and a hash over all of it.

    `ask`: tells which recipients cannot be paid now; without it nothing leaves the machine. `yes`
    and `limit` are those of `run`; `now_ns`: the wall clock, UTC, if not this machine's. Raises
    Misconfigured, InputMissing and what opening the journal raises.
    """
    if now_ns is None:
        now_ns = SystemClock().now_ns()
    with ExitStack() as stack:
        journal, loss = _journal(job, stack, now_ns)
        intakes = _read(job, stack, journal, now_ns)
        drafts = drafts_of(job, journal, intakes, now_ns)
        planned = judge_files(job, journal, drafts, yes=yes, now_ns=now_ns)
        guards = _guards(job, journal, planned, now_ns, yes=yes)
        known = _looked_ahead(job, journal, intakes, planned, guards, ask)
        known = replace(
            known,
            late=_late(job, now_ns),
            older=older_copy(loss),
            knows_orders=journal.knows_orders(),
        )
        others = _others(job, journal, known)
        walk = _Walk(job, known, limit, on_row, others)
        for one in planned:
            walk.file(one, placed_rows(job, journal, one, known.guards, decided=True))
        walk.count_repeats()
        others = [walk.without_going(job, journal, *one) for one in others]
        ended = _ended(job, journal, known, walk, others)
    return _plan(job, known, walk, *ended)


def _read(job: Job, stack: ExitStack, journal: SqliteJournal, now_ns: int) -> Intakes:
    """The input files. That there is none is told as a run tells it: beside what comes first."""
    try:
        return taken_in(job, stack, journal, now_ns, partial(keep_now, stack))
    except InputMissing as missing:
        return Intakes((), (missing,))


def _late(job: Job, now_ns: int) -> str:
    """Why a run that begins now sends nothing, by the job's deadline; empty when it may."""
    limits = limits_of(job, Options(), now_ns)
    if limits.seconds_left(now_ns, job.gateway.timeout_s) > 0:
        return ""
    return limits.too_late


def _journal(
    job: Job, stack: ExitStack, now_ns: int
) -> tuple[SqliteJournal, Loss | None]:
    """The journal, whole and the job's own, and what it has lost, which is laid over it. Raises
    what a run would raise.
    """
    known_to_be = witnessed(job.state_path, job.name)
    journal = SqliteJournal(job.state_path, job.name, read_only=True)
    stack.callback(journal.close)
    journal.verify_new()
    refuse_another_place(job, journal)
    loss = loss_of(job, journal, known_to_be)
    refuse_lost(loss)
    lay_over(loss, journal, now_ns)
    return journal, loss


def _guards(
    job: Job,
    journal: SqliteJournal,
    planned: Sequence[PlannedBatch],
    now_ns: int,
    *,
    yes: bool,
) -> Guards:
    """What holds rows back."""
    present = [one.batch.id for one in planned]
    found = guards_of(job, journal, present=present, at_ns=now_ns)
    return replace(found, are_new=yes)


def _looked_ahead(
    job: Job,
    journal: SqliteJournal,
    intakes: Intakes,
    planned: Sequence[PlannedBatch],
    guards: Guards,
    ask: Ask | None,
) -> _Known:
    """The survey that a run makes before it sends, and what the gateway says of its recipients."""
    stop = str(guards.stop)
    unread = _unread(journal, planned)
    known = _Known(intakes, planned, guards, stop, None, None, unread=unread)
    try:
        found = survey(job, journal, planned, unasked(guards), strict=True)
    except Misconfigured as error:
        return replace(known, impossible=error)
    except DoesNotAddUp as error:  # a run would make it a stop
        guards = replace(guards, stop=guards.stop or str(error))
        return replace(known, guards=guards, impossible=error)
    if ask is None or not found.orders:
        return known
    try:
        told = ask(found.destinations)
    except (GatewaySilent, NotAllowed, Misconfigured) as error:
        return replace(known, unasked=error)
    asked = told.beside(preflight_of(journal), found.destinations)
    return replace(known, guards=told_by_gateway(job, guards, asked), asked=asked)


def _unread(journal: SqliteJournal, planned: Sequence[PlannedBatch]) -> tuple[str, ...]:
    known = {batch.id for batch in journal.batches()}
    files = [one.batch.file for one in planned if one.batch.id not in known]
    return tuple(dict.fromkeys(files))


# --- the rows


class _Walk:
    """The rows of all files, one by one: what would be sent, what not and why."""

    def __init__(
        self,
        job: Job,
        known: _Known,
        limit: int | None,
        on_row: OnRow | None,
        others: Iterable[Counted],
    ) -> None:
        self._job = job
        self._guards = known.guards
        self._knows_orders = known.knows_orders
        self._limit = limit
        self._ahead = Going(several=len(known.planned) > 1)  # what rows that go ask for
        self._on_row = on_row
        self._is_stopped = bool(known.guards.stop)
        # why a run that begins now would send nothing at all
        self._why_none = str(known.impossible or "") or known.late
        self._digest = hashlib.sha256(_rules_told(job))
        # may another row, of these files or of an older batch, ask for an order that goes?
        repeated = any(one.repeats for one in known.planned)
        self._asks_again = repeated or any(map(_holds, others))
        # hashes of the order ids that would be sent, where it may
        self._going: set[int] = set()
        self._repeated: list[tuple[Totals, Finding]] = []  # rows that repeat another
        self.survey = Survey()  # of what would be sent
        self.totals: dict[str, Totals] = {}  # by batch id, of the rows that would not
        self.against = Counter[str]()  # batch id -> rows that others stand against
        # outcome, reason, and its codes -> rows
        self.reasons = Counter[tuple[str, str, tuple[str, ...]]]()

    @property
    def hash(self) -> str:
        """Over the rules, the files, and what would be sent of them."""
        return f"sha256:{self._digest.hexdigest()}"

    def file(self, planned: PlannedBatch, rows: Iterable[Placed]) -> None:
        """Every row of one file."""
        batch = planned.batch
        totals = self.totals[batch.id] = Totals()
        self._digest.update(batch.sha256.encode())
        for row in rows:
            placed = row
            hold = self._hold()
            if not hold:
                placed = beside_others(row, self._guards, self._ahead)
            goes = goes_now(placed.standing)
            if not goes:
                hold = ""
            place = Place(batch, placed.row, self._is_stopped, placed.sale)
            finding = finding_of(place, placed.standing, hold, placed.later)
            sent = goes and not hold
            if self._on_row is not None:
                self._on_row(finding, sent)
            if is_against_others(placed, knows_orders=self._knows_orders):
                self.against[batch.id] += 1
            if sent:
                self._send(placed, finding)
            else:
                self._leave(placed, finding, totals)

    def count_repeats(self) -> None:
        """Count the rows that repeat another: as it will be, when that is sent."""
        for totals, finding in self._repeated:
            totals.add(self._when_sent(finding))

    def without_going(
        self, job: Job, journal: SqliteJournal, batch: Batch, totals: Totals
    ) -> Counted:
        """An older batch as it will be counted: an order that it holds may go as a row of these
        files, and then nothing is left to do about it.
        """
        if not (self._going and _holds((batch, totals))):
            return batch, totals
        counted = Totals()
        for _, findings in findings_of(job, journal, batch)():
            for finding in findings:
                if finding.outcome is Outcome.HELD:
                    counted.add(self._when_sent(finding))
                else:
                    counted.add(finding)
        return batch, counted

    def _when_sent(self, finding: Finding) -> Finding:
        if hash(finding.order_id) in self._going:
            return replace(
                finding,
                outcome=Outcome.DUPLICATE,
                counts_as=Outcome.SUCCEEDED,
                who_acts="-",
            )
        return finding

    def _hold(self) -> str:
        """Why one row more that may go is not sent in this run; empty when it is."""
        if self._why_none:
            return self._why_none
        if self._limit is not None and self.survey.orders >= self._limit:
            return limited(self._limit)
        return ""

    def _send(self, placed: Placed, finding: Finding) -> None:
        document = placed.row.document
        self.survey.add(self._job, placed)
        if self._asks_again:
            self._going.add(hash(document["order_id"]))
        if isinstance(placed.standing, MayGo):
            number = placed.standing.number
        else:
            number = finding.attempts
        key = key_of(self._job.name, document["order_id"], number)
        self._digest.update(f"{key}{content_of(document)}".encode())

    def _leave(self, placed: Placed, finding: Finding, totals: Totals) -> None:
        if isinstance(placed.standing, RepeatOf):
            self._repeated.append((totals, finding))
        else:
            totals.add(finding)
        self.reasons[finding.outcome.value, finding.reason, finding.codes] += 1


def _rules_told(job: Job) -> bytes:
    lookups = sorted(
        getattr(source, "sha256", "") for source in job.columns.fields.values()
    )
    return json.dumps([job.sha256, job.schema.sha256, lookups]).encode()


# --- what it comes to


def _plan(
    job: Job,
    known: _Known,
    walk: _Walk,
    code: int,
    acts: Acts,
) -> Plan:
    files = [
        file_told(intake, one.batch, walk.against[one.batch.id])
        for intake, one in zip(known.intakes.files, known.planned, strict=True)
    ]
    reasons = walk.reasons.most_common(LARGEST_LISTED)
    return Plan(
        job=job.name,
        mode=job.gateway.mode,
        files=tuple(files),
        to_send=_to_send(walk.survey),
        recipients=_recipients(walk.survey),
        not_sent=tuple(
            {
                "outcome": outcome,
                "reason": reason,
                "codes": list(codes),
                "count": number,
            }
            for (outcome, reason, codes), number in reasons
        ),
        outcomes=_outcomes(walk.totals.values()),
        warnings=(
            *filter(None, [known.older]),
            *_of_files(known),
            *_of_orders(walk.survey),
            *_of_words(known, walk),
            *_of_recipients(known.asked),
        ),
        stop=known.stop,
        refusals=_refusals(known),
        plan_hash=walk.hash,
        exit_code=code,
        next_step=sentence(code, acts),
        who_acts=dict(acts.orders),
    )


def _refusals(known: _Known) -> tuple[str, ...]:
    batches = [one.batch for one in known.planned]
    told = [f"{batch.file}: {batch.refusal}" for batch in batches if batch.refusal]
    told += map(str, known.intakes.refused)
    why = (known.impossible, known.unasked)
    told += [str(error) for error in why if error is not None]
    return tuple(told)


def _others(job: Job, journal: SqliteJournal, known: _Known) -> Sequence[Counted]:
    """Older batches by which a run ends, too."""
    present = {one.batch.id for one in known.planned}
    return list(older_batches(job, journal, present, known.stop))


def _holds(one: Counted) -> bool:
    _, totals = one
    return totals.count(Outcome.HELD) > 0


def _ended(
    job: Job,
    journal: SqliteJournal,
    known: _Known,
    walk: _Walk,
    others: Sequence[Counted],
) -> tuple[int, Acts]:
    """The code that a run would end with, were every charge to succeed, and who must act. Raises
    InputMissing where that is all there is to tell.
    """
    mine = [(one.batch, walk.totals[one.batch.id]) for one in known.planned]
    stopped = bool(known.stop)
    codes = [error.exit_code for error in known.intakes.refused]
    if any(batch.refusal for batch, _ in mine):
        codes.append(FileRefused.exit_code)
    why = (known.impossible, known.unasked)
    codes += [error.exit_code for error in why if error is not None]
    code = code_over(
        job,
        journal,
        (totals for _, totals in (*mine, *others)),
        codes,
        stopped=stopped,
        open_equation=opens_an_equation(others),
    )
    if code == InputMissing.exit_code:
        raise known.intakes.refused[0]
    return code, acts_over(job, journal, [*mine, *others], stopped=stopped)


def _outcomes(every: Iterable[Totals]) -> dict[str, int]:
    """Outcome -> rows of all files, in the README's order, without those that did not happen."""
    rows = Counter[str]()
    for totals in every:
        rows.update(totals.outcomes())
    names = [outcome.value for outcome in Outcome]
    return {name: rows[name] for name in names if rows[name]}


def _to_send(found: Survey) -> dict[str, dict[str, Any]]:
    """Count, sum, commission and shares by currency; the commission is exact, the gateway rounds
    each order's.
    """
    told = {}
    for code in sorted(found.sums):
        sum_minor = found.sums[code]
        one: dict[str, Any] = {
            "count": found.counts[code],
            "sum_minor": sum_minor,
            "sum": major_text(sum_minor, code),
        }
        if commission := found.commission.get(code):
            rounded = int(commission.to_integral_value())
            one["commission_minor"] = rounded
            one["commission"] = major_text(rounded, code)
            one["shares_minor"] = sum_minor - rounded
            one["shares"] = major_text(sum_minor - rounded, code)
        told[code] = one
    return told


def _recipients(found: Survey) -> tuple[Mapping[str, Any], ...]:
    """The largest sums first."""
    shares = sorted(
        found.recipients.items(), key=lambda share: (-share[1][1], share[0])
    )
    return tuple(
        {
            "destination": destination,
            "currency": currency,
            "count": count,
            "sum_minor": sum_minor,
            "sum": major_text(sum_minor, currency),
        }
        for (destination, currency), (count, sum_minor) in shares[:LARGEST_LISTED]
    )


def _of_files(known: _Known) -> Iterable[str]:
    for intake, one in zip(known.intakes.files, known.planned, strict=True):
        for warning in warnings_about(intake, one.batch):
            yield f"{intake.snapshot.name}: {warning}"


def _of_orders(found: Survey) -> Iterable[str]:
    if found.warned:
        yield (
            f"{found.warned} of these orders ask for the same payer, recipient and amount as one"
            f" of the last ten days: {_listed(found.resembling, found.warned)}"
        )
    if found.unusual:
        yield (
            f"{found.unusual} of these orders ask for an amount far outside of what was asked"
            f" before: {_listed(found.outside, found.unusual)}"
        )


def _listed(named: Sequence[str], count: int) -> str:
    return f"{'; '.join(named)}{_more(count - len(named))}"


def _more(more: int) -> str:
    if more > 0:
        return f"; and {more} more"
    return ""


def _of_words(known: _Known, walk: _Walk) -> Iterable[str]:
    """A person's word on a row is taken once a run has read its file."""
    told = [reason for _, reason, _ in walk.reasons]
    told += [one.batch.refusal for one in known.planned]
    if known.unread and any(steps.IS_CANCEL in one for one in told):
        yield str(steps.RUN_FIRST(files=", ".join(map(shown, known.unread))))


def _of_recipients(asked: Preflight | None) -> Iterable[str]:
    if asked is None:
        return
    for recipient, why in sorted(asked.barred.items()):
        yield f"recipient {recipient} {why}"
    for recipient in asked.unknown:
        yield f"recipient {recipient}: the gateway does not tell of it"
