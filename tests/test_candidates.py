"""From planned files to what may be sent: what is counted, which files look like recent ones, which
rows are done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.batches.candidates import intent_of_row
from batchpay.batches.drafts import batch_of
from batchpay.batches.guards import guards_of
from batchpay.batches.judging import judge_files
from batchpay.batches.planned import Placed, PlannedBatch, placed_rows, unasked
from batchpay.batches.recent import Asking, Likeness, likeness
from batchpay.batches.survey import Survey
from batchpay.domain.events import (
    Adopted,
    Answered,
    Intended,
    OfAttempt,
    RunStarted,
    line,
    line_of,
)
from batchpay.domain.model import Batch, ChargeSeen, Event, Judged
from batchpay.intake.likeness import Features
from batchpay.job.job import Job
from batchpay.job.load import load_job
from batchpay.journals.sqlite.stencils import DIGEST
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.places import by_order, place_of
from batchpay.lifecycle.request import intent_of
from batchpay.lifecycle.rows import Guards, MayGo, Row
from tests.jobs import job_text

DAY_NS = 86_400 * 10**9
HOUR_NS = 3600 * 10**9
DAY_18_NS = int(datetime(2026, 11, 18, tzinfo=UTC).timestamp()) * 10**9
FIRST_NS = 1_795_000_000 * 10**9
FEE = '[fee]\nfixed = { THB = 100 }\npercentage = "2.5"\n'
JOB = job_text(
    more=FEE + '[controls]\nmax_total = { THB = "30.00" }', customer='"customer"'
)


ASKED = intent_of(
    {
        "order_id": "a",
        "amount": 1000,
        "currency": "thb",
        "destination": "recp_test_1",
        "customer": "cust_1",
    },
    job="night",
    attempt=1,
    fee=None,
    batch_id="b",
    sheet="",
    row=2,
    run_id="r1",
    journal_id="j1",
)


def shown(created_at: str) -> ChargeSeen:
    """The charge that it asks for."""
    return ChargeSeen(
        id="chrg_test_1",
        status="successful",
        paid=True,
        amount=1000,
        currency="THB",
        livemode=False,
        destination="recp_test_1",
        chain="acch_test_1",
        created_at=created_at,
    )


def taken_over(created_at: str) -> Adopted:
    """The same, found at the gateway."""
    return Adopted(state="succeeded", intent=ASKED, charge=shown(created_at))


FIRST_SEND = Intended(state="in_doubt", boot_id="b", boot_s=0.0, intent=ASKED)
NEXT_SEND = Intended(state="in_doubt", boot_id="b", boot_s=0.0)
THROTTLED = Answered(state="held", verdict="throttled", status=429)
TAKEN = Answered(
    state="succeeded", verdict="charge", charge=shown("2026-11-18T03:00:00Z")
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = tmp_path / "job.toml"
    path.write_text(JOB, "utf-8")
    return load_job(path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "j.db", "night")
    yield opened
    opened.verify()
    opened.close()


def order(
    order_id: str,
    amount: int = 1000,
    currency: str = "thb",
    recipient: str = "recp_test_1",
) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "amount": amount,
        "currency": currency,
        "destination": recipient,
        "customer": "cust_1",
    }


def planned(
    journal: SqliteJournal,
    batch_id: str,
    orders: Sequence[dict[str, Any]],
    first_seen_ns: int = FIRST_NS,
    mode: str = "test",
) -> PlannedBatch:
    """A file of these orders, from row 2 on, as a run keeps it."""
    features = Features()
    features.add(orders)
    batch = Batch(
        batch_id,
        "night",
        "orders.csv",
        "0" * 64,
        "csv",
        len(orders),
        ("order_id",),
        (),
        (),
        mode,
        "1",
        "2",
        "0",
        first_seen_ns=first_seen_ns,
        fingerprint=features.fingerprint,
        sample=features.sample,
    )
    chunk = SimpleNamespace(
        rows=range(2, 2 + len(orders)), sheet="", cells=lambda: b"cells"
    )
    staged = journal.stage(batch_id, [Judged(chunk, list(orders), {})])  # type: ignore[arg-type]
    journal.plan(Event("batch.planned", first_seen_ns), batch, staged, {})
    return PlannedBatch(batch, lambda: journal.chunks(batch_id), {})


@pytest.mark.fault("I17")
def test_what_may_be_sent_is_counted_by_currency_and_recipient(job: Job) -> None:
    """Orders, sums in smallest units, the exact commission."""
    survey = Survey()
    for number, document in enumerate(
        [
            order("1"),
            order("2", 2001),
            order("3", 5, "jpy"),
            order("4", 7, recipient="recp_test_2"),
        ]
    ):
        survey.add(job, Placed(Row("b", "", number, document), MayGo(1)))
    assert survey.orders == 4
    assert survey.counts == {"THB": 3, "JPY": 1}
    assert survey.sums == {"THB": 3008, "JPY": 5}
    assert survey.commission == {"THB": 300 + Decimal("75.2"), "JPY": Decimal("0.125")}
    assert survey.recipients == {
        ("recp_test_1", "THB"): [2, 3001],
        ("recp_test_1", "JPY"): [1, 5],
        ("recp_test_2", "THB"): [1, 7],
    }
    assert survey.destinations == {"recp_test_1", "recp_test_2"}


def held_against(
    journal: SqliteJournal,
    others: Sequence[PlannedBatch],
    planned: PlannedBatch,
    now_ns: int,
    quiet: Callable[[PlannedBatch], Collection[str]] = lambda _: (),
) -> Likeness:
    """A file held against others that came before it, none of which goes in this run."""
    before = [one for one in others if one.batch.id != planned.batch.id]
    lineages = Lineages(journal, planned.renamed)
    asking = Asking(before, [], lineages, quiet, lambda _: False)
    return likeness(journal, planned, now_ns, asking)


@pytest.mark.fault("E04")
@pytest.mark.parametrize(
    ("after_ns", "refused"),
    [(DAY_NS, True), (10 * DAY_NS, True), (10 * DAY_NS + 1, False)],
)
def test_a_file_is_held_against_those_of_ten_days(
    journal: SqliteJournal, after_ns: int, refused: bool
) -> None:
    """The same terms under other ids: refused for so long after the first was received, and no
    longer.
    """
    old = planned(journal, "old", [order("a"), order("b", 7)])
    new = planned(journal, "new", [order("c"), order("d", 7)], FIRST_NS + after_ns)
    found = held_against(journal, [old, new], new, FIRST_NS + after_ns)
    assert bool(found.refusal) is refused
    # not against itself
    assert held_against(journal, [new], new, FIRST_NS + after_ns) == Likeness()


@pytest.mark.fault("H04")
@pytest.mark.parametrize("stop", [False, True])
def test_a_plan_above_the_limit_of_a_run_is_refused_whole(
    journal: SqliteJournal, job: Job, stop: bool
) -> None:
    """What the run would charge counts; that a stop holds all of it now is no reason to let the
    file in.
    """
    if stop:
        journal.append([Event("stop", 1, data={"reason": "look", "order": ""})])
    within = planned(journal, "within", [order("a"), order("b", 2000)])
    above = planned(journal, "above", [order("c"), order("d", 2001)])
    for batch, refused in ((within, False), (above, True)):
        (judged,) = judge_files(job, journal, [batch], yes=True, now_ns=FIRST_NS)
        assert ("max_total" in judged.batch.refusal) is refused


def test_rows_whose_own_charge_succeeded_are_walked_past(
    journal: SqliteJournal, job: Job
) -> None:
    """Wherever they stand; who tells of every row gets them too."""
    batch = planned(journal, "b", [order("a"), order("b"), order("c"), order("d")])
    for row, order_id in ((2, "a"), (4, "c")):
        intent = {
            "amount": 1000,
            "currency": "thb",
            "destination": "recp_test_1",
            "payer": "cust_1",
        }
        where: dict[str, Any] = {
            "batch_id": "b",
            "row": row,
            "order_id": order_id,
            "attempt": 1,
            "send": 1,
        }
        journal.append(
            [Event("intent", 1, data={"state": "in_doubt", "intent": intent}, **where)]
        )
        journal.append([Event("answer", 2, data={"state": "succeeded"}, **where)])
    assert [
        placed.row.row for placed in placed_rows(job, journal, batch, Guards())
    ] == [3, 5]


@pytest.mark.parametrize(
    "told",
    [
        {"barred": {"recp_test_1": "it is not verified"}},
        {"smallest_share": {"THB": 3000}},
        {"least_charge": {"THB": 2000}},
        {"most_charge": {"THB": 15_000_000}},
        {"max_day": {"THB": 1}},
        {"max_recipient": {"THB": 1}},
    ],
)
def test_what_the_gateway_is_asked_again_holds_nothing_meanwhile(
    told: dict[str, Any],
) -> None:
    """Neither recipients nor limits; what a person said and the job wants stays."""
    assert unasked(Guards(stop="look", history="hold", **told)) == Guards(
        stop="look", history="hold"
    )


@pytest.mark.fault("H04")
@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ([(2, FIRST_SEND)], 1000),  # it may be sent again
        ([(2, FIRST_SEND), (3, TAKEN)], 0),
        ([(26, FIRST_SEND), (26, TAKEN)], 1000),
        ([(2, FIRST_SEND), (2, THROTTLED)], 0),
        ([(2, FIRST_SEND), (2, THROTTLED), (26, NEXT_SEND), (26, TAKEN)], 1000),
        ([(26, taken_over("2026-11-18T02:00:00Z"))], 0),
        ([(26, taken_over("2026-11-19T02:00:00Z"))], 1000),
        ([(26, taken_over(""))], 1000),
    ],
)
def test_a_day_is_what_was_sent_or_made_since_its_midnight(
    journal: SqliteJournal, job: Job, told: list[tuple[float, OfAttempt]], counts: int
) -> None:
    """The day is that of the last run, and not of one whose clock was a day ahead."""
    assert _of_day(journal, job, *told) == counts


def _of_day(journal: SqliteJournal, job: Job, *told: tuple[float, OfAttempt]) -> int:
    """What 19 November took; hours since 18 November began, and what was written down then."""
    send = 0
    for hour, one in told:
        send += isinstance(one, Intended)
        number = send * (not isinstance(one, Adopted)) or 1
        journal.append(
            [line_of(one, ASKED, DAY_18_NS + int(hour * HOUR_NS), "r1", number)]
        )
    for hour in (50, 30):
        journal.append([line(RunStarted(), DAY_18_NS + hour * HOUR_NS)])
    limited = replace(job, controls=replace(job.controls, max_day={"THB": 1}))
    return guards_of(limited, journal).of_day.get(("", "THB"), 0)


@pytest.mark.fault("H04")
def test_a_day_is_the_same_for_who_asks_after_each_event(
    journal: SqliteJournal, job: Job
) -> None:
    """As for one who asks once, and reads all."""
    limited = replace(job, controls=replace(job.controls, max_day={"THB": 1}))
    journal.append([line(RunStarted(), DAY_18_NS + 30 * HOUR_NS)])
    told = [
        (2, "early", 1, FIRST_SEND),
        (26, "late", 1, FIRST_SEND),
        (26, "late", 1, TAKEN),
        (26, "early", 1, TAKEN),
        (26, "again", 1, FIRST_SEND),
        (26, "again", 1, THROTTLED),
        (27, "again", 2, NEXT_SEND),
        (27, "again", 2, TAKEN),
        (27, "found", 0, taken_over("2026-11-18T02:00:00Z")),
        (27, "young", 0, taken_over("2026-11-19T02:00:00Z")),
    ]
    found = []
    for hour, order_id, send, one in told:
        asked = replace(ASKED, order_id=order_id)
        at_ns = DAY_18_NS + hour * HOUR_NS
        journal.append([line_of(one, asked, at_ns, "r1", send or 1)])
        found.append(guards_of(limited, journal).of_day.get(("", "THB"), 0))
        again = SqliteJournal(journal.path, journal.job, read_only=True)
        assert guards_of(limited, again).of_day.get(("", "THB"), 0) == found[-1]
        again.close()
    assert found == [1000, 2000, 2000, 1000, 2000, 1000, 2000, 2000, 2000, 3000]


def test_a_day_is_read_once(journal: SqliteJournal, job: Job) -> None:
    """Each further question reads what happened since, whatever the day holds."""
    limited = replace(job, controls=replace(job.controls, max_day={"THB": 1}))
    journal.append([line(RunStarted(), DAY_18_NS)])
    for number in range(600):
        asked = replace(ASKED, order_id=f"{number}")
        for one in (FIRST_SEND, TAKEN):
            journal.append([line_of(one, asked, DAY_18_NS + 1, "r1", 1)])
    read: list[str] = []
    journal._connection.set_trace_callback(read.append)
    assert guards_of(limited, journal).of_day["", "THB"] == 600_000
    whole = [one for one in read if "intent.amount" in one]
    assert len(whole) == 2 and not any(
        f"{DIGEST} FROM events WHERE job" in one and "order_id IN" in one
        for one in read
    )
    read.clear()
    assert guards_of(limited, journal).of_day["", "THB"] == 600_000
    assert not [one for one in read if "intent.amount" in one]


@pytest.mark.fault("E04")
@pytest.mark.parametrize("cancelled", [False, True])
def test_what_a_person_cancelled_makes_no_file_a_copy(
    journal: SqliteJournal, job: Job, cancelled: bool
) -> None:
    """Three of five orders ask for what orders of yesterday ask for; when those do not go, nobody
    is asked about the others.
    """
    old = planned(
        journal, "old", [order(name, size) for size, name in enumerate("abc", 500)]
    )
    rows = [order(name, size) for size, name in enumerate("defgh", 500)]
    new = planned(journal, "new", rows, FIRST_NS + DAY_NS)
    if cancelled:
        told = {"reason": "twice"}
        journal.append(
            [Event("cancelled", 1, order_id=name, data=told) for name in "def"]
        )
    (_, judged) = judge_files(
        job, journal, [old, new], yes=False, now_ns=FIRST_NS + DAY_NS
    )
    assert bool(judged.batch.refusal or judged.batch.notes) is not cancelled


def test_a_few_orders_like_some_of_a_large_file_are_no_copy_of_it(
    journal: SqliteJournal,
) -> None:
    """Two of four ask for what two of a hundred asked: the same people buy again."""
    many = [order(f"a{size}", size) for size in range(500, 600)]
    few = [order(f"b{size}", size) for size in (500, 599, 700, 701)]
    old, new = (
        planned(journal, "old", many),
        planned(journal, "new", few, FIRST_NS + DAY_NS),
    )
    assert held_against(journal, [old], new, FIRST_NS + DAY_NS) == Likeness()


@pytest.mark.fault("J02", "J32")
@pytest.mark.parametrize(
    ("sizes", "asked"),
    [
        ((500, 501), True),
        ((500, 501, 900), True),
        ((500, 900), False),
        ((900, 901), False),
    ],
)
def test_a_file_of_what_adopted_charges_took_is_asked_about(
    journal: SqliteJournal, job: Job, sizes: Sequence[int], asked: bool
) -> None:
    """The journal was lost, and what its rows are called with it: two charges of one batch that no
    row shows, and a file of other ids that asks for both again.
    """
    for number, size in enumerate((500, 501)):
        intent = {
            "amount": size,
            "currency": "thb",
            "destination": "recp_test_1",
            "payer": "cust_1",
            "ids_from": job.columns.ids_from,
            **dict.fromkeys(
                ("key", "body", "body_sha256", "content", "run_id", "alike"), ""
            ),
        }
        charge = {
            "id": f"chrg_test_{number}",
            "status": "successful",
            "paid": True,
            "amount": size,
            "currency": "thb",
            "livemode": False,
        }
        told = {"state": "succeeded", "intent": intent, "charge": charge}
        where: dict[str, Any] = {
            "order_id": f"lost{number}",
            "attempt": 1,
            "batch_id": "gone",
        }
        journal.append([Event("adopted", 1, data=told, **where)])
    new = planned(journal, "new", [order(f"new{size}", size) for size in sizes])
    (judged,) = judge_files(job, journal, [new], yes=False, now_ns=FIRST_NS)
    assert ("the journal had been lost" in judged.batch.refusal) is asked
    (judged,) = judge_files(job, journal, [new], yes=True, now_ns=FIRST_NS)
    assert "the journal had been lost" not in judged.batch.refusal


def test_only_a_correction_says_what_it_goes_back_to(
    journal: SqliteJournal, job: Job
) -> None:
    """A row that had another id before is no correction: its attempt is of no other sale."""
    lineages = Lineages.of_job(job, journal)
    place = place_of("2026-01-01-0123456789ab", "", 7)
    for corrects, identity, sale in (
        ("", "", ()),
        (place, by_order("A7"), (by_order("A7"), place)),
    ):
        row = Row("b", "", 2, order("1"), corrects=corrects, earlier=("A7",))
        intent = intent_of_row(job, journal, row, 1, "run", lineages)
        assert (intent.corrects, intent.sale) == (identity, sale)


def test_a_batch_keeps_how_its_file_was_read(job: Job) -> None:
    """What the job says of the file, and what the file turned out to be: it can be read again."""
    features = Features()
    features.add([order("1"), order("2")])
    job = replace(
        job, input=replace(job.input, encoding="cp874", delimiter=";", header_row=3)
    )
    tally: Any = SimpleNamespace(read=2, reading=lambda: ("two rows",))
    intake: Any = SimpleNamespace(
        batch_id="2026-01-01-0123456789ab",
        snapshot=SimpleNamespace(name="orders.csv", sha256="5" * 64, format="csv"),
        tally=tally,
        columns=("customer", "note", "batchpay_row"),
        notes=("a note",),
        refusal="its totals differ",
        features=features,
    )
    batch = batch_of(job, intake, FIRST_NS)
    assert (batch.encoding, batch.delimiter, batch.header_row) == ("cp874", ";", 3)
    assert (batch.id, batch.job, batch.mode) == (intake.batch_id, "night", "test")
    assert (batch.file, batch.sha256, batch.format) == ("orders.csv", "5" * 64, "csv")
    assert (batch.columns, batch.unused) == (intake.columns, ("note",))
    assert (batch.rows_read, batch.read) == (2, ("two rows",))
    assert (batch.notes, batch.refusal) == (("a note",), "its totals differ")
    assert (batch.fingerprint, batch.sample) == (features.fingerprint, features.sample)
    assert (batch.job_sha256, batch.schema_sha256) == (job.sha256, job.schema.sha256)
    assert (batch.first_seen_ns, batch.likeness) == (FIRST_NS, "")
    known = replace(batch, first_seen_ns=7, likeness="like another")
    again = batch_of(job, intake, FIRST_NS, known)
    assert (again.first_seen_ns, again.likeness) == (7, "like another")
