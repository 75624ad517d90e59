"""RESEMBLING: what else was asked that the rows of a chunk may be: under ids that look alike, for
the same terms, by other jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from batchpay.batches.orders import attempts_of, joined
from batchpay.domain.events import Adopted, ChargedElsewhere, told_by
from batchpay.domain.model import Batch, Document, Event, StoredChunk
from batchpay.intake.damage import may_be_one
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.ancestry import Ancestry
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.places import places_of
from batchpay.lifecycle.rows import Elsewhere, Near, Unnamed
from batchpay.lifecycle.sale_terms import fitting_terms_in, has_terms, same_sale_terms

# how long an order of the same payer, recipient and amount is told
NEAR_NS = 10 * 86_400 * 10**9


def look_alikes_of(
    journal: SqliteJournal, asked: Sequence[str]
) -> dict[str, tuple[Attempt, ...]]:
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
    return {form: tuple(joined(last, ids)) for form, ids in twins.items()}


def taken_for_of(
    journal: SqliteJournal,
    rows: Sequence[Document],
    documents: Sequence[Document],
    resembling: Resembling,
) -> dict[str, tuple[Attempt, ...]]:
    """Order id -> the last attempt of orders that asked for the same, where one of the two ids may
    be what was made of the other. `rows`: all of the chunk; those that hold both tell them apart.
    """
    both = {str(document.get("order_id") or "") for document in rows}
    taken: dict[str, list[str]] = {}
    for document in documents:
        order_id = str(document.get("order_id") or "")
        if not (order_id and has_terms(document)):
            continue
        for other in resembling.sale.get(same_sale_terms(document), ()):
            if other.order_id not in both and may_be_one(order_id, other.order_id):
                taken.setdefault(order_id, []).append(other.order_id)
    attempts = attempts_of(
        journal, [other for some in taken.values() for other in some]
    )
    last = {order_id: some[-1:] for order_id, some in attempts.items()}
    return {order_id: tuple(joined(last, some)) for order_id, some in taken.items()}


def kept_back_beside(
    journal: SqliteJournal,
    batch: Batch,
    document: Document,
    ancestry: Ancestry,
    lineages: Lineages,
) -> list[str]:
    """The orders, sent or cancelled, beside which a row under an earlier id, or the rows that it
    came back for, were kept back: their ids are those of these but for what programs do to ids; or
    they may be, where a row that it came back for asked for the same and was never sent. No new id
    that a person types, or an edited job gives, makes another sale of it.

    `document`: of the row itself; it has the terms of those whose own could not be read.
    """
    forms = set(map(lineages.form, ancestry.order_ids))
    alikes = journal.look_alikes(list(set(map(alike, ancestry.order_ids))))
    found = [one for one in chain(*alikes.values()) if lineages.form(one) in forms]
    found += lineages.words.like(forms)
    if lineages.are_distinct:
        return found
    for place in ancestry.places:
        named = lineages.rows.document(place) or {}
        order_id = str(named.get("order_id") or "")
        if not order_id or attempts_of(journal, [order_id]).get(order_id):
            continue
        if not has_terms(named):
            named = {**document, "order_id": order_id}
        came = replace(batch, first_seen_ns=lineages.rows.received_ns(place))
        found_near = resembling_of(journal, came, [named])
        taken = taken_for_of(journal, lineages.rows.beside(place), [named], found_near)
        for attempts in taken.values():
            found += [attempt.intent.order_id for attempt in attempts]
    return found


def rows_elsewhere(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    wanted: Iterable[int],
    lineages: Lineages,
) -> dict[str, dict[tuple[str, str], None]]:
    """Order id -> job and order id of what the same row of the same file caused in other jobs of
    this journal, whatever columns they take ids from.
    """
    batches = lineages.batches_elsewhere(batch.sha256)
    if not (batches and chunk.rows):
        return {}
    rows = journal.owned_elsewhere(batches, chunk.sheet, chunk.rows[0], chunk.rows[-1])
    found: dict[str, dict[tuple[str, str], None]] = {}
    for at in wanted:
        order_id = str(chunk.documents[at].get("order_id") or "")
        if order_id and (caused := rows.get(chunk.rows[at])):
            found.setdefault(order_id, {}).update(caused)
    return found


def elsewhere_of(
    journal: SqliteJournal,
    asked: Sequence[str],
    histories: Mapping[str, list[Event]],
    rows: Mapping[str, Iterable[tuple[str, str]]],
) -> dict[str, tuple[Elsewhere, ...]]:
    """Order id -> charges of it that other jobs made: as the gateway's lists told, and as this very
    file keeps them, by the id or by the row (`rows_elsewhere`).
    """
    found: dict[str, list[Elsewhere]] = {}
    for order_id, events in histories.items():
        latest = {told.charge_id: told for _, told in told_by(events, ChargedElsewhere)}
        for told in latest.values():
            if told.takes_money:
                found.setdefault(order_id, []).append(_elsewhere_told(told))
    caused = {order_id: dict.fromkeys(some) for order_id, some in rows.items()}
    ids = {theirs for some in caused.values() for _, theirs in some}
    kept = journal.elsewhere(list(dict.fromkeys((*asked, *sorted(ids)))))
    for order_id in dict.fromkeys((*asked, *caused)):
        of_jobs = [*kept.get(order_id, ())]
        for job, theirs in caused.get(order_id, ()):
            if theirs != order_id:
                of_jobs += [one for one in kept.get(theirs, ()) if one[0] == job]
        for job, events in of_jobs:
            for attempt in fold(events):
                if attempt.stands:
                    found.setdefault(order_id, []).append(_elsewhere_by(job, attempt))
    return {order_id: tuple(some) for order_id, some in found.items()}


def _elsewhere_told(told: ChargedElsewhere) -> Elsewhere:
    return Elsewhere(
        told.job,
        told.charge_id,
        told.payer,
        told.destination,
        told.amount,
        told.currency,
    )


def _elsewhere_by(job: str, attempt: Attempt) -> Elsewhere:
    asked = attempt.intent
    if attempt.charge:
        charge_id = attempt.charge.id
    else:
        charge_id = "a request without an answer"
    return Elsewhere(
        job, charge_id, asked.payer, asked.destination, asked.amount, asked.currency
    )


class Resembling(NamedTuple):
    """What was asked within ten days before a file came, or since."""

    near: dict[str, tuple[Near, ...]]  # terms -> for these
    # sale_terms.same_sale_terms -> for these, whichever recipient
    sale: dict[str, tuple[Near, ...]]


def resembling_of(
    journal: SqliteJournal, batch: Batch, documents: Sequence[Document]
) -> Resembling:
    """What asked for what some rows ask for, or for that of other recipients."""
    wanted = [document for document in documents if has_terms(document)]
    beginnings = sorted(set(map(same_sale_terms, wanted)))
    lately = journal.asked_terms(beginnings, batch.first_seen_ns - NEAR_NS)
    near: dict[str, list[Near]] = {}
    sale = {}
    for beginning, found in lately.items():
        sale[beginning] = tuple(Near(*asked[:3]) for asked in found)
        for asked in found:
            near.setdefault(asked[3], []).append(Near(*asked[:3]))
    return Resembling({terms: tuple(some) for terms, some in near.items()}, sale)


def spent_of(
    journal: SqliteJournal, tokens: Mapping[str, Sequence[Near]]
) -> dict[str, Near]:
    """Of tokens that earlier files used those that made a charge, or may have: a request that the
    gateway refused leaves a token as it was.
    """
    order_ids = sorted({one.order_id for some in tokens.values() for one in some})
    spent = set()
    for attempts in attempts_of(journal, order_ids).values():
        for attempt in attempts:
            if attempt.charge is not None or attempt.stands:
                spent.add((attempt.intent.order_id, attempt.intent.single_use))
    found = {}
    for token, some in tokens.items():
        for one in some:
            if (one.order_id, token) in spent:
                found[token] = one
    return found


def unnamed_of(
    journal: SqliteJournal,
    documents: Sequence[Document],
    tokens: Mapping[str, Sequence[Near]],
    lineages: Lineages,
    *,
    uprooted: bool,
) -> dict[str, tuple[Unnamed, ...]]:
    """Beginnings of terms -> what took money for them, may have, was asked for in vain, or is never
    to be sent; asked only where ids were ever made of other cells. A one-time token -> what is
    never to be sent that it was to pay, for whichever recipient: it is for one sale.

    Of which cells ids were made is unknown of what an earlier version asked for: of what the
    journal noted first; and of a charge that lost it: of others. `uprooted`: for some of them what
    was asked for under ids of now matters, too (rows.History.uprooted).
    """
    if not lineages.names.had_other_sources:
        return {}
    fitting: set[str] = set()
    for document in documents:
        if has_terms(document):
            fitting.update(fitting_terms_in(document))
    known = None if uprooted else lineages.names.source
    asked = journal.asked_under(sorted(fitting), known, corrections=True)
    ids = {one[0] for some in asked.values() for one in some}
    ids.update(one.order_id for some in tokens.values() for one in some)
    stands = _what_stands(journal, ids)
    found: dict[str, tuple[Unnamed, ...]] = {}
    for terms, some in asked.items():
        unnamed = []
        for order_id, batch_id, at_ns, made_of, kind in some:
            if order_id in stands:
                near = Near(order_id, batch_id, at_ns)
                source = made_of or _source_of(kind, lineages)
                unnamed.append(_unnamed(near, source, stands[order_id], lineages))
        found[terms] = tuple(unnamed)
    for token, nears in tokens.items():
        unnamed = []
        for near in nears:
            stand = stands.get(near.order_id)
            if stand and stand.called_off:
                source = stand.ids_from or lineages.names.first_source
                unnamed.append(_unnamed(near, source, stand, lineages))
        found[token] = tuple(unnamed)
    return found


def _unnamed(near: Near, made_of: str, stand: _Stand, lineages: Lineages) -> Unnamed:
    """`made_of`: of which cells the order's id was made (job.Columns.ids_from)."""
    under = {*lineages.names.known_under(near.order_id), made_of}
    untold = lineages.untold(stand.line)
    if untold:  # the sale has the id of that row, too
        under.discard(lineages.names.source)
    return Unnamed(
        near.order_id,
        near.batch_id,
        max(near.at_ns, stand.said_ns),
        frozenset(under),
        untold,
        stand.called_off,
        stand.in_vain,
    )


def _source_of(kind: str, lineages: Lineages) -> str:
    """Of which cells the id of an attempt was made that does not tell it, by how it began."""
    if kind == Adopted.kind:
        return ""
    return lineages.names.first_source


class _Stand(NamedTuple):
    """What an order is to rows that may be its sale."""

    said_ns: int = 0  # when a person said that it is never to be sent
    called_off: str = ""
    in_vain: tuple[Attempt, ...] = ()
    line: tuple[str, ...] = ()  # places of the rows that it goes back to
    ids_from: str = ""  # of one that was called off: of which cells its id was made


def _what_stands(
    journal: SqliteJournal, order_ids: Collection[str]
) -> dict[str, _Stand]:
    """The orders of these that have, or may have, the money of an attempt; those that a person
    cancelled, with when that was said and the word; and those that were asked for in vain.
    """
    stands: dict[str, _Stand] = {}
    for order_id, attempts in attempts_of(journal, sorted(order_ids)).items():
        places = chain.from_iterable(places_of(one.intent)[1:] for one in attempts)
        line = tuple(dict.fromkeys(places))
        if any(one.stands for one in attempts):
            stands[order_id] = _Stand(line=line)
            continue
        cancelled = [one for one in attempts if one.cancelled is not None]
        in_vain = tuple(one for one in attempts if one.asked_in_vain)
        if cancelled:
            last = cancelled[-1]
            stands[order_id] = _Stand(
                last.settled_ns,
                last.called_off,
                line=line,
                ids_from=last.intent.ids_from,
            )
        elif in_vain:
            stands[order_id] = _Stand(in_vain=in_vain, line=line)
    return stands


def unsent_of(
    documents: Iterable[Document], attempts: Mapping[str, Sequence[Attempt]]
) -> dict[str, tuple[str, ...]]:
    """First fitting terms -> ids of orders that ask for them and were never sent."""
    found: dict[str, dict[str, None]] = {}
    for document in documents:
        order_id = str(document.get("order_id", ""))
        if order_id and order_id not in attempts and has_terms(document):
            found.setdefault(fitting_terms_in(document)[0], {})[order_id] = None
    return {terms: tuple(ids) for terms, ids in found.items()}
