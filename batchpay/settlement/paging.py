"""PAGING: any list of the gateway's, read page by page, to its end or until it shifts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from batchpay.domain.model import Answer
from batchpay.lifecycle.listing import Listing
from batchpay.settlement.channel import Channel

# of one listing; no account of a gateway that tells its time comes near
PAGES = 100_000
PAGE_SIZE = 100  # the most the gateway gives (docs/gateway.md, 7.8)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class PageAt(Protocol[T_co]):
    """How one page of a list is asked for."""

    def __call__(
        self, offset: int, may_leave: Callable[[], bool], *, limit: int
    ) -> Awaitable[Answer[T_co]]:
        """At most `limit` objects from `offset` on."""


async def read_list(
    channel: Channel,
    page_at: PageAt[T],
    listing: Listing,
    take: Callable[[Answer[T]], Awaitable[bool]],
) -> bool:
    """Read any list of the gateway page by page until it is complete or has shifted; False when not
    one page came, nor one that was too long.

    `page_at(offset, may_leave, limit=...)` asks for a page; `take` reads one into `listing`, if it
    is one. Pages shrink while an answer is longer than anybody should read; what is, by itself, is
    passed over (J12).
    """
    pages = 0
    limit = PAGE_SIZE
    while not (listing.complete or listing.broken):
        listing.size = limit
        answer = await channel.ask(partial(_page_at, page_at, listing.offset, limit))
        if pages >= PAGES or answer is None:
            return pages > 0
        pages += 1
        if answer.too_long:
            limit = _smaller(listing, limit)
            continue
        if answer.status != 200 or not await take(answer):
            return pages > 1
        limit = min(PAGE_SIZE, max(2, limit * 2))
    return True


async def _page_at(
    page_at: PageAt[T],
    offset: int,
    limit: int,
    may_leave: Callable[[], bool],
) -> Answer[T]:
    return await page_at(offset, may_leave, limit=limit)


def _smaller(listing: Listing, limit: int) -> int:
    """The size of the next page after one that was too long: down to two, then the one object by
    itself.
    """
    if limit > 2:
        return max(2, limit // 4)
    if limit == 2:
        listing.step()
    else:
        listing.skip()
    return 1
