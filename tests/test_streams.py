"""Standard streams that are closed, full or gone: the run goes on, and the exit code stays what the
outcomes say.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import typed
from tests.world import Market, order


def few(market: Market) -> None:
    """Orders of which every second is rejected, so that there is much to say."""
    market.orders(
        [
            order(number, **({"amount": "x"} if number % 2 else {}))
            for number in range(8)
        ]
    )
    market.job()


@pytest.mark.fault("F04")
@pytest.mark.parametrize(
    "command",
    ["check job.toml", "check job.toml --json", "plan job.toml --json", "run job.toml"],
)
def test_a_reader_that_goes_away_changes_nothing(market: Market, command: str) -> None:
    """The exit code is that of the outcomes, and nothing is said about the pipe."""
    few(market)
    done = typed.line(
        market, "bash", f'batchpay {command} 2>err | true; echo "${{PIPESTATUS[0]}}"'
    )
    assert done.stdout == "10\n"
    assert "pipe" not in (market.folder / "err").read_text().lower()


@pytest.mark.fault("F04", "F09")
def test_closed_streams_do_not_stop_a_run(market: Market) -> None:
    """Without stdin, stdout and stderr it charges, writes reports and keeps its journal whole."""
    few(market)
    assert (
        typed.line(market, "bash", "batchpay run job.toml <&- >&- 2>&-").returncode
        == 10
    )
    assert market.posts() == 4
    assert market.outcomes() == {"succeeded": 4, "rejected": 4}
    assert (
        typed.line(market, "bash", "batchpay run job.toml <&- >&- 2>&-").returncode
        == 10
    )
    market.agree()
    assert typed.line(market, "bash", "batchpay check job.toml >&-").returncode == 10
    assert typed.line(market, "bash", "batchpay nonsense 2>&-").returncode == 64


@pytest.mark.fault("F04")
@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)
def test_a_result_that_cannot_be_printed_is_told(market: Market) -> None:
    """74 when all else is well, and all else is done; what is worse stays; a run that had nothing
    to say does not notice.
    """
    market.orders([order(1)])
    market.job()
    full = typed.line(market, "bash", "batchpay plan job.toml --json >/dev/full")
    assert (full.returncode, "cannot be printed" in full.stderr) == (74, True)
    assert (
        typed.line(market, "bash", "batchpay run job.toml >/dev/full").returncode == 0
    )
    market.orders([order(1), order(3)])
    for verb in ("run job.toml", "settle job.toml", "report job.toml"):
        full = typed.line(market, "bash", f"batchpay {verb} --json >/dev/full")
        assert (full.returncode, "cannot be printed" in full.stderr) == (74, True), verb
        market.agree()
    full = typed.line(market, "bash", "batchpay run job.toml --summary >/dev/full")
    assert full.returncode == 74
    gone = typed.line(
        market, "bash", "batchpay run job.toml --json | true; exit ${PIPESTATUS[0]}"
    )
    assert gone.returncode == 0, "a reader that has gone is nobody's trouble"
    market.orders([order(1), order(2, amount="x")])
    assert (
        typed.line(market, "bash", "batchpay run job.toml --json >/dev/full").returncode
        == 10
    )
    market.agree()


def test_a_locale_that_lacks_letters_loses_no_line(market: Market) -> None:
    """Thai in a message is shown as escapes where the terminal cannot show it."""
    market.orders([order(1, amount="๑๒๓")])
    market.job()
    done = typed.line(
        market, "bash", "batchpay check job.toml", PYTHONIOENCODING="ascii"
    )
    assert done.returncode == 10
    assert r"found '\u0e51\u0e52\u0e53' (number-format); use 0-9" in done.stdout


@pytest.mark.fault("F09")
def test_a_cron_line_without_anything(market: Market) -> None:
    """No HOME, no locale, no PATH, umask 0, a foreign folder: same results, and nobody else can
    write or read them.
    """
    market.orders([order(1)])
    path = market.job()
    words, how = market.command("run", str(path))
    bare = {"OMISE_SECRET_KEY": how["env"]["OMISE_SECRET_KEY"]}
    done = subprocess.run(
        words,
        cwd="/",
        env=bare,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        umask=0,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    made = [
        path
        for top in ("state", "reports")
        for path in (market.folder / top).rglob("*")
    ]
    assert made
    for one in [*made, market.folder / "state", market.folder / "reports"]:
        forbidden = 0o022 if one.is_dir() else 0o077
        assert one.stat().st_mode & forbidden == 0, (one, oct(one.stat().st_mode))
    market.agree()
