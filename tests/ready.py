"""The program in a process of its own, forked from one that has imported it: a test's run begins in milliseconds.

What a test sees is a process like any other: its own pid, memory, signals, streams and exit, and it ends as `python -m
batchpay` ends. Only the start of the interpreter and the imports are shared, most of the work of a small run. Where the
start matters (variables that Python reads, a process to be killed) the program is started itself, and BATCHPAY_FORKS=0
(`make sweep`) starts every run so.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
START = ("PATH", "PYTHONPATH")  # what a test gives every run of its own environment
READ_LATE = frozenset({"OMISE_SECRET_KEY", "OMISE_SECRET_KEY_FILE", "BATCHPAY_DEBUG"})  # read by the program alone
IMPORTED_LATE = (
    "pandas", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "numpy", "httpx", "rich.progress", "jsonschema",
)  # fmt: skip
LONGEST = 1 << 17  # bytes of a request: words and variables


class Starter:
    """A process that forks, one run at a time."""

    def __init__(self) -> None:
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.ready", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given(os.environ),
            )  # fmt: skip
        atexit.register(self.end)

    def run(
        self, words: Sequence[str], folder: Path, environ: Mapping[str, str], timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m batchpay WORDS` to its end; raises subprocess.TimeoutExpired."""
        request = json.dumps([words, str(folder), dict(environ)]).encode()
        ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
        with Path(os.devnull).open() as nothing:
            socket.send_fds(self._asked, [request], [nothing.fileno(), *theirs])
        for fd in theirs:
            os.close(fd)
        pid = self._told()
        try:
            out, err = (told.decode() for told in read_all(ours, time.monotonic() + timeout_s))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(words), timeout_s) from None
        finally:
            code = self._told()
        return subprocess.CompletedProcess(list(words), code, out, err)

    def _told(self) -> int:
        if told := self._asked.recv(100):
            return int(told)
        raise RuntimeError(f"tests/ready.py could not import the program: {self._process.communicate()[1].decode()}")

    def end(self) -> None:
        """It leaves when nobody can ask it any more."""
        self._asked.close()
        self._process.communicate()


def read_all(pipes: Sequence[int], until_s: float) -> list[bytes]:
    """Each to its end, and closed; raises TimeoutError."""
    read = {pipe: bytearray() for pipe in pipes}
    try:
        with selectors.DefaultSelector() as open_:
            for pipe in pipes:
                open_.register(pipe, selectors.EVENT_READ)
            while open_.get_map():
                if not (ready := open_.select(until_s - time.monotonic())):
                    raise TimeoutError
                for key, _ in ready:
                    read[key.fd] += (some := os.read(key.fd, 1 << 16))
                    if not some:
                        open_.unregister(key.fd)
    finally:
        for pipe in pipes:
            os.close(pipe)
    return [bytes(read[pipe]) for pipe in pipes]


def given(environ: Mapping[str, str]) -> dict[str, str]:
    """What every run gets of our own environment."""
    return {name: environ[name] for name in START if name in environ}


_of_thread = threading.local()


def run(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `python -m batchpay WORDS` to its end, by a fork where that is the same; raises subprocess.TimeoutExpired."""
    same_start = {name: told for name, told in environ.items() if name not in READ_LATE} == given(os.environ)
    if os.environ.get("BATCHPAY_FORKS") == "0" or not same_start:
        command = [sys.executable, "-m", "batchpay", *words]
        return subprocess.run(
            command, cwd=folder, env=environ, timeout=timeout_s, capture_output=True, text=True, check=False
        )
    if not hasattr(_of_thread, "starter"):
        _of_thread.starter = Starter()
    starter: Starter = _of_thread.starter
    return starter.run(words, folder, environ, timeout_s)


# --- in the process that forks ----------------------------------------------------------------------------------


def import_everything() -> None:
    """All of the program but its sandbox, and what it imports late."""
    import batchpay

    for found in pkgutil.walk_packages(batchpay.__path__, "batchpay."):
        if not found.name.startswith(("batchpay.sandbox", "batchpay.__main__")):
            importlib.import_module(found.name)
    for name in IMPORTED_LATE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else the forks copy what they only count


def fork_for_each(asked: socket.socket) -> None:
    """One fork after another, until nobody asks any more. Returns in the forks, as the process that was asked for."""
    while True:
        request, fds, _, _ = socket.recv_fds(asked, LONGEST, 3)
        if not request:
            os._exit(0)
        if not (pid := os.fork()):
            asked.close()
            become(*json.loads(request), fds)
            return
        for fd in fds:
            os.close(fd)
        asked.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        asked.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(words: Sequence[str], folder: str, environ: Mapping[str, str], fds: Sequence[int]) -> None:
    """Take these words, this place and these streams."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(folder)
    sys.argv[1:], sys.path[0] = words, folder
    for name in os.environ.keys() - {"LC_CTYPE"}:  # Python itself sets that one when it begins without a locale
        del os.environ[name]
    os.environ.update(environ)


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with threads is not one to fork
    import_everything()
    fork_for_each(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("batchpay", run_name="__main__", alter_sys=True)
