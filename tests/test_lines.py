"""Lines by the column say and come to what each of their findings would."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchpay.batches.counted import totals_of
from batchpay.domain.model import Finding, Outcome, StoredChunk
from batchpay.reconciliation.lines import Lines, Same, column_of, plain_lines
from batchpay.reports.files import Directory
from batchpay.reports.results import write_results
from batchpay.reports.spool import KeptFindings
from batchpay.reports.table import header_of, rows_of
from tests.test_reconciliation import batch
from tests.test_reports import inputs
from tests.test_spool import FINDING, REJECTED
from tests.test_survivors_report import KEPT, rows_at

BATCH = replace(batch(), metadata=("invoice",))
DOCUMENT = {"order_id": "0001", "metadata": {"invoice": '=1, or "2"'}}
SHARE = {"transfer": "trsf_1", "transfer_amount": 9, "transfer_fee": None}
MONEY = {
    "fee": 4,
    "fee_vat": 0,
    "net": 90,
    "funding_amount": 8,
    "funding_currency": "USD",
}
ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, DOCUMENT),
    ({"order_id": "-2", "charge_id": "a'b", "with_fee": 1, **MONEY}, {}),
    ({"currency": "jpy", "charged_currency": "USD", "platform_fee": 7}, {}),
    ({"transfer_status": "paid", "bank_amount": 3, **SHARE, "settled_ns": 0}, DOCUMENT),
    ({"transfer_status": "sent", **SHARE, "fee": 1, "funding_currency": "THB"}, {}),
    ({"destination": "recp_test_2", "platform_fee": 0, "attempt": 2}, {}),
]


def lines_of_rows(places: Sequence[int], rows: int) -> tuple[StoredChunk, Lines]:
    """Plain ones in these places, others in the rest."""
    kept = [
        KEPT._replace(row=2 + at, **changes)
        for at, (changes, _) in zip(places, ROWS, strict=False)
    ]
    documents: list[Any] = [{} for _ in range(rows)]
    for at, (_, document) in zip(places, ROWS, strict=False):
        documents[at] = document
    chunk = StoredChunk(0, "", range(2, 2 + rows), documents, {}, frozenset(), b"")
    apart = {}
    for at in set(range(rows)) - set(places):
        told = [FINDING, REJECTED][at % 2]
        apart[at] = replace(told, row=2 + at, batch_id=BATCH.id)
    plain = plain_lines(BATCH, chunk, rows_at(places, kept))
    return chunk, Lines(plain, dict(sorted(apart.items())))


CHUNKS = [
    lines_of_rows([0, 1, 2, 3, 4, 5], 6),
    lines_of_rows([1, 2, 5, 6], 8),
    lines_of_rows([0], 1),
    lines_of_rows([], 3),
]


def walk() -> Iterator[tuple[StoredChunk, Sequence[Finding]]]:
    return iter(CHUNKS)


def one_by_one() -> Iterator[tuple[StoredChunk, Sequence[Finding]]]:
    for chunk, lines in CHUNKS:
        yield chunk, list(lines)


SHOWN = replace(inputs([], []), batch=BATCH, findings=walk)


@pytest.mark.fault("I2", "I3")
def test_what_they_come_to_is_what_each_of_them_comes_to() -> None:
    """Every count and sum, the digest, and how many there are."""
    by_column, each = totals_of(walk), totals_of(one_by_one)
    assert by_column.totals.to_json() == each.totals.to_json()
    assert by_column.digest == each.digest
    assert by_column.totals.rows_read == 18
    assert by_column.totals.count(Outcome.SUCCEEDED) == 11 + 4


@pytest.mark.fault("I3")
def test_every_column_of_results_is_the_same_either_way() -> None:
    columns = [list(map(list, some)) for some in rows_of(SHOWN)]
    each = list(rows_of(replace(SHOWN, findings=one_by_one)))
    assert columns == each
    assert len(columns[0]) == len(header_of(BATCH))


def test_each_line_stands_in_its_place() -> None:
    _, lines = CHUNKS[1]
    assert (
        [one.row for one in lines]
        == list(range(2, 10))
        == [lines[at].row for at in range(8)]
    )
    assert [one.outcome.value for one in lines[:3]] == ["succeeded"] * 3
    assert lines[0] is lines.apart[0] and len(lines) == 8


def test_a_column_of_one_value_is_kept_as_that(tmp_path: Path) -> None:
    """And what was kept reads as it was."""
    assert column_of(["a", "a"]) == Same("a", 2)
    assert column_of(["a", "b", "a"]) == ["a", "b", "a"] and column_of([]) == []
    with KeptFindings(tmp_path) as spool:
        read = spool.reading(walk)
        first, again = list(read()), list(read())
    for (_, one), (_, other) in zip(first, again, strict=True):
        assert list(one) == list(other)
        assert isinstance(other, Lines)
    assert totals_of(lambda: iter(again)).digest == totals_of(walk).digest


def test_results_are_written_as_the_writer_of_csv_would(tmp_path: Path) -> None:
    """Quotes, commas, what looks like a formula, numbers that are not there."""
    write_results(Directory(tmp_path), SHOWN, ["csv"])
    text = (tmp_path / "results.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    again = io.StringIO(newline="")
    csv.writer(again).writerows(rows)
    assert again.getvalue() == (tmp_path / "results.csv").read_bytes().decode(
        "utf-8-sig"
    )
    ids = [row[3] for row in rows[1:]]
    assert (
        ids.count("'-2") == 2
        and rows[1][rows[0].index("metadata[invoice]")] == '\'=1, or "2"'
    )
