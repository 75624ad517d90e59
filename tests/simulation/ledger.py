"""The gateway's truth: every request that reached it, every charge it made, and when its lists show
one.

It ignores idempotency keys. Its clock goes on while a process, or its whole machine, sleeps.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.fakes import START_NS
from tests.simulation.shares import Shares

Document = dict[str, Any]
PAGE = 4  # charges on a page: small, so that lists have many pages
MONEY = ("successful", "pending")


@dataclass
class Request:
    """One request as the gateway's log has it."""

    tick: int
    at_s: float  # when the program let its first byte go
    what: str  # POST, GET or LIST
    run_id: str
    machine: str
    key: str = ""
    order_id: str = ""
    sha256: str = ""
    body: str = ""
    boot_s: float = 0.0  # the machine's own clocks
    wall_ns: int = 0
    fate: str = ""
    told: int | None = None  # the status that a living process read
    told_at_s: float = 0.0
    told_tick: int = 0
    # what had taken money for the order, or might, when this arrived
    taken_before: list[Document] = field(default_factory=list)
    complete_list: bool = False


@dataclass
class Ledger:
    """One account at the gateway."""

    now: Callable[[], float]
    tick: Callable[[], int]
    dice: random.Random
    longest_lag_s: float = 0.0
    longest_hidden_s: float = 0.0  # of a charge that no answer told of
    behind_dice: random.Random = field(default_factory=random.Random)
    # order -> what its first attempt meets
    payers: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    charges: list[Document] = field(default_factory=list)
    # keys that the gateway itself charged twice
    twins: set[str] = field(default_factory=set)
    hidden_in_total: bool = False  # does a list count what it does not show yet?
    copy_at_s: float | None = None  # lists show the account as it was then
    _due: list[tuple[float, int, Callable[[float], Any]]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)
    _behaviour: dict[str, str] = field(default_factory=dict)  # by key
    _spent: dict[str, str] = field(default_factory=dict)  # one-time token -> charge
    shares: Shares | None = None  # None: it tells of no transfer

    # --- time

    def advance(self) -> None:
        """Let everything happen that was due until now, each at its own time."""
        while self._due and self._due[0][0] <= self.now():
            at_s, _, act = heapq.heappop(self._due)
            act(at_s)

    def later(self, at_s: float, act: Callable[[float], Any]) -> None:
        """Something happens at the gateway at a time of its own."""
        heapq.heappush(self._due, (at_s, next(self._numbers), act))

    def settle_down(self) -> float:
        """When the last thing that is under way will have happened."""
        return max([at_s for at_s, _, _ in self._due], default=self.now())

    # --- requests

    def log(self, request: Request) -> Request:
        """A request reaches the gateway."""
        self.advance()
        if request.order_id:
            request.taken_before = self.taken_by(request.order_id)
        self.requests.append(request)
        return request

    def taken_by(self, order_id: str) -> list[Document]:
        """The charges of this order that took money, or may."""
        of_order = (
            c for c in self.charges if c["metadata"].get("order_id") == order_id
        )
        return [c for c in of_order if c["status"] in MONEY and not c.get("_behind")]

    def land(
        self,
        fields: dict[str, str],
        at_s: float,
        *,
        twin: bool = False,
        behind: str = "",
    ) -> tuple[int, Document]:
        """Carry a request out: a charge, or an error object. `behind`: nobody is told of it, but
        this answer.
        """
        key, order_id = fields["metadata[batchpay_key]"], fields["metadata[order_id]"]
        token = fields.get("card", "")
        if token in self._spent:
            return 400, error("used_token", f"token {token} has already been used")
        behaviour = self._behaviour.setdefault(key, self.payers.pop(order_id, "ok"))
        if behaviour == "refused":
            return 400, error("invalid_card", "brand not supported")
        charge = self._charge(fields, at_s, behaviour)
        if behind:
            self._put_behind(charge, at_s, behind)
        if token.startswith("tokn_"):
            self._spent[token] = charge["id"]
        if twin:
            self.twins.add(key)
            self._charge(fields, at_s, behaviour)
        return 200, charge

    def _charge(self, fields: dict[str, str], at_s: float, behaviour: str) -> Document:
        number = len(self.charges) + 1
        waits = behaviour.startswith(("pending", "expired")) or behaviour == "forgotten"
        status = (
            "failed"
            if behaviour.startswith("declined")
            else "pending"
            if waits
            else "successful"
        )
        charge: Document = {
            "object": "charge",
            "id": f"chrg_test_{number}",
            "livemode": False,
            "status": status,
            "paid": status == "successful",
            "amount": int(fields["amount"]),
            "currency": fields["currency"].upper(),
            "destination": fields["destination"],
            "created_at": iso(at_s),
            "chain": None,
            "metadata": {
                k[9:-1]: v for k, v in fields.items() if k.startswith("metadata[")
            },
            "failure_code": "insufficient_fund" if status == "failed" else None,
            "customer": fields.get("customer"),
            "platform_fee": commission(fields),
            "funding_amount": int(fields["amount"]),
            "funding_currency": "THB",
            "_at_s": at_s,
            "_visible_s": at_s + self.dice.uniform(0, self.longest_lag_s),
        }
        if behaviour == "unlisted":
            charge["_visible_s"] = float("inf")
        self.charges.append(charge)
        if behaviour in ("declined then paid", "expired then paid"):
            self.later(
                at_s + self.dice.choice([2.0, 100.0, 4000.0, 200_000.0]),
                lambda at: self._comes_alive(charge, at),
            )
        if behaviour == "forgotten":
            self.later(
                at_s + self.dice.choice([1.0, 100.0]),
                lambda at: charge.update(status="forgotten"),
            )
        self._tell("charge.create", charge, at_s)
        if status == "successful":
            self._chain(charge, at_s, behaviour)
        elif status == "pending" and behaviour != "forgotten":
            self.later(
                at_s + self.dice.choice([1.0, 20.0, 400.0]),
                lambda at: self._decide(charge, at, behaviour),
            )
        return charge

    def _put_behind(self, charge: Document, at_s: float, answer: str) -> None:
        """No answer tells of it; lists hide it for a while, and it may lose its metadata. What was
        refused goes again on another night: behind that it may be hidden for one (where lists do
        not count it: else none of them would be complete before).
        """
        charge["_behind"] = charge["metadata"]
        hidden_s = [0.0, 1.0, self.longest_hidden_s]
        if not (answer.startswith("429") or self.hidden_in_total):
            hidden_s += [3600.0, 90_000.0]
        if charge["_visible_s"] != float("inf"):
            charge["_visible_s"] = at_s + self.behind_dice.choice(hidden_s)
        if self.behind_dice.random() < 0.5:
            charge["metadata"] = {}

    def _chain(self, charge: Document, at_s: float, behaviour: str) -> None:
        def appear(_: float) -> None:
            charge["chain"] = f"acch_test_{charge['id']}"
            if self.shares is not None:
                self.shares.begin(charge, charge["chain"], at_s)

        if behaviour == "late chain":
            self.later(at_s + self.dice.uniform(0.1, 4.5), appear)
        elif behaviour != "no chain":
            appear(at_s)
        if behaviour == "reversed":
            self.later(at_s + 500, lambda at: self._is_reversed(charge, at))

    def _is_reversed(self, charge: Document, at_s: float) -> None:
        charge.update(status="reversed", paid=False)
        self._tell("charge.reverse", charge, at_s)

    def _comes_alive(self, charge: Document, at_s: float) -> None:
        """A charge that had ended without money becomes successful."""
        charge.update(status="successful", paid=True, failure_code=None, _changed=at_s)
        self._chain(charge, at_s, "ok")
        self._tell("charge.complete", charge, at_s)

    def turn(self, charge: Document, at_s: float) -> None:
        """One that ended is otherwise from now on."""
        if charge["status"] == "successful":
            self._is_reversed(charge, at_s)
        else:
            self._comes_alive(charge, at_s)

    def _tell(self, key: str, charge: Document, at_s: float) -> None:
        """An event, as the charge is now."""
        if self.shares is not None:
            shown = {"id": charge["id"], "status": charge["status"]}
            self.shares.happened(key, {"object": "charge", **shown}, at_s)

    def _decide(self, charge: Document, at_s: float, behaviour: str) -> None:
        if charge["status"] != "pending":
            return
        ends = {
            "pending failed": "failed",
            "pending expired": "expired",
            "expired then paid": "expired",
        }
        status = ends.get(behaviour, "successful")
        charge.update(status=status, paid=status == "successful")
        if status == "successful":
            self._chain(charge, at_s, behaviour)
        key = "charge.expire" if status == "expired" else "charge.complete"
        self._tell(key, charge, at_s)

    def neighbour(self, at_s: float) -> None:
        """A charge of somebody else's on the same account."""
        fields = {
            "amount": "777",
            "currency": "thb",
            "customer": "cust_test_next",
            "destination": "recp_test_9",
            "metadata[shop]": "next door",
        }
        self._charge(fields, at_s, "ok")

    # --- what it shows

    def newest(self, since: str) -> Document:
        """A page of the youngest charge of the list."""
        shown, total = self._shown(since)
        return {"object": "list", "data": [dict(c) for c in shown[-1:]], "total": total}

    def page(self, since: str, offset: int, limit: int = PAGE) -> Document:
        """One page of the list, oldest first."""
        shown, total = self._shown(since)
        size = min(PAGE, limit)
        return {
            "object": "list",
            "data": [dict(c) for c in shown[offset : offset + size]],
            "total": total,
        }

    def _shown(self, since: str) -> tuple[list[Document], int]:
        """What the list shows from then on, oldest first, and how many there are by its count."""
        self.advance()
        as_of_s = self.now() if self.copy_at_s is None else self.copy_at_s
        there = (
            c
            for c in self.charges
            if c["status"] != "forgotten" and c["_at_s"] <= as_of_s
        )
        matching = [
            c
            for c in there
            if c["created_at"] >= since and c["_visible_s"] != float("inf")
        ]
        shown = sorted(
            (c for c in matching if c["_visible_s"] <= as_of_s),
            key=lambda c: (c["created_at"], c["id"]),
        )
        return shown, len(matching) if self.hidden_in_total else len(shown)

    def one(self, charge_id: str) -> Document | None:
        """A charge by its id."""
        self.advance()
        found = (
            dict(c)
            for c in self.charges
            if c["id"] == charge_id and c["status"] != "forgotten"
        )
        return next(found, None)

    def of_job(self, job: str) -> list[Document]:
        """Every charge with this job's name."""
        return [c for c in self.charges if c["metadata"].get("batchpay_job") == job]


def commission(fields: dict[str, str]) -> Document:
    """What the platform gets, as the gateway understood it."""
    fixed, percentage = (
        fields.get("platform_fee[fixed]"),
        fields.get("platform_fee[percentage]"),
    )
    exact = Decimal(fixed or 0) + int(fields["amount"]) * Decimal(percentage or 0) / 100
    asked = fixed is not None or percentage is not None
    amount = int(exact.to_integral_value(ROUND_HALF_UP)) if asked else None
    return {
        "fixed": int(fixed) if fixed else None,
        "percentage": percentage,
        "amount": amount,
    }


def error(code: str, message: str = "") -> Document:
    """The gateway's error object."""
    return {"object": "error", "code": code, "message": message or code}


def iso(at_s: float) -> str:
    """The gateway's time stamp."""
    return datetime.fromtimestamp(int(START_NS / 1e9 + at_s), UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
