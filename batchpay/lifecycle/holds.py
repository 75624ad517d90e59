"""HOLDS: what keeps a row back that may go otherwise, whatever the number of its attempt, and
whether that begins, goes on or is taken over. Nothing passes beside these gates.

    blocked      whatever else goes in this run; of this very row
    over_limit   what a day may take
    held_beside  the same and more, among the rows that go before it in its run

What keeps it back is of three kinds, asked for in this order: somebody else's money or word
contests the row (`contested`); nothing ever sends it (`never_taken`); or it may go, but not now.
What a person should know, and nobody waits for, is a warning (`warnings_of`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType

from batchpay.domain.exits import A_PERSON, ACCOUNTANT, ENGINEER
from batchpay.domain.model import Document, Outcome
from batchpay.domain.money import major_text, money_told
from batchpay.domain.text import told
from batchpay.intake.damage import may_be_one
from batchpay.intake.repeats import look_alike_reason
from batchpay.lifecycle.attempt import Attempt, begun_ns, may_be_made_since
from batchpay.lifecycle.elsewhere import asked_for, asked_of, is_of_sale
from batchpay.lifecycle.order_ids import alike, same_text
from batchpay.lifecycle.payers import single_use_of
from batchpay.lifecycle.places import by_order
from batchpay.lifecycle.rows import (
    ConflictWith,
    DuplicateOf,
    Elsewhere,
    Guards,
    History,
    MayGo,
    Near,
    Past,
    Rejected,
    Renamed,
    Row,
    Sendable,
    Standing,
    Unnamed,
    Waits,
    Why,
    conflict_with,
    sendable_of,
)
from batchpay.lifecycle.sale_terms import (
    fitting_terms_in,
    has_terms,
    same_sale_terms,
    terms_in,
)
from batchpay.lifecycle.sales import (
    ever_asked_for,
    ids_for_sure,
    in_vain_by_terms,
    is_kin,
    is_said_of,
    kin_without_money,
    said_new_ns,
    under_other_ids,
)
from batchpay.lifecycle.terms import Asked
from batchpay.lifecycle.unclaimed import Nameless, fits, maybe_charged_among
from batchpay.messages import repeats, steps
from batchpay.messages import standing as said
from batchpay.messages.message import Message, read

FAR = 10  # times the most, or the least, that a recipient's orders asked for, and ...
ENOUGH_ORDERS = 10  # ... how many of them say what is usual

# --- the gate


def blocked(
    row: Row,
    sendable: Sendable,
    history: History,
    guards: Guards,
) -> ConflictWith | Renamed | Rejected | Waits | None:
    """Why nothing is sent for the row now, whichever of its attempts would be next."""
    return (
        contested(row, history, guards)
        or never_taken(row, sendable, history, guards)
        or _waiting(row, history, guards)
        or _waiting_after(sendable.before, guards)
        or _waiting_for_a_look(row, history, guards)
    )


def kept_back(
    standing: Sendable, by: ConflictWith | Renamed | Rejected | Waits
) -> Standing:
    """What a row is that would go but for the gate. One that is in doubt shows its doubt, and a
    duplicate what it is one of: neither is sent from here.
    """
    if isinstance(standing, DuplicateOf):
        return replace(standing, resumes=False)
    if isinstance(standing, MayGo):
        return _told_beside(by, standing.warnings)
    if not standing.attempt.ready:
        return replace(standing, resumes=False)
    return _told_beside(by, standing.warnings, standing.attempt)


def _told_beside(
    by: ConflictWith | Renamed | Rejected | Waits,
    warnings: Why,
    own: Attempt | None = None,
) -> Standing:
    if isinstance(by, Waits):
        return replace(by, warnings=warnings, attempt=own)
    return by


# --- contested


def contested(
    row: Row, history: History, guards: Guards
) -> ConflictWith | Renamed | None:
    """Whose money, or whose word, may be about this very row under another name."""
    twin = look_alike(row, history, guards)
    if twin is not None:
        return alike_conflict(row, twin)
    cancelled = _cancelled_alike(row, history, guards)
    if cancelled is not None:
        return cancelled
    other = _elsewhere(row, history, guards)
    if other is not None:
        return Renamed(other)
    unplaced = guards.unplaced
    if unplaced is not None and unplaced.intent.order_id not in history.ids(row):
        return conflict_with(unplaced, said.CONFLICT_UNPLACED)
    return None


def look_alike(row: Row, history: History, guards: Guards) -> Attempt | None:
    """An earlier order whose id is this one but for what programs do to ids; of one that asks for
    the same it is enough that it may be.
    """
    form = guards.form
    for attempt in history.look_alikes.get(alike(row.order_id), ()):
        other = attempt.intent.order_id
        if other != row.order_id and form(other) == form(row.order_id):
            return attempt
    if guards.distinct_ids:
        return None
    for attempt in history.taken_for.get(row.order_id, ()):
        if attempt.intent.order_id not in ids_for_sure(row, history, guards):
            return attempt
    return None


def alike_conflict(row: Row, twin: Attempt) -> ConflictWith:
    """What a row is whose id looks like that of an earlier order."""
    alike_ids = look_alike_reason(row.order_id, twin.intent.order_id)
    return conflict_with(twin, said.CONFLICT_ALIKE, alike=alike_ids)


def _cancelled_alike(row: Row, history: History, guards: Guards) -> ConflictWith | None:
    """A person's word that an order is never sent holds for what programs make of its id, too; of
    one that was to ask for the same it is enough that they may have made it.
    """
    alike_id = guards.cancelled.get(guards.form(row.order_id), row.order_id)
    likely = history.cancelled_for.get(row.order_id, ())
    for other in (alike_id, *likely):
        if other != row.order_id:
            why = said.CONFLICT_CANCELLED_ALIKE(order=other, step=steps.NEW_ID())
            return ConflictWith((why,))
    return None


def _elsewhere(row: Row, history: History, guards: Guards) -> Elsewhere | None:
    """Another job's charge for any order id of the same sale, of what that asks or ever asked for;
    where that job charged it more than once, each is named.
    """
    others: list[Elsewhere] = []
    for order_id in history.ids(row):
        others += history.elsewhere.get(order_id, ())
    if not others:
        return None
    asked = _asked_for_sale(row, history, guards)
    found = [other for other in others if is_of_sale(asked_of(other), asked)]
    if not found:
        return None
    first = found[0]
    charge_ids = dict.fromkeys(
        other.charge_id for other in found if other.job == first.job
    )
    return replace(first, charge_id=", ".join(charge_ids))


def _asked_for_sale(row: Row, history: History, guards: Guards) -> list[Asked]:
    """What a row asks for, and what was asked before for its sale, or in vain for what may be."""
    documents = (*history.ever_asked(row), *history.went_back.get(row.place, ()))
    own = history.attempts.get(row.order_id, ())
    kin = [one for one in history.kin(row) if is_kin(row, one, history, guards)]
    in_vain = chain(
        kin_without_money(row, history, guards), in_vain_by_terms(row, history, guards)
    )
    every = (*own, *kin, *in_vain)
    return list(asked_for(documents, (one.intent for one in every)))


# --- never taken


def never_taken(
    row: Row, sendable: Sendable, history: History, guards: Guards
) -> Rejected | None:
    """Why the gateway takes it neither now nor later: such a row is not held, whatever else may
    hold it.
    """
    return _beyond_limits(row, guards) or _token_spent(row, sendable, history, guards)


def _beyond_limits(row: Row, guards: Guards) -> Rejected | None:
    """The gateway takes no charge of so little, or of so much, whatever runs later."""
    amount = row.document["amount"]
    currency = str(row.document["currency"]).upper()
    most = guards.most_charge.get(currency, amount)
    if amount > most:
        too_large = said.CHARGE_TOO_LARGE(
            amount=major_text(amount, currency),
            currency=currency,
            most=major_text(most, currency),
            step=steps.TOO_LARGE(order=row.order_id),
        )
        return Rejected(why=(too_large,))
    least = guards.least_charge.get(currency, amount)
    if amount < least:
        too_small = said.CHARGE_TOO_SMALL(
            amount=major_text(amount, currency),
            currency=currency,
            least=major_text(least, currency),
            step=steps.TOO_SMALL(order=row.order_id),
        )
        return Rejected(why=(too_small,))
    return None


def _token_spent(
    row: Row, sendable: Sendable, history: History, guards: Guards
) -> Rejected | None:
    """What a row is whose one-time token made a charge of another order of an earlier file."""
    if not _asks_for_a_token(sendable, guards):
        return None
    spent = history.spent.get(single_use_of(row.document))
    if spent is None or spent.order_id in ids_for_sure(row, history, guards):
        return None
    step = steps.NEW_TOKEN()
    return Rejected(
        why=(said.TOKEN_SPENT(order=spent.order_id, batch=spent.batch_id, step=step),)
    )


# --- waiting


def _waiting(row: Row, history: History, guards: Guards) -> Waits | None:
    """Why nothing is sent for this row now, and who acts: first what would hold it whatever runs
    with its file.
    """
    if not guards.are_new:
        asked = _maybe_asked(row, history, guards)
        if asked is not None:
            return asked
    return _held_back(row, guards) or _charged_by_nobody(row, history, guards)


def _waiting_after(before: Sequence[Attempt], guards: Guards) -> Waits | None:
    """Why no further attempt is sent: an earlier one, which took no money, may have taken some."""
    for earlier in before:
        if earlier.unaccounted:
            return _gone(earlier)
    for earlier, charge in maybe_charged_among(before, guards.nameless, guards.job):
        return _maybe_charged(earlier, charge)
    return None


def _maybe_asked(row: Row, history: History, guards: Guards) -> Waits | None:
    """Nobody can tell whether the sale was asked for under another id; a person says that it is
    new.
    """
    charged = unnamed(row, history, guards)
    if charged is not None:
        return Waits((_why_unnamed(row, charged, history),), ACCOUNTANT)
    asked = undecided(row, history, guards)
    if asked is not None:
        return Waits((asked,), ACCOUNTANT)
    return None


def _why_unnamed(row: Row, charged: Unnamed, history: History) -> Message:
    """What the row waits for, and the file that could tell."""
    order_id = charged.order_id
    batch_id = history.uprooted.get(row.place, charged.batch_id)
    tells = history.uprooted.get(row.place, charged.untold or charged.batch_id)
    also = _also(row, history)
    step = steps.NEW_SALE(batch=tells, order=row.order_id)
    if charged.called_off:
        return said.HELD_CANCELLED_UNNAMED(
            order=order_id,
            reason=charged.called_off,
            also=also,
            step=step,
        )
    if row.place in history.uprooted:
        entry = said.HELD_UPROOTED
    else:
        entry = said.HELD_UNNAMED
    return entry(order=order_id, batch=batch_id, also=also, step=step)


def _also(row: Row, history: History) -> str | Message:
    """Which other orders stand against the same charge: it can be one of them at most."""
    beside = history.unsent.get(fitting_terms_in(row.document)[0], ())
    ids = history.ids(row)
    others = [told(order_id) for order_id in beside if order_id not in ids]
    if not others:
        return ""
    return said.OR_OTHERS(orders=", ".join(others[:5]))


def unnamed(row: Row, history: History, guards: Guards) -> Unnamed | None:
    """A charge, or what a person cancelled, that may be this row's under an id that the job does
    not make any more, and that nobody told apart from orders with the row's payer, recipient and
    amount. What was asked for in vain keeps nobody waiting.
    """
    some = (one for one in under_other_ids(row, history, guards) if not one.in_vain)
    return next(some, None)


def undecided(row: Row, history: History, guards: Guards) -> Message | None:
    """What may be this row's sale under an id that it had, where nobody can tell, and the batch
    whose file could.
    """
    kin = history.kin(row)
    if not kin and not history.words:
        return None
    since_ns = said_new_ns(row, history, guards)
    for attempt in kin:
        if not may_be_made_since(attempt, since_ns):
            continue
        if not _may_be_the_sale(row, attempt):
            continue
        if is_kin(row, attempt, history, guards) is None:
            order_id = attempt.intent.order_id
            batch_id = attempt.intent.batch_id
            tells = batch_id
            if order_id in history.had_by.get(row.place, ()):
                tells = history.uprooted[row.place]
            step = steps.NEW_SALE(batch=tells, order=row.order_id)
            also = _also(row, history)
            return said.HELD_MAYBE_ASKED(
                order=order_id,
                batch=batch_id,
                also=also,
                step=step,
            )
    for word in history.words.get(row.place, ()):
        if word.at_ns > since_ns and is_said_of(row, word, history, guards) is None:
            step = steps.NEW_SALE(batch=word.batch_id, order=row.order_id)
            order_id = word.order_id
            also = _also(row, history)
            entry = said.HELD_MAYBE_CANCELLED
            if word.unnamed:
                entry = said.HELD_CANCELLED_UNNAMED
            return entry(
                order=order_id,
                reason=word.reason,
                also=also,
                step=step,
            )
    return None


def _may_be_the_sale(row: Row, attempt: Attempt) -> bool:
    """Would an attempt of another order keep this row back, if it were one sale with it?"""
    if attempt.set_aside or attempt.ready:
        return False
    is_over = attempt.closed and not attempt.cancelled
    if not is_over:
        return True
    return not row.comeback and ever_asked_for(row, attempt)


def _held_back(row: Row, guards: Guards) -> Waits | None:
    """What holds for the batch, its recipient, so small a share, or for everything."""
    recipient = row.document["destination"]
    if guards.refusal:
        return Waits((read(guards.refusal),), ACCOUNTANT)
    if recipient in guards.barred:
        barred = read(guards.barred[recipient])
        return Waits((said.HELD_RECIPIENT(recipient=recipient, why=barred),), ENGINEER)
    share = _share_too_small(row, guards)
    if share is not None:
        return Waits((share,), ACCOUNTANT)
    if guards.gone:
        step = steps.PUT_BACK(
            file=told(guards.gone),
            order=row.order_id,
            batch=row.batch_id,
        )
        return Waits((said.HELD_FILE_GONE(step=step),), ACCOUNTANT)
    if guards.stop:
        stop = said.HELD_STOP(stop=read(guards.stop))
        return Waits((stop, steps.LIFT_STOP()), A_PERSON)
    if guards.unreadable:
        return Waits((read(guards.unreadable),), A_PERSON)
    return None


def _share_too_small(row: Row, guards: Guards) -> Message | None:
    """Why what is left for the recipient could not be transferred; None where it could."""
    amount = row.document["amount"]
    currency = str(row.document["currency"]).upper()
    share = amount
    if guards.fee:
        share = amount - guards.fee.of(amount, currency)
    smallest = guards.smallest_share.get(currency, 0)
    if share >= smallest:
        return None
    return said.HELD_SHARE_TOO_SMALL(
        share=major_text(int(share), currency),
        currency=currency,
        least=major_text(smallest, currency),
        step=steps.SEND_SMALL(),
    )


def _charged_by_nobody(row: Row, history: History, guards: Guards) -> Waits | None:
    """A charge that no key tells of asks for what the row asks, or for what was asked for its sale
    before, and may be its sale's.
    """
    if not guards.nameless:
        return None
    ids = history.ids(row)
    own, *before = _asked_for_sale(row, history, guards)
    for charge in fits(guards.nameless, own, ids, guards.job):
        if charge.may_be_to(own.destination):
            step = steps.NAMELESS(order=row.order_id, charge=charge.charge_id)
            return Waits((said.HELD_NAMELESS(charge=charge.charge_id), step), A_PERSON)
    for asked in (own, *before):
        for charge in fits(guards.nameless, asked, ids, guards.job):
            step = steps.NAMELESS_BEFORE(order=row.order_id, charge=charge.charge_id)
            why = said.HELD_NAMELESS_BEFORE(charge=charge.charge_id)
            return Waits((why, step), A_PERSON)
    return None


def _gone(earlier: Attempt) -> Waits:
    number = earlier.intent.attempt
    step = steps.SETTLE_EARLIER(order=earlier.intent.order_id)
    why = said.HELD_EARLIER_CHARGE_GONE(attempt=number, step=step)
    if earlier.charge:
        why = said.HELD_EARLIER_GONE(
            charge=earlier.charge.id,
            attempt=number,
            step=step,
        )
    return Waits((why,), A_PERSON)


def _maybe_charged(earlier: Attempt, charge: Nameless) -> Waits:
    asked = earlier.intent
    charge_id = charge.charge_id
    step = steps.SETTLE_UNCLEAR(order=asked.order_id, charge=charge_id)
    why = said.HELD_EARLIER_UNCLEAR(attempt=asked.attempt, charge=charge_id)
    return Waits((why, step), A_PERSON)


# --- what resembles it


def _waiting_for_a_look(row: Row, history: History, guards: Guards) -> Waits | None:
    """A job may say that nothing is sent that is far outside its recipient's past, or resembles a
    recent order, of the row's own file and of this very run, too, until a person has looked.
    """
    if guards.history == "hold" and (odd := _outside(row, history)):
        return Waits((*odd, steps.HISTORY(order=row.order_id)), ACCOUNTANT)
    if guards.near_duplicates != "hold":
        return None
    every = (history.near.get(terms_in(one), ()) for one in row.ever_asked)
    asked = list(chain.from_iterable(every))
    if not asked:
        return None
    own = ids_for_sure(row, history, guards)
    near = [one for one in asked if one.order_id not in own]
    if not near:
        return None
    return _waits_for_a_word(row, _resembles(near))


@dataclass(slots=True)
class Going:
    """What the rows that go before a row in its run ask for, and those that would but for a later
    gate; `sums` is of those alone that go. Written on by `held_beside`.
    """

    several: bool = False  # is there more than one file?
    # terms -> order id of each row that asks for them
    asked: dict[str, list[str]] = field(default_factory=dict)
    # ... whichever recipient, or asked for them once -> its batch and order id
    of_terms: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    # Recipient (empty: all of them) and upper-case currency -> smallest units.
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    # one-time token -> order id and batch of the first that goes with it
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    # what the sale of a row is known by beside its own id -> the rows that go so
    sales: dict[str, list[Goes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goes:
    """A row that goes before others in its run."""

    order_id: str
    batch_id: str
    came_back: bool


def held_beside(
    row: Row,
    standing: Standing,
    guards: Guards,
    going: Going,
    sale: Collection[str] = (),
) -> Standing:
    """The standing of a row among those that may go with it, none of which was sent yet: of several
    that ask for the same the first goes, where the job holds the later ones, or another file has
    its id damaged; of one sale under several ids the first; what a day may take is left to those
    before it; and a one-time token pays the first that goes with it.

    `sale`: sales.known_by.
    """
    sendable = sendable_of(standing)
    if sendable is None:
        return standing
    first = _of_its_sale(row, sendable, sale, going)
    if first is not None:
        return kept_back(sendable, first)
    beside_it = _beside(row, guards, going)
    if beside_it is not None:
        return kept_back(sendable, beside_it)
    limit = over_limit(row, sendable, guards, going.sums)
    if limit is not None:
        return kept_back(sendable, limit)
    paying = _token_goes_before(row, sendable, guards, going)
    if paying is not None:
        return paying
    if _is_new_today(sendable):
        for key in _of_day(row):
            going.sums[key] += row.document["amount"]
    return standing


def _of_its_sale(
    row: Row, sendable: Sendable, sale: Collection[str], going: Going
) -> ConflictWith | None:
    """Why it does not go beside one that is of its sale under another id, as the journal knows: the
    next run sees what became of that one. Of rows that all came back `intake.repeats` tells.
    """
    if not sale:
        return None
    order_id, batch_id = _goes_as(row, sendable)
    came_back = bool(row.corrects)
    own = (row.place, by_order(order_id))
    for key in (*own, *sale):
        for other in going.sales.get(key, ()):
            is_judged = came_back and other.came_back
            if other.order_id != order_id and not is_judged:
                place = repeats.ORDER_IN(
                    place=other.batch_id, order=told(other.order_id)
                )
                step = steps.LEAVE_ONE()
                return ConflictWith((repeats.SAME_SALE(places=place, step=step),))
    for key in (*own, *sale):
        going.sales.setdefault(key, []).append(Goes(order_id, batch_id, came_back))
    return None


def _beside(row: Row, guards: Guards, going: Going) -> ConflictWith | Waits | None:
    """Why it does not go beside those before it that ask for the same."""
    holds = guards.near_duplicates == "hold"
    if not (holds or going.several):
        return None
    same = going.asked.setdefault(terms_in(row.document), [])
    sale = [going.of_terms.setdefault(terms, []) for terms in _terms_of_sale(row)]
    is_one = _written_otherwise if guards.distinct_ids else may_be_one
    for batch_id, order_id in chain.from_iterable(sale):
        if batch_id != row.batch_id and is_one(order_id, row.order_id):
            return ConflictWith((look_alike_reason(row.order_id, order_id),))
    for order_id in same:
        if holds and order_id != row.order_id:
            return _waits_for_a_word(row, said.NEAR_IN_RUN(order=order_id))
    same.append(row.order_id)
    for some in sale:
        some.append((row.batch_id, row.order_id))
    return None


def _written_otherwise(order_id: str, other: str) -> bool:
    return order_id != other and same_text(order_id, other)


def _terms_of_sale(row: Row) -> set[str]:
    """By which terms another id may be made of its own, as what was asked before is looked for
    (History.taken_for): whichever recipient, and what it ever asked for.
    """
    return {same_sale_terms(one) for one in row.ever_asked if has_terms(one)}


def _token_goes_before(
    row: Row, sendable: Sendable, guards: Guards, going: Going
) -> Rejected | None:
    """What a row is whose one-time token goes with another order before it in this run: an attempt
    of an earlier file that is sent again. Two rows of this run are told in `intake.repeats`.
    """
    token = _token_of(row, sendable)
    if not token:
        return None
    order_id, batch_id = going.tokens.setdefault(token, _goes_as(row, sendable))
    if order_id == row.order_id or not _asks_for_a_token(sendable, guards):
        return None
    return Rejected(
        why=(said.TOKEN_GOES(order=order_id, batch=batch_id, step=steps.NEW_TOKEN()),)
    )


def _token_of(row: Row, sendable: Sendable) -> str:
    if isinstance(sendable, MayGo):
        return single_use_of(row.document)
    return sendable.attempt.intent.single_use


def _goes_as(row: Row, sendable: Sendable) -> tuple[str, str]:
    """Order id and batch of what goes."""
    if isinstance(sendable, MayGo):
        return row.order_id, row.batch_id
    return sendable.attempt.intent.order_id, sendable.attempt.intent.batch_id


def over_limit(
    row: Row,
    sendable: Sendable,
    guards: Guards,
    going: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> Waits | None:
    """Why a row waits for another day: with what this day's orders, and those that go before it,
    ask for, it would be more than the job allows.
    """
    if not _is_new_today(sendable):
        return None
    amount = row.document["amount"]
    of_all, of_recipient = _of_day(row)
    currency = of_all[1]
    for key, limits in ((of_recipient, guards.max_recipient), (of_all, guards.max_day)):
        limit = limits.get(currency)
        before = guards.of_day.get(key, 0) + going.get(key, 0)
        if limit is None or before + amount <= limit:
            continue
        entry = said.OVER_DAY
        if key[0]:
            entry = said.OVER_RECIPIENT
        told_amounts = {
            "amount": money_told(amount, currency),
            "before": money_told(before, currency),
            "limit": money_told(limit, currency),
        }
        return Waits(
            (entry(**told_amounts, step=steps.LIMIT(order=row.order_id)),), ACCOUNTANT
        )
    return None


def counts_since(attempt: Attempt, began_ns: int) -> bool:
    """Is what it asks for part of what a day that began then took, or may take (UTC nanoseconds)?

    It was sent last, or the gateway made it, since then; one in doubt may be sent again today.
    """
    if not attempt.stands:
        return False
    if attempt.outcome is Outcome.IN_DOUBT:
        return True
    return max(attempt.went_ns, begun_ns(attempt)) >= began_ns


def _is_new_today(sendable: Sendable) -> bool:
    """Would it be a first send? What was sent already counts among the day's."""
    return isinstance(sendable, MayGo) or sendable.attempt.ready


def _of_day(row: Row) -> tuple[tuple[str, str], tuple[str, str]]:
    """By what the sums of all recipients, and of the row's own, are known."""
    currency = str(row.document["currency"]).upper()
    return ("", currency), (row.document["destination"], currency)


def _waits_for_a_word(row: Row, why: Message) -> Waits:
    return Waits((why, steps.NEAR(order=row.order_id)), ACCOUNTANT)


# --- warnings


def warnings_of(row: Row, history: History, *, before_ns: int) -> Why:
    """What a person should know before, or after, it is sent: recent orders of other files that ask
    for the same, and an amount that is far outside of what was asked before.

    `before_ns`: only what was asked before then; 0: whenever.
    """
    if row.problems or "destination" not in row.document:
        return ()
    asked = history.near.get(terms_in(row.document), ())
    near = [one for one in asked if _is_near(one, row, before_ns)]
    odd = _outside(row, history)
    if not near:
        return odd
    return (_resembles(near), *odd)


def _outside(row: Row, history: History) -> Why:
    return outside(row.document, history.ids(row), history.past, history.hundredth)


def outside(
    document: Document,
    ids: Collection[str],
    past_of: Mapping[tuple[str, str], Past],
    hundredth: Mapping[str, Near],
) -> Why:
    """Why an order's amount is far outside of what was asked before its file came (History.past and
    hundredth). `ids`: all order ids of its sale.
    """
    amount = document["amount"]
    currency = str(document["currency"])
    shown = money_told(amount, currency)
    part = hundredth.get(terms_in(document))
    if part is not None and part.order_id not in ids:
        return (
            said.HUNDREDFOLD(amount=shown, order=part.order_id, batch=part.batch_id),
        )
    past = past_of.get((document["destination"], currency.lower()))
    if past is None or past.orders < ENOUGH_ORDERS:
        return ()
    if amount > FAR * past.most:
        most = money_told(past.most, currency)
        return (said.FAR_ABOVE(amount=shown, orders=past.orders, most=most),)
    if amount * FAR < past.least:
        least = money_told(past.least, currency)
        return (said.FAR_BELOW(amount=shown, orders=past.orders, least=least),)
    return ()


def _asks_for_a_token(sendable: Sendable, guards: Guards) -> bool:
    """Is it a first request that its row's own token is to pay? One that goes on does so with the
    token that it has; one that takes another's place goes with what that one did not spend.
    """
    is_new = isinstance(sendable, MayGo) and sendable.withdraw is None
    return is_new and not guards.asks_first


def _resembles(near: Sequence[Near]) -> Message:
    first, *others = near
    if not others:
        return said.NEAR_ONE(order=first.order_id, batch=first.batch_id)
    more = len(others)
    return said.NEAR_MORE(
        order=first.order_id,
        batch=first.batch_id,
        more=more,
    )


def _is_near(other: Near, row: Row, before_ns: int) -> bool:
    if other.order_id == row.order_id or other.batch_id == row.batch_id:
        return False
    return not before_ns or other.at_ns < before_ns
