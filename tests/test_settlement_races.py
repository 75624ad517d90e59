"""Evidence that arrives beside a worker, from two sides at once, late, or from a gateway that lies
about the time.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.domain.events import ThrottleDistrusted, line
from batchpay.domain.model import Answer, Event, Intent, Outcome
from batchpay.gateways.omise.objects import charge_in
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.proof import verdict
from batchpay.lifecycle.request import intent_of
from batchpay.settlement import Case, Limits, Recorder, Settlement
from tests import test_settlement
from tests.fakes import START_NS, FakeClock, FakeGateway, charged, in_virtual_time
from tests.inside import Inside
from tests.test_settlement import JOB, SETTINGS, World, candidates, document, only
from tests.world import Market, order

MARKET = Inside


def interrupted(settlement: Settlement) -> None:
    settlement.interrupt("SIGTERM")


@pytest.mark.fault("B19", "B32", "I6")
def test_a_recovered_order_that_a_list_finds_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A charge behind a 429, hidden from the first list of the next run and shown to a later
    one.
    """
    fired: list[int] = []

    def fate(post: int, fields: dict[str, str]) -> str:
        if fields["metadata[order_id]"] == "0099" and not fired:
            fired.append(post)
            asyncio.get_running_loop().call_later(0.01, interrupted, world.settlement)
            return "429 after"
        return "ok"

    world = World(FakeGateway(fate, lag_s=20), settings=replace(SETTINGS, rate=2))
    monkeypatch.setattr(
        test_settlement,
        "candidates",
        lambda *given: [c for c in candidates(*given) if c.order_id == "0099"],
    )
    world.run(100)
    # read beforehand
    monkeypatch.setattr(
        test_settlement, "candidates", lambda *given: list(candidates(*given))
    )
    world.run(100)
    assert world.gateway.money()["0099"] == 1


@pytest.mark.fault("B19", "J13", "I1")
def test_beside_a_429_that_is_believed_no_more_no_other_attempt_goes() -> None:
    """Its row was changed, so another one is to take its place: first it is looked up."""

    def fate(post: int, fields: dict[str, str]) -> str:
        if not post:
            asyncio.get_running_loop().call_later(
                0.06, lambda: interrupted(world.settlement)
            )
            return "429 after"
        return "ok"

    world = World(FakeGateway(fate, lag_s=15))
    world.run(1)
    distrusted = ThrottleDistrusted(order="0009", charge="chrg_test_9")
    world.journal.append([line(distrusted, 0)])
    world.payer = lambda number: {"card": f"tokn_test_9{number}"}
    assert world.run(1) == {"0000": Outcome.SUCCEEDED}
    assert world.gateway.money() == {"0000": 1}


@pytest.mark.fault("B19", "I6")
def test_a_charge_found_while_a_worker_connects_keeps_its_bytes_back() -> None:
    """The intent of the second send is void: the order took money meanwhile."""

    class Slow(FakeGateway):
        async def charge(self, intent: Intent, may_leave: Any) -> Answer:
            if intent.order_id == "0003" and any(
                f["metadata[order_id]"] == "0003" for _, f in self.posts
            ):
                await asyncio.sleep(1.5)
            answer = await super().charge(intent, may_leave)
            return replace(answer, retry_after="29") if answer.status == 429 else answer

    fired: list[int] = []

    def fate(post: int, fields: dict[str, str]) -> str:
        if fields["metadata[order_id]"] == "0003" and not fired:
            fired.append(post)
            return "429 after"
        return "ok"

    world = World(Slow(fate, lag_s=20), settings=replace(SETTINGS, send_window_s=5.0))
    world.run(8)
    assert set(world.gateway.money().values()) == {1}


class SlowJournal(test_settlement.MemoryJournal):
    """A commit takes a moment, in which others may come."""

    async def write(self, events: Any) -> list[Event]:
        await asyncio.sleep(0.002)
        return self.append(events)


@pytest.mark.fault("B31", "L10")
@pytest.mark.parametrize("answer", ["429", "the first charge"])
def test_two_pieces_of_evidence_at_once_both_count(answer: str) -> None:
    """A list beside an answer: what the journal adds up to is what the worker knows, and twins are
    a stop.
    """

    async def main() -> None:
        journal, clock = SlowJournal(), FakeClock()
        recorder = Recorder(journal, clock, JOB, "run", live=False)
        intent = intent_of(
            document(0),
            job=JOB,
            attempt=1,
            fee=None,
            batch_id="b",
            sheet="",
            row=2,
            run_id="r",
            journal_id=journal.id,
        )
        case = Case(intent)
        await recorder.intend(case, clock.elapsed_s())
        gateway, fields = FakeGateway(), dict(parse_qsl(intent.body))
        first, second = gateway._commit(fields), gateway._commit(fields)
        given = (
            charged(out=True, status=429)
            if answer == "429"
            else charged(out=True, status=200, said=first)
        )
        proof = verdict(given, intent, live=False, doubted=False)
        found = charge_in(first if answer == "429" else second)
        assert found is not None
        await asyncio.gather(
            recorder.found(case, found),
            recorder.answered(case, proof, given.status, "", None),
        )
        attempt = fold(journal.histories(["0000"])["0000"])[-1]
        assert (
            case.attempt is not None
            and case.attempt.outcome is attempt.outcome is Outcome.SUCCEEDED
        )
        assert bool(list(journal.events(["stop"]))) is (answer != "429")

    in_virtual_time(main())


def doubtful(fate: str = "ok") -> tuple[World, int]:
    """Four orders in doubt, left by a run that was told to end."""
    world = World(
        FakeGateway(lambda post, fields: "lost before" if post < 4 else fate),
        settings=SETTINGS,
    )
    world.run(1, meanwhile=interrupted)
    world.gateway.fate = lambda post, fields: "lost before" if post < 4 else fate
    for number in range(2, 5):
        world.run(number, meanwhile=interrupted)
    return world, len(world.gateway.posts)


def test_limits_hold_for_doubts_that_prove_absent_too() -> None:
    """--limit and --canary count them like rows of the file; an order for a barred recipient is not
    among them.
    """
    world, posts = doubtful()
    world.run(40, limits=Limits(orders=1))
    assert len(world.gateway.posts) == posts + 1
    world, posts = doubtful("declined")
    world.run(40, limits=Limits(canary=1))
    assert len(world.gateway.posts) == posts + 1


@pytest.mark.fault("E12", "B32")
def test_one_order_goes_alone_until_a_list_followed_it() -> None:
    """However long the list takes; when it cannot be had, nothing else is sent."""

    class SlowList(FakeGateway):
        async def page(
            self, since: str, offset: int, may_leave: Any, limit: int = 100
        ) -> Answer:
            if len(self.posts) == 1:
                await asyncio.sleep(2.5)
                assert len(self.posts) == 1
            return await super().page(since, offset, may_leave, limit)

    world = World(SlowList())
    assert set(world.run(50).values()) == {Outcome.SUCCEEDED}

    class NoList(FakeGateway):
        async def page(
            self, since: str, offset: int, may_leave: Any, limit: int = 100
        ) -> Answer:
            if self.posts:
                may_leave()
                return Answer(out=True, status=500)
            return await super().page(since, offset, may_leave, limit)

    world = World(NoList())
    world.run(50)
    assert len(world.gateway.posts) == 1


@pytest.mark.fault("C04", "B32")
def test_a_gateway_without_a_date_shows_its_clock_by_its_first_charge() -> None:
    """An hour apart: no look-up by time would prove anything, so nothing more is sent."""

    class Behind(FakeGateway):
        def _commit(
            self, fields: dict[str, str], status: str = "successful"
        ) -> dict[str, Any]:
            charge = super()._commit(fields, status)
            at = datetime.strptime(
                charge["created_at"], "%Y-%m-%dT%H:%M:%SZ"
            ) - timedelta(hours=1)
            charge["created_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            return charge

    world = World(Behind(only(1, "lost after")))
    world.run(3)
    assert len(world.gateway.posts) == 1
    assert world.line and "clock" in world.line.closed


@pytest.mark.fault("B32", "I6")
def test_a_page_with_a_late_date_does_not_end_a_list_early() -> None:
    """One node's clock is an hour behind: the charge on its second page is not taken for absent."""

    class Node(FakeGateway):
        async def page(
            self, since: str, offset: int, may_leave: Any, limit: int = 100
        ) -> Answer:
            answer = await super().page(since, offset, may_leave, limit)
            now = datetime.fromtimestamp(
                START_NS / 1e9 + asyncio.get_running_loop().time(), UTC
            )
            behind = timedelta(hours=1) if self.posts else timedelta()
            return replace(answer, date=format_datetime(now - behind, usegmt=True))

    world = World(
        Node(only(140, "lost after")),
        payer=lambda number: {"customer": f"cust_test_{number}"},
    )
    world.run(160)
    assert set(world.gateway.money().values()) == {1}


def test_a_corrected_row_comes_back_beside_the_file_it_corrects(market: Market) -> None:
    """Both files lie in the inbox: what was sent is history, the corrected row is the next
    attempt.
    """
    bad = order(1, card="tokn_test_sandbox000010011")
    market.orders([bad, order(2)], "orders-1.csv")
    market.job(file="orders-*.csv")
    assert market.run().returncode == 10
    market.orders([{**bad, "card": "tokn_test_sandbox900014242"}], "orders-2.csv")
    market.run()
    again = [row for row in market.results() if row["file"] == "orders-2.csv"]
    assert [(row["outcome"], row["attempts"]) for row in again] == [("succeeded", "2")]
    posts = market.posts()
    market.run()
    assert market.posts() == posts


@pytest.mark.fault("E13", "J06")
@pytest.mark.parametrize("state", ["batchpay.db", "another.db"])
def test_a_renamed_job_is_refused_before_it_charges_its_orders_again(
    market: Market, state: str
) -> None:
    """78 names the old job, in its own journal and in an empty one, also once the new name has
    charged something; another job that only shares order ids is left alone.
    """
    rows = [order(number) for number in range(3)]
    market.orders(rows)
    market.job()
    assert market.run().returncode == 0
    more = f'[state]\nurl = "sqlite:///state/{state}"'
    path = market.job(more=more)
    path.write_text(path.read_text().replace('name = "night"', 'name = "renamed"'))
    market.orders([order(50)], "new.csv")
    for _ in range(2):
        refused = market.run()
        assert (
            refused.returncode == 78
            and 'name = "night"' in refused.stderr + refused.stdout
        )
        # the refused file's rows wait for a person
        assert market.run("--input", "new.csv").returncode == 11
    assert market.posts() == 4
    market.orders([{**row, "amount": "999.00"} for row in rows], "others.csv")
    assert market.run("--input", "others.csv").returncode == 11
    assert market.posts() == 7


@pytest.mark.fault("D10", "B15")
@pytest.mark.parametrize(
    "forged", [{"amount": 1}, {"destination": "recp_test_sandbox9"}]
)
def test_adopting_proves_nothing_that_the_row_did_not_ask(
    market: Market, forged: dict[str, object]
) -> None:
    """A charge with other terms than its row is for a person, with its journal or without."""
    market.orders([order(1)])
    market.job()
    market.run()
    for folder in ("state", "reports"):
        shutil.rmtree(market.folder / folder)
    (charge,) = market.sandbox.charges()
    listed = {"object": "list", "total": 1, "data": [{**charge, **forged}]}
    market.sandbox.add_rule({"method": "GET", "path": "/charges", "body": listed})
    assert market.run("--adopt").returncode == 12
    assert market.outcomes() == {"unproven": 1}
    assert market.run().returncode == 12
    assert market.posts() == 1


@pytest.mark.fault("D10")
def test_an_adopted_charge_of_a_file_that_is_gone_still_counts(market: Market) -> None:
    """Pending at the gateway: 11 until it is decided, although no report has its row."""
    market.orders([order(1)])
    market.job()
    market.run()
    for folder in ("state", "reports"):
        shutil.rmtree(market.folder / folder)
    waiting = {"status": "pending", "paid": False, "chain": None}
    market.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", change=waiting
    )
    market.orders([order(50)], "other.csv")
    assert market.run("--adopt", "--input", "other.csv").returncode == 11


def made_elsewhere(
    world: World, fields: Mapping[str, str], status: str = "successful"
) -> dict[str, Any]:
    """A charge that this journal knows nothing of."""

    async def commit() -> dict[str, Any]:
        return world.gateway._commit(dict(fields), status)

    return in_virtual_time(commit(), world.now_s)[0]


def fields_of(attempt: int) -> dict[str, str]:
    """What the first order's attempt asks for."""
    intent = intent_of(
        document(0),
        job=JOB,
        attempt=attempt,
        fee=None,
        batch_id="b",
        sheet="",
        row=2,
        run_id="r",
        journal_id="lost",
    )
    return dict(parse_qsl(intent.body))


@pytest.mark.fault("L6", "L3", "D09")
@pytest.mark.parametrize("lands", [False, True])
def test_a_charge_of_the_next_attempt_is_kept_beside_one_in_doubt(lands: bool) -> None:
    """A backup from between an intent and its answer: the gateway has the attempt that followed.
    Nothing is sent for the order again, also when its doubt has ended; a charge of both is a stop
    that names both.
    """
    world = World(FakeGateway(lambda post, fields: "lost before"), settings=SETTINGS)
    world.run(1, meanwhile=interrupted)
    charges = [made_elsewhere(world, fields_of(2))]
    if lands:
        charges.append(made_elsewhere(world, world.gateway.posts[0][1]))
    for _ in range(3):
        world.run(1)
    assert len(world.gateway.posts) == 1
    first, adopted = fold(world.journal.histories(["0000"])["0000"])
    assert adopted.charge is not None and adopted.charge.id == charges[0]["id"]
    assert first.outcome is (Outcome.SUCCEEDED if lands else Outcome.HELD)
    assert [
        charge["id"] in reason for reason in world.stops()[:1] for charge in charges
    ] == [True] * 2 * lands


@pytest.mark.fault("L6", "B32")
def test_a_list_that_shows_the_later_attempt_first_stops_nothing() -> None:
    """The declined first charge comes a list later than the second one, which took the money."""
    world = World()
    made_elsewhere(world, fields_of(2))
    world.run(0, adopt=True)
    made_elsewhere(world, fields_of(1), "failed")
    world.run(1)
    assert [a.outcome for a in fold(world.journal.histories(["0000"])["0000"])] == [
        Outcome.DECLINED,
        Outcome.SUCCEEDED,
    ]
    assert world.stops() == [] and world.gateway.posts == []


@pytest.mark.fault("C04", "D10", "L11")
@pytest.mark.parametrize("ahead_days", [0.05, 50])
def test_a_clock_that_nobody_checked_bounds_no_list(ahead_days: float) -> None:
    """No Date header and a clock ahead: a run that saw no charge moves no bound, so what another
    journal charged is found; and an empty journal asks for everything, for even the beginning would
    be this clock's.
    """
    world = World(FakeGateway(), settings=SETTINGS, ahead_s=ahead_days * 86_400)
    made_elsewhere(world, fields_of(1))
    with pytest.raises(Misconfigured, match="--adopt"):
        world.run(1)
    world.run(1, adopt=True)
    assert {event.data["bound"] for event in world.journal.events(["listing"])} == {
        world.gateway.charges[0]["created_at"]
    }
    made_elsewhere(
        world,
        {
            **fields_of(1),
            "metadata[order_id]": "0001",
            "metadata[batchpay_key]": key_of(JOB, "0001", 1),
        },
    )
    world.ahead_s = 0.0
    world.run(2)
    assert world.gateway.posts == []


@pytest.mark.fault("L12", "G07", "G08")
def test_orders_handed_over_twice_or_not_at_all_cost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is to be sent is a hint: twice at once is sent once, and what is forgotten is sent by
    the next run.
    """
    world = World()
    hand_over = {
        "first": lambda rows: [row for row in rows[:6] for _ in range(2)],
        "second": lambda rows: rows,
    }
    for night in ("first", "second", "second"):
        monkeypatch.setattr(
            test_settlement,
            "candidates",
            lambda *given, how=hand_over[night]: how(list(candidates(*given))),
        )
        world.run(9)
    assert set(world.outcomes(9).values()) == {Outcome.SUCCEEDED}
    assert len(world.gateway.posts) == 9 and set(world.gateway.money().values()) == {1}


@pytest.mark.fault("B32", "I15")
def test_a_list_that_counts_what_it_does_not_show_yet_is_waited_for() -> None:
    """For a doubt period, in which whatever was sent comes to light: one order a night would be no
    progress.
    """

    class Hidden(FakeGateway):
        async def page(
            self, since: str, offset: int, may_leave: Any, limit: int = 100
        ) -> Answer:
            answer = await super().page(since, offset, may_leave, limit)
            total = sum(charge["created_at"] >= since for charge in self.charges)
            return replace(answer, said={**answer.said, "total": total})

    world = World(Hidden(lag_s=SETTINGS.doubt_period_s - 1), settings=SETTINGS)
    assert set(world.run(5).values()) == {Outcome.SUCCEEDED}
