"""REASONS: where an attempt stands, and whose word that rests on, for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchpay.domain.exits import NEXT_RUN
from batchpay.domain.model import ChargeSeen, Finding, Outcome
from batchpay.domain.money import money_text, money_told
from batchpay.domain.text import told
from batchpay.lifecycle.after import goes_in_vain
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import can_be_asked_for
from batchpay.lifecycle.paid import (
    beside_gone,
    charged_by,
    doubled,
    paid_by,
    settle_gone,
)
from batchpay.lifecycle.rows import Why
from batchpay.messages import outcomes as said
from batchpay.messages import steps
from batchpay.messages.message import Entry, Message, plain
from batchpay.messages.standing import CANCELLED

# characters of its messages that a reason repeats, tokens masked
WORDS_OF_THE_GATEWAY = 300


def reasons_of(attempt: Attempt) -> Why:
    """Where an attempt stands, and whose word that rests on; nothing when it succeeded without any
    trouble.
    """
    is_refused = attempt.outcome is Outcome.REFUSED and not attempt.may_be
    if is_refused and attempt.cancelled is not None:
        return (cancelled_by(attempt.called_off),)
    return (*_stands(attempt), *_word(attempt))


def cancelled_by(word: str) -> Message:
    """Who said that an order is never to be sent, when and why; and what that leaves to do."""
    return CANCELLED(word=word, step=steps.NEW_ID())


def without_coming_back(why: Why) -> Why:
    """The same without what leads to another attempt, of which a person said that there is none."""
    return tuple(one for one in why if one.code not in _COMING_BACK)


def _word(attempt: Attempt) -> Why:
    if attempt.accepted and attempt.outcome is Outcome.UNPROVEN:
        return ()  # it says so itself
    if attempt.accepted:
        return (said.ACCEPTED_BY(word=attempt.accepted),)
    if attempt.by_hand:
        return (said.SETTLED_BY(word=attempt.by_hand),)
    return ()


def _stands(attempt: Attempt) -> Why:
    match attempt.outcome:
        case Outcome.SUCCEEDED:
            return _how_it_was_found(attempt)
        case Outcome.UNPROVEN:
            return _unproven(attempt)
        case Outcome.PENDING:
            return _pending(attempt)
        case Outcome.DECLINED if attempt.charge is not None:
            return (_declined(attempt.charge), *_ended(attempt))
        case Outcome.EXPIRED:
            return (said.EXPIRED(), *_ended(attempt))
        case Outcome.REVERSED:
            return (said.REVERSED(), *_ended(attempt))
        case Outcome.REFUSED:
            return _refused(attempt)
        case Outcome.IN_DOUBT:
            return _in_doubt(attempt)
    return (_not_charged(attempt),)


# --- it took money, or may have


def _how_it_was_found(attempt: Attempt) -> Why:
    """What an auditor asks about a charge that needed more than one request and its answer."""
    charge = attempt.charge
    if attempt.gone:
        return _gone(attempt)
    if attempt.waits_again and charge is not None:
        return _waits_again(attempt, charge)
    if attempt.others:
        return _beside(attempt)
    if attempt.unknown and charge is not None:
        other = min(attempt.unknown)
        return (said.FOUND_UNDER_OTHER_ID(other=other, charge=charge.id),)
    if attempt.adopted:
        return (said.FOUND_ADOPTED(),)
    if attempt.doubted and attempt.sends == 1:
        return (said.FOUND_BY_LOOKUP(),)
    if attempt.doubted:
        return (said.FOUND_AFTER_RESEND(sends=attempt.sends),)
    return ()


def _gone(attempt: Attempt) -> Why:
    """It succeeded, and the gateway does not know it any more, or not one beside it."""
    gone = tuple(said.SUCCEEDED_GONE(charge=one.id) for one in attempt.gone)
    beside = _beside(attempt)
    if not attempt.vanished or doubled(attempt):
        return (*gone, *beside)
    return (*gone, *beside, settle_gone(attempt, attempt.gone[0].id))


def _waits_again(attempt: Attempt, charge: ChargeSeen) -> Why:
    """It succeeded, and the gateway says that it has yet to decide."""
    odd = said.SUCCEEDED_ODD(charge=charge.id, odd=attempt.odd)
    if not attempt.shaken or doubled(attempt):
        return (odd, *_beside(attempt))
    step = steps.ACCEPT(order=attempt.intent.order_id, charge=charge.id)
    return (odd, *_beside(attempt), step)


def _unproven(attempt: Attempt) -> Why:
    sentence = said.UNPROVEN_ANSWER
    if attempt.money is not None:
        sentence = said.UNPROVEN
    return (sentence(why=attempt.why_unproven), *_beside(attempt), _then(attempt))


def _then(unproven: Attempt) -> Message:
    order_id = unproven.intent.order_id
    if unproven.accepted:
        return said.ACCEPTED_BY(word=unproven.accepted)
    if unproven.anothers:
        return steps.SETTLE_ANOTHERS(order=order_id)
    charge = unproven.charge
    if charge is None or not can_be_asked_for(charge.id):  # perhaps there is none
        return steps.SETTLE_DOUBT(order=order_id)
    return steps.ACCEPT(order=order_id, charge=charge.id)


def _beside(attempt: Attempt) -> Why:
    """Every other charge that the gateway made under the same key (B31), and how it stands."""
    if not attempt.others or attempt.charge is None:
        return ()
    charges = [_shown(attempt.charge)]
    for other in attempt.others:
        charges.append(_shown(other.charge))
    twice = said.TWICE(charges=tuple(charges))
    if not doubled(attempt):
        return (twice,)
    stays = beside_gone(attempt) or attempt.charge
    return (twice, give_back((attempt,), stays.id))


def give_back(attempts: Sequence[Attempt], charge_id: str) -> Message:
    """What a person does about an order that was charged more than once; `charge_id`: by which it
    is left so.
    """
    money = money_text(paid_by(charged_by(attempts)).rest)
    order_id = attempts[0].intent.order_id
    return steps.GIVE_BACK(order=order_id, charge=charge_id, money=money)


def _shown(charge: ChargeSeen) -> Message:
    sentence = said.CHARGE_STATUS
    if charge.given_back:
        sentence = said.CHARGE_GIVEN_BACK
    return sentence(charge=charge.id, status=charge.status)


def paid_apart_told(paid: Sequence[tuple[Attempt, Sequence[ChargeSeen]]]) -> Message:
    """Several attempts of one order took money: each with its charges."""
    charges = []
    for attempt, money in paid:
        for charge in money:
            charges.append(
                _of_attempt(charge)(charge=charge.id, attempt=attempt.intent.attempt)
            )
    return said.PAID_APART(count=len(paid), charges=tuple(charges))


def _of_attempt(charge: ChargeSeen) -> Entry:
    if charge.given_back:
        return said.OF_ATTEMPT_GIVEN_BACK
    return said.OF_ATTEMPT


# --- it waits


def _pending(attempt: Attempt) -> Why:
    charge = attempt.charge
    if attempt.wants_chain:
        return (said.PENDING_CHAIN(),)
    if attempt.gone:
        charge_id = attempt.gone[0].id
        step = settle_gone(attempt, charge_id)
        gone = said.PENDING_GONE(charge=charge_id, step=step)
        return (gone, *_beside(attempt))
    decides = said.PENDING()
    if charge:
        decides = said.PENDING_AS(status=charge.status)
    if charge and charge.paid and attempt.waits_in_unknown_status:
        step = steps.ACCEPT(order=attempt.intent.order_id, charge=charge.id)
        return (decides, *_beside(attempt), step)
    return (decides, *_beside(attempt), *_to_pay(attempt))


def _to_pay(attempt: Attempt) -> Why:
    """What its payer does about a charge that waits for that."""
    if kind_of_payer(attempt) == "src":
        return (steps.SCAN(),)
    if attempt.charge and attempt.charge.authorize_uri:
        return (steps.AUTHORISE(),)
    return ()


# --- it took none


def _ended(attempt: Attempt) -> Why:
    """What else is to be said of a charge that ended without money, and how its payer pays."""
    return (*_in_vain(attempt), *_beside(attempt), pay_again(attempt))


def _in_vain(attempt: Attempt) -> Why:
    """It had taken money, and its recipient gets the share of that."""
    share = attempt.transfer
    if share is None or not goes_in_vain(attempt):
        return ()
    currency = share.currency or attempt.intent.currency.upper()
    told = said.SHARE_TOO_MUCH(
        left=money_told(0, currency),
        transfer=share.id,
        share=money_told(share.amount or 0, currency),
        recipient=attempt.intent.destination,
        stands=share.stands,
    )
    return (told,)


def _declined(charge: ChargeSeen) -> Message:
    failure = charge.failure_code or "declined"
    if not charge.failure_message:
        return said.DECLINED_UNTOLD(failure=failure)
    words = told(charge.failure_message, WORDS_OF_THE_GATEWAY)
    return said.DECLINED(failure=failure, said=words)


def _refused(attempt: Attempt) -> Why:
    if not attempt.may_be:
        return (_why_refused(attempt), _comes_back(attempt))
    step = steps.SETTLE_UNCLEAR(order=attempt.intent.order_id, charge=attempt.may_be)
    return (
        _why_refused(attempt),
        said.REFUSED_UNCLEAR(charge=attempt.may_be, step=step),
    )


def _comes_back(attempt: Attempt) -> Message:
    if attempt.code == "used_token":
        return pay_again(attempt)
    return steps.CORRECT()


def _why_refused(attempt: Attempt) -> Message:
    words = told(attempt.message, WORDS_OF_THE_GATEWAY)
    if attempt.by_hand:
        return said.REFUSED_BY_HAND(error=attempt.code)
    if words and attempt.code:
        return said.REFUSED(error=attempt.code, said=words)
    if words:
        return plain(words)
    if attempt.code:
        return said.REFUSED_UNTOLD(error=attempt.code)
    return said.REFUSED_UNKNOWN()


PAY_ONCE = {"tokn": steps.PAY_TOKEN, "src": steps.PAY_SOURCE}


_COMING_BACK = frozenset(
    one.code for one in (steps.CORRECT, steps.PAY_AGAIN, *PAY_ONCE.values())
)


def pay_again(attempt: Attempt) -> Message:
    """How its payer pays after all: what was spent does not pay twice."""
    return PAY_ONCE.get(kind_of_payer(attempt), steps.PAY_AGAIN)()


def kind_of_payer(attempt: Attempt) -> str:
    """`tokn`, `src`, `cust` or `card`; empty where it is not known: of a charge that the journal
    had lost.
    """
    return attempt.intent.payer.partition("_")[0]


# --- nobody knows, or nothing was sent


def _in_doubt(attempt: Attempt) -> Why:
    """Why nobody knows what became of it, and what a person may do where no run will find out."""
    order_id = attempt.intent.order_id
    if attempt.spent:
        step = steps.SETTLE_DOUBT(order=order_id)
        return (said.IN_DOUBT_SPENT(error=attempt.code), step)
    if attempt.may_be:
        step = steps.SETTLE_UNCLEAR(order=order_id, charge=attempt.may_be)
        return (said.IN_DOUBT_UNCLEAR(charge=attempt.may_be, step=step),)
    if attempt.unshown_in:
        step = steps.SETTLE_DOUBT(order=order_id)
        return (said.IN_DOUBT_ACCOUNT(account=attempt.unshown_in), step)
    words = told(attempt.message, WORDS_OF_THE_GATEWAY)
    if words:
        return (said.IN_DOUBT(said=words),)
    return (said.IN_DOUBT_UNTOLD(),)


def with_what_comes(finding: Finding, doubt_s: str) -> Finding:
    """An order in doubt that a run sees to, with what the run does, and what a person may do.
    `doubt_s`: the seconds of the doubt period, as they are shown.
    """
    if finding.outcome is not Outcome.IN_DOUBT or finding.who_acts != NEXT_RUN:
        return finding
    step = steps.SETTLE_DOUBT(order=finding.order_id)
    comes = said.IN_DOUBT_NEXT(seconds=doubt_s, step=step)
    return replace(finding, reasons=(*finding.reasons, comes))


def _not_charged(attempt: Attempt) -> Message:
    words = told(attempt.message, WORDS_OF_THE_GATEWAY) or attempt.code
    if words:
        return said.HELD(said=words)
    if attempt.doubted:
        return said.HELD_NOT_ARRIVED()
    return said.HELD_NOT_SENT()
