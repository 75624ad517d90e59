"""What became of some orders: every attempt of each, from the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold


def attempts_of(
    journal: SqliteJournal, order_ids: Sequence[str]
) -> dict[str, tuple[Attempt, ...]]:
    """Every attempt of some orders, by order id."""
    return {
        order_id: fold(events)
        for order_id, events in journal.histories(order_ids).items()
    }


def joined(
    attempts: Mapping[str, Sequence[Attempt]], order_ids: Iterable[str]
) -> Iterator[Attempt]:
    """The attempts of some orders, one after the other."""
    for order_id in order_ids:
        yield from attempts.get(order_id, ())
