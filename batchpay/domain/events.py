"""EVENTS: what each kind of line in the journal tells, written and read here and nowhere else.

A line (`model.Event`) has columns that every event has, and `data`, a JSON object that each kind
fills as it needs. Each kind is a class here; `of` reads a line, `line` writes one, and `data` is
known by heart nowhere else (`tests/test_events.py` holds that).

Two rules keep old journals readable and new ones the same bytes for the same facts:

- a key that a later version added is left out while it says nothing (`left_out`);
- a key, or a kind, that nobody here knows is passed over, never refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple, Self, TypeVar
from urllib.parse import parse_qs

from batchpay.domain.model import Batch, ChargeSeen, Event, Intent, Read, Repeat
from batchpay.domain.ports import Journal

# --- how a class becomes `data`, and back

_EMPTY = (None, "", (), False)


class _Kept(NamedTuple):
    """How one field of a class stands in `data`."""

    name: str
    key: str
    left_out: tuple[Any, ...]
    write: Callable[[Any], Any] | None


class _Form(NamedTuple):
    """How a class stands in `data`; made once, for every event ever written is read at each run."""

    kept: tuple[_Kept, ...]
    names: Mapping[str, str]  # key -> field
    reads: tuple[tuple[str, Callable[[Any, Event], Any]], ...]  # fields that are not kept as is


# `left_out`: values for which a field has no key; `key`: its name where it is not the field's own;
# `write`, `read`: its form in JSON
_OPTIONAL: dict[str, Any] = {"left_out": _EMPTY}
_UNLESS_NONE: dict[str, Any] = {"left_out": (None,)}


def _texts(value: Any, _: Event) -> tuple[str, ...]:
    return tuple(map(str, value))


def _pairs(value: Any, _: Event) -> tuple[tuple[str, str], ...]:
    return tuple((str(one), str(other)) for one, other in value)


def _pairs_json(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [list(pair) for pair in pairs]


def _dicts(value: Any, _: Event) -> tuple[Mapping[str, Any], ...]:
    return tuple(value)


def _charge_json(charge: ChargeSeen | None) -> dict[str, Any] | None:
    if charge is None:
        return None
    return charge.to_json()


def _charge_back(value: Any, _: Event) -> ChargeSeen | None:
    if not value:
        return None
    return ChargeSeen.from_json(value)


def _stray_back(value: Any, _: Event) -> ChargeSeen:
    return ChargeSeen.from_json(value)


def _number(value: Any, _: Event) -> float:
    return float(value)


_FLOAT: dict[str, Any] = {"read": _number}
_LIST: dict[str, Any] = {"write": list, "read": _texts}
_PAIRS: dict[str, Any] = {"write": _pairs_json, "read": _pairs}
_DICTS: dict[str, Any] = {"write": list, "read": _dicts}
_DICT: dict[str, Any] = {"write": dict}
_CHARGE: dict[str, Any] = {"write": _charge_json, "read": _charge_back} | _OPTIONAL


_FORMS: dict[type[Told], _Form] = {}


def _form(cls: type[Told]) -> _Form:
    form = _FORMS.get(cls)
    if form is None:
        form = _FORMS[cls] = _made_of(fields(cls))
    return form


def _made_of(of_class: Iterable[Field[Any]]) -> _Form:
    kept = []
    reads = []
    for one in of_class:
        how = one.metadata
        key = how.get("key", one.name)
        kept.append(_Kept(one.name, key, how.get("left_out", ()), how.get("write")))
        if "read" in how:
            reads.append((one.name, how["read"]))
    return _Form(tuple(kept), {one.key: one.name for one in kept}, tuple(reads))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one event tells. A class of it is a kind of event."""

    kind: ClassVar[str] = ""

    def data(self) -> dict[str, Any]:
        """As the journal keeps it."""
        kept = {}
        for one in _form(type(self)).kept:
            value = getattr(self, one.name)
            if value in one.left_out:
                continue
            if one.write is not None:
                value = one.write(value)
            kept[one.key] = value
        return kept

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back. Raises TypeError for a line that lacks what its kind always has."""
        _, names, reads = _form(cls)
        values = {names[key]: value for key, value in event.data.items() if key in names}
        for name, read in reads:
            if name in values:
                values[name] = read(values[name], event)
        return cls(**values)


T = TypeVar("T", bound=Told)


# --- what an attempt asks for

# columns of their own in the journal
_COLUMNS = ("order_id", "attempt", "batch_id", "sheet", "row")
_INTENT_FIELDS = frozenset(one.name for one in fields(Intent))
_ASKED = tuple(one.name for one in fields(Intent) if one.name not in _COLUMNS)


def _intent_json(intent: Intent) -> dict[str, Any]:
    kept = {name: getattr(intent, name) for name in _ASKED}
    if not intent.extras_from:
        del kept["extras_from"]
    return kept


def _intent_back(value: Any, event: Event) -> Intent:
    kept: dict[str, Any] = dict(value)
    if "mode" not in kept:  # written before commissions were kept apart from the body
        kept |= _fee_in(str(kept.get("body", "")))
    known = {name: one for name, one in kept.items() if name in _INTENT_FIELDS}
    if "sale" in known:
        known["sale"] = tuple(known["sale"])
    for column in _COLUMNS:
        known[column] = getattr(event, column)
    return Intent(**known)


_INTENT: dict[str, Any] = {"write": _intent_json, "read": _intent_back}


def _fee_in(body: str) -> dict[str, Any]:
    """The commission that a request body asks for."""
    asked = parse_qs(body)
    fixed = asked.get("platform_fee[fixed]")
    percentage = asked.get("platform_fee[percentage]")
    fee: dict[str, Any] = {"fee_fixed": None, "fee_percentage": None}
    if fixed:
        fee["fee_fixed"] = int(fixed[0])
    if percentage:
        fee["fee_percentage"] = percentage[0]
    return fee


# --- events of an attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAttempt(Told):
    """An event of one attempt of an order."""

    state: str = field(default="", metadata=_OPTIONAL)  # of the attempt after it (Attempt.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(OfAttempt):
    """An event that may show a charge of the attempt."""

    charge: ChargeSeen | None = field(default=None, metadata=_CHARGE)
    # how it differs from what was asked
    flaws: tuple[str, ...] = field(default=(), metadata=_LIST | _OPTIONAL)
    # its id is of another order's charge (J11)
    anothers: bool = field(default=False, metadata=_OPTIONAL)
    # did the first order that it was told for see it with its own key? None: it is not another's
    theirs: bool | None = field(default=None, metadata=_UNLESS_NONE)

    def as_anothers(self, flaw: str, *, theirs: bool) -> Self:
        """The same of a charge that is another order's."""
        return replace(
            self,
            flaws=(*self.flaws, flaw),
            anothers=True,
            theirs=theirs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended(OfAttempt):
    """A request will be sent: durable before its first byte (law L1)."""

    kind = "intent"

    boot_id: str
    boot_s: float = field(metadata=_FLOAT)  # CLOCK_BOOTTIME of its commit
    sha256: str = ""  # of the body
    # None: a further send of the same request
    intent: Intent | None = field(default=None, metadata=_INTENT | _OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(OfAttempt):
    """... and was not, because its intent had gone stale (law L2); no byte left."""

    kind = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Evidence):
    """What came back for a send, and what it proves."""

    kind = "answer"

    verdict: str = ""  # attempt.Proof
    status: int | None = field(default=None, metadata=_OPTIONAL)  # None: no complete answer
    code: str = field(default="", metadata=_OPTIONAL)
    message: str = field(default="", metadata=_OPTIONAL)
    spent: bool = field(default=False, metadata=_OPTIONAL)  # the token is used up after a doubt
    excerpt: str = field(default="", metadata=_OPTIONAL)  # of a body nobody expected, masked
    # CLOCK_BOOTTIME when its first byte left
    left_s: float | None = field(default=None, metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Evidence):
    """A look-up showed a charge of the attempt."""

    kind = "found"

    # read again because its chain was missing
    reread: bool = field(default=False, metadata=_OPTIONAL)
    by_id: bool = field(default=False, metadata=_OPTIONAL)  # asked for by its id, not listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbelieved(OfAttempt):
    """A charge stood behind another 429 of this gateway: the one that this send was answered with
    proves nothing either.
    """

    kind = "disbelieved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent(OfAttempt):
    """A complete look-up after the doubt period did not show it."""

    kind = "absent"

    boot_id: str
    boot_s: float = field(metadata=_FLOAT)  # CLOCK_BOOTTIME of the look-up
    closes: bool = False  # does it prove that nothing was charged?


@dataclass(frozen=True, slots=True)
class Word:
    """Who said something, and why."""

    by: str
    reason: str


def _word_back(value: Any, _: Event) -> Word:
    return Word(value["by"], value["reason"])


_WORD: dict[str, Any] = {"write": asdict, "read": _word_back} | _OPTIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted(Evidence):
    """A charge of this job that this journal did not make (law L11)."""

    kind = "adopted"

    intent: Intent | None = field(default=None, metadata=_INTENT)
    flaws: tuple[str, ...] = field(default=(), metadata=_LIST)
    # of the person who says that it is this order's; None: it says so itself
    word: Word | None = field(default=None, metadata=_WORD)
    # another attempt of the order is not over
    beside: bool = field(default=False, metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved(Evidence):
    """A person's word on an attempt, after a look-up."""

    kind = "resolved"

    said: str = field(metadata={"key": "as"})  # charged, accepted, not-charged or cancelled
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(OfAttempt):
    """A held attempt that will never be sent; the next one may follow."""

    kind = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(OfAttempt):
    """The gateway, asked for a charge of the attempt by its id, knows none (J27)."""

    kind = "missing"

    # which; empty: the one that is reported
    charge_id: str = field(default="", metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear(OfAttempt):
    """A list shows a charge without a key that may be this attempt's."""

    kind = "unclear"

    charge_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold(OfAttempt):
    """The charge of an earlier attempt, asked for by its id, was not shown (J04)."""

    kind = "untold"

    charge_id: str  # or, where it is about the account, that one
    # sent before the account was told, which shows nothing of that time
    account: bool = field(default=False, metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSeen(OfAttempt):
    """Where the recipient's share of a charge is, when that was news. It says nothing of where the
    attempt stands.
    """

    kind = "transfer"

    id: str
    stands: str  # after.Stands
    amount: int | None = field(default=None, metadata=_UNLESS_NONE)  # smallest unit
    currency: str = field(default="", metadata=_OPTIONAL)  # upper case
    # what the gateway keeps of it with VAT, and what the bank gets, smallest unit
    fee: int | None = field(default=None, metadata=_UNLESS_NONE)
    net: int | None = field(default=None, metadata=_UNLESS_NONE)
    sent_at: str = field(default="", metadata=_OPTIONAL)  # UTC, ISO 8601, by the gateway
    paid_at: str = field(default="", metadata=_OPTIONAL)
    code: str = field(default="", metadata=_OPTIONAL)  # why it failed, in the gateway's word
    message: str = field(default="", metadata=_OPTIONAL)
    # how it differs from the recipient's share
    flaws: tuple[str, ...] = field(default=(), metadata=_LIST | _OPTIONAL)


# --- events of an order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Told):
    """A person's word that an order is never to be sent."""

    kind = "cancelled"

    reason: str
    by: str = ""
    sale: tuple[str, ...] = field(default=(), metadata=_LIST)  # all that it is known by (kinship)
    # orders whose ids its rows had before
    had: tuple[str, ...] = field(default=(), metadata=_LIST | _OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedElsewhere(Told):
    """A charge of the same order that another job made (J06)."""

    kind = "elsewhere"

    job: str
    charge_id: str
    payer: str
    destination: str
    amount: int  # smallest unit
    currency: str  # lower case
    takes_money: bool


# --- events of a run, a batch or the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class BelongsTo(Told):
    """Which account, mode and address this journal belongs to."""

    kind = "account"

    account: str = ""  # empty: no gateway told it
    mode: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Told):
    """A process begins to work on a job."""

    kind = "run.started"

    boot_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounted(Told):
    """The run's work is done and counted; its reports follow."""

    kind = "run.counted"

    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Told):
    """The run is over, its reports are written."""

    kind = "run.finished"

    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLoss(Told):
    """What a journal was found to have lost (batches/wholeness)."""

    empty: bool = False  # did it know no order?
    evidence: str = field(default="", metadata=_OPTIONAL)  # who tells of it, and what
    # the last event that others know of
    had: int | None = field(default=None, metadata=_UNLESS_NONE)
    has: int | None = field(default=None, metadata=_UNLESS_NONE)  # ... and its own last one
    # modification time of the youngest manifest that was looked at
    manifests_ns: int | None = field(default=None, metadata=_UNLESS_NONE)
    # orders that reports tell to be cancelled; None: no report was asked
    cancelled: tuple[str, ...] | None = field(default=None, metadata=_LIST | _UNLESS_NONE)
    # charges that reports call so
    unproven: tuple[str, ...] = field(default=(), metadata=_LIST | _OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(OfLoss):
    """The journal is older than it has been: what it lost is looked for at the gateway."""

    kind = "restored"

    # the charge in the gateway's list that gave it away
    met: str = field(default="", metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(OfLoss):
    """... and that was done: after the wait the list was complete."""

    kind = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Told):
    """The gateway's charges were listed completely, up to a bound (law L11)."""

    kind = "listing"

    bound: str  # ISO 8601 UTC, whole seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsRead(Told):
    """The batches whose files lay there when a run read them."""

    kind = "inputs"

    batches: tuple[str, ...] = field(metadata=_LIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdsMadeOf(Told):
    """Of which cells order ids are made from now on (job.Columns.ids_from)."""

    kind = "ids"

    ids_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrders(Told):
    """A person's --yes, and what it is about (candidates.said_new)."""

    kind = "new_orders"

    # plan.fitting_terms, the first, and order id
    orders: tuple[tuple[str, str], ...] = field(default=(), metadata=_PAIRS)
    charges: tuple[str, ...] = field(default=(), metadata=_LIST)  # ids of adopted charges


Ids = Mapping[str, tuple[str, ...]]


def _ids_json(ids: Ids) -> dict[str, list[str]]:
    return {new: list(old) for new, old in ids.items()}


def _ids_back(value: Any, _: Event) -> Ids:
    return {new: tuple(old) for new, old in value.items()}


_IDS: dict[str, Any] = {"write": _ids_json, "read": _ids_back}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdsRenamed(Told):
    """Order ids that took the place of others (kinship.Names)."""

    kind = "renamed"

    same: Ids = field(default_factory=dict, metadata=_IDS | {"key": "ids"})
    had: Ids = field(default_factory=dict, metadata=_IDS)
    ids_from: str = ""
    said: Ids = field(default_factory=dict, metadata=_IDS | {"left_out": ({},)})
    # order id -> what the rows that rows with it came back for are known by
    back: Ids = field(default_factory=dict, metadata=_IDS | {"left_out": ({},)})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAnswered(Told):
    """Rows whose correction turned out to be a duplicate."""

    kind = "answered"

    rows: Mapping[str, str]  # place of a row -> order


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientsAsked(Told):
    """Recipients that cannot be paid now, and the gateway's limits."""

    kind = "preflight"

    barred: Mapping[str, str] = field(metadata=_DICT)  # recipient -> why
    # upper-case currency -> smallest transfer, smallest unit
    smallest_share: Mapping[str, int] = field(default_factory=dict, metadata=_DICT)
    # ... and smallest charge
    least_charge: Mapping[str, int] = field(default_factory=dict, metadata=_DICT)
    # ... and largest charge
    most_charge: Mapping[str, int] = field(
        default_factory=dict, metadata=_DICT | {"left_out": ({},)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Told):
    """Why the unsent rows of a batch were not sent."""

    kind = "held"

    reason: str
    stop: bool = field(default=False, metadata=_OPTIONAL)  # a stop is why


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Told):
    """Nothing is sent any more, until a person lifts it (law L10)."""

    kind = "stop"

    reason: str = ""
    order: str = ""  # that it is about; empty: none
    # of another job or of nobody, that it is about
    charge: str = field(default="", metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted(Told):
    """A person's word that what was in force is over."""

    kind = "lifted"

    reason: str = ""
    by: str = ""
    stop: str = ""  # what was in force


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleDistrusted(Told):
    """A charge stood behind a 429: from now on a 429 proves nothing."""

    kind = "throttle.distrusted"

    order: str
    charge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable(Told):
    """A charge that may be any order's: nothing is sent before a person has told."""

    kind = "unreadable"

    charge_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disowned(Told):
    """A person's word that a charge is none of this job's."""

    kind = "disowned"

    charge_id: str
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray(Told):
    """A charge that kept its key and named no order: the order that makes this key is its own."""

    kind = "stray"

    key: str
    charge: ChargeSeen = field(metadata={"write": _charge_json, "read": _stray_back})


@dataclass(frozen=True, slots=True, kw_only=True)
class NamelessListed(Told):
    """Charges without a key that may be those of orders of the same terms."""

    kind = "nameless"

    charges: tuple[Mapping[str, Any], ...] = field(metadata=_DICTS)  # unclaimed.Nameless


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited(Told):
    """Journal and gateway were matched over a period."""

    kind = "audit"

    first: str = field(metadata={"key": "from"})  # day
    last: str = field(metadata={"key": "to"})
    differences: int
    open: int
    # upper-case currency -> what the account had at its end, smallest unit
    closing: Mapping[str, int] = field(default_factory=dict, metadata=_DICT | {"left_out": ({},)})


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSeen(Told):
    """What an audit saw of money given back of a charge, when it was news."""

    kind = "refunded"

    order: str = ""
    charge_id: str = ""
    currency: str = ""
    total: int = 0  # smallest unit, as `charged`
    charged: int | None = 0  # by the charge; None: it does not tell
    refunds: tuple[Mapping[str, Any], ...] = field(default=(), metadata=_DICTS)  # refunds.Refund
    told: str = ""


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
    open: tuple[str, ...] = field(default=(), metadata=_LIST | _OPTIONAL)  # order ids
    # where there were too many for one run: the order behind which the next one begins
    after: str = field(default="", metadata=_OPTIONAL)
    asked_ns: int = 0  # when all that was due had been asked, last
    pending_ns: int = 0  # the same of pending charges
    # the order of the last of them that was asked about, where the budget ended
    pending_after: str = field(default="", metadata=_OPTIONAL)
    news_from: str = ""  # ISO 8601 UTC: refunds and events of before were read
    untold: bool = field(default=False, metadata=_OPTIONAL)  # the gateway tells of no transfer


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStarted(Told):
    """Test charges are made to learn what the gateway does."""

    kind = "probe.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed(Told):
    """... and what they showed."""

    kind = "probe"

    findings: Mapping[str, str]  # subject -> what it showed

    def data(self) -> dict[str, Any]:
        """The findings themselves."""
        return dict(self.findings)

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back."""
        return cls(findings=event.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsCounted(Told):
    """Where the rows of a batch stand; what a report was written from."""

    kind = "totals"

    totals: Mapping[str, Any]  # findings.Totals, in its own form
    rows_sha256: str = ""  # of every row's outcome
    stop: str = ""  # that was in force
    version: str = ""  # of the program that planned the batch
    said: str = field(default="", metadata=_OPTIONAL)  # digest of the words that a manifest told

    def data(self) -> dict[str, Any]:
        """Counts and sums stand beside the rest."""
        kept = Told.data(self)
        return {**kept.pop("totals"), **kept}

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back."""
        own = _form(cls).names
        kept = {key: value for key, value in event.data.items() if key in own}
        return cls(totals={k: v for k, v in event.data.items() if k not in own}, **kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlanned(Told):
    """The rows of a file were read and judged; the rows themselves are in row_chunks."""

    kind = "batch.planned"

    generation: str  # of the kept rows
    rows_sha256: str  # over the kept rows
    kept: Mapping[str, Any]  # all of it, as it stands

    @classmethod
    def made(
        cls,
        batch: Batch,
        staged: str,
        repeats: Mapping[tuple[str, int], Repeat],
    ) -> Self:
        """A plan. `staged`: generation and digest of its rows (SqliteJournal.stage)."""
        generation, _, digest = staged.partition(":")
        placed = [[sheet, row, *one.to_json()] for (sheet, row), one in repeats.items()]
        kept = {
            "batch": asdict(batch),
            "rows_sha256": digest,
            "generation": generation,
            "repeats": placed,
        }
        return cls(generation=generation, rows_sha256=digest, kept=kept)

    def says_the_same(self, other: BatchPlanned) -> bool:
        """Is the same kept of it as of another one, but for the generation of its rows?"""
        mine = {**self.kept, "generation": other.generation}
        return bool(mine == json.loads(json.dumps(other.kept)))

    def judged_anew(self, batch: Batch) -> Self:
        """The same rows, with another decision about the batch as a whole."""
        return replace(self, kept={**self.kept, "batch": asdict(batch)})

    @property
    def batch(self) -> Batch:
        """The batch; what a later version kept of it beside this is not understood."""
        kept = self.kept["batch"]
        names = ("columns", "unused", "metadata", "notes", "sample")
        lists = {name: tuple(kept.get(name, ())) for name in names}
        read = tuple(Read(**one) for one in kept.get("read", ()))
        lookups = tuple((path, sha256) for path, sha256 in kept.get("lookups", ()))
        return Batch(**{**kept, **lists, "read": read, "lookups": lookups})

    @property
    def repeats(self) -> dict[tuple[str, int], Repeat]:
        """Sheet and row -> what another row makes of it."""
        return {(sheet, row): Repeat.from_json(rest) for sheet, row, *rest in self.kept["repeats"]}

    def data(self) -> dict[str, Any]:
        """All of it."""
        return dict(self.kept)

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back. Raises ValueError where a part of it is missing."""
        return cls.of_data(event.data, event.batch_id)

    @classmethod
    def of_data(cls, data: Mapping[str, Any], batch_id: str) -> Self:
        """The same, of `data` alone."""
        if not {"batch", "generation", "rows_sha256", "repeats"} <= data.keys():
            raise ValueError(f"batch {batch_id} lacks a part of its plan")
        return cls(
            generation=data["generation"],
            rows_sha256=data["rows_sha256"],
            kept=data,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Told):
    """An event of a kind that a later version writes, or that nobody reads."""


# --- kinds

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
    ChargedElsewhere,
    BelongsTo,
    RunStarted,
    RunCounted,
    RunFinished,
    Restored,
    Recovered,
    Listed,
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
)
BY_KIND: Mapping[str, type[Told]] = {one.kind: one for one in ALL}


def kinds(*classes: type[Told]) -> tuple[str, ...]:
    """What the journal calls them."""
    return tuple(one.kind for one in classes)


BEGINNINGS = kinds(Intended, Adopted)  # by which an attempt begins
CHARGES = kinds(Answered, Found, Adopted, Resolved)  # that tell of a charge
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


ASKED_FOR = ", ".join(
    [
        *(
            f"CAST(coalesce(json_extract(e.data, '$.intent.{name}'), '') AS TEXT)"
            for name in ("payer", "destination")
        ),
        "CAST(coalesce(json_extract(e.data, '$.intent.amount'), 0) AS INTEGER)",
        *(
            f"CAST(coalesce(json_extract(e.data, '$.intent.{name}'), '') AS TEXT)"
            for name in ("currency", "single_use")
        ),
    ]
)
# what stands before the value of `state` in the text of `data`
STATE_TEXT = '"state":'


# --- lines


def of(event: Event) -> Told:
    """What an event tells. Raises TypeError or KeyError for one that lacks what its kind has."""
    return BY_KIND.get(event.kind, Unknown).read(event)


def tells(event: Event, wanted: type[T]) -> T | None:
    """The same of an event of one kind; None for any other."""
    if event.kind != wanted.kind:
        return None
    return wanted.read(event)


def line(told: Told, at_ns: int, run_id: str = "", **columns: Any) -> Event:
    """An event to be appended. `columns`: those of `Event` that are not told by all of them."""
    return Event(
        kind=told.kind,
        at_ns=at_ns,
        run_id=run_id,
        data=told.data(),
        **columns,
    )


def line_of(
    told: OfAttempt,
    intent: Intent,
    at_ns: int,
    run_id: str,
    send: int = 0,
) -> Event:
    """The same of an attempt."""
    return Event(
        kind=told.kind,
        at_ns=at_ns,
        run_id=run_id,
        batch_id=intent.batch_id,
        sheet=intent.sheet,
        row=intent.row,
        order_id=intent.order_id,
        attempt=intent.attempt,
        send=send,
        data=told.data(),
    )


def at_state(event: Event, state: str) -> Event:
    """An event of an attempt, with where the attempt stands after it (Attempt.state); it has no
    place in a journal yet.
    """
    return Event(  # two are made a charge: dataclasses.replace takes four times as long
        event.kind,
        event.at_ns,
        event.run_id,
        event.batch_id,
        event.sheet,
        event.row,
        event.order_id,
        event.attempt,
        event.send,
        {**event.data, "state": state},
    )


def told_in(journal: Journal, wanted: type[T]) -> Iterator[tuple[Event, T]]:
    """All events of one kind that a journal has, each with what it tells."""
    return told_by(journal.events([wanted.kind]), wanted)


def told_by(some: Iterable[Event], wanted: type[T]) -> Iterator[tuple[Event, T]]:
    """Those of some events that are of one kind."""
    for event in some:
        told = tells(event, wanted)
        if told is not None:
            yield event, told


# --- what a journal must know of `data` whatever the kind


def begins(kind: str, send: int) -> bool:
    """Does an event begin an attempt?"""
    return kind == Adopted.kind or (kind == Intended.kind and send == 1)


def state_in(data: Mapping[str, Any]) -> str:
    """What an event says of where its attempt stands; "" for nothing."""
    state = data.get("state")
    if isinstance(state, str):
        return state
    return ""


def is_beside(data: Mapping[str, Any]) -> bool:
    """Was a charge adopted next to an attempt that is not over?"""
    return bool(data.get("beside"))


def asked_in(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an attempt asks for, by the names of `Intent`; empty where an event does not say."""
    kept = data.get("intent")
    if isinstance(kept, dict):
        return kept
    return {}


def charge_in(event: Event) -> Mapping[str, Any]:
    """The charge that an event tells of, by the names of `ChargeSeen`; empty for none."""
    kept = event.data.get("charge")
    if isinstance(kept, dict):
        return kept
    return {}


# keys of an answer that told of a charge, and of nothing else
_CHARGE_ALONE = frozenset({"charge", "left_s", "state", "status", "verdict"})


def charge_alone_in(event: Event, verdict: str) -> Mapping[str, Any]:
    """The same of an answer that proves just this (attempt.Proof), and says nothing beside; empty
    for any other.
    """
    if event.data.get("verdict") != verdict or not _CHARGE_ALONE.issuperset(event.data):
        return {}
    return charge_in(event)


def charge_id_in(event: Event) -> str:
    """The id of the charge that an event is about, of whatever kind it is; "" for none."""
    kept = event.data.get("charge")
    if isinstance(kept, dict):
        return str(kept.get("id", ""))
    return str(kept or event.data.get("charge_id", ""))


def state_of(event: Event) -> str:
    """What is shown of where an attempt stands after an event of whatever kind."""
    return str(event.data.get("state", ""))


def who_said(event: Event) -> str:
    """The person on whose word an event of whatever kind rests; "" for none."""
    return str(event.data.get("by", ""))


def order_of(event: Event) -> str:
    """The order that an event is about which is none of its attempts; "" for none."""
    return str(event.data.get("order", ""))
