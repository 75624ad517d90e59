"""What lies beside a journal tells that it was lost or put back; two jobs over one set of orders;
two in one folder.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from batchpay.batches.last import listed_until
from batchpay.batches.wholeness import _is_said
from batchpay.domain.errors import TryLater
from batchpay.domain.events import Listed, line
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import CANCELLED, DENIED
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.places import by_order
from batchpay.reports.manifest import Said, telling_heads
from batchpay.sandbox import SandboxServer
from batchpay.settlement.absorbing import Absorbing
from batchpay.settlement.since import iso
from tests.inside import Inside
from tests.test_auditing import TODAY
from tests.test_doors import rows, told_back
from tests.test_journal_migration import intent
from tests.test_sale import A, R, inbox, job, night, once, sale
from tests.world import BY_CUSTOMER, KEY, Market, order

MARKET = Inside

OTHER_KEY = "skey_test_another0account"
ANCIENT_S = 42 * 86_400


def grow_old(market: Market) -> None:
    """Every charge was made 42 days ago."""
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            charge.created -= ANCIENT_S


def leave_in_doubt(market: Market) -> None:
    """A night after which nobody knows what became of the first order; the second one waits."""
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    market.sandbox.add_rule(action="reset_before", order_id="00001")
    market.sandbox.add_rule(
        method="GET", path="/charges*", status=503, commit="never", skip=2
    )
    night(market, limit=1)
    market.sandbox.clear_rules()


def lose(market: Market, *, lock_too: bool, reports_too: bool) -> None:
    """The journal, and what lay beside it."""
    for path in (market.folder / "state").iterdir():
        if lock_too or path.suffix != ".lock":
            path.unlink()
    if reports_too:
        shutil.rmtree(market.folder / "reports")


# --- a journal that was lost


@pytest.mark.fault("L11", "D10", "J02")
@pytest.mark.parametrize(
    ("lock_too", "reports_too"), [(True, False), (False, False), (False, True)]
)
def test_a_loss_that_anything_tells_of_is_78_until_adopt_however_old_the_charges(
    market: Market, *, lock_too: bool, reports_too: bool
) -> None:
    """The lock or a manifest knows of the loss: nothing is asked or sent without a word, and then
    all there is is looked at, not the last 35 days.
    """
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    grow_old(market)
    lose(market, lock_too=lock_too, reports_too=reports_too)
    asked = len(market.sandbox.requests())
    for verb in ("plan", "run", "run", "settle"):
        refused = market.run(verb=verb)
        assert refused.returncode == 78 and "--adopt" in refused.stderr, (
            verb,
            refused.stdout,
            refused.stderr,
        )
    assert len(market.sandbox.requests()) == asked
    adopted = market.run("--adopt", "--summary")
    assert adopted.returncode == 0, adopted.stderr
    assert "it was lost" in adopted.stdout and "older copy" not in adopted.stdout
    assert market.posts() == 2
    again = market.run("--summary")
    assert again.returncode == 0 and "lost" not in again.stdout
    assert market.posts() == 2 and market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("L11", "D10")
def test_adopting_works_without_a_file_too(market: Market) -> None:
    """What the refusal advises leads on, whatever lies in the inbox at that moment."""
    market.job(input="optional = true")
    market.orders([order(1)])
    assert market.run().returncode == 0
    lose(market, lock_too=False, reports_too=False)
    (market.folder / "orders.csv").unlink()
    assert market.run().returncode == 78
    assert market.run("--adopt").returncode == 0
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    assert market.money() == {"00001": 1, "00002": 1} and market.posts() == 2


@pytest.mark.fault("L11", "D10")
def test_a_run_that_dies_while_it_adopts_leaves_the_loss_as_it_was(
    market: Market,
) -> None:
    """The wait and the look to the beginning are due until a list was complete."""
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    lose(market, lock_too=False, reports_too=False)
    gone = market.sandbox.add_rule(
        method="GET", path="/charges", status=503, commit="never"
    )
    with market.start("run", "job.toml", "--adopt") as process:
        while not gone.applied:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    market.sandbox.clear_rules()
    grow_old(market)
    assert market.run().returncode == 78
    assert market.run("--adopt").returncode == 0
    assert market.posts() == 2


@pytest.mark.fault("E04", "D10", "J14")
@pytest.mark.parametrize("named", ["a", "c"])
@pytest.mark.parametrize("how", ["lost", "all lost", "restored"])
def test_a_file_beside_the_charged_one_is_held_against_it_on_the_night_of_a_loss(
    market: Market, how: str, named: str
) -> None:
    """The same orders under new ids, in a file of any name: that one is asked about, and not the
    one that was charged.
    """
    (market.folder / "inbox").mkdir()
    market.job(file="inbox/*.csv", **BY_CUSTOMER)
    paid = [order(n, card=f"cust_test_sandbox{n}") for n in range(1, 5)]
    market.orders([order(9, card="cust_test_sandbox9")], "inbox/0.csv")
    assert market.run().returncode == 0
    shutil.copytree(market.folder / "state", market.folder / "before")
    market.orders(paid, "inbox/b.csv")
    assert market.run().returncode == 0
    shutil.rmtree(market.folder / "state")
    if how == "all lost":
        shutil.rmtree(market.folder / "reports")
    if how == "restored":
        shutil.copytree(market.folder / "before", market.folder / "state")
    again = [{**row, "order_id": f"N-{n}"} for n, row in enumerate(paid)]
    market.orders(again, f"inbox/{named}.csv")
    for words in (["--adopt"], []):
        done = market.run(*words)
        assert done.returncode == 65, done.stderr
        assert f"{named}.csv: No order id of this file is known" in done.stderr
        assert "b.csv: No order id" not in done.stderr
        assert market.posts() == 5
    assert market.run("--yes").returncode == 0
    assert market.posts() == 9


@pytest.mark.fault("L11")
@pytest.mark.parametrize("other", ["name", "mode", "nothing left"])
def test_what_is_no_evidence_holds_nobody_up(market: Market, other: str) -> None:
    """Reports of another job or mode beside a new journal, or of nobody: it is a new job, not a
    lost one.
    """
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    shutil.rmtree(market.folder / "state")
    for path in (market.folder / "reports").glob("*/manifest.json"):
        if other == "nothing left":
            path.unlink()
        else:
            told = json.loads(path.read_bytes())
            path.write_text(
                json.dumps(
                    told | ({"job": "day"} if other == "name" else {"mode": "live"})
                ),
                "utf-8",
            )
    market.orders([order(2)])
    shutil.copytree(market.folder, beside(market, "met"))
    met = replace(market, folder=beside(market, "met"))
    # by the charges that the gateway has, as ever: not by what lies here
    refused = met.run()
    assert refused.returncode == 78 and "charges of this job (such as" in refused.stderr
    market.sandbox.store.ledgers.clear()
    assert market.run().returncode == 0
    # what a list showed once is kept, whatever the next one shows
    for verb in ("run", "plan", "settle"):
        again = met.run(verb=verb)
        assert again.returncode == 78 and "showed chrg_" in again.stderr, again
    gone = met.run("--adopt")
    assert gone.returncode == 12 and "no complete list" in gone.stdout, gone
    people_say(met, "--lift-stop")
    assert met.run("--adopt").returncode in (0, 10)


# --- an older copy


@pytest.mark.fault("L11", "D09", "J02")
def test_a_loss_is_dealt_with_once(market: Market) -> None:
    """One run waits out the doubt period and lists; those after it do not, however much further the
    reports had been. The next loss is noticed all the same.
    """
    market.job(file="inbox/*.csv")
    (market.folder / "inbox").mkdir()
    market.orders([order(0)], "inbox/0.csv")
    assert market.run().returncode == 0
    shutil.copytree(market.folder / "state", market.folder / "before")
    for number in (1, 2, 3):
        market.orders([order(number)], f"inbox/{number}.csv")
        assert market.run().returncode == 0
    for again in (1, 2):
        shutil.rmtree(market.folder / "state")
        shutil.copytree(market.folder / "before", market.folder / "state")
        for run in (1, 2):
            market.orders([order(10 * again + run)], f"inbox/{again}-{run}.csv")
            result = market.run("--summary")
            assert result.returncode == 0, result.stderr
            assert ("an older copy of it is back" in result.stdout) == (run == 1), (
                result.stdout
            )
            assert "was lost" not in result.stdout
    assert (
        all(count == 1 for count in market.money().values())
        and len(market.money()) == 8
    )


@pytest.mark.fault("L11", "D09", "J02")
@pytest.mark.parametrize("past", ["another job", "another copy"])
def test_an_older_copy_is_noticed_although_it_has_as_many_events(
    market: Market, past: str
) -> None:
    """What is written into it by another job, or what another machine's copy went on to, comes past
    the number of the last event that the lock has seen. The lock alone tells of it.
    """
    state = market.folder / "state" / "batchpay.db"
    copy = market.folder / "batchpay.db"
    job_file = market.job(file="inbox/*.csv", input="optional = true")
    (market.folder / "inbox").mkdir()
    market.orders([order(1)], "inbox/1.csv")
    assert market.run().returncode == 0
    shutil.copy(state, copy)
    if past == "another copy":
        shutil.copytree(market.folder, beside(market, "other machine"))
    market.orders([order(2)], "inbox/2.csv")
    assert market.run().returncode == 0
    for folder in (market.folder / "reports").glob("2*"):
        shutil.rmtree(folder)
    last = head_seq(state)
    if past == "another copy":
        other = replace(market, folder=beside(market, "other machine"))
        while head_seq(other.folder / "state" / "batchpay.db") <= last:
            assert other.run(verb="settle").returncode == 0
        shutil.copy(other.folder / "state" / "batchpay.db", state)
    else:
        shutil.copy(copy, state)
        text = job_file.read_text("utf-8").replace("inbox/", "outbox/")
        day = market.folder / "day.toml"
        day.write_text(text.replace('name = "night"', 'name = "day"'), "utf-8")
        while head_seq(state) <= last:
            assert market.program("run", "day.toml").returncode == 0
    plan = json.loads(market.run("--json", verb="plan").stdout)
    assert "has seen event" in json.dumps(plan), plan
    done = market.run("--summary")
    assert done.returncode == 0, done.stderr
    assert "an older copy of it is back" in done.stdout
    assert market.posts() == 2
    assert "older copy" not in market.run("--summary").stdout


def beside(market: Market, name: str) -> Path:
    """Another folder of this test."""
    return market.folder.with_name(f"{market.folder.name} {name}")


def head_seq(path: Path) -> int:
    """The number of the last event in a journal's file."""
    with closing(SqliteJournal(path, "night", read_only=True)) as journal:
        return journal.head()[0]


@pytest.mark.fault("L11", "J07", "D10", "I1")
def test_a_correction_is_known_after_a_loss_although_the_gateway_cuts_long_values(
    market: Market,
) -> None:
    """Two corrections of a row with long ids: more than one value of metadata holds tells what it
    goes back to.
    """
    first, second = "X" * 100, "Y" * 100
    job(market)
    inbox(market, d1=[sale(1, order_id=first, amount="x"), sale(2)])
    night(market)
    told_back(market, first, second, "inbox/d2.csv", amount="y")
    night(market)
    told_back(market, second, "R-1", "inbox/d3.csv", amount=sale(1)["amount"])
    night(market)
    once(market, 1, 2)
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            charge.metadata = {
                name: value[:255] for name, value in charge.metadata.items()
            }
    lose(market, lock_too=True, reports_too=True)
    inbox(market, d1=None, d2=None, d3=None, d4=[sale(1, order_id=first), sale(3)])
    night(market, adopt=True)
    (row,) = [row for row in market.results() if row["order_id"] == first]
    assert row["outcome"] == "duplicate"
    once(market, 1, 2, 3)


@pytest.mark.fault("D09", "D10")
@pytest.mark.parametrize("how", ["restored", "lost"])
def test_what_was_taken_over_settles_the_row_that_was_declined_before(
    market: Market, *, how: str
) -> None:
    """The payer is asked for nothing that was paid."""
    market.job(file="inbox/*.csv")
    (market.folder / "inbox").mkdir()
    market.orders(
        [order(1, card="tokn_test_sandbox000010011"), order(2)], "inbox/a.csv"
    )
    assert market.run().returncode == 10
    shutil.copytree(market.folder / "state", market.folder / "before")
    market.orders([order(1, card="tokn_test_sandbox000014242")], "inbox/b.csv")
    assert market.run().returncode == 0
    shutil.rmtree(market.folder / "state")
    if how == "restored":
        shutil.copytree(market.folder / "before", market.folder / "state")
    done = market.run(*(["--adopt"] if how == "lost" else []))
    assert done.returncode == 0, done.stdout
    (declined,) = [row for row in market.results() if row["outcome"] == "declined"]
    assert "succeeded" in declined["settled_by"]
    assert market.money() == {"00001": 1, "00002": 1}


# --- what people had said


def people_say(market: Market, *words: str) -> None:
    """A person's word."""
    done = market.run(*words, "--reason", "a fraud", verb="resolve")
    assert done.returncode == 0, done.stderr


@pytest.mark.fault("D09", "D10", "L11", "J14", "I1")
@pytest.mark.parametrize("how", ["restored", "lost"])
@pytest.mark.parametrize("tried", [True, False])
def test_a_cancelled_order_stays_so_when_the_journal_is_put_back_or_lost(
    market: Market, *, how: str, tried: bool
) -> None:
    """The reports tell of it: held by a limit or sent in vain before, of a file that the copy knows
    or of a later one. What is gone for good is said, once a loss.
    """
    market.job(file="inbox/*.csv")
    (market.folder / "inbox").mkdir()
    market.orders([order(1), order(2), order(3)], "inbox/a.csv")
    if tried:
        market.sandbox.add_rule(action="rate_limited", order_id="00002")
    assert market.run(*([] if tried else ["--limit", "1"])).returncode == 11
    market.sandbox.clear_rules()
    shutil.copytree(market.folder / "state", market.folder / "before")
    people_say(market, "00002", "--cancel")
    market.orders([order(4), order(5)], "inbox/b.csv")
    market.run("--limit", "0")
    people_say(market, "00005", "--cancel")
    said = json.loads(market.run("--json", verb="status").stdout)["words"]
    assert {one["order_id"] for one in said} == {"00002", "00005"}
    assert all(one["by"] == getpass.getuser() and one["at"] for one in said), said
    shutil.rmtree(market.folder / "state")
    if how == "restored":
        shutil.copytree(market.folder / "before", market.folder / "state")
        plan = json.loads(market.run("--json", verb="plan").stdout)
        assert plan["to_send"]["THB"]["count"] == (1 if tried else 2), plan
    done = market.run("--summary", *(["--adopt"] if how == "lost" else []))
    assert done.returncode == 10, done.stderr
    assert (
        "Whoever said it says it again" in done.stdout
        and "2 orders cancelled since" in done.stdout
    )
    assert "00002" in done.stdout and "00005" in done.stdout
    assert market.money() == {"00001": 1, "00003": 1, "00004": 1}
    reasons = {row["order_id"]: row["reason"] for row in market.results()}
    assert all("a fraud" in reasons[order_id] for order_id in ("00002", "00005")), (
        reasons
    )
    for one in said:  # whose word it was, and when it was said, outlives the loss
        whose = f"{one['by']} at {one['at']}, which the report "
        assert whose in reasons[one["order_id"]], reasons
        assert whose in market.run(one["order_id"], verb="status").stdout
    again = market.run("--summary")
    assert again.returncode == 10 and "says it again" not in again.stdout
    status = market.run(verb="status").stdout
    assert (
        "says it again. Kept as cancelled: " in status
        and "00005" in status.partition("Kept as cancelled")[2]
    )
    assert len(market.money()) == 3


@pytest.mark.fault("D09", "J02")
def test_words_that_no_report_tells_are_said_to_be_gone(market: Market) -> None:
    """Reports of an earlier version do not tell them, nor those that were cleared away: then a
    person must.
    """
    market.job()
    market.orders([order(1), order(2)])
    assert market.run("--limit", "1").returncode == 11
    shutil.copytree(market.folder / "state", market.folder / "before")
    people_say(market, "00002", "--cancel")
    for path in manifests(market):
        told = json.loads(path.read_bytes())
        assert [one["order_id"] for one in told.pop("words")] == ["00002"]
        path.write_text(json.dumps(told), "utf-8")
    shutil.rmtree(market.folder / "state")
    shutil.copytree(market.folder / "before", market.folder / "state")
    done = market.run("--limit", "0", "--summary")
    assert "No report tells of an order that was cancelled since" in done.stdout
    people_say(market, "00002", "--cancel")
    assert market.run().returncode == 10 and market.posts() == 1


@pytest.mark.fault("D09", "J02")
def test_a_copy_that_only_the_gateway_tells_of_lost_what_people_said(
    market: Market,
) -> None:
    """No lock and no report knew of it: a list met a charge that the journal does not know."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    for name in ("state", "reports"):
        shutil.copytree(market.folder / name, market.folder / f"{name} before")
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    for name in ("state", "reports"):
        shutil.rmtree(market.folder / name)
        shutil.copytree(market.folder / f"{name} before", market.folder / name)
    done = market.run("--summary")
    assert done.returncode == 0 and "Whoever said it says it again" in done.stdout
    assert market.posts() == 2


@pytest.mark.fault("D09", "D10", "L11", "J14", "I1")
@pytest.mark.parametrize(
    "later", ["rejected", "conflict", "another id", "an earlier version told it"]
)
def test_a_cancelled_order_stays_so_whatever_became_of_its_row_since(
    market: Market, later: str
) -> None:
    """It was rejected for another reason, contested by another file, or had another id for a night:
    some manifest tells of every word of the job, under every id of the sale, and a newer one takes
    none of it back.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    assert night(market, limit=1) == 11
    people_say(market, "00002", "--cancel")
    if later == "rejected":
        path = market.folder / "job.toml"
        path.write_text(
            path.read_text("utf-8") + '\n[controls]\nmax_amount = { THB = "1.00" }\n',
            "utf-8",
        )
    elif later == "conflict":
        inbox(market, d2=[sale(2, amount="55.00")])
    else:
        job(market, R)
    night(market, limit=0)
    if later == "an earlier version told it":
        for path in manifests(market):
            told = json.loads(path.read_bytes())
            del told["words"]
            rows = [{"order_id": "00002", "sheet": "", "row": 3, "reason": "a fraud"}]
            path.write_text(json.dumps(told | {"cancelled": rows}), "utf-8")
    lose(market, lock_too=True, reports_too=False)
    job(market, R if later == "another id" else A)
    inbox(market, d2=None) if later == "conflict" else None
    if later == "another id":
        # all that is known of the other ids is in the manifest
        inbox(market, d1=None, d3=[sale(1), sale(2), sale(4)])
    market.run("--adopt", "--yes")
    market.run()
    paid = {charge["metadata"]["invoice"] for charge in market.own_charges()}
    assert "INV-2" not in paid and {"INV-1"} <= paid, paid
    assert any("a fraud" in row["reason"] for row in market.results())


@pytest.mark.fault("D09", "D10", "L11", "H05", "I1")
@pytest.mark.parametrize("how", ["restored", "lost"])
def test_an_order_settled_as_not_charged_is_not_sent_after_a_loss(
    market: Market, how: str
) -> None:
    """It was paid in cash, as a person said: the copy still has it in doubt, or nothing knows of
    it.
    """
    leave_in_doubt(market)
    shutil.copytree(market.folder / "state", market.folder / "before")
    time.sleep(1.0)
    people_say(market, "00001", "--as", "not-charged")
    shutil.rmtree(market.folder / "state")
    if how == "restored":
        shutil.copytree(market.folder / "before", market.folder / "state")
        assert (
            json.loads(market.run("--json", verb="plan").stdout)["to_send"]["THB"][
                "count"
            ]
            == 1
        )
    told = market.run("--adopt", "--summary")
    assert (
        told.returncode == 10 and "1 order settled as not charged since" in told.stdout
    ), told
    assert market.run().returncode == 10
    assert market.money() == {"00002": 1}
    (reason,) = [
        row["reason"] for row in market.results() if row["order_id"] == "00001"
    ]
    assert "a fraud" in reason


def put_back(market: Market) -> None:
    """The journal as it was before."""
    shutil.rmtree(market.folder / "state")
    shutil.copytree(market.folder / "before", market.folder / "state")


def said_before_a_run(market: Market) -> tuple[int, int]:
    """How many orders `plan` and `check` would send; neither writes anything."""
    state = market.folder / "state" / "batchpay.db"
    was = state.read_bytes()
    plan = json.loads(market.run("--json", verb="plan").stdout)
    check = json.loads(market.run("--json", verb="check").stdout)
    assert state.read_bytes() == was
    counts = (one["may_be_sent"].get("THB", {}) for one in check["files"])
    planned = plan["to_send"].get("THB", {}).get("count", 0)
    return planned, sum(one.get("count", 0) for one in counts)


@pytest.mark.fault("D09", "L11", "J14", "I1")
def test_before_a_run_a_cancelled_order_is_known_in_another_file_of_a_copy_put_back(
    market: Market,
) -> None:
    """It was never sent, and only reports tell that a person cancelled it: what goes is what `plan`
    and `check` say.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    assert night(market, limit=1) == 11
    shutil.copytree(market.folder / "state", market.folder / "before")
    people_say(market, "00002", "--cancel")
    put_back(market)
    inbox(market, d1=None, d2=[sale(4), sale(2), sale(3)])
    assert said_before_a_run(market) == (2, 2)
    assert market.run().returncode == 10
    assert market.money() == {"00001": 1, "00003": 1, "00004": 1}


@pytest.mark.fault("D09", "H05", "L11", "J14", "I1")
def test_before_a_run_a_settled_order_may_come_back_to_a_copy_put_back(
    market: Market,
) -> None:
    """It was in doubt, and only reports tell that it was not charged: its row, which comes back
    from the rejects file, goes, as `plan` and `check` say.
    """
    leave_in_doubt(market)
    shutil.copytree(market.folder / "state", market.folder / "before")
    time.sleep(1.0)
    people_say(market, "00001", "--as", "not-charged")
    told_back(market, "00001", "00001", "inbox/d2.csv", batchpay_retry="yes")
    put_back(market)
    assert said_before_a_run(market) == (2, 2)
    market.run()
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("D09", "L10", "L11", "J14")
def test_before_a_run_a_stop_that_only_reports_tell_of_holds_in_a_copy_put_back(
    market: Market,
) -> None:
    """Nothing goes, as `plan` and `check` say."""
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market, limit=1) == 11
    shutil.copytree(market.folder / "state", market.folder / "before")
    market.sandbox.add_rule(order_id="00002", change={"amount": 20125})
    stopped = market.run()
    market.sandbox.clear_rules()
    put_back(market)
    inbox(market, d2=[sale(3)])
    assert stopped.returncode == 12, stopped.stdout + stopped.stderr
    assert said_before_a_run(market) == (0, 0)
    assert market.run().returncode == 12 and "00003" not in market.money()


@pytest.mark.fault("D09", "L11", "J14")
def test_a_copy_put_back_that_lost_no_word_holds_nobody_up(market: Market) -> None:
    """What goes before a person said anything is what goes once an older copy is back."""
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market, limit=1) == 11
    shutil.copytree(market.folder / "state", market.folder / "before")
    inbox(market, d2=[sale(3)])
    night(market, limit=0)
    put_back(market)
    assert said_before_a_run(market) == (2, 2)
    assert market.run().returncode == 0
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}


@pytest.mark.fault("D09", "H05", "L11", "I1")
@pytest.mark.parametrize("at_once", [False, True])
def test_an_order_that_is_cancelled_after_it_was_settled_stays_so(
    market: Market, *, at_once: bool
) -> None:
    """The copy knows that it was not charged, which says nothing of its being cancelled; or reports
    of two copies that went on apart tell one word each, in whichever order.
    """
    leave_in_doubt(market)
    if at_once:
        shutil.copytree(market.folder / "state", market.folder / "before")
    time.sleep(1.0)
    people_say(market, "00001", "--as", "not-charged")
    if at_once:
        (path,) = manifests(market)
        settled = json.loads(path.read_bytes())["words"]
    else:
        shutil.copytree(market.folder / "state", market.folder / "before")
    people_say(market, "00001", "--cancel")
    if at_once:
        (path,) = manifests(market)
        told = json.loads(path.read_bytes())
        # said there of the attempt that was in doubt
        told["words"] = [*settled, *({**one, "attempt": 1} for one in told["words"])]
        path.write_text(json.dumps({**told, "over": []}), "utf-8")
    shutil.rmtree(market.folder / "state")
    shutil.copytree(market.folder / "before", market.folder / "state")
    inbox(market, d2=[sale(1, batchpay_retry="yes"), sale(3)])
    done = market.run("--summary")
    assert done.returncode == 10 and "1 order cancelled since, kept so" in done.stdout
    assert market.run().returncode == 10
    assert set(market.money()) == {"00002", "00003"}


@pytest.mark.fault("D09", "H05", "L11", "I1")
@pytest.mark.parametrize(
    ("word", "known", "is_said"),
    [
        ((CANCELLED, 1), [(CANCELLED, 1)], True),
        ((CANCELLED, 2), [(CANCELLED, 0)], True),
        ((CANCELLED, 1), [(DENIED, 1)], False),
        ((DENIED, 1), [(DENIED, 1)], True),
        ((DENIED, 2), [(DENIED, 1)], False),
        ((DENIED, 2), [(DENIED, 1), (CANCELLED, 1)], True),
        ((DENIED, 1), [], False),
    ],
)
@pytest.mark.parametrize("keys", [(), ("x",)])
def test_which_words_of_a_journal_say_what_a_report_tells(
    word: tuple[str, int],
    known: list[tuple[str, int]],
    *,
    is_said: bool,
    keys: tuple[str, ...],
) -> None:
    """As much, of the same attempt, and of all that the sale is known by."""

    def said(as_: str, attempt: int, keys: tuple[str, ...]) -> Said:
        return Said(as_, "00001", keys, "a fraud", attempt)

    mine = said(*word, keys)
    assert _is_said(mine, keys, [said(*one, keys) for one in known]) is is_said
    assert not _is_said(mine, ("y",), [said(*one, keys) for one in known])


@pytest.mark.fault("D09", "H05", "L10", "L11", "I1")
@pytest.mark.parametrize("what", ["a word", "a stop"])
def test_a_copy_that_went_on_for_longer_takes_nothing_back(
    market: Market, what: str
) -> None:
    """Another machine's copy has more events, and wrote its report last: of what was said here
    since it knows nothing.
    """
    leave_in_doubt(market)
    other = replace(market, folder=beside(market, "other machine"))
    shutil.copytree(market.folder, other.folder)
    shutil.copytree(market.folder / "state", market.folder / "before")
    time.sleep(1.0)
    if what == "a word":
        people_say(market, "00001", "--as", "not-charged")
    else:
        inbox(market, d1=None, d2=[sale(3)])
        market.sandbox.add_rule(order_id="00003", change={"amount": 1})
        assert night(market) == 12
        market.sandbox.clear_rules()
    last = head_seq(market.folder / "state" / "batchpay.db")
    inbox(other, d1=None, d3=[sale(4)])
    while head_seq(other.folder / "state" / "batchpay.db") <= last:
        other.run("--limit", "0")
    for folder in (other.folder / "reports").glob("*-*"):
        if not (market.folder / "reports" / folder.name).exists():
            shutil.copytree(folder, market.folder / "reports" / folder.name)
    shutil.rmtree(market.folder / "state")
    shutil.copytree(market.folder / "before", market.folder / "state")
    paid = market.money()
    done = market.run("--summary")
    if what == "a word":
        assert "1 order settled as not charged since" in done.stdout, done
        assert "00001" not in market.money()
    else:
        assert "amount: asked" in done.stdout.partition("STOP")[2], done
        assert done.returncode == 12 and market.money() == paid
        people_say(market, "--lift-stop")
        # what was lifted is not brought up again by the next loss
        shutil.rmtree(market.folder / "state")
        shutil.copytree(market.folder / "before", market.folder / "state")
        again = market.run("--summary").stdout
        assert "amount: asked" not in again.partition("STOP")[2], again


@pytest.mark.fault("D09", "C01", "L11", "I1")
def test_a_manifest_that_says_it_is_of_tomorrow_hides_none_of_later(
    market: Market,
) -> None:
    """Which manifests were dealt with is kept, not until when."""
    market.job(file="inbox/*.csv", input="optional = true")
    (market.folder / "inbox").mkdir()
    market.orders([order(1)], "inbox/1.csv")
    assert market.run().returncode == 0
    shutil.copytree(market.folder / "state", market.folder / "before")
    market.orders([order(2)], "inbox/2.csv")
    assert market.run().returncode == 0
    ahead = time.time() + 86_400 * 365
    for path in manifests(market):
        os.utime(path, (ahead, ahead))
    for cancelled in ("", "00004"):
        shutil.rmtree(market.folder / "state")
        shutil.copytree(market.folder / "before", market.folder / "state")
        done = market.run("--summary")
        assert "an older copy of it is back" in done.stdout, done
        if not cancelled:
            shutil.rmtree(market.folder / "before")
            shutil.copytree(market.folder / "state", market.folder / "before")
            market.orders([order(3), order(4)], "inbox/3.csv")
            market.run("--limit", "0")  # so that no list tells of the loss
            people_say(market, "00004", "--cancel")
    assert market.run().returncode == 10
    assert set(market.money()) == {"00001", "00002", "00003"}


@pytest.mark.fault("D09", "L10", "L11", "I1")
@pytest.mark.parametrize("what", ["cancelled", "a stop"])
def test_a_loss_that_the_list_tells_of_takes_over_what_reports_tell(
    market: Market, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """However many reports are newer than the one that tells."""
    market.job(file="inbox/*.csv", input="optional = true")
    (market.folder / "inbox").mkdir()
    market.orders([order(1)], "inbox/1.csv")
    assert market.run().returncode == 0
    shutil.copytree(market.folder / "state", market.folder / "before")
    market.orders([order(2), order(3)], "inbox/2.csv")
    if what == "cancelled":
        assert market.run("--limit", "1").returncode == 11
        people_say(market, "00003", "--cancel")
    else:
        market.sandbox.add_rule(order_id="00002", change={"amount": 1})
        assert market.run().returncode == 12
        market.sandbox.clear_rules()
    shutil.rmtree(market.folder / "state")
    shutil.copytree(market.folder / "before", market.folder / "state")
    monkeypatch.setattr("batchpay.reports.manifest.LATEST", 0)
    monkeypatch.setattr("batchpay.batches.wholeness.telling_heads", lambda *_: [])
    done = market.run("--summary")
    assert set(market.money()) == {"00001", "00002"}, done
    if what == "cancelled":
        assert "1 order cancelled since, kept so" in done.stdout, done
    else:
        assert done.returncode == 12 and "amount" in done.stdout.partition("STOP")[2]


@pytest.mark.fault("D09", "L11")
def test_a_report_that_is_younger_by_its_name_is_asked_too(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is copied back is written later than what was written since."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    (path,) = manifests(market)
    reports = market.folder / "reports"
    for day in ("2020-01-01", "2020-01-02", "2099-01-01"):
        shutil.copytree(path.parent, reports / f"{day}-0123456789ab")
    now = time.time()
    os.utime(reports / "2020-01-01-0123456789ab", (now + 60, now + 60))
    monkeypatch.setattr("batchpay.reports.manifest.LATEST", 1)
    found = telling_heads(reports, "night", "test")
    assert {head.path.parent.name[:10] for head in found} == {
        "2020-01-01",
        "2099-01-01",
    }


@pytest.mark.fault("D09", "D10", "L10", "L11", "L7")
@pytest.mark.parametrize("lifted", [False, True])
def test_a_stop_is_in_force_again_after_a_loss_unless_it_was_lifted(
    market: Market, *, lifted: bool
) -> None:
    """The gateway took another amount than was asked; the file that tells what was asked is gone
    with the journal.
    """
    job(market)
    inbox(market, d1=[sale(1)])
    market.sandbox.add_rule(order_id="00001", change={"amount": 20125})
    assert night(market) == 12
    market.sandbox.clear_rules()
    people_say(market, "--lift-stop") if lifted else None
    lose(market, lock_too=True, reports_too=False)
    inbox(market, d1=None, d2=[sale(2)])
    for _ in range(2):
        done = market.run("--adopt", "--summary")
        assert done.returncode == 12 and "a report of before" in done.stdout, done
        assert ("amount: asked" in done.stdout.partition("STOP")[2]) != lifted, done
        assert set(market.money()) == {"00001"}
    charge = market.own_charges()[0]["id"]
    people_say(market, "00001", "--as", f"charged:{charge}")
    people_say(market, "--lift-stop")
    assert market.run().returncode in (0, 10)
    assert set(market.money()) == {"00001", "00002"}


@pytest.mark.fault("D10", "L11", "J01")
def test_charges_older_than_the_first_look_are_found_once_a_younger_one_tells_of_the_loss(
    market: Market,
) -> None:
    """All is gone but the gateway's memory; a person said --adopt: nothing that is 42 days old goes
    again.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 0
    for ledger in market.sandbox.store.ledgers.values():
        next(iter(ledger.shelves["charge"].values())).created -= ANCIENT_S
    lose(market, lock_too=True, reports_too=True)
    inbox(market, d1=None, d2=[sale(1), sale(2), sale(3)])
    assert night(market) == 78
    assert night(market, adopt=True) == 0
    once(market, 1, 2, 3)


@pytest.mark.fault("D10", "L11", "J05", "I1")
@pytest.mark.parametrize("hidden", ["00001", "0000*"])
def test_what_was_met_must_be_shown_when_a_person_says_adopt(
    market: Market, hidden: str
) -> None:
    """The list of that night hides what the one before showed: nothing goes beside it; what the
    gateway knows by its id is taken over.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 0
    lose(market, lock_too=True, reports_too=True)
    assert night(market) == 78
    market.sandbox.add_rule(
        method="GET", path="/charges", order_id=hidden, action="missing"
    )
    code = night(market, adopt=True)
    assert market.money() == {"00001": 1, "00002": 1}
    # only of one that younger ones are shown beside nobody can say that it comes late
    assert code == (11 if hidden == "0000*" else 12)
    if code == 12:
        people_say(market, "--lift-stop")
    else:
        assert night(market) == 78
        market.sandbox.clear_rules()
    assert night(market, adopt=True) == 0
    once(market, 1, 2)


@pytest.mark.fault("D09", "L11", "J05", "A12", "I1")
def test_what_a_run_met_as_it_died_must_be_shown_to_the_next(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older copy is back; the run dies before it has taken over what a list shows, and the next
    list hides it.
    """
    job(market)
    inbox(market, d1=[sale(1)])
    assert night(market) == 0
    shutil.copytree(market.folder / "state", market.folder / "before")
    inbox(market, d2=[sale(2)])
    assert night(market) == 0
    lose(market, lock_too=True, reports_too=True)
    shutil.copytree(
        market.folder / "before", market.folder / "state", dirs_exist_ok=True
    )

    async def dies(*_: object, **__: object) -> None:
        raise TryLater("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Absorbing, "absorb", dies)
        assert night(market) == 75
    market.sandbox.add_rule(
        method="GET", path="/charges", order_id="00002", action="missing"
    )
    assert night(market) in (11, 12)
    assert market.money() == {"00001": 1, "00002": 1}


# --- two names over the same orders


@contextmanager
def another_job(market: Market, folder: Path) -> Iterator[Market]:
    """The folder copied, with another name in the job file: a journal of its own."""
    other = Market(folder / "copied", market.sandbox, market.settings)
    other.folder.mkdir()
    path = other.job(file="orders.csv")
    path.write_text(
        path.read_text("utf-8").replace('name = "night"', 'name = "copied"'), "utf-8"
    )
    yield other


@pytest.mark.fault("J06", "E12", "E13")
def test_two_jobs_over_the_same_orders_at_once_both_stop(
    market: Market, tmp_path: Path
) -> None:
    """A list shows the other job's charge of an order that was sent: both stop, both charges are
    named, and every later run and audit says so until a person has looked. (On a slow day one
    begins late, and sends nothing.)
    """
    market.settings |= {"timeout": "9s", "doubt": "11s"}
    market.job()
    rows = [order(number) for number in range(8)]
    with another_job(market, tmp_path) as other:
        market.orders(rows)
        other.orders(
            [row | {"card": f"tokn_test_sandboxb{row['order_id']}4242"} for row in rows]
        )
        market.sandbox.add_rule(action="delay_before", wait_before_s=4.0)
        both = [one.heard("run", "job.toml") for one in (market, other)]
        told = [process.communicate(120) for process in both]
        codes = [process.returncode for process in both]
        twice = [order_id for order_id, count in market.money().items() if count > 1]
        if 78 in codes:
            assert twice == [] and codes in ([0, 78], [78, 0])
            return
        assert codes == [12, 12], told
        assert all("two jobs charge it" in out + err for out, err in told), told
        assert len(twice) == 1  # the first order of each
        for one in (market, other):
            assert one.run().returncode == 12
            audit = one.run("--from", TODAY, "--to", TODAY, "--json", verb="audit")
            kinds = {
                (d["kind"], d["order_id"])
                for d in json.loads(audit.stdout)["differences"]
            }
            assert (
                audit.returncode == 12
                and {("charged-by-another-job", order_id) for order_id in twice}
                <= kinds
            )


@pytest.mark.fault("J06", "E12")
@pytest.mark.parametrize("corrects", ["00001", "00009"])
def test_an_audit_lists_another_jobs_charge_by_whichever_id_a_run_stops_for_it(
    market: Market, corrects: str
) -> None:
    """It corrected our order under another id there: the run and the audit ask for that order, too.
    What corrects another order is neither's.
    """
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    asked = order(1)
    form = {
        "amount": asked["amount"].replace(".", ""),
        "currency": "thb",
        "destination": asked["recipient"],
        "card": "tokn_test_sandboxb000014242",
        "metadata[order_id]": "B-1",
        "metadata[batchpay_key]": key_of("elsewhere", "B-1", 1),
        "metadata[batchpay_job]": "elsewhere",
        "metadata[batchpay_corrects]": json.dumps([by_order(corrects)]),
    }
    httpx.post(
        f"{market.sandbox.url}/charges", data=form, auth=(KEY, ""), trust_env=False
    ).raise_for_status()
    is_ours = corrects == "00001"
    audit = market.run("--from", TODAY, "--to", TODAY, "--json", verb="audit")
    found = [
        (one["kind"], one["order_id"])
        for one in json.loads(audit.stdout)["differences"]
    ]
    assert found == [("charged-by-another-job", "00001")] * is_ours
    assert market.run().returncode == (12 if is_ours else 0)


@pytest.mark.fault("J06", "E12")
def test_a_double_of_another_job_that_no_list_showed_is_noticed_on_the_next_night(
    market: Market,
) -> None:
    """Its charges came to light afterwards: every list is held against the orders, also the first
    of a later run.
    """
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    for number in (1, 2):
        asked, key = order(number), key_of("elsewhere", f"{number:05d}", 1)
        form = {
            "amount": asked["amount"].replace(".", ""),
            "currency": "thb",
            "destination": asked["recipient"],
            "card": f"tokn_test_sandboxb{number:05d}4242",
            "metadata[order_id]": asked["order_id"],
            "metadata[batchpay_key]": key,
            "metadata[batchpay_job]": "elsewhere",
        }
        httpx.post(
            f"{market.sandbox.url}/charges", data=form, auth=(KEY, ""), trust_env=False
        ).raise_for_status()
    assert market.money() == {"00001": 2, "00002": 2}
    noticed = market.run()
    assert noticed.returncode == 12 and noticed.stdout.count("chrg_test_") >= 2, (
        noticed.stdout
    )
    assert market.run().returncode == 12
    assert (
        market.run(
            "--lift-stop", "--reason", "one of each was given back", verb="resolve"
        ).returncode
        == 0
    )
    # what a person has lifted is not brought up again
    assert market.run().returncode == 0


@pytest.mark.fault("D10", "L11", "H05", "J14")
def test_one_word_settles_an_adopted_charge_that_is_contested_twice_over(
    market: Market,
) -> None:
    """A report of before the loss calls it unproven, and its row asks for other terms by now."""
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    market.sandbox.add_rule(
        {
            "method": "POST",
            "path": "/charges",
            "order_id": "00002",
            "drop": ["destination"],
        }
    )
    assert night(market) == 12
    lose(market, lock_too=True, reports_too=False)
    inbox(market, d1=None, d2=[sale(1), sale(2, amount="777.00")])
    assert market.run("--adopt").returncode == 12
    charge = next(
        c for c in market.own_charges() if c["metadata"]["order_id"] == "00002"
    )
    people_say(market, "00002", "--as", f"charged:{charge['id']}")
    people_say(market, "--lift-stop")
    assert market.run().returncode == 10
    assert market.run().returncode == 10 and market.posts() == 2


# --- whose a journal is


@pytest.mark.fault("J03", "B07", "L5", "I1")
@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("other", [True, False])
def test_what_was_sent_before_the_account_was_told_is_not_looked_for_in_another(
    market: Market, before: int, *, other: bool
) -> None:
    """Its answer was lost. Another account's empty list proves nothing; the same account is known
    by a charge of that time, and without one a person says what became of it.
    """
    market.job()
    market.sandbox.add_rule(
        method="GET", path="/account", status=403, code="forbidden", commit="never"
    )
    if before:
        market.orders([order(1)])
        assert market.run().returncode == 0
    market.orders([order(1), order(2)][1 - before :])
    market.sandbox.add_rule(action="reset_before", order_id="00002", times=1)
    market.sandbox.add_rule(
        method="GET", path="/charges*", status=503, commit="never", skip=2
    )
    market.run()
    market.sandbox.clear_rules()
    posts = market.posts()
    time.sleep(1.0)
    key = {"OMISE_SECRET_KEY": OTHER_KEY} if other else {}
    market.run(**key)
    market.run(**key)
    if before and not other:
        # proven absent where it was sent, and sent again
        assert market.posts() == posts + 1
        return
    assert market.posts() == posts
    (row,) = [row for row in market.results() if row["order_id"] == "00002"]
    assert row["outcome"] == "in_doubt"
    if before:
        return  # the other account knows no charge of the journal's: nothing goes on at all
    assert row["who_acts"] == "a person" and "--as not-charged" in row["reason"]
    said = market.run(
        "00002", "--as", "not-charged", "--reason", "x", verb="resolve", **key
    )
    assert said.returncode == 0, said.stderr


def untold_night(market: Market) -> None:
    """An order is charged, and nobody tells whose the key is."""
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(
        method="GET", path="/account", status=404, code="not_found", commit="never"
    )
    assert market.run().returncode == 0
    market.sandbox.clear_rules()
    market.orders([order(1), order(2)])


def account_of_market(market: Market, key: str) -> str:
    """Whose it is, as the gateway says."""
    asked = httpx.get(f"{market.sandbox.url}/account", auth=(key, ""))
    return str(asked.json()["id"])


@pytest.mark.fault("J03", "L5")
def test_a_journal_with_charges_is_bound_to_an_account_that_shows_one(
    market: Market,
) -> None:
    """A night with the key of another account binds nothing, and every verb says why; the right key
    goes on by itself.
    """
    untold_night(market)
    for verb in ("run", "settle"):
        refused = market.run(verb=verb, OMISE_SECRET_KEY=OTHER_KEY)
        assert refused.returncode == 78, refused.stdout
        assert "which knows no charge chrg_test_" in refused.stderr, refused.stderr
    assert market.posts() == 1
    done = market.run()
    assert done.returncode == 0 and market.posts() == 2, done.stderr
    refused = market.run(OMISE_SECRET_KEY=OTHER_KEY)
    assert refused.returncode == 78 and "belongs to account" in refused.stderr


@pytest.mark.fault("J03", "B07")
def test_an_account_that_cannot_show_a_charge_tonight_is_not_bound(
    market: Market,
) -> None:
    """Its charges answer 503, and its list is whole: the run goes on as one of which nobody told
    the account, and the next one binds.
    """
    untold_night(market)
    market.sandbox.add_rule(method="GET", path="/charges/*", status=503, commit="never")
    assert market.run().returncode == 0 and market.posts() == 2
    market.sandbox.clear_rules()
    assert market.run().returncode == 0
    refused = market.run(OMISE_SECRET_KEY=OTHER_KEY)
    assert refused.returncode == 78 and "belongs to account" in refused.stderr


@pytest.mark.fault("J03", "I8", "L5")
@pytest.mark.parametrize("in_doubt", [True, False])
def test_a_journal_that_a_wrong_key_bound_is_given_back_by_a_word(
    market: Market, *, in_doubt: bool
) -> None:
    """Nothing had proven a charge when it was bound. The word is refused for whose key is not given
    and for an account that knows none of the charges; what was in doubt meanwhile is never sent
    anew by what the other account does not show.
    """
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(
        method="GET", path="/account", status=404, code="not_found", commit="never"
    )
    market.sandbox.add_rule(action="reset_after", order_id="00001")
    market.sandbox.add_rule(
        method="GET", path="/charges*", status=503, commit="never", skip=2
    )
    assert market.run().returncode == 11 and market.posts() == 1
    market.sandbox.clear_rules()
    market.sandbox.add_rule(action="reset_after", order_id="00002")
    market.sandbox.add_rule(
        method="GET", path="/charges*", status=503, commit="never", skip=2
    )
    if in_doubt:
        market.orders([order(1), order(2)])
    time.sleep(1.0)
    market.run("--grace", "0", OMISE_SECRET_KEY=OTHER_KEY)
    market.sandbox.clear_rules()
    posts = market.posts()
    refused = market.run()
    assert refused.returncode == 78 and "--account" in refused.stderr
    mine, other = account_of_market(market, KEY), account_of_market(market, OTHER_KEY)
    said = ("--reason", "the other key was a mistake")
    assert market.run("--account", other, *said, verb="resolve").returncode == 64
    done = market.run("--account", mine, *said, verb="resolve")
    assert done.returncode == 0, done.stderr
    assert market.run("--account", mine, *said, verb="resolve").returncode == 64
    time.sleep(1.0)
    market.run()
    market.run()
    assert rows(market)["00001"]["outcome"] == "succeeded"
    assert market.posts() == posts
    if in_doubt:
        assert rows(market)["00002"]["outcome"] == "in_doubt"
        assert rows(market)["00002"]["who_acts"] == "a person"
    refused = market.run(
        "--account", other, *said, verb="resolve", OMISE_SECRET_KEY=OTHER_KEY
    )
    assert refused.returncode == 12 and "knows no charge" in refused.stderr
    assert market.run(verb="verify").returncode == 0


@pytest.mark.fault("J03")
def test_the_account_is_of_the_journal_and_not_of_the_job(market: Market) -> None:
    """A second job in the same file, with another account's key, mode or address: 78 before it
    charges.
    """
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    path = market.folder / "job.toml"
    second = path.read_text("utf-8").replace('name = "night"', 'name = "day"')
    path.write_text(second, "utf-8")
    market.orders([order(2)])
    refused = market.run(OMISE_SECRET_KEY=OTHER_KEY)
    assert refused.returncode == 78 and "belongs to account" in refused.stderr
    path.write_text(second.replace("http://127.0.0.1:", "http://localhost:"), "utf-8")
    refused = market.run()
    assert refused.returncode == 78 and "[state] url" in refused.stderr
    live = second.replace("[gateway]", '[gateway]\nmode = "live"').replace(
        'doubt_period = "0.6s"', 'doubt_period = "90s"'
    )
    path.write_text(live, "utf-8")
    refused = market.run(OMISE_SECRET_KEY="skey_0123456789abcdef01")
    assert refused.returncode == 78 and "test mode" in refused.stderr
    assert market.posts() == 1
    path.write_text(second, "utf-8")
    assert market.run().returncode == 0 and market.posts() == 2


def manifests(market: Market) -> list[Path]:
    """Every one that stands under the first name."""
    return sorted((market.folder / "reports").glob("*/manifest.json"))


@pytest.mark.fault("J03", "D10")
@pytest.mark.parametrize("lock_too", [True, False])
def test_a_journal_that_was_lost_is_adopted_with_its_own_account_alone(
    market: Market, *, lock_too: bool
) -> None:
    """The reports say whose money it was: another account knows none of its charges, and would
    charge them all.
    """
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    for path in manifests(market):
        told = json.loads(path.read_bytes())
        assert (
            told["account"]
            and told["url"] == market.sandbox.url
            and told["mode"] == "test"
        )
    lose(market, lock_too=lock_too, reports_too=False)
    market.orders([order(1), order(2), order(3)])
    for _ in range(2):
        refused = market.run("--adopt", OMISE_SECRET_KEY=OTHER_KEY)
        assert refused.returncode == 78, refused.stdout
        assert (
            "manifest.json" in refused.stderr and "belongs to account" in refused.stderr
        )
    path = market.folder / "job.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("http://127.0.0.1:", "http://localhost:"), "utf-8")
    elsewhere = market.run("--adopt")
    assert (
        elsewhere.returncode == 78 and "belongs to http://127.0.0.1" in elsewhere.stderr
    )
    path.write_text(text, "utf-8")
    assert market.posts() == 2
    assert market.run("--adopt").returncode == 0
    assert market.posts() == 3 and market.run().returncode == 0
    assert market.run(OMISE_SECRET_KEY=OTHER_KEY).returncode == 78
    assert market.run(verb="verify").returncode == 0


@pytest.mark.fault("C01", "D09")
def test_a_bound_that_is_still_to_come_bounds_nothing(tmp_path: Path) -> None:
    """The gateway's clock, and ours, were wrong for a night: a copy of that night that is put back
    looks from before it, else it would not see what was charged since.
    """
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    bounds = [
        noon - timedelta(hours=1),
        noon + timedelta(minutes=4),
        noon + timedelta(days=1),
    ]
    with closing(SqliteJournal(tmp_path / "j.db", "night")) as journal:
        journal.append([intent("A1")])
        assert listed_until(journal, noon) is None
        journal.append([line(Listed(bound=iso(bound)), 7, "run") for bound in bounds])
        assert listed_until(journal, noon) == bounds[1]
        assert listed_until(journal, noon - timedelta(minutes=30)) == bounds[0]
        assert listed_until(journal, noon + timedelta(days=2)) == bounds[2]


@pytest.mark.fault("J03", "D10")
def test_the_lock_says_whose_a_journal_was_where_no_report_does(market: Market) -> None:
    """A first run that was killed left none, and reports are cleared away: the journal that is lost
    then is adopted with its own account alone all the same.
    """
    market.job()
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    lose(market, lock_too=False, reports_too=True)
    for flags in (("--adopt",), ()):
        refused = market.run(*flags, OMISE_SECRET_KEY=OTHER_KEY)
        assert refused.returncode == 78 and ".lock" in refused.stderr, refused.stderr
    assert market.run("--adopt").returncode == 0
    assert market.posts() == 2 and set(market.money().values()) == {1}


@pytest.mark.fault("J03")
def test_reports_of_an_earlier_version_do_not_say_whose_they_are(
    market: Market,
) -> None:
    """Then nobody objects, as before."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    for path in manifests(market):
        told = json.loads(path.read_bytes())
        path.write_text(
            json.dumps({k: v for k, v in told.items() if k not in ("account", "url")}),
            "utf-8",
        )
    assert market.run(verb="verify").returncode == 0
    lose(market, lock_too=True, reports_too=False)
    market.orders([order(2)])
    assert market.run("--adopt", OMISE_SECRET_KEY=OTHER_KEY).returncode == 0


@pytest.mark.fault("J03", "I9")
def test_a_manifest_of_another_account_than_the_journals_is_12(market: Market) -> None:
    """It was edited, or is of a journal that had other money."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    (path,) = manifests(market)
    path.write_text(
        json.dumps(json.loads(path.read_bytes()) | {"account": "account_test_another"}),
        "utf-8",
    )
    verified = market.run(verb="verify")
    assert (
        verified.returncode == 12
        and "says account account_test_another" in verified.stdout
    )


# --- two jobs in one folder


@pytest.mark.fault("J17")
def test_no_file_of_one_job_is_touched_by_another(market: Market) -> None:
    """A night without a file, an audit of the same days, adopted charges: each job has its own."""
    market.job(input="optional = true")
    text = (market.folder / "job.toml").read_text("utf-8")
    names, kept = ("night", "day"), {}
    for round_ in (1, 2):
        for name in names:
            (market.folder / "job.toml").write_text(
                text.replace('"night"', f'"{name}"'), "utf-8"
            )
            if round_ == 1:
                market.orders([order(names.index(name))])
                assert market.run().returncode == 0
                (market.folder / "orders.csv").unlink()
                continue
            before = {
                path: path.read_bytes()
                for path in (market.folder / "reports").glob("*/*")
            }
            lose(market, lock_too=False, reports_too=False) if name == "night" else None
            assert market.run("--adopt").returncode == 0
            assert market.run().returncode == 0
            assert (
                market.run("--from", TODAY, "--to", TODAY, verb="audit").returncode == 0
            )
            kept[name] = before
    assert all(path.read_bytes() == content for path, content in kept["day"].items())
    made = {path.parent.name for path in (market.folder / "reports").glob("*/*")}
    for plain in ("adopted", f"audit-{TODAY}-{TODAY}", f"{TODAY}-no-input"):
        assert {plain, f"{plain}-day"} <= made, made


@pytest.mark.fault("J24", "J10")
def test_a_report_of_one_mode_is_not_overwritten_by_the_other(market: Market) -> None:
    """Each mode with a journal of its own, the same file and one folder for reports: 78 with the
    remedy, in `plan` and in `run`, before anything is sent.
    """
    market.orders([order(1)])
    market.job()
    assert market.run().returncode == 0
    reports = {
        path: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    }
    live = '[state]\nurl = "sqlite:///live/batchpay.db"'
    market.job(doubt="90s", more=live)
    path = market.folder / "job.toml"
    path.write_text(
        path.read_text("utf-8").replace("[gateway]", '[gateway]\nmode = "live"')
    )
    for verb in ("plan", "run"):
        refused = market.run(verb=verb, OMISE_SECRET_KEY="skey_live_sandbox0000000000")
        assert refused.returncode == 78 and "in test mode" in refused.stderr, (
            refused.stderr
        )
    assert market.posts() == 1
    assert {path: path.read_bytes() for path in reports} == reports


@pytest.mark.fault("J24", "D10")
def test_a_run_that_adopts_and_cannot_look_leaves_the_reports_as_they_were(
    market: Market,
) -> None:
    """They are the last that tells of the charges: another key, or no gateway, writes nothing over
    them.
    """
    market.orders([order(1), order(2)])
    market.job()
    assert market.run().returncode == 0
    before = {
        path: path.read_bytes()
        for path in (market.folder / "reports").glob("2*/*")
        if path.is_file()
    }
    shutil.rmtree(market.folder / "state")
    refused = market.run("--adopt", OMISE_SECRET_KEY="skey_test_wrong0123456789")
    assert refused.returncode in (77, 78), refused
    assert "rows =" not in refused.stdout and "the whole batch" not in refused.stdout
    assert {
        path: path.read_bytes()
        for path in (market.folder / "reports").glob("2*/*")
        if path.is_file()
    } == before
    verified = market.run(verb="verify")
    assert verified.returncode == 78 and "--adopt" in verified.stderr
    assert market.run("--adopt").returncode == 0
    assert market.run(verb="verify").returncode == 0
    assert set(market.money().values()) == {1}


@pytest.mark.fault("D02", "J22")
def test_a_report_folder_that_takes_nothing_is_told_before_anything_is_sent(
    market: Market,
) -> None:
    """Something that is no folder has its name."""
    market.orders([order(1)])
    market.job()
    (market.folder / "reports").write_text("notes of last year")
    refused = market.run()
    assert (
        refused.returncode == 73
        and "nothing was sent" in refused.stderr
        and not market.posts()
    )
    (market.folder / "reports").unlink()
    assert market.run().returncode == 0


@pytest.mark.fault("A11", "D02")
def test_what_a_night_counted_and_could_not_write_the_next_one_writes(
    market: Market,
) -> None:
    """Its own report and that of an older file, of which the next night brings nothing: neither
    stays behind what `status` says.
    """
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    assert market.run().returncode == 11
    (charge,) = (one for one in market.own_charges() if one["status"] == "pending")
    paid = f"{market.sandbox.url}/charges/{charge['id']}/mark_as_paid"
    httpx.post(paid, auth=(KEY, ""), trust_env=False)
    (older,) = (
        path.parent for path in (market.folder / "reports").glob("*/results.csv")
    )
    (older / "results.csv").unlink()
    (older / "results.csv").mkdir()
    market.orders([order(3)])
    assert market.run().returncode == 73
    (older / "results.csv").rmdir()
    for folder in (market.folder / "reports").glob("2*"):
        if folder != older:
            shutil.rmtree(folder)
    market.orders([order(4)])
    assert market.run().returncode == 0
    assert market.outcomes() == {"succeeded": 4}
    assert market.run(verb="verify").returncode == 0


@pytest.mark.fault("D14")
def test_status_tells_nothing_from_a_journal_that_was_edited(market: Market) -> None:
    """A sum that somebody wrote into it is not repeated."""
    market.orders([order(1)])
    market.job()
    assert market.run().returncode == 0
    with closing(sqlite3.connect(market.folder / "state" / "batchpay.db")) as base:
        base.execute("DROP TRIGGER events_stay")
        base.execute(
            "UPDATE events SET data = replace(data, '10125', '20125') WHERE kind = 'answer'"
        )
        base.commit()
    assert market.run(verb="status").returncode == 74
    assert market.run("00001", verb="status").returncode == 74


# --- a key that was used before the loss

UNKNOWN = "cust_test_nobody"  # the gateway refuses who is no customer of its


@pytest.fixture
def honouring(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway that honours the Idempotency-Key, refusals too."""
    with SandboxServer(idempotency="on") as sandbox:
        yield Market(tmp_path, sandbox)


def refused_before_a_loss(market: Market, how: str) -> None:
    """A night whose first order was refused; then the journal is lost, or a copy of before is
    back.
    """
    job(market)
    inbox(market, d0=[sale(9)])
    assert night(market) == 0
    shutil.copytree(market.folder / "state", market.folder / "before")
    inbox(market, d1=[sale(1, card=UNKNOWN), sale(2)])
    assert night(market) == 10
    shutil.rmtree(market.folder / "state")
    if how == "restored":
        shutil.copytree(market.folder / "before", market.folder / "state")


@pytest.mark.fault("B24", "D09", "D10", "L11", "L5", "J13")
@pytest.mark.parametrize("how", ["restored", "lost"])
def test_a_key_of_before_a_loss_is_no_bug_and_the_next_attempt_has_another(
    honouring: Market, how: str
) -> None:
    """The gateway keeps its refusal under a key that the journal makes again, with another body. No
    stop: the order is looked for, and once it is proven to be charged nowhere it has the next
    number.
    """
    refused_before_a_loss(honouring, how)
    assert honouring.run("--adopt").returncode == 11
    assert rows(honouring)["00001"]["outcome"] == "held"
    posts = honouring.posts()
    assert night(honouring) == 10
    row = rows(honouring)["00001"]
    assert (row["outcome"], row["attempts"]) == ("refused", "2")
    assert honouring.posts() == posts + 1
    assert night(honouring) == 10 and honouring.posts() == posts + 1
    honouring.agree()


@pytest.mark.fault("B24", "L10", "D10", "H05")
def test_a_reused_key_is_not_sent_again_once_its_stop_is_lifted(market: Market) -> None:
    """A journal that is whole: 70 and a stop. Afterwards the same key with the same body would only
    be refused again, so it never goes: the next attempt does.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    market.sandbox.add_rule(
        order_id="00001",
        times=1,
        commit="never",
        status=409,
        code="idempotency_key_reused",
    )
    assert market.run().returncode == 70
    people_say(market, "--lift-stop")
    assert [night(market) for _ in range(3)] == [11, 0, 0]
    keys = [sent.key for sent in market.sandbox.requests("POST", "/charges")]
    assert len(keys) == len(set(keys)) == 3
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("B24", "D09", "H05")
def test_a_person_may_settle_what_waits_behind_a_used_key(honouring: Market) -> None:
    """While the lists prove nothing it stays in doubt: no stop; the word ends it, and its row comes
    back under the next key.
    """
    refused_before_a_loss(honouring, "restored")
    night(honouring, limit=0)
    honouring.sandbox.add_rule(
        method="GET", path="/charges*", status=503, commit="never", skip=4
    )
    assert night(honouring) in (11, 69)
    honouring.sandbox.clear_rules()
    assert rows(honouring)["00001"]["outcome"] == "in_doubt"
    time.sleep(1.0)
    people_say(honouring, "00001", "--as", "not-charged")
    assert night(honouring) == 10
    assert rows(honouring)["00001"]["outcome"] == "refused"
    inbox(honouring, d1=None, d2=[sale(1)])
    night(honouring)
    assert honouring.money()["00001"] == 1
