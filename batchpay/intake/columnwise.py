"""COLUMNWISE: orders that a schema cannot tell apart are judged by one of them.

What a schema says of an order follows from which fields it has, and from what the schemas of its
fields say of their values. So orders that have the same fields, of whose values these say the same,
are of one kind: the schema says of all of them what it says of one. The engine is asked about
columns, about one order of each kind, and about each of which there are few. A schema in which some
keyword looks at values otherwise is asked about every order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from batchpay.domain.documents import Documents
from batchpay.domain.model import Document
from batchpay.job.job import Schema
from batchpay.job.schema import compiled

_FEWEST = 64  # orders that are worth it; fewer of so many that differ are no kind of their own
_MOST = 500  # schemas that are looked through

# Keywords of an object's schema that say nothing of it, or look only at which fields there are.
_OF_SHAPE = frozenset(
    {
        *("$schema", "$id", "$comment", "$defs", "title", "description", "examples"),
        *("default", "deprecated", "type", "required", "dependentRequired"),
        *("minProperties", "maxProperties", "propertyNames"),
        *("pattern", "minLength", "maxLength", "minimum", "maximum"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)
# ... that have schemas of the same object, and of any of its fields
_SAME = ("not", "if", "then", "else")
_SAME_EACH = ("allOf", "anyOf", "oneOf")
_ANY = ("additionalProperties", "unevaluatedProperties")
# What would point elsewhere, once a part of the schema stands alone.
_POINTERS = frozenset(
    {"$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}
)
_DEFINED = "#/$defs/"

_OBJECT = "metadata"  # the field whose value has fields itself

_Place = tuple[str, ...]  # a field, or `metadata` and a key
_Part = tuple[str, Any]


class _Opaque(Exception):
    """A schema that looks at values otherwise than field by field, or is too large."""


class Columnwise:
    """The schema of a job, cut up by fields."""

    def __init__(self, schema: Schema) -> None:
        """Looks at nothing before it is asked."""
        self._schema = schema
        self._is_valid: Callable[[Document], bool] = compiled(schema).is_valid
        self._cut_up: bool | None = None  # None: nobody has tried
        # field, or "" for any, and what is asked of its value
        self._parts: list[_Part] = []
        self._parts_inside: list[_Part] = []
        self._atoms: dict[_Place, list[_Atom]] = {}
        self._compiled: dict[int, _Atom] = {}  # by the id of the part
        self._looked_at = 0

    def verdicts(self, documents: Documents) -> list[bool] | None:
        """Which of them are orders; None where each is to be judged by itself. Raises
        UnicodeEncodeError.
        """
        count = len(documents)
        if count < _FEWEST or not self._applies():
            return None
        odd: set[int] = set()
        marks: list[list[bool]] = []  # by which the others are of several kinds
        for told in self._differences(documents):
            right = told.count(True)
            if min(right, count - right) * _FEWEST > count:
                marks.append(told)
            else:
                rarer = right * 2 < count
                odd.update(at for at, said in enumerate(told) if said == rarer)
        kinds = list(zip(*marks, strict=True)) if marks else [()] * count
        left = set(kinds)
        of_kind: dict[tuple[bool, ...], bool] = {}
        for at, kind in enumerate(kinds):
            if kind in left and at not in odd:
                of_kind[kind] = self._is_valid(documents[at])
                left.remove(kind)
            if not left:
                break
        verdicts = [of_kind.get(kind, False) for kind in kinds]
        for at in odd:
            verdicts[at] = self._is_valid(documents[at])
        return verdicts

    def _differences(self, documents: Documents) -> Iterator[list[bool]]:
        """Of each order whether it has a field, or whether the value there is right, where it is
        not the same of all of them.
        """
        for place, column in documents.columns():
            values, there = list(column), []
            if not all(column):
                there = list(map(bool, column))
                yield there
                values = [value for value in column if value]
            if not values:
                continue
            for atom in self._atoms_of(place):
                told = atom.told(values)
                if told and there:
                    in_turn = iter(told)
                    yield [is_there and next(in_turn) for is_there in there]
                elif told:
                    yield told

    def _applies(self) -> bool:
        if self._cut_up is None:
            try:
                _require_movable(self._schema.document)
                self._parts = list(self._parts_of(self._schema.document))
                for name, part in self._parts:
                    if name in ("", _OBJECT):
                        self._parts_inside += self._parts_of(part)
                self._cut_up = True
            except (_Opaque, RecursionError):
                self._cut_up = False
        return self._cut_up

    def _parts_of(self, node: Any) -> Iterator[_Part]:
        """What the schema of an object, with all that is about the same object, asks of fields."""
        if isinstance(node, bool):
            return
        self._looked_at += 1
        if self._looked_at > _MOST:
            raise _Opaque
        for keyword, value in node.items():
            if keyword == "$ref":
                yield from self._parts_of(self._defined(value))
            elif keyword in _SAME:
                yield from self._parts_of(value)
            elif keyword in _SAME_EACH:
                for part in value:
                    yield from self._parts_of(part)
            elif keyword == "dependentSchemas":
                for part in value.values():
                    yield from self._parts_of(part)
            elif keyword == "properties":
                yield from value.items()
            elif keyword in _ANY:
                yield "", value
            elif keyword == "patternProperties":
                yield from (("", part) for part in value.values())
            elif keyword not in _OF_SHAPE:
                raise _Opaque

    def _defined(self, reference: str) -> Any:
        name = reference.removeprefix(_DEFINED)
        known: Any = self._schema.document.get("$defs", {})
        if name not in known:  # a place within one, or written with escapes
            raise _Opaque
        return known[name]

    def _atoms_of(self, place: _Place) -> list[_Atom]:
        """What the schema asks of the value at a place."""
        if place not in self._atoms:
            *inside, name = place
            parts = self._parts_inside if inside else self._parts
            asked = [part for field, part in parts if field in ("", name)]
            wanted = [part for part in asked if not isinstance(part, bool)]
            self._atoms[place] = [self._atom_of(part) for part in wanted]
        return self._atoms[place]

    def _atom_of(self, part: Any) -> _Atom:
        """The same part may be about many places."""
        if id(part) not in self._compiled:
            self._compiled[id(part)] = _Atom(self._schema, part)
        return self._compiled[id(part)]


class _Atom:
    """What is asked of one value: the engine's verdict on a column of them."""

    def __init__(self, schema: Schema, part: Any) -> None:
        self._schema = schema
        self._one = self._compiled(part)
        self._all = self._compiled({"items": part})
        self._none = self._compiled({"items": {"not": part}})

    def _compiled(self, part: Any) -> Callable[[Any], bool]:
        defined = self._schema.document.get("$defs", {})
        alone = Schema(self._schema.name, {"$defs": defined, "allOf": [part]}, "")
        is_valid: Callable[[Any], bool] = compiled(alone).is_valid
        return is_valid

    def told(self, values: list[Any]) -> list[bool]:
        """What it says of each value; nothing where that is the same of all. There is one."""
        same = self._all if self._one(values[0]) else self._none
        if same(values):
            return []
        return list(map(self._one, values))


def _require_movable(node: Any) -> None:
    """Raises _Opaque where a part of a schema may mean something else when it stands alone."""
    if isinstance(node, list):
        for part in node:
            _require_movable(part)
    elif isinstance(node, Mapping):
        reference = node.get("$ref", _DEFINED)
        if not str(reference).startswith(_DEFINED) or not _POINTERS.isdisjoint(node):
            raise _Opaque
        for part in node.values():
            _require_movable(part)
