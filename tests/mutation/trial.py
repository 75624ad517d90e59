"""The work of a fork: one change in its place, and the tests that it must pass, until one fails.

A function's code is changed in the function as it lives, where every test is collected already.
What is done once, at import (a constant, a default, a class), needs the imports anew: there the
fork forgets the project and begins pytest again.
"""

from __future__ import annotations

import inspect
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tests.mutation import hook
from tests.mutation.changes import Change, changed
from tests.mutation.collected import Collected, fork_the_program, place_of, pytest_of
from tests.mutation.warm import Tell

SLOW_S = 0.3  # a test that takes so long waits for processes, sockets or clocks
FIRST_FILES = 3  # test files that are tried before all others
COLLECT_S = 60.0  # to begin with a few test files
# as long as it takes otherwise may a test take, beside the patience, before the change counts as
# killed
TIMES = 8
CPU_S = 4.0  # the same of processor time, which a busy machine does not stretch


def trial(
    collected: Collected,
    root: Path,
    text: str,
    change: Change,
    tests: Sequence[str],
    took_s: Callable[[str], float],
    patience_s: float,
) -> Callable[[Path, Tell], int]:
    """The work of a fork: exit code 0 when every test passed with the change in its place; `text`
    is the module's, as it was imported.
    """

    def may_take_s(test: str) -> float:
        return patience_s + TIMES * took_s(test)

    def work(folder: Path, tell: Tell) -> int:
        path, name = root / change.module, name_of(change.module)
        code = compile(
            changed(path.read_text("utf-8"), change),
            str(path),
            "exec",
            dont_inherit=True,
        )
        orders = folder / "orders"
        hook.write(orders, "change", name, str(path), code)
        hook.hand_down(orders)
        if put(code, change, collected):
            return _here(collected, folder, tests, tell, took_s, may_take_s)
        _forget(root)
        hook.change(name, str(path), code)
        return _Anew(root, folder, tell, took_s, may_take_s).run(tests)

    return work


# --- in the functions as they live


def put(code: CodeType, change: Change, collected: Collected) -> bool:
    """Give the function that is changed its new code; False when that is not all there is to it."""
    if change.imported:
        return False
    found = list(_changed_functions(code, change, collected))
    for function, new in found:
        function.__code__ = new
    for cache in collected.caches:
        cache.cache_clear()
    return bool(found)


def _changed_functions(
    code: CodeType, change: Change, collected: Collected
) -> Iterator[tuple[FunctionType, CodeType]]:
    """The outermost function around the place, if no inner one lives yet, with its code."""
    around = [one for one in _codes(code) if _is_around(one, change)]
    outer = max(around, key=lambda one: one.co_firstlineno, default=None)
    if outer is None or any(
        place_of(one) in collected.functions for one in _codes(outer)
    ):
        return
    for function in collected.functions.get(place_of(outer), ()):
        if len(function.__code__.co_freevars) == len(outer.co_freevars):
            yield function, outer


def _is_around(code: CodeType, change: Change) -> bool:
    """A function, not an inner one, of this name and not after the line: a setter has its getter's
    name.
    """
    inside = f"{change.within}.".startswith(f"{code.co_qualname}.")
    # a class's body makes none
    is_function = bool(code.co_flags & inspect.CO_NEWLOCALS)
    return inside and is_function and code.co_firstlineno <= change.line


def _codes(code: CodeType) -> Iterator[CodeType]:
    """All that it holds, the outer first."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)


def _here(
    collected: Collected,
    folder: Path,
    tests: Sequence[str],
    tell: Tell,
    took_s: Callable[[str], float],
    may_take_s: Callable[[str], float],
) -> int:
    """0 when all passed. A test that waits for real things is asked twice: a busy machine is no
    failure.
    """
    collected.move_in(folder)
    fork_the_program(lambda: None)
    for test in tests:
        for _ in range(1 + (took_s(test) >= SLOW_S)):
            tell("within", may_take_s(test))
            signal.setitimer(signal.ITIMER_PROF, CPU_S + TIMES * took_s(test))
            if not _fails(collected, test):
                break
        else:
            tell("killed by", test)
            return 1
    return 0


def _fails(collected: Collected, test: str) -> bool:
    try:
        return any(
            report.failed for _, reports in collected.run([test]) for report in reports
        )
    except BaseException:  # what pytest ends with
        return True


# --- imported anew


def _forget(root: Path) -> None:
    """The project and its tests, as if never imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        ours = root in Path(file).parents and "site-packages" not in file
        if (
            ours
            and not name.startswith(("tests.mutation", "__main__"))
            and name != "tests"
        ):
            del sys.modules[name]


class _Anew:
    """Several runs of pytest in one fork."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        tell: Tell,
        took_s: Callable[[str], float],
        may_take_s: Callable[[str], float],
    ) -> None:
        self._root, self._folder, self._tell = root, folder, tell
        self._took_s, self._may_take_s = took_s, may_take_s
        self._count = 0

    def run(self, tests: Sequence[str]) -> int:
        """0 when all passed; first those of the few files that have most of them: to collect all
        files takes longer than most tests.
        """
        most = {
            file for file, _ in Counter(map(file_of, tests)).most_common(FIRST_FILES)
        }
        early = [test for test in tests if file_of(test) in most]
        late = [test for test in tests if file_of(test) not in most]
        return next(filter(None, map(self._part, filter(None, (early, late)))), 0)

    def _part(self, tests: Sequence[str]) -> int:
        while tests:
            code, failed = self._once(tests)
            if not code:
                return 0
            if not failed or self._took_s(failed) < SLOW_S or self._once([failed])[0]:
                self._tell("killed by", failed)
                return code
            tests = tests[tests.index(failed) + 1 :]
        return 0

    def _once(self, tests: Sequence[str]) -> tuple[int, str]:
        self._tell("within", COLLECT_S)
        self._count += 1
        chosen = _Chosen(tests, self._may_take_s, self._tell)
        files = list(dict.fromkeys(map(file_of, tests)))
        base = f"--basetemp={self._folder / str(self._count)}"
        code = pytest_of(self._root, self._folder, files, chosen, "-x", base)
        return code, chosen.failed


class _Chosen:
    """Runs the chosen tests in their order; says which begins, and which failed."""

    def __init__(
        self, tests: Sequence[str], may_take_s: Callable[[str], float], tell: Tell
    ) -> None:
        self._places = {test: at for at, test in enumerate(tests)}
        self._may_take_s, self._tell = may_take_s, tell
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places),
            key=lambda item: self._places[item.nodeid],
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._tell("within", self._may_take_s(nodeid))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed = report.nodeid


def name_of(module: str) -> str:
    """`batchpay/settlement/channel.py` -> `batchpay.settlement.channel`."""
    return module.removesuffix(".py").replace("/", ".")


def file_of(test: str) -> str:
    """`tests/test_money.py::test_x[1]` -> `tests/test_money.py`."""
    return test.partition("::")[0]
