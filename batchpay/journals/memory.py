"""The journal in memory: the same rules without a disk, for tests and simulations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from batchpay.domain.errors import Taken
from batchpay.domain.events import (
    BEGINNINGS,
    CHARGES,
    LOOKED_UP,
    SHOWN_CHARGES,
    Absent,
    Answered,
    BelongsTo,
    Intended,
    begins,
    charge_in,
    is_beside,
    state_in,
)
from batchpay.domain.model import Event, Outcome, tail_in
from batchpay.domain.times import NEVER_NS
from batchpay.journals.asked import owner_of_charge
from batchpay.journals.guard import Open, follow
from batchpay.journals.remembered import Remembered
from batchpay.lifecycle.order_ids import alike


class MemoryJournal(Remembered):
    """Journal protocol over a list; what is appended is copied through JSON, as a file would."""

    def __init__(self, job: str = "") -> None:
        super().__init__(job)
        self.id = uuid.uuid4().hex
        self._sends: set[tuple[str, int, int]] = set()
        self._last: dict[str, int] = {}  # order -> the highest attempt that began

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append all or none. Raises Taken."""
        sends = set(self._sends)
        last = dict(self._last)
        still_open = dict(self._open)
        stored: list[Event] = []
        for event in events:
            if event.order_id:
                _guard(event, sends, last, still_open)
            data = json.loads(json.dumps(event.data))
            stored.append(
                replace(event, data=data, seq=len(self._events) + len(stored) + 1)
            )
        self._sends = sends
        self._last = last
        self._open = still_open
        self._events += stored
        return stored

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same."""
        return self.append(events)

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """Events in order, or those of some kinds, after a sequence number."""
        wanted = frozenset(kinds)
        later = [event for event in self._events if event.seq > after]
        if not wanted:
            return iter(later)
        return iter([event for event in later if event.kind in wanted])

    def accounts(self) -> Iterator[Event]:
        """The `account` events: no other job shares this memory."""
        return self.events([BelongsTo.kind])

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
            (e.order_id, e.attempt)
            for e in self._events
            if e.order_id and begins(e.kind, e.send)
        )

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet."""
        return sorted(
            order_id
            for order_id, now in self._open.items()
            if now.state != Outcome.SUCCEEDED
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
        """Job, order id and attempt of the first event that tells of a charge, or of the one
        whose key it carries.
        """
        told = (
            (event, charge_in(event)) for event in self._events if event.kind in CHARGES
        )
        return owner_of_charge(
            (
                self.job,
                event.order_id,
                event.attempt,
                event.kind in LOOKED_UP,
                charge.get("metadata", {}).get("batchpay_key"),
            )
            for event, charge in told
            if charge.get("id") == charge_id
        )

    def batch_named(self, batch_id: str) -> str:
        """The id under which a batch of the same digest is known."""
        known = (event.batch_id for event in self._events if event.batch_id)
        return next(
            (one for one in known if tail_in(one) == tail_in(batch_id)), batch_id
        )

    def elsewhere(
        self, order_ids: Sequence[str]
    ) -> dict[str, list[tuple[str, list[Event]]]]:
        """Nothing: no other job shares this memory."""
        return {}

    def job_of_batch(self, batch_id: str) -> str:
        """Nobody: no other job shares this memory."""
        return ""

    def charges_known(self, since_ns: int, before_ns: int = NEVER_NS) -> dict[str, str]:
        """Charge id -> `created_at` of every charge that this job was told of since then."""
        known: dict[str, str] = {}
        for event in reversed(self._events):
            charge = charge_in(event)
            told = event.kind in SHOWN_CHARGES and "id" in charge
            if told and since_ns <= event.at_ns < before_ns:
                known[charge["id"]] = known.get(charge["id"]) or charge.get(
                    "created_at", ""
                )
        return known

    def youngest_charges(self, since_ns: int) -> dict[str, str]:
        """The youngest of these, as the gateway told it."""
        found: dict[str, str] = {}
        for event in self._events:
            charge = charge_in(event)
            created_at = charge.get("created_at", "")
            told = (
                event.kind in SHOWN_CHARGES
                and "id" in charge
                and event.at_ns >= since_ns
            )
            if told and created_at:
                found[charge["id"]] = max(created_at, found.get(charge["id"], ""))
        youngest = max(found.values(), default="")
        return {one: made for one, made in found.items() if made == youngest}

    def uncharged_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts of which an answer, or a look-up, said since then that nothing was
        charged.
        """
        found: dict[str, None] = {}
        for event in self._events:
            told = event.kind in (Answered.kind, Absent.kind)
            uncharged = told and state_in(event.data) in (Outcome.REFUSED, Outcome.HELD)
            if uncharged and event.at_ns >= since_ns:
                found[event.order_id] = None
        return list(found)

    def went_again_since(self, since_ns: int) -> list[str]:
        """Order ids of which a further request was meant to go since then."""
        found: dict[str, None] = {}
        for event in self._events:
            is_further = event.send > 1 or event.attempt > 1
            if event.kind == Intended.kind and is_further and event.at_ns >= since_ns:
                found[event.order_id] = None
        return list(found)


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
    then = follow(
        still_open.get(order_id),
        event.kind,
        event.attempt,
        event.send,
        state_in(event.data),
        is_beside(event.data),
        lambda: last.get(order_id, 0),
    )
    if event.kind in BEGINNINGS:
        sends.add(send)
        last[order_id] = max(last.get(order_id, 0), event.attempt)
    still_open.pop(order_id, None)
    if then is not None:
        still_open[order_id] = then
