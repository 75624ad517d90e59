"""What the account is and may do: GET /account, /balance and /capability (omise-api.md, 2.2, 2.3 and 7.6)."""

from __future__ import annotations

from batchpay.sandbox import arithmetic
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.objects import instant

_CURRENCIES = ["THB", "JPY", "USD", "EUR", "GBP", "SGD", "AUD", "CHF", "CNY", "DKK", "HKD", "MYR"]


def account(ledger: Ledger, call: Call) -> Thing:
    """GET /account."""
    mode = "" if call.livemode else "test_"
    return {
        "object": "account", "id": f"account_{mode}sandbox000000000001", "livemode": call.livemode,
        "location": "/account", "team": f"acct_{mode}sandbox000000000001", "email": "sandbox@example.com",
        "currency": arithmetic.FUNDING_CURRENCY, "country": "TH", "supported_currencies": _CURRENCIES,
        "api_version": "2019-05-29", "auto_activate_recipients": False, "chain_enabled": True,
        "chain_return_uri": None, "chaining_allowed": True, "webhook_uri": None, "metadata_export_keys": {},
        "zero_interest_installments": True, "created_at": instant(0),
        "transfer_config": {
            "min_transfer_amount": "30.00", "max_transfer_amount": "1000000000.00", "fee": "30.00",
        },
    }  # fmt: skip


def balance(ledger: Ledger, call: Call) -> Thing:
    """GET /balance."""
    total, transferable = ledger.funds.balance(call.livemode)
    return {
        "object": "balance", "livemode": call.livemode, "location": "/balance", "currency": arithmetic.FUNDING_CURRENCY,
        "total": total, "transferable": transferable, "reserve": 0, "on_hold": total - transferable,
        "created_at": instant(ledger.now()),
    }  # fmt: skip


def capability(ledger: Ledger, call: Call) -> Thing:
    """GET /capability, with either key: the limits that charges are held to."""
    card = {"object": "payment_method", "name": "card", "currencies": _CURRENCIES, "banks": [], "card_brands":
            ["American Express", "JCB", "MasterCard", "UnionPay", "Visa"], "installment_terms": None}  # fmt: skip
    qr = {"object": "payment_method", "name": "promptpay", "currencies": ["THB"], "banks": [], "card_brands": None,
          "installment_terms": None}  # fmt: skip
    return {
        "object": "capability", "location": "/capability", "country": "TH", "banks": ["bbl", "kbank", "scb"],
        "payment_methods": [card, qr], "tokenization_methods": [], "zero_interest_installments": True,
        "limits": {
            "charge_amount": {"max": arithmetic.CHARGE_MAX, "min": arithmetic.CHARGE_MIN},
            "transfer_amount": {"max": 100_000_000_000, "min": arithmetic.TRANSFER_MIN},
            "installment_amount": {"min": 200_000},
        },
    }  # fmt: skip
