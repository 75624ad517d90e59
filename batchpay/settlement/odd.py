"""ODD: what a list tells so that it cannot be read is asked for by its id; what cannot be read even
so may be any order's, and a person must say whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchpay.domain.model import ChargeSeen, OddEntry, Page
from batchpay.lifecycle.listing import Listing
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.by_id import ById
from batchpay.settlement.recorder import Recorder

# entries that tell little but their id, and that a run asks for by it
MOST_BARE = 100


class OddlyTold:
    """Reads such entries and charges, of all lists of a run."""

    def __init__(self, recorder: Recorder, by_id: ById) -> None:
        self._recorder = recorder
        self._by_id = by_id
        self._asked_bare = 0  # how many of them told neither recipient nor metadata

    async def as_told(self, odd: Sequence[OddEntry]) -> list[ChargeSeen] | None:
        """What entries that cannot be read are, asked for by their ids; nothing of those that this
        journal knows already, or that a person said are none of this job's. None: one of them may
        be any order's.
        """
        charges = []
        for entry in odd:
            if self._is_told(entry.id):
                continue
            charge = await self._by_id.read(entry.id)
            if charge is None:
                return None
            charges.append(charge)
        return charges

    async def wait_for_a_word(self, listing: Listing, odd: Sequence[OddEntry]) -> str:
        """Why a list is not read beyond some entries; each is kept for a person to tell of."""
        reasons = []
        for entry in odd:
            if self._is_told(entry.id):
                continue
            step = steps.ODD_ENTRY(charge=entry.id)
            place = entry.told(listing.offset)
            reasons.append(
                f"of the charges since {listing.since}, oldest first, {place}; {step}"
            )
            why = f"an entry cannot be read as a charge: {entry.names}; {step}"
            why = f"{said.LIST_INCOMPLETE()}: {why}"
            await self._recorder.unreadable(entry.id, why)
        return reasons[0]

    async def readable(self, page: Page) -> Page:
        """The same page; a charge whose metadata cannot be read is asked for by its id, once: one
        of a recipient, and one that tells none either, which may be anybody's; of these so many.
        """
        charges = []
        for charge in page.charges:
            by_id = None
            if "metadata" in charge.unread_fields and self._is_worth_asking(charge):
                by_id = await self._by_id.read_once(charge)
            charges.append(by_id or charge)
        return replace(page, charges=tuple(charges))

    def _is_worth_asking(self, charge: ChargeSeen) -> bool:
        if charge.destination is not None:
            return True
        is_known = self._by_id.was_read_once(charge) or self._is_told(charge.id)
        if is_known or self._asked_bare >= MOST_BARE:
            return False
        self._asked_bare += 1
        return True

    def _is_told(self, charge_id: str) -> bool:
        """Does this journal know it, or did a person say that it is none of this job's?"""
        recorder = self._recorder
        return charge_id in recorder.strays.disowned or recorder.whose.is_known(
            charge_id
        )
