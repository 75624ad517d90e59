"""READING: one list of the gateway's charges, read to its end; what it shows is handed on page by
page, and from when to when lists of this run prove what they do not show is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from batchpay.domain.model import Answer, Page, UnreadablePage
from batchpay.lifecycle.listing import Listing
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.may_be import MayBe
from batchpay.settlement.means import Means
from batchpay.settlement.odd import OddlyTold
from batchpay.settlement.pacing import http_date
from batchpay.settlement.paging import read_list
from batchpay.settlement.since import iso, now_of, time_of
from batchpay.settlement.witnesses import Witnesses

# what is so much younger than a listing's begin, by either clock, it need not cover
YOUNGER = timedelta(seconds=5)
MOST_INCOMPLETE = 8  # incomplete listings in a row before a run gives up on them
LONGEST_GAP_S = 10.0  # between two tries of a listing that must succeed
PASSED_OVER = str(said.PASSED_OVER())
INCOMPLETE = str(said.LIST_INCOMPLETE())

Absorb = Callable[[Page], Awaitable[None]]


class Reading:
    """Reads the lists of one run. `notes`: what a person should hear of them."""

    def __init__(
        self,
        means: Means,
        odd: OddlyTold,
        witnesses: Witnesses,
        may_be: MayBe,
        notes: list[str],
    ) -> None:
        self._gateway = means.gateway
        self._clock = means.clock
        self._channel = means.channel
        self._recorder = means.recorder
        self._odd = odd
        self._witnesses = witnesses
        self._may_be = may_be
        self._notes = notes
        # from when, and up to when (None: their time), complete lists of this run were read that
        # prove what they do not show
        self.covered: list[tuple[datetime, datetime | None]] = []

    async def read(
        self,
        since: datetime,
        absorb: Absorb,
        *,
        proving: bool = True,
        until: datetime | None = None,
    ) -> Listing | None:
        """Read one listing to its end, page by page; None when the gateway gave no page at all.

        Pages shrink while an answer is longer than anybody should read; a charge that is, by
        itself, is passed over. `proving`: what it does not show is to count as not there, for which
        the gateway is asked once more. `until`: up to when it need be read; None: to its end.
        """
        if proving:
            self._must_show(since, until)
        listing = self._begun(since, until)
        if proving and not await self._ask_newest(listing):
            return None
        was_read = await read_list(
            self._channel,
            partial(self._gateway.page, listing.since),
            listing,
            partial(self._take, listing, absorb),
        )
        if listing.skipped and PASSED_OVER not in self._notes:
            self._notes.append(PASSED_OVER)
        await self._may_be.keep_beside_uncharged(listing)
        if not was_read:
            return None
        if proving and self._witnesses.proves_absence(listing):
            end = None
            if listing.is_past:
                end = until
            self.covered.append((time_of(listing.since) or since, end))
        return listing

    def _must_show(self, since: datetime, until: datetime | None) -> None:
        """All that this journal has had proof of in that time."""
        until_ns = None
        if until is not None:
            until_ns = _ns(until)
        self._recorder.expected.witness(_ns(since), until_ns)

    def _begun(self, since: datetime, until: datetime | None) -> Listing:
        """A listing that begins now, far enough back to show a witness."""
        begun_s = self._clock.elapsed_s()
        listing = Listing(
            begun_s=begun_s, since=min(iso(since), self._witnesses.youngest(begun_s))
        )
        if until is not None:
            listing.until = iso(until)
        return listing

    async def _ask_newest(self, listing: Listing) -> bool:
        """Which charge must the list end with, or show at least? False when the gateway is silent;
        an answer that is no page leaves the list to speak for itself.
        """
        answer = await self._channel.ask(partial(self._gateway.newest, listing.since))
        if answer is None:
            return False
        # what is too long or cannot be read the list cannot show either: it proves nothing then
        listing.newest = answer.said or ""
        return True

    async def _take(
        self,
        listing: Listing,
        absorb: Absorb,
        answer: Answer[Page | UnreadablePage],
    ) -> bool:
        """Take an answer into the list; False where it is no page. One that cannot be read breaks
        the list.
        """
        page = answer.said
        if page is None:
            return False
        if isinstance(page, UnreadablePage):
            listing.broken = (
                f"of the charges since {listing.since}, oldest first,"
                f" {page.told(listing.offset)}; {steps.ASK_GATEWAY()}"
            )
            return True
        if not listing.offset and not listing.now:
            date = http_date(answer.date)
            if date:
                listing.now = iso(max(date, now_of(self._clock)) + YOUNGER)
        told = await self._odd.as_told(page.odd)
        if told is None:  # before the page is taken: it may be the last one
            listing.broken = await self._odd.wait_for_a_word(listing, page.odd)
            return True
        fresh = listing.add(page)
        fresh = replace(fresh, charges=(*fresh.charges, *told))
        await self._hand_on(listing, await self._odd.readable(fresh), absorb)
        return True

    async def _hand_on(self, listing: Listing, page: Page, absorb: Absorb) -> None:
        """What a page tells anew, to whoever asked for the list."""
        news = self._recorder.expected.news_of(page.charges)
        self._recorder.whose.trace(news)
        listing.unclaimed += filter(self._recorder.whose.is_unclaimed, news)
        await absorb(replace(page, charges=news))
        await self._recorder.strays.keep_strays()


def incomplete(listing: Listing | None) -> str:
    """Why a list proves nothing, in words."""
    if listing is None or not listing.broken:
        return INCOMPLETE
    return str(said.LIST_BROKEN(why=listing.broken))


def lacks(charge_id: str) -> str:
    """The same of one that should show a charge and does not."""
    return (
        f"the gateway's list does not show {charge_id}, which this journal has proof of"
    )


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 10**9
