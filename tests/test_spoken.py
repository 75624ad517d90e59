"""check, plan, status, resolve and explain speak the language of the job's reports, or the one that
--lang says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer
from tests.doses import pairs
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside
# what the same commands print in English
ENGLISH = (
    "rejected",
    "break no rule",
    "would charge",
    "not sent",
    "last run",
    "order 0",
    "pending since",
    "who acts",
    "sent once",
    "attempt 1",
    "written down",
    "is cancelled",
    "the accountant",
    "write 1234.50",
    " key ",
    "pay at",
    "fee ",
    "recipient recp",
    "use one of",
    "order 00001 of",
    "same order as row",
    "the engineer",
    "no control totals",
    "no field uses",
    "(row)",
    "1 row:",
    " row 9",
)


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


def prepared(market: Market, language: str, *further: dict[str, str]) -> None:
    """A night with rows of several kinds, in a job of that language."""
    more = f'[report]\nformats = ["csv", "json"]\nlanguage = "{language}"\n'
    market.job(more=more)
    market.orders(
        [
            order(1),
            order(3, amount="x"),
            order(5, card="tokn_test_sandbox3ds0005"),
            order(7),
            order(7, amount="9.00"),
            *further,
        ]
    )


def commands(*flags: str) -> dict[str, tuple[str, ...]]:
    """Each command, by what it says in English."""
    cancel = ("--cancel", "--reason", "seen")
    return {
        "check": ("check", "job.toml", *flags),
        "plan": ("plan", "job.toml", *flags),
        "run": ("run", "job.toml", *flags),
        "status": ("status", "job.toml", *flags),
        "story": ("status", "job.toml", "00005", *flags),
        "story of a paid one": ("status", "job.toml", "00001", *flags),
        "resolve": ("resolve", "job.toml", "00007", *cancel, *flags),
    }


@pytest.mark.parametrize(("by_flag", "language"), pairs([True, False], ["ja", "th"]))
def test_what_commands_print_is_in_the_language(
    market: Market, language: str, *, by_flag: bool
) -> None:
    """Where the job says so, or the command line; the English words are not among it. What a
    program reads is the same in each language.
    """
    unverified = order(9, recipient="recp_test_sandboxunverified")
    prepared(
        market,
        "en" if by_flag else language,
        unverified,
        order(1),
        order(2, currency="BTC"),
    )
    flags = ("--lang", language) if by_flag else ()
    for name, words in commands(*flags).items():
        ended = market.program(*words)
        assert ended.returncode in (0, 10, 11), (name, ended.stderr)
        assert not ended.stdout.isascii(), name
        for english in ENGLISH:
            said = ended.stdout + ended.stderr
            assert english not in said, (name, english, said)
    told = json.loads(market.program("status", "job.toml", "--json", *flags).stdout)
    (batch,) = told["batches"]
    outcomes = {"succeeded", "pending", "rejected", "duplicate", "held"}
    assert set(batch["outcomes"]) == outcomes


@pytest.mark.parametrize("language", ["ja", "th"])
def test_what_is_explained_is_in_the_language(market: Market, language: str) -> None:
    """What it says, means and advises, and an example in words; what is typed as it is typed."""
    for code, example in (
        ("number-format", 'amount = "(100.00)"'),
        ("exit-10", ""),
        ("held", ""),
    ):
        told = market.program("explain", code, "--lang", language)
        lines = [line for line in told.stdout.splitlines() if line.startswith("  ")]
        assert told.returncode == 0 and lines
        english = [
            line for line in lines if re.search("[a-z]{2,} [a-z]{3,} [a-z]", line)
        ]
        assert english == [], english
        assert example in told.stdout


REFUSED = (
    (64, "resolve", "--lift-stop"),
    (64, "resolve", "99999", "--cancel"),
    (64, "resolve", "no batch", "--cancel", "--row", "2"),
    (64, "resolve", "BATCH", "--cancel", "--row", "99"),
    (64, "resolve", "BATCH", "--cancel", "--row", "2", "--sheet", "none"),
    (64, "resolve", "BATCH", "--cancel", "--row", "2"),
    (64, "resolve", "BATCH", "--cancel"),
    (64, "resolve", "00001", "--cancel"),
    (64, "resolve", "99999", "--as", "not-charged"),
    (64, "resolve", "00001", "--as", "not-charged"),
    (64, "resolve", "00005", "--as", "not-charged"),
    (64, "resolve", "00005", "--as", "charged:none"),
    (64, "resolve", "--not-ours", "chrg_test_0000000000000000000"),
)


@pytest.mark.parametrize("language", ["ja", "th"])
def test_why_a_word_is_not_taken_is_in_the_language(
    market: Market, language: str
) -> None:
    """Beside the ids and the commands no English sentence; programs read the English one."""
    prepared(market, language)
    market.program("run", "job.toml")
    batch = next((market.folder / "reports").glob("2*-*")).name
    for code, verb, *words in REFUSED:
        given = [batch if word == "BATCH" else word for word in words]
        told = market.program(verb, "job.toml", *given, "--reason", "seen")
        assert told.returncode == code, told
        assert not told.stderr.isascii(), told.stderr
        said = re.sub(r"batchpay [a-z]+ job\.toml", "", told.stderr)
        english = re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", said)
        assert english == [], told.stderr
    told = market.program("status", "job.toml", "99999")
    assert (told.returncode, told.stderr.isascii()) == (64, False)


def test_in_english_it_is_as_it_was(market: Market) -> None:
    """What people and their scripts know."""
    prepared(market, "en")
    said = {name: market.program(*words) for name, words in commands().items()}
    assert "orders.csv: 5 rows, 1 rejected, 2 repeated" in said["check"].stdout
    assert "would charge 2 orders, 206.50 THB" in said["plan"].stdout
    assert "not sent, 1 row rejected: amount: found 'x'" in said["plan"].stdout
    assert "order 00005 (row 4) is pending since 20" in said["status"].stdout
    assert "attempt 1: 105.25 THB from card *0005 for recp" in said["story"].stdout
    assert said["resolve"].stdout == (
        "order 00007 is cancelled: it will never be sent\n"
    )
