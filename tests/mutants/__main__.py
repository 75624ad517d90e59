"""`make mutants`: every mutant against the test that must catch it, each in a fork of one process that is warm."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.laws import MUTANTS, Mutant, by_law, quick
from tests.mutation.trial import pytest_of
from tests.mutation.warm import Job, Tell, run, warm_up

ROOT = Path(__file__).parents[2]
TRIAL_S = 300.0  # after which a mutant counts as one that lives


@dataclass(frozen=True)
class Trial:
    """How one mutant fared."""

    law: str
    name: str
    caught_by: str
    caught: bool
    how: str
    took_s: float


class _Why:
    """Keeps what the first failure says."""

    def __init__(self) -> None:
        self.told = ""

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        self.told = self.told or (call.excinfo.exconly() if call.excinfo else "")


def against(mutant: Mutant) -> Callable[[Path, Tell], int]:
    """The work of a fork: its test, with the law broken before any test is imported."""

    def work(folder: Path, tell: Tell) -> int:
        mutant.breaks()
        why = _Why()
        code = pytest_of(
            ROOT, folder, [f"tests/{mutant.caught_by}"], why, "-x", "--tb=native", f"--basetemp={folder / 'pytest'}"
        )
        tell("how", why.told)
        return code

    return work


def trials(mutants: Iterable[Mutant], processes: int) -> Iterator[Trial]:
    """Each in a fork, as they end; caught when its test ran and failed."""
    warm_up()
    for ended in run((Job(mutant, against(mutant)) for mutant in mutants), processes, first_s=TRIAL_S):
        mutant, told = ended.about, dict(ended.told)
        how = told.get("how") or told.get("broken") or f"it ended with {ended.code}"
        caught = ended.code == pytest.ExitCode.TESTS_FAILED
        yield Trial(mutant.law, mutant.name, mutant.caught_by, caught, how, ended.took_s)


def main() -> int:
    """Prints the table; 1 when a mutant lives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    parser.add_argument("--quick", action="store_true", help="one of each law")
    parser.add_argument("--why", action="store_true", help="also print how each was noticed")
    parser.add_argument("--json", action="store_true", help="a line for each mutant, for a program")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    chosen = [mutant for mutant in (quick() if asked.quick else by_law()) if asked.only in mutant.name]
    living = 0
    for done in trials(chosen, asked.processes):
        living += not done.caught
        if asked.json:
            print(json.dumps(asdict(done)), flush=True)
            continue
        print(f"{done.law:4} {done.name:58} {'caught' if done.caught else 'LIVES ':6} "
              f"{done.took_s:5.1f} s  {done.caught_by}", flush=True)  # fmt: skip
        if asked.why or not done.caught:
            print(f"         {done.how[:200]}", flush=True)
    if not asked.json:
        print(f"\n{len(chosen) - living} of {len(chosen)} mutants caught ({len(MUTANTS)} there are)")
    return bool(living)


if __name__ == "__main__":
    sys.exit(main())
