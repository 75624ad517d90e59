"""OMISE: the Gateway port: what is asked, over a line, and the answers as typed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from batchpay.domain.books import (
    Account,
    Balance,
    Booked,
    Capability,
    ChainLink,
    Customer,
    Happened,
    PageOf,
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
    Intent,
    Page,
    UnreadablePage,
)
from batchpay.gateways.omise import books, objects

PAGE_SIZE = 100  # the most the gateway gives (docs/gateway.md, 7.8)

T = TypeVar("T")


class Line(Protocol):
    """One request each, answered with the document as it came: the client, or a test in its
    place.
    """

    async def charge(
        self, intent: Intent, may_leave: Callable[[], bool]
    ) -> Answer[Any]:
        """POST /charges."""

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        """GET /charges/:id."""

    async def page(
        self,
        since: str,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[Any]:
        """GET /charges: one page, oldest first, with the end left open."""

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        """GET /charges: a page of the one youngest charge."""

    async def read(
        self, path: str, query: Mapping[str, str | int], may_leave: Callable[[], bool]
    ) -> Answer[Any]:
        """GET of any other resource."""

    async def aclose(self) -> None:
        """Drop every connection."""


class Omise:
    """Gateway port: each answer of a line, read by what was asked for."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def charge(
        self, intent: Intent, may_leave: Callable[[], bool]
    ) -> Answer[ChargeSeen | ChargeWithoutId]:
        """POST /charges."""
        return objects.told(
            await self._line.charge(intent, may_leave), objects.charge_answered
        )

    async def get(
        self, charge_id: str, may_leave: Callable[[], bool]
    ) -> Answer[ChargeSeen]:
        """GET /charges/:id."""
        return objects.told(
            await self._line.get(charge_id, may_leave), objects.charge_in
        )

    async def page(
        self,
        since: str,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[Page | UnreadablePage]:
        """GET /charges: one page, oldest first, with the end left open."""
        answer = await self._line.page(since, offset, may_leave, limit=limit)
        return objects.told(answer, objects.page_in)

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer[str]:
        """GET /charges: a page of the one youngest."""
        return objects.told(
            await self._line.newest(since, may_leave), objects.newest_in
        )

    async def account(self, may_leave: Callable[[], bool]) -> Answer[Account]:
        """GET /account."""
        return await self._read("/account", objects.account_in, may_leave)

    async def capability(self, may_leave: Callable[[], bool]) -> Answer[Capability]:
        """GET /capability."""
        return await self._read("/capability", objects.capability_in, may_leave)

    async def recipient(
        self, recipient_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Recipient]:
        """GET /recipients/:id."""
        return await self._read(
            f"/recipients/{recipient_id}", objects.recipient_in, may_leave
        )

    async def recipients(
        self, may_leave: Callable[[], bool]
    ) -> Answer[tuple[Recipient, ...]]:
        """GET /recipients: the first page."""
        return await self._read("/recipients", objects.recipients_in, may_leave)

    async def customers(
        self, may_leave: Callable[[], bool]
    ) -> Answer[tuple[Customer, ...]]:
        """GET /customers: the first page."""
        return await self._read("/customers", objects.customers_in, may_leave)

    async def booked(
        self, charge_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Booked]:
        """GET /charges/:id."""
        return objects.told(
            await self._line.get(charge_id, may_leave), books.charge_booked
        )

    async def charges(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[PageOf[Booked]]:
        """GET /charges of some time."""
        query = _query(span, offset, limit)
        return await self._read("/charges", books.charges_in, may_leave, query)

    async def transactions(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[PageOf[Transaction]]:
        """GET /transactions."""
        query = _query(span, offset, limit)
        return await self._read(
            "/transactions", books.transactions_in, may_leave, query
        )

    async def transfers(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[PageOf[Transfer]]:
        """GET /transfers."""
        query = _query(span, offset, limit)
        return await self._read("/transfers", books.transfers_in, may_leave, query)

    async def refunds(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[PageOf[Refund | None]]:
        """GET /refunds."""
        query = _query(span, offset, limit)
        return await self._read("/refunds", books.refunds_in, may_leave, query)

    async def disputed(
        self, dispute_id: str, may_leave: Callable[[], bool]
    ) -> Answer[str]:
        """GET /disputes/:id."""
        path = f"/disputes/{dispute_id}"
        return await self._read(path, books.charge_of_dispute, may_leave)

    async def balance(self, may_leave: Callable[[], bool]) -> Answer[Balance]:
        """GET /balance."""
        return await self._read("/balance", books.balance_in, may_leave)

    async def chains(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[PageOf[ChainLink]]:
        """GET /chains."""
        query = _query(span, offset, limit)
        return await self._read("/chains", books.chains_in, may_leave, query)

    async def chained(
        self, chain_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Transfer]:
        """GET /chains/:id/transfer."""
        path = f"/chains/{chain_id}/transfer"
        return await self._read(path, books.transfer_told, may_leave)

    async def transfer(
        self, transfer_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Transfer]:
        """GET /transfers/:id."""
        return await self._read(
            f"/transfers/{transfer_id}", books.transfer_told, may_leave
        )

    async def happened(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[PageOf[Happened]]:
        """GET /events."""
        query = _query(span, offset, limit)
        return await self._read("/events", books.events_in, may_leave, query)

    async def aclose(self) -> None:
        """Drop every connection."""
        await self._line.aclose()

    async def _read(
        self,
        path: str,
        read: Callable[[Any], T | None],
        may_leave: Callable[[], bool],
        query: Mapping[str, str | int] | None = None,
    ) -> Answer[T]:
        return objects.told(await self._line.read(path, query or {}, may_leave), read)


def _query(span: Span, offset: int, limit: int) -> dict[str, str | int]:
    """One page, oldest first (docs/gateway.md, 7.8)."""
    query: dict[str, str | int] = {"from": span.since, "order": "chronological"}
    if span.until:
        query["to"] = span.until
    return {**query, "limit": limit, "offset": offset}
