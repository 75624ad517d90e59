"""What the ledger keeps of money: charges, transfers, chains and transactions, without what can be derived."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    expires: int = 0
    paid: int | None = None
    authorized_at: int | None = None
    expired: int | None = None
    reversed: int | None = None


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


Record = Charge | Transfer | Chain | Transaction
KINDS: dict[str, type[Record]] = {"charge": Charge, "transfer": Transfer, "chain": Chain, "transaction": Transaction}
