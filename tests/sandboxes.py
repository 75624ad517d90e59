"""What the tests of the sandbox share: a server, and httpx with a key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
    with httpx.Client(
        base_url=sandbox.url, auth=(key, ""), trust_env=False, timeout=10
    ) as opened:
        yield opened


def wait_for(what: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Until it is true; the answer."""
    end = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
    return got


def refused(response: httpx.Response, status: int, code: str) -> None:
    """The error object, and nothing beside it."""
    assert (response.status_code, response.json()["code"]) == (status, code), (
        response.text
    )
    assert set(response.json()) == {"object", "location", "code", "message"}
    assert response.json()["object"] == "error"
