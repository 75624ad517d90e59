"""audit and money that went back: the true program, on the day of the charge, on the day of the
refund, and after a person's word (J31).
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from batchpay.batches.session import Options
from batchpay.commands import run as pipeline
from batchpay.commands.audit import Period, audit
from batchpay.domain.errors import GatewaySilent
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.sandbox import SandboxServer
from batchpay.terminal.bars import Quiet
from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside

pytestmark = pytest.mark.fault("J31")
ZONE = "Asia/Bangkok"
IN_BANGKOK = f'[controls]\ntime_zone = "{ZONE}"\n'
DAYS = 3  # from the charge to its refund


def later(market: Market, days: int) -> None:
    """The gateway's books go on so many days after the charges, which were made DAYS ago: nothing
    is of a day to come.

    In its answers it tells our time, as our clock does not move.
    """
    market.sandbox.clear_rules()
    market.sandbox.set_clock((days - DAYS) * 86_400)
    if days != DAYS:
        market.sandbox.add_rule(
            method="*", path="*", date_offset_s=(DAYS - days) * 86_400
        )


def night(market: Market) -> int:
    """One run of the job as it lies there, in this process; its exit code."""
    return pipeline.run(
        load_job(market.folder / "job.toml"), SecretKey(KEY), Options(), Quiet()
    ).exit_code


def charge_of(market: Market, order_id: str) -> dict[str, Any]:
    return next(
        one for one in market.own_charges() if one["metadata"]["order_id"] == order_id
    )


def give_back(market: Market, charge_id: str, amount: int) -> dict[str, Any]:
    """As a person does at the gateway."""
    path = f"{market.sandbox.url}/charges/{charge_id}/refunds"
    answer = httpx.post(
        path, data={"amount": str(amount)}, auth=(KEY, ""), trust_env=False
    )
    answer.raise_for_status()
    return dict(answer.json())


def day_of(thing: dict[str, Any]) -> date:
    """The day of the job's zone on which the gateway made it."""
    return datetime.fromisoformat(thing["created_at"]).astimezone(ZoneInfo(ZONE)).date()


def audited(
    market: Market, first: date, last: date | None = None, *note: str
) -> tuple[int, dict[str, Any]]:
    """Exit code and document, in this process; `note`: the id of a difference, and the reason."""
    job = load_job(market.folder / "job.toml")
    period = Period(first, last or first, job.controls.time_zone)
    made = audit(job, SecretKey(KEY), period, (note[0], note[1]) if note else None)
    return made.exit_code, json.loads(json.dumps(made.document()))


def said(market: Market, day: date, *more: str) -> tuple[int, str]:
    """The same as a person reads it, by a process of its own."""
    done = market.run("--from", str(day), "--to", str(day), *more, verb="audit")
    return done.returncode, done.stdout + done.stderr


def events(market: Market, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(market.folder / "state" / "batchpay.db")) as journal:
        found = journal.execute(
            "SELECT data FROM plain_events WHERE kind = ? ORDER BY seq", (kind,)
        ).fetchall()
    return [json.loads(data) for (data,) in found]


@pytest.fixture
def shop(market: Market) -> Market:
    """Three orders were charged, and one of them was given back in part some days later."""
    market.orders([order(number) for number in range(3)])
    market.job(more=IN_BANGKOK)
    later(market, 0)
    assert night(market) == 0
    later(market, DAYS)
    return market


@pytest.mark.fault("J30", "E14")
def test_a_refund_is_found_on_the_day_of_the_charge_and_on_its_own(
    shop: Market,
) -> None:
    """The same difference by the same id, with amount, currency, days, charge and order; between
    the two, nothing.
    """
    charge = charge_of(shop, "00001")
    refund = give_back(shop, charge["id"], 4000)
    charged, given_back = day_of(charge), day_of(refund)
    assert given_back - charged == timedelta(days=DAYS)
    found = []
    for day, gross, refunded, left, made in (
        (charged, "303.75", "40.00", "263.75", "0.00"),
        (given_back, "0.00", "0.00", "0.00", "40.00"),
    ):
        code, told = audited(shop, day)
        (difference,) = told["differences"]
        found.append(difference)
        sums = {
            "gross": gross,
            "refunded": refunded,
            "left": left,
            "refunds_made": made,
        }
        assert {name: told["totals"]["THB"][name] for name in sums} == sums
        assert (code, told["exit_code"], told["open"], told["noted"]) == (12, 12, 1, 0)
        assert told["journal"] == told["gateway"], (
            "a refund is no charge that is missing"
        )
        assert told["time_zone"] == ZONE
        (one,) = told["refunds"]
        assert (one["refund_id"], one["amount"], one["amount_major"]) == (
            refund["id"],
            4000,
            "40.00",
        )
        assert (one["day"], one["charge_day"]) == (str(given_back), str(charged))
    assert found[0] == found[1]
    assert (found[0]["id"], found[0]["kind"], found[0]["order_id"]) == (
        f"refunded:{charge['id']}",
        "refunded",
        "00001",
    )
    assert found[0]["told"].startswith(
        f"a refund of 40.00 THB (4000 in the smallest unit) on {given_back} of charge"
        f" {charge['id']} of order 00001; charged 101.25 THB on {charged}, 61.25 THB left"
    )
    assert audited(shop, charged + timedelta(days=1))[0] == 0
    code, told = audited(shop, charged, given_back)
    assert (
        code,
        told["totals"]["THB"]["left"],
        told["totals"]["THB"]["refunds_made"],
    ) == (
        12,
        "263.75",
        "40.00",
    )


def test_a_person_reads_amount_currency_zone_and_what_to_do(shop: Market) -> None:
    """And what is proposed works, with the id that is printed."""
    charge = charge_of(shop, "00001")
    refund = give_back(shop, charge["id"], 4000)
    code, text = said(shop, day_of(refund))
    assert code == 12 and f"audit of {day_of(refund)} (days of {ZONE})" in text
    assert "given back in these days, of whichever charge, 40.00 THB" in text
    assert f"  id refunded:{charge['id']}\n" in text and "batchpay resolve" not in text
    done = shop.run(
        "--from",
        str(day_of(charge)),
        "--to",
        str(day_of(charge)),
        "--json",
        verb="audit",
    )
    assert (done.returncode, json.loads(done.stdout)["totals"]["THB"]["left"]) == (
        12,
        "263.75",
    )
    printed = shop.run(
        "--from", str(day_of(refund)), "--to", str(day_of(refund)), verb="audit"
    ).stdout
    _, _, job, *rest = shlex.split(printed[printed.index("batchpay audit ") :])
    assert job == "job.toml" and rest[-3:] == [
        f"refunded:{charge['id']}",
        "--reason",
        "your reason",
    ]
    assert shop.run(*rest, verb="audit").returncode == 0


def test_a_noted_difference_is_listed_and_no_longer_12_until_it_changes(
    shop: Market,
) -> None:
    """On both days and for good; another refund of the charge opens it again, beside the note of
    what it was.
    """
    charge = charge_of(shop, "00001")
    days = day_of(charge), day_of(give_back(shop, charge["id"], 4000))
    name = f"refunded:{charge['id']}"
    code, told = audited(shop, days[1], None, name, "the shop agreed")
    assert (code, told["open"], told["noted"]) == (0, 0, 1)
    code, told = audited(shop, days[0])
    note = told["differences"][0]["noted"]
    assert (
        (code, note["holds"], note["reason"]) == (0, True, "the shop agreed")
        and note["by"]
        and note["at"]
    )
    code, text = said(shop, days[1])
    assert (
        code == 0
        and "noted, refunded: order 00001" in text
        and ": the shop agreed" in text
    )
    assert "nothing to do; 1 difference noted by a person" in text
    assert shop.run(verb="verify").returncode == 0, "it is part of the chain"
    give_back(shop, charge["id"], 1000)
    for day in days:
        code, told = audited(shop, day)
        (difference,) = told["differences"]
        assert (code, difference["amount_major"]) == (12, "50.00")
        assert (difference["noted"]["holds"], difference["noted"]["amount_major"]) == (
            False,
            "40.00",
        )
    text = said(shop, days[0])[1]
    assert "of an earlier state, 40.00 THB (4000 in the smallest unit), " in text
    assert "; it has changed since, look again: the shop agreed" in text
    assert said(shop, days[0], "--note", name, "--reason", "the rest too")[0] == 0
    assert [audited(shop, day)[0] for day in days] == [0, 0]
    assert [one["amount"] for one in events(shop, "noted")] == [4000, 5000]


def test_a_note_on_one_difference_leaves_the_others_open(shop: Market) -> None:
    """12 until each of them is noted; the same word twice is one event."""
    first, second = charge_of(shop, "00001"), charge_of(shop, "00002")
    day = day_of(give_back(shop, first["id"], 4000))
    give_back(shop, second["id"], 5000)
    for _ in range(2):
        code, told = audited(shop, day, None, f"refunded:{first['id']}", "agreed")
        assert (code, told["open"], told["noted"]) == (12, 1, 1)
    assert len(events(shop, "noted")) == 1
    assert audited(shop, day, None, f"refunded:{second['id']}", "agreed")[0] == 0


def test_a_note_on_what_is_no_difference_is_refused(shop: Market) -> None:
    """64, naming what can be noted; --note and --reason go together; nothing is kept."""
    charge = charge_of(shop, "00001")
    day = day_of(charge)
    code, text = said(shop, day, "--note", "refunded:chrg_test_9", "--reason", "x")
    assert code == 64 and "there is no difference of" in text
    give_back(shop, charge["id"], 4000)
    code, text = said(shop, day, "--note", "refunded:chrg_test_\x1b9", "--reason", "x")
    assert (
        code == 64
        and f"what can be noted is: refunded:{charge['id']}" in text
        and "\x1b" not in text
    )
    for flags in (
        ["--note", f"refunded:{charge['id']}"],
        ["--reason", "x"],
        ["--note", "", "--reason", " "],
    ):
        assert said(shop, day, *flags)[0] == 64
    assert events(shop, "noted") == []


def test_the_journal_keeps_what_an_audit_learned_once(shop: Market) -> None:
    """And the order's story tells it, with the person's word."""
    charge = charge_of(shop, "00001")
    day = day_of(give_back(shop, charge["id"], 4000))
    for _ in range(2):
        audited(shop, day)
    audited(shop, day, None, f"refunded:{charge['id']}", "the shop agreed")
    (learned,) = events(shop, "refunded")
    assert (learned["order"], learned["charge_id"], learned["total"]) == (
        "00001",
        charge["id"],
        4000,
    )
    story = shop.run("00001", verb="status").stdout
    assert "the gateway's books have a refund of 40.00 THB" in story
    assert (
        f"a person took note of the audit's difference refunded:{charge['id']}: the shop agreed"
        in story
    )
    assert "refund" not in shop.run("00002", verb="status").stdout
    assert night(shop) == 0 and shop.posts() == 3, (
        "the next night sends nothing and stops at nothing"
    )


def test_refunds_of_others_are_not_ours(shop: Market) -> None:
    """Another job's charge and one by hand, in the same account, on the same days."""
    by_hand = {
        "amount": "5000",
        "currency": "thb",
        "card": "tokn_test_sandboxbyhand4242",
    }
    charge = httpx.post(
        f"{shop.sandbox.url}/charges", data=by_hand, auth=(KEY, ""), trust_env=False
    ).json()
    day = day_of(give_back(shop, charge["id"], 1000))
    other = httpx.post(
        f"{shop.sandbox.url}/charges",
        data={
            **by_hand,
            "card": "tokn_test_sandboxtwo4242",
            "metadata[batchpay_job]": "day",
        },
        auth=(KEY, ""),
        trust_env=False,
    ).json()
    give_back(shop, other["id"], 2000)
    code, told = audited(shop, day)
    assert (code, told["differences"], told["refunds"], told["totals"]) == (
        0,
        [],
        [],
        {},
    )


@pytest.mark.fault("D09")
def test_a_refund_of_a_charge_that_the_journal_lost_is_told(shop: Market) -> None:
    """By what the charge itself says whose it is, on both days."""
    charge = charge_of(shop, "00001")
    days = day_of(charge), day_of(give_back(shop, charge["id"], 4000))
    for path in (shop.folder / "state").iterdir():
        path.unlink()
    for day in days:
        code, told = audited(shop, day)
        assert code == 12 and "refunded:" + charge["id"] in [
            one["id"] for one in told["differences"]
        ]


@pytest.mark.fault("J31", "D09")
@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_what_is_given_back_of_a_charge_that_lost_its_jobs_name_is_in_its_sums(
    shop: Market, journal: str
) -> None:
    """Its key says whose it is, in the sum of what was charged and of what was given back of that
    alike, on the day of the charge and on that of the refund.
    """
    before = charge_of(shop, "00001")
    refund = give_back(shop, before["id"], before["amount"])
    charge = charge_of(shop, "00001")
    del charge["metadata"]["batchpay_job"]
    page = {"object": "list", "data": [charge], "total": 1, "limit": 100, "offset": 0}
    path = f"/charges/{charge['id']}"
    shop.sandbox.add_rule(method="GET", path=path, body=charge)
    if journal == "lost":
        for kept in (shop.folder / "state").iterdir():
            kept.unlink()
    _, told = audited(shop, day_of(refund))
    assert [one["order_id"] for one in told["refunds"]] == ["00001"]
    shop.sandbox.add_rule(method="GET", path="/charges", body=page)
    _, told = audited(shop, day_of(charge))
    sums = told["totals"]["THB"]
    assert [sums[name] for name in ("gross", "refunded", "left")] == [
        "101.25",
        "101.25",
        "0.00",
    ]


def test_a_refund_of_a_charge_that_the_gateway_shows_no_more_is_told_by_the_journal(
    shop: Market,
) -> None:
    charge = charge_of(shop, "00001")
    day = day_of(give_back(shop, charge["id"], 4000))
    shop.sandbox.turn("forgotten", charge_id=charge["id"])
    code, told = audited(shop, day)
    (difference,) = told["differences"]
    assert (code, difference["order_id"], difference["amount"]) == (12, "00001", 4000)
    assert (
        f"charged 101.25 THB on {day_of(charge)}, 61.25 THB left" in difference["told"]
    )


def test_a_gateway_that_tells_no_refunds_is_said_and_its_ledgers_debits_too(
    shop: Market,
) -> None:
    """On the day of the charge the charge tells it; on its own day there is the ledger's sum. It is
    asked once.
    """
    charge = charge_of(shop, "00001")
    day = day_of(give_back(shop, charge["id"], 4000))
    rule = {"method": "GET", "path": "/refunds", "status": 404, "code": "not_found"}
    shop.sandbox.desk.rules.insert(0, shop.sandbox.add_rule(rule))
    code, told = audited(shop, day)
    assert len(shop.sandbox.requests("GET", "/refunds")) == 1
    (note,) = told["notes"]
    assert (
        code == 0
        and "does not tell its refunds" in note
        and "40.00 THB of refunds in these days" in note
    )
    code, told = audited(shop, day_of(charge))
    assert code == 12 and [one["kind"] for one in told["differences"]] == ["refunded"]


@pytest.mark.fault("J20", "J19", "J36")
def test_odd_refunds_end_no_audit(shop: Market) -> None:
    """Half characters, escapes, no times, no amounts, strange charges: told, and never a bug."""
    charge = charge_of(shop, "00001")
    day = day_of(charge)
    odd = {
        "object": "refund",
        "charge": charge["id"],
        "amount": "1",
        "currency": "\ud800\x1b[31m",
        "created_at": None,
    }
    data = [
        {**odd, "id": "rfnd_\ud800\x1b[31m"},
        {**odd, "id": "rfnd_2", "amount": 7, "currency": "THB"},
        {**odd, "id": "rfnd_3", "charge": "../account"},
        {**odd, "id": "rfnd_4", "charge": ["x"]},
        {**odd, "id": "rfnd_5", "object": "list"},
        {**odd, "id": "rfnd_6", "created_at": "2026-02-30T00:00:00Z"},
    ]
    body = json.dumps({"object": "list", "data": data, "total": len(data)})
    shop.sandbox.desk.rules.insert(
        0, shop.sandbox.add_rule(method="GET", path="/refunds", body=body)
    )
    code, text = said(shop, day)
    assert code == 12 and "\x1b" not in text and "a bug" not in text
    code, told = audited(shop, day)
    (difference,), (note,) = told["differences"], told["notes"]
    assert note.endswith("neither the gateway nor the journal shows: rfnd_3, rfnd_4")
    assert (difference["id"], difference["amount"], difference["currency"]) == (
        f"refunded:{charge['id']}",
        7,
        "THB",
    )
    assert (
        "0.07 THB on a day that the gateway does not tell (rfnd_2)"
        in difference["told"]
    )
    assert audited(shop, day, None, difference["id"], "odd")[0] == 0


@pytest.mark.fault("B31")
def test_a_double_that_was_given_back_is_not_asked_for_again(market: Market) -> None:
    """No refunds.csv tells a person to give it back a second time; it is one difference, with one
    note to take.
    """
    market.orders([order(1), order(2)])
    market.job()
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "order_id": "00002", "action": "double"}
    )
    assert night(market) == 12
    day = datetime.now(UTC).date()
    _, told = audited(market, day)
    (double,) = told["differences"]
    give_back(market, double["charge_id"], double["amount"] - 100)
    _, told = audited(market, day)
    by_kind = {one["kind"]: one for one in told["differences"]}
    assert (
        set(by_kind) == {"double", "refunded"}
        and by_kind["double"]["refund_minor"] == 100
    )
    give_back(market, double["charge_id"], 100)
    code, told = audited(market, day)
    (whole,) = told["differences"]
    assert code == 12 and (whole["kind"], whole["refund_minor"]) == ("refunded", 0)
    assert (
        "too, and this one was given back: refunds of" in whole["told"]
        and "give this one back" not in whole["told"]
    )
    assert not list((market.folder / "reports").glob("audit-*/refunds.csv"))
    code, told = audited(market, day, None, whole["id"], "given back")
    assert (code, told["open"], told["noted"]) == (0, 0, 1)
    assert night(market) == 12, "a note lifts no stop"


def test_every_kind_of_difference_can_be_noted(market: Market) -> None:
    """A false success, a missing credit, a missing transfer: noted as they are, and only as
    long.
    """
    market.orders([order(number) for number in range(3)])
    market.job()
    assert night(market) == 0
    day = datetime.now(UTC).date()
    listed = httpx.get(
        f"{market.sandbox.url}/charges?limit=100", auth=(KEY, ""), trust_env=False
    ).json()
    listed["data"][0] |= {"status": "failed", "paid": False}
    empty = {"object": "list", "data": [], "total": 0}
    market.sandbox.add_rule({"method": "GET", "path": "/charges", "body": listed})
    for path in ("/transactions", "/transfers"):
        market.sandbox.add_rule({"method": "GET", "path": path, "body": empty})
    code, told = audited(market, day)
    kinds = {one["kind"] for one in told["differences"]}
    assert code == 12 and kinds == {"false-success", "no-credit", "transfer-missing"}
    ids = [one["id"] for one in told["differences"]]
    assert len(set(ids)) == len(ids)
    for name in ids:
        code, told = audited(
            market, day, None, name, "the gateway is mending its books"
        )
    assert (code, told["open"]) == (0, 0)
    assert all(
        one["currency"] == "THB" and one["amount"] > 0 for one in told["differences"]
    )
    listed["data"][0] |= {"status": "expired"}
    market.sandbox.clear_rules()
    market.sandbox.add_rule({"method": "GET", "path": "/charges", "body": listed})
    code, told = audited(market, day)
    (again,) = told["differences"]
    assert (code, again["kind"], again["noted"]["holds"]) == (
        12,
        "false-success",
        False,
    )


def test_the_sandbox_as_a_process_of_its_own(tmp_path: Path) -> None:
    """`batchpay sandbox` and `batchpay audit`, two processes: the refund is found on its day, and
    noted.
    """
    words = [sys.executable, "-m", "batchpay", "sandbox", "--port", "0"]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    how: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
        "env": environ,
    }
    with subprocess.Popen(words, **how) as served:
        try:
            assert served.stdout is not None
            line = next(one for one in served.stdout if "http://" in one)
            url = line[line.index("http://") :].split()[0].rstrip("/.,")
            with SandboxServer() as unused:
                market = Market(tmp_path, unused, {"url": url})
            market.orders([order(1)])
            market.job(more=IN_BANGKOK)
            with httpx.Client(base_url=url, auth=(KEY, ""), trust_env=False) as ask:
                ask.post(
                    "/__sandbox/clock", json={"clock_offset_s": -DAYS * 86_400}
                ).raise_for_status()
                rule = {"action": "clock_skew", "date_offset_s": DAYS * 86_400}
                ask.post("/__sandbox/rules", json=rule).raise_for_status()
                assert market.run().returncode == 0
                (row,) = market.results()
                charged = day_of(ask.get(f"/charges/{row['charge_id']}").json())
                ask.delete("/__sandbox/rules").raise_for_status()
                ask.post(
                    "/__sandbox/clock", json={"clock_offset_s": 0}
                ).raise_for_status()
                day = day_of(
                    ask.post(
                        f"/charges/{row['charge_id']}/refunds", data={"amount": "4000"}
                    ).json()
                )
            assert day - charged == timedelta(days=DAYS)
            code, text = said(market, day)
            assert (
                code == 12
                and "given back in these days, of whichever charge, 40.00 THB" in text
            )
            assert (
                said(
                    market,
                    charged,
                    "--note",
                    f"refunded:{row['charge_id']}",
                    "--reason",
                    "agreed",
                )[0]
                == 0
            )
            assert said(market, day)[0] == 0
        finally:
            served.terminate()


@pytest.mark.fault("B35", "J31")
@pytest.mark.parametrize("path", ["/transactions", "/transfers", "/refunds"])
def test_a_list_that_the_gateway_has_and_does_not_give_is_no_agreement(
    market: Market, path: str
) -> None:
    """Unlike one that it does not have: the audit says nothing of these days, and ends 69."""
    market.orders([order(1)])
    market.job()
    assert night(market) == 0
    day = datetime.now(UTC).date()
    market.sandbox.add_rule({"method": "GET", "path": path, "status": 503})
    flags = ("--from", str(day), "--to", str(day))
    silent = market.run(*flags, verb="audit")
    assert silent.returncode == 69 and path in silent.stderr
    market.sandbox.clear_rules()
    assert market.run(*flags, verb="audit").returncode == 0


@pytest.mark.fault("J31", "I6")
@pytest.mark.parametrize("how", ["more", "together", "currency"])
def test_what_cannot_have_been_given_back_is_in_no_sum_and_a_persons(
    shop: Market, how: str
) -> None:
    """More than was charged, by one refund or by several, or in another currency: a difference of
    the audit, told by its row, 10 beside it until a person takes note of it.
    """
    charge = charge_of(shop, "00001")
    whole = charge["amount"]
    amounts = {"more": [10**9], "together": [whole, whole - 1]}.get(how, [100])
    odd = [
        {
            "object": "refund",
            "id": f"rfnd_test_{number}",
            "amount": amount,
            "currency": "JPY" if how == "currency" else "THB",
            "charge": charge["id"],
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for number, amount in enumerate(amounts)
    ]
    listed = {
        "object": "list",
        "data": odd,
        "total": len(odd),
        "limit": 100,
        "offset": 0,
    }
    shop.sandbox.add_rule(method="GET", path="/refunds", body=listed)
    today = datetime.now(ZoneInfo(ZONE)).date()
    first = today - timedelta(days=DAYS + 1)
    code, document = audited(shop, first, today)
    (found,) = [
        one
        for one in document["differences"]
        if one["id"] == f"refunded:{charge['id']}"
    ]
    assert code == 12 and "cannot be true" in found["told"], found
    assert night(shop) == 10
    row = next(one for one in shop.results() if one["order_id"] == "00001")
    assert "refunds that cannot be true" in row["reason"] + row["warnings"]
    assert row["who_acts"] == "a person" and row["outcome"] == "succeeded"
    report = next(one for one in shop.reports() if "later" in one)
    assert report["currencies"][0]["refunded_minor"] == 0
    audited(shop, first, today, found["id"], "the gateway's own error")
    assert night(shop) == 0
    row = next(one for one in shop.results() if one["order_id"] == "00001")
    assert row["who_acts"] == "-", row


@pytest.mark.fault("B19", "J12")
@pytest.mark.parametrize("path", ["/charges", "/refunds"])
def test_a_gateway_that_answers_every_list_with_429_is_given_up_in_a_stated_time(
    shop: Market, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """It says not when it will have time again: what waits stays held, an audit says that it knows
    nothing, and when it has time the same command goes on.
    """
    monkeypatch.setattr("batchpay.settlement.channel.MOST_THROTTLED_S", 1.0)
    shop.sandbox.add_rule(
        method="GET",
        path=f"{path}*",
        status=429,
        code="too_many_requests",
        commit="never",
    )
    today = datetime.now(ZoneInfo(ZONE)).date()
    begun_s = time.monotonic()
    with pytest.raises(GatewaySilent, match="could not be read completely"):
        audited(shop, today - timedelta(days=DAYS + 1), today)
    assert time.monotonic() - begun_s < 30.0
    if path == "/refunds":
        return
    shop.orders([order(number) for number in range(4)])
    posts = shop.posts()
    assert night(shop) == 11 and shop.posts() == posts
    held = next(one for one in shop.results() if one["order_id"] == "00003")
    assert held["outcome"] == "held" and "nothing but 429" in held["reason"], held
    shop.sandbox.clear_rules()
    assert night(shop) in (0, 10) and shop.posts() == posts + 1


@pytest.mark.fault("B15", "I6")
def test_of_a_charge_that_was_captured_in_part_a_run_counts_what_it_took(
    market: Market,
) -> None:
    """It is not what was asked, and the money of that run is the part."""
    market.orders([order(1)])
    market.job(more=IN_BANGKOK)
    market.sandbox.add_rule(change={"captured_amount": 5000})
    assert night(market) == 12
    (report,) = market.reports()
    (row,) = market.results()
    assert row["outcome"] == "unproven" and row["charged_amount"] == "5000"
    assert [one["sum_minor"] for one in report["run"]["charged"]] == [5000]
    assert "successful, 50.00 THB" in market.run("00001", verb="status").stdout
