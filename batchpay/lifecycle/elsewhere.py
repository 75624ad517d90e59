"""ELSEWHERE: is what another job charged of a sale of this one (docs/faults.md, J06 and E13)?

Two jobs may share order ids, so an id alone tells nothing: it is one sale where the charge may be
of what the sale ever asked for here (`terms.Asked.may_be_sale_of`). A row that was corrected asks
for something else today, and is the same sale: all that it goes back to is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from batchpay.domain.model import Document, Intent
from batchpay.lifecycle.ancestry import goes_back_to
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.places import by_order
from batchpay.lifecycle.terms import Asked, asked_by, asked_in


def asked_for(
    documents: Iterable[Document], intents: Iterable[Intent]
) -> Iterator[Asked]:
    """What a sale asks for, and ever asked for.

    `documents`: its row, and the rows that it goes back to, as far as they could be read: of one of
    which neither whom nor how much is known, nothing is told. `intents`: the attempts of its order,
    and of its sale.
    """
    for document in documents:
        asked = asked_in(document)
        if asked.destination is not None or asked.amount is not None:
            yield asked
    yield from map(asked_by, intents)


class Charged(Protocol):
    """A charge, as a list shows it, as the journal keeps it, or as it is told of a row."""

    @property
    def payer(self) -> str | None: ...
    @property
    def destination(self) -> str | None: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...


def asked_of(charge: Charged) -> Asked:
    """What a charge asks for."""
    return Asked(
        charge.payer or "",
        charge.destination or "",
        charge.amount,
        charge.currency.lower(),
    )


def came_to_correct(order_id: str, attempts: Iterable[Attempt]) -> Iterator[Attempt]:
    """Those of some attempts that came to correct a row of an order."""
    for attempt in attempts:
        if goes_back_to(attempt.intent, (by_order(order_id),)):
            yield attempt


def is_of_sale(theirs: Asked, asked: Iterable[Asked]) -> bool:
    """Is another job's charge, of an order id that a sale has or had, of this very sale?"""
    return any(mine.may_be_sale_of(theirs) for mine in asked)


def charged_beside(theirs: Asked, attempts: Sequence[Attempt]) -> Iterator[Attempt]:
    """The attempts of a sale that took money, or may have, though another job charged it.

    `attempts`: all of the sale, for each tells what it ever asked for.
    """
    if is_of_sale(theirs, asked_for((), (one.intent for one in attempts))):
        for attempt in attempts:
            if attempt.stands:
                yield attempt
