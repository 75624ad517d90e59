"""PAID: which charges of an order's attempts took its money, how much of that is too much, and what
stands beside what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from batchpay.domain.model import ChargeSeen, Intent
from batchpay.lifecycle.attempt import Attempt
from batchpay.messages import steps
from batchpay.messages.message import Message


def beside(attempt: Attempt, attempts: Sequence[Attempt]) -> Attempt | None:
    """Another attempt of the same order that is not closed: it has its money, may have, or may yet
    take it. Beside that, this one is never sent again.
    """
    return next(
        (other for other in attempts if other is not attempt and not other.closed), None
    )


def money_charges(attempts: Iterable[Attempt]) -> list[str]:
    """Ids of every charge of an order that took money or may yet: more than one breaks the first
    promise. One that an attempt was merely told of may be any other's.
    """
    ids: dict[str, None] = {}
    for attempt in attempts:
        for charge in takes_of(attempt):
            if charge is not attempt.charge or charge.id in attempt.twins:
                ids[charge.id] = None
    return list(ids)


def takes_of(attempt: Attempt) -> tuple[ChargeSeen, ...]:
    """Every charge of an attempt that took money of its order, or may yet."""
    others = tuple(one.charge for one in attempt.others if one.charge.takes_money)
    charge = attempt.charge
    if charge is None or attempt.anothers or not charge.takes_money:
        return others
    return (charge, *others)


def money_of(attempt: Attempt) -> tuple[ChargeSeen, ...]:
    """Every charge of an attempt that took money of its order, whether or not it was given back."""
    charge = attempt.charge
    if charge is None or attempt.anothers or not charge.took_money:
        return attempt.further
    return (charge, *attempt.further)


def beside_gone(attempt: Attempt) -> ChargeSeen | None:
    """Of the charges of an attempt that lost one, another that took money, or may: the gateway
    shows it.
    """
    if not attempt.gone or attempt.charge is None:
        return None
    own = (attempt.charge, *(one.charge for one in attempt.others))
    shown = (one for one in own if one.takes_money and one not in attempt.gone)
    return next(shown, None)


def settle_gone(attempt: Attempt, charge_id: str) -> Message:
    """What a person says of a charge that is gone; beside one that the gateway shows, that this one
    is the order's.
    """
    order_id = attempt.intent.order_id
    shown = beside_gone(attempt)
    if shown is not None:
        return steps.ACCEPT(order=order_id, charge=shown.id)
    return steps.SETTLE_GONE(order=order_id, charge=charge_id)


# --- charged more than once


@dataclass(frozen=True, slots=True)
class Paid:
    """The charges that took the money of one sale, and what it should have paid in all; smallest
    unit.
    """

    charges: tuple[ChargeSeen, ...]  # the one that stays first
    due: int
    currency: str  # of what is due, upper case

    @property
    def too_much(self) -> dict[str, int]:
        """Charge id -> what of it is to be given back. In all it is what they took, less what was
        given back of any of them, less what is due.

        One of which a part was given back already goes first, the one that stays last. What is in
        another currency is too much only where all that is due is paid without it.
        """
        rest = sum(map(_left, self.in_currency)) - self.due
        if rest < 0:
            return {}
        found = {}
        last_first = reversed(self.charges)
        for one in sorted(last_first, key=_is_whole):
            back = _left(one)
            if one in self.in_currency:
                back = min(back, rest)
                rest -= back
            if back:
                found[one.id] = back
        return found

    @property
    def rest(self) -> dict[str, int]:
        """Currency -> how much that is in all."""
        found = Counter[str]()
        asked = self.too_much
        for one in self.charges:
            found[one.currency.upper()] += asked.get(one.id, 0)
        return dict(+found)

    @property
    def in_currency(self) -> list[ChargeSeen]:
        """Those in the currency of what is due."""
        return [one for one in self.charges if one.currency.upper() == self.currency]

    def less(self, given: Mapping[str, int]) -> Paid:
        """The same; `given`: charge id -> what was given back of it, where that is known better."""
        charges = (
            replace(one, refunded=given.get(one.id, one.refunded))
            for one in self.charges
        )
        return replace(self, charges=tuple(charges))


def _left(charge: ChargeSeen) -> int:
    """Of one that is `_read`."""
    return charge.left or 0


def _is_whole(charge: ChargeSeen) -> bool:
    return charge.left == charge.taken


Charged = tuple[ChargeSeen, Attempt | None]
"""A charge, and the attempt that it is of, as far as that is known."""


def paid_by(charged: Iterable[Charged]) -> Paid:
    """What the charges of one sale come to: one at least, those of later attempts later.

    What the last attempt asked for is due, for its sale may have been corrected before it; where a
    charge of no known attempt asked for more, that. The charge that stays is one that was asked for
    so; of these the one that is reported; of these the first. One that tells nobody how much it
    took is taken to have taken what was due.
    """
    each = list({charge.id: (charge, of) for charge, of in charged}.values())
    last = next((of.intent for _, of in reversed(each) if of is not None), None)
    stays, of = max(each, key=partial(_fits, last))
    due = stays.amount
    if of is not None and last is not None and _is_in(stays, last):
        due = last.amount
    currency = stays.currency.upper()
    others = (charge for charge, _ in each if charge is not stays)
    charges = (_read(charge, due, currency) for charge in (stays, *others))
    return Paid(tuple(charges), due, currency)


def _fits(last: Intent | None, charged: Charged) -> tuple[int, bool, int]:
    """How well one pays what is due."""
    charge, of = charged
    if of is None or last is None:
        is_more = last is None or (charge.amount > last.amount and _is_in(charge, last))
        return 2 * is_more, False, charge.amount
    as_due = _is_in(charge, last) and _terms(of.intent) == _terms(last)
    is_reported = of.charge is not None and of.charge.id == charge.id
    return int(as_due), is_reported, charge.amount


def _terms(intent: Intent) -> tuple[str, int, str]:
    return intent.destination, intent.amount, intent.currency


def _is_in(charge: ChargeSeen, intent: Intent) -> bool:
    """Is it in the currency that was asked for?"""
    return charge.currency.upper() == intent.currency.upper()


def _read(charge: ChargeSeen, due: int, currency: str) -> ChargeSeen:
    if charge.taken is not None:
        return charge
    read = replace(charge, unread_fields=(), captured=None)
    if "amount" in charge.unread_fields:
        return replace(read, amount=due, currency=currency)
    return read


def charged_by(attempts: Iterable[Attempt]) -> list[Charged]:
    """Every charge of some attempts that took money, with its attempt."""
    return [(charge, attempt) for attempt in attempts for charge in money_of(attempt)]


def doubled(attempt: Attempt) -> bool:
    """Did several of its charges take money, is some of that too much, and did no person take note
    of it?
    """
    charged = charged_by((attempt,))
    if attempt.accepted or len(charged) < 2:
        return False
    return bool(paid_by(charged).too_much)


def paid_apart(attempts: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """The attempts of an order that have its money, where several took some and it is too much: a
    person gives that back, which a later look at it shows, or says that it stays so.
    """
    paid = [attempt for attempt in attempts if money_of(attempt)]
    if len(paid) < 2 or not paid_by(charged_by(paid)).too_much:
        return ()
    return tuple(
        one for one in paid if any(charge.left != 0 for charge in money_of(one))
    )
