"""Lists that show a charge late, of which somebody said that it was not made: whatever goes again
goes only after a list that reaches back to its first request, and what went again is looked at
once more on later nights.
"""

from __future__ import annotations

import csv
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from batchpay.batches.clock import SystemClock
from batchpay.batches.night import Result
from batchpay.batches.session import Options
from batchpay.commands import run as pipeline
from batchpay.domain.events import NamelessListed, Stop, told_in
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.lifecycle.attempt import Attempt
from batchpay.sandbox.records import Charge
from batchpay.settlement.doubts import Doubts
from batchpay.settlement.first_look import FirstLook
from batchpay.settlement.reach import (
    DAY_NS,
    FOREVER,
    Reach,
    Window,
    is_due,
    merged,
    narrow_window_of,
    went_again,
    window_of,
)
from batchpay.terminal.bars import Quiet
from tests.mutants.swap import always
from tests.test_doors import journal_of, night, rows, write
from tests.test_lifecycle import INTENT
from tests.test_sale import lose
from tests.world import BY_CUSTOMER, KEY, Market, order

HOUR_S = 3600
ODD = {"status": 400, "code": "bad_request", "message": "amount is odd"}


def payer(number: int, **changes: str) -> dict[str, str]:
    """An order of somebody who could pay twice."""
    return order(number, card=f"cust_test_sandbox{number}", **changes)


def hide(market: Market, order_id: str) -> None:
    """No list shows a charge of this order."""
    market.sandbox.add_rule(
        method="GET", path="/charges", order_id=order_id, action="missing"
    )


def show_late(market: Market, order_id: str, by_s: float) -> None:
    """Lists show its first charge from now on, as of when it was made: long before."""
    market.sandbox.clear_rules()
    for ledger in market.sandbox.store.ledgers.values():
        ledger.shown_at.clear()
        charges = ledger.shelves["charge"].values()
        its_own = (c for c in charges if c.metadata.get("order_id") == order_id)
        next(its_own).created -= by_s


def charges_of(market: Market, order_id: str) -> list[Charge]:
    """What the gateway charged for an order, as it keeps it."""
    every = chain.from_iterable(
        ledger.shelves["charge"].values()
        for ledger in market.sandbox.store.ledgers.values()
    )
    return [one for one in every if one.metadata.get("order_id") == order_id]


def hide_shown(market: Market, order_id: str) -> None:
    """No list shows any more what this order was charged so far."""
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            if charge.metadata.get("order_id") == order_id:
                ledger.hide(charge.id, HOUR_S)


@pytest.fixture
def inbox(market: Market) -> Market:
    """A job that reads a folder."""
    market.job(file="inbox/*.csv", **BY_CUSTOMER)
    (market.folder / "inbox").mkdir()
    return market


@pytest.mark.fault("J05", "B21", "B22", "B32", "I1")
@pytest.mark.parametrize("late_s", [HOUR_S, 7 * HOUR_S])
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "code": "bad_request", "message": "amount is odd"},
        {"status": 400, "code": "used_token", "message": "used"},
        {"status": 404, "code": "not_found", "message": "customer was not found"},
        {"status": 401, "code": "authentication_failure", "message": "no"},
        {"status": 403, "code": "locked_out", "message": "no"},
        {"status": 404, "body": "<html>nope</html>"},
    ],
)
def test_what_was_said_not_to_be_charged_goes_again_after_a_list_of_its_own_night(
    inbox: Market, answer: dict[str, Any], late_s: float
) -> None:
    """The answer was wrong, the lists of that night hid the charge, and later runs have completed
    theirs: its order is not charged again, under the same key or the next one.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, **answer)
    hide(inbox, "00002")
    night(inbox)
    show_late(inbox, "00002", late_s)
    inbox.orders([payer(3)], "inbox/b.csv")
    was_refused = rows(inbox)["00002"]["outcome"] == "refused"
    (inbox.folder / "inbox" / "a.csv").unlink()
    night(inbox)
    assert inbox.money()["00002"] == 1
    changes = {"invoice": "once more"} if was_refused else {}
    inbox.orders([payer(2, **changes), payer(1)], "inbox/c.csv")
    code = night(inbox)
    assert inbox.money() == {"00001": 1, "00002": 1, "00003": 1}
    # what was told as refused and is charged is for a person
    assert code == (12 if was_refused else 0)


@pytest.mark.fault("D10", "J02", "L11", "B16", "I1")
def test_a_charge_that_a_person_took_keeps_its_order_back_after_a_loss(
    inbox: Market,
) -> None:
    """It tells neither key nor recipient, as charges made by hand do, and the journal that knew the
    word is lost: the reports tell of it.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", action="reset_after", times=1)
    down = {"status": 500, "body": "down", "skip": 2}
    inbox.sandbox.add_rule(method="GET", path="/charges", **down)
    assert night(inbox) == 11
    inbox.sandbox.clear_rules()
    (charge,) = inbox.own_charges()
    for ledger in inbox.sandbox.store.ledgers.values():
        if found := ledger.shelves["charge"].get(charge["id"]):
            found.metadata = {}
            found.destination = None
    assert night(inbox) == 11
    says = ("--as", f"charged:{charge['id']}", "--reason", "the dashboard shows it")
    assert inbox.run("00002", *says, verb="resolve").returncode == 0
    assert night(inbox) == 10
    (inbox.folder / "state" / "batchpay.db").unlink()
    assert night(inbox, adopt=True) == 11
    assert rows(inbox)["00002"]["outcome"] == "held"
    assert len(inbox.sandbox.charges()) == 2
    assert inbox.run("00002", *says, verb="resolve").returncode == 0
    assert night(inbox) == 10 and len(inbox.sandbox.charges()) == 2


@pytest.mark.fault("D10", "J27", "L11", "L10", "I1")
def test_a_charge_that_is_gone_and_was_paid_as_a_person_says_is_a_stop_after_a_loss(
    inbox: Market,
) -> None:
    """The gateway knows it no more, and the journal that knew the word is lost: the reports tell of
    it, and its order does not go again by itself.
    """
    inbox.orders([payer(1), payer(2)], "inbox/a.csv")
    inbox.sandbox.add_rule(becomes="pending", order_id="00002", times=1)
    night(inbox)
    paid = rows(inbox)["00002"]["charge_id"]
    inbox.sandbox.add_rule(
        method="GET",
        path=f"/charges/{paid}",
        status=404,
        body={"object": "error", "code": "not_found", "message": "no"},
    )
    hide(inbox, "00002")
    night(inbox)
    says = ("--as", f"charged:{paid}", "--reason", "the dashboard showed it")
    assert inbox.run("00002", *says, verb="resolve").returncode == 0
    (inbox.folder / "state" / "batchpay.db").unlink()
    posts = inbox.posts()
    assert night(inbox, adopt=True) == 12
    assert inbox.posts() == posts and rows(inbox)["00002"]["outcome"] == "held"
    says = ("--cancel", "--reason", "paid, as the dashboard showed")
    assert inbox.run("00002", *says, verb="resolve").returncode == 0
    inbox.run("--lift-stop", "--reason", "seen", verb="resolve")
    assert night(inbox) in (0, 10) and inbox.posts() == posts


@pytest.mark.fault("J05", "D09", "D10", "L11", "B31", "L10")
@pytest.mark.parametrize("how", ["hidden", "before"])
def test_a_charge_that_the_list_after_a_loss_hid_is_looked_for(
    inbox: Market, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The journal was lost, and the list that it was made of did not show a charge: so its order
    was charged again, or had been before. A night of the following weeks tells of both.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    if how == "before":
        inbox.sandbox.add_rule(
            order_id="00002", action="reset_after", times=1, hide_s=HOUR_S
        )
    assert night(inbox) == 0
    for part in (("state", "reports"), ("reports",))[how == "hidden"]:
        shutil.rmtree(inbox.folder / part)
    if how == "hidden":
        (inbox.folder / "state" / "batchpay.db").unlink()
        hide_shown(inbox, "00002")
    assert night(inbox) == 78
    assert night(inbox, adopt=True) == 0
    assert inbox.money()["00002"] == 2
    show_late(inbox, "00002", 12 * 60)
    inbox.orders([payer(3)], "inbox/b.csv")
    assert night(inbox) == 0
    pass_days(inbox, monkeypatch, 1)
    inbox.orders([payer(4)], "inbox/c.csv")
    assert night(inbox) == 12
    assert inbox.money()["00004"] == 0


@pytest.mark.fault("J05", "J06", "J07", "J13", "B21", "I1")
def test_a_row_that_came_back_goes_under_another_id_after_a_list_of_the_first_one(
    inbox: Market,
) -> None:
    """An edit gave it that id while the file of the first attempt was away, so that nobody can tell
    whether it is the same sale.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(
        order_id="00002", times=1, status=400, code="bad_request", message="odd"
    )
    hide(inbox, "00002")
    assert night(inbox) == 10
    (inbox.folder / "inbox" / "a.csv").unlink()
    again = [{**payer(number), "batchpay_retry": "yes"} for number in (2, 3)]
    write(inbox, "inbox/b.csv", again)
    assert night(inbox, limit=0) == 11
    show_late(inbox, "00002", 7 * HOUR_S)
    inbox.job(file="inbox/*.csv", **BY_CUSTOMER, order_id='"invoice"')
    night(inbox)
    charges = inbox.own_charges()
    assert [one["metadata"]["invoice"] for one in charges].count("INV-2") == 1, charges
    assert "INV-2" not in {one["metadata"]["order_id"] for one in charges}


@pytest.mark.fault("J05", "L5", "B18", "I1")
def test_what_was_proven_absent_while_its_file_was_away_goes_again_after_a_list(
    inbox: Market,
) -> None:
    """A run without its file believed lists that hid its charge; the next one that has the file
    finds it where it was made.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", action="reset_after", times=1)
    inbox.sandbox.add_rule(
        method="GET", path="/charges", status=500, body="down", skip=2
    )
    assert night(inbox) == 11
    away = inbox.folder / "a.csv"
    (inbox.folder / "inbox" / "a.csv").rename(away)
    inbox.sandbox.clear_rules()
    hide(inbox, "00002")
    inbox.orders([payer(3)], "inbox/b.csv")
    assert night(inbox) == 11
    assert rows(inbox)["00002"]["outcome"] == "held"
    show_late(inbox, "00002", HOUR_S)
    assert night(inbox) == 11
    away.rename(inbox.folder / "inbox" / "a.csv")
    assert night(inbox) == 0
    inbox.agree([payer(1), payer(2), payer(3)])


@pytest.mark.fault("J05", "J11", "L5", "I1")
@pytest.mark.parametrize("refused", [True, False])
def test_a_list_that_lacks_the_charges_of_its_own_night_lets_nothing_go_again(
    inbox: Market, refused: bool
) -> None:
    """Of a night long before the last complete list: what this journal has proof of from then is
    not in it, so what else was charged then is not, either.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    answer = {"status": 400, "code": "bad_request", "message": "amount is odd"}
    if not refused:
        answer = {"action": "reset_after"}
        down = {"status": 500, "body": "down", "skip": 2}
        inbox.sandbox.add_rule(method="GET", path="/charges", **down)
    inbox.sandbox.add_rule(order_id="00002", times=1, hide_s=HOUR_S, **answer)
    night(inbox)
    inbox.sandbox.clear_rules()
    again = payer(2)
    if refused:
        again = payer(2, invoice="once more")
        time.sleep(1.1)  # where the next night's list begins is told in seconds
        inbox.orders([payer(3)], "inbox/b.csv")
        assert night(inbox) == 10
    hide(inbox, "00001")
    inbox.orders([again, payer(1)], "inbox/a.csv")
    assert night(inbox) in (11, 12)
    assert inbox.money()["00002"] == 1
    assert rows(inbox)["00002"]["outcome"] != "succeeded"


@pytest.mark.fault("J05", "B31", "L10")
def test_a_second_charge_is_looked_for_on_nights_without_a_file(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on any other."""
    inbox.job(file="inbox/*.csv", input="optional = true", **BY_CUSTOMER)
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(
        order_id="00002", action="reset_after", times=1, hide_s=HOUR_S
    )
    assert night(inbox) == 0
    show_late(inbox, "00002", 12 * 60)
    (inbox.folder / "inbox" / "a.csv").unlink()
    assert night(inbox) == 0
    monkeypatch.setattr("batchpay.batches.sentagain.is_due", always(True)(None))
    assert night(inbox) == 12


@pytest.mark.fault("J05", "B31", "L10")
def test_a_second_charge_that_a_list_shows_nights_later_is_a_stop(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists hid a charge for longer than the doubt period, and the order was sent again: a night of
    the following weeks looks there once more and tells of both.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(
        order_id="00002", action="reset_after", times=1, hide_s=HOUR_S
    )
    assert night(inbox) == 0
    assert inbox.money()["00002"] == 2
    show_late(inbox, "00002", 12 * 60)
    inbox.orders([payer(3)], "inbox/b.csv")
    assert night(inbox) == 0
    monkeypatch.setattr("batchpay.batches.sentagain.is_due", always(True)(None))
    inbox.orders([payer(4)], "inbox/c.csv")
    assert night(inbox) == 12
    assert inbox.money()["00004"] == 0


def whole_night(market: Market) -> Result:
    """One run, and all that it says."""
    job = load_job(market.folder / "job.toml")
    return pipeline.run(job, SecretKey(KEY), Options(), Quiet())


def pass_days(market: Market, patch: pytest.MonkeyPatch, days: float) -> None:
    """It is so many days after the first night by every clock."""
    now_ns = time.time_ns
    patch.setattr(SystemClock, "now_ns", lambda _: now_ns() + int(days * DAY_NS))
    market.sandbox.set_clock(days * 86_400)


def sent_again(market: Market, action: str = "reset_after") -> None:
    """A night that sends an order twice, and lists that show from now on what it charged."""
    market.job(file="inbox/*.csv", input="optional = true", **BY_CUSTOMER)
    market.orders([payer(2), payer(1)], "inbox/a.csv")
    market.sandbox.add_rule(order_id="00002", action=action, times=1, hide_s=HOUR_S)
    assert night(market) == 0
    if action == "reset_after":
        show_late(market, "00002", 12 * 60)
    (market.folder / "inbox" / "a.csv").unlink()


async def silent(*_: object) -> str:
    """No list of then can be read."""
    return "the gateway's list of charges could not be read completely"


@pytest.mark.fault("J05", "B31", "L10", "A01")
def test_a_later_look_that_could_not_be_made_is_made_by_the_next_run(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its list was complete, and the hours that it was to look at could not be read: that is told,
    and the look is owed.
    """
    sent_again(inbox)
    pass_days(inbox, monkeypatch, 1)
    with monkeypatch.context() as patched:
        patched.setattr(Reach, "_read_window", silent)
        patched.setattr(Reach, "_is_covered", lambda *_: False)
        done = whole_night(inbox)
    assert done.exit_code == 75 and "charged twice" in str(done.trouble[0])
    assert night(inbox) == 12


@pytest.mark.fault("J05", "J11", "I14", "I19")
def test_a_later_look_that_no_list_allows_is_told_until_a_person_ends_it(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charge of that night is in no list any more. The night does not end well, and what it
    prints leads to the stop that a person ends.
    """
    sent_again(inbox, "reset_before")
    with monkeypatch.context() as patched:
        pass_days(inbox, patched, 0.4)
        inbox.orders([payer(5)], "inbox/e.csv")
        assert night(inbox) == 0
        (inbox.folder / "inbox" / "e.csv").unlink()
    hide(inbox, "00001")
    pass_days(inbox, monkeypatch, 1)
    for _ in range(2):
        done = whole_night(inbox)
        assert done.exit_code == 75, done
        (told,) = map(str, done.trouble)
        assert "batchpay run JOB --since" in told, told
    day = datetime.strptime(told.partition("--since ")[2][:10], "%Y-%m-%d")
    assert night(inbox, since=day.replace(tzinfo=UTC)) == 12
    inbox.run("--lift-stop", "--reason", "seen", verb="resolve")
    assert night(inbox) == 0


def looks_once() -> Any:
    """The look before the first send is made; a further one is not."""
    look = FirstLook.look
    looks = []

    async def once(first: FirstLook, *given: Any, **named: Any) -> str:
        looks.append(first)
        if len(looks) > 1:
            return await silent()
        return await look(first, *given, **named)

    return once


@pytest.mark.fault("J02", "L11", "D09", "B32")
def test_nothing_goes_where_the_list_after_a_loss_that_an_old_one_shows_cannot_be_had(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older copy of the journal is back, and the first list hid what it lost. The list of an
    earlier night, for what goes again, shows it.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", action="error_before", times=1, **ODD)
    assert night(inbox) == 10
    shutil.copytree(inbox.folder / "state", inbox.folder / "before")
    inbox.orders([payer(7)], "inbox/b.csv")
    assert night(inbox) == 10
    for part in ("state", "reports"):
        shutil.rmtree(inbox.folder / part)
    shutil.copytree(inbox.folder / "before", inbox.folder / "state")
    hide(inbox, "00007")
    inbox.orders([payer(5)], "inbox/b.csv")
    with monkeypatch.context() as patched:
        pass_days(inbox, patched, 0.1)
        assert night(inbox) == 10
    inbox.sandbox.clear_rules()
    pass_days(inbox, monkeypatch, 1)
    inbox.orders([payer(2, invoice="once more"), payer(3)], "inbox/a.csv")
    with monkeypatch.context() as patched:
        patched.setattr(FirstLook, "look", looks_once())
        assert night(inbox) == 11
    assert inbox.money() == {"00001": 1, "00005": 1, "00007": 1}
    assert rows(inbox)["00003"]["outcome"] == "held"
    night(inbox)
    assert set(inbox.money().values()) == {1} and "00003" in inbox.money()


@pytest.mark.fault("J05", "B31", "L10")
def test_a_later_look_is_made_however_late_the_next_run_is(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a month after the night that sent something again."""
    sent_again(inbox)
    pass_days(inbox, monkeypatch, 60)
    assert night(inbox) == 12


@pytest.mark.fault("J05", "B31", "L10")
def test_a_later_look_that_was_made_is_not_made_again(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was charged twice: the next run of that day has nothing to ask."""
    sent_again(inbox, "reset_before")
    pass_days(inbox, monkeypatch, 40)
    since = len(inbox.sandbox.requests())
    assert night(inbox) == 0
    looked = len(inbox.sandbox.requests())
    assert looked > since
    assert night(inbox) == 0
    assert len(inbox.sandbox.requests()) == looked


@pytest.mark.fault("J27", "J04", "L10")
def test_what_a_person_said_is_asked_about_on_nights_without_a_file(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charge that was gone, and that a person called paid, comes back as one that failed. The
    gateway does not tell of it at first: that is told, and the look is owed.
    """
    inbox.job(file="inbox/*.csv", input="optional = true", **BY_CUSTOMER)
    inbox.orders([payer(1), payer(2)], "inbox/a.csv")
    inbox.sandbox.add_rule(becomes="pending", order_id="00002", times=1)
    night(inbox)
    paid = rows(inbox)["00002"]["charge_id"]
    gone = {"object": "error", "code": "not_found", "message": "no"}
    about = {"method": "GET", "path": f"/charges/{paid}"}
    inbox.sandbox.add_rule(**about, status=404, body=gone)
    hide(inbox, "00002")
    night(inbox)
    said = ("00002", "--as", f"charged:{paid}", "--reason", "the dashboard shows it")
    assert inbox.run(*said, verb="resolve").returncode == 0
    inbox.run("--lift-stop", "--reason", "seen", verb="resolve")
    inbox.sandbox.clear_rules()
    inbox.sandbox.turn("failed", charge_id=paid)
    (inbox.folder / "inbox" / "a.csv").unlink()
    pass_days(inbox, monkeypatch, 1)
    inbox.sandbox.add_rule(**about, status=500, body="down")
    hide(inbox, "00002")
    done = whole_night(inbox)
    assert done.exit_code == 75 and f"does not tell of {paid}" in str(done.trouble[0])
    inbox.sandbox.clear_rules()
    assert night(inbox) == 12
    assert rows(inbox)["00002"]["outcome"] == "declined"


@pytest.mark.fault("J05", "B32", "L10")
def test_a_later_look_holds_a_charge_that_names_nobody_against_what_was_sent_again(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the list before a further request does."""
    inbox.job(file="inbox/*.csv", input="optional = true", **BY_CUSTOMER)
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, hide_s=12 * HOUR_S, **ODD)
    assert night(inbox) == 10
    inbox.orders([payer(2, invoice="once more")], "inbox/b.csv")
    assert night(inbox) == 0
    assert inbox.money()["00002"] == 2
    for name in ("a", "b"):
        (inbox.folder / "inbox" / f"{name}.csv").unlink()
    pass_days(inbox, monkeypatch, 1.4)
    inbox.orders([payer(3)], "inbox/c.csv")
    night(inbox)
    for ledger in inbox.sandbox.store.ledgers.values():
        ledger.shown_at.clear()
        charges = ledger.shelves["charge"].values()
        next(c for c in charges if c.metadata["order_id"] == "00002").metadata.clear()
    (inbox.folder / "inbox" / "c.csv").unlink()
    pass_days(inbox, monkeypatch, 3)
    night(inbox)
    assert list(told_in(journal_of(inbox), NamelessListed))


@pytest.mark.fault("J05", "J14", "B32", "L10")
def test_a_charge_of_an_order_that_went_again_under_another_id_is_looked_for(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused, came back in the rejects file under an id of its own, and was charged."""
    inbox.job(file="inbox/*.csv", input="optional = true", **BY_CUSTOMER)
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, **ODD)
    hide(inbox, "00002")
    assert night(inbox) == 10
    (rejects,) = (inbox.folder / "reports").glob("2*/rejects.csv")
    with rejects.open(encoding="utf-8-sig", newline="") as text:
        (back,) = csv.DictReader(text)
    back |= {"order_id": "N-2", "invoice": "once more"}
    (inbox.folder / "inbox" / "a.csv").unlink()
    with (inbox.folder / "inbox" / "b.csv").open("w", encoding="utf-8") as text:
        writer = csv.DictWriter(text, list(back))
        writer.writeheader()
        writer.writerow(back)
    assert night(inbox) == 0
    assert inbox.money() == {"00001": 1, "00002": 1, "N-2": 1}
    (inbox.folder / "inbox" / "b.csv").unlink()
    show_late(inbox, "00002", 12 * 60)
    pass_days(inbox, monkeypatch, 1)
    assert night(inbox) == 12


@pytest.mark.fault("J07", "J13", "B19", "I1")
@pytest.mark.parametrize("days", [1, 12])
def test_a_charge_behind_a_refusal_is_looked_for_under_the_id_of_another_column(
    inbox: Market, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """The answer was wrong; another export of the same orders comes with other ids, when the lists
    of its own night show nothing of then. Nothing links the two but who pays how much.
    """
    inbox.job(file="inbox/*.csv", input="optional = true", **BY_CUSTOMER)
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, **ODD)
    hide(inbox, "00002")
    assert night(inbox) == 10
    (inbox.folder / "inbox" / "a.csv").unlink()
    show_late(inbox, "00002", HOUR_S)
    pass_days(inbox, monkeypatch, days)
    by_invoice = {**BY_CUSTOMER, "order_id": '"invoice"'}
    inbox.job(file="inbox/*.csv", input="optional = true", **by_invoice)
    inbox.orders([payer(2), payer(3)], "inbox/b.csv")
    # what was told as refused and is charged is for a person
    assert night(inbox) == 12
    assert inbox.money() == {"00001": 1, "00002": 1}
    assert rows(inbox)["INV-2"]["outcome"] == "held"


WRONG_KEY = {"status": 401, "code": "authentication_failure", "message": "no"}


@pytest.mark.fault("J05", "J07", "J13", "B32", "L10")
@pytest.mark.parametrize(
    ("answer", "edit", "names"),
    [
        (ODD, {}, False),
        (WRONG_KEY, {}, False),
        (WRONG_KEY, {}, True),
        (WRONG_KEY, {"amount": "77.00"}, True),
    ],
)
def test_a_charge_that_is_shown_after_its_sale_went_under_the_id_of_another_column(
    inbox: Market,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
    edit: dict[str, str],
    *,
    names: bool,
) -> None:
    """The lists of that night hide it still: both are made, and a later look tells. Nothing links
    the two but who pays how much, or the row that told both ids.
    """
    again = {**BY_CUSTOMER, "input": "optional = true"}
    inbox.job(file="inbox/*.csv", **again)
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, **answer)
    hide(inbox, "00002")
    assert night(inbox) in (10, 77)
    if not names:
        (inbox.folder / "inbox" / "a.csv").unlink()
    pass_days(inbox, monkeypatch, 1)
    inbox.job(file="inbox/*.csv", **again, order_id='"invoice"')
    inbox.orders([payer(2, **edit), payer(3)], "inbox/b.csv")
    night(inbox)
    show_late(inbox, "00002", 12 * 60)
    for path in (inbox.folder / "inbox").glob("*.csv"):
        path.unlink()
    pass_days(inbox, monkeypatch, 2)
    code = night(inbox)
    assert {"00002", "INV-2"} <= inbox.money().keys()
    assert code == 12
    stops = [told.reason for _, told in told_in(journal_of(inbox), Stop)]
    assert len([one for one in stops if "00002" in one and "INV-2" in one]) == 1, stops


@pytest.mark.fault("J07", "J13", "B19", "I1")
def test_a_charge_behind_a_refusal_is_looked_for_when_a_row_with_its_terms_comes_back(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, for a row that was wrong at first in the export with the other ids: what it came
    back for is not what was refused.
    """
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, **ODD)
    hide(inbox, "00002")
    assert night(inbox) == 10
    (inbox.folder / "inbox" / "a.csv").unlink()
    show_late(inbox, "00002", HOUR_S)
    pass_days(inbox, monkeypatch, 1)
    inbox.job(file="inbox/*.csv", **BY_CUSTOMER, order_id='"invoice"')
    inbox.orders([payer(2, amount="x"), payer(3)], "inbox/b.csv")
    assert night(inbox) == 10
    (inbox.folder / "inbox" / "b.csv").unlink()
    rejects = sorted((inbox.folder / "reports").glob("*/rejects.csv"))
    (wrong,) = csv.DictReader(rejects[-1].read_text("utf-8-sig").splitlines())
    write(inbox, "inbox/c.csv", [{**wrong, "amount": payer(2)["amount"]}])
    assert night(inbox) == 12
    assert inbox.money() == {"00001": 1, "00002": 1, "INV-3": 1}


@pytest.mark.fault("J07", "J05", "B18", "I1")
def test_what_a_list_of_this_run_shows_of_its_sale_keeps_an_order_back(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proven absent while its file was away, it comes under the id of another column. The list of
    its own night shows nothing still; one that looks for another order does, before it is sent.
    """
    again = {**BY_CUSTOMER, "input": "optional = true"}
    inbox.job(file="inbox/*.csv", **again)
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", action="reset_after", times=1)
    inbox.sandbox.add_rule(
        method="GET", path="/charges", status=500, body="down", skip=2
    )
    assert night(inbox) == 11
    (inbox.folder / "inbox" / "a.csv").unlink()
    inbox.sandbox.clear_rules()
    hide(inbox, "*")
    assert night(inbox) == 11
    inbox.job(file="inbox/*.csv", **again, order_id='"invoice"')
    inbox.orders([payer(3), payer(2)], "inbox/b.csv")
    inbox.sandbox.add_rule(order_id="INV-3", action="reset_after", times=1)
    look_up = Doubts._look_up

    async def shows_now(doubts: Doubts) -> bool:
        inbox.sandbox.clear_rules()
        return await look_up(doubts)

    monkeypatch.setattr(Doubts, "_look_up", shows_now)
    assert night(inbox, canary=1) == 11
    charges = inbox.own_charges()
    assert [one["metadata"]["invoice"] for one in charges].count("INV-2") == 1, charges


@pytest.mark.fault("L11", "E12")
def test_who_goes_first_goes_alone_although_another_was_kept_back_before(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first row of the file waits for a list that cannot be read: a list follows the first one
    that is sent, before any other is.
    """
    inbox.orders([payer(2)], "inbox/a.csv")
    refused = {"status": 400, "code": "bad_request", "message": "amount is odd"}
    inbox.sandbox.add_rule(order_id="00002", action="error_before", **refused, times=1)
    assert night(inbox) == 10
    others = [payer(number) for number in range(3, 9)]
    inbox.orders([payer(2, invoice="once more"), *others], "inbox/b.csv")
    before = len(inbox.sandbox.requests(path="/charges"))
    with monkeypatch.context() as patched:
        patched.setattr(Reach, "_read_window", silent)
        patched.setattr(Reach, "_is_covered", lambda *_: False)
        assert night(inbox) == 11
    asked = [one.method for one in inbox.sandbox.requests(path="/charges")[before:]]
    first = asked.index("POST")
    assert asked.count("POST") == len(others) and asked[first + 1] == "GET", asked


@pytest.mark.fault("J05", "B32", "I19")
def test_without_a_list_of_its_own_night_an_order_waits_and_the_others_go(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of then cannot be read: that is told, and only what it is about is held."""
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    refused = {"status": 400, "code": "bad_request", "message": "amount is odd"}
    inbox.sandbox.add_rule(order_id="00002", action="error_before", **refused, times=1)
    assert night(inbox) == 10
    inbox.orders([payer(2, invoice="once more"), payer(3)], "inbox/b.csv")

    with monkeypatch.context() as patched:
        patched.setattr(Reach, "_read_window", silent)
        patched.setattr(Reach, "_is_covered", lambda *_: False)
        done = whole_night(inbox)
    assert done.exit_code == 11 and inbox.posts() == 3
    assert any("does not go again in this run" in note for note in done.notes)
    waits = [row for row in inbox.results() if row["outcome"] == "held"]
    assert [row["order_id"] for row in waits] == ["00002"]
    assert "does not go again in this run" in waits[0]["reason"], waits
    assert inbox.money() == {"00001": 1, "00003": 1}
    assert night(inbox) == 0
    assert inbox.money() == {"00001": 1, "00002": 1, "00003": 1}


@pytest.mark.fault("B19", "B32", "I1")
def test_an_entry_of_a_list_that_tells_only_its_id_is_asked_for_by_it(
    market: Market,
) -> None:
    """A charge lies behind a 429, and the list shows of it that it is one: by its id the gateway
    says whose.
    """
    market.job(**BY_CUSTOMER)
    market.orders([payer(1), payer(2)])
    market.sandbox.add_rule(
        order_id="00002", status=429, code="too_many_requests", times=1
    )
    told = ["metadata", "destination", "customer", "card", "status", "amount", "paid"]
    market.sandbox.add_rule(method="GET", path="/charges", order_id="00002", drop=told)
    assert night(market) == 0
    market.agree([payer(1), payer(2)])


# --- when, and from when to when


AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT_NS = int(AT.timestamp()) * 10**9


def sent(**changes: Any) -> Attempt:
    """An attempt that left once, at noon."""
    told = {"sends": 1, "sent_ns": AT_NS, "went_ns": AT_NS, **changes}
    return Attempt(replace(INTENT, attempt=told.pop("number", 1)), False, **told)


@pytest.mark.fault("J05", "C04")
def test_a_window_holds_all_that_its_requests_may_have_charged() -> None:
    """From a day before the first to a day and a request's life behind the last; where the gateway
    tells no time, all there is.
    """
    day = timedelta(days=1)
    twice = sent(went_ns=AT_NS + 7 * DAY_NS)
    until = AT + 8 * day + timedelta(seconds=150)
    assert window_of(twice, 150.0, dated=True) == Window(AT - day, until)
    assert window_of(twice, 150.0, dated=False).until == FOREVER
    near = timedelta(minutes=15)
    assert narrow_window_of(sent(), 60.0, dated=True) == Window(
        AT - near, AT + near + timedelta(minutes=1)
    )


@pytest.mark.fault("J05")
def test_windows_that_touch_are_read_as_one() -> None:
    """Whatever their order; what lies between two that do not is not read."""
    hour = timedelta(hours=1)
    one, inside = Window(AT, AT + 4 * hour), Window(AT + hour, AT + 2 * hour)
    near, far = Window(AT + 5 * hour, AT + 6 * hour), Window(AT + 9 * hour, FOREVER)
    assert merged([far, inside, near, one]) == [Window(AT, AT + 6 * hour), far]
    assert one.covers(inside) and not inside.covers(one)


@pytest.mark.fault("J05", "L3")
def test_which_attempts_may_have_a_charge_that_nothing_shows() -> None:
    """Those of which more requests left than charges were seen; once a further one went."""
    refused, paid = sent(refused=True), sent(number=2, twins=frozenset({"chrg_test_2"}))
    assert refused.wants_a_list and not paid.wants_a_list
    assert not sent(never_left=1).wants_a_list
    assert list(went_again([refused, paid])) == [refused]
    assert not list(went_again([refused])) and not list(went_again([paid]))
    resent = sent(sends=2, twins=frozenset({"chrg_test_2"}))
    assert list(went_again([resent])) == [resent]
    assert list(went_again([refused], under_others=True)) == [refused]
    assert not list(went_again([paid], under_others=True))
    assert not list(went_again([replace(resent, never_left=1)]))


@pytest.mark.fault("J05")
def test_it_is_looked_for_on_six_nights_of_a_month() -> None:
    """Nightly runs look on the first night, and on the second, fourth, eighth, sixteenth and
    thirtieth.
    """
    nights = [
        number
        for number in range(1, 40)
        if is_due([sent()], AT_NS + (number - 1) * DAY_NS, AT_NS + number * DAY_NS)
    ]
    assert nights == [1, 2, 4, 8, 16, 30]


@pytest.mark.fault("J01", "J13", "I2", "L6")
def test_a_row_shows_its_money_when_what_it_asked_for_under_a_former_id_turns_up(
    inbox: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, as was said, and its journal lost; charged under the id of another column, which is
    edited back; then a list shows the first charge, which took nothing.
    """
    by_invoice = {**BY_CUSTOMER, "order_id": '"invoice"'}
    inbox.orders([payer(2), payer(1)], "inbox/a.csv")
    inbox.sandbox.add_rule(order_id="00002", times=1, **ODD)
    hide(inbox, "00002")
    assert night(inbox) == 10
    (refused,) = charges_of(inbox, "00002")
    refused.status = "expired"
    lose(inbox)
    inbox.job(file="inbox/*.csv", **by_invoice)
    assert night(inbox, adopt=True) == 0
    assert inbox.money() == {"00001": 1, "INV-2": 1}
    inbox.job(file="inbox/*.csv", **BY_CUSTOMER)
    assert night(inbox) == 0
    show_late(inbox, "00002", 0)
    night(inbox, adopt=True)
    shown = rows(inbox)["INV-2"]
    (paid,) = charges_of(inbox, "INV-2")
    assert (shown["outcome"], shown["charge_id"]) == ("succeeded", paid.id)
