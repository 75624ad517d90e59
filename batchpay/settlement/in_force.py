"""IN FORCE: what holds a job back until a person has told, and whose its journal is; from events
alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from batchpay.domain.events import (
    BelongsTo,
    Disowned,
    Lifted,
    Listed,
    Stop,
    Unreadable,
    kinds,
    of,
    told_by,
)
from batchpay.domain.model import Event
from batchpay.lifecycle.charge import can_be_asked_for
from batchpay.messages import nights

UNREADABLE = kinds(Unreadable, Disowned, Listed)
# between the reasons of several stops
AND_ALSO = f"; {nights.AND_ALSO(reason='')}"


def stop_in_force(events: Iterable[Event]) -> str:
    """The reasons of all stops that no person has lifted, as one text; empty when there is none.

    `events`: of the kinds events.STOPS, as of `stops_told` and `charges_told`.
    """
    last = deque(stops_told(events), maxlen=1)
    return next(iter(last), "")


def stops_told(events: Iterable[Event]) -> Iterator[str]:
    """What is told of the stops in force after each event of a stop or of its end."""
    reasons: dict[str, None] = {}
    for event in events:
        told = of(event)
        if isinstance(told, Stop):
            kept = [reason for reason in reasons if not _says_less(reason, told.reason)]
            reasons = dict.fromkeys((*kept, told.reason))
        else:
            reasons = {}
        yield AND_ALSO.join(reasons)


def _says_less(earlier: str, later: str) -> bool:
    """Do both name charges after the same words, and does the later one name all of the earlier
    ones and more?
    """
    words, _, names = earlier.rpartition(": ")
    same_words, _, more = later.rpartition(": ")
    ids = names.split(", ")
    return (
        words == same_words
        and all(map(can_be_asked_for, ids))
        and set(ids) < set(more.split(", "))
    )


def charges_told(events: Iterable[Event]) -> tuple[set[str], set[str]]:
    """Charges that stops are about, and those of them that stood before a person lifted what was in
    force.
    """
    about: set[str] = set()
    lifted: set[str] = set()
    for event in events:
        told = of(event)
        if isinstance(told, Lifted):
            lifted |= about
        elif isinstance(told, Stop) and told.charge:
            about.add(told.charge)
    return about, lifted


def unreadable_in(events: Iterable[Event]) -> str:
    """Why nothing is sent beside a charge that may be any order's, by events of the kinds
    UNREADABLE; empty: it is.
    """
    return next(iter(unreadable_told(events).values()), "")


def unreadable_told(events: Iterable[Event]) -> dict[str, str]:
    """Every such charge that no person has told of and no complete list has come after -> why."""
    unread: dict[str, str] = {}
    for event in events:
        told = of(event)
        if isinstance(told, Unreadable):
            unread.pop(told.charge_id, None)
            unread[told.charge_id] = told.reason
        elif isinstance(told, Disowned):
            unread.pop(told.charge_id, None)
        elif isinstance(told, Listed):
            unread = {}
    return unread


def whose_journal(events: Iterable[Event]) -> dict[str, Any]:
    """Whose a journal is, by its `account` events: the last word, and the last account that was
    told at all. Empty where nobody says.
    """
    kept: dict[str, Any] = {}
    for _, told in told_by(events, BelongsTo):
        account = told.account or kept.get("account", "")
        kept = {"account": account, "mode": told.mode, "url": told.url}
    return kept
