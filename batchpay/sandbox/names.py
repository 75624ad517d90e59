"""Ids: how they look, which ready-made ones the sandbox takes as existing, and what charging them
gives.

An id is `<prefix>_test_<suffix>` in test mode and `<prefix>_<suffix>` in live mode, the suffix of
[0-9a-z] (docs/gateway.md, 1.5). Sample files carry ids made beforehand, so any id whose suffix
starts with `sandbox` exists:

    tokn_test_sandbox...     a token, still usable once         cust_test_sandbox...  a customer
      with a card
    card_test_sandbox...     a card of the customer beside it   src_test_sandbox...   a QR source:
      pending
    recp_test_sandbox...     a recipient, verified and active; with `unverified`, `inactive` or
      `unknown` in its
                             suffix it is that instead

So do those of the gateway's page on chained charges, which all have one suffix, so that its samples
work as they stand, again and again: its token is never spent.

The last four digits of a token, card or customer id say how its charges end, as the numbers of the
test cards do (docs/gateway.md, 9): 0011 insufficient_fund, 0012 stolen_or_lost_card, 0013
failed_processing, 0014 payment_rejected, 0016 failed_fraud_check, 0017 invalid_account_number;
`3ds` in the suffix: pending until the payer acts; else success.
"""

from __future__ import annotations

import re
import time

SAMPLE = "5xuy4w91xqz7d1w9u0t"  # what the ids of the page's samples end in

PENDING = "pending"
SUCCESS = ""

FAILURES = {
    "insufficient_fund": (
        "insufficient funds in the account or the card has reached the credit limit"
    ),
    "stolen_or_lost_card": "stolen or lost card",
    "failed_processing": "payment processing failed",
    "payment_rejected": "payment rejected",
    "failed_fraud_check": "failed fraud check",
    "invalid_account_number": "no valid account for this payment method",
    "invalid_security_code": "security code is invalid",
}

_BY_ENDING = {
    "0011": "insufficient_fund",
    "0012": "stolen_or_lost_card",
    "0013": "failed_processing",
    "0014": "payment_rejected",
    "0016": "failed_fraud_check",
    "0017": "invalid_account_number",
}

# Failing test cards whose last four digits do not say it (docs/gateway.md, 9).
_BY_NUMBER = {
    "6250947000000014": "insufficient_fund",
    "6250947000000022": "stolen_or_lost_card",
    "377138160000009": "failed_processing",
    "6447032400001111005": "failed_processing",
    "4111111111160001": "invalid_security_code",
    "5555551111130001": "invalid_security_code",
    "3530111111110001": "invalid_security_code",
    "4111111111150002": "payment_rejected",
    "5555551111120002": "payment_rejected",
    "3530111111100002": "payment_rejected",
    # 3-D Secure: the payer is asked, and fails: mark_as_failed
    "4111111111140003": PENDING,
    "3530111111190003": PENDING,
}

_FAMILIES = ("411111111", "555555111", "353011111")
_ID = re.compile(r"([a-z]{3,5})_(test_)?([0-9a-z]+)\Z", re.ASCII)


class Mint:
    """Makes ids that sort in the order they were made and never repeat, across restarts too."""

    def __init__(self) -> None:
        # eight characters until the year 2059
        self._salt = _base36(time.time_ns() // 1_000_000)
        self._count = 0

    def __call__(self, prefix: str, livemode: bool) -> str:
        """A fresh id with 19 characters after the prefix."""
        self._count += 1
        mode = "test_"
        if livemode:
            mode = ""
        return f"{prefix}_{mode}{self._salt}{self._count:011d}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def suffix_of(name: str, prefix: str, livemode: bool) -> str | None:
    """What follows the prefix; None when the id is of another kind, another mode or malformed."""
    match = _ID.match(name)
    if match is None or match[1] != prefix:
        return None
    is_live = match[2] is None
    if is_live != livemode:
        return None
    return match[3]


def ready_made(name: str, prefix: str, livemode: bool) -> bool:
    """Whether an id that nobody created counts as existing."""
    suffix = suffix_of(name, prefix, livemode) or ""
    return suffix.startswith("sandbox") or suffix == SAMPLE


def outcome_of_id(name: str) -> str:
    """SUCCESS, PENDING or the failure_code that a ready-made token, card or customer gives."""
    if "3ds" in name:
        return PENDING
    return _BY_ENDING.get(name[-4:], SUCCESS)


def outcome_of_number(number: str) -> str:
    """The same for the number of a test card."""
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    if number.startswith(_FAMILIES):
        return _BY_ENDING.get(number[-4:], SUCCESS)
    return SUCCESS
