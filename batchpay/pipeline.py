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
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from batchpay import accounts
from batchpay.clock import SystemClock
from batchpay.config import SecretKey
from batchpay.desk import Desk
from batchpay.errors import BatchpayError, FileRefused, InputMissing, TryLater
from batchpay.intake import Intakes
from batchpay.job import Job
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Batch, Outcome
from batchpay.publish import Published, publish
from batchpay.reconciliation import Totals, exit_code
from batchpay.session import Options, Talk, Visit, visit
from batchpay.settlement.books import stop_in_force
from batchpay.signals import Signals

# When several hold, the first of these is the exit code (contract, section 6); the rest by size.
PRIORITY = (70, 12, 78, 73, 74, 65, 66, 77, 75, 69, 11, 10, 0)


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb that works on the journal leaves behind."""

    exit_code: int
    published: list[Published]  # the batches of this run first, then every other whose report was written
    trouble: list[BatchpayError]  # what went wrong beside the rows
    stop: str = ""


def run(job: Job, key: SecretKey, options: Options, talk: Talk) -> Result:
    """Settle what earlier runs left open, charge every new valid order once, write the reports."""
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        desk = Desk(job, stack, wait=options.wait)
        talk.phase("reading")
        trouble: list[BatchpayError] = []
        try:
            intakes = desk.take_in(stack, yes=options.yes)
        except InputMissing as missing:
            intakes, trouble = Intakes(), [missing]
        trouble += intakes.refused
        trouble += [FileRefused(f"{batch.file}: {batch.refusal}") for batch in desk.planned if batch.refusal]
        if not desk.planned and not desk.journal.open_orders():
            if trouble:
                raise trouble[0]
            return _result(desk, [publish(desk, batch) for batch in _due_for_a_report(desk)], [])  # no file, no request
        orders = sum(intake.tally.orders.total() for intake in intakes.files if not intake.refusal)
        recipients = frozenset().union(*(intake.recipients for intake in intakes.files if not intake.refusal))
        return _work(desk, Visit(key, options, talk, signals, desk.candidates, orders, recipients), trouble)


def settle(job: Job, key: SecretKey, options: Options, talk: Talk) -> Result:
    """Ask the gateway about every pending and in-doubt charge; send nothing; rewrite the reports."""
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        return _work(Desk(job, stack, wait=options.wait), Visit(key, options, talk, signals), [])


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


def _work(desk: Desk, brought: Visit, trouble: list[BatchpayError]) -> Result:
    """The part of a run that leaves the machine, then its reports, whatever happened."""
    desk.note("run.started", {"boot_id": desk.clock.boot_id})
    try:
        with asyncio.Runner() as runner:
            runner.get_loop()  # may fail for want of descriptors, before there is a coroutine to leave behind
            trouble += runner.run(visit(desk, brought))
    except BatchpayError as error:
        trouble.append(error)
    if brought.signals.received:
        trouble.append(TryLater(f"interrupted by {brought.signals.received}; run the same command again to go on"))
    brought.talk.phase("reporting")
    result = _result(desk, [publish(desk, batch) for batch in _due_for_a_report(desk)], trouble)
    desk.note("run.finished", {"exit_code": result.exit_code})
    return result


def _due_for_a_report(desk: Desk) -> list[Batch]:
    """This run's batches, then every other whose last report may be behind the journal or has open rows."""
    mine = {batch.id for batch in desk.planned}
    latest = accounts.last_totals(desk.journal)
    others = [
        batch
        for batch in desk.journal.batches()
        if batch.id not in mine
        and (batch.id not in latest or accounts.is_open(latest[batch.id]) or desk.journal.moved(batch.id))
    ]
    return [*desk.planned, *others]


def _result(
    desk: Desk, published: list[Published], trouble: list[BatchpayError], others: Iterable[Totals] = ()
) -> Result:
    """The exit code over these batches and every other one with an open row (contract, section 6)."""
    stop = stop_in_force(desk.journal.events(["stop", "lifted"]))
    codes = {error.exit_code for error in trouble} | {
        exit_code(
            [*(p.totals for p in published), *others],
            stopped=bool(stop), open_equation=any(p.open_equation for p in published),
        )
    }  # fmt: skip
    return Result(next(code for code in PRIORITY if code in codes), published, trouble, stop)


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
        batches = [accounts.status_of(journal, b, latest.get(b.id), clock.now_ns()) for b in journal.batches()]
        stop = stop_in_force(journal.events(["stop", "lifted"]))
    finally:
        journal.close()
    unproven = any(Outcome.UNPROVEN in batch["outcomes"] for batch in batches)
    is_open = any(batch["open_count"] for batch in batches)
    return Status(12 if stop or unproven else 11 if is_open else 0, batches, stop)
