"""The journal read back: what it says about rows, batches and runs. Everything shown comes through here (law L9)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from batchpay.clock import iso, ns_of
from batchpay.journals.sqlite import SqliteJournal
from batchpay.lifecycle import Attempt, History, fold
from batchpay.model import OPEN, Batch, Document, Event, Finding, StoredChunk
from batchpay.money import major_text
from batchpay.planning import alike
from batchpay.reconciliation import Totals, find
from batchpay.settlement.books import stop_in_force

LISTED = 100  # open rows of a batch that `status` spells out
FIRST_LOOK = timedelta(days=35)  # how far back an empty journal looks (law L11)


def history_of(journal: SqliteJournal, batch_id: str, chunk: StoredChunk, but: frozenset[int] = frozenset()) -> History:
    """What the journal knows that matters to the rows of a chunk, `but` some that are of no interest."""
    owned = journal.owned(batch_id, chunk.sheet, chunk.rows[0], chunk.rows[-1]) if chunk.rows else {}
    owned = {row: order_id for row, order_id in owned.items() if row not in but}
    pairs = zip(chunk.rows, chunk.documents, strict=True)
    asked = [document["order_id"] for row, document in pairs if "order_id" in document and row not in but]
    histories = journal.histories([*asked, *owned.values()])
    attempts = {order_id: folded for order_id, events in histories.items() if (folded := fold(events))}
    cancelled = {e.order_id: str(e.data["reason"]) for found in histories.values() for e in found
                 if e.kind == "cancelled"}  # fmt: skip
    new = {alike(order_id): order_id for order_id in asked if order_id not in attempts}
    twins = journal.look_alikes(list(new))
    others = attempts_of(journal, [other for ids in twins.values() for other in ids])
    look_alikes = {form: tuple(a for other in ids for a in others.get(other, ())[-1:]) for form, ids in twins.items()}
    return History(attempts=attempts, owned=owned, look_alikes=look_alikes, cancelled=cancelled)


def attempts_of(journal: SqliteJournal, order_ids: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    """Every attempt of some orders, by order id."""
    return {order_id: fold(events) for order_id, events in journal.histories(order_ids).items()}


Found = Callable[[], Iterator[tuple[StoredChunk, list[Finding]]]]


def findings_of(journal: SqliteJournal, batch: Batch) -> Found:
    """Where each row of a batch stands now, chunk by chunk; call it again to read it again."""
    repeats = journal.repeats(batch.id)
    hold, bars = batch.refusal or last_hold(journal, batch.id), {} if batch.refusal else barred(journal)

    def read() -> Iterator[tuple[StoredChunk, list[Finding]]]:
        for chunk in journal.chunks(batch.id):
            yield chunk, find(batch, chunk, repeats, history_of(journal, batch.id, chunk), hold, bars)

    return read


def totals_of(found: Found) -> tuple[Totals, str]:
    """Counts and sums of a batch as they stand now, with a digest of every row's outcome."""
    totals, digest = Totals(), hashlib.sha256()
    for _, findings in found():
        for finding in findings:
            totals.add(finding)
            digest.update(repr((finding.row, finding.outcome.value, finding.charge_id, finding.reason)).encode())
    return totals, digest.hexdigest()


def last_totals(journal: SqliteJournal) -> dict[str, Event]:
    """Batch -> the event its last report was written from."""
    return {event.batch_id: event for event in journal.events(["totals"])}


def is_open(event: Event) -> bool:
    """Did the batch have a row that a later run, or a person, must settle?"""
    return bool(Totals.from_json(event.data).stands() & OPEN)


def status_of(journal: SqliteJournal, batch: Batch, event: Event | None, now_ns: int) -> dict[str, Any]:
    """One batch for `status`: where its rows stand, and each one that a later run or a person must settle."""
    if event is not None and not is_open(event):
        totals = Totals.from_json(event.data)
        waiting: list[dict[str, Any]] = []
    else:
        totals, waiting = _standing(journal, batch, now_ns)
    return {
        "batch": batch.id,
        "file": batch.file,
        "received": iso(batch.first_seen_ns),
        "mode": batch.mode,
        "rows": batch.rows_read,
        "outcomes": totals.outcomes(),
        "charged": {c: major_text(total, c) for c, total in totals.money_moved().items()},
        "refusal": batch.refusal,
        "stop": stop_in_force(journal.events(["stop", "lifted"])),
        "open_count": sum(totals.count(outcome) for outcome in OPEN),
        "open": waiting,
    }


def _standing(journal: SqliteJournal, batch: Batch, now_ns: int) -> tuple[Totals, list[dict[str, Any]]]:
    """A batch counted anew, with its first open rows spelled out."""
    totals = Totals()
    waiting: list[dict[str, Any]] = []
    for _, findings in findings_of(journal, batch)():
        for finding in findings:
            totals.add(finding)
            if finding.outcome in OPEN and len(waiting) < LISTED:
                waiting.append(_waiting(finding, batch, now_ns))
    return totals, waiting


def _waiting(finding: Finding, batch: Batch, now_ns: int) -> dict[str, Any]:
    """An open row with its age: since its first send, or, never sent, since its file came."""
    since_ns = ns_of(finding.sent_at) if finding.sent_at else batch.first_seen_ns
    return {
        "order": finding.order_id, "row": finding.row, "sheet": finding.sheet, "outcome": finding.outcome.value,
        "since": iso(since_ns), "age_s": max(0, now_ns - since_ns) // 10**9, "charge": finding.charge_id,
        "reason": finding.reason,
    }  # fmt: skip


def barred(journal: SqliteJournal) -> dict[str, str]:
    """Recipients that could not be paid when last asked about, each with why."""
    found: dict[str, str] = {}
    for event in journal.events(["preflight"]):
        found = dict(event.data["barred"])
    return found


def strays(journal: SqliteJournal) -> Totals:
    """Open orders of batches that this journal never read: adopted charges that the gateway has not decided."""
    totals, known = Totals(), {batch.id[-12:] for batch in journal.batches()}
    for attempts in attempts_of(journal, journal.open_orders()).values():
        for attempt in attempts:
            if attempt.intent.batch_id[-12:] not in known and not attempt.closed:
                totals.counts[attempt.intent.currency.upper(), attempt.outcome.value] += 1
    return totals


def last_hold(journal: SqliteJournal, batch_id: str) -> str:
    """Why rows of a batch were not sent the last time something held them."""
    reason = ""
    for event in journal.events(["held"]):
        if event.batch_id == batch_id:
            reason = str(event.data["reason"])
    return reason


def listed_until(journal: SqliteJournal) -> datetime | None:
    """Upper bound of the last completed listing; None for a journal that never completed one, or that knows no order:
    what it has not charged itself may have been charged by another journal, or under another job's name, long before.
    """
    bound = None
    if not journal.knows_orders():
        return None
    for event in journal.events(["listing"]):
        bound = datetime.strptime(str(event.data["bound"]), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return bound


def documents_of(chunk: StoredChunk) -> Iterator[tuple[int, Document]]:
    """Position and document of each row of a chunk that broke no rule."""
    for at, document in enumerate(chunk.documents):
        if at not in chunk.problems:
            yield at, document
