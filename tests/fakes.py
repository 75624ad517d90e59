"""Small stand-ins for the edges: virtual time, a gateway in memory, death at any call. No mock
library.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from batchpay.domain.model import Answer, Event, Intent
from batchpay.gateways.omise.objects import charge_answered, told

T = TypeVar("T")
START_NS = 1_795_000_000 * 10**9
# None: wherever temporary files go
MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None


class Died(BaseException):
    """The process is gone: nothing of it runs any more."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is to do."""

    def __init__(self, start_s: float = 0.0) -> None:
        super().__init__()
        self._now_s = start_s

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        timers = self._scheduled  # type: ignore[attr-defined]
        # else the loop would wait for the one behind it
        while timers and timers[0].cancelled():
            heapq.heappop(timers)._scheduled = False
            self._timer_cancelled_count -= 1  # type: ignore[has-type]
        if not self._ready and timers:  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, timers[0]._when)
        super()._run_once()  # type: ignore[misc]


def in_virtual_time(
    main: Coroutine[Any, Any, T], start_s: float = 0.0
) -> tuple[T, float]:
    """Run to the end without waiting for anything; returns the result and the time it ended."""
    loop = VirtualLoop(start_s)
    try:
        result = loop.run_until_complete(main)
        return result, loop.time()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class FakeClock:
    """Clock port on the loop's time."""

    boot_id = "one boot"

    def __init__(self, ahead_s: float = 0.0) -> None:
        self._ahead_s = ahead_s  # of the true time

    def elapsed_s(self) -> float:
        return asyncio.get_running_loop().time()

    def now_ns(self) -> int:
        return START_NS + int((self.elapsed_s() + self._ahead_s) * 1e9)


def heard(**facts: Any) -> Answer[Any]:
    """An answer whose document was read for what every answer tells; `said` is the document."""
    return told(Answer(**facts), lambda document: document)


def charged(**facts: Any) -> Answer[Any]:
    """An answer to a charge, read; `said` is the document."""
    return told(Answer(**facts), charge_answered)


@dataclass
class FakeGateway:
    """The line to a gateway in memory: charges whatever it is asked, remembers every request,
    ignores idempotency keys.

    `fate` decides per request what becomes of it; it gets the number of the POST and its fields.
    """

    fate: Callable[[int, dict[str, str]], str] = lambda number, fields: "ok"
    latency_s: float = 0.05
    account: str = "account_test_1"
    copy_at_s: float | None = None  # lists show the account as it was then
    lag_s: float = 0.0  # how long a charge stays out of lists
    charges: list[dict[str, Any]] = field(default_factory=list)
    posts: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    gets: int = 0

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
        number = len(self.posts)
        fields = dict(parse_qsl(intent.body, keep_blank_values=True))
        fate = self.fate(number, fields)
        if fate == "unreachable":
            return Answer(out=False, trouble="no connection")
        if not may_leave():
            return Answer(out=False, withheld=True)
        now_s = asyncio.get_running_loop().time()
        self.posts.append((now_s, fields))
        if fate.startswith("lands late"):
            asyncio.get_running_loop().call_later(
                float(fate.split()[2]), self._commit, fields
            )
            await asyncio.sleep(self.latency_s)
            return Answer(out=True, trouble="no answer")
        await asyncio.sleep(self.latency_s)
        if fate == "lost before":
            return Answer(out=True, trouble="reset")
        if fate == "503 before":
            return Answer(out=True, status=503)
        if fate == "429":
            return Answer(out=True, status=429, retry_after="1")
        if fate.startswith("error "):
            code = fate.removeprefix("error ")
            return Answer(
                out=True,
                status=400,
                said={"object": "error", "code": code, "message": code},
            )
        if fate == "401":
            return Answer(
                out=True,
                status=401,
                said={"object": "error", "code": "authentication_failure"},
            )
        charge = self._commit(
            fields,
            "failed"
            if fate == "declined"
            else "pending"
            if fate == "pending"
            else "successful",
        )
        if fate == "lost after":
            return Answer(out=True, trouble="reset")
        if fate == "503 after":
            return Answer(out=True, status=503)
        if fate == "429 after":
            return Answer(out=True, status=429, retry_after="5")
        if fate == "twice":
            self._commit(fields)
        return Answer(
            out=True,
            status=200,
            said={**charge, **({"amount": 1} if fate == "wrong amount" else {})},
        )

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        may_leave()
        self.gets += 1
        await asyncio.sleep(self.latency_s)
        found = [charge for charge in self.charges if charge["id"] == charge_id]
        if not found:
            return Answer(
                out=True, status=404, said={"object": "error", "code": "not_found"}
            )
        return Answer(out=True, status=200, said=found[0])

    async def read(
        self, path: str, query: Mapping[str, Any], may_leave: Callable[[], bool]
    ) -> Answer:
        """Whose account it is; of anything else it does not tell."""
        may_leave()
        if path != "/account":
            return Answer(out=True, status=404)
        account = {
            "object": "account",
            "id": self.account,
            "livemode": False,
            "currency": "THB",
        }
        return Answer(out=True, status=200, said=account)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        may_leave()
        self.gets += 1
        await asyncio.sleep(self.latency_s)
        visible = self._visible(since)
        listing = {
            "object": "list",
            "data": visible[offset : offset + limit],
            "total": len(visible),
        }
        return Answer(out=True, status=200, said=listing)

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer:
        may_leave()
        self.gets += 1
        await asyncio.sleep(self.latency_s)
        shown = self._visible(since)
        listing = {"object": "list", "data": shown[-1:], "total": len(shown)}
        return Answer(out=True, status=200, said=listing)

    def _visible(self, since: str) -> list[dict[str, Any]]:
        now_s = asyncio.get_running_loop().time()
        as_of_s = now_s if self.copy_at_s is None else self.copy_at_s
        return [
            c
            for c in self.charges
            if c["created_at"] >= since and c["_at_s"] + self.lag_s <= as_of_s
        ]

    async def aclose(self) -> None:
        pass

    def _commit(
        self, fields: dict[str, str], status: str = "successful"
    ) -> dict[str, Any]:
        now_s = asyncio.get_running_loop().time()
        number = len(self.charges) + 1
        charge = {
            "object": "charge",
            "id": f"chrg_test_{number}",
            "livemode": False,
            "status": status,
            "paid": status == "successful",
            "amount": int(fields["amount"]),
            "currency": fields["currency"].upper(),
            "destination": fields["destination"],
            "chain": f"acch_test_{number}" if status == "successful" else None,
            "created_at": (
                datetime.fromtimestamp(START_NS / 1e9 + now_s, UTC).strftime(
                    "%Y-%m-%dT%H:%M:%SZ"
                )
            ),
            "metadata": {
                k[9:-1]: v for k, v in fields.items() if k.startswith("metadata[")
            },
            "_at_s": now_s,
        }
        self.charges.append(charge)
        return charge

    def money(self) -> dict[str, int]:
        """Order id -> how many charges took money."""
        taken: dict[str, int] = {}
        for charge in self.charges:
            if charge["status"] == "successful":
                order_id = charge["metadata"]["order_id"]
                taken[order_id] = taken.get(order_id, 0) + 1
        return taken


@dataclass
class CrashAt:
    """Counts the calls of a gateway and a journal; dies before or after the given one."""

    point: int
    calls: itertools.count[int] = field(default_factory=itertools.count)
    dead: bool = False

    def wrap(self, edge: Any, names: Sequence[str]) -> Any:
        return _Wrapped(self, edge, names)

    def step(self) -> None:
        if self.dead or next(self.calls) == self.point:
            self.dead = True
            raise Died


class _Wrapped:
    def __init__(self, crash: CrashAt, edge: Any, names: Sequence[str]) -> None:
        self._crash, self._edge, self._names = crash, edge, names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._edge, name)
        if name not in self._names:
            return method

        async def call(*args: Any, **named: Any) -> Any:
            self._crash.step()
            result = await method(*args, **named)
            self._crash.step()
            return result

        return call


def note(journal: Any, kind: str) -> None:
    journal.append([Event(kind)])
