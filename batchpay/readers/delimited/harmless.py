"""Rows with fewer or more cells than the header: which of them only lack empty cells, or end with
some.

A comma that is not quoted moves all cells behind it. Where it may have, a row is not believed: an
amount would be another one, or its recipient.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from batchpay.job.job import Roles
from batchpay.readers.delimited.records import Record

_WHOLE = re.compile(r"[^0-9]{0,4}[0-9]{1,15}")
_GOES_ON = re.compile(r"[0-9]+([.][0-9]+)?[^0-9]{0,4}")
_BETWEEN = (";", "\t", "|", ",")
_BLANKS = (" ", "\u3000", "\xa0")


class Harmless:
    """Rows of one block, held against each other."""

    def __init__(
        self,
        delimiter: str,
        names: Sequence[str],
        roles: Roles,
        records: Sequence[Record],
    ) -> None:
        self._delimiter = delimiter
        self._width = len(names)
        self._money = [at for at, name in enumerate(names) if name in roles.money]
        needed = [at for at, name in enumerate(names) if name in roles.needed]
        self._least = max(needed, default=-1) + 1  # cells
        self._records = records
        filled = [record for record in records if any(record.cells)]
        self._rows = len(filled)
        self._lengths = Counter(len(record.cells) for record in filled)

    def is_so(self, at: int) -> bool:
        """Does this row, whose cells are not as many as the header's, only lack empty ones at its
        end, or have some too many?
        """
        cells = self._records[at].cells
        if self._records[at].lines > 1 or self._may_have_moved(cells):
            return False
        if len(cells) < self._width:
            return len(cells) >= self._least
        if any(cells[self._width :]):
            return False
        # one among others is rather a row in which a cell was taken apart
        return self._lengths[len(cells)] > 1 or self._rows == 1

    def _may_have_moved(self, cells: Sequence[str]) -> bool:
        if self._delimiter != ",":
            return False
        if any(cell.startswith(_BLANKS) for cell in cells[1:]):
            return True
        return any(_is_apart(cells, at) for at in self._money or range(len(cells)))


def _is_apart(cells: Sequence[str], at: int) -> bool:
    """May this cell and the next be one number, 1,200.00 or 12,50?"""
    if at + 1 >= len(cells):
        return False
    return bool(_WHOLE.fullmatch(cells[at]) and _GOES_ON.fullmatch(cells[at + 1]))


def other_between(cells: Sequence[str], delimiter: str, width: int) -> str:
    """What stands between the cells of a row that has one cell only, by this delimiter."""
    if len(cells) != 1 or width == 1:
        return ""
    for between in _BETWEEN:
        if between != delimiter and cells[0].count(between) >= max(width // 2, 1):
            return between
    return ""
