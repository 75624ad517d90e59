"""LINT: does a schema hold rules that silently are none? A misspelt keyword lets every row pass.

Told are keywords and fields nobody knows, with the nearest that is known; keywords that say nothing
about a field's kind of value; currencies in capitals, where documents have small letters; and
`then` without `if`. What can be read as a slip of the pen is a fault, and refuses the schema; what
may be meant so is a note. `format` is one: it is not checked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from batchpay.domain.money import EXPONENTS
from batchpay.messages import lint as said
from batchpay.messages.message import Message

FIELDS = (
    "order_id",
    "amount",
    "currency",
    "destination",
    "card",
    "customer",
    "source",
    "description",
    "metadata",
    "return_uri",
)
SLIP = 0.75  # from this likeness on a name is taken for a known one with a slip

_IN_PLACE_ONE = ("not", "if", "then", "else")
_IN_PLACE_MANY = ("allOf", "anyOf", "oneOf")
_BELOW_ANY = (
    "additionalProperties",
    "unevaluatedProperties",
    "items",
    "contains",
    "unevaluatedItems",
)
_NAMES = ("propertyNames", "contentSchema")
_OF_KIND = {
    "number": [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ],
    "text": [
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
    ],
    "object": [
        "properties",
        "patternProperties",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
        "required",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
    ],
    "list": [
        "items",
        "prefixItems",
        "contains",
        "minContains",
        "maxContains",
        "minItems",
        "maxItems",
        "uniqueItems",
        "unevaluatedItems",
    ],
}
_KIND_OF = {
    keyword: kind for kind, keywords in _OF_KIND.items() for keyword in keywords
}
_ANNOTATIONS = frozenset(
    [
        "title",
        "description",
        "default",
        "deprecated",
        "readOnly",
        "writeOnly",
        "examples",
        "$comment",
    ]
)
_OTHERS = frozenset(
    [
        "$schema",
        "$id",
        "$ref",
        "$anchor",
        "$dynamicRef",
        "$dynamicAnchor",
        "$vocabulary",
        "$defs",
        "definitions",
        "type",
        "enum",
        "const",
    ]
)
KNOWN = frozenset({*_KIND_OF, *_ANNOTATIONS, *_OTHERS, *_IN_PLACE_ONE, *_IN_PLACE_MANY})
_INSTEAD = {
    "dependencies": "dependentRequired or dependentSchemas",
    "additionalItems": "items",
    "id": "$id",
    "$recursiveRef": "$dynamicRef",
    "$recursiveAnchor": "$dynamicAnchor",
}
_NEEDS = {
    "then": "if",
    "else": "if",
    "minContains": "contains",
    "maxContains": "contains",
}


@dataclass(slots=True)
class Lint:
    """What was found: sentences without the schema's name."""

    faults: list[Message] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


def lint(schema: Mapping[str, Any]) -> Lint:
    """Look at every subschema, wherever it is used."""
    found = Lint()
    seen: set[tuple[int, str]] = set()
    waiting: list[tuple[Any, str, str]] = [(schema, "#", "")]
    for name in ("$defs", "definitions"):
        for key, node in _items(schema, name):
            waiting.append((node, f"#/{name}/{key}", "?"))
    while waiting:
        node, place, of = waiting.pop(0)
        if not isinstance(node, dict) or (id(node), of) in seen:
            continue
        seen.add((id(node), of))
        _look(node, place, of, found)
        waiting += _below(schema, node, place, of)
    found.faults = list(dict.fromkeys(found.faults))
    found.notes = list(dict.fromkeys(found.notes))
    return found


def _items(node: Any, keyword: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict):
        return
    inside = node.get(keyword)
    if isinstance(inside, dict):
        yield from inside.items()
    elif isinstance(inside, list):
        for number, child in enumerate(inside):
            yield str(number), child


def _below(
    schema: Mapping[str, Any],
    node: dict[str, Any],
    place: str,
    of: str,
) -> Iterator[tuple[Any, str, str]]:
    """The subschemas of one, with their places and the field they are about: `` is the order, `?`
    is any or none.
    """
    for keyword in _IN_PLACE_ONE:
        yield node.get(keyword), f"{place}/{keyword}", of
    for keyword in (*_IN_PLACE_MANY, "dependentSchemas"):
        for key, child in _items(node, keyword):
            yield child, f"{place}/{keyword}/{key}", of
    for key, child in _items(node, "properties"):
        if of:
            field_of_child = "?"
        else:
            field_of_child = key
        yield child, f"{place}/properties/{key}", field_of_child
    for keyword in ("patternProperties", "prefixItems"):
        for key, child in _items(node, keyword):
            yield child, f"{place}/{keyword}/{key}", "?"
    for keyword in (*_BELOW_ANY, *_NAMES):
        yield node.get(keyword), f"{place}/{keyword}", "?"
    ref = node.get("$ref")
    if isinstance(ref, str) and (ref == "#" or ref.startswith("#/")):
        yield _at(schema, ref), ref, of


def _at(schema: Mapping[str, Any], pointer: str) -> Any:
    node: Any = schema
    for step in pointer.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            if key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                node = None
        elif isinstance(node, dict):
            node = node.get(key)
        else:
            node = None
    return node


# --- one subschema


def _look(node: dict[str, Any], place: str, of: str, found: Lint) -> None:
    for keyword, value in node.items():
        if keyword not in KNOWN:
            _unknown(keyword, place, found)
        elif keyword == "format":
            found.notes.append(said.FORMAT(format=repr(value), place=place))
        elif (needed := _NEEDS.get(keyword)) and needed not in node:
            found.faults.append(said.NEEDS(keyword=keyword, place=place, needed=needed))
    if not of:
        for name in [*dict(_items(node, "properties")), *_required(node)]:
            _field(name, place, found)
    if of in FIELDS:
        _about(of, node, place, found)


def _required(node: dict[str, Any]) -> list[str]:
    names = node.get("required")
    if isinstance(names, list):
        return [name for name in names if isinstance(name, str)]
    return []


def _unknown(keyword: str, place: str, found: Lint) -> None:
    if keyword.startswith(("x-", "$comment")):
        return
    instead = _INSTEAD.get(keyword) or _nearest(keyword, sorted(KNOWN))
    message = said.KEYWORD(
        keyword=repr(keyword),
        place=place,
        near=instead,
    )
    slip = keyword in _INSTEAD or _is_slip(keyword, instead)
    if slip and instead not in _ANNOTATIONS:
        found.faults.append(message)
    else:
        found.notes.append(message)


def _field(name: str, place: str, found: Lint) -> None:
    if name in FIELDS:
        return
    near = _nearest(name, FIELDS)
    message = said.FIELD(field=repr(name), place=place, near=near)
    if _is_slip(name, near):
        found.faults.append(message)
    else:
        found.notes.append(message)


def _nearest(name: str, known: Iterable[str]) -> str:
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1, 0.0)
    return folded[near[0]]


def _is_slip(name: str, near: str) -> bool:
    matcher = difflib.SequenceMatcher(None, name.casefold(), near.casefold())
    return matcher.ratio() >= SLIP


def _about(of: str, node: dict[str, Any], place: str, found: Lint) -> None:
    """Rules of a field whose kind of value is known."""
    kind = {"amount": "number", "metadata": "object"}.get(of, "text")
    for keyword in node:
        if keyword != "format" and _KIND_OF.get(keyword, kind) != kind:
            message = said.OF_ANOTHER_KIND(
                keyword=keyword,
                place=place,
                field=of,
                kind=_A_KIND[kind](),
            )
            found.faults.append(message)
    values = [value for _, value in _items(node, "enum")]
    if "const" in node:
        values.append(node["const"])
    for value in values:
        if of == "currency" and _is_capital_code(value):
            small = repr(value.lower())
            found.faults.append(
                said.CAPITALS(value=repr(value), place=place, small=small)
            )
        elif not _is_of(kind, value):
            shown = repr(str(value)[:60])
            message = said.NEVER_MET(
                value=shown,
                place=place,
                field=of,
                kind=_A_KIND[kind](),
            )
            found.notes.append(message)
    if of == "currency" and _only_capitals(node.get("pattern")):
        found.faults.append(said.CAPITALS_ONLY(place=place))
    if of != "amount":
        return
    for keyword in _OF_KIND["number"]:
        bound = node.get(keyword)
        if bound is not None and type(bound) not in (int, bool, str, list, dict):
            baht = format(Decimal(repr(bound)) / 100, "f")
            message = said.SMALLEST_UNIT(
                keyword=keyword,
                bound=str(bound),
                place=place,
                baht=baht,
            )
            found.notes.append(message)


def _is_of(kind: str, value: Any) -> bool:
    """May a field of this kind have this value? 20.0 is 20."""
    if kind == "number":
        if isinstance(value, bool | str | list | dict | type(None)):
            return False
        return bool(value % 1 == 0)
    if kind == "text":
        return isinstance(value, str)
    return isinstance(value, dict)


def _is_capital_code(value: Any) -> bool:
    """Is it a known currency, but not in small letters as documents have it?"""
    if not isinstance(value, str) or value.lower() == value:
        return False
    return value.upper() in EXPONENTS


def _only_capitals(pattern: Any) -> bool:
    """Does it match currencies, but none as documents have them?"""
    if not isinstance(pattern, str):
        return False
    try:
        found = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    if not any(map(found.search, EXPONENTS)):
        return False
    return not any(found.search(code.lower()) for code in EXPONENTS)


_A_KIND = {
    "number": said.NUMBER,
    "text": said.TEXT,
    "object": said.OBJECT,
}
