"""A rule that silently is none is told, with what was meant; what may be meant so is a note."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.job.packaged import data_path
from batchpay.job.schema import load_schema
from tests.readers.files import look_at, row

PACKAGED = json.loads(data_path("schemas/order.schema.json").read_text("utf-8"))


def loaded(schema: Any) -> tuple[str, ...]:
    """The notes about a schema; raises Misconfigured for its faults."""
    return load_schema(json.dumps(schema).encode(), "own.json").notes


def about(name: str, **rules: Any) -> dict[str, Any]:
    """A schema with rules for one field."""
    return {"properties": {name: rules}}


@pytest.mark.parametrize(
    "name", ["schemas/order.schema.json", "samples/start/order.schema.json"]
)
def test_our_own_schemas_have_nothing_to_be_told(name: str) -> None:
    """Neither the packaged one nor the one to start from."""
    if data_path(name).exists():
        assert load_schema(data_path(name)).notes == ()


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            about("order_id", maxLenght=8),
            "unknown keyword 'maxLenght' at #/properties/order_id .* is maxLength",
        ),
        (about("amount", Minimum=8), "'Minimum' .* is minimum"),
        ({"requird": ["customer"]}, "'requird' at # .* is required"),
        ({"allOf": [{"propertys": {}}]}, "'propertys' at #/allOf/0"),
        ({"$defs": {"x": {"maxLenght": 8}}}, "'maxLenght' at #/\\$defs/x"),
        (
            {"dependencies": {"card": ["customer"]}},
            "dependentRequired or dependentSchemas",
        ),
        ({"then": {"required": ["card"]}}, "then at # without if is no rule"),
        ({"else": {"required": ["card"]}}, "else at # without if is no rule"),
        (
            about("ammount", maximum=5),
            "'ammount' at # is no field of an order.*nearest field is amount",
        ),
        ({"required": ["curency"]}, "'curency' at # is no field"),
        (
            about("amount", pattern="^1"),
            "pattern at #/properties/amount is no rule: amount is a whole number",
        ),
        (about("amount", maxLength=3), "maxLength at #/properties/amount is no rule"),
        (
            about("order_id", maximum=3),
            "maximum at #/properties/order_id is no rule: order_id is a text",
        ),
        (
            about("currency", enum=["THB"]),
            "'THB' at #/properties/currency is no currency here: write 'thb'",
        ),
        (about("currency", const="Thb"), "'Thb' .* write 'thb'"),
        (
            about("currency", pattern="^[A-Z]{3}$"),
            "pattern at #/properties/currency is met by no currency",
        ),
        (
            {
                "if": about("currency", const="THB"),
                "then": about("amount", minimum=2000),
            },
            "'THB' at #/if/properties",
        ),
        (
            {"anyOf": [{"not": about("currency", enum=["usd", "THB"])}]},
            "'THB' at #/anyOf/0/not/properties/currency",
        ),
        (
            {
                "properties": {"currency": {"$ref": "#/$defs/c"}},
                "$defs": {"c": {"enum": ["THB"]}},
            },
            "'THB' at #/\\$defs/c",
        ),
    ],
)
def test_rules_that_silently_are_none_refuse_the_schema(
    schema: dict[str, Any], said: str
) -> None:
    """78 with the place, and the nearest that is known."""
    with pytest.raises(
        Misconfigured, match=f"(?s)rules that silently are none: .*{said}"
    ) as caught:
        loaded(schema)
    assert caught.value.exit_code == 78


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            about("description", format="date"),
            "format 'date' at #/properties/description is not checked",
        ),
        (about("amount", maximum=500.5), "maximum 500.5 .* 5.005 in THB, 500.5 in JPY"),
        (about("amount", const="100"), "'100' at #/properties/amount is never met"),
        (about("amount", enum=[True, 1.5, 20.0]), "'True' at"),
        (about("order_id", enum=["A", 7]), "'7' at #/properties/order_id is never met"),
        (about("order_id", nullable=True), "unknown keyword 'nullable'"),
        (about("order_id", example="A"), "unknown keyword 'example' .* is examples"),
        (about("shop_floor", maxLength=3), "'shop_floor' at # is no field of an order"),
    ],
)
def test_what_may_be_meant_so_is_a_note(schema: dict[str, Any], said: str) -> None:
    """It goes on, and is told by check and plan."""

    notes = loaded(schema)
    assert any(re.search(said, note) for note in notes), notes
    assert all(note.startswith("own.json: ") for note in notes)


@pytest.mark.parametrize(
    "schema",
    [
        {
            "$comment": "x",
            "x-owner": "us",
            "title": "Order",
            "default": {},
            "examples": [],
        },
        about("amount", enum=[100, 2e3], minimum=1),
        about("currency", enum=["thb", "xxx"], pattern="^[a-z]{3}$"),
        about(
            "metadata",
            properties={"currency": {"enum": ["THB"]}, "shop": {"maximum": 3}},
            required=["shop"],
        ),
        {
            "if": about("currency", const="jpy"),
            "then": about("amount", minimum=50),
            "else": about("amount", minimum=5),
        },
        {
            "$defs": {"a": {"enum": ["THB"]}, "b": {"$ref": "#"}},
            "anyOf": [{"$ref": "#/$defs/b"}, {}],
        },
        {
            "dependentRequired": {"card": ["customer"]},
            "dependentSchemas": {"card": about("amount", minimum=1)},
        },
    ],
)
def test_rules_that_are_rules_are_left_alone(schema: dict[str, Any]) -> None:
    """Annotations, extensions, metadata of people's own, conditions."""
    assert loaded(schema) == ()


@pytest.mark.fault("J22", "X22", "X23")
@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (
            r"^[A-Z0-9-]+\Z",
            r"in which \\Z is nothing that the engine knows; write \$ for the end of the text",
        ),
        (r"\hA", r"in which \\h is nothing"),
        ("[A-Z", "is no pattern .*unterminated character set"),
        ("*a", "is no pattern .*nothing to repeat"),
        (
            "(?=a)b",
            "cannot be matched in linear time; write it without look-around and back-references",
        ),
        (
            r"(a)\1",
            "cannot be matched in linear time; write it without look-around and back-references",
        ),
        ("a{1000000}", "whose repeats make it too large"),
        (5, "is no valid JSON Schema at /properties/order_id/pattern"),
        (None, "is no valid JSON Schema"),
        (["^a"], "is no valid JSON Schema"),
    ],
)
def test_a_bad_pattern_is_told_with_its_reason(pattern: Any, said: str) -> None:
    """Not with the one reason that some have."""
    with pytest.raises(Misconfigured, match=f"(?s){said}"):
        loaded(about("order_id", pattern=pattern))


@pytest.mark.fault("J22", "X22")
def test_any_value_of_any_keyword_is_taken_or_refused() -> None:
    """No keyword with a value of another kind is a bug of ours."""
    from batchpay.job.lint import KNOWN

    values = [
        5,
        1.5,
        -1,
        "x",
        "",
        "#",
        "^a$",
        None,
        True,
        [],
        {},
        ["x"],
        [5],
        [None],
        {"a": 5},
        {"amount": {}},
        [{}],
    ]
    for keyword in sorted(KNOWN):
        for value in values:
            for schema in (
                {keyword: value},
                about("currency", **{keyword: value}),
                {"if": {keyword: value}},
            ):
                with contextlib.suppress(Misconfigured):
                    loaded(schema)


def test_notes_are_told_and_bounds_are_in_the_rows_unit(tmp_path: Path) -> None:
    """A bound of satang is shown in baht beside an amount in baht; yen are whole."""
    schema = json.loads(json.dumps(PACKAGED))
    schema["properties"]["amount"]["maximum"] = 500.5
    schema["properties"]["description"]["format"] = "date"
    (tmp_path / "own.json").write_text(json.dumps(schema))
    looked = look_at(
        tmp_path,
        row(1),
        row(2, amount="600", currency="JPY"),
        row(3, amount="1"),
        top='schema = "own.json"',
    )
    assert (
        "found '10.00 THB' (maximum); at most 5.005 THB: "
        in looked.problems[2][0].sentence()
    )
    assert (
        "found '600 JPY' (maximum); at most 500.5 JPY: "
        in looked.problems[3][0].sentence()
    )
    assert 4 not in looked.problems
    assert {note.split(" at ")[0] for note in looked.notes} == {
        "own.json: format 'date'",
        "own.json: maximum 500.5",
    }
