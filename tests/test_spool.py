"""Findings read again are the findings that were judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from batchpay.domain.model import Finding, Outcome, Problem, StoredChunk
from batchpay.messages.message import plain
from batchpay.messages.standing import BATCH_AT
from batchpay.reports.spool import Found, KeptFindings

FINDING = Finding(
    file="orders.csv",
    row=2,
    sheet="",
    order_id="0001",
    outcome=Outcome.SUCCEEDED,
    counts_as=Outcome.SUCCEEDED,
    amount=2025,
    currency="THB",
    destination="recp_test_1",
    payment_method="card *4242",
    reasons=(BATCH_AT(batch="b", row=7),),
    who_acts="-",
    attempts=1,
    batch_id="2026-11-24-0123456789ab",
    metadata={"invoice": "ใบ-1"},
    charge_id="chrg_test_1",
    fee=None,
)
REJECTED = replace(
    FINDING,
    row=3,
    outcome=Outcome.DUPLICATE,
    counts_as=Outcome.DECLINED,
    amount=None,
    problems=(
        Problem("Amount", "1,2", plain("write 1.2"), "number-format"),
        Problem("Shop", "\ud800", plain("again"), "not-text"),
    ),
)


class Source:
    """Two chunks; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Iterator[Found]:
        self.asked += 1
        yield (
            StoredChunk(
                0,
                "",
                range(2, 4),
                [{"order_id": "0001"}, {}],
                {},
                frozenset(),
                b"cells",
            ),
            [FINDING, REJECTED],
        )
        yield (
            StoredChunk(1, "", [4], [{}], {}, frozenset(), b""),
            [replace(FINDING, row=4)],
        )


def told(found: Iterator[Found]) -> list[tuple[int, list[int], bytes, list[Finding]]]:
    return [
        (chunk.number, list(chunk.rows), chunk.cells, findings)
        for chunk, findings in found
    ]


def test_the_second_reading_is_the_first_one_again(tmp_path: Path) -> None:
    """Every field, half characters included; the source is asked once, and two readers do not
    disturb each other.
    """
    source = Source()
    with KeptFindings(tmp_path) as spool:
        read = spool.reading(source)
        first = told(read())
        assert told(read()) == first == told(source())
        pairs = list(zip(read(), read(), strict=True))
        assert [told(iter(pair)) for pair in zip(*pairs, strict=True)] == [first, first]
    assert source.asked == 2  # once by the spool, once by this test
    assert list(tmp_path.iterdir()) == []


def test_a_reading_that_was_given_up_counts_for_nothing(tmp_path: Path) -> None:
    """Half a file of findings is never taken for all of them."""
    source = Source()
    with KeptFindings(tmp_path) as spool:
        read = spool.reading(source)
        next(read())
        assert len(told(read())) == 2
        assert source.asked == 2


def test_without_a_place_to_write_every_reading_asks_the_source(tmp_path: Path) -> None:
    """A spool is a saving of time: where it cannot be had, reports are the same."""
    source = Source()
    with KeptFindings(tmp_path / "nowhere") as spool:
        read = spool.reading(source)
        assert told(read()) == told(read())
    assert source.asked == 2
