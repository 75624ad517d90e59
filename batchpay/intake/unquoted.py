"""UNQUOTED: amounts whose thousands are in the next cell, because nothing quotes their comma.

Of `A-1,45,200.00` under `Order,Amount,Note` the reader can only say that it has as many cells as
the header. What its neighbours hold tells: decimals stand in the amounts of other rows, and in the
cell behind it of this one alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_MAY_GO_ON = re.compile(r"(?:^|\n)\d{3}\.\d{1,3}(?:\n|$)", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3}", re.ASCII)
_REST = re.compile(r"\d{3}\.\d{1,3}", re.ASCII)
_DECIMALS = re.compile(r"[\d,]*\d\.\d{1,3}", re.ASCII)


def unquoted(amounts: Sequence[str], behind: Sequence[str]) -> list[int]:
    """Positions of the rows of which that is so. `behind`: the cells of the column behind.

    >>> unquoted(["45", "99.50", "1200.00"], ["200.00", "", "gift"])
    [0]
    >>> unquoted(["45", "99.50"], ["200.00", "7.00"]), unquoted(["45", "99"], ["200.00", ""])
    ([], [])
    """
    if not _MAY_GO_ON.search("\n".join(behind)):
        return []
    apart = list(_apart(amounts, behind))
    others = [at for at in range(len(amounts)) if at not in set(apart)]
    if any(_DECIMALS.fullmatch(behind[at]) for at in others):
        return []
    if not any(_DECIMALS.fullmatch(amounts[at]) for at in others):
        return []
    return apart


def _apart(amounts: Sequence[str], behind: Sequence[str]) -> Iterator[int]:
    for at, (amount, rest) in enumerate(zip(amounts, behind, strict=True)):
        if _THOUSANDS.fullmatch(amount) and _REST.fullmatch(rest):
            yield at
