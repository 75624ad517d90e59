"""KIN: which other rows and orders are of one sale with the rows of a chunk, as the journal and its
lineages know them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from batchpay.batches.orders import attempts_of, joined
from batchpay.batches.resembling import kept_back_beside
from batchpay.domain.events import OrderCancelled
from batchpay.domain.model import Batch, Document, Event, Outcome, StoredChunk
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.ancestry import Ancestry, goes_back_to
from batchpay.lifecycle.attempt import Attempt, word_of
from batchpay.lifecycle.earlier import reading_of
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import by_order, order_in, place_of, places_of
from batchpay.lifecycle.rivals import Rivals
from batchpay.lifecycle.rows import CameFor, Cancellation, Same
from batchpay.lifecycle.sale_terms import has_terms


def same_before(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    attempts: Mapping[str, tuple[Attempt, ...]],
    lineages: Lineages,
) -> dict[str, tuple[Same, ...]]:
    """Place of a row that may have to be corrected -> the same row in older files of which
    corrections were sent: a file that comes again without one of its rows, or rows of a rejects
    file that come back as they were.
    """
    found: dict[str, tuple[Same, ...]] = {}
    if not lineages.rows.corrections:
        return found
    readings = {}
    for at in wanted:
        if (
            at in chunk.problems
            or at in chunk.corrects
            or _is_a_corrections(chunk.documents[at], attempts)
        ):
            readings[at] = reading_of(chunk, at)
    often = Counter(readings.values())
    for at, reading in readings.items():
        if not reading:
            continue
        before = _Before(reading, chunk.corrects.get(at, ""), lineages)
        some = tuple(_same_rows(journal, batch, before.places, lineages))
        if not _are_enough(some, max(often[reading], before.often)):
            some = tuple(one for one in some if one.place == before.named)
        if some:
            found[place_of(batch.id, chunk.sheet, chunk.rows[at])] = some
    return found


class _Before:
    """Where rows with the reading of a row stood before."""

    def __init__(self, reading: str, names: str, lineages: Lineages) -> None:
        """`names`: the place that the row names; empty where it names none."""
        places = list(lineages.rows.readings().get(reading, ()))
        self.named = ""
        if names and lineages.rows.reading(names) == reading:
            self.named = names
            if names not in places:
                places.append(names)
        self.places = places
        files = Counter(place.partition("\t")[0] for place in places)
        # how many a file has of them at most: as many sales they are
        self.often = max(files.values(), default=0)


def _are_enough(some: Iterable[Same], sales: int) -> bool:
    """Did as many orders take money for rows that say the same as there are sales of them? Else
    nobody can tell which of them were paid.
    """
    paid = {
        attempt.intent.order_id
        for one in some
        for attempt in one.settled
        if attempt.outcome is Outcome.SUCCEEDED
    }
    return sales <= 1 or len(paid) >= sales


def _is_a_corrections(
    document: Document, attempts: Mapping[str, tuple[Attempt, ...]]
) -> bool:
    """Was its order asked for by a row that came to correct another?"""
    asked = attempts.get(str(document.get("order_id") or ""), ())
    return any(attempt.intent.corrects for attempt in asked)


def _same_rows(
    journal: SqliteJournal, batch: Batch, places: Iterable[str], lineages: Lineages
) -> Iterator[Same]:
    for place in places:
        known = lineages.rows.where(place)
        received_ns = lineages.rows.received_ns(place)
        if known is None or known[0] == batch.id or received_ns >= batch.first_seen_ns:
            continue
        orders = (*lineages.rows.corrections.get(place, ()), *lineages.answered(place))
        settled = attempts_of(journal, list(dict.fromkeys(orders)))
        yield Same(place, received_ns, tuple(joined(settled, settled)))


def firsts_of(
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> dict[str, str]:
    """Place of a row that came back -> the identity of its sale (kinship)."""
    return {
        place_of(batch.id, chunk.sheet, chunk.rows[at]): (
            lineages.of(told, chunk.earlier.get(at, ())).identity
        )
        for at in wanted
        if (told := chunk.corrects.get(at))
    }


def documents_named(
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> dict[str, Document]:
    """Place of a row that came back under an id that its sale never had -> what the row asked for
    that it names.
    """
    found = ((at, document_named(chunk, at, lineages)) for at in wanted)
    return {
        place_of(batch.id, chunk.sheet, chunk.rows[at]): document
        for at, document in found
        if document
    }


def rows_named(
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> dict[str, CameFor]:
    """Place of a row that came back -> the row that it names, where the journal has it."""
    found = {}
    for at in wanted:
        told = chunk.corrects.get(at)
        if told and (known := lineages.rows.where(told)):
            place = place_of(batch.id, chunk.sheet, chunk.rows[at])
            found[place] = CameFor(*known, lineages.rows.document(told) or {})
    return found


def document_named(chunk: StoredChunk, at: int, lineages: Lineages) -> Document | None:
    """What the row asked for that a row came back for, where its sale never had the id that this
    one has now.
    """
    if not (told := chunk.corrects.get(at)):
        return None
    forms = map(lineages.form, lineages.of(told, chunk.earlier.get(at, ())).order_ids)
    if lineages.form(str(chunk.documents[at].get("order_id", ""))) in forms:
        return None
    return lineages.rows.document(told)


class Sale(NamedTuple):
    """By what the other attempts of a row's sale are found."""

    order_id: str  # its own: what that order did is told apart from what its kin did
    # of Intent.corrects and Intent.sale; the row's own place first
    keys: tuple[str, ...]
    # every other order id that it may have (rows.History.others)
    others: tuple[str, ...] = ()
    # what else it is known by, as a person typed it in rows that came back
    typed: tuple[str, ...] = ()
    # the places of the rows that it goes back to, its own first
    line: tuple[str, ...] = ()
    # of the others those that only rows of its old id have by now (rows.History.had_by)
    had_by: tuple[str, ...] = ()


def sale_of(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    at: int,
    lineages: Lineages,
) -> Sale:
    """Its own id and place, those of the rows it goes back to, what these, or it under an earlier
    id, were kept back beside, and what people typed for it.
    """
    place = place_of(batch.id, chunk.sheet, chunk.rows[at])
    order_id = str(chunk.documents[at].get("order_id") or "")
    corrects = chunk.corrects.get(at)
    earlier = chunk.earlier.get(at, ())
    if corrects:
        ancestry = lineages.of(corrects, earlier)
    else:
        ancestry = Ancestry(order_ids=earlier)
    ids = list(filter(None, (order_id, *ancestry.order_ids)))
    typed = lineages.names.typed_beside(place, ancestry, order_id)
    places = [*ancestry.places, *(key for key in typed if not order_in(key))]
    ids += filter(None, map(order_in, typed))
    for known in filter(None, map(lineages.rows.where, places)):
        batch_id, sheet, row = known
        ids += journal.owned(batch_id, sheet, row, row).get(row, ())
    for one in tuple(ids):
        ids += lineages.names.other_names(one)
    if corrects or earlier:
        document = chunk.documents[at]
        ids += kept_back_beside(journal, batch, document, ancestry, lineages)
    once = tuple(dict.fromkeys(ids))
    others = tuple(one for one in once if one != order_id)
    line = (place, *ancestry.places)
    had_by: tuple[str, ...] = ()
    if lineages.names.had_other_sources and lineages.untold(ancestry.places):
        renamed = (one for old in once for one in lineages.names.had_by(old))
        had_by = tuple(one for one in dict.fromkeys(renamed) if one not in once)
    return Sale(
        order_id,
        (place, *places, *map(by_order, once)),
        (*others, *had_by),
        typed,
        line,
        had_by,
    )


def uprooted_among(sales: Mapping[str, Sale], lineages: Lineages) -> dict[str, str]:
    """Place of a row that goes back to one of which nobody knows which id it has now -> the batch
    of that one.
    """
    found: dict[str, str] = {}
    if not lineages.names.had_other_sources:
        return found
    for place, sale in sales.items():
        if untold := lineages.untold(sale.line[1:]):
            found[place] = untold
    return found


def rivals_of(
    line: Sequence[str], kin: Iterable[Attempt], lineages: Lineages
) -> tuple[Rivals, ...]:
    """The rivals among the rows that a row, or one of its kin that came to correct another, goes
    back to.
    """
    places = dict.fromkeys(line)
    came = [attempt.intent for attempt in kin if attempt.intent.corrects]
    if not came and len(line) == 1:
        return ()
    for asked in came:
        places.update(dict.fromkeys(places_of(asked)))
    found = {
        id(some): some for some in map(lineages.rows.rivals, places) if some is not None
    }
    return tuple(found.values())


def typed_before_of(
    batch: Batch, sales: Mapping[str, Sale], lineages: Lineages
) -> dict[str, tuple[str, ...]]:
    """Place -> of what its sale is known by, what was told before the file came."""
    found = {}
    for place, sale in sales.items():
        if sale.typed:
            found[place] = lineages.names.typed_before(
                sale.order_id, batch.first_seen_ns
            )
    return found


def said_of(sale: Sale, lineages: Lineages) -> dict[str, bool]:
    """Other ids that a person typed for a row's sale -> for the id that it has today?"""
    before = {one: False for other in sale.others for one in lineages.names.said(other)}
    return {**before, **dict.fromkeys(lineages.names.said(sale.order_id), True)}


def cancellations_of(
    sale: Sale, documents: Iterable[Document], lineages: Lineages
) -> tuple[Cancellation, ...]:
    """The cancellations that may be of a row's sale, by its ids, or, where ids were made of other
    cells then, by what the row asks for.
    """
    orders = map(by_order, (sale.order_id, *sale.others))
    by_ids = lineages.words.of((sale.keys[0], *orders))
    found = [_word(event, told, lineages) for event, told in by_ids]
    known = {event.seq for event, _ in by_ids}
    asked = list(filter(has_terms, documents))
    for event, told in lineages.words.under_other_ids(asked):
        if event.seq not in known:
            known.add(event.seq)
            found.append(replace(_word(event, told, lineages), unnamed=True))
    return tuple(found)


def _word(event: Event, told: OrderCancelled, lineages: Lineages) -> Cancellation:
    places = tuple(key for key in told.sale if not order_in(key))
    asked = lineages.rows.documents(places)
    batch = next((known[0] for known in map(lineages.rows.where, places) if known), "")
    said = word_of(told.by, told.reason, event.at_ns)
    return Cancellation(said, event.order_id, event.at_ns, batch, places, asked)


def corrections_of(
    journal: SqliteJournal,
    sales: Mapping[str, Sale],
    attempts: Mapping[str, tuple[Attempt, ...]],
) -> dict[str, tuple[Attempt, ...]]:
    """Place of a row -> attempts of other orders that may be one sale with it (sales.is_kin)."""
    orders = journal.corrected(
        frozenset(key for sale in sales.values() for key in sale.keys)
    )
    ids = {order_id for some in orders.values() for order_id in some} - attempts.keys()
    known = {**attempts, **attempts_of(journal, sorted(ids))}
    found = {
        place: tuple(_kin(sale, orders, known))
        for place, sale in sales.items()
        if orders or sale.others
    }
    return {place: some for place, some in found.items() if some}


def _kin(
    sale: Sale,
    orders: Mapping[str, Sequence[str]],
    attempts: Mapping[str, tuple[Attempt, ...]],
) -> Iterator[Attempt]:
    """The attempts of other orders that correct what a row is or goes back to, or that those rows
    caused.
    """
    correcting = [order_id for key in sale.keys for order_id in orders.get(key, ())]
    for order_id in dict.fromkeys((*correcting, *sale.others)):
        if order_id == sale.order_id:
            continue
        for attempt in attempts.get(order_id, ()):
            if order_id in sale.others or goes_back_to(attempt.intent, sale.keys):
                yield attempt
