"""RESOLVE: what became of a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchpay.job.job import Job
from batchpay.terminal.speech import Speech
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json

if TYPE_CHECKING:
    from batchpay.commands.word import Settled


def resolved(job: Job, made: Settled, *, as_json: bool) -> None:
    """What a person's word settled."""
    if as_json:
        write_json({"settled": made.sentence})
    else:
        say(Speech(job.report.language).kept(made.sentence))
