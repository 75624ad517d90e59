"""The same fault in many rows, told once: how many rows, how many different cells, the first of
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from batchpay.domain.model import Problem
from batchpay.messages.message import Message

NAMED = 3  # rows of a group that are named
# different cells that are counted; beyond, there are "more than 1,000"
MOST_VALUES = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one file that one rule has the same to say about."""

    file: str
    sheet: str  # empty for files without sheets
    column: str
    rule: str
    said: Message  # of the first of them
    rows: int
    values: int  # different cells; MOST_VALUES + 1 stands for any number above
    # row and cell of the first with each cell, NAMED at most
    first: tuple[tuple[int, str], ...]

    def to_json(self) -> dict[str, Any]:
        """For programs; `remedy` is that of the first row."""
        return {
            "file": self.file,
            "sheet": self.sheet,
            "column": self.column,
            "rule": self.rule,
            "rows": self.rows,
            "values": self.values,
            "first": [{"row": row, "value": value} for row, value in self.first],
            "remedy": str(self.said),
            **self.said.to_json(),
        }


# What a message tells to write or to say: rows to which it tells otherwise are another group.
_ADVICE = ("form", "near")
MOST_ADVICES = 12  # groups of one fault by what they tell; the rest are one more

_Key = tuple[str, str, str, str, str, str]


class _Counted:
    """A group as it grows."""

    def __init__(self, said: Message) -> None:
        self.said = said
        self.rows = 0
        self.last = -1
        self.values: set[str] = set()
        self.first: list[tuple[int, str]] = []

    def add(self, row: int, value: str) -> None:
        """One more row, or one more fault of the last one."""
        if row != self.last:
            self.rows += 1
            self.last = row
        if value in self.values:
            return
        if len(self.values) <= MOST_VALUES:
            self.values.add(value)
        if len(self.first) < NAMED:
            self.first.append((row, value))


class Groups:
    """The problems of all files, as they are found; memory grows with the rules, not the rows."""

    def __init__(self) -> None:
        self._found: dict[_Key, _Counted] = {}
        self._advices: Counter[tuple[str, ...]] = Counter()  # groups by fault

    def add(self, file: str, sheet: str, row: int, problem: Problem) -> bool:
        """Count one problem; is it the first of its group?"""
        fault = (file, sheet, problem.column, problem.rule, problem.said.code)
        advice = _advice(problem.said)
        is_new = (*fault, advice) not in self._found
        if is_new and advice and self._advices[fault] >= MOST_ADVICES:
            advice = ""
            is_new = (*fault, advice) not in self._found
        if is_new:
            self._advices[fault] += 1
            self._found[*fault, advice] = _Counted(problem.said)
        self._found[*fault, advice].add(row, problem.value)
        return is_new

    def all(self) -> tuple[Group, ...]:
        """File by file as they were read; in each the group of the most rows first."""
        files = list(dict.fromkeys(key[:2] for key in self._found))
        groups = [_group(key, counted) for key, counted in self._found.items()]
        groups.sort(
            key=lambda group: (files.index((group.file, group.sheet)), -group.rows)
        )
        return tuple(groups)


def _advice(said: Message) -> str:
    """What is told to write or to say; empty where all rows of a fault are told the same."""
    fields = dict(said.fields)
    return "".join(str(fields.get(name, "")) for name in _ADVICE)


def _group(key: _Key, counted: _Counted) -> Group:
    file, sheet, column, rule, _, _ = key
    return Group(
        file,
        sheet,
        column,
        rule,
        counted.said,
        counted.rows,
        len(counted.values),
        tuple(counted.first),
    )


def of_file(groups: Sequence[Group], file: str) -> list[Group]:
    """Those of one file."""
    return [group for group in groups if group.file == file]
