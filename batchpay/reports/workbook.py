"""report.xlsx: the workbook for accountants.

    Summary        the verdict, every outcome with its rows and sum, fees, equations and checks
    Needs action   the rows that somebody must see to, who, why, and the command to type
    Results        every row once: what people ask about in front, the input's own columns, the rest
    Rejects        the rows to correct, as the input had them
    Came back      the rows that came back for an earlier one: which, and what changed
    By recipient   what went to whom, per currency
    By code        why rows were not charged
    Ledger         every charge whose money moved, with its fees and shares

The sums of the summary are formulas over Results; beside each stands the sum that the journal
noted, and whether the two are the same. A batch of more than DETAILED rows has in Results the rows
that did not simply succeed, and its sums are numbers: the workbook says so, and results.csv has
all rows. The names of the sheets are the same in every language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batchpay.domain.exits import NOBODY
from batchpay.domain.model import MONEY_MOVED, Finding, Outcome, StoredChunk
from batchpay.messages import labels
from batchpay.readers.cells import decode_cells
from batchpay.reconciliation.reasons import with_what_comes
from batchpay.reports.cover import COLUMNS as COVERED
from batchpay.reports.cover import Cover, Places
from batchpay.reports.facts import (
    dashboard_of,
    known_last,
    not_charged,
    told_of,
    without_told,
)
from batchpay.reports.files import Directory
from batchpay.reports.pivots import Pivots, pivots_of
from batchpay.reports.rejects import is_to_correct
from batchpay.reports.sheets import WIDEST, Book, Sheet, major, workbook
from batchpay.reports.table import COLUMNS, LAST_COLUMNS, Getter, Inputs
from batchpay.reports.words import Words, local_time

if TYPE_CHECKING:
    import pandas as pd

SHEETS = (
    "Summary",
    "Needs action",
    "Results",
    "Rejects",
    "Came back",
    "By recipient",
    "By code",
    "Ledger",
)
DETAILED = 200_000  # rows up to which every one stands in the workbook
WRAPPED = WIDEST  # characters of a reason, where it is wrapped

# The columns of Results in front of the input's own; the rest comes behind, in its order.
_FRONT = (
    "row",
    "order_id",
    "outcome",
    "reason",
    "who_acts",
    "amount",
    "currency",
    "destination",
)
_LEFT_OUT = frozenset({"amount_major"})  # an amount is a number here
_MONEY = {
    "amount": "currency",
    "charged_amount": "charged",
    "platform_fee": "charged",
    "recipient_amount": "charged",
    "fee": "fee",
    "fee_vat": "fee",
    "net": "fee",
    "transfer_amount": "charged",
    "transfer_fee": "charged",
    "bank_amount": "charged",
    "refunded_amount": "charged",
    "funding_amount": "funding",
}
_LEDGER = (
    "settled_at",
    "order_id",
    "charge_id",
    "currency",
    "charged_amount",
    "platform_fee",
    "recipient_amount",
    "destination",
    "transfer_id",
    "fee_currency",
    "fee",
    "fee_vat",
    "net",
    "transfer_status",
    "transfer_fee",
    "bank_amount",
    "transfer_paid_at",
    "refunded_amount",
    "dispute",
)
# What a row was before, which stands far to the right in Results.
_CAME_BACK = (
    "row",
    "order_id",
    "outcome",
    "amount",
    "currency",
    "attempts",
    "corrects",
    "changed",
)
_ACTION = ("who_acts", "order_id", "row", "outcome", "amount", "currency", "reason")
_BESIDE_ACTION = ("destination", "command", "authorize_uri", "dashboard")


def write_workbook(directory: Directory, inputs: Inputs) -> None:
    """The file. Raises CannotWrite."""
    words = Words(inputs.language, inputs.time_zone, inputs.job_file)
    title = f"{inputs.batch.job} · {inputs.batch.id}"
    with (
        directory.file("report.xlsx") as file,
        workbook(file, title, inputs.batch.job) as book,
    ):
        _Workbook(inputs, words, book, title).write()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its heading, its kind and what it shows of a finding."""

    name: str
    kind: str  # text, int, time or money
    get: Getter


def columns_of(words: Words, names: Sequence[str]) -> list[Column]:
    """Columns of results by name, as a workbook shows them."""
    known = COLUMNS | LAST_COLUMNS
    found = []
    for name in names:
        kind, get = known[name]
        if name in _MONEY:
            kind = "money"
        found.append(Column(name, kind, _worded(name, words) or get))
    return found


def _worded(name: str, words: Words) -> Getter | None:
    """Columns that are said in the language of the report."""
    told: dict[str, Callable[[Finding], str]] = {
        "outcome": lambda finding: words.outcome(finding.outcome.value),
        "reason": words.reason,
        "who_acts": lambda finding: _party(finding, words),
        "warnings": words.warnings,
        "transfer_status": lambda finding: _transfer(finding, words),
    }
    return told.get(name)


def _party(finding: Finding, words: Words) -> str:
    """Nobody is an empty cell: what has a party stands out."""
    if finding.who_acts == NOBODY:
        return ""
    return words.party(finding.who_acts)


def _transfer(finding: Finding, words: Words) -> str:
    if not finding.transfer_status:
        return ""
    return words.transfer(finding.transfer_status)


def currency_of(name: str, finding: Finding) -> str:
    """The currency of an amount of a finding."""
    match _MONEY[name]:
        case "charged":
            return finding.charged_currency or finding.currency
        case "fee":
            return finding.fee_currency
        case "funding":
            return finding.funding_currency
    return finding.currency


class _Workbook:
    """All sheets, filled in one reading of the findings."""

    def __init__(self, inputs: Inputs, words: Words, book: Book, title: str) -> None:
        self._inputs = inputs
        self._words = words
        self._title = title
        self._test = "TEST" if inputs.batch.mode == "test" else ""
        sheets = [book.sheet(name) for name in SHEETS]
        self._summary, self._action, self._results, self._rejects = sheets[:4]
        self._came_back, self._recipients, self._codes, self._ledger = sheets[4:]
        self._limited = inputs.totals.rows_read > DETAILED
        self._cut = False
        # what the file calls recipients stands beside the columns that no field used
        sellers = [name for name in inputs.sellers if name in inputs.batch.columns]
        self._sellers = len(sellers)
        self._shown = [*sellers, *inputs.batch.unused]
        self._own = [
            *self._shown,
            *(f"metadata[{key}]" for key in inputs.batch.metadata),
        ]
        names = [
            *_FRONT,
            *(name for name in (COLUMNS | LAST_COLUMNS) if name not in _FRONT),
        ]
        self._front = columns_of(words, _FRONT)
        self._back = columns_of(
            words, [n for n in names[len(_FRONT) :] if n not in _LEFT_OUT]
        )

    def write(self) -> None:
        self._begin()
        made = self._inputs
        pivots = pivots_of(self._each_written(), made.sellers, made.called)
        self._end()
        self._write_recipients(pivots)
        self._write_codes(pivots)
        cover = Cover(self._inputs, self._words, self._summary, self._places())
        cover.write(pivots, self._limits())
        self._finish(self._summary, COVERED, upright=True)

    def _limits(self) -> list[str]:
        """By which rules rows are left out."""
        if not self._limited:
            return []
        limited = labels.SHEET_LIMITED(
            rows=self._inputs.totals.rows_read,
            most=DETAILED,
            listed=self._results.at - 1,
        )
        told = [self._words.say(limited)]
        if self._cut:
            told.append(self._words.say(labels.SHEET_CUT(most=DETAILED)))
        return told

    def _places(self) -> Places | None:
        """Where Results has what the formulas add up; None where it has not every row."""
        if self._limited or self._results.at < 2:
            return None
        at = {column.name: number for number, column in enumerate(self._front)}
        return Places(self._results.at, at["outcome"], at["currency"], at["amount"])

    # --- rows, as they are read

    def _each_written(self) -> Iterator[tuple[StoredChunk, list[Finding]]]:
        for chunk, lines in self._inputs.findings():
            findings = list(lines)
            self._write_rows(chunk, findings)
            yield chunk, findings

    def _begin(self) -> None:
        heads = [self._heading(column.name) for column in self._front]
        heads += self._own
        heads += [self._heading(column.name) for column in self._back]
        self._results.head(heads)
        self._action.head(
            [self._heading(name) for name in _ACTION] + self._action_heads()
        )
        self._rejects.head([*self._reject_heads(), *self._inputs.batch.columns])
        heads = [self._heading(name) for name in _LEDGER]
        self._ledger.head([*heads, self._words.column("seller")])
        self._action_columns = columns_of(self._words, _ACTION)
        self._ledger_columns = columns_of(self._words, _LEDGER)
        self._came_back.head([self._heading(name) for name in _CAME_BACK])
        self._came_back_columns = columns_of(self._words, _CAME_BACK)
        self._reject_columns = columns_of(
            self._words, ("row", "outcome", "reason", "who_acts")
        )

    def _heading(self, name: str) -> str:
        """With the time zone, where it is a time."""
        told = self._words.column(name)
        if (COLUMNS | LAST_COLUMNS)[name][0] == "time":
            return f"{told} ({self._words.zone})"
        return told

    def _action_heads(self) -> list[str]:
        return [self._words.column(name) for name in _BESIDE_ACTION]

    def _reject_heads(self) -> list[str]:
        return [
            self._words.column(name)
            for name in ("row", "outcome", "reason", "who_acts")
        ]

    def _write_rows(self, chunk: StoredChunk, findings: list[Finding]) -> None:
        cells = decode_cells(chunk.cells)
        own = [cells.texts(name) for name in self._shown]
        every = [cells.texts(name) for name in self._inputs.batch.columns]
        for at, finding in enumerate(findings):
            if not self._limited or finding.outcome is not Outcome.SUCCEEDED:
                self._write_result(finding, [texts[at] for texts in own])
            if finding.who_acts != NOBODY:
                seller = self._called(finding, own, at)
                self._write_action(finding, seller)
            if is_to_correct(finding):
                self._put(self._rejects, finding, self._reject_columns)
                self._put_texts(self._rejects, len(self._reject_columns), every, at)
            if finding.corrects and self._came_back.at <= DETAILED:
                self._put(self._came_back, finding, self._came_back_columns)
                self._came_back.at += 1
            if finding.outcome in MONEY_MOVED and not self._limited:
                self._put(self._ledger, finding, self._ledger_columns)
                seller = self._called(finding, own, at)
                self._ledger.text(len(_LEDGER), seller)
                self._ledger.at += 1

    def _called(self, finding: Finding, own: list[list[str]], at: int) -> str:
        """The recipient's name in the job's table, and what its row says, as By recipient has
        it.
        """
        name = self._inputs.called.get(finding.destination, "")
        told = [name, *(texts[at] for texts in own[: self._sellers])]
        return ", ".join(dict.fromkeys(filter(None, told)))

    def _write_result(self, finding: Finding, own: list[str]) -> None:
        if self._results.at > DETAILED:
            self._cut = True
            return
        sheet = self._results
        self._put(sheet, finding, self._front)
        metadata = [
            finding.metadata.get(key, "") for key in self._inputs.batch.metadata
        ]
        at = len(self._front)
        for text in (*own, *metadata):
            sheet.text(at, text)
            at += 1
        self._put(sheet, finding, self._back, at)
        sheet.at += 1

    def _write_action(self, finding: Finding, seller: str) -> None:
        sheet = self._action
        if sheet.at > DETAILED:
            return
        whole = with_what_comes(finding, self._inputs.doubt_s)
        self._put(sheet, whole, self._action_columns, reason="long")
        sheet.tall(self._words.reason(whole), WRAPPED)
        commands = "\n".join(self._words.commands(finding))
        told = (
            seller or finding.destination,
            commands,
            finding.authorize_uri,
            dashboard_of(finding.charge_id, self._inputs),
        )
        for at, text in enumerate(told, len(_ACTION)):
            sheet.text(at, text)
        sheet.at += 1

    def _put_texts(
        self, sheet: Sheet, first: int, columns: list[list[str]], at: int
    ) -> None:
        for column, texts in enumerate(columns, first):
            sheet.text(column, texts[at])
        sheet.at += 1

    def _put(
        self,
        sheet: Sheet,
        finding: Finding,
        columns: Sequence[Column],
        first: int = 0,
        reason: str = "text",
    ) -> None:
        """Some columns of a row, from a column on; the row stays the next one."""
        for at, column in enumerate(columns, first):
            value = column.get(finding)
            if column.kind == "text":
                sheet.text(at, value, reason if column.name == "reason" else "text")
            elif column.kind == "money":
                sheet.money(at, value, currency_of(column.name, finding))
            elif column.kind == "time":
                sheet.time(at, local_time(value, self._words.zone) if value else None)
            else:
                sheet.number(at, value)

    # --- when all rows are written

    def _end(self) -> None:
        columns = len(self._front) + len(self._own) + len(self._back)
        self._finish(self._results, columns, frozen=(1, 3), printed=len(_FRONT))
        self._action.width(_ACTION.index("reason"), WRAPPED)
        wide = len(_ACTION) + len(_BESIDE_ACTION)
        self._finish(self._action, wide, frozen=(1, 2))
        own = len(self._inputs.batch.columns)
        self._finish(self._rejects, 4 + own, frozen=(1, 2))
        self._finish(self._came_back, len(_CAME_BACK), frozen=(1, 2))
        rows = self._ledger.at
        self._total_ledger(rows)
        self._finish(self._ledger, len(_LEDGER) + 1, frozen=(1, 2), rows=rows)

    def _finish(
        self,
        sheet: Sheet,
        columns: int,
        *,
        frozen: tuple[int, int] = (0, 0),
        rows: int | None = None,
        printed: int = 0,
        upright: bool = False,
    ) -> None:
        """`rows`: of the table with filters, its header among them, where totals stand below."""
        table = sheet.at if rows is None else rows
        filtered = None
        if frozen[0] and table > 1:
            filtered = (0, table - 1)
        sheet.finish(
            columns,
            frozen=frozen,
            filtered=filtered,
            printed=printed,
            upright=upright,
            title=self._title,
            test=self._test,
        )

    def _total_ledger(self, last: int) -> None:
        """The totals below all charges, as formulas over them; of a very large night, which has no
        charges here, why.
        """
        if self._limited:
            for told in self._limits():
                self._ledger.line(told)
            return
        totals = self._inputs.totals
        pairs = {(of, counted_in) for of, counted_in, _ in totals.fees}
        for currency in known_last(totals.charged):
            counted = [counted_in for of, counted_in in sorted(pairs) if of == currency]
            for at, counted_in in enumerate(counted or [""]):
                self._total_charges(currency, counted_in, last, first=at == 0)

    def _total_charges(
        self, currency: str, counted_in: str, last: int, *, first: bool
    ) -> None:
        """What was charged in a currency, and its fees in one; the former stands once."""
        sheet = self._ledger
        totals = self._inputs.totals
        sheet.text(1, self._words.word(labels.FACT_TOTAL), "total")
        sheet.text(3, currency, "total")
        sheet.text(9, counted_in, "total")
        sums = {
            "charged_amount": totals.charged[currency],
            "platform_fee": totals.shares[currency, "platform"],
            "recipient_amount": totals.shares[currency, "recipient"],
        }
        of_currency = f'$D$2:$D${last},"{currency}"'
        if first:
            for name, minor in sums.items():
                self._total_one(name, of_currency, last, minor, currency)
        of_both = f'{of_currency},$J$2:$J${last},"{counted_in}"'
        for name, key in (("fee", "fee"), ("fee_vat", "vat"), ("net", "net")):
            minor = totals.fees[currency, counted_in, key]
            self._total_one(name, of_both, last, minor, counted_in)
        sheet.at += 1

    def _total_one(
        self, name: str, which: str, last: int, minor: int, currency: str
    ) -> None:
        sheet = self._ledger
        column = _LEDGER.index(name)
        letter = chr(ord("A") + column)
        money = sheet.book.money(currency, total=True)
        formula = f"=SUMIFS({letter}$2:{letter}${last},{which})"
        sheet.formula(column, formula, major(minor, currency), money)

    # --- pivots

    def _write_recipients(self, pivots: Pivots) -> None:
        words = self._words
        sheet = self._recipients
        names = ("destination", "currency")
        counted = ("amount", "platform_fee", "recipient_amount")
        behind = ("bank_amount", "arrived", "stuck", "seller", "untold", "reason")
        heads = [words.column(name) for name in (*names, "orders", *counted, *behind)]
        sheet.head(heads)
        table = pivots.recipients
        for row in _largest_first(table.to_dict("records")):
            sheet.text(0, row["destination"])
            sheet.text(1, row["currency"])
            sheet.number(2, int(row["rows"]), "count")
            for at, name in enumerate(counted, 3):
                sheet.money(at, int(row[name]), row["currency"])
            sheet.money(6, int(row["bank_amount"]), row["currency"])
            sheet.number(7, int(row["arrived"]), "count")
            sheet.number(8, int(row["failed"]) + int(row["deleted"]), "count")
            sheet.text(9, pivots.names.get(row["destination"], ""))
            sheet.money(10, int(row["untold"]), row["currency"])
            sheet.at += 1
        for recipient, whys in sorted(pivots.without.items()):
            sheet.text(0, recipient)
            sheet.number(2, 0, "count")
            sheet.text(9, pivots.names.get(recipient, ""))
            told = "\n".join(without_told(whys, words))
            sheet.text(11, told, "long")
            sheet.tall(told, WIDEST)
            sheet.at += 1
        last = sheet.at
        for currency in known_last(set(table["currency"])):
            self._total_recipients(
                sheet, table[table["currency"] == currency], currency, last
            )
        self._finish(sheet, len(heads), frozen=(1, 1), rows=last)

    def _total_recipients(
        self, sheet: Sheet, table: pd.DataFrame, currency: str, last: int
    ) -> None:
        """A currency's totals below all recipients, as formulas over them."""
        totals = self._inputs.totals
        own = [key for key in totals.recipients if key[1] == currency]
        sheet.text(0, self._words.word(labels.FACT_TOTAL), "total")
        sheet.text(1, currency, "total")
        rows = sum(totals.recipient_counts[key] for key in own)
        match = f'$B$2:$B${last},"{currency}"'
        sheet.formula(2, f"=SUMIFS(C$2:C${last},{match})", rows, "total count")
        sums = {
            "D": sum(totals.recipients[key] for key in own),
            "E": sum(map(int, table["platform_fee"])),
            "F": sum(map(int, table["recipient_amount"])),
        }
        money = sheet.book.money(currency, total=True)
        for column, (letter, minor) in enumerate(sums.items(), 3):
            formula = f"=SUMIFS({letter}$2:{letter}${last},{match})"
            sheet.formula(column, formula, major(minor, currency), money)
        sheet.at += 1

    def _write_codes(self, pivots: Pivots) -> None:
        words = self._words
        sheet = self._codes
        names = (
            "code",
            "told",
            "outcome",
            "who_acts",
            "rows",
            "currency",
            "sum",
            "again",
        )
        sheet.head([words.column(name) for name in names])
        for coded in pivots.codes:
            for currency, rows in sorted(coded.rows_in.items()):
                sheet.text(0, coded.code)
                told = told_of(coded, words)
                sheet.text(1, told, "long")
                sheet.tall(told, WIDEST)
                sheet.text(2, words.outcome(coded.outcome))
                sheet.text(3, words.party(coded.first.who_acts))
                sheet.number(4, rows, "count")
                sheet.text(5, currency)
                sheet.money(6, coded.amounts[currency], currency)
                sheet.text(7, words.label(f"again.{coded.code}"))
                sheet.at += 1
        last = sheet.at
        if pivots.codes:
            rows = sum(coded.rows for coded in pivots.codes)
            sheet.text(0, words.word(labels.FACT_TOTAL), "total")
            sheet.text(1, not_charged(pivots, words), "total")
            sheet.formula(4, f"=SUM(E$2:E${last})", rows, "total count")
            sheet.at += 1
        self._finish(sheet, len(names), frozen=(1, 1), rows=last)


def _largest_first(rows: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    return sorted(
        rows, key=lambda row: (row["currency"], -row["amount"], row["destination"])
    )
