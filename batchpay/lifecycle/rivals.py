"""RIVALS: rows of one file that have one order id and contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from batchpay.domain.model import Document
from batchpay.lifecycle.sale_terms import terms_in


@dataclass(frozen=True, slots=True)
class Rivals:
    """Rows of one file that have one order id, as it looks, and ask for different money, or for
    that of different people: at most one of them is that order. Where one comes back under an id
    of its own, that is no name of the others.
    """

    # Place -> what the row asks for, and of whom (sale_terms.terms_in).
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


def rivals_among(
    orders: Callable[[], Iterator[tuple[str, int, Document]]],
) -> dict[str, Rivals]:
    """Place -> it and its rivals, of the rows of one file: place, hash of what the id looks like,
    and document of each. They are read twice: first the ids, then the rows of those that come
    twice.
    """
    once: set[int] = set()
    twice: set[int] = set()
    for _, form, _ in orders():
        if form in once:
            twice.add(form)
        once.add(form)
    by_form: dict[int, dict[str, Document]] = {}
    for place, form, document in orders():
        if form in twice:
            by_form.setdefault(form, {})[place] = document
    found = {}
    for rows in by_form.values():
        terms = {place: terms_in(row) for place, row in rows.items()}
        if len(set(terms.values())) > 1:
            found.update(dict.fromkeys(rows, Rivals(terms)))
    return found
