"""A cell's text as a message may show it: short, with nothing in it that cannot be seen.

>>> shown("A\\u200b1\\x00")
'A\\\\u200b1\\\\x00'
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(text: str, limit: int = 60) -> str:
    """At most `limit` characters of the text; control, invisible and bidirectional characters as escapes."""
    kept, dots = (text[: limit - 1], "…") if len(text) > limit else (text, "")
    if not (kept.isascii() and kept.isprintable()):
        kept = "".join(
            _escape(ch) if unicodedata.category(ch) in _INVISIBLE or ch in "\xa0\xad\u3000" else ch for ch in kept
        )
    return kept + dots


def masked(text: str) -> str:
    """A text from outside, without what may be a key (plain or in base64), a token or a card number.

    >>> masked("skey_test_5x1 for tokn_test_9 with 4242 4242-42424242")
    'skey_*** for tokn_*** with ***'
    """
    text = re.sub(r"\b([psc]key|tokn)_\w+", r"\1_***", text)
    text = re.sub(r"\bc[2G]tleV[\w+/=]*", "***", text)  # base64 of skey_ and pkey_
    return re.sub(r"\d(?:[ -]?\d){11,}", "***", text)


def _escape(ch: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(ch) or (
        f"\\x{ord(ch):02x}" if ord(ch) < 256 else f"\\u{ord(ch):04x}" if ord(ch) < 65536 else f"\\U{ord(ch):08x}"
    )
