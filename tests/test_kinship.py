"""Kinship: a row that corrects another is followed back to the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.domain.model import StoredChunk
from batchpay.lifecycle.kinship import Ancestry, Lineages, Rivals, are_apart, only_named
from batchpay.lifecycle.plan import by_order, place_of

A, B, C = (
    "2026-11-24-00000000000a",
    "2026-11-24-00000000000b",
    "2026-11-24-00000000000c",
)


class Kept:
    """What a journal keeps of batches, by their ids: chunks of rows of (order id, place that it
    corrects).
    """

    def __init__(self, batches: dict[str, list[list[tuple[str, str]]]]) -> None:
        self.kept = {
            batch_id: list(_stored(chunks)) for batch_id, chunks in batches.items()
        }
        self.read = 0

    def batches(self) -> list[Any]:
        return [SimpleNamespace(id=batch_id) for batch_id in self.kept]

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]:
        return [(c.number, c.sheet, c.rows[0], c.rows[-1]) for c in self.kept[batch_id]]

    def events(self, kinds: Iterable[str] = ()) -> Iterator[Any]:
        return iter(())

    def owned(
        self, batch_id: str, sheet: str, first_row: int, last_row: int
    ) -> dict[int, str]:
        return {}

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None:
        self.read += 1
        return self.kept[batch_id][number]


def _stored(chunks: list[list[tuple[str, str]]]) -> Iterator[StoredChunk]:
    first = 2
    for number, pairs in enumerate(chunks):
        documents: list[Any] = [
            {"order_id": order_id} if order_id else {} for order_id, _ in pairs
        ]
        corrects = {at: place for at, (_, place) in enumerate(pairs) if place}
        rows = range(first, first + len(pairs))
        yield StoredChunk(number, "", rows, documents, {}, frozenset(), b"", corrects)
        first += len(pairs)


@pytest.mark.fault("J07")
def test_a_correction_of_a_correction_goes_back_to_the_first_row() -> None:
    """Its identity is the order id of that first row, whatever came between."""
    first, second = place_of(A, "", 3), place_of(B, "", 2)
    lineages = Lineages(
        Kept({A: [[("X-0", "")], [("X-1", "")]], B: [[("R-1", first)]]})
    )
    found = lineages.of(second)
    assert found == Ancestry((second, first), ("R-1", "X-1"), "X-1")
    assert found.identity == by_order("X-1") == lineages.of(first).identity
    assert lineages.where(first) == (A, "", 3)


@pytest.mark.fault("J07")
def test_a_first_row_without_an_id_is_known_by_its_place() -> None:
    """So is one that the journal does not know, and one of a batch that it does not know."""
    lineages = Lineages(Kept({A: [[("", "")]]}))
    for place in (
        place_of(A, "", 2),
        place_of(A, "", 99),
        place_of(A, "other", 2),
        place_of(C, "", 2),
    ):
        assert lineages.of(place).identity == place == only_named(place).identity
    assert lineages.where(place_of(C, "", 2)) is None
    assert lineages.of("") == Ancestry() and Ancestry().identity == ""


@pytest.mark.fault("J07")
def test_rows_that_say_to_correct_each_other_end() -> None:
    """No file can say so by itself; the walk ends whatever the files say."""
    one, two = place_of(A, "", 2), place_of(B, "", 2)
    lineages = Lineages(Kept({A: [[("X-1", two)]], B: [[("R-1", one)]]}))
    assert lineages.of(one).places == (one, two)


@pytest.mark.fault("E03", "J07")
def test_rivals_are_rows_of_one_file_that_ask_under_one_id_for_different_terms() -> (
    None
):
    """By what the id looks like, wherever they stand in the file; not where they ask alike."""
    journal = Kept(
        {A: [[("X", ""), ("7", "")], [("x", ""), ("Y", "")], [("Y", ""), ("X", "")]]}
    )
    amounts = iter((100, 100, 200, 100, 100, 100))
    for chunk in journal.kept[A]:
        for document in chunk.documents:
            money = {"amount": next(amounts), "currency": "thb"}
            document.update(money, customer="c", destination="r")
    lineages = Lineages(journal)
    rivals = lineages.rivals(place_of(A, "", 2))
    assert rivals is not None and list(rivals.terms) == [
        place_of(A, "", row) for row in (2, 4, 7)
    ]
    assert lineages.rivals(place_of(A, "", 4)) is rivals
    for row in (3, 5, 6, 99):
        assert lineages.rivals(place_of(A, "", row)) is None
    assert lineages.rivals(place_of(C, "", 2)) is None
    distinct = Lineages(journal, distinct=True)
    assert distinct.rivals(place_of(A, "", 2)) is None
    read = journal.read
    lineages.rivals(place_of(A, "", 6))
    assert journal.read == read


def test_which_of_its_rivals_a_row_is() -> None:
    """Its place tells; else its terms, where one alone has them."""
    rivals = Rivals({"p": "100", "q": "200", "r": "200"})
    assert rivals.which(["s", "q"], "100") == "q"
    assert rivals.which(["s"], "100") == "p"
    assert rivals.which(["s"], "200") == "" == rivals.which(["s"], "300")
    assert rivals.which(["p", "q"], "100") == ""
    assert are_apart("p", "q")
    assert not (are_apart("p", "p") or are_apart("p", "") or are_apart("", ""))


def test_rows_in_order_read_a_chunk_once() -> None:
    """A file that came back has its rows in the order of the first one; of many chunks a few are
    kept.
    """
    journal = Kept({A: [[("X", ""), ("Y", "")] for _ in range(9)]})
    lineages = Lineages(journal)
    for row in range(2, 20):
        lineages.of(place_of(A, "", row))
    assert journal.read == 9
    lineages.of(place_of(A, "", 2))
    assert journal.read == 10


def test_what_goes_back_to_its_own_order_alone_is_of_no_other() -> None:
    """A row that came back under its own order id is found by that."""
    assert not Ancestry(("p",), ("X",), "X").is_of_another("X")
    assert not Ancestry().is_of_another("X")
    assert Ancestry(("p",), ("X",), "X").is_of_another("R")
    assert Ancestry(("p", "q"), ("R", "X"), "X").is_of_another("X")
    assert Ancestry(("p",)).is_of_another("X")
