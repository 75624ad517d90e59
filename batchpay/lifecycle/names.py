"""NAMES: the other order ids of a sale, as rows told that had one of them first and another later,
and as people typed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from batchpay.domain.events import (
    BatchPlanned,
    IdsMadeOf,
    IdsRenamed,
    NewOrders,
    told_by,
)
from batchpay.domain.model import Event
from batchpay.lifecycle.ancestry import Ancestry
from batchpay.lifecycle.places import by_order, order_in

_NOW = 2**63  # later than anything that a journal knows


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


Some = dict[str, dict[str, None]]
"""What an id looks like -> names, in the order in which they were told."""


class _ByForm:
    """Names by what an id looks like (`order_ids.alike`), both ways."""

    def __init__(self) -> None:
        self.same: Some = {}
        self.had: Some = {}
        self.had_by: Some = {}  # the other way round
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
            for one in old:
                _keep(self.had_by, form(one), [new])
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


class NamesJournal(Protocol):
    """What is asked of a journal about names."""

    def events(self, kinds: Iterable[str] = ()) -> Iterator[Event]: ...
    def adopted(self) -> Sequence[tuple[str, str]]: ...


class KnownNames:
    """All that a journal, and a run that has not written it down yet, know of them."""

    def __init__(
        self,
        journal: NamesJournal,
        renamed: Names,
        form: Callable[[str], str],
        ids_from: str,
    ) -> None:
        """Reads nothing before it is asked. `renamed`: what the journal does not know yet; `form`:
        what an id looks like; `ids_from`: of which cells ids are made now.
        """
        self._journal = journal
        self._renamed = renamed
        self._form = form
        self._ids_from = ids_from
        self._names: _ByForm | None = None
        self._sources: bool | None = None
        # batch -> of which cells its ids were made when its file was last read
        self._made_of: dict[str, str] | None = None

    @property
    def today(self) -> Mapping[str, str]:
        """Place -> order id of rows that had others, as this run reads them."""
        return self._renamed.today

    def other_names(self, order_id: str) -> tuple[str, ...]:
        """The other ids of an order's sale: a row of it had one of them before, or has one of them
        now.
        """
        names = self._all_names()
        form = self._form(order_id)
        found: dict[str, None] = {}
        for some in (names.same, names.had, names.later):
            if form in some:
                found.update(some[form])
        found.pop(order_id, None)
        return tuple(found)

    def had_by(self, order_id: str) -> tuple[str, ...]:
        """The ids that rows have by now which once had this one, and never asked for it."""
        return tuple(self._all_names().had_by.get(self._form(order_id), ()))

    def is_same(self, order_id: str, other: str) -> bool:
        """Is it known that an order is the same sale as one that was asked for under another id?"""
        return other in self._all_names().same.get(self._form(order_id), ())

    def said(self, order_id: str) -> tuple[str, ...]:
        """The ids that a person typed for the same sale."""
        return tuple(self._all_names().said.get(self._form(order_id), ()))

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
            found.update(names.back.get(self._form(one), {}))
        own = [by_order(order_id)] if order_id else []
        for key in (place, *own, *sale.keys, *found):
            typed = names.typed.get(_key_form(key, self._form), {})
            found.update(dict.fromkeys(map(by_order, typed)))
        found.pop(by_order(order_id), None)
        return tuple(found)

    def typed_before(self, order_id: str, ns: int) -> tuple[str, ...]:
        """By what the sales are known for which rows with this id came back before then."""
        names = self._all_names()
        form = self._form(order_id)
        keys = names.back.get(form, {})
        return tuple(key for key in keys if names.typed_ns[form, key] < ns)

    def is_typed_for(self, order_id: str, keys: Iterable[str]) -> bool:
        """Is it known that a row with this id, which a person typed, came back for a sale, or that
        it is of no other sale?
        """
        names = self._all_names()
        form = self._form(order_id)
        return form in names.new or set(keys) <= names.back.get(form, {}).keys()

    def is_named(self, order_id: str, other: str) -> bool:
        """Is it known that a row of an order once had this other id?"""
        if other in self._all_names().had.get(self._form(order_id), ()):
            return True
        return self.is_same(order_id, other)

    def _all_names(self) -> _ByForm:
        if self._names is None:
            renamed = told_by(self._journal.events([IdsRenamed.kind]), IdsRenamed)
            self._names = _ByForm()
            for event, told in renamed:
                self._names.add(Names.of_told(told), self._form, event.at_ns)
            self._names.add(self._renamed, self._form, _NOW)
            for _, new in told_by(self._journal.events([NewOrders.kind]), NewOrders):
                for _, order_id in new.orders:
                    self._names.forget_typed(order_id, self._form)
        return self._names

    @property
    def are_any(self) -> bool:
        """Did any row ever tell another id of its order?"""
        names = self._all_names()
        return bool(names.same or names.had or names.back)

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

    def is_told(self, place: str, batch_id: str) -> bool:
        """Does anybody know which id the row of a place has now? Its file was last read when ids
        were made of the cells of now, or is read in this run.
        """
        if place in self.today:
            return True
        if self._made_of is None:
            self._made_of = dict(self._planned_under())
        return self._made_of.get(batch_id, self._ids_from) == self._ids_from

    def _planned_under(self) -> Iterator[tuple[str, str]]:
        """Batch -> of which cells its ids were made, each time that its file was read."""
        changes = list(self.noted())
        made_of = self.first_source
        for event in self._journal.events([BatchPlanned.kind]):
            while changes and changes[0][0] < event.seq:
                _, made_of = changes.pop(0)
            yield event.batch_id, made_of

    def noted(self) -> Iterator[tuple[int, str]]:
        """Event -> of which cells order ids were made from then on, oldest first."""
        made = told_by(self._journal.events([IdsMadeOf.kind]), IdsMadeOf)
        return ((event.seq, told.ids_from) for event, told in made)

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
        return frozenset(self._all_names().sources.get(self._form(order_id), ()))
