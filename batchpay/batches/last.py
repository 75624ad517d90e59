"""LAST: what the journal was told last: of runs, inputs, recipients, lists, holds and losses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from batchpay.batches.clock import iso, run_began
from batchpay.batches.resembling import NEAR_NS
from batchpay.domain.events import (
    Held,
    InputsRead,
    Listed,
    RecipientsAsked,
    Restored,
    RunFinished,
    RunStarted,
    kinds,
    of,
    told_in,
)
from batchpay.domain.model import Event
from batchpay.domain.times import SKEW_S
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.settlement.preflight import NOTHING_ASKED, Preflight

# how far back an empty journal looks that nothing tells of (law L11)
FIRST_LOOK = timedelta(days=35)


def last_inputs(journal: SqliteJournal) -> list[str] | None:
    """Ids of the batches whose files were inputs of the last run that read any; None when no run
    said so.
    """
    batches: list[str] | None = None
    for _, told in told_in(journal, InputsRead):
        batches = list(told.batches)
    return batches


def has_looked(journal: SqliteJournal, run_id: str) -> bool:
    """Did a run complete its look at the gateway?"""
    return any(event.run_id == run_id for event, _ in told_in(journal, Listed))


def preflight_of(journal: SqliteJournal) -> Preflight:
    """What the gateway last said: recipients that cannot be paid, each with why, and its limits."""
    told = NOTHING_ASKED
    for _, asked in told_in(journal, RecipientsAsked):
        told = Preflight.of_told(asked)
    return told


def last_run_json(journal: SqliteJournal) -> dict[str, Any] | None:
    """When the last run began, when it ended and how; without an end it was killed, or is at
    work.
    """
    told: dict[str, Any] | None = None
    for event in journal.events(kinds(RunStarted, RunFinished)):
        what = of(event)
        at = iso(event.at_ns)
        if isinstance(what, RunStarted):
            told = {
                "run": event.run_id,
                "started": run_began(event.run_id, event.at_ns),
                "ended": "",
                "exit_code": None,
            }
        elif (
            isinstance(what, RunFinished)
            and told is not None
            and told["run"] == event.run_id
        ):
            told |= {"ended": at, "exit_code": what.exit_code}
    return told


def last_loss(journal: SqliteJournal, now_ns: int) -> dict[str, Any] | None:
    """When this journal was last found to have lost events, if that was within ten days, and which
    orders were cancelled again since, as the reports tell.
    """
    last: Event | None = None
    empty = False
    kept = dict[str, None]()
    for event, told in told_in(journal, Restored):
        if event.at_ns >= now_ns - NEAR_NS:
            last = event
            empty = empty or told.empty
            kept.update(dict.fromkeys(told.cancelled or ()))
    if last is None:
        return None
    return {
        "at": iso(last.at_ns),
        "empty": empty,
        "cancelled": list(kept),
    }


def last_hold(journal: SqliteJournal, batch_id: str) -> str:
    """Why rows of a batch were not sent the last time something held them; a stop that was lifted
    is none, nor is what held them before a later run sent some, and was killed.
    """
    reason = ""
    since_ns = 0
    for event, told in told_in(journal, Held):
        if event.batch_id != batch_id:
            continue
        since_ns = event.at_ns
        reason = told.reason
        if told.stop:
            reason = ""
    if reason and journal.last_sent_of(batch_id) > since_ns:
        return ""
    return reason


def listed_until(journal: SqliteJournal, now: datetime) -> datetime | None:
    """Upper bound of the last completed listing, leaving out what is still to come: a gateway said
    so whose clock was wrong, and it tells nothing of what is charged until then. None for a journal
    that never completed one, or that knows no order: what it has not charged itself may have been
    charged by another journal, or under another job's name, long before.
    """
    bound = None
    if not journal.knows_orders():
        return None
    for until in _bounds(journal):
        if until <= now + timedelta(seconds=SKEW_S):
            bound = until
    return bound


def is_behind(journal: SqliteJournal, now_ns: int) -> bool:
    """Is this machine's clock behind what the gateway told with an earlier list? Or the gateway's
    was ahead then.
    """
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    return any(until > now + timedelta(seconds=SKEW_S) for until in _bounds(journal))


def _bounds(journal: SqliteJournal) -> Iterator[datetime]:
    """Until when the gateway's charges were listed, by its own clock, each time."""
    for _, told in told_in(journal, Listed):
        until = datetime.strptime(told.bound, "%Y-%m-%dT%H:%M:%SZ")
        yield until.replace(tzinfo=UTC)
