"""Charges that change nights after they ended: no list of a run reaches back to them, and the
gateway's events name them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchpay.batches import clock
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.places import tail_of
from batchpay.reports.manifest import batch_told
from batchpay.sandbox import SandboxServer
from tests.test_doors import told_back
from tests.test_next_steps import Told
from tests.world import HEADER, KEY, Market, order

DAY_S = 86_400
DECLINES = "tokn_test_sandbox000010011"


class Nights:
    """Nights of one job, a day apart by every clock, each with an order of its own that takes the
    first night's charges out of every list.
    """

    def __init__(self, market: Market, patch: pytest.MonkeyPatch) -> None:
        self.market = market
        self.count = 0
        self.more = ""
        now_ns = clock.SystemClock.now_ns

        def now_of_the_night(one: clock.SystemClock) -> int:
            return now_ns(one) + self.count * DAY_S * 10**9

        patch.setattr(clock.SystemClock, "now_ns", now_of_the_night)

    def run(self, *rows: dict[str, str], quiet: bool = False) -> int:
        """The next one's exit code. `quiet`: without an order of its own."""
        self.count += 1
        self.market.sandbox.set_clock(DAY_S * self.count)
        self.market.job(more=self.more)
        own = [] if quiet else [order(50 + self.count)]
        name = f"night{self.count}.csv"
        self.market.orders([*rows, *own], name)
        return self.market.run("--input", name).returncode

    def pass_by(self) -> int:
        """Three nights; how the last one ended."""
        return [self.run() for _ in range(3)][-1]

    def row(self, order_id: str = "00001") -> dict[str, str]:
        """The last row of an order in the reports."""
        return [one for one in self.market.results() if one["order_id"] == order_id][-1]

    def asked(self, since: int) -> list[str]:
        """What was asked of the gateway after so many requests."""
        return [one.path for one in self.market.sandbox.requests()[since:]]


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Nights(Told(tmp_path, sandbox), monkeypatch)


@pytest.mark.fault("J04", "I8", "B34")
@pytest.mark.parametrize("verb", ["run", "settle"])
@pytest.mark.parametrize(
    ("first", "becomes", "outcome", "code"),
    [
        ("declined", "successful", "succeeded", 12),
        ("expired", "successful", "succeeded", 12),
        ("succeeded", "reversed", "reversed", 10),
        ("succeeded", "failed", "declined", 12),
    ],
)
def test_a_charge_that_changes_nights_after_it_ended_is_told(
    nights: Nights, first: str, becomes: str, outcome: str, code: int, verb: str
) -> None:
    """In the report of its own night, and by the exit code of the run that finds it."""
    market = nights.market
    card = {"card": DECLINES} if first == "declined" else {}
    if first == "expired":
        market.sandbox.add_rule(becomes="expired", order_id="00001", times=1)
    nights.run(order(1, **card), order(2))
    nights.pass_by()
    assert nights.row()["outcome"] == first
    market.sandbox.turn(becomes, order_id="00001")
    if verb == "run":
        assert nights.run() == code
    else:
        market.run(verb="settle")
    assert nights.row()["outcome"] == outcome
    assert (
        market.run(verb="status").returncode,
        market.run(verb="settle").returncode,
    ) == ((12, 12) if code == 12 else (0, 0))
    market.agree()
    # what is told is asked for no more
    nights.run()
    since = len(market.sandbox.requests())
    nights.run()
    assert f"/charges/{nights.row()['charge_id']}" not in nights.asked(since)


@pytest.mark.fault("J04", "I8", "B34", "L10")
@pytest.mark.parametrize("seen_by", ["an event", "a list"])
@pytest.mark.parametrize("then", ["successful", "failed", "a word"])
def test_a_charge_that_is_pending_again_is_told_until_it_is_not(
    nights: Nights, then: str, seen_by: str
) -> None:
    """A stop; its row stays succeeded and is a person's, is asked about each night, and ends as the
    gateway or a person says.
    """
    market = nights.market
    nights.run(order(1), order(2))
    listed = seen_by == "a list"
    if listed:
        without_events(market)
    else:
        nights.pass_by()
    market.sandbox.turn("pending", order_id="00001")
    assert nights.run(quiet=listed) == 12
    told = market.run(verb="status").stdout
    assert "succeeded, and the gateway now says of it: status 'pending'" in told
    lift = ("--lift-stop", "--reason", "seen")
    assert market.run(*lift, verb="resolve").returncode == 0
    assert nights.run(quiet=listed) == 10
    codes = [market.run(verb=verb).returncode for verb in ("status", "settle")]
    assert codes == [10, 10]
    row = nights.row()
    assert (row["outcome"], row["who_acts"]) == ("succeeded", "a person")
    assert f"now says of {row['charge_id']}: status 'pending'" in row["reason"]
    if then == "a word":
        word = (f"charged:{row['charge_id']}", "--reason", "they look at it")
        done = market.run("00001", "--as", *word, verb="resolve")
        assert done.returncode == 0, done
        assert nights.row()["who_acts"] == "-" and nights.run() == 0
        return
    market.sandbox.turn(then, order_id="00001")
    assert nights.run(quiet=listed) == (0 if then == "successful" else 12)
    row = nights.row()
    assert row["outcome"] == ("succeeded" if then == "successful" else "declined")
    assert "pending" not in row["reason"]
    market.agree()


@pytest.mark.fault("J04", "B32", "B34")
def test_a_list_from_before_a_charge_was_paid_takes_nothing_back(
    nights: Nights,
) -> None:
    """A copy of before: the charge itself, asked for by its id, is what it was proven to be."""
    market = nights.market
    nights.run(order(1), quiet=True)
    older = market.own_charges()[0] | {"status": "pending", "paid": False}
    page = {"object": "list", "data": [older], "total": 1, "limit": 100}
    market.sandbox.add_rule(method="GET", path="/charges", status=200, body=page)
    since = len(market.sandbox.requests())
    assert nights.run(quiet=True) == 0
    asked = nights.asked(since)
    assert asked.count(f"/charges/{older['id']}") == 1, "once, whatever many lists"
    assert nights.row()["outcome"] == "succeeded" and not nights.row()["reason"]


@pytest.mark.fault("J04", "B32", "B34")
def test_while_a_run_goes_on_lists_may_show_its_charges_as_they_were(
    nights: Nights,
) -> None:
    """Each of them pending, which costs no question: in a later run it would."""
    market = nights.market
    lists = {"method": "GET", "path": "/charges", "order_id": "*"}
    older = {"status": "pending", "paid": False}
    market.sandbox.add_rule(**lists, action="change", change=older)
    assert nights.run(order(1), order(2)) == 0
    asked = nights.asked(0)
    assert asked.count("/charges") > 1
    assert not [path for path in asked if path.startswith("/charges/")]


@pytest.mark.fault("J04", "I8", "I1")
def test_an_earlier_attempt_that_is_paid_nights_after_the_next_one_was_is_a_stop(
    nights: Nights,
) -> None:
    """Two charges of one order: 12 in that night and each after it, both in the reports."""
    market = nights.market
    nights.run(order(1, card=DECLINES))
    again = {**order(1), "batchpay_retry": "yes"}
    head = ",".join((*HEADER, "batchpay_retry"))
    (market.folder / "again.csv").write_text(f"{head}\n{','.join(again.values())}\n")
    assert market.run("--input", "again.csv").returncode == 0
    assert market.money()["00001"] == 1 and nights.pass_by() == 0
    old = next(one for one in market.own_charges() if one["status"] == "failed")
    market.sandbox.turn("successful", charge_id=old["id"])
    assert market.money()["00001"] == 2
    assert nights.run() == 12
    assert nights.run() == 12 and market.run(verb="settle").returncode == 12
    assert "was declined, is now succeeded" in market.run(verb="status").stdout
    rows = [one for one in market.results() if one["order_id"] == "00001"]
    paid = [one for one in market.own_charges() if one["status"] == "successful"]
    mine = {one["id"] for one in paid if one["metadata"]["order_id"] == "00001"}
    assert {one["charge_id"] for one in rows if one["outcome"] == "succeeded"} == mine


def paid_anew_and_put_back(nights: Nights, again_as: str, status: str) -> list[str]:
    """The journal is put back to before a charge that it knows was reversed, or stayed as it was,
    and another one of its sale, which it does not know, was made: both charges' ids.
    """
    market = nights.market
    nights.run(order(1))
    assert nights.run(order(2)) == 0  # the first one is in no list from now on
    state = market.folder / "state"
    shutil.copytree(state, market.folder / "before")
    market.sandbox.turn("reversed", order_id="00001")
    assert nights.run(quiet=True) == 10
    anew = {"batchpay_retry": "yes", "card": order(7)["card"]}
    told_back(market, "00001", again_as, "again.csv", **anew)
    assert market.run("--input", "again.csv").returncode == 0
    first, second = (
        one["id"]
        for one in market.own_charges()
        if one["metadata"]["order_id"] in ("00001", again_as)
    )
    market.sandbox.turn(status, charge_id=first)
    shutil.rmtree(state)
    (market.folder / "before").rename(state)
    return [first, second]


@pytest.mark.fault("D09", "J04", "L10", "L11", "I1")
@pytest.mark.parametrize("again_as", ["00001", "1-corrected"])
@pytest.mark.parametrize("how", ["reversed", "successful", "silent"])
def test_what_took_the_place_of_a_charge_that_ended_since_a_copy_is_no_double(
    nights: Nights, again_as: str, how: str
) -> None:
    """The one that the copy believes to have money is asked for before the two are a stop, under
    one id or two: it is one where that has money still, or where nobody says that it has none.
    """
    market = nights.market
    status = "successful" if how == "successful" else "reversed"
    first, second = paid_anew_and_put_back(nights, again_as, status)
    if how == "silent":
        path = f"/charges/{first}"
        market.sandbox.add_rule(method="GET", path=path, status=503, commit="never")
    code = nights.run(quiet=True)
    told = market.run(verb="status").stdout
    assert (code, "STOP" in told) == ((0, False) if how == "reversed" else (12, True))
    if how == "reversed":
        assert nights.row(again_as)["charge_id"] == second
        assert nights.run(order(3)) == 0  # and nothing is held
    paid = [one for one in market.own_charges() if one["status"] == "successful"]
    ids = {one["id"] for one in paid} & {first, second}
    assert ids == ({first, second} if how == "successful" else {second})


def charged_elsewhere(market: Market) -> str:
    """Another job charges the first order; the charge's id."""
    asked = order(1)
    form = {
        "amount": asked["amount"].replace(".", ""),
        "currency": "thb",
        "destination": asked["recipient"],
        "card": order(8)["card"],
        "metadata[order_id]": asked["order_id"],
        "metadata[batchpay_key]": key_of("elsewhere", asked["order_id"], 1),
        "metadata[batchpay_job]": "elsewhere",
    }
    made = httpx.post(
        f"{market.sandbox.url}/charges", data=form, auth=(KEY, ""), trust_env=False
    )
    return str(made.raise_for_status().json()["id"])


@pytest.mark.fault("J06", "J04", "L10", "I1")
@pytest.mark.parametrize("status", ["reversed", "successful"])
def test_what_another_job_charged_after_ours_ended_is_no_double(
    nights: Nights, status: str
) -> None:
    """No list shows our charge any more: it is asked for before the two are a stop."""
    market = nights.market
    nights.run(order(1))
    assert nights.run(order(2)) == 0
    market.sandbox.turn(status, order_id="00001")
    charged_elsewhere(market)
    assert nights.run(quiet=True) == (10 if status == "reversed" else 12)
    told = market.run(verb="status").stdout
    assert ("two jobs charge it" in told) == (status == "successful")


@pytest.mark.fault("D09", "J06", "L10", "L11", "I1")
@pytest.mark.parametrize("status", ["reversed", "successful"])
def test_what_is_adopted_after_another_jobs_charge_ended_is_no_double(
    nights: Nights, status: str
) -> None:
    """A copy of the journal is put back that knows that one as it was, and not the order's own."""
    market = nights.market
    theirs = charged_elsewhere(market)
    assert nights.run(order(2)) == 0 and nights.run(order(3)) == 0
    state = market.folder / "state"
    shutil.copytree(state, market.folder / "before")
    market.sandbox.turn("reversed", charge_id=theirs)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    market.orders([order(1)], "late.csv")
    late = market.run("--input", "late.csv", "--since", yesterday)
    assert late.returncode == 0, late
    market.sandbox.turn(status, charge_id=theirs)
    shutil.rmtree(state)
    (market.folder / "before").rename(state)
    assert nights.run(quiet=True) == (0 if status == "reversed" else 12)
    told = market.run(verb="status").stdout
    assert ("two jobs charge it" in told) == (status == "successful")


@pytest.mark.fault("D09", "D10", "J24")
@pytest.mark.parametrize("how", ["put back", "lost"])
def test_a_file_is_the_same_batch_after_a_loss_on_whatever_day(
    nights: Nights, how: str
) -> None:
    """Its reports tell when it first came, to who looks and to who runs."""
    market = nights.market
    state = market.folder / "state"
    nights.run(order(1))
    shutil.copytree(state, market.folder / "before")
    assert nights.run(order(2)) == 0
    folders = {one.name for one in (market.folder / "reports").glob("2*")}
    assert len(folders) == 2
    shutil.rmtree(state)
    adopt = []
    if how == "put back":
        (market.folder / "before").rename(state)
    else:
        adopt = ["--adopt"]
    nights.count += 1
    market.sandbox.set_clock(DAY_S * nights.count)
    for verb in ("check", "run", "check"):
        flags = adopt if verb == "run" else ["--json"]
        done = market.run("--input", "night2.csv", *flags, verb=verb)
        assert done.returncode == 0, done
        if verb == "check":
            (told,) = json.loads(done.stdout)["files"]
            assert told["batch"] in folders, told
    assert {one.name for one in (market.folder / "reports").glob("2*")} == folders
    assert market.posts() == 4 and market.run(verb="verify").returncode == 0


@pytest.mark.fault("D09", "J24", "J17")
def test_only_a_report_of_this_job_mode_and_file_tells_when_it_first_came(
    tmp_path: Path,
) -> None:
    """The earliest that does; what is damaged, another's or of a day to come tells nothing."""
    tail = tail_of("night", "5" * 64)
    today = f"2026-11-24-{tail}"

    def report(name: str, **changes: object) -> None:
        about = {"job": "night", "mode": "test", "batch": name}
        told = {**about, "input": {"sha256": "5" * 64}, **changes}
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(told))

    def told() -> str:
        return batch_told(tmp_path, "night", "test", "5" * 64, today)

    assert batch_told(tmp_path / "none", "night", "test", "5" * 64, today) == ""
    report(f"2026-11-01-{tail}", job="day")
    report(f"2026-11-02-{tail}", mode="live")
    report(f"2026-11-03-{tail}", batch=today)
    report(f"2026-11-04-{tail}", input={"sha256": "6" * 64})
    report(f"2026-11-05-{tail}", input=[])
    report(f"2026-11-25-{tail}")
    report(f"old-2026-11-06-{tail}")
    (tmp_path / f"2026-11-07-{tail}").mkdir()
    (tmp_path / f"2026-11-08-{tail}").write_text("no folder")
    assert told() == ""
    report(f"2026-11-10-{tail}")
    report(f"2026-11-09-{tail}")
    assert told() == f"2026-11-09-{tail}"


def forgotten(market: Market, charge_id: str) -> None:
    """The gateway knows no charge of this id any more, and no list shows the first order's."""
    gone: dict[str, Any] = {"object": "error", "code": "not_found", "message": "no"}
    about = f"/charges/{charge_id}"
    market.sandbox.add_rule(method="GET", path=about, status=404, body=gone)
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00001"
    )


def without_events(market: Market) -> None:
    """None of them is told."""
    page = {"object": "list", "data": [], "total": 0, "limit": 100}
    market.sandbox.add_rule(method="GET", path="/events", status=200, body=page)


def back_again(market: Market, charge_id: str, status: str, *, event: bool) -> None:
    """It knows it again, as this; whether or not an event tells it."""
    market.sandbox.clear_rules()
    market.sandbox.turn(status, charge_id=charge_id)
    if not event:
        without_events(market)


@pytest.mark.fault("J04", "J27", "I8")
def test_a_charge_that_a_person_looked_for_in_vain_is_told_when_it_is_paid_nights_later(
    nights: Nights,
) -> None:
    """Pending, then unknown to the gateway, settled as not charged, charged again: then the first
    is back, and paid.
    """
    market = nights.market
    market.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    nights.run(order(1))
    (old,) = [one for one in market.own_charges() if one["status"] == "pending"]
    forgotten(market, old["id"])
    market.run(verb="settle")
    said = ("00001", "--as", "not-charged", "--reason", "the dashboard has none")
    done = market.run(*said, verb="resolve")
    assert done.returncode == 0, done
    nights.run(order(1, card="tokn_test_sandbox900004242"))
    nights.pass_by()
    money = market.money()["00001"]
    back_again(market, old["id"], "successful", event=True)
    assert market.money()["00001"] == money + 1
    assert nights.run() == 12
    told = market.run("00001", verb="status").stdout
    assert old["id"] in told and "succeeded" in told


@pytest.mark.fault("J04", "J27", "I8")
def test_a_charge_that_a_person_called_paid_is_told_when_it_comes_back_otherwise(
    nights: Nights,
) -> None:
    """Paid, then unknown to the gateway, and a person said that it stays: it comes back as one that
    failed, and no event tells it. It is asked for by its id on six later nights.
    """
    market = nights.market
    nights.run(order(1), order(2))
    paid = nights.row()["charge_id"]
    forgotten(market, paid)
    assert nights.run(quiet=True) == 12
    said = ("00001", "--as", f"charged:{paid}", "--reason", "the dashboard shows it")
    assert market.run(*said, verb="resolve").returncode == 0
    market.run("--lift-stop", "--reason", "seen", verb="resolve")
    since = len(market.sandbox.requests())
    nights.run()
    nights.run()
    asked = nights.asked(since).count(f"/charges/{paid}")
    assert asked <= 3, "once a night, beside what lists that lack it ask"
    back_again(market, paid, "failed", event=False)
    assert 12 in [nights.run() for _ in range(4)]
    assert nights.row()["outcome"] == "declined"


@pytest.mark.fault("J04", "I8")
def test_an_event_is_a_hint_and_its_charge_is_what_the_gateway_says_by_its_id(
    nights: Nights,
) -> None:
    """An event that says what is not so changes nothing."""
    market = nights.market
    nights.run(order(1), order(2, card=DECLINES))
    ids = [nights.row(name)["charge_id"] for name in ("00001", "00002")]
    nights.pass_by()
    told = [
        ("charge.reverse", ids[0], "reversed"),
        ("charge.complete", ids[1], "successful"),
        ("charge.update", "chrg_test_elsewhere", "successful"),
    ]
    lies = [
        {
            "object": "event",
            "id": f"evnt_test_{charge_id}",
            "key": key,
            "data": {"object": "charge", "id": charge_id, "status": status},
        }
        for key, charge_id, status in told
    ]
    page = {"object": "list", "data": lies, "total": len(lies), "limit": 100}
    market.sandbox.add_rule(method="GET", path="/events", status=200, body=page)
    since = len(market.sandbox.requests())
    assert nights.run() == 0
    asked = nights.asked(since)
    assert [asked.count(f"/charges/{one}") for one in ids] == [1, 1]
    assert "/charges/chrg_test_elsewhere" not in asked
    outcomes = [nights.row(name)["outcome"] for name in ("00001", "00002")]
    assert outcomes == ["succeeded", "declined"]


@pytest.mark.fault("J04")
def test_charges_that_did_not_change_are_not_read_again(nights: Nights) -> None:
    """Each night's events name all of its charges: none of them costs a question."""
    market = nights.market
    nights.run(order(1), order(2), order(3, card=DECLINES))
    since = len(market.sandbox.requests())
    nights.run()
    asked = nights.asked(since)
    assert "/events" in asked
    assert [path for path in asked if path.startswith("/charges/")] == []


@pytest.mark.fault("J04", "I8")
def test_what_a_budget_did_not_reach_the_next_nights_do(nights: Nights) -> None:
    """A run that may ask three questions goes on where the last one stopped, until all is told."""
    market = nights.market
    cards = [f"tokn_test_sandbox0000{number}0011" for number in range(4)]
    rows = [order(number, card=card) for number, card in enumerate(cards, 1)]
    nights.run(*rows)
    nights.pass_by()
    nights.more = "follow = 3"
    for row in rows:
        market.sandbox.turn("successful", order_id=row["order_id"])
    told = []
    for _ in rows:
        nights.run()
        outcomes = [nights.row(row["order_id"])["outcome"] for row in rows]
        told.append(outcomes.count("succeeded"))
    assert told == sorted(told) and (told[0], told[-1]) == (1, 4)


@pytest.mark.fault("J04", "I8")
def test_where_the_gateway_has_no_events_the_audit_of_the_day_tells(
    nights: Nights,
) -> None:
    """As docs/reports.md says."""
    market = nights.market
    gone = {"object": "error", "code": "not_found", "message": "no"}
    market.sandbox.add_rule(method="GET", path="/events", status=404, body=gone)
    nights.run(order(1, card=DECLINES))
    nights.pass_by()
    market.sandbox.turn("successful", order_id="00001")
    nights.run()
    assert nights.row()["outcome"] == "declined"


@pytest.mark.fault("J04", "I8")
def test_a_job_whose_every_charge_was_declined_hears_of_them_too(
    nights: Nights,
) -> None:
    """Where no share is on its way there is something to follow all the same."""
    for day in range(1, 4):
        card = f"tokn_test_sandbox0000{day}0011"
        assert nights.run(order(day, card=card), quiet=True) == 10
    nights.market.sandbox.turn("successful", order_id="00001")
    assert nights.market.run(verb="settle").returncode == 12
    assert nights.row()["outcome"] == "succeeded"


@pytest.mark.fault("J04", "I8")
def test_a_charge_of_an_archived_batch_that_changes_is_told_too(nights: Nights) -> None:
    """The journal stays whole, and the batch is like any other again."""
    market = nights.market
    nights.run(order(1))
    for name in ("00001", "00051"):
        market.sandbox.turn("transfer_paid", order_id=name)
    nights.pass_by()
    done = market.run("--before", "2099-12-31", verb="archive")
    assert done.returncode == 0 and done.stdout.count("archived: ") == 1, done
    market.sandbox.turn("reversed", order_id="00001")
    assert nights.run() == 10 and nights.row()["outcome"] == "reversed"
    assert market.run(verb="verify").returncode == 0
