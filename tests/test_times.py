"""Days as people say them, codes as programs take them, words that count."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from batchpay.domain import exits, times
from batchpay.domain.errors import BatchpayError, Usage
from batchpay.domain.text import many
from batchpay.terminal.bars import Bars
from tests.test_docs import families, table
from tests.world import Market, order

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.fault("J30")
def test_a_day_begins_where_the_job_says() -> None:
    """The 24th of a person in Bangkok begins on the UTC evening of the 23rd; a day with a change of
    clocks is 23 h.
    """
    day = date(2026, 11, 24)
    assert (
        times.first_instant(day, "Asia/Bangkok").isoformat()
        == "2026-11-23T17:00:00+00:00"
    )
    assert (
        times.last_instant(day, "Asia/Bangkok").isoformat()
        == "2026-11-24T16:59:59+00:00"
    )
    assert times.day_of(datetime(2026, 11, 23, 18, tzinfo=UTC), "Asia/Bangkok") == day
    spring = date(2026, 3, 29)
    hours = (
        times.last_instant(spring, "Europe/Berlin")
        - times.first_instant(spring, "Europe/Berlin")
    ).seconds
    assert hours == 23 * 3600 - 1
    assert (
        times.local("2026-11-23T17:00:00Z", "Asia/Bangkok")
        == "2026-11-24 00:00:00 Asia/Bangkok"
    )
    assert times.local("", "UTC") == ""


@pytest.mark.fault("J01", "J30")
@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25",
        "9999-12-31",
        "0001-01-01",
        "2026-11-31",
        "24.11.2026",
        "",
        "2026-11-24 ",
    ],
)
def test_a_day_that_makes_no_sense_is_a_usage(text: str) -> None:
    """In the future of the job's zone, of another age, or no day at all."""
    with pytest.raises(Usage):
        times.since(text, "UTC", NOON)


@pytest.mark.fault("J01", "J30")
def test_today_is_not_the_future() -> None:
    """Where it is the 25th already, the 25th may be named."""
    late = datetime(2026, 11, 24, 18, tzinfo=UTC)
    assert (
        times.since("2026-11-25", "Asia/Bangkok", late).isoformat()
        == "2026-11-24T17:00:00+00:00"
    )
    with pytest.raises(Usage, match="future"):
        times.since("2026-11-25", "UTC", late)


@pytest.mark.fault("J30")
def test_what_status_shows_is_of_the_jobs_zone(market: Market) -> None:
    """And it says so; programs get UTC."""
    market.orders([order(1)])
    market.job(more='[controls]\ntime_zone = "Asia/Bangkok"')
    market.run("--limit", "0")
    assert "Asia/Bangkok, " in market.run(verb="status").stdout
    assert "Asia/Bangkok" not in market.run("--json", verb="status").stdout


@pytest.mark.fault("J30")
def test_all_that_is_told_of_an_open_order_is_of_the_jobs_zone(market: Market) -> None:
    """Until when its payer can pay, when it was asked for, and of which days its story is."""
    market.orders([order(1, card="tokn_test_sandbox3ds00001")])
    market.job(more='[controls]\ntime_zone = "Asia/Bangkok"')
    assert market.run().returncode == 11
    story = market.program("status", "job.toml", "00001").stdout
    until = next(line for line in story.splitlines() if "pay at" in line)
    assert until.endswith(" Asia/Bangkok")
    assert " (Asia/Bangkok), run " in story
    (since,) = (
        line
        for line in market.run(verb="doctor").stdout.splitlines()
        if "open order" in line
    )
    assert since.endswith(" Asia/Bangkok")


def test_the_table_of_exit_codes_is_whole() -> None:
    """Every code of the README and of every error once, with a name and a remedy, and a place in
    the order.
    """
    codes = [one.code for one in exits.TABLE]
    listed = [int(code) for cell, _ in table("Exit code") for code in cell.split(", ")]
    assert codes == sorted(set(codes)) == listed
    assert sorted(exits.PRIORITY) == codes
    assert {kind.exit_code for kind in families()} | {0, 10, 11} == set(codes)
    assert all(one.name and one.remedy for one in exits.TABLE)


@pytest.mark.parametrize("verb", ["approve", "worker"])
def test_a_command_of_a_later_version_says_so(market: Market, verb: str) -> None:
    """And is usage; what nobody has is no command."""
    ended = market.program(verb, "plan.json", "--reason", "looked at")
    assert ended.returncode == 64
    assert "a later version" in ended.stderr and "No such" not in ended.stderr
    assert "No such command" in market.program(f"{verb}s").stderr


def test_the_worst_code_is_told() -> None:
    """12, 78, 77, 75, 69, 11, 10 in this order (README.md, "Exit codes")."""
    order_of = [12, 78, 77, 75, 69, 11, 10, 0]
    for at, code in enumerate(order_of):
        assert exits.worst(order_of[at:]) == code
    assert exits.worst([]) == 0


def test_an_error_of_several_lines_has_only_ours() -> None:
    """Each argument is one line; what a line break inside one would begin does not begin."""
    error = BatchpayError("a\nb", "c \x1b[31m skey_test_0123456789abcdef")
    assert str(error) == "a\\nb\nc \\x1b[31m skey_***"


def test_one_row_is_a_row() -> None:
    """And two are rows."""
    assert [many(number, "row") for number in (0, 1, 2, 1200)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,200 rows",
    ]


class Progress:
    """What rich is told."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.completed = 0
        self.how = ""

    def add_task(self, description: str, total: int | None, how: str) -> int:
        """One more line."""
        self.total, self.completed = total, 0
        return 1

    def remove_task(self, task: int) -> None:
        """It is gone."""

    def refresh(self) -> None:
        """Drawn as it stands."""

    def update(
        self, task: int, completed: int, how: str, total: int | None = None
    ) -> None:
        """So far."""
        self.completed, self.how = completed, how
        self.total = total or self.total


class Moved:
    """A case that moved, as the bars see one."""

    def __init__(self, order_id: str, *, present: bool = True) -> None:
        from types import SimpleNamespace

        from batchpay.domain.model import Outcome

        self.intent = SimpleNamespace(order_id=order_id)
        self.attempt = SimpleNamespace(outcome=Outcome.SUCCEEDED)
        self.present = present


def test_a_bar_counts_the_step_it_shows() -> None:
    """What moved in an earlier step is not counted again: a resumed run ends at its end."""
    progress = Progress()
    bars = Bars(progress, "night")
    bars.phase("asking")
    for number in range(53):
        bars.order(Moved(f"old{number}"))  # type: ignore[arg-type]
    bars.phase("charging", 47)
    for number in range(47):
        bars.order(Moved(f"new{number}"))  # type: ignore[arg-type]
    assert (progress.completed, progress.total) == (47, 47)
    assert progress.how == "47 of 47: 47 succeeded"
