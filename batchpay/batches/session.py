"""One run's time at the gateway: its parts are put together, the sequence walks, and then all is
let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from batchpay import gateways
from batchpay.batches.clock import SystemClock, iso
from batchpay.batches.last import FIRST_LOOK, last_hold, listed_until, preflight_of
from batchpay.batches.open_job import OpenJob
from batchpay.batches.sentagain import later_of
from batchpay.batches.signals import Signals
from batchpay.domain.books import Booked, Refund
from batchpay.domain.errors import BatchpayError, GatewaySilent, Usage
from batchpay.domain.events import (
    DisputeSeen,
    Followed,
    Held,
    Recovered,
    RefundSeen,
    told_in,
)
from batchpay.domain.ports import Clock, Gateway, Rates
from batchpay.intake.controls import next_deadline
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.journals.lock import RunLock
from batchpay.messages import nights as said
from batchpay.reconciliation.refunds import refunded_of
from batchpay.settlement import (
    Brought,
    Channel,
    Follows,
    Limits,
    Look,
    Means,
    Preflight,
    Progress,
    Run,
    Surveyed,
    account_of,
    at_gateway,
    enter,
    preflight,
    take_account,
    why_whose_unknown,
)
from batchpay.settlement.expected import met_before
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.since import EVERYTHING, time_of

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
class SessionCall:
    """What whoever starts a run or a settle gives it."""

    key: SecretKey
    options: Options
    progress: Progress
    signals: Signals
    charges: bool = True  # False: it only asks


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """What a session leaves beside the journal."""

    trouble: tuple[BatchpayError, ...] = ()  # what made it end early
    notes: tuple[str, ...] = ()  # what a person should hear
    blind: str = ""  # why its look at the gateway came to nothing
    as_before: str = ""  # the same as a note, where nothing else tells it
    owed: tuple[str, ...] = ()  # of the notes, what the next run must look at


async def hold_session(opened: OpenJob, call: SessionCall) -> SessionEnd:
    """From the first request to the last. Raises what makes going on impossible."""
    settings = opened.job.gateway
    gateway = opened.edges.gateway(settings, call.key.reveal())
    limits = limits_of(opened.job, call.options, opened.started_ns)
    counting = Counting()
    channel = _channel(opened.job, opened.clock, opened.lock, counting)
    opened.requests = lambda: {**counting.counts(), "5xx": channel.ill}
    means = Means(settings, gateway, channel, opened.recorder, opened.clock)
    run = Run(means, call.progress, limits)
    running = asyncio.get_running_loop()

    def interrupt(name: str) -> None:
        why = str(said.INTERRUPTED(signal=name))
        running.call_soon_threadsafe(run.loop.interrupt, why, call.options.grace_s)

    call.signals.call(interrupt)
    beat = asyncio.create_task(_beat())
    try:
        await at_gateway(run, brought(opened, call.options, charges=call.charges))
    finally:
        beat.cancel()
        call.signals.call(None)
        await gateway.aclose()
        told = _note_holds(opened, run.loop.why_held)
    interrupted = bool(call.signals.received)
    trouble = _trouble(run, settings.url, interrupted=interrupted)
    notes = [*run.notes, *_illness(run.channel)]
    told_of_holds = told and opened.loss is None
    as_before = ""
    if run.blind and not (trouble or opened.judged_again or told_of_holds):
        entry = said.AS_BEFORE if call.charges else said.LEARNED_NOTHING
        as_before = str(entry(why=run.blind))
    owed = tuple(run.loop.lists.owed)
    return SessionEnd(trouble, tuple(notes), run.blind, as_before, owed)


def _illness(channel: Channel) -> Iterator[str]:
    """What a person should know whose orders are in doubt or held because of the gateway's own
    errors.
    """
    if channel.ill:
        yield str(said.ERRORS(count=channel.ill, status=channel.illness))


def _trouble(run: Run, url: str, *, interrupted: bool) -> tuple[BatchpayError, ...]:
    channel = run.channel
    if channel.fatal:
        return (channel.fatal,)
    if interrupted:
        return ()
    if run.whose_unknown:
        return (GatewaySilent(f"{run.whose_unknown}{channel.why}"),)
    if channel.answers == 0:
        return (channel.silence(url),)
    return ()


def brought(opened: OpenJob, options: Options, *, charges: bool) -> Brought:
    """What this run brings: where it looks from, how long it waits first, and what it may send."""
    look = look_of(opened, options)
    adopts = options.adopt and not look.known_before
    wait_s = _lost_sends_s(opened, adopt=adopts)
    told = preflight_of(opened.journal)
    if opened.loss is not None:
        recovers = opened.loss.as_told(Recovered)
    else:
        recovers = None
    asks_only = Brought(
        look,
        opened.started,
        wait_s,
        kept_preflight=told,
        follows=follows_of(opened, patient=not charges),
        recovers=recovers,
        later=later_of(opened.journal, opened.started_ns),
    )
    if not charges:
        return asks_only

    def survey() -> Surveyed:
        if opened.recorder.adopted:
            opened.note_renamed()
            if not options.yes:
                opened.judge_again()
        found = opened.survey()
        return Surveyed(found.orders, found.destinations, found.again)

    return replace(asks_only, survey=survey, candidates=opened.candidates)


def follows_of(opened: OpenJob, *, patient: bool) -> Follows:
    """Where the last run stopped following, and what is known of refunds and disputes."""
    journal = opened.journal
    zone = opened.job.controls.time_zone
    before = None
    for _, told in told_in(journal, Followed):
        before = told

    def refund_seen(
        order_id: str, booked: Booked, refunds: Sequence[Refund]
    ) -> RefundSeen | None:
        found = refunded_of(booked.id, order_id, booked, refunds)
        if found is None:
            return None
        return found.as_told(zone)

    return Follows(
        before,
        opened.job.gateway.follow,
        patient,
        refund_seen,
        {told.charge_id: told for _, told in told_in(journal, RefundSeen)},
        {told.charge_id: told.status for _, told in told_in(journal, DisputeSeen)},
    )


def look_of(opened: OpenJob, options: Options) -> Look:
    """Where a run looks from. A flag only ever widens it (J01).

    A journal of which it is known that it lost events looks back as far as they may reach: an older
    copy to its own last complete list, an empty one to the beginning, for how old what it lost may
    be is bounded by nothing.
    """
    loss = opened.loss
    bound = listed_until(opened.journal, opened.started)
    if loss is None:
        since = bound or opened.started - FIRST_LOOK
    elif loss.empty:
        since = EVERYTHING
    else:
        # what gave it away may be of before that
        made = filter(None, map(time_of, met_before(opened.journal).values()))
        since = min([bound or EVERYTHING, *made])
    if options.since:
        since = min(since, options.since)
    quiet_at_s = opened.started_s + opened.job.gateway.doubt_period_s
    known = opened.journal.knows_orders()
    return Look(since, known, options.adopt, quiet_at_s, lost=loss is not None)


async def _beat() -> None:
    """The journal's thread wakes the loop through a socket; should that fail, the loop looks by
    itself.
    """
    while True:  # noqa: ASYNC110 - it is the loop's own wake-ups that this does not rely on
        await asyncio.sleep(BEAT_S)


def channel_of(opened: OpenJob) -> Channel:
    """The way to the gateway of whoever holds the job's lock."""
    return _channel(opened.job, opened.clock, opened.lock)


async def ask_the_gateway(
    opened: OpenJob,
    key: SecretKey,
    ask: Callable[[Gateway, Channel], Awaitable[T]],
    notes: list[str] | None = None,
) -> T:
    """A person's command that asks the gateway: it enters as every run does, and lets go
    afterwards.

    Raises Misconfigured for another account, mode or address than the journal's, GatewaySilent when
    nobody tells whose the key is, and what closed the line.
    """
    if notes is None:
        notes = []
    settings = opened.job.gateway
    channel = channel_of(opened)
    gateway = opened.edges.gateway(settings, key.reveal())
    try:
        means = Means(settings, gateway, channel, opened.recorder, opened.clock)
        account = await enter(means, notes)
        if unknown := why_whose_unknown(opened.recorder, account):
            raise channel.fatal or GatewaySilent(unknown)
        with means.asked():
            answer = await ask(gateway, channel)
    finally:
        await gateway.aclose()
    if channel.fatal:
        raise channel.fatal
    return answer


async def say_account(
    opened: OpenJob, key: SecretKey, account_id: str, by: str, reason: str
) -> str:
    """A person's word that the journal is of the account of this key; returns whose it was."""
    settings = opened.job.gateway
    gateway = opened.edges.gateway(settings, key.reveal())
    try:
        means = Means(
            settings, gateway, channel_of(opened), opened.recorder, opened.clock
        )
        return await take_account(means, account_id, by, reason)
    finally:
        await gateway.aclose()


@contextmanager
def asking(job: Job) -> Iterator[Channel]:
    """The same for who only asks: needs the lock, so that all requests of a job count for its rate;
    no journal.
    """
    clock = SystemClock()
    holder = {"started": iso(clock.now_ns())}
    with closing(RunLock(job.state_path, job.name, job.gateway.rate, holder)) as lock:
        yield _channel(job, clock, lock)


def require_no_loop(call: str) -> None:
    """A call of a program has an event loop of its own, and a thread has one at a time. Raises
    Usage where one runs.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise Usage(
        f"api.{call} was called in a thread in which an event loop runs, and brings its own: call"
        f" it in another thread, as await asyncio.to_thread(api.{call}, …) does"
    )


def ask_recipients(job: Job, key: SecretKey, recipients: Collection[str]) -> Preflight:
    """Which of these cannot be paid now, and the gateway's limits. Raises what keeps anybody from
    being asked: a key that is refused, a gateway that gives not one answer.
    """
    require_no_loop("plan")

    async def ask() -> Preflight:
        gateway = gateways.open(job.gateway, key.reveal())
        try:
            account = await account_of(job.gateway, gateway, channel)
            if channel.closed or not channel.heard:
                raise channel.silence(job.gateway.url)
            return await preflight(
                recipients, gateway, channel, account.currency, job.gateway.concurrency
            )
        finally:
            await gateway.aclose()

    with asking(job) as channel:
        return asyncio.run(ask())


class Counting:
    """How much was asked of the gateway, and how often it said that that was too much."""

    def __init__(self) -> None:
        self.sent = 0
        self.told_429 = 0

    def counts(self) -> dict[str, int]:
        """Both, by their names in the journal."""
        return {"sent": self.sent, "429": self.told_429}


class _CountingPacer(Pacer):
    """Each request that left, and each 429, is told to it."""

    counting: Counting

    def left(self, now_s: float) -> None:
        """A request's first byte is out."""
        self.counting.sent += 1
        super().left(now_s)

    def throttled(self, now_s: float, after_s: float | None, jitter: float) -> float:
        """The gateway answered with 429."""
        self.counting.told_429 += 1
        return super().throttled(now_s, after_s, jitter)


def _channel(
    job: Job, clock: Clock, rates: Rates, counting: Counting | None = None
) -> Channel:
    settings = job.gateway
    now_s = clock.elapsed_s()
    earlier = (now_s - age_s for age_s in rates.ages_s())
    pacer = _CountingPacer(
        settings.rate, settings.rate_window_s, settings.burst, earlier
    )
    pacer.counting = counting or Counting()
    breaker = Breaker(settings.pause_s)
    return Channel(clock, pacer, breaker, rates.stamp)


def limits_of(job: Job, options: Options, started_ns: int) -> Limits:
    """How far a run that begins then may go."""
    controls = job.controls
    deadline_ns = None
    if controls.deadline:
        started = datetime.fromtimestamp(started_ns / 1e9, UTC)
        at = next_deadline(controls.deadline, controls.time_zone, started)
        deadline_ns = int(at.timestamp()) * 10**9
    return Limits(
        orders=options.limit,
        canary=options.canary,
        max_failures=controls.max_failures,
        deadline_ns=deadline_ns,
        deadline=f"{controls.deadline} {controls.time_zone}",
    )


def _lost_sends_s(opened: OpenJob, *, adopt: bool) -> float:
    """How long requests may still land that no intent of this journal tells of: it was lost, or an
    older copy is back.

    The list that tells what the gateway has of them proves nothing before that (laws L5, L11). It
    counts from this run's start: the lock's memory of the last requests may be as old as the
    journal.
    """
    if adopt or opened.loss is not None:
        return opened.job.gateway.doubt_period_s
    return 0.0


def _note_holds(opened: OpenJob, why: str) -> bool:
    """Write down why rows were held, where it is another reason than before; was there any?"""
    if not why:
        return False
    told = False
    held = Held(reason=why, stop=bool(opened.stop))
    for planned in opened.planned:
        batch = planned.batch
        if batch.refusal:
            continue
        if opened.stop or last_hold(opened.journal, batch.id) != why:
            opened.note(held, batch.id)
            told = True
    return told
