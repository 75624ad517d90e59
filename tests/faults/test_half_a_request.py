"""The process dies when a part of its request is on the wire and the rest waits in its own
kernel.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.adversary import Adversary
from tests.faults.stage import Stage, named
from tests.world import order

HALF = 700  # bytes; the head alone is shorter


class Strait:
    """Passes everything on, but has next to no room: what it does not read stays with the
    sender.
    """

    def __init__(self, beyond: str) -> None:
        host, port = beyond.removeprefix("http://").split(":")
        self._beyond = host, int(port)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(16)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.came = b""  # of the request in whose middle the process was killed
        self.end = ""
        self.half, self.dead, self.over = (
            threading.Event(),
            threading.Event(),
            threading.Event(),
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            socket.create_connection(self._beyond) as gateway,
            contextlib.suppress(OSError),
        ):
            threading.Thread(
                target=self._pass_on, args=(gateway, client), daemon=True
            ).start()
            while data := client.recv(1 << 16 if self.half.is_set() else HALF):
                if data.startswith(b"POST") and not self.half.is_set():
                    self._hold(client, data)
                    break
                gateway.sendall(data)

    def _pass_on(self, gateway: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := gateway.recv(1 << 16):
                client.sendall(data)

    def _hold(self, client: socket.socket, data: bytes) -> None:
        """Read no further until the sender is dead, then see what else comes."""
        self.came = data
        self.half.set()
        self.dead.wait(30)
        try:
            while data := client.recv(1 << 16):
                self.came += data
            self.end = "end of file"
        except OSError as error:
            self.end = type(error).__name__
        self.over.set()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def strait(gateway: Adversary) -> Iterator[Strait]:
    """Between the program and the adversary."""
    made = Strait(gateway.url)
    yield made
    made.close()


@pytest.mark.fault("A06", "L13")
def test_a_process_killed_in_mid_request(
    night: Stage, gateway: Adversary, strait: Strait
) -> None:
    """What it had not delivered dies with it; the next run waits out the doubt, looks, and charges
    once.
    """
    night.job(url=strait.url)
    night.orders([order(number, invoice="ใบกำกับ" * 60) for number in range(3)])
    words, how = night.command("run", "job.toml")
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how
    ) as process:
        assert strait.half.wait(30)
        process.kill()
    strait.dead.set()
    assert strait.over.wait(10)
    assert HALF <= len(strait.came) < 3000 and strait.end == "ConnectionResetError"
    assert gateway.requests("POST") == []
    assert night.run().returncode == 0
    night.right()
    assert [night.sends(named(number)) for number in range(3)] == [1, 1, 1]
    assert night.row(named(0))["outcome"] == "succeeded"
