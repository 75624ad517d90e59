"""Plain tables as people take them away: one workbook of several, or a CSV of one. A cell says what
it is by its type; what it is shown as is decided here.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from batchpay.domain.money import major_text
from batchpay.domain.text import defused, visible
from batchpay.reports.files import Directory
from batchpay.reports.sheets import Sheet, workbook
from batchpay.reports.words import local_time


@dataclass(frozen=True, slots=True)
class Money:
    """A sum in the smallest unit of its currency; shown in main units."""

    minor: int
    currency: str  # upper case


@dataclass(frozen=True, slots=True)
class Instant:
    """A time of the gateway's, UTC ISO 8601; shown as a date of the job's time zone."""

    at: str


Cell = str | int | Money | Instant | None
"""None, and an empty text, is an empty cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet, or one CSV."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    above: Sequence[str] = ()  # sentences over the table, in the workbook


def write_book(
    directory: Directory,
    name: str,
    title: str,
    job: str,
    tables: Sequence[Table],
    zone: str,
    test: str,
) -> None:
    """A workbook with a sheet for each table. `test`: the word that nobody may overlook, where no
    money moved; else empty. Raises CannotWrite.
    """
    with directory.file(name) as file, workbook(file, title, job) as book:
        for table in tables:
            _write(book.sheet(table.name), table, title, zone, test)


def _write(sheet: Sheet, table: Table, title: str, zone: str, test: str) -> None:
    columns = len(table.heads)
    if test:
        sheet.banner(test, columns)
    for sentence in table.above:
        sheet.line(sentence)
    head = sheet.at
    sheet.head(table.heads)
    for row in table.rows:
        for column, cell in enumerate(row):
            _put(sheet, column, cell, zone)
        sheet.at += 1
    last = max(head, sheet.at - 1)
    frozen = (head + 1, 0)
    sheet.finish(columns, frozen=frozen, filtered=(head, last), title=title, test=test)


def _put(sheet: Sheet, column: int, cell: Cell, zone: str) -> None:
    match cell:
        case Money(minor, currency):
            sheet.money(column, minor, currency)
        case Instant(at):
            moment = local_time(at, zone)
            if moment is None:
                sheet.text(column, at)
            else:
                sheet.time(column, moment)
        case int():
            sheet.number(column, cell)
        case str():
            sheet.text(column, cell)


def write_csv(directory: Directory, name: str, table: Table) -> None:
    """UTF-8 with BOM, sums as decimal text of main units, times in UTC as they came. Raises
    CannotWrite.
    """
    with directory.text(name, "utf-8-sig", "replace") as text:
        writer = csv.writer(text)
        writer.writerow(table.heads)
        for row in table.rows:
            writer.writerow([_plain(cell) for cell in row])


def _plain(cell: Cell) -> str:
    match cell:
        case Money(minor, currency):
            return major_text(minor, currency)
        case Instant(at):
            return at
        case int():
            return str(cell)
        case str():
            return defused(visible(cell))
    return ""
