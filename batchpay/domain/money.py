"""Text to whole minor units and back, exactly, per currency.

    >>> to_minor("1,234.50", "THB")
    123450
    >>> to_minor("8.41", "thb")
    841
    >>> to_minor("500", "JPY")
    500
    >>> major_text(123450, "THB")
    '1234.50'
    >>> major_text(500, "JPY")
    '500'

No float is ever built. What is not plainly a number is refused, never repaired:

    >>> to_minor("1.234,50", "THB")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    batchpay.domain.money.NotMoney: number-format: write 1234.50 or 1,234.50 with a point ...
    >>> to_minor("10.5", "JPY")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    batchpay.domain.money.NotMoney: too-many-decimals: JPY has 0 decimals: write ...
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from batchpay.messages import problems
from batchpay.messages.message import Message

# Decimals of each currency the gateway takes (docs/gateway.md, 2.2): 1/100 for all but JPY. IDR has
# 2 here although other providers use 0.
EXPONENTS = {
    "AUD": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "IDR": 2,
    "JPY": 0,
    "MYR": 2,
    "SGD": 2,
    "THB": 2,
    "USD": 2,
}

CODES = ", ".join(EXPONENTS)  # for people
_OF_HUNDREDTHS = frozenset(code for code, places in EXPONENTS.items() if places == 2)
MAX_MINOR = 2**53 - 1  # beyond it a JSON reader on the way may round

# Amounts so plain that a whole column of them is converted at once, by decimals of the currency;
# the lengths keep the result below MAX_MINOR.
_PLAIN = {0: "[0-9]{1,15}", 2: r"[0-9]{1,13}(?:\.[0-9]{2})?"}
_PLAIN_CELL = {decimals: re.compile(form) for decimals, form in _PLAIN.items()}
_PLAIN_COLUMN = {
    decimals: re.compile(rf"(?:{form}\n)*+") for decimals, form in _PLAIN.items()
}

_NUMBER = re.compile(
    r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?\Z", re.ASCII
)


class NotMoney(ValueError):
    """A text that is not an amount: `said` tells what to write instead, under a stable code."""

    def __init__(self, said: Message) -> None:
        super().__init__(f"{said.rule}: {said}")
        self.said = said


def exponent_of(currency: str) -> int:
    """Decimals of a currency in either case; raises NotMoney for one the gateway does not take."""
    try:
        return EXPONENTS[currency.upper()]
    except KeyError:
        raise NotMoney(problems.UNKNOWN_CURRENCY(codes=CODES)) from None


def to_minor(text: str, currency: str, unit: str = "major") -> int:
    """Whole smallest units of an amount in text; `unit` is "major" (baht) or "minor" (satang).

    Raises NotMoney. Accepts ASCII digits with optional thousands commas in threes, an optional
    point and a leading minus, nothing else: no blanks, signs, exponents, brackets or other scripts.
    """
    if unit == "major":
        exponent = exponent_of(currency)
    else:
        exponent = 0
    match = _NUMBER.match(text)
    if match is None or len(text) > 40:
        raise NotMoney(_no_number(text, exponent))
    fraction = match[1] or ""
    if len(fraction) > exponent:
        if unit == "minor":
            raise NotMoney(problems.NOT_WHOLE())
        raise NotMoney(
            problems.TOO_MANY_DECIMALS(currency=currency.upper(), decimals=exponent)
        )
    if fraction:
        whole = text[: match.start(1) - 1]
    else:
        whole = text
    minor = int(whole.replace(",", "") + fraction.ljust(exponent, "0"))
    if abs(minor) > MAX_MINOR:
        raise NotMoney(problems.AMOUNT_TOO_LARGE(most=MAX_MINOR))
    return minor


def plain_minors(texts: Sequence[str], decimals: int) -> list[int | None]:
    """The smallest units of a column; None for each cell that is not plain digits and needs
    `to_minor`.

    >>> plain_minors(["8.41", "100", "1,000.00", ""], 2)
    [841, 10000, None, None]
    """
    column = "\n".join(texts) + "\n"
    if (
        texts
        and _PLAIN_COLUMN[decimals].fullmatch(column)
        and column.count("\n") == len(texts)
    ):
        if decimals == 0:
            return list(map(int, texts))
        if column.count(".") == len(texts):
            return list(map(int, column.replace(".", "").split()))
    is_plain = _PLAIN_CELL[decimals].fullmatch
    scale = 10**decimals
    return [
        (
            (int(text.replace(".", "")) if "." in text else int(text) * scale)
            if is_plain(text)
            else None
        )
        for text in texts
    ]


def major_text(minor: int, currency: str) -> str:
    """Exact decimal text in main units, without thousands separators: 123450 THB -> 1234.50.

    Of a currency that the gateway does not take, which only the gateway itself can tell of, in its
    smallest unit.
    """
    exponent = EXPONENTS.get(currency.upper(), 0)
    if exponent == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def major_texts(minors: Iterable[int], currencies: Iterable[str]) -> list[str]:
    """The same of many, most of which are of one currency of hundredths.

    >>> major_texts([123450, 7, -5, 7], ["THB", "THB", "USD", "JPY"])
    ['1234.50', '0.07', '-0.05', '7']
    """
    return [
        f"{minor // 100}.{minor % 100:02d}"
        if minor >= 0 and currency in _OF_HUNDREDTHS
        else major_text(minor, currency)
        for minor, currency in zip(minors, currencies, strict=True)
    ]


def grouped_text(minor: int, currency: str) -> str:
    """The same with thousands commas, for people: 123450 THB -> 1,234.50."""
    whole, point, fraction = major_text(minor, currency).partition(".")
    if whole != "-0":
        return f"{int(whole):,}{point}{fraction}"
    return f"-0{point}{fraction}"


def _no_number(text: str, decimals: int) -> Message:
    other_digits = any(ch.isdigit() and not ch.isascii() for ch in text)
    if other_digits or any(unicodedata.category(ch) == "No" for ch in text):
        return problems.OTHER_DIGITS()
    if text != text.strip():
        return problems.BLANKS_AROUND()
    if not decimals:
        return problems.NUMBER_FORMAT_WHOLE()
    return problems.NUMBER_FORMAT()


def money_text(sums: Mapping[str, int]) -> str:
    """Sums in smallest units by currency, for a person.

    >>> money_text({"JPY": 0, "THB": 123450})
    '1,234.50 THB'
    >>> money_text({})
    'nothing'
    """
    told = [money_told(minor, code) for code, minor in sums.items() if minor]
    return " and ".join(told) or "nothing"


def money_told(minor: int, currency: str) -> str:
    """One amount with its currency, for a person; of a currency that nobody knows, in its smallest
    unit.

    >>> money_told(123450, "thb"), money_told(0, "JPY"), money_told(7, "XXX")
    ('1,234.50 THB', '0 JPY', "7 of the smallest unit of 'XXX'")
    """
    code = currency.upper()
    if code in EXPONENTS:
        return f"{grouped_text(minor, code)} {code}"
    return f"{minor} of the smallest unit of '{code}'"


def both_units(minor: int, currency: str) -> str:
    """The same with the number that programs and the gateway know it by.

    >>> both_units(123450, "THB"), both_units(500, "JPY")
    ('1,234.50 THB (123450 in the smallest unit)', '500 JPY')
    """
    told = money_told(minor, currency)
    if EXPONENTS.get(currency.upper()):
        return f"{told} ({minor} in the smallest unit)"
    return told
