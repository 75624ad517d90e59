"""MAP: a chunk of cells becomes order documents, column by column, without repairing anything.

What a cell says is taken as it stands or refused with a reason; a refused or empty cell leaves its
field out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from batchpay.domain.documents import Documents
from batchpay.domain.model import Chunk, Document, Problem
from batchpay.intake.amounts import amounts_of
from batchpay.intake.cameback import (
    comebacks_of,
    ids_told,
    rows_corrected,
    with_own_ids,
)
from batchpay.intake.ids import (
    currencies_of,
    identifiers_of,
    odd_cells,
    without_tokens,
)
from batchpay.intake.refusals import NOWHERE, Cells, Refusals, Values
from batchpay.intake.sources import IDENTIFIERS, cells_of
from batchpay.job.job import Columns, Source

# no schema can allow an order without them
ESSENTIAL = (
    "order_id",
    "amount",
    "currency",
    "destination",
)
PAYING = frozenset({"card", "customer", "source"})  # fields in which a token may stand


@dataclass(frozen=True, slots=True)
class Mapped:
    """One chunk after mapping: what each row asks for, and what could not be read."""

    chunk: Chunk
    documents: Sequence[Document]
    # by position; what the reader found included
    problems: Mapping[int, tuple[Problem, ...]]
    # by position: fields whose cell holds something that was refused
    unmapped: Mapping[int, frozenset[str]]
    comeback: frozenset[int]  # positions with batchpay_retry = yes
    incomplete: frozenset[int]  # positions where one of ESSENTIAL is not there
    # position -> the row it came back for (place_of)
    corrects: Mapping[int, str] = field(default_factory=dict)
    restored: tuple[int, ...] = ()  # positions whose damaged order id is its own again
    # those of them whose cell could be what was made of other ids as well
    doubtful: frozenset[int] = frozenset()
    # positions whose words are those of the row they came back for again (provenance)
    reread: tuple[int, ...] = ()
    # position -> the order id it came back under
    earlier: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def map_chunk(
    chunk: Chunk, columns: Columns, odd_ids: Literal["reject", "accept"] = "reject"
) -> Mapped:
    """Every row of the chunk as an order document, with every problem of every row."""
    read, restored, doubtful = with_own_ids(
        chunk, columns.fields.get("order_id"), odd=odd_ids == "accept"
    )
    found = Refusals({at: list(problems) for at, problems in read.problems.items()})
    odd = odd_cells(read, columns, found, accept=odd_ids == "accept")
    cells = {
        name: cells_of(read, source, name, odd.get(name, NOWHERE), found)
        for name, source in columns.fields.items()
        if name != "amount"
    }
    values: dict[str, Values] = {}
    for name, texts in cells.items():
        if name == "currency":
            values[name] = currencies_of(texts, columns.fields[name], found)
        elif name in IDENTIFIERS:
            values[name] = identifiers_of(texts, columns.fields[name], name, found)
        else:
            values[name] = texts
    if "amount" in columns.fields:
        currencies = values.get("currency", ())
        values["amount"] = amounts_of(read, columns.fields["amount"], currencies, found)
    for name, column in values.items():
        if name not in PAYING and name not in ("amount", "currency"):
            values[name] = without_tokens(column, columns.fields[name], name, found)
    metadata = {
        key: _metadata(read, key, source, found)
        for key, source in columns.metadata.items()
    }
    comeback = comebacks_of(read, found)
    documents = _documents(len(chunk.rows), values, metadata)
    corrects = rows_corrected(chunk, found)
    incomplete: set[int] = set()
    for name in ESSENTIAL:
        incomplete.update(_gaps(values.get(name, ())))
    return Mapped(
        chunk=chunk,
        documents=documents,
        problems={at: tuple(problems) for at, problems in found.problems.items()},
        unmapped={at: frozenset(names) for at, names in found.unmapped.items()},
        comeback=comeback,
        incomplete=frozenset(incomplete),
        corrects=corrects,
        restored=restored,
        doubtful=doubtful,
        earlier=ids_told(chunk, corrects, documents),
    )


def _metadata(
    chunk: Chunk,
    key: str,
    source: Source,
    found: Refusals,
) -> Cells:
    name = f"metadata.{key}"
    texts = cells_of(chunk, source, name, NOWHERE, found)
    return without_tokens(texts, source, name, found)


def _documents(
    count: int, values: Mapping[str, Values], metadata: Mapping[str, Cells]
) -> Documents:
    """Columns as documents; what is empty or refused leaves its key out."""
    absent: Values = [None] * count
    fields = {name: values.get(name, absent) for name in ESSENTIAL}
    fields |= {name: some for name, some in values.items() if name not in ESSENTIAL}
    return Documents(count, fields, metadata)


def _gaps(column: Values) -> list[int]:
    """Positions without a value."""
    if all(column):
        return []
    return [at for at, value in enumerate(column) if not value]
