"""JSON without doubtful spots: no key twice, no NaN, no number that overflows, no depth that
crashes.

>>> parse(b'{"count": 2}')
{'count': 2}
>>> parse(b'{"count": 2, "count": 3}')
Traceback (most recent call last):
batchpay.domain.strictjson.NotStrict: the key 'count' stands twice in one object
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64


class NotStrict(ValueError):
    """Bytes that are not one plain JSON value; the message says why."""


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """The value that UTF-8 bytes hold; raises NotStrict."""
    if len(data) > max_bytes:
        raise NotStrict(f"it is larger than {max_bytes} bytes")
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise NotStrict(f"it is nested deeper than {MAX_DEPTH} levels") from error
    except NotStrict:
        raise
    except ValueError as error:
        raise NotStrict(str(error)) from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
    if level:
        raise NotStrict(f"it is nested deeper than {MAX_DEPTH} levels")
    return value


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        values = list(node.values())
    elif isinstance(node, list):
        values = node
    else:
        return []
    return [value for value in values if isinstance(value, dict | list)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NotStrict(f"the key {twice!r} stands twice in one object")
    return document


def _constant(text: str) -> NoReturn:
    raise NotStrict(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise NotStrict(f"the number {text[:20]} is too large")
    return number
