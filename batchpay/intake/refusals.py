"""REFUSALS: what is wrong with the cells of a chunk, gathered while it is mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from batchpay.domain.model import Problem
from batchpay.domain.text import told


@dataclass(slots=True)
class Refusals:
    """What is wrong so far, by position."""

    problems: dict[int, list[Problem]]
    unmapped: dict[int, set[str]] = field(default_factory=dict)

    def refuse(self, at: int, name: str, problem: Problem) -> None:
        self.problems.setdefault(at, []).append(problem)
        self.unmapped.setdefault(at, set()).add(name)


Cells = list[str]
Values = Sequence[str | int | None]
NOWHERE: frozenset[int] = frozenset()


def quoted(text: str) -> str:
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
