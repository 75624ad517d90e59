"""UNUSUAL: what a person should know of a row, and what a job may wait for: orders that ask for the
same, and an amount that is far outside of what was asked before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from batchpay.domain.model import Document
from batchpay.domain.money import money_told
from batchpay.lifecycle.rows import (
    History,
    Near,
    Past,
    Row,
    Why,
)
from batchpay.lifecycle.sale_terms import (
    terms_in,
)
from batchpay.messages import standing as said
from batchpay.messages.message import Message

FAR = 10  # times the most, or the least, that a recipient's orders asked for, and ...
ENOUGH_ORDERS = 10  # ... how many of them say what is usual


def warnings_of(row: Row, history: History, *, before_ns: int) -> Why:
    """What a person should know before, or after, it is sent: recent orders of other files that ask
    for the same, and an amount that is far outside of what was asked before.

    `before_ns`: only what was asked before then; 0: whenever.
    """
    if row.problems or "destination" not in row.document:
        return ()
    asked = history.near.get(terms_in(row.document), ())
    near = [one for one in asked if _is_near(one, row, before_ns)]
    odd = odd_amount(row, history)
    if not near:
        return odd
    return (resembles(near), *odd)


def odd_amount(row: Row, history: History) -> Why:
    return outside(row.document, history.ids(row), history.past, history.hundredth)


def outside(
    document: Document,
    ids: Collection[str],
    past_of: Mapping[tuple[str, str], Past],
    hundredth: Mapping[str, Near],
) -> Why:
    """Why an order's amount is far outside of what was asked before its file came (History.past and
    hundredth). `ids`: all order ids of its sale.
    """
    amount = document["amount"]
    currency = str(document["currency"])
    shown = money_told(amount, currency)
    part = hundredth.get(terms_in(document))
    if part is not None and part.order_id not in ids:
        return (
            said.HUNDREDFOLD(amount=shown, order=part.order_id, batch=part.batch_id),
        )
    past = past_of.get((document["destination"], currency.lower()))
    if past is None or past.orders < ENOUGH_ORDERS:
        return ()
    if amount > FAR * past.most:
        most = money_told(past.most, currency)
        return (said.FAR_ABOVE(amount=shown, orders=past.orders, most=most),)
    if amount * FAR < past.least:
        least = money_told(past.least, currency)
        return (said.FAR_BELOW(amount=shown, orders=past.orders, least=least),)
    return ()


def resembles(near: Sequence[Near]) -> Message:
    first, *others = near
    if not others:
        return said.NEAR_ONE(order=first.order_id, batch=first.batch_id)
    more = len(others)
    return said.NEAR_MORE(
        order=first.order_id,
        batch=first.batch_id,
        more=more,
    )


def _is_near(other: Near, row: Row, before_ns: int) -> bool:
    if other.order_id == row.order_id or other.batch_id == row.batch_id:
        return False
    return not before_ns or other.at_ns < before_ns
