"""Before the first order: may each recipient be paid at all, and what is the gateway's smallest
transfer?

(omise-api.md, 7.3 and 3.) Only what the gateway says holds anybody back: a charge to a recipient it
calls unverified would be refused, or worse, charged without a split. Of whom it does not tell,
nothing is held.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from batchpay.domain import steps
from batchpay.domain.documents import inside, whole
from batchpay.domain.events import RecipientsAsked
from batchpay.domain.model import Answer
from batchpay.domain.ports import Gateway
from batchpay.settlement.channel import Channel

_RECIPIENT = re.compile(r"recp_[0-9A-Za-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the gateway said before anything was sent."""

    barred: Mapping[str, str] = field(
        default_factory=dict
    )  # recipient -> why it cannot be paid now
    unknown: tuple[str, ...] = ()  # recipients of whom it told nothing
    smallest_share: Mapping[str, int] = field(
        default_factory=dict
    )  # upper-case currency -> its smallest transfer
    least_charge: Mapping[str, int] = field(default_factory=dict)  # ... and its smallest charge

    def beside(self, kept: Preflight, asked: Collection[str]) -> Preflight:
        """The same with what was told before of recipients that were not `asked` about, and of a
        smallest transfer that the gateway does not tell today.
        """
        others = {
            recipient: why for recipient, why in kept.barred.items() if recipient not in asked
        }
        return replace(
            self,
            barred={**others, **self.barred},
            smallest_share=self.smallest_share or kept.smallest_share,
            least_charge=self.least_charge or kept.least_charge,
        )

    def as_told(self) -> RecipientsAsked:
        """For the journal."""
        return RecipientsAsked(
            barred=self.barred,
            smallest_share=self.smallest_share,
            least_charge=self.least_charge,
        )

    @classmethod
    def of_told(cls, told: RecipientsAsked) -> Preflight:
        """The same back; of whom nothing was told is not kept."""
        return cls(told.barred, (), told.smallest_share, told.least_charge)


NOTHING_ASKED = Preflight()


async def preflight(
    recipients: Collection[str], gateway: Gateway, channel: Channel, currency: str, at_once: int
) -> Preflight:
    """Ask for every recipient, and for the gateway's limits. Waits for the limiter like any
    request.

    `currency`: in which the account is paid out, upper case; empty when it is not known.
    """
    smallest, least = await _limits(gateway, channel, currency)
    barred: dict[str, str] = {}
    unknown: list[str] = []
    asked = sorted(filter(_RECIPIENT.fullmatch, recipients))
    for start in range(0, len(asked), at_once):
        some = asked[start : start + at_once]
        answers = await asyncio.gather(
            *(_glance(gateway, channel, f"/recipients/{recipient}") for recipient in some)
        )
        for recipient, answer in zip(some, answers, strict=True):
            why = why_barred(recipient, answer)
            if why is None:
                unknown.append(recipient)
            elif why:
                barred[recipient] = why
        if channel.closed:
            break
    return Preflight(barred, tuple(unknown), smallest, least)


async def _glance(gateway: Gateway, channel: Channel, path: str) -> Answer | None:
    return await channel.glance(partial(gateway.read, path, {}))


async def _limits(
    gateway: Gateway, channel: Channel, currency: str
) -> tuple[dict[str, int], dict[str, int]]:
    """The smallest transfer and charge in the account's own currency; empty when the gateway does
    not tell.
    """
    answer = await _glance(gateway, channel, "/capability")
    if answer is not None and answer.status == 200:
        document = answer.document
    else:
        document = None
    if inside(document, "object") != "capability":
        return {}, {}
    least = (
        whole(document, "limits", name, "min") for name in ("transfer_amount", "charge_amount")
    )
    smallest, charge = ({currency: one} if currency and one else {} for one in least)
    return smallest, charge


def why_barred(recipient: str, answer: Answer | None) -> str | None:
    """Why this recipient cannot be paid now; empty when it can, None when the gateway does not
    tell.
    """
    if answer is None:
        return None
    if isinstance(answer.document, dict):
        document = answer.document
    else:
        document = {}
    if (
        answer.status == 404
        and document.get("object") == "error"
        and document.get("code") == "not_found"
    ):
        return f"does not exist at the gateway: {steps.NO_RECIPIENT()}"
    if (
        answer.status != 200
        or document.get("object") != "recipient"
        or document.get("id") != recipient
    ):
        return None
    if document.get("deleted") is True:
        return f"is deleted at the gateway: {steps.OTHER_RECIPIENT()}"
    if document.get("verified") is False:
        code = document.get("failure_code")
        if isinstance(code, str):
            because = f" ({code})"
        else:
            because = ""
        return f"is not verified by the gateway{because}: {steps.VERIFY()}"
    if document.get("active") is False:
        return f"is not active at the gateway: {steps.ACTIVATE()}"
    return ""
