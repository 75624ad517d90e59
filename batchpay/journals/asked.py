"""What each attempt asked for, as other orders are held against it and as reports show it: the
table `asked`, a row per attempt that began.

Derived from the events: written with them, made again when a journal is brought to a new version,
and verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from batchpay.domain.events import Adopted, asked_in
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.order_ids import kept_as
from batchpay.lifecycle.payers import payment_method
from batchpay.lifecycle.sale_terms import terms_of

T = TypeVar("T")
MOST = 2**63 - 1  # that SQLite can hold


class Asked(NamedTuple):
    """One row, in the order of the table's columns."""

    seq: int  # of the event
    job: str
    order_id: str
    attempt: int
    at_ns: int  # wall clock, UTC
    alike: str  # order_ids.kept_as of the order id
    terms: str  # sale_terms.terms_of what was asked
    # ancestry.Ancestry.identity of the rows that it came back for (once: a place), or ""
    corrects: str
    batch_id: str
    sheet: str
    row: int
    amount: int  # smallest unit
    currency: str  # lower case
    destination: str
    paid_with: str  # payers.payment_method of the payer
    run_id: str | None  # of the first send; None: that of the event
    mode: str  # test or live; empty where an earlier version did not keep it
    fee: int  # 1: a commission was asked for
    adopted: int  # 1: this journal did not make it


_TEXTS = ("payer", "destination", "currency", "corrects", "run_id", "mode")
COLUMNS = ", ".join(f'"{name}"' for name in Asked._fields)


def asked(
    seq: int,
    job: str,
    kind: str,
    at_ns: int,
    run_id: str,
    batch_id: str,
    sheet: str,
    row: int,
    order_id: str,
    attempt: int,
    data: Mapping[str, Any],
) -> Asked:
    """The row of an event that begins an attempt; what its data do not say counts as empty."""
    intent = asked_in(data)
    texts = (str(intent.get(name) or "") for name in _TEXTS)
    payer, destination, currency, corrects, told_run, mode = texts
    amount = intent.get("amount") or 0
    has_fee = (
        intent.get("fee_fixed") is not None or intent.get("fee_percentage") is not None
    )
    return Asked(
        seq,
        job,
        order_id,
        attempt,
        at_ns,
        kept_as(order_id),
        terms_of(payer, destination, amount, currency),
        corrects,
        batch_id,
        sheet,
        row,
        _number(amount),
        currency,
        destination,
        payment_method(payer),
        told_run if told_run != run_id else None,
        mode,
        int(has_fee),
        int(kind == Adopted.kind),
    )


def _number(amount: Any) -> int:
    """What a column can hold; an adopted charge may say anything."""
    if type(amount) is int and -MOST <= amount <= MOST:
        return amount
    return 0


def owner_of_charge(
    told: Iterable[tuple[str, str, int, bool, str | None]],
) -> tuple[str, str, int] | None:
    """Whose a charge is, of those that were told of it: the first; or, of that one's job, the one
    whose key it carried: when it was looked up last, or else in the first answer that says so. Two
    answers may have been exchanged, or tell one id: what an order was merely told is another's.

    `told`: job, order id, attempt, whether it was looked up, and the key that the charge carried,
    in the journal's order.
    """
    first = answered = looked_up = None
    for job, order_id, attempt, is_look_up, key in told:
        one = (job, order_id, attempt)
        first = first or one
        if job != first[0] or key != key_of(*one):
            continue
        if is_look_up:
            looked_up = one
        else:
            answered = answered or one
    return looked_up or answered or first


def grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Key -> its values, in their order."""
    found: dict[str, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def by_row(pairs: Iterable[tuple[int, str]]) -> dict[int, tuple[str, ...]]:
    """Row number -> its orders, each once, where it stood last."""
    found: dict[int, dict[str, None]] = {}
    for row, order_id in pairs:
        orders = found.setdefault(row, {})
        orders.pop(order_id, None)
        orders[order_id] = None
    return {row: tuple(orders) for row, orders in found.items()}
