"""`python -m tests.simulation`: many seeds on all cores, or one that is replayed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.kinds import few
from tests.simulation.story import Told, tell


def main() -> int:
    """0 when no seed found anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument(
        "--few", type=int, help="name so many of them that bring most kinds"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if asked.seed is not None:
        told = tell(asked.seed)
        report([told], 0.0)
        return 1 if told.violations else 0
    started_s = time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    all_told: list[Told] = []
    with ProcessPoolExecutor(asked.processes) as pool:
        for told in pool.map(tell, seeds, chunksize=20):
            all_told.append(told)
            if told.violations:
                show(told)
    report(all_told, time.monotonic() - started_s)
    if asked.few:
        print("few:", ", ".join(map(str, few(all_told, asked.few))))
    return 1 if any(told.violations for told in all_told) else 0


def show(told: Told) -> None:
    """One failure, and the one command that replays it."""
    for violation in told.violations[:5]:
        print(f"seed {told.seed}: {violation}")
    print(f"    python -m tests.simulation --seed {told.seed}", flush=True)


def report(all_told: list[Told], took_s: float) -> None:
    """What was done, so that a quiet day is seen to be one."""
    injected: Counter[str] = Counter()
    for told in all_told:
        injected += told.injected
        if len(all_told) == 1 and told.violations:
            show(told)
    print(
        f"seeds {len(all_told)} (failed: {sum(bool(t.violations) for t in all_told)})  "
        f"orders {sum(t.orders for t in all_told)}  runs {sum(t.runs for t in all_told)}  "
        f"deaths {sum(t.deaths for t in all_told)}  POSTs {sum(t.posts for t in all_told)}  "
        f"judged from outside {sum(t.judged for t in all_told)}  "
        f"virtual hours {sum(t.virtual_s for t in all_told) / 3600:.0f}  seconds {took_s:.0f}"
    )
    print(f"faults injected: {injected.total()}")
    for name, count in sorted(injected.items()):
        print(f"  {count:8d}  {name}")


if __name__ == "__main__":
    sys.exit(main())
