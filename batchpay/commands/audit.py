"""AUDIT: read both ledgers over a period, match them, and leave what a person needs: the
differences, the refunds.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from batchpay.batches.clock import SystemClock, iso
from batchpay.batches.index import publish_index
from batchpay.batches.open_job import OpenJob
from batchpay.batches.orders import attempts_of
from batchpay.batches.session import ask_the_gateway
from batchpay.batches.words import said_json
from batchpay.commands.word import who
from batchpay.domain import times
from batchpay.domain.books import Balance, Booked, Refund, Span, Transaction, Transfer
from batchpay.domain.errors import GatewaySilent, Usage
from batchpay.domain.events import (
    Audited,
    DifferenceNoted,
    RefundSeen,
    TransferSeen,
    told_in,
)
from batchpay.domain.model import ChargeSeen, Event, Outcome
from batchpay.domain.money import major_text, money_text
from batchpay.domain.ports import Gateway
from batchpay.domain.text import defused, many, mode_told, visible
from batchpay.domain.text import told as shown
from batchpay.domain.times import is_instant
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.messages import steps
from batchpay.reconciliation.doubles import is_elsewhere, match_elsewhere, with_doubles
from batchpay.reconciliation.ledger import (
    BothSides,
    Closed,
    Ledger,
    Rolling,
    Sums,
    ledger_of,
)
from batchpay.reconciliation.matching import (
    UNKNOWN_TO_JOURNAL,
    Difference,
    Match,
    apart,
    match_charges,
    match_credits,
    match_transfers,
    order_of,
)
from batchpay.reconciliation.noting import Note, kept, note_on, open_of
from batchpay.reconciliation.refunds import (
    Refunded,
    Totals,
    booked_as_refunds,
    refunded_of,
    totals_of,
)
from batchpay.reports import auditbook
from batchpay.reports.files import Directory, own_folder
from batchpay.reports.manifest import write_manifest_beside
from batchpay.settlement import Channel
from batchpay.settlement.in_force import whose_journal
from batchpay.settlement.ledger import booked_charge, charges_of_disputes, whole
from batchpay.settlement.others import families_of, orders_of

BALANCE_TRIES = 3
NAMED = 20  # differences that a refused note names
# how far the journal's clock and the gateway's may be apart, generously
SKEW = timedelta(minutes=10)


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

    @property
    def told(self) -> str:
        """The days, with their zone, for a person."""
        if self.first == self.last:
            days = f"{self.first}"
        else:
            days = f"{self.first} to {self.last}"
        return f"{days} (days of {self.zone})"

    def covers(self, created_at: str) -> bool:
        """Was it made in this period, by the gateway's own clock?"""
        return _iso(self.since) <= created_at <= _iso(self.until)

    def may_cover(self, attempt: Attempt) -> bool:
        """The same for a charge that does not tell when it was made: by when it was asked for,
        generously.
        """
        sent_at = datetime.fromtimestamp(attempt.sent_ns // 10**9, UTC)
        return self.since - SKEW <= sent_at <= self.until + SKEW


@dataclass(frozen=True, slots=True)
class Matched:
    """What both ledgers showed of a period."""

    match: Match
    # charges of which something was given back: of the period, or in it
    refunded: Sequence[Refunded] = ()
    # refunds made in the period, each with its charge
    made: Sequence[tuple[Refunded, Refund]] = ()
    ledger: Ledger = field(default_factory=Ledger)
    over: bool = True  # were the days over when it was read?

    @property
    def closing(self) -> Mapping[str, int]:
        """For the journal, and the next audit: while its days go on an account has not closed."""
        if self.over:
            return self.ledger.closing
        return {}


@dataclass(frozen=True, slots=True)
class Audit:
    """The result, and where it was written."""

    job: Path
    mode: str  # test or live
    period: Period
    found: Matched
    notes: Mapping[str, Note]  # id of a difference -> a person's last word on it
    files: tuple[Path, ...] = ()

    @property
    def match(self) -> Match:
        """What was held against each other."""
        return self.found.match

    @property
    def open(self) -> list[Difference]:
        """The differences that no note holds for."""
        return open_of(self.match.differences, self.notes)

    @property
    def noted(self) -> int:
        """How many a person took note of, as they are."""
        return sum(
            one.id in self.notes and self.notes[one.id].holds(one)
            for one in self.match.differences
        )

    @property
    def exit_code(self) -> int:
        """12 on any difference that nobody took note of as it is, but for one that ended well."""
        return 12 if self.open else 0

    @property
    def totals(self) -> Mapping[str, Totals]:
        """By currency: charged, given back, left."""
        return totals_of(self.match.theirs, self.found.refunded, self.found.made)

    def document(self) -> dict[str, Any]:
        """For programs, and for audit.json."""
        match = self.match
        zone = self.period.zone
        return {
            "test_mode": self.mode == "test",
            "mode": mode_told(self.mode),
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "time_zone": zone,
            "journal": {
                code: major_text(n, code) for code, n in sorted(match.ours.items())
            },
            "gateway": {
                code: major_text(n, code) for code, n in sorted(match.theirs.items())
            },
            "totals": {
                code: _totals_json(one, code) for code, one in self.totals.items()
            },
            "balances": [_balance_json(one) for one in self.found.ledger.balances],
            "fees": {
                c: _sums_json(one, c)
                for c, one in sorted(self.found.ledger.sums.items())
            },
            "entries": dict(Counter(one.of for one in self.found.ledger.entries)),
            "journal_charges": dict(sorted(match.ours_count.items())),
            "gateway_charges": dict(sorted(match.theirs_count.items())),
            "matched": match.matched,
            "other_charges_of_the_account": match.others,
            "differences": [
                self._difference_json(difference) for difference in match.differences
            ],
            "open": len(self.open),
            "noted": self.noted,
            "refunds": [
                _refund_json(one, made, zone)
                for one in self.found.refunded
                for made in one.believed
            ],
            "without_time": [asdict(charge) for charge in match.without_time],
            "notes": match.notes,
            "exit_code": self.exit_code,
        }

    def _difference_json(self, one: Difference) -> dict[str, Any]:
        note = self.notes.get(one.id)
        return {
            "id": one.id,
            "kind": one.kind,
            "order_id": one.order_id,
            "charge_id": one.charge_id,
            "told": one.told,
            "amount": one.amount,
            "amount_major": major_text(one.amount, one.currency),
            "currency": one.currency,
            "refund_minor": one.refund_minor,
            "refund_major": major_text(one.refund_minor, one.currency),
            "noted": None if note is None else _note_json(note, holds=note.holds(one)),
        }


def audit(
    job: Job,
    key: SecretKey,
    period: Period,
    note: tuple[str, str] | None = None,
) -> Audit:
    """Match and write. `note`: the id of a difference, and why it is well: a person's word, which
    the journal keeps.

    Raises Usage for a period that ends before it begins or after today and for a note on what is no
    difference, GatewaySilent when a list is not had.
    """
    if period.last < period.first:
        raise Usage(f"--to {period.last} is before --from {period.first}")
    for flag, day in (("--from", period.first), ("--to", period.last)):
        times.refuse_to_come(flag, day, period.zone, SystemClock().today())
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        attempts = list(_attempts(opened, period))
        found = asyncio.run(
            ask_the_gateway(opened, key, partial(_found, opened, period, attempts))
        )
        _learn(opened, found.refunded, period.zone)
        if note is not None:
            _take_note(opened, found.match.differences, period, *note)
        made = Audit(
            job.path,
            job.gateway.mode,
            period,
            found,
            kept(opened.journal.events([DifferenceNoted.kind])),
        )
        noted = opened.note(
            Audited(
                first=str(period.first),
                last=str(period.last),
                differences=len(found.match.differences),
                open=len(made.open),
                closing=found.closing,
                zone=period.zone,
            )
        )
        files = _write(job, made, opened.journal, noted)
        publish_index(opened)  # which leads to it
        return replace(made, files=files)


def _learn(opened: OpenJob, refunded: Sequence[Refunded], zone: str) -> None:
    """Keep what was given back of each charge, when it is more than the journal knew."""
    known = {told.charge_id: told for _, told in told_in(opened.journal, RefundSeen)}
    for one in refunded:
        told = one.as_told(zone)
        before = known.get(one.charge_id)
        if before is None or (before.total, before.refunds, before.contradicts) != (
            told.total,
            told.refunds,
            told.contradicts,
        ):
            opened.note(told)


def _take_note(
    opened: OpenJob,
    differences: Sequence[Difference],
    period: Period,
    note_id: str,
    reason: str,
) -> None:
    """Keep a person's word on one difference, as it is now. Raises Usage for what is none."""
    chosen = next((one for one in differences if one.id == note_id), None)
    if chosen is None:
        days = f"of {period.told}"
        if not differences:
            raise Usage(
                f"--note {shown(note_id)}: there is no difference {days}, and so nothing to take"
                " note of"
            )
        ids = ", ".join(one.id for one in differences[:NAMED])
        more = ""
        if len(differences) > NAMED:
            more = f" and {len(differences) - NAMED} more (--json shows them)"
        raise Usage(
            f"--note {shown(note_id)}: is no difference {days}; what can be noted is: {ids}{more}"
        )
    new = note_on(chosen, reason, who())
    old = kept(opened.journal.events([DifferenceNoted.kind])).get(note_id)
    if old is None or replace(old, at_ns=0) != new:
        opened.note(new.as_told())


def _attempts(opened: OpenJob, period: Period) -> Iterator[Attempt]:
    """Every attempt of the journal whose charge was made in the period, or tells no time and may
    have been.
    """
    orders = opened.journal.orders_since(int((period.since - SKEW).timestamp()) * 10**9)
    for start in range(0, len(orders), 500):
        for attempts in attempts_of(
            opened.journal, orders[start : start + 500]
        ).values():
            yield from (attempt for attempt in attempts if _is_of(attempt, period))


def _is_of(attempt: Attempt, period: Period) -> bool:
    if attempt.charge is None:
        return False
    made_at = attempt.charge.created_at
    if is_instant(made_at):
        return period.covers(made_at)
    return period.may_cover(attempt)


async def _found(
    opened: OpenJob,
    period: Period,
    attempts: list[Attempt],
    gateway: Gateway,
    channel: Channel,
) -> Matched:
    """Both ledgers held against each other. Raises GatewaySilent when the gateway's cannot be had
    whole.
    """
    days = Span(_iso(period.since), _iso(period.until))
    onwards = Span(_iso(period.since))
    charges = await whole(channel, "/charges", partial(gateway.charges, days))
    if charges is None:
        raise channel.fatal or GatewaySilent(
            "the gateway's list of charges could not be read completely; try later"
        )
    match = _matched(opened, attempts, charges)
    over = _iso(period.until) < (channel.gateway_date or _iso(opened.started))
    transactions, balance = await _account_now(gateway, channel, onwards)
    transfers = await whole(channel, "/transfers", partial(gateway.transfers, onwards))
    _match_shares(match, attempts, charges, transactions, transfers)
    listed = await whole(channel, "/refunds", partial(gateway.refunds, days))
    if listed is None:
        match.notes.append(_without_refunds(period, transactions or ()))
    refunds = [refund for refund in listed or () if refund is not None]
    told = {refund.id for refund in refunds}
    placed = [refund for refund in refunds if _is_made_in(period, refund, told)]
    refunded = await _refunded(opened, gateway, channel, charges, placed, match)
    given = {one.charge_id: one.total for one in refunded}
    match.add(_elsewhere(opened, charges, given))
    refunds_told = [one.difference(period.zone) for one in refunded]
    match.add(with_doubles(match.several, given, refunds_told))
    match.differences = apart(match.differences)
    pairs = [(one, refund) for one in refunded for refund in one.believed]
    made = [(one, refund) for one, refund in pairs if _is_made_in(period, refund, told)]
    if transactions is None:
        return Matched(match, refunded, made)
    if balance is None:
        match.notes.append(
            "the gateway does not tell its balance: opening and closing are unknown"
        )
    disputes = await _orders_of_disputes(
        opened, gateway, channel, _of_days(period, transactions)
    )
    both = BothSides(
        attempts=attempts,
        charges=charges,
        placed=match.placed,
        transactions=transactions,
        transfers=transfers or (),
        refunds=placed,
        balance=balance,
        covers=period.covers,
        is_later=partial(_is_after, _iso(period.until)),
        order_of=partial(_order_of_charge, opened),
        transfers_of=_orders_of_transfers(opened),
        disputes_of=disputes,
        before=_closing_before(opened, period),
        given=given,
    )
    ledger = ledger_of(both)
    match.differences = apart([*match.differences, *ledger.differences])
    return Matched(match, refunded, made, ledger, over)


def _match_shares(
    match: Match,
    attempts: list[Attempt],
    charges: Sequence[Booked],
    transactions: Sequence[Transaction] | None,
    transfers: Sequence[Transfer] | None,
) -> None:
    """Where the recipients' shares of the charges are: credited, and transferred."""
    if transactions is None:
        match.notes.append(
            "the gateway does not tell its transactions: credits were not matched"
        )
    else:
        match.add(match_credits(attempts, charges, transactions))
    if transfers is None:
        match.notes.append(
            "the gateway does not tell its transfers: they were not matched"
        )
    else:
        match.add(match_transfers(attempts, transfers))


async def _account_now(
    gateway: Gateway, channel: Channel, onwards: Span
) -> tuple[list[Transaction] | None, Balance | None]:
    """The entries since a day, and what the account has once they are all of it: while others
    charge, the two are read again.
    """
    path = "/transactions"
    before = await channel.glance(gateway.balance)
    for _ in range(BALANCE_TRIES):
        entries = await whole(channel, path, partial(gateway.transactions, onwards))
        after = await channel.glance(gateway.balance)
        if entries is None or after is None or after.said is None:
            return entries, None
        if before is not None and before.said == after.said:
            return entries, after.said
        before = after
    return entries, None


def _is_after(until: str, at: str) -> bool:
    return at > until


def _order_of_charge(opened: OpenJob, charge_id: str) -> str:
    """The order of a charge of this job, of whatever day; empty for what is none."""
    if not charge_id.startswith("chrg_"):
        return ""
    owner = opened.journal.order_of_charge(charge_id)
    if owner is None or owner[0] != opened.job.name:
        return ""
    return owner[1]


def _orders_of_transfers(opened: OpenJob) -> dict[str, str]:
    """Every transfer that a run has seen -> its order."""
    seen = told_in(opened.journal, TransferSeen)
    return {told.id: event.order_id for event, told in seen}


async def _orders_of_disputes(
    opened: OpenJob, gateway: Gateway, channel: Channel, entries: Iterable[Transaction]
) -> dict[str, str]:
    """Every dispute of a charge of this job that entries come from -> its order."""
    origins = [entry.origin for entry in entries]
    charges = await charges_of_disputes(gateway, channel, origins)
    orders = {name: _order_of_charge(opened, one) for name, one in charges.items()}
    return {name: order_id for name, order_id in orders.items() if order_id}


def _closing_before(opened: OpenJob, period: Period) -> Closed:
    """What the account had at the end of the day before, as the last audit found it that ended with
    that day, of the same time zone.
    """
    day = str(period.first - timedelta(days=1))
    closed = Closed()
    for _, told in told_in(opened.journal, Audited):
        if (told.last, told.zone) == (day, period.zone) and told.closing:
            closed = Closed(told.first, told.last, told.closing)
    return closed


def _matched(opened: OpenJob, attempts: list[Attempt], charges: list[Booked]) -> Match:
    """The charges of both sides."""
    name = opened.job.name
    live = opened.job.gateway.mode == "live"
    zone = opened.job.controls.time_zone
    match = match_charges(name, attempts, charges, live=live, zone=zone)
    match.differences = [_of_doubt(opened, one) for one in match.differences]
    if match.without_time:
        match.notes.append(
            f"{many(len(match.without_time), 'charge')} without a time of making, in no list of"
            " these days and perhaps of another one: by name in audit.json, under without_time"
        )
    return match


def _of_doubt(opened: OpenJob, difference: Difference) -> Difference:
    """A charge that the journal does not know, of an order that is in doubt there: says so."""
    if difference.kind != UNKNOWN_TO_JOURNAL:
        return difference
    order_id = difference.order_id
    attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
    if not any(one.outcome is Outcome.IN_DOUBT for one in attempts):
        return difference
    told = (
        f"the gateway has it, {difference.state}; the journal has this order in doubt, and no"
        f" charge of it yet: {steps.SETTLE_FIRST()}"
    )
    return replace(difference, told=told)


def _without_refunds(period: Period, transactions: Sequence[Transaction]) -> str:
    """What is said where the gateway has no list of refunds: its ledger may know their sum."""
    booked = booked_as_refunds(_of_days(period, transactions))
    ledger = ""
    if booked:
        ledger = f"; its ledger has {money_text(booked)} of refunds in these days, of any job"
    return (
        "the gateway does not tell its refunds: of those made in these days, only refunds of"
        f" charges of these days were seen{ledger}"
    )


def _of_days(period: Period, transactions: Iterable[Transaction]) -> list[Transaction]:
    return [entry for entry in transactions if period.covers(entry.created_at)]


def _is_made_in(period: Period, refund: Refund, listed: Collection[str]) -> bool:
    """By its own time; without one, it is of the days that it was listed for (J36)."""
    if is_instant(refund.made_at):
        return period.covers(refund.made_at)
    return refund.id in listed


async def _refunded(
    opened: OpenJob,
    gateway: Gateway,
    channel: Channel,
    charges: Sequence[Booked],
    listed: Sequence[Refund],
    match: Match,
) -> list[Refunded]:
    """Every charge of this job of which something was given back: charges of the period, and of its
    refunds.

    Refunds of charges that neither the gateway nor the journal shows are nobody's, and told in its
    notes.
    """
    job = opened.job.name
    in_period = {booked.id: booked for booked in charges}
    speaking = [booked.id for booked in in_period.values() if booked.speaks_of_refunds]
    found: list[Refunded] = []
    nobodys: list[str] = []
    for charge_id in dict.fromkeys(
        [*speaking, *(refund.charge_id for refund in listed)]
    ):
        owner = opened.journal.order_of_charge(charge_id)
        is_placed = charge_id in match.placed
        if owner is not None and owner[0] != job and not is_placed:
            continue
        booked = in_period.get(charge_id) or await booked_charge(
            gateway, channel, charge_id
        )
        if booked is None and owner is None:
            nobodys += [refund.id for refund in listed if refund.charge_id == charge_id]
        order_id = match.placed.get(charge_id, _order_of(job, booked, owner))
        if order_id is None:
            continue
        known = _kept_charge(opened, owner, charge_id)
        one = refunded_of(charge_id, order_id, booked, listed, known)
        if one is not None:
            found.append(replace(one, counts=charge_id in match.summed))
    if nobodys:
        match.notes.append(
            "refunds of these days whose charge neither the gateway nor the journal shows:"
            f" {_named(nobodys)}"
        )
    return found


def _named(ids: Sequence[str]) -> str:
    """As many as a person reads."""
    named = ", ".join(map(shown, ids[:NAMED]))
    if len(ids) > NAMED:
        return f"{named} and {len(ids) - NAMED} more"
    return named


def _order_of(
    job: str, booked: Booked | None, owner: tuple[str, str, int] | None
) -> str | None:
    """Whose charge of another day it is, by the journal or else by what it carries; None when it is
    not this job's.
    """
    if owner is not None:
        return owner[1]
    if booked is None or booked.charge is None:
        return None
    return order_of(job, booked.charge)


def _kept_charge(
    opened: OpenJob, owner: tuple[str, str, int] | None, charge_id: str
) -> ChargeSeen | None:
    """The charge as the journal knows it."""
    if owner is None:
        return None
    attempts = attempts_of(opened.journal, [owner[1]]).get(owner[1], ())
    charges = (attempt.charge for attempt in attempts if attempt.charge is not None)
    return next((charge for charge in charges if charge.id == charge_id), None)


def _elsewhere(
    opened: OpenJob, charges: list[Booked], given: Mapping[str, int]
) -> Iterator[Difference]:
    """What other jobs charged of the same orders. `given`: charge id -> what was given back of it,
    as this audit saw it.
    """
    named = _named_elsewhere(opened, charges)
    order_ids = sorted({order_id for some in named.values() for order_id in some})
    ours = families_of(opened.journal, order_ids)
    known = {
        told.charge_id: told.total for _, told in told_in(opened.journal, RefundSeen)
    }
    return match_elsewhere(named, ours, charges, {**known, **given})


def _named_elsewhere(
    opened: OpenJob, charges: list[Booked]
) -> dict[str, tuple[str, ...]]:
    """Charge of another job -> by which order ids its sale may be known here."""
    return {
        charge.id: orders_of(charge, opened.journal)
        for charge in (booked.charge for booked in charges)
        if charge is not None and is_elsewhere(opened.job.name, charge)
    }


def _write(
    job: Job,
    made: Audit,
    journal: SqliteJournal,
    noted: Event,
) -> tuple[Path, ...]:
    """audit.json, refunds.csv when a person should give something back, and their manifest."""
    name = f"audit-{made.period.first}-{made.period.last}"
    folder = own_folder(
        job.report.directory, name, job.name, "audit.json", job.report.mode
    )
    directory = Directory(folder, job.report.mode)
    with directory.file("audit.json") as file:
        # `job` says whose the folder is
        document = {"job": job.name, **made.document()}
        file.write((json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode())
    refunds = [
        difference for difference in made.match.differences if difference.refund_minor
    ]
    if not refunds:
        directory.remove("refunds.csv")
    else:
        with directory.text("refunds.csv", "utf-8-sig", "replace") as text:
            writer = csv.writer(text)
            writer.writerow(
                [
                    "order_id",
                    "charge_id",
                    "amount",
                    "currency",
                    "amount_major",
                    "reason",
                    "mode",
                ]
            )
            for one in refunds:
                major = major_text(one.refund_minor, one.currency)
                cells = [
                    one.order_id,
                    one.charge_id,
                    str(one.refund_minor),
                    one.currency,
                    major,
                    one.told,
                    mode_told(made.mode),
                ]
                writer.writerow([defused(visible(cell)) for cell in cells])
    auditbook.write_audit(directory, _as_tables(job, made))
    whose = whose_journal(journal.accounts())
    said = said_json(journal)
    write_manifest_beside(
        directory, job, journal.id, (noted.seq, noted.digest), whose, said
    )
    return tuple(directory.written)


def _as_tables(job: Job, made: Audit) -> auditbook.Audited:
    """What people take away."""
    differences = made.match.differences
    verdict = "journal and gateway agree to the smallest unit"
    if differences:
        verdict = (
            f"{many(len(differences), 'difference')}, {len(made.open)} of them open"
        )
    noted = []
    for one in differences:
        note = made.notes.get(one.id)
        word = ""
        if note is not None and note.holds(one):
            word = f"{note.by}: {note.reason}"
        noted.append((one, word))
    test = ""
    if made.mode == "test":
        test = mode_told(made.mode)
    return auditbook.Audited(
        job=job.name,
        period=made.period.told,
        zone=made.period.zone,
        test=test,
        verdict=verdict,
        ledger=made.found.ledger,
        differences=noted,
        notes=made.match.notes,
    )


def _balance_json(one: Rolling) -> dict[str, Any]:
    told: dict[str, Any] = {"currency": one.currency}
    for name in ("opening", "credits", "debits", "closing"):
        minor = getattr(one, name)
        told[f"{name}_minor"] = minor
        told[name] = None
        if minor is not None:
            told[name] = major_text(minor, one.currency)
    return told


def _sums_json(one: Sums, code: str) -> dict[str, Any]:
    """What the charges of the days cost, and what was credited for them."""
    told: dict[str, Any] = {"charges": one.charges}
    for name in ("funding", "fee", "fee_vat", "interest", "net", "credited"):
        minor = getattr(one, name)
        told[f"{name}_minor"] = minor
        told[name] = major_text(minor, code)
    return told


def _totals_json(one: Totals, code: str) -> dict[str, Any]:
    sums = {
        "gross": one.gross,
        "refunded": one.refunded,
        "left": one.left,
        "refunds_made": one.made,
    }
    minor = {f"{name}_minor": n for name, n in sums.items()}
    return {**{name: major_text(n, code) for name, n in sums.items()}, **minor}


def _refund_json(one: Refunded, refund: Refund, zone: str) -> dict[str, Any]:
    return {
        "refund_id": refund.id,
        "order_id": one.order_id,
        "charge_id": one.charge_id,
        "amount": refund.amount,
        "amount_major": major_text(refund.amount, refund.currency),
        "currency": refund.currency,
        "made_at": refund.made_at,
        "day": times.day_told(refund.made_at, zone),
        "charged_at": one.charged_at,
        "charge_day": times.day_told(one.charged_at, zone),
    }


def _note_json(note: Note, *, holds: bool) -> dict[str, Any]:
    return {
        "holds": holds,
        "reason": note.reason,
        "by": note.by,
        "at": iso(note.at_ns),
        "amount": note.amount,
        "amount_major": major_text(note.amount, note.currency),
        "currency": note.currency,
        "told": note.told,
    }


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
