"""Many orders judged by one of them: the verdicts are those of the engine on each alone."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain.documents import Documents
from batchpay.intake.columnwise import Columnwise
from batchpay.job.job import Schema
from batchpay.job.schema import compiled, load_schema
from tests.doses import dose

PACKAGED = load_schema(Path(__file__).parent.parent / "schemas" / "order.schema.json")
FIELDS = ("order_id", "amount", "currency", "destination", "customer", "card")
KEYS = ("note", "invoice")
TEXTS = ("", "x", "xy", "tokn_1", "card_1", "ü")
RIGHT = {
    "order_id": "1",
    "amount": 100,
    "currency": "thb",
    "destination": "recp_test_1",
    "card": "tokn_test_1",
}


def schema_of(document: Any) -> Schema:
    return Schema("x", document, "")


def columns_of(rows: list[dict[str, Any]]) -> Documents:
    fields = {name: [row.get(name, "") for row in rows] for name in FIELDS}
    metadata = {key: [row.get(key, "") for row in rows] for key in KEYS}
    return Documents(len(rows), fields, metadata)


def by_itself(schema: Schema, documents: Documents) -> list[bool]:
    return list(map(compiled(schema).is_valid, documents))


# --- any schema, any rows

VALUE_SCHEMAS = st.sampled_from(
    [
        True,
        False,
        {"pattern": "^tokn_"},
        {"pattern": "^[a-z]$"},
        {"minLength": 2},
        {"enum": ["x", "xy", 100]},
        {"type": "integer", "minimum": 10},
        {"type": "string"},
        {"$ref": "#/$defs/short"},
        {"not": {"const": "x"}},
        {"additionalProperties": {"minLength": 2}},  # of metadata, or of nothing
        {"anyOf": [{"pattern": "_"}, {"$ref": "#/$defs/short"}]},
    ]
)
NAMES = st.sampled_from(FIELDS)
LEAVES = st.one_of(
    st.dictionaries(NAMES, VALUE_SCHEMAS, max_size=3).map(
        lambda of: {"properties": of}
    ),
    st.lists(NAMES, max_size=2, unique=True).map(lambda of: {"required": of}),
    st.tuples(NAMES, NAMES).map(lambda of: {"dependentRequired": {of[0]: [of[1]]}}),
    VALUE_SCHEMAS.map(
        lambda of: {"additionalProperties": of, "properties": {"card": True}}
    ),
    VALUE_SCHEMAS.map(lambda of: {"patternProperties": {"^c": of}}),
    VALUE_SCHEMAS.map(
        lambda of: {"properties": {"metadata": {"properties": {"note": of}}}}
    ),
    VALUE_SCHEMAS.map(
        lambda of: {"properties": {"metadata": {"additionalProperties": of}}}
    ),
    st.integers(1, 8).map(lambda most: {"maxProperties": most}),
    st.just({"propertyNames": {"maxLength": 8}}),
    st.just({"$ref": "#/$defs/paid"}),
    st.just({"type": "object"}),
)


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(
            lambda kind, of: {kind: of},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            some,
        ),
        inner.map(lambda of: {"not": of}),
        st.tuples(inner, inner, inner).map(
            lambda of: {"if": of[0], "then": of[1], "else": of[2]}
        ),
        st.tuples(NAMES, inner).map(lambda of: {"dependentSchemas": {of[0]: of[1]}}),
        st.tuples(inner, VALUE_SCHEMAS).map(
            lambda of: {"allOf": [of[0]], "unevaluatedProperties": of[1]}
        ),
    )


SCHEMAS = st.recursive(LEAVES, _around, max_leaves=6).map(
    lambda of: {
        **of,
        "$defs": {
            "short": {"maxLength": 2},
            "paid": {"oneOf": [{"required": ["card"]}, {"required": ["customer"]}]},
        },
    }
)
VALUES: dict[str, tuple[Any, ...]] = {
    "order_id": TEXTS,
    "amount": (None, 1, 100),
    "card": TEXTS,
    "customer": TEXTS,
    "note": TEXTS,
    "invoice": TEXTS,
}
ROW = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in VALUES.items()}
)


@given(SCHEMAS, ROW, st.lists(ROW, max_size=5), st.randoms())
@settings(max_examples=dose(100, 300))
def test_verdicts_of_columns_are_those_of_each_order(
    document: Any, usual: dict[str, Any], others: list[dict[str, Any]], dice: Random
) -> None:
    """Whatever the schema asks of fields, of which there are, and of both together; of rows that
    differ in one value from the others all there can be, and of some other kinds.
    """
    rows = [usual] * 150 + others * 20
    for name, values in VALUES.items():
        rows += [{**usual, name: value} for value in values]
    dice.shuffle(rows)
    schema, documents = schema_of(document), columns_of(rows)
    told = Columnwise(schema).verdicts(documents)
    if told is None:  # nobody knows whether it means `metadata`
        assert "enum" in json.dumps(document) or "const" in json.dumps(document)
    else:
        assert told == by_itself(schema, documents)


# --- the packaged one


def test_the_packaged_schema_is_cut_up() -> None:
    """Without it each order would cost twice as much, and nobody would see why."""
    rows: list[dict[str, Any]] = [{**RIGHT, "order_id": f"{at}"} for at in range(200)]
    rows[7]["card"] = "card_test_1"  # without its customer
    rows[8] = {**RIGHT, "card": "", "customer": "cust_test_1"}
    rows[9]["amount"] = 0
    rows[10]["note"] = "a\x01b"
    rows[11]["destination"] = "recp_test_A"
    documents = columns_of(rows)
    told = Columnwise(PACKAGED).verdicts(documents)
    assert told == by_itself(PACKAGED, documents)
    assert [at for at, right in enumerate(told or ()) if not right] == [7, 9, 10, 11]


@pytest.mark.parametrize(
    "opaque",
    [
        {"properties": {"metadata": {"enum": [{"note": "x"}]}}},
        {"const": {"order_id": "1"}},
        {"properties": {"card": {"$ref": "#/properties/customer"}, "customer": True}},
        {
            "properties": {"card": {"$dynamicRef": "#x"}},
            "$defs": {"x": {"$dynamicAnchor": "x"}},
        },
        {"$ref": "#/$defs/a/properties/x", "$defs": {"a": {"properties": {"x": True}}}},
        {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"format": "x"}}},
    ],
    ids=json.dumps,
)
def test_what_looks_at_values_otherwise_is_asked_about_each(opaque: Any) -> None:
    """So is a file of few rows."""
    documents = columns_of([RIGHT] * 100)
    assert Columnwise(schema_of(opaque)).verdicts(documents) is None
    assert Columnwise(PACKAGED).verdicts(columns_of([RIGHT] * 10)) is None


def test_orders_of_several_kinds_are_told_apart() -> None:
    """Each kind is judged by one of it that is no exception, be it the first or the last."""
    usual = {**RIGHT, "note": "x"}
    kinds = [
        usual,
        {**RIGHT, "note": ""},
        {**RIGHT, "card": "", "customer": "cust_1"},
        {**RIGHT, "card": "card_1"},
        {**RIGHT, "card": "card_1", "customer": "cust_1"},
        {**RIGHT, "destination": "recp_test_A"},
    ]
    rows: list[dict[str, Any]] = [*kinds * 40]
    rows[0] = {**usual, "amount": 0}
    rows[-1] = {**usual, "currency": ""}
    documents = columns_of(rows)
    told = Columnwise(PACKAGED).verdicts(documents)
    assert told == by_itself(PACKAGED, documents)
    assert told[:6] == [False, True, True, False, True, False]
    assert told[6:-6] == [True, True, True, False, True, False] * 38
