"""The adversary answers what a client asks before, while and after it charges, in the gateway's
shapes.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.adversary import Adversary, error


@pytest.fixture
def gateway() -> Iterator[Adversary]:
    """One with nothing wrong."""
    with Adversary() as started:
        yield started


@pytest.fixture
def api(gateway: Adversary) -> Iterator[httpx.Client]:
    """A client with a key."""
    with httpx.Client(
        base_url=gateway.url, auth=("skey_test_1", ""), trust_env=False, timeout=10
    ) as opened:
        yield opened


def form(**fields: str) -> dict[str, str]:
    """A charge for a customer."""
    return {
        "amount": "100001",
        "currency": "thb",
        "destination": "recp_test_1",
        "customer": "cust_test_1",
    } | fields


def test_a_charge_says_what_was_asked_what_it_costs_and_who_pays(
    api: httpx.Client,
) -> None:
    """The commission is rounded half up, and null when none was asked; fee, VAT and net are the
    account's baht.
    """
    fee = {"platform_fee[fixed]": "500", "platform_fee[percentage]": "10.5"}
    charge = api.post("/charges", data=form(**fee)).json()
    assert charge["platform_fee"] == {
        "fixed": 500,
        "percentage": "10.5",
        "amount": 11000,
    }
    assert (charge["funding_amount"], charge["funding_currency"], charge["fee"]) == (
        100001,
        "THB",
        3650,
    )
    assert (charge["customer"], charge["source"], charge["card"]["object"]) == (
        "cust_test_1",
        None,
        "card",
    )
    yen = api.post(
        "/charges",
        data=form(amount="1000", currency="jpy", customer="", source="src_test_1"),
    ).json()
    assert (yen["amount"], yen["currency"], yen["platform_fee"]) == (1000, "JPY", None)
    assert (yen["funding_amount"], yen["net"]) == (25000, 25000 - 912 - 63)
    assert (yen["source"]["id"], yen["card"]) == ("src_test_1", None)
    half = api.post(
        "/charges", data=form(amount="1010", **{"platform_fee[percentage]": "5"})
    ).json()
    assert half["platform_fee"]["amount"] == 51


def test_it_tells_of_its_account_its_limits_and_its_recipients(
    gateway: Adversary, api: httpx.Client
) -> None:
    """Each as a test may have it; what is asked before does not use up the fates of a charge's
    readings.
    """
    gateway.gets("*", error(500, "internal_error"))
    gateway.gets("/account", error(403, "forbidden"))
    assert api.get("/account").status_code == 403
    assert api.get("/account").json()["id"] == gateway.account
    gateway.account, gateway.smallest_transfer = "account_test_other", 5000
    assert api.get("/account").json()["id"] == "account_test_other"
    assert api.get("/capability").json()["limits"]["transfer_amount"]["min"] == 5000
    gateway.recipients = {"recp_test_2": {"verified": False}, "recp_test_3": None}
    found = [api.get(f"/recipients/recp_test_{number}") for number in (1, 2, 3)]
    assert [one.status_code for one in found] == [200, 200, 404]
    assert [one.json()["verified"] for one in found[:2]] == [True, False]
    charge = api.post("/charges", data=form()).json()["id"]
    assert [api.get(f"/charges/{charge}").status_code for _ in range(2)] == [500, 200]
    assert api.get("/nothing").status_code == 404
