"""The books of one account: everything the gateway knows of it, in memory; `store` has it on disk
before it answers.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, Protocol

from batchpay.sandbox.funds import Funds
from batchpay.sandbox.names import Mint
from batchpay.sandbox.problems import not_found
from batchpay.sandbox.records import KIND_OF, Charge, Event, Record, Transfer, fields_of
from batchpay.sandbox.terms import Terms

Thing = dict[str, Any]
# in memory; the oldest go first, for each carries how its object looked then
EVENTS_KEPT = 20_000
_TOLD = ("charge", "transfer", "refund", "dispute")  # records whose making is an event


class Shared(Protocol):
    """What the accounts of one gateway have in common (sandbox.store)."""

    terms: Terms
    mint: Mint
    vault: dict[str, dict[str, Any]]

    def now(self) -> int:
        """The gateway's clock: whole seconds since 1970."""

    def write(self, account: str, changes: list[tuple[str, Thing]]) -> None:
        """One commit, on disk before anybody is told of it."""


class Ledger:
    """The books of one account; changed by `commit` alone, and only on the server's own thread."""

    def __init__(self, store: Shared, account: str) -> None:
        # what its id ends in; "" for the books that are no account's
        self.account = account
        # kind -> id -> a record, or a thing as its JSON
        self.shelves: dict[str, dict[str, Any]] = defaultdict(dict)
        self.shelves.update(store.vault)
        # kind and mode -> ids as they were made
        self.order: dict[tuple[str, bool], list[str]] = defaultdict(list)
        self.deleted: set[str] = set()  # kinds of which something was deleted
        # charge -> monotonic second from which lists show it; absent: long ago
        self.shown_at: dict[str, float] = {}
        self.hidden_until = 0.0  # the latest of those that lie ahead
        self.idemp_keys: dict[tuple[bool, str], str] = {}  # of transfers
        self.funds = Funds()
        self._store = store
        # kind -> the fields that came last, for the event that follows them
        self._then: dict[str, Thing] = {}
        self._moving: dict[str, Transfer] = {}
        self._expiring: list[tuple[int, str]] = []  # a heap of pending charges

    @property
    def terms(self) -> Terms:
        """What the gateway lets its accounts do."""
        return self._store.terms

    def mint(self, prefix: str, livemode: bool) -> str:
        """A fresh id."""
        return self._store.mint(prefix, livemode)

    def now(self) -> int:
        """The gateway's clock: whole seconds since 1970."""
        return self._store.now()

    def commit(
        self, *records: Record, things: Iterable[tuple[str, Thing]] = (), news: str = ""
    ) -> None:
        """Keep what is new or changed, on disk first; `news` is the event that happened to the
        first of it.

        That a charge, a transfer or a refund was made is an event too; it is told by the line
        itself.
        """
        made: list[tuple[str, Any, Thing]] = []
        for record in records:
            made.append((KIND_OF[type(record)], record, fields_of(record)))
        for kind, thing in things:
            made.append((kind, thing, thing))
        if news:
            _, first, _ = made[0]
            mode = mode_of(first)
            event = Event(
                self.mint("evnt", mode),
                mode,
                self.now(),
                news,
                id_of(first),
            )
            made.insert(1, ("event", event, fields_of(event)))
        changes = [(kind, fields) for kind, _, fields in made]
        self._store.write(self.account, changes)
        for record in records:
            if isinstance(record, Charge):
                self.shown_at.setdefault(record.id, time.monotonic())
        for kind, one, fields in made:
            self.keep(kind, one, fields)

    def find(self, kind: str, name: str) -> Any:
        """A record or a thing; None when there is none."""
        return self.shelves[kind].get(name)

    def get(self, kind: str, name: str, livemode: bool) -> Any:
        """A record or a thing of this mode; raises 404, for a charge that was forgotten too."""
        found = self.find(kind, name)
        if found is None or mode_of(found) != livemode:
            raise not_found(kind, name)
        if kind == "charge" and found.deleted:
            raise not_found(kind, name)
        return found

    def hide(self, charge: str, seconds: float) -> None:
        """Keep a charge out of lists and searches for so long."""
        self.shown_at[charge] = time.monotonic() + seconds
        self.hidden_until = max(self.hidden_until, self.shown_at[charge])

    def due(self) -> list[Charge]:
        """Pending charges whose time is over."""
        found = []
        while self._expiring and self._expiring[0][0] <= self.now():
            _, name = heappop(self._expiring)
            charge = self.shelves["charge"][name]
            if charge.status == "pending":
                found.append(charge)
        return found

    def moving(self) -> list[Transfer]:
        """Transfers that are not at their end, oldest first."""
        self._moving = {
            name: one
            for name, one in self._moving.items()
            if not (one.deleted or one.paid is not None or one.failure_code)
        }
        return list(self._moving.values())

    def keep(self, kind: str, one: Any, fields: Thing) -> None:
        """Take in what is on disk: new, or instead of what it was."""
        shelf = self.shelves[kind]
        name = id_of(one)
        new = name not in shelf
        shelf[name] = one
        self._then[kind] = fields
        if new:
            self.order[kind, mode_of(one)].append(name)
        if kind == "transfer":
            self.funds.hold(one)
            self._moving[name] = one
            if one.idemp_key:
                self.idemp_keys[one.livemode, one.idemp_key] = name
        elif kind == "transaction":
            self.funds.book(one)
        elif kind == "charge" and new and one.status == "pending" and one.expires:
            heappush(self._expiring, (one.expires, name))
        elif kind == "event":
            one.data = self._then[one.key.partition(".")[0]]
            self._forget(self.order[kind, one.livemode])
        if new and kind in _TOLD:
            made = Event(
                name.replace(name[:4], "evnt", 1),
                one.livemode,
                one.created,
                f"{kind}.create",
                name,
            )
            self.keep("event", made, {})
        if is_deleted(one):
            self.deleted.add(kind)

    def _forget(self, events: list[str]) -> None:
        if len(events) > 2 * EVENTS_KEPT:
            for name in events[:EVENTS_KEPT]:
                del self.shelves["event"][name]
            del events[:EVENTS_KEPT]


def id_of(one: Any) -> str:
    """The id of a record or a thing."""
    if isinstance(one, dict):
        return str(one["id"])
    return str(one.id)


def mode_of(one: Any) -> bool:
    """Whether a record or a thing is of live mode."""
    if isinstance(one, dict):
        return bool(one.get("livemode"))
    return bool(one.livemode)


def is_deleted(one: Any) -> bool:
    """Whether a record or a thing was deleted."""
    return bool(
        one.get("deleted") if isinstance(one, dict) else getattr(one, "deleted", False)
    )
