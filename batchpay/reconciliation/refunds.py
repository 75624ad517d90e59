"""REFUND: money given back after a charge, as the gateway shows it, and what is said of it
(docs/faults.md, J31).

batchpay gives nothing back: a person does, at the gateway, on the day of the charge or long after.
A refund changes no charge's `status`. It raises its `refunded_amount` (before 2019-05-29:
`refunded`), and stands in its own list `refunds` and, by the day it was made, in the account's GET
/refunds (docs/gateway.md, 3.1, 3.2 and 7.9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from batchpay.domain.books import Booked, Refund, Transaction
from batchpay.domain.events import RefundSeen
from batchpay.domain.model import ChargeSeen
from batchpay.domain.money import both_units, money_told
from batchpay.domain.text import told as shown_as
from batchpay.domain.times import day_told
from batchpay.reconciliation.matching import Difference

UNTOLD = "a day that the gateway does not tell"


@dataclass(frozen=True, slots=True)
class Refunded:
    """One charge of which something was given back, with all of its refunds, of whichever day."""

    charge_id: str
    order_id: str
    currency: str  # upper case
    # smallest unit; None: neither the gateway nor the journal tells
    charged: int | None
    charged_at: str  # UTC, ISO 8601
    total: int  # given back in all, smallest unit
    refunds: tuple[Refund, ...]  # those the gateway tells one by one
    counts: bool = False  # it is in the sum of what was charged in the audit's days
    unread: str = ""  # what the charge says of its refunds and cannot be read
    # what is told of its refunds and cannot be true beside it; in no sum
    contradicts: str = ""
    disbelieved: frozenset[str] = frozenset()  # ids of the refunds that this is about

    @property
    def believed(self) -> tuple[Refund, ...]:
        """Those of its refunds that can be true."""
        return tuple(one for one in self.refunds if one.id not in self.disbelieved)

    @property
    def left(self) -> int | None:
        """What the payer has not got back, smallest unit."""
        if self.charged is None:
            return None
        return max(0, self.charged - self.total)

    @property
    def untold(self) -> int:
        """How much of the total no single refund accounts for."""
        return self.total - _sum(self.believed, self.currency)

    def difference(self, zone: str) -> Difference:
        """What an audit says of it: the same on the day of the charge and on the day of a
        refund.
        """
        return Difference(
            "refunded",
            self.order_id,
            self.charge_id,
            sentence(self, zone),
            self.total,
            self.currency,
            state="; ".join(filter(None, (self.unread, self.contradicts))),
        )

    def as_told(self, zone: str) -> RefundSeen:
        """What the journal keeps of it."""
        return RefundSeen(
            order=self.order_id,
            charge_id=self.charge_id,
            currency=self.currency,
            total=self.total,
            charged=self.charged,
            refunds=tuple(asdict(refund) for refund in self.refunds),
            told=sentence(self, zone),
            contradicts=self.contradicts,
        )


def refunded_of(
    charge_id: str,
    order_id: str,
    booked: Booked | None,
    beside: Iterable[Refund],
    journal: ChargeSeen | None = None,
) -> Refunded | None:
    """A charge with its refunds; None when nothing of it was given back.

    `booked`: the charge as the gateway shows it, if it does. `beside`: the refunds of it that
    another list told. `journal`: the charge as we knew it, for what the gateway does not show any
    more.
    """
    shown = booked or Booked(charge_id)
    of_charge = [refund for refund in beside if refund.charge_id == charge_id]
    found = {refund.id: refund for refund in (*shown.refunds, *of_charge)}
    refunds = tuple(sorted(found.values(), key=lambda one: (one.made_at, one.id)))
    charge = shown.charge or journal
    currency = ""
    if charge:
        currency = charge.currency.upper()
    elif refunds:
        currency = refunds[0].currency
    charged, most, at = None, None, ""
    if charge is not None:
        charged, most, at = charge.taken, charge.most_given_back, charge.created_at
    odd = _disbelieved(refunds, currency, most)
    total = _sum((one for one in refunds if one not in odd), currency)
    told = [shown_as(f"{_money(one)} ({one.id})") for one in odd]
    if most is not None and shown.refunded > most:
        told.append(f"{money_told(shown.refunded, currency)} in all")
    else:
        total = max(shown.refunded, total)
    if not (total or refunds or shown.unread or told):
        return None
    return Refunded(
        charge_id,
        order_id,
        currency,
        charged,
        at,
        total,
        refunds,
        unread=shown.unread,
        contradicts=", ".join(told),
        disbelieved=frozenset(one.id for one in odd),
    )


def _disbelieved(
    refunds: Sequence[Refund], currency: str, most: int | None
) -> list[Refund]:
    """Those that cannot be of a charge: in another currency, or of more than the most that can
    have been given back of it; all of them where they are more together.
    """
    odd = [
        one
        for one in refunds
        if (one.amount and one.currency not in ("", currency))
        or (most is not None and one.amount > most)
    ]
    rest = [one for one in refunds if one not in odd]
    if most is not None and _sum(rest, currency) > most:
        return [*odd, *rest]
    return odd


# --- told


def sentence(one: Refunded, zone: str) -> str:
    """Which refund, of which charge, of which order, on which days of a time zone; every amount
    with its currency.
    """
    parts = [_of_refunds(one, zone)]
    if one.charged is not None and one.left is not None:
        charged = money_told(one.charged, one.currency)
        left = money_told(one.left, one.currency)
        parts.append(f"charged {charged} on {_day(one.charged_at, zone)}, {left} left")
    if one.contradicts:
        parts.append(
            f"what is told cannot be true beside the charge, and is in no sum: {one.contradicts}"
        )
    if one.unread:
        parts.append(f"what the charge says of it cannot be read: {one.unread}")
    parts.append(f"made at the gateway, not by batchpay (days of {zone})")
    return "; ".join(parts)


def _of_refunds(one: Refunded, zone: str) -> str:
    charge = f"of charge {one.charge_id}"
    if one.order_id:
        charge = f"of charge {one.charge_id} of order {one.order_id}"
    whole = both_units(one.total, one.currency)
    if len(one.believed) == 1 and not one.untold:
        return f"a refund of {whole} on {_day(one.believed[0].made_at, zone)} {charge}"
    each = []
    for refund in one.believed:
        amount = money_told(refund.amount, refund.currency)
        each.append(f"{amount} on {_day(refund.made_at, zone)} ({refund.id})")
    if one.untold:
        each.append(f"{money_told(one.untold, one.currency)} on {UNTOLD}")
    if not each and one.contradicts:
        return f"refunds {charge}"
    return f"refunds of {whole} in all {charge}: {', '.join(each)}"


# --- sums


def totals_of(
    gross: Mapping[str, int],
    refunded: Sequence[Refunded],
    made: Iterable[tuple[Refunded, Refund]],
) -> dict[str, Totals]:
    """By currency: what was charged in some days, what was given back of that since, what was given
    back in them.
    """
    of_charges = Counter[str]()
    of_days = Counter[str]()
    for one in refunded:
        if one.counts:
            of_charges[one.currency] += one.total
    for _, refund in made:
        of_days[refund.currency] += refund.amount
    codes = sorted({*gross, *(+of_charges), *(+of_days)})
    return {
        code: Totals(gross.get(code, 0), of_charges[code], of_days[code])
        for code in codes
    }


@dataclass(frozen=True, slots=True)
class Totals:
    """One currency of some days, smallest unit."""

    gross: int  # charged in these days
    refunded: int  # given back of that, on whichever day
    made: int  # given back in these days, of whichever charge

    @property
    def left(self) -> int:
        """What is left of what was charged in these days."""
        return self.gross - self.refunded


def booked_as_refunds(transactions: Iterable[Transaction]) -> Counter[str]:
    """By currency: the debits of the gateway's ledger that come from a refund (docs/gateway.md,
    7.5).
    """
    booked = Counter[str]()
    for entry in transactions:
        is_refund = entry.direction == "debit" and entry.origin.startswith("rfnd_")
        if is_refund and isinstance(entry.amount, int):
            booked[entry.currency.upper()] += entry.amount
    return booked


# --- parts


def _money(refund: Refund) -> str:
    return money_told(refund.amount, refund.currency)


def _sum(refunds: Iterable[Refund], currency: str) -> int:
    return sum(refund.amount for refund in refunds if refund.currency == currency)


def _day(at: str, zone: str) -> str:
    return day_told(at, zone) or UNTOLD
