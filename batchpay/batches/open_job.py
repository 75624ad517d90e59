"""One process at work on one job: its lock, its journal, its clock, and the batches it plans."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from batchpay import gateways
from batchpay.batches.candidates import candidates
from batchpay.batches.clock import SystemClock, iso
from batchpay.batches.drafts import batch_id_in, drafts_of
from batchpay.batches.guards import guards_of
from batchpay.batches.judging import judge_files, names_in, said_new
from batchpay.batches.last import last_inputs
from batchpay.batches.planned import PlannedBatch, unasked
from batchpay.batches.putback import told_again
from batchpay.batches.signals import Signals
from batchpay.batches.survey import Survey, survey
from batchpay.batches.wholeness import (
    Loss,
    loss_met,
    loss_of,
    refuse_behind,
    whose_before,
)
from batchpay.domain.errors import DoesNotAddUp, FileRefused
from batchpay.domain.events import (
    STOPS,
    IdsMadeOf,
    InputsRead,
    Restored,
    RowsAnswered,
    Stop,
    Told,
    line,
    told_in,
)
from batchpay.domain.model import Event, Judged
from batchpay.domain.ports import Clock, Gateway
from batchpay.intake.take_in import Intakes, Rows, Source, take_in
from batchpay.job.job import GatewaySettings, Job
from batchpay.journals.lock import RunLock
from batchpay.journals.place import refuse_shared_disk
from batchpay.journals.sqlite.file import Durable
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.names import Names
from batchpay.lifecycle.rows import Guards
from batchpay.settlement import Candidate, Recorder
from batchpay.settlement.in_force import stop_in_force, whose_journal
from batchpay.settlement.run import refuse_other_place


def _journal(job: Job, durable: Durable) -> SqliteJournal:
    return SqliteJournal(job.state_path, job.name, durable=durable)


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a process meets the world. Tests and the simulator hand in others; everything behind
    them is the same.
    """

    clock: Callable[[], Clock] = SystemClock
    wall_ns: Callable[[], int] = time.time_ns  # the lock's memory of the last requests
    journal: Callable[[Job, Durable], SqliteJournal] = _journal
    gateway: Callable[[GatewaySettings, str], Gateway] = gateways.open
    run_name: Callable[[], str] = lambda: uuid.uuid4().hex[:8]
    signals: Callable[[], Signals] = Signals


WORLD = Edges()


class OpenJob:
    """Holds the job's lock from `__init__` on; closes with the stack."""

    def __init__(
        self,
        job: Job,
        stack: ExitStack,
        *,
        wait: bool = False,
        whole: bool = False,
        edges: Edges = WORLD,
    ) -> None:
        """Take the lock, open the journal and verify what is new in it. `whole`: refuse one that
        lacks what no run has dealt with.

        Raises TryLater, InputOutput, what opening raises, and Misconfigured for a journal of
        another mode or address, or that is not whole.
        """
        refuse_shared_disk(job.state_path)
        self.job = job
        self.edges = edges
        self.clock = edges.clock()
        self.started_ns = self.clock.now_ns()
        self.started_s = self.clock.elapsed_s()
        self.run_id = f"{iso(self.started_ns).replace(':', '')}-{edges.run_name()}"
        holder = {"started": iso(self.started_ns), "run": self.run_id}
        rate = job.gateway.rate
        wall_ns = edges.wall_ns
        self.lock = RunLock(
            job.state_path,
            job.name,
            rate,
            holder,
            wait=wait,
            wall_ns=wall_ns,
        )
        stack.callback(self.lock.close)
        self.journal = edges.journal(job, self.lock.witness)
        stack.callback(self.journal.close)
        self.journal.verify_new()
        self.loss = self._loss(whole=whole)
        # what the gateway's list showed that it has lost, in this run
        self.met: Loss | None = None
        self.recorder = Recorder(
            self.journal,
            self.clock,
            job.name,
            self.run_id,
            live=job.gateway.mode == "live",
            fee=job.fee,
            belongs=whose_before(job, self.journal, self.lock.whose),
            keep_whose=self.lock.belongs,
            taking_over=self._taking_over,
        )
        self.planned: list[PlannedBatch] = []  # in this run
        # batch id -> why its file is refused, whatever others there are
        self._refusals: dict[str, str] = {}
        self.judged_again = False  # was anything decided otherwise since?
        # did a row turn out to settle one of another file, which may have been counted before?
        self.answered = False
        self.requests: Callable[[], Mapping[str, int]] = (
            dict  # what it asked, in numbers
        )
        self.empty = False  # a night without a file, which the job says is well

    @property
    def started(self) -> datetime:
        """When this process began, by the wall clock, UTC."""
        return datetime.fromtimestamp(self.started_ns / 1e9, UTC)

    def note(self, told: Told, batch_id: str = "") -> Event:
        """An event about the run or a batch."""
        return self.journal.append([self._event(told, batch_id=batch_id)])[0]

    def _event(self, told: Told, batch_id: str = "", order_id: str = "") -> Event:
        at_ns = self.clock.now_ns()
        return line(
            told,
            at_ns,
            self.run_id,
            batch_id=batch_id,
            order_id=order_id,
        )

    def _when(self) -> Event:
        """Now, in this run; what there is to tell is the journal's own."""
        return Event("", at_ns=self.clock.now_ns(), run_id=self.run_id)

    def _loss(self, *, whole: bool) -> Loss | None:
        """What this journal has lost, noted before anything else is (law L11)."""
        loss = loss_of(self.job, self.journal, self.lock.witnessed)
        if whole:
            refuse_behind(loss)
        # what was verified before is not what others know: then all of it is
        if loss is not None:
            self.journal.verify()
        if loss is not None and not loss.noted:
            self.journal.append(self._told_again(loss))
        return loss

    def _taking_over(self, met: Restored) -> list[Event]:
        """The same, as it is to be written, of a loss that only the gateway's list tells of."""
        self.met = loss_met(self.job, self.journal, met)
        return self._told_again(self.met, met)

    def _told_again(self, loss: Loss, met: Restored | None = None) -> list[Event]:
        at_ns = self.clock.now_ns()
        return told_again(loss, self.journal, at_ns, self.run_id, met)

    @property
    def stop(self) -> str:
        """The stop in force, if any."""
        return stop_in_force(self.journal.events(STOPS))

    # --- planning

    def take_in(self, stack: ExitStack, *, yes: bool) -> Intakes:
        """Read every input file, decide about each, and make its rows the rows of its batch, once.

        Nothing has left the machine after it.
        """
        refuse_another_place(self.job, self.journal)
        staged: dict[str, str] = {}

        def keep(source: Source, chunks: Iterator[Judged]) -> Rows:
            generation = self.journal.stage(source.batch_id, chunks)
            staged[source.batch_id] = generation
            return partial(self.journal.chunks, source.batch_id, generation)

        named = partial(batch_id_in, self.job, self.journal, self.started)
        lineages = Lineages.of_job(self.job, self.journal)
        intakes = take_in(self.job, stack, named, keep, self.journal.owned, lineages)
        drafts = drafts_of(self.job, self.journal, intakes, self.started_ns)
        self._refusals = {one.batch.id: one.batch.refusal for one in drafts}
        judged = judge_files(
            self.job,
            self.journal,
            drafts,
            yes=yes,
            now_ns=self.started_ns,
        )
        self._note_before_planning(judged, yes=yes)
        self.planned = [self._plan(one, staged[one.batch.id]) for one in judged]
        self._note_inputs()
        return intakes

    def _note_before_planning(
        self, judged: Sequence[PlannedBatch], *, yes: bool
    ) -> None:
        """What the files tell of orders, before their rows have new ids: a kill loses nothing."""
        self._note_ids()
        if yes and (said := said_new(self.job, self.journal, judged)):
            self.note(said)
        if judged and (names := judged[0].renamed):
            self.note(names.as_told())

    def _plan(self, judged: PlannedBatch, staged: str) -> PlannedBatch:
        """Write a batch into the journal, with every verdict about its file; its rows are read from
        there from now on.
        """
        batch = judged.batch
        self.journal.plan(self._when(), batch, staged, judged.repeats)
        chunks = partial(self.journal.chunks, batch.id)
        return replace(judged, chunks=chunks, renamed=Names())

    def note_renamed(self) -> None:
        """Adopted charges may be those of rows that have other order ids by now: what became of
        which is written down.

        To be called once a list has brought some, before anything is sent.
        """
        if names := names_in(self.job, self.journal, self.planned):
            self.note(names.as_told())

    def judge_again(self) -> None:
        """Hold the files of this run against one another, and against the charges that its look
        adopted, before anything is sent: what would have been asked about them before the look, had
        the journal known of these, is asked now, and nothing else.
        """
        before = {planned.batch.id: planned.batch for planned in self.planned}
        unjudged = [
            replace(
                one,
                batch=replace(one.batch, refusal=self._refusals.get(one.batch.id, "")),
            )
            for one in self.planned
        ]
        judged = judge_files(
            self.job, self.journal, unjudged, yes=False, now_ns=self.started_ns
        )
        for planned in judged:
            if planned.batch != before[planned.batch.id]:
                self.journal.judge(self._when(), planned.batch)
                self.judged_again = True
        self.planned = [replace(planned, renamed=Names()) for planned in judged]

    def refused(self) -> list[FileRefused]:
        """What is wrong with each file of this run as a whole."""
        batches = [planned.batch for planned in self.planned]
        return [
            FileRefused(f"{batch.file}: {batch.refusal}")
            for batch in batches
            if batch.refusal
        ]

    def note_answered(self, rows: Mapping[str, str], batch_id: str) -> None:
        """Rows of older files that came back in this batch, each as a duplicate of a charged order:
        that settles them, and every row that they came back for themselves. Beside rows of its own
        id an order answers for one sale.
        """
        lineages = Lineages.of_job(self.job, self.journal)
        told: dict[str, str] = {}
        for place, order_id in rows.items():
            ancestry = lineages.of(place)
            beside = [one for one, other in told.items() if other == order_id]
            if lineages.may_answer(ancestry, order_id, beside):
                told.update(dict.fromkeys(ancestry.places, order_id))
        news = {
            place: order_id
            for place, order_id in told.items()
            if order_id not in lineages.answered(place)
        }
        if news:
            self.answered = True
            self.note(RowsAnswered(rows=news), batch_id)

    def _note_ids(self) -> None:
        """Of which cells order ids are made from now on."""
        ids_from = self.job.columns.ids_from
        noted = ""
        for _, told in told_in(self.journal, IdsMadeOf):
            noted = told.ids_from
        if noted != ids_from:
            self.note(IdsMadeOf(ids_from=ids_from))

    def _note_inputs(self) -> None:
        """Which batches were there: a row is held against the others of its run, in this run and in
        its reports.
        """
        present = [planned.batch.id for planned in self.planned]
        if present != (last_inputs(self.journal) or []):
            self.note(InputsRead(batches=tuple(present)))

    # --- what may be sent

    def survey(self) -> Survey:
        """What may be sent of all batches of this run, as far as it is known before recipients are
        asked about.

        Raises Misconfigured and DoesNotAddUp for rows that make the run impossible.
        """
        with self._stopping():
            guards = unasked(self._guards())
            return survey(self.job, self.journal, self.planned, guards, strict=True)

    def candidates(self) -> Iterator[Candidate]:
        """The same, one by one, as the settlement takes it."""
        with self._stopping():
            yield from candidates(
                self.job, self.journal, self.planned, self._guards(), self.run_id
            )

    def _guards(self) -> Guards:
        present = [planned.batch.id for planned in self.planned]
        guards = guards_of(self.job, self.journal, present=present)
        return replace(guards, began_ns=self.started_ns)

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """What does not add up while the rows are walked is a stop (law L10)."""
        try:
            yield
        except DoesNotAddUp as error:
            self.note(Stop(reason=str(error)))
            raise


def refuse_another_place(job: Job, journal: SqliteJournal) -> None:
    """Raises Misconfigured for a journal of another mode or address than the job's
    (docs/never-twice.md, "Before the first send").
    """
    kept: dict[str, object] = dict(whose_journal(journal.accounts()))
    if not kept and journal.knows_orders():
        modes = {batch.mode for batch in journal.batches()}
        if modes and job.gateway.mode not in modes:
            kept = {"mode": modes.pop(), "url": ""}
    refuse_other_place(job.gateway, kept)
