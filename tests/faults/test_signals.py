"""Signals, terminals and pipes: whatever goes away around a run, its money and its books stay
right.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from batchpay.batches.signals import Signals
from batchpay.domain.errors import TryLater
from tests.doses import FULL
from tests.machine import (
    end,
    journal_events,
    nothing_left_without_an_intent,
    settles,
    wait_for,
)
from tests.world import KEY, Market, order

STEP_S = 0.05


def started(market: Market, *flags: str, **how: object) -> subprocess.Popen[bytes]:
    words, given = market.command("run", "job.toml", *flags)
    return subprocess.Popen(words, **{**given, "stdin": subprocess.DEVNULL, **how})  # type: ignore[call-overload]


def moments() -> list[float]:
    """Every 50 ms of a run; a spread of them without BATCHPAY_SWEEP."""
    every = [number * STEP_S for number in range(1, 41)]
    return every if FULL else every[5::11]


@pytest.mark.fault("F01", "I1", "I4", "I15")
def test_sigterm_at_any_moment_ends_well(market: Market) -> None:
    """75 with a sentence, or the end it would have had; too early to be handled, as a kill."""
    rows: list[dict[str, str]] = []
    market.job(rate="40/s")
    interrupted = 0
    for number, moment in enumerate(moments()):
        rows = [order(n) for n in range(8 * (number + 1))]
        market.orders(rows, f"orders-{number}.csv")
        market.job(rate="40/s", file=f"orders-{number}.csv")
        with started(
            market, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            time.sleep(moment)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
        assert process.returncode in (0, 11, 75, -signal.SIGTERM), (
            moment,
            process.returncode,
            err,
        )
        assert b"Traceback" not in err, (moment, err)
        interrupted += process.returncode == 75
        nothing_left_without_an_intent(market)
    assert interrupted > 0
    result = market.run()
    assert result.returncode == 0, result
    assert market.money() == dict.fromkeys((row["order_id"] for row in rows), 1)
    posts = market.posts()
    assert market.run().returncode == 0 and market.posts() == posts


@pytest.mark.fault("F01", "I15")
def test_grace_shortens_the_wait_and_leaves_doubt(market: Market) -> None:
    """An answer that takes ten seconds is not waited for; the next run finds the charge."""
    rows = [order(number) for number in range(6)]
    market.orders(rows)
    market.job(timeout="30s")
    market.sandbox.add_rule(wait_after_s=10, order_id="00002", times=1)
    with started(
        market, "--grace", "0.2", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        wait_for(lambda: market.posts() >= 3)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 75 and time.monotonic() - began < 8, err
    market.job()
    settles(market, rows)


def on_a_terminal(market: Market) -> tuple[subprocess.Popen[bytes], int]:
    """The program with a terminal of its own; returns the master's descriptor."""
    master, slave = pty.openpty()
    process = started(
        market, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    return process, master


def drained(master: int) -> bytes:
    """All that was written to a terminal until its other end closed."""
    said = b""
    try:
        while part := os.read(master, 65536):
            said += part
    except OSError:
        pass  # Linux's way to say that nobody has the other end any more
    return said


@pytest.mark.fault("F02", "I15")
@pytest.mark.parametrize("times", [1, 2])
def test_sigint_once_ends_well_and_twice_at_once(market: Market, times: int) -> None:
    """Once: what is under way may end. Twice: 75 at once; what was under way is in doubt, and found
    later.
    """
    rows = [order(number) for number in range(10)]
    market.orders(rows)
    market.job(rate="20/s", timeout="20s")
    market.sandbox.add_rule(wait_after_s=3, order_id="00002", times=1)
    process, master = on_a_terminal(market)
    try:
        wait_for(lambda: market.posts() >= 4)
        began = time.monotonic()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        said = drained(master)
        assert process.wait(30) == 75, said
        assert b"Traceback" not in said
        if times == 2:
            assert time.monotonic() - began < 2.5
            assert b"run the same command again" in said
    finally:
        os.close(master)
        process.kill()
        process.wait()
    nothing_left_without_an_intent(market)
    market.job()
    settles(market, rows)


@pytest.mark.fault("F03", "I15")
def test_a_closed_terminal_is_a_request_to_end(market: Market) -> None:
    """The connection is cut: SIGHUP, a terminal that takes no more output, and still the journal
    and the reports.
    """
    rows = [order(number) for number in range(30)]
    market.orders(rows)
    market.job(rate="20/s")
    master, slave = pty.openpty()
    words, how = market.command("run", "job.toml")
    take = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", take, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        **how,
    )
    os.close(slave)
    try:
        wait_for(lambda: market.posts() >= 3)
        os.close(master)
        assert process.wait(30) == 75
    finally:
        process.kill()
        process.wait()
    assert market.outcomes()["held"] > 0
    settles(market, rows)


@pytest.mark.fault("F04", "I14")
@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ('exec "$@" <&- >&- 2>&-', 0),
        ('{ "$@" 2>&1; exit $?; } | head -n 1; exit ${PIPESTATUS[0]}', 0),
        ('exec "$@" >/dev/full 2>&1', 74),
    ],
    ids=["closed", "a reader of one line", "a full disk"],
)
def test_streams_that_take_nothing_change_nothing(
    market: Market, shell: str, code: int
) -> None:
    """The money and the reports are those of a run that is read, and so is the exit code, but for
    a summary that was asked for and is lost.
    """
    rows = [order(number) for number in range(12)]
    market.orders(rows)
    market.job(rate="100/s")
    words, how = market.command("run", "job.toml", "--summary")
    done = end(market, ["bash", "-c", shell, "bash", *words], how)
    assert done.returncode == code, done
    assert len(market.money()) == 12
    settles(market, rows)


@pytest.mark.fault("F04")
def test_a_reader_that_never_reads_holds_nobody_else_up(market: Market) -> None:
    """Its pipe is full from the start: all is paid and reported, and the lock is free, before
    anything is printed.
    """
    rows = [order(number) for number in range(12)]
    market.orders(rows)
    market.job(rate="100/s")
    out, into = os.pipe()
    os.set_blocking(into, False)
    with suppress(BlockingIOError):
        while True:
            os.write(into, b"x" * 4096)
    os.set_blocking(into, True)
    with started(market, "--summary", stdout=into, stderr=into) as process:
        try:
            wait_for(
                lambda: (
                    len(market.results()) == 12
                    and (market.folder / "reports").glob("*/manifest.json") != []
                )
            )
            wait_for(lambda: market.run().returncode == 0)
            settles(market, rows)
            os.set_blocking(out, False)
            # it waits for its reader, as any tool that prints
            assert process.poll() is None
            with suppress(BlockingIOError):
                while os.read(out, 65536):
                    pass
            assert process.wait(15) == 0
        finally:
            process.kill()
            os.close(into)
            os.close(out)


@pytest.mark.fault("F06", "C02", "I4")
def test_a_stopped_process_goes_on_and_reads_what_waited(market: Market) -> None:
    """SIGSTOP for longer than the send window, then SIGCONT: answers that waited are kept, nothing
    is in doubt.
    """
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    market.job(rate="20/s", timeout="10s")
    with started(market, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for count in (3, 10):
            wait_for(lambda count=count: market.posts() >= count)  # type: ignore[misc]
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
    # 11: voided three times, so left to the next run
    assert process.returncode in (0, 11) and err == b"", (
        out,
        err,
    )
    kinds = [
        (kind, data.get("verdict"))
        for kind, _, data in journal_events(market.folder / "state")
    ]
    assert ("answer", "in_doubt") not in kinds, kinds
    settles(market, rows)


@pytest.mark.fault("F09", "I12")
def test_umask_0_and_nothing_in_the_environment(market: Market) -> None:
    """As cron starts it, with closed descriptors: the same money, and the state is nobody else's to
    read.
    """
    rows = [order(number) for number in range(4)]
    market.orders(rows)
    market.job()
    words, how = market.command("run", "job.toml")
    how["env"] = {"OMISE_SECRET_KEY": KEY}
    script = ["/bin/sh", "-c", 'umask 0; exec "$@" <&-', "sh", *words]
    done = end(market, ["/usr/bin/setsid", "--wait", *script], how)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    state = market.folder / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    for path in (*state.iterdir(), *(market.folder / "reports").rglob("*.*")):
        assert path.stat().st_mode & 0o777 == 0o600, path
    settles(market, rows)


@pytest.mark.fault("F01")
def test_a_signal_that_a_library_takes_for_its_own_error_is_still_a_request_to_end() -> (
    None
):
    """What the handler raises inside a library may come out as anything, or not at all."""
    with pytest.raises(TryLater, match="SIGTERM"), Signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        except TryLater:
            raise TypeError("unexpected argument") from None
    told: list[str] = []
    with Signals() as signals:
        with suppress(TryLater):
            signal.raise_signal(signal.SIGTERM)
        signals.call(told.append)
    assert told == ["SIGTERM"]
