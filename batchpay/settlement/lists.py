"""The gateway's own list of charges, held against the journal: before, while and after a run (law
L11).

Every list passes `reading`, and whether it proves anything is asked of `witnesses`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.bound import Bound
from batchpay.settlement.by_id import ById
from batchpay.settlement.cases import Case
from batchpay.settlement.first_look import FirstLook
from batchpay.settlement.may_be import MayBe
from batchpay.settlement.means import Means
from batchpay.settlement.odd import OddlyTold
from batchpay.settlement.reading import (
    INCOMPLETE,
    Reading,
)
from batchpay.settlement.since import OVERLAP, iso, now_of, time_of
from batchpay.settlement.unshown import Unshown
from batchpay.settlement.witnesses import Witnesses

# ... and a repeated one this long before the youngest charge seen
WATCH_OVERLAP = timedelta(seconds=10)


class Lists:
    """Reads lists and takes what is of this job into the journal. `told` is called with each order
    that moved.
    """

    def __init__(self, means: Means, told: Callable[[Case], None]) -> None:
        self._clock = means.clock
        self.witnesses = Witnesses(means)
        self._by_id = ById(means.gateway, means.channel)
        self.absorbing = Absorbing(means.recorder, self._by_id, told)
        self.may_be = MayBe(means, self._by_id)
        self.notes: list[str] = []  # what a person should hear of the gateway's lists
        self.reading = Reading(
            means,
            OddlyTold(means.recorder, self._by_id),
            self.witnesses,
            self.may_be,
            self.notes,
        )
        self.unshown = Unshown(
            means, self._by_id, self.witnesses, self.absorbing, told, self.notes
        )
        self._bound = Bound(means, self.witnesses, self.unshown)
        self.first_look = FirstLook(
            means,
            self._by_id,
            self.reading,
            self.absorbing,
            self.unshown,
            self._bound,
        )
        self._channel = means.channel
        self._recorder = means.recorder
        # what the last list did not show of the one order that goes alone
        self._passed_over = ""
        self.no_use = ""  # why the last list while charging was of no use
        # CLOCK_BOOTTIME up to which the last list while charging shows every charge that this run
        # was told of; None: all of them
        self.shown_until_s: float | None = None
        self.owed: list[str] = []  # of these, what is for the next run to look at

    @property
    def moved(self) -> int:
        """How much lists have told that the journal did not know."""
        return self.absorbing.moved + self.may_be.kept

    # --- while and after

    async def compare(self, since: datetime) -> None:
        """List once more: whatever the gateway has of this job must be in the journal, once."""
        listing = await self.reading.read(since - OVERLAP, self.absorbing.absorb_all)
        if listing is not None and listing.complete:
            await self.unshown.still_lacking(listing)
            if not self.first_look.unsure:
                await self._bound.note(listing, "")

    async def watch(self, since: datetime, *, opening: bool) -> datetime | None:
        """The same while orders are sent; returns from where the next one goes on, None when it was
        not complete.

        `opening`: only one order was sent so far. A list that does not show its charge says nothing
        of what else was charged (J05), and is no better; later ones lag behind what is being sent,
        and `compare` looks for the rest. One that was cut goes on from where it was.
        """
        listing = await self.reading.read(
            since, self.absorbing.absorb_all, proving=False
        )
        if listing is None or not listing.complete:
            self.no_use = f"{INCOMPLETE} while charging"
            return None
        unshown = self.witnesses.unshown(listing)
        self.shown_until_s = min((proven_s for _, proven_s in unshown), default=None)
        self._passed_over = ""
        if opening:
            self._passed_over = next((charge_id for charge_id, _ in unshown), "")
        if self._passed_over:
            lacks = f"does not show {self._passed_over}, which it answered in this run"
            self.no_use = f"the gateway's list {lacks}"
            return None
        now = listing.now or iso(now_of(self._clock))
        # one may say that it is of tomorrow
        youngest = time_of(min(listing.latest, now))
        if youngest:
            return max(since, youngest - WATCH_OVERLAP)
        return since

    async def stop_for_unshown(self) -> None:
        """For a whole doubt period complete lists did not show the one order that the gateway
        answered (J11).
        """
        if self._passed_over:
            await self.unshown.stop(self._passed_over)
