"""One run of the program in virtual time: the true lock, journal, books, line and loop; only its
edges are made up.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from batchpay.batches import night as pipeline
from batchpay.batches.open_job import Edges
from batchpay.batches.session import Options
from batchpay.batches.signals import Signals
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Event
from batchpay.gateways.omise.gateway import Omise
from batchpay.job.job import GatewaySettings, Job
from batchpay.job.key import SecretKey
from batchpay.journals.sqlite.file import Durable
from batchpay.journals.sqlite.migration import SCHEMA_VERSION
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.journals.sqlite.writing import _Submission
from batchpay.settlement import Case
from tests.fakes import START_NS, Died, VirtualLoop
from tests.simulation.disk import Disk
from tests.simulation.door import Door
from tests.simulation.ledger import Ledger
from tests.simulation.weather import Weather

JOB = "night"
# virtual, with every suspension; a run that takes longer never ends
LONGEST_RUN_S = 3_000_000.0
# of one run: so many calls at its edges mean that it turns in circles
MOST_STEPS = 20_000
FIRST, OTHER = "skey_test_first", "skey_test_other"  # keys of two accounts
LIVE = "skey_first"  # of the first one in live mode


# What an earlier version's journal lacks, or has otherwise (tests/test_journal_migration.py).
AS_OF: dict[str, tuple[str, ...]] = {
    "2": (),
    "3": (),
    "4": (
        "DROP INDEX events_of_a_kind",
        "CREATE INDEX events_of_a_kind ON events (job, kind) WHERE order_id = ''",
    ),
    "5": ("DROP TABLE came_to",),
}


class Stuck(AssertionError):
    """Nothing is to do and nothing will ever be: the program waits for ever."""


class SimulatedLoop(VirtualLoop):
    """Virtual time that can also jump, and that notices when nobody will ever wake up."""

    def jump(self, seconds: float) -> None:
        """The machine sleeps: every timer comes late, the gateway goes on."""
        self._now_s += seconds

    def _run_once(self) -> None:
        if (
            not self._ready
            and all(timer.cancelled() for timer in self._scheduled)
            and not self._stopping
        ):  # type: ignore[attr-defined]
            raise Stuck("nothing left to do, and the run did not end")
        self._now_s += 1e-6  # nothing takes no time
        super()._run_once()


@dataclass
class Commit:
    """An event that a journal has acknowledged."""

    tick: int
    at_s: float
    machine: str
    event: Event
    job: str = "night"
    # when a restored or lost journal no longer knew it
    forgotten_tick: float = float("inf")
    # when nothing on its machine or at the gateway told any more that it had been forgotten
    untold_tick: float = float("inf")


@dataclass
class World:
    """What all processes of one seed share."""

    seed: int
    loop: SimulatedLoop
    settings: GatewaySettings
    folder: Path
    dice: random.Random
    weather: Weather
    dated: bool = True  # does the gateway say its own time?
    slow_disk_s: float = 0.0
    # a mutant may stand here
    wrap_gateway: Callable[[Any], Any] = lambda gateway: gateway
    pragmas: dict[str, str] = field(default_factory=dict)  # or here
    # or the program is told other settings than those the checker holds it to
    obeyed: GatewaySettings | None = None
    commits: list[Commit] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    frozen_s: float = 0.0
    account_told: bool = True  # does the gateway say whose account a key is of?
    _ticks: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.loop.time, self.tick, self.dice)
        self.other = Ledger(self.loop.time, self.tick, self.dice)  # another account's

    def tick(self) -> int:
        """The order of things, whatever the clocks say."""
        return next(self._ticks)

    @property
    def longest_landing_s(self) -> float:
        """How long after its first byte a request may still become a charge, so that the doubt
        period covers it.
        """
        s = self.settings
        return s.doubt_period_s - s.send_window_s - 20.0 - self.ledger.longest_lag_s

    def freeze(self, seconds: float) -> None:
        """Suspend the machine: CLOCK_BOOTTIME goes on."""
        self.loop.jump(seconds)
        self.frozen_s += seconds


@dataclass(frozen=True)
class _Copy:
    """A journal that was copied, and the files that it was copied from."""

    files: dict[str, bytes]
    disk: Disk
    journal: SqliteJournal


@dataclass
class Machine:
    """A computer with a disk, a clock and a boot id."""

    world: World
    name: str
    skew_s: float = 0.0
    boots: int = 0
    booted_at_s: float = 0.0
    # what its journal must still hold
    acknowledged: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.disk = Disk(f"{self.world.seed}.{self.name}", self.world.dice)
        self.disk.pragmas = self.world.pragmas
        self.state_path = self.world.folder / self.name / "journal.db"
        self._looked_at: _Copy | None = None

    @property
    def boot_id(self) -> str:
        return f"{self.name} boot {self.boots}"

    @property
    def folder(self) -> Path:
        return self.state_path.parent

    def locks(self) -> dict[str, bytes]:
        """What the runs of this machine know beside the journal."""
        return {path.name: path.read_bytes() for path in self.folder.glob("*.lock")}

    def reboot(self) -> None:
        """CLOCK_BOOTTIME starts anew."""
        self.boots += 1
        self.booted_at_s = self.world.loop.time() - self.world.dice.uniform(1, 30)

    def lose_power(self) -> None:
        """Un-synced writes and the memory of the last requests are gone."""
        self.disk.cut()
        for lock in self.state_path.parent.glob("*.lock"):
            lock.unlink()

    def clone(self, other: Machine) -> None:
        """Begin with a copy of another machine's disk."""
        files = other.disk.snapshot().items()
        self.disk.restore(
            {
                name.replace(other.disk.name, self.disk.name): data
                for name, data in files
            }
        )
        self.acknowledged = list(other.acknowledged)
        self.world.commits += [
            replace(c, machine=self.name)
            for c in self.world.commits
            if c.machine == other.name
        ]
        self.world.commits.sort(key=lambda commit: commit.tick)

    # --- Clock protocol

    def elapsed_s(self) -> float:
        return self.world.loop.time() - self.booted_at_s

    def now_ns(self) -> int:
        return START_NS + int((self.world.loop.time() + self.skew_s) * 1e9)

    def copy(self) -> SqliteJournal:
        """A copy of the journal, to look at without touching it: the same one for as long as the
        files are the same.
        """
        files = self.disk.snapshot()
        if self._looked_at is None or self._looked_at.files != files:
            self.forget_copy()
            disk = self.disk.copy(f"{self.disk.name} looked at")
            journal = SqliteJournal(self.state_path, JOB, connect=disk.connect)
            self._looked_at = _Copy(files, disk, journal)
        return self._looked_at.journal

    def forget_copy(self) -> None:
        """Nobody looks at it any more."""
        if self._looked_at is not None:
            self._looked_at.journal.close()
            self._looked_at.disk.forget()
            self._looked_at = None

    @contextmanager
    def tool(self) -> Iterator[SqliteJournal]:
        """The journal itself, as a person's command would open it between runs."""
        journal = SqliteJournal(self.state_path, JOB, connect=self.disk.connect)
        try:
            yield journal
        finally:
            journal.close()

    def as_of_version(self, version: str) -> None:
        """The journal in the form that an earlier program would have left it in; one that is of an
        earlier program still, because its migration failed, stays what it is.
        """
        if self.version() != SCHEMA_VERSION:
            return
        raw = self.disk.connect(self.state_path)
        raw.execute("BEGIN IMMEDIATE")
        for statement in AS_OF[version]:
            raw.execute(statement)
        raw.execute(
            "UPDATE meta SET value = ? WHERE name = 'schema_version'", (version,)
        )
        raw.execute("COMMIT")
        raw.close()

    def version(self) -> str:
        """Of the journal, as its file says; empty where there is none yet."""
        raw = self.disk.connect(self.state_path)
        found = raw.execute("SELECT name FROM sqlite_master WHERE name = 'meta'")
        version = ""
        if found.fetchone():
            query = "SELECT value FROM meta WHERE name = 'schema_version'"
            ((version,),) = raw.execute(query)
        raw.close()
        return version

    def restore(
        self,
        files: dict[str, bytes],
        acknowledged: list[tuple[int, str]],
        locks: dict[str, bytes] | None = None,
    ) -> None:
        """Yesterday's journal, or none: the machine forgets what came after. `locks`: those of that
        time come too.
        """
        self.disk.restore(files)
        for path in self.folder.glob("*.lock") if locks is not None else ():
            path.unlink()
        for name, data in (locks or {}).items():
            (self.folder / name).write_bytes(data)
        kept = set(acknowledged)
        tick = self.world.tick()
        for commit in self.world.commits:
            if (
                commit.machine == self.name
                and (commit.event.seq, commit.event.digest) not in kept
            ):
                commit.forgotten_tick = min(commit.forgotten_tick, tick)
        self.acknowledged = list(acknowledged)


class VirtualJournal(SqliteJournal):
    """The true journal; its writer thread is a timer, so that a seed always groups the same way."""

    def __init__(self, process: Process, job: Job, durable: Durable) -> None:
        self._process, self._machine, self._world = (
            process,
            process.machine,
            process.world,
        )
        self._gathering: list[_Submission] = []
        self._fresh: list[Event] = []
        super().__init__(
            job.state_path,
            job.name,
            durable=durable,
            connect=process.machine.disk.connect,
        )

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """What arrives while a commit is under way shares the next one."""
        self._process.step()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Event]] = loop.create_future()
        if not self._gathering:
            loop.call_later(
                self._world.dice.uniform(0, self._world.slow_disk_s), self._flush
            )
        self._gathering.append(_Submission(events, loop, done))
        return await done

    def _flush(self) -> None:
        group, self._gathering = self._gathering, []
        with suppress(Died):
            self._process.step()
            if group:
                self._commit_group(group)

    def _insert(self, events: Sequence[Event]) -> list[Event]:
        stored = super()._insert(events)
        self._fresh += stored
        return stored

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if not self._process.alive:
            raise Died
        self._fresh = []
        with super()._transaction():
            yield
        if not self._process.alive:
            raise Died  # it died while the commit was on its way: nobody was told
        for event in self._fresh:
            self._machine.acknowledged.append((event.seq, event.digest))
            place = (self._world.tick(), self._world.loop.time(), self._machine.name)
            self._world.commits.append(Commit(*place, event, job=self.job))

    def close(self) -> None:
        self._flush()
        super().close()


class Nobody:
    """Talk port: nobody listens."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A step."""

    def order(self, case: Case) -> None:
        """An order moved."""


class Summons(Signals):
    """Signals that come when the story says so, not from the kernel."""

    def __enter__(self) -> Summons:
        return self

    def send(self) -> None:
        """SIGTERM."""
        self.received = "SIGTERM"
        if self._call is not None:
            self._call(self.received)


@dataclass
class Process:
    """`batchpay run` itself, from its lock to its reports: pipeline.night over made-up edges."""

    machine: Machine
    files: Sequence[Path] = ()
    job: Job = field(kw_only=True)
    options: Options = field(default_factory=Options)
    key: str = FIRST
    # the summary costs as much as the rest of a small night
    formats: tuple[str, ...] = ("csv",)
    dies_at_step: int | None = None
    dies_at_write: int | None = None
    dies_after_s: float | None = None
    by_power_cut: bool = False
    sync_fails_at_write: int | None = None
    disk_full_at_write: int | None = None
    interrupted_after_s: float | None = None
    alive: bool = True
    died: bool = False
    trouble: list[BatchpayError] = field(default_factory=list)
    bug: BaseException | None = None
    result: pipeline.Result | None = None

    def __post_init__(self) -> None:
        self.world = self.machine.world
        self.number = len(self.world.processes) + 1
        # the end of the run id that the program gives itself
        self.run_id = f"{self.number:08d}"
        self.world.processes.append(self)
        self._task: asyncio.Task[None] | None = None
        self._steps = self._writes = 0

    # --- life and death

    def step(self) -> None:
        """A point where it may die, and where a dead one goes no further."""
        if self.alive:
            self._steps += 1
            if self._steps == self.dies_at_step:
                self.kill()
            if self._steps > MOST_STEPS:
                raise Stuck("a run turns in circles")
        if not self.alive:
            raise Died

    def _before_write(self) -> None:
        self._writes += 1
        if self._writes == self.dies_at_write:
            self.kill()
        if self._writes == self.sync_fails_at_write:
            self.machine.disk.failing_syncs = 1
            self.world.weather.injected["disk fsync fails"] += 1
        if self._writes == self.disk_full_at_write:
            self.machine.disk.full = True
            self.world.weather.injected["disk full"] += 1

    def kill(self) -> None:
        """kill -9, or the power goes."""
        if not self.alive:
            return
        self.alive, self.died = False, True
        if self.by_power_cut:
            self.machine.lose_power()
        else:
            self.machine.disk.revoke()
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """To its end, whichever; a bug of the program is kept in `bug`."""
        self.machine.disk.before_write = self._before_write
        self._task = asyncio.ensure_future(self._main())
        loop = asyncio.get_running_loop()
        timers = [loop.call_later(LONGEST_RUN_S, self._task.cancel)]
        if self.dies_after_s is not None:
            timers.append(loop.call_later(self.dies_after_s, self.kill))
        await asyncio.wait({self._task})
        for timer in timers:
            timer.cancel()
        self.machine.disk.before_write = lambda: None
        self.machine.disk.full, self.machine.disk.failing_syncs = False, 0
        ended = (
            self._task.exception()
            if not self._task.cancelled()
            else Stuck("a run did not end")
        )
        if self.alive and ended is not None and not isinstance(ended, BatchpayError):
            self.bug = ended
        elif isinstance(ended, BatchpayError) and self.alive:
            self.trouble.append(ended)
        self.alive = False

    # --- the run

    def job_here(self) -> Job:
        """The job as this process has it: its files, its journal, its reports."""
        machine, world = self.machine, self.world
        inbox = machine.folder / f"inbox {self.number}"
        inbox.mkdir(parents=True)
        for path in self.files:
            os.link(path, inbox / path.name)
        return replace(
            self.job,
            input=replace(self.job.input, pattern=str(inbox / "*.csv")),
            gateway=replace(world.obeyed or world.settings, mode=self.mode),
            state_path=machine.state_path,
            report=replace(
                self.job.report,
                directory=machine.folder / "reports",
                formats=self.formats,
            ),
        )

    @property
    def mode(self) -> Literal["test", "live"]:
        """The job says what the key says."""
        return "live" if self.key == LIVE else "test"

    def edges(self, signals: Callable[[], Signals] = Summons) -> Edges:
        """Where it meets this world."""
        return Edges(
            clock=lambda: self.machine,
            wall_ns=self.machine.now_ns,
            journal=partial(VirtualJournal, self),
            gateway=self._gateway,
            run_name=lambda: self.run_id,
            signals=signals,
        )

    async def _main(self) -> None:
        job = self.job_here()
        summons = Summons()
        if self.interrupted_after_s is not None:
            asyncio.get_running_loop().call_later(
                self.interrupted_after_s, summons.send
            )
        edges = self.edges(lambda: summons)
        made = await pipeline.night(
            job, SecretKey(self.key), self.options, Nobody(), edges=edges
        )
        self.result = made
        self.trouble += made.trouble

    def _gateway(self, settings: GatewaySettings, secret_key: str) -> Any:
        ledger = self.world.ledger if secret_key == FIRST else self.world.other
        return Omise(self.world.wrap_gateway(Door(self, ledger)))
