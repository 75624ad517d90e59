"""One run of the program in virtual time: the true lock, journal, books, line and loop; only its edges are made up."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchpay import accounts
from batchpay.desk import sendable
from batchpay.errors import BatchpayError
from batchpay.job import GatewaySettings
from batchpay.journals.lock import RunLock
from batchpay.journals.sqlite import SqliteJournal, _Submission
from batchpay.model import Batch, Event, StoredChunk
from batchpay.pacing import Breaker, Pacer
from batchpay.planning import intent_of
from batchpay.settlement import Books, Candidate, Limits, Line, Settlement
from tests.fakes import START_NS, Died, VirtualLoop
from tests.simulation.disk import Disk
from tests.simulation.door import Door
from tests.simulation.ledger import Ledger
from tests.simulation.weather import Weather

JOB = "night"
LONGEST_RUN_S = 3_000_000.0  # virtual, with every suspension; a run that takes longer never ends
MOST_STEPS = 20_000  # of one run: so many calls at its edges mean that it turns in circles


class Stuck(AssertionError):
    """Nothing is to do and nothing will ever be: the program waits for ever."""


class SimulatedLoop(VirtualLoop):
    """Virtual time that can also jump, and that notices when nobody will ever wake up."""

    def jump(self, seconds: float) -> None:
        """The machine sleeps: every timer comes late, the gateway goes on."""
        self._now_s += seconds

    def _run_once(self) -> None:
        if not self._ready and all(timer.cancelled() for timer in self._scheduled) and not self._stopping:  # type: ignore[attr-defined]
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
    forgotten_tick: float = float("inf")  # when a restored or lost journal no longer knew it


@dataclass
class InputFile:
    """A batch of this job, ready for `sendable`."""

    batch: Batch
    chunk: StoredChunk


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
    wrap_gateway: Callable[[Any], Any] = lambda gateway: gateway  # a mutant may stand here
    pragmas: dict[str, str] = field(default_factory=dict)  # or here
    obeyed: GatewaySettings | None = None  # or the program is told other settings than those the checker holds it to
    commits: list[Commit] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    frozen_s: float = 0.0
    _ticks: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.loop.time, self.tick, self.dice)

    def tick(self) -> int:
        """The order of things, whatever the clocks say."""
        return next(self._ticks)

    @property
    def longest_landing_s(self) -> float:
        """How long after its first byte a request may still become a charge, so that the doubt period covers it."""
        s = self.settings
        return s.doubt_period_s - s.send_window_s - 20.0 - self.ledger.longest_lag_s

    def freeze(self, seconds: float) -> None:
        """Suspend the machine: CLOCK_BOOTTIME goes on."""
        self.loop.jump(seconds)
        self.frozen_s += seconds


@dataclass
class Machine:
    """A computer with a disk, a clock and a boot id."""

    world: World
    name: str
    skew_s: float = 0.0
    boots: int = 0
    booted_at_s: float = 0.0
    acknowledged: list[tuple[int, str]] = field(default_factory=list)  # what its journal must still hold

    def __post_init__(self) -> None:
        self.disk = Disk(f"{self.world.seed}.{self.name}", self.world.dice)
        self.disk.pragmas = self.world.pragmas
        self.state_path = self.world.folder / self.name / "journal.db"

    @property
    def boot_id(self) -> str:
        return f"{self.name} boot {self.boots}"

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
        self.disk.restore({name.replace(other.disk.name, self.disk.name): data for name, data in files})
        self.acknowledged = list(other.acknowledged)
        self.world.commits += [replace(c, machine=self.name) for c in self.world.commits if c.machine == other.name]
        self.world.commits.sort(key=lambda commit: commit.tick)

    # --- Clock protocol

    def elapsed_s(self) -> float:
        return self.world.loop.time() - self.booted_at_s

    def now_ns(self) -> int:
        return START_NS + int((self.world.loop.time() + self.skew_s) * 1e9)

    @contextmanager
    def copy(self) -> Iterator[SqliteJournal]:
        """A copy of the journal, to look at without touching it."""
        disk = self.disk.copy("looked at")
        journal = SqliteJournal(self.state_path, JOB, connect=disk.connect)
        try:
            yield journal
        finally:
            journal.close()
            disk.forget()

    @contextmanager
    def tool(self) -> Iterator[SqliteJournal]:
        """The journal itself, as a person's command would open it between runs."""
        journal = SqliteJournal(self.state_path, JOB, connect=self.disk.connect)
        try:
            yield journal
        finally:
            journal.close()

    def restore(self, files: dict[str, bytes], acknowledged: list[tuple[int, str]]) -> None:
        """Yesterday's journal, or none: the machine forgets what came after."""
        self.disk.restore(files)
        kept = set(acknowledged)
        tick = self.world.tick()
        for commit in self.world.commits:
            if commit.machine == self.name and (commit.event.seq, commit.event.digest) not in kept:
                commit.forgotten_tick = min(commit.forgotten_tick, tick)
        self.acknowledged = list(acknowledged)


class VirtualJournal(SqliteJournal):
    """The true journal; its writer thread is a timer, so that a seed always groups the same way."""

    def __init__(self, process: Process) -> None:
        self._process, self._machine, self._world = process, process.machine, process.world
        self._gathering: list[_Submission] = []
        self._fresh: list[Event] = []
        super().__init__(process.machine.state_path, JOB, connect=process.machine.disk.connect)

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """What arrives while a commit is under way shares the next one."""
        self._process.step()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Event]] = loop.create_future()
        if not self._gathering:
            loop.call_later(self._world.dice.uniform(0, self._world.slow_disk_s), self._flush)
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
            self._world.commits.append(Commit(self._world.tick(), self._world.loop.time(), self._machine.name, event))

    def close(self) -> None:
        self._flush()
        super().close()


@dataclass
class Process:
    """`batchpay run`, without files: what pipeline._at_the_gateway does, in its order."""

    machine: Machine
    files: Sequence[InputFile] = ()
    adopt: bool = False
    limits: Limits = field(default_factory=Limits)
    dies_at_step: int | None = None
    dies_at_write: int | None = None
    dies_after_s: float | None = None
    by_power_cut: bool = False
    sync_fails_at_write: int | None = None
    disk_full_at_write: int | None = None
    interrupted_after_s: float | None = None
    grace_s: float | None = None
    alive: bool = True
    died: bool = False
    trouble: list[BatchpayError] = field(default_factory=list)
    bug: BaseException | None = None
    line: Line | None = None

    def __post_init__(self) -> None:
        self.world = self.machine.world
        self.run_id = f"run {len(self.world.processes) + 1}"
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
        ended = self._task.exception() if not self._task.cancelled() else Stuck("a run did not end")
        if self.alive and ended is not None and not isinstance(ended, BatchpayError):
            self.bug = ended
        elif isinstance(ended, BatchpayError) and self.alive:
            self.trouble.append(ended)
        self.alive = False

    # --- the run

    async def _main(self) -> None:
        machine, settings = self.machine, self.world.settings
        started_ns = machine.now_ns()
        holder = {"started": str(started_ns), "run": self.run_id}
        lock = RunLock(machine.state_path, JOB, settings.rate, holder, wall_ns=machine.now_ns)
        try:
            journal = VirtualJournal(self)
            try:
                journal.verify()
                self._note(journal, "run.started", {"boot_id": machine.boot_id})
                try:
                    await self._at_the_gateway(journal, lock, started_ns)
                except BatchpayError as error:
                    self.trouble.append(error)
                self._note(journal, "run.finished", {"exit_code": 0})
            finally:
                with suppress(Died):
                    journal.close()
        finally:
            lock.close()

    async def _at_the_gateway(self, journal: VirtualJournal, lock: RunLock, started_ns: int) -> None:
        machine, settings = self.machine, self.world.obeyed or self.world.settings
        gateway = self.world.wrap_gateway(Door(self, self.world.ledger))
        now_s = machine.elapsed_s()
        earlier = (now_s - age_s for age_s in lock.ages_s())
        pacer = Pacer(settings.rate, settings.rate_window_s, settings.burst, earlier)
        line = self.line = Line(machine, pacer, Breaker(settings.pause_s), lock.stamp)
        books = Books(journal, machine, JOB, self.run_id, live=False)
        loop = Settlement(settings, gateway, line, books, machine, limits=self.limits)
        if self.interrupted_after_s is not None:
            running = asyncio.get_running_loop()
            running.call_later(self.interrupted_after_s, loop.interrupt, "interrupted by SIGTERM", self.grace_s)
        started = datetime.fromtimestamp(started_ns / 1e9, UTC)
        bound = accounts.listed_until(journal)
        since = bound or started - accounts.FIRST_LOOK
        if await loop.look(since, adopt=self.adopt, known_before=bound is not None):
            await loop.recover()
            await loop.settle(self._candidates(journal))
            await loop.compare(started)
        if loop.why_held:
            self._note(journal, "held", {"reason": loop.why_held})
        if line.fatal:
            self.trouble.append(line.fatal)

    def _candidates(self, journal: VirtualJournal) -> Iterator[Candidate]:
        for file in self.files:
            for item in sendable(journal, file.batch.id, file.chunk, {}):
                order_id = item.document["order_id"]
                intent = intent_of(
                    item.document, job=JOB, attempt=item.number, fee=None, batch_id=file.batch.id, sheet=item.sheet,
                    row=item.row, run_id=self.run_id, journal_id=journal.id,
                )  # fmt: skip
                yield Candidate(order_id, None if item.open else intent)

    def _note(self, journal: VirtualJournal, kind: str, data: dict[str, Any]) -> None:
        journal.append([Event(kind, at_ns=self.machine.now_ns(), run_id=self.run_id, data=data)])
