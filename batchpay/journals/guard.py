"""Law L3, written once: which attempt of an order is open, and what may be sent because of it.

Every journal keeps the answer, or None when no attempt is open, in step with its events by
`follow`; `replay` finds it again from the events alone. A first intent, and with it another charge,
needs None.

>>> now = follow(None, "intent", 1, 1, "in_doubt", False, lambda: 0)
>>> now
Open(attempt=1, state='in_doubt')
>>> now = follow(now, "answer", 1, 1, "declined", False, lambda: 1)
>>> now is None
True
>>> # it became successful: nothing may follow it
>>> follow(now, "found", 1, 0, "succeeded", False, lambda: 1)
Open(attempt=1, state='succeeded')
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from batchpay.domain.errors import Taken
from batchpay.domain.events import Adopted, ChargedElsewhere, Intended, Withdrawn, kinds
from batchpay.domain.model import NO_MONEY, Outcome

# two attempts of the order have, or may have, its money: it is never sent again
BESIDE = "beside"
NO_MONEY_STATES = frozenset({*(outcome.value for outcome in NO_MONEY), Withdrawn.kind})
# kinds that name an order and speak of no attempt of this job
_OF_OTHERS = frozenset(kinds(ChargedElsewhere))
_HELD = Outcome.HELD.value
_IN_DOUBT = Outcome.IN_DOUBT.value
_NO_CHARGE_SEEN = frozenset({_HELD, _IN_DOUBT})

Last = Callable[[], int]
"""The highest attempt of the order that began before this event, 0 for none; asked only where it
matters.
"""


class Open(NamedTuple):
    """The open attempt of an order and where it stands."""

    attempt: int
    state: str  # its outcome, or BESIDE


def follow(
    now: Open | None,
    kind: str,
    attempt: int,
    send: int,
    state: str,
    beside: bool,
    last: Last,
) -> Open | None:
    """What is open after one more event of the order.

    `state`: what the event says of its attempt, "" for nothing. `beside`: an adopted charge next to
    an attempt that is not over. Raises Taken when the event may not be written.
    """
    if kind == Intended.kind:
        return _intent(now, attempt, send, last)
    if kind == Adopted.kind:
        return _adopted(now, attempt, state, beside)
    if kind == Withdrawn.kind:
        _refuse_unless_held(now, attempt, state)
        return None
    if not state or kind in _OF_OTHERS:
        return now
    return _evidence(now, attempt, state, last)


def replay(
    now: Open | None,
    kind: str,
    attempt: int,
    send: int,
    state: str,
    beside: bool,
    last: Last,
) -> Open | None:
    """The same for an event that stands in a journal: what may not be written today was written by
    an earlier version, and its order is never sent again. (Numbers of attempts are not looked at:
    the unique index holds them apart.)
    """
    if kind == Intended.kind:
        last = _before(attempt)
    try:
        return follow(now, kind, attempt, send, state, beside, last)
    except Taken:
        return _blocked(now, attempt)


def _before(attempt: int) -> Last:
    return lambda: attempt - 1


def _blocked(now: Open | None, attempt: int) -> Open:
    """Two attempts have, or may have, the money of the order; the one that is open keeps its
    number.
    """
    if now is None:
        return Open(attempt, BESIDE)
    return Open(now.attempt, BESIDE)


def _intent(now: Open | None, attempt: int, send: int, last: Last) -> Open:
    if send != 1:
        if now != (attempt, _HELD):
            raise Taken(
                f"send {send} of attempt {attempt} needs that attempt to be held: {_said(now)}"
            )
        return Open(attempt, _IN_DOUBT)
    if now is not None:
        raise Taken(f"attempt {attempt} may not begin: {_said(now)}")
    highest = last()
    if attempt <= highest:
        raise Taken(f"attempt {attempt} may not begin: attempt {highest} has been made")
    return Open(attempt, _IN_DOUBT)


def _adopted(
    now: Open | None,
    attempt: int,
    state: str,
    beside: bool,
) -> Open | None:
    if now is not None and now.state == BESIDE:
        return now  # evidence is kept (law L6), and the order is blocked already
    if beside:
        if state in NO_MONEY_STATES:
            return now
        return _blocked(now, attempt)
    if now is not None:
        raise Taken(f"attempt {attempt} may not be adopted: {_said(now)}")
    if state in NO_MONEY_STATES:
        return None
    if state in ("", _HELD):
        state = _IN_DOUBT
    return Open(attempt, state)


def _refuse_unless_held(now: Open | None, attempt: int, state: str) -> None:
    if state != Withdrawn.kind or now != (attempt, _HELD):
        raise Taken(
            f"attempt {attempt} may not be withdrawn, for it is not held: {_said(now)}"
        )


def _evidence(
    now: Open | None,
    attempt: int,
    state: str,
    last: Last,
) -> Open | None:
    if now is not None and now.state == BESIDE:
        return now
    if now is None or now.attempt != attempt:
        return _late(now, attempt, state, last)
    if state == Withdrawn.kind:
        return now  # only the withdrawal itself withdraws
    if state in NO_MONEY_STATES:
        return None
    if state in _NO_CHARGE_SEEN and now.state not in _NO_CHARGE_SEEN:
        return now  # a charge that was seen is not unseen: it makes no second send
    return Open(attempt, state)


def _late(
    now: Open | None,
    attempt: int,
    state: str,
    last: Last,
) -> Open | None:
    """Evidence about an attempt that had been closed: money that it has after all blocks what would
    follow it.
    """
    if attempt > last():
        raise Taken(
            f"nothing is known of attempt {attempt}, which would be {state}: it never began"
        )
    if state in NO_MONEY_STATES or state == _HELD:
        return now
    if now is None:
        return Open(attempt, state)
    return Open(now.attempt, BESIDE)


def _said(now: Open | None) -> str:
    if now is None:
        return "no attempt of this order is open"
    if now.state == BESIDE:
        return "two attempts of this order have, or may have, its money"
    return f"attempt {now.attempt} is {now.state}"
