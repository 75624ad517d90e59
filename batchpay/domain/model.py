"""The frozen records that flow from a file to a report, in the words of CONTRIBUTING.md, "The
words".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from batchpay.messages import problems
from batchpay.messages.message import Message, read, worded

T_co = TypeVar("T_co", covariant=True)

Document = dict[str, Any]
"""One order after mapping: order_id, amount (int, smallest unit), currency (lower case),
destination, one of card | customer (+ card) | source, and where given description, metadata (str ->
str), return_uri. Holds str, int and dict only; an empty cell leaves its key out.
"""


class Outcome(StrEnum):
    """Where a row ended (README.md, "Where a row ends")."""

    SUCCEEDED = "succeeded"
    UNPROVEN = "unproven"
    PENDING = "pending"
    DECLINED = "declined"
    EXPIRED = "expired"
    REVERSED = "reversed"
    REFUSED = "refused"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    IN_DOUBT = "in_doubt"
    HELD = "held"


SENT = frozenset(
    {
        Outcome.SUCCEEDED,
        Outcome.UNPROVEN,
        Outcome.PENDING,
        Outcome.DECLINED,
        Outcome.EXPIRED,
        Outcome.REVERSED,
        Outcome.REFUSED,
        Outcome.IN_DOUBT,
    }
)
MONEY_MOVED = frozenset({Outcome.SUCCEEDED, Outcome.UNPROVEN})
# an attempt may follow
NO_MONEY = frozenset(
    {Outcome.DECLINED, Outcome.EXPIRED, Outcome.REVERSED, Outcome.REFUSED}
)
# statuses of a charge (docs/gateway.md, 3.2)
ENDED_WITHOUT_MONEY = frozenset({"failed", "expired", "reversed"})
# a later run, or a person
OPEN = frozenset({Outcome.PENDING, Outcome.IN_DOUBT, Outcome.UNPROVEN, Outcome.HELD})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one cell: a value, never an exception."""

    # the input's column name, or the order field when no single column is to blame
    column: str
    # what was found: shortened, control and invisible characters as escapes, card numbers masked
    value: str
    said: Message  # what was expected and what to do
    # the name that a schema gives the rule; empty: it is that of the message
    label: str = ""

    @property
    def rule(self) -> str:
        """A stable code such as "number-format"."""
        return self.label or self.said.rule

    @property
    def remedy(self) -> str:
        """What was expected and what to do, in English."""
        return str(self.said)

    def message(self) -> Message:
        """`Amount: found '1.234,50' (number-format); write 1234.50`."""
        if not self.column:
            return problems.WHOLE_ROW(rule=self.rule, remedy=self.said)
        if not self.value:
            return problems.EMPTY(
                column=self.column,
                rule=self.rule,
                remedy=self.said,
            )
        return problems.FOUND(
            column=self.column,
            value=self.value,
            rule=self.rule,
            remedy=self.said,
        )

    def sentence(self) -> str:
        """The same in English."""
        return str(self.message())

    def to_json(self) -> dict[str, Any]:
        """For the journal: what earlier versions read of a problem, with code and fields beside."""
        return {
            "column": self.column,
            "value": self.value,
            "rule": self.rule,
            "remedy": self.remedy,
            "said": self.said.to_json(),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Problem:
        """The same problem back; one that an earlier version kept says what it said then."""
        said = read(kept.get("said", kept["remedy"]))
        if kept["rule"] == said.rule:
            return cls(kept["column"], kept["value"], said)
        return cls(kept["column"], kept["value"], said, kept["rule"])


class Chunk(Protocol):
    """Some thousand rows of one sheet as text, in the file's order."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Header names as the accountant sees them."""

    @property
    def sheet(self) -> str:
        """The sheet's name; empty for files without sheets."""

    @property
    def rows(self) -> Sequence[int]:
        """The row number of each row as the accountant sees it: the header is row 1, blank lines
        count.
        """

    @property
    def problems(self) -> Mapping[int, tuple[Problem, ...]]:
        """What the reader found wrong, by position in this chunk."""

    @property
    def typed(self) -> Mapping[str, Mapping[int, str]]:
        """Column -> position -> `date` or `boolean`: cells that are no text, as far as the format
        says it; `number` in columns whose texts have a declared form (Input.formed).
        """

    def texts(self, column: str) -> list[str]:
        """The cells of one column; an empty or missing cell is the empty text. Raises KeyError."""

    def cell(self, column: str, at: int) -> str:
        """One of them."""

    def cells(self) -> bytes:
        """All cells, columns and row numbers, compressed: what the state keeps so that a report
        needs no file.
        """


@dataclass(frozen=True, slots=True)
class Judged:
    """One chunk after mapping and validation: each position has a document, problems, or both."""

    chunk: Chunk
    # as far as it could be mapped; right where there is no problem
    documents: Sequence[Document]
    problems: Mapping[int, tuple[Problem, ...]]  # by position; these rows are rejected
    comeback: frozenset[int] = frozenset()  # positions with batchpay_retry = yes
    # position -> the row it came back for (places.place_of)
    corrects: Mapping[int, str] = field(default_factory=dict)
    # position -> every other order id that the row has had: as planned before, charged under, or as
    # it says itself
    earlier: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    # position -> what else the row asked for, when the job read it otherwise (terms.terms_alone)
    asked: Mapping[int, tuple[Document, ...]] = field(default_factory=dict)


# --- what goes out


@dataclass(frozen=True, slots=True)
class Intent:
    """What one attempt asks of the gateway: the same key and the same body for all its sends."""

    order_id: str
    attempt: int
    key: str  # Idempotency-Key and metadata[batchpay_key]
    body: str  # the exact form-encoded request body
    body_sha256: str
    content: str  # digest of the order's content, to tell a duplicate from a conflict
    amount: int  # smallest unit
    currency: str  # lower case
    destination: str
    payer: str  # card, customer or source id as asked
    batch_id: str  # of the row that owns the attempt
    sheet: str
    row: int
    run_id: str  # of the first send
    alike: str  # the order id as look-alikes see it
    single_use: str = ""  # the one-time token it spends, if any
    mode: str = ""  # test or live; empty in journals that did not keep it
    # the commission asked for: platform_fee[fixed], smallest unit
    fee_fixed: int | None = None
    # ... and platform_fee[percentage], exact decimal text
    fee_percentage: str | None = None
    # the sale that it came back for (ancestry.Ancestry.identity; once: a place), if it says so
    corrects: str = ""
    # all that this sale was known by when it was asked for (ancestry.Ancestry.keys)
    sale: tuple[str, ...] = ()
    # which cells its order id was made of (job.Columns.ids_from); empty where nobody kept it
    ids_from: str = ""
    # by which part of the job it got what is sent beside the money (job.Job.extras_from); empty
    # where nobody kept it
    extras_from: str = ""


def _nothing_came() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """What came back from one request, as far as anything did.

    `said` is what was asked for, read by the gateway's adapter, whatever the status is; None for
    anything else, which `kind`, `code`, `message` and `evidence` tell of.
    """

    out: bool  # could any byte of the request have reached the network?
    status: int | None = None  # None: no complete, well-formed HTTP answer
    said: T_co | None = None
    # of the gateway's object that came, in its own word; empty: none of its objects
    kind: str = ""
    code: str = ""  # of the gateway's error object, masked; empty: it was none
    message: str = ""  # the same
    # what came, as it came: masked and bounded
    evidence: Callable[[], str] = _nothing_came
    withheld: bool = False  # `may_leave` said no: not a byte left
    trouble: str = ""  # why there is no answer, in words
    too_long: bool = False  # there was one, longer than anybody should read
    excerpt: str = ""  # the beginning of a body nobody expected, masked
    retry_after: str = ""
    date: str = ""  # the gateway's own clock
    remaining: str = ""  # X-RateLimit-Remaining
    reset: str = ""  # X-RateLimit-Reset


@dataclass(frozen=True, slots=True)
class ChargeSeen:
    """A charge as the gateway describes it; only what we check or report. Raises nothing: absent is
    None.
    """

    id: str
    status: str
    paid: bool
    amount: int
    currency: str  # lower case
    livemode: bool
    created_at: str = ""
    destination: str | None = None
    chain: str | None = None
    transfer: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    failure_code: str | None = None
    failure_message: str | None = None
    authorize_uri: str | None = None
    fee: int | None = None
    fee_vat: int | None = None
    net: int | None = None
    # what the gateway took as the platform's commission
    platform_fee: int | None = None
    reversed: bool = False
    payer: str | None = None  # the customer or source it names
    platform_fee_fixed: int | None = None  # the commission as it understood it
    platform_fee_percentage: str | None = None  # decimal text
    # in the currency of the account, which is that of fee, fee_vat and net
    funding_amount: int | None = None
    funding_currency: str | None = None  # upper case
    # what of it is not as documented: such a charge proves nothing (law L7)
    unread: str = ""
    unread_fields: tuple[str, ...] = ()  # the names of those fields, once each
    refunded: int | None = None  # given back of it, smallest unit; None: nothing
    # of one that waits for its payer: until when, UTC, and where the code to be scanned is shown
    expires_at: str = ""
    qr_uri: str = ""
    # what a successful one took, where that is not its amount
    captured: int | None = None
    # of instalments that the merchant bears, with VAT, in the funding currency; None: nothing
    interest: int | None = None
    # what it says of what the gateway kept of it, and nobody can read: no proof hangs on it
    unread_costs: str = ""

    @property
    def taken(self) -> int | None:
        """What it took of its payer, if it did. None: it says so, and nobody can read it."""
        if "captured_amount" in self.unread_fields:
            return None
        if self.captured is not None:
            return self.captured
        if "amount" in self.unread_fields:
            return None
        return self.amount

    @property
    def summed(self) -> int:
        """The same for a sum. What nobody can read is in none, and told beside it."""
        return self.taken or 0

    @property
    def takes_money(self) -> bool:
        """Has it taken the payer's money, or may it yet? Pending counts: it may."""
        return not self.ended_without_money

    @property
    def ended_without_money(self) -> bool:
        """Did it end, and took none? One that says beside such a status that it is paid may have
        taken it.
        """
        return self.status in ENDED_WITHOUT_MONEY and not self.paid

    @property
    def took_money(self) -> bool:
        """Has it taken the payer's money, as far as it says?"""
        return self.status == "successful" or self.paid

    @property
    def back(self) -> int:
        """What was given back of it; its status stays what it was (docs/gateway.md, 3.2). More than
        can have been was not.
        """
        refunded = self.refunded or 0
        most = self.most_given_back
        if most is not None and refunded > most:
            return 0
        return refunded

    @property
    def left(self) -> int | None:
        """What it took, if it did, and was not given back. None: nobody can read what it took."""
        if self.taken is None:
            return None
        return max(0, self.taken - self.back)

    @property
    def given_back(self) -> bool:
        """Was all of it refunded?"""
        return self.back > 0 and self.left == 0

    @property
    def most_given_back(self) -> int | None:
        """More than this nobody can have given back of it, whatever is told. None: nobody can read
        what it is of.
        """
        known = [] if self.taken is None else [self.taken]
        if "amount" not in self.unread_fields:
            known.append(self.amount)
        return max(known, default=None)

    def to_json(self) -> dict[str, Any]:
        """A dict for the journal, without what is absent."""
        # flat: asdict would copy every text
        pairs = zip(_CHARGE_FIELDS, _charge_values(self), strict=True)
        return {
            name: value
            for name, value in pairs
            if value or type(value) in _NEVER_ABSENT
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ChargeSeen:
        """The same charge back from the journal; what a later version added is left out."""
        kept = {name: value for name, value in data.items() if name in _CHARGE_FIELDS}
        if "unread" in kept:
            # an earlier version kept the sentence alone
            names = kept.get("unread_fields") or _fields_in(kept["unread"])
            kept["unread_fields"] = tuple(names)
        return cls(**{**_ABSENT, **kept})


@dataclass(frozen=True, slots=True)
class ChargeWithoutId:
    """An answer that says it is a charge and does not say which."""

    flaws: tuple[str, ...]  # what of it is not as documented


def _fields_in(unread: str) -> dict[str, None]:
    """The fields that `amount is not a int; metadata is not an object` is about."""
    return dict.fromkeys(flaw.partition(" ")[0] for flaw in unread.split("; "))


_CHARGE_FIELDS = dict.fromkeys(f.name for f in fields(ChargeSeen))
_charge_values = attrgetter(*_CHARGE_FIELDS)
_NEVER_ABSENT = (int, bool)  # nothing is an amount, too
_ABSENT: Mapping[str, Any] = {
    "id": "",
    "status": "",
    "paid": False,
    "amount": 0,
    "currency": "",
    "livemode": False,
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the gateway's list of charges."""

    charges: tuple[ChargeSeen, ...]
    # of every item, also of those that could not be read as a charge of ours
    ids: tuple[str, ...]
    total: int
    # how many the gateway says it puts on a page; 0 when it does not say
    limit: int = 0
    # entries that have an id and are no charges, as far as they can be read
    odd: tuple[OddEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class OddEntry:
    """An entry of a list that is no charge that can be read, and that can be named."""

    at: int  # on its page, from 1
    id: str
    names: str  # what it tells of itself, for whoever looks for it at the gateway

    def told(self, offset: int) -> str:
        """Which entry of the whole list it is, in words. `offset`: of the page, from 0."""
        return f"entry {offset + self.at} cannot be read as a charge: {self.names}"


@dataclass(frozen=True, slots=True)
class UnreadablePage:
    """A page of which an entry is no charge that can be read, and has no id either."""

    at: int  # the first of them on the page, from 1
    names: str  # what it tells of itself, for whoever looks for it at the gateway

    def told(self, offset: int) -> str:
        """Which entry of the whole list it is, in words. `offset`: of the page, from 0."""
        return f"entry {offset + self.at} cannot be read as a charge: {self.names}"


# --- what the journal keeps


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal. `seq` and `digest` are given by the journal when it is appended."""

    kind: str
    at_ns: int = 0  # wall clock, UTC, nanoseconds
    run_id: str = ""
    batch_id: str = ""
    sheet: str = ""
    row: int = 0
    order_id: str = ""
    attempt: int = 0
    send: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The last event that any run of a job knew to be durable, as it is kept beside the journal."""

    seq: int = 0
    journal_id: str = (
        ""  # empty: an earlier version wrote it down, which kept the number alone
    )
    digest: str = ""


class Done(NamedTuple):
    """What a run wrote about an order, in brief."""

    kind: str
    batch_id: str
    order_id: str
    attempt: int
    send: int
    state: str  # of the attempt after it; empty when the event says none
    amount: int  # of the charge it tells of, smallest unit
    currency: str  # empty: it tells of none


class ChargedAtOnce(NamedTuple):
    """Orders that a run sent for the first time, once, and that its next word about them was an
    answer to: they succeeded.
    """

    batch_id: str
    currency: str  # as their charges tell it
    minor: int  # of their charges, smallest unit
    order_ids: list[str]


class Wrote(NamedTuple):
    """What a run wrote about orders, added up as far as it says the same of many."""

    charged: list[
        ChargedAtOnce
    ]  # beside which it said no more than where their shares are
    others: list[str]  # about which it wrote anything else
    batches: frozenset[str]  # of all of them


@dataclass(frozen=True, slots=True)
class RunBegun:
    """How a run was started, and with which code it ended; as those of RunDone."""

    id: str
    started: str
    exit_code: int | None
    verb: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunDone:
    """What one run did, to one batch or to all; money in smallest units by upper-case currency."""

    id: str
    started: str  # UTC, ISO 8601
    ended: str  # when its work was counted; empty: it was killed before
    # at that moment, over all batches; None: it was killed before
    exit_code: int | None
    sent: int  # attempts that left the machine
    # what took money and was not known to have done so before this run, every charge of it
    charged: Mapping[str, int]
    adopted: int  # charges that the journal did not know
    adopted_sums: Mapping[str, int]  # of those that took money
    looked_up: int  # attempts of which a look-up told something
    restored: bool  # it found the journal older than it had been
    held: str  # why it did not send what it might have sent
    lost: bool = False  # ... and it knew no order at all
    # outcome -> attempts that left the machine in it, as they stood at its end
    outcomes: Mapping[str, int] = field(default_factory=dict)
    # run or settle, with which flags, by which settings of its job; empty: by a journal that did
    # not keep it yet
    verb: str = ""
    flags: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    # sent, 429, 5xx -> how many requests, and answers, over all batches; empty: nobody kept it
    requests: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader counted of one currency as it read a file, rejected rows among them."""

    currency: str  # upper case; empty: of rows whose currency could not be read
    rows: int
    # smallest units, of the rows whose amount could be read; 0 without a currency
    sum: int


def tail_in(batch_id: str) -> str:
    """The part of a batch id that says which job and which file it is of, whatever the day
    (places.tail_of).

    >>> tail_in("2025-11-24-0123456789ab")
    '0123456789ab'
    """
    return batch_id[-12:]


@dataclass(frozen=True, slots=True)
class Batch:
    """The instructions of one input file, as last planned."""

    id: str
    job: str
    file: str  # the file's name
    sha256: str
    format: str  # csv, tsv, parquet, xlsx
    rows_read: int
    columns: tuple[str, ...]
    unused: tuple[str, ...]  # input columns that no field used
    metadata: tuple[str, ...]  # metadata keys of the job
    mode: str
    job_sha256: str
    schema_sha256: str
    version: str
    delimiter: str = ","
    encoding: str = "utf-8"
    header_row: int = 1
    notes: tuple[str, ...] = ()  # warnings about the file as a whole
    refusal: str = ""  # why the whole batch is refused, empty when it is not
    first_seen_ns: int = 0
    # the same for the same payers, recipients and amounts in any order
    fingerprint: str = ""
    # by which it is held against other files (likeness.Features)
    sample: tuple[str, ...] = ()
    # a warning: how it resembled a recent file when it was first seen
    likeness: str = ""
    read: tuple[Read, ...] = ()  # by currency; empty in journals that did not keep it
    # Each lookup file, by its path from the job file's folder, and the SHA-256 of its bytes; empty
    # in journals that did not keep it.
    lookups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """One chunk of a planned batch, as the state keeps it."""

    number: int
    sheet: str
    rows: Sequence[int]
    documents: list[Document]
    problems: Mapping[int, tuple[Problem, ...]]
    comeback: frozenset[int]
    cells: bytes
    corrects: Mapping[int, str] = field(default_factory=dict)
    # as Judged has them
    earlier: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    asked: Mapping[int, tuple[Document, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row that its own batch already asks for, or contradicts (docs/faults.md, E08 to E10 and
    X04).
    """

    outcome: Outcome  # duplicate, conflict or rejected
    reason: Message
    of_sheet: str = ""
    of_row: int = 0  # the first row of the same order, for duplicates
    alone: bool = False  # no other row of its own file has this very order id
    looks_like: str = (
        # the order id of another row, equal to its own but for what programs do to ids
        ""
    )
    # what the rows with its very order id make of it, whatever looks like it
    by_itself: Repeat | None = None

    def to_json(self) -> list[Any]:
        """For the journal: what earlier versions read of it, and at the end code and fields."""
        reason = str(self.reason)
        kept: list[Any] = [
            self.outcome.value,
            reason,
            self.of_sheet,
            self.of_row,
            self.alone,
        ]
        if self.looks_like:
            by_itself = self.by_itself and self.by_itself.to_json()
            kept += [self.looks_like, by_itself]
        return [*kept, self.reason.to_json()]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Repeat:
        """The same back; one that an earlier version kept says what it said then."""
        outcome, reason, of_sheet, of_row, *rest = kept
        if rest and isinstance(rest[-1], Mapping):
            reason = rest.pop()
        alone = bool(rest and rest[0])
        repeat = cls(Outcome(outcome), read(reason), of_sheet, of_row, alone)
        if len(rest) < 3:  # it looks like no other id, or an earlier version wrote it
            return repeat
        by_itself = rest[2] and cls.from_json(rest[2])
        return replace(repeat, looks_like=rest[1], by_itself=by_itself or None)


# --- what a report shows


@dataclass(frozen=True, slots=True)
class Further:
    """A charge that took money for an order whose reported charge took it too (B31)."""

    charge_id: str
    currency: str  # upper case
    amount: int  # smallest unit
    # open: a person must act; given back; noted: a person took note; kept: the reported one was
    # given back
    stands: str


class OnItsWay(NamedTuple):
    """An attempt that took money, and whose recipient's share is not at its end, as far as the
    journal knows.
    """

    order_id: str
    attempt: int
    begun_ns: int  # when it was made (attempt.begun_ns)
    chain: str
    transfer: str  # its id; empty: nobody knows it yet


class Plain(NamedTuple):
    """A row of which the only attempt of its order succeeded, and there is nothing to tell of how:
    what was asked, and what came of it (journals/asked, journals/came_to). Smallest units.
    """

    row: int
    order_id: str
    attempt: int
    sent_ns: int  # wall clock, UTC
    amount: int
    currency: str  # lower case
    destination: str
    paid_with: str
    run_id: str
    mode: str
    with_fee: int  # 1: a commission was asked for
    settled_ns: int
    charge_id: str
    chain: str
    transfer: str
    charged: int
    charged_currency: str  # upper case
    fee: int | None
    fee_vat: int | None
    net: int | None
    platform_fee: int | None
    funding_amount: int | None
    funding_currency: str
    transfer_status: str
    transfer_amount: int | None
    transfer_fee: int | None
    bank_amount: int | None
    transfer_sent_at: str
    transfer_paid_at: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Where one row ended: one line of results (docs/reports.md). Money in smallest units."""

    file: str
    row: int
    sheet: str
    order_id: str
    outcome: Outcome
    counts_as: Outcome  # the outcome itself; for a duplicate that of the row it names
    amount: int | None
    currency: str  # upper case, empty when unknown
    destination: str
    payment_method: str  # kind and last four characters only
    # side by side; of a row that is rejected for its problems, these say why
    reasons: tuple[Message, ...]
    who_acts: str
    attempts: int
    batch_id: str
    metadata: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    charge_id: str = ""
    chain_id: str = ""
    transfer_id: str = ""
    # what the gateway says it charged; only where money moved
    charged_amount: int | None = None
    fee: int | None = None
    fee_vat: int | None = None
    net: int | None = None
    platform_fee: int | None = None
    recipient_amount: int | None = None
    failure_code: str = ""
    error_code: str = ""
    authorize_uri: str = ""
    idempotency_key: str = ""
    sent_at: str = ""
    settled_at: str = ""
    run_id: str = ""
    fee_currency: str = ""  # of fee, fee_vat and net
    funding_amount: int | None = None
    funding_currency: str = ""
    warnings: tuple[Message, ...] = ()
    settled_by: str = ""  # the later attempt that charged what this row asked for
    mode: str = ""
    accepted: bool = False  # unproven, and a person took note of it
    # it succeeded, and the gateway knows its charge no more, or says otherwise of it: open, or
    # noted by a person
    gone: str = ""
    # money moved, and nobody can read how much: it is in no column and no sum
    charged_unread: bool = False
    # of charged_amount, upper case: not always what was asked
    charged_currency: str = ""
    # what the row itself says now: the job may have changed since it was sent
    read_amount: int | None = None
    read_currency: str = ""  # of read_amount
    # what other charges of the same order took: no money column has it
    further: tuple[Further, ...] = ()
    cancelled: str | None = None  # why a person said never to send it; None: nobody did
    # another attempt of its order took money, too: open, or noted by a person
    paid_apart: str = ""
    # its batch is refused as a whole: it is the file that goes back, not its rejects
    whole_refused: bool = False
    duplicate_of: str = ""  # order id of the one that it is a duplicate of
    sale: str = ""  # what all rows of one sale have in common; empty: its order id
    # the earlier row that it came back for, or whose attempt it follows, and what it asks for
    # otherwise
    corrects: str = ""
    changed: str = ""
    # where the recipient's share is (after.Stands), what the gateway keeps of it and what the bank
    # gets, if it gets anything (after.ARRIVES); smallest unit of `currency`
    transfer_status: str = ""
    transfer_amount: int | None = None
    transfer_fee: int | None = None
    bank_amount: int | None = None
    transfer_code: str = ""  # why it failed
    transfer_sent_at: str = ""
    transfer_paid_at: str = ""
    transfer_differs: bool = False  # it is not the recipient's share
    transfer_left: bool = (
        False  # it does not arrive, and a person said that this is seen to
    )
    # given back since, smallest unit; None: nothing is known
    refunded_amount: int | None = None
    refund_contradicted: bool = False  # what is told of that cannot be true
    # of a conflict: in which cells it differs from the row that its reason names
    cells: tuple[Message, ...] = ()
    # what is told of fee, VAT and net cannot be true, or nobody can read it: they are in no column
    # and no sum
    costs_contradicted: bool = False
    # of instalments, with VAT, in `fee_currency`; None: nothing
    interest: int | None = None
    dispute: str = ""  # its status, in the gateway's word; empty: there is none
    expires_at: str = ""  # of one that waits for its payer, UTC
    qr_uri: str = ""  # where the code is that its payer scans

    @property
    def took_money(self) -> bool:
        """Did money of it move, as far as anybody knows?"""
        if self.outcome is Outcome.UNPROVEN:
            return self.charged_amount is not None or self.charged_unread
        return self.outcome in MONEY_MOVED

    @property
    def earns(self) -> bool:
        """Is there a share of it, wherever that is? As of its attempt (after.earns)."""
        if self.outcome is Outcome.UNPROVEN:
            return self.recipient_amount is not None or bool(self.transfer_status)
        return self.outcome is Outcome.SUCCEEDED

    @property
    def share_untold(self) -> bool:
        """... of which the gateway has told no transfer?"""
        return self.earns and not self.transfer_status

    @property
    def has_later(self) -> bool:
        """Did anything happen to its charge after its run that a person should hear of?"""
        stuck = self.transfer_status in ("failed", "deleted") or self.transfer_differs
        given_back = self.refunded_amount or self.refund_contradicted
        return bool(given_back or self.dispute or stuck)

    @property
    def reason(self) -> str:
        """The reasons, or every problem, as one text in English."""
        if self.reasons or self.outcome is not Outcome.REJECTED:
            return worded(self.reasons)
        return " | ".join(problem.sentence() for problem in self.problems)

    @property
    def codes(self) -> tuple[str, ...]:
        """Stable codes of the same, without those of sentences that have none."""
        if self.reasons or self.outcome is not Outcome.REJECTED:
            return tuple(message.code for message in self.reasons if message.code)
        return tuple(problem.rule for problem in self.problems)
