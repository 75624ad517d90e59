"""ABSORBING: what a list shows of this job enters the journal: as evidence of its attempt, as an
adopted charge where the journal knows none, as a stop where nothing explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from batchpay.domain.errors import Taken
from batchpay.domain.model import ChargeSeen, Intent, Outcome, Page
from batchpay.lifecycle.charge import KNOWN_STATUS, key_in, outcome_of
from batchpay.messages import nights as said
from batchpay.settlement.by_id import ById
from batchpay.settlement.cases import Case
from batchpay.settlement.recorder import Recorder


class Absorbing:
    """Takes what is of this job from the lists of a run. `told` is called with each order that
    moved.
    """

    def __init__(
        self, recorder: Recorder, by_id: ById, told: Callable[[Case], None]
    ) -> None:
        self._recorder = recorder
        self._by_id = by_id
        self._told = told
        self.moved = 0  # how much of it the journal did not know

    async def absorb_all(self, page: Page) -> None:
        """Take what is of this job into the journal, and what others charge of its orders; what
        cannot be explained is a stop.
        """
        for charge, known in self._recorder.whose.match(page.charges):
            await self.absorb(charge, known, adopting=False)
        await self._recorder.others.keep(page.charges)

    async def absorb_known(self, page: Page) -> None:
        """The same of the attempts that the journal knows. What it does not know is left to the
        list before a run's first send, which takes it over (`first_look`).
        """
        for charge, known in self._recorder.whose.match(page.charges):
            if isinstance(known, Case):
                await self.absorb(charge, known, adopting=False)
        await self._recorder.others.keep(page.charges)

    async def absorb(
        self, charge: ChargeSeen, known: Case | int | None, *, adopting: bool
    ) -> None:
        """Take a charge of this job from a list into the journal; what cannot be explained is a
        stop.
        """
        if isinstance(known, Case):
            by_id = None
            await self._ask_for_other(known, charge)
            if self._is_older(known, charge):
                by_id = await self._by_id.read_once(charge)
            before = known.attempt
            await self._recorder.found(known, by_id or charge, by_id=by_id is not None)
            self.moved += known.attempt is not before
            return
        if known is None:
            await self._recorder.stop_for_charge(
                charge.id,
                str(said.STOP_FOREIGN_KEY(charge=charge.id)),
            )
            return
        stop = ""
        if not adopting:
            stop = str(said.STOP_OTHER_RUN(charge=charge.id))
        try:
            case = await self._recorder.adopt(charge, known, stop=stop)
        # its order entered the journal at this moment: by a worker's intent, or from another list
        except Taken:
            ((_, by_now),) = self._recorder.whose.match([charge])
            # as its own attempt now, or beside another one
            await self.absorb(charge, by_now, adopting=adopting)
            return
        self.moved += 1
        self._told(case)

    def _is_older(self, case: Case, charge: ChargeSeen) -> bool:
        """Does a list show a charge that had ended as one that did not, or without the chain that
        it had? The list may be a copy from before: while its own run goes on, one is not asked.
        """
        if _lost_its_chain(case, charge):
            return True
        attempt = case.attempt
        if attempt is None or attempt.charge is None or attempt.charge.id != charge.id:
            return False
        waits = KNOWN_STATUS.get(charge.status) is Outcome.PENDING
        had_ended = outcome_of(attempt.charge) is not Outcome.PENDING
        is_new = self._recorder.expected.is_of_this_run(charge.id)
        return waits and had_ended and not is_new

    async def _ask_for_other(self, case: Case, charge: ChargeSeen) -> None:
        """A list shows a charge under the key of one that has another id: what the gateway knows of
        that one says whether there are two, or an answer told a false id.
        """
        known = _other_than(case, charge)
        if known and await self._by_id.is_unknown(known):
            await self._recorder.missing(case, known)

    async def adopt_by_id(self, charge_id: str) -> None:
        """One that gave a loss away, and that no list shows any more: the gateway may know it by
        its id.
        """
        charge = await self._by_id.read(charge_id)
        if charge is not None:
            for one, known in self._recorder.whose.match([charge]):
                await self.absorb(one, known, adopting=True)

    async def take_up(
        self, case: Case, strays: Sequence[tuple[int, ChargeSeen]]
    ) -> None:
        """An order that is about to be sent has charges already, each by its attempt: they named
        only their keys.
        """
        known = {
            earlier.intent.attempt: Case(earlier.intent, earlier, present=False)
            for earlier in case.others
            if earlier.intent.order_id == case.intent.order_id
        }
        if case.attempt is not None:
            known[case.intent.attempt] = case
        with suppress(Taken):
            for number, stray in strays:
                # what a list of an earlier run showed of it may be old
                by_id = await self._by_id.read_once(stray)
                charge = stray
                if by_id is not None and key_in(by_id) == key_in(stray):
                    charge = by_id
                if number in known:
                    await self._recorder.found(known[number], charge)
                else:
                    asked = _asked(case.intent, number, charge)
                    known[number] = await self._recorder.adopt(charge, number, asked)
                self._told(known[number])


def _other_than(case: Case, charge: ChargeSeen) -> str:
    """Id of the charge that an attempt is known to have, where a list shows another one under its
    key for the first time; empty otherwise.
    """
    attempt = case.attempt
    if attempt is None or attempt.charge is None or charge.id in attempt.twins:
        return ""
    known = attempt.charge.id
    its_own = key_in(charge) == case.intent.key and known in attempt.twins
    if not its_own or known in attempt.unknown:
        return ""
    return known


def _lost_its_chain(case: Case, charge: ChargeSeen) -> bool:
    """Does a list show a charge without the chain that it had? The list may be a copy from
    before.
    """
    if case.attempt is None or case.attempt.charge is None:
        return False
    known = case.attempt.charge
    had_one = known.id == charge.id and bool(known.chain)
    return had_one and charge.paid and not charge.chain


def _asked(intent: Intent, number: int, charge: ChargeSeen) -> Intent:
    """What an attempt of the same order asked for; of another one than is about to be sent only the
    charge tells.
    """
    if number == intent.attempt:
        return intent
    return replace(
        intent,
        attempt=number,
        key=key_in(charge) or "",
        body="",
        body_sha256="",
        content="",
        amount=charge.amount,
        currency=charge.currency,
        destination=charge.destination or "",
        payer=charge.payer or "",
        single_use="",
    )
