"""LISTING: when a list of the gateway's charges is complete; pages go in, the next offset comes out.

Oldest first from a fixed time, with the end left open: new charges join behind what was read. Each page overlaps the
one before by one charge, so that a shift is seen; a listing is complete only when as many different charges were
read as the gateway says there are, or once it has come to charges younger than the listing itself: an account may grow
faster than its list can be read (fault-matrix B32).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from batchpay.lifecycle import seen
from batchpay.model import Page


def page_of(document: Any) -> Page | None:
    """A list object of charges (omise-api.md, 7.8); None when it is anything else."""
    if not isinstance(document, dict) or document.get("object") != "list":
        return None
    data, total = document.get("data"), document.get("total")
    if not isinstance(data, list) or type(total) is not int or total < 0:
        return None
    charges = [seen(item)[0] for item in data]
    if any(charge is None for charge in charges):
        return None
    found = tuple(charge for charge in charges if charge is not None)
    return Page(charges=found, ids=tuple(charge.id for charge in found), total=total)


@dataclass(slots=True)
class Listing:
    """The state of one listing under way."""

    now: str = ""  # the gateway's own time when the listing began, ISO 8601, with a margin; empty when it does not tell
    offset: int = 0  # of the page to ask for next
    complete: bool = False
    broken: str = ""  # why it proves nothing and must start anew
    latest: str = ""  # the youngest created_at that was seen and is a time as documented
    _seen: set[str] = field(default_factory=set)
    _last_id: str = ""

    def add(self, page: Page) -> Page:
        """Take the page asked for; returns it without the charges that were read before."""
        if self._last_id and (not page.ids or page.ids[0] != self._last_id):
            self.broken = "the list shifted while it was read"
        fresh = tuple(charge for charge in page.charges if charge.id not in self._seen)
        self._seen.update(page.ids)
        for charge in fresh:
            if charge.created_at > self.latest and _is_instant(charge.created_at):
                self.latest = charge.created_at
        if len(self._seen) == page.total or (self.now and self.latest > self.now):
            self.complete = not self.broken
        elif not fresh or len(self._seen) > page.total:
            self.broken = self.broken or f"{len(self._seen)} charges were read where the gateway counts {page.total}"
        if page.ids:
            self._last_id = page.ids[-1]
            self.offset += len(page.ids) - 1
        return Page(charges=fresh, ids=tuple(charge.id for charge in fresh), total=page.total)


def _is_instant(text: str) -> bool:
    """`2026-11-24T13:45:39Z`, and a day that there is."""
    try:
        return len(text) == 20 and bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return False
