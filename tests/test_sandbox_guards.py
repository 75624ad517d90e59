"""The sandbox as a place to test a client's guards: whose money it is, what the gateway allows, and
how it lies.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import omise
import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox import Rule, SandboxServer, params, read_script
from batchpay.sandbox.faults import ENDS
from batchpay.sandbox.terms import Terms
from tests.sandboxes import KEY, PUBLIC, RECIPIENT, client, order, refused, wait_for
from tests.test_sandbox import CHARGE_KEYS, card

OTHER = "skey_test_another000000"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """One that a test may break."""
    with SandboxServer() as started:
        yield started


@pytest.fixture
def api(sandbox: SandboxServer) -> Iterator[httpx.Client]:
    """A client of its first account."""
    with client(sandbox) as opened:
        yield opened


# --- who may ask


ROUTES = [
    ("POST", "/charges"),
    ("GET", "/charges"),
    ("GET", "/nothing"),
    ("GET", "/__sandbox/log"),
    ("GET", "/__sandbox/ledger"),
    ("POST", "/__sandbox/rules"),
    ("DELETE", "/__sandbox/rules"),
    ("POST", "/__sandbox/turn"),
    ("POST", "/__sandbox/clock"),
    ("OPTIONS", "/__sandbox/rules"),
    ("GET", "/charges/"),
]
FOREIGN: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8787"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1:8787.evil.example"},
    {"Host": "[::2]"},
    {"Host": "localhost:"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:8787"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.fault("J26")
@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_web_page_is_refused_on_every_route(
    sandbox: SandboxServer, method: str, path: str, headers: dict[str, str]
) -> None:
    """403, whatever the key: nothing is charged, noted, counted or changed."""
    rule = sandbox.add_rule(method="*", path="*", status=500, code="internal_error")
    body = json.dumps({"action": "error_before"})
    with client(sandbox) as api:
        answer = api.request(method, path, headers=headers, content=body)
    refused(answer, 403, "forbidden")
    assert "access-control-allow-origin" not in answer.headers
    assert (sandbox.charges(), sandbox.requests(), sandbox.desk.rules, rule.seen) == (
        [],
        [],
        [rule],
        0,
    )


@pytest.mark.fault("J26")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "LOCALHOST:1", "127.0.0.1:65535", "[::1]:8787"],
)
def test_a_program_on_this_machine_is_heard_by_any_loopback_name(
    api: httpx.Client, host: str
) -> None:
    """With any port or none; a person who types the address into a browser is none of a page's
    requests.
    """
    assert api.get("/account", headers={"Host": host}).status_code == 200
    assert (
        api.get(
            "/__sandbox/log", headers={"Host": host, "Sec-Fetch-Site": "none"}
        ).status_code
        == 200
    )


@pytest.mark.fault("J26")
@pytest.mark.parametrize(
    "hosts", [[], ["127.0.0.1", "evil.example"], ["evil.example", "127.0.0.1"]], ids=str
)
def test_no_host_and_two_hosts_are_no_loopback_name(
    sandbox: SandboxServer, hosts: list[str]
) -> None:
    """Byte by byte, for no client of ours sends such a thing."""
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    with socket.create_connection(("127.0.0.1", sandbox.port)) as sock:
        sock.sendall(
            f"GET /__sandbox/log HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode()
        )
        assert sock.makefile("rb").readline().split()[1] == b"403"


# --- whose the money is


def account(sandbox: SandboxServer, key: str) -> str:
    """The id of the account that a key is of."""
    with client(sandbox, key) as api:
        return str(api.get("/account").json()["id"])


@pytest.mark.fault("J03")
def test_two_keys_are_two_accounts_that_know_nothing_of_each_other(
    sandbox: SandboxServer,
) -> None:
    """Charges, transfers, books, customers and recipients; what a public key made is everybody's,
    and spent once.
    """
    with (
        client(sandbox) as api,
        client(sandbox, OTHER) as other,
        client(sandbox, PUBLIC) as vault,
    ):
        token = vault.post("/tokens", data=card()).json()["id"]
        charge = api.post("/charges", data=order(customer="", card=token)).json()
        customer = api.post("/customers", data={"email": "a@example.com"}).json()["id"]
        refused(
            other.post("/charges", data=order(customer="", card=token)),
            400,
            "used_token",
        )
        for path in (
            f"/charges/{charge['id']}",
            f"/chains/{charge['chain']}",
            f"/customers/{customer}",
            f"/transactions/{charge['transaction']}",
            f"/chains/{charge['chain']}/transfer",
        ):
            refused(other.get(path), 404, "not_found")
        for path in (
            "/charges",
            "/transfers",
            "/chains",
            "/transactions",
            "/events",
            "/customers",
        ):
            assert (
                other.get(path).json()["total"],
                api.get(path).json()["total"] > 0,
            ) == (
                0,
                True,
            ), path
        assert other.get("/search", params={"scope": "charge"}).json()["total"] == 0
        assert (
            other.get("/balance").json()["total"],
            api.get("/balance").json()["total"],
        ) == (
            0,
            charge["net"],
        )
        assert (
            other.get("/recipients").json()["total"]
            == api.get("/recipients").json()["total"]
            == 7
        )
        mine, theirs = api.get("/account").json(), other.get("/account").json()
        assert mine["id"].startswith("account_test_") and mine["id"] != theirs["id"]
        assert other.post("/charges", data=order(2)).json()["status"] == "successful"
    assert [one["metadata"]["order_id"] for one in sandbox.charges()] == ["A-1", "A-2"]
    assert [one.account for one in sandbox.requests("GET", "/account")] == [
        mine["id"],
        theirs["id"],
    ]


@pytest.mark.fault("J03")
def test_an_account_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """Its id and what it owns; the file tells no key."""
    path, found = tmp_path / "ledger.jsonl", []
    for number in (1, 2):
        with SandboxServer(ledger_path=path) as sandbox:
            ids = [
                account(sandbox, key)
                for key in ((KEY, OTHER) if number == 1 else (OTHER, KEY))
            ]
            with client(sandbox) as api:
                api.post("/charges", data=order(number))
                found.append(
                    (
                        sorted(ids),
                        account(sandbox, KEY),
                        api.get("/charges").json()["total"],
                    )
                )
            with client(sandbox, OTHER) as other:
                assert other.get("/charges").json()["total"] == 0
    assert found == [(found[0][0], found[0][1], 1), (found[0][0], found[0][1], 2)]
    assert (
        KEY.encode() not in path.read_bytes()
        and OTHER.encode() not in path.read_bytes()
    )


def test_keys_that_are_named_together_are_of_one_account_in_both_modes() -> None:
    """A live key too: the account's id is the same but for the mode, the ledgers are two."""
    accounts = {"shop": [KEY, OTHER, "skey_shop"], "else": ["skey_else"]}
    with SandboxServer(accounts=accounts) as sandbox, client(sandbox) as api:
        api.post("/charges", data=order())
        with client(sandbox, OTHER) as other, client(sandbox, "skey_shop") as live:
            assert other.get("/charges").json()["total"] == 1
            assert live.get("/charges").json()["total"] == 0
        assert account(sandbox, KEY) == account(sandbox, OTHER)
        assert account(sandbox, "skey_shop") == account(sandbox, KEY).replace(
            "_test_", "_"
        )
        assert account(sandbox, "skey_else") != account(sandbox, "skey_shop")
        assert account(sandbox, "skey_test_third") not in (
            account(sandbox, KEY),
            account(sandbox, OTHER),
        )
    with pytest.raises(Misconfigured, match="name it once"):
        SandboxServer(accounts={"a": [KEY], "b": [KEY]})


@pytest.mark.fault("B20")
def test_a_rolled_key_is_of_the_account_of_the_one_before(tmp_path: Path) -> None:
    """The first new key after the last old one was withdrawn, after a restart too; the next key is
    another's.
    """
    path = tmp_path / "ledger.jsonl"
    with SandboxServer(ledger_path=path) as sandbox:
        first = account(sandbox, KEY)
        sandbox.add_rule(action="revoke_key", method="GET", path="/balance", times=1)
        with client(sandbox) as api:
            refused(api.get("/balance"), 401, "authentication_failure")
        assert account(sandbox, "skey_test_new") == first
        assert account(sandbox, OTHER) != first
    with SandboxServer(ledger_path=path) as sandbox:
        assert account(sandbox, "skey_test_new") == first
        sandbox.accept_keys("skey_test_newest")
        assert account(sandbox, "skey_test_newest") == first


def test_a_ledger_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    """It does not say whose its charges are."""
    path = tmp_path / "ledger.jsonl"
    path.write_text(
        '[["charge",{"id":"chrg_test_1","livemode":false,"created":1,"amount":1,"currency":"THB"}]]\n'
    )
    with pytest.raises(Misconfigured, match="earlier version; name another file"):
        SandboxServer(ledger_path=path)


# --- what the gateway allows


def test_the_limits_of_the_capability_are_those_that_charges_and_transfers_are_held_to() -> (
    None
):
    """Of the account's currency; a share that is too small is a transfer that can never be sent
    (J29).
    """
    terms = Terms(
        charge_min=5000, charge_max=200_000, transfer_min=60_000, transfer_max=90_000
    )
    with SandboxServer(terms=terms) as sandbox, client(sandbox) as api:
        limits = api.get("/capability").json()["limits"]
        assert limits["charge_amount"] == {"min": 5000, "max": 200_000}
        assert limits["transfer_amount"] == {"min": 60_000, "max": 90_000}
        config = api.get("/account").json()["transfer_config"]
        assert (config["min_transfer_amount"], config["max_transfer_amount"]) == (
            "600.00",
            "900.00",
        )
        for amount, status in (
            (4999, 400),
            (5000, 200),
            (200_000, 200),
            (200_001, 400),
        ):
            assert (
                api.post(
                    "/charges", data=order(amount=str(amount), destination="")
                ).status_code
                == status
            ), amount
        # 49.75 baht
        assert (
            api.post("/charges", data=order(amount="199", currency="jpy")).status_code
            == 400
        )
        for amount, status in ((59_999, 400), (60_000, 200), (90_001, 400)):
            assert (
                api.post(
                    "/transfers", data={"amount": amount, "recipient": RECIPIENT}
                ).status_code
                == status
            ), amount
        shares = [
            api.post("/charges", data=order(amount=str(amount))).json()["chain"]
            for amount in (59_999, 60_000)
        ]
        assert [
            api.get(f"/chains/{chain}/transfer").json()["sendable"] for chain in shares
        ] == [
            False,
            True,
        ]


def test_a_charge_in_another_currency_is_funded_in_the_accounts(
    api: httpx.Client,
) -> None:
    """funding_amount is converted; fee, VAT and net are of it, in funding_currency; the commission
    is the charge's.
    """
    fields = {
        "amount": "10000",
        "currency": "usd",
        "platform_fee[fixed]": "500",
        "platform_fee[percentage]": "10.5",
    }
    charge = api.post("/charges", data=order(**fields)).json()
    assert (charge["amount"], charge["currency"]) == (10000, "USD")
    assert (charge["funding_amount"], charge["funding_currency"]) == (360_000, "THB")
    assert (charge["fee"], charge["fee_vat"], charge["net"]) == (
        13140,
        920,
        360_000 - 13140 - 920,
    )
    assert charge["platform_fee"] == {
        "fixed": 500,
        "amount": 1550,
        "percentage": "10.5",
    }
    plain = api.post("/charges", data=order(2)).json()
    assert plain["platform_fee"] == {"fixed": None, "amount": None, "percentage": None}


def test_a_charge_without_destination_is_refused_where_the_page_says_so() -> None:
    """By a switch: elsewhere it is an ordinary charge."""
    with (
        SandboxServer(terms=Terms(chained_only=True)) as sandbox,
        client(sandbox) as api,
    ):
        refused(api.post("/charges", data=order(destination="")), 400, "bad_request")
        assert api.post("/charges", data=order()).status_code == 200
        assert len(sandbox.charges()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[sandbox.accounts]\nshop = "skey_test_a"\n',
            "accounts.shop is a list of secret keys",
        ),
        ("[sandbox]\naccounts = []\n", "of the wrong kind"),
        ('[sandbox]\ncharge_min = "2000"\n', "of the wrong kind"),
        ("[sandbox]\nchained_only = 1\n", "of the wrong kind"),
        ('[[rule]]\nbecomes = "lost"\n', "becomes is one of pending, successful"),
        ('[[rule]]\nnull = "status"\n', "of the wrong kind"),
    ],
)
def test_what_is_wrong_with_the_new_words_of_a_script_is_told(
    text: str, told: str, tmp_path: Path
) -> None:
    """With its place, as with the old ones."""
    (tmp_path / "script.toml").write_text(text, "utf-8")
    with pytest.raises(Misconfigured, match=told):
        read_script(tmp_path / "script.toml")


# --- how it lies


def shown(api: httpx.Client, charge: dict[str, Any]) -> list[dict[str, Any]]:
    """A charge as its own path, the list and the search show it."""
    listed = api.get("/charges", params={"limit": 100}).json()["data"]
    found = api.get(
        "/search", params={"scope": "charge", "query": charge["metadata"]["order_id"]}
    ).json()["data"]
    same = [one for one in (*listed, *found) if one["id"] == charge["id"]]
    return [api.get(f"/charges/{charge['id']}").json(), *same]


@pytest.mark.fault("J15")
@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"null": ["platform_fee"]}, None),
        ({"drop": ["platform_fee"]}, "absent"),
        (
            {"null": ["platform_fee.amount"]},
            {"fixed": 500, "amount": None, "percentage": "10.5"},
        ),
        (
            {"change": {"platform_fee.amount": 0}},
            {"fixed": 500, "amount": 0, "percentage": "10.5"},
        ),
        ({"drop": ["platform_fee.percentage"]}, {"fixed": 500, "amount": 11000}),
    ],
)
def test_a_field_is_told_otherwise_wherever_its_charge_is_shown(
    sandbox: SandboxServer, api: httpx.Client, lie: dict[str, Any], told: Any
) -> None:
    """In the answer, by its id, in a list and a search, and in nobody else's charge; the books know
    better.
    """
    sandbox.add_rule({"method": "*", "path": "/charges*", "order_id": "A-1"} | lie)
    sandbox.add_rule({"method": "GET", "path": "/search", "order_id": "A-1"} | lie)
    asked = {"platform_fee[fixed]": "500", "platform_fee[percentage]": "10.5"}
    mine, other = (
        api.post("/charges", data=order(number, **asked)).json() for number in (1, 2)
    )
    for charge in (mine, *shown(api, mine)):
        assert charge.get("platform_fee", "absent") == told
    true = {"fixed": 500, "amount": 11000, "percentage": "10.5"}
    assert all(
        charge["platform_fee"] == true
        for charge in (other, *shown(api, other), *sandbox.charges())
    )


@pytest.mark.fault("J11")
def test_a_charge_is_in_no_list_ever_and_answers_by_its_id(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """The total does not count it either."""
    sandbox.add_rule(action="missing", path="/[cs]*", order_id="A-2")
    ids = [
        api.post("/charges", data=order(number)).json()["id"] for number in (1, 2, 3)
    ]
    page = api.get("/charges").json()
    assert ([one["id"] for one in page["data"]], page["total"]) == ([ids[0], ids[2]], 2)
    assert (
        api.get("/search", params={"scope": "charge", "query": "A-2"}).json()["total"]
        == 0
    )
    assert api.get(f"/charges/{ids[1]}").status_code == 200
    assert len(sandbox.charges()) == 3


@pytest.mark.fault("J05")
@pytest.mark.parametrize("path", ["/charges", "/transactions", "/transfers"])
def test_a_frozen_list_is_a_copy_of_one_moment(
    sandbox: SandboxServer, api: httpx.Client, path: str
) -> None:
    """What was made since is not in it, and what changed since is as it was; by its id everything
    is as it is.
    """
    first = api.post("/charges", data=order(1)).json()
    held = api.post("/charges", data=order(2, capture="false")).json()
    rule = sandbox.add_rule(action="frozen_list", path=path, skip=1)
    before, copied = (
        api.get(path, params={"to": "2999-01-01"}).json() for _ in range(2)
    )
    assert before == copied and (rule.seen, rule.applied) == (2, 1)
    api.post(f"/charges/{held['id']}/capture")
    api.post("/charges", data=order(3))
    assert api.get(path, params={"to": "2999-01-01"}).json() == copied
    newest_first = api.get(
        path, params={"order": "reverse_chronological", "limit": 1}
    ).json()
    assert (
        newest_first["data"] == copied["data"][-1:]
        and newest_first["total"] == copied["total"]
    )
    assert api.get(f"/charges/{held['id']}").json()["status"] == "successful"
    with client(sandbox, OTHER) as other:
        assert other.get(path).json()["total"] == 0
    sandbox.clear_rules()
    assert api.get(path).json()["total"] == copied["total"] + (
        1 if path == "/charges" else 2
    )
    assert first["chain"]


@pytest.mark.fault("J11")
def test_one_charge_id_is_answered_for_two_orders(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """Everything else in the answer is as asked."""
    sandbox.add_rule(id_of="A-1", order_id="A-2")
    first = api.post("/charges", data=order(1)).json()
    second = api.post("/charges", data=order(2)).json()
    assert (second["id"], second["location"]) == (first["id"], first["location"])
    assert second["metadata"] == {"order_id": "A-2"}
    assert api.get(f"/charges/{first['id']}").json()["metadata"] == {"order_id": "A-1"}
    assert len({one["id"] for one in sandbox.charges()}) == 2
    assert set(second) == CHARGE_KEYS


@pytest.mark.fault("J19", "J12")
def test_an_answer_without_status_and_currency_and_one_that_is_too_long(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """Null, empty, and longer than a mebibyte by its own metadata; the charge itself is in
    order.
    """
    sandbox.add_rule(null=["status"], change={"currency": ""}, order_id="A-1")
    sandbox.add_rule(action="too_long", order_id="A-2")
    first, second = (api.post("/charges", data=order(number)) for number in (1, 2))
    assert (first.json()["status"], first.json()["currency"]) == (None, "")
    assert len(second.content) > 1 << 20
    assert second.json()["metadata"]["order_id"] == "A-2"
    assert all(
        (one["status"], one["currency"]) == ("successful", "THB")
        for one in sandbox.charges()
    )
    sandbox.clear_rules()
    sandbox.add_rule(method="GET", pad=300_000, order_id="*")
    assert len(api.get("/charges").content) > 600_000


# --- what becomes of a charge


@pytest.mark.fault("J04")
@pytest.mark.parametrize("end", ["failed", "expired", "reversed"])
def test_a_charge_that_ended_without_money_is_paid_after_all(
    sandbox: SandboxServer, api: httpx.Client, end: str
) -> None:
    """It gets its transfer, chain and line in the books then."""
    sandbox.add_rule(becomes=end, times=1)
    charge = api.post(
        "/charges", data=order(customer="", source="src_test_sandbox1")
    ).json()
    assert (charge["status"], charge["paid"], charge["chain"]) == (end, False, None)
    assert (charge["failure_code"] is not None) == (end == "failed")
    assert sandbox.turn("successful", order_id="A-1") == [charge["id"]]
    paid = api.get(f"/charges/{charge['id']}").json()
    assert (
        paid["status"],
        paid["paid"],
        paid["failure_code"],
        paid["captured_amount"],
    ) == (
        "successful",
        True,
        None,
        100_000,
    )
    assert api.get(f"/chains/{paid['chain']}/transfer").json()["amount"] == 100_000
    assert api.get("/balance").json()["total"] == paid["net"]
    assert sandbox.turn("successful", charge_id=charge["id"]) == [charge["id"]]
    assert len(sandbox.transfers()) == 1


@pytest.mark.fault("B34")
def test_a_paid_charge_is_reversed_and_its_money_is_gone(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """The books have a credit and a debit."""
    charge = api.post("/charges", data=order(destination="")).json()
    sandbox.turn("reversed", order_id="A-1")
    after = api.get(f"/charges/{charge['id']}").json()
    assert (
        after["status"],
        after["paid"],
        after["reversed"],
        after["reversed_at"] is None,
    ) == (
        "reversed",
        False,
        True,
        False,
    )
    assert api.get("/balance").json()["total"] == 0
    assert [one["direction"] for one in api.get("/transactions").json()["data"]] == [
        "credit",
        "debit",
    ]


@pytest.mark.fault("J27")
def test_a_pending_charge_is_forgotten(tmp_path: Path) -> None:
    """404 by its id, in no list and no search, after a restart too; nothing can be done with it."""
    path = tmp_path / "ledger.jsonl"
    with SandboxServer(ledger_path=path) as sandbox, client(sandbox) as api:
        sandbox.add_rule(becomes="forgotten", becomes_s=0.1, order_id="A-1")
        pending = {"customer": "", "source": "src_test_sandbox1"}
        charge, other = (
            api.post("/charges", data=order(number, **pending)).json()
            for number in (1, 2)
        )
        assert charge["status"] == "pending"
        wait_for(lambda: api.get(f"/charges/{charge['id']}").status_code == 404)
    with SandboxServer(ledger_path=path) as sandbox, client(sandbox) as api:
        refused(api.get(f"/charges/{charge['id']}"), 404, "not_found")
        refused(api.post(f"/charges/{charge['id']}/mark_as_paid"), 404, "not_found")
        assert [one["id"] for one in api.get("/charges").json()["data"]] == [
            other["id"]
        ]
        assert (
            api.get("/search", params={"scope": "charge", "query": "A-1"}).json()[
                "total"
            ]
            == 0
        )


@pytest.mark.fault("J31")
def test_a_refund_is_made_later(sandbox: SandboxServer, api: httpx.Client) -> None:
    """Of all that is left, once; a charge that was never paid has nothing to give back."""
    sandbox.add_rule(becomes="refunded", becomes_s=0.1, order_id="A-*")
    charge = api.post("/charges", data=order(1)).json()
    declined = api.post(
        "/charges", data=order(2, customer="cust_test_sandbox0011")
    ).json()
    assert (charge["status"], charge["refunded_amount"]) == ("successful", 0)
    wait_for(
        lambda: api.get(f"/charges/{charge['id']}").json()["refunded_amount"] == 100_000
    )
    (refund,) = api.get("/refunds").json()["data"]
    assert (refund["charge"], refund["amount"], refund["currency"]) == (
        charge["id"],
        100_000,
        "THB",
    )
    sandbox.turn("refunded", charge_id=charge["id"])
    assert api.get("/refunds").json()["total"] == 1
    assert api.get(f"/charges/{declined['id']}").json()["status"] == "failed"


@pytest.mark.parametrize("end", ENDS)
def test_every_end_can_be_asked_over_http(
    sandbox: SandboxServer, api: httpx.Client, end: str
) -> None:
    """As what is wrong with asking is told."""
    charge = api.post("/charges", data=order()).json()["id"]
    assert api.post(
        "/__sandbox/turn", json={"order_id": "A-1", "becomes": end}
    ).json() == {"turned": [charge]}
    assert api.post(
        "/__sandbox/turn", json={"id": "chrg_test_0", "becomes": end}
    ).json() == {"turned": []}
    for wrong in (
        {"order_id": "A-1", "becomes": "lost"},
        {"becomes": end, "order": "A-1"},
        [],
        "text",
    ):
        answer = api.post("/__sandbox/turn", json=wrong)
        assert answer.status_code == 400 and "error" in answer.json()
    with pytest.raises(Misconfigured, match="a charge becomes one of"):
        sandbox.turn("lost", order_id="A-1")


@pytest.mark.fault("J31")
def test_its_clock_can_be_set_over_http(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """What is made afterwards is of that time; what is wrong with asking is told, and sets
    nothing.
    """
    for wrong in (
        {},
        [],
        "text",
        {"clock_offset_s": "1"},
        {"clock_offset_s": True},
        {"clock_offset_s": 1, "x": 1},
        {"clock_offset_s": 10**12},
    ):
        answer = api.post("/__sandbox/clock", json=wrong)
        assert answer.status_code == 400 and "error" in answer.json()
    assert sandbox.store.offset_s == 0
    before = params.seconds(api.post("/charges", data=order()).json()["created_at"])
    assert api.post("/__sandbox/clock", json={"clock_offset_s": 86_400}).json() == {
        "clock_offset_s": 86_400
    }
    after = params.seconds(api.post("/charges", data=order(2)).json()["created_at"])
    assert 0 <= after - before - 86_400 < 60


def test_a_list_turns_the_charges_it_is_about(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """Before it is read; rules are taken away over HTTP as well."""
    sources = {"customer": "", "source": "src_test_sandbox1"}
    for number in (1, 2):
        api.post("/charges", data=order(number, **sources))
    sandbox.add_rule(action="turn", becomes="successful", order_id="A-2")
    assert [one["status"] for one in api.get("/charges").json()["data"]] == [
        "pending",
        "successful",
    ]
    assert api.delete("/__sandbox/rules").json() == {"rules": 0}
    assert sandbox.desk.rules == []


def test_a_rule_about_an_order_with_nothing_to_say_of_entries_leaves_lists_alone(
    sandbox: SandboxServer, api: httpx.Client
) -> None:
    """It is for requests about that order: to charge it, and by its charge's id, or by the key in
    its metadata.
    """
    charge = api.post(
        "/charges", data=order(1, **{"metadata[batchpay_key]": "k1"})
    ).json()
    sandbox.add_rule(
        method="*", path="*", order_id="A-1", status=500, code="internal_error"
    )
    sandbox.add_rule(
        method="GET", path="/charges/*", key="k1", status=501, code="internal_error"
    )
    assert api.get("/charges").status_code == 200
    assert api.get(f"/charges/{charge['id']}").status_code == 500
    sandbox.desk.rules.pop(0)
    assert api.get(f"/charges/{charge['id']}").status_code == 501


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not_found"), (403, "forbidden"), (500, "internal_error")],
)
def test_the_account_cannot_be_read(
    sandbox: SandboxServer, api: httpx.Client, status: int, code: str
) -> None:
    """Charging goes on."""
    sandbox.add_rule(method="GET", path="/account", status=status, code=code)
    refused(api.get("/account"), status, code)
    assert api.post("/charges", data=order()).status_code == 200


@pytest.mark.parametrize(
    "action", ["error_before", "error_after", "error_late", "html_before", "html_after"]
)
def test_a_5xx_names_the_page_that_tells_of_incidents(
    sandbox: SandboxServer, api: httpx.Client, action: str
) -> None:
    """As the gateway's own pages do; a message of one's own is as it was given."""
    sandbox.add_rule(action=action)
    assert "status.omise.co" in api.post("/charges", data=order()).text
    assert Rule.parse({"action": "refuse"}).answer()[1]["message"] == "bad_request"
    assert (
        Rule.parse({"status": 503, "code": "x", "message": "m"}).answer()[1]["message"]
        == "m"
    )


# --- the gateway's page on chained charges


SAMPLE = "5xuy4w91xqz7d1w9u0t"
PAGE = (Path(__file__).parents[1] / "docs" / "sandbox.md").read_text("utf-8")


def sample(start: str, end: str) -> str:
    """A sample of docs/sandbox.md, as it stands there."""
    return PAGE[PAGE.index(start) :].split(end)[0]


def test_the_samples_of_the_page_work_as_they_stand_again_and_again(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its curl line and its Python, with another address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("api_main", "api_secret"):
        # the sample sets them for good
        monkeypatch.setattr(omise, name, getattr(omise, name))
    if shutil.which("curl"):
        line = sample("curl http", "```").replace("http://127.0.0.1:8787", sandbox.url)
        words = ["--noproxy", "*", "--silent", *line.replace("\\\n", " ").split()[1:]]
        for _ in range(2):
            done = subprocess.run(
                ["curl", *words], capture_output=True, text=True, timeout=30, check=True
            )
            assert json.loads(done.stdout)["status"] == "successful"
    script = sample("import omise", "```").replace("http://127.0.0.1:8787", sandbox.url)
    for _ in range(2):
        scope: dict[str, Any] = {}
        exec(compile(script, "docs/sandbox.md", "exec"), scope)
        charge = scope["charge"]
        assert (charge.status, charge.paid, charge.destination) == (
            "successful",
            True,
            f"recp_test_{SAMPLE}",
        )
        assert charge.chain


@pytest.mark.parametrize("payer", ["card", "customer", "source"])
def test_every_id_of_the_page_is_known(api: httpx.Client, payer: str) -> None:
    """Whoever pays: a token, a customer or a source."""
    name = {"card": "tokn", "customer": "cust", "source": "src"}[payer]
    fields = order(customer="", destination=f"recp_test_{SAMPLE}") | {
        payer: f"{name}_test_{SAMPLE}"
    }
    charge = api.post("/charges", data=fields).json()
    assert charge["status"] == ("pending" if payer == "source" else "successful")
    refused(
        api.post("/charges", data=fields | {"destination": f"recp_test_{SAMPLE}0"}),
        400,
        "invalid_recipient",
    )
