"""The routes: which handler answers which method and path, and with which kind of key
(docs/gateway.md, 7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox import (
    account,
    charging,
    listing,
    payers,
    recipients,
    refunds,
    search,
    transfers,
)
from batchpay.sandbox.call import Call, Handler
from batchpay.sandbox.desk import Desk
from batchpay.sandbox.faults import ENDS, Rule, fits
from batchpay.sandbox.keys import EITHER, PUBLIC, SECRET
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.problems import Problem, error_object
from batchpay.sandbox.records import KINDS
from batchpay.sandbox.store import Store

ROUTES: list[tuple[str, str, dict[str, Handler]]] = [
    ("/charges", SECRET, {"POST": charging.create, "GET": listing.listed("charge")}),
    (
        "/charges/{id}",
        SECRET,
        {"GET": listing.retrieved("charge"), "PATCH": charging.update},
    ),
    ("/charges/{id}/capture", SECRET, {"POST": charging.capture}),
    ("/charges/{id}/reverse", SECRET, {"POST": charging.reverse}),
    ("/charges/{id}/expire", SECRET, {"POST": charging.expire}),
    ("/charges/{id}/mark_as_paid", SECRET, {"POST": charging.mark_as_paid}),
    ("/charges/{id}/mark_as_failed", SECRET, {"POST": charging.mark_as_failed}),
    ("/charges/{id}/events", SECRET, {"GET": listing.of_charge("event")}),
    (
        "/charges/{id}/refunds",
        SECRET,
        {"POST": refunds.create, "GET": listing.of_charge("refund")},
    ),
    ("/charges/{id}/refunds/{refund}", SECRET, {"GET": refunds.retrieve}),
    ("/refunds", SECRET, {"GET": listing.listed("refund")}),
    ("/disputes", SECRET, {"GET": listing.listed("dispute")}),
    ("/disputes/{id}", SECRET, {"GET": listing.retrieved("dispute")}),
    ("/search", SECRET, {"GET": search.search}),
    ("/chains", SECRET, {"GET": listing.listed("chain")}),
    ("/chains/{id}", SECRET, {"GET": listing.retrieved("chain")}),
    ("/chains/{id}/transfer", SECRET, {"GET": transfers.chain_transfer}),
    ("/chains/{id}/revoke", SECRET, {"POST": transfers.revoke_chain}),
    (
        "/transfers",
        SECRET,
        {"POST": transfers.create, "GET": listing.listed("transfer")},
    ),
    (
        "/transfers/{id}",
        SECRET,
        {
            "GET": transfers.retrieve,
            "PATCH": transfers.update,
            "DELETE": transfers.delete,
        },
    ),
    ("/transfers/{id}/mark_as_sent", SECRET, {"POST": transfers.mark_as_sent}),
    ("/transfers/{id}/mark_as_paid", SECRET, {"POST": transfers.mark_as_paid}),
    (
        "/recipients",
        SECRET,
        {"POST": recipients.create, "GET": listing.listed("recipient")},
    ),
    (
        "/recipients/{id}",
        SECRET,
        {
            "GET": recipients.retrieve,
            "PATCH": recipients.update,
            "DELETE": recipients.delete,
        },
    ),
    ("/recipients/{id}/verify", SECRET, {"POST": recipients.verify}),
    ("/transactions", SECRET, {"GET": listing.listed("transaction")}),
    ("/transactions/{id}", SECRET, {"GET": listing.retrieved("transaction")}),
    ("/events", SECRET, {"GET": listing.listed("event")}),
    ("/events/{id}", SECRET, {"GET": listing.retrieved("event")}),
    ("/tokens", PUBLIC, {"POST": payers.create_token}),
    ("/tokens/{id}", PUBLIC, {"GET": payers.retrieve_token}),
    ("/sources", EITHER, {"POST": payers.create_source}),
    ("/sources/{id}", EITHER, {"GET": payers.retrieve_source}),
    (
        "/customers",
        SECRET,
        {"POST": payers.create_customer, "GET": listing.listed("customer")},
    ),
    (
        "/customers/{id}",
        SECRET,
        {
            "GET": payers.retrieve_customer,
            "PATCH": payers.update_customer,
            "DELETE": payers.delete_customer,
        },
    ),
    ("/customers/{id}/cards", SECRET, {"GET": listing.cards}),
    ("/customers/{id}/cards/{card}", SECRET, {"GET": payers.retrieve_card}),
    ("/account", SECRET, {"GET": account.account}),
    ("/balance", SECRET, {"GET": account.balance}),
    ("/capability", EITHER, {"GET": account.capability}),
]

LONGEST_OFFSET_S = 3650 * 86_400
_LOOPBACK = re.compile(
    rb"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE
)


class Resource:
    """One path; starlette takes it as an ASGI application, so that every method comes here."""

    def __init__(self, desk: Desk, access: str, handlers: dict[str, Handler]) -> None:
        self._desk = desk
        self._access = access
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        handler = self._handlers.get(scope["method"], _no_service)
        ids = tuple(scope.get("path_params", {}).values())
        response = await self._desk.serve(scope, receive, handler, self._access, ids)
        await response(scope, receive, send)


class Backstage:
    """/__sandbox/...: what only tests ask, from this machine alone; neither noted nor limited."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET log, GET ledger, POST rules, DELETE rules, POST turn, POST clock."""
        known = "GET log, GET ledger, POST or DELETE rules, POST turn, POST clock"
        response: Response = JSONResponse({"error": known}, 404)
        match scope["method"], scope["path_params"]["name"]:
            case "GET", "log":
                response = JSONResponse(self._desk.log.documents())
            case "GET", "ledger":
                books = {
                    f"{kind}s": everything(self._desk.store, kind) for kind in KINDS
                }
                response = JSONResponse(books)
            case "POST", "rules":
                response = _told(await Request(scope, receive).body(), self._add)
            case "DELETE", "rules":
                self._desk.rules.clear()
                response = JSONResponse({"rules": 0})
            case "POST", "turn":
                response = _told(await Request(scope, receive).body(), self._turn)
            case "POST", "clock":
                response = _told(await Request(scope, receive).body(), self._set_clock)
        await response(scope, receive, send)

    def _add(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, list):
            given = [given]
        rules = list(map(Rule.parse, given))
        self._desk.rules.extend(rules)
        return {"rules": len(self._desk.rules)}

    def _turn(self, given: Any) -> dict[str, Any]:
        wanted = {"becomes": "", "order_id": "", "id": ""} | given
        is_whole = set(wanted) == {"becomes", "order_id", "id"}
        if not is_whole or wanted["becomes"] not in ENDS:
            ends = ", ".join(ENDS)
            raise Misconfigured(
                f"give becomes, one of {ends}, and the order_id or the id of a charge"
            )
        turned = self._desk.turn(
            wanted["becomes"],
            wanted["order_id"],
            wanted["id"],
        )
        return {"turned": turned}

    def _set_clock(self, given: Any) -> dict[str, Any]:
        offset_s = given.get("clock_offset_s")
        is_seconds = set(given) == {"clock_offset_s"} and fits(offset_s, float)
        if not is_seconds or not abs(offset_s) < LONGEST_OFFSET_S:
            raise Misconfigured(
                "give clock_offset_s, in seconds: how far its clock is ahead of this machine's"
            )
        self._desk.store.offset_s = float(offset_s)
        return {"clock_offset_s": offset_s}


def _told(body: bytes, do: Callable[[Any], dict[str, Any]]) -> Response:
    """What came of it, or what was wrong with what was asked."""
    try:
        return JSONResponse(do(json.loads(body)))
    except (ValueError, TypeError, AttributeError, Misconfigured) as error:
        return JSONResponse({"error": str(error)}, 400)


def build(desk: Desk) -> ASGIApp:
    """The whole application: a router without middleware; paths may end in a slash
    (docs/gateway.md, 1.4).
    """
    routes = [
        Route(path, Resource(desk, access, handlers))
        for path, access, handlers in ROUTES
    ]
    routes.append(Route("/__sandbox/{name}", Backstage(desk)))
    router = Router(routes, redirect_slashes=False, default=Resource(desk, EITHER, {}))

    async def sandbox(scope: Scope, receive: Receive, send: Send) -> None:
        if why := stranger(scope):
            await JSONResponse(error_object("forbidden", why), 403)(
                scope, receive, send
            )
            return
        path = scope["path"]
        if path.endswith("/") and path != "/":
            scope["path"] = path.rstrip("/")
        await router(scope, receive, send)

    return sandbox


def stranger(scope: Scope) -> str:
    """Why a request is none of a program on this machine: a web page that somebody reads here may
    send what it likes to 127.0.0.1, under its own name for it. "" when it is one; what is refused
    is neither noted nor has it any effect.
    """
    if scope["client"] is None or scope["client"][0] not in ("127.0.0.1", "::1"):
        return "the sandbox answers this machine alone"
    named = [value for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1 or not _LOOPBACK.fullmatch(named[0]):
        return "the Host of a request is 127.0.0.1, localhost or [::1], with any port"
    headers = dict(scope["headers"])
    if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none":
        return "the sandbox answers programs, not web pages: a request with an Origin is refused"
    return ""


def everything(store: Store, kind: str) -> list[Thing]:
    """All there is of a kind in all accounts, as the API shows it, oldest first; asked from other
    threads too.
    """
    found = [
        (ledger, one)
        for ledger in list(store.ledgers.values())
        for one in list(ledger.shelves[kind].values())
    ]
    if len(store.ledgers) > 1:
        found.sort(key=lambda pair: pair[1].id.rpartition("_")[2])
    return [listing.rendered(ledger, kind, one) for ledger, one in found]


def _no_service(ledger: Ledger, call: Call) -> Thing:
    raise Problem(404, "service_not_found", f"no service at {call.method} {call.path}")
