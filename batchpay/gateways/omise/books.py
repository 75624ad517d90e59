"""BOOKS: the lists of the account's ledger, taken apart: charges with what became of them, entries,
transfers, refunds.

A thing that cannot be read stays a thing of its list: what nobody can place is counted, and said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from batchpay.domain.books import (
    Balance,
    Booked,
    ChainLink,
    Happened,
    Minor,
    PageOf,
    Refund,
    Transaction,
    Transfer,
)
from batchpay.domain.secrets import masked
from batchpay.gateways.omise.documents import LARGEST, inside, money, text
from batchpay.gateways.omise.objects import (
    cannot_be_read,
    charge_in,
    given_back_in,
    size_told,
)

T = TypeVar("T")

LONGEST_CODE = 80  # characters of what a transfer says of its failure
LONGEST_MESSAGE = 300


def listed_in(document: Any, read: Callable[[Any], T]) -> PageOf[T] | None:
    """A page of any list of things that have ids (docs/gateway.md, 7.8); None for anything else."""
    data, total = inside(document, "data"), inside(document, "total")
    if inside(document, "object") != "list" or not isinstance(data, list):
        return None
    if type(total) is not int:
        return None
    ids = [inside(thing, "id") for thing in data]
    if not all(isinstance(name, str) for name in ids):
        return None
    return PageOf(tuple(map(read, data)), tuple(ids), total, size_told(document))


def charges_in(document: Any) -> PageOf[Booked] | None:
    """A page of `GET /charges`; what is no charge among them is in it, too."""
    return listed_in(document, booked_in)


def transactions_in(document: Any) -> PageOf[Transaction] | None:
    """A page of `GET /transactions`."""
    return listed_in(document, transaction_in)


def transfers_in(document: Any) -> PageOf[Transfer] | None:
    """A page of `GET /transfers`."""
    return listed_in(document, transfer_in)


def refunds_in(document: Any) -> PageOf[Refund | None] | None:
    """A page of `GET /refunds`; None stands for what is no refund."""
    return listed_in(document, refund_in)


def charge_booked(document: Any) -> Booked | None:
    """The charge that `GET /charges/:id` tells of; None when it is none."""
    if charge_in(document) is None:
        return None
    return booked_in(document)


def booked_in(document: Any) -> Booked:
    """A charge with its dispute and its refunds (docs/gateway.md, 3.1 and 3.2)."""
    refunded, unread = given_back_in(document)
    return Booked(
        id=text(document, "id"),
        charge=charge_in(document),
        net=_minor(document, "net"),
        funding_currency=_words(document, "funding_currency"),
        dispute=_dispute(document),
        refunds=_refunds(document),
        refunded=refunded,
        unread=unread,
    )


def charge_of_dispute(document: Any) -> str | None:
    """The id of the charge; None for what is no dispute."""
    if inside(document, "object") != "dispute":
        return None
    charge = inside(document, "charge")
    if isinstance(charge, dict):
        charge = charge.get("id")
    return charge if isinstance(charge, str) else None


def _dispute(document: Any) -> str | None:
    dispute = inside(document, "dispute")
    if not dispute:
        return None
    return _words(dispute, "status")


def _refunds(document: Any) -> tuple[Refund, ...]:
    """Those that a charge has in itself: a list object, or nothing but the list."""
    data = inside(document, "refunds")
    if isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, list):
        return ()
    return tuple(refund for refund in map(refund_in, data) if refund is not None)


def refund_in(document: Any) -> Refund | None:
    """A refund object; None for anything else. What of it cannot be read is zero or empty."""
    if inside(document, "object") != "refund" or type(document.get("id")) is not str:
        return None
    charge, amount = document.get("charge"), document.get("amount")
    if isinstance(charge, dict):
        charge = charge.get("id")
    if not isinstance(charge, str):
        charge = ""
    if type(amount) is not int or not 0 <= amount < LARGEST:
        amount = 0
    return Refund(
        id=document["id"],
        charge_id=charge,
        amount=amount,
        currency=_words(document, "currency").upper(),
        made_at=_words(document, "created_at") or _words(document, "created"),
    )


def transaction_in(document: Any) -> Transaction:
    """An entry of the ledger (docs/gateway.md, 7.5)."""
    return Transaction(
        direction=text(document, "direction"),
        origin=_words(document, "origin"),
        amount=_minor(document, "amount"),
        currency=_words(document, "currency"),
        created_at=_words(document, "created_at"),
        id=_words(document, "id"),
        key=_words(document, "key"),
    )


def balance_in(document: Any) -> Balance | None:
    """What `GET /balance` tells (docs/gateway.md, 7.6); None when it is no balance."""
    total = _whole(document, "total")
    if inside(document, "object") != "balance" or total is None:
        return None
    return Balance(total, _words(document, "currency").upper())


def transfer_in(document: Any) -> Transfer:
    """A transfer (docs/gateway.md, 7.1 and 7.9)."""
    sums = {
        "amount": money(document, "amount"),
        "total_fee": money(document, "total_fee", least=1 - LARGEST),
        "net": money(document, "net", least=1 - LARGEST),
    }
    recipient = inside(document, "recipient")
    if isinstance(recipient, dict):
        recipient = recipient.get("id")
    return Transfer(
        id=_words(document, "id"),
        recipient=str(recipient or ""),
        amount=sums["amount"][0],
        currency=_words(document, "currency"),
        deleted=bool(inside(document, "deleted")),
        failure_code=masked(_words(document, "failure_code"))[:LONGEST_CODE],
        failure_message=masked(_words(document, "failure_message"))[:LONGEST_MESSAGE],
        sent=inside(document, "sent") is True,
        paid=inside(document, "paid") is True,
        sent_at=_words(document, "sent_at"),
        paid_at=_words(document, "paid_at"),
        fee=sums["total_fee"][0],
        net=sums["net"][0],
        unread=tuple(map(" ".join, cannot_be_read(sums))),
    )


def transfer_told(document: Any) -> Transfer | None:
    """The transfer that was asked for by a name; None for anything else."""
    if inside(document, "object") != "transfer" or not _words(document, "id"):
        return None
    return transfer_in(document)


def chains_in(document: Any) -> PageOf[ChainLink] | None:
    """A page of `GET /chains`. What the gateway calls so in older pages names no transfer."""
    return listed_in(document, chain_in)


def chain_in(document: Any) -> ChainLink:
    """A chain (docs/gateway.md, 7.4)."""
    if not isinstance(document, dict):
        return ChainLink("")
    transfer = document.get("transfer")
    if isinstance(transfer, dict):
        transfer = transfer.get("id")
    if not isinstance(transfer, str):
        transfer = ""
    return ChainLink(str(document.get("id") or ""), transfer)


def events_in(document: Any) -> PageOf[Happened] | None:
    """A page of `GET /events`."""
    return listed_in(document, event_in)


def event_in(document: Any) -> Happened:
    """An event, with what it is about (docs/gateway.md, 7.7). `data` is written in the account's
    own version: the three names that are read of it are the same in all of them.
    """
    data = inside(document, "data")
    charge = inside(data, "charge")
    if isinstance(charge, dict):
        charge = charge.get("id")
    if not isinstance(charge, str):
        charge = ""
    status = inside(data, "status")
    if not isinstance(status, str):
        status = ""
    return Happened(_words(document, "key"), _words(data, "id"), charge, status)


def _whole(document: Any, name: str) -> int | None:
    value = inside(document, name)
    if type(value) is int and -LARGEST < value < LARGEST:
        return value
    return None


def _words(document: Any, name: str) -> str:
    """Whatever stands there, as text; empty where nothing does."""
    return str(inside(document, name) or "")


def _minor(document: Any, name: str) -> Minor:
    value = inside(document, name)
    if value is None or type(value) is int:
        return value
    return str(value)
