"""The way to one address, which knows whether a byte of a request has left this machine.

Written because three laws need what no pool offers: the very moment of the first byte (L2) with the
result of that first `send`, sockets that drop what was not delivered (L13: SO_LINGER {1, 0} and
TCP_USER_TIMEOUT), and no retry below us (L8). httptools parses; asyncio carries; one connection a
request at a time, the last one used first. What goes wrong is said in httpx's errors; its requests
and responses are left out, for they cost a charge more than all that is done here.

Whom to believe is certifi's list alone. SSL_CERT_FILE, SSL_CERT_DIR and their like are not read,
for the same reason as proxies of the environment are not used: what is set for another program must
not lead the secret key elsewhere.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import certifi
import httptools
import httpx

MAX_ANSWER_BYTES = 1 << 20
MAX_HEAD_BYTES = 64 << 10
CONNECT_TIMEOUT_S = 10.0


Raw = tuple[int, list[tuple[bytes, bytes]], bytes]
"""An answer: its status, its headers with their names in lower case, its body."""


@dataclass(slots=True)
class Flight:
    """One request's way out: `may_leave` is asked right before the first byte, `out` says whether
    one may have left.
    """

    may_leave: Callable[[], bool] = field(default=lambda: True)
    out: bool = False
    # what had arrived, should nobody be waiting for it any more
    answer: Raw | None = None


class Withheld(httpx.TransportError):
    """`may_leave` said no; not a byte left."""


class TooLong(httpx.RemoteProtocolError):
    """The gateway answered with more than anybody should read."""


class Wire:
    """Keeps at most as many idle connections as were ever busy at once; never retries, never
    redirects.
    """

    def __init__(
        self,
        url: httpx.URL,
        timeout_s: float,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """`url`: scheme, host and port are those of every request."""
        self._url = url
        self._timeout_s = timeout_s
        self._ssl_context = ssl_context
        self._idle: list[_Connection] = []

    async def exchange(self, request: bytes, flight: Flight) -> Raw:
        """One request, head and body as they go over the wire, and its whole answer, without any
        content encoding. `flight` is filled in on the way. Raises httpx.TransportError, or
        httpx.DecodingError.
        """
        connection = self._reusable() or await self._connect(self._url)
        try:
            raw = plain(await connection.exchange(request, flight))
        except Withheld:
            self._idle.append(connection)
            raise
        except BaseException:
            connection.drop()
            raise
        self._idle.append(connection)
        return raw

    def _reusable(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            connection.drop()
        return None

    async def _connect(self, url: httpx.URL) -> _Connection:
        loop = asyncio.get_running_loop()
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            async with asyncio.timeout(min(CONNECT_TIMEOUT_S, self._timeout_s)):
                sock = await self._dial(url.host, port)
                if url.scheme == "https":
                    tls = self._tls()
                else:
                    tls = None
                try:
                    _, connection = await loop.create_connection(
                        lambda: _Connection(sock, encrypted=tls is not None),
                        sock=sock,
                        ssl=tls,
                        server_hostname=url.host if tls else None,
                    )
                except BaseException:
                    sock.close()
                    raise
        except TimeoutError as error:
            raise httpx.ConnectTimeout(
                f"no connection to {url.host}:{port} in time"
            ) from error
        except ssl.SSLCertVerificationError as error:
            whom = "authorities are those of certifi, SSL_CERT_FILE is not read"
            raise httpx.ConnectError(
                f"no connection to {url.host}:{port}: {error} ({whom})"
            ) from error
        except (OSError, ssl.SSLError, UnicodeError) as error:
            raise httpx.ConnectError(
                f"no connection to {url.host}:{port}: {error}"
            ) from error
        return connection

    async def _dial(self, host: str, port: int) -> socket.socket:
        """The first address that takes a connection, on a socket that drops what it could not
        deliver.
        """
        loop = asyncio.get_running_loop()
        trouble: OSError = OSError(f"{host} has no address")
        for family, kind, proto, _, address in await _addresses(host, port):
            sock = socket.socket(family, kind, proto)
            try:
                sock.setblocking(False)
                sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if hasattr(socket, "TCP_USER_TIMEOUT"):
                    sock.setsockopt(
                        socket.IPPROTO_TCP,
                        socket.TCP_USER_TIMEOUT,
                        max(1, int(self._timeout_s * 1000)),
                    )
                await loop.sock_connect(sock, address)
                return sock
            except OSError as error:
                sock.close()
                trouble = error
            except BaseException:
                sock.close()
                raise
        raise trouble

    def _tls(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context(cafile=certifi.where())
            self._ssl_context.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._ssl_context

    async def aclose(self) -> None:
        """Drop every idle connection."""
        while self._idle:
            self._idle.pop().drop()
        await asyncio.sleep(0)


async def _addresses(host: str, port: int) -> Any:
    """Of a name, by a thread that asks for it; of an address, at once."""
    try:
        return socket.getaddrinfo(
            host,
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_NUMERICHOST,
        )
    except socket.gaierror:
        return await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )


class _Connection(asyncio.Protocol):
    """One connection: writes one request, parses one answer."""

    def __init__(self, sock: socket.socket, *, encrypted: bool) -> None:
        self._sock = sock
        self._encrypted = encrypted
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Raw] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._broken = False
        self._flight = Flight()

    # --- one exchange

    async def exchange(self, payload: bytes, flight: Flight) -> Raw:
        """Send and wait for a complete answer. Raises httpx.TransportError; the caller drops the
        connection then.
        """
        self._begin()
        self._flight = flight
        assert self._answer is not None
        if not flight.may_leave():
            self._answer = None
            raise Withheld("the intent had gone stale before its first byte")
        try:
            self._write(payload, flight)
        except BaseException:
            self._answer = None  # nobody waits for it
            raise
        raw = await self._answer
        self._answer = None
        return raw

    def _begin(self) -> None:
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._status = 0
        self._head_bytes = 0
        self._in_head = True
        self._keep_alive = True
        self._framed = False

    def _write(self, payload: bytes, flight: Flight) -> None:
        """The first `send` is our own, so that its result is known: what it refuses has not
        left.
        """
        assert self._transport is not None
        if self._transport.is_closing():
            raise httpx.WriteError("the connection was closed before the first byte")
        sent = 0
        if not self._encrypted:
            try:
                sent = self._sock.send(payload)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise httpx.WriteError(
                    f"the connection broke before the first byte: {error}"
                ) from error
        flight.out = True
        if sent < len(payload):
            self._transport.write(payload[sent:])

    @property
    def reusable(self) -> bool:
        """Clean, open and silent: fit for another request."""
        closing = self._transport is None or self._transport.is_closing()
        return not (self._broken or closing) and self._answer is None and self._silent()

    def _silent(self) -> bool:
        """Is nothing waiting to be read? Bytes that nobody asked for would be taken for the next
        request's answer.
        """
        try:
            self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False  # data, or the end of the connection

    def drop(self) -> None:
        """Discard, with whatever was not delivered."""
        self._broken = True
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # bytes nobody asked for: the next answer on this connection could be another's
            self._broken = True
            return
        if self._in_head:
            self._head_bytes += len(data)
            # what comes with the end of the head may be the whole body
            if self._head_bytes > MAX_HEAD_BYTES + MAX_ANSWER_BYTES:
                self._fail("the answer's head is too long")
                return
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # an exception of a callback is the cause of the parser's
            if len(self._body) > MAX_ANSWER_BYTES:
                self._fail("the answer is longer than 1 MiB", TooLong)
                return
            self._fail(
                f"not a well-formed HTTP answer: {error or type(error).__name__}"
            )
        except _TooLong as error:
            self._fail(
                str(error),
                TooLong
                if len(self._body) > MAX_ANSWER_BYTES
                else httpx.RemoteProtocolError,
            )

    def eof_received(self) -> bool:
        """An answer without a length ends where the connection does; any other is cut."""
        if self._answer is not None and not self._answer.done():
            if not self._in_head and not self._framed:
                self._finish()
            else:
                self._fail(
                    "the connection ended in the middle of the answer"
                    if self._status
                    else "no answer came"
                )
        self._broken = True
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._broken = True
        if self._answer is not None and not self._answer.done():
            self._fail(f"the connection was lost: {error or 'closed by the gateway'}")

    def _fail(
        self, why: str, kind: type[httpx.TransportError] = httpx.RemoteProtocolError
    ) -> None:
        self._broken = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(kind(why))

    # --- httptools callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) > 200 or len(name) + len(value) > MAX_HEAD_BYTES:
            raise _TooLong("too many or too long headers")
        lowered = name.lower()
        self._framed = self._framed or lowered in (
            b"content-length",
            b"transfer-encoding",
        )
        self._headers.append((lowered, value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self._status = self._parser.get_status_code()
        self._keep_alive = self._parser.should_keep_alive()
        self._in_head = False

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_ANSWER_BYTES:
            raise _TooLong("the answer is longer than 1 MiB")

    def on_message_complete(self) -> None:
        if 100 <= self._status < 200:  # only the final answer counts
            self._headers = []
            self._body = bytearray()
            self._in_head = True
            self._framed = False
            self._status = 0
            return
        self._broken = self._broken or not self._keep_alive
        self._finish()

    def on_message_begin(self) -> None:
        """A second answer in the same bytes is nobody's: the connection has lost step."""
        if self._answer is not None and self._answer.done():
            self._broken = True

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._flight.answer = self._status, self._headers, bytes(self._body)
            self._answer.set_result(self._flight.answer)
            self._headers = []
            self._body = bytearray()


class _TooLong(Exception):
    pass


def plain(raw: Raw) -> Raw:
    """An answer with its body as it was before any content encoding, bounded. Raises
    httpx.DecodingError, or TooLong.
    """
    status, headers, body = raw
    encodings = [
        value.strip().lower() for name, value in headers if name == b"content-encoding"
    ]
    if not encodings or encodings == [b"identity"]:
        return raw
    if encodings not in ([b"gzip"], [b"deflate"]):
        raise httpx.DecodingError("an encoding nobody asked for")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        unpacked = unpack.decompress(body, MAX_ANSWER_BYTES + 1)
    except zlib.error as error:
        raise httpx.DecodingError(
            f"the answer's compression is broken: {error}"
        ) from error
    if len(unpacked) > MAX_ANSWER_BYTES:
        raise TooLong("the answer is longer than 1 MiB when unpacked")
    if not unpack.eof:
        raise httpx.DecodingError("the answer is cut")
    return status, headers, unpacked
