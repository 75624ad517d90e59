"""Other jobs' charges of our very orders, and what is to be said of them (fault-matrix J06, E13).

Two names over the same orders, each with its own journal, cannot see each other's intents. What
they can see is the gateway's list: every list of a run is held against the orders of this job, and
the same rule judges all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from batchpay.domain.events import ChargedElsewhere, told_by
from batchpay.domain.model import ChargeSeen, Event
from batchpay.domain.ports import Journal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.plan import is_one_sale, order_in, row_told, sale_told
from batchpay.messages import steps


def orders_of(charge: ChargeSeen, journal: Journal) -> tuple[str, ...]:
    """By which order ids this job may know the sale of another job's charge: the charge's own,
    those of the rows that it corrected, and that of the same row of the same file here, whatever
    column it takes ids from.
    """
    metadata = charge.metadata
    sheet, row = row_told(metadata.get("batchpay_row", ""))
    here = journal.id_of_row(
        metadata.get("batchpay_job", ""), metadata.get("batchpay_batch", ""), sheet, row
    )
    return tuple(dict.fromkeys(filter(None, (metadata["order_id"], *ids_in(metadata), here))))


def ids_in(metadata: Mapping[str, str]) -> list[str]:
    """Order ids of the rows that a charge came to correct."""
    keys = sale_told(metadata)
    return [order_id for key in keys if (order_id := order_in(key))]


def told_of(charge: ChargeSeen) -> ChargedElsewhere:
    """What the journal keeps of another job's charge."""
    return ChargedElsewhere(
        job=charge.metadata.get("batchpay_job", ""),
        charge_id=charge.id,
        payer=charge.payer or "",
        destination=charge.destination or "",
        amount=charge.amount,
        currency=charge.currency,
        takes_money=charge.takes_money,
    )


def charge_in(told: ChargedElsewhere) -> ChargeSeen:
    """The same back, as far as it was kept."""
    return ChargeSeen(
        id=told.charge_id,
        status="",
        paid=False,
        amount=told.amount,
        currency=told.currency,
        livemode=False,
        destination=told.destination,
        payer=told.payer,
    )


def doubles(events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Charge id of another job, and why it is a stop: an order of this job took, or may have taken,
    the same money.
    """
    latest = {told.charge_id: told for _, told in told_by(events, ChargedElsewhere)}
    taking = [told for told in latest.values() if told.takes_money]
    if not taking:
        return
    attempts = [one for one in fold(events) if not one.closed and not one.ready]
    for told in taking:
        for attempt in attempts:
            if is_one_sale(charge_in(told), attempt.intent):
                yield told.charge_id, _charged_twice(told, attempt)


def _charged_twice(told: ChargedElsewhere, attempt: Attempt) -> str:
    if attempt.charge:
        mine = attempt.charge.id
    else:
        mine = "a request without an answer"
    return (
        f"order {attempt.intent.order_id}: two jobs charge it, for the same payer, recipient and"
        f" amount: {mine} by this one, {told.charge_id} by job {told.job}. Give one of the"
        " two back, and run only one of the jobs"
    )


def renamed(order_id: str, job: str, charge_id: str) -> str:
    """What is said of a job whose order another one has charged: it seems to have been renamed
    (E13).
    """
    return (
        f'order {order_id} was charged, for the same payer, amount and recipient, by job "{job}" '
        f"({charge_id}). {steps.CHARGED_ELSEWHERE(job=job, order=order_id)}"
    )
