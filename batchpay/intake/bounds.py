"""BOUNDS: what the gateway takes by its own word, and which orders of a file it would not take.

`GET /capability` tells the least and the most of a charge and the smallest transfer, in the
smallest unit of the account's own currency (omise-api.md, 2.3): what is asked in another one is
converted first, by a rate that nobody knows before, and not held against them here. `GET /account`
tells the currencies.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Literal

from batchpay.domain.books import Account, Capability
from batchpay.domain.model import Judged
from batchpay.domain.money import EXPONENTS, grouped_text
from batchpay.domain.text import many, told
from batchpay.job.job import Fee

NAMED_ROWS = 5  # in a sentence


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the gateway told; None or empty where it did not. Money in the smallest unit of
    `currency`.
    """

    currency: str = ""  # the account's own, upper case
    least: int | None = None  # of one charge
    most: int | None = None
    smallest_transfer: int | None = None
    currencies: frozenset[str] = frozenset()  # that it takes, upper case

    @property
    def has_limits(self) -> bool:
        """Can an order's amount be held against them?"""
        return self.currency in EXPONENTS and self.least is not None and self.most is not None

    def sentence(self) -> str:
        """The limits, for a person."""
        assert self.least is not None and self.most is not None
        told = (
            f"a charge may be {grouped_text(self.least, self.currency)} to"
            f" {_money(self.most, self.currency)}"
        )
        if self.smallest_transfer is None:
            return told
        return f"{told}, a transfer {_money(self.smallest_transfer, self.currency)} or more"


def bounds_of(account: Account | None, capability: Capability | None) -> Bounds:
    """From what the gateway told of both; None: it did not."""
    account, capability = account or Account(), capability or Capability()
    return Bounds(
        account.currency,
        capability.least_charge,
        capability.most_charge,
        capability.smallest_transfer,
        account.currencies,
    )


# --- what a file asks for
# --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Asked:
    """What the right rows of one file ask for, by upper-case currency: 16 bytes a row."""

    amounts: dict[str, array[int]] = field(default_factory=dict)
    rows: dict[str, array[int]] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        """Take in one chunk."""
        for at, document in enumerate(judged.documents):
            if at not in judged.problems:
                code = str(document["currency"]).upper()
                self.amounts.setdefault(code, array("q")).append(document["amount"])
                self.rows.setdefault(code, array("q")).append(judged.chunk.rows[at])


def not_taken(
    asked: Asked, bounds: Bounds, fee: Fee | None, min_share: Literal["hold", "send"]
) -> Iterator[str]:
    """A sentence for each kind of order of a file that the gateway would not take as it is."""
    for code in sorted(asked.amounts):
        if bounds.currencies and code not in bounds.currencies:
            which = _which(asked.rows[code], [True] * len(asked.rows[code]))
            yield (
                f"{which}: in {told(code)}, which the account does not take: they would be refused"
            )
    if not bounds.has_limits or bounds.currency not in asked.amounts:
        return
    amounts, rows = asked.amounts[bounds.currency], asked.rows[bounds.currency]
    code, least, most = bounds.currency, bounds.least or 0, bounds.most or 0
    smallest = bounds.smallest_transfer or 0
    if any(small := [amount < least for amount in amounts]):
        yield (
            f"{_which(rows, small)}: below the least charge, {_money(least, code)}: they would be"
            " refused"
        )
    if any(large := [amount > most for amount in amounts]):
        yield (
            f"{_which(rows, large)}: above the largest charge, {_money(most, code)}: they would be"
            " refused"
        )
    poor = [
        amount >= least and amount - (fee.of(amount, code) if fee else 0) < smallest
        for amount in amounts
    ]
    if any(poor):
        if min_share == "hold":
            then = 'a run holds them, unless min_share = "send" in [controls]'
        else:
            then = (
                'min_share = "send" charges them all the same, and nobody can be paid out of them'
            )
        below = f"the recipient's share is below the smallest transfer, {_money(smallest, code)}"
        yield f"{_which(rows, poor)}: {below}: {then}"


def not_compared(asked: Asked, bounds: Bounds) -> str:
    """How many orders the limits say nothing of; empty when there is none."""
    others = {
        code: len(rows) for code, rows in sorted(asked.rows.items()) if code != bounds.currency
    }
    if not bounds.has_limits or not others:
        return ""
    counted = ", ".join(f"{many(count, 'order')} in {told(code)}" for code, count in others.items())
    return (
        f"{counted}: not held against these limits, the gateway converts to {bounds.currency} first"
    )


def _money(minor: int, code: str) -> str:
    return f"{grouped_text(minor, code)} {code}"


def _which(rows: Sequence[int], chosen: Sequence[bool]) -> str:
    """`3 orders (rows 2, 5 and 9)`."""
    found = list(compress(rows, chosen))
    named, more = ", ".join(map(str, found[:NAMED_ROWS])), len(found) - NAMED_ROWS
    if len(found) == 1:
        place = f"row {named}"
    else:
        place = f"rows {named}"
    return f"{many(len(found), 'order')} ({place}{f' and {more:,} more' if more > 0 else ''})"
