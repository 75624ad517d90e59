"""BOUNDS: what the gateway takes by its own word, and which orders of a file it would not take.

`GET /capability` tells the least and the most of a charge and the smallest transfer, in the
smallest unit of the account's own currency (docs/gateway.md, 2.3): what is asked in another one is
converted first, by a rate that nobody knows before, and not held against them here. `GET /account`
tells the currencies.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from batchpay.domain.books import Account, Capability
from batchpay.domain.model import Judged
from batchpay.domain.money import EXPONENTS, grouped_text
from batchpay.domain.text import told
from batchpay.job.job import Fee
from batchpay.messages import limits
from batchpay.messages.message import Message

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
        return (
            self.currency in EXPONENTS
            and self.least is not None
            and self.most is not None
        )

    def told(self) -> Message:
        """The limits, for a person."""
        assert self.least is not None and self.most is not None
        least = grouped_text(self.least, self.currency)
        most = _money(self.most, self.currency)
        if self.smallest_transfer is None:
            return limits.LIMITS(least=least, most=most)
        smallest = _money(self.smallest_transfer, self.currency)
        return limits.LIMITS_TRANSFER(
            least=least,
            most=most,
            smallest=smallest,
        )


def bounds_of(account: Account | None, capability: Capability | None) -> Bounds:
    """From what the gateway told of both; None: it did not."""
    account = account or Account()
    capability = capability or Capability()
    return Bounds(
        account.currency,
        capability.least_charge,
        capability.most_charge,
        capability.smallest_transfer,
        account.currencies,
    )


# --- what a file asks for


@dataclass(slots=True)
class AskedSums:
    """What the right rows of one file ask for, by upper-case currency: 16 bytes a row."""

    amounts: dict[str, array[int]] = field(default_factory=dict)
    rows: dict[str, array[int]] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        """Take in one chunk."""
        for at, document in enumerate(judged.documents):
            if at in judged.problems:
                continue
            code = str(document["currency"]).upper()
            if code not in self.amounts:
                self.amounts[code] = array("q")
                self.rows[code] = array("q")
            self.amounts[code].append(document["amount"])
            self.rows[code].append(judged.chunk.rows[at])


def not_taken(
    asked: AskedSums,
    bounds: Bounds,
    fee: Fee | None,
    min_share: Literal["hold", "send"],
) -> Iterator[Message]:
    """A message for each kind of order of a file that the gateway would not take as it is."""
    for code in sorted(asked.amounts):
        if bounds.currencies and code not in bounds.currencies:
            orders = _which(asked.rows[code])
            yield limits.NOT_TAKEN_CURRENCY(orders=orders, currency=told(code))
    if bounds.has_limits and bounds.currency in asked.amounts:
        yield from _beyond_limits(asked, bounds, fee, min_share)


def _beyond_limits(
    asked: AskedSums,
    bounds: Bounds,
    fee: Fee | None,
    min_share: Literal["hold", "send"],
) -> Iterator[Message]:
    """... of those in the account's own currency."""
    code = bounds.currency
    least = bounds.least or 0
    most = bounds.most or 0
    smallest = bounds.smallest_transfer or 0
    small = []
    large = []
    poor = []
    for amount, row in zip(asked.amounts[code], asked.rows[code], strict=True):
        if amount < least:
            small.append(row)
        elif _share(amount, code, fee) < smallest:
            poor.append(row)
        if amount > most:
            large.append(row)
    if small:
        yield limits.NOT_TAKEN_SMALL(orders=_which(small), least=_money(least, code))
    if large:
        yield limits.NOT_TAKEN_LARGE(orders=_which(large), most=_money(most, code))
    if poor and min_share == "hold":
        yield limits.NO_SHARE_HELD(orders=_which(poor), smallest=_money(smallest, code))
    elif poor:
        yield limits.NO_SHARE_SENT(orders=_which(poor), smallest=_money(smallest, code))


def _share(amount: int, code: str, fee: Fee | None) -> Decimal | int:
    """What the commission leaves of an order, in the smallest unit."""
    if fee is None:
        return amount
    return amount - fee.of(amount, code)


def not_compared(asked: AskedSums, bounds: Bounds) -> Message | None:
    """How many orders the limits say nothing of; None when there is none."""
    others = [code for code in sorted(asked.rows) if code != bounds.currency]
    if not bounds.has_limits or not others:
        return None
    counted = []
    for code in others:
        orders = len(asked.rows[code])
        counted.append(limits.COUNTED_IN(orders=orders, currency=told(code)))
    return limits.NOT_COMPARED(counted=tuple(counted), currency=bounds.currency)


def _money(minor: int, code: str) -> str:
    return f"{grouped_text(minor, code)} {code}"


def _which(rows: Sequence[int]) -> Message:
    """`3 orders (rows 2, 5, 9)`."""
    named = ", ".join(map(str, rows[:NAMED_ROWS]))
    more = len(rows) - NAMED_ROWS
    if more > 0:
        return limits.ORDERS_IN_MORE(
            orders=len(rows),
            rows=named,
            more=more,
        )
    return limits.ORDERS_IN(orders=len(rows), rows=named)
