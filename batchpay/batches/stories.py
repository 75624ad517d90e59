"""One order's whole story: every row that asks for it, and every event of it in words, from the
journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from batchpay.batches import history
from batchpay.batches.clock import iso
from batchpay.domain.model import Batch, Event, Finding, StoredChunk
from batchpay.domain.money import both_units
from batchpay.domain.text import mode_told
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.standing import Guards, rows_of
from batchpay.reconciliation.findings import find

Told = Callable[[Mapping[str, Any], Event], str]
# kinds of event that are about an order, and no part of its attempts
BESIDE = ("stop", "refunded", "noted")


def story_of(job: Job, journal: SqliteJournal, order_id: str) -> dict[str, Any]:
    """`rows` that ask for an order, where each stands, and its `events`, oldest first; both may be
    empty.
    """
    rows: list[dict[str, Any]] = []
    for batch in journal.batches():
        rows += map(_row, _findings(job, journal, batch, order_id))
    own = journal.histories([order_id]).get(order_id, [])
    events = sorted([*own, *_beside(journal, order_id)], key=lambda event: event.seq)
    return {
        "order": order_id,
        "mode": mode_told(job.gateway.mode),
        "rows": rows,
        "events": list(map(_event, events)),
    }


def _beside(journal: SqliteJournal, order_id: str) -> Iterator[Event]:
    """What is about the order and no part of its attempts, the lift of a stop that it caused with
    it.
    """
    stopped = False
    for event in journal.events((*BESIDE, "lifted")):
        if event.kind == "lifted":
            mine, stopped = stopped, False
        else:
            mine = event.data.get("order") == order_id
            stopped = stopped or (mine and event.kind == "stop")
        if mine:
            yield event


def _findings(job: Job, journal: SqliteJournal, batch: Batch, order_id: str) -> Iterator[Finding]:
    guards = history.guards_of_batch(job, journal, batch)
    hold = history.last_hold(journal, batch.id)
    owns = order_id in journal.orders_of(batch.id)
    for chunk in journal.chunks(batch.id):
        ids = {document.get("order_id") for document in chunk.documents}
        if owns or order_id in ids:
            yield from _of_chunk(journal, batch, chunk, order_id, guards, hold)


def _of_chunk(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    order_id: str,
    guards: Guards,
    hold: str,
) -> Iterator[Finding]:
    of_rows = history.history_of(journal, batch, chunk)
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
    charge = event.data.get("charge")
    if isinstance(charge, dict):
        known = charge.get("id", "")
    else:
        known = str(charge or event.data.get("charge_id", ""))
    tell = _WORDS.get(event.kind, _otherwise)
    return {
        "at": iso(event.at_ns),
        "seq": event.seq,
        "kind": event.kind,
        "attempt": event.attempt,
        "send": event.send,
        "charge": known,
        "state": str(event.data.get("state", "")),
        "run": event.run_id,
        "who": str(event.data.get("by", "")),
        "told": tell(event.data, event),
    }


# --- in words


def _intent(data: Mapping[str, Any], event: Event) -> str:
    asked = data.get("intent")
    if event.row:
        place = f" for row {event.row} of batch {event.batch_id}"
    else:
        place = ""
    if isinstance(asked, dict) and asked.get("key"):
        key = f", key {asked['key']}"
    else:
        key = ", the same request again"
    return f"request {event.send} of attempt {event.attempt} written down, to be sent{place}{key}"


def _answer(data: Mapping[str, Any], event: Event) -> str:
    if data.get("status"):
        status = f"status {data['status']}"
    else:
        status = "no complete answer"
    code, message = str(data.get("code", "")), shown(str(data.get("message", "")), 300)
    parts = [
        f"request {event.send} came to {status}",
        f"which proves: {data.get('verdict', '')}",
        _charge(data),
        " ".join(filter(None, (code, message))),
        *map(str, data.get("flaws", ())),
    ]
    return "; ".join(filter(None, parts))


def _charge(data: Mapping[str, Any]) -> str:
    charge = data.get("charge")
    if not isinstance(charge, dict):
        return ""
    amount, currency = int(charge.get("amount") or 0), str(charge.get("currency", ""))
    money = both_units(amount, currency.upper())
    status = charge.get("status", "")
    if charge.get("failure_code"):
        status = f"{status} ({charge['failure_code']})"
    return f"{charge.get('id', 'a charge')} is {status}, {money}"


def _found(data: Mapping[str, Any], _: Event) -> str:
    if data.get("by_id"):
        how = "asked for by its id"
    else:
        how = "found in a list"
    parts = [f"looked up, {how}", _charge(data), *map(str, data.get("flaws", ()))]
    return "; ".join(parts)


def _absent(data: Mapping[str, Any], _: Event) -> str:
    if data.get("closes"):
        proof = "this proves that nothing was charged"
    else:
        proof = "one look-up alone proves nothing"
    return f"looked up: a complete list after the doubt period does not show it; {proof}"


def _resolved(data: Mapping[str, Any], _: Event) -> str:
    told = f"a person settled it as {data.get('as', '')}: {_reason(data)}"
    return "; ".join(filter(None, [told, _charge(data)]))


def _reason(data: Mapping[str, Any]) -> str:
    return shown(str(data.get("reason", "")), 300)


def _cancelled(data: Mapping[str, Any], _: Event) -> str:
    return f"a person cancelled it, it is never sent: {_reason(data)}"


def _adopted(data: Mapping[str, Any], _: Event) -> str:
    if word := data.get("word"):
        said = f"{word['by']}: {_reason(word)}"
        told = f"a charge that names nobody is this order's, as a person said, {said}"
    else:
        told = "the gateway had a charge that this journal did not know: adopted"
    return f"{told}; {_charge(data)}"


def _unclear(data: Mapping[str, Any], _: Event) -> str:
    return f"looked up: {data.get('charge_id', '')} may be its charge, and carries no key"


def _untold(data: Mapping[str, Any], _: Event) -> str:
    if data.get("account"):
        return (
            f"account {data.get('charge_id', '')} shows nothing of the time before it was told: it"
            " proves nothing about this order"
        )
    return (
        f"asked again before the next attempt: the gateway did not show {data.get('charge_id', '')}"
    )


def _elsewhere(data: Mapping[str, Any], _: Event) -> str:
    return (
        f"job {shown(str(data.get('job', '')))} has a charge of this order id:"
        f" {data.get('charge_id', '')}"
    )


def _stop(data: Mapping[str, Any], _: Event) -> str:
    return f"STOP, nothing is sent until a person lifts it: {_reason(data)}"


def _lifted(data: Mapping[str, Any], _: Event) -> str:
    return f"a person lifted the stop: {_reason(data)}"


def _refunded(data: Mapping[str, Any], _: Event) -> str:
    return f"an audit found {shown(str(data.get('told', '')), 500)}"


def _noted(data: Mapping[str, Any], _: Event) -> str:
    of = shown(str(data.get("id", "")), 200)
    return f"a person took note of the audit's difference {of}: {_reason(data)}"


def _otherwise(_: Mapping[str, Any], event: Event) -> str:
    return event.kind


_WORDS: Mapping[str, Told] = {
    "intent": _intent,
    "voided": lambda _, event: (
        f"request {event.send} was not sent after all: no byte left this machine"
    ),
    "answer": _answer,
    "found": _found,
    "absent": _absent,
    "unclear": _unclear,
    "untold": _untold,
    "missing": lambda *_: "the gateway answered that it knows no charge of this id",
    "resolved": _resolved,
    "cancelled": _cancelled,
    "adopted": _adopted,
    "withdrawn": lambda *_: "never charged, and gives way to the next attempt",
    "elsewhere": _elsewhere,
    "stop": _stop,
    "lifted": _lifted,
    "refunded": _refunded,
    "noted": _noted,
}
