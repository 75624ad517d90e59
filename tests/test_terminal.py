"""What a person reads on a terminal: bars that come to their end, numbers that agree with their
words.
"""

from __future__ import annotations

import re
import time

import pytest

from tests.doses import SWEEP
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside  # what is shown on a terminal is a process's all the same


def on_a_terminal(market: Market, *flags: str, columns: int = 200) -> str:
    """Everything that `run` writes to a terminal."""
    words = ("run", "job.toml", *flags)
    return market.on_terminal(*words, width=columns, TERM="xterm")[0]


@pytest.mark.fault("A15")
def test_the_bar_of_a_resumed_run_ends_at_its_end(market: Market) -> None:
    """Killed half-way, with orders in doubt: what is last drawn of the charging says that all of it
    is done, or kept back.
    """
    market.orders([*(order(number) for number in range(40)), order(40, amount="5.00")])
    market.job(rate="40/s")
    market.sandbox.add_rule({"action": "reset_after", "nth": [5, 9]})
    with market.start("run", "job.toml") as process:
        while market.posts() < 18:
            time.sleep(0.02)
        process.kill()
    screen = on_a_terminal(market)
    drawn = re.findall(r"([0-9]+) of ([0-9]+): ", screen)
    assert drawn and drawn[-1][0] == drawn[-1][1], drawn[-3:]
    assert "1 held" in screen
    market.agree()


def test_a_summary_is_a_table_of_this_run_and_of_all(market: Market) -> None:
    """What this run did stands first, and beside what the batch came to; sums by currency, down to
    where the recipients' shares are.
    """
    market.orders([order(1), order(2, card="tokn_test_sandbox000020011"), order(3)])
    market.job()
    first = market.run("--limit", "2", "--summary")
    assert first.stdout.startswith(
        "TEST: this run: sent 2 orders (1 succeeded, 1 declined), "
    )
    told = market.run("--summary").stdout
    lines = [re.split(r"  +", line.strip()) for line in told.splitlines()]
    assert told.startswith(
        "TEST: this run: sent 1 order (1 succeeded), charged 103.25 THB"
    )
    assert ["this run", "the batch, all runs"] in lines
    for wanted in (
        ["rows read", "3"],
        ["sent", "1", "3"],
        ["succeeded", "1", "2"],
        ["declined", "1"],
        ["THB charged", "103.25", "204.50"],
        ["recipients' shares", "204.50"],
        ["created (2)", "204.50"],
    ):
        assert wanted in lines, (wanted, told)
    assert told.splitlines()[-1].startswith("exit 10: ")


def test_a_bar_fits_eighty_columns(market: Market) -> None:
    """It says how much, how fast and how long yet, and is cut, never broken."""
    market.orders([order(number) for number in range(12)])
    market.job(rate="20/s")
    drawn = on_a_terminal(market, columns=80)
    lines = re.findall(r"[^\r\n]*charging[^\r\n]*", drawn_plain(drawn))
    assert lines and all(len(line) <= 80 for line in lines)
    assert re.search(
        r"charging \S+ +[0-9]+ %  [0-9.]+/s  [0-9]+:[0-9]{2} left", drawn_plain(drawn)
    )


def drawn_plain(drawn: str) -> str:
    """Without colours and moves."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)


# --- one of a kind

NOUNS = (
    "rows|orders|files|charges|recipients|events|manifests|requests|keys|differences|batches|attempts|sends|transfers|"
    "refunds|problems|columns|sheets|cells|characters|entries|others|lines|names|days|lookups|reports|credits|values"
)
WRONG = re.compile(rf"(?<![\d.,:-])1 (?:more |new |open )?(?:{NOUNS})\b")
LIFE = ("check", "plan", "doctor", "run", "settle", "status", "report", "verify")


@pytest.mark.parametrize(
    ("row", "flags", "after"),
    [
        ({}, (), ("status", "00001")),
        ({"amount": "x"}, (), ()),
        ({"card": "tokn_test_sandbox3ds0001"}, (), ()),
        pytest.param(
            {"card": "tokn_test_sandbox000010011"}, ("--canary", "1"), (), marks=SWEEP
        ),
        ({"recipient": "recp_test_sandboxunverified"}, ("--limit", "1"), ()),
        pytest.param({"order_id": ""}, ("--limit", "0"), (), marks=SWEEP),
    ],
)
def test_one_is_no_plural(
    market: Market, row: dict[str, str], flags: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """A file of one row, through every command, in words and in JSON."""
    market.orders([order(1, **row)])
    market.job()
    said = ""
    for verb in LIFE:
        for form in ((), ("--json",)):
            done = market.run(*(flags if verb == "run" else ()), *form, verb=verb)
            said += f"{verb}: {done.stdout}{done.stderr}\n"
    if after:
        done = market.run(*after[1:], verb=after[0])
        said += done.stdout + done.stderr
    today = time.strftime("%Y-%m-%d", time.gmtime())
    done = market.run("--from", today, "--to", today, verb="audit")
    said += done.stdout + done.stderr
    for path in (market.folder / "reports").glob("*/report.json"):
        said += path.read_text()
    assert "1 row" in said
    assert WRONG.findall(said) == []


def test_one_cell_and_one_recipient(market: Market) -> None:
    """A ragged row of one cell, and a recipient of whom a gateway that tells of none does not."""
    of = {"recipient": "recp_test_sandbox1"}
    market.orders([order(1, **of), order(2, **of)])
    with (market.folder / "orders.csv").open("a") as file:
        file.write("3\n")
    market.job()
    market.sandbox.add_rule(
        {
            "method": "GET",
            "path": "/recipients/recp_test_sandbox1",
            "status": 500,
            "body": "x",
        }
    )
    said = "".join(
        done.stdout + done.stderr
        for done in (market.run(verb="check"), market.run("--summary"))
    )
    assert (
        "1 cell where the header has 6" in said
        and "does not tell of 1 recipient," in said
    )
    assert WRONG.findall(said) == []


@pytest.mark.parametrize(
    "text", ["1 rows", "(1 orders", "and 1 more files", "1 new charges"]
)
def test_the_pattern_sees_what_is_wrong(text: str) -> None:
    """And leaves 11 rows, 2.1 rows and a date alone."""
    assert WRONG.search(text)
    assert not WRONG.search(text.replace("1", "11")) and not WRONG.search(
        "1,001 rows, 2026-11-1 orders"
    )
