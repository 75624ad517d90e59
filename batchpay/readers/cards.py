"""Finding payment card numbers in free text, so that they reach no journal, report or log.

A card number is 13 to 19 digits of any script, perhaps with blanks or dashes between, in a range that a card scheme
issues, of a length that it issues there, with a right check digit. Not one: digits that touch a Latin letter,
an underscore or more digits (ids and tokens), and 13 digits that are a valid EAN or Thai tax id (the 13-digit cards are
long gone, so everything else of that form is still taken for one).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from batchpay.shown import shown

FOREIGN_BETWEEN = (  # blanks, dashes and invisible characters that are not ASCII, as ranges
    (0xA0, 0xA0), (0xAD, 0xAD), (0x1680, 0x1680), (0x2000, 0x200D), (0x2010, 0x2015), (0x202F, 0x202F),
    (0x205F, 0x2060), (0x2212, 0x2212), (0x3000, 0x3000), (0xFE58, 0xFE58), (0xFE63, 0xFE63), (0xFEFF, 0xFEFF),
    (0xFF0D, 0xFF0D),
)  # fmt: skip
_BETWEEN = "".join(f"{chr(first)}-{chr(last)}" for first, last in FOREIGN_BETWEEN) + " \t\\-"
_SHOWN = 200  # characters that are enough to mask whatever stands among the first 60
_RUN = re.compile(rf"\d(?:[{_BETWEEN}]{{0,3}}\d){{12,}}")
_GROUP = re.compile(r"\d+")
_TOUCHES = re.compile(r"[A-Za-z_]")
_SCHEMES = (
    (re.compile(r"4"), {13, 16, 18, 19}),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),  # Mastercard
    (re.compile(r"3[47]"), {15}),  # American Express
    (re.compile(r"352[89]|35[3-8]"), {16, 17, 18, 19}),  # JCB
    (re.compile(r"6011|65|64[4-9]"), {16, 17, 18, 19}),  # Discover
    (re.compile(r"30[0-5]|36|3[89]"), {14, 15, 16, 17, 18, 19}),  # Diners Club
    (re.compile(r"62|81"), {16, 17, 18, 19}),  # UnionPay
)


def masked(text: str) -> str:
    """The text with every card number reduced to its last four digits.

    Looked at again until none is left: what stood beside one may be one by itself.
    """
    while found := list(find(text)):
        for start, end, digits in reversed(found):
            text = f"{text[:start]}{'*' * (len(digits) - 4)}{digits[-4:]}{text[end:]}"
    return text


def told(text: str) -> str:
    """A cell as a message may show it: masked, short, nothing invisible."""
    return shown(masked(text[:_SHOWN]))


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of every card number in the text, from left to right, none inside another."""
    for run in _RUN.finditer(text):
        groups = [(group.start(), group.end()) for group in _GROUP.finditer(text, run.start(), run.end())]
        if _TOUCHES.match(text, run.end()):
            groups.pop()
        if run.start() and _TOUCHES.match(text, run.start() - 1):
            groups = groups[1:]
        yield from _among(text, groups)


def _among(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Card numbers made of neighbouring groups of digits; the longest first, as it hides the most."""
    first = 0
    while first < len(groups):
        for last in range(min(len(groups), first + 19), first, -1):
            parts = groups[first:last]
            if 13 <= sum(end - start for start, end in parts) <= 19 and _could_be_one(parts, len(groups)):
                digits = "".join(_ascii(text[start:end]) for start, end in parts)
                if is_card(digits):
                    yield parts[0][0], parts[-1][1], digits
                    first = last - 1
                    break
        first += 1


def _could_be_one(parts: list[tuple[int, int]], all_groups: int) -> bool:
    """Groups that stand alone may be cut in any way; beside others only as cards are printed: 4-4-4-4, 4-6-5."""
    sizes = [end - start for start, end in parts]
    return len(sizes) in (1, all_groups) or (sizes[0] == 4 and set(sizes[1:-1]) <= {4, 6} and sizes[-1] <= 7)


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)


def is_card(digits: str) -> bool:
    """Is this string of ASCII digits a card number?"""
    issued = any(len(digits) in lengths and prefix.match(digits) for prefix, lengths in _SCHEMES)
    if not issued or not _luhn(digits):
        return False
    return len(digits) != 13 or not (_is_ean(digits) or _is_thai_id(digits))


def _luhn(digits: str) -> bool:
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(sum(divmod(2 * int(digit), 10)) for digit in even)) % 10 == 0


def _is_ean(digits: str) -> bool:
    return sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10 == 0


def _is_thai_id(digits: str) -> bool:
    """Tax and citizen ids of Thailand: 13 digits, the last checks the others modulo 11."""
    total = sum(int(digit) * (13 - at) for at, digit in enumerate(digits[:12]))
    return (11 - total % 11) % 10 == int(digits[12])
