"""One order's whole story: every row that asks for it, and every event of it in words, from the
journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from batchpay.batches.clock import iso
from batchpay.batches.guards import guards_of_batch
from batchpay.batches.history import history_of
from batchpay.batches.last import last_hold
from batchpay.batches.standings import Later, later_in
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
from batchpay.domain.money import both_units, money_told
from batchpay.domain.text import mode_told
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.after import share_of
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.plan import payment_method
from batchpay.lifecycle.rows import rows_of
from batchpay.reconciliation.findings import find

# kinds of event that are about an order, and no part of its attempts
BESIDE = kinds(Stop, RefundSeen, DisputeSeen, DifferenceNoted)


def story_of(job: Job, journal: SqliteJournal, order_id: str) -> dict[str, Any]:
    """`rows` that ask for an order, where each stands, its `attempts`, and its `events`, oldest
    first; all may be empty.
    """
    rows: list[dict[str, Any]] = []
    later = later_in(journal)
    for batch in journal.batches():
        rows += map(_row, later.of(list(_findings(job, journal, batch, order_id))))
    own = journal.histories([order_id]).get(order_id, [])
    beside = _beside(journal, {order_id})[order_id]
    events = sorted([*own, *beside], key=lambda event: event.seq)
    return {
        "order": order_id,
        "mode": mode_told(job.gateway.mode),
        "rows": rows,
        "attempts": [_attempt(one, later) for one in fold(own)],
        "events": list(map(_event, events)),
    }


def stories_of(
    journal: SqliteJournal, order_ids: Collection[str], until: int
) -> dict[str, list[dict[str, Any]]]:
    """The events of some orders up to one, oldest first, as `story_of` tells them."""
    own = journal.histories(sorted(order_ids))
    beside = _beside(journal, order_ids)
    found = {}
    for order_id in order_ids:
        events = sorted(
            [*own.get(order_id, []), *beside[order_id]], key=lambda one: one.seq
        )
        found[order_id] = [_event(event) for event in events if event.seq <= until]
    return found


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
        "amount": charge.amount,
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


def _in_words(event: Event) -> str:
    told = of(event)
    tell = _WORDS.get(type(told))
    if tell is None:
        return event.kind
    return tell(told, event)


def _intended(told: Intended, event: Event) -> str:
    place = ""
    key = ", the same request again"
    if event.row:
        place = f" for row {event.row} of batch {event.batch_id}"
    if told.intent is not None and told.intent.key:
        key = f", key {told.intent.key}"
    return f"request {event.send} of attempt {event.attempt} written down, to be sent{place}{key}"


def _voided(_: Voided, event: Event) -> str:
    return f"request {event.send} was not sent after all: no byte left this machine"


def _answered(told: Answered, event: Event) -> str:
    status = "no complete answer"
    if told.status:
        status = f"status {told.status}"
    words = " ".join(filter(None, (told.code, shown(told.message, 300))))
    parts = (
        f"request {event.send} came to {status}",
        f"which proves: {told.verdict}",
        _charge(told),
        words,
        *told.flaws,
    )
    return "; ".join(filter(None, parts))


def _charge(told: Evidence) -> str:
    charge = told.charge
    if charge is None:
        return ""
    money = both_units(charge.amount, charge.currency.upper())
    failed = ""
    if charge.failure_code:
        failed = f" ({charge.failure_code})"
    return f"{charge.id or 'a charge'} is {charge.status}{failed}, {money}"


def _found(told: Found, _: Event) -> str:
    how = "found in a list"
    if told.by_id:
        how = "asked for by its id"
    return "; ".join([f"looked up, {how}", _charge(told), *told.flaws])


def _absent(told: Absent, _: Event) -> str:
    proof = "one look-up alone proves nothing"
    if told.closes:
        proof = "this proves that nothing was charged"
    return (
        f"looked up: a complete list after the doubt period does not show it; {proof}"
    )


def _resolved(told: Resolved, _: Event) -> str:
    words = f"a person settled it as {told.said}: {shown(told.reason, 300)}"
    return "; ".join(filter(None, [words, _charge(told)]))


def _cancelled(told: OrderCancelled, _: Event) -> str:
    return f"a person cancelled it, it is never sent: {shown(told.reason, 300)}"


def _adopted(told: Adopted, _: Event) -> str:
    words = "the gateway had a charge that this journal did not know: adopted"
    if told.word is not None:
        said = f"{told.word.by}: {shown(told.word.reason, 300)}"
        words = f"a charge that names nobody is this order's, as a person said, {said}"
    return f"{words}; {_charge(told)}"


def _withdrawn(_: Withdrawn, __: Event) -> str:
    return "never charged, and gives way to the next attempt"


def _missing(told: Missing, _: Event) -> str:
    if told.charge_id:
        return f"the gateway answered that it knows no charge {told.charge_id}"
    return "the gateway answered that it knows no charge of this id"


def _unclear(told: Unclear, _: Event) -> str:
    return f"looked up: {told.charge_id} may be its charge, and carries no key"


def _untold(told: Untold, _: Event) -> str:
    if told.account:
        return (
            f"account {told.charge_id} shows nothing of the time before it was told: it"
            " proves nothing about this order"
        )
    return f"asked again before the next attempt: the gateway did not show {told.charge_id}"


def _disbelieved(told: Disbelieved, _: Event) -> str:
    return (
        "the gateway charged behind a 429 elsewhere: this one proves nothing any more"
    )


def _elsewhere(told: ChargedElsewhere, _: Event) -> str:
    return f"job {shown(told.job)} has a charge of this order id: {told.charge_id}"


def _stop(told: Stop, _: Event) -> str:
    return f"STOP, nothing is sent until a person lifts it: {shown(told.reason, 300)}"


def _lifted(told: Lifted, _: Event) -> str:
    return f"a person lifted the stop: {shown(told.reason, 300)}"


def _refunded(told: RefundSeen, _: Event) -> str:
    return f"the gateway's books have {shown(told.told, 500)}"


def _disputed(told: DisputeSeen, _: Event) -> str:
    money = both_units(told.amount, told.currency)
    return (
        f"its payer's bank disputes {told.charge_id}, {money}: {shown(told.status, 80)}"
    )


def _transfer(told: TransferSeen, _: Event) -> str:
    """Where the share is, when, and how much of it arrives."""
    parts = [f"transfer {told.id} is {told.stands}"]
    if told.amount is not None:
        parts[0] += f", {both_units(told.amount, told.currency)}"
    if told.net is not None and told.fee is not None:
        net = money_told(told.net, told.currency)
        parts.append(
            f"the bank gets {net}, after a fee of {money_told(told.fee, told.currency)}"
        )
    for name, at in (("sent", told.sent_at), ("paid", told.paid_at)):
        if at:
            parts.append(f"{name} {at}")
    failed = ", ".join(filter(None, [told.code, told.message]))
    return "; ".join([*parts, *filter(None, [failed]), *told.flaws])


def _noted(told: DifferenceNoted, _: Event) -> str:
    difference = shown(told.id, 200)
    return f"a person took note of the audit's difference {difference}: {shown(told.reason, 300)}"


# each takes an event of its own class only
_WORDS: Mapping[type[Told], Callable[[Any, Event], str]] = {
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
