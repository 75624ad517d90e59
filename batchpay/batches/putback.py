"""PUT BACK: what a journal that has lost some is told again, before anything is decided by it: that
it was lost, and people's words and stops that only reports still tell.

A run writes it; who only looks (`plan`, `check`) lays it over the journal that it reads. So one
function says what such a word is to the journal, and every row is judged by the same events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from batchpay.batches.orders import attempts_of
from batchpay.batches.wholeness import Loss, LostWord
from batchpay.batches.words import MAY_BE_SAID, resolved_event
from batchpay.domain.events import (
    OrderCancelled,
    Restored,
    RowsGivenUp,
    Stop,
    line,
)
from batchpay.domain.model import Event
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt

Attempts = Mapping[str, Sequence[Attempt]]  # by order id


def told_again(
    loss: Loss,
    journal: SqliteJournal,
    at_ns: int,
    run_id: str = "",
    met: Restored | None = None,
) -> list[Event]:
    """All of it, in order. `met`: what the gateway's list told of the loss."""
    order_ids = list(dict.fromkeys(word.order_id for word in loss.words))
    restored = line(loss.as_restored(met), at_ns, run_id)
    attempts = attempts_of(journal, order_ids)
    return [restored, *kept_again(loss, attempts, at_ns, run_id)]


def kept_again(
    loss: Loss, attempts: Attempts, at_ns: int, run_id: str = ""
) -> Iterator[Event]:
    """People's words as the journal keeps them: of an attempt that it knows, or else of an order
    that is never to be sent; and the stops.
    """
    told: set[tuple[str, int]] = set()
    for word in loss.words:
        attempt = _attempt_of(word, attempts)
        if attempt is None:
            yield _unsent(word, at_ns, run_id)
        elif (
            attempt.outcome in MAY_BE_SAID and (word.order_id, word.attempt) not in told
        ):
            told.add((word.order_id, word.attempt))
            yield resolved_event(
                attempt,
                word.said,
                word.reason,
                word.whose,
                at_ns=at_ns,
                run_id=run_id,
            )
    for stop in loss.stops:
        again = Stop(reason=stop["reason"], order=stop["order"], charge=stop["charge"])
        yield line(again, at_ns, run_id)


def _attempt_of(word: LostWord, attempts: Attempts) -> Attempt | None:
    """The attempt that a word is about, if the journal knows it; None of rows alone, too."""
    if not word.order_id:
        return None
    some = attempts.get(word.order_id, ())
    return next((one for one in some if one.intent.attempt == word.attempt), None)


def _unsent(word: LostWord, at_ns: int, run_id: str) -> Event:
    """A word about an order of which the journal knows no such attempt, or about rows alone."""
    if not word.order_id:
        given_up = RowsGivenUp(reason=word.why, by=word.whose, places=word.keys)
        return line(given_up, at_ns, run_id)
    cancelled = OrderCancelled(reason=word.why, by=word.whose, sale=word.keys)
    return line(cancelled, at_ns, run_id, order_id=word.order_id)


def lay_over(loss: Loss | None, journal: SqliteJournal, at_ns: int) -> None:
    """Let a journal that is only read answer as it will once a run has been told of its loss."""
    if loss is not None and not loss.noted:
        journal.as_if_told(told_again(loss, journal, at_ns))
