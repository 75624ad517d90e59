"""Records of delimited text by the standard reader, made strict: what is not RFC 4180 is said,
never repaired.

A quote inside a cell that does not start with one is an ordinary character, as in every
spreadsheet.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from batchpay.domain.secrets import scrubbed

_LONE_CR = re.compile(r"\r(?!\n)")
# stand for a lone CR, which csv takes for a line end
_MARKS = (
    "\ue000",
    "\uf8ff",
    "\U000f0000",
    "\U0010fffd",
)


@dataclass(slots=True)
class Record:
    """The cells of one record and where it stands, in lines from the start of the text."""

    cells: list[str]
    line: int
    lines: int
    # text after a closing quote: the cells are a guess, for display
    broken: bool = False
    opened: int = 0  # the line of that quote's beginning, from the first of the record


@dataclass(slots=True)
class Records:
    """What a text holds; `rest` is what was not read: an unclosed quote's record, or all beyond
    what was asked.
    """

    records: list[Record]
    rest: str
    lines: int  # before the rest


def records_of(text: str, delimiter: str, at_most: int | None = None) -> Records:
    """The records of any text, one by one; a blank line is a record without cells."""
    if _LONE_CR.search(text):
        mark = next((mark for mark in _MARKS if mark not in text), "")
    else:
        mark = ""
    if mark:
        marked = _LONE_CR.sub(mark, text)
    else:
        marked = text
    csv.field_size_limit(2**31 - 1)  # who reads the blocks has limits of his own
    buffer = io.StringIO(marked, newline="\n")
    reader = csv.reader(buffer, delimiter=delimiter, strict=True)
    found: list[Record] = []
    while True:
        start = buffer.tell()
        line = reader.line_num
        if len(found) == at_most:
            return Records(found, text[start:], line)
        try:
            cells = next(reader)
            broken = False
            opened = 0
        except StopIteration:
            return Records(found, "", line)
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return Records(found, text[start:], line)
            record = marked[start : buffer.tell()]
            cells = _guessed(record, delimiter)
            broken = True
            opened = lines_to_open_quote(record, delimiter)
        if mark:
            cells = [cell.replace(mark, "\r") for cell in cells]
        found.append(Record(cells, line, reader.line_num - line, broken, opened))


def names_of(header: Record) -> list[str]:
    """The names of columns, a line break inside one as a sheet has it."""
    return [cell.replace("\r\n", "\n") for cell in header.cells]


def lines_to_open_quote(text: str, delimiter: str) -> int:
    """How many lines of a record end before the quote that is not closed, or not followed by a
    delimiter.
    """
    edge = re.escape(delimiter)
    whole = re.compile(
        rf'(?:(?:"[^"]*+(?:""[^"]*+)*+"|[^"{edge}][^{edge}]*+|){edge})*+'
    )
    found = whole.match(text)
    if found:
        return found[0].count("\n")
    return 0


def _guessed(line: str, delimiter: str) -> list[str]:
    """What the cells may be; masked before a letter in quotes comes to touch a card number behind
    them.
    """
    line = scrubbed(line)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]
