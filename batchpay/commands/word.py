"""WORD: what every word of a person has in common: whose it is, what is told, and the reports that
are written again.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass

from batchpay.batches.counted import is_due, last_totals
from batchpay.batches.index import publish_index
from batchpay.batches.open_job import OpenJob
from batchpay.batches.publish import publish, settled_anew, write
from batchpay.batches.runs import Runs
from batchpay.messages import screens, steps


@dataclass(frozen=True, slots=True)
class Settled:
    """What was settled, in a sentence."""

    sentence: str
    exit_code: int = 0


def publish_all(opened: OpenJob) -> None:
    """Every report in which something moved, or a row was settled by what moved, or that tells of a
    lifted stop; none from an older copy of the journal, before a run has dealt with what it lacks.
    """
    if opened.loss is not None:
        return
    latest = last_totals(opened.journal)
    for batch in opened.journal.batches():
        if is_due(opened.journal, latest.get(batch.id), opened.stop):
            publish(opened, batch, Runs(opened.journal))
    runs = Runs(opened.journal)
    for counted in settled_anew(opened):
        write(opened, counted, runs)
    publish_index(opened)


def and_the_stop(opened: OpenJob, told: str) -> str:
    """What was settled may be what a stop is about: that is lifted by a word of its own."""
    if opened.stop:
        return str(screens.STILL_A_STOP(told=told, step=steps.LIFT_STOP()))
    return told


def who() -> str:
    """Whose word it is: the name of the user of this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
