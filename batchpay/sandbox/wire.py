"""Answers that are broken on the wire, and the protocol that hands them the connection itself."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "batchpay.transport"


class Door:
    """Resets before there is a request: on accept or after so many bytes."""

    def __init__(self) -> None:
        self.resets = 0
        self.after_bytes = 0

    def slams(self, received: int) -> bool:
        """Whether the connection is to be reset now; uses up one of the resets."""
        if self.resets <= 0 or received < self.after_bytes:
            return False
        self.resets -= 1
        return True


class SandboxProtocol(HttpToolsProtocol):
    """uvicorn's protocol; the application finds the transport in the scope's extensions."""

    door = Door()
    received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, or reset it at once."""
        super().connection_made(transport)
        if self.door.after_bytes == 0 and self.door.slams(0):
            reset(transport)

    def data_received(self, data: bytes) -> None:
        """Pass it on, unless this is where the connection breaks."""
        self.received += len(data)
        if self.door.after_bytes and self.door.slams(self.received):
            reset(self.transport)
        elif not self.transport.is_closing():
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Put the transport where a broken answer can reach it."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


def protocol_for(door: Door) -> type[SandboxProtocol]:
    """A protocol of its own for one server."""
    return type("SandboxProtocol", (SandboxProtocol,), {"door": door})


def reset(transport: asyncio.Transport) -> None:
    """RST instead of FIN: whatever was not delivered is lost."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Broken(Response):
    """An answer written past the server: `payload` in pieces of `piece` bytes, `pace_s` apart, then
    an `ending`.
    """

    def __init__(
        self,
        ending: str,
        payload: bytes = b"",
        piece: int = 0,
        pace_s: float = 0.0,
    ) -> None:
        super().__init__()
        self._ending = ending
        self._payload = payload
        self._piece = piece or max(1, len(payload))
        self._pace_s = pace_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write, break off, and stay until the connection is gone."""
        transport: asyncio.Transport = scope["extensions"][EXTENSION]["transport"]
        for start in range(0, len(self._payload), self._piece):
            if transport.is_closing():
                break
            transport.write(self._payload[start : start + self._piece])
            await asyncio.sleep(self._pace_s)
        if self._ending == "reset":
            reset(transport)
        elif self._ending == "close":
            transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass


class Endless(Response):
    """A body of `size` bytes of nothing, packed or not, made while it is sent."""

    def __init__(self, size: int, packed: bool) -> None:
        super().__init__()
        self._size = size
        self._packed = packed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until done or until the client has had enough."""
        transport: asyncio.Transport = scope["extensions"][EXTENSION]["transport"]
        headers = [(b"content-type", b"application/json")]
        if self._packed:
            length = (b"content-encoding", b"gzip")
        else:
            length = (b"content-length", str(self._size).encode())
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*headers, length],
            }
        )
        for piece in _packed(self._size) if self._packed else _plain(self._size):
            if transport.is_closing():
                return
            await send(
                {
                    "type": "http.response.body",
                    "body": piece,
                    "more_body": True,
                }
            )
            await asyncio.sleep(0)
        await send(
            {
                "type": "http.response.body",
                "body": b"",
                "more_body": False,
            }
        )


def head(status: int, headers: dict[str, str], length: int) -> bytes:
    """Status line and headers of an answer written by hand."""
    lines = [
        f"HTTP/1.1 {status} Sandbox",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode("latin-1")


def broken(reply: str, full: Response, rule: Any) -> Response:
    """The answer `full` as the rule's `reply` has it."""
    body = bytes(full.body)
    named = {
        name: value for name, value in full.headers.items() if name != "content-length"
    }
    match reply:
        case "reset" | "close" | "hang":
            return Broken(reply)
        case "torn":
            if rule.cut is None:
                kept = len(body) // 2
            else:
                kept = rule.cut
            return Broken(
                "reset", head(full.status_code, named, len(body)) + body[:kept]
            )
        case "drip":
            return Broken(
                "hang",
                head(full.status_code, named, len(body)) + body,
                piece=1,
                pace_s=rule.pace_s,
            )
        case "huge" | "gzip_bomb":
            return Endless(rule.size, packed=reply == "gzip_bomb")
        case "raw":
            return Broken("close", str(rule.body or "").encode("latin-1"))
        case _:
            return full


def _plain(size: int) -> Iterator[bytes]:
    block = b" " * (1 << 16)
    for start in range(0, size, len(block)):
        yield block[: size - start]


def _packed(size: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for block in _plain(size):
        piece = packer.compress(block)
        if piece:
            yield piece
    yield packer.flush()
