"""Rows of a file that are no orders: sums, further lines of an order, comments, headers once more.

None of them can be charged: each is rejected anyway, or says in place of its id that it is a sum,
or is the last row of its file and what all above it come to.
What is found here says so in one sentence, in place of a remedy for every cell that is empty; what
nobody could take for an order (a comment, a page's header) is left out, as blank rows are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from batchpay.domain.documents import Column, values_of
from batchpay.domain.figures import NumberForm
from batchpay.domain.model import Chunk, Judged, Problem
from batchpay.domain.money import NotMoney, grouped_text, to_minor
from batchpay.domain.text import told
from batchpay.intake.controls import sums_in
from batchpay.intake.sources import blamed_for
from batchpay.intake.totalrows import is_total, may_be_total, may_have_totals
from batchpay.job.job import PAYERS, Columns, FromColumn, FromLookup
from batchpay.messages import noticed
from batchpay.messages.message import Message
from batchpay.messages.problems import (
    FURTHER_LINE,
    ONLY_CELL,
    TOTAL_ROW,
    TOTAL_ROW_LAST,
    TOTAL_ROW_NAMED,
    TOTAL_ROW_SUM,
)

_COMMENT = re.compile(
    r"\s*(#|//|--|※|;;)\s*\S*\s+\S.*|\s*(#|//|--|※)\s*[^\W\d_]{2,}\s*", re.DOTALL
)
_NAMELESS = re.compile(
    r"\(column [0-9]+\).*"
)  # as readers call a column without a name
_FEWEST_ABOVE = 2  # rows that a sum without a word is a sum of
_FEWEST_SUMMED = 3  # rows that a row with all that an order needs is a sum of
_LEAST_NAMES = 3  # of a header that repeats, or of another table
_NAMED = 5  # rows in a note
_ONE_OF = 50  # rows, whose cells cost less one by one than those of all rows

Found = dict[int, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class SecondTable:
    """Below a blank row, or its own title, the header of another table, or the same once more."""

    row: int  # of its title, where it has one
    last: int  # row of the table above
    cell: str
    name: str = ""  # of the column in which that cell names another one


@dataclass(frozen=True, slots=True)
class GoesOn:
    """A first row that goes on with the header: names below the one of the amounts, over columns
    that have none.
    """

    row: int
    column: str
    cells: tuple[str, ...]


@dataclass(slots=True)
class NoOrders:
    """What of one file is no order, as its rows go by. `gone` of a chunk are left out."""

    columns: Columns
    totals: Literal["reject", "skip", "accept"]  # [input] total_rows
    odd_ids: bool  # ids are taken as they stand
    second: SecondTable | None = None
    goes_on: GoesOn | None = None
    _comments: int = 0
    _blanks: int = 0  # rows of nothing but blanks
    _headers: list[int] = field(default_factory=list)
    _totals: list[Message] = field(default_factory=list)
    _skipped: list[int] = field(default_factory=list)
    _rows: int = 0  # that may be orders
    _row: int = 0  # the one before
    _title: tuple[int, int, str] = (
        0,
        0,
        "",
    )  # row with one cell, the row above it, its text
    _id: tuple[str, int] = ("", 0)  # the order above, and its row
    _sums: Counter[str] = field(default_factory=Counter)
    _counts: Counter[str] = field(default_factory=Counter)  # of the same rows
    _part: Counter[str] = field(default_factory=Counter)  # since the last sum
    # row, currency and amount of the last that has one
    _last: tuple[int, str, int] = (0, "", 0)
    _few: bool = False  # rows of the chunk are looked at one by one
    # of the chunk that is looked at: amounts and currencies, and texts of its columns
    _asked: tuple[Column, Column] = ((), ())
    _read: dict[str, list[str]] = field(default_factory=dict)

    def look(self, judged: Judged) -> tuple[Found, frozenset[int]]:
        """The problems of a chunk with what its rows are, and the positions that are left out."""
        chunk = judged.chunk
        self._read.clear()
        self._asked = (
            values_of(judged.documents, "amount"),
            values_of(judged.documents, "currency"),
        )
        found: Found = dict(judged.problems)
        gone: set[int] = set()
        places = sorted({*found, *self._ids_that_are_totals(judged)})
        self._few = len(places) * _ONE_OF < len(chunk.rows)
        ids = self._texts(chunk, "order_id")
        done = 0
        for at in places:
            self._pass_by(judged, ids, done, at)
            done = at + 1
            cells = self._cells(chunk, at)
            above = self._row
            if not above and self.goes_on is None:
                self.goes_on = self._goes_on(chunk, at, cells)
            if not cells and self._is_blank(chunk, at):
                self._blanks += 1
                gone.add(at)
            elif self._is_header(chunk, at, cells):
                self._headers.append(chunk.rows[at])
                gone.add(at)
            elif len(cells) == 1 and _COMMENT.fullmatch(cells[0][1]):
                self._comments += 1
                gone.add(at)
            elif named := self._total(judged, at, cells):
                others = found.get(at, ())
                is_sum = bool(ids) and (_is_blank(ids[at]) or may_be_total(ids[at]))
                if is_sum:  # that it lacks cells of an order is no news
                    others = tuple(
                        problem
                        for problem in others
                        if problem.value and problem.column != named.column
                    )
                found[at] = (named, *others)
                if is_sum and self.totals == "skip":
                    self._skipped.append(chunk.rows[at])
                    gone.add(at)
            elif at not in found:
                self._pass_by(judged, ids, at, at + 1)
            elif _are_empty(found[at]):
                found[at] = self._empty(chunk, at, ids, cells, found[at])
                self._add(judged, at, at + 1)
            else:
                self._add(judged, at, at + 1)
            self._row = chunk.rows[at]
            if len(cells) == 1 and not _COMMENT.fullmatch(cells[0][1]):
                self._title = (self._row, above, cells[0][1])
        self._pass_by(judged, ids, done, len(chunk.rows))
        return found, frozenset(gone)

    def notes(self) -> list[Message]:
        """What a person should know, once a file."""
        told_notes = list(self._totals[:_NAMED])
        if self._blanks:
            told_notes.append(noticed.BLANK_ROWS(rows=self._blanks))
        if self._comments:
            told_notes.append(noticed.COMMENT_ROWS(rows=self._comments))
        if self._headers:
            told_notes.append(
                noticed.REPEATED_HEADERS(
                    rows=len(self._headers), named=_listed(self._headers)
                )
            )
        if self._skipped:
            told_notes.append(
                noticed.TOTALS_SKIPPED(
                    rows=len(self._skipped), named=_listed(self._skipped)
                )
            )
        if self.totals == "accept" and self._is_last_a_sum():
            row, currency, amount = self._last
            told_notes.append(
                noticed.LIKE_A_TOTAL(row=row, sum=_money(amount, currency))
            )
        return told_notes

    def ended(self, judged: Judged) -> Judged:
        """The file's last chunk: a last row that is the sum of all above it is no order, though it
        has all that one needs, unless a person said that it is.
        """
        row, currency, amount = self._last
        if (
            self.totals == "accept"
            or row not in judged.chunk.rows
            or not self._is_last_a_sum()
        ):
            return judged
        at = judged.chunk.rows.index(row)
        if at in judged.problems:
            return judged
        shown = _money(amount, currency)
        column = blamed_for(self.columns.fields["amount"], "amount")
        found = (Problem(column, shown, TOTAL_ROW_LAST(sum=shown)),)
        return replace(judged, problems={**judged.problems, at: found})

    def _is_last_a_sum(self) -> bool:
        """Is the last amount of a file what all above it come to? Of a few it may be by chance."""
        _, currency, amount = self._last
        above = self._sums[currency] - amount
        return (
            self._counts[currency] > _FEWEST_SUMMED and amount > 0 and above == amount
        )

    # --- orders that go by

    def _pass_by(
        self, judged: Judged, ids: Sequence[str], start: int, end: int
    ) -> None:
        if start == end:
            return
        self._add(judged, start, end)
        self._row = judged.chunk.rows[end - 1]
        if ids:
            self._id = (ids[end - 1], self._row)

    def _add(self, judged: Judged, start: int, end: int) -> None:
        """Rows that may be orders; of a rejected one its amount counts where it has one."""
        self._rows += end - start
        amounts, currencies = self._asked
        sums, counts = sums_in(amounts[start:end], currencies[start:end])
        self._sums.update(sums)
        self._counts.update(counts)
        self._part.update(sums)
        # below the last amount there may be remarks
        for at in range(end - 1, start - 1, -1):
            amount, currency = amounts[at], currencies[at]
            if amount is not None and currency is not None:
                self._last = (judged.chunk.rows[at], currency.upper(), amount)
                break

    # --- what a row is

    def _texts(self, chunk: Chunk, name: str) -> list[str]:
        source = self.columns.fields.get(name)
        if isinstance(source, FromColumn | FromLookup):
            return self._column(chunk, source.column)
        return []

    def _column(self, chunk: Chunk, name: str) -> list[str]:
        """A chunk has many rows that are looked at one by one: a column's texts are made once."""
        if name not in self._read:
            self._read[name] = chunk.texts(name)
        return self._read[name]

    def _cell(self, chunk: Chunk, column: str, at: int) -> str:
        """... and where there are a few such rows, none of columns that nobody else reads."""
        if self._few:
            return chunk.cell(column, at)
        return self._column(chunk, column)[at]

    def _cells(self, chunk: Chunk, at: int) -> list[tuple[str, str]]:
        """Column and text of the row's cells that hold something, but for those we added."""
        cells = []
        for column in chunk.columns:
            text = self._cell(chunk, column, at)
            if text.strip() and not column.startswith("batchpay_"):
                cells.append((column, text))
        return cells

    def _ids_that_are_totals(self, judged: Judged) -> Iterable[int]:
        """A sum may have all that an order needs, where the job says who pays whom."""
        ids = self._texts(judged.chunk, "order_id")
        if self.odd_ids or not may_have_totals(ids):
            return ()
        return [
            at for at, text in enumerate(ids) if is_total(text) or may_be_total(text)
        ]

    def _is_blank(self, chunk: Chunk, at: int) -> bool:
        """Does no cell hold more than blanks, not even one that says which row this was?"""
        texts = (self._cell(chunk, column, at) for column in chunk.columns)
        return at not in chunk.problems and not any(map(str.strip, texts))

    def _is_header(
        self, chunk: Chunk, at: int, cells: Sequence[tuple[str, str]]
    ) -> bool:
        """Does the row name the columns once more? Below a blank row, or a row of one cell, another
        table begins.
        """
        if len(cells) < _LEAST_NAMES:
            return False
        is_same = all(column == text for column, text in cells)
        if self.second is None and not is_same:
            self.second = self._otherwise(chunk, at, cells)
        if self.second is None and (is_same or self._is_another(cells)):
            self.second = self._second(chunk.rows[at], cells[0][1])
        return is_same

    def _goes_on(
        self, chunk: Chunk, at: int, cells: Sequence[tuple[str, str]]
    ) -> GoesOn | None:
        """Words where the amount is, and in columns without a name beside it: which of these is
        charged the name above them does not say.
        """
        ids = self._texts(chunk, "order_id")
        if (ids and ids[at].strip()) or any(
            re.search("[0-9]", text) for _, text in cells
        ):
            return None
        amounts = self.columns.roles().money
        named = [column for column, _ in cells if column in amounts]
        if not named or not any(map(_NAMELESS.fullmatch, (one for one, _ in cells))):
            return None
        texts = tuple(told(text) for _, text in cells[:_NAMED])
        return GoesOn(chunk.rows[at], told(named[0]), texts)

    def _second(self, row: int, name: str) -> SecondTable | None:
        """The table whose header has this row, if rows of another end above it."""
        title, above, text = self._title
        if above and title == self._row:
            return SecondTable(title, above, told(text))
        if self._row and row > self._row + 1:
            return SecondTable(row, self._row, told(name))
        return None

    def _otherwise(
        self, chunk: Chunk, at: int, cells: Sequence[tuple[str, str]]
    ) -> SecondTable | None:
        """A header with columns that the job reads in other places: what stands below it would be
        read as what it is not.
        """
        if sum(text in chunk.columns for _, text in cells) < _LEAST_NAMES:
            return None
        used = self.columns.used()
        for column, text in cells:
            if column != text and (column in used or text in used):
                return SecondTable(chunk.rows[at], self._row, told(text), told(column))
        return None

    def _is_another(self, cells: Sequence[tuple[str, str]]) -> bool:
        """Words only, also where the amount is: no order has that."""
        amounts = self.columns.roles().money
        words = all(not re.search(r"[0-9_]", text) for _, text in cells)
        return words and any(column in amounts for column, _ in cells)

    def _total(
        self, judged: Judged, at: int, cells: Sequence[tuple[str, str]]
    ) -> Problem | None:
        chunk = judged.chunk
        amount = self._amount(judged, at)
        named = next(((column, text) for column, text in cells if is_total(text)), None)
        source = self.columns.fields["amount"]
        if named is None and (problem := self._of_some(judged, at, cells, amount)):
            return problem
        if named is None:
            is_bare = self._is_bare(chunk, at) and self._rows >= _FEWEST_ABOVE
            if not is_bare or amount is None or amount[1] != self._sums[amount[0]]:
                return None
            assert isinstance(source, FromColumn)
            said = TOTAL_ROW_SUM(sum=_money(amount[1], amount[0]))
            return Problem(
                source.column, told(self._column(chunk, source.column)[at]), said
            )
        self._hold(chunk.rows[at], amount)
        self._part = Counter()
        return Problem(named[0], told(named[1]), TOTAL_ROW())

    def _of_some(
        self,
        judged: Judged,
        at: int,
        cells: Sequence[tuple[str, str]],
        amount: tuple[str, int] | None,
    ) -> Problem | None:
        """A row called what may be the sum of some, or an order: it is the former where nobody pays
        anybody, or where its amount is what stands above it, all or since the last such row.
        """
        chunk = judged.chunk
        named = self._named(chunk, at, cells)
        if named is None:
            return None
        column, text = named
        if self._has_no_parties(chunk, at):
            said = TOTAL_ROW()
        elif amount and self._is_sum(*amount) and self.totals != "accept":
            said = TOTAL_ROW_NAMED(sum=_money(amount[1], amount[0]))
        else:
            return None
        self._hold(chunk.rows[at], amount)
        self._part = Counter()
        return Problem(column, told(text), said)

    def _named(
        self, chunk: Chunk, at: int, cells: Sequence[tuple[str, str]]
    ) -> tuple[str, str] | None:
        """The cell by which a row may be called a sum: its id, or any other where it has none."""
        ids = self._texts(chunk, "order_id")
        if not ids:
            return None
        source = self.columns.fields["order_id"]
        if ids[at].strip():
            cells = [(blamed_for(source, "order_id"), ids[at])]
        return next((cell for cell in cells if may_be_total(cell[1])), None)

    def _is_sum(self, currency: str, amount: int) -> bool:
        """Of all above, or of those since the last sum."""
        return amount in (self._sums[currency], self._part[currency])

    def _is_bare(self, chunk: Chunk, at: int) -> bool:
        """Does a row say neither which order it is nor who pays whom? An order that only lacks its
        id may be the sum of those above by chance.
        """
        ids = self._texts(chunk, "order_id")
        if not ids or not _is_blank(ids[at]):
            return False
        return all(not texts[at].strip() for texts in self._parties(chunk))

    def _has_no_parties(self, chunk: Chunk, at: int) -> bool:
        """Are all cells empty that say who pays whom? Where no cell does, nobody knows."""
        parties = self._parties(chunk)
        return bool(parties) and all(not texts[at].strip() for texts in parties)

    def _parties(self, chunk: Chunk) -> list[list[str]]:
        """The columns that say who pays whom."""
        named = (self._texts(chunk, name) for name in ("destination", *PAYERS))
        return [texts for texts in named if texts]

    def _hold(self, row: int, amount: tuple[str, int] | None) -> None:
        """A sum against ours, of all rows above or of those since the last sum."""
        if amount is None:
            return
        currency, sum_ = amount
        shown = _money(sum_, currency)
        if self._is_sum(currency, sum_):
            self._totals.append(noticed.TOTAL_AGREES(row=row, sum=shown))
        else:
            ours = _money(self._sums[currency], currency)
            self._totals.append(noticed.TOTAL_DIFFERS(row=row, sum=shown, ours=ours))

    def _amount(self, judged: Judged, at: int) -> tuple[str, int] | None:
        """Currency and sum of a row, whose currency is that of all above where it has none."""
        document = judged.documents[at]
        code = str(document.get("currency", "")).upper()
        source = self.columns.fields["amount"]
        if not code and len(self._sums) == 1:
            code = next(iter(self._sums))
        if not code or not isinstance(source, FromColumn):
            return None
        if "amount" in document:
            return code, document["amount"]
        text = self._column(judged.chunk, source.column)[at].strip()
        if isinstance(source.form, NumberForm) and (figure := source.form.read(text)):
            text = figure.number
        try:
            return code, to_minor(text, code, source.unit or "major")
        except NotMoney:
            return None

    def _empty(
        self,
        chunk: Chunk,
        at: int,
        ids: Sequence[str],
        cells: Sequence[tuple[str, str]],
        problems: tuple[Problem, ...],
    ) -> tuple[Problem, ...]:
        """One sentence for a row of which only empty cells are wrong, where one says it all."""
        above, row = self._id
        source = self.columns.fields["order_id"]
        is_further = bool(ids) and ids[at] and ids[at] == above
        if (
            is_further
            and self._has_no_money(chunk, at)
            and isinstance(source, FromColumn)
        ):
            said = FURTHER_LINE(row=row)
            return (Problem(source.column, told(above), said),)
        if len(cells) == 1 and len(problems) > 1:
            column, text = cells[0]
            return (Problem(column, told(text), ONLY_CELL()),)
        return problems

    def _has_no_money(self, chunk: Chunk, at: int) -> bool:
        """Is all empty that a row has of its own to charge?"""
        for name in ("amount", "currency", "destination", *PAYERS):
            texts = self._texts(chunk, name)
            if texts and texts[at].strip():
                return False
        return bool(self._texts(chunk, "amount"))


def _is_blank(order_id: str) -> bool:
    """Does it name no order? As a mark beside a sum does not."""
    return not any(map(str.isalnum, order_id))


def _are_empty(problems: Iterable[Problem]) -> bool:
    return all(not problem.value for problem in problems)


def _money(minor: int, currency: str) -> str:
    return f"{grouped_text(minor, currency)} {currency}"


def _listed(rows: Sequence[int]) -> str:
    listed = ", ".join(map(str, rows[:_NAMED]))
    if len(rows) > _NAMED:
        listed += ", …"
    return listed
