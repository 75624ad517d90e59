"""BY ID: what the gateway says of one charge when it is asked for it by its id; lists, doubts and a
person's commands ask alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from batchpay.domain.model import ChargeSeen
from batchpay.domain.ports import Gateway
from batchpay.lifecycle.charge import can_be_asked_for
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


class ById:
    """Asks for the charges of which a list does not say enough."""

    def __init__(self, gateway: Gateway, channel: Channel) -> None:
        self._gateway = gateway
        self._channel = channel
        # charges that a list showed oddly, and that were asked for by their id
        self._once: set[str] = set()

    async def ask(self, charge_id: str) -> Reply:
        """What the gateway says of one."""
        return await ask_for(self._gateway, self._channel, charge_id)

    async def is_unknown(self, charge_id: str) -> bool:
        """Does it say that there is no such charge?"""
        return (await self.ask(charge_id)).is_unknown

    async def read(self, charge_id: str) -> ChargeSeen | None:
        """The charge; None where that does not show it."""
        if not can_be_asked_for(charge_id):
            return None
        return (await self.ask(charge_id)).charge

    async def read_once(self, charge: ChargeSeen) -> ChargeSeen | None:
        """The same charge asked for, once a run; None when that did not show it."""
        if self.was_read_once(charge):
            return None
        self._once.add(charge.id)
        return await self.read(charge.id)

    def was_read_once(self, charge: ChargeSeen) -> bool:
        """Did this run ask for it so?"""
        return charge.id in self._once
