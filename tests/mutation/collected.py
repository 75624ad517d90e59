"""A pytest session that has imported and collected every test. It is forked for each trial, which
so begins with its first test: nothing is imported or collected again.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

Place = tuple[str, str, int]
"""Of a function: file, qualified name and first line."""

WORDS = (
    "-q",
    "-s",  # what a fork says goes nowhere
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--hypothesis-seed=0",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",  # of what was imported before
)


class Steady:
    """The same examples at every run, none of them too slow for a busy machine, and no search for a
    smaller one.
    """

    def pytest_collection(self) -> None:
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "trial",
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
            report_multiple_bugs=False,
        )
        settings.load_profile("trial")


class Collected:
    """Every test by its name, and every live function of the project by its place."""

    def __init__(self, session: pytest.Session) -> None:
        self._items = {item.nodeid: item for item in session.items}
        self._config = session.config
        self._heard: Callable[[Any], None] = lambda report: None
        self.functions = _functions(str(session.config.rootpath))
        self.caches = [
            one for one in gc.get_objects() if hasattr(type(one), "cache_clear")
        ]

    def tests_of(self, file: str) -> list[str]:
        """Those of one file, in their order."""
        return [name for name in self._items if name.partition("::")[0] == file]

    def move_in(self, folder: Path) -> None:
        """In a fork: what its tests write goes into the folder."""
        from hypothesis.configuration import set_hypothesis_home_dir

        set_hypothesis_home_dir(folder / "hypothesis")
        places: Any = self._config._tmp_path_factory  # type: ignore[attr-defined]
        places._given_basetemp, places._basetemp = folder / "pytest", None

    def run(self, tests: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        """In a fork: each test with its reports, as they end."""
        items = [self._items[test] for test in tests]
        for item, after in zip(items, [*items[1:], None], strict=True):
            reports: list[Any] = []
            self._heard = reports.append
            item._initrequest()  # type: ignore[attr-defined]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            yield item.nodeid, reports

    def pytest_runtest_logreport(self, report: Any) -> None:
        """What pytest says of a part of a test."""
        self._heard(report)


def collect(root: Path, files: Sequence[str], then: Callable[[Collected], int]) -> int:
    """What `then` answers, called in the session; raises SystemExit when a file cannot be
    collected.
    """
    loop = _Loop(then)
    with Path(os.devnull).open("w") as nothing, contextlib.redirect_stdout(nothing):
        words = [*WORDS, f"--rootdir={root}", *(str(root / file) for file in files)]
        code = pytest.main(words, plugins=[Steady(), loop])
    if loop.raised is not None:
        raise loop.raised
    if loop.answer is None:
        raise SystemExit(
            f"the tests could not be collected ({int(code)}): {loop.trouble}"
        )
    return loop.answer


class _Loop:
    """In place of running the tests."""

    def __init__(self, then: Callable[[Collected], int]) -> None:
        self._then = then
        self.answer: int | None = None
        self.raised: BaseException | None = None
        self.trouble = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """The first that failed."""
        if report.failed:
            self.trouble = (
                self.trouble or f"{report.nodeid} {report.longreprtext[-1000:]}"
            )

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """None, which is pytest's own way, when there is trouble: it ends with it."""
        if session.testsfailed:
            return None
        assert threading.active_count() == 1, (
            "a process with threads is not one to fork"
        )
        collected = Collected(session)
        session.config.pluginmanager.register(collected)
        gc.collect()
        gc.freeze()  # else the forks copy what they only count
        try:
            with contextlib.redirect_stdout(sys.__stdout__):
                self.answer = self._then(collected)
        except BaseException as raised:  # pytest would make an error of its own of it
            self.raised = raised
        return True


def pytest_of(
    root: Path, folder: Path, files: Sequence[str], plugin: Any, *flags: str
) -> int:
    """In a fork: these test files of a project with our plugin, writing into the folder only."""
    from hypothesis.configuration import set_hypothesis_home_dir

    set_hypothesis_home_dir(folder / "hypothesis")
    words = [*WORDS, f"--rootdir={root}", *flags, *(str(root / file) for file in files)]
    return int(pytest.main(words, plugins=[Steady(), plugin]))


def _functions(root: str) -> Mapping[Place, list[FunctionType]]:
    gc.collect()
    found: dict[Place, list[FunctionType]] = {}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(root):
            found.setdefault(place_of(one.__code__), []).append(one)
    return found


def place_of(code: CodeType) -> Place:
    """Where its text stands."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


# --- the program in a process of its own (tests/ready.py), forked from the trial


def fork_the_program(begins: Callable[[], None]) -> None:
    """In a fork, before its first test: runs of the program are forked from it as it is now, and
    begin with this call.
    """
    if (ready := sys.modules.get("tests.ready")) is None:
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork():
        theirs.close()
        ready.use(ready.Asked(ours))
        return
    code = 70
    try:
        ours.close()
        _become_a_program()
        begun = ready.serve(theirs, ready.listening())
        _open_streams()
        begins()
        try:
            ready.begin(begun)
        except SystemExit as ended:
            if not isinstance(ended.code, int | None):
                sys.stderr.write(f"{ended.code}\n")
                ended.code = 1
            ready.end(ended.code or 0)
        ready.end(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        os._exit(code)


def _become_a_program() -> None:
    """As an interpreter that has just begun: nothing of pytest's is left to be done at its end."""
    atexit._clear()
    weakref.finalize._registry.clear()  # type: ignore[attr-defined]
    weakref.finalize._registered_with_atexit = False  # type: ignore[attr-defined]
    signal.setitimer(signal.ITIMER_PROF, 0)
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.argv[:] = [__file__]


def _open_streams() -> None:
    """Those that this run was given."""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
