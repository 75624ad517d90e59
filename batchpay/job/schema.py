"""A row schema as the job brings it: strict JSON Schema 2020-12 that reaches nothing outside
itself.

Refused with a sentence: what is not plain JSON, another dialect, references that leave the file,
patterns that cannot be matched in linear time, and schemas that would cost more than a row is
worth.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from batchpay.domain.errors import Misconfigured
from batchpay.domain.strictjson import NotStrict, parse
from batchpay.job.job import Schema
from batchpay.job.lint import lint
from batchpay.messages.message import worded

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 1024 * 1024
MAX_TOLD = 10  # faults of one schema, or notes about it
MAX_COST = 20_000  # subschemas one row may have to pass

# name -> schema
_NAMED = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)
_DATA = frozenset({"const", "enum", "default", "examples"})  # values, not schemas
_Found = tuple[str, str, Any]  # pointer, keyword, value
_COMPILED: dict[str, Any] = {}  # by the SHA-256 of the schema's bytes


def load_schema(source: Path | bytes, name: str = "") -> Schema:
    """Read and check a schema; raises Misconfigured (78) for one that cannot be trusted."""
    if isinstance(source, Path):
        name = name or source.name
        try:
            if source.stat().st_size > MAX_BYTES:
                _refuse(name, f"is larger than {MAX_BYTES} bytes", "make it smaller")
            source = source.read_bytes()
        except OSError as error:
            _refuse(
                name,
                f"cannot be read: {error.strerror}",
                "let this user read it",
                error,
            )
    return _checked(source, name or "the schema")


@lru_cache(maxsize=4)  # a program loads one job over and over
def _checked(source: bytes, name: str) -> Schema:
    """The schema that these bytes are."""
    try:
        document = parse(source, MAX_BYTES)
    except NotStrict as error:
        _refuse(name, f"is not strict JSON: {error}", "correct it", error)
    if not isinstance(document, dict):
        _refuse(name, "is not a JSON object", "a row schema starts with {")
    schema = Schema(name, document, hashlib.sha256(source).hexdigest())
    _check_keywords(schema)
    _check_cost(schema)
    compiled(schema)
    found = lint(document)
    if found.faults:
        if len(found.faults) > MAX_TOLD:
            more = f"; and {len(found.faults) - MAX_TOLD} more"
        else:
            more = ""
        _refuse(
            name,
            f"has rules that silently are none: {worded(found.faults[:MAX_TOLD])}{more}",
            "correct them",
        )
    return replace(
        schema, notes=tuple(f"{name}: {note}" for note in found.notes[:MAX_TOLD])
    )


def compiled(schema: Schema) -> Any:
    """The validator that decides: linear-time patterns, no network, no files. The same bytes are
    compiled once: a job is loaded with it, and each of its files is judged by it.
    """
    if not schema.sha256:
        return _compile(schema)
    if schema.sha256 not in _COMPILED:
        made = _compile(schema)
        _COMPILED.clear()  # a program runs one job
        _COMPILED[schema.sha256] = made
    return _COMPILED[schema.sha256]


def _compile(schema: Schema) -> Any:
    import jsonschema_rs  # heavy: only where rows are judged

    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema.document),
            retriever=_retrieve_nothing,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except jsonschema_rs.ValidationError as error:
        place = "/" + "/".join(map(str, error.instance_path))
        _refuse(
            schema.name,
            f"is no valid JSON Schema at {place}: {_first_line(error)}",
            "correct it",
            error,
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        _refuse(
            schema.name, f"cannot be used: {_first_line(error)}", "correct it", error
        )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _retrieve_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} would have to be fetched")


def _refuse(
    name: str,
    found: str,
    remedy: str,
    cause: Exception | None = None,
) -> NoReturn:
    raise Misconfigured(f"{name} {found}; {remedy}") from cause


# --- keywords


def _keywords(node: Any, pointer: str = "#", names: bool = False) -> Iterator[_Found]:
    """Every keyword of every subschema with its place."""
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from _keywords(child, f"{pointer}/{number}")
    elif isinstance(node, dict):
        for key, value in node.items():
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if not names:
                yield place, key, value
            if names or key not in _DATA:
                yield from _keywords(value, place, names=not names and key in _NAMED)


def _check_keywords(schema: Schema) -> None:
    """Refuse what leads out of the file, into another dialect or into exponential time."""
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions()
    for place, keyword, value in _keywords(schema.document):
        if keyword == "$schema" and str(value).rstrip("#") != DIALECT:
            _refuse(
                schema.name,
                f"says $schema {value!r} at {place}",
                f"only {DIALECT} is known",
            )
        if keyword in {"$ref", "$dynamicRef", "$recursiveRef"} and not str(
            value
        ).startswith("#"):
            _refuse(
                schema.name,
                f"refers to {value!r} at {place}",
                "only references inside the file, starting with #",
            )
        if keyword == "$id" and place != "#/$id":
            _refuse(
                schema.name,
                f"has an $id of its own at {place}",
                "only the schema as a whole may have one",
            )
        if keyword == "pattern":
            patterns = [value]
        elif keyword == "patternProperties":
            patterns = value
        else:
            patterns = []
        if not isinstance(patterns, list | dict):
            continue
        for pattern in patterns:
            # what is no text, the engine refuses by itself
            if isinstance(pattern, str) and not _takes(pattern, options):
                found, remedy = _why_not(pattern)
                _refuse(
                    schema.name,
                    f"has the pattern {pattern[:200]} at {place}, {found}",
                    remedy,
                )


def _takes(pattern: str, options: Any) -> bool:
    """Does an engine take this pattern?"""
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=options
        )
    except ValueError:
        return False
    return True


def _why_not(pattern: str) -> tuple[str, str]:
    """What the linear engine has against a pattern, and what to do; it says no more itself than
    that it is none.
    """
    import jsonschema_rs

    if _takes(pattern, jsonschema_rs.FancyRegexOptions()):
        return (
            "which cannot be matched in linear time",
            "write it without look-around and back-references",
        )
    for escape in dict.fromkeys(_ESCAPE.findall(pattern)):
        if not escape[1].isdigit() and not _takes(escape, jsonschema_rs.RegexOptions()):
            if escape == "\\Z":
                remedy = "write $ for the end of the text"
            else:
                remedy = "write it in another form"
            return f"in which {escape} is nothing that the engine knows", remedy
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"which is no pattern ({error})", "correct it"
    if any(int(count) > _MANY for count in _REPEAT.findall(pattern)):
        return (
            "whose repeats make it too large to be matched in linear time",
            "write it without huge repeats",
        )
    return (
        "which is no pattern that the engine takes",
        "write it as ECMA-262 has it, without extensions",
    )


_ESCAPE = re.compile(r"\\[A-Za-z0-9]")
_REPEAT = re.compile(r"\{\d{0,3}?,?(\d{1,9})")
_MANY = 999


def _check_cost(schema: Schema) -> None:
    """Refuse references that multiply: a row must not cost millions of steps."""
    targets = {"#": schema.document}
    for place, keyword, value in _keywords(schema.document):
        if keyword in {"$anchor", "$dynamicAnchor"}:
            targets[f"#{value}"] = _at(schema.document, place.rpartition("/")[0])
    costs: dict[int, int] = {}

    def cost(node: Any) -> int:
        if not isinstance(node, dict | list):
            return 0
        if id(node) not in costs:
            costs[id(node)] = 1  # what a circle counts
            inside: Iterable[Any] = node
            references: list[Any] = []
            if isinstance(node, dict):
                inside = node.values()
                references = [node.get("$ref"), node.get("$dynamicRef")]
            total = 1 + sum(map(cost, inside))
            for ref in references:
                if isinstance(ref, str):
                    total += cost(targets.get(ref) or _at(schema.document, ref))
            costs[id(node)] = min(total, MAX_COST * 2)
        return costs[id(node)]

    try:
        total = cost(dict(schema.document))
    except RecursionError as error:
        _refuse(
            schema.name, "has too long a chain of references", "make it flatter", error
        )
    if total > MAX_COST:
        _refuse(
            schema.name,
            f"makes one row pass more than {MAX_COST} subschemas",
            "use fewer references",
        )


def _at(document: Mapping[str, Any], pointer: str) -> Any:
    """The subschema a pointer names, or None."""
    node: Any = document
    for step in pointer.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(key)
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return None
    return node
