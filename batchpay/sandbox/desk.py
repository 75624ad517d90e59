"""What happens to every request: noted, counted, matched with the fault script, authenticated, handled, answered."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from batchpay.sandbox import charging, params, wire
from batchpay.sandbox.call import Call, Handler
from batchpay.sandbox.faults import Rule
from batchpay.sandbox.idempotency import Replays
from batchpay.sandbox.keys import Keys
from batchpay.sandbox.ledger import Ledger
from batchpay.sandbox.log import Entry, Log
from batchpay.sandbox.problems import Problem, error_object, unauthorised
from batchpay.sandbox.throttle import Throttle

Result = tuple[int, Any]

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=str).encode
_SWAP_S = 5.0
_TOO_MANY = (429, error_object("too_many_requests", "too many requests, please slow down"))


class Desk:
    """One sandbox's counter; used on the server's own thread."""

    def __init__(
        self, ledger: Ledger, rules: list[Rule], throttle: Throttle | None, honours_keys: bool,
        keys: Keys,
    ) -> None:  # fmt: skip
        self.ledger = ledger
        self.rules = rules
        self.throttle = throttle
        self.log = Log()
        self.keys = keys
        self._replays = Replays(ledger) if honours_keys else None
        self._sends: Counter[str] = Counter()
        self._late: set[asyncio.Task[Result]] = set()
        self._last: Response | None = None

    async def serve(
        self, scope: Scope, receive: Receive, handler: Handler, access: str, ids: tuple[str, ...]
    ) -> Response:
        """The answer to one request, broken or not."""
        body = await _body(receive)
        headers = dict(scope["headers"])
        entry = self.log.enter(scope, headers.get(b"idempotency-key", b"").decode("latin-1"), body)
        if self.throttle is not None and not self.throttle.admit():
            return self._turned_away(entry, self.throttle)
        problem: Problem | None = None
        given: params.Params = {}
        try:
            given = params.merged(scope["query_string"], body, headers.get(b"content-type", b"").decode("latin-1"))
        except Problem as error:
            problem = error
        rule = self._rule(entry, given)

        def run() -> Result:
            return self._run(entry, headers, given, problem, handler, access, ids, rule)

        if rule is None and self._replays is None:
            return self._answered(entry, *run())
        return await self._faulty(entry, headers, body, run, rule or Rule())

    def _run(
        self, entry: Entry, headers: dict[bytes, bytes], given: params.Params, problem: Problem | None,
        handler: Handler, access: str, ids: tuple[str, ...], rule: Rule | None,
    ) -> Result:  # fmt: skip
        """Authenticate and handle; whatever happens becomes a status and a document."""
        try:
            key = self.keys.checked(headers.get(b"authorization", b""), access)
            if rule is not None and rule.revoke:
                self.keys.revoke(key)
                raise unauthorised()
            if problem is not None:
                raise problem
            livemode = "_test_" not in key
            charging.lapse(self.ledger)
            if rule is not None and rule.insert:
                charging.strangers(self.ledger, rule.insert, livemode)
            lag_s = rule.lag_s if rule is not None else 0.0
            call = Call(entry.method, entry.path, given, self.ledger.now(), livemode, ids, lag_s)
            return 200, handler(self.ledger, call)
        except Problem as refusal:
            return refusal.status, refusal.document()
        except Exception as error:  # a bug of the sandbox must not look like the gateway's silence
            return 500, error_object("internal_error", f"the sandbox itself failed: {error!r}")

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
        keys = (entry.key, entry.batchpay_key)
        for rule in self.rules:
            if rule.matches(entry.method, entry.path, entry.order_id, keys, attempt):
                entry.fault = rule.action if rule.action != "none" else "rule"
                return rule
        return None

    # --- the long way round: faults and replays

    async def _faulty(
        self, entry: Entry, headers: dict[bytes, bytes], body: bytes, run: Callable[[], Result], rule: Rule
    ) -> Response:
        replay = None
        if self._replays is not None and entry.key and entry.method in ("POST", "PATCH"):
            scope = (headers.get(b"authorization", b"").decode("latin-1"), entry.method, entry.path, entry.key)
            try:
                name, digest, stored = self._replays.begin(scope, body)
            except Problem as refusal:
                return self._answered(entry, refusal.status, refusal.document())
            if stored is not None:
                return self._answered(entry, stored["status"], stored["answer"], {"Sandbox-Replayed": "true"})
            replay = (name, digest)
        await asyncio.sleep(rule.wait_before_s)
        result = self._committed(entry, run, rule, replay)
        await asyncio.sleep(rule.wait_after_s)
        return await self._replied(entry, rule, result)

    def _committed(
        self, entry: Entry, run: Callable[[], Result], rule: Rule, replay: tuple[str, str] | None
    ) -> Result | None:
        """Let the request have its effect now, twice, later or never; None when it has none yet."""

        def settle() -> Result:
            result = run()
            if result[0] == 200 and entry.method == "POST" and result[1].get("object") == "charge":
                made = [result[1]["id"]]
                if rule.commit == "twice":
                    made.append(charging.again(self.ledger, made[0]))
                for name in made if rule.hide_s else ():
                    self.ledger.hide(name, rule.hide_s)
            if replay is not None and self._replays is not None:
                self._replays.end(*replay, *result)
            return result

        async def later() -> Result:
            await asyncio.sleep(rule.late_s)
            return settle()

        if rule.commit == "late":
            task = asyncio.get_running_loop().create_task(later())
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return None
        if rule.commit == "never":
            if replay is not None and self._replays is not None:
                self._replays.end(*replay, 500, None)
            return None
        return settle()

    async def _replied(self, entry: Entry, rule: Rule, result: Result | None) -> Response:
        """The true answer, altered or replaced, then broken as the rule says."""
        status, document = result if result is not None else (200, "")
        if rule.replaces():
            status, document = rule.answer()
        elif isinstance(document, dict):
            document = rule.altered(document)
        previous = self._last
        response = self._answered(entry, status, document, rule.extra_headers(self.ledger.now()))
        if rule.reply == "swap":
            return await _swapped(rule, response)
        if rule.reply == "stale":
            return previous or response
        if rule.reply not in ("normal", "torn", "drip", "huge", "gzip_bomb"):
            entry.status = 0
        return wire.broken(rule.reply, response, rule)

    # --- answers

    def _answered(self, entry: Entry, status: int, document: Any, extra: dict[str, str] | None = None) -> Response:
        """An ordinary answer: JSON, or a text as it is."""
        entry.status = status
        if isinstance(document, str):
            kind = "text/html; charset=utf-8" if document.lstrip().startswith("<") else "application/json"
            response = Response(document, status, extra, kind)
        else:
            response = Response(_ENCODE(document), status, extra, "application/json; charset=utf-8")
        response.headers.setdefault("date", _date(self.ledger.now()))  # a rule may say another
        if self.throttle is not None:
            response.headers.update(self.throttle.headers())
        if entry.method == "POST":
            self._last = response
        return response

    def _turned_away(self, entry: Entry, throttle: Throttle) -> Response:
        """429, in the form that was chosen."""
        retry_after = throttle.rate.retry_after
        extra = {} if retry_after is None else {"Retry-After": retry_after}
        status, document = _TOO_MANY
        page = "<html><body>Too many requests</body></html>"
        return self._answered(entry, status, page if throttle.rate.html else document, extra)

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
