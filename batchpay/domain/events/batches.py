"""What is told of files: their rows, their ids, what they came to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from batchpay.domain.events.forms import DICT, LIST, OPTIONAL, PAIRS, Told, kept_form
from batchpay.domain.model import Batch, Event, Read, Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsRead(Told):
    """The batches whose files lay there when a run read them."""

    kind = "inputs"

    batches: tuple[str, ...] = field(metadata=LIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdsMadeOf(Told):
    """Of which cells order ids are made from now on (job.Columns.ids_from)."""

    kind = "ids"

    ids_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrders(Told):
    """A person's --yes, and what it is about (judging.said_new)."""

    kind = "new_orders"

    # the first of `fitting_terms`, and order id
    orders: tuple[tuple[str, str], ...] = field(default=(), metadata=PAIRS)
    # ids of adopted charges
    charges: tuple[str, ...] = field(default=(), metadata=LIST)


Ids = Mapping[str, tuple[str, ...]]


def _ids_json(ids: Ids) -> dict[str, list[str]]:
    return {new: list(old) for new, old in ids.items()}


def _ids_back(value: Any, _: Event) -> Ids:
    return {new: tuple(old) for new, old in value.items()}


_IDS: dict[str, Any] = {"write": _ids_json, "read": _ids_back}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdsRenamed(Told):
    """Order ids that took the place of others (names.Names)."""

    kind = "renamed"

    same: Ids = field(default_factory=dict, metadata=_IDS | {"key": "ids"})
    had: Ids = field(default_factory=dict, metadata=_IDS)
    ids_from: str = ""
    said: Ids = field(default_factory=dict, metadata=_IDS | {"left_out": ({},)})
    # order id -> what the rows that rows with it came back for are known by
    back: Ids = field(default_factory=dict, metadata=_IDS | {"left_out": ({},)})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAnswered(Told):
    """Rows whose correction turned out to be a duplicate."""

    kind = "answered"

    rows: Mapping[str, str]  # place of a row -> order


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientsAsked(Told):
    """Recipients that cannot be paid now, and the gateway's limits."""

    kind = "preflight"

    # recipient -> why: a message in its JSON form, or the sentence that an earlier version kept
    barred: Mapping[str, Any] = field(metadata=DICT)
    # upper-case currency -> smallest transfer, smallest unit
    smallest_share: Mapping[str, int] = field(default_factory=dict, metadata=DICT)
    # ... and smallest charge
    least_charge: Mapping[str, int] = field(default_factory=dict, metadata=DICT)
    # ... and largest charge
    most_charge: Mapping[str, int] = field(
        default_factory=dict, metadata=DICT | {"left_out": ({},)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsCounted(Told):
    """Where the rows of a batch stand; what a report was written from."""

    kind = "totals"

    totals: Mapping[str, Any]  # totals.Totals, in its own form
    rows_sha256: str = ""  # of every row's outcome
    stop: str = ""  # that was in force
    version: str = ""  # of the program that planned the batch
    # digest of the words that a manifest told
    said: str = field(default="", metadata=OPTIONAL)

    def data(self) -> dict[str, Any]:
        """Counts and sums stand beside the rest."""
        kept = Told.data(self)
        return {**kept.pop("totals"), **kept}

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back."""
        own = kept_form(cls).names
        kept = {key: value for key, value in event.data.items() if key in own}
        return cls(totals={k: v for k, v in event.data.items() if k not in own}, **kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived(Told):
    """A finished batch was written into a file of its own, and its events are packed. The event is
    about no batch: nothing happened to one.
    """

    kind = "archived"

    batch: str
    file: str  # its name
    sha256: str  # of the file
    bytes: int
    events: int  # of the batch, in the file
    last: int  # number of the last of them


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlanned(Told):
    """The rows of a file were read and judged; the rows themselves are in row_chunks."""

    kind = "batch.planned"

    generation: str  # of the kept rows
    rows_sha256: str  # over the kept rows
    kept: Mapping[str, Any]  # all of it, as it stands

    @classmethod
    def made(
        cls,
        batch: Batch,
        staged: str,
        repeats: Mapping[tuple[str, int], Repeat],
    ) -> Self:
        """A plan. `staged`: generation and digest of its rows (SqliteJournal.stage)."""
        generation, _, digest = staged.partition(":")
        placed = [[sheet, row, *one.to_json()] for (sheet, row), one in repeats.items()]
        kept = {
            "batch": asdict(batch),
            "rows_sha256": digest,
            "generation": generation,
            "repeats": placed,
        }
        return cls(generation=generation, rows_sha256=digest, kept=kept)

    def says_the_same(self, other: BatchPlanned) -> bool:
        """Is the same kept of it as of another one, but for the generation of its rows?"""
        mine = {**self.kept, "generation": other.generation}
        return bool(mine == json.loads(json.dumps(other.kept)))

    def with_the_rows_of(self, other: BatchPlanned) -> Self:
        """The same plan of the rows that were kept for another one, which are the same."""
        kept = {**self.kept, "generation": other.generation}
        return replace(self, generation=other.generation, kept=kept)

    def judged_anew(self, batch: Batch) -> Self:
        """The same rows, with another decision about the batch as a whole."""
        return replace(self, kept={**self.kept, "batch": asdict(batch)})

    @property
    def batch(self) -> Batch:
        """The batch; what a later version kept of it beside this is not understood."""
        kept = self.kept["batch"]
        names = ("columns", "unused", "metadata", "notes", "sample")
        lists = {name: tuple(kept.get(name, ())) for name in names}
        read = tuple(Read(**one) for one in kept.get("read", ()))
        lookups = tuple((path, sha256) for path, sha256 in kept.get("lookups", ()))
        return Batch(**{**kept, **lists, "read": read, "lookups": lookups})

    @property
    def repeats(self) -> dict[tuple[str, int], Repeat]:
        """Sheet and row -> what another row makes of it."""
        return {
            (sheet, row): Repeat.from_json(rest)
            for sheet, row, *rest in self.kept["repeats"]
        }

    def data(self) -> dict[str, Any]:
        """All of it."""
        return dict(self.kept)

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back. Raises ValueError where a part of it is missing."""
        return cls.of_data(event.data, event.batch_id)

    @classmethod
    def of_data(cls, data: Mapping[str, Any], batch_id: str) -> Self:
        """The same, of `data` alone."""
        if not {"batch", "generation", "rows_sha256", "repeats"} <= data.keys():
            raise ValueError(f"batch {batch_id} lacks a part of its plan")
        return cls(
            generation=data["generation"],
            rows_sha256=data["rows_sha256"],
            kept=data,
        )
