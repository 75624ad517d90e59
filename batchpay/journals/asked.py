"""What each attempt asked for, as other orders are held against it: the table `asked`, a row per
attempt that began.

Derived from the events: written with them, made again when a journal is brought to a new version,
and verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from batchpay.domain.events import asked_in
from batchpay.lifecycle.plan import alike, terms_of


class Asked(NamedTuple):
    """One row, in the order of the table's columns."""

    seq: int  # of the event
    job: str
    order_id: str
    attempt: int
    at_ns: int  # wall clock, UTC
    alike: str  # plan.alike of the order id
    terms: str  # plan.terms_of what was asked
    # kinship.Ancestry.identity of the rows that it came back for (once: plan.place_of), or ""
    corrects: str
    batch_id: str


_TEXTS = ("payer", "destination", "currency", "corrects")


def asked(
    seq: int,
    job: str,
    at_ns: int,
    batch_id: str,
    order_id: str,
    attempt: int,
    data: Mapping[str, Any],
) -> Asked:
    """The row of an event that begins an attempt; what its data do not say counts as empty."""
    intent = asked_in(data)
    payer, destination, currency, corrects = (str(intent.get(name) or "") for name in _TEXTS)
    terms = terms_of(payer, destination, intent.get("amount") or 0, currency)
    return Asked(seq, job, order_id, attempt, at_ns, alike(order_id), terms, corrects, batch_id)
