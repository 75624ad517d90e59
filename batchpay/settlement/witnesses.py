"""WITNESSES: charges with proof, which every list must show. One that does not show a charge of
which this journal has proof is a copy from before, or lies, and proves no absence (docs/faults.md,
J05 and J11). Nothing is asked here: what a list proves is read off the list and the journal.
"""

from __future__ import annotations

from batchpay.domain.times import is_instant
from batchpay.lifecycle.listing import Listing
from batchpay.settlement.means import Means

NEVER = "9999-12-31T23:59:59Z"  # later than any charge
# how late a list may show a charge before it counts as one that does not
LARGEST_LAG_S = 20.0


class Witnesses:
    """Those of one run."""

    def __init__(self, means: Means) -> None:
        self._recorder = means.recorder
        self._lag_s = min(LARGEST_LAG_S, means.settings.doubt_period_s / 8)

    def proves_absence(self, listing: Listing | None) -> bool:
        """Is what this list does not show not there (law L5)?"""
        return (
            listing is not None
            and listing.complete
            and not listing.skipped
            and not self.lacking(listing)
        )

    def lacking(self, listing: Listing) -> list[str]:
        """Charges that this journal has proof of and a complete list should show, but does not; the
        oldest first.
        """
        lacking = []
        for charge_id, (created_at, proven_s) in self._recorder.expected.known.items():
            in_range = is_instant(created_at) and listing.since <= created_at
            proven = proven_s < listing.begun_s - self._lag_s
            if not (in_range and proven and listing.reaches(created_at)):
                continue
            if not listing.shows(charge_id) and not self._is_no_witness(charge_id):
                lacking.append((created_at, charge_id))
        if len(lacking) <= listing.skipped:
            # they may be what was passed over; such a list proves nothing anyway
            return []
        return [charge_id for _, charge_id in sorted(lacking)]

    def unshown(self, listing: Listing) -> list[tuple[str, float]]:
        """Charges that were proven in this run before a list began, in its range, and that it does
        not show; with CLOCK_BOOTTIME of the proof.
        """
        unshown = []
        for charge_id, (created_at, proven_s) in self._recorder.expected.known.items():
            proven = float("-inf") < proven_s <= listing.begun_s
            if not proven or created_at < listing.since or not is_instant(created_at):
                continue
            if not listing.shows(charge_id) and not self._is_no_witness(charge_id):
                unshown.append((charge_id, proven_s))
        return unshown

    def youngest(self, begun_s: float) -> str:
        """When the youngest charge was made that a list which begins now must show: it tells the
        list from a copy of before it.
        """
        youngest = ""
        for created_at, proven_s in self._recorder.expected.known.values():
            if is_instant(created_at) and proven_s < begun_s - self._lag_s:
                youngest = max(youngest, created_at)
        return youngest or NEVER

    def _is_no_witness(self, charge_id: str) -> bool:
        case = self._recorder.cases.case_of(charge_id)
        attempt = None if case is None else case.attempt
        return attempt is not None and attempt.is_no_witness(charge_id)
