"""NAMING: the order id of a row of a file here, where another job tells of the same row."""

from __future__ import annotations

from typing import Protocol

from batchpay.domain.model import Batch, StoredChunk, tail_in
from batchpay.lifecycle.places import tail_of


class Planned(Protocol):
    """The rows of batches as they were last planned (ports.Journal)."""

    def batches(self) -> list[Batch]: ...

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]: ...

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None: ...


def id_of_row(planned: Planned, job: str, batch_id: str, sheet: str, row: int) -> str:
    """The order id that this journal's row of a file has which another job knows as this batch;
    empty where none.
    """
    tail = tail_in(batch_id)
    mine = next(
        (one for one in planned.batches() if tail_of(job, one.sha256) == tail), None
    )
    if mine is None:
        return ""
    for number, of_sheet, first, last in planned.spans(mine.id):
        if of_sheet != sheet or not first <= row <= last:
            continue
        chunk = planned.chunk(mine.id, number)
        if chunk is not None and row in chunk.rows:
            document = chunk.documents[list(chunk.rows).index(row)]
            return str(document.get("order_id") or "")
    return ""
