"""CANCEL: a person's word that an order, or a row, is never sent, or that nobody pays or corrects
it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from batchpay.batches.clock import iso
from batchpay.batches.open_job import OpenJob
from batchpay.batches.orders import attempts_of
from batchpay.batches.standings import findings_at, findings_of
from batchpay.commands.word import Settled, publish_all, who
from batchpay.domain import times
from batchpay.domain.errors import Usage
from batchpay.domain.events import (
    OrderCancelled,
    Resolved,
    RowsGivenUp,
    line,
    of,
)
from batchpay.domain.model import (
    NO_MONEY,
    Batch,
    Finding,
    Outcome,
    StoredChunk,
)
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import by_order, place_of
from batchpay.messages import labels, screens, steps
from batchpay.reconciliation.findings import may_be_given_up
from batchpay.settlement.cases import case_among


def cancel(job: Job, order_id: str, reason: str) -> Settled:
    """A held order is never sent; with a batch's id, none of those that it has. One that ended
    without money, or that broke a rule, is never asked for again. Raises Usage for any other order,
    and Misconfigured beside an older copy of the journal: the order may be charged.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack, whole=True)
        if (held := _held_of_batch(opened, order_id)) is not None:
            for one, of_one in held.items():
                _cancel(opened, one, reason, of_one)
            publish_all(opened)
            done = screens.BATCH_CANCELLED(count=len(held), batch=order_id)
            return Settled(str(done))
        if (sale := _held(opened, order_id)) is None:
            _refuse_said_already(opened, order_id)
            attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
            if attempts:
                outcome = labels.outcome(attempts[-1].outcome)
                raise Usage(screens.NOT_TO_CANCEL(order=order_id, outcome=outcome))
            raise Usage(screens.IN_NO_BATCH(order=order_id))
        _cancel(opened, order_id, reason, sale)
        publish_all(opened)
        return Settled(str(screens.ORDER_CANCELLED(order=order_id)))


def cancel_rows(
    job: Job, batch_id: str, rows: Sequence[int], sheet: str | None, reason: str
) -> Settled:
    """Rows that wait to be corrected, and may have no order id, are never sent, nor is what comes
    back to correct them. Raises Usage for any other row.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack, whole=True)
        batches = (one for one in opened.journal.batches() if one.id == batch_id)
        batch = next(batches, None)
        if batch is None:
            raise Usage(screens.NO_SUCH_BATCH(batch=batch_id))
        places = [_place_in(opened, batch, row, sheet) for row in sorted({*rows})]
        for one in findings_at(opened.job, opened.journal, batch, places):
            _refuse_to_give_up(one)
        told = RowsGivenUp(
            reason=reason,
            by=who(),
            places=tuple(place_of(batch.id, *place) for place in places),
        )
        now_ns = opened.clock.now_ns()
        event = line(told, now_ns, opened.run_id, batch_id=batch.id)
        opened.journal.append([event])
        publish_all(opened)
        named = ", ".join(str(row) for _, row in places)
        done = screens.ROWS_CANCELLED(count=len(places), batch=batch_id, rows=named)
        return Settled(str(done))


def _place_in(
    opened: OpenJob, batch: Batch, row: int, sheet: str | None
) -> tuple[str, int]:
    """The sheet of a row of a batch, and its number. Raises Usage where there is none, or one in
    several sheets.
    """
    found = []
    for number, one, first, last in opened.journal.spans(batch.id):
        if first <= row <= last and sheet in (None, one):
            chunk = opened.journal.chunk(batch.id, number)
            if chunk is not None and row in chunk.rows:
                found.append(one)
    if not found:
        told = screens.NO_SUCH_ROW(batch=batch.id, row=str(row))
        if sheet is not None:
            told = screens.NO_SUCH_ROW_IN(
                batch=batch.id, row=str(row), sheet=shown(sheet)
            )
        raise Usage(told)
    if len(found) > 1:
        sheets = ", ".join(map(shown, found))
        raise Usage(screens.ROW_OF_SEVERAL(row=str(row), sheets=sheets))
    return found[0], row


def _refuse_to_give_up(finding: Finding) -> None:
    """Raises Usage for a row that waits for nobody's correction, or is over."""
    row = str(finding.row)
    if finding.cancelled is not None:
        word = shown(finding.cancelled)
        raise Usage(screens.ROW_CANCELLED_ALREADY(row=row, word=word))
    if finding.outcome is Outcome.HELD:
        step = steps.CANCEL_ORDER(order=finding.order_id)
        raise Usage(screens.ROW_HELD(row=row, step=step))
    if not may_be_given_up(finding):
        outcome = labels.outcome(finding.outcome)
        raise Usage(screens.ROW_NOT_TO_CANCEL(row=row, outcome=outcome))


def _refuse_said_already(opened: OpenJob, order_id: str) -> None:
    """Raises Usage for an order that a person has cancelled before: who, and when."""
    for event in opened.journal.histories([order_id]).get(order_id, ()):
        told = of(event)
        if isinstance(told, Resolved) and told.said != "cancelled":
            continue
        if isinstance(told, OrderCancelled | Resolved):
            at = times.local(iso(event.at_ns), opened.job.controls.time_zone)
            who_said = shown(told.by) or "a person"
            already = screens.CANCELLED_ALREADY(
                order=order_id, who=who_said, at=at, reason=shown(told.reason)
            )
            raise Usage(already)


@dataclass(frozen=True, slots=True)
class _Sale:
    """A held order, as its rows know it."""

    # their places, and the places and ids that they go back to: it is cancelled with these
    keys: tuple[str, ...] = ()
    # orders whose ids they had before, perhaps by a mistake
    had: tuple[str, ...] = ()

    def __or__(self, other: _Sale) -> _Sale:
        return _Sale((*self.keys, *other.keys), (*self.had, *other.had))


def _cancel(opened: OpenJob, order_id: str, reason: str, sale: _Sale) -> None:
    """`sale`: all that it is known by, so that it is cancelled whatever id it comes back under."""
    attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
    held = next((attempt for attempt in attempts if attempt.ready), None)
    if held is not None:
        asyncio.run(
            opened.recorder.resolve(
                case_among(held, attempts), "cancelled", reason, who()
            )
        )
        return
    told = OrderCancelled(
        reason=reason,
        by=who(),
        sale=sale.keys,
        had=sale.had,
    )
    event = line(told, opened.clock.now_ns(), opened.run_id, order_id=order_id)
    opened.journal.append([event])


def _held(opened: OpenJob, order_id: str) -> _Sale | None:
    """All that an order's sale is known by, where it has an attempt, or a batch a row of it, that
    waits to be sent, paid or corrected; None where it has not.
    """
    attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
    if any(attempt.ready for attempt in attempts):
        return _Sale()
    took_none = all(attempt.outcome in NO_MONEY for attempt in attempts)
    batches = (
        _held_in(opened, batch, given_up=took_none)
        for batch in reversed(opened.journal.batches())
    )
    return next((held[order_id] for held in batches if order_id in held), None)


def _held_of_batch(opened: OpenJob, batch_id: str) -> dict[str, _Sale] | None:
    """The held orders of the batch with this id; None when it is no batch's. Raises Usage when it
    holds none.
    """
    batch = next(
        (batch for batch in opened.journal.batches() if batch.id == batch_id), None
    )
    if batch is None:
        return None
    if not (held := _held_in(opened, batch)):
        raise Usage(screens.NONE_HELD(batch=batch_id))
    return held


def _held_in(
    opened: OpenJob, batch: Batch, *, given_up: bool = False
) -> dict[str, _Sale]:
    """Held order -> its sale; `given_up`: and each that a person may give up."""
    held: dict[str, _Sale] = {}
    lineages = Lineages.of_job(opened.job, opened.journal)
    for chunk, findings in findings_of(opened.job, opened.journal, batch)():
        for at, one in enumerate(findings):
            gives_up = given_up and one.order_id and may_be_given_up(one)
            if one.outcome is Outcome.HELD or gives_up:
                held[one.order_id] = held.get(one.order_id, _Sale()) | _sale_of(
                    lineages, batch, chunk, at
                )
    return held


def _sale_of(
    lineages: Lineages,
    batch: Batch,
    chunk: StoredChunk,
    at: int,
) -> _Sale:
    corrects = chunk.corrects.get(at)
    earlier = chunk.earlier.get(at, ())
    place = place_of(batch.id, chunk.sheet, chunk.rows[at])
    if corrects:
        return _Sale((place, *lineages.of(corrects, earlier).keys))
    return _Sale((place,), tuple(map(by_order, earlier)))
