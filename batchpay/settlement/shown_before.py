"""SHOWN BEFORE: is the account of the key the one in which this journal's charges were made? One
of which it has proof, asked for by its id, shows it (J03).
"""

from __future__ import annotations

from collections.abc import Sequence

from batchpay.domain.ports import Gateway
from batchpay.lifecycle.charge import can_be_asked_for
from batchpay.settlement.by_id import NO_REPLY, Reply, ask_for
from batchpay.settlement.channel import Channel


async def ask_for_one(
    witnesses: Sequence[str], gateway: Gateway, channel: Channel
) -> Reply:
    """What the gateway says of the first that it shows; of none, whether it knows none of them."""
    replies = []
    for charge_id in filter(can_be_asked_for, witnesses):
        reply = await ask_for(gateway, channel, charge_id)
        if reply.charge is not None:
            return reply
        replies.append(reply)
    unsure = (reply for reply in replies if not reply.is_unknown)
    return next(unsure, replies[-1] if replies else NO_REPLY)
