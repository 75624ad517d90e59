"""The journal in memory: the same rules without a disk, for tests and simulations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from batchpay.errors import Taken
from batchpay.model import NO_MONEY, Event, Outcome

_NO_MONEY = frozenset(outcome.value for outcome in NO_MONEY)


class MemoryJournal:
    """Journal protocol over a list; what is appended is copied through JSON, as a file would."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._events: list[Event] = []
        self._sends: set[tuple[str, int, int]] = set()
        self._open: dict[str, tuple[int, bool]] = {}  # order -> attempt, settled

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append all or none. Raises Taken."""
        sends, still_open = set(self._sends), dict(self._open)
        stored: list[Event] = []
        for event in events:
            _guard(event, sends, still_open)
            data = json.loads(json.dumps(event.data))
            stored.append(replace(event, data=data, seq=len(self._events) + len(stored) + 1))
        self._sends, self._open = sends, still_open
        self._events += stored
        return stored

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same."""
        return self.append(events)

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """Events in order, or those of some kinds, after a sequence number."""
        wanted = frozenset(kinds)
        return iter([e for e in self._events if e.seq > after and (not wanted or e.kind in wanted)])

    def histories(self, order_ids: Sequence[str]) -> dict[str, list[Event]]:
        """The events of some orders, oldest first."""
        found: dict[str, list[Event]] = {}
        for event in self._events:
            if event.order_id and event.order_id in order_ids:
                found.setdefault(event.order_id, []).append(event)
        return found

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet."""
        return sorted(order_id for order_id, (_, settled) in self._open.items() if not settled)


def _guard(event: Event, sends: set[tuple[str, int, int]], still_open: dict[str, tuple[int, bool]]) -> None:
    """The two unique indexes of schema.sql."""
    if event.kind in ("intent", "adopted"):
        send = (event.order_id, event.attempt, event.send)
        if send in sends or (event.send <= 1 and event.order_id in still_open):
            raise Taken(f"{send} is in the journal already, or another attempt of the order is open")
        sends.add(send)
        if event.send <= 1:
            still_open[event.order_id] = (event.attempt, False)
    state = event.data.get("state")
    if state in _NO_MONEY and still_open.get(event.order_id, (0,))[0] == event.attempt:
        del still_open[event.order_id]
    elif state is not None and event.order_id in still_open:
        still_open[event.order_id] = (still_open[event.order_id][0], state == Outcome.SUCCEEDED)
