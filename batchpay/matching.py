"""MATCH: this job's journal and the gateway's own ledger, held against each other both ways.

Charges are matched by their key, credits by the charge they come from, transfers by recipient and amount, of which as
many must be there as were earned: a transfer does not say which charge it belongs to (omise-api.md, 7.1 and 7.9).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchpay.lifecycle import Attempt, flaws_of, outcome_of, seen
from batchpay.listing import is_instant
from batchpay.model import ChargeSeen, Outcome

Thing = Mapping[str, Any]
"""One object of the gateway, as it shows it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that one side has and the other has not, or has otherwise."""

    kind: str  # stable, for programs
    order_id: str
    charge_id: str
    told: str
    refund_minor: int = 0  # what a person should give back, if anything
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Timeless:
    """A charge of the journal that the gateway gives no time for."""

    order_id: str
    charge_id: str
    amount: int  # smallest unit
    currency: str
    outcome: str


@dataclass(slots=True)
class Match:
    """What an audit found."""

    ours: Counter[str] = field(default_factory=Counter)  # currency -> what the journal says was charged
    theirs: Counter[str] = field(default_factory=Counter)  # currency -> what the gateway says was charged
    matched: int = 0  # charges that are the same on both sides
    others: int = 0  # charges of the account that are not this job's
    differences: list[Difference] = field(default_factory=list)
    without_time: list[Timeless] = field(default_factory=list)  # ours, in no list, and of a day that nobody tells
    notes: list[str] = field(default_factory=list)

    def add(self, found: Iterable[Difference]) -> None:
        """More differences."""
        self.differences.extend(found)


def match_charges(job: str, attempts: Sequence[Attempt], charges: Sequence[Thing], *, live: bool) -> Match:
    """Both ways over the charges of one period: `attempts` are those whose charge was made in it, or may have been.

    What tells no time and is not in the list may be of another day: it is told apart, and counts on no side (J36).
    """
    match = Match()
    by_key = {attempt.intent.key: attempt for attempt in attempts}
    of_orders: dict[str, list[ChargeSeen]] = defaultdict(list)
    found: set[str] = set()
    for document in charges:
        charge, _ = seen(document)
        if charge is None or charge.metadata.get("batchpay_job") != job:
            match.others += 1
            continue
        found.add(charge.id)
        of_orders[charge.metadata.get("order_id", "")].append(charge)
        if outcome_of(charge) is Outcome.SUCCEEDED:
            match.theirs[charge.currency.upper()] += charge.amount
        differences = list(_of_charge(charge, document, by_key.get(charge.metadata.get("batchpay_key", "")), live))
        match.matched += not differences
        match.add(differences)
    for attempt in attempts:
        if (timeless := _timeless(attempt, found)) is not None:
            match.without_time.append(timeless)
            continue
        match.add(_of_attempt(attempt, found))
        if attempt.charge is not None and attempt.outcome in (Outcome.SUCCEEDED, Outcome.UNPROVEN):
            match.ours[attempt.charge.currency.upper()] += attempt.charge.amount
    reported = {attempt.charge.id for attempt in attempts if attempt.charge is not None}
    for order_id, some in of_orders.items():
        match.add(_doubles(order_id, some, reported))
    return match


def _timeless(attempt: Attempt, found: Collection[str]) -> Timeless | None:
    """A charge that no instant and no list puts into the period."""
    charge = attempt.charge
    if charge is None or charge.id in found or is_instant(charge.created_at):
        return None
    return Timeless(attempt.intent.order_id, charge.id, charge.amount, charge.currency.upper(), attempt.outcome.value)


def _of_charge(charge: ChargeSeen, document: Thing, attempt: Attempt | None, live: bool) -> Iterator[Difference]:
    """A charge of this job against the attempt that asked for it."""
    order_id = charge.metadata.get("order_id", "")
    if attempt is None:
        yield Difference("unknown-to-journal", order_id, charge.id, f"the gateway has it, {charge.status}; the journal "
                         "does not: run the job, which adopts it before it sends anything")  # fmt: skip
        return
    if attempt.charge is None or attempt.charge.id != charge.id:
        known = attempt.charge.id if attempt.charge else attempt.outcome.value
        if charge.id not in attempt.twins or not charge.takes_money:
            yield Difference("other-charge", order_id, charge.id, f"the journal says {known} for the same key")
        return
    theirs, ours = outcome_of(charge), attempt.outcome
    if ours is Outcome.SUCCEEDED and (theirs is not Outcome.SUCCEEDED or not charge.paid):
        yield Difference(
            "false-success", order_id, charge.id, f"the journal says succeeded, the gateway {charge.status}"
        )
    elif theirs is not ours and not (ours is Outcome.UNPROVEN and theirs is Outcome.SUCCEEDED):
        told = f"the journal says {ours.value}, the gateway {charge.status}: batchpay settle asks again"
        yield Difference("status", order_id, charge.id, told)
    if (attempt.charge.amount, attempt.charge.currency) != (charge.amount, charge.currency):
        told = f"the journal was told {attempt.charge.amount} {attempt.charge.currency.upper()}, the gateway lists "
        yield Difference("amount", order_id, charge.id, f"{told}{charge.amount} {charge.currency.upper()}")
    if flaws := flaws_of(charge, attempt.intent, live):
        yield Difference("terms", order_id, charge.id, "; ".join(flaws))
    if refunded := document.get("refunded_amount"):
        yield Difference("refunded", order_id, charge.id, f"{refunded} was given back at the gateway, not by batchpay")
    if document.get("dispute"):
        yield Difference("disputed", order_id, charge.id, "the payer disputes it")


def _of_attempt(attempt: Attempt, found: set[str]) -> Iterator[Difference]:
    """An attempt whose charge the gateway does not list."""
    charge = attempt.charge
    if charge is not None and charge.id not in found:
        told = f"the journal says {attempt.outcome.value}; the gateway does not list it"
        kind = "false-success" if attempt.outcome is Outcome.SUCCEEDED else "unknown-to-gateway"
        yield Difference(kind, attempt.intent.order_id, charge.id, told)


def _doubles(order_id: str, charges: Sequence[ChargeSeen], reported: set[str]) -> Iterator[Difference]:
    """More than one charge of an order that took money: all but the one in our reports are to be given back."""
    taking = [charge for charge in charges if outcome_of(charge) is Outcome.SUCCEEDED]
    if len(taking) < 2:
        return
    kept = next((charge for charge in taking if charge.id in reported), taking[0])
    for charge in taking:
        if charge is not kept:
            told = f"the order was charged by {kept.id} too: give this one back"
            yield Difference("double", order_id, charge.id, told, charge.amount, charge.currency.upper())


def match_credits(
    attempts: Sequence[Attempt], charges: Sequence[Thing], transactions: Sequence[Thing]
) -> list[Difference]:
    """Each charge that succeeded has one credit of its net (omise-api.md, 7.5)."""
    credits: dict[str, list[Thing]] = defaultdict(list)
    for entry in transactions:
        if entry.get("direction") == "credit":
            credits[str(entry.get("origin"))].append(entry)
    nets = {document.get("id"): document.get("net") for document in charges}
    found: list[Difference] = []
    for attempt in attempts:
        charge = attempt.charge
        if charge is None or attempt.outcome is not Outcome.SUCCEEDED or charge.id not in nets:
            continue
        order_id, mine = attempt.intent.order_id, credits.get(charge.id, [])
        if not mine:
            found.append(Difference("no-credit", order_id, charge.id, "the account's ledger has no credit for it"))
        elif len(mine) > 1:
            found.append(Difference("two-credits", order_id, charge.id, f"{len(mine)} credits in the account's ledger"))
        elif mine[0].get("amount") != nets[charge.id]:
            told = f"credited {mine[0].get('amount')}, its net is {nets[charge.id]}"
            found.append(Difference("credit-differs", order_id, charge.id, told))
    return found


def match_transfers(attempts: Sequence[Attempt], transfers: Sequence[Thing]) -> list[Difference]:
    """For each recipient and amount: as many transfers as charges that earned one; and none that failed."""
    wanted: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        charge = attempt.charge
        if charge is not None and attempt.outcome is Outcome.SUCCEEDED:
            wanted[attempt.intent.destination, charge.amount - (charge.platform_fee or 0)].append(attempt)
    there = Counter((str(t.get("recipient")), t.get("amount")) for t in transfers if not t.get("deleted"))
    found = []
    for (recipient, amount), some in sorted(wanted.items()):
        if (missing := len(some) - there[recipient, amount]) > 0:
            last = some[-1]
            told = f"{missing} of {len(some)} transfers of {amount} to {recipient} are missing at the gateway"
            found.append(Difference("transfer-missing", last.intent.order_id, _id(last), told))
    for transfer in transfers:
        if transfer.get("failure_code") and (str(transfer.get("recipient")), transfer.get("amount")) in wanted:
            told = f"transfer {transfer.get('id')} to {transfer.get('recipient')} failed: {transfer['failure_code']}"
            found.append(Difference("transfer-failed", "", "", told))
    return found


def _id(attempt: Attempt) -> str:
    return attempt.charge.id if attempt.charge else ""
