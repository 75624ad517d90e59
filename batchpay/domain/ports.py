"""The two protocols where the loop meets the world: Gateway and Journal. And the Clock both live
by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from batchpay.domain.books import (
    Account,
    Booked,
    Capability,
    Customer,
    Listed,
    Recipient,
    Refund,
    Span,
    Transaction,
    Transfer,
)
from batchpay.domain.model import (
    Answer,
    ChargeSeen,
    ChargeWithoutId,
    Event,
    Intent,
    Page,
    UnreadablePage,
)


class Clock(Protocol):
    """Time as the loop sees it: immune to a wall clock that jumps, counting suspension."""

    boot_id: str

    def now_ns(self) -> int:
        """Wall clock at process start plus what has elapsed since; UTC nanoseconds."""

    def elapsed_s(self) -> float:
        """Seconds of CLOCK_BOOTTIME: comparable within one boot only."""


class Gateway(Protocol):
    """One call each: no retry, no pacing, no decision inside. None of them raises for what the
    world does, and no document of the gateway's leaves it: what an answer `said` is typed, and None
    where it is not what was asked for.

    `may_leave` is asked right before a request's first byte; False leaves it unsent (out = False).
    """

    async def charge(
        self, intent: Intent, may_leave: Callable[[], bool]
    ) -> Answer[ChargeSeen | ChargeWithoutId]:
        """Make one charge, by the intent's own key and body."""

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer[ChargeSeen]:
        """One charge by its id; status 404: the gateway knows none."""

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer[Page | UnreadablePage]:
        """One page of at most `limit` charges, oldest first, from `since` (ISO 8601 UTC) on, with
        the end left open (law L5).
        """

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer[str]:
        """The id of the youngest charge from `since` (ISO 8601 UTC) on; empty when there is none,
        or it cannot be read.
        """

    # --- who may be charged, and paid

    async def account(self, may_leave: Callable[[], bool]) -> Answer[Account]:
        """Whose account the key is of."""

    async def capability(self, may_leave: Callable[[], bool]) -> Answer[Capability]:
        """The least and the most of a charge, and the smallest transfer."""

    async def recipient(
        self, recipient_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Recipient]:
        """Can this recipient be paid?"""

    async def recipients(self, may_leave: Callable[[], bool]) -> Answer[tuple[Recipient, ...]]:
        """Some recipients of the account."""

    async def customers(self, may_leave: Callable[[], bool]) -> Answer[tuple[Customer, ...]]:
        """Some customers of the account."""

    # --- the account's own ledger, page by page, oldest first

    async def booked(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer[Booked]:
        """One charge by its id, with its dispute and its refunds."""

    async def charges(
        self, span: Span, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer[Listed[Booked]]:
        """Charges, and what else stands in their list."""

    async def transactions(
        self, span: Span, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer[Listed[Transaction]]:
        """Credits and debits."""

    async def transfers(
        self, span: Span, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer[Listed[Transfer]]:
        """Transfers to recipients."""

    async def refunds(
        self, span: Span, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer[Listed[Refund | None]]:
        """Refunds, by the day they were made; None stands for what is none."""

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
