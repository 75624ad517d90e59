"""SCHEMAS: what a rule of the order schema expects of a field.

A code is the keyword of JSON Schema; behind the dot stands which of its sentences it is. Where the
schema describes a field, its own words follow, as whoever wrote the schema wrote them.

An example is TOML, as in `problems`; its table [schema] is the schema of one field.
"""

from __future__ import annotations

import re

from batchpay.messages.message import Entry, entry

_TABLE = re.compile(r"^(\[schema.*\])$", re.MULTILINE)
_DESCRIBED = " Behind the colon stands the schema's own description of the field."


def _keyword(
    code: str, text: str, *, one: str = "", means: str, example: str, remedy: str
) -> tuple[Entry, Entry]:
    """The sentence of a keyword, and the same where the schema describes the field."""
    count = "limit" if one else ""
    bare = entry(
        code, text, one=one, count=count, means=means, example=example, remedy=remedy
    )
    described = entry(
        f"{code}.described",
        f"{text}: {{description}}",
        one=one and f"{one}: {{description}}",
        count=count,
        means=means + _DESCRIBED,
        example=_TABLE.sub(r'\1\ndescription = "as agreed"', example),
        remedy=remedy,
    )
    return bare, described


MIN_LENGTH = _keyword(
    "minLength",
    "at least {limit} characters",
    one="at least {limit} character",
    means="A text is shorter than the schema allows.",
    example='description = "ab"\n[schema]\nminLength = 3',
    remedy="Write a longer text.",
)
NOT_EMPTY = _keyword(
    "minLength.empty",
    "it may not be empty",
    means="The schema wants a text that is not empty.",
    example="an empty text, which no cell of a file makes: an empty cell is a missing field",
    remedy="Fill it in.",
)
MAX_LENGTH = _keyword(
    "maxLength",
    "at most {limit} characters",
    one="at most {limit} character",
    means="A text is longer than the schema allows.",
    example='description = "abcdef"\n[schema]\nmaxLength = 3',
    remedy="Shorten the text.",
)
MINIMUM = _keyword(
    "minimum",
    "at least {limit}",
    means="A number is smaller than the schema allows.",
    example='amount = "1.50"\n[schema]\nminimum = 2000',
    remedy="Correct the number.",
)
MAXIMUM = _keyword(
    "maximum",
    "at most {limit}",
    means="A number is larger than the schema allows.",
    example='amount = "100.00"\n[schema]\nmaximum = 2000',
    remedy="Correct the number.",
)
ABOVE = _keyword(
    "exclusiveMinimum",
    "more than {limit}",
    means="A number is not above the bound of the schema.",
    example='amount = "20.00"\n[schema]\nexclusiveMinimum = 2000',
    remedy="Correct the number.",
)
BELOW = _keyword(
    "exclusiveMaximum",
    "less than {limit}",
    means="A number is not below the bound of the schema.",
    example='amount = "20.00"\n[schema]\nexclusiveMaximum = 2000',
    remedy="Correct the number.",
)
MULTIPLE_OF = _keyword(
    "multipleOf",
    "a multiple of {limit}",
    means="A number is no multiple of what the schema says.",
    example='amount = "20.50"\n[schema]\nmultipleOf = 100',
    remedy="Correct the number.",
)
ENUM = _keyword(
    "enum",
    "one of {values}",
    means="A value is none of those that the schema lists.",
    example='description = "no"\n[schema]\nenum = ["lunch", "dinner"]',
    remedy="Write one of them, as it stands there.",
)
CONST = _keyword(
    "const",
    "only {value}",
    means="The schema allows one value only.",
    example='description = "no"\n[schema]\nconst = "lunch"',
    remedy="Write that value.",
)
PATTERN = entry(
    "pattern",
    "it must match {pattern}",
    means="A text does not have the form that the schema asks for, which describes it no further.",
    example='description = "no"\n[schema]\npattern = "^[0-9]+$"',
    remedy="Write it in that form; the pattern is a regular expression.",
)
TYPE = _keyword(
    "type",
    "it must be {kind}",
    means="A field is of another type than the schema says; cells are texts, an amount an integer.",
    example='description = "no"\n[schema]\ntype = "integer"',
    remedy="Have the schema corrected: of a cell a text is made, of an amount a whole number.",
)
TYPES = _keyword(
    "type.several",
    "it must be {kinds} or {last}",
    means="A field is of none of the types that the schema says.",
    example='description = "no"\n[schema]\ntype = ["integer", "null"]',
    remedy="Have the schema corrected: of a cell a text is made, of an amount a whole number.",
)
MIN_PROPERTIES = _keyword(
    "minProperties",
    "at least {limit} entries",
    one="at least {limit} entry",
    means="The metadata of an order has fewer entries than the schema wants.",
    example='note = "a"\n[columns]\nmetadata = { note = "note" }\n'
    "[schema.metadata]\nminProperties = 2",
    remedy="Fill in more of the columns that make the metadata.",
)
MAX_PROPERTIES = _keyword(
    "maxProperties",
    "at most {limit} entries",
    one="at most {limit} entry",
    means="The metadata of an order has more entries than the schema allows.",
    example='note = "a"\n[columns]\nmetadata = { note = "note", shop = "shop" }\n'
    "[schema.metadata]\nmaxProperties = 1",
    remedy="Take entries out of [columns] metadata.",
)
OTHER_KEYWORD = _keyword(
    "schema.keyword",
    "it does not satisfy '{keyword}' of the schema",
    means="A field breaks a rule of the schema that has no sentence of its own.",
    example='description = "no"\n[schema]\nnot = { type = "string" }',
    remedy="Look at that keyword in the order schema.",
)
REQUIRED = entry(
    "required",
    "fill it in",
    means="A field that every order must have is missing.",
    example='recipient = ""',
    remedy="Fill the cell in.",
)
DEPENDENT = entry(
    "dependentRequired",
    "fill it in",
    means="A field that must stand beside another one is missing.",
    example='description = "x"\n[schema.order]\n'
    'dependentRequired = { description = ["return_uri"] }',
    remedy="Fill the cell in, or clear the one that it belongs to.",
)
UNKNOWN_FIELD = entry(
    "additionalProperties",
    "the schema does not know this field: take it out of the job's [columns]",
    means="The job makes a field that the order schema does not have.",
    example='description = "x"\n[schema.order]\nadditionalProperties = false',
    remedy="Take the field out of [columns] of the job, or add it to the schema.",
)
UNEVALUATED_FIELD = entry(
    "unevaluatedProperties",
    "the schema does not know this field: take it out of the job's [columns]",
    means="The job makes a field that no part of the order schema speaks of.",
    example='description = "x"\n[schema.order]\nunevaluatedProperties = false',
    remedy="Take the field out of [columns] of the job, or add it to the schema.",
)
DESCRIBED = entry(
    "schema.described",
    "{description}",
    means="A rule of the schema is broken, which its own description words.",
    example='customer = ""\n[columns]\nsource = "note"',
    remedy="Do as the schema's description says.",
)
TOGETHER = entry(
    "schema.together",
    "these fields do not fit together ({keyword})",
    means="Fields are each right, but may not stand so together, by a rule that says no more.",
    example='description = "x"\n[schema.order]\nnot = { required = ["description"] }',
    remedy="Look at that keyword in the order schema; a description there would be told here.",
)
SCHEMA = entry(
    "schema",
    "it does not satisfy {schema}",
    means="An order breaks the schema, and nothing tells where.",
    example="a schema that refuses an order without an error of its own",
    remedy="Look at the order schema; its author can give its rules a description.",
)
