"""The two protocols where the loop meets the world: Gateway and Journal. And the Clock both live
by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from batchpay.domain.model import Answer, Event, Intent


class Clock(Protocol):
    """Time as the loop sees it: immune to a wall clock that jumps, counting suspension."""

    boot_id: str

    def now_ns(self) -> int:
        """Wall clock at process start plus what has elapsed since; UTC nanoseconds."""

    def elapsed_s(self) -> float:
        """Seconds of CLOCK_BOOTTIME: comparable within one boot only."""


class Gateway(Protocol):
    """One call each: no retry, no pacing, no decision inside. None of them raises for what the
    world does.
    """

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
        """POST /charges. `may_leave` is asked right before the first byte; False leaves it unsent
        (out = False).
        """

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        """GET /charges/:id."""

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        """GET /charges: one page of at most `limit`, oldest first, from `since` (ISO 8601 UTC),
        `to` left open.
        """

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer:
        """GET /charges: a page of the one youngest charge from `since` (ISO 8601 UTC) on."""

    async def read(
        self, path: str, query: Mapping[str, str | int], may_leave: Callable[[], bool]
    ) -> Answer:
        """GET of any other resource."""

    async def aclose(self) -> None:
        """Drop every connection."""


class Journal(Protocol):
    """Append-only and durable when a call returns; all or none of its events."""

    id: str

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append, durably. Raises errors.Taken for an intent, an adoption or a withdrawal that may
        not be written (law L3, journals/guard.py), CannotWrite, InputOutput or TryLater.
        """

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same for the loop: shares one durable commit with whatever else is waiting."""

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """This job's events in order, or those of some kinds, after a sequence number."""

    def accounts(self) -> Iterator[Event]:
        """The `account` events of every job in the same journal, this job's last (J03)."""

    def histories(self, order_ids: Sequence[str]) -> Mapping[str, list[Event]]:
        """The events of some orders, oldest first."""

    def begun(self) -> Iterator[tuple[str, int]]:
        """Order id and number of every attempt of this job that was ever sent, or adopted."""

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet: in doubt, pending, unproven or never
        sent.
        """

    def look_alikes(self, forms: Sequence[str]) -> Mapping[str, list[str]]:
        """Look-alike form of an order id (plan.alike) -> the ids of this job's orders that were
        sent, or adopted, under that form, oldest first. Forms that nobody has are left out.
        """

    def order_of_charge(self, charge_id: str) -> tuple[str, str, int] | None:
        """Job, order id and attempt of the first event, of any job in the same journal, that tells
        of a charge.
        """

    def batch_named(self, batch_id: str) -> str:
        """The id under which this journal knows the batch of the same digest (its last 12 digits),
        whatever the day; the very id that is asked for where it knows none.
        """

    def elsewhere(
        self, order_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[str, list[Event]]]]:
        """Order id -> other jobs in the same journal, each with its events of that order id, or of
        one that corrects it, oldest first.
        """

    def id_of_row(self, job: str, batch_id: str, sheet: str, row: int) -> str:
        """The order id that this job's row of a file has which another job knows as this batch;
        empty where none.
        """

    def charges_known(self, since_ns: int) -> Mapping[str, str]:
        """Charge id -> `created_at` as the gateway told it ("" when it did not) of every charge
        that an answer, a look-up or an adoption of this job told of since then, by our wall clock
        (UTC nanoseconds).
        """

    def refused_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts of this job that an answer refused since then, by our wall clock
        (UTC nanoseconds).
        """
