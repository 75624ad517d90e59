"""The verbs in their order.

check    read -> map -> validate
plan     check -> what would be sent; writes no state
run      lock -> read -> plan -> list -> settle what is open -> charge -> list again -> report
settle   lock -> list -> settle what is open -> report
report   from the journal alone
status   from the journal alone
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from batchpay.batches import history
from batchpay.batches.clock import SystemClock
from batchpay.batches.open_job import WORLD, Edges, OpenJob
from batchpay.batches.publish import (
    SPOOLED,
    Counted,
    Published,
    count,
    keep,
    publish,
    publish_adopted,
    publish_nothing,
    publish_settled,
    write,
)
from batchpay.batches.runs import Runs
from batchpay.batches.session import Options, SessionCall, SessionEnd, hold
from batchpay.batches.stories import story_of
from batchpay.batches.wholeness import refuse_lost
from batchpay.domain import steps
from batchpay.domain.errors import BatchpayError, FileRefused, InputMissing, TryLater, Usage
from batchpay.domain.exits import Acts, worst
from batchpay.domain.model import OPEN, Batch, Outcome, RunDone
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.job.load import SecretKey
from batchpay.journals.lock import running
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.reconciliation.totals import Totals, exit_code, must_act
from batchpay.reports.files import refuse_unwritable
from batchpay.settlement import Progress
from batchpay.settlement.recorder import stop_in_force


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb that works on the journal leaves behind."""

    exit_code: int
    published: list[
        Published
    ]  # the batches of this run first, then every other whose report was written
    trouble: list[BatchpayError]  # what went wrong beside the rows
    stop: str = ""
    notes: tuple[str, ...] = ()  # what a person should hear beside the outcomes
    acts: Acts = field(default_factory=Acts)
    run: RunDone | None = None  # what this run did; None for what is no run
    beside: tuple[Path, ...] = ()  # reports that are no batch's


def run(job: Job, key: SecretKey, options: Options, progress: Progress) -> Result:
    """Settle what earlier runs left open, charge every new valid order once, write the reports."""
    return _in_its_loop(night(job, key, options, progress))


def settle(job: Job, key: SecretKey, options: Options, progress: Progress) -> Result:
    """Ask the gateway about every pending and in-doubt charge; send nothing; rewrite the
    reports.
    """
    return _in_its_loop(night(job, key, options, progress, charges=False))


def _in_its_loop(whole: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner() as runner:
        try:
            runner.get_loop()  # may fail for want of descriptors, before the coroutine has begun
        except BaseException:
            whole.close()
            raise
        return runner.run(whole)


async def night(
    job: Job,
    key: SecretKey,
    options: Options,
    progress: Progress,
    *,
    charges: bool = True,
    edges: Edges = WORLD,
) -> Result:
    """A whole run, from the lock to its reports; `charges` False is `settle`. The simulator's
    nights are this very one.

    Raises Usage for a `--since` that lies ahead, and what opening the job and its input files
    raise.
    """
    with ExitStack() as stack:
        signals = stack.enter_context(edges.signals())
        opened = OpenJob(job, stack, wait=options.wait, edges=edges)
        if options.since is not None and options.since > opened.started:
            raise Usage(
                f"--since {options.since:%Y-%m-%d} is not there yet: it only widens how far back a"
                " run looks"
            )
        refuse_lost(opened.loss, adopt=options.adopt)
        if charges:
            refuse_unwritable(job.report.directory)
        trouble: list[BatchpayError] = []
        if charges:
            progress.phase("reading")
            trouble += _take_in(opened, stack, yes=options.yes)
            opened.empty = not opened.planned and not trouble
            takes_over = options.adopt and opened.loss is not None
            if not (
                opened.planned or opened.recorder.is_anything_open() or opened.stop or takes_over
            ):
                if trouble:
                    raise trouble[0]
                return _without_a_request(opened)
        return await _work(opened, SessionCall(key, options, progress, signals, charges), trouble)


def _take_in(opened: OpenJob, stack: ExitStack, *, yes: bool) -> list[BatchpayError]:
    """Plan this run's files; what is wrong with any of them as a whole."""
    try:
        intakes = opened.take_in(stack, yes=yes)
    except InputMissing as missing:
        return [missing]
    refused = [planned.batch for planned in opened.planned if planned.batch.refusal]
    return [*intakes.refused, *(FileRefused(f"{batch.file}: {batch.refusal}") for batch in refused)]


def report(job: Job, batch_id: str | None) -> Result:
    """Write the reports of one batch, or of all, again from the journal alone."""
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        chosen = [batch for batch in opened.journal.batches() if batch_id in (None, batch.id)]
        if batch_id is not None and not chosen:
            known = ", ".join(batch.id for batch in opened.journal.batches()) or "none"
            raise InputMissing(f"the journal has no batch {batch_id}; it has {known}")
        published = [publish(opened, batch) for batch in chosen]
        latest = history.last_totals(opened.journal)
        mine = {batch.id for batch in chosen}
        others = [
            Totals.from_json(event.data)
            for event in latest.values()
            if event.batch_id not in mine and history.is_open(event)
        ]
        every = [*(p.totals for p in published), *others]
        code = _code(opened, every, [], open_equation=any(p.open_equation for p in published))
        return replace(_result(opened, code, published, [], others), beside=publish_adopted(opened))


def _without_a_request(opened: OpenJob) -> Result:
    """No file tonight and nothing open: that is written down as every run is."""
    opened.note("run.started", {"boot_id": opened.clock.boot_id})
    return _reported(opened, [], asked=True)


async def _work(opened: OpenJob, brought: SessionCall, trouble: list[BatchpayError]) -> Result:
    """The part of a run that leaves the machine, then its reports, whatever happened."""
    opened.note("run.started", {"boot_id": opened.clock.boot_id})
    visited = SessionEnd()
    try:
        visited = await hold(opened, brought)
        trouble += visited.trouble
    except BatchpayError as error:
        trouble.append(error)
    if brought.signals.received:
        trouble.append(
            TryLater(
                f"interrupted by {brought.signals.received}; run the same command again to go on"
            )
        )
    brought.progress.phase("reporting")
    return _reported(opened, trouble, visited.notes)


def _reported(
    opened: OpenJob,
    trouble: list[BatchpayError],
    notes: tuple[str, ...] = (),
    *,
    asked: bool = False,
) -> Result:
    """Count, write down how the run ended, write the reports from that. What cannot be written is
    how it ended, too.

    `asked`: there was nothing to ask the gateway about.
    """
    counted = _counted(opened, asked=asked)
    code = _code(
        opened,
        [c.totals for c in counted],
        trouble,
        open_equation=any(c.open_equation for c in counted),
    )
    noted = opened.note("run.counted", {"exit_code": code})
    try:
        runs = Runs(opened.journal)
        published = [write(opened, one, runs) for one in counted]
        publish_settled(opened, {one.batch.id for one in counted})
        beside = [
            *publish_adopted(opened),
            *(publish_nothing(opened, code, noted, runs) if opened.empty else ()),
        ]
    except BatchpayError as error:
        opened.note("run.finished", {"exit_code": error.exit_code})
        raise
    finally:
        for one in counted:
            one.spool.close()
    opened.note("run.finished", {"exit_code": code})
    return replace(_result(opened, code, published, trouble, notes=notes), beside=tuple(beside))


def _counted(opened: OpenJob, *, asked: bool) -> list[Counted]:
    """Every batch that is due for a report, once more when a row of one turned out to settle a row
    of another.
    """
    counted = _count_each(opened, asked=asked)
    if not opened.answered:
        return counted
    for one in counted:
        one.spool.close()
    return _count_each(opened, asked=asked)


def _count_each(opened: OpenJob, *, asked: bool) -> list[Counted]:
    """A run that could not look leaves good reports as they were (J24)."""
    latest, looked = (
        history.last_totals(opened.journal),
        asked or history.looked(opened.journal, opened.run_id),
    )
    if (
        opened.loss is not None and not looked
    ):  # the reports know more than this journal: those that are there stay
        fresh = [
            one.batch
            for one in opened.planned
            if not (opened.job.report.directory / one.batch.id).exists()
        ]
        return [count(opened, batch, spooled=at < SPOOLED) for at, batch in enumerate(fresh)]
    counted = []
    for at, batch in enumerate(_due_for_a_report(opened)):
        if looked or batch.id not in latest or history.behind(opened.journal, latest[batch.id]):
            counted.append(count(opened, batch, spooled=at < SPOOLED))
        else:
            counted.append(keep(opened, batch, latest[batch.id]))
    return counted


def _due_for_a_report(opened: OpenJob) -> list[Batch]:
    """This run's batches, then every other whose last report may be behind the journal or has open
    rows.
    """
    mine = [planned.batch for planned in opened.planned]
    mine_ids = {batch.id for batch in mine}
    latest = history.last_totals(opened.journal)
    others = [
        batch
        for batch in opened.journal.batches()
        if batch.id not in mine_ids
        and history.is_due(opened.journal, batch.id, latest.get(batch.id), opened.stop)
    ]
    return [*mine, *others]


def _code(
    opened: OpenJob, every: Iterable[Totals], trouble: list[BatchpayError], *, open_equation: bool
) -> int:
    """The exit code over these batches and every other one with an open row (contract, section
    6).
    """
    taken = history.taken_as_they_are(history.last_totals(opened.journal))
    totals = [*every, history.strays(opened.job, opened.journal), taken]
    of_rows = exit_code(totals, stopped=bool(opened.stop), open_equation=open_equation)
    if (
        opened.loss is not None
        and opened.planned
        and not history.looked(opened.journal, opened.run_id)
    ):
        of_rows = worst([of_rows, 11])  # its rows wait, also those whose reports stay as they were
    return worst([of_rows, *(error.exit_code for error in trouble)])


def _result(
    opened: OpenJob,
    code: int,
    published: list[Published],
    trouble: list[BatchpayError],
    others: Iterable[Totals] = (),
    notes: tuple[str, ...] = (),
) -> Result:
    """Who must act: over the same batches as the code."""
    received = sorted(published, key=lambda one: one.batch.first_seen_ns)
    acts = must_act(
        [*others, *(p.totals for p in received), history.strays(opened.job, opened.journal)]
    )
    done = Runs(opened.journal).whole(opened.run_id)
    if opened.loss is not None or (done is not None and done.restored):
        notes = (*notes, opened.loss.told if opened.loss is not None else steps.SAY_AGAIN())
    return Result(code, published, trouble, opened.stop, notes, acts, done)


@dataclass(frozen=True, slots=True)
class Status:
    """Every batch of a job, and what a later run or a person must settle."""

    exit_code: int
    batches: list[dict[str, Any]]
    stop: str = ""
    last_run: Mapping[str, Any] | None = None  # run, started, ended, exit_code
    running: Mapping[str, str] | None = (
        None  # host, pid, started, run of the process that is at work now
    )
    adopted: Mapping[str, Any] = field(
        default_factory=dict
    )  # charges that no file of this journal asked for
    acts: Acts = field(default_factory=Acts)
    lifted: list[dict[str, str]] = field(
        default_factory=list
    )  # every stop that a person ended: at, by, reason, stop
    loss: Mapping[str, Any] | None = None  # of events, in the last ten days: at, empty, cancelled


def status(job: Job) -> Status:
    """Every batch and where its rows stand, from the journal alone; 11 or 12 while anything is
    open.
    """
    clock = SystemClock()
    journal = SqliteJournal(job.state_path, job.name, read_only=True)
    try:
        journal.verify()
        latest = history.last_totals(journal)
        at_work = running(job.state_path, job.name)
        work = _work_of(journal, at_work)
        now_ns = clock.now_ns()
        each = [
            history.status_of(job, journal, b, latest.get(b.id), now_ns, work)
            for b in journal.batches()
        ]
        batches = [told for told, _ in each]
        stop = stop_in_force(journal.events(["stop", "lifted"]))
        strays, last = history.strays(job, journal), history.last_run(journal)
        adopted = history.adopted_json(history.unshown(job, journal))
        lifts = [lift.to_json() for lift in history.lifts(journal)]
        loss = history.last_loss(journal, now_ns)
    finally:
        journal.close()
    unproven = Outcome.UNPROVEN in strays.stands() or any(batch["unproven"] for batch in batches)
    is_open = strays.stands() & OPEN or any(
        batch["open_count"] or batch["in_work"] for batch in batches
    )
    accepted = strays.accepted + history.taken_as_they_are(latest).accepted
    acts = must_act([*(totals for _, totals in each), strays])
    twice = any(totals.left_charged_twice for totals in (strays, *(totals for _, totals in each)))
    if stop or unproven:
        code = 12
    elif is_open:
        code = 11
    elif accepted or twice:
        code = 10
    else:
        code = 0
    return Status(code, batches, stop, last, at_work, adopted, acts, lifts, loss)


def _work_of(journal: SqliteJournal, at_work: Mapping[str, str] | None) -> history.Work:
    if at_work is None:
        return history.Work()
    return history.Work(
        Runs(journal).in_hand(at_work["run"]), frozenset(history.last_inputs(journal) or ())
    )


def story(job: Job, order_id: str) -> dict[str, Any]:
    """One order from the journal alone. Raises InputMissing for one that no row and no event
    knows.
    """
    with closing(SqliteJournal(job.state_path, job.name, read_only=True)) as journal:
        journal.verify()
        told = story_of(job, journal, order_id)
    if not told["rows"] and not told["events"]:
        raise InputMissing(
            f"the journal knows no order {shown(order_id)}: ids are told as they stand in the file"
        )
    return told
