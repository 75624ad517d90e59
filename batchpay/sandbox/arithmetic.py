"""What the gateway takes: fees, VAT, commission and conversion, in whole smallest units
(docs/gateway.md, 2.5 and 3.4).

>>> fee_of(31000, "3.65"), fee_of(5000, "3.65")
(1132, 183)
>>> commission_of(1000000, 10000, Decimal(5))
60000
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from batchpay.domain.money import exponent_of

FUNDING_CURRENCY = "THB"
FEE_RATE = "3.65"
VAT_RATE = "7.0"
# 30 THB with 7 % VAT, as recorded (docs/gateway.md, 7.1)
TRANSFER_FEE = 2804
TRANSFER_FEE_VAT = 196

# Baht for one main unit: any figures would do, these never change.
_RATES = {
    "THB": "1",
    "JPY": "0.25",
    "USD": "36",
    "EUR": "39",
    "GBP": "45",
    "SGD": "27",
    "AUD": "24",
    "CAD": "26",
    "CHF": "40",
    "CNY": "5",
    "DKK": "5.25",
    "HKD": "4.6",
    "MYR": "8",
    "IDR": "0.0023",
}


class Fees(NamedTuple):
    """What a charge costs us and leaves us, in the funding currency."""

    fee: int
    fee_vat: int
    net: int


def half_up(value: Decimal) -> int:
    """To the nearest whole unit, halves up: 182.50 gives 183."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def fee_of(funding_amount: int, rate: str = FEE_RATE) -> int:
    """A percentage of an amount, rounded half up."""
    return half_up(Decimal(funding_amount) * Decimal(rate) / 100)


def fees_of(funding_amount: int) -> Fees:
    """Fee, its VAT and the rest."""
    fee = fee_of(funding_amount)
    fee_vat = fee_of(fee, VAT_RATE)
    return Fees(fee, fee_vat, funding_amount - fee - fee_vat)


def funding_of(amount: int, currency: str) -> int:
    """The amount in the account's own currency."""
    if currency == FUNDING_CURRENCY:
        return amount
    scale = Decimal(10) ** (exponent_of(FUNDING_CURRENCY) - exponent_of(currency))
    return half_up(amount * Decimal(_RATES[currency]) * scale)


def transfer_fee_in(currency: str) -> tuple[int, int]:
    """What a transfer costs, and the VAT on it, in the smallest unit of what is transferred: the
    recorded fee is of the account's own currency.

    >>> transfer_fee_in("THB"), transfer_fee_in("JPY")
    ((2804, 196), (112, 8))
    """
    if currency == FUNDING_CURRENCY:
        return TRANSFER_FEE, TRANSFER_FEE_VAT
    scale = Decimal(10) ** (exponent_of(currency) - exponent_of(FUNDING_CURRENCY))
    of_one = scale / Decimal(_RATES[currency])
    return half_up(TRANSFER_FEE * of_one), half_up(TRANSFER_FEE_VAT * of_one)


def commission_of(amount: int, fixed: int | None, percentage: Decimal | None) -> int:
    """The platform's share of the gross amount: fixed plus a rounded percentage (docs/gateway.md,
    2.5).
    """
    return (fixed or 0) + (
        half_up(amount * percentage / 100) if percentage is not None else 0
    )
