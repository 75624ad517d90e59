"""ADOPTED: a file that resembles charges which no row shows: a person says first whether its orders
are new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from batchpay.batches.guards import said_new_in
from batchpay.batches.planned import PlannedBatch, placed_rows
from batchpay.batches.strays import unshown
from batchpay.domain.model import Batch, Document
from batchpay.intake.likeness import FEWEST, Unasked
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.rows import Guards, MayGo
from batchpay.messages import repeats, steps


def held_against_adopted(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
) -> list[PlannedBatch]:
    """Where a journal was lost, what was known of other ids of its orders went with it: of a file
    of new ids that asks for what adopted charges took, which no row shows, it is asked whether its
    orders are new. How old those are does not matter: they are as recent as the loss.
    """
    judged = []
    for planned, found in like_adopted(job, journal, batches, guards):
        if found.warns:
            judged.append(planned.refused(_said_of_adopted(planned.batch, found)))
        else:
            judged.append(planned)
    return judged


def like_adopted(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
) -> Iterator[tuple[PlannedBatch, Unasked]]:
    """Each file with those charges; but for charges of which a person said that what resembles them
    is new.
    """
    taken = _taken_unasked(job, journal)
    for planned in batches:
        if len(taken) >= FEWEST and not planned.batch.refusal:
            yield planned, _unasked_for(job, journal, planned, guards, taken)
        else:
            yield planned, Unasked()


def _taken_unasked(job: Job, journal: SqliteJournal) -> list[Attempt]:
    """Adopted charges that no row shows, and of which no person spoke."""
    if not journal.adopted():
        return []
    said = said_new_in(journal).charges
    return [
        attempt
        for attempt in unshown(job, journal)
        if attempt.adopted
        and attempt.charge is not None
        and not attempt.closed
        and attempt.charge.id not in said
    ]


def _unasked_for(
    job: Job,
    journal: SqliteJournal,
    planned: PlannedBatch,
    guards: Guards,
    taken: Sequence[Attempt],
) -> Unasked:
    """A file held against charges that nobody asked for: what would be sent of it, but for those
    that a row shows.
    """
    found = Unasked()
    new: list[Document] = []
    theirs: set[str] = set()
    for placed in placed_rows(job, journal, planned, guards):
        shown = getattr(placed.standing, "attempt", None)
        if isinstance(placed.standing, MayGo) and _is_first(placed.standing):
            new.append(placed.row.document)
        elif shown is not None and shown.charge is not None:
            theirs.add(shown.charge.id)
    for attempt in taken:
        asked = attempt.intent
        charge = attempt.charge
        if charge is not None and charge.id not in theirs:
            terms = asked.destination, asked.amount, asked.currency
            found.remember(
                *terms,
                payer=asked.payer,
                charge_id=charge.id,
                batch_id=asked.batch_id,
            )
    for one in new:
        found.compare(one)
    return found


def _is_first(standing: MayGo) -> bool:
    """Was nothing asked before of which it is known that it is the row's sale?"""
    return len(standing.before) == len(standing.unsure)


def _said_of_adopted(batch: Batch, found: Unasked) -> str:
    return str(
        repeats.FILE_LIKE_CHARGES(
            alike=len(found.found),
            new=found.new,
            charge=found.found[0],
            ask=steps.NEW_ORDERS(batch=batch.id),
        )
    )
