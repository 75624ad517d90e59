"""A story handed to the outside judge: the gateway's log, the journal, true reports and true input files in a folder.

Only of nights that one machine spent with one journal and a gateway that told the truth: what the judge must find
wrong otherwise, the simulator's own checks look at.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from batchpay.cells import encode_cells
from batchpay.config import load_job
from batchpay.desk import Desk
from batchpay.journals.sqlite import SqliteJournal
from batchpay.model import Batch, Chunk, Event, Judged
from batchpay.publish import publish
from tests.checker import judge
from tests.evidence import Facts
from tests.simulation.checker import excused
from tests.simulation.ledger import Request

if TYPE_CHECKING:
    from tests.simulation.process import InputFile
    from tests.simulation.story import Story

COLUMNS = ("order_id", "amount", "currency", "destination", "card", "customer")
JOB = """
name = "night"
[input]
file = "*.csv"
[columns]
order_id = "order_id"
amount = {{ column = "amount", unit = "minor" }}
currency = "currency"
destination = "destination"
card = "card"
[gateway]
url = "http://127.0.0.1:1"
rate = "{rate}"
timeout = "{timeout_s:.3f}s"
send_window = "{send_window_s:.3f}s"
doubt_period = "{doubt_s:.3f}s"
lookup_gap = "{gap_s:.3f}s"
"""


def csv_of(documents: Sequence[dict[str, Any]]) -> bytes:
    """The file whose rows these orders are."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows({**document, "currency": document["currency"].upper()} for document in documents)
    return text.getvalue().encode()


def may_judge(story: Story) -> bool:
    """Was it a night of one machine, one journal, a clock that may be believed, and a gateway that told the truth?"""
    injected = story.world.weather.injected
    lost = injected["journal restored"] + injected["journal lost"]
    return len(story.machines) == 1 and not lost and story.world.dated and not excused(story.world)


def findings(story: Story, folder: Path) -> list[str]:
    """What the judge says."""
    world, machine = story.world, story.machines[0]
    folder.mkdir()
    settings = world.settings
    (folder / "job.toml").write_text(JOB.format(
        rate=f"{settings.rate}/{'s' if settings.rate_window_s == 1 else 'min'}", timeout_s=settings.timeout_s,
        send_window_s=settings.send_window_s, doubt_s=_floor(settings.doubt_period_s),
        gap_s=_floor(settings.lookup_gap_s),
    ))  # fmt: skip
    for file in story.files:
        (folder / file.batch.file).write_bytes(csv_of(file.chunk.documents))
    (folder / "state").mkdir()
    for name, data in machine.disk.snapshot().items():
        (folder / "state" / f"batchpay.db{name.rpartition('journal.db')[2]}").write_bytes(data)
    with (folder / "gateway.jsonl").open("w") as log:
        for number, request in enumerate(world.ledger.requests):
            log.write(json.dumps({"request": _seen(request, number)}) + "\n")
        for charge in world.ledger.charges:
            shown = {name: value for name, value in charge.items() if not name.startswith("_")}
            log.write(json.dumps({"charge": shown, "born": charge["_at_s"]}) + "\n")
    head = _report(story, folder)
    return [f"outside: {found}" for found in judge(folder, Facts(heads=[head]))]


def _floor(seconds: float) -> float:
    """A job file knows milliseconds, the simulator does not round: the judge may ask for less, not for more."""
    return math.floor(seconds * 1000) / 1000


def _seen(request: Request, number: int) -> dict[str, Any]:
    target = {"POST": "/charges", "LIST": "/charges?order=chronological", "GET": "/charges/one"}[request.what]
    return {
        "number": number, "at": request.at_s, "boot_s": request.boot_s, "wall_ns": request.wall_ns,
        "method": "POST" if request.what == "POST" else "GET", "target": target, "body": request.body,
        "headers": [["idempotency-key", request.key]] if request.key else [], "whole": True, "known": None,
        "status": request.told or 0,
    }  # fmt: skip


def _report(story: Story, folder: Path) -> tuple[int, str]:
    """Plan and publish every file from the journal as it lies there, as a run does at its end."""
    job = load_job(folder / "job.toml")
    journal = SqliteJournal(folder / "state" / "batchpay.db", job.name)
    try:
        head = journal.head()
        desk = cast(Desk, SimpleNamespace(journal=journal, job=job, note=_noting(journal)))
        for file in story.files:
            publish(desk, _planned(journal, file))
    finally:
        journal.close()
    return head


def _noting(journal: SqliteJournal) -> Any:
    def note(kind: str, data: Any, batch_id: str = "") -> Event:
        return journal.append([Event(kind, at_ns=1, batch_id=batch_id, data=data)])[0]

    return note


def _planned(journal: SqliteJournal, file: InputFile) -> Batch:
    chunk = file.chunk
    columns = {name: [f"{document.get(name, '')}." for document in chunk.documents] for name in COLUMNS}  # no report
    cells = encode_cells(list(chunk.rows), pa.RecordBatch.from_pydict(columns))
    rows = cast(Chunk, SimpleNamespace(rows=chunk.rows, sheet=chunk.sheet, cells=lambda: cells))
    staged = journal.stage(file.batch.id, [Judged(rows, chunk.documents, chunk.problems, chunk.comeback)])
    journal.plan(Event("batch.planned", at_ns=1), file.batch, staged, {})
    return file.batch
