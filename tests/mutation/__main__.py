"""`make mutation`: a random draw of changes, the share that a test sees, and those that none
does.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.mutation.changes import Change, changes_of, shown
from tests.mutation.collected import Collected, collect
from tests.mutation.cover import Seen, see
from tests.mutation.trial import file_of, trial
from tests.mutation.warm import Ended, Job, run, warm_up

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

Key = tuple[str, str, str, str]
"""Of a change: module, function, line and what becomes of it."""


@dataclass(frozen=True)
class Plan:
    """What `modules.toml` says."""

    modules: Sequence[str]
    tests: Sequence[str]
    share: float
    more: Mapping[str, float]
    patience_s: float
    least: int
    bar: int
    bar_module: int


def plan_of(text: str, root: Path) -> Plan:
    """Read it; raises SystemExit for a pattern that finds no file."""
    told = tomllib.loads(text)
    modules, tests, without, _ = (
        _found(root, told[name]) for name in ("modules", "tests", "without", "more")
    )
    return Plan(
        [path for path in modules if not path.endswith("__init__.py")],
        [path for path in tests if path not in without],
        *(
            told[name]
            for name in ("share", "more", "patience_s", "least", "bar", "bar_module")
        ),
    )


def _found(root: Path, patterns: Iterable[str]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        some = sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))
        if not some:
            raise SystemExit(
                f"tests/mutation/modules.toml: no file is called {pattern}: write its new name"
            )
        found += some
    return found


def equivalent(text: str, changes: Sequence[Change]) -> set[Key]:
    """The changes that `equivalent.toml` names; raises SystemExit for one that is not there any
    more.
    """
    named = {
        (one["module"], one["within"], one["source"], one["told"]): one["reason"]
        for one in tomllib.loads(text).get("change", [])
    }
    gone = named.keys() - {change.key for change in changes}
    if gone:
        raise SystemExit(
            f"tests/mutation/equivalent.toml: no change is like {sorted(gone)[0]}: mend or"
            " remove it"
        )
    return set(named)


def drawn(
    changes: Mapping[str, Sequence[Change]], wanted: int, least: int, seed: int
) -> list[Change]:
    """Of each module its share of the changes, and at least so many; the same for the same seed."""
    total = sum(map(len, changes.values()))
    found: list[Change] = []
    for module, some in sorted(changes.items()):
        share = max(least, round(wanted * len(some) / total)) if total else 0
        found += random.Random(f"{seed} {module}").sample(
            list(some), min(share, len(some))
        )
    return found


def jobs(
    collected: Collected, root: Path, changes: Sequence[Change], seen: Seen, plan: Plan
) -> Iterator[Job[Change]]:
    """A trial for each change that any test passes by."""
    took_s = seen.took_s.__getitem__
    texts = _texts(root, changes)
    for change in changes:
        if tests := chosen_for(change, seen, plan):
            text = texts[change.module]
            work = trial(collected, root, text, change, tests, took_s, plan.patience_s)
            yield Job(change, work)


def _texts(root: Path, changes: Sequence[Change]) -> dict[str, str]:
    return {
        module: (root / module).read_text("utf-8")
        for module in {c.module for c in changes}
    }


def chosen_for(change: Change, seen: Seen, plan: Plan) -> list[str]:
    """The tests that pass by: of the module's own test file first, then of its room's, the
    quickest first, up to the share; at least one.

    A share of the time that all tests took, so that a slow machine chooses like a quick one.
    """
    left_s = plan.more.get(change.module, plan.share) * sum(seen.took_s.values())
    path, chosen = Path(change.module), list[str]()

    def far(test: str) -> int:
        words = re.split(r"[\W_]", file_of(test))
        return next(
            (
                at
                for at, name in enumerate((path.stem, path.parent.name))
                if name in words
            ),
            2,
        )

    for test in sorted(_passing_by(change, seen), key=far):
        left_s -= seen.took_s[test]
        if left_s < 0 and chosen:
            break
        chosen.append(test)
    return chosen


def _passing_by(change: Change, seen: Seen) -> list[str]:
    """Of what is done at import no test runs the line: whoever uses the module, or its room, uses
    it.
    """
    if not change.imported:
        return seen.tests_of(change.module, change.lines)
    beside = Path(change.module).parent
    room = [change.module, *(one for one in seen.bodies if Path(one).parent == beside)]
    return list(
        dict.fromkeys(test for one in room for test in seen.tests_of(one, None))
    )


def killed_by(ended: Ended[Change]) -> str:
    """What saw the change; empty when nothing did."""
    said = dict(ended.told)
    if "broken" in said or ended.code in (4, 5):
        raise SystemExit(
            f"the trial of {ended.about.key} itself broke: {said.get('broken', 'no test was run')}"
        )
    if ended.code is None:
        return "it never ended"
    return (
        (said.get("killed by") or f"pytest itself ended ({ended.code})")
        if ended.code
        else ""
    )


def main() -> int:
    """Prints the table and the survivors; 1 when a score is below its bar."""
    asked = _arguments()
    root, home = (asked.root, asked.root) if asked.root else (ROOT, HERE)
    plan = plan_of((home / "modules.toml").read_text("utf-8"), root)
    if asked.share:
        plan = replace(plan, share=asked.share, more={})
    modules = [
        module
        for module in plan.modules
        if not asked.only or any(one in module for one in asked.only)
    ]
    all_ = {module: changes_of(root, module) for module in plan.modules}
    same = equivalent(
        (home / "equivalent.toml").read_text("utf-8"),
        [c for some in all_.values() for c in some],
    )
    some = {module: all_[module] for module in modules}
    chosen = drawn(some, 10**9 if asked.all else asked.mutants, plan.least, asked.seed)
    # after the draw: to name one draws no other
    chosen = [change for change in chosen if change.key not in same]
    if asked.line:
        chosen = [change for change in chosen if change.line == asked.line]
    warm_up()
    # its forks end with it
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

    def then(collected: Collected) -> int:
        return _tried(collected, root, plan, chosen, asked)

    return collect(root, plan.tests, then)


def _tried(
    collected: Collected, root: Path, plan: Plan, chosen: Sequence[Change], asked: Any
) -> int:
    began_s = time.monotonic()
    seen = see(collected, root, plan.modules, plan.tests, asked.processes, asked.keep)
    for test in seen.failed:
        print(f"left out, it fails without any change: {test}")
    print(
        f"{len(seen.took_s)} tests looked at in {time.monotonic() - began_s:.0f} s;"
        f" {len(chosen)} changes",
        flush=True,
    )
    seen_by: dict[Key, str] = {}
    # what is told early is of every module
    chosen = random.Random(asked.seed).sample(chosen, len(chosen))
    for ended in run(jobs(collected, root, chosen, seen, plan), asked.processes):
        seen_by[ended.about.key] = by = killed_by(ended)
        if asked.verbose:
            place = f"{ended.about.module}:{ended.about.line} {ended.about.told}"
            print(
                f"{len(seen_by):4} {place}: {by or 'SURVIVED'}  ({ended.took_s:.1f} s)",
                flush=True,
            )
    good = tell(root, chosen, seen_by, plan)
    print(f"{time.monotonic() - began_s:.0f} s")
    return 0 if good else 1


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument(
        "--mutants", type=int, default=600, help="how many changes, about"
    )
    parser.add_argument("--all", action="store_true", help="every change there is")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument(
        "--only",
        action="append",
        help="modules whose path holds this; may be given again",
    )
    parser.add_argument(
        "--root",
        type=Path,
        help="another project, with a modules.toml and an equivalent.toml",
    )
    parser.add_argument("--line", type=int, help="only the drawn changes of this line")
    parser.add_argument(
        "--share", type=float, help="of the time of all tests, for one change: 0.08"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--keep",
        type=Path,
        help="folder for what was seen of the tests, used while nothing changed",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="what saw each change, as it is seen"
    )
    return parser.parse_args()


def tell(
    root: Path, chosen: Sequence[Change], seen_by: Mapping[Key, str], plan: Plan
) -> bool:
    """The survivors and the table; are all scores above their bars?"""
    by_module: dict[str, list[Change]] = defaultdict(list)
    lived: dict[str, list[Change]] = defaultdict(list)
    for change in chosen:
        by_module[change.module].append(change)
        if not seen_by.get(change.key):
            lived[change.module].append(change)
    for module, some in sorted(lived.items()):
        text = (root / module).read_text("utf-8")
        for change in sorted(some, key=lambda change: change.line):
            no_test = "" if change.key in seen_by else "  [no test passes by]"
            print(f"{module}:{change.line} {shown(text, change)}{no_test}")
    good = True
    print(f"\n{'module':40} killed    of  score")
    for module, some in sorted(by_module.items()):
        good &= _row(module, len(some) - len(lived[module]), len(some), plan.bar_module)
    return good & _row(
        "all", len(chosen) - sum(map(len, lived.values())), len(chosen), plan.bar
    )


def _row(name: str, killed: int, of: int, bar: int) -> bool:
    good = killed * 100 >= of * bar
    print(
        f"{name:40} {killed:6} {of:5} {100 * killed / max(of, 1):5.1f}"
        f" %{'' if good else f'  below {bar} %'}"
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
