"""BELONGING: whose account this journal is of, and how far back it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from batchpay.domain.events import BelongsTo, Restored, told_by, told_in
from batchpay.domain.ports import Journal
from batchpay.settlement.entries import Entries
from batchpay.settlement.in_force import whose_journal


class Belonging:
    """The account, mode and address, as the journal tells, or others where it does not."""

    def __init__(
        self,
        entries: Entries,
        journal: Journal,
        belongs: Mapping[str, Any],
        keep_whose: Callable[[Mapping[str, str]], None],
    ) -> None:
        """`belongs`: what others tell of the account, where the journal does not
        (wholeness.whose_before). `keep_whose`: keeps what the journal is told of it beside the
        journal.
        """
        self._entries = entries
        self._journal = journal
        self._belongs = belongs
        self._keep_whose = keep_whose

    def account(self) -> dict[str, Any]:
        """The account, mode and address that this journal belongs to; empty when no run wrote them
        down yet.
        """
        return whose_journal(self._journal.accounts())

    async def belong(self, told: BelongsTo) -> None:
        """Write down whose this journal is, where it does not say so already, and beside it."""
        whose = asdict(told)
        if whose != self.account():
            await self._entries.note(told)
        self._keep_whose(whose)

    def belongs_to(self) -> dict[str, Any]:
        """The same, by whoever tells: a journal that does not say may stand where one was lost that
        did (J03).
        """
        kept = self.account()
        if kept.get("account") or not self._belongs:
            return kept
        return {**kept, **self._belongs}

    def account_told_ns(self) -> int:
        """Wall clock (UTC ns) at which the journal was first told its account; 0: never."""
        told = told_by(self._journal.accounts(), BelongsTo)
        return min((event.at_ns for event, one in told if one.account), default=0)

    def youngest_before(self, at_ns: int) -> str:
        """The youngest charge of which this journal had proof before then; empty: of none."""
        every = self._journal.charges_known(0)
        since = self._journal.charges_known(at_ns)
        before = {
            charge_id: at for charge_id, at in every.items() if charge_id not in since
        }
        return max(before, key=lambda charge_id: before[charge_id], default="")

    def lost_events(self) -> bool:
        """Was this journal ever lost or put back, so that requests were made which it does not
        know?
        """
        return next(told_in(self._journal, Restored), None) is not None
