"""A row that was settled elsewhere tells nobody to do anything any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside
ORDERS_TO_DO = ("write ", "fill ", "correct ", "leave ", "send ", "sent back", "pays")
FORMATS = '[report]\nformats = ["csv", "json", "xlsx", "html"]\n'
BROKEN = {
    "00002": {"card": "cust_test_gone4242"},
    "00003": {"amount": "x"},
    "00004": {"recipient": ""},
    "00005": {"card": "cust_test_sandbox0011"},
}


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


@pytest.mark.fault("J33")
def test_settled_rows_give_no_orders(market: Market) -> None:
    """Refused, rejected twice, declined, and two rows that contradict each other: once their orders
    are charged from another file each says what it was, and that nothing is left to do.
    """
    market.job(file="*.csv", more=FORMATS, card="", customer='"card"')
    own = {"card": "cust_test_sandbox4242"}
    broken = [order(int(one), **own | changes) for one, changes in BROKEN.items()]
    rivals = [order(6, **own), order(6, amount="77.00", **own)]
    market.orders([order(1, **own), *broken, *rivals], name="a.csv")
    assert market.run().returncode == 10
    before = {row["order_id"]: row for row in market.results()}
    for one in BROKEN:
        assert any(said in before[one]["reason"] for said in ORDERS_TO_DO), before[one]
    (market.folder / "a.csv").unlink()
    again = [order(int(one)) for one in [*BROKEN, "00006"]]
    for row in again:
        row["card"] = f"cust_test_sandboxnew{row['order_id']}4242"
    market.orders(again, name="b.csv")
    market.run()
    assert market.money() == dict.fromkeys(["00001", *BROKEN, "00006"], 1)
    settled = [row for row in market.results() if row["settled_by"]]
    assert len(settled) == 6
    for row in settled:
        assert row["reason"].endswith("nothing is left to do"), row
        assert row["who_acts"] == "-"
        assert not [said for said in ORDERS_TO_DO if said in row["reason"]], row
        assert "batchpay" not in row["reason"]
    reasons = " ".join(row["reason"] for row in settled)
    for kept in ("found 'x' (number-format)", "is empty (required)", "not_found"):
        assert kept in reasons
