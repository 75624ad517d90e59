"""AFTER THE CHARGE: where a recipient's share is, whether it is the right one, and when the gateway
is asked about it again.

A charge that succeeded has a chain, at whose end is one transfer (docs/gateway.md, 2.5):

    charge - commission  = transfer
    transfer - its fee   = what the recipient's bank gets

Nothing here decides whether an order may be sent: that its share failed to arrive is no reason to
charge its payer again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from batchpay.domain.books import Happened, Transfer
from batchpay.domain.events import TransferSeen
from batchpay.domain.model import NO_MONEY, OnItsWay, Outcome
from batchpay.domain.money import money_told
from batchpay.lifecycle.attempt import Attempt

DAY_NS = 86_400 * 10**9
FOLLOWED_NS = 35 * DAY_NS  # what is not over by then is asked for by a person
WIDER = 5  # each gap is a quarter of the age before it: 1 day, 1.25, 1.56 ...
NARROWER = 4
PENDING = "pending"  # a status, in the gateway's word


class Stands(StrEnum):
    """Where a transfer is."""

    CREATED = "created"  # the gateway will send it
    SENT = "sent"  # the bank has it
    PAID = "paid"  # the bank says that it arrived
    FAILED = "failed"  # it came back, or was never sent; the gateway may try again
    DELETED = "deleted"  # somebody took it back before it was sent


OVER = frozenset({Stands.PAID, Stands.DELETED})  # nothing moves any more
# nothing moves by itself: a batch with no other rows is final
ENDED = OVER | {Stands.FAILED}
FOR_A_PERSON = frozenset({Stands.FAILED, Stands.DELETED})
OUT = frozenset({Stands.SENT, Stands.PAID})  # the gateway has it no more
# of which the bank gets something, or has got it
ARRIVES = frozenset(Stands) - FOR_A_PERSON


def stands_of(transfer: Transfer) -> Stands:
    """By its flags, the last one first: a transfer that arrived is no failure, whatever was before
    (docs/gateway.md, 7.1).
    """
    if transfer.deleted:
        return Stands.DELETED
    if transfer.paid:
        return Stands.PAID
    if transfer.failure_code:
        return Stands.FAILED
    if transfer.sent:
        return Stands.SENT
    return Stands.CREATED


def is_stuck(told: TransferSeen | None) -> bool:
    """Does it not arrive, unless a person sees to it?"""
    return told is not None and told.stands in FOR_A_PERSON


def too_much(stands: str, amount: int | None, left: int) -> int:
    """How much more the recipient gets, or has, than is left of the charge, smallest unit, by a
    transfer that nothing keeps from arriving. `left`: what was not given back of what was charged.
    """
    if not stands or stands in FOR_A_PERSON or amount is None:
        return 0
    return max(0, amount - left)


def goes_in_vain(attempt: Attempt) -> bool:
    """Is a charge reversed, or ended without money, since, whose recipient gets its share?"""
    told = attempt.transfer
    if told is None or attempt.outcome not in NO_MONEY:
        return False
    return too_much(told.stands, told.amount, left=0) > 0


def is_out_in_vain(attempt: Attempt) -> bool:
    """The same where the bank has it, or had: then it is to be settled with the recipient first."""
    told = attempt.transfer
    return told is not None and told.stands in OUT and goes_in_vain(attempt)


def wants_a_word(attempt: Attempt) -> bool:
    """Is it paid as it was asked or as a person took it, does its recipient's share not arrive, and
    did nobody say that it is seen to?
    """
    is_settled = attempt.outcome is Outcome.SUCCEEDED or bool(attempt.accepted)
    has_money = is_settled and attempt.money is not None
    return has_money and is_stuck(attempt.transfer) and not attempt.share_left


def seen(transfer: Transfer, attempt: Attempt) -> TransferSeen:
    """What the journal keeps of a transfer, held against the charge that it is of."""
    return TransferSeen(
        id=transfer.id,
        stands=stands_of(transfer).value,
        amount=transfer.amount,
        currency=transfer.currency.upper(),
        fee=transfer.fee,
        net=transfer.net,
        sent_at=transfer.sent_at,
        paid_at=transfer.paid_at,
        code=transfer.failure_code,
        message=transfer.failure_message,
        flaws=tuple(_flaws(transfer, attempt)),
    )


def _flaws(transfer: Transfer, attempt: Attempt) -> Iterable[str]:
    """How it differs from the recipient's share, in words; what nobody knows is no difference."""
    asked = attempt.intent
    currency = asked.currency.upper()
    if transfer.recipient and transfer.recipient != asked.destination:
        yield f"it goes to {transfer.recipient}, not to {asked.destination}"
    if transfer.currency and transfer.currency.upper() != currency:
        yield f"it is in {transfer.currency.upper()}, the charge in {currency}"
        return
    yield from (f"its {one}" for one in transfer.unread)
    share = share_of(attempt)
    amount = transfer.amount
    if amount is None or share is None:
        return
    if amount != share:
        yield f"it is {money_told(amount, currency)}, the share {money_told(share, currency)}"
    if transfer.fee is None or transfer.net is None:
        return
    # what is left may be below zero: a share may be smaller than its fee
    if amount - transfer.fee != transfer.net or transfer.fee < 0:
        bank = money_told(transfer.net, currency)
        fee = money_told(transfer.fee, currency)
        yield f"the bank gets {bank} of it, and its fee is {fee}"


def share_of(attempt: Attempt) -> int | None:
    """What the recipient gets of a charge, smallest unit: its amount less the commission
    (docs/gateway.md, 2.5), which is none where none was asked and none is told. None: nobody knows,
    or nothing proves that it is split at all.
    """
    asked = attempt.intent
    charge = attempt.charge
    if (
        charge is None
        or charge.destination != asked.destination
        or charge.chain is None
    ):
        return None
    if any(name in charge.unread_fields for name in _COMMISSION):
        return None
    with_fee = asked.fee_fixed is not None or asked.fee_percentage is not None
    return share(charge.taken, charge.platform_fee, with_fee=with_fee)


_COMMISSION = ("platform_fee", "platform_fee[amount]")


def share(taken: int | None, commission: int | None, *, with_fee: bool) -> int | None:
    """The same of what a charge took. `with_fee`: was a commission asked for? Below zero is no
    share.
    """
    if taken is None or (commission is None and with_fee):
        return None
    left = taken - (commission or 0)
    return left if left >= 0 else None


def earns(attempt: Attempt) -> bool:
    """Is there a share of it, wherever that is? What is not as it was asked has one where the
    gateway tells of it.
    """
    if attempt.outcome is Outcome.UNPROVEN and attempt.money is not None:
        return attempt.transfer is not None or share_of(attempt) is not None
    return attempt.outcome is Outcome.SUCCEEDED


# --- what the gateway's events tell of a charge

# each of them is told where a charge became what it is said to be
BECAME = frozenset(
    {"charge.create", "charge.complete", "charge.expire", "charge.reverse"}
)


def may_differ(told: Sequence[Happened], charge_id: str, attempt: Attempt) -> bool:
    """May a charge be otherwise than the journal says, by the events that name it, oldest first?

    An event is a hint to read the charge again by its id, and never more. Of the one whose charge
    became what the journal has, there is nothing to read.
    """
    known = _status_of(charge_id, attempt)
    if not known or charge_id in attempt.unknown:
        return True
    # that it was pending before is no news, where something is told of it since
    since = [one for one in told[:-1] if one.status != PENDING]
    return any(_says_otherwise(one, known) for one in (*since, *told[-1:]))


def _says_otherwise(one: Happened, known: str) -> bool:
    if one.key not in BECAME:
        return True
    # that it was made is told in its own night, by its answer and the lists
    is_its_begin = one.key == "charge.create" and not one.status
    return one.status != known and not is_its_begin


def _status_of(charge_id: str, attempt: Attempt) -> str:
    """Of one of its charges, in the gateway's word; empty: nobody knows."""
    charges = [one.charge for one in attempt.others]
    if attempt.charge is not None:
        charges.append(attempt.charge)
    return next((one.status for one in charges if one.id == charge_id), "")


# --- when is asked about it


def is_followed(one: OnItsWay, now_ns: int) -> bool:
    """Is it still asked about?"""
    return now_ns - one.begun_ns < FOLLOWED_NS


def is_due(made_ns: int, asked_ns: int, now_ns: int) -> bool:
    """Is it time to ask again, on a schedule that widens: each run of the first day, then when so
    much more time has passed as its last quarter of age?

    `asked_ns`: when all that was due had been asked, last; 0: never. All UTC nanoseconds.

    >>> [is_due(0, hour * DAY_NS // 24, (hour + 1) * DAY_NS // 24) for hour in (2, 22, 24, 29)]
    [True, True, False, True]
    """
    if now_ns - made_ns < DAY_NS or not asked_ns:
        return True
    at_ns = DAY_NS
    while made_ns + at_ns <= asked_ns:
        at_ns = at_ns * WIDER // NARROWER
    return made_ns + at_ns <= now_ns


def left_open(
    ways: Sequence[OnItsWay], now_ns: int, at_most: int
) -> tuple[int, tuple[str, ...]]:
    """Where the next run begins to look, and the orders of before that it must ask about all the
    same: the oldest `at_most`, so that neither is a list of everything.
    """
    open_now = sorted(
        (one for one in ways if is_followed(one, now_ns)), key=lambda one: one.begun_ns
    )
    since_ns = now_ns
    if len(open_now) > at_most:
        since_ns = open_now[at_most].begun_ns
    older = (one.order_id for one in open_now[:at_most])
    return since_ns, tuple(dict.fromkeys(older))
