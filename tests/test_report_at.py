"""report --at: what was replaced can be made again, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.test_following import turn
from tests.world import Market, order

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
