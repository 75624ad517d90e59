"""What the account has: a running balance for each mode, so that nobody adds up the whole ledger
for one transfer.
"""

from __future__ import annotations

from batchpay.sandbox.arithmetic import funding_of
from batchpay.sandbox.records import Transaction, Transfer


class Funds:
    """Total and what is set aside for transfers that are made and not sent, in the account's own
    currency.
    """

    def __init__(self) -> None:
        self._total = {False: 0, True: 0}  # by livemode
        self._aside = {False: 0, True: 0}
        self._held: dict[str, int] = {}  # transfer -> what it holds now

    def book(self, entry: Transaction) -> None:
        """One new line of the books."""
        if entry.direction == "credit":
            self._total[entry.livemode] += entry.amount
        else:
            self._total[entry.livemode] += -entry.amount

    def hold(self, transfer: Transfer) -> None:
        """A transfer that is new or was changed."""
        waits = (
            transfer.sent is None
            and not transfer.deleted
            and transfer.failure_code is None
        )
        if waits:
            amount = funding_of(transfer.amount, transfer.currency)
        else:
            amount = 0
        self._aside[transfer.livemode] += amount - self._held.pop(transfer.id, 0)
        if amount:
            self._held[transfer.id] = amount

    def balance(self, livemode: bool) -> tuple[int, int]:
        """Total and transferable."""
        return self._total[livemode], self._total[livemode] - self._aside[livemode]
