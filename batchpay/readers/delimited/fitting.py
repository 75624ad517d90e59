"""Which encoding a text could be in: proposed with what it then says, never taken.

Every encoding is tried on the beginning of the file. One in which all bytes are characters is no
proof: Thai bytes are Japanese syllables too. So the characters must be such as that writing has,
each where it may stand; who knows the language sees in the line that is shown whether it is right.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Sequence

from batchpay.domain.encodings import codec_name, wider

_TRIED = ("utf-8", "cp932", "cp874", "euc_jp", "gb18030", "cp949", "cp950", "cp1252")
_LEAST = 0.6  # of the characters beyond ASCII that must be credible
# Kana in EUC-JP begin with the bytes of ฅ, which nobody writes any more, or of ค, one in so many.
_LEADS = 4
_ALONE = 0.5  # less for a character that stands alone among ASCII letters
_BEFORE = 16  # characters of a line that are shown before what is telling
_THAI_MARKS = frozenset(
    map(chr, (0x0E31, *range(0x0E34, 0x0E3B), *range(0x0E47, 0x0E4F)))
)
# Letters of which Thai has one in a hundred; of the bytes of Japanese one in five are they.
_THAI_RARE = frozenset("ฃฅฆฌฎฏฐฑฒฬฮฯฤฦ๏๚๛")
_THAI_DIGITS = frozenset("๐๑๒๓๔๕๖๗๘๙")
_PUNCTUATION = frozenset("‘’“”–—…•€\xa0")


def fitting(data: bytes, stated: str, wanted: Collection[str]) -> str:
    """The encoding that these bytes, whole lines, are credible in; empty when none is."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    known = codec_name(stated)
    best = ""
    most = _LEAST
    for name in dict.fromkeys((wider(stated), *_TRIED)):
        if not name or codec_name(name) == known:
            continue
        credit = _credit(data, name, wanted)
        if name == wider(stated):
            credit *= 1.1
        if credit > most:
            best, most = name, credit
    return best


def _credit(data: bytes, name: str, wanted: Collection[str]) -> float:
    """How much of what is beyond ASCII is credible, 0 to 1; 1 more when the wanted names are
    there.
    """
    try:
        text = data.decode(name)
    except (UnicodeDecodeError, UnicodeError):
        return 0.0
    if any("\x80" <= character < "\xa0" for character in text):
        return 0.0
    foreign = [at for at, character in enumerate(text) if character > "\x7f"]
    if not foreign:
        return 0.0
    judge = _JUDGES[name]
    credit = 0.0
    for at in foreign:
        credit += judge(text, at) * (1 - _ALONE * _is_alone(text, at, name))
    credible = credit / len(foreign)
    is_kana = "ฅ" in text or text.count("ค") > len(foreign) // _LEADS
    if judge is _thai and is_kana:
        return 0.0
    names = [name for name in wanted if not name.isascii()]
    if names and all(name in text for name in names):
        return credible + 1
    return credible


def _is_alone(text: str, at: int, name: str) -> bool:
    """Is it the one character of another writing in a word of ASCII letters, as ä read as Thai?"""
    if name in ("utf-8", "cp1252"):
        return False
    beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    return beside.isascii() and any(map(str.isalpha, beside))


def _any(text: str, at: int) -> float:
    """UTF-8 proves itself: other bytes are hardly ever well-formed in it."""
    return 1.0


def _thai(text: str, at: int) -> float:
    character = text[at]
    if character in _PUNCTUATION:
        return 0.5
    if not "\u0e01" <= character <= "\u0e5b":
        return 0.0
    if character in _THAI_MARKS:
        return float(at > 0 and "\u0e01" <= text[at - 1] <= "\u0e5b")
    if character in _THAI_RARE:
        return 0.4
    if character in _THAI_DIGITS:  # not within a word
        before = text[at - 1 : at]
        return float(
            not before or before in _THAI_DIGITS or not "\u0e01" <= before <= "\u0e5b"
        )
    return 1.0


def _japanese(text: str, at: int) -> float:
    character = text[at]
    if "\u3000" <= character <= "\u30ff" or character == "\uffe5":  # ￥
        return 1.0
    if "\u4e00" <= character <= "\u9fff" or "\uff01" <= character <= "\uff60":
        return 0.9
    if "\uff61" <= character <= "\uff9f":
        # a file of half-width kana alone is one, and less credible than any other
        return 0.62
    return 0.8 * ("\u2010" <= character <= "\u33ff")


def _chinese(text: str, at: int) -> float:
    character = text[at]
    if "\u4e00" <= character <= "\u9fff":
        return 0.65  # almost any bytes are characters in it
    return 0.65 * (
        "\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff60"
    )


def _korean(text: str, at: int) -> float:
    if "\uac00" <= text[at] <= "\ud7a3":
        return 0.85
    return 0.5 * ("\u3000" <= text[at] <= "\u303f")


def _latin(text: str, at: int) -> float:
    """A letter with an accent stands among letters without."""
    character = text[at]
    around = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    if character == "’" and around.isascii() and around.isalpha():
        return 0.95  # Jane’s, of which cp932 makes a syllable
    if character in _PUNCTUATION:
        return 0.61  # alone it may be of any writing, in which it has the same byte
    beside = any(one.isascii() and one.isalpha() for one in around)
    if character == "°":  # N° 5
        return 0.7 * beside
    return 0.7 * (beside and character.isalpha())


_JUDGES: dict[str, Callable[[str, int], float]] = {
    "utf-8": _any,
    "cp932": _japanese,
    "euc_jp": _japanese,
    "cp874": _thai,
    "gb18030": _chinese,
    "cp950": _chinese,
    "cp949": _korean,
    "cp1252": _latin,
}


def telling_line(lines: Sequence[str]) -> tuple[int, str]:
    """Number, from 1, and text of the first line that says something beyond ASCII."""
    for number, line in enumerate(lines, 1):
        if not line.isascii():
            return number, excerpt(line)
    return 1, lines[0] if lines else ""


def excerpt(line: str) -> str:
    """A line from shortly before its first character beyond ASCII on."""
    first = next((at for at, character in enumerate(line) if character > "\x7f"), 0)
    start = max(0, first - _BEFORE)
    if start:
        return f"…{line[start:]}"
    return line
