"""MAP: a chunk of cells becomes order documents, column by column, without repairing anything.

What a cell says is taken as it stands or refused with a reason; a refused or empty cell leaves its
field out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Literal

from batchpay.domain import lineage
from batchpay.domain.alike import differences, looks
from batchpay.domain.calendars import DateForm
from batchpay.domain.figures import NumberForm, declared_by
from batchpay.domain.model import Chunk, Document, Problem
from batchpay.domain.money import (
    CODES,
    EXPONENTS,
    MAX_MINOR,
    NotMoney,
    major_text,
    plain_minors,
    to_minor,
)
from batchpay.domain.secrets import secret_in
from batchpay.domain.text import told
from batchpay.intake import damage
from batchpay.job.job import (
    Columns,
    FromColumn,
    FromLookup,
    FromSum,
    FromTemplate,
    FromValue,
    Source,
)
from batchpay.lifecycle.plan import place_of
from batchpay.messages import problems
from batchpay.messages.message import Message

TEMPLATE_LIMIT = 1000  # characters a template may make of one row
# no schema can allow an order without them
ESSENTIAL = (
    "order_id",
    "amount",
    "currency",
    "destination",
)
PAYING = frozenset({"card", "customer", "source"})  # fields in which a token may stand
IDENTIFIERS = frozenset(
    {"order_id", "destination", "card", "customer", "source", "currency", "return_uri"}
)

_WIRE = {form: code.lower() for code in EXPONENTS for form in (code, code.lower())}
_BLANKS = " \t\n\r\u3000"
# Control, format and other characters that leave no mark on paper: two ids that look alike must be
# alike.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """One chunk after mapping: what each row asks for, and what could not be read."""

    chunk: Chunk
    documents: list[Document]
    problems: Mapping[int, tuple[Problem, ...]]  # by position; what the reader found included
    # by position: fields whose cell holds something that was refused
    unmapped: Mapping[int, frozenset[str]]
    comeback: frozenset[int]  # positions with batchpay_retry = yes
    incomplete: frozenset[int]  # positions where one of ESSENTIAL is not there
    # position -> the row it came back for (place_of)
    corrects: Mapping[int, str] = field(default_factory=dict)
    restored: tuple[int, ...] = ()  # positions whose damaged order id is its own again
    # those of them whose cell could be what was made of other ids as well
    doubtful: frozenset[int] = frozenset()
    # position -> the order id it came back under
    earlier: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Findings:
    """What is wrong so far, by position."""

    problems: dict[int, list[Problem]]
    unmapped: dict[int, set[str]] = field(default_factory=dict)

    def refuse(self, at: int, name: str, problem: Problem) -> None:
        self.problems.setdefault(at, []).append(problem)
        self.unmapped.setdefault(at, set()).add(name)


_Cells = list[str]
_Values = Sequence[str | int | None]
_NOWHERE: frozenset[int] = frozenset()


def map_chunk(
    chunk: Chunk, columns: Columns, odd_ids: Literal["reject", "accept"] = "reject"
) -> Mapped:
    """Every row of the chunk as an order document, with every problem of every row."""
    read, restored, doubtful = _with_own_ids(
        chunk, columns.fields.get("order_id"), odd=odd_ids == "accept"
    )
    found = _Findings({at: list(problems) for at, problems in read.problems.items()})
    if odd_ids == "reject":
        odd = _odd_cells(read, columns, found)
    else:
        odd = {}
    cells = {
        name: _cells(read, source, name, odd.get(name, _NOWHERE), found)
        for name, source in columns.fields.items()
        if name != "amount"
    }
    values: dict[str, _Values] = {}
    for name, texts in cells.items():
        if name == "currency":
            values[name] = _currencies(texts, columns.fields[name], found)
        elif name in IDENTIFIERS:
            values[name] = _texts(texts, columns.fields[name], name, found)
        else:
            values[name] = texts
    if "amount" in columns.fields:
        currencies = values.get("currency", ())
        values["amount"] = _amounts(read, columns.fields["amount"], currencies, found)
    for name, column in values.items():
        if name not in PAYING and name not in ("amount", "currency"):
            values[name] = _without_tokens(column, columns.fields[name], name, found)
    metadata = {
        key: _metadata(read, key, source, found) for key, source in columns.metadata.items()
    }
    comeback = _comeback(read, found)
    documents = _documents(len(chunk.rows), values, metadata)
    corrects = _corrects(chunk, found)
    incomplete: set[int] = set()
    for name in ESSENTIAL:
        incomplete.update(_gaps(values.get(name, ())))
    return Mapped(
        chunk=chunk,
        documents=documents,
        problems={at: tuple(problems) for at, problems in found.problems.items()},
        unmapped={at: frozenset(names) for at, names in found.unmapped.items()},
        comeback=comeback,
        incomplete=frozenset(incomplete),
        corrects=corrects,
        restored=restored,
        doubtful=doubtful,
        earlier=_told_ids(chunk, corrects, documents),
    )


def column_of(columns: Columns, name: str) -> str:
    """The input column that feeds a field (`amount`, `metadata.invoice`), or the field when there
    is no single one.
    """
    head, _, key = name.partition(".")
    if head == "metadata":
        source = columns.metadata.get(key)
    else:
        source = columns.fields.get(head)
    if source is None:
        return name
    return _column(source, name)


# --- cells


def _column(source: Source, name: str) -> str:
    """Whom to blame for a field: its column, when there is exactly one."""
    needed = _needed(source)
    if len(set(needed)) == 1:
        return needed[0]
    return name


def _needed(source: Source) -> tuple[str, ...]:
    match source:
        case FromColumn(column=column) | FromLookup(column=column):
            return (column,)
        case FromTemplate() | FromSum():
            return source.columns
    return ()  # a fixed value


def _cells(
    chunk: Chunk,
    source: Source,
    name: str,
    odd: Collection[int],
    found: _Findings,
) -> _Cells:
    """The text of one field in every row; empty where there is none or its cell was refused."""
    match source:
        case FromColumn():
            texts = _from_column(chunk, source, name, found)
        case FromValue(value=value):
            texts = [value] * len(chunk.rows)
        case FromTemplate():
            texts = _filled(chunk, source, name, found)
        case FromLookup(column=column):
            texts = _looked_up(_without(odd, chunk.texts(column)), source, name, found)
        case FromSum():
            raise AssertionError(f"{name} is no amount")
    if chunk.problems:
        texts = _without_blamed(texts, chunk.problems, _needed(source), name, found)
    return _without(odd, texts)


def _from_column(
    chunk: Chunk,
    source: FromColumn,
    name: str,
    found: _Findings,
) -> _Cells:
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
    cells: _Cells,
    kinds: Mapping[int, str],
    source: FromColumn,
    form: DateForm,
    name: str,
    found: _Findings,
) -> _Cells:
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
            found.refuse(at, name, Problem(source.column, _quoted(cell), said))
    return told_dates


def _without(places: Collection[int], texts: _Cells) -> _Cells:
    if places:
        return ["" if at in places else text for at, text in enumerate(texts)]
    return texts


def _without_blamed(
    texts: _Cells,
    blamed: Mapping[int, Iterable[Problem]],
    needed: Collection[str],
    name: str,
    found: _Findings,
) -> _Cells:
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
    found: _Findings,
) -> _Cells:
    """A template filled in for every row; absent where all its cells are empty."""
    count = len(chunk.rows)
    columns = [chunk.texts(column) for column in template.columns]
    pieces: list[Iterable[str]] = [repeat(literal, count) for literal in template.parts]
    pieces[1::2] = columns
    texts = list(map("".join, zip(*pieces, strict=True)))
    if any("" in cells for cells in columns):
        texts = _without_empty(texts, columns, template, name, found)
    if max(map(len, texts), default=0) > TEMPLATE_LIMIT:
        column = _column(template, name)
        said = problems.TEMPLATE_TOO_LONG(limit=TEMPLATE_LIMIT)
        for at, text in enumerate(texts):
            if len(text) > TEMPLATE_LIMIT:
                found.refuse(at, name, Problem(column, told(text), said))
                texts[at] = ""
    return texts


def _without_empty(
    texts: _Cells,
    columns: Sequence[_Cells],
    template: FromTemplate,
    name: str,
    found: _Findings,
) -> _Cells:
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
    keys: _Cells,
    lookup: FromLookup,
    name: str,
    found: _Findings,
) -> _Cells:
    """The value that stands beside each key in the lookup file; exact keys only."""
    values = list(map(lookup.table.get, keys))
    if None in values or lookup.ambiguous or "" in values:
        near = {looks(known): known for known in lookup.table}
        for at, key in enumerate(keys):
            value = values[at]
            is_unclear = not value or key in lookup.ambiguous
            if key and is_unclear:
                problem = _lookup_problem(key, value, lookup, near)
                found.refuse(at, name, problem)
                values[at] = None
    return [value or "" for value in values]


def _lookup_problem(
    key: str, value: str | None, lookup: FromLookup, near: Mapping[str, str]
) -> Problem:
    """`near`: what a key looks like -> the key."""
    file = lookup.path.name
    if key in lookup.ambiguous:
        said = problems.LOOKUP_AMBIGUOUS(file=file)
    elif value is None and looks(key) in near:
        known = near[looks(key)]
        said = problems.LOOKUP_ALIKE(
            file=file,
            key=lookup.key,
            near=_quoted(known),
            differs=differences(key, known),
        )
    elif value is None:
        said = problems.LOOKUP_MISSING(file=file, key=lookup.key)
    else:
        said = problems.LOOKUP_EMPTY(file=file, column=lookup.value)
    return Problem(lookup.column, _quoted(key), said)


# --- odd ids


def _odd_cells(chunk: Chunk, columns: Columns, found: _Findings) -> dict[str, set[int]]:
    """Where a cell is no id, by field: cells that order ids are made of, and keys by which others
    are looked up.

    A column is blamed once, whatever number of fields it feeds, and not where its reader has blamed
    the cell.
    """
    odd: dict[str, set[int]] = {}
    blamed: set[tuple[int, str]] = set()
    for name, source in columns.fields.items():
        is_key = name in IDENTIFIERS and isinstance(source, FromLookup)
        if name != "order_id" and not is_key:
            continue
        for column in dict.fromkeys(_needed(source)):
            for at, (text, fault) in _faults(chunk, column).items():
                problem = Problem(column, _quoted(text), fault)
                if (at, column) in blamed:
                    found.unmapped.setdefault(at, set()).add(name)
                else:
                    found.refuse(at, name, problem)
                blamed.add((at, column))
                odd.setdefault(name, set()).add(at)
    return odd


def _faults(chunk: Chunk, column: str) -> dict[int, tuple[str, Message]]:
    """Position -> text and fault of each cell of a column that is no id."""
    texts = chunk.texts(column)
    typed = chunk.typed.get(column, {})
    if not typed and not damage.suspicious(texts):
        return {}
    faults = {}
    for at, text in enumerate(texts):
        if at in typed and typed[at] != "number":
            fault = damage.fault_of_type(typed[at])
        else:
            fault = damage.fault_of(text)
        if fault is None:
            continue
        blamed = {problem.column for problem in chunk.problems.get(at, ())}
        if column not in blamed:
            faults[at] = (text, fault)
    return faults


# --- what came back


@dataclass(frozen=True, slots=True)
class _Mended:
    """A chunk whose order ids are those its rows were sent back with."""

    chunk: Chunk
    column: str
    ids: _Cells
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

    def texts(self, column: str) -> _Cells:
        if column == self.column:
            return self.ids
        return self.chunk.texts(column)

    def cells(self) -> bytes:
        return self.chunk.cells()


def _with_own_ids(
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


def _corrects(chunk: Chunk, found: _Findings) -> dict[int, str]:
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


def _told_ids(
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


# --- tokens


def _metadata(
    chunk: Chunk,
    key: str,
    source: Source,
    found: _Findings,
) -> _Cells:
    name = f"metadata.{key}"
    texts = _cells(chunk, source, name, _NOWHERE, found)
    return _without_tokens(texts, source, name, found)


def _without_tokens(
    texts: _Values,
    source: Source,
    name: str,
    found: _Findings,
) -> list[str]:
    """A token stays in the field that pays; anywhere else it would be shown."""
    kept = [str(text or "") for text in texts]
    if "tokn_" not in "|".join(kept):
        return kept
    column = _column(source, name)
    for at, text in enumerate(kept):
        if "tokn_" in text and (secret := secret_in(text)):
            said = problems.SECRET(secret=secret, field=name)
            found.refuse(at, name, Problem(column, told(text), said))
            kept[at] = ""
    return kept


# --- identifiers


def _texts(
    texts: _Cells,
    source: Source,
    name: str,
    found: _Findings,
) -> _Values:
    """Identifiers as they stand; refused are blanks around and invisible characters inside."""
    if _plain(texts):
        return texts
    return _screened(texts, _identifier_fault, source, name, found)


def _plain(texts: _Cells) -> bool:
    """Is the whole column visible ASCII without blanks? Then no cell needs a look of its own."""
    joined = "|".join(texts)
    return joined.isascii() and joined.isprintable() and " " not in joined


def _identifier_fault(text: str) -> Message | None:
    if _HIDDEN.search(text):
        return problems.INVISIBLE_CHARACTER()
    if text[:1] in _BLANKS or text[-1:] in _BLANKS:
        return problems.SURROUNDING_BLANKS()
    return None


def _screened(
    texts: _Cells,
    fault_of: Callable[[str], Message | None],
    source: Source,
    name: str,
    found: _Findings,
) -> list[str | None]:
    """The texts without those at fault; empty ones are nobody's fault."""
    kept: list[str | None] = list(texts)
    column = _column(source, name)
    for at, text in enumerate(texts):
        if text and (fault := fault_of(text)):
            found.refuse(at, name, Problem(column, _quoted(text), fault))
            kept[at] = None
    return kept


def _quoted(text: str) -> str:
    """As `shown`, with blanks at the ends made visible."""
    bare = text.strip(" \u3000")
    if bare == text:
        return told(text)
    if bare:
        ends = text.partition(bare)
    else:
        ends = (text, "", "")
    return "".join((_visible(ends[0]), told(bare), _visible(ends[2])))


def _visible(blanks: str) -> str:
    return blanks.replace(" ", "␠")[:8].replace("\u3000", r"\u3000")


def _currencies(texts: _Cells, source: Source, found: _Findings) -> _Values:
    """Known codes in lower case, as they travel; anything else is refused."""
    wire = list(map(_WIRE.get, texts))
    if None in wire:
        _screened(texts, _currency_fault, source, "currency", found)
    return wire


def _currency_fault(text: str) -> Message | None:
    if text in _WIRE:
        return None
    return _identifier_fault(text) or problems.UNKNOWN_CURRENCY(codes=CODES)


# --- money


@dataclass(frozen=True, slots=True)
class _Money:
    """How the cells of a column are amounts."""

    column: str  # to blame
    unit: Literal["major", "minor"]
    form: NumberForm | None = None
    is_part: bool = False  # of a sum: it may be 0 or less


def _amounts(
    chunk: Chunk,
    source: Source,
    currencies: _Values,
    found: _Findings,
) -> _Values:
    """Whole smallest units of every row's amount."""
    if isinstance(source, FromSum):
        return _sums(chunk, source, currencies, found)
    texts = _cells(chunk, source, "amount", _NOWHERE, found)
    column = _column(source, "amount")
    form = None
    unit: Literal["major", "minor"] = "major"
    if isinstance(source, FromColumn | FromValue) and source.unit:
        unit = source.unit
    if isinstance(source, FromColumn) and isinstance(source.form, NumberForm):
        form = source.form
    numbers = _numbers(chunk, column)
    return _minors(texts, numbers, currencies, _Money(column, unit, form), found)


def _numbers(chunk: Chunk, column: str) -> Collection[int]:
    """Positions of cells that are numbers, of which a form says nothing."""
    kinds = chunk.typed.get(column, {})
    return {at for at, kind in kinds.items() if kind not in ("date", "boolean")}


def _sums(
    chunk: Chunk,
    source: FromSum,
    currencies: _Values,
    found: _Findings,
) -> _Values:
    """The parts of each amount added, all of them or none."""
    cells = []
    minors = []
    for column in source.columns:
        part = FromColumn(column, source.unit)
        texts = _cells(chunk, part, "amount", _NOWHERE, found)
        rule = _Money(column, source.unit, source.form, is_part=True)
        cells.append(texts)
        minors.append(_minors(texts, _numbers(chunk, column), currencies, rule, found))
    totals: list[int | None] = []
    rows = zip(zip(*cells, strict=True), zip(*minors, strict=True), strict=True)
    for at, (texts_of_row, parts) in enumerate(rows):
        currency = currencies[at] if currencies else None
        total = None
        if any(texts_of_row) and "amount" not in found.unmapped.get(at, ()):
            total = _total(at, source, texts_of_row, parts, currency, found)
        totals.append(total)
    return totals


def _total(
    at: int,
    source: FromSum,
    texts: Sequence[str],
    parts: Sequence[str | int | None],
    currency: str | int | None,
    found: _Findings,
) -> int | None:
    """One row's amount from its parts; None where it has none, which is told."""
    for column, text in zip(source.columns, texts, strict=True):
        if not text and not source.default:
            found.refuse(at, "amount", Problem(column, "", problems.PART_EMPTY()))
    if "amount" in found.unmapped.get(at, ()):
        return None
    total = sum(int(part or 0) for part in parts)
    if 0 < total <= MAX_MINOR:
        return total
    shown = major_text(total, str(currency or ""))
    if total <= 0:
        said = problems.AMOUNT_NOT_POSITIVE()
    else:
        said = problems.AMOUNT_TOO_LARGE(most=MAX_MINOR)
    found.refuse(at, "amount", Problem(" + ".join(source.columns), shown, said))
    return None


def _minors(
    cells: _Cells,
    numbers: Collection[int],
    currencies: _Values,
    rule: _Money,
    found: _Findings,
) -> _Values:
    """Whole smallest units. Plain columns are converted at once, other cells one by one."""
    texts = cells
    if rule.form is not None:
        texts = _plain_numbers(cells, numbers, currencies, rule, found)
    amounts = _at_once(texts, currencies, rule.unit)
    known = (amount for amount in amounts if amount is not None)
    if None not in amounts and min(known, default=1) > 0:
        return amounts
    for at, text in enumerate(texts):
        if not text or amounts[at]:
            continue
        currency = None
        if currencies:
            currency = currencies[at]
        try:
            amounts[at] = _one_amount(text, currency, rule)
        except NotMoney as error:
            said = error.said
            if rule.form is None and at not in numbers:
                said = _or_declared(text, said, currency, rule)
            found.refuse(at, "amount", Problem(rule.column, _quoted(cells[at]), said))
            amounts[at] = None
        if amounts[at] is None:
            found.unmapped.setdefault(at, set()).add("amount")
    return amounts


def _plain_numbers(
    cells: _Cells,
    numbers: Collection[int],
    currencies: _Values,
    rule: _Money,
    found: _Findings,
) -> _Cells:
    """What a form makes of the cells; empty where one does not fit, or says another currency."""
    assert rule.form is not None
    texts = list(cells)
    for at, cell in enumerate(cells):
        if not cell or at in numbers:
            continue
        figure = rule.form.read(cell)
        currency = currencies[at] if currencies else None
        if figure is None:
            said = problems.OTHER_FORM(form=rule.form.example)
        elif currency and not figure.is_of(str(currency)):
            said = problems.OTHER_SIGN(sign=figure.sign, currency=str(currency).upper())
        else:
            texts[at] = figure.number
            continue
        texts[at] = ""
        found.refuse(at, "amount", Problem(rule.column, _quoted(cell), said))
    return texts


# A refusal that a declaration could lift -> the same with that declaration.
_DECLARE = {
    "number-format": problems.NUMBER_FORMAT_OR,
    "too-many-decimals": problems.TOO_MANY_DECIMALS_OR,
    "not-whole": problems.NOT_WHOLE_OR,
}


def _or_declared(
    text: str,
    said: Message,
    currency: str | int | None,
    rule: _Money,
) -> Message:
    """A refusal with the declaration under which the cell were an amount, where there is one."""
    declared = declared_by(text, whole=rule.unit == "minor")
    if declared is None or said.rule not in _DECLARE:
        return said
    form, number = declared
    try:
        _one_amount(number, currency, rule)
    except NotMoney:
        return said
    return _DECLARE[said.rule](wrong=said, number=number, form=form)


def _at_once(texts: _Cells, currencies: _Values, unit: str) -> list[int | None]:
    """What plainly is an amount, by the decimals its currency has; None for every other cell."""
    if unit == "minor":
        return plain_minors(texts, 0)
    kinds = set(currencies)
    decimals = {EXPONENTS[str(code).upper()] for code in kinds if code}
    if None not in kinds and len(decimals) == 1:
        return plain_minors(texts, decimals.pop())
    amounts: list[int | None] = [None] * len(texts)
    for code in kinds - {None}:
        exponent = EXPONENTS[str(code).upper()]
        places = [at for at, currency in enumerate(currencies) if currency == code]
        some = plain_minors([texts[at] for at in places], exponent)
        for at, amount in zip(places, some, strict=True):
            amounts[at] = amount
    return amounts


def _one_amount(text: str, currency: str | int | None, rule: _Money) -> int | None:
    """One cell with all its errors; None when only the currency is to blame."""
    try:
        minor = to_minor(text, str(currency or "THB"), rule.unit)
    except NotMoney as error:
        if currency or error.said.rule == problems.NUMBER_FORMAT.code:
            raise
        return None
    if minor <= 0 and not rule.is_part:
        raise NotMoney(problems.AMOUNT_NOT_POSITIVE())
    if currency or rule.unit == "minor":
        return minor
    return None


# --- rows


def _comeback(chunk: Chunk, found: _Findings) -> frozenset[int]:
    """Rows whose sender asks for the next attempt in so many words."""
    if lineage.RETRY not in chunk.columns:
        return frozenset()
    texts = chunk.texts(lineage.RETRY)
    if not any(texts):
        return frozenset()
    words = [text.lower() for text in texts]
    for at, word in enumerate(words):
        if word not in {"", "yes", "no"}:
            problem = Problem(lineage.RETRY, _quoted(texts[at]), problems.YES_OR_NO())
            found.problems.setdefault(at, []).append(problem)
    return frozenset(at for at, word in enumerate(words) if word == "yes")


def _documents(
    count: int, values: Mapping[str, _Values], metadata: Mapping[str, _Cells]
) -> list[Document]:
    """Columns turned into one document per row; what is empty or refused leaves its key out."""
    absent: _Values = [None] * count
    core = [values.get(name, absent) for name in ESSENTIAL]
    documents: list[Document] = [
        {
            "order_id": order_id,
            "amount": amount,
            "currency": currency,
            "destination": destination,
        }
        for order_id, amount, currency, destination in zip(*core, strict=True)
    ]
    for name, column in zip(ESSENTIAL, core, strict=True):
        for at in _gaps(column):
            del documents[at][name]
    others = ((name, column) for name, column in values.items() if name not in ESSENTIAL)
    for name, column in others:
        for document, value in zip(documents, column, strict=True):
            if value:
                document[name] = value
    for key, texts in metadata.items():
        for document, text in zip(documents, texts, strict=True):
            if text:
                document.setdefault("metadata", {})[key] = text
    return documents


def _gaps(column: _Values) -> list[int]:
    """Positions without a value."""
    if None in column or "" in column:
        return [at for at, value in enumerate(column) if not value]
    return []
