"""SALES: of the attempts and of the words about other orders, which are of a row's own sale?

`kinship` follows corrections and ids through the journal and finds what may be; here it is told
what is, what is not, and what nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, product

from batchpay.domain.model import Outcome, tail_in
from batchpay.lifecycle.ancestry import goes_back_to
from batchpay.lifecycle.attempt import Attempt, begun_ns
from batchpay.lifecycle.payers import single_use_of
from batchpay.lifecycle.places import by_order, order_in, place_of, places_of, row_at
from batchpay.lifecycle.rivals import are_apart
from batchpay.lifecycle.rows import Cancellation, Guards, History, Row, Unnamed
from batchpay.lifecycle.sale_terms import (
    BY_TERMS_NS,
    fitting_terms_in,
    terms_in,
    terms_of,
    words_terms,
)
from batchpay.lifecycle.terms import are_strangers, is_a_strangers, same_terms

# --- the attempts of a sale


def owner_of(
    history: History,
    batch_id: str,
    sheet: str,
    row: int,
    order_id: str,
) -> Attempt | None:
    """The attempt a row caused, whatever the row says now: an edited job never makes a second order
    of it.

    Of several it is the last, but for one whose money nobody knows yet, or else one that has money,
    or may, first under the row's own id: it was adopted, or withdrawn and had been charged after
    all. What somebody wrote into a charge at the gateway makes it no other row's.
    """
    owned: list[Attempt] = []
    for candidate in dict.fromkeys((*reversed(history.owned.get(row, ())), order_id)):
        for attempt in reversed(history.attempts.get(candidate, ())):
            if attempt.owned_by(batch_id, sheet, row):
                owned.append(attempt)
    in_doubt = (one for one in owned if one.outcome is Outcome.IN_DOUBT)
    with_money = [one for one in owned if one.stands]
    by_its_id = (one for one in with_money if one.intent.order_id == order_id)
    return next(chain(in_doubt, by_its_id, with_money, owned), None)


def kin_of(
    row: Row,
    history: History,
    guards: Guards,
    owned: Attempt | None,
) -> Attempt | None:
    """What another order that is one sale with this row did, if it took money, may have, or goes in
    this very run.

    `owned`: the row's own attempt, which is its own whatever id it was made under.
    """
    goes_first = None
    for attempt in history.kin(row):
        is_its_own = attempt == owned or attempt.intent.order_id == row.order_id
        if is_its_own or attempt.closed:
            continue
        if not is_kin(row, attempt, history, guards):
            continue
        if attempt.stands:
            return attempt
        if goes_first is None and attempt.intent.batch_id in guards.present:
            goes_first = attempt
    return goes_first


def kin_without_money(row: Row, history: History, guards: Guards) -> Iterator[Attempt]:
    """The attempts of other orders that took no money, and are of this row's sale as far as anybody
    can tell, first to last; of those that were withdrawn, or wait to go again, the ones that
    somebody was asked for.
    """
    for attempt in history.kin(row):
        if attempt.asked_in_vain and is_kin(row, attempt, history, guards) is not False:
            yield attempt


def in_vain_by_terms(row: Row, history: History, guards: Guards) -> Iterator[Attempt]:
    """The same of those of which only the terms say that they may be: nobody can tell, whether or
    not the row came back for another one.
    """
    since_ns = (history.received_ns or 0) - BY_TERMS_NS
    kin = history.kin(row)
    for other in under_other_ids(row, history, guards):
        for attempt in other.in_vain:
            is_told = attempt in kin or _are_rivals(row, attempt, history)
            if attempt.went_ns > since_ns and not is_told:
                yield attempt


def under_other_ids(row: Row, history: History, guards: Guards) -> Iterator[Unnamed]:
    """What was asked for the row's terms, or cancelled, under an id that the job does not make any
    more, and that nobody told apart from this order. Where that is so of a row that this one goes
    back to, under whatever id.
    """
    if not (guards.ids_from and history.unnamed):
        return
    ids = history.ids(row)
    is_uprooted = row.place in history.uprooted
    since_ns = said_new_ns(row, history, guards)
    every = history.ever_asked(row)
    terms = chain.from_iterable(map(fitting_terms_in, every))
    tokens = filter(None, dict.fromkeys(map(single_use_of, every)))
    for key in chain(terms, tokens):
        for other in history.unnamed.get(key, ()):
            is_known = guards.ids_from in other.known_under and not is_uprooted
            is_its_own = other.order_id in ids
            if not (is_known or is_its_own) and other.at_ns > since_ns:
                yield other


def said_new_ns(row: Row, history: History, guards: Guards) -> int:
    """When a person last said of this very order that it is new; 0: never. A word about another
    one with its terms is none about this.
    """
    every = chain.from_iterable(map(words_terms, history.ever_asked(row)))
    words = [guards.said_new[terms] for terms in every if terms in guards.said_new]
    if not words:
        return 0
    own = ids_for_sure(row, history, guards)
    said_at = (said_of.get(order_id, 0) for said_of in words for order_id in own)
    return max(said_at, default=0)


def ids_for_sure(row: Row, history: History, guards: Guards) -> set[str]:
    """The order ids of a row's sale, but for those under which something was asked of which nobody
    knows that it is its sale. Such an id may be a mistake that was mended since: it excuses nobody
    from a look at that order, and a word about that order is none about this row.
    """
    kin = history.kin(row)
    asked = {one.intent.order_id for one in kin}
    sure = {one.intent.order_id for one in kin if is_kin(row, one, history, guards)}
    return {one for one in history.ids(row) if one not in asked or one in sure}


def known_by(row: Row, history: History, guards: Guards) -> frozenset[str]:
    """By what a row's sale is known for sure beside its own id (places.place_of, by_order): as a
    person typed it, and by other orders that were asked for it.
    """
    keys = set(_typed_for(row, history, guards))
    for attempt in history.kin(row):
        if is_kin(row, attempt, history, guards):
            keys.add(by_order(attempt.intent.order_id))
    keys.discard(by_order(row.order_id))
    return frozenset(keys)


def asked_before(row: Row, history: History, guards: Guards) -> Attempt | None:
    """An attempt that asked for the same under an earlier id, in vain: that an id is another asks
    for no second one.
    """
    if row.corrects or row.comeback:
        return None
    last = None
    for attempt in kin_without_money(row, history, guards):
        if attempt.outcome is Outcome.HELD or not ever_asked_for(row, attempt):
            continue
        if goes_back_to(attempt.intent, keys_of(row)):
            continue
        if is_kin(row, attempt, history, guards):
            last = attempt
    return last


def ever_asked_for(row: Row, attempt: Attempt) -> bool:
    """Did an attempt ask for what the row asks, or ever asked for? An edit of the job answers
    nothing.
    """
    return any(same_terms(document, attempt) for document in row.ever_asked)


def settled_by(row: Row, history: History, received_ns: int) -> Attempt | None:
    """The attempt that charged, later, what this row asked for: under its order id, or as its
    corrected row.

    `received_ns`: when the row's file came; what was charged before then, or for another row of
    that file, settled something else, unless it corrects this very row, or the row that came back
    to correct it asked for that very order, and so is a duplicate of it, or it is a later attempt
    than the row's own, which was sent. The same row in an older file speaks for this one.
    """
    charged = []
    own = max((one.intent.attempt for one in _sent_for(row, history)), default=0)
    for attempt in (*_of_its_order(row, history), *_of_the_sale(row, history)):
        corrects = not row.corrects and goes_back_to(attempt.intent, (row.place,))
        follows = (
            own
            and attempt.intent.order_id == row.order_id
            and attempt.intent.attempt > own
        )
        is_later = _came_later(attempt, row.place, received_ns) or corrects or follows
        if (
            attempt.outcome is Outcome.SUCCEEDED
            and is_later
            and not row.caused(attempt)
        ):
            charged.append(attempt)
    for attempt in history.answered.get(row.place, ()):
        if attempt.outcome is Outcome.SUCCEEDED:
            charged.append(attempt)
    for attempt in charged:  # first what came for this very row
        if goes_back_to(attempt.intent, (row.place,)):
            return attempt
    if charged:
        return charged[0]
    return _settled_before(row, history)


def _sent_for(row: Row, history: History) -> Iterator[Attempt]:
    """The attempts of the row itself, but for one that is held: as far as anybody was told, that
    charged nothing.
    """
    for attempt in history.attempts.get(row.order_id, ()):
        if row.caused(attempt) and attempt.outcome is not Outcome.HELD:
            yield attempt


def _of_its_order(row: Row, history: History) -> Iterator[Attempt]:
    """The attempts of its order id; but for those of another row, where the row itself came back
    under another one.
    """
    came_back = any(goes_back_to(kin.intent, (row.place,)) for kin in history.kin(row))
    for attempt in history.attempts.get(row.order_id, ()):
        if not (came_back and _are_rivals(row, attempt, history)):
            yield attempt


def _settled_before(row: Row, history: History) -> Attempt | None:
    """What settled the same row when it came in an older file."""
    of_its_order = history.attempts.get(row.order_id, ())
    for same in history.same.get(row.place, ()):
        later = [
            attempt
            for attempt in of_its_order
            if _came_later(attempt, same.place, same.received_ns)
        ]
        for attempt in (*same.settled, *later):
            if attempt.outcome is Outcome.SUCCEEDED and not row.caused(attempt):
                return attempt
    return None


def _came_later(attempt: Attempt, place: str, received_ns: int) -> bool:
    """Was it begun after a row's file came, and for a row of another file? Two rows that stand side
    by side say nothing of each other.
    """
    own_file = row_at(place)
    is_beside = own_file is not None and attempt.intent.batch_id.endswith(own_file[0])
    return begun_ns(attempt) > received_ns and not is_beside


def _of_the_sale(row: Row, history: History) -> Iterator[Attempt]:
    """The attempts of other orders that came to correct the row, or asked for the same."""
    keys = [key for key in (row.place, row.corrects) if key]
    for attempt in history.kin(row):
        asked_alike = same_terms(row.document, attempt)
        is_it = goes_back_to(attempt.intent, keys)
        if is_it or (asked_alike and is_kin(row, attempt, history, Guards())):
            yield attempt


# --- is it one sale?


def is_kin(
    row: Row,
    attempt: Attempt,
    history: History,
    guards: Guards,
) -> bool | None:
    """Is an attempt of another order one sale with this row? None: nobody can tell.

    That the row, or another of its id, had the order's id may have been a mistake that was mended
    since. The row that was charged tells: it has this row's id today as well, or it has another
    one.
    """
    if _are_rivals(row, attempt, history):
        return False
    asked = attempt.intent
    is_by_an_old_id = asked.order_id in history.had_by.get(row.place, ())
    if is_by_an_old_id and not goes_back_to(asked, (*keys_of(row), row.corrects)):
        return None
    # A person typed one id in the place of the other: True, where that is for the id of today.
    said = history.said.get(row.place, {}).get(asked.order_id)
    if row.corrects or said or not attempt.placed or row.caused(attempt):
        return True
    keys = [row.place]
    if row.order_id:
        keys.append(by_order(row.order_id))
    if goes_back_to(asked, keys):
        return True
    if is_known_by(history.typed.get(row.place, ()), attempt):
        if guards.are_new and _asked_as_a_stranger(row, attempt, history):
            return False
        return _is_typed_for_its_sale(row, attempt, history)
    told_by_id = _has_its_id(row.order_id, places_of(asked), history, guards)
    if told_by_id:
        return True
    if told_by_id is None and _asked_as_a_stranger(row, attempt, history):
        return False
    if said is None:
        return told_by_id
    return None


def _are_rivals(row: Row, attempt: Attempt, history: History) -> bool:
    """Do a row and an attempt that ask for different terms go back to two rows of one file which
    contradicted each other under one order id? A person gave one of them an id of its own.
    """
    found = history.rivals.get(row.place)
    if found is None or row.problems or same_terms(row.document, attempt):
        return False
    line, rivals = found
    asked = attempt.intent
    mine = terms_in(row.document)
    theirs = terms_of(asked.payer, asked.destination, asked.amount, asked.currency)
    for some in rivals:
        if are_apart(some.which(line, mine), some.which(places_of(asked), theirs)):
            return True
    return False


def _is_typed_for_its_sale(row: Row, attempt: Attempt, history: History) -> bool:
    """A person typed the row's id in a row that came back for the attempt's sale, or the other way
    round: is it one sale? Whatever it asks for, where that was told before its file came; else
    another order may have this id on purpose, for which other people ask, and for other money.
    """
    if is_known_by(history.typed_before.get(row.place, ()), attempt):
        return True
    return not _asked_as_a_stranger(row, attempt, history)


def _typed_for(row: Row, history: History, guards: Guards) -> Sequence[str]:
    """By what the sale is known for which a person typed the row's id. That its order is new is
    believed where other people were asked for other money: a word about another file tells nothing
    of a row that asks for the same again.
    """
    typed = history.typed.get(row.place, ())
    kin = history.kin(row)
    if guards.are_new and kin:
        are_strangers = (_asked_as_a_stranger(row, one, history) for one in kin)
        if all(are_strangers):
            return ()
    return typed


def _asked_as_a_stranger(row: Row, attempt: Attempt, history: History) -> bool:
    """Did another payer ask for other money than the row, and than whatever it ever asked for? An
    edit of the job makes nobody a stranger, nor does the next file.
    """
    every = history.ever_asked(row)
    return all(is_a_strangers(document, attempt) for document in every)


def is_known_by(keys: Sequence[str], attempt: Attempt) -> bool:
    """Is an attempt of a sale that is known by these, or came to correct it?"""
    asked = attempt.intent
    own = by_order(asked.order_id), place_of(asked.batch_id, asked.sheet, asked.row)
    return goes_back_to(asked, keys) or any(key in keys for key in own)


def is_said_of(
    row: Row,
    word: Cancellation,
    history: History,
    guards: Guards,
) -> bool | None:
    """Is a cancelled order, one of whose ids this row has or had, the row's own? None: nobody can
    tell.
    """
    if row.order_id == word.order_id or row.place in word.places:
        return True
    told_by_id = _has_its_id(row.order_id, word.places, history, guards)
    if told_by_id is None and word.asked:
        pairs = product(history.ever_asked(row), word.asked)
        if all(are_strangers(mine, asked) for mine, asked in pairs):
            return False
    return told_by_id


def _has_its_id(
    order_id: str,
    places: Sequence[str],
    history: History,
    guards: Guards,
) -> bool | None:
    """Has any row of these places an order id today? None: the file of one is not here to tell, or
    gives it no id.
    """
    form = guards.form
    ids = [history.bears.get(place, "") for place in places]
    if order_id and form(order_id) in [form(one) for one in ids if one]:
        return True
    if not ids or not all(ids):
        return None
    batches_here = {tail_in(batch_id) for batch_id in guards.present}
    batches = {place.partition("\t")[0] for place in places}
    if batches <= batches_here:
        return False
    return None


def keys_of(row: Row) -> tuple[str, ...]:
    """By what corrections of the row itself name it."""
    ids = [one for one in (row.order_id, *row.earlier) if one]
    return (row.place, *map(by_order, ids))


# --- was it cancelled?


def called_off(row: Row, attempt: Attempt, history: History) -> str:
    """Who said never to send the very order, or the row, of an attempt; empty when nobody did, or
    somebody has said what became of it since.
    """
    since = attempt.accepted or attempt.by_hand
    if since and since != attempt.called_off:
        return ""
    word = attempt.called_off or history.cancelled.get(attempt.intent.order_id, "")
    return word or history.given_up.get(row.place, "")


def why_cancelled(row: Row, history: History, guards: Guards) -> str:
    """Who said never to send the row, or its order under any id of its sale, when and why; empty
    when nobody did.
    """
    if row.place in history.given_up:
        return history.given_up[row.place]
    ids: tuple[str, ...] = (row.order_id,)
    by_ids: list[str] = []
    if row.corrects:  # a row that came back is the sale of all its ids
        ids = history.ids(row)
        by_ids = [by_order(one) for one in ids if one]
    typed = _typed_for(row, history, guards)
    ids = (*ids, *filter(None, map(order_in, typed)))
    for key in (row.place, row.corrects, *by_ids, *typed):
        if key in guards.cancelled_sales:
            return guards.cancelled_sales[key]
    for order_id in ids:
        if order_id in history.cancelled:
            return history.cancelled[order_id]
        for attempt in history.attempts.get(order_id, ()):
            if attempt.cancelled is not None:
                return attempt.called_off
    for word in history.words.get(row.place, ()):
        if is_said_of(row, word, history, guards):
            return word.reason
    for attempt in history.kin(row):
        if attempt.cancelled is not None and is_kin(row, attempt, history, guards):
            return attempt.called_off
    return ""
