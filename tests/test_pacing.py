"""The limiter: even, never above the limit in any rolling window, and polite when told to slow
down.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay.domain.model import Answer
from batchpay.settlement import Channel
from batchpay.settlement.pacing import (
    BACKOFF_MAX_S,
    FLOOR,
    Breaker,
    Pacer,
    backoff_s,
    http_date,
    retry_after_s,
)
from tests.world import Market, order


def run(
    pacer: Pacer,
    seconds: float,
    delays: list[float] | None = None,
    start_s: float = 1000.0,
) -> list[float]:
    """Times at which requests leave when somebody always wants to send; `delays` between permit and
    first byte.
    """
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


@pytest.mark.parametrize(
    "rate, window_s",
    [(8, 1.0), (50, 1.0), (51, 1.0), (100, 1.0), (1000, 1.0), (900, 60.0), (1, 1.0)],
)
def test_the_agreed_rate_is_used_and_never_exceeded(rate: int, window_s: float) -> None:
    """At least 99 % of it over a while, at most all of it in any window."""
    seconds = max(20.0, window_s * 3)
    times = run(Pacer(rate, window_s, 1), seconds)
    assert most_in_window(times, window_s) <= rate
    few = rate <= 50 and window_s == 1.0  # lateness is given more room then
    assert len(times) >= (0.955 if few else 0.99) * rate / window_s * seconds - 1
    assert not few or len(times) <= 0.965 * rate * seconds + 1


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
    """Slow commits bunch nothing up; a burst stays inside the window; requests of a killed run
    count.
    """
    before = sorted(earlier)[-rate:]
    times = run(Pacer(rate, 1.0, min(burst, rate), earlier), 5.0, delays)
    assert most_in_window(times, 1.0) <= rate
    assert most_in_window([*before, *times], 1.0) <= max(
        rate, most_in_window(before, 1.0)
    )


@pytest.mark.parametrize("rate", [1, 8, 49, 50])
def test_where_there_are_few_a_busy_gateway_may_note_one_late(rate: int) -> None:
    """Each by up to 40 ms, and the next at once: still no window has more."""
    times = run(Pacer(rate, 1.0, 1), 10.0)
    for first in range(rate):
        noted = [
            at + (0.0399 if number % rate == first else 0.0)
            for number, at in enumerate(times)
        ]
        assert most_in_window(noted, 1.0) <= rate


def test_the_first_request_keeps_its_distance_from_the_last_of_an_earlier_run() -> None:
    """An interval, as between any two."""
    assert Pacer(8, 1.0, 1, [1000.0]).wait_s(1000.0) == pytest.approx(1.04 / 8)
    assert Pacer(8, 1.0, 1, [999.0]).wait_s(1000.0) == 0


def test_requests_are_spread_evenly() -> None:
    """Not 8 at once and then a wait."""
    times = run(Pacer(8, 1.0, 1), 5.0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 2 * min(gaps)


@pytest.mark.parametrize(("rate", "late_s"), [(1000, 0.004), (100, 0.004)])
def test_late_timers_lose_nothing_of_the_rate(rate: int, late_s: float) -> None:
    """Sleepers wake later than they asked, every time: what that lost is caught up, inside the
    window.
    """
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


@pytest.mark.parametrize("rate", [1, 8, 17, 50, 51, 100, 1000])
@pytest.mark.parametrize(
    "stall_s", [0.001, 0.004, 0.006, 0.035, 0.039, 0.041, 0.2, 0.9, 3.0]
)
def test_a_stall_is_not_followed_by_a_burst(rate: int, stall_s: float) -> None:
    """A process that was held up sends what a late timer may catch up, not all that it missed; no
    window has more.
    """
    pacer, now_s, times = Pacer(rate, 1.0, 1), 1000.0, []

    def send_all() -> int:
        before = len(times)
        while pacer.wait_s(now_s) <= 0:
            pacer.permit(now_s)
            pacer.left(now_s)
            times.append(now_s)
        return len(times) - before

    for _ in range(5):
        for _ in range(min(2 * rate, 300)):
            send_all()
            now_s += pacer.wait_s(now_s) + 1e-7
        now_s += stall_s
        assert send_all() <= 1 + max(1, 0.005 * rate if stall_s <= 0.005 else 0)
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
@pytest.mark.parametrize(
    "header",
    [
        "",
        "-1",
        "0",
        "1e9",
        "999999999",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "soon",
        "１２",
    ],
)
def test_an_absurd_retry_after_is_no_retry_after(header: str) -> None:
    """What cannot be meant is not obeyed."""
    assert retry_after_s(header, NOON_S) is None


NOON_S = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.fault("J34", "B19")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1", 1),
        ("9", 9),
        (" 9\t", 9),
        ("3600", 3600),
        ("3601", None),
        ("00009", 9),
        ("000009", None),
        ("Wed, 01 Jul 2026 12:00:09 GMT", 9),
        ("Wednesday, 01-Jul-26 12:00:09 GMT", 9),
        ("Wed Jul  1 12:00:09 2026", 9),
        ("Wed, 01 Jul 2026 13:00:00 GMT", 3600),
        ("Wed, 01 Jul 2026 13:00:01 GMT", None),
        ("Wed, 01 Jul 2026 12:00:00 GMT", None),
        ("Wed, 01 Jul 2026 11:59:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Wed, 32 Jul 2026 12:00:09 GMT", None),
        ("Wed, 01 Jul 2026", None),
        ("9.5", None),
        ("+9", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_by_the_gateways_clock(
    header: str, seconds: float | None
) -> None:
    """All forms of a date that HTTP has; more than an hour, or a time that is over, is not
    obeyed.
    """
    assert retry_after_s(header, NOON_S) == seconds


def test_a_date_without_a_zone_is_utc_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """asctime's form has none; what is no date is None."""
    assert http_date("Sun Nov  6 08:49:37 1994") == datetime(
        1994, 11, 6, 8, 49, 37, tzinfo=UTC
    )
    assert http_date("Sun, 06 Nov 1994 15:49:37 +0700") == datetime(
        1994, 11, 6, 8, 49, 37, tzinfo=UTC
    )
    assert [
        http_date(text) for text in ("", "soon", "Sun, 06 Nov 1994", "99999999999")
    ] == [None] * 4


# --- what an answer says, as the line hears it


class HandClock:
    """A clock that a test moves."""

    boot_id = "one boot"
    at_s = 1000.0

    def elapsed_s(self) -> float:
        """Where the hand stands."""
        return self.at_s

    def now_ns(self) -> int:
        """Noon, when it stands where it begins."""
        return int((NOON_S + self.at_s - 1000.0) * 1e9)


def heard(answers: list[Answer]) -> tuple[Pacer, HandClock]:
    """The limiter of ten a second after a line heard these answers, a second apart, and the clock
    of both.
    """
    clock, pacer = HandClock(), Pacer(10, 1.0, 1)
    line = Channel(clock, pacer, Breaker(30.0), lambda: None)

    async def hear() -> None:
        for answer in answers:

            async def request(
                leaving: Callable[[], bool], answer: Answer = answer
            ) -> Answer:
                assert leaving()
                return answer

            clock.at_s += 1.0
            assert await line.permit()
            await line.send(request)

    asyncio.run(hear())
    return pacer, clock


@pytest.mark.fault("J34")
@pytest.mark.parametrize("ahead_s", [-250, 0, 250])
def test_a_date_is_taken_by_the_clock_that_told_it(ahead_s: int) -> None:
    """The gateway's clock may be some minutes off ours: nine seconds of its time are nine of
    ours.
    """
    theirs_s = NOON_S + ahead_s
    told = {
        "date": formatdate(theirs_s, usegmt=True),
        "retry_after": formatdate(theirs_s + 9, usegmt=True),
    }
    pacer, clock = heard([Answer(out=True, status=429, **told)])
    assert pacer.wait_s(clock.elapsed_s()) == pytest.approx(9)


@pytest.mark.fault("J34")
def test_a_date_without_another_to_compare_it_with_is_taken_by_our_clock() -> None:
    """A proxy may have dropped the Date."""
    pacer, clock = heard(
        [Answer(out=True, status=429, retry_after=formatdate(NOON_S + 10, usegmt=True))]
    )
    assert pacer.wait_s(clock.elapsed_s()) == pytest.approx(9)


@pytest.mark.fault("J34")
def test_a_run_waits_until_the_date_that_it_is_told(market: Market) -> None:
    """The true program, and a gateway whose clock is three minutes ahead."""
    market.sandbox.set_clock(180)
    until_s = market.sandbox.store.clock_s() + 6
    market.sandbox.add_rule(
        action="rate_limited", times=1, retry_after=formatdate(until_s, usegmt=True)
    )
    rows = [order(number) for number in range(2)]
    market.orders(rows)
    market.job()
    assert market.run().returncode == 0
    refused, *others = market.sandbox.requests("POST", "/charges")
    at_s = datetime.fromisoformat(refused.time).timestamp() + 180
    assert refused.status == 429 and at_s < until_s - 2, (
        "the machine was too slow for this test"
    )
    assert others[0].at - refused.at >= until_s - 1 - at_s
    market.agree(rows)


@pytest.mark.parametrize(
    ("told", "slow"),
    [
        ({"remaining": "0", "reset": "30"}, True),
        ({"remaining": "0", "reset": "1000000000"}, False),
        ({"remaining": "0"}, False),
        ({"reset": "30"}, False),
        ({"remaining": "²", "reset": "30"}, False),
        ({"remaining": "0", "reset": "3²"}, False),
        ({"remaining": "-1", "reset": "30"}, False),
        ({"remaining": "9" * 13, "reset": "30"}, False),
        ({"remaining": "0", "reset": "30", "status": "500"}, False),
    ],
)
@pytest.mark.parametrize("dated", [True, False])
def test_the_line_hands_on_what_the_gateway_says_of_its_limit(
    told: dict[str, str], slow: bool, dated: bool
) -> None:
    """Remaining and reset of every answer below 500, whatever else stands there; nothing odd makes
    it stumble.
    """
    status, told = (500, dict(told)) if "status" in told else (200, dict(told))
    told.pop("status", None)
    if told.get("reset") == "30":
        told["reset"] = f"{NOON_S + 30:.0f}"
    date = formatdate(NOON_S, usegmt=True) if dated else ""
    pacer, clock = heard([Answer(out=True, status=status, date=date, said={}, **told)])
    clock.at_s += 0.2
    pacer.permit(clock.at_s)
    assert (pacer.wait_s(clock.at_s) > 0.5 / 10 / FLOOR) is slow


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
    pacer.throttled(1002.0, 2.0, 0.5)
    assert pacer.share(1002.0) == 0.25


def test_half_the_share_is_half_the_pace() -> None:
    """For five seconds after the wait, then a tenth of the rate more."""
    pacer = Pacer(100, 1.0, 1)
    pacer.throttled(1000.0, 2.0, 0.5)
    pacer.answered()
    times = run(pacer, 12.0, start_s=1000.0)
    paces = [
        sum(begin <= at < begin + 4 for at in times) / 4 for begin in (1002.5, 1007.5)
    ]
    assert min(times) >= 1002.0
    assert paces == [pytest.approx(50, rel=0.03), pytest.approx(60, rel=0.03)]


def test_a_permit_that_is_not_free_is_a_bug() -> None:
    """Whoever takes one without asking stops the run."""
    pacer = Pacer(8, 1.0, 1)
    pacer.permit(1000.0)
    with pytest.raises(AssertionError):
        pacer.permit(1000.05)


def test_what_is_remembered_of_requests_is_bounded() -> None:
    """By the longest window that an advice may speak of; and that is remembered whole."""
    pacer = Pacer(8, 1.0, 1)
    run(pacer, 500.0)
    assert len(pacer._history) <= 8 * 2 * 121
    pacer.advised(1500.0, 0, 120.0)
    pacer.permit(1500.2)
    assert pacer.wait_s(1500.2) < 0.2


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


def test_after_a_429_one_request_at_a_time_asks_whether_it_is_over() -> None:
    """However many a burst lets out: the next goes when the gateway has taken one, or when one came
    to nothing.
    """
    pacer = Pacer(100, 1.0, 10)
    wait_s = pacer.throttled(1000.0, None, 1.0)
    assert wait_s == 1.0 == backoff_s(1, 1.0)
    pacer.permit(1001.0)
    assert pacer.wait_s(1001.0) > 0
    pacer.left(1001.0)
    assert pacer.wait_s(1001.0) == 0
    pacer.permit(1001.0)
    assert pacer.wait_s(1001.0) > 0
    pacer.unused()
    assert pacer.wait_s(1001.0) == 0
    pacer.permit(1001.0)
    pacer.answered()
    assert pacer.wait_s(1001.0) == 0


def test_before_any_429_a_burst_goes_at_once() -> None:
    """As many as it says, with none of them answered."""
    pacer = Pacer(10, 1.0, 3)
    for number in range(3):
        pacer.permit(1000.0 + number * 1e-6)
    assert pacer.wait_s(1000.0) > 0.09


def test_the_backoff_doubles_to_a_minute() -> None:
    """From one second on; half the jitter is half the wait."""
    assert [backoff_s(failures, 1.0) for failures in range(1, 9)] == [
        1,
        2,
        4,
        8,
        16,
        32,
        60,
        60,
    ]
    assert backoff_s(3, 0.5) == 2.0


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


@pytest.mark.fault("B35")
def test_four_non_answers_are_no_outage() -> None:
    """At first, after an answer, and after a pause."""
    breaker = Breaker(30.0)

    def silent(times: int, at_s: float) -> bool:
        for _ in range(times):
            breaker.silent(at_s)
        return breaker.paused_until_s > at_s

    assert not silent(4, 0.0)
    breaker.answered()
    assert not silent(4, 1.0)
    assert silent(1, 2.0)
    assert not silent(4, 100.0)
    assert silent(1, 101.0)


@pytest.mark.fault("B35")
def test_a_non_answer_at_the_end_of_a_pause_is_of_the_next_outage() -> None:
    """Within the pause it is not."""
    breaker = Breaker(30.0)
    for _ in range(5):
        breaker.silent(0.0)
    for _ in range(5):
        breaker.silent(29.9)
    assert breaker.paused_until_s == 30.0
    for _ in range(5):
        breaker.silent(30.0)
    assert breaker.paused_until_s == 60.0


# --- X-RateLimit-*


class Window:
    """A gateway's own limit, in a rolling window or in fixed ones, and what its headers say, in
    whole seconds.
    """

    def __init__(
        self, limit: int, window_s: float, rolling: bool, offset_s: float = 0.0
    ) -> None:
        self.limit, self.window_s, self.rolling, self.offset_s = (
            limit,
            window_s,
            rolling,
            offset_s,
        )
        self.taken: list[float] = []
        self.refused = 0

    def free(self, at_s: float) -> int:
        """How many more it takes at a moment."""
        begun_s = at_s - self.window_s if self.rolling else self._begun_s(at_s)
        return self.limit - (len(self.taken) - bisect_right(self.taken, begun_s))

    def _begun_s(self, at_s: float) -> float:
        return (
            math.floor((at_s - self.offset_s) / self.window_s) * self.window_s
            + self.offset_s
        )

    def ask(self, at_s: float) -> tuple[int, int] | None:
        """One request: remaining and reset less the Date, or None for a 429."""
        if self.free(at_s) <= 0:
            self.refused += 1
            return None
        self.taken.append(at_s)
        end_s = (
            at_s + self.window_s
            if self.rolling
            else self._begun_s(at_s) + self.window_s
        )
        return self.free(at_s), math.ceil(end_s) - math.floor(at_s)


def sent(
    pacer: Pacer,
    window: Window,
    seconds: float,
    *,
    heed: bool = True,
    latency_s: float = 0.05,
    start_s: float = 1000.0,
) -> list[float]:
    """When requests left, each answered after a while with what the window says."""
    now_s, left, answers = start_s, [], []
    while now_s < start_s + seconds:
        while answers and answers[0][0] <= now_s:
            at_s, told = answers.pop(0)
            if told is None:
                pacer.throttled(at_s, 1.0, 0.5)
                continue
            pacer.answered()
            if heed:
                pacer.advised(at_s, *told)
        wait_s = pacer.wait_s(now_s)
        if wait_s <= 0:
            pacer.permit(now_s)
            pacer.left(now_s)
            left.append(now_s)
            answers.append((now_s + latency_s, window.ask(now_s + latency_s / 2)))
        else:
            now_s = min([now_s + wait_s, *(at_s for at_s, _ in answers[:1])]) + 1e-7
    return left


HONEST = [
    (limit, window_s, rate, rate_window_s)
    for limit, window_s in ((8, 1.0), (100, 1.0), (60, 60.0), (480, 60.0), (1000, 60.0))
    for rate, rate_window_s in (
        (limit, window_s),
        (max(1, limit // 2), window_s),
        (max(1, int(limit / window_s)), 1.0) if window_s > 1 else (limit * 60, 60.0),
    )
]


@pytest.mark.fault("B19")
@pytest.mark.parametrize("latency_s", [0.05, 1.0])
@pytest.mark.parametrize("kind", ["rolling", "fixed", "fixed, begun within a second"])
@pytest.mark.parametrize(("limit", "window_s", "rate", "rate_window_s"), HONEST)
def test_honest_advice_costs_nothing_of_the_rate(
    limit: int,
    window_s: float,
    rate: int,
    rate_window_s: float,
    kind: str,
    latency_s: float,
) -> None:
    """Nobody else is there and the limit is what was agreed, or more: at least 95 % of what goes
    without advice.
    """
    window = Window(
        limit, window_s, kind == "rolling", 0.37 if "within" in kind else 0.0
    )
    seconds = 130.0 if max(window_s, rate_window_s) > 1 and rate < 1000 else 12.0
    heeded = sent(Pacer(rate, rate_window_s, 1), window, seconds, latency_s=latency_s)
    unheeded = sent(
        Pacer(rate, rate_window_s, 1),
        Window(10**9, 1.0, True),
        seconds,
        heed=False,
        latency_s=latency_s,
    )
    assert len(heeded) >= 0.95 * len(unheeded)
    assert window.refused == 0


@pytest.mark.fault("B19")
@pytest.mark.parametrize("rolling", [True, False])
@pytest.mark.parametrize(
    ("limit", "rate", "rate_window_s"),
    [(1000, 8, 1.0), (1000, 900, 60.0), (60, 1, 1.0), (60, 60, 60.0)],
)
def test_a_window_that_others_have_filled_is_waited_out(
    limit: int, rate: int, rate_window_s: float, rolling: bool
) -> None:
    """In full flight the gateway says that it takes no more: a tenth of the rate asks until its
    window ends.
    """
    pacer, window = Pacer(rate, rate_window_s, 1), Window(limit, 60.0, rolling)
    before = sent(pacer, window, 65.0, start_s=1020.0)
    window.taken += [1085.0] * (window.free(1085.0) - 1)
    after = sent(pacer, window, 50.0, start_s=1085.0)
    slow = [at for at in after if at < 1135.0]
    assert len(before) >= 60 * min(rate / rate_window_s, 8)
    assert len(slow) <= 5 + 50.0 * rate / rate_window_s * (
        FLOOR if not rolling else 1.0
    )
    assert window.refused <= 1 + 50.0 * rate / rate_window_s * FLOOR


@pytest.mark.parametrize(
    ("reset_in_s", "slow"), [(9.9, False), (10.0, True), (30.0, True)]
)
def test_a_window_that_took_more_before_is_full_of_others_requests(
    reset_in_s: float, slow: bool
) -> None:
    """In full flight; but what is said of a window of some seconds, in whole ones, cannot be
    compared so.
    """
    pacer = Pacer(8, 1.0, 1)
    sent(pacer, Window(1000, 60.0, True), 61.0)
    pacer.advised(1061.0, 0, reset_in_s)
    now_s = 1061.0 + pacer.wait_s(1061.0) + 1e-6
    pacer.permit(now_s)
    pacer.left(now_s)
    assert (pacer.wait_s(now_s) > 1) is slow


def test_nothing_free_in_a_short_window_that_we_did_not_fill_is_waited_out_too() -> (
    None
):
    """A window of a second: none of ours is in it."""
    pacer = Pacer(10, 1.0, 1)
    pacer.advised(1000.0, 0, 1.0)
    pacer.permit(1000.0)
    pacer.left(1000.0)
    assert pacer.wait_s(1000.0) == pytest.approx(1.0, rel=0.1)


def test_requests_from_before_the_window_are_not_in_it() -> None:
    """A minute's work, a minute's rest: a window of half a minute that is full has none of ours."""
    pacer = Pacer(8, 1.0, 1)
    run(pacer, 60.0)
    pacer.advised(1120.0, 0, 30.0)
    pacer.permit(1120.0)
    assert pacer.wait_s(1120.0) > 0.9


def test_at_half_the_pace_half_as_many_are_all_that_is_wanted() -> None:
    """After a 429 our own share of a window is smaller, and that is nobody's doing but ours."""
    pacer = Pacer(100, 1.0, 1)
    pacer.throttled(1000.0, 1.0, 0.5)
    pacer.answered()
    run(pacer, 5.0)
    pacer.advised(1005.0, 0, 4.0)
    pacer.permit(1005.05)
    assert pacer.share(1005.0) == 0.5 and pacer.wait_s(1005.05) < 0.05


def test_requests_of_an_earlier_run_are_ours() -> None:
    """A run that follows another does not take what that one sent for somebody else's."""
    pacer = Pacer(60, 60.0, 1, [940.5 + second for second in range(60)])
    pacer.advised(1000.0, 0, 60.0)
    now_s = 1000.0 + pacer.wait_s(1000.0) + 1e-6
    pacer.permit(now_s)
    pacer.left(now_s)
    assert 1000 < now_s < 1001.1 and pacer.wait_s(now_s) < 1.1


@pytest.mark.parametrize("absurd", [-5.0, -0.5, 0.0, 120.1, 1e9, float("inf")])
def test_an_absurd_reset_changes_nothing(absurd: float) -> None:
    """It neither slows down nor takes back what was told before."""
    for pacer in (Pacer(10, 1.0, 1), Pacer(10, 1.0, 1)):
        pacer.advised(1000.0, 0, 120.0)
        pacer.advised(1000.0, 10**12, absurd)
        pacer.permit(1000.0)
        assert pacer.wait_s(1000.0) == pytest.approx(1 / 10 / FLOOR, rel=0.1)
        plain = Pacer(10, 1.0, 1)
        plain.advised(1000.0, 0, absurd)
        plain.permit(1000.0)
        assert plain.wait_s(1000.0) < 0.2


def test_advice_that_is_good_news_takes_the_slowness_back() -> None:
    """And so does the end of the window it was told of."""
    pacer = Pacer(10, 1.0, 1)
    pacer.advised(1000.0, 0, 60.0)
    pacer.advised(1000.5, 900, 59.5)
    pacer.permit(1000.5)
    assert pacer.wait_s(1000.5) < 0.2
    pacer.advised(1000.5, 0, 20.0)
    pacer.permit(1020.4)
    assert pacer.wait_s(1020.4) == pytest.approx(1 / 10 / FLOOR, rel=0.1)
    pacer.permit(1020.4 + pacer.wait_s(1020.4))
    assert pacer.wait_s(1022.0) == 0
    pacer.advised(1030.0, 0, 20.0)
    pacer.permit(1050.0)
    assert pacer.wait_s(1050.0) < 0.2


def test_the_gateways_own_count_is_heeded_within_bounds() -> None:
    """Few requests left until its window ends are spread over it; an absurd count never stops a
    run.
    """

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

    assert sent_within(20, 900, 30) >= 191
    assert 50 <= sent_within(20, 50, 20) <= 52
    assert 19 <= sent_within(20, 0, 20) <= 22
    assert sent_within(20, 0, 1e9) >= 191
    assert sent_within(20, 0, -5) >= 191
