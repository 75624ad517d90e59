"""What `check` found, as a person or a program wants it: grouped, line by line, as CSV, as GitHub's
annotations, as JSON.

Every form is told of each problem as it is found and ends with the files; `FORMS` is the list of
choices.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from batchpay.domain.model import Problem
from batchpay.domain.money import grouped_text
from batchpay.domain.text import defused, json_text, line
from batchpay.intake.grouping import MOST_VALUES, Group, of_file
from batchpay.messages import labels, repeats, screens
from batchpay.messages.message import Entry, Field
from batchpay.terminal.speech import ENGLISH, Speech
from batchpay.terminal.streams import named, raw, write_lines
from batchpay.terminal.streams import write as say

if TYPE_CHECKING:
    from batchpay.commands.check import Checked

FEW = 20  # problems that need no summary behind them
SOON_S = 2.0  # the first row of each fault is told at once when reading takes longer
NARROWEST, WIDEST = 40, 120  # columns of a terminal that the table uses


class Form(Protocol):
    """One way to tell what was found."""

    def problem(self, file: str, sheet: str, row: int, problem: Problem) -> None:
        """Tell one problem of one row, in the file's order."""

    def end(self, checked: Checked) -> int:
        """Tell how each file stands; returns the exit code."""


class Lines:
    """One line a problem, as it is found; where there are many, what they have in common; a line a
    file at the end.
    """

    def __init__(self, speech: Speech) -> None:
        self._told = 0
        self._speech = speech

    def problem(self, file: str, sheet: str, row: int, problem: Problem) -> None:
        """Say one problem of one row."""
        self._told += 1
        told = self._speech.say(problem.message())
        say(f"{_place(file, sheet, row)}: {told}")

    def end(self, checked: Checked) -> int:
        """Say how each file stands; returns the exit code."""
        if self._told > FEW:
            for group in checked.groups:
                say(_in_short(group, self._speech))
        for group in checked.held:
            why = named(self._speech.say(group.said))
            say(f"{_in_short(group, self._speech)}: {why}")
        return _say_files(checked, self._speech)


class Groups:
    """A table: each fault once, with the number of its rows, what to do, and the first of them.

    Of a file that takes long to read the first row of each fault is told at once.
    """

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._began_s = time.monotonic()
        self._seen: set[tuple[str, str, str]] = set()

    def problem(self, file: str, sheet: str, row: int, problem: Problem) -> None:
        """Say the first problem of each kind of a large file."""
        kind = (file, problem.column, problem.rule)
        if kind in self._seen:
            return
        self._seen.add(kind)
        if time.monotonic() - self._began_s > SOON_S:
            told = self._speech.say(problem.message())
            say(f"{_place(file, sheet, row)}: {told}", err=True)

    def end(self, checked: Checked) -> int:
        """Print the table, then how each file stands; returns the exit code."""
        width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
        for told in checked.files:
            groups = of_file(checked.groups, told["file"])
            if groups:
                say(f"{told['file']}")
                for one in table(groups, width, self._speech, coloured=_is_coloured()):
                    raw(one)
                say("")
            held = of_file(checked.held, told["file"])
            if held:
                say(self._speech.say(screens.HELD_ROWS(file=str(told["file"]))))
                title = screens.HEAD_HELD
                shown = table(
                    held, width, self._speech, title=title, coloured=_is_coloured()
                )
                for one in shown:
                    raw(one)
                say("")
        return _say_files(checked, self._speech)


class Csv:
    """One line a problem, for a spreadsheet; talk goes to stderr."""

    NAMES = ("file", "sheet", "row", "column", "value", "rule", "remedy")

    def __init__(self) -> None:
        self._write(self.NAMES)

    def problem(self, file: str, sheet: str, row: int, problem: Problem) -> None:
        """Write one line."""
        texts = (file, sheet, str(row), problem.column, problem.value)
        self._write((*texts, problem.rule, str(named(problem.remedy))))

    def end(self, checked: Checked) -> int:
        """Say the rest on stderr; returns the exit code."""
        return _say_files(checked, Speech(ENGLISH), err=True)

    @staticmethod
    def _write(cells: Sequence[str]) -> None:
        made = io.StringIO()
        csv.writer(made, lineterminator="").writerow(
            [defused(line(cell)) for cell in cells]
        )
        raw(made.getvalue())


class Github:
    """Annotations of GitHub's workflows (docs.github.com, "Workflow commands"): each problem beside
    its line.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder  # where the files lie; annotations name them from here

    def problem(self, file: str, sheet: str, row: int, problem: Problem) -> None:
        """Write one annotation."""
        if sheet:
            said = f"{sheet}: row {row}: {problem.sentence()}"
        else:
            said = problem.sentence()
        where = f"file={_property(self._path(file))},line={row},title={_property(problem.rule)}"
        raw(f"::error {where}::{_data(said)}")

    def end(self, checked: Checked) -> int:
        """Write what holds for whole files; returns the exit code."""
        for told in checked.files:
            where = f"file={_property(self._path(told['file']))}"
            if told["refusal"]:
                raw(f"::error {where}::{_data(told['refusal'])}")
            for warning in told["warnings"]:
                raw(f"::warning {where}::{_data(warning)}")
            raw(f"::notice {where}::{_data(_file_told(told, Speech(ENGLISH)))}")
        for group in checked.held:
            where = f"file={_property(self._path(group.file))}"
            held = f"{_in_short(group, Speech(ENGLISH))}: {group.said}"
            raw(f"::notice {where}::{_data(held)}")
        for refusal in checked.refusals:
            raw(f"::error ::{_data(refusal)}")
        return checked.exit_code

    def _path(self, file: str) -> str:
        return os.path.relpath(self._folder / file)


def _data(text: str) -> str:
    return line(str(named(text))).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


class Json:
    """One JSON document, written as it is found."""

    def __init__(self) -> None:
        self._first = True

    def problem(self, file: str, sheet: str, row: int, problem: Problem) -> None:
        """Write one element of `problems`."""
        found = {
            "file": file,
            "sheet": sheet,
            "row": row,
            "column": problem.column,
            "value": problem.value,
            "rule": problem.rule,
            "remedy": problem.remedy,
            **problem.said.to_json(),
        }
        before = ","
        if self._first:
            before = '{"problems": ['
        raw(f"{before}\n{json_text(named(found), indent=None)}")
        self._first = False

    def end(self, checked: Checked) -> int:
        """Close the document; returns the exit code."""
        rest = {
            "groups": [group.to_json() for group in checked.groups],
            "held": [group.to_json() for group in checked.held],
            "files": checked.files,
            "rejected": checked.rejected,
            "refusals": checked.refusals,
            "exit_code": checked.exit_code,
        }
        opening = ""
        if self._first:
            opening = '{"problems": ['
        raw(f"{opening}],\n{json_text(named(rest), indent=None)[1:]}")
        return checked.exit_code


FORMS = ("groups", "lines", "csv", "github")


def form_of(name: str, folder: Path, speech: Speech, *, as_json: bool) -> Form:
    """The form that was asked for; without a name a table on a terminal, lines elsewhere."""
    if as_json:
        return Json()
    if not name:
        name = "groups" if sys.stdout.isatty() else "lines"
    if name == "csv":
        return Csv()
    if name == "github":
        return Github(folder)
    if name == "groups":
        return Groups(speech)
    return Lines(speech)


# --- the table


def table(
    groups: Sequence[Group],
    width: int,
    speech: Speech,
    *,
    title: Entry = screens.HEAD_WRONG,
    coloured: bool = False,
) -> Iterator[str]:
    """Rows, column, and what is wrong in lines that end at words; no line is wider than `width`
    columns of the terminal.
    """
    from rich.cells import cell_len

    counts = [f"{group.rows:,}" for group in groups]
    columns = [line(_column(group, speech)) for group in groups]
    rows, column = speech.say(screens.HEAD_ROWS()), speech.say(screens.HEAD_COLUMN())
    counted = max(cell_len(rows), *map(len, counts))
    wide = max(cell_len(column), *(min(cell_len(one), width // 4) for one in columns))
    rest = width - counted - wide - 6
    told = next(wrapped(speech.say(title()), rest))
    yield f"  {' ' * (counted - cell_len(rows))}{rows}  {_filled(column, wide)}  {told}"
    for group, count, column in zip(groups, counts, columns, strict=True):
        said = _texts(group, speech)
        texts = [piece for text in said for piece in wrapped(line(text), rest)]
        names = list(wrapped(column, wide))
        for at in range(max(len(texts), len(names))):
            number = f"{count if at == 0 else '':>{counted}}"
            name = _filled(names[at] if at < len(names) else "", wide)
            if coloured:
                number, name = f"\x1b[1;31m{number}\x1b[0m", f"\x1b[1m{name}\x1b[0m"
            text = texts[at] if at < len(texts) else ""
            yield f"  {number}  {name}  {text}".rstrip()


def _column(group: Group, speech: Speech) -> str:
    """The column of a fault, with its sheet; of a whole row none."""
    return group.column or speech.say(screens.WHOLE_ROW())


def _texts(group: Group, speech: Speech) -> Iterator[str]:
    """Rule and remedy, then the first cells."""
    yield f"{group.rule}: {named(speech.say(group.said))}"
    yield _first_told(group, speech)


def _first_told(group: Group, speech: Speech) -> str:
    """`3 different cells: row 4 'a', row 9 'b', row 12 'c'`; of empty cells only the rows."""
    told = [
        screens.ROW_WITH(row=str(row), value=value) if value else repeats.ROW(row=row)
        for row, value in group.first
    ]
    first = ", ".join(map(speech.say, told))
    if group.values > len(group.first):
        first += ", …"
    of_many, of_some = screens.MANY_ORDERS, screens.ORDERS
    if group.column:
        of_many, of_some = screens.MANY_CELLS, screens.CELLS
    if group.values > MOST_VALUES:
        return speech.say(of_many(number=f"{MOST_VALUES:,}", named=first))
    if group.values > 1:
        return speech.say(of_some(number=f"{group.values:,}", named=first))
    if group.rows > 1:
        return speech.say(screens.FIRST_IN(named=first))
    return first


def wrapped(text: str, width: int) -> Iterator[str]:
    """A text in lines of at most `width` columns of a terminal, cut at blanks where it has some.

    >>> list(wrapped("write 1234.50 or 1,234.50", 14))
    ['write 1234.50', 'or 1,234.50']
    >>> list(wrapped("東京支店", 5))
    ['東京', '支店']
    """
    from rich.cells import cell_len

    row = ""
    for word in text.split(" "):
        tried = f"{row} {word}" if row else word
        if cell_len(tried) <= width:
            row = tried
            continue
        if row:
            yield row
        *cut, row = _cut(word, width)
        yield from cut
    yield row


def _cut(word: str, width: int) -> list[str]:
    """A word in pieces that fit; marks stay with the letter that they stand on."""
    from rich.cells import cell_len

    pieces = [""]
    for character in word:
        is_full = cell_len(pieces[-1] + character) > width
        if is_full and cell_len(character) > 0:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _filled(text: str, width: int) -> str:
    """A text with blanks behind it, up to `width` columns of a terminal."""
    from rich.cells import cell_len

    return text + " " * (width - cell_len(text))


def _is_coloured() -> bool:
    """Has the terminal colours, and does nobody ask for none (no-color.org)?"""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


# --- what the forms share


def _place(file: str, sheet: str, row: int) -> str:
    if sheet:
        return f"{file}:{sheet}:{row}"
    return f"{file}:{row}"


def _in_short(group: Group, speech: Speech) -> str:
    """`orders.csv: 312 rows: Shop: lookup-missing; 3 different cells: ...`."""
    where = f"{group.file}:{group.sheet}" if group.sheet else group.file
    rows = speech.say(labels.ROWS(count=group.rows))
    head = f"{where}: {rows}: {_column(group, speech)}: {group.rule}"
    return f"{head}; {_first_told(group, speech)}"


def _say_files(checked: Checked, speech: Speech, *, err: bool = False) -> int:
    for told in checked.files:
        say(_file_told(told, speech), err=err)
        for warning in told["warnings"]:
            text = f"{told['file']}: {speech.kept(warning)}"
            say(speech.say(labels.WARNING(text=text)), err=True)
        if told["refusal"]:
            text = f"{told['file']}: {speech.kept(told['refusal'])}"
            say(speech.say(screens.REFUSED(text=text)), err=True)
    for refusal in checked.refusals:
        write_lines(f"batchpay: {speech.kept(str(refusal))}", err=True)
    return checked.exit_code


def _file_told(told: Mapping[str, Any], speech: Speech) -> str:
    return f"{counted(told, speech)}; {_valid(told, speech)}"


def counted(told: Mapping[str, Any], speech: Speech) -> str:
    """`orders.csv: 12 rows, 1 rejected, 0 repeated`."""
    counts: dict[str, Field] = {
        "file": str(told["file"]),
        "rows": labels.ROWS(count=told["rows"]),
        "rejected": f"{told['rejected']:,}",
        "repeated": f"{told['repeated']:,}",
    }
    if told.get("held"):
        return speech.say(screens.COUNTED_HELD(**counts, held=f"{told['held']:,}"))
    return speech.say(screens.COUNTED(**counts))


def _valid(told: Mapping[str, Any], speech: Speech) -> str:
    """What the right rows ask for; and what of that may be sent, where that is less: it was
    charged, or repeats.
    """
    valid = _sums(told["valid"], speech)
    may_go = _sums(told["may_be_sent"], speech)
    none = speech.say(screens.NO_ORDER())
    if valid == may_go:
        return valid or none
    rows = ", ".join(
        _rows_told(of_one, code, speech) for code, of_one in told["valid"].items()
    )
    return speech.say(screens.RIGHT_AND_SENT(right=rows, sums=may_go or none))


def _sums(told: Mapping[str, Mapping[str, Any]], speech: Speech) -> str:
    return ", ".join(
        sum_told(of_one, currency, speech) for currency, of_one in told.items()
    )


def _rows_told(told: Mapping[str, Any], currency: str, speech: Speech) -> str:
    """`3 rows, 1,234.50 THB`: of one order there may be several."""
    money = grouped_text(told["sum_minor"], currency)
    return f"{speech.say(labels.ROWS(count=told['count']))}, {money} {currency}"


def sum_told(told: Mapping[str, Any], currency: str, speech: Speech) -> str:
    """`3 orders, 1,234.50 THB`."""
    orders = speech.say(labels.ORDERS(count=told["count"]))
    money = grouped_text(told["sum_minor"], currency)
    return f"{orders}, {money} {currency}"
