"""Money: exactly what was written, or refused; never a float."""

from __future__ import annotations

import doctest
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain import money
from batchpay.domain.money import (
    EXPONENTS,
    MAX_MINOR,
    NotMoney,
    exponent_of,
    grouped_text,
    major_text,
    plain_minors,
    to_minor,
)

currencies = st.sampled_from(sorted(EXPONENTS))
amounts = st.integers(-MAX_MINOR, MAX_MINOR)


def test_the_examples_of_the_module_hold():
    """What the docstrings show is what happens."""
    assert doctest.testmod(money).failed == 0


@given(amounts, currencies)
def test_minor_to_text_and_back_loses_nothing(minor, currency):
    """Whole units survive both ways of writing them, for every currency, in either case."""
    assert to_minor(major_text(minor, currency), currency) == minor
    assert to_minor(grouped_text(minor, currency), currency.lower()) == minor


@given(amounts, currencies)
def test_the_text_is_the_exact_decimal(minor, currency):
    """The text is minor / 10^decimals as exact decimal arithmetic has it."""
    assert Decimal(major_text(minor, currency)) == Decimal(minor).scaleb(
        -EXPONENTS[currency]
    )


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "THB", 1999),
        ("0.07", "USD", 7),
        ("8.41", "EUR", 841),
        ("1.1", "THB", 110),
        ("4.35", "GBP", 435),
        ("1,234.50", "THB", 123450),
        ("1,234,567", "JPY", 1234567),
        ("007", "THB", 700),
        ("-5", "JPY", -5),
        ("90071992547409.91", "THB", MAX_MINOR),
        ("500", "IDR", 50000),
        ("0", "THB", 0),
    ],
)
def test_amounts_that_floats_get_wrong(text, currency, minor):
    """19.99 is 1999 and nothing near it; the type is int."""
    found = to_minor(text, currency)
    assert (found, type(found)) == (minor, int)


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    "text",
    [
        "1.234,50",
        "1 234",
        "1\u00a0234",
        "THB 100",
        "(100)",
        "1e3",
        "0x10",
        "1_000",
        " 7 ",
        "7\n",
        "+5",
        ".5",
        "5.",
        "",
        "--5",
        "1,23",
        "12,34.00",
        ",123",
        "1,234,",
        "NaN",
        "inf",
        "1e400",
        "True",
        "null",
        "฿100",
        "1'000",
    ],
)
def test_what_is_not_plainly_a_number_is_refused(text):
    """No parser of the host language guesses here."""
    with pytest.raises(NotMoney) as caught:
        to_minor(text, "THB")
    assert caught.value.said.rule == "number-format"


@pytest.mark.fault("X10")
@pytest.mark.parametrize("text", ["１２３", "๑๒๓", "٣", "5²", "1２3.00"])
def test_other_scripts_are_told_to_use_0_to_9(text):
    """A digit of another script is not a digit, and the remedy says so."""
    with pytest.raises(NotMoney) as caught:
        to_minor(text, "THB")
    assert (caught.value.said.rule, str(caught.value.said)) == (
        "number-format",
        "use 0-9",
    )


@pytest.mark.fault("X11")
@pytest.mark.parametrize(
    "text", [str(2**53), "9007199254740993", str(2**63), "1" + "0" * 30]
)
def test_beyond_exact_json_numbers_is_refused(text):
    """2^53 and more may be rounded by some reader on the way."""
    for unit in ("major", "minor"):
        with pytest.raises(NotMoney) as caught:
            to_minor(text, "JPY", unit)
        assert caught.value.said.rule == "amount-too-large"


@pytest.mark.fault("X12")
@pytest.mark.parametrize(
    ("text", "currency", "unit", "rule"),
    [
        ("10.5", "JPY", "major", "too-many-decimals"),
        ("1.005", "THB", "major", "too-many-decimals"),
        ("1.500", "THB", "major", "too-many-decimals"),
        ("10.0", "JPY", "major", "too-many-decimals"),
        ("10.00", "THB", "minor", "not-whole"),
        ("1", "KWD", "major", "unknown-currency"),
    ],
)
def test_decimals_the_currency_lacks_are_never_rounded(text, currency, unit, rule):
    """Refused, even where the surplus digits are zeros."""
    with pytest.raises(NotMoney) as caught:
        to_minor(text, currency, unit)
    assert caught.value.said.rule == rule


def test_unknown_currency_has_no_exponent():
    """A three-decimal currency is not guessed."""
    with pytest.raises(NotMoney):
        exponent_of("KWD")


_TEXTS = st.one_of(
    st.from_regex(r"[0-9]{1,14}(\.[0-9]{1,3})?", fullmatch=True),
    st.text("0123456789.,- \n", max_size=6),
)


@given(st.lists(_TEXTS), st.sampled_from(["THB", "JPY"]))
def test_a_column_at_once_says_what_single_cells_say(texts, currency):
    """The fast path is never wrong: it agrees with the careful one or stands aside."""
    found = plain_minors(texts, EXPONENTS[currency])
    assert len(found) == len(texts)
    for text, minor in zip(texts, found, strict=True):
        if minor is not None:
            assert minor == to_minor(text, currency)


@pytest.mark.parametrize("minor", [0, 7, -7, 12345])
def test_a_currency_that_nobody_takes_is_told_in_its_smallest_unit(minor):
    """Only the gateway tells of one, and how many decimals it has is told nowhere."""
    assert major_text(minor, "xyz") == str(minor)
