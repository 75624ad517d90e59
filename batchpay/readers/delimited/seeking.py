"""The header of a text, when it is not where the job says: in another row, between other
characters, in another encoding, or below a line that tells Excel the delimiter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from batchpay.domain.encodings import codec_name
from batchpay.domain.text import told
from batchpay.messages import contents, headers
from batchpay.messages.message import Message
from batchpay.readers import kinds
from batchpay.readers.delimited.fitting import fitting
from batchpay.readers.delimited.records import names_of, records_of
from batchpay.readers.delimited.text import SAMPLE, beginning
from batchpay.readers.header import absent_from
from batchpay.readers.looking import (
    LOOKED_AT,
    Groups,
    Place,
    best_place,
    held_by,
    in_two_rows,
)
from batchpay.readers.snapshot import Snapshot

_BETWEEN = (",", ";", "\t", "|", "^", "~")
_SEP = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stated:
    """How the job says that a text is written."""

    encoding: str
    delimiter: str
    header_row: int


def proposal_for(snapshot: Snapshot, stated: Stated, groups: Groups) -> Message | None:
    """What the job would have to say for its columns to be found; None where nothing would help."""
    data = beginning(snapshot)
    if len(data) == SAMPLE:
        data = data[: data.rfind(b"\n") + 1]
    text = _text(data, stated.encoding)
    if _are_lines_in_quotes(_row(text, stated), groups, text):
        path = str(snapshot.path)
        return headers.LINES_IN_QUOTES(path=path, row=stated.header_row)
    place = _place(data, stated, groups)
    if upper := _upper_of_two(text, stated, groups):
        return headers.HEADER_IN_TWO_ROWS(
            path=str(snapshot.path),
            row=upper,
            below=upper + 1,
            change=f"header_row = {upper + 1}",
        )
    if place is None:
        return None
    line = told(text.partition("\n")[0].strip("\r"))
    path = str(snapshot.path)
    is_text = 'delimiter = ","' in place.changes and snapshot.format == "tsv"
    if is_text:  # a comma between the cells of a .tsv cannot be said
        name = kinds.named(snapshot.path, ".csv")
        return contents.RENAME(path=path, kind=contents.KIND_TEXT(line=line), name=name)
    change = " and ".join(place.changes)
    if place.held < len(groups):
        return headers.HEADER_NEARLY(
            path=path,
            row=stated.header_row,
            found=_quoted(_row(text, stated)),
            at=place.row,
            change=change,
            absent=absent_from(place.cells, groups),
        )
    if _SEP.fullmatch(text.partition("\n")[0].strip("\r")):
        return headers.SEP_LINE(path=path, line=line, at=place.row, change=change)
    return headers.HEADER_ELSEWHERE(
        path=path,
        row=stated.header_row,
        found=_quoted(_row(text, stated)),
        at=place.row,
        change=change,
    )


def _are_lines_in_quotes(cells: list[str], groups: Groups, text: str) -> bool:
    """Is a row one cell, in quotes, that holds a row with all of the columns?"""
    if len(cells) != 1:
        return False
    whole = cells[0].replace('"', '""')
    if f'"{whole}"' not in text.splitlines():
        return False
    for delimiter in _BETWEEN:
        for inner in records_of(f"{cells[0]}\n", delimiter, 1).records:
            if len(inner.cells) > 1 and held_by(inner.cells, groups) == len(groups):
                return True
    return False


def _upper_of_two(text: str, stated: Stated, groups: Groups) -> int:
    records = records_of(text, stated.delimiter, LOOKED_AT).records
    return in_two_rows(map(names_of, records), groups)


def _place(data: bytes, stated: Stated, groups: Groups) -> Place | None:
    """The best place that is another than the one that is stated, and better."""
    best: Place | None = None
    for encoding in _encodings(data, stated, groups):
        text = _text(data, encoding)
        for place in _places(text, stated, groups, encoding):
            if place.changes and (best is None or place.held > best.held):
                best = place
        if best is not None and best.held == len(groups):
            return best
    here = _held_here(data, stated, groups)
    if best is None or best.held <= here or 2 * best.held < len(groups):
        return None
    return best


def _encodings(
    data: bytes,
    stated: Stated,
    groups: Groups,
) -> Iterator[str]:
    yield stated.encoding
    wanted = [name for group in groups for name in group]
    if all(name.isascii() for name in wanted):
        return
    if fits := fitting(data, stated.encoding, wanted):
        yield fits


def _places(
    text: str,
    stated: Stated,
    groups: Groups,
    encoding: str,
) -> Iterator[Place]:
    for delimiter in dict.fromkeys((stated.delimiter, *_BETWEEN)):
        rows = list(map(names_of, records_of(text, delimiter, LOOKED_AT).records))
        found = best_place(rows, groups)
        if found is None:
            continue
        changes = []
        if encoding != stated.encoding:
            changes.append(f'encoding = "{encoding}"')
        if delimiter != stated.delimiter:
            changes.append(f'delimiter = "{_toml(delimiter)}"')
        if found.row != stated.header_row:
            changes.append(f"header_row = {found.row}")
        yield Place(found.row, found.cells, found.held, tuple(changes))


def _toml(delimiter: str) -> str:
    if delimiter == "\t":
        return "\\t"
    return delimiter


def _held_here(data: bytes, stated: Stated, groups: Groups) -> int:
    text = _text(data, stated.encoding)
    return held_by(_row(text, stated), groups)


def _row(text: str, stated: Stated) -> list[str]:
    """The cells of the row that the job calls the header."""
    found = records_of(text, stated.delimiter, stated.header_row).records
    if len(found) == stated.header_row:
        return names_of(found[-1])
    return []


def _quoted(cells: list[str]) -> str:
    named = cells[:5]
    listed = ", ".join(f"'{told(cell)}'" for cell in named)
    if len(cells) > len(named):
        listed += ", …"
    return listed or "blank"


def _text(data: bytes, encoding: str) -> str:
    return data.decode(codec_name(encoding), "replace").removeprefix("\ufeff")
