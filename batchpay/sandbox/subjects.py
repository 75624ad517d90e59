"""Which charges a request is about, and what a rule makes of them in the books."""

from __future__ import annotations

import asyncio

from batchpay.sandbox import charging, listing
from batchpay.sandbox.faults import About, Rule
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.log import Entry
from batchpay.sandbox.records import Charge
from batchpay.sandbox.store import Store

_LISTS = ("/charges", "/search")


def about(store: Store, entry: Entry, attempt: int) -> About:
    """What a rule chooses a request by: what it says itself, or the charge that its path names."""
    named = _named(store, entry)
    if named is None:
        keys = (entry.key, entry.batchpay_key)
        return About(entry.order_id, keys, attempt, many=_is_list(entry))
    metadata = named[1].metadata
    order_id = str(metadata.get("order_id") or "")
    key = str(metadata.get("batchpay_key") or "")
    return About(order_id, (entry.key, key), attempt)


def asked_about(
    store: Store,
    ledger: Ledger,
    entry: Entry,
    rule: Rule,
) -> list[Charge]:
    """The charges that were there before a request and that the request and its rule are about."""
    if _is_list(entry):
        charges = list(ledger.shelves["charge"].values())
        return [one for one in charges if rule.speaks_of(one.metadata)]
    named = _named(store, entry)
    if named is not None and named[0] is ledger:
        return [named[1]]
    return []


def made(ledger: Ledger, rule: Rule, document: Thing) -> Thing:
    """What the rule does with a charge that has just been made; the true answer after that."""
    ids = [document["id"]]
    if rule.commit == "twice":
        ids.append(charging.again(ledger, ids[0]))
    if rule.hide_s:
        for name in ids:
            ledger.hide(name, rule.hide_s)
    charges = [ledger.find("charge", name) for name in ids]
    turn(ledger, rule, charges)
    if rule.becomes:
        return listing.rendered(ledger, "charge", charges[0])
    return document


def turn(ledger: Ledger, rule: Rule, charges: list[Charge]) -> None:
    """They become what the rule says, if it says anything, now or later."""
    end = rule.becomes
    if not end:
        return
    for charge in charges:
        if rule.becomes_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(rule.becomes_s, charging.become, ledger, charge, end)
        else:
            charging.become(ledger, charge, end)


def _is_list(entry: Entry) -> bool:
    """A list and a search are about many charges."""
    return entry.method == "GET" and entry.path in _LISTS


def _named(store: Store, entry: Entry) -> tuple[Ledger, Charge] | None:
    """The charge that the path names, and the books it is in."""
    _, _, rest = entry.path.partition("/charges/")
    if rest:
        return store.owner(rest.partition("/")[0])
    return None
