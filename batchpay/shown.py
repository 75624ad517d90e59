"""A cell's text as a message may show it: short, with nothing in it that cannot be seen.

>>> shown("A\\u200b1\\x00")
'A\\\\u200b1\\\\x00'
"""

from __future__ import annotations

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


def _escape(ch: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(ch) or (
        f"\\x{ord(ch):02x}" if ord(ch) < 256 else f"\\u{ord(ch):04x}" if ord(ch) < 65536 else f"\\U{ord(ch):08x}"
    )
