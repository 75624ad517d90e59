"""Whose a charge is, and when a list has come to its end: no single foreign word decides either."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.adversary import (
    LOST_AFTER,
    PENDING,
    Adversary,
    Fate,
    Request,
    error,
    rewritten,
)
from tests.doses import SWEEP
from tests.faults.stage import Stage
from tests.test_auditing import TODAY
from tests.world import BY_CUSTOMER, order

Change = Callable[[dict[str, str]], Any]

LOSSES: dict[str, Change] = {
    "no job": lambda said: said.pop("batchpay_job", None),
    "another job": lambda said: said.update(batchpay_job="NIGHT"),
    "no order": lambda said: said.pop("order_id", None),
    "the key alone": lambda said: [
        said.pop(name) for name in list(said) if name != "batchpay_key"
    ],
}


def lose(gateway: Adversary, change: Change) -> None:
    """What the gateway keeps of its charges' metadata is other than what it was told."""
    for charge in gateway.charges():
        change(charge["metadata"])


@pytest.mark.fault("J02", "B07", "L5", "I1")
@pytest.mark.parametrize("loss", LOSSES)
def test_the_key_says_whose_a_charge_is(
    night: Stage, gateway: Adversary, loss: str
) -> None:
    """Whatever else of its names was lost: it is found, on this night and on a later one, and never
    sent again.
    """
    night.orders([order(1)])
    gateway.on("00001", LOST_AFTER)
    gateway.before_list = lambda request: lose(gateway, LOSSES[loss])
    assert night.run().returncode == 0, night.said
    assert (night.posts(), night.row("00001")["outcome"]) == (1, "succeeded")
    assert night.run().returncode == 0
    audit = night.run("--from", "2020-01-01", "--to", TODAY, verb="audit")
    assert audit.returncode == 0 and "1 charge alike on both sides" in audit.stdout, (
        audit.stdout
    )


@pytest.mark.fault("D10", "J02", "L11", "I1")
@pytest.mark.parametrize(
    ("loss", "told"), [("no job", 78), ("another job", 78), ("the key alone", 78)]
)
def test_a_lost_journal_knows_its_charges_by_their_keys(
    night: Stage, gateway: Adversary, loss: str, told: int
) -> None:
    """78, by the reports where the lists tell no order, and adopted by --adopt; one that says its
    key alone when its order comes.
    """
    night.orders([order(1), order(2)])
    assert night.run().returncode == 0
    lose(gateway, LOSSES[loss])
    shutil.rmtree(night.folder / "state")
    assert night.run().returncode == told, night.said
    assert night.run("--adopt").returncode == 0, night.said
    assert night.posts() == 2
    assert night.outcomes() == {"succeeded": 2}


def gone(night: Stage) -> None:
    """The journal is lost; its reports tell of that."""
    shutil.rmtree(night.folder / "state")


def days_pass(gateway: Adversary) -> None:
    """No list of a later night begins early enough to show those that say no order."""
    for charge in gateway.ledger:
        if "order_id" not in charge["metadata"]:
            charge["created_at"] = "2020-01-01T00:00:00Z"


def in_file(night: Stage, order_id: str, file: str) -> dict[str, str]:
    """The row of an order in one file."""
    (row,) = [
        row
        for row in night.results()
        if (row["order_id"], row["file"]) == (order_id, file)
    ]
    return row


def file_of(night: Stage, name: str, *orders: dict[str, str]) -> None:
    """The one input of the next run."""
    night.orders(orders, name)
    night.job(file=name)


@pytest.mark.fault("D10", "J02", "L11", "I1")
@pytest.mark.parametrize("loss", ["the key alone", "no order"])
def test_a_charge_that_kept_its_key_waits_for_the_file_of_a_later_run(
    night: Stage, gateway: Adversary, loss: str
) -> None:
    """The run that adopts has another file: whose charge it is can be told when its order comes,
    nights later.
    """
    night.orders([order(1), order(2)])
    assert night.run().returncode == 0
    lose(gateway, LOSSES["the key alone"])
    if loss == "no order":
        lose(gateway, lambda said: said.update(batchpay_row="2"))
    gone(night)
    file_of(night, "other.csv", order(3))
    assert night.run("--adopt").returncode == 0, night.said
    days_pass(gateway)
    file_of(night, "another.csv", order(4))
    assert night.run().returncode == 0, night.said
    file_of(night, "late.csv", order(1), order(5))
    assert night.run().returncode == 0, night.said
    assert (night.sends("00001"), in_file(night, "00001", "late.csv")["outcome"]) == (
        1,
        "succeeded",
    )
    file_of(night, "later.csv", order(2, amount="777.00"))
    # adopted with the terms that it has, which are not the row's
    assert night.run().returncode == 12, night.said
    assert (night.sends("00002"), in_file(night, "00002", "later.csv")["outcome"]) == (
        1,
        "unproven",
    )
    events = "SELECT count(*) FROM events WHERE kind = 'stray'"
    assert night.read(events) == [(2,)]


@pytest.mark.fault("D10", "J02", "B33", "B34", "L11")
def test_what_became_of_such_a_charge_is_asked_when_its_order_comes(
    night: Stage, gateway: Adversary
) -> None:
    """It was pending when a list showed it, and is adopted as what it is by now."""
    night.orders([order(1)])
    gateway.on("00001", PENDING)
    assert night.run().returncode == 11
    lose(gateway, LOSSES["the key alone"])
    gone(night)
    file_of(night, "other.csv", order(3))
    assert night.run("--adopt").returncode == 0, night.said
    days_pass(gateway)
    gateway.ledger[0].update(status="successful", paid=True, chain="acch_test_1")
    file_of(night, "late.csv", order(1))
    assert night.run().returncode == 0, night.said
    assert (night.sends("00001"), in_file(night, "00001", "late.csv")["outcome"]) == (
        1,
        "succeeded",
    )


@pytest.mark.fault("D10", "J02", "J04", "L11", "I1")
@pytest.mark.parametrize("late", [False, True])
def test_such_a_charge_of_a_later_attempt_bars_the_first(
    night: Stage, gateway: Adversary, *, late: bool
) -> None:
    """The first attempt was refused, the second one charged: the order of a lost journal begins
    with the first.
    """
    night.orders([order(1)])
    gateway.on(
        "00001", Fate(status=400, code="bad_request", message="no", commit="never")
    )
    assert night.run().returncode == 10
    file_of(night, "again.csv", order(1, amount="150.00"))
    assert night.run().returncode == 0, night.said
    lose(gateway, LOSSES["the key alone"])
    gone(night)
    file_of(night, "other.csv", order(3))
    if late:
        assert night.run("--adopt").returncode == 0, night.said
        days_pass(gateway)
    file_of(night, "late.csv", order(1, amount="150.00"))
    assert night.run(*["--adopt"] * (not late)).returncode == 0, night.said
    assert night.sends("00001") == 2
    assert in_file(night, "00001", "late.csv")["outcome"] in ("succeeded", "duplicate")
    assert night.run().returncode == 0 and night.sends("00001") == 2


@pytest.mark.fault("B22", "J02", "L6", "I1")
def test_a_refusal_that_charged_is_known_by_its_key_in_a_later_run(
    night: Stage, gateway: Adversary
) -> None:
    """No list of the night of the 400 shows it; those of the next one show its key alone, and that
    is a stop.
    """
    night.orders([order(1)])
    gateway.on("00001", Fate(status=400, code="bad_request", message="no"))
    gateway.before_list = lambda request: lose(gateway, LOSSES["the key alone"])
    gateway.lag_s = 60.0
    assert night.run().returncode == 10
    gateway.lag_s = 0.0
    file_of(night, "other.csv", order(3))
    assert night.run().returncode == 12, night.said
    assert night.sends("00003") == 0


# --- a charge that kept nothing


def forget(gateway: Adversary, order_id: str) -> str:
    """The charge of an order says nothing any more; its id."""
    (charge,) = [
        c for c in gateway.charges() if c["metadata"].get("order_id") == order_id
    ]
    charge["metadata"] = {}
    return str(charge["id"])


@pytest.mark.fault("D09", "D10", "J02", "L11", "I1", "I19")
@pytest.mark.parametrize("restored", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_after_a_loss_an_order_waits_beside_a_charge_that_says_nothing(
    night: Stage, gateway: Adversary, *, restored: bool, late: bool
) -> None:
    """Its very terms, and no name: that one order waits for a person, whichever night it comes; the
    others go.
    """
    file_of(night, "first.csv", order(9))
    assert night.run().returncode == 0
    shutil.copytree(night.folder / "state", night.folder / "before")
    file_of(night, "orders.csv", order(1), order(2))
    assert night.run().returncode == 0
    charge_id = forget(gateway, "00001")
    gone(night)
    if restored:
        shutil.copytree(night.folder / "before", night.folder / "state")
    flags = [] if restored else ["--adopt"]
    if late:
        file_of(night, "other.csv", order(3))
        assert night.run(*flags).returncode == 0, night.said
        days_pass(gateway)
        flags = []
    file_of(night, "late.csv", order(1), order(2), order(4))
    assert night.run(*flags).returncode == 11, night.said
    row = in_file(night, "00001", "late.csv")
    assert (row["outcome"], row["who_acts"]) == (
        "held",
        "a person",
    ) and charge_id in row["reason"]
    assert in_file(night, "00004", "late.csv")["outcome"] == "succeeded"
    assert (night.sends("00001"), night.sends("00002"), night.sends("00004")) == (
        1,
        1,
        1,
    )
    assert night.run().returncode == 11 and night.run(verb="status").returncode == 11
    plan = night.run(verb="plan")
    assert (plan.returncode, "would charge nothing" in plan.stdout) == (11, True), (
        plan.stdout
    )
    assert (
        night.run(
            "--not-ours", charge_id, "--reason", "the till's", verb="resolve"
        ).returncode
        == 0
    )
    assert night.run().returncode == 0, night.said
    assert night.sends("00001") == 2


@pytest.mark.fault("J02", "J27")
def test_charges_that_say_nothing_hold_up_nobody_else(
    night: Stage, gateway: Adversary
) -> None:
    """Accounts are full of them: other terms after a loss, the very terms beside a journal that
    lost nothing, or that is new.
    """
    terms = {"currency": "thb", "destination": order(1)["recipient"]}
    gateway.commit({"amount": "10125", **terms}, {"metadata": {}})
    night.orders([order(1)])
    assert night.run().returncode == 0, night.said
    gateway.commit({"amount": "10126", **terms}, {"metadata": {}})
    gateway.commit(
        {"amount": "10225", **terms}, {"metadata": {"order_id": "the till 7"}}
    )
    gateway.commit({"amount": "10225", **terms}, {"metadata": {}, "status": "failed"})
    gone(night)
    file_of(night, "other.csv", order(1, order_id="00002", amount="102.25"))
    assert night.run("--adopt").returncode == 0, night.said
    assert night.posts() == 2


@pytest.mark.fault("B22", "L6", "I1", "I19")
@pytest.mark.parametrize(
    ("lost", "late"),
    [("{}", False), ("{}", True), ("the key too", True), ("the recipient too", False)],
)
def test_beside_a_charge_that_says_nothing_no_refused_order_comes_back(
    night: Stage, gateway: Adversary, lost: str, *, late: bool
) -> None:
    """400, and a list shows what fits, of this night or the next: the row says so, no later attempt
    goes before a person has told.
    """
    night.job(**BY_CUSTOMER)
    payer = {"card": "cust_test_adversary1"}
    night.orders([order(1, **payer), order(2, card="cust_test_adversary2")])
    gateway.on("00001", Fate(status=400, code="bad_request", message="no"))

    def drop(request: Request) -> None:
        for charge in gateway.ledger:
            if (
                charge["metadata"].get("order_id") == "00001"
                and night.sends("00001") == 1
            ):
                charge["metadata"] = (
                    {"invoice": "INV-1"} if lost == "the key too" else {}
                )
                if lost == "the recipient too":
                    charge["destination"] = None

    gateway.before_list = drop
    gateway.lag_s = 60.0 * late
    assert night.run().returncode == 10, night.said
    if late:
        assert night.row("00001")["who_acts"] == "accountant"
        gateway.lag_s = 0.0
        assert night.run().returncode == 10
    charge_id = next(c["id"] for c in gateway.ledger if "order_id" not in c["metadata"])
    row = night.row("00001")
    assert (row["outcome"], row["who_acts"]) == (
        "refused",
        "a person",
    ) and charge_id in row["reason"]
    night.orders([order(1, amount="777.00", **payer)], "again.csv")
    assert night.run("--input", "again.csv").returncode == 11, night.said
    assert night.sends("00001") == 1
    assert (
        night.run(
            "--not-ours", charge_id, "--reason", "the till's", verb="resolve"
        ).returncode
        == 0
    )
    assert night.run("--input", "again.csv").returncode == 0, night.said
    assert night.sends("00001") == 2


@pytest.mark.fault("B22", "L6", "I1", "I19")
@pytest.mark.parametrize("when", ["before", "while it waits"])
def test_nor_does_a_later_attempt_that_had_begun_go_on(
    night: Stage, gateway: Adversary, when: str
) -> None:
    """400, the next attempt is told 429, and only then does a list show what fits the first: of a
    night before, or of this very run between two sends. Who would begin waits, who has begun does.
    """
    night.orders([order(1), order(2)])
    gateway.on("00001", Fate(status=400, code="bad_request", message="no"))
    shown_after = {"before": 4, "while it waits": 2}[when]

    def show(request: Request) -> None:
        for charge in gateway.ledger:
            if charge["amount"] == 10125 and night.sends("00001") < shown_after:
                gateway.born[charge["id"]] = float("inf")
            elif charge["amount"] == 10125:
                gateway.born[charge["id"]] = 0.0

    gateway.before_list = show
    assert night.run().returncode == 10, night.said
    charge_id = forget(gateway, "00001")
    night.orders([order(1, amount="777.00", card="tokn_test_sandbox99")], "again.csv")
    busy = error(429, "too_many_requests")
    gateway.on("00001", *[busy] * (shown_after - 1))
    if when == "before":
        assert night.run("--input", "again.csv").returncode == 11, night.said
        assert night.sends("00001") == 4
        assert in_file(night, "00001", "again.csv")["outcome"] == "held"
    assert night.run("--input", "again.csv").returncode == 11, night.said
    assert night.sends("00001") == shown_after
    row = in_file(night, "00001", "again.csv")
    assert (row["outcome"], row["who_acts"]) == (
        "held",
        "a person",
    ) and charge_id in row["reason"]
    plan = night.run("--input", "again.csv", verb="plan")
    assert (plan.returncode, "would charge nothing" in plan.stdout) == (11, True), (
        plan.stdout
    )
    word = ("--not-ours", charge_id, "--reason", "the till's")
    assert night.run(*word, verb="resolve").returncode == 0
    assert night.run("--input", "again.csv").returncode == 0, night.said
    assert night.sends("00001") == shown_after + 1


# --- the end of a list


def _seen(rewrite: Callable[[dict[str, Any]], None]) -> Fate:
    def how(body: bytes) -> bytes:
        document = json.loads(body)
        rewrite(document)
        return json.dumps(document).encode()

    return rewritten(how)


def _tomorrow(document: dict[str, Any]) -> None:
    for charge in document["data"]:
        if charge["id"] == "chrg_test_000005":
            charge["created_at"] = "2099-01-01T00:00:00Z"


def _capped(document: dict[str, Any]) -> None:
    document["total"] = min(document["total"], 100)


@pytest.mark.fault("B32", "J05", "L5", "I1")
@pytest.mark.parametrize(("lie", "code"), [(_tomorrow, 0), (_capped, 11)])
def test_a_list_ends_where_its_last_page_is_not_full(
    night: Stage, gateway: Adversary, lie: Any, code: int
) -> None:
    """Neither one charge of tomorrow nor a count cut at the size of a page proves an absence; audit
    shares it.
    """
    gateway.strangers(120, age_s=60)
    night.orders([order(1)])
    gateway.on("00001", LOST_AFTER)
    lied = _seen(lie)
    gateway.rule = lambda request: (
        lied if request.method == "GET" and request.path == "/charges" else None
    )
    assert night.run().returncode == code, night.said
    assert night.run(
        "--from", "2020-01-01", "--to", TODAY, verb="audit"
    ).returncode == (69 if code else 0)
    gateway.rule = lambda request: None
    assert night.run().returncode == 0
    assert night.row("00001")["outcome"] == "succeeded"
    assert night.posts() == 1


@pytest.mark.fault("B22", "J02", "L6", "I1")
def test_a_refusal_that_charged_is_known_by_its_key_alone(
    night: Stage, gateway: Adversary
) -> None:
    """400, and yet the lists show a charge with this very key: a stop, and no next attempt is sent
    beside it.
    """
    night.orders([order(1), order(2)])
    gateway.on("00001", Fate(status=400, code="bad_request", message="no"))
    gateway.before_list = lambda request: lose(gateway, LOSSES["the key alone"])
    assert night.run().returncode == 12, night.said
    night.orders([order(1, amount="777.00")], "again.csv")
    assert night.run("--input", "again.csv").returncode == 12, night.said
    assert night.sends("00001") == 1


@pytest.mark.fault("B32", "L5", "I1")
def test_a_clock_that_is_off_for_all_charges_ends_no_list(
    night: Stage, gateway: Adversary
) -> None:
    """A busy account, every charge a minute ahead of the gateway's own Date: the count says the
    end, not the time.
    """
    gateway.strangers(250, age_s=-60)
    night.orders([order(1)])
    gateway.on("00001", Fate(end="reset", cut=0, becomes={}))
    assert night.run().returncode == 0, night.said
    night.right()
    assert night.posts() == 1


# --- an answer that speaks of a charge


@pytest.mark.fault("B19", "B20", "B21", "L6", "I1")
@pytest.mark.parametrize(
    "status",
    [
        429,
        401,
        404,
        *(
            pytest.param(one, marks=SWEEP)
            for one in (403, 405, 410, 413, 414, 431, 400, 422)
        ),
    ],
)
def test_a_charge_in_an_answer_is_evidence_whatever_its_status(
    night: Stage, gateway: Adversary, status: int
) -> None:
    """It is never not charged: asked for by its id although no list shows it yet, and found."""
    night.orders([order(1), order(2)])
    first = [True]

    def charged_under(body: bytes) -> bytes:
        first.clear()
        head = (
            f"HTTP/1.1 {status} Odd\r\nContent-Type: application/json\r\nContent-Length:"
            f" {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    gateway.on("00001", Fate(framed=charged_under))
    # less than a doubt period: what lists hide for longer holds the rest back
    gateway.lag_s = 1.0
    code = night.run().returncode
    assert code == (77 if status in (401, 403) else 0), night.said
    gateway.lag_s = 0.0
    assert night.run().returncode == 0, night.said
    night.right()
    assert night.sends("00001") == 1


@pytest.mark.fault("B11", "F06")
def test_a_cut_answer_that_came_while_the_process_slept_is_in_doubt(
    night: Stage, gateway: Adversary
) -> None:
    """Its compression is broken: that is no answer, and no bug."""
    night.orders([order(1), order(2)])
    words, how = night.command("run", "job.toml")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how
    )

    def asleep(body: bytes) -> bytes:
        process.send_signal(signal.SIGSTOP)
        # behind its timeout
        threading.Timer(2.0, process.send_signal, (signal.SIGCONT,)).start()
        cut = gzip.compress(body)[:-8]
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(cut)}\r\n\r\n"
        return head.encode() + cut

    gateway.on("00001", Fate(framed=asleep))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert night.run().returncode == 0
    night.right()
    assert night.posts() == 2


# --- a charge that says nothing


@pytest.mark.fault("J27", "J02", "L5", "B13")
def test_a_foreign_charge_that_cannot_be_read_holds_up_no_sound_journal(
    night: Stage, gateway: Adversary
) -> None:
    """A new journal asks a person, who says it is another's; a sound one goes on, whatever it
    fits.
    """
    stranger = gateway.commit(
        {"amount": "500", "currency": "thb", "destination": "recp_test_9"},
        {"metadata": None},
    )
    night.orders([order(1)])
    for _ in range(2):
        assert night.run().returncode == 11
        assert f"--not-ours {stranger['id']}" in night.said
        night.said = ""
    assert night.row("00001")["who_acts"] == "a person"
    plan = night.run(verb="plan")
    assert (plan.returncode, "would charge nothing" in plan.stdout) == (11, True)
    assert night.run(verb="doctor").returncode == 11
    assert night.run(verb="status").returncode == 11
    assert (
        night.run(
            "--not-ours", "chrg_test_never", "--reason", "x", verb="resolve"
        ).returncode
        == 64
    )
    assert (
        night.run(
            "--not-ours", stranger["id"], "--reason", "another shop's", verb="resolve"
        ).returncode
        == 0
    )
    assert night.run().returncode == 0, night.said
    gateway.commit(
        {"amount": "500", "currency": "thb", "destination": "recp_test_9"},
        {"metadata": None},
    )
    night.orders([order(2)], "orders-2.csv")
    night.job(file="orders-2.csv")
    assert night.run().returncode == 0, night.said
    assert night.posts() == 2
    own = next(charge for charge in gateway.charges())
    assert (
        night.run("--not-ours", own["id"], "--reason", "x", verb="resolve").returncode
        == 12
    )


@pytest.mark.fault("J32", "J02", "I15")
def test_a_charge_that_the_journal_knows_is_never_unreadable(
    night: Stage, gateway: Adversary
) -> None:
    """It lost what named it after it was proven: nothing is held up."""
    night.orders([order(1)])
    assert night.run().returncode == 0
    gateway.ledger[0]["metadata"] = None
    night.orders([order(2)], "orders-2.csv")
    night.job(file="orders-2.csv")
    assert night.run().returncode == 0, night.said
    assert len(night.gateway.requests("POST", "/charges")) == 2


@pytest.mark.fault("L5", "B13", "J27", "I19")
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_person_ends_the_doubt_about_a_charge_that_says_no_order(
    night: Stage, gateway: Adversary, *, is_ours: bool
) -> None:
    """One order waits, with the words that end it: it is this one's, or another's, and then the
    order is sent again.
    """
    night.orders([order(2)], "first.csv")
    night.job(file="first.csv")
    assert night.run().returncode == 0  # a journal that knows its orders
    night.job()
    night.orders([order(1)])
    gateway.on(
        "00001", LOST_AFTER if is_ours else Fate(commit="never", end="reset", cut=0)
    )
    terms = {"amount": "10125", "currency": "thb", "destination": order(1)["recipient"]}

    def forget(request: Request) -> None:
        if night.sends("00001") == 1 and not is_ours and len(gateway.ledger) == 1:
            gateway.commit(terms, {"metadata": None})
        for charge in [one for one in gateway.ledger if one["metadata"]]:
            if (
                charge["metadata"].get("order_id") == "00001"
                and night.sends("00001") == 1
            ):
                charge["metadata"] = None

    gateway.before_list = forget
    assert night.run().returncode == 11, night.said
    row = night.row("00001")
    assert (row["outcome"], row["who_acts"]) == ("in_doubt", "a person")
    charge_id = next(c["id"] for c in gateway.ledger if not c["metadata"])
    assert f"{charge_id} may be its charge" in row["reason"]
    if is_ours:
        made = night.run(
            "00001",
            "--as",
            f"charged:{charge_id}",
            "--reason",
            "the dashboard",
            verb="resolve",
        )
        assert made.returncode == 0, made.stderr
        night.run("--lift-stop", "--reason", "seen", verb="resolve")
        assert night.run().returncode == 10, night.said
        assert night.row("00001")["outcome"] == "unproven"
    else:
        assert (
            night.run(
                "--not-ours", charge_id, "--reason", "another's", verb="resolve"
            ).returncode
            == 0
        )
        assert night.run().returncode == 0, night.said
        assert night.row("00001")["outcome"] == "succeeded"
    assert night.sends("00001") == (1 if is_ours else 2)


MINE = "cust_test_mine0001"
ANOTHERS = "cust_test_another0002"
NOT_SENT = Fate(commit="never", end="reset", cut=0)


def kept_nothing(gateway: Adversary, payer: dict[str, str]) -> str:
    """Id of a charge for what the first order asks, made by hand, of this payer."""
    asked = order(1)
    terms = {"amount": "10125", "currency": "thb", "destination": asked["recipient"]}
    return str(gateway.commit({**terms, **payer}, {"metadata": {}})["id"])


def knows_its_orders(night: Stage) -> None:
    """The journal is none that is new; then comes a file with the first order."""
    night.job(file="first.csv", **BY_CUSTOMER)
    night.orders([order(2, card=MINE)], "first.csv")
    assert night.run().returncode == 0, night.said
    night.job(**BY_CUSTOMER)
    night.orders([order(1, card=MINE)])


@pytest.mark.fault("L5", "H05", "I1", "I19")
@pytest.mark.parametrize("stands", ["in_doubt", "held"])
@pytest.mark.parametrize(
    ("payer", "may_be"),
    [
        ({"customer": MINE}, True),
        ({"customer": ANOTHERS}, False),
        ({}, True),  # a payer that nobody tells proves nothing
        ({"source": "src_test_1"}, True),  # that is no customer
    ],
)
def test_no_word_makes_another_customers_charge_an_orders(
    night: Stage, gateway: Adversary, stands: str, payer: dict[str, str], may_be: bool
) -> None:
    """One decision for an order that is in doubt and for one that waits to be sent."""
    knows_its_orders(night)
    gateway.on("00001", NOT_SENT)
    charge_id = kept_nothing(gateway, payer)
    flags = ("--limit", "0")
    if stands == "in_doubt":
        flags = ()
        gateway.rule = lambda request: (
            Fate(change={"total": 7})
            if request.path == "/charges"
            and night.sends("00001")
            and request.method == "GET"
            else None
        )
    assert night.run(*flags).returncode == 11, night.said
    assert night.row("00001")["outcome"] == stands
    words = ("00001", "--as", f"charged:{charge_id}", "--reason", "the dashboard")
    told = night.run(*words, verb="resolve")
    if may_be:
        assert told.returncode == 0, told.stderr
        assert night.row("00001")["outcome"] == "unproven"
        return
    assert told.returncode == 12, told
    assert "payer: asked customer *0001, got customer *0002" in told.stderr
    assert night.row("00001")["outcome"] == stands
    gateway.rule = lambda request: None
    assert night.run().returncode == 0, night.said
    assert night.row("00001")["outcome"] == "succeeded"


@pytest.mark.fault("L5", "B13", "J27")
@pytest.mark.parametrize(
    ("payer", "waits"),
    [({"customer": MINE}, True), ({"customer": ANOTHERS}, False), ({}, True)],
)
def test_an_order_in_doubt_waits_for_no_other_customers_charge(
    night: Stage, gateway: Adversary, payer: dict[str, str], waits: bool
) -> None:
    """A shop sells the same thing for the same price to many: what tells of another customer is not
    the charge of a request that nobody answered.
    """
    knows_its_orders(night)
    gateway.on("00001", NOT_SENT)
    charge_id = kept_nothing(gateway, payer)
    assert night.run().returncode == (11 if waits else 0), night.said
    row = night.row("00001")
    assert (charge_id in row["reason"]) is waits
    assert row["outcome"] == ("in_doubt" if waits else "succeeded")
    assert night.sends("00001") == (1 if waits else 2)


@pytest.mark.fault("J27", "B33", "L10")
def test_pending_charges_are_asked_for_by_their_ids_beside_a_list_that_nobody_can_read(
    night: Stage, gateway: Adversary
) -> None:
    """What needs no list goes on without one."""
    night.orders([order(1)])
    gateway.on("00001", PENDING)
    assert night.run().returncode == 11
    gateway.turn(
        "00001",
        status="successful",
        chain="acch_test_1",
        paid_at=gateway.ledger[0]["created_at"],
    )
    gateway.rule = lambda request: (
        Fate(change={"total": 7})
        if request.method == "GET" and request.path == "/charges"
        else None
    )
    night.run()
    assert night.row("00001")["outcome"] == "succeeded", night.said


# --- a charge that was proven, and later


@pytest.mark.fault("B34", "L10", "J19", "I8")
@pytest.mark.parametrize(
    "later", [{"status": "refunded"}, {"status": "disputed"}, {"chain": None}]
)
def test_what_is_said_of_a_proven_charge_and_no_outcome_names_is_a_stop(
    night: Stage, gateway: Adversary, later: dict[str, Any]
) -> None:
    """It stays `succeeded`, once told; a person lifts it, and it is not told again."""
    night.orders([order(1)])
    assert night.run().returncode == 0
    gateway.ledger[0].update(later)
    assert night.run().returncode == 12
    assert "the gateway now says of it" in night.said
    assert night.row("00001")["outcome"] == "succeeded"
    assert night.run("--lift-stop", "--reason", "seen", verb="resolve").returncode == 0
    assert night.run().returncode == 0, night.said


@pytest.mark.fault("B15", "L7", "D09")
def test_an_accepted_charge_with_another_key_is_no_sign_of_an_older_journal(
    night: Stage, gateway: Adversary
) -> None:
    """Told, accepted and lifted once: no later night speaks of a restored copy, or waits for
    one.
    """
    night.orders([order(1)])

    def louder(body: bytes) -> bytes:
        said = gateway.ledger[-1]["metadata"]
        said["batchpay_key"] = said["batchpay_key"].upper()
        return json.dumps(gateway.ledger[-1]).encode()

    gateway.on("00001", rewritten(louder))
    assert night.run().returncode == 12
    charge_id = gateway.ledger[0]["id"]
    assert (
        night.run(
            "00001", "--as", f"charged:{charge_id}", "--reason", "x", verb="resolve"
        ).returncode
        == 0
    )
    assert night.run("--lift-stop", "--reason", "x", verb="resolve").returncode == 0
    night.said = ""
    for _ in range(2):
        assert night.run().returncode == 10, night.said
    assert "older" not in night.said and "STOP" not in night.said


@pytest.mark.fault("D10", "J13", "J02", "L11", "I1")
@pytest.mark.parametrize("loss", ["the key alone", "another order"])
def test_a_charge_whose_marks_fit_no_order_is_held_against_orders_of_its_terms(
    night: Stage, gateway: Adversary, loss: str
) -> None:
    """After a loss, and an export with another id for the same sale: a person says whose it is."""
    night.orders([order(1), order(2)])
    assert night.run().returncode == 0
    lose(gateway, LOSSES["the key alone"])
    if loss == "another order":
        lose(gateway, lambda said: said.update(order_id="00099", batchpay_row="9"))
    gone(night)
    shutil.rmtree(night.folder / "reports")
    file_of(night, "other.csv", order(3))
    assert night.run("--adopt").returncode == 0, night.said
    file_of(night, "late.csv", order(1, order_id="Q-1"), order(5))
    for _ in range(2):
        assert night.run().returncode == 11, night.said
    held = in_file(night, "Q-1", "late.csv")
    assert (held["outcome"], held["who_acts"]) == ("held", "a person")
    assert "--not-ours chrg_test_000000" in held["reason"]
    assert night.sends("Q-1") == 0 and night.sends("00005") == 1
    done = night.run("--not-ours", "chrg_test_000000", "--reason", "x", verb="resolve")
    assert done.returncode == 0, done.stderr
    assert night.run().returncode == 0 and night.sends("Q-1") == 1
