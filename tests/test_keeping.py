"""What check and plan keep of rows: the same each time, whoever reads, whatever the disk does."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from batchpay.batches import keeping
from batchpay.batches.keeping import KeptRows
from batchpay.domain.model import Problem, StoredChunk

CHUNKS = tuple(
    StoredChunk(
        number=number,
        sheet="",
        rows=range(2 + number, 4 + number),
        documents=[
            {"order_id": f"{number}-\udc80", "amount": number},
            {"order_id": "x"},
        ],
        problems={1: (Problem("Amount", "x", "not-a-number", "write a number"),)},
        comeback=frozenset({0}),
        cells=b"",
        corrects={0: "place"},
        earlier={0: ("a", "b")},
    )
    for number in range(50)
)


class Source:
    """Rows that are judged anew each time they are asked for."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[StoredChunk]:
        self.times += 1
        return iter(CHUNKS)


@pytest.fixture(params=["in memory", "in a file"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Small rows stay in memory, more of them go to a file."""
    if request.param == "in a file":
        monkeypatch.setattr(keeping, "IN_MEMORY", 100)
    return Source()


def test_rows_are_judged_once_and_come_again_as_they_were(source: Source) -> None:
    """Also to two readers at a time, and to one that stops on the way."""
    with ExitStack() as stack:
        kept = KeptRows(stack, source)
        assert tuple(kept.read()) == CHUNKS
        for one, other in zip(kept.read(), kept.read(), strict=True):
            assert one == other
        next(kept.read())
        assert tuple(kept.read()) == CHUNKS
    assert source.times == 1


def test_rows_that_were_not_read_to_their_end_are_judged_again(source: Source) -> None:
    """Half of them are not kept for all."""
    with ExitStack() as stack:
        kept = KeptRows(stack, source)
        next(kept.read())
        assert tuple(kept.read()) == CHUNKS == tuple(kept.read())
    assert source.times == 2


@pytest.mark.parametrize("what", ["make", "write"])
def test_a_disk_without_room_costs_time(
    source: Source, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never an answer: the rows are judged anew."""

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if what == "make":
        monkeypatch.setattr(keeping.tempfile, "SpooledTemporaryFile", full)
    else:
        monkeypatch.setattr(keeping.pickle, "dump", full)
    with ExitStack() as stack:
        kept = KeptRows(stack, source)
        assert tuple(kept.read()) == CHUNKS == tuple(kept.read())
    assert source.times == 2
