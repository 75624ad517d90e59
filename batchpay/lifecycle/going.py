"""GOING: what keeps a row back among those that go before it in its run, none of which was sent
yet: the same asked for once more, its own sale under another id, what a day may take, its token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from batchpay.domain.exits import ACCOUNTANT
from batchpay.domain.model import Outcome
from batchpay.domain.money import money_told
from batchpay.domain.text import told
from batchpay.intake.damage import may_be_one
from batchpay.intake.repeats import look_alike_reason
from batchpay.lifecycle.attempt import Attempt, begun_ns
from batchpay.lifecycle.holds import asks_for_a_token, kept_back, waits_for_a_word
from batchpay.lifecycle.order_ids import same_text
from batchpay.lifecycle.payers import single_use_of
from batchpay.lifecycle.places import by_order
from batchpay.lifecycle.rows import (
    ConflictWith,
    Guards,
    MayGo,
    Rejected,
    Row,
    Sendable,
    Standing,
    Waits,
    sendable_of,
)
from batchpay.lifecycle.sale_terms import (
    has_terms,
    same_sale_terms,
    terms_in,
)
from batchpay.messages import repeats, steps
from batchpay.messages import standing as said


@dataclass(slots=True)
class Going:
    """What the rows that go before a row in its run ask for, and those that would but for a later
    gate; `sums` is of those alone that go. Written on by `held_beside`.
    """

    several: bool = False  # is there more than one file?
    # terms -> order id of each row that asks for them
    asked: dict[str, list[str]] = field(default_factory=dict)
    # ... whichever recipient, or asked for them once -> its batch and order id
    of_terms: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    # Recipient (empty: all of them) and upper-case currency -> smallest units.
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    # one-time token -> order id and batch of the first that goes with it
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    # what the sale of a row is known by beside its own id -> the rows that go so
    sales: dict[str, list[Goes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goes:
    """A row that goes before others in its run."""

    order_id: str
    batch_id: str
    came_back: bool


def held_beside(
    row: Row,
    standing: Standing,
    guards: Guards,
    going: Going,
    sale: Collection[str] = (),
) -> Standing:
    """The standing of a row among those that may go with it, none of which was sent yet: of several
    that ask for the same the first goes, where the job holds the later ones, or another file has
    its id damaged; of one sale under several ids the first; what a day may take is left to those
    before it; and a one-time token pays the first that goes with it.

    `sale`: sales.known_by.
    """
    sendable = sendable_of(standing)
    if sendable is None:
        return standing
    first = _of_its_sale(row, sendable, sale, going)
    if first is not None:
        return kept_back(sendable, first)
    beside_it = _beside(row, guards, going)
    if beside_it is not None:
        return kept_back(sendable, beside_it)
    limit = over_limit(row, sendable, guards, going.sums)
    if limit is not None:
        return kept_back(sendable, limit)
    paying = _token_goes_before(row, sendable, guards, going)
    if paying is not None:
        return paying
    if _is_new_today(sendable):
        for key in _of_day(row):
            going.sums[key] += row.document["amount"]
    return standing


def _of_its_sale(
    row: Row, sendable: Sendable, sale: Collection[str], going: Going
) -> ConflictWith | None:
    """Why it does not go beside one that is of its sale under another id, as the journal knows: the
    next run sees what became of that one. Of rows that all came back `intake.repeats` tells.
    """
    if not sale:
        return None
    order_id, batch_id = _goes_as(row, sendable)
    came_back = bool(row.corrects)
    own = (row.place, by_order(order_id))
    for key in (*own, *sale):
        for other in going.sales.get(key, ()):
            is_judged = came_back and other.came_back
            if other.order_id != order_id and not is_judged:
                place = repeats.ORDER_IN(
                    place=other.batch_id, order=told(other.order_id)
                )
                step = steps.LEAVE_ONE()
                return ConflictWith((repeats.SAME_SALE(places=place, step=step),))
    for key in (*own, *sale):
        going.sales.setdefault(key, []).append(Goes(order_id, batch_id, came_back))
    return None


def _beside(row: Row, guards: Guards, going: Going) -> ConflictWith | Waits | None:
    """Why it does not go beside those before it that ask for the same."""
    holds = guards.near_duplicates == "hold"
    if not (holds or going.several):
        return None
    same = going.asked.setdefault(terms_in(row.document), [])
    sale = [going.of_terms.setdefault(terms, []) for terms in _terms_of_sale(row)]
    is_one = _written_otherwise if guards.distinct_ids else may_be_one
    for batch_id, order_id in chain.from_iterable(sale):
        if batch_id != row.batch_id and is_one(order_id, row.order_id):
            return ConflictWith((look_alike_reason(row.order_id, order_id),))
    for order_id in same:
        if holds and order_id != row.order_id:
            return waits_for_a_word(row, said.NEAR_IN_RUN(order=order_id))
    same.append(row.order_id)
    for some in sale:
        some.append((row.batch_id, row.order_id))
    return None


def _written_otherwise(order_id: str, other: str) -> bool:
    return order_id != other and same_text(order_id, other)


def _terms_of_sale(row: Row) -> set[str]:
    """By which terms another id may be made of its own, as what was asked before is looked for
    (History.taken_for): whichever recipient, and what it ever asked for.
    """
    return {same_sale_terms(one) for one in row.ever_asked if has_terms(one)}


# --- its one-time token


def _token_goes_before(
    row: Row, sendable: Sendable, guards: Guards, going: Going
) -> Rejected | None:
    """What a row is whose one-time token goes with another order before it in this run: an attempt
    of an earlier file that is sent again. Two rows of this run are told in `intake.repeats`.
    """
    token = _token_of(row, sendable)
    if not token:
        return None
    order_id, batch_id = going.tokens.setdefault(token, _goes_as(row, sendable))
    if order_id == row.order_id or not asks_for_a_token(sendable, guards):
        return None
    return Rejected(
        why=(said.TOKEN_GOES(order=order_id, batch=batch_id, step=steps.NEW_TOKEN()),)
    )


def _token_of(row: Row, sendable: Sendable) -> str:
    if isinstance(sendable, MayGo):
        return single_use_of(row.document)
    return sendable.attempt.intent.single_use


def _goes_as(row: Row, sendable: Sendable) -> tuple[str, str]:
    """Order id and batch of what goes."""
    if isinstance(sendable, MayGo):
        return row.order_id, row.batch_id
    return sendable.attempt.intent.order_id, sendable.attempt.intent.batch_id


# --- what a day may take


def over_limit(
    row: Row,
    sendable: Sendable,
    guards: Guards,
    going: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> Waits | None:
    """Why a row waits for another day: with what this day's orders, and those that go before it,
    ask for, it would be more than the job allows.
    """
    if not _is_new_today(sendable):
        return None
    amount = row.document["amount"]
    of_all, of_recipient = _of_day(row)
    currency = of_all[1]
    for key, limits in ((of_recipient, guards.max_recipient), (of_all, guards.max_day)):
        limit = limits.get(currency)
        before = guards.of_day.get(key, 0) + going.get(key, 0)
        if limit is None or before + amount <= limit:
            continue
        entry = said.OVER_DAY
        if key[0]:
            entry = said.OVER_RECIPIENT
        told_amounts = {
            "amount": money_told(amount, currency),
            "before": money_told(before, currency),
            "limit": money_told(limit, currency),
        }
        return Waits(
            (entry(**told_amounts, step=steps.LIMIT(order=row.order_id)),), ACCOUNTANT
        )
    return None


def counts_since(attempt: Attempt, began_ns: int) -> bool:
    """Is what it asks for part of what a day that began then took, or may take (UTC nanoseconds)?

    It was sent last, or the gateway made it, since then; one in doubt may be sent again today.
    """
    if not attempt.stands:
        return False
    if attempt.outcome is Outcome.IN_DOUBT:
        return True
    return max(attempt.went_ns, begun_ns(attempt)) >= began_ns


def _is_new_today(sendable: Sendable) -> bool:
    """Would it be a first send? What was sent already counts among the day's."""
    return isinstance(sendable, MayGo) or sendable.attempt.ready


def _of_day(row: Row) -> tuple[tuple[str, str], tuple[str, str]]:
    """By what the sums of all recipients, and of the row's own, are known."""
    currency = str(row.document["currency"]).upper()
    return ("", currency), (row.document["destination"], currency)
