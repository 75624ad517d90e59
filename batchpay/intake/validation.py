"""VALIDATE: is a document an order? One engine decides, and words what is wrong, in linear time.

Problems name the column that feeds the field, and the remedy is the schema's own description where
it has one: whoever writes a schema writes its messages. A rule about several fields is called as
its subschema in `$defs`: `payment-group`.

Rules of the engine, where validators differ: `true` is not 1, 1.0 would be an integer (mapping
makes no such value), lengths count characters, `format` is a note and not a check, `$` matches only
at the very end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from batchpay.domain.model import Document, Judged, Problem
from batchpay.domain.money import EXPONENTS, major_text
from batchpay.domain.text import many, told
from batchpay.intake.mapping import ESSENTIAL, Mapped, column_of
from batchpay.job.job import Columns, Schema
from batchpay.job.schema import compiled

Check = Callable[[Sequence[Document]], Mapping[int, tuple[Problem, ...]]]
"""A control of its own over a chunk of documents: problems by position."""

MAX_PROBLEMS = 20  # of one row: more help nobody

_TYPE_AGAIN = "it holds half a character: type it again"
_NONE: frozenset[str] = frozenset()
_WORDS: dict[str, Callable[[Any], str]] = {
    "minLength": lambda limit: (
        f"at least {many(limit, 'character')}" if limit != 1 else "it may not be empty"
    ),
    "maxLength": lambda limit: f"at most {many(limit, 'character')}",
    "minimum": lambda limit: f"at least {limit}",
    "maximum": lambda limit: f"at most {limit}",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
    "exclusiveMaximum": lambda limit: f"less than {limit}",
    "multipleOf": lambda step: f"a multiple of {step}",
    "enum": lambda values: (
        f"one of {', '.join(map(str, values[:20]))}{' …' if len(values) > 20 else ''}"
    ),
    "const": lambda value: f"only {value}",
    "pattern": lambda pattern: f"it must match {pattern}",
    "type": lambda kind: f"it must be {kind if isinstance(kind, str) else ' or '.join(kind)}",
    "minProperties": lambda limit: f"at least {limit} {'entry' if limit == 1 else 'entries'}",
    "maxProperties": lambda limit: f"at most {limit} {'entry' if limit == 1 else 'entries'}",
    "required": lambda _: "fill it in",
    "dependentRequired": lambda _: "fill it in",
    "additionalProperties": lambda _: (
        "the schema does not know this field: take it out of the job's [columns]"
    ),
    "unevaluatedProperties": lambda _: (
        "the schema does not know this field: take it out of the job's [columns]"
    ),
}
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_SELF_EXPLAINING = frozenset(
    {"required", "dependentRequired", "additionalProperties", "unevaluatedProperties"}
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One keyword of the schema, and how it is told."""

    keyword: str
    limit: Any
    description: str  # of the nearest subschema around it
    label: str  # its name in `$defs`
    names: tuple[str, ...]  # the fields it speaks of


class Checker:
    """The rules of one job, compiled once: its schema, and controls of other kinds."""

    def __init__(self, schema: Schema, columns: Columns, checks: Sequence[Check] = ()) -> None:
        self._schema = schema
        self._columns = columns
        self._checks = tuple(checks)
        self._rules: dict[tuple[str | int, ...], _Rule] = {}
        validator = compiled(schema)
        self._is_valid: Callable[[Document], bool] = validator.is_valid
        self._errors: Callable[[Document], Any] = validator.iter_errors

    def judge(self, mapped: Mapped) -> Judged:
        """The chunk with all its problems: the reader's, the mapping's, the schema's and the
        controls'.
        """
        problems = dict(mapped.problems)
        verdicts = self._verdicts(mapped.documents)
        if False in verdicts:
            for at, valid in enumerate(verdicts):
                if not valid:
                    known = problems.get(at, ())
                    worded = self.problems_of(mapped.documents[at], mapped.unmapped.get(at, _NONE))
                    problems[at] = known + worded or (self._unworded(),)
        for at in mapped.incomplete:
            if at not in problems:  # the schema lets it pass, the gateway would not
                problems[at] = self._missing(mapped.documents[at])
        for check in self._checks:
            for at, more in check(mapped.documents).items():
                problems[at] = problems.get(at, ()) + more
        return Judged(
            mapped.chunk,
            mapped.documents,
            problems,
            mapped.comeback,
            mapped.corrects,
            mapped.earlier,
        )

    def problems_of(
        self, document: Document, unmapped: Collection[str] = _NONE
    ) -> tuple[Problem, ...]:
        """What the schema holds against a document, without what follows from fields that were
        refused before.
        """
        try:
            errors = list(self._errors(document))
        except UnicodeEncodeError:
            return (_half_character(document, self._columns),)
        found = (problem for error in errors for problem in self._worded(error, document, unmapped))
        return tuple(dict.fromkeys(found))[:MAX_PROBLEMS]

    def _verdicts(self, documents: list[Document]) -> list[bool]:
        try:
            return list(map(self._is_valid, documents))
        except UnicodeEncodeError:  # half a character: no text at all
            return [self._survives(document) for document in documents]

    def _survives(self, document: Document) -> bool:
        try:
            return self._is_valid(document)
        except UnicodeEncodeError:
            return False

    def _missing(self, document: Document) -> tuple[Problem, ...]:
        names = [name for name in ESSENTIAL if name not in document]
        return tuple(
            Problem(column_of(self._columns, name), "", "required", "fill it in") for name in names
        )

    def _unworded(self) -> Problem:
        return Problem("the row", "", "schema", f"it does not satisfy {self._schema.name}")

    # --- words ---

    def _rule_at(self, path: Sequence[str | int]) -> _Rule:
        """The rule at a place of the schema; there are as many as the schema has keywords."""
        place = tuple(path)
        if place not in self._rules:
            self._rules[place] = _rule_of(self._schema.document, place)
        return self._rules[place]

    def _worded(self, error: Any, document: Document, unmapped: Collection[str]) -> list[Problem]:
        """One error of the engine as problems of columns."""
        rule = self._rule_at(error.schema_path)
        path = ".".join(map(str, error.instance_path))
        missing, extra = (
            getattr(error.kind, "property", None),
            getattr(error.kind, "unexpected", ()),
        )
        if not path and missing is None and not extra:
            return self._group(rule, document, unmapped)
        if missing is not None:
            below = [str(missing)]
        else:
            below = list(extra)
        names = [f"{path}.{name}" if path else name for name in below] or [path]
        if path == "amount" and rule.keyword in _BOUNDS:
            limit = _money(document, rule.limit)
        else:
            limit = rule.limit
        remedy = _remedy(rule.keyword, limit, rule.description)
        return [
            Problem(column_of(self._columns, name), _value(document, name), rule.keyword, remedy)
            for name in names
            if name not in unmapped
        ]

    def _group(self, rule: _Rule, document: Document, unmapped: Collection[str]) -> list[Problem]:
        """An error about how fields stand together: blames those that are there, or all when none
        is.
        """
        if any(name in unmapped for name in rule.names):
            return []  # it could only be judged with the field that was refused
        present = [name for name in rule.names if name in document]
        concerned = present or [name for name in rule.names if name in self._columns.fields]
        columns = dict.fromkeys(column_of(self._columns, name) for name in concerned)
        values = ", ".join(filter(None, (_value(document, name) for name in present)))
        remedy = rule.description or f"these fields do not fit together ({rule.keyword})"
        return [
            Problem(", ".join(columns) or "the row", values, rule.label or rule.keyword, remedy)
        ]


def _remedy(keyword: str, limit: Any, description: str) -> str:
    """What was expected: the limit in words, then the schema's own description of the field."""
    if keyword in {"pattern", "not", "anyOf", "oneOf"} and description:
        return description
    if keyword in _WORDS:
        words = _WORDS[keyword](limit)
    else:
        words = f"it does not satisfy '{keyword}' of the schema"
    if description and keyword not in _SELF_EXPLAINING:
        return f"{words}: {description}"
    return words


def _rule_of(schema: Mapping[str, Any], path: Sequence[str | int]) -> _Rule:
    """Walk to a keyword of the schema, keeping the last description on the way and the name in
    `$defs`.
    """
    keyword, limit, description = "schema", None, ""
    node: Any = schema
    around: Any = schema
    for number, step in enumerate(path):
        if step == "$ref" and isinstance(node, Mapping):
            target = str(node.get("$ref", "")).removeprefix("#/").split("/")
            return _rule_of(schema, [*target, *path[number + 1 :]])
        if number and isinstance(node, Mapping) and isinstance(node.get("description"), str):
            description = node["description"]
        try:
            around, node = node, node[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(step, str):
            keyword, limit = step, node
    if len(path) > 2 and path[0] == "$defs":
        label = str(path[1])
    else:
        label = ""
    if isinstance(around, Mapping):
        names = _names_in(around.get(keyword))
    else:
        names = []
    return _Rule(keyword, limit, description, label, tuple(names))


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


def _value(document: Mapping[str, Any], name: str) -> str:
    """What the document holds under a dotted name, fit to be shown; whole objects are not."""
    head, _, key = name.partition(".")
    value = document.get(head)
    if name == "amount":
        return _money(document, value)
    if key and isinstance(value, Mapping):
        value = value.get(key)
    if value is None or isinstance(value, Mapping | list):
        return ""
    return told(str(value))


def _money(document: Mapping[str, Any], minor: Any) -> str:
    """An amount or a bound of amounts as the accountant writes it, in the unit that the row has."""
    code = str(document.get("currency", "")).upper()
    if code not in EXPONENTS or minor is None or isinstance(minor, bool | str | list | dict):
        return str(minor or "")
    if isinstance(minor, int):
        return f"{major_text(minor, code)} {code}"
    # a bound between two whole ones
    return f"{Decimal(repr(minor)).scaleb(-EXPONENTS[code]):f} {code}"


def _half_character(document: Document, columns: Columns) -> Problem:
    """Blame the field whose text cannot be written in UTF-8."""
    texts = {name: value for name, value in document.items() if isinstance(value, str)}
    texts.update({f"metadata.{key}": value for key, value in document.get("metadata", {}).items()})
    for name, value in texts.items():
        if not value.isascii() and value.encode("utf-8", "replace").decode() != value:
            return Problem(column_of(columns, name), told(value), "not-text", _TYPE_AGAIN)
    return Problem("the row", "", "not-text", _TYPE_AGAIN)
