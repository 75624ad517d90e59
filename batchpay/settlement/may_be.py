"""MAY BE: is a charge of which nothing tells whose it is an attempt's own? Beside one that may be,
nothing is proven about the attempt, neither by a list nor by an answer.
"""

from __future__ import annotations

from batchpay.domain.model import ChargeSeen
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import can_be_asked_for, could_be, key_in
from batchpay.lifecycle.listing import Listing
from batchpay.settlement.by_id import ById
from batchpay.settlement.means import Means
from batchpay.settlement.recorder import Recorder


def may_be(
    charge: ChargeSeen,
    attempt: Attempt,
    recorder: Recorder,
    *,
    dated: bool,
) -> bool:
    """Could a charge of which nobody can tell whose it is be this attempt's? `dated`: does the
    gateway tell its time, so that ours is known to be near it?
    """
    since_ns = attempt.charged_since_ns if dated else 0
    is_unclaimed = recorder.whose.is_unclaimed(charge)
    return is_unclaimed and could_be(charge, attempt.intent, since_ns)


class MayBe:
    """Asks so of what the lists of a run show, and of what they no longer show."""

    def __init__(self, means: Means, by_id: ById) -> None:
        self._channel = means.channel
        self._recorder = means.recorder
        self._by_id = by_id
        self.kept = 0  # how often a list showed one beside what is said to be uncharged

    async def its(self, listing: Listing | None, attempt: Attempt) -> str:
        """The id of a charge without a key that could be this attempt's: then nothing is proven
        about it. Empty: there is none.

        In the list; or where an earlier list, or an answer, told of one and this list does not show
        it: then the list may be a copy from before, unless the gateway says by the id what is so.
        """
        if listing is None:
            return ""
        for charge in listing.unclaimed:
            if self._may_be(charge, attempt):
                return charge.id
        for charge_id in filter(None, (attempt.may_be, attempt.hinted)):
            if not listing.shows(charge_id) and await self._may_still_be(
                charge_id, attempt
            ):
                return charge_id
        return ""

    async def _may_still_be(self, charge_id: str, attempt: Attempt) -> bool:
        """The same of one that no list shows now: only what the gateway says of it by its id ends
        that.
        """
        is_told = charge_id in self._recorder.strays.disowned
        if is_told or not can_be_asked_for(charge_id):
            return False
        reply = await self._by_id.ask(charge_id)
        if reply.is_unknown:
            return False
        charge = reply.charge
        if charge is None:
            return True
        return key_in(charge) == attempt.intent.key or self._may_be(charge, attempt)

    def _may_be(self, charge: ChargeSeen, attempt: Attempt) -> bool:
        is_anothers = self._recorder.whose.is_anothers(charge.id, attempt.intent)
        return self._fits(charge, attempt) and not is_anothers

    async def keep_beside_uncharged(self, listing: Listing) -> None:
        """Beside a charge without a key that fits an order which is said to have charged nothing,
        nothing is certain: that is kept, for the row to tell and for every later attempt to wait.
        """
        if not listing.unclaimed:
            return
        uncharged = self._recorder.expected.said_uncharged()

        def fits(charge: ChargeSeen) -> bool:
            return any(self._fits(charge, one) for one in uncharged)

        if nameless := [charge for charge in listing.unclaimed if fits(charge)]:
            self.kept += 1
            await self._recorder.strays.keep_nameless(nameless)

    def _fits(self, charge: ChargeSeen, attempt: Attempt) -> bool:
        return may_be(charge, attempt, self._recorder, dated=self._channel.dated)
