"""Before the first order: may each recipient be paid at all, and what is the gateway's smallest
transfer?

(docs/gateway.md, 2.3 and 7.3.) Only what the gateway says holds anybody back: a charge to a
recipient it calls unverified would be refused, or worse, charged without a split. Where it tells
of some, those of whom it does not tell, asked twice, wait. One that tells of nobody has no such
answers to give: then nobody waits.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from batchpay.domain.books import Recipient
from batchpay.domain.events import RecipientsAsked
from batchpay.domain.model import Answer
from batchpay.domain.ports import Gateway
from batchpay.messages import standing, steps
from batchpay.messages.message import Message, read
from batchpay.settlement.channel import Channel

_RECIPIENT = re.compile(r"recp_[0-9A-Za-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the gateway said before anything was sent."""

    # recipient -> why it cannot be paid now
    barred: Mapping[str, str | Message] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()  # those asked about, where it told of none
    # upper-case currency -> its smallest transfer
    smallest_share: Mapping[str, int] = field(default_factory=dict)
    # ... and its smallest charge
    least_charge: Mapping[str, int] = field(default_factory=dict)
    # ... and its largest one
    most_charge: Mapping[str, int] = field(default_factory=dict)

    def beside(self, kept: Preflight, asked: Collection[str]) -> Preflight:
        """The same with what was told before of recipients that were not `asked` about or are not
        told of today, and of limits that the gateway does not tell today.
        """
        news = set(asked).difference(self.unknown)
        others = {
            recipient: why
            for recipient, why in kept.barred.items()
            if recipient not in news
        }
        return replace(
            self,
            barred={**others, **self.barred},
            smallest_share=self.smallest_share or kept.smallest_share,
            least_charge=self.least_charge or kept.least_charge,
            most_charge=self.most_charge or kept.most_charge,
        )

    def as_told(self) -> RecipientsAsked:
        """For the journal."""
        return RecipientsAsked(
            barred={name: _kept(why) for name, why in self.barred.items()},
            smallest_share=self.smallest_share,
            least_charge=self.least_charge,
            most_charge=self.most_charge,
        )

    @classmethod
    def of_told(cls, told: RecipientsAsked) -> Preflight:
        """The same back; of whom nothing was told is not kept."""
        return cls(
            {name: _back(why) for name, why in told.barred.items()},
            (),
            told.smallest_share,
            told.least_charge,
            told.most_charge,
        )


def _kept(why: str | Message) -> Any:
    if isinstance(why, Message):
        return why.to_json()
    return why


def _back(why: Any) -> str | Message:
    """An earlier version kept the sentence."""
    if isinstance(why, str):
        return why
    return read(why)


NOTHING_ASKED = Preflight()


async def preflight(
    recipients: Collection[str],
    gateway: Gateway,
    channel: Channel,
    currency: str,
    at_once: int,
) -> Preflight:
    """Ask for every recipient, and for the gateway's limits. Waits for the limiter like any
    request.

    `currency`: in which the account is paid out, upper case; empty when it is not known.
    """
    limits = await _limits(gateway, channel, currency)
    asked = sorted(filter(_RECIPIENT.fullmatch, recipients))
    told = await _told_of(asked, gateway, channel, at_once)
    unknown = [recipient for recipient in asked if recipient not in told]
    if told:
        told |= await _told_of(unknown, gateway, channel, at_once)
    if not told or channel.closed:
        return replace(limits, barred=_barred(told), unknown=tuple(unknown))
    untold = dict.fromkeys(unknown, standing.IS_UNTOLD(step=steps.ASKED_AGAIN()))
    return replace(limits, barred=_barred(untold | told))


async def _told_of(
    asked: Sequence[str], gateway: Gateway, channel: Channel, at_once: int
) -> dict[str, str | Message]:
    """Why each cannot be paid, of those of whom the gateway tells; empty when it can."""
    told: dict[str, str | Message] = {}
    for start in range(0, len(asked), at_once):
        some = asked[start : start + at_once]
        glances = (
            channel.glance(partial(gateway.recipient, recipient)) for recipient in some
        )
        answers = await asyncio.gather(*glances)
        for recipient, answer in zip(some, answers, strict=True):
            why = why_barred(recipient, answer)
            if why is not None:
                told[recipient] = why
        if channel.closed:
            break
    return told


def _barred(told: Mapping[str, str | Message]) -> dict[str, str | Message]:
    return {recipient: why for recipient, why in told.items() if why}


async def _limits(gateway: Gateway, channel: Channel, currency: str) -> Preflight:
    """The smallest transfer, and the smallest and largest charge, in the account's own currency;
    empty where the gateway does not tell (docs/gateway.md, 2.3).
    """
    answer = await channel.glance(gateway.capability)
    if answer is None or answer.status != 200 or answer.said is None:
        return NOTHING_ASKED
    told = answer.said
    return Preflight(
        smallest_share=_in(currency, told.smallest_transfer),
        least_charge=_in(currency, told.least_charge),
        most_charge=_in(currency, told.most_charge),
    )


def _in(currency: str, limit: int | None) -> dict[str, int]:
    if currency and limit:
        return {currency: limit}
    return {}


def why_barred(
    recipient: str, answer: Answer[Recipient] | None
) -> str | Message | None:
    """Why this recipient cannot be paid now; empty when it can, None when the gateway does not
    tell.
    """
    if answer is None:
        return None
    if answer.status == 404 and answer.code == "not_found":
        return standing.IS_UNKNOWN(step=steps.NO_RECIPIENT())
    told = answer.said
    if answer.status != 200 or told is None or told.id != recipient:
        return None
    if told.deleted:
        return standing.IS_DELETED(step=steps.OTHER_RECIPIENT())
    if told.verified is False:
        if told.failure_code is None:
            return standing.IS_UNVERIFIED(step=steps.VERIFY())
        return standing.FAILED_VERIFICATION(code=told.failure_code, step=steps.VERIFY())
    if told.active is False:
        return standing.IS_INACTIVE(step=steps.ACTIVATE())
    return ""
