"""What is told of an order, whatever was attempted."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchpay.domain.events.forms import LIST, OPTIONAL, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Told):
    """A person's word that an order is never to be sent."""

    kind = "cancelled"

    reason: str
    by: str = ""
    # all that it is known by (kinship)
    sale: tuple[str, ...] = field(default=(), metadata=LIST)
    # orders whose ids its rows had before
    had: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsGivenUp(Told):
    """A person's word that rows which wait to be corrected are never to be sent, nor what corrects
    them; of other rows of their orders, where they have any, it says nothing.
    """

    kind = "given_up"

    reason: str
    by: str = ""
    places: tuple[str, ...] = field(default=(), metadata=LIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedElsewhere(Told):
    """A charge of the same order that another job made (J06)."""

    kind = "elsewhere"

    job: str
    charge_id: str
    payer: str
    destination: str
    amount: int  # smallest unit
    currency: str  # lower case
    takes_money: bool
