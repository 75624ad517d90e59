"""EVIDENCE: does what is told of an attempt say anything new, and does it break a promise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from operator import attrgetter

from batchpay.domain.model import ChargeSeen, Outcome
from batchpay.domain.ports import Journal
from batchpay.lifecycle.attempt import Attempt, impossible
from batchpay.lifecycle.charge import could_be
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.paid import money_charges, money_of
from batchpay.messages import nights as said

NO_ANSWER = "a request without an answer"


def is_known_already(attempt: Attempt, charge: ChargeSeen) -> bool:
    """Is this to the letter the one charge that proved the attempt? The usual case, told without
    folding anything.
    """
    plain = not (
        attempt.flaws
        or attempt.unproven_sends
        or attempt.refused
        or attempt.missing_ns
        or attempt.odd
        or attempt.untold
        or attempt.unshown_in
    )
    return plain and attempt.charge == charge and attempt.twins == {charge.id}


def is_claimed(journal: Journal, job: str, charge_id: str) -> bool:
    """Does an attempt that a charge was told of hold it as its own? Two answers may have been
    exchanged: what one was merely told, and did not ask for, may be any other's.
    """
    known = journal.order_of_charge(charge_id)
    if known is None:
        return False
    of_job, order_id, number = known
    if of_job != job:
        return True
    attempts = fold(journal.histories([order_id]).get(order_id, []))
    told = next((one for one in attempts if one.intent.attempt == number), None)
    return told is None or _has_as_its_own(told, charge_id)


def _has_as_its_own(attempt: Attempt, charge_id: str) -> bool:
    charge = attempt.charge
    if charge_id in attempt.twins:
        return True
    if charge is None or charge.id != charge_id:
        return False
    is_taken = not attempt.flaws or bool(attempt.accepted or attempt.by_hand)
    return is_taken or could_be(charge, attempt.intent)


def looks(charge: ChargeSeen) -> int:
    """A number that is the same for charges that are the same to the letter, and for no others that
    anybody will ever see: it is kept of each charge of a run, where the charges would not fit.
    """
    return hash(repr(_values_of(charge)))


_values_of = attrgetter(*(one.name for one in fields(ChargeSeen)))


def is_refund(before: Attempt, after: Attempt) -> bool:
    """Was something given back since? Where an order was charged twice that may end it; else an
    audit tells it.
    """
    if not before.charge or not after.charge:
        return False
    return before.charge.refunded != after.charge.refunded


def is_same(before: Attempt, after: Attempt) -> bool:
    """Does a look-up say what was known already?"""
    return _evidence(before) == _evidence(after)


def _evidence(attempt: Attempt) -> tuple[object, ...]:
    charge = attempt.charge
    others = [_of_other(one.charge, one.flaws) for one in attempt.others]
    terms: tuple[object, ...] | None = None
    refunded: int | None = None
    if charge is not None:
        terms = (
            charge.id,
            charge.status,
            charge.chain,
            charge.amount,
            charge.currency,
            charge.destination,
            charge.livemode,
        )
        if others:  # of a lone charge an audit tells it
            refunded = charge.refunded
    return (
        attempt.outcome,
        attempt.twins,
        attempt.flaws,
        attempt.reread,
        attempt.missing_ns,
        attempt.unknown,
        attempt.untold,
        attempt.unshown_in,
        attempt.odd,
        terms,
        others,
        refunded,
    )


def _of_other(charge: ChargeSeen, flaws: tuple[str, ...]) -> tuple[object, ...]:
    return charge.id, charge.status, charge.refunded, flaws


def why_stop(
    others: Sequence[Attempt],
    before: Attempt | None,
    after: Attempt,
    *,
    by_hand: bool,
) -> str:
    """Does this evidence break a promise, or contradict what was proven (law L10)? A person may
    contradict.

    `others`: the attempts beside it (Case.others). Empty: it does not.
    """
    order = after.intent.order_id
    if _is_newly_unproven(before, after):
        charge = _named(after, "a charge")
        why = after.why_unproven
        return str(said.STOP_UNPROVEN(order=order, charge=charge, why=why))
    if len(after.twins) > 1 and (before is None or not after.twins <= before.twins):
        twins = ", ".join(sorted(after.twins))
        return str(said.STOP_ONE_KEY(order=order, charges=twins))
    both = _took_money(after)
    if len(both) > 1 and (before is None or not both <= _took_money(before)):
        ids = ", ".join(sorted(both))
        return str(said.STOP_BOTH_PAID(order=order, charges=ids))
    if before is not None and not by_hand and _contradicts(before, after):
        was, now = before.outcome.value, after.outcome.value
        return str(said.STOP_TURNED(order=order, before=was, now=now))
    if after.odd and (before is None or after.odd != before.odd):
        charge = _named(after, "its charge")
        return str(said.STOP_ODD(order=order, charge=charge, odd=after.odd))
    if apart := doubled_with(others, before, after):
        charges = money_charges((*apart, after))
        if by_hand and before is not None and _has_all(others, before, charges):
            return ""
        ids = ", ".join(charges)
        return str(said.STOP_TWO_ATTEMPTS(order=order, charges=ids))
    return ""


def doubled_with(
    others: Sequence[Attempt], before: Attempt | None, after: Attempt
) -> tuple[Attempt, ...]:
    """The attempts beside it that have money of the order, or may yet, where what is told now makes
    that a double: they are asked for before it is called one (`still_paid`).
    """
    apart = tuple(one for one in others if money_charges((one,)))
    several = [one for one in (*apart, after) if money_charges((one,))]
    is_news = before is None or _is_other_charge(before, after)
    if len(several) < 2 or len(money_charges(several)) < 2 or not is_news:
        return ()
    return apart


def _has_all(
    others: Sequence[Attempt], before: Attempt, charges: Sequence[str]
) -> bool:
    """Were all of these known before a person said which of them is the order's?"""
    return set(charges) <= set(money_charges((*others, before)))


def sale_charged_twice(mine: Attempt, other: Attempt) -> str:
    """Why two attempts of one sale, under two order ids, that both have money or may are a
    stop.
    """
    return (
        f"order {mine.intent.order_id}: its sale took money, or may have, under two ids:"
        f" {_named(mine, NO_ANSWER)} for this one, {_named(other, NO_ANSWER)} for order"
        f" {other.intent.order_id}. Give one of the two back, and run the job with one journal only"
    )


def _is_newly_unproven(before: Attempt | None, after: Attempt) -> bool:
    if after.outcome is not Outcome.UNPROVEN or after.accepted:
        return False
    return (
        before is None
        or before.outcome is not Outcome.UNPROVEN
        or bool(before.accepted)
    )


def _contradicts(before: Attempt, after: Attempt) -> bool:
    as_a_person_said = before.denied and after.closed
    return not as_a_person_said and impossible(before.outcome, after.outcome)


def _named(attempt: Attempt, otherwise: str) -> str:
    if attempt.charge is None:
        return otherwise
    return attempt.charge.id


def _took_money(attempt: Attempt) -> set[str]:
    """Ids of its charges that took money."""
    return {charge.id for charge in money_of(attempt)}


def _is_other_charge(before: Attempt, after: Attempt) -> bool:
    """Is the reported charge another one, or as another state? That it was given back, in part or
    whole, is no news of what it took.
    """
    if before.charge is None or after.charge is None:
        return before.charge is not after.charge
    return _but_refunds(before.charge) != _but_refunds(after.charge)


def _but_refunds(charge: ChargeSeen) -> ChargeSeen:
    return replace(charge, refunded=None)
