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
from collections.abc import Coroutine, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from batchpay import accounts
from batchpay.clock import SystemClock
from batchpay.config import SecretKey
from batchpay.desk import WORLD, Desk, Edges
from batchpay.errors import BatchpayError, FileRefused, InputMissing, TryLater, Usage
from batchpay.job import Job
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Batch, Outcome
from batchpay.publish import Published, publish
from batchpay.reconciliation import Totals, exit_code
from batchpay.session import Options, Visit, Visited, visit
from batchpay.settlement import Talk
from batchpay.settlement.books import stop_in_force

# When several hold, the first of these is the exit code (contract, section 6); the rest by size.
PRIORITY = (70, 12, 78, 73, 74, 65, 66, 77, 75, 69, 11, 10, 0)


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb that works on the journal leaves behind."""

    exit_code: int
    published: list[Published]  # the batches of this run first, then every other whose report was written
    trouble: list[BatchpayError]  # what went wrong beside the rows
    stop: str = ""
    notes: tuple[str, ...] = ()  # what a person should hear beside the outcomes


def run(job: Job, key: SecretKey, options: Options, talk: Talk) -> Result:
    """Settle what earlier runs left open, charge every new valid order once, write the reports."""
    return _in_its_loop(night(job, key, options, talk))


def settle(job: Job, key: SecretKey, options: Options, talk: Talk) -> Result:
    """Ask the gateway about every pending and in-doubt charge; send nothing; rewrite the reports."""
    return _in_its_loop(night(job, key, options, talk, charges=False))


def _in_its_loop(whole: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner() as runner:
        try:
            runner.get_loop()  # may fail for want of descriptors, before the coroutine has begun
        except BaseException:
            whole.close()
            raise
        return runner.run(whole)


async def night(
    job: Job, key: SecretKey, options: Options, talk: Talk, *, charges: bool = True, edges: Edges = WORLD
) -> Result:
    """A whole run, from the lock to its reports; `charges` False is `settle`. The simulator's nights are this very one.

    Raises Usage for a `--since` that lies ahead, and what the desk and the input files raise.
    """
    with ExitStack() as stack:
        signals = stack.enter_context(edges.signals())
        desk = Desk(job, stack, wait=options.wait, edges=edges)
        if options.since is not None and options.since > desk.started:
            raise Usage(f"--since {options.since:%Y-%m-%d} is not there yet: it only widens how far back a run looks")
        trouble: list[BatchpayError] = []
        if charges:
            talk.phase("reading")
            trouble += _take_in(desk, stack, yes=options.yes)
            if not desk.planned and not desk.journal.open_orders() and not desk.stop:
                if trouble:
                    raise trouble[0]
                return _result(desk, [publish(desk, batch) for batch in _due_for_a_report(desk)], [])  # no request
        return await _work(desk, Visit(key, options, talk, signals, charges), trouble)


def _take_in(desk: Desk, stack: ExitStack, *, yes: bool) -> list[BatchpayError]:
    """Plan this run's files; what is wrong with any of them as a whole."""
    try:
        intakes = desk.take_in(stack, yes=yes)
    except InputMissing as missing:
        return [missing]
    refused = [planned.batch for planned in desk.planned if planned.batch.refusal]
    return [*intakes.refused, *(FileRefused(f"{batch.file}: {batch.refusal}") for batch in refused)]


def report(job: Job, batch_id: str | None) -> Result:
    """Write the reports of one batch, or of all, again from the journal alone."""
    with ExitStack() as stack:
        desk = Desk(job, stack)
        chosen = [batch for batch in desk.journal.batches() if batch_id in (None, batch.id)]
        if batch_id is not None and not chosen:
            known = ", ".join(batch.id for batch in desk.journal.batches()) or "none"
            raise InputMissing(f"the journal has no batch {batch_id}; it has {known}")
        published = [publish(desk, batch) for batch in chosen]
        latest = accounts.last_totals(desk.journal)
        others = [Totals.from_json(event.data) for event in latest.values() if accounts.is_open(event)]
        return _result(desk, published, [], others)


async def _work(desk: Desk, brought: Visit, trouble: list[BatchpayError]) -> Result:
    """The part of a run that leaves the machine, then its reports, whatever happened."""
    desk.note("run.started", {"boot_id": desk.clock.boot_id})
    visited = Visited()
    try:
        visited = await visit(desk, brought)
        trouble += visited.trouble
    except BatchpayError as error:
        trouble.append(error)
    if brought.signals.received:
        trouble.append(TryLater(f"interrupted by {brought.signals.received}; run the same command again to go on"))
    brought.talk.phase("reporting")
    result = _result(desk, [publish(desk, batch) for batch in _due_for_a_report(desk)], trouble, notes=visited.notes)
    desk.note("run.finished", {"exit_code": result.exit_code})
    return result


def _due_for_a_report(desk: Desk) -> list[Batch]:
    """This run's batches, then every other whose last report may be behind the journal or has open rows."""
    mine = [planned.batch for planned in desk.planned]
    mine_ids = {batch.id for batch in mine}
    latest = accounts.last_totals(desk.journal)
    others = [
        batch
        for batch in desk.journal.batches()
        if batch.id not in mine_ids
        and (batch.id not in latest or accounts.is_open(latest[batch.id]) or desk.journal.moved(batch.id))
    ]
    return [*mine, *others]


def _result(
    desk: Desk,
    published: list[Published],
    trouble: list[BatchpayError],
    others: Iterable[Totals] = (),
    notes: tuple[str, ...] = (),
) -> Result:
    """The exit code over these batches and every other one with an open row (contract, section 6)."""
    stop = stop_in_force(desk.journal.events(["stop", "lifted"]))
    codes = {error.exit_code for error in trouble} | {
        exit_code(
            [*(p.totals for p in published), *others, accounts.strays(desk.journal)],
            stopped=bool(stop), open_equation=any(p.open_equation for p in published),
        )
    }  # fmt: skip
    return Result(next(code for code in PRIORITY if code in codes), published, trouble, stop, notes)


@dataclass(frozen=True, slots=True)
class Status:
    """Every batch of a job, and what a later run or a person must settle."""

    exit_code: int
    batches: list[dict[str, Any]]
    stop: str = ""


def status(job: Job) -> Status:
    """Every batch and where its rows stand, from the journal alone; 11 or 12 while anything is open."""
    clock = SystemClock()
    journal = SqliteJournal(job.state_path, job.name, read_only=True)
    try:
        latest = accounts.last_totals(journal)
        batches = [accounts.status_of(job, journal, b, latest.get(b.id), clock.now_ns()) for b in journal.batches()]
        stop = stop_in_force(journal.events(["stop", "lifted"]))
    finally:
        journal.close()
    unproven = any(Outcome.UNPROVEN in batch["outcomes"] for batch in batches)
    is_open = any(batch["open_count"] for batch in batches)
    return Status(12 if stop or unproven else 11 if is_open else 0, batches, stop)
