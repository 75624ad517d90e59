"""Journals as earlier versions of batchpay wrote them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from batchpay.domain.model import Event
from batchpay.journals.sqlite.soundness import GENESIS, chained

SCHEMA_1 = Path(__file__).with_name("journal-1.sql").read_text("utf-8")
ID = "0123456789abcdef0123456789abcdef"
_NO_MONEY = frozenset({"declined", "expired", "reversed", "refused"})
_DATA = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

Open = dict[tuple[str, str], tuple[int, str]]


class Refused(Exception):
    """Version 1 would not have written this."""


def rule_1(now: Open, job: str, event: Event) -> None:
    """Open attempts as version 1 kept them. Raises Refused."""
    key, state = (job, event.order_id), event.data.get("state")
    number, was = now.get(key, (0, ""))
    if event.data.get("beside"):
        if state not in _NO_MONEY:
            now[key] = number or event.attempt, "beside"
        return
    if event.kind in ("intent", "adopted"):
        first = event.kind == "adopted" or event.send == 1
        if (first and was) or (not first and (number, was) != (event.attempt, "held")):
            raise Refused
        number, was = event.attempt, "in_doubt"
        now[key] = number, was
    if state is None or number != event.attempt or was == "beside":
        return
    if state in _NO_MONEY:
        now.pop(key, None)
    elif was:
        now[key] = number, str(state)


def journal_1(path: Path, events: Iterable[tuple[str, Event]]) -> Path:
    """A file as version 1 left it, of (job, event). Raises Refused, or sqlite3.IntegrityError for a
    second send.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA_1)
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("schema_version", "1"), ("journal_id", ID)],
        )
        digest, still_open = GENESIS, Open()
        for seq, (job, event) in enumerate(events, start=1):
            line = [
                seq,
                job,
                event.kind,
                event.at_ns,
                event.run_id,
                event.batch_id,
                event.sheet,
                event.row,
                event.order_id,
                event.attempt,
                event.send,
                _DATA.encode(event.data),
            ]
            digest = chained(digest, line)
            connection.execute(
                f"INSERT INTO events VALUES ({','.join('?' * 13)})", [*line, digest]
            )
            if event.order_id:
                rule_1(still_open, job, event)
        rows = [(*key, *value) for key, value in still_open.items()]
        connection.executemany("INSERT INTO open_attempts VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return path
