"""One order's whole story: every row that asks for it, and every event of it in words, from the
journal alone.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import asdict
from typing import Any

from batchpay.batches.clock import iso
from batchpay.batches.guards import guards_of_batch
from batchpay.batches.history import history_of
from batchpay.batches.last import last_hold
from batchpay.batches.standings import Later, later_in
from batchpay.batches.strays import is_shown, stray_totals
from batchpay.batches.words import stops_in_force
from batchpay.domain.events import (
    Absent,
    Adopted,
    Answered,
    ChargedElsewhere,
    DifferenceNoted,
    Disbelieved,
    DisputeSeen,
    Evidence,
    Found,
    Intended,
    Lifted,
    Missing,
    OrderCancelled,
    RefundSeen,
    Resolved,
    Stop,
    Told,
    TransferSeen,
    Unclear,
    Untold,
    Voided,
    Withdrawn,
    charge_id_in,
    kinds,
    of,
    order_of,
    state_of,
    who_said,
)
from batchpay.domain.model import Batch, Event, Finding
from batchpay.domain.money import EXPONENTS, money_told
from batchpay.domain.text import mode_told
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.after import ARRIVES, share_of
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.payers import payment_method
from batchpay.lifecycle.proof import Proof
from batchpay.lifecycle.rows import rows_of
from batchpay.messages import stories as said
from batchpay.messages.message import Entry, Field, Message, plain, worded
from batchpay.reconciliation.findings import find, find_without_row
from batchpay.reconciliation.reasons import with_what_comes
from batchpay.reconciliation.totals import Totals, exit_code
from batchpay.reports.table import Story

# kinds of event that are about an order, and no part of its attempts
BESIDE = kinds(Stop, RefundSeen, DisputeSeen, DifferenceNoted)


def story_of(
    job: Job, journal: SqliteJournal, order_id: str, *, spoken: bool = False
) -> dict[str, Any]:
    """`rows` that ask for an order, where each stands, its `attempts`, and its `events`, oldest
    first; all may be empty. Its `exit_code` is that of `status`, were there no other order.
    `spoken`: what happened as messages, not in English.
    """
    found: list[Finding] = []
    later = later_in(journal)
    for batch in journal.batches():
        found += later.of(list(_findings(job, journal, batch, order_id)))
    own = journal.histories([order_id]).get(order_id, [])
    beside = _beside(journal, {order_id})[order_id]
    events = list(map(_event, sorted([*own, *beside], key=lambda event: event.seq)))
    if not spoken:
        events = [{**one, "told": worded(one["told"])} for one in events]
    attempts = fold(own)
    stopped = _is_stopped(journal, order_id)
    keys = {one.idempotency_key for one in found}
    apart = [
        find_without_row(one, attempts, stopped=stopped)
        for one in attempts
        if not is_shown(one, attempts, keys)
    ]
    doubt_s = f"{job.gateway.doubt_period_s:g}"
    return {
        "order": order_id,
        "mode": mode_told(job.gateway.mode),
        "rows": [_row(with_what_comes(one, doubt_s)) for one in found],
        "attempts": [_attempt(one, later) for one in attempts],
        "events": events,
        "exit_code": _exit_code(found, later.of(apart), stopped=stopped),
    }


def _is_stopped(journal: SqliteJournal, order_id: str) -> bool:
    """Is a stop in force that is about this order?"""
    return any(stop["order"] == order_id for stop in stops_in_force(journal))


def _exit_code(
    found: Iterable[Finding], apart: Iterable[Finding], *, stopped: bool
) -> int:
    """That of `status`, over its rows and what stands in none."""
    totals = Totals()
    for finding in found:
        totals.add(finding)
    return exit_code([totals, stray_totals(apart)], stopped=stopped, ended=False)


def stories_of(
    journal: SqliteJournal, order_ids: Collection[str], until: int
) -> dict[str, Story]:
    """The attempts and events of some orders up to an event, as `story_of` tells them, and with
    messages for what happened.
    """
    own = journal.histories(sorted(order_ids))
    beside = _beside(journal, order_ids)
    found = {}
    for order_id in order_ids:
        mine = [one for one in own.get(order_id, []) if one.seq <= until]
        others = [one for one in beside[order_id] if one.seq <= until]
        later = _later(others)
        events = sorted([*mine, *others], key=lambda one: one.seq)
        found[order_id] = Story(
            [_attempt(one, later) for one in fold(mine)], list(map(_event, events))
        )
    return found


def _later(events: Iterable[Event]) -> Later:
    """What was given back or disputed, as some events have it."""
    refunds = {}
    disputes = {}
    for told in map(of, events):
        if isinstance(told, RefundSeen):
            refunds[told.charge_id] = told
        elif isinstance(told, DisputeSeen):
            disputes[told.charge_id] = told
    return Later(refunds, disputes)


def _attempt(attempt: Attempt, later: Later) -> dict[str, Any]:
    """One try at a charge as it stands: what was asked, what the gateway took, where the share is.
    Sums in the smallest unit.
    """
    asked = attempt.intent
    told: dict[str, Any] = {
        "attempt": asked.attempt,
        "key": asked.key,
        "state": attempt.state,
        "adopted": attempt.adopted,
        "sends": attempt.sends,
        "amount": asked.amount,
        "currency": asked.currency.upper(),
        "destination": asked.destination,
        "payment_method": payment_method(asked.payer),
        "charge": None,
        "transfer": None,
        "refunded": 0,
        "dispute": "",
    }
    charge = attempt.charge
    if charge is None:
        return told
    told["charge"] = {
        "id": charge.id,
        "status": charge.status,
        "failure_code": charge.failure_code or "",
        "amount": charge.taken,
        "currency": charge.currency.upper(),
        "made_at": charge.created_at,
        "fee": charge.fee,
        "fee_vat": charge.fee_vat,
        "net": charge.net,
        "fee_currency": charge.funding_currency or "",
        "platform_fee": charge.platform_fee,
        "recipient_amount": share_of(attempt),
        "authorize_uri": charge.authorize_uri or "",
        "expires_at": charge.expires_at,
        "qr_uri": charge.qr_uri,
    }
    seen = attempt.transfer
    if seen is not None:
        told["transfer"] = {**asdict(seen), "flaws": list(seen.flaws)}
    refund = later.refunds.get(charge.id)
    if refund is not None:
        told["refunded"] = refund.total
    dispute = later.disputes.get(charge.id)
    if dispute is not None:
        told["dispute"] = dispute.status
    return told


def _beside(
    journal: SqliteJournal, order_ids: Collection[str]
) -> dict[str, list[Event]]:
    """What is about orders and no part of their attempts, the lift of a stop that they caused with
    it.
    """
    found: dict[str, list[Event]] = {order_id: [] for order_id in order_ids}
    stopped: set[str] = set()
    for event in journal.events((*BESIDE, Lifted.kind)):
        if event.kind == Lifted.kind:
            for order_id in sorted(stopped):
                found[order_id].append(event)
            stopped = set()
            continue
        order_id = order_of(event)
        if order_id in found:
            found[order_id].append(event)
            if event.kind == Stop.kind:
                stopped.add(order_id)
    return found


def _findings(
    job: Job,
    journal: SqliteJournal,
    batch: Batch,
    order_id: str,
) -> Iterator[Finding]:
    guards = guards_of_batch(job, journal, batch)
    hold = last_hold(journal, batch.id)
    lineages = Lineages.of_job(job, journal)
    owns = order_id in journal.orders_of(batch.id)
    for chunk in journal.chunks(batch.id):
        ids = {document.get("order_id") for document in chunk.documents}
        if owns or order_id in ids:
            of_rows = history_of(journal, batch, chunk, lineages=lineages)
            rows = rows_of(batch.id, chunk, journal.repeats(batch.id))
            for finding in find(batch, rows, of_rows, guards, hold):
                if finding.order_id == order_id:
                    yield finding


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "batch": finding.batch_id,
        "file": finding.file,
        "sheet": finding.sheet,
        "row": finding.row,
        "outcome": finding.outcome.value,
        "reason": finding.reason,
        "who_acts": finding.who_acts,
        "charge": finding.charge_id,
        "settled_by": finding.settled_by,
        "mode": mode_told(finding.mode),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": iso(event.at_ns),
        "seq": event.seq,
        "kind": event.kind,
        "attempt": event.attempt,
        "send": event.send,
        "charge": charge_id_in(event),
        "state": state_of(event),
        "run": event.run_id,
        "who": who_said(event),
        "told": _in_words(event),
    }


# --- in words


def _in_words(event: Event) -> tuple[Message, ...]:
    told = of(event)
    tell = _WORDS.get(type(told))
    if tell is None:
        return (plain(event.kind),)
    return tuple(tell(told, event))


def _intended(told: Intended, event: Event) -> Iterator[Message]:
    named = {"send": event.send, "attempt": event.attempt}
    if event.row:
        yield said.INTENDED_FOR(**named, row=event.row, batch=event.batch_id)
    else:
        yield said.INTENDED(**named)
    if told.intent is None:
        yield said.SAME_AGAIN()
    elif told.intent.key:
        yield said.KEY(key=told.intent.key)
    else:
        yield said.SAME_AGAIN()


def _voided(_: Voided, event: Event) -> Iterator[Message]:
    yield said.VOIDED(send=event.send)


_PROVES: Mapping[str, Entry] = {
    Proof.CHARGE: said.PROVES_CHARGE,
    Proof.UNPROVEN: said.PROVES_UNPROVEN,
    Proof.REFUSED: said.PROVES_REFUSED,
    Proof.THROTTLED: said.PROVES_THROTTLED,
    Proof.NOT_SENT: said.PROVES_NOT_SENT,
    Proof.NOT_HERE: said.PROVES_NOT_HERE,
    Proof.KEY_REFUSED: said.PROVES_KEY_REFUSED,
    Proof.KEY_REUSED: said.PROVES_KEY_REUSED,
    Proof.IN_DOUBT: said.PROVES_IN_DOUBT,
}


def _answered(told: Answered, event: Event) -> Iterator[Message]:
    if told.status:
        yield said.ANSWERED(send=event.send, status=told.status)
    else:
        yield said.UNANSWERED(send=event.send)
    proof = _PROVES.get(told.verdict)
    if proof is not None:
        yield proof()
    else:
        yield said.PROVES(verdict=told.verdict)
    yield from _charge(told)
    words = " ".join(filter(None, (told.code, shown(told.message, 300))))
    if words:
        yield plain(words)
    yield from map(plain, told.flaws)


def _charge(told: Evidence) -> Iterator[Message]:
    charge = told.charge
    if charge is None:
        return
    named: dict[str, Field] = {
        "charge": charge.id or said.A_CHARGE(),
        "status": charge.status,
        "money": _money(charge.amount, charge.currency.upper()),
    }
    if charge.failure_code:
        yield said.CHARGE_FAILED(**named, failure=charge.failure_code)
    else:
        yield said.CHARGE_IS(**named)


def _money(minor: int, currency: str) -> Field:
    """With the number that programs and the gateway know it by, where that is another."""
    told = money_told(minor, currency)
    if EXPONENTS.get(currency.upper()):
        return said.BOTH_UNITS(money=told, minor=minor)
    return told


def _found(told: Found, _: Event) -> Iterator[Message]:
    if told.by_id:
        yield said.FOUND_BY_ID()
    else:
        yield said.FOUND_IN_LIST()
    yield from _charge(told)
    yield from map(plain, told.flaws)


def _absent(told: Absent, _: Event) -> Iterator[Message]:
    if told.closes:
        yield said.ABSENT_CLOSES()
    else:
        yield said.ABSENT()


def _resolved(told: Resolved, _: Event) -> Iterator[Message]:
    yield said.RESOLVED(said=told.said, reason=shown(told.reason, 300))
    yield from _charge(told)


def _cancelled(told: OrderCancelled, _: Event) -> Iterator[Message]:
    yield said.CANCELLED(reason=shown(told.reason, 300))


def _adopted(told: Adopted, _: Event) -> Iterator[Message]:
    if told.word is None:
        yield said.ADOPTED()
    else:
        reason = shown(told.word.reason, 300)
        yield said.ADOPTED_BY_WORD(by=told.word.by, reason=reason)
    yield from _charge(told)


def _withdrawn(_: Withdrawn, __: Event) -> Iterator[Message]:
    yield said.WITHDRAWN()


def _missing(told: Missing, _: Event) -> Iterator[Message]:
    if told.charge_id:
        yield said.MISSING(charge=told.charge_id)
    else:
        yield said.MISSING_UNNAMED()


def _unclear(told: Unclear, _: Event) -> Iterator[Message]:
    yield said.UNCLEAR(charge=told.charge_id)


def _untold(told: Untold, _: Event) -> Iterator[Message]:
    if told.account:
        yield said.UNTOLD_ACCOUNT(account=told.charge_id)
    else:
        yield said.UNTOLD(charge=told.charge_id)


def _disbelieved(_: Disbelieved, __: Event) -> Iterator[Message]:
    yield said.DISBELIEVED()


def _elsewhere(told: ChargedElsewhere, _: Event) -> Iterator[Message]:
    yield said.ELSEWHERE(job=shown(told.job), charge=told.charge_id)


def _stop(told: Stop, _: Event) -> Iterator[Message]:
    yield said.STOPPED(reason=plain(shown(told.reason, 300)))


def _lifted(told: Lifted, _: Event) -> Iterator[Message]:
    yield said.LIFTED(reason=shown(told.reason, 300))


def _refunded(told: RefundSeen, _: Event) -> Iterator[Message]:
    if told.charged is None or not told.total:
        yield said.BOOKS(told=shown(told.told, 500))
        return
    yield said.REFUNDED(
        back=_money(told.total, told.currency),
        charge=told.charge_id,
        charged=_money(told.charged, told.currency),
    )


def _disputed(told: DisputeSeen, _: Event) -> Iterator[Message]:
    money = _money(told.amount, told.currency)
    status = shown(told.status, 80)
    yield said.DISPUTED(charge=told.charge_id, money=money, status=status)


def _transfer(told: TransferSeen, _: Event) -> Iterator[Message]:
    """Where the share is, when, and how much of it arrives."""
    if told.amount is None:
        yield said.TRANSFER_IS(transfer=told.id, stands=told.stands)
    else:
        money = _money(told.amount, told.currency)
        yield said.TRANSFER_OF(transfer=told.id, stands=told.stands, money=money)
    arrives = told.stands in ARRIVES
    if arrives and told.net is not None and told.fee is not None:
        net, fee = (money_told(one, told.currency) for one in (told.net, told.fee))
        yield said.BANK_GETS(net=net, fee=fee)
    if told.sent_at:
        yield said.TRANSFER_SENT(at=told.sent_at)
    if told.paid_at:
        yield said.TRANSFER_PAID(at=told.paid_at)
    failed = ", ".join(filter(None, [told.code, told.message]))
    yield from map(plain, [*filter(None, [failed]), *told.flaws])


def _noted(told: DifferenceNoted, _: Event) -> Iterator[Message]:
    difference = shown(told.id, 200)
    yield said.NOTED(difference=difference, reason=shown(told.reason, 300))


# each takes an event of its own class only
_WORDS: Mapping[type[Told], Callable[[Any, Event], Iterator[Message]]] = {
    Intended: _intended,
    Voided: _voided,
    Answered: _answered,
    Found: _found,
    Absent: _absent,
    Unclear: _unclear,
    Untold: _untold,
    Disbelieved: _disbelieved,
    Missing: _missing,
    Resolved: _resolved,
    OrderCancelled: _cancelled,
    Adopted: _adopted,
    Withdrawn: _withdrawn,
    ChargedElsewhere: _elsewhere,
    Stop: _stop,
    Lifted: _lifted,
    RefundSeen: _refunded,
    DisputeSeen: _disputed,
    TransferSeen: _transfer,
    DifferenceNoted: _noted,
}
