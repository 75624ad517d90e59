"""From input files to what may be sent: the same walk for `plan`, which only tells, and for `run`,
which sends.

    take in -> files as a whole (control totals, likeness, limits) -> rows, one by one
    (`standing.stand`)

Both hold the same values: a `PlannedBatch` is a file's rows with what was decided about the file,
wherever its rows are kept. Nothing here writes a journal or asks the gateway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from batchpay import __version__
from batchpay.batches.clock import iso
from batchpay.batches.guards import guards_of, said_new_in, unplaced_in
from batchpay.batches.history import history_of
from batchpay.batches.orders import attempts_of
from batchpay.batches.renaming import may_tell_names, new_names
from batchpay.batches.strays import unshown
from batchpay.domain import steps
from batchpay.domain.errors import DoesNotAddUp, Misconfigured
from batchpay.domain.events import IdsRenamed, NewOrders, told_in
from batchpay.domain.model import Batch, Document, Intent, Repeat, StoredChunk, orders_of
from batchpay.domain.text import told
from batchpay.intake.controls import run_refusal
from batchpay.intake.likeness import FEWEST, Comparison, Unasked, may_contain, suspicious
from batchpay.intake.take_in import Intake, Intakes
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.holds import Going, held_beside, unnamed, untold
from batchpay.lifecycle.kinship import Ancestry, Lineages, Names
from batchpay.lifecycle.plan import alike, batch_id_of, intent_of
from batchpay.lifecycle.rows import (
    Cancelled,
    DuplicateOf,
    Guards,
    History,
    MayGo,
    Owns,
    Renamed,
    Row,
    Standing,
    Waits,
    Why,
    is_sendable,
    rows_of,
)
from batchpay.lifecycle.sales import settled_by
from batchpay.lifecycle.standing import stand
from batchpay.lifecycle.terms import fitting_terms_of
from batchpay.messages.message import worded
from batchpay.messages.standing import NEAR_ONE
from batchpay.settlement import Candidate
from batchpay.settlement.others import renamed

REPEATED_WITHIN = timedelta(days=10)  # how long a file of the same payers and amounts is suspicious


NAMED = 5  # orders that are named because they resemble recent ones


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A file of this run: what was decided about it as a whole, and its rows, read anew each
    time.
    """

    batch: Batch
    chunks: Callable[[], Iterable[StoredChunk]]
    repeats: Mapping[tuple[str, int], Repeat]
    # what the rows of this run tell and the journal does not know yet
    renamed: Names = field(default_factory=Names)
    had_other_ids: bool = False  # did any of its rows ever have another order id than now?

    def refused(self, *reasons: str) -> PlannedBatch:
        """The same with one reason more why nothing of it is sent."""
        told = " ".join(reason for reason in (self.batch.refusal, *reasons) if reason)
        return replace(self, batch=replace(self.batch, refusal=told))

    def warned(self, likeness: str) -> PlannedBatch:
        """The same, and what recent file it resembles."""
        return replace(self, batch=replace(self.batch, likeness=likeness))


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and its standing."""

    row: Row
    standing: Standing
    later: Attempt | None = None  # what settled it elsewhere
    sale: str = ""  # History.sale
    # it waits for a person (standing.unnamed), if that has not just been answered (are_new)
    resembles: bool = False
    # a person typed its id for another sale: with a word that it is new, it may go
    is_typed: bool = False


# --- the rows


def placed_rows(
    job: Job,
    journal: SqliteJournal,
    planned: PlannedBatch,
    guards: Guards,
    *,
    decided: bool = False,
) -> Iterator[Placed]:
    """The rows of a batch with their standings, in the file's order.

    Without `decided` those whose own attempt has succeeded are left out: they are never sent again.
    """
    batch = planned.batch
    unplaced = unplaced_in(journal, batch, planned.chunks)
    guards = replace(guards, refusal=batch.refusal, unplaced=unplaced)
    lineages = Lineages.of_job(job, journal, planned.renamed)
    for chunk in planned.chunks():
        if decided or not chunk.rows:
            done = frozenset[int]()
        else:
            done = journal.settled_rows(batch.id, chunk.sheet, chunk.rows[0], chunk.rows[-1])
        of_rows = history_of(journal, batch, chunk, done, lineages=lineages)
        for row in rows_of(batch.id, chunk, planned.repeats):
            if row.row not in done:
                standing = stand(row, of_rows, guards)
                yield _placed(row, standing, of_rows, guards, batch, decided=decided)


def _placed(
    row: Row,
    standing: Standing,
    of_rows: History,
    guards: Guards,
    batch: Batch,
    *,
    decided: bool,
) -> Placed:
    may_wait = is_sendable(standing) or isinstance(standing, Waits)
    resembles = may_wait and _resembles_others(row, of_rows, guards)
    is_typed = may_wait and not row.corrects and row.place in of_rows.typed
    if not decided:
        return Placed(
            row,
            standing,
            resembles=resembles,
            is_typed=is_typed,
        )
    later = settled_by(row, of_rows, batch.first_seen_ns)
    return Placed(row, standing, later, of_rows.sale(row), resembles, is_typed)


def _resembles_others(row: Row, of_rows: History, guards: Guards) -> bool:
    if unnamed(row, of_rows, guards) is not None:
        return True
    return untold(row, of_rows, guards) is not None


def candidates(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
    run_id: str,
) -> Iterator[Candidate]:
    """What may be sent, as the settlement takes it: of each order one row a run, the one that was
    there at its begin.

    What became of an order in this very run makes way for no other row of it before the next one
    (J14). Raises DoesNotAddUp for a row that an adopted charge contradicts, Misconfigured for one
    that another job charged.
    """
    lineages = Lineages.of_job(job, journal)
    for placed in _rows_of(job, journal, batches, guards):
        _refuse_impossible(job, placed)
        if is_sendable(placed.standing) and not _was_sent(placed.standing, run_id):
            yield _candidate(job, journal, placed, run_id, lineages)


def _was_sent(standing: Standing, run_id: str) -> bool:
    """Was any attempt of the row's order sent in this run already?"""
    if not isinstance(standing, MayGo):
        return False
    return any(attempt.sent_in == run_id for attempt in standing.before)


def _candidate(
    job: Job,
    journal: SqliteJournal,
    placed: Placed,
    run_id: str,
    lineages: Lineages,
) -> Candidate:
    match placed.standing:
        case MayGo(number, before, withdraw):
            intent = intent_of_row(job, journal, placed.row, number, run_id, lineages)
            return Candidate(intent.order_id, intent, before, withdraw)
        case Owns(attempt, before=before) | DuplicateOf(attempt, before=before):
            return Candidate(attempt.intent.order_id, None, before)
    raise AssertionError(f"{placed.standing} is not sendable")


def _refuse_impossible(job: Job, placed: Placed) -> None:
    row = placed.row
    standing = placed.standing
    if isinstance(standing, Owns) and standing.contradicts:
        raise DoesNotAddUp(_told_contradicting(row, standing.attempt))
    if isinstance(standing, Renamed):
        other = standing.elsewhere
        raise Misconfigured(renamed(row.document["order_id"], other.job, other.charge_id))


def _told_contradicting(row: Row, attempt: Attempt) -> str:
    order_id = attempt.intent.order_id
    if attempt.charge:
        there = named = attempt.charge.id
    else:
        there = "a charge"
        named = "chrg_…"
    return (
        f"order {order_id}: the gateway has {there} for it, adopted, with other terms than row"
        f" {row.row} asks: {steps.SETTLE_ADOPTED(order=order_id, charge=named)}"
    )


def intent_of_row(
    job: Job,
    journal: SqliteJournal,
    row: Row,
    number: int,
    run_id: str,
    lineages: Lineages,
) -> Intent:
    """What an attempt of a row's order asks for."""
    if row.corrects:
        ancestry = lineages.of(row.corrects, row.earlier)
    else:
        ancestry = Ancestry()
    return intent_of(
        row.document,
        job=job.name,
        attempt=number,
        fee=job.fee,
        batch_id=row.batch_id,
        sheet=row.sheet,
        row=row.row,
        run_id=run_id,
        journal_id=journal.id,
        mode=job.gateway.mode,
        corrects=ancestry.identity,
        sale=ancestry.keys,
        ids_from=job.columns.ids_from,
        extras_from=job.extras_from,
    )


# --- what they add up to


@dataclass(slots=True)
class Survey:
    """What may be sent of some batches, counted; money in smallest units by upper-case currency."""

    orders: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    commission: dict[str, Decimal] = field(default_factory=dict)  # exact: the gateway rounds it
    # (id, currency) -> count, sum
    recipients: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    warned: int = 0  # rows that resemble a recent order
    resembling: list[str] = field(default_factory=list)  # the first of them, each with what it is
    unusual: int = 0  # rows whose amount is far outside of what was asked before
    outside: list[str] = field(default_factory=list)  # likewise

    def add(self, job: Job, placed: Placed) -> None:
        """Count one row that may be sent."""
        destination, amount, currency = _asked_for(placed)
        self.orders += 1
        self.sums[currency] += amount
        self.counts[currency] += 1
        if job.fee:
            commission = job.fee.of(amount, currency)
        else:
            commission = Decimal(0)
        self.commission[currency] = self.commission.get(currency, Decimal(0)) + commission
        share = self.recipients.setdefault((destination, currency), [0, 0])
        share[0] += 1
        share[1] += amount
        warnings: Why = getattr(placed.standing, "warnings", ())
        near = [one for one in warnings if one.rule == NEAR_ONE.code]
        far = [one for one in warnings if one.rule != NEAR_ONE.code]
        if near:
            self.warned += 1
            if len(self.resembling) < NAMED:
                self.resembling.append(f"{told(placed.row.order_id)}: {worded(near)}")
        if far:
            self.unusual += 1
            if len(self.outside) < NAMED:
                self.outside.append(f"{told(placed.row.order_id)}: {worded(far)}")

    @property
    def destinations(self) -> frozenset[str]:
        """Every recipient that something may be sent to."""
        return frozenset(destination for destination, _ in self.recipients)


def _asked_for(placed: Placed) -> tuple[str, int, str]:
    """Destination, amount and upper-case currency of what a sendable row asks for."""
    if isinstance(placed.standing, MayGo):
        document = placed.row.document
        currency = document["currency"].upper()
        return document["destination"], document["amount"], currency
    assert isinstance(placed.standing, Owns | DuplicateOf)
    asked = placed.standing.attempt.intent
    return asked.destination, asked.amount, asked.currency.upper()


def survey(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
    *,
    strict: bool = False,
) -> Survey:
    """Count what may be sent of the batches that are not refused. `strict`: raises what
    `candidates` raises.
    """
    found = Survey()
    for placed in _rows_of(job, journal, batches, guards):
        if strict:
            _refuse_impossible(job, placed)
        if is_sendable(placed.standing):
            found.add(job, placed)
    return found


def _rows_of(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
) -> Iterator[Placed]:
    going = Going()
    for planned in batches:
        if planned.batch.refusal:
            continue
        for placed in placed_rows(job, journal, planned, guards):
            yield beside_others(placed, guards, going)


def beside_others(placed: Placed, guards: Guards, going: Going) -> Placed:
    """The row among those that go before it in this run; `going` is what they ask for
    (standing.held_beside).
    """
    return replace(placed, standing=held_beside(placed.row, placed.standing, guards, going))


def unasked(guards: Guards) -> Guards:
    """The same as if the gateway had told nothing of recipients and limits: a run asks again."""
    return replace(
        guards,
        barred={},
        smallest_share={},
        least_charge={},
        most_charge={},
        max_day={},
        max_recipient={},
    )


# --- the files as a whole


def batch_id_in(
    job: Job,
    journal: SqliteJournal,
    received: datetime,
    sha256: str,
) -> str:
    """The id of a file's batch: that under which the journal knows the file, else a new one."""
    for batch in journal.batches():
        if batch.sha256 == sha256:
            return batch.id
    return journal.batch_named(batch_id_of(received, job.name, sha256))


def drafts_of(
    job: Job,
    journal: SqliteJournal,
    intakes: Intakes,
    now_ns: int,
) -> list[PlannedBatch]:
    """The files of a command as batches, before they are judged as files. `now_ns`: when those
    were received that nobody has seen yet.
    """
    known = {batch.id: batch for batch in journal.batches()}
    return [
        PlannedBatch(
            batch_of(job, intake, now_ns, known.get(intake.batch_id)),
            intake.rows,
            intake.repeats,
            had_other_ids=intake.had_other_ids,
        )
        for intake in intakes.files
    ]


def batch_of(
    job: Job,
    intake: Intake,
    first_seen_ns: int,
    known: Batch | None = None,
) -> Batch:
    """The batch of an input file as it is planned now; `known`: as it was planned before."""
    likeness = ""
    if known is not None:
        first_seen_ns = known.first_seen_ns
        likeness = known.likeness
    return Batch(
        id=intake.batch_id,
        job=job.name,
        file=intake.snapshot.name,
        sha256=intake.snapshot.sha256,
        format=intake.snapshot.format,
        rows_read=intake.tally.read,
        columns=intake.columns,
        unused=_unused(job, intake.columns),
        metadata=tuple(job.columns.metadata),
        mode=job.gateway.mode,
        job_sha256=job.sha256,
        schema_sha256=job.schema.sha256,
        lookups=job.lookups(),
        version=__version__,
        delimiter=job.input.delimiter,
        encoding=job.input.encoding,
        header_row=job.input.header_row,
        notes=intake.notes,
        refusal=intake.refusal,
        first_seen_ns=first_seen_ns,
        fingerprint=intake.features.fingerprint,
        sample=intake.features.sample,
        likeness=likeness,
        read=intake.tally.reading(),
    )


def _unused(job: Job, columns: Iterable[str]) -> tuple[str, ...]:
    """Columns that no field uses, and that are not ours."""
    used = set(job.columns.used())
    return tuple(
        column for column in columns if column not in used and not column.startswith("batchpay_")
    )


def judge_files(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    *,
    yes: bool,
    now_ns: int,
) -> list[PlannedBatch]:
    """The same batches with every verdict about them as files: which ids are other names of orders
    that were sent, likeness to a recent one, and the limit of the run.
    """
    batches = _with_names(job, journal, batches)
    guards = replace(_guards_before(job, journal, batches), stop="", are_new=yes)
    judged = _held_against_recent(
        job,
        journal,
        batches,
        guards,
        yes=yes,
        now_ns=now_ns,
    )
    if not yes:
        judged = _held_against_adopted(job, journal, judged, guards)
    return _within_limit(job, journal, judged, guards)


def _guards_before(job: Job, journal: SqliteJournal, batches: Iterable[PlannedBatch]) -> Guards:
    """As if the gateway had told nothing yet."""
    present = [planned.batch.id for planned in batches]
    return unasked(guards_of(job, journal, present=present))


def _with_names(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]
) -> list[PlannedBatch]:
    """The same, all with what any of them tells of other names of orders."""
    lineages = Lineages.of_job(job, journal)
    telling = [
        planned
        for planned in batches
        if may_tell_names(planned.batch, lineages, had_other_ids=planned.had_other_ids)
    ]
    names = names_in(job, journal, telling)
    return [replace(planned, renamed=names) for planned in batches]


def _within_limit(
    job: Job,
    journal: SqliteJournal,
    batches: list[PlannedBatch],
    guards: Guards,
) -> list[PlannedBatch]:
    """Refused, all of them, when together they would charge more than a run may."""
    if not job.controls.max_total:
        return batches
    sums = survey(job, journal, batches, guards).sums
    why = " ".join(map(str, run_refusal(sums, job.controls.max_total)))
    return [planned.refused(why) for planned in batches]


def _before(
    journal: SqliteJournal,
    planned: PlannedBatch,
    batches: Sequence[PlannedBatch],
    earlier: Sequence[Batch],
) -> list[PlannedBatch]:
    """Every other file that came before one: in an earlier run, or in this one, where it is read
    before it.
    """
    here = [one.batch.id for one in batches]
    came = (planned.batch.first_seen_ns, here.index(planned.batch.id))
    gone = [
        PlannedBatch(one, partial(journal.chunks, one.id), {})
        for one in earlier
        if one.id not in here
    ]
    return [*gone, *(one for n, one in enumerate(batches) if (one.batch.first_seen_ns, n) < came)]


def names_in(job: Job, journal: SqliteJournal, batches: Iterable[PlannedBatch]) -> Names:
    """Which ids are other names of orders, by all rows of some batches, as far as the journal does
    not know it yet.
    """
    names = Names(ids_from=job.columns.ids_from)
    lineages = Lineages.of_job(job, journal)
    for planned in batches:
        names |= new_names(journal, lineages, planned.batch, planned.chunks())
    return names


def _held_against_recent(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
    *,
    yes: bool,
    now_ns: int,
) -> list[PlannedBatch]:
    """Files of new ids with the payers, recipients and amounts of a recent batch (contract,
    section 3), in the order in which they came.

    The question is asked where the answer matters: of a file of which something would be sent.
    """
    guards = replace(guards, asks_first=True)
    quiet = partial(_quiet, job, journal, guards)
    earlier = list(journal.batches())
    judged = list(batches)
    for at in sorted(range(len(judged)), key=lambda n: (judged[n].batch.first_seen_ns, n)):
        planned = judged[at]
        before = _before(journal, planned, judged, earlier)
        found = likeness(journal, before, planned, now_ns, quiet)
        if found.refusal and not yes and survey(job, journal, [planned], guards).orders:
            judged[at] = planned.refused(found.refusal)
        elif found.warning and not journal.spans(planned.batch.id):
            judged[at] = planned.warned(found.warning)
    return judged


def _quiet(
    job: Job,
    journal: SqliteJournal,
    guards: Guards,
    planned: PlannedBatch,
) -> set[str]:
    """Ids of the orders of a file that a person cancelled, or is asked about one by one."""
    return {
        str(placed.row.document["order_id"])
        for placed in placed_rows(job, journal, planned, guards)
        if placed.resembles or isinstance(placed.standing, Cancelled)
    }


def said_new(job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]) -> NewOrders | None:
    """What a person's --yes of this run is about: charges that are looked at however old they are,
    and orders and files of this run that resemble them. Nothing else is answered by it.
    """
    if not _has_other_ids(job, journal, batches):
        return None
    guards = replace(_guards_before(job, journal, batches), stop="", are_new=True)
    orders: set[tuple[str, str]] = set()  # terms, and the order's own id
    for placed in _rows_of(job, journal, batches, guards):
        if placed.resembles or placed.is_typed:
            document = placed.row.document
            orders.add((fitting_terms_of(document)[0], document["order_id"]))
    charges: set[str] = set()
    for _, found in _like_adopted(job, journal, batches, guards):
        if found.warns:
            charges.update(found.found)
    if not orders and not charges:
        return None
    return NewOrders(orders=tuple(sorted(orders)), charges=tuple(sorted(charges)))


def _has_other_ids(job: Job, journal: SqliteJournal, batches: Iterable[PlannedBatch]) -> bool:
    """Did any row of these files, or of earlier ones, ever have another order id than now?"""
    if any(planned.had_other_ids for planned in batches):
        return True
    if any(told_in(journal, IdsRenamed)):
        return True
    return bool(Lineages.of_job(job, journal).had_other_sources)


def ask_about_adopted(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]
) -> list[PlannedBatch]:
    """The same batches, once a look has adopted charges: a file is held against those, before
    anything is sent.
    """
    return _held_against_adopted(job, journal, batches, _guards_before(job, journal, batches))


def _held_against_adopted(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
) -> list[PlannedBatch]:
    """Where a journal was lost, what was known of other ids of its orders went with it: of a file
    of new ids that asks for what adopted charges took, which no row shows, it is asked whether its
    orders are new. How old those are does not matter: they are as recent as the loss.
    """
    judged = []
    for planned, found in _like_adopted(job, journal, batches, guards):
        if found.warns:
            judged.append(planned.refused(_said_of_adopted(planned.batch, found)))
        else:
            judged.append(planned)
    return judged


def _like_adopted(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
) -> Iterator[tuple[PlannedBatch, Unasked]]:
    """Each file with those charges; but for charges of which a person said that what resembles them
    is new.
    """
    taken = _taken_unasked(job, journal)
    for planned in batches:
        if len(taken) >= FEWEST and not planned.batch.refusal:
            yield planned, _unasked_for(job, journal, planned, guards, taken)
        else:
            yield planned, Unasked()


def _taken_unasked(job: Job, journal: SqliteJournal) -> list[Attempt]:
    """Adopted charges that no row shows, and of which no person spoke."""
    if not journal.adopted():
        return []
    said = said_new_in(journal).charges
    return [
        attempt
        for attempt in unshown(job, journal)
        if attempt.charge is not None and not attempt.closed and attempt.charge.id not in said
    ]


def _unasked_for(
    job: Job,
    journal: SqliteJournal,
    planned: PlannedBatch,
    guards: Guards,
    taken: Sequence[Attempt],
) -> Unasked:
    """A file held against charges that nobody asked for: what would be sent of it, but for those
    that a row shows.
    """
    found = Unasked()
    new: list[Document] = []
    theirs: set[str] = set()
    for placed in placed_rows(job, journal, planned, guards):
        shown = getattr(placed.standing, "attempt", None)
        if isinstance(placed.standing, MayGo) and not placed.standing.before:
            new.append(placed.row.document)
        elif shown is not None and shown.charge is not None:
            theirs.add(shown.charge.id)
    for attempt in taken:
        asked = attempt.intent
        charge = attempt.charge
        if charge is not None and charge.id not in theirs:
            terms = asked.destination, asked.amount, asked.currency
            found.remember(
                *terms,
                payer=asked.payer,
                charge_id=charge.id,
                batch_id=asked.batch_id,
            )
    for one in new:
        found.compare(one)
    return found


def _said_of_adopted(batch: Batch, found: Unasked) -> str:
    return (
        f"{len(found.found)} of its {found.new} new orders ask for the payer, recipient and amount"
        " of charges that were found at the gateway when the journal had been lost or put back,"
        f" and that no row shows, such as {found.found[0]}: they may be the same sales under other"
        f" ids. {_capital(steps.NEW_ORDERS(batch=batch.id))}."
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What is to be said of a file that resembles a recent one."""

    refusal: str = ""  # unless --yes
    warning: str = ""


def likeness(
    journal: SqliteJournal,
    before: Iterable[PlannedBatch],
    planned: PlannedBatch,
    now_ns: int,
    quiet: Callable[[PlannedBatch], Collection[str]] = lambda _: (),
) -> Likeness:
    """Hold a file against those of the last ten days; its orders are read only when it resembles
    one.

    `quiet`: which of its orders a person cancelled, or is asked about one by one.
    """
    batch = planned.batch
    recent = _recent(before, batch, now_ns)
    if not recent:
        return Likeness()
    was = next((one for one in journal.batches() if one.id == batch.id), None)
    comparison = Comparison(is_open=was is not None and _is_open(was))
    # one that was sent is named first
    sent = {other.batch.id: bool(journal.orders_of(other.batch.id)) for other in recent}
    recent = sorted(recent, key=lambda other: not sent[other.batch.id])
    for other in recent:
        for chunk in other.chunks():
            comparison.remember(orders_of(chunk), other.batch.id, is_open=_is_open(other.batch))
    lineages = Lineages(journal, planned.renamed)
    silent = quiet(planned)
    for chunk in planned.chunks():
        some = orders_of(chunk)
        ids = [order["order_id"] for order in some]
        comparison.compare(some, _known_in(journal, lineages, ids), silent)
    return _said(batch, [other.batch for other in recent], comparison)


def _recent(before: Iterable[PlannedBatch], batch: Batch, now_ns: int) -> list[PlannedBatch]:
    """The files of the last ten days that one may repeat."""
    if batch.refusal or not batch.sample:
        return []
    oldest_ns = min(now_ns, batch.first_seen_ns) - int(REPEATED_WITHIN.total_seconds()) * 10**9
    return [
        other
        for other in before
        if other.batch.id != batch.id
        and other.batch.first_seen_ns >= oldest_ns
        and _resembles(batch, other.batch)
    ]


def _known_in(journal: SqliteJournal, lineages: Lineages, ids: Sequence[str]) -> set[str]:
    """Which of these order ids the journal knows, under whatever name. What is made of one that
    looks like a known one is judged row by row.
    """
    attempts = attempts_of(journal, ids)
    forms = journal.look_alikes(list(map(alike, ids)))
    known = {order_id for order_id, found in attempts.items() if found}
    known.update(order_id for order_id in ids if alike(order_id) in forms)
    known.update(filter(lineages.other_names, ids))
    return known


def _resembles(batch: Batch, other: Batch) -> bool:
    alike = batch.fingerprint == other.fingerprint or suspicious(batch.sample, other.sample)
    return alike or (bool(other.sample) and may_contain(batch.sample, other.sample))


def _is_open(batch: Batch) -> bool:
    """Was it asked whether its orders are new, and did nobody say so?"""
    return steps.NEW_ORDERS(batch=batch.id)[1:] in batch.refusal


def _said(batch: Batch, recent: Sequence[Batch], comparison: Comparison) -> Likeness:
    by_id = {other.id: other for other in recent}
    ask = steps.NEW_ORDERS(batch=batch.id)
    if repeated := comparison.repeated:
        told = _told_repeated(by_id[repeated[0]], comparison)
        return Likeness(refusal=f"{told}: {ask}.")
    if comparison.is_still_asked:
        told = _told_still_asked(by_id[_most_alike(comparison)], comparison)
        return Likeness(refusal=f"{told}: {ask}.")
    if comparison.warns:
        return Likeness(warning=_told_alike(by_id[_most_alike(comparison)], comparison))
    return Likeness()


def _most_alike(comparison: Comparison) -> str:
    (most, _), *_ = comparison.alike_of.most_common()
    return most


def _told_repeated(other: Batch, comparison: Comparison) -> str:
    more = comparison.new - comparison.size_of(other.id)
    if more:
        beside = f", beside {more} more"
    else:
        beside = ""
    return (
        "No order id of this file is known, but its payers, recipients and amounts are those of"
        f" {_named(other)}{beside}"
    )


def _told_still_asked(other: Batch, comparison: Comparison) -> str:
    return (
        f"{comparison.asked} of its {comparison.new} new orders were refused already, because they"
        " ask for the same payer, recipient and amount as others, such as those of"
        f" {_named(other)}"
    )


def _told_alike(other: Batch, comparison: Comparison) -> str:
    count = comparison.alike_of[other.id]
    if len(comparison.alike_of) > 1:
        beside = f", {comparison.alike - count} as those of others,"
    else:
        beside = ""
    return (
        f"{count} of its {comparison.new} new orders ask for the same payer, recipient and amount"
        f" as orders of {_named(other)}{beside}: see that they are not the same sales under other"
        " ids"
    )


def _named(batch: Batch) -> str:
    return f"batch {batch.id} ({batch.file}, received {iso(batch.first_seen_ns)})"
