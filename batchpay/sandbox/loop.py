"""The event loop that serves: uvicorn on a loopback socket, made silent and quick to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox import wire
from batchpay.sandbox.app import build
from batchpay.sandbox.desk import Desk

HOST = "127.0.0.1"
TICK_S = 0.02


class Loop(uvicorn.Server):
    """uvicorn, silent, quick to stop, and content with SIGINT and SIGTERM."""

    def __init__(
        self, desk: Desk, door: wire.Door, on_started: Callable[[], None] | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                build(desk),
                http=wire.protocol_for(door),
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                timeout_keep_alive=75,
                server_header=False,
                date_header=False,
                backlog=4096,
            )
        )
        self.ready = threading.Event()
        self._desk = desk
        self._on_started = on_started

    async def main_loop(self) -> None:
        """Until told to stop; asked often, for tests start and stop many."""
        self.loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.ready.set()
        if self._on_started is not None:
            self._on_started()
        ticks = 0
        while not await self.on_tick(ticks):
            await asyncio.sleep(TICK_S)
            ticks = (ticks + 1) % 1_000_000

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut every connection and let every task see it."""
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        self.drop(hard=False)
        self._desk.stop()
        await asyncio.sleep(0)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()

    def drop(self, hard: bool) -> None:
        """Close every connection."""
        for connection in list(self.server_state.connections):
            transport: Any = connection.transport
            if hard:
                wire.reset(transport)
            else:
                transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Both signals mean stop; nothing is raised again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listening(port: int) -> socket.socket:
    """A listening socket on loopback; raises Misconfigured when the port is taken."""
    # named: asyncio asks before NODELAY
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise Misconfigured(
            f"port {port} on {HOST} cannot be used: {error.strerror}"
        ) from error
    return sock
