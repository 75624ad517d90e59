"""HEADINGS: does the name of a column of amounts say another currency, or another scale, than what
is charged? A name is no cell, so nothing is rejected for it; it is told, once a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from batchpay.domain.annotations import currencies_in, scale_in, smallest_in
from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.model import Judged
from batchpay.domain.money import grouped_text
from batchpay.domain.text import told
from batchpay.intake.sources import needed_by
from batchpay.job.job import Columns, FromColumn, FromSum
from batchpay.messages import noticed
from batchpay.messages.message import Message


@dataclass(slots=True)
class Headings:
    """The currencies of one file's orders, as they go by."""

    columns: Columns
    _orders: Counter[str] = field(default_factory=Counter)
    # currency -> row and amount of its first order
    _first: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, judged: Judged) -> None:
        """A chunk's orders."""
        orders = orders_of(judged)
        currencies = values_of(orders, "currency")
        new = False
        for code, count in Counter(currencies).items():
            self._orders[code.upper()] += count
            new = new or code.upper() not in self._first
        if not new:
            return
        rows = judged.chunk.rows
        right = [row for at, row in enumerate(rows) if at not in judged.problems]
        amounts = values_of(orders, "amount")
        for row, code, amount in zip(right, currencies, amounts, strict=True):
            self._first.setdefault(code.upper(), (row, amount))

    def notes(self) -> Iterator[Message]:
        """What a person should look at, once the file was read."""
        source = self.columns.fields["amount"]
        if not isinstance(source, FromColumn | FromSum) or not self._first:
            return
        for name in needed_by(source):
            yield from self._of_currency(name)
            word = scale_in(name)
            if source.unit != "minor":
                word = word or smallest_in(name)
            if word:
                code, (row, amount) = next(iter(self._first.items()))
                shown = f"{grouped_text(amount, code)} {code}"
                yield noticed.HEADING_SCALE(
                    column=told(name), word=told(word), row=row, amount=shown
                )

    def _of_currency(self, name: str) -> Iterator[Message]:
        said = currencies_in(name)
        for code, (row, _) in self._first.items():
            if said and code not in said:
                yield noticed.HEADING_CURRENCY(
                    column=told(name),
                    said=", ".join(sorted(said)),
                    orders=self._orders[code],
                    currency=code,
                    row=row,
                )
