"""FINISHED: which batches nothing will ever move again, and when each changed last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from batchpay.batches.counted import is_open, last_totals, totals_in
from batchpay.batches.standings import later_in
from batchpay.domain.events import Archived, told_in
from batchpay.domain.model import OPEN, Batch
from batchpay.domain.times import day_of
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.after import FOLLOWED_NS
from batchpay.messages import archives as said
from batchpay.messages.message import Message
from batchpay.reconciliation.findings import DISPUTE_OPEN
from batchpay.reconciliation.totals import Totals

TRANSFERS = "transfers"  # in Totals.waits_for


@dataclass(frozen=True, slots=True)
class MayFinish:
    """A batch, and why it is not to be archived; None: it is."""

    batch: Batch
    last: int  # number of its last event
    counted: int  # of the event that its reports are made from; 0: none
    changed_ns: int  # wall clock, UTC
    why_not: Message | None


def archives_in(journal: SqliteJournal) -> dict[str, Archived]:
    """Batch -> its last archive."""
    return {told.batch: told for _, told in told_in(journal, Archived)}


def candidates_of(
    job: Job, journal: SqliteJournal, before_ns: int, now_ns: int
) -> Iterator[MayFinish]:
    """Every batch of the job, oldest first. `before_ns`: those that changed later stay."""
    latest = last_totals(journal)
    known = archives_in(journal)
    disputed = _disputed(journal)
    for batch in journal.batches():
        last, changed_ns = journal.last_of_batch(batch.id)
        archived = known.get(batch.id)
        totals = latest.get(batch.id)
        why: Message | None = None
        if archived is not None and archived.last >= last:
            why = said.ALREADY(file=archived.file)
        elif totals is None or journal.moved(batch.id):
            why = said.NOT_COUNTED(batch=batch.id)
        else:
            old = now_ns - changed_ns >= FOLLOWED_NS
            why = _open(totals_in(totals), is_open=is_open(totals), is_old=old)
        if why is None and disputed & {*journal.orders_of(batch.id)}:
            why = said.DISPUTED()
        if why is None and changed_ns >= before_ns:
            at = datetime.fromtimestamp(changed_ns / 1e9, UTC)
            day = day_of(at, job.controls.time_zone)
            why = said.BEFORE(day=day.isoformat())
        counted = totals.seq if totals is not None else 0
        yield MayFinish(batch, last, counted, changed_ns, why)


def _disputed(journal: SqliteJournal) -> set[str]:
    """Orders of which a payer's bank waits for an answer."""
    told = later_in(journal).disputes.values()
    return {one.order for one in told if one.status in DISPUTE_OPEN}


def _open(totals: Totals, *, is_open: bool, is_old: bool) -> Message | None:
    """What may still change. `is_old`: its transfers are not followed any more."""
    waits = totals.waits_for()
    moving = waits.pop(TRANSFERS, 0)
    if waits:
        what = ", ".join(f"{rows} {outcome}" for outcome, rows in waits.items())
        return said.OPEN_ROWS(rows=sum(waits.values()), what=what)
    if totals.is_a_persons:
        return said.A_PERSONS()
    if is_open:
        named = totals.stands() & OPEN
        what = ", ".join(sorted(outcome.value for outcome in named))
        return said.OPEN_ROWS(rows=len(named), what=what)
    if totals.is_disputed:
        return said.DISPUTED()
    if moving and not is_old:
        return said.MOVING(rows=moving)
    return None
