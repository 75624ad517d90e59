"""What `plan` says of a row is what `run` does with it: nights by dice, in virtual time, over the
program's own steps.

`BATCHPAY_PLANS` sets how many nights' stories are told: 40, and 200 in `make sweep`.
tests/test_cases.py holds the same for every case of tests/cases, over real HTTP.
"""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from batchpay.batches import night as pipeline
from batchpay.batches.open_job import Edges
from batchpay.batches.session import Options
from batchpay.batches.signals import Signals
from batchpay.commands import cancel as cancelling
from batchpay.commands import resolve as resolving
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Answer, Event
from batchpay.gateways.omise.gateway import Omise
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.settlement import Channel, Preflight, preflight
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.terminal.bars import Quiet
from tests.agreement import Agreement
from tests.fakes import START_NS, FakeClock, FakeGateway, in_virtual_time
from tests.jobs import MINOR, job_text
from tests.world import Market, order

STORIES = int(os.environ.get("BATCHPAY_PLANS", "40"))
KEY = SecretKey("skey_test_0123456789abcdef")
NIGHTS = 3
GATEWAY = {
    "url": "http://127.0.0.1:1",
    "rate": "100/s",
    "burst": 20,
    "concurrency": 2,
    "timeout": "3s",
    "send_window": "1s",
    "doubt_period": "20s",
    "lookup_gap": "2s",
    "pause": "5s",
}
HEADER = ("order_id", "amount", "recipient", "customer", "card", "batchpay_retry")
RECIPIENTS = (
    "recp_test_1",
    "recp_test_2",
    "recp_test_3",
    "recp_test_unverified",
    "recp_test_nobody",
)
FATES = (
    ("ok",) * 12
    + ("declined",) * 4
    + (
        "error invalid_card",
        "pending",
        "lost before",
        "lost after",
        "429",
        "429",
        "429 after",
        "wrong amount",
    )
)


class InLoop(SqliteJournal):
    """The journal, whose writer takes no thread: virtual time would not wait for one."""

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """At once."""
        return self.append(events)


class Uncalled(Signals):
    """Signals of a process that nobody sends one."""

    def __enter__(self) -> Uncalled:
        return self


@dataclass
class Till(FakeGateway):
    """The gateway of a story: it tells of recipients, and of its smallest transfer."""

    verified: bool = False

    async def read(self, path: str, query: Mapping[str, Any], may_leave: Any) -> Answer:
        """Account, limits, recipients."""
        if path == "/account":
            return await super().read(path, query, may_leave)
        may_leave()
        if path == "/capability":
            limits = {"transfer_amount": {"min": 3000, "max": 10**9}}
            return Answer(
                out=True, status=200, said={"object": "capability", "limits": limits}
            )
        recipient = path.removeprefix("/recipients/")
        if recipient == "recp_test_nobody":
            return Answer(
                out=True,
                status=404,
                said={"object": "error", "code": "not_found", "message": "no"},
            )
        verified = self.verified or recipient != "recp_test_unverified"
        document = {
            "object": "recipient",
            "id": recipient,
            "verified": verified,
            "active": True,
        }
        return Answer(out=True, status=200, said=document)

    def _commit(
        self, fields: dict[str, str], status: str = "successful"
    ) -> dict[str, Any]:
        charge = super()._commit(fields, status)
        fixed, percentage = (
            fields.get("platform_fee[fixed]"),
            fields.get("platform_fee[percentage]"),
        )
        if fixed or percentage:
            amount = int(fixed or 0) + int(
                charge["amount"] * float(percentage or 0) / 100
            )
            charge["platform_fee"] = {
                "fixed": int(fixed or 0),
                "percentage": percentage,
                "amount": amount,
            }
        return charge


@dataclass
class Story:
    """One marketplace, and some nights in a row."""

    folder: Path
    dice: random.Random
    till: Till = field(default_factory=Till)
    now_s: float = 1000.0
    files: int = 0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fates: dict[str, str] = {}
        self.till.fate = self.fate
        self.inbox = self.folder / "inbox"
        self.inbox.mkdir(parents=True)
        self.controls = [
            self.dice.choice(["", "", 'max_total = { THB = "2500.00" }']),
            self.dice.choice(["", "", 'max_amount = { THB = "900.00" }']),
            self.dice.choice(["", 'min_share = "send"']),
            self.dice.choice(["", "", 'near_duplicates = "hold"']),
        ]
        self.input = [
            self.dice.choice(["", "", "", 'alike_ids = "distinct"']),
            self.dice.choice(["", "", "", 'on_reject = "stop"', "max_rejects = 1"]),
        ]
        self.more = self.dice.choice(
            ["", "", '[fee]\nfixed = { THB = 100 }\npercentage = "2.5"']
        )
        self.text = "first"

    def fate(self, post: int, fields: dict[str, str]) -> str:
        """What becomes of a request: the same each time for one key, but a charge is made once
        only.
        """
        key = fields["metadata[batchpay_key]"]
        fate = self.fates.setdefault(key, self.dice.choice(FATES))
        if fate.endswith("after"):
            self.fates[key] = "429" if fate.startswith("429") else "ok"
        return fate

    # --- the files

    def rows(self) -> list[dict[str, str]]:
        """Orders of few ids, some of them damaged, few payers and few amounts."""
        return [self.row() for _ in range(self.dice.randint(1, 6))]

    def row(self) -> dict[str, str]:
        """One of them."""
        number = self.dice.randint(1, 14)
        order_id = self.dice.choice(
            [f"{number:04d}"] * 8
            + [str(number), f"{number:04d}.0", f"a{number}", f"A{number}"]
        )
        payer = (
            {"customer": f"cust_test_{number}"}
            if self.dice.random() < 0.8
            else {"card": f"tokn_test_{number}"}
        )
        amount = self.dice.choice([2500, 20_000, 30_000 + number, 95_000])
        return {
            "order_id": order_id,
            "amount": self.dice.choice([str(amount)] * 9 + ["x"]),
            "recipient": self.dice.choice([*RECIPIENTS[:3] * 4, *RECIPIENTS]),
            **payer,
        }

    def changed(self, row: dict[str, str]) -> dict[str, str]:
        """The same row as it may come back: corrected, asked for again, or just once more."""
        number = self.dice.randint(1, 14)
        return self.dice.choice(
            [
                {**row, "customer": f"cust_test_again{number}", "card": ""},
                {**row, "batchpay_retry": "yes"},
                {**row, "amount": "41000"},
                {**row, "order_id": f"b{number}"},
                {**row, "order_id": row["order_id"].lstrip("0") or "0"},
                row,
            ]
        )

    def write(
        self, rows: Sequence[Mapping[str, str]], header: Sequence[str] = HEADER
    ) -> None:
        """One more file of the inbox."""
        if rows:
            self.files += 1
            with (self.inbox / f"{self.files}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, header, restval="")
                writer.writeheader()
                writer.writerows(rows)

    def send_in(self) -> None:
        """What lies in the inbox tonight: old files, new ones, corrected ones, rejects that came
        back.
        """
        for path in sorted(self.inbox.iterdir()):
            if self.dice.random() < 0.4:
                path.unlink()
        before = [row for path in sorted(self.inbox.iterdir()) for row in _read(path)]
        if not self.files or self.dice.random() < 0.7:
            self.write(self.rows())
        if before and self.dice.random() < 0.6:
            own = [{name: row.get(name, "") for name in HEADER} for row in before]
            self.write([self.changed(row) for row in own if self.dice.random() < 0.6])
        rejects = sorted((self.folder / "reports").glob("*/rejects.csv"))
        if rejects and self.dice.random() < 0.5:
            back = _read(self.dice.choice(rejects))
            mended = [
                {**self.changed(row), "amount": row["amount"].replace("x", "20000")}
                for row in back
            ]
            self.write(mended, list(back[0]))

    def edit(self) -> None:
        """A person, between two nights: another text for every order, verified recipients, an order
        cancelled, a stop lifted.
        """
        self.text = self.dice.choice([self.text] * 3 + ["another"])
        self.till.verified = self.till.verified or self.dice.random() < 0.3
        if self.dice.random() < 0.2:
            self._by_hand(
                cancelling.cancel, f"{self.dice.randint(1, 14):04d}", "wrong shop"
            )
        if self.dice.random() < 0.6:
            self._by_hand(resolving.lift_stop, "seen")

    def _by_hand(self, command: Any, *words: str) -> None:
        try:
            command(self.job(), *words)
        except BatchpayError as error:
            self.log.append(str(error))

    # --- the nights

    def job(self) -> Job:
        """As it is written tonight."""
        name = "renamed" if self.dice.random() < 0.03 else "night"
        text = job_text(
            name,
            file="inbox/*.csv",
            input="\n".join(["optional = true", *self.input]),
            gateway=GATEWAY,
            more="\n".join(
                ['[report]\nformats = ["csv"]\n[controls]', *self.controls, self.more]
            ),
            amount=MINOR,
            currency='{ value = "THB" }',
            customer='"customer"',
            card='"card"',
            description=f'{{ value = "{self.text}" }}',
        )
        path = self.folder / "job.toml"
        path.write_text(text)
        return load_job(path)

    def night(self) -> list[str]:
        """Plan it, run it; what they do not agree about."""
        job, yes = self.job(), self.dice.random() < 0.5
        limit = self.dice.choice([None, None, None, 0, 1, 3])
        agreement = Agreement(job)
        agreement.plan(
            self._asker(job) if limit is not None or self.dice.random() < 0.8 else None,
            yes=yes,
            limit=limit,
            now_ns=START_NS + int(self.now_s * 1e9),
        )
        posts = len(self.till.posts)
        exit_code = self._run(job, Options(yes=yes, limit=limit))
        self.now_s += self.dice.choice([5.0, 30.0, 86_400.0, 12 * 86_400.0])
        made = [
            (f["metadata[order_id]"], f["metadata[batchpay_key]"])
            for _, f in self.till.posts[posts:]
        ]
        return agreement.differences(made, exit_code)

    def _run(self, job: Job, options: Options) -> int:
        async def main() -> int:
            clock = FakeClock()
            edges = Edges(
                clock=lambda: clock,
                wall_ns=clock.now_ns,
                journal=lambda job, durable: InLoop(
                    job.state_path, job.name, durable=durable
                ),
                gateway=lambda settings, key: Omise(self.till),
                signals=Uncalled,
            )
            try:
                return (
                    await pipeline.night(job, KEY, options, Quiet(), edges=edges)
                ).exit_code
            except BatchpayError as error:
                return error.exit_code

        code, self.now_s = in_virtual_time(main(), self.now_s)
        return code

    def _asker(self, job: Job) -> Any:
        """What `plan --preflight` asks with."""

        def ask(recipients: frozenset[str]) -> Preflight:
            async def main() -> Preflight:
                line = Channel(
                    FakeClock(), Pacer(100, 1.0, 20), Breaker(5.0), lambda: None
                )
                return await preflight(
                    recipients, Omise(self.till), line, "THB", job.gateway.concurrency
                )

            found, self.now_s = in_virtual_time(main(), self.now_s)
            return found

        return ask


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.fault("J14", "J13", "J07", "H04", "E05")
@pytest.mark.parametrize("tens", range(-(-STORIES // 10)))
def test_what_a_plan_says_of_a_row_is_what_a_run_does_with_it(
    in_memory: Path, tens: int
) -> None:
    """Who is told to be sent is sent, and nobody else; who is not stands in the report for the
    reason that was told.
    """
    for seed in range(tens * 10, tens * 10 + 10):
        story = Story(in_memory / str(seed), random.Random(seed))
        for night in range(NIGHTS):
            story.send_in()
            differences = story.night()
            assert not differences, f"seed {seed}, night {night}: {differences}"
            story.edit()


@pytest.mark.fault("J14", "E08", "E09")
def test_a_plan_ends_as_the_run_where_a_row_repeats_one_that_goes(
    market: Market,
) -> None:
    """The order stands in two files and twice in one: it is charged once, and nobody has anything
    to do.
    """
    (market.folder / "inbox").mkdir()
    market.job(file="inbox/*.csv")
    market.orders([order(1), order(2), order(2)], "inbox/a.csv")
    market.orders([order(2), order(3)], "inbox/b.csv")
    assert market.run(verb="plan").returncode == 0
    assert market.run().returncode == 0
    assert market.run(verb="plan").returncode == 0
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}


@pytest.mark.fault("J14")
@pytest.mark.parametrize("amount", ["100.00", "110.00"])
def test_a_plan_ends_as_the_run_where_an_older_batch_waits_for_what_goes_now(
    market: Market, amount: str
) -> None:
    """Orders that a limit held come in a new file, and the limit is gone; one with another amount,
    too.
    """
    market.job(more='[controls]\nmax_total = { THB = "150" }\n')
    market.orders([order(1, amount="100.00"), order(2, amount="100.00")])
    assert market.run().returncode == 65
    market.job()
    market.orders(
        [order(1, amount="100.00"), order(2, amount=amount), order(3)], "next.csv"
    )
    plan = market.run("--input", "next.csv", verb="plan")
    run = market.run("--input", "next.csv")
    assert plan.returncode == run.returncode, plan.stdout + run.stdout
    assert market.run("--input", "next.csv", verb="plan").returncode == run.returncode
    assert market.posts() == 3
