"""STANDINGS: where each row of a batch stands now. Everything shown comes through here (law L9)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from batchpay.batches.besides import Besides
from batchpay.batches.cellwise import Cellwise
from batchpay.batches.guards import guards_of_batch
from batchpay.batches.history import history_of
from batchpay.batches.last import last_hold
from batchpay.batches.past import before
from batchpay.batches.resembling import NEAR_NS
from batchpay.domain.events import (
    DifferenceNoted,
    DisputeSeen,
    RefundSeen,
    told_in,
)
from batchpay.domain.model import Batch, Finding, Repeat, StoredChunk
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.rows import rows_of
from batchpay.lifecycle.unusual import outside
from batchpay.reconciliation.findings import find, with_later
from batchpay.reconciliation.lines import (
    NO_ROWS,
    Lines,
    PlainRows,
    plain_at,
    plain_lines,
)

Found = Callable[[], Iterator[tuple[StoredChunk, Sequence[Finding]]]]


def findings_of(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    *,
    every_story: bool = False,
) -> Found:
    """Where each row of a batch stands now, chunk by chunk; call it again to read it again.

    A row of which there is nothing to tell is shown from what is kept of its attempt; of any other
    the events are folded, and it is judged. `every_story`: all of them are.
    """
    repeats = journal.repeats(batch.id)
    guards = guards_of_batch(job, journal, batch)
    hold = last_hold(journal, batch.id)
    later = later_in(journal)

    def read() -> Iterator[tuple[StoredChunk, Lines]]:
        lineages = Lineages.of_job(job, journal)
        cellwise = Cellwise(job, journal, batch)
        besides = Besides(journal)
        for chunk in journal.chunks(batch.id):
            plain = NO_ROWS
            if not every_story:
                plain = _plain(journal, batch, chunk, repeats, later)
            others = frozenset(chunk.rows[at] for at in plain.places)
            history = history_of(journal, batch, chunk, others, lineages=lineages)
            rows = rows_of(batch.id, chunk, repeats, others)
            told = later.of(find(batch, rows, history, guards, hold))
            told = besides.of(cellwise.of(chunk, told))
            apart = dict(zip(_all_but(plain.places, chunk), told, strict=True))
            yield chunk, Lines(plain_lines(batch, chunk, plain), apart)

    return read


def _all_but(places: Sequence[int], chunk: StoredChunk) -> list[int]:
    shown = set(places)
    return [at for at in range(len(chunk.documents)) if at not in shown]


def _plain(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    repeats: Mapping[tuple[str, int], Repeat],
    later: Later,
) -> PlainRows:
    if not chunk.rows:
        return NO_ROWS
    first, last = chunk.rows[0], chunk.rows[-1]
    since_ns = batch.first_seen_ns - NEAR_NS
    kept = journal.plain_rows(batch.id, chunk.sheet, first, last, since_ns)
    plain = plain_at(chunk, kept, repeats, later.refunds.keys() | later.disputes.keys())
    return plain.but(_far_from_before(journal, batch, chunk, plain))


def _far_from_before(
    journal: SqliteJournal, batch: Batch, chunk: StoredChunk, plain: PlainRows
) -> set[int]:
    """Where a row asks for an amount far outside of what was asked before its file came."""
    documents = {at: chunk.documents[at] for at in plain.places}
    recipients = list(
        zip(plain.kept["destination"], plain.kept["currency"], strict=True)
    )
    # one row of each recipient tells whether it was ever asked for
    one_each = dict(zip(recipients, documents.values(), strict=True))
    since_ns = batch.first_seen_ns
    if not before(journal, list(one_each.values()), since_ns, tokens=False).past:
        return set()
    told = before(journal, list(documents.values()), since_ns, tokens=False)
    odd = set()
    for recipient, (at, document) in zip(recipients, documents.items(), strict=True):
        if recipient in told.past and outside(
            document, (document["order_id"],), told.past, told.hundredth
        ):
            odd.add(at)
    return odd


class Later(NamedTuple):
    """What happened to charges after their run, as far as anybody has asked."""

    refunds: Mapping[str, RefundSeen]  # by charge, as last told
    disputes: Mapping[str, DisputeSeen]

    def of(self, findings: list[Finding]) -> list[Finding]:
        """The same findings with it."""
        if not self.refunds and not self.disputes:
            return findings
        return [self._of(one) for one in findings]

    def _of(self, finding: Finding) -> Finding:
        refund = self.refunds.get(finding.charge_id)
        dispute = self.disputes.get(finding.charge_id)
        if refund is None and dispute is None:
            return finding
        return with_later(finding, refund, dispute)


def later_in(journal: SqliteJournal) -> Later:
    """All of it; a contradiction that a person took note of is none any more."""
    refunds = {
        told.charge_id: told
        for _, told in told_in(journal, RefundSeen)
        if told.charge_id
    }
    noted = {told.id: told.state for _, told in told_in(journal, DifferenceNoted)}
    for charge_id, told in refunds.items():
        if told.contradicts and told.contradicts == noted.get(f"refunded:{charge_id}"):
            refunds[charge_id] = replace(told, contradicts="")
    return Later(
        refunds,
        {told.charge_id: told for _, told in told_in(journal, DisputeSeen)},
    )


def findings_at(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    places: Collection[tuple[str, int]],
) -> Iterator[Finding]:
    """Where some rows of a batch stand now, by their sheet and number; no other is read."""
    repeats = journal.repeats(batch.id)
    guards = guards_of_batch(job, journal, batch)
    hold = last_hold(journal, batch.id)
    later = later_in(journal)
    lineages = Lineages.of_job(job, journal)
    for number, sheet, first, last in journal.spans(batch.id):
        wanted = {row for one, row in places if one == sheet and first <= row <= last}
        chunk = journal.chunk(batch.id, number) if wanted else None
        if chunk is None:
            continue
        others = frozenset(chunk.rows) - wanted
        history = history_of(journal, batch, chunk, others, lineages=lineages)
        rows = [row for row in rows_of(batch.id, chunk, repeats) if row.row in wanted]
        yield from later.of(find(batch, rows, history, guards, hold))
