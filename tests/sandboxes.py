"""What the tests of the sandbox share: a server, and httpx with a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from batchpay.sandbox import SandboxServer

KEY = "skey_test_5xzzzzzzzzzzzzzzzzz"
PUBLIC = "pkey_test_5xzzzzzzzzzzzzzzzzz"
RECIPIENT = "recp_test_seed0000000000001"


def order(number: int = 1, **fields: object) -> dict[str, object]:
    """The form of a chained charge to a ready-made customer."""
    return {
        "amount": "100000",
        "currency": "thb",
        "destination": RECIPIENT,
        "customer": f"cust_test_sandbox{number}",
        "metadata[order_id]": f"A-{number}",
    } | fields


@contextmanager
def client(sandbox: SandboxServer, key: str = KEY) -> Iterator[httpx.Client]:
    """An HTTP client that presents a key."""
    with httpx.Client(base_url=sandbox.url, auth=(key, ""), trust_env=False, timeout=10) as opened:
        yield opened


def refused(response: httpx.Response, status: int, code: str) -> None:
    """The error object, and nothing beside it."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert set(response.json()) == {"object", "location", "code", "message"}
    assert response.json()["object"] == "error"
