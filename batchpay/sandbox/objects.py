"""The JSON of money and events, in the shape of version 2019-05-29 (docs/gateway.md, 3 and 7).

All keys are always there; what is unset is null.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from batchpay.sandbox import arithmetic
from batchpay.sandbox.names import FAILURES
from batchpay.sandbox.records import (
    Chain,
    Charge,
    Dispute,
    Event,
    Refund,
    Transaction,
    Transfer,
)
from batchpay.sandbox.terms import Terms

Thing = dict[str, Any]

_CHARGE: Thing = {
    "object": "charge",
    "id": None,
    "location": None,
    "livemode": False,
    "amount": 0,
    "currency": None,
    "authorization_type": None,
    "authorized_amount": 0,
    "captured_amount": 0,
    "acquirer_reference_number": None,
    "approval_code": None,
    "net": 0,
    "fee": 0,
    "fee_vat": 0,
    "interest": 0,
    "interest_vat": 0,
    "funding_amount": 0,
    "funding_currency": arithmetic.FUNDING_CURRENCY,
    "refunded_amount": 0,
    "transaction_fees": None,
    "platform_fee": None,
    "ip": None,
    "refunds": None,
    "link": None,
    "schedule": None,
    "customer": None,
    "dispute": None,
    "transaction": None,
    "description": None,
    "metadata": None,
    "card": None,
    "source": None,
    "linked_account": None,
    "failure_code": None,
    "failure_message": None,
    "merchant_advice": None,
    "merchant_advice_code": None,
    "authenticated_by": None,
    "status": None,
    "authorize_uri": None,
    "return_uri": None,
    "created_at": None,
    "paid_at": None,
    "authorized_at": None,
    "expires_at": None,
    "expired_at": None,
    "reversed_at": None,
    "multi_capture": False,
    "zero_interest_installments": False,
    "branch": None,
    "terminal": None,
    "device": None,
    "authorized": False,
    "capturable": False,
    "capture": True,
    "disputable": False,
    "refundable": False,
    "partially_refundable": False,
    "reversed": False,
    "reversible": False,
    "voided": False,
    "paid": False,
    "expired": False,
    "can_perform_void": False,
    "destination": None,
    "chain": None,
}
_FEE_RATES = {
    "fee_flat": "0.0",
    "fee_rate": arithmetic.FEE_RATE,
    "vat_rate": arithmetic.VAT_RATE,
}


# of a transfer (docs/gateway.md, 7.1); the words are ours
TRANSFER_FAILURES = {
    "transfer_failed": "the recipient's bank did not take it",
    "transfer_deleted": "it was deleted",
}


@lru_cache(4096)  # the same few seconds stand in everything
def instant(seconds: int | None) -> str | None:
    """UTC, ISO 8601, whole seconds (docs/gateway.md, 1.5)."""
    if seconds is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def charge(
    record: Charge,
    card: Thing | None,
    source: Thing | None,
    refunds: list[Thing],
    disputed: Thing | None = None,
) -> Thing:
    """A charge (docs/gateway.md, 3.1), its flags by its status (3.2). Fees are filled in whatever
    the status is.
    """
    waiting = record.status == "pending" and record.authorized
    successful = record.status == "successful"
    if successful:
        base = record.captured_amount
    else:
        base = record.amount
    funding = arithmetic.funding_of(base, record.currency)
    fees = arithmetic.fees_of(funding)
    location = f"/charges/{record.id}"
    left = successful and record.refunded < record.captured_amount
    return _CHARGE | {
        "id": record.id,
        "location": location,
        "livemode": record.livemode,
        "amount": record.amount,
        "currency": record.currency,
        "authorization_type": record.authorization_type,
        "authorized_amount": record.amount,
        "captured_amount": record.captured_amount,
        "net": fees.net,
        "fee": fees.fee,
        "fee_vat": fees.fee_vat,
        "funding_amount": funding,
        "transaction_fees": dict(_FEE_RATES),
        "platform_fee": {
            "fixed": record.fixed,
            "amount": record.commission,
            "percentage": record.percentage,
        },
        "ip": record.ip,
        "refunded_amount": record.refunded,
        "refunds": embedded(f"{location}/refunds", instant(record.created), refunds),
        "customer": record.customer,
        "dispute": disputed,
        "transaction": record.transaction,
        "description": record.description,
        "metadata": record.metadata,
        "card": card,
        "source": source,
        "failure_code": record.failure_code,
        "failure_message": FAILURES.get(record.failure_code, "")
        if record.failure_code
        else None,
        "status": record.status,
        "authorize_uri": record.authorize_uri,
        "return_uri": record.return_uri,
        "created_at": instant(record.created),
        "paid_at": instant(record.paid),
        "authorized_at": instant(record.authorized_at),
        "expires_at": instant(record.expires),
        "expired_at": instant(record.expired),
        "reversed_at": instant(record.reversed),
        "authorized": record.authorized,
        "capturable": waiting,
        "reversible": waiting,
        "capture": record.capture,
        "disputable": successful,
        "refundable": left,
        "partially_refundable": left,
        "reversed": record.status == "reversed",
        "paid": successful,
        "expired": record.status == "expired",
        "destination": record.destination,
        "chain": record.chain,
    }


def _is_sendable(record: Transfer) -> bool:
    return record.sent is None and not record.deleted and record.failure_code is None


def within(terms: Terms, amount: int) -> bool:
    """May so much of the account's currency go to a bank at once? Something must be left of it
    after the fee.
    """
    fee = arithmetic.TRANSFER_FEE + arithmetic.TRANSFER_FEE_VAT
    return terms.transfer_min <= amount <= terms.transfer_max and amount > fee


def transfer(
    record: Transfer,
    terms: Terms,
    bank_account: Thing | None,
    transactions: list[Thing],
) -> Thing:
    """A transfer (docs/gateway.md, 7.1); the bank gets its amount less the transfer fee.

    One that a charge caused is made whatever its amount is, and is not sendable when that is too
    small.
    """
    fee, fee_vat = arithmetic.transfer_fee_in(record.currency)
    fits = within(terms, arithmetic.funding_of(record.amount, record.currency))
    return {
        "object": "transfer",
        "id": record.id,
        "livemode": record.livemode,
        "location": f"/transfers/{record.id}",
        "deleted": record.deleted,
        "created_at": instant(record.created),
        "amount": record.amount,
        "currency": record.currency,
        "fee": fee,
        "fee_vat": fee_vat,
        "total_fee": fee + fee_vat,
        "net": record.amount - fee - fee_vat,
        "recipient": record.recipient,
        "bank_account": bank_account,
        "sendable": _is_sendable(record) and fits,
        "sent": record.sent is not None,
        "sent_at": instant(record.sent),
        "paid": record.paid is not None,
        "paid_at": instant(record.paid),
        "fail_fast": record.fail_fast,
        "failure_code": record.failure_code,
        "failure_message": TRANSFER_FAILURES.get(record.failure_code or ""),
        "transactions": transactions,
        "balance_hold_at": None,
        "split_transfer_group_id": None,
        "schedule": None,
        "metadata": record.metadata,
    }


def scannable(record: Charge) -> Thing:
    """The code that a payer scans, as a charge by PromptPay shows it (models of the SDKs)."""
    name = record.id.replace("chrg", "docu", 1)
    location = f"/charges/{record.id}/documents/{name}"
    image = {
        "object": "document",
        "id": name,
        "livemode": record.livemode,
        "location": location,
        "deleted": False,
        "kind": "qr",
        "filename": "qrcode.svg",
        "download_uri": f"https://api.omise.co{location}/downloads/{record.id[-12:]}",
        "created_at": instant(record.created),
    }
    return {"object": "barcode", "type": "qr", "image": image}


def dispute(record: Dispute) -> Thing:
    """A dispute: the few fields that a client needs; none was recorded whole."""
    return {
        "object": "dispute",
        "id": record.id,
        "livemode": record.livemode,
        "location": f"/disputes/{record.id}",
        "created_at": instant(record.created),
        "amount": record.amount,
        "currency": record.currency,
        "status": record.status,
        "charge": record.charge,
        "transaction": record.transaction,
    }


def chain(record: Chain) -> Thing:
    """The fields of an account's chain, and what this one ties together (docs/gateway.md, 7.4)."""
    return {
        "object": "chain",
        "id": record.id,
        "livemode": record.livemode,
        "location": f"/chains/{record.id}",
        "created_at": instant(record.created),
        "email": "seller@example.com",
        "key": record.id.replace("acch", "ckey", 1),
        "revoked": record.revoked,
        "charge": record.charge,
        "transfer": record.transfer,
    }


def transaction(record: Transaction) -> Thing:
    """One line of the gateway's books (docs/gateway.md, 7.5)."""
    return {
        "object": "transaction",
        "id": record.id,
        "livemode": record.livemode,
        "location": f"/transactions/{record.id}",
        "created_at": instant(record.created),
        "amount": record.amount,
        "currency": record.currency,
        "direction": record.direction,
        "key": record.key,
        "origin": record.origin,
        "transferable_at": instant(record.created),
    }


def refund(record: Refund) -> Thing:
    """A refund, with the keys of a recorded one."""
    return {
        "object": "refund",
        "id": record.id,
        "location": f"/charges/{record.charge}/refunds/{record.id}",
        "livemode": record.livemode,
        "voided": False,
        "currency": record.currency,
        "amount": record.amount,
        "metadata": record.metadata,
        "charge": record.charge,
        "capture": None,
        "terminal": None,
        "transaction": record.transaction,
        "status": "closed",
        "funding_amount": arithmetic.funding_of(record.amount, record.currency),
        "funding_currency": arithmetic.FUNDING_CURRENCY,
        "created_at": instant(record.created),
        "acquirer_reference_number": None,
        "approval_code": None,
    }


def event(record: Event, data: Thing) -> Thing:
    """An event; the sandbox delivers none (docs/gateway.md, 7.7)."""
    return {
        "object": "event",
        "id": record.id,
        "livemode": record.livemode,
        "location": f"/events/{record.id}",
        "webhook_deliveries": [],
        "data": data,
        "key": record.key,
        "created_at": instant(record.created),
    }


def embedded(location: str, until: str | None, data: list[Any]) -> Thing:
    """A list inside another object: refunds in a charge, cards in a customer."""
    return {
        "object": "list",
        "data": data,
        "limit": 20,
        "offset": 0,
        "total": len(data),
        "location": location,
        "order": "chronological",
        "from": "1970-01-01T00:00:00Z",
        "to": until,
    }
