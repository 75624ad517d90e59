"""PLACES: what batches and rows are called, on every machine and for ever, and how the gateway is
told which row a charge corrects.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from batchpay.domain.model import Intent, tail_in


def batch_id_of(first_received: datetime, job_name: str, sha256: str) -> str:
    """`<UTC date of first receipt>-<12 hex over job name, line feed and the file's digest>`: the
    same bytes, on any day, are the same batch.
    """
    return f"{first_received.astimezone(UTC):%Y-%m-%d}-{tail_of(job_name, sha256)}"


def tail_of(job_name: str, sha256: str) -> str:
    """The part of a batch id that says which job and which file it is of, whatever the day."""
    return hashlib.sha256(f"{job_name}\n{sha256}".encode()).hexdigest()[:12]


def place_of(batch_id: str, sheet: str, row: int) -> str:
    """A row's place as a corrected row names it: batch, sheet and row number in one text."""
    return f"{tail_in(batch_id)}\t{row}\t{sheet}"


def row_at(place: str) -> tuple[str, str, int] | None:
    """The last 12 digits of the batch, the sheet and the row back; None for what is no place.

    >>> row_at(place_of("2026-11-24-0123456789ab", "Orders", 7)), row_at(by_order("0001"))
    (('0123456789ab', 'Orders', 7), None)
    """
    tail, _, rest = place.partition("\t")
    row, _, sheet = rest.partition("\t")
    if order_in(place) or not row.isdecimal():
        return None
    return (tail, sheet, int(row))


def by_order(order_id: str) -> str:
    """An order as the sale of a corrected row is known by it, beside the places of its rows."""
    return f"{_ORDER}{order_id}"


def order_in(key: str) -> str:
    """The order id back; empty where such a key is a place."""
    if key.startswith(_ORDER):
        return key.removeprefix(_ORDER)
    return ""


_ORDER = "order\t"  # no place begins like this: it begins with 12 hexadecimal digits


def places_of(asked: Intent) -> tuple[str, ...]:
    """The row that caused an attempt, and those that it goes back to."""
    own = place_of(asked.batch_id, asked.sheet, asked.row)
    back = [key for key in (asked.corrects, *asked.sale) if key and not order_in(key)]
    return tuple(dict.fromkeys((own, *back)))


def told_row(sheet: str, row: int) -> str:
    """A row's place inside its file as `metadata[batchpay_row]` tells it.

    >>> told_row("", 7), told_row("Sheet 1!", 7)
    ('7', 'Sheet 1!!7')
    """
    if sheet:
        return f"{sheet}!{row}"
    return str(row)


def row_told(text: str) -> tuple[str, int]:
    """Sheet and row of such a text; ("", 0), which is no row, for anything else.

    >>> row_told("7"), row_told("Sheet 1!!7"), row_told("Sheet 1"), row_told("0")
    (('', 7), ('Sheet 1!', 7), ('', 0), ('', 0))
    """
    sheet, _, number = text.rpartition("!")
    if _ROW.fullmatch(number):
        return (sheet, int(number))
    return ("", 0)


# --- what the gateway keeps of a correction


def told_sale(keys: Sequence[str]) -> dict[str, str]:
    """What a correction's sale is known by (`Ancestry.keys`) as `metadata[batchpay_corrects]` tells
    it, with `batchpay_corrects_2` and so on: how long a value the gateway keeps is told
    nowhere, and one that it cuts must not take the others with it.
    """
    half = MOST_KEYS // 2
    nearest = keys[:half]
    first = keys[half:][-half:]
    parts: list[list[str]] = []
    for key in (*nearest, *first):
        if parts and len(_listed([*parts[-1], key])) <= LONGEST_VALUE:
            parts[-1].append(key)
        else:
            parts.append([key])
    return {_part_name(number): _listed(part) for number, part in enumerate(parts, 1)}


def sale_told(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The same back; of a value that was cut all that came through whole.

    >>> sale_told({"batchpay_corrects": '["A", "B"]', "batchpay_corrects_2": '["C", "D'})
    ('A', 'B', 'C')
    """
    found: list[str] = []
    for number in range(1, MOST_KEYS + 1):
        text = metadata.get(_part_name(number), "")
        if text.startswith("["):
            found += _texts_in(text)
    return tuple(dict.fromkeys(found))


def _part_name(number: int) -> str:
    if number == 1:
        return "batchpay_corrects"
    return f"batchpay_corrects_{number}"


def _listed(keys: Sequence[str]) -> str:
    return json.dumps(keys, ensure_ascii=False)


def _texts_in(text: str) -> list[str]:
    """The texts of a JSON list of them, the end of which may be gone."""
    try:
        return [json.loads(found) for found in _JSON_TEXT.findall(text)]
    except ValueError:
        return []


# characters of a value that any gateway keeps; as long as a description
LONGEST_VALUE = 255
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
MOST_KEYS = 12  # told to the gateway: the nearest and the first of them
_ROW = re.compile(r"[1-9][0-9]{0,9}")
