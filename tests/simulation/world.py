"""One seed: a night of orders in virtual time, with weather, deaths, an old journal put back, reboots, suspensions."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from batchpay.errors import BatchpayError
from batchpay.job import GatewaySettings
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle import Attempt, fold
from batchpay.model import Event, Intent, Outcome
from batchpay.pacing import Breaker, Pacer
from batchpay.planning import intent_of
from batchpay.settlement import Books, Candidate, Line, Settlement
from tests.fakes import START_NS, Died, VirtualLoop
from tests.simulation.gateway import CALM, LIST_STORM, STORM, SimGateway

JOB = "night"
SETTINGS = GatewaySettings(
    rate=20, concurrency=4, timeout_s=3.0, send_window_s=1.0, doubt_period_s=25.0, lookup_gap_s=2.0, pause_s=3.0
)
LATEST_S = 12.0  # a request may still become a charge so long after its arrival: well inside the doubt period
LONGEST_RUN_S = 100_000.0  # suspensions included


class Clock:
    """The loop's time, counted from boots that come and go."""

    def __init__(self, boot: int) -> None:
        self.boot_id = f"boot {boot}"

    def elapsed_s(self) -> float:
        return asyncio.get_running_loop().time()

    def now_ns(self) -> int:
        return START_NS + int(self.elapsed_s() * 1e9)


class SimJournal(MemoryJournal):
    """What is written is durable after a moment, in one piece; a death in that moment loses it."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.dead = False
        self.suspends = False

    async def write(self, events: Any) -> list[Event]:
        await asyncio.sleep(2.0 if self.dice.random() < 0.01 else self.dice.random() * 0.02)
        if self.dead:
            raise Died
        stored = self.append(events)
        if self.suspends and self.dice.random() < 0.01:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop._now_s += 30 + self.dice.random() * 3600  # the machine slept, right after the commit
        return stored

    def copy(self) -> SimJournal:
        """As it is on the disk now."""
        other = SimJournal(self.dice)
        other.id = self.id
        other._events, other._sends, other._open = list(self._events), set(self._sends), dict(self._open)
        return other


@dataclass
class Night:
    """Everything of one seed."""

    seed: int
    dice: random.Random = field(init=False)
    loop: VirtualLoop = field(init=False)
    gateway: SimGateway = field(init=False)
    journal: SimJournal = field(init=False)
    orders: int = 0
    boot: int = 0
    runs: int = 0
    deaths: int = 0
    stamps: list[float] = field(default_factory=list)
    clean: bool = False
    lost: bool = False  # an older journal was put back: the next run knows (journals/lock.py)
    restored: bool = False  # ... and it was, at some time
    more_posts: int = 0  # in a run more, after all had become quiet

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        random.seed(self.seed)  # the product's own jitter
        self.loop = VirtualLoop(1000.0)
        self.gateway = SimGateway(self.dice, SETTINGS.timeout_s, LATEST_S)
        self.journal = SimJournal(self.dice)
        self.orders = self.dice.choice([1, 3, 8, 20, 40])
        self.clean = self.dice.random() < 0.1  # some nights have no weather: the judge must not live on it

    # --- the story

    def play(self) -> None:
        """Bad runs, then good ones until nothing moves any more."""
        try:
            for _ in range(0 if self.clean else self.dice.randrange(1, 6)):
                self._weather()
                before = self.journal.copy()
                self.run(dies=self.dice.random() < 0.5)
                self._between(before)
            self.gateway.weather = self.gateway.list_weather = CALM
            self.gateway.lag_s = 0.0
            self.journal.suspends = False
            for _ in range(2):
                self._pass(LATEST_S)
                self.run()
            posts = len(self.gateway.posts)
            self.run()
            self.more_posts = len(self.gateway.posts) - posts
        finally:
            self._end()

    def _weather(self) -> None:
        dice = self.dice
        picked = dict(dice.sample(sorted(STORM.items()), dice.randrange(1, len(STORM))))
        self.gateway.weather = {"ok": dice.choice([3, 30, 300]), **picked} if dice.random() < 0.9 else CALM
        self.gateway.list_weather = dice.choice([CALM, LIST_STORM, {"ok": 8, "500": 1}])
        self.gateway.lag_s = dice.choice([0.0, 0.0, 3.0, 8.0])
        self.journal.suspends = dice.random() < 0.2

    def _between(self, before: SimJournal) -> None:
        """What happens to a machine between two runs."""
        dice = self.dice
        self._pass(dice.choice([0.0, 1.0, 20.0, 90_000.0]))
        if dice.random() < 0.15:
            self.boot += 1
        if dice.random() < 0.15:
            self.journal = before.copy()
            self.lost = self.restored = True
            return
        self.journal = self.journal.copy()

    def _pass(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    # --- one process

    def run(self, *, dies: bool = False) -> None:
        """From its start to its end, or to its death."""
        self.runs += 1
        main = self.loop.create_task(self._process())
        after_s = self.dice.random() ** 2 * 40
        death = self.loop.call_later(after_s, self._kill, main, self.journal) if dies else None
        try:
            self.loop.run_until_complete(asyncio.wait_for(main, LONGEST_RUN_S))
        except (Died, asyncio.CancelledError):
            self.deaths += 1
        except BatchpayError:
            pass
        finally:
            if death is not None:
                death.cancel()

    def _kill(self, main: asyncio.Task[None], journal: SimJournal) -> None:
        journal.dead = True
        main.cancel()

    async def _process(self) -> None:
        clock = Clock(self.boot)
        now_s = clock.elapsed_s()
        pacer = Pacer(
            SETTINGS.rate, 1.0, 1, [at_s for at_s in self.gateway.times[-SETTINGS.rate :] if at_s > now_s - 2]
        )
        line = Line(clock, pacer, Breaker(SETTINGS.pause_s), lambda: None)
        books = Books(self.journal, clock, JOB, f"run {self.runs}", live=False)
        settlement = Settlement(SETTINGS, self.gateway, line, books, clock)
        start = datetime.fromtimestamp(START_NS / 1e9 + clock.elapsed_s(), UTC)
        bounds = [str(event.data["bound"]) for event in self.journal.events(["listing"])]
        since = datetime.fromisoformat(bounds[-1]) if bounds else start - timedelta(days=35)
        if self.lost:
            await line.rest(SETTINGS.doubt_period_s)
        if await settlement.look(since, adopt=True, known_before=bool(bounds)):
            self.lost = False
            await settlement.recover()
            await settlement.settle(self._candidates())
            await settlement.compare(start)

    def _candidates(self) -> Iterator[Candidate]:
        for number in range(self.orders):
            order_id = f"{number:04d}"
            attempts = self.attempts(order_id)
            if attempts and attempts[-1].may_go_again and not attempts[-1].adopted:
                yield Candidate(order_id, None)
            elif not attempts:
                yield Candidate(order_id, self._intent(number, order_id))

    def _intent(self, number: int, order_id: str) -> Intent:
        payer = {"customer": f"cust_test_{number % 3}"} if number % 4 == 0 else {"source": f"src_test_{number}"}
        document = {"order_id": order_id, "amount": 1000 + number, "currency": "thb", "destination": "recp_test_1"}
        return intent_of(
            {**document, **payer}, job=JOB, attempt=1, fee=None, batch_id="2026-11-24-0123456789ab", sheet="",
            row=number + 2, run_id=f"run {self.runs}", journal_id=self.journal.id,
        )  # fmt: skip

    def _end(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    # --- what is known

    def attempts(self, order_id: str) -> tuple[Attempt, ...]:
        return fold(self.journal.histories([order_id]).get(order_id, []))

    def outcomes(self) -> dict[str, Outcome]:
        """Where every order stands."""
        found = {}
        for number in range(self.orders):
            attempts = self.attempts(f"{number:04d}")
            found[f"{number:04d}"] = attempts[-1].outcome if attempts else Outcome.HELD
        return found

    def money(self) -> Counter[str]:
        """Order id -> charges that took money or may yet."""
        taking = ("successful", "pending")
        return Counter(c["metadata"]["order_id"] for c in self.gateway.charges if c["status"] in taking)
