"""KINSHIP: which rows are one sale, because one of them came back to correct another, or was asked
for under other ids.

    a row  <-  the row that corrects it  <-  the row that corrects that one ...

and every row with the order id of the first of them. A row names only the one that it came back
for; who came before that one stands in the journal, in the rows of its batch as they were last
planned.

A row of a file stays the sale that it was, whatever id an edited job or lookup file gives it: every
id that it ever had is kept beside it (`Lineages.earlier`), and what its ids tell of each other
holds for every other row that has one of them, too (`Lineages.other_names`, the journal's `renamed`
events, made by `renaming`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from batchpay.domain.events import (
    BEGINNINGS,
    IdsMadeOf,
    IdsRenamed,
    NewOrders,
    OrderCancelled,
    RowsAnswered,
    RowsGivenUp,
    told_by,
)
from batchpay.domain.model import (
    Batch,
    Document,
    Event,
    Intent,
    Judged,
    Problem,
    StoredChunk,
)
from batchpay.job.job import Job
from batchpay.lifecycle.attempt import word_of
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.plan import (
    alike,
    by_order,
    has_terms,
    order_in,
    place_of,
    row_at,
    terms_in,
)

_NOW = 2**63  # later than anything that a journal knows
_LOOKED_THROUGH = 20  # chunks for rows that came before
_KEPT = 4  # chunks: a file that came back has its rows in the order of the first one


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The rows that a correction goes back to, nearest first."""

    places: tuple[str, ...] = ()  # plan.place_of each
    # Of those of them whose order id could be read, all that they ever had.
    order_ids: tuple[str, ...] = ()
    first_id: str = ""  # order id of the first row of all; empty when it had none

    @property
    def identity(self) -> str:
        """What all corrections of the first row have in common: its order id if it has one, else
        its place.
        """
        if self.first_id:
            return by_order(self.first_id)
        if self.places:
            return self.places[-1]
        return ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All that the sale is known by: the order ids and the places of the rows that it goes back
        to.
        """
        return (*map(by_order, self.order_ids), *self.places)

    def is_of_another(self, order_id: str) -> bool:
        """Does it go back to anything but rows of this very order?"""
        return bool(self.places) and (
            not self.first_id or set(self.order_ids) != {order_id}
        )


class Trace(Protocol):
    """Place of the row that a row came back for, and the other ids that the row itself had or tells
    -> its ancestry.
    """

    def __call__(self, place: str, told: Sequence[str] = (), /) -> Ancestry: ...


def only_named(place: str, told: Sequence[str] = ()) -> Ancestry:
    """The ancestry of a row when there is no journal to ask: the row that it names, by the id that
    it tells.
    """
    first_id = ""
    if told:
        first_id = told[-1]
    return Ancestry((place,), tuple(told), first_id)


def goes_back_to(intent: Intent, keys: Iterable[str]) -> bool:
    """Did an attempt come to correct a row that is known by any of these (places, and orders as
    `by_order`)?
    """
    goes_back = (intent.corrects, *intent.sale)
    return any(key in goes_back for key in keys)


@dataclass(frozen=True, slots=True)
class Rivals:
    """Rows of one file that have one order id, as it looks, and ask for different money, or for
    that of different people: at most one of them is that order. Where one comes back under an id
    of its own, that is no name of the others.
    """

    # Place -> what the row asks for, and of whom (plan.terms_in).
    terms: Mapping[str, str]

    def which(self, places: Iterable[str], terms: str) -> str:
        """The one of them that a row goes back to, by the places of its line, or else by what it
        asks for; empty where that is none of them, or nobody can tell.
        """
        named = {place for place in places if place in self.terms}
        if not named:
            named = {place for place, asked in self.terms.items() if asked == terms}
        if len(named) > 1:
            return ""
        return next(iter(named), "")


def are_apart(one: str, other: str) -> bool:
    """Do two rows go back to two rivals (`Rivals.which`)?"""
    return bool(one and other) and one != other


@dataclass(frozen=True, slots=True)
class Names:
    """Order id -> other ids of its sale, as rows told that had one of them first and the other one
    later.
    """

    # Orders that were asked for: the same sale.
    same: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Ids of its rows that no row of it had asked for.
    had: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Of which cells the ids were made that took the place of others (job.Columns.ids_from).
    ids_from: str = ""
    # A person typed one in the place of the other.
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Place -> order id of rows that had others.
    today: Mapping[str, str] = field(default_factory=dict)
    # A person typed it in rows that came back: what their sale is known by (Ancestry.keys).
    back: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Is anything told at all that the journal is to keep?"""
        return bool(self.same or self.had or self.said or self.back)

    def __or__(self, other: Names) -> Names:
        """What both tell."""
        return Names(
            _both(self.same, other.same),
            _both(self.had, other.had),
            self.ids_from or other.ids_from,
            _both(self.said, other.said),
            {**self.today, **other.today},
            _both(self.back, other.back),
        )

    def as_told(self) -> IdsRenamed:
        """For the journal; what rows are called today is none of it."""
        return IdsRenamed(
            same=self.same,
            had=self.had,
            ids_from=self.ids_from,
            said=self.said,
            back=self.back,
        )

    @classmethod
    def of_told(cls, told: IdsRenamed) -> Names:
        """The same back."""
        return cls(told.same, told.had, told.ids_from, told.said, back=told.back)


def _both(
    one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """What two mappings tell, each name once."""
    found = {}
    for new in {**one, **other}:
        names = (*one.get(new, ()), *other.get(new, ()))
        found[new] = tuple(dict.fromkeys(names))
    return found


class _Journal(Protocol):
    def batches(self) -> list[Batch]: ...
    def job_of_batch(self, batch_id: str) -> str: ...
    def elsewhere(
        self, order_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[str, Sequence[Event]]]]: ...
    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]: ...
    def chunk(self, batch_id: str, number: int) -> StoredChunk | None: ...
    def owned(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> Mapping[int, str]: ...
    def events(self, kinds: Iterable[str] = ()) -> Iterator[Event]: ...
    def corrected(
        self, keys: Collection[str] | None = None
    ) -> Mapping[str, Sequence[str]]: ...
    def adopted(self) -> Sequence[tuple[str, str]]: ...
    def histories(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[Event]]: ...


@dataclass(frozen=True, slots=True)
class _Told:
    """What the journal keeps of one row."""

    order_id: str = ""
    corrects: str = ""
    earlier: tuple[str, ...] = ()
    document: Document | None = None
    problems: tuple[Problem, ...] = ()


_NOTHING = _Told()


@dataclass(frozen=True, slots=True)
class _Span:
    """The rows of one chunk."""

    number: int
    sheet: str
    first: int
    last: int


Some = dict[str, dict[str, None]]
"""What an id looks like -> names, in the order in which they were told."""


class _ByForm:
    """Names by what an id looks like (`plan.alike`), both ways."""

    def __init__(self) -> None:
        self.same: Some = {}
        self.had: Some = {}
        self.said: Some = {}  # both ways
        # the other way round: only what is the same sale for sure
        self.later: Some = {}
        self.sources: dict[str, set[str]] = {}  # of these later names
        # -> by what the rows are known that rows with it came back for
        self.back: Some = {}
        self.typed: Some = {}  # such a key -> such ids
        # ids of which a person said that they are of no other sale
        self.new: set[str] = set()
        # such an id and key -> when it was told
        self.typed_ns: dict[tuple[str, str], int] = {}

    def add(self, names: Names, form: Callable[[str], str], at_ns: int) -> None:
        for new, old in names.same.items():
            self._add_same(new, old, names.ids_from, form)
        for new, old in names.had.items():
            _keep(self.had, form(new), old)
        for new, old in names.said.items():
            self._add_same(new, old, names.ids_from, form)
            _keep(self.said, form(new), old)
            for one in old:
                _keep(self.said, form(one), [new])
        for new, keys in names.back.items():
            _keep(self.back, form(new), keys)
            for key in keys:
                _keep(self.typed, _key_form(key, form), [new])
                self.typed_ns.setdefault((form(new), key), at_ns)

    def forget_typed(self, order_id: str, form: Callable[[str], str]) -> None:
        """A person said that the order is new: it is of no other sale for which it was typed."""
        self.new.add(form(order_id))
        for key in self.back.pop(form(order_id), {}):
            self.typed[_key_form(key, form)].pop(order_id, None)

    def _add_same(
        self,
        new: str,
        old: Sequence[str],
        ids_from: str,
        form: Callable[[str], str],
    ) -> None:
        _keep(self.same, form(new), old)
        for one in old:
            _keep(self.later, form(one), [new])
            self.sources.setdefault(form(one), set()).add(ids_from)


def _key_form(key: str, form: Callable[[str], str]) -> str:
    """A place as it is, and an order by what its id looks like."""
    order_id = order_in(key)
    if not order_id:
        return key
    return by_order(form(order_id))


def _keep(some: Some, form: str, names: Iterable[str]) -> None:
    some.setdefault(form, {}).update(dict.fromkeys(names))


class Lineages:
    """Follows corrections back through a journal; keeps the little that the next rows will ask for
    again.
    """

    def __init__(
        self,
        journal: _Journal,
        renamed: Names | None = None,
        *,
        distinct: bool = False,
        ids_from: str = "",
    ) -> None:
        """`of_job` makes it; reads nothing before it is asked. `renamed`: other names that the
        journal does not know yet; `distinct`: this source really has ids that only look alike
        (Input.distinct_ids); `ids_from`: of which cells ids are made now.
        """
        self._ids_from = ids_from
        self.are_distinct = distinct
        self.form: Callable[[str], str] = str if distinct else alike
        self._journal = journal
        self._names: _ByForm | None = None
        self._sources: bool | None = None
        self._corrections: Mapping[str, Sequence[str]] | None = None
        # what tells nothing for the journal may yet tell what rows are called today
        self._renamed = Names() if renamed is None else renamed
        # last 12 digits of a batch id -> batch, in the order in which they came
        self._known: dict[str, Batch] | None = None
        # the same digits -> another job that knows the batch
        self._jobs: dict[str, str] = {}
        self._spans: dict[str, list[_Span]] = {}
        self._chunks: dict[tuple[str, int], dict[int, _Told]] = {}
        self._answered: dict[str, tuple[str, ...]] | None = None  # place -> order ids
        self._readings: dict[str, list[str]] | None = None
        # batch id -> place -> it and its rivals
        self._rivals: dict[str, dict[str, Rivals]] = {}
        self._last: tuple[str, int, StoredChunk | None] | None = None
        # Cancellations of orders that were never sent, by all that these are known by.
        self._words: dict[str, list[tuple[Event, OrderCancelled]]] | None = None
        self._given_up: dict[str, str] | None = None  # place -> a person's word
        self._cancelled: Some | None = None  # what an id looks like -> such orders
        # ... of ids that were made of other cells than now, with their terms
        self._foreign: list[tuple[str, Event, OrderCancelled]] | None = None

    @classmethod
    def of_job(cls, job: Job, journal: _Journal, renamed: Names | None = None) -> Self:
        """As a job reads ids now: which of them are one, and of which cells they are made."""
        return cls(
            journal,
            renamed,
            distinct=job.input.distinct_ids,
            ids_from=job.columns.ids_from,
        )

    def of(self, place: str, told: Sequence[str] = (), /) -> Ancestry:
        """The ancestry of a row that came back for this place. Raises what reading the journal
        raises.

        `told`: the other ids of that row (`earlier`); the last is the id that it was told to have
        had. Of a place that the journal does not know, because it was lost or the job renamed, that
        is all there is.
        """
        places: list[str] = []
        order_ids = list(told)
        first_id = ""
        # nobody's own ancestor, whatever a file says
        while place and place not in places:
            places.append(place)
            row = self._row(place)
            first_id = row.order_id
            if not first_id and told and self.where(place) is None:
                first_id = told[-1]
            order_ids += [one for one in (row.order_id, *row.earlier) if one]
            place = row.corrects
            told = row.earlier
        return Ancestry(tuple(places), tuple(dict.fromkeys(order_ids)), first_id)

    def document(self, place: str) -> Document | None:
        """What the row of a place asked for as far as it could be read; None when the journal does
        not know it.
        """
        return self._row(place).document

    def documents(self, places: Iterable[str]) -> tuple[Document, ...]:
        """The same of several places, of those that the journal knows."""
        found = map(self.document, places)
        return tuple(document for document in found if document is not None)

    def read_right(self, place: str) -> Document | None:
        """The same, where nothing was wrong with its file as a whole."""
        batch = self._batch_of(place)
        if batch is None or batch.refusal:
            return None
        return self.document(place)

    def problems(self, place: str) -> tuple[Problem, ...]:
        """What was wrong with the row of a place when its file was last read."""
        return self._row(place).problems

    def readings(self) -> Mapping[str, Sequence[str]]:
        """What was read of rows of which corrections were sent, and of those beside them -> their
        places; of the latest of them, as it is a help and no proof.
        """
        if self._readings is None:
            self._readings = {}
            for batch_id, number in self._corrected_chunks()[-_LOOKED_THROUGH:]:
                chunk = self._journal.chunk(batch_id, number)
                if chunk is None:
                    continue
                for at, row in enumerate(chunk.rows):
                    reading = reading_of(chunk, at)
                    place = place_of(batch_id, chunk.sheet, row)
                    if reading:
                        self._readings.setdefault(reading, []).append(place)
        return self._readings

    def _corrected_chunks(self) -> list[tuple[str, int]]:
        """Batch and number of the chunks that have a row of which a correction was sent, oldest
        file first.
        """
        found: dict[str, dict[int, None]] = {}
        for place in self.corrections:
            known = self.where(place)
            if known is None:
                continue
            batch_id, sheet, row = known
            for span in self._spans_of(batch_id):
                if span.sheet == sheet and span.first <= row <= span.last:
                    found.setdefault(batch_id, {})[span.number] = None
        return [
            (batch.id, number)
            for batch in self._batches().values()
            for number in found.get(batch.id, ())
        ]

    def reading(self, place: str) -> str:
        """The same of the row of one place; empty where the journal does not know it."""
        known = self.where(place)
        if known is None:
            return ""
        batch_id, sheet, row = known
        for span in self._spans_of(batch_id):
            if span.sheet == sheet and span.first <= row <= span.last:
                chunk = self._whole(batch_id, span.number)
                if chunk is not None and row in chunk.rows:
                    return reading_of(chunk, chunk.rows.index(row))
        return ""

    def _whole(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk; the last one is kept, for the rows of a file that came back are in order."""
        if self._last is None or self._last[:2] != (batch_id, number):
            self._last = (batch_id, number, self._journal.chunk(batch_id, number))
        return self._last[2]

    def rivals(self, place: str) -> Rivals | None:
        """The row of a place, and those of its file that contradict it under its order id; None
        where none does, or the journal does not know its file.
        """
        known = self.where(place)
        if known is None:
            return None
        batch_id = known[0]
        if batch_id not in self._rivals:
            self._rivals[batch_id] = self._rivals_in(batch_id)
        return self._rivals[batch_id].get(place)

    def _rivals_in(self, batch_id: str) -> dict[str, Rivals]:
        """All of a batch: its ids are read once, and the rows of those that come twice."""
        once: set[int] = set()
        twice: set[int] = set()
        for _, form, _ in self._orders_of(batch_id):
            if form in once:
                twice.add(form)
            once.add(form)
        by_form: dict[int, dict[str, Document]] = {}
        for place, form, document in self._orders_of(batch_id):
            if form in twice:
                by_form.setdefault(form, {})[place] = document
        found = {}
        for rows in by_form.values():
            terms = {place: terms_in(row) for place, row in rows.items()}
            if len(set(terms.values())) > 1:
                found.update(dict.fromkeys(rows, Rivals(terms)))
        return found

    def _orders_of(self, batch_id: str) -> Iterator[tuple[str, int, Document]]:
        """Place, hash of what the id looks like, and document of the rows that broke no rule."""
        for span in self._spans_of(batch_id):
            chunk = self._journal.chunk(batch_id, span.number)
            if chunk is None:
                continue
            for at, document in enumerate(chunk.documents):
                if at not in chunk.problems:
                    place = place_of(batch_id, chunk.sheet, chunk.rows[at])
                    yield place, hash(self.form(document["order_id"])), document

    def id_of(self, place: str) -> str:
        """The order id that the row of a place has, as far as anybody knows: in this run, or in the
        last one that read its file; empty when it has none.
        """
        if place in self._renamed.today:
            return self._renamed.today[place]
        return self._row(place).order_id

    def cancelled(self, keys: Iterable[str]) -> list[tuple[Event, OrderCancelled]]:
        """A person's words that orders are never to be sent, which are known by any of these places
        and orders.
        """
        words = self._all_words()
        found = {}
        for key in keys:
            for event, told in words.get(key, ()):
                found[event.seq] = (event, told)
        return list(found.values())

    def cancelled_under_others(
        self, beginnings: Sequence[str]
    ) -> list[tuple[Event, OrderCancelled]]:
        """A person's words of orders that asked for such terms (plan.fitting_terms), said when ids
        were made of other cells than now, and of which nobody told which id they have now.
        """
        if self._foreign is None:
            self._foreign = self._foreign_words()
        found = []
        for terms, event, told in self._foreign:
            if terms.startswith(tuple(beginnings)):
                found.append((event, told))
        return found

    def _foreign_words(self) -> list[tuple[str, Event, OrderCancelled]]:
        if not self.had_other_sources:
            return []
        made = told_by(self._journal.events([IdsMadeOf.kind]), IdsMadeOf)
        sources = [(event.seq, told.ids_from) for event, told in made]
        words = {
            event.seq: (event, told)
            for some in self._all_words().values()
            for event, told in some
        }
        found = []
        for seq, (event, told) in words.items():
            before = [ids_from for at, ids_from in sources if at < seq]
            under = {*before[-1:], *self.known_under(event.order_id)}
            if self._ids_from in under:
                continue
            for document in filter(has_terms, self.documents(told.sale)):
                found.append((terms_in(document), event, told))
        return found

    def cancelled_like(self, forms: Collection[str]) -> list[str]:
        """The orders that a person cancelled whose ids look like that (`form`)."""
        if self._cancelled is None:
            self._cancelled = {}
            for words in self._all_words().values():
                for event, _ in words:
                    some = self._cancelled.setdefault(self.form(event.order_id), {})
                    some[event.order_id] = None
        return [one for form in forms for one in self._cancelled.get(form, ())]

    def given_up(self, line: Iterable[str]) -> str:
        """Who said of a row, or of one that it goes back to, that it is never to be sent, when and
        why; empty when nobody did. `line`: their places.
        """
        if self._given_up is None:
            self._given_up = {}
            given_up = self._journal.events([RowsGivenUp.kind])
            for event, told in told_by(given_up, RowsGivenUp):
                word = word_of(told.by, told.reason, event.at_ns)
                self._given_up.update(dict.fromkeys(told.places, word))
        words = (self._given_up.get(place, "") for place in line)
        return next(filter(None, words), "")

    def _all_words(self) -> Mapping[str, list[tuple[Event, OrderCancelled]]]:
        if self._words is None:
            self._words = {}
            for event, told in told_by(
                self._journal.events([OrderCancelled.kind]), OrderCancelled
            ):
                for key in {by_order(event.order_id), *told.sale, *told.had}:
                    self._words.setdefault(key, []).append((event, told))
        return self._words

    def was_asked(self, order_id: str) -> bool:
        """Did any row ask for this order before?"""
        events = self._journal.histories([order_id]).get(order_id, ())
        return any(event.kind in BEGINNINGS for event in events)

    def earlier(self, batch_id: str, judged: Judged) -> dict[int, tuple[str, ...]]:
        """Position -> every other order id that a row of a batch ever had: when it was planned
        before, when it was charged, and, last, as it says itself where it came back.
        """
        rows = judged.chunk.rows
        sheet = judged.chunk.sheet
        if not len(rows):
            return {}
        owned = self._journal.owned(batch_id, sheet, rows[0], rows[-1])
        before = self._before(batch_id, sheet, rows)
        found = {}
        for at, row in enumerate(rows):
            was = before.get(row, _NOTHING)
            told = judged.earlier.get(at, ())
            now = judged.documents[at].get("order_id")
            charged = owned.get(row, now)
            is_other = charged != now or (was.order_id and was.order_id != now)
            if not (told or was.earlier or is_other):
                continue
            ids = dict.fromkeys((was.order_id, *was.earlier, owned.get(row, "")))
            others = [one for one in ids if one and one != now and one not in told]
            if others or told:
                found[at] = (*others, *told)
        return found

    def other_names(self, order_id: str) -> tuple[str, ...]:
        """The other ids of an order's sale: a row of it had one of them before, or has one of them
        now.
        """
        names = self._all_names()
        form = self.form(order_id)
        found: dict[str, None] = {}
        for some in (names.same, names.had, names.later):
            if form in some:
                found.update(some[form])
        found.pop(order_id, None)
        return tuple(found)

    def answered(self, place: str) -> tuple[str, ...]:
        """The orders that rows which came back to correct the row of a place turned out to be
        duplicates of.
        """
        return self._all_answered().get(place, ())

    def may_answer(self, sale: Ancestry, order_id: str, others: Iterable[str]) -> bool:
        """May a duplicate of an order settle the rows of this sale? One charge pays for one sale:
        for that of its own id, and for one more that a person says it is. `others`: places for
        which it answers, beside those of before.
        """
        own = self.form(order_id)
        if own in map(self.form, sale.order_ids):
            return True
        answered = [
            place for place, ids in self._all_answered().items() if order_id in ids
        ]
        for place in (*others, *answered):
            other = self.of(place)
            is_its_own = own in map(self.form, other.order_ids)
            if not is_its_own and other.identity != sale.identity:
                return False
        return True

    def _all_answered(self) -> Mapping[str, tuple[str, ...]]:
        if self._answered is None:
            self._answered = {}
            for _, told in told_by(
                self._journal.events([RowsAnswered.kind]), RowsAnswered
            ):
                for one, order_id in told.rows.items():
                    self._answered[one] = (*self._answered.get(one, ()), order_id)
        return self._answered

    def is_same(self, order_id: str, other: str) -> bool:
        """Is it known that an order is the same sale as one that was asked for under another id?"""
        return other in self._all_names().same.get(self.form(order_id), ())

    def said(self, order_id: str) -> tuple[str, ...]:
        """The ids that a person typed for the same sale."""
        return tuple(self._all_names().said.get(self.form(order_id), ()))

    def typed_beside(
        self, place: str, sale: Ancestry, order_id: str
    ) -> tuple[str, ...]:
        """By what else the sale of a row is known, for good: of which rows came back under an id
        that a person typed, and under which ids rows came back for it.
        """
        names = self._all_names()
        if not names.back:
            return ()
        found: dict[str, None] = {}
        for one in (order_id, *sale.order_ids):
            found.update(names.back.get(self.form(one), {}))
        own = [by_order(order_id)] if order_id else []
        for key in (place, *own, *sale.keys, *found):
            typed = names.typed.get(_key_form(key, self.form), {})
            found.update(dict.fromkeys(map(by_order, typed)))
        found.pop(by_order(order_id), None)
        return tuple(found)

    def typed_before(self, order_id: str, ns: int) -> tuple[str, ...]:
        """By what the sales are known for which rows with this id came back before then."""
        names = self._all_names()
        form = self.form(order_id)
        keys = names.back.get(form, {})
        return tuple(key for key in keys if names.typed_ns[form, key] < ns)

    def is_typed_for(self, order_id: str, keys: Iterable[str]) -> bool:
        """Is it known that a row with this id, which a person typed, came back for a sale, or that
        it is of no other sale?
        """
        names = self._all_names()
        form = self.form(order_id)
        return form in names.new or set(keys) <= names.back.get(form, {}).keys()

    def is_named(self, order_id: str, other: str) -> bool:
        """Is it known that a row of an order once had this other id?"""
        if other in self._all_names().had.get(self.form(order_id), ()):
            return True
        return self.is_same(order_id, other)

    def _all_names(self) -> _ByForm:
        if self._names is None:
            renamed = told_by(self._journal.events([IdsRenamed.kind]), IdsRenamed)
            self._names = _ByForm()
            for event, told in renamed:
                self._names.add(Names.of_told(told), self.form, event.at_ns)
            self._names.add(self._renamed, self.form, _NOW)
            for _, new in told_by(self._journal.events([NewOrders.kind]), NewOrders):
                for _, order_id in new.orders:
                    self._names.forget_typed(order_id, self.form)
        return self._names

    @property
    def had_other_sources(self) -> bool:
        """Were order ids ever made of other cells than now, as far as anybody knows?"""
        if self._sources is None:
            others = set(self._noted_sources()) - {self._ids_from}
            self._sources = bool(others or self._journal.adopted())
        return self._sources

    @property
    def first_source(self) -> str:
        """Of which cells ids were made when that was first noted; now, when it never was."""
        return next(self._noted_sources(), self._ids_from)

    def _noted_sources(self) -> Iterator[str]:
        """Of which cells order ids were made, as it was noted each time, oldest first."""
        made = told_by(self._journal.events([IdsMadeOf.kind]), IdsMadeOf)
        return (told.ids_from for _, told in made)

    @property
    def source(self) -> str:
        """Of which cells ids are made now."""
        return self._ids_from

    def known_under(self, order_id: str) -> frozenset[str]:
        """Of which cells ids were made when it was told which id an order has now
        (job.Columns.ids_from).
        """
        return frozenset(self._all_names().sources.get(self.form(order_id), ()))

    @property
    def corrections(self) -> Mapping[str, Sequence[str]]:
        """Place of a row -> the orders whose attempts came to correct it, as they stood when this
        was first asked.
        """
        if self._corrections is None:
            self._corrections = self._journal.corrected()
        return self._corrections

    def where(self, place: str) -> tuple[str, str, int] | None:
        """Batch, sheet and row of a place; None when the journal does not know its batch."""
        at = row_at(place)
        if at is None:
            return None
        tail, sheet, row = at
        batch = self._batches().get(tail)
        if batch is not None:
            return (batch.id, sheet, row)
        return None

    def received_ns(self, place: str) -> int:
        """When the file of a place first came (wall clock); 0 where the journal does not know."""
        batch = self._batch_of(place)
        if batch is None:
            return 0
        return batch.first_seen_ns

    def _batch_of(self, place: str) -> Batch | None:
        at = row_at(place)
        if at is None:
            return None
        return self._batches().get(at[0])

    def _batches(self) -> Mapping[str, Batch]:
        """Read once, for there may be a place to look up with each row."""
        if self._known is None:
            self._known = {batch.id[-12:]: batch for batch in self._journal.batches()}
        return self._known

    def job_of(self, place: str, ids: Sequence[str]) -> str:
        """The other job of this journal that a place is of; empty where it is this job's, or
        nobody's that is known. Where another job had one of these orders charged, that is what a
        row of it comes to (J06), wherever it came from.
        """
        if self.where(place) is not None or self._is_charged_elsewhere(ids):
            return ""
        tail = place.partition("\t")[0]
        if tail not in self._jobs:
            self._jobs[tail] = self._journal.job_of_batch(tail)
        return self._jobs[tail]

    def _is_charged_elsewhere(self, ids: Sequence[str]) -> bool:
        for of_jobs in self._journal.elsewhere(ids).values():
            for _, events in of_jobs:
                if any(attempt.stands for attempt in fold(events)):
                    return True
        return False

    def rejected_beside(self, place: str) -> frozenset[str]:
        """The order ids of the other rows that stand in one chunk with that of a place and were
        rejected.
        """
        known = self.where(place)
        if known is None:
            return frozenset()
        rows = self._chunk_of(place).items()
        ids = (told.order_id for row, told in rows if told.problems and row != known[2])
        return frozenset(filter(None, ids))

    def beside(self, place: str) -> list[Document]:
        """What the rows ask for that stand in one chunk with that of a place, its own among
        them.
        """
        rows = self._chunk_of(place).values()
        return [row.document for row in rows if row.document is not None]

    def _row(self, place: str) -> _Told:
        known = self.where(place)
        if known is None:
            return _NOTHING
        return self._chunk_of(place).get(known[2], _NOTHING)

    def _chunk_of(self, place: str) -> Mapping[int, _Told]:
        known = self.where(place)
        if known is None:
            return {}
        batch_id, sheet, row = known
        for span in self._spans_of(batch_id):
            if span.sheet == sheet and span.first <= row <= span.last:
                return self._rows(batch_id, span.number)
        return {}

    def _before(
        self, batch_id: str, sheet: str, rows: Sequence[int]
    ) -> Mapping[int, _Told]:
        """Some rows of a batch as they were last planned; there is one at least."""
        first = rows[0]
        last = rows[-1]
        numbers = []
        for span in self._spans_of(batch_id):
            if span.sheet == sheet and span.first <= last and first <= span.last:
                numbers.append(span.number)
        # as ever, but for a program that cuts its chunks otherwise
        if len(numbers) == 1:
            return self._rows(batch_id, numbers[0])
        found: dict[int, _Told] = {}
        for number in numbers:
            found.update(self._rows(batch_id, number))
        return found

    def _spans_of(self, batch_id: str) -> list[_Span]:
        if batch_id not in self._spans:
            self._spans[batch_id] = [
                _Span(*span) for span in self._journal.spans(batch_id)
            ]
        return self._spans[batch_id]

    def _rows(self, batch_id: str, number: int) -> dict[int, _Told]:
        key = (batch_id, number)
        if key not in self._chunks:
            chunk = self._journal.chunk(batch_id, number)
            while len(self._chunks) >= _KEPT:
                del self._chunks[next(iter(self._chunks))]
            self._chunks[key] = {}
            if chunk:
                self._chunks[key] = dict(_told(chunk))
        return self._chunks[key]


def reading_of(chunk: StoredChunk, at: int) -> str:
    """A digest of what was read of a row, right or wrong: equal of rows that say the same; empty
    where nothing tells it from another sale, because its id is empty.
    """
    document = chunk.documents[at]
    problems = chunk.problems.get(at, ())
    wrong = sorted((problem.column, problem.value) for problem in problems)
    if "order_id" not in document and any(not value for _, value in wrong):
        return ""
    text = json.dumps([document, wrong], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _told(chunk: StoredChunk) -> Iterable[tuple[int, _Told]]:
    for at, document in enumerate(chunk.documents):
        order_id = str(document.get("order_id") or "")
        told = _Told(
            order_id,
            chunk.corrects.get(at, ""),
            chunk.earlier.get(at, ()),
            document,
            tuple(chunk.problems.get(at, ())),
        )
        yield chunk.rows[at], told
