"""What is secret, in one list, and the one place that hides it.

A key opens the account: nothing of it is ever shown. A token or the id of a source or stored card
can pay: its last four characters may be shown. Of a card number, the last four digits.

    keys      skey_… pkey_… ckey_… chain_…, plain or as HTTP Basic writes them (base64)
    tokens    tokn_… src_… card_…
    cards     batchpay.domain.cards

The id of an account chain begins with acch_ and is no secret; neither is that of a charge, customer
or recipient.
"""

from __future__ import annotations

import re

from batchpay.domain.cards import find, without_cards

# As a pattern that RE2 reads as well (readers/screen.py): what is surely a key, whatever stands
# around it.
KEY_PATTERN = (
    r"(?:\A|[^A-Za-z])[spc]key_(?:(?:test|live)_[0-9A-Za-z]|[0-9A-Za-z]{10})"
    r"|(?:\A|[^A-Za-z_]|[A-Z]_)chain_(?:test_|live_)?[0-9A-Za-z]{16}"
    r"|(?:c2tleV|cGtleV|Y2tleV)[0-9A-Za-z+/]{12}|Y2hhaW5f[0-9A-Za-z+/]{12}"
)
_KEY = re.compile(KEY_PATTERN)
# What may be a key, or the beginning of one: shown by its kind alone.
_ANY_KEY = re.compile(
    r"(?<![A-Za-z])([spc]key_)(?:(?:test|live)_)?(?!(?:test|live)_)[0-9A-Za-z][^\s\"'<>]*"
    r"|(?<![A-Za-z])(?<![a-z]_)(chain_)(?:(?:test_|live_)[0-9A-Za-z]{6}|[0-9A-Za-z]{16})[^\s\"'<>]*"
    r"|(?:c2tleV|cGtleV|Y2tleV|Y2hhaW5f)[\w+/=]*"
)
_INSIDE = r"[^\s\"'<>…]"
_TOKEN = re.compile(
    rf"(tokn_(?:test_|live_)?|(?:src|card)_(?:test|live)_)({_INSIDE}{{5,}}?)({_INSIDE}{{4}})(?!{_INSIDE})"
    r"|((?:src|card)_)([0-9a-z]{11,})([0-9a-z]{4})(?![0-9a-z])"
)
# with a letter that hardly anything else has: one letter is looked for in a hundredth of the time
_MARKS = (
    ("_", "key_"),
    ("_", "chain_"),
    ("V", "leV"),
    ("Y", "Y2hhaW5f"),
    ("_", "tokn_"),
    ("_", "src_"),
    ("_", "card_"),
)
_ALNUM = re.compile("[0-9A-Za-z]+")


def may_hold_more(text: str) -> bool:
    """Does it hold anything that a key or a token has? Asked of a whole column at once."""
    return any(letter in text and mark in text for letter, mark in _MARKS)


def masked(text: str, *, cards: bool = True) -> str:
    """A text without what may be a key, a token or a card number.

    `cards=False`: for a cell that was looked at when it was read, where `not_cards` may have had
    its word.

    >>> masked("skey_test_5xabc for tokn_test_5xuy4w91xqz7d1w9u0t with 4242 4242-42424242")
    'skey_*** for tokn_test_…9u0t with ************4242'
    """
    if may_hold_more(text):
        text = _TOKEN.sub(_last_four, _ANY_KEY.sub(_kind_alone, text))
    if cards:
        return without_cards(text)
    return text


def without_keys(text: str) -> str:
    """The text without what surely is a key; tokens and numbers stay."""
    if _KEY.search(text):
        return _ANY_KEY.sub(_kind_alone, text)
    return text


def scrubbed(text: str) -> str:
    """The text without what no cell may keep: keys and card numbers. Tokens stay, they are what a
    file is for.
    """
    return without_cards(without_keys(text))


def secret_in(text: str) -> str:
    """What kind of secret the text holds, in words; empty when none."""
    if _KEY.search(text):
        return "a key of the gateway"
    if "tokn_" in text and _TOKEN.search(text):
        return "a token that can pay"
    if next(find(text), None):
        return "a card number"
    return ""


def _kind_alone(match: re.Match[str]) -> str:
    return f"{match[1] or match[2] or ''}***"


def _last_four(match: re.Match[str]) -> str:
    kind = match[1] or match[4]
    middle = match[2] or match[5]
    last = match[3] or match[6]
    return f"{kind}{_ALNUM.sub('…', middle)}{last}"
