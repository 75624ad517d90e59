"""The program is replaced while it runs; a journal that dies as it is made."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

import batchpay
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Event
from batchpay.job.packaged import data_path
from batchpay.journals.sqlite.store import SqliteJournal
from tests.adversary import Adversary, Request
from tests.faults.stage import Stage
from tests.simulation.disk import Disk, silence
from tests.world import order

NEW = "raise SystemExit('the new version was loaded into the old one')\n"
LIBRARIES = (
    "pandas",
    "pyarrow",
    "xlsxwriter",
    "jinja2",
    "babel",
    "openpyxl",
    "jsonschema",
    "httpx",
    "rich",
)


def upgrade(site: Path) -> None:
    """Every file of the program and of what it stands on is another one now."""
    for path in (site / "batchpay").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            path.write_text(NEW)
    for name in LIBRARIES:
        (site / f"{name}.py").write_text(NEW)


@pytest.mark.fault("F07")
def test_an_upgrade_in_mid_run_changes_nothing(
    night: Stage, gateway: Adversary
) -> None:
    """The old program ends its run to the last report; the new one finds nothing left to send."""
    site = night.folder / "site"
    shutil.copytree(
        Path(batchpay.__file__).parent,
        site / "batchpay",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(data_path("schemas/order.schema.json").parent, site / "schemas")
    shutil.copytree(data_path("po/ja.po").parent, site / "po")
    forms = '"csv", "json", "parquet", "xlsx", "html"'
    night.job(more=f'[report]\nlanguage = "ja"\nformats = [{forms}]')
    night.orders([*(order(number) for number in range(12)), order(12, amount="none")])

    def replaced(request: Request) -> None:
        if len(gateway.requests("POST")) >= 6 and not (site / "pandas.py").exists():
            upgrade(site)

    gateway.rule = replaced
    ended = night.run(PYTHONPATH=str(site))
    assert ended.returncode == 10, (ended.stdout, ended.stderr)
    assert night.outcomes() == {"succeeded": 12, "rejected": 1}
    gateway.rule = lambda request: None
    # it was replaced indeed
    assert "new version was loaded" in night.run(PYTHONPATH=str(site)).stderr
    shutil.rmtree(site)
    assert night.run("--summary").returncode == 10
    night.right()
    assert night.posts() == 12


@pytest.mark.fault("A13", "D13")
@pytest.mark.parametrize("power", [True, False])
def test_a_journal_that_dies_as_it_is_made_is_made_by_the_next_run(
    tmp_path: Path, power: bool
) -> None:
    """Killed, or without power, at every write of its making: afterwards it is whole, or not there.
    (There is one version of the journal so far: making it is the only change of form that it
    knows.)
    """
    at, died = 0, True
    while died:
        at, died = at + 1, False
        disk, writes = Disk("made", random.Random(at)), 0

        def die(disk: Disk = disk, at: int = at) -> None:
            nonlocal writes, died
            writes += 1
            if writes == at:
                died = True
                disk.cut() if power else disk.revoke()

        disk.before_write = die
        with silence():
            try:
                SqliteJournal(
                    tmp_path / "journal.db", "night", connect=disk.connect
                ).close()
            except BatchpayError:
                assert died
        disk.before_write = lambda: None
        again = SqliteJournal(tmp_path / "journal.db", "night", connect=disk.connect)
        again.verify()
        again.append([Event("run.started")])
        again.close()
        disk.forget()
    assert at > 10
