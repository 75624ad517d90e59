"""RESOLVE: a person's word about one order or about a stop, kept with its reason; never against the evidence."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from batchpay import accounts
from batchpay.config import SecretKey
from batchpay.desk import Desk
from batchpay.errors import DoesNotAddUp, GatewaySilent, TryLater, Usage
from batchpay.gateways.omise import Omise
from batchpay.job import Job
from batchpay.lifecycle import CHARGE_ID, Attempt, DoubtRules, flaws_of, fold, seen
from batchpay.model import ChargeSeen, Event, Outcome, Page
from batchpay.publish import publish
from batchpay.session import line_of
from batchpay.settlement import Books, Case, Line
from batchpay.settlement.books import stop_in_force
from batchpay.settlement.lists import OVERLAP, Lists

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was settled, in a sentence."""

    sentence: str
    exit_code: int = 0


def lift_stop(job: Job, reason: str) -> Resolved:
    """End the stop in force. Raises Usage when there is none."""
    with ExitStack() as stack:
        desk = Desk(job, stack)
        stop = stop_in_force(desk.journal.events(["stop", "lifted"]))
        if not stop:
            raise Usage(f"{job.name}: no stop is in force; there is nothing to lift")
        desk.note("lifted", {"reason": reason, "by": _who(), "stop": stop})
        _publish_all(desk)
        return Resolved(f"lifted: {stop}. The next run sends again")


def cancel(job: Job, order_id: str, reason: str) -> Resolved:
    """A held order is never sent. Raises Usage for any other order."""
    with ExitStack() as stack:
        desk = Desk(job, stack)
        attempts = _attempts(desk, order_id)
        if attempts and attempts[-1].outcome is Outcome.HELD:
            asyncio.run(_books(desk).resolve(_case(attempts), "cancelled", reason, _who()))
        elif attempts:
            raise Usage(
                f"order {order_id} is {attempts[-1].outcome.value}, not held; only a held order can be cancelled"
            )
        elif not _is_held_row(desk, order_id):
            raise Usage(f"order {order_id} is in no batch as a row that waits to be sent; see results.csv for its id")
        else:
            data = {"reason": reason, "by": _who()}
            desk.journal.append([Event("cancelled", desk.clock.now_ns(), desk.run_id, order_id=order_id, data=data)])
        _publish_all(desk)
        return Resolved(f"order {order_id} is cancelled: it will never be sent")


def charged(job: Job, key: SecretKey, order_id: str, charge_id: str, reason: str) -> Resolved:
    """An order in doubt was charged by this very charge, which the gateway shows and which is what was asked."""
    if not CHARGE_ID.fullmatch(charge_id):
        raise Usage(f"{charge_id} is no charge id; one begins with chrg_")
    with ExitStack() as stack:
        desk = Desk(job, stack)
        case = _in_doubt(desk, order_id)
        charge = asyncio.run(_at_the_gateway(desk, key, partial(_read, charge_id=charge_id)))
        if charge is None:
            raise DoesNotAddUp(f"the gateway knows no charge {charge_id}; order {order_id} stays in doubt")
        if flaws := flaws_of(charge, case.intent, desk.job.gateway.mode == "live"):
            raise DoesNotAddUp(f"{charge_id} is not order {order_id}'s charge: {'; '.join(flaws)}; it stays in doubt")
        asyncio.run(_books(desk).resolve(case, "charged", reason, _who(), charge))
        _publish_all(desk)
        return Resolved(f"order {order_id} is settled: {charge_id}, {charge.status}")


def not_charged(job: Job, key: SecretKey, order_id: str, reason: str) -> Resolved:
    """An order in doubt took no money: after its doubt period, and when a complete list does not show it either."""
    with ExitStack() as stack:
        desk = Desk(job, stack)
        case = _in_doubt(desk, order_id)
        _refuse_too_early(desk, case)
        found = asyncio.run(_at_the_gateway(desk, key, partial(_look_up, case=case)))
        if found is not None:
            asyncio.run(_books(desk).found(case, found))
            _publish_all(desk)
            raise DoesNotAddUp(f"order {order_id} was charged: {found.id}, {found.status}; that is in the journal now")
        asyncio.run(_books(desk).resolve(case, "not-charged", reason, _who()))
        _publish_all(desk)
        return Resolved(
            f"order {order_id} is settled: not charged. To charge it after all, send its row in a new file, corrected "
            "or with batchpay_retry = yes"
        )


# --- parts -----------------------------------------------------------------------------------------------------


def _attempts(desk: Desk, order_id: str) -> tuple[Attempt, ...]:
    return fold(desk.journal.histories([order_id]).get(order_id, []))


def _case(attempts: tuple[Attempt, ...]) -> Case:
    *before, attempt = attempts
    return Case(attempt.intent, attempt, tuple(before), present=False)


def _in_doubt(desk: Desk, order_id: str) -> Case:
    attempts = _attempts(desk, order_id)
    if not attempts:
        raise Usage(f"order {order_id} was never sent by job {desk.job.name!r}")
    if attempts[-1].outcome is not Outcome.IN_DOUBT:
        raise Usage(f"order {order_id} is {attempts[-1].outcome.value}, not in doubt; there is nothing to settle")
    return _case(attempts)


def _refuse_too_early(desk: Desk, case: Case) -> None:
    settings, clock = desk.job.gateway, desk.clock
    rules = DoubtRules(settings.doubt_period_s, settings.lookup_gap_s, clock.boot_id, clock.elapsed_s())
    assert case.attempt is not None and case.attempt.doubt is not None
    left_s = rules.due_s(case.attempt.doubt) - clock.elapsed_s()
    if left_s > 0 and not rules.absents(case.attempt.doubt):
        raise TryLater(
            f"order {case.intent.order_id} is inside its doubt period for {left_s:.0f} s: what was sent may yet "
            "arrive. Run `batchpay settle` first, which waits and looks, then say it again"
        )


async def _at_the_gateway(desk: Desk, key: SecretKey, ask: Callable[..., Awaitable[T]]) -> T:
    line = line_of(desk)
    gateway = Omise(desk.job.gateway, key.reveal())
    try:
        answer = await ask(desk, gateway, line)
    finally:
        await gateway.aclose()
    if line.fatal:
        raise line.fatal
    return answer


async def _read(desk: Desk, gateway: Omise, line: Line, charge_id: str) -> ChargeSeen | None:
    answer = await line.ask(partial(gateway.get, charge_id))
    if answer is None:
        raise line.fatal or GatewaySilent(f"{desk.job.gateway.url} does not answer; nothing was settled")
    charge, _ = seen(answer.document)
    return charge if charge is not None and charge.id == charge_id else None


async def _look_up(desk: Desk, gateway: Omise, line: Line, case: Case) -> ChargeSeen | None:
    found: list[ChargeSeen] = []

    async def absorb(page: Page) -> None:
        found.extend(c for c in page.charges if c.metadata.get("batchpay_key") == case.intent.key)

    assert case.attempt is not None
    since = datetime.fromtimestamp(case.attempt.sent_ns // 10**9, UTC) - OVERLAP
    listing = await Lists(gateway, line, _books(desk), desk.clock, lambda moved: None).read(since, absorb)
    if found:
        return found[0]
    if listing is None or not listing.complete:
        raise line.fatal or GatewaySilent("the gateway's list could not be read completely; nothing was settled")
    return None


def _is_held_row(desk: Desk, order_id: str) -> bool:
    """Is there a batch in which this order is a valid row that was never sent?"""
    return any(
        finding.order_id == order_id and finding.outcome is Outcome.HELD
        for batch in reversed(desk.journal.batches())
        for _, findings in accounts.findings_of(desk.journal, batch)()
        for finding in findings
    )


def _books(desk: Desk) -> Books:
    return Books(desk.journal, desk.clock, desk.job.name, desk.run_id, live=desk.job.gateway.mode == "live")


def _publish_all(desk: Desk) -> None:
    """Every report in which something moved."""
    latest = accounts.last_totals(desk.journal)
    for batch in desk.journal.batches():
        if batch.id not in latest or accounts.is_open(latest[batch.id]) or desk.journal.moved(batch.id):
            publish(desk, batch)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
