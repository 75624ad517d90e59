"""The journal read back: what it says about rows, batches and runs. Everything shown comes through
here (law L9).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from batchpay.batches.clock import iso, ns_of
from batchpay.batches.past import MOST, before
from batchpay.domain.events import (
    STOPS,
    Adopted,
    Answered,
    BatchPlanned,
    ChargedElsewhere,
    DisputeSeen,
    Followed,
    Held,
    InputsRead,
    Intended,
    Lifted,
    Listed,
    NewOrders,
    OrderCancelled,
    RecipientsAsked,
    RefundSeen,
    Restored,
    RunCounted,
    RunFinished,
    RunStarted,
    Stop,
    TotalsCounted,
    TransferSeen,
    kinds,
    of,
    told_by,
    told_in,
)
from batchpay.domain.events import Found as FoundTold
from batchpay.domain.model import (
    OPEN,
    Batch,
    Document,
    Event,
    Finding,
    Outcome,
    Plain,
    Repeat,
    StoredChunk,
)
from batchpay.domain.money import major_text
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt, word_of
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.holds import outside
from batchpay.lifecycle.kinship import Ancestry, Lineages, Rivals, goes_back_to, reading_of
from batchpay.lifecycle.plan import alike, by_order, order_in, place_of, terms_in
from batchpay.lifecycle.rows import (
    CameFor,
    Elsewhere,
    Guards,
    History,
    Near,
    Same,
    Unnamed,
    Word,
    rows_of,
)
from batchpay.lifecycle.sales import places_of
from batchpay.lifecycle.terms import fitting_terms_of
from batchpay.lifecycle.unclaimed import KINDS, Nameless, Terms, unclaimed_in
from batchpay.messages.message import read
from batchpay.reconciliation.findings import (
    MAY_BE_SETTLED,
    NOT_SENT_YET,
    find,
    plain_at,
    plain_finding,
    with_later,
)
from batchpay.reconciliation.totals import Totals, further_json, must_act
from batchpay.settlement.in_force import (
    AND_ALSO,
    UNREADABLE,
    stop_in_force,
    stops_told,
    unreadable_in,
)
from batchpay.settlement.preflight import NOTHING_ASKED, Preflight

LISTED = 100  # open rows of a batch that `status` spells out
# what every night writes: nothing of it changes how an attempt of another batch reads
ORDINARY = frozenset(
    kinds(
        RunStarted,
        InputsRead,
        BatchPlanned,
        RecipientsAsked,
        Intended,
        Answered,
        FoundTold,
        TransferSeen,
        Followed,
        Held,
        Listed,
        TotalsCounted,
        RunCounted,
        RunFinished,
    )
)
# how far back an empty journal looks that nothing tells of (law L11)
FIRST_LOOK = timedelta(days=35)
# how long an order of the same payer, recipient and amount is told (contract, section 2)
NEAR_NS = 10 * 86_400 * 10**9


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
        place_of(batch.id, chunk.sheet, chunk.rows[at]): _sale(journal, batch, chunk, at, lineages)
        for at in wanted
    }
    others = [order_id for sale in sales.values() for order_id in sale.others]
    answered = {place: ids for place in sales if (ids := lineages.answered(place))}
    charged = [order_id for ids in answered.values() for order_id in ids]
    histories = journal.histories(list(dict.fromkeys((*asked, *owned.values(), *others, *charged))))
    attempts = {
        order_id: folded for order_id, events in histories.items() if (folded := fold(events))
    }
    corrected = _corrected(journal, sales, attempts)
    rivals = {
        place: (sales[place].line, found)
        for place, kin in corrected.items()
        if (found := _rivals(sales[place].line, kin, lineages))
    }
    words = {place: some for place, sale in sales.items() if (some := _words(sale, lineages))}
    places = {
        key for some in corrected.values() for attempt in some for key in places_of(attempt.intent)
    }
    places.update(key for some in words.values() for word in some for key in word.places)
    right = [chunk.documents[at] for at in wanted if at not in chunk.problems]
    told_before = before(journal, right, batch.first_seen_ns)
    return History(
        attempts=attempts,
        owned=owned,
        look_alikes=_look_alikes(journal, asked),
        cancelled=_cancelled(histories),
        corrected=corrected,
        rivals=rivals,
        elsewhere=_elsewhere(journal, [*asked, *others], histories),
        near=_near(journal, batch, documents),
        past=told_before.past,
        hundredth=told_before.hundredth,
        spent=_spent(journal, told_before.tokens),
        unnamed=_unnamed(journal, documents, lineages),
        unsent=_unsent(documents, attempts),
        received_ns=batch.first_seen_ns,
        others={place: sale.others for place, sale in sales.items() if sale.others},
        answered={
            place: tuple(a for one in ids for a in attempts.get(one, ()))
            for place, ids in answered.items()
        },
        firsts=_firsts(batch, chunk, wanted, lineages),
        named=_named(batch, chunk, wanted, lineages),
        came_for=_came_for(batch, chunk, wanted, lineages),
        bears={place: order_id for place in places if (order_id := lineages.id_of(place))},
        said={
            place: said
            for place, sale in sales.items()
            if sale.others and (said := _said(sale, lineages))
        },
        words=words,
        same=_came_before(journal, batch, chunk, wanted, attempts, lineages),
        typed={place: sale.typed for place, sale in sales.items() if sale.typed},
        typed_before=_typed_before(batch, sales, lineages),
    )


def _came_before(
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
    if not lineages.corrections:
        return found
    for at in wanted:
        if at in chunk.problems or at in chunk.corrects or _is_asked(chunk.documents[at], attempts):
            some = tuple(_same_rows(journal, batch, chunk, at, lineages))
            if some:
                found[place_of(batch.id, chunk.sheet, chunk.rows[at])] = some
    return found


def _is_asked(document: Document, attempts: Mapping[str, tuple[Attempt, ...]]) -> bool:
    """Was its order asked for by a row that came to correct another?"""
    asked = attempts.get(str(document.get("order_id") or ""), ())
    return any(attempt.intent.corrects for attempt in asked)


def _same_rows(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    at: int,
    lineages: Lineages,
) -> Iterator[Same]:
    reading = reading_of(chunk, at)
    if not reading:
        return
    places = list(lineages.readings().get(reading, ()))
    named = chunk.corrects.get(at, "")
    if named and named not in places and lineages.reading(named) == reading:
        places.append(named)
    for place in places:
        known = lineages.where(place)
        received_ns = lineages.received_ns(place)
        if known is None or known[0] == batch.id or received_ns >= batch.first_seen_ns:
            continue
        orders = (*lineages.corrections.get(place, ()), *lineages.answered(place))
        settled = attempts_of(journal, list(dict.fromkeys(orders)))
        yield Same(place, received_ns, tuple(_joined(settled, settled)))


def _firsts(
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


def _named(
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


def _came_for(
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> dict[str, CameFor]:
    """Place of a row that came back -> the row that it names, where the journal has it."""
    found = {}
    for at in wanted:
        told = chunk.corrects.get(at)
        if told and (known := lineages.where(told)):
            place = place_of(batch.id, chunk.sheet, chunk.rows[at])
            found[place] = CameFor(*known, lineages.document(told) or {})
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
    return lineages.document(told)


def _cancelled(histories: Mapping[str, list[Event]]) -> dict[str, str]:
    found = {}
    for events in histories.values():
        for event, told in told_by(events, OrderCancelled):
            found[event.order_id] = word_of(told.by, told.reason, event.at_ns)
    return found


def _look_alikes(journal: SqliteJournal, asked: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    """Form -> the last attempt of every order whose id has that form, but for those with the very
    id that is asked.
    """
    mine = set(asked)
    twins = {}
    for form, ids in journal.look_alikes(list({alike(one) for one in asked})).items():
        if len(set(ids)) > 1 or not mine.issuperset(ids):
            twins[form] = ids
    others = attempts_of(journal, [other for ids in twins.values() for other in ids])
    last = {order_id: attempts[-1:] for order_id, attempts in others.items()}
    return {form: tuple(_joined(last, ids)) for form, ids in twins.items()}


def _joined(
    attempts: Mapping[str, Sequence[Attempt]], order_ids: Iterable[str]
) -> Iterator[Attempt]:
    for order_id in order_ids:
        yield from attempts.get(order_id, ())


class _Sale(NamedTuple):
    """By what the other attempts of a row's sale are found."""

    order_id: str  # its own: what that order did is told apart from what its kin did
    keys: tuple[str, ...]  # of Intent.corrects and Intent.sale; the row's own place first
    # every other order id that it, or a row that it goes back to, ever had
    others: tuple[str, ...] = ()
    # what else it is known by, as a person typed it in rows that came back
    typed: tuple[str, ...] = ()
    # the places of the rows that it goes back to, its own first
    line: tuple[str, ...] = ()


def _sale(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    at: int,
    lineages: Lineages,
) -> _Sale:
    place = place_of(batch.id, chunk.sheet, chunk.rows[at])
    order_id = str(chunk.documents[at].get("order_id") or "")
    corrects = chunk.corrects.get(at)
    earlier = chunk.earlier.get(at, ())
    if corrects:
        ancestry = lineages.of(corrects, earlier)
    else:
        ancestry = Ancestry(order_ids=earlier)
    ids = list(filter(None, (order_id, *ancestry.order_ids)))
    typed = lineages.typed_beside(place, ancestry, order_id)
    places = [*ancestry.places, *(key for key in typed if not order_in(key))]
    ids += filter(None, map(order_in, typed))
    for known in filter(None, map(lineages.where, places)):
        batch_id, sheet, row = known
        ids += journal.owned(batch_id, sheet, row, row).values()
    for one in tuple(ids):
        ids += lineages.other_names(one)
    once = tuple(dict.fromkeys(ids))
    others = tuple(one for one in once if one != order_id)
    line = (place, *ancestry.places)
    return _Sale(order_id, (place, *places, *map(by_order, once)), others, typed, line)


def _rivals(line: Sequence[str], kin: Iterable[Attempt], lineages: Lineages) -> tuple[Rivals, ...]:
    """The rivals among the rows that a row, or one of its kin that came to correct another, goes
    back to.
    """
    places = dict.fromkeys(line)
    came = [attempt.intent for attempt in kin if attempt.intent.corrects]
    if not came and len(line) == 1:
        return ()
    for asked in came:
        places.update(dict.fromkeys(places_of(asked)))
    found = {id(some): some for some in map(lineages.rivals, places) if some is not None}
    return tuple(found.values())


def _typed_before(
    batch: Batch, sales: Mapping[str, _Sale], lineages: Lineages
) -> dict[str, tuple[str, ...]]:
    """Place -> of what its sale is known by, what was told before the file came."""
    found = {}
    for place, sale in sales.items():
        if sale.typed:
            found[place] = lineages.typed_before(sale.order_id, batch.first_seen_ns)
    return found


def _said(sale: _Sale, lineages: Lineages) -> dict[str, bool]:
    """Other ids that a person typed for a row's sale -> for the id that it has today?"""
    before = {one: False for other in sale.others for one in lineages.said(other)}
    return {**before, **dict.fromkeys(lineages.said(sale.order_id), True)}


def _words(sale: _Sale, lineages: Lineages) -> tuple[Word, ...]:
    """The cancellations that may be of a row's sale."""
    found = []
    orders = map(by_order, (sale.order_id, *sale.others))
    for event, told in lineages.cancelled((sale.keys[0], *orders)):
        places = tuple(key for key in told.sale if not order_in(key))
        documents = map(lineages.document, places)
        asked = tuple(document for document in documents if document is not None)
        batch = next((known[0] for known in map(lineages.where, places) if known), "")
        said = word_of(told.by, told.reason, event.at_ns)
        word = Word(said, event.order_id, event.at_ns, batch, places, asked)
        found.append(word)
    return tuple(found)


def _corrected(
    journal: SqliteJournal, sales: Mapping[str, _Sale], attempts: Mapping[str, tuple[Attempt, ...]]
) -> dict[str, tuple[Attempt, ...]]:
    """Place of a row -> the attempts of other orders that are one sale with it (kinship)."""
    orders = journal.corrected(frozenset(key for sale in sales.values() for key in sale.keys))
    ids = {order_id for some in orders.values() for order_id in some} - attempts.keys()
    known = {**attempts, **attempts_of(journal, sorted(ids))}
    found = {
        place: tuple(_kin(sale, orders, known))
        for place, sale in sales.items()
        if orders or sale.others
    }
    return {place: some for place, some in found.items() if some}


def _kin(
    sale: _Sale, orders: Mapping[str, Sequence[str]], attempts: Mapping[str, tuple[Attempt, ...]]
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


def _elsewhere(
    journal: SqliteJournal, asked: Sequence[str], histories: Mapping[str, list[Event]]
) -> dict[str, tuple[Elsewhere, ...]]:
    """Order id -> charges of it that other jobs made: as the gateway's lists told, and as this very
    file keeps them.
    """
    found: dict[str, list[Elsewhere]] = {}
    for order_id, events in histories.items():
        latest = {told.charge_id: told for _, told in told_by(events, ChargedElsewhere)}
        for told in latest.values():
            if told.takes_money:
                found.setdefault(order_id, []).append(_elsewhere_told(told))
    for order_id, of_jobs in journal.elsewhere(asked).items():
        for job, events in of_jobs:
            for attempt in fold(events):
                if attempt.stands:
                    found.setdefault(order_id, []).append(_elsewhere_of(job, attempt))
    return {order_id: tuple(some) for order_id, some in found.items()}


def _elsewhere_told(told: ChargedElsewhere) -> Elsewhere:
    return Elsewhere(
        told.job, told.charge_id, told.payer, told.destination, told.amount, told.currency
    )


def _elsewhere_of(job: str, attempt: Attempt) -> Elsewhere:
    asked = attempt.intent
    if attempt.charge:
        charge_id = attempt.charge.id
    else:
        charge_id = "a request without an answer"
    return Elsewhere(job, charge_id, asked.payer, asked.destination, asked.amount, asked.currency)


def _near(
    journal: SqliteJournal, batch: Batch, documents: Sequence[Document]
) -> dict[str, tuple[Near, ...]]:
    """Terms -> what was asked for them within ten days before the file came, or since."""
    terms = {terms_in(document) for document in documents if _has_terms(document)}
    asked = journal.asked_terms(sorted(terms), batch.first_seen_ns - NEAR_NS)
    return {some: tuple(Near(*one) for one in found) for some, found in asked.items()}


def _spent(journal: SqliteJournal, tokens: Mapping[str, Sequence[Near]]) -> dict[str, Near]:
    """Of tokens that earlier files used those that made a charge, or may have: a request that the
    gateway refused leaves a token as it was.
    """
    order_ids = sorted({one.order_id for some in tokens.values() for one in some})
    spent = set()
    for attempts in attempts_of(journal, order_ids).values():
        for attempt in attempts:
            if attempt.charge is not None or not (attempt.closed or attempt.ready):
                spent.add((attempt.intent.order_id, attempt.intent.single_use))
    found = {}
    for token, some in tokens.items():
        for one in some:
            if (one.order_id, token) in spent:
                found[token] = one
    return found


def _unnamed(
    journal: SqliteJournal, documents: Sequence[Document], lineages: Lineages
) -> dict[str, tuple[Unnamed, ...]]:
    """Beginnings of terms -> what took money for them, or may have; asked only where ids were ever
    made of other cells.

    Of which cells ids were made is unknown of what an earlier version asked for: of what the
    journal noted first; and of a charge that lost it: of others.
    """
    if not lineages.had_other_sources:
        return {}
    fitting: set[str] = set()
    for document in documents:
        if _has_terms(document):
            fitting.update(fitting_terms_of(document))
    asked = journal.asked_under(sorted(fitting), lineages.source)
    took = _took_money(journal, {one[0] for some in asked.values() for one in some})
    found = {}
    for terms, some in asked.items():
        unnamed = []
        for order_id, batch_id, at_ns, made_of, kind in some:
            if order_id in took:
                sources = {made_of or _source_of(kind, lineages)}
                known_under = lineages.known_under(order_id) | sources
                unnamed.append(Unnamed(order_id, batch_id, at_ns, known_under))
        found[terms] = tuple(unnamed)
    return found


def _source_of(kind: str, lineages: Lineages) -> str:
    """Of which cells the id of an attempt was made that does not tell it, by how it began."""
    if kind == Adopted.kind:
        return ""
    return lineages.first_source


def _took_money(journal: SqliteJournal, order_ids: Collection[str]) -> set[str]:
    """The orders of these that have, or may have, the money of an attempt."""
    took = set()
    for order_id, attempts in attempts_of(journal, sorted(order_ids)).items():
        if any(not (one.closed or one.ready) for one in attempts):
            took.add(order_id)
    return took


def _unsent(
    documents: Iterable[Document], attempts: Mapping[str, Sequence[Attempt]]
) -> dict[str, tuple[str, ...]]:
    """First fitting terms -> ids of orders that ask for them and were never sent."""
    found: dict[str, dict[str, None]] = {}
    for document in documents:
        order_id = str(document.get("order_id", ""))
        if order_id and order_id not in attempts and _has_terms(document):
            found.setdefault(fitting_terms_of(document)[0], {})[order_id] = None
    return {terms: tuple(ids) for terms, ids in found.items()}


def _has_terms(document: Document) -> bool:
    return all(name in document for name in ("destination", "amount", "currency"))


class SaidNew(NamedTuple):
    """What people said --yes about: orders that resemble others, and are new."""

    # plan.fitting_terms, the first, of orders -> order id -> when it was said (wall clock, ns)
    orders: dict[str, dict[str, int]]
    charges: set[str]  # ids of adopted charges that files resembled


def said_new(journal: SqliteJournal) -> SaidNew:
    """All that was ever said; a word of which it is not kept what it was about is asked for
    again.
    """
    said = SaidNew({}, set())
    for event, told in told_in(journal, NewOrders):
        for terms, order_id in told.orders:
            said.orders.setdefault(terms, {})[order_id] = event.at_ns
        said.charges.update(told.charges)
    return said


def _cancelled_sales(cancelled: Iterable[tuple[Event, OrderCancelled]]) -> dict[str, str]:
    """All that cancelled sales are known by -> who said so, when and why."""
    found: dict[str, str] = {}
    for event, told in cancelled:
        word = word_of(told.by, told.reason, event.at_ns)
        found.update(dict.fromkeys(told.sale, word))
    return found


def guards_of(
    job: Job,
    journal: SqliteJournal,
    refusal: str = "",
    present: Collection[str] | None = None,
    at_ns: int = 0,
) -> Guards:
    """What holds rows of a batch back now. `present`: the batches of this run, else those of the
    last one; `at_ns`: when it is looked at, 0: as the last run did.
    """
    told = preflight_of(journal)
    cancelled = list(told_by(journal.cancelled(), OrderCancelled))
    seen = list(journal.events({*UNREADABLE, *KINDS}))
    if present is None:
        present = last_inputs(journal) or ()
    guards = Guards(
        job=job.name,
        refusal=refusal,
        stop=stop_in_force(journal.events(STOPS)),
        unreadable=unreadable_in(event for event in seen if event.kind in UNREADABLE),
        nameless=_nameless(journal, seen),
        fee=job.fee,
        distinct_ids=job.input.distinct_ids,
        near_duplicates=job.controls.near_duplicates,
        history=job.controls.history,
        max_day=job.controls.max_day or {},
        max_recipient=job.controls.max_recipient or {},
        of_day=_of_day(job, journal, at_ns),
        ids_from=job.columns.ids_from,
        extras_from=job.extras_from,
        said_new=said_new(journal).orders,
        cancelled={alike(event.order_id): event.order_id for event, _ in cancelled},
        cancelled_sales=_cancelled_sales(cancelled),
        present=frozenset(present),
    )
    return told_by_gateway(job, guards, told)


def _of_day(job: Job, journal: SqliteJournal, at_ns: int) -> dict[tuple[str, str], int]:
    """What the attempts of a day took, or may take, of each recipient and of all (the empty one),
    by upper-case currency; the day is that of an instant, or of the last run.
    """
    found: Counter[tuple[str, str]] = Counter()
    if not (job.controls.max_day or job.controls.max_recipient):
        return found
    if not at_ns:
        at_ns = max((event.at_ns for event in journal.events({RunStarted.kind})), default=0)
    zone = ZoneInfo(job.controls.time_zone)
    midnight = datetime.combine(datetime.fromtimestamp(at_ns // 10**9, zone).date(), time(), zone)
    began_ns = int(midnight.timestamp()) * 10**9
    asked = journal.asked_lately(MOST)
    ids = {order_id for asked_ns, order_id, _, _ in asked if asked_ns >= began_ns}
    for attempts in attempts_of(journal, sorted(ids)).values():
        for attempt in attempts:
            if attempt.closed or attempt.ready or attempt.sent_ns < began_ns:
                continue
            intent = attempt.intent
            currency = intent.currency.upper()
            found["", currency] += intent.amount
            found[intent.destination, currency] += intent.amount
    return found


def told_by_gateway(job: Job, guards: Guards, told: Preflight) -> Guards:
    """The same with what the gateway said of recipients and limits."""
    smallest_share: Mapping[str, int] = {}
    if job.controls.min_share == "hold":
        smallest_share = told.smallest_share
    return replace(
        guards,
        barred=told.barred,
        smallest_share=smallest_share,
        least_charge=told.least_charge,
        most_charge=told.most_charge,
    )


def _nameless(journal: SqliteJournal, seen: Sequence[Event]) -> dict[Terms, dict[str, Nameless]]:
    """Charges that name nobody, by their terms: those of which no event tells as an order's own by
    now.
    """
    found: dict[Terms, dict[str, Nameless]] = {}
    for terms, some in unclaimed_in(seen).nameless.items():
        for charge_id, one in some.items():
            if journal.order_of_charge(charge_id) is None:
                found.setdefault(terms, {})[charge_id] = one
    return found


def guards_of_batch(job: Job, journal: SqliteJournal, batch: Batch) -> Guards:
    """The same for a batch as its rows stand now, whether or not its file was there in the last
    run.
    """
    inputs = last_inputs(journal)
    gone = ""
    if inputs is not None and batch.id not in inputs:
        gone = batch.file
    lost = unplaced(journal, batch, partial(journal.chunks, batch.id))
    return replace(guards_of(job, journal, batch.refusal), gone=gone, unplaced=lost)


def last_inputs(journal: SqliteJournal) -> list[str] | None:
    """Ids of the batches whose files were inputs of the last run that read any; None when no run
    said so.
    """
    batches: list[str] | None = None
    for _, told in told_in(journal, InputsRead):
        batches = list(told.batches)
    return batches


def attempts_of(journal: SqliteJournal, order_ids: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    """Every attempt of some orders, by order id."""
    return {order_id: fold(events) for order_id, events in journal.histories(order_ids).items()}


Found = Callable[[], Iterator[tuple[StoredChunk, list[Finding]]]]


def findings_of(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    *,
    every_story: bool = False,
) -> Found:
    """Where each row of a batch stands now, chunk by chunk; call it again to read it again.

    A row of which there is nothing to tell is shown from what is kept of its attempt; of any other
    the events are folded, and it is judged. `every_story`: all of them are.
    """
    repeats = journal.repeats(batch.id)
    guards = guards_of_batch(job, journal, batch)
    hold = last_hold(journal, batch.id)
    later = later_in(journal)

    def read() -> Iterator[tuple[StoredChunk, list[Finding]]]:
        lineages = Lineages.of_job(job, journal)
        for chunk in journal.chunks(batch.id):
            plain = {}
            if not every_story:
                plain = _plain(journal, batch, chunk, repeats, later)
            others = frozenset(chunk.rows[at] for at in plain)
            history = history_of(journal, batch, chunk, others, lineages=lineages)
            rows = rows_of(batch.id, chunk, repeats, others)
            told = iter(later.of(find(batch, rows, history, guards, hold)))
            yield chunk, _in_order(batch, chunk, plain, told)

    return read


def _plain(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    repeats: Mapping[tuple[str, int], Repeat],
    later: Later,
) -> dict[int, Plain]:
    if not chunk.rows:
        return {}
    first, last = chunk.rows[0], chunk.rows[-1]
    since_ns = batch.first_seen_ns - NEAR_NS
    kept = journal.plain_rows(batch.id, chunk.sheet, first, last, since_ns)
    plain = plain_at(chunk, kept, repeats, later.refunds.keys() | later.disputes.keys())
    documents = {at: chunk.documents[at] for at in plain}
    told = before(journal, list(documents.values()), batch.first_seen_ns)
    odd = set()
    for at, document in documents.items():
        if outside(document, (document["order_id"],), told.past, told.hundredth):
            odd.add(at)
    return {at: one for at, one in plain.items() if at not in odd}


def _in_order(
    batch: Batch,
    chunk: StoredChunk,
    plain: Mapping[int, Plain],
    others: Iterator[Finding],
) -> list[Finding]:
    """The lines of a chunk as its rows stand in the file."""
    findings = []
    for at, document in enumerate(chunk.documents):
        one = plain.get(at)
        if one is None:
            findings.append(next(others))
        else:
            findings.append(plain_finding(batch, chunk.sheet, document, one))
    return findings


class Later(NamedTuple):
    """What happened to charges after their run, as far as anybody has asked."""

    refunds: Mapping[str, RefundSeen]  # by charge, as last told
    disputes: Mapping[str, DisputeSeen]

    def of(self, findings: list[Finding]) -> list[Finding]:
        """The same findings with it."""
        if not self.refunds and not self.disputes:
            return findings
        return [self._of(one) for one in findings]

    def _of(self, finding: Finding) -> Finding:
        refund = self.refunds.get(finding.charge_id)
        dispute = self.disputes.get(finding.charge_id)
        if refund is None and dispute is None:
            return finding
        return with_later(finding, refund, dispute)


def later_in(journal: SqliteJournal) -> Later:
    """All of it."""
    return Later(
        {told.charge_id: told for _, told in told_in(journal, RefundSeen) if told.charge_id},
        {told.charge_id: told for _, told in told_in(journal, DisputeSeen)},
    )


def findings_at(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    places: Collection[tuple[str, int]],
) -> Iterator[Finding]:
    """Where some rows of a batch stand now, by their sheet and number; no other is read."""
    repeats = journal.repeats(batch.id)
    guards = guards_of_batch(job, journal, batch)
    hold = last_hold(journal, batch.id)
    later = later_in(journal)
    lineages = Lineages.of_job(job, journal)
    for number, sheet, first, last in journal.spans(batch.id):
        wanted = {row for one, row in places if one == sheet and first <= row <= last}
        chunk = journal.chunk(batch.id, number) if wanted else None
        if chunk is None:
            continue
        others = frozenset(chunk.rows) - wanted
        history = history_of(journal, batch, chunk, others, lineages=lineages)
        rows = [row for row in rows_of(batch.id, chunk, repeats) if row.row in wanted]
        yield from later.of(find(batch, rows, history, guards, hold))


class Counts(NamedTuple):
    """A batch as its rows stand now."""

    totals: Totals
    digest: str  # of every row's outcome
    # place of a row -> the charged order that its correction in this batch is a duplicate of
    answered: dict[str, str]


def totals_of(found: Found) -> Counts:
    """Counts and sums of a batch as they stand now."""
    totals = Totals()
    digest = hashlib.sha256()
    answered = dict[str, str]()
    for chunk, findings in found():
        for at in chunk.corrects:
            if findings[at].duplicate_of and findings[at].counts_as is Outcome.SUCCEEDED:
                answered[chunk.corrects[at]] = findings[at].duplicate_of
        for finding in findings:
            totals.add(finding)
            digest.update(
                repr(
                    (finding.row, finding.outcome.value, finding.charge_id, finding.reason)
                ).encode()
            )
    return Counts(totals, digest.hexdigest(), answered)


def last_totals(journal: SqliteJournal) -> dict[str, Event]:
    """Batch -> the event its last report was written from."""
    return {event.batch_id: event for event in journal.events([TotalsCounted.kind])}


def totals_in(event: Event) -> Totals:
    """What such an event counted."""
    return Totals.from_json(TotalsCounted.read(event).totals)


def looked(journal: SqliteJournal, run_id: str) -> bool:
    """Did a run complete its look at the gateway?"""
    return any(event.run_id == run_id for event, _ in told_in(journal, Listed))


def behind(journal: SqliteJournal, totals: Event) -> bool:
    """Did anything happen to an order of a batch since its last report was written?"""
    return journal.changed(totals.batch_id, totals.seq)


def given_files(job: Job, counted: Iterable[tuple[Batch, Totals]]) -> tuple[str, ...]:
    """The files of these batches of which a run sends what is held only where it is given them."""
    files: dict[str, None] = {}
    for batch, totals in counted:
        if totals.waits_to_be_sent and not job.input.is_own(batch.file):
            files[batch.file] = None
    return tuple(files)


def is_open(event: Event) -> bool:
    """Did the batch have a row that a later run, or a person, must settle?"""
    totals = totals_in(event)
    return bool(totals.stands() & OPEN or totals.charged_twice or totals.gone["open"])


def is_due(
    journal: SqliteJournal,
    batch_id: str,
    latest: Event | None,
    stop: str,
) -> bool:
    """May a batch read otherwise than its last report, with this stop in force? One that told of
    another stop does.

    A row that was never sent, and one that is in doubt or names another row, is judged by what else
    there is; any other open row by its own attempt, of which every event is the batch's own.
    """
    if latest is None or journal.moved(batch_id):
        return True
    told = TotalsCounted.read(latest).stop
    if not is_open(latest):
        return told not in ("", stop)
    if told != stop or not totals_in(latest).rests_on_itself:
        return True
    return journal.happened(latest.seq, but=ORDINARY)


def is_news(journal: SqliteJournal, latest: Event) -> bool:
    """Was a batch, though it reads as it did, counted because of something that happened since?
    That is written down, so that the next night does not count it for the same reason.
    """
    if journal.moved(latest.batch_id):
        return True
    if not (is_open(latest) and totals_in(latest).rests_on_itself):
        return False
    return journal.happened(latest.seq, but=ORDINARY)


class Lift(NamedTuple):
    """A person's word that a stop is over."""

    at: str  # UTC, ISO 8601
    by: str
    reason: str
    stop: str  # the one that was in force
    stops: frozenset[str]  # the reasons of all that it ended

    def to_json(self) -> dict[str, str]:
        """For every report of it."""
        return {
            "at": self.at,
            "by": self.by,
            "reason": self.reason,
            "stop": self.stop,
        }


def lifts(journal: SqliteJournal) -> list[Lift]:
    """Who lifted which stop, oldest first."""
    found = []
    stops = set[str]()
    each: dict[str, None] = {}
    every = list(journal.events(STOPS))
    for event, in_force in zip(every, stops_told(every), strict=True):
        told = of(event)
        if isinstance(told, Lifted):
            lift = Lift(iso(event.at_ns), told.by, told.reason, told.stop, frozenset(stops))
            found.append(lift)
            stops = set()
            each = {}
        elif isinstance(told, Stop):
            each[told.reason] = None
            # reports of earlier versions told of every one
            stops |= {in_force, AND_ALSO.join(each)}
    return found


def lifts_of(journal: SqliteJournal, batch_id: str) -> list[dict[str, str]]:
    """Those of stops that a report of the batch told of."""
    every = lifts(journal)
    if not every:
        return []
    counted = told_in(journal, TotalsCounted)
    stops = {told.stop for event, told in counted if event.batch_id == batch_id}
    return [lift.to_json() for lift in every if lift.stops & stops]


def may_be_settled(event: Event) -> bool:
    """Did the batch have a row that an order of another file may settle, and none had?"""
    totals = totals_in(event)
    return any(totals.count(outcome) > totals.settled[outcome.value] for outcome in MAY_BE_SETTLED)


def taken_as_they_are(latest: Mapping[str, Event]) -> Totals:
    """The rows of every batch that a person accepted, as they stay: they count as 10 (contract,
    section 6).
    """
    totals = Totals()
    for event in latest.values():
        of_batch = totals_in(event)
        totals.accepted.update(of_batch.accepted)
        totals.further.update(of_batch.further)
        totals.paid_apart.update(of_batch.paid_apart)
    return totals


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
    if event is not None and not is_open(event):
        totals = totals_in(event)
        waiting: list[dict[str, Any]] = []
    elif event is not None and (places := _open_places(journal, batch, event, stop, work)):
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
        "charged": {c: major_text(total, c) for c, total in totals.money_moved().items()},
        "refusal": batch.refusal,
        "further_charges": further_json(totals),
        "stop": stop,
        "who_acts": dict(must_act([totals]).orders),
        "in_work": in_work,
        "unproven": Outcome.UNPROVEN in totals.stands(),
        "open_count": (
            sum(totals.count(outcome) - totals.accepted[outcome.value] for outcome in OPEN)
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
    if work != Work() or is_due(journal, batch.id, latest, stop):
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


def preflight_of(journal: SqliteJournal) -> Preflight:
    """What the gateway last said: recipients that cannot be paid, each with why; its smallest
    transfer and charge.
    """
    told = NOTHING_ASKED
    for _, asked in told_in(journal, RecipientsAsked):
        told = Preflight.of_told(asked)
    return told


def strays(job: Job, journal: SqliteJournal) -> Totals:
    """What adopted charges that no row shows add to the exit code: those that the gateway, or a
    person, must decide.
    """
    totals = Totals()
    stopped = bool(stop_in_force(journal.events(STOPS)))
    for attempt in unshown(job, journal):
        over = attempt.closed or attempt.outcome is Outcome.SUCCEEDED
        if attempt.doubled or attempt.vanished or not over:
            totals.add_stray(attempt, stopped=stopped)
    return totals


def unshown(job: Job, journal: SqliteJournal) -> list[Attempt]:
    """Adopted charges that no row of a report shows, whatever became of them (J32): of files that
    this journal never read, and of rows that an edited job or another row of the same order keeps
    from showing them.
    """
    known = {batch.id[-12:]: batch for batch in journal.batches()}
    adopted = attempts_of(
        journal, list(dict.fromkeys(order_id for _, order_id in journal.adopted()))
    )
    by_file: dict[str, list[Attempt]] = {}
    for attempts in adopted.values():
        for attempt in attempts:
            if attempt.adopted:
                by_file.setdefault(attempt.intent.batch_id[-12:], []).append(attempt)
    found: list[Attempt] = []
    for tail, some in by_file.items():
        if tail in known:
            found += _unshown_of(job, journal, known[tail], some, adopted)
        else:
            found += some
    return found


def _unshown_of(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    adopted: Sequence[Attempt],
    orders: Mapping[str, Sequence[Attempt]],
) -> Iterator[Attempt]:
    """Those of a file's adopted charges that none of its rows shows, nor a later attempt of the
    same order.
    """
    owners: dict[tuple[str, int], str] = {}
    for _, sheet, first, last in journal.spans(batch.id):
        for row, owner in journal.owned(batch.id, sheet, first, last).items():
            owners[sheet, row] = owner
    doubtful = []
    for attempt in adopted:
        asked = attempt.intent
        is_owner = owners.get((asked.sheet, asked.row)) == asked.order_id
        # the others have a row of their own, which shows nothing else
        if len(orders[asked.order_id]) > 1 or not is_owner:
            doubtful.append(attempt)
    if not doubtful:
        return
    shown: set[str] = set()
    for _, some in findings_of(job, journal, batch)():
        shown.update(finding.idempotency_key for finding in some)
    for attempt in doubtful:
        if attempt.intent.key in shown:
            continue
        siblings = orders[attempt.intent.order_id]
        if not (attempt.closed and any(one.intent.key in shown for one in siblings)):
            yield attempt


def unplaced(
    journal: SqliteJournal, batch: Batch, chunks: Callable[[], Iterable[StoredChunk]]
) -> Attempt | None:
    """An adopted charge of a file, made by a version that did not tell of which row, whose order id
    no row has now.
    """
    orders = attempts_of(journal, journal.unplaced(batch.id))
    lost = {
        attempt.intent.order_id: attempt
        for attempts in orders.values()
        for attempt in attempts
        if attempt.adopted and not attempt.placed and not attempt.closed
    }
    for chunk in chunks() if lost else ():
        for document in chunk.documents:
            lost.pop(str(document.get("order_id", "")), None)
        for ids in chunk.earlier.values():
            for one in ids:
                lost.pop(one, None)
    return next(iter(lost.values()), None)


def adopted_json(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The same as numbers: how many by outcome, what they took by currency, and each of them."""
    sums: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.money is not None:
            sums[attempt.money.currency.upper()] += attempt.money.amount
    return {
        "count": len(attempts),
        "outcomes": dict(sorted(Counter(attempt.outcome.value for attempt in attempts).items())),
        "charged": [{"currency": code, "sum_minor": n} for code, n in sorted(sums.items())],
        "charges": [_adopted(attempt) for attempt in attempts],
    }


def _adopted(attempt: Attempt) -> dict[str, Any]:
    asked = attempt.intent
    charge = attempt.charge
    return {
        "order": asked.order_id,
        "charge": charge.id if charge else "",
        "outcome": attempt.outcome.value,
        "amount": asked.amount,
        "currency": asked.currency.upper(),
        "destination": asked.destination,
        "batch": asked.batch_id,
        "created_at": charge.created_at if charge else "",
    }


def last_run(journal: SqliteJournal) -> dict[str, Any] | None:
    """When the last run began, when it ended and how; without an end it was killed, or is at
    work.
    """
    told: dict[str, Any] | None = None
    for event in journal.events(kinds(RunStarted, RunFinished)):
        what = of(event)
        at = iso(event.at_ns)
        if isinstance(what, RunStarted):
            told = {
                "run": event.run_id,
                "started": at,
                "ended": "",
                "exit_code": None,
            }
        elif isinstance(what, RunFinished) and told is not None and told["run"] == event.run_id:
            told |= {"ended": at, "exit_code": what.exit_code}
    return told


def last_loss(journal: SqliteJournal, now_ns: int) -> dict[str, Any] | None:
    """When this journal was last found to have lost events, if that was within ten days, and which
    orders were cancelled again since, as the reports tell.
    """
    last: Event | None = None
    empty = False
    kept = dict[str, None]()
    for event, told in told_in(journal, Restored):
        if event.at_ns >= now_ns - NEAR_NS:
            last = event
            empty = empty or told.empty
            kept.update(dict.fromkeys(told.cancelled or ()))
    if last is None:
        return None
    return {
        "at": iso(last.at_ns),
        "empty": empty,
        "cancelled": list(kept),
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


def last_hold(journal: SqliteJournal, batch_id: str) -> str:
    """Why rows of a batch were not sent the last time something held them; a stop that was lifted
    is none.
    """
    reason = ""
    for event, told in told_in(journal, Held):
        if event.batch_id != batch_id:
            continue
        reason = told.reason
        if told.stop:
            reason = ""
    return reason


def listed_until(journal: SqliteJournal) -> datetime | None:
    """Upper bound of the last completed listing; None for a journal that never completed one, or
    that knows no order: what it has not charged itself may have been charged by another journal, or
    under another job's name, long before.
    """
    bound = None
    if not journal.knows_orders():
        return None
    for _, told in told_in(journal, Listed):
        bound = datetime.strptime(told.bound, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return bound
