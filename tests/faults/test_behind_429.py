"""A charge behind an answer that says there is none, which lost its metadata: nothing more of its
order goes.
"""

from __future__ import annotations

import pytest

from tests.adversary import Adversary, Fate, Request, error
from tests.faults.stage import Stage
from tests.faults.test_whose_charge import in_file
from tests.world import order

CHARGES = 10125  # satang, what the first order asks for


def hide(gateway: Adversary) -> list[bool]:
    """Lists do not show the first order's charge, which says nothing, until this is cleared."""
    hidden = [True]

    def before(_: Request) -> None:
        for charge in gateway.ledger:
            if charge["amount"] == CHARGES:
                charge["metadata"] = {}
                gateway.born[charge["id"]] = float("inf") if hidden else 0.0

    gateway.before_list = before
    return hidden


def busy(times: int) -> list[Fate]:
    """So many answers that say 429, and charge nothing."""
    return [error(429, "too_many_requests")] * times


@pytest.mark.fault("B19", "L6", "L11", "I1", "I19")
@pytest.mark.parametrize("word", ["not ours", "charged"])
@pytest.mark.parametrize("comes_back", ["as it was", "changed", "changed twice"])
def test_beside_a_charge_that_says_nothing_no_order_goes_that_was_told_429(
    night: Stage, gateway: Adversary, comes_back: str, word: str
) -> None:
    """No list of the night shows it; one of a later night does, whatever became of the attempt
    meanwhile. A person ends it.
    """
    night.orders([order(1), order(2)])
    gateway.on("00001", Fate(status=429, code="too_many_requests"), *busy(2))
    hidden = hide(gateway)
    assert night.run().returncode == 11, night.said
    assert night.sends("00001") == 3 and night.row("00001")["outcome"] == "held"
    file = "orders.csv"
    if comes_back == "changed twice":  # the attempt that charged is withdrawn by now
        file = "again.csv"
        night.orders([order(1, amount="777.00", card="tokn_test_sandbox98")], file)
        gateway.on("00001", *busy(3))
        assert night.run("--input", file).returncode == 11, night.said
    sent = night.sends("00001")
    hidden.clear()
    if comes_back != "as it was":
        file = "late.csv"
        night.orders([order(1, amount="778.00", card="tokn_test_sandbox99")], file)
    assert night.run("--input", file).returncode == 11, night.said
    assert night.sends("00001") == sent
    charge_id = next(c["id"] for c in gateway.ledger if not c["metadata"])
    row = in_file(night, "00001", file)
    assert (row["outcome"], row["who_acts"]) == (
        "held",
        "a person",
    ) and charge_id in row["reason"]
    if word == "charged":
        words = ("00001", "--as", f"charged:{charge_id}", "--reason", "the dashboard")
        assert night.run(*words, verb="resolve").returncode == 0, night.said
        assert night.run("--input", file).returncode == 10, night.said
        assert night.sends("00001") == sent
    else:
        words = ("--not-ours", charge_id, "--reason", "the till's")
        assert night.run(*words, verb="resolve").returncode == 0
        assert night.run("--input", file).returncode == 0, night.said
        assert night.sends("00001") == sent + 1


CHARGED = Fate(status=429, code="too_many_requests")  # and a charge lies behind it


@pytest.mark.fault("B19", "L5", "L6", "I1", "I6")
def test_who_was_told_429_goes_again_after_a_list_and_not_before(
    night: Stage, gateway: Adversary
) -> None:
    """The list shows a charge behind one 429: that one is taken up and goes no second time. From
    then on no 429 is believed: another order that was told one before is looked up as any doubt.
    """
    night.orders([order(number) for number in range(1, 9)])
    gateway.on("00003", CHARGED)
    gateway.on("00005", *busy(1))
    gateway.on("00008", CHARGED)
    assert night.run("--summary").returncode == 0, night.said
    assert [night.sends(one) for one in ("00003", "00005", "00008")] == [1, 2, 1]
    assert len(gateway.ledger) == 8 and set(night.outcomes()) == {"succeeded"}
    (told,) = night.read("SELECT order_id FROM events WHERE kind = 'disbelieved'")
    assert told == ("00005",)
    assert night.read("SELECT count(*) FROM events WHERE kind = 'stop'") == [(0,)]
    night.right()


@pytest.mark.fault("B19", "I1")
def test_the_first_order_of_a_run_waits_for_the_list_that_follows_it(
    night: Stage, gateway: Adversary
) -> None:
    """Also where every answer says 429 and charges."""
    night.orders([order(number) for number in range(1, 4)])
    for number in range(1, 4):
        gateway.on(f"0000{number}", *[CHARGED] * 3)
    assert night.run("--summary").returncode == 0, night.said
    assert night.posts() == 3 == len(gateway.ledger)
    night.right()


@pytest.mark.fault("B22", "L6", "I1", "I19")
def test_a_charge_behind_a_refusal_is_the_refused_attempts_when_its_order_comes_changed(
    night: Stage, gateway: Adversary
) -> None:
    """The row that waits asks for something else: the word is about the attempt that was sent."""
    night.orders([order(1)])
    gateway.on("00001", Fate(status=400, code="bad_request", message="no"))
    hide(gateway).clear()
    assert night.run().returncode == 10, night.said
    night.orders([order(1, amount="777.00")], "again.csv")
    assert night.run("--input", "again.csv").returncode == 11, night.said
    words = (
        "00001",
        "--as",
        f"charged:{gateway.ledger[0]['id']}",
        "--reason",
        "the dashboard",
    )
    assert night.run(*words, verb="resolve").returncode == 0, night.said
    assert night.run("--input", "again.csv").returncode == 10, night.said
    assert night.sends("00001") == 1
