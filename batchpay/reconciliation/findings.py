"""RECONCILE: rows and history go in, one finding per row and totals that must close come out.

Every number here is counted from findings; the equations of the contract hold two counts of
different origin against each other, so that a lost row, a row counted twice or an amount that
differs from what was charged is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from batchpay.domain import steps
from batchpay.domain.exits import Acts
from batchpay.domain.model import (
    MONEY_MOVED,
    NO_MONEY,
    OPEN,
    SENT,
    Batch,
    ChargeSeen,
    Document,
    Finding,
    Further,
    Outcome,
    Problem,
    Read,
)
from batchpay.domain.money import major_text, money_text
from batchpay.domain.text import many, told
from batchpay.lifecycle.attempt import CANCELLED, Attempt, cancelled_by_hand, money_of, paid_apart
from batchpay.lifecycle.plan import by_order, payer_of
from batchpay.lifecycle.standing import (
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
    settled_by,
    stand,
)

ROWS_READ = "rows read = rejected + duplicate + conflict + held + sent"
ASKED_CHARGED = "amounts asked = amounts charged"
SUMS_READ = "amounts read = amounts of the rows reported"
NOT_SENT_YET = "not sent yet"
MAY_BE_SETTLED = frozenset(
    {
        Outcome.REJECTED,
        Outcome.DECLINED,
        Outcome.REFUSED,
        Outcome.EXPIRED,
        Outcome.REVERSED,
        Outcome.CONFLICT,
    }
)  # by the same order, or by its corrected row, in a later file
WORDS_OF_THE_GATEWAY = 300  # characters of its messages that a reason repeats, tokens masked
MATTERS = 10_000  # of a batch that are told apart when it is counted who must act
# ... of which a later row of the same sale may speak instead; and those of them that stand in a
# rejects file
TAKEN_ON, IN_REJECTS = "taken on", "in rejects"
NAMED = 10  # further charges that a line names
LEFT = frozenset({"open", "noted"})  # how a further charge stands whose order has paid twice
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
ENGINEERS_CODES = frozenset(
    {"service_not_found", "locked_out", "invalid_charge", "brand_not_supported"}
)


# --- one row
# -------------------------------------------------------------------------------------------------


def find(
    batch: Batch, rows: Iterable[Row], history: History, guards: Guards, hold: str = ""
) -> list[Finding]:
    """Where each row stands, in the file's order. `hold`: why rows that may go were not sent in the
    last run.
    """
    return [_find(batch, row, history, guards, hold) for row in rows]


def _find(batch: Batch, row: Row, history: History, guards: Guards, hold: str) -> Finding:
    place = Place(batch, row, bool(guards.stop), history.sale(row))
    later = settled_by(row, history, batch.first_seen_ns)
    finding = finding_of(place, stand(row, history, guards), hold, later)
    if finding.idempotency_key:
        attempts = history.attempts.get(finding.order_id, ())
    else:
        attempts = ()
    if len(attempts) > 1:
        return _paid_apart(finding, attempts)
    return finding


def _paid_apart(finding: Finding, attempts: Sequence[Attempt]) -> Finding:
    """The line of one of several attempts of an order that took money: for a person until one was
    given back.
    """
    paid = [(attempt, money) for attempt in attempts if (money := money_of(attempt))]
    own = next(
        (attempt for attempt, _ in paid if attempt.intent.key == finding.idempotency_key), None
    )
    if own is None or len(paid) < 2:
        return finding
    each = [
        f"{charge.id} of attempt {attempt.intent.attempt}{', given back' * charge.given_back}"
        for attempt, money in paid
        for charge in money
    ]
    told_all = f"{len(paid)} attempts of this order took money: {', '.join(each)}"
    if not paid_apart(attempts):
        return replace(finding, reason="; ".join(filter(None, (finding.reason, told_all))))
    word = next((attempt.accepted for attempt, _ in paid if attempt.accepted), "")
    if word:
        step = ""
    else:
        step = steps.GIVE_BACK(order=own.intent.order_id, charge=finding.charge_id)
    reasons = (
        finding.reason,
        told_all,
        step,
        f"left so by {word}" if word and word not in finding.reason else "",
    )
    return replace(
        finding,
        reason="; ".join(filter(None, reasons)),
        who_acts=finding.who_acts if word else "a person",
        paid_apart="noted" if word else "open",
    )


def finding_of(
    place: Place, standing: Standing, hold: str = "", later: Attempt | None = None
) -> Finding:
    """A standing as a line of the report. `later`: what settled it elsewhere
    (standing.settled_by).
    """
    finding = _finding(place, standing, hold)
    if later is None or finding.outcome not in MAY_BE_SETTLED:
        return finding
    return replace(finding, settled_by=_told(later), who_acts="-")


def _finding(place: Place, standing: Standing, hold: str) -> Finding:
    match standing:
        case Owns(attempt, warnings=warnings):
            return place.of_attempt(attempt, warnings)
        case Rejected(reason, problems):
            return place.unsent(Outcome.REJECTED, reason, problems=problems)
        case Cancelled(reason):
            told_why = f"cancelled by hand: {reason}; {steps.NEW_ID()}"
            return replace(place.unsent(Outcome.REJECTED, told_why, who_acts="-"), cancelled=reason)
        case DuplicateOf(attempt, why=why):
            return _duplicate(place, attempt, why)
        case RepeatOf(repeat):
            return place.unsent(
                Outcome.DUPLICATE, f"{repeat.reason}; not sent yet", counts_as=Outcome.HELD
            )
        case ConflictWith(why, attempt, step):
            if attempt:
                reason = f"{why}: {_told(attempt)}"
            else:
                reason = why
            return place.unsent(Outcome.CONFLICT, "; ".join(filter(None, (reason, step))))
        case Renamed(other):
            charged = f'job "{other.job}" charged this very order ({other.charge_id})'
            return place.unsent(
                Outcome.HELD, f"{charged}. {steps.OLD_NAME(job=other.job)}", who_acts="engineer"
            )
        case Waits(reason, who_acts, warnings, attempt):
            if attempt is not None:
                return replace(
                    place.of_attempt(attempt, warnings), reason=reason, who_acts=who_acts
                )
            return place.unsent(Outcome.HELD, reason, who_acts=who_acts, warnings=warnings)
        case _:
            may_go: MayGo = standing
            return place.unsent(
                Outcome.HELD, hold or _untold(may_go) or NOT_SENT_YET, warnings=may_go.warnings
            )


def _untold(may_go: MayGo) -> str:
    """Why a next attempt was not sent: an earlier charge of the order was asked for and not
    shown.
    """
    earlier = next((attempt for attempt in may_go.before if attempt.untold), None)
    if earlier is None:
        return ""
    asked = (
        f"the gateway, asked again, did not show {earlier.untold} of its attempt"
        f" {earlier.intent.attempt}"
    )
    return f"{asked}, which took no money: {steps.ASK_EARLIER(order=earlier.intent.order_id)}"


def _duplicate(place: Place, attempt: Attempt, why: str) -> Finding:
    """It counts like the outcome that it names, and where that took no money it is for the same
    people.
    """
    finding = replace(
        place.unsent(Outcome.DUPLICATE, f"{why} of {_told(attempt)}", counts_as=attempt.outcome),
        duplicate_of=attempt.intent.order_id,
    )
    if attempt.outcome not in NO_MONEY:
        return replace(
            finding, accepted=attempt.outcome is Outcome.UNPROVEN and bool(attempt.accepted)
        )
    by_one_use = (
        attempt.charge is not None and not attempt.refused and _kind_of_payer(attempt) in _PAY_ONCE
    )
    if by_one_use:
        step = _pay_again(attempt)
    else:
        step = steps.ASK_AGAIN()
    return replace(finding, reason=f"{finding.reason}; {step}", who_acts=_who(attempt))


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a batch, about to become a finding. `stopped`: a stop is in force, what it is about
    is not settled; `sale`: standing.History.sale.
    """

    batch: Batch
    row: Row
    stopped: bool = False
    sale: str = ""

    def unsent(
        self,
        outcome: Outcome,
        reason: str,
        *,
        counts_as: Outcome | None = None,
        problems: tuple[Problem, ...] = (),
        who_acts: str = "",
        warnings: tuple[str, ...] = (),
    ) -> Finding:
        """A finding about a row without an intent."""
        document = self.row.document
        return Finding(
            file=self.batch.file,
            row=self.row.row,
            sheet=self.row.sheet,
            order_id=str(document.get("order_id", "")),
            outcome=outcome,
            counts_as=counts_as or outcome,
            amount=document.get("amount"),
            currency=_currency_of(document),
            destination=str(document.get("destination", "")),
            payment_method=payment_method(payer_of(document)),
            reason=reason,
            who_acts=who_acts or WHO_ACTS[outcome],
            attempts=0,
            batch_id=self.batch.id,
            metadata=document.get("metadata", {}),
            problems=problems,
            warnings=" | ".join(warnings),
            mode=self.batch.mode,
            read_amount=document.get("amount"),
            read_currency=_currency_of(document),
            whole_refused=bool(self.batch.refusal),
            sale=self.sale,
        )

    def of_attempt(self, attempt: Attempt, warnings: tuple[str, ...]) -> Finding:
        """A finding about a row that owns an attempt: what was asked, and what became of it."""
        asked, charge, outcome = attempt.intent, attempt.charge, attempt.outcome
        finding = Finding(
            file=self.batch.file,
            row=self.row.row,
            sheet=self.row.sheet,
            order_id=asked.order_id,
            outcome=outcome,
            counts_as=outcome,
            amount=asked.amount,
            currency=asked.currency.upper(),
            destination=asked.destination,
            payment_method=payment_method(asked.payer or payer_of(self.row.document)),
            reason=reason_of(attempt),
            who_acts=_who(attempt, stopped=self.stopped),
            attempts=asked.attempt,
            batch_id=self.batch.id,
            metadata=self.row.document.get("metadata", {}),
            problems=self.row.problems,
            error_code=attempt.code if outcome is Outcome.REFUSED else "",
            idempotency_key=asked.key,
            sent_at=_iso(attempt.sent_ns),
            settled_at=_settled_at(attempt),
            run_id=asked.run_id,
            warnings=" | ".join(warnings),
            mode=asked.mode or self.batch.mode,
            accepted=outcome is Outcome.UNPROVEN and bool(attempt.accepted),
            read_amount=self.row.document.get("amount"),
            read_currency=_currency_of(self.row.document),
            further=_further(attempt),
            cancelled=cancelled_by_hand(attempt),
            whole_refused=bool(self.batch.refusal),
            sale=self.sale,
        )
        if charge is None:
            return finding
        return _with_charge(finding, attempt, charge)


def _further(attempt: Attempt) -> tuple[Further, ...]:
    """What its other charges took, and whether that is over."""
    if attempt.doubled:
        over = "open"
    elif attempt.accepted:
        over = "noted"
    else:
        over = "kept"
    return tuple(
        Further(one.id, one.currency.upper(), one.amount, "given back" if one.given_back else over)
        for one in attempt.further
    )


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
        authorize_uri=(charge.authorize_uri or "") if finding.outcome is Outcome.PENDING else "",
    )
    if attempt.money is None:
        return seen
    return replace(
        seen,
        charged_amount=charge.amount,
        charged_currency=charge.currency.upper(),
        fee=charge.fee,
        fee_vat=charge.fee_vat,
        net=charge.net,
        fee_currency=charge.funding_currency or "",
        funding_amount=charge.funding_amount,
        funding_currency=charge.funding_currency or "",
        platform_fee=charge.platform_fee,
        recipient_amount=_share(attempt, charge),
    )


def _share(attempt: Attempt, charge: ChargeSeen) -> int | None:
    """What the recipient gets of a charge: its amount less the commission (omise-api.md, 2.3),
    which is none where none was asked and none is told. None: nobody knows, or nothing proves that
    it is split at all.
    """
    asked = attempt.intent
    commission = charge.platform_fee
    if commission is None and asked.fee_fixed is None and asked.fee_percentage is None:
        commission = 0
    if commission is None or charge.destination != asked.destination or charge.chain is None:
        return None
    return charge.amount - commission


def _currency_of(document: Document) -> str:
    return str(document.get("currency", "")).upper()


def payment_method(payer: str) -> str:
    """Kind and last four characters only: `customer *4242`."""
    if not payer:
        return ""
    kinds = {"cust": "customer", "src": "source"}
    return f"{kinds.get(payer.partition('_')[0], 'card')} *{payer.partition(':')[0][-4:]}"


def reason_of(attempt: Attempt) -> str:
    """One sentence about where an attempt stands, and whose word that rests on; empty when it
    succeeded without any trouble.
    """
    if attempt.by_hand:
        word = f"settled by {attempt.by_hand}"
    else:
        word = ""
    if attempt.accepted:  # an unproven one says it itself
        if attempt.outcome is not Outcome.UNPROVEN:
            word = f"accepted by {attempt.accepted}"
        else:
            word = ""
    return "; ".join(filter(None, (_stands(attempt), word)))


def _stands(attempt: Attempt) -> str:
    charge, outcome = attempt.charge, attempt.outcome
    message = told(attempt.message, WORDS_OF_THE_GATEWAY)
    match outcome:
        case Outcome.SUCCEEDED:
            return _how_it_was_found(attempt)
        case Outcome.UNPROVEN:
            step = steps.ACCEPT(
                order=attempt.intent.order_id, charge=charge.id if charge else "chrg_…"
            )
            if attempt.anothers:
                step = steps.SETTLE_ANOTHERS(order=attempt.intent.order_id)
            if attempt.accepted:
                then = f"accepted by {attempt.accepted}"
            else:
                then = step
            if attempt.money is not None:
                how = "charged"
            else:
                how = "answered with a charge"
            return (
                f"{how}, but not proven to be what was asked:"
                f" {attempt.why_unproven}{_beside(attempt)}; {then}"
            )
        case Outcome.PENDING:
            if attempt.wants_chain:
                return "paid, but its chain is not there yet: the next run asks again"
            if attempt.missing_ns and charge is not None:
                return (
                    f"the gateway no longer knows {charge.id}:"
                    f" {steps.SETTLE_LOST(order=attempt.intent.order_id)}"
                )
            decides = "the gateway has it and will decide" + (
                f" ({charge.status})" if charge else ""
            )
            return f"{decides}{_beside(attempt)}{_to_pay(attempt)}"
        case Outcome.DECLINED if charge is not None:
            why = told(charge.failure_message or "the charge failed", WORDS_OF_THE_GATEWAY)
            return (
                f"{charge.failure_code or 'declined'}: {why}{_beside(attempt)};"
                f" {_pay_again(attempt)}"
            )
        case Outcome.EXPIRED | Outcome.REVERSED:
            return (
                f"the charge {outcome.value} without money{_beside(attempt)}; {_pay_again(attempt)}"
            )
        case Outcome.REFUSED:
            return _why_refused(attempt, message)
        case Outcome.IN_DOUBT:
            return _why_in_doubt(attempt, message)
    if attempt.doubted:
        unsent = "what was sent did not arrive: the gateway has no charge of it"
    else:
        unsent = "it was not sent"
    return f"nothing was charged yet ({message or attempt.code or unsent})"


def _why_in_doubt(attempt: Attempt, message: str) -> str:
    """Why nobody knows what became of it, and what a person may do where no run will find out."""
    order_id = attempt.intent.order_id
    if attempt.spent:
        spent = (
            f"sent without an answer, then {attempt.code}: the first request may have used the"
            " token"
        )
        return f"{spent}; {steps.SETTLE_DOUBT(order=order_id)}"
    if attempt.may_be:
        unclear = (
            f"sent, no proof of what became of it; {attempt.may_be} may be its charge, and says"
            " no order"
        )
        return f"{unclear}: {steps.SETTLE_UNCLEAR(order=order_id, charge=attempt.may_be)}"
    if attempt.untold:
        elsewhere = (
            "sent when nobody told whose account the key was of; it is of account"
            f" {attempt.untold} now, which shows nothing of that time: that may be another one"
        )
        return f"{elsewhere}; {steps.SETTLE_DOUBT(order=order_id)}"
    return f"sent, no proof of what became of it ({message or 'no answer was recorded'})"


def _why_refused(attempt: Attempt, message: str) -> str:
    if attempt.by_hand:
        said = ""
    else:
        said = message or "the gateway refused the request"
    why = ": ".join(filter(None, (attempt.code, said)))
    if not attempt.may_be:
        return why
    unclear = (
        f"yet {attempt.may_be} in its list, which names no order, asks for the same: it may be its"
        " charge"
    )
    return (
        f"{why}; {unclear}:"
        f" {steps.SETTLE_UNCLEAR(order=attempt.intent.order_id, charge=attempt.may_be)}"
    )


def _kind_of_payer(attempt: Attempt) -> str:
    """`tokn`, `src`, `cust` or `card`; empty where it is not known: of a charge that the journal
    had lost.
    """
    return attempt.intent.payer.partition("_")[0]


_PAY_ONCE = {"tokn": steps.PAY_TOKEN, "src": steps.PAY_SOURCE}


def _pay_again(attempt: Attempt) -> str:
    """How its payer pays after all: what was spent does not pay twice."""
    return _PAY_ONCE.get(_kind_of_payer(attempt), steps.PAY_AGAIN)()


def _to_pay(attempt: Attempt) -> str:
    """What its payer does about a charge that waits for that."""
    if _kind_of_payer(attempt) == "src":
        return f"; {steps.SCAN()}"
    if attempt.charge and attempt.charge.authorize_uri:
        return f"; {steps.AUTHORISE()}"
    return ""


def _beside(attempt: Attempt) -> str:
    """Every other charge that the gateway made under the same key (B31), and how it stands."""
    if not attempt.others or attempt.charge is None:
        return ""
    charges = (attempt.charge, *(one.charge for one in attempt.others))
    each = ", ".join(
        f"{one.id} is {one.status}{', given back' * one.given_back}" for one in charges
    )
    if attempt.doubled:
        step = f"; {steps.GIVE_BACK(order=attempt.intent.order_id, charge=attempt.charge.id)}"
    else:
        step = ""
    return f"; the gateway made more than one charge for it: {each}{step}"


def _how_it_was_found(attempt: Attempt) -> str:
    """What an auditor asks about a charge that needed more than one request and its answer."""
    if attempt.others:
        return _beside(attempt).removeprefix("; ")
    if attempt.adopted:
        return "found at the gateway: the journal had lost it"
    if attempt.doubted and attempt.sends == 1:
        return "its answer was lost; a look-up found the charge"
    if attempt.doubted:
        return (
            "an answer was lost and look-ups found no charge; the same request was sent again,"
            f" {attempt.sends} in all"
        )
    return ""


def _who(attempt: Attempt, *, stopped: bool = True) -> str:
    """`stopped`: a charge too many is for a person until the stop that it caused is lifted.

    Two that took money are, longer: the lift says that somebody looked, not that one was given
    back.
    """
    if attempt.doubled or (attempt.others and stopped and not attempt.accepted):
        return "a person"
    if attempt.refused and attempt.code == CANCELLED:
        return "-"
    if attempt.outcome is Outcome.UNPROVEN and attempt.accepted:
        return "-"
    if attempt.outcome is Outcome.IN_DOUBT and (attempt.spent or attempt.may_be or attempt.untold):
        return "a person"
    if attempt.outcome is Outcome.REFUSED and attempt.may_be:
        return "a person"
    if attempt.outcome is Outcome.REFUSED and attempt.code in ENGINEERS_CODES:
        return "engineer"
    if attempt.outcome is Outcome.PENDING and attempt.missing_ns:
        return "a person"
    if attempt.outcome is Outcome.PENDING and attempt.charge and attempt.charge.authorize_uri:
        return "payer"
    return WHO_ACTS[attempt.outcome]


def _told(attempt: Attempt) -> str:
    """`batch 2026-11-24-0123456789ab row 7, succeeded, chrg_test_1`."""
    asked = attempt.intent
    place = f"batch {asked.batch_id}" + (f" sheet {asked.sheet}" if asked.sheet else "")
    if asked.row:
        place += f" row {asked.row}"
    else:
        place += ""
    if attempt.charge:
        charge = f", {attempt.charge.id}"
    else:
        charge = ""
    return f"order {asked.order_id} of {place}, {attempt.outcome.value}{charge}"


def _settled_at(attempt: Attempt) -> str:
    if attempt.outcome in (Outcome.IN_DOUBT, Outcome.HELD, Outcome.PENDING):
        return ""
    return _iso(attempt.settled_ns)


def _iso(at_ns: int) -> str:
    if at_ns:
        return _second(at_ns // 10**9)
    return ""


@lru_cache(maxsize=4096)
def _second(at_s: int) -> str:
    """As text; many charges share a second."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- all rows
# --------------------------------------------------------------------------------------------------


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
    unsent: Counter[str] = field(
        default_factory=Counter
    )  # by the currency that the row says, as it was read
    sent: Counter[str] = field(default_factory=Counter)  # ... of rows with a send
    asked: Counter[str] = field(
        default_factory=Counter
    )  # sums of what the rows say, as they were read
    charged: Counter[str] = field(
        default_factory=Counter
    )  # what the gateway says it took, by its own currency
    differs: Counter[str] = field(
        default_factory=Counter
    )  # asked less charged of what a person took note of
    named: Counter[str] = field(default_factory=Counter)  # outcomes that duplicates name
    named_accepted: Counter[str] = field(
        default_factory=Counter
    )  # ... of attempts that a person took note of
    accepted: Counter[str] = field(default_factory=Counter)  # outcomes that a person took note of
    settled: Counter[str] = field(
        default_factory=Counter
    )  # outcomes of rows that were settled elsewhere
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome, code)
    recipients: Counter[tuple[str, str]] = field(
        default_factory=Counter
    )  # (recipient, currency) -> sum succeeded
    recipient_counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    fees: Counter[tuple[str, str, str]] = field(
        default_factory=Counter
    )  # (currency, fee currency, fee | vat | net)
    # (currency, platform | recipient) -> sum; (currency, known | unknown) -> charges, by whether a
    # share can be told
    shares: Counter[tuple[str, str]] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)  # who must act -> rows
    warned: Counter[str] = field(
        default_factory=Counter
    )  # run that sent them, or empty -> rows with a warning
    # (who must act, may a later row of its sale take it on?, digest of the sale) -> rows; of the
    # first MATTERS sales
    matters: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    # (currency, order, charge, how that stands) -> sum of what further charges of an order took,
    # beside `charged`
    further: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    # (order, how that stands: open or noted) -> rows of orders of which two attempts took money;
    # each has its own row
    paid_apart: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count one row."""
        currency, outcome = finding.currency, finding.outcome
        self.rows_read += 1
        self.rows[currency] += 1
        self.warned.update([finding.run_id] if finding.warnings else ())
        with_send = bool(finding.idempotency_key) and outcome is not Outcome.HELD
        self.with_intent += with_send
        if with_send:
            self.sent[finding.read_currency] += 1
        elif outcome not in SENT:
            self.unsent[finding.read_currency] += 1
        if finding.read_currency:
            self.asked[finding.read_currency] += finding.read_amount or 0
        self.counts[currency, outcome.value] += 1
        self.sums[currency, outcome.value] += finding.amount or 0
        if outcome is Outcome.DUPLICATE:
            self.named[finding.counts_as.value] += 1
            if finding.accepted:
                self.named_accepted[finding.counts_as.value] += 1
        elif finding.accepted:
            self.accepted[outcome.value] += 1
        if finding.settled_by:
            self.settled[outcome.value] += 1
        if finding.who_acts != "-":
            self._add_matter(
                finding.who_acts, _kind_of(finding), finding.sale or by_order(finding.order_id)
            )
        self._add_further(finding.order_id, finding.further)
        if finding.paid_apart:
            self.paid_apart[finding.order_id, finding.paid_apart] += 1
        if outcome in MONEY_MOVED:
            self._add_charged(finding)
            self._add_shares(finding)
        if outcome is Outcome.SUCCEEDED:
            self.recipients[finding.destination, currency] += finding.amount or 0
            self.recipient_counts[finding.destination, currency] += 1
        if outcome is Outcome.REJECTED:
            codes = [p.rule for p in finding.problems]
        else:
            codes = []
        for code in codes or filter(None, (finding.failure_code, finding.error_code)):
            self.codes[outcome.value, code] += 1

    def add_stray(self, attempt: Attempt, *, stopped: bool) -> None:
        """Count an open attempt that no row of this journal asked for."""
        self.counts[attempt.intent.currency.upper(), attempt.outcome.value] += 1
        if attempt.accepted:
            self.accepted[attempt.outcome.value] += 1
        if (party := _who(attempt, stopped=stopped)) != "-":
            self._add_matter(party, "", by_order(attempt.intent.order_id))
        self._add_further(attempt.intent.order_id, _further(attempt))

    def _add_matter(self, party: str, kind: str, sale: str) -> None:
        self.acts[party] += 1
        key = (party, kind, sha256(sale.encode("utf-8", "replace")).hexdigest()[:12])
        if key in self.matters or len(self.matters) < MATTERS:
            self.matters[key] += 1

    def _add_further(self, order_id: str, charges: Iterable[Further]) -> None:
        for one in charges:
            self.further[one.currency, order_id, one.charge_id, one.stands] += one.amount

    @property
    def charged_twice(self) -> bool:
        """Is there an order of which a second charge is neither given back nor taken note of?"""
        return any(stands == "open" for *_, stands in (*self.further, *self.paid_apart))

    @property
    def left_charged_twice(self) -> bool:
        """The same, or one that a person took note of."""
        return any(stands in LEFT for *_, stands in (*self.further, *self.paid_apart))

    def _add_charged(self, finding: Finding) -> None:
        """What was charged; and how that differs from what was asked where no money moved, or a
        person took note of it: the two are different columns, and only what nobody knows of opens
        an equation.
        """
        currency, charged_in = finding.currency, finding.charged_currency or finding.currency
        self.charged[charged_in] += finding.charged_amount or 0
        no_money = finding.outcome is Outcome.UNPROVEN and finding.charged_amount is None
        if finding.accepted or no_money:
            self.differs[currency] += finding.amount or 0
            self.differs[charged_in] -= finding.charged_amount or 0

    def _add_shares(self, finding: Finding) -> None:
        """Who got what of a charge, as far as the gateway tells."""
        told = {"fee": finding.fee, "vat": finding.fee_vat, "net": finding.net}
        for name, amount in told.items():
            if amount is not None:
                self.fees[finding.currency, finding.fee_currency, name] += amount
        for name, amount in {
            "platform": finding.platform_fee,
            "recipient": finding.recipient_amount,
        }.items():
            if amount is not None:
                self.shares[finding.currency, name] += amount
        known = finding.recipient_amount is not None
        self.shares[finding.currency, "known" if known else "unknown"] += 1

    def count(self, outcome: Outcome, currency: str | None = None) -> int:
        """Rows that ended so."""
        return sum(
            n for (c, o), n in self.counts.items() if o == outcome.value and currency in (None, c)
        )

    def outcomes(self) -> dict[str, int]:
        """Outcome -> rows, in the contract's order, without those that did not happen."""
        return {o.value: n for o in Outcome if (n := self.count(o))}

    def money_moved(self) -> dict[str, int]:
        """Currency -> what the gateway says it charged."""
        return {currency: total for currency, total in sorted(self.charged.items()) if total}

    def stands(self) -> set[Outcome]:
        """Every outcome that some row has and that was not settled elsewhere, or that a duplicate
        names.
        """
        over = self.settled + self.accepted
        own = {outcome for outcome in Outcome if self.count(outcome) > over[outcome.value]}
        return own | {
            Outcome(name)
            for name, number in self.named.items()
            if number > self.named_accepted[name]
        }

    def equations(
        self, rows_in_file: int | None = None, read: Iterable[Read] = ()
    ) -> list[Equation]:
        """What must be equal (contract, section 4): rows, sent, and the money asked and charged.

        `read`: what the reader counted, each left side that is about the file. The right sides are
        findings, by the currency that a row itself says: a job that was changed since may read it
        otherwise than it was sent.
        """
        equations = self._of_what_was_read({one.currency: one for one in read})
        sent = sum(self.count(o) for o in SENT)
        equations.append(
            Equation(
                "", "rows with a send = sum of the outcomes of sent rows", self.with_intent, sent
            )
        )
        if rows_in_file is not None:
            equations.append(
                Equation("", "rows in the file = rows reported", rows_in_file, self.rows_read)
            )
        for currency in sorted(self.charged.keys() | self.differs.keys()):
            asked = (
                self.sums[currency, Outcome.SUCCEEDED.value]
                + self.sums[currency, Outcome.UNPROVEN.value]
            )
            known = self.differs[currency]
            if known:
                name = "amounts asked = amounts charged + differences that a person knows of"
            else:
                name = ASKED_CHARGED
            equations.append(Equation(currency, name, asked, self.charged[currency] + known))
        return equations

    def _of_what_was_read(self, read: Mapping[str, Read]) -> list[Equation]:
        """None for a batch of which nobody kept what was read."""
        equations = []
        for currency in sorted(read.keys() | self.unsent.keys() | self.sent.keys()) if read else ():
            one = read.get(currency, Read(currency, 0, 0))
            placed = self.unsent[currency] + self.sent[currency]
            equations.append(Equation(currency, ROWS_READ, one.rows, placed))
            if currency:
                equations.append(Equation(currency, SUMS_READ, one.sum, self.asked[currency]))
        return equations

    def to_json(self) -> dict[str, Any]:
        """For the journal: plain lists, always in the same order."""
        pairs = {
            name: [[*key, n] for key, n in sorted(getattr(self, name).items())] for name in _PAIRED
        }
        plain = {
            name: sorted([key, n] for key, n in getattr(self, name).items()) for name in _PLAIN
        }
        return {"rows_read": self.rows_read, "with_intent": self.with_intent, **pairs, **plain}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Totals:
        """The same totals back."""
        totals = cls(rows_read=data["rows_read"], with_intent=data["with_intent"])
        for name in _PAIRED:
            getattr(totals, name).update({tuple(key): n for *key, n in data.get(name, ())})
        for name in _PLAIN:
            getattr(totals, name).update(dict(data.get(name, ())))
        return totals


_PAIRED = (
    "counts",
    "sums",
    "codes",
    "recipients",
    "recipient_counts",
    "fees",
    "shares",
    "further",
    "paid_apart",
    "matters",
)
_PLAIN = (
    "rows",
    "charged",
    "differs",
    "named",
    "named_accepted",
    "settled",
    "accepted",
    "unsent",
    "sent",
    "asked",
    "acts",
    "warned",
)


def _kind_of(finding: Finding) -> str:
    """Of what kind the matter is that a row leaves to somebody (Totals.matters)."""
    if finding.counts_as not in MAY_BE_SETTLED:
        return ""
    if finding.whole_refused:
        return TAKEN_ON
    return IN_REJECTS


def must_act(every: Sequence[Totals]) -> Acts:
    """Who must act -> about how many orders: one sale is one matter, in however many rows and
    batches it stands.

    `every`: oldest batch first. What ended without money, or broke a rule, is taken on by the
    latest row of its sale that anybody must act about. Rows that are not told apart, of very many
    or of an earlier version, count as they are.
    """
    latest = {sale: at for at, totals in enumerate(every) for _, _, sale in totals.matters}
    found = {
        (party, sale): kind
        for at, totals in enumerate(every)
        for party, kind, sale in totals.matters
        if not kind or latest[sale] == at
    }
    acts = Counter(party for party, _ in found)
    back = Counter(party for (party, _), kind in found.items() if kind == IN_REJECTS)
    for totals in every:
        told_apart = Counter[str]()
        for (party, _, _), rows in totals.matters.items():
            told_apart[party] += rows
        acts.update({party: rows - told_apart[party] for party, rows in totals.acts.items()})
    return Acts({party: number for party, number in sorted(acts.items()) if number}, dict(back))


def further_json(totals: Totals) -> list[dict[str, Any]]:
    """By currency: what further charges of orders took, that no sum of a report has; empty when
    none did.
    """
    found = []
    for currency in sorted({code for code, *_ in totals.further}):
        mine = {key: n for key, n in sorted(totals.further.items()) if key[0] == currency}
        whole = sum(mine.values())
        found.append(
            {
                "currency": currency,
                "orders": len({order_id for _, order_id, _, _ in mine}),
                "count": len(mine),
                "sum_minor": whole,
                "sum": major_text(whole, currency),
                "charges": [
                    {
                        "order_id": order_id,
                        "charge_id": charge_id,
                        "amount_minor": n,
                        "stands": stands,
                    }
                    for (_, order_id, charge_id, stands), n in mine.items()
                ],
            }
        )
    return found


def further_lines(further: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """`charged twice: 1 order, 120.00 THB more at the gateway (chrg_test_2)`, for a person."""
    for one in further:
        named = [
            charge["charge_id"]
            + ("" if charge["stands"] == "open" else f", {_STANDS[charge['stands']]}")
            for charge in one["charges"][:NAMED]
        ]
        if one["count"] > NAMED:
            more = [f"and {one['count'] - NAMED} more"]
        else:
            more = []
        money = money_text({one["currency"]: one["sum_minor"]})
        yield (
            f"charged twice: {many(one['orders'], 'order')}, {money} more at the gateway"
            f" ({'; '.join(named + more)})"
        )


_STANDS = {
    "given back": "given back",
    "noted": "a person took note of it",
    "kept": "the other one was given back",
}


def exit_code(all_totals: Iterable[Totals], *, stopped: bool, open_equation: bool = False) -> int:
    """12, 11, 10 or 0, over this run's batches and every older one with an open row (contract,
    section 6).
    """
    every = list(all_totals)
    stands = {outcome for totals in every for outcome in totals.stands()} - {Outcome.DUPLICATE}
    if stopped or open_equation or Outcome.UNPROVEN in stands:
        return 12
    if stands & OPEN:
        return 11
    accepted = any(
        t.accepted.total() or t.named_accepted.total() or t.left_charged_twice for t in every
    )
    if accepted or not stands <= {Outcome.SUCCEEDED}:
        return 10
    return 0
