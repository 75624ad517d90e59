"""LINES: the lines of a chunk of rows, in the file's order; those of which there is nothing to tell
as columns.

Nearly all rows of a night are plain: asked for once, and succeeded. An object of Python for each of
them costs more than all the rest of a report, so they are counted and written by the column; only
rows with a story are findings one by one. Whoever walks over lines gets a finding of each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import compress, repeat
from operator import contains, eq, le
from typing import Any, overload

from batchpay.domain.documents import values_of
from batchpay.domain.exits import NOBODY
from batchpay.domain.model import (
    Batch,
    Document,
    Finding,
    Outcome,
    Plain,
    Repeat,
    StoredChunk,
)
from batchpay.lifecycle.after import share
from batchpay.lifecycle.keys import keys_of
from batchpay.lifecycle.payers import payer_of, payment_method
from batchpay.lifecycle.places import by_order
from batchpay.reconciliation.costs import left_out, whole_of
from batchpay.reconciliation.findings import iso


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
    told = zip(kept["charged"], commissions, kept["with_fee"], strict=True)
    return [
        share(charged, commission, with_fee=bool(with_fee))
        for charged, commission, with_fee in told
    ]


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


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows of a chunk of which there is nothing to tell, in the file's order."""

    places: list[int]  # their positions in the chunk
    kept: Mapping[str, list[Any]]  # columns, by the names of Plain

    def but(self, odd: Collection[int]) -> PlainRows:
        """The same without those at some positions."""
        if not odd:
            return self
        stay = [at not in odd for at in self.places]
        kept = {name: list(compress(cells, stay)) for name, cells in self.kept.items()}
        return PlainRows(list(compress(self.places, stay)), kept)


NO_ROWS = PlainRows([], {name: [] for name in Plain._fields})


def plain_at(
    chunk: StoredChunk,
    kept: Sequence[list[Any]],
    repeats: Mapping[tuple[str, int], Repeat],
    told_later: Collection[str],
) -> PlainRows:
    """The rows of a chunk that show in their lines what they came to, and nothing else: each asks
    for what was asked, no other row speaks of it, and nothing happened since. `kept`: by the
    column, in the order of Plain.

    `told_later`: charges of which something is known that happened after their run.
    """
    rows = _in_place(chunk, kept)
    places = rows.places
    if not places:
        return NO_ROWS
    odd = {*chunk.problems, *chunk.corrects, *chunk.earlier, *chunk.comeback}
    odd.update(_asking_otherwise(chunk.documents, rows))
    odd.update(_of_odd_costs(rows))
    if repeats:
        odd.update(at for at in places if (chunk.sheet, chunk.rows[at]) in repeats)
    if told_later:
        charges = zip(places, rows.kept["charge_id"], strict=True)
        odd.update(at for at, charge_id in charges if charge_id in told_later)
    return rows.but(odd.intersection(places))


def _in_place(chunk: StoredChunk, kept: Sequence[list[Any]]) -> PlainRows:
    """Those of them that the chunk has, in its order."""
    at_of = dict(zip(chunk.rows, range(len(chunk.rows)), strict=True))
    columns = dict(zip(Plain._fields, kept, strict=True))
    places = [at_of.get(number, -1) for number in columns["row"]]
    in_order = sorted(places)
    if places != in_order or -1 in in_order[:1]:
        order = sorted(range(len(places)), key=places.__getitem__)
        order = [number for number in order if places[number] >= 0]
        places = [places[number] for number in order]
        for name, cells in columns.items():
            columns[name] = [cells[number] for number in order]
    return PlainRows(places, columns)


def _asking_otherwise(documents: Sequence[Document], rows: PlainRows) -> set[int]:
    """Where a row does not ask any more for what was asked."""
    mine: Sequence[Document] = documents
    if len(rows.places) < len(documents):
        mine = [documents[at] for at in rows.places]
    asks = {
        "order_id": list(values_of(mine, "order_id")),
        "amount": list(values_of(mine, "amount")),
        "destination": list(values_of(mine, "destination")),
        "currency": [str(told or "").lower() for told in values_of(mine, "currency")],
        "paid_with": [payment_method(payer_of(document)) for document in mine],
    }
    odd: set[int] = set()
    for name, told in asks.items():
        if told != rows.kept[name]:
            same = map(eq, told, rows.kept[name])
            odd.update(
                at for at, is_same in zip(rows.places, same, strict=True) if not is_same
            )
    return odd


def _of_odd_costs(rows: PlainRows) -> set[int]:
    """Where what the gateway kept cannot be, or nobody knows it: that is told beside its row."""
    columns = [rows.kept[name] for name in _COSTS]
    charged, currency, _, funding_currency, *parts = columns
    # nearly all: every part is told, none below zero, and all of them are no more than the charge
    if not any(None in part for part in parts) and min(map(min, parts)) >= 0:
        is_same = all(map(contains, zip(repeat(""), currency), funding_currency))
        if is_same and all(map(le, map(sum, zip(*parts, strict=True)), charged)):
            return set()
    odd = set()
    for at, charged_, currency_, funding, funding_in, *some in zip(
        rows.places, *columns, strict=True
    ):
        if left_out(some, whole_of(charged_, currency_, funding, funding_in)):
            odd.add(at)
    return odd


_COSTS = (
    "charged",
    "charged_currency",
    "funding_amount",
    "funding_currency",
    "fee",
    "fee_vat",
    "net",
)


def plain_lines(batch: Batch, chunk: StoredChunk, plain: PlainRows) -> PlainLines:
    """Their lines."""
    metadata = [chunk.documents[at].get("metadata", {}) for at in plain.places]
    return PlainLines(
        job=batch.job,
        file=batch.file,
        batch_id=batch.id,
        whole_refused=bool(batch.refusal),
        sheet=chunk.sheet,
        places=plain.places,
        kept={name: column_of(cells) for name, cells in plain.kept.items()},
        metadata=column_of(metadata),
    )
