"""HEADINGS: does the name of a column of amounts say another currency, or another scale, than what
is charged? Or does a column that the job does not read, where it names one currency for all rows?
No field is made of them, so nothing is rejected; it is told, once a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from batchpay.domain.annotations import currencies_in, scale_in, smallest_in
from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.model import Judged
from batchpay.domain.money import grouped_text
from batchpay.domain.text import told
from batchpay.intake.sources import needed_by
from batchpay.job.job import Columns, FromColumn, FromSum, FromValue
from batchpay.messages import noticed
from batchpay.messages.message import Message

_NAMED = 5  # rows in a note
_MOST = 50  # different cells of a chunk: with more no column is one of currencies
_LONGEST = 20  # characters of a cell that says nothing but a currency


@dataclass(slots=True)
class Headings:
    """The currencies of one file's orders, as they go by."""

    columns: Columns
    unread: Sequence[str]  # columns that no field reads
    # unread column -> what its cells say otherwise than is charged, in which rows
    _others: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    _orders: Counter[str] = field(default_factory=Counter)
    # currency -> row and amount of its first order
    _first: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, judged: Judged) -> None:
        """A chunk's orders."""
        if isinstance(self.columns.fields["currency"], FromValue):
            for name in self.unread:
                self._look_at(judged, name)
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

    def _look_at(self, judged: Judged, name: str) -> None:
        texts = judged.chunk.texts(name)
        different = set(texts) - {""}
        if not 0 < len(different) <= _MOST:
            return
        said = {text: currencies_in(text) for text in different if len(text) < _LONGEST}
        if len(said) < len(different) or not all(said.values()):
            return
        currencies = values_of(judged.documents, "currency")
        for at, text in enumerate(texts):
            code = str(currencies[at] or "").upper()
            if text and at not in judged.problems and code not in said[text]:
                found = self._others.setdefault(name, {})
                found.setdefault(text.strip(), []).append(judged.chunk.rows[at])

    def _of_unread(self) -> Iterator[Message]:
        source = self.columns.fields["currency"]
        if not isinstance(source, FromValue):
            return
        for name, found in self._others.items():
            rows = sorted(row for some in found.values() for row in some)
            named = ", ".join(map(str, rows[:_NAMED]))
            if len(rows) > _NAMED:
                named += ", …"
            yield noticed.UNREAD_CURRENCY(
                column=told(name),
                word=told(", ".join(found)),
                rows=len(rows),
                named=named,
                currency=source.value.upper(),
            )

    def notes(self) -> Iterator[Message]:
        """What a person should look at, once the file was read."""
        yield from self._of_unread()
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
