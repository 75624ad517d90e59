"""LOOKUP: a CSV file beside the job, from one text to another."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from batchpay.domain.alike import differences, looks
from batchpay.domain.secrets import scrubbed
from batchpay.domain.text import told as told_of
from batchpay.job.job import FromLookup
from batchpay.job.telling import Telling

MAX_LOOKUP_BYTES = 64 << 20
_LOOKED_AT = 20  # rows in which the names may stand
_NAMED = 20  # columns that are listed
_WORKBOOK = b"PK\x03\x04"


def lookup_of(
    at: Telling, where: list[str], told: Mapping[str, Any]
) -> FromLookup | None:
    """The source that a table { column, lookup, key, value, name } means; None when it is told to
    be wrong.
    """
    path = at.file(where, told["lookup"])
    if path is None:
        return None
    read = _rows_of(at, where, path)
    if read is None:
        return None
    digest, rows, places = read
    if any(scrubbed(cell) != cell for row in rows for cell in row):
        remedy = "remove it; pay by token, customer or source"
        at.say(where, f"the lookup file {path} holds a card number, or a key: {remedy}")
        return None
    header = next(iter(rows), [])
    wanted = [told[one] for one in ("key", "value", "name") if one in told]
    missing = [name for name in wanted if header.count(name) != 1]
    if missing:
        at.say(
            where,
            f"the lookup file {path} must have one column '{told_of(missing[0])}'; it has"
            f" {_listed(header)}{_instead(missing[0], wanted, rows)}",
        )
        return None
    key, value, *name = map(header.index, wanted)
    table, twice = _table_of(rows, key, value)
    names: dict[str, str] = {}
    if name:
        named = [row for row in rows if len(row) > name[0]]
        names, _ = _table_of(named, value, *name)
    lines: dict[str, int] = {}
    for row, line in zip(rows[1:], places[1:], strict=True):
        if len(row) > value:
            lines.setdefault(row[value], line)
    column, *others = names_of(told["column"])
    return FromLookup(
        column,
        path,
        told["key"],
        told["value"],
        table,
        twice,
        digest,
        tuple(others),
        names,
        lines,
    )


def _listed(header: Sequence[str]) -> str:
    if not header:
        return "nothing at all"
    return ", ".join(f"'{told_of(name)}'" for name in header[:_NAMED])


def _instead(name: str, wanted: Collection[str], rows: Sequence[Sequence[str]]) -> str:
    """What to do where the names are there, and not as they should be."""
    header = next(iter(rows), [])
    for number, row in enumerate(rows[:_LOOKED_AT], 1):
        if number > 1 and set(wanted) <= set(row):
            return f"; row {number} holds the names: delete what stands above it"
    for near in header:
        if near != name and looks(near) == looks(name):
            differs = ", ".join(map(str, differences(near, name)))
            return f"; '{told_of(near)}' is that name but for {differs}: type it again"
    if len(header) != 1:
        return ""
    for delimiter, named in ((";", "semicolons"), ("\t", "tabs"), ("|", "|")):
        if delimiter in header[0]:
            return f"; its cells are kept apart by {named}: save it with commas"
    return ""


def _rows_of(
    at: Telling, where: list[str], path: Path
) -> tuple[str, list[list[str]], list[int]] | None:
    """SHA-256 of the file, its rows, the header first, and the line on which each ends; None when
    it is told that there are none to read.
    """
    try:
        if not path.is_file() or path.stat().st_size > MAX_LOOKUP_BYTES:
            at.say(
                where,
                f"the lookup file {path} is missing, no file, or larger than"
                f" {MAX_LOOKUP_BYTES >> 20} MiB",
            )
            return None
        raw = path.read_bytes()
        reader = csv.reader(
            io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True
        )
        placed = [(row, reader.line_num) for row in reader]
    except UnicodeDecodeError as error:
        is_not = f"is not UTF-8, from its byte {error.start} on"
        if error.object.startswith(_WORKBOOK):
            is_not = "is an Excel workbook, whatever its name says"
        at.say(
            where,
            f"the lookup file {path} {is_not}: save it as CSV UTF-8, as Excel calls it",
        )
        return None
    except (OSError, csv.Error) as error:
        at.say(
            where,
            f"the lookup file {path} cannot be read as a CSV file in UTF-8: {error}",
        )
        return None
    rows = [row for row, _ in placed]
    return hashlib.sha256(raw).hexdigest(), rows, [line for _, line in placed]


def _table_of(
    rows: Sequence[Sequence[str]], key: int, value: int
) -> tuple[dict[str, str], frozenset[str]]:
    """What each key stands for, and the keys that stand there more than once. A line that ends
    before its value has an empty one.
    """
    table: dict[str, str] = {}
    twice: set[str] = set()
    for row in rows[1:]:
        if len(row) > key and row[key]:
            twice |= {row[key]} & table.keys()
            table[row[key]] = row[value] if len(row) > value else ""
    return table, frozenset(twice)


def names_of(told: str | Sequence[str]) -> list[str]:
    """The names that a column may have; each file has one of them."""
    if isinstance(told, str):
        return [told]
    return list(told)
