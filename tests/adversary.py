"""A gateway that does whatever a test says, byte by byte: own sockets, own ledger, own log, nothing
of the product.

One thread a connection, because a fate is a row of blocking steps. Requests are timed by the kernel
as they arrive, so that a busy machine cannot make them look closer together than they were. It does
not know idempotency: whoever sends twice charges twice.

    with Adversary() as gateway:
        gateway.on("00003", Fate(end="reset"), OK)         # its first POST loses its answer, the
          second goes well
        gateway.lists(Fate(status=500))                    # the next list fails
        gateway.gets("/account", error(403, "forbidden"))  # what is asked before the first charge
          fails
        gateway.rule = lambda request: ...                 # or decide about every request
"""

from __future__ import annotations

import base64
import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SO_TIMESTAMPNS = 35
LONGEST_S = 30.0  # no step of a fate waits longer
PATIENCE_S = 5.0  # for the rest of a request that has begun
FUNDING = "THB"  # the account's own currency
# what one smallest unit of another is worth, in satang
IN_SATANG = {"JPY": 25, "USD": 36}


@dataclass(frozen=True)
class Fate:
    """What happens to one request, step by step."""

    # read so many bytes of it, then reset; it never reaches the ledger
    read: int | None = None
    before_s: float = 0.0  # wait, then
    commit: str = "now"  # now, never, late (`late_s` after the end), twice
    late_s: float = 0.5
    after_s: float = 0.0  # wait, then answer:
    raw: bytes | None = None  # these bytes, or
    status: int = 200
    headers: tuple[str, ...] = ()
    body: bytes | None = None  # this body, or
    code: str = ""  # the gateway's error object with this code, or
    message: str = ""
    # the true answer with other fields
    change: Mapping[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()  # ... and without these
    # ... and the true body's bytes otherwise
    rewrite: Callable[[bytes], bytes] | None = None
    # ... and a whole answer made of the true body
    framed: Callable[[bytes], bytes] | None = None
    # what the charge truly is: {"status": "pending"}
    becomes: Mapping[str, Any] = field(default_factory=dict)
    swap: bool = False  # exchange answers with the next request that is to swap
    cut: int | None = None  # stop after so many bytes of the answer
    drip_s: float = 0.0  # one byte at a time
    flood: int = 0  # so many more bytes of body, as long as anybody takes them
    end: str = "keep"  # keep, close, reset, hang


OK = Fate()
LOST_AFTER = Fate(end="reset", cut=0)  # charged, no answer
LOST_BEFORE = Fate(commit="never", end="reset", cut=0)  # not charged, no answer
DECLINED = Fate(
    becomes={
        "status": "failed",
        "failure_code": "insufficient_fund",
        "failure_message": "no money",
    }
)
PENDING = Fate(becomes={"status": "pending", "authorize_uri": "https://pay.example/a"})


def error(status: int, code: str = "", message: str = "", **more: Any) -> Fate:
    """An answer that says no: nothing is charged."""
    return Fate(commit="never", status=status, code=code, message=message, **more)


def rewritten(how: Callable[[bytes], bytes], **more: Any) -> Fate:
    """The true answer's body, otherwise."""
    return Fate(rewrite=how, **more)


def framed(how: Callable[[bytes], bytes], **more: Any) -> Fate:
    """The true answer's body, in another frame."""
    return Fate(framed=how, **more)


def says(body: bytes, status: int = 200, *headers: str, **more: Any) -> Fate:
    """An answer with this body instead of the true one."""
    return Fate(status=status, body=body, headers=headers, **more)


@dataclass
class Request:
    """One request as it arrived, and what became of it."""

    number: int
    at: float  # CLOCK_MONOTONIC at the kernel
    boot_s: float  # CLOCK_BOOTTIME
    wall_ns: int
    connection: int
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: str
    whole: bool = True
    status: int = 0  # of the answer; 0: none, or not an HTTP answer
    committed: list[str] = field(default_factory=list)
    # intents for this key in the journal, seen while it arrived
    known: int | None = None
    taken: int = 0  # bytes of the answer that somebody took

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def asks_newest(self) -> bool:
        """Is it for the youngest charge alone?"""
        return self.path == "/charges" and "order=reverse_chronological" in self.target

    @property
    def fields(self) -> dict[str, str]:
        """The form, decoded."""
        return dict(parse_qsl(self.body, keep_blank_values=True))

    @property
    def order_id(self) -> str:
        """Whom it is about."""
        return self.fields.get("metadata[order_id]", "")

    @property
    def key(self) -> str:
        """Its Idempotency-Key."""
        return dict(self.headers).get("idempotency-key", "")


class Adversary:
    """Listens from `__enter__` on; `url` says where."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._tls = tls
        self._listener = socket.create_server((address, port), backlog=64)
        self._lock = threading.RLock()
        self._sockets: set[socket.socket] = set()
        self._timers: list[threading.Timer] = []
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._connections = 0
        self._orders: dict[str, list[Fate]] = {}
        self._lists: list[Fate] = []
        self._gets: dict[str, list[Fate]] = {}
        self._swap: tuple[threading.Event, list[bytes]] | None = None
        self.log: list[Request] = []
        self.ledger: list[dict[str, Any]] = []
        self.born: dict[str, float] = {}
        self.rule: Callable[[Request], Fate | None] = lambda request: None
        self.before_list: Callable[[Request], None] = lambda request: None
        self.witness: Callable[[Request], int | None] = lambda request: None
        # reset it as it is accepted
        self.hang_up: Callable[[int], bool] = lambda connection: False
        self.lag_s = 0.0  # younger charges are not in lists
        self.cap = 0  # lists, and their counts, end after so many; 0: with the last
        self.key = ""  # the only secret key that is accepted; empty: any
        self.account = "account_test_adversary0000001"  # whose every accepted key is
        # of the account's currency; no order of the tests is below it
        self.smallest_transfer = 100
        # what is other than with any recipient; None: not there
        self.recipients: dict[str, dict[str, Any] | None] = {}

    # --- what a test says

    def on(self, order_id: str, *fates: Fate) -> None:
        """The fates of the POSTs for one order, in turn; what follows goes well."""
        self._orders[order_id] = list(fates)

    def lists(self, *fates: Fate) -> None:
        """The fates of the next lists, but for questions for the youngest charge."""
        self._lists = list(fates)

    def gets(self, charge_id: str, *fates: Fate) -> None:
        """The fates of the next readings of one charge, `*` for any, or of a path: "/account".

        `newest` is the youngest charge by itself.
        """
        self._gets[charge_id] = list(fates)

    def strangers(self, count: int, status: str = "successful", age_s: int = 0) -> None:
        """Charges that somebody else made."""
        for _ in range(count):
            self.commit({"amount": "500", "currency": "thb"}, {"status": status}, age_s)

    # --- what a test asks

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return f"{'https' if self._tls else 'http'}://{host}:{port}"

    def requests(self, method: str = "", path: str = "") -> list[Request]:
        """Those that arrived, of a kind."""
        with self._lock:
            return [
                r for r in self.log if method in ("", r.method) and path in ("", r.path)
            ]

    def charges(self) -> list[dict[str, Any]]:
        """The ledger, without what strangers made."""
        with self._lock:
            return [c for c in self.ledger if "batchpay_key" in (c["metadata"] or {})]

    def write(self, path: Path) -> None:
        """Log and ledger as lines of JSON: what the judge gets."""
        with self._lock, path.open("w", encoding="utf-8") as file:
            for request in self.log:
                file.write(json.dumps({"request": asdict(request)}) + "\n")
            for charge in self.ledger:
                file.write(
                    json.dumps({"charge": charge, "born": self.born[charge["id"]]})
                    + "\n"
                )

    # --- life

    def __enter__(self) -> Adversary:
        self._listener.settimeout(0.1)
        self._start(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        with self._lock:
            sockets, timers = list(self._sockets), list(self._timers)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for timer in timers:
            timer.cancel()
        for thread in list(self._threads):
            thread.join(LONGEST_S)
        self._listener.close()

    def _start(self, what: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=what, args=args, daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        self._stopping.wait(min(seconds, LONGEST_S))

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._connections += 1
            if self.hang_up(self._connections):
                _reset(sock)
                continue
            self._start(self._serve, sock, self._connections)

    def _serve(self, plain: socket.socket, number: int) -> None:
        sock = plain
        with self._lock:
            self._sockets.add(plain)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            if self._tls:
                plain.settimeout(PATIENCE_S)
                sock = self._tls.wrap_socket(plain, server_side=True)
            while (
                received := self._receive(sock, number)
            ) is not None and self._answer(sock, *received):
                pass
        except OSError:
            pass  # the client went away, which is its right
        finally:
            with self._lock:
                self._sockets.discard(plain)
            with contextlib.suppress(OSError):
                sock.close()
                plain.close()

    # --- one request

    def _receive(self, sock: socket.socket, number: int) -> tuple[Request, Fate] | None:
        """The next request, timed by the kernel; None when the client has left."""
        peek = 0 if self._tls else socket.MSG_PEEK
        seen = b""
        begun = None
        while not self._stopping.is_set():
            if not self._tls and not select.select([sock], [], [], 0.2)[0]:
                continue
            data = sock.recv(1 << 20, peek) if peek else sock.recv(1 << 20)
            if not data:
                return None
            begun = begun or time.monotonic()
            seen = data if peek else seen + data
            if (size := _size(seen)) is not None and len(seen) >= size:
                break
            if time.monotonic() - begun > PATIENCE_S:
                return None
            if peek:
                time.sleep(0.001)
        else:
            return None
        head, _, rest = seen[:size].partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
        headers = [
            tuple(line.split(": ", 1))
            for line in head.decode("latin-1").split("\r\n")[1:]
        ]
        headers = [(name.lower(), value) for name, value in headers]
        request = Request(
            0, 0, 0, 0, number, method, target, headers, rest.decode("latin-1")
        )
        fate = self._fate(request)
        taken = size if fate.read is None else min(fate.read, size)
        self._stamp(request, sock, taken if peek else 0)
        request.whole = taken == size
        request.known = self.witness(request) if method == "POST" else None
        with self._lock:
            request.number = len(self.log)
            self.log.append(request)
        return request, fate

    def _stamp(self, request: Request, sock: socket.socket, size: int) -> None:
        """When its last byte reached this machine."""
        now_ns, stamp_ns, left = time.time_ns(), 0, size
        while left > 0:
            data, extra, _, _ = sock.recvmsg(left, 256)
            left -= len(data)
            now_ns = time.time_ns()
            for _level, kind, value in extra:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanos = struct.unpack("qq", value[:16])
                    stamp_ns = seconds * 10**9 + nanos
        ago_s = max(0.0, (now_ns - stamp_ns) / 1e9) if stamp_ns else 0.0
        request.at = time.monotonic() - ago_s
        request.boot_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ago_s
        request.wall_ns = now_ns - int(ago_s * 1e9)

    def _fate(self, request: Request) -> Fate:
        with self._lock:
            if (fate := self.rule(request)) is not None:
                return fate
            if request.method == "POST":
                queue = self._orders.get(request.order_id, [])
            elif request.asks_newest:
                queue = self._gets.get("newest", [])
            elif request.path == "/charges":
                queue = self._lists
            elif request.path.startswith("/charges/"):
                charge_id = request.path.rsplit("/", 1)[-1]
                queue = self._gets.get(charge_id) or self._gets.get("*", [])
            else:
                queue = self._gets.get(request.path, [])
            return queue.pop(0) if queue else OK

    def _answer(self, sock: socket.socket, request: Request, fate: Fate) -> bool:
        """Live through the fate; True when the connection may carry another request."""
        if fate.read is not None:
            _reset(sock)
            return False
        self.pause(fate.before_s)
        raw = self._act(request, fate)
        self.pause(fate.after_s)
        if fate.swap:
            raw = self._exchanged(raw)
        if fate.cut is not None:
            raw = raw[: fate.cut]
        self._send(sock, request, raw, fate)
        if fate.end == "reset":
            _reset(sock)
        if fate.end == "hang":
            self.pause(LONGEST_S)
        return fate.end == "keep" and fate.cut is None

    def _send(
        self, sock: socket.socket, request: Request, raw: bytes, fate: Fate
    ) -> None:
        try:
            sock.settimeout(LONGEST_S)
            if fate.drip_s:
                for at in range(len(raw)):
                    sock.sendall(raw[at : at + 1])
                    request.taken += 1
                    self.pause(fate.drip_s)
                    if self._stopping.is_set():
                        return
            else:
                sock.sendall(raw)
                request.taken = len(raw)
            block = b"x" * (1 << 18)
            while fate.flood > request.taken:
                request.taken += sock.send(block)
        finally:
            sock.settimeout(None)

    def _exchanged(self, mine: bytes) -> bytes:
        """The answer of the other of two requests in flight; one's own when no other comes."""
        with self._lock:
            if self._swap is None:
                come, answers = self._swap = threading.Event(), [mine]
                first = True
            else:
                (come, answers), self._swap, first = self._swap, None, False
                answers.append(mine)
                come.set()
        if first:
            come.wait(0.7)
        return answers[-1] if first else answers[0]

    # --- the ledger

    def _act(self, request: Request, fate: Fate) -> bytes:
        """Do what was asked, as far as the fate lets it; the answer's bytes."""
        status, document = (
            404,
            _error("not_found", "the requested object was not found"),
        )
        if self.key and request.headers and self.key not in _key_of(request):
            status, document = (
                401,
                _error("authentication_failure", "authentication failed"),
            )
        elif request.method == "POST" and request.path == "/charges":
            status, document = 200, self._charge(request, fate)
        elif request.method == "GET" and request.path == "/charges":
            if not request.asks_newest:
                self.before_list(request)
            status, document = (
                200,
                self._list(dict(parse_qsl(urlsplit(request.target).query))),
            )
        elif (
            request.method == "GET" and (found := self._found(request.path)) is not None
        ):
            status, document = 200, found
        if fate.raw is not None:
            request.status = 0
            return fate.raw
        request.status = status if status != 200 else fate.status
        if fate.body is not None:
            body = fate.body
        elif fate.code:
            body = json.dumps(_error(fate.code, fate.message or fate.code)).encode()
        elif fate.status != 200 and status == 200:
            body = b""
        else:
            document = {
                name: value
                for name, value in {**document, **fate.change}.items()
                if name not in fate.drop
            }
            body = json.dumps(document).encode()
        body = fate.rewrite(body) if fate.rewrite else body
        if fate.framed:
            return fate.framed(body)
        return http(body, request.status, *fate.headers)

    def _found(self, path: str) -> dict[str, Any] | None:
        """What stands at any other path than /charges."""
        _, kind, *names = path.split("/")
        if path == "/account":
            return {
                "object": "account",
                "id": self.account,
                "livemode": False,
                "currency": FUNDING,
                "country": "TH",
            }
        if path == "/capability":
            return _capability(self.smallest_transfer)
        if kind == "recipients" and len(names) == 1:
            other = self.recipients.get(names[0], {})
            return None if other is None else _recipient(names[0]) | other
        if kind == "charges" and len(names) == 1:
            with self._lock:
                return next(
                    (charge for charge in self.ledger if charge["id"] == names[0]), None
                )
        return None

    def _charge(self, request: Request, fate: Fate) -> dict[str, Any]:
        fields = request.fields
        if fate.commit == "late":
            timer = threading.Timer(fate.late_s, self._land, (request, fields, fate))
            timer.daemon = True
            self._timers.append(timer)
            timer.start()
        if fate.commit in ("never", "late"):
            return _document("chrg_test_never", fields, {}, 0)
        charge = self.commit(fields, fate.becomes)
        request.committed.append(charge["id"])
        if fate.commit == "twice":
            request.committed.append(self.commit(fields, fate.becomes)["id"])
        return charge

    def _land(self, request: Request, fields: Mapping[str, str], fate: Fate) -> None:
        request.committed.append(self.commit(fields, fate.becomes)["id"])

    def commit(
        self, fields: Mapping[str, str], becomes: Mapping[str, Any], age_s: int = 0
    ) -> dict[str, Any]:
        """Take the money."""
        with self._lock:
            charge = _document(
                f"chrg_test_{len(self.ledger):06d}", fields, becomes, age_s
            )
            self.ledger.append(charge)
            self.born[charge["id"]] = time.monotonic()
            return dict(charge)

    def turn(self, order_id: str, **becomes: Any) -> None:
        """A charge goes on: pending becomes successful, successful becomes reversed."""
        with self._lock:
            for charge in self.ledger:
                if charge["metadata"].get("order_id") == order_id:
                    charge.update(becomes)
                    charge["paid"] = charge["status"] == "successful"

    def _list(self, query: Mapping[str, str]) -> dict[str, Any]:
        now_s = time.monotonic()
        with self._lock:
            visible = [
                dict(charge)
                for charge in self.ledger
                if charge["created_at"] >= query.get("from", "")
                and self.born[charge["id"]] <= now_s - self.lag_s
            ]
        visible.sort(key=lambda charge: charge["created_at"])
        if query.get("order") != "chronological":
            visible.reverse()
        visible = visible[: self.cap or None]
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        return {
            "object": "list",
            "from": query.get("from"),
            "offset": offset,
            "limit": limit,
            "total": len(visible),
            "order": query.get("order"),
            "data": visible[offset : offset + limit],
        }


def http(body: bytes, status: int = 200, *headers: str) -> bytes:
    """A whole, well-formed answer."""
    date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    given = [] if any(h.lower().startswith("date:") for h in headers) else [date]
    kind = (
        []
        if any(h.lower().startswith("content-type") for h in headers)
        else ["Content-Type: application/json"]
    )
    lines = [
        f"HTTP/1.1 {status} X",
        *given,
        *kind,
        f"Content-Length: {len(body)}",
        *(h for h in headers if h),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _key_of(request: Request) -> str:
    """The secret key of its Basic authentication."""
    given = dict(request.headers).get("authorization", "").removeprefix("Basic ")
    return base64.b64decode(given).decode("latin-1").removesuffix(":")


def _size(data: bytes) -> int | None:
    """How long the request is; None while its head is not there."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return None
    lengths = [
        line.split(b":")[1]
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    return len(head) + 4 + int(lengths[0] if lengths else 0)


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def _error(code: str, message: str) -> dict[str, Any]:
    return {
        "object": "error",
        "location": "https://docs.example/errors",
        "code": code,
        "message": message,
    }


def _capability(smallest_transfer: int) -> dict[str, Any]:
    """What the account may do; whole smallest units of its currency."""
    limits = {
        "charge_amount": {"min": 100, "max": 500_000_000_000},
        "transfer_amount": {"min": smallest_transfer, "max": 100_000_000_000},
    }
    return {
        "object": "capability",
        "location": "/capability",
        "country": "TH",
        "limits": limits,
    }


def _recipient(name: str) -> dict[str, Any]:
    """Somebody who can be paid."""
    return {
        "object": "recipient",
        "id": name,
        "livemode": "_test_" not in name,
        "deleted": False,
        "verified": True,
        "active": True,
        "failure_code": None,
    }


def _commission(amount: int, fixed: str | None, percentage: str | None) -> int:
    """The platform's share: fixed, and the percentage of the whole, halves up."""
    share = (Decimal(amount) * Decimal(percentage or 0) / 100).quantize(
        Decimal(1), ROUND_HALF_UP
    )
    return int(fixed or 0) + int(share)


def _document(
    charge_id: str, fields: Mapping[str, str], becomes: Mapping[str, Any], age_s: int
) -> dict[str, Any]:
    """A charge in the shape of version 2019-05-29; what it costs is in the account's currency."""
    amount, currency = int(fields["amount"]), fields["currency"].upper()
    fixed, percentage = (
        fields.get("platform_fee[fixed]"),
        fields.get("platform_fee[percentage]"),
    )
    funding = amount * IN_SATANG.get(currency, 1)
    fee = funding * 365 // 10_000
    vat = fee * 7 // 100
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age_s))
    card, source = fields.get("card") or fields.get("customer"), fields.get("source")
    charge = {
        "object": "charge",
        "id": charge_id,
        "location": f"/charges/{charge_id}",
        "livemode": False,
        "amount": amount,
        "currency": currency,
        "status": "successful",
        "failure_code": None,
        "failure_message": None,
        "fee": fee,
        "fee_vat": vat,
        "net": funding - fee - vat,
        "created_at": created,
        "paid_at": created,
        "funding_amount": funding,
        "funding_currency": FUNDING,
        "refunded_amount": 0,
        "destination": fields.get("destination"),
        "chain": f"acch_test_{charge_id[10:]}",
        "authorize_uri": None,
        "customer": fields.get("customer"),
        "description": fields.get("description"),
        "card": (
            {
                "object": "card",
                "id": f"card_test_{charge_id[10:]}",
                "last_digits": "4242",
            }
            if card
            else None
        ),
        "source": {"object": "source", "id": source, "type": "promptpay"}
        if source
        else None,
        "platform_fee": (
            {
                "fixed": int(fixed) if fixed else None,
                "percentage": percentage,
                "amount": _commission(amount, fixed, percentage),
            }
            if fixed or percentage
            else None
        ),
        "metadata": {
            name[9:-1]: value
            for name, value in fields.items()
            if name.startswith("metadata[")
        },
        **becomes,
    }
    charge["paid"] = charge["status"] == "successful"
    return charge
