"""CLIENT: what is asked of Omise as requests, its answers as documents (docs/gateway.md, 1, 2 and
7); how their bytes go is `wire`'s.

A request is put together as the bytes that go over the wire, and an answer taken apart as they
came. What a client library would add on the way, authentication flows, redirects and a timeout per
read, is what law L8 forbids, and it cost more than the rest of a charge's way out.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from batchpay import __version__
from batchpay.domain.model import Answer, Intent
from batchpay.domain.secrets import masked
from batchpay.gateways.omise.decoding import strict_json
from batchpay.gateways.omise.gateway import PAGE_SIZE
from batchpay.gateways.omise.wire import Flight, Raw, TooLong, Wire, Withheld, plain
from batchpay.job.job import GatewaySettings

LONGEST_EXCERPT = 300  # bytes of a body that nobody expected


# of an answer's head, beside its status
_RETRY_AFTER = b"retry-after"
_DATE = b"date"
_REMAINING = b"x-ratelimit-remaining"
_RESET = b"x-ratelimit-reset"
_TOLD = frozenset({_RETRY_AFTER, _DATE, _REMAINING, _RESET})


class Client:
    """The line to the gateway: one request each, answered with the document as it came."""

    def __init__(self, settings: GatewaySettings, secret_key: str) -> None:
        self._timeout_s = settings.timeout_s
        base = httpx.URL(settings.url.rstrip("/"))
        self._base = base.raw_path.decode("ascii").rstrip("/")
        token = base64.b64encode(f"{secret_key}:".encode()).decode("ascii")
        headers = (
            f"Host: {base.netloc.decode('ascii')}",
            f"Authorization: Basic {token}",
            f"Omise-Version: {settings.version}",
            f"User-Agent: batchpay/{__version__}",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "Connection: keep-alive",
        )
        self._headers = "\r\n".join(headers)
        self._wire = Wire(base, settings.timeout_s)

    async def charge(
        self, intent: Intent, may_leave: Callable[[], bool]
    ) -> Answer[Any]:
        """POST /charges with the intent's own body and key; `may_leave` is asked right before the
        first byte.
        """
        request = (
            f"POST {self._base}/charges HTTP/1.1\r\n{self._headers}\r\n"
            f"Idempotency-Key: {intent.key}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(intent.body)}\r\n\r\n{intent.body}"
        )
        return await self._answer(request, Flight(may_leave))

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        """GET /charges/:id."""
        return await self.read(f"/charges/{charge_id}", {}, may_leave)

    async def page(
        self,
        since: str,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = PAGE_SIZE,
    ) -> Answer[Any]:
        """GET /charges: one page, oldest first, from `since` (ISO 8601 UTC) on, `to` left open (law
        L5).
        """
        query: dict[str, str | int] = {
            "from": since,
            "order": "chronological",
            "limit": limit,
            "offset": offset,
        }
        return await self.read("/charges", query, may_leave)

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        """GET /charges: the youngest charge from `since` on, by itself (docs/gateway.md, 7.8)."""
        query: dict[str, str | int] = {
            "from": since,
            "order": "reverse_chronological",
            "limit": 1,
        }
        return await self.read("/charges", query, may_leave)

    async def read(
        self, path: str, query: Mapping[str, str | int], may_leave: Callable[[], bool]
    ) -> Answer[Any]:
        """GET of any resource: `/account`, `/recipients/recp_…`, `/transactions`."""
        target = f"{self._base}{quote(path)}"
        if query:
            target = f"{target}?{urlencode(query)}"
        request = f"GET {target} HTTP/1.1\r\n{self._headers}\r\n\r\n"
        return await self._answer(request, Flight(may_leave))

    async def aclose(self) -> None:
        """Drop every connection."""
        await self._wire.aclose()

    async def _answer(self, request: str, flight: Flight) -> Answer[Any]:
        """One request within the total deadline; whatever the world does becomes an Answer."""
        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await self._wire.exchange(request.encode("ascii"), flight)
        except Withheld:
            return Answer(
                out=False, withheld=True, trouble="kept back before its first byte"
            )
        except TimeoutError:
            if flight.answer is None:
                trouble = f"no complete answer within {self._timeout_s:g} s"
                return Answer(out=flight.out, trouble=trouble)
            try:
                # it had come, while this process or its machine slept
                raw = plain(flight.answer)
            except httpx.HTTPError as error:
                return _unreadable(flight, error)
        except httpx.HTTPError as error:
            return _unreadable(flight, error)
        return _read(raw)


def _read(raw: Raw) -> Answer[Any]:
    """What an answer says."""
    status, headers, body = raw
    document = strict_json(body)
    excerpt = ""
    if not isinstance(document, dict):
        excerpt = masked(body[:LONGEST_EXCERPT].decode("utf-8", "replace"))
    told = _told(headers)
    return Answer(
        out=True,
        status=status,
        said=document,
        excerpt=excerpt,
        retry_after=told.get(_RETRY_AFTER, ""),
        date=told.get(_DATE, ""),
        remaining=told.get(_REMAINING, ""),
        reset=told.get(_RESET, ""),
    )


def _told(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """What of the head matters; a header that came twice is read as its values in a row (RFC 9110,
    5.3).
    """
    told: dict[bytes, str] = {}
    for name, value in headers:
        if name not in _TOLD:
            continue
        text = value.decode("latin-1")
        if name in told:
            text = f"{told[name]}, {text}"
        told[name] = text
    return told


def _unreadable(flight: Flight, error: httpx.HTTPError) -> Answer[Any]:
    """No answer came, or one that cannot be read."""
    return Answer(
        out=flight.out,
        trouble=str(error) or type(error).__name__,
        too_long=isinstance(error, TooLong),
    )
