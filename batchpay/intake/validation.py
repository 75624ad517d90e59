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
from decimal import Decimal
from typing import Any

from batchpay.domain.documents import Documents
from batchpay.domain.model import Document, Judged, Problem
from batchpay.domain.money import EXPONENTS, major_text
from batchpay.domain.text import told
from batchpay.intake.columnwise import Columnwise
from batchpay.intake.mapping import ESSENTIAL, PAYING, Mapped
from batchpay.intake.schemarules import Rule, expected, rule_of
from batchpay.intake.sources import column_of, in_lookup, source_of
from batchpay.job.job import Columns, Schema
from batchpay.job.schema import compiled
from batchpay.messages import schemas
from batchpay.messages.message import Message
from batchpay.messages.problems import (
    BEYOND,
    NOT_TEXT,
    QUOTE,
    RAGGED_BETWEEN,
    RAGGED_LINE,
    RAGGED_LINES,
    RAGGED_SHORT,
    UNSEEN_FAULT,
)

Check = Callable[[Sequence[Document]], Mapping[int, tuple[Problem, ...]]]
"""A control of its own over a chunk of documents: problems by position."""

MAX_PROBLEMS = 20  # of one row: more help nobody

_NONE: frozenset[str] = frozenset()
_BOUNDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
# what a reader says of rows whose cells may stand in other columns than their own
SLIPPED = frozenset(
    entry.code
    for entry in (
        RAGGED_LINE,
        RAGGED_LINES,
        RAGGED_SHORT,
        RAGGED_BETWEEN,
        QUOTE,
        UNSEEN_FAULT,
    )
)
ROW = "the row"  # whom to blame when no field is


class Checker:
    """The rules of one job, compiled once: its schema, and controls of other kinds."""

    def __init__(
        self, schema: Schema, columns: Columns, checks: Sequence[Check] = ()
    ) -> None:
        self._schema = schema
        self._columns = columns
        self._checks = tuple(checks)
        self._rules: dict[tuple[str | int, ...], Rule] = {}
        validator = compiled(schema)
        self._is_valid: Callable[[Document], bool] = validator.is_valid
        self._errors: Callable[[Document], Any] = validator.iter_errors
        self._columnwise = Columnwise(schema)

    def judge(self, mapped: Mapped) -> Judged:
        """The chunk with all problems: the reader's, the mapping's, the schema's, the controls'."""
        problems = dict(mapped.problems)
        verdicts = self._verdicts(mapped.documents)
        if False in verdicts:
            for at, valid in enumerate(verdicts):
                if not valid:
                    known = problems.get(at, ())
                    unmapped = mapped.unmapped.get(at, _NONE)
                    worded = self.problems_of(mapped.documents[at], unmapped)
                    problems[at] = known + worded or (self._unworded(),)
        for at in mapped.incomplete:
            if at not in problems:  # the schema lets it pass, the gateway would not
                problems[at] = self._missing(mapped.documents[at])
        for check in self._checks:
            for at, more in check(mapped.documents).items():
                problems[at] = problems.get(at, ()) + more
        for at in mapped.chunk.problems.keys() & problems.keys():
            read = mapped.chunk.problems[at]
            problems[at] = _told_once(read, problems[at], mapped.chunk.columns[-1])
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
        """What the schema holds against a document, but for what follows from refused fields."""
        try:
            errors = list(self._errors(document))
        except UnicodeEncodeError:
            return (_half_character(document, self._columns),)
        found: dict[Problem, None] = {}  # each once, in their order
        for error in errors:
            found.update(dict.fromkeys(self._worded(error, document, unmapped)))
        return tuple(found)[:MAX_PROBLEMS]

    def _verdicts(self, documents: Sequence[Document]) -> list[bool]:
        try:
            if isinstance(documents, Documents):
                verdicts = self._columnwise.verdicts(documents)
                if verdicts is not None:
                    return verdicts
            return list(map(self._is_valid, documents))
        except UnicodeEncodeError:  # half a character: no text at all
            return [self._survives(document) for document in documents]

    def _survives(self, document: Document) -> bool:
        try:
            return self._is_valid(document)
        except UnicodeEncodeError:
            return False

    def _missing(self, document: Document) -> tuple[Problem, ...]:
        missing = []
        for name in ESSENTIAL:
            if name not in document:
                column = column_of(self._columns, name)
                missing.append(Problem(column, "", schemas.REQUIRED()))
        return tuple(missing)

    def _unworded(self) -> Problem:
        return Problem(ROW, "", schemas.SCHEMA(schema=self._schema.name))

    # --- words ---

    def _rule_at(self, path: Sequence[str | int]) -> Rule:
        """The rule at a place of the schema; there are as many as the schema has keywords."""
        place = tuple(path)
        if place not in self._rules:
            self._rules[place] = rule_of(self._schema.document, place)
        return self._rules[place]

    def _worded(
        self, error: Any, document: Document, unmapped: Collection[str]
    ) -> list[Problem]:
        """One error of the engine as problems of columns."""
        rule = self._rule_at(error.schema_path)
        path = ".".join(map(str, error.instance_path))
        below = _below(error.kind)
        if not path and not below:
            return self._group(rule, document, unmapped)
        if path == "amount" and rule.keyword in _BOUNDS:
            limit = _money(document, rule.limit)
        else:
            limit = rule.limit
        said = expected(rule.keyword, limit, rule.description)
        if path:
            names = [f"{path}.{name}" for name in below] or [path]
        else:
            names = below
        found = []
        for name in names:
            if name not in unmapped:
                value = _value(document, name)
                problem = self._problem(name, value, said, rule.keyword)
                source = source_of(self._columns, name)
                found.append(in_lookup(source, _text(document, name), problem))
        return found

    def _group(
        self, rule: Rule, document: Document, unmapped: Collection[str]
    ) -> list[Problem]:
        """An error about how fields stand together: blames those that are there, or all when none
        is.
        """
        if any(name in unmapped for name in rule.names):
            return []  # it could only be judged with the field that was refused
        present = [name for name in rule.names if name in document]
        concerned = present
        if not present:
            concerned = [name for name in rule.names if name in self._columns.fields]
        columns = dict.fromkeys(column_of(self._columns, name) for name in concerned)
        values = [_value(document, name) for name in present]
        # the job has one way to pay only
        if not present and len(concerned) == 1 and set(rule.names) == PAYING:
            said = schemas.REQUIRED()
        elif rule.description:
            said = schemas.DESCRIBED(description=rule.description)
        else:
            said = schemas.TOGETHER(keyword=rule.keyword)
        problem = Problem(
            ", ".join(columns) or ROW,
            ", ".join(filter(None, values)),
            said,
            rule.label or rule.keyword,
        )
        return [problem]

    def _problem(
        self,
        name: str,
        value: str,
        said: Message,
        keyword: str,
    ) -> Problem:
        """One about a field; its rule is the keyword, whichever sentence tells it."""
        if said.rule == keyword:
            label = ""
        else:
            label = keyword
        return Problem(column_of(self._columns, name), value, said, label)


def _told_once(
    read: Sequence[Problem], problems: tuple[Problem, ...], last: str
) -> tuple[Problem, ...]:
    """The problems of a row without those that follow from what its reader found: cells that may
    have slipped; cells to the right of the last column, which are shown in that one.
    """
    found = [problem for problem in read if problem in problems]
    codes = {problem.said.code for problem in found}
    if codes & SLIPPED:
        return tuple(found)
    if BEYOND.code in codes:
        return tuple(
            problem
            for problem in problems
            if problem in found or problem.column != last
        )
    return problems


def _below(kind: Any) -> list[str]:
    """The properties that an error speaks of: one that is missing, or those that nobody knows."""
    missing = getattr(kind, "property", None)
    if missing is not None:
        return [str(missing)]
    return list(getattr(kind, "unexpected", ()))


def _value(document: Mapping[str, Any], name: str) -> str:
    """What the document holds under a dotted name, fit to be shown; whole objects are not."""
    if name == "amount":
        return _money(document, document.get(name))
    return told(_text(document, name))


def _text(document: Mapping[str, Any], name: str) -> str:
    """The same as it is."""
    head, _, key = name.partition(".")
    value = document.get(head)
    if key and isinstance(value, Mapping):
        value = value.get(key)
    if value is None or isinstance(value, Mapping | list):
        return ""
    return str(value)


def _money(document: Mapping[str, Any], minor: Any) -> str:
    """An amount or a bound of amounts as the accountant writes it, in the unit that the row has."""
    code = str(document.get("currency", "")).upper()
    is_number = minor is not None and not isinstance(minor, bool | str | list | dict)
    if code not in EXPONENTS or not is_number:
        return str(minor or "")
    if isinstance(minor, int):
        return f"{major_text(minor, code)} {code}"
    # a bound between two whole ones
    major = Decimal(repr(minor)).scaleb(-EXPONENTS[code])
    return f"{major:f} {code}"


def _half_character(document: Document, columns: Columns) -> Problem:
    """Blame the field whose text cannot be written in UTF-8."""
    texts = {name: value for name, value in document.items() if isinstance(value, str)}
    for key, value in document.get("metadata", {}).items():
        texts[f"metadata.{key}"] = value
    for name, value in texts.items():
        written = value.encode("utf-8", "replace").decode()
        if written != value:
            return Problem(column_of(columns, name), told(value), NOT_TEXT())
    return Problem(ROW, "", NOT_TEXT())
