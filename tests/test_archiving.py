"""Archives: what is packed reads as it did, whatever is asked; a file is whole or not there; killed
anywhere, the same command goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import batchpay
from batchpay.batches import finished
from batchpay.batches.open_job import Edges
from batchpay.commands.archive import Archives, archive
from batchpay.commands.report import report
from batchpay.commands.verify import verify
from batchpay.domain.errors import DoesNotAddUp, InputOutput, Misconfigured
from batchpay.domain.events import ASKED_IN_QUERIES, Archived, Stop, line
from batchpay.domain.model import Event
from batchpay.journals.sqlite import opening
from batchpay.journals.sqlite.archiving import Archiving
from batchpay.journals.sqlite.lines import line_of
from batchpay.journals.sqlite.packed import BEGINS, WHOLE, packed, teach
from batchpay.journals.sqlite.soundness import BrokenChain
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.order_ids import alike
from batchpay.sandbox import SandboxServer
from tests.fakes import START_NS
from tests.test_following import turn
from tests.test_plan_is_run import NIGHTS, STORIES, Story
from tests.world import Market, order

JOURNAL = Path(batchpay.__file__).parent.parent / "docs" / "journal.md"
EVER = date(2099, 12, 31)
DAY_NS = 86_400 * 10**9
ARCHIVED = Archived(batch="", file="", sha256="", bytes=0, events=0, last=0)


@dataclass(frozen=True)
class Later:
    """A clock, so many days behind the nights: no transfer is followed any more."""

    days: int = 300
    boot_id: str = "another boot"

    def now_ns(self) -> int:
        return START_NS + self.days * DAY_NS

    def elapsed_s(self) -> float:
        return self.days * 86_400.0


LATER = Edges(clock=Later)


def packed_whole(story: Story) -> int:
    """Pack every batch of every job, finished or not; how many events are packed."""
    path = story.folder / "state/batchpay.db"
    at_ns = START_NS + int(story.now_s * 1e9)
    for name in ("night", "renamed"):
        with closing(SqliteJournal(path, name)) as journal:
            for batch in journal.batches():
                journal.archive(line(ARCHIVED, at_ns, "by hand"), batch.id)
    with closing(sqlite3.connect(path)) as raw:
        query = f"SELECT count(*) FROM events WHERE data LIKE '{BEGINS}%'"
        return int(raw.execute(query).fetchone()[0])


# --- whatever is decided later


def told(story: Story, exit_code: Any) -> dict[str, Any]:
    """What a story has come to, without the names of its runs."""
    reports = {}
    for path in sorted((story.folder / "reports").glob("2*/results.csv")):
        text = path.read_text("utf-8-sig")
        reports[path.parent.name] = re.sub(r"T[0-9]{6}Z-[0-9a-f]{8}", "", text)
    posts = [(at, fields["metadata[batchpay_key]"]) for at, fields in story.till.posts]
    return {"code": exit_code, "reports": reports, "posts": posts, "log": story.log}


@pytest.mark.fault("J07", "J14", "E05")
def test_nights_decide_every_row_alike_whether_batches_are_archived_between_them(
    in_memory: Path,
) -> None:
    """Old orders come again, corrected, alike, under other ids, with tokens that were spent: the
    same is sent, and each row ends the same, also where what is packed was not finished.
    """
    packed = 0
    for seed in range(STORIES // 6):
        plain = Story(in_memory / f"{seed}-a", random.Random(seed))
        other = Story(in_memory / f"{seed}-b", random.Random(seed))
        for night in range(NIGHTS):
            ends = []
            for story in (plain, other):
                story.send_in()
                ends.append(told(story, story.night()))
                story.edit()
            assert ends[0] == ends[1], f"seed {seed}, night {night}"
            packed += packed_whole(other)
    assert packed > STORIES // 6 * 5


Ask = Callable[[SqliteJournal], Any]


def questions(journal: SqliteJournal) -> Iterator[tuple[str, Ask]]:
    """All that a journal is asked about old orders and charges."""
    ids = sorted({order_id for order_id, _ in journal.begun()})
    forms = [alike(order_id) for order_id in ids]
    events = [event for some in journal.histories(ids).values() for event in some]
    charges = sorted({json.dumps(one.data.get("charge")) for one in events})
    seen = [str((json.loads(one) or {}).get("id", "")) for one in charges]
    asked = [event.data["intent"] for event in events if "intent" in event.data]
    tokens = {str(one["single_use"]) for one in asked if one.get("single_use")}
    sellers = {str(one["destination"]) for one in asked}
    batches = [batch.id for batch in journal.batches()]
    runs = sorted({event.run_id for event in events})
    most = 2**62
    yield "histories", lambda one: plainly(one.histories(ids))
    yield (
        "events",
        lambda one: [plain(each) for each in one.events() if not is_new(each)],
    )
    yield "look_alikes", lambda one: one.look_alikes(forms)
    yield "open_orders", lambda one: one.open_orders()
    yield "corrected", lambda one: one.corrected()
    yield "asked_of", lambda one: list(one.asked_of(sellers, tokens, most, 10_000))
    yield "spent", lambda one: list(one.asked_of((), tokens, most, 10_000))
    yield "asked_under", lambda one: one.asked_under(["", "a", "c"], "none")
    yield "charges_known", lambda one: one.charges_known(0)
    yield "youngest_charges", lambda one: one.youngest_charges(0)
    yield "uncharged_since", lambda one: one.uncharged_since(0)
    yield "went_again_since", lambda one: one.went_again_since(0)
    yield "order_of_charge", lambda one: [one.order_of_charge(each) for each in seen]
    yield "wrote_in", lambda one: [one.wrote_in(each, 0, None).charged for each in runs]
    yield (
        "done_in",
        lambda one: [list(one.done_in(each, 0, None, ids)) for each in runs],
    )
    yield (
        "told_429",
        lambda one: [plainly({"": [*one.told_429(each)]}) for each in batches],
    )
    yield "elsewhere", lambda one: elsewhere(one, ids)
    yield "on_their_way", lambda one: one.on_their_way(0, [], "", "", 10_000)


def elsewhere(journal: SqliteJournal, ids: list[str]) -> Any:
    """What another job in the same file would hear of these."""
    with closing(SqliteJournal(journal.path, "another", read_only=True)) as beside:
        found = beside.elsewhere(ids)
    return [
        (order_id, job, [plain(event) for event in events])
        for order_id, some in sorted(found.items())
        for job, events in some
    ]


def is_new(event: Event) -> bool:
    return event.kind == Archived.kind


def plain(event: Event) -> Any:
    return (event.seq, event.kind, event.data, event.digest)


def plainly(histories: dict[str, list[Event]]) -> Any:
    return {name: [plain(event) for event in some] for name, some in histories.items()}


def story_of(folder: Path, seed: int) -> Story:
    """Three nights."""
    story = Story(folder, random.Random(seed))
    for _ in range(NIGHTS):
        story.send_in()
        story.night()
        story.edit()
    return story


@pytest.mark.fault("J07")
def test_whatever_a_journal_is_asked_it_answers_the_same_when_it_is_packed(
    in_memory: Path,
) -> None:
    """Also where the query reads the events themselves: tokens that were spent, charges, times."""
    answered = set()
    packed = 0
    for seed in range(6):
        story = story_of(in_memory / str(seed), seed)
        path = story.folder / "state/batchpay.db"
        with closing(SqliteJournal(path, "night")) as journal:
            asked = dict(questions(journal))
            before = {name: ask(journal) for name, ask in asked.items()}
        packed += packed_whole(story)
        with closing(SqliteJournal(path, "night")) as journal:
            journal.verify()
            for name, ask in asked.items():
                assert ask(journal) == before[name], f"{name}, seed {seed}"
        answered |= {name for name, answer in before.items() if answer}
    assert packed > 20
    assert answered >= {
        "histories",
        "asked_of",
        "spent",
        "charges_known",
        "done_in",
        "wrote_in",
    }


def test_each_path_of_a_query_is_kept_beside_a_packed_event() -> None:
    """Whoever writes a query that asks for another must say so."""
    room = Path(opening.__file__).parent
    text = "".join(path.read_text() for path in room.parent.rglob("*.py"))
    text += (room / "schema.sql").read_text()
    kinds = sys.modules["batchpay.domain.events.kinds"]
    asked = {path for name, path in vars(kinds).items() if name.endswith("_AT")}
    asked |= set(re.findall(r"json_extract\([a-z.]*data, '(\$[^'{]*)'", text))
    of_a_plan = "$.generation"  # of batch.planned, which is never packed
    assert asked - {of_a_plan} <= set(ASKED_IN_QUERIES)


@pytest.mark.parametrize(
    "words",
    ["", "ร้าน", '"\\ \n\x7f', "\ud800", "{}[],:", '{"packed":"', "€" * 40_000],
)
def test_whatever_an_event_says_is_unpacked_to_the_byte(words: str) -> None:
    """Also half a character, and a text that is longer than what deflate looks back."""
    kept = {"sale": [words], "payer": words, "body": words}
    data = {"intent": kept, "state": words, "charge": [1]}
    event = Event("intent", data=data)
    text = line_of(2, "night", event)[-1]
    like = line_of(1, "night", Event("intent", data={"intent": {"body": words}}))[-1]
    with closing(sqlite3.connect(":memory:")) as connection:
        teach(connection)
        columns = 'seq INTEGER PRIMARY KEY, order_id, "row", data TEXT'
        connection.execute(f"CREATE TABLE events ({columns})")
        form = packed(text, 1, like)
        rows = [(1, like), (2, form)]
        connection.executemany("INSERT INTO events VALUES (?, '1', 2, ?)", rows)
        query = f"SELECT {WHOLE}, json_extract(data, '$.intent.sale') FROM events"
        found = connection.execute(f"{query} ORDER BY seq").fetchall()
        assert [one for one, _ in found] == [like, text]
        assert json.loads(found[1][1]) == [words]


# --- the file, and what the journal says of it


def shop(folder: Path, orders: int = 8) -> Story:
    """A marketplace of which every order succeeded."""
    story = Story(folder, random.Random(0))
    story.controls, story.input, story.more = [], [], ""
    story.till.fate = lambda post, fields: "ok"
    story.write(
        [
            {
                "order_id": f"{number:04d}",
                "amount": str(50_000 + number),
                "recipient": "recp_test_1",
                "customer": f"cust_test_{number}",
            }
            for number in range(1, orders + 1)
        ]
    )
    job = story.job()
    assert story.night() == []
    assert {path.name for path in job.report.directory.glob("2*/*")} >= {"results.csv"}
    return story


def archived(story: Story, before: date = EVER, **how: Any) -> Archives:
    """Long behind its nights."""
    return archive(story.job(), before, edges=LATER, **how)


@pytest.mark.parametrize("orders", [8, 50])
def test_a_finished_batch_goes_into_one_file_and_reads_as_it_did(
    in_memory: Path, orders: int
) -> None:
    """Events with their part of the chain, rows, cells and reports; the journal is smaller, whole,
    and writes the same reports. So it is of many orders, of which the events share stencils.
    """
    story = shop(in_memory, orders)
    (folder,) = story.job().report.directory.glob("2*")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert archived(story, only_list=True).written == ()
    assert not (in_memory / "state/archive").exists()
    made = archived(story)
    (written,) = made.written
    assert written.path.parent == in_memory / "state/archive"
    assert written.path.stat().st_mode & 0o777 == 0o600
    assert made.is_shrunk
    with zipfile.ZipFile(written.path) as pack:
        about = json.loads(pack.read("archive.json"))
        lines = [json.loads(one) for one in pack.read("events.jsonl").splitlines()]
        rows = [json.loads(one) for one in pack.read("rows.jsonl").splitlines()]
        for name, data in before.items():
            assert pack.read(f"reports/{name}") == data
        assert pack.read("cells/0.arrow")
    for digest, columns, own in lines:
        text = digest + json.dumps(columns, ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == own
    assert about["events"] == len(lines) == written.events
    assert [one["order_id"] for one in rows[0]["documents"]][:2] == ["0001", "0002"]
    again = archived(story)
    assert again.written == () and "archived as" in str(again.stay[0].why)
    report(story.job())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    seen = verify(story.job())
    assert (seen.differences, seen.notes) == ((), ())
    assert seen.files == len(before) - 1 + 1
    (program,) = re.findall(r"```python\n(.*?)```", JOURNAL.read_text(), re.DOTALL)
    state = str(story.job().state_path)
    words = [sys.executable, "-c", program, state]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(seen.events), seen.digest]


def test_a_bit_that_flips_in_an_archive_or_in_a_packed_event_is_seen(
    in_memory: Path,
) -> None:
    """12 for the file, 74 for the journal; a file that lies elsewhere is told and no difference."""
    story = shop(in_memory)
    (written,) = archived(story).written
    data = bytearray(written.path.read_bytes())
    data[len(data) // 2] ^= 1
    written.path.write_bytes(data)
    (different,) = verify(story.job()).differences
    assert different.path == str(written.path) and written.sha256 in different.told
    written.path.unlink()
    seen = verify(story.job())
    assert seen.differences == () and written.sha256 in seen.notes[0]
    assert str(written.path.parent) in seen.notes[0]
    with closing(sqlite3.connect(story.job().state_path)) as raw:
        query = f"SELECT seq, data FROM events WHERE data LIKE '{BEGINS}%' LIMIT 1"
        seq, text = raw.execute(query).fetchone()
        raw.execute("DROP TRIGGER events_stay")
        at = len(BEGINS) + 20
        other = "0" if text[at] != "0" else "1"
        changed = text[:at] + other + text[at + 1 :]
        raw.execute("UPDATE events SET data = ? WHERE seq = ?", (changed, seq))
        raw.commit()
    with pytest.raises(BrokenChain, match=f"event {seq} "):
        verify(story.job())


def test_what_is_not_finished_or_too_young_stays(in_memory: Path) -> None:
    """Each with its reason; while a stop is in force nothing is archived."""
    story = shop(in_memory / "young")
    made = archived(story, before=date(2020, 1, 1))
    assert made.written == () and "changed last on" in str(made.stay[0].why)
    soon = Edges(clock=lambda: Later(days=1))
    made = archive(story.job(), EVER, edges=soon)
    assert "8 transfers to recipients are on their way" in str(made.stay[0].why)
    (results,) = story.job().report.directory.glob("2*/results.csv")
    results.write_bytes(b"edited")
    made = archived(story)
    assert made.written == () and "batchpay verify JOB" in str(made.stay[0].why)
    report(story.job())
    job = story.job()
    with closing(SqliteJournal(job.state_path, job.name)) as journal:
        journal.append([line(Stop(reason="look at it"), START_NS, "by hand")])
    with pytest.raises(DoesNotAddUp, match="look at it"):
        archived(story)
    waits = shop(in_memory / "waits")
    waits.till.fate = lambda post, fields: "pending"
    waits.write(
        [
            {
                "order_id": "0100",
                "amount": "70000",
                "recipient": "recp_test_2",
                "customer": "cust_test_77",
            }
        ]
    )
    waits.night()
    made = archived(waits)
    assert len(made.written) == 1
    assert "1 of its rows is open (1 pending)" in str(made.stay[0].why)


def test_nothing_is_written_over(in_memory: Path) -> None:
    """A file of that name that is not the archive ends it (74), and stays; nothing was packed."""
    story = shop(in_memory)
    folder = in_memory / "elsewhere"
    (one,) = archived(story, to=folder, only_list=True).chosen
    folder.mkdir()
    path = folder / f"{one.batch.id}-{one.last}.zip"
    path.write_bytes(b"mine")
    with pytest.raises(InputOutput, match="move it away"):
        archived(story, to=folder)
    assert path.read_bytes() == b"mine"
    assert [path.name for path in folder.iterdir()] == [path.name]
    with closing(sqlite3.connect(story.job().state_path)) as raw:
        query = f"SELECT count(*) FROM events WHERE data LIKE '{BEGINS}%'"
        assert raw.execute(query).fetchone() == (0,)
    path.unlink()
    assert archived(story, to=folder).written[0].path == path


def test_an_earlier_program_leaves_a_journal_with_packed_events_alone(
    in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot unpack them: 78, and the file stays as it was."""
    story = shop(in_memory)
    archived(story)
    monkeypatch.setattr(opening, "KNOWN", frozenset({"6"}))
    job = story.job()
    before = job.state_path.read_bytes()
    with pytest.raises(Misconfigured, match="use the program that wrote it"):
        SqliteJournal(job.state_path, job.name)
    assert job.state_path.read_bytes() == before


# --- killed


def kill(*_: Any, **__: Any) -> Any:
    """As a power cut of this process would."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_link(patch: pytest.MonkeyPatch) -> None:
    """The file is whole and has no name yet."""
    patch.setattr(os, "link", kill)


def at_part(patch: pytest.MonkeyPatch) -> None:
    """The file is half written."""
    patch.setattr("batchpay.journals.archive._blocks", kill)


def at_read(patch: pytest.MonkeyPatch) -> None:
    """It has its name, and was not read back."""
    patch.setattr("batchpay.journals.archive._read_back", kill)


def at_note(patch: pytest.MonkeyPatch) -> None:
    """It was read back, and the journal does not know of it."""
    patch.setattr(Archiving, "archive", kill)


def at_pack(patch: pytest.MonkeyPatch) -> None:
    """In the midst of the journal's commit."""
    from batchpay.journals.sqlite import archiving

    true = archiving.packed
    calls = iter(range(100))

    def counted(*given: Any) -> str:
        if next(calls) == 5:
            kill()
        return true(*given)

    patch.setattr(archiving, "packed", counted)


def at_shrink(patch: pytest.MonkeyPatch) -> None:
    """Everything is done but to give the room back."""
    patch.setattr(Archiving, "shrink", kill)


POINTS = (at_link, at_part, at_read, at_note, at_pack, at_shrink)


@pytest.mark.fault("I1")
def test_killed_anywhere_the_same_command_again_ends_well(
    in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file, noted once, the journal whole, and no half file left."""
    first = in_memory / "first"
    shop(first)
    for point in POINTS:
        folder = in_memory / point.__name__
        shutil.copytree(first, folder)
        story = Story(in_memory / f"{point.__name__}-beside", random.Random(1))
        story.controls, story.input, story.more = [], [], ""
        story.folder = folder
        child = os.fork()
        if child == 0:
            try:
                point(monkeypatch)
                archived(story)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), point.__name__
        made = archived(story)
        job = story.job()
        with closing(SqliteJournal(job.state_path, job.name)) as journal:
            journal.verify()
            noted = finished.archives_in(journal)
        names = [path.name for path in (folder / "state/archive").iterdir()]
        assert names == [one.file for one in noted.values()], point.__name__
        assert made.is_shrunk
        with closing(sqlite3.connect(job.state_path)) as raw:
            assert raw.execute("PRAGMA freelist_count").fetchone() == (0,)
        seen = verify(job)
        assert (seen.differences, seen.notes) == ((), ()), point.__name__


# --- the command


def test_the_command_archives_what_is_final_and_every_other_one_reads_on(
    tmp_path: Path,
) -> None:
    """The true program: its file once more sends nothing, its reports come again to the byte, of
    today and of then, and an order's story is whole.
    """
    with SandboxServer() as sandbox:
        market = Market(tmp_path, sandbox)
        market.job()
        market.orders([order(1), order(2)])
        assert market.run().returncode == 0
        (report_made,) = market.reports()
        seq = report_made["journal"]["seq"]
        for number in ("00001", "00002"):
            turn(market, number, "transfer_paid")
        assert market.run(verb="settle").returncode == 0
        ended = market.run("--before", "2099-12-31", "--json", verb="archive")
        assert ended.returncode == 0, ended.stderr
        told = json.loads(ended.stdout)
        assert len(told["files"]) == 1 and told["stay"] == []
        assert market.run("--before", "31.12.2099", verb="archive").returncode == 64
        assert market.run(verb="verify").returncode == 0
        again = market.run("--at", str(seq), verb="report")
        assert again.returncode == 0 and "to the byte" in again.stdout
        assert "00001" in market.run("00001", verb="status").stdout
        assert market.run().returncode == 0
        assert market.money() == {"00001": 1, "00002": 1}
        quiet = market.run("--before", "2099-12-31", verb="archive")
        assert "was archived as" in quiet.stdout
