"""P1: validation alone, against jsonschema on the same documents, with the same verdicts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import jsonschema

from batchpay import readers
from batchpay.intake.mapping import Mapped, map_chunk
from batchpay.intake.validation import Checker
from batchpay.job.load import load_job
from batchpay.job.packaged import data_path
from benchmarks.market import market, write_orders
from benchmarks.measure import Figure, Size, load, ratio, spread


def measure(size: Size) -> Iterator[Figure]:
    """Both engines over the same mapped rows, one of a hundred of them bad."""
    rows = size.of(30_000, 5_000)
    with market() as place, ExitStack() as stack:
        write_orders(place.folder / "orders.csv", rows, bad_every=100)
        job = load_job(place.job())
        snapshot = stack.enter_context(
            readers.open_snapshot(place.folder / "orders.csv")
        )
        table = readers.read(snapshot, job.input, job.columns.used())
        mapped = [map_chunk(chunk, job.columns) for chunk in table.chunks()]
        checker = Checker(job.schema, job.columns)
        with data_path("schemas/order.schema.json").open(encoding="utf-8") as file:
            peer = jsonschema.Draft202012Validator(json.load(file))
        ours, theirs = [], []
        for _ in range(size.runs):
            ours_bad, ours_s = _timed(lambda: _ours(checker, mapped))
            theirs_bad, theirs_s = _timed(lambda: _theirs(peer, mapped))
            assert ours_bad == theirs_bad, "the two engines disagree"
            ours.append(ours_s)
            theirs.append(theirs_s)
    mine, other = spread(ours), spread(theirs)
    speeds = f"{rows / mine.median:,.0f} and {rows / other.median:,.0f} rows/s"
    note = f"{speeds}, {rows:,} rows, {len(ours_bad)} bad, {load()}"
    yield Figure(
        "P1",
        "validation against jsonschema iter_errors",
        ">= 40x",
        ratio(other, mine),
        note,
    )


def _timed(work: Callable[[], list[int]]) -> tuple[list[int], float]:
    start = time.process_time()
    return work(), time.process_time() - start


def _ours(checker: Checker, mapped: list[Mapped]) -> list[int]:
    return [
        m.chunk.rows[at] for m in mapped for at in sorted(checker.judge(m).problems)
    ]


def _theirs(peer: jsonschema.Draft202012Validator, mapped: list[Mapped]) -> list[int]:
    bad = []
    for one in mapped:
        for at, document in enumerate(one.documents):
            if list(peer.iter_errors(document)):
                bad.append(one.chunk.rows[at])
    return bad
