"""PHRASES: words that several screens share."""

from __future__ import annotations

from collections.abc import Mapping

from batchpay.domain import times
from batchpay.domain.text import many
from batchpay.job.job import Job
from batchpay.messages import labels, steps
from batchpay.messages.message import plain
from batchpay.terminal.speech import ENGLISH, Speech


def mode_told(mode: str, then: str = ", ") -> str:
    """Large, where no real money moves."""
    if mode in ("test", "TEST"):
        return f"TEST{then}"
    return ""


def outcomes_told(counts: Mapping[str, int], speech: Speech) -> str:
    """`1 succeeded, 2 declined`; in English outcomes are the words that programs have, too."""
    if speech.language == ENGLISH:
        return ", ".join(f"{number} {name}" for name, number in counts.items())
    return ", ".join(
        f"{number:,} {speech.outcome(name)}" for name, number in counts.items()
    )


def rows_told(rows: int, outcomes: Mapping[str, int], speech: Speech) -> str:
    """How many rows, and where they ended."""
    each = outcomes_told(outcomes, speech)
    if speech.language == ENGLISH:
        return f"{many(rows, 'row')} = {each or 'nothing'}"
    return f"{speech.say(labels.ROWS(count=rows))} = {each or 0}"


def stop_told(stop: str, speech: Speech) -> str:
    """Why everything stops, and what ends that."""
    told = labels.STOP_LINE(stop=speech.kept(stop), step=steps.LIFT_STOP())
    return speech.say(told)


def lift_told(job: Job, lift: Mapping[str, str], speech: Speech) -> str:
    """Who lifted which stop, and why."""
    at = times.local(lift["at"], job.controls.time_zone)
    if speech.language == ENGLISH:
        who = f"a stop was lifted by {lift['by']} on {at}"
        return f"{who}: {lift['reason']} (the stop: {lift['stop']})"
    lifted = labels.LIFTED(
        by=lift["by"],
        day=at,
        reason=lift["reason"],
        stop=plain(lift["stop"]),
    )
    return speech.say(lifted)
