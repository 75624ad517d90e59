"""A folder with a job and its orders, and the fast gateway beside it as a process of its own."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import tempfile
import urllib.request
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Cost, batchpay, process, python

WAITS = "tokn_test_pending"  # how the card begins of a charge that stays pending
KEY = "skey_test_0123456789abcdef"
HEADER = (
    "order_id",
    "amount",
    "currency",
    "recipient",
    "card",
    "invoice",
    "shop",
    "item",
    "quantity",
    "buyer",
    "ordered_at",
    "note",
)
FIELDS = [
    "order_id",
    "amount",
    "currency",
    "destination",
    "card",
    "description",
    "metadata.invoice",
]
JOB = """
name = "bench"
[input]
file = "{file}"
[columns]
order_id    = "order_id"
amount      = {{ column = "amount", unit = "major" }}
currency    = "currency"
destination = "recipient"
card        = "card"
description = {{ template = "{{item}} from {{shop}}" }}
metadata    = {{ invoice = "invoice" }}
[gateway]
url         = "{url}"
rate        = "{rate}"
concurrency = {concurrency}
[report]
formats = {formats}
"""


def write_orders(
    path: Path,
    rows: int,
    *,
    bad_every: int = 0,
    first: int = 1,
    waiting: int = 0,
) -> Path:
    """`rows` orders of 12 columns; every `bad_every`-th breaks a rule, the charges of the first
    `waiting` ones stay pending.
    """
    dice = random.Random(first)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(first, first + rows):
            bad = bad_every and number % bad_every == 0
            card = "tokn_test_sandbox"
            if number < first + waiting:
                card = WAITS
            writer.writerow(
                (
                    f"{number:08d}",
                    f"{dice.randrange(20, 90_000)}.{number % 100:02d}",
                    "THX" if bad else "THB",
                    f"recp_test_sandbox{number % 977:04d}",
                    f"{card}{number:08d}",
                    f"INV-{number}",
                    f"Shop {number % 977}",
                    "vinyl record",
                    number % 9 + 1,
                    f"Buyer {number}",
                    f"2026-11-23 {number % 24:02d}:{number % 60:02d}:00",
                    "leave at the door",
                )
            )
    return path


class Market:
    """The folder; each run of the program starts from nothing unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def job(
        self,
        url: str = "http://127.0.0.1:1",
        *,
        rate: str = "100000/s",
        concurrency: int = 100,
        file: str = "orders.csv",
        formats: tuple[str, ...] = ("csv", "json"),
    ) -> Path:
        """Write the job file."""
        path = self.folder / "job.toml"
        told = JOB.format(
            file=file,
            url=url,
            rate=rate,
            concurrency=concurrency,
            formats=json.dumps(list(formats)),
        )
        path.write_text(told, "utf-8")
        return path

    def program(self, *words: str, expect: tuple[int, ...] = (0,)) -> Cost:
        """The true program to its end."""
        return process(
            batchpay(*words),
            folder=self.folder,
            environ={"OMISE_SECRET_KEY": KEY},
            expect=expect,
        )

    def forget(self) -> None:
        """No journal and no reports any more."""
        for name in ("state", "reports"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


@contextmanager
def market() -> Iterator[Market]:
    """A folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="batchpay-bench-") as folder:
        yield Market(Path(folder))


class Gateway:
    """The running gateway, seen from outside."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid

    def arrivals_s(self) -> list[float]:
        """When each request for charges arrived, by the gateway's own clock."""
        return list(array("d", self._get("/bench/arrivals")))

    def posts_s(self) -> list[float]:
        """The same for requests to charge alone."""
        return list(array("d", self._get("/bench/posts")))

    def forget(self) -> None:
        """Start anew: no charges, no arrivals."""
        self._get("/bench/forget")

    def unseen(self) -> None:
        """Forget which requests arrived, and keep what they made."""
        self._get("/bench/unseen")

    def keep(self, charges: int) -> None:
        """It made no more charges than so many."""
        self._get(f"/bench/keep/{charges}")

    def back(self, seconds: int) -> None:
        """From now on its clock stands so far in the past."""
        self._get(f"/bench/back/{seconds}")

    def cpu_s(self) -> float:
        """What it has cost so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read()


@contextmanager
def gateway(latency_s: float = 0.0) -> Iterator[Gateway]:
    """The fast gateway on loopback until the end of the block."""
    words = python("-m", "benchmarks.gateway", "--latency", str(latency_s))
    root = Path(__file__).parent.parent
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield Gateway(f"http://127.0.0.1:{int(child.stdout.readline())}", child.pid)
        finally:
            child.terminate()


def most_in_any_window(times_s: list[float], window_s: float) -> int:
    """The most arrivals in any window of this length, wherever it begins."""
    most, start = 0, 0
    times_s = sorted(times_s)
    for end, at in enumerate(times_s):
        while times_s[start] <= at - window_s:
            start += 1
        most = max(most, end - start + 1)
    return most


@contextmanager
def sandbox() -> Iterator[Gateway]:
    """The faithful sandbox as a process of its own: only its address is of use here."""
    with subprocess.Popen(
        python("-m", "batchpay.sandbox", "--port", "0"),
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            yield Gateway(json.loads(child.stdout.readline())["url"], child.pid)
        finally:
            child.terminate()
