"""REFUND: money given back after a charge, as the gateway shows it, and what is said of it
(fault-matrix J31).

batchpay gives nothing back: a person does, at the gateway, on the day of the charge or long after.
A refund changes no charge's `status`. It raises its `refunded_amount` (before 2019-05-29:
`refunded`), and stands in its own list `refunds` and, by the day it was made, in the account's GET
/refunds (omise-api.md, 3.1, 3.2 and 7.9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from batchpay.domain.events import RefundSeen
from batchpay.domain.model import ChargeSeen, Outcome
from batchpay.domain.money import both_units, money_told
from batchpay.domain.times import day_of, is_instant
from batchpay.lifecycle.attempt import outcome_of, seen
from batchpay.reconciliation.matching import GIVE_BACK, Difference

UNTOLD = "a day that the gateway does not tell"


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund."""

    id: str
    charge_id: str
    amount: int  # smallest unit
    currency: str  # upper case
    made_at: (
        str  # UTC, ISO 8601, by the gateway's clock; whatever else it says where that is no time
    )


@dataclass(frozen=True, slots=True)
class Refunded:
    """One charge of which something was given back, with all of its refunds, of whichever day."""

    charge_id: str
    order_id: str
    currency: str  # upper case
    charged: int | None  # smallest unit; None: neither the gateway nor the journal tells
    charged_at: str  # UTC, ISO 8601
    total: int  # given back in all, smallest unit
    refunds: tuple[Refund, ...]  # those the gateway tells one by one
    counts: bool = False  # it is in the sum of what was charged in the audit's days
    unread: str = ""  # what the charge says of its refunds and cannot be read

    @property
    def left(self) -> int | None:
        """What the payer has not got back, smallest unit."""
        if self.charged is None:
            return None
        return self.charged - self.total

    @property
    def untold(self) -> int:
        """How much of the total no single refund accounts for."""
        return self.total - _sum(self.refunds, self.currency)

    def difference(self, zone: str) -> Difference:
        """What an audit says of it: the same on the day of the charge and on the day of a
        refund.
        """
        told = sentence(self, zone)
        return Difference(
            "refunded",
            self.order_id,
            self.charge_id,
            told,
            self.total,
            self.currency,
            state=self.unread,
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
        )


def refund_of(document: Any) -> Refund | None:
    """A refund object; None for anything else. What of it cannot be read is zero or empty."""
    if (
        not isinstance(document, dict)
        or document.get("object") != "refund"
        or type(document.get("id")) is not str
    ):
        return None
    charge, amount = document.get("charge"), document.get("amount")
    if isinstance(charge, dict):
        charge = charge.get("id")
    return Refund(
        id=document["id"],
        charge_id=charge if isinstance(charge, str) else "",
        amount=amount if type(amount) is int and 0 <= amount < 2**63 else 0,
        currency=str(document.get("currency") or "").upper(),
        made_at=str(document.get("created_at") or document.get("created") or ""),
    )


def speaks_of_refunds(document: Mapping[str, Any]) -> bool:
    """Does a charge say anything else than that nothing of it was given back?"""
    return bool(_said(document) or _embedded(document))


def refunded_of(
    charge_id: str,
    order_id: str,
    document: Mapping[str, Any] | None,
    beside: Iterable[Refund],
    journal: ChargeSeen | None = None,
) -> Refunded | None:
    """A charge with its refunds; None when nothing of it was given back.

    `document`: the charge as the gateway shows it, if it does. `beside`: the refunds of it that
    another list told. `journal`: the charge as we knew it, for what the gateway does not show any
    more.
    """
    shown = document or {}
    found = {
        one.id: one
        for one in (*_embedded(shown), *(one for one in beside if one.charge_id == charge_id))
    }
    charge = (seen(shown)[0] if document else None) or journal
    refunds = tuple(sorted(found.values(), key=lambda one: (one.made_at, one.id)))
    if charge:
        currency = charge.currency.upper()
    elif not refunds:
        currency = ""
    else:
        currency = refunds[0].currency
    said, unread = _said(shown), ""
    if type(said) is not int or not 0 <= said < 2**63:
        said, unread = 0, f"refunded_amount is {said!r:.40}" if said else ""
    total = max(said, _sum(refunds, currency))
    if not (total or refunds or unread):
        return None
    if charge:
        charged, at = (charge.amount, charge.created_at)
    else:
        charged, at = (None, "")
    return Refunded(charge_id, order_id, currency, charged, at, total, refunds, unread=unread)


def counts_as_charged(job: str, document: Mapping[str, Any]) -> bool:
    """Is it one of the job's charges that took money, and so in the sum of what was charged?"""
    charge, _ = seen(document)
    return (
        charge is not None
        and charge.metadata.get("batchpay_job") == job
        and outcome_of(charge) is Outcome.SUCCEEDED
    )


def sentence(one: Refunded, zone: str) -> str:
    """Which refund, of which charge, of which order, on which days of a time zone; every amount
    with its currency.
    """
    charge = f"of charge {one.charge_id}" + (f" of order {one.order_id}" if one.order_id else "")
    whole = both_units(one.total, one.currency)
    if len(one.refunds) == 1 and not one.untold:
        told = f"a refund of {whole} on {_day(one.refunds[0].made_at, zone)} {charge}"
    else:
        each = [
            f"{money_told(r.amount, r.currency)} on {_day(r.made_at, zone)} ({r.id})"
            for r in one.refunds
        ]
        if one.untold:
            each += [f"{money_told(one.untold, one.currency)} on {UNTOLD}"]
        else:
            each += []
        told = f"refunds of {whole} in all {charge}: {', '.join(each)}"
    parts = [told]
    if one.charged is not None and one.left is not None:
        charged = f"{money_told(one.charged, one.currency)} on {_day(one.charged_at, zone)}"
        parts.append(f"charged {charged}, {money_told(one.left, one.currency)} left")
    if one.unread:
        parts += [f"what the charge says of it cannot be read: {one.unread}"]
    else:
        parts += []
    return "; ".join([*parts, f"made at the gateway, not by batchpay (days of {zone})"])


def less_given_back(
    differences: Iterable[Difference], refunded: Sequence[Refunded]
) -> list[Difference]:
    """The same; what was given back already is not asked for again.

    A double that was given back whole is one difference with its refund: a person has one thing to
    take note of.
    """
    given, differences = {one.charge_id: one for one in refunded}, list(differences)
    found = [
        _less(one, given[one.charge_id]) if one.refund_minor and one.charge_id in given else one
        for one in differences
    ]
    told = {one.charge_id for one in found if one.kind == "refunded"}
    done = {
        one.charge_id: one
        for one, left in zip(differences, found, strict=True)
        if one.kind == "double" and not left.refund_minor and one.charge_id in told
    }
    return [
        (
            _was_double(one, done[one.charge_id])
            if one.kind == "refunded" and one.charge_id in done
            else one
        )
        for one in found
        if not (one.kind == "double" and one.charge_id in done)
    ]


def _was_double(refund: Difference, double: Difference) -> Difference:
    return replace(refund, told=f"{_fact(double)}, and this one was given back: {refund.told}")


def _fact(double: Difference) -> str:
    """Why it is a double, without what is asked for."""
    return double.told.partition(GIVE_BACK)[0]


def _less(one: Difference, given: Refunded) -> Difference:
    rest = max(0, one.refund_minor - given.total)
    if rest:
        still = f"{money_told(rest, one.currency)} of it are still to be given back"
    else:
        still = "nothing of it is due any more"
    if rest:
        fact = one.told
    else:
        fact = _fact(one)
    told = f"{fact}; {money_told(given.total, given.currency)} was given back: {still}"
    return replace(one, refund_minor=rest, told=told)


def totals_of(
    gross: Mapping[str, int], refunded: Sequence[Refunded], made: Iterable[tuple[Refunded, Refund]]
) -> dict[str, Totals]:
    """By currency: what was charged in some days, what was given back of that since, what was given
    back in them.
    """
    of_charges, of_days = Counter[str](), Counter[str]()
    for one in refunded:
        if one.counts:
            of_charges[one.currency] += one.total
        else:
            of_charges[one.currency] += 0
    for _, refund in made:
        of_days[refund.currency] += refund.amount
    codes = sorted({*gross, *(+of_charges), *(+of_days)})
    return {code: Totals(gross.get(code, 0), of_charges[code], of_days[code]) for code in codes}


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


def booked_as_refunds(transactions: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """By currency: the debits of the gateway's ledger that come from a refund (omise-api.md,
    7.5).
    """
    booked = Counter[str]()
    for entry in transactions:
        amount = entry.get("amount")
        if (
            entry.get("direction") == "debit"
            and str(entry.get("origin")).startswith("rfnd_")
            and type(amount) is int
        ):
            booked[str(entry.get("currency") or "").upper()] += amount
    return booked


def _said(document: Mapping[str, Any]) -> Any:
    return document.get("refunded_amount", document.get("refunded"))


def _embedded(document: Mapping[str, Any]) -> list[Refund]:
    listed = document.get("refunds")
    if isinstance(listed, dict):
        data = listed.get("data")
    else:
        data = listed
    return [
        one for one in map(refund_of, data if isinstance(data, list) else ()) if one is not None
    ]


def _sum(refunds: Iterable[Refund], currency: str) -> int:
    return sum(refund.amount for refund in refunds if refund.currency == currency)


def day_told(at: str, zone: str) -> str:
    """The day of a time zone in which an instant of the gateway's lies; "" where it is none."""
    if is_instant(at):
        return day_of(datetime.fromisoformat(at), zone).isoformat()
    return ""


def _day(at: str, zone: str) -> str:
    return day_told(at, zone) or UNTOLD
