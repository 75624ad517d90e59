"""pytest inside a fork: the tests that a change must pass, the quickest first, until one fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutation import hook
from tests.mutation.changes import Change, changed
from tests.mutation.warm import Tell

SLOW_S = 0.3  # a test that takes so long waits for processes, sockets or clocks
FIRST_FILES = 3  # test files that are tried before all others
COLLECT_S = 60.0  # to begin with a few test files
# as long as it takes otherwise may a test take, beside the patience, before the change counts as
# killed
TIMES = 8


def pytest_of(root: Path, folder: Path, files: Sequence[str], plugin: Any, *flags: str) -> int:
    """Run these test files of a project with our plugin, writing into the folder only."""
    import pytest
    from hypothesis.configuration import set_hypothesis_home_dir

    set_hypothesis_home_dir(folder / "hypothesis")
    words = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--hypothesis-seed=0",
        f"--rootdir={root}",
        *flags,
    ]
    # of what was imported before the fork
    words += [
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    return int(
        pytest.main([*words, *(str(root / file) for file in files)], plugins=[_Steady(), plugin])
    )


class _Steady:
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


def trial(
    root: Path,
    change: Change,
    tests: Sequence[str],
    took_s: Callable[[str], float],
    patience_s: float,
) -> Callable[[Path, Tell], int]:
    """The work of a fork: exit code 0 when every test passed with the change in its place."""

    def work(folder: Path, tell: Tell) -> int:
        path, name = root / change.module, name_of(change.module)
        tree = changed(path.read_text("utf-8"), change)
        code = compile(tree, str(path), "exec", dont_inherit=True)
        orders = folder / "orders"
        hook.write(orders, "change", name, str(path), code)
        hook.change(name, str(path), code)
        hook.hand_down(orders)
        trials = _Trials(root, folder, tell, took_s, patience_s)
        return next(filter(None, map(trials.run, _in_turn(tests))), 0)

    return work


@dataclass
class _Trials:
    """Several runs of pytest in one fork."""

    root: Path
    folder: Path
    tell: Tell
    took_s: Callable[[str], float]
    patience_s: float
    count: int = 0

    def run(self, tests: Sequence[str]) -> int:
        """0 when all passed. A test that waits for real things is asked twice: a busy machine is no
        failure.
        """
        while tests:
            code, failed = self._once(tests)
            if not code:
                return 0
            if not failed or self.took_s(failed) < SLOW_S or self._once([failed])[0]:
                self.tell("killed by", failed)
                return code
            tests = tests[tests.index(failed) + 1 :]
        return 0

    def _once(self, tests: Sequence[str]) -> tuple[int, str]:
        self.tell("within", COLLECT_S)
        self.count += 1
        chosen = _Chosen(tests, lambda test: self.patience_s + TIMES * self.took_s(test), self.tell)
        files = list(dict.fromkeys(map(file_of, tests)))
        code = pytest_of(
            self.root,
            self.folder,
            files,
            chosen,
            "-x",
            f"--basetemp={self.folder / str(self.count)}",
        )
        return code, chosen.failed


def name_of(module: str) -> str:
    """`batchpay/settlement/channel.py` -> `batchpay.settlement.channel`."""
    return module.removesuffix(".py").replace("/", ".")


def _in_turn(tests: Sequence[str]) -> list[list[str]]:
    """First those of the few files that have most of them: to collect all files takes longer than
    most tests.
    """
    first = {file for file, _ in Counter(map(file_of, tests)).most_common(FIRST_FILES)}
    parts = [
        [test for test in tests if (file_of(test) in first) is early] for early in (True, False)
    ]
    return [part for part in parts if part]


def file_of(test: str) -> str:
    """`tests/test_money.py::test_x[1]` -> `tests/test_money.py`."""
    return test.partition("::")[0]
