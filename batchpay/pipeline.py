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
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from batchpay import accounts
from batchpay.config import SecretKey
from batchpay.desk import Desk
from batchpay.errors import BatchpayError, FileRefused, InputMissing, TryLater
from batchpay.intake import Intakes
from batchpay.job import Job
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Batch
from batchpay.publish import Published, publish
from batchpay.reconciliation import exit_code
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
        if trouble and not desk.planned and not desk.journal.open_orders():
            raise trouble[0]
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
        return _result(desk, published, [])


def _work(desk: Desk, brought: Visit, trouble: list[BatchpayError]) -> Result:
    """The part of a run that leaves the machine, then its reports, whatever happened."""
    desk.note("run.started", {"boot_id": desk.clock.boot_id})
    try:
        trouble += asyncio.run(visit(desk, brought))
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


def _result(desk: Desk, published: list[Published], trouble: list[BatchpayError]) -> Result:
    """The exit code over these batches and every older one with an open row (contract, section 6)."""
    stop = stop_in_force(desk.journal.events(["stop", "lifted"]))
    codes = {error.exit_code for error in trouble} | {
        exit_code(
            [p.totals for p in published], stopped=bool(stop), open_equation=any(p.open_equation for p in published)
        )
    }
    return Result(next(code for code in PRIORITY if code in codes), published, trouble, stop)


def status(job: Job) -> list[dict[str, Any]]:
    """Every batch, where its rows stood when its report was last written, and what is open since when."""
    journal = SqliteJournal(job.state_path, job.name, read_only=True)
    try:
        latest = accounts.last_totals(journal)
        return [accounts.status_of(journal, batch, latest.get(batch.id)) for batch in journal.batches()]
    finally:
        journal.close()
