"""The limiter: even, never above the limit in any rolling window, and polite when told to slow down."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.pacing import BACKOFF_MAX_S, FLOOR, Breaker, Pacer, backoff_s, retry_after_s


def run(pacer: Pacer, seconds: float, delays: list[float] | None = None, start_s: float = 1000.0) -> list[float]:
    """Times at which requests leave when somebody always wants to send; `delays` between permit and first byte."""
    now_s, left, pending, count = start_s, [], [], 0
    while now_s < start_s + seconds:
        due = sorted(at for at in pending if at <= now_s)
        for at in due:
            pending.remove(at)
            pacer.left(at)
            left.append(at)
        wait_s = pacer.wait_s(now_s)
        if wait_s <= 0:
            pacer.permit(now_s)
            pending.append(now_s + (delays[count % len(delays)] if delays else 0.0))
            count += 1
        else:
            now_s = min([now_s + wait_s, *pending])
            now_s += 1e-7
    return left


def most_in_window(times: list[float], window_s: float) -> int:
    """The most requests in any rolling window."""
    times, first, most = sorted(times), 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("rate, window_s", [(8, 1.0), (100, 1.0), (1000, 1.0), (900, 60.0), (1, 1.0)])
def test_the_agreed_rate_is_used_and_never_exceeded(rate: int, window_s: float) -> None:
    """At least 99 % of it over a while, at most all of it in any window."""
    seconds = max(20.0, window_s * 3)
    times = run(Pacer(rate, window_s, 1), seconds)
    assert most_in_window(times, window_s) <= rate
    assert len(times) >= 0.99 * rate / window_s * seconds - 1


@settings(max_examples=60, deadline=None)
@given(
    rate=st.integers(1, 30),
    burst=st.integers(1, 30),
    delays=st.lists(st.floats(0, 0.7), min_size=1, max_size=7),
    earlier=st.lists(st.floats(998, 1000), max_size=40),
)
def test_no_window_is_ever_exceeded_whatever_the_delays(
    rate: int, burst: int, delays: list[float], earlier: list[float]
) -> None:
    """Slow commits bunch nothing up; a burst stays inside the window; requests of a killed run count."""
    before = sorted(earlier)[-rate:]
    times = run(Pacer(rate, 1.0, min(burst, rate), earlier), 5.0, delays)
    assert most_in_window(times, 1.0) <= rate
    assert most_in_window([*before, *times], 1.0) <= max(rate, most_in_window(before, 1.0))


def test_requests_are_spread_evenly() -> None:
    """Not 8 at once and then a wait."""
    times = run(Pacer(8, 1.0, 1), 5.0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 2 * min(gaps)


@pytest.mark.parametrize(("rate", "late_s"), [(1000, 0.004), (100, 0.004)])
def test_late_timers_lose_nothing_of_the_rate(rate: int, late_s: float) -> None:
    """Sleepers wake later than they asked, every time: what that lost is caught up, inside the window."""
    pacer, now_s, times = Pacer(rate, 1.0, 1), 0.0, []
    while now_s < 10.0:
        if (wait_s := pacer.wait_s(now_s)) > 0:
            now_s += wait_s + late_s
            continue
        pacer.permit(now_s)
        pacer.left(now_s)
        times.append(now_s)
    assert len(times) / now_s >= 0.98 * rate
    assert most_in_window(times, 1.0) <= rate


@pytest.mark.parametrize("rate", [17, 100, 1000])
def test_an_idle_time_is_lost(rate: int) -> None:
    """After a minute without requests they do not come all at once."""
    pacer, times = Pacer(rate, 1.0, 1), []
    pacer.permit(0.0)
    pacer.left(0.0)
    for step in range(100):
        now_s = 60.0 + step / 10_000
        while pacer.wait_s(now_s) <= 0:
            pacer.permit(now_s)
            pacer.left(now_s)
            times.append(now_s)
    assert len(times) <= 2 + rate * 0.06


@pytest.mark.fault("B19")
@pytest.mark.parametrize("header", ["", "-1", "0", "1e9", "999999999", "Thu, 01 Jan 1970 00:00:00 GMT", "soon", "１２"])
def test_an_absurd_retry_after_is_no_retry_after(header: str) -> None:
    """What cannot be meant is not obeyed."""
    assert retry_after_s(header) is None


def test_a_429_halves_once_per_wait_and_recovers() -> None:
    """Eight refusals of one moment are one message."""
    pacer = Pacer(100, 1.0, 1)
    for _ in range(8):
        pacer.throttled(1000.0, 2.0, 0.5)
    assert pacer.share(1000.0) == 0.5
    assert pacer.wait_s(1000.5) == pytest.approx(1.5)
    pacer.answered()
    assert pacer.share(1002.0 + 5.1) == pytest.approx(0.6)
    assert pacer.share(1002.0 + 60) == 1.0


def test_the_rate_has_a_floor() -> None:
    """Ten minutes of 429 leave a tenth of the rate, one request at a time."""
    pacer = Pacer(100, 1.0, 1)
    now_s = 1000.0
    for _ in range(30):
        now_s += pacer.throttled(now_s, None, 1.0) + 0.1
    assert pacer.share(now_s - 1) == FLOOR
    assert pacer.wait_s(now_s) == 0
    pacer.permit(now_s)
    assert pacer.wait_s(now_s) > 0


@given(st.integers(1, 1000), st.floats(0, 1))
def test_backoff_is_bounded_full_jitter(failures: int, jitter: float) -> None:
    """Between nothing and the doubled wait, never more than a minute."""
    assert 0 <= backoff_s(failures, jitter) <= BACKOFF_MAX_S


@pytest.mark.fault("B35")
def test_five_non_answers_pause_and_the_fourth_trip_gives_up() -> None:
    """Three pauses; requests that were already on their way do not count twice."""
    breaker, now_s = Breaker(30.0), 0.0
    for pauses in range(1, 4):
        for _ in range(5):
            assert not breaker.open
            breaker.silent(now_s)
        breaker.silent(now_s)
        assert breaker.paused_until_s == now_s + 30, pauses
        now_s += 31
    breaker.silent(now_s)
    breaker.answered()
    for _ in range(5):
        assert not breaker.open
        breaker.silent(now_s)
    assert breaker.open


def test_the_gateways_own_count_is_heeded_within_bounds() -> None:
    """Few requests left until its window ends are spread over it; an absurd count never stops a run."""

    def sent_within(seconds: float, remaining: int, reset_in_s: float) -> int:
        pacer, now_s, sent = Pacer(10, 1.0, 1), 0.0, 0
        pacer.advised(now_s, remaining, reset_in_s)
        while now_s < seconds:
            wait_s = pacer.wait_s(now_s)
            if wait_s <= 0:
                pacer.permit(now_s)
                pacer.left(now_s)
                sent += 1
            now_s += max(wait_s, 0.001)
        return sent

    assert sent_within(20, 900, 30) >= 198
    assert 50 <= sent_within(20, 50, 20) <= 52
    assert 19 <= sent_within(20, 0, 20) <= 22
    assert sent_within(20, 0, 1e9) >= 198
    assert sent_within(20, 0, -5) >= 198
