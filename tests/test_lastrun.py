"""run.json and the index: the last run over all of its files, its sums, and what it asked; and a
night that was stopped is told without contradiction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from openpyxl import load_workbook

from batchpay.batches.runs import Runs
from batchpay.batches.tonight import last_run_of
from batchpay.domain.events import RunStarted
from batchpay.domain.model import Wrote
from batchpay.job.load import load_job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.reconciliation.totals import Totals
from batchpay.sandbox import SandboxServer
from tests.doses import dose
from tests.inside import Inside
from tests.simulation.story import Story, tell
from tests.world import Market, order

MARKET = Inside
FORMATS = '[report]\nformats = ["csv", "json", "xlsx", "html"]\n'
SUMS = ("asked_minor", "charged_minor", "platform_fee_minor", "recipient_amount_minor")
FEES = ("fee_minor", "fee_vat_minor", "net_minor")


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def run_json(market: Market) -> Any:
    """What the file of the last run tells."""
    return json.loads((market.folder / "reports" / "run.json").read_text("utf-8"))


def test_the_sums_of_all_files_of_a_night_stand_in_one_file(market: Market) -> None:
    """Two files: each sum is that of both reports, the charged one that of the gateway, and the
    requests are those that reached it. What each file has of the run stands apart.
    """
    market.job(file="*.csv", more=FORMATS)
    market.orders([order(1), order(2), order(3, amount="x")], name="a.csv")
    yen = {"currency": "JPY", "amount": "5000"}
    market.orders([order(4), order(5, **yen)], name="b.csv")
    market.sandbox.add_rule(path="/charges", action="rate_limited", times=1)
    assert market.run().returncode == 10
    told = run_json(market)
    asked = len(market.sandbox.requests())
    assert told["requests"] == {"sent": asked, "429": 1, "5xx": 0}
    assert (told["rows"], told["run"]["sent"]) == (5, 4)
    assert told["run"]["outcomes"] == {"succeeded": 4}
    assert {one["file"] for one in told["batches"]} == {"a.csv", "b.csv"}
    assert sum(one["this_run"]["sent"] for one in told["batches"]) == 4
    added = Counter[tuple[str, str]]()
    for report in market.reports():
        for one in report["currencies"]:
            for name in SUMS:
                added[one["currency"], name] += one[name] or 0
            for fees in one["fees"]:
                for name in FEES:
                    added[one["currency"], name] += fees[name]
    took = Counter[str]()
    for charge in market.own_charges():
        took[charge["currency"]] += charge["amount"]
    for one in told["currencies"]:
        if one["currency"]:
            code = one["currency"]
            assert one["charged_minor"] == took[code]
            for name in SUMS:
                assert (one[name] or 0) == added[code, name]
            for fees in one["fees"]:
                for name in FEES:
                    assert fees[name] == added[code, name]
    both = {one["currency"]: (one["left"], one["right"]) for one in told["equations"]}
    assert both == {code: (minor, minor) for code, minor in took.items()}
    index = (market.folder / "reports" / "index.html").read_text("utf-8")
    assert f"{asked} in the whole run; answered with 429: 1, with 5xx: 0" in index
    assert "307.75 THB" in index
    before = (market.folder / "reports" / "run.json").read_bytes()
    assert market.run(verb="report").returncode == 10
    assert (market.folder / "reports" / "run.json").read_bytes() == before


def test_a_row_that_is_lost_on_the_way_opens_the_equation(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sides are counted from different records: rows, and charges as they were written."""
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    job = load_job(market.folder / "job.toml")
    journal = SqliteJournal(job.state_path, job.name, read_only=True)

    def lossy(data: Any) -> Totals:
        totals = Totals.from_json(data)
        totals.charged["THB"] -= 10125
        return totals

    monkeypatch.setattr("batchpay.batches.tonight.totals_in", lambda e: lossy(e.data))
    last = last_run_of(job, journal, Runs(journal))
    assert last is not None
    assert [one.closes for one in last.equations] == [False]
    journal.close()


class OneByOne:
    """A journal that tells of every order event by event."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def wrote_in(
        self, run_id: str, after: int, before: int | None, apart: Collection[str]
    ) -> Wrote:
        found = self._journal.wrote_in(run_id, after, before, apart)
        every = {order_id for one in found.charged for order_id in one.order_ids}
        return self._journal.wrote_in(run_id, after, before, every | set(apart))


@pytest.mark.fault("I2")
def test_what_a_run_did_is_the_same_added_up_and_told_one_by_one() -> None:
    """After nights with every kind of trouble, of each run and batch."""
    charged = runs = 0

    def compare(story: Story) -> None:
        nonlocal charged, runs
        with story.machines[0].tool() as journal:
            added_up = Runs(journal)
            one_by_one = Runs(cast(SqliteJournal, OneByOne(journal)))
            for started in journal.events([RunStarted.kind]):
                run_id = started.run_id
                for read in (Runs.whole, Runs.in_hand, Runs.batches_of):
                    assert read(added_up, run_id) == read(one_by_one, run_id)
                wrote = journal.wrote_in(run_id, 0, None)
                charged += sum(len(one.order_ids) for one in wrote.charged)
                runs += 1
            for batch in journal.batches():
                assert added_up.of_batch(batch.id) == one_by_one.of_batch(batch.id)

    for seed in (3, 17, 33, 131, 61, 90)[: dose(4, 6)]:
        assert tell(seed, compare).violations == []
    assert charged > 10 and runs > 15


def test_each_number_of_a_run_says_of_what_it_is(market: Market) -> None:
    """On the page and in the workbook: of this file, and of the whole run."""
    market.job(file="*.csv", more=FORMATS)
    market.orders([order(1)], name="a.csv")
    market.orders([order(2), order(3)], name="b.csv")
    assert market.run().returncode == 0
    for page in (market.folder / "reports").glob("2*/report.html"):
        own = 1 if "a.csv" in page.read_text("utf-8") else 2
        said = f"{own} of this file; 3 in the whole run"
        assert said in page.read_text("utf-8")
        summary = load_workbook(page.with_name("report.xlsx"))["Summary"]
        assert any(said == cell.value for cell in summary["B"])


@pytest.mark.fault("L10")
def test_a_stopped_night_contradicts_itself_nowhere(market: Market) -> None:
    """The file whose charge is not proven says so, the other one that a stop is in force beside
    rows that are well; neither says that something does not add up, for all of it does.
    """
    market.job(file="*.csv", more=FORMATS)
    market.orders([order(1)], name="a.csv")
    market.orders([order(2), order(3)], name="b.csv")
    market.sandbox.add_rule(
        path="/charges", method="POST", order_id="00002", change={"amount": 5}
    )
    assert market.run().returncode == 12
    pages = {}
    for page in (market.folder / "reports").glob("2*/report.html"):
        text = page.read_text("utf-8")
        pages["a.csv" if "<h1>a.csv" in text else "b.csv"] = text
    well = "A stop is in force: a person must look today. Of this file itself: All is"
    assert well in pages["a.csv"]
    assert "No row of this batch; but the stop is for a person." in pages["a.csv"]
    assert "Nobody has anything to do about this batch" not in pages["a.csv"]
    assert "Something is not as it was asked for." in pages["b.csv"]
    index = (market.folder / "reports" / "index.html").read_text("utf-8")
    for text in (*pages.values(), index):
        assert "Something does not add up" not in text
        assert "--lift-stop" in text
