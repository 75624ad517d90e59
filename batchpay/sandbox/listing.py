"""Lists and single objects: a page of what was made within a range of time, in order
(docs/gateway.md, 7.8).
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

from batchpay.sandbox import charging, objects, params, payers, transfers
from batchpay.sandbox.call import Call, Handler
from batchpay.sandbox.ledger import Ledger, Thing, is_deleted
from batchpay.sandbox.problems import Problem, bad_request
from batchpay.sandbox.records import KINDS, Event

LIMIT = 20
LIMIT_MAX = 100

_RENDER: dict[str, Callable[[Ledger, Any], Thing]] = {
    "charge": charging.render,
    "transfer": transfers.render,
    "refund": lambda _, one: objects.refund(one),
    "dispute": lambda _, one: objects.dispute(one),
    "chain": lambda _, one: objects.chain(one),
    "transaction": lambda _, one: objects.transaction(one),
    "event": lambda ledger, one: objects.event(one, _as_it_was(ledger, one)),
    "customer": payers.customer_json,
    "recipient": lambda _, one: one,
}


def listed(kind: str) -> Handler:
    """GET /charges and its like."""

    def handler(ledger: Ledger, call: Call) -> Thing:
        ids = visible(ledger, call, kind)
        shelf = ledger.shelves[kind]
        if kind in ledger.deleted:
            ids = [name for name in ids if not is_deleted(shelf[name])]
        if call.rule.frozen:
            copy = _copied(ledger, call, kind, ids)
            return _page(ledger, call, list(copy), copy, lambda one: one)
        return _page(ledger, call, ids, shelf, lambda one: rendered(ledger, kind, one))

    return handler


def _copied(
    ledger: Ledger,
    call: Call,
    kind: str,
    ids: list[str],
) -> dict[str, Thing]:
    """The list as it was when its rule was first applied."""
    copies = call.rule.copies
    name = (ledger.account, call.livemode, kind)
    if name not in copies:
        copies[name] = {
            one: rendered(ledger, kind, ledger.shelves[kind][one]) for one in ids
        }
    copy: dict[str, Thing] = copies[name]
    return copy


def retrieved(kind: str) -> Handler:
    """GET /charges/:id and its like."""

    def handler(ledger: Ledger, call: Call) -> Thing:
        found = ledger.get(kind, call.ids[0], call.livemode)
        return rendered(ledger, kind, found)

    return handler


def of_charge(kind: str) -> Handler:
    """GET /charges/:id/events and /charges/:id/refunds."""
    field = {"event": "origin", "refund": "charge"}[kind]

    def handler(ledger: Ledger, call: Call) -> Thing:
        charge = ledger.get("charge", call.ids[0], call.livemode)
        shelf = ledger.shelves[kind]
        every = ledger.order[kind, call.livemode]
        ids = [name for name in every if getattr(shelf[name], field) == charge.id]
        return _page(ledger, call, ids, shelf, lambda one: rendered(ledger, kind, one))

    return handler


def cards(ledger: Ledger, call: Call) -> Thing:
    """GET /customers/:id/cards: the list that is embedded in the customer."""
    found: Thing = payers.retrieve_customer(ledger, call)["cards"]
    return found


def visible(ledger: Ledger, call: Call, kind: str) -> list[str]:
    """Ids of a kind in the order they were made, without charges that lists do not show: not yet,
    or never.
    """
    ids = ledger.order[kind, call.livemode]
    now = time.monotonic()
    rule = call.rule
    if kind != "charge":
        return ids
    shelf = ledger.shelves[kind]
    if rule.lag_s > 0 or now < ledger.hidden_until:
        ids = [
            name for name in ids if ledger.shown_at.get(name, 0.0) <= now - rule.lag_s
        ]
    if rule.omit:
        ids = [name for name in ids if not rule.speaks_of(shelf[name].metadata)]
    if kind in ledger.deleted:
        ids = [name for name in ids if not is_deleted(shelf[name])]
    return ids


def rendered(ledger: Ledger, kind: str, one: Any) -> Thing:
    """The JSON of one entry."""
    return _RENDER[kind](ledger, one)


def _as_it_was(ledger: Ledger, event: Event) -> Thing:
    kind = event.key.partition(".")[0]
    one: Any = event.data or {}
    if kind in KINDS:
        one = KINDS[kind](**one)
    return rendered(ledger, kind, one)


def _page(
    ledger: Ledger,
    call: Call,
    ids: list[str],
    shelf: dict[str, Any],
    shown: Callable[[Any], Thing],
) -> Thing:
    """What a list says of the ids that are in it, in the order they were made."""
    given = call.params
    limit = params.whole(given, "limit")
    offset = params.whole(given, "offset") or 0
    order = params.text(given, "order") or "chronological"
    since = params.moment(given, "from") or 0
    until = params.moment(given, "to")
    if until is None:
        until = ledger.now()
    if order not in ("chronological", "reverse_chronological"):
        raise bad_request("order must be chronological or reverse_chronological")
    if offset < 0 or (limit is not None and limit < 0):
        raise Problem(400, "invalid_page", "limit and offset must not be negative")
    if limit is None:
        limit = LIMIT
    else:
        limit = min(limit, LIMIT_MAX)

    def created(name: str) -> int:
        one = shelf[name]
        if isinstance(one, dict):
            return params.seconds(one["created_at"])
        return int(one.created)

    first = bisect_left(ids, since, key=created)
    end = bisect_right(ids, until, key=created)
    total = max(0, end - first)
    if order == "chronological":
        start = first + offset
        page = ids[start : min(end, start + limit)]
    else:
        stop = end - offset
        page = ids[max(first, stop - limit) : max(first, stop)]
        page.reverse()
    return {
        "object": "list",
        "data": [shown(shelf[name]) for name in page],
        "limit": limit,
        "offset": offset,
        "total": total,
        "location": call.path,
        "order": order,
        "from": objects.instant(since),
        "to": objects.instant(until),
    }
