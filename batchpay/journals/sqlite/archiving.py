"""ARCHIVING: what of a finished batch goes into its archive, and how its events are kept from then
on: packed, each as it was (packed.py).

Nothing is taken out of the journal: every event stays where it is, in the chain and in each index,
with all that queries ask of it. SQLite itself holds each packed event against the one that it
replaces, and lets it stay as it is where it would read otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from batchpay.domain.errors import CannotWrite, TryLater
from batchpay.domain.events import ASKED_IN_QUERIES, FREQUENT
from batchpay.domain.model import Event
from batchpay.journals.sqlite import reread
from batchpay.journals.sqlite.lines import any_of
from batchpay.journals.sqlite.migration import schema
from batchpay.journals.sqlite.packed import BEGINS, packed
from batchpay.journals.sqlite.soundness import statements
from batchpay.journals.sqlite.writing import Writing

_ONLY_ADDED = "CREATE TRIGGER events_stay "
_LOOSE = "loose"  # in the table meta: the file holds room that nobody needs
_TO_PACK = (
    "SELECT seq, kind, data FROM events WHERE job = ? AND batch_id = ?"  # noqa: S608 - our words
    f" AND batch_id <> '' AND kind IN {any_of(FREQUENT)} AND seq > ? ORDER BY seq LIMIT 1000"
)
_READ_ALIKE = " AND ".join(
    f"json_extract(?2, '{path}') IS json_extract(data, '{path}')"
    for path in ASKED_IN_QUERIES
)
_PACK = (
    "UPDATE events SET data = ?2 WHERE seq = ?1 AND whole(?2) = data"  # noqa: S608 - our words
    f" AND length(?2) < length(data) AND {_READ_ALIKE}"
)
_OF_BATCH = (
    "SELECT seq FROM events WHERE job = ? AND batch_id = ? AND batch_id <> '' AND seq > ?"
    " ORDER BY seq LIMIT 1000"
)


class Archiving(Writing):
    """A batch's part of the chain, and its packing."""

    def lines_of(self, batch_id: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Every event of a batch: the digest before it, and its line, its own digest last, as it
        was written. Raises BrokenChain for one that is not.
        """
        after = 0
        while seqs := self._column(_OF_BATCH, self.job, batch_id, after):
            with self._reads() as connection, self._doubted():
                lines = reread.lines_at(connection, self.path, seqs)
            yield from lines
            after = seqs[-1]

    def last_of_batch(self, batch_id: str) -> tuple[int, int]:
        """Number of the last event of a batch, and the time of its youngest: wall clock, UTC ns."""
        query = (
            "SELECT max(seq), max(at_ns) FROM events WHERE job = ? AND batch_id = ?"
            " AND batch_id <> ''"
        )
        last, at_ns = self._first(query, self.job, batch_id)
        return int(last or 0), int(at_ns or 0)

    def archive(self, event: Event, batch_id: str) -> Event:
        """Write that a batch was archived, and pack its events: all of it or nothing. Raises what
        `append` raises.
        """
        with self._lock, self._transaction():
            (written,) = self._insert([event])
            self._pack(batch_id)
            self._connection.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, '1')", (_LOOSE,)
            )
        return written

    def _pack(self, batch_id: str) -> None:
        stay = next(one for one in statements(schema()) if _ONLY_ADDED in one)
        self._connection.execute("DROP TRIGGER events_stay")
        like: dict[str, tuple[int, str]] = {}  # kind -> the first of its events
        after = 0
        while rows := self._connection.execute(
            _TO_PACK, (self.job, batch_id, after)
        ).fetchall():
            for seq, kind, data in rows:
                if not data.startswith("{"):
                    continue  # kept by a stencil (stencils.py): no room is left in it
                if kind not in like:
                    like[kind] = (seq, data)
                elif not data.startswith(BEGINS):
                    form = packed(data, *like[kind])
                    self._connection.execute(_PACK, (seq, form))
            after = rows[-1][0]
        self._connection.execute(stay)

    def shrink(self) -> bool:
        """Give back the room that packed events left, where there is any. False: another program
        works with the file, or the disk has no room for it; the next time will do.
        """
        if not self._first("SELECT 1 FROM meta WHERE name = ?", _LOOSE):
            return True
        try:
            with self._lock, self._translated():
                self._connection.execute("VACUUM")
            with self._lock, self._transaction():
                self._connection.execute("DELETE FROM meta WHERE name = ?", (_LOOSE,))
        except (TryLater, CannotWrite):
            return False
        return True
