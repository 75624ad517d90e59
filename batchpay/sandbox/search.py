"""Search over charges, transfers, recipients and customers: words and filters (docs/gateway.md,
7.9).

Two traps are kept: amounts in filters are main units, and a word may stand anywhere inside what is
searched.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from batchpay.domain.money import NotMoney, to_minor
from batchpay.sandbox import cards, listing, params
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.names import FAILURES
from batchpay.sandbox.problems import Problem, bad_request
from batchpay.sandbox.records import Charge, Transfer

_SCOPES = {
    "charge": {
        "amount",
        "authorized",
        "capture",
        "captured",
        "captured_at",
        "card_last_digits",
        "created",
        "created_at",
        "currency",
        "customer_present",
        "disputed",
        "failure_code",
        "failure_message",
        "refunded",
        "refund_amount",
        "reversed",
        "status",
        "source_of_fund",
        "voided",
    },
    "transfer": {
        "amount",
        "created",
        "currency",
        "deleted",
        "fee",
        "paid",
        "paid_at",
        "sent",
        "sent_at",
    },
    "recipient": {"active", "activated_at", "bank_last_digits", "deleted", "type"},
    "customer": {"created"},
}
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def search(ledger: Ledger, call: Call) -> Thing:
    """GET /search."""
    given = call.params
    scope = params.required(given, "scope")
    query = params.text(given, "query") or ""
    if scope not in _SCOPES:
        raise Problem(
            400, "invalid_scope", f"scope {scope} is not one of {', '.join(_SCOPES)}"
        )
    filters = params.mapping(given, "filters")
    unknown = sorted(set(filters) - _SCOPES[scope])
    if unknown:
        raise Problem(
            400, "invalid_filter", f"{scope} has no filter {', '.join(unknown)}"
        )
    page = params.whole(given, "page") or 1
    per_page = params.whole(given, "per_page") or 30
    if page < 1 or not 1 <= per_page <= 100:
        raise Problem(400, "invalid_page", "page starts at 1, per_page is 1 to 100")
    order = params.text(given, "order") or "reverse_chronological"
    found = _found(ledger, call, scope, query, filters)
    if order == "reverse_chronological":
        found.reverse()
    return {
        "object": "search",
        "data": found[(page - 1) * per_page : page * per_page],
        "page": page,
        "per_page": per_page,
        "total": len(found),
        "total_pages": -(-len(found) // per_page),
        "filters": filters,
        "query": query,
        "scope": scope,
        "order": order,
        "location": call.path,
        "export": None,
        "aggregate_level": None,
    }


def _found(
    ledger: Ledger,
    call: Call,
    scope: str,
    query: str,
    filters: dict[str, Any],
) -> list[Thing]:
    """Words first: they are found without making the JSON of everything there is."""
    words = query.lower().split()
    shelf = ledger.shelves[scope]
    found = []
    for name in listing.visible(ledger, call, scope):
        one = shelf[name]
        if words and not _mentions(_texts(ledger, one), words):
            continue
        thing = listing.rendered(ledger, scope, one)
        if all(_passes(thing, field, str(wanted)) for field, wanted in filters.items()):
            found.append(thing)
    return found


def _texts(ledger: Ledger, one: Any) -> list[Any]:
    """What words are looked for in: the id, the texts and the metadata."""
    if isinstance(one, Charge):
        told = FAILURES.get(one.failure_code or "")
        return [
            one.id,
            one.description,
            told,
            *cards.words(ledger, one.card),
            *one.metadata.values(),
        ]
    if isinstance(one, Transfer):
        return [one.id, *one.metadata.values()]
    return [
        one["id"],
        one.get("description"),
        one.get("name"),
        one.get("email"),
        *(one.get("metadata") or {}).values(),
    ]


def _mentions(texts: list[Any], words: list[str]) -> bool:
    hay = "\n".join([str(text) for text in texts if text]).lower()
    return all(word in hay for word in words)


def _passes(thing: Thing, name: str, wanted: str) -> bool:
    value = _value(thing, name)
    if name in ("amount", "fee", "refund_amount"):
        return _in_range(value, wanted, lambda text: _minor(text, thing["currency"]))
    if name in (
        "created",
        "created_at",
        "captured_at",
        "paid_at",
        "sent_at",
        "activated_at",
    ):
        if value is None:
            return False
        return _in_days(params.seconds(value), wanted)
    said = wanted.lower()
    if isinstance(value, bool):
        if said not in (*_TRUE, *_FALSE):
            raise Problem(400, "invalid_filter", f"{name} takes true or false")
        is_wanted = said in _TRUE
        return value == is_wanted
    return str(value).lower() == said


def _value(thing: Thing, name: str) -> Any:
    """The field a filter speaks of, where its name differs."""
    renamed: dict[str, Callable[[], Any]] = {
        "captured": lambda: thing["paid"],
        "captured_at": lambda: thing["paid_at"],
        "created": lambda: thing["created_at"],
        "card_last_digits": lambda: (thing["card"] or {}).get("last_digits"),
        "customer_present": lambda: thing["customer"] is not None,
        "disputed": lambda: thing["dispute"] is not None,
        "refunded": lambda: thing["refunded_amount"] > 0,
        "refund_amount": lambda: thing["refunded_amount"],
        "source_of_fund": lambda: "card" if thing["card"] else "offsite",
        "bank_last_digits": lambda: thing["bank_account"]["last_digits"],
    }
    if name in renamed:
        return renamed[name]()
    return thing[name]


def _in_range(value: int, wanted: str, parse: Callable[[str], int]) -> bool:
    low, dots, high = wanted.partition("..")
    if not dots:
        return value == parse(low)
    if low and value < parse(low):
        return False
    return not high or value <= parse(high)


def _in_days(at: int, wanted: str) -> bool:
    """A day, a range of days or instants, today or yesterday; both ends are included."""
    today = datetime.now(UTC).replace(
        hour=0,
        minute=0,
        second=0,
        microsecond=0,
    )
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    if wanted in named:
        wanted = named[wanted].strftime("%Y-%m-%d")
    low, dots, high = wanted.partition("..")
    high = high if dots else low
    if high:
        end = params.seconds(high) + (86399 if len(high) == 10 else 0)
    else:
        end = at
    return (not low or at >= params.seconds(low)) and at <= end


def _minor(text: str, currency: str) -> int:
    try:
        return to_minor(text, currency)
    except NotMoney as error:
        raise bad_request(f"{text} is not an amount in main units: {error}") from None
