"""HOLDS: what keeps a row back that may go otherwise, whatever the number of its attempt, and
whether that begins, goes on or is taken over. Nothing passes beside these gates.

    blocked      whatever else goes in this run; of this very row
    over_limit   what a day may take (lifecycle.going)
    held_beside  the same and more, among the rows that go before it in its run (lifecycle.going)

What keeps it back is of three kinds, asked for in this order: somebody else's money or word
contests the row (lifecycle.contested); nothing ever sends it (`never_taken`); or it may go, but not
now. What a person should know, and nobody waits for, is a warning (lifecycle.unusual).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from batchpay.domain.exits import A_PERSON, ACCOUNTANT, ENGINEER
from batchpay.domain.money import major_text
from batchpay.domain.text import told
from batchpay.lifecycle.attempt import Attempt, may_be_made_since
from batchpay.lifecycle.contested import asked_for_sale, contested
from batchpay.lifecycle.payers import single_use_of
from batchpay.lifecycle.rows import (
    ConflictWith,
    DuplicateOf,
    Guards,
    History,
    MayGo,
    Rejected,
    Renamed,
    Row,
    Sendable,
    Standing,
    Unnamed,
    Waits,
    Why,
)
from batchpay.lifecycle.sale_terms import (
    fitting_terms_in,
    terms_in,
)
from batchpay.lifecycle.sales import (
    ever_asked_for,
    ids_for_sure,
    is_kin,
    is_said_of,
    said_new_ns,
    under_other_ids,
)
from batchpay.lifecycle.unclaimed import Nameless, fits, maybe_charged_among
from batchpay.lifecycle.unusual import odd_amount, resembles
from batchpay.messages import standing as said
from batchpay.messages import steps
from batchpay.messages.message import Message, read

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
    if not asks_for_a_token(sendable, guards):
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
    if guards.holds_no_share and share < 1 and not smallest:
        left = major_text(int(share), currency)
        step = steps.SEND_SMALL()
        return said.HELD_NO_SHARE(share=left, currency=currency, step=step)
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
    own, *before = asked_for_sale(row, history, guards)
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
    if guards.history == "hold" and (odd := odd_amount(row, history)):
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
    return waits_for_a_word(row, resembles(near))


def waits_for_a_word(row: Row, why: Message) -> Waits:
    return Waits((why, steps.NEAR(order=row.order_id)), ACCOUNTANT)


def asks_for_a_token(sendable: Sendable, guards: Guards) -> bool:
    """Is it a first request that its row's own token is to pay? One that goes on does so with the
    token that it has; one that takes another's place goes with what that one did not spend.
    """
    is_new = isinstance(sendable, MayGo) and sendable.withdraw is None
    return is_new and not guards.asks_first
