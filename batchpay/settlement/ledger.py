"""The account's own ledger, list by list: whole or not at all.

By the same reader as a run's lists, and by the same rule: a list is complete, or it shows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from batchpay.domain.books import Booked, PageOf
from batchpay.domain.errors import GatewaySilent
from batchpay.domain.model import Answer
from batchpay.domain.ports import Gateway
from batchpay.lifecycle.charge import CHARGE_ID
from batchpay.lifecycle.listing import Listing
from batchpay.settlement.channel import Channel
from batchpay.settlement.paging import PageAt, read_list

DISPUTE_ID = re.compile(r"dspt_[0-9A-Za-z_]{1,64}")
TRIES = 8  # of one listing that shifts while it is read
NOT_THERE = (404, 405, 410)  # what says that what was asked for does not exist

T = TypeVar("T")


async def whole(
    channel: Channel, path: str, page_at: PageAt[PageOf[T]]
) -> list[T] | None:
    """Every thing of a list, oldest first; None when the gateway has no such list, or answers with
    something else.

    Raises GatewaySilent for one that it has and does not give now: what nobody read is no
    agreement.
    """
    for at in range(1, TRIES + 1):
        found, status = await _once(channel, page_at)
        if found is not None or status in NOT_THERE or (status == 200 and at == TRIES):
            return found
        if channel.closed:
            break
        await channel.rest(1.0)
    told = f"the gateway's list {path} could not be read completely"
    raise channel.fatal or GatewaySilent(
        f"{told}: nothing is said of these days; try later"
    )


async def _once(
    channel: Channel, page_at: PageAt[PageOf[T]]
) -> tuple[list[T] | None, int | None]:
    """One reading, by the same reader as a run's lists; None when it shifted, or something in it
    cannot be read.

    And the status of the last answer, None when there was none.
    """
    listing = Listing()
    found = list[T]()
    status: int | None = None

    async def heard(
        offset: int, may_leave: Callable[[], bool], *, limit: int
    ) -> Answer[PageOf[T]]:
        nonlocal status
        answer = await page_at(offset, may_leave, limit=limit)
        status = answer.status
        return answer

    async def take(answer: Answer[PageOf[T]]) -> bool:
        page = answer.said
        if page is None:
            return False
        fresh = listing.take(page.ids, page.total, page.limit)
        found.extend(page.things[at] for at in fresh)
        return True

    await read_list(channel, heard, listing, take)
    if listing.complete and not listing.skipped:
        return found, status
    return None, status


async def charges_of_disputes(
    gateway: Gateway, channel: Channel, origins: Iterable[str]
) -> dict[str, str]:
    """Dispute -> its charge, of those among these ids that the gateway tells of."""
    found = {}
    for name in filter(DISPUTE_ID.fullmatch, dict.fromkeys(origins)):
        answer = await channel.glance(partial(gateway.disputed, name))
        if answer is not None and answer.said:
            found[name] = answer.said
    return found


async def booked_charge(
    gateway: Gateway, channel: Channel, charge_id: str
) -> Booked | None:
    """A charge by its id, as the gateway shows it; None when it shows none. Raises GatewaySilent
    without an answer.
    """
    if not CHARGE_ID.fullmatch(charge_id):
        return None
    answer = await channel.ask(partial(gateway.booked, charge_id))
    if answer is None:
        raise channel.fatal or GatewaySilent(
            f"the gateway does not answer about {charge_id}, which was refunded; try later"
        )
    if answer.said is None or answer.said.id != charge_id:
        return None
    return answer.said
