"""The gateway's own published Node client works against the sandbox, unchanged (docs/gateway.md,
10.2).

It is no part of the default run until it was installed once: `make node-check`, or BATCHPAY_NODE=1.
The packages are pinned by hash in tests/node and kept beside the environment's own, so that later
runs need no network.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer

NODE = Path(__file__).parent / "node"
RECIPIENT = "recp_test_seed0000000000001"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The folder node_modules: the one kept from before, or a new one when it was asked for."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on this machine")
    pinned = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:12]
    kept = Path(sys.prefix) / f"node-{pinned}"
    if not kept.exists():
        if os.environ.get("BATCHPAY_NODE") != "1":
            pytest.skip(
                "the Node client is not installed: make node-check installs it and runs this"
            )
        fresh = tmp_path_factory.mktemp("node")
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(NODE / name, fresh / name)
        npm = [
            "npm",
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        subprocess.run(npm, cwd=fresh, check=True, timeout=180)
        shutil.move(fresh, kept)
    return kept / "node_modules"


@pytest.fixture(scope="module")
def told(packages):
    """What the probe says came back, and the sandbox's own books."""
    with SandboxServer() as sandbox:
        # a proxy's name would turn it away from loopback
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }
        command = ["node", NODE / "probe.cjs", str(sandbox.port), packages]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) | {
            "books": sandbox.charges(),
            "unanswered": [
                one
                for one in sandbox.requests()
                if one.status == 0 or one.status >= 500
            ],
        }


def test_a_chained_charge_is_made_read_and_found(told):
    charge = told["charge"]
    assert told["customer"]["cards"]["data"][0]["name"] == "สมชาย ประเสริฐ"
    assert (charge["status"], charge["amount"], charge["destination"]) == (
        "successful",
        100000,
        RECIPIENT,
    )
    assert charge["platform_fee"] == {"fixed": 500, "amount": 2000, "percentage": "1.5"}
    assert charge["metadata"] == {"order_id": "A-1", "note": "ชำระแล้ว"}
    assert told["again"] == charge
    assert [one["id"] for one in told["found"]["data"]] == [charge["id"]]
    assert told["found"]["filters"] == {"amount": "1000"}


def test_lists_take_their_parameters_from_the_query(told):
    page = told["page"]
    assert (page["limit"], page["offset"], page["total"], page["order"]) == (
        2,
        1,
        3,
        "reverse_chronological",
    )
    assert [one["id"] for one in page["data"]] == [
        told["declined"]["id"],
        told["charge"]["id"],
    ]


def test_declines_are_charges_and_refusals_are_errors(told):
    assert (told["declined"]["status"], told["declined"]["failure_code"]) == (
        "failed",
        "insufficient_fund",
    )
    assert told["errors"] == [
        "used_token",
        "invalid_amount",
        "recipient_not_verified",
        "not_found",
    ]


def test_charges_are_captured_expired_and_refunded(told):
    assert (told["captured"]["status"], told["captured"]["paid"]) == (
        "successful",
        True,
    )
    assert told["expired"]["status"] == "expired"
    assert (told["refund"]["amount"], told["refund"]["charge"]) == (
        1000,
        told["charge"]["id"],
    )


def test_transfers_books_events_and_account(told):
    """The chained transfer is the only one left; the books add up to the balance."""
    assert (told["transfer"]["amount"], told["transfer"]["sent"]) == (40000, False)
    assert told["destroyed"]["deleted"] is True
    (chained,) = told["transfers"]["data"]
    assert (chained["recipient"], chained["amount"]) == (RECIPIENT, 98000)
    signed = {"credit": 1, "debit": -1}
    total = sum(
        signed[one["direction"]] * one["amount"] for one in told["transactions"]["data"]
    )
    assert total == told["balance"]["total"]
    assert told["events"]["data"][0]["key"] == "customer.create"
    assert {
        "charge.create",
        "charge.update",
        "charge.capture",
        "charge.expire",
        "refund.create",
    } <= {one["key"] for one in told["events"]["data"]}
    assert told["account"]["currency"] == "THB"
    assert told["capability"]["limits"]["charge_amount"]["min"] == 2000


def test_every_request_was_answered(told):
    assert told["unanswered"] == []
    assert len(told["books"]) == 5
