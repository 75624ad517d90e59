"""A batch's reports: count where its rows stand, note that in the journal, write the files from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchpay import accounts
from batchpay.desk import Desk
from batchpay.model import Batch
from batchpay.reconciliation import Equation, Totals, exit_code
from batchpay.reports import Inputs, write_reports
from batchpay.settlement.books import stop_in_force
from batchpay.spool import Spool


@dataclass(frozen=True, slots=True)
class Published:
    """A batch as its report shows it."""

    batch: Batch
    totals: Totals
    equations: tuple[Equation, ...]
    directory: Path
    files: tuple[Path, ...]

    @property
    def open_equation(self) -> bool:
        """Does any of its equations not close?"""
        return not all(equation.closes for equation in self.equations)


def publish(desk: Desk, batch: Batch) -> Published:
    """Totals into the journal when they changed, then every report file from the journal."""
    with Spool(desk.job.state_path.parent) as spool:
        return _publish(desk, batch, spool.reading(accounts.findings_of(desk.job, desk.journal, batch)))


def _publish(desk: Desk, batch: Batch, found: accounts.Found) -> Published:
    journal = desk.journal
    totals, digest = accounts.totals_of(found)
    equations = tuple(totals.equations(batch.rows_read, batch.read))
    stop = stop_in_force(journal.events(["stop", "lifted"]))
    data = {**totals.to_json(), "rows_sha256": digest, "stop": stop, "version": batch.version}
    latest = accounts.last_totals(journal).get(batch.id)
    if latest is None or latest.data != data:
        latest = desk.note("totals", data, batch.id)
    inputs = Inputs(
        batch=batch,
        formats=desk.job.report.formats,
        findings=found,
        totals=totals,
        equations=equations,
        exit_code=exit_code([totals], stopped=bool(stop), open_equation=not all(e.closes for e in equations)),
        journal_id=journal.id,
        head_seq=latest.seq,
        head_digest=latest.digest,
        stop=stop,
        versions={"batchpay": batch.version},
    )
    directory = desk.job.report.directory / batch.id
    files = write_reports(directory, inputs, desk.job.report.mode)
    return Published(batch, totals, equations, directory, files)
