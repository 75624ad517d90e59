"""AUDIT: read both ledgers over a period, match them, and leave what a person needs: the differences, the refunds."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from batchpay import accounts, times
from batchpay.config import SecretKey
from batchpay.desk import Desk
from batchpay.errors import GatewaySilent, Usage
from batchpay.job import Job
from batchpay.lifecycle import Attempt
from batchpay.listing import Listing, is_instant
from batchpay.matching import Match, Thing, match_charges, match_credits, match_transfers
from batchpay.model import Answer
from batchpay.money import EXPONENTS, major_text
from batchpay.protocols import Gateway
from batchpay.reports.files import Directory
from batchpay.session import at_the_gateway
from batchpay.settlement import Line
from batchpay.settlement.lists import read_list
from batchpay.text import defused, visible

TRIES = 8  # of one listing that shifts while it is read
SKEW = timedelta(minutes=10)  # how far the journal's clock and the gateway's may be apart, generously


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of a time zone, both included."""

    first: date
    last: date
    zone: str = "UTC"

    @property
    def since(self) -> datetime:
        """The first instant, UTC."""
        return times.first_instant(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The last second, UTC."""
        return times.last_instant(self.last, self.zone)

    def covers(self, created_at: str) -> bool:
        """Was it made in this period, by the gateway's own clock?"""
        return _iso(self.since) <= created_at <= _iso(self.until)

    def may_cover(self, attempt: Attempt) -> bool:
        """The same for a charge that does not tell when it was made: by when it was asked for, generously."""
        sent_at = datetime.fromtimestamp(attempt.sent_ns // 10**9, UTC)
        return self.since - SKEW <= sent_at <= self.until + SKEW


@dataclass(frozen=True, slots=True)
class Audit:
    """The result, and where it was written."""

    period: Period
    match: Match
    files: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        """12 on any difference."""
        return 12 if self.match.differences else 0

    def document(self) -> dict[str, Any]:
        """For programs, and for audit.json."""
        match = self.match
        return {
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "time_zone": self.period.zone,
            "journal": {code: _money(n, code) for code, n in sorted(match.ours.items())},
            "gateway": {code: _money(n, code) for code, n in sorted(match.theirs.items())},
            "matched": match.matched,
            "other_charges_of_the_account": match.others,
            "differences": [asdict(difference) for difference in match.differences],
            "without_time": [asdict(charge) for charge in match.without_time],
            "notes": match.notes,
            "exit_code": self.exit_code,
        }


def audit(job: Job, key: SecretKey, period: Period) -> Audit:
    """Match and write. Raises Usage for a period that ends before it begins, GatewaySilent when a list is not had."""
    if period.last < period.first:
        raise Usage(f"--to {period.last} is before --from {period.first}")
    with ExitStack() as stack:
        desk = Desk(job, stack)
        attempts = list(_attempts(desk, period))
        match = asyncio.run(at_the_gateway(desk, key, partial(_matched, desk, period, attempts)))
        made = Audit(period, match, ())
        desk.note("audit", {"from": str(period.first), "to": str(period.last), "differences": len(match.differences)})
        return Audit(period, match, _write(job, made))


def _attempts(desk: Desk, period: Period) -> Iterator[Attempt]:
    """Every attempt of the journal whose charge was made in the period, or tells no time and may have been."""
    orders = desk.journal.orders_since(int((period.since - SKEW).timestamp()) * 10**9)
    for start in range(0, len(orders), 500):
        for attempts in accounts.attempts_of(desk.journal, orders[start : start + 500]).values():
            yield from (attempt for attempt in attempts if _is_of(attempt, period))


def _is_of(attempt: Attempt, period: Period) -> bool:
    if attempt.charge is None:
        return False
    made_at = attempt.charge.created_at
    return period.covers(made_at) if is_instant(made_at) else period.may_cover(attempt)


async def _matched(desk: Desk, period: Period, attempts: list[Attempt], gateway: Gateway, line: Line) -> Match:
    """Both ledgers held against each other. Raises GatewaySilent when the gateway's cannot be had whole."""
    charges = await _all(gateway, line, "/charges", period.since, period.until)
    if charges is None:
        raise line.fatal or GatewaySilent("the gateway's list of charges could not be read completely; try later")
    match = match_charges(desk.job.name, attempts, charges, live=desk.job.gateway.mode == "live")
    if match.without_time:
        match.notes.append(
            f"{len(match.without_time)} charges tell no time that they were made at and are in no list of these days: "
            "they may be of another day; they stand by name in audit.json, under without_time"
        )
    transactions = await _all(gateway, line, "/transactions", period.since, None)
    if transactions is None:
        match.notes.append("the gateway does not tell its transactions: credits were not matched")
    else:
        match.add(match_credits(attempts, charges, transactions))
    transfers = await _all(gateway, line, "/transfers", period.since, None)
    if transfers is None:
        match.notes.append("the gateway does not tell its transfers: they were not matched")
    else:
        match.add(match_transfers(attempts, transfers))
    return match


async def _all(gateway: Gateway, line: Line, path: str, since: datetime, until: datetime | None) -> list[Thing] | None:
    """Every object of a list, oldest first; None when it could not be had whole."""
    for _ in range(TRIES):
        found = await _once(gateway, line, path, since, until)
        if found is not None or line.closed:
            return found
        await line.rest(1.0)
    return None


async def _once(gateway: Gateway, line: Line, path: str, since: datetime, until: datetime | None) -> list[Thing] | None:
    """One reading, by the same reader as a run's lists; None when it shifted, or something in it cannot be read."""
    listing, found = Listing(since=_iso(since)), list[Thing]()
    query: dict[str, str | int] = {"from": _iso(since), "order": "chronological"}
    if until is not None:
        query["to"] = _iso(until)

    async def page_at(offset: int, may_leave: Callable[[], bool], *, limit: int) -> Answer:
        return await gateway.read(path, {**query, "limit": limit, "offset": offset}, may_leave)

    async def take(answer: Answer) -> bool:
        page = _page(answer.document)
        if page is None:
            return False
        things, total = page
        fresh = listing.take([str(thing["id"]) for thing in things], total)
        found.extend(things[at] for at in fresh)
        return True

    await read_list(line, page_at, listing, take)
    return found if listing.complete and not listing.skipped else None


def _page(document: Any) -> tuple[list[Thing], int] | None:
    """The objects of a list and how many it has in all; None for anything else."""
    if not isinstance(document, dict) or document.get("object") != "list":
        return None
    data, total = document.get("data"), document.get("total")
    if not isinstance(data, list) or type(total) is not int:
        return None
    fits = all(isinstance(thing, dict) and isinstance(thing.get("id"), str) for thing in data)
    return (data, total) if fits else None


def _write(job: Job, made: Audit) -> tuple[Path, ...]:
    """audit.json, and refunds.csv when a person should give something back."""
    folder = job.report.directory / f"audit-{made.period.first}-{made.period.last}"
    directory = Directory(folder, job.report.mode)
    with directory.file("audit.json") as file:
        file.write((json.dumps(made.document(), ensure_ascii=False, indent=2) + "\n").encode())
    refunds = [difference for difference in made.match.differences if difference.refund_minor]
    if not refunds:
        directory.remove("refunds.csv")
    else:
        with directory.text("refunds.csv", "utf-8-sig", "replace") as text:
            writer = csv.writer(text)
            writer.writerow(["order_id", "charge_id", "amount", "currency", "amount_major", "reason"])
            for one in refunds:
                major = _money(one.refund_minor, one.currency)
                cells = [one.order_id, one.charge_id, str(one.refund_minor), one.currency, major, one.told]
                writer.writerow([defused(visible(cell)) for cell in cells])
    return tuple(directory.written)


def _money(minor: int, currency: str) -> str:
    return major_text(minor, currency) if currency in EXPONENTS else str(minor)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
