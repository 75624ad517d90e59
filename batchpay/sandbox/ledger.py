"""The gateway's books: everything it knows, in memory and, line by line, on disk before it answers.

The file is JSON lines; one line is one commit, a list of [kind, fields]; the last line for an id is what it is now. A
line is written in one piece, and the torn line that a kill may leave is cut off at the next start. No key is written.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush
from io import FileIO
from pathlib import Path
from typing import Any

from batchpay.errors import Misconfigured
from batchpay.sandbox.funds import Funds
from batchpay.sandbox.names import Mint
from batchpay.sandbox.problems import not_found
from batchpay.sandbox.records import KIND_OF, KINDS, Charge, Event, Record, fields_of

Thing = dict[str, Any]
EVENTS_KEPT = 20_000  # in memory; the oldest go first, for each carries how its object looked then
_DUMP = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_TOLD = ("charge", "transfer", "refund")  # records whose making is an event


class Ledger:
    """All state of the sandbox; changed by `commit` alone, and only on the server's own thread."""

    def __init__(self, path: Path | None = None, offset_s: float = 0.0) -> None:
        self.shelves: dict[str, dict[str, Any]] = defaultdict(dict)  # kind -> id -> a record, or a thing as its JSON
        self.order: dict[tuple[str, bool], list[str]] = defaultdict(list)  # kind and mode -> ids as they were made
        self.deleted: set[str] = set()  # kinds of which something was deleted
        self.shown_at: dict[str, float] = {}  # charge -> monotonic second from which lists show it; absent: long ago
        self.hidden_until = 0.0  # the latest of those that lie ahead
        self.idemp_keys: dict[tuple[bool, str], str] = {}  # of transfers
        self.funds = Funds()
        self.mint = Mint()
        self.offset_s = offset_s  # how far the gateway's clock is from this machine's
        self._latest = 0
        self._then: dict[str, Thing] = {}  # kind -> the fields that came last, for the event that follows them
        self._expiring: list[tuple[int, str]] = []  # a heap of pending charges
        self._path = path
        self._file: FileIO | None = None
        if path is not None:
            self._load(path)

    def open(self) -> None:
        """Take the file, so that commits reach it."""
        if self._path is not None and self._file is None:
            self._file = FileIO(self._path, "ab")

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def now(self) -> int:
        """Seconds since 1970; never goes back, so that every list is in order."""
        self._latest = max(self._latest, int(time.time() + self.offset_s))
        return self._latest

    def commit(self, *records: Record, things: Iterable[tuple[str, Thing]] = (), news: str = "") -> None:
        """Keep what is new or changed, on disk first; `news` is the event that happened to the first of it.

        That a charge, a transfer or a refund was made is an event too; it is told by the line itself.
        """
        assert self._path is None or self._file is not None, "a commit before the ledger was opened"
        made: list[tuple[str, Any, Thing]] = [(KIND_OF[type(one)], one, fields_of(one)) for one in records]
        made += [(kind, thing, thing) for kind, thing in things]
        if news:
            mode = mode_of(made[0][1])
            event = Event(self.mint("evnt", mode), mode, self.now(), news, id_of(made[0][1]))
            made.insert(1, ("event", event, fields_of(event)))
        if self._file is not None:
            self._file.write(_DUMP([(kind, fields) for kind, _, fields in made]).encode() + b"\n")
        for record in records:
            if isinstance(record, Charge):
                self.shown_at.setdefault(record.id, time.monotonic())
        for kind, one, fields in made:
            self._keep(kind, one, fields)

    def find(self, kind: str, name: str) -> Any:
        """A record or a thing; None when there is none."""
        return self.shelves[kind].get(name)

    def get(self, kind: str, name: str, livemode: bool) -> Any:
        """A record or a thing of this mode; raises 404."""
        found = self.find(kind, name)
        if found is None or mode_of(found) != livemode:
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
            charge = self.shelves["charge"][heappop(self._expiring)[1]]
            if charge.status == "pending":
                found.append(charge)
        return found

    def _keep(self, kind: str, one: Any, fields: Thing) -> None:
        shelf, name = self.shelves[kind], id_of(one)
        new = name not in shelf
        shelf[name] = one
        self._then[kind] = fields
        if new:
            self.order[kind, mode_of(one)].append(name)
        if kind == "transfer":
            self.funds.hold(one)
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
            told = name.replace(name[:4], "evnt", 1)
            self._keep("event", Event(told, one.livemode, one.created, f"{kind}.create", name), {})
        if is_deleted(one):
            self.deleted.add(kind)

    def _forget(self, events: list[str]) -> None:
        if len(events) > 2 * EVENTS_KEPT:
            for name in events[:EVENTS_KEPT]:
                del self.shelves["event"][name]
            del events[:EVENTS_KEPT]

    def _load(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        whole = 0
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    for kind, fields in json.loads(line):
                        self._keep(kind, KINDS[kind](**fields) if kind in KINDS else fields, fields)
                except (ValueError, TypeError, KeyError) as error:
                    raise Misconfigured(f"{path} is not a ledger of the sandbox: {error}; name another file") from error
                whole += len(line)
        self._latest = max((one.created for kind in KINDS for one in self.shelves[kind].values()), default=0)
        if whole < path.stat().st_size:
            with path.open("r+b") as torn:
                torn.truncate(whole)


def id_of(one: Any) -> str:
    """The id of a record or a thing."""
    return str(one["id"] if isinstance(one, dict) else one.id)


def mode_of(one: Any) -> bool:
    """Whether a record or a thing is of live mode."""
    return bool(one.get("livemode") if isinstance(one, dict) else one.livemode)


def is_deleted(one: Any) -> bool:
    """Whether a record or a thing was deleted."""
    return bool(one.get("deleted") if isinstance(one, dict) else getattr(one, "deleted", False))
