"""MOVED: cells of rows that came back which no person meant to change.

    moved      one column alone was sorted, shifted or filled down: several rows hold what others of
               them asked for, whatever else was changed in it
    rescaled   an amount with its point moved by two or three places, as a spreadsheet of another
               country reads 45,500 or 455.00, where nothing had asked for another one
    recoined   another currency, where nothing had asked for one: of one row it is enough, for a
               column of two currencies shows no more of having been sorted

What such a row asked for is what the journal has of it; of a cell that could not be read, what its
reason said that it may mean. The row is asked about, and goes when `batchpay_retry` says yes then;
a single cell that was asked about also when it is as it was again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches

from batchpay.domain import lineage
from batchpay.domain.model import Document, Problem
from batchpay.domain.money import NotMoney, money_told, to_minor
from batchpay.domain.text import told
from batchpay.intake.mapping import Mapped
from batchpay.intake.sources import blamed_for
from batchpay.job.job import Columns, FromLookup
from batchpay.messages.message import Message
from batchpay.messages.problems import CHANGED_CURRENCY, MOVED_CELLS, RESCALED_CELL

Held = Callable[[str], Document | None]
WasWrong = Callable[[str], Sequence[Problem]]
Found = dict[int, tuple[Problem, ...]]

# fields of an order that may have been moved without the others
_MOVED = (("customer", "source", "card"), ("amount",), ("currency",), ("destination",))
_FIELDS = tuple(name for fields in _MOVED for name in fields)
_FILLED = 3  # rows whose cells hold one value of another row: fewer may well be meant
_SCALES = (100, 1000)
# what a yes in `batchpay_retry` answers
_QUESTIONS = frozenset(
    entry.code for entry in (MOVED_CELLS, RESCALED_CELL, CHANGED_CURRENCY)
)
_LARGEST_TABLE = 2000  # keys of a lookup file among which the nearest is looked for


def moved_in(mapped: Mapped) -> set[str]:
    """The columns whose cells were found moved."""
    every = (problem for some in mapped.problems.values() for problem in some)
    return {one.column for one in every if one.rule == MOVED_CELLS.code}


def with_unmeant(
    mapped: Mapped,
    named: Mapping[int, str],
    columns: Columns,
    held: Held,
    was_wrong: WasWrong,
    known_moved: Collection[str],
) -> Mapped:
    """The chunk with a problem at each such cell. `named`: position -> place of the row that it
    names; `known_moved`: columns whose cells were moved in an earlier chunk of the file.
    """
    wrong = {at: was_wrong(place) for at, place in named.items()}
    for at in [at for at, some in wrong.items() if _is_meant(mapped, at, some)]:
        del wrong[at]
    was = {at: dict(held(named[at]) or {}) for at in wrong}
    asked: dict[int, Document] = {}
    near: dict[str, str] = {}
    for at, some in wrong.items():
        currency = mapped.documents[at].get("currency")
        asked[at] = {**_read_otherwise(some, columns, currency, near), **was[at]}
    moved = list(_moved_cells(mapped, asked, columns, known_moved))
    others = (
        *_rescaled_cells(mapped, asked, was, wrong, columns),
        *_still_rescaled(mapped, was, wrong),
        *_recoined(mapped, was, wrong, columns),
    )
    told_already = {(at, problem.column) for at, problem in moved}
    moved += [
        (at, problem)
        for at, problem in others
        if (at, problem.column) not in told_already
    ]
    if not moved:
        return mapped
    found: Found = {}
    for at, problem in moved:
        found[at] = (*found.get(at, mapped.problems.get(at, ())), problem)
    return replace(mapped, problems={**mapped.problems, **found})


def _is_meant(mapped: Mapped, at: int, wrong: Sequence[Problem]) -> bool:
    """Did a person say yes when asked whether the cells of this row are meant? A yes to another
    question, to ask a declined card once more, is none to this one.
    """
    if at not in mapped.comeback:
        return False
    return any(one.rule in _QUESTIONS for one in wrong)


def _may_change(mapped: Mapped, wrong: Sequence[Problem], own: Collection[str]) -> bool:
    """Was one of these columns, or all that a row holds, to be corrected?"""
    others = {*mapped.chunk.columns, *_FIELDS} - {*own, *lineage.ADDED}
    return any(problem.column not in others for problem in wrong)


# --- what a cell may have meant that could not be read


def _read_otherwise(
    wrong: Sequence[Problem],
    columns: Columns,
    currency: str | None,
    near: dict[str, str],
) -> Document:
    """By what was said of a row's cells: the amount that one may be, the recipient of the nearest
    name. `near`: what was looked for before.
    """
    read: Document = {}
    lookup = columns.fields["destination"]
    for problem in wrong:
        fields = dict(problem.said.fields)
        number = str(fields.get("number", ""))
        if currency and number:
            with suppress(NotMoney):
                read["amount"] = to_minor(number, currency)
        if isinstance(lookup, FromLookup) and problem.column == lookup.column:
            name = str(fields.get("near", "")) or problem.value
            if name not in near:
                near[name] = _nearest(name.strip("'"), lookup.table)
            if near[name]:
                read["destination"] = near[name]
    return read


def _nearest(name: str, table: Mapping[str, str]) -> str:
    """What a lookup file has for the key that is most like a name; empty where none is."""
    if name in table:
        return table[name]
    if len(table) > _LARGEST_TABLE:
        return ""
    found = get_close_matches(name, table, n=1, cutoff=0.8)
    return table[found[0]] if found else ""


# --- moved


def _moved_cells(
    mapped: Mapped,
    asked: Mapping[int, Document],
    columns: Columns,
    known_moved: Collection[str],
) -> Iterator[tuple[int, Problem]]:
    for fields in _MOVED:
        used = (name for name in columns.of(*fields) if name in mapped.chunk.columns)
        column = next(used, "")
        pairs = {
            at: (_told_in(mapped.documents[at], fields), _told_in(was, fields))
            for at, was in asked.items()
        }
        changed = [at for at, (now, was) in pairs.items() if now and now != was]
        moved: Sequence[int] = changed
        if column not in known_moved:
            moved = _moved(changed, pairs)
        if not (column and moved):
            continue
        texts = mapped.chunk.texts(column)
        for at in moved:
            yield (
                at,
                Problem(column, told(texts[at]), MOVED_CELLS(count=len(moved))),
            )


def _told_in(document: Document, fields: Sequence[str]) -> str:
    return ":".join(str(document[name]) for name in fields if name in document)


def _moved(
    changed: Sequence[int], pairs: Mapping[int, tuple[str, str]]
) -> Sequence[int]:
    """Of rows, each with what it asks for and what it asked for before, those whose cells were
    moved: all that have changed, and of which nobody knows what they held, where several hold what
    others lost that have changed or are empty now; or those that hold one value of a row that has
    not.
    """
    known = [at for at in changed if pairs[at][1]]
    lost = Counter(was for now, was in pairs.values() if was and now != was)
    taken = Counter(pairs[at][0] for at in known)
    if (lost & taken).total() > 1:
        return changed
    stayed = {was for now, was in pairs.values() if now == was}
    for value, count in taken.items():
        filled = [at for at in known if pairs[at][0] == value]
        were = {pairs[at][1] for at in filled}
        if count >= _FILLED and len(were) > 1 and value in stayed:
            return filled
    return []


# --- rescaled


def _rescaled_cells(
    mapped: Mapped,
    asked: Mapping[int, Document],
    held: Mapping[int, Document],
    wrong: Mapping[int, Sequence[Problem]],
    columns: Columns,
) -> Iterator[tuple[int, Problem]]:
    """`held`: what the rows asked for of which all could be read."""
    column = blamed_for(columns.fields["amount"], "amount")
    for at, was in asked.items():
        now = mapped.documents[at]
        currency = str(now.get("currency", ""))
        if "amount" not in now or "amount" not in was or not currency:
            continue
        if str(was.get("currency", currency)).lower() != currency.lower():
            continue
        if not _is_rescaled(was["amount"], now["amount"]):
            continue
        if "amount" in held[at] and _may_change(mapped, wrong[at], {column}):
            continue
        said = RESCALED_CELL(
            was=money_told(was["amount"], currency),
            now=money_told(now["amount"], currency),
        )
        text = ""
        if column in mapped.chunk.columns:
            text = mapped.chunk.cell(column, at)
        yield at, Problem(column, told(text), said)


def _still_rescaled(
    mapped: Mapped,
    held: Mapping[int, Document],
    wrong: Mapping[int, Sequence[Problem]],
) -> Iterator[tuple[int, Problem]]:
    """The amounts that were asked about, and came back without an answer."""
    for at, some in wrong.items():
        amount = mapped.documents[at].get("amount")
        for problem in some:
            is_asked = problem.rule == RESCALED_CELL.code
            if is_asked and amount is not None and amount == held[at].get("amount"):
                yield at, problem


def _is_rescaled(was_minor: int, now_minor: int) -> bool:
    return any(
        was_minor * scale == now_minor or now_minor * scale == was_minor
        for scale in _SCALES
    )


# --- recoined


def _recoined(
    mapped: Mapped,
    held: Mapping[int, Document],
    wrong: Mapping[int, Sequence[Problem]],
    columns: Columns,
) -> Iterator[tuple[int, Problem]]:
    own = [name for name in columns.of("currency") if name in mapped.chunk.columns]
    if not own:
        return
    for at, some in wrong.items():
        was = str(held[at].get("currency", ""))
        others = []
        for problem in some:
            if problem.rule == CHANGED_CURRENCY.code:  # asked about once before
                was = str(dict(problem.said.fields)["was"])
            else:
                others.append(problem)
        now = str(mapped.documents[at].get("currency", ""))
        if not (was and now) or was.upper() == now.upper():
            continue
        speaks = any(_speaks_of_currency(problem.said) for problem in others)
        if not speaks and not _may_change(mapped, others, own):
            said = CHANGED_CURRENCY(was=was.upper(), now=now.upper())
            yield at, Problem(own[0], told(mapped.chunk.cell(own[0], at)), said)


def _speaks_of_currency(said: Message) -> bool:
    """Does a reason say that amount and currency do not fit each other?"""
    return any(
        name == "currency"
        or (isinstance(field, Message) and _speaks_of_currency(field))
        for name, field in said.fields
    )
