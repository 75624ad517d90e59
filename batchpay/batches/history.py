"""HISTORY: what the journal knows that matters to the rows of a chunk, gathered from its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from batchpay.batches.kin import (
    Sale,
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
    uprooted_among,
)
from batchpay.batches.orders import joined
from batchpay.batches.past import before
from batchpay.batches.resembling import (
    elsewhere_of,
    look_alikes_of,
    resembling_of,
    rows_elsewhere,
    spent_of,
    taken_for_of,
    unnamed_of,
    unsent_of,
)
from batchpay.batches.unanswered import asked_beside
from batchpay.domain.events import OrderCancelled, told_by
from batchpay.domain.model import Batch, Document, Event, StoredChunk
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt, word_of
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import place_of, places_of
from batchpay.lifecycle.rivals import Rivals
from batchpay.lifecycle.rows import Cancellation, History

Sales = dict[str, Sale]


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
    wanted = [at for at, row in enumerate(chunk.rows) if row not in but]
    documents = [chunk.documents[at] for at in wanted]
    asked = [document["order_id"] for document in documents if "order_id" in document]
    owned = _owned(journal, batch, chunk, but)
    sales = _sales(journal, batch, chunk, wanted, lineages)
    others = [order_id for sale in sales.values() for order_id in sale.others]
    answered = _answered(sales, lineages)
    known = (asked, *owned.values(), others, *answered.values())
    histories = journal.histories(list(dict.fromkeys(chain.from_iterable(known))))
    attempts = _attempts_in(histories)
    corrected = corrections_of(journal, sales, attempts)
    beside = asked_beside(journal, batch, chunk, wanted, lineages)
    words = _words(sales, _asks(batch, chunk, wanted, beside), lineages)
    every = [*documents, *_asked_otherwise(chunk, wanted)]
    resembling = resembling_of(journal, batch, every)
    right = [chunk.documents[at] for at in wanted if at not in chunk.problems]
    told_before = before(journal, right, batch.first_seen_ns)
    uprooted = uprooted_among(sales, lineages)
    return History(
        received_ns=batch.first_seen_ns,
        # the rows' own orders
        attempts=attempts,
        owned=owned,
        cancelled=_cancelled(histories),
        cancelled_for=_cancelled_for(chunk.documents, lineages),
        given_up=_given_up(sales, lineages),
        # other orders that may be one sale with theirs
        corrected=corrected,
        rivals=_rivals(sales, corrected, lineages),
        others={place: sale.others for place, sale in sales.items() if sale.others},
        answered={
            place: tuple(joined(attempts, ids)) for place, ids in answered.items()
        },
        firsts=firsts_of(batch, chunk, wanted, lineages),
        named=documents_named(batch, chunk, wanted, lineages),
        came_for=rows_named(batch, chunk, wanted, lineages),
        went_back=_went_back(sales, lineages),
        same=same_before(journal, batch, chunk, wanted, attempts, lineages),
        # what people said of them
        words=words,
        beside=beside,
        bears=_bears(corrected, words, lineages),
        said=_said(sales, lineages),
        typed={place: sale.typed for place, sale in sales.items() if sale.typed},
        typed_before=typed_before_of(batch, sales, lineages),
        # other orders that they may be, and what is usual
        look_alikes=look_alikes_of(journal, asked),
        elsewhere=elsewhere_of(
            journal,
            [*asked, *others],
            histories,
            rows_elsewhere(journal, batch, chunk, wanted, lineages),
        ),
        near=resembling.near,
        taken_for=taken_for_of(journal, chunk.documents, every, resembling),
        unnamed=unnamed_of(
            journal,
            [*every, *chain.from_iterable(beside.values())],
            told_before.tokens,
            lineages,
            uprooted=bool(uprooted),
        ),
        uprooted=uprooted,
        had_by={place: sale.had_by for place, sale in sales.items() if sale.had_by},
        unsent=unsent_of(documents, attempts),
        spent=spent_of(journal, told_before.tokens),
        past=told_before.past,
        hundredth=told_before.hundredth,
    )


def _owned(
    journal: SqliteJournal, batch: Batch, chunk: StoredChunk, but: frozenset[int]
) -> dict[int, tuple[str, ...]]:
    """Row -> the orders that it caused."""
    rows = [row for row in chunk.rows if row not in but]
    if not rows:
        return {}
    owned = journal.owned(batch.id, chunk.sheet, rows[0], rows[-1])
    return {row: order_ids for row, order_ids in owned.items() if row not in but}


def _sales(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> Sales:
    """Place of a row -> its sale."""
    return {
        _place_at(batch, chunk, at): sale_of(journal, batch, chunk, at, lineages)
        for at in wanted
    }


def _place_at(batch: Batch, chunk: StoredChunk, at: int) -> str:
    return place_of(batch.id, chunk.sheet, chunk.rows[at])


def _asks(
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    beside: Mapping[str, Sequence[Document]],
) -> dict[str, tuple[Document, ...]]:
    """Place of a row -> all that it asks or asked for, and what rows `beside` it ask for."""
    asks = {}
    for at in wanted:
        place = _place_at(batch, chunk, at)
        own = (chunk.documents[at], *chunk.asked.get(at, ()))
        asks[place] = (*own, *beside.get(place, ()))
    return asks


def _asked_otherwise(chunk: StoredChunk, wanted: Iterable[int]) -> Iterator[Document]:
    """What rows asked for when the job read them otherwise, under the ids that they have now."""
    for at in wanted:
        order_id = chunk.documents[at].get("order_id")
        for asked in chunk.asked.get(at, ()):
            if order_id:
                yield {**asked, "order_id": order_id}


def _attempts_in(
    histories: Mapping[str, list[Event]],
) -> dict[str, tuple[Attempt, ...]]:
    """Order id -> its attempts, of those that have any."""
    attempts = {order_id: fold(events) for order_id, events in histories.items()}
    return {order_id: some for order_id, some in attempts.items() if some}


def _answered(sales: Iterable[str], lineages: Lineages) -> dict[str, tuple[str, ...]]:
    """Place of a row -> the charged orders that corrections of it turned out to be."""
    answered = {place: lineages.answered(place) for place in sales}
    return {place: ids for place, ids in answered.items() if ids}


def _went_back(sales: Sales, lineages: Lineages) -> dict[str, Sequence[Document]]:
    """Place of a row -> the documents of the rows that it goes back to."""
    return {
        place: lineages.rows.documents(sale.line[1:])
        for place, sale in sales.items()
        if len(sale.line) > 1
    }


def _rivals(
    sales: Sales, corrected: Mapping[str, Iterable[Attempt]], lineages: Lineages
) -> dict[str, tuple[tuple[str, ...], tuple[Rivals, ...]]]:
    """Place of a row -> the places that it goes back to, and what else goes back to them."""
    found = {}
    for place, kin in corrected.items():
        line = sales[place].line
        if rivals := rivals_of(line, kin, lineages):
            found[place] = (line, rivals)
    return found


def _words(
    sales: Sales, asks: Mapping[str, Sequence[Document]], lineages: Lineages
) -> dict[str, tuple[Cancellation, ...]]:
    """Place of a row -> the cancellations that may be of its sale."""
    words = {
        place: cancellations_of(sale, asks[place], lineages)
        for place, sale in sales.items()
    }
    return {place: some for place, some in words.items() if some}


def _bears(
    corrected: Mapping[str, Iterable[Attempt]],
    words: Mapping[str, Iterable[Cancellation]],
    lineages: Lineages,
) -> dict[str, str]:
    """Place of a row that any of them speaks of -> the order id that it bears today."""
    places: set[str] = set()
    for attempt in chain.from_iterable(corrected.values()):
        places.update(places_of(attempt.intent))
    for word in chain.from_iterable(words.values()):
        places.update(word.places)
    bears = {place: lineages.id_of(place) for place in places}
    return {place: order_id for place, order_id in bears.items() if order_id}


def _said(sales: Sales, lineages: Lineages) -> dict[str, dict[str, bool]]:
    """Place of a row -> the other ids that a person typed for its sale."""
    said = {
        place: said_of(sale, lineages) for place, sale in sales.items() if sale.others
    }
    return {place: some for place, some in said.items() if some}


def _given_up(sales: Sales, lineages: Lineages) -> dict[str, str]:
    """Place of a row that a person gave up -> that person's word."""
    words = {place: lineages.words.given_up(sale.line) for place, sale in sales.items()}
    return {place: word for place, word in words.items() if word}


def _cancelled_for(
    documents: Sequence[Document], lineages: Lineages
) -> dict[str, tuple[str, ...]]:
    """Order id -> cancelled orders that it may be one of; rows that hold both tell them apart."""
    if lineages.are_distinct:
        return {}
    found = {}
    both = {str(document.get("order_id") or "") for document in documents}
    for document in documents:
        taken = [one for one in lineages.words.taken_for(document) if one not in both]
        if taken:
            found[str(document["order_id"])] = tuple(taken)
    return found


def _cancelled(histories: Mapping[str, list[Event]]) -> dict[str, str]:
    found = {}
    for events in histories.values():
        for event, told in told_by(events, OrderCancelled):
            found[event.order_id] = word_of(told.by, told.reason, event.at_ns)
    return found
