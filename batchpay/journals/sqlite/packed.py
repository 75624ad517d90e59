"""PACKED: what an event keeps, in a third of its room, once its batch was archived.

The column `data` of a packed event holds `{"packed":"…","as":17,…}` in place of its text. The text
is what zlib (raw deflate) makes of `packed` (base 85), with two texts as its dictionary, one behind
the other: that of event 17, which is never packed itself, and what stands behind `packed` here. The
rest is what queries ask of an event (events.ASKED_IN_QUERIES), as it stands in the text: they read
it as before. Everybody else reads WHOLE. The chain is made over the whole text, so that a bit that
flips in a packed event is a bit that flips in an event.
"""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from batchpay.domain.events import ASKED_IN_QUERIES
from batchpay.journals.sqlite.stencils import DATA, read_by

BEGINS = '{"packed":"'
# a column of a query: the text of an event, whether it is packed or not
WHOLE = (
    f"CASE WHEN substr(data, 1, {len(BEGINS)}) = '{BEGINS}' THEN whole(data)"
    f" ELSE {DATA} END"
)
_FORM = re.compile(r'\{"packed":"([^"\\]*)"(,"as":([0-9]+)[,}].*)', re.DOTALL)
_RAW = -zlib.MAX_WBITS
_LEVEL = 9
_KEPT = 64  # texts of events that others are packed like
_WRITE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ESCAPE = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def teach(connection: sqlite3.Connection) -> None:
    """What WHOLE asks a connection for."""

    @lru_cache(_KEPT)
    def text_of(seq: int) -> str:
        row = connection.execute(
            "SELECT data FROM events WHERE seq = ?", (seq,)
        ).fetchone()
        if row is None or not isinstance(row[0], str):
            raise LookupError(f"event {seq}")
        return row[0]

    def whole(data: str) -> str:
        """What cannot be unpacked stays as it is: it does not fit the chain."""
        try:
            form = _FORM.fullmatch(data)
            if form is None:
                return data
            return _unpacked(form[1], text_of(int(form[3])), form[2])
        except (LookupError, ValueError, zlib.error, sqlite3.Error):
            return data

    read_by(connection)
    connection.create_function("whole", 1, whole, deterministic=True)


def packed(text: str, seq: int, like: str) -> str:
    """The text of an event as it is packed like that of the event `seq`."""
    asked = _asked_of(json.loads(text))
    rest = _WRITE(asked).removeprefix("{")
    if not is_storable(rest):
        rest = _ESCAPE(asked).removeprefix("{")
    if rest != "}":
        rest = f",{rest}"
    behind = f',"as":{seq:d}{rest}'
    press = zlib.compressobj(
        _LEVEL, zlib.DEFLATED, _RAW, zdict=_dictionary(like, behind)
    )
    pressed = press.compress(text.encode()) + press.flush()
    return f'{BEGINS}{base64.b85encode(pressed).decode()}"{behind}'


def is_storable(text: str) -> bool:
    """Can SQLite hold it?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unpacked(pressed: str, like: str, behind: str) -> str:
    release = zlib.decompressobj(_RAW, zdict=_dictionary(like, behind))
    text = release.decompress(base64.b85decode(pressed)) + release.flush()
    if not release.eof or release.unused_data:
        raise ValueError("packed text that does not end where it should")
    return text.decode()


def _dictionary(like: str, behind: str) -> bytes:
    return (like + behind).encode()


def _asked_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What queries ask of an event, at its place; nothing of what is not there."""
    found: dict[str, Any] = {}
    for path in ASKED_IN_QUERIES:
        _, *names = path.split(".")
        _copy(data, found, names)
    return found


def _copy(data: Mapping[str, Any], into: dict[str, Any], names: Iterable[str]) -> None:
    first, *rest = names
    if first not in data:
        return
    if not rest:
        into[first] = data[first]
    elif isinstance(data[first], dict):
        _copy(data[first], into.setdefault(first, {}), rest)
