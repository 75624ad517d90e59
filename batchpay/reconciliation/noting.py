"""NOTE: a person's word on one difference of an audit, and whether it still holds.

A note is of the difference as it was: what it is about, how much, and what else it stood at. When
any of that is another, the difference is open again, and the note is shown as one of an earlier
state (docs/faults.md, J31).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from batchpay.domain.events import DifferenceNoted, told_by
from batchpay.domain.model import Event
from batchpay.reconciliation.matching import Difference


@dataclass(frozen=True, slots=True)
class Note:
    """What the journal keeps of it."""

    id: str  # of the difference
    order: str
    charge_id: str
    amount: int  # smallest unit
    currency: str
    state: str
    told: str  # what the difference said
    reason: str
    by: str
    at_ns: int = 0  # wall clock, UTC; the event's own

    def holds(self, difference: Difference) -> bool:
        """Is the difference still what it was?"""
        return (self.id, self.amount, self.currency, self.state) == (
            difference.id,
            difference.amount,
            difference.currency,
            difference.state,
        )

    def as_told(self) -> DifferenceNoted:
        """For the journal."""
        kept = asdict(self)
        del kept["at_ns"]
        return DifferenceNoted(**kept)


def note_on(difference: Difference, reason: str, by: str) -> Note:
    """A note on the difference as it is now."""
    return Note(
        difference.id,
        difference.order_id,
        difference.charge_id,
        difference.amount,
        difference.currency,
        difference.state,
        difference.told,
        reason,
        by,
    )


def kept(events: Iterable[Event]) -> dict[str, Note]:
    """Id of a difference -> the last note on it."""
    notes = told_by(events, DifferenceNoted)
    return {told.id: Note(**asdict(told), at_ns=event.at_ns) for event, told in notes}


def open_of(
    differences: Iterable[Difference], notes: Mapping[str, Note]
) -> list[Difference]:
    """The differences that somebody must look at: nobody took note of them as they are now."""
    return [
        one
        for one in differences
        if not one.over and (one.id not in notes or not notes[one.id].holds(one))
    ]
