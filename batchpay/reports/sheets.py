"""The sheets of a workbook: typed cells, widths that fit, a header that stays, a page to print.

A text is written as text whatever it looks like: nothing a file or the gateway wrote becomes a
formula, a number or a link. An amount is a number with the decimals of its currency; its digits go
into the file as exact decimal text. (A spreadsheet program itself counts with 15 digits: it shows
all of any amount below ten million million.)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from batchpay.domain.money import EXPONENTS
from batchpay.domain.secrets import masked
from batchpay.domain.text import short_cell, visible

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

WIDEST = 60  # characters of a column
MEASURED = 1_000  # rows by which a column's width is found
A4 = 9
MADE = datetime(1980, 1, 1, tzinfo=UTC)  # the same bytes whenever it is made

_WHOLE = "#,##0"
_TIME = "yyyy-mm-dd hh:mm:ss"
_LOOKS: dict[str, dict[str, Any]] = {
    "text": {"num_format": "@", "valign": "top", "align": "left", "indent": 1},
    "long": {"num_format": "@", "valign": "top", "text_wrap": True, "indent": 1},
    "raw": {"num_format": "@"},
    "plain": {"valign": "top", "align": "left", "indent": 1},
    "loose": {"valign": "top", "align": "left", "indent": 1},  # in no column's width
    "int": {"num_format": "0", "valign": "top"},
    "count": {"num_format": _WHOLE, "valign": "top"},
    "time": {"num_format": _TIME, "valign": "top", "align": "left", "indent": 1},
    "head": {
        "bold": True,
        "bg_color": "#1F3A5F",
        "font_color": "#FFFFFF",
        "valign": "vcenter",
        "text_wrap": True,
        "border": 1,
        "border_color": "#FFFFFF",
    },
    "title": {"bold": True, "font_size": 18},
    "part": {"bold": True, "font_size": 13, "font_color": "#1F3A5F"},
    "test": {
        "bold": True,
        "font_size": 22,
        "font_color": "#FFFFFF",
        "bg_color": "#B00020",
    },
    "alarm": {"bold": True, "font_color": "#B00020"},
    "total": {"num_format": "@", "bold": True, "top": 1, "indent": 1},
    "total count": {"num_format": _WHOLE, "bold": True, "top": 1},
}


def money_format(currency: str) -> str:
    """How a spreadsheet shows amounts of a currency.

    >>> money_format("THB"), money_format("JPY")
    ('#,##0.00', '#,##0')
    """
    decimals = EXPONENTS.get(currency.upper(), 0)
    if not decimals:
        return _WHOLE
    return f"{_WHOLE}.{'0' * decimals}"


def major(minor: int, currency: str) -> Decimal:
    """An amount in main units, exact.

    >>> major(-5, "THB"), major(500, "JPY")
    (Decimal('-0.05'), Decimal('500'))
    """
    return Decimal(minor).scaleb(-EXPONENTS.get(currency.upper(), 0))


def safe_text(text: str) -> str:
    """A cell as it may be shown: one line, no token or key, no longer than a cell may be."""
    return short_cell(visible(masked(text, cards=False)))


class Book:
    """A workbook under way; formats are made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._formats: dict[tuple[str, str], Format] = {}

    def sheet(self, name: str) -> Sheet:
        """A new sheet behind the others."""
        return Sheet(self, self._workbook.add_worksheet(name))

    def look(self, name: str) -> Format:
        """The format of a kind of cell."""
        return self._format(name, _LOOKS[name])

    def money(self, currency: str, *, total: bool = False) -> Format:
        """The format of amounts in a currency."""
        looks: dict[str, Any] = {"num_format": money_format(currency), "valign": "top"}
        if total:
            looks |= {"bold": True, "top": 1}
        return self._format("money total" if total else "money", looks, currency)

    def _format(self, name: str, looks: dict[str, Any], currency: str = "") -> Format:
        key = (name, currency)
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format(looks)
        return self._formats[key]


class Sheet:
    """One sheet, written from its top to its bottom."""

    def __init__(self, book: Book, worksheet: Worksheet) -> None:
        self.book = book
        self.at = 0  # the next row, from 0
        self.name = worksheet.get_name()
        self._sheet = worksheet
        self._widths: dict[int, int] = {}
        worksheet.hide_gridlines(2)

    # --- cells; each is written into the row `at`

    def text(self, column: int, text: str, look: str = "text") -> None:
        """A text, whatever it looks like; an empty one leaves the cell empty."""
        if not text:
            return
        shown = safe_text(text)
        self._sheet.write_string(self.at, column, shown, self.book.look(look))
        if look != "loose":
            self._measure(column, shown)

    def raw(self, column: int, text: str) -> None:
        """A text as it came, of a file that is sent back; one that no cell can hold ends early."""
        if not text:
            return
        held = short_cell(text).encode("utf-8", "replace").decode("utf-8")
        self._sheet.write_string(self.at, column, held, self.book.look("raw"))
        self._measure(column, held)

    def number(self, column: int, number: int | None, look: str = "int") -> None:
        """A whole number."""
        if number is None:
            return
        self._sheet.write_number(self.at, column, number, self.book.look(look))
        self._measure(column, f"{number:,}")

    def money(self, column: int, minor: int | None, currency: str) -> None:
        """An amount with the decimals of its currency."""
        if minor is None:
            return
        amount = major(minor, currency)
        self._sheet.write_number(self.at, column, amount, self.book.money(currency))
        self._measure(column, f"{amount:,}")

    def time(self, column: int, moment: datetime | None) -> None:
        """A date that is one, with its time, of the zone that the heading names."""
        if moment is None:
            return
        self._sheet.write_datetime(self.at, column, moment, self.book.look("time"))
        self._measure(column, _TIME)

    def formula(
        self, column: int, formula: str, value: int | Decimal | str, look: Format | str
    ) -> None:
        """A formula, with what it comes to for programs that do not calculate."""
        form = look
        if isinstance(look, str):
            form = self.book.look(look)
        self._sheet.write_formula(self.at, column, formula, form, value)
        self._measure(column, f"{value:,}" if not isinstance(value, str) else value)

    # --- rows

    def head(self, names: Sequence[str]) -> None:
        """A row of headings."""
        self._sheet.set_row(self.at, 30)
        for column, name in enumerate(names):
            shown = safe_text(name)
            self._sheet.write_string(self.at, column, shown, self.book.look("head"))
            self._measure(column, max(shown.split(), key=len, default=""))
        self.at += 1

    def line(self, text: str, look: str = "loose") -> None:
        """A line across the columns, in no column's width."""
        self._sheet.write_string(self.at, 0, safe_text(text), self.book.look(look))
        self.at += 1

    def title(self, text: str) -> None:
        """The largest line."""
        self._sheet.set_row(self.at, 28)
        self.line(text, "title")

    def tall(self, text: str, width: int) -> None:
        """Make this row as high as a wrapped text in a column of so many characters needs."""
        lines = -(-width_of(safe_text(text)) // width)
        if lines > 1:
            self._sheet.set_row(self.at, 15 * lines)

    def banner(self, text: str, columns: int) -> None:
        """A line that nobody overlooks."""
        self._sheet.set_row(self.at, 34)
        look = self.book.look("test")
        self._sheet.write_string(self.at, 0, safe_text(text), look)
        for column in range(1, columns):
            self._sheet.write_blank(self.at, column, None, look)
        self.at += 1

    # --- the whole sheet

    def finish(
        self,
        columns: int,
        *,
        frozen: tuple[int, int] = (0, 0),
        filtered: tuple[int, int] | None = None,
        printed: int = 0,
        upright: bool = False,
        title: str = "",
        test: str = "",
    ) -> None:
        """Widths, what stays in sight, filters, and how it is printed.

        `frozen`: rows and columns that stay. `filtered`: first and last row of a table with
        filters, of which the first is its header. `printed`: columns on paper, from the left.
        """
        sheet = self._sheet
        for column in range(columns):
            width = min(self._widths.get(column, 8), WIDEST)
            sheet.set_column(column, column, width + 2)
        if any(frozen):
            sheet.freeze_panes(*frozen)
            sheet.repeat_rows(0, max(frozen[0] - 1, 0))
        if filtered is not None and columns:
            sheet.autofilter(filtered[0], 0, filtered[1], columns - 1)
        if not upright:
            sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.6)
        if printed and printed < columns:
            sheet.print_area(0, 0, max(self.at - 1, 0), printed - 1)
        told = title.replace("&", "&&")
        header = f"&L{told}"
        if test:
            header += f'&C&"Arial,Bold"&20&KB00020{test}'
        sheet.set_header(f"{header}&R{self.name}")
        sheet.set_footer("&R&P / &N")

    def width(self, column: int, characters: int) -> None:
        """At least so wide."""
        self._widths[column] = max(self._widths.get(column, 0), characters)

    def _measure(self, column: int, shown: str) -> None:
        if self.at < MEASURED:
            self._widths[column] = max(self._widths.get(column, 0), width_of(shown))


def width_of(text: str) -> int:
    """How wide a text is, in Latin letters: Chinese characters take two, marks above others none.

    >>> width_of("amount"), width_of("金額"), width_of("ที่")
    (6, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 2
    return 1


@cache
def load_workbooks() -> None:
    """What workbooks are written with, into memory; once a process."""
    from xlsxwriter import utility  # noqa: F401 - widths and addresses

    with workbook(BytesIO(), "", "") as book:
        book.sheet("A")


@contextmanager
def workbook(file: BinaryIO, title: str, job: str) -> Iterator[Book]:
    """A workbook into a file that is open to be written; row by row, so that memory stays flat.
    Raises OSError.
    """
    from xlsxwriter.exceptions import FileCreateError
    from xlsxwriter.workbook import Workbook

    with TemporaryDirectory(prefix="batchpay-") as folder:
        made = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        made.set_properties(
            {"title": title, "subject": job, "author": "batchpay", "created": MADE}
        )
        made.set_calc_mode("auto")
        try:
            yield Book(made)
        except BaseException:
            made.fileclosed = True  # nobody wants it: its destructor would write it
            for sheet in made.worksheets():
                sheet._opt_close()
            raise
        try:
            made.close()
        except FileCreateError as error:
            raise OSError(str(error)) from error
