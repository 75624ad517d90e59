"""The gateway's own list of charges, held against the journal: before, while and after a run (law
L11).

Every list passes `reading`, and whether it proves anything is asked of `witnesses`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from batchpay.domain.errors import Misconfigured
from batchpay.domain.events import Listed, Restored
from batchpay.domain.model import (
    ChargeSeen,
    Outcome,
    Page,
)
from batchpay.domain.times import SKEW_S
from batchpay.lifecycle.charge import can_be_asked_for
from batchpay.lifecycle.listing import Listing
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.by_id import ById
from batchpay.settlement.cases import Case
from batchpay.settlement.may_be import MayBe
from batchpay.settlement.means import Means
from batchpay.settlement.odd import OddlyTold
from batchpay.settlement.reading import (
    INCOMPLETE,
    LONGEST_GAP_S,
    MOST_INCOMPLETE,
    Reading,
    incomplete,
    lacks,
)
from batchpay.settlement.since import EVERYTHING, OVERLAP, iso, now_of, time_of
from batchpay.settlement.witnesses import Witnesses

# ... and a repeated one this long before the youngest charge seen
WATCH_OVERLAP = timedelta(seconds=10)
# for a charge that no list shows, not even beside younger ones
LONGEST_WAIT_S = 86_400.0


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


class Lists:
    """Reads lists and takes what is of this job into the journal. `told` is called with each order
    that moved.
    """

    def __init__(self, means: Means, told: Callable[[Case], None]) -> None:
        self._gateway = means.gateway
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
        self._channel = means.channel
        self._recorder = means.recorder
        self._told = told
        self._period_s = means.settings.doubt_period_s
        self._gap_s = min(means.settings.lookup_gap_s, LONGEST_GAP_S)
        self._look: Look | None = None
        # did a list show a charge of this job that the journal did not know?
        self.met_unknown = False
        # why nothing goes since, where the look that then follows came to nothing
        self.unsure = ""
        # charges that had not ended, and that the gateway does not know any more
        self.gone: set[str] = set()
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

    # --- before the first send

    async def look(self, look: Look, *, gap_s: float) -> str:
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
            listing = await self.reading.read(
                since - OVERLAP, partial(self._absorb_first, look)
            )
            if listing is None or not listing.complete:
                why = incomplete(listing)
                tries += 1
                await self._channel.rest(gap_s)
                continue
            # it was lost, whatever lies beside it; or our clock said where to begin
            begins_late = self.met_unknown or not self._channel.dated
            if begins_late and not look.known_before and since != EVERYTHING:
                since = EVERYTHING
                continue
            wait_s = look.quiet_at_s - self._clock.elapsed_s()
            if self.met_unknown and wait_s > 0:
                await self._channel.rest(wait_s)
                continue
            is_lost = look.lost or self.met_unknown or not look.known_before
            if is_lost and (unreadable := _unreadable(listing)):
                why = unreadable_after_loss(unreadable.id)
                await self._recorder.unreadable(unreadable.id, why)
                tries += 1
                await self._channel.rest(gap_s)
                continue
            lacking = await self.still_lacking(listing)
            if is_lost and not lacking:
                lacking = await self._untold_by_reports(listing)
            if lacking:
                why = lacks(lacking[0])
                tries = 0
                if self._clock.elapsed_s() - began_s > self._period_s:
                    tries = MOST_INCOMPLETE
                await self._channel.rest(gap_s)
                continue
            if look.lost or self.met_unknown or (look.adopt and not look.known_before):
                # of those that tell no recipient accounts are full; a report may tell of some
                called = self._recorder.called_unproven()
                await self._recorder.strays.keep_nameless(
                    charge
                    for charge in listing.unclaimed
                    if charge.destination or charge.id in called
                )
            await self._note_bound(listing, iso(since))
            return ""
        return self._channel.closed or why

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
                await self._stop_for_unshown(charge_id)
            elif reply.charge is None:
                untold.append(charge_id)
            elif self._recorder.whose.is_unclaimed(reply.charge):
                await self._recorder.strays.keep_nameless([reply.charge])
            else:
                await self.absorbing.adopt_by_id(charge_id)
        return untold

    async def look_again(self, since: datetime) -> str:
        """The same look from earlier on, where a list of long ago showed a charge of ours that the
        journal does not know: once nothing can land any more that was under way when it was lost.
        Without it nothing is sent, and the loss is not made good.
        """
        assert self._look is not None
        wait_s = self._look.quiet_at_s - self._clock.elapsed_s()
        if wait_s > 0:
            await self._channel.rest(wait_s)
        since = min(since, self._look.since)
        look = replace(self._look, since=since)
        self.unsure = await self.look(look, gap_s=self._gap_s)
        return self.unsure

    async def absorb_old(self, page: Page) -> None:
        """A page of a list that reaches further back than the one before the first send."""
        if self._look is None:
            await self.absorbing.absorb_all(page)
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
            await self.absorbing.absorb(charge, known, adopting=True)
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

    # --- while and after

    async def compare(self, since: datetime) -> None:
        """List once more: whatever the gateway has of this job must be in the journal, once."""
        listing = await self.reading.read(since - OVERLAP, self.absorbing.absorb_all)
        if listing is not None and listing.complete:
            await self.still_lacking(listing)
            if not self.unsure:
                await self._note_bound(listing, "")

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
            await self._stop_for_unshown(self._passed_over)

    async def _stop_for_unshown(self, charge_id: str) -> None:
        """A charge that this journal has proof of is in no list: the stop names its order, and
        where a person looks. One that the gateway does not know by its id either is gone: that
        stays told of its order, until a person ends it.
        """
        case = self._recorder.cases.case_of(charge_id)
        if case is None:
            await self.absorbing.adopt_by_id(charge_id)
            case = self._recorder.cases.case_of(charge_id)
        step = steps.SEE_CHARGE()
        if case is None:
            why = said.STOP_IN_NO_LIST(charge=charge_id)
            await self._recorder.stop_for_charge(charge_id, f"{why}; {step}")
            return
        order_id = case.intent.order_id
        why = said.STOP_IN_NO_LIST_OF(order=order_id, charge=charge_id)
        if charge_id not in self._recorder.stopped_for and await self._by_id.is_unknown(
            charge_id
        ):
            await self._recorder.missing(case, charge_id)
            self._told(case)
            step = steps.SETTLE_GONE(order=order_id, charge=charge_id)
            why = said.STOP_UNKNOWN(order=order_id, charge=charge_id)
        await self._recorder.stop_for_charge(charge_id, f"{why}; {step}")

    async def still_lacking(self, listing: Listing) -> list[str]:
        """Those of `lacking` that may yet be shown; one that is passed over after the doubt period
        is a stop (J11).
        """
        waiting = []
        for charge_id in self.witnesses.lacking(listing):
            is_told = charge_id in self._recorder.stopped_for or charge_id in self.gone
            if is_told or await self._is_for_a_person(charge_id):
                continue
            created_at, _ = self._recorder.expected.known[charge_id]
            made_s = age_s(created_at, now_of(self._clock), dated=self._channel.dated)
            is_old = made_s >= self._period_s
            is_passed_over = created_at <= listing.latest or made_s >= LONGEST_WAIT_S
            if is_old and (is_passed_over or await self._by_id.is_unknown(charge_id)):
                await self._stop_for_unshown(charge_id)
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
        self.notes.append(str(gone))
        self._told(case)
        return True

    async def _note_bound(self, listing: Listing, otherwise: str) -> None:
        """Up to when a completed list speaks, but not beyond a charge that it should show and does
        not show yet, nor beyond one that is gone: the next run must miss that, too.
        """
        bound = self._bound(listing) or otherwise
        known = self._recorder.expected.known
        for charge_id in (*self.witnesses.lacking(listing), *self.gone):
            if charge_id in known:
                created_at, _ = known[charge_id]
                bound = min(bound, created_at)
        if bound:
            await self._recorder.note(Listed(bound=bound))

    def _bound(self, listing: Listing) -> str:
        """The gateway's clock, or else its youngest charge, if that has been.

        Empty when the gateway said no time at all: a clock that nobody checked says nothing either.
        """
        if self._channel.gateway_date or not listing.latest:
            return self._channel.gateway_date
        return min(listing.latest, iso(now_of(self._clock)))


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
