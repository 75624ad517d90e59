"""index.html and latest: all nights of a job at a glance, and a name that always leads to the
newest.

A night is a day in the job's time zone on which a file first came. Each day from the first run to
the last without one has a row of its own, too: no new file, or no run at all. A weekday on which,
of two or more, no run began on more than half is a day of rest, and has no row without a run.

The page holds all of itself, as report.html does; where another job that writes to the same folder
has its name, the job's own stands behind it. `latest/<job>` is a link to the folder of the newest
batch, changed in one step: one step deeper than the batches, so that whoever reads every
`*/results.csv` reads each once.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from batchpay.domain.model import OPEN, Outcome
from batchpay.messages import labels
from batchpay.reconciliation.totals import Totals, must_act
from batchpay.reports.facts import (
    Payout,
    exits_told,
    known_last,
    payouts_told,
    stop_told,
    sums_told,
    verdict_of,
    whole_run_facts,
)
from batchpay.reports.files import Directory, folder_mode, made_folder
from batchpay.reports.lastrun import LastRun
from batchpay.reports.page import PARTIES, write_template
from batchpay.reports.pictures import HEIGHT, WIDTH
from batchpay.reports.tales import shown
from batchpay.reports.words import Words, local_time

TEMPLATE = "index.html.jinja"
LISTED = 400  # nights, the newest first
DRAWN = 60  # of them in the pictures
AGES = (1, 3, 10)  # days, up to which open rows are counted together
MISSED = 31  # days without a run that are named
GRADES = {0: "good", 10: "act", 11: "wait"}  # an exit code's colour; of others alarm
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
    exit_code: int  # of its own rows, whatever stop is in force
    totals: Totals
    adds_up: bool = True

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
    def declined_tenths(self) -> int:
        """Tenths of a per cent of them that the payer's bank refused; 0 where none has ended."""
        if not self.sent:
            return 0
        declined = 1000 * self.totals.count(Outcome.DECLINED)
        return (declined + self.sent // 2) // self.sent

    @property
    def declined(self) -> str:
        """The same as it is read; empty where none has ended."""
        return tenths_told(self.declined_tenths) if self.sent else ""

    @property
    def grade(self) -> str:
        """Of its exit code, for its colour."""
        return GRADES.get(self.exit_code, "alarm")


@dataclass(frozen=True, slots=True)
class Ran:
    """One run."""

    started: str  # UTC, ISO 8601
    exit_code: int | None  # None: it did not come to its end


@dataclass(frozen=True, slots=True)
class AuditMade:
    """The last audit of some days."""

    first: str  # days, ISO 8601
    last: str
    at: str  # UTC, ISO 8601
    differences: int
    open: int  # of which nobody took note

    @property
    def folder(self) -> str:
        """Where it lies, unless another job's has the name."""
        return f"audit-{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Nights:
    """All that the index is made of; the newest first."""

    job: str
    nights: tuple[Night, ...]
    runs: tuple[Ran, ...]  # the oldest first
    until: str  # the instant that ages are told for, UTC
    stop: str = ""  # in force: nothing is sent
    last: LastRun | None = None
    audits: tuple[AuditMade, ...] = ()  # the newest first


def tenths_told(tenths: int) -> str:
    """Tenths of a per cent as they are read."""
    return f"{tenths // 10}.{tenths % 10} %"


def write_index(
    reports: Path, told: Nights, words: Words, mode: int
) -> tuple[Path, ...]:
    """Both, in the folder of the reports. Raises CannotWrite."""
    directory = Directory(reports, mode, shared_by=told.job)
    name = own_name(reports, "index.html", told.job)
    with directory.file(name) as file:
        write_template(file, TEMPLATE, words, page=Index(reports, told, words))
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A day on which no file first came."""

    day: date
    runs: tuple[Ran, ...]  # that began on it; none: it was missed


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the calendar: a night, or a day without one."""

    day: date
    night: Night | None = None
    gap: Gap | None = None


class Index:
    """What the template shows."""

    def __init__(self, reports: Path, told: Nights, words: Words) -> None:
        self._reports = reports
        self._words = words
        self.told = told
        self.nights = told.nights[:LISTED]
        every = self._calendar()
        self.lines = every[:LISTED]
        self.more = len(every) - len(self.lines)
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

    def verdict(self, night: Night) -> str:
        """How its own rows stand."""
        return verdict_of(night.exit_code, self._words, adds_up=night.adds_up)

    @property
    def stop(self) -> str:
        """Why nothing is sent, and what ends that."""
        if not self.told.stop:
            return ""
        return shown(stop_told(self.told.stop, self._words))

    @property
    def audits(self) -> list[tuple[str, str, str]]:
        """The newest audits: the days, where it lies, and what it came to."""
        words = self._words
        found = []
        for one in self.told.audits[:LISTED]:
            days = [words.day(f"{day}T12:00:00") for day in (one.first, one.last)]
            told = labels.AUDITED(
                at=words.instant(one.at),
                differences=words.number(one.differences),
                open=words.number(one.open),
            )
            where = self._audit_at(one)
            found.append((" – ".join(dict.fromkeys(days)), where, words.say(told)))
        return found

    def _audit_at(self, one: AuditMade) -> str:
        """What people open of it, or what else there is; nothing where it is gone."""
        job = self.told.job
        folder = made_folder(self._reports, one.folder, job, "audit.json")
        if folder and (self._reports / folder / "audit.xlsx").exists():
            return f"{folder}/audit.xlsx"
        return f"{folder}/audit.json" if folder else ""

    # --- the last run

    @property
    def last_facts(self) -> list[tuple[str, str]]:
        """What the last run did, over all of its files."""
        last = self.told.last
        if last is None:
            return []
        told = whole_run_facts(last.run, self._words)
        return [(name, shown(value)) for name, value in told]

    @property
    def exits(self) -> list[tuple[int, str]]:
        """What the exit codes say that stand here, and those of any finished run."""
        met = {run.exit_code for run in self.told.runs if run.exit_code is not None}
        return exits_told(met, self._words)

    @property
    def last_sums(self) -> list[dict[str, str]]:
        """By currency, what the files of the last run come to, over all runs."""
        last = self.told.last
        if last is None:
            return []
        totals = last.totals
        return [
            sums_told(totals, currency, self._words)
            for currency in known_last(totals.rows.keys() | totals.charged.keys())
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
    def declines(self) -> tuple[str, list[Stack]] | None:
        """How the share of declined charges went; None where no bank refused anything."""
        tenths = [night.declined_tenths for night in self.nights[:DRAWN][::-1]]
        if not any(tenths):
            return None
        return self._scaled(tenths_told(max(tenths))), _columns(tenths, "declined")

    # --- what is open

    @property
    def parties(self) -> list[tuple[str, int, list[Night]]]:
        """Who must act, about how many orders, and the nights whose rows say so."""
        nights = self.told.nights
        orders = must_act([night.totals for night in reversed(nights)]).orders
        found = []
        for name in PARTIES:
            if name in orders:
                theirs = [night for night in nights if night.totals.acts[name]]
                found.append((self._words.party(name), orders[name], theirs))
        return found

    @property
    def open_outcomes(self) -> list[Outcome]:
        """Those that a row of any night has, in their order."""
        return [
            one
            for one in Outcome
            if one in OPEN
            and any(night.totals.count(one) for night in self.told.nights)
        ]

    @property
    def ages(self) -> list[tuple[str, list[int], int]]:
        """Open rows by the age of their batch: how old, how many of each outcome, and in all."""
        counted: Counter[tuple[int, Outcome]] = Counter()
        for night in self.told.nights:
            age = self._days(night.received, self.told.until)
            oldest = next((at for at, most in enumerate(AGES) if age < most), len(AGES))
            for outcome in OPEN:
                counted[oldest, outcome] += night.totals.count(outcome)
        said = [self._words.say(labels.AGE(days=days)) for days in AGES]
        said.append(self._words.say(labels.AGE_MORE(days=AGES[-1])))
        found = []
        for at, name in enumerate(said):
            each = [counted[at, outcome] for outcome in self.open_outcomes]
            if sum(each):
                found.append((name, each, sum(each)))
        return found

    @property
    def transfers(self) -> list[Payout]:
        """Where the recipients' shares of all nights are."""
        every: Counter[tuple[str, str, str]] = Counter()
        for night in self.told.nights:
            every.update(night.totals.payouts)
        return payouts_told(every, self._words)

    def _days(self, since: str, until: str) -> int:
        begun = self._local(since)
        ended = self._local(until)
        if begun is None or ended is None:
            return 0
        return (ended - begun).days

    # --- the calendar of runs

    def _local(self, at: str) -> date | None:
        """The day of an instant in the job's time zone."""
        local = local_time(at, self._words.zone)
        return local.date() if local else None

    def _calendar(self) -> list[Line]:
        """Every night, and every day from the first run to the last without one; the newest first.
        A day without a run is no row where its weekday is one of rest.
        """
        lines = [
            Line(day, night=night)
            for night in self.told.nights
            if (day := self._local(night.received))
        ]
        ran: dict[date, list[Ran]] = {}
        for run in self.told.runs:
            if day := self._local(run.started):
                ran.setdefault(day, []).append(run)
        came = {line.day for line in lines}
        days = _between(min(ran), max(ran)) if ran else []
        rest = _days_of_rest(days, ran.keys() | came)
        for day in days:
            if day not in came and (day in ran or day.weekday() not in rest):
                gap = Gap(day, tuple(ran.get(day, ())))
                lines.append(Line(day, gap=gap))
        # nights come the newest first, and a sort keeps that
        lines.sort(key=lambda line: line.day, reverse=True)
        return lines

    @property
    def missed(self) -> list[str]:
        """Days on which no run began and one should have; the newest first."""
        found = [line.day for line in self.lines if line.gap and not line.gap.runs]
        return [self.day(day) for day in found[:MISSED]]

    def day(self, day: date) -> str:
        """A day, as the language writes it."""
        return self._words.day(f"{day}T12:00:00")

    def gap_told(self, gap: Gap) -> str:
        """What happened on a day without a night."""
        if not gap.runs:
            return self._words.word(labels.NO_RUN)
        last = gap.runs[-1].exit_code
        if last is None:
            return self._words.word(labels.NO_END)
        return self._words.say(labels.NO_NEW_FILE(code=str(last)))

    def gap_grade(self, gap: Gap) -> str:
        """For its colour: that no new file came may be well."""
        if gap.runs and gap.runs[-1].exit_code is not None:
            return GRADES.get(gap.runs[-1].exit_code, "alarm")
        return "alarm"


def _days_of_rest(days: Sequence[date], at_work: Collection[date]) -> set[int]:
    """The weekdays on which, of two or more, nothing began on more than half."""
    whole = Counter(day.weekday() for day in days)
    worked = Counter(day.weekday() for day in days if day in at_work)
    return {
        weekday
        for weekday, number in whole.items()
        if number > 1 and 2 * worked[weekday] < number
    }


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


def _columns(amounts: Sequence[int], name: str = "succeeded") -> list[Stack]:
    most = max(amounts)
    width = WIDTH // max(len(amounts), 12)
    found = []
    for at, amount in enumerate(amounts):
        height = -(-HEIGHT * amount // most)
        found.append(Stack(at * width, width - 2, ((name, HEIGHT - height, height),)))
    return found
