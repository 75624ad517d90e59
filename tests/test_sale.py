"""A sale stays itself: no edit of the job, no loss of the journal and no way back makes a second
charge of it.

Every order of these files is one sale, and its `invoice` tells which; ids are what the job of the
night makes of a row. Each test is a story of nights of the true program over real HTTP.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any

import httpx
import pytest

from batchpay.batches.clock import SystemClock
from batchpay.batches.session import Options
from batchpay.commands import cancel as cancelling
from batchpay.commands import run as pipeline
from batchpay.commands.plan import plan
from batchpay.commands.status import status
from batchpay.domain.errors import BatchpayError
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import batch_id_of, by_order, place_of
from batchpay.lifecycle.request import intent_of
from batchpay.lifecycle.sale_terms import fitting_terms
from batchpay.terminal.bars import Quiet
from tests.test_doors import journal_of, lookup, read, rows, told_back, write
from tests.world import BY_CUSTOMER, KEY, Market, order

A, R = "order_id", "invoice"  # the columns that are the order's id by turns
LOOKED_UP = '{ column = "invoice", lookup = "ids.csv", key = "no", value = "id" }'
DECLINED = "cust_test_sandbox0011"


def sale(number: int, **changes: str) -> dict[str, str]:
    """One row, of a payer who can pay twice."""
    return order(number, **{"card": f"cust_test_sandbox{number}x4242", **changes})


def job(market: Market, column: str = A, **changes: str) -> None:
    """The job, with the order id from one of two columns, or as a table of TOML."""
    source = column if column.startswith("{") else f'"{column}"'
    market.job(**{"file": "inbox/*.csv", **BY_CUSTOMER, "order_id": source, **changes})


def inbox(market: Market, **files: Iterable[dict[str, str]] | None) -> None:
    """Put files into the inbox, or take them away."""
    (market.folder / "inbox").mkdir(exist_ok=True)
    for name, lines in files.items():
        if lines is None:
            (market.folder / "inbox" / f"{name}.csv").unlink()
        else:
            write(market, f"inbox/{name}.csv", list(lines))


def night(market: Market, **flags: Any) -> int:
    """A plan and a run of the job as it lies there: what goes is what was planned, unless the
    gateway knows more.
    """
    path = market.folder / "job.toml"
    try:
        if not flags.get("adopt"):  # before which a plan is refused as a run is
            plan(load_job(path))
        return pipeline.run(
            load_job(path), SecretKey(KEY), Options(**flags), Quiet()
        ).exit_code
    except BatchpayError as error:
        return error.exit_code


def once(market: Market, *numbers: int) -> None:
    """Just these sales were charged, each once, and each charge stands in one row or among the
    adopted; all adds up.
    """
    paid = [
        charge for charge in market.own_charges() if charge["status"] == "successful"
    ]
    assert Counter(c["metadata"]["invoice"] for c in paid) == {
        f"INV-{number}": 1 for number in numbers
    }
    shown = [
        row["charge_id"] for row in market.results() if row["outcome"] == "succeeded"
    ]
    beside = market.folder / "reports" / "adopted" / "adopted.json"
    if beside.exists():
        shown += [
            one["charge"]
            for one in json.loads(beside.read_text())["charges"]
            if one["outcome"] == "succeeded"
        ]
    assert sorted(shown) == sorted(charge["id"] for charge in paid)
    for report in market.reports():
        assert all(equation["closes"] for equation in report["equations"]), report[
            "equations"
        ]


def lose(market: Market) -> None:
    """The journal is gone, and what knew of it with it."""
    shutil.rmtree(market.folder / "state")
    shutil.rmtree(market.folder / "reports", ignore_errors=True)


# --- another id for the same row


@pytest.mark.fault("J13", "J14", "E05")
def test_rows_that_were_duplicates_are_no_new_orders_under_other_ids(
    market: Market,
) -> None:
    """Exports that hold the rows of yesterday's, and the id becomes another column: also in files
    that come later.
    """
    everything = [sale(number) for number in range(1, 6)]
    job(market)
    inbox(market, d1=everything[:2])
    assert night(market) == 0
    inbox(market, d2=everything[:3])
    assert night(market) == 0
    job(market, R)
    inbox(market, d3=everything[:4])
    assert night(market) == 0
    once(market, 1, 2, 3, 4)
    inbox(market, d1=None, d2=None, d3=None, d4=everything)
    assert night(market) == 0
    once(market, 1, 2, 3, 4, 5)
    duplicates = [row for row in market.results() if row["outcome"] == "duplicate"]
    assert any("earlier id" in row["reason"] for row in duplicates)
    job(market, A)
    # what the id of the fourth is now, which was charged in d3, only d3 tells
    assert night(market) == 11
    assert [
        row["order_id"] for row in market.results() if row["outcome"] == "held"
    ] == ["00004"]
    inbox(market, d3=everything[:4])
    assert night(market) == 0
    once(market, 1, 2, 3, 4, 5)


@pytest.mark.fault("J13")
def test_an_id_from_a_lookup_file_that_is_edited_makes_no_second_order(
    market: Market,
) -> None:
    """Nothing in the job is another than it was."""
    job(market, LOOKED_UP)
    (market.folder / "ids.csv").write_text("no,id\nINV-1,X1\nINV-2,X2\n", "utf-8")
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 0
    (market.folder / "ids.csv").write_text(
        "no,id\nINV-1,Y1\nINV-2,Y2\nINV-3,Y3\n", "utf-8"
    )
    inbox(market, d1=None, d2=[sale(1), sale(2)])
    inbox(market, d1=[sale(1), sale(2)], d3=[sale(1), sale(2), sale(3)])
    assert night(market) == 0
    once(market, 1, 2, 3)


@pytest.mark.fault("J13")
def test_an_id_that_was_wrong_and_is_mended_lets_its_row_go(market: Market) -> None:
    """It was rejected, or contested by another row that never took its money: the mended job takes
    effect.
    """
    job(market, LOOKED_UP)
    (market.folder / "ids.csv").write_text("no,id\nINV-1,X1\nINV-2,X1\n", "utf-8")
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    assert night(market) == 10
    once(market)
    (market.folder / "ids.csv").write_text(
        "no,id\nINV-1,X1\nINV-2,X2\nINV-3,X3\n", "utf-8"
    )
    assert night(market) == 0
    once(market, 1, 2, 3)


@pytest.mark.fault("J13", "J04")
def test_a_payer_who_could_not_pay_is_asked_by_a_person_alone(market: Market) -> None:
    """The order was declined; a copy of its row in a later export, under another id, asks nobody
    again.
    """
    job(market)
    inbox(market, d1=[sale(1, card=DECLINED), sale(2)])
    night(market)
    inbox(market, d2=[sale(1, card=DECLINED), sale(2), sale(3)])
    night(market)
    job(market, R)
    night(market)
    once(market, 2, 3)
    assert (
        len([c for c in market.own_charges() if c["metadata"]["invoice"] == "INV-1"])
        == 1
    )


@pytest.mark.fault("J02", "J32", "L11")
@pytest.mark.parametrize("restored", [True, False])
def test_an_adopted_charge_is_its_rows_own_whatever_id_that_has_now(
    market: Market, *, restored: bool
) -> None:
    """The journal was put back, or lost, and the id is another column: the charge tells of its
    row.
    """
    job(market)
    inbox(market, z=[sale(9)])
    night(market)
    shutil.copytree(market.folder / "state", market.folder / "before")
    inbox(market, a=[sale(1), sale(2)])
    night(market)
    lose(market)
    if restored:
        shutil.copytree(market.folder / "before", market.folder / "state")
    job(market, R)
    inbox(market, b=[sale(1), sale(2), sale(3)])
    night(market, adopt=not restored)
    night(market)
    once(market, 1, 2, 3, 9)
    assert (
        rows(market)["00001"]["reason"]
        == "found at the gateway: the journal had lost it"
    )
    inbox(market, a=None, z=None)
    night(market)
    inbox(market, b=None, c=[sale(1), sale(2), sale(3), sale(4)])
    night(market)
    once(market, 1, 2, 3, 4, 9)


def made_by_an_earlier_version(
    market: Market, name: str, row: int, document: dict[str, Any]
) -> str:
    """Charge for a row of a file as a version did that told the gateway the batch and not the row;
    the charge's id.
    """
    return made_by_another(market, name, row, document, untold="batchpay_row")


def batch_of(market: Market, name: str) -> str:
    """The id of the batch of a file, received today."""
    digest = sha256((market.folder / "inbox" / f"{name}.csv").read_bytes()).hexdigest()
    return batch_id_of(datetime.now(UTC), "night", digest)


def made_by_another(
    market: Market,
    name: str,
    row: int,
    document: dict[str, Any],
    *,
    untold: str = "",
    sale: tuple[str, ...] = (),
) -> str:
    """Charge for a row of a file as another journal did; the charge's id. `untold`: what it does
    not tell the gateway; `sale`: what the row came to correct.
    """
    batch_id = batch_of(market, name)
    intent = intent_of(
        document,
        job="night",
        attempt=1,
        fee=None,
        batch_id=batch_id,
        sheet="",
        row=row,
        run_id="r",
        journal_id="j",
        mode="test",
        sale=sale,
    )
    parts = intent.body.split("&")
    body = "&".join(part for part in parts if not untold or untold not in part)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": intent.key,
    }
    answer = httpx.post(
        f"{market.sandbox.url}/charges",
        content=body,
        headers=headers,
        auth=(KEY, ""),
        trust_env=False,
    )
    return str(answer.json()["id"])


def asks(number: int, **changes: str) -> dict[str, Any]:
    """The order that a row of `sale` asks for."""
    row = sale(number, **changes)
    return {
        "order_id": row["order_id"],
        "amount": round(float(row["amount"]) * 100),
        "currency": "thb",
        "destination": row["recipient"],
        "customer": row["card"],
        "metadata": {"invoice": row["invoice"]},
    }


@pytest.mark.fault("E12", "L10", "L11", "I2")
@pytest.mark.parametrize("lost", [False, True])
def test_a_row_that_another_journal_charged_under_another_id_is_a_stop_and_both_are_told(
    market: Market, lost: bool
) -> None:
    """Two journals at once, each with an id column of its own: neither list showed the other's
    charge in time. Whoever meets both stops, also a third one.
    """
    job(market)
    inbox(market, a=[sale(1), sale(2)])
    assert night(market) == 0
    made_by_another(market, "a", 2, {**asks(1), "order_id": "INV-1"})
    if lost:
        lose(market)
    inbox(market, b=[sale(3)])
    posts = market.posts()
    assert [night(market, adopt=True), night(market)] == [12, 12]
    assert market.posts() == posts
    with closing(journal_of(market)) as journal:
        (stop,) = journal.events(["stop"])
    twice = [c for c in market.own_charges() if c["metadata"]["batchpay_row"] == "2"]
    assert all(charge["id"] in stop.data["reason"] for charge in twice), stop.data
    beside = market.folder / "reports" / "adopted" / "adopted.json"
    (untold,) = json.loads(beside.read_text())["charges"]
    shown = [row["charge_id"] for row in market.results() if row["charge_id"]]
    paid = [c["id"] for c in market.own_charges() if c["status"] == "successful"]
    assert sorted([*shown, untold["charge"]]) == sorted(paid)


@pytest.mark.fault("E12", "L10", "L11", "I2")
@pytest.mark.parametrize("met", ["correction", "corrected"])
def test_a_sale_that_another_journal_charged_by_a_correction_is_a_stop(
    market: Market, met: str
) -> None:
    """Two journals at once: the row was wrong, and came back to each of them under another id, or
    went in one and was corrected in the other. Whoever meets both charges stops.
    """
    job(market)
    inbox(market, a=[sale(1, amount="1x"), sale(2)], theirs=[sale(1), sale(3)])
    told = (place_of(batch_of(market, "a"), "", 2), by_order("00001"))
    theirs = partial(
        made_by_another, market, "theirs", 2, {**asks(1), "order_id": "X1"}, sale=told
    )
    if met != "correction":
        theirs()
        made_by_another(market, "a", 2, asks(1))
    inbox(market, theirs=None)
    if met == "correction":
        assert night(market) == 10
        told_back(market, "00001", "R1", "inbox/b.csv", amount="100.00")
        assert night(market) == 0
        inbox(market, theirs=[sale(1), sale(3)])
        theirs()
        inbox(market, theirs=None)
    assert [night(market, adopt=True), night(market)] == [12, 12]
    with closing(journal_of(market)) as journal:
        (stop,) = journal.events(["stop"])
    paid = [
        charge["id"]
        for charge in market.own_charges()
        if charge["metadata"]["invoice"] == "INV-1"
    ]
    assert len(paid) == 2
    assert all(charge_id in stop.data["reason"] for charge_id in paid), stop.data


@pytest.mark.fault("J02", "J32", "L11")
def test_a_charge_of_an_earlier_version_that_no_row_shows_keeps_its_file_back(
    market: Market,
) -> None:
    """It tells of no row: the rows of its file that have other ids now wait for a person, who gives
    the ids back.
    """
    job(market, R)
    inbox(market, a=[sale(1), sale(2)])
    made_by_an_earlier_version(market, "a", 2, asks(1))
    assert night(market) == 78
    assert night(market, adopt=True) == 10
    once(market, 1)
    assert {row["outcome"] for row in market.results()} == {"conflict"}
    assert all("none of its rows has now" in row["reason"] for row in market.results())
    told = status(load_job(market.folder / "job.toml")).adopted
    assert told["count"] == 1 and told["charges"][0]["order"] == "00001"
    job(market)
    assert night(market) == 0
    once(market, 1, 2)
    assert not status(load_job(market.folder / "job.toml")).adopted["count"]


@pytest.mark.fault("J32", "I2")
def test_an_adopted_charge_whose_rows_contest_each_other_is_told_all_the_same(
    market: Market,
) -> None:
    """Its file is known, and no row of it shows the charge."""
    job(market)
    inbox(market, a=[sale(1), sale(1, amount="222.00"), sale(2)])
    made_by_an_earlier_version(market, "a", 2, asks(1))
    assert night(market, adopt=True) == 10
    once(market, 1, 2)
    assert {row["outcome"] for row in market.results()} == {"conflict", "succeeded"}
    assert status(load_job(market.folder / "job.toml")).adopted["count"] == 1


@pytest.mark.fault("J32", "I2", "J13")
def test_a_charge_whose_row_the_job_reads_no_more_is_told_all_the_same(
    market: Market,
) -> None:
    """The same file, and only a part of it is the job's now: what the other part came to is in no
    row, and waits for whoever it waits for.
    """

    def nightly(header_row: int) -> int:
        job(market, input=f"header_row = {header_row}")
        return night(market)

    head = {name: name for name in sale(1)}
    pending = sale(2, card="cust_test_sandbox3ds")
    declined = sale(3, card=DECLINED)
    inbox(market, a=[sale(1), pending, declined, head, sale(4)])
    assert nightly(1) == 11
    assert nightly(5) == 11
    once(market, 1, 4)
    told = status(load_job(market.folder / "job.toml"))
    ended = {one["order"]: one["outcome"] for one in told.adopted["charges"]}
    assert ended == {"00001": "succeeded", "00002": "pending", "00003": "declined"}
    assert told.exit_code == 11
    assert nightly(1) == 11
    once(market, 1, 4)
    assert not status(load_job(market.folder / "job.toml")).adopted["count"]


@pytest.mark.fault("J02", "J13", "L11", "E04")
@pytest.mark.parametrize("restored", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_a_file_of_new_ids_is_asked_about_after_a_loss(
    market: Market, *, restored: bool, late: bool
) -> None:
    """What was known of its names is lost, its file never comes again, and the ids are not those of
    before: 65, in the run that adopts and in every later one, until a person says that they are
    new.
    """
    job(market)
    inbox(market, z=[sale(8), sale(9)])
    night(market)
    shutil.copytree(market.folder / "state", market.folder / "before")
    inbox(market, a=[sale(1), sale(2), sale(3)], z=None)
    assert night(market) == 0
    lose(market)
    if restored:
        shutil.copytree(market.folder / "before", market.folder / "state")
    inbox(market, a=None)
    if late:
        inbox(market, c=[sale(20)])
        assert night(market, adopt=not restored) == 0
        inbox(market, c=None)
    exported = [sale(number, order_id=f"N-{number}") for number in (2, 1, 3)]
    inbox(market, b=exported, d=[sale(number) for number in (5, 6, 7)])
    for turn in range(2):
        assert night(market, adopt=not (restored or late or turn)) == 65
        paid = Counter(c["metadata"]["invoice"] for c in market.own_charges())
        assert set(paid.values()) == {1} and "INV-5" in paid, paid
    held = {row["order_id"]: row for row in market.results() if row["file"] == "b.csv"}
    assert {row["outcome"] for row in held.values()} == {"held"}
    assert (
        "found at the gateway" in held["N-3"]["reason"]
        and "--yes" in held["N-3"]["reason"]
    )
    assert night(market, yes=True) == 0
    assert market.money()["N-3"] == 1
    assert night(market) == 0


@pytest.mark.fault("J02", "E04")
def test_what_adopted_charges_have_a_row_for_is_no_question(market: Market) -> None:
    """The files are there again, or their orders in others; one order that looks alike is none."""
    job(market)
    inbox(market, a=[sale(1), sale(2)], b=[sale(3), sale(4)])
    assert night(market) == 0
    lose(market)
    inbox(
        market,
        b=None,
        c=[sale(3, order_id="N-3", invoice="INV-30"), sale(10), sale(11)],
    )
    assert night(market, adopt=True) == 0
    inbox(market, d=[sale(1), sale(2), sale(3), sale(4), sale(12)])
    assert night(market) == 0
    assert len(market.own_charges()) == 4 + 3 + 1


# --- its kin


def declined_and_charged(market: Market, new_id: str) -> dict[str, str]:
    """Order 1 was declined, and came back as `new_id` with another payer, who paid. Returns that
    row.
    """
    job(market)
    inbox(market, a=[sale(1, card=DECLINED), sale(2)])
    night(market)
    told_back(market, "00001", new_id, "inbox/r1.csv", card="cust_test_sandbox77x4242")
    (back,) = read(market, "inbox/r1.csv")
    inbox(market, a=None)
    return back


@pytest.mark.fault("J07", "J02")
@pytest.mark.parametrize("restored", [True, False])
def test_a_correction_is_known_by_what_it_corrects_when_the_journal_is_gone(
    market: Market, *, restored: bool
) -> None:
    """Charged under another id; the journal is put back or lost, and the row comes back once
    more.
    """
    back = declined_and_charged(market, "R-1")
    shutil.copytree(market.folder / "state", market.folder / "before")
    night(market)
    once(market, 1, 2)
    lose(market)
    if restored:
        shutil.copytree(market.folder / "before", market.folder / "state")
    inbox(market, r1=None, r2=[{**back, "order_id": "00001", "batchpay_retry": "yes"}])
    night(market, adopt=not restored)
    night(market)
    assert Counter(
        c["metadata"]["invoice"]
        for c in market.own_charges()
        if c["status"] == "successful"
    ) == {
        "INV-1": 1,
        "INV-2": 1,
    }


@pytest.mark.fault("J07", "J13", "J02")
@pytest.mark.parametrize("lost", [True, False])
def test_a_correction_bars_the_row_that_it_corrects_under_every_id(
    market: Market, *, lost: bool
) -> None:
    """It was charged; the rule is mended, the id is another column, and the first file is there
    again.
    """
    inbox(market, a=[sale(1, recipient="A"), sale(2, recipient="Q")])
    shops(market, A, "A")
    night(market)
    told_back(market, "00002", "00002", "inbox/r.csv", recipient="A")
    (market.folder / "inbox" / "a.csv").rename(market.folder / "a.csv")
    night(market)
    (market.folder / "a.csv").rename(market.folder / "inbox" / "a.csv")
    inbox(market, r=None)
    shops(market, R, "A", "Q")
    if lost:
        lose(market)
    night(market, adopt=lost)
    night(market)
    assert Counter(c["metadata"]["invoice"] for c in market.own_charges()) == {
        "INV-1": 1,
        "INV-2": 1,
    }


def shops(market: Market, column: str, *known: str) -> None:
    """The job, with recipients by a lookup file that knows some of the shops."""
    lookup(market, *known)
    job(market, column)
    path, source = (
        market.folder / "job.toml",
        '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "rid" }',
    )
    path.write_text(
        path.read_text("utf-8").replace(
            'destination = "recipient"', f"destination = {source}"
        ),
        "utf-8",
    )


@pytest.mark.fault("J07", "J06")
@pytest.mark.parametrize("renamed", [True, False])
def test_a_row_that_came_back_says_itself_which_order_it_was(
    market: Market, *, renamed: bool
) -> None:
    """The journal was lost, or the job renamed: what its file was, nobody knows. The order was
    charged meanwhile.
    """
    back = declined_and_charged(market, "R-1")
    inbox(market, r1=None, g=[sale(1, card=back["card"])])
    night(market)
    once(market, 1, 2)
    inbox(market, g=None, r2=[back])
    if renamed:
        path = market.folder / "job.toml"
        path.write_text(
            path.read_text("utf-8").replace('name = "night"', 'name = "other"'), "utf-8"
        )
        assert night(market) == 78
    else:
        lose(market)
        night(market, adopt=True)
    assert sum(c["status"] == "successful" for c in market.own_charges()) == 2


@pytest.mark.fault("J07")
def test_a_cancelled_sale_stays_cancelled_under_another_id(market: Market) -> None:
    """Its rejects row comes back under a new id, and under the column that is the id now."""
    job(market)
    inbox(market, a=[sale(1), sale(2), sale(3, amount="x")])
    night(market, limit=1)
    cancelling.cancel(load_job(market.folder / "job.toml"), "00002", "fraud")
    night(market)
    told_back(market, "00002", "B-2", "inbox/r.csv")
    inbox(market, a=None)
    assert night(market) == 10
    once(market, 1)
    assert rows(market)["B-2"]["reason"].startswith("cancelled by ")
    assert ": fraud; " in rows(market)["B-2"]["reason"]
    inbox(market, a=[sale(1), sale(2), sale(3, amount="x")])
    job(market, R)
    night(market)
    once(market, 1)


@pytest.mark.fault("A13")
def test_what_a_journal_keeps_of_a_row_is_every_id_that_it_had(market: Market) -> None:
    """There and back again: each of them, the one of today left out."""
    job(market)
    inbox(market, a=[sale(1)])
    night(market)
    for column in (R, LOOKED_UP, R):
        (market.folder / "ids.csv").write_text("no,id\nINV-1,X1\n", "utf-8")
        job(market, column)
        night(market)
    journal = journal_of(market)
    (chunk,) = journal.chunks(journal.batches()[0].id)
    assert chunk.documents[0]["order_id"] == "INV-1" and set(chunk.earlier[0]) == {
        "00001",
        "X1",
    }
    journal.close()
    once(market, 1)


# --- whatever comes first


@pytest.mark.fault("J13", "J02", "J32", "I1", "I2")
@pytest.mark.parametrize("seed", range(3))
def test_no_order_of_exports_edits_and_losses_charges_a_sale_twice(
    market: Market, seed: int
) -> None:
    """Exports that grow, files that come and go, ids from either column, a journal that is lost or
    put back.
    """
    dice, exported = random.Random(seed), 2
    names: dict[str, list[dict[str, str]]] = {}
    job(market)
    for turn in range(7):
        exported += dice.choice([0, 1])
        names.setdefault(
            f"d{exported}", [sale(number) for number in range(1, exported + 1)]
        )
        inbox(market, **names)
        adopt = False
        if turn and dice.random() < 0.3:
            lose(market)
            adopt = True
        if dice.random() < 0.5:
            job(market, dice.choice([A, R]))
        night(market, adopt=adopt)
    night(market)
    once(market, *range(1, exported + 1))


@pytest.mark.fault("J07")
def test_the_row_that_a_cancelled_correction_came_back_for_is_cancelled_too(
    market: Market,
) -> None:
    """The correction never went; then the rule that kept the first row back is mended."""
    inbox(market, a=[sale(1, recipient="A"), sale(2, recipient="Q")])
    shops(market, A, "A")
    night(market)
    told_back(market, "00002", "R-2", "inbox/r.csv", recipient="A")
    inbox(market, b=[sale(5, recipient="A")])
    night(market, limit=1)
    cancelling.cancel(load_job(market.folder / "job.toml"), "R-2", "fraud")
    shops(market, A, "A", "Q")
    night(market)
    inbox(market, r=None)
    shops(market, R, "A", "Q")
    night(market)
    once(market, 1, 5)


@pytest.mark.fault("J13", "J07")
def test_another_name_holds_for_what_programs_make_of_it(market: Market) -> None:
    """The id that took the place of one that was sent comes back without its zeros."""
    job(market)
    inbox(market, d1=[sale(1, invoice="0007001")])
    night(market)
    job(market, R)
    night(market)
    inbox(market, d1=None, d2=[sale(1, invoice="7001")])
    night(market)
    assert [c["status"] for c in market.own_charges()] == ["successful"]


@pytest.mark.fault("J07", "J13")
def test_a_row_that_had_the_id_that_another_corrects_goes_not_beside_it(
    market: Market,
) -> None:
    """The order of a rejected row stands in another file, too; neither went, and the id is another
    column now.
    """
    inbox(market, a=[sale(1, recipient="A"), sale(2, recipient="Q")])
    shops(market, A, "A")
    night(market)
    told_back(market, "00002", "R-2", "inbox/r.csv", recipient="A", invoice="R-2")
    inbox(market, a=None, g=[sale(2, recipient="A"), sale(3, recipient="Q")])
    night(market, limit=0)
    shops(market, R, "A")
    night(market, yes=True)
    assert len(market.own_charges()) == 1
    assert [
        row["outcome"]
        for row in market.results()
        if row["order_id"] in ("R-2", "INV-2")
    ] == ["conflict"] * 2


@pytest.mark.fault("E11")
def test_a_file_of_other_names_is_no_file_of_new_orders(market: Market) -> None:
    """It has the payers and amounts of a recent one, and its ids are names of orders that were
    sent.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)], d2=[sale(2), sale(1)])
    assert night(market) == 0
    job(market, R)
    assert night(market) == 0
    inbox(market, d1=None, d2=None, d3=[sale(2), sale(1), sale(1)])
    assert night(market) == 0
    once(market, 1, 2)


@pytest.mark.fault("J07", "E05", "I3")
def test_an_order_whose_id_was_once_mistyped_is_no_duplicate_of_the_corrected_one(
    market: Market,
) -> None:
    """Another payer, recipient and amount: for the accountant, not passed over; plan says it,
    too.
    """
    job(market)
    inbox(market, a=[sale(7, amount="abc")])
    assert night(market) == 10
    told_back(market, "00007", "00008", "inbox/r.csv", amount="100.00")
    assert night(market) == 0
    inbox(
        market,
        b=[sale(17, order_id="00007", amount="555.00", recipient="recp_test_sandbox2")],
    )
    assert night(market) == 10
    (row,) = [row for row in market.results() if row["file"] == "b.csv"]
    assert (row["outcome"], row["settled_by"], row["who_acts"]) == (
        "conflict",
        "",
        "accountant",
    )
    once(market, 7)


# --- what the ids of a row tell of the ids of others

THIRD = "invoice_2"  # a third column of ids


def thrice(number: int, **changes: str) -> dict[str, str]:
    """A row with three columns of ids."""
    return {**sale(number, **changes), THIRD: f"I-{number}"}


@pytest.mark.fault("J13", "E05")
@pytest.mark.parametrize("name", ["a0", "d9"])
@pytest.mark.parametrize("seen", [True, False])
def test_a_corrected_row_that_was_charged_is_charged_under_every_later_id(
    market: Market, name: str, *, seen: bool
) -> None:
    """It was rejected, came back under another id and was charged; then the column is edited, and
    an export has it.
    """
    shops(market, A, "A")
    inbox(market, d1=[sale(1, recipient="A"), sale(2, recipient="B")])
    night(market)
    told_back(market, "00002", "CORRECTED", "inbox/r.csv", recipient="A")
    night(market)
    once(market, 1, 2)
    inbox(market, r=None)
    shops(market, R, "A", "B")
    night(market, limit=0) if seen else None
    inbox(
        market,
        **{
            name: [
                sale(1, recipient="A"),
                sale(2, recipient="A"),
                sale(3, recipient="A"),
            ]
        },
    )
    night(market)
    inbox(market, d1=None)
    night(market)
    once(market, 1, 2, 3)


@pytest.mark.fault("J13", "E05")
def test_a_row_without_an_id_that_was_corrected_is_its_correction_when_it_has_one(
    market: Market,
) -> None:
    """The lookup file had no line for it; a person gave it an id and sent it; then the line is
    there, and an export.
    """
    job(market, LOOKED_UP)
    (market.folder / "ids.csv").write_text("no,id\nINV-1,X1\n", "utf-8")
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 10
    (market.folder / "ids.csv").write_text("no,id\nINV-1,X1\nBY-HAND,Z2\n", "utf-8")
    told_back(market, "00002", "00002", "inbox/r.csv", invoice="BY-HAND")
    assert night(market) == 0
    (market.folder / "ids.csv").write_text(
        "no,id\nINV-1,X1\nINV-2,X2\nINV-3,X3\n", "utf-8"
    )
    inbox(market, r=None, d2=[sale(1), sale(2), sale(3)])
    night(market)
    paid = Counter(
        c["customer"] for c in market.own_charges() if c["status"] == "successful"
    )
    assert set(paid.values()) == {1} and len(paid) == 3


@pytest.mark.fault("J13")
@pytest.mark.parametrize("seen", [True, False])
def test_an_order_that_was_cancelled_is_cancelled_under_every_later_id(
    market: Market, *, seen: bool
) -> None:
    """In an export that holds it, too."""
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    night(market, limit=1)
    cancelling.cancel(load_job(market.folder / "job.toml"), "00002", "fraud")
    night(market)
    job(market, R)
    night(market) if seen else None
    inbox(market, d2=[sale(1), sale(2), sale(3)])
    night(market)
    inbox(market, d1=None)
    night(market)
    once(market, 1, 3)


@pytest.mark.fault("J07", "I1")
def test_an_order_that_was_cancelled_waits_under_an_id_of_another_column(
    market: Market,
) -> None:
    """It comes in another file, once the job takes ids from elsewhere: its own file beside it
    tells, or a person says that it is another sale. Others go.
    """
    job(market)
    inbox(market, a=[sale(1), sale(2)])
    assert night(market, limit=0) == 11
    cancelling.cancel(load_job(market.folder / "job.toml"), "00002", "fraud")
    job(market, R)
    first = [sale(1), sale(2)]
    inbox(market, a=None, b=[sale(3), sale(2)])
    assert night(market) == 11
    once(market, 3)
    row = rows(market)["INV-2"]
    assert row["outcome"] == "held" and "a person cancelled" in row["reason"]
    inbox(market, a=first)
    assert night(market) == 10
    once(market, 1, 3)
    assert rows(market)["INV-2"]["reason"].startswith("cancelled by ")
    inbox(market, a=None, b=None, c=[sale(4), sale(2, order_id="9")])
    job(market, '{ column = ["invoice", "No"] }')
    assert night(market) == 10
    once(market, 1, 3, 4)


@pytest.mark.fault("J07", "J20")
def test_a_word_about_a_row_under_another_id_is_none_about_the_order_that_was_charged(
    market: Market,
) -> None:
    """The column of the ids is put back: the row is what it was, and nobody is told to ask for the
    sale anew.
    """
    job(market)
    inbox(market, a=[sale(1)])
    assert night(market) == 0
    job(market, R)
    inbox(market, a=[sale(1), sale(2)])
    assert night(market) == 11
    once(market, 1, 2)
    cancelling.cancel(load_job(market.folder / "job.toml"), "INV-1", "is 00001")
    assert night(market) == 10
    assert rows(market)["INV-1"]["reason"].startswith("cancelled by ")
    job(market)
    assert night(market) == 0
    row = rows(market)["00001"]
    assert row["outcome"] == "duplicate", row["reason"]
    assert "cancelled" not in row["reason"]
    once(market, 1, 2)


@pytest.mark.fault("J07", "E10")
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("own_file", [True, False])
def test_a_one_time_token_that_was_to_pay_a_cancelled_order_tells_it_under_such_an_id(
    market: Market, *, asked: bool, own_file: bool
) -> None:
    """Whatever recipient it has by now: a token is for one sale. With its own file beside it the
    word is one about the row; else a person may say that it is another sale.
    """
    by_token = {"file": "inbox/*.csv", "card": '"card"', "customer": ""}
    market.job(**by_token, order_id=f'"{A}"')
    inbox(market, a=[order(1), order(2)])
    if asked:
        refused_key(market, "00002")
    assert night(market, limit=None if asked else 1) == (77 if asked else 11)
    cancelling.cancel(load_job(market.folder / "job.toml"), "00002", "fraud")
    market.job(**by_token, order_id=f'"{R}"')
    moved = order(2, recipient="recp_test_sandbox5")
    inbox(market, a=None, b=[order(3), moved])
    assert night(market) == 11
    row = rows(market)["INV-2"]
    assert row["outcome"] == "held" and "a person cancelled" in row["reason"]
    if own_file:
        inbox(market, a=[order(1), order(2)])
        assert night(market, yes=True) == 10
        once(market, 1, 3)
    else:
        assert night(market, yes=True) == 0
        once(market, 1, 2, 3)


@pytest.mark.fault("J07", "I1")
def test_an_order_that_was_asked_for_in_vain_and_cancelled_waits_under_such_an_id_too(
    market: Market,
) -> None:
    """Its key was refused, which charged nothing: the word is one about that attempt."""
    job(market)
    inbox(market, a=[sale(1), sale(2)])
    refused = {"status": 401, "code": "authentication_failure", "commit": "never"}
    market.sandbox.add_rule(order_id="00002", times=1, **refused)
    assert night(market) == 77
    cancelling.cancel(load_job(market.folder / "job.toml"), "00002", "fraud")
    job(market, R)
    inbox(market, a=None, b=[sale(3), sale(2)])
    assert night(market) == 11
    once(market, 1, 3)
    row = rows(market)["INV-2"]
    assert row["outcome"] == "held" and "a person cancelled" in row["reason"]
    assert night(market, yes=True) == 0
    once(market, 1, 2, 3)


def refused_key(market: Market, order_id: str) -> None:
    """One request for this order is turned away: its attempt waits to go again."""
    refused = {"status": 401, "code": "authentication_failure", "commit": "never"}
    market.sandbox.add_rule(order_id=order_id, times=1, **refused)


@pytest.mark.fault("J13", "D09", "I1")
@pytest.mark.parametrize("column", [A, R])
def test_an_order_that_a_later_attempt_paid_waits_for_none_that_a_copy_has_open(
    market: Market, column: str
) -> None:
    """An older copy of the journal has an attempt that waits to go again, and knows nothing of the
    next one, which has the money: rows that ask for it are its duplicates.
    """
    job(market)
    inbox(market, a=[sale(1), sale(2)])
    refused_key(market, "00002")
    assert night(market) == 77
    copy, there = market.folder / "copy.db", market.folder / "state" / "batchpay.db"
    shutil.copy(there, copy)
    odd = {"status": 400, "code": "bad_request", "message": "odd", "commit": "never"}
    market.sandbox.add_rule(order_id="00002", times=1, **odd)
    assert night(market) == 10
    inbox(market, c=[sale(2, batchpay_retry="yes"), sale(3)])
    assert night(market) == 0
    once(market, 1, 2, 3)
    for path in there.parent.glob("batchpay.db*"):
        if not path.name.endswith(".lock"):
            path.unlink()
    shutil.copy(copy, there)
    job(market, column)
    inbox(market, d=[sale(2), sale(4)])
    night(market)
    once(market, 1, 2, 3, 4)
    told = [row for row in market.results() if row["outcome"] == "duplicate"]
    files = {"d.csv"} if column == A else {"a.csv", "d.csv"}
    assert {row["file"] for row in told} == files
    assert all("succeeded" in row["reason"] for row in told)
    inbox(market, a=None)
    assert night(market) == 0


@pytest.mark.fault("J13", "E05")
@pytest.mark.parametrize("name", ["a0", "d9"])
def test_the_column_is_edited_twice(market: Market, name: str) -> None:
    """Each export beside the one before it alone."""
    job(market)
    inbox(market, d1=[thrice(1), thrice(2)])
    night(market)
    job(market, R)
    inbox(market, d2=[thrice(1), thrice(2), thrice(3)])
    night(market)
    inbox(market, d1=None)
    job(market, THIRD)
    inbox(market, **{name: [thrice(1), thrice(2), thrice(3), thrice(4)]})
    night(market)
    inbox(market, d2=None)
    night(market)
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("J13")
def test_a_contested_amount_is_contested_under_every_later_id(market: Market) -> None:
    """A later export asks the same payer for other money: not sent under one id, and not under the
    other.
    """
    job(market)
    inbox(market, d1=[sale(1)])
    night(market)
    inbox(market, d1=None, d2=[sale(1, amount="120.00"), sale(2)])
    night(market)
    job(market, R)
    night(market)
    inbox(market, d3=[sale(1, amount="120.00"), sale(2), sale(3)])
    night(market)
    inbox(market, d2=None)
    night(market)
    once(market, 1, 2, 3)


@pytest.mark.fault("J13", "E05")
@pytest.mark.parametrize("gone", [True, False])
def test_the_column_is_edited_and_edited_back(market: Market, *, gone: bool) -> None:
    """A new card after a decline, under the other id; then the file with that id is there, or is
    not.
    """
    card = {"card": "cust_test_sandbox7x4242"}
    job(market)
    inbox(market, d1=[sale(1, card=DECLINED), sale(2)])
    night(market)
    job(market, R)
    inbox(market, d2=[sale(1, **card), sale(2), sale(3)])
    night(market)
    once(market, 1, 2, 3)
    job(market)
    inbox(market, d3=[sale(1, **card), sale(2), sale(3), sale(4)])
    if gone:
        inbox(market, d2=None)
    # the card that was declined stays what it was
    assert night(market) == (11 if gone else 10)
    once(market, 1, 2, 3, 4)
    # charged under ids of which no row tells what they are now: a person knows, or puts the file
    # back
    if gone:
        waits = [row for row in market.results() if row["outcome"] == "held"]
        assert [row["order_id"] for row in waits] == ["00001", "00003"]
        assert all(
            row["who_acts"] == "accountant" and "--yes" in row["reason"]
            for row in waits
        )
        inbox(market, d2=[sale(1, **card), sale(2), sale(3)])
        assert night(market) == 10
        once(market, 1, 2, 3, 4)


@pytest.mark.fault("J13", "L11", "J32")
@pytest.mark.parametrize("restored", [True, False])
def test_after_a_loss_an_export_under_other_ids_asks_before_it_sends(
    market: Market, *, restored: bool
) -> None:
    """That the ids of the adopted charges were edited, nobody knows any more; the files that told
    it are gone.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    night(market)
    shutil.copytree(market.folder / "state", market.folder / "before")
    job(market, R)
    inbox(market, d2=[sale(1), sale(2), sale(3)])
    night(market)
    inbox(market, d1=None, d2=None, d3=[sale(1), sale(2), sale(3), sale(4)])
    lose(market)
    if restored:
        shutil.copytree(market.folder / "before", market.folder / "state")
    for flags in ({"adopt": not restored}, {}):
        assert night(market, **flags) == 11
        paid = Counter(c["metadata"]["invoice"] for c in market.own_charges())
        assert paid == {f"INV-{number}": 1 for number in range(1, 5)}


@pytest.mark.fault("J06", "E13")
@pytest.mark.parametrize("same", [True, False])
def test_a_renamed_job_knows_its_old_corrections_and_the_rows_of_its_old_files(
    market: Market, *, same: bool
) -> None:
    """By the order that a charge corrects, and by the row of the very file, whatever the id is made
    of now.
    """
    job(market)
    inbox(market, d1=[sale(1, card=DECLINED), sale(2)])
    night(market)
    told_back(
        market, "00001", "CORRECTED", "inbox/r.csv", card="cust_test_sandbox7x4242"
    )
    night(market)
    inbox(market, r=None)
    once(market, 1, 2)
    if not same:
        shutil.rmtree(market.folder / "state")
        shutil.rmtree(market.folder / "reports")
    for column, files in (
        (R, {}),
        (A, {"d1": None, "d2": [sale(1, card="cust_test_sandbox7x4242"), sale(9)]}),
    ):
        job(market, column)
        path = market.folder / "job.toml"
        path.write_text(
            path.read_text("utf-8").replace('name = "night"', 'name = "renamed"'),
            "utf-8",
        )
        inbox(market, **files)
        assert night(market) == 78
        assert night(market) == 78
        assert len(market.own_charges()) == 3


@pytest.mark.fault("J06", "E13", "I1")
@pytest.mark.parametrize("answered", [True, False])
def test_a_second_job_of_a_journal_knows_whose_rows_of_the_file_were_asked_for(
    market: Market, *, answered: bool
) -> None:
    """It takes ids from another column: plan says what the run ends with, also of a request that
    nobody has answered and that no list shows.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    if not answered:
        market.sandbox.add_rule(method="POST", action="reset_before")
        market.sandbox.add_rule(
            method="GET", path="/charges*", status=503, commit="never", skip=2
        )
    night(market)
    market.sandbox.clear_rules()
    sent = market.posts()
    assert len(market.own_charges()) == (2 if answered else 0)
    job(market, R)
    path = market.folder / "job.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('name = "night"', 'name = "other"'), "utf-8")
    asked = plan(load_job(path))
    assert asked.exit_code == 78 and 'by job "night"' in asked.refusals[0]
    assert night(market) == 78 and market.posts() == sent


@pytest.mark.fault("J13", "J14")
@pytest.mark.parametrize("name", ["a0", "d9"])
def test_of_equal_rows_the_one_that_can_go_owns_the_order(
    market: Market, name: str
) -> None:
    """A rejected row came back as another, and was charged; its rejects row comes once more, as an
    order that stands in a file of its own.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(3, amount="x")])
    night(market)
    told_back(market, "00003", "00003-R", "inbox/r1.csv", amount=sale(3)["amount"])
    # a copy that somebody kept: the rejects file itself has the row no more once it is settled
    told_back(
        market, "00003", "00007", "kept.csv", **{**sale(7), "batchpay_retry": "yes"}
    )
    night(market)
    once(market, 1, 3)
    (market.folder / "kept.csv").rename(market.folder / f"inbox/{name}.csv")
    inbox(market, b5=[sale(7)])
    assert night(market) == 0
    once(market, 1, 3, 7)
    assert {
        row["outcome"] for row in market.results() if row["order_id"] == "00007"
    } == {
        "conflict",
        "succeeded",
    }


# --- an id that was a mistake


def ids(market: Market, **ids: str) -> None:
    """The lookup file: the id of each sale, by its number."""
    lines = [f"INV-{one[1:]},{order_id}\n" for one, order_id in ids.items()]
    (market.folder / "ids.csv").write_text("".join(["no,id\n", *lines]), "utf-8")


SUBSCRIPTION = {
    "card": "cust_test_sandbox1x4242",
    "amount": sale(1)["amount"],
    "recipient": sale(1)["recipient"],
}


@pytest.mark.fault("J13", "E05")
@pytest.mark.parametrize("terms", [SUBSCRIPTION, {"amount": sale(1)["amount"]}])
@pytest.mark.parametrize("way", ["beside", "back", "yes", "own", "renamed", "cancel"])
def test_a_sale_that_had_anothers_id_by_mistake_goes_when_that_is_mended(
    market: Market, terms: dict[str, str], way: str
) -> None:
    """At once where the file of the other tells that it is another; else a person says so, or puts
    that file back.
    """
    job(market, LOOKED_UP)
    ids(market, n1="X1", n5="X1")
    inbox(market, d1=[sale(1)])
    assert night(market) == 0
    inbox(market, d2=[sale(5, **terms)], d1=[sale(1)] if way == "beside" else None)
    night(market)
    ids(market, n1="Y1" if way == "renamed" else "X1", n5="X5", n7="X7")
    if way != "beside":
        assert night(market) == 11
        once(market, 1)
        (waits,) = [row for row in market.results() if row["outcome"] == "held"]
        assert (waits["order_id"], waits["who_acts"]) == (
            "X5",
            "accountant",
        ) and "--yes" in waits["reason"]
    if way in ("back", "renamed"):
        inbox(market, d1=[sale(1)])
    if way == "own":
        inbox(market, d2=None, d3=[sale(5, **terms), sale(7)])
        assert night(market) == 11
        once(market, 1, 7)
        inbox(market, d1=[sale(1)])
    if way == "cancel":
        cancelling.cancel(load_job(market.folder / "job.toml"), "X5", "no sale")
        inbox(market, d1=[sale(1)])
    paid = {"own": (1, 5, 7), "cancel": (1,)}.get(way, (1, 5))
    for flags in ({"yes": way == "yes"}, {}):
        assert night(market, **flags) == (10 if way == "cancel" else 0)
        once(market, *paid)


@pytest.mark.fault("J13", "E04", "I1")
def test_a_row_that_was_kept_back_beside_a_look_alike_goes_under_no_edited_id(
    market: Market,
) -> None:
    """Nobody can tell whether it is that order, until the file of that one tells."""
    job(market, LOOKED_UP)
    ids(market, n1="0017", n5="17")
    inbox(market, d1=[sale(1)])
    assert night(market) == 0
    inbox(market, d1=None, d2=[sale(5, **SUBSCRIPTION)])
    assert night(market) == 10
    ids(market, n1="0017", n5="X5")
    assert night(market) == 11
    once(market, 1)
    inbox(market, d1=[sale(1)])
    assert night(market) == 0
    once(market, 1, 5)


@pytest.mark.fault("J13", "E05")
@pytest.mark.parametrize("beside", [True, False])
def test_a_copy_of_a_sale_whose_id_was_edited_is_no_other_sale(
    market: Market, *, beside: bool
) -> None:
    """Its own file never came with the other id: nobody can tell, and that file tells."""
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 0
    inbox(
        market,
        d1=[sale(1), sale(2)] if beside else None,
        d2=[sale(1), sale(2), sale(3)],
    )
    assert night(market) == 0
    job(market, R)
    assert night(market) == (0 if beside else 11)
    once(market, 1, 2, 3)
    inbox(market, d2=None, d3=[sale(1), sale(2), sale(3), sale(4)])
    assert night(market) == (0 if beside else 11)
    once(market, 1, 2, 3, 4)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 0
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("J13", "E05")
def test_a_name_that_was_told_by_mistake_binds_nobody_when_it_is_mended(
    market: Market,
) -> None:
    """The row that was charged had the other's id for a night."""
    job(market, LOOKED_UP)
    ids(market, n1="X1")
    inbox(market, d1=[sale(1)])
    assert night(market) == 0
    ids(market, n1="X5")
    assert night(market) == 0
    ids(market, n1="X1", n5="X5")
    inbox(market, d2=[sale(5, **SUBSCRIPTION)])
    assert night(market) == 0
    once(market, 1, 5)


@pytest.mark.fault("J13", "J07")
@pytest.mark.parametrize("same_payer", [True, False])
def test_a_cancelled_order_cancels_nobody_who_had_its_id_by_mistake(
    market: Market, *, same_payer: bool
) -> None:
    """A stranger goes; who may be the same waits, until the file of the cancelled row tells."""
    job(market, LOOKED_UP)
    ids(market, n1="X1", n5="X1", n6="X6")
    inbox(market, d0=[sale(6), sale(1)])
    night(market, limit=1)
    cancelling.cancel(load_job(market.folder / "job.toml"), "X1", "fraud")
    night(market)
    inbox(market, d0=None, d2=[sale(5, **(SUBSCRIPTION if same_payer else {}))])
    assert night(market) == 10
    ids(market, n1="X1", n5="X5", n6="X6")
    assert night(market) == (11 if same_payer else 0)
    if same_payer:
        once(market, 6)
        inbox(market, d0=[sale(6), sale(1)])
        night(market)
    once(market, 5, 6)


@pytest.mark.fault("J13", "J07")
@pytest.mark.parametrize("gone", [True, False])
def test_a_cancelled_row_that_had_anothers_id_by_mistake_cancels_not_that_one(
    market: Market, *, gone: bool
) -> None:
    """The order whose id it had comes in a file of its own."""
    job(market, LOOKED_UP)
    ids(market, n1="X1", n5="X1", n6="X6")
    inbox(market, d2=[sale(6), sale(5)])
    night(market, limit=1)
    ids(market, n1="X1", n5="X5", n6="X6", n8="X8")
    inbox(market, a0=[sale(8)])
    night(market, limit=1)
    cancelling.cancel(load_job(market.folder / "job.toml"), "X5", "withdrew")
    inbox(market, d4=[sale(1)], d2=None if gone else [sale(6), sale(5)])
    night(market)
    once(market, 1, 6, 8)


@pytest.mark.fault("J13", "J07")
def test_a_cancelled_row_that_had_anothers_id_by_mistake_cancels_no_way_back_of_that_one(
    market: Market,
) -> None:
    """The order whose id it had was declined, and comes back from its rejects file."""
    job(market, LOOKED_UP)
    ids(market, n1="X1", n5="X1", n6="X6")
    inbox(market, d1=[sale(1, card=DECLINED)])
    night(market)
    inbox(market, d2=[sale(6), sale(5, amount=sale(1)["amount"])])
    night(market, limit=1)
    ids(market, n1="X1", n5="X5", n6="X6", n8="X8")
    inbox(market, a0=[sale(8)])
    night(market, limit=1)
    cancelling.cancel(load_job(market.folder / "job.toml"), "X5", "withdrew")
    told_back(market, "00001", "00001", "inbox/r.csv", card=sale(1)["card"])
    night(market)
    once(market, 1, 6, 8)


@pytest.mark.fault("J14")
@pytest.mark.parametrize("name", ["a0", "z9"])
def test_a_row_that_asks_again_goes_beside_one_that_does_not(
    market: Market, name: str
) -> None:
    """The export holds the declined order as it was, and the rejects file asks for it once more."""
    job(market)
    inbox(market, d1=[sale(1, card="cust_test_sandbox1x0011"), sale(2)])
    night(market)
    inbox(
        market, d1=None, d2=[sale(1, card="cust_test_sandbox1x0011"), sale(2), sale(3)]
    )
    told_back(market, "00001", "00001", f"inbox/{name}.csv", batchpay_retry="yes")
    night(market)
    assert (
        len([c for c in market.own_charges() if c["metadata"]["invoice"] == "INV-1"])
        == 2
    )
    night(market)
    assert (
        len([c for c in market.own_charges() if c["metadata"]["invoice"] == "INV-1"])
        == 2
    )


@pytest.mark.fault("J13", "E05")
@pytest.mark.parametrize("alike", [True, False])
def test_a_row_that_a_person_said_is_another_order_is_that_order_for_good(
    market: Market, *, alike: bool
) -> None:
    """Its correction was that order's duplicate; a later export has the row again, under the id
    that it had.
    """
    old = "a-1" if alike else "Z-7"
    job(market)
    inbox(market, d1=[sale(1, order_id="A-1"), sale(2)])
    assert night(market) == 0
    inbox(market, d2=[sale(1, order_id=old, amount="x"), sale(3)])
    night(market)
    told_back(market, old, "A-1", "inbox/r.csv", amount=sale(1)["amount"])
    assert night(market) == 0
    if alike:
        path = market.folder / "job.toml"
        path.write_text(
            path.read_text().replace("[input]\n", '[input]\nalike_ids = "distinct"\n')
        )
    inbox(market, d2=None, r=None, d3=[sale(1, order_id=old), sale(4)])
    night(market)
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("J13", "J07")
@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(
    "payer", ["cust_test_sandbox1x4242", "cust_test_sandbox9x4242"]
)
@pytest.mark.parametrize("amount", ["100.00", "999.00"])
def test_an_id_that_was_typed_for_a_sale_is_of_that_sale_whatever_it_asks_for(
    market: Market, *, beside: bool, payer: str, amount: str
) -> None:
    """A sale was corrected and charged; its row came back again under a third id and with other
    terms, and an export has an order of that id.
    """
    changes = {"card": payer, "amount": amount}
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    other = sale(1, order_id="N-2") | changes
    told_back(market, "00001", "N-2", "later.csv", **changes)
    told_back(market, "00001", "N-1", "inbox/b.csv", amount=sale(1)["amount"])
    assert night(market) == 0
    (market.folder / "later.csv").rename(market.folder / "inbox/c.csv")
    assert night(market) == 10
    if not beside:
        inbox(market, c=None)
    inbox(market, e=[other])
    assert night(market) == 10
    once(market, 1, 2)
    (row,) = [row for row in market.results() if row["file"] == "e.csv"]
    assert (row["outcome"], row["who_acts"]) == ("conflict", "accountant")
    inbox(market, e=None, f=[sale(9, **changes)])
    night(market)
    once(market, 1, 2, 9)


@pytest.mark.fault("J13", "J07")
def test_an_order_of_an_id_that_was_typed_for_a_sale_bars_its_later_corrections(
    market: Market,
) -> None:
    """The same the other way round: the row that came back first was rejected once more, and the
    order of its id went in an export.
    """
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    told_back(market, "00001", "N-2", "inbox/c.csv", amount="y")
    assert night(market) == 10
    inbox(market, c=None, e=[sale(1, order_id="N-2")])
    night(market)
    once(market, 1, 2)
    told_back(market, "00001", "N-1", "inbox/b.csv", amount="999.00")
    assert night(market) == 10
    inbox(market, f=[sale(1, amount="999.00")])
    assert night(market) == 10
    once(market, 1, 2)


@pytest.mark.fault("J07", "J13")
def test_an_id_that_was_typed_for_a_cancelled_sale_is_cancelled(market: Market) -> None:
    """Its correction was held and cancelled; another one came back under a third id."""
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    told_back(market, "00001", "N-1", "inbox/b.csv", amount=sale(1)["amount"])
    assert night(market, limit=0) == 11
    cancelling.cancel(load_job(market.folder / "job.toml"), "N-1", "not wanted")
    told_back(market, "00001", "N-2", "inbox/c.csv", amount="999.00")
    night(market)
    inbox(market, c=None, e=[sale(1, order_id="N-2", amount="999.00")])
    night(market)
    (row,) = [row for row in market.results() if row["file"] == "e.csv"]
    assert (row["outcome"], "cancelled" in row["reason"]) == ("rejected", True)
    once(market, 2)


@pytest.mark.fault("J07", "J13", "J14")
@pytest.mark.parametrize("made_of", [A, R])
def test_which_id_a_corrected_sale_has_is_told_by_the_row_that_it_goes_back_to(
    market: Market, made_of: str
) -> None:
    """Under an id of the other column, too, a person typed another one; the row that came back
    tells of that one alone. `made_of`: when it went.
    """
    folder = market.folder / "inbox"
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    typed = {"amount": sale(1)["amount"], "invoice": "INV-91"}
    told_back(market, "00001", "00091", "inbox/b.csv", **typed)
    for name in ("a", "b") if made_of == R else ("a",):
        (folder / f"{name}.csv").rename(market.folder / f"{name}.csv")
    if made_of == R:
        job(market, R)
        (market.folder / "b.csv").rename(folder / "b.csv")
    night(market)
    assert market.posts() == 2
    job(market, R)
    (folder / "b.csv").rename(market.folder / "b.csv")
    inbox(market, d=[sale(1), sale(5)])
    assert night(market) == 11
    (market.folder / "b.csv").rename(folder / "b.csv")
    for _ in range(2):
        assert night(market) == 11
    (held,) = [row for row in market.results() if row["outcome"] == "held"]
    batches = [report["batch"] for report in market.reports()]
    of_first = next(one["id"] for one in batches if one["file"] == "a.csv")
    assert f"put the file of batch {of_first} beside" in held["reason"]
    (market.folder / "a.csv").rename(folder / "a.csv")
    night(market)
    row = next(row for row in market.results() if row["file"] == "d.csv")
    assert row["outcome"] in ("duplicate", "conflict"), row
    assert market.posts() == 3


@pytest.mark.fault("I1", "J07", "J13", "J14")
def test_a_correction_waits_for_what_was_charged_under_an_id_of_its_sale_of_before(
    market: Market,
) -> None:
    """Two files contradict each other under one id; one row comes back under an id that a person
    typed, and the other is charged once ids are made of another column. Nobody knows what the
    corrected row is called now until its own file is read again.
    """
    folder = market.folder / "inbox"
    other = sale(1, card="cust_test_sandboxother4242")
    job(market)
    inbox(market, a=[sale(1)], b=[other])
    assert night(market) == 10
    batches = {one["batch"]["file"]: one["batch"]["id"] for one in market.reports()}
    told = market.folder / "reports" / batches["b.csv"] / "rejects.csv"
    with told.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    inbox(market, c=[{**row, "order_id": "00091", "invoice": "INV-91"}, sale(7)])
    assert night(market) == 10
    for name in ("b", "c"):
        (folder / f"{name}.csv").rename(market.folder / f"{name}.csv")
    job(market, R)
    night(market)
    assert market.posts() == 2
    (folder / "a.csv").unlink()
    (market.folder / "c.csv").rename(folder / "c.csv")
    for _ in range(2):
        assert night(market) == 11
    held = next(row for row in market.results() if row["file"] == "c.csv")
    assert held["outcome"] == "held"
    assert f"put the file of batch {batches['b.csv']} beside" in held["reason"]
    (market.folder / "b.csv").rename(folder / "b.csv")
    night(market)
    assert market.posts() == 2


@pytest.mark.fault("I8", "J07", "J13")
@pytest.mark.parametrize("name", ["a0", "d9"])
@pytest.mark.parametrize("cancelled", [False, True])
def test_what_money_or_a_word_says_of_a_row_comes_before_another_row_of_its_run(
    market: Market, *, name: str, cancelled: bool
) -> None:
    """A sale was corrected, and the export with it came again; its rejects row comes once more,
    under a third id and with other terms.
    """
    job(market)
    inbox(market, b1=[sale(1), sale(2, amount="x")])
    assert night(market) == 10
    told_back(market, "00002", "R-2", "later.csv", amount="999.00")
    told_back(market, "00002", "R-1", "inbox/b2.csv", amount=sale(2)["amount"])
    if cancelled:
        assert night(market, limit=0) == 11
        cancelling.cancel(load_job(market.folder / "job.toml"), "R-1", "not wanted")
    night(market)
    inbox(market, b3=[sale(1), sale(2)])
    night(market)
    (market.folder / "later.csv").rename(market.folder / f"inbox/{name}.csv")
    night(market)
    rows_here = [row for row in market.results() if row["order_id"] in ("00002", "R-2")]
    found = {row["file"]: row for row in rows_here}
    wanted = ("rejected", "rejected") if cancelled else ("duplicate", "conflict")
    assert (found["b3.csv"]["outcome"], found[f"{name}.csv"]["outcome"]) == wanted
    assert ("R-1" in found[f"{name}.csv"]["reason"]) != cancelled
    once(market, *([1] if cancelled else [1, 2]))


@pytest.mark.fault("E04", "E11")
def test_of_two_new_files_with_the_same_sales_under_other_ids_one_goes(
    market: Market,
) -> None:
    """In one run: the second is refused until a person says that they are new; and it is the first
    that is named.
    """
    job(market)
    twins = [sale(number, order_id=f"Q-{number}") for number in (1, 2, 3)]
    inbox(market, p=[sale(1), sale(2), sale(3)], q=twins)
    for _ in range(2):
        assert night(market) == 65
        once(market, 1, 2, 3)
    (reason,) = {row["reason"] for row in market.results() if row["file"] == "q.csv"}
    assert "(p.csv, received" in reason
    assert night(market, yes=True) == 0
    assert len(market.own_charges()) == 6


# --- is it new? what is asked stays asked, and a word answers what it was said about


def renumbered(*numbers: int) -> list[dict[str, str]]:
    """The same sales in an export that gives its orders other ids."""
    return [sale(number, order_id=f"Q-{number}") for number in numbers]


@pytest.mark.fault("E04", "J13")
@pytest.mark.parametrize("again", [(1, 2, 3), (3, 2, 1), (1, 2, 3, 4), (1, 2), (1, 4)])
@pytest.mark.parametrize("beside", [False, True])
def test_a_question_about_a_file_stays_asked(
    market: Market, again: tuple[int, ...], *, beside: bool
) -> None:
    """A file that was refused makes its own ids known to nobody: saved anew, sorted, with a row
    more or less, it is refused again, in the plan, too; until a person says that its orders are
    new.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    assert night(market) == 0
    inbox(market, d1=None, d2=renumbered(1, 2, 3))
    assert night(market) == 65
    path = market.folder / "inbox" / "d2.csv"
    if again == (1, 2, 3):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    elif not beside:
        inbox(market, d2=renumbered(*again))
    else:
        inbox(market, d3=renumbered(*again))
    for _ in range(2):
        assert plan(load_job(market.folder / "job.toml")).exit_code == 65
        assert night(market) == 65
        once(market, 1, 2, 3)
    for flags in ({"yes": True}, {}):
        # what only the refused file asks for is held
        assert night(market, **flags) in (0, 11)
        assert {f"Q-{number}" for number in again} <= set(market.money())
    assert max(market.money().values()) == 1


@pytest.mark.fault("E04", "J13")
def test_a_word_about_some_orders_of_a_refused_file_is_none_about_the_others(
    market: Market,
) -> None:
    """Of three that were asked about one was cancelled, and one turned out to be new, in a file of
    its own.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    night(market)
    inbox(market, d1=None, d2=renumbered(1, 2, 3))
    assert night(market) == 65
    cancelling.cancel(load_job(market.folder / "job.toml"), "Q-1", "the same sale")
    assert night(market) == 65
    inbox(market, d2=None, d3=renumbered(2))
    assert night(market) == 65
    night(market, yes=True)
    inbox(market, d3=None, d2=renumbered(1, 2, 3))
    assert night(market) == 65
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1, "Q-2": 1}


def night_at(market: Market, days: int) -> int:
    """One run while this machine's clock is so many days ahead, or behind."""
    was = SystemClock.now_ns
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            SystemClock, "now_ns", lambda self: was(self) + days * 86_400 * 10**9
        )
        return night(market)


@pytest.mark.fault("C04", "E04", "I1")
def test_a_file_that_came_when_the_clock_was_behind_is_as_recent_as_what_it_sent(
    market: Market,
) -> None:
    """So is one that waited long: its orders under other ids are asked about."""
    job(market)
    inbox(market, d1=[sale(number) for number in range(1, 4)])
    assert night_at(market, -20) == 78
    assert night(market) == 0
    inbox(market, d0=[sale(4)])
    assert night(market) == 0
    with closing(journal_of(market)) as journal:
        came = {batch.id: batch.first_seen_ns for batch in journal.batches()}
    assert night_at(market, -20) == 78  # which says nothing of files that came before
    with closing(journal_of(market)) as journal:
        assert came == {batch.id: batch.first_seen_ns for batch in journal.batches()}
    inbox(market, d0=None, d1=None, d2=renumbered(1, 2, 3))
    assert night(market) == 65
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("C04", "E04", "I1")
def test_a_file_that_came_when_the_clock_was_ahead_is_held_against_what_was_asked(
    market: Market,
) -> None:
    """Of the last ten days as they are when it is sent: a damaged id is known."""
    job(market)
    inbox(market, d1=[sale(1, order_id="2.50")])
    assert night(market) == 0
    inbox(market, d1=None, d2=[sale(1, order_id="2.5"), *map(sale, (6, 7, 8))])
    assert night_at(market, 20) == 78
    assert night(market) == 10
    once(market, 1, 6, 7, 8)


@pytest.mark.fault("E04")
def test_two_files_of_the_same_orders_do_not_refuse_each_other(market: Market) -> None:
    """The same rows in other bytes, and nothing of them was sent before: the rows repeat each
    other.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    night(market, limit=0)
    inbox(market, d2=[sale(3), sale(2), sale(1), sale(4)])
    night(market, limit=0)
    assert night(market) == 0
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("E04")
def test_a_file_that_holds_all_of_a_recent_one_under_other_ids_is_refused(
    market: Market,
) -> None:
    """Alone or beside others, however many; a part of it is a warning, on the terminal and in the
    reports.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    night(market)
    inbox(market, d1=None, d2=renumbered(*range(1, 12)))
    assert night(market) == 65
    once(market, 1, 2, 3)
    inbox(
        market,
        d2=None,
        d3=[sale(number, order_id=f"P-{number}") for number in (1, 2, 5)],
    )
    told = plan(load_job(market.folder / "job.toml"))
    assert told.exit_code == 11 and "2 of its 3 new orders" in json.dumps(
        told.document()
    )
    done = market.run("--summary")
    assert (
        done.returncode == 11 and "2 of its 3 new orders" in done.stdout + done.stderr
    )
    (report,) = [one for one in market.reports() if "d3.csv" in json.dumps(one)]
    assert "2 of its 3 new orders" in json.dumps(report)


def cards(market: Market, column: str = A) -> None:
    """The job, with a card of each customer."""
    job(market, column)
    path = market.folder / "job.toml"
    text = path.read_text("utf-8").replace(
        'customer    = "card"', 'customer    = "card"\ncard        = "its"'
    )
    path.write_text(text, "utf-8")


@pytest.mark.fault("E04", "J13")
@pytest.mark.parametrize("column", [A, R])
def test_a_new_card_of_a_customer_makes_no_other_payer(
    market: Market, column: str
) -> None:
    """An export under other ids, with the cards that its customers have now; and the same after an
    edit of the job.
    """
    cards(market)
    inbox(
        market,
        d1=[sale(number, its=f"card_test_sandbox{number}x1") for number in (1, 2, 3)],
    )
    assert night(market) == 0
    cards(market, column)
    ids: Any = (
        (lambda _: {}) if column == R else (lambda number: {"order_id": f"Q-{number}"})
    )
    inbox(
        market,
        d1=None,
        d2=[sale(n, its=f"card_test_sandbox{n}x2", **ids(n)) for n in (1, 2, 3)],
    )
    for _ in range(2):
        assert night(market) == (11 if column == R else 65)
        once(market, 1, 2, 3)


@pytest.mark.fault("J13", "L11")
@pytest.mark.parametrize("lost", [False, True])
def test_where_nobody_can_tell_who_pays_a_charge_of_other_ids_may_be_the_same(
    market: Market, *, lost: bool
) -> None:
    """Tokens are new for each sale: after an edit of the job an order waits beside a charge of the
    same money.
    """
    market.job(file="inbox/*.csv")
    inbox(market, d1=[order(1), order(2)])
    assert night(market) == 0
    if lost:
        lose(market)
    path = market.folder / "job.toml"
    path.write_text(
        path.read_text().replace('order_id    = "order_id"', 'order_id    = "invoice"')
    )
    inbox(
        market,
        d1=None,
        d2=[order(n, card=f"tokn_test_sandboxnew{n}x4242") for n in (1, 2, 3)],
    )
    assert night(market, adopt=lost) == 11
    assert night(market) == 11
    once(market, 1, 2, 3)
    assert night(market, yes=True) == 0
    assert len(market.own_charges()) == 5


@pytest.mark.fault("J13")
@pytest.mark.parametrize("limit", [None, 0])
def test_a_word_that_an_order_is_new_is_none_about_others(
    market: Market, *, limit: int | None
) -> None:
    """--yes was said of one order beside a charge of another id; the others are asked about when
    they come.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)])
    assert night(market) == 0
    job(market, R)
    another = sale(1, invoice="INV-11")
    inbox(market, d1=None, d2=[another, sale(8)])
    assert night(market) == 11
    night(market, yes=True, limit=limit)
    assert night(market) == 0
    inbox(market, d2=None, d3=[sale(2), sale(3), another, sale(8), sale(9)])
    for _ in range(2):
        assert night(market) == 11
        once(market, 1, 2, 3, 8, 9, 11)
    assert {
        row["order_id"] for row in market.results() if row["outcome"] == "held"
    } == {
        "INV-2",
        "INV-3",
    }


@pytest.mark.fault("J13", "I1")
def test_a_word_about_one_of_two_sales_with_the_same_terms_is_none_about_the_other(
    market: Market,
) -> None:
    """One customer buys the same twice: each is asked about by its own id, and where both stand
    against one charge each names the other.
    """
    first, second, third = (sale(1, invoice=f"INV-{number}") for number in (1, 11, 12))
    job(market)
    inbox(market, d1=[first])
    assert night(market) == 0
    job(market, R)
    inbox(market, d1=None, d2=[second])
    assert night(market) == 11
    assert night(market, yes=True) == 0
    inbox(market, d2=None, d3=[third])
    for _ in range(2):
        assert night(market) == 11
        once(market, 1, 11)
    (held,) = [row for row in market.results() if row["outcome"] == "held"]
    assert held["order_id"] == "INV-12" and "--yes" in held["reason"]
    inbox(market, d3=None, d4=[first, third])
    assert night(market) == 11
    reasons = {
        row["order_id"]: row["reason"]
        for row in market.results()
        if row["file"] == "d4.csv"
    }
    assert "may as well be INV-12" in reasons["INV-1"]
    assert "may as well be INV-1," in reasons["INV-12"]
    once(market, 1, 11)


@pytest.mark.fault("L11", "J32", "J13")
@pytest.mark.parametrize("more", [(4,), (4, 5, 6, 7)])
def test_adopted_charges_that_a_file_asks_for_again_are_asked_about_beside_new_orders(
    market: Market, more: tuple[int, ...]
) -> None:
    """65, and one more order in the next export is no answer; a word about one file is none about
    the next.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2), sale(3)], e1=[sale(21), sale(22)])
    assert night(market) == 0
    lose(market)
    inbox(market, d1=None, e1=None, d2=renumbered(1, 2, 3))
    for adopt in (True, False):
        assert night(market, adopt=adopt) == 65
    inbox(market, d2=None, d3=[*renumbered(1, 2, 3), *map(sale, more)])
    for _ in range(2):
        assert night(market) == 65
        once(market, 1, 2, 3, 21, 22)
    assert night(market, yes=True) == 0
    inbox(market, d3=None, d4=renumbered(21, 22, 23))
    assert night(market) == 65
    assert "Q-21" not in market.money()


@pytest.mark.fault("L11", "J13")
def test_an_adopted_charge_that_lost_of_what_its_id_was_made_may_be_any_order(
    market: Market,
) -> None:
    """Its metadata was edited at the gateway, or it is an earlier version's; the job makes other
    ids now.
    """
    job(market)
    inbox(market, d1=[sale(1)])
    assert night(market) == 0
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            charge.metadata = {
                k: v
                for k, v in charge.metadata.items()
                if k not in ("batchpay_ids", "batchpay_row")
            }
    lose(market)
    job(market, R)
    inbox(market, d1=None, d2=[sale(1), sale(2)])
    for adopt in (True, False):
        assert night(market, adopt=adopt) == 11
        once(market, 1, 2)


def as_of_an_earlier_version(market: Market, intent: str) -> None:
    """What attempts asked for as it was kept then. `intent`: in SQL, of `data`."""
    with closing(sqlite3.connect(next((market.folder / "state").glob("*.db")))) as raw:
        triggers = raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(f"UPDATE events SET data = {intent} WHERE kind = 'intent'")
        for _, sql in triggers:
            raw.execute(sql)
        raw.commit()


@pytest.mark.fault("J13", "J33")
@pytest.mark.parametrize("edited", [False, True])
def test_what_an_earlier_version_asked_for_is_of_the_ids_that_were_noted_first(
    market: Market, *, edited: bool
) -> None:
    """Its attempts do not tell of which cells their ids were made: no objection until the job's are
    made of others.
    """
    job(market)
    inbox(market, d1=[sale(1), sale(2)])
    assert night(market) == 0
    as_of_an_earlier_version(market, "json_set(data, '$.intent.ids_from', '')")
    with closing(
        SqliteJournal(
            next((market.folder / "state").glob("*.db")), "night", read_only=True
        )
    ) as journal:
        terms = fitting_terms(
            "cust_test_sandbox1x4242", "recp_test_sandbox1", 10125, "THB"
        )
        found = journal.asked_under(terms, "other")
        assert [asked[3:] for asked in found[terms[0]]] == [("", "intent")]
        ids = [str(event.data["ids_from"]) for event in journal.events(["ids"])]
        lineages = Lineages(journal, ids_from="other" if edited else ids[0])
        assert (
            lineages.names.first_source == ids[0]
            and lineages.names.had_other_sources is edited
        )


# --- what the job adds to every row

EDITS = {
    "description": {"description": '{ value = "thanks" }'},
    "metadata": {"metadata": '{ invoice = "invoice", who = { value = "night" } }'},
    "return_uri": {"return_uri": '{ value = "https://example.com/back" }'},
}


def settle_as_not_charged(market: Market, order_id: str) -> None:
    """A person looked, and says that it took no money."""
    done = market.run(
        order_id, "--as", "not-charged", "--reason", "paid in cash", verb="resolve"
    )
    assert done.returncode == 0, done


def asked_in_vain(market: Market) -> None:
    """Of four sales one is declined, one charged, and of one a person says that it was not."""
    job(market)
    inbox(market, d0=[sale(3)])
    market.sandbox.add_rule(action="reset_before", order_id="00003")
    market.sandbox.add_rule(
        method="GET", path="/charges*", status=503, commit="never", skip=2
    )
    night(market)
    market.sandbox.clear_rules()
    time.sleep(1.0)
    settle_as_not_charged(market, "00003")
    inbox(market, d1=[sale(1, card=DECLINED), sale(2)])
    night(market)
    inbox(market, d2=[sale(1, card=DECLINED), sale(2), sale(3), sale(4)])
    night(market)
    assert market.money() == {"00002": 1, "00004": 1}


@pytest.mark.fault("J13", "J07", "H05", "I1")
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_the_job_adds_to_every_row_changes_no_row(
    market: Market, edit: str
) -> None:
    """The same files go on being what they were: nobody's card is asked again, what a person
    settled stays so, and what was paid is no conflict. Not with a new file of the same rows either.
    """
    asked_in_vain(market)
    before, posts = market.outcomes(), market.posts()
    job(market, **EDITS[edit])
    assert night(market) == 10
    assert (market.outcomes(), market.posts()) == (before, posts)
    inbox(market, d3=[sale(1, card=DECLINED), sale(2), sale(3), sale(4), sale(5)])
    assert night(market) == 10
    assert market.posts() == posts + 1 and market.money()["00005"] == 1
    assert market.outcomes()["conflict"] == 0


@pytest.mark.fault("J13", "J07", "H05")
@pytest.mark.parametrize("way", ["its money", "batchpay_retry"])
def test_after_such_an_edit_a_row_comes_back_as_ever(market: Market, way: str) -> None:
    """Another amount is a change of the row, whoever edited what; batchpay_retry asks for it."""
    asked_in_vain(market)
    job(market, **EDITS["description"])
    changes = {"amount": "99.00", "card": "cust_test_sandbox1y4242"}
    if way == "batchpay_retry":
        changes = {"batchpay_retry": "yes"}
    inbox(market, d0=None, d1=None, d2=None)
    inbox(market, d3=[sale(1, **{"card": DECLINED, **changes}), sale(3, **changes)])
    night(market)
    assert market.money()["00003"] == 1
    asked = [charge["metadata"]["order_id"] for charge in market.own_charges()]
    assert asked.count("00001") == 2


@pytest.mark.fault("J13", "J07")
def test_a_changed_cell_that_is_sent_beside_the_money_is_a_changed_row(
    market: Market,
) -> None:
    """Its sender changed the row: declined, it is the next attempt; paid, a conflict."""
    asked_in_vain(market)
    changed = {"invoice": "INV-other"}
    inbox(market, d0=None, d1=None, d2=None)
    inbox(market, d3=[sale(1, **{"card": DECLINED, **changed}), sale(2, **changed)])
    night(market)
    asked = [charge["metadata"]["order_id"] for charge in market.own_charges()]
    assert asked.count("00001") == 2 and asked.count("00002") == 1
    assert market.outcomes()["conflict"] == 1


def rows_of_file(market: Market, name: str) -> list[dict[str, str]]:
    """The rows of an input file, as its results have them."""
    return [row for row in market.results() if row["file"] == f"{name}.csv"]


@pytest.mark.fault("J13", "J07", "H05", "E05")
@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize(
    "way", ["a cell", "the lookup file", "the lookup file, an older row"]
)
def test_another_recipient_is_other_content_whoever_gave_it(
    market: Market, way: str, *, settled: bool
) -> None:
    """Of an order that was asked for in vain, or that a person settled as not charged: in its own
    batch that is final; a row of another one is the next attempt, once.
    """
    payer = {} if settled else {"card": DECLINED}
    shops(market, A, "A", "B")
    inbox(market, d0=[sale(3, recipient="A", **payer)])
    if settled:
        market.sandbox.add_rule(action="reset_before", order_id="00003")
        market.sandbox.add_rule(
            method="GET", path="/charges*", status=503, commit="never", skip=2
        )
    night(market)
    market.sandbox.clear_rules()
    if settled:
        time.sleep(1.0)
        settle_as_not_charged(market, "00003")
    if way == "the lookup file, an older row":
        inbox(market, d2=[sale(3, recipient="A", **payer), sale(4, recipient="B")])
        night(market)
        assert rows_of_file(market, "d2")[0]["outcome"] == "duplicate"
    changed = (market.folder / "shops.csv").read_text() + "C,recp_test_sandbox9\n"
    if way != "a cell":
        changed = changed.replace("A,recp_test_sandbox1", "A,recp_test_sandbox9")
    (market.folder / "shops.csv").write_text(changed)
    night(market)  # with the first file alone, or the older row beside it
    if way != "the lookup file, an older row":
        assert market.outcomes().total() == 1 and not market.money()
        shop = "C" if way == "a cell" else "A"
        inbox(market, d2=[sale(3, recipient=shop, **payer), sale(4, recipient="B")])
        night(market)
    night(market)
    (own,) = rows_of_file(market, "d0")
    later, _ = rows_of_file(market, "d2")
    assert own["destination"] == "recp_test_sandbox1"
    assert (later["destination"], later["attempts"]) == ("recp_test_sandbox9", "2")
    assert later["outcome"] == ("succeeded" if settled else "declined")
    asked = [
        charge["destination"]
        for charge in market.own_charges()
        if charge["metadata"]["order_id"] == "00003"
    ]
    assert asked == [*([] if settled else ["recp_test_sandbox1"]), "recp_test_sandbox9"]


@pytest.mark.fault("J07", "J13", "E05")
@pytest.mark.parametrize("told", [True, False])
def test_an_order_that_went_before_a_person_typed_its_id_is_another_sale_by_its_terms(
    market: Market, *, told: bool
) -> None:
    """It came in a plain export, with another payer and amount, while the row that it may be waited
    in a rejects file: nothing links the two (never-twice.md). A row that comes back under its id is
    told that it asks for something else.
    """
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    other = {"card": "cust_test_sandbox9x4242", "amount": "999.00"}
    inbox(market, e=[sale(1, order_id="N-1", invoice="INV-11", **other)])
    night(market)
    if told:
        told_back(market, "00001", "N-1", "inbox/b.csv", amount=sale(1)["amount"])
        assert night(market) == 10
        once(market, 2, 11)
        (row,) = rows_of_file(market, "b")
        assert (
            row["outcome"] == "conflict" and "other content: order N-1" in row["reason"]
        )
        inbox(market, b=None)
    told_back(market, "00001", "R-1", "inbox/c.csv", amount=sale(1)["amount"])
    assert night(market, yes=told) == 0
    once(market, 1, 2, 11)


@pytest.mark.fault("J07", "J13", "E05")
def test_an_order_that_went_before_its_row_came_back_under_its_id_answers_for_it(
    market: Market,
) -> None:
    """With the same terms it is that sale, under whatever third id the row comes once more."""
    job(market)
    inbox(market, a=[sale(1, amount="x"), sale(2)])
    assert night(market) == 10
    told_back(market, "00001", "R-1", "later.csv", amount=sale(1)["amount"])
    inbox(market, e=[sale(1, order_id="N-1")])
    night(market)
    told_back(market, "00001", "N-1", "inbox/b.csv", amount=sale(1)["amount"])
    assert night(market) == 0
    inbox(market, b=None)
    (market.folder / "later.csv").rename(market.folder / "inbox/c.csv")
    assert night(market) == 0
    assert [rows_of_file(market, name)[0]["outcome"] for name in "bc"] == [
        "duplicate"
    ] * 2
    once(market, 1, 2)
