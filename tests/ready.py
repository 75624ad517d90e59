"""The program in a process of its own, forked from one that has imported it: a test's run begins in
milliseconds.

What a test sees is a process like any other: its own pid, memory, signals, streams and exit, and it
ends as `python -m batchpay` ends. Only the start of the interpreter, the imports and their undoing
are left out, most of the work of a small run. Where the start matters (variables that Python reads)
the program is started itself, and BATCHPAY_FORKS=0 (`make sweep`) starts every run so.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
START = ("PATH", "PYTHONPATH")  # what a test gives every run of its own environment
# read by the program alone
READ_LATE = frozenset(
    {
        *("OMISE_SECRET_KEY", "OMISE_SECRET_KEY_FILE", "BATCHPAY_DEBUG"),
        *("COLUMNS", "NO_COLOR", "PATH", "TERM"),
        *("PWD", "OLDPWD", "SHLVL", "_"),  # a shell's own
    }
)
IMPORTED_LATE = (
    "pandas",
    "pandas.core.methods.to_dict",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "pyarrow.vendored.version",
    "numpy",
    "httpx",
    "rich.progress",
    "jsonschema",
    "jsonschema_rs",
    "openpyxl",
    "pandas.core.reshape.reshape",
    "python_calamine",
    "encodings.ascii",
    "encodings.idna",
    "encodings.utf_8_sig",
)
LONGEST = 1 << 17  # bytes of a request: words and variables
FORKS = os.environ.get("BATCHPAY_FORKS") != "0"


@dataclass(frozen=True)
class Start:
    """How a process begins: `python -m batchpay WORDS`, or `python -P -W ignore -c CODE WORDS`."""

    words: list[str]
    folder: str
    environ: dict[str, str]
    code: str = ""


class Asked:
    """A process that forks, as the other end of a socket."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked

    def start(self, start: Start, fds: Sequence[int]) -> int:
        """The pid of a process that begins so, with these three streams."""
        socket.send_fds(
            self._asked, [json.dumps(["start", *astuple(start)]).encode()], fds
        )
        return self._told()[0]

    def wait(self, pid: int) -> tuple[int, int]:
        """The exit code of one that was started here, minus the signal that killed it, and its
        largest size in kB.
        """
        ends = os.pidfd_open(pid)
        select.select([ends], [], [])  # here, and not there, where others ask as well
        os.close(ends)
        self._asked.send(json.dumps(["wait", pid]).encode())
        code, peak_kb = self._told()
        return code, peak_kb

    def _told(self) -> list[int]:
        if told := self._asked.recv(100):
            found: list[int] = json.loads(told)
            return found
        raise RuntimeError(self._why())

    def _why(self) -> str:
        return "tests/ready.py has ended"


class Starter(Asked):
    """One that lives as long as this process; others may ask at its door."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(ours)
        with theirs, listening() as door:
            self.door: bytes = door.getsockname()
            fds = [theirs.fileno(), door.fileno()]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.ready", *map(str, fds)],
                cwd=ROOT,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=given(os.environ),
            )
        atexit.register(self.end)

    def _why(self) -> str:
        told = self._process.communicate()[1].decode()
        return f"tests/ready.py could not import the program: {told}"

    def end(self) -> None:
        """It leaves when nobody can ask it any more."""
        self._asked.close()
        self._process.communicate()


def starter() -> Asked:
    """That of this thread; in a fork, the process that it comes from."""
    if not hasattr(_of_thread, "starter"):
        _of_thread.starter = _at_the_door() if DOOR else Starter()
    found: Asked = _of_thread.starter
    return found


def shared() -> str:
    """The door of this process's, for other processes that take it for theirs (`share`)."""
    own = starter()
    assert isinstance(own, Starter)
    return own.door.hex()


def share(door: str) -> None:
    """Ask another process's, in all threads."""
    global DOOR
    DOOR = bytes.fromhex(door)


def _at_the_door() -> Asked:
    asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asked.connect(DOOR)
    atexit.register(asked.close)
    return Asked(asked)


def use(one: Asked) -> None:
    """Let this thread ask another's, in turn with it."""
    _of_thread.starter = one


_of_thread = threading.local()
# where forks reach the process that they come from, and processes that share one reach it; empty
# anywhere else
DOOR: bytes = b""


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


def at_start(environ: Mapping[str, str]) -> dict[str, str]:
    """What Python itself may read of it."""
    return {name: told for name, told in environ.items() if name not in READ_LATE}


class Ended(subprocess.CompletedProcess[str]):
    """How a run ended, and how large it was."""

    peak_kb = 0


def run(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], timeout_s: float
) -> Ended:
    """Run `python -m batchpay WORDS` to its end, by a fork where that is the same; raises
    subprocess.TimeoutExpired.
    """
    ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
    with Path(os.devnull).open() as nothing:
        streams = (nothing.fileno(), *theirs)
        pid, wait = launched(words, folder, environ, streams)
    for fd in theirs:
        os.close(fd)
    try:
        out, err = (
            told.decode() for told in read_all(ours, time.monotonic() + timeout_s)
        )
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(list(words), timeout_s) from None
    finally:
        code, peak_kb = wait()
    ended = Ended(list(words), code, out, err)
    ended.peak_kb = peak_kb
    return ended


Running = tuple[int, Callable[[], tuple[int, int]]]
"""A pid, and how to wait for its exit code and its largest size in kB."""


class UnderWay:
    """A run as subprocess.Popen has it, to be looked at, and to be killed. Its streams are those
    that are given, or lead nowhere.
    """

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        streams: Sequence[int] = (),
    ) -> None:
        with Path(os.devnull).open("r+b") as nothing:
            given = streams or [nothing.fileno()] * 3
            self.pid, self._wait = launched(words, folder, environ, given)
        self._ends = os.pidfd_open(self.pid)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        ended, _, _ = select.select([self._ends], [], [], 0)
        return self.wait() if ended else self.returncode

    def wait(self) -> int:
        """Its exit code; minus the signal that killed it."""
        if self.returncode is None:
            self.returncode, _ = self._wait()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Unless its end is known."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """As a person does."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> UnderWay:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        os.close(self._ends)


class Heard(UnderWay):
    """One whose stdout and stderr are read when it has ended."""

    def __init__(
        self, words: Sequence[str], folder: Path, environ: Mapping[str, str]
    ) -> None:
        ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
        self._said = ours
        with Path(os.devnull).open() as nothing:
            super().__init__(words, folder, environ, [nothing.fileno(), *theirs])
        for fd in theirs:
            os.close(fd)

    def communicate(self, timeout_s: float) -> tuple[str, str]:
        """What it said on both, and that is all; raises TimeoutError."""
        out, err = read_all(self._said, time.monotonic() + timeout_s)
        self.wait()
        return out.decode(), err.decode()


def launched(
    words: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    streams: Sequence[int],
) -> Running:
    """A run that began so, by a fork where that is the same."""
    same = at_start(environ) == at_start(given(os.environ))
    begin = _forked if FORKS and same else _started
    return begin(Start(list(words), str(folder), dict(environ)), streams)


def _forked(start: Start, streams: Sequence[int]) -> Running:
    pid = starter().start(start, streams)
    return pid, partial(starter().wait, pid)


def _started(start: Start, streams: Sequence[int]) -> Running:
    command = [sys.executable, "-m", "batchpay", *start.words]
    stdin, stdout, stderr = streams
    process = subprocess.Popen(
        command,
        cwd=start.folder,
        env=start.environ,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )

    def wait() -> tuple[int, int]:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, used.ru_maxrss

    return process.pid, wait


class Parser:
    """In place of the subprocess.Popen that a reader starts its parser with
    (batchpay/readers/apart.py).
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: int,
        env: Mapping[str, str],
    ) -> None:
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
            self._code, _ = starter().wait(self.pid)
        return self._code


# in place of `subprocess` in batchpay/readers/apart.py
PARSERS = SimpleNamespace(
    Popen=Parser, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL
)

# --- in the process that forks


def import_everything() -> None:
    """All of the program but its sandbox, and what it imports late and makes once: the templates of
    the pages and the rules of job files cost more than all else that a small run does.
    """
    import batchpay
    from batchpay.job.load import load_job
    from batchpay.job.packaged import data_path
    from batchpay.reports import NAMES, load

    for found in pkgutil.walk_packages(batchpay.__path__, "batchpay."):
        if not found.name.startswith(("batchpay.sandbox", "batchpay.__main__")):
            importlib.import_module(found.name)
    for name in IMPORTED_LATE:
        importlib.import_module(name)
    load(NAMES, "en")
    load_job(data_path("samples/job.toml"))
    gc.collect()
    gc.freeze()  # else the forks copy what they only count


def listening() -> socket.socket:
    """A door that nobody knows yet."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    opened.bind("")  # the kernel finds a name for it
    opened.listen()
    return opened


def serve(asked: socket.socket, door: socket.socket) -> Start:
    """Fork and wait as told, until nobody asks any more; the forks themselves ask at the door.
    Returns in the forks: what each is to be.
    """
    global DOOR
    DOOR, asking = door.getsockname(), [asked]
    while True:
        for one in select.select([door, *asking], [], [])[0]:
            if one is door:
                asking.append(door.accept()[0])
            elif (start := _served(one)) is not None:
                for socket_ in (door, *asking):
                    socket_.close()
                return start
            elif one.fileno() < 0:
                asking.remove(one)
        if asked not in asking:
            os._exit(0)


def _served(asked: socket.socket) -> Start | None:
    """Do what is asked, once; closes the socket of one that is gone. In a fork, what it is to
    be.
    """
    request, fds, _, _ = socket.recv_fds(asked, LONGEST, 3)
    if not request:
        asked.close()
        return None
    what, *told = json.loads(request)
    if what == "wait":
        _, status, used = os.wait4(told[0], 0)
        answer = [os.waitstatus_to_exitcode(status), used.ru_maxrss]
    elif not (pid := os.fork()):
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
            os.close(fd)
        return Start(*told)
    else:
        answer = [pid]
        for fd in fds:
            os.close(fd)
    with suppress(BrokenPipeError):  # it was killed meanwhile
        asked.send(json.dumps(answer).encode())
    return None


def begin(start: Start) -> None:
    """As Python begins: this place, these variables, these words."""
    os.chdir(start.folder)
    for name in os.environ.keys() - {
        "LC_CTYPE"
    }:  # Python itself sets that one when it begins without a locale
        del os.environ[name]
    os.environ.update(start.environ)
    sys.argv[1:] = start.words
    if start.code:  # -P -W ignore -c
        del sys.path[0]
        warnings.simplefilter("ignore")
        exec(start.code, {"__name__": "__main__"})
    else:
        from batchpay.readers import apart

        apart.subprocess = PARSERS  # type: ignore[attr-defined]
        sys.path[0] = start.folder
        sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # type: ignore[union-attr]
        runpy.run_module("batchpay", run_name="__main__", alter_sys=True)


def end(code: int) -> None:
    """As Python ends, but for taking every module apart: that costs more than a small run itself.

    An end with something to say (a text in place of a code, a stream that cannot be written) is
    left to Python.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    # a process with threads is not one to fork
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import_everything()
    asked_, door_ = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:])
    begun = serve(asked_, door_)
    try:
        begin(begun)
    except SystemExit as ended:
        if isinstance(ended.code, int | None):
            end(ended.code or 0)
        raise
    end(0)
