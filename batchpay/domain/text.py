r"""How text that somebody else wrote is shown: a file, a header, the gateway, a person, a name on
the disk.

Everything that is printed, or written where a person reads it, comes through here.

    visible     one line; what would move the cursor, turn the writing round or leave no mark
                stands as an escape
    told        a piece of it inside a message: visible, odd blanks too, secrets masked, short
    line        a whole sentence: visible, secrets masked
    short_cell  a cell that every spreadsheet program can hold
    defused     a cell that no spreadsheet takes for a formula
    json_text   a document: JSON of the same meaning, in which nothing is invisible

>>> visible("A\x1b[31m1\n2")
'A\\x1b[31m1\\n2'
>>> told("A\u200b1\xa0for tokn_test_5xuy4w91xqz7d1w9u0t")
'A\\u200b1\\xa0for tokn_test_…9u0t'
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

# Control and line-ending characters, half characters, bidirectional marks, and what leaves no mark
# on paper.
_UNSEEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Joiners belong to the writing between two letters, or faces, beyond ASCII; elsewhere they only
# hide.
_JOINERS = "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
_HIDDEN = re.compile(f"[{_UNSEEN}]|{_JOINERS}")
_ODD = re.compile(f"[{_UNSEEN}\xa0\u1680\u2000-\u200d\u202f\u205f\u3000\ufe00-\ufe0f]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ENOUGH = 200  # characters that are enough to mask whatever stands among the first 60
# characters; a spreadsheet program holds 32,767, an apostrophe may be added
LONGEST_CELL = 32_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def visible(text: str) -> str:
    """The text as one line in which nothing acts on who shows it, or hides. Doing it again changes
    nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_escape, text)


def told(text: str, limit: int = 60) -> str:
    """At most `limit` characters of a text, masked, every odd character as an escape."""
    from batchpay.domain.secrets import masked  # help masks nothing

    some = text[: max(_ENOUGH, 2 * limit)]
    kept = masked(some)
    if len(kept) <= limit and len(some) == len(text):
        return _ODD.sub(_escape, kept)
    return f"{_ODD.sub(_escape, kept[: limit - 1])}…"


def line(text: str) -> str:
    """A whole sentence as it may be printed: visible, and no secret in it."""
    from batchpay.domain.secrets import masked

    return visible(masked(text))


def short_cell(text: str) -> str:
    """At most LONGEST_CELL characters of a text, the last of them an ellipsis where there are
    more.
    """
    if len(text) <= LONGEST_CELL:
        return text
    return f"{text[: LONGEST_CELL - 1]}…"


def folded(text: str) -> str:
    """The text without differences of case, width, a script's digits and ways to write a minus, to
    be compared.
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    return in_ascii_digits(plain)


def in_ascii_digits(text: str) -> str:
    """The text with the digits of every script, and the signs within Arabic numbers, as ASCII has
    them.

    >>> in_ascii_digits("A-๑๐๐๑"), in_ascii_digits("١٬٠٠١٫٥"), in_ascii_digits("१००१²")
    ('A-1001', '1,001.5', '1001²')
    """
    if text.isascii():
        return text
    return _OTHER_DIGIT.sub(_in_ascii, text)


_OTHER_DIGIT = re.compile("[^\\D0-9]|[\u066b\u066c]")
_ARABIC_SIGNS = {"\u066b": ".", "\u066c": ","}


def _in_ascii(found: re.Match[str]) -> str:
    return _ARABIC_SIGNS.get(found[0]) or str(unicodedata.decimal(found[0]))


def mode_told(mode: str) -> str:
    """A gateway's mode as people and programs read it: what is no money stands large.

    >>> mode_told("test"), mode_told("live")
    ('TEST', 'live')
    """
    if mode == "test":
        return "TEST"
    return mode


def defused(text: str) -> str:
    """A text no spreadsheet takes for a formula: with an apostrophe in front when it could; a lone
    dash cannot.
    """
    if text.startswith(FORMULA_STARTS) and text != "-":
        return f"'{text}"
    return text


def json_text(document: Any, indent: int | None = 2) -> str:
    """JSON in which what cannot be seen is spelled out; programs read the same from it."""
    return _HIDDEN.sub(
        _json_escape, json.dumps(document, ensure_ascii=False, indent=indent)
    )


def many(number: int, word: str) -> str:
    """`1 row`, `2 rows`, `1,200 rows`."""
    if number == 1:
        return f"{number:,} {word}"
    return f"{number:,} {word}s"


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    if number < 0x100:
        return f"\\x{number:02x}"
    if number < 0x10000:
        return f"\\u{number:04x}"
    return f"\\U{number:08x}"


def _json_escape(match: re.Match[str]) -> str:
    if match[0] == "\n":
        # between the lines of the document: inside its texts json.dumps has escaped them
        return "\n"
    return json.dumps(match[0])[1:-1]
