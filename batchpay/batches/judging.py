"""JUDGING: the files of a run as a whole: whose names their ids are, is one like another, and what
may a run take?
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from batchpay.batches.adopted import held_against_adopted, like_adopted
from batchpay.batches.planned import (
    PlannedBatch,
    guards_before,
    placed_rows,
    rows_in_turn,
)
from batchpay.batches.recent import Asking, likeness
from batchpay.batches.renaming import may_tell_names, new_names
from batchpay.batches.survey import survey
from batchpay.domain.errors import Misconfigured
from batchpay.domain.events import IdsRenamed, NewOrders, told_in
from batchpay.domain.model import Batch
from batchpay.intake.controls import run_refusal
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.names import Names
from batchpay.lifecycle.rows import Cancelled, Guards
from batchpay.lifecycle.sale_terms import fitting_terms_in
from batchpay.messages import steps
from batchpay.reports.manifest import mode_of


def judge_files(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    *,
    yes: bool,
    now_ns: int,
) -> list[PlannedBatch]:
    """The same batches with every verdict about them as files: which ids are other names of orders
    that were sent, likeness to a recent one, and the limit of the run.

    Raises Misconfigured where the report of one would be written over that of the other mode.
    """
    _refuse_reports_of_other_mode(job, batches)
    batches = _with_names(job, journal, batches)
    guards = replace(guards_before(job, journal, batches), stop="", are_new=yes)
    judged = _held_against_recent(
        job,
        journal,
        batches,
        guards,
        yes=yes,
        now_ns=now_ns,
    )
    if not yes:
        judged = held_against_adopted(job, journal, judged, guards)
    return _within_limit(job, journal, judged, guards)


def _refuse_reports_of_other_mode(job: Job, batches: Sequence[PlannedBatch]) -> None:
    """The same file has the same folder in both modes, and no command overwrites what it did not
    write (J24).
    """
    for planned in batches:
        folder = job.report.directory / planned.batch.id
        mode = mode_of(folder, job.name)
        if mode and mode != job.gateway.mode:
            raise Misconfigured(
                f"{folder}: is the report of this very file in {mode} mode, and would be"
                f" overwritten. {steps.OTHER_MODE(mode=mode)}"
            )


def _with_names(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]
) -> list[PlannedBatch]:
    """The same, all with what any of them tells of other names of orders."""
    lineages = Lineages.of_job(job, journal)
    telling = [
        planned
        for planned in batches
        if may_tell_names(planned.batch, lineages, had_other_ids=planned.had_other_ids)
    ]
    names = names_in(job, journal, telling)
    return [replace(planned, renamed=names) for planned in batches]


def _within_limit(
    job: Job,
    journal: SqliteJournal,
    batches: list[PlannedBatch],
    guards: Guards,
) -> list[PlannedBatch]:
    """Refused, all of them, when together they would charge more than a run may."""
    if not job.controls.max_total:
        return batches
    sums = survey(job, journal, batches, guards).sums
    why = " ".join(map(str, run_refusal(sums, job.controls.max_total)))
    return [planned.refused(why) for planned in batches]


def _before(
    journal: SqliteJournal,
    planned: PlannedBatch,
    batches: Sequence[PlannedBatch],
    earlier: Sequence[Batch],
) -> tuple[list[PlannedBatch], list[PlannedBatch]]:
    """Every other file that came before one: in an earlier run, or in this one, where it is read
    before it; and those of this run that came after it.
    """
    here = [one.batch.id for one in batches]
    came = (planned.batch.first_seen_ns, here.index(planned.batch.id))
    before = [
        PlannedBatch(one, partial(journal.chunks, one.id), {})
        for one in earlier
        if one.id not in here
    ]
    after = []
    for n, one in enumerate(batches):
        if one.batch.id == planned.batch.id:
            continue
        if (one.batch.first_seen_ns, n) < came:
            before.append(one)
        else:
            after.append(one)
    return before, after


def names_in(
    job: Job, journal: SqliteJournal, batches: Iterable[PlannedBatch]
) -> Names:
    """Which ids are other names of orders, by all rows of some batches, as far as the journal does
    not know it yet.
    """
    names = Names(ids_from=job.columns.ids_from)
    lineages = Lineages.of_job(job, journal)
    for planned in batches:
        names |= new_names(journal, lineages, planned.batch, planned.chunks())
    return names


def _held_against_recent(
    job: Job,
    journal: SqliteJournal,
    batches: Sequence[PlannedBatch],
    guards: Guards,
    *,
    yes: bool,
    now_ns: int,
) -> list[PlannedBatch]:
    """Files of new ids with the payers, recipients and amounts of a recent batch
    (docs/never-twice.md, "The same again, or something else"), in the order in which they came.

    The question is asked where the answer matters: of a file of which something would be sent.
    """
    guards = replace(guards, asks_first=True)
    quiet = partial(_quiet, job, journal, guards)
    here = {planned.batch.id for planned in batches}

    def goes(other: PlannedBatch) -> bool:
        is_here = other.batch.id in here
        return is_here and survey(job, journal, [other], guards).orders > 0

    earlier = list(journal.batches())
    judged = list(batches)
    for at in sorted(
        range(len(judged)), key=lambda n: (judged[n].batch.first_seen_ns, n)
    ):
        planned = judged[at]
        before, after = _before(journal, planned, judged, earlier)
        lineages = Lineages.of_job(job, journal, planned.renamed)
        asking = Asking(before, after, lineages, quiet, goes)
        found = likeness(journal, planned, now_ns, asking)
        if found.refusal and not yes and survey(job, journal, [planned], guards).orders:
            judged[at] = planned.refused(found.refusal)
        elif found.warning and not journal.spans(planned.batch.id):
            judged[at] = planned.warned(found.warning)
    return judged


def _quiet(
    job: Job,
    journal: SqliteJournal,
    guards: Guards,
    planned: PlannedBatch,
) -> set[str]:
    """Ids of the orders of a file that a person cancelled, or is asked about one by one."""
    return {
        str(placed.row.document["order_id"])
        for placed in placed_rows(job, journal, planned, guards)
        if placed.resembles or isinstance(placed.standing, Cancelled)
    }


def said_new(
    job: Job, journal: SqliteJournal, batches: Sequence[PlannedBatch]
) -> NewOrders | None:
    """What a person's --yes of this run is about: charges that are looked at however old they are,
    and orders and files of this run that resemble them. Nothing else is answered by it.
    """
    if not _has_other_ids(job, journal, batches):
        return None
    guards = replace(guards_before(job, journal, batches), stop="", are_new=True)
    orders: set[tuple[str, str]] = set()  # terms, and the order's own id
    for placed in rows_in_turn(job, journal, batches, guards):
        if placed.resembles or placed.is_typed:
            document = placed.row.document
            orders.add((fitting_terms_in(document)[0], document["order_id"]))
    charges: set[str] = set()
    for _, found in like_adopted(job, journal, batches, guards):
        if found.warns:
            charges.update(found.found)
    if not orders and not charges:
        return None
    return NewOrders(orders=tuple(sorted(orders)), charges=tuple(sorted(charges)))


def _has_other_ids(
    job: Job, journal: SqliteJournal, batches: Iterable[PlannedBatch]
) -> bool:
    """Did any row of these files, or of earlier ones, ever have another order id than now?"""
    if any(planned.had_other_ids for planned in batches):
        return True
    if any(told_in(journal, IdsRenamed)):
        return True
    return bool(Lineages.of_job(job, journal).names.had_other_sources)
