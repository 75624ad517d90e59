"""`make mutants`: every mutant against the test that must catch it, each in a fork of one process
that is warm.
"""

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
from tests.mutation.collected import pytest_of
from tests.mutation.warm import Job, Tell, run, warm_up

ROOT = Path(__file__).parents[2]
TRIAL_S = 300.0  # after which a mutant counts as one that lives
SEEDS = "200"  # nights of the simulator that a mutant must live through


@dataclass(frozen=True)
class Trial:
    """How one mutant fared."""

    law: str
    name: str
    caught_by: str
    caught: bool
    how: str
    took_s: float


class _Failures:
    """Tells of the first as it happens: what pytest itself makes of sockets that were left open
    comes later.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def pytest_exception_interact(
        self, call: pytest.CallInfo[Any], report: Any
    ) -> None:
        if isinstance(report, pytest.TestReport):
            self._tell("noticed", call.excinfo.exconly() if call.excinfo else "")


def against(mutant: Mutant) -> Callable[[Path, Tell], int]:
    """The work of a fork: its test, with the law broken before any test is imported."""

    def work(folder: Path, tell: Tell) -> int:
        mutant.breaks()
        how = (
            [f"tests/{mutant.caught_by}"],
            _Failures(tell),
            "-x",
            "--tb=native",
            f"--basetemp={folder / 'pytest'}",
        )
        return pytest_of(ROOT, folder, *how)

    return work


def trials(mutants: Iterable[Mutant], processes: int) -> Iterator[Trial]:
    """Each in a fork, as they end; caught when its test ran and failed."""
    warm_up(the_program=True)
    for ended in run(
        (Job(mutant, against(mutant)) for mutant in mutants), processes, first_s=TRIAL_S
    ):
        mutant, told = ended.about, dict(ended.told)
        how = told.get("noticed") or told.get("broken") or f"it ended with {ended.code}"
        yield Trial(
            mutant.law,
            mutant.name,
            mutant.caught_by,
            "noticed" in told,
            how,
            ended.took_s,
        )


def main() -> int:
    """Prints the table; 1 when a mutant lives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    parser.add_argument("--quick", action="store_true", help="one of each law")
    parser.add_argument(
        "--why", action="store_true", help="also print how each was noticed"
    )
    parser.add_argument(
        "--json", action="store_true", help="a line for each mutant, for a program"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    os.environ.setdefault("BATCHPAY_SEEDS", SEEDS)
    chosen = [
        mutant
        for mutant in (quick() if asked.quick else by_law())
        if asked.only in mutant.name
    ]
    living = 0
    for done in trials(chosen, asked.processes):
        living += not done.caught
        if asked.json:
            print(json.dumps(asdict(done)), flush=True)
            continue
        print(
            f"{done.law:4} {done.name:58} {'caught' if done.caught else 'LIVES ':6} "
            f"{done.took_s:5.1f} s  {done.caught_by}",
            flush=True,
        )
        if asked.why or not done.caught:
            print(f"         {done.how[:200]}", flush=True)
    if not asked.json:
        print(
            f"\n{len(chosen) - living} of {len(chosen)} mutants caught ({len(MUTANTS)} there are)"
        )
    return bool(living)


if __name__ == "__main__":
    sys.exit(main())
