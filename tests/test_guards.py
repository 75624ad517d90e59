"""What no night before can have meant: spent tokens, amounts far outside of the past; told before
anything is sent, alike by every command.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer
from tests.test_next_steps import Told, edit, program, row
from tests.world import BY_CUSTOMER, Market, order

HOLD = '[controls]\nhistory = "hold"\n'
PAYER = "cust_test_sandbox1"
SHOP = "recp_test_sandbox1"


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Told]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Told(tmp_path, sandbox)


def sale(number: int, amount: str, **changes: str) -> dict[str, str]:
    """An order of one recipient, paid by one customer."""
    return order(number, amount=amount, recipient=SHOP, **{"card": PAYER, **changes})


def warned(market: Market, *flags: str) -> dict[str, str]:
    """What check, plan and the report say beside the one row that goes: the same."""
    checked = json.loads(market.run("--json", verb="check").stdout)
    planned = json.loads(market.run("--json", verb="plan").stdout)
    return {
        "check": " ".join(checked["files"][0]["warnings"]),
        "plan": " ".join(planned["warnings"]),
    }


# --- tokens


@pytest.mark.fault("E03")
def test_a_token_of_a_request_that_was_refused_is_not_spent(market: Told) -> None:
    """Nothing was charged with it: another order may have it."""
    market.job()
    token = "tokn_test_sandbox000014242"
    body = {"object": "error", "code": "bad_request", "message": "no"}
    market.sandbox.add_rule(
        action="error_before", status=400, body=body, order_id="00001"
    )
    market.orders([order(1, card=token)])
    assert market.run().returncode == 10
    market.orders([order(2, card=token)])
    assert market.run().returncode in (0, 10)
    assert market.money() == {"00002": 1}


# --- amounts


@pytest.mark.fault("X09")
def test_a_hundredfold_of_a_payers_amount_is_told(market: Told) -> None:
    """By check, by plan and in the report, before and after it is sent; the usual amount is not."""
    market.job(**BY_CUSTOMER)
    market.orders([sale(1, "500.00")])
    assert market.run().returncode == 0
    market.orders([sale(2, "50000.00"), sale(3, "700.00")])
    told = warned(market)
    for said in told.values():
        assert "it asks for 50,000.00 THB, 100 times what order 00001 of batch" in said
        assert "700.00" not in said
    assert market.run().returncode == 0
    assert "100 times what order 00001" in row(market, "00002")["warnings"]
    assert row(market, "00003")["warnings"] == ""
    kept = {
        path: path.read_bytes() for path in market.folder.glob("reports/*/results.csv")
    }
    assert market.run(verb="report").returncode == 0
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("6100.00", "10 orders of this recipient before asked for 600.00 THB at most"),
        ("50.00", "10 orders of this recipient before asked for 510.00 THB at least"),
        ("6000.00", ""),
        ("51.00", ""),
    ],
)
def test_an_amount_far_outside_of_a_recipients_past_is_told(
    market: Told, amount: str, said: str
) -> None:
    """Whoever pays; what is ten times as much, and no more, is not."""
    market.job(**BY_CUSTOMER)
    market.orders(sale(at, f"{500 + 10 * at}.00") for at in range(1, 11))
    assert market.run().returncode == 0
    market.orders([sale(11, amount, card="cust_test_sandbox2")])
    told = warned(market)
    if said:
        assert said in told["check"] and said in told["plan"]
    else:
        assert "before asked for" not in told["check"] + told["plan"]


@pytest.mark.fault("X09")
def test_a_run_tells_odd_amounts_and_orders_that_resemble_others_apart(
    market: Told,
) -> None:
    """Each sentence counts its own orders, and neither is said of the other's."""
    market.job(**BY_CUSTOMER)
    market.orders([sale(1, "500.00"), sale(2, "90.00", card="cust_test_sandbox2")])
    assert market.run().returncode == 0
    alike = "1 order asks for the same payer, recipient and amount as another"
    odd = "1 order has a warning of its own: the column warnings of results tells what"
    market.orders([sale(3, "50000.00")])
    told = market.run().stdout
    assert odd in told and "same payer" not in told, told
    market.orders([sale(4, "90.00", card="cust_test_sandbox2")])
    told = market.run().stdout
    assert alike in told and "of its own" not in told, told


@pytest.mark.fault("X09")
def test_few_orders_say_nothing_about_what_is_usual(market: Told) -> None:
    """And other currencies and recipients never do."""
    market.job(**BY_CUSTOMER)
    market.orders(sale(at, f"{500 + 10 * at}.00") for at in range(1, 10))
    assert market.run().returncode == 0
    market.orders(
        [sale(11, "9000.00"), sale(12, "9000", currency="JPY"), order(13, card=PAYER)]
    )
    assert "before asked for" not in "".join(warned(market).values())


@pytest.mark.fault("X09")
def test_the_past_of_a_file_is_what_was_before_it(market: Told) -> None:
    """The same file again says the same, whatever was charged since."""
    market.job(**BY_CUSTOMER, more=HOLD)
    market.orders([sale(1, "500.00")])
    assert market.run().returncode == 0
    path = market.orders([sale(2, "50000.00")], "odd.csv")
    assert market.run("--input", "odd.csv").returncode == 11
    market.orders([sale(3, "50000.00", order_id="C3")], "later.csv")
    edit(market, 'history = "hold"', 'history = "warn"')
    assert market.run("--input", "later.csv", "--yes").returncode in (0, 11)
    edit(market, 'history = "warn"', 'history = "hold"')
    done = program(market, "plan", "job.toml", "--input", str(path), "--json")
    assert json.loads(done.stdout)["to_send"] == {}


# --- limits of a day


def _limits(**limits: str) -> str:
    lines = [f'{name} = {{ THB = "{limit}" }}\n' for name, limit in limits.items()]
    return "".join(("[controls]\n", *lines))


@pytest.mark.fault("H01")
def test_a_recipient_is_paid_no_more_a_day_than_the_job_allows(market: Told) -> None:
    """Over all runs and files of the day; others go; check, plan and run agree."""
    market.job(**BY_CUSTOMER, more=_limits(max_recipient="1000.00"))
    other = order(
        3, amount="900.00", recipient="recp_test_sandbox2", card="cust_test_sandbox3"
    )
    market.orders([sale(1, "600.00"), sale(2, "500.00"), other, sale(4, "400.00")])
    planned = json.loads(market.run("--json", verb="plan").stdout)
    assert planned["to_send"]["THB"]["count"] == 3 and planned["exit_code"] == 11
    checked = json.loads(market.run("--json", verb="check").stdout)
    (held,), (file,) = checked["held"], checked["files"]
    assert (held["rows"], held["first"]) == (1, [{"row": 3, "value": "00002"}])
    assert (file["held"], file["may_be_sent"]["THB"]["count"]) == (1, 3)
    assert checked["exit_code"] == 0
    assert market.run().returncode == 11
    assert market.money() == {"00001": 1, "00003": 1, "00004": 1}
    said = row(market, "00002")["reason"]
    assert (
        "it asks for 500.00 THB, and orders of this recipient for 1,000.00 THB before it"
        in said
    )
    market.orders([sale(5, "30.00")], "more.csv")
    again = json.loads(market.run("--input", "more.csv", "--json", verb="plan").stdout)
    assert again["to_send"] == {}
    assert market.run("--input", "more.csv").returncode == 11
    assert market.money() == {"00001": 1, "00003": 1, "00004": 1}


@pytest.mark.fault("H01", "D10")
def test_charges_that_were_taken_over_are_of_the_day(market: Told) -> None:
    """A journal that was lost leaves no room that it did not have."""
    market.job(**BY_CUSTOMER, more=_limits(max_day="1000.00"))
    market.orders([sale(1, "1000.00")])
    assert market.run().returncode == 0
    shutil.rmtree(market.folder / "state")
    more = market.orders([sale(2, "900.00", card="cust_test_sandbox3")], "more.csv")
    assert market.run("--adopt", "--input", str(more)).returncode == 11
    assert market.money() == {"00001": 1}
    assert "max_day" in row(market, "00002")["reason"]


@pytest.mark.fault("H01")
def test_a_declined_charge_leaves_its_room_to_others(market: Told) -> None:
    """It took nothing of the day."""
    market.job(more=_limits(max_day="1000.00"))
    market.orders([order(1, amount="900.00", card="tokn_test_sandbox000010011")])
    assert market.run().returncode == 10
    market.orders([order(2, amount="1000.00")])
    assert market.run().returncode in (0, 10)
    assert market.money() == {"00002": 1}
