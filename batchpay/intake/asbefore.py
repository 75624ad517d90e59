"""AS BEFORE: what only its file showed of an id, once its row came back without it.

A row that comes back as it was is rejected again, by what its cells say. That an id was a number, a
date or a truth in a cell that keeps no text as it was written, no text shows: such a row keeps its
fault until somebody changes the id, or says that it is right as it stands: who wrote the very same
as text left no other trace. What else cells do not show, `readers.comeback` knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from batchpay.domain.model import Judged, Problem
from batchpay.intake.damage import trace_of
from batchpay.intake.sheetdates import is_date_of
from batchpay.job.job import Input
from batchpay.lifecycle.earlier import EarlierRow
from batchpay.messages.problems import (
    BOOLEAN_CELL,
    DATE_CELL,
    EXPONENT_CELL,
    FRACTION_CELL,
    LABELLED_CELL,
    MERGED_AGAIN,
    MERGED_ID,
    NOT_EXACT,
    PERCENT_CELL,
    SAME_ID_AGAIN,
)

RowOf = Callable[[str], EarlierRow]
"""Place of a row (places.place_of) -> what the journal keeps of it."""
Found = dict[int, tuple[Problem, ...]]
WasWrong = Callable[[str], tuple[Problem, ...]]
"""Place of a row (places.place_of) -> what was wrong with it."""

_TYPED = frozenset(
    entry.code
    for entry in (
        *(BOOLEAN_CELL, DATE_CELL, EXPONENT_CELL, FRACTION_CELL),
        *(LABELLED_CELL, NOT_EXACT, PERCENT_CELL),
    )
)


def as_before(judged: Judged, was_wrong: WasWrong, rules: Input) -> Found:
    """The problems of a chunk with those that rows which came back have still."""
    found: Found = dict(judged.problems)
    if rules.odd_ids == "accept":
        return found
    for at, place in judged.corrects.items():
        if at in judged.comeback:
            continue
        now = found.get(at, ())
        known = {(problem.column, problem.rule) for problem in now}
        kept = []
        for problem in was_wrong(place):
            is_told = (problem.column, problem.rule) in known
            if not is_told and _stands(problem, judged, at):
                again = SAME_ID_AGAIN(shown=problem.value)
                kept.append(replace(problem, said=again, label=problem.rule))
        if kept:
            found[at] = (*kept, *now)
    return found


def merged_before(judged: Judged, row_of: RowOf) -> Found:
    """The problems of a chunk with those of rows that came back with the amount that a merged cell
    put in doubt: of which rows it is shows no rejects file.
    """
    found: Found = dict(judged.problems)
    for at, place in judged.corrects.items():
        row = row_of(place)
        if row.document is None or at in judged.comeback:
            continue
        if judged.documents[at].get("amount") != row.document.get("amount"):
            continue
        for problem in row.problems:
            if problem.rule == MERGED_ID.code:
                cells = dict(problem.said.fields).get("cells", "")
                again = Problem(
                    problem.column, problem.value, MERGED_AGAIN(cells=cells)
                )
                found[at] = (*found.get(at, ()), again)
                break
    return found


def _stands(problem: Problem, judged: Judged, at: int) -> bool:
    """Does a cell still say what was no id, also as another program writes that date or number?"""
    code = problem.rule
    if code not in _TYPED or problem.column not in judged.chunk.columns:
        return False
    text = judged.chunk.texts(problem.column)[at].strip()
    if text.casefold() == problem.value.casefold():
        return True
    if code == DATE_CELL.code:
        return is_date_of(text, problem.value.partition("T")[0])
    is_number = code == NOT_EXACT.code and text != ""
    return is_number and trace_of(text, problem.value) != ""
