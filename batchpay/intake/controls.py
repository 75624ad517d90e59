"""Limits and control totals: what the sender declared and what nobody may exceed, held against the
rows.

The sender's totals are about all rows of the file, also those that are rejected. A row whose amount
cannot be read makes a total unprovable, and that refuses the batch like a wrong total does.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from batchpay.domain.documents import Column, orders_of, values_of
from batchpay.domain.errors import FileRefused, Misconfigured
from batchpay.domain.model import Document, Judged, Problem, Read
from batchpay.domain.money import NotMoney, grouped_text, to_minor
from batchpay.domain.strictjson import NotStrict, parse
from batchpay.domain.text import told
from batchpay.intake.sources import column_of, in_lookup
from batchpay.job.job import Columns, Controls, Fee, Input
from batchpay.messages import controls as said
from batchpay.messages import problems
from batchpay.messages.message import Message
from batchpay.messages.repeats import ROW, ROW_OF_SHEET

Found = dict[int, tuple[Problem, ...]]
Check = Callable[[Sequence[Document]], Found]

_IDS = ("destination", "customer", "card", "source")


# --- per row


def max_amount_check(max_amount: Mapping[str, int], columns: Columns) -> Check:
    """Rejects orders above the limit of their currency; a currency without a limit has none."""
    limits = {code.lower(): limit for code, limit in max_amount.items()}
    column = column_of(columns, "amount")

    def check(documents: Sequence[Document]) -> Found:
        found: Found = {}
        for at, amount, code in _asked(documents):
            if amount is not None and amount > limits.get(code or "", amount):
                above = problems.ABOVE_MAX_AMOUNT(limit=_money(limits[code], code))
                found[at] = (Problem(column, _money(amount, code), above),)
        return found

    return check


def _asked(documents: Sequence[Document]) -> Iterator[tuple[int, Any, Any]]:
    """Position, amount and currency of each; None where it has none."""
    amounts = values_of(documents, "amount")
    currencies = values_of(documents, "currency")
    return zip(range(len(documents)), amounts, currencies, strict=True)


def fee_check(fee: Fee, columns: Columns) -> Check:
    """Rejects orders whose commission is more than they ask for; one of all of it leaves a share of
    0, which `[controls] min_share` is about.
    """
    column = column_of(columns, "amount")

    def check(documents: Sequence[Document]) -> Found:
        found: Found = {}
        for at, amount, code in _asked(documents):
            if amount is None or code is None:
                continue
            commission = fee.of(amount, code)
            if commission <= amount:
                continue
            shown = _money(math.ceil(commission), code)
            above = problems.COMMISSION_ABOVE_AMOUNT(commission=shown)
            found[at] = (Problem(column, _money(amount, code), above),)
        return found

    return check


def require_fixed_fee(judged: Judged, fee: Fee, file: str) -> None:
    """Raises Misconfigured for a right row whose currency has no fixed commission while others
    have.
    """
    if not fee.fixed:
        return
    for at, currency in enumerate(values_of(judged.documents, "currency")):
        code = str(currency or "").upper()
        if at not in judged.problems and code not in fee.fixed:
            row = _row_told(judged, at)
            raise Misconfigured(said.NO_FIXED_FEE(currency=code, row=row, file=file))


def mode_check(mode: Literal["test", "live"], columns: Columns) -> Check:
    """Rejects orders that name something of the other mode: `recp_test_…` in a live job, or the
    reverse.
    """
    named = [
        (name, column_of(columns, name)) for name in _IDS if name in columns.fields
    ]
    is_test_job = mode == "test"
    of_mode = _OF_MODE[mode]

    def check(documents: Sequence[Document]) -> Found:
        found: Found = {}
        for name, column in named:
            texts = values_of(documents, name)
            if _are_of_mode(texts, of_mode):
                continue
            for at, text in enumerate(texts):
                if not text or "_" not in text:
                    continue
                is_test_id = text.split("_", 2)[1] == "test"
                if is_test_id != is_test_job:
                    problem = _other_mode(text, mode, column)
                    problem = in_lookup(columns.fields[name], text, problem)
                    found[at] = (*found.get(at, ()), problem)
        return found

    return check


# a column of ids of one mode, or of none
_OF_MODE = {
    "test": re.compile(r"(?:[^_\n]*+(?:_test_[^\n]*+|_test|)\n)*+"),
    "live": re.compile(r"(?:[^_\n]*+(?!_test[_\n])[^\n]*+\n)*+"),
}


def _are_of_mode(texts: Column, of_mode: re.Pattern[str]) -> bool:
    """Is plainly none of them of the other mode? False: look at each."""
    if None in texts:
        texts = [text or "" for text in texts]
    column = "\n".join((*texts, ""))
    is_apart = column.count("\n") == len(texts)
    return is_apart and of_mode.fullmatch(column) is not None


def _other_mode(text: str, mode: str, column: str) -> Problem:
    if mode == "test":
        other = "live"
    else:
        other = "test"
    return Problem(column, told(text), problems.OTHER_MODE(other=other, mode=mode))


# --- per batch


@dataclass(slots=True)
class Tally:
    """Counts and sums of one batch, by upper-case currency, in smallest units."""

    read: int = 0
    rejected: int = 0
    # of all rows that could be read
    total: Counter[str] = field(default_factory=Counter)
    valid: Counter[str] = field(default_factory=Counter)  # of those that may be sent
    orders: Counter[str] = field(default_factory=Counter)  # how many those are
    # of every row; without a currency: the empty one
    rows: Counter[str] = field(default_factory=Counter)
    unread: int = 0  # rows without an amount and currency that could be read
    first_unread: Message | None = None

    def add(self, judged: Judged) -> None:
        """Count one chunk."""
        documents = judged.documents
        problems = judged.problems
        self.read += len(judged.chunk.rows)
        self.rejected += len(problems)
        sums, counts = sums_of(orders_of(judged))
        self.valid.update(sums)
        self.orders.update(counts)
        rejected_sums, _ = sums_of([documents[at] for at in problems])
        self.total.update(sums)
        self.total.update(rejected_sums)
        self.rows.update(counts)
        self.rows.update(_told_currency(documents[at]) for at in problems)
        self.rows[""] += len(judged.chunk.rows) - len(documents)
        for at in sorted(problems):
            if not _is_priced(documents[at]):
                if self.first_unread is None:
                    self.first_unread = _row_told(judged, at)
                self.unread += 1

    def reading(self) -> tuple[Read, ...]:
        """What was read, for the journal: an equation's left side, counted before anybody judged a
        row's history.
        """
        read = []
        for code in sorted(self.rows):
            if self.rows[code]:
                read.append(Read(code, self.rows[code], self.total[code]))
        return tuple(read)


def _row_told(judged: Judged, at: int) -> Message:
    """`row 7`, with the sheet where there is one."""
    row = judged.chunk.rows[at]
    if judged.chunk.sheet:
        return ROW_OF_SHEET(row=row, sheet=judged.chunk.sheet)
    return ROW(row=row)


def _told_currency(document: Document) -> str:
    return str(document.get("currency", "")).upper()


def _is_priced(document: Document) -> bool:
    return "amount" in document and "currency" in document


def sums_of(documents: Sequence[Document]) -> tuple[Counter[str], Counter[str]]:
    """Sum and count by upper-case currency of documents that have both amount and currency."""
    amounts = values_of(documents, "amount")
    return sums_in(amounts, values_of(documents, "currency"))


def sums_in(amounts: Column, currencies: Column) -> tuple[Counter[str], Counter[str]]:
    """The same of their amounts and currencies; None where one has none."""
    counts = Counter(currencies)
    if len(counts) > 1 or None in counts or None in amounts:
        return _sums_one_by_one(amounts, currencies)
    sums = dict.fromkeys(counts, sum(amounts))
    return _upper(sums), _upper(counts)


def _sums_one_by_one(
    amounts: Column, currencies: Column
) -> tuple[Counter[str], Counter[str]]:
    counts: Counter[str] = Counter()
    sums: dict[str, int] = {}
    for amount, currency in zip(amounts, currencies, strict=True):
        if amount is not None and currency is not None:
            counts[currency] += 1
            sums[currency] = sums.get(currency, 0) + amount
    return _upper(sums), _upper(counts)


def _upper(numbers: Mapping[str, int]) -> Counter[str]:
    return Counter({code.upper(): number for code, number in numbers.items()})


def refusal_of(tally: Tally, controls: Controls, rules: Input) -> tuple[Message, ...]:
    """Why the whole batch is refused; empty when it is not."""
    return (
        *_too_many_rejects(tally, rules),
        *_wrong_count(tally, controls),
        *_wrong_totals(tally, controls),
    )


def proves_whole(tally: Tally, controls: Controls) -> bool:
    """Do the sender's count and totals, both of them, say that no row is missing?"""
    if controls.count is None or not controls.total:
        return False
    wrong = [*_wrong_count(tally, controls), *_wrong_totals(tally, controls)]
    return not wrong


def _too_many_rejects(tally: Tally, rules: Input) -> Iterator[Message]:
    rejected = tally.rejected
    rows = tally.read
    if rules.on_reject == "stop" and rejected:
        if rows == 1:
            yield said.REJECTED_ONLY()
        else:
            yield said.REJECTED_STOP(rejected=rejected, rows=rows)
    elif rules.max_rejects is not None and rules.max_rejects.exceeded_by(
        rejected, rows
    ):
        limit = rules.max_rejects.text
        if rows == 1:
            yield said.TOO_MANY_ONLY(limit=limit)
        else:
            yield said.TOO_MANY_REJECTS(
                rejected=rejected,
                rows=rows,
                limit=limit,
            )


def _wrong_count(tally: Tally, controls: Controls) -> Iterator[Message]:
    if controls.count is not None and controls.count != tally.read:
        yield said.WRONG_COUNT(rows=tally.read, declared=controls.count)


def _wrong_totals(tally: Tally, controls: Controls) -> Iterator[Message]:
    if controls.total is None:
        return
    if tally.first_unread is not None:
        yield _unproven(tally.first_unread, tally.unread - 1)
        return
    declared = {code.upper(): total for code, total in controls.total.items()}
    found = {code for code, total in tally.total.items() if total}
    for code in sorted(declared.keys() | found):
        shown = _money(tally.total[code], code)
        if code not in declared:
            yield said.TOTAL_UNDECLARED(found=shown, currency=code)
        elif tally.total[code] != declared[code]:
            yield said.WRONG_TOTAL(found=shown, declared=_money(declared[code], code))


def _unproven(first: Message, more: int) -> Message:
    if more:
        return said.TOTAL_UNPROVEN_MORE(row=first, more=more)
    return said.TOTAL_UNPROVEN(row=first)


# --- per run


def run_refusal(
    sums: Mapping[str, int], max_total: Mapping[str, int] | None
) -> tuple[Message, ...]:
    """Why the plan of a run is refused whole, by its sums per currency; empty when it is not."""
    limits = {code.upper(): limit for code, limit in (max_total or {}).items()}
    refusal = []
    for code in sorted(sums):
        limit = limits.get(code.upper())
        if limit is not None and sums[code] > limit:
            total = _money(sums[code], code)
            refusal.append(said.ABOVE_MAX_TOTAL(total=total, limit=_money(limit, code)))
    return tuple(refusal)


def _money(minor: int, code: str) -> str:
    return f"{grouped_text(minor, code)} {code.upper()}"


def next_deadline(clock: str, zone: str, started: datetime) -> datetime:
    """The first instant after `started` (UTC) at which a clock in `zone` shows `clock` (HH:MM).

    A time that comes twice on that day counts both times; of one that never comes the earlier
    reading is taken.
    """
    place = ZoneInfo(zone)
    at = time.fromisoformat(clock)
    today = started.astimezone(place).date()
    later = []
    for days in range(3):
        day = today + timedelta(days)
        for fold in (0, 1):
            local = datetime.combine(day, at.replace(fold=fold), place)
            instant = local.astimezone(UTC)
            if instant > started:
                later.append(instant)
    return min(later)


# --- the sender's totals beside the file


def parse_totals(
    data: bytes, name: str = "the totals file"
) -> tuple[int | None, dict[str, int] | None]:
    """Count and sums of `orders.csv.totals.json`; raises FileRefused (65) for anything doubtful.

    >>> parse_totals(b'{"count": 2, "total": {"THB": "1234500.00"}}')
    (2, {'THB': 123450000})
    """
    try:
        document = parse(data)
    except NotStrict as error:
        raise FileRefused(said.TOTALS_NOT_JSON(file=name, wrong=str(error))) from error
    if not isinstance(document, dict) or not document:
        raise FileRefused(said.TOTALS_SHAPE(file=name))
    if document.keys() - {"count", "total"}:
        raise FileRefused(said.TOTALS_SHAPE(file=name))
    count = document.get("count")
    if "count" in document and (type(count) is not int or count < 0):
        raise FileRefused(said.TOTALS_COUNT(file=name, count=repr(count)))
    if "total" not in document:
        return count, None
    return count, _declared(document["total"], name)


def _declared(total: Any, name: str) -> dict[str, int]:
    if not isinstance(total, dict) or not all(
        isinstance(text, str) for text in total.values()
    ):
        raise FileRefused(said.TOTALS_TEXT(file=name))
    sums: dict[str, int] = {}
    for code, text in total.items():
        minor = _amount_of(text, code, name)
        if code.upper() in sums or minor < 0:
            raise FileRefused(said.TOTALS_TWICE(file=name, currency=code.upper()))
        sums[code.upper()] = minor
    return sums


def _amount_of(text: str, code: str, name: str) -> int:
    try:
        return to_minor(text, code)
    except NotMoney as error:
        wrong = said.TOTALS_AMOUNT(
            file=name,
            total=told(text),
            currency=told(code),
            wrong=error.said,
        )
        raise FileRefused(wrong) from error
