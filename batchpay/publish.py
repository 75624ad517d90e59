"""A batch's reports: count where its rows stand, note that in the journal, then write the files from it.

The two are apart, so that a run can write down how it ended between them: its reports show that, and are the same bytes
when they are written again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchpay import accounts
from batchpay.desk import Desk
from batchpay.model import Batch, Event, RunDone
from batchpay.reconciliation import Equation, Totals, exit_code
from batchpay.reports import Inputs, write_reports
from batchpay.runs import Runs
from batchpay.settlement.books import stop_in_force
from batchpay.spool import Spool

SPOOLED = 16  # batches whose rows are kept between counting and writing; of more they are judged anew


@dataclass(frozen=True, slots=True)
class Published:
    """A batch as its report shows it."""

    batch: Batch
    totals: Totals
    equations: tuple[Equation, ...]
    directory: Path
    files: tuple[Path, ...]  # empty: the reports of an earlier run were left as they were
    run: RunDone | None = None  # the last one that changed it

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
    found: accounts.Found
    spool: Spool
    kept: bool = False  # its reports stay as they are

    @property
    def open_equation(self) -> bool:
        """Does any of its equations not close?"""
        return not all(equation.closes for equation in self.equations)


def publish(desk: Desk, batch: Batch) -> Published:
    """Totals into the journal when they changed, then every report file from the journal."""
    return write(desk, count(desk, batch), Runs(desk.journal))


def count(desk: Desk, batch: Batch, *, spooled: bool = True) -> Counted:
    """Totals into the journal when they changed. `spooled`: keep what was judged for `write`, which lets go of it."""
    journal = desk.journal
    spool = Spool(desk.job.state_path.parent)
    judge = accounts.findings_of(desk.job, journal, batch)
    found = spool.reading(judge)
    try:
        totals, digest = accounts.totals_of(found if spooled else judge)
        equations = tuple(totals.equations(batch.rows_read, batch.read))
        data = {**totals.to_json(), "rows_sha256": digest, "stop": desk.stop, "version": batch.version}
        latest = accounts.last_totals(journal).get(batch.id)
        if latest is None or latest.data != data:
            latest = desk.note("totals", data, batch.id)
    except BaseException:
        spool.close()
        raise
    return Counted(batch, totals, equations, latest, found, spool)


def keep(desk: Desk, batch: Batch, latest: Event) -> Counted:
    """A batch whose reports stay as they are: as it stood when they were written."""
    totals, spool = Totals.from_json(latest.data), Spool(desk.job.state_path.parent)
    return Counted(batch, totals, (), latest, accounts.findings_of(desk.job, desk.journal, batch), spool, kept=True)


def write(desk: Desk, counted: Counted, runs: Runs) -> Published:
    """Every report file, from the journal. Raises CannotWrite."""
    batch, totals, equations = counted.batch, counted.totals, counted.equations
    directory = desk.job.report.directory / batch.id
    if counted.kept:
        return Published(batch, totals, equations, directory, ())
    journal, run = desk.journal, runs.of_batch(batch.id)
    stop = stop_in_force(journal.events(["stop", "lifted"]))
    with counted.spool:
        inputs = Inputs(
            batch=batch,
            formats=desk.job.report.formats,
            findings=counted.found,
            totals=totals,
            equations=equations,
            exit_code=exit_code([totals], stopped=bool(stop), open_equation=counted.open_equation),
            journal_id=journal.id,
            head_seq=counted.noted.seq,
            head_digest=counted.noted.digest,
            stop=stop,
            versions={"batchpay": batch.version},
            run=run,
        )
        files = write_reports(directory, inputs, desk.job.report.mode)
    return Published(batch, totals, equations, directory, files, run)
