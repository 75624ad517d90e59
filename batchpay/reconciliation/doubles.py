"""DOUBLES: sales that were charged more than once, by this job or beside another one, and what of
that is still too much (docs/faults.md, B31, J06 and J31).

What was given back counts wherever it was: a person may have refunded another charge of the sale
than the one that would have been named here, or a part of each (`paid.Paid.too_much`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from batchpay.domain.books import Booked
from batchpay.domain.model import ChargeSeen
from batchpay.domain.money import money_text, money_told
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.elsewhere import asked_of, charged_beside
from batchpay.lifecycle.keys import place_in
from batchpay.lifecycle.paid import Charged, Paid, paid_by, takes_of
from batchpay.reconciliation.matching import (
    Attempts,
    Difference,
    Several,
    difference_about,
)

Given = Mapping[str, int]
"""Charge id -> what was given back of it in all, smallest unit, where anything was."""


# --- of one job


def with_doubles(
    several: Mapping[str, Several], given: Given, refunds: Sequence[Difference]
) -> Iterator[Difference]:
    """What is told of given back money, and of what still is to be. `refunds`: what is told of each
    charge of which something was given back.

    Where nothing of an order is too much any more its refunds tell so: a person has one thing to
    take note of.
    """
    over: dict[str, Paid] = {}
    for order_id, one in several.items():
        paid = one.paid.less(given)
        asked = paid.too_much
        yield from _doubles(order_id, paid, asked)
        if not asked and not any(charge.back for charge in paid.charges):
            yield from one.twins
        elif not asked:
            over.update(dict.fromkeys((charge.id for charge in paid.charges), paid))
    for refund in refunds:
        settled = over.get(refund.charge_id)
        if settled is None:
            yield refund
        else:
            yield _settled(refund, settled)


def _doubles(
    order_id: str, paid: Paid, asked: Mapping[str, int]
) -> Iterator[Difference]:
    for charge in paid.charges:
        back = asked.get(charge.id)
        if back:
            told = f"{_too(charge, paid)}: {_wanted(charge, paid, back)}"
            state = _other(charge, paid).id
            double = difference_about(charge, "double", order_id, told, state)
            yield replace(double, refund_minor=back)


def _settled(refund: Difference, paid: Paid) -> Difference:
    charge = next(one for one in paid.charges if one.id == refund.charge_id)
    what = "what was too much"
    if charge.given_back:
        what = "this one"
    told = f"{_too(charge, paid)}, and {what} was given back: {refund.told}"
    return replace(refund, told=told)


def _too(charge: ChargeSeen, paid: Paid) -> str:
    return f"the order was charged by {_other(charge, paid).id} too"


def _other(charge: ChargeSeen, paid: Paid) -> ChargeSeen:
    """Beside which a charge is one too many: the one that stays."""
    return next(one for one in paid.charges if one.id != charge.id)


def _wanted(charge: ChargeSeen, paid: Paid, back: int) -> str:
    money = money_told(back, charge.currency.upper())
    before = _given_back(paid)
    if before:
        return f"{before}, {money} of this one are still to be given back"
    if back == charge.taken:
        return "give this one back"
    return f"give {money} of this one back"


def _given_back(paid: Paid) -> str:
    """Empty: nothing was."""
    back = sum(one.back for one in paid.in_currency)
    if not back:
        return ""
    return f"{money_told(back, paid.currency)} of its charges was given back"


# --- beside another job


def is_elsewhere(job: str, charge: ChargeSeen | None) -> bool:
    """Is it a charge that another job made, of an order that it names?"""
    if charge is None or not charge.metadata.get("order_id"):
        return False
    if not charge.metadata.get("batchpay_job"):
        return False
    return place_in(job, charge.metadata) is None


def match_elsewhere(
    named: Mapping[str, Sequence[str]],
    ours: Attempts,
    charges: Sequence[Booked],
    given: Given,
) -> Iterator[Difference]:
    """Charges that another job made of our very sales, beside ours (J06): for the payer and amount
    that one ever asked for, whoever was to get it; for the recipient, where the payer is not known
    (terms.Asked.may_be_sale_of).

    `named`: charge id of another job -> the order ids here by which its sale may be known. Which of
    the two is to be given back is for a person: the other job's audit tells the same.
    """
    shown = {one.charge.id: one.charge for one in charges if one.charge is not None}
    of_orders: dict[str, list[ChargeSeen]] = defaultdict(list)
    for charge_id, order_ids in named.items():
        for order_id in order_ids:
            of_orders[order_id].append(shown[charge_id])
    told = set()
    for order_id, theirs in of_orders.items():
        attempts = ours.get(order_id, ())
        others = [one for one in theirs if _is_of_sale(one, attempts)]
        for charge, beside, what in _pairs(others, attempts, shown, given):
            if (charge.id, beside.id) not in told:
                told.add((charge.id, beside.id))
                yield _beside_elsewhere(charge, beside, order_id, what)


def _is_of_sale(charge: ChargeSeen, attempts: Sequence[Attempt]) -> bool:
    if not charge.takes_money:
        return False
    return next(charged_beside(asked_of(charge), attempts), None) is not None


def _pairs(
    others: Sequence[ChargeSeen],
    attempts: Sequence[Attempt],
    shown: Mapping[str, ChargeSeen],
    given: Given,
) -> Iterator[tuple[ChargeSeen, ChargeSeen, str]]:
    """Each charge of another job of which something is left, one beside which it is too many, and
    what is to be given back: one of this job, or of yet another where nothing is left of these.
    """
    mine: list[Charged] = []
    for attempt in attempts:
        mine += [(shown.get(one.id, one), attempt) for one in takes_of(attempt)]
    if not others or not mine:
        return
    paid = paid_by([*((one, None) for one in others), *mine]).less(given)
    asked = paid.too_much
    left = {one.id for one in paid.charges if one.left}
    its_own = [one for one, _ in mine if one.id in left]
    for charge in others:
        if asked and charge.id in left:
            what = _of_two(paid)
            for beside in its_own or others:
                if beside.id in left and beside is not charge:
                    yield charge, beside, what


def _of_two(paid: Paid) -> str:
    before = _given_back(paid)
    if not before:
        return "give one of the two back"
    return f"{before}, {money_text(paid.rest)} are still to be given back"


def _beside_elsewhere(
    charge: ChargeSeen, beside: ChargeSeen, order_id: str, what: str
) -> Difference:
    other = charge.metadata["batchpay_job"]
    told = f"job {other} charged the same order, which {beside.id} charged too: {what}"
    return difference_about(charge, "charged-by-another-job", order_id, told, beside.id)
