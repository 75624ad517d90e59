"""The journal in memory: the same rules without a disk, for tests and simulations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from batchpay.errors import Taken
from batchpay.journals.soundness import BESIDE
from batchpay.model import NO_MONEY, Event, Outcome

_NO_MONEY = frozenset(outcome.value for outcome in NO_MONEY)


class MemoryJournal:
    """Journal protocol over a list; what is appended is copied through JSON, as a file would."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._events: list[Event] = []
        self._sends: set[tuple[str, int, int]] = set()
        self._open: dict[str, tuple[int, str]] = {}  # order -> attempt, state

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
        return sorted(order_id for order_id, (_, state) in self._open.items() if state != Outcome.SUCCEEDED)


def _guard(event: Event, sends: set[tuple[str, int, int]], still_open: dict[str, tuple[int, str]]) -> None:
    """What schema.sql and the SQLite journal refuse."""
    number, now = still_open.get(event.order_id, (0, ""))
    if event.data.get("beside"):
        if event.data["state"] not in _NO_MONEY:
            still_open[event.order_id] = number or event.attempt, BESIDE
        return
    if event.kind in ("intent", "adopted"):
        send = (event.order_id, event.attempt, event.send)
        first = event.kind == "adopted" or event.send == 1
        if send in sends or (first and now) or (not first and (number, now) != (event.attempt, Outcome.HELD)):
            raise Taken(f"{send} is in the journal already, or the order may not be sent")
        sends.add(send)
        number, now = event.attempt, Outcome.IN_DOUBT.value
        still_open[event.order_id] = number, now
    state = event.data.get("state")
    if state is None or number != event.attempt or now == BESIDE:
        return
    if state in _NO_MONEY:
        still_open.pop(event.order_id, None)
    elif now:
        still_open[event.order_id] = number, str(state)
