"""LEDGER: the gateway's entries of some days, one to one beside our charges, transfers and refunds,
in whole smallest units and without tolerance.

    of a charge     funding amount = fee + VAT + net (+ interest); its credit is the net
    of a transfer   one debit of its whole amount, once it is sent
    of a refund     one debit
    of the account  opening balance + credits - debits = closing balance

(docs/gateway.md, 3.4, 7.5 and 7.6.) The closing balance of one audit is the opening balance of the
next.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from batchpay.domain.books import Balance, Booked, Refund, Transaction, Transfer
from batchpay.domain.model import ChargeSeen
from batchpay.domain.money import both_units, money_told
from batchpay.domain.times import is_instant
from batchpay.lifecycle.after import ARRIVES, Stands, stands_of
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import outcome_of
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.paid import charged_by, paid_by
from batchpay.messages import steps
from batchpay.reconciliation.matching import Difference, sum_told

CHARGE, TRANSFER, REFUND, DISPUTE = "charge", "transfer", "refund", "dispute"
OTHER = "other"
RARE = 3  # orders that a word of theirs names, at most, where it tells one sale


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the gateway's ledger, and what it is of."""

    at: str  # UTC, ISO 8601
    id: str
    key: str
    origin: str
    currency: str  # upper case
    minor: int  # a credit is more than nothing, a debit less
    of: str  # CHARGE, TRANSFER, REFUND or DISPUTE of this job; OTHER of the account
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One charge of the days as both sides have it; sums in the smallest unit."""

    order_id: str
    charge_id: str
    outcome: str
    made_at: str
    currency: str
    amount: int | None  # None: nobody can read it
    fee_currency: str
    credit: int | None  # None: the ledger has none
    funding: int | None = None
    fee: int | None = None
    fee_vat: int | None = None
    net: int | None = None
    transfer_id: str = ""
    transfer_status: str = ""
    transfer_amount: int | None = None
    transfer_fee: int | None = None
    bank_amount: int | None = None
    refunded: int = 0


@dataclass(slots=True)
class Sums:
    """One funding currency, of the charges of this job that took money."""

    charges: int = 0
    funding: int = 0
    fee: int = 0
    fee_vat: int = 0
    interest: int = 0
    net: int = 0
    credited: int = 0


@dataclass(frozen=True, slots=True)
class Rolling:
    """What the account had and has, in one currency; None: the gateway does not tell."""

    currency: str
    opening: int | None
    credits: int
    debits: int
    closing: int | None


@dataclass(slots=True)
class Ledger:
    """All of it."""

    lines: list[Line] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    sums: dict[str, Sums] = field(default_factory=dict)
    balances: list[Rolling] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def closing(self) -> dict[str, int]:
        """For the journal, and the next audit."""
        return {
            one.currency: one.closing
            for one in self.balances
            if one.closing is not None
        }


@dataclass(frozen=True, slots=True)
class Closed:
    """What an audit of the days before closed with; empty: none has."""

    first: str = ""
    last: str = ""
    balances: Mapping[str, int] = field(
        default_factory=dict
    )  # currency -> smallest unit


@dataclass(frozen=True, slots=True)
class BothSides:
    """What both sides say of some days."""

    attempts: Sequence[Attempt]
    charges: Sequence[Booked]
    placed: Mapping[str, str]  # charge of this job, of these -> its order
    transactions: Sequence[Transaction]  # from the first day on, up to now
    transfers: Sequence[Transfer]
    refunds: Sequence[Refund]  # of the days
    balance: Balance | None  # now; None: the gateway does not tell
    covers: Callable[[str], bool]  # is an instant in the days?
    is_later: Callable[[str], bool]  # ... or after them?
    # of this job's charge, of whatever day; empty: it is not ours
    order_of: Callable[[str], str]
    # transfer -> order, of whatever day: those that runs have seen
    transfers_of: Mapping[str, str]
    before: Closed
    disputes_of: Mapping[str, str] = field(default_factory=dict)  # the same
    # charge -> what was given back of it, where that was seen; smallest unit
    given: Mapping[str, int] = field(default_factory=dict)


def ledger_of(both: BothSides) -> Ledger:
    """Both sides side by side, and every difference."""
    ledger = Ledger()
    credits = _credits(both.transactions)
    shown = {one.id: one for one in both.charges}
    transfers = {one.id: one for one in both.transfers}
    debits = {one.origin: one for one in both.transactions if one.direction == "debit"}
    whose = _whose(both.attempts)
    for charge_id, order_id in sorted(both.placed.items(), key=itemgetter(1)):
        booked = shown[charge_id]
        credit = credits.get(charge_id)
        line = _line(order_id, whose.get(charge_id), booked, credit, transfers)
        ledger.lines.append(line)
        _add(ledger.sums, booked, credit)
    for known, attempt in charged_by(both.attempts):
        if attempt is not None and known.id in shown:
            ledger.differences += _of_fees(attempt, known, shown[known.id])
            ledger.differences += _of_debit(attempt, known, transfers, debits)
    ledger.differences += _of_refunds(both, debits)
    ledger.differences += one_sale(both.attempts, both.given)
    owners = _owners(both)
    for one in both.transactions:
        if both.covers(one.created_at):
            ledger.entries.append(_entry(one, owners, both.order_of))
    ledger.balances = list(_balances(both, ledger.entries))
    ledger.differences += _of_balances(ledger.balances, both.before)
    return ledger


def _credits(transactions: Iterable[Transaction]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in transactions:
        if one.direction == "credit" and isinstance(one.amount, int):
            found.setdefault(one.origin, one.amount)
    return found


# --- one charge


def _whose(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """Charge -> the attempt that reports it."""
    return {one.charge.id: one for one in attempts if one.charge and not one.anothers}


def _line(
    order_id: str,
    attempt: Attempt | None,
    booked: Booked,
    credit: int | None,
    transfers: Mapping[str, Transfer],
) -> Line:
    """`attempt`: None for one beside the charge that is reported, or that nobody knows."""
    charge = booked.charge
    assert charge is not None
    outcome = outcome_of(charge)
    if attempt is not None:
        outcome = attempt.outcome
    plain = Line(
        order_id=order_id,
        charge_id=charge.id,
        outcome=outcome.value,
        made_at=charge.created_at,
        currency=charge.currency.upper(),
        amount=charge.taken,
        fee_currency=charge.funding_currency or charge.currency.upper(),
        credit=credit,
        refunded=booked.refunded,
    )
    # else fees are told of money that never moved
    if charge.took_money:
        plain = replace(
            plain,
            funding=charge.funding_amount,
            fee=charge.fee,
            fee_vat=charge.fee_vat,
            net=charge.net,
        )
    return _with_transfer(plain, attempt, transfers)


def _with_transfer(
    line: Line, attempt: Attempt | None, transfers: Mapping[str, Transfer]
) -> Line:
    if attempt is None or attempt.transfer is None:
        return line
    seen = attempt.transfer
    now = transfers.get(seen.id)
    stands = seen.stands
    if now is not None:
        stands = stands_of(now).value
    return replace(
        line,
        transfer_id=seen.id,
        transfer_status=stands,
        transfer_amount=seen.amount,
        transfer_fee=seen.fee,
        bank_amount=seen.net if stands in ARRIVES else None,
    )


def _add(sums: dict[str, Sums], booked: Booked, credit: int | None) -> None:
    charge = booked.charge
    if charge is None or not charge.took_money:
        return
    one = sums.setdefault(charge.funding_currency or charge.currency.upper(), Sums())
    one.charges += 1
    one.funding += charge.funding_amount or 0
    one.fee += charge.fee or 0
    one.fee_vat += charge.fee_vat or 0
    one.interest += charge.interest or 0
    one.net += charge.net or 0
    one.credited += credit or 0


def _of_fees(
    attempt: Attempt, known: ChargeSeen, booked: Booked
) -> Iterator[Difference]:
    """What was told when it was charged against what is listed now; and that it is all of it."""
    charge = booked.charge
    if charge is None:
        return
    unit = charge.funding_currency or charge.currency.upper()
    order_id = attempt.intent.order_id
    for name in ("fee", "fee_vat", "net"):
        mine = getattr(known, name)
        listed = getattr(charge, name)
        if mine is None or listed is None or mine == listed:
            continue
        both = (both_units(mine, unit), both_units(listed, unit))
        told = f"the journal was told {name} {both[0]}, the gateway lists {both[1]}"
        state = f"{name} {mine}/{listed}"
        yield Difference(
            "fees", order_id, charge.id, told, listed - mine, unit, state=state
        )
    parts = (charge.fee, charge.fee_vat, charge.net)
    if charge.unread_costs or None in parts:
        told = charge.unread_costs or "not all of fee, VAT and net is told"
        yield Difference(
            "fee-sum", order_id, charge.id, told, 0, unit, state="cannot be read"
        )
        return
    if charge.funding_amount is None:
        return
    whole = sum(one or 0 for one in parts) + (charge.interest or 0)
    if whole != charge.funding_amount:
        told = (
            f"fee, VAT and net are {both_units(whole, unit)}, the funding amount is"
            f" {both_units(charge.funding_amount, unit)}"
        )
        rest = charge.funding_amount - whole
        yield Difference(
            "fee-sum", order_id, charge.id, told, rest, unit, state=str(whole)
        )


def _of_debit(
    attempt: Attempt,
    charge: ChargeSeen,
    transfers: Mapping[str, Transfer],
    debits: Mapping[str, Transaction],
) -> Iterator[Difference]:
    """A transfer that was sent has one debit of all of it."""
    seen = attempt.transfer
    if seen is None or attempt.charge is None or attempt.charge.id != charge.id:
        return
    transfer = transfers.get(seen.id)
    if transfer is None or stands_of(transfer) not in (Stands.SENT, Stands.PAID):
        return
    order_id = attempt.intent.order_id
    unit = charge.currency.upper()
    amount = transfer.amount or 0
    entry = debits.get(transfer.id)
    if entry is None:
        told = f"transfer {transfer.id} was sent, and the account's ledger has no debit for it"
        yield Difference(
            "no-debit", order_id, charge.id, told, amount, unit, about=transfer.id
        )
    elif entry.currency.upper() == transfer.currency.upper() and entry.amount != amount:
        told = (
            f"transfer {transfer.id} is {sum_told(transfer.amount, unit)}, its debit"
            f" {entry.amount} in the smallest unit"
        )
        state = f"{entry.amount}/{amount}"
        yield Difference(
            "debit-differs",
            order_id,
            charge.id,
            told,
            amount,
            unit,
            state=state,
            about=transfer.id,
        )


def _of_refunds(
    both: BothSides, debits: Mapping[str, Transaction]
) -> Iterator[Difference]:
    """A refund of one of ours has one debit; in another currency its amount is not held."""
    for refund in both.refunds:
        order_id = both.order_of(refund.charge_id)
        # of a day that nobody tells: no proof
        if not order_id or not is_instant(refund.made_at):
            continue
        entry = debits.get(refund.id)
        unit = refund.currency
        if entry is None:
            told = f"refund {refund.id} has no debit in the account's ledger"
        elif entry.currency.upper() == unit and entry.amount != refund.amount:
            told = f"refund {refund.id} is {refund.amount}, its debit {entry.amount}"
        else:
            continue
        yield Difference(
            "refund-debit",
            order_id,
            refund.charge_id,
            told,
            refund.amount,
            unit,
            about=refund.id,
        )


# --- one sale under two ids


def one_sale(
    attempts: Sequence[Attempt], given: Mapping[str, int]
) -> Iterator[Difference]:
    """Charges of two orders that look like one sale: the same recipient, amount, currency and, as
    far as it is told, payer; and ids that are alike, or a word beside the order that hardly any
    other has, as an invoice number is. Not where no more is left of the two than one sale pays.
    """
    paid = [one for one in attempts if one.money is not None]
    words = Counter(word for one in paid for word in _words(one))
    terms: dict[tuple[str, int, str], list[Attempt]] = defaultdict(list)
    for one in paid:
        asked = one.intent
        terms[asked.destination, asked.amount, asked.currency].append(one)
    for some in terms.values():
        for at, second in enumerate(some):
            for first in some[:at]:
                why = _why_one(first, second, words)
                if why and paid_by(charged_by((first, second))).less(given).too_much:
                    yield _two_ids(first, second, why)
                    break


def _why_one(first: Attempt, second: Attempt, words: Counter[tuple[str, str]]) -> str:
    """Empty: nothing says that they are."""
    if first.intent.order_id == second.intent.order_id:
        return ""
    payers = {
        one.charge.payer for one in (first, second) if one.charge and one.charge.payer
    }
    if len(payers) > 1:
        return ""
    if alike(first.intent.order_id) == alike(second.intent.order_id):
        return "their ids are alike"
    shared = _words(first) & _words(second)
    for name, value in sorted(shared):
        is_rare = words[name, value] <= RARE
        if is_rare and any(letter.isdigit() for letter in value):
            return f"both say {name} {value}"
    return ""


def _words(attempt: Attempt) -> set[tuple[str, str]]:
    """What a charge says beside its order and us."""
    charge = attempt.charge
    if charge is None:
        return set()
    return {
        (name, value)
        for name, value in charge.metadata.items()
        if value and name != "order_id" and not name.startswith("batchpay_")
    }


def _two_ids(first: Attempt, second: Attempt, why: str) -> Difference:
    charge = second.charge
    mine = first.charge
    assert charge is not None and mine is not None
    other = first.intent.order_id
    told = (
        f"order {other} was charged too, by {mine.id}, for the same recipient and amount, and"
        f" {why}: if it is one sale, give one of the two back"
    )
    return Difference(
        "one-sale-two-ids",
        second.intent.order_id,
        charge.id,
        told,
        charge.amount,
        charge.currency.upper(),
        state=mine.id,
    )


# --- the account


Owners = Mapping[str, tuple[str, str]]
"""Id of a transfer, refund or dispute of this job -> what it is, and of which order."""


def _owners(both: BothSides) -> Owners:
    found = {name: (TRANSFER, order_id) for name, order_id in both.transfers_of.items()}
    found |= {name: (DISPUTE, order) for name, order in both.disputes_of.items()}
    for refund in both.refunds:
        order_id = both.order_of(refund.charge_id)
        if order_id:
            found[refund.id] = (REFUND, order_id)
    return found


def _entry(one: Transaction, owners: Owners, order_of: Callable[[str], str]) -> Entry:
    """A credit with its amount, a debit with less than nothing."""
    minor = 0
    if isinstance(one.amount, int):
        minor = one.amount
    if one.direction == "debit":
        minor = -minor
    of, order_id = owners.get(one.origin, (OTHER, ""))
    if of == OTHER:
        order_id = order_of(one.origin)
        if order_id:
            of = CHARGE
    currency = one.currency.upper()
    return Entry(
        one.created_at, one.id, one.key, one.origin, currency, minor, of, order_id
    )


def _balances(both: BothSides, entries: Sequence[Entry]) -> Iterator[Rolling]:
    """From what the account has now, back to the end of the days and to their beginning."""
    credits = Counter[str]()
    debits = Counter[str]()
    for one in entries:
        if one.minor >= 0:
            credits[one.currency] += one.minor
        else:
            debits[one.currency] -= one.minor
    since = Counter[str]()
    for later in both.transactions:
        if both.is_later(later.created_at) and isinstance(later.amount, int):
            if later.direction == "credit":
                since[later.currency.upper()] += later.amount
            else:
                since[later.currency.upper()] -= later.amount
    told = {}
    if both.balance is not None:
        told[both.balance.currency] = both.balance.total
    for currency in sorted({*credits, *debits, *told} - {""}):
        closing = opening = None
        if currency in told:
            closing = told[currency] - since[currency]
            opening = closing - credits[currency] + debits[currency]
        yield Rolling(currency, opening, credits[currency], debits[currency], closing)


def _of_balances(balances: Iterable[Rolling], before: Closed) -> Iterator[Difference]:
    """The days before ended with what these begin with."""
    again = steps.AUDIT_AGAIN(first=before.first, last=before.last)
    for one in balances:
        closed = before.balances.get(one.currency)
        if closed is None or one.opening is None or closed == one.opening:
            continue
        told = (
            f"the audit of the days before closed with {money_told(closed, one.currency)}, these"
            f" days open with {money_told(one.opening, one.currency)}: {again}"
        )
        yield Difference(
            "balance",
            "",
            "",
            told,
            one.opening - closed,
            one.currency,
            state=f"{closed}/{one.opening}",
            about=one.currency,
        )
