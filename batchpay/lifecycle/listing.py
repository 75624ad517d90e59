"""LISTING: when a list of the gateway's charges is complete; pages go in, the next offset comes
out.

Oldest first from a fixed time, with the end left open: new charges join behind what was read. Each
page overlaps the one before by one charge, so that a shift is seen; a listing is complete only when
as many different charges were read as the gateway says there are, and a page came that was not
full: a count that is itself cut at the size of a page ends nothing.

An account may grow faster than its list can be read (docs/faults.md, B32). Then a listing is
complete once all that there was when it began has been read, by the first count, and a whole page
is younger than the listing. What a single charge says of its age decides nothing, and neither does
a clock that is off for all of them.

A gateway may cut a list and its count alike, in silence. So a list that is to prove an absence is
held against the youngest charge of its range, asked for by itself before the list is: one that ends
without it was cut.

A list of a time long ago need not be read up to now (`until`): it is over once the charges behind
one of that time have grown younger many times in a row. A list that comes in another order has no
such row: it is read to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from batchpay.domain.model import ChargeSeen, Page
from batchpay.domain.times import is_instant

# what a single charge says of its age decides nothing; so many in a row, each younger than the one
# before, tell that a time is past: charges of one second have no order that could be seen
MANY = 10


@dataclass(slots=True)
class Listing:
    """The state of one listing under way."""

    since: str = ""  # from when it lists, ISO 8601
    # up to when it must show what was charged, ISO 8601; empty: up to now
    until: str = ""
    is_past: bool = False  # did it end there?
    begun_s: float = 0.0  # CLOCK_BOOTTIME when it began
    # the gateway's own time when the listing began, ISO 8601, with a margin; empty when it does not
    # tell
    now: str = ""
    # the youngest charge of its range before it began, which it must show; empty: there is none
    newest: str = ""
    offset: int = 0  # of the page to ask for next
    size: int = 0  # how many objects that page may have; 0: nobody said
    complete: bool = False
    broken: str = ""  # why it proves nothing and must start anew
    # the youngest created_at that was seen and is a time as documented
    latest: str = ""
    # charges too long to be read at all: what such a list does not show, it does not prove absent
    skipped: int = 0
    # charges that carry no well-formed key, of any job
    unclaimed: list[ChargeSeen] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _last_id: str = ""
    _has_begun: bool = False  # did it show a charge of before `until`?
    # behind one: how many times in a row charges grew younger, up to the last one
    _past: int = 0
    _at: str = ""  # when the last one was made
    _first_total: int | None = None  # how many there were when it began

    def add(self, page: Page) -> Page:
        """Take the page asked for; returns it without the charges that were read before."""
        fresh = tuple(charge for charge in page.charges if charge.id not in self._seen)
        for charge in fresh:
            if charge.created_at > self.latest and is_instant(charge.created_at):
                self.latest = charge.created_at
        self.take(
            page.ids,
            page.total,
            page.limit,
            grown=bool(fresh) and all(map(self._is_younger, fresh)),
        )
        self._end_in_the_past(fresh)
        return Page(fresh, tuple(charge.id for charge in fresh), page.total, page.limit)

    def _end_in_the_past(self, fresh: Sequence[ChargeSeen]) -> None:
        """Is everything behind this page younger than what it must show?"""
        if not self.until:
            return
        for charge in fresh:
            at = charge.created_at
            is_past = is_instant(at) and at > self.until
            self._has_begun |= is_instant(at) and not is_past
            if not is_past or at < self._at:
                self._past = 0
            elif at > self._at:
                self._past += 1
            self._at = at
        if (
            self._has_begun
            and self._past >= MANY
            and not (self.complete or self.broken)
        ):
            self.complete = self.is_past = True

    def _is_younger(self, charge: ChargeSeen) -> bool:
        """Was it made after this listing began, by what it says itself?"""
        return (
            bool(self.now)
            and is_instant(charge.created_at)
            and charge.created_at > self.now
        )

    def take(
        self,
        ids: Sequence[str],
        total: int,
        limit: int = 0,
        *,
        grown: bool = False,
    ) -> list[int]:
        """Take a page of any objects, by their ids; returns the places of those that were not read
        before.

        `limit`: how many the gateway says it puts on a page, 0 when it does not say. `grown`: all
        that is new on this page says that it is younger than the listing.
        """
        if self._last_id and (not ids or ids[0] != self._last_id):
            self.broken = "the list shifted while it was read"
        fresh = [at for at, name in enumerate(ids) if name not in self._seen]
        self._seen.update(ids)
        read = len(self._seen) + self.skipped
        if self._first_total is None:
            self._first_total = total
        sizes = [size for size in (self.size, limit) if size]
        full = bool(fresh and sizes) and len(ids) >= min(sizes)
        if (read == total and not full) or (
            grown and self._first_total < read <= total
        ):
            self._end()
        elif read > total or not fresh:
            self.broken = (
                self.broken
                or f"{read} objects were read where the gateway counts {total}"
            )
        if ids:
            self._last_id = ids[-1]
            self.offset += len(ids) - 1
        return fresh

    def _end(self) -> None:
        """All that the gateway counts was read; one that lacks what was there before was cut."""
        if self.newest and not self.skipped and not self.shows(self.newest):
            self.broken = (
                self.broken
                or f"the list ends without {self.newest}, the youngest charge there is"
            )
        self.complete = not self.broken

    def step(self) -> None:
        """Ask next for the one charge behind the last one that was read, without it."""
        self.offset += bool(self._last_id)
        self._last_id = ""

    def skip(self) -> None:
        """The charge that was asked for by itself cannot be read; go on behind it."""
        self.skipped += 1
        self.offset += 1

    def shows(self, charge_id: str) -> bool:
        """Was this charge in it?"""
        return charge_id in self._seen

    def reaches(self, created_at: str) -> bool:
        """Would it show a charge of this age, if it is complete and the gateway keeps its word?"""
        if self.is_past:
            return created_at <= self.until
        return not self.now or created_at <= self.now or created_at <= self.latest
