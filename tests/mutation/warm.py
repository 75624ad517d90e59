"""One process that has imported what is heavy, and forks itself for each trial: a trial begins in
milliseconds.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Tell = Callable[..., None]
"""Says something to the process that watches: `tell(kind, value)`."""

HEAVY = (
    "pytest",
    "_pytest.assertion.rewrite",
    "hypothesis",
    "hypothesis.strategies",
    "numpy",
    "pyarrow",
    "pyarrow.csv",
    "pyarrow.compute",
    "pyarrow.parquet",
    "pandas",
    "httpx",
    "httptools",
    "certifi",
    "jsonschema",
    "jsonschema_rs",
    "python_calamine",
    "openpyxl",
    "starlette.applications",
    "uvicorn",
    "apsw",
    "click",
    "rich.console",
    "asyncio",
    "coverage",
    "zoneinfo",
    "sqlite3",
    "multiprocessing",
    "concurrent.futures",
)


@dataclass(frozen=True)
class Job(Generic[T]):
    """What a fork does: `work` gets a folder of its own and a way to tell, and returns the exit
    code.
    """

    about: T
    work: Callable[[Path, Tell], int]


@dataclass
class Ended(Generic[T]):
    """How it went."""

    about: T
    code: int | None = None  # None: it was late, or was killed
    told: list[tuple[str, Any]] = field(default_factory=list)
    took_s: float = 0.0


@dataclass
class _Running(Generic[T]):
    pid: int
    folder: Path
    ended: Ended[T]
    began_s: float
    due_s: float
    rest: bytes = b""


def warm_up(*, the_program: bool = False) -> None:
    """Import what no trial changes, and no thread: nothing of the project where its text is
    changed, all of `the_program` where trials change it as it runs.
    """
    os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
    for name in (*HEAVY, *(modules() if the_program else ())):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else the forks copy what they only count


def modules() -> Iterator[str]:
    """Of the program, all but its sandbox."""
    import batchpay

    for found in pkgutil.walk_packages(batchpay.__path__, "batchpay."):
        if not found.name.startswith(("batchpay.sandbox", "batchpay.__main__")):
            yield found.name


def run(
    jobs: Iterable[Job[T]], processes: int, *, first_s: float = 60.0
) -> Iterator[Ended[T]]:
    """Each job in a fork; one that says nothing for as long as it last asked for (`tell("within",
    s)`) is killed.
    """
    memory = Path("/dev/shm")
    base = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="batchpay-mutation-", dir=base) as made:
        running: dict[int, _Running[T]] = {}
        try:
            for job in jobs:
                while len(running) >= processes:
                    yield from _ended(running)
                pipe, one = _begin(job, Path(made), first_s)
                running[pipe] = one
            while running:
                yield from _ended(running)
        finally:
            for one in running.values():
                _end(one, silent=True)


def _ended(running: dict[int, _Running[T]]) -> Iterator[Ended[T]]:
    """Hear all of them, once; those that are over leave."""
    soonest_s = min(one.due_s for one in running.values()) - time.monotonic()
    ready, _, _ = select.select(list(running), [], [], max(0.0, soonest_s))
    for pipe, one in list(running.items()):
        silent = pipe not in ready and one.due_s <= time.monotonic()
        if silent or (pipe in ready and not _hear(pipe, one)):
            os.close(pipe)
            yield _end(running.pop(pipe), silent=silent)


def _begin(job: Job[T], base: Path, first_s: float) -> tuple[int, _Running[T]]:
    folder = Path(tempfile.mkdtemp(dir=base))
    read, write = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        os.close(read)
        _work(job, folder, write)
    os.close(write)
    now_s = time.monotonic()
    return read, _Running(pid, folder, Ended(job.about), now_s, now_s + first_s)


def _work(job: Job[T], folder: Path, pipe: int) -> None:
    """The fork: quiet, in a group of its own, and gone without a word when done."""
    code = 70
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.set_inheritable(pipe, False)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "tmp")

        def tell(kind: str, value: Any) -> None:
            os.write(pipe, json.dumps([kind, value]).encode() + b"\n")

        try:
            code = job.work(folder, tell)
        except BaseException:  # a fork must not go on as its parent
            tell("broken", traceback.format_exc()[-2000:])
    finally:
        os._exit(code)


def _hear(pipe: int, one: _Running[T]) -> bool:
    """Take what it says; False when it has ended."""
    heard = os.read(pipe, 1 << 16)
    *lines, one.rest = (one.rest + heard).split(b"\n")
    for line in lines:
        kind, value = json.loads(line)
        if kind == "within":
            one.due_s = time.monotonic() + value
        else:
            one.ended.told.append((kind, value))
    return bool(heard)


def _end(one: _Running[T], *, silent: bool) -> Ended[T]:
    """Its group with all that it started is gone after this, and so is its folder."""
    if silent:
        _kill(one.pid)
    _, status = os.waitpid(one.pid, 0)
    _kill(one.pid)
    shutil.rmtree(one.folder, ignore_errors=True)
    one.ended.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    one.ended.took_s = time.monotonic() - one.began_s
    return one.ended


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
