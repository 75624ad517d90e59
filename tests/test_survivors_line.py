"""The line to the gateway alone, in virtual time: what a status, a pause, a header or a wrong clock
does to it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from batchpay.batches.clock import iso
from batchpay.domain.errors import GatewaySilent, Misconfigured, NotAllowed
from batchpay.domain.model import Answer
from batchpay.settlement import Channel
from batchpay.settlement.pacing import Breaker, Pacer
from tests.fakes import START_NS, FakeClock, heard, in_virtual_time

PAUSE_S = 5.0
FINE = Answer(out=True, status=200, said={})


def date(seconds: float) -> str:
    """A Date header so many seconds after the clock's beginning."""
    return format_datetime(
        datetime.fromtimestamp(START_NS // 10**9 + seconds, UTC), usegmt=True
    )


@dataclass
class Told:
    """A line and what it was used for."""

    rate: int = 1000
    burst: int = 1
    line: Channel = field(init=False)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.line = Channel(
            self.clock,
            Pacer(self.rate, 1.0, self.burst),
            Breaker(PAUSE_S),
            lambda: None,
        )

    async def send(self, answer: Answer, *, asking: bool = False) -> float:
        """One permitted request with this answer; when its permit came."""
        assert await self.line.permit(asking=asking), self.line.closed
        at_s = self.clock.elapsed_s()
        await self.line.send(self.request(answer), asking=asking)
        return at_s

    def request(
        self, *answers: Answer
    ) -> Callable[[Callable[[], bool]], Coroutine[Any, Any, Answer]]:
        """What a gateway does that answers these in turn."""
        given = iter(answers)

        async def answered(may_leave: Callable[[], bool]) -> Answer:
            assert may_leave()
            return next(given)

        return answered


def run(main: Callable[[Told], Coroutine[Any, Any, None]], **made: Any) -> Told:
    """In virtual time, from second 1000 on."""
    told = Told(**made)
    in_virtual_time(main(told), 1000.0)
    return told


SILENT = [
    Answer(out=True, trouble="reset"),
    *(Answer(out=True, status=status) for status in (500, 501, 503, 599)),
]
SPOKEN = [Answer(out=True, status=status) for status in (200, 301, 400, 404, 422, 499)]


@pytest.mark.fault("B15", "B20")
@pytest.mark.parametrize("answer", SILENT, ids=lambda answer: str(answer.status))
def test_five_non_answers_in_a_row_pause_and_are_waited_out(answer: Answer) -> None:
    """Nothing, 500 itself and all above count; after the pause the same order goes on."""

    async def main(told: Told) -> None:
        for _ in range(4):
            await told.send(answer)
        before_s = await told.send(answer)
        assert await told.send(FINE) >= before_s + PAUSE_S
        assert not told.line.closed

    run(main)


@pytest.mark.parametrize("answer", SPOKEN, ids=lambda answer: str(answer.status))
def test_an_answer_below_500_pauses_nothing(answer: Answer) -> None:
    """Whatever it says: the gateway is there."""

    async def main(told: Told) -> None:
        first_s = await told.send(answer)
        for _ in range(30):
            await told.send(answer)
        assert await told.send(answer) < first_s + PAUSE_S

    run(main)


@pytest.mark.fault("B15")
def test_a_pause_of_charges_lets_questions_through_and_the_other_way_round() -> None:
    """A gateway may answer the one and not the other."""

    async def main(told: Told) -> None:
        for asking in (False, True):
            for _ in range(5):
                at_s = await told.send(SILENT[0], asking=asking)
            assert await told.send(FINE, asking=not asking) < at_s + 1.0
            assert await told.send(FINE, asking=asking) >= at_s + PAUSE_S

    run(main)


@pytest.mark.fault("B15", "I15")
def test_three_pauses_are_waited_out_and_the_fourth_is_the_end() -> None:
    """A quarter of a minute of silence is no reason to leave orders for the next run."""

    async def main(told: Told) -> None:
        for pauses in range(4):
            for _ in range(5):
                assert not told.line.closed
                await told.send(Answer(out=True, trouble=f"reset {pauses}"))
        assert told.line.closed == "the gateway does not answer"
        assert told.line.trouble == "reset 3"
        assert not await told.line.permit()

    run(main)


def test_why_there_was_no_answer_is_kept_although_a_later_one_says_nothing() -> None:
    """What is told at the end names the trouble that was last named."""

    async def main(told: Told) -> None:
        await told.send(Answer(out=True, trouble="the certificate has expired"))
        await told.send(Answer(out=True))
        assert told.line.trouble == "the certificate has expired"
        assert (told.line.ill, told.line.illness) == (0, 0)
        await told.send(Answer(out=True, status=500))
        await told.send(Answer(out=True, status=503))
        assert told.line.trouble == "status 503"
        assert (told.line.ill, told.line.illness) == (2, 503)
        assert told.line.answers == 2  # a 503 is an answer, if no good one
        await told.send(Answer(out=False, withheld=True, trouble="kept back"))
        await told.send(Answer(out=True, status=499))
        assert told.line.trouble == "status 503"
        assert told.line.ill == 2

    run(main)


# --- the rate


def limits(remaining: str, reset_in_s: float, **more: Any) -> Answer:
    """An answer that says how many more requests are taken until when, by the gateway's clock 40 s
    ahead of ours.
    """
    return Answer(
        out=True,
        status=200,
        said={},
        remaining=remaining,
        reset=str(START_NS // 10**9 + 1040 + int(reset_in_s)),
        **{"date": date(1040), **more},
    )


async def spacing(told: Told) -> float:
    """Seconds between two requests, once what was told has taken hold."""
    await told.send(FINE)
    one, two = [await told.send(FINE) for _ in range(2)]
    return two - one


@pytest.mark.fault("B19")
def test_what_a_gateway_says_of_its_limit_is_kept_to_by_its_own_clock() -> None:
    """Ten requests in the next ten seconds are one a second."""

    async def main(told: Told) -> None:
        await told.send(limits("10", 10))
        assert await spacing(told) == pytest.approx(1.0)

    run(main, rate=5)


@pytest.mark.fault("B19")
def test_a_gateway_that_tells_no_time_is_read_by_our_clock() -> None:
    """Its limit is kept to as well as that allows."""

    async def main(told: Told) -> None:
        await told.send(limits("10", -30, date=""))  # in ten seconds, as we count
        assert await spacing(told) == pytest.approx(1.0)

    run(main, rate=5)


@pytest.mark.fault("B19", "B24")
@pytest.mark.parametrize(
    "remaining, reset",
    [
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("", None),
        ("0" * 13, None),
        ("two", None),
        ("5", "²"),
        ("5", ""),
        ("5", "1e9"),
        ("5", "9" * 13),
        ("5", "soon"),
    ],
)
def test_a_limit_in_words_or_odd_digits_is_no_limit(
    remaining: str, reset: str | None
) -> None:
    """A header that is no count neither slows nor stops a run."""

    async def main(told: Told) -> None:
        answer = limits(remaining, 10)
        await told.send(answer if reset is None else replace(answer, reset=reset))
        assert await spacing(told) < 0.25

    run(main, rate=5)


@pytest.mark.fault("B19")
def test_a_count_of_twelve_digits_is_one() -> None:
    """A gateway that pads its numbers with zeros is understood."""

    async def main(told: Told) -> None:
        await told.send(limits("10".rjust(12, "0"), 10))
        assert await spacing(told) == pytest.approx(1.0)

    run(main, rate=5)


@pytest.mark.fault("B19")
def test_a_question_that_is_put_off_waits_as_told_and_no_longer() -> None:
    """Four times 429 with a second each: the fifth try comes after four seconds, not after a
    backoff on top.
    """

    async def main(told: Told) -> None:
        put_off = Answer(out=True, status=429, retry_after="1")
        answer = await told.line.ask(told.request(*[put_off] * 4, FINE))
        assert answer is FINE
        assert 1004.0 <= told.clock.elapsed_s() < 1004.5

    run(main)


@pytest.mark.fault("B12", "B15")
def test_a_question_is_put_five_times_and_then_given_up() -> None:
    """What is no answer of the gateway itself is asked again: a page without an error object, a
    5xx, silence.
    """

    async def main(told: Told) -> None:
        odd = [
            Answer(out=True, status=404),
            Answer(out=True, status=302),
            Answer(out=True, status=400, said=[]),
        ]
        assert await told.line.ask(told.request(*odd, Answer(out=True), FINE)) is FINE
        assert await told.line.ask(told.request(*[odd[0]] * 5)) is None
        own = heard(
            out=True,
            status=404,
            said={"object": "error", "code": "not_found", "message": "m"},
        )
        assert await told.line.ask(told.request(own)) is own

    run(main)


@pytest.mark.fault("B15")
def test_a_glance_that_is_not_answered_in_time_is_given_up_and_spoils_nothing() -> None:
    """Ten seconds; nor do its failures pause anything."""

    async def main(told: Told) -> None:
        async def slow(may_leave: Callable[[], bool]) -> Answer:
            assert may_leave()
            await asyncio.sleep(60)
            return FINE

        assert await told.line.glance(slow) is None
        assert told.clock.elapsed_s() == pytest.approx(1010.0)
        for _ in range(30):
            assert (
                await told.line.glance(told.request(Answer(out=True, trouble="reset")))
                is None
            )
        assert told.clock.elapsed_s() < 1011.0
        server_error = Answer(out=True, status=500)
        assert await told.line.glance(told.request(server_error)) is server_error
        assert (told.line.closed, told.line.answers) == ("", 0)

    run(main)


# --- keys and clocks


@pytest.mark.fault("B27")
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "document, told_as",
    [
        (
            {"object": "error", "code": "authentication_failure", "message": "no"},
            " authentication_failure)",
        ),
        ({"object": "error", "message": "locked"}, " locked)"),
        (None, ")"),
    ],
)
def test_a_refused_key_says_what_the_gateway_said(
    status: int, document: Any, told_as: str
) -> None:
    """Its code, else its words, else the bare status."""

    async def main(told: Told) -> None:
        await told.send(heard(out=True, status=status, said=document))
        assert (
            told.line.closed == f"the gateway refused the secret key ({status}{told_as}"
        )
        assert isinstance(told.line.fatal, NotAllowed)
        assert "check the secret key (OMISE_SECRET_KEY" in str(told.line.fatal)

    run(main)


@pytest.mark.fault("C04")
@pytest.mark.parametrize(
    "off_s, word",
    [(0, ""), (300, ""), (-300, ""), (301, "301 s behind"), (-301, "301 s ahead of")],
)
def test_a_clock_is_wrong_from_five_minutes_on(off_s: int, word: str) -> None:
    """The sentence says which way; five minutes themselves are let through."""

    async def main(told: Told) -> None:
        await told.send(Answer(out=True, status=200, date=date(1000 + off_s)))
        assert told.line.dated and told.line.gateway_date == iso(
            START_NS + (1000 + off_s) * 10**9
        )
        if word:
            assert told.line.closed == f"this machine's clock is {word} the gateway's"
            assert isinstance(told.line.fatal, Misconfigured)
        else:
            assert (told.line.closed, told.line.fatal) == ("", None)

    run(main)


NO = {"object": "error", "code": "no", "message": "no"}


@pytest.mark.parametrize(
    ("status", "document", "taken"),
    [
        (199, NO, False),
        (200, {}, True),
        (299, {}, True),
        (300, NO, False),
        (399, NO, False),
        (400, NO, True),
        (400, {}, False),
        (428, NO, True),
        (429, NO, False),
        (499, NO, True),
        (500, NO, False),
        (None, None, False),
    ],
)
def test_an_answer_is_the_gateways_own_or_the_question_is_put_again(
    status: int | None, document: Any, taken: bool
) -> None:
    """A document, or a refusal with the gateway's error object; after any other but a 429, which
    says itself how long, a moment is waited.
    """

    async def main(told: Told) -> None:
        random.seed(1)
        answer = heard(out=True, status=status, said=document)
        before_s = told.clock.elapsed_s()
        found = await told.line.ask(told.request(answer, FINE))
        assert found is (answer if taken else FINE)
        waited_s = told.clock.elapsed_s() - before_s
        assert (waited_s > 0.01) is not taken

    run(main)


@pytest.mark.fault("C04")
def test_the_clock_is_compared_once_and_with_a_date_only() -> None:
    """Words instead of a date are none; after the first date a later one is not held against us."""

    async def main(told: Told) -> None:
        await told.send(Answer(out=True, status=200, date="soon"))
        assert (told.line.dated, told.line.gateway_date) == (False, "")
        await told.send(Answer(out=True, status=200, date=date(1000)))
        first = told.line.gateway_date
        await told.send(Answer(out=True, status=200, date=date(9000)))
        assert (told.line.gateway_date, told.line.closed) == (first, "")

    run(main)


def test_the_first_reason_to_close_is_the_one_that_is_told() -> None:
    """A later one neither replaces it nor what it means for the exit code."""

    async def main(told: Told) -> None:
        first = NotAllowed("first")
        told.line.close("first", first)
        told.line.close("second", NotAllowed("second"))
        assert (told.line.closed, told.line.fatal) == ("first", first)
        assert not await told.line.permit()
        before_s = told.clock.elapsed_s()
        await told.line.rest(60.0)
        assert told.clock.elapsed_s() == before_s

    run(main)


def test_a_permit_that_was_not_used_is_the_next_ones() -> None:
    """A request that is held back costs nothing of the agreed rate."""

    async def main(told: Told) -> None:
        async def held_back(may_leave: Callable[[], bool]) -> Answer:
            assert not may_leave()
            return Answer(out=False, withheld=True)

        for _ in range(3):
            assert await told.line.permit()
            await told.line.send(held_back, lambda: False)
        assert told.line.answers == 0
        for _ in range(3):
            assert await told.line.permit()
            told.line.unused()
        times = [await told.send(FINE) for _ in range(2)]
        assert times[1] - times[0] < 1.2

    run(main, rate=1)


# --- what is known of answers


@pytest.mark.fault("B21", "B29")
@pytest.mark.parametrize(
    ("status", "kind", "spoke", "foreign"),
    [
        (200, "charge", 1, False),
        (200, "", 0, True),
        (404, "error", 1, False),
        (404, "", 0, True),
        (499, "", 0, True),
        (301, "", 0, True),
        (
            401,
            "error",
            0,
            False,
        ),  # it says something of the key, and nothing of who answers
        (403, "error", 0, False),
        (429, "", 0, False),
        (500, "", 0, False),
    ],
)
def test_what_answers_is_a_gateway_by_its_documents(
    status: int, kind: str, spoke: int, *, foreign: bool
) -> None:
    async def main(told: Told) -> None:
        await told.send(Answer(out=True, status=status, kind=kind))

    line = run(main).line
    assert (line.spoke, line.foreign is not None) == (spoke, foreign)


@pytest.mark.fault("B15")
def test_what_is_wrong_with_the_gateway_is_counted_and_told() -> None:
    """How many of its answers say so, the last of them, and why there was none."""

    async def main(told: Told) -> None:
        line = told.line
        assert (line.ill, line.illness, line.trouble, line.answers) == (0, 0, "", 0)
        await told.send(Answer(out=True, status=499))
        assert (line.ill, line.trouble, line.answers) == (0, "", 1)
        for status in (500, 503):
            await told.send(Answer(out=True, status=status))
        assert (line.ill, line.illness, line.trouble) == (2, 503, "status 503")
        await told.send(Answer(out=True, trouble="reset"))
        assert (line.trouble, line.answers) == ("reset", 3)
        for quiet in ({"too_long": True}, {"withheld": True}):
            await told.send(Answer(out=True, trouble="no trouble", **quiet))
        assert (line.trouble, line.answers) == ("reset", 4)

    run(main)


@pytest.mark.fault("B15", "J12")
@pytest.mark.parametrize("quiet", [{"too_long": True}, {"withheld": True}])
def test_what_is_no_silence_of_the_gateway_pauses_nothing(
    quiet: dict[str, bool],
) -> None:
    """Not a byte left, or more came than anybody should read."""

    async def main(told: Told) -> None:
        first_s = await told.send(FINE)
        for _ in range(30):
            await told.send(Answer(out=True, **quiet))
        assert await told.send(FINE) < first_s + PAUSE_S

    run(main)


@pytest.mark.fault("B20", "B29")
@pytest.mark.parametrize(
    ("changes", "fatal", "words"),
    [
        ({"excerpt": "<h1>No</h1>"}, GatewaySilent, "but: <h1>No</h1>)"),
        ({"excerpt": "{}", "kind": "error", "code": "c"}, NotAllowed, "(403 c)"),
        ({"kind": "error", "message": "m"}, NotAllowed, "(403 m)"),
        ({}, NotAllowed, "(403)"),
    ],
)
def test_a_proxys_page_says_nothing_of_the_key(
    changes: dict[str, str], fatal: type, words: str
) -> None:
    async def main(told: Told) -> None:
        await told.send(Answer(out=True, status=403, **changes))

    line = run(main).line
    assert type(line.fatal) is fatal and words in line.closed
