"""python -m tests.simulation [--seeds N] [--seed N] [--from N]: play nights and judge them."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.judge import findings
from tests.simulation.world import Night


def played(seed: int) -> tuple[int, list[str], Counter[str], tuple[int, int, int, float]]:
    """One seed: what is wrong with it, which faults it had; orders, runs, deaths and virtual seconds."""
    night = Night(seed)
    start_s = night.loop.time()
    try:
        night.play()
        wrong = findings(night)
    except Exception as error:
        wrong = [f"broke: {type(error).__name__}: {error}"]
    return seed, wrong, night.gateway.faults, (night.orders, night.runs, night.deaths, night.loop._now_s - start_s)


def main() -> int:
    """Exit code 1 when any seed has a finding."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + given.seeds)
    begun, faults, sums, bad = time.monotonic(), Counter[str](), [0, 0, 0, 0.0], 0
    with ProcessPoolExecutor() as pool:
        for seed, wrong, some, numbers in pool.map(played, seeds, chunksize=10):
            faults.update(some)
            sums = [a + b for a, b in zip(sums, numbers, strict=True)]
            for sentence in wrong:
                print(f"seed {seed}: {sentence}")
            if wrong:
                bad += 1
                print(f"  again: python -m tests.simulation --seed {seed}")
    orders, runs, deaths, virtual_s = sums
    print(f"{len(seeds)} seeds, {orders} orders, {runs} runs, {deaths} deaths, {virtual_s / 3600:.0f} virtual hours, "
          f"{sum(faults.values())} faults in {time.monotonic() - begun:.0f} s; {bad} seeds with findings")  # fmt: skip
    print(", ".join(f"{count} {name}" for name, count in faults.most_common()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
