"""LIKENESS: does a file ask, under new ids, for what a recent one asked? (docs/never-twice.md, "The
same again, or something else")

Each order's terms (payer, recipient, amount, currency) become one number. Their sum is the same for
the same terms in any order; the smallest of them are a sample by which two files of any size are
held against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from batchpay.domain.model import Document
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.payers import payer_fits, payer_of
from batchpay.lifecycle.sale_terms import digests_of_terms, number_of_terms

SAMPLE = 128
# of the samples: below it two files are not read order by order
SUSPICIOUS_PERCENT = 25
FEWEST = 2  # orders that must look like others before anybody is told


@dataclass(slots=True)
class Features:
    """What is kept of a file to know it by."""

    total: int = 0
    smallest: list[int] = field(default_factory=list)

    def add(self, orders: Sequence[Document]) -> None:
        """More orders of the file, in any order."""
        import numpy as np  # heavy: only where rows are judged

        numbers = np.frombuffer(digests_of_terms(orders), dtype=">u8").astype(np.uint64)
        total = self.total + int(numbers.sum(dtype=np.uint64))  # modulo 2**64 itself
        self.total = total % 2**64
        if len(self.smallest) == SAMPLE:
            numbers = numbers[numbers < np.uint64(self.smallest[-1])]
        smallest = sorted({*self.smallest, *numbers.tolist()})
        self.smallest = smallest[:SAMPLE]

    @property
    def fingerprint(self) -> str:
        """Equal when the terms are, as often as they stand there; 16 hex digits."""
        return f"{self.total:016x}"

    @property
    def sample(self) -> tuple[str, ...]:
        """The same of the sample."""
        return tuple(f"{number:016x}" for number in self.smallest)


def suspicious(one: Collection[str], other: Collection[str]) -> bool:
    """Are two files so alike, by their samples, that their orders should be compared?"""
    of_both = sorted({*one, *other})[:SAMPLE]
    common = [number for number in of_both if number in one and number in other]
    least = SUSPICIOUS_PERCENT * max(1, len(of_both))
    return len(common) * 100 >= least


def may_contain(one: Sequence[str], other: Sequence[str]) -> bool:
    """By their samples, may a file have an order for each one of the other? False is certain."""
    full = len(one) >= SAMPLE
    return all(number in one for number in other if not full or number <= one[-1])


@dataclass(slots=True)
class _File:
    """A recent file that another one is held against."""

    terms: Counter[int] = field(default_factory=Counter)  # of its orders
    ids: set[str] = field(default_factory=set)  # what they look like
    # of these, what the other one asks for, too
    asked: Counter[int] = field(default_factory=Counter)
    # ... and no other file answers for
    alike: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Comparison:
    """A file held against recent ones, order by order; each of their orders answers for one of its.

    An order resembles none of a file that has its id, as the source reads ids: that is the same
    order once more, and is judged row by row.
    """

    # what an id looks like to its source (order_ids.form_in)
    form: Callable[[str], str] = alike
    files: dict[str, _File] = field(default_factory=dict)
    is_open: bool = False  # was the file itself refused, and did nobody answer yet?
    # what the id of an order of another such file looks like -> what it asks for there, or ever
    # asked for
    open: dict[str, set[int]] = field(default_factory=dict)
    new: int = 0  # orders of the file whose ids nobody knows
    # those of which it was asked already whether they are, whatever they ask for by now
    asked: int = 0
    # file -> those that looked like one of it when that was asked
    asked_of: Counter[str] = field(default_factory=Counter)
    # file -> those that ask for what one of it asked
    alike_of: Counter[str] = field(default_factory=Counter)
    known: int = 0

    def remember(self, orders: Iterable[Document], file: str = "") -> None:
        """Orders of a recent file."""
        kept = self.files.setdefault(file, _File())
        for order in orders:
            kept.terms[number_of_terms(order)] += 1
            kept.ids.add(self.form(order["order_id"]))

    def remember_asked(self, asked: Iterable[tuple[str, int]], file: str) -> None:
        """Order id and number of the terms of what a recent file asked for on rows that it shows no
        more.
        """
        kept = self.files.setdefault(file, _File())
        for order_id, number in asked:
            kept.terms[number] += 1
            kept.ids.add(self.form(order_id))

    def remember_open(self, order_id: str, asked: Iterable[Document]) -> None:
        """What an order asks for, or asked for before the job was edited, of a file that is
        refused, and nobody has answered yet.
        """
        open_now = self.open.setdefault(self.form(order_id), set())
        open_now.update(map(number_of_terms, asked))

    def compare(
        self,
        orders: Iterable[Document],
        known: Collection[str],
        quiet: Collection[str] = (),
    ) -> None:
        """Orders of the file; `known`: ids that the journal knows; `quiet`: of orders that do not
        go, because a person said so or is asked about them one by one: they repeat others, but
        nobody has to be asked for them.
        """
        for order in orders:
            order_id = order["order_id"]
            number = number_of_terms(order)
            if order_id in known:
                self.known += 1
                continue
            form = self.form(order_id)
            others = {
                n: f
                for n, f in self.files.items()
                if number in f.terms and form not in f.ids
            }
            for file in others.values():
                file.asked[number] += 1
            if order_id in quiet:
                continue
            self.new += 1
            fits = next(
                (
                    name
                    for name, file in others.items()
                    if file.alike[number] < file.terms[number]
                ),
                None,
            )
            if fits is not None:
                self.files[fits].alike[number] += 1
                self.alike_of[fits] += 1
            if self._was_asked(form) or (self.is_open and fits is not None):
                self.asked += 1

    def _was_asked(self, form: str) -> bool:
        """Did it look like an order of yet another file, in a file that is refused?"""
        asked = self.open.get(form)
        for name, file in self.files.items():
            if asked and form not in file.ids and asked & file.terms.keys():
                self.asked_of[name] += 1
                return True
        return False

    @property
    def alike(self) -> int:
        """Orders that nobody knows and that ask for what one of a recent file asked."""
        return self.alike_of.total()

    @property
    def warns(self) -> bool:
        """Do half of the new orders, or more, look like others?"""
        return self.alike >= FEWEST and self.alike * 2 >= self.new

    @property
    def is_still_asked(self) -> bool:
        """Was it asked already of half of the new orders, or more, whether they are, and nobody has
        answered?
        """
        return 0 < self.new <= self.asked * 2

    def size_of(self, file: str) -> int:
        """How many orders a file has."""
        return self.files[file].terms.total()

    @property
    def repeated(self) -> list[str]:
        """The files all of whose orders it asks for once more under ids that nobody knows, alone or
        beside others.
        """
        if self.known or not self.alike:
            return []
        return [
            name
            for name, file in self.files.items()
            if all(file.asked[number] >= count for number, count in file.terms.items())
            and (file.terms.total() >= FEWEST or file.terms.total() == self.new)
        ]


@dataclass(slots=True)
class _Charges:
    """Charges, each of which answers for one order. A charge names no token, and no card of a
    customer: who pays is compared as far as it tells (payers.payer_fits).
    """

    # -> charge id -> payer
    left: dict[tuple[str, int, str], dict[str, str]] = field(default_factory=dict)
    count: int = 0
    # ids of the charges that orders ask for again
    found: list[str] = field(default_factory=list)

    def take(self, order: Document) -> None:
        """A new order."""
        some = self.left.get(
            (order["destination"], order["amount"], order["currency"].lower()), {}
        )
        fits = next(
            (
                charge_id
                for charge_id, payer in some.items()
                if payer_fits(payer_of(order), payer) is not False
            ),
            None,
        )
        if fits is not None:
            del some[fits]
            self.found.append(fits)

    @property
    def is_whole(self) -> bool:
        """Is each of them, and they are a few, asked for again?"""
        return FEWEST <= self.count == len(self.found)


@dataclass(slots=True)
class Unasked:
    """A file held against charges that were found at the gateway and that no file asks for."""

    every: _Charges = field(default_factory=_Charges)
    # those of each file for themselves
    of_batches: dict[str, _Charges] = field(default_factory=dict)
    new: int = 0

    def remember(
        self,
        destination: str,
        amount: int,
        currency: str,
        payer: str,
        charge_id: str,
        batch_id: str,
    ) -> None:
        """One such charge, and the batch for which it was made."""
        for some in (self.every, self.of_batches.setdefault(batch_id, _Charges())):
            some.left.setdefault((destination, amount, currency.lower()), {})[
                charge_id
            ] = payer
            some.count += 1

    def compare(self, order: Document) -> None:
        """A new order of the file."""
        self.new += 1
        for some in (self.every, *self.of_batches.values()):
            some.take(order)

    @property
    def found(self) -> Sequence[str]:
        """Ids of the charges that its new orders ask for again."""
        return self.every.found

    @property
    def warns(self) -> bool:
        """Do all of its new orders ask for what such charges took, or some of them for all that a
        batch had taken (docs/never-twice.md, "The same again, or something else")?
        """
        whole = len(self.found) >= FEWEST and len(self.found) == self.new
        return whole or any(some.is_whole for some in self.of_batches.values())
