"""WORDING: what the schema holds against a job file, a sentence each, with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from functools import cache
from itertools import islice
from typing import Any

from batchpay.job.packaged import data_path

MAX_TOLD = 20  # sentences about one job file: more help nobody
_LATER = (
    (
        ("controls", "approval"),
        ("required",),
        'approvals come with a later version; use approval = "none"',
    ),
)


def against_schema(told: Mapping[str, Any], text: str) -> Iterator[str]:
    """A sentence for each thing that the schema does not allow."""
    validator = job_rules()
    errors = islice(validator.iter_errors(told), MAX_TOLD * 5)
    in_order = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    for error in in_order:
        yield from _worded(error, text, validator.schema["properties"])


@cache
def job_rules() -> Any:
    """The validator of job files, made once."""
    import json

    import jsonschema

    schema = json.loads(data_path("schemas/job.schema.json").read_text("utf-8"))
    plain = jsonschema.Draft202012Validator
    # 1.0 is not 1 here
    strict = plain.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    rules = {"uniqueItems": _each_once}
    extended = jsonschema.validators.extend(plain, rules, type_checker=strict)  # type: ignore[no-untyped-call]
    return extended(schema)


def _each_once(
    _validator: Any,
    wanted: bool,
    value: Any,
    _schema: Any,
) -> Iterator[Any]:
    """As `uniqueItems`, in linear time whatever stands in the list."""
    import jsonschema

    if (
        wanted
        and isinstance(value, list)
        and len({repr(item) for item in value}) < len(value)
    ):
        yield jsonschema.ValidationError("one of them stands there twice")


def _worded(error: Any, text: str, tables: Mapping[str, Any]) -> Iterator[str]:
    where = [str(part) for part in error.absolute_path]
    place = ".".join(where) or "the job file"
    known = _known_keys(error)
    if unknown := [key for key in error.instance if key not in known] if known else []:
        for key in unknown:
            table = ""
            if where:
                table = f" in [{'.'.join(where)}]"
            near = _nearest(key, known, tables)
            yield (
                f"{line_of(text, [*where, key])}unknown key {key!r}{table}; the nearest known key"
                f" is {near}"
            )
        return
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield f"{line_of(text, where)}{place} lacks {', '.join(missing)}"
        return
    if "propertyNames" in error.absolute_schema_path:
        expected = "letters, digits, . _ -; order_id and batchpay_* are reserved"
        if where[0] == "controls":
            expected = "a currency such as THB"
        yield (
            f"{line_of(text, [*where, error.instance])}{place}: the key {shown(error.instance)};"
            f" expected {expected}"
        )
        return
    yield f"{line_of(text, where)}{place}: found {shown(error.instance)}; {_said(error)}"


def _nearest(key: str, known: Sequence[str], tables: Mapping[str, Any]) -> str:
    """The known key that an unknown one may be: the same in another table, or one like it."""
    homes = [
        f"[{name}]" for name, one in tables.items() if key in one.get("properties", ())
    ]
    if homes:
        return f"{key!r} in {' or '.join(homes)}"
    near = difflib.get_close_matches(key, known, 1, 0.0)
    return repr(near[0])


def _known_keys(error: Any) -> list[str]:
    """The keys a table may have, where the error may be about one it may not have; all forms of a
    column's table.
    """
    if error.validator == "additionalProperties":
        return list(error.schema.get("properties", ()))
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        return list(
            {
                key: None
                for form in error.validator_value
                for key in form.get("properties", ())
            }
        )
    return []


def _said(error: Any) -> str:
    """What was expected, in the words of the schema's own description where it has one."""
    if isinstance(error.schema, dict):
        described = error.schema.get("description")
    else:
        described = None
    if described:
        return f"expected: {described}"
    return str(error.message)[:200]


def shown(value: Any) -> str:
    """A value as it is typed in TOML, cut where it is long."""
    text = _typed(value)
    if len(text) <= 60:
        return text
    return f"{text[:57]}..."


def _typed(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            inside = ", ".join(f"{key} = {_typed(one)}" for key, one in value.items())
            return f"{{ {inside} }}".replace("{  }", "{}")
        case list():
            return f"[{', '.join(map(_typed, value))}]"
        case date() | time():
            return value.isoformat()
    return repr(value)


def line_of(text: str, where: Sequence[str]) -> str:
    """`line 7: ` of the last key of a path, as near as a scan can tell; empty when it cannot."""
    lines = text.split("\n")
    start = 0
    for depth, key in enumerate(where):
        quoted = rf"[\"']?{re.escape(key)}[\"']?"
        dotted = r"\.".join(
            rf"[\"']?{re.escape(part)}[\"']?" for part in where[: depth + 1]
        )
        header = re.compile(rf"\s*\[\s*{dotted}\s*[\].]")
        assignment = re.compile(rf"(^|[\s{{,.\[]){quoted}\s*(=|\.|\])")
        found = next((n for n, line in enumerate(lines) if header.match(line)), None)
        if found is None:
            found = next(
                (
                    n
                    for n in range(start, len(lines))
                    if assignment.search(lines[n].split("#")[0])
                ),
                None,
            )
        if found is None:
            break
        start = found
    else:
        if where:
            return f"line {start + 1}: "
        return ""
    if start:
        return f"line {start + 1}: "
    return ""


def later(told: Mapping[str, Any], text: str) -> Iterator[str]:
    """Keys whose feature a later version brings, and guesses that nobody confirmed: refused, never
    ignored.
    """
    if guesses := told.get("to_confirm"):
        yield (
            f"{line_of(text, ['to_confirm'])}to_confirm: {', '.join(map(shown, guesses))}: guesses;"
            " look at each, correct it where it is wrong, and take it out of the list"
        )
    for (table, key), values, sentence in _LATER:
        if isinstance(told.get(table), dict):
            value = told.get(table, {}).get(key)
        else:
            value = None
        if value is not None and (values is None or value in values):
            yield f"{line_of(text, [table, key])}{table}.{key}: {sentence}"
    if str(told.get("state", {}).get("url", "")).startswith("postgresql:"):
        yield (
            f"{line_of(text, ['state', 'url'])}state.url: PostgreSQL comes with a later version;"
            " use sqlite:///state/batchpay.db"
        )
