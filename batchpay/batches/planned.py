"""PLANNED: a file of this run with what was decided about it as a whole, and its rows with their
standings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchpay.batches.guards import guards_of, unplaced_in
from batchpay.batches.history import history_of
from batchpay.domain.model import Batch, Repeat, StoredChunk
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.going import Going, held_beside
from batchpay.lifecycle.holds import undecided, unnamed
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.names import Names
from batchpay.lifecycle.rows import (
    Guards,
    History,
    Row,
    Standing,
    Waits,
    is_sendable,
    rows_of,
)
from batchpay.lifecycle.sales import known_by, settled_by
from batchpay.lifecycle.standing import stand


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A file of this run: what was decided about it as a whole, and its rows, read anew each
    time.
    """

    batch: Batch
    chunks: Callable[[], Iterable[StoredChunk]]
    repeats: Mapping[tuple[str, int], Repeat]
    # what the rows of this run tell and the journal does not know yet
    renamed: Names = field(default_factory=Names)
    # did any of its rows ever have another order id than now?
    had_other_ids: bool = False

    def refused(self, *reasons: str) -> PlannedBatch:
        """The same with one reason more why nothing of it is sent."""
        told = " ".join(reason for reason in (self.batch.refusal, *reasons) if reason)
        return replace(self, batch=replace(self.batch, refusal=told))

    def warned(self, likeness: str) -> PlannedBatch:
        """The same, and what recent file it resembles."""
        return replace(self, batch=replace(self.batch, likeness=likeness))


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and its standing."""

    row: Row
    standing: Standing
    later: Attempt | None = None  # what settled it elsewhere
    sale: str = ""  # History.sale
    # it waits for a person (holds.unnamed), if that has not just been answered (are_new)
    resembles: bool = False
    # a person typed its id for another sale: with a word that it is new, it may go
    is_typed: bool = False
    # by what else its sale is known, of one that may go (sales.known_by)
    known_by: frozenset[str] = frozenset()


def placed_rows(
    job: Job,
    journal: SqliteJournal,
    planned: PlannedBatch,
    guards: Guards,
    *,
    decided: bool = False,
) -> Iterator[Placed]:
    """The rows of a batch with their standings, in the file's order.

    Without `decided` those whose own attempt has succeeded are left out: they are never sent again.
    """
    batch = planned.batch
    unplaced = unplaced_in(journal, batch, planned.chunks)
    guards = replace(guards, refusal=batch.refusal, unplaced=unplaced)
    lineages = Lineages.of_job(job, journal, planned.renamed)
    for chunk in planned.chunks():
        if decided or not chunk.rows:
            done = frozenset[int]()
        else:
            done = journal.settled_rows(
                batch.id, chunk.sheet, chunk.rows[0], chunk.rows[-1]
            )
        rows = rows_of(batch.id, chunk, planned.repeats, done)
        if not rows:
            continue
        of_rows = history_of(journal, batch, chunk, done, lineages=lineages)
        for row in rows:
            standing = stand(row, of_rows, guards)
            yield _placed(row, standing, of_rows, guards, batch, decided=decided)


def _placed(
    row: Row,
    standing: Standing,
    of_rows: History,
    guards: Guards,
    batch: Batch,
    *,
    decided: bool,
) -> Placed:
    may_wait = is_sendable(standing) or isinstance(standing, Waits)
    resembles = may_wait and _resembles_others(row, of_rows, guards)
    is_typed = may_wait and not row.corrects and row.place in of_rows.typed
    of_sale = frozenset[str]()
    if is_sendable(standing):
        of_sale = known_by(row, of_rows, guards)
    placed = Placed(
        row, standing, resembles=resembles, is_typed=is_typed, known_by=of_sale
    )
    if not decided:
        return placed
    later = settled_by(row, of_rows, batch.first_seen_ns)
    return replace(placed, later=later, sale=of_rows.sale(row))


def _resembles_others(row: Row, of_rows: History, guards: Guards) -> bool:
    if unnamed(row, of_rows, guards) is not None:
        return True
    return undecided(row, of_rows, guards) is not None


def beside_others(placed: Placed, guards: Guards, going: Going) -> Placed:
    """The row among those that go before it in this run; `going` is what they ask for
    (going.held_beside).
    """
    standing = held_beside(placed.row, placed.standing, guards, going, placed.known_by)
    return replace(placed, standing=standing)


def unasked(guards: Guards) -> Guards:
    """The same as if the gateway had told nothing of recipients and limits, for a run asks again,
    and as if the job limited no day.
    """
    return replace(
        guards,
        barred={},
        smallest_share={},
        least_charge={},
        most_charge={},
        max_day={},
        max_recipient={},
    )


def guards_before(
    job: Job, journal: SqliteJournal, batches: Iterable[PlannedBatch]
) -> Guards:
    """As if the gateway had told nothing yet."""
    present = [planned.batch.id for planned in batches]
    return unasked(guards_of(job, journal, present=present))


def rows_in_turn(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
) -> Iterator[Placed]:
    """Every row of the batches that are not refused, each among those that go before it."""
    going = Going(several=len(batches) > 1)
    for planned in batches:
        if planned.batch.refusal:
            continue
        for placed in placed_rows(job, journal, planned, guards):
            yield beside_others(placed, guards, going)
