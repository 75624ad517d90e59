"""Texts that look alike and are not the same: what the eye does not see between them.

>>> [str(one) for one in differences("Silom\\xa0Silk", "Silom Silk")]
['another kind of blank']
>>> [str(one) for one in differences("Amount\\n(THB)", "Amount (THB)")]
['a line break in place of a blank']
>>> [str(one) for one in differences("\\u6ce8\\u6587\\n\\u756a", "\\u6ce8\\u6587\\u756a")]
['a line break inside it']
>>> [str(one) for one in differences("\\u0e19\\u0e4d\\u0e32", "\\u0e19\\u0e33")]
['the vowel ำ as two characters or as one']
>>> looks("\\u0e19\\u0e4d\\u0e49\\u0e32") == looks("\\u0e19\\u0e49\\u0e33")
True
>>> [str(one) for one in differences("\u0e51\u0e57", "17")]
['the digits of another script']
>>> looks("Silom\\u200b  SILK ") == looks("silom silk")
True
>>> drawn("A\\u2013O1") == drawn("\\u0410-01"), drawn("A-10") == drawn("A-1")
(True, False)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from difflib import SequenceMatcher

from batchpay.domain.text import folded, in_ascii_digits
from batchpay.messages import headers
from batchpay.messages.message import Message

# Letters of other alphabets that are drawn as Latin ones, and letters that are drawn as digits.
_DRAWN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХасеіјорухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοOIl",
    "ABES1JKMH0PCTYXaceijopyxABEZH1KMN0PTYXo011",
)
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u30fc-]+")
_QUOTES = re.compile("[\u2018\u2019\u201b\u02bc\u2032`\xb4]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_UNSEEN = re.compile(
    "[\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0f]"
)
_CIRCLE_FIRST = re.compile("(\u0e4d)([\u0e48-\u0e4b])")
_BLANK = re.compile(r"[^\S\r\n]")
_BREAK = re.compile(r"[^\S\r\n]*[\r\n]+\s*")
_BLANKS = re.compile(r"\s+")


def looks(text: str) -> str:
    """A text without differences of case, width, digits, composition and blanks, and of what leaves
    no mark.
    """
    return "".join(_toned(folded(_UNSEEN.sub("", text))).split())


def drawn(text: str) -> str:
    """A text as it stands on paper: without differences of dashes, quotes and accents, of letters
    that other alphabets or digits are drawn like, and of what `looks` passes over.
    """
    if text.isascii():
        plain = text
    else:
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return looks(_QUOTES.sub("'", _DASHES.sub("-", plain.translate(_DRAWN))))


def differences(one: str, other: str) -> tuple[Message, ...]:
    """What keeps two texts that look alike from being the same."""
    found = []
    for entry, without in _KINDS:
        if one == other:
            break
        plain = (without(one), without(other))
        if _likeness(*plain) > _likeness(one, other):
            found.append(entry())
            one, other = plain
    if one != other:
        found.append(headers.DIFFERS_OTHERWISE())
    return tuple(found)


def _likeness(one: str, other: str) -> int:
    """In thousandths; more than all when they are the same."""
    if one == other:
        return 2000
    return round(1000 * SequenceMatcher(None, one, other, autojunk=False).ratio())


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _sara_am(text: str) -> str:
    return _toned(text).replace("\u0e4d\u0e32", "\u0e33")


def _toned(text: str) -> str:
    """Thai with its tone marks before the circle of ำ, where keyboards that write ำ put them."""
    return _CIRCLE_FIRST.sub(r"\2\1", text)


_KINDS: tuple[tuple[Callable[[], Message], Callable[[str], str]], ...] = (
    (headers.DIFFERS_UNSEEN, lambda text: _UNSEEN.sub("", text)),
    (headers.DIFFERS_VOWEL, _sara_am),
    (headers.DIFFERS_COMPOSED, _composed),
    (headers.DIFFERS_BREAK, lambda text: _BREAK.sub(" ", text)),
    (headers.DIFFERS_BROKEN, lambda text: _BREAK.sub("", text)),
    (headers.DIFFERS_BLANK_KIND, lambda text: _BLANK.sub(" ", text)),
    (headers.DIFFERS_ENDS, str.strip),
    (headers.DIFFERS_WIDTH, _narrow),
    (headers.DIFFERS_DIGITS, in_ascii_digits),
    (headers.DIFFERS_BLANKS, lambda text: _BLANKS.sub("", text)),
    (headers.DIFFERS_CASE, str.casefold),
)
