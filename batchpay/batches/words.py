"""WORDS: what people told the journal, and no list of the gateway tells, as every manifest of the
job carries it.

A journal that was lost, or of which an older copy was put back, is told them again from there
(`wholeness`): orders that are never to be sent, orders that a person settled as not charged, and
the stops in force. That one of the last two is over is told by the event that said it: of two
copies that went on apart, neither is the later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from batchpay.batches.clock import iso
from batchpay.batches.orders import attempts_of
from batchpay.domain.events import (
    STOPS,
    OrderCancelled,
    Resolved,
    Restored,
    RowsGivenUp,
    Stop,
    at_state,
    kinds,
    line_of,
    of,
)
from batchpay.domain.model import Event, Outcome
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import CANCELLED, DENIED, Attempt
from batchpay.lifecycle.folding import advance
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import by_order, order_in, place_of
from batchpay.reports.manifest import SHORT, Said

MAY_BE_SAID = frozenset(
    {Outcome.HELD, Outcome.IN_DOUBT, Outcome.PENDING, Outcome.UNPROVEN, Outcome.REFUSED}
)


def said_json(journal: SqliteJournal, unproven: Sequence[str] = ()) -> dict[str, Any]:
    """What a manifest tells; no key where there is nothing to tell."""
    words = said_in(journal)
    stops = stops_in_force(journal)
    told: dict[str, Any] = {
        "words": [word.to_json() for word in words],
        "stops": stops,
        "over": over_in(journal, words, stops),
        "unproven": sorted(set(unproven)),
    }
    return {name: value for name, value in told.items() if value}


def said_in(journal: SqliteJournal) -> list[Said]:
    """Every order of the job that is not to be sent because a person said so, with all that its
    sale is known by.
    """
    words: list[Said] = []
    settled: dict[str, tuple[Event, Resolved]] = {}
    for event in journal.events(kinds(OrderCancelled, RowsGivenUp, Resolved)):
        told = of(event)
        if isinstance(told, OrderCancelled):
            word = Said(CANCELLED, event.order_id, told.sale, told.reason)
            words.append(replace(word, by=told.by, at=iso(event.at_ns)))
        elif isinstance(told, RowsGivenUp):
            word = Said(CANCELLED, "", told.places, told.reason)
            words.append(replace(word, by=told.by, at=iso(event.at_ns)))
        elif isinstance(told, Resolved) and told.said in (CANCELLED, DENIED):
            settled[event.order_id] = event, told
    for order_id, attempts in attempts_of(journal, list(settled)).items():
        event, told = settled[order_id]
        for word in _said_of(attempts):
            named = ""
            if word.said == DENIED:
                named = short(event)
            words.append(replace(word, by=told.by, at=iso(event.at_ns), event=named))
    if not words:
        return []
    lineages = Lineages(journal)
    return [_under_every_id(word, lineages) for word in words]


def over_in(
    journal: SqliteJournal, words: Sequence[Said], stops: Sequence[Mapping[str, str]]
) -> list[str]:
    """Events of stops and of words that an order is not charged which do not hold any more, by
    these words and stops that do; and those that were taken over from manifests, and said again.
    """
    ended: list[str] = []
    for event in journal.events(kinds(Stop, Resolved, Restored)):
        told = of(event)
        if isinstance(told, Restored):
            ended += told.taken
        elif not isinstance(told, Resolved) or told.said == DENIED:
            ended.append(short(event))
    holding = {*(word.event for word in words), *(stop["event"] for stop in stops)}
    return [one for one in dict.fromkeys(ended) if one not in holding]


def short(event: Event) -> str:
    """By what a manifest names an event."""
    return event.digest[:SHORT]


def _said_of(attempts: Sequence[Attempt]) -> Iterator[Said]:
    """People's words on the attempts of an order, while they hold: that it is never sent, and that
    the last one took no money.
    """
    for attempt in attempts:
        asked = attempt.intent
        keys = (place_of(asked.batch_id, asked.sheet, asked.row), *asked.sale)
        order_id = asked.order_id
        if attempt.cancelled is not None:
            yield Said(CANCELLED, order_id, keys, attempt.cancelled, asked.attempt)
        elif (
            attempt is attempts[-1] and attempt.refused and attempt.closed_as == DENIED
        ):
            yield Said(DENIED, order_id, keys, attempt.closed_why, asked.attempt)


def _under_every_id(word: Said, lineages: Lineages) -> Said:
    if not word.order_id:
        return word  # of its rows alone
    ids = [word.order_id, *filter(None, map(order_in, word.keys))]
    for key in word.keys:
        if not order_in(key):
            ids += lineages.of(key).order_ids
    names: list[str] = []
    for one in dict.fromkeys(ids):
        names += map(by_order, (one, *lineages.names.other_names(one)))
    keys = tuple(dict.fromkeys((*names, *word.keys)))
    return replace(word, keys=keys)


def resolved_event(
    attempt: Attempt,
    said: str,
    reason: str,
    by: str,
    *,
    at_ns: int,
    run_id: str,
) -> Event:
    """The same word again, on an attempt that the journal knows and in which it is not said yet."""
    told = Resolved(said=said, reason=reason, by=by)
    event = line_of(told, attempt.intent, at_ns, run_id)
    return at_state(event, advance(attempt, event).state)


def stops_in_force(journal: SqliteJournal) -> list[dict[str, str]]:
    """Each stop that nobody lifted, by its reason, with the order and the charge that it is about,
    and the event that said it first.
    """
    stops: dict[str, dict[str, str]] = {}
    for event in journal.events(STOPS):
        told = of(event)
        if isinstance(told, Stop):
            stop = {
                "reason": told.reason,
                "order": told.order,
                "charge": told.charge,
                "event": short(event),
            }
            stops.setdefault(told.reason, stop)
        else:
            stops = {}
    return list(stops.values())
