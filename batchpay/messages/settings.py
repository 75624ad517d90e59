"""SETTINGS: what is wrong with the job file, the order schema or the environment."""

from __future__ import annotations

from batchpay.messages.message import entry

NEGATIVE = entry(
    "negative",
    "it cannot be negative",
    means="A limit or a total of [controls] is below 0.",
    example='[controls]\nmax_amount = { THB = "-1.00" }',
    remedy="Write a number of 0 or more.",
)
FORM_DIGITS = entry(
    "form-digits",
    "an example is a number in digits of one script, such as 1.234,56",
    means="The format of a column holds no digits, or digits of several scripts.",
    example='[columns]\namount = { column = "Amount", unit = "major", format = "abc" }',
    remedy="Write an example as the file writes its numbers: 1.234,56, say.",
)
FORM_UNCLEAR = entry(
    "form-unclear",
    "the example does not say what stands between thousands and what before decimals; write one"
    " with both, such as 1,234.56, 1.234,56 or 1 234,56",
    means="The format of a column can be read in more than one way, or in none.",
    example='[columns]\namount = { column = "Amount", unit = "major", format = "1,23,45" }',
    remedy="Write an example with thousands and decimals, as the file writes them.",
)
FORM_SIGN = entry(
    "form-sign",
    "'{sign}' is no currency's sign; use one of {signs}, or ¤ for that of each row's own currency",
    means="The format of a column has something beside its number that is no currency's sign.",
    example='[columns]\namount = { column = "Amount", unit = "major", format = "about 1,234.56" }',
    remedy="Write the sign that the file writes, or ¤ where each row has that of its currency.",
)
FORM_WHOLE = entry(
    "form-whole",
    'unit = "minor" takes whole numbers: write an example without decimals, such as 1.234',
    means="Amounts are in the smallest unit, and the format of their column has decimals.",
    example='[columns]\namount = { column = "Amount", unit = "minor", format = "1.234,56" }',
    remedy='Write an example without decimals, or say unit = "major".',
)
FORM_NOT_WHOLE = entry(
    "form-not-whole",
    "the second example is of amounts without decimals, written as in {form}: 1.234 beside"
    " 1.234,56, say",
    means="A column has two formats, and the second is not the first without its decimals.",
    example='[columns]\namount = { column = "Amount", unit = "major", format ='
    ' ["1.234,56", "1,234.56"] }',
    remedy="Leave the second out, or write it as the first, without decimals.",
)
DATE_FORM_UNCLEAR = entry(
    "date-form-unclear",
    "write the 31st of December of a year, as the file writes its dates: 31/12/2567, 2024-12-31 or"
    " 令和6年12月31日, say",
    means="The format of a column of dates is not the one day by which it can be told.",
    example='[columns]\nmetadata = { paid = { column = "Paid", format = "01/02/2024" } }',
    remedy="Write 31 December as the file would: day and month can then be nothing else.",
)
DATE_FORM_CENTURY = entry(
    "date-form-century",
    "a year has four digits (2024, or 2567 of the Buddhist era) or stands behind an era (令和6):"
    " fewer do not say the century; have the column exported with them",
    means="The format of a column of dates has a year of which the calendar is not certain.",
    example='[columns]\nmetadata = { paid = { column = "Paid", format = "31/12/67" } }',
    remedy="Have the column exported with years of four digits.",
)
