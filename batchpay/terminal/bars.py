"""What a person sees while a command works: one line that fits the terminal, of the step, how much
of it is done, how fast it goes and how long it still takes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from batchpay.domain.model import Outcome

if TYPE_CHECKING:
    from batchpay.settlement import Case

WIDE = 110  # columns of a terminal that has room for the job's name
BAR = 16
# outcomes of orders that are still under way
OPEN = frozenset({Outcome.IN_DOUBT, Outcome.HELD})


class Quiet:
    """No terminal: nothing is said while it works."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A new step begins."""

    def order(self, case: Case) -> None:
        """An order moved."""


class Bars(Quiet):
    """A terminal: one line that says what is done, how much of it, and how it goes."""

    WORDS: ClassVar[dict[str, str]] = {
        "entering": "asking whose money it is",
        "reading": "reading and checking",
        "waiting": "the journal is not what it was: waiting until no request of it can still land",
        "listing": "listing the gateway's charges",
        "asking": "asking about open charges",
        "preflight": "asking whether each recipient can be paid",
        "charging": "charging",
        "comparing": "comparing with the gateway's list",
        "following": "asking what became of earlier charges",
        "reporting": "writing reports",
    }

    def __init__(self, progress: Any, job: str = "") -> None:
        """`job`: its name, where there is room for it."""
        self._progress = progress
        self._job = f"{job}: " if job else ""
        self._task: Any = None
        self._total = 0
        self._last: dict[str, Outcome] = {}
        self._counts = Counter[Outcome]()

    def phase(self, name: str, total: int | None = None) -> None:
        """Show the step. `total`: how many orders may move in it, those that earlier runs settled
        left out.
        """
        if self._task is not None:
            # it goes as it came to be, not as it was last drawn
            if self._total:
                self._show(over=True)
            self._progress.refresh()
            self._progress.remove_task(self._task)
        self._total = total or 0
        self._last = {}
        self._counts = Counter()
        told = f"{self._job}{self.WORDS.get(name, name)}"
        self._task = self._progress.add_task(told, total=total or None, how="")

    def order(self, case: Case) -> None:
        """Count the order where it stands now."""
        if case.attempt is None or self._task is None:
            return
        name = case.intent.order_id
        before = self._last.get(name)
        after = case.attempt.outcome
        if before is None and not case.present and self._total:
            self._total += 1  # one that an earlier run left open: nobody counted it
        if before is not None:
            self._counts[before] -= 1
        self._last[name] = after
        self._counts[after] += 1
        self._show()

    def _show(self, *, over: bool = False) -> None:
        """`over`: orders to which this run did not come are held."""
        counts = self._counts.copy()
        if over:
            counts[Outcome.HELD] += max(self._total - len(self._last), 0)
        there = [(outcome, n) for outcome, n in counts.most_common() if n]
        each = ", ".join(f"{number:,} {outcome.value}" for outcome, number in there)
        moved = counts.total()
        waits = OPEN - {Outcome.HELD} if over else OPEN
        done = moved - sum(n for outcome, n in there if outcome in waits)
        if not self._total:
            self._progress.update(self._task, completed=done, how=f"{moved:,}: {each}")
            return
        total = max(self._total, moved)
        how = f"{done:,} of {total:,}: {each}"
        self._progress.update(self._task, completed=done, total=total, how=how)


def left_told(seconds: float | None) -> str:
    """How long it still takes, as short as it may be; empty where nobody knows.

    >>> left_told(94.2), left_told(3 * 3600 + 62), left_told(None)
    ('1:34 left', '3:01 h left', '')
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} left"
    return f"{minutes // 60}:{minutes % 60:02d} h left"


def pace_told(percentage: float, per_s: float | None, left_s: float | None) -> str:
    """How much of a step is done, how fast it goes, how long it takes.

    >>> pace_told(47.3, 8.04, 94.2), pace_told(100.0, None, 0.0)
    ('47 %  8.0/s  1:34 left', '100 %')
    """
    parts = [f"{int(percentage)} %"]
    if per_s:
        parts.append(f"{per_s:.1f}/s")
    if percentage < 100:
        parts.append(left_told(left_s))
    return "  ".join(filter(None, parts))


@contextmanager
def progress(job: str) -> Iterator[Quiet]:
    """Bars on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TextColumn,
    )
    from rich.table import Column
    from rich.text import Text

    class Pace(ProgressColumn):
        """Per cent, rate, time left; of a step of which nobody knows the length, how long it has
        taken.
        """

        def render(self, task: Any) -> Text:
            if task.total is None:
                return Text(f"{int(task.elapsed or 0)} s")
            return Text(
                pace_told(
                    task.percentage, task.finished_speed or task.speed, _left(task)
                )
            )

    def _left(task: Any) -> float | None:
        remaining: float | None = task.time_remaining
        return remaining

    console = Console(stderr=True)
    name = job if console.width >= WIDE else ""
    columns = (
        SpinnerColumn(),
        TextColumn(
            "{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")
        ),
        BarColumn(bar_width=BAR),
        Pace(table_column=Column(no_wrap=True)),
        TextColumn(
            "{task.fields[how]}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        expand=True,
        speed_estimate_period=60.0,
    ) as bars:
        yield Bars(bars, name)
