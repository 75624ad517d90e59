"""A batch's reports: count where its rows stand, note that in the journal, then write the files
from it.

The two are apart, so that a run can write down how it ended between them: its reports show that,
and are the same bytes when they are written again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from batchpay import __version__
from batchpay.batches.clock import iso
from batchpay.batches.counted import (
    counted_before,
    is_news,
    last_totals,
    may_be_settled,
    totals_in,
    totals_of,
)
from batchpay.batches.last import FIRST_LOOK
from batchpay.batches.lifts import lifts_of
from batchpay.batches.open_job import OpenJob
from batchpay.batches.runs import Runs
from batchpay.batches.standings import Found, findings_of
from batchpay.batches.stories import stories_of
from batchpay.batches.strays import adopted_json, strays_of
from batchpay.batches.wholeness import is_of
from batchpay.batches.words import said_json
from batchpay.domain.events import (
    STOPS,
    Followed,
    RowsAnswered,
    RowsGivenUp,
    TotalsCounted,
    kinds,
    of,
    told_in,
)
from batchpay.domain.model import Batch, Event, Outcome, RunDone
from batchpay.domain.text import json_text
from batchpay.job.job import PAYERS, Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.reconciliation.lines import lines_of
from batchpay.reconciliation.totals import Equation, Totals, exit_code
from batchpay.reports import Inputs, write_reports
from batchpay.reports.files import Directory, has_own_folder, own_folder
from batchpay.reports.manifest import head_of, is_made_from, write_manifest_beside
from batchpay.reports.spool import KeptFindings
from batchpay.settlement.in_force import stop_in_force, whose_journal

# batches whose rows are kept between counting and writing; of more they are judged anew
SPOOLED = 16


@dataclass(frozen=True, slots=True)
class Published:
    """A batch as its report shows it."""

    batch: Batch
    totals: Totals
    equations: tuple[Equation, ...]
    directory: Path
    # empty: the reports of an earlier run were left as they were
    files: tuple[Path, ...]
    run: RunDone | None = None  # the last one that changed it
    # who lifted which stop that its reports told of: at, by, reason, stop
    lifted: Sequence[Mapping[str, str]] = ()

    @property
    def open_equation(self) -> bool:
        """Does any of its equations not close?"""
        return not all(equation.closes for equation in self.equations)


@dataclass(frozen=True, slots=True)
class Counted:
    """A batch as it stands, noted in the journal and not yet written."""

    batch: Batch
    totals: Totals
    equations: tuple[Equation, ...]
    noted: Event
    found: Found
    spool: KeptFindings
    # people's words, as its manifest tells them
    said: Mapping[str, object] = field(default_factory=dict)
    kept: bool = False  # its reports stay as they are

    @property
    def open_equation(self) -> bool:
        """Does any of its equations not close?"""
        return not all(equation.closes for equation in self.equations)


def publish(opened: OpenJob, batch: Batch, runs: Runs) -> Published:
    """Totals into the journal when they changed, then every report file from the journal."""
    return write(opened, count(opened, batch), runs)


def count(
    opened: OpenJob,
    batch: Batch,
    *,
    spooled: bool = True,
    written: Event | None = None,
) -> Counted:
    """Totals into the journal when they changed. `spooled`: keep what was judged for `write`, which
    lets go of it. `written`: the event from which its reports were; they stay as they are where
    nothing changed, and they are there.
    """
    journal = opened.journal
    spool = KeptFindings(opened.job.state_path.parent)
    judge = findings_of(opened.job, journal, batch)
    found = spool.reading(judge)
    if spooled:
        walked = found
    else:
        walked = judge
    try:
        totals, digest, answered = totals_of(walked)
        opened.note_answered(answered, batch.id)
        equations = tuple(totals.equations(batch.rows_read, batch.read))
        told = TotalsCounted(
            totals=totals.to_json(),
            rows_sha256=digest,
            stop=opened.stop,
            version=batch.version,
        )
        said = said_json(journal)
        if said:  # so that some manifest tells of every word
            words = json_text(said).encode("utf-8", "replace")
            told = replace(told, said=sha256(words).hexdigest())
        latest = last_totals(journal).get(batch.id)
        # else it would be written on every night
        if latest is None or of(latest) != told or is_news(journal, latest):
            latest = opened.note(told, batch.id)
    except BaseException:
        spool.close()
        raise
    kept = (
        written is not None
        and latest.seq == written.seq
        and are_written(opened, latest)
    )
    return Counted(batch, totals, equations, latest, found, spool, said, kept)


def are_written(opened: OpenJob, noted: Event) -> bool:
    """Are the reports that were written from an event there?"""
    folder = opened.job.report.directory / noted.batch_id
    return is_made_from(folder, opened.journal.id, noted.seq, noted.digest)


def settled_anew(opened: OpenJob, but: Collection[str] = ()) -> Iterator[Counted]:
    """Batches in whose reports nothing moved, but of which an order of another batch, or a word
    about a row there, may have settled a row since.

    Each of the last days is counted anew; those that read otherwise are to be written: `report`
    then writes the same bytes.
    """
    journal = opened.journal
    latest = last_totals(journal)
    last_seq = journal.last_of_orders()
    for event in journal.events(kinds(RowsAnswered, RowsGivenUp)):
        last_seq = max(last_seq, event.seq)
    oldest_ns = opened.started_ns - int(FIRST_LOOK.total_seconds()) * 10**9
    for batch in journal.batches():
        known = latest.get(batch.id)
        if known is None or batch.id in but or batch.first_seen_ns < oldest_ns:
            continue
        if known.seq > last_seq or not may_be_settled(known):
            continue
        counted = count(opened, batch, spooled=False)
        if counted.noted.seq == known.seq:
            counted.spool.close()
        else:
            yield counted


def keep(opened: OpenJob, batch: Batch, latest: Event) -> Counted:
    """A batch whose reports stay as they are: as it stood when they were written, unread."""
    totals = totals_in(latest)
    equations = tuple(totals.equations(batch.rows_read, batch.read))
    spool = KeptFindings(opened.job.state_path.parent)
    return Counted(batch, totals, equations, latest, lambda: iter(()), spool, kept=True)


def publish_nothing(
    opened: OpenJob,
    code: int,
    noted: Event,
    runs: Runs,
) -> tuple[Path, ...]:
    """report.json and manifest of a night without a file, in `<UTC date>-no-input/`. Raises
    CannotWrite.
    """
    job = opened.job
    journal = opened.journal
    folder = own_folder(
        job.report.directory,
        f"{opened.started:%Y-%m-%d}-no-input",
        job.name,
        "manifest.json",
        job.report.mode,
    )
    nothing = Batch(
        id=folder.name,
        job=job.name,
        file="",
        sha256="",
        format="",
        rows_read=0,
        columns=(),
        unused=(),
        metadata=(),
        mode=job.gateway.mode,
        job_sha256=job.sha256,
        schema_sha256=job.schema.sha256,
        lookups=job.lookups(),
        version=__version__,
        notes=(str(said.NO_FILE()),),
    )
    inputs = Inputs(
        batch=nothing,
        formats=("json", *(form for form in job.report.formats if form == "html")),
        findings=lambda: iter(()),
        totals=Totals(),
        equations=(),
        exit_code=code,
        journal_id=journal.id,
        head_seq=noted.seq,
        head_digest=noted.digest,
        stop=opened.stop,
        versions={"batchpay": __version__},
        run=runs.whole(opened.run_id),
        whose=_whose(journal, noted.seq),
        said=said_json(journal),
        job_file=job.path.name,
        language=job.report.language,
        time_zone=job.controls.time_zone,
    )
    return write_reports(folder, inputs, job.report.mode)


ADOPTED = "adopted"  # the folder of what is in no batch's report
ADOPTED_FILE = "adopted.json"


def publish_adopted(opened: OpenJob) -> tuple[Path, ...]:
    """`adopted/adopted.json`: charges of this job that no row of a report shows (J32); none ever,
    no file.
    """
    job = opened.job
    journal = opened.journal
    reports = job.report.directory
    mode = job.report.mode
    found = adopted_json(strays_of(job, journal))
    if not found["count"] and not has_own_folder(
        reports, ADOPTED, job.name, ADOPTED_FILE
    ):
        return ()  # else it tells that there is none any more
    directory = Directory(
        own_folder(reports, ADOPTED, job.name, ADOPTED_FILE, mode), mode
    )
    told = {"job": job.name, "mode": job.gateway.mode, "journal": journal.id, **found}
    named = steps.addressed(told, job.path.name)
    with directory.file(ADOPTED_FILE) as file:
        file.write((json_text(named) + "\n").encode("utf-8", "replace"))
    known = head_of(directory, job)
    # else there would be one more on every night
    if known is None or not is_of(journal, known):
        _write_manifest_of_adopted(opened, directory, found["charges"])
    return tuple(directory.written)


def _write_manifest_of_adopted(
    opened: OpenJob, directory: Directory, charges: Sequence[Mapping[str, str]]
) -> None:
    journal = opened.journal
    head = journal.head()
    unproven = [
        one["charge"] for one in charges if one["outcome"] == Outcome.UNPROVEN.value
    ]
    said = said_json(journal, unproven)
    whose = _whose(journal, head[0])
    write_manifest_beside(directory, opened.job, journal.id, head, whose, said)


def _said(counted: Counted) -> Mapping[str, object]:
    """What a batch's manifest tells of people's words, and of its own charges that are not
    proven.
    """
    if not counted.totals.count(Outcome.UNPROVEN):
        return counted.said
    unproven: set[str] = set()
    for _, lines in counted.found():
        for one in lines_of(lines).apart.values():
            if one.outcome is Outcome.UNPROVEN and one.charge_id:
                unproven.add(one.charge_id)
    return {**counted.said, "unproven": sorted(unproven)}


def _told_429(
    journal: SqliteJournal, batch_id: str, until: int
) -> Iterator[tuple[str, str]]:
    """When the gateway answered a charge of a batch with 429 (UTC), and of which order, up to an
    event.
    """
    for event in journal.told_429(batch_id):
        if event.seq <= until:
            yield iso(event.at_ns), event.order_id


def _followed_at(journal: SqliteJournal, seq: int) -> str:
    """When the gateway was last asked about all transfers that were due by an event, UTC."""
    asked_ns = 0
    for event, told in told_in(journal, Followed):
        if event.seq <= seq:
            asked_ns = told.asked_ns
    return iso(asked_ns) if asked_ns else ""


def _whose(journal: SqliteJournal, seq: int) -> dict[str, str]:
    """Account and address, as far as the journal knew them by then: what is written again is the
    same.
    """
    kept = whose_journal(event for event in journal.accounts() if event.seq <= seq)
    return {name: str(kept.get(name, "")) for name in ("account", "url")}


def write(opened: OpenJob, counted: Counted, runs: Runs) -> Published:
    """Every report file, from the journal. Raises CannotWrite."""
    batch = counted.batch
    totals = counted.totals
    equations = counted.equations
    directory = opened.job.report.directory / batch.id
    if counted.kept:
        return Published(batch, totals, equations, directory, ())
    with counted.spool:
        inputs = _inputs(opened.job, opened.journal, counted, runs)
        files = write_reports(directory, inputs, opened.job.report.mode)
    return Published(
        batch, totals, equations, directory, files, inputs.run, inputs.lifted
    )


def write_as_of(
    job: Job,
    past: SqliteJournal,
    batch: Batch,
    noted: Event,
    directory: Path,
) -> tuple[Path, ...]:
    """The files that were made from an event, by a journal that ends with what they knew. Raises
    CannotWrite.
    """
    totals = totals_in(noted)
    with KeptFindings(job.state_path.parent) as spool:
        counted = Counted(
            batch=batch,
            totals=totals,
            equations=tuple(totals.equations(batch.rows_read, batch.read)),
            noted=noted,
            found=spool.reading(findings_of(job, past, batch)),
            spool=spool,
            said=said_json(past),
        )
        inputs = _inputs(job, past, counted, Runs(past))
        return write_reports(directory, inputs, job.report.mode)


def _inputs(job: Job, journal: SqliteJournal, counted: Counted, runs: Runs) -> Inputs:
    """All that the forms are made of: the journal, and how the job wants them."""
    batch = counted.batch
    stop = stop_in_force(journal.events(STOPS))
    code = exit_code(
        [counted.totals], stopped=bool(stop), open_equation=counted.open_equation
    )
    run = runs.of_batch(batch.id)
    before = counted_before(journal, batch.id, counted.noted.seq)
    return Inputs(
        batch=batch,
        formats=job.report.formats,
        findings=counted.found,
        totals=counted.totals,
        equations=counted.equations,
        exit_code=code,
        journal_id=journal.id,
        head_seq=counted.noted.seq,
        head_digest=counted.noted.digest,
        stop=stop,
        versions={"batchpay": batch.version},
        before=totals_in(before) if before else None,
        before_at=iso(before.at_ns) if before else "",
        followed_at=_followed_at(journal, counted.noted.seq),
        doubt_s=f"{job.gateway.doubt_period_s:g}",
        run=run,
        whole=runs.whole(run.id) if run else None,
        runs=runs.begun,
        lifted=lifts_of(journal, batch.id),
        whose=_whose(journal, counted.noted.seq),
        said=_said(counted),
        job_file=job.path.name,
        language=job.report.language,
        time_zone=job.controls.time_zone,
        ids=job.columns.of("order_id"),
        payers=job.columns.of(*PAYERS),
        sellers=job.columns.sellers(),
        called=job.columns.called(),
        stories=partial(stories_of, journal, until=counted.noted.seq),
        told_429=partial(_told_429, journal, batch.id, counted.noted.seq),
    )
