"""BOOKS: what a gateway tells beside the charges of a run, typed: who may be charged and paid, and
what became of the money since.

Every value here is read in gateways/, where the gateway's own documents end. What could not be read
is None, empty, or the text that stood there: never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from batchpay.domain.model import ChargeSeen

T_co = TypeVar("T_co", covariant=True)

Minor = int | str | None
"""A sum in the smallest unit, as a ledger gives it; a text: what stands there and is no whole
number; None: nothing does.
"""


# --- who may be charged, and paid


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money it is (docs/gateway.md, 7.4)."""

    id: str = ""  # empty: the gateway does not tell
    currency: str = ""  # in which it is paid out, upper case
    live: bool | None = None  # is it the live account? None: the gateway does not tell
    currencies: frozenset[str] = frozenset()  # that it takes, upper case


@dataclass(frozen=True, slots=True)
class Capability:
    """What the gateway takes, in the smallest unit of the account's currency; None: untold."""

    least_charge: int | None = None
    most_charge: int | None = None
    smallest_transfer: int | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is to be paid; None: the gateway does not tell."""

    id: str
    deleted: bool | None = None
    verified: bool | None = None
    active: bool | None = None
    failure_code: str | None = None  # why it is not verified


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who may be charged."""

    id: str
    has_card: bool = False


# --- the account's own ledger


@dataclass(frozen=True, slots=True)
class Span:
    """From when and until when a ledger is listed, ISO 8601 UTC; an empty end is open."""

    since: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class PageOf(Generic[T_co]):
    """One page of any list of the gateway."""

    things: tuple[T_co, ...]
    ids: tuple[str, ...]  # of the same things, one by one
    total: int  # how many the whole list has, by the gateway's count
    # how many the gateway says it puts on a page; 0 when it does not say
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund."""

    id: str
    charge_id: str
    amount: int  # smallest unit
    currency: str  # upper case
    made_at: (
        # UTC, ISO 8601, by the gateway's clock; whatever else it says where that is no time
        str
    )


@dataclass(frozen=True, slots=True)
class Booked:
    """A charge with what became of it since."""

    id: str
    # None: a thing in the list of charges that is none
    charge: ChargeSeen | None = None
    net: Minor = None
    funding_currency: str = ""  # as the gateway writes it; empty: it does not say
    dispute: str | None = None  # the status of the payer's dispute; None: there is none
    refunds: tuple[Refund, ...] = ()  # those it tells one by one
    refunded: int = 0  # what it says was given back in all, smallest unit
    unread: str = ""  # what it says of its refunds and cannot be read

    @property
    def speaks_of_refunds(self) -> bool:
        """Does it say anything else than that nothing of it was given back?"""
        return bool(self.refunded or self.unread or self.refunds)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One entry of the account's ledger (docs/gateway.md, 7.5)."""

    direction: str  # credit or debit
    origin: str  # the id of what it comes from
    amount: Minor
    currency: str  # as the gateway writes it; empty: it does not say
    created_at: str
    id: str = ""
    key: str = ""  # what it is, in the gateway's word: charge.captured.net


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account has, all in all (docs/gateway.md, 7.6)."""

    total: int  # smallest unit
    currency: str  # upper case


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money on its way to a recipient (docs/gateway.md, 7.9)."""

    id: str
    recipient: str
    amount: int | None  # smallest unit; None: it is not told, or cannot be read
    currency: str  # as the gateway writes it; empty: it does not say
    deleted: bool = False
    failure_code: str = ""  # empty: it did not fail
    failure_message: str = ""
    sent: bool = False  # the bank has it
    paid: bool = False  # the bank says that it arrived
    sent_at: str = ""  # UTC, ISO 8601; empty: not yet, or untold
    paid_at: str = ""
    # what the gateway keeps of it, with VAT, smallest unit; None: untold
    fee: int | None = None
    net: int | None = None  # what the recipient's bank gets
    unread: tuple[str, ...] = ()  # what of these it tells and nobody can read


@dataclass(frozen=True, slots=True)
class ChainLink:
    """What ties a charge to its transfer, as far as the gateway tells (docs/gateway.md, 7.4)."""

    id: str
    transfer_id: str = ""  # empty: it does not say


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that the gateway says has happened (docs/gateway.md, 7.7)."""

    key: str  # transfer.pay, dispute.create
    about: str  # the id of what it happened to
    charge_id: str  # that it belongs to, where it says so; else empty
    status: str = (
        ""  # what it was by then, in the gateway's word; empty: it does not say
    )
