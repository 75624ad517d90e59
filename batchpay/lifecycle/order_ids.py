"""ORDER IDS that look alike: what programs do to ids, undone.

>>> alike("００0012 ａ") == alike("12A")
True
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from batchpay.domain.text import in_ascii_digits


@lru_cache(maxsize=8192)  # asked of the orders of a chunk of rows, again and again
def alike(order_id: str) -> str:
    """The id without what programs do to ids: leading zeros, spaces, case, width (NFKC), a script's
    own digits, a trailing `.0` or point, a spreadsheet's mark of text before it, and the exponent
    or the commas of a number that a spreadsheet writes out. 1.1 and 1.10 are two ids: lines of one
    order.

    >>> alike("0001003.0") == alike("1003") != alike("1003.05")
    True
    >>> alike("8E5") == alike("800000") == alike("8.00E+05") == alike("800,000") == alike("+800000")
    True
    >>> alike("'0017") == alike("17.") == alike("17")
    True
    >>> alike("1.10") != alike("1.1") != alike("A1.1") != alike("A1.10")
    True
    >>> alike("๐๐๐๒") == alike("٢") == alike("2")
    True
    """
    return kept_as(in_ascii_digits(order_id))


def kept_as(order_id: str) -> str:
    """The same as journals keep it: digits of other scripts stay what they are, zeros before them
    too. Of an id without such digits it is what `alike` says.

    >>> kept_as("0012"), kept_as("๐๐๑๒"), alike("๐๐๑๒")
    ('12', '๐๐๑๒', '12')
    """
    text = order_id
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    bare = "".join(text.split()).casefold().lstrip("'")
    if not bare.isdecimal():
        number = _NUMBER.fullmatch(bare)
        if number:
            bare = _written_out(*number.groups(""))
    return _POINT_ZERO.sub("", bare).lstrip("0")


def form_in(*, distinct: bool) -> Callable[[str], str]:
    """What an id looks like to its source: two of one form are one id. `distinct`: it really has
    ids that only look alike (Input.distinct_ids); ids of one text even that has not.

    >>> form_in(distinct=False)("0012"), form_in(distinct=True)("0012")
    ('12', '0012')
    """
    return one_text if distinct else alike


def one_text(order_id: str) -> str:
    """The id as Unicode writes its text (NFC): another machine wrote the same letters in other
    characters.
    """
    return unicodedata.normalize("NFC", order_id)


def same_text(order_id: str, other: str) -> bool:
    """Are two ids one text? No source has both."""
    return one_text(order_id) == one_text(other)


def all_alike(order_ids: Sequence[str]) -> list[str]:
    """The same of many ids, at once where letters, digits, dashes and underscores are all they are
    made of.

    >>> all_alike(["0001", "A-2", "0x3_"]), all_alike(["8E5", "0001"])
    (['1', 'a-2', 'x3_'], ['800000', '1'])
    """
    column = "\n".join(order_ids)
    if column.count("\n") == len(order_ids) - 1 and _PLAIN.fullmatch(column):
        column = column.lower()
        if "e" not in column or not _WITH_EXPONENT.search(column):
            return [text.lstrip("0") for text in column.split("\n")]
    return list(map(alike, order_ids))


_PLAIN = re.compile(r"[0-9A-Za-z_\n-]*+")
_WITH_EXPONENT = re.compile(r"^[0-9]+e[0-9]", re.MULTILINE)
_POINT_ZERO = re.compile(r"\.0*$")
_NUMBER = re.compile(
    r"\+?([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?(?:e\+?([0-9]{1,3}))?"
)


def _written_out(whole: str, decimals: str, exponent: str) -> str:
    """Digits alone, with the point where it belongs: 8E5 is 800000, and 8.50E0 is 8.5."""
    power = int(exponent or 0)
    integer = whole.replace(",", "")
    digits = integer + decimals.ljust(power, "0")
    point = len(integer) + power
    rest = digits[point:]
    if exponent:
        rest = rest.rstrip("0")
    if rest:
        return f"{digits[:point]}.{rest}"
    return digits[:point]
