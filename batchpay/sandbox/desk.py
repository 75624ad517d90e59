"""What happens to every request: noted, counted, matched with the fault script, authenticated,
handled, answered.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from batchpay.sandbox import (
    account,
    charging,
    lies,
    params,
    recipients,
    subjects,
    transfers,
    wire,
)
from batchpay.sandbox.call import Call, Handler
from batchpay.sandbox.faults import NO_RULE, Rule
from batchpay.sandbox.idempotency import Replays
from batchpay.sandbox.keys import Keys
from batchpay.sandbox.ledger import Ledger
from batchpay.sandbox.log import Entry, Log
from batchpay.sandbox.problems import Problem, error_object, unauthorised
from batchpay.sandbox.store import Store
from batchpay.sandbox.throttle import Throttle

Result = tuple[int, Any]

_ENCODE = json.JSONEncoder(
    ensure_ascii=False,
    separators=(",", ":"),
    check_circular=False,
    default=str,
).encode
_SWAP_S = 5.0
_TOO_MANY = (
    429,
    error_object("too_many_requests", "too many requests, please slow down"),
)


@dataclass(slots=True)
class Asked:
    """One request on its way to its handler; `problem` is what was wrong with its parameters."""

    entry: Entry
    headers: dict[bytes, bytes]
    body: bytes
    handler: Handler
    access: str
    ids: tuple[str, ...]
    given: params.Params = field(default_factory=dict)
    problem: Problem | None = None
    ledger: Ledger | None = None  # whose books, once the key is known to be good

    def header(self, name: bytes) -> str:
        """A header's text; "" when it is missing."""
        return self.headers.get(name, b"").decode("latin-1")


class Desk:
    """One sandbox's counter; used on the server's own thread."""

    def __init__(
        self,
        store: Store,
        rules: list[Rule],
        throttle: Throttle | None,
        honours_keys: bool,
        keys: Keys,
    ) -> None:
        self.store = store
        self.rules = rules
        self.throttle = throttle
        self.log = Log()
        self.keys = keys
        self._replays = Replays(store.common) if honours_keys else None
        self._sends: Counter[str] = Counter()
        self._late: set[asyncio.Task[Result]] = set()
        self._last: Response | None = None

    async def serve(
        self,
        scope: Scope,
        receive: Receive,
        handler: Handler,
        access: str,
        ids: tuple[str, ...],
    ) -> Response:
        """The answer to one request, broken or not."""
        body = await _body(receive)
        headers = dict(scope["headers"])
        entry = self.log.enter(
            scope, headers.get(b"idempotency-key", b"").decode("latin-1"), body
        )
        if self.throttle is not None and not self.throttle.admit():
            return self._turned_away(entry, self.throttle)
        asked = Asked(entry, headers, body, handler, access, ids)
        try:
            asked.given = params.merged(
                scope["query_string"], body, asked.header(b"content-type")
            )
        except Problem as error:
            asked.problem = error
        rule = self._rule(entry, asked.given)
        if rule is None and self._replays is None:
            return self._answered(entry, *self._handled(asked, NO_RULE))
        return await self._the_long_way(asked, rule or NO_RULE)

    def _handled(self, asked: Asked, rule: Rule) -> Result:
        """Authenticate and handle; whatever happens becomes a status and a document."""
        try:
            key = self.keys.checked(
                asked.headers.get(b"authorization", b""), asked.access
            )
            if rule.revoke:
                self.keys.revoke(key)
                raise unauthorised()
            if asked.problem is not None:
                raise asked.problem
            livemode = "_test_" not in key
            entry = asked.entry
            asked.ledger = ledger = self.keys.books(key, self.store)
            if ledger.account:
                asked.entry.account = account.id_of(ledger, livemode)
            else:
                asked.entry.account = ""
            if ledger.account and "recipient" not in ledger.shelves:
                recipients.seed(ledger)
            charging.lapse(ledger)
            transfers.move(ledger)
            charging.strangers(ledger, rule.insert, livemode)
            if rule.becomes:
                charges = subjects.asked_about(self.store, ledger, entry, rule)
                subjects.turn(ledger, rule, charges)
            call = Call(
                entry.method,
                entry.path,
                asked.given,
                ledger.now(),
                livemode,
                asked.ids,
                rule,
            )
            return 200, asked.handler(ledger, call)
        except Problem as refusal:
            return refusal.status, refusal.document()
        # a bug of the sandbox must not look like the gateway's silence
        except Exception as error:
            return 500, error_object(
                "internal_error", f"the sandbox itself failed: {error!r}"
            )

    def _rule(self, entry: Entry, given: params.Params) -> Rule | None:
        """The first rule that matches; notes whose order it is on the way."""
        metadata = given.get("metadata")
        if isinstance(metadata, dict):
            entry.order_id = str(metadata.get("order_id") or "")
            entry.batchpay_key = str(metadata.get("batchpay_key") or "")
        attempt = 0
        if entry.method == "POST":
            name = entry.key or entry.batchpay_key
            self._sends[name] += 1
            attempt = self._sends[name]
        if not self.rules:
            return None
        about = subjects.about(self.store, entry, attempt)
        for rule in self.rules:
            if rule.matches(entry.method, entry.path, about):
                if rule.action != "none":
                    entry.fault = rule.action
                else:
                    entry.fault = "rule"
                return rule
        return None

    def turn(self, end: str, order_id: str, charge_id: str) -> list[str]:
        """Charges of an order, or one by its id, become something else now; the ids of all that
        were meant.
        """
        meant = []
        for ledger in list(self.store.ledgers.values()):
            for charge in list(ledger.shelves["charge"].values()):
                is_meant = charge.id == charge_id
                if order_id:
                    is_meant |= charge.metadata.get("order_id") == order_id
                if is_meant:
                    charging.become(ledger, charge, end)
                    meant.append(charge.id)
        return meant

    # --- the long way: faults and replays

    async def _the_long_way(self, asked: Asked, rule: Rule) -> Response:
        entry = asked.entry
        ticket = None
        if (
            self._replays is not None
            and entry.key
            and entry.method in ("POST", "PATCH")
        ):
            scope = (
                asked.header(b"authorization"),
                entry.method,
                entry.path,
                entry.key,
            )
            try:
                name, digest, stored = self._replays.begin(scope, asked.body)
            except Problem as refusal:
                return self._answered(entry, refusal.status, refusal.document())
            if stored is not None:
                return self._answered(
                    entry,
                    stored["status"],
                    stored["answer"],
                    {"Sandbox-Replayed": "true"},
                )
            ticket = (name, digest)
        await asyncio.sleep(rule.wait_before_s)
        result: Result | None = None
        if rule.commit == "late":
            task = asyncio.get_running_loop().create_task(
                self._later(asked, rule, ticket)
            )
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif rule.commit == "never":
            self._end(ticket, (500, None))
        else:
            result = self._settled(asked, rule, ticket)
        await asyncio.sleep(rule.wait_after_s)
        return await self._replied(entry, rule, result)

    async def _later(
        self, asked: Asked, rule: Rule, ticket: tuple[str, str] | None
    ) -> Result:
        await asyncio.sleep(rule.late_s)
        return self._settled(asked, rule, ticket)

    def _settled(
        self, asked: Asked, rule: Rule, ticket: tuple[str, str] | None
    ) -> Result:
        """The request has its effect, once or twice, to be seen now or later."""
        status, document = self._handled(asked, rule)
        entry = asked.entry
        is_new_charge = entry.method == "POST" and entry.path == "/charges"
        if status == 200 and is_new_charge:
            assert asked.ledger is not None
            document = subjects.made(asked.ledger, rule, document)
        self._end(ticket, (status, document))
        return status, document

    def _end(self, ticket: tuple[str, str] | None, result: Result) -> None:
        if ticket is not None and self._replays is not None:
            self._replays.end(*ticket, *result)

    async def _replied(
        self, entry: Entry, rule: Rule, result: Result | None
    ) -> Response:
        """The true answer, altered or replaced, then broken as the rule says."""
        if result is not None:
            status, document = result
        else:
            status = 200
            document = ""
        if rule.replaces():
            status, document = rule.answer()
        elif isinstance(document, dict):
            document = lies.told(rule, document, self.store)
        previous = self._last
        response = self._answered(
            entry, status, document, rule.extra_headers(self.store.now())
        )
        if rule.reply == "swap":
            return await _swapped(rule, response)
        if rule.reply == "stale":
            return previous or response
        if rule.reply not in ("normal", "torn", "drip", "huge", "gzip_bomb"):
            entry.status = 0
        return wire.broken(rule.reply, response, rule)

    # --- answers

    def _answered(
        self,
        entry: Entry,
        status: int,
        document: Any,
        extra: dict[str, str] | None = None,
    ) -> Response:
        """An ordinary answer: JSON, or a text as it is."""
        entry.status = status
        if isinstance(document, str):
            if document.lstrip().startswith("<"):
                kind = "text/html; charset=utf-8"
            else:
                kind = "application/json"
            response = Response(document, status, extra, kind)
        else:
            response = Response(
                _ENCODE(document), status, extra, "application/json; charset=utf-8"
            )
        # a rule may say another
        response.headers.setdefault("date", _date(self.store.now()))
        if self.throttle is not None:
            response.headers.update(self.throttle.headers(self.store.clock_s()))
        if entry.method == "POST":
            self._last = response
        return response

    def _turned_away(self, entry: Entry, throttle: Throttle) -> Response:
        """429, in the form that was chosen."""
        retry_after = throttle.rate.retry_after
        if retry_after is None:
            extra = {}
        else:
            extra = {"Retry-After": retry_after}
        status, document = _TOO_MANY
        page = "<html><body>Too many requests</body></html>"
        return self._answered(
            entry, status, page if throttle.rate.html else document, extra
        )

    def stop(self) -> None:
        """Forget what would have landed later."""
        for task in self._late:
            task.cancel()


@lru_cache(4)
def _date(now: int) -> str:
    return formatdate(now, usegmt=True)


async def _body(receive: Receive) -> bytes:
    """The whole body of a request."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    pieces = [body]
    while message.get("more_body", False):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces)


async def _swapped(rule: Rule, response: Response) -> Response:
    """Two requests that are in flight together get each other's answer."""
    if rule.waiting is not None:
        other, future = rule.waiting
        rule.waiting = None
        future.set_result(response)
        swapped: Response = other
        return swapped
    future = asyncio.get_running_loop().create_future()
    rule.waiting = (response, future)
    try:
        return await asyncio.wait_for(future, _SWAP_S)
    except TimeoutError:
        rule.waiting = None
        return response
