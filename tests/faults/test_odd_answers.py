"""Well-formed answers with something in them that nobody expects: taken or doubted, never a crash,
never a leak.
"""

from __future__ import annotations

import pytest

from tests.adversary import Adversary, Fate, error
from tests.doses import SWEEP
from tests.faults.stage import Stage
from tests.world import KEY, order

ALL_FORMS = '[report]\nformats = ["csv", "json", "parquet"]'
NEVER = "Date: Fri, 31 Dec 9999 23:59:59 -2359"


@pytest.mark.fault("B28")
def test_a_date_beyond_the_calendar_is_no_date(
    night: Stage, gateway: Adversary
) -> None:
    """The very first answer carries it; the run goes on as if there were none."""
    night.orders([order(1)])
    gateway.lists(Fate(headers=(NEVER,)))
    assert night.run().returncode == 0
    night.right()


@pytest.mark.fault("B22", "H06", "I12")
def test_what_the_gateway_echoes_is_masked(night: Stage, gateway: Adversary) -> None:
    """A key, a token, a card number in its messages reach neither journal nor report."""
    rows = [order(number) for number in range(4)]
    night.orders(rows)
    echo = (
        f"{KEY} may not charge {rows[1]['card']} (4242 4242 4242 4242), see"
        " c2tleV90ZXN0XzAxMjM0NTY3ODlhYmNkZWY6"
    )
    gateway.on("00001", error(400, "invalid_card", echo))
    gateway.on(
        "00002",
        Fate(
            becomes={"status": "failed", "failure_code": "x", "failure_message": echo}
        ),
    )
    gateway.on("00003", error(400, "backend_error", echo))
    assert night.run("--summary").returncode == 10
    night.right()
    assert (
        "invalid_card" in night.row("00001")["reason"]
        and "may not charge" in night.row("00001")["reason"]
    )


@pytest.mark.fault("B12", "I15")
def test_half_a_character_is_replaced(night: Stage, gateway: Adversary) -> None:
    """JSON can carry half of a surrogate pair, which no file and no journal can."""
    night.job(more=ALL_FORMS)
    night.orders([order(number) for number in range(6)])
    gateway.on("00001", error(400, "invalid_card", "bad \ud800 text"))
    gateway.on(
        "00002",
        Fate(
            becomes={
                "status": "failed",
                "failure_code": "x",
                "failure_message": "\udc00\0\n",
            }
        ),
    )
    gateway.on("00003", Fate(change={"description": "\ud800"}))
    gateway.on("00004", error(500, "\udfff", "\ud800"))
    night.run()
    night.quietly()
    night.right()
    assert night.outcomes() == {"succeeded": 4, "refused": 1, "declined": 1}


@pytest.mark.fault("B15", "I17")
def test_a_number_no_column_holds_is_not_taken(
    night: Stage, gateway: Adversary
) -> None:
    """A fee beyond 64 bits is as good as none; an amount beyond them is not what was asked."""
    night.job(more=ALL_FORMS)
    night.orders([order(number) for number in range(3)])
    gateway.on("00001", Fate(change={"fee": 2**70}))
    assert night.run().returncode == 0
    assert night.row("00001")["fee"] == ""
    gateway.on("00009", Fate(change={"amount": 2**70}))
    night.orders([order(9)], "more.csv")
    assert night.run("--input", "more.csv").returncode == 12
    assert "amount" in str(night.read("SELECT data FROM events WHERE kind = 'stop'"))


@pytest.mark.fault("B12", "L11")
@pytest.mark.parametrize(
    "created_at",
    [
        "9999-11-25T00:00:00Z",
        pytest.param("2026-11-25T00:00:00.5+07:00", marks=SWEEP),
        pytest.param("2026-19-39T00:00:00Z", marks=SWEEP),
        pytest.param("yesterday", marks=SWEEP),
    ],
)
def test_without_a_date_the_next_listing_still_begins_in_time(
    night: Stage, gateway: Adversary, created_at: str
) -> None:
    """A charge of another journal is found before the first send, whatever the gateway's times look
    like.
    """
    gateway.rule = lambda request: Fate(headers=("Date: soon",))
    gateway.strangers(1)
    gateway.ledger[0]["created_at"] = created_at
    night.orders([order(1)])
    assert night.run().returncode == 0
    (night.folder / "state").rename(night.folder / "before")
    assert night.run("--adopt").returncode == 0
    night.orders([order(1), order(2)], "more.csv")
    assert night.run("--input", "more.csv").returncode == 0
    (night.folder / "state").rename(night.folder / "after")
    (night.folder / "before").rename(night.folder / "state")
    assert night.run("--input", "more.csv").returncode == 0
    assert night.sends("00001") == night.sends("00002") == 1
