"""CAME BACK: rows that were sent back: their own ids, and the rows that they came for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchpay.domain import lineage
from batchpay.domain.model import Chunk, Document, Problem
from batchpay.domain.text import told
from batchpay.intake import damage
from batchpay.intake.refusals import Cells, Refusals, quoted
from batchpay.job.job import FromColumn, Source
from batchpay.lifecycle.places import place_of
from batchpay.messages import problems
from batchpay.messages.message import Message


@dataclass(frozen=True, slots=True)
class _Mended:
    """A chunk whose order ids are those its rows were sent back with."""

    chunk: Chunk
    column: str
    ids: Cells
    problems: Mapping[int, tuple[Problem, ...]]
    typed: Mapping[str, Mapping[int, str]]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.chunk.columns

    @property
    def sheet(self) -> str:
        return self.chunk.sheet

    @property
    def rows(self) -> Sequence[int]:
        return self.chunk.rows

    def texts(self, column: str) -> Cells:
        if column == self.column:
            return self.ids
        return self.chunk.texts(column)

    def cell(self, column: str, at: int) -> str:
        if column == self.column:
            return self.ids[at]
        return self.chunk.cell(column, at)

    def cells(self) -> bytes:
        return self.chunk.cells()


def with_own_ids(
    chunk: Chunk, source: Source | None, *, odd: bool = False
) -> tuple[Chunk, tuple[int, ...], frozenset[int]]:
    """The chunk with the ids that programs damaged since we told them, the positions where one was
    mended, and those of them where the cell alone could be what was made of another id
    (`provenance` holds their rows against the first).

    A row with truly another id is another order and keeps its cell.
    """
    if not isinstance(source, FromColumn) or lineage.ID not in chunk.columns:
        return chunk, (), frozenset()
    told_ids = chunk.texts(lineage.ID)
    ids = list(chunk.texts(source.column))
    column = source.column
    kinds = chunk.typed.get(column, {})
    typed = {at: kind for at, kind in kinds.items() if kind != "number"}
    problems = dict(chunk.problems)
    restored = []
    doubtful = set()
    for at, told_id in enumerate(told_ids):
        cell = ids[at]
        own = lineage.own_id(told_id)
        if not own:
            continue
        trace = damage.trace_of(cell, own, typed.get(at, ""), odd=odd)
        if not trace:
            continue
        ids[at] = own
        typed.pop(at, None)
        if at in problems:
            problems[at] = _without_damage(problems[at], column)
        if cell != own:
            restored.append(at)
        if trace == "doubtful":
            doubtful.add(at)
    problems = {at: left for at, left in problems.items() if left}
    mended = _Mended(chunk, column, ids, problems, {**chunk.typed, column: typed})
    return mended, tuple(restored), frozenset(doubtful)


# of readers
_READ_DAMAGE = frozenset(
    {
        "error-cell",
        "formula-without-value",
        "number-not-exact",
        "not-a-number",
    }
)


def _without_damage(found: Iterable[Problem], column: str) -> tuple[Problem, ...]:
    """The problems of a row whose id of this column is its own again."""
    left = []
    for problem in found:
        is_mended = problem.column == column and problem.rule in _READ_DAMAGE
        if not is_mended:
            left.append(problem)
    return tuple(left)


def rows_corrected(chunk: Chunk, found: Refusals) -> dict[int, str]:
    """Position -> the place of the row that this one came back for. One that names its row no more,
    and not by having all that named it cleared, is rejected: as a stranger it would be charged
    beside the sale that it corrects.
    """
    if {lineage.ID, lineage.BATCH, lineage.SHEET}.isdisjoint(chunk.columns):
        return {}  # an earlier version told the row's number only, which names none
    told_texts = []
    for name in (lineage.ID, lineage.BATCH, lineage.SHEET, lineage.ROW):
        if name in chunk.columns:
            told_texts.append(chunk.texts(name))
        else:
            told_texts.append([""] * len(chunk.rows))
    corrects = {}
    for at, texts in enumerate(zip(*told_texts, strict=True)):
        if not any(map(str.strip, texts)):
            continue
        place = lineage.place_told(*texts)
        if place is not None:
            corrects[at] = place_of(*place)
        else:
            problem = Problem(lineage.ID, told(texts[0]), _torn())
            found.problems.setdefault(at, []).append(problem)
    return corrects


def _torn() -> Message:
    return problems.TORN_ROW(columns=", ".join(lineage.NAMING[:-1]), last=lineage.ID)


def ids_told(
    chunk: Chunk, corrects: Collection[int], documents: Sequence[Document]
) -> dict[int, tuple[str, ...]]:
    """Position -> the order id that a row came back with, where it has another one now."""
    if not corrects:
        return {}
    texts = chunk.texts(lineage.ID)
    earlier: dict[int, tuple[str, ...]] = {}
    for at in corrects:
        own = lineage.own_id(texts[at])
        if own and own != documents[at].get("order_id"):
            earlier[at] = (own,)
    return earlier


def comebacks_of(chunk: Chunk, found: Refusals) -> frozenset[int]:
    """Rows whose sender asks for the next attempt in so many words."""
    if lineage.RETRY not in chunk.columns:
        return frozenset()
    texts = chunk.texts(lineage.RETRY)
    if not any(texts):
        return frozenset()
    words = [text.lower() for text in texts]
    for at, word in enumerate(words):
        if word not in {"", "yes", "no"}:
            problem = Problem(lineage.RETRY, quoted(texts[at]), problems.YES_OR_NO())
            found.problems.setdefault(at, []).append(problem)
    return frozenset(at for at, word in enumerate(words) if word == "yes")
