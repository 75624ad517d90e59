"""DECODING: a JSON document of the gateway's, or nothing: no key that stands twice, no NaN, no
number that overflows, no depth that crashes; a decimal number is a Decimal.

    >>> strict_json(b'{"amount": 100, "rate": 3.65}')
    {'amount': 100, 'rate': Decimal('3.65')}
    >>> strict_json(b'{"amount": 100, "amount": 200}') is None
    True

Two decoders say the same. The strict one takes every key in hand. The fast one does not, and proves
afterwards that it lost nothing: what it read, written again, is what came, but for white space. A
key that stood twice would be gone, a number that was rounded would differ. What it cannot prove so
(an escape, an odd number) the strict one reads.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

import msgspec

_WHITE = b" \t\r\n"  # what JSON takes for white space


def strict_json(body: bytes) -> Any:
    """The document; None for anything that is not strictly one: BOM, NaN, 1e400, repeated keys,
    absurd depth.

    Half a surrogate pair, which JSON can write and no file can hold, becomes U+FFFD.
    """
    if b"\\" in body:  # it could hide a quote
        return read_strictly(body)
    try:
        document = _DECODER.decode(body)
        again = _ENCODER.encode(document)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return read_strictly(body)
    if again.translate(None, _WHITE) == body.translate(None, _WHITE):
        return document
    return read_strictly(body)


def read_strictly(body: bytes) -> Any:
    """The same, key by key."""
    try:
        text = body.decode("utf-8")
        document = _STRICT.decode(text)
        if _SURROGATE_ESCAPE.search(text):
            return _writable(document)
        return document
    except (ValueError, RecursionError):
        return None


_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_A_PAIR.sub("\ufffd", value)
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return _without_repeats(
            [(_writable(name), _writable(item)) for name, item in value.items()]
        )
    return value


def _finite(text: str) -> Decimal:
    if not math.isfinite(float(text)):
        raise ValueError(text)
    return Decimal(text)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


_DECODER = msgspec.json.Decoder(float_hook=_finite)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_STRICT = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_without_repeats
)
