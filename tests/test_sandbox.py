"""The imitated gateway behaves as docs/gateway.md says, and breaks as its script says."""

import hashlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox import Rate, Rule, SandboxServer, read_script
from batchpay.sandbox.arithmetic import commission_of, fee_of, funding_of
from batchpay.sandbox.terms import CHARGE_MIN
from tests.sandboxes import KEY, PUBLIC, RECIPIENT, client, order, refused, wait_for

# The keys of a recorded charge (docs/gateway.md, 3.1), plus the two of chained charges.
RECORDED = """
    object id location livemode amount currency authorization_type authorized_amount captured_amount
    acquirer_reference_number approval_code net fee fee_vat interest interest_vat funding_amount
    funding_currency refunded_amount transaction_fees platform_fee ip refunds link schedule customer
    dispute transaction description metadata card source linked_account failure_code failure_message
    merchant_advice merchant_advice_code authenticated_by status authorize_uri return_uri created_at
    paid_at authorized_at expires_at expired_at reversed_at multi_capture zero_interest_installments
    branch terminal device authorized capturable capture disputable refundable partially_refundable
    reversed reversible voided paid expired can_perform_void destination chain
"""
CHARGE_KEYS = set(RECORDED.split())


@pytest.fixture
def sandbox():
    with SandboxServer() as started:
        yield started


@pytest.fixture
def api(sandbox):
    with client(sandbox) as opened:
        yield opened


@pytest.fixture
def vault(sandbox):
    with client(sandbox, PUBLIC) as opened:
        yield opened


# --- a chained charge


def test_a_chained_charge_has_exactly_the_recorded_keys_and_its_transfer(api):
    """Success is 200; the transfer is the amount less the commission; the chain ties both."""
    fields = {
        "amount": "1000000",
        "platform_fee[fixed]": "10000",
        "platform_fee[percentage]": "5",
    }
    response = api.post("/charges", data=order(**fields))
    charge = response.json()
    assert response.status_code == 200
    assert set(charge) == CHARGE_KEYS
    assert (charge["status"], charge["paid"], charge["currency"]) == (
        "successful",
        True,
        "THB",
    )
    assert charge["platform_fee"] == {
        "fixed": 10000,
        "amount": 60000,
        "percentage": "5",
    }
    assert charge["metadata"] == {"order_id": "A-1"}
    assert charge["net"] == charge["amount"] - charge["fee"] - charge["fee_vat"]
    chain = api.get(f"/chains/{charge['chain']}").json()
    transfer = api.get(f"/chains/{charge['chain']}/transfer").json()
    assert (chain["charge"], chain["transfer"]) == (charge["id"], transfer["id"])
    assert (transfer["amount"], transfer["recipient"], transfer["sent"]) == (
        940000,
        RECIPIENT,
        False,
    )
    assert transfer["net"] == transfer["amount"] - transfer["total_fee"]
    booked = api.get(f"/transactions/{charge['transaction']}").json()
    assert (booked["amount"], booked["key"], booked["origin"]) == (
        charge["net"],
        "charge.captured.net",
        charge["id"],
    )


@pytest.mark.parametrize(("amount", "fee"), [(31000, 1132), (5000, 183), (3000, 110)])
def test_fees_are_rounded_half_up_as_recorded(amount, fee):
    """1131.50 gives 1132, 182.50 gives 183, 109.50 gives 110."""
    assert fee_of(amount) == fee


def test_money_arithmetic_is_whole_and_exact():
    assert commission_of(1000000, 10000, None) == 10000
    assert fee_of(3650, "7.0") == 256
    assert fee_of(1825, "7.0") == 128
    assert funding_of(1000, "JPY") == 25000
    assert funding_of(1000, "USD") == 36000


def test_json_and_a_trailing_slash_are_as_good_as_a_form(api):
    body = {
        "amount": "100000",
        "currency": "THB",
        "destination": RECIPIENT,
        "customer": "cust_test_sandbox1",
        "metadata": {"order_id": "J", "n": 1},
        "platform_fee": {"percentage": 10.5},
    }
    charge = api.post("/charges/", json=body).json()
    assert (charge["amount"], charge["metadata"]) == (100000, {"order_id": "J", "n": 1})
    assert charge["platform_fee"] == {
        "fixed": None,
        "amount": 10500,
        "percentage": "10.5",
    }


def test_the_wire_and_the_log_keep_thai_text_byte_for_byte(sandbox, api):
    text = "สั่งซื้อ + 100% & more=[x]"
    charge = api.post(
        "/charges", data=order(description=text, **{"metadata[ชื่อ]": text})
    ).json()
    assert charge["description"] == charge["metadata"]["ชื่อ"] == text
    entry = sandbox.requests("POST", "/charges")[0]
    assert (entry.status, entry.order_id) == (200, "A-1")


# --- what is refused, and in which order


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"amount": ""}, 400, "bad_request"),
        ({"amount": "10.5"}, 400, "bad_request"),
        ({"amount": "1e5"}, 400, "bad_request"),
        ({"amount": "๑๐๐๐๐"}, 400, "bad_request"),
        ({"currency": ""}, 400, "bad_request"),
        ({"currency": "xyz"}, 400, "bad_request"),
        ({"amount": str(CHARGE_MIN - 1)}, 400, "invalid_amount"),
        ({"amount": "-5"}, 400, "invalid_amount"),
        ({"customer": ""}, 400, "bad_request"),
        ({"card": "tokn_test_sandbox1"}, 400, "bad_request"),
        ({"source": "src_test_sandbox1"}, 400, "bad_request"),
        ({"customer": "", "card": "card_test_sandbox1"}, 400, "bad_request"),
        ({"customer": "cust_test_nobody1"}, 404, "not_found"),
        ({"customer": "cust_sandbox1"}, 404, "not_found"),
        ({"customer": "", "card": "tokn_test_nobody"}, 404, "not_found"),
        ({"customer": "", "source": "src_test_nobody"}, 404, "not_found"),
        ({"destination": "recp_test_nobody"}, 400, "invalid_recipient"),
        ({"destination": "recp_test_sandboxunknown1"}, 400, "invalid_recipient"),
        ({"destination": "recp_test_sandboxinactive1"}, 400, "invalid_recipient"),
        (
            {"destination": "recp_test_sandboxunverified1"},
            400,
            "recipient_not_verified",
        ),
        ({"destination": "recp_test_seed0000000000008"}, 400, "invalid_recipient"),
        ({"destination": "recp_test_seed0000000000009"}, 400, "recipient_not_verified"),
        ({"platform_fee[fixed]": "100001"}, 400, "bad_request"),
        ({"platform_fee[fixed]": "-1"}, 400, "bad_request"),
        ({"platform_fee[percentage]": "101"}, 400, "bad_request"),
        ({"platform_fee[percentage]": "ten"}, 400, "bad_request"),
        ({"metadata": "text"}, 400, "bad_request"),
        ({"amount": "1", "customer": "cust_test_nobody1"}, 400, "invalid_amount"),
        (
            {"customer": "cust_test_nobody1", "destination": "recp_test_nobody"},
            404,
            "not_found",
        ),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_charged(
    sandbox, api, fields, status, code
):
    """The order of the checks is that of docs/gateway.md, 2.5."""
    refused(api.post("/charges", data=order() | fields), status, code)
    assert sandbox.charges() == []


def test_malformed_bodies_and_unknown_paths_are_refused_with_the_error_object(api):
    refused(
        api.post(
            "/charges", content=b"{", headers={"Content-Type": "application/json"}
        ),
        400,
        "bad_request",
    )
    refused(
        api.post(
            "/charges", content=b"[1]", headers={"Content-Type": "application/json"}
        ),
        400,
        "bad_request",
    )
    refused(api.post("/charges", content=b"amount=%ff"), 400, "bad_request")
    refused(
        api.post("/charges", json={"amount": True, "currency": "thb"}),
        400,
        "bad_request",
    )
    refused(
        api.post("/charges", json={"amount": 100000.0, "currency": "thb"}),
        400,
        "bad_request",
    )
    refused(api.get("/nothing"), 404, "service_not_found")
    refused(api.put("/charges"), 404, "service_not_found")
    refused(api.get("/charges/chrg_test_0"), 404, "not_found")


@pytest.mark.parametrize(
    "key", ["", PUBLIC, "skey_5xzzz", "skey_live_5xzzz", "nonsense", "ckey_test_1"]
)
def test_only_a_secret_test_key_opens_the_main_host(sandbox, key):
    with client(sandbox, key) as stranger:
        for path in (
            "/charges",
            "/transfers",
            "/recipients",
            "/search?scope=charge",
            "/account",
            "/balance",
        ):
            refused(stranger.get(path), 401, "authentication_failure")


def test_a_bare_or_missing_key_is_refused_and_only_the_public_key_opens_the_vault(
    sandbox, api, vault
):
    refused(
        httpx.get(f"{sandbox.url}/charges", trust_env=False),
        401,
        "authentication_failure",
    )
    bare = {"Authorization": KEY}
    refused(
        httpx.get(f"{sandbox.url}/charges", headers=bare, trust_env=False),
        401,
        "authentication_failure",
    )
    refused(api.post("/tokens", data={}), 401, "authentication_failure")
    assert (
        vault.get("/capability").json()["limits"]["charge_amount"]["min"] == CHARGE_MIN
    )


def test_configured_keys_replace_the_rule_and_decide_the_mode():
    """A live key makes live ids; a key that is withdrawn in mid-run is refused from then on."""
    with (
        SandboxServer(secret_keys=["skey_live1"]) as sandbox,
        client(sandbox, "skey_live1") as live,
    ):
        charge = live.post(
            "/charges",
            data={"amount": "5000", "currency": "thb", "customer": "cust_sandbox1"},
        ).json()
        assert charge["livemode"] is True
        assert charge["id"].startswith("chrg_")
        assert "_test_" not in charge["id"]
        with client(sandbox) as test:
            refused(test.get("/charges"), 401, "authentication_failure")
        sandbox.accept_keys("skey_live2")
        refused(live.get("/charges"), 401, "authentication_failure")


# --- payment methods


def card(number: str = "4242424242424242") -> dict[str, str]:
    return {
        "card[name]": "Somchai",
        "card[number]": number,
        "card[expiration_month]": "12",
        "card[expiration_year]": "2030",
        "card[security_code]": "123",
    }


def test_a_token_is_single_use_and_its_location_is_absolute(api, vault):
    token = vault.post("/tokens", data=card()).json()
    assert token["location"] == f"https://vault.omise.co/tokens/{token['id']}"
    assert (token["card"]["last_digits"], token["used"]) == ("4242", False)
    assert (
        api.post("/charges", data=order(customer="", card=token["id"])).json()["status"]
        == "successful"
    )
    assert vault.get(f"/tokens/{token['id']}").json()["used"] is True
    refused(
        api.post("/charges", data=order(customer="", card=token["id"])),
        400,
        "used_token",
    )


def test_ready_made_tokens_are_single_use_too(api):
    spend = order(customer="", card="tokn_test_sandbox77")
    assert (
        api.post("/charges", data=spend).json()["card"]["id"] == "card_test_sandbox77"
    )
    refused(api.post("/charges", data=spend), 400, "used_token")


def test_a_refused_charge_leaves_the_token_unspent(api):
    spend = order(customer="", card="tokn_test_sandbox78")
    refused(
        api.post("/charges", data=spend | {"destination": "recp_test_nobody"}),
        400,
        "invalid_recipient",
    )
    assert api.post("/charges", data=spend).json()["status"] == "successful"


DECLINES = {
    "0011": "insufficient_fund",
    "0012": "stolen_or_lost_card",
    "0013": "failed_processing",
    "0014": "payment_rejected",
    "0016": "failed_fraud_check",
    "0017": "invalid_account_number",
}


@pytest.mark.parametrize(("ending", "code"), DECLINES.items())
def test_the_last_digits_of_a_ready_made_id_decide_the_decline(
    sandbox, api, ending, code
):
    """A decline is a 200 with both failure fields; no chain, no transfer, no transaction; fees all
    the same.
    """
    for payer in (
        {"customer": "", "card": f"tokn_test_sandbox{ending}"},
        {"customer": f"cust_test_sandbox{ending}"},
        {"customer": "cust_test_sandbox1", "card": f"card_test_sandbox{ending}"},
    ):
        response = api.post("/charges", data=order(**payer))
        charge = response.json()
        assert (response.status_code, charge["status"], charge["failure_code"]) == (
            200,
            "failed",
            code,
        )
        assert charge["failure_message"]
        assert (charge["paid"], charge["chain"], charge["transaction"]) == (
            False,
            None,
            None,
        )
        assert charge["fee"] == 3650
        assert set(charge) == CHARGE_KEYS
    assert sandbox.transfers() == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4111111111140011", "insufficient_fund"),
        ("6250947000000014", "insufficient_fund"),
        ("5555551111100012", "stolen_or_lost_card"),
        ("377138160000009", "failed_processing"),
        ("3530111111160014", "payment_rejected"),
        ("4111111111160001", "invalid_security_code"),
        ("4111111111111111", None),
        ("378282246310005", None),
    ],
)
def test_the_numbers_of_the_test_cards_decide_too(api, vault, number, code):
    token = vault.post("/tokens", data=card(number)).json()["id"]
    assert (
        api.post("/charges", data=order(customer="", card=token)).json()["failure_code"]
        == code
    )


def test_a_card_with_a_challenge_waits_for_its_payer(api, vault):
    """3-D Secure: pending with a place to send the payer to, and failed when the payer fails
    there.
    """
    token = vault.post("/tokens", data=card("4111111111140003")).json()["id"]
    charge = api.post("/charges", data=order(customer="", card=token)).json()
    assert (charge["status"], charge["authorize_uri"] is not None) == ("pending", True)
    assert (
        api.post(f"/charges/{charge['id']}/mark_as_failed").json()["status"] == "failed"
    )
    checked = [
        vault.post("/tokens", data=card(n)).json()["card"]["security_code_check"]
        for n in ("4111111111160001", "4242424242424242")
    ]
    assert checked == [False, True]


def test_a_card_that_is_none_gets_no_token(vault):
    refused(vault.post("/tokens", data=card("4242424242424241")), 400, "invalid_card")
    refused(
        vault.post("/tokens", data=card() | {"card[expiration_month]": "13"}),
        400,
        "invalid_card",
    )


def test_a_customer_keeps_cards_and_pays_with_the_default_or_a_named_one(api, vault):
    good, bad = (
        vault.post("/tokens", data=card(n)).json()["id"]
        for n in ("4242424242424242", "4111111111140011")
    )
    customer = api.post(
        "/customers", data={"email": "a@example.com", "card": good}
    ).json()
    refused(
        api.patch(f"/customers/{customer['id']}", data={"card": good}),
        400,
        "used_token",
    )
    customer = api.patch(f"/customers/{customer['id']}", data={"card": bad}).json()
    first, second = (one["id"] for one in customer["cards"]["data"])
    assert (customer["default_card"], customer["cards"]["total"]) == (first, 2)
    assert api.get(f"/customers/{customer['id']}/cards").json()["total"] == 2
    assert (
        api.get(f"/customers/{customer['id']}/cards/{second}").json()["last_digits"]
        == "0011"
    )
    assert (
        api.post("/charges", data=order(customer=customer["id"])).json()["card"]["id"]
        == first
    )
    declined = api.post(
        "/charges", data=order(customer=customer["id"], card=second)
    ).json()
    assert declined["failure_code"] == "insufficient_fund"
    refused(
        api.post(
            "/charges", data=order(customer=customer["id"], card="card_test_sandbox1")
        ),
        404,
        "not_found",
    )
    assert api.delete(f"/customers/{customer['id']}").json()["deleted"] is True
    refused(api.get(f"/customers/{customer['id']}"), 404, "not_found")


def test_a_customer_without_a_card_cannot_pay(api):
    customer = api.post("/customers", data={"email": "b@example.com"}).json()["id"]
    refused(api.post("/charges", data=order(customer=customer)), 400, "missing_card")


# --- pending charges


def test_a_pending_charge_gets_its_transfer_and_chain_when_it_is_paid(sandbox, api):
    charge = api.post(
        "/charges", data=order(customer="", source="src_test_sandbox1")
    ).json()
    assert (charge["status"], charge["paid"], charge["chain"]) == (
        "pending",
        False,
        None,
    )
    assert charge["authorize_uri"]
    assert (charge["source"]["id"], charge["card"]) == ("src_test_sandbox1", None)
    assert sandbox.transfers() == []
    paid = api.post(f"/charges/{charge['id']}/mark_as_paid").json()
    assert (paid["status"], paid["paid"], paid["captured_amount"]) == (
        "successful",
        True,
        100000,
    )
    assert api.get(f"/chains/{paid['chain']}/transfer").json()["amount"] == 100000
    refused(api.post(f"/charges/{charge['id']}/mark_as_failed"), 400, "bad_request")


def test_pending_charges_fail_expire_reverse_and_capture(sandbox, api, vault):
    source = vault.post(
        "/sources", data={"type": "promptpay", "amount": "100000", "currency": "thb"}
    ).json()["id"]
    pending = api.post("/charges", data=order(customer="", source=source)).json()["id"]
    assert api.post(f"/charges/{pending}/mark_as_failed").json()["status"] == "failed"
    tds = api.post(
        "/charges", data=order(customer="", card="tokn_test_sandbox3ds1")
    ).json()
    assert (tds["status"], tds["authorized"]) == ("pending", False)
    assert api.post(f"/charges/{tds['id']}/expire").json()["expired"] is True
    held = api.post("/charges", data=order(capture="false")).json()
    assert (held["status"], held["capturable"], held["reversible"], held["chain"]) == (
        "pending",
        True,
        True,
        None,
    )
    assert api.post(f"/charges/{held['id']}/reverse").json()["status"] == "reversed"
    refused(api.post(f"/charges/{held['id']}/capture"), 400, "failed_capture")
    assert sandbox.transfers() == []
    part = api.post(
        "/charges", data=order(capture="false", authorization_type="pre_auth")
    ).json()["id"]
    captured = api.post(
        f"/charges/{part}/capture", data={"capture_amount": "50000"}
    ).json()
    assert (
        captured["captured_amount"],
        captured["funding_amount"],
        captured["net"],
    ) == (
        50000,
        50000,
        48047,
    )
    assert [one["amount"] for one in sandbox.transfers()] == [50000]


# --- recipients and transfers


def test_a_new_recipient_is_neither_verified_nor_active_until_it_is_verified(api):
    recipient = api.post(
        "/recipients",
        data={
            "name": "Somchai",
            "type": "individual",
            "bank_account[brand]": "bbl",
            "bank_account[number]": "1234567890",
            "bank_account[name]": "SOMCHAI",
        },
    ).json()
    assert (recipient["verified"], recipient["active"]) == (False, False)
    refused(
        api.post("/charges", data=order(destination=recipient["id"])),
        400,
        "recipient_not_verified",
    )
    verified = api.post(f"/recipients/{recipient['id']}/verify").json()
    assert (verified["verified"], verified["active"]) == (True, True)
    assert api.post("/charges", data=order(destination=recipient["id"])).json()["chain"]
    assert api.delete(f"/recipients/{recipient['id']}").json()["deleted"] is True
    refused(
        api.post("/charges", data=order(destination=recipient["id"])),
        400,
        "invalid_recipient",
    )


def test_recipients_are_there_from_the_start(api):
    listed = api.get("/recipients").json()
    assert listed["data"][0]["id"] == RECIPIENT
    assert {one["verified"] for one in listed["data"]} == {True, False}
    assert api.get("/recipients/recp_test_sandbox1").json()["active"] is True
    refused(api.get("/recipients/recp_test_nobody"), 404, "not_found")


def test_a_transfer_lives_from_created_to_sent_to_paid(api):
    """Same idemp_key, same transfer; the balance bounds it; sent means one debit of the full
    amount.
    """
    api.post("/charges", data=order(destination=""))
    refused(
        api.post("/transfers", data={"amount": "900000", "recipient": RECIPIENT}),
        422,
        "insufficient_balance",
    )
    wanted = {
        "amount": "50000",
        "recipient": RECIPIENT,
        "idemp_key": "k1",
        "metadata[order_id]": "A-1",
    }
    transfer = api.post("/transfers", data=wanted).json()
    assert api.post("/transfers", data=wanted).json()["id"] == transfer["id"]
    path = f"/transfers/{transfer['id']}"
    assert (transfer["net"], transfer["total_fee"], transfer["transactions"]) == (
        47000,
        3000,
        [],
    )
    assert api.patch(path, data={"amount": "40000"}).json()["amount"] == 40000
    sent = api.post(f"{path}/mark_as_sent").json()
    assert [one["amount"] for one in sent["transactions"]] == [40000]
    refused(api.delete(path), 400, "bad_request")
    assert api.post(f"{path}/mark_as_paid").json()["paid"] is True
    assert api.get("/balance").json()["total"] == 96094 - 40000
    other = api.post("/transfers", data=wanted | {"idemp_key": "k2"}).json()["id"]
    assert api.delete(f"/transfers/{other}").json()["deleted"] is True
    assert api.get("/transfers").json()["total"] == 1


# --- idempotency


def test_with_idempotency_off_the_header_is_ignored_completely(sandbox, api):
    first, second = (
        api.post("/charges", data=order(), headers={"Idempotency-Key": "k"}).json()
        for _ in range(2)
    )
    assert first["id"] != second["id"]
    assert len(sandbox.charges()) == 2


def test_with_idempotency_on_a_key_gives_one_charge_and_one_answer():
    """Another body under the key is 409; refusals are kept; 401 is not; each path and API key for
    itself.
    """
    with SandboxServer(idempotency="on") as sandbox, client(sandbox) as api:
        key = {"Idempotency-Key": "k"}
        first, second = (
            api.post("/charges", data=order(), headers=key) for _ in range(2)
        )
        assert first.content == second.content
        assert second.headers["Sandbox-Replayed"] == "true"
        refused(
            api.post("/charges", data=order(2), headers=key),
            409,
            "idempotency_key_reused",
        )
        assert len(sandbox.charges()) == 1
        with client(sandbox, "skey_test_other") as other:
            assert (
                other.post("/charges", data=order(), headers=key).json()["id"]
                != first.json()["id"]
            )
        bad = order() | {"destination": "recp_test_nobody"}
        for _ in range(2):
            refused(
                api.post("/charges", data=bad, headers={"Idempotency-Key": "b"}),
                400,
                "invalid_recipient",
            )
        with client(sandbox, "nonsense") as stranger:
            refused(
                stranger.post(
                    "/charges", data=order(), headers={"Idempotency-Key": "s"}
                ),
                401,
                "authentication_failure",
            )


def test_with_idempotency_on_a_key_in_flight_is_409_and_a_lost_answer_is_replayed():
    with (
        SandboxServer(idempotency="on") as sandbox,
        client(sandbox) as api,
        ThreadPoolExecutor(1) as pool,
    ):
        sandbox.add_rule(action="delay_before", wait_before_s=0.4, times=1)
        key = {"Idempotency-Key": "k"}
        slow = pool.submit(api.post, "/charges", data=order(), headers=key)
        wait_for(lambda: sandbox.requests("POST"))
        refused(
            api.post("/charges", data=order(), headers=key),
            409,
            "idempotency_in_progress",
        )
        assert slow.result().status_code == 200
        sandbox.add_rule(action="error_after", order_id="A-2", times=1)
        lost = {"Idempotency-Key": "k2"}
        assert api.post("/charges", data=order(2), headers=lost).status_code == 500
        assert (
            api.post("/charges", data=order(2), headers=lost).headers[
                "Sandbox-Replayed"
            ]
            == "true"
        )
        assert len(sandbox.charges()) == 2


# --- lists and search


@pytest.fixture(scope="module")
def filled():
    """Thirty charges of one day: A-0 … A-29, each tenth declined."""
    with SandboxServer() as sandbox, client(sandbox) as api:
        for number in range(30):
            payer = (
                "cust_test_sandbox0011" if number % 10 == 9 else "cust_test_sandbox1"
            )
            fields = {
                "amount": str(100000 + number * 100),
                "description": f"Order A-{number} for Lotus",
            }
            api.post("/charges", data=order(number, customer=payer, **fields))
        yield api


@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_list_parameters_may_come_in_query_form_or_json(filled, way):
    """Some clients send the parameters of a GET in its body."""
    wanted = {
        "limit": 5,
        "offset": 10,
        "order": "reverse_chronological",
        "from": None,
        "to": None,
    }
    texts = {name: str(value) for name, value in wanted.items() if value is not None}
    given = {
        "query": {"params": texts},
        "form": {"data": texts},
        "json": {"json": wanted},
    }[way]
    page = filled.request("GET", "/charges", **given).json()
    assert set(page) == {
        "object",
        "data",
        "limit",
        "offset",
        "total",
        "location",
        "order",
        "from",
        "to",
    }
    assert [one["metadata"]["order_id"] for one in page["data"]] == [
        "A-19",
        "A-18",
        "A-17",
        "A-16",
        "A-15",
    ]
    assert (page["limit"], page["offset"], page["total"], page["location"]) == (
        5,
        10,
        30,
        "/charges",
    )
    assert page["from"] == "1970-01-01T00:00:00Z"


def test_a_list_is_bounded_and_ordered(filled):
    page = filled.get("/charges").json()
    assert (page["limit"], len(page["data"]), page["order"]) == (
        20,
        20,
        "chronological",
    )
    assert page["data"][0]["metadata"]["order_id"] == "A-0"
    assert filled.get("/charges", params={"limit": 500}).json()["limit"] == 100
    assert filled.get("/charges", params={"offset": 30}).json()["data"] == []
    refused(filled.get("/charges", params={"order": "random"}), 400, "bad_request")
    refused(filled.get("/charges", params={"limit": "ten"}), 400, "bad_request")
    refused(filled.get("/charges", params={"from": "yesterday"}), 400, "bad_request")
    for kind, total in (
        ("transfers", 27),
        ("chains", 27),
        ("transactions", 27),
        ("customers", 0),
    ):
        assert filled.get(f"/{kind}").json()["total"] == total


def test_from_and_to_bound_a_list(filled):
    """Both ends are included; `to` is now unless it is given."""
    assert (
        filled.get("/charges", params={"from": "2999-01-01T00:00:00Z"}).json()["total"]
        == 0
    )
    assert (
        filled.get("/charges", params={"to": "2001-01-01T00:00:00Z"}).json()["total"]
        == 0
    )
    assert (
        filled.get(
            "/charges", params={"from": "2001-01-01", "to": "2999-01-01"}
        ).json()["total"]
        == 30
    )
    at = filled.get("/charges", params={"limit": 1}).json()["data"][0]["created_at"]
    assert filled.get("/charges", params={"from": at}).json()["total"] == 30
    assert filled.get("/charges", params={"to": at}).json()["total"] >= 1


def test_search_finds_by_word_and_by_filter(filled):
    """Amounts in filters are main units; the newest comes first."""
    found = filled.get("/search", params={"scope": "charge", "query": "A-13"}).json()
    assert [one["metadata"]["order_id"] for one in found["data"]] == ["A-13"]
    assert set(found) == {
        "object",
        "data",
        "page",
        "per_page",
        "total",
        "total_pages",
        "filters",
        "query",
        "scope",
        "order",
        "location",
        "export",
        "aggregate_level",
    }

    def total(**filters: str) -> int:
        given = {"scope": "charge"} | {
            f"filters[{name}]": value for name, value in filters.items()
        }
        return int(filled.get("/search/", params=given).json()["total"])

    assert total() == 30
    assert total(amount="1003") == 1
    assert total(amount="1003.00..1005.00") == 3
    assert (
        total(status="failed")
        == total(failure_code="insufficient_fund")
        == total(captured="no")
        == 3
    )
    assert total(captured="true", currency="thb") == 27
    assert total(created="today") == total(created="2001-01-01..2999/01/01") == 30
    assert total(created="2001-01-01") == 0
    page = filled.get(
        "/search", params={"scope": "charge", "page": 2, "per_page": 20}
    ).json()
    assert (
        len(page["data"]),
        page["total_pages"],
        page["data"][0]["metadata"]["order_id"],
    ) == (
        10,
        2,
        "A-9",
    )
    refused(filled.get("/search", params={"scope": "planets"}), 400, "invalid_scope")
    refused(
        filled.get("/search", params={"scope": "charge", "filters[moon]": "1"}),
        400,
        "invalid_filter",
    )
    assert (
        filled.get(
            "/search", params={"scope": "transfer", "filters[sent]": "false"}
        ).json()["total"]
        == 27
    )
    assert (
        filled.get(
            "/search", params={"scope": "recipient", "filters[active]": "true"}
        ).json()["total"]
        == 5
    )


def test_updating_a_charge_keeps_its_place_in_the_list(api):
    ids = [api.post("/charges", data=order(n)).json()["id"] for n in range(3)]
    assert (
        api.patch(f"/charges/{ids[0]}", data={"description": "new"}).json()[
            "description"
        ]
        == "new"
    )
    assert [one["id"] for one in api.get("/charges").json()["data"]] == ids


# --- what it keeps


def test_a_restart_from_the_ledger_knows_everything(tmp_path, vault):
    """Charges, spent tokens, transfers, customers and the idempotency store; no API key is in the
    file.
    """
    path = tmp_path / "books" / "ledger.jsonl"
    with (
        SandboxServer(ledger_path=path, idempotency="on") as sandbox,
        client(sandbox) as api,
    ):
        spent = order(customer="", card="tokn_test_sandbox5")
        first = api.post("/charges", data=spent, headers={"Idempotency-Key": "k"})
        pending = api.post(
            "/charges", data=order(customer="", source="src_test_sandbox1")
        ).json()["id"]
        api.post(f"/charges/{pending}/mark_as_paid")
        customer = api.post("/customers", data={"email": "c@example.com"}).json()["id"]
        before = (
            sandbox.charges(),
            sandbox.transfers(),
            api.get("/balance").json()["total"],
        )
    with path.open("ab") as file:
        file.write(b'[["charge",{"id":"torn')
    assert KEY.encode() not in path.read_bytes()
    with (
        SandboxServer(ledger_path=path, idempotency="on") as sandbox,
        client(sandbox) as api,
    ):
        assert (
            sandbox.charges(),
            sandbox.transfers(),
            api.get("/balance").json()["total"],
        ) == before
        refused(api.post("/charges", data=spent), 400, "used_token")
        assert (
            api.post("/charges", data=spent, headers={"Idempotency-Key": "k"}).content
            == first.content
        )
        assert api.get(f"/customers/{customer}").json()["email"] == "c@example.com"
        assert api.post("/charges", data=order(3)).json()["id"] not in {
            one["id"] for one in before[0]
        }
    assert b"torn" not in path.read_bytes()


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "orders.csv").write_text("id,amount\n")
    with pytest.raises(Misconfigured, match="not a ledger"):
        SandboxServer(ledger_path=tmp_path / "orders.csv")


def test_a_killed_process_has_its_charges_after_a_restart(tmp_path):
    """`python -m batchpay.sandbox` says where it is; kill -9 loses nothing that was answered;
    SIGTERM ends well.
    """
    script = tmp_path / "script.toml"
    script.write_text('[[rule]]\naction = "error_after"\norder_id = "A-2"\ntimes = 1\n')
    command = [
        sys.executable,
        "-m",
        "batchpay.sandbox",
        "--ledger",
        str(tmp_path / "l"),
        "--script",
        str(script),
    ]

    @contextmanager
    def started():
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process, httpx.URL(json.loads(process.stdout.readline())["url"])
            finally:
                process.kill()

    with (
        started() as (process, url),
        httpx.Client(base_url=url, auth=(KEY, ""), trust_env=False) as api,
    ):
        assert [api.post("/charges", data=order(n)).status_code for n in (1, 2)] == [
            200,
            500,
        ]
        process.kill()
        process.wait()
    with (
        started() as (process, url),
        httpx.Client(base_url=url, auth=(KEY, ""), trust_env=False) as api,
    ):
        assert [
            one["metadata"]["order_id"] for one in api.get("/charges").json()["data"]
        ] == [
            "A-1",
            "A-2",
        ]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_every_request_is_noted_with_time_bytes_and_key(sandbox, api):
    before = time.monotonic()
    body = (
        b"amount=100000&currency=thb&customer=cust_test_sandbox1"
        b"&metadata[order_id]=A-1&metadata[batchpay_key]=bk"
    )
    api.post("/charges", content=body, headers={"Idempotency-Key": "k1"})
    with client(sandbox, "nonsense") as stranger:
        stranger.get("/charges?limit=3")
    post, get = sandbox.requests()
    assert (post.method, post.path, post.status, post.key, post.batchpay_key) == (
        "POST",
        "/charges",
        200,
        "k1",
        "bk",
    )
    assert post.body_sha256 == hashlib.sha256(body).hexdigest()
    assert before <= post.at <= get.at <= time.monotonic()
    assert (get.status, get.query) == (401, "limit=3")
    noted = httpx.get(f"{sandbox.url}/__sandbox/log", trust_env=False).json()
    assert [one["status"] for one in noted] == [200, 401]
    assert (
        len(
            httpx.get(f"{sandbox.url}/__sandbox/ledger", trust_env=False).json()[
                "charges"
            ]
        )
        == 1
    )


# --- the rate limit


def test_above_the_rate_comes_429_and_never_more_is_let_in():
    with (
        SandboxServer(rate=Rate(5, 1.0, retry_after="7")) as sandbox,
        client(sandbox) as api,
    ):
        answers = [api.get("/balance") for _ in range(8)]
        assert [one.status_code for one in answers] == [200] * 5 + [429] * 3
        assert answers[0].headers["X-RateLimit-Limit"] == "5"
        assert answers[-1].headers["Retry-After"] == "7"
        refused(answers[-1], 429, "too_many_requests")
        time.sleep(1.05)
        assert api.get("/balance").status_code == 200
        sandbox.set_rate(Rate(1, 60, retry_after=None, headers=False, html=True))
        page = [api.get("/balance"), api.get("/balance")][1]
        assert (page.status_code, page.text[:6], page.headers["content-type"][:9]) == (
            429,
            "<html>",
            "text/html",
        )
        assert "Retry-After" not in page.headers
        assert "X-RateLimit-Limit" not in page.headers


@pytest.mark.parametrize(
    ("text", "limit", "window_s"),
    [("8/s", 8, 1), ("900/min", 900, 60), ("20/5s", 20, 5)],
)
def test_a_rate_reads_as_in_the_job_file(text, limit, window_s):
    assert (Rate.parse(text).limit, Rate.parse(text).window_s) == (limit, window_s)
    with pytest.raises(Misconfigured, match="8/s"):
        Rate.parse("0/s")


# --- faults


BROKEN = (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)


@pytest.mark.parametrize(
    ("action", "charges"),
    [("reset_before", 0), ("reset_after", 1), ("close_before", 0), ("close_after", 1)],
)
def test_a_connection_breaks_before_or_after_the_charge(sandbox, api, action, charges):
    sandbox.add_rule(action=action, times=1)
    with pytest.raises(BROKEN):
        api.post("/charges", data=order())
    assert len(sandbox.charges()) == charges
    assert (sandbox.requests()[0].status, sandbox.requests()[0].fault) == (0, action)
    assert api.post("/charges", data=order(2)).status_code == 200


def test_a_reset_is_a_reset(sandbox):
    """The client sees ECONNRESET, not an orderly end."""
    sandbox.add_rule(action="reset_after")
    with socket.create_connection(("127.0.0.1", sandbox.port)) as sock:
        sock.sendall(
            b"POST /charges HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        )
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_charge_lands_late_after_its_client_has_gone(sandbox, api):
    sandbox.add_rule(action="reset_late", late_s=0.4, order_id="A-1")
    with pytest.raises(BROKEN):
        api.post("/charges", data=order(1))
    assert sandbox.charges() == []
    assert wait_for(sandbox.charges)[0]["metadata"]["order_id"] == "A-1"
    sandbox.add_rule(action="delay_before", wait_before_s=0.6, order_id="A-2")
    with pytest.raises(httpx.ReadTimeout):
        api.post("/charges", data=order(2), timeout=0.1)
    assert len(sandbox.charges()) == 1
    wait_for(lambda: len(sandbox.charges()) == 2)


def test_delays_are_before_or_after_the_commit(sandbox, api):
    sandbox.add_rule(action="delay_after", wait_after_s=0.3)
    with pytest.raises(httpx.ReadTimeout):
        api.post("/charges", data=order(), timeout=0.1)
    wait_for(lambda: len(sandbox.charges()) == 1)
    sandbox.clear_rules()
    sandbox.add_rule(action="hang_before")
    with pytest.raises(httpx.ReadTimeout):
        api.post("/charges", data=order(), timeout=0.1)
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize(
    ("rule", "status", "charges", "shape"),
    [
        ({"action": "error_before"}, 500, 0, "json"),
        ({"action": "error_after", "status": 503}, 503, 1, "json"),
        ({"action": "html_before"}, 502, 0, "html"),
        ({"action": "html_after", "status": 500}, 500, 1, "html"),
        ({"action": "rate_limited", "retry_after": "-1"}, 429, 0, "json"),
        ({"action": "rate_limited", "body": "<html>slow down</html>"}, 429, 0, "html"),
        ({"action": "used_token"}, 400, 0, "json"),
        (
            {"action": "refuse", "status": 409, "code": "idempotency_in_progress"},
            409,
            0,
            "json",
        ),
        ({"action": "error_as_success"}, 200, 0, "json"),
        ({"action": "bad_json"}, 200, 1, "text"),
        ({"action": "redirect", "location": "http://127.0.0.1:1/x"}, 302, 0, "text"),
        ({"status": 207, "body": []}, 207, 1, "json"),
        (
            {"status": 200, "body": {"object": "list"}, "commit": "never"},
            200,
            0,
            "json",
        ),
    ],
)
def test_another_answer_comes_before_or_after_the_charge(
    sandbox, api, rule, status, charges, shape
):
    sandbox.add_rule(rule | {"headers": {"X-Trace": "1"}})
    response = api.post("/charges", data=order())
    assert (response.status_code, len(sandbox.charges())) == (status, charges)
    assert response.headers["X-Trace"] == "1"
    assert response.headers["content-type"].startswith("text/html") == (shape == "html")
    if shape == "json":
        response.json()
    for name in ("retry_after", "location"):
        assert (
            name not in rule or response.headers[name.replace("_", "-")] == rule[name]
        )


def test_a_late_error_commits_afterwards(sandbox, api):
    sandbox.add_rule(action="error_late", late_s=0.15)
    assert api.post("/charges", data=order()).status_code == 500
    assert sandbox.charges() == []
    wait_for(sandbox.charges)


def test_an_answer_is_torn_at_any_byte(sandbox, api):
    for cut in (0, 1, 700):
        sandbox.clear_rules()
        sandbox.add_rule(action="torn", cut=cut)
        with pytest.raises(BROKEN):
            api.post("/charges", data=order())
    assert len(sandbox.charges()) == 3


def test_an_answer_drips(sandbox, api):
    sandbox.add_rule(action="drip", pace_s=0.001)
    with (
        pytest.raises(TimeoutError),
        api.stream("POST", "/charges", data=order()) as response,
    ):
        end = time.monotonic() + 0.1
        for _ in response.iter_raw():
            if time.monotonic() > end:
                raise TimeoutError
    assert len(sandbox.charges()) == 1


@pytest.mark.parametrize("action", ["huge", "gzip_bomb"])
def test_an_answer_is_endless_and_stops_when_the_client_leaves(sandbox, api, action):
    sandbox.add_rule(action=action, size=1 << 40)
    with api.stream("POST", "/charges", data=order()) as response:
        for received, _ in enumerate(response.iter_raw()):
            if received > 3:
                break
    assert api.post("/balance").status_code == 404
    sandbox.clear_rules()
    sandbox.add_rule(action=action, size=3_000_000)
    assert len(api.post("/charges", data=order()).content) == 3_000_000


def test_the_fields_of_an_answer_change_but_not_the_charge(sandbox, api):
    sandbox.add_rule(
        action="change",
        drop=["chain"],
        change={
            "amount": 1,
            "currency": "USD",
            "livemode": True,
            "metadata.order_id": "other",
            "destination": None,
        },
    )
    charge = api.post("/charges", data=order()).json()
    assert (charge["amount"], charge["currency"], charge["livemode"]) == (
        1,
        "USD",
        True,
    )
    assert (
        charge["metadata"]["order_id"],
        charge["destination"],
        "chain" in charge,
    ) == (
        "other",
        None,
        False,
    )
    true = sandbox.charges()[0]
    assert (true["amount"], true["metadata"], bool(true["chain"])) == (
        100000,
        {"order_id": "A-1"},
        True,
    )


def test_one_request_makes_two_charges(sandbox, api):
    sandbox.add_rule(action="double", times=1)
    answered = api.post(
        "/charges", data=order(customer="", card="tokn_test_sandbox1")
    ).json()["id"]
    first, second = sandbox.charges()
    assert answered == first["id"] != second["id"]
    assert first["metadata"] == second["metadata"]
    assert (
        len({one["chain"] for one in (first, second)}) == len(sandbox.transfers()) == 2
    )


def test_two_answers_are_swapped_and_one_can_be_stale(sandbox, api):
    sandbox.add_rule(action="swap", times=2)
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda n: api.post("/charges", data=order(n)).json(), (1, 2))
        )
    assert [one["metadata"]["order_id"] for one in answers] == ["A-2", "A-1"]
    last = sandbox.requests()[-1].order_id
    sandbox.add_rule(action="stale", times=1)
    assert api.post("/charges", data=order(3)).json()["metadata"]["order_id"] in {
        "A-1",
        "A-2",
        last,
    }


def test_lists_lag_behind_and_pages_come_empty(sandbox, api):
    charge = api.post("/charges", data=order()).json()["id"]
    lag = sandbox.add_rule(action="list_lag", lag_s=0.6)
    assert api.get("/charges").json()["total"] == 0
    assert api.get(f"/charges/{charge}").status_code == 200
    wait_for(lambda: api.get("/charges").json()["total"] == 1)
    assert lag.applied >= 2
    sandbox.clear_rules()
    sandbox.add_rule(action="empty_page", times=1)
    page = api.get("/charges").json()
    assert (page["data"], page["total"]) == ([], 1)
    assert len(api.get("/charges").json()["data"]) == 1


@pytest.mark.parametrize(
    "text", ["HTTP/1.1 999 WHAT\r\nContent-Length: 0\r\n\r\n", "SPDY/9 hello\n\n"]
)
def test_anything_can_be_written_to_the_wire(sandbox, text):
    sandbox.add_rule(action="raw", body=text)
    with socket.create_connection(("127.0.0.1", sandbox.port)) as sock:
        sock.sendall(
            b"POST /charges HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        )
        assert sock.makefile("rb").read() == text.encode()


def test_a_connection_is_reset_before_there_is_a_request(sandbox):
    sandbox.reset_connections(1)
    with client(sandbox) as api, pytest.raises((*BROKEN, httpx.ConnectError)):
        api.post("/charges", data=order())
    sandbox.reset_connections(1, after_bytes=60)
    with client(sandbox) as api, pytest.raises(BROKEN):
        api.post("/charges", data=order())
    assert sandbox.requests() == []
    with client(sandbox) as api:
        assert api.post("/charges", data=order()).status_code == 200
        sandbox.drop_connections(hard=True)


def test_rules_choose_by_order_key_attempt_and_number(sandbox, api):
    sandbox.add_rule(action="error_before", order_id="A-1*", times=2)
    sandbox.add_rule(action="error_before", status=501, key="k9")
    sandbox.add_rule(action="error_before", status=502, order_id="B", attempt=2)
    sandbox.add_rule(action="error_before", status=503, order_id="C", nth=[2, 3])
    sandbox.add_rule(action="error_before", status=504, order_id="D", every=2)

    def send(name: str, times: int, key: str = "") -> list[int]:
        body = order() | {"metadata[order_id]": name}
        headers = {"Idempotency-Key": key or f"key-{name}"}
        return [
            api.post("/charges", data=body, headers=headers).status_code
            for _ in range(times)
        ]

    assert send("A-17", 3) == [500, 500, 200]
    assert send("Z", 1, "k9") == [501]
    assert send("B", 3) == [200, 502, 200]
    assert send("C", 4) == [200, 503, 503, 200]
    assert send("D", 4) == [200, 504, 200, 504]


def test_rules_can_be_added_over_http(sandbox, api):
    added = httpx.post(
        f"{sandbox.url}/__sandbox/rules",
        json={"action": "error_before"},
        trust_env=False,
    )
    assert added.json() == {"rules": 1}
    assert api.post("/charges", data=order()).status_code == 500
    wrong = httpx.post(
        f"{sandbox.url}/__sandbox/rules", json={"action": "explode"}, trust_env=False
    )
    assert (wrong.status_code, "no action 'explode'" in wrong.json()["error"]) == (
        400,
        True,
    )


def test_a_script_is_read_from_toml_and_json(tmp_path):
    (tmp_path / "s.toml").write_text('[[rule]]\naction = "torn"\ncut = 3\n')
    (tmp_path / "s.json").write_text('[{"action": "torn", "cut": 3}]')
    for name in ("s.toml", "s.json"):
        (rule,) = read_script(tmp_path / name).rules
        assert (rule.reply, rule.cut, rule.commit) == ("torn", 3, "now")
    (tmp_path / "bad.json").write_text('[{"action": "torn", "cutt": 3}]')
    with pytest.raises(Misconfigured, match="cutt"):
        read_script(tmp_path / "bad.json")
    with pytest.raises(Misconfigured, match="missing"):
        read_script(tmp_path / "missing.json")
    with pytest.raises(Misconfigured, match="commit is one of"):
        Rule.parse({"commit": "sometimes"})


# --- life


def descriptors_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_starts_and_stops_without_a_trace(capfd):
    """No thread, no descriptor, no word is left; requests in flight do not hold it up."""
    before = (threading.active_count(), descriptors_open())
    for _ in range(3):
        with (
            SandboxServer(rules=[{"action": "hang_after"}]) as sandbox,
            client(sandbox) as api,
        ):
            with pytest.raises(httpx.ReadTimeout):
                api.post("/charges", data=order(), timeout=0.05)
            began = time.monotonic()
        assert time.monotonic() - began < 2
    assert threading.active_count() <= before[0]
    assert descriptors_open() <= before[1]
    assert capfd.readouterr() == ("", "")


def test_started_again_it_listens_where_it_did_and_knows_what_it_knew(tmp_path):
    """A gateway that was down for a while."""
    sandbox = SandboxServer(ledger_path=tmp_path / "l")
    for number in (1, 2):
        with sandbox, client(sandbox) as api:
            assert api.post("/charges", data=order(number)).status_code == 200
            url = sandbox.url
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
    assert [
        one["metadata"]["order_id"]
        for one in SandboxServer(ledger_path=tmp_path / "l").charges()
    ] == [
        "A-1",
        "A-2",
    ]


def test_without_its_libraries_it_says_what_to_install():
    code = "import sys; sys.modules['uvicorn'] = None; import batchpay.sandbox"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Misconfigured" in done.stderr
    assert "pip install 'batchpay[sandbox]'" in done.stderr


def test_a_taken_port_is_told_at_once(sandbox):
    with pytest.raises(Misconfigured, match=str(sandbox.port)):
        SandboxServer(port=sandbox.port).start()
