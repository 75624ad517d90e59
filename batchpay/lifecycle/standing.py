"""STANDING: what a row of a file is, and what may become of it. The one decision about a row;
everybody reads it.

    row + what the journal knows + what holds rows back  ->  one of the kinds below

`check`, `plan`, `run`, `report`, `status` and `resolve` all ask here, so that they cannot disagree.
Nothing here knows a clock, a disk or a network. Every guard stands in `stand`, and a row passes all
of them for its first attempt and for every later one alike:

    its own attempt -> its problems -> its repeats -> its sale (kinship) -> a person's word -> its
    order's attempts
                    -> ids that look alike -> another job's charge -> what holds it back
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from batchpay.domain import steps
from batchpay.domain.model import Document, Intent, Outcome, Problem, Repeat, StoredChunk
from batchpay.domain.money import major_text
from batchpay.domain.text import told
from batchpay.intake.repeats import look_alike_reason
from batchpay.job.job import MAX_ATTEMPTS, Fee
from batchpay.lifecycle.attempt import Attempt, beside, cancelled_by_hand
from batchpay.lifecycle.kinship import goes_back_to
from batchpay.lifecycle.plan import (
    alike,
    by_order,
    content_of,
    fitting_terms,
    may_pay,
    order_in,
    payer_of,
    place_of,
    single_use_of,
    terms_of,
)
from batchpay.lifecycle.unclaimed import Nameless, Terms, fits

# --- what goes in
# ----------------------------------------------------------------------------------------------


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
    repeat: Repeat | None = None  # what the files of the same run say of it
    comeback: bool = False  # batchpay_retry = yes
    corrects: str = (
        ""  # plan.place_of the row that it came back for; kinship says to which sale that leads
    )
    earlier: tuple[
        str, ...
    ] = ()  # every other order id that the row has had (kinship.Lineages.earlier)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A charge of the same order id that another job made, and that takes money or may."""

    job: str
    charge_id: str
    payer: str  # empty: not told
    destination: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Near:
    """An attempt of another order with the same payer, recipient, amount and currency."""

    order_id: str
    batch_id: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A charge, or what may be one, with the terms of a row, made when order ids were made of other
    cells, perhaps.
    """

    order_id: str
    batch_id: str
    at_ns: int
    known_under: frozenset[
        str
    ]  # of which cells ids were made when it was asked for, or an id of its rows was read


@dataclass(frozen=True, slots=True)
class Word:
    """A person's word that an order which was never sent is never to be sent."""

    reason: str
    order_id: str
    at_ns: int
    batch_id: str  # of its row; empty when no journal knows that
    places: tuple[
        str, ...
    ] = ()  # plan.place_of the rows that it was said of, and of those that they go back to
    asked: tuple[Document, ...] = ()  # what these ask for


@dataclass(frozen=True, slots=True)
class History:
    """What the journal knows that matters to a chunk of rows."""

    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)  # by order id
    owned: Mapping[int, str] = field(
        default_factory=dict
    )  # row number -> order id, for rows with an intent
    look_alikes: Mapping[str, tuple[Attempt, ...]] = field(
        default_factory=dict
    )  # by alike(): of other order ids
    cancelled: Mapping[str, str] = field(
        default_factory=dict
    )  # order id -> why a person said never to send it
    corrected: Mapping[str, tuple[Attempt, ...]] = field(
        default_factory=dict
        # place_of a row -> attempts of the orders that are one sale with it: it corrects them, or
        # they correct it
    )
    elsewhere: Mapping[str, tuple[Elsewhere, ...]] = field(default_factory=dict)  # by order id
    near: Mapping[str, tuple[Near, ...]] = field(
        default_factory=dict
    )  # by terms_of, of the last ten days
    unnamed: Mapping[str, tuple[Unnamed, ...]] = field(
        default_factory=dict
    )  # by fitting_terms, of whatever age
    # fitting_terms -> ids of orders of these rows that ask for them and were never sent
    unsent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    received_ns: int | None = None  # wall clock at which the rows' file first came
    others: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
        # place_of a row -> every other order id of its sale: that it, or a row that it goes back
        # to, ever had
    )
    answered: Mapping[str, tuple[Attempt, ...]] = field(
        default_factory=dict
        # place_of a row -> attempts of the orders that rows which came back to correct it turned
        # out to be duplicates of
    )
    firsts: Mapping[str, str] = field(
        default_factory=dict
        # place_of a row that came back -> what all corrections of its first row share
        # (kinship.Ancestry.identity)
    )
    named: Mapping[str, Document] = field(
        default_factory=dict
        # place_of a row that came back under an id that its sale never had -> what the row asked
        # for that it names
    )
    bears: Mapping[str, str] = field(
        default_factory=dict
        # place_of a row that kin or a word tells of -> the order id that it has, or had when its
        # file was last here
    )
    said: Mapping[str, Mapping[str, bool]] = field(
        default_factory=dict
    )  # place_of a row -> ids that a person typed for its sale -> for the id that it has today?
    words: Mapping[str, tuple[Word, ...]] = field(
        default_factory=dict
    )  # place_of a row -> what may be said of its sale

    def sale(self, row: Row) -> str:
        """By what the matter of a row is told from others: rows that correct one another are
        one.
        """
        place, order_id = (
            place_of(row.batch_id, row.sheet, row.row),
            str(row.document.get("order_id", "")),
        )
        return self.firsts.get(place) or (by_order(order_id) if order_id else place)

    def ids(self, row: Row) -> tuple[str, ...]:
        """Every order id of a row's sale, its own first."""
        own = str(row.document.get("order_id", ""))
        return (own, *self.others.get(place_of(row.batch_id, row.sheet, row.row), ()))

    def kin(self, row: Row) -> tuple[Attempt, ...]:
        """The attempts of other orders that are one sale with a row."""
        return self.corrected.get(place_of(row.batch_id, row.sheet, row.row), ())


@dataclass(frozen=True, slots=True)
class Guards:
    """What holds rows back that may go otherwise."""

    job: str = ""  # its name
    gone: str = (
        ""  # the batch's file, when it was no input of the last run: nothing is sent from it
    )
    refusal: str = ""  # why the whole batch is refused
    stop: str = ""  # the stop in force
    unreadable: str = (
        ""  # a charge that only a person can tell whose it is, where it may be any order's
    )
    nameless: Mapping[Terms, Mapping[str, Nameless]] = field(
        default_factory=dict
    )  # charges without a key that may be those of orders of the same terms
    barred: Mapping[str, str] = field(
        default_factory=dict
    )  # recipient -> why it cannot be paid now
    smallest_share: Mapping[str, int] = field(
        default_factory=dict
    )  # upper-case currency -> the gateway's smallest transfer
    least_charge: Mapping[str, int] = field(default_factory=dict)  # ... and its smallest charge
    fee: Fee | None = None
    alike_ids: Literal["conflict", "distinct"] = "conflict"
    near_duplicates: Literal["warn", "hold"] = "warn"
    cancelled: Mapping[str, str] = field(
        default_factory=dict
    )  # alike() of never sent orders that a person cancelled
    cancelled_sales: Mapping[str, str] = field(
        default_factory=dict
    )  # what a cancelled correction goes back to (kinship.Ancestry.keys) -> why it was cancelled
    ids_from: str = ""  # of which cells the job makes order ids now (job.Columns.ids_from)
    began_ns: int = 0  # of the run whose own orders are no warning to each other; 0: of none
    # fitting_terms -> order id -> when a person last said of it that it is new
    said_new: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    are_new: bool = False  # a person says now that all of them are
    present: Collection[str] = ()  # ids of the batches whose files are inputs of this run
    unplaced: Attempt | None = (
        None  # an adopted charge of this file, and nobody can tell of which row
    )


def rows_of(
    batch_id: str, chunk: StoredChunk, repeats: Mapping[tuple[str, int], Repeat]
) -> list[Row]:
    """The rows of a chunk, in the file's order."""
    return [
        Row(
            batch_id,
            chunk.sheet,
            chunk.rows[at],
            document,
            tuple(chunk.problems.get(at, ())),
            repeats.get((chunk.sheet, chunk.rows[at])),
            at in chunk.comeback,
            chunk.corrects.get(at, ""),
            chunk.earlier.get(at, ()),
        )
        for at, document in enumerate(chunk.documents)
    ]


# --- what comes out
# --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owns:
    """The row caused this attempt and shows its outcome. `resumes`: it may be sent (again) from
    this row.
    """

    attempt: Attempt
    resumes: bool = False
    warnings: tuple[str, ...] = ()
    contradicts: bool = (
        False  # an adopted charge whose terms are not the row's: the run ends, a person looks
    )


@dataclass(frozen=True, slots=True)
class Rejected:
    """It broke a rule; never sent."""

    reason: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person said that this order is never to be sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class DuplicateOf:
    """Another row owns the same order with the same content. `resumes`: the owner's file is not
    here, this row is.
    """

    attempt: Attempt
    resumes: bool = False
    why: str = "duplicate"


@dataclass(frozen=True, slots=True)
class RepeatOf:
    """An earlier row of the same run asks for the same order, and neither was sent yet."""

    repeat: Repeat


@dataclass(frozen=True, slots=True)
class ConflictWith:
    """The order took, may have taken or may yet take money with other content, or under another
    id.
    """

    why: str
    attempt: Attempt | None = None
    step: str = ""  # what its sender does about it, where `why` does not say so


@dataclass(frozen=True, slots=True)
class Renamed:
    """Another job charged this very order: was the job renamed? The whole run ends (78)."""

    elsewhere: Elsewhere


@dataclass(frozen=True, slots=True)
class MayGo:
    """The row may become this attempt of its order."""

    number: int
    before: tuple[Attempt, ...] = ()  # every attempt of the order so far
    withdraw: Attempt | None = None  # one of them, proven not charged, that must be withdrawn first
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """It may go, but not now."""

    reason: str
    who_acts: str = "next run"
    warnings: tuple[str, ...] = ()
    attempt: Attempt | None = None  # its own, which was never charged


Standing = (
    Owns | Rejected | Cancelled | DuplicateOf | RepeatOf | ConflictWith | Renamed | MayGo | Waits
)


def is_sendable(standing: Standing) -> bool:
    """May a run send something for this row?"""
    return isinstance(standing, MayGo) or (
        isinstance(standing, Owns | DuplicateOf) and standing.resumes
    )


def goes_now(standing: Standing) -> bool:
    """Would a run send something for this row without asking about it first?"""
    if isinstance(standing, Owns | DuplicateOf):
        return standing.resumes and standing.attempt.ready
    return isinstance(standing, MayGo)


# --- the decision
# ----------------------------------------------------------------------------------------------


def stand(row: Row, history: History, guards: Guards) -> Standing:
    """What the row is now. Total: every row gets exactly one standing."""
    order_id = str(row.document.get("order_id", ""))
    attempts = history.attempts.get(order_id, ())
    if row.repeat is not None and row.repeat.looks_like and attempts:
        row = replace(
            row, repeat=row.repeat.by_itself
        )  # history knows this id: the one that looks like it gives way
    owned = owner_of(history, row.batch_id, row.sheet, row.row, order_id)
    if owned is not None and not owned.placed and row.repeat is not None and not row.repeat.alone:
        owned = None  # an adopted charge that knows its batch, not its row
    if owned is not None and not _planned_anew(row, owned, guards):
        return _of_its_own(row, owned, history, guards)
    if row.problems:
        return Rejected(" | ".join(problem.sentence() for problem in row.problems), row.problems)
    if row.repeat is not None and row.repeat.outcome is Outcome.REJECTED:
        return Rejected(row.repeat.reason)
    if row.repeat is not None and row.repeat.outcome is Outcome.CONFLICT:
        if row.repeat.looks_like:
            twin = _look_alike(row, history, guards)
        else:
            twin = None
        if twin is None:
            return ConflictWith(row.repeat.reason)
        return _alike(order_id, twin)
    if (kin := _kin(row, history, guards, owned)) is not None:
        return _of_one_sale(row, kin)
    if reason := _cancelled(row, history, guards):
        return Cancelled(reason)
    if (over := _asked_before(row, history, guards)) is not None:
        return DuplicateOf(over, why="asked for under an earlier id, duplicate")
    judged = _unless_anothers(row, _judged(row, attempts, history, guards), history)
    if isinstance(judged, RepeatOf) and isinstance(
        contested := _blocked(row, history, guards), ConflictWith | Renamed
    ):
        return contested  # as the row that it repeats: nobody waits for an owner that never comes
    if not isinstance(judged, MayGo):
        return judged
    if owned is not None and judged.withdraw is None and not owned.closed:
        judged = replace(
            judged, withdraw=owned
        )  # it asked for another order when it was first planned
    in_vain = [
        a
        for a in history.kin(row)
        if a.closed and not a.set_aside and _is_kin(row, a, history, guards)
    ]
    judged = replace(judged, before=(*judged.before, *in_vain))
    return _guarded(row, judged, history, guards)


def _planned_anew(row: Row, owned: Attempt, guards: Guards) -> bool:
    """Was its own attempt never charged, and is it no longer what the row asks? Then the row is
    judged afresh (J13).
    """
    if owned.adopted or not owned.ready:
        return False
    if row.problems or (row.repeat is not None and row.repeat.outcome is not Outcome.DUPLICATE):
        return True
    return not asks_the_same(row.document, owned)


def _of_its_own(row: Row, owned: Attempt, history: History, guards: Guards) -> Standing:
    """The row caused an attempt: it shows what became of it."""
    warnings = _warnings(row, history, before_ns=owned.sent_ns)
    checked = bool(row.document) and not row.problems
    if owned.adopted and not owned.closed and checked and not asks_the_same(row.document, owned):
        flaw = "terms: the row asks for other terms than the adopted charge has"
        word = owned.accepted or owned.by_hand  # one that named the charge took its terms, too
        contested = replace(owned, flaws=(*owned.flaws, flaw), accepted=word)
        return Owns(contested, warnings=warnings, contradicts=not word)
    attempts = history.attempts.get(owned.intent.order_id, ())
    if owned.ready and (paid := beside(owned, attempts)) is not None:
        return ConflictWith("not sent: another attempt has the money", paid, steps.OTHER_CONTENT())
    if owned.ready and (reason := _cancelled(row, history, guards)):
        return Cancelled(reason)
    if owned.refused and (charge := _may_have_charged(owned, guards)) is not None:
        owned = replace(owned, may_be=charge.charge_id)
    if not owned.may_go_again or row.problems or beside(owned, attempts) is not None:
        return Owns(owned, warnings=warnings)
    if (kin := _kin(row, history, guards, owned)) is not None:
        if owned.ready:
            return _of_one_sale(row, kin)
        return Owns(owned, warnings=warnings)
    blocked = _blocked(row, history, guards)
    if blocked is not None and owned.ready:
        if isinstance(blocked, Waits):
            return replace(blocked, warnings=warnings, attempt=owned)
        return blocked
    return Owns(
        owned, resumes=blocked is None and asks_the_same(row.document, owned), warnings=warnings
    )


def _blocked(row: Row, history: History, guards: Guards) -> ConflictWith | Renamed | Waits | None:
    """What keeps a row with an open attempt from being sent again: the guards of a new one."""
    if (twin := _look_alike(row, history, guards)) is not None:
        return _alike(str(row.document["order_id"]), twin)
    if (cancelled := _cancelled_alike(row, guards)) is not None:
        return cancelled
    if (other := _elsewhere(row, history)) is not None:
        return Renamed(other)
    if guards.unplaced is not None and guards.unplaced.intent.order_id not in history.ids(row):
        return ConflictWith(UNPLACED, guards.unplaced)
    if (charged := unnamed(row, history, guards)) is not None and not guards.are_new:
        told_of = f"order {charged.order_id} of batch {charged.batch_id}"
        return Waits(
            f"{told_of} asked the same payer for the same money, for the same recipient, as far as"
            " it tells, when order ids were made of another column or lookup file, and which id it"
            f" has now is not known{_also(row, history)}:"
            f" {steps.NEW_SALE(batch=charged.batch_id, order=row.document['order_id'])}",
            "accountant",
        )
    if (asked := untold(row, history, guards)) is not None and not guards.are_new:
        told_of, batch_id = asked
        step = steps.NEW_SALE(batch=batch_id, order=row.document["order_id"])
        return Waits(f"{told_of}{_also(row, history)}: {step}", "accountant")
    if (reason_who := _held_back(row, guards)) is not None:
        return Waits(*reason_who)
    if (nameless := _may_be_charged(row, guards)) is not None:
        told_of = (
            f"{nameless.charge_id} in the gateway's list asks for the same and names no order: it"
            " may be this one's"
        )
        step = steps.NAMELESS(order=str(row.document["order_id"]), charge=nameless.charge_id)
        return Waits(f"{told_of}; {step}", "a person")
    return None


def unnamed(row: Row, history: History, guards: Guards) -> Unnamed | None:
    """A charge that may be this row's under an id that the job does not make any more, and that
    nobody told apart from orders with the row's payer, recipient and amount.
    """
    if not (guards.ids_from and history.unnamed):
        return None
    ids, fitting = history.ids(row), fitting_terms_of(row.document)
    since_ns = _said_new_ns(row, history, guards)
    for other in (one for some in fitting for one in history.unnamed.get(some, ())):
        is_known = guards.ids_from in other.known_under or other.order_id in ids
        if not is_known and other.at_ns > since_ns:
            return other
    return None


def _said_new_ns(row: Row, history: History, guards: Guards) -> int:
    """When a person last said of this very order that it is new; 0: never. A word about another
    one with its terms is none about this.
    """
    said = guards.said_new.get(fitting_terms_of(row.document)[0], {})
    return max((said.get(order_id, 0) for order_id in history.ids(row)), default=0)


def _also(row: Row, history: History) -> str:
    """Which other orders stand against the same charge: it can be one of them at most."""
    beside = history.unsent.get(fitting_terms_of(row.document)[0], ())
    others = [order_id for order_id in beside if order_id not in history.ids(row)]
    if not others:
        return ""
    named = ", ".join(map(told, others[:5]))
    return f" (it may as well be {named}, for the same money: --yes says that each of them is new)"


def fitting_terms_of(document: Document) -> tuple[str, ...]:
    """What the terms of charges begin with that may be a row's by payer, recipient and amount; its
    own first.
    """
    return fitting_terms(
        payer_of(document), document["destination"], document["amount"], document["currency"]
    )


def _may_be_charged(row: Row, guards: Guards) -> Nameless | None:
    """A charge that names nobody and that asks for what the row asks, where that may be its very
    own.
    """
    document = row.document
    terms = document["destination"], document["amount"], str(document["currency"])
    if not guards.nameless:
        return None
    found = fits(guards.nameless, terms, str(document["order_id"]), payer_of(document), guards.job)
    return next(iter(found), None)


def _may_have_charged(attempt: Attempt, guards: Guards) -> Nameless | None:
    """The same for an attempt that was sent, and refused: a charge that was made since, or whose
    time is not told.
    """
    asked = attempt.intent
    terms = asked.destination, asked.amount, asked.currency
    if not guards.nameless:
        return None
    found = fits(guards.nameless, terms, asked.order_id, asked.payer, guards.job)
    return next((one for one in found if one.may_be_made_after(attempt.sent_ns)), None)


UNPLACED = (
    "the gateway has a charge of this very file under an order id that none of its rows has now: it"
    " may be this row's. Give the column or lookup file of order_id what it had when that was"
    " charged; if this is another sale, send it in a file of its own"
)


def _kin(row: Row, history: History, guards: Guards, owned: Attempt | None) -> Attempt | None:
    """What another order that is one sale with this row did, if it took money, may have, or goes in
    this very run.

    `owned`: the row's own attempt, which is its own whatever id it was made under.
    """
    order_id = row.document["order_id"]
    mine = (order_id, owned.intent.order_id if owned is not None else order_id)
    others = [a for a in history.kin(row) if a.intent.order_id not in mine and not a.closed]
    others = [attempt for attempt in others if _is_kin(row, attempt, history, guards)]
    charged = next((attempt for attempt in others if not attempt.ready), None)
    return charged or next(
        (attempt for attempt in others if attempt.intent.batch_id in guards.present), None
    )


def _of_one_sale(row: Row, kin: Attempt) -> DuplicateOf | ConflictWith:
    """A row of a sale that another order asks for already.

    A row that corrects another may be told from it by what it asks for: then nobody but a person
    knows which it is.
    """
    if kin.ready:
        done = "goes first"
    else:
        done = "was charged"
    if not row.corrects and goes_back_to(kin.intent, (place_of(row.batch_id, row.sheet, row.row),)):
        return DuplicateOf(kin, why=f"its corrected row {done}, duplicate")
    if not row.corrects and goes_back_to(kin.intent, _keys(row)):
        if same_terms(row.document, kin):
            return DuplicateOf(kin, why=f"the corrected row of its order {done}, duplicate")
        return ConflictWith(
            f"a row with this order id came back as another, which {done}, and this one asks for"
            " other terms: " + steps.NEW_ID(),
            kin,
        )
    if not row.corrects:
        if same_terms(row.document, kin):
            return DuplicateOf(kin, why=f"an earlier id of this order {done}, duplicate")
        return ConflictWith(
            "this row, or another of its id, had another order id before, under which other terms"
            " were asked for; if this is another sale, send it in a file of its own under an id"
            " that was never used",
            kin,
        )
    if same_terms(row.document, kin):
        return DuplicateOf(kin, why=f"it corrects a row that {done}, duplicate")
    return ConflictWith(
        f"it corrects a row of a sale that was asked for with other terms; {steps.ANOTHER_SALE()}",
        kin,
    )


def _unless_anothers(row: Row, judged: Standing, history: History) -> Standing:
    """What a row was judged to be, unless it came back as a copy of an order that the row which it
    names never asked for: a fill handle went over it. What that row did not tell says nothing.
    """
    named = history.named.get(place_of(row.batch_id, row.sheet, row.row))
    if (
        not isinstance(judged, DuplicateOf)
        or named is None
        or not contradicts(named, judged.attempt)
    ):
        return judged
    asked = judged.attempt.intent
    if goes_back_to(asked, filter(None, (row.corrects, history.sale(row)))):
        return judged
    why = (
        f"the row that this one came back for asked for something else than order {asked.order_id}"
    )
    return ConflictWith(f"{why}: {steps.OWN_ID()}", judged.attempt)


def _keys(row: Row) -> tuple[str, ...]:
    """By what corrections of the row itself name it."""
    ids = filter(None, (str(row.document.get("order_id", "")), *row.earlier))
    return (place_of(row.batch_id, row.sheet, row.row), *map(by_order, ids))


def _is_kin(row: Row, attempt: Attempt, history: History, guards: Guards) -> bool | None:
    """Is an attempt of another order one sale with this row? None: nobody can tell.

    That the row, or another of its id, had the order's id may have been a mistake that was mended
    since. The row that was charged tells: it has this row's id today as well, or it has another
    one.
    """
    asked, place = attempt.intent, place_of(row.batch_id, row.sheet, row.row)
    own, said = (
        str(row.document.get("order_id", "")),
        history.said.get(place, {}).get(asked.order_id),
    )
    if (
        row.corrects
        or said
        or not attempt.placed
        or attempt.owned_by(row.batch_id, row.sheet, row.row)
    ):
        return True
    if goes_back_to(asked, filter(None, (place, own and by_order(own)))):
        return True
    told_by_id = _has_its_id(own, places_of(asked), history, guards)
    if told_by_id is None and is_a_strangers(row.document, attempt):
        return False
    return told_by_id or (told_by_id if said is None else None)


def _has_its_id(
    order_id: str, places: Sequence[str], history: History, guards: Guards
) -> bool | None:
    """Has any row of these places an order id today? None: the file of one is not here to tell, or
    gives it no id.
    """
    form: Callable[[str], str] = str if guards.alike_ids == "distinct" else alike
    ids = [history.bears.get(place, "") for place in places]
    if order_id and form(order_id) in [form(one) for one in ids if one]:
        return True
    here = {batch_id[-12:] for batch_id in guards.present}
    is_told = bool(ids) and all(ids) and all(place.partition("\t")[0] in here for place in places)
    if is_told:
        return False
    return None


def places_of(asked: Intent) -> tuple[str, ...]:
    """The row that caused an attempt, and those that it goes back to."""
    back = (key for key in (asked.corrects, *asked.sale) if key and not order_in(key))
    return tuple(dict.fromkeys((place_of(asked.batch_id, asked.sheet, asked.row), *back)))


def is_a_strangers(document: Document, attempt: Attempt) -> bool:
    """Did another payer ask for other money? Of a token only the recipient tells who may have
    paid.
    """
    asked = attempt.intent
    money = (document.get("amount"), str(document.get("currency", "")).lower())
    if "amount" not in document or money == (asked.amount, asked.currency.lower()):
        return False
    if single_use_of(document) or asked.single_use:
        return document.get("destination") != asked.destination
    return not may_pay(payer_of(document), asked.payer)


def untold(row: Row, history: History, guards: Guards) -> tuple[str, str] | None:
    """What may be this row's sale under an id that it had, where nobody can tell, and the batch
    whose file could.
    """
    if not (kin := history.kin(row)) and not history.words:
        return None
    since_ns = _said_new_ns(row, history, guards)
    for attempt in kin:
        over = attempt.closed and not cancelled_by_hand(attempt)
        if attempt.set_aside or attempt.ready or attempt.sent_ns <= since_ns:
            continue
        if over and (row.comeback or not same_terms(row.document, attempt)):
            continue
        if _is_kin(row, attempt, history, guards) is None:
            order_id, batch_id = attempt.intent.order_id, attempt.intent.batch_id
            told_of = f"this row, or another of its id, had the id of order {order_id} before"
            return (
                (
                    f"{told_of}, which batch {batch_id} asked for, and which id that has now is not"
                    " known"
                ),
                batch_id,
            )
    for word in history.words.get(place_of(row.batch_id, row.sheet, row.row), ()):
        if word.at_ns > since_ns and _is_said_of(row, word, history, guards) is None:
            told_of = (
                f"this row, or another of its id, had the id of order {word.order_id}, or that had"
                " its id"
            )
            return f"{told_of}, and a person cancelled that ({word.reason})", word.batch_id
    return None


def _asked_before(row: Row, history: History, guards: Guards) -> Attempt | None:
    """An attempt that asked for the same under an earlier id, in vain: that an id is another asks
    for no second one.
    """
    if row.corrects or row.comeback:
        return None
    closed = (a for a in reversed(history.kin(row)) if a.closed and not a.set_aside)
    asked = (a for a in closed if _is_kin(row, a, history, guards))
    return next(
        (
            a
            for a in asked
            if not goes_back_to(a.intent, _keys(row)) and same_terms(row.document, a)
        ),
        None,
    )


def same_terms(document: Document, attempt: Attempt) -> bool:
    """Does a row ask for what an attempt of another order asked: payer, recipient, amount and
    currency?
    """
    asked = attempt.intent
    terms = (
        document.get("destination"),
        document.get("amount"),
        str(document.get("currency", "")).lower(),
    )
    return terms == (asked.destination, asked.amount, asked.currency.lower()) and may_pay(
        payer_of(document), asked.payer
    )


def contradicts(document: Document, attempt: Attempt) -> bool:
    """Does a row, as far as it could be read, tell of other money, another recipient or payer than
    an attempt's?
    """
    asked = attempt.intent
    terms = {"amount": asked.amount, "currency": asked.currency, "destination": asked.destination}
    payer = payer_of(document)
    others = any(document.get(name, term) != term for name, term in terms.items())
    return others or (bool(payer) and not may_pay(payer, asked.payer))


def _cancelled(row: Row, history: History, guards: Guards) -> str:
    """Why a person said never to send the order, under any id of its sale; empty when nobody
    did.
    """
    place, own = place_of(row.batch_id, row.sheet, row.row), str(row.document.get("order_id", ""))
    ids = (
        history.ids(row) if row.corrects else (own,)
    )  # a row that came back is the sale of all its ids
    by_ids: Iterable[str] = ()
    if row.corrects:
        by_ids = map(by_order, filter(None, history.ids(row)))
    for key in (place, row.corrects, *by_ids) if guards.cancelled_sales else ():
        if key in guards.cancelled_sales:
            return guards.cancelled_sales[key]
    for order_id in ids:
        if order_id in history.cancelled:
            return history.cancelled[order_id]
        if reason := next(map(cancelled_by_hand, history.attempts.get(order_id, ())[-1:]), None):
            return reason
    for word in history.words.get(place, ()):
        if _is_said_of(row, word, history, guards):
            return word.reason
    kin = (a for a in history.kin(row) if cancelled_by_hand(a) and _is_kin(row, a, history, guards))
    return next(filter(None, map(cancelled_by_hand, kin)), "")


def _is_said_of(row: Row, word: Word, history: History, guards: Guards) -> bool | None:
    """Is a cancelled order, one of whose ids this row has or had, the row's own? None: nobody can
    tell.
    """
    own = str(row.document.get("order_id", ""))
    if own == word.order_id or place_of(row.batch_id, row.sheet, row.row) in word.places:
        return True
    told_by_id = _has_its_id(own, word.places, history, guards)
    if (
        told_by_id is None
        and word.asked
        and all(_are_strangers(row.document, asked) for asked in word.asked)
    ):
        return False
    return told_by_id


def _are_strangers(one: Document, other: Document) -> bool:
    """Do other payers ask for other money?"""
    if "amount" not in one or "amount" not in other or one["amount"] == other["amount"]:
        return False
    payers = [payer_of(document) for document in (one, other)]
    return all(payers) and not may_pay(*payers)


def _judged(row: Row, attempts: Sequence[Attempt], history: History, guards: Guards) -> Standing:
    """What its order's attempts make of a row that owns none of them (contract, section 4)."""
    document = row.document
    if not attempts:
        return _first_here(row, 1, (), None)
    last = next((attempt for attempt in attempts if not attempt.closed), attempts[-1])
    if not last.closed:
        return _beside_open(row, attempts, last, history, guards)
    own = [
        attempt
        for attempt in attempts
        if attempt.intent.batch_id == row.batch_id and not attempt.set_aside
    ]
    if own:
        if asks_the_same(document, last):
            return DuplicateOf(last)
        return ConflictWith("its own batch already asked for it", last, steps.OTHER_CONTENT())
    asked = [attempt for attempt in attempts if not attempt.set_aside]
    same = next((attempt for attempt in reversed(asked) if asks_the_same(document, attempt)), None)
    if same and (not row.comeback or _answers(same, history)):
        return DuplicateOf(same)
    if last.intent.attempt >= MAX_ATTEMPTS:
        return ConflictWith(f"{MAX_ATTEMPTS} attempts were made; give the order a new id", last)
    return _first_here(row, last.intent.attempt + 1, tuple(attempts), None)


def _answers(attempt: Attempt, history: History) -> bool:
    """Was it made since the row's file came? `batchpay_retry` asks for one attempt more than there
    were then.

    Of several rows that ask for it, in however many files, one is that attempt and the others are
    its duplicates.
    """
    return history.received_ns is not None and attempt.sent_ns > history.received_ns


def _beside_open(
    row: Row, attempts: Sequence[Attempt], last: Attempt, history: History, guards: Guards
) -> Standing:
    """Its order has an attempt that is not over: one that was never charged goes on from here, or
    is planned anew.
    """
    of_this_batch = last.intent.batch_id == row.batch_id
    owner_is_here = of_this_batch or last.intent.batch_id in guards.present
    only_one = beside(last, attempts) is None
    if asks_the_same(row.document, last):
        resumes = last.may_go_again and not owner_is_here and only_one and row.repeat is None
        return DuplicateOf(last, resumes=resumes and _blocked(row, history, guards) is None)
    may_be_replaced = last.ready and only_one and last.intent.attempt < MAX_ATTEMPTS
    if may_be_replaced and (of_this_batch or not owner_is_here):
        return _first_here(row, last.intent.attempt + 1, tuple(attempts), last)
    return ConflictWith("same order id, other content", last, steps.OTHER_CONTENT())


def _first_here(
    row: Row, number: int, before: tuple[Attempt, ...], withdraw: Attempt | None
) -> Standing:
    """The row may go, unless an earlier row of the same run asks for the same."""
    if row.repeat is not None:
        return RepeatOf(row.repeat)
    return MayGo(number, before, withdraw)


def _guarded(row: Row, may_go: MayGo, history: History, guards: Guards) -> Standing:
    """Every guard that a row passes before it becomes an attempt, whatever its number."""
    warnings = _warnings(row, history, before_ns=guards.began_ns)
    if (blocked := _blocked(row, history, guards)) is not None:
        if isinstance(blocked, Waits):
            return replace(blocked, warnings=warnings)
        return blocked
    if (
        lost := next((earlier for earlier in may_go.before if earlier.unaccounted), None)
    ) is not None:
        if lost.charge:
            charge = f" {lost.charge.id}"
        else:
            charge = ""
        told_lost = (
            f"the gateway no longer knows{charge} of its attempt {lost.intent.attempt}, which took"
            " no money"
        )
        return Waits(
            f"{told_lost}: {steps.SETTLE_EARLIER(order=lost.intent.order_id)}", "a person", warnings
        )
    for earlier in may_go.before:
        if earlier.refused and (nameless := _may_have_charged(earlier, guards)) is not None:
            asked, charge_id = earlier.intent, nameless.charge_id
            told_of = (
                f"its attempt {asked.attempt} was refused, yet {charge_id} in the gateway's list,"
                " which names no "
            )
            step = steps.SETTLE_UNCLEAR(order=asked.order_id, charge=charge_id)
            return Waits(
                f"{told_of}order, asks for the same: it may be its charge; {step}",
                "a person",
                warnings,
            )
    if guards.near_duplicates == "hold" and (near := _asked_near(row, history)):
        return _waits_for_word(row, _said_near(near), warnings)
    return replace(may_go, warnings=warnings)


def _asked_near(row: Row, history: History) -> list[Near]:
    """Recent orders that ask for the same, of the row's own file and of this very run, too."""
    ids = history.ids(row)
    return [other for other in history.near.get(_terms_of(row), ()) if other.order_id not in ids]


def held_beside(row: Row, standing: Standing, guards: Guards, asked: dict[str, str]) -> Standing:
    """The standing of a row among those that may go with it, none of which was sent yet: of several
    that ask for the same the first goes, where the job holds the later ones.

    `asked`: terms -> order id of those that go; it is written on.
    """
    if guards.near_duplicates != "hold" or not isinstance(standing, MayGo):
        return standing
    first = asked.setdefault(_terms_of(row), row.document["order_id"])
    if first == row.document["order_id"]:
        return standing
    told_of = f"order {first} of this run asks for the same payer, recipient and amount"
    return _waits_for_word(row, told_of, standing.warnings)


def _waits_for_word(row: Row, why: str, warnings: tuple[str, ...]) -> Waits:
    return Waits(f"{why}; {steps.NEAR(order=row.document['order_id'])}", "accountant", warnings)


def _terms_of(row: Row) -> str:
    document = row.document
    money = document["destination"], document["amount"], document["currency"]
    return terms_of(payer_of(document), *money)


def _held_back(row: Row, guards: Guards) -> tuple[str, str] | None:
    """Why nothing is sent for this row now, and who acts: first what would hold it whatever runs
    with its file.
    """
    document = row.document
    destination, currency = str(document["destination"]), str(document["currency"]).upper()
    if guards.refusal:
        return guards.refusal, "accountant"
    if destination in guards.barred:
        return f"recipient {destination} {guards.barred[destination]}", "engineer"
    smallest = guards.smallest_share.get(currency, 0)
    share = document["amount"] - (guards.fee.of(document["amount"], currency) if guards.fee else 0)
    if share < smallest and document["amount"] < (charge := guards.least_charge.get(currency, 0)):
        asked = f"it asks for {major_text(document['amount'], currency)} {currency}"
        least = f"the gateway's smallest charge is {major_text(charge, currency)}"
        return f"{asked}, {least}: {steps.TOO_SMALL(order=document['order_id'])}", "accountant"
    if share < smallest:
        share_told = f"the recipient's share would be {major_text(int(share), currency)} {currency}"
        least = f"the gateway's smallest transfer is {major_text(smallest, currency)}"
        return f"{share_told}, {least}: {steps.SEND_SMALL()}", "accountant"
    if guards.gone:
        remedy = steps.PUT_BACK(
            file=told(guards.gone), order=document["order_id"], batch=row.batch_id
        )
        return f"its file was no input of the last run: {remedy}", "accountant"
    if guards.stop:
        return f"a stop is in force: {guards.stop}; {steps.LIFT_STOP()}", "a person"
    if guards.unreadable:
        return guards.unreadable, "a person"
    return None


# --- parts
# -------------------------------------------------------------------------------------------------


def owner_of(
    history: History, batch_id: str, sheet: str, row: int, order_id: str
) -> Attempt | None:
    """The attempt a row caused, whatever the row says now: an edited job never makes a second order
    of it.

    Of several (one of them adopted) it is the last, but for one whose money nobody knows yet.
    """
    for candidate in dict.fromkeys((history.owned.get(row, ""), order_id)):
        owned = [
            a
            for a in reversed(history.attempts.get(candidate, ()))
            if a.owned_by(batch_id, sheet, row)
        ]
        if owned:
            return next(
                (attempt for attempt in owned if attempt.outcome is Outcome.IN_DOUBT), owned[0]
            )
    return None


def asks_the_same(document: Document, attempt: Attempt) -> bool:
    """Does a row ask for what the attempt asked? Of an adopted charge only its terms are known."""
    asked = attempt.intent
    if asked.content:
        return content_of(document) == asked.content
    terms = (document["amount"], document["currency"], document["destination"])
    return terms == (asked.amount, asked.currency, asked.destination) and may_pay(
        payer_of(document), asked.payer
    )


def _look_alike(row: Row, history: History, guards: Guards) -> Attempt | None:
    """An earlier order whose id is this one but for what programs do to ids."""
    if guards.alike_ids == "distinct":
        return None
    order_id = row.document["order_id"]
    others = history.look_alikes.get(alike(order_id), ())
    return next((attempt for attempt in others if attempt.intent.order_id != order_id), None)


def _cancelled_alike(row: Row, guards: Guards) -> ConflictWith | None:
    """A person's word that an order is never sent holds for what programs make of its id, too."""
    order_id = row.document["order_id"]
    other = guards.cancelled.get(alike(order_id), order_id)
    if guards.alike_ids == "distinct" or other == order_id:
        return None
    return ConflictWith(
        f"its id is order {other}'s, which a person cancelled, but for what programs do to ids:"
        f" {steps.NEW_ID()}"
    )


def _alike(order_id: str, twin: Attempt) -> ConflictWith:
    return ConflictWith(look_alike_reason(order_id, twin.intent.order_id), twin)


def _elsewhere(row: Row, history: History) -> Elsewhere | None:
    """Another job's charge for any order id of the same sale, with the same payer, recipient and
    amount.
    """
    document = row.document
    terms = (document["destination"], document["amount"], document["currency"])
    for other in (
        found for order_id in history.ids(row) for found in history.elsewhere.get(order_id, ())
    ):
        if terms == (other.destination, other.amount, other.currency) and may_pay(
            payer_of(document), other.payer
        ):
            return other
    return None


def _warnings(row: Row, history: History, *, before_ns: int = 0) -> tuple[str, ...]:
    """What a person should know before, or after, it is sent: recent orders of other files that ask
    for the same.

    `before_ns`: only what was asked before then.
    """
    document = row.document
    if row.problems or "destination" not in document:
        return ()
    asked = history.near.get(_terms_of(row), ())
    near = [other for other in asked if _is_near(other, row, before_ns)]
    if not near:
        return ()
    return (_said_near(near),)


def _said_near(near: Sequence[Near]) -> str:
    if len(near) > 1:
        more = f" and {len(near) - 1} more"
    else:
        more = ""
    return (
        f"order {near[0].order_id} of batch {near[0].batch_id}{more} asked for the same payer,"
        " recipient and amount within ten days"
    )


def _is_near(other: Near, row: Row, before_ns: int) -> bool:
    if other.order_id == row.document["order_id"] or other.batch_id == row.batch_id:
        return False
    return not before_ns or other.at_ns < before_ns


def settled_by(row: Row, history: History, received_ns: int) -> Attempt | None:
    """The attempt that charged, later, what this row asked for: under its order id, or as its
    corrected row.

    `received_ns`: when the row's file came; what was charged before then settled something else,
    unless it corrects this very row, or the row that came back to correct it asked for that very
    order, and so is a duplicate of it.
    """
    place = place_of(row.batch_id, row.sheet, row.row)
    kin = [
        a
        for a in history.kin(row)
        if goes_back_to(a.intent, filter(None, (place, row.corrects)))
        or (same_terms(row.document, a) and _is_kin(row, a, history, Guards()))
    ]
    found: Iterable[Attempt] = (
        *history.attempts.get(str(row.document.get("order_id", "")), ()),
        *kin,
    )
    for attempt in found:
        corrects = not row.corrects and goes_back_to(attempt.intent, (place,))
        later = attempt.sent_ns > received_ns or corrects
        if (
            attempt.outcome is Outcome.SUCCEEDED
            and later
            and not attempt.owned_by(row.batch_id, row.sheet, row.row)
        ):
            return attempt
    return next(
        (one for one in history.answered.get(place, ()) if one.outcome is Outcome.SUCCEEDED), None
    )
