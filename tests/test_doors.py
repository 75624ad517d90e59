"""The doors that no guard watched (docs/faults.md, J01 to J36), each made to happen against the
true program over real HTTP.
"""

from __future__ import annotations

import csv
import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from batchpay.batches.clock import SystemClock
from batchpay.batches.session import Options
from batchpay.commands import cancel as cancelling
from batchpay.commands import resolve as resolving
from batchpay.commands import run as pipeline
from batchpay.commands.plan import plan
from batchpay.domain.errors import BatchpayError, DoesNotAddUp, Misconfigured, Usage
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.terminal.bars import Quiet
from tests.inside import Inside
from tests.test_following import turn
from tests.world import BY_CUSTOMER, KEY, Market, order

MARKET = Inside

OTHER_KEY = "skey_test_another0account"
FEE = '[fee]\nfixed = { THB = 500 }\npercentage = "10.5"\n'


def night(market: Market, *, key: str = KEY, **flags: Any) -> int:
    """One run of the job as it lies there; its exit code."""
    try:
        return pipeline.run(
            load_job(market.folder / "job.toml"),
            SecretKey(key),
            Options(**flags),
            Quiet(),
        ).exit_code
    except BatchpayError as error:
        return error.exit_code


def rows(market: Market) -> dict[str, dict[str, str]]:
    """Order id -> its row of the results."""
    return {row["order_id"]: row for row in market.results()}


def journal_of(market: Market) -> SqliteJournal:
    """The journal of the job, to look at."""
    return SqliteJournal(
        market.folder / "state" / "batchpay.db", "night", read_only=True
    )


# --- states that are not what they were


@pytest.mark.fault("J01", "D10")
@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=1), timedelta(days=30)])
def test_since_only_widens_what_a_lost_journal_looks_at(
    three: Market, ago: timedelta
) -> None:
    """A journal that was lost beside charges of the job is 78, whatever --since says; nothing is
    charged again.
    """
    assert night(three) == 0
    shutil.rmtree(three.folder / "state")
    shutil.rmtree(three.folder / "reports")  # they would tell of it, too (L11)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert night(three, since=midnight - ago) == 78
    assert three.posts() == 3
    assert night(three, since=midnight - ago, adopt=True) == 0
    three.agree()


@pytest.mark.fault("J01")
def test_a_since_that_lies_ahead_is_usage(three: Market) -> None:
    """It could only mean that nothing is looked at."""
    job = load_job(three.folder / "job.toml")
    ahead = Options(since=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(Usage, match="not there yet"):
        pipeline.run(job, SecretKey(KEY), ahead, Quiet())
    assert three.posts() == 0


@pytest.mark.fault("J02", "D09")
@pytest.mark.parametrize("with_reports", [True, False])
def test_a_whole_state_folder_put_back_waits_for_what_was_under_way(
    market: Market, *, with_reports: bool
) -> None:
    """One charge that the journal does not know is met: so it waits out the doubt period and lists
    again before it sends, and finds the request that landed meanwhile.
    """
    market.job(doubt="3s", **BY_CUSTOMER)
    payers = [order(number, card=f"cust_test_sandbox{number}") for number in (1, 2, 3)]
    market.orders(payers[:1])
    assert night(market) == 0
    for name in ("state", "reports"):
        shutil.copytree(market.folder / name, market.folder / f"{name} of before")
    market.orders(payers)
    under_way = market.sandbox.add_rule(
        action="reset_late", late_s=2.5, order_id="00003"
    )
    with market.start("run", "job.toml") as process:
        while not under_way.applied:
            time.sleep(0.01)
        process.kill()
    killed_s = time.monotonic()
    for name in ("state", "reports") if with_reports else ("state",):
        shutil.rmtree(market.folder / name)
        shutil.copytree(market.folder / f"{name} of before", market.folder / name)
    market.sandbox.clear_rules()
    assert night(market) == 0
    # until what was under way has landed, waited for or not
    time.sleep(max(0.0, killed_s + 3.0 - time.monotonic()))
    market.agree()


@pytest.mark.fault("J03", "J10")
def test_the_key_of_another_account_is_refused_before_it_charges(three: Market) -> None:
    """What one account was asked in vain, another is not asked again: 78, not a charge in its
    books.
    """
    three.sandbox.add_rule(action="reset_before", order_id="00002")
    assert night(three, grace_s=0.0) == 0 or three.posts() >= 3
    three.sandbox.clear_rules()
    three.orders([order(1), order(2), order(3), order(4)])
    assert night(three, key=OTHER_KEY) == 78
    assert night(three) == 0
    three.agree()


def forget(market: Market, order_id: str, *, but: str = "") -> None:
    """What the gateway keeps of an order's charges, of ten days ago, says nothing any more, `but`
    one thing.
    """
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            if charge.metadata.get("order_id") == order_id:
                charge.metadata = {
                    name: value
                    for name, value in charge.metadata.items()
                    if name == but
                }
                charge.created -= 10 * 86_400


@pytest.mark.fault("J02", "D10", "L11")
@pytest.mark.parametrize("but", ["batchpay_key", ""])
def test_a_charge_that_lost_its_names_bars_its_order_on_a_later_night(
    market: Market, but: str
) -> None:
    """The journal is lost, and the run that adopts has another file: by its key it is its order's,
    without one a person tells.
    """
    market.job(file="inbox/*.csv", **BY_CUSTOMER)
    (market.folder / "inbox").mkdir()
    # who could pay twice
    payers = [order(number, card=f"cust_test_sandbox{number}") for number in (1, 2, 3)]
    market.orders(payers[:1], "inbox/a.csv")
    assert night(market) == 0
    forget(market, "00001", but=but)
    shutil.rmtree(market.folder / "state")
    shutil.rmtree(market.folder / "reports")
    (market.folder / "inbox" / "a.csv").unlink()
    market.orders(payers[1:2], "inbox/b.csv")
    assert night(market, adopt=True) == 0
    market.orders([*payers[:1], *payers[2:]], "inbox/c.csv")
    assert night(market) == (0 if but else 11)
    assert market.posts() == 3 and rows(market)["00003"]["outcome"] == "succeeded"


@pytest.mark.fault("J03", "D10")
def test_a_lost_journal_is_adopted_with_the_account_that_its_reports_name(
    three: Market,
) -> None:
    """Another key would find none of its charges."""
    assert night(three) == 0
    shutil.rmtree(three.folder / "state")
    assert night(three, key=OTHER_KEY, adopt=True) == 78
    assert three.posts() == 3 and night(three, adopt=True) == 0
    three.agree()


@pytest.mark.fault("D09", "L11", "H05")
def test_a_cancelled_order_is_not_sent_by_a_journal_that_does_not_know_it(
    three: Market,
) -> None:
    """An older copy is back, and only a report tells of the person's word."""
    assert night(three, limit=1) == 11
    shutil.copytree(three.folder / "state", three.folder / "before")
    cancelling.cancel(load_job(three.folder / "job.toml"), "00002", "fraud")
    shutil.rmtree(three.folder / "state")
    shutil.copytree(three.folder / "before", three.folder / "state")
    assert night(three) == 10
    assert three.money() == {"00001": 1, "00003": 1}
    assert "fraud" in rows(three)["00002"]["reason"]


@pytest.mark.fault("D09", "D10", "L11", "H05")
@pytest.mark.parametrize("how", ["restored", "lost"])
def test_an_order_of_an_old_batch_that_is_cancelled_stays_so_without_its_journal(
    market: Market, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Its row waited to be corrected, in a batch that no night counts any more: the report tells of
    the word from the moment it was said.
    """
    was = SystemClock.now_ns
    market.sandbox.add_rule(method="*", path="/*", headers={"date": "soon"})
    market.job()
    market.orders([order(2, amount="x")])
    monkeypatch.setattr(
        SystemClock, "now_ns", lambda self: was(self) - 40 * 86_400 * 10**9
    )
    assert night(market) == 10
    monkeypatch.setattr(SystemClock, "now_ns", was)
    shutil.copytree(market.folder / "state", market.folder / "before")
    cancelling.cancel(load_job(market.folder / "job.toml"), "00002", "fraud")
    assert "fraud" in rows(market)["00002"]["reason"]
    shutil.rmtree(market.folder / "state")
    if how == "restored":
        shutil.copytree(market.folder / "before", market.folder / "state")
    market.orders([order(2), order(3)])
    assert night(market, adopt=True) == 10
    assert market.money() == {"00003": 1}
    assert "fraud" in rows(market)["00002"]["reason"]


@pytest.mark.fault("J03")
def test_another_mode_or_address_is_another_journal(three: Market) -> None:
    """The job says live, or another gateway: 78, naming [state] url."""
    assert night(three) == 0
    job = three.folder / "job.toml"
    was = job.read_text("utf-8")
    job.write_text(was.replace("http://127.0.0.1:", "http://localhost:"), "utf-8")
    with pytest.raises(Misconfigured, match=r"\[state\] url"):
        pipeline.run(load_job(job), SecretKey(KEY), Options(), Quiet())
    live = was.replace("[gateway]", '[gateway]\nmode = "live"').replace(
        'doubt_period = "0.6s"', 'doubt_period = "90s"'
    )
    job.write_text(live, "utf-8")
    with pytest.raises(Misconfigured, match=r"test mode.*\[state\] url"):
        pipeline.run(
            load_job(job), SecretKey("skey_0123456789abcdef01"), Options(), Quiet()
        )
    assert three.posts() == 3


@pytest.mark.fault("J03")
def test_an_account_that_cannot_be_read_is_told_and_stops_nothing(
    three: Market,
) -> None:
    """Mode and address alone are held then."""
    three.sandbox.add_rule(
        method="GET", path="/account", status=403, code="forbidden", commit="never"
    )
    made = pipeline.run(
        load_job(three.folder / "job.toml"), SecretKey(KEY), Options(), Quiet()
    )
    assert made.exit_code == 0
    assert any("account" in note for note in made.notes)


@pytest.mark.fault("J03")
def test_an_account_that_was_told_before_must_be_told_again(three: Market) -> None:
    """Else nobody knows whom the key belongs to: nothing is sent and nothing asked, until the
    gateway says it.
    """
    assert night(three) == 0
    three.orders([order(number) for number in range(4)])
    three.sandbox.add_rule(
        method="GET",
        path="/account",
        status=403,
        code="forbidden",
        commit="never",
        times=1,
    )
    asked = len(three.sandbox.requests("GET", "/charges"))
    assert night(three) == 69
    assert (
        three.posts() == 3 and len(three.sandbox.requests("GET", "/charges")) == asked
    )
    assert "did not tell whose account" in three.results()[3]["reason"]
    assert night(three) == 0 and three.posts() == 4


@pytest.mark.fault("J06", "E13")
@pytest.mark.parametrize("same_journal", [True, False])
def test_a_renamed_job_is_refused_on_every_night(
    three: Market, *, same_journal: bool
) -> None:
    """Also after its new name has charged once: for as long as the journal or the gateway knows the
    old one.
    """
    assert night(three) == 0
    job = three.folder / "job.toml"
    job.write_text(
        job.read_text("utf-8").replace('name = "night"', 'name = "renamed"'), "utf-8"
    )
    if not same_journal:
        shutil.rmtree(three.folder / "state")
    assert night(three) == 78
    three.orders([order(8)], "orders.csv")
    # an order that the old name never charged is sent; the others wait for the name
    assert night(three) == 11
    three.orders([order(1), order(2), order(9)])
    assert night(three) == 78
    assert sorted(three.money()) == ["00001", "00002", "00003", "00008"]
    assert all(count == 1 for count in three.money().values())


@pytest.mark.fault("J06", "E13")
def test_what_the_new_name_charged_counts_for_a_row_that_was_corrected(
    market: Market,
) -> None:
    """An order was declined; it is charged while the job is called otherwise, and comes back
    corrected under the old name. It asks for another amount today, and is the same sale.
    """
    market.orders([order(1, card="tokn_test_sandbox000010011")])
    market.job()
    assert night(market) == 10
    job = market.folder / "job.toml"
    old = job.read_text("utf-8")
    job.write_text(old.replace('name = "night"', 'name = "renamed"'), "utf-8")
    market.orders([order(1)])
    assert night(market) == 0
    job.write_text(old, "utf-8")
    market.orders([order(1) | {"amount": "1.00"}])
    assert night(market) == 78
    assert market.money() == {"00001": 1}


# --- charges that are not what they were


@pytest.mark.fault("J05")
def test_a_list_that_lacks_what_the_journal_has_proof_of_proves_no_absence(
    market: Market,
) -> None:
    """A stale copy of the list: the order whose answer was lost stays in doubt and is not sent
    again.
    """
    market.job()
    market.orders([order(1)])
    assert night(market) == 0
    market.sandbox.add_rule(method="GET", path="/charges", action="frozen_list")
    httpx.get(f"{market.sandbox.url}/charges", auth=(KEY, ""), trust_env=False)
    market.orders([order(2), order(3)])
    market.sandbox.add_rule(action="reset_after", order_id="00003")
    night(market)
    assert set(market.money().values()) == {1}
    posts = market.posts()
    night(market)
    assert market.posts() == posts


@pytest.mark.fault("J05", "B32", "L5")
def test_a_list_that_lacks_what_an_earlier_one_showed_proves_no_absence(
    market: Market,
) -> None:
    """A charge that names nobody may be the one that nobody answered. A list that does not show it
    any more is a copy from before: neither a night nor a person's word goes by it.
    """
    lost = ["metadata.batchpay_key", "metadata.batchpay_job"]
    about = {"method": "GET", "order_id": "00001"}
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(action="reset_after", order_id="00001")
    market.sandbox.add_rule(**about, path="/charges*", drop=lost)
    assert night(market) == 11
    market.sandbox.clear_rules()
    market.sandbox.add_rule(**about, path="/charges", action="missing")
    market.sandbox.add_rule(**about, path="/charges/*", drop=lost)
    assert night(market) == 11
    assert market.money() == {"00001": 1}
    with pytest.raises(DoesNotAddUp, match="may be the charge of order 00001"):
        job = load_job(market.folder / "job.toml")
        resolving.not_charged(job, SecretKey(KEY), "00001", "looked")
    market.sandbox.clear_rules()
    assert night(market) == 0
    assert market.money() == {"00001": 1}


@pytest.mark.fault("C04", "H05", "I19")
def test_a_charge_that_names_nobody_is_told_of_an_order_that_a_wrong_clock_sent(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway tells no time, and ours was days ahead when the order was sent: the word to which
    its row leads is taken.
    """
    was = SystemClock.now_ns
    market.job()
    market.orders([order(1)])
    lost = ["metadata.batchpay_key", "metadata.batchpay_job"]
    timeless = {"headers": {"date": "soon"}}
    about = {"order_id": "00001", **timeless}
    market.sandbox.add_rule(action="reset_after", **about)
    market.sandbox.add_rule(method="GET", path="/charges*", drop=lost, **about)
    market.sandbox.add_rule(method="*", path="/*", **timeless)
    monkeypatch.setattr(
        SystemClock, "now_ns", lambda self: was(self) + 3 * 86_400 * 10**9
    )
    assert night(market) == 11
    monkeypatch.setattr(SystemClock, "now_ns", was)
    assert night(market) == 11
    (charge,) = market.own_charges()
    assert f"charged:{charge['id']}" in rows(market)["00001"]["reason"]
    job = load_job(market.folder / "job.toml")
    resolving.charged(job, SecretKey(KEY), "00001", charge["id"], "seen")
    assert night(market) == 10
    assert market.money() == {"00001": 1}


@pytest.mark.fault("J11")
def test_one_charge_id_for_two_orders_is_a_stop(three: Market) -> None:
    """A charge belongs to one order."""
    three.sandbox.add_rule(id_of="00001", order_id="00002")
    assert night(three) == 12
    stops = [str(event.data["reason"]) for event in journal_of(three).events(["stop"])]
    assert any("was answered for order" in reason for reason in stops), stops
    posts = three.posts()
    assert night(three) == 12
    assert three.posts() == posts


@pytest.mark.fault("J11", "B15")
def test_a_charge_told_for_another_order_is_its_whose_key_it_carries(
    three: Market,
) -> None:
    """Two answers were exchanged: a stop, and once that is lifted nothing is left to settle."""
    three.sandbox.add_rule(method="POST", action="swap", skip=1, times=2)
    assert night(three) == 12
    assert three.run("--lift-stop", "--reason", "seen", verb="resolve").returncode == 0
    assert night(three) == 0
    journal = journal_of(three)
    for charge in three.own_charges():
        mine = rows(three)[charge["metadata"]["order_id"]]
        assert (mine["outcome"], mine["charge_id"]) == ("succeeded", charge["id"])
        assert journal.order_of_charge(charge["id"]) == ("night", mine["order_id"], 1)


@pytest.mark.fault("J11", "B15", "I1")
def test_a_charge_told_for_two_orders_with_the_key_of_each_is_whose_key_a_look_up_shows(
    three: Market,
) -> None:
    """The first one told of it holds it until then; nobody is told to give back what is another's
    money, and once the stop is lifted nothing is left to settle.
    """
    three.sandbox.add_rule(order_id="00002", id_of="00003", wait_after_s=0.5)
    three.sandbox.add_rule(order_id="00003", wait_after_s=1.0)
    assert night(three) == 12
    assert three.run("--lift-stop", "--reason", "seen", verb="resolve").returncode == 0
    journal = journal_of(three)
    for charge in three.own_charges():
        mine = rows(three)[charge["metadata"]["order_id"]]
        assert (mine["outcome"], mine["charge_id"]) == ("succeeded", charge["id"])
        assert "give" not in mine["reason"]
        assert journal.order_of_charge(charge["id"]) == ("night", mine["order_id"], 1)
    assert night(three) == 0


@pytest.mark.fault("J11")
def test_a_charge_that_no_list_shows_is_a_stop_after_the_doubt_period(
    three: Market,
) -> None:
    """The others are shown, younger ones too: this one was answered and is in no list."""
    three.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00001"
    )
    night(three)
    three.orders([order(4)])
    three.job(doubt="0.6s")
    time.sleep(1.2)
    assert night(three) == 12
    assert "no complete list" in three.run(verb="status").stdout


@pytest.mark.fault("J12")
def test_pages_shrink_until_they_fit(three: Market) -> None:
    """Our own legal data make a page longer than a mebibyte: it is asked for in parts, and the
    night goes on.
    """
    three.sandbox.add_rule(method="GET", path="/charges", pad=450_000, order_id="*")
    assert night(three) == 0
    three.orders([order(number) for number in range(1, 8)])
    assert night(three) == 0
    three.agree()


@pytest.mark.fault("J12")
def test_a_charge_too_long_to_be_read_is_told_and_the_night_goes_on(
    three: Market,
) -> None:
    """One entry of the list alone is longer than anybody should read."""
    assert night(three) == 0
    three.sandbox.add_rule(
        method="GET", path="/charges", pad=1_200_000, order_id="00001"
    )
    three.orders([order(4)])
    made = pipeline.run(
        load_job(three.folder / "job.toml"), SecretKey(KEY), Options(), Quiet()
    )
    assert made.exit_code in (0, 11, 12)
    assert three.money()["00004"] == 1
    assert any("passed over" in note for note in made.notes)


@pytest.mark.fault("J15", "L7")
@pytest.mark.parametrize(
    "rule",
    [
        {"action": "no_commission"},
        {"change": {"platform_fee.amount": 0}},
        {"change": {"platform_fee.amount": 1}},
        {"change": {"platform_fee.fixed": 499}},
        {"change": {"platform_fee.percentage": "10.4"}},
        {"drop": ["platform_fee"]},
    ],
)
def test_a_commission_that_was_not_taken_is_no_success(
    market: Market, rule: dict[str, Any]
) -> None:
    """Fixed part, percentage and amount as asked; else unproven, a stop, 12."""
    market.job(more=FEE)
    market.orders([order(1, amount="100.00")])
    market.sandbox.add_rule(order_id="00001", **rule)
    assert night(market) == 12
    assert rows(market)["00001"]["outcome"] == "unproven"
    assert "platform_fee" in rows(market)["00001"]["reason"]


@pytest.mark.fault("J19")
@pytest.mark.parametrize(
    "rule",
    [
        {"null": ["status"]},
        {"change": {"currency": ""}},
        {"null": ["amount", "currency"]},
        {"change": {"status": 7}},
        {"drop": ["id"]},
        {"change": {"id": ""}},
        {"change": {"id": " "}},
        {"change": {"id": "x"}},
    ],
)
def test_evidence_that_is_not_as_documented_is_kept_and_is_a_stop(
    market: Market, rule: dict[str, Any]
) -> None:
    """It is unproven, on this run and on every later one, and never a bug."""
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(order_id="00001", **rule)
    assert night(market) == 12
    # which shows it whole; that it stopped stays
    proven_by_a_list = rule == {"drop": ["id"]} or "id" in rule.get("change", {})
    assert rows(market)["00001"]["outcome"] == (
        "succeeded" if proven_by_a_list else "unproven"
    )
    assert night(market) == 12
    assert market.posts() == 1


@pytest.mark.fault("J19", "B31")
@pytest.mark.parametrize("name", ["", " ", "x", "chrg_test_", "chrg_test_a b"])
def test_an_id_that_names_no_charge_makes_no_second_charge(
    market: Market, name: str
) -> None:
    """The answer is the true charge under such an id, and lists show the same one: there is one."""
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(method="POST", order_id="00001", change={"id": name})
    assert night(market) == 12
    row = rows(market)["00001"]
    assert (row["outcome"], row["reason"], row["who_acts"]) == ("succeeded", "", "-")
    assert row["charge_id"] == market.own_charges()[0]["id"]
    (report,) = market.reports()
    assert (
        "charged twice" not in report["verdict"] and "two charges" not in report["stop"]
    )
    assert market.run("--lift-stop", "--reason", "seen", verb="resolve").returncode == 0
    assert night(market) == 0
    assert rows(market)["00001"]["charged_amount"] == "10125"


@pytest.mark.fault("J19", "J11")
def test_an_id_that_names_no_charge_is_no_orders_of_another(three: Market) -> None:
    """The same text in every answer: each order has its own charge all the same."""
    three.sandbox.add_rule(method="POST", change={"id": "x"})
    while (code := night(three)) == 12 and three.posts() < 3:
        assert (
            three.run("--lift-stop", "--reason", "seen", verb="resolve").returncode == 0
        )
    assert code == 12 and three.money() == {"00001": 1, "00002": 1, "00003": 1}
    ids = {row["charge_id"] for row in rows(three).values()}
    assert ids == {charge["id"] for charge in three.own_charges()}


@pytest.mark.fault("J27", "J05")
def test_what_has_lost_one_charge_proves_no_absence_of_another(market: Market) -> None:
    """A gateway does not know a pending charge any more, neither in its list nor by its id: that
    list may be a copy from before it. What nobody answered does not go again until a person says
    what became of the lost one, or a list shows it.
    """
    market.job()
    market.orders([order(1), order(2)])
    market.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    market.sandbox.add_rule(action="reset_after", order_id="00002")
    about: dict[str, Any] = {"method": "GET", "path": "/charges", "action": "missing"}
    market.sandbox.add_rule(**about, order_id="00002")
    assert night(market) in (11, 12)
    market.sandbox.turn(order_id="00001", becomes="forgotten")
    time.sleep(0.7)
    posts = market.posts()
    assert night(market) == 11
    # proven absent by lists of the first night; those of this one prove nothing any more
    assert (rows(market)["00002"]["outcome"], market.posts()) == ("held", posts)
    assert market.money() == {"00002": 1}
    market.sandbox.clear_rules()
    assert night(market) == 11
    assert rows(market)["00002"]["outcome"] == "succeeded"
    assert market.money() == {"00002": 1}


@pytest.mark.fault("J27")
def test_a_pending_charge_that_the_gateway_forgot_is_for_a_person(
    market: Market,
) -> None:
    """The machine never turns it into a failure; the reason says so, and resolve closes it after a
    look-up.
    """
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    assert night(market) == 11
    market.sandbox.turn(order_id="00001", becomes="forgotten")
    night(market)
    row = rows(market)["00001"]
    assert (row["outcome"], row["who_acts"]) == ("pending", "a person")
    assert "no longer knows" in row["reason"]
    done = market.run(
        "00001",
        "--as",
        "not-charged",
        "--reason",
        "the dashboard has none",
        verb="resolve",
    )
    assert done.returncode == 0, done.stderr
    assert rows(market)["00001"]["outcome"] == "refused"


# --- rows that are not what they were


@pytest.mark.fault("J07", "J08", "E04")
@pytest.mark.parametrize("disguise", ["1", "1.0", " 00001 ", "００００１", "001.00"])
def test_an_id_that_a_program_damaged_is_a_conflict_whatever_it_asks(
    market: Market, disguise: str
) -> None:
    """Whatever its payer and amount, on the first night and when it comes back corrected."""
    market.job()
    market.orders([order(1)])
    assert night(market) == 0
    market.orders(
        [order(1, order_id=disguise, amount="77.00", card="tokn_test_sandboxother4242")]
    )
    assert night(market) == 10
    row = next(row for row in market.results() if row["order_id"] != "00001")
    assert row["outcome"] in ("conflict", "rejected")
    market.orders(
        [order(1, order_id=disguise, amount="78.00", card="tokn_test_sandboxthird4242")]
    )
    assert night(market) == 10
    assert market.money() == {"00001": 1}


MAY_BE = {  # what programs, or an eye, make of an id, and lose something by
    "12345678901234567": "12345678901234500",
    "2.50": "2.5",
    "A-7": "A\u20137",
    "A-2026-001": "A-2026-1",
    "\u0410B": "AB",
    "caf\xe9": "caf?",
    "\xe91": "\xc3\xa91",
}


@pytest.mark.fault("J07", "J08", "J14", "E04", "E09")
def test_an_id_that_may_be_anothers_is_a_conflict_where_it_asks_for_the_same(
    market: Market,
) -> None:
    """In another file of the night and on a later one; not where a file holds both, or the money
    is another.
    """
    market.job(file="in-*.csv", **BY_CUSTOMER)
    asked = [
        order(number, order_id=one, card=f"cust_test_sandbox{number}")
        for number, one in enumerate(MAY_BE)
    ]
    market.orders([*asked[:3], order(50, card="cust_test_sandbox50")], "in-1.csv")
    market.orders([asked[3], order(51, card="cust_test_sandbox51")], "in-2.csv")
    damaged = [{**one, "order_id": MAY_BE[one["order_id"]]} for one in asked]
    new = [order(60 + number, card=f"cust_test_sandbox{number}") for number in range(9)]
    market.orders([*damaged[:2], *new], "in-3.csv")
    assert plan(load_job(market.folder / "job.toml")).outcomes == {"conflict": 2}
    assert night(market) == 10
    assert {rows(market)[one["order_id"]]["outcome"] for one in damaged[:2]} == {
        "conflict"
    }

    market.orders(asked[4:], "in-4.csv")
    assert night(market) == 10
    other_money = order(70, order_id="A\u20147", card="cust_test_sandbox2")
    market.orders([*damaged[2:], *new, other_money], "in-5.csv")
    assert night(market) == 10
    told = rows(market)
    assert {told[one["order_id"]]["outcome"] for one in damaged} == {"conflict"}
    assert told["A\u20147"]["outcome"] == "succeeded"

    (market.folder / "in-3.csv").unlink()
    both = [*asked[:1], *damaged[:1], *asked[4:5]]
    market.orders([*both, order(80, card="cust_test_sandbox80")], "in-6.csv")
    night(market)
    assert market.money()[damaged[0]["order_id"]] == 1
    assert max(market.money().values()) == 1


@pytest.mark.fault("J07", "J08", "E04", "I1")
@pytest.mark.parametrize(
    "shown", ["1.004", "1.004,00", "1004,0", "1'004", "1\u202f004", "#1004", "1004/"]
)
def test_a_number_as_sheets_of_other_countries_show_it_is_not_charged_again(
    market: Market, shown: str
) -> None:
    """On a later night, with the same payer, recipient and amount; also where ids of the source
    may look so.
    """
    payer = {"card": "cust_test_sandbox1"}
    market.job(**BY_CUSTOMER)
    market.orders([order(1, order_id="1004", **payer)])
    assert night(market) == 0
    market.job(input='odd_ids = "accept"\n', **BY_CUSTOMER)
    new = [order(60 + number, card=f"cust_test_sandbox{number}") for number in range(4)]
    market.orders([order(1, order_id=shown, **payer), *new])
    assert night(market) == 10
    assert "1004" in market.money() and shown not in market.money()
    assert len(market.money()) == 5


@pytest.mark.fault("J07", "J08", "I1")
def test_a_number_as_two_countries_show_it_is_not_charged_twice_from_one_file(
    market: Market,
) -> None:
    """With the same payer, recipient and amount; whoever writes the one id in both is charged
    once.
    """
    payer = {"card": "cust_test_sandbox1"}
    market.job(**BY_CUSTOMER)
    ids = ("1004", "1.004")
    market.orders([order(1, order_id=one, **payer) for one in ids])
    assert plan(load_job(market.folder / "job.toml")).outcomes == {"conflict": 2}
    assert night(market) == 10
    assert market.posts() == 0
    market.orders([order(1, order_id="1004", **payer) for _ in ids])
    assert night(market, yes=True) == 0
    assert market.money() == {"1004": 1}


@pytest.mark.fault("J07", "J14", "E04")
def test_an_id_that_may_be_anothers_of_the_night_is_a_conflict_whichever_recipient_it_has(
    market: Market,
) -> None:
    """As on a later night: who pays, and how much, tells that they are one sale, also of what its
    row asked for before the job was edited.
    """
    market.job(file="in-*.csv", **BY_CUSTOMER)
    payer = {"card": "cust_test_sandbox1"}
    long, cut = "12345678901234567", "12345678901234500"
    market.orders([order(1, order_id=long, **payer)], "in-1.csv")
    other = order(1, order_id=cut, recipient="recp_test_sandbox5", **payer)
    market.orders([other], "in-2.csv")
    assert plan(load_job(market.folder / "job.toml")).outcomes == {"conflict": 1}
    assert night(market) == 10
    assert market.money() == {long: 1}


@pytest.mark.fault("J08", "J14")
def test_another_sheet_of_a_charged_workbook_is_held_against_it(market: Market) -> None:
    """The same payers, recipients and amounts under new ids, as in another file; and so on each
    night until a person says that they are new.
    """
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "S1"
    second = book.create_sheet("S2")
    for number in range(1, 5):
        row = order(number, card=f"cust_test_sandbox{number}")
        if number == 1:
            first.append(list(row))
            second.append(list(row))
        first.append(list(row.values()))
        second.append(list({**row, "order_id": f"C-{number}"}.values()))
    book.save(market.folder / "orders.xlsx")
    job = {"file": "orders.xlsx", **BY_CUSTOMER}
    market.job(input='sheet = "S1"\n', **job)
    assert night(market) == 0
    market.job(input='sheet = "S2"\n', **job)
    told = plan(load_job(market.folder / "job.toml"))
    assert (told.exit_code, told.to_send) == (65, {})
    for _ in range(2):
        assert night(market) == 65
    assert market.posts() == 4
    assert night(market, yes=True) == 0
    assert night(market) == 0
    market.job(input='sheet = "S1"\n', **job)
    assert night(market) == 0
    assert market.posts() == 8


def payers(ids: str = "{:05d}", **changes: str) -> list[dict[str, str]]:
    """Four orders of saved cards, under ids of some form."""
    return [
        order(n, order_id=ids.format(n), card=f"cust_test_sandbox{n}", **changes)
        for n in range(1, 5)
    ]


@pytest.fixture
def inbox(market: Market) -> Market:
    """A job that reads whatever lies in its inbox."""
    (market.folder / "inbox").mkdir()
    market.job(file="inbox/*.csv", **BY_CUSTOMER)
    return market


@pytest.mark.fault("E04", "J07")
def test_a_whole_file_whose_ids_are_said_to_differ_is_held_against_those_sent(
    inbox: Market,
) -> None:
    """Ids that only look alike are others where the job says so: then the file is what is asked
    about.
    """
    inbox.job(file="inbox/*.csv", input='alike_ids = "distinct"\n', **BY_CUSTOMER)
    inbox.orders(payers(), "inbox/a.csv")
    assert night(inbox) == 0
    inbox.orders(payers("{}"), "inbox/b.csv")
    for _ in range(2):
        assert night(inbox) == 65
    assert inbox.posts() == 4
    assert night(inbox, yes=True) == 0
    assert inbox.posts() == 8


@pytest.mark.fault("E04", "J14")
@pytest.mark.parametrize("why", ["a recipient", "the job"])
def test_a_file_that_waited_is_held_against_the_one_that_went(
    inbox: Market, why: str
) -> None:
    """Whichever came first: its rows waited for their recipient, or were all rejected."""
    more = {"currency": "Baht"} if why == "the job" else {}
    inbox.orders(payers(**more), "inbox/a.csv")
    if not more:
        inbox.sandbox.add_rule(
            method="GET", path="/recipients*", change={"active": False}
        )
    assert night(inbox) == (10 if more else 11)
    inbox.sandbox.clear_rules()
    waits = (inbox.folder / "inbox/a.csv").rename(inbox.folder / "a.csv")
    inbox.orders(payers("B-{}"), "inbox/b.csv")
    night(inbox, yes=True)
    assert inbox.posts() == 4
    waits.rename(inbox.folder / "inbox/a.csv")
    if more:
        inbox.job(file="inbox/*.csv", currency='{ value = "THB" }', **BY_CUSTOMER)
    told = plan(load_job(inbox.folder / "job.toml"))
    assert (told.exit_code, told.to_send) == (65, {})
    for _ in range(2):
        assert night(inbox) == 65
    assert inbox.posts() == 4
    assert night(inbox, yes=True) == 0
    assert inbox.posts() == 8


@pytest.mark.fault("E04", "J14")
def test_a_file_is_held_against_one_that_waited_for_long_and_goes_beside_it(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one came more than ten days ago, and nothing of it was ever sent."""
    was = SystemClock.now_ns
    inbox.sandbox.add_rule(method="*", path="/*", headers={"date": "soon"})
    inbox.orders(payers(), "inbox/a.csv")
    monkeypatch.setattr(
        SystemClock, "now_ns", lambda self: was(self) - 12 * 86_400 * 10**9
    )
    assert night(inbox, limit=0) == 11
    monkeypatch.setattr(SystemClock, "now_ns", was)
    inbox.orders(payers("B-{}"), "inbox/b.csv")
    told = plan(load_job(inbox.folder / "job.toml"))
    assert told.exit_code == 65
    assert night(inbox) == 65
    assert set(inbox.money()) == {f"{n:05d}" for n in range(1, 5)}
    assert night(inbox, yes=True) == 0
    assert inbox.posts() == 8


@pytest.mark.fault("J07")
def test_a_look_alike_that_was_declined_does_not_come_back(market: Market) -> None:
    """The guard is passed by every attempt, not by the first one alone."""
    market.job(input='alike_ids = "distinct"')
    market.orders([order(1, card="tokn_test_sandbox000010011"), order(2, order_id="1")])
    night(market)
    market.job()
    market.orders([order(1, card="tokn_test_sandboxother4242")])
    night(market)
    assert market.money() == {"1": 1}


SCRIPTS = {"thai": "๐๑๒๓๔๕๖๗๘๙", "arabic": "٠١٢٣٤٥٦٧٨٩", "devanagari": "०१२३४५६७८९"}


@pytest.mark.fault("J07", "X14")
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("is_first", [True, False])
def test_an_id_in_digits_of_another_script_is_a_look_alike(
    market: Market, script: str, *, is_first: bool
) -> None:
    """A sheet that shows numbers in the digits of its country exports them so, on either night;
    also beside the row that it looks like, unless the source has both.
    """
    own = str.maketrans("0123456789", SCRIPTS[script])
    first, second = "00012", "12"
    shown = (
        [first.translate(own), second] if is_first else [first, second.translate(own)]
    )
    market.job()
    market.orders([order(1, order_id=shown[0]), order(2)])
    assert night(market) == 0
    market.orders([order(3, order_id=shown[1]), order(4)])
    assert night(market) == 10
    once_each = {shown[0]: 1, "00002": 1, "00004": 1}
    assert market.money() == once_each
    assert shown[0] in rows(market)[shown[1]]["reason"]


@pytest.mark.fault("J07", "X14")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_source_may_have_ids_in_digits_of_two_scripts(
    market: Market, script: str
) -> None:
    """Beside each other they are conflicts, until the job says that it tells them apart."""
    own = str.maketrans("0123456789", SCRIPTS[script])
    both = [order(5, order_id="1005"), order(6, order_id="1005".translate(own))]
    market.job()
    market.orders(both)
    assert night(market) == 10
    assert not market.money()
    market.job(input='alike_ids = "distinct"')
    assert night(market) == 0
    assert market.money() == {row["order_id"]: 1 for row in both}


@pytest.mark.fault("J07", "J08")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_row_that_came_back_in_digits_of_another_script_has_its_own_id(
    market: Market, script: str
) -> None:
    market.job()
    market.orders([order(1), order(2, recipient="nobody")])
    assert night(market) == 10
    (file,) = (market.folder / "reports").glob("2*/rejects.csv")
    with file.open(encoding="utf-8-sig", newline="") as text:
        (back,) = csv.DictReader(text)
    own = str.maketrans("0123456789", SCRIPTS[script])
    back["recipient"] = order(2)["recipient"]
    for name in ("order_id", "batchpay_row"):
        back[name] = back[name].translate(own)
    with (market.folder / "orders.csv").open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, back)
        writer.writeheader()
        writer.writerow(back)
    assert night(market) == 0
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("J07", "X14")
def test_an_archived_order_in_other_digits_is_found_by_its_look_alike(
    market: Market,
) -> None:
    """Archiving leaves in the journal by what ids are found."""
    market.job()
    market.orders([order(1, order_id="๐๐๐๐๑"), order(2)])
    assert night(market) == 0
    for order_id in ("๐๐๐๐๑", "00002"):
        turn(market, order_id, "transfer_paid")
    assert market.run(verb="settle").returncode == 0
    archived = market.run("--before", "2099-12-31", verb="archive")
    assert archived.returncode == 0 and "archived" in archived.stdout
    market.orders([order(3, order_id="1"), order(4)])
    assert night(market) == 10
    assert market.money() == {"๐๐๐๐๑": 1, "00002": 1, "00004": 1}


@pytest.mark.fault("J07", "D10")
@pytest.mark.parametrize("own", ["00001", "๐๐๐๐๑"])
def test_a_look_alike_of_an_adopted_order_is_a_conflict(
    market: Market, own: str
) -> None:
    """What was adopted counts like what was sent."""
    market.job()
    market.orders([order(1, order_id=own)])
    assert night(market) == 0
    shutil.rmtree(market.folder / "state")
    market.orders([order(1, order_id="1")])
    assert night(market, adopt=True) == 10
    assert market.money() == {own: 1}


@pytest.mark.fault("J13")
def test_a_row_that_was_never_charged_is_planned_anew_when_its_lookup_is_mended(
    market: Market,
) -> None:
    """Its first request was refused at the door; today's row asks for another recipient: attempt 2,
    and one charge.
    """
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(action="rate_limited", order_id="00001")
    assert night(market) == 11
    market.sandbox.clear_rules()
    job = market.folder / "job.toml"
    text = job.read_text("utf-8").replace(
        '"recipient"', '{ value = "recp_test_sandbox6" }'
    )
    job.write_text(text, "utf-8")
    assert night(market) == 0
    row = rows(market)["00001"]
    assert (row["outcome"], row["attempts"], row["destination"]) == (
        "succeeded",
        "2",
        "recp_test_sandbox6",
    )
    assert market.money() == {"00001": 1}


@pytest.mark.fault("J13")
def test_a_held_order_whose_file_is_gone_goes_on_from_another_file(
    market: Market,
) -> None:
    """The same content in a new file sends the very attempt; changed content is planned anew."""
    market.job()
    market.orders([order(1), order(2)])
    market.sandbox.add_rule(action="rate_limited")
    assert night(market) == 11
    market.sandbox.clear_rules()
    market.orders([order(1), order(2, amount="55.00"), order(3)])
    assert night(market) in (0, 10, 11)
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}
    assert {
        c["amount"]
        for c in market.own_charges()
        if c["metadata"]["order_id"] == "00002"
    } == {5500}


@pytest.mark.fault("J17")
def test_two_jobs_with_one_file_and_one_folder_write_two_reports(three: Market) -> None:
    """The batch is of job and file, so that no report of one job is touched by another."""
    assert night(three) == 0
    before = {
        path: path.read_bytes() for path in (three.folder / "reports").glob("*/*")
    }
    text = (
        (three.folder / "job.toml")
        .read_text("utf-8")
        .replace('name = "night"', 'name = "other"')
    )
    (three.folder / "job.toml").write_text(text, "utf-8")
    night(three)
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.fault("J28")
def test_a_fixed_fee_is_of_a_currency(market: Market) -> None:
    """A plain number needs one fixed currency, a table one for every currency that comes; else
    78.
    """
    market.job(more="[fee]\nfixed = 500\n")
    market.orders([order(1)])
    assert night(market) == 78
    market.job(more="[fee]\nfixed = { JPY = 30 }\n")
    assert night(market) == 78
    market.job(more="[fee]\nfixed = { THB = 500 }\n")
    market.orders([order(1), order(2, amount="30.00"), order(3, amount="4.00")])
    night(market)
    assert rows(market)["00003"]["outcome"] == "rejected"
    assert {c["platform_fee"]["amount"] for c in market.own_charges()} == {500}


@pytest.mark.fault("J29")
@pytest.mark.parametrize("min_share", ["hold", "send"])
def test_a_share_below_the_smallest_transfer_is_held_unless_the_job_says_send(
    market: Market, min_share: str
) -> None:
    """The gateway's limit is known before anything is sent, and kept for the report."""
    market.sandbox.add_rule(
        method="GET", path="/capability", change={"limits.transfer_amount.min": 5000}
    )
    market.job(more=f'{FEE}[controls]\nmin_share = "{min_share}"\n')
    market.orders([order(1, amount="50.00"), order(2, amount="500.00")])
    code = night(market)
    row = rows(market)["00001"]
    if min_share == "send":
        assert (code, row["outcome"]) == (0, "succeeded")
    else:
        assert (code, row["outcome"], row["who_acts"]) == (11, "held", "accountant")
        assert "smallest transfer" in row["reason"]
    assert rows(market)["00002"]["outcome"] == "succeeded"


@pytest.mark.fault("J13", "L3")
def test_a_correction_under_another_id_bars_the_row_that_it_corrects(
    market: Market,
) -> None:
    """A rejected row came back corrected, with another order id, and was charged; then the first
    rule is mended.
    """
    market.job()
    market.orders([order(1, amount="1,2,3"), order(2)])
    assert night(market) == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.csv")
    text = rejects.read_text("utf-8-sig").replace("1,2,3", "210.25")
    corrected = [line for line in text.splitlines() if line]
    assert len(corrected) == 2
    (market.folder / "corrected.csv").write_text(
        "\n".join(corrected).replace("\n00001,", "\nA-1,") + "\n", "utf-8"
    )
    market.job(file="corrected.csv")
    night(market)
    assert market.money() == {"00002": 1, "A-1": 1} or market.money() == {
        "00002": 1,
        "00001": 1,
    }
    market.job()
    night(market)
    assert sum(market.money().values()) == 2


@pytest.mark.fault("J19")
def test_a_text_of_the_gateway_fits_the_cells_of_a_spreadsheet(market: Market) -> None:
    """Cut at a stated length in what people open; the journal has all of it."""
    market.job()
    market.orders([order(1)])
    long = f"chrg_{'z' * 140_000}"
    market.sandbox.add_rule(path="/charges*", order_id="00001", change={"id": long})
    market.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", change={"id": long}
    )
    assert night(market) == 12
    (row,) = rows(market).values()
    assert [len(row["charge_id"]), len(row["reason"])] == [32_000, 32_000]
    assert row["charge_id"].endswith("z…")
    kept = journal_of(market)
    try:
        assert any(long in json.dumps(event.data) for event in kept.events())
    finally:
        kept.close()


# --- a row and its corrections are one sale

CORRECTED, AGAIN = "corrected.csv", "again.csv"


def lookup(market: Market, *shops: str) -> None:
    """Which shops the accountant has a recipient for."""
    lines = [f"{shop},recp_test_sandbox1\n" for shop in shops]
    (market.folder / "shops.csv").write_text("shop,rid\n" + "".join(lines), "utf-8")


def told_back(
    market: Market, old_id: str, new_id: str, name: str, **changes: str
) -> None:
    """The rejected row of one order, sent back as a file under another order id, its own columns
    kept.
    """
    for path in sorted((market.folder / "reports").glob("*/rejects.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = [row for row in csv.DictReader(file) if row["order_id"] == old_id]
        if found:
            write(market, name, [{**found[0], "order_id": new_id, **changes}])
            return
    raise AssertionError(f"no rejects of {old_id}")


def write(market: Market, name: str, lines: list[dict[str, str]]) -> None:
    """A file of these rows, with every column that one of them has."""
    columns = dict.fromkeys(column for line in lines for column in line)
    with (market.folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(lines)


def read(market: Market, name: str) -> list[dict[str, str]]:
    """The rows of a file."""
    with (market.folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def send(market: Market, name: str, **flags: Any) -> int:
    """One night with one file, or with those of a pattern."""
    prepare(market, name)
    return night(market, **flags)


def prepare(market: Market, name: str) -> None:
    """The job for one file, or for those of a pattern, that looks up its recipients."""
    path = market.job(file=name)
    plain = 'destination = "recipient"'
    looked_up = (
        'destination = { column = "recipient", lookup = "shops.csv",'
        ' key = "shop", value = "rid" }'
    )
    path.write_text(path.read_text("utf-8").replace(plain, looked_up), "utf-8")


X1 = {"order_id": "X-1", "recipient": "Q"}


@pytest.fixture
def rejected(market: Market) -> Market:
    """X-1's shop was not in the lookup; its row came back as R-1, and then the lookup was
    mended.
    """
    lookup(market, "A")
    market.orders([order(1, **X1), order(2, recipient="A")], "a.csv")
    assert send(market, "a.csv") == 10
    told_back(market, "X-1", "R-1", CORRECTED, recipient="A")
    lookup(market, "A", "Q")
    return market


def agreed(market: Market, *charged: str) -> None:
    """Of the one sale these orders took money, and the other order of the file did."""
    assert market.money() == dict.fromkeys([*charged, "00002"], 1)
    market.agree()


@pytest.mark.fault("J07")
def test_a_row_and_its_correction_in_one_run_are_a_conflict(rejected: Market) -> None:
    """Neither is sent, and each names the other."""
    (rejected.folder / CORRECTED).rename(rejected.folder / "a2.csv")
    prepare(rejected, "a*.csv")
    planned = plan(load_job(rejected.folder / "job.toml"))
    assert (planned.to_send, planned.outcomes["conflict"]) == ({}, 2)
    assert send(rejected, "a*.csv") == 10
    agreed(rejected)
    found = rows(rejected)
    assert [found[one]["outcome"] for one in ("X-1", "R-1")] == ["conflict", "conflict"]
    assert (
        "order R-1" in found["X-1"]["reason"] and "order X-1" in found["R-1"]["reason"]
    )


@pytest.mark.fault("J07")
@pytest.mark.parametrize("held", [False, True])
def test_a_correction_of_a_row_that_was_charged_is_its_duplicate(
    rejected: Market, *, held: bool
) -> None:
    """Whether or not the correction was there, and held, before the row itself was charged."""
    if held:
        send(rejected, CORRECTED, limit=0)
    assert send(rejected, "a.csv") == 0
    send(rejected, CORRECTED)
    agreed(rejected, "X-1")
    assert rows(rejected)["R-1"]["outcome"] == "duplicate"
    assert "it corrects a row that was charged" in rows(rejected)["R-1"]["reason"]


@pytest.mark.fault("J07")
@pytest.mark.parametrize("together", [False, True])
def test_two_corrections_of_one_row_are_never_both_sent(
    rejected: Market, *, together: bool
) -> None:
    """In one file, or in two files of one run."""
    told_back(rejected, "X-1", "R-2", AGAIN, recipient="A")
    if together:
        write(rejected, CORRECTED, read(rejected, CORRECTED) + read(rejected, AGAIN))
        (rejected.folder / AGAIN).unlink()
    (rejected.folder / "a.csv").unlink()
    assert send(rejected, "[ac]*.csv") == 10
    agreed(rejected)


@pytest.mark.fault("J07")
@pytest.mark.parametrize("first", [True, False])
def test_a_row_by_its_order_id_and_its_correction_in_one_new_file(
    rejected: Market, *, first: bool
) -> None:
    """The row without a word of where it came from: its order id says so."""
    both = [order(1, **X1), *read(rejected, CORRECTED)]
    write(rejected, AGAIN, both if first else both[::-1])
    assert send(rejected, AGAIN) == 10
    agreed(rejected)


@pytest.mark.fault("J07")
@pytest.mark.parametrize("first", [True, False])
def test_a_row_by_its_order_id_and_its_correction_one_after_the_other(
    rejected: Market, *, first: bool
) -> None:
    """In two nights and two new files, whichever is first."""
    write(rejected, AGAIN, [order(1, **X1)])
    names = [AGAIN, CORRECTED] if first else [CORRECTED, AGAIN]
    assert send(rejected, names[0]) == 0
    send(rejected, names[1])
    agreed(rejected, "X-1" if first else "R-1")


@pytest.mark.fault("J07")
def test_a_correction_of_a_correction_bars_the_first_row(market: Market) -> None:
    """X-1 came back as R-1, R-1 as T-1, which was charged: neither of the others is."""
    lookup(market, "A")
    market.orders([order(1, **X1), order(2, recipient="A")], "a.csv")
    send(market, "a.csv")
    told_back(market, "X-1", "R-1", CORRECTED, recipient="W")
    send(market, CORRECTED)
    told_back(market, "R-1", "T-1", AGAIN, recipient="A")
    assert send(market, AGAIN) == 0
    lookup(market, "A", "Q", "W")
    send(market, "a.csv")
    send(market, CORRECTED)
    agreed(market, "T-1")
    assert [rows(market)[one]["outcome"] for one in ("X-1", "R-1")] == [
        "duplicate",
        "duplicate",
    ]


@pytest.mark.fault("J07")
def test_a_declined_correction_is_not_tried_again_once_its_row_was_charged(
    rejected: Market,
) -> None:
    """batchpay_retry says yes to the order R-1, and X-1 has the money."""
    declined = [
        {**line, "card": "tokn_test_sandbox000010011"}
        for line in read(rejected, CORRECTED)
    ]
    write(rejected, CORRECTED, declined)
    assert send(rejected, CORRECTED) == 10
    # before it is settled: the rejects file then has it no more
    told_back(
        rejected,
        "R-1",
        "R-1",
        AGAIN,
        card=order(1)["card"],
        recipient="A",
        batchpay_retry="yes",
    )
    assert send(rejected, "a.csv") == 0
    send(rejected, AGAIN)
    agreed(rejected, "X-1")


@pytest.mark.fault("J07")
@pytest.mark.parametrize("edit", ["alike", "odd"])
@pytest.mark.parametrize("first", [True, False])
def test_an_edit_of_the_job_lets_no_row_go_beside_its_correction(
    market: Market, edit: str, *, first: bool
) -> None:
    """The row was kept back for its id, came back under another, and then the job says that such
    ids are right.
    """
    lookup(market, "A", "Q")
    old_id = {"alike": "2", "odd": "8.85E+12"}[edit]
    market.orders(
        [order(1, order_id=old_id, recipient="Q"), order(2, recipient="A")], "a.csv"
    )
    send(market, "a.csv")
    (rejects,) = (market.folder / "reports").glob("*/rejects.csv")
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        back = [row for row in csv.DictReader(file) if row["invoice"] == "INV-1"]
    write(market, CORRECTED, [{**back[0], "order_id": "R-1"}])
    market.settings["input"] = {
        "alike": 'alike_ids = "distinct"',
        "odd": 'odd_ids = "accept"',
    }[edit]
    for name in ["a.csv", CORRECTED] if first else [CORRECTED, "a.csv"]:
        send(market, name)
    agreed(market, old_id if first else "R-1")


@pytest.mark.fault("J19", "B15")
@pytest.mark.parametrize("lost", [True, False])
def test_a_charge_in_a_currency_that_nobody_takes_is_told_in_its_smallest_unit(
    market: Market, *, lost: bool
) -> None:
    """It is a stop, or adopted, and every command goes on telling of it: nothing ends as a bug."""
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule(
        method="POST", path="/charges", order_id="00001", change={"currency": "KRW"}
    )
    market.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", change={"currency": "KRW"}
    )
    assert market.run().returncode == 12
    if lost:
        shutil.rmtree(market.folder / "state")
        assert market.run("--adopt").returncode == 12
    for verb in ("status", "report", "plan", "verify"):
        assert market.run(verb=verb).returncode in (0, 12), verb
    (charge,) = [
        c["id"] for c in market.own_charges() if c["metadata"]["order_id"] == "00001"
    ]
    flags = ("00001", "--as", f"charged:{charge}", "--reason", "asked the gateway")
    assert market.run(*flags, verb="resolve").returncode == 0
    assert (
        market.run("--lift-stop", "--reason", "seen to", verb="resolve").returncode == 0
    )
    code = market.run().returncode
    assert code == 10
    assert market.run(verb="status").returncode == 10
    assert set(market.money().values()) == {1}


@pytest.mark.fault("H05", "J06")
def test_a_row_that_another_job_of_this_journal_rejected_goes_back_to_that_one(
    market: Market,
) -> None:
    """Here it is rejected, names the job, and keeps the columns that lead back there."""
    market.job()
    market.orders([order(1, card="tokn_test_sandbox000010011")])
    assert night(market) == 10
    told_back(market, "00001", "00001-b", "back.csv", card="tokn_test_sandbox000990000")
    (market.folder / "orders.csv").unlink()
    market.job(name="other", file="back.csv")
    assert night(market) == 10 and market.posts() == 1
    (row,) = (row for row in market.results() if row["order_id"] == "00001-b")
    assert row["outcome"] == "rejected" and 'a row of job "night"' in row["reason"]
    told_back(market, "00001-b", "00001-b", "again.csv")
    market.job(file="again.csv")
    assert night(market) == 0
    assert market.money() == {"00001-b": 1}
