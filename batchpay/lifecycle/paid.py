"""PAID: which charges of an order's attempts took its money, and what stands beside what."""

from __future__ import annotations

from collections.abc import Sequence

from batchpay.domain.model import ChargeSeen
from batchpay.lifecycle.attempt import Attempt


def beside(attempt: Attempt, attempts: Sequence[Attempt]) -> Attempt | None:
    """Another attempt of the same order that is not closed: it has its money, may have, or may yet
    take it. Beside that, this one is never sent again.
    """
    return next(
        (other for other in attempts if other is not attempt and not other.closed), None
    )


def money_charges(attempts: Sequence[Attempt]) -> list[str]:
    """Ids of every charge of an order that took money or may yet: more than one breaks the first
    promise.
    """
    ids: dict[str, None] = {}
    for attempt in attempts:
        if (
            attempt.charge
            and attempt.charge.takes_money
            and attempt.charge.id in attempt.twins
        ):
            ids[attempt.charge.id] = None
        ids.update(
            dict.fromkeys(
                one.charge.id for one in attempt.others if one.charge.takes_money
            )
        )
    return list(ids)


def paid_apart(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """The attempts of an order that each have its money, where that is more than one: a person
    gives one back, which a later look at it shows, or says that it stays so.
    """
    paid = tuple(
        attempt
        for attempt in attempts
        if any(not charge.given_back for charge in money_of(attempt))
    )
    if len(paid) > 1:
        return paid
    return ()


def money_of(attempt: Attempt) -> tuple[ChargeSeen, ...]:
    """Every charge of an attempt that took money of its order, whether or not it was given back."""
    charge = attempt.charge
    if charge is None or attempt.anothers or not charge.took_money:
        return attempt.further
    return (charge, *attempt.further)
