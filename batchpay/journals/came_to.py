"""What came of each attempt, as reports show it: the table `came_to`, a row per attempt of which
anything is known but that it was sent.

Derived from the events of its order: written with them, made again when a journal is brought to a
new version, and verified. Nothing is decided by it: whoever decides folds the events themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from batchpay.domain.events import (
    Answered,
    Intended,
    OrderCancelled,
    TransferSeen,
    begins,
    charge_alone_in,
    state_of,
)
from batchpay.domain.model import Event, Outcome
from batchpay.journals.asked import MOST
from batchpay.lifecycle.after import is_stuck
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.proof import Proof


class CameTo(NamedTuple):
    """One row, in the order of the table's columns. Money is in smallest units."""

    seq: int  # of the event by which the attempt began, as in `asked`
    # 1: it succeeded, and there is nothing to tell of how; the only one of its order, which nobody
    # cancelled
    plain: int
    state: str  # Attempt.state
    settled_ns: int  # wall clock of the evidence that decided it; 0: nothing did
    charge_id: str
    chain: str
    transfer: str
    code: str  # why it was refused, or failed
    # what the gateway says it took; None: no money of this order moved
    amount: int | None
    currency: str  # of it, upper case
    fee: int | None
    fee_vat: int | None
    net: int | None
    platform_fee: int | None
    funding_amount: int | None
    funding_currency: str  # of it, and of fee, fee_vat and net
    transfer_status: str  # after.Stands; empty: nobody knows
    transfer_amount: int | None
    transfer_fee: int | None
    bank_amount: int | None
    transfer_sent_at: str
    transfer_paid_at: str


COLUMNS = ", ".join(CameTo._fields)
_NO_TRANSFER = ("", None, None, None, "", "")
_SUCCEEDED = Outcome.SUCCEEDED.value


def came_at_once(seq: int, event: Event) -> CameTo | None:
    """What came of an attempt of which nothing was known, by the answer to its only send; None for
    any answer but a charge as it was asked for.
    """
    charge = charge_alone_in(event, Proof.CHARGE)
    if not charge or state_of(event) != _SUCCEEDED or charge.get("failure_code"):
        return None
    # a line has no column for interest
    if (
        charge.get("interest")
        or charge.get("unread_costs")
        or not all(map(_fits, map(charge.get, ("amount", *_MONEY))))
    ):
        return None
    funding_currency = charge.get("funding_currency") or ""
    row: tuple[Any, ...] = (
        seq,
        1,
        _SUCCEEDED,
        event.at_ns,
        charge["id"],
        charge.get("chain") or "",
        charge.get("transfer") or "",
        "",
        _number(charge["amount"]),
        charge["currency"].upper(),
        *_numbers(charge),
        funding_currency,
        *_NO_TRANSFER,
    )
    return CameTo._make(row)


_MONEY = ("fee", "fee_vat", "net", "platform_fee", "funding_amount")


def _numbers(charge: Mapping[str, Any]) -> Iterable[int | None]:
    return (_number(charge.get(name)) for name in _MONEY)


def _number(value: Any) -> int | None:
    """What a column can hold; a gateway may say anything."""
    if type(value) is int and _fits(value):
        return value
    return None


def _fits(value: int | None) -> bool:
    return value is None or -MOST <= value <= MOST


def came_of(events: Sequence[Event]) -> list[CameTo]:
    """The rows of an order, from all of its events; none where no version wrote them so."""
    begun = {
        event.attempt: event.seq for event in events if begins(event.kind, event.send)
    }
    told = {event.attempt for event in events if event.kind != Intended.kind}
    is_cancelled = any(event.kind == OrderCancelled.kind for event in events)
    try:
        attempts = fold(events)
        alone = len(attempts) == 1 and not is_cancelled
        return [
            _came(begun[one.intent.attempt], one, alone=alone)
            for one in attempts
            if one.intent.attempt in told and one.intent.attempt in begun
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _came(seq: int, attempt: Attempt, *, alone: bool) -> CameTo:
    charge = attempt.charge
    code = attempt.code
    if charge is not None:
        code = charge.failure_code or ""
    money = attempt.money
    if money is None:
        numbers: Iterable[int | None] = (None,) * len(_MONEY)
        amount = None
        currency = funding_currency = ""
    else:
        numbers = (_number(getattr(money, name)) for name in _MONEY)
        amount = _number(money.summed)
        currency = money.currency.upper()
        funding_currency = money.funding_currency or ""
    row: tuple[Any, ...] = (
        seq,
        int(alone and _is_plain(attempt)),
        attempt.state,
        attempt.settled_ns,
        charge.id if charge else "",
        (charge.chain if charge else "") or "",
        _transfer_of(attempt),
        code,
        amount,
        currency,
        *numbers,
        funding_currency,
        *_stands(attempt),
    )
    return CameTo._make(row)


def _transfer_of(attempt: Attempt) -> str:
    if attempt.transfer is not None and attempt.money is not None:
        return attempt.transfer.id
    if attempt.charge is None:
        return ""
    return attempt.charge.transfer or ""


def _stands(attempt: Attempt) -> tuple[Any, ...]:
    told = attempt.transfer
    if told is None or attempt.money is None:
        return _NO_TRANSFER
    return _told_of(told)


def _told_of(told: TransferSeen) -> tuple[Any, ...]:
    numbers = map(_number, (told.amount, told.fee, told.net))
    return (told.stands, *numbers, told.sent_at, told.paid_at)


def _is_plain(attempt: Attempt) -> bool:
    """Does its line in a report say nothing but what the columns hold?"""
    if attempt.outcome is not Outcome.SUCCEEDED or attempt.charge is None:
        return False
    how = (
        attempt.adopted,
        attempt.doubted,
        attempt.others,
        attempt.unknown,
        attempt.missing_ns,
        attempt.waits_again,
    )
    said = (
        attempt.accepted,
        attempt.by_hand,
        attempt.called_off,
        attempt.anothers,
    )
    odd = (
        attempt.charge.failure_code,
        attempt.charge.interest or attempt.charge.unread_costs,
        attempt.charge.destination != attempt.intent.destination,
    )
    if not all(_fits(getattr(attempt.charge, name)) for name in ("amount", *_MONEY)):
        return False
    told = attempt.transfer
    stuck = told is not None and _is_stuck(told)
    return not (any(how) or any(said) or any(odd) or stuck)


def _is_stuck(told: TransferSeen) -> bool:
    return bool(told.flaws or told.code or is_stuck(told))


def is_first_send(event: Event) -> bool:
    """Is it the first thing that is known of an order?"""
    return event.kind == Intended.kind and event.attempt == event.send == 1


def answers_first_send(event: Event) -> bool:
    """Is it the answer to that?"""
    return event.kind == Answered.kind and event.attempt == event.send == 1


def came_plainly(
    begun: Sequence[tuple[int, int]], events: Collection[Event]
) -> CameTo | None:
    """What came of an order with one attempt, of which nothing was known but its first send before
    these events; None where that takes a look at all of them. `begun`: number and event of each
    attempt.
    """
    news = [event for event in events if not is_first_send(event)]
    if (
        len(begun) != 1
        or begun[0][0] != 1
        or len(news) != 1
        or not answers_first_send(news[0])
    ):
        return None
    return came_at_once(begun[0][1], news[0])


def came_in_all(events: Sequence[Event]) -> list[CameTo]:
    """`came_of`; of an order that was sent once and answered as it should, and of which since then
    nothing was seen but where its share is, without folding.
    """
    came = None
    if len(events) > 2 and is_first_send(events[0]):
        came = _came_with_share(events)
    if came is not None:
        return [came]
    return came_of(events)


def _came_with_share(events: Sequence[Event]) -> CameTo | None:
    later = events[2:]
    if any(one.kind != TransferSeen.kind or one.attempt != 1 for one in later):
        return None
    came = came_plainly([(1, events[0].seq)], events[1:2])
    if came is None:
        return None
    try:
        told = TransferSeen.read(later[-1])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return _with_share(came, told)


def _with_share(came: CameTo, told: TransferSeen) -> CameTo:
    at = CameTo._fields.index("transfer_status")
    row = came[:at] + _told_of(told)
    return CameTo._make(row)._replace(transfer=told.id, plain=int(not _is_stuck(told)))
