"""Who is paid: recipients and their bank accounts (docs/gateway.md, 7.3)."""

from __future__ import annotations

from typing import Any

from batchpay.sandbox import names, params
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.objects import instant
from batchpay.sandbox.problems import Problem, bad_request, not_found

DEFAULT = "recp_test_seed0000000000001"
_UNVERIFIED = {
    "verified": False,
    "verified_at": None,
    "active": False,
    "activated_at": None,
}


def seed(ledger: Ledger) -> None:
    """Recipients that are there from the start: 1 to 5 active, 8 verified only, 9 neither."""
    wanted = {
        f"recp_test_seed{number:013d}": number for number in (1, 2, 3, 4, 5, 8, 9)
    }
    missing = [
        _recipient(
            name,
            False,
            verified=number != 9,
            active=number <= 5,
        )
        | {"default": name == DEFAULT}
        for name, number in wanted.items()
        if ledger.find("recipient", name) is None
    ]
    if missing:
        ledger.commit(things=[("recipient", recipient) for recipient in missing])


def payable(ledger: Ledger, name: str, livemode: bool) -> Thing:
    """A recipient that money may go to; raises invalid_recipient or recipient_not_verified
    (docs/gateway.md, 2.5).
    """
    recipient = existing(ledger, name, livemode)
    if recipient is None or recipient["deleted"]:
        raise Problem(400, "invalid_recipient", f"recipient {name} does not exist")
    if not recipient["verified"]:
        raise Problem(
            400, "recipient_not_verified", f"recipient {name} is not verified"
        )
    if not recipient["active"]:
        raise Problem(400, "invalid_recipient", f"recipient {name} is not active")
    return recipient


def create(ledger: Ledger, call: Call) -> Thing:
    """POST /recipients: neither verified nor active at first (docs/gateway.md, 7.3)."""
    account = params.mapping(call.params, "bank_account")
    kind = params.required(call.params, "type")
    if kind not in ("individual", "corporation"):
        raise bad_request("type must be individual or corporation")
    recipient = _recipient(
        ledger.mint("recp", call.livemode),
        call.livemode,
        verified=False,
        active=False,
    )
    recipient |= {
        "name": params.required(call.params, "name"),
        "type": kind,
        "created_at": instant(call.now),
        "bank_account": _account_of(account),
    }
    return _keep(ledger, recipient | _given(call), "recipient.create")


def retrieve(ledger: Ledger, call: Call) -> Thing:
    """GET /recipients/:id; a deleted one says so."""
    recipient = existing(ledger, call.ids[0], call.livemode)
    if recipient is None:
        raise not_found("recipient", call.ids[0])
    return recipient


def update(ledger: Ledger, call: Call) -> Thing:
    """PATCH /recipients/:id."""
    name = params.text(call.params, "name")
    changed = _found(ledger, call) | _given(call)
    if name:
        changed["name"] = name
    account = params.mapping(call.params, "bank_account")
    # another account is another payee, verified anew: the safe way (nothing tells)
    if account:
        changed |= _UNVERIFIED | {"bank_account": _account_of(account)}
    return _keep(ledger, changed, "recipient.update")


def verify(ledger: Ledger, call: Call) -> Thing:
    """POST /recipients/:id/verify, test mode only: verified and active at once."""
    at = instant(call.now)
    verified = {
        "verified": True,
        "verified_at": at,
        "active": True,
        "activated_at": at,
    }
    return _keep(ledger, _found(ledger, call) | verified, "recipient.verify")


def delete(ledger: Ledger, call: Call) -> Thing:
    """DELETE /recipients/:id."""
    gone = _found(ledger, call) | {"deleted": True, "active": False}
    recipient = _keep(ledger, gone, "recipient.destroy")
    told = ("object", "id", "livemode", "deleted")
    return {name: recipient[name] for name in told}


def existing(ledger: Ledger, name: str, livemode: bool) -> Thing | None:
    """A recipient, created here or ready-made; None when there is none."""
    found: Thing | None = ledger.find("recipient", name)
    if found is not None:
        if found["livemode"] == livemode:
            return found
        return None
    if not names.ready_made(name, "recp", livemode) or "unknown" in name:
        return None
    return _recipient(
        name,
        livemode,
        verified="unverified" not in name,
        active="inactive" not in name,
    )


# --- inside


def _found(ledger: Ledger, call: Call) -> Thing:
    recipient = retrieve(ledger, call)
    if recipient["deleted"]:
        raise not_found("recipient", call.ids[0])
    return recipient


def _keep(ledger: Ledger, recipient: Thing, news: str) -> Thing:
    ledger.commit(things=[("recipient", recipient)], news=news)
    return recipient


def _account_of(given: dict[str, Any]) -> Thing:
    number, name, brand = (
        params.required(given, field) for field in ("number", "name", "brand")
    )
    return _bank_account(number, name, brand)


def _given(call: Call) -> Thing:
    fields = {
        name: params.text(call.params, name)
        for name in ("email", "description", "tax_id")
    }
    metadata = params.mapping(call.params, "metadata")
    return {name: value for name, value in fields.items() if value} | (
        {"metadata": metadata} if metadata else {}
    )


def _recipient(
    name: str,
    livemode: bool,
    *,
    verified: bool,
    active: bool,
) -> Thing:
    """All fields of a recipient (docs/gateway.md, 7.3)."""
    at = instant(0)
    return {
        "object": "recipient",
        "id": name,
        "livemode": livemode,
        "location": f"/recipients/{name}",
        "deleted": False,
        "bank_account": _bank_account("1234567890", "SANDBOX SELLER", "bbl"),
        "active": active,
        "activated_at": at if active else None,
        "created_at": at,
        "default": False,
        "description": None,
        "email": None,
        "failure_code": None,
        "metadata": {},
        "name": "Sandbox Seller",
        "schedule": None,
        "tax_id": None,
        "type": "individual",
        "verified": verified,
        "verified_at": at if verified else None,
    }


def _bank_account(number: str, name: str, brand: str) -> Thing:
    return {
        "object": "bank_account",
        "livemode": False,
        "location": None,
        "deleted": False,
        "bank_code": None,
        "branch_code": None,
        "brand": brand,
        "account_number": number,
        "last_digits": number[-4:],
        "name": name,
        "type": None,
        "account_type": None,
        "created_at": instant(0),
    }
