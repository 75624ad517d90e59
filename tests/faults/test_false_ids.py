"""Ids of charges that the gateway does not know: told falsely in an answer, or of a charge that is
gone.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.adversary import LOST_BEFORE, Adversary, Fate, http
from tests.faults.stage import Stage
from tests.faults.test_whose_charge import in_file
from tests.test_auditing import TODAY
from tests.world import order

FALSE_ID = "chrg_test_5zzfalse"
EARLIER = "chrg_test_earlier"
LIFT = ("--lift-stop", "--reason", "seen")


def answered_falsely(night: Stage, gateway: Adversary, order_id: str) -> None:
    """Three orders; one is answered with an id under which the gateway has nothing."""
    night.orders([order(1), order(2), order(3)])
    gateway.on(order_id, Fate(change={"id": FALSE_ID}))


@pytest.mark.fault("B15", "B31", "J11", "I2")
@pytest.mark.parametrize("order_id", ["00001", "00002"])
def test_an_id_that_the_gateway_does_not_know_makes_no_second_charge(
    night: Stage, gateway: Adversary, order_id: str
) -> None:
    """It is asked for once a list shows the charge that carries the key: no stop, and that charge
    is the order's, in the sums, on later nights and in an audit. Its row tells of the other id.
    """
    answered_falsely(night, gateway, order_id)
    assert night.run().returncode == 0, night.said
    (charge,) = [c for c in gateway.charges() if c["metadata"]["order_id"] == order_id]
    row = night.row(order_id)
    assert (row["outcome"], row["charge_id"]) == ("succeeded", charge["id"])
    assert f"the gateway has no charge {FALSE_ID}" in row["reason"]
    assert night.reports()[0]["currencies"][0]["charged_minor"] == 10125 + 10225 + 10325
    time.sleep(1.1)  # beyond a doubt period
    file = "other.csv"
    night.orders([order(4)], file)
    assert night.run("--input", file).returncode == 0, night.said
    audit = night.run("--from", "2020-01-01", "--to", TODAY, verb="audit")
    assert (audit.returncode, night.posts()) == (0, 4), audit.stdout
    asked = gateway.requests("GET", f"/charges/{FALSE_ID}")
    assert len(asked) == 1, "once, whatever many lists show"


@pytest.mark.fault("B15", "B31", "L10", "I2")
def test_what_passed_for_a_second_charge_is_asked_for_again(
    night: Stage, gateway: Adversary
) -> None:
    """While the gateway does not tell, it may be one: a stop. The night that it tells, its row is
    settled, and the lift is all that is left.
    """
    answered_falsely(night, gateway, "00002")
    gateway.gets(FALSE_ID, Fate(raw=http(b"{}")))
    assert night.run().returncode == 12, night.said
    assert "two charges carry one key" in night.said
    assert night.row("00002")["who_acts"] == "a person"
    assert night.run().returncode == 12
    row = night.row("00002")
    assert (row["outcome"], row["who_acts"]) == ("succeeded", "-"), row
    assert night.run(*LIFT, verb="resolve").returncode == 0
    assert night.run().returncode == 0, night.said


@pytest.mark.fault("B31", "L10", "I2")
def test_a_charge_that_was_not_there_and_comes_is_a_second_one(
    night: Stage, gateway: Adversary
) -> None:
    """That the gateway knew no charge of an id is no proof for ever."""
    answered_falsely(night, gateway, "00002")
    assert night.run().returncode == 0, night.said
    (charge,) = [c for c in gateway.charges() if c["metadata"]["order_id"] == "00002"]
    twin = {**charge, "id": FALSE_ID}
    gateway.ledger.append(twin)
    gateway.born[FALSE_ID] = time.monotonic()
    assert night.run().returncode == 12, night.said
    assert f"two charges carry one key: {charge['id']}, {FALSE_ID}" in night.said


def vanished(night: Stage, gateway: Adversary) -> str:
    """An order was charged, and the gateway knows no such charge any more; its id."""
    made_of(night, gateway)
    return vanished_of(night, gateway)


def made_of(night: Stage, gateway: Adversary) -> dict[str, Any]:
    """Two orders are charged; a copy of the first one's charge."""
    night.orders([order(1), order(2)])
    assert night.run().returncode == 0, night.said
    return dict(charge_of(gateway))


def charge_of(gateway: Adversary) -> dict[str, Any]:
    """The first order's charge, as it lies in the gateway's ledger."""
    return next(c for c in gateway.ledger if c["metadata"]["order_id"] == "00001")


def vanished_of(night: Stage, gateway: Adversary) -> str:
    """That charge is gone; the id that it had."""
    charge = charge_of(gateway)
    gone = str(charge["id"])
    charge.update(id="chrg_test_somebodys", amount=1, metadata={})
    gateway.born["chrg_test_somebodys"] = 0.0
    time.sleep(1.1)  # beyond a doubt period
    return gone


@pytest.mark.fault("J11", "J27", "L10", "I14", "I19")
@pytest.mark.parametrize("word", ["charged", "not-charged", "it comes again"])
def test_a_charge_that_succeeded_and_is_gone_stays_told_until_a_person_ends_it(
    night: Stage, gateway: Adversary, word: str
) -> None:
    """A stop, and once that is lifted the order's own row, its story, the report and the code say
    so.
    """
    gone = vanished(night, gateway)
    assert night.run().returncode == 12, night.said
    assert f"--as charged:{gone} --reason 'your reason' 00001" in night.said
    assert night.run(*LIFT, verb="resolve").returncode == 0
    for verb in ("run", "status", "report", "settle"):
        night.said = ""
        assert night.run(verb=verb).returncode == 10, (verb, night.said)
        assert "a person: 1 order to look at" in night.said, (verb, night.said)
    row = night.row("00001")
    assert (row["outcome"], row["who_acts"]) == ("succeeded", "a person")
    assert f"the gateway knows no {gone} any more" in row["reason"]
    assert gone in night.run("00001", verb="status").stdout
    if word == "it comes again":
        charge = {**gateway.ledger[1], "id": gone}
        charge["metadata"] = {**charge["metadata"], "order_id": "00001"}
        charge["metadata"]["batchpay_key"] = row["idempotency_key"]
        charge |= {"amount": 10125, "destination": row["destination"]}
        gateway.ledger.append(charge)
        gateway.born[gone] = time.monotonic()
        assert night.run().returncode == 0, night.said
        return
    said = f"charged:{gone}" if word == "charged" else word
    done = night.run(
        "00001", "--as", said, "--reason", "the gateway wrote", verb="resolve"
    )
    assert done.returncode == 0, done.stderr
    assert night.run().returncode == 10, night.said
    row = night.row("00001")
    assert "the gateway wrote" in row["reason"]
    if word == "charged":
        assert (row["outcome"], row["who_acts"]) == ("succeeded", "-")
        return
    assert row["outcome"] == "refused" and night.sends("00001") == 1
    night.orders([order(1, card="tokn_test_sandbox99")], "again.csv")
    assert night.run("--input", "again.csv").returncode == 0, night.said
    assert in_file(night, "00001", "again.csv")["outcome"] == "succeeded"


@pytest.mark.fault("J27", "B31", "L10", "I1", "I19")
@pytest.mark.parametrize("is_said", [True, False])
@pytest.mark.parametrize("status", ["failed", "successful"])
def test_a_charge_that_is_gone_is_not_taken_back_by_another_under_its_key(
    night: Stage, gateway: Adversary, status: str, is_said: bool
) -> None:
    """One that failed, and shows late, is told, and what a person said of the first stays; one that
    took money is a second charge, or, where nobody has said anything, the only one.
    """
    twin = {**made_of(night, gateway), "id": "chrg_test_twin", "status": status}
    twin["paid"] = status == "successful"
    gone = vanished_of(night, gateway)
    assert night.run().returncode == 12, night.said
    if is_said:
        word = ("--as", f"charged:{gone}", "--reason", "the dashboard shows it")
        assert night.run("00001", *word, verb="resolve").returncode == 0, night.said
    assert night.run(*LIFT, verb="resolve").returncode == 0
    gateway.ledger.append(twin)
    gateway.born["chrg_test_twin"] = 0.0
    if status == "successful" and not is_said:
        assert night.run().returncode == 0, night.said
        assert night.row("00001")["charge_id"] == "chrg_test_twin"
        return
    assert night.run().returncode == 12, night.said
    assert f"two charges carry one key: {gone}, chrg_test_twin" in night.said
    row = night.row("00001")
    assert (row["outcome"], row["charge_id"]) == ("succeeded", gone), row
    assert f"chrg_test_twin is {status}" in row["reason"]
    assert night.run(*LIFT, verb="resolve").returncode == 0
    night.orders([order(1, card="tokn_test_sandbox99")], "again.csv")
    night.run("--input", "again.csv")
    assert in_file(night, "00001", "again.csv")["outcome"] == "conflict"
    assert night.sends("00001") == 1
    row = in_file(night, "00001", "orders.csv")
    is_open = not is_said or status == "successful"
    assert row["who_acts"] == ("a person" if is_open else "-"), row


def another_in_its_place(night: Stage, gateway: Adversary, sends: int) -> str:
    """An order was charged, after so many sends; then the gateway knows no such charge any more,
    and has another one under its key. The id of the one that was answered.
    """
    night.orders([order(1), order(2)])
    gateway.on("00001", *[LOST_BEFORE] * (sends - 1))
    assert night.run().returncode == 0, night.said
    assert night.sends("00001") == sends
    charge = charge_of(gateway)
    gone = str(charge["id"])
    charge |= {"id": EARLIER, "chain": "acch_test_earlier"}
    gateway.born[EARLIER] = 0.0
    time.sleep(1.1)  # beyond a doubt period
    return gone


@pytest.mark.fault("J11", "J27", "B31", "L10", "I1", "I14", "I19")
@pytest.mark.parametrize(
    "word", ["the other one", "this one", "this one is given back"]
)
@pytest.mark.parametrize("sends", [1, 2])
def test_a_charge_that_was_answered_does_not_give_way_to_another_under_its_key(
    night: Stage, gateway: Adversary, sends: int, word: str
) -> None:
    """Two charges were made and one is gone: a stop, and once that is lifted the row says so until
    a person says which one is the order's.
    """
    gone = another_in_its_place(night, gateway, sends)
    assert night.run().returncode == 12, night.said
    assert f"order 00001: two charges carry one key: {gone}, {EARLIER}" in night.said
    assert night.run(*LIFT, verb="resolve").returncode == 0
    for verb in ("run", "status", "settle"):
        assert night.run(verb=verb).returncode == 10, (verb, night.said)
    row = night.row("00001")
    assert (row["outcome"], row["charge_id"]) == ("succeeded", gone)
    assert row["who_acts"] == "a person"
    assert f"the gateway knows no {gone} any more" in row["reason"]
    assert f"--as charged:{EARLIER} --reason" in row["reason"]
    if word == "this one is given back":
        charge_of(gateway)["refunded_amount"] = 10125
        assert night.run().returncode == 10
        row = night.row("00001")
        assert f"{EARLIER} is successful, given back" in row["reason"]
        assert f"--as charged:{EARLIER} --reason" in row["reason"]
    named = gone if word == "the other one" else EARLIER
    said = ("--as", f"charged:{named}", "--reason", "the gateway wrote")
    done = night.run("00001", *said, verb="resolve")
    assert done.returncode == 0, done.stderr
    row = night.row("00001")
    assert (row["charge_id"], row["who_acts"]) == (named, "-")
    assert "the gateway wrote" in row["reason"] and gone in row["reason"]
    assert night.run().returncode == 10, night.said
    assert night.sends("00001") == sends


@pytest.mark.fault("J27", "B31", "L10", "I19")
@pytest.mark.parametrize(
    ("first", "other", "named"),
    [("pending", "successful", "other"), ("pending", "pending", "first")],
)
def test_a_pending_charge_that_is_gone_is_told_beside_the_other_under_its_key(
    night: Stage, gateway: Adversary, first: str, other: str, named: str
) -> None:
    """It may have taken money: the other one shows of none that there was none."""
    night.orders([order(1), order(2)])
    gateway.on("00001", Fate(becomes={"status": first}))
    assert night.run().returncode == 11, night.said
    charge = charge_of(gateway)
    gone = str(charge["id"])
    charge |= {"id": EARLIER, "chain": "acch_test_earlier", "status": other}
    charge["paid"] = other == "successful"
    gateway.born[EARLIER] = 0.0
    time.sleep(1.1)  # beyond a doubt period
    assert night.run().returncode == 12, night.said
    assert night.run(*LIFT, verb="resolve").returncode == 0
    night.run()
    row = night.row("00001")
    assert row["charge_id"] == (EARLIER if named == "other" else gone), row
    assert row["who_acts"] == "a person" and gone in row["reason"], row
    said = ("--as", f"charged:{EARLIER}", "--reason", "the gateway wrote")
    assert f"--as charged:{EARLIER} --reason" in row["reason"]
    done = night.run("00001", *said, verb="resolve")
    assert done.returncode == 0, done.stderr
    assert night.run().returncode in (10, 11)
    row = night.row("00001")
    assert row["charge_id"] == EARLIER and row["who_acts"] != "a person", row
