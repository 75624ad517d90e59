"""BATCHES: the rows of files, as they were last planned, and what of them caused an attempt."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

from batchpay.domain.errors import InputOutput
from batchpay.domain.events import (
    Adopted,
    BatchPlanned,
    RunStarted,
    TotalsCounted,
    line,
    told_by,
)
from batchpay.domain.model import Batch, Event, Judged, Repeat, StoredChunk, tail_in
from batchpay.journals.asked import by_row
from batchpay.journals.naming import id_of_row
from batchpay.journals.sqlite.lines import RARE, object_of, values_of
from batchpay.journals.sqlite.opening import RESTORE
from batchpay.journals.sqlite.orders import BEGUN
from batchpay.journals.sqlite.rows import pack, unpack
from batchpay.journals.sqlite.stencils import RUN
from batchpay.journals.sqlite.writing import Writing
from batchpay.lifecycle.places import tail_of

_OF_ROWS = 'a.job = ? AND a.batch_id = ? AND a."row" BETWEEN ? AND ? AND a.sheet = ?'
_SEVERAL = f'SELECT a."row" FROM asked AS a WHERE {_OF_ROWS} GROUP BY a."row" HAVING count(*) > 1'
# in the order of Plain
_COLUMNS_OF_PLAIN = (
    'a."row"',
    "a.order_id",
    "a.attempt",
    "a.at_ns",
    "a.amount",
    "a.currency",
    "a.destination",
    "a.paid_with",
    f"coalesce(a.run_id, (SELECT {RUN} FROM events WHERE seq = a.seq))",
    "a.mode",
    "a.fee",
    "c.settled_ns",
    "c.charge_id",
    "c.chain",
    "c.transfer",
    "c.amount",
    "c.currency",
    "c.fee",
    "c.fee_vat",
    "c.net",
    "c.platform_fee",
    "c.funding_amount",
    "c.funding_currency",
    "c.transfer_status",
    "c.transfer_amount",
    "c.transfer_fee",
    "c.bank_amount",
    "c.transfer_sent_at",
    "c.transfer_paid_at",
)
# a list of each column: for Python to take over cell by cell costs half as much again
_PLAIN = (
    f"SELECT {', '.join(f'json_group_array({one})' for one in _COLUMNS_OF_PLAIN)}"
    f" FROM asked AS a CROSS JOIN came_to AS c ON c.seq = a.seq WHERE {_OF_ROWS} AND c.plain = 1"
    " AND c.amount IS NOT NULL AND a.mode <> '' AND a.paid_with <> '' AND a.\"row\" > 0 AND NOT"
    " EXISTS (SELECT 1 FROM asked AS n WHERE n.job = a.job AND n.terms = a.terms AND n.at_ns >= ?"
    " AND n.at_ns < a.at_ns AND n.order_id <> a.order_id AND n.batch_id <> a.batch_id)"
)
LAST_ROW = 2**62  # no file has more
_CHUNK = (
    "SELECT number, sheet, judged, cells FROM row_chunks "
    "WHERE job = ? AND batch_id = ? AND generation = ? AND number = ?"
)


class Batches(Writing):
    """By the events that tell of a batch, and the chunks of rows beside them."""

    def stage(self, batch_id: str, chunks: Iterable[Judged]) -> str:
        """Keep the rows of a batch beside those planned before. Returns the generation, for
        `plan`.
        """
        generation = uuid.uuid4().hex
        digest = hashlib.sha256()
        for number, judged in enumerate(chunks):
            blob = pack(judged)
            cells = judged.chunk.cells()
            _add(digest, blob, cells)
            rows = judged.chunk.rows
            values = (
                self.job,
                batch_id,
                generation,
                number,
                judged.chunk.sheet,
                rows[0],
                rows[-1],
                blob,
                cells,
            )
            with self._lock, self._transaction():
                self._connection.execute(
                    "INSERT INTO row_chunks VALUES (?,?,?,?,?,?,?,?,?)", values
                )
        return f"{generation}:{digest.hexdigest()}"

    def plan(
        self,
        event: Event,
        batch: Batch,
        staged: str,
        repeats: Mapping[tuple[str, int], Repeat],
    ) -> None:
        """Make the staged rows the batch's rows. The same plan again leaves the journal as it is,
        the same rows in another plan are not kept twice, and rows that a report was made from stay.

        `event`: when, and in which run.
        """
        new, _, _ = staged.partition(":")
        planned = BatchPlanned.made(batch, staged, repeats)
        known = self._planned(batch.id)
        same = False
        if known is not None and self._has_the_rows_of(batch.id, known, planned):
            planned = planned.with_the_rows_of(known)
            same = known.says_the_same(planned)
        kept = {planned.generation}
        if self._generations(batch.id) - kept - {new}:
            kept |= self._reported(batch.id)
        with self._lock, self._transaction():
            if not same:
                self._insert([_of_batch(event, batch, planned)])
            for other in self._generations(batch.id) - kept:
                self._connection.execute(
                    "DELETE FROM row_chunks WHERE job = ? AND batch_id = ? AND generation = ?",
                    (self.job, batch.id, other),
                )

    def _has_the_rows_of(
        self, batch_id: str, known: BatchPlanned, planned: BatchPlanned
    ) -> bool:
        """Are the rows of two plans the same, at the same places?"""
        if known.rows_sha256 != planned.rows_sha256:
            return False
        spans = self._spans_of(batch_id, known.generation)
        return spans == self._spans_of(batch_id, planned.generation)

    def _generations(self, batch_id: str) -> set[str]:
        """Of the rows of a batch all that are kept."""
        query = (
            "SELECT DISTINCT generation FROM row_chunks WHERE job = ? AND batch_id = ?"
        )
        return set(self._column(query, self.job, batch_id))

    def _reported(self, batch_id: str) -> set[str]:
        """Those of them that were the batch's rows when it was counted for a report."""
        query = (
            "SELECT kind, iif(kind = ?, json_extract(data, '$.generation'), '') FROM events"
            f" WHERE job = ? AND kind IN (?, ?) AND {RARE} AND batch_id = ? ORDER BY seq"
        )
        kinds = (BatchPlanned.kind, TotalsCounted.kind)
        found = set()
        latest = ""
        for kind, generation in self._rows(query, kinds[0], self.job, *kinds, batch_id):
            if kind == TotalsCounted.kind:
                found.add(latest)
            else:
                latest = generation
        return found

    def judge(self, event: Event, batch: Batch) -> None:
        """The rows of a batch stay as they are, and another decision was made about it as a
        whole.
        """
        planned = self._planned(batch.id)
        if planned is not None:
            self.append([_of_batch(event, batch, planned.judged_anew(batch))])

    def batches(self) -> list[Batch]:
        """Every batch as last planned, by first receipt."""
        with self._translated():
            plans = told_by(self.events([BatchPlanned.kind]), BatchPlanned)
            latest = {event.batch_id: planned for event, planned in plans}
            return [planned.batch for planned in latest.values()]

    def repeats(self, batch_id: str) -> dict[tuple[str, int], Repeat]:
        """The rows of a batch that its own batch, or another of the same run, already asks for."""
        planned = self._planned(batch_id)
        if planned is None:
            return {}
        with self._translated():
            return planned.repeats

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]:
        """Number, sheet, first and last row of each chunk of a batch as last planned, in the file's
        order.
        """
        planned = self._planned(batch_id)
        if planned is None:
            return []
        return self._spans_of(batch_id, planned.generation)

    def _spans_of(
        self, batch_id: str, generation: str
    ) -> list[tuple[int, str, int, int]]:
        query = (
            "SELECT number, sheet, first_row, last_row FROM row_chunks "
            "WHERE job = ? AND batch_id = ? AND generation = ? ORDER BY number"
        )
        return self._rows(query, self.job, batch_id, generation)

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk of a batch as last planned; `chunks` is what proves that all of them are as
        they were kept.
        """
        planned = self._planned(batch_id)
        if planned is None:
            return None
        row = self._first(_CHUNK, self.job, batch_id, planned.generation, number)
        if row:
            return unpack(*row)
        return None

    def chunks(self, batch_id: str, staged: str = "") -> Iterator[StoredChunk]:
        """The rows of a batch as last planned, or as `stage` kept them just now.

        Raises InputOutput when they are not the ones that were kept.
        """
        generation, _, wanted = staged.partition(":")
        if not staged:
            planned = self._planned(batch_id)
            if planned is None:
                return
            generation = planned.generation
            wanted = planned.rows_sha256
        digest = hashlib.sha256()
        number = 0
        while True:
            with self._reads() as connection:
                key = (self.job, batch_id, generation, number)
                row = connection.execute(_CHUNK, key).fetchone()
                if not row:
                    break
                chunk = unpack(*row)
            _add(digest, row[2], row[3])
            yield chunk
            number += 1
        if digest.hexdigest() != wanted:
            raise InputOutput(
                f"{self.path}: the rows kept for batch {batch_id} are damaged; {RESTORE}"
            )

    def _planned(self, batch_id: str) -> BatchPlanned | None:
        query = (
            f"SELECT seq, data FROM events WHERE job = ? AND kind = '{BatchPlanned.kind}'"
            f" AND {RARE} AND batch_id = ? ORDER BY seq DESC LIMIT 1"
        )
        with self._reads() as connection:
            row = connection.execute(query, (self.job, batch_id)).fetchone()
            if not row:
                return None
            self._prove(connection, [row])
            return BatchPlanned.of_data(object_of(row[1]), batch_id)

    def owned(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> dict[int, tuple[str, ...]]:
        """Row number -> every order that a row of a batch caused, that of the youngest attempt
        last.
        """
        query = (
            'SELECT "row", order_id FROM asked WHERE job = ? AND batch_id = ? AND "row" BETWEEN ?'
            " AND ? AND sheet = ? ORDER BY seq"
        )
        asked = self._rows(query, self.job, batch_id, first_row, last_row, sheet)
        return by_row(asked)

    def settled_rows(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> frozenset[int]:
        """The rows of a batch whose own attempt succeeded: whatever else is known, they are never
        sent again. Those of an adopted charge are not among them: it may be that they ask for other
        terms.
        """
        query = (
            'SELECT a."row" FROM asked AS a JOIN open_attempts AS o ON o.job = a.job AND'
            " o.order_id = a.order_id AND o.attempt = a.attempt AND o.state = 'succeeded' WHERE"
            ' a.job = ? AND a.batch_id = ? AND a."row" BETWEEN ? AND ? AND a.sheet = ?'
            " AND a.adopted = 0"
        )
        return frozenset(
            self._column(query, self.job, batch_id, first_row, last_row, sheet)
        )

    def plain_rows(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
        near_ns: int,
    ) -> list[list[Any]]:
        """The rows of a batch that caused one attempt, the only one of its order, which succeeded
        without anything to tell; but for those of terms that another order of another batch asked
        for before it, since then (`near_ns`). By the column, in the order of `Plain`.
        """
        key = (self.job, batch_id, first_row, last_row, sheet)
        several = frozenset(self._column(_SEVERAL, *key))
        columns = [values_of(cells) for cells in self._first(_PLAIN, *key, near_ns)]
        if not several:
            return columns
        alone = [row not in several for row in columns[0]]
        return [list(compress(cells, alone)) for cells in columns]

    def open_places(self, batch_id: str) -> list[tuple[str, int]]:
        """Sheet and row of a batch's rows of which an attempt did not end yet, by their numbers."""
        query = (
            'SELECT a.sheet, a."row" FROM open_attempts AS o CROSS JOIN events AS e ON'
            " e.job = o.job AND e.order_id = o.order_id AND e.attempt = o.attempt CROSS JOIN asked"
            " AS a ON a.seq = e.seq WHERE o.job = ? AND o.state <> 'succeeded' AND a.batch_id = ?"
            f' AND e.kind IN {BEGUN} ORDER BY a.sheet, a."row"'
        )
        return self._rows(query, self.job, batch_id)

    def orders_of(self, batch_id: str) -> list[str]:
        """Order ids with an attempt that a row of this batch caused."""
        query = "SELECT DISTINCT order_id FROM asked WHERE job = ? AND batch_id = ?"
        return self._column(query, self.job, batch_id)

    def orders_of_row(self, batch_id: str, sheet: str, row: int) -> list[str]:
        """Order ids with an attempt that this row of a batch caused, oldest first."""
        query = (
            'SELECT order_id FROM asked WHERE job = ? AND batch_id = ? AND "row" = ? AND sheet = ?'
            " GROUP BY order_id ORDER BY min(seq)"
        )
        return self._column(query, self.job, batch_id, row, sheet)

    def unplaced(self, batch_id: str) -> list[str]:
        """Order ids of adopted charges of a file that did not tell of which of its rows they are,
        whatever day their batch is of.
        """
        query = 'SELECT DISTINCT order_id FROM asked WHERE job = ? AND batch_id = ? AND "row" = 0'
        found = []
        for known in list(self._same_batches(batch_id)):
            found += self._column(query, self.job, known)
        return found

    def gone_rows(self) -> list[tuple[str, str]]:
        """Batch id and order id of what was asked for by rows that their file, as last planned, has
        not: the job reads another sheet of it since, or another part. Only a file that was planned
        more than once can lack any.
        """
        query = (
            f"SELECT batch_id FROM events WHERE job = ? AND kind = '{BatchPlanned.kind}'"
            f" AND {RARE} GROUP BY batch_id"
            " HAVING count(DISTINCT json_extract(data, '$.generation')) > 1"
        )
        found = []
        for batch_id in self._column(query, self.job):
            spans = [span for _, *span in self.spans(batch_id)]
            orders = dict.fromkeys(
                one for one, _ in self.asked_outside(batch_id, spans)
            )
            found += [(batch_id, order_id) for order_id in orders]
        return found

    def asked_outside(
        self, batch_id: str, spans: Iterable[Sequence[Any]]
    ) -> Iterator[tuple[str, int]]:
        """Order id and wall-clock time (ns) of what rows of a batch asked for that are in
        none of some spans: sheet, first and last row.
        """
        kept: dict[str, list[tuple[int, int]]] = {}
        for sheet, first, last in spans:
            kept.setdefault(sheet, []).append((first, last))
        of_batch = (
            "SELECT order_id, at_ns FROM asked WHERE job = ? AND batch_id = ? AND"
            ' "row" BETWEEN ? AND ? AND sheet'
        )
        for sheet, some in kept.items():
            for first, last in _between(some):
                key = (self.job, batch_id, first, last, sheet)
                yield from self._rows(f"{of_batch} = ?", *key)
        if "" in kept:
            return  # a file that has no sheets
        key = (self.job, batch_id, 1, LAST_ROW, json.dumps(list(kept)))
        others = f"{of_batch} NOT IN (SELECT value FROM json_each(?))"
        yield from self._rows(others, *key)

    def adopted(self) -> list[tuple[str, str]]:
        """Batch id, as the charge told it, and order id of every charge that was adopted, oldest
        first.
        """
        query = (
            f"SELECT batch_id, order_id FROM events WHERE job = ? AND kind = '{Adopted.kind}'"
            f" AND {RARE} ORDER BY seq"
        )
        return self._rows(query, self.job)

    def last_run_of(self, batch_id: str) -> str:
        """The last run that wrote about a batch more than where its rows stand; empty when none
        did.
        """
        query = (
            f"SELECT {RUN} FROM events WHERE job = ? AND batch_id = ? AND kind <>"
            f" '{TotalsCounted.kind}' AND {RUN} IN (SELECT run_id FROM events WHERE job = ?"
            f" AND kind = '{RunStarted.kind}' AND {RARE}) ORDER BY seq DESC LIMIT 1"
        )
        row = self._first(query, self.job, batch_id, self.job)
        if row:
            return str(row[0])
        return ""

    def moved(self, batch_id: str) -> bool:
        """Did anything happen to a batch since its totals were last written down?"""
        query = "SELECT kind FROM events WHERE job = ? AND batch_id = ? ORDER BY seq DESC LIMIT 1"
        row = self._first(query, self.job, batch_id)
        return row is not None and row[0] != TotalsCounted.kind

    def changed(self, batch_id: str, after: int) -> bool:
        """Did anything happen to an order of a batch after an event?"""
        query = (
            "SELECT 1 FROM events WHERE job = ? AND batch_id = ? AND seq > ? AND order_id <> ''"
            " LIMIT 1"
        )
        return self._first(query, self.job, batch_id, after) is not None

    def last_sent_of(self, batch_id: str) -> int:
        """When an order of a batch was last sent, or a charge of it taken over (wall clock, UTC
        nanoseconds); 0 when none ever was.
        """
        query = (
            f"SELECT at_ns FROM events WHERE job = ? AND batch_id = ? AND kind IN {BEGUN}"
            " ORDER BY seq DESC LIMIT 1"
        )
        row = self._first(query, self.job, batch_id)
        if row:
            return int(row[0])
        return 0

    def batch_named(self, batch_id: str) -> str:
        """The id under which this journal knows the batch of the same digest, whatever the day;
        else the id itself.
        """
        return next(self._same_batches(batch_id), batch_id)

    def _same_batches(self, batch_id: str) -> Iterator[str]:
        """The ids that the batch of a digest goes by here."""
        return (
            known
            for known in self._batch_ids(self.job)
            if tail_in(known) == tail_in(batch_id)
        )

    def _batch_ids(self, job: str) -> Iterator[str]:
        """Every batch that an event of the job tells of, one step of the index each."""
        query = "SELECT min(batch_id) FROM events WHERE job = ? AND batch_id <> '' AND batch_id > ?"
        known: str | None = ""
        while known is not None:
            known = self._first(query, job, known)[0]
            if known is not None:
                yield known

    def job_of_batch(self, batch_id: str) -> str:
        """The other job in the file that knows the batch of this digest; empty where none does."""
        tail = tail_in(batch_id)
        for job in self._jobs():
            if job != self.job and any(
                tail_in(known) == tail for known in self._batch_ids(job)
            ):
                return job
        return ""

    def batches_elsewhere(self, sha256: str) -> list[tuple[str, str]]:
        """Other jobs in the file that know the input file of this digest, each with its batch."""
        found = []
        for job in self._jobs():
            if job != self.job:
                tail = tail_of(job, sha256)
                known = (one for one in self._batch_ids(job) if tail_in(one) == tail)
                found += [(job, batch_id) for batch_id in known]
        return found

    def owned_elsewhere(
        self,
        batches: Iterable[tuple[str, str]],
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> dict[int, dict[tuple[str, str], None]]:
        """Row number -> job and order id of what that row of these batches of other jobs caused."""
        query = (
            'SELECT "row", order_id FROM asked WHERE job = ? AND batch_id = ? AND "row" BETWEEN ?'
            " AND ? AND sheet = ? ORDER BY seq"
        )
        found: dict[int, dict[tuple[str, str], None]] = {}
        for job, batch_id in batches:
            asked = self._rows(query, job, batch_id, first_row, last_row, sheet)
            for row, order_id in asked:
                found.setdefault(row, {})[job, order_id] = None
        return found

    def _jobs(self) -> Iterator[str]:
        """Every job that has a batch, one step of the index each."""
        query = "SELECT min(job) FROM events WHERE batch_id <> '' AND job > ?"
        job: str | None = ""
        while job is not None:
            job = self._first(query, job)[0]
            if job is not None:
                yield job

    def id_of_row(self, job: str, batch_id: str, sheet: str, row: int) -> str:
        """The order id that this job's row of a file has which another job knows as this batch;
        empty where none.
        """
        return id_of_row(self, job, batch_id, sheet, row)


def _of_batch(event: Event, batch: Batch, planned: BatchPlanned) -> Event:
    """`event`: when, and in which run."""
    return line(planned, event.at_ns, event.run_id, batch_id=batch.id)


def _between(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """First and last row before, between and behind spans of rows, which stand in their order."""
    last = 0
    for first, end in spans:
        if first - last > 1:
            yield last + 1, first - 1
        last = end
    yield last + 1, LAST_ROW


def _add(digest: hashlib._Hash, blob: bytes, cells: bytes) -> None:
    """One more chunk of a batch's rows: what proves that all of them are as they were kept."""
    digest.update(hashlib.sha256(blob).digest() + hashlib.sha256(cells).digest())
