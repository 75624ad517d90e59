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
