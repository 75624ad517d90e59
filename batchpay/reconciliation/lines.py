"""LINES: the lines of a chunk of rows, in the file's order; those of which there is nothing to tell
as columns.

Nearly all rows of a night are plain: asked for once, and succeeded. An object of Python for each of
them costs more than all the rest of a report, so they are counted and written by the column; only
rows with a story are findings one by one. Whoever walks over lines gets a finding of each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import repeat
from typing import Any, overload

from batchpay.domain.model import (
    Batch,
    Document,
    Finding,
    Outcome,
    Plain,
    Repeat,
    StoredChunk,
)
from batchpay.lifecycle.keys import keys_of
from batchpay.lifecycle.payers import payer_of, payment_method
from batchpay.lifecycle.places import by_order
from batchpay.reconciliation.costs import cannot_be, whole_of
from batchpay.reconciliation.findings import NOBODY, iso


@dataclass(frozen=True, slots=True)
class Same:
    """A column of which all cells are the same."""

    value: Any
    times: int

    def __iter__(self) -> Iterator[Any]:
        return repeat(self.value, self.times)

    def __len__(self) -> int:
        return self.times


Column = list[Any] | Same


def mapped(function: Callable[[Any], Any], column: Column) -> Column:
    """A column made of another one, cell by cell."""
    if isinstance(column, Same):
        return Same(function(column.value), column.times)
    return list(map(function, column))


def column_of(cells: Iterable[Any]) -> Column:
    """The cells as a column."""
    made = list(cells)
    # most columns differ in these two already
    if made and made[0] == made[-1] and made.count(made[0]) == len(made):
        return Same(made[0], len(made))
    return made


@dataclass(frozen=True, slots=True)
class PlainLines:
    """Lines of which there is nothing to tell, in the file's order: what was asked, and what came
    of it, by the column. `find` would make the same of each, with a look at its events.
    """

    job: str
    file: str
    batch_id: str
    whole_refused: bool
    sheet: str
    places: list[int]  # of each, among all lines of its chunk
    kept: Mapping[str, Column]  # by the names of Plain
    metadata: Column

    def __len__(self) -> int:
        return len(self.places)

    def column(self, name: str) -> Column:
        """One column, by its name in Finding."""
        made = _MADE.get(name)
        if made is not None:
            return made(self)
        if name in _KEPT:
            return self.kept[_KEPT[name]]
        return self.same(_DEFAULTS[name])

    def cells(self, name: str) -> list[Any]:
        """The same with each of its cells."""
        return list(self.column(name))

    def same(self, value: Any) -> Same:
        """A column of one value."""
        return Same(value, len(self.places))

    def findings(self) -> list[Finding]:
        """Each as a finding."""
        return list(map(Finding, *map(self.column, _NAMES)))


def _currency(lines: PlainLines) -> Column:
    return mapped(str.upper, lines.kept["currency"])


def _sale(lines: PlainLines) -> Column:
    return mapped(by_order, lines.kept["order_id"])


def _keys(lines: PlainLines) -> Column:
    return list(keys_of(lines.job, lines.kept["order_id"], lines.kept["attempt"]))


def _shares(lines: PlainLines) -> Column:
    """The recipient's (after.share_of)."""
    kept = lines.kept
    commissions = kept["platform_fee"]
    none = lines.same(None), lines.same(0)
    if (commissions, kept["with_fee"]) == none:
        return kept["charged"]
    return list(map(_share, kept["charged"], commissions, kept["with_fee"]))


def _share(charged: int, commission: int | None, with_fee: int) -> int | None:
    if commission is not None:
        return charged - commission
    if with_fee:
        return None
    return charged


_MADE: Mapping[str, Callable[[PlainLines], Column]] = {
    "file": lambda lines: lines.same(lines.file),
    "sheet": lambda lines: lines.same(lines.sheet),
    "outcome": lambda lines: lines.same(Outcome.SUCCEEDED),
    "counts_as": lambda lines: lines.same(Outcome.SUCCEEDED),
    "currency": _currency,
    "reasons": lambda lines: lines.same(()),
    "who_acts": lambda lines: lines.same(NOBODY),
    "batch_id": lambda lines: lines.same(lines.batch_id),
    "metadata": lambda lines: lines.metadata,
    "recipient_amount": _shares,
    "idempotency_key": _keys,
    "sent_at": lambda lines: mapped(iso, lines.kept["sent_ns"]),
    "settled_at": lambda lines: mapped(iso, lines.kept["settled_ns"]),
    "read_currency": _currency,
    "whole_refused": lambda lines: lines.same(lines.whole_refused),
    "sale": _sale,
}
# name in Finding -> in Plain
_KEPT: Mapping[str, str] = {
    "row": "row",
    "order_id": "order_id",
    "amount": "amount",
    "destination": "destination",
    "payment_method": "paid_with",
    "attempts": "attempt",
    "charge_id": "charge_id",
    "chain_id": "chain",
    "transfer_id": "transfer",
    "charged_amount": "charged",
    "fee": "fee",
    "fee_vat": "fee_vat",
    "net": "net",
    "platform_fee": "platform_fee",
    "run_id": "run_id",
    "fee_currency": "funding_currency",
    "funding_amount": "funding_amount",
    "funding_currency": "funding_currency",
    "mode": "mode",
    "charged_currency": "charged_currency",
    "read_amount": "amount",
    "transfer_status": "transfer_status",
    "transfer_amount": "transfer_amount",
    "transfer_fee": "transfer_fee",
    "bank_amount": "bank_amount",
    "transfer_sent_at": "transfer_sent_at",
    "transfer_paid_at": "transfer_paid_at",
}
_NAMES = tuple(field.name for field in fields(Finding))
_DEFAULTS = {
    field.name: field.default
    for field in fields(Finding)
    if field.default is not MISSING
}


class Lines(Sequence[Finding]):
    """The lines of a chunk: plain ones by the column, and those `apart`, by their place."""

    __slots__ = ("_order", "apart", "plain")

    def __init__(self, plain: PlainLines | None, apart: Mapping[int, Finding]) -> None:
        if plain is not None and not plain.places:
            plain = None
        self.plain = plain
        self.apart = apart
        self._order: list[int] | None = None  # made when it is first asked for

    def __len__(self) -> int:
        return len(self.apart) + len(self.plain or ())

    def __iter__(self) -> Iterator[Finding]:
        if self.plain is None:
            return iter(list(self.apart.values()))
        return iter(self.merged(self.plain.findings(), list(self.apart.values())))

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        if isinstance(at, int) and at in self.apart:
            return self.apart[at]
        return list(self)[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def merged(self, plain: Column, apart: list[Any]) -> Column:
        """A column of all lines, from that of the plain ones and that of those apart."""
        if not apart:
            return plain
        if isinstance(plain, Same) and apart.count(plain.value) == len(apart):
            return Same(plain.value, len(self))
        if self._order is None:
            self._order = self._made_order()
        return list(map([*plain, *apart].__getitem__, self._order))

    def _made_order(self) -> list[int]:
        order = [0] * len(self)
        places = [*(self.plain.places if self.plain else ()), *self.apart]
        for number, at in enumerate(places):
            order[at] = number
        return order


def lines_of(findings: Sequence[Finding]) -> Lines:
    """The same findings as lines."""
    if isinstance(findings, Lines):
        return findings
    return Lines(None, dict(enumerate(findings)))


# --- which rows are plain


def plain_at(
    chunk: StoredChunk,
    kept: Iterable[Plain],
    repeats: Mapping[tuple[str, int], Repeat],
    told_later: Collection[str],
) -> dict[int, Plain]:
    """Position in a chunk -> what its row came to, where its line shows that and nothing else: it
    asks for what was asked, no other row speaks of it, and nothing happened since.

    `told_later`: charges of which something is known that happened after their run.
    """
    found = {}
    of_rows = {one.row: one for one in kept if one.charge_id not in told_later}
    for at, number in enumerate(chunk.rows):
        one = of_rows.get(number)
        if (
            one is None
            or at in chunk.problems
            or at in chunk.corrects
            or at in chunk.earlier
        ):
            continue
        if (chunk.sheet, number) in repeats or at in chunk.comeback:
            continue
        if _still_asks(chunk.documents[at], one) and not _costs_cannot_be(one):
            found[at] = one
    return found


def _costs_cannot_be(one: Plain) -> bool:
    """That is told beside its row."""
    whole = whole_of(
        one.charged, one.charged_currency, one.funding_amount, one.funding_currency
    )
    return cannot_be((one.fee, one.fee_vat, one.net), whole)


def _still_asks(document: Document, one: Plain) -> bool:
    return bool(
        document.get("order_id") == one.order_id
        and document.get("amount") == one.amount
        and document.get("destination") == one.destination
        and str(document.get("currency", "")).lower() == one.currency
        and payment_method(payer_of(document)) == one.paid_with
    )


def plain_lines(
    batch: Batch, chunk: StoredChunk, plain: Mapping[int, Plain]
) -> PlainLines:
    """Their lines; `plain` by position in the chunk, in the file's order."""
    columns = zip(*plain.values(), strict=True)
    metadata = [chunk.documents[at].get("metadata", {}) for at in plain]
    return PlainLines(
        job=batch.job,
        file=batch.file,
        batch_id=batch.id,
        whole_refused=bool(batch.refusal),
        sheet=chunk.sheet,
        places=list(plain),
        kept=dict(zip(Plain._fields, map(column_of, columns), strict=False)),
        metadata=column_of(metadata),
    )
