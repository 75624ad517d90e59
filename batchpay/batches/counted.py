"""COUNTED: what the rows of a batch come to, and whether what was last counted still holds."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchpay.batches.standings import Found
from batchpay.domain.errors import CannotWrite, InputOutput
from batchpay.domain.events import (
    Answered,
    Archived,
    BatchPlanned,
    Followed,
    Held,
    InputsRead,
    Intended,
    Listed,
    LookedAgain,
    OrderCancelled,
    RecipientsAsked,
    RowsGivenUp,
    RunCounted,
    RunFinished,
    RunStarted,
    TotalsCounted,
    TransferSeen,
    kinds,
    of,
    told_in,
)
from batchpay.domain.events import Found as FoundTold
from batchpay.domain.model import OPEN, Batch, Event, Outcome, tail_in
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.places import row_at
from batchpay.reconciliation.findings import MAY_BE_SETTLED
from batchpay.reconciliation.lines import Lines, lines_of
from batchpay.reconciliation.totals import Totals

# what every night writes: nothing of it changes how an attempt of another batch reads
ORDINARY = frozenset(
    kinds(
        RunStarted,
        InputsRead,
        BatchPlanned,
        RecipientsAsked,
        Intended,
        Answered,
        FoundTold,
        TransferSeen,
        Followed,
        Held,
        Listed,
        LookedAgain,
        TotalsCounted,
        RunCounted,
        RunFinished,
        Archived,
    )
)


class Counts(NamedTuple):
    """A batch as its rows stand now."""

    totals: Totals
    digest: str  # of every row's outcome
    # place of a row -> the charged order that its correction in this batch is a duplicate of
    answered: dict[str, str]


def totals_of(found: Found) -> Counts:
    """Counts and sums of a batch as they stand now."""
    totals = Totals()
    digest = hashlib.sha256()
    answered = dict[str, str]()
    for chunk, lines in found():
        findings = lines_of(lines)
        for at in chunk.corrects:
            if (
                findings[at].duplicate_of
                and findings[at].counts_as is Outcome.SUCCEEDED
            ):
                answered[chunk.corrects[at]] = findings[at].duplicate_of
        totals.add_lines(findings)
        digest.update("".join(_told(findings)).encode())
    return Counts(totals, digest.hexdigest(), answered)


def _told(lines: Lines) -> Iterable[str]:
    """What of each line says that its report reads otherwise."""
    apart = []
    for one in lines.apart.values():
        apart.append(repr((one.row, one.outcome.value, one.charge_id, one.reason)))
    plain = []
    if lines.plain is not None:
        succeeded = repr(Outcome.SUCCEEDED.value)
        rows = zip(
            lines.plain.column("row"), lines.plain.column("charge_id"), strict=True
        )
        plain = [f"({row}, {succeeded}, {charge!r}, '')" for row, charge in rows]
    return lines.merged(plain, apart)


def last_totals(journal: SqliteJournal) -> dict[str, Event]:
    """Batch -> the event its last report was written from."""
    return {event.batch_id: event for event in journal.events([TotalsCounted.kind])}


def counted_before(journal: SqliteJournal, batch_id: str, seq: int) -> Event | None:
    """The event from which the report of a batch was made before the one of event `seq`."""
    known = journal.kept(_Counted) or _Counted()
    journal.keep(known)
    for event in journal.events([TotalsCounted.kind], after=known.until):
        known.seqs.setdefault(event.batch_id, []).append(event.seq)
        known.until = event.seq
    seqs = known.seqs.get(batch_id, [])
    at = bisect_left(seqs, seq)
    if not at:
        return None
    return next(journal.events([TotalsCounted.kind], after=seqs[at - 1] - 1), None)


@dataclass(slots=True)
class _Counted:
    """When each batch was counted, as far as the journal was read."""

    seqs: dict[str, list[int]] = field(default_factory=dict)
    until: int = 0


def totals_in(event: Event) -> Totals:
    """What such an event counted."""
    return Totals.from_json(TotalsCounted.read(event).totals)


def behind(journal: SqliteJournal, totals: Event) -> bool:
    """Did anything happen to an order of a batch since its last report was written?"""
    return journal.changed(totals.batch_id, totals.seq)


def unfinished(journal: SqliteJournal) -> Callable[[str], bool]:
    """Was a run killed before it had written its reports, or could it not write them? Of a command
    that writes reports beside the runs nobody knows.
    """
    ended: dict[str, int] = {}
    for event, finished in told_in(journal, RunFinished):
        ended[event.run_id] = finished.exit_code
    could_not = (CannotWrite.exit_code, InputOutput.exit_code)
    return lambda run_id: run_id not in ended or ended[run_id] in could_not


def given_files(job: Job, counted: Iterable[tuple[Batch, Totals]]) -> tuple[str, ...]:
    """The files of these batches of which a run sends what is held only where it is given them."""
    files: dict[str, None] = {}
    for batch, totals in counted:
        if totals.waits_to_be_sent and not job.input.is_own(batch.file):
            files[batch.file] = None
    return tuple(files)


def is_open(event: Event) -> bool:
    """Did the batch have a row that a later run, or a person, must settle?"""
    totals = totals_in(event)
    return bool(totals.stands() & OPEN or totals.is_a_persons)


def is_due(
    journal: SqliteJournal,
    latest: Event | None,
    stop: str,
) -> bool:
    """May a batch read otherwise than its last report, with this stop in force? One that told of
    another stop does.

    A row that was never sent, and one that is in doubt or names another row, is judged by what else
    there is; any other open row by its own attempt, of which every event is the batch's own.
    """
    if latest is None or _is_touched(journal, latest):
        return True
    told = TotalsCounted.read(latest).stop
    if not is_open(latest):
        return told not in ("", stop)
    if told != stop or not totals_in(latest).rests_on_itself:
        return True
    return journal.happened(latest.seq, but=ORDINARY)


def still_counts(journal: SqliteJournal, latest: Event | None, stop: str) -> bool:
    """Does a run end by a batch that is none of its own: has that open rows, or may it read
    otherwise than its last report, as after a run that was killed?
    """
    return latest is None or is_due(journal, latest, stop) or is_open(latest)


def is_news(journal: SqliteJournal, latest: Event) -> bool:
    """Was a batch, though it reads as it did, counted because of something that happened since?
    That is written down, so that the next night does not count it for the same reason.
    """
    if _is_touched(journal, latest):
        return True
    if not (is_open(latest) and totals_in(latest).rests_on_itself):
        return False
    return journal.happened(latest.seq, but=ORDINARY)


def _is_touched(journal: SqliteJournal, latest: Event) -> bool:
    """Did anything happen to a batch since it was counted, or did a person say of a row there that
    it is never sent? Such a word is of its order, or of rows of several batches.
    """
    if journal.moved(latest.batch_id):
        return True
    given_up = journal.kept(_GivenUp) or _GivenUp()
    journal.keep(given_up)
    for event in journal.events(kinds(OrderCancelled, RowsGivenUp), given_up.until):
        told = of(event)
        keys: Sequence[str] = ()
        if isinstance(told, OrderCancelled):
            keys = told.sale
        elif isinstance(told, RowsGivenUp):
            keys = told.places
        for batch, _, _ in filter(None, map(row_at, keys)):
            given_up.seqs[batch] = event.seq
        given_up.until = event.seq
    return given_up.seqs.get(tail_in(latest.batch_id), 0) > latest.seq


@dataclass(slots=True)
class _GivenUp:
    """By which event a row of each batch was last given up, as far as the journal was read."""

    seqs: dict[str, int] = field(default_factory=dict)  # last 12 digits of a batch
    until: int = 0


def may_be_settled(event: Event) -> bool:
    """Did the batch have a row that an order of another file may settle, and none had? A duplicate
    counts like the row that it names.
    """
    totals = totals_in(event)
    return any(
        totals.count(outcome) + totals.named[outcome.value]
        > totals.settled[outcome.value]
        for outcome in MAY_BE_SETTLED
    )


def has_fallen(totals: Totals, before: Event | None) -> bool:
    """Is an order of a batch reversed that was not when it was last counted?"""
    if before is None:
        return False
    reversed_ = Outcome.REVERSED
    return totals.count(reversed_) > totals_in(before).count(reversed_)


def names_paid(event: Event) -> bool:
    """Had the batch a duplicate of an order that was paid?"""
    return totals_in(event).named[Outcome.SUCCEEDED.value] > 0


def taken_as_they_are(latest: Mapping[str, Event]) -> Totals:
    """The rows of every batch that a person accepted, as they stay: they count as 10 (README.md,
    "Exit codes").
    """
    totals = Totals()
    for event in latest.values():
        of_batch = totals_in(event)
        totals.accepted.update(of_batch.accepted)
        totals.further.update(of_batch.further)
        totals.paid_apart.update(of_batch.paid_apart)
    return totals
