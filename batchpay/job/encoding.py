"""ENCODING: is it the name of a text encoding, and which one may be meant?"""

from __future__ import annotations

from batchpay.domain.encodings import codec_name, meant

_NO_ENCODINGS = {
    "utf-7",
    "idna",
    "punycode",
    "unicode_escape",
    "unicode-escape",
    "raw_unicode_escape",
    "raw-unicode-escape",
}


def is_text_encoding(name: str) -> bool:
    """Does it turn bytes into text and back?"""
    codec = codec_name(name)
    try:
        keeps_text = "a".encode(codec).decode(codec) == "a"
        return keeps_text and codec not in _NO_ENCODINGS
    except (LookupError, ValueError, TypeError):
        return False


def no_encoding(name: str) -> str:
    """What an encoding has against it, with what may be meant."""
    if near := meant(name):
        return f"{name!r} is no text encoding; did you mean {' or '.join(near)}?"
    return f"{name!r} is no text encoding; utf-8, cp932, cp874 or utf-16, say"
