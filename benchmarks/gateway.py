"""A gateway fast enough not to be what is measured: bare asyncio, one process, well-formed charges,
nothing else.

It answers POST /charges with a charge that proves what was asked and GET /charges with pages of
them. It checks nothing and forgets nothing; the sandbox is the faithful one, this is the quick one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from batchpay.sandbox.objects import _CHARGE
from benchmarks.market import WAITS

_FILLED = {
    **_CHARGE,
    "authorization_type": "final_auth",
    "funding_currency": "THB",
    "status": "successful",
    "authorized": True,
    "disputable": True,
    "refundable": True,
    "partially_refundable": True,
    "paid": True,
    "transaction_fees": {"fee_flat": "0.0", "fee_rate": "3.65", "vat_rate": "7.0"},
    "platform_fee": {"fixed": None, "amount": None, "percentage": None},
    "ip": "127.0.0.1",
    "refunds": {
        "object": "list",
        "data": [],
        "limit": 20,
        "offset": 0,
        "total": 0,
        "order": "chronological",
    },
    "card": {
        "object": "card",
        "id": "card_test_bench",
        "livemode": False,
        "deleted": False,
        "country": "th",
        "financing": "credit",
        "bank": "Bench Bank",
        "brand": "Visa",
        "last_digits": "4242",
        "name": "Buyer",
        "expiration_month": 12,
        "expiration_year": 2030,
        "security_code_check": True,
    },
}
_WAITING = {"status": "pending", "paid": False, "authorized": False, "paid_at": None}
_VARIES = (
    "id",
    "location",
    "amount",
    "authorized_amount",
    "captured_amount",
    "funding_amount",
    "net",
    "currency",
    "fee",
    "fee_vat",
    "description",
    "metadata",
    "created_at",
    "paid_at",
    "destination",
    "chain",
    "transaction",
)
_TEMPLATE = json.dumps(
    {**_FILLED, **{name: f"\0{name}\0" for name in _VARIES}}
).replace("%", "%%")
for _name in _VARIES:
    _TEMPLATE = _TEMPLATE.replace(f'"\\u0000{_name}\\u0000"', f"%({_name})s")


def charge(fields: dict[str, str], number: int, now: str) -> bytes:
    """A successful charge as the gateway would show it."""
    amount = int(fields["amount"])
    metadata = {
        name[9:-1]: value
        for name, value in fields.items()
        if name.startswith("metadata[")
    }
    quoted = f'"{now}"'
    made = (
        _TEMPLATE
        % {
            "id": f'"chrg_test_bench{number:09d}"',
            "location": f'"/charges/chrg_test_bench{number:09d}"',
            "amount": amount,
            "authorized_amount": amount,
            "captured_amount": amount,
            "funding_amount": amount,
            "net": amount - amount // 25,
            "fee": amount // 27,
            "fee_vat": amount // 400,
            "currency": json.dumps(fields["currency"].upper()),
            "description": json.dumps(fields.get("description")),
            "metadata": json.dumps(metadata),
            "created_at": quoted,
            "paid_at": quoted,
            "destination": json.dumps(fields.get("destination")),
            "chain": f'"acch_test_bench{number:09d}"',
            "transaction": f'"trxn_test_bench{number:09d}"',
        }
    ).encode()
    if fields.get("card", "").startswith(WAITS):
        return json.dumps({**json.loads(made), **_WAITING}).encode()
    return made


def transfer(made: bytes, number: int, created: str) -> bytes:
    """The recipient's share of a charge, which arrived."""
    amount = json.loads(made)["amount"]
    told = {
        "object": "transfer",
        "id": f"trsf_test_bench{number:09d}",
        "created_at": created,
        "amount": amount,
        "currency": "THB",
        "total_fee": 0,
        "net": amount,
        "sent": True,
        "paid": True,
        "sent_at": created,
        "paid_at": created,
    }
    return json.dumps(told).encode()


def _fields(body: bytes) -> dict[str, str]:
    """What a form says, or JSON, which the gateway's own Python client sends."""
    if not body.startswith(b"{"):
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True))
    told = json.loads(body)
    return {
        **told,
        **{
            f"metadata[{name}]": value
            for name, value in told.get("metadata", {}).items()
        },
    }


_LIST = b'{"object":"list","total":%d,"data":[%s]}'


class Ledger:
    """What the gateway knows."""

    def __init__(self) -> None:
        self.charges: list[bytes] = []
        self.created: list[str] = []
        self.arrivals = array("d")
        self.posts = array("d")
        self._second = 0
        self._now = self._date = ""
        self._back_s = 0  # how far in the past its clock stands

    def clock(self) -> tuple[str, str]:
        """Now, as charges and as HTTP headers write it."""
        second = int(time.time()) - self._back_s
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
            self._now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._now, self._date

    def answer(self, method: bytes, target: str, body: bytes) -> bytes:
        """The body of the answer to one request."""
        if target.startswith("/bench/"):
            return self._bench(target)
        self.arrivals.append(time.monotonic())
        if method == b"POST":
            self.posts.append(self.arrivals[-1])
            now, _ = self.clock()
            made = charge(_fields(body), len(self.charges) + 1, now)
            self.charges.append(made)
            self.created.append(now)
            return made
        if target.startswith("/charges/"):
            return self.charges[
                int(target.removeprefix("/charges/chrg_test_bench")) - 1
            ]
        url = urlsplit(target)
        asked = dict(parse_qsl(url.query))
        if url.path in ("/refunds", "/events"):
            return _LIST % (0, b"")
        if url.path == "/chains":
            return self._page(asked, len(self.charges), self._chain)
        if url.path == "/transfers":
            return self._page(asked, self._arrived(), self._transfer)
        return self._page(asked, len(self.charges), self.charges.__getitem__)

    def _page(
        self, asked: dict[str, str], end: int, told: Callable[[int], bytes]
    ) -> bytes:
        first = bisect_left(self.created, asked.get("from", ""))
        start, limit = first + int(asked.get("offset", 0)), int(asked.get("limit", 20))
        data = b",".join(map(told, range(start, min(start + limit, end))))
        return _LIST % (max(0, end - first), data)

    def _arrived(self) -> int:
        """Of so many charges the recipient's share has arrived: those of more than a day ago."""
        day_before = time.gmtime(time.time() - self._back_s - 86_400)
        return bisect_left(
            self.created, time.strftime("%Y-%m-%dT%H:%M:%SZ", day_before)
        )

    def _chain(self, at: int) -> bytes:
        number = at + 1
        name = b'{"object":"chain","id":"acch_test_bench%09d"' % number
        if at < self._arrived():
            name += b',"transfer":"trsf_test_bench%09d"' % number
        return name + b"}"

    def _transfer(self, at: int) -> bytes:
        return transfer(self.charges[at], at + 1, self.created[at])

    def _bench(self, target: str) -> bytes:
        if target.endswith("/forget"):
            self.__init__()  # type: ignore[misc]
            return b""
        if target.endswith("/unseen"):
            self.arrivals, self.posts = array("d"), array("d")
            return b""
        if target.startswith("/bench/keep/"):
            del self.charges[int(target.rpartition("/")[2]) :]
            del self.created[len(self.charges) :]
            return b""
        if target.startswith("/bench/back/"):
            self._back_s = int(target.rpartition("/")[2])
            return b""
        return (self.posts if target.endswith("/posts") else self.arrivals).tobytes()


class Connection(asyncio.Protocol):
    """One connection: requests in, answers out, in order."""

    def __init__(self, ledger: Ledger, latency_s: float) -> None:
        self._ledger, self._latency_s = ledger, latency_s
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head = self._seen[:end]
            at = head.lower().find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._seen) < end + 4 + length:
                return
            body, self._seen = (
                self._seen[end + 4 : end + 4 + length],
                self._seen[end + 4 + length :],
            )
            method, target, _ = head.split(b" ", 2)
            self._send(self._ledger.answer(method, target.decode("ascii"), body))

    def _send(self, body: bytes) -> None:
        _, date = self._ledger.clock()
        head = (
            f"HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-type: application/json\r\ncontent-length:"
            f" {len(body)}\r\n\r\n"
        )
        if self._latency_s:
            asyncio.get_running_loop().call_later(
                self._latency_s, self._transport.write, head.encode() + body
            )
        else:
            self._transport.write(head.encode() + body)


async def serve(latency_s: float) -> None:
    """Until killed; the port is the first line said."""
    ledger = Ledger()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(ledger, latency_s), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    asyncio.run(serve(parser.parse_args().latency))
