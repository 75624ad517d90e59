"""Finding payment card numbers in free text, so that they reach no journal, report or log.

A card number is 13 to 19 digits of any script in a range that a card scheme issues, of a length
that it issues there, with a right check digit. Whatever stands between the digits, up to three
characters at a time, it is one

    in one piece            4242424242424242
    cut as cards are        4242.4242.4242.4242   3782 822463 10005   4242x4242x4242x4242
    cut in any other way    424242-4242424242     when every cut is alike, and other numbers are cut
      off otherwise

Not one: digits that are part of a word or a UUID (ids and tokens), unless they are cut as on the
card, or a word says that a card follows; a moment in time; 13 digits that are a valid EAN or Thai
tax id (the 13-digit cards are long gone, so everything else of that form is still taken for one);
thousands set apart in a sum; a list of numbers that count up; two telephone numbers.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

Span = tuple[int, int]

_CHAIN = re.compile(r"\d+(?:\D{1,3}\d+)+|\d{13,}")
_GROUP = re.compile(r"\d+")
_UUID = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_BLANK = re.compile(
    "[\\s\\-\x1c-\x1f\xad\u180e\u200b-\u200f\u2010-\u2015\u2060\u2212\ufe58\ufe63\ufeff\uff0d]"
)
_LETTERS = re.compile(r"[A-Za-z]")
_WORD_BEFORE = re.compile(r"[A-Za-z_]+\Z")
_WORD_AFTER = re.compile(r"_*([A-Za-z]+)")
# words that may touch a card number without making an id of it
_ANNOUNCING = re.compile(
    r"acct|amex|card(?:no|num)?|cc|ccn|ccnum|credit(?:card)?|cvc|cvv|debit|diners|discover|exp|expiry|jcb|master(?:card)?"
    r"|mc|no|nr|num|number|pan|unionpay|valid|visa"
)
# the same, a few marks before it; what only says that a number follows may mean any number
_ANNOUNCED = re.compile(
    r"(?<![A-Za-z])(?:amex|card(?:no|num|number)?|cc|ccn|ccnum|credit(?:card)?|debit(?:card)?|diners|discover|jcb"
    r"|master(?:card)?|pan|unionpay|visa)(?:[\W_]{1,3}(?:no|nr|num|number))?[\W_]{1,3}\Z",
    re.IGNORECASE,
)
_LONGEST_WORDS = 40  # in characters: what an announcement takes at most
_SCHEMES = (
    (re.compile(r"4"), {13, 16, 18, 19}),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),  # Mastercard
    (re.compile(r"3[47]"), {15}),  # American Express
    (re.compile(r"352[89]|35[3-8]"), {16, 17, 18, 19}),  # JCB
    (re.compile(r"6011|65|64[4-9]"), {16, 17, 18, 19}),  # Discover
    (re.compile(r"30[0-5]|36|3[89]"), {14, 15, 16, 17, 18, 19}),  # Diners Club
    (re.compile(r"62|81"), {16, 17, 18, 19}),  # UnionPay
)
_ON_THE_CARD = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3))
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20|24|25|26)\d\d"
_TIME = r"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d\d*"
_MOMENT = re.compile(
    rf"{_YEAR}(?:0[1-9]|1[0-2]){_DAY}{_TIME}|{_DAY}(?:0[1-9]|1[0-2]){_YEAR}{_TIME}"
)
_LISTS = frozenset(",;|")  # what stands between the numbers of a list
_THOUSANDS = frozenset({",", ".", "'", "’"})
_NEAR = 100  # two numbers that are less apart and grow were counted, not issued


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of every card number in the text, from left to right, none inside
    another.
    """
    if text.count("-") >= 4:
        text = _UUID.sub(lambda uuid: "u" * len(uuid[0]), text)
    for chain in _CHAIN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *chain.span())]
        yield from _among(text, groups)


def without_cards(text: str) -> str:
    """The text with every card number reduced to its last four digits.

    Looked at again until none is left: what stood beside one may be one by itself.

    >>> without_cards("paid with 4242.4242.4242.4242")
    'paid with ************4242'
    """
    while found := list(find(text)):
        for start, end, digits in reversed(found):
            text = f"{text[:start]}{'*' * (len(digits) - 4)}{digits[-4:]}{text[end:]}"
    return text


def is_card(digits: str) -> bool:
    """Is this string of ASCII digits a card number?"""
    issued = any(
        len(digits) in lengths and prefix.match(digits) for prefix, lengths in _SCHEMES
    )
    if not issued or not _luhn(digits) or _MOMENT.fullmatch(digits):
        return False
    return len(digits) != 13 or not (_is_ean(digits) or _is_thai_id(digits))


# --- how its digits may stand


def _among(text: str, groups: Sequence[Span]) -> Iterator[tuple[int, int, str]]:
    """Card numbers made of neighbouring groups of digits; the longest first, as it hides the
    most.
    """
    first = 0
    while first < len(groups):
        for last in range(min(len(groups), first + 19), first, -1):
            parts = groups[first:last]
            if not 13 <= sum(end - start for start, end in parts) <= 19:
                continue
            digits = "".join(_ascii(text[start:end]) for start, end in parts)
            if is_card(digits) and _stands_so(
                text, parts, _beside(text, groups, first, last)
            ):
                yield parts[0][0], parts[-1][1], digits
                first = last - 1
                break
        first += 1


def _beside(
    text: str, groups: Sequence[Span], first: int, last: int
) -> tuple[Sequence[Span], Sequence[Span]]:
    """The numbers next to these groups; the end of a word is none."""
    before, after = groups[first - 1 : first], groups[last : last + 1]
    if first == 1 and _in_a_word(text, groups[0][0], before=True):
        before = []
    if last == len(groups) - 1 and _in_a_word(text, groups[-1][1], before=False):
        after = []
    return before, after


def _stands_so(
    text: str, parts: Sequence[Span], around: tuple[Sequence[Span], Sequence[Span]]
) -> bool:
    """Are these groups of digits cut and surrounded as a card number may be? `around`: the groups
    next to them.
    """
    start, end = parts[0][0], parts[-1][1]
    between = [text[left[1] : right[0]] for left, right in itertools.pairwise(parts)]
    touched = _in_a_word(text, start, before=True) or _in_a_word(
        text, end, before=False
    )
    if touched and not (_is_announced(text, start) or _as_on_the_card(parts, between)):
        return False
    if len(parts) == 1:
        return True
    if _counts_up(text, parts):
        return False
    if any(map(_LETTERS.search, between)) and _WORD_BEFORE.search(
        text[max(0, start - 1) : start]
    ):
        return False  # letters in front as well: a piece of an id
    outside = [text[one[1] : parts[0][0]] for one in around[0]] + [
        text[parts[-1][1] : one[0]] for one in around[1]
    ]
    alone = not outside or (len(set(between)) == 1 and between[0] not in outside)
    cuts = list(map(_cut, between))
    sizes = [end - start for start, end in parts]
    if _printed(sizes):
        return _fits_printed(cuts, alone=alone)
    return alone and len(set(cuts)) == 1 and _fits_any(text, start, sizes, cuts[0])


def _as_on_the_card(parts: Sequence[Span], between: Sequence[str]) -> bool:
    """Printed groups with one mark between all of them: a card number whatever touches it."""
    sizes = tuple(end - start for start, end in parts)
    return (
        sizes in _ON_THE_CARD
        and len(set(between)) == 1
        and not _LETTERS.search(between[0])
    )


def _is_announced(text: str, start: int) -> bool:
    """Does a word a few marks before say that a card follows, as `card:` does?"""
    return bool(_ANNOUNCED.search(text[max(0, start - _LONGEST_WORDS) : start]))


def _printed(sizes: Sequence[int]) -> bool:
    """As on the card: 4-4-4-4, 4-6-5, 4-6-4, 4-4-4-4-3."""
    return sizes[0] == 4 and set(sizes[1:-1]) <= {4, 6} and sizes[-1] <= 7


def _fits_printed(cuts: Sequence[str], *, alone: bool) -> bool:
    """Cut alike, or in any way when no other number is near; `5123 4567 / 6123 4567` are two
    telephone numbers.
    """
    if len(set(cuts)) > 1:
        return alone and not (len(cuts) == 3 and cuts[0] == cuts[2])
    return alone or not _LISTS.intersection(cuts[0])


def _fits_any(text: str, start: int, sizes: Sequence[int], cut: str) -> bool:
    """Every cut alike: no list, no sum, no pair of telephone numbers, no piece of an id."""
    if len(set(cut)) > 1 or cut.isalpha() or _LISTS.intersection(cut):
        return False
    if cut in _THOUSANDS and set(sizes[1:]) == {3}:
        return False
    half = len(sizes) // 2
    if len(set(sizes)) > 1 and sizes[:half] == sizes[half:]:
        return False
    # a separator may follow a first digit
    first = text[start : start + min(2, sizes[0])]
    return _ascii(first) not in ("62", "81")


def _cut(between: str) -> str:
    """What stands between two groups: nothing when only blanks, dashes and line ends do, `a` for
    any letters.
    """
    marks = _BLANK.sub("", between)
    if marks.isalpha():
        return "a"
    return marks


def _counts_up(text: str, parts: Sequence[Span]) -> bool:
    """`4001 4002 4003 4004`: numbers of one length, each a little more than the one before."""
    if len({end - start for start, end in parts}) > 1:
        return False
    numbers = [int(text[start:end]) for start, end in parts]
    return all(
        0 < after - before < _NEAR for before, after in itertools.pairwise(numbers)
    )


def _in_a_word(text: str, at: int, *, before: bool) -> bool:
    """Do letters touch what begins or ends here, as in an id or a token?"""
    if before:
        found = _WORD_BEFORE.search(text[max(0, at - 20) : at])
    else:
        found = _WORD_AFTER.match(text, at)
    if found:
        word = found[0].strip("_").lower()
    else:
        word = ""
    return bool(word) and not _ANNOUNCING.fullmatch(word)


# --- what its digits are


def _ascii(digits: str) -> str:
    if digits.isascii():
        return digits
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _luhn(digits: str) -> bool:
    odd = digits[-1::-2]
    even = digits[-2::-2]
    return (
        sum(map(int, odd)) + sum(sum(divmod(2 * int(digit), 10)) for digit in even)
    ) % 10 == 0


def _is_ean(digits: str) -> bool:
    return (
        sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10
        == 0
    )


def _is_thai_id(digits: str) -> bool:
    """Tax and citizen ids of Thailand: 13 digits, the last checks the others modulo 11."""
    total = sum(int(digit) * (13 - at) for at, digit in enumerate(digits[:12]))
    return (11 - total % 11) % 10 == int(digits[12])
