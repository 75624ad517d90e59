"""SURVEY: what may be sent of some batches, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from batchpay.batches.planned import Placed, PlannedBatch, rows_in_turn
from batchpay.domain.errors import DoesNotAddUp, Misconfigured
from batchpay.domain.text import told
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.rows import (
    DuplicateOf,
    Guards,
    MayGo,
    Owns,
    Renamed,
    Row,
    Standing,
    Why,
    is_sendable,
)
from batchpay.messages import steps
from batchpay.messages.message import worded
from batchpay.messages.standing import NEAR_ONE
from batchpay.settlement.others import renamed

NAMED = 5  # orders that are named because they resemble recent ones


def refuse_impossible(placed: Placed) -> None:
    """Raises what `candidates` raises for a row that no run may pass by."""
    row = placed.row
    standing = placed.standing
    if isinstance(standing, Owns) and standing.contradicts:
        raise DoesNotAddUp(_told_contradicting(row, standing.attempt))
    if isinstance(standing, Renamed):
        other = standing.elsewhere
        raise Misconfigured(
            renamed(row.document["order_id"], other.job, other.charge_id)
        )


def _told_contradicting(row: Row, attempt: Attempt) -> str:
    order_id = attempt.intent.order_id
    if attempt.charge:
        there = named = attempt.charge.id
    else:
        there = "a charge"
        named = "chrg_…"
    return (
        f"order {order_id}: the gateway has {there} for it, adopted, with other terms than row"
        f" {row.row} asks: {steps.SETTLE_ADOPTED(order=order_id, charge=named)}"
    )


@dataclass(slots=True)
class Survey:
    """What may be sent of some batches, counted; money in smallest units by upper-case currency."""

    orders: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    # exact: the gateway rounds it
    commission: dict[str, Decimal] = field(default_factory=dict)
    # (id, currency) -> count, sum
    recipients: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    warned: int = 0  # rows that resemble a recent order
    # the first of them, each with what it is
    resembling: list[str] = field(default_factory=list)
    unusual: int = 0  # rows whose amount is far outside of what was asked before
    outside: list[str] = field(default_factory=list)  # likewise
    # what was asked for these orders before, and may have been charged for all that anybody said:
    # before they go again a list must show what became of it
    again: list[Attempt] = field(default_factory=list)

    def add(self, job: Job, placed: Placed) -> None:
        """Count one row that may be sent."""
        destination, amount, currency = _asked_for(placed)
        self.orders += 1
        before = _asked_before(placed.standing)
        self.again += [attempt for attempt in before if attempt.wants_a_list]
        self.sums[currency] += amount
        self.counts[currency] += 1
        if job.fee:
            commission = job.fee.of(amount, currency)
        else:
            commission = Decimal(0)
        self.commission[currency] = (
            self.commission.get(currency, Decimal(0)) + commission
        )
        share = self.recipients.setdefault((destination, currency), [0, 0])
        share[0] += 1
        share[1] += amount
        warnings: Why = getattr(placed.standing, "warnings", ())
        near = [one for one in warnings if one.rule == NEAR_ONE.code]
        far = [one for one in warnings if one.rule != NEAR_ONE.code]
        if near:
            self.warned += 1
            if len(self.resembling) < NAMED:
                self.resembling.append(f"{told(placed.row.order_id)}: {worded(near)}")
        if far:
            self.unusual += 1
            if len(self.outside) < NAMED:
                self.outside.append(f"{told(placed.row.order_id)}: {worded(far)}")

    @property
    def destinations(self) -> frozenset[str]:
        """Every recipient that something may be sent to."""
        return frozenset(destination for destination, _ in self.recipients)


def _asked_before(standing: Standing) -> tuple[Attempt, ...]:
    """The attempts of a sendable row's sale so far."""
    if isinstance(standing, MayGo):
        return (*standing.before, *filter(None, [standing.withdraw]))
    assert isinstance(standing, Owns | DuplicateOf)
    return (standing.attempt, *standing.before)


def _asked_for(placed: Placed) -> tuple[str, int, str]:
    """Destination, amount and upper-case currency of what a sendable row asks for."""
    if isinstance(placed.standing, MayGo):
        document = placed.row.document
        currency = document["currency"].upper()
        return document["destination"], document["amount"], currency
    assert isinstance(placed.standing, Owns | DuplicateOf)
    asked = placed.standing.attempt.intent
    return asked.destination, asked.amount, asked.currency.upper()


def survey(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
    *,
    strict: bool = False,
) -> Survey:
    """Count what may be sent of the batches that are not refused. `strict`: raises what
    `candidates` raises.
    """
    found = Survey()
    for placed in rows_in_turn(job, journal, batches, guards):
        if strict:
            refuse_impossible(placed)
        if is_sendable(placed.standing):
            found.add(job, placed)
    return found
