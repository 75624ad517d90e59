"""UNSHOWN: a charge of which this journal has proof is in no list. For a while it may yet be shown;
one that is passed over is a stop (J11), and one that the gateway does not know by its id either is
gone, and for a person (J27).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from batchpay.domain.model import Outcome
from batchpay.domain.times import SKEW_S
from batchpay.lifecycle.listing import Listing
from batchpay.lifecycle.paid import settle_gone
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.by_id import ById
from batchpay.settlement.cases import Case
from batchpay.settlement.means import Means
from batchpay.settlement.since import now_of, time_of
from batchpay.settlement.witnesses import Witnesses

# for a charge that no list shows, not even beside younger ones
LONGEST_WAIT_S = 86_400.0


class Unshown:
    """What becomes of such charges in one run. `told` is called with each order that moved;
    `notes`: what a person should hear of the lists.
    """

    def __init__(
        self,
        means: Means,
        by_id: ById,
        witnesses: Witnesses,
        absorbing: Absorbing,
        told: Callable[[Case], None],
        notes: list[str],
    ) -> None:
        self._clock = means.clock
        self._channel = means.channel
        self._recorder = means.recorder
        self._period_s = means.settings.doubt_period_s
        self._by_id = by_id
        self._witnesses = witnesses
        self._absorbing = absorbing
        self._told = told
        self._notes = notes
        # charges that had not ended, and that the gateway does not know any more
        self.gone: set[str] = set()

    async def still_lacking(self, listing: Listing) -> list[str]:
        """Those that a list lacks and that may yet be shown; one that is passed over after the
        doubt period is a stop (J11).
        """
        waiting = []
        for charge_id in self._witnesses.lacking(listing):
            is_told = charge_id in self._recorder.stopped_for or charge_id in self.gone
            if is_told or await self._is_for_a_person(charge_id):
                continue
            created_at, _ = self._recorder.expected.known[charge_id]
            old_s = age_s(created_at, now_of(self._clock), dated=self._channel.dated)
            is_old = old_s >= self._period_s
            is_passed_over = created_at <= listing.latest or old_s >= LONGEST_WAIT_S
            if is_old and (is_passed_over or await self._by_id.is_unknown(charge_id)):
                await self.stop(charge_id)
            else:
                waiting.append(charge_id)
        return waiting

    async def _is_for_a_person(self, charge_id: str) -> bool:
        """Is it one that had not ended, and that the gateway no longer knows? That is told, and for
        a person (J27). Until they say what became of it, no list proves an absence: what has lost
        one charge may not show another.
        """
        case = self._recorder.cases.case_of(charge_id)
        if (
            case is None
            or case.attempt is None
            or case.attempt.outcome is not Outcome.PENDING
        ):
            return False
        if not await self._by_id.is_unknown(charge_id):
            return False
        await self._recorder.missing(case, charge_id)
        self.gone.add(charge_id)
        gone = said.GONE(charge=charge_id, order=case.intent.order_id)
        self._notes.append(str(gone))
        self._told(case)
        return True

    async def stop(self, charge_id: str) -> None:
        """A charge that this journal has proof of is in no list: the stop names its order, and
        where a person looks. One that the gateway does not know by its id either is gone: that
        stays told of its order, until a person ends it.
        """
        case = self._recorder.cases.case_of(charge_id)
        if case is None:
            await self._absorbing.adopt_by_id(charge_id)
            case = self._recorder.cases.case_of(charge_id)
        step = steps.SEE_CHARGE()
        if case is None:
            why = said.STOP_IN_NO_LIST(charge=charge_id)
            await self._recorder.stop_for_charge(charge_id, f"{why}; {step}")
            return
        order_id = case.intent.order_id
        why = said.STOP_IN_NO_LIST_OF(order=order_id, charge=charge_id)
        is_told = charge_id in self._recorder.stopped_for
        if not is_told and await self._by_id.is_unknown(charge_id):
            await self._recorder.missing(case, charge_id)
            self._told(case)
            assert case.attempt is not None
            step = settle_gone(case.attempt, charge_id)
            why = said.STOP_UNKNOWN(order=order_id, charge=charge_id)
        await self._recorder.stop_for_charge(charge_id, f"{why}; {step}")


def age_s(created_at: str, now: datetime, *, dated: bool) -> float:
    """How old a charge is by our clock; with a margin where the gateway does not tell its time
    (`dated`), for then nobody has checked ours. One that does not say when it was made is new.
    """
    made = time_of(created_at)
    if made is None:
        return 0.0
    if not dated:
        now -= timedelta(seconds=SKEW_S)
    return (now - made).total_seconds()
