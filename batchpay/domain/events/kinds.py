"""KINDS: every class of event, and what journals ask of them in queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from batchpay.domain.events.attempts import (
    Absent,
    Adopted,
    Answered,
    Disbelieved,
    Found,
    Intended,
    Missing,
    Resolved,
    TransferSeen,
    Unclear,
    Untold,
    Voided,
    Withdrawn,
)
from batchpay.domain.events.batches import (
    Archived,
    BatchPlanned,
    IdsMadeOf,
    IdsRenamed,
    InputsRead,
    NewOrders,
    RecipientsAsked,
    RowsAnswered,
    TotalsCounted,
)
from batchpay.domain.events.forms import Told
from batchpay.domain.events.ledger import (
    Audited,
    DifferenceNoted,
    DisputeSeen,
    Followed,
    RefundSeen,
)
from batchpay.domain.events.orders import (
    ChargedElsewhere,
    OrderCancelled,
    RowsGivenUp,
)
from batchpay.domain.events.runs import (
    BelongsTo,
    Listed,
    LookedAgain,
    Probed,
    ProbeStarted,
    Recovered,
    Restored,
    RunCounted,
    RunFinished,
    RunStarted,
)
from batchpay.domain.events.stops import (
    Disowned,
    Held,
    Lifted,
    NamelessListed,
    Stop,
    Stray,
    ThrottleDistrusted,
    Unreadable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Told):
    """An event of a kind that a later version writes, or that nobody reads."""


ALL: tuple[type[Told], ...] = (
    Intended,
    Voided,
    Answered,
    Found,
    Absent,
    Adopted,
    Resolved,
    Withdrawn,
    Missing,
    Unclear,
    Untold,
    Disbelieved,
    TransferSeen,
    OrderCancelled,
    RowsGivenUp,
    ChargedElsewhere,
    BelongsTo,
    RunStarted,
    RunCounted,
    RunFinished,
    Restored,
    Recovered,
    Listed,
    LookedAgain,
    InputsRead,
    IdsMadeOf,
    NewOrders,
    IdsRenamed,
    RowsAnswered,
    RecipientsAsked,
    Held,
    Stop,
    Lifted,
    ThrottleDistrusted,
    Unreadable,
    Disowned,
    Stray,
    NamelessListed,
    Audited,
    RefundSeen,
    DisputeSeen,
    Followed,
    DifferenceNoted,
    ProbeStarted,
    Probed,
    TotalsCounted,
    BatchPlanned,
    Archived,
)
BY_KIND: Mapping[str, type[Told]] = {one.kind: one for one in ALL}


def kinds(*classes: type[Told]) -> tuple[str, ...]:
    """What the journal calls them."""
    return tuple(one.kind for one in classes)


BEGINNINGS = kinds(Intended, Adopted)  # by which an attempt begins
CHARGES = kinds(Answered, Found, Adopted, Resolved)  # that tell of a charge
LOOKED_UP = kinds(Found, Adopted)  # ... as a list or its id shows it
SHOWN_CHARGES = kinds(Answered, Found, Adopted)  # ... and not on a person's word
STOPS = kinds(Stop, Lifted)
# of which every charge has one or more: the journal's index of kinds is of the others (schema.sql)
FREQUENT = kinds(Intended, Answered, Found, TransferSeen)

# where a value stands in `data`, as SQLite's json_extract wants it
CHARGE_ID_AT = "$.charge.id"
CHARGE_CREATED_AT = "$.charge.created_at"
CHARGE_AMOUNT_AT = "$.charge.amount"
CHARGE_CURRENCY_AT = "$.charge.currency"
STATE_AT = "$.state"
SALE_AT = "$.intent.sale"
STATUS_AT = "$.status"
IDS_FROM_AT = "$.intent.ids_from"


class AskedFor(NamedTuple):
    """What an attempt asks for, as a query tells it (ASKED_FOR); what an event does not say is
    empty.
    """

    payer: str
    destination: str
    amount: int  # smallest unit
    currency: str
    single_use: str


SINGLE_USE_AT = "$.intent.single_use"
DATA_OF_E = 'plain(e.data, e.order_id, e."row")'
"""What an event keeps, as text, in a query that calls the events e (stencils.DATA)."""

ASKED_FOR = ", ".join(
    [
        *(
            f"CAST(coalesce(json_extract({DATA_OF_E}, '$.intent.{name}'), '') AS TEXT)"
            for name in ("payer", "destination")
        ),
        f"CAST(coalesce(json_extract({DATA_OF_E}, '$.intent.amount'), 0) AS INTEGER)",
        *(
            f"CAST(coalesce(json_extract({DATA_OF_E}, '$.intent.{name}'), '') AS TEXT)"
            for name in ("currency", "single_use")
        ),
    ]
)
# all that queries ask of `data`: it stands beside a packed event, too (journals/sqlite/packed.py)
ASKED_IN_QUERIES = (
    STATE_AT,
    STATUS_AT,
    CHARGE_ID_AT,
    CHARGE_CREATED_AT,
    CHARGE_AMOUNT_AT,
    CHARGE_CURRENCY_AT,
    "$.charge.status",  # as an auditor asks (docs/howto/auditing.md)
    SALE_AT,
    IDS_FROM_AT,
    *(f"$.intent.{name}" for name in AskedFor._fields),
)
# what stands before the value of `state` in the text of `data`
STATE_TEXT = '"state":'
