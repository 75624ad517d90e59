"""Which earlier row a row came back for, or which attempt of its order it follows, and what it asks
for otherwise.

`corrects` names batch and row, `changed` each part of the order with what it was and what it is:
`amount: 100.25 THB -> 90.00 THB`. A dash stands for what the earlier row did not have, or
what could not be read in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from batchpay.domain.model import Document, Finding, Intent
from batchpay.domain.money import money_told
from batchpay.domain.text import told
from batchpay.lifecycle.payers import payer_of, payment_method
from batchpay.lifecycle.rows import History, Row, place_told

_ABSENT = "-"
_Part = tuple[object, str]
"""What is compared, and how it is shown."""


def with_lineage(finding: Finding, row: Row, history: History) -> Finding:
    """The same finding, and what it goes back to."""
    came = history.came_for.get(row.place)
    if came is not None:
        was = _of_document(came.document)
        corrects = place_told(came.batch_id, came.sheet, came.row)
        return replace(
            finding,
            corrects=str(corrects),
            changed=_changed(was, _of_document(row.document)),
        )
    before = _before(finding, history)
    if before is None:
        return finding
    is_now = _of_document(row.document)
    was = _of_intent(before)
    return replace(
        finding,
        corrects=str(place_told(before.batch_id, before.sheet, before.row)),
        changed=_changed(was, {name: is_now[name] for name in was}),
    )


def _before(finding: Finding, history: History) -> Intent | None:
    """What the attempt before that of a row asked for."""
    if not finding.idempotency_key:
        return None
    for attempt in history.attempts.get(finding.order_id, ()):
        if attempt.intent.attempt == finding.attempts - 1:
            return attempt.intent
    return None


def _of_document(document: Document) -> dict[str, _Part]:
    amount = document.get("amount")
    currency = str(document.get("currency", ""))
    money = ""
    if isinstance(amount, int) and currency:
        money = money_told(amount, currency)
    payer = payer_of(document)
    parts: dict[str, _Part] = {
        "order_id": _text(document.get("order_id")),
        "amount": (money, money),
        "destination": _text(document.get("destination")),
        "payer": (payer, payment_method(payer)),
        "description": _text(document.get("description")),
    }
    metadata = document.get("metadata")
    if isinstance(metadata, Mapping):
        for key, value in metadata.items():
            parts[f"metadata[{told(str(key))}]"] = _text(value)
    return parts


def _of_intent(intent: Intent) -> dict[str, _Part]:
    money = money_told(intent.amount, intent.currency)
    return {
        "amount": (money, money),
        "destination": _text(intent.destination),
        "payer": (intent.payer, payment_method(intent.payer)),
    }


def _text(value: object) -> _Part:
    if value is None:
        return "", ""
    return value, told(str(value))


def _changed(was: Mapping[str, _Part], is_now: Mapping[str, _Part]) -> str:
    """Each part that differs, in the order of the document."""
    nothing: _Part = ("", "")
    said = []
    for name in dict.fromkeys((*was, *is_now)):
        old, old_shown = was.get(name, nothing)
        new, new_shown = is_now.get(name, nothing)
        if old != new:
            said.append(f"{name}: {old_shown or _ABSENT} -> {new_shown or _ABSENT}")
    return "; ".join(said)
