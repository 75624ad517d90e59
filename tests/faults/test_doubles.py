"""The same thing twice: processes, files, machines, jobs. Each order is paid once."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from tests.doses import FULL
from tests.machine import (
    in_this_process,
    nothing_left_without_an_intent,
    settles,
    wait_for,
)
from tests.world import BY_CUSTOMER, KEY, Market, order

PROCESSES = 20 if FULL else 4
EDITS = 60 if FULL else 8


@pytest.mark.fault("E01", "I1", "I5")
def test_many_runs_started_at_once_are_one(market: Market) -> None:
    """All but the holder of the lock end with 75; the POSTs are those of one run, and so are the
    books.
    """
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    market.job()
    words, how = market.command("run", "job.toml")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for _ in range(2):
        processes = [subprocess.Popen(words, **quiet, **how) for _ in range(PROCESSES)]
        codes = [process.wait(120) for process in processes]
        assert 0 in codes and set(codes) <= {0, 75}, codes
    assert market.posts() == 20
    settles(market, rows)


@pytest.mark.fault("E01")
def test_a_second_run_that_waits_sends_nothing(market: Market) -> None:
    """--wait: it ends well when the first did, and makes no POST of its own."""
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    market.job(rate="20/s")
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(words, **how) as first:
        wait_for(lambda: market.posts() >= 2)
        second = market.run("--wait")
        assert first.wait(30) == 0  # its lock is free a moment before it has ended
    assert (second.returncode, second.stderr) == (0, "")
    assert market.posts() == 20
    settles(market, rows)


@pytest.mark.fault("E02")
def test_two_jobs_with_one_token_take_it_once(market: Market) -> None:
    """The gateway refuses the second; its report says so and names nobody as paid."""
    market.orders([order(1)])
    path = market.job()
    assert market.run().returncode == 0
    path.write_text(path.read_text().replace('name = "night"', 'name = "day"'))
    market.orders([order(2, card=order(1)["card"])], "orders.csv")
    market.sandbox.add_rule(action="used_token", order_id="00002")
    assert market.run().returncode == 10
    assert [
        row["outcome"] for row in market.results() if row["order_id"] == "00002"
    ] == ["refused"]
    assert market.money() == {"00001": 1}


@pytest.mark.fault("E05", "I1", "I3")
@pytest.mark.parametrize("seed", range(EDITS))
def test_edits_between_runs_send_what_is_new_and_nothing_else(
    market: Market, seed: int
) -> None:
    """Rows added, removed, changed and reordered, five times: what was sent first is what is
    paid.
    """
    dice = random.Random(seed)
    rows = [order(number) for number in range(8)]
    paid: dict[str, dict[str, str]] = {}
    market.job(rate="2000/s")
    for edit in range(5):
        name = f"edit-{edit}.csv"
        market.orders(rows, name)
        in_this_process(market, name)
        mine = {
            row["order_id"]: row["outcome"]
            for row in market.results()
            if row["file"] == name
        }
        for row in rows:
            order_id = row["order_id"]
            if order_id not in paid:
                paid[order_id] = row
                assert mine[order_id] == "succeeded", (seed, edit, row)
            elif paid[order_id] == row:
                # its own batch: the same bytes
                assert mine[order_id] in ("duplicate", "succeeded"), (
                    seed,
                    edit,
                    row,
                )
            else:
                assert mine[order_id] == "conflict", (seed, edit, row)
        rows = edited(rows, paid, dice)
    assert market.posts() == len(paid)
    assert {
        c["metadata"]["order_id"]: c["amount"] for c in market.sandbox.charges()
    } == {
        order_id: int(row["amount"].replace(".", "")) for order_id, row in paid.items()
    }
    nothing_left_without_an_intent(market)


def edited(
    rows: list[dict[str, str]], paid: dict[str, dict[str, str]], dice: random.Random
) -> list[dict[str, str]]:
    """One to four edits; a removed row may come back."""
    rows = list(rows)
    for _ in range(dice.randint(1, 4)):
        kind, at = (
            dice.choice(["add", "remove", "change", "reorder", "return"]),
            dice.randrange(len(rows)),
        )
        present = {row["order_id"] for row in rows}
        gone = [row for order_id, row in paid.items() if order_id not in present]
        if kind == "add":
            rows.insert(at, order(max(map(int, {*present, *paid})) + 1))
        elif kind == "remove" and len(rows) > 2:
            del rows[at]
        elif kind == "change":
            rows[at] = {**rows[at], "amount": f"{dice.randint(30, 900)}.75"}
        elif kind == "return" and gone:
            rows.append(dice.choice(gone))
        else:
            dice.shuffle(rows)
    return rows


def another_machine(market: Market, *, clone: bool) -> Market:
    """The same job with a state of its own: empty, or a copy of what this one has now."""
    folder = market.folder.parent / f"{market.folder.name}-other"
    folder.mkdir()
    for name in ("job.toml", "orders.csv"):
        shutil.copy(market.folder / name, folder)
    if clone:
        shutil.copytree(market.folder / "state", folder / "state")
    return Market(folder, market.sandbox)


@pytest.mark.fault("E12", "I1")
def test_a_second_machine_later_adopts_and_sends_nothing_twice(market: Market) -> None:
    """With no journal: 78 until --adopt. With a copy from before the night: it adopts without being
    told.
    """
    rows = [order(number) for number in range(8)]
    market.orders(rows[:3])
    market.job()
    assert market.run().returncode == 0
    market.orders(rows)
    clone = another_machine(market, clone=True)
    assert market.run().returncode == 0
    assert clone.run().returncode == 0
    assert market.posts() == 8
    shutil.rmtree(clone.folder / "state")
    lost = clone.run()
    assert lost.returncode == 78 and "--adopt" in lost.stderr
    assert clone.run("--adopt").returncode == 0
    assert market.posts() == 8
    assert max(market.money().values()) == 1


@pytest.mark.fault("E12")
def test_two_machines_at_the_same_instant_are_found_out_and_both_stop(
    market: Market,
) -> None:
    """Two journals at once cannot be prevented: each sees the other's charges, both stop with 12,
    and stay stopped.
    """
    market.job(rate="10/s", **BY_CUSTOMER)
    market.orders(
        order(number, card=f"cust_test_sandbox{number}") for number in range(40)
    )
    market.run("--limit", "0")
    other = another_machine(market, clone=True)
    processes = []
    for one in (market, other):
        words, how = one.command("run", "job.toml")
        processes.append(
            subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how
            )
        )
    assert [process.wait(120) for process in processes] == [12, 12]
    posts = market.posts()
    assert (market.run().returncode, other.run().returncode) == (12, 12)
    assert market.posts() == posts


@pytest.mark.fault("E14", "I1")
def test_a_charge_made_by_hand_changes_nothing(market: Market) -> None:
    """A charge of nobody's, and one that carries an order id of ours without our key: neither is
    taken for ours.
    """
    import httpx

    rows = [order(number) for number in range(3)]
    market.orders(rows)
    market.job()
    for metadata in ({}, {"metadata[order_id]": "00001"}):
        fields = {
            "amount": "5000",
            "currency": "thb",
            "card": f"tokn_test_sandbox0007{len(metadata)}4242",
            **metadata,
        }
        made = httpx.post(
            f"{market.sandbox.url}/charges",
            data=fields,
            auth=(KEY, ""),
            trust_env=False,
        )
        assert made.status_code == 200, made.text
    assert market.run().returncode == 0
    assert market.outcomes() == {"succeeded": 3}
    assert (
        sum("batchpay_key" in charge["metadata"] for charge in market.sandbox.charges())
        == 3
    )


@pytest.mark.fault("E13", "I1")
def test_a_renamed_job_charges_nothing_again(market: Market) -> None:
    """78, and it tells under which name the orders were charged; under that name all is as it
    was.
    """
    rows = [order(number, card=f"cust_test_sandbox{number}") for number in range(4)]
    market.orders(rows)
    path = market.job(**BY_CUSTOMER)
    night = path.read_text()
    assert market.run().returncode == 0
    path.write_text(night.replace('name = "night"', 'name = "nacht"'))
    for flags in ((), ("--adopt",), ("--yes",)):
        renamed = market.run(*flags)
        assert renamed.returncode == 78 and 'by job "night"' in renamed.stderr, renamed
    market.orders(
        [order(number, card=f"cust_test_sandbox{number}") for number in range(50, 54)],
        "others.csv",
    )
    # a new job with orders of its own; the others are held
    assert market.run("--input", "others.csv").returncode == 11
    assert market.posts() == 8
    path.write_text(night)
    settles_with = market.run()
    assert settles_with.returncode == 0 and market.posts() == 8
    assert max(market.money().values()) == 1
