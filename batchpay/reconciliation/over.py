"""OVER: what is told of a row that was settled elsewhere: why it was not charged, and no step any
more, for nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batchpay.domain.model import NO_MONEY, Finding, Outcome, Problem
from batchpay.lifecycle.rows import Why
from batchpay.messages import outcomes, steps
from batchpay.messages.message import Entry, Message

_STEPS = frozenset(one.code for one in vars(steps).values() if isinstance(one, Entry))


def as_settled(finding: Finding) -> Finding:
    """The same row; what was told of it to be done is over."""
    return replace(finding, reasons=(*_why_it_was(finding), outcomes.SETTLED()))


def _why_it_was(finding: Finding) -> Why:
    if finding.outcome in NO_MONEY:
        return tuple(one for one in finding.reasons if not _tells_to_act(one))
    if finding.outcome is Outcome.CONFLICT:
        return (outcomes.WAS_CONFLICT(),)
    if finding.reasons:
        return (outcomes.WAS_REJECTED(rule=finding.reasons[0].rule),)
    return tuple(map(_was, finding.problems))


def _tells_to_act(said: Message) -> bool:
    """Is it a step, or has it one in it?"""
    return said.code in _STEPS or any(map(_tells_to_act, _parts(said)))


def _parts(said: Message) -> Iterator[Message]:
    for _, field in said.fields:
        if isinstance(field, Message):
            yield field
        elif isinstance(field, tuple):
            yield from field


def _was(problem: Problem) -> Message:
    """What was found, without what to write instead."""
    if not problem.column:
        return outcomes.WAS_REJECTED(rule=problem.rule)
    if not problem.value:
        return outcomes.WAS_EMPTY(column=problem.column, rule=problem.rule)
    return outcomes.WAS_FOUND(
        column=problem.column, value=problem.value, rule=problem.rule
    )
