"""What came of each attempt, in columns beside the events: never anything else than all of its
events folded anew.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchpay.domain.books import Transfer
from batchpay.journals.came_to import CameTo, came_in_all, came_of
from batchpay.journals.sqlite import reread
from batchpay.journals.sqlite.soundness import Damaged
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.after import seen
from batchpay.lifecycle.folding import fold
from batchpay.settlement import Recorder
from tests import nights
from tests.fakes import FakeClock, in_virtual_time


async def third(recorder: Recorder) -> None:
    """Where the share of the first is."""
    histories = recorder._journal.histories(["0001"])
    (attempt,) = fold(histories["0001"])
    arrived = Transfer("trsf_1", "recp_1", 5, "THB", sent=True, paid=True)
    await recorder.transfers_seen(
        [(attempt, replace(seen(arrived, attempt), flaws=()))]
    )


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    for night in (nights.first, nights.second):
        nights.run(tmp_path / "j.db", night)
    opened = SqliteJournal(tmp_path / "j.db", "night")
    yield opened
    opened.close()


def kept(journal: SqliteJournal) -> list[CameTo]:
    return [CameTo(*row) for row in journal._rows("SELECT * FROM came_to ORDER BY seq")]


def folded(journal: SqliteJournal) -> list[CameTo]:
    orders = {event.order_id for event in journal.events() if event.order_id}
    histories = journal.histories(sorted(orders)).values()
    return sorted(row for events in histories for row in came_of(events))


@pytest.mark.fault("I9")
def test_what_came_of_attempts_is_what_their_events_add_up_to(
    journal: SqliteJournal,
) -> None:
    """Of every kind of event; a row whose attempt is known for nothing but its send has none."""
    assert kept(journal) == folded(journal) != []
    plain = [row for row in kept(journal) if row.plain]
    assert [(row.charge_id, row.state) for row in plain] == [
        ("chrg_test_night00011", "succeeded")
    ]
    assert {row.state for row in kept(journal)} > {"unproven", "refused", "withdrawn"}
    journal.verify()


@pytest.mark.fault("I9")
def test_a_share_that_arrived_stands_beside_its_charge(journal: SqliteJournal) -> None:
    recorder = Recorder(journal, FakeClock(), "night", "2026-11-25", live=False)
    in_virtual_time(third(recorder), nights.AT_S)
    (row,) = [row for row in kept(journal) if row.plain]
    assert (row.transfer, row.transfer_status, row.transfer_amount) == (
        "trsf_1",
        "paid",
        5,
    )
    assert kept(journal) == folded(journal)
    journal.verify()


@pytest.mark.fault("I9")
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_it_is_the_same_however_events_are_grouped(
    journal: SqliteJournal, tmp_path: Path, size: int
) -> None:
    """In step after each commit."""
    again = SqliteJournal(tmp_path / "again.db", "night")
    events = list(journal.events())
    for at in range(0, len(events), size):
        again.append(events[at : at + size])
        assert kept(again) == folded(again)
    assert kept(again) == kept(journal)
    again.close()


EDITS = {
    "another state": "UPDATE came_to SET state = 'declined' WHERE plain",
    "another sum": "UPDATE came_to SET amount = amount + 1 WHERE plain",
    "nothing to tell": "UPDATE came_to SET plain = 1 WHERE state = 'unproven'",
    "an outcome gone": "DELETE FROM came_to WHERE plain",
    "an outcome more": (
        "INSERT INTO came_to SELECT 9999, plain, state, settled_ns, charge_id, chain, transfer,"
        " code, amount, currency, fee, fee_vat, net, platform_fee, funding_amount,"
        " funding_currency, transfer_status, transfer_amount, transfer_fee, bank_amount,"
        " transfer_sent_at, transfer_paid_at FROM came_to WHERE plain"
    ),
    "another amount asked": "UPDATE asked SET amount = amount + 1",
    "another way to pay": "UPDATE asked SET paid_with = 'card *0000'",
}


@pytest.mark.fault("D06", "D14", "I9")
@pytest.mark.parametrize("what", EDITS)
def test_a_column_that_was_edited_is_damage(journal: SqliteJournal, what: str) -> None:
    with closing(sqlite3.connect(journal.path)) as raw:
        assert raw.execute(EDITS[what]).rowcount
        raw.commit()
    with pytest.raises(Damaged):
        journal.verify()


@pytest.mark.fault("D06", "D14", "I9")
@pytest.mark.parametrize("what", [*EDITS, "another share", "a share more", "no share"])
def test_a_column_that_was_edited_is_found_in_its_turn(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Whatever came later of an order is held where its attempt began."""
    monkeypatch.setattr(reread, "WHOLE_UP_TO", 0)
    journal.verify_new()
    recorder = Recorder(journal, FakeClock(), "night", "2026-11-25", live=False)
    in_virtual_time(third(recorder), nights.AT_S)
    journal.reread()
    edits = {
        **EDITS,
        "another share": "UPDATE came_to SET transfer_amount = 6 WHERE transfer <> ''",
        "a share more": "UPDATE came_to SET transfer_status = 'paid' WHERE NOT plain",
        "no share": (
            "UPDATE came_to SET transfer = '', transfer_status = '', transfer_amount = NULL,"
            " transfer_paid_at = '' WHERE transfer <> ''"
        ),
    }
    with closing(sqlite3.connect(journal.path)) as raw:
        assert raw.execute(edits[what]).rowcount
        raw.commit()
    with pytest.raises(Damaged):
        for _ in range(reread.TURNS):
            journal.verify_new()
            journal.reread()


def test_shares_are_read_without_folding(journal: SqliteJournal) -> None:
    """And mean the same: an order's events, but for the first two any number of them."""
    recorder = Recorder(journal, FakeClock(), "night", "2026-11-25", live=False)
    in_virtual_time(third(recorder), nights.AT_S)
    (events,) = journal.histories(["0001"]).values()
    stuck = replace(events[-1], data={**events[-1].data, "flaws": ["not all of it"]})
    odd = replace(events[-1], attempt=2)
    for some in (events, [*events, stuck], [*events, odd], events[:2], events[:1]):
        assert came_in_all(some) == came_of(some)
    assert came_in_all(events)[0].transfer_status == "paid"
    assert not came_in_all([*events, stuck])[0].plain


@pytest.mark.fault("J33")
def test_a_journal_of_version_5_gets_its_columns(journal: SqliteJournal) -> None:
    """From its events."""
    wanted = kept(journal)
    asked = journal._rows("SELECT * FROM asked ORDER BY seq")
    with closing(sqlite3.connect(journal.path)) as raw:
        raw.executescript("DROP TABLE came_to; DROP TABLE asked")
        raw.execute(
            "CREATE TABLE asked (seq INTEGER PRIMARY KEY, job TEXT, alike TEXT)"
        )
        raw.execute("CREATE INDEX asked_alike ON asked (job, alike)")
        raw.execute(
            'CREATE INDEX rows_with_an_intent ON events (job, batch_id, "row") WHERE kind IN'
            " ('intent', 'adopted') AND send <= 1"
        )
        raw.execute("UPDATE meta SET value = '5' WHERE name = 'schema_version'")
        raw.commit()
    journal.close()
    again = SqliteJournal(journal.path, "night")
    assert kept(again) == wanted
    assert again._rows("SELECT * FROM asked ORDER BY seq") == asked
    again.verify()
    again.close()
