"""MOVED: cells of rows that came back which no person meant to change.

    moved      one column alone was sorted, shifted or filled down: several rows hold what others of
               them asked for, whatever else was changed in it
    rescaled   an amount with its point moved by two or three places, as a spreadsheet of another
               country reads 45,500 or 455.00, where nothing had asked for another one
    recoined   another currency, where nothing had asked for one: of one row it is enough, for a
               column of two currencies shows no more of having been sorted

What such a row asked for is what the journal has of it; of a cell that could not be read, what its
reason said that it may mean. Where several columns make one field, the cells of each are held
against what stood in it. A column whose cells are as they were has not moved, whatever a lookup
file makes of them now.

The row is asked about, and goes when `batchpay_retry` says yes then; a single cell that was asked
about also when it is as it was again.

A file that is corrected where it lies is held against what its orders were before in the same way
(`with_unmeant_in_place`). Its charged rows have asked for what they hold: they only show what
moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeVar

from batchpay.domain import lineage
from batchpay.domain.calendars import DateForm
from batchpay.domain.figures import NumberForm, form_of
from batchpay.domain.model import Document, Problem
from batchpay.domain.money import NotMoney, money_told, to_minor
from batchpay.domain.text import told
from batchpay.intake.mapping import Mapped
from batchpay.intake.sources import blamed_for
from batchpay.job.job import Columns, FromColumn, FromLookup, FromSum
from batchpay.lifecycle.inplace import StoodBefore
from batchpay.messages.message import Message
from batchpay.messages.problems import (
    CHANGED_CURRENCY,
    MOVED_CELLS,
    MOVED_IN_PLACE,
    RESCALED_CELL,
    RESCALED_READ,
)

Held = Callable[[str], Document | None]
WasWrong = Callable[[str], Sequence[Problem]]
CellOf = Callable[[str, str], str | None]
"""Place of a row that was told, and a column -> the cell that stood there; None: nobody knows."""
InPlace = Callable[[Mapping[int, str], Collection[str]], Mapping[str, StoodBefore]]
"""Row number -> order id of some rows, and rules by which rows were only asked about -> order id ->
the row that it had in an earlier file.
"""
Standing = Callable[[Iterable[str]], Collection[str]]
"""Order ids -> those that took money, may have taken some or may yet take some."""
K = TypeVar("K")
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


def no_cell(place: str, column: str) -> str | None:
    """There is no journal to ask."""
    return None


@dataclass(frozen=True, slots=True)
class Was:
    """What a journal tells of the rows that others name."""

    held: Held
    was_wrong: WasWrong
    cell: CellOf = no_cell


def moved_in(mapped: Mapped) -> set[str]:
    """The columns whose cells were found moved."""
    every = (problem for some in mapped.problems.values() for problem in some)
    return {one.column for one in every if one.rule == MOVED_CELLS.code}


def with_unmeant(
    mapped: Mapped,
    named: Mapping[int, str],
    columns: Columns,
    told_before: Was,
    known_moved: Collection[str],
    others: Collection[int] = (),
) -> Mapped:
    """The chunk with a problem at each such cell. `named`: position -> place of the row that it
    names; `known_moved`: columns whose cells were moved in an earlier chunk of the file; `others`:
    rows of which nobody knows what they held, and which go by the same columns.
    """
    held = told_before.held
    wrong = {at: told_before.was_wrong(place) for at, place in named.items()}
    for at in [at for at, some in wrong.items() if _is_meant(mapped, at, some)]:
        del wrong[at]
    cells = _Cells(mapped, named, told_before.cell, wrong)
    was: dict[int, Document] = {}
    asked: dict[int, Document] = {}
    near: dict[str, str] = {}
    for at, some in wrong.items():
        currency = mapped.documents[at].get("currency")
        was[at] = {
            **_read_in_cells(cells, at, some, columns),
            **(held(named[at]) or {}),
        }
        asked[at] = {**_read_otherwise(some, columns, currency, near), **was[at]}
    moved = list(_moved_cells(cells, asked, columns, known_moved, others))
    alone = (
        *_rescaled_cells(mapped, asked, was, wrong, columns),
        *_still_rescaled(mapped, was, wrong),
        *_recoined(mapped, was, wrong, columns),
    )
    told_already = {(at, problem.column) for at, problem in moved}
    moved += [
        (at, problem)
        for at, problem in alone
        if (at, problem.column) not in told_already
    ]
    if not moved:
        return mapped
    found: Found = {}
    for at, problem in moved:
        found[at] = (*found.get(at, mapped.problems.get(at, ())), problem)
    return replace(mapped, problems={**mapped.problems, **found})


def with_unmeant_in_place(
    mapped: Mapped,
    columns: Columns,
    cell: CellOf,
    in_place: InPlace,
    known_moved: Collection[str],
) -> Mapped:
    """The same of a file that has no columns of ours: its rows are those of their order ids."""
    if lineage.ID in mapped.chunk.columns:
        return mapped
    rows = mapped.chunk.rows
    ids = {
        at: str(document["order_id"])
        for at, document in enumerate(mapped.documents)
        if document.get("order_id")
    }
    before = in_place({rows[at]: order_id for at, order_id in ids.items()}, _QUESTIONS)
    if not before:
        return mapped
    rows_of = {one.place: one.row for one in before.values()}
    was = Was(
        lambda place: rows_of[place].document,
        lambda place: rows_of[place].problems,
        cell,
    )
    named = {at: before[one].place for at, one in ids.items() if one in before}
    others = ids.keys() - named.keys()
    return with_unmeant(mapped, named, columns, was, known_moved, others)


def but_for_charged(mapped: Mapped, read: Mapped, standing: Standing) -> Mapped:
    """The chunk without what was found (since it was `read`) in rows whose order was charged: that
    is in conflict with its charge, or shows it.
    """
    found = {
        at: str(mapped.documents[at].get("order_id", ""))
        for at, some in mapped.problems.items()
        if some != read.problems.get(at, ())
    }
    if not found:
        return mapped
    charged = standing(found.values())
    problems = dict(mapped.problems)
    for at, order_id in found.items():
        if order_id in charged:
            problems.pop(at)
            if at in read.problems:
                problems[at] = read.problems[at]
    return replace(mapped, problems=problems)


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


def _read_in_cells(
    cells: _Cells, at: int, wrong: Sequence[Problem], columns: Columns
) -> Document:
    """What cells said that nobody complained of, where the row was refused before that was read:
    the amount beside a currency that there is not.
    """
    read: Document = {}
    if not wrong:
        return read
    currency = str(cells.mapped.documents[at].get("currency", ""))
    blamed = {problem.column for problem in wrong}
    for name in _FIELDS:
        source = columns.fields.get(name)
        if not isinstance(source, FromColumn | FromLookup) or source.column in blamed:
            continue
        cell = cells.was(at, source.column)
        if not cell:
            continue
        if isinstance(source, FromLookup):
            read[name] = source.table.get(cell, "")
        elif name != "amount":
            read[name] = cell
        elif currency:
            with suppress(NotMoney):
                number = _number_in(cell, source.form)
                read[name] = to_minor(number, currency, source.unit or "major")
    return {name: value for name, value in read.items() if value}


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
    cells: _Cells,
    asked: Mapping[int, Document],
    columns: Columns,
    known_moved: Collection[str],
    others: Collection[int],
) -> Iterator[tuple[int, Problem]]:
    mapped = cells.mapped
    for fields in _MOVED:
        used = cells.present(columns.of(*fields))
        column = next(iter(used), "")
        pairs = {
            at: (_told_in(mapped.documents[at], fields), _told_in(was, fields))
            for at, was in asked.items()
        }
        found = _moved_of(pairs, column in known_moved)
        if found:
            for at in found:
                if cells.are_as_before(at, used):
                    pairs[at] = (pairs[at][0], pairs[at][0])
            found = _moved_of(pairs, column in known_moved)
        if column and found:
            now = {at: _told_in(mapped.documents[at], fields) for at in others}
            yield from cells.told(column, [*found, *_beside(pairs, now)])
        elif len(used) > 1:
            source = columns.fields.get(fields[0])
            form = source.form if isinstance(source, FromSum) else None
            is_number = isinstance(source, FromSum)
            for one in used:
                parts = cells.pairs(asked, one, form, is_number=is_number)
                found = _moved_of(parts, one in known_moved)
                if found:
                    now = {at: mapped.chunk.cell(one, at) for at in others}
                    yield from cells.told(one, [*found, *_beside(parts, now)])


def _told_in(document: Document, fields: Sequence[str]) -> str:
    return ":".join(str(document[name]) for name in fields if name in document)


class _Cells:
    """The cells of a chunk, and what stood in those of the rows that it names."""

    def __init__(
        self,
        mapped: Mapped,
        named: Mapping[int, str],
        was: CellOf,
        wrong: Mapping[int, Sequence[Problem]],
    ) -> None:
        """By position: `named`, the place of the row that it names; `wrong`, what was wrong with
        that.
        """
        self.mapped = mapped
        self._wrong = wrong
        self._named = named
        self._was = was

    def present(self, columns: Iterable[str]) -> list[str]:
        """Those of some columns that the file has."""
        return [name for name in columns if name in self.mapped.chunk.columns]

    def was(self, at: int, column: str) -> str | None:
        """What stood in a column of the row that one names; None: nobody knows."""
        return self._was(self._named[at], column)

    def are_as_before(self, at: int, columns: Sequence[str]) -> bool:
        """Does a row hold in each of some columns what stood there?"""
        chunk = self.mapped.chunk
        return all(self.was(at, one) == chunk.cell(one, at) for one in columns)

    def pairs(
        self,
        of: Iterable[int],
        column: str,
        form: NumberForm | None,
        *,
        is_number: bool,
    ) -> dict[int, tuple[str, str]]:
        """What some rows hold in a column, and what they held before, where anybody knows."""
        texts = self.mapped.chunk.texts(column)
        found = {}
        for at in of:
            was = self.was(at, column)
            if was is None:
                continue
            now = texts[at]
            if any(problem.column == column for problem in self._wrong[at]):
                was = ""  # what it was meant to say nobody knows
            if is_number:
                now, was = _number_in(now, form), _number_in(was, form)
            found[at] = (now, was)
        return found

    def told(self, column: str, moved: Sequence[int]) -> Iterator[tuple[int, Problem]]:
        texts = self.mapped.chunk.texts(column)
        came_back = lineage.ID in self.mapped.chunk.columns
        entry = MOVED_CELLS if came_back else MOVED_IN_PLACE
        for at in moved:
            yield at, Problem(column, told(texts[at]), entry(count=len(moved)))


_POINT = form_of("1,234.56")


def _number_in(text: str, form: NumberForm | DateForm | None) -> str:
    """A number as it is always written; any other text as it stands."""
    read = form.read if isinstance(form, NumberForm) else _POINT.read
    figure = read(text)
    if figure is None:
        return text.strip()
    whole, _, fraction = figure.number.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _moved_of(pairs: Mapping[int, tuple[str, str]], is_known: bool) -> Sequence[int]:
    """`is_known`: an earlier chunk of the file showed that the column moved."""
    if is_known:
        return _changed(pairs)
    return moved_among(pairs)


def _changed(pairs: Mapping[K, tuple[str, str]]) -> list[K]:
    return [key for key, (now, was) in pairs.items() if now and now != was]


def moved_among(pairs: Mapping[K, tuple[str, str]]) -> Sequence[K]:
    """Of rows, each with what it asks for and what it asked for before, those whose cells were
    moved: all that have changed, and of which nobody knows what they held, where several hold what
    others lost that have changed or are empty now; or those that hold one value of a row that has
    not.
    """
    changed = _changed(pairs)
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


def _beside(
    pairs: Mapping[int, tuple[str, str]], others: Mapping[int, str]
) -> list[int]:
    """The rows of which nobody knows what they held, of a column that moved: where most of the
    known ones have changed, all of them. `others`: what they hold.
    """
    known = [now != was for now, was in pairs.values() if was]
    if sum(known) < _FILLED or 2 * sum(known) <= len(known):
        return []
    return [at for at, now in others.items() if now]


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
        asks = RESCALED_CELL if "amount" in held[at] else RESCALED_READ
        said = asks(
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
