"""What an answer tells otherwise than the books: fields that are changed, null or gone, and another
charge's id.
"""

from __future__ import annotations

from typing import Any

from batchpay.sandbox.faults import Rule
from batchpay.sandbox.ledger import Thing
from batchpay.sandbox.store import Store


def told(rule: Rule, document: Thing, store: Store) -> Thing:
    """The true answer as the rule has it told; of a list, the entries that the rule is about."""
    lent = _lent(rule, store)
    if not isinstance(document.get("data"), list):
        return _changed(rule, document, lent)
    if not rule.names_orders():
        document = _changed(rule, document, "")
    else:
        entries = []
        for one in document["data"]:
            if _is_about(rule, one):
                entries.append(_changed(rule, one, lent))
            else:
                entries.append(one)
        document = document | {"data": entries}
    if rule.empty:
        return document | {"data": []}
    return document


def _lent(rule: Rule, store: Store) -> str:
    """The id of the newest charge of the order whose id the rule lends; "" when there is none."""
    if rule.id_of is None:
        return ""
    newest = ""
    for ledger in store.ledgers.values():
        for one in ledger.shelves["charge"].values():
            if one.metadata.get("order_id") == rule.id_of:
                newest = one.id
    return newest


def _is_about(rule: Rule, entry: Thing) -> bool:
    metadata = entry.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    return rule.speaks_of(metadata)


def _changed(rule: Rule, document: Thing, name: str) -> Thing:
    document = dict(document)
    for path, value in rule.change.items():
        here, last = _inside(document, path)
        here[last] = value
    for path in rule.null:
        here, last = _inside(document, path)
        here.update(dict.fromkeys(here.keys() & {last}))
    for path in rule.drop:
        here, last = _inside(document, path)
        here.pop(last, None)
    if rule.pad and isinstance(document.get("metadata"), dict):
        document["metadata"] = document["metadata"] | {"padding": "x" * rule.pad}
    if name:
        return document | {"id": name, "location": f"/charges/{name}"}
    return document


def _inside(document: Thing, path: str) -> tuple[dict[str, Any], str]:
    """What holds a field, copied on the way there, and the field's own name."""
    *parents, last = path.split(".")
    here = document
    for name in parents:
        inner = here.get(name)
        if isinstance(inner, dict):
            here[name] = dict(inner)
        else:
            here[name] = {}
        here = here[name]
    return here, last
