"""Refunds: money given back to the payer, whole or in part, and the debit that books it.

The gateway keeps its fee (nothing documents it); the debit's key is ours, for none was recorded
(docs/gateway.md, 7.5).
"""

from __future__ import annotations

from batchpay.sandbox import arithmetic, objects, params
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.problems import Problem, bad_request, not_found
from batchpay.sandbox.records import Charge, Refund, Transaction


def create(ledger: Ledger, call: Call) -> Thing:
    """POST /charges/:id/refunds."""
    charge: Charge = ledger.get("charge", call.ids[0], call.livemode)
    amount = params.whole(call.params, "amount")
    if amount is None or amount <= 0:
        raise bad_request("amount is required")
    if (
        charge.status != "successful"
        or amount > charge.captured_amount - charge.refunded
    ):
        raise Problem(
            400,
            "failed_refund",
            "the charge is not paid, or less is left of it than the amount",
        )
    metadata = params.mapping(call.params, "metadata")
    refund = give_back(ledger, charge, amount, metadata)
    return objects.refund(refund)


def give_back(
    ledger: Ledger,
    charge: Charge,
    amount: int,
    metadata: Thing,
) -> Refund:
    """So much of a paid charge goes back to its payer."""
    now = ledger.now()
    debit = Transaction(
        ledger.mint("trxn", charge.livemode),
        charge.livemode,
        now,
        arithmetic.funding_of(amount, charge.currency),
        arithmetic.FUNDING_CURRENCY,
        "debit",
        "charge.refunded.debit",
        ledger.mint("rfnd", charge.livemode),
    )
    refund = Refund(
        debit.origin,
        charge.livemode,
        now,
        amount,
        charge.currency,
        charge.id,
        debit.id,
        metadata,
    )
    charge.refunded += amount
    charge.refunds = [*charge.refunds, refund.id]
    ledger.commit(refund, debit, charge)
    return refund


def retrieve(ledger: Ledger, call: Call) -> Thing:
    """GET /charges/:id/refunds/:refund."""
    refund: Refund = ledger.get("refund", call.ids[1], call.livemode)
    if refund.charge != call.ids[0]:
        raise not_found("refund", call.ids[1])
    return objects.refund(refund)
