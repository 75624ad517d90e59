"""REPORT: write the reports of one batch, or of all, again from the journal alone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from batchpay.batches.ending import older_batches, opens_an_equation
from batchpay.batches.index import publish_index
from batchpay.batches.night import Result, code_of, result_of
from batchpay.batches.open_job import OpenJob
from batchpay.batches.publish import publish, publish_adopted
from batchpay.batches.runs import Runs
from batchpay.domain.errors import InputMissing
from batchpay.domain.model import Batch
from batchpay.job.job import Job


def report(job: Job, batch_id: str | None = None) -> Result:
    """Write the reports of one batch, or of all, again from the journal alone. Raises InputMissing
    for a batch that the journal does not have, and Misconfigured for a journal that was lost, or of
    which an older copy is back: what it tells would take the place of good reports.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack, whole=True)
        chosen = _chosen(opened, batch_id)
        runs = Runs(opened.journal)  # to which nothing is added but counts
        published = [publish(opened, batch, runs) for batch in chosen]
        mine = {batch.id for batch in chosen}
        older = list(older_batches(job, opened.journal, mine, opened.stop))
        others = [totals for _, totals in older]
        every = [*(one.totals for one in published), *others]
        counted = [*((one.batch, one.totals) for one in published), *older]
        open_equation = opens_an_equation(counted)
        code = code_of(opened, every, [], open_equation=open_equation)
        beside = (*publish_adopted(opened), *publish_index(opened, runs))
        return replace(result_of(opened, code, published, [], others), beside=beside)


def _chosen(opened: OpenJob, batch_id: str | None) -> list[Batch]:
    every = list(opened.journal.batches())
    if batch_id is None:
        return every
    chosen = [batch for batch in every if batch.id == batch_id]
    if not chosen:
        known = ", ".join(batch.id for batch in every) or "none"
        raise InputMissing(f"the journal has no batch {batch_id}; it has {known}")
    return chosen
