"""SUBTOTALS that nobody calls so: a file whose rows are groups, each closed by its own sum.

Such a row has an id, a payer and a recipient, as a shop's name that was filled down has; only its
amount tells what it is. One may be a sum by chance (100, 200, 300); that a whole file falls into
groups with nothing left over is none. Nor is one whose id has no digit, below rows of which every
id has one: it is a name, or a word for a sum in whatever language. Then nothing of it is sent until
a person has looked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.lineage import ID
from batchpay.domain.model import Judged
from batchpay.messages import controls as said
from batchpay.messages.message import Message

_FEWEST = 2  # rows that a group sums
_ENOUGH = 5  # rows that all groups sum: two groups of two rows may be so by chance
_NAMED = 5  # rows in a sentence
_DIGIT = re.compile(r"\d")


@dataclass(slots=True)
class Subtotals:
    """The amounts of one file, as its orders go by."""

    totals: Literal["reject", "skip", "accept"]  # [input] total_rows
    _currencies: set[str] = field(default_factory=set)
    _came_back: bool = False  # its rows stand where they were put
    _part: int = 0  # since the last sum
    _rows: int = 0  # ... and their number
    _all: int = 0  # what closed groups come to, and their rows
    _closed: int = 0
    _sums: list[int] = field(default_factory=list)  # rows
    _has_words: bool = False  # has an id no digit, since the last sum?
    # sums with a word for an id, below rows with none
    _named: list[int] = field(default_factory=list)
    _last: tuple[int, int] = (0, 0)  # row and amount

    def look(self, judged: Judged) -> None:
        """A chunk's orders."""
        if self.totals == "accept" or self._came_back or len(self._currencies) > 1:
            return
        self._came_back = bool(judged.corrects) and ID in judged.chunk.columns
        orders = orders_of(judged)
        self._currencies.update(values_of(orders, "currency"))
        rows = judged.chunk.rows
        right = (at for at in range(len(rows)) if at not in judged.problems)
        amounts = values_of(orders, "amount")
        ids = values_of(orders, "order_id")
        at = last = -1
        since = 0  # the last sum, of the chunk's orders
        for here, (at, amount) in enumerate(zip(right, amounts, strict=True)):
            if amount == self._part and self._rows >= _FEWEST:
                self._sums.append(rows[at])
                is_below_words = self._has_words or _has_word(ids[since:here])
                if _has_word(ids[here : here + 1]) and not is_below_words:
                    self._named.append(rows[at])
                since = here + 1
                self._has_words = False
                self._all += self._part
                self._closed += self._rows
                self._part = self._rows = 0
            else:
                self._part += amount
                self._rows += 1
                last = at
        self._has_words = self._has_words or _has_word(ids[since:])
        if last >= 0 and last == at:
            self._last = (rows[last], amounts[-1])

    def refusals(self) -> Iterator[Message]:
        """Why nothing of the file is sent, once it was read to its end."""
        if len(self._currencies) != 1 or self._came_back:
            return
        sums = list(self._sums)
        row, amount = self._last
        if self._rows == 1 and amount == self._all:
            sums.append(row)  # the sum of all
        is_whole = self._rows == 0 or len(sums) > len(self._sums)
        if is_whole and len(self._sums) > 1 and self._closed >= _ENOUGH:
            yield said.SUBTOTALS(rows=_listed(sums))
        elif self._named:
            yield said.NAMED_SUBTOTALS(rows=_listed(self._named))


def _has_word(ids: Sequence[str]) -> bool:
    """Has any of these no digit? Most end with one, which costs least to see."""
    others = (one for one in ids if not one[-1:].isdecimal())
    return not all(map(_DIGIT.search, others))


def _listed(rows: Sequence[int]) -> str:
    listed = ", ".join(map(str, rows[:_NAMED]))
    if len(rows) > _NAMED:
        listed += ", …"
    return listed
