"""CANDIDATES: what may be sent, as the settlement takes it: the same walk for `plan`, which only
tells, and for `run`, which sends.

    take in (drafts) -> files as a whole (judging, recent, adopted) -> rows (planned, survey)

Both hold the same values: a `PlannedBatch` is a file's rows with what was decided about the file,
wherever its rows are kept. Nothing here writes a journal or asks the gateway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from batchpay.batches.planned import Placed, PlannedBatch, rows_in_turn
from batchpay.batches.survey import refuse_impossible
from batchpay.domain.model import Intent
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.ancestry import Ancestry
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.request import intent_of
from batchpay.lifecycle.rows import (
    DuplicateOf,
    Guards,
    MayGo,
    Owns,
    Row,
    Standing,
    is_sendable,
)
from batchpay.settlement import Candidate


def candidates(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
    run_id: str,
) -> Iterator[Candidate]:
    """What may be sent, as the settlement takes it: of each order one row a run, the one that was
    there at its begin.

    What became of an order in this very run makes way for no other row of it before the next one
    (J14). Raises DoesNotAddUp for a row that an adopted charge contradicts, Misconfigured for one
    that another job charged.
    """
    lineages = Lineages.of_job(job, journal)
    for placed in rows_in_turn(job, journal, batches, guards):
        refuse_impossible(placed)
        if is_sendable(placed.standing) and not _was_sent(placed.standing, run_id):
            yield _candidate(job, journal, placed, run_id, lineages)


def _was_sent(standing: Standing, run_id: str) -> bool:
    """Was any attempt of the row's order sent in this run already?"""
    if not isinstance(standing, MayGo):
        return False
    return any(attempt.sent_in == run_id for attempt in standing.before)


def _candidate(
    job: Job,
    journal: SqliteJournal,
    placed: Placed,
    run_id: str,
    lineages: Lineages,
) -> Candidate:
    row = placed.row
    places = _ancestry_of(row, lineages).places
    went_back = (*row.asked, *lineages.rows.documents(places))
    match placed.standing:
        case MayGo(number, before, withdraw):
            intent = intent_of_row(job, journal, row, number, run_id, lineages)
            return Candidate(intent.order_id, intent, before, withdraw, went_back)
        case Owns(attempt, before=before) | DuplicateOf(attempt, before=before):
            order_id = attempt.intent.order_id
            return Candidate(order_id, None, before, went_back=went_back)
    raise AssertionError(f"{placed.standing} is not sendable")


def intent_of_row(
    job: Job,
    journal: SqliteJournal,
    row: Row,
    number: int,
    run_id: str,
    lineages: Lineages,
) -> Intent:
    """What an attempt of a row's order asks for."""
    ancestry = _ancestry_of(row, lineages)
    return intent_of(
        row.document,
        job=job.name,
        attempt=number,
        fee=job.fee,
        batch_id=row.batch_id,
        sheet=row.sheet,
        row=row.row,
        run_id=run_id,
        journal_id=journal.id,
        mode=job.gateway.mode,
        corrects=ancestry.identity,
        sale=ancestry.keys,
        ids_from=job.columns.ids_from,
        extras_from=job.extras_from,
    )


def _ancestry_of(row: Row, lineages: Lineages) -> Ancestry:
    if not row.corrects:
        return Ancestry()
    return lineages.of(row.corrects, row.earlier)
