"""DOCUMENTS: what the gateway sent, read by hand: whatever it is, nothing here raises.

    >>> inside({"limits": {"charge_amount": None}}, "limits", "charge_amount", "min") is None
    True
    >>> [text(item, "id") for item in listed({"data": [1, {"id": "cust_test_1"}]})]
    ['cust_test_1']

What they mean is said in `objects` and in `books`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from batchpay.domain.text import told

LARGEST = 2**63  # what no typed column holds
LONGEST_VALUE = 40  # characters of what stands where a sum should


def inside(document: Any, *path: str) -> Any:
    """The value at a path of names; None where there is none, or something else than an object on
    the way.
    """
    for name in path:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def text(document: Any, *path: str) -> str:
    """The same where it is a text; else empty."""
    value = inside(document, *path)
    if isinstance(value, str):
        return value
    return ""


def whole(document: Any, *path: str) -> int | None:
    """The same where it is a whole number of zero or more that a column can hold; else None."""
    value = inside(document, *path)
    if type(value) is int and 0 <= value < LARGEST:
        return value
    return None


def money(document: Any, *path: str, least: int = 0) -> tuple[int | None, str]:
    """The sum in the smallest unit at a path of names, and, where something else stands there, what
    that is: such a sum is unknown, and neither zero nor left out. Null is no sum, as what is left
    out.

    >>> money({"fee": 413}, "fee"), money({"fee": None}, "fee"), money({}, "fee")
    ((413, ''), (None, ''), (None, ''))
    >>> money({"fee": "413"}, "fee"), money({"fee": -1}, "fee"), money({"fee": True}, "fee")
    ((None, '"413"'), (None, '-1'), (None, 'true'))
    """
    value = inside(document, *path)
    if value is None or (type(value) is int and least <= value < LARGEST):
        return value, ""
    return None, shown(value)


def shown(value: Any) -> str:
    """A value as it came, for people: short, and without what is secret."""
    if isinstance(value, Decimal):
        return told(str(value), LONGEST_VALUE)
    return told(json.dumps(value, ensure_ascii=False, default=str), LONGEST_VALUE)


def listed(document: Any) -> list[dict[str, Any]]:
    """The objects of a list as the gateway sends one; what is no object among them is left out as
    nobody's.
    """
    data = inside(document, "data")
    if not isinstance(data, list):
        return []
    return [item for item in data if isinstance(item, dict)]
