"""SETTLE: ask the gateway about what is open, send nothing, write the reports again."""

from __future__ import annotations

from batchpay.batches.night import NO_FLAGS, UNWATCHED, Result, in_its_loop, night
from batchpay.batches.session import Options, require_no_loop
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.settlement import Progress


def settle(
    job: Job,
    key: SecretKey,
    options: Options = NO_FLAGS,
    progress: Progress = UNWATCHED,
) -> Result:
    """Ask the gateway about every pending and in-doubt charge; send nothing; rewrite the reports.
    Raises what `run` raises.
    """
    require_no_loop("settle")
    return in_its_loop(night(job, key, options, progress, charges=False))
