"""One run's time at the gateway: look, ask, charge, compare; then let go, whatever happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from batchpay import accounts
from batchpay.clock import SystemClock, iso
from batchpay.config import SecretKey
from batchpay.controls import next_deadline
from batchpay.desk import Desk
from batchpay.errors import BatchpayError, GatewaySilent
from batchpay.gateways.omise import Omise
from batchpay.job import Job
from batchpay.journals.lock import RunLock
from batchpay.pacing import Breaker, Pacer
from batchpay.settlement import Books, Candidate, Case, Limits, Line, Settlement, barred_recipients
from batchpay.signals import Signals

BEAT_S = 0.5


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


class Talk(Protocol):
    """Told of every step of a run, so that a person can watch it."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A new step; so many orders may move in it."""

    def order(self, case: Case) -> None:
        """An order moved."""


def _nothing() -> Iterable[Candidate]:
    return ()


@dataclass(frozen=True, slots=True)
class Visit:
    """What a run or a settle brings to the gateway."""

    key: SecretKey
    options: Options
    talk: Talk
    signals: Signals
    candidates: Callable[[], Iterable[Candidate]] = _nothing  # call it again to begin anew
    orders: int = 0  # how many of them there may be
    recipients: frozenset[str] = frozenset()  # to whom they may go


async def visit(desk: Desk, visit: Visit) -> list[BatchpayError]:
    """The whole visit; returns what made it end early. Raises what makes going on impossible."""
    settings, clock = desk.job.gateway, desk.clock
    gateway, line = Omise(settings, visit.key.reveal()), line_of(desk)
    books = Books(desk.journal, clock, desk.job.name, desk.run_id, live=settings.mode == "live")
    limits = _limits(desk.job, visit.options, desk.started_ns)
    loop = Settlement(settings, gateway, line, books, clock, limits=limits, progress=visit.talk.order)
    running = asyncio.get_running_loop()

    def interrupt(name: str) -> None:
        running.call_soon_threadsafe(loop.interrupt, f"interrupted by {name}", visit.options.grace_s)

    visit.signals.call(interrupt)
    beat = asyncio.create_task(_beat())
    try:
        await _work(desk, visit, loop, line, gateway)
    finally:
        beat.cancel()
        visit.signals.call(None)
        await gateway.aclose()
        _note_holds(desk, loop.why_held)
    if line.answers == 0 and not visit.signals.received:
        why = f" ({line.trouble})" if line.trouble else ""
        return [
            GatewaySilent(f"{settings.url} gave not one answer{why}; nothing was charged that is not in the journal")
        ]
    return [line.fatal] if line.fatal else []


async def _beat() -> None:
    """The journal's thread wakes the loop through a socket; should that fail, the loop looks by itself."""
    while True:  # noqa: ASYNC110 - it is the loop's own wake-ups that this does not rely on
        await asyncio.sleep(BEAT_S)


async def _work(desk: Desk, visit: Visit, loop: Settlement, line: Line, gateway: Omise) -> None:
    """The steps in their order."""
    options, talk = visit.options, visit.talk
    started = datetime.fromtimestamp(desk.started_ns / 1e9, UTC)
    bound = accounts.listed_until(desk.journal)
    if wait_s := _lost_sends_s(desk, adopt=options.adopt and bound is None):
        talk.phase("waiting")
        await line.rest(wait_s)
    talk.phase("listing")
    since = min(filter(None, (bound, options.since)), default=started - accounts.FIRST_LOOK)  # --since only widens it
    if not await loop.look(since, adopt=options.adopt, known_before=bound is not None):
        return
    loop.lists.refuse_renamed(visit.candidates())
    talk.phase("asking")
    await loop.recover()
    if next(iter(visit.candidates()), None) is not None and not line.closed:
        talk.phase("preflight")
        barred = await barred_recipients(visit.recipients, gateway, line, at_once=desk.job.gateway.concurrency)
        if barred != accounts.barred(desk.journal):
            desk.note("preflight", {"barred": barred})
        loop.bar(barred)
    talk.phase("charging", visit.orders)
    await loop.settle(iter(visit.candidates()))
    talk.phase("comparing")
    await loop.compare(started)


def line_of(desk: Desk) -> Line:
    """The way to the gateway of whoever holds the job's lock."""
    return _line(desk.job, desk.clock, desk.lock)


@contextmanager
def errand(job: Job) -> Iterator[Line]:
    """The same for who only asks: needs the lock, so that all requests of a job count for its rate; no journal."""
    clock = SystemClock()
    with closing(RunLock(job.state_path, job.name, job.gateway.rate, {"started": iso(clock.now_ns())})) as lock:
        yield _line(job, clock, lock)


def ask_recipients(job: Job, key: SecretKey, recipients: Collection[str]) -> dict[str, str]:
    """Those that cannot be paid now, each with why."""

    async def ask() -> dict[str, str]:
        gateway = Omise(job.gateway, key.reveal())
        try:
            return await barred_recipients(recipients, gateway, line, at_once=job.gateway.concurrency)
        finally:
            await gateway.aclose()

    with errand(job) as line:
        return asyncio.run(ask())


def _line(job: Job, clock: SystemClock, lock: RunLock) -> Line:
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
        orders=options.limit, canary=options.canary, max_failures=controls.max_failures,
        deadline_ns=deadline_ns, deadline=f"{controls.deadline} {controls.time_zone}",
    )  # fmt: skip


def _lost_sends_s(desk: Desk, *, adopt: bool) -> float:
    """How long requests may still land that no intent of this journal tells of: it was lost, or an older copy is back.

    The list that tells what the gateway has of them proves nothing before that (laws L5, L11).
    """
    period_s = desk.job.gateway.doubt_period_s
    if adopt:
        return period_s
    if not desk.lost_events:
        return 0.0
    return max(0.0, period_s - min(desk.lock.ages_s(), default=0.0))


def _note_holds(desk: Desk, why: str) -> None:
    for batch in desk.planned:
        if why and not batch.refusal and accounts.last_hold(desk.journal, batch.id) != why:
            desk.note("held", {"reason": why}, batch.id)
