"""SCHEMARULES: the rules of an order schema, one at a time, and what each of them expects.

>>> str(expected("minLength", 3, ""))
'at least 3 characters'
>>> str(expected("minLength", 1, "The shop's own number."))
"it may not be empty: The shop's own number."
>>> str(expected("pattern", "^[0-9]+$", "Digits only."))
'Digits only.'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batchpay.messages import schemas
from batchpay.messages.message import Entry, Field, Message

MOST_VALUES = 20  # that a sentence lists


@dataclass(frozen=True, slots=True)
class Rule:
    """One keyword of the schema, and how it is told."""

    keyword: str
    limit: Any
    description: str  # of the nearest subschema around it
    label: str  # its name in `$defs`
    names: tuple[str, ...]  # the fields it speaks of


def rule_of(schema: Mapping[str, Any], path: Sequence[str | int]) -> Rule:
    """Walk to a keyword of the schema, keeping the last description and the name in `$defs`."""
    keyword = "schema"
    limit = None
    description = ""
    node: Any = schema
    around: Any = schema
    for number, step in enumerate(path):
        if step == "$ref" and isinstance(node, Mapping):
            target = str(node.get("$ref", "")).removeprefix("#/").split("/")
            return rule_of(schema, [*target, *path[number + 1 :]])
        if (
            number
            and isinstance(node, Mapping)
            and isinstance(node.get("description"), str)
        ):
            description = node["description"]
        try:
            around = node
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(step, str):
            keyword = step
            limit = node
    if len(path) > 2 and path[0] == "$defs":
        label = str(path[1])
    else:
        label = ""
    if isinstance(around, Mapping):
        names = tuple(_names_in(around.get(keyword)))
    else:
        names = ()
    return Rule(keyword, limit, description, label, names)


def _names_in(node: Any) -> list[str]:
    """The properties that a condition over several fields speaks of."""
    names: dict[str, None] = {}
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "required" and isinstance(value, list):
                names.update(dict.fromkeys(map(str, value)))
            elif key == "properties" and isinstance(value, Mapping):
                names.update(dict.fromkeys(value))
            else:
                names.update(dict.fromkeys(_names_in(value)))
    elif isinstance(node, list):
        for child in node:
            names.update(dict.fromkeys(_names_in(child)))
    return list(names)


# --- what was expected

Told = tuple[tuple[Entry, Entry], Mapping[str, Field]]
"""A sentence, without and with the schema's own description, and its fields."""


def expected(keyword: str, limit: Any, description: str) -> Message:
    """What a rule asks for: the limit in words, then the schema's own description of the field."""
    if keyword in _AS_DESCRIBED and description:
        return schemas.DESCRIBED(description=description)
    if keyword in _SELF_EXPLAINING:
        return _SELF_EXPLAINING[keyword]()
    if keyword == "pattern":
        return schemas.PATTERN(pattern=str(limit))
    if keyword in _TOLD:
        (bare, described), fields = _TOLD[keyword](limit)
    else:
        (bare, described), fields = schemas.OTHER_KEYWORD, {"keyword": keyword}
    if description:
        return described(**fields, description=description)
    return bare(**fields)


_AS_DESCRIBED = frozenset({"pattern", "not", "anyOf", "oneOf"})
_SELF_EXPLAINING = {
    "required": schemas.REQUIRED,
    "dependentRequired": schemas.DEPENDENT,
    "additionalProperties": schemas.UNKNOWN_FIELD,
    "unevaluatedProperties": schemas.UNEVALUATED_FIELD,
}


def _least_length(limit: Any) -> Told:
    if limit == 1:
        return schemas.NOT_EMPTY, {}
    return schemas.MIN_LENGTH, {"limit": int(limit)}


def _enum(values: Any) -> Told:
    shown = ", ".join(map(str, values[:MOST_VALUES]))
    if len(values) > MOST_VALUES:
        shown += " …"
    return schemas.ENUM, {"values": shown}


def _type(kind: Any) -> Told:
    if isinstance(kind, str):
        return schemas.TYPE, {"kind": kind}
    *others, last = kind
    if not others:
        return schemas.TYPE, {"kind": last}
    return schemas.TYPES, {"kinds": ", ".join(others), "last": last}


_TOLD: dict[str, Callable[[Any], Told]] = {
    "minLength": _least_length,
    "maxLength": lambda limit: (schemas.MAX_LENGTH, {"limit": int(limit)}),
    "minimum": lambda limit: (schemas.MINIMUM, {"limit": str(limit)}),
    "maximum": lambda limit: (schemas.MAXIMUM, {"limit": str(limit)}),
    "exclusiveMinimum": lambda limit: (schemas.ABOVE, {"limit": str(limit)}),
    "exclusiveMaximum": lambda limit: (schemas.BELOW, {"limit": str(limit)}),
    "multipleOf": lambda step: (schemas.MULTIPLE_OF, {"limit": str(step)}),
    "enum": _enum,
    "const": lambda value: (schemas.CONST, {"value": str(value)}),
    "type": _type,
    "minProperties": lambda limit: (schemas.MIN_PROPERTIES, {"limit": int(limit)}),
    "maxProperties": lambda limit: (schemas.MAX_PROPERTIES, {"limit": int(limit)}),
}
