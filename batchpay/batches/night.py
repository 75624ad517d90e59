"""NIGHT: a whole run of one process, from its lock to its reports.

run      lock -> read -> plan -> list -> settle what is open -> charge -> list again -> report
settle   lock -> list -> settle what is open -> report
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    Collection,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from batchpay.batches.begun import begun
from batchpay.batches.counted import (
    behind,
    has_fallen,
    is_due,
    is_open,
    last_totals,
    names_paid,
    still_counts,
    unfinished,
)
from batchpay.batches.ending import acts_over, code_over
from batchpay.batches.index import publish_index
from batchpay.batches.last import FIRST_LOOK, has_looked
from batchpay.batches.open_job import WORLD, Edges, OpenJob
from batchpay.batches.publish import (
    SPOOLED,
    Counted,
    Published,
    are_written,
    count,
    keep,
    publish_adopted,
    publish_nothing,
    settled_anew,
    write,
)
from batchpay.batches.runs import Runs
from batchpay.batches.sentagain import later_of
from batchpay.batches.session import Options, SessionCall, SessionEnd, hold_session
from batchpay.batches.wholeness import is_of, refuse_lost
from batchpay.domain.errors import (
    BatchpayError,
    InputMissing,
    TryLater,
    Usage,
)
from batchpay.domain.events import RunCounted, RunFinished
from batchpay.domain.exits import Acts, worst
from batchpay.domain.model import Batch, Event, RunDone
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.reconciliation.totals import Totals
from batchpay.reports import load
from batchpay.reports.files import refuse_unwritable
from batchpay.reports.manifest import head_in
from batchpay.settlement import Case, Progress


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb that writes reports leaves behind."""

    exit_code: int
    # the batches of this run first, then every other whose report was written
    published: tuple[Published, ...]
    trouble: tuple[BatchpayError, ...]  # what went wrong beside the rows
    stop: str = ""  # why nothing is sent any more
    notes: tuple[str, ...] = ()  # what a person should hear beside the outcomes
    acts: Acts = field(default_factory=Acts)  # who must act
    run: RunDone | None = None  # what this run did; None for what is no run
    beside: tuple[Path, ...] = ()  # reports that are no batch's


class _Unwatched:
    """Nobody looks on."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Not told."""

    def order(self, case: Case) -> None:
        """Not told."""


NO_FLAGS = Options()
NO_SESSION = SessionEnd()
_WELL = (0, 10)  # exit codes that tell nobody to run again
UNWATCHED: Progress = _Unwatched()


def in_its_loop(whole: Coroutine[Any, Any, Result]) -> Result:
    """A night in an event loop of its own. Raises what it raises."""
    with asyncio.Runner() as runner:
        try:
            # may fail for want of descriptors, before the coroutine has begun
            runner.get_loop()
        except BaseException:
            whole.close()
            raise
        return runner.run(whole)


async def night(
    job: Job,
    key: SecretKey,
    options: Options,
    progress: Progress,
    *,
    charges: bool = True,
    edges: Edges = WORLD,
) -> Result:
    """A whole run, from the lock to its reports; `charges` False is `settle`. The simulator's
    nights are this very one.

    Raises Usage for a `--since` that lies ahead, and what opening the job and its input files
    raise.
    """
    with ExitStack() as stack:
        signals = stack.enter_context(edges.signals())
        opened = OpenJob(job, stack, wait=options.wait, edges=edges)
        _refuse_to_come(options, opened)
        refuse_lost(opened.loss, adopt=options.adopt)
        call = SessionCall(key, options, progress, signals, charges)
        if not charges:
            return await _work(opened, call, [])
        refuse_unwritable(job.report.directory)
        progress.phase("reading")
        trouble = _take_in(opened, stack, yes=options.yes)
        opened.empty = not opened.planned and not trouble
        if _has_work(opened, adopt=options.adopt):
            return await _work(opened, call, trouble)
        if trouble:
            raise trouble[0]
        return _without_a_request(opened, options)


def _refuse_to_come(options: Options, opened: OpenJob) -> None:
    if options.since is not None and options.since > opened.started:
        raise Usage(
            f"--since {options.since:%Y-%m-%d} is not there yet: it only widens how far back a run"
            " looks"
        )


def _has_work(opened: OpenJob, *, adopt: bool) -> bool:
    """Is there anything to ask the gateway about?"""
    if opened.planned or opened.recorder.cases.is_anything_open() or opened.stop:
        return True
    if later_of(opened.journal, opened.started_ns).is_anything:
        return True
    return adopt and opened.loss is not None


def _take_in(opened: OpenJob, stack: ExitStack, *, yes: bool) -> list[BatchpayError]:
    """Plan this run's files; what is wrong with those that cannot be read."""
    try:
        intakes = opened.take_in(stack, yes=yes)
    except InputMissing as missing:
        return [missing]
    return list(intakes.refused)


def _without_a_request(opened: OpenJob, options: Options) -> Result:
    """No file tonight and nothing open: that is written down as every run is."""
    opened.note(begun(opened, options, charges=True))
    return _reported(opened, [], asked=True)


async def _work(
    opened: OpenJob, call: SessionCall, trouble: list[BatchpayError]
) -> Result:
    """The part of a run that leaves the machine, then its reports, whatever happened."""
    load(opened.job.report.formats, opened.job.report.language)
    opened.note(begun(opened, call.options, charges=call.charges))
    ended = SessionEnd()
    of_session: list[BatchpayError] = []
    try:
        ended = await hold_session(opened, call)
        of_session += ended.trouble
    except BatchpayError as error:
        of_session.append(error)
    trouble += [*opened.refused(), *of_session]
    if signal := call.signals.received:
        trouble.append(
            TryLater(f"interrupted by {signal}; run the same command again to go on")
        )
    call.progress.phase("reporting")
    return _reported(opened, trouble, ended)


def _reported(
    opened: OpenJob,
    trouble: list[BatchpayError],
    ended: SessionEnd = NO_SESSION,
    *,
    asked: bool = False,
) -> Result:
    """Count, write down how the run ended, write the reports from that. What cannot be written is
    how it ended, too. A run that could not look did not end well, whatever its rows say.

    `asked`: there was nothing to ask the gateway about.
    """
    counted, beside_it = _with_settled(opened, _counted(opened, asked=asked))
    open_equation = any(one.open_equation for one in counted)
    totals = [one.totals for one in counted]
    code = code_of(opened, totals, trouble, open_equation=open_equation)
    notes = ended.notes
    if ended.blind and code in _WELL:
        trouble = [*trouble, TryLater(str(said.NOT_LOOKED(why=ended.blind)))]
        code = worst([code, TryLater.exit_code])
    elif ended.owed and code in _WELL:
        trouble = [*trouble, *map(TryLater, ended.owed)]
        code = worst([code, TryLater.exit_code])
        notes = tuple(note for note in notes if note not in ended.owed)
    elif ended.as_before:
        notes = (*notes, ended.as_before)
    noted = opened.note(RunCounted(exit_code=code, requests=opened.requests()))
    try:
        runs = Runs(opened.journal)
        published = [write(opened, one, runs) for one in counted]
        for one in beside_it:
            write(opened, one, runs)
        beside = publish_adopted(opened)
        if opened.empty:
            beside = (*beside, *publish_nothing(opened, code, noted, runs))
        beside = (*beside, *publish_index(opened, runs))
        opened.journal.reread()
    except BatchpayError as error:
        opened.note(RunFinished(exit_code=error.exit_code))
        raise
    finally:
        for one in (*counted, *beside_it):
            one.spool.close()
    opened.note(RunFinished(exit_code=code))
    return replace(
        result_of(opened, code, published, trouble, notes=notes, runs=runs),
        beside=beside,
    )


def _counted(opened: OpenJob, *, asked: bool) -> list[Counted]:
    """Every batch that is due for a report, once more when a row of one turned out to settle a row
    of another.
    """
    before = last_totals(opened.journal)
    counted = _count_each(opened, asked=asked)
    if opened.answered:
        for one in counted:
            one.spool.close()
        counted = _count_each(opened, asked=asked)
    if any(has_fallen(one.totals, before.get(one.batch.id)) for one in counted):
        counted += _told_anew(opened, before, {one.batch.id for one in counted})
    return counted


def _with_settled(
    opened: OpenJob, counted: Sequence[Counted]
) -> tuple[list[Counted], list[Counted]]:
    """With what reads otherwise since in the reports of the last days: first the batches by which
    this night ends, as those with an open row do, then those that are only written again.
    """
    told = {one.batch.id for one in counted if not one.kept}
    anew = {one.batch.id: one for one in settled_anew(opened, told)}
    same: list[Counted] = []
    for one in counted:
        if one.batch.id in anew:
            one.spool.close()
        else:
            same.append(one)
    mine = {one.batch.id for one in counted}
    ours, others = [], []
    for batch_id, one in anew.items():
        if batch_id in mine or is_open(one.noted):
            ours.append(one)
        else:
            others.append(one)
    return [*same, *ours], others


def _told_anew(
    opened: OpenJob, before: Mapping[str, Event], counted: Collection[str]
) -> Iterator[Counted]:
    """Every other batch of the last days that names an order as paid that is not paid any more."""
    oldest_ns = opened.started_ns - int(FIRST_LOOK.total_seconds()) * 10**9
    for batch in opened.journal.batches():
        known = before.get(batch.id)
        if known is None or batch.id in counted or batch.first_seen_ns < oldest_ns:
            continue
        if not names_paid(known):
            continue
        one = count(opened, batch, spooled=False, written=known)
        if one.noted.seq != known.seq:
            yield one


def _count_each(opened: OpenJob, *, asked: bool) -> list[Counted]:
    """A run that could not look leaves good reports as they were (J24)."""
    looked = asked or has_looked(opened.journal, opened.run_id)
    if opened.loss is not None and not looked:
        return [
            count(opened, batch, spooled=at < SPOOLED)
            for at, batch in enumerate(_without_a_report(opened))
        ]
    latest = last_totals(opened.journal)
    mine = {planned.batch.id for planned in opened.planned}
    owed = _owed(opened, latest)
    counted: list[Counted] = []
    for batch in _of_tonight(opened, latest, owed):
        known = latest.get(batch.id)
        is_spooled = len(counted) < SPOOLED
        if known is None or (batch.id in mine and looked):
            counted.append(count(opened, batch, spooled=is_spooled))
        elif (
            batch.id in owed
            or behind(opened.journal, known)
            or (looked and _is_due(opened, known))
        ):
            counted.append(count(opened, batch, spooled=is_spooled, written=known))
        else:
            counted.append(keep(opened, batch, known))
    return counted


def _is_due(opened: OpenJob, known: Event) -> bool:
    return is_due(opened.journal, known, opened.stop)


def _owed(opened: OpenJob, latest: Mapping[str, Event]) -> frozenset[str]:
    """Batches that an earlier run counted and of which the reports are not there: it was killed, or
    the disk was full (A11, D02), or older reports were put in the place of those since.
    """
    killed = unfinished(opened.journal)
    put_back = _put_back(opened, latest)
    return frozenset(
        batch_id
        for batch_id, known in latest.items()
        if (batch_id in put_back or killed(known.run_id))
        and not are_written(opened, known)
    )


def _put_back(opened: OpenJob, latest: Mapping[str, Event]) -> frozenset[str]:
    """Batches of the last days whose manifest is of an earlier event of this journal than their
    last count, as after a folder of reports was restored from a copy. One that was cleared away
    stays away.
    """
    job = opened.job
    oldest_ns = opened.started_ns - int(FIRST_LOOK.total_seconds()) * 10**9
    found = set()
    for batch in opened.journal.batches():
        if batch.id not in latest or batch.first_seen_ns < oldest_ns:
            continue
        head = head_in(job.report.directory / batch.id, job.name, job.gateway.mode)
        if head is None or not is_of(opened.journal, head):
            continue
        if head.seq < latest[batch.id].seq:
            found.add(batch.id)
    return frozenset(found)


def _without_a_report(opened: OpenJob) -> list[Batch]:
    """This run's batches that have none: the reports that are there know more than a journal that
    was lost, and stay.
    """
    reports = opened.job.report.directory
    batches = [planned.batch for planned in opened.planned]
    return [batch for batch in batches if not (reports / batch.id).exists()]


def _of_tonight(
    opened: OpenJob, latest: Mapping[str, Event], owed: Collection[str]
) -> list[Batch]:
    """This run's batches, then every other that has open rows, or whose last report may be behind
    the journal or is not there.
    """
    mine = [planned.batch for planned in opened.planned]
    mine_ids = {batch.id for batch in mine}
    others = []
    for batch in opened.journal.batches():
        known = latest.get(batch.id)
        if batch.id in mine_ids:
            continue
        if batch.id in owed or still_counts(opened.journal, known, opened.stop):
            others.append(batch)
    return [*mine, *others]


def code_of(
    opened: OpenJob,
    every: Iterable[Totals],
    trouble: list[BatchpayError],
    *,
    open_equation: bool,
) -> int:
    """The exit code over these batches and every other one with an open row (README.md, "Exit
    codes").
    """
    codes = [error.exit_code for error in trouble]
    lost = opened.loss is not None and bool(opened.planned)
    if lost and not has_looked(opened.journal, opened.run_id):
        codes.append(11)  # its rows wait, also those whose reports stay as they were
    return code_over(
        opened.job,
        opened.journal,
        every,
        codes,
        stopped=bool(opened.stop),
        open_equation=open_equation,
    )


def result_of(
    opened: OpenJob,
    code: int,
    published: list[Published],
    trouble: list[BatchpayError],
    others: Iterable[Totals] = (),
    notes: tuple[str, ...] = (),
    runs: Runs | None = None,
) -> Result:
    """Who must act: over the same batches as the code. `runs`: those that were read already."""
    counted = [(one.batch, one.totals) for one in published]
    stopped = bool(opened.stop)
    acts = acts_over(opened.job, opened.journal, counted, others, stopped=stopped)
    done = (runs or Runs(opened.journal)).whole(opened.run_id)
    if loss := opened.loss or opened.met:
        notes = (*notes, *loss.told)
    elif done is not None and done.restored:
        notes = (*notes, str(steps.SAY_AGAIN()))
    return Result(
        code, tuple(published), tuple(trouble), opened.stop, notes, acts, done
    )
