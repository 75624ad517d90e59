"""The gateway's books: everything it knows, in memory and, line by line, on disk before it answers.

The file is JSON lines; one line is one commit, a list of [kind, fields]; the last line for an id is what it is now. A
line is written in one piece, and the torn line that a kill may leave is cut off at the next start. No key is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path
from typing import Any

from batchpay.errors import Misconfigured
from batchpay.sandbox.names import Mint
from batchpay.sandbox.records import KINDS, Chain, Charge, Record, Transaction, Transfer

Thing = dict[str, Any]
_DUMP = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Ledger:
    """All state of the sandbox; changed by `commit` alone, and only on the server's own thread."""

    def __init__(self, path: Path | None = None, clock: Callable[[], int] | None = None) -> None:
        self.charges: dict[str, Charge] = {}
        self.transfers: dict[str, Transfer] = {}
        self.chains: dict[str, Chain] = {}
        self.transactions: dict[str, Transaction] = {}
        self.things: dict[str, dict[str, Thing]] = {}  # kind -> id -> its JSON: tokens, customers, cards, ...
        self.committed: list[float] = []  # monotonic stamps of the charges, in their order
        self.credit = {False: 0, True: 0}  # balance by livemode
        self.mint = Mint()
        self._clock = clock or (lambda: int(time.time()))
        self._latest = 0
        self._by_kind: dict[type[Record], dict[str, Any]] = {
            Charge: self.charges, Transfer: self.transfers, Chain: self.chains, Transaction: self.transactions,
        }  # fmt: skip
        self._path = path
        self._file: FileIO | None = None
        if path is not None:
            self._load(path)

    def open(self) -> None:
        """Take the file, so that commits reach it."""
        if self._path is not None and self._file is None:
            self._file = FileIO(self._path, "ab")

    def now(self) -> int:
        """Seconds since 1970; never goes back, so that every list is in order."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def commit(self, *records: Record, things: Iterable[tuple[str, Thing]] = ()) -> None:
        """Keep new or changed records, on disk first."""
        assert self._path is None or self._file is not None, "a commit before the ledger was opened"
        things = list(things)
        if self._file is not None:
            line = [[type(record).__name__.lower(), _fields(record)] for record in records]
            line += [[kind, thing] for kind, thing in things]
            self._file.write(_DUMP(line).encode() + b"\n")
        for record in records:
            self._keep(record)
        for kind, thing in things:
            self.things.setdefault(kind, {})[thing["id"]] = thing

    def find(self, kind: str, name: str) -> Thing | None:
        """The JSON of a token, customer, card, source or recipient that was created here."""
        return self.things.get(kind, {}).get(name)

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, record: Record) -> None:
        shelf = self._by_kind[type(record)]
        if record.id not in shelf:
            if isinstance(record, Charge):
                self.committed.append(time.monotonic())
            elif isinstance(record, Transaction):
                self.credit[record.livemode] += record.amount if record.direction == "credit" else -record.amount
        shelf[record.id] = record

    def _load(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        whole = 0
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    self._replay(json.loads(line))
                except (ValueError, TypeError, KeyError) as error:
                    raise Misconfigured(f"{path} is not a ledger of the sandbox: {error}; name another file") from error
                whole += len(line)
        self.committed = [0.0] * len(self.charges)  # long ago, whatever the clock of this boot says
        if whole < path.stat().st_size:
            with path.open("r+b") as torn:
                torn.truncate(whole)

    def _replay(self, commit: list[tuple[str, Thing]]) -> None:
        for kind, fields in commit:
            if kind in KINDS:
                record = KINDS[kind](**fields)
                self._latest = max(self._latest, record.created)
                self._keep(record)
            else:
                self.things.setdefault(kind, {})[fields["id"]] = fields


def _fields(record: Record) -> Thing:
    """Field by field, without those that are unset."""
    values = ((name, getattr(record, name)) for name in record.__slots__)
    return (
        {name: value for name, value in values if value is not None and value is not False and value != {}}
        | ({"capture": False} if isinstance(record, Charge) and not record.capture else {})
        | {"livemode": record.livemode}
    )
