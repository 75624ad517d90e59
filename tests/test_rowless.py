"""A charge that no row of a report shows is judged as the line of a row would be: by every exit
code, in who must act, and in what is printed of it. Against the true program over real HTTP.
"""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from batchpay.domain.errors import TryLater
from batchpay.reconciliation.lines import Lines
from batchpay.reconciliation.totals import Totals
from tests.inside import Inside
from tests.test_next_steps import WHY, commands_in, follow
from tests.world import Market, order

MARKET = Inside
DECLINES = "tokn_test_sandbox000010011"
LIFT = ("--lift-stop", "--reason", WHY)
VERBS = ("run", "settle", "report", "status")


def lose(market: Market) -> None:
    """The journal is lost, and no file comes again."""
    shutil.rmtree(market.folder / "state")
    market.job(input="optional = true", file="none.csv")


def tells_nothing(market: Market, *paths: str) -> None:
    """Of transfers, when these are asked for."""
    for path in paths:
        market.sandbox.add_rule(
            method="GET", path=path, status=404, body={"object": "error"}
        )


def adopted(market: Market) -> dict[str, Any]:
    """The one charge in no row, as its report tells it."""
    kept = json.loads((market.folder / "reports/adopted/adopted.json").read_text())
    (found,) = kept["charges"]
    return dict(found)


def ends(market: Market, code: int, told: str, order_id: str = "00001") -> None:
    """Every command ends so, and names who must act; the order's story ends as `status` does."""
    for verb in VERBS:
        done = market.run(*(["--summary"] if verb == "run" else []), verb=verb)
        assert done.returncode == code and told in done.stdout, (verb, done)
    assert market.run(order_id, verb="status").returncode == code


@pytest.mark.fault("L7", "J32", "D10", "I14")
def test_a_share_that_differs_is_a_12_also_where_no_row_shows_its_charge(
    market: Market,
) -> None:
    """Every run tells it, also one that starts nothing, until a person takes it as it is."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    lose(market)
    market.sends_another_share()
    assert market.run("--adopt").returncode == 12
    tells_nothing(market, "/transfers", "/transfers/*")
    ends(market, 12, "a person: 1 order to look at")
    told = adopted(market)
    assert told["open"] and "the share 101.25 THB" in told["reason"]
    said = market.run(verb="status").stdout
    assert commands_in(said) == commands_in(told["reason"])
    follow(market, said)
    ends(market, 0, "")
    assert WHY in adopted(market)["reason"] and not adopted(market)["open"]


@pytest.mark.fault("J32", "D10", "I14")
def test_a_share_that_does_not_arrive_is_the_accountants_also_without_a_row(
    market: Market,
) -> None:
    """Until somebody says that it is seen to."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    (row,) = market.results()
    lose(market)
    path = f"/transfers/{row['transfer_id']}"
    market.sandbox.add_rule(method="GET", path=path, change={"deleted": True})
    tells_nothing(market, "/transfers")
    market.run("--adopt")
    ends(market, 10, "the accountant: 1 order")
    follow(market, market.run(verb="status").stdout)
    ends(market, 0, "")


@pytest.mark.fault("J32", "D10", "J31", "I14")
def test_a_disputed_charge_is_a_persons_also_without_a_row(market: Market) -> None:
    """As long as the gateway waits for an answer to the payer's bank."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    lose(market)
    assert market.run("--adopt").returncode == 0
    market.sandbox.turn("disputed", order_id="00001")
    assert market.run(verb="settle").returncode == 10
    ends(market, 10, "a person: 1 order to look at")
    assert "disputes it (open)" in adopted(market)["reason"]


@pytest.mark.fault("J32", "D10", "B31", "L10", "I14")
def test_two_attempts_that_took_money_are_a_persons_also_without_a_row(
    market: Market,
) -> None:
    """A declined charge came alive after its order was charged again, and the journal was lost."""
    market.job()
    market.orders([order(1, card=DECLINES)])
    assert market.run().returncode == 10
    market.orders([order(1, card="tokn_test_sandboxnew4242")], "back.csv")
    assert market.run("--input", "back.csv").returncode == 0
    first, second = (one["id"] for one in market.own_charges())
    market.sandbox.turn(charge_id=first, becomes="successful")
    lose(market)
    assert market.run("--adopt").returncode == 12
    market.run(*LIFT, verb="resolve")
    said = market.run(verb="status")
    ends(market, 10, "a person: 1 order to look at")
    for one in (first, second, "2 attempts of this order took money"):
        assert one in said.stdout
    follow(market, said.stdout)
    ends(market, 10, "")
    told = json.loads(market.run("--json", verb="status").stdout)
    assert told["who_acts"] == {}


@pytest.mark.fault("J32", "D10", "I14")
def test_an_unproven_charge_without_a_row_is_as_open_in_its_story_as_in_status(
    market: Market,
) -> None:
    """12, also beside a row of the same order, and 10 once a person took it as it is."""
    market.job()
    market.orders([order(1)])
    market.run()
    lose(market)
    market.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", drop=["destination"]
    )
    assert market.run("--adopt").returncode == 12
    ends(market, 12, "a person: 1 order to look at")
    market.run(*LIFT, verb="resolve")
    market.orders([order(1, amount="7.00")], "next.csv")
    assert market.run("--input", "next.csv").returncode == 12
    assert market.outcomes() == {"succeeded": 1, "conflict": 1}
    ends(market, 12, "a person: 1 order to look at")
    follow(market, adopted(market)["reason"])
    ends(market, 10, "")


@pytest.mark.fault("J32", "D10", "I14")
def test_a_declined_charge_without_a_row_is_nobodys(market: Market) -> None:
    """Nobody asks for it any more: an ordinary night is a 0 beside it, and nothing is told."""
    market.job()
    market.orders([order(1, card=DECLINES)])
    assert market.run().returncode == 10
    lose(market)
    market.run("--adopt")
    ends(market, 0, "")
    assert not adopted(market)["open"] and adopted(market)["outcome"] == "declined"
    assert "payer" not in market.run("--summary").stdout


@pytest.mark.fault("A11", "L7", "J14", "I14")
def test_where_a_report_is_behind_the_journal_no_other_command_ends_by_it(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run heard that the share of an older file differs, and died before it told of it."""
    market.job()
    tells_nothing(market, "/transfers", "/transfers/*", "/chains", "/chains/*")
    market.orders([order(1)])
    assert market.run().returncode == 0
    market.orders([order(2, card=DECLINES)], "next.csv")
    assert market.run("--input", "next.csv").returncode == 10
    market.sandbox.clear_rules()
    market.sends_another_share()
    tells_nothing(market, "/transfers", "/transfers/*")

    def dies(*_: object, **__: object) -> None:
        raise TryLater("killed")

    with monkeypatch.context() as patched:
        patched.setattr("batchpay.batches.night._reported", dies)
        assert market.run(verb="settle").returncode == 75
    behind = market.run("--json", verb="status")
    told = json.loads(behind.stdout)
    assert (behind.returncode, told["who_acts"]) == (12, {"a person": 1, "payer": 1})
    for one in (row["batch_id"] for row in market.results()):
        assert market.run(one, verb="report").returncode == 12
    assert market.run(verb="settle").returncode == 12


@pytest.mark.fault("L9", "J14", "I14")
def test_a_row_that_is_lost_on_the_way_is_a_12_in_status_too(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is counted anew: then it was none."""
    market.job()
    market.orders([order(1), order(2)])
    adds = Totals.add_lines

    def lossy(totals: Totals, lines: Lines) -> None:
        adds(totals, lines)
        totals.rows_read -= 1

    with monkeypatch.context() as patched:
        patched.setattr(Totals, "add_lines", lossy)
        assert market.run().returncode == 12
    assert market.run(verb="status").returncode == 12
    assert market.run(verb="report").returncode == 0
    assert market.run(verb="status").returncode == 0


@pytest.mark.fault("J32", "D10", "H05", "I14")
def test_a_charge_without_a_row_that_a_person_says_is_none_is_waited_for_no_more(
    market: Market,
) -> None:
    """It was pending, and the gateway knows it no more. Nobody asks for it: nothing is sent."""
    market.job()
    market.orders([order(1)])
    waits = {"status": "pending", "paid": False, "chain": None}
    market.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", change=waits
    )
    assert market.run().returncode == 11
    lose(market)
    market.run("--adopt")
    ends(market, 11, "")
    market.sandbox.clear_rules()
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00001"
    )
    market.sandbox.add_rule(
        method="GET", path="/charges/*", status=404, code="not_found", message="x"
    )
    assert market.run(verb="settle").returncode == 11
    told = adopted(market)
    assert told["open"] and told["outcome"] == "pending"
    words = ("00001", "--as", "not-charged", "--reason", WHY)
    assert market.run(*words, verb="resolve").returncode == 0
    ends(market, 0, "")
    assert not adopted(market)["open"], adopted(market)


@pytest.mark.fault("J32", "B19", "I14")
def test_an_attempt_that_charged_nothing_and_has_lost_its_row_is_over(
    market: Market,
) -> None:
    """The job rejects the row by now, which shows that, and nothing sends the attempt any more."""
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(
        method="POST", path="/charges", order_id="00001", action="rate_limited"
    )
    assert market.run().returncode == 11
    market.job(more='[controls]\nmax_amount = { THB = "50.00" }')
    assert market.run().returncode == 10
    assert market.outcomes() == {"rejected": 1}
    for said in ((), ("00001",)):
        assert market.run(*said, verb="status").returncode == 0, said
