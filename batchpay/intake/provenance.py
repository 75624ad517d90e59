"""PROVENANCE: does a row that came back stand beside the `batchpay_` columns that we wrote for it?

People sort, cut and fill columns without the others. Then a row stands beside the `batchpay_id` of
another one, and an id that a program damaged would be given back as that other's. So what a row
asks for is held against what the row asked for that it names, and against the others that the same
file names:

    the id itself is in the cell                      it is that order, whatever else was corrected
    the cell is what a program makes of this id       ... unless the row is more like another one
    the cell could be any id's (empty, rounded, #N/A) ... only if what it asks for is the same, or
      is nobody else's
    another id is in the cell                         another order, that corrects the named row if
      it is like it, and the id is not that of another row beside the named one

Who did as the reason said is no such stranger: an id without the blanks for which it was refused,
or one where none stood and whose own row stands beside it, is that row's own.

What cannot be told so is rejected, and says what to write. So are cells that nobody meant
(`moved`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from batchpay.domain import lineage
from batchpay.domain.model import Document, Problem
from batchpay.domain.text import told
from batchpay.intake.damage import has_lost_letters, is_misread, tells_nothing, trace_of
from batchpay.intake.mapping import Mapped
from batchpay.intake.moved import CellOf, Was, no_cell, with_unmeant
from batchpay.intake.sources import blamed_for
from batchpay.job.job import Columns, FromTemplate
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.payers import payer_of
from batchpay.messages.problems import (
    ANOTHER_ROW,
    LOST_ID,
    LOST_LETTERS,
    OTHER_JOBS_ROW,
)

Held = Callable[[str], Document | None]
"""Place of a row that was told (places.place_of) -> what it asked for as far as it could be
read.
"""

Beside = Callable[[str], Mapping[str, Document | None]]
"""The same place -> the order ids of the other rows about it in its file, and what they ask for;
None of those that were rejected, too.
"""

WasWrong = Callable[[str], Sequence[Problem]]
"""The same place -> what was wrong with the row."""

JobOf = Callable[[str, Sequence[str]], str]
"""Place, and the order ids that the row has and had -> the other job that it is of, or ""."""


def unknown(place: str) -> Document | None:
    """There is no journal to ask."""
    return None


def nobody_beside(place: str) -> Mapping[str, Document | None]:
    """There is no journal to ask."""
    return {}


def nothing_wrong(place: str) -> Sequence[Problem]:
    """There is no journal to ask."""
    return ()


class _Facts(NamedTuple):
    """By what rows are told from each other; empty where a row has none."""

    payer: str
    money: str
    destination: str
    words: str
    order_id: str = ""


_SEVERAL = 2  # rows with ids of neighbours: a column that was shifted, no slip

_ALL = tuple(range(len(_Facts._fields)))
# most first
_CHOICES = [
    some for size in range(len(_ALL), 0, -1) for some in combinations(_ALL, size)
]


class _Came(NamedTuple):
    """A row that came back: what it asks for, and what the row did that it names."""

    facts: _Facts
    named: _Facts

    @property
    def agree(self) -> int:
        """How many facts are those of the named row."""
        pairs = zip(self.facts, self.named, strict=True)
        return sum(1 for mine, its in pairs if mine and mine == its)

    @property
    def compared(self) -> int:
        """How many facts both have."""
        pairs = zip(self.facts, self.named, strict=True)
        return sum(1 for mine, its in pairs if mine and its)

    @property
    def is_a_stranger(self) -> bool:
        """Do both payer and money differ?"""
        pairs = (self.facts[:2], self.named[:2])
        return all(
            mine and its and mine != its for mine, its in zip(*pairs, strict=True)
        )


def held_against(
    mapped: Mapped,
    columns: Columns,
    held: Held,
    beside: Beside = nobody_beside,
    was_wrong: WasWrong = nothing_wrong,
    known_moved: Collection[str] = (),
    cell: CellOf = no_cell,
) -> Mapped:
    """The chunk with a problem at each row that is not beside its own `batchpay_` columns.

    `known_moved`: columns whose cells were moved in an earlier chunk of the file; `cell`: what
    stood in a column of a row that was told.
    """
    if lineage.ID not in mapped.chunk.columns:
        return mapped
    mapped = _with_own_words(mapped, columns, held)
    came = dict(_came(mapped, held))
    came |= dict(_done_as_told(mapped, columns, came, was_wrong))
    lost = {at for at in mapped.doubtful if at not in mapped.corrects}
    neighbours = set(_neighbours(mapped, came, beside))
    others = {*_strangers(mapped, came), *neighbours, *_shifted(came, neighbours)}
    strangers = lost | others
    if strangers:
        mapped = _without(mapped, strangers)
        came = {at: one for at, one in came.items() if at not in strangers}
    named = {at: mapped.corrects[at] for at in came}
    was = Was(held, was_wrong, cell)
    mapped = with_unmeant(mapped, named, columns, was, known_moved)
    return _with_lost_letters(mapped, held)


def _with_own_words(mapped: Mapped, columns: Columns, held: Held) -> Mapped:
    """The chunk with the words that programs changed as they were: 007 came back as 7, a day in
    another form, also inside a text that a template makes. Nobody meant that either, and it would
    ask a declined card again.
    """
    documents = list(mapped.documents)
    reread = []
    made = _templates(columns, mapped)
    mapped_names = [_named(key) for key in columns.metadata]
    for at, place in mapped.corrects.items():
        was = held(place) or {}
        parts = {name: [text[at] for text in texts] for name, texts in made.items()}
        now = {**dict.fromkeys(mapped_names, ""), **_words(documents[at])}
        changed = _changed_by_programs(_words(was), now, parts)
        if not changed:
            continue
        documents[at] = _with_words_of(documents[at], was, changed)
        reread.append(at)
    if not reread:
        return mapped
    return replace(mapped, documents=documents, reread=tuple(reread))


def _changed_by_programs(
    was: Mapping[str, str], now: Mapping[str, str], parts: Mapping[str, Sequence[str]]
) -> set[str]:
    """Which words are what a program makes of what stood there. `parts`: of those that templates
    make.
    """
    found = set()
    for name, text in now.items():
        own = was.get(name, "")
        if own != text and _is_made_of(own, parts.get(name, ("", text, ""))):
            found.add(name)
    return found


def _templates(columns: Columns, mapped: Mapped) -> dict[str, list[Sequence[str]]]:
    """Of the words that a template makes the literals and the columns between them, by name."""
    sources = {_named(key): source for key, source in columns.metadata.items()}
    if "description" in columns.fields:
        sources["description"] = columns.fields["description"]
    found = {}
    for name, source in sources.items():
        if mapped.corrects and isinstance(source, FromTemplate):
            parts: list[Sequence[str]] = [
                [part] * len(mapped.documents) for part in source.parts
            ]
            parts[1::2] = map(mapped.chunk.texts, source.columns)
            found[name] = parts
    return found


def _is_made_of(own: str, parts: Sequence[str]) -> bool:
    """Were these the parts of a text, cells between literals, before programs changed cells?"""
    literal, *left = parts
    if not left:
        return own == literal
    if not own.startswith(literal):
        return False
    cell, *left = left
    begins = len(literal)
    places = range(begins, len(own) + 1)
    if len(left) == 1:  # the last cell goes on to the last literal
        places = places[max(0, len(own) - len(left[0]) - begins) :][:1]
    return any(
        own.startswith(left[0], ends)
        and _is_of(cell, own[begins:ends])
        and _is_made_of(own[ends:], left)
        for ends in places
    )


def _is_of(cell: str, was: str) -> bool:
    """Is a word what programs make of the one that stood there? That one is known, so it is enough
    that it may be; a word alone that is gone was taken out by a person.
    """
    if not was or not cell.strip():
        return cell.strip() == was or tells_nothing(cell or was)
    if _to_the_eye(cell) == _to_the_eye(was):
        return True
    return trace_of(cell, was) != "" or is_misread(cell, was)


def _to_the_eye(text: str) -> str:
    """With straight quotes and dashes, and one blank where several or a line's end are."""
    return " ".join(text.translate(_STRAIGHT).split())


_STRAIGHT = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    }
)


def _with_words_of(
    document: Document, was: Document, names: Collection[str]
) -> Document:
    mended = dict(document)
    metadata = dict(document.get("metadata") or {})
    own = was.get("metadata") or {}
    if "description" in names:
        _put_back(mended, was, "description")
    for key in dict.fromkeys((*own, *metadata)):
        if _named(key) in names:
            _put_back(metadata, own, key)
    if metadata:
        mended["metadata"] = metadata
    else:
        mended.pop("metadata", None)
    return mended


def _put_back(now: Document, was: Document, name: str) -> None:
    """As it was; away where it was not there."""
    if name in was:
        now[name] = was[name]
    else:
        now.pop(name, None)


def _with_lost_letters(mapped: Mapped, held: Held) -> Mapped:
    """The chunk with a problem at each text that came back with ? for its letters: nobody meant
    that, and it would ask for another attempt as a correction does.
    """
    found: dict[int, tuple[Problem, ...]] = {}
    for at, place in mapped.corrects.items():
        was = _words(held(place) or {})
        for name, text in _words(mapped.documents[at]).items():
            if has_lost_letters(was.get(name, ""), text):
                problem = Problem(name, told(text), LOST_LETTERS())
                found[at] = (*found.get(at, mapped.problems.get(at, ())), problem)
    if not found:
        return mapped
    return replace(mapped, problems={**mapped.problems, **found})


def _words(document: Document) -> dict[str, str]:
    found = {"description": str(document.get("description", ""))}
    for key, text in (document.get("metadata") or {}).items():
        found[_named(key)] = str(text)
    return found


def _named(key: str) -> str:
    return f"metadata[{key}]"


def of_other_jobs(mapped: Mapped, job_of: JobOf) -> Mapped:
    """The chunk with a problem at each row that came back for a row of another job: only there is
    it known what became of that one. `job_of`: the place, and the ids the row
    has and had -> another job, or "".
    """
    if not mapped.corrects:
        return mapped
    ids = mapped.chunk.texts(lineage.ID)
    jobs: dict[int, str] = {}
    for at, place in mapped.corrects.items():
        own = (mapped.documents[at].get("order_id"), lineage.own_id(ids[at]))
        jobs[at] = job_of(place, [str(one) for one in own if one])
    astray = {at: job for at, job in jobs.items() if job}
    if not astray:
        return mapped
    problems = dict(mapped.problems)
    for at, job in astray.items():
        problem = Problem(lineage.ID, told(ids[at]), OTHER_JOBS_ROW(job=job))
        problems[at] = (*problems.get(at, ()), problem)
    corrects = {at: place for at, place in mapped.corrects.items() if at not in astray}
    return replace(mapped, problems=problems, corrects=corrects)


def _came(mapped: Mapped, held: Held) -> Iterator[tuple[int, _Came]]:
    """The rows that name one which the journal knows."""
    own = list(map(lineage.own_id, mapped.chunk.texts(lineage.ID)))
    for at, place in mapped.corrects.items():
        document = held(place)
        if document is None:
            continue
        shown = _facts(mapped.documents[at])
        if at in mapped.restored:
            shown = shown._replace(order_id="")
        named = _facts(document)._replace(order_id=own[at] or "")
        yield at, _Came(shown, named)


def _done_as_told(
    mapped: Mapped, columns: Columns, came: Mapping[int, _Came], was_wrong: WasWrong
) -> Iterator[tuple[int, _Came]]:
    """The rows that named no id, and have the one now that their reason asked for."""
    at_home: dict[str, bool] = {}  # id -> do all rows that name it have it?
    for one in came.values():
        if own := one.named.order_id:
            is_there = one.facts.order_id == own
            at_home[own] = at_home.get(own, True) and is_there
    column = blamed_for(columns.fields["order_id"], "order_id")
    for at, one in came.items():
        mine = one.facts.order_id
        if not mine or one.named.order_id:
            continue
        cells = [
            problem.value
            for problem in was_wrong(mapped.corrects[at])
            if problem.column == column
        ]
        if (at_home.get(mine) and "" in cells) or _is_mended(cells, mine):
            yield at, one._replace(named=one.named._replace(order_id=mine))


_UNWANTED = re.compile(r"␠|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|[\"'“-‟‘-‛]", re.IGNORECASE)


def _is_mended(cells: Sequence[str], order_id: str) -> bool:
    """Is it what a refused cell says without what it was refused for?"""
    return any(
        bare and (alike(bare) == alike(order_id) or trace_of(bare, order_id) == "sure")
        for bare in (_UNWANTED.sub("", cell) for cell in cells)
    )


def _strangers(mapped: Mapped, came: Mapping[int, _Came]) -> Iterator[int]:
    likes: Counter[tuple[object, ...]] = Counter()
    for one in came.values():
        likes.update(_keys(one.named))
    rows = len(came)
    for at, one in came.items():
        if at in mapped.doubtful:
            same = 0 < one.compared == one.agree
            if same:
                continue
            if one.is_a_stranger or _nearest_other(one, likes, rows) >= one.agree:
                yield at
        elif at in mapped.restored:
            # the cell speaks for it
            if _nearest_other(one, likes, rows) > one.agree + 1:
                yield at
        elif one.facts.order_id != one.named.order_id:
            # as look-alikes are asked to be
            written_out = alike(one.facts.order_id) == alike(one.named.order_id)
            is_another = one.is_a_stranger
            if not is_another and not written_out:
                is_another = _nearest_other(one, likes, rows) > one.agree
            if is_another:
                yield at


def _neighbours(
    mapped: Mapped, came: Mapping[int, _Came], beside: Beside
) -> Iterator[int]:
    """The rows whose id is that of another row of the file that they name one of: of one that is to
    be put right, too, whatever both ask for; of any other that asks for something else. Of two ids
    that look alike one is to be written as the other, and one that was none is to be filled in.
    """
    for at, one in came.items():
        mine = one.facts.order_id
        if not mine or alike(mine) == alike(one.named.order_id):
            continue
        others = beside(mapped.corrects[at])
        if mine not in others:
            continue
        asked = others[mine]
        is_anothers = asked is None
        if asked is not None and one.named.order_id:
            is_anothers = one.facts[:3] != _facts(asked)[:3]
        if is_anothers:
            yield at


def _shifted(came: Mapping[int, _Came], neighbours: Collection[int]) -> Iterator[int]:
    """The rows with another id than their own, beside several that have a neighbour's: the column
    was shifted or filled, also where its new ids are nobody's yet.
    """
    if len(neighbours) < _SEVERAL:
        return
    for at, one in came.items():
        own = one.named.order_id
        if own and one.facts.order_id and alike(one.facts.order_id) != alike(own):
            yield at


def _nearest_other(
    one: _Came, likes: Mapping[tuple[object, ...], int], rows: int
) -> int:
    """In how many facts another row that the file names is like this one; -1: there is no other."""
    named = set(_keys(one.named))
    for key in _keys(one.facts):
        if likes.get(key, 0) > (key in named):
            return len(key) // 2
    if rows > 1:
        return 0
    return -1


def _keys(facts: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Every choice of facts that a row has, the most first: (number, fact, number, fact ...)."""
    for some in _CHOICES:
        if not all(facts[number] for number in some):
            continue
        key: list[object] = []
        for number in some:
            key += (number, facts[number])
        yield tuple(key)


def _facts(document: Document) -> _Facts:
    money = ""
    if "amount" in document:
        money = f"{document['amount']} {document.get('currency', '')}"
    told_words = ""
    words = [document.get("description"), document.get("metadata")]
    if any(words):
        told_words = json.dumps(words, sort_keys=True)
    return _Facts(
        payer_of(document),
        money,
        str(document.get("destination", "")),
        told_words,
        str(document.get("order_id", "")),
    )


def _without(mapped: Mapped, strangers: set[int]) -> Mapped:
    """The chunk in which these rows are rejected and correct nobody; of whom nothing tells the id,
    they have none.
    """
    problems = dict(mapped.problems)
    documents = list(mapped.documents)
    unmapped = dict(mapped.unmapped)
    ids = mapped.chunk.texts(lineage.ID)
    for at in sorted(strangers):
        is_doubtful = at in mapped.doubtful
        problem = _problem(ids[at], doubtful=is_doubtful)
        problems[at] = (*problems.get(at, ()), problem)
        if is_doubtful:
            anonymous = dict(documents[at])
            anonymous.pop("order_id", None)
            documents[at] = anonymous
            unmapped[at] = unmapped.get(at, frozenset()) | {"order_id"}
    return replace(
        mapped,
        documents=documents,
        problems=problems,
        unmapped=unmapped,
        corrects={
            at: place for at, place in mapped.corrects.items() if at not in strangers
        },
        earlier={at: ids for at, ids in mapped.earlier.items() if at not in strangers},
        restored=tuple(at for at in mapped.restored if at not in strangers),
        incomplete=mapped.incomplete | (strangers & mapped.doubtful),
    )


def _problem(text: str, *, doubtful: bool) -> Problem:
    if doubtful:
        said = LOST_ID()
    else:
        said = ANOTHER_ROW()
    return Problem(lineage.ID, told(text), said)
