"""What the ledger keeps of money and of what happened to it, without what can be derived."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Charge:
    """One charge; times are whole seconds since 1970, amounts whole smallest units."""

    id: str
    livemode: bool
    created: int
    amount: int
    currency: str
    status: str = "pending"
    captured_amount: int = 0
    destination: str | None = None
    chain: str | None = None
    transaction: str | None = None
    card: str | None = None
    customer: str | None = None
    source: str | None = None
    description: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    fixed: int | None = None
    percentage: str | None = None
    commission: int | None = None
    capture: bool = True
    authorized: bool = False
    authorization_type: str | None = None
    return_uri: str | None = None
    authorize_uri: str | None = None
    ip: str | None = None
    failure_code: str | None = None
    refunded: int = 0
    refunds: list[str] = field(default_factory=list)
    expires: int | None = None
    paid: int | None = None
    authorized_at: int | None = None
    expired: int | None = None
    reversed: int | None = None
    deleted: bool = False  # forgotten: 404 by its id and in no list
    dispute: str | None = None


@dataclass(slots=True)
class Transfer:
    """Money on its way to a recipient's bank."""

    id: str
    livemode: bool
    created: int
    amount: int
    currency: str
    recipient: str
    metadata: dict[str, Any] = field(default_factory=dict)
    fail_fast: bool = False
    idemp_key: str | None = None
    chain: str | None = None
    transaction: str | None = None
    sent: int | None = None
    paid: int | None = None
    deleted: bool = False
    failure_code: str | None = None


@dataclass(slots=True)
class Chain:
    """What ties a charge to the transfer it caused."""

    id: str
    livemode: bool
    created: int
    charge: str
    transfer: str
    revoked: bool = False


@dataclass(slots=True)
class Transaction:
    """One line of the gateway's own books."""

    id: str
    livemode: bool
    created: int
    amount: int
    currency: str
    direction: str
    key: str
    origin: str


@dataclass(slots=True)
class Refund:
    """Money given back to the payer; a chained transfer stays as it is (docs/gateway.md, 2.5: no
    page says otherwise).
    """

    id: str
    livemode: bool
    created: int
    amount: int
    currency: str
    charge: str
    transaction: str
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Dispute:
    """What a payer's bank says against a charge; the money is held until it is closed."""

    id: str
    livemode: bool
    created: int
    amount: int
    currency: str
    charge: str
    transaction: str
    status: str = "open"  # open, pending, won, lost


@dataclass(slots=True)
class Event:
    """Something that happened: `key` (charge.create) to the object `origin`; `data` are its fields
    as they were then.

    `data` is never written: the ledger takes it from the commit that the event came with.
    """

    id: str
    livemode: bool
    created: int
    key: str
    origin: str
    data: dict[str, Any] | None = None


Record = Charge | Transfer | Chain | Transaction | Refund | Dispute | Event
KINDS: dict[str, type[Record]] = {
    one.__name__.lower(): one
    for one in (Charge, Transfer, Chain, Transaction, Refund, Dispute, Event)
}
KIND_OF: dict[type[Record], str] = {one: kind for kind, one in KINDS.items()}
_DEFAULTS = {
    one: [
        (f.name, f.default_factory() if f.default_factory is not MISSING else f.default)
        for f in fields(one)
    ]
    for one in KIND_OF
}


def fields_of(record: Record) -> dict[str, Any]:
    """Field by field, without those that are as they are by default."""
    defaults = _DEFAULTS[type(record)]
    return {
        name: value
        for name, default in defaults
        if (value := getattr(record, name)) != default
    }
