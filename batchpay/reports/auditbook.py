"""audit.xlsx and its CSVs: what an audit held against each other, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchpay.reconciliation.ledger import Entry, Ledger, Line, Rolling, Sums
from batchpay.reconciliation.matching import Difference
from batchpay.reports.files import Directory
from batchpay.reports.tables import Cell, Instant, Money, Table, write_book, write_csv


@dataclass(frozen=True, slots=True)
class Audited:
    """What is written."""

    job: str
    period: str  # the days, for a person
    zone: str
    test: str  # TEST where no money moved; else empty
    verdict: str
    ledger: Ledger
    # each with who took note of it, and why
    differences: Sequence[tuple[Difference, str]]
    notes: Sequence[str]


def write_audit(directory: Directory, audited: Audited) -> None:
    """audit.xlsx, charges.csv, ledger.csv and differences.csv. Raises CannotWrite."""
    charges = _charges(audited.ledger.lines)
    entries = _entries(audited.ledger.entries)
    differences = _differences(audited.differences)
    title = f"{audited.job} · audit of {audited.period}"
    tables = [_balances(audited), _sums(audited.ledger), differences, charges, entries]
    write_book(
        directory, "audit.xlsx", title, audited.job, tables, audited.zone, audited.test
    )
    write_csv(directory, "charges.csv", charges)
    write_csv(directory, "ledger.csv", entries)
    write_csv(directory, "differences.csv", differences)


def _money(minor: int | None, currency: str) -> Cell:
    if minor is None:
        return None
    return Money(minor, currency)


def _balances(audited: Audited) -> Table:
    """The first sheet: the verdict, and that the balance rolls."""
    rows = [_balance(one) for one in audited.ledger.balances]
    heads = ["currency", "opening balance", "credits", "debits", "closing balance"]
    return Table("Balance", heads, rows, [audited.verdict, *audited.notes])


def _balance(one: Rolling) -> list[Cell]:
    code = one.currency
    return [
        code,
        _money(one.opening, code),
        Money(one.credits, code),
        Money(-one.debits, code),
        _money(one.closing, code),
    ]


def _sums(ledger: Ledger) -> Table:
    """What the charges of these days cost, and what the account was credited for them."""
    heads = [
        "currency",
        "charges",
        "funding amount",
        "fee",
        "VAT on it",
        "interest",
        "net",
        "credited",
        "difference",
    ]
    rows = [_sum(code, one) for code, one in sorted(ledger.sums.items())]
    return Table("Fees", heads, rows)


def _sum(code: str, one: Sums) -> list[Cell]:
    sums = (one.funding, one.fee, one.fee_vat, one.interest, one.net, one.credited)
    told: list[Cell] = [Money(minor, code) for minor in sums]
    return [code, one.charges, *told, Money(one.net - one.credited, code)]


def _charges(lines: Sequence[Line]) -> Table:
    heads = [
        "made at",
        "order",
        "charge",
        "outcome",
        "currency",
        "amount",
        "settled in",
        "funding amount",
        "fee",
        "VAT",
        "net",
        "credited",
        "transfer",
        "transfer is",
        "transfer amount",
        "transfer fee",
        "bank gets",
        "given back",
    ]
    return Table("Charges", heads, [list(_charge(one)) for one in lines])


def _charge(one: Line) -> Iterator[Cell]:
    yield Instant(one.made_at)
    yield from (one.order_id, one.charge_id, one.outcome, one.currency)
    yield _money(one.amount, one.currency)
    yield one.fee_currency
    for minor in (one.funding, one.fee, one.fee_vat, one.net, one.credit):
        yield _money(minor, one.fee_currency)
    yield from (one.transfer_id, one.transfer_status)
    for minor in (
        one.transfer_amount,
        one.transfer_fee,
        one.bank_amount,
        one.refunded or None,
    ):
        yield _money(minor, one.currency)


def _entries(entries: Sequence[Entry]) -> Table:
    heads = ["at", "entry", "what", "of", "order", "currency", "credit", "debit"]
    return Table("Ledger", heads, [_entry(one) for one in entries])


def _entry(one: Entry) -> list[Cell]:
    credit = debit = None
    if one.minor >= 0:
        credit = Money(one.minor, one.currency)
    else:
        debit = Money(-one.minor, one.currency)
    of = f"{one.of} {one.origin}"
    return [
        Instant(one.at),
        one.id,
        one.key,
        of,
        one.order_id,
        one.currency,
        credit,
        debit,
    ]


def _differences(differences: Sequence[tuple[Difference, str]]) -> Table:
    heads = [
        "kind",
        "order",
        "charge",
        "what",
        "currency",
        "amount",
        "give back",
        "noted",
        "id",
    ]
    return Table("Differences", heads, [_difference(*one) for one in differences])


def _difference(one: Difference, noted: str) -> list[Cell]:
    amount = back = None
    if one.currency:
        amount = Money(one.amount, one.currency)
        if one.refund_minor:
            back = Money(one.refund_minor, one.currency)
    told = [one.kind, one.order_id, one.charge_id, one.told, one.currency]
    return [*told, amount, back, noted, one.id]
