"""The journal read back: what it says about rows, batches and runs. Everything shown comes through here (law L9)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from batchpay.clock import iso, ns_of
from batchpay.job import Job
from batchpay.journals.sqlite import SqliteJournal
from batchpay.kinship import Ancestry, Lineages, by_order
from batchpay.lifecycle import Attempt, fold
from batchpay.model import OPEN, Batch, Document, Event, Finding, Outcome, StoredChunk
from batchpay.money import major_text
from batchpay.planning import alike, payer_of, place_of, terms_of
from batchpay.reconciliation import MAY_BE_SETTLED, NOT_SENT_YET, Totals, find
from batchpay.settlement.books import stop_in_force
from batchpay.standing import Elsewhere, Guards, History, Near, rows_of

LISTED = 100  # open rows of a batch that `status` spells out
FIRST_LOOK = timedelta(days=35)  # how far back an empty journal looks (law L11)
NEAR_NS = 10 * 86_400 * 10**9  # how long an order of the same payer, recipient and amount is told (contract, section 2)


def history_of(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    but: frozenset[int] = frozenset(),
    lineages: Lineages | None = None,
) -> History:
    """What the journal knows that matters to the rows of a chunk, `but` some that are of no interest.

    `lineages`: what follows corrections back, if it is kept from chunk to chunk.
    """
    owned = journal.owned(batch.id, chunk.sheet, chunk.rows[0], chunk.rows[-1]) if chunk.rows else {}
    owned = {row: order_id for row, order_id in owned.items() if row not in but}
    documents = [d for row, d in zip(chunk.rows, chunk.documents, strict=True) if row not in but]
    asked = [document["order_id"] for document in documents if "order_id" in document]
    histories = journal.histories([*asked, *owned.values()])
    attempts = {order_id: folded for order_id, events in histories.items() if (folded := fold(events))}
    return History(
        attempts=attempts,
        owned=owned,
        look_alikes=_look_alikes(journal, asked),
        cancelled=_cancelled(histories),
        corrected=_corrected(journal, batch, chunk, but, lineages or Lineages(journal)),
        elsewhere=_elsewhere(journal, asked, histories),
        near=_near(journal, batch, documents),
        received_ns=batch.first_seen_ns,
    )


def _cancelled(histories: Mapping[str, list[Event]]) -> dict[str, str]:
    events = (event for found in histories.values() for event in found if event.kind == "cancelled")
    return {event.order_id: str(event.data["reason"]) for event in events}


def _look_alikes(journal: SqliteJournal, asked: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    """Form -> the last attempt of every order whose id has that form, but for those with the very id that is asked."""
    mine = set(asked)
    forms = journal.look_alikes(list({alike(order_id) for order_id in asked}))
    twins = {form: ids for form, ids in forms.items() if len(set(ids)) > 1 or not mine.issuperset(ids)}
    others = attempts_of(journal, [other for ids in twins.values() for other in ids])
    return {form: tuple(a for other in ids for a in others.get(other, ())[-1:]) for form, ids in twins.items()}


def _corrected(
    journal: SqliteJournal, batch: Batch, chunk: StoredChunk, but: frozenset[int], lineages: Lineages
) -> dict[str, tuple[Attempt, ...]]:
    """Place of a row -> the attempts of other orders that are one sale with it (kinship)."""
    sought = {}
    for at in (at for at, row in enumerate(chunk.rows) if row not in but):
        place, order_id = place_of(batch.id, chunk.sheet, chunk.rows[at]), chunk.documents[at].get("order_id")
        if told := chunk.corrects.get(at):
            sought[place] = _sought(journal, place, str(order_id or ""), lineages.of(told), lineages)
        else:
            keys = (place, by_order(str(order_id))) if order_id else (place,)
            sought[place] = _Sought(str(order_id or ""), keys)
    orders = journal.corrected([key for one in sought.values() for key in one.keys])
    ids = {order_id for some in orders.values() for order_id in some}
    ids.update(order_id for one in sought.values() for order_id in one.order_ids)
    if not ids:
        return {}
    attempts = attempts_of(journal, sorted(ids))
    found = {place: tuple(_kin(one, orders, attempts)) for place, one in sought.items()}
    return {place: some for place, some in found.items() if some}


class _Sought(NamedTuple):
    """By what the other attempts of a row's sale are found."""

    order_id: str  # its own: what that order did is told apart from what its kin did
    keys: tuple[str, ...]  # of Intent.corrects
    order_ids: frozenset[str] = frozenset()  # of the rows that it goes back to


def _sought(journal: SqliteJournal, place: str, order_id: str, ancestry: Ancestry, lineages: Lineages) -> _Sought:
    first_ids = [by_order(one) for one in dict.fromkeys((order_id, *ancestry.order_ids)) if one]
    owners: set[str] = set(ancestry.order_ids)
    for known in filter(None, map(lineages.where, ancestry.places)):
        batch_id, sheet, row = known
        owners.update(journal.owned(batch_id, sheet, row, row).values())
    return _Sought(order_id, (place, *ancestry.places, *first_ids), frozenset(owners))


def _kin(
    sought: _Sought, orders: Mapping[str, Sequence[str]], attempts: Mapping[str, tuple[Attempt, ...]]
) -> Iterator[Attempt]:
    """The attempts of other orders that correct what a row is or goes back to, or that those rows caused."""
    correcting = [order_id for key in sought.keys for order_id in orders.get(key, ())]
    for order_id in dict.fromkeys((*correcting, *sorted(sought.order_ids))):
        if order_id == sought.order_id:
            continue
        for attempt in attempts.get(order_id, ()):
            if order_id in sought.order_ids or attempt.intent.corrects in sought.keys:
                yield attempt


def _elsewhere(
    journal: SqliteJournal, asked: Sequence[str], histories: Mapping[str, list[Event]]
) -> dict[str, tuple[Elsewhere, ...]]:
    """Order id -> charges of it that other jobs made: as the gateway's lists told, and as this very file keeps them."""
    found: dict[str, list[Elsewhere]] = {}
    for order_id, events in histories.items():
        latest = {event.data["charge_id"]: event for event in events if event.kind == "elsewhere"}
        for event in latest.values():
            if event.data["takes_money"]:
                kept = {name: event.data[name] for name in ("job", "charge_id", "payer", "destination", "amount")}
                found.setdefault(order_id, []).append(Elsewhere(**kept, currency=event.data["currency"]))
    for order_id, by_job in journal.elsewhere(asked).items():
        for job, events in by_job.items():
            for attempt in fold(events):
                if not attempt.closed and not attempt.ready:
                    found.setdefault(order_id, []).append(_elsewhere_of(job, attempt))
    return {order_id: tuple(some) for order_id, some in found.items()}


def _elsewhere_of(job: str, attempt: Attempt) -> Elsewhere:
    asked = attempt.intent
    charge_id = attempt.charge.id if attempt.charge else "a request without an answer"
    return Elsewhere(job, charge_id, asked.payer, asked.destination, asked.amount, asked.currency)


def _near(journal: SqliteJournal, batch: Batch, documents: Sequence[Document]) -> dict[str, tuple[Near, ...]]:
    """Terms -> what was asked for them within ten days before the file came, or since."""
    terms = {_terms(document) for document in documents if _has_terms(document)}
    asked = journal.asked_terms(sorted(terms), batch.first_seen_ns - NEAR_NS)
    return {some: tuple(Near(*one) for one in found) for some, found in asked.items()}


def _has_terms(document: Document) -> bool:
    return all(name in document for name in ("destination", "amount", "currency"))


def _terms(document: Document) -> str:
    return terms_of(payer_of(document), document["destination"], document["amount"], document["currency"])


def guards_of(job: Job, journal: SqliteJournal, refusal: str = "", present: Collection[str] | None = None) -> Guards:
    """What holds rows of a batch back now. `present`: the batches of this run, else those of the last one."""
    barred, smallest = preflight_of(journal)
    return Guards(
        refusal=refusal,
        stop=stop_in_force(journal.events(["stop", "lifted"])),
        barred=barred,
        smallest_share=smallest if job.controls.min_share == "hold" else {},
        fee=job.fee,
        alike_ids=job.input.alike_ids,
        near_duplicates=job.controls.near_duplicates,
        cancelled={alike(event.order_id): event.order_id for event in journal.cancelled()},
        present=frozenset((last_inputs(journal) or ()) if present is None else present),
    )


def guards_of_batch(job: Job, journal: SqliteJournal, batch: Batch) -> Guards:
    """The same for a batch as its rows stand now, whether or not its file was there in the last run."""
    inputs = last_inputs(journal)
    gone = batch.file if inputs is not None and batch.id not in inputs else ""
    return replace(guards_of(job, journal, batch.refusal), gone=gone)


def last_inputs(journal: SqliteJournal) -> list[str] | None:
    """Ids of the batches whose files were inputs of the last run that read any; None when no run said so."""
    batches: list[str] | None = None
    for event in journal.events(["inputs"]):
        batches = list(event.data["batches"])
    return batches


def attempts_of(journal: SqliteJournal, order_ids: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    """Every attempt of some orders, by order id."""
    return {order_id: fold(events) for order_id, events in journal.histories(order_ids).items()}


Found = Callable[[], Iterator[tuple[StoredChunk, list[Finding]]]]


def findings_of(job: Job, journal: SqliteJournal, batch: Batch) -> Found:
    """Where each row of a batch stands now, chunk by chunk; call it again to read it again."""
    repeats = journal.repeats(batch.id)
    guards, hold = guards_of_batch(job, journal, batch), last_hold(journal, batch.id)

    def read() -> Iterator[tuple[StoredChunk, list[Finding]]]:
        lineages = Lineages(journal)
        for chunk in journal.chunks(batch.id):
            history = history_of(journal, batch, chunk, lineages=lineages)
            yield chunk, find(batch, rows_of(batch.id, chunk, repeats), history, guards, hold)

    return read


def totals_of(found: Found) -> tuple[Totals, str]:
    """Counts and sums of a batch as they stand now, with a digest of every row's outcome."""
    totals, digest = Totals(), hashlib.sha256()
    for _, findings in found():
        for finding in findings:
            totals.add(finding)
            digest.update(repr((finding.row, finding.outcome.value, finding.charge_id, finding.reason)).encode())
    return totals, digest.hexdigest()


def last_totals(journal: SqliteJournal) -> dict[str, Event]:
    """Batch -> the event its last report was written from."""
    return {event.batch_id: event for event in journal.events(["totals"])}


def looked(journal: SqliteJournal, run_id: str) -> bool:
    """Did a run complete its look at the gateway?"""
    return any(event.run_id == run_id for event in journal.events(["listing"]))


def behind(journal: SqliteJournal, totals: Event) -> bool:
    """Did anything happen to an order of a batch since its last report was written?"""
    return journal.changed(totals.batch_id, totals.seq)


def is_open(event: Event) -> bool:
    """Did the batch have a row that a later run, or a person, must settle?"""
    return bool(Totals.from_json(event.data).stands() & OPEN)


def may_be_settled(event: Event) -> bool:
    """Did the batch have a row that an order of another file may settle, and none had?"""
    totals = Totals.from_json(event.data)
    return any(totals.count(outcome) > totals.settled[outcome.value] for outcome in MAY_BE_SETTLED)


def taken_as_they_are(latest: Mapping[str, Event]) -> Totals:
    """The rows of every batch that a person accepted: unproven they stay, and count as 10 (contract, section 6)."""
    totals = Totals()
    for event in latest.values():
        totals.accepted.update(dict(event.data.get("accepted", ())))
    return totals


def status_of(
    job: Job, journal: SqliteJournal, batch: Batch, event: Event | None, now_ns: int, work: Work
) -> dict[str, Any]:
    """One batch for `status`: where its rows stand, and each one that a later run or a person must settle."""
    in_work = 0
    if event is not None and not is_open(event):
        totals = Totals.from_json(event.data)
        waiting: list[dict[str, Any]] = []
    else:
        totals, waiting, in_work = _standing(job, journal, batch, now_ns, work)
    return {
        "batch": batch.id,
        "file": batch.file,
        "received": iso(batch.first_seen_ns),
        "mode": batch.mode,
        "rows": batch.rows_read,
        "outcomes": totals.outcomes(),
        "charged": {c: major_text(total, c) for c, total in totals.money_moved().items()},
        "refusal": batch.refusal,
        "stop": stop_in_force(journal.events(["stop", "lifted"])),
        "who_acts": dict(sorted(totals.acts.items())),
        "in_work": in_work,
        "unproven": Outcome.UNPROVEN in totals.stands(),
        "open_count": sum(totals.count(outcome) - totals.accepted[outcome.value] for outcome in OPEN) - in_work,
        "open": waiting,
    }


def _standing(
    job: Job, journal: SqliteJournal, batch: Batch, now_ns: int, work: Work
) -> tuple[Totals, list[dict[str, Any]], int]:
    """A batch counted anew, with its first open rows spelled out, and how many are merely in work."""
    totals, in_work, hold = Totals(), 0, last_hold(journal, batch.id)
    waiting: list[dict[str, Any]] = []
    for _, findings in findings_of(job, journal, batch)():
        for finding in findings:
            totals.add(finding)
            if finding.outcome not in OPEN or finding.accepted:
                continue
            if work.has(finding, hold):
                in_work += 1
            elif len(waiting) < LISTED:
                waiting.append(_waiting(finding, batch, now_ns))
    return totals, waiting, in_work


def _waiting(finding: Finding, batch: Batch, now_ns: int) -> dict[str, Any]:
    """An open row with its age: since its first send, or, never sent, since its file came."""
    since_ns = ns_of(finding.sent_at) if finding.sent_at else batch.first_seen_ns
    return {
        "order": finding.order_id, "row": finding.row, "sheet": finding.sheet, "outcome": finding.outcome.value,
        "since": iso(since_ns), "age_s": max(0, now_ns - since_ns) // 10**9, "charge": finding.charge_id,
        "reason": finding.reason,
    }  # fmt: skip


def preflight_of(journal: SqliteJournal) -> tuple[dict[str, str], dict[str, int]]:
    """What the gateway last said: recipients that cannot be paid, each with why; its smallest transfer by currency."""
    barred: dict[str, str] = {}
    smallest: dict[str, int] = {}
    for event in journal.events(["preflight"]):
        barred, smallest = dict(event.data["barred"]), dict(event.data.get("smallest_share", {}))
    return barred, smallest


def strays(journal: SqliteJournal) -> Totals:
    """Open orders of batches that this journal never read: adopted charges that the gateway has not decided."""
    totals, known = Totals(), {batch.id[-12:] for batch in journal.batches()}
    stopped = bool(stop_in_force(journal.events(["stop", "lifted"])))
    for attempts in attempts_of(journal, journal.open_orders()).values():
        for attempt in attempts:
            if attempt.intent.batch_id[-12:] not in known and not attempt.closed:
                totals.add_stray(attempt, stopped=stopped)
    return totals


def adopted_elsewhere(journal: SqliteJournal) -> list[Attempt]:
    """Adopted charges of files that this journal never read, whatever became of them (J32)."""
    known = {batch.id[-12:] for batch in journal.batches()}
    orders = list(dict.fromkeys(order for batch_id, order in journal.adopted() if batch_id[-12:] not in known))
    found = []
    for attempts in attempts_of(journal, orders).values():
        found += [a for a in attempts if a.adopted and a.intent.batch_id[-12:] not in known]
    return found


def adopted_json(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The same as numbers: how many by outcome, what they took by currency, and each of them."""
    sums: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.money is not None:
            sums[attempt.money.currency.upper()] += attempt.money.amount
    return {
        "count": len(attempts),
        "outcomes": dict(sorted(Counter(attempt.outcome.value for attempt in attempts).items())),
        "charged": [{"currency": code, "sum_minor": n} for code, n in sorted(sums.items())],
        "charges": [_adopted(attempt) for attempt in attempts],
    }


def _adopted(attempt: Attempt) -> dict[str, Any]:
    asked, charge = attempt.intent, attempt.charge
    return {
        "order": asked.order_id, "charge": charge.id if charge else "", "outcome": attempt.outcome.value,
        "amount": asked.amount, "currency": asked.currency.upper(), "destination": asked.destination,
        "batch": asked.batch_id, "created_at": charge.created_at if charge else "",
    }  # fmt: skip


def last_run(journal: SqliteJournal) -> dict[str, Any] | None:
    """When the last run began, when it ended and how; without an end it was killed, or is at work."""
    told: dict[str, Any] | None = None
    for event in journal.events(["run.started", "run.finished"]):
        if event.kind == "run.started":
            told = {"run": event.run_id, "started": iso(event.at_ns), "ended": "", "exit_code": None}
        elif told is not None and told["run"] == event.run_id:
            told |= {"ended": iso(event.at_ns), "exit_code": int(event.data["exit_code"])}
    return told


@dataclass(frozen=True, slots=True)
class Work:
    """What a run that is at work now has in hand."""

    attempts: Collection[tuple[str, int]] = frozenset()  # order id and attempt: a request of it may be on its way
    batches: Collection[str] = frozenset()  # whose rows it will come to

    def has(self, finding: Finding, hold: str) -> bool:
        """Is this row merely on its way?"""
        if finding.outcome is Outcome.IN_DOUBT:
            return (finding.order_id, finding.attempts) in self.attempts
        next_up = finding.outcome is Outcome.HELD and finding.reason in (NOT_SENT_YET, hold)
        return next_up and finding.batch_id in self.batches


def last_hold(journal: SqliteJournal, batch_id: str) -> str:
    """Why rows of a batch were not sent the last time something held them; a stop that was lifted is none."""
    reason = ""
    for event in journal.events(["held"]):
        if event.batch_id == batch_id:
            reason = "" if event.data.get("stop") else str(event.data["reason"])
    return reason


def listed_until(journal: SqliteJournal) -> datetime | None:
    """Upper bound of the last completed listing; None for a journal that never completed one, or that knows no order:
    what it has not charged itself may have been charged by another journal, or under another job's name, long before.
    """
    bound = None
    if not journal.knows_orders():
        return None
    for event in journal.events(["listing"]):
        bound = datetime.strptime(str(event.data["bound"]), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return bound
