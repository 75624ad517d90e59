"""What becomes of the recipients' shares: each charge that was split has a transfer, which is sent,
paid, fails, is taken back, or is not the share at all. With them come the account's events, which
name charges, too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
ENDS = ("paid", "paid", "paid", "failed", "failed, then paid", "deleted", "never sent")
WAITS_S = (5.0, 100.0, 50_000.0, 200_000.0)  # from one station to the next


@dataclass
class Shares:
    """The transfers of one account, as it tells of them; `moved` is what a judge holds it to."""

    dice: random.Random
    later: Callable[[float, Callable[[float], Any]], None]  # Ledger.later
    iso: Callable[[float], str]
    transfers: dict[str, Document] = field(default_factory=dict)  # by id
    of_chain: dict[str, str] = field(default_factory=dict)  # chain -> transfer
    # when, where it stood
    moved: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    # transfers of something else than the share
    others: set[str] = field(default_factory=set)
    events: list[Document] = field(default_factory=list)

    def begin(self, charge: Document, chain: str, at_s: float) -> None:
        """A charge was split."""
        if chain in self.of_chain:
            return
        name = f"trsf_test_{len(self.transfers) + 1}"
        share = charge["amount"] - (charge["platform_fee"]["amount"] or 0)
        if self.dice.random() < 0.1:
            self.others.add(name)
            share += self.dice.choice([-1, 1])
        self.of_chain[chain] = name
        self.transfers[name] = {
            "object": "transfer",
            "id": name,
            "recipient": charge["destination"],
            "amount": share,
            "currency": charge["currency"],
            "created_at": self.iso(at_s),
            "sent": False,
            "paid": False,
            "deleted": False,
        }
        self.moved[name] = [(at_s, "created")]
        self._plan(name, self.dice.choice(ENDS), at_s)

    def _plan(self, name: str, end: str, at_s: float) -> None:
        stations = {
            "paid": ("sent", "paid"),
            "failed": ("sent", "failed"),
            "failed, then paid": ("sent", "failed", "paid"),
            "deleted": ("deleted",),
            "never sent": (),
        }
        for station in stations[end]:
            at_s += self.dice.choice(WAITS_S)
            self.later(at_s, lambda at, station=station: self._move(name, station, at))

    def _move(self, name: str, station: str, at_s: float) -> None:
        transfer = self.transfers[name]
        if station == "failed":
            transfer.update(
                failure_code="bank_closed", failure_message="account closed"
            )
        elif station == "deleted":
            transfer["deleted"] = True
        else:
            transfer[station] = True
            transfer[f"{station}_at"] = self.iso(at_s)
        self.moved[name].append((at_s, station))
        self.happened(f"transfer.{station}", {"id": name}, at_s)

    def happened(self, key: str, data: Document, at_s: float) -> None:
        """One more event of the account: to a transfer, or to a charge."""
        event = {
            "object": "event",
            "id": f"evnt_test_{len(self.events)}",
            "key": key,
            "created_at": self.iso(at_s),
            "data": data,
        }
        self.events.append(event)

    # --- what the account tells

    def answer(self, path: str, query: Any) -> tuple[int, Any] | None:
        """What a GET of it finds; None: that is none of ours."""
        match path.strip("/").split("/"):
            case ["chains", chain, "transfer"]:
                return self._one(self.of_chain.get(chain, ""))
            case ["transfers", name]:
                return self._one(name)
            case ["chains"]:
                links = (
                    {
                        "object": "chain",
                        "id": chain,
                        "transfer": name,
                        **self._born(name),
                    }
                    for chain, name in self.of_chain.items()
                )
                return _page(list(links), query)
            case ["transfers"]:
                return _page(list(self.transfers.values()), query)
            case ["events"]:
                return _page(self.events, query)
            case ["refunds"]:
                return _page([], query)
        return None

    def _born(self, name: str) -> Document:
        return {"created_at": self.transfers[name]["created_at"]}

    def _one(self, name: str) -> tuple[int, Any]:
        if name in self.transfers:
            return 200, dict(self.transfers[name])
        return 404, {"object": "error", "code": "not_found", "message": "not found"}


def _page(things: list[Document], query: Any) -> tuple[int, Document]:
    since = str(query.get("from", ""))
    there = [thing for thing in things if thing["created_at"] >= since]
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
    shown = [dict(thing) for thing in there[offset : offset + limit]]
    return 200, {"object": "list", "data": shown, "total": len(there), "limit": limit}
