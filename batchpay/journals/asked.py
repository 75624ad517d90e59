"""What each attempt asked for, as other orders are held against it: the table `asked`, a row per attempt that began.

Derived from the events: written with them, made again when a journal is brought to a new version, and verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from batchpay.planning import alike, terms_of


class Asked(NamedTuple):
    """One row, in the order of the table's columns."""

    seq: int  # of the event
    job: str
    order_id: str
    attempt: int
    at_ns: int  # wall clock, UTC
    alike: str  # planning.alike of the order id
    terms: str  # planning.terms_of what was asked
    corrects: str  # planning.place_of the row that it came back for, or ""
    batch_id: str


def begins(kind: str, send: int) -> bool:
    """Does an event begin an attempt, so that it has a row?"""
    return kind == "adopted" or (kind == "intent" and send == 1)


def asked(
    seq: int, job: str, at_ns: int, batch_id: str, order_id: str, attempt: int, data: Mapping[str, Any]
) -> Asked:  # fmt: skip
    """The row of an event that begins an attempt; what its data do not say counts as empty."""
    intent = data.get("intent") or {}
    terms = terms_of(
        intent.get("payer", ""), intent.get("destination", ""), intent.get("amount", 0), intent.get("currency", "")
    )
    return Asked(
        seq, job, order_id, attempt, at_ns, alike(order_id), terms, intent.get("corrects", ""), batch_id
    )  # fmt: skip
