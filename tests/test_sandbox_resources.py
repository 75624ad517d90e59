"""What the sandbox's objects go through after they are made: events, books, refunds, transfers,
recipients, expiry.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from batchpay.sandbox import SandboxServer
from batchpay.sandbox.ledger import EVENTS_KEPT
from batchpay.sandbox.records import Charge
from batchpay.sandbox.store import Store
from tests.sandboxes import RECIPIENT, client, order, refused

EVENT_KEYS = {
    "object",
    "id",
    "livemode",
    "location",
    "webhook_deliveries",
    "data",
    "key",
    "created_at",
}
REFUND_KEYS = {
    "object",
    "id",
    "location",
    "livemode",
    "voided",
    "currency",
    "amount",
    "metadata",
    "charge",
    "capture",
    "terminal",
    "transaction",
    "status",
    "funding_amount",
    "funding_currency",
    "created_at",
    "acquirer_reference_number",
    "approval_code",
}


@pytest.fixture
def sandbox():
    with SandboxServer() as started:
        yield started


@pytest.fixture
def api(sandbox):
    with client(sandbox) as opened:
        yield opened


def keys(api, path="/events"):
    return [
        event["key"] for event in api.get(path, params={"limit": 100}).json()["data"]
    ]


# --- events


def test_every_step_of_a_charge_is_an_event_with_the_charge_as_it_was_then(api):
    """A source pays later: created pending, completed successful; each event keeps its own
    picture.
    """
    charge = api.post(
        "/charges", data=order(customer="", source="src_test_sandbox1")
    ).json()
    api.patch(f"/charges/{charge['id']}", data={"description": "asked again"})
    api.post(f"/charges/{charge['id']}/mark_as_paid")
    page = api.get(f"/charges/{charge['id']}/events").json()
    assert [one["key"] for one in page["data"]] == [
        "charge.create",
        "charge.update",
        "charge.complete",
    ]
    assert page["total"] == 3
    created, updated, completed = (one["data"] for one in page["data"])
    assert (created["status"], created["description"], created["paid"]) == (
        "pending",
        None,
        False,
    )
    assert (updated["status"], updated["description"]) == ("pending", "asked again")
    assert (completed["status"], completed["paid"], completed["id"]) == (
        "successful",
        True,
        charge["id"],
    )
    assert created == charge
    event = page["data"][0]
    assert set(event) == EVENT_KEYS
    assert api.get(f"/events/{event['id']}").json() == event
    assert keys(api)[-2:] == ["charge.complete", "transfer.create"]
    refused(api.get("/events/evnt_test_nothing"), 404, "not_found")
    refused(api.get("/charges/chrg_test_nothing/events"), 404, "not_found")


def test_the_other_ends_of_a_charge_are_events_too(api):
    def held(number):
        return api.post("/charges", data=order(number, capture="false")).json()["id"]

    ids = [held(number) for number in range(3)]
    api.post(f"/charges/{ids[0]}/capture")
    api.post(f"/charges/{ids[1]}/reverse")
    api.post(f"/charges/{ids[2]}/expire")
    told = [keys(api, f"/charges/{name}/events")[-1] for name in ids]
    assert told == ["charge.capture", "charge.reverse", "charge.expire"]
    failing = api.post(
        "/charges", data=order(customer="", source="src_test_sandbox1")
    ).json()["id"]
    failed = api.post(
        f"/charges/{failing}/mark_as_failed", data={"failure_code": "payment_cancelled"}
    ).json()
    assert (failed["status"], failed["failure_code"], failed["transaction"]) == (
        "failed",
        "payment_cancelled",
        None,
    )
    refused(api.post(f"/charges/{failing}/mark_as_paid"), 400, "bad_request")


def test_transfers_recipients_and_customers_tell_their_steps(api):
    api.post("/charges", data=order(destination=""))
    made = api.post("/transfers", data={"amount": "4000", "recipient": RECIPIENT})
    path = f"/transfers/{made.json()['id']}"
    api.patch(path, data={"metadata[note]": "n"})
    api.post(f"{path}/mark_as_paid")
    other = api.post("/transfers", data={"amount": "4000"}).json()["id"]
    api.delete(f"/transfers/{other}")
    customer = api.post("/customers", data={"email": "c@example.com"}).json()["id"]
    api.delete(f"/customers/{customer}")
    assert keys(api) == [
        "charge.create",
        "transfer.create",
        "transfer.update",
        "transfer.send",
        "transfer.pay",
        "transfer.create",
        "transfer.destroy",
        "customer.create",
        "customer.destroy",
    ]


def test_events_are_the_same_after_a_restart(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with SandboxServer(ledger_path=path) as sandbox, client(sandbox) as api:
        charge = api.post("/charges", data=order(capture="false")).json()["id"]
        api.post(f"/charges/{charge}/capture")
        api.post(f"/charges/{charge}/refunds", data={"amount": "100"})
        paths = (
            "/events",
            "/transactions",
            "/refunds",
            "/balance",
            f"/charges/{charge}",
        )
        before = [api.get(one, params={"to": "2999-01-01"}).json() for one in paths]
    with SandboxServer(ledger_path=path) as sandbox, client(sandbox) as api:
        after = [api.get(one, params={"to": "2999-01-01"}).json() for one in paths]
    for one in (before[3], after[3]):
        del one["created_at"]
    assert after == before
    assert [one["key"] for one in before[0]["data"]] == [
        "charge.create",
        "charge.capture",
        "transfer.create",
        "refund.create",
    ]


def test_old_events_are_forgotten_so_that_a_million_charges_fit():
    """The newest are kept, in order, and found by id; the oldest are gone from both."""
    ledger = Store().of("somebody")
    charge = Charge("chrg_test_0", False, ledger.now(), 2000, "THB")
    for number in range(2 * EVENTS_KEPT + 10):
        charge.description = str(number)
        ledger.commit(charge, news="charge.update")
    kept = ledger.order["event", False]
    assert EVENTS_KEPT <= len(kept) <= 2 * EVENTS_KEPT
    assert list(ledger.shelves["event"]) == kept
    told = [ledger.shelves["event"][name].data["description"] for name in kept[-3:]]
    assert told == [str(2 * EVENTS_KEPT + number) for number in (7, 8, 9)]


# --- the books


def test_the_books_have_one_credit_of_net_a_paid_charge_and_one_debit_a_sent_transfer(
    api,
):
    """Declined and pending charges have no line; a transfer has none until it is sent; the balance
    is the sum.
    """
    charge = api.post("/charges", data=order(1)).json()
    api.post("/charges", data=order(2, customer="cust_test_sandbox0011"))
    api.post("/charges", data=order(3, capture="false"))
    (transfer,) = api.get("/transfers").json()["data"]
    (credit,) = api.get("/transactions").json()["data"]
    assert (credit["amount"], credit["direction"], credit["key"]) == (
        charge["net"],
        "credit",
        "charge.captured.net",
    )
    assert (credit["origin"], credit["id"]) == (charge["id"], charge["transaction"])
    api.post(f"/transfers/{transfer['id']}/mark_as_sent")
    api.post(f"/transfers/{transfer['id']}/mark_as_paid")
    _, debit = api.get("/transactions").json()["data"]
    assert (debit["amount"], debit["direction"], debit["key"]) == (
        100000,
        "debit",
        "transfer.sent.debit",
    )
    assert debit["origin"] == transfer["id"]
    assert api.get(f"/transactions/{debit['id']}").json() == debit
    assert api.get("/balance").json()["total"] == charge["net"] - 100000
    at = debit["created_at"]
    assert api.get("/transactions", params={"from": at}).json()["total"] in (1, 2)
    assert api.get("/transactions", params={"from": "2999-01-01"}).json()["total"] == 0
    assert api.get("/transactions", params={"to": "2001-01-01"}).json()["total"] == 0
    refused(api.get("/transactions/trxn_test_nothing"), 404, "not_found")


def test_the_balance_is_in_one_currency_whatever_the_charges_are_in(api):
    """1,000 yen are 250 baht here; a chained transfer in yen is set aside and booked in baht."""
    charge = api.post("/charges", data=order(currency="jpy", amount="1000")).json()
    assert (charge["funding_amount"], charge["currency"]) == (25000, "JPY")
    (transfer,) = api.get("/transfers").json()["data"]
    assert (transfer["amount"], transfer["currency"]) == (1000, "JPY")
    balance = api.get("/balance").json()
    assert (balance["total"], balance["on_hold"]) == (charge["net"], 25000)
    api.post(f"/transfers/{transfer['id']}/mark_as_sent")
    assert api.get("/balance").json()["total"] == charge["net"] - 25000


def test_an_unsent_transfer_changes_within_the_balance_and_then_no_more(api):
    api.post("/charges", data=order(destination=""))  # leaves 96,094
    transfer = api.post(
        "/transfers", data={"amount": "50000", "recipient": RECIPIENT}
    ).json()
    path = f"/transfers/{transfer['id']}"
    refused(api.patch(path, data={"amount": "96095"}), 422, "insufficient_balance")
    refused(api.patch(path, data={"amount": "3000"}), 400, "invalid_amount")
    refused(api.patch(path, data={"amount": "-1"}), 400, "bad_request")
    assert api.patch(path, data={"amount": "96094"}).json()["net"] == 93094
    assert api.get("/balance").json()["transferable"] == 0
    assert api.delete(path).json() == {
        "object": "transfer",
        "id": transfer["id"],
        "livemode": False,
        "deleted": True,
    }
    assert api.get("/balance").json()["transferable"] == 96094
    refused(api.get(path), 404, "not_found")
    refused(api.post(f"{path}/mark_as_sent"), 404, "not_found")


# --- refunds


def test_a_refund_gives_back_a_part_or_all_and_never_more(api):
    charge = api.post("/charges", data=order(destination="")).json()
    path = f"/charges/{charge['id']}/refunds"
    refund = api.post(path, data={"amount": "40000", "metadata[why]": "torn"}).json()
    assert set(refund) == REFUND_KEYS
    assert (refund["amount"], refund["charge"], refund["status"]) == (
        40000,
        charge["id"],
        "closed",
    )
    assert (refund["metadata"], refund["location"]) == (
        {"why": "torn"},
        f"{path}/{refund['id']}",
    )
    refused(api.post(path, data={"amount": "60001"}), 400, "failed_refund")
    refused(api.post(path, data={"amount": "0"}), 400, "bad_request")
    api.post(path, data={"amount": "60000"})
    after = api.get(f"/charges/{charge['id']}").json()
    assert (after["status"], after["refunded_amount"], after["refundable"]) == (
        "successful",
        100000,
        False,
    )
    assert [one["amount"] for one in after["refunds"]["data"]] == [40000, 60000]
    assert api.get(refund["location"]).json() == refund
    assert api.get(path).json()["total"] == api.get("/refunds").json()["total"] == 2
    debit = api.get(f"/transactions/{refund['transaction']}").json()
    assert (debit["direction"], debit["amount"], debit["origin"]) == (
        "debit",
        40000,
        refund["id"],
    )
    assert api.get("/balance").json()["total"] == charge["net"] - 100000
    assert (
        api.get(
            "/search", params={"scope": "charge", "filters[refunded]": "yes"}
        ).json()["total"]
        == 1
    )
    declined = api.post(
        "/charges", data=order(customer="cust_test_sandbox0011")
    ).json()["id"]
    refused(
        api.post(f"/charges/{declined}/refunds", data={"amount": "100"}),
        400,
        "failed_refund",
    )


# --- pending charges


def test_a_pending_charge_expires_when_its_time_is_over(sandbox, api):
    """Nobody has to ask for it: the next look at any list finds it expired, and paying it is too
    late.
    """
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    charge = api.post("/charges", data=order(capture="false", expires_at=soon)).json()
    assert (charge["status"], charge["expires_at"]) == ("pending", soon)
    week = api.post("/charges", data=order(2, capture="false")).json()
    sandbox.set_clock(3601)
    after, other = api.get("/charges").json()["data"]
    assert other == week
    assert (after["status"], after["expired"], after["expired_at"]) == (
        "expired",
        True,
        soon,
    )
    refused(api.post(f"/charges/{charge['id']}/capture"), 400, "expired_charge")
    refused(
        api.post("/charges", data=order(expires_at="2001-01-01T00:00:00Z")),
        400,
        "bad_request",
    )
    assert api.get("/transfers").json()["total"] == 0


# --- recipients


def test_a_recipient_changes_is_verified_again_and_goes(api):
    """Another bank account is another payee: until it is verified nobody can be paid there."""
    fields = {
        "name": "Lotus",
        "type": "individual",
        "bank_account[brand]": "bbl",
        "bank_account[number]": "1234567890",
        "bank_account[name]": "LOTUS",
    }
    path = f"/recipients/{api.post('/recipients', data=fields).json()['id']}"
    name = path.rpartition("/")[2]
    refused(
        api.post("/charges", data=order(destination=name)),
        400,
        "recipient_not_verified",
    )
    verified = api.post(f"{path}/verify").json()
    assert (
        verified["verified"],
        verified["active"],
        verified["verified_at"] is not None,
    ) == (
        True,
        True,
        True,
    )
    assert (
        api.patch(path, data={"name": "Lotus & Sons", "email": "l@example.com"}).json()[
            "verified"
        ]
        is True
    )
    account = {
        "bank_account[brand]": "scb",
        "bank_account[number]": "999",
        "bank_account[name]": "LOTUS",
    }
    changed = api.patch(path, data=account).json()
    assert (changed["bank_account"]["brand"], changed["verified"], changed["name"]) == (
        "scb",
        False,
        "Lotus & Sons",
    )
    refused(
        api.post("/charges", data=order(destination=name)),
        400,
        "recipient_not_verified",
    )
    api.post(f"{path}/verify")
    assert api.post("/charges", data=order(destination=name)).status_code == 200
    assert api.delete(path).json()["deleted"] is True
    assert api.get(path).json()["deleted"] is True
    refused(api.patch(path, data={"name": "x"}), 404, "not_found")
    refused(api.post(f"{path}/verify"), 404, "not_found")
    refused(
        api.post("/charges", data=order(destination=name)), 400, "invalid_recipient"
    )
    assert name not in [
        one["id"]
        for one in api.get("/recipients", params={"limit": 100}).json()["data"]
    ]
    assert [key for key in keys(api) if key.startswith("recipient")] == [
        "recipient.create",
        "recipient.verify",
        "recipient.update",
        "recipient.update",
        "recipient.verify",
        "recipient.destroy",
    ]


# --- many at once


def test_lists_lose_and_repeat_nothing_while_charges_come_in(sandbox):
    """Oldest first, a page at a time, while four others charge: what was there before is found
    once, in order.
    """
    with client(sandbox) as api:
        before = [
            api.post("/charges", data=order(number)).json()["id"]
            for number in range(120)
        ]
    stop = time.monotonic() + 10

    def charge(start):
        with client(sandbox) as mine:
            return [
                mine.post("/charges", data=order(start + n)).json()["id"]
                for n in range(60)
            ]

    with ThreadPoolExecutor(5) as pool, client(sandbox) as api:
        others = [pool.submit(charge, 1000 * (n + 1)) for n in range(4)]
        readings = []
        while not all(one.done() for one in others) and time.monotonic() < stop:
            found, total = [], 1
            while len(found) < total:
                page = api.get(
                    "/charges", params={"limit": 25, "offset": len(found)}
                ).json()
                total = page["total"]
                found += [one["id"] for one in page["data"]]
            readings.append(found)
        made = [name for one in others for name in one.result()]
        everything = [one["id"] for one in sandbox.charges()]
    assert readings
    for found in readings:
        assert found[:120] == before
        assert found == everything[: len(found)]
    assert Counter(everything) == Counter(before + made)
