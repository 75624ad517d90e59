"""STILL PAID: before two charges of a sale are called a double, the one that the journal had is
asked for by its id. A journal that was put back does not know what ended that one since, and what
came in its place is no double then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager

from batchpay.domain.model import ChargeSeen
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.paid import takes_of
from batchpay.settlement.cases import Case, Cases

Read = Callable[[str], Awaitable[ChargeSeen | None]]
"""A charge by its id, as the gateway shows it now; None where it does not."""


async def _nobody(charge_id: str) -> None:
    """What a person's word is written beside was asked for before."""


class StillPaid:
    """Asks for them as long as the gateway can be asked."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._read: Read = _nobody

    @contextmanager
    def read_by(self, read: Read) -> Iterator[None]:
        """For so long the gateway can be asked, in this way."""
        self._read = read
        try:
            yield
        finally:
            self._read = _nobody

    async def read(self, charge_ids: Iterable[str]) -> list[ChargeSeen]:
        """Charges as the gateway shows them now; one that it does not show is none of them."""
        shown = [await self._read(one) for one in dict.fromkeys(charge_ids)]
        return [one for one in shown if one is not None]

    async def shown(self, attempts: Iterable[Attempt]) -> list[tuple[Case, ChargeSeen]]:
        """The same of all that took money of some attempts, or may yet, as far as the journal
        knows. Those that take none come first: then what is written of the others is written
        beside no money that is gone.
        """
        shown = []
        for attempt in attempts:
            intent = attempt.intent
            for charge in await self.read(one.id for one in takes_of(attempt)):
                case = self._cases.case_at(intent.order_id, intent.attempt)
                if case is not None:
                    shown.append((case, charge))
        return sorted(shown, key=lambda one: one[1].takes_money)
