"""Omise (Opn Payments): the only module that speaks the gateway's HTTP (omise-api.md, sections 1, 2
and 7).

Requests, answers and errors are httpx's; they go straight to the transport. What an httpx client
would add on the way, authentication flows, redirects and a timeout per read, is what law L8
forbids, and it cost more than the rest of a charge's way out.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import httpx

from batchpay import __version__
from batchpay.domain.model import Answer, Intent
from batchpay.domain.secrets import masked
from batchpay.gateways.omise.gateway import PAGE_SIZE
from batchpay.gateways.omise.wire import Flight, TooLong, Wire, Withheld, answered
from batchpay.job.job import GatewaySettings

LONGEST_EXCERPT = 300  # bytes of a body that nobody expected


class Client:
    """The line to the gateway: one request each, answered with the document as it came."""

    def __init__(
        self,
        settings: GatewaySettings,
        secret_key: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_s = settings.timeout_s
        self._base = settings.url.rstrip("/")
        self._url = httpx.URL(f"{self._base}/charges")
        token = base64.b64encode(f"{secret_key}:".encode()).decode("ascii")
        self._headers = {
            "Host": self._url.netloc.decode("ascii"),
            "Authorization": f"Basic {token}",
            "Omise-Version": settings.version,
            "User-Agent": f"batchpay/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "keep-alive",
        }
        self._raw_headers = httpx.Headers(self._headers).raw
        self._wire = transport or Wire(settings.timeout_s)

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer[Any]:
        """POST /charges with the intent's own body and key; `may_leave` is asked right before the
        first byte.
        """
        body = intent.body.encode("ascii")
        headers = [
            *self._raw_headers,
            (b"Idempotency-Key", intent.key.encode("ascii")),
            (b"Content-Type", b"application/x-www-form-urlencoded"),
            (b"Content-Length", str(len(body)).encode("ascii")),
        ]
        request = httpx.Request("POST", self._url, headers=headers, content=body)
        return await self._answer(request, Flight(may_leave))

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        """GET /charges/:id."""
        url = self._url.copy_with(path=f"{self._url.path}/{charge_id}")
        request = httpx.Request("GET", url, headers=self._headers)
        return await self._answer(request, Flight(may_leave))

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = PAGE_SIZE
    ) -> Answer[Any]:
        """GET /charges: one page, oldest first, from `since` (ISO 8601 UTC) on, `to` left open (law
        L5).
        """
        params: dict[str, str | int] = {
            "from": since,
            "order": "chronological",
            "limit": limit,
            "offset": offset,
        }
        request = httpx.Request("GET", self._url, params=params, headers=self._headers)
        return await self._answer(request, Flight(may_leave))

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer[Any]:
        """GET /charges: the youngest charge from `since` on, by itself (omise-api.md, 7.8)."""
        params: dict[str, str | int] = {
            "from": since,
            "order": "reverse_chronological",
            "limit": 1,
        }
        request = httpx.Request("GET", self._url, params=params, headers=self._headers)
        return await self._answer(request, Flight(may_leave))

    async def read(
        self, path: str, query: Mapping[str, str | int], may_leave: Callable[[], bool]
    ) -> Answer[Any]:
        """GET of any other resource: `/account`, `/recipients/recp_…`, `/transactions`."""
        request = httpx.Request(
            "GET", f"{self._base}{path}", params=dict(query), headers=self._headers
        )
        return await self._answer(request, Flight(may_leave))

    async def aclose(self) -> None:
        """Drop every connection."""
        await self._wire.aclose()

    async def _answer(self, request: httpx.Request, flight: Flight) -> Answer[Any]:
        """One request within the total deadline; whatever the world does becomes an Answer."""
        request.extensions["flight"] = flight
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._wire.handle_async_request(request)
                body = await response.aread()
        except Withheld:
            return Answer(out=False, withheld=True, trouble="kept back before its first byte")
        except TimeoutError:
            if flight.answer is None:
                trouble = f"no complete answer within {self._timeout_s:g} s"
                return Answer(out=flight.out, trouble=trouble)
            try:
                # it had come, while this process or its machine slept
                response, body = answered(flight.answer)
            except httpx.HTTPError as error:
                return _unreadable(flight, error)
        except httpx.HTTPError as error:
            return _unreadable(flight, error)
        document, excerpt, headers = strict_json(body), "", response.headers
        if not isinstance(document, dict):
            excerpt = masked(body[:LONGEST_EXCERPT].decode("utf-8", "replace"))
        return Answer(
            out=True,
            status=response.status_code,
            said=document,
            excerpt=excerpt,
            retry_after=headers.get("retry-after", ""),
            date=headers.get("date", ""),
            remaining=headers.get("x-ratelimit-remaining", ""),
            reset=headers.get("x-ratelimit-reset", ""),
        )


def _unreadable(flight: Flight, error: httpx.HTTPError) -> Answer[Any]:
    """No answer came, or one that cannot be read."""
    return Answer(
        out=flight.out,
        trouble=str(error) or type(error).__name__,
        too_long=isinstance(error, TooLong),
    )


def strict_json(body: bytes) -> Any:
    """A JSON document, or None for anything that is not strictly one: BOM, NaN, 1e400, repeated
    keys, absurd depth.

    Half a surrogate pair, which JSON can write and no file can hold, becomes U+FFFD.
    """
    try:
        text = body.decode("utf-8")
        document = _STRICT.decode(text)
        if _SURROGATE_ESCAPE.search(text):
            return _writable(document)
        return document
    except (ValueError, RecursionError):
        return None


_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_A_PAIR.sub("\ufffd", value)
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return _without_repeats(
            [(_writable(name), _writable(item)) for name, item in value.items()]
        )
    return value


def _finite(text: str) -> Decimal:
    if not math.isfinite(float(text)):
        raise ValueError(text)
    return Decimal(text)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


_STRICT = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_without_repeats
)
