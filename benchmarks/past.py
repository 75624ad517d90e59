"""`python -m benchmarks.past SECONDS [ROWS]` in a job's folder: a run, whole, as it was so many
seconds ago, so that what it charges lies before every list of today; at most so many orders.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from functools import partial
from pathlib import Path

from batchpay.batches.clock import SystemClock
from batchpay.batches.night import UNWATCHED, night
from batchpay.batches.open_job import Edges
from batchpay.batches.session import Options
from batchpay.job.key import secret_key
from batchpay.job.load import load_job


class Past(SystemClock):
    """The wall clock as it was; what has elapsed since the machine began stays."""

    def __init__(self, back_s: int) -> None:
        super().__init__()
        self._wall_ns = time.time_ns() - back_s * 10**9


def main() -> None:
    """Ends with the run's own exit code."""
    back_s = int(sys.argv[1])
    limit = None
    if len(sys.argv) > 2:
        limit = int(sys.argv[2])
    job = load_job(Path("job.toml"))
    edges = Edges(clock=partial(Past, back_s))
    options = Options(limit=limit)
    done = asyncio.run(
        night(job, secret_key(os.environ, job.gateway), options, UNWATCHED, edges=edges)
    )
    sys.exit(done.exit_code)


if __name__ == "__main__":
    main()
