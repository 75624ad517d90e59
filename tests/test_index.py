"""index.html and latest: every night once, what is open and how old, and the newest by one name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from batchpay.messages import labels
from batchpay.reports import index as form
from batchpay.reports.index import (
    Night,
    Nights,
    Ran,
    link_latest,
    own_name,
    write_index,
)
from batchpay.reports.words import Words
from tests.nights_told import DECLINED, HELD, IN_YEN, night
from tests.test_page import Read
from tests.world import Market, order

EN = Words("en", "Asia/Bangkok")
FIRST = Night(
    batch="2026-11-20-aaaaaaaaaaaa",
    file="first.csv",
    mode="test",
    received="2026-11-20T18:00:00Z",  # the 21st in Bangkok
    exit_code=11,
    totals=night([HELD, DECLINED], [["", "", ""]] * 2).totals,
)
SECOND = replace(
    FIRST,
    batch="2026-11-24-bbbbbbbbbbbb",
    file="<second>.csv",
    received="2026-11-24T16:59:00Z",
    totals=night().totals,
)
RUNS = (
    Ran("2026-11-20T18:00:00Z", 11),
    Ran("2026-11-22T18:00:00Z", 11),
    Ran("2026-11-24T16:59:00Z", 11),
)
TOLD = Nights("night", (SECOND, FIRST), RUNS, "2026-11-24T17:30:00Z")


def read(folder: Path, told: Nights = TOLD, words: Words = EN) -> tuple[str, Read]:
    write_index(folder, told, words, 0o600)
    text = (folder / "index.html").read_text("utf-8")
    return text, Read(text)


def test_every_night_stands_once_the_newest_first(tmp_path: Path) -> None:
    """With its rows, what is open, how many the banks refused, what was charged, and its page."""
    page = tmp_path / SECOND.batch / "report.html"
    page.parent.mkdir()
    page.touch()
    text, found = read(tmp_path)
    rows = [[cell.strip() for cell in row] for row in found.rows if len(row) == 8][1:]
    assert [row[1] for row in rows] == ["<second>.csv", "first.csv"]
    assert rows[0][3:] == ["8", "3", "3", "25.0 %", "5,000 JPY2,469.00 THB"]
    assert rows[1][3:] == ["2", "0", "1", "100.0 %", ""]
    assert {one["href"] for one in found.all("a")} == {f"{SECOND.batch}/report.html"}
    assert "default-src 'none'" in text and not found.all("script")
    assert (
        "The tallest bar: 8 rows; from" in text
        and "The tallest bar: 2,469.00 THB" in text
    )


def test_who_must_act_stands_first_with_the_nights_that_say_so(tmp_path: Path) -> None:
    """An order of two nights is one, and whatever is the newest, no night's work is left out."""
    _, found = read(tmp_path)
    rows = [[cell.strip() for cell in row] for row in found.rows]
    assert rows[:5] == [
        ["Who acts", "Orders", "File"],
        ["a person in charge", "1", "<second>.csv"],
        ["accountant", "1", "<second>.csv"],
        ["payer", "1", "<second>.csv, first.csv"],
        ["next run", "1", "<second>.csv, first.csv"],
    ]
    _, found = read(tmp_path, replace(TOLD, nights=(SECOND, SECOND, FIRST)))
    assert [row[0].strip() for row in found.rows[1:5]] == [row[0] for row in rows[1:5]]


def test_what_is_open_is_told_by_its_age_and_missed_days_by_name(
    tmp_path: Path,
) -> None:
    """Of the job's time zone."""
    text, found = read(tmp_path)
    rows = [[cell.strip() for cell in row] for row in found.rows]
    assert rows[5:8] == [
        ["How old", "pending", "in doubt", "held", "Rows"],
        ["within 3 days", "1", "1", "1", "3"],
        ["within 10 days", "0", "0", "1", "1"],
    ]
    assert [day.strip() for day in found.texts["li"]] == ["22 Nov 2026"]
    assert "The tallest bar: 100.0 %" in text


def test_a_day_without_a_new_file_has_a_row_and_a_day_of_rest_none(
    tmp_path: Path,
) -> None:
    """By the rule that stands below the table; a killed run is told from one that ended."""
    _, found = read(tmp_path)
    gaps = [tuple(row) for row in found.rows if len(row) == 2]
    assert gaps == [
        ("23 Nov 2026", "No new file; the run ended with 11"),
        ("22 Nov 2026", str(labels.NO_RUN())),
    ]
    # three weeks, Monday to Friday; one Wednesday was missed, one run killed on a Thursday
    days = [date(2026, 11, 2) + timedelta(at) for at in range(19)]
    at_work = [day for day in days if day.weekday() < 5 and day.day != 11]
    ran = [Ran(f"{day}T02:00:00Z", None if day.day == 12 else 0) for day in at_work]
    told = Nights("night", (), tuple(ran), f"{days[-1]}T02:00:00Z")
    text, found = read(tmp_path, told)
    gaps = [tuple(row) for row in found.rows if len(row) == 2]
    assert len(gaps) == 15 and gaps[-1][0] == "2 Nov 2026"
    assert dict(gaps)["11 Nov 2026"] == str(labels.NO_RUN())
    assert dict(gaps)["12 Nov 2026"] == str(labels.NO_END())
    assert str(labels.CALENDAR()) in text


def test_one_night_of_yen_and_none_at_all(tmp_path: Path) -> None:
    """A picture a currency; without a night an empty page."""
    only = replace(FIRST, totals=night([IN_YEN], [["", "", ""]]).totals, exit_code=0)
    text, found = read(tmp_path, Nights("night", (only,), RUNS[:1], RUNS[0].started))
    assert found.texts["h3"] == [str(labels.HEADING_TRANSFERS()), "Charged: JPY"]
    assert str(labels.NOTHING_OPEN()) in text
    read(tmp_path, Nights("night", (), (), ""))
    read(tmp_path, replace(TOLD, nights=(SECOND,)), Words("th", "Asia/Bangkok"))


def test_the_same_journal_gives_the_same_index(tmp_path: Path) -> None:
    """Byte for byte; long lists end and say so."""
    first, _ = read(tmp_path)
    assert read(tmp_path)[0] == first


def test_a_long_list_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest nights are not listed."""
    monkeypatch.setattr(form, "LISTED", 1)
    text, _ = read(tmp_path)
    assert str(labels.MORE_NIGHTS(count=3)) in text
    assert text.count("first.csv") == 2  # of the nights that wait for somebody alone


def test_two_jobs_in_one_folder_keep_apart(tmp_path: Path) -> None:
    """Whoever came first has the plain names; a file that somebody else made stays."""
    read(tmp_path)
    (tmp_path / SECOND.batch).mkdir()
    assert own_name(tmp_path, "index.html", "night") == "index.html"
    assert own_name(tmp_path, "index.html", "other") == "index-other.html"
    link_latest(tmp_path, FIRST.batch, "other", 0o640)
    assert (tmp_path / "latest" / "night").resolve() == tmp_path / SECOND.batch
    assert (tmp_path / "latest" / "other").readlink() == Path("..", FIRST.batch)
    (tmp_path / "latest" / "other").unlink()
    (tmp_path / "latest" / "other").mkdir()
    link_latest(tmp_path, FIRST.batch, "other", 0o640)
    assert not (tmp_path / "latest" / "other").is_symlink()


def test_what_another_job_is_writing_stays(tmp_path: Path) -> None:
    """Two jobs may write into one folder at the same moment; what a killed run of this one left
    goes away.
    """
    (tmp_path / ".index.html.other.part").touch()
    (tmp_path / ".index.html.night.part").touch()
    read(tmp_path)
    assert [path.name for path in tmp_path.glob(".*.part")] == [
        ".index.html.other.part"
    ]


def test_a_night_without_a_file_has_a_page(market: Market) -> None:
    """It says that nothing was charged, and that nobody has anything to do."""
    job = market.job(input="optional = true").read_text()
    (market.folder / "job.toml").write_text(f'{job}\n[report]\nformats = ["html"]\n')
    assert market.run().returncode == 0
    (page,) = (market.folder / "reports").glob("*-no-input/report.html")
    text = page.read_text("utf-8")
    assert str(labels.VERDICTS[0]()) in text and str(labels.NO_ACTION()) in text
    assert market.run(verb="verify").returncode == 0


def test_nights_in_a_row_have_an_index_and_the_newest_has_a_name(
    market: Market,
) -> None:
    """`verify` takes neither for a report; `report` writes the same bytes again."""
    job = market.job().read_text() + '\n[report]\nformats = ["csv", "json", "html"]\n'
    (market.folder / "job.toml").write_text(job)
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    reports = market.folder / "reports"
    (first,) = (path.parent for path in reports.glob("*/report.html"))
    latest = reports / "latest" / "night"
    assert latest.resolve() == first
    market.orders([order(3, card="tokn_test_sandbox000030011")])
    assert market.run().returncode == 10
    page = (latest / "report.html").read_bytes()
    assert (
        b"insufficient_fund" in page and b"request 1 of attempt 1 written down" in page
    )
    assert latest.resolve() != first and (latest / "report.html").exists()
    index = (reports / "index.html").read_bytes()
    # who must act, the last run's sums, both nights, and where the shares of both are
    assert index.count(b'<tr><th scope="row">') == 5
    assert b'will be sent by the gateway</th><td>THB</td><td class="n">2</td>' in index
    assert market.run(verb="verify").returncode == 0
    assert market.run(verb="report").returncode == 10
    assert (latest / "report.html").read_bytes() == page
    assert (reports / "index.html").read_bytes() == index


def test_the_index_leads_to_audits_as_soon_as_they_are_made(market: Market) -> None:
    """With what they came to; the last one of the same days; `report` writes the same bytes."""
    market.job(more='[report]\nformats = ["csv", "json", "html"]\n')
    market.orders([order(1)])
    assert market.run().returncode == 0
    index = market.folder / "reports" / "index.html"
    assert "audit" not in index.read_text("utf-8")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for _ in range(2):
        audit = market.run("--from", today, "--to", today, verb="audit")
        assert audit.returncode == 0, audit
    text = index.read_text("utf-8")
    assert text.count(f'<a href="audit-{today}-{today}/audit.xlsx">') == 1
    assert text.count("; differences: 0, of which nobody took note: 0</li>") == 1
    assert market.run(verb="report").returncode == 0
    assert index.read_text("utf-8") == text
    assert market.run(verb="verify").returncode == 0
    shutil.rmtree(index.parent / f"audit-{today}-{today}")
    assert market.run(verb="report").returncode == 0
    assert 'href="audit-' not in index.read_text("utf-8")


def test_an_order_that_stands_in_three_files_is_counted_once(market: Market) -> None:
    """Who must act about it, what is open, and what was asked for by the last run's files; a row
    that cannot be read is none of another order.
    """
    formats = '[report]\nformats = ["csv", "json", "html"]\n'
    market.job(file="*.csv", more=formats)
    rows = [
        order(1),
        order(3, amount="x"),
        order(5, card="tokn_test_sandbox3ds0005"),
        order(6, recipient="recp_test_unknown6"),
    ]
    for number, name in enumerate("abc", 10):
        market.orders([*rows, order(number)], name=f"{name}.csv")
    assert market.run().returncode == 11
    index = Read((market.folder / "reports" / "index.html").read_text("utf-8"))
    acts = {line[0]: line[1] for line in index.rows if len(line) == 3}
    assert [acts[name] for name in ("engineer", "accountant", "payer")] == ["1"] * 3
    ages = next(line for line in index.rows if line[0] == "within 1 day")
    assert ages[1:] == ["1", "1", "2"]
    at = next(n for n, line in enumerate(index.rows) if "Asked for" in line)
    assert index.rows[at][:3] == ["Currency", "Orders", "Asked for"]
    assert index.rows[at + 1][:3] == ["THB", "9", "646.50 THB"]


def test_rows_whose_currency_nobody_can_read_come_to_no_money() -> None:
    """Not to none of a currency without a name."""
    assert (EN.money(0, ""), EN.money(0, "JPY")) == ("–", "0 JPY")
