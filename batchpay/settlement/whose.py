"""WHOSE: the order and attempt that a charge is of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from batchpay.domain.model import ChargeSeen, Intent
from batchpay.domain.ports import Journal
from batchpay.lifecycle.charge import has_key, key_in
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.keys import explains_itself, key_of, place_in
from batchpay.settlement.cases import Case, Cases
from batchpay.settlement.evidence import is_claimed
from batchpay.settlement.expected import Expected
from batchpay.settlement.strays import Strays


class Whose:
    """By its key, by what it says itself, by what the journal knows of it: `place` decides."""

    def __init__(
        self,
        journal: Journal,
        job: str,
        cases: Cases,
        expected: Expected,
        strays: Strays,
    ) -> None:
        self._journal = journal
        self._job = job
        self._cases = cases
        self._expected = expected
        self._strays = strays
        # charge id -> order and attempt, of those seen in this run
        self._orders: dict[str, tuple[str, int]] = {}
        # ... and of these, those that carried the key of that attempt
        self._by_key: set[str] = set()
        # charge id -> order and attempt that held it, until a look-up showed another's key
        self._lost: dict[str, tuple[str, int]] = {}
        # key -> the journal's attempt that it is of, if any is
        self._traced: dict[str, tuple[str, int] | None] = {}

    def place(self, charge: ChargeSeen) -> tuple[str, int | None] | None:
        """Order id and attempt of a charge of this job: the one place that says whose a charge is.

        By its key first, held against what it says itself, what is under way and what is open; by
        the job's name only then (docs/gateway.md, 2.1). Without a number: the name is this job's,
        the key is not. None: not this job's.
        """
        key = key_in(charge) or ""
        at_work = self._cases.at_work(key)
        if at_work is not None:
            intent = at_work.intent
            return intent.order_id, intent.attempt
        place = place_in(self._job, charge.metadata)
        if (
            (place is not None and place[1] is not None)
            or not has_key(charge)
            or explains_itself(charge.metadata)
        ):
            return place
        self.trace([charge])
        known = self._traced[key] or self._known_by_id(charge.id, key)
        uncharged = self._expected.uncharged(key)
        if known is None and uncharged is not None:
            asked = uncharged.intent
            known = asked.order_id, asked.attempt
        if known is not None:
            return known
        self._strays.meet(key, charge)
        return place

    def _known_by_id(self, charge_id: str, key: str) -> tuple[str, int] | None:
        known = self._journal.order_of_charge(charge_id)
        if known is None or known[0] != self._job or key_of(*known) != key:
            return None
        return (known[1], known[2])

    def trace(self, charges: Iterable[ChargeSeen]) -> None:
        """Look for the attempts of keys that say no more: one walk through all that began, for all
        of them together.
        """
        keys: set[str] = set()
        for charge in charges:
            key = key_in(charge) or ""
            tells_no_more = has_key(charge) and not explains_itself(charge.metadata)
            if tells_no_more and key not in self._traced:
                keys.add(key)
        if not keys:
            return
        self._traced |= dict.fromkeys(keys)
        for order_id, number in self._journal.begun():
            key = key_of(self._job, order_id, number)
            if key in keys:
                self._traced[key] = (order_id, number)

    def match(
        self, charges: Sequence[ChargeSeen]
    ) -> list[tuple[ChargeSeen, Case | int | None]]:
        """Charges of this job with what the journal knows of them.

        A Case: an attempt of the journal, the very one that a worker holds if one does, so that
        evidence reaches it. A number: an attempt that only the gateway knows. None: a key that this
        job would never make.
        """
        self.trace(charges)
        places = [(charge, self.place(charge)) for charge in charges]
        ours = [(charge, place) for charge, place in places if place is not None]
        histories = self._journal.histories([order_id for _, (order_id, _) in ours])
        matched: list[tuple[ChargeSeen, Case | int | None]] = []
        cases: dict[str, Case] = {}
        for charge, (order_id, number) in ours:
            key = key_in(charge) or ""
            attempts = fold(histories.get(order_id, []))
            known = next((one for one in attempts if one.intent.key == key), None)
            at_work = self._cases.at_work(key)
            if at_work is not None and at_work.attempt:
                matched.append((charge, at_work))
            elif known is not None:
                case = cases.setdefault(key, Case(known.intent, known, present=False))
                matched.append((charge, case))
            elif number is None:
                matched.append((charge, self._cases.proven_by(charge.id)))
            else:
                matched.append((charge, number))
        return matched

    def is_unclaimed(self, charge: ChargeSeen) -> bool:
        """Can nobody tell whose charge this is? Then it may be any order's that it fits: also where
        it was told for one that did not ask for it (`is_claimed`).
        """
        if charge.id in self._strays.disowned or explains_itself(charge.metadata):
            return False
        place = self.place(charge)
        if place is not None and place[1] is not None:
            return False
        is_told = self._cases.proven_by(charge.id) is not None
        return not (is_told and is_claimed(self._journal, self._job, charge.id))

    def is_known(self, charge_id: str) -> bool:
        """Does an event tell of it as an order's charge, of this job or another one?"""
        return self._journal.order_of_charge(charge_id) is not None

    def is_anothers(self, charge_id: str, intent: Intent) -> bool:
        """Does this journal know it as the charge of another order, attempt or job?"""
        known = self._journal.order_of_charge(charge_id)
        return known is not None and known != (
            self._job,
            intent.order_id,
            intent.attempt,
        )

    def anothers_charge(
        self, charge: ChargeSeen, intent: Intent, *, looked_up: bool = False
    ) -> str:
        """Is the charge that is told of one of another order or attempt? A charge belongs to one
        (J11): to whose key it carries, also where it was told for another one before; where it
        carried that one's key then, to whose key it carries when it is `looked_up`. What is not
        another's is this one's from here on, and lists must show it.
        """
        mine = (intent.order_id, intent.attempt)
        carries_its_key = key_in(charge) == intent.key
        told = f"{charge.id} was answered for order {intent.order_id}; it is order"
        if charge.id not in self._orders:
            earlier = self._journal.order_of_charge(charge.id)
            if earlier is None:
                self._orders[charge.id] = mine
            elif earlier[0] == self._job:
                self._orders[charge.id] = (earlier[1], earlier[2])
            else:
                return f"{told} {earlier[1]}'s of job {earlier[0]}"
        first = self._orders[charge.id]
        if first != mine and carries_its_key:
            has_carried = self.carries_their_key(charge.id)
            if has_carried and looked_up:
                self._lost[charge.id] = first
            if looked_up or not has_carried:
                first = self._orders[charge.id] = mine
        if first == mine:
            if carries_its_key:
                self._by_key.add(charge.id)
            self._expected.prove(charge)
            return ""
        return f"{told} {first[0]}'s (attempt {first[1]})"

    def who_lost(self, charge_id: str) -> Case | None:
        """The attempt that held a charge until a look-up showed another's key; named once."""
        lost = self._lost.pop(charge_id, None)
        if lost is None:
            return None
        return self._cases.case_at(*lost)

    def carries_their_key(self, charge_id: str) -> bool:
        """Did the first order that a charge was told for see it with its own key? Two answers may
        have been exchanged: then each order was told the other's charge, and that its own carries
        its key is what counts.
        """
        if charge_id in self._by_key:
            return True
        first = self._journal.order_of_charge(charge_id)
        if first is None or first[0] != self._job:
            return first is not None
        _, order_id, number = first
        attempts = self._cases.attempts(order_id)
        return any(
            charge_id in one.twins for one in attempts if one.intent.attempt == number
        )
