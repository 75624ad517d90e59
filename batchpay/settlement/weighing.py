"""WEIGHING: what evidence is of an attempt, before anything of it is written: is it news, is its
charge another order's, what becomes of the attempt, and does that stop everything?

Here it is decided; `recorder` writes down what is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from batchpay.domain.errors import Taken
from batchpay.domain.events import (
    Answered,
    Evidence,
    Found,
    Intended,
    OfAttempt,
    Resolved,
    Restored,
    Told,
    line_of,
    told_in,
)
from batchpay.domain.model import ChargeSeen, Event, Intent
from batchpay.domain.ports import Journal
from batchpay.job.job import Fee
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import can_be_asked_for, flaws_of
from batchpay.lifecycle.folding import advance
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.places import row_told, sale_told
from batchpay.settlement.cases import Case, Cases
from batchpay.settlement.evidence import (
    is_refund,
    is_same,
    why_stop,
)
from batchpay.settlement.whose import Whose

CALLED_UNPROVEN = "a report of before the loss of a journal calls it unproven"
T = TypeVar("T", bound=Told)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What an event makes of its attempt."""

    after: Attempt
    stop: str  # why nothing is sent any more; empty: it is no reason for that
    belies_429: str  # its charge, where a 429 says or had said that it has none


class Weighing:
    """Holds evidence against what this run and its journal know."""

    def __init__(
        self,
        journal: Journal,
        cases: Cases,
        whose: Whose,
        *,
        live: bool,
        fee: Fee | None,
    ) -> None:
        """`fee`: the commission that a charge is held against when nobody knows what was asked for
        it.
        """
        self._journal = journal
        self._cases = cases
        self._whose = whose
        self._live = live
        self._fee = fee
        # read when it is first asked for
        self._called_unproven: frozenset[str] | None = None

    # --- a charge

    def flaws_of(self, charge: ChargeSeen, intent: Intent) -> tuple[str, ...]:
        """How a charge that a look-up showed differs from what was asked."""
        return flaws_of(charge, intent, self._live)

    def flaws_of_adopted(self, charge: ChargeSeen, intent: Intent) -> tuple[str, ...]:
        """The same of one that this journal did not make, or no longer knows it made."""
        flaws = list(self.flaws_of(charge, intent))
        if not charge.destination:
            flaws.append("no destination")
        if charge.id in self.called_unproven():
            flaws.append(CALLED_UNPROVEN)
        return tuple(flaws)

    def asked_by(self, charge: ChargeSeen, number: int) -> Intent:
        """What an attempt asked for, as far as its charge tells."""
        metadata = charge.metadata
        order_id = metadata.get("order_id", "")
        sheet, row = row_told(metadata.get("batchpay_row", ""))
        sale = sale_told(metadata)
        intent = Intent(
            order_id=order_id,
            attempt=number,
            key=metadata["batchpay_key"],
            body="",
            body_sha256="",
            content="",
            amount=charge.amount,
            currency=charge.currency,
            destination=charge.destination or "",
            payer=charge.payer or "",
            batch_id=self._journal.batch_named(metadata.get("batchpay_batch", "")),
            sheet=sheet,
            row=row,
            run_id=metadata.get("batchpay_run", ""),
            alike=alike(order_id),
            mode="live" if self._live else "test",
            corrects=next(iter(sale), ""),
            sale=sale,
            ids_from=metadata.get("batchpay_ids", ""),
        )
        if self._fee is None:
            return intent
        fixed = self._fee.fixed_in(charge.currency)
        return replace(intent, fee_fixed=fixed, fee_percentage=self._fee.percentage)

    def called_unproven(self) -> frozenset[str]:
        """Charges that reports of before a loss call unproven (wholeness)."""
        if self._called_unproven is None:
            losses = [told for _, told in told_in(self._journal, Restored)]
            self._called_unproven = frozenset(
                one for loss in losses for one in loss.unproven
            )
        return self._called_unproven

    def forget_unproven(self) -> None:
        """A loss was noted: it is read again when it is asked for."""
        self._called_unproven = None

    # --- an event

    def weigh(
        self, case: Case, event: Event, told: OfAttempt, anothers: str
    ) -> Weighed:
        """What an event makes of a case's attempt. `anothers`: whose its charge is, where it is
        another's, in words (`marked`). Raises errors.Taken for an intent that may not go.
        """
        before = case.attempt
        if isinstance(told, Intended) and before is not None and not before.resends:
            raise Taken(
                f"order {case.intent.order_id} is {before.outcome.value} by now"
            )
        after = advance(before, event, told)
        by_hand = isinstance(told, Resolved)
        stop = anothers or why_stop(case.others, before, after, by_hand=by_hand)
        return Weighed(after, stop, _belies_429(before, told, after))

    def is_no_news(self, case: Case, before: Attempt, told: Found) -> bool:
        """Does a look-up say what the journal has already?"""
        after = self.after(case, told)
        if not is_same(before, after):
            return False
        # where another attempt has its money, or may, a refund is news
        apart = any(not other.closed for other in case.others)
        return not (apart and is_refund(before, after))

    def after(self, case: Case, told: OfAttempt) -> Attempt:
        """What evidence would make of a case's attempt."""
        marked, _ = self.marked(told, case.intent, case.attempt)
        return advance(case.attempt, line_of(marked, case.intent, 0, ""))

    def marked(self, told: T, intent: Intent, before: Attempt | None) -> tuple[T, str]:
        """What an event is to tell, marked when its charge is another order's; and that in words,
        or "" where there is nothing to tell, or the attempt told it before, with a stop.
        """
        if not isinstance(told, Evidence) or told.charge is None:
            return told, ""
        if not can_be_asked_for(told.charge.id):
            return told, ""
        anothers = self._whose.anothers_charge(
            told.charge, intent, looked_up=isinstance(told, Found)
        )
        if not anothers:
            return told, ""
        theirs = self._whose.carries_their_key(told.charge.id)
        marked = told.as_anothers(anothers, theirs=theirs)
        if before is not None and before.is_known_as_anothers(told.charge.id):
            return marked, ""
        return marked, anothers

    # --- its sale

    def charged_twice(self, before: Attempt | None, mine: Attempt) -> Iterator[Attempt]:
        """The attempts beside which a charge that is met is a stop: it took money, or may, for a
        sale that has some under another id: another journal read its row with other ids, or another
        correction of it, and could not know. Or for one that went under another id, as far as
        anybody can tell, since it was said that this attempt took none. `before`, `mine`: the
        attempt as it was written, and as it is now.
        """
        if not mine.stands:
            return
        others: list[Attempt] = []
        if mine.placed:
            others += self._cases.of_sale(mine.intent)
        if before is not None and before.asked_in_vain:
            others += self._cases.by_terms(mine)
        # its row may link an attempt to it, and its terms as well
        for other in {one.intent.key: one for one in others}.values():
            if other.stands and not other.anothers:
                yield other


def _belies_429(before: Attempt | None, told: OfAttempt, after: Attempt) -> str:
    """The charge that is told now of what was said to have charged nothing because of too many
    requests, or that such an answer tells itself; empty: none.
    """
    if isinstance(told, Answered) and told.status == 429 and told.charge is not None:
        return told.charge.id
    if before is None or after.charge is None or not before.is_told_429:
        return ""
    return after.charge.id
