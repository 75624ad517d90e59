"""The journal in memory: the same rules without a disk, for tests and simulations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from batchpay.domain.errors import Taken
from batchpay.domain.model import Event, Outcome
from batchpay.journals.asked import begins
from batchpay.journals.attempts import state_in
from batchpay.journals.guard import BEGINNINGS, Open, follow
from batchpay.journals.remembered import Remembered
from batchpay.lifecycle.plan import alike

_CHARGES_OF = ("answer", "found", "adopted", "resolved")


class MemoryJournal(Remembered):
    """Journal protocol over a list; what is appended is copied through JSON, as a file would."""

    def __init__(self, job: str = "") -> None:
        super().__init__(job)
        self.id = uuid.uuid4().hex
        self._sends: set[tuple[str, int, int]] = set()
        self._last: dict[str, int] = {}  # order -> the highest attempt that began

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append all or none. Raises Taken."""
        sends, last, still_open = set(self._sends), dict(self._last), dict(self._open)
        stored: list[Event] = []
        for event in events:
            if event.order_id:
                _guard(event, sends, last, still_open)
            data = json.loads(json.dumps(event.data))
            stored.append(replace(event, data=data, seq=len(self._events) + len(stored) + 1))
        self._sends, self._last, self._open = sends, last, still_open
        self._events += stored
        return stored

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same."""
        return self.append(events)

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """Events in order, or those of some kinds, after a sequence number."""
        wanted = frozenset(kinds)
        return iter([e for e in self._events if e.seq > after and (not wanted or e.kind in wanted)])

    def accounts(self) -> Iterator[Event]:
        """The `account` events: no other job shares this memory."""
        return self.events(["account"])

    def histories(self, order_ids: Sequence[str]) -> dict[str, list[Event]]:
        """The events of some orders, oldest first."""
        found: dict[str, list[Event]] = {}
        for event in self._events:
            if event.order_id and event.order_id in order_ids:
                found.setdefault(event.order_id, []).append(event)
        return found

    def begun(self) -> Iterator[tuple[str, int]]:
        """Order id and number of every attempt that began."""
        return (
            (e.order_id, e.attempt) for e in self._events if e.order_id and begins(e.kind, e.send)
        )

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet."""
        return sorted(
            order_id for order_id, now in self._open.items() if now.state != Outcome.SUCCEEDED
        )

    def look_alikes(self, forms: Sequence[str]) -> dict[str, list[str]]:
        """Look-alike form of an order id -> the ids of orders that were sent, or adopted, under
        that form.
        """
        found: dict[str, dict[str, None]] = {}
        for event in self._events:
            form = alike(event.order_id)
            if event.order_id and begins(event.kind, event.send) and form in forms:
                found.setdefault(form, {})[event.order_id] = None
        return {form: list(order_ids) for form, order_ids in found.items()}

    def order_of_charge(self, charge_id: str) -> tuple[str, str, int] | None:
        """Job, order id and attempt of the first event that tells of a charge."""
        for event in self._events:
            if event.kind in _CHARGES_OF and _charge_of(event).get("id") == charge_id:
                return self.job, event.order_id, event.attempt
        return None

    def batch_named(self, batch_id: str) -> str:
        """The id under which a batch of the same digest is known."""
        known = (event.batch_id for event in self._events if event.batch_id)
        return next((one for one in known if one[-12:] == batch_id[-12:]), batch_id)

    def elsewhere(self, order_ids: Sequence[str]) -> dict[str, list[tuple[str, list[Event]]]]:
        """Nothing: no other job shares this memory."""
        return {}

    def charges_known(self, since_ns: int) -> dict[str, str]:
        """Charge id -> `created_at` of every charge that this job was told of since then."""
        known: dict[str, str] = {}
        for event in reversed(self._events):
            charge = _charge_of(event)
            if (
                event.kind in ("answer", "found", "adopted")
                and event.at_ns >= since_ns
                and "id" in charge
            ):
                known[charge["id"]] = known.get(charge["id"]) or charge.get("created_at", "")
        return known

    def refused_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts that an answer refused since then."""
        told = (e for e in self._events if e.kind == "answer" and e.at_ns >= since_ns)
        return list(dict.fromkeys(e.order_id for e in told if state_in(e.data) == Outcome.REFUSED))


def _charge_of(event: Event) -> dict[str, str]:
    return event.data.get("charge") or {}


def _guard(
    event: Event,
    sends: set[tuple[str, int, int]],
    last: dict[str, int],
    still_open: dict[str, Open],
) -> None:
    """What schema.sql and the SQLite journal refuse."""
    order_id = event.order_id
    send = (order_id, event.attempt, event.send)
    if event.kind in BEGINNINGS and send in sends:
        raise Taken(f"{send} is in the journal already")
    now, state, beside = (
        still_open.get(order_id),
        state_in(event.data),
        bool(event.data.get("beside")),
    )
    then = follow(
        now, event.kind, event.attempt, event.send, state, beside, lambda: last.get(order_id, 0)
    )
    if event.kind in BEGINNINGS:
        sends.add(send)
        last[order_id] = max(last.get(order_id, 0), event.attempt)
    still_open.pop(order_id, None)
    if then is not None:
        still_open[order_id] = then
