"""Names of text encodings: those that IANA and other programs know, and the one that Python reads.

>>> codec_name("windows-31j"), codec_name("Windows-874"), codec_name("ansi")
('cp932', 'cp874', '')
>>> wider("shift_jis"), wider("tis-620"), wider("utf-8")
('cp932', 'cp874', '')
>>> meant("thai"), meant("ANSI"), meant("cp93")
(('cp874',), ('cp874', 'cp932'), ('cp932',))
"""

from __future__ import annotations

import codecs
import difflib

# Python's names of encodings that are told; each reads what its country's Windows writes
TOLD = (
    "utf-8",
    "utf-16",
    "cp932",
    "cp874",
    "euc_jp",
    "cp949",
    "gb18030",
    "cp950",
    "cp1252",
)
# IANA's, Java's, PHP's and .NET's names that Python does not know, in lower case
_ALSO = {
    "windows-31j": "cp932",
    "cswindows31j": "cp932",
    "windows-932": "cp932",
    "x-sjis": "cp932",
    "x-ms-cp932": "cp932",
    "sjis-win": "cp932",
    "windows-874": "cp874",
    "x-windows-874": "cp874",
    "cswindows874": "cp874",
    "dos-874": "cp874",
    "ms874": "cp874",
    "windows-936": "gbk",
    "windows-949": "cp949",
    "windows-950": "cp950",
    "x-windows-949": "cp949",
    "x-windows-950": "cp950",
    "iso-10646-ucs-2": "utf-16",
    "unicode": "utf-16",
    "csunicode": "utf-16",
    "eucjp-win": "euc_jp",
    "utf8-bom": "utf-8",
    "utf-8-bom": "utf-8",
    "utf-8 bom": "utf-8",
    "utf-8 with bom": "utf-8",
}
# what a standard left out and Windows writes all the same
_WIDER = {
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "big5": "cp950",
    "ascii": "utf-8",
}
# words that are no encoding, and what people mean by them
_MEANT = {
    "thai": ("cp874",),
    "japanese": ("cp932",),
    "ansi": ("cp874", "cp932"),
    "korean": ("cp949",),
    "chinese": ("gb18030", "cp950"),
    "excel": ("utf-8", "cp874", "cp932"),
    "windows": ("cp874", "cp932"),
    "sjis": ("cp932",),
}


def codec_name(name: str) -> str:
    """Python's own name of an encoding; empty for what is none."""
    plain = name.strip().lower()
    plain = _ALSO.get(plain.replace("_", "-"), plain)
    if plain.replace("_", "-") in ("utf-8-sig", "utf8-sig"):
        plain = "utf-8"
    try:
        codec = codecs.lookup(plain)
        "".encode(plain)  # refuses codecs that do not make text of bytes
    except (LookupError, ValueError, TypeError):
        return ""
    return codec.name


def wider(name: str) -> str:
    """The encoding that Windows writes where a standard's name is said; empty without one."""
    return _WIDER.get(codec_name(name), "")


def meant(word: str) -> tuple[str, ...]:
    """The encodings that somebody may mean by what is none."""
    plain = word.strip().lower()
    if plain in _MEANT:
        return _MEANT[plain]
    return tuple(difflib.get_close_matches(plain, (*TOLD, *_ALSO), n=2)[:1])
