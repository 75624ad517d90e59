"""CANCELLED: a person's words that orders which were never sent are never to be, by all that these
orders are known by.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from batchpay.domain.events import OrderCancelled, RowsGivenUp, told_by
from batchpay.domain.model import Document, Event
from batchpay.intake.damage import may_be_one
from batchpay.lifecycle.attempt import word_of
from batchpay.lifecycle.earlier import EarlierRows
from batchpay.lifecycle.names import KnownNames, Some
from batchpay.lifecycle.payers import single_use_of
from batchpay.lifecycle.places import by_order
from batchpay.lifecycle.sale_terms import (
    are_like,
    fitting_terms_in,
    has_terms,
    same_sale_terms,
    terms_in,
)


class WordsJournal(Protocol):
    """What is asked of a journal about such words."""

    def events(self, kinds: Iterable[str] = ()) -> Iterator[Event]: ...


class Cancellations:
    """All of them that a journal has, once it is asked."""

    def __init__(
        self,
        journal: WordsJournal,
        rows: EarlierRows,
        names: KnownNames,
        form: Callable[[str], str],
    ) -> None:
        self._journal = journal
        self._rows = rows
        self._names = names
        self._form = form
        # by all that their orders are known by
        self._words: dict[str, list[tuple[Event, OrderCancelled]]] | None = None
        self._given_up: dict[str, str] | None = None  # place -> a person's word
        self._cancelled: Some | None = None  # what an id looks like -> such orders
        self._by_terms: Some | None = None  # `same_sale_terms` -> such orders
        # ... of ids that were made of other cells than now, with what they asked for
        self._foreign: list[tuple[Document, Event, OrderCancelled]] | None = None

    def of(self, keys: Iterable[str]) -> list[tuple[Event, OrderCancelled]]:
        """A person's words that orders are never to be sent, which are known by any of these places
        and orders.
        """
        words = self._all_words()
        found = {}
        for key in keys:
            for event, told in words.get(key, ()):
                found[event.seq] = (event, told)
        return list(found.values())

    def under_other_ids(
        self, documents: Sequence[Document]
    ) -> list[tuple[Event, OrderCancelled]]:
        """A person's words of orders that asked for the terms of one of these (`fitting_terms`), or
        were to be paid by its one-time token, said when ids were made of other cells than now, and
        of which nobody told which id they have now.
        """
        if self._foreign is None:
            self._foreign = self._foreign_words()
        if not self._foreign:
            return []
        fitting = [terms for one in documents for terms in fitting_terms_in(one)]
        tokens = set(map(single_use_of, documents)) - {""}
        found = []
        for document, event, told in self._foreign:
            terms = terms_in(document)
            is_like = any(are_like(terms, one) for one in fitting)
            if is_like or single_use_of(document) in tokens:
                found.append((event, told))
        return found

    def like(self, forms: Collection[str]) -> list[str]:
        """The orders that a person cancelled whose ids look like that (`form`)."""
        if self._cancelled is None:
            self._cancelled = {}
            for words in self._all_words().values():
                for event, _ in words:
                    some = self._cancelled.setdefault(self._form(event.order_id), {})
                    some[event.order_id] = None
        return [one for form in forms for one in self._cancelled.get(form, ())]

    def taken_for(self, document: Document) -> list[str]:
        """The cancelled orders that were to ask for a row's terms, whose ids may be its own but for
        what programs or eyes do to ids.
        """
        if self._by_terms is None:
            self._by_terms = {}
            for some in self._all_words().values():
                for event, told in some:
                    for asked in filter(has_terms, self._rows.documents(told.sale)):
                        terms = same_sale_terms(asked)
                        self._by_terms.setdefault(terms, {})[event.order_id] = None
        if not (self._by_terms and has_terms(document)):
            return []
        order_id = str(document.get("order_id") or "")
        others = self._by_terms.get(same_sale_terms(document), ())
        return [one for one in others if one != order_id and may_be_one(order_id, one)]

    def _foreign_words(self) -> list[tuple[Document, Event, OrderCancelled]]:
        if not self._names.had_other_sources:
            return []
        sources = list(self._names.noted())
        words = {
            event.seq: (event, told)
            for some in self._all_words().values()
            for event, told in some
        }
        found = []
        for seq, (event, told) in words.items():
            before = [ids_from for at, ids_from in sources if at < seq]
            under = {*before[-1:], *self._names.known_under(event.order_id)}
            if self._names.source in under:
                continue
            for document in filter(has_terms, self._rows.documents(told.sale)):
                found.append((document, event, told))
        return found

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
