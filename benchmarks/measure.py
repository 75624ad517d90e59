"""What a process costs, by the kernel's own account of it, and figures that remember how they were
taken.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """One process from start to end, with all threads and waited-for children."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    code: int


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a figure is taken over; `rows` overrides every figure's own choice."""

    rows: int | None
    runs: int
    quick: bool
    full: bool = False

    def of(self, usual: int, quick: int, full: int = 0) -> int:
        """The number of rows to use; `full`: where a night of the largest kind is asked for."""
        if self.rows:
            return self.rows
        if self.quick:
            return quick
        if self.full and full:
            return full
        return usual


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `bar` is a goal, `value` what was found."""

    bar_id: str
    what: str
    bar: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of several runs."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def told(self, unit: str = "", digits: int = 2) -> str:
        """`4.10 s (3.90-4.50)`."""
        low, high = min(self.values), max(self.values)
        middle = f"{self.median:.{digits}f}{unit}"
        return (
            middle
            if len(self.values) == 1
            else f"{middle} ({low:.{digits}f}-{high:.{digits}f})"
        )


def spread(values: Sequence[float]) -> Spread:
    """Several values of one figure."""
    return Spread(tuple(values))


def ratio(ours: Spread, theirs: Spread) -> str:
    """How many times ours is of theirs, by the medians of one run."""
    return f"{ours.median / theirs.median:.2f}x"


def process(
    words: Sequence[str],
    *,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    expect: Sequence[int] = (0,),
) -> Cost:
    """Run a command to its end and account for it with wait4(2), in a process small enough not to
    be counted with.
    """
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        **(environ or {}),
    }
    told, report = os.pipe()
    launcher = [sys.executable, "-I", str(LAUNCHER), str(report), *words]
    try:
        done = subprocess.run(
            launcher,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[report],
            check=False,
        )
    finally:
        os.close(report)
    with os.fdopen(told) as pipe:
        cost = Cost(**json.loads(pipe.read()))
    if cost.code not in expect:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(words[:6])} ended with {cost.code}: {said}")
    return cost


def python(*words: str) -> list[str]:
    """This interpreter with these words."""
    return [sys.executable, *words]


def batchpay(*words: str) -> list[str]:
    """The true program, as a process of its own."""
    return python("-m", "batchpay", *words)


def alternating(runs: int, *works: Callable[[], Cost]) -> list[list[Cost]]:
    """Each work `runs` times, taking turns, so that a busy minute falls on all of them."""
    costs: list[list[Cost]] = [[] for _ in works]
    for _ in range(runs):
        for work, into in zip(works, costs, strict=True):
            into.append(work())
    return costs


def walls(costs: Sequence[Cost]) -> Spread:
    """Wall times."""
    return spread([cost.wall_s for cost in costs])


def cpus(costs: Sequence[Cost]) -> Spread:
    """CPU times, of user and system."""
    return spread([cost.cpu_s for cost in costs])


def both(walls: tuple[Spread, Spread], cpus: tuple[Spread, Spread]) -> str:
    """`1.20x, by CPU 1.10x`: ours of theirs. What a machine that is busy does to the first, it
    hardly does to the second.
    """
    return f"{ratio(*walls)}, by CPU {ratio(*cpus)}"


def load() -> str:
    """What else the machine is doing."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
