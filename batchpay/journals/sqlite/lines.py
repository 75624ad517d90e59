"""LINES: an event as a row of the table `events`, and back; which bytes the chain is made over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from batchpay.domain.events import FREQUENT
from batchpay.domain.model import Event
from batchpay.journals.sqlite.packed import WHOLE, is_storable
from batchpay.journals.sqlite.stencils import DIGEST, RUN

COLUMNS = (
    f'seq, kind, at_ns, {RUN}, batch_id, sheet, "row", order_id, attempt, send,'
    f" {WHOLE}, {DIGEST}"
)
_DATA = json.JSONEncoder(
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
)
_read = msgspec.json.Decoder().decode
_ESCAPED = json.JSONEncoder(
    ensure_ascii=True,
    sort_keys=True,
    separators=(",", ":"),
)


def line_of(seq: int, job: str, event: Event) -> list[Any]:
    """All of the row but its digest (soundness.chained)."""
    return [
        seq,
        job,
        event.kind,
        event.at_ns,
        event.run_id,
        event.batch_id,
        event.sheet,
        event.row,
        event.order_id,
        event.attempt,
        event.send,
        _data(event),
    ]


def _data(event: Event) -> str:
    """What an event keeps, as JSON; half a surrogate pair, which is no text for SQLite, stays an
    escape.
    """
    data = _DATA.encode(event.data)
    if is_storable(data):
        return data
    return _ESCAPED.encode(event.data)


def stored(event: Event, seq: int, digest: str) -> Event:
    """The event with its place in the chain; `dataclasses.replace` takes four times as long."""
    return Event(
        event.kind,
        event.at_ns,
        event.run_id,
        event.batch_id,
        event.sheet,
        event.row,
        event.order_id,
        event.attempt,
        event.send,
        event.data,
        seq,
        digest,
    )


def event_of(row: Sequence[Any]) -> Event:
    """The event of a row of COLUMNS. Raises TypeError or ValueError for what no event ever was."""
    (
        seq,
        kind,
        at_ns,
        run_id,
        batch_id,
        sheet,
        number,
        order_id,
        attempt,
        send,
        data,
        digest,
    ) = row
    if type(at_ns) is not int:
        raise TypeError(f"event {seq} has no time")
    return Event(
        kind,
        at_ns,
        run_id,
        batch_id,
        sheet,
        number,
        order_id,
        attempt,
        send,
        object_of(data),
        seq,
        digest,
    )


def object_of(data: str) -> dict[str, Any]:
    """What an event keeps. Raises ValueError for what is no JSON object."""
    try:
        kept = _read(data)
    # half a surrogate pair, as an escape, it does not read
    except msgspec.MsgspecError:
        kept = json.loads(data)
    if not isinstance(kept, dict):
        raise ValueError("what an event keeps is no JSON object")
    return kept


def texts_of(data: str | None) -> list[str]:
    """The texts of a JSON list that a part of an event holds; none where it holds no list."""
    if not data:
        return []
    kept = json.loads(data)
    if not isinstance(kept, list):
        return []
    return [text for text in kept if isinstance(text, str)]


def values_of(told: str) -> list[Any]:
    """The values of `stencils.told_at`, None for what an event does not tell."""
    try:
        found = _read(told)
    # half a surrogate pair, as an escape, it does not read
    except msgspec.MsgspecError:
        found = json.loads(told)
    return list(found)


def any_of(kinds: Iterable[str]) -> str:
    """Some kinds of event as SQL has them after IN: in full, for a partial index to be of use."""
    quoted = ", ".join(f"'{kind}'" for kind in kinds)
    return f"({quoted})"


# the part of the events that the index of kinds is of
RARE = f"kind NOT IN {any_of(FREQUENT)}"
