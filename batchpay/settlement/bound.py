"""BOUND: up to when a completed list speaks; the next run's first list begins there."""

from __future__ import annotations

from batchpay.domain.events import Listed
from batchpay.lifecycle.listing import Listing
from batchpay.settlement.means import Means
from batchpay.settlement.since import iso, now_of
from batchpay.settlement.unshown import Unshown
from batchpay.settlement.witnesses import Witnesses


class Bound:
    """That of the lists of one run."""

    def __init__(self, means: Means, witnesses: Witnesses, unshown: Unshown) -> None:
        self._clock = means.clock
        self._channel = means.channel
        self._recorder = means.recorder
        self._witnesses = witnesses
        self._unshown = unshown

    async def note(self, listing: Listing, otherwise: str) -> None:
        """Up to when a completed list speaks, but not beyond a charge that it should show and does
        not show yet, nor beyond one that is gone: the next run must miss that, too.
        """
        bound = self._told_by(listing) or otherwise
        known = self._recorder.expected.known
        for charge_id in (*self._witnesses.lacking(listing), *self._unshown.gone):
            if charge_id in known:
                created_at, _ = known[charge_id]
                bound = min(bound, created_at)
        if bound:
            await self._recorder.note(Listed(bound=bound))

    def _told_by(self, listing: Listing) -> str:
        """The gateway's clock, or else its youngest charge, if that has been.

        Empty when the gateway said no time at all: a clock that nobody checked says nothing either.
        """
        if self._channel.gateway_date or not listing.latest:
            return self._channel.gateway_date
        return min(listing.latest, iso(now_of(self._clock)))
