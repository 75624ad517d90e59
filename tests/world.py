"""A marketplace for tests: a folder with a job and orders, the sandbox beside it, the true program
over real HTTP.
"""

from __future__ import annotations

import csv
import json
import os
import pty
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchpay.sandbox import SandboxServer
from tests import ready
from tests.jobs import INVOICE, job_text

KEY = "skey_test_0123456789abcdef"
USUAL = {
    "file": "orders.csv",
    "rate": "200/s",
    "timeout": "2s",
    "doubt": "0.6s",
    "input": "",
    "more": "",
}
# may be charged twice; a token may not
BY_CUSTOMER = {"card": "", "customer": '"card"'}
HEADER = ("order_id", "amount", "currency", "recipient", "card", "invoice")


def order(number: int, **changes: str) -> dict[str, str]:
    """One row; its share is large enough to be transferred."""
    return {
        "order_id": f"{number:05d}",
        "amount": f"{100 + number}.25",
        "currency": "THB",
        "recipient": f"recp_test_sandbox{number % 7}",
        "card": f"tokn_test_sandbox{number:05d}4242",
        "invoice": f"INV-{number}",
        **changes,
    }


@dataclass
class Market:
    """One folder and one gateway."""

    folder: Path
    sandbox: SandboxServer
    settings: dict[str, str] = field(default_factory=dict)

    def job(self, **changes: str) -> Path:
        """Write the job file; what is no setting of it is a field, and what it is made of."""
        given = {**USUAL, "url": self.sandbox.url, **self.settings, **changes}
        settings = {name: given.pop(name) for name in (*USUAL, "url")}
        gateway = {
            "url": settings["url"],
            "rate": settings["rate"],
            "concurrency": 4,
            "timeout": settings["timeout"],
            "send_window": "1s",
            "doubt_period": settings["doubt"],
            "lookup_gap": "0.2s",
            "pause": "0.2s",
        }
        text = job_text(
            file=settings["file"],
            input=settings["input"],
            gateway=gateway,
            more=settings["more"],
            **{"card": '"card"', "metadata": INVOICE, **given},
        )
        path = self.folder / "job.toml"
        path.write_text(text, "utf-8")
        return path

    def sends_another_share(self) -> None:
        """Every transfer is a satang less than the share of an `order`, and no list of chains tells
        of it.
        """
        self.sandbox.add_rule(
            method="GET", path="/chains/*", change={"amount": 10124, "net": 7124}
        )
        self.sandbox.add_rule(
            method="GET", path="/chains", status=404, body={"object": "error"}
        )

    def orders(self, rows: Iterable[dict[str, str]], name: str = "orders.csv") -> Path:
        """Write an input file."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADER)
            writer.writeheader()
            writer.writerows(rows)
        return path

    def command(self, *words: str, **environ: str) -> tuple[list[str], dict[str, Any]]:
        """How to start the program as a process of its own."""
        env = {**ready.given(os.environ), "OMISE_SECRET_KEY": KEY, **environ}
        return [sys.executable, "-m", "batchpay", *words], {
            "cwd": self.folder,
            "env": env,
        }

    def start(self, *words: str, **environ: str) -> ready.UnderWay:
        """The program in a process of its own that a test may kill."""
        _, how = self.command(**environ)
        return ready.UnderWay(words, how["cwd"], how["env"])

    def heard(self, *words: str, **environ: str) -> ready.Heard:
        """The same, for a test that wants to know what it said."""
        _, how = self.command(**environ)
        return ready.Heard(words, how["cwd"], how["env"])

    def run(self, *flags: str, verb: str = "run", **environ: str) -> ready.Ended:
        """Run the program to its end."""
        return self.program(verb, "job.toml", *flags, **environ)

    def program(self, *words: str, **environ: str) -> ready.Ended:
        """Run the program with these words to its end."""
        _, how = self.command(**environ)
        return ready.run(words, how["cwd"], how["env"], timeout_s=120)

    def on_terminal(
        self, *words: str, width: int = 200, stderr: bool = True, **environ: str
    ) -> tuple[str, int]:
        """What it shows on a terminal of this width, and how it ends."""
        _, how = self.command(**environ, COLUMNS=str(width))
        with Path(os.devnull).open("w") as nothing:
            err = None if stderr else nothing.fileno()
            return on_terminal(words, self.folder, how["env"], err=err)

    def posts(self) -> int:
        """Requests to charge that reached the gateway."""
        return len(self.sandbox.requests("POST", "/charges"))

    def own_charges(self) -> list[dict[str, Any]]:
        """The charges of somebody's orders; the sandbox's rule `crowd` makes others beside them."""
        return [
            charge
            for charge in self.sandbox.charges()
            if "order_id" in charge["metadata"]
        ]

    def money(self) -> Counter[str]:
        """Order id -> charges that took money, by the gateway's own ledger."""
        return Counter(
            c["metadata"]["order_id"]
            for c in self.own_charges()
            if c["status"] == "successful"
        )

    def results(self, batch: str = "*") -> list[dict[str, str]]:
        """Rows of every results.csv."""
        rows: list[dict[str, str]] = []
        for path in sorted((self.folder / "reports").glob(f"{batch}/results.csv")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows += csv.DictReader(file)
        return rows

    def outcomes(self) -> Counter[str]:
        """How many rows ended how."""
        return Counter(row["outcome"] for row in self.results())

    def reports(self) -> list[dict[str, Any]]:
        """Every report.json."""
        return [
            json.loads(path.read_text())
            for path in sorted((self.folder / "reports").glob("*/report.json"))
        ]

    def agree(self, wanted: Sequence[dict[str, str]] | None = None) -> None:
        """Never twice, never lost: the gateway's ledger, the report and the rows say the same, to
        the satang.
        """
        money = self.money()
        assert all(count == 1 for count in money.values()), money
        rows = self.results()
        succeeded = {
            row["order_id"]: row
            for row in rows
            if row["outcome"] in ("succeeded", "unproven")
        }
        assert set(succeeded) == set(money)
        for charge in self.own_charges():
            if charge["status"] == "successful":
                row = succeeded[charge["metadata"]["order_id"]]
                assert (row["charge_id"], int(row["amount"])) == (
                    charge["id"],
                    charge["amount"],
                )
                assert (
                    row["currency"] == charge["currency"]
                    and row["destination"] == charge["destination"]
                )
                assert row["idempotency_key"] == charge["metadata"]["batchpay_key"]
        for report in self.reports():
            assert all(equation["closes"] for equation in report["equations"]), report[
                "equations"
            ]
        if wanted is not None:
            assert sorted(row["order_id"] for row in rows) == sorted(
                row["order_id"] for row in wanted
            )


def on_terminal(
    words: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    out: int | None = None,
    err: int | None = None,
) -> tuple[str, int]:
    """What the program shows on a terminal, which all its streams are but those that are told, and
    how it ends.
    """
    ours, theirs = pty.openpty()
    streams = [theirs if one is None else one for one in (None, out, err)]
    shown = b""
    with ready.UnderWay(words, folder, environ, streams) as process:
        os.close(theirs)
        with suppress(OSError):  # the other end is closed: Linux says EIO
            while block := os.read(ours, 65536):
                shown += block
    os.close(ours)
    assert process.returncode is not None
    return shown.decode("utf-8", "replace"), process.returncode
