"""Lists: a page of what was made within a range of time, in order (omise-api.md, 7.8)."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from batchpay.sandbox import charging, objects, params, payers, payouts
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.problems import Problem, bad_request, not_found

LIMIT, LIMIT_MAX = 20, 100

_RENDER: dict[str, Callable[[Ledger, Any], Thing]] = {
    "charge": charging.render,
    "transfer": payouts.render,
    "chain": lambda _, record: objects.chain(record),
    "transaction": lambda _, record: objects.transaction(record),
    "customer": payers.customer_json,
    "recipient": lambda _, thing: thing,
}


def charges(ledger: Ledger, call: Call) -> Thing:
    """GET /charges."""
    return _page(ledger, call, "charge")


def transfers(ledger: Ledger, call: Call) -> Thing:
    """GET /transfers."""
    return _page(ledger, call, "transfer")


def chains(ledger: Ledger, call: Call) -> Thing:
    """GET /chains."""
    return _page(ledger, call, "chain")


def transactions(ledger: Ledger, call: Call) -> Thing:
    """GET /transactions."""
    return _page(ledger, call, "transaction")


def customers(ledger: Ledger, call: Call) -> Thing:
    """GET /customers."""
    return _page(ledger, call, "customer")


def recipients(ledger: Ledger, call: Call) -> Thing:
    """GET /recipients."""
    return _page(ledger, call, "recipient")


def cards(ledger: Ledger, call: Call) -> Thing:
    """GET /customers/:id/cards: the list that is embedded in the customer."""
    listed: Thing = payers.retrieve_customer(ledger, call)["cards"]
    return listed


def shelf(ledger: Ledger, kind: str, lag_s: float = 0.0) -> list[Any]:
    """Everything of a kind in the order it was made; with a lag, without the charges that are younger."""
    if kind == "charge":
        visible = list(ledger.charges.values())
        return visible if lag_s <= 0 else visible[: bisect_right(ledger.committed, time.monotonic() - lag_s)]
    if kind in ("transfer", "chain", "transaction"):
        return list(getattr(ledger, f"{kind}s").values())
    return list(ledger.things.get(kind, {}).values())


def rendered(ledger: Ledger, kind: str, record: Any) -> Thing:
    """The JSON of one entry."""
    return _RENDER[kind](ledger, record)


def created_of(record: Any) -> int:
    """Seconds since 1970 at which a record or a thing was made."""
    return moment(record["created_at"]) if isinstance(record, dict) else int(record.created)


def livemode_of(record: Any) -> bool:
    """Mode of a record or a thing."""
    return bool(record["livemode"] if isinstance(record, dict) else record.livemode)


def moment(text: str) -> int:
    """Seconds since 1970 of an ISO 8601 instant or date; UTC where nothing is said."""
    try:
        instant = datetime.fromisoformat(text.replace("/", "-").replace(" ", "T"))
    except ValueError:
        raise bad_request(f"{text} is not an ISO 8601 time") from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def _page(ledger: Ledger, call: Call, kind: str) -> Thing:
    given = call.params
    limit = params.whole(given, "limit")
    offset = params.whole(given, "offset") or 0
    order = params.text(given, "order") or "chronological"
    since = moment(params.text(given, "from") or "1970-01-01T00:00:00Z")
    until = moment(params.text(given, "to") or objects.instant(ledger.now()) or "")
    if order not in ("chronological", "reverse_chronological"):
        raise bad_request("order must be chronological or reverse_chronological")
    if offset < 0 or (limit is not None and limit < 0):
        raise Problem(400, "invalid_page", "limit and offset must not be negative")
    limit = LIMIT if limit is None else min(limit, LIMIT_MAX)
    found = shelf(ledger, kind, call.lag_s)
    found = found[bisect_left(found, since, key=created_of) : bisect_right(found, until, key=created_of)]
    found = [record for record in found if livemode_of(record) == call.livemode]
    if kind in ("transfer", "recipient", "customer"):
        found = [one for one in found if not (one["deleted"] if isinstance(one, dict) else one.deleted)]
    if order == "reverse_chronological":
        found.reverse()
    return {
        "object": "list",
        "data": [rendered(ledger, kind, record) for record in found[offset : offset + limit]],
        "limit": limit,
        "offset": offset,
        "total": len(found),
        "location": call.path,
        "order": order,
        "from": objects.instant(since),
        "to": objects.instant(until),
    }


def retrieve_transaction(ledger: Ledger, call: Call) -> Thing:
    """GET /transactions/:id."""
    entry = ledger.transactions.get(call.ids[0])
    if entry is None or entry.livemode != call.livemode:
        raise not_found("transaction", call.ids[0])
    return objects.transaction(entry)
