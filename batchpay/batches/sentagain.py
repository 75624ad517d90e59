"""SENT AGAIN: what a later night asks about once more.

Orders of which a further request went although nothing explains an earlier one: it
was said, by an answer, by lists or by a person, that nothing was charged.

A list that showed that charge late shows it behind what a run looks at: so some nights of a month
look there once more (settlement/reach.py).

Orders of which a person said what became of a charge, most often of one that was gone: one that
comes back is in no list of that night. It has an id, and is asked for by it on as many nights.
"""

from __future__ import annotations

from batchpay.domain.events import Listed, Resolved, told_in
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.settlement.cases import SLICE
from batchpay.settlement.reach import REMEMBERED_NS, falls_due, is_due, went_again


def due_again(journal: SqliteJournal, now_ns: int) -> list[Attempt]:
    """Those attempts of which this run looks once more whether they were charged after all."""
    looked_ns = _looked_ns(journal)
    due: list[Attempt] = []
    ids = journal.went_again_since(now_ns - REMEMBERED_NS)
    for start in range(0, len(ids), SLICE):
        for events in journal.histories(ids[start : start + SLICE]).values():
            attempts = fold(events)
            if is_due(attempts, looked_ns, now_ns):
                due += went_again(attempts)
    return due


def said_of(journal: SqliteJournal, now_ns: int) -> list[str]:
    """Those orders whose charges this run asks for once more by their ids, for a person said what
    became of one of them.
    """
    looked_ns = _looked_ns(journal)
    due: dict[str, None] = {}
    for event, _ in told_in(journal, Resolved):
        if falls_due(event.at_ns, looked_ns, now_ns):
            due[event.order_id] = None
    return list(due)


def _looked_ns(journal: SqliteJournal) -> int:
    """When a run read the gateway's list last."""
    looked_ns = 0
    for event, _ in told_in(journal, Listed):
        looked_ns = event.at_ns
    return looked_ns
