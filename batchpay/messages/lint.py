"""LINT: rules of an order schema that silently are none, or not what they look like."""

from __future__ import annotations

from batchpay.messages.message import entry

_SCHEMA = "Correct the order schema at that place."
FORMAT = entry(
    "lint-format",
    "format {format} at {place} is not checked: a pattern is",
    means="JSON Schema takes a format for a note, not for a check.",
    example='"format": "email"',
    remedy="Write a pattern beside it.",
)
NEEDS = entry(
    "lint-alone",
    "{keyword} at {place} without {needed} is no rule",
    means="A keyword says something only beside another one.",
    example='"then" without "if"',
    remedy=_SCHEMA,
)
KEYWORD = entry(
    "lint-keyword",
    "unknown keyword {keyword} at {place} is no rule; the nearest known one is {near}",
    means="JSON Schema passes over what it does not know.",
    example='"minlength": 3',
    remedy=_SCHEMA,
)
FIELD = entry(
    "lint-field",
    "{field} at {place} is no field of an order, its rules are none; the nearest field is {near}",
    means="A rule is about a field that no order has.",
    example='"properties": { "ammount": … }',
    remedy=_SCHEMA,
)
OF_ANOTHER_KIND = entry(
    "lint-kind",
    "{keyword} at {place} is no rule: {field} is {kind}",
    means="A keyword is about another kind of value than the field has.",
    example='"minLength" for the amount',
    remedy=_SCHEMA,
)
NEVER_MET = entry(
    "lint-never",
    "{value} at {place} is never met: {field} is {kind}",
    means="A value that a field can never have.",
    example='"enum": ["20.00"] for the amount',
    remedy=_SCHEMA,
)
NUMBER = entry(
    "lint-kind.number",
    "a whole number of the smallest unit",
    means="What an amount is in an order.",
    example="2000 for 20.00 THB",
    remedy=_SCHEMA,
)
TEXT = entry(
    "lint-kind.text",
    "a text",
    means="What most fields are in an order.",
    example="the order id",
    remedy=_SCHEMA,
)
OBJECT = entry(
    "lint-kind.object",
    "an object",
    means="What the metadata is in an order.",
    example='{ "invoice": "INV-1" }',
    remedy=_SCHEMA,
)
CAPITALS = entry(
    "lint-currency",
    "{value} at {place} is no currency here: write {small}, in small letters",
    means="Currencies of an order are in small letters.",
    example='"const": "THB"',
    remedy=_SCHEMA,
)
CAPITALS_ONLY = entry(
    "lint-currency.pattern",
    "pattern at {place} is met by no currency: they are in small letters here",
    means="Currencies of an order are in small letters.",
    example='"pattern": "^[A-Z]{3}$" for the currency',
    remedy=_SCHEMA,
)
SMALLEST_UNIT = entry(
    "lint-unit",
    "{keyword} {bound} at {place} is in the smallest unit: {baht} in THB, {bound} in JPY",
    means="A bound of amounts has decimals, as if it were in main units.",
    example='"minimum": 20.5 for the amount',
    remedy="Write the bound in the smallest unit, satang or yen.",
)
