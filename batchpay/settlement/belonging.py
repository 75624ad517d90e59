"""BELONGING: whose account this journal is of, and how far back it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from batchpay.domain.events import BelongsTo, Restored, told_by, told_in
from batchpay.domain.ports import Journal
from batchpay.settlement.entries import Entries
from batchpay.settlement.in_force import whose_journal

# charges of which one must be shown: a single one may be gone
WITNESSES = 3


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
        whose = {"account": told.account, "mode": told.mode, "url": told.url}
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

    def others_since(self, at_ns: int) -> set[str]:
        """The accounts that the journal knew as its own then (wall clock, UTC ns) or later, but the
        one that it knows now; empty text among them: nobody had told it yet.
        """
        accounts = {""}
        for event, told in told_by(self._journal.accounts(), BelongsTo):
            if told.account and event.at_ns <= at_ns:
                accounts = {told.account}
            elif told.account:
                accounts.add(told.account)
        return accounts - {self.account().get("account", "")}

    def witnesses(self, *, untold: bool) -> list[str]:
        """Some charges of which this journal has proof, the youngest first; `untold`: of before it
        was told its account.
        """
        known = self._journal.charges_known(0)
        told = told_by(self._journal.accounts(), BelongsTo)
        first_ns = min((event.at_ns for event, one in told if one.account), default=0)
        if untold and first_ns:
            since = self._journal.charges_known(first_ns)
            known = {
                charge_id: at
                for charge_id, at in known.items()
                if charge_id not in since
            }
        return sorted(known, key=lambda one: known[one], reverse=True)[:WITNESSES]

    def lost_events(self) -> bool:
        """Was this journal ever lost or put back, so that requests were made which it does not
        know?
        """
        return next(told_in(self._journal, Restored), None) is not None
