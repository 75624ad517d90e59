"""LINEAGE: the columns of a rejects file by which a row that comes back says which row it was.

    >>> own_id(told_id("0000001", "2025-11-24-0123456789ab", "", 7))
    '0000001'
    >>> own_id("id:0000002:1da5f322") is None  # a fill handle went over it
    True
    >>> place_told("id:0000001:1da5f322", "2025-11-24-0123456789ab", "", "7")
    ('2025-11-24-0123456789ab', '', 7)
    >>> place_told("id:0000001:1da5f322", "2025-11-24-0123456789AB ", "", "7,0")  # no harm done
    ('2025-11-24-0123456789ab', '', 7)
    >>> place_told("id:0000001:1da5f322", "2025-11-24-0123456789ab", "", "๗")  # nor here
    ('2025-11-24-0123456789ab', '', 7)

Spreadsheets turn ids into numbers and dates, and people sort or fill one column without the others.
So an id is told with a word in front, which keeps every program from taking it for a number, and
with two checks behind: four hexadecimal digits over the id, four over the id and the row.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection

from batchpay.domain.model import tail_in
from batchpay.domain.text import in_ascii_digits
from batchpay.messages.problems import (
    ANOTHER_ROW,
    LOST_ID,
    MOVED_CELLS,
    OTHER_JOBS_ROW,
    QUOTE,
    RAGGED_LINE,
    TORN_ROW,
    TOTAL_ROW_LAST,
)

BATCH = "batchpay_batch"
ROW = "batchpay_row"
SHEET = "batchpay_sheet"
OUTCOME = "batchpay_outcome"
REASON = "batchpay_reason"
RETRY = "batchpay_retry"  # yes: another attempt at an unchanged row
ID = "batchpay_id"
DEFUSED = "batchpay_defused"  # the cells with an apostrophe of ours, as a JSON list
ADDED = (BATCH, ROW, SHEET, OUTCOME, REASON, RETRY, ID, DEFUSED)
# they name the row: a row in which all of them are empty came back for none
NAMING = (
    BATCH,
    ROW,
    SHEET,
    ID,
)
# rules of rows that name none any more, or none that they are, or one of another job
ASTRAY = frozenset(
    entry.code for entry in (TORN_ROW, ANOTHER_ROW, LOST_ID, OTHER_JOBS_ROW)
)
# rules whose fault the cells of a rejects file do not show again: cells that had slipped are all in
# their columns there, a sum stands without the rows that it sums, and who looks at a row does not
# see that a cell of it was another's
UNSEEN = frozenset(
    entry.code.partition(".")[0]
    for entry in (RAGGED_LINE, QUOTE, TOTAL_ROW_LAST, MOVED_CELLS)
)

_TOLD = re.compile(r"[iI][dD]:(.*):([0-9a-fA-F]{4})([0-9a-fA-F]{4})", re.DOTALL)
_BATCH = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{12}")
_ROW = re.compile(r"[1-9][0-9]{0,9}")
_DECIMALS = re.compile(r"[.,]0*$")  # a program may have made 7.0 or 7,0 of it
# ... and 1,007 of 1007
_THOUSANDS = re.compile(r"(?<=[0-9])[.,'\s](?=[0-9]{3}(?![0-9]))")


def is_rejects_file(columns: Collection[str]) -> bool:
    """Are these the columns of a file that we wrote for people to send back?"""
    return ROW in columns and OUTCOME in columns


def told_id(order_id: str, batch_id: str, sheet: str, row: int) -> str:
    """The id of a rejected row as `batchpay_id` has it; also the empty id of a row without one."""
    return f"id:{order_id}:{_check(order_id)}{_check(order_id, tail_in(batch_id), sheet, str(row))}"


def own_id(told: str) -> str | None:
    """The order id in such a text; None where it is none, or was changed."""
    found = _TOLD.fullmatch(told.strip())
    if found and found[2].lower() == _check(found[1]):
        return found[1]
    return None


def place_told(
    told: str,
    batch_id: str,
    sheet: str,
    row: str,
) -> tuple[str, str, int] | None:
    """Batch, sheet and row that a row came back for; None when any of the four texts is not as it
    was told, but for what does no harm: blanks around, another case, and how a program shows a
    number.
    """
    found = _TOLD.fullmatch(told.strip())
    batch_id = batch_id.strip().lower()
    if not found or not _BATCH.fullmatch(batch_id):
        return None
    shown = in_ascii_digits(row.strip())
    numbers = (
        _DECIMALS.sub("", shown),
        _THOUSANDS.sub("", _DECIMALS.sub("", shown)),
        _THOUSANDS.sub("", shown),
    )
    for number in filter(_ROW.fullmatch, dict.fromkeys(numbers)):
        for name in dict.fromkeys((sheet, sheet.strip())):
            if found[3].lower() == _check(found[1], tail_in(batch_id), name, number):
                return batch_id, name, int(number)
    return None


def _check(*parts: str) -> str:
    text = json.dumps(parts)
    return hashlib.blake2b(text.encode(), digest_size=2).hexdigest()
