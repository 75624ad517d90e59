"""The line of one process to the gateway: there and back, with all that can go wrong on it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from batchpay.domain.model import Answer, Intent
from tests.fakes import START_NS
from tests.simulation.ledger import Ledger, Request, error
from tests.simulation.weather import BEHIND

if TYPE_CHECKING:
    from tests.simulation.process import Process

RETRY_AFTER = ("", "1", "3", "0", "-1", "1e9", "soon", "Thu, 01 Jan 1970 00:00:00 GMT")


class Door:
    """The line under the Gateway port, for one process; each `step` is a point where it may die."""

    def __init__(self, process: Process, ledger: Ledger) -> None:
        self._process, self._ledger = process, ledger
        self._dice = process.world.dice
        self._timeout_s = process.world.settings.timeout_s

    async def charge(self, intent: Intent, may_leave: Callable[[], bool]) -> Answer:
        """POST /charges."""
        deadline_s = self._now() + self._timeout_s
        fate = self._process.world.weather.post()
        self._process.step()
        if fate == "unreachable":
            await self._sleep(0.01)
            return Answer(out=False, trouble="no connection")
        if fate == "stalled":
            await self._sleep(self._dice.uniform(0, self._timeout_s))
        self._process.step()
        if fate == "frozen":
            self._process.world.freeze(
                self._dice.choice([0.5, 2.0, 10.0, 3600.0, 200_000.0])
            )
        if not may_leave():
            return Answer(out=False, withheld=True, trouble="kept back")
        granted_s = self._now()
        # between the last look at the clock and the byte: short of the doubt period's slack
        if fate == "frozen late":
            self._process.world.freeze(self._dice.uniform(0, 10))
        self._process.step()
        request = self._log("POST", intent)
        request.at_s = granted_s
        fields = dict(parse_qsl(intent.body, keep_blank_values=True))
        answer = await self._carried_out(request, fields, fate, deadline_s)
        self._process.step()
        return self._told(request, answer)

    async def _carried_out(
        self, request: Request, fields: dict[str, str], fate: str, deadline_s: float
    ) -> Answer:
        """What the gateway does with the request, whether or not anybody waits for the answer."""
        request.fate, world, ledger = fate, self._process.world, self._ledger
        kind, _, when = (
            fate.rpartition(" ")
            if fate.endswith((" before", " after", " late"))
            else (fate, "", "")
        )
        work_s = self._dice.uniform(0.01, 0.3)
        if kind == "slow":
            work_s = self._dice.uniform(0, self._timeout_s * 1.2)
        if when == "late":
            work_s = self._dice.uniform(0, world.longest_landing_s)
        behind = fate if fate in BEHIND else ""
        never = when == "before" or kind in (
            "429",
            "401",
            "403",
            "405",
            "404 html",
            "404 recipient",
            "silent",
        )
        result: list[tuple[int, dict[str, Any]]] = []
        if not never or behind:
            twin = fate == "lie twin"
            ledger.later(
                self._now() + work_s,
                lambda at_s: result.append(
                    ledger.land(fields, at_s, twin=twin, behind=behind)
                ),
            )
        if kind == "silent":
            work_s = 1e9
        wait_s = (
            0.05
            if when == "late" and kind == "lost"
            else work_s + (self._dice.random() if kind == "slow" else 0)
        )
        if when == "late":
            wait_s = self._dice.uniform(0, self._timeout_s)
        if self._now() + wait_s > deadline_s:
            await self._sleep(deadline_s - self._now())
            return Answer(out=True, trouble="no complete answer in time")
        await self._sleep(wait_s)
        ledger.advance()
        status, document = result[0] if result else (500, {})
        return self._answer(kind, status, dict(document), fields)

    def _answer(
        self, kind: str, status: int, document: dict[str, Any], fields: dict[str, str]
    ) -> Answer:
        if kind.startswith("lie ") and status == 200:
            return self._made(200, self._lie(kind.removeprefix("lie "), document))
        match kind:
            case "400":
                return self._made(400, error("invalid_card", "brand not supported"))
            case "lost":
                return Answer(out=True, trouble="connection reset")
            case "500" | "502" | "503":
                return self._made(
                    int(kind), self._dice.choice([None, error("internal_error")])
                )
            case "408" | "409" | "499":
                return self._made(int(kind), error("request_in_progress"))
            case "backend":
                return self._made(400, error("backend_error"))
            case "429":
                return self._made(
                    429,
                    error("too_many_requests"),
                    retry_after=self._dice.choice(RETRY_AFTER),
                )
            case "401" | "403":
                return self._made(int(kind), error("authentication_failure"))
            case "405":
                return self._made(405, None)
            case "404 html":
                return self._made(404, None)
            case "404 recipient":
                return self._made(
                    404,
                    error(
                        "not_found", f"recipient {fields['destination']} was not found"
                    ),
                )
            case "302":
                return self._made(302, None)
            case "html":
                return self._made(200, None)
            case "html 400":
                return self._made(400, None)
            case "error in success":
                return self._made(200, error("internal_error"))
        return self._made(status, document)

    def _lie(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        if kind == "swapped":
            others = [c for c in self._ledger.charges if c["id"] != document["id"]]
            return dict(self._dice.choice(others)) if others else document
        change: dict[str, dict[str, Any]] = {
            "amount": {"amount": document["amount"] + 1},
            "currency": {"currency": "USD"},
            "destination": {"destination": "recp_test_77"},
            "no destination": {"destination": None},
            "key": {"metadata": {**document["metadata"], "batchpay_key": "another"}},
            "livemode": {"livemode": True},
            "id": {"id": document["id"].replace("_test", "")},
            "null status": {"status": None},
            "empty currency": {"currency": ""},
        }
        if (
            document["status"] == "successful" and document["platform_fee"]["amount"]
        ):  # before, it need not say
            change["no fee"] = {
                "platform_fee": {"fixed": None, "amount": None, "percentage": None}
            }
        if kind == "stolen id":
            others = [
                c["id"]
                for c in self._ledger.of_job(document["metadata"]["batchpay_job"])
                if c["id"] != document["id"]
            ]
            if others:
                return {**document, "id": self._dice.choice(others)}
            kind = "amount"
        if kind == "no fee" and kind not in change:
            kind = "amount"
        return {**document, **change.get(kind, {})}

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        """GET /charges/:id."""

        def shown() -> tuple[int, Any]:
            charge = self._ledger.one(charge_id)
            return (200, charge) if charge else (404, error("not_found"))

        return await self._look("GET", may_leave, shown)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        """GET /charges: one page."""
        return await self._look(
            "LIST", may_leave, lambda: (200, self._ledger.page(since, offset, limit))
        )

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer:
        """GET /charges: the youngest."""
        return await self._look(
            "LIST", may_leave, lambda: (200, self._ledger.newest(since))
        )

    async def read(
        self, path: str, query: Any, may_leave: Callable[[], bool]
    ) -> Answer:
        """GET /account, a recipient, or what became of shares."""
        world = self._process.world

        def shown() -> tuple[int, Any]:
            is_live = self._process.mode == "live"
            if path == "/account" and world.account_told:
                is_first = self._ledger is world.ledger or is_live
                return 200, {
                    "object": "account",
                    "id": f"account_test_{'first' if is_first else 'other'}",
                    "livemode": is_live,
                    "currency": "THB",
                }
            if path.startswith("/recipients/"):
                recipient = path.removeprefix("/recipients/")
                return 200, {
                    "object": "recipient",
                    "id": recipient,
                    "verified": True,
                    "active": True,
                }
            self._ledger.advance()
            shares = self._ledger.shares
            told = shares.answer(path, query) if shares is not None else None
            return told or (404, None)

        return await self._look("READ", may_leave, shown)

    async def _look(
        self,
        what: str,
        may_leave: Callable[[], bool],
        shown: Callable[[], tuple[int, Any]],
    ) -> Answer:
        fate = self._process.world.weather.look()
        self._process.step()
        if fate == "unreachable":
            await self._sleep(0.01)
            return Answer(out=False, trouble="no connection")
        if not may_leave():
            return Answer(out=False, withheld=True)
        request = self._log(what)
        request.fate = fate
        if fate == "silent":
            await self._sleep(self._timeout_s)
            return Answer(out=True, trouble="no complete answer in time")
        await self._sleep(
            self._dice.uniform(1, self._timeout_s)
            if fate == "slow"
            else self._dice.uniform(0.01, 0.2)
        )
        status, document = shown()
        self._process.step()
        match fate:
            case "lost":
                return Answer(out=True, trouble="connection reset")
            case "500" | "503" | "429":
                return self._told(
                    request,
                    self._made(
                        int(fate), None, retry_after=self._dice.choice(RETRY_AFTER)
                    ),
                )
            case "html":
                return self._told(request, self._made(200, None))
            case "empty" | "short" | "shifted" if what == "LIST":
                data = document["data"]
                document["data"] = {
                    "empty": [],
                    "short": data[:-1],
                    "shifted": data[1:],
                }[fate]
        return self._told(request, self._made(status, document))

    async def aclose(self) -> None:
        """Drop every connection."""

    # --- helpers

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
        if not self._process.alive:
            self._process.step()

    def _log(self, what: str, intent: Intent | None = None) -> Request:
        process = self._process
        request = Request(
            process.world.tick(),
            self._now(),
            what,
            process.run_id,
            process.machine.name,
        )
        if intent is not None:
            request.key, request.order_id = intent.key, intent.order_id
            request.body, request.sha256 = (
                intent.body,
                hashlib.sha256(intent.body.encode()).hexdigest(),
            )
        request.boot_s, request.wall_ns = (
            process.machine.elapsed_s(),
            process.machine.now_ns(),
        )
        return self._ledger.log(request)

    def _told(self, request: Request, answer: Answer) -> Answer:
        request.told, request.told_at_s = answer.status, self._now()
        request.told_tick = self._process.world.tick()
        return answer

    def _made(self, status: int, document: Any, retry_after: str = "") -> Answer:
        date = ""
        if self._process.world.dated:
            date = format_datetime(
                datetime.fromtimestamp(int(START_NS / 1e9 + self._now()), UTC),
                usegmt=True,
            )
        return Answer(
            out=True, status=status, said=document, retry_after=retry_after, date=date
        )
