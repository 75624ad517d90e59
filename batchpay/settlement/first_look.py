"""FIRST LOOK: before a run sends anything it lists the gateway's charges, and takes over what is of
this job (law L11). What the journal does not know of its own charges means that it was lost: then
another list follows, and nothing goes before all of it is known again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from batchpay.domain.errors import Misconfigured
from batchpay.domain.events import Restored
from batchpay.domain.model import ChargeSeen, Page
from batchpay.lifecycle.charge import can_be_asked_for
from batchpay.lifecycle.listing import Listing
from batchpay.messages import steps
from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.bound import Bound
from batchpay.settlement.by_id import ById
from batchpay.settlement.cases import Case
from batchpay.settlement.means import Means
from batchpay.settlement.reading import (
    INCOMPLETE,
    LONGEST_GAP_S,
    MOST_INCOMPLETE,
    Reading,
    incomplete,
    lacks,
)
from batchpay.settlement.since import EVERYTHING, OVERLAP, iso
from batchpay.settlement.unshown import Unshown


@dataclass(frozen=True, slots=True)
class Look:
    """How a run looks before it sends anything."""

    # the last completed listing's bound, or how far back an empty journal looks
    since: datetime
    # does the journal know any order? False beside charges of this job: it was lost
    known_before: bool
    adopt: bool  # ... and a person said to take them over
    # CLOCK_BOOTTIME from which nothing that an earlier process sent can land any more
    quiet_at_s: float
    lost: bool = False  # may the journal lack events that it once had?


class FirstLook:
    """That of one run, taken again where a list of longer ago shows that something was lost."""

    def __init__(
        self,
        means: Means,
        by_id: ById,
        reading: Reading,
        absorbing: Absorbing,
        unshown: Unshown,
        bound: Bound,
    ) -> None:
        self._clock = means.clock
        self._channel = means.channel
        self._recorder = means.recorder
        self._period_s = means.settings.doubt_period_s
        self._gap_s = min(means.settings.lookup_gap_s, LONGEST_GAP_S)
        self._by_id = by_id
        self._reading = reading
        self._absorbing = absorbing
        self._unshown = unshown
        self._bound = bound
        self._look: Look | None = None
        # did a list show a charge of this job that the journal did not know?
        self.met_unknown = False
        # why nothing goes since, where the look that then follows came to nothing
        self.unsure = ""

    async def look(self, look: Look) -> str:
        """List and adopt what is ours; returns why that could not be done, empty when it could.

        A charge of ours that this journal does not know means that it was restored: then a second
        list follows, once nothing can land any more that was under way when it was (J02). Raises
        Misconfigured for an empty journal beside charges of this job without `adopt`.
        """
        self._look = look
        since = look.since
        tries = 0
        began_s = self._clock.elapsed_s()
        why = INCOMPLETE
        self.met_unknown = False
        while tries < MOST_INCOMPLETE:
            listing = await self._reading.read(
                since - OVERLAP, partial(self._absorb_first, look)
            )
            if listing is None or not listing.complete:
                why = incomplete(listing)
                tries += 1
            elif self._begins_late(look) and since != EVERYTHING:
                since = EVERYTHING
                continue
            elif self.met_unknown and await self._waits_until_quiet(look):
                continue
            elif self._is_lost(look) and (unreadable := _unreadable(listing)):
                why = unreadable_after_loss(unreadable.id)
                await self._recorder.unreadable(unreadable.id, why)
                tries += 1
            elif lacking := await self._lacking(look, listing):
                why = lacks(lacking[0])
                tries = 0
                if self._clock.elapsed_s() - began_s > self._period_s:
                    tries = MOST_INCOMPLETE
            else:
                await self._keep(look, listing, since)
                return ""
            await self._channel.rest(self._gap_s)
        return self._channel.closed or why

    def _begins_late(self, look: Look) -> bool:
        """Does a journal that knows no order need a list of everything? It was lost, whatever lies
        beside it; or our clock said where to begin.
        """
        is_doubtful = self.met_unknown or not self._channel.dated
        return is_doubtful and not look.known_before

    async def _waits_until_quiet(self, look: Look) -> bool:
        """Could something land yet that was under way when the journal was lost? It is waited
        for.
        """
        wait_s = look.quiet_at_s - self._clock.elapsed_s()
        if wait_s <= 0:
            return False
        await self._channel.rest(wait_s)
        return True

    def _is_lost(self, look: Look) -> bool:
        """May events be missing that the journal once had, or all of them?"""
        return look.lost or self.met_unknown or not look.known_before

    async def _lacking(self, look: Look, listing: Listing) -> list[str]:
        """What the list should show, or the gateway tell by its id, and does not yet."""
        lacking = await self._unshown.still_lacking(listing)
        if not lacking and self._is_lost(look):
            lacking = await self._untold_by_reports(listing)
        return lacking

    async def _keep(self, look: Look, listing: Listing, since: datetime) -> None:
        """What the list that ends the look tells beside the charges of this job: after a loss those
        that name nobody, and up to when it speaks.
        """
        if look.lost or self.met_unknown or (look.adopt and not look.known_before):
            # of those that tell no recipient accounts are full; a report may tell of some
            called = self._recorder.called_unproven()
            await self._recorder.strays.keep_nameless(
                charge
                for charge in listing.unclaimed
                if charge.destination or charge.id in called
            )
        await self._bound.note(listing, iso(since))

    async def _untold_by_reports(self, listing: Listing) -> list[str]:
        """Charges that reports of before a loss call unproven, and that neither the journal nor the
        list has, are asked for by their ids: a person may have taken one. What the gateway knows no
        more is a stop; of what is returned it does not tell.
        """
        untold = []
        for charge_id in sorted(self._recorder.called_unproven()):
            is_told = charge_id in self._recorder.stopped_for
            is_known = is_told or self._recorder.whose.is_known(charge_id)
            if listing.shows(charge_id) or is_known or not can_be_asked_for(charge_id):
                continue
            reply = await self._by_id.ask(charge_id)
            if reply.is_unknown:
                await self._unshown.stop(charge_id)
            elif reply.charge is None:
                untold.append(charge_id)
            elif self._recorder.whose.is_unclaimed(reply.charge):
                await self._recorder.strays.keep_nameless([reply.charge])
            else:
                await self._absorbing.adopt_by_id(charge_id)
        return untold

    async def look_again(self, since: datetime) -> str:
        """The same look from earlier on, where a list of long ago showed a charge of ours that the
        journal does not know: once nothing can land any more that was under way when it was lost.
        Without it nothing is sent, and the loss is not made good.
        """
        assert self._look is not None
        await self._waits_until_quiet(self._look)
        since = min(since, self._look.since)
        look = replace(self._look, since=since)
        self.unsure = await self.look(look)
        return self.unsure

    async def absorb_old(self, page: Page) -> None:
        """A page of a list that reaches further back than the one before the first send."""
        if self._look is None:
            await self._absorbing.absorb_all(page)
        else:
            await self._absorb_first(self._look, page)

    async def _absorb_first(self, look: Look, page: Page) -> None:
        """A page of the list before the first send."""
        matched = self._recorder.whose.match(page.charges)
        unknown = [
            charge
            for charge, known in matched
            if not isinstance(known, Case)
            and charge.id not in self._recorder.stopped_for
        ]
        if unknown:
            await self._met(unknown, look)
        for charge, known in matched:
            await self._absorbing.absorb(charge, known, adopting=True)
        await self._recorder.others.keep(page.charges)

    async def _met(self, unknown: Sequence[ChargeSeen], look: Look) -> None:
        """Charges of ours that this journal does not know. They are noted before anything is
        adopted, or refused: another list may not show them, and proves nothing then.
        """
        first = unknown[0].id
        if not self.met_unknown:
            self.met_unknown = True
            empty = not look.known_before
            shown = {charge.id: charge.created_at for charge in unknown}
            await self._recorder.lost(Restored(met=first, shown=shown, empty=empty))
        if not look.known_before and not look.adopt:
            raise Misconfigured(
                f"the gateway has charges of this job (such as {first}) but the journal is"
                f" empty: it was lost or is another one; {steps.ADOPT()}"
            )


def _unreadable(listing: Listing) -> ChargeSeen | None:
    """One in the list that no journal is left to tell whose it is."""
    for charge in listing.unclaimed:
        if charge.destination and "metadata" in charge.unread_fields:
            return charge
    return None


def unreadable_after_loss(charge_id: str) -> str:
    """Why a run whose journal lost events, or is empty, sends nothing beside a charge that it
    cannot read.
    """
    return (
        f"what {charge_id} in the gateway's list is for cannot be read, and this journal is new or"
        f" lost events: it may be an order of this job; {steps.NOT_OURS(charge=charge_id)}"
    )
