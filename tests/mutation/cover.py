"""One run of all tests, each file in a fork: which test runs which line, how long each takes, and
which fail.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mutation import hook
from tests.mutation.collected import Collected, fork_the_program
from tests.mutation.warm import Job, Tell, run

TEST_FILE_S = 600.0  # after which a test file is given up


@dataclass
class Seen:
    """What the tests do, the modules unchanged."""

    # test -> seconds, of those that pass
    took_s: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    # module -> lines that no import runs
    bodies: dict[str, frozenset[int]] = field(default_factory=dict)
    _by: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def tests_of(self, module: str, lines: tuple[int, int] | None) -> list[str]:
        """The tests that run one of these lines, the quickest first; None: any line of a
        function.
        """
        by_line = self._by[module]
        wanted = range(lines[0], lines[1] + 1) if lines else self.bodies[module]
        found = set[str]().union(*(by_line[line] for line in wanted if line in by_line))
        return sorted(
            found & self.took_s.keys(), key=lambda test: (self.took_s[test], test)
        )

    def add(self, module: str, line: int, tests: Sequence[str]) -> None:
        """These tests run this line; "" is an import."""
        self._by[module][line].update(tests)


def see(
    collected: Collected,
    root: Path,
    modules: Sequence[str],
    test_files: Sequence[str],
    processes: int,
    keep: Path | None = None,
) -> Seen:
    """Run them all; `keep` is a folder for what was seen of each file, looked up again while
    nothing has changed.
    """
    seen = Seen(
        bodies={
            module: _bodies((root / module).read_text("utf-8")) for module in modules
        }
    )
    old = (
        {file: _kept(keep, root, file, modules) for file in test_files} if keep else {}
    )

    def looking(file: str) -> Callable[[Path, Tell], int]:
        def work(folder: Path, tell: Tell) -> int:
            return _look(collected, root, folder, tell, file, modules)

        return work

    for path in old.values():
        if path.exists():
            _take(seen, json.loads(path.read_text("utf-8")))
    new = [
        Job(file, looking(file))
        for file in test_files
        if file not in old or not old[file].exists()
    ]
    for ended in run(new, processes, first_s=TEST_FILE_S):
        broken = [told for kind, told in ended.told if kind == "broken"]
        if ended.code is None or broken:
            raise SystemExit(
                f"{ended.about} could not be run: {' '.join(broken) or ended.code}"
            )
        if keep:
            old[ended.about].write_text(json.dumps(ended.told), "utf-8")
        _take(seen, ended.told)
    return seen


def _bodies(text: str) -> frozenset[int]:
    functions = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(
        at
        for one in functions
        for at in range(one.body[0].lineno, (one.end_lineno or one.lineno) + 1)
    )


def _take(seen: Seen, told: Sequence[tuple[str, Any]]) -> None:
    reports = [one for kind, one in told if kind == "took"]
    bad = {test for test, _, passed in reports if not passed}
    seen.failed += sorted(bad)
    for test, took_s, _ in reports:
        if test not in bad:
            seen.took_s[test] = seen.took_s.get(test, 0.0) + took_s
    names = [test for test, _, _ in reports]
    for kind, one in told:
        if kind == "lines":
            module, lines = one
            for line, tests in lines.items():
                seen.add(module, int(line), [names[at] for at in tests])


def _kept(folder: Path, root: Path, file: str, modules: Sequence[str]) -> Path:
    """Where what was seen of a test file is kept, by all that it may depend on."""
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha256(repr(list(modules)).encode())
    helpers = [
        path for path in (root / "tests").rglob("*.py") if "mutation" not in path.parts
    ]
    helpers = [path for path in helpers if not path.name.startswith("test_")]
    for path in sorted([*(root / "batchpay").rglob("*.py"), *helpers, root / file]):
        digest.update(path.read_bytes())
    return folder / digest.hexdigest()


def _look(
    collected: Collected,
    root: Path,
    folder: Path,
    tell: Tell,
    file: str,
    modules: Sequence[str],
) -> int:
    """Inside the fork: one test file, under coverage in this process and in all that it starts."""
    lines, paths = folder / "lines", {str(root / module): module for module in modules}
    lines.mkdir()
    recorder = hook.look(str(lines), list(paths), "")
    orders = folder / "orders"
    hook.write(orders, "look", str(lines), list(paths), "")
    hook.hand_down(orders)
    collected.move_in(folder)
    # a process learns when it begins which test it is of
    fork_the_program(lambda: hook.join(str(orders)))
    names: list[str] = []
    for test in collected.tests_of(file):
        hook.write(orders, "look", str(lines), list(paths), test)
        recorder.switch_context(test)
        ((_, reports),) = collected.run([test])
        if not any(report.skipped for report in reports):
            took_s = sum(report.duration for report in reports)
            tell("took", (test, took_s, all(report.passed for report in reports)))
            names.append(test)
    recorder.stop()
    recorder.save()
    for module, found in _lines(lines.iterdir(), paths, names).items():
        tell("lines", (module, found))
    return 0


def _lines(
    kept: Iterable[Path], paths: Mapping[str, str], names: Sequence[str]
) -> dict[str, dict[int, list[int]]]:
    """Of each module its lines, with the numbers of the tests that run them."""
    from coverage import CoverageData

    places = {name: at for at, name in enumerate(names)}
    found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for one in kept:
        data = CoverageData(str(one))
        data.read()
        for path in data.measured_files():
            for line, tests in data.contexts_by_lineno(path).items():
                found[paths[path]][line].update(
                    places[test] for test in tests if test in places
                )
    return {
        module: {line: sorted(some) for line, some in lines.items()}
        for module, lines in found.items()
    }
