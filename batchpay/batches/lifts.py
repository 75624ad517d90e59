"""LIFTS: who lifted which stop, for the reports that told of it."""

from __future__ import annotations

from typing import NamedTuple

from batchpay.batches.clock import iso
from batchpay.domain.events import STOPS, Lifted, Stop, TotalsCounted, of, told_in
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.settlement.in_force import AND_ALSO, stops_told


class Lift(NamedTuple):
    """A person's word that a stop is over."""

    at: str  # UTC, ISO 8601
    by: str
    reason: str
    stop: str  # the one that was in force
    stops: frozenset[str]  # the reasons of all that it ended

    def to_json(self) -> dict[str, str]:
        """For every report of it."""
        return {
            "at": self.at,
            "by": self.by,
            "reason": self.reason,
            "stop": self.stop,
        }


def lifts(journal: SqliteJournal) -> list[Lift]:
    """Who lifted which stop, oldest first."""
    found = []
    stops = set[str]()
    each: dict[str, None] = {}
    every = list(journal.events(STOPS))
    for event, in_force in zip(every, stops_told(every), strict=True):
        told = of(event)
        if isinstance(told, Lifted):
            lift = Lift(
                iso(event.at_ns), told.by, told.reason, told.stop, frozenset(stops)
            )
            found.append(lift)
            stops = set()
            each = {}
        elif isinstance(told, Stop):
            each[told.reason] = None
            # reports of earlier versions told of every one
            stops |= {in_force, AND_ALSO.join(each)}
    return found


def lifts_of(journal: SqliteJournal, batch_id: str) -> list[dict[str, str]]:
    """Those of stops that a report of the batch told of."""
    every = lifts(journal)
    if not every:
        return []
    counted = told_in(journal, TotalsCounted)
    stops = {told.stop for event, told in counted if event.batch_id == batch_id}
    return [lift.to_json() for lift in every if lift.stops & stops]
