"""The first sheet of the workbook: the verdict, and every sum with the check that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from batchpay.domain.model import Outcome
from batchpay.messages import labels
from batchpay.reconciliation.earned import Earned, earned_of
from batchpay.reconciliation.totals import INTEREST
from batchpay.reports.facts import (
    charged_told,
    facts,
    is_it_all,
    kept_of,
    known_last,
    left_out,
    notes,
    ours_told,
    run_facts,
    stop_told,
    verdict,
    who_must_act,
)
from batchpay.reports.pivots import Pivots, checks
from batchpay.reports.sheets import WIDEST, Sheet, major
from batchpay.reports.since import late, since_last
from batchpay.reports.table import Inputs
from batchpay.reports.words import Words

COLUMNS = 7
_EQUAL = "ABS(E{at}-F{at})<0.005"  # but for a spreadsheet's own last digits


@dataclass(frozen=True, slots=True)
class Places:
    """Where Results has what the formulas add up; columns count from 0."""

    last: int  # row, as a spreadsheet counts
    outcome: int
    currency: int
    amount: int

    def range(self, column: int) -> str:
        """A column of Results, without its heading."""
        from xlsxwriter.utility import xl_col_to_name

        name = xl_col_to_name(column)
        return f"Results!${name}$2:${name}${self.last}"


class Cover:
    """The sheet Summary, written from its top to its bottom."""

    def __init__(
        self, inputs: Inputs, words: Words, sheet: Sheet, places: Places | None
    ) -> None:
        """`places`: None where Results has not every row, and the sums are numbers."""
        self._inputs = inputs
        self._words = words
        self._sheet = sheet
        self._places = places

    def write(self, pivots: Pivots, limits: list[str]) -> None:
        """All of it. `limits`: by which rules rows are left out."""
        self._write_verdict()
        for told in limits:
            self._sheet.line(told, "alarm")
        self._sheet.at += 1
        self._write_outcomes(pivots)
        self._write_money()
        self._write_equations()
        self._write_checks(pivots)
        self._write_late(pivots)
        self._write_notes()
        self._write_facts()
        self._sheet.width(0, 22)
        self._sheet.width(1, 44)

    def _write_verdict(self) -> None:
        inputs = self._inputs
        words = self._words
        sheet = self._sheet
        if inputs.batch.mode == "test":
            sheet.banner(words.word(labels.TEST), COLUMNS)
        sheet.title(f"{inputs.batch.job} · {inputs.batch.file or inputs.batch.id}")
        sheet.line(verdict(inputs, words), "part")
        sheet.line(charged_told(inputs, words), "part")
        if inputs.batch.refusal:
            sheet.line(words.again(inputs.batch.refusal), "alarm")
        if inputs.stop:
            stop = stop_told(inputs.stop, words)
            sheet.line(f"{words.word(labels.STOPPED)} {stop}", "alarm")
        if is_it_all(inputs, words):
            sheet.line(is_it_all(inputs, words))
        for said in who_must_act(inputs):
            sheet.line(f"• {words.say(said)}")
        if words.language != "en":
            sheet.line(words.word(labels.NOT_REVIEWED))

    # --- every outcome with its rows and its sum

    def _write_outcomes(self, pivots: Pivots) -> None:
        words = self._words
        self._sheet.line(words.word(labels.HEADING_MONEY), "part")
        names = ["outcome", "meaning", "currency", "rows", "sum", "recounted", "check"]
        for currency in known_last(set(pivots.outcomes["currency"])):
            self._sheet.head([words.column(name) for name in names])
            self._write_currency(pivots, currency)
            self._sheet.at += 1

    def _write_currency(self, pivots: Pivots, currency: str) -> None:
        table = pivots.outcomes[pivots.outcomes["currency"] == currency]
        by_outcome = {row["outcome"]: row for row in table.to_dict("records")}
        first = self._sheet.at + 1
        for outcome in Outcome:
            if outcome.value in by_outcome:
                self._write_outcome(by_outcome[outcome.value], currency)
        self._write_total(currency, first, self._sheet.at)

    def _write_outcome(self, row: dict[Any, Any], currency: str) -> None:
        sheet = self._sheet
        totals = self._inputs.totals
        outcome = row["outcome"]
        rows = int(row["rows"])
        minor = int(row["amount"])
        sheet.text(0, self._words.outcome(outcome), "plain")
        sheet.text(1, self._words.label(f"outcome-told.{outcome}"), "plain")
        self._write_code(2, currency)
        if self._places is None or not currency:
            sheet.number(3, rows, "count")
            sheet.money(4, minor, currency)
        else:
            self._write_formulas(self._places, currency, rows, minor)
        noted = totals.counts[currency, outcome]
        sheet.money(5, totals.sums[currency, outcome], currency)
        same = (noted, totals.sums[currency, outcome]) == (rows, minor)
        self._check(6, f"AND(D{{at}}={noted},{_EQUAL})", same)
        sheet.at += 1

    def _write_formulas(
        self, places: Places, currency: str, rows: int, minor: int
    ) -> None:
        """Rows and sum of the outcome in column A, as Results has them."""
        sheet = self._sheet
        of_outcome = f"{places.range(places.outcome)},$A{sheet.at + 1}"
        of_both = f'{of_outcome},{places.range(places.currency)},"{currency}"'
        sheet.formula(3, f"=COUNTIFS({of_both})", rows, "count")
        added = places.range(places.amount)
        money = sheet.book.money(currency)
        sheet.formula(4, f"=SUMIFS({added},{of_both})", major(minor, currency), money)

    def _write_total(self, currency: str, first: int, last: int) -> None:
        sheet = self._sheet
        totals = self._inputs.totals
        rows = totals.rows[currency]
        asked = sum(
            minor for (code, _), minor in totals.sums.items() if code == currency
        )
        sheet.text(0, self._words.word(labels.FACT_TOTAL), "total")
        sheet.text(1, self._words.word(labels.ALL_ROWS), "total")
        self._write_code(2, currency, "total")
        sheet.formula(3, f"=SUM(D{first}:D{last})", rows, "total count")
        money = sheet.book.money(currency, total=True)
        for column, name in ((4, "E"), (5, "F")):
            formula = f"=SUM({name}{first}:{name}{last})"
            sheet.formula(column, formula, major(asked, currency), money)
        self._check(6, f"AND(D{{at}}={rows},{_EQUAL})", holds=True)
        sheet.at += 1

    def _write_code(self, column: int, currency: str, look: str = "plain") -> None:
        self._sheet.text(
            column, currency or self._words.word(labels.FACT_UNKNOWN), look
        )

    def _check(self, column: int, condition: str, holds: bool) -> None:
        """`OK`, or in capitals that it does not hold; `{at}` in the condition is this row."""
        fine = self._words.word(labels.FACT_OK)
        differs = self._words.word(labels.FACT_DIFFERS)
        shown = differs
        if holds:
            shown = fine
        told = condition.format(at=self._sheet.at + 1)
        self._sheet.formula(column, f'=IF({told},"{fine}","{differs}")', shown, "plain")

    # --- money that moved, equations, checks, facts

    def _write_money(self) -> None:
        words = self._words
        totals = self._inputs.totals
        self._sheet.line(words.word(labels.HEADING_FEES), "part")
        self._sheet.head(
            [words.column(name) for name in ("of", "meaning", "currency", "sum")]
        )
        for currency in known_last(totals.charged):
            sums = {
                "charged_amount": totals.charged[currency],
                "platform_fee": totals.shares[currency, "platform"],
                "recipient_amount": totals.shares[currency, "recipient"],
            }
            for name, minor in sums.items():
                self._write_sum(name, currency, minor, currency)
            for counted_in in known_last(
                {code for of, code, _ in totals.fees if of == currency}
            ):
                for name, key in (("fee", "fee"), ("fee_vat", "vat"), ("net", "net")):
                    minor = totals.fees[currency, counted_in, key]
                    self._write_sum(name, currency, minor, counted_in)
                if interest := totals.fees[currency, counted_in, INTEREST]:
                    self._write_sum(INTEREST, currency, interest, counted_in)
        for told in left_out(self._inputs, words):
            self._sheet.line(told, "alarm")
        self._sheet.at += 1
        self._write_earned()

    def _write_earned(self) -> None:
        """What is ours, by currency of the charges: commission less fees, and the same as a
        formula where they are of one currency.
        """
        words = self._words
        sheet = self._sheet
        sheet.line(words.word(labels.HEADING_EARNED), "part")
        every = list(earned_of(self._inputs.totals))
        columns = ["fee", "fee_vat"]
        if any(taken.interest for one in every for taken in one.taken):
            columns.append(INTEREST)
        names = ("of", "platform_fee", *columns, "ours")
        sheet.head([words.column(name) for name in names])
        for one in every:
            self._write_kept(one, columns)
        sheet.at += 1

    def _write_kept(self, one: Earned, columns: Sequence[str]) -> None:
        words = self._words
        sheet = self._sheet
        sheet.text(0, one.currency, "plain")
        sheet.money(1, one.commission, one.currency)
        each = [(taken.currency, kept_of(taken)) for taken in one.taken]
        last = 2 + len(columns)
        if one.whole is None or len(each) > 1:
            for column, name in enumerate(columns, 2):
                told = [words.money(kept.get(name, 0), code) for code, kept in each]
                sheet.text(column, " + ".join(told), "plain")
            sheet.text(last, ours_told(one, words), "plain")
        else:
            for column, name in enumerate(columns, 2):
                minor = sum(kept.get(name, 0) for _, kept in each)
                sheet.money(column, minor, one.currency)
            at = sheet.at + 1
            ours = major(one.ours[one.currency], one.currency)
            less = ",".join(f"-{'CDE'[number]}{at}" for number in range(len(columns)))
            sheet.formula(
                last, f"=SUM(B{at},{less})", ours, sheet.book.money(one.currency)
            )
        sheet.at += 1
        if one.refunded:
            money = words.money(one.refunded, one.currency)
            sheet.line(words.say(labels.GIVEN_BACK(money=money)))

    def _write_sum(self, name: str, of: str, minor: int, currency: str) -> None:
        self._sheet.text(0, of, "plain")
        self._sheet.text(1, self._words.column(name), "plain")
        self._write_code(2, currency)
        self._sheet.money(3, minor, currency)
        self._sheet.at += 1

    def _write_equations(self) -> None:
        words = self._words
        sheet = self._sheet
        sheet.line(words.word(labels.HEADING_EQUATIONS), "part")
        names = ("currency", "meaning", "left", "right", "check")
        sheet.head([words.column(name) for name in names])
        for equation in self._inputs.equations:
            told = words.equation(equation.name)
            sheet.text(0, equation.currency or words.word(labels.EVERY), "plain")
            sheet.text(1, told, "long")
            sheet.tall(told, WIDEST)
            for column, number in ((2, equation.left), (3, equation.right)):
                if equation.name.startswith("amounts"):
                    sheet.money(column, number, equation.currency)
                else:
                    sheet.number(column, number, "count")
            self._check(4, "C{at}=D{at}", equation.closes)
            sheet.at += 1
        sheet.at += 1

    def _write_checks(self, pivots: Pivots) -> None:
        """What the pivots add up otherwise than the journal noted; nothing where all holds."""
        differs = self._words.word(labels.FACT_DIFFERS)
        for check in checks(pivots, self._inputs.totals):
            if not check.holds:
                name = self._words.column(check.name)
                told = (
                    f"{differs}: {name} {check.currency}: {check.pivot} ≠ {check.noted}"
                )
                self._sheet.line(told, "alarm")

    def _write_late(self, pivots: Pivots) -> None:
        """What changed since the last report, and what was heard of rows on a later day."""
        told = since_last(self._inputs, self._words)
        told += [f"• {one}" for one in late(self._inputs, pivots, self._words)]
        if told:
            self._sheet.line(self._words.word(labels.HEADING_LATE), "part")
            for one in told:
                self._sheet.line(one)
            self._sheet.at += 1

    def _write_notes(self) -> None:
        """What a person should know of the file as a whole."""
        told = notes(self._inputs, self._words)
        if told:
            self._sheet.line(self._words.word(labels.HEADING_NOTES), "part")
            for note in told:
                self._sheet.line(f"• {note}")
            self._sheet.at += 1

    def _write_facts(self) -> None:
        words = self._words
        for heading, told in (
            (labels.HEADING_RUN, run_facts(self._inputs, words)),
            (labels.HEADING_SOURCE, facts(self._inputs, words)),
        ):
            if told:
                self._sheet.line(words.word(heading), "part")
            for name, value in told:
                self._sheet.text(0, name, "plain")
                self._sheet.text(1, value, "loose")
                self._sheet.at += 1
            self._sheet.at += 1
