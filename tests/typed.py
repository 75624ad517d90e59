"""`batchpay` as a shell finds it: a small program that has the run forked (tests/ready.py) and ends
as it ends. Where a fork is not the same, because of its variables or a stream that is closed, the
program is started itself.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import ready
from tests.world import Market

PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys
try:
    for number in range(3):
        os.fstat(number)
except OSError:
    os.execv("{python}", ["{python}", "-m", "batchpay", *sys.argv[1:]])
asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
asked.connect("{door}")
# without what Python adds to it
told = open("/proc/self/environ").read().split("\\0")[:-1]
environ = dict(one.split("=", 1) for one in told)
request = json.dumps([sys.argv[1:], os.getcwd(), environ]).encode()
socket.send_fds(asked, [request], [0, 1, 2])
code = int(asked.recv(20))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def line(
    market: Market, shell: str, text: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """A line of a shell in a market's folder, where `batchpay` is this very program."""
    _, how = market.command(**environ)
    with program() as path:
        how["env"]["PATH"] = f"{path.parent}:{os.environ['PATH']}"
        return subprocess.run(
            [shell, "-c", text],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **how,
        )


@contextmanager
def program() -> Iterator[Path]:
    """Where it lies, as long as this lasts. Its name is `batchpay`, and beside it is nothing else
    that a shell would find.
    """
    with (
        # the address of a socket is short
        tempfile.TemporaryDirectory(prefix="batchpay-") as name,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door,
    ):
        door.bind(f"{name}/door")
        door.listen()
        path = Path(name, "tools", "batchpay")
        path.parent.mkdir()
        path.write_text(PROGRAM.format(python=sys.executable, door=f"{name}/door"))
        path.chmod(0o755)
        opener = _Opener(door)
        opener.start()
        try:
            yield path
        finally:
            opener.close()


class _Opener(threading.Thread):
    """Begins what is asked for, and tells how it ended."""

    def __init__(self, door: socket.socket) -> None:
        super().__init__()
        self._door = door
        self._starter = ready.starter()
        self._one = threading.Lock()  # at a time asks the starter
        self._asking: list[threading.Thread] = []

    def run(self) -> None:
        """Until the door is shut."""
        while True:
            try:
                asked, _ = self._door.accept()
            except OSError:
                return
            one = threading.Thread(target=self._serve, args=(asked,))
            self._asking.append(one)
            one.start()

    def close(self) -> None:
        """Shut it, once all that began has ended."""
        self._door.shutdown(socket.SHUT_RDWR)
        for one in (self, *self._asking):
            one.join()

    def _serve(self, asked: socket.socket) -> None:
        ready.use(self._starter)
        with asked:
            request, streams, _, _ = socket.recv_fds(asked, ready.LONGEST, 3)
            words, folder, environ = json.loads(request)
            with self._one:
                pid, wait = ready.launched(words, Path(folder), environ, streams)
            for stream in streams:
                os.close(stream)
            ended = os.pidfd_open(pid)
            select.select([ended], [], [])
            os.close(ended)
            with self._one:
                code, _ = wait()
            asked.send(str(code).encode())
