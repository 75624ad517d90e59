"""Transfers to the recipients' banks, and the chains between charges and transfers
(docs/gateway.md, 7.1, 7.2, 7.4).
"""

from __future__ import annotations

from batchpay.sandbox import arithmetic, objects, params, recipients
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.problems import Problem, bad_request, not_found
from batchpay.sandbox.records import Chain, Charge, Record, Transaction, Transfer
from batchpay.sandbox.terms import Terms


def create(ledger: Ledger, call: Call) -> Thing:
    """POST /transfers; the same `idemp_key` gives the same transfer back."""
    key = params.text(call.params, "idemp_key")
    if key:
        before = ledger.idemp_keys.get((call.livemode, key))
    else:
        before = None
    if before is not None:
        return render(ledger, ledger.get("transfer", before, call.livemode))
    amount = params.whole(call.params, "amount")
    recipient = params.text(call.params, "recipient") or recipients.DEFAULT
    recipients.payable(ledger, recipient, call.livemode)
    _check(ledger.terms, amount, ledger.funds.balance(call.livemode)[1])
    assert amount is not None
    transfer = Transfer(
        id=ledger.mint("trsf", call.livemode),
        livemode=call.livemode,
        created=call.now,
        amount=amount,
        currency=arithmetic.FUNDING_CURRENCY,
        recipient=recipient,
        metadata=params.mapping(call.params, "metadata"),
        fail_fast=params.flag(call.params, "fail_fast", default=False),
        idemp_key=key,
    )
    ledger.commit(transfer)
    return render(ledger, transfer)


def retrieve(ledger: Ledger, call: Call) -> Thing:
    """GET /transfers/:id."""
    return render(ledger, _transfer(ledger, call))


def update(ledger: Ledger, call: Call) -> Thing:
    """PATCH /transfers/:id, before it is sent."""
    transfer = _unsent(ledger, call)
    if "amount" in call.params:
        amount = params.whole(call.params, "amount")
        own = arithmetic.funding_of(transfer.amount, transfer.currency)
        _, transferable = ledger.funds.balance(call.livemode)
        _check(ledger.terms, amount, transferable + own)
        transfer.amount = amount or 0
    transfer.metadata = params.mapping(call.params, "metadata") or transfer.metadata
    ledger.commit(transfer, news="transfer.update")
    return render(ledger, transfer)


def delete(ledger: Ledger, call: Call) -> Thing:
    """DELETE /transfers/:id, before it is sent."""
    transfer = _unsent(ledger, call)
    transfer.deleted = True
    ledger.commit(transfer, news="transfer.destroy")
    return {
        "object": "transfer",
        "id": transfer.id,
        "livemode": transfer.livemode,
        "deleted": True,
    }


def mark_as_sent(ledger: Ledger, call: Call) -> Thing:
    """POST /transfers/:id/mark_as_sent, test mode only: one debit of the full amount."""
    transfer = _unsent(ledger, call)
    ledger.commit(*_send(ledger, transfer), news="transfer.send")
    return render(ledger, transfer)


def mark_as_paid(ledger: Ledger, call: Call) -> Thing:
    """POST /transfers/:id/mark_as_paid, test mode only; sends it first when needed."""
    transfer = _transfer(ledger, call)
    if transfer.sent is None:
        mark_as_sent(ledger, call)
    transfer.paid = ledger.now()
    ledger.commit(transfer, news="transfer.pay")
    return render(ledger, transfer)


ENDS = ("transfer_sent", "transfer_paid", "transfer_failed")


def become(ledger: Ledger, charge: Charge, end: str) -> None:
    """The transfer that a charge caused goes on, as far as `end` says; what was over stays so."""
    chain = ledger.find("chain", charge.chain) if charge.chain else None
    if chain is None:
        return
    transfer: Transfer = ledger.find("transfer", chain.transfer)
    go_on(ledger, transfer, end)


def go_on(ledger: Ledger, transfer: Transfer, end: str) -> None:
    """Sent, and then paid or failed: no step twice."""
    if (
        transfer.deleted
        or transfer.paid is not None
        or transfer.failure_code is not None
    ):
        return
    if transfer.sent is None:
        ledger.commit(*_send(ledger, transfer), news="transfer.send")
    if end == "transfer_paid":
        transfer.paid = ledger.now()
        ledger.commit(transfer, news="transfer.pay")
    elif end == "transfer_failed":
        ledger.commit(*_fail(ledger, transfer), news="transfer.fail")


def _fail(ledger: Ledger, transfer: Transfer) -> list[Record]:
    """The bank sends it back: a credit, whose key is ours, for none was recorded."""
    transfer.failure_code = "transfer_failed"
    credit = Transaction(
        ledger.mint("trxn", transfer.livemode),
        transfer.livemode,
        ledger.now(),
        arithmetic.funding_of(transfer.amount, transfer.currency),
        arithmetic.FUNDING_CURRENCY,
        "credit",
        "transfer.failed.credit",
        transfer.id,
    )
    return [transfer, credit]


def move(ledger: Ledger) -> None:
    """Where the script says how long a transfer takes, each goes on when its time has come (a
    recorded one was sent after 3 s and paid after 5 s more; docs/gateway.md, 9).
    """
    terms = ledger.terms
    if terms.transfer_sent_s is None:
        return
    for transfer in ledger.moving():
        age_s = ledger.now() - transfer.created
        if age_s < terms.transfer_sent_s:
            continue
        end = "transfer_sent"
        if terms.transfer_paid_s is not None and age_s >= terms.transfer_paid_s:
            end = "transfer_paid"
            if "bankfails" in transfer.recipient:
                end = "transfer_failed"
        if end != "transfer_sent" or transfer.sent is None:
            go_on(ledger, transfer, end)


def render(ledger: Ledger, transfer: Transfer) -> Thing:
    """The transfer's JSON with its bank account and, once sent, its transaction."""
    recipient = recipients.existing(ledger, transfer.recipient, transfer.livemode)
    transactions = []
    if transfer.transaction:
        entry = ledger.find("transaction", transfer.transaction)
        if entry:
            transactions.append(objects.transaction(entry))
    account = None
    if recipient:
        account = recipient["bank_account"]
    return objects.transfer(transfer, ledger.terms, account, transactions)


# --- chains


def chain_transfer(ledger: Ledger, call: Call) -> Thing:
    """GET /chains/:id/transfer."""
    chain: Chain = ledger.get("chain", call.ids[0], call.livemode)
    return render(ledger, ledger.get("transfer", chain.transfer, call.livemode))


def revoke_chain(ledger: Ledger, call: Call) -> Thing:
    """POST /chains/:id/revoke."""
    chain: Chain = ledger.get("chain", call.ids[0], call.livemode)
    chain.revoked = True
    ledger.commit(chain)
    return objects.chain(chain)


# --- inside


def _check(terms: Terms, amount: int | None, transferable: int) -> None:
    if amount is None or amount <= 0:
        raise bad_request("amount is required")
    if not objects.within(terms, amount):
        raise Problem(
            400,
            "invalid_amount",
            "amount must be within the limits of GET /capability and above the fee",
        )
    if amount > transferable:
        raise Problem(
            422,
            "insufficient_balance",
            "the transferable balance is lower than the amount",
        )


def _send(ledger: Ledger, transfer: Transfer) -> list[Record]:
    """The books are kept in the account's own currency, whatever the transfer's is."""
    transfer.sent = ledger.now()
    debit = Transaction(
        ledger.mint("trxn", transfer.livemode),
        transfer.livemode,
        transfer.sent,
        arithmetic.funding_of(transfer.amount, transfer.currency),
        arithmetic.FUNDING_CURRENCY,
        "debit",
        "transfer.sent.debit",
        transfer.id,
    )
    transfer.transaction = debit.id
    return [transfer, debit]


def _transfer(ledger: Ledger, call: Call) -> Transfer:
    transfer: Transfer = ledger.get("transfer", call.ids[0], call.livemode)
    if transfer.deleted:
        raise not_found("transfer", call.ids[0])
    return transfer


def _unsent(ledger: Ledger, call: Call) -> Transfer:
    transfer = _transfer(ledger, call)
    if transfer.sent is not None:
        raise bad_request("the transfer was sent already")
    return transfer
