"""LINES: from a class to a line of the journal, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from batchpay.domain.events.attempts import OfAttempt
from batchpay.domain.events.forms import T, Told
from batchpay.domain.events.kinds import BY_KIND, Unknown
from batchpay.domain.model import Event, Intent
from batchpay.domain.ports import Journal


def of(event: Event) -> Told:
    """What an event tells. Raises TypeError or KeyError for one that lacks what its kind has."""
    return BY_KIND.get(event.kind, Unknown).read(event)


def tells(event: Event, wanted: type[T]) -> T | None:
    """The same of an event of one kind; None for any other."""
    if event.kind != wanted.kind:
        return None
    return wanted.read(event)


def line(told: Told, at_ns: int, run_id: str = "", **columns: Any) -> Event:
    """An event to be appended. `columns`: those of `Event` that are not told by all of them."""
    return Event(
        kind=told.kind,
        at_ns=at_ns,
        run_id=run_id,
        data=told.data(),
        **columns,
    )


def line_of(
    told: OfAttempt,
    intent: Intent,
    at_ns: int,
    run_id: str,
    send: int = 0,
) -> Event:
    """The same of an attempt."""
    return Event(
        kind=told.kind,
        at_ns=at_ns,
        run_id=run_id,
        batch_id=intent.batch_id,
        sheet=intent.sheet,
        row=intent.row,
        order_id=intent.order_id,
        attempt=intent.attempt,
        send=send,
        data=told.data(),
    )


def at_state(event: Event, state: str) -> Event:
    """An event of an attempt, with where the attempt stands after it (Attempt.state); it has no
    place in a journal yet.
    """
    return Event(  # two are made a charge: dataclasses.replace takes four times as long
        event.kind,
        event.at_ns,
        event.run_id,
        event.batch_id,
        event.sheet,
        event.row,
        event.order_id,
        event.attempt,
        event.send,
        {**event.data, "state": state},
    )


def told_in(journal: Journal, wanted: type[T]) -> Iterator[tuple[Event, T]]:
    """All events of one kind that a journal has, each with what it tells."""
    return told_by(journal.events([wanted.kind]), wanted)


def told_by(some: Iterable[Event], wanted: type[T]) -> Iterator[tuple[Event, T]]:
    """Those of some events that are of one kind."""
    for event in some:
        told = tells(event, wanted)
        if told is not None:
            yield event, told
