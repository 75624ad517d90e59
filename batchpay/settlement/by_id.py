"""BY ID: what the gateway says of one charge when it is asked for it by its id; lists, doubts and a
person's commands ask alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from batchpay.domain.model import ChargeSeen
from batchpay.domain.ports import Gateway
from batchpay.lifecycle.proof import is_unknown
from batchpay.settlement.channel import Channel


@dataclass(frozen=True, slots=True)
class Reply:
    """What it said; nothing, where it did not answer."""

    answered: bool = False
    status: int | None = None
    charge: ChargeSeen | None = None  # the very one that was asked for
    is_unknown: bool = False  # by its own word there is no such charge


NO_REPLY = Reply()


async def ask_for(gateway: Gateway, channel: Channel, charge_id: str) -> Reply:
    """Ask for one charge. Waits for the limiter like any request."""
    answer = await channel.ask(partial(gateway.get, charge_id))
    if answer is None:
        return NO_REPLY
    charge = answer.said
    if charge is not None and charge.id != charge_id:
        charge = None
    return Reply(True, answer.status, charge, is_unknown(answer))
