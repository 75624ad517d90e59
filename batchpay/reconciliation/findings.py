"""RECONCILE: rows and history go in, one finding a row comes out: where it stands, and who acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from batchpay.domain.events import DisputeSeen, RefundSeen, TransferSeen
from batchpay.domain.exits import (
    A_PERSON,
    ACCOUNTANT,
    ENGINEER,
    NEXT_RUN,
    NOBODY,
    PAYER,
)
from batchpay.domain.model import (
    NO_MONEY,
    Batch,
    ChargeSeen,
    Document,
    Finding,
    Further,
    Outcome,
    Problem,
)
from batchpay.domain.money import money_told
from batchpay.lifecycle.after import (
    ARRIVES,
    Stands,
    is_out_in_vain,
    share_of,
    too_much,
    wants_a_word,
)
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.paid import doubled, money_of, paid_apart
from batchpay.lifecycle.payers import payer_of, payment_method
from batchpay.lifecycle.rows import (
    Cancelled,
    ConflictWith,
    DuplicateOf,
    Guards,
    History,
    MayGo,
    Owns,
    Rejected,
    Renamed,
    RepeatOf,
    Row,
    Standing,
    Waits,
    Why,
    attempt_told,
)
from batchpay.lifecycle.sales import settled_by
from batchpay.lifecycle.standing import stand
from batchpay.messages import outcomes, screens, steps
from batchpay.messages import standing as said
from batchpay.messages.message import Message, read
from batchpay.reconciliation.comebacks import with_lineage
from batchpay.reconciliation.costs import cannot_be, whole_of
from batchpay.reconciliation.over import as_settled
from batchpay.reconciliation.reasons import (
    PAY_ONCE,
    cancelled_by,
    give_back,
    kind_of_payer,
    paid_apart_told,
    pay_again,
    reasons_of,
    without_coming_back,
)

NOT_SENT_YET = (said.NOT_SENT_YET(),)
MAY_BE_SETTLED = frozenset(
    {
        Outcome.REJECTED,
        Outcome.DECLINED,
        Outcome.REFUSED,
        Outcome.EXPIRED,
        Outcome.REVERSED,
        Outcome.CONFLICT,
    }
)
"""By the same order, or by its corrected row, in a later file; never what is for a person."""

DISPUTE_OPEN = frozenset({"open", "pending"})  # the gateway waits for an answer
WHO_ACTS = {
    Outcome.SUCCEEDED: NOBODY,
    Outcome.DUPLICATE: NOBODY,
    Outcome.UNPROVEN: A_PERSON,
    Outcome.PENDING: NEXT_RUN,
    Outcome.DECLINED: PAYER,
    Outcome.EXPIRED: PAYER,
    Outcome.REVERSED: PAYER,
    Outcome.REFUSED: ACCOUNTANT,
    Outcome.REJECTED: ACCOUNTANT,
    Outcome.CONFLICT: ACCOUNTANT,
    Outcome.IN_DOUBT: NEXT_RUN,
    Outcome.HELD: NEXT_RUN,
}
# Refusals that no correction of a row can mend.
ENGINEERS_CODES = frozenset(
    {"service_not_found", "locked_out", "invalid_charge", "brand_not_supported"}
)

# --- one row


def find(
    batch: Batch,
    rows: Iterable[Row],
    history: History,
    guards: Guards,
    hold: str | Message = "",
) -> list[Finding]:
    """Where each row stands, in the file's order. `hold`: why rows that may go were not sent in the
    last run.
    """
    found = ((row, _find(batch, row, history, guards, hold)) for row in rows)
    return [with_lineage(finding, row, history) for row, finding in found]


def _find(
    batch: Batch,
    row: Row,
    history: History,
    guards: Guards,
    hold: str | Message,
) -> Finding:
    place = Place(batch, row, bool(guards.stop), history.sale(row))
    later = settled_by(row, history, batch.first_seen_ns)
    finding = finding_of(place, stand(row, history, guards), hold, later)
    if not finding.idempotency_key:
        return finding
    attempts = history.attempts.get(finding.order_id, ())
    if len(attempts) < 2:
        return finding
    return _paid_apart(finding, attempts)


def finding_of(
    place: Place,
    standing: Standing,
    hold: str | Message = "",
    later: Attempt | None = None,
) -> Finding:
    """A standing as a line of the report. `later`: what settled it elsewhere
    (sales.settled_by).
    """
    finding = _finding(place, standing, hold)
    word = ""
    if isinstance(standing, Owns | Rejected | ConflictWith):
        word = standing.given_up
    if word:
        finding = _with_word(finding, word)
    if later is None or finding.outcome not in MAY_BE_SETTLED:
        return finding
    if finding.who_acts == A_PERSON or _is_unaccounted(standing):
        # it may have taken money: that other money settled the row settles no such
        return finding
    settled = replace(finding, settled_by=str(attempt_told(later)), who_acts=NOBODY)
    return as_settled(settled)


def may_be_given_up(finding: Finding) -> bool:
    """May a person say that nobody pays or corrects it any more? It took no money, and waits for
    somebody who may never do anything.
    """
    waits = finding.who_acts not in (NOBODY, A_PERSON)
    return waits and finding.outcome in MAY_BE_SETTLED


def _with_word(finding: Finding, word: str) -> Finding:
    """`word`: who said that it is never sent, when and why."""
    if finding.outcome not in MAY_BE_SETTLED:
        charged = said.CHARGED_ALTHOUGH(word=word)
        return replace(finding, reasons=(*finding.reasons, charged))
    is_said = finding.cancelled is not None and finding.who_acts == NOBODY
    if may_be_given_up(finding) or is_said:
        return _given_up(finding, word)
    return finding


def _given_up(finding: Finding, word: str) -> Finding:
    """Its line stays what it is, and names nobody."""
    if any(one.code == said.CANCELLED.code for one in finding.reasons):
        return finding
    why = finding.reasons
    if finding.outcome is Outcome.REJECTED and not why:
        why = tuple(problem.message() for problem in finding.problems)
    told = (*without_coming_back(why), cancelled_by(word))
    return replace(finding, reasons=told, who_acts=NOBODY, cancelled=word)


def _is_unaccounted(standing: Standing) -> bool:
    return isinstance(standing, Owns) and standing.attempt.unaccounted


def _finding(place: Place, standing: Standing, hold: str | Message) -> Finding:
    match standing:
        case Owns(attempt, warnings=warnings):
            return place.of_attempt(attempt, warnings)
        case Rejected(problems, why):
            return place.unsent(Outcome.REJECTED, why, problems=problems)
        case Cancelled(word):
            why = (cancelled_by(word),)
            rejected = place.unsent(Outcome.REJECTED, why, who_acts=NOBODY)
            return replace(rejected, cancelled=word)
        case DuplicateOf(attempt, why):
            return _duplicate(place, attempt, why)
        case RepeatOf(repeat):
            why = (repeat.reason, *NOT_SENT_YET)
            return place.unsent(Outcome.DUPLICATE, why, counts_as=Outcome.HELD)
        case ConflictWith(why):
            return place.unsent(Outcome.CONFLICT, why)
        case Renamed(other):
            step = steps.CHARGED_ELSEWHERE(job=other.job, order=place.row.order_id)
            renamed = said.HELD_RENAMED(
                job=other.job,
                charge=other.charge_id,
                step=step,
            )
            return place.unsent(Outcome.HELD, (renamed,), who_acts=ENGINEER)
        case Waits(why, who_acts, warnings, attempt):
            if attempt is None:
                return place.unsent(
                    Outcome.HELD,
                    why,
                    who_acts=who_acts,
                    warnings=warnings,
                )
            own = place.of_attempt(attempt, warnings)
            return replace(own, reasons=why, who_acts=who_acts)
        case MayGo(before=before, warnings=warnings):
            why = _why_not_sent(before, hold)
            return place.unsent(Outcome.HELD, why, warnings=warnings)


def _why_not_sent(before: Sequence[Attempt], hold: str | Message) -> Why:
    """Why a row that may go was not sent: the last run says so; or an earlier charge of its order
    was asked for, and not shown.
    """
    if hold:
        return (read(hold),)
    for earlier in before:
        if earlier.untold:
            asked = earlier.intent
            step = steps.ASK_EARLIER(order=asked.order_id)
            unshown = said.HELD_EARLIER_UNSHOWN(
                charge=earlier.untold,
                attempt=asked.attempt,
                step=step,
            )
            return (unshown,)
    return NOT_SENT_YET


def _duplicate(place: Place, attempt: Attempt, why: Why) -> Finding:
    """It counts like the outcome that it names, and where that took no money it is for the same
    people.
    """
    counts_as = attempt.outcome
    finding = replace(
        place.unsent(Outcome.DUPLICATE, why, counts_as=counts_as),
        duplicate_of=attempt.intent.order_id,
    )
    if counts_as not in NO_MONEY:
        return replace(finding, accepted=_is_accepted(attempt))
    step = steps.ASK_AGAIN()
    was_tried = attempt.charge is not None and not attempt.refused
    if was_tried and kind_of_payer(attempt) in PAY_ONCE:
        step = pay_again(attempt)
    return replace(finding, reasons=(*why, step), who_acts=who_acts_for(attempt))


def find_without_row(
    attempt: Attempt, siblings: Sequence[Attempt], *, stopped: bool
) -> Finding:
    """What became of an attempt that no row shows, as the line of a row would tell it; but nobody
    corrects what took no money, for nobody asks for it any more.

    `siblings`: every attempt of its order. `stopped`: is a stop in force?
    """
    asked = attempt.intent
    place = {
        "file": "",
        "row": asked.row,
        "sheet": asked.sheet,
        "batch_id": asked.batch_id,
        "metadata": {},
        "payment_method": payment_method(asked.payer),
        "mode": asked.mode,
    }
    finding = _paid_apart(_of_attempt(attempt, place, stopped=stopped), siblings)
    took_none = attempt.closed or (attempt.ready and not attempt.others)
    if took_none and finding.who_acts != A_PERSON:
        return replace(finding, who_acts=NOBODY)
    return finding


def _is_accepted(attempt: Attempt) -> bool:
    return attempt.outcome is Outcome.UNPROVEN and bool(attempt.accepted)


def _gone(attempt: Attempt) -> str:
    if attempt.shaken:
        return "open"
    if attempt.outcome is Outcome.SUCCEEDED and (attempt.gone or attempt.waits_again):
        return "noted"
    return ""


def _paid_apart(finding: Finding, attempts: Sequence[Attempt]) -> Finding:
    """The line of one of several attempts of an order that took money: for a person until one was
    given back.
    """
    paid = []
    for attempt in attempts:
        money = money_of(attempt)
        if money:
            paid.append((attempt, money))
    keys = [attempt.intent.key for attempt, _ in paid]
    if len(paid) < 2 or finding.idempotency_key not in keys:
        return finding
    reasons = (*finding.reasons, paid_apart_told(paid))
    if not paid_apart(attempts):
        return replace(finding, reasons=reasons)
    for attempt, _ in paid:
        if attempt.accepted:
            return _left_so(finding, reasons, attempt.accepted)
    step = give_back(attempts, finding.charge_id)
    return replace(
        finding,
        reasons=(*reasons, step),
        who_acts=A_PERSON,
        paid_apart="open",
    )


def _left_so(finding: Finding, reasons: Why, word: str) -> Finding:
    """A person said that both stay: `word`, once."""
    if word not in finding.reason:
        reasons = (*reasons, outcomes.LEFT_BY(word=word))
    return replace(finding, reasons=reasons, paid_apart="noted")


# --- its line


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a batch, about to become a finding. `stopped`: a stop is in force, what it is about
    is not settled; `sale`: rows.History.sale.
    """

    batch: Batch
    row: Row
    stopped: bool = False
    sale: str = ""

    def unsent(
        self,
        outcome: Outcome,
        why: Why,
        *,
        counts_as: Outcome | None = None,
        problems: tuple[Problem, ...] = (),
        who_acts: str = "",
        warnings: Why = (),
    ) -> Finding:
        """A finding about a row without an intent."""
        document = self.row.document
        return Finding(
            **self._of_the_row(),
            order_id=self.row.order_id,
            outcome=outcome,
            counts_as=counts_as or outcome,
            amount=document.get("amount"),
            currency=_currency_of(document),
            destination=str(document.get("destination", "")),
            payment_method=payment_method(payer_of(document)),
            reasons=why,
            who_acts=who_acts or WHO_ACTS[outcome],
            attempts=0,
            problems=problems,
            warnings=warnings,
            mode=self.batch.mode,
        )

    def of_attempt(self, attempt: Attempt, warnings: Why) -> Finding:
        """A finding about a row that owns an attempt: what was asked, and what became of it."""
        asked = attempt.intent
        place = {
            **self._of_the_row(),
            "payment_method": payment_method(
                asked.payer or payer_of(self.row.document)
            ),
            "problems": self.row.problems,
            "warnings": warnings,
            "mode": asked.mode or self.batch.mode,
        }
        return _of_attempt(attempt, place, stopped=self.stopped)

    def _of_the_row(self) -> dict[str, Any]:
        """What its file says of a row, whatever became of it."""
        document = self.row.document
        return {
            "file": self.batch.file,
            "row": self.row.row,
            "sheet": self.row.sheet,
            "batch_id": self.batch.id,
            "metadata": document.get("metadata", {}),
            "read_amount": document.get("amount"),
            "read_currency": _currency_of(document),
            "whole_refused": bool(self.batch.refusal),
            "sale": self.sale,
        }


def _of_attempt(
    attempt: Attempt, place: Mapping[str, Any], *, stopped: bool
) -> Finding:
    """What was asked, and what became of it. `place`: what is told of it beside that."""
    asked = attempt.intent
    outcome = attempt.outcome
    finding = Finding(
        **place,
        order_id=asked.order_id,
        outcome=outcome,
        counts_as=outcome,
        amount=asked.amount,
        currency=asked.currency.upper(),
        destination=asked.destination,
        reasons=reasons_of(attempt),
        who_acts=who_acts_for(attempt, stopped=stopped),
        attempts=asked.attempt,
        idempotency_key=asked.key,
        sent_at=iso(attempt.sent_ns),
        settled_at=_settled_at(attempt),
        run_id=asked.run_id,
        accepted=_is_accepted(attempt),
        gone=_gone(attempt),
        further=further_of(attempt),
        cancelled=attempt.cancelled,
    )
    if outcome is Outcome.REFUSED:
        finding = replace(finding, error_code=attempt.code)
    if attempt.charge is None:
        return finding
    return _with_charge(finding, attempt, attempt.charge)


def _with_charge(finding: Finding, attempt: Attempt, charge: ChargeSeen) -> Finding:
    """What the gateway says of the charge; its money columns only where money of this order
    moved.
    """
    seen = replace(
        finding,
        charge_id=charge.id,
        chain_id=charge.chain or "",
        transfer_id=charge.transfer or "",
        failure_code=charge.failure_code or "",
    )
    if finding.outcome is Outcome.PENDING:
        seen = replace(
            seen,
            authorize_uri=charge.authorize_uri or "",
            expires_at=charge.expires_at,
            qr_uri=charge.qr_uri,
        )
    if attempt.money is None:
        return seen
    if attempt.transfer is not None:
        seen = _with_transfer(seen, attempt, attempt.transfer)
    seen = replace(
        _with_costs(seen, charge),
        charged_currency=charge.currency.upper(),
        fee_currency=charge.funding_currency or "",
        funding_amount=charge.funding_amount,
        funding_currency=charge.funding_currency or "",
    )
    if charge.taken is None:
        # of what nobody knows, no part is known
        return replace(seen, charged_unread=True)
    return replace(
        seen,
        charged_amount=charge.taken,
        platform_fee=charge.platform_fee,
        recipient_amount=share_of(attempt),
    )


def _with_costs(finding: Finding, charge: ChargeSeen) -> Finding:
    """What the gateway says it kept of it; what cannot be true, or cannot be read, is told, and
    stands in no column. What it does not tell is counted, and nobody warned.
    """
    currency = charge.currency.upper()
    unit = charge.funding_currency or ""
    parts = {"fee": charge.fee, "VAT": charge.fee_vat, "net": charge.net}
    kept = (*parts.values(), charge.interest or 0)
    whole = whole_of(charge.taken, currency, charge.funding_amount, unit)
    if charge.taken is None or charge.unread_costs or cannot_be(kept, whole):
        told = [
            f"{name} {money_told(minor, unit or currency)}"
            for name, minor in (*parts.items(), ("interest", charge.interest))
            if minor is not None
        ]
        what = "; ".join(filter(None, (", ".join(told), charge.unread_costs)))
        warning = outcomes.COSTS_CONTRADICTED(told=what or "-")
        warnings = (*finding.warnings, warning)
        return replace(finding, warnings=warnings, costs_contradicted=True)
    return replace(
        finding,
        fee=charge.fee,
        fee_vat=charge.fee_vat,
        net=charge.net,
        interest=charge.interest,
        costs_contradicted=None in kept,
    )


def _with_transfer(finding: Finding, attempt: Attempt, told: TransferSeen) -> Finding:
    """Where the recipient's share is; whoever must act about it comes before nobody."""
    seen = replace(
        finding,
        transfer_id=told.id,
        transfer_status=told.stands,
        transfer_amount=told.amount,
        transfer_fee=told.fee,
        bank_amount=told.net if told.stands in ARRIVES else None,
        transfer_code=told.code,
        transfer_sent_at=told.sent_at,
        transfer_paid_at=told.paid_at,
        transfer_differs=attempt.share_differs,
    )
    name = {"transfer": told.id, "recipient": finding.destination}
    if told.flaws:
        why = outcomes.TRANSFER_DIFFERS(transfer=told.id, why="; ".join(told.flaws))
        seen = _with_other_share(seen, attempt, why)
    if told.stands == Stands.FAILED:
        code = told.code
        if told.message:
            code = f"{code}, {told.message}"
        return _stuck(seen, attempt, outcomes.TRANSFER_FAILED(**name, code=code))
    if told.stands == Stands.DELETED:
        return _stuck(seen, attempt, outcomes.TRANSFER_DELETED(**name))
    return seen


def _stuck(finding: Finding, attempt: Attempt, why: Message) -> Finding:
    """Its share does not arrive: for the accountant, until somebody says that it is seen to."""
    if attempt.share_left:
        # who said so is told already
        return replace(finding, transfer_left=True, reasons=(*finding.reasons, why))
    seen = _for(finding, ACCOUNTANT, why)
    if not wants_a_word(attempt):
        return seen
    step = steps.PAID_OTHERWISE(order=finding.order_id, charge=finding.charge_id)
    return replace(seen, reasons=(*seen.reasons, step))


def _with_other_share(finding: Finding, attempt: Attempt, why: Message) -> Finding:
    """What goes to the recipient is not the share: for a person, until one takes it as it is."""
    if attempt.share_differs:
        step = steps.ACCEPT_SHARE(order=finding.order_id, charge=finding.charge_id)
        return _for(_for(finding, A_PERSON, why), A_PERSON, step)
    if attempt.outcome is Outcome.SUCCEEDED or attempt.accepted:
        # who took it so is told already
        return replace(finding, reasons=(*finding.reasons, why))
    return _for(finding, A_PERSON, why)


def _for(finding: Finding, party: str, reason: Message) -> Finding:
    """What somebody must see to, and who where nobody must otherwise."""
    who_acts = finding.who_acts
    if who_acts == NOBODY:
        who_acts = party
    return replace(finding, reasons=(*finding.reasons, reason), who_acts=who_acts)


def with_later(
    finding: Finding, refund: RefundSeen | None, dispute: DisputeSeen | None
) -> Finding:
    """What happened to its charge since: the outcome stays, and a dispute is for a person."""
    seen = finding
    if refund is not None and refund.contradicts:
        odd = outcomes.REFUND_CONTRADICTED(told=refund.contradicts)
        seen = _for(replace(seen, refund_contradicted=True), A_PERSON, odd)
    if refund is not None and (refund.total or not refund.contradicts):
        back = money_told(refund.total, refund.currency)
        warnings = (*seen.warnings, outcomes.REFUNDED(amount=back))
        seen = replace(seen, refunded_amount=refund.total, warnings=warnings)
        seen = _with_share_too_much(seen)
    if dispute is not None:
        seen = replace(seen, dispute=dispute.status)
        if dispute.status in DISPUTE_OPEN:
            open_one = outcomes.DISPUTED(status=dispute.status)
            return _for(seen, A_PERSON, open_one)
        over = screens.DISPUTED(status=dispute.status)
        seen = replace(seen, warnings=(*seen.warnings, over))
    return seen


def _with_share_too_much(finding: Finding) -> Finding:
    """Its recipient gets more than is left of the charge: that is told, and nobody's by itself, for
    who gives a payer the money back knows of the sale.
    """
    left = (finding.charged_amount or 0) - (finding.refunded_amount or 0)
    stands = finding.transfer_status
    if not too_much(stands, finding.transfer_amount, left):
        return finding
    currency = finding.charged_currency
    told = outcomes.SHARE_TOO_MUCH(
        left=money_told(left, currency),
        transfer=finding.transfer_id,
        share=money_told(finding.transfer_amount or 0, currency),
        recipient=finding.destination,
        stands=stands,
    )
    return replace(finding, warnings=(*finding.warnings, told))


def further_of(attempt: Attempt) -> tuple[Further, ...]:
    """What its other charges took, and whether that is over."""
    asked = attempt.intent.amount
    over = "kept"
    if doubled(attempt):
        over = "open"
    elif attempt.accepted:
        over = "noted"
    found = []
    for charge in attempt.further:
        stands = over
        if charge.given_back:
            stands = "given back"
        # as `paid_by` has it: what nobody can read took what was asked for
        amount = asked if charge.taken is None else charge.taken
        found.append(Further(charge.id, charge.currency.upper(), amount, stands))
    return tuple(found)


def who_acts_for(attempt: Attempt, *, stopped: bool = True) -> str:
    """`stopped`: a charge too many is for a person until the stop that it caused is lifted.

    Two that took money are, longer: the lift says that somebody looked, not that one was given
    back.
    """
    if doubled(attempt) or attempt.shaken:
        return A_PERSON
    if attempt.others and stopped and not attempt.accepted:
        return A_PERSON
    if attempt.cancelled is not None:
        return NOBODY
    if is_out_in_vain(attempt):
        return ACCOUNTANT
    match attempt.outcome:
        case Outcome.UNPROVEN if attempt.accepted:
            return NOBODY
        case Outcome.IN_DOUBT if attempt.spent or attempt.may_be:
            return A_PERSON
        case Outcome.IN_DOUBT if attempt.untold or attempt.unshown_in:
            return A_PERSON
        case Outcome.REFUSED if attempt.may_be:
            return A_PERSON
        case Outcome.REFUSED if attempt.code in ENGINEERS_CODES:
            return ENGINEER
        case Outcome.PENDING if attempt.lost:
            return A_PERSON
        case Outcome.PENDING if attempt.charge and attempt.charge.authorize_uri:
            return PAYER
    return WHO_ACTS[attempt.outcome]


# --- parts


def _currency_of(document: Document) -> str:
    return str(document.get("currency", "")).upper()


def _settled_at(attempt: Attempt) -> str:
    if attempt.outcome in (Outcome.IN_DOUBT, Outcome.HELD, Outcome.PENDING):
        return ""
    return iso(attempt.settled_ns)


def iso(at_ns: int) -> str:
    """A wall clock of ours as text, UTC; empty for none."""
    if at_ns:
        return _second(at_ns // 10**9)
    return ""


@lru_cache(maxsize=4096)
def _second(at_s: int) -> str:
    """As text; many charges share a second."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
