"""index.html and latest: all nights of a job at a glance, and a name that always leads to the
newest.

The page holds all of itself, as report.html does; where another job that writes to the same folder
has its name, the job's own stands behind it. `latest/<job>` is a link to the folder of the newest
batch, changed in one step: one step deeper than the batches, so that whoever reads every
`*/results.csv` reads each once.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from batchpay.domain.model import OPEN, Outcome
from batchpay.messages import labels
from batchpay.reconciliation.totals import Totals
from batchpay.reports.facts import known_last
from batchpay.reports.files import Directory, folder_mode
from batchpay.reports.page import write_template
from batchpay.reports.pictures import HEIGHT, WIDTH
from batchpay.reports.words import Words, local_time

LISTED = 400  # nights, the newest first
DRAWN = 60  # of them in the pictures
AGES = (1, 3, 10)  # days, up to which open rows are counted together
MISSED = 31  # days without a run that are named
START = 4096  # bytes in which a page says whose it is
_WHOSE = re.compile(r'<meta name="batchpay-job" content="([^"]*)">')
_NO_MONEY = (Outcome.DECLINED, Outcome.EXPIRED, Outcome.REVERSED, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Night:
    """One batch as the index shows it."""

    batch: str
    file: str
    mode: str
    received: str  # UTC, ISO 8601
    exit_code: int
    totals: Totals

    @property
    def open_rows(self) -> int:
        """Rows that a later run, or a person, must settle."""
        return sum(self.totals.count(outcome) for outcome in OPEN)

    @property
    def sent(self) -> int:
        """Rows whose end the gateway has told."""
        ended = (Outcome.SUCCEEDED, Outcome.UNPROVEN, *_NO_MONEY)
        return sum(self.totals.count(outcome) for outcome in ended)

    @property
    def declined(self) -> str:
        """Per cent of them that the payer's bank refused; empty where none has ended."""
        if not self.sent:
            return ""
        tenths = (
            1000 * self.totals.count(Outcome.DECLINED) + self.sent // 2
        ) // self.sent
        return f"{tenths // 10}.{tenths % 10} %"

    @property
    def grade(self) -> str:
        """Of its exit code, for its colour."""
        return {0: "good", 10: "act", 11: "wait"}.get(self.exit_code, "alarm")


@dataclass(frozen=True, slots=True)
class Nights:
    """All that the index is made of; the newest first."""

    job: str
    nights: tuple[Night, ...]
    run_days: tuple[str, ...]  # when runs began, UTC, the oldest first
    until: str  # the instant that ages are told for, UTC


def write_index(
    reports: Path, told: Nights, words: Words, mode: int
) -> tuple[Path, ...]:
    """Both, in the folder of the reports. Raises CannotWrite."""
    directory = Directory(reports, mode, shared_by=told.job)
    name = own_name(reports, "index.html", told.job)
    with directory.file(name) as file:
        write_template(
            file, "index.html.jinja", words, page=Index(reports, told, words)
        )
    if told.nights:
        link_latest(reports, told.nights[0].batch, told.job, mode)
    return tuple(directory.written)


def own_name(reports: Path, name: str, job: str) -> str:
    """`index.html`, or `index-night.html` where the former is another job's."""
    with suppress(OSError):
        with (reports / name).open("rb") as file:
            found = _WHOSE.search(file.read(START).decode("utf-8", "replace"))
        if found is None or found[1] != job:
            stem, _, form = name.partition(".")
            return f"{stem}-{job}.{form}"
    return name


def link_latest(reports: Path, batch: str, job: str, mode: int) -> None:
    """`latest/<job>` leads to the newest batch's folder; nothing happens where there are no links,
    or something else has the name.
    """
    folder = reports / "latest"
    name = folder / job
    if os.path.lexists(name) and not name.is_symlink():
        return
    temporary = folder / f".{job}.part"
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        folder.chmod(folder_mode(mode))
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path("..", batch))
        temporary.replace(name)


@dataclass(frozen=True, slots=True)
class Stack:
    """One night of a picture: three parts above each other, in units of HEIGHT."""

    x: int
    width: int
    parts: tuple[tuple[str, int, int], ...]  # name, from the top, height


class Index:
    """What the template shows."""

    def __init__(self, reports: Path, told: Nights, words: Words) -> None:
        self._reports = reports
        self._words = words
        self.told = told
        self.nights = told.nights[:LISTED]
        self.more = max(len(told.nights) - LISTED, 0)
        self.test = any(night.mode == "test" for night in self.nights)

    def link(self, night: Night) -> str:
        """Its page, or what else there is in its folder."""
        for name in ("report.html", "results.csv", "report.json"):
            if (self._reports / night.batch / name).exists():
                return f"{night.batch}/{name}"
        return ""

    def charged(self, night: Night) -> list[str]:
        """What was charged, by currency."""
        moved = night.totals.money_moved()
        return [
            self._words.money(moved[currency], currency)
            for currency in known_last(moved)
        ]

    @property
    def stacks(self) -> list[Stack]:
        """The newest nights by rows: succeeded, open, and the rest; the oldest on the left."""
        nights = self.nights[:DRAWN][::-1]
        most = max((night.totals.rows_read for night in nights), default=0)
        if not most:
            return []
        width = WIDTH // max(len(nights), 12)
        return [
            _stack(night, at * width, width, most) for at, night in enumerate(nights)
        ]

    @property
    def scale(self) -> str:
        """How many rows the tallest night has, and from when to when the nights are."""
        most = max(night.totals.rows_read for night in self.nights[:DRAWN])
        return self._scaled(self._words.say(labels.ROWS(count=most)))

    def _scaled(self, most: str) -> str:
        drawn = self.nights[:DRAWN]
        first, last = (self._words.day(drawn[at].received) for at in (-1, 0))
        return self._words.say(labels.TALLEST(most=most, first=first, last=last))

    @property
    def sums(self) -> list[tuple[str, str, list[Stack]]]:
        """By currency, what was charged in the newest nights, and how much the most is."""
        nights = self.nights[:DRAWN][::-1]
        currencies = {code for night in nights for code in night.totals.money_moved()}
        found = []
        for currency in known_last(currencies):
            amounts = [night.totals.charged[currency] for night in nights]
            scale = self._scaled(self._words.money(max(amounts), currency))
            found.append((currency, scale, _columns(amounts)))
        return found

    @property
    def ages(self) -> list[tuple[str, int]]:
        """Open rows by the age of their batch."""
        counted: Counter[int] = Counter()
        for night in self.told.nights:
            age = self._days(night.received, self.told.until)
            oldest = next((at for at, most in enumerate(AGES) if age < most), len(AGES))
            counted[oldest] += night.open_rows
        said = [self._words.say(labels.AGE(days=days)) for days in AGES]
        said.append(self._words.say(labels.AGE_MORE(days=AGES[-1])))
        return [(name, counted[at]) for at, name in enumerate(said) if counted[at]]

    def _days(self, since: str, until: str) -> int:
        begun = local_time(since, self._words.zone)
        ended = local_time(until, self._words.zone)
        if begun is None or ended is None:
            return 0
        return (ended.date() - begun.date()).days

    @property
    def missed(self) -> list[str]:
        """Days between the first run and the last on which none began; the newest first."""
        days = sorted(set(self._run_days()))
        if not days:
            return []
        missed = [day for day in _between(days[0], days[-1]) if day not in set(days)]
        return [self._words.day(f"{day}T12:00:00") for day in missed[::-1][:MISSED]]

    def _run_days(self) -> Iterator[date]:
        for at in self.told.run_days:
            local = local_time(at, self._words.zone)
            if local is not None:
                yield local.date()


def _between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=at) for at in range((last - first).days + 1)]


def _stack(night: Night, x: int, width: int, most: int) -> Stack:
    totals = night.totals
    succeeded = totals.count(Outcome.SUCCEEDED)
    rest = totals.rows_read - succeeded - night.open_rows
    parts = []
    top = HEIGHT
    for name, rows in (
        ("succeeded", succeeded),
        ("pending", night.open_rows),
        ("rejected", rest),
    ):
        height = HEIGHT * rows // most
        if rows and not height:
            height = 1
        top = max(top - height, 0)
        parts.append((name, top, height))
    return Stack(x, width - 2, tuple(part for part in parts if part[2]))


def _columns(amounts: Sequence[int]) -> list[Stack]:
    most = max(amounts)
    width = WIDTH // max(len(amounts), 12)
    found = []
    for at, amount in enumerate(amounts):
        height = -(-HEIGHT * amount // most)
        found.append(
            Stack(at * width, width - 2, (("succeeded", HEIGHT - height, height),))
        )
    return found
