"""Where one small change of the work on doubts once went unseen: what is asked for by its id, what
that proves, and from when a list must reach.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from batchpay.domain.events import BelongsTo, line
from batchpay.domain.model import Answer, Outcome
from batchpay.gateways.omise.gateway import Omise
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.proof import Proof, Verdict
from batchpay.settlement import Case, Channel, Means, Recorder
from batchpay.settlement.doubts import REREAD_AFTER_S, Doubts, News
from batchpay.settlement.lists import Lists
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.since import EVERYTHING, OVERLAP
from tests.fakes import START_NS, FakeClock, FakeGateway, in_virtual_time
from tests.test_lifecycle import INTENT, charge, error
from tests.test_settlement import SETTINGS
from tests.test_survivors_settlement import of_job

NONE_SUCH = Answer(out=True, status=404, said=error("not_found"))
NO_PAGE = Answer(out=True, status=404)  # of something in between
NO_ANSWER = Answer(out=True, trouble="reset")


def shown(**changes: Any) -> Answer:
    """A charge asked for by its id."""
    return Answer(out=True, status=200, said=charge(**changes))


FAILED = {"status": "failed", "paid": False, "chain": None}


@dataclass
class Asked(FakeGateway):
    """Answers for charges as it is told to; says which were asked for."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def get(self, charge_id: str, may_leave: Callable[[], bool]) -> Answer:
        self.asked.append(charge_id)
        assert may_leave()
        return self.answers.get(charge_id, NONE_SUCH)


@dataclass
class Doubting:
    """The work on doubts of a run that began at 1000 s."""

    answers: dict[str, Answer] = field(default_factory=dict)
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal("night"))
    told: list[str] = field(default_factory=list)
    again: list[Case] = field(default_factory=list)

    def run(self, main: Callable[[Doubting], Coroutine[Any, Any, None]]) -> list[str]:
        """The kinds of the events that are written."""

        async def begun() -> None:
            clock = FakeClock()
            self.gateway = Asked(answers=self.answers)
            self.channel = Channel(clock, Pacer(50, 1.0, 1), Breaker(1.0), lambda: None)
            self.recorder = Recorder(self.journal, clock, "night", "run", live=False)
            omise = Omise(self.gateway)
            means = Means(SETTINGS, omise, self.channel, self.recorder, clock)
            self.lists = Lists(means, self.tell)
            self.doubts = Doubts(
                means, self.lists, News(), self.again.append, self.tell
            )
            await main(self)

        in_virtual_time(begun(), 1000.0)
        return [event.kind for event in self.journal.events()]

    def tell(self, case: Case) -> None:
        self.told.append(case.intent.order_id)

    async def sent(self, order_id: str = "0001", hinted: str = "") -> Case:
        """An order that was sent just now, without an answer that proves anything."""
        case = Case(replace(INTENT, order_id=order_id))
        await self.recorder.intend(case, 1000.0)
        found = of_job("night", id=hinted, amount=1) if hinted else None
        told = Verdict(Proof.IN_DOUBT, charge=found)
        await self.recorder.answered(case, told, None, "", 1000.0)
        return case

    async def declined(self) -> tuple[Case, Attempt]:
        """An order whose first attempt was declined, about to be sent again; and that attempt."""
        first = Case(INTENT)
        await self.recorder.intend(first, 1000.0)
        await self.recorder.found(first, of_job("night", **FAILED))
        assert first.attempt is not None
        again = Case(replace(INTENT, attempt=2, key="two"), others=(first.attempt,))
        return again, first.attempt


# --- an earlier attempt


@pytest.mark.fault("J04")
@pytest.mark.parametrize(
    ("answer", "denied", "clear", "written"),
    [
        (shown(**FAILED), False, True, []),
        (shown(**FAILED), True, True, []),
        (shown(), False, False, ["found", "stop"]),
        (shown(), True, False, ["found", "stop"]),
        (NONE_SUCH, False, False, ["missing"]),
        (NONE_SUCH, True, True, []),  # a person looked
        (shown(id="chrg_test_9"), False, False, ["untold"]),
        (shown(id="chrg_test_9"), True, True, []),
        (NO_PAGE, False, False, ["untold"]),
        (NO_PAGE, True, False, ["untold"]),
        (NO_ANSWER, False, False, ["untold"]),
        (NO_ANSWER, True, False, ["untold"]),
    ],
)
def test_what_an_earlier_charge_must_show_before_its_order_goes_again(
    answer: Answer, denied: bool, clear: bool, written: list[str]
) -> None:
    """That it took nothing, by its id; or a person said so, and the gateway has nothing to show."""
    world = Doubting({"chrg_test_1": answer})

    async def main(_: Doubting) -> None:
        case, attempt = await world.declined()
        before = len(list(world.journal.events()))
        case.others = (replace(attempt, denied=denied),)
        assert await world.doubts.clears(case) is clear
        kinds = [event.kind for event in world.journal.events()][before:]
        assert kinds == written
        assert set(world.gateway.asked) == {"chrg_test_1"}

    world.run(main)


@pytest.mark.fault("J04")
def test_every_charge_ever_seen_of_an_earlier_attempt_is_asked_for() -> None:
    """Its twins too; the first that took money is enough."""
    answers = {"chrg_test_1": shown(**FAILED), "chrg_test_2": shown(id="chrg_test_2")}
    world = Doubting(answers)

    async def main(_: Doubting) -> None:
        case, attempt = await world.declined()
        twins = frozenset({"chrg_test_1", "chrg_test_2", "chrg_test_3"})
        case.others = (replace(attempt, twins=twins),)
        assert not await world.doubts.clears(case)
        assert world.gateway.asked == ["chrg_test_1", "chrg_test_2"]
        case.others = ()
        assert await world.doubts.clears(case)

    world.run(main)


# --- what an answer spoke of


@pytest.mark.fault("B17", "L5")
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (shown(), Outcome.SUCCEEDED),
        (shown(metadata={"batchpay_key": "another"}), Outcome.IN_DOUBT),
        (NONE_SUCH, Outcome.IN_DOUBT),
    ],
)
def test_a_charge_that_an_answer_spoke_of_is_the_orders_where_it_carries_its_key(
    answer: Answer, outcome: Outcome
) -> None:
    """Asked for by its id, once a look-up; one that is not in doubt any more is not asked about."""
    world = Doubting({"chrg_test_1": answer})

    async def main(_: Doubting) -> None:
        case = await world.sent(hinted="chrg_test_1")
        assert case.attempt is not None and case.attempt.hinted == "chrg_test_1"
        world.doubts.add(case, early=True)
        await world.doubts._ask_for_hinted(case)
        assert case.attempt.outcome is outcome
        assert world.doubts.none is (outcome is Outcome.SUCCEEDED)
        assert world.told == ["0001"] * (outcome is Outcome.SUCCEEDED)
        plain = await world.sent("0002")
        await world.doubts._ask_for_hinted(plain)
        ended = Case(INTENT, replace(case.attempt, flaws=("x",), hinted="chrg_test_1"))
        await world.doubts._ask_for_hinted(ended)
        assert world.gateway.asked == ["chrg_test_1"]

    world.run(main)


@pytest.mark.fault("B16", "L7")
@pytest.mark.parametrize(("chain", "later"), [(None, True), ("acch_test_1", False)])
def test_a_paid_charge_that_a_look_up_finds_without_its_chain_is_read_again(
    chain: str | None, *, later: bool
) -> None:
    """In a moment, and once."""
    world = Doubting()

    async def main(_: Doubting) -> None:
        case = await world.sent()
        world.doubts.add(case, early=True)
        await world.recorder.found(case, of_job("night", chain=chain))
        world.doubts._found(case)
        assert world.doubts.none is not later
        if later:
            assert world.doubts._next_s() == 1000.0 + REREAD_AFTER_S

    world.run(main)


# --- whose account it was


@pytest.mark.fault("J03")
@pytest.mark.parametrize(
    ("told_at_s", "answer", "anothers", "asked"),
    [
        (1500.0, NONE_SUCH, True, 1),
        (1500.0, shown(), False, 1),
        (1000.0, NONE_SUCH, False, 0),  # it was told by then
        (None, NONE_SUCH, False, 0),  # nobody ever told it
    ],
)
def test_what_was_sent_before_the_account_was_told_may_be_anothers(
    told_at_s: float | None, answer: Answer, anothers: bool, asked: int
) -> None:
    """Unless a charge that was proven before then is in this account; asked once a run."""
    world = Doubting({"chrg_test_1": answer})

    async def main(_: Doubting) -> None:
        earlier = Case(replace(INTENT, order_id="0000", key="zero"))
        await world.recorder.intend(earlier, 1000.0)
        await world.recorder.found(earlier, of_job("night"))
        case = await world.sent()
        if told_at_s is not None:
            told = BelongsTo(account="acct_1", mode="test", url="u")
            at_ns = START_NS + int(told_at_s * 10**9)
            world.journal.append([line(told, at_ns)])
        for _ in range(2):
            assert await world.doubts._may_be_anothers(case) is anothers
        assert len(world.gateway.asked) == asked
        assert await world.doubts._may_be_anothers(Case(INTENT)) is False

    world.run(main)


# --- from when a list must reach


@pytest.mark.fault("B07", "L5", "C04")
def test_a_list_reaches_back_to_the_first_that_is_in_doubt() -> None:
    """Ten minutes more while it only looks; a day and to the second where it is to prove that
    nothing was made; to the beginning where a clock of ours may have been wrong.
    """
    world = Doubting()

    async def main(_: Doubting) -> None:
        cases = [await world.sent("0001"), await world.sent("0002")]
        first, second = (START_NS + s * 10**9 for s in (100_000, 200_000))
        for case, at_ns in zip(cases, (second, first), strict=True):
            assert case.attempt is not None
            case.attempt = replace(case.attempt, sent_ns=at_ns)
        cases.append(Case(INTENT))  # nothing was written of it yet
        since = world.doubts._since
        assert since(cases, proves=False) == since(cases, proves=True) == EVERYTHING
        world.channel.dated = True
        begun = datetime.fromtimestamp(first // 10**9, UTC)
        assert since(cases, proves=False) == begun - OVERLAP
        assert since(cases, proves=True) == begun - timedelta(days=1)

    world.run(main)


@pytest.mark.fault("J02", "L5")
def test_beside_a_charge_that_may_be_its_own_an_order_stays_in_doubt_and_says_so() -> (
    None
):
    """It is told, for the report, and asked about no more in this run."""
    world = Doubting()

    async def main(_: Doubting) -> None:
        case = await world.sent()
        world.doubts.add(case, early=True)
        await world.doubts._leave(case, "chrg_test_7")
        assert world.doubts.none and world.told == ["0001"]
        assert case.attempt is not None and case.attempt.may_be == "chrg_test_7"
        (note,) = world.lists.notes
        assert "order 0001 stays in doubt: chrg_test_7 may be its charge" in note

    assert world.run(main)[-1] == "unclear"


@pytest.mark.fault("J04", "I8")
def test_a_doubt_that_others_decided_is_taken_up_as_it_is_now() -> None:
    """A list showed its charge pending before anybody was to look, and then expired; that it is
    successful after all contradicts the latter, and is a stop.
    """
    world = Doubting()

    async def main(_: Doubting) -> None:
        case = await world.sent()
        waits = {"status": "pending", "paid": False, "chain": None}
        await world.recorder.found(case, of_job("night", **waits))
        ended = of_job("night", **{**waits, "status": "expired"})
        ((_, known),) = world.recorder.whose.match([ended])
        assert isinstance(known, Case) and known is not case
        await world.recorder.found(known, ended)
        world.gateway.charges.append({**charge(), "_at_s": 1000.0})
        world.doubts.add(case, early=True)
        await world.doubts._look_up()
        assert world.doubts.none

    kinds = world.run(main)
    assert kinds[-2:] == ["found", "stop"]
    assert "was expired, is now succeeded" in world.recorder.stopped
