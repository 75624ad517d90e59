"""A gateway in virtual time that drops, delays, limits and lands late, by dice; it does not know idempotency.

It keeps what a judge needs: every request with its time, every charge with the time it was made, and for every POST
whether its client could know what became of it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from batchpay.model import Answer, Intent
from tests.fakes import START_NS

CALM: dict[str, int] = {"ok": 1}
STORM: dict[str, int] = {
    "ok": 30, "slow": 6, "lost before": 5, "lost after": 6, "late": 6, "503 before": 4, "503 after": 4, "429": 6,
    "429 words": 2, "unreachable": 4, "declined": 3, "pending": 2, "refused": 2, "html": 2, "408": 1, "409": 1,
    "redirect": 1, "backend": 1, "cut": 3,
}  # fmt: skip
LIST_STORM: dict[str, int] = {"ok": 30, "slow": 3, "500": 4, "429": 3, "silent": 3, "empty": 2, "shift": 4}
CLEAR = {"ok", "slow", "429", "429 words", "unreachable", "declined", "pending", "refused"}
"""Fates after which the client knows what became of its request, if it was given time."""


@dataclass(slots=True)
class Post:
    """One POST that arrived."""

    at_s: float
    key: str
    order_id: str
    body: str
    fate: str


@dataclass
class SimGateway:
    """See the module. `weather` is replaced by whoever runs the simulation."""

    dice: random.Random
    timeout_s: float
    latest_s: float  # how long after its arrival a request may still become a charge
    weather: dict[str, int] = field(default_factory=lambda: CALM)
    list_weather: dict[str, int] = field(default_factory=lambda: CALM)
    lag_s: float = 0.0
    posts: list[Post] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    charges: list[dict[str, Any]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    pending: list[tuple[float, dict[str, str], str]] = field(default_factory=list)  # when what will land, and how

    # --- what the client calls

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
        fate = self._draw(self.weather)
        if fate == "unreachable":
            await asyncio.sleep(self.dice.random() * 0.1)
            return Answer(out=False, trouble="no connection")
        if not may_leave():
            return Answer(out=False, withheld=True)
        now_s = asyncio.get_running_loop().time()
        fields = dict(parse_qsl(intent.body, keep_blank_values=True))
        self.times.append(now_s)
        self.posts.append(
            Post(now_s, fields["metadata[batchpay_key]"], fields["metadata[order_id]"], intent.body, fate)
        )
        return await self._answered(fate, fields)

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        fate = self._draw(self.list_weather)
        if not may_leave():
            return Answer(out=False, withheld=True)
        self.times.append(asyncio.get_running_loop().time())
        if trouble := await self._list_trouble(fate):
            return trouble
        found = next((charge for charge in self.charges if charge["id"] == charge_id), None)
        if found is None:
            return Answer(out=True, status=404, document={"object": "error", "code": "not_found", "message": charge_id})
        return Answer(out=True, status=200, document=self._shown(found))

    async def page(self, since: str, offset: int, may_leave: Callable[[], bool]) -> Answer:
        fate = self._draw(self.list_weather)
        if not may_leave():
            return Answer(out=False, withheld=True)
        self.times.append(asyncio.get_running_loop().time())
        if trouble := await self._list_trouble(fate):
            return trouble
        self.land()
        now_s = asyncio.get_running_loop().time()
        visible = [c for c in self.charges if c["created_at"] >= since and c["_at_s"] + self.lag_s <= now_s]
        if fate == "shift" and visible:
            visible = [visible[-1], *visible[:-1]]
        data = [] if fate == "empty" else [self._shown(c) for c in visible[offset : offset + 100]]
        return Answer(out=True, status=200, document={"object": "list", "data": data, "total": len(visible)})

    async def aclose(self) -> None:
        pass

    # --- what becomes of a request

    async def _answered(self, fate: str, fields: dict[str, str]) -> Answer:
        loop = asyncio.get_running_loop()
        error = {"object": "error", "code": "bad_request", "message": "no"}
        if fate in ("429", "429 words"):
            await asyncio.sleep(0.02)
            return Answer(out=True, status=429, retry_after="2" if fate == "429" else "soon")
        if fate == "refused":
            await asyncio.sleep(0.02)
            return Answer(out=True, status=400, document=error)
        if fate in ("lost before", "503 before", "html", "408", "409", "redirect", "backend"):
            await asyncio.sleep(self.dice.random() * self.timeout_s)
            status = {"503 before": 503, "html": 502, "408": 408, "409": 409, "redirect": 302, "backend": 400}.get(fate)
            document = {**error, "code": "backend_error"} if fate == "backend" else None
            return Answer(out=True, status=status, document=document, trouble="reset")
        if fate == "late":
            self.pending.append((loop.time() + self.dice.random() * self.latest_s, fields, "successful"))
            await asyncio.sleep(self.dice.random() * self.timeout_s)
            return Answer(out=True, trouble="no answer")
        work_s = self.dice.random() * (self.timeout_s * 0.9 if fate == "slow" else 0.1)
        status_word = {"declined": "failed", "pending": "pending"}.get(fate, "successful")
        self.pending.append((loop.time() + work_s, fields, status_word))
        await asyncio.sleep(work_s + 0.001 + self.dice.random() * 0.05)
        self.land()
        charge = next(charge for charge in self.charges if charge["_fields"] is fields)
        if fate in ("lost after", "cut"):
            return Answer(out=True, trouble="the connection ended in the middle of the answer")
        if fate == "503 after":
            return Answer(out=True, status=503)
        return Answer(out=True, status=200, document=self._shown(charge))

    async def _list_trouble(self, fate: str) -> Answer | None:
        await asyncio.sleep(self.dice.random() * (self.timeout_s * 0.9 if fate == "slow" else 0.1))
        if fate == "500":
            return Answer(out=True, status=500)
        if fate == "429":
            return Answer(out=True, status=429, retry_after="1")
        if fate == "silent":
            await asyncio.sleep(self.timeout_s)
            return Answer(out=True, trouble="no answer")
        return None

    def land(self) -> None:
        """What was to land by now has landed, at its own time, also while the client's machine slept."""
        now_s = asyncio.get_running_loop().time()
        for due in sorted((due for due in self.pending if due[0] <= now_s), key=lambda due: due[0]):
            self.pending.remove(due)
            self._commit(due[1], due[2], due[0])

    def _draw(self, weather: dict[str, int]) -> str:
        self.land()
        fate = self.dice.choices(list(weather), list(weather.values()))[0]
        if fate != "ok":
            self.faults[fate] += 1
        return fate

    def _commit(self, fields: dict[str, str], status: str, now_s: float) -> None:
        number = len(self.charges) + 1
        paid = status == "successful"
        charge = {
            "object": "charge", "id": f"chrg_test_{number}", "livemode": False, "status": status, "paid": paid,
            "amount": int(fields["amount"]), "currency": fields["currency"].upper(),
            "destination": fields["destination"], "chain": f"acch_test_{number}" if paid else None,
            "created_at": datetime.fromtimestamp(START_NS / 1e9 + now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "failure_code": "insufficient_fund" if status == "failed" else None,
            "metadata": {k[9:-1]: v for k, v in fields.items() if k.startswith("metadata[")}, "_at_s": now_s,
            "_fields": fields,
        }  # fmt: skip
        self.charges.append(charge)

    def _shown(self, charge: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in charge.items() if not name.startswith("_")}
