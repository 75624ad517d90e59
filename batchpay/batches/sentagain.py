"""SENT AGAIN: what a later night asks about once more.

Orders of which a further request went although nothing explains an earlier one: it
was said, by an answer, by lists or by a person, that nothing was charged.

A list that showed that charge late shows it behind what a run looks at: so some nights of a month
look there once more (settlement/reach.py).

One that was asked for in vain before somebody edited of which cells order ids are made may be such
an order: its sale comes under another id, and often nothing links the two.

What a journal lost it knows from one list, of the night after. So the time of that list is looked
at on as many nights.

Orders of which a person said what became of a charge, most often of one that was gone: one that
comes back is in no list of that night. It has an id, and is asked for by it on as many nights.

A look that fell due is owed until a run has made it to its end, which that run writes down
(`LookedAgain`): one that was killed, or could not read all of it, leaves it to the next. That
nothing fell due is written down once a week: what is older need not be gone through again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, pairwise

from batchpay.domain.events import (
    IdsMadeOf,
    Listed,
    LookedAgain,
    Resolved,
    Restored,
    kinds,
    of,
    told_in,
)
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.places import order_in
from batchpay.settlement.cases import SLICE
from batchpay.settlement.reach import (
    OFF,
    REMEMBERED_NS,
    LateLook,
    Window,
    falls_due,
    is_due,
    went_again,
    window_of_loss,
)
from batchpay.settlement.since import EVERYTHING, time_of

WEEK_NS = 7 * 86_400 * 10**9


def later_of(journal: SqliteJournal, now_ns: int) -> LateLook:
    """What this run looks at once more."""
    charges_ns, words_ns = _looked_ns(journal, now_ns)
    done = LookedAgain()
    due = _due_again(journal, charges_ns, now_ns)
    lost = _lost(journal, charges_ns, now_ns)
    since_ns = charges_ns or _began_ns(journal, now_ns)
    if due is not None or lost or now_ns - since_ns > WEEK_NS:
        done = LookedAgain(charges_ns=now_ns)
    words = _said_of(journal, words_ns, now_ns)
    if words:
        done = LookedAgain(charges_ns=done.charges_ns, words_ns=now_ns)
    return LateLook(tuple(due or ()), tuple(lost), tuple(words), done)


def _began_ns(journal: SqliteJournal, now_ns: int) -> int:
    """When the journal's first night began; now, where it is."""
    first = next(told_in(journal, IdsMadeOf), None)
    if first is None:
        return now_ns
    return first[0].at_ns


def _due_again(
    journal: SqliteJournal, looked_ns: int, now_ns: int
) -> list[Attempt] | None:
    """Those attempts of which this run looks once more whether they were charged after all; None:
    no order fell due.
    """
    due: list[Attempt] | None = None
    sales = _sent_again(journal, looked_ns - REMEMBERED_NS)
    in_vain = _by_ids_of_before(journal, looked_ns - REMEMBERED_NS)
    sales.update((one, []) for one in in_vain if one not in sales)
    ids = list(sales)
    for start in range(0, len(ids), SLICE):
        some = ids[start : start + SLICE]
        others = (other for order_id in some for other in sales[order_id])
        known = journal.histories([*some, *others])
        for order_id in some:
            attempts = fold(known.get(order_id, []))
            events = (known.get(other, []) for other in sales[order_id])
            of_its_sale = [*chain.from_iterable(map(fold, events))]
            if attempts and is_due([*attempts, *of_its_sale], looked_ns, now_ns):
                due = due or []
                is_in_vain = order_id in in_vain
                due += went_again(attempts, of_its_sale, under_others=is_in_vain)
    return due


def _sent_again(journal: SqliteJournal, since_ns: int) -> dict[str, list[str]]:
    """Orders of which a further request was meant to go since then -> the other orders of the same
    sale that it went for: rows that came back under another id.
    """
    sales: dict[str, list[str]] = {}
    for key, ids in journal.corrected(since_ns=since_ns).items():
        earlier = order_in(key)
        if others := [one for one in ids if one != earlier]:
            sales.setdefault(earlier, []).extend(others)
    sales.pop("", None)  # places
    for order_id in journal.went_again_since(since_ns):
        sales.setdefault(order_id, [])
    return sales


def _by_ids_of_before(journal: SqliteJournal, since_ns: int) -> set[str]:
    """Orders that were asked for in vain, as it was said since then, where order ids have been
    made of other cells since then: their sales may have gone under other ids, and often nothing
    links the two.
    """
    noted = [
        (event.at_ns, told.ids_from) for event, told in told_in(journal, IdsMadeOf)
    ]
    edits = ((at, to != of) for (_, of), (at, to) in pairwise(noted))
    if not any(is_edit and at_ns >= since_ns for at_ns, is_edit in edits):
        return set()
    in_vain = set(journal.uncharged_since(since_ns))
    for event, _ in told_in(journal, Resolved):
        if event.at_ns >= since_ns:
            in_vain.add(event.order_id)
    return in_vain


def _lost(journal: SqliteJournal, looked_ns: int, now_ns: int) -> list[Window]:
    """The times of losses that this run looks at once more, from where the list began that made
    each good: what that one hid was taken for never charged.
    """
    windows: list[Window] = []
    if next(told_in(journal, Restored), None) is None:
        return windows
    listed = EVERYTHING
    since: datetime | None = None
    for event in journal.events(kinds(Restored, Listed)):
        told = of(event)
        at = datetime.fromtimestamp(event.at_ns // 10**9, UTC)
        if isinstance(told, Restored):
            begins = EVERYTHING if told.empty else listed
            since = min(since or begins, begins)
        elif isinstance(told, Listed):
            if since is not None and falls_due(event.at_ns, looked_ns, now_ns):
                windows.append(window_of_loss(since, at))
            since = None
            bound = time_of(told.bound)
            # one may say that it is of tomorrow
            if bound is not None and bound <= at + OFF:
                listed = bound
    return windows


def _said_of(journal: SqliteJournal, looked_ns: int, now_ns: int) -> list[str]:
    """Those orders whose charges this run asks for once more by their ids, for a person said what
    became of one of them.
    """
    due: dict[str, None] = {}
    for event, _ in told_in(journal, Resolved):
        if falls_due(event.at_ns, looked_ns, now_ns):
            due[event.order_id] = None
    return list(due)


def _looked_ns(journal: SqliteJournal, now_ns: int) -> tuple[int, int]:
    """Up to when all that fell due was looked at: charges, and what people said of some. What a
    clock that was ahead has written is left out.
    """
    charges = [0]
    words = [0]
    for _, told in told_in(journal, LookedAgain):
        charges.append(told.charges_ns or 0)
        words.append(told.words_ns or 0)
    return (
        max(one for one in charges if one <= now_ns),
        max(one for one in words if one <= now_ns),
    )
