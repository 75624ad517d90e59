"""LIKENESS: does a file ask, under new ids, for what a recent one asked? (contract, section 3)

Each order's terms (payer, recipient, amount, currency) become one number. Their sum is the same for the same terms in
any order; the smallest of them are a sample by which two files of any size are held against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from batchpay.domain.model import Document
from batchpay.lifecycle.plan import may_pay, payer_of, terms_of

SAMPLE = 128
SUSPICIOUS_PERCENT = 25  # of the samples: below it two files are not read order by order
FEWEST = 2  # orders that must look like others before anybody is told


@dataclass(slots=True)
class Features:
    """What is kept of a file to know it by."""

    total: int = 0
    smallest: list[int] = field(default_factory=list)

    def add(self, orders: Iterable[Document]) -> None:
        """More orders of the file, in any order."""
        numbers = [_number_of(order) for order in orders]
        self.total = (self.total + sum(numbers)) % 2**64
        self.smallest = sorted({*self.smallest, *numbers})[:SAMPLE]

    @property
    def fingerprint(self) -> str:
        """Equal when the terms are, as often as they stand there; 16 hex digits."""
        return f"{self.total:016x}"

    @property
    def sample(self) -> tuple[str, ...]:
        """The same of the sample."""
        return tuple(f"{number:016x}" for number in self.smallest)


def _number_of(order: Document) -> int:
    """What makes two orders look like one."""
    return int(terms_of(payer_of(order), order["destination"], order["amount"], order["currency"]), 16)


def suspicious(one: Collection[str], other: Collection[str]) -> bool:
    """Are two files so alike, by their samples, that their orders should be compared?"""
    of_both = sorted({*one, *other})[:SAMPLE]
    common = sum(number in one and number in other for number in of_both)
    return common * 100 >= SUSPICIOUS_PERCENT * max(1, len(of_both))


@dataclass(slots=True)
class Comparison:
    """A file held against recent ones, order by order; each of their orders answers for one of its."""

    ids: set[str] = field(default_factory=set)  # of the recent files
    terms: dict[int, list[str]] = field(default_factory=dict)  # -> the files that have an order of them, once for each
    new: int = 0  # orders of the file whose ids nobody knows
    alike_of: Counter[str] = field(default_factory=Counter)  # file -> those that ask for what one of it asked
    known: int = 0

    def remember(self, orders: Iterable[Document], file: str = "") -> None:
        """Orders of a recent file."""
        for order in orders:
            self.ids.add(order["order_id"])
            self.terms.setdefault(_number_of(order), []).append(file)

    def compare(self, orders: Iterable[Document], sent: Collection[str]) -> None:
        """Orders of the file; `sent`: ids that the journal knows."""
        for order in orders:
            if order["order_id"] in self.ids or order["order_id"] in sent:
                self.known += 1
                continue
            self.new += 1
            if some := self.terms.get(_number_of(order)):
                self.alike_of[some.pop(0)] += 1

    @property
    def alike(self) -> int:
        """Orders that nobody knows and that ask for what one of a recent file asked."""
        return self.alike_of.total()

    @property
    def warns(self) -> bool:
        """Do half of the new orders, or more, look like others?"""
        return self.alike >= FEWEST and self.alike * 2 >= self.new


@dataclass(slots=True)
class Unasked:
    """A file held against charges that were found at the gateway and that no file asks for: each answers for one order.

    A charge names no token, and no card of a customer: who pays is compared as far as it tells (plan.may_pay).
    """

    charges: dict[tuple[str, int, str], list[tuple[str, str]]] = field(default_factory=dict)  # -> payer and charge id
    new: int = 0
    found: list[str] = field(default_factory=list)  # ids of the charges that its new orders ask for again

    def remember(self, destination: str, amount: int, currency: str, payer: str, charge_id: str) -> None:
        """One such charge."""
        self.charges.setdefault((destination, amount, currency.lower()), []).append((payer, charge_id))

    def forget(self, charge_id: str) -> None:
        """It is a row's own."""
        for some in self.charges.values():
            some[:] = [one for one in some if one[1] != charge_id]

    def compare(self, order: Document) -> None:
        """A new order of the file."""
        self.new += 1
        some = self.charges.get((order["destination"], order["amount"], order["currency"].lower()), [])
        fits = next((one for one in some if may_pay(payer_of(order), one[0])), None)
        if fits is not None:
            some.remove(fits)
            self.found.append(fits[1])

    @property
    def warns(self) -> bool:
        """Do all of the orders, each of them new, ask for what such charges took (contract, section 3)?"""
        return len(self.found) >= FEWEST and len(self.found) == self.new
