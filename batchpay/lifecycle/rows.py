"""ROWS: what the decision about a row is made from, and what can come out of it.

    Row + History + Guards  --standing.stand-->  one of the kinds of Standing

What a row may become is not decided here; what a standing is told as, is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from batchpay.domain.model import Document, Problem, Repeat, StoredChunk
from batchpay.job.job import Fee
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.order_ids import form_in
from batchpay.lifecycle.places import by_order, place_of
from batchpay.lifecycle.rivals import Rivals
from batchpay.lifecycle.unclaimed import Nameless, Terms
from batchpay.messages import standing as said
from batchpay.messages.message import Entry, Field, Message

# --- what goes in: the row


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read and judged by itself; `document` is right where there is no
    problem.
    """

    batch_id: str
    sheet: str
    row: int
    document: Document
    problems: tuple[Problem, ...] = ()
    # What the files of the same run say of it.
    repeat: Repeat | None = None
    # batchpay_retry = yes.
    comeback: bool = False
    # places.place_of the row that it came back for; kinship says to which sale that leads.
    corrects: str = ""
    # Every other order id that the row has had (kinship.Lineages.earlier).
    earlier: tuple[str, ...] = ()
    # What else the row asked for, when the job read it otherwise (kinship.Lineages.asked).
    asked: tuple[Document, ...] = ()

    @property
    def order_id(self) -> str:
        """Empty when it has none that could be read."""
        return str(self.document.get("order_id", ""))

    @property
    def ever_asked(self) -> tuple[Document, ...]:
        """What it asks for, and ever asked for: what a person is asked about it stands for all of
        it, whatever somebody edits in the job.
        """
        return (self.document, *self.asked)

    @property
    def place(self) -> str:
        """As a corrected row names it (places.place_of)."""
        return place_of(self.batch_id, self.sheet, self.row)

    def caused(self, attempt: Attempt) -> bool:
        """Is the attempt the row's own?"""
        return attempt.owned_by(self.batch_id, self.sheet, self.row)


def rows_of(
    batch_id: str,
    chunk: StoredChunk,
    repeats: Mapping[tuple[str, int], Repeat],
    but: Collection[int] = (),
) -> list[Row]:
    """The rows of a chunk, in the file's order; `but` some, by their numbers."""
    rows = []
    for at, document in enumerate(chunk.documents):
        number = chunk.rows[at]
        if number in but:
            continue
        row = Row(
            batch_id,
            chunk.sheet,
            number,
            document,
            problems=tuple(chunk.problems.get(at, ())),
            repeat=repeats.get((chunk.sheet, number)),
            comeback=at in chunk.comeback,
            corrects=chunk.corrects.get(at, ""),
            earlier=chunk.earlier.get(at, ()),
            asked=chunk.asked.get(at, ()),
        )
        rows.append(row)
    return rows


# --- what goes in: what the journal knows


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A charge of the same order id that another job made, and that takes money or may."""

    job: str
    # in what is told of a row: of each, where that job made more than one
    charge_id: str
    payer: str  # empty: not told
    destination: str
    amount: int  # smallest unit
    currency: str


@dataclass(frozen=True, slots=True)
class Near:
    """An attempt of another order with the same payer, recipient, amount and currency."""

    order_id: str
    batch_id: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Past:
    """What was asked for a recipient, in one currency, before a row's file came; money in the
    smallest unit.
    """

    orders: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A charge, or what may be one, with the terms of a row, made when order ids were made of other
    cells, perhaps; or what a person cancelled, or was asked for in vain.
    """

    order_id: str
    batch_id: str
    at_ns: int
    # Of which cells ids were made when it was asked for, or an id of its rows was read.
    known_under: frozenset[str]
    # The batch of a row that it goes back to and of which nobody knows which id it has now.
    untold: str = ""
    # Who said of one that took no money that it is never to be sent, when and why.
    called_off: str = ""
    # Of an order that took no money, as far as anybody was told: its attempts.
    in_vain: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Same:
    """The same row as it came before, in an older file: what was read of it is equal."""

    place: str
    received_ns: int  # when that file first came
    # Attempts that corrected that row, or that a correction of it is a duplicate of.
    settled: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A person's word that an order which was never sent is never to be sent."""

    reason: str  # with whose word it is, and when that was said
    order_id: str
    at_ns: int
    # Of its row; empty when no journal knows that.
    batch_id: str
    # places.place_of the rows that it was said of, and of those that they go back to.
    places: tuple[str, ...] = ()
    # What these ask for.
    asked: tuple[Document, ...] = ()
    # Only what it asked for says that it may be a row's: its id was made of other cells.
    unnamed: bool = False


class CameFor(NamedTuple):
    """The row for which another came back, and what that asked for as far as it could be read."""

    batch_id: str
    sheet: str
    row: int
    document: Document


@dataclass(frozen=True, slots=True)
class History:
    """What the journal knows that matters to a chunk of rows.

    A place is places.place_of a row; "place ->" is a mapping by it.
    """

    # Order id -> its attempts.
    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    # Row number -> the orders that it caused, that of the youngest attempt last.
    owned: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    # alike() -> attempts of other order ids.
    look_alikes: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    # Order id -> attempts of orders that asked for the same lately, whose ids may be this one but
    # for what programs or eyes do to ids (damage.may_be_one).
    taken_for: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    # Order id -> why a person said never to send it.
    cancelled: Mapping[str, str] = field(default_factory=dict)
    # Order id -> cancelled orders that were to ask for the same, whose ids may be this one (as in
    # `taken_for`).
    cancelled_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Place of a row -> why a person said that it, or one that it goes back to, is given up.
    given_up: Mapping[str, str] = field(default_factory=dict)
    # Place -> attempts of other orders that may be one sale with the row (sales.is_kin): it
    # corrects them, or they correct it, or they have one of its `others`.
    corrected: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    # Order id -> charges of other jobs.
    elsewhere: Mapping[str, tuple[Elsewhere, ...]] = field(default_factory=dict)
    # terms_of -> attempts of the last ten days.
    near: Mapping[str, tuple[Near, ...]] = field(default_factory=dict)
    # Recipient and lower-case currency -> what was asked for it before the rows' file came.
    past: Mapping[tuple[str, str], Past] = field(default_factory=dict)
    # terms_of -> an order that asked for a hundredth of it for the same payer and recipient.
    hundredth: Mapping[str, Near] = field(default_factory=dict)
    # One-time token -> the order of an earlier file that it made a charge of.
    spent: Mapping[str, Near] = field(default_factory=dict)
    # One of fitting_terms -> charges, and what was asked for in vain, of whatever age; a one-time
    # token -> what a person cancelled that it was to pay.
    unnamed: Mapping[str, tuple[Unnamed, ...]] = field(default_factory=dict)
    # Place of a row that goes back to another of which nobody knows which id it has now -> the
    # batch of that one.
    uprooted: Mapping[str, str] = field(default_factory=dict)
    # Place of such a row -> ids that rows have now which had an id of its line before: they may be
    # its sale, which its own file would tell.
    had_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # One of fitting_terms -> ids of orders of these rows that ask for them and were never sent.
    unsent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Wall clock at which the rows' file first came.
    received_ns: int | None = None
    # Place -> every other order id that its sale may have: that it, or a row that it goes back to,
    # ever had; names of these, as other rows told; what they were kept back beside. Some may be a
    # mistake that was mended since: sales.is_kin says of each attempt whether it is the sale's.
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Place -> attempts of the orders that rows which came back to correct it turned out to be
    # duplicates of.
    answered: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    # Place of a row that may have to be corrected -> itself in older files.
    same: Mapping[str, tuple[Same, ...]] = field(default_factory=dict)
    # Place of a row that came back -> what all corrections of its first row share
    # (ancestry.Ancestry.identity).
    firsts: Mapping[str, str] = field(default_factory=dict)
    # Place of a row that came back under an id that its sale never had -> what the row asked for
    # that it names.
    named: Mapping[str, Document] = field(default_factory=dict)
    # Place of a row that came back -> the row that it names.
    came_for: Mapping[str, CameFor] = field(default_factory=dict)
    # Place of a row that came back -> what all the rows asked for that it goes back to, as far as
    # they could be read.
    went_back: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    # Place of a row that kin or a word tells of -> the order id that it has, or had when its file
    # was last here.
    bears: Mapping[str, str] = field(default_factory=dict)
    # Place -> ids that a person typed for its sale -> for the id that it has today?
    said: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    # Place -> what else its sale is known by, for good: a person typed an id in rows that came back
    # (places.place_of and places.by_order).
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Place -> what of that was told before the row's file came.
    typed_before: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Place -> the places of the rows that it goes back to, its own first, and the rivals among the
    # rows that it, or an order of its sale, goes back to.
    rivals: Mapping[str, tuple[Sequence[str], Sequence[Rivals]]] = field(
        default_factory=dict
    )
    # Place -> what may be said of its sale.
    words: Mapping[str, tuple[Cancellation, ...]] = field(default_factory=dict)
    # Place -> what rows of other files that wait ask for under its very order id.
    beside: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)

    def sale(self, row: Row) -> str:
        """By what the matter of a row is told from others: rows that correct one another are
        one.
        """
        first = self.firsts.get(row.place)
        if first:
            return first
        if row.order_id:
            return by_order(row.order_id)
        return row.place

    def ids(self, row: Row) -> tuple[str, ...]:
        """Every order id that a row's sale may have, its own first; for what it has for sure, ask
        sales.ids_for_sure.
        """
        return (row.order_id, *self.others.get(row.place, ()))

    def ever_asked(self, row: Row) -> tuple[Document, ...]:
        """What a row, or one of its order that waits, asks for, and ever asked for: what a person
        is asked about an order stands for all of it, whatever file that comes in next.
        """
        return (*row.ever_asked, *self.beside.get(row.place, ()))

    def kin(self, row: Row) -> tuple[Attempt, ...]:
        """The attempts of other orders that may be one sale with a row (sales.is_kin)."""
        return self.corrected.get(row.place, ())


# --- what goes in: what holds rows back


@dataclass(frozen=True, slots=True)
class Guards:
    """What holds rows back that may go otherwise."""

    # The job's name.
    job: str = ""
    # The batch's file, when it was no input of the last run: nothing is sent from it.
    gone: str = ""
    # Why the whole batch is refused.
    refusal: str | Message = ""
    # The stop in force.
    stop: str | Message = ""
    # A charge that only a person can tell whose it is, where it may be any order's.
    unreadable: str | Message = ""
    # Charges without a key that fits, which may be those of orders of the same terms.
    nameless: Mapping[Terms, Mapping[str, Nameless]] = field(default_factory=dict)
    # Recipient -> why it cannot be paid now.
    barred: Mapping[str, str | Message] = field(default_factory=dict)
    # Upper-case currency -> the gateway's smallest transfer, and its smallest and largest charge.
    smallest_share: Mapping[str, int] = field(default_factory=dict)
    least_charge: Mapping[str, int] = field(default_factory=dict)
    most_charge: Mapping[str, int] = field(default_factory=dict)
    fee: Fee | None = None
    # A share of nothing is below any transfer, in whichever currency.
    holds_no_share: bool = False
    # Does this source really have ids that only look alike (Input.distinct_ids)?
    distinct_ids: bool = False
    near_duplicates: Literal["warn", "hold"] = "warn"
    # An amount that is far outside of what was asked for its recipient.
    history: Literal["warn", "hold"] = "warn"
    # form() of never sent orders that a person cancelled -> order id.
    cancelled: Mapping[str, str] = field(default_factory=dict)
    # What a cancelled correction goes back to (ancestry.Ancestry.keys) -> why it was cancelled.
    cancelled_sales: Mapping[str, str] = field(default_factory=dict)
    # Upper-case currency -> the most that may be asked a day, of all recipients and of each.
    max_day: Mapping[str, int] = field(default_factory=dict)
    max_recipient: Mapping[str, int] = field(default_factory=dict)
    # Recipient (empty: all of them) and upper-case currency -> what this day's attempts took, or
    # may take.
    of_day: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # The file is to be asked about as a whole: whether its tokens are spent is no answer.
    asks_first: bool = False
    # Of which cells the job makes order ids now (job.Columns.ids_from).
    ids_from: str = ""
    # By which part of the job rows get what is sent beside the money now (job.Job.extras_from).
    extras_from: str = ""
    # Of the run whose own orders are no warning to each other; 0: of none.
    began_ns: int = 0
    # The first of fitting_terms -> order id -> when a person last said of it that it is new.
    said_new: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    # A person says now that all of them are.
    are_new: bool = False
    # Ids of the batches whose files are inputs of this run.
    present: Collection[str] = ()
    # An adopted charge of this file, and nobody can tell of which row.
    unplaced: Attempt | None = None

    @property
    def form(self) -> Callable[[str], str]:
        """What an id looks like to this source (order_ids.form_in)."""
        return form_in(distinct=self.distinct_ids)


# --- what comes out

Why = tuple[Message, ...]
"""What is told of a row, side by side; worded where it is shown (message.worded)."""


@dataclass(frozen=True, slots=True)
class Owns:
    """The row caused this attempt and shows its outcome. `resumes`: it may be sent (again) from
    this row.
    """

    attempt: Attempt
    resumes: bool = False
    warnings: Why = ()
    # An adopted charge whose terms are not the row's: the run ends, a person looks.
    contradicts: bool = False
    # Where it resumes: the other attempts, as of MayGo.
    before: tuple[Attempt, ...] = ()
    # Of one that ended without money: who said that nobody pays it any more, when and why.
    given_up: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It broke a rule; never sent. Its problems say why, or `why` does."""

    problems: tuple[Problem, ...] = ()
    why: Why = ()
    given_up: str = ""  # who said that nobody corrects it, when and why


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person said that this order is never to be sent."""

    word: str  # who said so, when and why


@dataclass(frozen=True, slots=True)
class DuplicateOf:
    """Another row owns the same order with the same content, or its sale: under another id, or as
    the row that came back to correct it. `resumes`: the owner's file is not here, this row is.
    """

    attempt: Attempt
    why: Why
    resumes: bool = False
    # Where it resumes: the other attempts, as of MayGo.
    before: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class RepeatOf:
    """An earlier row of the same run asks for the same order, and neither was sent yet."""

    repeat: Repeat


@dataclass(frozen=True, slots=True)
class ConflictWith:
    """An attempt or another row stands against it, and a person must tell: of its order with other
    content, of its sale under another id, or one that may be its own.
    """

    why: Why
    attempt: Attempt | None = None
    given_up: str = ""  # who said that nobody looks into it any more, when and why


@dataclass(frozen=True, slots=True)
class Renamed:
    """Another job charged this very order: was the job renamed? The whole run ends (78)."""

    elsewhere: Elsewhere


@dataclass(frozen=True, slots=True)
class MayGo:
    """The row may become this attempt of its order."""

    number: int
    # Every attempt of the order so far, and those without money that are of its sale, or may be.
    before: tuple[Attempt, ...] = ()
    # One that was never charged and must be withdrawn first: one of them, or the row's own, which
    # asked for another order and may not be among them.
    withdraw: Attempt | None = None
    warnings: Why = ()
    # Those of `before` of which nobody can tell whether they are its sale's.
    unsure: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """It may go, but not now."""

    why: Why
    who_acts: str
    warnings: Why = ()
    # Its own, which was never charged.
    attempt: Attempt | None = None


Sendable = MayGo | Owns | DuplicateOf  # the last two where they resume
Standing = (
    Owns
    | Rejected
    | Cancelled
    | DuplicateOf
    | RepeatOf
    | ConflictWith
    | Renamed
    | MayGo
    | Waits
)


def sendable_of(standing: Standing) -> Sendable | None:
    """The standing of a row for which a run may send something; None of any other."""
    if isinstance(standing, Owns | DuplicateOf) and standing.resumes:
        return standing
    if isinstance(standing, MayGo):
        return standing
    return None


def is_sendable(standing: Standing) -> bool:
    """May a run send something for this row?"""
    return sendable_of(standing) is not None


def goes_now(standing: Standing) -> bool:
    """Would a run send something for this row without asking about it first?"""
    if isinstance(standing, Owns | DuplicateOf):
        return standing.resumes and standing.attempt.ready
    return isinstance(standing, MayGo)


# --- how another attempt is told


def duplicate_of(
    attempt: Attempt,
    sentence: Entry = said.DUPLICATE,
    *,
    resumes: bool = False,
    before: tuple[Attempt, ...] = (),
) -> DuplicateOf:
    """A duplicate; the sentence has a gap for the other one."""
    return DuplicateOf(
        attempt, (sentence(other=attempt_told(attempt)),), resumes, before
    )


def conflict_with(
    attempt: Attempt, sentence: Entry, *then: Message, **fields: Field
) -> ConflictWith:
    """A conflict; the sentence has a gap for the other one. `then`: what its sender does about it,
    where the sentence does not say so.
    """
    return ConflictWith(
        (sentence(other=attempt_told(attempt), **fields), *then), attempt
    )


def attempt_told(attempt: Attempt) -> Message:
    """`order 0001 of batch 2026-11-24-0123456789ab row 7, succeeded, chrg_test_1`."""
    asked = attempt.intent
    outcome = attempt.outcome.value
    place = place_told(asked.batch_id, asked.sheet, asked.row)
    if attempt.charge is None:
        return said.ORDER_AT(
            order=asked.order_id,
            place=place,
            outcome=outcome,
        )
    charge_id = attempt.charge.id
    return said.ORDER_CHARGED_AT(
        order=asked.order_id,
        place=place,
        outcome=outcome,
        charge=charge_id,
    )


def place_told(batch_id: str, sheet: str, row: int) -> Message:
    """`batch 2026-11-24-0123456789ab row 7`."""
    if sheet and row:
        return said.BATCH_SHEET_AT(batch=batch_id, sheet=sheet, row=row)
    if sheet:
        return said.BATCH_SHEET(batch=batch_id, sheet=sheet)
    if row:
        return said.BATCH_AT(batch=batch_id, row=row)
    return said.BATCH(batch=batch_id)
