"""The judge's own reading of the journal: what each attempt's events add up to, written from the
pages that people read, not from the code.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.evidence import Event, Evidence, form

KEY_NAMESPACE = uuid.UUID("5d0b4d9e-5a0c-5d6f-9f0e-6d2b2a1f7c31")
ATTEMPTS = 20
BEGINS = ("intent", "adopted")
# proven to have taken no money
CLOSED = frozenset({"declined", "expired", "reversed", "refused", "withdrawn"})
MONEY = frozenset({"succeeded", "unproven"})
STATUS = {
    "failed": "declined",
    "expired": "expired",
    "reversed": "reversed",
    "pending": "pending",
}
NEXT = {
    "pending": {"succeeded", "unproven", "declined", "expired", "reversed"},
    "unproven": {"succeeded", "reversed"},
    "succeeded": {"reversed"},
    "declined": set(),
    "expired": set(),
    "reversed": set(),
    "refused": set(),
}
# What an answer's verdict proves: that nothing was charged by this request, or nothing at all.
NOTHING_CHARGED = frozenset({"not_sent", "throttled", "key_refused", "not_here"})


def key_of(job: str, order_id: str, attempt: int) -> str:
    """UUIDv5 of job name, order id and attempt number (docs/gateway.md, 2.1)."""
    return str(
        uuid.uuid5(
            KEY_NAMESPACE, json.dumps([job, order_id, attempt], ensure_ascii=False)
        )
    )


@dataclass
class Send:
    """One intent and what became of it."""

    event: Event
    end: str = (
        # voided, clear (proven not charged), closed by absence, evidence; empty: nobody knows
        ""
    )
    # CLOCK_BOOTTIME of the commit, or of the first byte when the answer says so
    left_s: float = 0.0
    # earlier sends that nobody had settled when this one was intended
    unanswered: tuple[int, ...] = ()


@dataclass
class Attempt:
    """One key, one body, some sends."""

    order_id: str
    number: int
    asked: dict[str, Any] = field(default_factory=dict)
    adopted: bool = False
    sends: list[Send] = field(default_factory=list)
    # after which send, CLOCK_BOOTTIME
    absents: list[tuple[int, float]] = field(default_factory=list)
    charge: dict[str, Any] = field(default_factory=dict)
    flawed: bool = False
    reread: bool = False
    refused: bool = False
    spent: bool = False
    twins: set[str] = field(default_factory=set)
    settled: bool = False  # a person said that there is no charge
    withdrawn: bool = False  # never charged, and never to be sent again
    # the outcome after each event
    path: list[tuple[Event, str]] = field(default_factory=list)
    row: tuple[str, str, int] = ("", "", 0)  # batch, sheet, row

    @property
    def outcome(self) -> str:
        """Where it stands (README.md, "Where a row ends")."""
        if self.charge or self.flawed:
            return self._charged()
        if any(send.end == "" for send in self.sends):
            return "in_doubt"
        if self.refused:
            return "refused"
        return "withdrawn" if self.withdrawn else "held"

    def _charged(self) -> str:
        if self.flawed:
            return "unproven"
        if self.charge.get("status") != "successful":
            return STATUS.get(str(self.charge.get("status")), "pending")
        if self.charge.get("chain"):
            return "succeeded"
        return "unproven" if self.reread else "pending"

    def take(self, event: Event) -> None:
        """One more event."""
        getattr(self, f"_{event.kind}")(event)
        self.path.append((event, self.outcome))

    def _intent(self, event: Event) -> None:
        if not self.sends:
            self.asked = event.data["intent"]
            self.row = (event.batch_id, event.sheet, event.row)
        unanswered = tuple(send.event.send for send in self.sends if send.end == "")
        self.sends.append(
            Send(event, left_s=float(event.data["boot_s"]), unanswered=unanswered)
        )

    def _end(self, number: int, how: str) -> None:
        for send in self.sends:
            if send.event.send == number:
                send.end = how

    def _withdrawn(self, event: Event) -> None:
        self.withdrawn = True

    def _missing(self, event: Event) -> None:
        """The gateway no longer knows it: its state is not changed by that."""

    def _untold(self, event: Event) -> None:
        """A charge that was not shown: its state is not changed by that."""

    def _unclear(self, event: Event) -> None:
        """A charge that nothing tells apart: its state is not changed by that."""

    def _disbelieved(self, event: Event) -> None:
        """A 429 that is believed no more: the send is in doubt."""
        self._end(event.send, "")

    def _voided(self, event: Event) -> None:
        self._end(event.send, "voided")

    def _answer(self, event: Event) -> None:
        verdict = event.data["verdict"]
        if verdict in ("charge", "unproven"):
            self._seen(event)
        elif verdict in NOTHING_CHARGED:
            self._end(event.send, "clear")
        elif verdict == "refused":
            self._end(event.send, "clear")
            self.refused = True
        else:
            self.spent = self.spent or bool(event.data.get("spent"))
            for send in self.sends:
                if (
                    send.event.send == event.send
                    and event.data.get("left_s") is not None
                ):
                    send.left_s = max(send.left_s, float(event.data["left_s"]))

    def _absent(self, event: Event) -> None:
        self.absents.append((event.send, float(event.data["boot_s"])))
        if event.data.get("closes") and not self.spent:
            for send in self.sends:
                send.end = send.end or "absent"

    def _adopted(self, event: Event) -> None:
        self.adopted = True
        self.asked = event.data["intent"]
        self.row = (event.batch_id, event.sheet, event.row)
        self._seen(event)

    def _found(self, event: Event) -> None:
        self._seen(event)
        self.reread = self.reread or bool(event.data.get("reread"))

    def _resolved(self, event: Event) -> None:
        """A person's word: that a charge is this one's, or that there is none. That a person takes
        a thing as it is changes nothing.
        """
        if event.data.get("charge"):
            self._seen(event)
        elif event.data.get("as") != "accepted":
            for send in self.sends:
                send.end = "clear"
            self.settled = self.refused = True
            self.charge, self.flawed = {}, False

    def _seen(self, event: Event) -> None:
        charge = event.data.get("charge") or {}
        for send in self.sends:
            send.end = send.end or "evidence"
        self.refused = False
        if charge.get("metadata", {}).get("batchpay_key") == self.asked["key"]:
            self.twins.add(str(charge["id"]))
        if (
            self.charge
            and not self.flawed
            and charge
            and charge["id"] != self.charge["id"]
        ):
            return
        flawed = bool(event.data.get("flaws")) or bool(flaws(charge, self.asked))
        if flawed and ended(charge) and is_of(charge, self.asked):
            # where nothing was taken, nothing is to be proven of a split
            flawed = False
        if self.flawed and self.charge and charge.get("id") == self.charge["id"]:
            # the gateway contradicts itself about this charge: what it says once is not enough
            flawed = flawed or not (ended(self.charge) and ended(charge))
        self.charge, self.flawed = charge or self.charge, flawed


def ended(charge: Mapping[str, Any]) -> bool:
    """Does the gateway say that it took nothing, and never will?"""
    return charge.get("status") in ("failed", "expired", "reversed") and not charge.get(
        "paid"
    )


def is_of(charge: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Does it carry the key of what was asked, in the mode of its id?"""
    is_live = not str(charge.get("id", "")).startswith("chrg_test_")
    named = charge.get("metadata", {}).get("batchpay_key")
    return bool(named == asked["key"] and charge.get("livemode", False) is is_live)


def flaws(charge: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """How a charge differs from the request body we sent (law L7)."""
    body = form(asked["body"]) if asked.get("body") else {}
    pairs = (
        ("amount", body.get("amount", str(asked["amount"])), str(charge.get("amount"))),
        (
            "currency",
            body.get("currency", asked["currency"]),
            str(charge.get("currency", "")).lower(),
        ),
        (
            "destination",
            body.get("destination", asked["destination"]),
            charge.get("destination"),
        ),
        (
            "key",
            body.get("metadata[batchpay_key]", asked["key"]),
            charge.get("metadata", {}).get("batchpay_key"),
        ),
        (
            "livemode",
            not str(charge.get("id", "")).startswith("chrg_test_"),
            charge.get("livemode", False),
        ),
    )
    return [
        f"{name}: asked {wanted}, got {got}"
        for name, wanted, got in pairs
        if wanted != got
    ]


def attempts(evidence: Evidence) -> dict[str, list[Attempt]]:
    """Order id -> its attempts, first to last."""
    found: dict[str, dict[int, Attempt]] = {}
    for event in of_orders(evidence):
        orders = found.setdefault(event.order_id, {})
        if event.attempt in orders or event.kind in BEGINS:
            orders.setdefault(
                event.attempt, Attempt(event.order_id, event.attempt)
            ).take(event)
    found = {order_id: some for order_id, some in found.items() if some}
    return {
        order_id: [some[n] for n in sorted(some)] for order_id, some in found.items()
    }


def orphans(evidence: Evidence) -> list[Event]:
    """Events of attempts that had not begun."""
    begun: set[tuple[str, int]] = set()
    lost = []
    for event in of_orders(evidence):
        if event.kind in BEGINS:
            begun.add((event.order_id, event.attempt))
        elif (event.order_id, event.attempt) not in begun:
            lost.append(event)
    return lost


def of_orders(evidence: Evidence) -> Iterable[Event]:
    """The events that are about one order of this job."""
    kinds = (
        "intent",
        "voided",
        "answer",
        "found",
        "absent",
        "adopted",
        "resolved",
        "withdrawn",
        "missing",
        "unclear",
        "untold",
        "disbelieved",
    )
    return (
        event
        for event in evidence.events
        if event.job == evidence.name and event.kind in kinds
    )
