"""Where one small change of what is decided about files once went unseen: what may be sent of them,
what they resemble, and what people told of their orders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.batches import renaming
from batchpay.batches.adopted import (
    held_against_adopted,
    like_adopted,
)
from batchpay.batches.candidates import candidates
from batchpay.batches.drafts import batch_id_in, drafts_of
from batchpay.batches.judging import judge_files, said_new
from batchpay.batches.planned import (
    Placed,
    PlannedBatch,
    guards_before,
    placed_rows,
    rows_in_turn,
)
from batchpay.batches.survey import NAMED, Survey, refuse_impossible, survey
from batchpay.batches.words import resolved_event, said_json, stops_in_force
from batchpay.domain.errors import DoesNotAddUp, Misconfigured
from batchpay.domain.events import (
    IdsRenamed,
    Lifted,
    OrderCancelled,
    Resolved,
    Stop,
    line,
)
from batchpay.domain.model import Event, Outcome, Repeat, StoredChunk
from batchpay.job.job import Job
from batchpay.job.load import load_job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.names import Names
from batchpay.lifecycle.places import batch_id_of, by_order, place_of
from batchpay.lifecycle.rows import (
    ConflictWith,
    DuplicateOf,
    Elsewhere,
    Guards,
    MayGo,
    Owns,
    Rejected,
    Renamed,
    Row,
    Waits,
)
from batchpay.lifecycle.sale_terms import fitting_terms
from batchpay.messages import steps
from batchpay.messages.message import plain
from batchpay.messages.standing import FAR_ABOVE, NEAR_ONE
from tests.jobs import job_text
from tests.test_candidates import DAY_NS, FIRST_NS, held_against, order, planned
from tests.test_kinship import Telling
from tests.test_lifecycle import FIRST, INTENT
from tests.test_survivors_life import seen_as, stands_as


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = tmp_path / "job.toml"
    path.write_text(job_text(customer='"customer"'), "utf-8")
    return load_job(path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "j.db", "night")
    yield opened
    opened.close()


BATCH = "2026-11-24-0123456789ab"
OTHER = "2026-11-25-ba9876543210"


def begun(order_id: str, batch_id: str = BATCH, row: int = 2, **asked: Any) -> Event:
    """An attempt of an order began."""
    told = {
        "amount": 1000,
        "currency": "thb",
        "destination": "recp_test_1",
        "payer": "cust_1",
        **dict.fromkeys(
            ("key", "body", "body_sha256", "content", "run_id", "alike"), ""
        ),
        **asked,
    }
    told["key"] = told["key"] or f"key of {order_id}"
    data = {"intent": told, "boot_id": "b", "boot_s": 1.0, "state": "in_doubt"}
    where: dict[str, Any] = {"batch_id": batch_id, "row": row, "order_id": order_id}
    return Event("intent", 1, run_id="r1", attempt=1, send=1, data=data, **where)


def answered(order_id: str, state: str = "succeeded", **charge: Any) -> Event:
    """It was charged."""
    made = seen_as(**{"charge_id": f"chrg_test_{order_id}", "amount": 1000, **charge})
    shown = {**made.to_json(), "metadata": {"batchpay_key": f"key of {order_id}"}}
    data = {"verdict": "charge", "charge": shown, "state": state}
    return Event("answer", 2, order_id=order_id, attempt=1, send=1, data=data)


# --- what may be sent


def placed(standing: Any, order_id: str = "0001", row: int = 2) -> Placed:
    return Placed(Row(BATCH, "", row, order(order_id)), standing)


@pytest.mark.fault("E04", "I17")
def test_what_goes_on_counts_as_it_was_asked_and_a_few_warnings_are_named(
    job: Job,
) -> None:
    """Of resembling orders and of odd amounts apart; the rest is counted."""
    found = Survey()
    intent = replace(INTENT, amount=7, currency="jpy", destination="r9")
    attempt = replace(stands_as(), intent=intent)
    found.add(job, placed(Owns(attempt, resumes=True)))
    found.add(job, placed(DuplicateOf(attempt, (), resumes=True)))
    assert (found.orders, found.sums, found.counts) == (2, {"JPY": 14}, {"JPY": 2})
    assert found.recipients == {("r9", "JPY"): [2, 14]}
    assert set(found.commission.values()) == {0}
    near = NEAR_ONE(order="0009", batch="b")
    far = FAR_ABOVE(amount="1", orders=10, most="2")
    for number in range(NAMED + 2):
        warned = MayGo(1, warnings=(near, far) if number else (near,))
        found.add(job, placed(warned, f"order {number}"))
    assert (found.warned, found.unusual) == (NAMED + 2, NAMED + 1)
    assert (len(found.resembling), len(found.outside)) == (NAMED, NAMED)
    assert found.resembling[0].startswith("order 0: order 0009 of batch b")
    assert "order 0009" not in found.outside[0]
    assert found.outside[0].startswith("order 1: ")


@pytest.mark.fault("J06", "L11")
def test_a_row_that_no_run_may_pass_by_ends_it() -> None:
    """An adopted charge of other terms, with what to do; or another job's very order."""
    adopted = replace(stands_as(seen_as()), adopted=True)
    refuse_impossible(placed(Owns(adopted)))
    refuse_impossible(placed(MayGo(1)))
    with pytest.raises(DoesNotAddUp) as told:
        refuse_impossible(placed(Owns(adopted, contradicts=True), row=7))
    for word in (
        "order 0001",
        "has chrg_test_1 for it",
        "row 7",
        "charged:chrg_test_1",
    ):
        assert word in str(told.value)
    with pytest.raises(DoesNotAddUp, match="has a charge for it"):
        refuse_impossible(placed(Owns(stands_as(), contradicts=True)))
    theirs = Elsewhere("day", "chrg_test_9", "", "r", 5, "thb")
    with pytest.raises(Misconfigured, match=r'by job "day" \(chrg_test_9\)'):
        refuse_impossible(placed(Renamed(theirs)))


@pytest.mark.fault("J14")
def test_of_an_order_one_row_goes_a_run(job: Job, journal: SqliteJournal) -> None:
    """What became of it in this very run makes way for no other row of it."""
    journal.append([begun("a", OTHER, 9), answered("a", "declined", status="failed")])
    batch = planned(journal, BATCH, [order("a", 2000), order("b"), order("c", 7)])
    guards = Guards(present=(BATCH,))

    def sent(run_id: str) -> list[tuple[str, int]]:
        found = candidates(job, journal, [batch], guards, run_id)
        return [
            (one.order_id, one.intent.attempt)
            for one in found
            if one.intent is not None
        ]

    assert sent("r2") == [("a", 2), ("b", 1), ("c", 1)]
    assert sent("r1") == [("b", 1), ("c", 1)]
    assert survey(job, journal, [batch], guards).orders == 3
    limited = replace(guards, max_day={"THB": 2000})
    some = list(candidates(job, journal, [batch], limited, "r2"))
    assert [one.order_id for one in some] == ["a"]
    assert some[0].intent is not None
    asked = some[0].intent
    assert (asked.mode, asked.ids_from) == ("test", job.columns.ids_from)
    assert asked.extras_from == job.extras_from and asked.run_id == "r2"
    refused = batch.refused("no")
    assert list(candidates(job, journal, [refused], guards, "r2")) == []


@pytest.mark.fault("J13")
def test_what_goes_on_goes_as_it_was_asked(job: Job, journal: SqliteJournal) -> None:
    """From its own row, or from another file that asks for it; with the attempts before it."""
    voided = Event("voided", 2, order_id="a", attempt=1, send=1, data={"state": "held"})
    journal.append([begun("a", content=""), voided])
    own = planned(journal, BATCH, [order("a")])
    (found,) = candidates(job, journal, [own], Guards(present=(BATCH,)), "r2")
    assert (found.order_id, found.intent, found.before) == ("a", None, ())


@pytest.mark.fault("J06")
def test_who_asks_strictly_is_told_of_what_no_run_may_pass_by(
    job: Job, journal: SqliteJournal, tmp_path: Path
) -> None:
    """Another job of the same file charged the very order."""
    theirs = SqliteJournal(tmp_path / "j.db", "day")
    theirs.append([begun("a"), answered("a")])
    theirs.close()
    batch = planned(journal, OTHER, [order("a"), order("b")])
    guards = Guards(present=(OTHER,))
    assert survey(job, journal, [batch], guards).orders == 1
    for asked in (
        lambda: survey(job, journal, [batch], guards, strict=True),
        lambda: list(candidates(job, journal, [batch], guards, "r2")),
    ):
        with pytest.raises(Misconfigured, match='by job "day"'):
            asked()


# --- files


def test_reasons_against_a_file_are_told_side_by_side(journal: SqliteJournal) -> None:
    batch = planned(journal, BATCH, [order("a")])
    assert batch.refused("one").refused("", "two").batch.refusal == "one two"
    assert batch.refused("").batch.refusal == ""
    assert batch.warned("like another").batch.likeness == "like another"


@pytest.mark.fault("H04", "E04")
def test_rows_are_walked_in_turn_and_know_of_those_before_them(
    job: Job, journal: SqliteJournal
) -> None:
    """In one file or several; of a refused file none."""
    first = planned(journal, BATCH, [order("17", 10), order("b", 10)])
    second = planned(journal, OTHER, [order("0017", 10), order("c", 20)])

    def kinds(*batches: PlannedBatch, **limits: Any) -> list[type]:
        guards = Guards(present=(BATCH, OTHER), **limits)
        return [
            type(one.standing) for one in rows_in_turn(job, journal, batches, guards)
        ]

    assert kinds(first) == [MayGo, MayGo]
    assert kinds(first, second) == [MayGo, MayGo, ConflictWith, MayGo]
    assert kinds(second) == [MayGo, MayGo]
    assert kinds(first.refused("no"), second) == [MayGo, MayGo]
    assert kinds(first, max_day={"THB": 10}) == [MayGo, Waits]


@pytest.mark.fault("E08", "J13")
def test_rows_know_what_was_decided_about_their_file(
    job: Job, journal: SqliteJournal
) -> None:
    """Its refusal, its repeats, what settled them elsewhere, and of which sale they are."""
    batch = planned(journal, BATCH, [order("a"), order("b"), order("c")])
    repeats = {("", 3): Repeat(Outcome.REJECTED, plain("row 2 has its token"))}
    batch = replace(batch, repeats=repeats)
    guards = Guards(present=(BATCH,))
    one, two, _ = placed_rows(job, journal, batch, guards)
    assert isinstance(one.standing, MayGo) and isinstance(two.standing, Rejected)
    assert (one.later, one.sale) == (None, "")
    refused = list(placed_rows(job, journal, batch.refused("no"), guards))
    assert isinstance(refused[0].standing, Waits)
    journal.append([begun("b", OTHER, 9), answered("b")])
    journal.append([begun("c", BATCH, 4), answered("c")])
    told = list(placed_rows(job, journal, batch, guards, decided=True))
    assert [item.row.row for item in told] == [2, 3, 4]
    assert told[1].later is None  # it was charged before this file came
    assert told[0].sale == by_order("a")
    early = replace(batch, batch=replace(batch.batch, first_seen_ns=0))
    (_, later, _) = placed_rows(job, journal, early, guards, decided=True)
    assert later.later is not None and later.later.intent.order_id == "b"
    undecided = [item.row.row for item in placed_rows(job, journal, batch, guards)]
    assert undecided == [2, 3]


@pytest.mark.fault("J13", "J07")
def test_a_file_that_the_journal_knows_keeps_its_id_and_its_day(
    job: Job, journal: SqliteJournal
) -> None:
    """By what is in it; another one gets an id of its own, with the day on which it came."""
    known = planned(journal, BATCH, [order("a")]).batch
    received = datetime(2026, 12, 1, tzinfo=UTC)
    assert batch_id_in(job, journal, received, known.sha256) == BATCH
    new_id = batch_id_of(received, "night", "5" * 64)
    assert batch_id_in(job, journal, received, "5" * 64) == new_id
    assert new_id.startswith("2026-12-01-")

    def intake(batch_id: str) -> Any:
        return SimpleNamespace(
            batch_id=batch_id,
            snapshot=SimpleNamespace(name="orders.csv", sha256="5" * 64, format="csv"),
            tally=SimpleNamespace(read=1, reading=lambda: ()),
            columns=(),
            notes=(),
            refusal="",
            features=SimpleNamespace(fingerprint="f", sample=("s",)),
            rows=lambda: (),
            repeats={("", 3): Repeat(Outcome.DUPLICATE, plain("x"))},
            had_other_ids=batch_id == OTHER,
        )

    files: Any = SimpleNamespace(files=[intake(BATCH), intake(OTHER)])
    now_ns = FIRST_NS + 7
    first, second = drafts_of(job, journal, files, now_ns)
    came_ns = (first.batch.first_seen_ns, second.batch.first_seen_ns)
    assert came_ns == (FIRST_NS, now_ns)
    assert (first.had_other_ids, second.had_other_ids) == (False, True)
    assert list(first.repeats) == [("", 3)] and list(first.chunks()) == []


# --- files that resemble others


@pytest.mark.fault("E04")
def test_a_file_that_asks_again_names_the_one_that_was_sent(
    journal: SqliteJournal,
) -> None:
    """With what is to be done, and how many orders stand beside; ids that are known are none."""
    old = [order("a"), order("b", 7), order("c", 9)]
    sent = planned(journal, BATCH, old)
    never = planned(journal, "never", old)
    journal.append([begun("a"), answered("a")])
    new_orders = [order("d"), order("e", 7), order("f", 9)]
    new = planned(journal, OTHER, new_orders, FIRST_NS + DAY_NS)
    found = held_against(journal, [never, sent, new], new, FIRST_NS + DAY_NS)
    for word in (
        "No order id of this file is known",
        f"batch {BATCH} (orders.csv, received 2026-",
        OTHER,
    ):
        assert word in found.refusal
    assert "beside" not in found.refusal and found.warning == ""
    more = planned(journal, "more", [*new_orders, order("g", 11)], FIRST_NS + DAY_NS)
    told = held_against(journal, [sent], more, FIRST_NS + DAY_NS)
    assert not told.refusal or "beside 1 more" in told.refusal
    refused = held_against(journal, [sent], new.refused("no"), FIRST_NS + DAY_NS)
    assert refused.refusal == refused.warning == ""
    # it was received in time, whenever it is asked about
    late = planned(journal, "late", new_orders, FIRST_NS + 5 * DAY_NS)
    assert held_against(journal, [sent], late, FIRST_NS + 12 * DAY_NS).refusal
    # an id that is another name of a known order is known
    renamed = {"ids": {"d": ["a"]}, "had": {}, "ids_from": ""}
    journal.append([Event("renamed", 6, data=renamed)])
    assert not held_against(journal, [sent], new, FIRST_NS + DAY_NS).refusal
    same_ids = planned(journal, "same", old, FIRST_NS + DAY_NS)
    assert held_against(journal, [sent], same_ids, FIRST_NS + DAY_NS).refusal == ""


@pytest.mark.fault("E04")
def test_a_file_of_which_a_part_is_alike_is_warned_of(journal: SqliteJournal) -> None:
    """Half of its orders; how many, and of which batch."""
    sent = planned(journal, BATCH, [order(f"a{n}", 500 + n) for n in range(10)])
    rows = [order(f"b{n}", 500 + n) for n in range(6)]
    rows += [order(f"b{n}", 900 + n) for n in range(6, 10)]
    new = planned(journal, OTHER, rows, FIRST_NS + DAY_NS)
    found = held_against(journal, [sent], new, FIRST_NS + DAY_NS)
    assert found.refusal == "" and "6 of its 10 new orders" in found.warning
    assert f"batch {BATCH}" in found.warning and "others" not in found.warning
    quiet = held_against(
        journal, [sent], new, FIRST_NS + DAY_NS, lambda _: [f"b{n}" for n in range(6)]
    )
    assert quiet.warning == ""


def sizes(name: str, *amounts: int) -> list[dict[str, Any]]:
    """Orders of these amounts, of one payer and recipient."""
    return [order(f"{name}{amount}", amount) for amount in amounts]


SIX, FOUR = range(500, 506), range(900, 904)


@pytest.mark.fault("E04")
def test_what_was_asked_of_a_file_is_asked_until_somebody_answers(
    journal: SqliteJournal,
) -> None:
    """Of the file itself, or of the orders of another; else it is a warning."""
    sent = planned(journal, BATCH, sizes("a", *SIX))
    new = planned(journal, OTHER, sizes("b", *SIX[:5], *FOUR), FIRST_NS + DAY_NS)
    now_ns = FIRST_NS + DAY_NS
    assert (
        "5 of its 9 new orders ask"
        in held_against(journal, [sent], new, now_ns).warning
    )
    ask = str(steps.NEW_ORDERS(batch=OTHER))
    asked = new.refused(
        f"They may be those of another file. {ask[0].upper()}{ask[1:]}."
    )
    journal.judge(Event("batch.planned", now_ns), asked.batch)
    found = held_against(journal, [sent], new, now_ns)
    assert "5 of its 9 new orders were refused already" in found.refusal
    assert f"those of batch {BATCH}" in found.refusal and found.refusal.endswith(
        f"{ask}."
    )
    journal.judge(Event("batch.planned", now_ns), new.batch)
    again = planned(journal, "again", sizes("b", *SIX[:5], *FOUR, 910), now_ns)
    told = held_against(journal, [sent, asked], again, now_ns)
    assert "5 of its 10 new orders were refused already" in told.refusal
    free = held_against(journal, [sent, new], again, now_ns)
    assert free.refusal == ""


@pytest.mark.fault("E04")
def test_a_file_that_holds_another_is_told_with_what_stands_beside(
    journal: SqliteJournal,
) -> None:
    """All orders of a few, among many; of two files the one most like it is named."""
    sent = planned(journal, BATCH, sizes("a", *SIX))
    many = planned(journal, OTHER, sizes("b", *range(400, 440), *SIX), FIRST_NS + 1)
    found = held_against(journal, [sent], many, FIRST_NS + 1)
    assert f"those of batch {BATCH}" in found.refusal
    assert "), beside 40 more: " in found.refusal
    first = planned(journal, "first", sizes("c", *SIX))
    second = planned(journal, "second", sizes("d", *range(600, 604)))
    rows = sizes("e", *SIX[:5], *range(600, 603))
    new = planned(journal, "new", rows, FIRST_NS + 1)
    told = held_against(journal, [second, first], new, FIRST_NS + 1).warning
    assert "5 of its 8 new orders" in told and "batch first" in told
    assert "), 3 as those of others: see" in told


@pytest.mark.fault("E04")
def test_a_warning_about_a_file_is_kept_when_it_first_came(
    job: Job, journal: SqliteJournal, tmp_path: Path
) -> None:
    """A person's yes lets a file go that would be refused."""
    sent = planned(journal, BATCH, sizes("a", *SIX))
    aside = SqliteJournal(tmp_path / "aside.db", "night")
    some = planned(aside, OTHER, sizes("b", *SIX[:5], *FOUR), FIRST_NS + 1)
    all_ = planned(aside, "all", sizes("c", *SIX), FIRST_NS + 1)

    def judged(batch: PlannedBatch, *, yes: bool = False) -> PlannedBatch:
        found = judge_files(job, journal, [sent, batch], yes=yes, now_ns=FIRST_NS + 1)
        return found[1]

    assert "5 of its 9 new orders" in judged(some).batch.likeness
    assert judged(some).batch.refusal == ""
    assert "No order id of this file is known" in judged(all_).batch.refusal
    assert judged(all_, yes=True).batch.refusal == ""
    planned(journal, OTHER, sizes("b", *SIX[:5], *FOUR), FIRST_NS + 1)
    assert judged(some).batch.likeness == ""
    aside.close()


@pytest.mark.fault("J02", "J32")
def test_a_file_is_held_against_adopted_charges_that_no_row_shows(
    job: Job, journal: SqliteJournal
) -> None:
    """Two at least; not where a row of the file shows them, a person spoke of them, they took
    nothing, or the file is refused anyway.
    """
    rows = [order("n1"), order("n2", 7)]
    for number, amount in enumerate((1000, 7)):
        name = f"lost{number}"
        told = begun(name, "gone", 0, amount=amount, ids_from=job.columns.ids_from)
        shown = answered(name, amount=amount).data["charge"]
        data = {"intent": told.data["intent"], "charge": shown, "flaws": []}
        adopted = replace(
            told, kind="adopted", send=0, run_id="", data={**data, "state": "succeeded"}
        )
        journal.append([adopted])
    new = planned(journal, OTHER, rows)
    guards = guards_before(job, journal, [new])

    def found(batch: PlannedBatch = new) -> Sequence[str]:
        ((_, one),) = like_adopted(job, journal, [batch], guards)
        return one.found

    assert sorted(found()) == ["chrg_test_lost0", "chrg_test_lost1"]
    assert list(found(new.refused("no"))) == []
    asked = {"orders": [], "charges": ["chrg_test_lost0"]}
    journal.append([Event("new_orders", 3, data=asked)])
    assert list(found()) == []  # one is too few
    (held,) = held_against_adopted(job, journal, [new], guards)
    assert held.batch.refusal == ""


def lost(name: str, amount: int, ids_from: str = "elsewhere") -> Event:
    """A charge that was found at the gateway when the journal had been lost."""
    told = begun(name, "gone", 0, amount=amount, ids_from=ids_from)
    shown = answered(name, amount=amount).data["charge"]
    data = {"intent": told.data["intent"], "charge": shown, "flaws": []}
    return replace(
        told, kind="adopted", send=0, run_id="", data={**data, "state": "succeeded"}
    )


@pytest.mark.fault("J02", "J32")
def test_a_charge_that_a_row_of_the_file_shows_is_asked_about_by_nobody(
    job: Job, journal: SqliteJournal, tmp_path: Path
) -> None:
    """Nor is a row new that asks for one attempt more; what a person is asked names a charge."""
    aside = SqliteJournal(tmp_path / "aside.db", "night")
    rows = [order("n1"), order("n2", 7), order("n3"), order("n4", 9), order("n5", 9)]
    new = planned(aside, OTHER, rows)
    ids_from = job.columns.ids_from
    for event in (
        lost("n3", 1000, ids_from),
        lost("x", 7, ids_from),
        lost("y", 9, ids_from),
    ):
        journal.append([event])
    ended = answered("n4", "declined", status="failed", paid=False, amount=9)
    journal.append([begun("n4", BATCH, 9, amount=9, content="other"), ended])
    guards = guards_before(job, journal, [new])
    assert list(guards.present) == [OTHER]
    ((_, found),) = like_adopted(job, journal, [new], guards)
    assert sorted(found.found) == ["chrg_test_x", "chrg_test_y"]
    assert found.new == 3  # n1, n2 and n5
    (held,) = held_against_adopted(job, journal, [new], guards)
    assert "2 of its 3 new orders" in held.batch.refusal
    assert f"such as {found.found[0]}: they may be" in held.batch.refusal
    ask = str(steps.NEW_ORDERS(batch=OTHER))
    assert f"other ids; {ask}." in held.batch.refusal
    aside.close()


@pytest.mark.fault("J02", "J07")
def test_a_persons_yes_is_about_what_it_answers_and_nothing_else(
    job: Job, journal: SqliteJournal, tmp_path: Path
) -> None:
    """Orders that resemble charges of ids that nobody knows, and such charges; where ids never
    were others, about nothing.
    """
    aside = SqliteJournal(tmp_path / "aside.db", "night")
    new = planned(aside, OTHER, [order("n1"), order("n2", 7), order("n3", 9)])
    assert said_new(job, journal, [new]) is None
    journal.append([lost("q", 99)])  # ids were others once, and nothing of it resembles
    assert said_new(job, journal, [new]) is None
    journal.append([lost("x", 1000)])
    guards = guards_before(job, journal, [new])
    first, second, _ = placed_rows(job, journal, new, guards)
    assert isinstance(first.standing, Waits) and first.resembles
    assert isinstance(second.standing, MayGo) and not second.resembles
    assert not (first.is_typed or second.is_typed)
    said = said_new(job, journal, [new])
    terms = fitting_terms("cust_1", "recp_test_1", 1000, "thb")[0]
    assert said is not None
    assert (said.orders, said.charges) == (((terms, "n1"),), ())
    journal.append([lost("y", 7)])
    both = said_new(job, journal, [new])
    assert both is not None and len(both.orders) == 2
    assert both.charges == ()  # of three that nobody asked for two are no whole
    journal.append(
        [Event("new_orders", 3, data={"orders": [], "charges": ["chrg_test_q"]})]
    )
    whole = said_new(job, journal, [new])
    assert whole is not None and whole.charges == ("chrg_test_x", "chrg_test_y")
    typed = {"ids": {}, "had": {}, "ids_from": "", "back": {"n3": [by_order("zz")]}}
    journal.append([Event("renamed", 6, data=typed)])
    *_, third = placed_rows(job, journal, new, guards)
    assert third.is_typed and not third.resembles
    told = said_new(job, journal, [new])
    assert told is not None and "n3" in [order_id for _, order_id in told.orders]
    aside.close()


@pytest.mark.fault("J24")
def test_a_report_of_the_other_mode_is_not_written_over(
    job: Job, journal: SqliteJournal
) -> None:
    batch = planned(journal, BATCH, [order("a")])
    folder = job.report.directory / BATCH
    folder.mkdir(parents=True)
    for told in ({"job": "night", "mode": "test"}, {"job": "day", "mode": "live"}):
        (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
        judged = judge_files(job, journal, [batch], yes=True, now_ns=FIRST_NS)
        assert [one.batch.refusal for one in judged] == [""]
    live = {"job": "night", "mode": "live"}
    (folder / "manifest.json").write_text(json.dumps(live), "utf-8")
    with pytest.raises(Misconfigured, match="this very file in live mode"):
        judge_files(job, journal, [batch], yes=True, now_ns=FIRST_NS)


@pytest.mark.fault("E04")
def test_of_two_files_of_one_run_the_later_one_is_asked_about(
    job: Job, journal: SqliteJournal
) -> None:
    """Whichever stands first; where nothing of it would be sent nobody is asked."""
    one = planned(journal, BATCH, [order("a"), order("b", 7)], FIRST_NS + 5)
    two = planned(journal, OTHER, [order("c"), order("d", 7)], FIRST_NS)
    for batches in ([one, two], [two, one]):
        judged = judge_files(job, journal, batches, yes=False, now_ns=FIRST_NS + DAY_NS)
        refused = {found.batch.id for found in judged if found.batch.refusal}
        assert refused == {BATCH}
    same = [
        replace(found, batch=replace(found.batch, first_seen_ns=1))
        for found in (one, two)
    ]
    judged = judge_files(job, journal, same, yes=False, now_ns=2)
    assert [bool(found.batch.refusal) for found in judged] == [False, True]
    for name in ("a", "b"):
        journal.append([Event("cancelled", 1, order_id=name, data={"reason": "no"})])
    judged = judge_files(job, journal, [two, one], yes=False, now_ns=FIRST_NS + DAY_NS)
    assert [found.batch.refusal for found in judged] == ["", ""]


# --- what people told


@pytest.mark.fault("J02", "J35")
def test_what_people_said_is_told_with_all_that_its_order_is_known_by(
    journal: SqliteJournal,
) -> None:
    """Of orders that were never sent, and of attempts; while it holds."""
    planned(journal, BATCH, [order("a"), order("b")])
    assert said_json(journal) == {}
    places = (place_of(BATCH, "", 3), place_of(BATCH, "", 2))
    word = OrderCancelled(reason="fraud", by="kim", sale=places)
    journal.append([line(word, 5 * 10**9, order_id="b")])
    renamed = {"ids": {"c": ["b"]}, "had": {}, "ids_from": ""}
    journal.append([Event("renamed", 6, data=renamed)])
    for order_id, said in (("d", "not-charged"), ("e", "cancelled"), ("f", "accepted")):
        told = {"as": said, "reason": "looked", "by": "me"}
        where: dict[str, Any] = {"order_id": order_id, "attempt": 1}
        resolved = Event(
            "resolved", 7 * 10**9, data={**told, "state": "refused"}, **where
        )
        journal.append([begun(order_id, row=ord(order_id)), resolved])
    undone = [
        begun("h"),
        replace(
            resolved,
            order_id="h",
            data={**told, "as": "not-charged", "state": "refused"},
        ),
        replace(answered("h"), kind="found", send=0),
    ]
    for one in undone:
        journal.append([one])
    twice = {"as": "not-charged", "reason": "first", "by": "me", "state": "refused"}
    for event in (
        begun("g"),
        replace(resolved, order_id="g", data=twice),
        replace(resolved, order_id="g", data={**twice, "as": "accepted", "by": "kim"}),
    ):
        journal.append([event])
    found = said_json(journal, ["chrg_2", "chrg_1", "chrg_2"])
    assert found["unproven"] == ["chrg_1", "chrg_2"] and "stops" not in found
    words = {one["order_id"]: one for one in found["words"]}
    assert set(words) == {"b", "d", "e", "g"} and words["g"]["by"] == "me"
    assert words["b"]["as"] == words["e"]["as"] == "cancelled"
    assert (words["d"]["as"], words["d"]["by"]) == ("not-charged", "me")
    assert (words["b"]["reason"], words["b"]["by"]) == ("fraud", "kim")
    assert (words["b"]["at"], words["d"]["at"]) == (
        "1970-01-01T00:00:05Z",
        "1970-01-01T00:00:07Z",
    )
    keys = words["b"]["keys"]
    assert {by_order("a"), by_order("b"), by_order("c"), *places} <= set(keys)
    assert len(keys) == len(set(keys))
    assert place_of(BATCH, "", ord("d")) in words["d"]["keys"]


@pytest.mark.fault("J35", "L10")
def test_stops_in_force_are_told_once_each(journal: SqliteJournal) -> None:
    assert stops_in_force(journal) == []
    for told in (
        Stop(reason="old"),
        Lifted(reason="seen"),
        Stop(reason="one", order="a"),
        Stop(reason="two", charge="chrg_test_1"),
        Stop(reason="one", order="b"),
    ):
        journal.append([line(told, 1)])
    said = [event.digest[:16] for event in journal.events()]
    assert stops_in_force(journal) == [
        {"reason": "one", "order": "a", "charge": "", "event": said[2]},
        {"reason": "two", "order": "", "charge": "chrg_test_1", "event": said[3]},
    ]
    assert said_json(journal)["over"] == [said[0], said[4]]
    assert said_json(journal)["stops"] == stops_in_force(journal)


@pytest.mark.fault("J35", "J02")
def test_a_word_that_was_lost_is_said_again_as_it_was() -> None:
    """With where its attempt stands then."""
    (attempt,) = fold([FIRST])
    told = resolved_event(attempt, "not-charged", "looked", "kim", at_ns=7, run_id="r2")
    assert (told.kind, told.at_ns, told.run_id) == ("resolved", 7, "r2")
    assert (told.order_id, told.attempt) == ("0001", 1)
    assert told.data == {
        "as": "not-charged",
        "reason": "looked",
        "by": "kim",
        "state": "refused",
    }
    assert Resolved.read(told).said == "not-charged"


# --- ids that rows had before


def row_of(*had: str, **changes: Any) -> renaming._Row:
    """Row 3 of a file: its order is `new`, and had these ids."""
    some: dict[str, Any] = {
        "place": (BATCH, "", 3),
        "document": order("new"),
        "had": had,
        "corrected_by": (),
        "named": None,
        "corrects": "",
    }
    return renaming._Row(**{**some, **changes})


HERE = place_of(BATCH, "", 3)


def asked_by(
    order_id: str, batch_id: str = OTHER, row: int = 9, **asked: Any
) -> Attempt:
    """An attempt of an order; by default another row's, which asked the same."""
    intent = replace(
        INTENT,
        order_id=order_id,
        batch_id=batch_id,
        row=row,
        payer="cust_1",
        amount=1000,
        destination="recp_test_1",
        content="",
        single_use="",
    )
    return replace(stands_as(seen_as()), intent=replace(intent, **asked))


STRANGER = {"payer": "cust_9", "amount": 5}
SET_ASIDE = replace(asked_by("old"), charge=None, withdrawn=True)


@pytest.mark.fault("J13", "J07")
@pytest.mark.parametrize(
    ("row", "attempts", "told"),
    [
        (row_of("old"), [asked_by("old", BATCH, 3)], Names({"new": ("old",)})),
        (row_of("old"), [asked_by("old", sale=(HERE,))], Names({"new": ("old",)})),
        (row_of("old"), [], Names({}, {"new": ("old",)})),
        (row_of("old"), [asked_by("old")], Names({}, {"new": ("old",)})),
        (row_of("old"), [asked_by("old", **STRANGER)], Names()),
        (row_of("old"), [SET_ASIDE], Names({}, {"new": ("old",)})),
        (row_of("new", "old"), [], Names({}, {"new": ("old",)})),
        (
            row_of("old", "older"),
            [asked_by("older", BATCH, 3)],
            Names({"new": ("older",)}, {"new": ("old",)}),
        ),
        (
            row_of("old"),
            [asked_by("new", BATCH, 3), asked_by("old", BATCH, 3)],
            Names({"new": ("old",)}),
        ),
        (row_of("known"), [asked_by("known", BATCH, 3)], Names()),
        (row_of("heard"), [], Names()),
        (
            row_of(corrected_by=("fix",)),
            [asked_by("fix", corrects=HERE)],
            Names({"new": ("fix",)}),
        ),
        # a person typed its id in a row that came back
        (row_of("old", corrects="there"), [], Names()),
        (row_of("old", corrects="there"), [asked_by("old", **STRANGER)], Names()),
        (
            row_of("old", corrects="there"),
            [asked_by("old", BATCH, 3)],
            Names(said={"new": ("old",)}),
        ),
        (
            row_of("old", "older", corrects="there"),
            [asked_by("new"), asked_by("older", BATCH, 3)],
            Names(said={"old": ("new",), "new": ("older",)}),
        ),
        (row_of("old", corrects="there"), [asked_by("new", **STRANGER)], Names()),
        (
            row_of("old", corrects="there", named=order("old", 5)),
            [asked_by("new")],
            Names(),  # it was a copy of an order that its row never asked for
        ),
        (
            row_of("old", corrects="there", named=order("old", 5)),
            [asked_by("new", corrects="there")],
            Names(said={"old": ("new",)}),
        ),
        (
            row_of("old", corrects="there", named=order("old")),
            [asked_by("new")],
            Names(said={"old": ("new",)}),
        ),
    ],
)
def test_what_a_row_tells_of_the_ids_that_it_had(
    row: renaming._Row, attempts: list[Attempt], told: Names
) -> None:
    """The same sale where it asked for them itself; else that it had them, but for a stranger's."""
    known = IdsRenamed(same={"new": ("known",)}, had={"new": ("heard",)})
    lineages = Lineages(Telling({}, (1, known)))
    by_id: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_id.setdefault(attempt.intent.order_id, []).append(attempt)
    assert renaming._told_by(row, by_id, lineages) == told


X_1, X_2 = (
    place_of("2026-11-24-00000000000a", "", 2),
    place_of("2026-11-24-00000000000a", "", 3),
)
KEPT: Any = {"2026-11-24-00000000000a": [[("X-1", ""), ("X-2", "")]], BATCH: []}


def told_by_chunk(
    *ids: str,
    corrects: dict[int, str],
    events: Sequence[Event] = (),
    told: Sequence[tuple[int, Any]] = (),
    earlier: dict[int, tuple[str, ...]] | None = None,
    **known: Any,
) -> Names:
    """What rows of a file tell, from row 2 on, which came back for others."""
    histories: dict[str, list[Event]] = {}
    for one in events:
        histories.setdefault(one.order_id, []).append(one)
    journal: Any = Telling(KEPT, *told, histories=histories, **known)
    documents = [order(one) if one else {} for one in ids]
    chunk = StoredChunk(
        0,
        "",
        range(2, 2 + len(ids)),
        documents,
        {},
        frozenset(),
        b"",
        corrects,
        earlier or {},
    )
    batch: Any = SimpleNamespace(id=BATCH)
    return renaming.new_names(journal, Lineages(journal), batch, [chunk])


SALE = (by_order("X-1"), X_1)


@pytest.mark.fault("J07")
def test_an_id_that_a_person_typed_is_a_name_of_the_sale_for_good() -> None:
    """Not one that it had, that is of two sales, or another order's; once."""
    back = {"R-1": SALE}
    assert told_by_chunk("R-1", corrects={0: X_1}).back == back
    assert told_by_chunk("x-1", corrects={0: X_1}).back == {}
    assert told_by_chunk("", corrects={0: X_1}).back == {}
    assert told_by_chunk("R-1", "R-1", corrects={0: X_1, 1: X_2}).back == {}
    both = told_by_chunk("R-1", "R-1", corrects={0: X_1, 1: X_1})
    assert both.back == back
    told = [(1, IdsRenamed(back=back))]
    assert told_by_chunk("R-1", corrects={0: X_1}, told=told).back == {}
    other = begun("R-1", OTHER, 9)
    assert told_by_chunk("R-1", corrects={0: X_1}, events=[other]).back == {}
    own = begun("R-1", BATCH, 2)
    assert told_by_chunk("R-1", corrects={0: X_1}, events=[own]).back == back
    void = Event("voided", 2, order_id="R-1", attempt=1, send=1, data={})
    aside = [other, void, Event("withdrawn", 3, order_id="R-1", attempt=1, data={})]
    assert told_by_chunk("R-1", corrects={0: X_1}, events=aside).back == back


@pytest.mark.fault("J13")
def test_what_a_chunk_of_rows_tells_of_ids() -> None:
    """Of each row that had others: what it is called today, and what that says."""
    found = told_by_chunk(
        "N-1", "N-2", "N-3", corrects={}, earlier={0: ("O-1",), 2: ("O-3",)}
    )
    assert found.today == {
        place_of(BATCH, "", 2): "N-1",
        place_of(BATCH, "", 4): "N-3",
    }
    assert found.had == {"N-1": ("O-1",), "N-3": ("O-3",)} and not found.same
    asked = told_by_chunk(
        "N-1", corrects={}, earlier={0: ("O-1",)}, events=[begun("O-1", BATCH, 2)]
    )
    assert asked.same == {"N-1": ("O-1",)} and not asked.had
    assert not told_by_chunk("N-1", corrects={})
    # it was charged under another id
    charged = told_by_chunk("N-1", "N-2", corrects={}, owned={2: ("O-9",), 3: ("N-2",)})
    assert charged.had == {"N-1": ("O-9",)} and not charged.today
    # an id that a person typed, of an order that was asked for
    typed = told_by_chunk("R-1", corrects={0: X_1}, events=[begun("R-1", OTHER, 9)])
    assert typed.said == {} and typed.back == {}


@pytest.mark.fault("J13")
def test_which_files_may_tell_of_names() -> None:
    """Those with rows that had other ids, or that were corrected."""
    batch: Any = SimpleNamespace(id=BATCH)
    for place, may in (
        (HERE, True),
        (X_1, False),
        (f"1{HERE}", False),
        (HERE[1:], False),
    ):
        lineages = Lineages(Telling({}, corrected={place: ("R",)}))
        assert renaming.may_tell_names(batch, lineages, had_other_ids=False) is may
        assert renaming.may_tell_names(batch, lineages, had_other_ids=True)
