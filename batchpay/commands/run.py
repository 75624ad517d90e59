"""RUN: settle what earlier runs left open, charge every new valid order once, write the reports."""

from __future__ import annotations

from batchpay.batches.night import NO_FLAGS, UNWATCHED, Result, in_its_loop, night
from batchpay.batches.session import Options, require_no_loop
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.settlement import Progress


def run(
    job: Job,
    key: SecretKey,
    options: Options = NO_FLAGS,
    progress: Progress = UNWATCHED,
) -> Result:
    """Settle what earlier runs left open, charge every new valid order once, write the reports.

    Trouble after the run has begun is in the result. Raises what keeps it from beginning: Usage,
    TryLater, Misconfigured, InputMissing, FileRefused, CannotWrite, InputOutput.
    """
    require_no_loop("run")
    return in_its_loop(night(job, key, options, progress))
