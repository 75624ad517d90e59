"""DAY: what the attempts of one day took, or may take, that a job's limits for a day are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from batchpay.domain.events import BEGINNINGS, RunStarted
from batchpay.domain.model import Event
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.going import counts_since

SLICE = 500  # orders whose events are read at once

Key = tuple[str, str]
"""A recipient, or the empty text for all of them, and an upper-case currency."""


def taken_on_day(job: Job, journal: SqliteJournal, at_ns: int) -> Mapping[Key, int]:
    """What the attempts of a day took, or may take, of each recipient and of all, in smallest
    units; the day is that of an instant (UTC nanoseconds), 0: of the last run.

    A run asks several times; each time those orders alone are read that moved since.
    """
    if not (job.controls.max_day or job.controls.max_recipient):
        return {}
    if not at_ns:
        for event in journal.events({RunStarted.kind}):
            at_ns = event.at_ns  # of the last one, whatever a clock said before
    began_ns = _midnight_ns(at_ns, job.controls.time_zone)
    known = journal.kept(_Day)
    if known is None or known.began_ns != began_ns:
        known = _Day(began_ns)
        journal.keep(known)
    known.follow(journal)
    return dict(known.sums)


def _midnight_ns(at_ns: int, time_zone: str) -> int:
    zone = ZoneInfo(time_zone)
    day = datetime.fromtimestamp(at_ns // 10**9, zone).date()
    return int(datetime.combine(day, time(), zone).timestamp()) * 10**9


@dataclass(slots=True)
class _Day:
    """The sums as they stood at an event, and what of them each order is."""

    began_ns: int
    seq: int = -1  # of the last event of any job by then; -1: nothing was read
    sums: Counter[Key] = field(default_factory=Counter)
    taken: dict[str, Counter[Key]] = field(default_factory=dict)

    def follow(self, journal: SqliteJournal) -> None:
        """Read those orders that moved since."""
        head, _ = journal.head()
        still_open = frozenset(journal.open_orders())
        if self.seq < 0:
            moved = {*journal.orders_sent_since(self.began_ns), *still_open}
        else:
            moved = set(journal.orders_behind(self.seq))
        ids = sorted(moved)
        for start in range(0, len(ids), SLICE):
            some = ids[start : start + SLICE]
            found = dict(self._plain(journal, some))
            others = [order_id for order_id in some if order_id not in found]
            for order_id, events in journal.histories(others).items():
                if order_id in still_open or self._is_sent(events):
                    found[order_id] = self._taken(events)
            self._put(some, found)
        self.seq = head

    def _is_sent(self, events: Iterable[Event]) -> bool:
        """Was anything of an order sent, or a charge of it taken over, since then?"""
        return any(
            event.kind in BEGINNINGS and event.at_ns >= self.began_ns
            for event in events
        )

    def _taken(self, events: Iterable[Event]) -> Counter[Key]:
        stand = (one for one in fold(events) if counts_since(one, self.began_ns))
        intents = (one.intent for one in stand)
        return _sums((one.destination, one.currency, one.amount) for one in intents)

    def _put(self, ids: Iterable[str], found: Mapping[str, Counter[Key]]) -> None:
        for order_id in ids:
            self.sums.subtract(self.taken.pop(order_id, {}))
            if now := found.get(order_id):
                self.taken[order_id] = now
                self.sums.update(now)

    def _plain(
        self, journal: SqliteJournal, ids: Sequence[str]
    ) -> Iterator[tuple[str, Counter[Key]]]:
        """Of orders that were sent once and answered as they should."""
        for order_id, sent_ns, asked in journal.charged_at_once(ids):
            terms = []
            if sent_ns >= self.began_ns:
                terms.append((asked.destination, asked.currency, asked.amount))
            yield order_id, _sums(terms)


def _sums(terms: Iterable[tuple[str, str, int]]) -> Counter[Key]:
    found = Counter[Key]()
    for destination, currency, amount in terms:
        found["", currency.upper()] += amount
        found[destination, currency.upper()] += amount
    return found
