"""Are the columns that reports read what the events add up to? Asked after nights that failed."""

from __future__ import annotations

from collections.abc import Iterator

from batchpay.batches.standings import findings_of
from batchpay.job.job import Job
from batchpay.journals.asked import Asked
from batchpay.journals.came_to import CameTo, came_of
from batchpay.journals.sqlite.store import SqliteJournal


def drifted(job: Job, journal: SqliteJournal) -> Iterator[str]:
    """Every order whose columns say something else than all of its events, folded anew; every row
    that reads otherwise from them than judged.
    """
    kept: dict[str, list[CameTo]] = {}
    columns = ", ".join(f"c.{name}" for name in CameTo._fields)
    query = (
        f"SELECT a.order_id, {columns} FROM came_to AS c JOIN asked AS a ON a.seq = c.seq"
        " WHERE a.job = ? ORDER BY c.seq"
    )
    for order_id, *row in journal._rows(query, journal.job):
        kept.setdefault(order_id, []).append(CameTo(*row))
    orders = sorted({event.order_id for event in journal.events() if event.order_id})
    for order_id, events in journal.histories(orders).items():
        wanted = sorted(came_of(events))
        if kept.pop(order_id, []) != wanted:
            yield f"what came of order {order_id} is not {wanted}"
    yield from (f"something came of order {order_id}" for order_id in kept)
    for batch in journal.batches():
        shown = findings_of(job, journal, batch)
        judged = findings_of(job, journal, batch, every_story=True)
        for (_, some), (_, others) in zip(shown(), judged(), strict=True):
            for one, other in zip(some, others, strict=True):
                if one != other:
                    yield f"row {one.row} of {batch.id} reads {one}, and is {other}"


def plain_rows(journal: SqliteJournal) -> int:
    """How many rows are shown from columns."""
    return int(journal._first("SELECT count(*) FROM came_to WHERE plain = 1")[0])


__all__ = ["Asked", "drifted", "plain_rows"]
