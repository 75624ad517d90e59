"""A market before the adversary: every run is the true program, and the judge sees everything
afterwards.
"""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from batchpay.job.load import load_job
from batchpay.journals.sqlite import tally
from batchpay.journals.sqlite.store import SqliteJournal
from tests.adversary import Adversary, Request
from tests.checker import Finding, judge, told
from tests.columns import drifted
from tests.evidence import INPUTS, Facts, digests
from tests.lives import ATTEMPTS, key_of
from tests.world import Market, order

QUICK = {"rate": "200/s", "timeout": "1s", "doubt": "0.5s"}


@dataclass
class Stage(Market):
    """Like a market, with a memory of all that was said and done, for the judge."""

    gateway: Adversary = field(kw_only=True)
    said: str = ""
    code: int | None = None
    heads: list[tuple[int, str]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    quiet_since: float | None = None
    peak_kb: int = 0

    def __post_init__(self) -> None:
        self.settings = {**QUICK, **self.settings}
        self.gateway.witness = self.intents_of

    def run(
        self, *flags: str, verb: str = "run", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """The true program to its end; never a traceback."""
        files = [path for path in self.folder.iterdir() if path.suffix in INPUTS]
        self.inputs = {
            path.split("/")[-1]: digest for path, digest in digests(files).items()
        }
        result = super().run(*flags, verb=verb, **environ)
        self.peak_kb = max(self.peak_kb, result.peak_kb)
        self.said += result.stdout + result.stderr
        self.code = result.returncode
        assert "Traceback" not in result.stderr, result.stderr
        self.note_head()
        return result

    def note_head(self) -> None:
        """Remember where the journal stands: it may only grow from here."""
        if rows := self.read(
            "SELECT seq, digest FROM plain_events ORDER BY seq DESC LIMIT 1"
        ):
            self.heads.append((rows[0][0], rows[0][1]))

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the journal, as it lies there now."""
        path = self.folder / "state" / "batchpay.db"
        if not path.exists():
            return []
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []  # not a journal yet
        finally:
            connection.close()

    def intents_of(self, request: Request) -> int | None:
        """How many intents the journal has for a request's key while it arrives."""
        numbers = [
            n
            for n in range(1, ATTEMPTS + 1)
            if key_of("night", request.order_id, n) == request.key
        ]
        query = "SELECT count(*) FROM events WHERE kind = 'intent' AND order_id = ? AND attempt = ?"
        found = self.read(query, request.order_id, numbers[0] if numbers else 0)
        return found[0][0] if found else 0

    def until_quiet(self, *flags: str) -> subprocess.CompletedProcess[str]:
        """Two runs, and one more that must send nothing; returns the last."""
        self.run(*flags)
        self.run(*flags)
        return self.quietly(*flags)

    def quietly(self, *flags: str) -> subprocess.CompletedProcess[str]:
        """A run after everything is settled."""
        self.quiet_since = time.monotonic()
        return self.run(*flags)

    def findings(self, **more: Any) -> list[Finding]:
        """What the judge finds now."""
        self.gateway.write(self.folder / "gateway.jsonl")
        facts = Facts(
            exit_code=self.code,
            inputs_before=self.inputs,
            heads=self.heads,
            quiet_since=self.quiet_since,
            output=self.said,
            peak_kb=self.peak_kb,
            **more,
        )
        return judge(self.folder, facts)

    def right(self, but: Sequence[str] = (), **more: Any) -> None:
        """The judge finds nothing, but for rules that the gateway itself has broken, which it must
        find.
        """
        found = self.findings(**more)
        assert not [one for one in found if one.rule not in but], told(found)
        self._columns_are_right()
        assert set(but) <= {one.rule for one in found}, told(found)

    def _columns_are_right(self) -> None:
        path = self.folder / "state" / "batchpay.db"
        if path.exists():
            job = load_job(self.folder / "job.toml")
            with closing(SqliteJournal(path, job.name, read_only=True)) as journal:
                assert not list(drifted(job, journal))
                kept = tally.kept(journal._connection, journal.head())
                assert kept == tally.counted(journal._connection)

    def row(self, order_id: str) -> dict[str, str]:
        """The one row of an order."""
        (row,) = [row for row in self.results() if row["order_id"] == order_id]
        return row

    def sends(self, order_id: str) -> int:
        """POSTs for an order that arrived."""
        return sum(
            request.order_id == order_id
            for request in self.gateway.requests("POST", "/charges")
        )


def stage(folder: Any, gateway: Adversary, **settings: str) -> Stage:
    """A stage on which the job is written already."""
    made = Stage(folder, gateway, settings=settings, gateway=gateway)  # type: ignore[arg-type]
    made.job()
    return made


def named(number: int) -> str:
    """The order id of `order(number)`."""
    return order(number)["order_id"]
