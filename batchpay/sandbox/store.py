"""The gateway's memory: the books of every account, in one file, and what the accounts have in
common.

The file is JSON lines; one line is one commit, a list of [kind, fields] that begins with whose it
is; the last line for an id is what it is now. A line is written in one piece, and the torn line
that a kill may leave is cut off at the next start. No key is written. Tokens, cards and sources are
of no account, for a public key says nothing of one here.
"""

from __future__ import annotations

import json
import time
from io import FileIO
from pathlib import Path
from typing import Any

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.names import Mint
from batchpay.sandbox.records import KINDS, Charge
from batchpay.sandbox.terms import Terms

_VAULT = ("token", "card", "source", "idempotent", "key")  # things of no account
_OWNER = "account"
_DUMP = json.JSONEncoder(
    ensure_ascii=False,
    separators=(",", ":"),
    check_circular=False,
).encode


class Store:
    """What the accounts of one gateway share: the file, the clock, the ids, the terms and whatever
    no account owns.
    """

    def __init__(
        self,
        path: Path | None = None,
        offset_s: float = 0.0,
        terms: Terms | None = None,
    ) -> None:
        self.terms = terms or Terms()
        self.mint = Mint()
        self.offset_s = offset_s  # how far the gateway's clock is from this machine's
        self.vault: dict[str, dict[str, Any]] = {kind: {} for kind in _VAULT}
        self.ledgers: dict[str, Ledger] = {}  # by account, as they were first asked
        self.common = Ledger(self, "")  # what comes with a public key
        self._latest = 0
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

    def of(self, account: str) -> Ledger:
        """The books of one account, empty when they are new; "" is nobody's."""
        if account and account not in self.ledgers:
            self.ledgers[account] = Ledger(self, account)
        if account:
            return self.ledgers[account]
        return self.common

    def clock_s(self) -> float:
        """The gateway's clock, in seconds since 1970."""
        return time.time() + self.offset_s

    def now(self) -> int:
        """Whole seconds since 1970; never goes back, so that every list is in order."""
        self._latest = max(self._latest, int(self.clock_s()))
        return self._latest

    def owner(self, charge: str) -> tuple[Ledger, Charge] | None:
        """A charge of any account, and the books it is in."""
        for ledger in self.ledgers.values():
            found = ledger.find("charge", charge)
            if found is not None:
                return ledger, found
        return None

    def write(self, account: str, changes: list[tuple[str, Thing]]) -> None:
        """One commit, on disk before anybody is told of it."""
        assert self._path is None or self._file is not None, (
            "a commit before the ledger was opened"
        )
        if self._file is not None:
            line = _DUMP([[_OWNER, account], *changes])
            self._file.write(line.encode() + b"\n")

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
                    raise Misconfigured(
                        f"{path} is not a ledger of the sandbox: {error}; name another file"
                    ) from error
                whole += len(line)
        everybody = [
            ledger.shelves[kind] for ledger in self.ledgers.values() for kind in KINDS
        ]
        self._latest = max(
            (one.created for shelf in everybody for one in shelf.values()), default=0
        )
        if whole < path.stat().st_size:
            with path.open("r+b") as torn:
                torn.truncate(whole)

    def _replay(self, commit: list[list[Any]]) -> None:
        (marker, account), *changes = commit
        if marker != _OWNER:
            raise ValueError("it was made by an earlier version")
        ledger = self.of(account)
        for kind, fields in changes:
            ledger.keep(
                kind, KINDS[kind](**fields) if kind in KINDS else fields, fields
            )
