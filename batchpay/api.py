"""The same for programs: load a job, check it, plan, run, settle, report, ask where it stands.

    from batchpay import api

    job = api.load("night/job.toml")
    result = api.run(job, api.secret_key(job))

Results are frozen values; nothing is printed. What cannot go on raises a `BatchpayError`, whose
`exit_code` is the one that the command ends with; trouble in rows is in the result. The command
line is the first user of this module. docs/api.md tells more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from batchpay.batches.night import Result
from batchpay.batches.publish import Published
from batchpay.batches.session import Options, ask_recipients
from batchpay.commands.again import Again, report_at
from batchpay.commands.check import Checked, OnProblem, RowProblem, check
from batchpay.commands.plan import Ask, OnRow, Plan, plan
from batchpay.commands.report import report
from batchpay.commands.run import run
from batchpay.commands.settle import settle
from batchpay.commands.status import Status, status, story
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Outcome, Problem, RunDone
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.job.key import secret_key as key_in
from batchpay.job.load import load_job
from batchpay.settlement import Progress

__all__ = [
    "Again",
    "Ask",
    "BatchpayError",
    "Checked",
    "Job",
    "OnProblem",
    "OnRow",
    "Options",
    "Outcome",
    "Plan",
    "Problem",
    "Progress",
    "Published",
    "Result",
    "RowProblem",
    "RunDone",
    "SecretKey",
    "Status",
    "asking",
    "check",
    "load",
    "load_kept",
    "plan",
    "report",
    "report_at",
    "run",
    "secret_key",
    "settle",
    "status",
    "story",
]


def load(job_file: Path | str, *, input_file: str | None = None) -> Job:
    """A job file, read and checked, with the schema and lookup files it names. `input_file` is read
    instead of the job's own. Raises Misconfigured (78) with everything that is wrong.
    """
    return load_job(Path(job_file), input_override=input_file)


def load_kept(job_file: Path | str) -> Job:
    """The same for `settle`, `report`, `status` and `story`, which ask the journal alone: files
    that only new rows need may be gone.
    """
    return load_job(Path(job_file), judges=False)


def secret_key(job: Job, environ: Mapping[str, str] = os.environ) -> SecretKey:
    """The key of the job's mode, from OMISE_SECRET_KEY or the file that OMISE_SECRET_KEY_FILE
    names. Raises Misconfigured (78).
    """
    return key_in(environ, job.gateway)


def asking(job: Job, key: SecretKey) -> Ask:
    """For `plan`: ask the gateway whether each recipient can be paid. Asking raises TryLater (75)
    while the job runs; what the gateway refuses stands in the plan.
    """
    return partial(ask_recipients, job, key)
