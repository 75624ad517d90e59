"""`make mutants`: every mutant against the test that must catch it."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.mutants.laws import MUTANTS, Mutant, by_law


@dataclass(frozen=True)
class Trial:
    """How one mutant fared."""

    mutant: Mutant
    caught: bool
    how: str
    took_s: float


def trial(mutant: Mutant) -> Trial:
    """Run its test against it in a process of its own; caught when the test ran and failed."""
    started_s = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider", "-o", "addopts=",
               "-x", "-q", "--tb=short", f"tests/{mutant.caught_by}"]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, "BATCHPAY_MUTANT": mutant.name}, capture_output=True, text=True, check=False
    )
    why = re.search(r"^E +(.+)$", done.stdout, re.MULTILINE)
    told = why[1] if why else (done.stdout + done.stderr)[-300:]
    return Trial(mutant, done.returncode == pytest.ExitCode.TESTS_FAILED, told, time.monotonic() - started_s)


def main() -> int:
    """Prints the table; 1 when a mutant lives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    parser.add_argument("--why", action="store_true", help="also print how each was noticed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    chosen = [mutant for mutant in by_law() if asked.only in mutant.name]
    living = 0
    with ThreadPoolExecutor(asked.processes) as pool:
        for done in pool.map(trial, chosen):
            living += not done.caught
            print(f"{done.mutant.law:4} {done.mutant.name:58} {'caught' if done.caught else 'LIVES ':6} "
                  f"{done.took_s:5.1f} s  {done.mutant.caught_by}", flush=True)  # fmt: skip
            if asked.why or not done.caught:
                print(f"         {done.how[:200]}", flush=True)
    print(f"\n{len(chosen) - living} of {len(chosen)} mutants caught ({len(MUTANTS)} there are)")
    return bool(living)


if __name__ == "__main__":
    sys.exit(main())
