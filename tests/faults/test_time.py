"""Clocks that are wrong or jump, days between two runs, midnight and summer time, a machine that
slept.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer
from tests.machine import (
    FAKETIME,
    needs_faketime,
    nothing_left_without_an_intent,
    sampled,
    settles,
    wait_for,
)
from tests.world import Market, order

STILL = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


def clock(**how: str) -> dict[str, str]:
    """The environment that gives a process another wall clock, and leaves what counts seconds
    alone.
    """
    return {"LD_PRELOAD": str(FAKETIME), **STILL, **how}


@needs_faketime
@pytest.mark.fault("C04")
@pytest.mark.parametrize("shift", sampled("+10m", "-20y", more=["-10m", "+3y"]))
def test_a_clock_that_is_wrong_at_the_start_is_78(market: Market, shift: str) -> None:
    """More than five minutes off the gateway's Date: nothing is sent, and it says which way."""
    rows = [order(number) for number in range(3)]
    market.orders(rows)
    market.job()
    wrong = market.run(**clock(FAKETIME=shift))
    assert wrong.returncode == 78 and "clock" in wrong.stderr, wrong
    assert ("ahead of" if shift[0] == "+" else "behind") in wrong.stderr
    assert market.posts() == 0
    settles(market, rows)


@needs_faketime
@pytest.mark.fault("C01", "I11")
@pytest.mark.parametrize(
    "jump", sampled("-1h", "@2040-01-01 00:00:00", more=["+1d", "@1970-01-02 00:00:00"])
)
def test_a_clock_that_jumps_in_mid_run_changes_nothing(
    market: Market, jump: str
) -> None:
    """No order waits or hurries, none is lost or late, and no time in a report is the wrong one."""
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    path = market.job(rate="20/s", timeout="30s")
    path.write_text(
        path.read_text().replace('send_window  = "1s"', 'send_window  = "20s"')
    )
    now = market.folder / "now"
    now.write_text("+0\n")
    words, how = market.command(
        "run", "job.toml", **clock(FAKETIME_TIMESTAMP_FILE=str(now))
    )
    began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    ) as process:
        wait_for(lambda: market.posts() >= 4)
        now.write_text(f"{jump}\n")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    ended = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert all(
        began <= row["sent_at"] <= row["settled_at"] <= ended
        for row in market.results()
    )
    settles(market, rows)


@contextmanager
def gateway(
    ledger: Path, *rules: dict[str, str], environ: dict[str, str]
) -> Iterator[str]:
    """A sandbox in a process of its own, so that it can live at another time; gives its URL."""
    faults = ledger.with_name("faults.json")
    faults.write_text(json.dumps(rules))
    words, how = Market(ledger.parent, SandboxServer()).command(
        "sandbox", "--port", "0", "--ledger", str(ledger)
    )
    how["env"] |= environ
    with subprocess.Popen(
        [*words, "--script", str(faults)], stdout=subprocess.PIPE, text=True, **how
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[0]
        finally:
            process.terminate()


@needs_faketime
@pytest.mark.fault("C05", "A08", "I1", "I15")
@pytest.mark.parametrize("ago", sampled("25h", more=["8d"]))
def test_taken_up_again_after_days_it_looks_over_the_whole_gap(
    tmp_path: Path, ago: str
) -> None:
    """Killed when the gateway had charged and not yet answered: the charge is found, not made
    again.
    """
    rows = [order(number) for number in range(6)]
    ledger = tmp_path / "ledger.json"
    then = clock(FAKETIME=f"-{ago}")
    market = Market(tmp_path, SandboxServer())
    market.orders(rows)
    with gateway(
        ledger, {"action": "hang_after", "order_id": "00003"}, environ=then
    ) as url:
        market.job(url=url, timeout="30s")
        words, how = market.command("run", "job.toml", **then)
        with subprocess.Popen(words, **how) as process:
            wait_for(lambda: ledger.exists() and "INV-3" in ledger.read_text())
            time.sleep(1)
            assert process.poll() is None
            process.kill()
    with SandboxServer(ledger_path=ledger) as later:
        made = {charge["id"] for charge in later.charges()}
        assert len(made) >= 1
        market.sandbox = later
        market.job()
        settled = [market.run(), market.run()]
        assert settled[-1].returncode == 0, settled
        assert made <= {row["charge_id"] for row in market.results()}
        assert market.money() == dict.fromkeys((row["order_id"] for row in rows), 1)
        market.agree(rows)


@needs_faketime
@pytest.mark.fault("C03", "C06")
@pytest.mark.parametrize(
    ("zone", "at"),
    sampled(
        ("Asia/Bangkok", "2026-10-31 23:59:57"),
        more=[
            ("Europe/Berlin", "2026-10-25 00:59:57"),
            ("America/New_York", "2027-03-14 06:59:57"),
            ("Australia/Sydney", "2028-02-29 23:59:57"),
        ],
    ),
)
def test_midnight_and_summer_time_make_no_second_batch(
    tmp_path: Path, zone: str, at: str
) -> None:
    """UTC inside: a run across the end of a day, a month or an hour that comes twice is one
    batch.
    """
    rows = [order(number) for number in range(6)]
    seconds = int(
        (
            datetime.fromisoformat(at).replace(tzinfo=UTC) - datetime.now(UTC)
        ).total_seconds()
    )
    then = clock(FAKETIME=f"{seconds:+d}s", TZ=zone)
    market = Market(tmp_path, SandboxServer())
    market.orders(rows)
    ledger = tmp_path / "ledger.json"
    with gateway(ledger, environ=then) as url:
        market.job(url=url, rate="1/s")
        first = market.run(**then)
        again = market.run(**then)
    assert (first.returncode, again.returncode) == (0, 0), (first, again)
    assert len(market.reports()) == 1
    days = {row["sent_at"][:10] for row in market.results()}
    assert min(days) >= at[:10], days
    with SandboxServer(ledger_path=ledger) as later:
        market.sandbox = later
        market.agree(rows)


@pytest.mark.fault("C02", "I4", "I15")
def test_a_process_that_slept_between_intent_and_byte_voids_the_intent(
    market: Market,
) -> None:
    """Stopped again and again at random places for longer than the send window: nothing leaves
    late, all is paid.
    """
    rows = [order(number) for number in range(12)]
    market.orders(rows)
    market.job(rate="20/s", timeout="10s")
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how
    ) as process:
        wait_for(lambda: market.posts() >= 1)
        for number in range(3):
            time.sleep(0.11 + 0.013 * number)
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(1.3)  # the send window is one second
            os.kill(process.pid, signal.SIGCONT)
        out, err = process.communicate(timeout=60)
    # 11: voided three times, so left to the next run
    assert process.returncode in (0, 11) and err == b"", (
        out,
        err,
    )
    nothing_left_without_an_intent(market)
    settles(market, rows)
