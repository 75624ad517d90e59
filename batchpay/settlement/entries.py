"""ENTRIES: the lines of a run, or of a batch, that are not about one attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batchpay.domain.events import Told, line
from batchpay.domain.model import Event
from batchpay.domain.ports import Clock, Journal


class Entries:
    """What all events of a run have in common: when, and in which run."""

    def __init__(self, journal: Journal, clock: Clock, run_id: str) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id

    def line(self, told: Told, **where: Any) -> Event:
        """An event as it would be written now."""
        return line(told, self._clock.now_ns(), self._run_id, **where)

    async def write(self, lines: Sequence[Event]) -> None:
        """Durable when this returns."""
        await self._journal.write(lines)

    async def note(self, told: Told, batch_id: str = "") -> None:
        """An event about the run or a batch, not about one order."""
        await self.write([self.line(told, batch_id=batch_id)])
