"""IN PLACE: which rows of earlier files the rows of a file are again that was corrected where it
lies: those of its order ids that caused an attempt there, or were refused.

They are looked for where its rows stand, in a few files that came before it: of its name, and those
in which some of its orders were asked for. It is a help and no proof.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from batchpay.domain.events import BEGINNINGS
from batchpay.domain.model import Batch, Event
from batchpay.lifecycle.earlier import EarlierRow, EarlierRows
from batchpay.lifecycle.places import place_of

_FILES = 3  # that are looked through for one
_ASKED = 8  # orders of a chunk by which the files are found where they were asked for


class StoodBefore(NamedTuple):
    """Where an order stood in an earlier file, and what the journal keeps of its row there."""

    place: str
    row: EarlierRow


class InPlaceJournal(Protocol):
    """What is asked of a journal beside its rows."""

    def owned(
        self, batch_id: str, sheet: str, first_row: int, last_row: int
    ) -> Mapping[int, tuple[str, ...]]: ...
    def histories(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[Event]]: ...


def rows_before(
    journal: InPlaceJournal,
    earlier: EarlierRows,
    batch_id: str,
    file: str,
    sheet: str,
    ids: Mapping[int, str],
    questions: Collection[str],
) -> dict[str, StoodBefore]:
    """Order id -> its row in the youngest file that tells of it. `ids`: by the numbers
    of the rows that hold them now, one at least; `questions`: by which rules a row was only asked
    about: what it held then nobody has said to be right.
    """
    rows = sorted(ids)
    wanted = set(ids.values())
    found: dict[str, StoodBefore] = {}
    for batch in _files(journal, earlier, batch_id, file, list(ids.values())):
        if wanted <= found.keys():
            break
        owned = journal.owned(batch.id, sheet, rows[0], rows[-1])
        for row, was in earlier.as_planned(batch.id, sheet, rows).items():
            if was.order_id not in wanted or was.order_id in found:
                continue
            if was.order_id in owned.get(row, ()) or _is_refused(was, questions):
                found[was.order_id] = StoodBefore(place_of(batch.id, sheet, row), was)
    return found


def _is_refused(row: EarlierRow, questions: Collection[str]) -> bool:
    rules = {problem.rule for problem in row.problems}
    return bool(rules) and rules.isdisjoint(questions)


def _files(
    journal: InPlaceJournal,
    earlier: EarlierRows,
    batch_id: str,
    file: str,
    ids: Sequence[str],
) -> Iterator[Batch]:
    """The files in which rows may have stood before, the youngest first. One that was refused as a
    whole tells nothing: its columns may be what was wrong.
    """
    some = ids[:: max(1, len(ids) // _ASKED)]
    asked_in = {
        event.batch_id
        for events in journal.histories(some).values()
        for event in events
        if event.kind in BEGINNINGS
    }
    before = []
    for batch in earlier.batches():
        if batch.id == batch_id:
            break
        if not batch.refusal and (batch.file == file or batch.id in asked_in):
            before.append(batch)
    yield from before[: -_FILES - 1 : -1]
