"""What the account is and may do: GET /account, /balance and /capability (docs/gateway.md, 2.2, 2.3
and 7.6).
"""

from __future__ import annotations

from batchpay.domain.money import major_text
from batchpay.sandbox import arithmetic
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.objects import instant

_CURRENCIES = [
    "THB",
    "JPY",
    "USD",
    "EUR",
    "GBP",
    "SGD",
    "AUD",
    "CHF",
    "CNY",
    "DKK",
    "HKD",
    "MYR",
]
_TRANSFER_FEE = arithmetic.TRANSFER_FEE + arithmetic.TRANSFER_FEE_VAT


def id_of(ledger: Ledger, livemode: bool) -> str:
    """An account's own id: the same in both modes, but for the mode."""
    return f"account_{'' if livemode else 'test_'}{ledger.account}"


def account(ledger: Ledger, call: Call) -> Thing:
    """GET /account: whose the key is; amounts are decimal texts of main units here
    (docs/gateway.md, 2.3).
    """
    if call.livemode:
        mode = ""
    else:
        mode = "test_"
    return {
        "object": "account",
        "id": id_of(ledger, call.livemode),
        "livemode": call.livemode,
        "location": "/account",
        "team": f"acct_{mode}{ledger.account}",
        "email": "sandbox@example.com",
        "currency": arithmetic.FUNDING_CURRENCY,
        "country": "TH",
        "supported_currencies": _CURRENCIES,
        "api_version": "2019-05-29",
        "auto_activate_recipients": False,
        "chain_enabled": True,
        "chain_return_uri": None,
        "chaining_allowed": True,
        "webhook_uri": None,
        "metadata_export_keys": {},
        "zero_interest_installments": True,
        "created_at": instant(0),
        "transfer_config": {
            "min_transfer_amount": major_text(
                ledger.terms.transfer_min, arithmetic.FUNDING_CURRENCY
            ),
            "max_transfer_amount": major_text(
                ledger.terms.transfer_max, arithmetic.FUNDING_CURRENCY
            ),
            "fee": major_text(_TRANSFER_FEE, arithmetic.FUNDING_CURRENCY),
        },
    }


def balance(ledger: Ledger, call: Call) -> Thing:
    """GET /balance."""
    total, transferable = ledger.funds.balance(call.livemode)
    return {
        "object": "balance",
        "livemode": call.livemode,
        "location": "/balance",
        "currency": arithmetic.FUNDING_CURRENCY,
        "total": total,
        "transferable": transferable,
        "reserve": 0,
        "on_hold": total - transferable,
        "created_at": instant(ledger.now()),
    }


def capability(ledger: Ledger, call: Call) -> Thing:
    """GET /capability, with either key: the limits that charges are held to."""
    terms = ledger.terms
    card = {
        "object": "payment_method",
        "name": "card",
        "currencies": _CURRENCIES,
        "banks": [],
        "card_brands": ["American Express", "JCB", "MasterCard", "UnionPay", "Visa"],
        "installment_terms": None,
    }
    qr = {
        "object": "payment_method",
        "name": "promptpay",
        "currencies": ["THB"],
        "banks": [],
        "card_brands": None,
        "installment_terms": None,
    }
    return {
        "object": "capability",
        "location": "/capability",
        "country": "TH",
        "banks": ["bbl", "kbank", "scb"],
        "payment_methods": [card, qr],
        "tokenization_methods": [],
        "zero_interest_installments": True,
        "limits": {
            "charge_amount": {"max": terms.charge_max, "min": terms.charge_min},
            "transfer_amount": {"max": terms.transfer_max, "min": terms.transfer_min},
            "installment_amount": {"min": 200_000},
        },
    }
