"""What `check` shows: each fault once, as a person, a spreadsheet or a workflow takes it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from batchpay.domain.model import Problem
from batchpay.intake.grouping import MOST_ADVICES, MOST_VALUES, Groups
from batchpay.messages import problems
from batchpay.terminal.check import table, wrapped
from batchpay.terminal.speech import Speech
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside

THAI = "ร้านบ้านไม้ริมน้ำสาขาเชียงใหม่"


def faulty(market: Market, rows: int = 40) -> None:
    """A file in which two faults stand in many rows, and a third in one."""
    changes: list[dict[str, str]] = []
    for at in range(rows):
        change = {}
        if at % 2:
            change["amount"] = f"{at},50"
        if at % 5 == 0:
            change["recipient"] = THAI
        if at == 7:
            change["card"] = "=cmd|'/c calc'!A1"
        changes.append(change)
    market.orders(order(at, **change) for at, change in enumerate(changes, 1))
    market.job()


def on_terminal(market: Market, *words: str, columns: int, **environ: str) -> str:
    """What the program prints on a terminal of this width; what it warns of goes elsewhere."""
    command = ("check", "job.toml", *words)
    shown, _ = market.on_terminal(*command, width=columns, stderr=False, **environ)
    return shown.replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_terminal_shows_each_fault_once_and_no_line_is_too_long(
    market: Market, columns: int
) -> None:
    """With the number of its rows, what to do, and the first of them."""
    faulty(market)
    said = on_terminal(market, columns=columns, NO_COLOR="1")
    shown, _, last = said.rstrip("\n").rpartition("\n\n")
    assert max(map(cell_len, shown.split("\n"))) <= columns
    assert re.search(r"^ +20  amount +number-format", shown, re.M)
    assert len(re.findall(r"number-format", shown)) == 1
    assert "row 3" in shown and "20 different cells" in re.sub(r"\s+", " ", shown)
    assert last.startswith("orders.csv: 40 rows, 24 rejected, 0 repeated; ")


def test_colours_are_for_terminals_that_have_them(market: Market) -> None:
    """And for people who did not ask for none; elsewhere there is a line a problem."""
    faulty(market)
    coloured = on_terminal(market, columns=80, NO_COLOR="", TERM="xterm")
    plain = on_terminal(market, columns=80, NO_COLOR="1", TERM="xterm")
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain != coloured
    assert "\x1b" not in on_terminal(market, columns=80, NO_COLOR="", TERM="dumb")
    piped = market.run(verb="check").stdout
    assert "\x1b" not in piped
    assert (
        piped.startswith("orders.csv:2: ")
        or "orders.csv:3: amount: found '1,50'" in piped
    )


def test_many_lines_end_with_what_they_have_in_common(market: Market) -> None:
    """The last line is the file's, as ever; few problems need no summary."""
    faulty(market)
    lines = market.run(verb="check").stdout.splitlines()
    short = [
        one
        for one in lines
        if one.startswith("orders.csv: 20 rows: amount: number-format; ")
    ]
    assert len(short) == 1 and "20 different cells: row 3 '1,50'" in short[0]
    assert lines[-1].startswith("orders.csv: 40 rows")
    faulty(market, 5)
    assert " rows: " not in market.run(verb="check").stdout


def test_csv_is_a_table_that_no_spreadsheet_runs(market: Market) -> None:
    """One line a problem, and nothing else on stdout."""
    faulty(market)
    done = market.run("--format", "csv", verb="check")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    told = json.loads(market.run("--json", verb="check").stdout)
    assert len(rows) == len(told["problems"]) > 20
    for row, one in zip(rows, told["problems"], strict=True):
        assert [row[name] for name in ("column", "rule", "remedy")] == [
            one["column"],
            one["rule"],
            one["remedy"],
        ]
        assert not row["value"].startswith("=")
    assert done.stderr.startswith("orders.csv: 40 rows") and done.returncode == 10


def test_github_gets_annotations(market: Market) -> None:
    """A problem each, one a line, with nothing in it that a workflow takes for a command."""
    faulty(market)
    lines = market.run("--format", "github", verb="check").stdout.splitlines()
    errors = [one for one in lines if one.startswith("::error ")]
    told = json.loads(market.run("--json", verb="check").stdout)
    assert len(errors) == len(told["problems"])
    assert errors[0].startswith("::error file=orders.csv,line=")
    assert all(one.startswith(("::error ", "::warning ", "::notice ")) for one in lines)


def test_two_forms_at_once_are_a_mistake(market: Market) -> None:
    """Told as such."""
    faulty(market, 5)
    done = market.run("--format", "csv", "--json", verb="check")
    assert done.returncode == 64 and "give one of them" in done.stdout + done.stderr


def test_groups_stand_in_the_json_too(market: Market) -> None:
    """With what they count."""
    faulty(market)
    told = json.loads(market.run("--json", verb="check").stdout)
    for group in told["groups"]:
        of_it = [
            one
            for one in told["problems"]
            if (one["column"], one["rule"], one["code"])
            == (group["column"], group["rule"], group["code"])
        ]
        assert group["rows"] == len({one["row"] for one in of_it})
        assert group["values"] == len({one["value"] for one in of_it})
        assert group["first"][0]["row"] == of_it[0]["row"]
    assert sum(group["rows"] for group in told["groups"]) == len(told["problems"])


def test_the_sender_can_keep_what_was_found(market: Market) -> None:
    """The file's digest, counts and sums; an older one is not overwritten unless it is said."""
    faulty(market)
    done = market.run("--out", "ack.json", verb="check")
    assert done.returncode == 10
    told: dict[str, Any] = json.loads((market.folder / "ack.json").read_text())
    (file,) = told["files"]
    assert (told["acknowledgement"], told["job"], told["mode"]) == (1, "night", "TEST")
    assert file["rows"] == 40 and file["rejected"] == 24
    assert sum(read["count"] for read in file["read"].values()) == 40
    assert file["valid"]["THB"]["count"] == 16 == file["may_be_sent"]["THB"]["count"]
    sha = subprocess.run(
        ["sha256sum", "orders.csv"],
        cwd=market.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert file["sha256"] == sha.stdout.split()[0]
    again = market.run("--out", "ack.json", verb="check")
    assert again.returncode == 64 and "left alone" in again.stderr
    assert market.run("--out", "ack.json", "--force", verb="check").returncode == 10
    assert market.run("--out", "orders.csv", "--force", verb="check").returncode == 64
    assert not (market.folder / "state").exists()


# --- groups


def test_a_group_counts_rows_and_different_cells() -> None:
    """In memory that does not grow with either."""
    groups = Groups()
    for row in range(5000):
        is_new = groups.add(
            "a.csv", "", row, Problem("A", str(row), problems.NUMBER_FORMAT())
        )
        assert is_new == (row == 0)
    groups.add("a.csv", "", 4999, Problem("A", "again", problems.NUMBER_FORMAT()))
    groups.add("a.csv", "", 7, Problem("B", "", problems.PART_EMPTY()))
    first, second = groups.all()
    assert (first.column, first.rows, first.values) == ("A", 5000, MOST_VALUES + 1)
    assert first.first == ((0, "0"), (1, "1"), (2, "2"))
    assert (second.rows, second.values, second.first) == (1, 1, ((7, ""),))


def test_rows_that_are_told_otherwise_are_another_group() -> None:
    """Each group's sentence is right for all of its rows; the groups stay few."""
    groups = Groups()
    for row in range(1000):
        said = problems.LOOKUP_ALIKE(
            file="a", key="k", near=str(row % 500), differs="x"
        )
        groups.add("a.csv", "", row, Problem("A", str(row), said))
    *some, last = sorted(groups.all(), key=lambda group: group.rows)
    assert {group.rows for group in some} == {2} and len(some) == MOST_ADVICES
    assert last.rows == 1000 - 2 * MOST_ADVICES


@given(st.text(st.sampled_from("ab 東京รกี้ำ\u0301é-"), max_size=60), st.integers(2, 30))
def test_a_line_is_never_wider_and_nothing_is_lost(text: str, width: int) -> None:
    """Whatever the writing."""
    lines = list(wrapped(text, width))
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(one) <= width for one in lines)


@given(
    st.integers(40, 120),
    st.text(st.sampled_from("ab 東京ร้"), min_size=1, max_size=40),
    st.sampled_from(["en", "ja", "th"]),
)
def test_no_line_of_a_table_is_wider_than_its_terminal(
    width: int, column: str, language: str
) -> None:
    """Also where a column has a long name in any writing, in each language."""
    groups = Groups()
    for row in range(3):
        groups.add("a", "", row, Problem(column, column, problems.NUMBER_FORMAT()))
    shown = table(groups.all(), width, Speech(language))
    assert all(cell_len(one) <= width for one in shown)


def test_a_folder_of_the_job_is_named_from_where_the_workflow_runs(
    market: Market,
) -> None:
    """GitHub shows an annotation beside its file only by its path."""
    (market.folder / "inbox").mkdir()
    faulty(market, 5)
    Path(market.folder / "orders.csv").rename(market.folder / "inbox" / "orders.csv")
    market.job(file="inbox/orders.csv")
    said = market.run("--format", "github", verb="check").stdout
    assert "::error file=inbox/orders.csv,line=" in said


def test_what_will_be_held_is_a_group_of_its_own(market: Market) -> None:
    """In each form, with the reason that a run would give; it is no fault of the file."""
    market.job(more='[controls]\nmax_day = { THB = "150.00" }')
    market.orders([order(1), order(2), order(3)])
    shown = on_terminal(market, columns=80)
    assert "orders.csv: held, not sent by the next run" in shown
    assert "2 orders: row 3 '00002', row 4 '00003'" in shown
    for form in ("lines", "github"):
        done = market.run("--format", form, verb="check")
        assert "2 orders: row 3 '00002', row 4 '00003'" in done.stdout
        assert "more than 150.00 THB ([controls] max_day)" in done.stdout
        assert (
            done.returncode,
            "3 rows, 0 rejected, 0 repeated, 2 held" in done.stdout,
        ) == (
            0,
            True,
        )
