"""One process at work on one job: its lock, its journal, its clock, and the batches it plans."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from batchpay import __version__, accounts
from batchpay.clock import SystemClock, iso
from batchpay.controls import run_refusal
from batchpay.errors import DoesNotAddUp
from batchpay.intake import Intake, Intakes, take_in
from batchpay.job import Job
from batchpay.journals.lock import RunLock
from batchpay.journals.place import refuse_shared_disk
from batchpay.journals.sqlite import SqliteJournal
from batchpay.lifecycle import Attempt, Next, asks_the_same, beside, judge, owner_of
from batchpay.likeness import Comparison, suspicious
from batchpay.model import Batch, Document, Event, Intent, Judged, Repeat, StoredChunk, orders_of
from batchpay.planning import batch_id_of, content_of, intent_of
from batchpay.reports.manifest import latest_head
from batchpay.settlement import Candidate
from batchpay.settlement.books import stop_in_force

REPEATED_WITHIN = timedelta(days=10)  # how long a file of the same payers and amounts is suspicious


@dataclass(frozen=True, slots=True)
class Sendable:
    """A row that may be sent: as a new attempt, or by the open one it owns."""

    document: Document
    sheet: str
    row: int
    number: int
    open: Attempt | None = None
    before: tuple[Attempt, ...] = ()  # closed attempts of the same order


class Desk:
    """Holds the job's lock from `__init__` on; closes with the stack."""

    def __init__(self, job: Job, stack: ExitStack, *, wait: bool = False) -> None:
        """Take the lock, open the journal and verify it. Raises TryLater, InputOutput and what opening raises."""
        refuse_shared_disk(job.state_path)
        self.job = job
        self.clock = SystemClock()
        self.started_ns = self.clock.now_ns()
        self.run_id = f"{iso(self.started_ns).replace(':', '')}-{uuid.uuid4().hex[:8]}"
        holder = {"started": iso(self.started_ns), "run": self.run_id}
        self.lock = RunLock(job.state_path, job.name, job.gateway.rate, holder, wait=wait)
        stack.callback(self.lock.close)
        self.journal = SqliteJournal(job.state_path, job.name, durable=self.lock.witness)
        stack.callback(self.journal.close)
        self.journal.verify()
        self.lost_events = self._lost_events()
        self._batches = {batch.sha256: batch for batch in self.journal.batches()}
        self.planned: list[Batch] = []  # in this run

    def note(self, kind: str, data: Mapping[str, object], batch_id: str = "") -> Event:
        """An event about the run or a batch."""
        event = Event(kind=kind, at_ns=self.clock.now_ns(), run_id=self.run_id, batch_id=batch_id, data=data)
        return self.journal.append([event])[0]

    def _lost_events(self) -> bool:
        """Is the journal shorter than a run, or a report, has known it to be? Then an older copy was put in its place.

        What it lost is at the gateway and found by the list before the first send (law L11; fault-matrix D07-D10).
        """
        seq, _ = self.journal.head()
        known = max(self.lock.witnessed, latest_head(self.job.report.directory, self.journal.id))
        if known > seq:
            self.note("restored", {"had": known, "has": seq})
        last = [event.kind for event in self.journal.events(["restored", "listing"])][-1:]
        return last == ["restored"]  # until a list was complete: a run may have died while it waited

    @property
    def stop(self) -> str:
        """The stop in force, if any."""
        return stop_in_force(self.journal.events(["stop", "lifted"]))

    # --- planning

    def take_in(self, stack: ExitStack, *, yes: bool) -> Intakes:
        """Read every input file and make its rows the rows of its batch; nothing has left the machine after it."""

        def keep(intake: Intake, chunks: Iterator[Judged]) -> None:
            intake.staged = self.journal.stage(intake.batch_id, chunks)

        intakes = take_in(self.job, stack, self._batch_id, keep, self.journal.owned)
        for intake in intakes.files:
            self._plan(intake, intakes.repeats_of(intake.batch_id))
        self._refuse_repeated(intakes, yes=yes)
        self._refuse_too_much(intakes)
        return intakes

    def _batch_id(self, sha256: str) -> str:
        known = self._batches.get(sha256)
        return (
            known.id
            if known
            else batch_id_of(datetime.fromtimestamp(self.started_ns / 1e9, UTC), self.job.name, sha256)
        )

    def _plan(self, intake: Intake, repeats: Mapping[tuple[str, int], Repeat]) -> None:
        if known := self._batches.get(intake.snapshot.sha256):
            intake.likeness = known.likeness
        batch = batch_of(self.job, intake, self._first_seen_ns(intake))
        event = Event(kind="batch.planned", at_ns=self.clock.now_ns(), run_id=self.run_id)
        self.journal.plan(event, batch, intake.staged, repeats)
        self.planned.append(batch)

    def _first_seen_ns(self, intake: Intake) -> int:
        known = self._batches.get(intake.snapshot.sha256)
        return known.first_seen_ns if known else self.started_ns

    def _refuse(self, intake: Intake, intakes: Intakes, why: str) -> None:
        intake.refusal = " ".join(filter(None, (intake.refusal, why)))
        self._plan_again(intake, intakes)

    def _plan_again(self, intake: Intake, intakes: Intakes) -> None:
        """The same rows, now that more is known of their file."""
        self.planned = [batch for batch in self.planned if batch.id != intake.batch_id]
        intake.staged = self.journal.stage_again(intake.batch_id)
        self._plan(intake, intakes.repeats_of(intake.batch_id))

    def _refuse_repeated(self, intakes: Intakes, *, yes: bool) -> None:
        """A file of new ids with the payers, recipients and amounts of a recent batch (contract, section 3)."""
        for intake in intakes.files:
            orders = map(orders_of, self.journal.chunks(intake.batch_id))
            found = likeness(self.journal, self._batches.values(), intake, orders, self.started_ns)
            if found.refusal and not yes:
                self._refuse(intake, intakes, found.refusal)
            elif found.warning and intake.snapshot.sha256 not in self._batches:
                intake.likeness = found.warning
                self._plan_again(intake, intakes)

    def _refuse_too_much(self, intakes: Intakes) -> None:
        if not self.job.controls.max_total:
            return
        sums: Counter[str] = Counter()
        for batch in self.planned:
            for item in self.sendable(batch) if not batch.refusal else ():
                sums[item.document["currency"].upper()] += item.document["amount"]
        if why := run_refusal(sums, self.job.controls.max_total):
            for intake in intakes.files:
                self._refuse(intake, intakes, why)

    # --- what may be sent

    def sendable(self, batch: Batch) -> Iterator[Sendable]:
        """The rows of a planned batch that may be sent, in the file's order."""
        repeats = self.journal.repeats(batch.id)
        for chunk in self.journal.chunks(batch.id):
            yield from sendable(self.journal, batch.id, chunk, repeats)

    def candidates(self) -> Iterator[Candidate]:
        """The same for all batches of this run that are not refused, as the settlement takes them."""
        try:
            for batch in self.planned:
                for item in self.sendable(batch) if not batch.refusal else ():
                    intent = None if item.open else self._intent(batch, item)
                    yield Candidate(item.document["order_id"], intent, item.before)
        except DoesNotAddUp as error:
            self.note("stop", {"reason": str(error), "order": ""})
            raise

    def _intent(self, batch: Batch, item: Sendable) -> Intent:
        return intent_of(
            item.document, job=self.job.name, attempt=item.number, fee=self.job.fee, batch_id=batch.id,
            sheet=item.sheet, row=item.row, run_id=self.run_id, journal_id=self.journal.id,
        )  # fmt: skip


def sendable(
    journal: SqliteJournal, batch_id: str, chunk: StoredChunk, repeats: Mapping[tuple[str, int], Repeat]
) -> Iterator[Sendable]:
    """The rows of one chunk that are right, stand once, and whose order may take money."""
    done = journal.settled_rows(batch_id, chunk.sheet, chunk.rows[0], chunk.rows[-1]) if chunk.rows else frozenset()
    history = accounts.history_of(journal, batch_id, chunk, done)
    for at, document in accounts.documents_of(chunk):
        row = chunk.rows[at]
        if row in done or (chunk.sheet, row) in repeats:
            continue
        owner = owner_of(history, batch_id, chunk.sheet, row, document["order_id"])
        if owner is not None:
            if owner.adopted and not asks_the_same(document, owner):
                raise DoesNotAddUp(
                    f"order {owner.intent.order_id}: the gateway has {owner.charge.id if owner.charge else 'a charge'} "
                    f"for it, adopted, with other terms than row {row} asks: a person must look"
                )
            may_go = owner.may_go_again and beside(owner, history) is None
            if may_go and owner.intent.content == content_of(document):
                yield Sendable(document, chunk.sheet, row, owner.intent.attempt, owner)
            continue
        judgement = judge(document, at in chunk.comeback, batch_id, history)
        if isinstance(judgement, Next):
            before = history.attempts.get(document["order_id"], ())
            yield Sendable(document, chunk.sheet, row, judgement.number, before=before)


def batch_of(job: Job, intake: Intake, first_seen_ns: int) -> Batch:
    """The batch of an input file as it is planned now."""
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
        first_seen_ns=first_seen_ns,
        fingerprint=intake.features.fingerprint,
        sample=intake.features.sample,
        likeness=intake.likeness,
    )


@dataclass(frozen=True, slots=True)
class Likeness:
    """What is to be said of a file that resembles a recent one."""

    refusal: str = ""  # unless --yes
    warning: str = ""


def likeness(
    journal: SqliteJournal, earlier: Iterable[Batch], intake: Intake, orders: Iterable[list[Document]], now_ns: int
) -> Likeness:
    """Hold a file against those of the last ten days; `orders`, chunk by chunk, are read only when it resembles one."""
    if intake.refusal or not intake.tally.orders.total():
        return Likeness()
    oldest_ns = now_ns - int(REPEATED_WITHIN.total_seconds() * 1e9)
    features = intake.features
    recent = [
        batch
        for batch in earlier
        if batch.id != intake.batch_id and batch.first_seen_ns >= oldest_ns
        and (batch.fingerprint == features.fingerprint or suspicious(features.sample, batch.sample))
    ]  # fmt: skip
    if not recent:
        return Likeness()
    comparison = Comparison()
    for batch in recent:
        for chunk in journal.chunks(batch.id):
            comparison.remember(orders_of(chunk))
    for some in orders:
        comparison.compare(some, journal.histories([order["order_id"] for order in some]))
    return _said(intake, recent, comparison)


def _said(intake: Intake, recent: Sequence[Batch], comparison: Comparison) -> Likeness:
    twins = [batch for batch in recent if batch.fingerprint == intake.features.fingerprint]
    if twins and not comparison.known:
        return Likeness(
            refusal=f"No order id of this file is known, but its payers, recipients and amounts are those of "
            f"{_named(twins[-1])}: if these are new orders, run again with --yes."
        )
    if not comparison.warns:
        return Likeness()
    return Likeness(
        warning=f"{comparison.alike} of its {comparison.new} new orders ask for the same payer, recipient and amount "
        f"as orders of {_named(recent[-1])}: see that they are not the same sales under other ids"
    )


def _named(batch: Batch) -> str:
    return f"batch {batch.id} ({batch.file}, received {iso(batch.first_seen_ns)})"
