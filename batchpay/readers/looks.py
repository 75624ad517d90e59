"""How cells stood in their file beside their texts: types, styles, widths, the rows above the
header. With it the rows that somebody must correct go back as they came.

It lies beside the cells of a chunk (cells.py), packed: the journal has it, and the file is not read
again. What it says of a cell is believed only where it leads to the very text that was read.

>>> stored("100.5", "n"), stored("0001", "n"), stored("2026-11-24", "d"), stored("true", "b")
(('n', '100.5'), None, ('n', '46350'), ('b', '1'))
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from batchpay.readers.numbers import EXACT_BELOW, float_text, plain_decimal

if TYPE_CHECKING:
    import pyarrow as pa

# what a cell is: a letter for each
TEXT, NUMBER, DATE, TIME, BOOLEAN, ERROR = "tndcbe"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}")
_ERROR = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)")
# Days are counted from here. Excel takes 1900 for a leap year: before March it counts otherwise.
_FROM_1900 = dt.datetime(1899, 12, 30)
_FROM_1904 = dt.datetime(1904, 1, 1)
_FIRST_SURE = 61
_DAY_S = 86_400


class RowLook(NamedTuple):
    """One row: its height in points as the sheet has it, a letter and a style for each cell. A
    cell beyond their end is a plain text.
    """

    height: str = ""
    kinds: str = ""
    styles: tuple[int, ...] = ()

    def kind(self, column: int) -> str:
        """What the cell of a column is, from 0."""
        return self.kinds[column : column + 1] or TEXT

    def style(self, column: int) -> int:
        """The style of the cell of a column, from 0."""
        if column < len(self.styles):
            return self.styles[column]
        return 0

    def only(self, columns: Sequence[int]) -> RowLook:
        """Of some of its columns."""
        kinds = "".join(map(self.kind, columns))
        return RowLook(self.height, kinds, tuple(map(self.style, columns)))


@dataclass(frozen=True, slots=True)
class SheetLook:
    """A sheet without its rows of orders."""

    name: str
    styles: str  # its styles as XML, cleaned; empty: none that could be kept
    from_1904: bool = False
    # column from 0, its width, is it hidden
    widths: tuple[tuple[int, str, bool], ...] = ()
    # the rows above the header and the header, each with its texts
    head: tuple[tuple[RowLook, tuple[str, ...]], ...] = ()
    merged: tuple[str, ...] = ()  # ranges in these rows


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of the rows of one chunk."""

    sheet: SheetLook | None = None  # in a file's first chunk
    schema: pa.Schema | None = None  # of a Parquet file: the types of its columns
    # by their number in the sheet, one behind the other
    rows: Mapping[int, RowLook] = field(default_factory=dict)

    def of(self, row: int) -> RowLook:
        """How a row stood; of one of which nothing is known, as plain text."""
        return self.rows.get(row, PLAIN_ROW)

    def only(self, columns: Sequence[int]) -> Looks:
        """Of some of the columns, from 0, in this order."""
        if list(columns) == list(range(len(columns))):
            return self  # what lies behind them is nobody's
        chosen = {look: look.only(columns) for look in set(self.rows.values())}
        rows = {row: chosen[look] for row, look in self.rows.items()}
        sheet = self.sheet
        if sheet is not None:
            places = {column: at for at, column in enumerate(columns)}
            sheet = replace(
                sheet,
                widths=tuple(
                    (places[at], width, hidden)
                    for at, width, hidden in sheet.widths
                    if at in places
                ),
                head=tuple((look.only(columns), texts) for look, texts in sheet.head),
                merged=(),
            )
        return replace(self, sheet=sheet, rows=rows)


PLAIN_ROW = RowLook()
NOTHING = Looks()


def pack(looks: Looks) -> bytes:
    """For the journal. Equal rows are told once."""
    known: dict[RowLook, int] = {}
    of_rows = [known.setdefault(look, len(known)) for look in looks.rows.values()]
    first = next(iter(looks.rows), 0)
    told: dict[str, Any] = {"looks": list(known), "first": first, "of": of_rows}
    sheet = looks.sheet
    if sheet is not None:
        told["sheet"] = [
            sheet.name,
            sheet.styles,
            sheet.from_1904,
            sheet.widths,
            sheet.head,
            sheet.merged,
        ]
    if looks.schema is not None:
        told["schema"] = base64.b64encode(
            looks.schema.serialize().to_pybytes()
        ).decode()
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 6)


def unpack(data: bytes) -> Looks:
    """What `pack` was given; of nothing, nothing."""
    if not data:
        return NOTHING
    told = json.loads(zlib.decompress(data))
    known = [_look(one) for one in told["looks"]]
    rows = {row: known[at] for row, at in enumerate(told["of"], told["first"])}
    sheet = schema = None
    if "sheet" in told:
        name, styles, from_1904, widths, head, merged = told["sheet"]
        sheet = SheetLook(
            name,
            styles,
            from_1904,
            tuple((column, width, hidden) for column, width, hidden in widths),
            tuple((_look(look), tuple(texts)) for look, texts in head),
            tuple(merged),
        )
    if "schema" in told:
        import pyarrow as pa

        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(told["schema"])))
    return Looks(sheet, schema, rows)


def _look(told: Sequence[Any]) -> RowLook:
    height, kinds, styles = told
    return RowLook(height, kinds, tuple(styles))


# --- a text as the cell that it was read from


def stored(text: str, kind: str, *, from_1904: bool = False) -> tuple[str, str] | None:
    """Type and value of a cell that is read as this very text; None where it is a text, or can be
    nothing else.
    """
    if kind == NUMBER and _is_number(text):
        return "n", text
    if kind == BOOLEAN and text in ("true", "false"):
        return "b", str(int(text == "true"))
    if kind == ERROR and _ERROR.fullmatch(text):
        return "e", text
    value = ""
    if kind == DATE:
        value = _serial(text, from_1904=from_1904)
    elif kind == TIME and _CLOCK.fullmatch(text):
        hours, minutes, seconds = map(int, text.split(":"))
        value = repr((hours * 3600 + minutes * 60 + seconds) / _DAY_S)
    if value:
        return "n", value
    return None


def _is_number(text: str) -> bool:
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return False
    number = float(text)
    if abs(number) < EXACT_BELOW:
        return float_text(number) == text
    return plain_decimal(repr(number)) == text


def _serial(text: str, *, from_1904: bool) -> str:
    """The days that a sheet counts up to a date or a moment; empty where it counts otherwise."""
    if not _DAY.fullmatch(text) and not _MOMENT.fullmatch(text):
        return ""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return ""
    start = _FROM_1904 if from_1904 else _FROM_1900
    passed = moment - start
    if passed.days < 1 or (not from_1904 and passed.days < _FIRST_SURE):
        return ""
    if passed.seconds:
        return repr(passed.days + passed.seconds / _DAY_S)
    return str(passed.days)
