"""What is told of charges after their run, and of the account's own ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batchpay.domain.events.forms import DICT, DICTS, LIST, OPTIONAL, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited(Told):
    """Journal and gateway were matched over a period."""

    kind = "audit"

    first: str = field(metadata={"key": "from"})  # day
    last: str = field(metadata={"key": "to"})
    differences: int
    open: int
    # upper-case currency -> what the account had at its end, smallest unit; of days that were over
    closing: Mapping[str, int] = field(
        default_factory=dict, metadata=DICT | {"left_out": ({},)}
    )
    # of the days; empty: kept before it was, perhaps of days that were not over
    zone: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSeen(Told):
    """What an audit saw of money given back of a charge, when it was news."""

    kind = "refunded"

    order: str = ""
    charge_id: str = ""
    currency: str = ""
    total: int = 0  # smallest unit, as `charged`
    charged: int | None = 0  # by the charge; None: it does not tell
    # books.Refund
    refunds: tuple[Mapping[str, Any], ...] = field(default=(), metadata=DICTS)
    told: str = ""
    # what of it cannot be true beside the charge, and is not in `total`
    contradicts: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeSeen(Told):
    """What a payer's bank says against a charge, when it was news."""

    kind = "disputed"

    order: str
    charge_id: str
    status: str  # of the dispute, in the gateway's word
    amount: int = 0  # of the charge, smallest unit
    currency: str = ""  # upper case


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed(Told):
    """What a run asked about charges of before: where the next one goes on."""

    kind = "followed"

    # Wall clock, UTC ns: every charge of before has its transfer at its end, but those of `open`.
    since_ns: int
    open: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)  # order ids
    # where there were too many for one run: the order behind which the next one begins
    after: str = field(default="", metadata=OPTIONAL)
    asked_ns: int = 0  # when all that was due had been asked, last
    pending_ns: int = 0  # the same of pending charges
    # the order of the last of them that was asked about, where the budget ended
    pending_after: str = field(default="", metadata=OPTIONAL)
    news_from: str = ""  # ISO 8601 UTC: refunds and events of before were read
    # ... but for the gateway's events from then on, behind so many of them, where the budget ended
    events_from: str = field(default="", metadata=OPTIONAL)
    events_at: int = field(default=0, metadata=OPTIONAL)
    # charges that it did not tell when they were asked for by id, while it told others
    unread: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)
    # the gateway tells of no transfer
    untold: bool = field(default=False, metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceNoted(Told):
    """A person's word on one difference of an audit, as it was then."""

    kind = "noted"

    id: str = ""
    order: str = ""
    charge_id: str = ""
    amount: int = 0  # smallest unit
    currency: str = ""
    state: str = ""
    told: str = ""
    reason: str = ""
    by: str = ""
