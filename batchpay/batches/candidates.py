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
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from batchpay import __version__
from batchpay.batches import history
from batchpay.batches.clock import iso
from batchpay.batches.renaming import may_tell_names, new_names
from batchpay.domain import steps
from batchpay.domain.errors import DoesNotAddUp, Misconfigured
from batchpay.domain.model import Batch, Document, Intent, Repeat, StoredChunk, orders_of
from batchpay.intake.controls import run_refusal
from batchpay.intake.likeness import FEWEST, Comparison, Unasked, may_contain, suspicious
from batchpay.intake.take_in import Intake
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.kinship import Ancestry, Lineages, Names
from batchpay.lifecycle.plan import alike, intent_of
from batchpay.lifecycle.standing import (
    Cancelled,
    DuplicateOf,
    Guards,
    MayGo,
    Owns,
    Renamed,
    Row,
    Standing,
    Waits,
    fitting_terms_of,
    held_beside,
    is_sendable,
    rows_of,
    settled_by,
    stand,
    unnamed,
    untold,
)
from batchpay.settlement import Candidate
from batchpay.settlement.others import renamed

REPEATED_WITHIN = timedelta(days=10)  # how long a file of the same payers and amounts is suspicious


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A file of this run: what was decided about it as a whole, and its rows, read anew each
    time.
    """

    batch: Batch
    chunks: Callable[[], Iterable[StoredChunk]]
    repeats: Mapping[tuple[str, int], Repeat]
    renamed: Names = field(
        default_factory=Names
    )  # what the rows of this run tell and the journal does not know yet
    had_other_ids: bool = False  # did any of its rows ever have another order id than now?

    def refused(self, *reasons: str) -> PlannedBatch:
        """The same with one reason more why nothing of it is sent."""
        told = " ".join(reason for reason in (self.batch.refusal, *reasons) if reason)
        return replace(self, batch=replace(self.batch, refusal=told))


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and its standing."""

    row: Row
    standing: Standing
    later: Attempt | None = None  # what settled it elsewhere
    sale: str = ""  # History.sale
    # it waits for a person (standing.unnamed), if that has not just been answered (are_new)
    resembles: bool = False


# --- the rows
# --------------------------------------------------------------------------------------------------


def placed_rows(
    job: Job,
    journal: SqliteJournal,
    planned: PlannedBatch,
    guards: Guards,
    *,
    decided: bool = False,
    asked: dict[str, str] | None = None,
) -> Iterator[Placed]:
    """The rows of a batch with their standings, in the file's order.

    `asked`: what rows of this run before them ask for (standing.held_beside). Without `decided`
    those whose own attempt has succeeded are left out: they are never sent again.
    """
    batch = planned.batch
    guards = replace(
        guards, refusal=batch.refusal, unplaced=history.unplaced(journal, batch, planned.chunks)
    )
    distinct, ids_from = guards.alike_ids == "distinct", guards.ids_from
    lineages = Lineages(journal, planned.renamed, distinct=distinct, ids_from=ids_from)
    beside = {} if asked is None else asked
    for chunk in planned.chunks():
        done: frozenset[int] = frozenset()
        if chunk.rows and not decided:
            done = journal.settled_rows(batch.id, chunk.sheet, chunk.rows[0], chunk.rows[-1])
        of_rows = history.history_of(journal, batch, chunk, done, lineages)
        for row in rows_of(batch.id, chunk, planned.repeats):
            if row.row not in done:
                if decided:
                    later = settled_by(row, of_rows, batch.first_seen_ns)
                else:
                    later = None
                standing = held_beside(row, stand(row, of_rows, guards), guards, beside)
                waits = is_sendable(standing) or isinstance(standing, Waits)
                resembles = waits and any(
                    told(row, of_rows, guards) is not None for told in (unnamed, untold)
                )
                yield Placed(row, standing, later, of_rows.sale(row) if decided else "", resembles)


def candidates(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch], guards: Guards, run_id: str
) -> Iterator[Candidate]:
    """What may be sent, as the settlement takes it: of each order one row a run, the one that was
    there at its begin.

    What became of an order in this very run makes way for no other row of it before the next one
    (J14). Raises DoesNotAddUp for a row that an adopted charge contradicts, Misconfigured for one
    that another job charged.
    """
    lineages = Lineages(journal)
    for placed in _rows_of(job, journal, batches, guards):
        _refuse_impossible(job, placed)
        if is_sendable(placed.standing) and not _was_sent(placed.standing, run_id):
            yield _candidate(job, journal, placed, run_id, lineages)


def _was_sent(standing: Standing, run_id: str) -> bool:
    """Was any attempt of the row's order sent in this run already?"""
    return isinstance(standing, MayGo) and any(
        attempt.sent_in == run_id for attempt in standing.before
    )


def _candidate(
    job: Job, journal: SqliteJournal, placed: Placed, run_id: str, lineages: Lineages
) -> Candidate:
    match placed.standing:
        case MayGo(number, before, withdraw):
            intent = intent_of_row(job, journal, placed.row, number, run_id, lineages)
            return Candidate(intent.order_id, intent, before, withdraw)
        case Owns(attempt) | DuplicateOf(attempt):
            return Candidate(attempt.intent.order_id, None)
    raise AssertionError(f"{placed.standing} is not sendable")


def _refuse_impossible(job: Job, placed: Placed) -> None:
    row, standing = placed.row, placed.standing
    if isinstance(standing, Owns) and standing.contradicts:
        charge = standing.attempt.charge
        raise DoesNotAddUp(
            f"order {standing.attempt.intent.order_id}: the gateway has"
            f" {charge.id if charge else 'a charge'} for it, adopted, with other terms than row"
            f" {row.row} asks: "
            + steps.SETTLE_ADOPTED(
                order=standing.attempt.intent.order_id, charge=charge.id if charge else "chrg_…"
            )
        )
    if isinstance(standing, Renamed):
        other = standing.elsewhere
        raise Misconfigured(renamed(row.document["order_id"], other.job, other.charge_id))


def intent_of_row(
    job: Job, journal: SqliteJournal, row: Row, number: int, run_id: str, lineages: Lineages
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
    )


# --- what they add up to
# ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Survey:
    """What may be sent of some batches, counted; money in smallest units by upper-case currency."""

    orders: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    commission: dict[str, Decimal] = field(default_factory=dict)  # exact: the gateway rounds it
    recipients: dict[tuple[str, str], list[int]] = field(
        default_factory=dict
    )  # (id, currency) -> count, sum
    warned: int = 0  # rows that resemble a recent order

    def add(self, job: Job, placed: Placed) -> None:
        """Count one row that may be sent."""
        document = placed.row.document
        if isinstance(placed.standing, MayGo):
            currency, amount, destination = (
                document["currency"].upper(),
                document["amount"],
                document["destination"],
            )
        else:
            assert isinstance(placed.standing, Owns | DuplicateOf)
            asked = placed.standing.attempt.intent
            currency, amount, destination = asked.currency.upper(), asked.amount, asked.destination
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
        self.warned += bool(getattr(placed.standing, "warnings", ()))

    @property
    def destinations(self) -> frozenset[str]:
        """Every recipient that something may be sent to."""
        return frozenset(destination for destination, _ in self.recipients)


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
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch], guards: Guards
) -> Iterator[Placed]:
    asked: dict[str, str] = {}
    for planned in batches:
        if not planned.batch.refusal:
            yield from placed_rows(job, journal, planned, guards, asked=asked)


def unasked(guards: Guards) -> Guards:
    """The same as if the gateway had told nothing yet of recipients and smallest transfers: a run
    asks again.
    """
    return replace(guards, barred={}, smallest_share={})


# --- the files as a whole
# --------------------------------------------------------------------------------------


def batch_of(job: Job, intake: Intake, first_seen_ns: int, known: Batch | None = None) -> Batch:
    """The batch of an input file as it is planned now; `known`: as it was planned before."""
    used = set(job.columns.used())
    return Batch(
        id=intake.batch_id,
        job=job.name,
        file=intake.snapshot.name,
        sha256=intake.snapshot.sha256,
        format=intake.snapshot.format,
        rows_read=intake.tally.read,
        columns=intake.columns,
        unused=tuple(c for c in intake.columns if c not in used and not c.startswith("batchpay_")),
        metadata=tuple(job.columns.metadata),
        mode=job.gateway.mode,
        job_sha256=job.sha256,
        schema_sha256=job.schema.sha256,
        version=__version__,
        delimiter=job.input.delimiter,
        encoding=job.input.encoding,
        header_row=job.input.header_row,
        notes=tuple(intake.notes),
        refusal=intake.refusal,
        first_seen_ns=known.first_seen_ns if known else first_seen_ns,
        fingerprint=intake.features.fingerprint,
        sample=intake.features.sample,
        likeness=known.likeness if known else "",
        read=intake.tally.reading(),
    )


def judge_files(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch], *, yes: bool, now_ns: int
) -> list[PlannedBatch]:
    """The same batches with every verdict about them as files: which ids are other names of orders
    that were sent, likeness to a recent one, and the limit of the run.
    """
    earlier = list(journal.batches())
    lineages = Lineages(journal)
    telling = [
        p for p in batches if may_tell_names(p.batch, lineages, had_other_ids=p.had_other_ids)
    ]
    names = names_in(job, journal, telling)
    batches = [replace(planned, renamed=names) for planned in batches]
    present = [planned.batch.id for planned in batches]
    guards = replace(
        unasked(history.guards_of(job, journal, present=present)), stop="", are_new=yes
    )

    def sends(*some: PlannedBatch) -> Survey:
        return survey(job, journal, some, guards)

    def quiet(one: PlannedBatch) -> set[str]:
        placed = (
            p
            for p in placed_rows(job, journal, one, guards)
            if p.resembles or isinstance(p.standing, Cancelled)
        )
        return {str(p.row.document["order_id"]) for p in placed}

    judged = list(batches)
    for at in sorted(range(len(judged)), key=lambda n: (judged[n].batch.first_seen_ns, n)):
        before = _before(journal, judged[at], judged, earlier)
        judged[at] = _held_against_recent(
            journal, judged[at], before, sends, quiet, yes=yes, now_ns=now_ns
        )
    if not yes:
        judged = _held_against_adopted(job, journal, judged, guards)
    if not job.controls.max_total:
        return judged
    why = " ".join(map(str, run_refusal(sends(*judged).sums, job.controls.max_total)))
    return [planned.refused(why) for planned in judged]


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
    for planned in batches:
        names |= new_names(journal, planned.batch, planned.chunks())
    return names


def _held_against_recent(
    journal: SqliteJournal,
    planned: PlannedBatch,
    before: Sequence[PlannedBatch],
    sends: Callable[[PlannedBatch], Survey],
    quiet: Callable[[PlannedBatch], set[str]],
    *,
    yes: bool,
    now_ns: int,
) -> PlannedBatch:
    """A file of new ids with the payers, recipients and amounts of a recent batch (contract,
    section 3).

    The question is asked where the answer matters: of a file of which something would be sent.
    """
    batch = planned.batch
    found = likeness(journal, before, planned, now_ns, quiet)
    if found.refusal and not yes and sends(planned).orders:
        return planned.refused(found.refusal)
    if not found.warning or journal.spans(batch.id):
        return planned
    return replace(planned, batch=replace(batch, likeness=found.warning))


def said_new(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]
) -> dict[str, list[Any]]:
    """What a person's --yes of this run is about, for the journal's `new_orders` event: charges
    that are looked at however old they are, and orders and files of this run that resemble them.
    Nothing else is answered by it.
    """
    had_others = any(planned.had_other_ids for planned in batches) or any(
        journal.events(["renamed"])
    )
    if not had_others and not Lineages(journal, ids_from=job.columns.ids_from).had_other_sources:
        return {}
    guards = unasked(
        history.guards_of(job, journal, present=[planned.batch.id for planned in batches])
    )
    guards = replace(guards, stop="", are_new=True)
    rows = (
        placed.row.document
        for placed in _rows_of(job, journal, batches, guards)
        if placed.resembles
    )
    orders = {(fitting_terms_of(document)[0], document["order_id"]) for document in rows}
    adopted = [found for _, found in _like_adopted(job, journal, batches, guards)]
    charges = {charge_id for found in adopted if found.warns for charge_id in found.found}
    told: dict[str, list[Any]] = {"orders": sorted(map(list, orders)), "charges": sorted(charges)}
    if orders or charges:
        return told
    return {}


def ask_about_adopted(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]
) -> list[PlannedBatch]:
    """The same batches, once a look has adopted charges: a file is held against those, before
    anything is sent.
    """
    guards = unasked(
        history.guards_of(job, journal, present=[planned.batch.id for planned in batches])
    )
    return _held_against_adopted(job, journal, batches, guards)


def _held_against_adopted(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch], guards: Guards
) -> list[PlannedBatch]:
    """Where a journal was lost, what was known of other ids of its orders went with it: of a file
    of new ids that asks for what adopted charges took, which no row shows, it is asked whether its
    orders are new. How old those are does not matter: they are as recent as the loss.
    """
    return [
        planned.refused(_said_of_adopted(planned.batch, found)) if found.warns else planned
        for planned, found in _like_adopted(job, journal, batches, guards)
    ]


def _like_adopted(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch], guards: Guards
) -> Iterator[tuple[PlannedBatch, Unasked]]:
    """Each file with those charges; but for charges of which a person said that what resembles them
    is new.
    """
    if journal.adopted():
        adopted = history.unshown(job, journal)
    else:
        adopted = []
    said = history.said_new(journal).charges
    taken = [
        a for a in adopted if a.charge is not None and not a.closed and a.charge.id not in said
    ]
    for planned in batches:
        is_asked = len(taken) >= FEWEST and not planned.batch.refusal
        yield planned, _unasked_for(job, journal, planned, guards, taken) if is_asked else Unasked()


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
        asked, charge = attempt.intent, attempt.charge
        if charge is not None and charge.id not in theirs:
            terms = asked.destination, asked.amount, asked.currency
            found.remember(*terms, payer=asked.payer, charge_id=charge.id, batch_id=asked.batch_id)
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
    if batch.refusal or not batch.sample:
        return Likeness()
    oldest_ns = min(now_ns, batch.first_seen_ns) - int(REPEATED_WITHIN.total_seconds() * 1e9)
    recent = [
        other
        for other in before
        if other.batch.id != batch.id
        and other.batch.first_seen_ns >= oldest_ns
        and _resembles(batch, other.batch)
    ]
    if not recent:
        return Likeness()
    was = next((one for one in journal.batches() if one.id == batch.id), None)
    comparison = Comparison(is_open=was is not None and _is_open(was))
    sent = {other.batch.id: len(journal.orders_of(other.batch.id)) for other in recent}
    recent = sorted(
        recent, key=lambda other: sent[other.batch.id] == 0
    )  # one that was sent is named first
    for other in recent:
        for chunk in other.chunks():
            comparison.remember(orders_of(chunk), other.batch.id, is_open=_is_open(other.batch))
    lineages = Lineages(journal, planned.renamed)
    silent = quiet(planned)
    for chunk in planned.chunks():
        some = orders_of(chunk)
        ids = [order["order_id"] for order in some]
        attempts = history.attempts_of(journal, ids)
        known = {order_id for order_id, found in attempts.items() if found}
        forms = journal.look_alikes(list(map(alike, ids)))
        known |= {
            order_id for order_id in ids if alike(order_id) in forms
        }  # what is made of it is judged row by row
        comparison.compare(some, known.union(filter(lineages.other_names, ids)), silent)
    return _said(batch, [other.batch for other in recent], comparison)


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
        more = comparison.new - comparison.size_of(repeated[0])
        if more:
            beside = f", beside {more} more"
        else:
            beside = ""
        return Likeness(
            refusal=(
                "No order id of this file is known, but its payers, recipients and amounts are"
                f" those of {_named(by_id[repeated[0]])}{beside}: {ask}."
            )
        )
    if not (comparison.warns or comparison.is_still_asked):
        return Likeness()
    (most, count), *others = comparison.alike_of.most_common()
    named = by_id[most]
    if comparison.is_still_asked:
        return Likeness(
            refusal=(
                f"{comparison.asked} of its {comparison.new} new orders were refused already,"
                " because they ask for the same payer, recipient and amount as others, such as"
                f" those of {_named(named)}: {ask}."
            )
        )
    if others:
        beside = f", {comparison.alike - count} as those of others,"
    else:
        beside = ""
    return Likeness(
        warning=(
            f"{count} of its {comparison.new} new orders ask for the same payer, recipient and"
            f" amount as orders of {_named(named)}{beside}: see that they are not the same sales"
            " under other ids"
        )
    )


def _named(batch: Batch) -> str:
    return f"batch {batch.id} ({batch.file}, received {iso(batch.first_seen_ns)})"
