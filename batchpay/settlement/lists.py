"""LISTS: all that reads the gateway's own list of charges in one run and holds it against the
journal. Each part knows those above it alone: what a list must show, what one shows, what follows.
"""

from __future__ import annotations

from collections.abc import Callable

from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.bound import Bound
from batchpay.settlement.by_id import ById
from batchpay.settlement.cases import Case
from batchpay.settlement.first_look import FirstLook
from batchpay.settlement.may_be import MayBe
from batchpay.settlement.means import Means
from batchpay.settlement.odd import OddlyTold
from batchpay.settlement.reading import Reading
from batchpay.settlement.unshown import Unshown
from batchpay.settlement.watching import Watching
from batchpay.settlement.witnesses import Witnesses


class Lists:
    """The parts of one run. `told` is called with each order that moved."""

    def __init__(self, means: Means, told: Callable[[Case], None]) -> None:
        self.notes: list[str] = []  # what a person should hear of the gateway's lists
        self.owed: list[str] = []  # of these, what is for the next run to look at
        by_id = ById(means.gateway, means.channel)
        odd = OddlyTold(means.recorder, by_id)
        self.witnesses = Witnesses(means)
        self.may_be = MayBe(means, by_id)
        self.absorbing = Absorbing(means.recorder, by_id, told)
        self.reading = Reading(means, odd, self.witnesses, self.may_be, self.notes)
        self.unshown = Unshown(
            means, by_id, self.witnesses, self.absorbing, told, self.notes
        )
        bound = Bound(means, self.witnesses, self.unshown)
        self.first_look = FirstLook(
            means, by_id, self.reading, self.absorbing, self.unshown, bound
        )
        self.watching = Watching(
            means,
            self.reading,
            self.absorbing,
            self.witnesses,
            self.unshown,
            bound,
            self.first_look,
        )

    @property
    def moved(self) -> int:
        """How much lists have told that the journal did not know."""
        return self.absorbing.moved + self.may_be.kept
