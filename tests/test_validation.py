"""Validation: the verdict of one engine, in words that name column, value, rule and remedy."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain.errors import Misconfigured
from batchpay.domain.model import Problem
from batchpay.intake.mapping import Mapped
from batchpay.intake.validation import Checker
from batchpay.job.job import Columns, FromColumn, FromTemplate, FromValue, Schema
from batchpay.job.schema import MAX_BYTES, load_schema
from batchpay.messages.message import plain

PACKAGED = load_schema(Path(__file__).parent.parent / "schemas" / "order.schema.json")
COLUMNS = Columns(
    {
        "order_id": FromColumn("No"),
        "amount": FromColumn("Amount", "major"),
        "currency": FromValue("THB"),
        "destination": FromColumn("Shop"),
        "customer": FromColumn("Customer"),
        "card": FromColumn("Card"),
        "source": FromColumn("Source"),
        "description": FromTemplate(("", "No", " ", "Shop", "")),
        "return_uri": FromColumn("Back"),
    },
    {"invoice": FromColumn("Inv")},
)
CORE = {
    "order_id": "A1",
    "amount": 2000,
    "currency": "thb",
    "destination": "recp_test_1",
}
GOOD = {**CORE, "customer": "cust_test_1"}
CHECKER = Checker(PACKAGED, COLUMNS)


@dataclass
class Bare:
    """A chunk that nobody looks into."""

    rows: range
    problems: dict


def judged(checker, *documents, problems=None, unmapped=None, incomplete=frozenset()):
    """Judge documents as if mapping had just made them."""
    chunk = Bare(range(2, 2 + len(documents)), {})
    return checker.judge(
        Mapped(
            chunk,
            list(documents),
            problems or {},
            unmapped or {},
            frozenset({0}),
            incomplete,
        )
    )


def rules(document, unmapped=frozenset(), checker=CHECKER):
    """(column, rule) of each problem."""
    return [
        (problem.column, problem.rule)
        for problem in checker.problems_of(document, unmapped)
    ]


def own(document):
    """A checker for a schema of the user's own."""
    return Checker(load_schema(json.dumps(document).encode(), "own.json"), COLUMNS)


# --- the packaged schema

PAYERS = {
    "token": ({"card": "tokn_test_1"}, True),
    "customer": ({"customer": "cust_test_1"}, True),
    "customer and card": ({"customer": "cust_test_1", "card": "card_test_1"}, True),
    "source": ({"source": "src_test_1"}, True),
    "nobody": ({}, False),
    "card alone": ({"card": "card_test_1"}, False),
    "customer and token": ({"customer": "cust_test_1", "card": "tokn_test_1"}, False),
    "customer and source": ({"customer": "cust_test_1", "source": "src_test_1"}, False),
    "token and source": ({"card": "tokn_test_1", "source": "src_test_1"}, False),
    "all": (
        {"customer": "cust_test_1", "card": "card_test_1", "source": "src_test_1"},
        False,
    ),
}


@pytest.mark.parametrize("name", PAYERS)
def test_exactly_one_legal_way_to_pay(name):
    """The four legal groups, and nothing else."""
    fields, legal = PAYERS[name]
    found = CHECKER.problems_of({**CORE, **fields})
    assert [problem.rule for problem in found] == ([] if legal else ["payment-group"])
    if found:
        assert "exactly one" in found[0].remedy
        present = [
            COLUMNS.fields[field].column
            for field in ("card", "customer", "source")
            if field in fields
        ]
        assert found[0].column == ", ".join(present or ["Card", "Customer", "Source"])


BAD_FIELDS = [
    ("order_id", "x" * 101, "No", "maxLength"),
    ("order_id", "", "No", "minLength"),
    ("order_id", "a\nb", "No", "pattern"),
    ("order_id", "a\n", "No", "pattern"),
    ("order_id", " a", "No", "pattern"),
    ("order_id", 7, "No", "type"),
    ("amount", 0, "Amount", "minimum"),
    ("amount", 10**12 + 1, "Amount", "maximum"),
    ("amount", True, "Amount", "type"),
    ("amount", "1", "Amount", "type"),
    ("amount", None, "Amount", "type"),
    ("amount", [1], "Amount", "type"),
    ("currency", "THB", "currency", "enum"),
    ("currency", "kwd", "currency", "enum"),
    ("destination", "acct_1", "Shop", "pattern"),
    ("destination", "recp_test_A", "Shop", "pattern"),
    ("customer", "cust_", "Customer", "pattern"),
    ("description", "x" * 256, "description", "maxLength"),
    ("description", "a\x00", "description", "pattern"),
    ("return_uri", "http://example.com", "Back", "pattern"),
    ("return_uri", "javascript:alert(1)", "Back", "pattern"),
    ("return_uri", "https://a b", "Back", "pattern"),
    ("return_uri", "http://localhost.evil.example/", "Back", "pattern"),
    ("metadata", {"invoice": "x" * 501}, "Inv", "maxLength"),
    ("metadata", {"invoice": 1}, "Inv", "type"),
    ("extra", "1", "extra", "additionalProperties"),
]


@pytest.mark.fault("X11", "X13", "X14", "X15")
@pytest.mark.parametrize(("name", "value", "column", "rule"), BAD_FIELDS)
def test_each_limit_names_its_column(name, value, column, rule):
    """One broken limit, one problem, with the column that feeds the field and a remedy."""
    found = CHECKER.problems_of({**GOOD, name: value})
    assert (column, rule) in [(problem.column, problem.rule) for problem in found]
    assert all(problem.remedy for problem in found)
    assert judged(CHECKER, {**GOOD, name: value}).problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order_id", "a"),
        ("order_id", "x" * 100),
        ("order_id", "ร้าน 12/../:'\""),
        ("order_id", "😀" * 100),
        ("amount", 1),
        ("amount", 10**12),
        ("description", "two\nlines"),
        ("metadata", {"invoice": "หมายเลข"}),
        ("return_uri", "https://example.com/back?x=1"),
        ("return_uri", "http://localhost:8080/"),
        ("return_uri", "http://127.0.0.1"),
    ],
)
def test_what_is_allowed(name, value):
    """The edges of each limit, lengths in characters."""
    assert rules({**GOOD, name: value}) == []


@pytest.mark.fault("X27")
@pytest.mark.parametrize(
    "metadata",
    [
        {f"k{number}": "x" for number in range(45)},
        {"order_id": "1"},
        {"batchpay_key": "1"},
        {"a[b]": "1"},
        {"a\nb": "1"},
        {"": "1"},
        {"k" * 41: "1"},
        {"a": {"b": "c"}},
        {"a": "x" * 100_000},
    ],
)
def test_metadata_has_limits(metadata):
    """Too many, reserved, nested, long or ill-named entries."""
    assert not CHECKER._is_valid({**GOOD, "metadata": metadata})
    assert rules({**GOOD, "metadata": metadata})


def test_every_property_is_described():
    """Descriptions are the remedies that people read."""
    for name, schema in PACKAGED.document["properties"].items():
        assert schema["description"].endswith("."), name
        assert schema["title"], name


def test_required_fields():
    """An empty cell is told by its column; all of them at once."""
    assert rules({"customer": "cust_test_1"}) == [
        ("No", "required"),
        ("Amount", "required"),
        ("currency", "required"),
        ("Shop", "required"),
    ]


def test_amounts_are_told_as_they_are_written():
    """The accountant reads main units, not the smallest ones."""
    checker = own({"properties": {"amount": {"minimum": 2000}}})
    (problem,) = checker.problems_of({**GOOD, "amount": 150})
    assert (problem.value, problem.remedy) == ("1.50 THB", "at least 20.00 THB")


# --- judging a chunk


def test_all_errors_of_all_rows():
    """Several errors of one row are all told, beside what mapping had said; good rows are
    untouched.
    """
    earlier = Problem("Amount", "x", plain("write 1234.50"), "number-format")
    bad = {
        "order_id": "",
        "currency": "thb",
        "destination": "x",
        "customer": "cust_test_1",
    }
    result = judged(
        CHECKER,
        GOOD,
        bad,
        GOOD,
        problems={1: (earlier,)},
        unmapped={1: frozenset({"amount"})},
    )
    assert result.documents == [GOOD, bad, GOOD]
    assert result.problems.keys() == {1}
    assert result.problems[1][0] is earlier
    assert [problem.rule for problem in result.problems[1][1:]] == [
        "minLength",
        "pattern",
        "pattern",
    ]
    assert result.comeback == {0}


def test_a_refused_field_is_not_also_missing():
    """No `required`, and no payment group that only fails because a cell was refused."""
    document = {key: value for key, value in CORE.items() if key != "amount"}
    assert rules(document, frozenset({"amount", "card"})) == []
    assert rules(document, frozenset({"amount"})) == [
        ("Card, Customer, Source", "payment-group")
    ]


def test_a_lax_schema_cannot_let_an_order_without_amount_pass():
    """What every order needs is needed under any schema."""
    checker = own({})
    result = judged(checker, {"order_id": "A1"}, GOOD, incomplete=frozenset({0}))
    assert [problem.column for problem in result.problems[0]] == [
        "Amount",
        "currency",
        "Shop",
    ]
    assert 1 not in result.problems


def test_half_a_character_is_a_problem_and_no_crash():
    """A lone surrogate rejects its row only."""
    result = judged(CHECKER, GOOD, {**GOOD, "metadata": {"invoice": "a\ud800"}})
    assert [(p.column, p.rule, p.value) for p in result.problems[1]] == [
        ("Inv", "not-text", "a\\ud800")
    ]
    assert 0 not in result.problems


def test_controls_join_in():
    """Checks of other kinds add their problems to the row."""
    extra = Problem("Amount", "1", plain("less"), "above-max-amount")
    result = judged(Checker(PACKAGED, COLUMNS, [lambda documents: {0: (extra,)}]), GOOD)
    assert result.problems == {0: (extra,)}


def test_conditions_over_fields_of_the_users_own():
    """A named subschema lends its name and description; others are told by keyword."""
    rule = {
        "description": "Say what it is for.",
        "if": {"properties": {"amount": {"minimum": 1}}},
        "then": {"anyOf": [{"required": ["description"]}]},
    }
    named = {"$defs": {"big-needs-text": rule}, "$ref": "#/$defs/big-needs-text"}
    (problem,) = own(named).problems_of(GOOD)
    assert (problem.column, problem.rule, problem.remedy) == (
        "description",
        "big-needs-text",
        "Say what it is for.",
    )
    assert rules(GOOD, checker=own({"dependentRequired": {"customer": ["card"]}})) == [
        ("Card", "dependentRequired")
    ]
    assert rules(GOOD, checker=own({"not": {"required": ["customer"]}})) == [
        ("Customer", "not")
    ]


def test_never_invalid_without_a_word():
    """A schema that nothing satisfies still says something."""
    result = judged(Checker(Schema("own.json", {"not": {}}), COLUMNS), GOOD)
    assert result.problems[0][0].remedy


# --- two engines

_VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "A1",
            "recp_1",
            "recp_test_0z",
            "cust_1",
            "card_1",
            "tokn_1",
            "src_1",
            "thb",
            "usd",
            "xxx",
        ]
    ),
    st.integers(-5, 5),
    st.booleans(),
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.integers(10**12 - 1, 10**12 + 1),
    st.lists(st.none(), max_size=1),
    st.dictionaries(
        st.sampled_from(["a", "order_id", "batchpay_x"]),
        st.text("ab\t\x00", max_size=3),
        max_size=2,
    ),
)
_FIELDS = st.sampled_from([*PACKAGED.document["properties"], "extra"])
_SECOND_OPINION = jsonschema.Draft202012Validator(PACKAGED.document)


@pytest.mark.fault("X24")
@given(st.dictionaries(_FIELDS, _VALUES))
def test_a_second_engine_comes_to_the_same_verdict(changes):
    """jsonschema agrees on any document of ours, but for a line feed at the very end; words come
    with every no.
    """
    document = {**GOOD, **changes}
    valid = CHECKER._is_valid(document)
    texts = [str(value) for value in document.values()]
    texts += [
        text
        for value in document.values()
        if isinstance(value, dict)
        for text in value.values()
    ]
    if not any(text.endswith("\n") for text in texts):
        assert _SECOND_OPINION.is_valid(document) == valid
    assert bool(CHECKER.problems_of(document)) == (not valid)


@pytest.mark.fault("X24", "X15")
@pytest.mark.parametrize(
    ("schema", "value", "verdict", "other"),
    [
        ({"type": "integer"}, 1.0, True, True),
        ({"type": "integer"}, True, False, False),
        ({"const": 1}, True, False, False),
        ({"minLength": 2}, "😀", False, False),
        ({"maxLength": 1}, "😀", True, True),
        ({"format": "email"}, "no", True, True),
        ({"enum": list(range(5000))}, 4999, True, True),
        ({"multipleOf": 0.01}, 19.99, True, False),
        ({"pattern": "^a$"}, "a\n", False, True),
        ({"pattern": r"^\d$"}, "๑", False, True),
        ({"pattern": r"^\w$"}, "ก", False, True),
    ],
)
def test_where_engines_differ_ours_is_written_down(schema, value, verdict, other):
    """The verdicts of the engine that decides, and the known differences of the other one."""
    checker = own({"properties": {"x": schema}})
    assert checker._is_valid({"x": value}) is verdict
    assert jsonschema.Draft202012Validator(schema).is_valid(value) is other


@pytest.mark.fault("X23")
def test_a_catastrophic_pattern_is_harmless():
    """Both verdict and words come in linear time."""
    checker = own({"properties": {"order_id": {"pattern": "^(a+)+$"}}})
    start = time.process_time()
    result = judged(checker, {**GOOD, "order_id": "a" * 5000 + "!"})
    assert [problem.rule for problem in result.problems[0]] == ["pattern"]
    # a backtracking engine would need longer than the universe is old
    assert time.process_time() - start < 1


CATASTROPHES = [
    "^(a+)+$",
    "^(a|aa)+$",
    "^(a|a?)+$",
    "^(([a-z])+.)+[A-Z]$",
    "^([a-zA-Z]+)*$",
    r"^(a+\s?)*$",
    "(x+x+)+y",
    "(.*a){12}$",
]


@pytest.mark.fault("X23")
@pytest.mark.parametrize("pattern", CATASTROPHES)
@pytest.mark.parametrize("place", ["cell", "key", "name"])
def test_no_pattern_is_a_catastrophe_anywhere(pattern, place):
    """In a field, in the names of metadata, in patternProperties: thousands of characters in
    milliseconds.
    """
    text = "a" * 5000 + "!"
    schema, document = {
        "cell": (
            {"properties": {"description": {"pattern": pattern}}},
            {**GOOD, "description": text},
        ),
        "key": (
            {"properties": {"metadata": {"propertyNames": {"pattern": pattern}}}},
            {**GOOD, "metadata": {text: ""}},
        ),
        "name": (
            {
                "properties": {
                    "metadata": {"patternProperties": {pattern: {"maxLength": 0}}}
                }
            },
            {**GOOD, "metadata": {text: "x"}},
        ),
    }[place]
    checker = own(schema)
    start = time.process_time()
    assert len(judged(checker, *[document] * 20).problems) == (
        0 if place == "name" else 20
    )
    assert time.process_time() - start < 5  # a backtracking engine would not come back


@pytest.mark.fault("X23", "X24")
@settings(deadline=None)
@given(st.sampled_from(CATASTROPHES), st.text("axyA! ", max_size=10))
def test_linear_and_backtracking_engines_agree_where_both_come_back(pattern, text):
    """What makes a pattern quick does not change what it matches."""
    verdict = own({"properties": {"x": {"pattern": pattern}}})._is_valid({"x": text})
    assert (
        jsonschema.Draft202012Validator({"pattern": pattern}).is_valid(text) is verdict
    )


_SCALARS = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.none(),
    st.text("aก😀\n ", max_size=3),
    st.sampled_from(["1", "true", ""]),
)
_RULES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["string", "integer", "number", "boolean", "null", ["string", "integer"]]
        ),
        "enum": st.lists(_SCALARS, min_size=1, max_size=3),
        "const": _SCALARS,
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "multipleOf": st.integers(1, 3),
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "pattern": st.sampled_from(["a", "^a", "[^a]", "^[aก ]*", "(a|😀)+"]),
        "format": st.just("date"),
    },
)


@pytest.mark.fault("X24", "X15")
@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), _SCALARS),
    st.dictionaries(st.sampled_from("abc"), _RULES),
    st.lists(st.sampled_from("abc")),
    st.sampled_from(["allOf", "anyOf", "oneOf"]),
    st.lists(_RULES, min_size=1, max_size=3),
)
def test_two_engines_agree_on_any_rules(
    document, properties, required, group, rules_of_a
):
    """Types, lengths in characters, true that is not 1, groups: the same verdict, and words with
    every no.
    """
    schema = {
        "properties": properties,
        "required": sorted(set(required)),
        group: [{"properties": {"a": r}} for r in rules_of_a],
    }
    checker = own(schema)
    verdict = checker._is_valid(document)
    assert jsonschema.Draft202012Validator(schema).is_valid(document) is verdict
    assert bool(checker.problems_of(document)) == (not verdict)


# --- schemas that are refused

DOUBLING = {
    "$defs": {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)
    },
    "$ref": "#/$defs/d0",
}
DOUBLING["$defs"]["d40"] = {}

REFUSED = {
    "http": ({"$ref": "http://127.0.0.1:1/x.json"}, "http://127.0.0.1:1/x.json"),
    "file": (
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        "file:///etc/passwd",
    ),
    "ftp": ({"allOf": [{"$ref": "ftp://127.0.0.1/x"}]}, "ftp://127.0.0.1/x"),
    "beside": ({"$ref": "other.json#/a"}, "other.json#/a"),
    "dynamic": ({"$dynamicRef": "http://127.0.0.1:1/#x"}, "http://127.0.0.1:1/#x"),
    "inner id": ({"$defs": {"a": {"$id": "http://127.0.0.1:1/"}}}, "$id"),
    "dangling": ({"$ref": "#/$defs/nobody"}, "nobody"),
    "dialect": ({"$schema": "http://json-schema.org/draft-07/schema#"}, "draft-07"),
    "unknown dialect": ({"$schema": "https://example.com/mine"}, "example.com/mine"),
    "look-ahead": ({"properties": {"a": {"pattern": "(?=x)"}}}, "(?=x)"),
    "back-reference": ({"patternProperties": {"(a)\\1": {}}}, "(a)\\1"),
    "huge repeat": ({"pattern": "(a{1000}){1000}"}, "(a{1000}){1000}"),
    "metaschema": ({"type": "strin"}, "/type"),
    "wrong keyword type": ({"properties": {"a": {"minimum": "3"}}}, "minimum"),
    "doubling": (DOUBLING, "20000"),
}


@pytest.mark.fault("X22", "X23")
@pytest.mark.parametrize("name", REFUSED)
def test_schemas_that_cannot_be_trusted(name):
    """78, in a sentence that names the schema and the culprit."""
    document, culprit = REFUSED[name]
    with pytest.raises(Misconfigured) as caught:
        load_schema(json.dumps(document).encode(), "own.json")
    assert caught.value.exit_code == 78
    assert "own.json" in str(caught.value)
    assert culprit in str(caught.value)


@pytest.mark.fault("X16", "X22")
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"type": "object", "type": "object"}', "'type' stands twice"),
        (b'{"minimum": NaN}', "NaN"),
        (b'{"minimum": -Infinity}', "-Infinity"),
        (b'{"minimum": 1e400}', "1e400"),
        (b'{"minimum": ' + b"9" * 5000 + b"}", "digit"),
        (b'{"a": 1} // no', "Extra data"),
        (b"", "Expecting value"),
        (b'{"allOf": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeper"),
        (b'{"not":' * 65 + b"{}" + b"}" * 65, "deeper"),
        (b"[]", "not a JSON object"),
        (b"true", "not a JSON object"),
        (b"\xff\xfe{}", "utf-8"),
        (b'{"a": "' + b" " * MAX_BYTES + b'"}', "larger"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_schemas_that_are_no_strict_json(data, told):
    """78 and no crash, whatever the bytes."""
    with pytest.raises(Misconfigured, match=r"own\.json") as caught:
        load_schema(data, "own.json")
    assert told in str(caught.value)


@pytest.mark.fault("X22")
def test_a_huge_file_is_not_even_read(tmp_path):
    """10 MB of schema are refused by their size."""
    path = tmp_path / "own.json"
    path.write_bytes(b" " * 10_000_000)
    with pytest.raises(Misconfigured, match="larger"):
        load_schema(path)


@pytest.mark.fault("X22")
@pytest.mark.parametrize(
    "document",
    [
        {"$ref": "#"},
        {"properties": {"metadata": {"$ref": "#"}}},
        {"allOf": [{"$ref": "#/allOf/0"}]},
        {"$dynamicAnchor": "x", "$dynamicRef": "#x"},
        {
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
            "$ref": "#/$defs/a",
        },
        {"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}}},
        {"properties": {"card": {"enum": [{"$ref": "http://127.0.0.1:1/"}]}}},
    ],
)
def test_circles_and_names_that_only_look_like_references(document):
    """Recursion ends; a property may be called $ref, and a value is not a schema."""
    checker = own(document)
    assert isinstance(checker.problems_of(GOOD), tuple)


def test_the_digest_is_of_the_bytes():
    """What the manifest records is what was read."""
    one, other = load_schema(b"{}", "a"), load_schema(b"{ }", "a")
    assert one.document == other.document
    assert one.sha256 != other.sha256
