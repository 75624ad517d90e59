"""Blocks of delimited text that Arrow may parse: those for which it and the strict reader would say
the same.

That is proven from the bytes: every quote opens or closes a whole cell or stands twice inside one,
every line end is LF or CRLF. How many rows there are is known before Arrow is asked, and it must
find as many; blank ones it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_LF = 0x0A
_CR = 0x0D
_QUOTE = 0x22
_BOM = "\ufeff".encode()


@dataclass(frozen=True, slots=True)
class Plain:
    """The rows of such a block that are not blank, and where they stand among all of them."""

    batch: pa.RecordBatch
    places: np.ndarray
    blank: int

    def rows_from(self, row: int) -> Sequence[int]:
        """Their numbers, when the block's first row has this one."""
        if self.blank:
            rows: list[int] = (self.places + row).tolist()
            return rows
        return range(row, row + len(self.places))


def plain_rows(data: bytes, delimiter: str, names: Sequence[str]) -> Plain | None:
    """The rows of such a block; None for any other, and for too few or too many cells in a row."""
    if not delimiter.isascii() or not data.endswith(b"\n"):
        return None
    if data.startswith(_BOM):  # Arrow drops a mark
        return None
    quoted = b'"' in data
    blank = _blank_rows(data, ord(delimiter), quoted=quoted)
    if blank is None:
        return None
    places = (~blank).nonzero()[0]
    if len(places):
        batch = _parse(data, delimiter, names, quoted=quoted)
    else:
        batch = _nothing(names)
    if batch is None or batch.num_rows != len(places):
        return None
    return Plain(batch, places, len(blank) - len(places))


def _blank_rows(data: bytes, delimiter: int, *, quoted: bool) -> np.ndarray | None:
    """For each row of a plain block: is it a line end and nothing else? None: no plain block."""
    import numpy as np

    codes = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(codes == _LF)
    if quoted:
        quotes = np.flatnonzero(codes == _QUOTE)
        if not _well_quoted(codes, quotes, delimiter):
            return None
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if b"\r" in data:
        returns = np.flatnonzero(codes == _CR)
    else:
        returns = ends[:0]
    if len(returns) and not (codes[returns + 1] == _LF).all():
        return None
    starts = np.concatenate(([0], ends[:-1] + 1))
    is_empty = starts == ends
    is_return = (codes[starts] == _CR) & (starts + 1 == ends)
    blank: np.ndarray = is_empty | is_return
    return blank


def _well_quoted(codes: np.ndarray, quotes: np.ndarray, delimiter: int) -> bool:
    """Do opening and closing quotes alternate, each at an edge of its cell or beside its twin?"""
    import numpy as np

    if len(quotes) % 2:
        return False
    opening = quotes[::2]
    closing = quotes[1::2]
    before = codes[np.maximum(opening, 1) - 1]
    after = codes[closing + 1]  # there is one: a plain block ends with a line end
    opens = (
        (before == delimiter) | (before == _LF) | (before == _QUOTE) | (opening == 0)
    )
    closes = (after == delimiter) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def _nothing(names: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [pa.array([], pa.string()) for _ in names]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


def _parse(
    data: bytes,
    delimiter: str,
    names: Sequence[str],
    *,
    quoted: bool,
) -> pa.RecordBatch | None:
    import pyarrow as pa
    from pyarrow import csv

    quote: str | bool = False
    if quoted:
        quote = '"'
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(
                column_names=list(names),
                block_size=len(data) + 1,
                use_threads=False,
            ),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                quote_char=quote,
                newlines_in_values=quoted,
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                check_utf8=False,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None  # ragged: the strict reader says where
    batches = table.combine_chunks().to_batches()
    if len(batches) == 1:
        return batches[0]
    return None
