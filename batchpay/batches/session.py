"""One run's time at the gateway: its parts are put together, the sequence walks, and then all is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from batchpay.batches import history as accounts
from batchpay.batches.clock import SystemClock, iso
from batchpay.batches.open_job import Desk
from batchpay.batches.signals import Signals
from batchpay.domain.errors import STATUS_PAGE, BatchpayError, GatewaySilent
from batchpay.domain.ports import Clock, Gateway
from batchpay.domain.text import many
from batchpay.gateways.omise.client import Omise
from batchpay.intake.controls import next_deadline
from batchpay.job.job import Job
from batchpay.job.load import SecretKey
from batchpay.journals.lock import RunLock
from batchpay.settlement import (
    Brought,
    Limits,
    Line,
    Look,
    Preflight,
    Run,
    Sendable,
    Talk,
    account_of,
    at_gateway,
    enter,
    preflight,
    whose_is_untold,
)
from batchpay.settlement.lists import EVERYTHING
from batchpay.settlement.pacing import Breaker, Pacer

BEAT_S = 0.5
T = TypeVar("T")


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
class Visit:
    """What whoever starts a run or a settle gives it."""

    key: SecretKey
    options: Options
    talk: Talk
    signals: Signals
    charges: bool = True  # False: it only asks


@dataclass(frozen=True, slots=True)
class Visited:
    """What a visit leaves beside the journal."""

    trouble: tuple[BatchpayError, ...] = ()  # what made it end early
    notes: tuple[str, ...] = ()  # what a person should hear


async def visit(desk: Desk, visit: Visit) -> Visited:
    """The whole visit. Raises what makes going on impossible."""
    settings = desk.job.gateway
    gateway = desk.edges.gateway(settings, visit.key.reveal())
    limits = _limits(desk.job, visit.options, desk.started_ns)
    run = Run(settings, gateway, line_of(desk), desk.books, desk.clock, visit.talk, limits)
    running = asyncio.get_running_loop()

    def interrupt(name: str) -> None:
        running.call_soon_threadsafe(run.loop.interrupt, f"interrupted by {name}", visit.options.grace_s)

    visit.signals.call(interrupt)
    beat = asyncio.create_task(_beat())
    try:
        await at_gateway(run, brought(desk, visit.options, charges=visit.charges))
    finally:
        beat.cancel()
        visit.signals.call(None)
        await gateway.aclose()
        told = _note_holds(desk, run.loop.why_held)
    trouble = (*_trouble(run, settings.url, interrupted=bool(visit.signals.received)), *desk.refused)
    blind = (f"nothing is sent, as before: {run.blind}",) if run.blind and not (trouble or told) else ()
    return Visited(trouble, (*run.notes, *_illness(run.line), *blind))


def _illness(line: Line) -> Iterator[str]:
    """What a person should know whose orders are in doubt or held because of the gateway's own errors."""
    if line.ill:
        requests = many(line.ill, "request")
        yield f"the gateway answered {requests} with a 5xx, at last {line.illness}: {STATUS_PAGE} tells of incidents"


def _trouble(run: Run, url: str, *, interrupted: bool) -> tuple[BatchpayError, ...]:
    line = run.line
    if line.fatal:
        return (line.fatal,)
    if run.untold and not interrupted:
        return (GatewaySilent(f"{run.untold}{f' ({line.trouble})' if line.trouble else ''}"),)
    if line.answers == 0 and not interrupted:
        why = f" ({line.trouble})" if line.trouble else ""
        told = f"{url} gave not one answer{why}; nothing was charged that is not in the journal"
        return (GatewaySilent(told),)
    return ()


def brought(desk: Desk, options: Options, *, charges: bool) -> Brought:
    """What this run brings: where it looks from, how long it waits first, and what it may send."""
    look = look_of(desk, options)
    wait_s = _lost_sends_s(desk, adopt=options.adopt and not look.known_before)
    told = accounts.preflight_of(desk.journal)
    recovers = desk.loss.to_json() if desk.loss is not None else None
    asks_only = Brought(look, desk.started, wait_s, kept_preflight=told, recovers=recovers)
    if not charges:
        return asks_only

    def survey() -> Sendable:
        if desk.books.adopted:
            desk.note_renamed()
            if not options.yes:
                desk.ask_about_adopted()
        found = desk.survey()
        return Sendable(found.orders, found.destinations)

    return replace(asks_only, survey=survey, candidates=desk.candidates)


def look_of(desk: Desk, options: Options) -> Look:
    """Where a run looks from. A flag only ever widens it (J01).

    A journal of which it is known that it lost events looks back as far as they may reach: an older copy to its own
    last complete list, an empty one to the beginning, for how old what it lost may be is bounded by nothing.
    """
    bound = accounts.listed_until(desk.journal)
    default = bound or (EVERYTHING if desk.loss is not None else desk.started - accounts.FIRST_LOOK)
    if desk.loss is not None and desk.loss.empty:
        default = EVERYTHING
    since = min(default, options.since) if options.since else default
    quiet_at_s = desk.started_s + desk.job.gateway.doubt_period_s
    known = desk.journal.knows_orders()
    return Look(since, known, options.adopt, quiet_at_s, lost=desk.loss is not None)


async def _beat() -> None:
    """The journal's thread wakes the loop through a socket; should that fail, the loop looks by itself."""
    while True:  # noqa: ASYNC110 - it is the loop's own wake-ups that this does not rely on
        await asyncio.sleep(BEAT_S)


def line_of(desk: Desk) -> Line:
    """The way to the gateway of whoever holds the job's lock."""
    return _line(desk.job, desk.clock, desk.lock)


async def at_the_gateway(
    desk: Desk, key: SecretKey, ask: Callable[[Gateway, Line], Awaitable[T]], notes: list[str] | None = None
) -> T:
    """A person's command that asks the gateway: it enters as every run does, and lets go afterwards.

    Raises Misconfigured for another account, mode or address than the journal's, GatewaySilent when nobody tells whose
    the key is, and what closed the line.
    """
    line = line_of(desk)
    gateway = desk.edges.gateway(desk.job.gateway, key.reveal())
    try:
        account = await enter(desk.job.gateway, gateway, line, desk.books, [] if notes is None else notes)
        if untold := whose_is_untold(desk.books, account):
            raise line.fatal or GatewaySilent(untold)
        answer = await ask(gateway, line)
    finally:
        await gateway.aclose()
    if line.fatal:
        raise line.fatal
    return answer


@contextmanager
def errand(job: Job) -> Iterator[Line]:
    """The same for who only asks: needs the lock, so that all requests of a job count for its rate; no journal."""
    clock = SystemClock()
    with closing(RunLock(job.state_path, job.name, job.gateway.rate, {"started": iso(clock.now_ns())})) as lock:
        yield _line(job, clock, lock)


def ask_recipients(job: Job, key: SecretKey, recipients: Collection[str]) -> Preflight:
    """Which of these cannot be paid now, and the gateway's smallest transfer."""

    async def ask() -> Preflight:
        gateway = Omise(job.gateway, key.reveal())
        try:
            account = await account_of(job.gateway, gateway, line)
            return await preflight(recipients, gateway, line, account.currency, job.gateway.concurrency)
        finally:
            await gateway.aclose()

    with errand(job) as line:
        return asyncio.run(ask())


def _line(job: Job, clock: Clock, lock: RunLock) -> Line:
    settings, now_s = job.gateway, clock.elapsed_s()
    earlier = (now_s - age_s for age_s in lock.ages_s())
    pacer = Pacer(settings.rate, settings.rate_window_s, settings.burst, earlier)
    return Line(clock, pacer, Breaker(settings.pause_s), lock.stamp)


def _limits(job: Job, options: Options, started_ns: int) -> Limits:
    controls, deadline_ns = job.controls, None
    if controls.deadline:
        at = next_deadline(controls.deadline, controls.time_zone, datetime.fromtimestamp(started_ns / 1e9, UTC))
        deadline_ns = int(at.timestamp()) * 10**9
    return Limits(
        orders=options.limit,
        canary=options.canary,
        max_failures=controls.max_failures,
        deadline_ns=deadline_ns,
        deadline=f"{controls.deadline} {controls.time_zone}",
    )


def _lost_sends_s(desk: Desk, *, adopt: bool) -> float:
    """How long requests may still land that no intent of this journal tells of: it was lost, or an older copy is back.

    The list that tells what the gateway has of them proves nothing before that (laws L5, L11). It counts from this
    run's start: the lock's memory of the last requests may be as old as the journal.
    """
    return desk.job.gateway.doubt_period_s if adopt or desk.loss is not None else 0.0


def _note_holds(desk: Desk, why: str) -> bool:
    """Write down why rows were held, where it is another reason than before; was there any?"""
    told = False
    for planned in desk.planned:
        batch = planned.batch
        if why and not batch.refusal and (desk.stop or accounts.last_hold(desk.journal, batch.id) != why):
            desk.note("held", {"reason": why, **({"stop": True} if desk.stop else {})}, batch.id)
            told = True
    return told
