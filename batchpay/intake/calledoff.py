"""CALLED OFF: orders of which their own row says that they were cancelled, refunded or charged
back, in a column that the job does not read, or below a row that says nothing else.

What such a word means is for a person to say: the rows are told, once a file, and are charged as
they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from batchpay.domain.annotations import calls_off
from batchpay.domain.model import Judged
from batchpay.domain.text import folded, told
from batchpay.intake.damage import number_of, tells_nothing
from batchpay.messages import noticed
from batchpay.messages.message import Message
from batchpay.messages.problems import ONLY_CELL

_NAMED = 5  # rows in a note
_MOST = (
    1000  # different cells of a column in a chunk: with more it is no state of orders
)
_LONGEST = 60  # characters of a name, or a title, that is made of such a word
_NONE = frozenset(
    {"no", "n", "false", "none", "-", "nein", "non", "ไม่", "ไม่มี", "なし", "無"}
)
_CROSSES = frozenset("x×✕✖✗✘")  # a mark, but a no beside cells that say yes otherwise


@dataclass(slots=True)
class _Column:
    """What the cells of a column told so far."""

    by_name: bool  # the name has the word, and the cells say whether
    word: str = ""
    rows: list[int] = field(default_factory=list)  # the first of them
    count: int = 0


@dataclass(slots=True)
class CalledOff:
    """The rows of one file, as they go by."""

    columns: Sequence[str]  # that no field reads
    _found: dict[str, _Column] = field(default_factory=dict)
    # of columns with such a name: where a cross stands
    _crosses: dict[str, _Column] = field(default_factory=dict)
    _titles: list[tuple[int, str]] = field(default_factory=list)
    _orders: int = 0

    def look(self, judged: Judged) -> None:
        """A chunk's rows."""
        rows = judged.chunk.rows
        self._orders += len(rows) - len(judged.problems)
        for name in self.columns:
            self._look_at(judged, name)
        for at, found in judged.problems.items():
            for problem in found:
                title = problem.said.code == ONLY_CELL.code and problem.value
                if title and len(title) < _LONGEST and calls_off(title):
                    self._titles.append((rows[at], title))

    def _look_at(self, judged: Judged, name: str) -> None:
        texts = judged.chunk.texts(name)
        different = set(texts)
        column = self._found.get(name)
        if column is None:
            by_name = len(name) < _LONGEST and calls_off(name) != ""
            column = self._found[name] = _Column(by_name)
        if column.by_name:
            crosses = {text: name for text in different if _is_cross(text)}
            crossed = self._crosses.setdefault(name, _Column(by_name=True))
            _count(crossed, crosses, texts, judged)
            words = {
                text: name for text in different - crosses.keys() if _says_yes(text)
            }
        elif len(different) > _MOST:
            return
        else:
            words = {text: text.strip() for text in different if calls_off(text)}
        _count(column, words, texts, judged)

    def notes(self) -> Iterator[Message]:
        """What a person should look at, once the file was read."""
        for name, found in self._found.items():
            column = found
            if not found.count and name in self._crosses:
                column = self._crosses[name]
            # a column with such a name that is filled everywhere is of something else
            if not column.count or (column.by_name and column.count == self._orders):
                continue
            rows = column.count
            named = ", ".join(map(str, column.rows))
            if rows > len(column.rows):
                named += ", …"
            if column.by_name:
                yield noticed.NAMED_CALLED_OFF(
                    column=told(name), rows=rows, named=named
                )
            else:
                word = told(column.word)
                yield noticed.SAYS_CALLED_OFF(
                    column=told(name), word=word, rows=rows, named=named
                )
        for row, title in self._titles[:_NAMED]:
            yield noticed.TITLED_CALLED_OFF(row=row, word=title)


def _count(
    column: _Column, words: Mapping[str, str], texts: Sequence[str], judged: Judged
) -> None:
    """Note the rows of a chunk whose cell says one of these, but for rejected ones."""
    if not words:
        return
    for at, text in enumerate(texts):
        if text in words and at not in judged.problems:
            column.count += 1
            column.word = column.word or words[text]
            if len(column.rows) < _NAMED:
                column.rows.append(judged.chunk.rows[at])


def _is_cross(text: str) -> bool:
    return folded(text).strip() in _CROSSES


def _says_yes(text: str) -> bool:
    """Does a cell hold anything but a no, or a nought?"""
    plain = folded(text).strip()
    number = number_of(plain)
    if number is not None:
        return number != 0
    return bool(plain) and plain not in _NONE and not tells_nothing(plain)
