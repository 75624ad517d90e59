"""HISTORY: what the journal knows that matters to the rows of a chunk, gathered from its parts."""

from __future__ import annotations

from collections.abc import Mapping

from batchpay.batches.kin import (
    cancellations_of,
    corrections_of,
    documents_named,
    firsts_of,
    rivals_of,
    rows_named,
    said_of,
    sale_of,
    same_before,
    typed_before_of,
)
from batchpay.batches.past import before
from batchpay.batches.resembling import (
    elsewhere_of,
    look_alikes_of,
    near_of,
    spent_of,
    taken_for_of,
    unnamed_of,
    unsent_of,
)
from batchpay.domain.events import OrderCancelled, told_by
from batchpay.domain.model import Batch, Event, StoredChunk
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import word_of
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.plan import place_of
from batchpay.lifecycle.rows import History
from batchpay.lifecycle.sales import places_of


def history_of(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    but: frozenset[int] = frozenset(),
    *,
    lineages: Lineages,
) -> History:
    """What the journal knows that matters to the rows of a chunk, `but` some that are of no
    interest.

    `lineages`: what follows corrections back, kept from chunk to chunk.
    """
    if chunk.rows:
        owned = journal.owned(batch.id, chunk.sheet, chunk.rows[0], chunk.rows[-1])
    else:
        owned = {}
    owned = {row: order_id for row, order_id in owned.items() if row not in but}
    wanted = [at for at, row in enumerate(chunk.rows) if row not in but]
    documents = [chunk.documents[at] for at in wanted]
    asked = [document["order_id"] for document in documents if "order_id" in document]
    sales = {
        place_of(batch.id, chunk.sheet, chunk.rows[at]): sale_of(
            journal, batch, chunk, at, lineages
        )
        for at in wanted
    }
    others = [order_id for sale in sales.values() for order_id in sale.others]
    answered = {place: ids for place in sales if (ids := lineages.answered(place))}
    charged = [order_id for ids in answered.values() for order_id in ids]
    histories = journal.histories(list(dict.fromkeys((*asked, *owned.values(), *others, *charged))))
    attempts = {
        order_id: folded for order_id, events in histories.items() if (folded := fold(events))
    }
    corrected = corrections_of(journal, sales, attempts)
    rivals = {
        place: (sales[place].line, found)
        for place, kin in corrected.items()
        if (found := rivals_of(sales[place].line, kin, lineages))
    }
    words = {
        place: some for place, sale in sales.items() if (some := cancellations_of(sale, lineages))
    }
    places = {
        key for some in corrected.values() for attempt in some for key in places_of(attempt.intent)
    }
    places.update(key for some in words.values() for word in some for key in word.places)
    right = [chunk.documents[at] for at in wanted if at not in chunk.problems]
    told_before = before(journal, right, batch.first_seen_ns)
    near = near_of(journal, batch, documents)
    return History(
        attempts=attempts,
        owned=owned,
        look_alikes=look_alikes_of(journal, asked),
        taken_for=taken_for_of(journal, chunk.documents, documents, near),
        cancelled=_cancelled(histories),
        corrected=corrected,
        rivals=rivals,
        elsewhere=elsewhere_of(journal, [*asked, *others], histories),
        near=near,
        past=told_before.past,
        hundredth=told_before.hundredth,
        spent=spent_of(journal, told_before.tokens),
        unnamed=unnamed_of(journal, documents, lineages),
        unsent=unsent_of(documents, attempts),
        received_ns=batch.first_seen_ns,
        others={place: sale.others for place, sale in sales.items() if sale.others},
        answered={
            place: tuple(a for one in ids for a in attempts.get(one, ()))
            for place, ids in answered.items()
        },
        firsts=firsts_of(batch, chunk, wanted, lineages),
        named=documents_named(batch, chunk, wanted, lineages),
        came_for=rows_named(batch, chunk, wanted, lineages),
        bears={place: order_id for place in places if (order_id := lineages.id_of(place))},
        said={
            place: said
            for place, sale in sales.items()
            if sale.others and (said := said_of(sale, lineages))
        },
        words=words,
        same=same_before(journal, batch, chunk, wanted, attempts, lineages),
        typed={place: sale.typed for place, sale in sales.items() if sale.typed},
        typed_before=typed_before_of(batch, sales, lineages),
    )


def _cancelled(histories: Mapping[str, list[Event]]) -> dict[str, str]:
    found = {}
    for events in histories.values():
        for event, told in told_by(events, OrderCancelled):
            found[event.order_id] = word_of(told.by, told.reason, event.at_ns)
    return found
