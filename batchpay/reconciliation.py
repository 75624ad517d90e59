"""RECONCILE: rows and history go in, one finding per row and totals that must close come out.

Every number here is counted from findings; the equations of the contract hold two counts of different origin against
each other, so that a lost row, a row counted twice or an amount that differs from what was charged is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from batchpay.lifecycle import (
    Attempt,
    Cancelled,
    ConflictWith,
    DuplicateOf,
    History,
    asks_the_same,
    beside,
    judge,
    owner_of,
)
from batchpay.mapping import told
from batchpay.model import (
    MONEY_MOVED,
    OPEN,
    SENT,
    Batch,
    Document,
    Finding,
    Outcome,
    Problem,
    Repeat,
    StoredChunk,
)

NOT_SENT_YET = "not sent yet"
WORDS_OF_THE_GATEWAY = 300  # characters of its messages that a reason repeats, tokens masked
WHO_ACTS = {
    Outcome.SUCCEEDED: "-",
    Outcome.DUPLICATE: "-",
    Outcome.UNPROVEN: "a person",
    Outcome.PENDING: "next run",
    Outcome.DECLINED: "payer",
    Outcome.EXPIRED: "payer",
    Outcome.REVERSED: "payer",
    Outcome.REFUSED: "accountant",
    Outcome.REJECTED: "accountant",
    Outcome.CONFLICT: "accountant",
    Outcome.IN_DOUBT: "next run",
    Outcome.HELD: "next run",
}
# Refusals that no correction of a row can mend.
ENGINEERS_CODES = frozenset({"service_not_found", "locked_out", "invalid_charge", "brand_not_supported"})


# --- one row ---------------------------------------------------------------------------------------------------


def find(
    batch: Batch, chunk: StoredChunk, repeats: Mapping[tuple[str, int], Repeat], history: History, hold: str,
    barred: Mapping[str, str] = MappingProxyType({}),
) -> list[Finding]:  # fmt: skip
    """Where each row of a chunk stands, in the file's order. `hold`: why rows were not sent; `barred`: by recipient."""
    return [
        _find(
            batch, chunk, at, repeats.get((chunk.sheet, chunk.rows[at])), history,
            _barred(chunk.documents[at], barred) or hold,
        )
        for at in range(len(chunk.rows))
    ]  # fmt: skip


def _barred(document: Document, barred: Mapping[str, str]) -> str:
    destination = str(document.get("destination", ""))
    return f"recipient {destination} {barred[destination]}" if destination in barred else ""


def _find(batch: Batch, chunk: StoredChunk, at: int, repeat: Repeat | None, history: History, hold: str) -> Finding:
    document, row = chunk.documents[at], chunk.rows[at]
    problems = chunk.problems.get(at, ())
    order_id = str(document.get("order_id", ""))
    place = _Place(batch, chunk.sheet, row, document)
    owned = owner_of(history, batch.id, chunk.sheet, row, order_id)
    if owned is not None and not (owned.adopted and repeat is not None):  # an adopted charge does not know its row
        if owned.adopted and document and not problems and not asks_the_same(document, owned):
            owned = replace(owned, flaws=("terms: the row asks for other terms than the adopted charge has",))
        if owned.ready and (paid := beside(owned, history)) is not None:
            return place.unsent(Outcome.CONFLICT, f"not sent: another attempt has the money: {_told(paid)}")
        return place.of_attempt(owned, problems)
    if problems:
        return place.unsent(Outcome.REJECTED, " | ".join(p.sentence() for p in problems), problems=problems)
    if repeat is not None and repeat.outcome is not Outcome.DUPLICATE:
        return place.unsent(repeat.outcome, repeat.reason)
    judgement = judge(document, at in chunk.comeback, batch.id, history)
    if isinstance(judgement, DuplicateOf):
        stands = judgement.attempt.outcome
        return place.unsent(Outcome.DUPLICATE, f"duplicate of {_told(judgement.attempt)}", counts_as=stands)
    if isinstance(judgement, Cancelled):
        return place.unsent(Outcome.REJECTED, f"cancelled by hand: {judgement.reason}")
    if isinstance(judgement, ConflictWith):
        return place.unsent(Outcome.CONFLICT, f"{judgement.why}: {_told(judgement.attempt)}")
    if repeat is not None:
        return place.unsent(repeat.outcome, f"{repeat.reason}; not sent yet", counts_as=Outcome.HELD)
    return place.unsent(Outcome.HELD, hold or NOT_SENT_YET)


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of a batch, about to become a finding."""

    batch: Batch
    sheet: str
    row: int
    document: Document

    def unsent(
        self, outcome: Outcome, reason: str, *, counts_as: Outcome | None = None, problems: tuple[Problem, ...] = ()
    ) -> Finding:
        """A finding about a row without an intent."""
        document = self.document
        return Finding(
            file=self.batch.file, row=self.row, sheet=self.sheet, order_id=str(document.get("order_id", "")),
            outcome=outcome, counts_as=counts_as or outcome, amount=document.get("amount"),
            currency=str(document.get("currency", "")).upper(), destination=str(document.get("destination", "")),
            payment_method=payment_method(document), reason=reason, who_acts=WHO_ACTS[outcome], attempts=0,
            batch_id=self.batch.id, metadata=document.get("metadata", {}), problems=problems,
        )  # fmt: skip

    def of_attempt(self, attempt: Attempt, problems: tuple[Problem, ...]) -> Finding:
        """A finding about a row that owns an attempt: what was asked, and what became of it."""
        asked, charge, outcome = attempt.intent, attempt.charge, attempt.outcome
        moved = charge if charge is not None and outcome in MONEY_MOVED else None
        fee = moved.platform_fee if moved else None
        return Finding(
            file=self.batch.file, row=self.row, sheet=self.sheet, order_id=asked.order_id, outcome=outcome,
            counts_as=outcome, amount=asked.amount, currency=asked.currency.upper(), destination=asked.destination,
            payment_method=payment_method(self.document), reason=reason_of(attempt), who_acts=_who(attempt),
            attempts=asked.attempt, batch_id=self.batch.id, metadata=self.document.get("metadata", {}),
            problems=problems, charge_id=charge.id if charge else "",
            chain_id=(charge.chain or "") if charge else "", transfer_id=(charge.transfer or "") if charge else "",
            charged_amount=moved.amount if moved else None, fee=moved.fee if moved else None,
            fee_vat=moved.fee_vat if moved else None, net=moved.net if moved else None, platform_fee=fee,
            recipient_amount=moved.amount - fee if moved and fee is not None else None,
            failure_code=(charge.failure_code or "") if charge else "",
            error_code=attempt.code if outcome is Outcome.REFUSED else "",
            authorize_uri=(charge.authorize_uri or "") if charge and outcome is Outcome.PENDING else "",
            idempotency_key=asked.key, sent_at=_iso(attempt.sent_ns), settled_at=_settled_at(attempt),
            run_id=asked.run_id,
        )  # fmt: skip


def payment_method(document: Mapping[str, Any]) -> str:
    """Kind and last four characters only: `customer *4242`."""
    for kind in ("customer", "source", "card"):
        if document.get(kind):
            return f"{kind} *{str(document[kind])[-4:]}"
    return ""


def reason_of(attempt: Attempt) -> str:
    """One sentence about where an attempt stands; empty when it succeeded without any trouble."""
    charge, outcome = attempt.charge, attempt.outcome
    message = told(attempt.message, WORDS_OF_THE_GATEWAY)
    match outcome:
        case Outcome.SUCCEEDED:
            return _how_it_was_found(attempt)
        case Outcome.UNPROVEN:
            return f"charged, but not proven to be what was asked: {attempt.why_unproven}"
        case Outcome.PENDING:
            if attempt.wants_chain:
                return "paid, but its chain is not there yet: the next run asks again"
            return "the gateway has it and will decide" + (f" ({charge.status})" if charge else "")
        case Outcome.DECLINED if charge is not None:
            why = told(charge.failure_message or "the charge failed", WORDS_OF_THE_GATEWAY)
            return f"{charge.failure_code or 'declined'}: {why}"
        case Outcome.EXPIRED | Outcome.REVERSED:
            return f"the charge {outcome.value} without money"
        case Outcome.REFUSED:
            return f"{attempt.code}: {message or 'the gateway refused the request'}"
        case Outcome.IN_DOUBT if attempt.spent:
            return f"sent without an answer, then {attempt.code}: the first request may have used the token"
        case Outcome.IN_DOUBT:
            return f"sent, no proof of what became of it ({message or 'no answer was recorded'})"
    return f"nothing was charged yet ({message or attempt.code or 'it was not sent'})"


def _how_it_was_found(attempt: Attempt) -> str:
    """What an auditor asks about a charge that needed more than one request and its answer."""
    if attempt.adopted:
        return "found at the gateway: the journal had lost it"
    if attempt.doubted and attempt.sends == 1:
        return "its answer was lost; a look-up found the charge"
    if attempt.doubted:
        return (
            f"an answer was lost and look-ups found no charge; the same request was sent again, {attempt.sends} in all"
        )
    return ""


def _who(attempt: Attempt) -> str:
    if attempt.outcome is Outcome.IN_DOUBT and attempt.spent:
        return "a person"
    if attempt.outcome is Outcome.REFUSED and attempt.code in ENGINEERS_CODES:
        return "engineer"
    if attempt.outcome is Outcome.PENDING and attempt.charge and attempt.charge.authorize_uri:
        return "payer"
    return WHO_ACTS[attempt.outcome]


def _told(attempt: Attempt) -> str:
    """`batch 2026-11-24-0123456789ab row 7, succeeded, chrg_test_1`."""
    asked = attempt.intent
    place = f"batch {asked.batch_id}" + (f" sheet {asked.sheet}" if asked.sheet else "")
    place += f" row {asked.row}" if asked.row else ""
    charge = f", {attempt.charge.id}" if attempt.charge else ""
    return f"order {asked.order_id} of {place}, {attempt.outcome.value}{charge}"


def _settled_at(attempt: Attempt) -> str:
    return "" if attempt.outcome in (Outcome.IN_DOUBT, Outcome.HELD, Outcome.PENDING) else _iso(attempt.settled_ns)


def _iso(at_ns: int) -> str:
    return _second(at_ns // 10**9) if at_ns else ""


@lru_cache(maxsize=4096)
def _second(at_s: int) -> str:
    """As text; many charges share a second."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- all rows --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Equation:
    """Two counts of different origin that must agree."""

    currency: str  # empty: over all
    name: str
    left: int
    right: int

    @property
    def closes(self) -> bool:
        """Do they?"""
        return self.left == self.right


@dataclass(slots=True)
class Totals:
    """Counts and sums of a batch, in smallest units, by upper-case currency (empty: unknown)."""

    rows_read: int = 0
    with_intent: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (currency, outcome)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)  # by currency, counted apart from outcomes
    charged: Counter[str] = field(default_factory=Counter)  # what the gateway says it took
    named: Counter[str] = field(default_factory=Counter)  # outcomes that duplicates name
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome, code)
    recipients: Counter[tuple[str, str]] = field(default_factory=Counter)  # (recipient, currency) -> sum succeeded
    recipient_counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count one row."""
        currency, outcome = finding.currency, finding.outcome
        self.rows_read += 1
        self.rows[currency] += 1
        self.with_intent += bool(finding.idempotency_key) and outcome is not Outcome.HELD
        self.counts[currency, outcome.value] += 1
        self.sums[currency, outcome.value] += finding.amount or 0
        if outcome is Outcome.DUPLICATE:
            self.named[finding.counts_as.value] += 1
        if outcome in MONEY_MOVED:
            self.charged[currency] += finding.charged_amount or 0
        if outcome is Outcome.SUCCEEDED:
            self.recipients[finding.destination, currency] += finding.amount or 0
            self.recipient_counts[finding.destination, currency] += 1
        codes = [p.rule for p in finding.problems] if outcome is Outcome.REJECTED else []
        for code in codes or filter(None, (finding.failure_code, finding.error_code)):
            self.codes[outcome.value, code] += 1

    def count(self, outcome: Outcome, currency: str | None = None) -> int:
        """Rows that ended so."""
        return sum(n for (c, o), n in self.counts.items() if o == outcome.value and currency in (None, c))

    def outcomes(self) -> dict[str, int]:
        """Outcome -> rows, in the contract's order, without those that did not happen."""
        return {o.value: n for o in Outcome if (n := self.count(o))}

    def money_moved(self) -> dict[str, int]:
        """Currency -> what the gateway says it charged."""
        return {currency: total for currency, total in sorted(self.charged.items()) if total}

    def stands(self) -> set[Outcome]:
        """Every outcome that some row has, or that a duplicate names."""
        return {Outcome(o) for (_, o), n in self.counts.items() if n} | {Outcome(o) for o, n in self.named.items() if n}

    def equations(self, rows_in_file: int | None = None) -> list[Equation]:
        """What must be equal (contract, section 4): rows, sent, and the money asked and charged."""
        equations = []
        for currency in sorted(self.rows):
            parts = sum(self.count(o, currency) for o in Outcome)
            equations.append(Equation(currency, "rows read = rejected + duplicate + conflict + held + sent",
                                      self.rows[currency], parts))  # fmt: skip
        sent = sum(self.count(o) for o in SENT)
        equations.append(Equation("", "rows with a send = sum of the outcomes of sent rows", self.with_intent, sent))
        if rows_in_file is not None:
            equations.append(Equation("", "rows in the file = rows reported", rows_in_file, self.rows_read))
        for currency in sorted(self.charged):
            asked = self.sums[currency, Outcome.SUCCEEDED.value] + self.sums[currency, Outcome.UNPROVEN.value]
            equations.append(Equation(currency, "amounts asked = amounts charged", asked, self.charged[currency]))
        return equations

    def to_json(self) -> dict[str, Any]:
        """For the journal: plain lists, always in the same order."""
        pairs = {name: [[*key, n] for key, n in sorted(getattr(self, name).items())] for name in _PAIRED}
        plain = {name: sorted([key, n] for key, n in getattr(self, name).items()) for name in _PLAIN}
        return {"rows_read": self.rows_read, "with_intent": self.with_intent, **pairs, **plain}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Totals:
        """The same totals back."""
        totals = cls(rows_read=data["rows_read"], with_intent=data["with_intent"])
        for name in _PAIRED:
            getattr(totals, name).update({(first, second): n for first, second, n in data[name]})
        for name in _PLAIN:
            getattr(totals, name).update(dict(data[name]))
        return totals


_PAIRED = ("counts", "sums", "codes", "recipients", "recipient_counts")
_PLAIN = ("rows", "charged", "named")


def exit_code(all_totals: Iterable[Totals], *, stopped: bool, open_equation: bool = False) -> int:
    """12, 11, 10 or 0, over this run's batches and every older one with an open row (contract, section 6)."""
    stands = {outcome for totals in all_totals for outcome in totals.stands()} - {Outcome.DUPLICATE}
    if stopped or open_equation or Outcome.UNPROVEN in stands:
        return 12
    if stands & OPEN:
        return 11
    return 0 if stands <= {Outcome.SUCCEEDED} else 10
