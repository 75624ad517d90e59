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
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
START = ("PATH", "PYTHONPATH")  # what a test gives every run of its own environment
READ_LATE = frozenset({"OMISE_SECRET_KEY", "OMISE_SECRET_KEY_FILE", "BATCHPAY_DEBUG"})  # read by the program alone
IMPORTED_LATE = (
    "pandas", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "numpy", "httpx", "rich.progress", "jsonschema",
)  # fmt: skip
LONGEST = 1 << 17  # bytes of a request: words and variables
FORKS = os.environ.get("BATCHPAY_FORKS") != "0"


@dataclass(frozen=True)
class Start:
    """How a process begins: `python -m batchpay WORDS`, or `python -P -W ignore -c CODE WORDS`."""

    words: list[str]
    folder: str
    environ: dict[str, str]
    code: str = ""


class Starter:
    """A process that forks."""

    def __init__(self) -> None:
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.ready", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given(os.environ),
            )  # fmt: skip
        atexit.register(self.end)

    def start(self, start: Start, fds: Sequence[int]) -> int:
        """The pid of a process that begins so, with these three streams."""
        socket.send_fds(self._asked, [json.dumps(["start", *astuple(start)]).encode()], fds)
        return self._told()

    def wait(self, pid: int) -> int:
        """The exit code of one that was started here; minus the signal that killed it."""
        self._asked.send(json.dumps(["wait", pid]).encode())
        return self._told()

    def _told(self) -> int:
        if told := self._asked.recv(100):
            return int(told)
        raise RuntimeError(f"tests/ready.py could not import the program: {self._process.communicate()[1].decode()}")

    def end(self) -> None:
        """It leaves when nobody can ask it any more."""
        self._asked.close()
        self._process.communicate()


def starter() -> Starter:
    """That of this thread."""
    if not hasattr(_of_thread, "starter"):
        _of_thread.starter = Starter()
    found: Starter = _of_thread.starter
    return found


_of_thread = threading.local()


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


def run(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `python -m batchpay WORDS` to its end, by a fork where that is the same; raises subprocess.TimeoutExpired."""
    same_start = {name: told for name, told in environ.items() if name not in READ_LATE} == given(os.environ)
    if not FORKS or not same_start:
        command = [sys.executable, "-m", "batchpay", *words]
        return subprocess.run(
            command, cwd=folder, env=environ, timeout=timeout_s, capture_output=True, text=True, check=False
        )
    ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
    with Path(os.devnull).open() as nothing:
        pid = starter().start(Start(list(words), str(folder), dict(environ)), [nothing.fileno(), *theirs])
    for fd in theirs:
        os.close(fd)
    try:
        out, err = (told.decode() for told in read_all(ours, time.monotonic() + timeout_s))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(list(words), timeout_s) from None
    finally:
        code = starter().wait(pid)
    return subprocess.CompletedProcess(list(words), code, out, err)


class Parser:
    """In place of the subprocess.Popen that a reader starts its parser with (batchpay/readers/apart.py)."""

    def __init__(self, command: Sequence[str], *, stdin: int, stdout: int, stderr: int, env: Mapping[str, str]) -> None:
        assert command[1:-2] == ["-P", "-W", "ignore", "-c"] and (stdout, stderr) == (
            subprocess.PIPE,
            subprocess.DEVNULL,
        )
        ours, theirs = os.pipe()
        self.stdout, self._code = os.fdopen(ours, "rb"), None
        with Path(os.devnull).open() as nothing:
            start = Start([command[-1]], str(Path.cwd()), dict(env), command[-2])
            self.pid = starter().start(start, [stdin, theirs, nothing.fileno()])
        os.close(theirs)

    def kill(self) -> None:
        """SIGKILL, unless its end is known."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code; minus the signal that killed it."""
        if self._code is None:
            self._code = starter().wait(self.pid)
        return self._code


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


def serve(asked: socket.socket) -> Start:
    """Fork and wait as told, until nobody asks any more. Returns in the forks: what each is to be."""
    while True:
        request, fds, _, _ = socket.recv_fds(asked, LONGEST, 3)
        if not request:
            os._exit(0)
        what, *told = json.loads(request)
        if what == "wait":
            _, status = os.waitpid(told[0], 0)
            asked.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        if not (pid := os.fork()):
            asked.close()
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
                os.close(fd)
            return Start(*told)
        for fd in fds:
            os.close(fd)
        asked.send(str(pid).encode())


def begin(start: Start) -> None:
    """As Python begins: this place, these variables, these words."""
    os.chdir(start.folder)
    for name in os.environ.keys() - {"LC_CTYPE"}:  # Python itself sets that one when it begins without a locale
        del os.environ[name]
    os.environ.update(start.environ)
    sys.argv[1:] = start.words
    if start.code:  # -P -W ignore -c
        del sys.path[0]
        warnings.simplefilter("ignore")
        exec(start.code, {"__name__": "__main__"})
    else:
        sys.path[0] = start.folder
        runpy.run_module("batchpay", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with threads is not one to fork
    import_everything()
    begin(serve(socket.socket(fileno=int(sys.argv[1]))))
