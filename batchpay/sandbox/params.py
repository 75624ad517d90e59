"""The parameters of a request: query, form body and JSON body, merged (docs/gateway.md, 1.4)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from batchpay.sandbox.problems import bad_request

Params = dict[str, Any]

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_WHOLE = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?\Z", re.ASCII)


def merged(query: bytes, body: bytes, content_type: str) -> Params:
    """Query, then the body on top of it, whatever the method: some clients send a GET's parameters
    in its body.
    """
    params: Params = _nested(query) if query else {}
    if not body:
        return params
    if "json" in content_type or (
        body.lstrip()[:1] == b"{" and "form" not in content_type
    ):
        params.update(_from_json(body))
    else:
        params.update(_nested(body))
    return params


def _from_json(body: bytes) -> Params:
    try:
        document = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise bad_request("the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise bad_request("the body must be a JSON object")
    return document


def _nested(encoded: bytes) -> Params:
    """`metadata[order_id]=A1` becomes {"metadata": {"order_id": "A1"}}; `hooks[]=u` becomes
    {"hooks": ["u"]}.
    """
    params: Params = {}
    try:
        for pair in encoded.decode("ascii").split("&"):
            name, equals, value = pair.partition("=")
            if not equals:
                raise ValueError(pair)
            path = _path(name)
            if "%" in value or "+" in value:
                value = unquote_plus(value, errors="strict")
            if len(path) == 1:
                params[path[0]] = value
            else:
                _put(params, path, value)
    except ValueError:
        raise bad_request("the parameters are not well-formed") from None
    return params


@lru_cache(4096)
def _path(name: str) -> tuple[str, ...]:
    """The same few names come with every request."""
    plain = unquote_plus(name, errors="strict")
    bracket = plain.find("[")
    if bracket <= 0:
        return (plain,)
    return (plain[:bracket], *_BRACKETS.findall(plain[bracket:]))


def _put(params: Params, path: tuple[str, ...], value: str) -> None:
    """Walk down the path, making objects on the way; an empty last name appends to an array."""
    listed = path[-1] == ""
    if listed:
        *parents, last = path[:-1]
    else:
        *parents, last = path
    here: Any = params
    for name in parents:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise bad_request(f"{name} is given both as a value and as an object")
    if not listed:
        here[last] = value
    elif isinstance(here.setdefault(last, []), list):
        here[last].append(value)
    else:
        raise bad_request(f"{last} is given both as a value and as an array")


def text(params: Params, name: str) -> str | None:
    """A text, or None when absent, null or empty."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise bad_request(f"{name} must be a string")
    return value


def required(params: Params, name: str) -> str:
    """A text that must be there."""
    value = text(params, name)
    if value is None:
        raise bad_request(f"{name} is required")
    return value


def whole(params: Params, name: str) -> int | None:
    """An integer, given as a number or as digits; true is not 1 and 1.0 is not 1."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.match(value):
        return int(value)
    raise bad_request(f"{name} must be an integer")


def percentage(params: Params, name: str) -> Decimal | None:
    """A decimal number from 0 up, given as a number or as text."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not _DECIMAL.match(str(value)):
        raise bad_request(f"{name} must be a decimal number")
    return Decimal(str(value))


def flag(params: Params, name: str, default: bool) -> bool:
    """A boolean; forms send it as text."""
    value = params.get(name)
    if value is None or value == "":
        return default
    known = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    if str(value).lower() not in known:
        raise bad_request(f"{name} must be true or false")
    return known[str(value).lower()]


def mapping(params: Params, name: str) -> dict[str, Any]:
    """An object; {} when absent."""
    value = params.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object")
    return value


def moment(params: Params, name: str) -> int | None:
    """Seconds since 1970 of a time."""
    value = text(params, name)
    if value is None:
        return None
    return seconds(value)


def seconds(written: str) -> int:
    """Seconds since 1970 of an ISO 8601 instant or date; UTC where nothing is said."""
    try:
        instant = datetime.fromisoformat(written.replace("/", "-").replace(" ", "T"))
    except ValueError:
        raise bad_request(f"{written} is not an ISO 8601 time") from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())
