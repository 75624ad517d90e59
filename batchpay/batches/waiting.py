"""WAITING: one batch as `status` tells it, with every row that somebody must settle."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from batchpay.batches.clock import iso, ns_of
from batchpay.batches.counted import is_due, still_counts, totals_in
from batchpay.batches.last import last_hold
from batchpay.batches.standings import findings_at, findings_of
from batchpay.domain.events import STOPS
from batchpay.domain.model import OPEN, Batch, Event, Finding, Outcome
from batchpay.domain.money import major_text
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.messages.message import read
from batchpay.reconciliation.findings import NOT_SENT_YET
from batchpay.reconciliation.totals import Totals, further_json, must_act
from batchpay.settlement.in_force import stop_in_force

LISTED = 100  # open rows of a batch that `status` spells out


def status_of(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    event: Event | None,
    now_ns: int,
    work: Work,
) -> tuple[dict[str, Any], Totals]:
    """One batch for `status`: where its rows stand, and each one that somebody must settle; its
    totals.
    """
    in_work = 0
    stop = stop_in_force(journal.events(STOPS))
    if event is not None and not still_counts(journal, event, stop):
        totals = totals_in(event)
        waiting: list[dict[str, Any]] = []
    elif event is not None and (
        places := _open_places(journal, batch, event, stop, work)
    ):
        totals = totals_in(event)
        findings = findings_at(job, journal, batch, places)
        waiting = [_waiting(one, batch, now_ns) for one in findings if not one.accepted]
    else:
        totals, waiting, in_work = _standing(job, journal, batch, now_ns, work)
    told = {
        "batch": batch.id,
        "file": batch.file,
        "received": iso(batch.first_seen_ns),
        "mode": batch.mode,
        "rows": batch.rows_read,
        "outcomes": totals.outcomes(),
        "charged": {
            c: major_text(total, c) for c, total in totals.money_moved().items()
        },
        "refusal": batch.refusal,
        "further_charges": further_json(totals),
        "stop": stop,
        "who_acts": dict(must_act([totals]).orders),
        "in_work": in_work,
        "unproven": Outcome.UNPROVEN in totals.stands(),
        "open_count": (
            sum(
                totals.count(outcome) - totals.accepted[outcome.value]
                for outcome in OPEN
            )
            - in_work
        ),
        "open": waiting,
    }
    return told, totals


def _open_places(
    journal: SqliteJournal,
    batch: Batch,
    latest: Event,
    stop: str,
    work: Work,
) -> list[tuple[str, int]]:
    """Sheet and row of the open rows of a batch that reads as in its last report, the first LISTED
    of them; none where it may not, or where they must be looked for.
    """
    if work != Work() or is_due(journal, latest, stop):
        return []
    totals = totals_in(latest)
    places = journal.open_places(batch.id)
    if len(places) != sum(totals.count(outcome) for outcome in OPEN):
        return []
    return places[: LISTED + sum(totals.accepted.values())]


def _standing(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    now_ns: int,
    work: Work,
) -> tuple[Totals, list[dict[str, Any]], int]:
    """A batch counted anew, with its first open rows spelled out, and how many are merely in
    work.
    """
    totals = Totals()
    in_work = 0
    hold = last_hold(journal, batch.id)
    waiting: list[dict[str, Any]] = []
    for _, findings in findings_of(job, journal, batch)():
        for finding in findings:
            totals.add(finding)
            if finding.outcome not in OPEN or finding.accepted:
                continue
            if work.has(finding, hold):
                in_work += 1
            elif len(waiting) < LISTED:
                waiting.append(_waiting(finding, batch, now_ns))
    return totals, waiting, in_work


def _waiting(finding: Finding, batch: Batch, now_ns: int) -> dict[str, Any]:
    """An open row with its age: since its first send, or, never sent, since its file came."""
    if finding.sent_at:
        since_ns = ns_of(finding.sent_at)
    else:
        since_ns = batch.first_seen_ns
    return {
        "order": finding.order_id,
        "row": finding.row,
        "sheet": finding.sheet,
        "outcome": finding.outcome.value,
        "since": iso(since_ns),
        "sent": bool(finding.sent_at),
        "age_s": max(0, now_ns - since_ns) // 10**9,
        "charge": finding.charge_id,
        "reason": finding.reason,
        "reason_codes": list(finding.codes),
    }


@dataclass(frozen=True, slots=True)
class Work:
    """What a run that is at work now has in hand."""

    # order id and attempt: a request of it may be on its way
    attempts: Collection[tuple[str, int]] = frozenset()
    batches: Collection[str] = frozenset()  # whose rows it will come to

    def has(self, finding: Finding, hold: str) -> bool:
        """Is this row merely on its way?"""
        if finding.outcome is Outcome.IN_DOUBT:
            return (finding.order_id, finding.attempts) in self.attempts
        is_next = finding.reasons in (NOT_SENT_YET, (read(hold),))
        next_up = finding.outcome is Outcome.HELD and is_next
        return next_up and finding.batch_id in self.batches
