"""RECENT: does a file ask again for what a recent one asked?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from batchpay.batches.clock import iso
from batchpay.batches.orders import attempts_of
from batchpay.batches.planned import PlannedBatch
from batchpay.domain.documents import orders_of
from batchpay.domain.model import Batch, StoredChunk
from batchpay.domain.text import told
from batchpay.intake.likeness import Comparison, may_contain, suspicious
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.sale_terms import number_of
from batchpay.messages import repeats, steps
from batchpay.messages.message import Message

# how long a file of the same payers and amounts is suspicious
REPEATED_WITHIN = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What is to be said of a file that resembles a recent one."""

    refusal: str = ""  # unless --yes
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a file is held against, and what is asked about files."""

    before: Sequence[PlannedBatch]  # other files that came before it
    after: Sequence[PlannedBatch]  # ... and those of this run that came after it
    lineages: Lineages  # as the job reads ids
    # which of its orders a person cancelled, or is asked about one by one
    quiet: Callable[[PlannedBatch], Collection[str]]
    # does something of a file go in this run?
    goes: Callable[[PlannedBatch], bool]


def likeness(
    journal: SqliteJournal,
    planned: PlannedBatch,
    now_ns: int,
    asking: Asking,
) -> Likeness:
    """Hold a file against those that came, or were sent, in the last ten days, or that go beside
    it; its orders are read only when it resembles one.
    """
    batch = planned.batch
    was = next((one for one in journal.batches() if one.id == batch.id), None)
    is_open = was is not None and _is_open(was)
    recent = _recent(journal, planned, now_ns, asking)
    gone = _asked_elsewhere(journal, planned, now_ns)
    found = Likeness()
    if recent or gone:
        found = _held_against(journal, recent, gone, planned, asking, is_open=is_open)
    if was is not None and is_open and not (found.refusal or batch.refusal):
        found = _still_asked(journal, was, planned, asking.lineages)
    return found


def _still_asked(
    journal: SqliteJournal, was: Batch, planned: PlannedBatch, lineages: Lineages
) -> Likeness:
    """What was said of a file when it was refused, and nobody has answered: its rows are what they
    were, and an edited job, or lookup file, that makes something else of them answers nothing; but
    for the ids, where it gives back those that the journal knows.
    """
    for chunk in planned.chunks():
        ids = [order["order_id"] for order in orders_of(chunk)]
        if _known_in(journal, lineages, ids):
            return Likeness()
    return Likeness(refusal=was.refusal)


def _held_against(
    journal: SqliteJournal,
    recent: Sequence[PlannedBatch],
    gone: Sequence[tuple[str, int]],
    planned: PlannedBatch,
    asking: Asking,
    *,
    is_open: bool,
) -> Likeness:
    """The same, by their orders."""
    batch = planned.batch
    comparison = Comparison(asking.lineages.form, is_open=is_open)
    # one that was sent is named first
    sent = {other.batch.id: bool(journal.orders_of(other.batch.id)) for other in recent}
    recent = sorted(recent, key=lambda other: not sent[other.batch.id])
    for other in recent:
        for chunk in other.chunks():
            comparison.remember(orders_of(chunk), other.batch.id)
            if _is_open(other.batch):
                _remember_open(comparison, chunk)
    if gone:
        comparison.remember_asked(gone, batch.id)
    silent = asking.quiet(planned)
    for chunk in planned.chunks():
        some = orders_of(chunk)
        ids = [order["order_id"] for order in some]
        comparison.compare(some, _known_in(journal, asking.lineages, ids), silent)
    return _said(batch, [*(other.batch for other in recent), batch], comparison)


def _remember_open(comparison: Comparison, chunk: StoredChunk) -> None:
    for at, document in enumerate(chunk.documents):
        if at not in chunk.problems:
            asked = (document, *chunk.asked.get(at, ()))
            comparison.remember_open(document["order_id"], asked)


def _recent(
    journal: SqliteJournal, planned: PlannedBatch, now_ns: int, asking: Asking
) -> list[PlannedBatch]:
    """The files that one may repeat: which came before it in the last ten days, or of which
    something was sent since, or is in this run, for one may have waited, or come when the clock
    was behind; and those that came after it and went, while it waited itself.
    """
    batch = planned.batch
    if batch.refusal or not batch.sample:
        return []
    oldest_ns = (
        min(now_ns, batch.first_seen_ns) - int(REPEATED_WITHIN.total_seconds()) * 10**9
    )
    # of one that is refused the ids are asked about: whatever these ask for in the next file
    is_asked = any(_is_open(other.batch) for other in asking.before)
    wanted = []
    for other in asking.before:
        may_be = is_asked or _resembles(batch, other.batch)
        if may_be and (
            _is_recent(journal, other.batch, oldest_ns) or asking.goes(other)
        ):
            wanted.append(other)
    went = [
        other
        for other in asking.after
        if _resembles(batch, other.batch) and journal.last_sent_of(other.batch.id)
    ]
    if went and asking.goes(planned):
        wanted += went
    return wanted


def _asked_elsewhere(
    journal: SqliteJournal, planned: PlannedBatch, now_ns: int
) -> list[tuple[str, int]]:
    """Order ids and terms of what the very file asked for in the last ten days on rows that the job
    reads no more, as when it names another sheet: the others may be as those of another file.
    """
    batch = planned.batch
    known = batch.format == "xlsx" and journal.orders_of(batch.id)
    if not known or batch.refusal or not batch.sample:
        return []
    spans = [
        (chunk.sheet, chunk.rows[0], chunk.rows[-1])
        for chunk in planned.chunks()
        if chunk.rows
    ]
    oldest_ns = now_ns - int(REPEATED_WITHIN.total_seconds()) * 10**9
    gone = {
        order_id
        for order_id, at_ns in journal.asked_outside(batch.id, spans)
        if at_ns >= oldest_ns
    }
    return [
        (order_id, number_of(attempts[-1].intent))
        for order_id, attempts in attempts_of(journal, sorted(gone)).items()
        if attempts
    ]


def _is_recent(journal: SqliteJournal, batch: Batch, oldest_ns: int) -> bool:
    """Did it come since then, or was something of it sent?"""
    if batch.first_seen_ns >= oldest_ns:
        return True
    return journal.last_sent_of(batch.id) >= oldest_ns


def _known_in(
    journal: SqliteJournal, lineages: Lineages, ids: Sequence[str]
) -> set[str]:
    """Which of these order ids the journal knows, under whatever name. What is made of one that
    looks like a known one is judged row by row, unless the job says that it is another.
    """
    alikes = list(map(alike, ids))
    forms = journal.look_alikes(alikes)
    known = {
        order_id
        for order_id, form in zip(ids, alikes, strict=True)
        if lineages.form(order_id) in map(lineages.form, forms.get(form, ()))
    }
    known.update(filter(lineages.names.other_names, ids))
    return known


def _resembles(batch: Batch, other: Batch) -> bool:
    alike = batch.fingerprint == other.fingerprint or suspicious(
        batch.sample, other.sample
    )
    return alike or (bool(other.sample) and may_contain(batch.sample, other.sample))


def _is_open(batch: Batch) -> bool:
    """Was it asked whether its orders are new, and did nobody say so?"""
    return str(steps.NEW_ORDERS(batch=batch.id))[1:] in batch.refusal


def _said(batch: Batch, recent: Sequence[Batch], comparison: Comparison) -> Likeness:
    by_id = {other.id: other for other in recent}
    ask = steps.NEW_ORDERS(batch=batch.id)
    if repeated := comparison.repeated:
        said = _told_repeated(by_id[repeated[0]], comparison, ask)
        return Likeness(refusal=str(said))
    if comparison.is_still_asked:
        said = repeats.FILE_STILL_ASKED(
            asked=comparison.asked,
            new=comparison.new,
            other=_named(by_id[_most_alike(comparison)]),
            ask=ask,
        )
        return Likeness(refusal=str(said))
    if comparison.warns:
        said = _told_alike(by_id[_most_alike(comparison)], comparison)
        return Likeness(warning=str(said))
    return Likeness()


def _most_alike(comparison: Comparison) -> str:
    alike_of = comparison.alike_of or comparison.asked_of
    (most, _), *_ = alike_of.most_common()
    return most


def _told_repeated(other: Batch, comparison: Comparison, ask: Message) -> Message:
    more = comparison.new - comparison.size_of(other.id)
    if more:
        return repeats.FILE_REPEATED_BESIDE(other=_named(other), more=more, ask=ask)
    return repeats.FILE_REPEATED(other=_named(other), ask=ask)


def _told_alike(other: Batch, comparison: Comparison) -> Message:
    count = comparison.alike_of[other.id]
    if len(comparison.alike_of) > 1:
        return repeats.FILE_ALIKE_OTHERS(
            alike=count,
            new=comparison.new,
            other=_named(other),
            others=comparison.alike - count,
        )
    return repeats.FILE_ALIKE(alike=count, new=comparison.new, other=_named(other))


def _named(batch: Batch) -> Message:
    return repeats.RECENT_FILE(
        batch=batch.id, file=told(batch.file), at=iso(batch.first_seen_ns)
    )
