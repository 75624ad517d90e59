"""How much a run asked of the gateway is written down with how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpay.batches.runs import Runs
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def test_requests_and_their_trouble_are_counted(market: Market) -> None:
    """As many as reached the gateway, and of their answers the 429 and the 5xx."""
    market.job()
    market.orders([order(number) for number in range(1, 5)])
    market.sandbox.add_rule(path="/charges", action="rate_limited", nth=[1, 3])
    market.sandbox.add_rule(path="/charges", order_id="00004", status=503, times=1)
    assert market.run().returncode == 0
    seen = len(market.sandbox.requests())
    path = market.folder / "state" / "batchpay.db"
    journal = SqliteJournal(path, "night", read_only=True)
    (begun,) = journal.events(["run.started"])
    done = Runs(journal).whole(begun.run_id)
    assert done is not None
    assert done.requests == {"sent": seen, "429": 2, "5xx": 1}
    journal.close()
