"""UNANSWERED: what rows of other files that wait ask for under the very order id of a row.

A person who is asked about a row is asked about its order: in whatever file that comes next, and
whatever it asks for there, the question is still open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from batchpay.domain.events import (
    BatchPlanned,
    NamelessListed,
    TotalsCounted,
    kinds,
    told_in,
)
from batchpay.domain.model import Batch, Document, Outcome, StoredChunk
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import place_of
from batchpay.lifecycle.sale_terms import has_terms
from batchpay.reconciliation.totals import Totals


@dataclass(slots=True)
class _Waiting:
    """The rows of files that have some which wait, as far as the journal was read."""

    until: int = 0  # the last event
    # was what stood there read before, so that the rest is of this very process?
    is_read: bool = False
    # batch id -> what an order id looks like -> what its rows ask for, or asked for when the job
    # read them otherwise
    of: dict[str, dict[str, list[Document]]] = field(default_factory=dict)


def asked_beside(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> dict[str, tuple[Document, ...]]:
    """Place of a row -> what those of other files ask for; asked only where the ids of an order, or
    a charge that names nobody, may have brought up a question about one.
    """
    if not _may_be_asked(journal, lineages):
        return {}
    waiting = _waiting_in(journal, lineages.form)
    others = [some for batch_id, some in waiting.of.items() if batch_id != batch.id]
    found = {}
    for at in wanted:
        order_id = str(chunk.documents[at].get("order_id") or "")
        asked: list[Document] = []
        for some in others:
            asked += some.get(lineages.form(order_id), ())
        if asked:
            place = place_of(batch.id, chunk.sheet, chunk.rows[at])
            found[place] = tuple({**one, "order_id": order_id} for one in asked)
    return found


def _may_be_asked(journal: SqliteJournal, lineages: Lineages) -> bool:
    names = lineages.names
    if names.had_other_sources or names.are_any:
        return True
    return any(told_in(journal, NamelessListed))


def _waiting_in(journal: SqliteJournal, form: Callable[[str], str]) -> _Waiting:
    known = journal.kept(_Waiting) or _Waiting()
    journal.keep(known)
    waits = dict.fromkeys(known.of, True)
    changed: dict[str, None] = {}
    for event in journal.events(kinds(BatchPlanned, TotalsCounted), after=known.until):
        known.until = event.seq
        changed[event.batch_id] = None
        if event.kind == TotalsCounted.kind:
            totals = Totals.from_json(TotalsCounted.read(event).totals)
            waits[event.batch_id] = totals.count(Outcome.HELD) > 0
        elif not known.is_read:  # unless it was counted since: its run was killed
            waits[event.batch_id] = True
    known.is_read = True
    for batch_id in changed:
        known.of.pop(batch_id, None)
        if waits.get(batch_id):
            known.of[batch_id] = _asked_in(journal, batch_id, form)
    return known


def _asked_in(
    journal: SqliteJournal, batch_id: str, form: Callable[[str], str]
) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for chunk in journal.chunks(batch_id):
        for at, document in enumerate(chunk.documents):
            asked = [*chunk.asked.get(at, ())]
            if at not in chunk.problems:
                asked.append(document)
            if order_id := str(document.get("order_id") or ""):
                found.setdefault(form(order_id), []).extend(filter(has_terms, asked))
    return found
