"""Before the first order: may each recipient of the file be paid at all? (omise-api.md, 7.3)

Only what the gateway says bars anybody: a charge to a recipient it calls unverified would be refused, or worse, charged
without a split. A gateway that does not tell of recipients bars nobody.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from functools import partial
from typing import Any

from batchpay.protocols import Gateway
from batchpay.settlement.line import Line

UNTOLD = 3  # recipients in a row of which the gateway tells nothing: it tells of none
_RECIPIENT = re.compile(r"recp_[0-9A-Za-z_]{1,64}")


async def barred_recipients(
    recipients: Collection[str], gateway: Gateway, line: Line, *, at_once: int
) -> dict[str, str]:
    """Recipients that cannot be paid now, each with the reason. Waits for the limiter like any request."""
    barred: dict[str, str] = {}
    untold = 0
    asked = sorted(filter(_RECIPIENT.fullmatch, recipients))
    for start in range(0, len(asked), at_once):
        some = asked[start : start + at_once]
        for recipient, document in zip(some, await _documents(some, gateway, line), strict=True):
            untold = untold + 1 if document is None else 0
            if why := _why_barred(document):
                barred[recipient] = why
        if untold >= UNTOLD or line.closed:
            break
    return barred


async def _documents(recipients: Collection[str], gateway: Gateway, line: Line) -> list[Any]:
    async def read(recipient: str) -> Any:
        answer = await line.glance(partial(gateway.read, f"/recipients/{recipient}", {}))
        document = answer.document if answer is not None and answer.status == 200 else None
        fits = isinstance(document, dict) and document.get("object") == "recipient" and document.get("id") == recipient
        return document if fits else None

    return list(await asyncio.gather(*map(read, recipients)))


def _why_barred(document: Any) -> str:
    if document is None:
        return ""
    if document.get("deleted") is True:
        return "is deleted at the gateway: give the order another recipient"
    if document.get("verified") is False:
        code = document.get("failure_code")
        because = f" ({code})" if isinstance(code, str) else ""
        return f"is not verified by the gateway{because}: a later run sends when it is"
    if document.get("active") is False:
        return "is not active at the gateway: have it activated, then the next run sends"
    return ""
