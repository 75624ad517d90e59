"""Who holds the job: its lock, a journal that is its own and not older than it was, and the files
it took in.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.batches.clock import iso
from batchpay.batches.last import FIRST_LOOK, last_hold, last_inputs
from batchpay.batches.open_job import OpenJob, refuse_another_place
from batchpay.batches.session import (
    Options,
    _note_holds,
    _trouble,
    ask_the_gateway,
    asking,
    brought,
    limits_of,
    look_of,
)
from batchpay.batches.wholeness import Loss
from batchpay.domain.errors import (
    DoesNotAddUp,
    GatewaySilent,
    Misconfigured,
    NotAllowed,
    TryLater,
)
from batchpay.domain.events import Listed, RecipientsAsked, RunStarted, Stop
from batchpay.domain.model import Event
from batchpay.job.job import Job, Limit
from batchpay.job.key import secret_key
from batchpay.job.load import load_job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.places import place_of
from batchpay.settlement import Channel, Look
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.since import EVERYTHING
from tests.fakes import FakeClock
from tests.jobs import job_text
from tests.test_candidates import order, planned
from tests.test_lifecycle import BATCH
from tests.test_survivors_batches import lost
from tests.world import Market

JOB = job_text(gateway={"url": "http://127.0.0.1:1"}, customer='"customer"')
ORDERS = (
    "order_id,amount,currency,recipient,customer\n1,10.00,THB,recp_test_1,cust_test_1\n"
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = tmp_path / "job.toml"
    path.write_text(JOB, "utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS, "utf-8")
    return load_job(path)


@pytest.fixture
def journal(job: Job) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(job.state_path, job.name)
    yield opened
    opened.close()


def adopted() -> Event:
    return Event(
        "adopted", 1, order_id="a", attempt=1, data={"state": "succeeded", "intent": {}}
    )


# --- whose journal it is


@pytest.mark.fault("J03")
def test_a_journal_that_names_no_account_is_held_by_the_mode_of_its_files(
    job: Job, journal: SqliteJournal
) -> None:
    """Where it knows orders; one that knows adopted charges and no file yet is nobody else's."""
    journal.append([adopted()])
    refuse_another_place(job, journal)
    planned(journal, "test", [order("b")])
    refuse_another_place(job, journal)


@pytest.mark.fault("J03")
def test_a_journal_of_files_of_another_mode_is_refused(
    journal: SqliteJournal, job: Job
) -> None:
    """Nobody wrote down whose it is; its files were for live money."""
    planned(journal, "live", [order("b")], mode="live")
    journal.append([adopted()])
    with pytest.raises(Misconfigured, match="live"):
        refuse_another_place(job, journal)


@pytest.mark.fault("J03")
def test_a_journal_of_another_mode_is_refused(job: Job, journal: SqliteJournal) -> None:
    """By what was written down of the account, the last time."""
    for mode in ("test", "live"):
        journal.append(
            [
                Event(
                    "account",
                    1,
                    data={"account": "", "mode": mode, "url": "http://127.0.0.1:1"},
                )
            ]
        )
    with pytest.raises(Misconfigured, match="live"):
        refuse_another_place(job, journal)


# --- the journal that was


@pytest.mark.fault("D09", "J02")
def test_an_older_copy_of_the_journal_is_noticed_until_a_list_is_complete(
    job: Job,
) -> None:
    """By what the lock has seen of it; also by the run after one that died while it waited."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        desk.note(RunStarted())
        copy = shutil.copy(job.state_path, job.state_path.with_suffix(".old"))
        for _ in range(3):
            desk.note(RunStarted())
        assert desk.loss is None
    for suffix in ("-wal", "-shm"):
        Path(f"{job.state_path}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, job.state_path)
    for _ in range(2):
        with ExitStack() as stack:
            desk = OpenJob(job, stack)
            assert desk.loss is not None
            (told,) = desk.journal.events(["restored"])
            assert told.data["had"] > told.data["has"]
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        desk.note(Listed(bound="2026-11-24T00:00:00Z"))
    with ExitStack() as stack:
        assert OpenJob(job, stack).loss is None


# --- what it took in


@pytest.mark.fault("J14")
def test_the_files_of_a_run_are_noted_and_read_as_they_were_first_kept(
    job: Job,
) -> None:
    """The same file again: no new plan, no new note, the same rows."""
    for _ in range(2):
        with ExitStack() as stack:
            desk = OpenJob(job, stack)
            desk.take_in(stack, yes=False)
            (one,) = desk.planned
            assert [
                row["order_id"] for chunk in one.chunks() for row in chunk.documents
            ] == ["1"]
            assert last_inputs(desk.journal) == [one.batch.id]
            assert len(list(desk.journal.events(["batch.planned"]))) == 1
            assert len(list(desk.journal.events(["inputs"]))) == 1
            assert [candidate.order_id for candidate in desk.candidates()] == ["1"]
            assert (desk.survey().orders, desk.survey().sums) == (1, {"THB": 1000})


# --- one at a time


@pytest.mark.fault("E01")
def test_who_only_asks_takes_the_jobs_own_lock_and_says_since_when(job: Job) -> None:
    """A run that starts meanwhile is told of it; afterwards it has its turn."""
    with asking(job) as line, ExitStack() as stack:
        assert not line.closed
        with pytest.raises(TryLater, match=r"since \d{4}-\d\d-\d\dT"):
            OpenJob(job, stack)
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        with pytest.raises(
            TryLater, match=f"pid {os.getpid()}, since {iso(desk.started_ns)}"
        ):
            OpenJob(job, stack)


# --- what a run brings


@pytest.mark.fault("J01", "L11")
def test_a_run_looks_back_to_the_last_complete_list_and_further_when_told(
    job: Job,
) -> None:
    """A date that is younger than it shortens nothing; an empty journal looks as far as a charge
    may be unsettled.
    """
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        quiet_at_s = desk.started_s + job.gateway.doubt_period_s
        assert look_of(desk, Options(adopt=True)) == Look(
            desk.started - FIRST_LOOK, False, True, quiet_at_s
        )
        desk.journal.append([adopted()])
        desk.note(Listed(bound="2026-11-24T00:00:00Z"))
        bound = datetime(2026, 11, 24, tzinfo=UTC)
        for since, begin in (
            (None, bound),
            (bound + timedelta(1), bound),
            (bound - timedelta(1), bound - timedelta(1)),
        ):
            assert look_of(desk, Options(since=since)) == Look(
                begin, True, False, quiet_at_s
            )


@pytest.mark.fault("D09", "D10", "J02")
@pytest.mark.parametrize("adopt", [False, True])
def test_a_run_of_a_journal_that_lost_events_looks_as_far_as_they_may_reach(
    job: Job, adopt: bool
) -> None:
    """An older copy to its own last complete list; one that knows none, or was empty, to the
    beginning.
    """
    options = Options(adopt=adopt)
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        desk.journal.append([adopted()])
        for empty in (False, True):
            desk.loss = Loss("the lock", empty=empty, unowned=False)
            assert look_of(desk, options).since == EVERYTHING
        desk.note(Listed(bound="2026-11-24T00:00:00Z"))
        for empty, since in (
            (False, datetime(2026, 11, 24, tzinfo=UTC)),
            (True, EVERYTHING),
        ):
            desk.loss = Loss("the lock", empty=empty, unowned=False)
            look = look_of(desk, options)
            assert (look.since, look.lost) == (since, True)


@pytest.mark.parametrize("charges", [False, True])
def test_a_run_begins_with_what_the_gateway_last_said_of_recipients(
    job: Job, charges: bool
) -> None:
    """The latest word counts: who asks for nothing new shows it."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        for why in ("it is deleted", "it is not verified"):
            desk.note(
                RecipientsAsked(barred={"recp_test_1": why}, least_charge={"THB": 2000})
            )
        told = brought(desk, Options(), charges=charges).kept_preflight
        assert (told.barred, told.least_charge) == (
            {"recp_test_1": "it is not verified"},
            {"THB": 2000},
        )


@pytest.mark.fault("D10", "J02")
def test_a_lost_journal_waits_until_nothing_can_land_any_more(job: Job) -> None:
    """One that is taken over by a person's word; one that knows orders has lost nothing by that
    word.
    """
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        period_s = job.gateway.doubt_period_s
        lost = brought(desk, Options(adopt=True), charges=False)
        assert (lost.look, lost.started, lost.wait_s) == (
            look_of(desk, Options(adopt=True)),
            desk.started,
            period_s,
        )
        assert (lost.survey().orders, list(lost.candidates())) == (0, [])
        assert brought(desk, Options(), charges=True).wait_s == 0.0
        desk.journal.append([adopted()])
        assert brought(desk, Options(adopt=True), charges=True).wait_s == 0.0


def test_why_rows_were_held_is_noted_once_of_each_file_that_might_have_gone(
    job: Job,
) -> None:
    """A file that is refused has its own reason."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        desk.take_in(stack, yes=False)
        (one,) = desk.planned
        for why in ("", "limited", "limited"):
            _note_holds(desk, why)
        assert [event.data for event in desk.journal.events(["held"])] == [
            {"reason": "limited"}
        ]
        desk.planned = [one.refused("look at it")]
        _note_holds(desk, "the line is closed")
        assert last_hold(desk.journal, one.batch.id) == "limited"


# --- what is told of a run that got no answer


@pytest.mark.fault("B01")
@pytest.mark.parametrize(
    ("trouble", "told"), [("", "answer; "), ("no route", "answer (no route); ")]
)
def test_a_gateway_that_gave_no_answer_is_told_with_its_trouble(
    trouble: str, told: str
) -> None:
    """Where any is known; not when a signal ended the run first."""
    line = Channel(FakeClock(), Pacer(1, 1.0, 1), Breaker(1.0), lambda: None)
    line.trouble = trouble
    run: Any = SimpleNamespace(channel=line, whose_unknown="")
    (error,) = _trouble(run, "http://here", interrupted=False)
    assert (
        isinstance(error, GatewaySilent)
        and str(error).startswith("http://here gave not one ")
        and told in str(error)
    )
    assert _trouble(run, "http://here", interrupted=True) == ()
    run.whose_unknown = "nobody told whose the key is"
    (error,) = _trouble(run, "http://here", interrupted=False)
    assert str(error).startswith(
        "nobody told whose the key is" + (f" ({trouble})" if trouble else "")
    )


def test_what_closed_the_line_is_told_once_it_had_answered() -> None:
    """And nothing where nothing was wrong."""
    line = Channel(FakeClock(), Pacer(1, 1.0, 1), Breaker(1.0), lambda: None)
    line.answers = 1
    run: Any = SimpleNamespace(channel=line, whose_unknown="")
    assert _trouble(run, "http://here", interrupted=False) == ()
    line.close("wrong key", NotAllowed("wrong key"))
    assert _trouble(run, "http://here", interrupted=True) == (line.fatal,)


@pytest.mark.parametrize("closed", [False, True])
def test_a_persons_question_ends_with_what_closed_the_line(
    market: Market, closed: bool
) -> None:
    """An answer that was given before is none: half of it may be missing."""
    job = load_job(market.job())
    key = secret_key(market.command()[1]["env"], job.gateway)

    async def ask(gateway: Any, line: Channel) -> str:
        if closed:
            line.close("wrong key", NotAllowed("wrong key"))
        return "asked"

    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        asked = ask_the_gateway(desk, key, ask)
        if closed:
            with pytest.raises(NotAllowed, match="wrong key"):
                asyncio.run(asked)
        else:
            assert asyncio.run(asked) == "asked"


# --- what a run writes down before it sends


@pytest.mark.fault("J13", "J07")
def test_of_which_cells_ids_are_made_is_noted_once(job: Job) -> None:
    """And which files were there; a night without one is noted where there were some before."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        desk._note_inputs()
        assert list(desk.journal.events(["inputs"])) == []
        for _ in range(2):
            desk._note_ids()
        (told,) = desk.journal.events(["ids"])
        assert told.data == {"ids_from": job.columns.ids_from}
        assert (told.run_id, told.batch_id) == (desk.run_id, "")
        assert told.at_ns >= desk.started_ns
        desk.take_in(stack, yes=False)
        desk.planned = []
        for _ in range(2):
            desk._note_inputs()
        assert [event.data["batches"] for event in desk.journal.events(["inputs"])][
            1:
        ] == [[]]


@pytest.mark.fault("J07", "E05")
def test_rows_that_were_answered_are_noted_once(job: Job) -> None:
    """Each with the order that it turned out to be a duplicate of."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        planned(desk.journal, BATCH, [order("A"), order("B")])
        place, other = place_of(BATCH, "", 2), place_of(BATCH, "", 3)
        assert not desk.answered
        desk.note_answered({}, BATCH)
        assert not desk.answered
        for _ in range(2):
            desk.note_answered({place: "X"}, BATCH)
        assert desk.answered
        (told,) = desk.journal.events(["answered"])
        assert (told.batch_id, told.data["rows"]) == (BATCH, {place: "X"})
        # one charge answers for one sale
        desk.note_answered({other: "X"}, BATCH)
        assert len(list(desk.journal.events(["answered"]))) == 1
        desk.note_answered({other: "Y"}, BATCH)
        assert len(list(desk.journal.events(["answered"]))) == 2


@pytest.mark.fault("J02", "J32")
def test_what_only_the_look_told_of_a_file_is_kept_with_it(job: Job) -> None:
    """It is asked about, as it would have been before; a file of which nothing is told is left."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        rows = [order("n1"), order("n2", 7)]
        new = planned(desk.journal, BATCH, rows)
        quiet = planned(desk.journal, "quiet", [order("q1", 9)])
        desk.planned = [new, quiet]
        desk.judge_again()
        assert desk.refused() == []
        for name, amount in (("x", 1000), ("y", 7)):
            desk.journal.append([lost(name, amount, job.columns.ids_from)])
        desk.judge_again()
        (refused,) = desk.refused()
        assert "orders.csv: 2 of its 2 new orders" in str(refused)
        kept = {batch.id: batch.refusal for batch in desk.journal.batches()}
        assert "2 of its 2 new orders" in kept[BATCH] and kept["quiet"] == ""
        assert [bool(one.batch.refusal) for one in desk.planned] == [True, False]


@pytest.mark.fault("L10", "L11")
def test_what_does_not_add_up_while_rows_are_walked_is_a_stop(job: Job) -> None:
    """And ends the run with its own words."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        with pytest.raises(DoesNotAddUp, match="look at it"), desk._stopping():
            raise DoesNotAddUp("look at it")
        (stop,) = desk.journal.events(["stop"])
        assert "look at it" in stop.data["reason"]
        with desk._stopping():
            pass
        assert "look at it" in str(desk.stop)


def test_who_holds_a_job_says_since_when(job: Job) -> None:
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        with pytest.raises(TryLater) as told, ExitStack() as second:
            OpenJob(job, second)
        assert iso(desk.started_ns) in str(told.value)


@pytest.mark.fault("H04")
@pytest.mark.parametrize(
    ("deadline", "hour"), [("", None), ("06:00", 6), ("23:30", 23.5)]
)
def test_how_far_a_run_may_go(job: Job, deadline: str, hour: float | None) -> None:
    """As its flags and its job say; to the next time of that name."""
    controls = replace(
        job.controls,
        deadline=deadline,
        time_zone="UTC",
        max_failures=Limit(count=3),
    )
    began = datetime(2026, 11, 24, 5, tzinfo=UTC)
    started_ns = int(began.timestamp()) * 10**9 + 999_999_999
    limited = replace(job, controls=controls)
    found = limits_of(limited, Options(limit=7, canary=2), started_ns)
    assert (found.orders, found.canary) == (7, 2)
    assert found.max_failures == Limit(count=3)
    if hour is None:
        assert found.deadline_ns is None
    else:
        midnight = datetime(2026, 11, 24, tzinfo=UTC)
        at = midnight + timedelta(hours=hour)
        assert found.deadline_ns == int(at.timestamp()) * 10**9
        assert found.deadline == f"{deadline} UTC"


@pytest.mark.fault("D09", "J02")
def test_a_run_of_a_journal_that_lost_events_brings_what_makes_it_whole(
    job: Job,
) -> None:
    """And waits first; another one brings nothing of the kind."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        whole = brought(desk, Options(), charges=True)
        assert whole.recovers is None and whole.wait_s == 0.0
        desk.loss = Loss("the lock", empty=False, unowned=False, had=9, has=3)
        lacking = brought(desk, Options(), charges=True)
        assert lacking.recovers is not None
        assert (lacking.recovers.had, lacking.recovers.has) == (9, 3)
        assert lacking.wait_s == job.gateway.doubt_period_s
        desk.take_in(stack, yes=False)
        asked = lacking.survey()
        assert (asked.orders, asked.recipients) == (1, frozenset({"recp_test_1"}))


def test_that_rows_were_held_by_a_stop_is_noted_each_time(job: Job) -> None:
    """It may have been lifted meanwhile, and be in force again."""
    with ExitStack() as stack:
        desk = OpenJob(job, stack)
        desk.take_in(stack, yes=False)
        assert not _note_holds(desk, "")
        assert _note_holds(desk, "limited") and not _note_holds(desk, "limited")
        desk.note(Stop(reason="look"))
        for _ in range(2):
            assert _note_holds(desk, "a stop is in force: look")
        told = [event.data for event in desk.journal.events(["held"])]
        assert [one.get("stop", False) for one in told] == [False, True, True]
