"""WATCHING: while orders are sent and after them, lists look for what this run did not charge: does
another one charge for this job (law L11), and is everything that the gateway has in the journal?
"""

from __future__ import annotations

from datetime import datetime, timedelta

from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.bound import Bound
from batchpay.settlement.first_look import FirstLook
from batchpay.settlement.means import Means
from batchpay.settlement.reading import INCOMPLETE, Reading
from batchpay.settlement.since import OVERLAP, iso, now_of, time_of
from batchpay.settlement.unshown import Unshown
from batchpay.settlement.witnesses import Witnesses

# a repeated listing begins this long before the youngest charge seen
WATCH_OVERLAP = timedelta(seconds=10)


class Watching:
    """Those lists of one run."""

    def __init__(
        self,
        means: Means,
        reading: Reading,
        absorbing: Absorbing,
        witnesses: Witnesses,
        unshown: Unshown,
        bound: Bound,
        first_look: FirstLook,
    ) -> None:
        self._clock = means.clock
        self._reading = reading
        self._absorbing = absorbing
        self._witnesses = witnesses
        self._unshown = unshown
        self._bound = bound
        self._first_look = first_look
        # what the last list did not show of the one order that goes alone
        self._passed_over = ""
        self.no_use = ""  # why the last list while charging was of no use
        # CLOCK_BOOTTIME up to which the last list while charging shows every charge that this run
        # was told of; None: all of them
        self.shown_until_s: float | None = None

    async def watch(self, since: datetime, *, opening: bool) -> datetime | None:
        """A list while orders are sent; returns from where the next one goes on, None when it was
        not complete.

        `opening`: only one order was sent so far. A list that does not show its charge says nothing
        of what else was charged (J05), and is no better; later ones lag behind what is being sent,
        and `compare` looks for the rest. One that was cut goes on from where it was.
        """
        listing = await self._reading.read(
            since, self._absorbing.absorb_all, proving=False
        )
        if listing is None or not listing.complete:
            self.no_use = f"{INCOMPLETE} while charging"
            return None
        unshown = self._witnesses.unshown(listing)
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
            await self._unshown.stop(self._passed_over)

    async def compare(self, since: datetime) -> None:
        """List once more: whatever the gateway has of this job must be in the journal, once."""
        listing = await self._reading.read(since - OVERLAP, self._absorbing.absorb_all)
        if listing is not None and listing.complete:
            await self._unshown.still_lacking(listing)
            if not self._first_look.unsure:
                await self._bound.note(listing, "")
