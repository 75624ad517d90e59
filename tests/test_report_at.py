"""report --at: what was replaced can be made again, the same bytes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.test_following import turn
from tests.world import HEADER, Market, order

MARKET = Inside


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def everything(folder: Path) -> dict[str, bytes]:
    """The files of a report, but for its manifest."""
    files = (path for path in folder.iterdir() if path.is_file())
    return {
        path.name: path.read_bytes() for path in files if "manifest" not in path.name
    }


def test_a_replaced_report_is_made_again_to_the_byte(market: Market) -> None:
    """Three nights change a batch; each of its reports comes back whole, and the journal learns
    nothing by it.
    """
    formats = '["csv", "json", "parquet", "xlsx", "html"]'
    market.job(more=f"[report]\nformats = {formats}\n")
    market.orders(
        [
            order(1),
            order(2),
            order(3, card="tokn_test_sandbox3ds0003"),
            order(4, amount="x"),
        ]
    )
    assert market.run("--limit", "1").returncode == 11
    (folder,) = (market.folder / "reports").glob("2*")
    were = {}
    for change in (None, "sent", "paid"):
        if change == "sent":
            market.run()
        if change == "paid":
            turn(market, "00001", "transfer_paid")
            market.run(verb="settle")
        seq = json.loads((folder / "manifest.json").read_text())["journal"]["seq"]
        were[seq] = everything(folder)
    assert len(were) == 3
    before = (market.folder / "state" / "batchpay.db").read_bytes()
    for seq, files in were.items():
        ended = market.run("--at", str(seq), verb="report")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "to the byte what manifest" in ended.stdout
        assert everything(folder / f"at-{seq}") == files
    assert (market.folder / "state" / "batchpay.db").read_bytes() == before
    assert everything(folder) == were[max(were)]
    assert market.run(verb="verify").returncode == 0


def test_what_was_never_reported_cannot_be_made(market: Market) -> None:
    """64 names the events that reports were made from; a job that was changed since is told."""
    path = market.job()
    market.orders([order(1)])
    market.run()
    (report,) = market.reports()
    refused = market.run("--at", "1", verb="report")
    seq = report["journal"]["seq"]
    assert refused.returncode == 64 and f"those that were: {seq}" in refused.stderr
    path.write_text(path.read_text() + '\n[report]\nformats = ["json"]\n')
    other = market.run("--at", str(seq), "--json", verb="report")
    told = json.loads(other.stdout)
    assert (other.returncode, told["same"], told["differs"]) == (
        12,
        False,
        ["results.csv"],
    )


FORMATS = '[report]\nformats = ["csv", "json", "parquet", "xlsx", "html"]\n'


def book(market: Market, name: str, rows: list[dict[str, str]]) -> None:
    """An input file as a workbook, all of its cells texts."""
    whole = Workbook()
    sheet = whole.active
    assert sheet is not None
    sheet.title = "Orders"
    sheet.append(list(HEADER))
    for row in rows:
        sheet.append([row[column] for column in HEADER])
    whole.save(market.folder / "inbox" / name)


def corrected(market: Market, name: str) -> None:
    """The first rejects.xlsx, its amounts and recipients filled in, as another input file."""
    (path,) = (market.folder / "reports").glob("2*/rejects.xlsx")
    whole = load_workbook(path)
    sheet = whole.active
    assert sheet is not None
    at = {cell.value: number for number, cell in enumerate(sheet[1])}
    for row in sheet.iter_rows(min_row=2):
        if row[at["amount"]].value == "x":
            row[at["amount"]].value = "103.25"
        if not row[at["recipient"]].value:
            row[at["recipient"]].value = "recp_test_sandbox1"
    whole.save(market.folder / "inbox" / name)


def all_again(market: Market) -> int:
    """Every report of the folder, those that were replaced too, is made again to the byte; how many
    there are.
    """
    found = 0
    for path in sorted((market.folder / "reports").glob("2*/manifest*.json")):
        seq = json.loads(path.read_text())["journal"]["seq"]
        ended = market.run(path.parent.name, "--at", str(seq), verb="report")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "to the byte what manifest" in ended.stdout
        found += 1
    return found


def test_reports_of_rows_that_were_corrected_and_read_anew_are_made_again(
    market: Market,
) -> None:
    """A workbook with rejected and conflicting rows; its corrected rows come as another one, by
    which what is said of the conflict changes. The rows are the same, and kept once.
    """
    (market.folder / "inbox").mkdir()
    market.job(file="inbox/*.xlsx", more=FORMATS)
    rows = [order(1), order(3, amount="x"), order(4), order(4, amount="77.00")]
    book(market, "a.xlsx", [*rows, order(5, recipient="")])
    assert market.run().returncode == 10
    assert all_again(market) == 1
    corrected(market, "b.xlsx")
    assert market.run().returncode == 10
    reasons = {r["reason"] for r in market.results() if r["file"] == "a.xlsx"}
    assert any("b.xlsx" in reason for reason in reasons)
    assert all_again(market) == 3
    assert market.run().returncode == 10
    assert all_again(market) == 3
    assert len(generations(market)) == 2


def test_reports_of_rows_that_a_lookup_file_changed_are_made_again(
    market: Market,
) -> None:
    """The rows of then are kept beside those of now; those that no report was made from are not."""
    lookup = market.folder / "shops.csv"
    shop = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    market.job(destination=shop, more=FORMATS)
    market.orders([order(1), order(2), order(3)])
    wanted = (1, 2, 3)
    for known in (1, 2, 3):
        ids = [f"recp_test_sandbox{n},recp_test_sandbox{n}\n" for n in wanted[:known]]
        lookup.write_text("".join(["shop,id\n", *ids]))
        market.run()
    assert market.outcomes() == {"succeeded": 3}
    assert all_again(market) == 3
    assert len(generations(market)) == 3
    assert market.run(verb="verify").returncode == 0


def generations(market: Market) -> list[str]:
    """Of the rows of all batches, each that the journal keeps."""
    path = market.folder / "state" / "batchpay.db"
    with closing(sqlite3.connect(path)) as journal:
        query = "SELECT DISTINCT generation FROM row_chunks"
        return [generation for (generation,) in journal.execute(query)]
