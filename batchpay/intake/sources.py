"""SOURCES: the text of one field in every row, from its column, template, lookup or fixed value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat

from batchpay.domain.alike import differences, looks
from batchpay.domain.calendars import DateForm
from batchpay.domain.model import Chunk, Problem
from batchpay.domain.text import told
from batchpay.intake.refusals import Cells, Refusals, quoted
from batchpay.job.job import (
    Columns,
    FromColumn,
    FromLookup,
    FromSum,
    FromTemplate,
    FromValue,
    Source,
)
from batchpay.messages import headers, problems

IDENTIFIERS = frozenset(
    {"order_id", "destination", "card", "customer", "source", "currency", "return_uri"}
)
TEMPLATE_LIMIT = 1000  # characters a template may make of one row


def column_of(columns: Columns, name: str) -> str:
    """The input column that feeds a field (`amount`, `metadata.invoice`), or the field when there
    is no single one.
    """
    source = source_of(columns, name)
    if source is None:
        return name
    return blamed_for(source, name)


def source_of(columns: Columns, name: str) -> Source | None:
    """Where a field comes from."""
    head, _, key = name.partition(".")
    if head == "metadata":
        return columns.metadata.get(key)
    return columns.fields.get(head)


def blamed_for(source: Source, name: str) -> str:
    """Whom to blame for a field: its column, when there is exactly one."""
    needed = needed_by(source)
    if len(set(needed)) == 1:
        return needed[0]
    return name


def needed_by(source: Source) -> tuple[str, ...]:
    """The columns that a source is made of."""
    match source:
        case FromColumn(column=column) | FromLookup(column=column):
            return (column,)
        case FromTemplate() | FromSum():
            return source.columns
    return ()  # a fixed value


def in_lookup(source: Source | None, text: str, problem: Problem) -> Problem:
    """The same of a text that a lookup file gave: there it is to be corrected."""
    if not isinstance(source, FromLookup) or not text or text not in source.lines:
        return problem
    said = problems.LOOKUP_VALUE(
        file=source.path.name,
        line=source.lines[text],
        column=source.value,
        wrong=problem.said,
    )
    return replace(problem, said=said, label=problem.rule)


def cells_of(
    chunk: Chunk,
    source: Source,
    name: str,
    odd: Collection[int],
    found: Refusals,
) -> Cells:
    """The text of one field in every row; empty where there is none or its cell was refused."""
    match source:
        case FromColumn():
            texts = _from_column(chunk, source, name, found)
        case FromValue(value=value):
            texts = [value] * len(chunk.rows)
        case FromTemplate():
            texts = _filled(chunk, source, name, found)
        case FromLookup(column=column):
            keys = _without({*odd, *_refused(chunk, column)}, chunk.texts(column))
            texts = _looked_up(keys, source, name, found)
        case FromSum():
            raise AssertionError(f"{name} is no amount")
    if chunk.problems:
        texts = _without_blamed(texts, chunk.problems, needed_by(source), name, found)
    return _without(odd, texts)


def _refused(chunk: Chunk, column: str) -> Iterator[int]:
    """Where the reader has refused the cell of a column."""
    for at, refused in chunk.problems.items():
        if any(problem.column == column for problem in refused):
            yield at


def _from_column(
    chunk: Chunk,
    source: FromColumn,
    name: str,
    found: Refusals,
) -> Cells:
    """The cells of a column as its declaration has them: dates told as ISO 8601 tells them, a
    default where a cell is empty. A cell that is refused gets none.
    """
    cells = chunk.texts(source.column)
    texts = cells
    if isinstance(source.form, DateForm):
        kinds = chunk.typed.get(source.column, {})
        texts = _dates(cells, kinds, source, source.form, name, found)
    if source.default:
        filled = zip(cells, texts, strict=True)
        texts = [text if cell else source.default for cell, text in filled]
    return texts


def _dates(
    cells: Cells,
    kinds: Mapping[int, str],
    source: FromColumn,
    form: DateForm,
    name: str,
    found: Refusals,
) -> Cells:
    """`kinds`: what cells are that are no text. A cell that is a date, which readers tell in ISO
    8601, needs no form; a time of day is no part of it.
    """
    told_dates = list(cells)
    for at, cell in enumerate(cells):
        if kinds.get(at) == "date":
            told_dates[at] = cell.partition("T")[0]
        elif cell:
            told_dates[at] = form.read(cell) or ""
        if cell and not told_dates[at]:
            said = problems.DATE_FORMAT(form=form.example)
            found.refuse(at, name, Problem(source.column, quoted(cell), said))
    return told_dates


def _without(places: Collection[int], texts: Cells) -> Cells:
    if places:
        return ["" if at in places else text for at, text in enumerate(texts)]
    return texts


def _without_blamed(
    texts: Cells,
    blamed: Mapping[int, Iterable[Problem]],
    needed: Collection[str],
    name: str,
    found: Refusals,
) -> Cells:
    """The same without the cells the reader has refused already: one fault is told once."""
    kept = list(texts)
    for at, refused in blamed.items():
        if any(problem.column in needed for problem in refused):
            kept[at] = ""
            found.unmapped.setdefault(at, set()).add(name)
    return kept


def _filled(
    chunk: Chunk,
    template: FromTemplate,
    name: str,
    found: Refusals,
) -> Cells:
    """A template filled in for every row; absent where all its cells are empty."""
    count = len(chunk.rows)
    columns = [chunk.texts(column) for column in template.columns]
    pieces: list[Iterable[str]] = [repeat(literal, count) for literal in template.parts]
    pieces[1::2] = columns
    texts = list(map("".join, zip(*pieces, strict=True)))
    if any("" in cells for cells in columns):
        texts = _without_empty(texts, columns, template, name, found)
    if max(map(len, texts), default=0) > TEMPLATE_LIMIT:
        column = blamed_for(template, name)
        said = problems.TEMPLATE_TOO_LONG(limit=TEMPLATE_LIMIT)
        for at, text in enumerate(texts):
            if len(text) > TEMPLATE_LIMIT:
                found.refuse(at, name, Problem(column, told(text), said))
                texts[at] = ""
    return texts


def _without_empty(
    texts: Cells,
    columns: Sequence[Cells],
    template: FromTemplate,
    name: str,
    found: Refusals,
) -> Cells:
    """Free text bears a gap; an identifier with a gap could be another order's: it is refused."""
    for at, cells in enumerate(zip(*columns, strict=True)):
        if not any(cells):
            texts[at] = ""
        elif name in IDENTIFIERS and "" in cells:
            empty = template.columns[cells.index("")]
            said = problems.TEMPLATE_EMPTY(field=name)
            found.refuse(at, name, Problem(empty, "", said))
            texts[at] = ""
    return texts


def _looked_up(
    keys: Cells,
    lookup: FromLookup,
    name: str,
    found: Refusals,
) -> Cells:
    """The value that stands beside each key in the lookup file; exact keys only."""
    values = list(map(lookup.table.get, keys))
    if None in values or lookup.ambiguous or "" in values:
        near = {_without_zeros(known): known for known in lookup.table}
        near |= {looks(known): known for known in lookup.table}
        for at, key in enumerate(keys):
            value = values[at]
            is_unclear = not value or key in lookup.ambiguous
            if key and is_unclear:
                problem = _lookup_problem(key, value, lookup, near)
                found.refuse(at, name, problem)
                values[at] = None
    return [value or "" for value in values]


def _without_zeros(key: str) -> str:
    """A number without zeros in front, in a form that no `looks` has; another key as it looks."""
    plain = looks(key)
    if not plain.isdecimal():
        return plain
    return "\0" + plain.lstrip("0")


def _lookup_problem(
    key: str, value: str | None, lookup: FromLookup, near: Mapping[str, str]
) -> Problem:
    """`near`: what a key looks like, with and without zeros in front -> the key."""
    file = lookup.path.name
    known = near.get(looks(key)) or near.get(_without_zeros(key), "")
    if key in lookup.ambiguous:
        said = problems.LOOKUP_AMBIGUOUS(file=file)
    elif value is None and known:
        differs = differences(key, known)
        if looks(key) not in near:
            differs = (headers.DIFFERS_ZEROS(),)
        said = problems.LOOKUP_ALIKE(
            file=file,
            key=lookup.key,
            near=quoted(known),
            differs=differs,
        )
    elif value is None:
        said = problems.LOOKUP_MISSING(file=file, key=lookup.key)
    else:
        said = problems.LOOKUP_EMPTY(file=file, column=lookup.value)
    return Problem(lookup.column, quoted(key), said)
