"""A first file whose amounts may all be a hundred times what was meant: nobody's past says so yet.

A program that knows no currency without decimals writes 300000 for 3,000 yen, and 25900 for 259
baht where the job says `unit = "major"`. Prices that end in 00 are usual, large amounts are, too:
only where all of a currency are whole hundreds, and half of them are large, it is worth a
question. It is asked once a file, changes nothing, and is answered by `[controls] max_amount`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.model import Judged
from batchpay.domain.money import EXPONENTS, grouped_text
from batchpay.job.job import Controls
from batchpay.messages import noticed
from batchpay.messages.message import Message

FEWEST = 10  # orders of a currency that say something of it
# Large for a shop, in the smallest unit: 100,000 yen, 20,000 baht. A hundred times what is usual
# lies above, what is usual below.
LARGE = {"JPY": 100_000, "THB": 2_000_000}


@dataclass(slots=True)
class Hundredfold:
    """The amounts of one file, as its orders go by."""

    controls: Controls
    _orders: Counter[str] = field(default_factory=Counter)
    _large: Counter[str] = field(default_factory=Counter)
    _first: dict[str, tuple[int, int]] = field(default_factory=dict)  # row and amount
    # Currencies, as they travel, of which nothing is asked: with an amount that is no whole
    # hundred, or that nobody takes for another's hundredfold.
    _passed: set[str] = field(default_factory=set)

    def look(self, judged: Judged) -> None:
        """A chunk's orders."""
        orders = orders_of(judged)
        currencies = values_of(orders, "currency")
        if self._passed.issuperset(currencies):
            return
        rows = judged.chunk.rows
        right = (at for at in range(len(rows)) if at not in judged.problems)
        amounts = values_of(orders, "amount")
        for at, currency, amount in zip(right, currencies, amounts, strict=True):
            if currency not in self._passed:
                self._add(currency, amount, rows[at])

    def _add(self, currency: str, amount: int, row: int) -> None:
        code = currency.upper()
        if code not in LARGE or amount % (100 * 10 ** EXPONENTS[code]):
            self._passed.add(currency)
            return
        self._orders[code] += 1
        if amount >= LARGE[code]:
            self._large[code] += 1
            self._first.setdefault(code, (row, amount))

    def notes(self) -> Iterator[Message]:
        """What a person should look at, once the file was read; of each currency one."""
        for code, orders in self._orders.items():
            is_bounded = code in (self.controls.max_amount or {})
            is_large = 2 * self._large[code] >= orders >= FEWEST
            is_passed = code.lower() in self._passed or code in self._passed
            if is_passed or is_bounded or not is_large:
                continue
            row, amount = self._first[code]
            yield noticed.HUNDREDFOLD(
                orders=orders,
                currency=code,
                limit=grouped_text(LARGE[code], code),
                row=row,
                amount=grouped_text(amount, code),
                less=grouped_text(amount // 100, code),
            )
