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
from datetime import UTC, datetime
from typing import Any, Protocol

from batchpay import accounts
from batchpay.config import SecretKey
from batchpay.desk import Desk
from batchpay.errors import BatchpayError, FileRefused, GatewaySilent, InputMissing, TryLater
from batchpay.gateways.omise import Omise
from batchpay.intake import Intakes
from batchpay.job import Job
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Batch
from batchpay.pacing import Breaker, Pacer
from batchpay.publish import Published, publish
from batchpay.reconciliation import exit_code
from batchpay.settlement import Books, Candidate, Case, Limits, Line, Settlement
from batchpay.settlement.books import stop_in_force
from batchpay.signals import Signals

# When several hold, the first of these is the exit code (contract, section 6); the rest by size.
PRIORITY = (70, 12, 78, 73, 74, 65, 66, 77, 75, 69, 11, 10, 0)


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of `run` and `settle`."""

    limit: int | None = None
    canary: int | None = None
    yes: bool = False
    adopt: bool = False
    since: datetime | None = None
    wait: bool = False
    grace_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb that works on the journal leaves behind."""

    exit_code: int
    published: list[Published]  # the batches of this run first, then every other whose report was written
    trouble: list[BatchpayError]  # what went wrong beside the rows
    stop: str = ""


class Talk(Protocol):
    """Told of every step of a run, so that a person can watch it."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A new step; so many orders may move in it."""

    def order(self, case: Case) -> None:
        """An order moved."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run or a settle brings to the gateway."""

    key: SecretKey
    options: Options
    talk: Talk
    signals: Signals
    candidates: Iterable[Candidate] = ()
    orders: int = 0  # how many of them there may be


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
        return _work(desk, _Work(key, options, talk, signals, desk.candidates(), orders), trouble)


def settle(job: Job, key: SecretKey, options: Options, talk: Talk) -> Result:
    """Ask the gateway about every pending and in-doubt charge; send nothing; rewrite the reports."""
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        return _work(Desk(job, stack, wait=options.wait), _Work(key, options, talk, signals), [])


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


def _work(desk: Desk, work: _Work, trouble: list[BatchpayError]) -> Result:
    """The part of a run that leaves the machine, then its reports, whatever happened."""
    desk.note("run.started", {"boot_id": desk.clock.boot_id})
    try:
        trouble += asyncio.run(_at_the_gateway(desk, work))
    except BatchpayError as error:
        trouble.append(error)
    if work.signals.received:
        trouble.append(TryLater(f"interrupted by {work.signals.received}; run the same command again to go on"))
    work.talk.phase("reporting")
    result = _result(desk, [publish(desk, batch) for batch in _due_for_a_report(desk)], trouble)
    desk.note("run.finished", {"exit_code": result.exit_code})
    return result


async def _at_the_gateway(desk: Desk, work: _Work) -> list[BatchpayError]:
    options, talk, signals = work.options, work.talk, work.signals
    settings, journal, clock = desk.job.gateway, desk.journal, desk.clock
    gateway = Omise(settings, work.key.reveal())
    now_s = clock.elapsed_s()
    earlier = (now_s - age_s for age_s in desk.lock.ages_s())
    pacer = Pacer(settings.rate, settings.rate_window_s, settings.burst, earlier)
    line = Line(clock, pacer, Breaker(settings.pause_s), desk.lock.stamp)
    books = Books(journal, clock, desk.job.name, desk.run_id, live=settings.mode == "live")
    limits = Limits(options.limit, options.canary)
    loop = Settlement(settings, gateway, line, books, clock, limits=limits, progress=talk.order)
    running = asyncio.get_running_loop()

    def interrupt(name: str) -> None:
        running.call_soon_threadsafe(loop.interrupt, f"interrupted by {name}", options.grace_s)

    signals.call(interrupt)
    started = datetime.fromtimestamp(desk.started_ns / 1e9, UTC)
    bound = accounts.listed_until(journal)
    try:
        talk.phase("listing")
        since = options.since or bound or started - accounts.FIRST_LOOK
        if await loop.look(since, adopt=options.adopt, known_before=bound is not None):
            talk.phase("asking")
            await loop.recover()
            talk.phase("charging", work.orders)
            await loop.settle(iter(work.candidates))
            talk.phase("comparing")
            await loop.compare(started)
    finally:
        signals.call(None)
        await gateway.aclose()
        _note_holds(desk, loop.why_held)
    if line.answers == 0 and not signals.received:
        why = f" ({line.trouble})" if line.trouble else ""
        return [
            GatewaySilent(f"{settings.url} gave not one answer{why}; nothing was charged that is not in the journal")
        ]
    return [line.fatal] if line.fatal else []


def _note_holds(desk: Desk, why: str) -> None:
    for batch in desk.planned:
        if why and not batch.refusal and accounts.last_hold(desk.journal, batch.id) != why:
            desk.note("held", {"reason": why}, batch.id)


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
