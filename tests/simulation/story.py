"""One seed: files, runs, deaths, restored journals, other machines, people; then calm, then the
checks.
"""

from __future__ import annotations

import asyncio
import csv
import gc
import logging
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchpay.batches.session import Options
from batchpay.domain.errors import (
    BatchpayError,
    DoesNotAddUp,
    FileRefused,
    Misconfigured,
    TryLater,
)
from batchpay.domain.model import Event, Finding
from batchpay.job.job import GatewaySettings, Job
from batchpay.job.load import load_job
from batchpay.journals.sqlite import stencils
from batchpay.messages.nights import NOT_LOOKED, NOT_READ_AGAIN
from batchpay.settlement.in_force import stop_in_force
from tests.fakes import MEMORY, START_NS
from tests.simulation import checker, outside
from tests.simulation.disk import silence
from tests.simulation.exports import SOME_DAYS_S, another_export, files_here
from tests.simulation.ledger import Request, iso
from tests.simulation.people import check_cancelled, perhaps_say
from tests.simulation.process import (
    AS_OF,
    JOB,
    LIVE,
    OTHER,
    Machine,
    Process,
    SimulatedLoop,
    World,
)
from tests.simulation.shares import Shares
from tests.simulation.weather import Weather

BEHAVIOURS = (
    "ok",
    "ok",
    "ok",
    "ok",
    "ok",
    "declined",
    "refused",
    "pending",
    "pending failed",
    "pending expired",
    "late chain",
    "reversed",
    "declined then paid",
    "expired then paid",
)
# only where the gateway lies: each is a stop, or for a person
RARE = (
    "no chain",
    "unlisted",
    "forgotten",
)
# What a job adds to every row, in TOML: an edit of it is no change of any row.
EXTRAS = {
    "description": '{ value = "thanks" }',
    "metadata": '{ who = { value = "night" } }',
    "return_uri": '{ value = "https://example.com/back" }',
}
DAY_LIMITS = (
    '{ THB = "150.00", JPY = "12000" }',
    '{ THB = "100.00", JPY = "9000" }',
    '{ THB = "250.00" }',
)
AGAIN = 100  # between the ids of two sales of the same to the same
PAIR, TYPED = 40, 10_000  # the ids of pairs, and those that people type, begin here


@dataclass
class Told:
    """What one seed did."""

    seed: int
    orders: int = 0
    runs: int = 0
    posts: int = 0
    deaths: int = 0
    judged: int = 0  # by the outside judge too
    virtual_s: float = 0.0
    injected: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def tell(seed: int, afterwards: Callable[[Story], None] = lambda story: None) -> Told:
    """One seed from beginning to end. `afterwards` is given the story while its disks are still
    there.
    """
    # what dead processes leave behind
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    with _no_collection(), _early_stencils():
        return _told(seed, afterwards)


@contextmanager
def _early_stencils() -> Iterator[None]:
    """A night here has a few orders: what its events have in common is learned from two."""
    was = stencils.LEARNED_FROM
    stencils.LEARNED_FROM = 2
    try:
        yield
    finally:
        stencils.LEARNED_FROM = was


@contextmanager
def _no_collection() -> Iterator[None]:
    """Cycles are looked for at the end of a seed, when all that it made is young still, and in
    silence: what its dead processes left open must not close in somebody else's test.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        with silence():
            gc.collect(0)
        if was:
            gc.enable()


def _told(seed: int, afterwards: Callable[[Story], None]) -> Told:
    random.seed(seed)  # the jitter of the line
    dice = random.Random(seed)
    loop = SimulatedLoop(1000.0)
    told = Told(seed)
    with (
        silence(),
        tempfile.TemporaryDirectory(prefix="batchpay-sim-", dir=MEMORY) as folder,
    ):
        world = _world(seed, dice, loop, Path(folder))
        story = Story(world)
        try:
            loop.run_until_complete(story.tell())
            told.violations += story.violations
            if not told.violations and outside.can_judge(story):
                told.judged = 1
                told.violations += outside.findings(story, Path(folder) / "outside")
            afterwards(story)
        except Exception as error:  # a bug of the program, or of ours, is a finding too
            told.violations.append(f"{type(error).__name__}: {error}")
        finally:
            _clean_up(loop)
            for machine in story.machines:
                machine.forget_copy()
                machine.disk.forget()
        told.orders, told.runs = len(story.amounts), len(world.processes)
        told.posts = sum(r.what == "POST" for r in world.ledger.requests)
        told.deaths = sum(p.died for p in world.processes)
        told.virtual_s, told.injected = loop.time() - 1000.0, world.weather.injected
        told.injected["disk writes lost"] = sum(
            m.disk.lost_writes for m in story.machines
        )
        told.injected["disk writes torn"] = sum(
            m.disk.torn_writes for m in story.machines
        )
    return told


def _clean_up(loop: SimulatedLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1))
    loop.close()


def _world(seed: int, dice: random.Random, loop: SimulatedLoop, folder: Path) -> World:
    timeout_s, window_s, works_s = (
        dice.uniform(3, 8),
        dice.uniform(1, 4),
        dice.uniform(5, 40),
    )
    rate, rate_window_s = dice.choice([(3, 1), (8, 1), (30, 1), (40, 60)])
    settings = GatewaySettings(
        rate=rate,
        rate_window_s=rate_window_s,
        burst=dice.choice([1, 1, 3]),
        concurrency=dice.choice([1, 2, 4, 8]),
        timeout_s=timeout_s,
        send_window_s=window_s,
        doubt_period_s=window_s + timeout_s + works_s + 20,
        lookup_gap_s=dice.uniform(1, 6),
        pause_s=dice.uniform(2, 20),
    )
    world = World(
        seed, loop, settings, folder, dice, Weather.of(dice), dated=dice.random() < 0.9
    )
    world.ledger.longest_lag_s = dice.choice([0.0, 0.0, 2.0, works_s / 2])
    world.ledger.hidden_in_total = dice.random() < 0.3
    world.slow_disk_s = dice.choice([0.0, 0.01, 0.01, 1.0, 6.0])
    world.account_told = dice.random() < 0.9
    more = random.Random(f"{seed} behind")
    world.weather.behind_share = more.choice([0.0, 0.0, 0.05, 0.2])
    world.weather.behind_dice = world.ledger.behind_dice = more
    world.ledger.longest_hidden_s = min(settings.doubt_period_s, 300.0)
    return world


def _as_read(row: dict[str, str]) -> dict[str, Any]:
    """A row of a rejects file as one of a story has it: its amount is a number."""
    return {**row, "amount": int(row["amount"])}


@dataclass(frozen=True)
class InputFile:
    """A file of this job and the rows in it."""

    path: Path
    rows: list[dict[str, Any]]


class Story:
    """One seed. Every choice comes from the world's dice."""

    def __init__(self, world: World) -> None:
        self.world, self.dice = world, world.dice
        self.machines = [Machine(world, "first", skew_s=self._skew_s())]
        self.amounts: dict[str, int] = {}
        self.every_amount: set[int] = set()
        self.files: list[InputFile] = []
        self.violations: list[str] = []
        self.at_once = False
        # what was looked at last (checker)
        self.found: tuple[Any, list[Finding]] | None = None
        # put back while a request was under way, and nothing tells of it
        self.undetectable = False
        self.renamed = False
        self.second_name = JOB  # of the job on the second machine
        self._backup: (
            tuple[dict[str, bytes], list[tuple[int, str]], dict[str, bytes]] | None
        ) = None
        self._shops = list(range(outside.SHOPS))
        self._ids = "order_id"  # the column that they come from
        # of the weather that came later: its own, so that the seeds of before stay as they were
        self._more = random.Random(f"{world.seed} more")
        # nobody pays by a token: then no recipient tells of an order that it is another
        self._by_customers = random.Random(f"{world.seed} payers").random() < 0.3
        self._edits = random.Random(f"{world.seed} edits")
        # columns in whose place another one is read
        self._edited: set[str] = set()
        # has every file been read since the column of the ids was edited?
        self._ids_are_known = True
        self._extras: dict[str, str] = {}
        self._pair: Path | None = None  # a file of two sales under one id
        self.sent_back: list[Path] = []  # what people sent back of it
        # what no run has read under either id, nobody can tell from another sale
        self._all_present = False
        self.fee = self.dice.choice(
            [
                "",
                "",
                'fixed = { THB = 5, JPY = 1 }\npercentage = "2.5"',
                'percentage = "10"',
            ]
        )
        # of what people do
        self.people = random.Random(f"{world.seed} people")
        # nobody says that anything is new
        self.careful = self.people.random() < 0.2
        self._stays_renamed = False  # for some nights
        self._slept = False  # for many nights at once
        self.cancelled: dict[str, int] = {}  # sale -> when a person said so
        self.away: set[Path] = set()  # files of before that are in no run now
        # of the weather that came after that
        self._latest = random.Random(f"{world.seed} latest")
        self._late = random.Random(f"{world.seed} late")
        self.controls = self._limits()
        if self._latest.random() < 0.4:
            world.ledger.shares = Shares(self._latest, world.ledger.later, iso)
            world.weather.injected["shares are followed"] += 1
        self.folder = world.folder / "job"
        self.folder.mkdir()
        self.job = self._write_job()

    async def tell(self) -> None:
        """Runs with trouble, then calm, then the checks."""
        self._write_files()
        world, calm = self.world, self.world.weather.calm
        trouble = 0 if calm else self.dice.randint(1, 5)
        kind = self.dice.random()
        for _ in range(trouble):
            await self._something(self.machines[0])
        if not calm and self.careful:
            await another_export(self)
        elif not calm and kind < 0.1:
            await self._on_another_machine()
        elif not calm and kind < 0.14:
            await self._on_two_machines_at_once()
        world.weather.calm, world.slow_disk_s = True, min(world.slow_disk_s, 0.01)
        world.ledger.copy_at_s = None
        await self._calm()
        await self._under_its_old_name()
        await self._nights_later()
        self.violations += [*checker.check_story(self), *check_cancelled(self)]

    def _skew_s(self) -> float:
        """How wrong the machine's clock is: seen, and refused above 300 s, when the gateway says
        its own time.
        """
        return (
            self.dice.uniform(-200, 200)
            if self.world.dated
            else self.dice.uniform(-20_000, 20_000)
        )

    def _limits(self) -> str:
        """What the job allows of a day, of a recipient's day, and beside what was before."""
        lines = []
        if self._latest.random() < 0.15:
            lines.append(f"max_day = {self._latest.choice(DAY_LIMITS)}")
        if self._latest.random() < 0.15:
            lines.append(f"max_recipient = {self._latest.choice(DAY_LIMITS)}")
        for name in ("history", "near_duplicates"):
            if self._latest.random() < 0.1:
                lines.append(f'{name} = "hold"')
        if not lines:
            return ""
        self.world.weather.injected["limits in the job"] += 1
        return "\n".join(["[controls]", *lines])

    # --- job and files

    def _write_job(self, name: str = JOB, unit: str = "minor") -> Job:
        settings = self.world.settings
        shops = "".join(
            f"shop{number},recp_test_{target}\n"
            for number, target in enumerate(self._shops)
        )
        (self.folder / "recipients.csv").write_text(f"shop,id\n{shops}")
        text = outside.job_of(
            settings,
            name,
            self.fee,
            self._ids,
            self._extras,
            self.controls,
            self._edited,
        )
        (self.folder / "job.toml").write_text(
            text.replace('unit = "minor"', f'unit = "{unit}"')
        )
        return load_job(self.folder / "job.toml")

    def _write_files(self) -> None:
        first = [self._row(number) for number in range(self.dice.randint(1, 8))]
        self._add_file(first)
        if self.dice.random() < 0.5:
            again = [self._changed(row) for row in first if self.dice.random() < 0.5]
            more = [
                self._row(number) for number in range(20, 20 + self.dice.randint(0, 3))
            ]
            self._add_file([*again, *more])
        if self.dice.random() < 0.3:
            self._add_file(
                [self._damaged(row) for row in first if self.dice.random() < 0.7]
            )
        for order_id in list(self.amounts):
            if not self.world.weather.calm or self.dice.random() < 0.3:
                behaviour = self.dice.choice(BEHAVIOURS)
                if self.world.weather.lie_share and self.dice.random() < 0.1:
                    behaviour = self.dice.choice(RARE)
                self.world.ledger.payers[order_id] = behaviour
        if self._more.random() < 0.25:
            self._write_pair()

    def _write_pair(self) -> None:
        """Two sales of two payers under one id, in a file of their own."""
        first = self._row(PAIR, self._more)
        second = {
            **self._row(PAIR, self._more),
            "customer": f"cust_test_{PAIR}b",
            "amount": first["amount"] + 100,
        }
        second.pop("card", None)
        self._add_file([first, second])
        self._pair = self.files[-1].path
        self.world.weather.injected["two sales under one id"] += 1

    def _row(self, number: int, dice: random.Random | None = None) -> dict[str, Any]:
        dice = dice or self.dice
        payer = {"customer": f"cust_test_{number}"}
        if dice.random() < 0.25 and not self._by_customers:
            payer = {"card": f"tokn_test_{number:012d}"}  # as long as one is
        amount = dice.choice([2000, 5001, 2499, 814_1, 100_50]) + number
        return {
            "order_id": f"{number:04d}",
            "amount": amount,
            "currency": dice.choice(["THB", "THB", "JPY"]),
            "shop": f"shop{number % outside.SHOPS}",
            "batchpay_retry": "",
            **payer,
        }

    def _changed(self, row: dict[str, Any]) -> dict[str, Any]:
        retry = self.dice.choice(["", "", "yes"])
        change = self.dice.random()
        if change < 0.4:
            return {**row, "batchpay_retry": retry}
        if change < 0.7:
            return {**row, "batchpay_retry": retry, "amount": row["amount"] + 1}
        changed = {name: value for name, value in row.items() if name != "card"}
        return {**changed, "batchpay_retry": retry, "customer": "cust_test_other"}

    def _damaged(self, row: dict[str, Any]) -> dict[str, Any]:
        """What a spreadsheet makes of an id: the same sale, under another one."""
        order_id = str(int(row["order_id"]))
        damaged = self.dice.choice(
            [order_id, f"{order_id}.0", f" {order_id}".strip(), row["order_id"]]
        )
        amount = row["amount"] + self.dice.choice([0, 0, 1])
        return {**row, "order_id": damaged, "amount": amount}

    def _add_file(self, rows: list[dict[str, Any]]) -> bool:
        if not rows:
            return False
        path = self.folder / f"{len(self.files) + 1}.csv"
        content = outside.csv_of(rows)
        if any(file.path.read_bytes() == content for file in self.files):
            return False  # the same bytes are the same batch
        path.write_bytes(content)
        self.files.append(InputFile(path, rows))
        for row in rows:
            self.amounts.setdefault(row["order_id"], row["amount"])
            amount = int(row["amount"])
            self.every_amount |= {amount, amount + outside.FURTHER}
        return True

    def _present(self) -> list[Path]:
        if self._all_present or self.dice.random() < 0.7:
            return [file.path for file in self.files]
        return [file.path for file in self.files if self.dice.random() < 0.6]

    def process(
        self, machine: Machine, files: list[Path] | None = None, **more: Any
    ) -> Process:
        """One run of the program."""
        present = files_here(self) if files is None else files
        return Process(machine, present, job=more.pop("job", self.job), **more)

    def _of_machine(self, machine: Machine, **more: Any) -> Process:
        """One run of the program, under the name that its job has on that machine."""
        job = (
            self.job
            if machine is self.machines[0]
            else replace(self.job, name=self.second_name)
        )
        return self.process(machine, job=job, **more)

    # --- what happens

    async def _something(self, machine: Machine) -> None:
        self._perhaps_back_up(machine)
        self._neighbours()
        self._perhaps_edit()
        self._perhaps_edit_what_it_adds()
        self._perhaps_edit_the_amounts()
        self._perhaps_send_back(machine)
        self._perhaps_sell_the_same_again()
        self._perhaps_show_a_stale_copy()
        self._perhaps_is_of_an_earlier_program(machine)
        if machine is self.machines[0]:
            perhaps_say(self)
        formats = ("csv", "json") if self.dice.random() < 0.1 else ("csv",)
        process = self.process(
            machine, self._present(), options=self._options(), formats=formats
        )
        self._under_another_flag(machine, process)
        self._doom(process)
        if self.dice.random() < 0.08:
            await self._started_twice(process)
        else:
            await process.run()
        self._after(process)
        await self._pause(machine, process)
        await self._perhaps_restore(machine)

    def _doom(self, process: Process) -> None:
        """How this run may end before its time."""
        how = self.dice.random()
        process.by_power_cut = self.dice.random() < 0.5
        if how < 0.25:
            process.dies_at_step = self.dice.randint(1, 60)
        elif how < 0.4:
            process.dies_at_write = self.dice.randint(1, 250)
        elif how < 0.5:
            process.dies_after_s = self.dice.uniform(0, self.dice.choice([3.0, 60.0]))
        elif how < 0.6:
            process.interrupted_after_s = self.dice.uniform(0, 10)
            process.options = replace(
                process.options, grace_s=self.dice.choice([None, 0.0, 1.0])
            )
        elif how < 0.64:
            process.sync_fails_at_write = self.dice.randint(1, 200)
        elif how < 0.68:
            process.disk_full_at_write = self.dice.randint(1, 200)
        if self.dice.random() < 0.1:
            orders, canary = self.dice.choice([None, 1, 3]), self.dice.choice([None, 1])
            process.options = replace(process.options, limit=orders, canary=canary)

    def _options(self) -> Options:
        """Flags that somebody may give at any time."""
        since = None
        if self.dice.random() < 0.1:
            ago_s = self.dice.choice([1.0, 86_400.0, 30 * 86_400.0])
            now_s = START_NS / 1e9 + self.world.loop.time() + self.machines[0].skew_s
            since = datetime.fromtimestamp(now_s - ago_s, UTC)
            self.world.weather.injected["--since"] += 1
        return Options(
            since=since,
            adopt=self.dice.random() < 0.1,
            yes=self.dice.random() < 0.3 and not self.careful,
        )

    def _perhaps_edit(self) -> None:
        """Somebody mends, or breaks, the lookup file or the job between two nights."""
        if (
            self.dice.random() < 0.08 and not self.renamed
        ):  # another recipient under another name is another order
            self._shops[self.dice.randrange(outside.SHOPS)] = self.dice.randrange(
                outside.SHOPS
            )
            self.job = self._write_job()
            self.world.weather.injected["lookup edited"] += 1
        self._perhaps_edit_the_lookup_of_a_renamed_job()
        # the exports hold what they held
        if self.dice.random() < 0.08 and not (self.renamed or self.careful):
            self._ids = "ref" if self._ids == "order_id" else "order_id"
            self._all_present = True
            self._ids_are_known = False
            self.job = self._write_job()
            self.world.weather.injected["id column edited"] += 1

    def _perhaps_edit_the_amounts(self) -> None:
        """Somebody takes them, or what else says who pays how much to whom, from another column;
        not in one go with the ids, or with the name of the job: then nothing tells
        (never-twice.md).
        """
        lost = self.world.weather.injected
        is_lost = lost["journal restored"] or lost["journal lost"]
        if self.renamed or len(self.machines) > 1 or not self._ids_are_known:
            return
        if self.careful:  # in its own time
            return
        if is_lost and lost["id column edited"]:
            return
        if self._edits.random() < 0.1:
            self.edit_column("amount")
        elif self.people.random() < 0.08:
            self.edit_column(self.people.choice(outside.EDITED))

    def edit_column(self, column: str) -> None:
        """It is read in another one's place, or again."""
        self._edited ^= {column}
        self.job = self._write_job()
        self.world.weather.injected[f"{column} column edited"] += 1

    def _perhaps_edit_the_lookup_of_a_renamed_job(self) -> None:
        """Of customers' orders no recipient tells that they are others."""
        if self.renamed and self._by_customers and self._more.random() < 0.5:
            self._shops[self._more.randrange(outside.SHOPS)] = self._more.randrange(
                outside.SHOPS
            )
            self.job = self._write_job()
            self.world.weather.injected["lookup of a renamed job edited"] += 1

    def _perhaps_edit_what_it_adds(self) -> None:
        """Somebody edits what the job adds to every row, which asks for nothing again."""
        if self._more.random() < 0.15 and not self.renamed:
            name = self._more.choice(list(EXTRAS))
            if name in self._extras:
                del self._extras[name]
            else:
                self._extras[name] = EXTRAS[name]
            self.job = self._write_job()
            self.world.weather.injected["job edited"] += 1

    def _perhaps_sell_the_same_again(self) -> None:
        """Some customers buy again what they bought, for the same money: other sales, which ask for
        the same under new ids.
        """
        if self.people.random() >= 0.08:
            return
        numbers = {int(checker.sale_of(order_id)) for order_id in self.amounts}
        bought = [
            row
            for row in self.files[0].rows
            if "card" not in row and int(row["order_id"]) + AGAIN not in numbers
        ]
        if bought:
            some = self.people.sample(bought, self.people.randint(1, len(bought)))
            more = [self._row(max(numbers) + AGAIN + 1, self.people)]
            again = [
                {**row, "order_id": f"{int(row['order_id']) + AGAIN:04d}"}
                for row in some
            ]
            self._add_file([*again, *(more if self.people.random() < 0.5 else [])])
            self.world.weather.injected["the same is sold again"] += 1

    def _perhaps_send_back(self, machine: Machine) -> None:
        """A person sends rows of a rejects file back: as they are, once more, mended, or under an
        id of their own; each sale stays what it is.
        """
        if machine is not self.machines[0] or self._more.random() >= 0.4:
            return
        for path in sorted((machine.folder / "reports").glob("*/rejects.csv")):
            with path.open(encoding="utf-8-sig", newline="") as text:
                told = list(csv.DictReader(text))
            if any(row["order_id"] == f"{PAIR:04d}" for row in told):
                self._send_pair_back(told)
            elif self._more.random() < 0.3:
                self._send_some_back(told)

    def _send_pair_back(self, told: list[dict[str, str]]) -> None:
        """The second sale gets its own id; the first comes back as it is, beside it or later."""
        if len(told) != 2:
            return
        one, two = told
        typed = {**two, "order_id": str(TYPED + PAIR + 100)}
        back = self._more.choice([[one, typed], [one, typed], [typed], [one]])
        if self._add_file([_as_read(row) for row in back]):
            self.sent_back.append(self.files[-1].path)
            self.world.weather.injected["a pair sent back"] += 1

    def _send_some_back(self, told: list[dict[str, str]]) -> None:
        back = []
        for row in told:
            way = self._more.choice(["", "as it is", "retry", "amount", "typed"])
            changed = dict(row)
            if way == "retry":
                changed["batchpay_retry"] = "yes"
            elif way == "amount":
                changed["amount"] = str(int(row["amount"]) + 1)
            # an id that nothing had before, for the very same sale
            elif way == "typed":
                sale = int(checker.sale_of(row["order_id"]))
                changed["order_id"] = str(self._more.choice([1, 2]) * TYPED + sale)
            if way:
                back.append(_as_read(changed))
                self.world.weather.injected[f"sent back, {way}"] += 1
        self._add_file(back)

    def _perhaps_show_a_stale_copy(self) -> None:
        """Lists come from a copy of some time ago. Not where a journal was lost: then nothing could
        be known.
        """
        ledger, lost = self.world.ledger, self.world.weather.injected
        clean = len(self.machines) == 1 and not (
            lost["journal restored"] or lost["journal lost"] or self.renamed
        )
        ledger.copy_at_s = None
        seen = [c.event.data.get("charge") for c in self.world.commits]
        known = {charge["id"] for charge in seen if isinstance(charge, dict)}
        made = [charge["_at_s"] for charge in ledger.charges if charge["id"] in known]
        if clean and made and self._backup is None and self.dice.random() < 0.1:
            # what is younger than all that is known, nobody can miss
            ledger.copy_at_s = max(made) - 0.01
            lost["lists from a stale copy"] += 1

    def _perhaps_is_of_an_earlier_program(self, machine: Machine) -> None:
        """The journal is one that an earlier version wrote: this run is the first of today's."""
        if self._latest.random() < 0.06 and machine.acknowledged:
            machine.as_of_version(self._latest.choice(list(AS_OF)))
            self.world.weather.injected["upgrade in mid-life"] += 1

    def _under_another_flag(self, machine: Machine, process: Process) -> None:
        """Another account's key, or another name for the job."""
        chance = self.dice.random()
        if chance < 0.06 and self.world.account_told and self._is_bound(machine):
            process.key = OTHER
            self.world.weather.injected["another account's key"] += 1
        elif 0.06 <= chance < 0.1 and self._is_as_it_was():
            self._stays_renamed = self.people.random() < 0.5
            process.job = replace(process.job, name="renamed")
            self.renamed = True
            self.world.weather.injected["job renamed"] += 1
        elif self._stays_renamed and self.people.random() < 0.7:
            process.job = replace(process.job, name="renamed")
            self.world.weather.injected["job renamed, another night"] += 1
        elif self.people.random() < 0.04 and self._is_bound(machine):
            process.key = LIVE
            self.world.weather.injected["a live key, and a live job"] += 1

    def _is_as_it_was(self) -> bool:
        """Does it have its ids, whatever its name? With other ids at the same time nothing tells
        (never-twice.md). Nor does a charge tell the token that paid it: there the recipient does.
        """
        injected = self.world.weather.injected
        other_shops = injected["lookup edited"] and not self._by_customers
        columns = any(injected[f"{one} column edited"] for one in outside.EDITED)
        edited = injected["id column edited"] or other_shops or columns or self.careful
        return self.world.ledger.copy_at_s is None and not edited

    def _is_bound(self, machine: Machine) -> bool:
        return any(
            event.data["account"] for event in machine.copy().events(["account"])
        )

    async def _started_twice(self, process: Process) -> None:
        """The same job on the same machine, twice at once: one lock."""
        second = self.process(process.machine, job=process.job)
        self.world.weather.injected["started twice"] += 1

        async def soon() -> None:
            await asyncio.sleep(self.dice.uniform(0, 1))
            if process.alive:
                posts = len(self.world.ledger.requests)
                own = process.machine.disk.before_write
                await second.run()
                process.machine.disk.before_write = own
                refused = any(error.exit_code == 75 for error in second.trouble)
                if process.alive and not (refused and second.bug is None):
                    self.violations.append(
                        f"E01: a second run was not refused: {second.trouble} {second.bug}"
                    )
                if any(
                    r.run_id == second.run_id
                    for r in self.world.ledger.requests[posts:]
                ):
                    self.violations.append("E01: the second run sent something")

        await asyncio.gather(process.run(), soon())

    async def _pause(self, machine: Machine, process: Process) -> None:
        """Until the next run: a moment, a night, many nights, a reboot."""
        if not self._slept and self.people.random() < 0.05:
            self._slept = True
            await asyncio.sleep(SOME_DAYS_S)
            self.world.weather.injected["many nights without a run"] += 1
        gap_s = self.dice.choice(
            [
                0.05,
                0.05,
                3.0,
                70.0,
                self.world.settings.doubt_period_s * 1.2,
                86_400.0,
                300_000.0,
            ]
        )
        if process.died and process.by_power_cut:
            await asyncio.sleep(max(gap_s, 65.0))
            machine.reboot()
        else:
            await asyncio.sleep(gap_s)
            if self.dice.random() < 0.15 and gap_s >= 65.0:
                machine.reboot()
                self.world.weather.injected["reboot"] += 1

    def _perhaps_back_up(self, machine: Machine) -> None:
        if self.dice.random() < 0.3:
            self._backup = (
                machine.disk.snapshot(),
                list(machine.acknowledged),
                machine.locks(),
            )

    async def _perhaps_restore(self, machine: Machine) -> None:
        """An old journal, or none: with or without what runs knew beside it, and while a request
        may be under way.
        """
        if self.dice.random() >= 0.1 or self.world.ledger.copy_at_s is not None:
            return
        if self.dice.random() < 0.4:
            await self._quiet()
        if self._backup is not None and self.dice.random() < 0.7:
            files, acknowledged, locks = self._backup
            whole = self.dice.random() < 0.6
            self._note_undetectable(machine, acknowledged, whole=whole)
            machine.restore(files, acknowledged, locks if whole else None)
            self.world.weather.injected["journal restored"] += 1
            if whole:
                # no copy knows of requests of the last window
                await asyncio.sleep(self.world.settings.rate_window_s)
                shutil.rmtree(machine.folder / "reports", ignore_errors=True)
                self.world.weather.injected["machine restored"] += 1
        else:
            machine.restore({}, [])
            self._backup = None
            self.world.weather.injected["journal lost"] += 1
            await self._finds_its_journal_empty(machine)

    def _note_undetectable(
        self, machine: Machine, acknowledged: list[tuple[int, str]], *, whole: bool
    ) -> None:
        """Is a request under way of which neither the gateway nor this machine can tell when the
        next run begins? A charge of an intent that was kept tells of nothing that was lost.
        """
        kept = set(acknowledged)
        commits = [c for c in self.world.commits if c.event.kind == "intent"]
        forgotten = [
            c
            for c in commits
            if c.machine == machine.name and (c.event.seq, c.event.digest) not in kept
        ]
        seen = [
            c.event.data.get("charge")
            for c in self.world.commits
            if (c.event.seq, c.event.digest) in kept
        ]
        known = {charge["id"] for charge in seen if isinstance(charge, dict)}
        # a further send of an attempt does not repeat what it asks for
        asked = {
            c.event.data["intent"]["key"]
            for c in commits
            if (c.event.seq, c.event.digest) in kept and "intent" in c.event.data
        }
        told = any(
            charge["id"] not in known
            and charge["metadata"].get("batchpay_key") not in asked
            for charge in self.world.ledger.of_job(JOB)
            if self._is_shown(charge)
        )
        if whole and forgotten and not told:
            self.undetectable = True
            tick = self.world.tick()
            for commit in forgotten:
                commit.untold_tick = min(commit.untold_tick, tick)

    def _is_shown(self, charge: dict[str, Any]) -> bool:
        return bool(
            charge["_visible_s"] <= self.world.loop.time()
            and charge["status"] != "forgotten"
        )

    async def _finds_its_journal_empty(self, machine: Machine) -> None:
        """Law L11: an empty journal beside charges of the job is 78 until --adopt is given."""
        since_s = self.world.loop.time() - 30 * 86_400
        ours = [
            c
            for c in self.world.ledger.of_job(JOB)
            if c["_at_s"] > since_s and self._is_shown(c)
        ]
        plain = self.process(machine)
        await plain.run()
        self._after(plain)
        sent = [
            r
            for r in self.world.ledger.requests
            if r.run_id == plain.run_id and r.what == "POST"
        ]
        if sent and any(
            map(self._is_shown, ours)
        ):  # one that the gateway forgot meanwhile no list could show
            self.violations.append(
                "L11: an empty journal beside charges of the job, and a POST without --adopt"
            )
        adopting = self.process(machine, options=Options(adopt=True))
        self._doom(adopting)
        await adopting.run()
        self._after(adopting)
        await self._pause(machine, adopting)

    async def _on_another_machine(self) -> None:
        """A cloned machine with a journal of its own takes over, then the first one goes on."""
        self.world.weather.injected["two journals, one after the other"] += 1
        await self._quiet()
        other = Machine(self.world, "second", skew_s=self._skew_s())
        other.reboot()
        self.machines.append(other)
        if self.dice.random() < 0.5:
            other.clone(self.machines[0])
        else:
            # a list that hides all there is from a journal that knows of nothing
            self.world.ledger.copy_at_s = None
        for _ in range(self.dice.randint(1, 2)):
            process = self.process(other, options=Options(adopt=True))
            self._doom(process)
            await process.run()
            self._after(process)
            await self._pause(other, process)
        await self._quiet()

    async def _on_two_machines_at_once(self) -> None:
        """Two journals at the same instant: bounded and noticed, not prevented (docs/faults.md,
        E12).
        """
        self.world.weather.injected["two journals at once"] += 1
        self.at_once = True
        # a list that hides all there is from a journal that knows of nothing
        self.world.ledger.copy_at_s = None
        await self._quiet()
        other = Machine(self.world, "second", skew_s=self._skew_s())
        other.reboot()
        self.machines.append(other)
        if (
            self.dice.random() < 0.5 and self._is_as_it_was()
        ):  # ... under two names: both cron lines left in (J06)
            self.renamed, self.second_name = True, "renamed"
            self.world.weather.injected["two names at once"] += 1
        both = [
            self._of_machine(machine, options=Options(adopt=True))
            for machine in self.machines
        ]
        await asyncio.gather(*(process.run() for process in both))
        for process in both:
            self._after(process)
        await self._quiet()

    def _neighbours(self) -> None:
        for _ in range(self.dice.choice([0, 0, 1, 5])):
            self.world.ledger.later(
                self.world.loop.time() + self.dice.uniform(0, 30),
                self.world.ledger.neighbour,
            )

    async def _quiet(self) -> None:
        """Long enough that nothing is under way and every list is up to date."""
        await asyncio.sleep(max(self.world.settings.doubt_period_s * 1.5, 70.0))

    def _after(self, process: Process) -> None:
        """Right after each run: no bug came to light, and the journal holds all it ever
        acknowledged.
        """
        if process.bug is not None:
            self.violations.append(f"bug in {process.run_id}: {process.bug!r}")
            raise (
                process.bug
                if isinstance(process.bug, AssertionError)
                else AssertionError(repr(process.bug))
            )
        broken_off = process.died or process.interrupted_after_s is not None
        if not (broken_off or process.trouble):
            self._ids_are_known = True
        if process.died:
            self.world.weather.injected[
                "power cut" if process.by_power_cut else "kill -9"
            ] += 1
        self.violations += checker.check_journal(process.machine)
        if self.violations:
            raise AssertionError("; ".join(self.violations))

    # --- the end

    async def _calm(self) -> None:
        """No more faults. Under a stop nothing is sent; without one two runs settle all and a third
        sends nothing; where limits hold back what goes later, those that it takes.
        """
        machine = self.machines[0]
        ledger = self.world.ledger
        for each in self.machines:
            # a person set the clock, as the program asked
            each.skew_s = max(-200.0, min(200.0, each.skew_s))
        await self._quiet()
        if self.at_once:
            await self._both_have_seen()
        for _ in range(3):
            if not await self._lifted(machine):
                break
        for _ in range(2):
            await self._run_calmly(machine)
            await self._decided()
        again = await self._until_all_went(machine)
        if again is None:
            return
        # a list that lacks one proves nothing, and what waits for a proof goes runs later
        kept_back = any(c["_visible_s"] == float("inf") for c in ledger.charges)
        if again and not kept_back:
            self.violations.append(
                f"I15: one more run made {len(again)} POSTs, such as order {again[0].order_id}"
            )
        last = self.world.processes[-1]
        is_refused = any(map(self._is_of_a_gone_charge, last.trouble))
        if not (self.renamed or kept_back or is_refused):
            self.violations += checker.check_liveness(self)

    async def _until_all_went(self, machine: Machine) -> list[Request] | None:
        """One more run, which sends nothing. Where the job has limits it may: midnight, and a
        charge that ended without money, let others go, and these need a run after them too. What
        the last one sent; None: a stop came before it, and it was not made.
        """
        requests = self.world.ledger.requests
        rows = sum(len(file.rows) for file in self.files)
        again: list[Request] = []
        for _ in range(1 + rows):  # each but the last sends one at least
            if stop := self._stop(machine):
                self._must_have_reason(stop)
                return None
            before = len(requests)
            await self._run_calmly(machine)
            again = [r for r in requests[before:] if r.what == "POST"]
            if not again or "max_" not in self.controls:
                break
            await self._decided()
        return again

    def _must_have_reason(self, stop: str) -> None:
        # under the id of either column
        named = {word.rstrip(".") for word in re.findall(r"[\w.]+", stop)}
        stops = [c.event.data for c in self.world.commits if c.event.kind == "stop"]
        # another machine's charge of other terms that took nothing in the end
        unproven = {s.get("order", "") for s in stops if "is not proven" in s["reason"]}
        goes_on = "was unproven" in stop and named & unproven
        if (
            not named & checker.excused(self.world)
            and not self.at_once
            and not goes_on
            and "chrg" not in stop
        ):
            self.violations.append(f"a stop without a reason at the gateway: {stop}")

    async def _decided(self) -> None:
        """Long enough that the gateway has decided all that it has."""
        settled_s = self.world.ledger.settle_down()
        await asyncio.sleep(max(0.0, settled_s - self.world.loop.time()) + 70.0)

    async def _nights_later(self) -> None:
        """Nights with nothing new, whose lists end before the charges of before; then some of those
        that had ended are otherwise, and only events name them (J04, I8).
        """
        injected = self.world.weather.injected
        told = not (self.at_once or self.renamed or len(self.machines) > 1)
        told &= not (injected["journal restored"] + injected["journal lost"])
        shares, machine = self.world.ledger.shares, self.machines[0]
        if shares is None or not told or self._late.random() < 0.3:
            return
        for _ in range(2):
            await asyncio.sleep(86_400.0)
            await self._run_calmly(machine)
        changed = []
        for charge in checker.ended_and_known(self):
            if self._late.random() < 0.6:
                self.world.ledger.turn(charge, self.world.loop.time())
                changed.append(charge)
                injected["a charge that changed nights later"] += 1
        await asyncio.sleep(600.0)
        await self._run_calmly(machine)
        self.violations += checker.told_of(self, changed)

    async def _under_its_old_name(self) -> None:
        """A person does what a refused run says, and gives the job the name again under which it
        charged: whose own charges a list shows twice is a matter of runs of that name alone.
        """
        if self.at_once:
            return
        twins = list(checker.unnoticed_twins(self.world))
        for name in sorted(
            {charge["metadata"]["batchpay_job"] for charge in twins} - {JOB}
        ):
            await self._run_calmly(self.machines[0], name)

    async def _run_calmly(self, machine: Machine, name: str = "") -> None:
        """`name`: of the job, where it is not the one that it has on that machine."""
        process = self._of_machine(
            machine,
            options=Options(adopt=True, yes=not self.careful),
            formats=("csv", "json"),
        )
        if name:
            process.job = replace(process.job, name=name)
        await process.run()
        self._after(process)
        if process.trouble and not self._may_be_refused(process):
            self.violations.append(f"a calm run had trouble: {process.trouble}")

    def _may_be_refused(self, process: Process) -> bool:
        """A job that was charged under another name too is refused for good; so is a row that
        contradicts a charge, and a file of which nobody says that it is new. A run whose list lacks
        what it must show says that it could not look, and the next one looks.
        """
        return all(map(self._is_no_wonder, process.trouble))

    def _is_no_wonder(self, error: BatchpayError) -> bool:
        could_not_look = NOT_LOOKED.text.partition(":")[0]
        is_owed = NOT_READ_AGAIN.text.rpartition("}")[2]
        if isinstance(error, TryLater):
            return str(error).startswith(could_not_look) or is_owed in str(error)
        if isinstance(error, FileRefused):
            return self.careful
        if error.exit_code == Misconfigured.exit_code:
            return self.renamed or self._is_of_a_gone_charge(error)
        return error.exit_code == DoesNotAddUp.exit_code and "other terms" in str(error)

    def _is_of_a_gone_charge(self, error: BatchpayError) -> bool:
        """Nobody told whose account the first night's key was of, and its only witness is gone, or
        was a lie.
        """
        charges = {c["id"]: c["status"] for c in self.world.ledger.charges}
        told = re.search(r"knows no charge (chrg_\w+);", str(error))
        if told is None:
            return False
        return charges.get(told[1], "never made") in ("forgotten", "never made")

    async def _both_have_seen(self) -> None:
        """Also what the other one charged a moment ago, which its list did not show yet."""
        for _ in range(2):
            for machine in self.machines:
                await self._run_calmly(machine)
            await self._quiet()

    def _stop(self, machine: Machine) -> str:
        return stop_in_force(machine.copy().events(["stop", "lifted"]))

    async def _lifted(self, machine: Machine) -> bool:
        """Is there a stop? One run under it, which sends nothing; then a person lifts it."""
        if not self._stop(machine):
            # what a list shows only now may be a reason
            await self._run_calmly(machine)
            if not self._stop(machine):
                return False
        posts = len(self.world.ledger.requests)
        await self._run_calmly(machine)
        if any(r.what == "POST" for r in self.world.ledger.requests[posts:]):
            self.violations.append("L10: a run under a stop sent something")
        lift = Event(
            "lifted",
            at_ns=START_NS + int(self.world.loop.time() * 1e9),
            data={"reason": "looked"},
        )
        with machine.tool() as journal:
            (event,) = journal.append([lift])
        checker.note_lift(machine, event)
        await asyncio.sleep(70.0)
        return True
