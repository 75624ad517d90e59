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
BESIDE = (
    "stop",
    "refunded",
    "noted",
)  # kinds of event that are about an order, and no part of its attempts


def story_of(job: Job, journal: SqliteJournal, order_id: str) -> dict[str, Any]:
    """`rows` that ask for an order, where each stands, and its `events`, oldest first; both may be
    empty.
    """
    rows = [
        _row(finding)
        for batch in journal.batches()
        for finding in _findings(job, journal, batch, order_id)
    ]
    beside = _beside(journal, order_id)
    events = sorted(
        [*journal.histories([order_id]).get(order_id, []), *beside], key=lambda event: event.seq
    )
    mode = mode_told(job.gateway.mode)
    return {
        "order": order_id,
        "mode": mode,
        "rows": rows,
        "events": [_event(event) for event in events],
    }


def _beside(journal: SqliteJournal, order_id: str) -> Iterator[Event]:
    """What is about the order and no part of its attempts, the lift of a stop that it caused with
    it.
    """
    stopped = False
    for event in journal.events((*BESIDE, "lifted")):
        if event.kind == "lifted":
            mine = stopped
        else:
            mine = event.data.get("order") == order_id
        stopped = event.kind != "lifted" and (stopped or (mine and event.kind == "stop"))
        if mine:
            yield event


def _findings(job: Job, journal: SqliteJournal, batch: Batch, order_id: str) -> Iterator[Finding]:
    guards, hold = (
        history.guards_of_batch(job, journal, batch),
        history.last_hold(journal, batch.id),
    )
    owned = set(journal.orders_of(batch.id))
    for chunk in journal.chunks(batch.id):
        if order_id in owned or any(
            document.get("order_id") == order_id for document in chunk.documents
        ):
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
    for finding in find(
        batch, rows_of(batch.id, chunk, journal.repeats(batch.id)), of_rows, guards, hold
    ):
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
# --------------------------------------------------------------------------------------------------


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
    words = " ".join(
        filter(None, (str(data.get("code", "")), shown(str(data.get("message", "")), 300)))
    )
    parts = [
        f"request {event.send} came to {status}",
        f"which proves: {data.get('verdict', '')}",
        _charge(data),
        words,
    ]
    return "; ".join(filter(None, [*parts, *map(str, data.get("flaws", ()))]))


def _charge(data: Mapping[str, Any]) -> str:
    charge = data.get("charge")
    if not isinstance(charge, dict):
        return ""
    money = both_units(int(charge.get("amount") or 0), str(charge.get("currency", "")).upper())
    if charge.get("failure_code"):
        failed = f" ({charge['failure_code']})"
    else:
        failed = ""
    return f"{charge.get('id', 'a charge')} is {charge.get('status', '')}{failed}, {money}"


def _found(data: Mapping[str, Any], _: Event) -> str:
    if data.get("by_id"):
        how = "asked for by its id"
    else:
        how = "found in a list"
    return "; ".join(["looked up, " + how, _charge(data), *map(str, data.get("flaws", ()))])


def _absent(data: Mapping[str, Any], _: Event) -> str:
    if data.get("closes"):
        proof = "this proves that nothing was charged"
    else:
        proof = "one look-up alone proves nothing"
    return f"looked up: a complete list after the doubt period does not show it; {proof}"


def _resolved(data: Mapping[str, Any], _: Event) -> str:
    told = f"a person settled it as {data.get('as', '')}: {shown(str(data.get('reason', '')), 300)}"
    return "; ".join(filter(None, [told, _charge(data)]))


def _cancelled(data: Mapping[str, Any], _: Event) -> str:
    return f"a person cancelled it, it is never sent: {shown(str(data.get('reason', '')), 300)}"


def _adopted(data: Mapping[str, Any], _: Event) -> str:
    if word := data.get("word"):
        said = f"{word['by']}: {shown(str(word['reason']), 300)}"
        return "; ".join(
            [f"a charge that names nobody is this order's, as a person said, {said}", _charge(data)]
        )
    return "; ".join(
        ["the gateway had a charge that this journal did not know: adopted", _charge(data)]
    )


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
    return (
        f"STOP, nothing is sent until a person lifts it: {shown(str(data.get('reason', '')), 300)}"
    )


def _lifted(data: Mapping[str, Any], _: Event) -> str:
    return f"a person lifted the stop: {shown(str(data.get('reason', '')), 300)}"


def _refunded(data: Mapping[str, Any], _: Event) -> str:
    return f"an audit found {shown(str(data.get('told', '')), 500)}"


def _noted(data: Mapping[str, Any], _: Event) -> str:
    of = shown(str(data.get("id", "")), 200)
    return (
        f"a person took note of the audit's difference {of}:"
        f" {shown(str(data.get('reason', '')), 300)}"
    )


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
