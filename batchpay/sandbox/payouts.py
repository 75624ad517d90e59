"""Who is paid: recipients, transfers to their banks, and the chains between charges and transfers (omise-api.md, 7)."""

from __future__ import annotations

from batchpay.sandbox import arithmetic, names, objects, params
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.objects import instant
from batchpay.sandbox.problems import Problem, bad_request, not_found
from batchpay.sandbox.records import Chain, Record, Transaction, Transfer

# --- recipients


def seed(ledger: Ledger) -> None:
    """Recipients that are there from the start: 1 to 5 verified and active, 8 verified only, 9 neither."""
    wanted = {f"recp_test_seed{number:013d}": number for number in (1, 2, 3, 4, 5, 8, 9)}
    missing = [
        _recipient(name, False, verified=number != 9, active=number <= 5) | {"default": number == 1}
        for name, number in wanted.items()
        if ledger.find("recipient", name) is None
    ]
    if missing:
        ledger.commit(things=[("recipient", recipient) for recipient in missing])


def payable(ledger: Ledger, name: str, livemode: bool) -> Thing:
    """A recipient that money may go to; raises invalid_recipient or recipient_not_verified (omise-api.md, 2.5)."""
    recipient = recipient_json(ledger, name, livemode)
    if recipient is None or recipient["deleted"]:
        raise Problem(400, "invalid_recipient", f"recipient {name} does not exist")
    if not recipient["verified"]:
        raise Problem(400, "recipient_not_verified", f"recipient {name} is not verified")
    if not recipient["active"]:
        raise Problem(400, "invalid_recipient", f"recipient {name} is not active")
    return recipient


def create_recipient(ledger: Ledger, call: Call) -> Thing:
    """POST /recipients: neither verified nor active at first (omise-api.md, 7.3)."""
    account = params.mapping(call.params, "bank_account")
    kind = params.required(call.params, "type")
    if kind not in ("individual", "corporation"):
        raise bad_request("type must be individual or corporation")
    recipient = _recipient(ledger.mint("recp", call.livemode), call.livemode, verified=False, active=False)
    recipient |= {
        "name": params.required(call.params, "name"),
        "type": kind,
        "created_at": instant(call.now),
        "bank_account": _bank_account(
            params.required(account, "number"), params.required(account, "name"), params.required(account, "brand")
        ),
    }
    return _keep(ledger, recipient | _given(call))


def retrieve_recipient(ledger: Ledger, call: Call) -> Thing:
    """GET /recipients/:id."""
    return _found(ledger, call)


def update_recipient(ledger: Ledger, call: Call) -> Thing:
    """PATCH /recipients/:id."""
    name = params.text(call.params, "name")
    return _keep(ledger, _found(ledger, call) | _given(call) | ({"name": name} if name else {}))


def verify_recipient(ledger: Ledger, call: Call) -> Thing:
    """POST /recipients/:id/verify, test mode only: verified and active at once."""
    at = instant(call.now)
    return _keep(
        ledger, _found(ledger, call) | {"verified": True, "verified_at": at, "active": True, "activated_at": at}
    )


def delete_recipient(ledger: Ledger, call: Call) -> Thing:
    """DELETE /recipients/:id."""
    recipient = _keep(ledger, _found(ledger, call) | {"deleted": True, "active": False})
    return {name: recipient[name] for name in ("object", "id", "livemode", "deleted")}


def recipient_json(ledger: Ledger, name: str, livemode: bool) -> Thing | None:
    """A recipient, created here or ready-made; None when there is none."""
    found = ledger.find("recipient", name)
    if found is not None:
        return found if found["livemode"] == livemode else None
    if not names.ready_made(name, "recp", livemode) or "unknown" in name:
        return None
    return _recipient(name, livemode, verified="unverified" not in name, active="inactive" not in name)


# --- transfers


def create_transfer(ledger: Ledger, call: Call) -> Thing:
    """POST /transfers; the same `idemp_key` gives the same transfer back."""
    key = params.text(call.params, "idemp_key")
    for transfer in ledger.transfers.values() if key else ():
        if transfer.idemp_key == key and transfer.livemode == call.livemode:
            return render(ledger, transfer)
    amount = params.whole(call.params, "amount")
    if amount is None or amount <= 0:
        raise bad_request("amount is required")
    recipient = payable(ledger, params.text(call.params, "recipient") or "recp_test_seed0000000000001", call.livemode)
    if amount <= arithmetic.TRANSFER_MIN:
        raise Problem(400, "invalid_amount", f"amount must be more than {arithmetic.TRANSFER_MIN}")
    if amount > balance(ledger, call.livemode)[1]:
        raise Problem(422, "insufficient_balance", "the transferable balance is lower than the amount")
    transfer = Transfer(
        id=ledger.mint("trsf", call.livemode),
        livemode=call.livemode,
        created=call.now,
        amount=amount,
        currency=arithmetic.FUNDING_CURRENCY,
        recipient=recipient["id"],
        metadata=params.mapping(call.params, "metadata"),
        fail_fast=params.flag(call.params, "fail_fast", default=False),
        idemp_key=key,
    )
    ledger.commit(transfer)
    return render(ledger, transfer)


def retrieve_transfer(ledger: Ledger, call: Call) -> Thing:
    """GET /transfers/:id."""
    return render(ledger, _transfer(ledger, call))


def update_transfer(ledger: Ledger, call: Call) -> Thing:
    """PATCH /transfers/:id, before it is sent."""
    transfer = _unsent(ledger, call)
    transfer.amount = params.whole(call.params, "amount") or transfer.amount
    transfer.metadata = params.mapping(call.params, "metadata") or transfer.metadata
    ledger.commit(transfer)
    return render(ledger, transfer)


def delete_transfer(ledger: Ledger, call: Call) -> Thing:
    """DELETE /transfers/:id, before it is sent."""
    transfer = _unsent(ledger, call)
    transfer.deleted = True
    ledger.commit(transfer)
    return {"object": "transfer", "id": transfer.id, "livemode": transfer.livemode, "deleted": True}


def mark_as_sent(ledger: Ledger, call: Call) -> Thing:
    """POST /transfers/:id/mark_as_sent, test mode only: one debit of the full amount."""
    transfer = _unsent(ledger, call)
    ledger.commit(*_send(ledger, transfer))
    return render(ledger, transfer)


def mark_as_paid(ledger: Ledger, call: Call) -> Thing:
    """POST /transfers/:id/mark_as_paid, test mode only; sends it first when needed."""
    transfer = _transfer(ledger, call)
    records = [transfer] if transfer.sent is not None else _send(ledger, _unsent(ledger, call))
    transfer.paid = ledger.now()
    ledger.commit(*records)
    return render(ledger, transfer)


def render(ledger: Ledger, transfer: Transfer) -> Thing:
    """The transfer's JSON with its bank account and, once sent, its transaction."""
    recipient = recipient_json(ledger, transfer.recipient, transfer.livemode)
    entry = ledger.transactions.get(transfer.transaction or "")
    account = recipient["bank_account"] if recipient else None
    return objects.transfer(transfer, account, [objects.transaction(entry)] if entry else [])


def balance(ledger: Ledger, livemode: bool) -> tuple[int, int]:
    """Total and transferable; transfers made but not sent are set aside."""
    total = ledger.credit[livemode]
    waiting = sum(
        transfer.amount
        for transfer in ledger.transfers.values()
        if transfer.livemode == livemode and transfer.sent is None and not transfer.deleted
    )
    return total, total - waiting


# --- chains


def retrieve_chain(ledger: Ledger, call: Call) -> Thing:
    """GET /chains/:id."""
    return objects.chain(_chain(ledger, call))


def chain_transfer(ledger: Ledger, call: Call) -> Thing:
    """GET /chains/:id/transfer."""
    return render(ledger, ledger.transfers[_chain(ledger, call).transfer])


def revoke_chain(ledger: Ledger, call: Call) -> Thing:
    """POST /chains/:id/revoke."""
    chain = _chain(ledger, call)
    chain.revoked = True
    ledger.commit(chain)
    return objects.chain(chain)


# --- inside


def _send(ledger: Ledger, transfer: Transfer) -> list[Record]:
    transfer.sent = ledger.now()
    debit = Transaction(
        ledger.mint("trxn", transfer.livemode), transfer.livemode, transfer.sent, transfer.amount,
        transfer.currency, "debit", "transfer.sent.debit", transfer.id,
    )  # fmt: skip
    transfer.transaction = debit.id
    return [transfer, debit]


def _transfer(ledger: Ledger, call: Call) -> Transfer:
    transfer = ledger.transfers.get(call.ids[0])
    if transfer is None or transfer.livemode != call.livemode or transfer.deleted:
        raise not_found("transfer", call.ids[0])
    return transfer


def _unsent(ledger: Ledger, call: Call) -> Transfer:
    transfer = _transfer(ledger, call)
    if transfer.sent is not None:
        raise bad_request("the transfer was sent already")
    return transfer


def _chain(ledger: Ledger, call: Call) -> Chain:
    chain = ledger.chains.get(call.ids[0])
    if chain is None or chain.livemode != call.livemode:
        raise not_found("chain", call.ids[0])
    return chain


def _found(ledger: Ledger, call: Call) -> Thing:
    recipient = recipient_json(ledger, call.ids[0], call.livemode)
    if recipient is None:
        raise not_found("recipient", call.ids[0])
    return recipient


def _keep(ledger: Ledger, recipient: Thing) -> Thing:
    ledger.commit(things=[("recipient", recipient)])
    return recipient


def _given(call: Call) -> Thing:
    fields = {name: params.text(call.params, name) for name in ("email", "description", "tax_id")}
    metadata = params.mapping(call.params, "metadata")
    return {name: value for name, value in fields.items() if value} | ({"metadata": metadata} if metadata else {})


def _recipient(name: str, livemode: bool, *, verified: bool, active: bool) -> Thing:
    """All fields of a recipient (omise-api.md, 7.3)."""
    at = instant(0)
    return {
        "object": "recipient", "id": name, "livemode": livemode, "location": f"/recipients/{name}", "deleted": False,
        "bank_account": _bank_account("1234567890", "SANDBOX SELLER", "bbl"), "active": active,
        "activated_at": at if active else None, "created_at": at, "default": False, "description": None,
        "email": None, "failure_code": None, "metadata": {}, "name": "Sandbox Seller", "schedule": None,
        "tax_id": None, "type": "individual", "verified": verified, "verified_at": at if verified else None,
    }  # fmt: skip


def _bank_account(number: str, name: str, brand: str) -> Thing:
    return {
        "object": "bank_account", "livemode": False, "location": None, "deleted": False, "bank_code": None,
        "branch_code": None, "brand": brand, "account_number": number, "last_digits": number[-4:], "name": name,
        "type": None, "account_type": None, "created_at": instant(0),
    }  # fmt: skip
