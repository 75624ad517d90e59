"""Kinship: a row that corrects another is followed back to the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from batchpay.domain.events import (
    IdsMadeOf,
    IdsRenamed,
    NewOrders,
    OrderCancelled,
    RowsAnswered,
    Told,
    line,
)
from batchpay.domain.model import Judged, Problem, StoredChunk
from batchpay.lifecycle.ancestry import Ancestry, only_named
from batchpay.lifecycle.earlier import reading_of
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.names import Names
from batchpay.lifecycle.places import by_order, place_of
from batchpay.lifecycle.rivals import Rivals, are_apart
from batchpay.messages.message import plain
from tests.test_lifecycle import DECLINED, FIRST, answer_event

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
    ) -> dict[int, tuple[str, ...]]:
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
    assert lineages.rows.where(first) == (A, "", 3)


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
    assert lineages.rows.where(place_of(C, "", 2)) is None
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
    rivals = lineages.rows.rivals(place_of(A, "", 2))
    assert rivals is not None and list(rivals.terms) == [
        place_of(A, "", row) for row in (2, 4, 7)
    ]
    assert lineages.rows.rivals(place_of(A, "", 4)) is rivals
    for row in (3, 5, 6, 99):
        assert lineages.rows.rivals(place_of(A, "", row)) is None
    assert lineages.rows.rivals(place_of(C, "", 2)) is None
    distinct = Lineages(journal, distinct=True)
    assert distinct.rows.rivals(place_of(A, "", 2)) is None
    read = journal.read
    lineages.rows.rivals(place_of(A, "", 6))
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
    for row, read in ((2, 10), (12, 11), (16, 11)):
        lineages.of(place_of(A, "", row))
        assert journal.read == read


def test_what_goes_back_to_its_own_order_alone_is_of_no_other() -> None:
    """A row that came back under its own order id is found by that."""
    assert not Ancestry(("p",), ("X",), "X").is_of_another("X")
    assert not Ancestry().is_of_another("X")
    assert Ancestry(("p",), ("X",), "X").is_of_another("R")
    assert Ancestry(("p", "q"), ("R", "X"), "X").is_of_another("X")
    assert Ancestry(("p",)).is_of_another("X")


# --- what else is known of sales


class Telling(Kept):
    """The same, with what its events tell, and what else it knows."""

    def __init__(
        self,
        batches: dict[str, list[list[tuple[str, str]]]] | None = None,
        *told: tuple[int, Told],
        **known: Any,
    ) -> None:
        super().__init__(batches or {})
        self.told = [
            replace(line(one, at_ns, order_id="X"), seq=seq)
            for seq, (at_ns, one) in enumerate(told, 1)
        ]
        self.known = known
        self.asked: list[Any] = []

    def batches(self) -> list[Any]:
        return [
            SimpleNamespace(id=one, first_seen_ns=int(one[-1], 16)) for one in self.kept
        ]

    def events(self, kinds: Iterable[str] = ()) -> Iterator[Any]:
        return iter([one for one in self.told if one.kind in kinds])

    def owned(
        self, batch_id: str, sheet: str, first_row: int, last_row: int
    ) -> dict[int, tuple[str, ...]]:
        owned: dict[int, tuple[str, ...]] = self.known.get("owned", {})
        if batch_id not in self.kept:
            return {}
        return {at: one for at, one in owned.items() if first_row <= at <= last_row}

    def corrected(self, keys: Any = None) -> Any:
        return self.known.get("corrected", {})

    def adopted(self) -> Any:
        return self.known.get("adopted", ())

    def histories(self, order_ids: Sequence[str]) -> Any:
        every = self.known.get("histories", {})
        return {one: every[one] for one in order_ids if one in every}

    def elsewhere(self, order_ids: Sequence[str]) -> Any:
        every = self.known.get("elsewhere", {})
        return {one: every[one] for one in order_ids if one in every}

    def job_of_batch(self, batch_id: str) -> str:
        self.asked.append(batch_id)
        return str(self.known.get("jobs", {}).get(batch_id, ""))

    def batches_elsewhere(self, sha256: str) -> Any:
        self.asked.append(sha256)
        return self.known.get("files", {}).get(sha256, ())


@pytest.mark.fault("J06")
def test_which_other_jobs_know_a_file_is_asked_once() -> None:
    """Chunk by chunk the same file is meant."""
    telling = Telling(files={"ab": [("day", "b-2")]})
    lineages = Lineages(telling)
    for _ in range(2):
        assert lineages.batches_elsewhere("ab") == [("day", "b-2")]
        assert lineages.batches_elsewhere("cd") == ()
    assert telling.asked == ["ab", "cd"]


@pytest.mark.fault("J13")
@pytest.mark.parametrize("what", ["same", "had", "said", "back"])
def test_names_tell_something_where_any_of_them_does(what: str) -> None:
    """What rows are called today is kept by their rows."""
    assert Names(**{what: {"B": ("A",)}})
    assert not Names(today={"p": "A"}, ids_from="x")


def test_two_tellings_are_one_with_each_name_once() -> None:
    """What was told first comes first; of what is today the later word counts."""
    one = Names(
        {"B": ("A", "C")}, {"D": ("E",)}, "", {}, {"p": "A", "q": "B"}, {"R": ("k",)}
    )
    two = Names(
        {"B": ("C", "F")}, {}, "x", {"G": ("H",)}, {"p": "Z"}, {"R": ("l", "k")}
    )
    assert one | two == Names(
        {"B": ("A", "C", "F")},
        {"D": ("E",)},
        "x",
        {"G": ("H",)},
        {"p": "Z", "q": "B"},
        {"R": ("k", "l")},
    )
    assert (two | one).ids_from == "x" and (two | one).back == {"R": ("l", "k")}
    assert Names.of_told((one | two).as_told()) == replace(one | two, today={})


@pytest.mark.fault("J07", "J13")
def test_what_ids_tell_of_each_other() -> None:
    """The same sale is told both ways; what a row merely had is told of that row alone."""
    told = IdsRenamed(same={"2": ("1",)}, had={"3": ("2",)}, ids_from="a")
    more = IdsRenamed(said={"5": ("1",)}, ids_from="b")
    lineages = Lineages(Telling({}, (1, told), (2, more)))
    assert lineages.names.other_names("2") == ("1",)
    assert (
        lineages.names.other_names("1")
        == ("2", "5")
        == lineages.names.other_names("001")
    )
    assert lineages.names.other_names("3") == ("2",)
    assert lineages.names.other_names("9") == ()
    assert lineages.names.is_same("2", "1") and lineages.names.is_same("002", "1")
    assert not (lineages.names.is_same("1", "2") or lineages.names.is_same("3", "2"))
    assert lineages.names.is_named("3", "2") and lineages.names.is_named("2", "1")
    assert not (lineages.names.is_named("2", "3") or lineages.names.is_named("1", "2"))
    assert (lineages.names.said("5"), lineages.names.said("1")) == (("1",), ("5",))
    assert lineages.names.said("2") == ()
    assert lineages.names.known_under("1") == {"a", "b"}
    assert lineages.names.known_under("2") == frozenset()
    distinct = Lineages(Telling({}, (1, told)), distinct=True)
    assert distinct.names.other_names("001") == () == distinct.names.other_names("002")
    fresh = Lineages(Telling(), Names({"8": ("7", "8")}))
    assert fresh.names.other_names("8") == ("7",)


@pytest.mark.fault("J07")
def test_what_a_person_typed_for_a_sale_is_known_both_ways_until_it_is_called_new() -> (
    None
):
    """By the id, and by all that the sale is known by; and since when."""
    keys = (by_order("0042"), "a place")
    told = IdsRenamed(back={"007": keys})
    lineages = Lineages(Telling({}, (5, told)))
    nobody = Ancestry()
    assert lineages.names.typed_beside("here", nobody, "007") == keys
    assert lineages.names.typed_beside("here", nobody, "7") == (*keys, by_order("007"))
    assert lineages.names.typed_beside("here", Ancestry((), ("7",)), "R") == (
        *keys,
        by_order("007"),
    )
    assert lineages.names.typed_beside("here", nobody, "42") == (by_order("007"),)
    assert lineages.names.typed_beside("a place", nobody, "") == (by_order("007"),)
    assert lineages.names.typed_beside("here", Ancestry(("a place",)), "R") == (
        by_order("007"),
    )
    assert lineages.names.typed_beside("here", nobody, "R") == ()
    assert (
        lineages.names.typed_before("7", 5),
        lineages.names.typed_before("7", 6),
    ) == ((), keys)
    assert lineages.names.is_typed_for(
        "7", ["a place"]
    ) and lineages.names.is_typed_for("7", keys)
    assert not lineages.names.is_typed_for("7", ["a place", "another"])
    assert not lineages.names.is_typed_for("R", ["a place"])
    new = NewOrders(orders=(("terms", "007"),))
    said = Lineages(Telling({}, (5, told), (9, new)))
    assert said.names.is_typed_for("7", ["another"])
    for place in ("here", "a place"):
        assert said.names.typed_beside(place, nobody, "007") == ()
        assert said.names.typed_beside(place, nobody, "42") == ()
    assert said.names.typed_before("7", 6) == ()
    assert Lineages(Telling()).names.typed_beside("here", nobody, "7") == ()
    in_this_run = Lineages(Telling(), Names(back={"007": keys}))
    assert in_this_run.names.typed_before("7", 2**62) == ()


def judged(*ids: str, first: int = 2, sheet: str = "", **changes: Any) -> Judged:
    """Rows of a file as they are read now, from row 2 on."""
    rows: Any = SimpleNamespace(rows=range(first, first + len(ids)), sheet=sheet)
    documents: list[Any] = [{"order_id": one} if one else {} for one in ids]
    return Judged(rows, documents, {}, **changes)


@pytest.mark.fault("J13", "J07")
def test_every_other_id_that_a_row_ever_had() -> None:
    """As it was planned, then as it was charged, and last what it tells itself; each once."""
    rows = [("X-1", ""), ("X-2", ""), ("X-3", ""), ("", ""), ("X-5", "")]
    kept: Any = {A: [rows], C: []}
    lineages = Lineages(Telling(kept, owned={3: ("X-0",), 4: ("X-3",), 6: ("X-9",)}))
    now = judged(
        "X-1", "N-2", "X-3", "N-4", "X-5", earlier={0: ("T",), 1: ("X-2", "T")}
    )
    assert lineages.earlier(A, now) == {
        0: ("T",),
        1: ("X-0", "X-2", "T"),
        4: ("X-9",),
    }
    assert lineages.earlier(A, judged()) == {}
    assert lineages.earlier(A, judged("X-1")) == {}
    assert lineages.earlier(A, judged("", first=2)) == {0: ("X-1",)}
    # rows that are not kept were charged, or are new
    assert lineages.earlier(C, judged("N-1", "N-2")) == {1: ("X-0",)}


@pytest.mark.fault("J13")
def test_rows_are_found_however_the_chunks_were_cut() -> None:
    """Those of the same sheet, which another has as well."""
    kept = {A: [[("X-1", ""), ("X-2", "")], [("X-3", "")], [("X-4", "")]]}
    journal = Telling(kept)
    journal.kept[A][0] = replace(journal.kept[A][0], rows=range(4, 6), sheet="other")
    lineages = Lineages(journal)
    now = judged("N", "N", "N", "N", first=3)
    assert lineages.earlier(A, now) == {1: ("X-3",), 2: ("X-4",)}
    theirs = judged("N", "N", "N", "N", first=3, sheet="other")
    assert lineages.earlier(A, theirs) == {1: ("X-1",), 2: ("X-2",)}


@pytest.mark.fault("J07")
def test_one_charge_pays_for_the_sale_of_its_own_id_and_for_one_more() -> None:
    """A person says which; whoever else it answers for must be that same sale."""
    kept = {A: [[("A-1", ""), ("007", "")]], B: [[("R-1", place_of(A, "", 2))]]}
    one, seven, again = place_of(A, "", 2), place_of(A, "", 3), place_of(B, "", 2)
    mine = Ancestry((), ("Q",), "Q")
    free = Lineages(Telling(kept))
    assert free.may_answer(mine, "7", [])
    assert free.may_answer(Ancestry((), ("Q", "007"), "Q"), "7", [one])
    assert free.may_answer(mine, "7", [seven])  # its own
    assert not free.may_answer(mine, "7", [seven, one])
    assert free.may_answer(free.of(again), "7", [one])
    told = RowsAnswered(rows={one: "7", again: "8"})
    taken = Lineages(Telling(kept, (1, told), (2, RowsAnswered(rows={one: "9"}))))
    assert not taken.may_answer(mine, "7", [])
    assert taken.may_answer(taken.of(again), "7", [])
    assert taken.may_answer(mine, "6", [])
    assert taken.answered(one) == ("7", "9") and taken.answered(seven) == ()


@pytest.mark.fault("E05", "J07")
def test_a_row_is_known_again_by_all_that_was_read_of_it() -> None:
    """In the chunks of which a row was corrected; nothing tells a row with an empty id from
    another.
    """
    kept = {
        A: [[("X-1", ""), ("X-2", "")], [("X-3", "")]],
        B: [[("X-1", "")], [("X-9", "")]],
    }
    places = [
        place_of(A, "", 3),
        place_of(B, "", 2),
        place_of(C, "", 2),
        place_of(A, "s", 2),
    ]
    journal = Telling(kept, corrected=dict.fromkeys(places, ("R",)))
    lineages = Lineages(journal)
    readings = lineages.rows.readings()
    assert sorted(map(sorted, readings.values())) == sorted(
        [[place_of(A, "", 2), place_of(B, "", 2)], [place_of(A, "", 3)]]
    )
    first = lineages.rows.reading(place_of(A, "", 2))
    assert readings[first] == [place_of(A, "", 2), place_of(B, "", 2)]
    for place in (place_of(C, "", 2), place_of(A, "s", 2), place_of(A, "", 9)):
        assert lineages.rows.reading(place) == ""
    read = journal.read
    lineages.rows.reading(place_of(A, "", 3))
    assert journal.read == read  # the same chunk
    assert lineages.rows.reading(place_of(A, "", 4)) not in ("", first)


@pytest.mark.parametrize(
    ("document", "values", "tells"),
    [
        ({"order_id": "1"}, (), True),
        ({"order_id": "1"}, ("",), True),
        ({}, ("a b",), True),
        ({}, ("",), False),
        ({}, ("a b", ""), False),
    ],
)
def test_a_row_whose_id_is_empty_tells_nothing(
    document: dict[str, str], values: tuple[str, ...], *, tells: bool
) -> None:
    """An id that is wrong is one all the same."""
    wrong = tuple(Problem("Order", value, plain("write it")) for value in values)
    chunk = StoredChunk(0, "", [2, 3], [{}, document], {1: wrong}, frozenset(), b"")
    assert bool(reading_of(chunk, 1)) is tells


def test_when_and_of_which_cells() -> None:
    """A place of a batch that the journal knows; ids as they were first made, and now."""
    lineages = Lineages(Telling({A: [[("X", "")]], B: [[]]}), ids_from="now")
    assert [lineages.rows.received_ns(place_of(one, "", 2)) for one in (A, B, C)] == [
        10,
        11,
        0,
    ]
    assert lineages.names.first_source == lineages.names.source == "now"
    assert not lineages.names.had_other_sources
    same = Lineages(Telling({}, (1, IdsMadeOf(ids_from="now"))), ids_from="now")
    assert not same.names.had_other_sources
    made = ((1, IdsMadeOf(ids_from="then")), (2, IdsMadeOf(ids_from="now")))
    other = Lineages(Telling({}, *made), ids_from="now")
    assert other.names.had_other_sources and other.names.first_source == "then"
    adopted = Lineages(Telling(adopted=[("X", "c")]), ids_from="now")
    assert adopted.names.had_other_sources


def test_a_place_of_another_job_is_told_by_its_name_once() -> None:
    """Not where this journal knows the file, or that job had the very order charged."""
    where = place_of(C, "", 2)
    paid = [FIRST, answer_event(1)]
    journal = Telling(
        {A: [[("X", "")]]},
        jobs={C[-12:]: "day"},
        elsewhere={"paid": [("day", paid)], "in vain": [("day", [FIRST, DECLINED])]},
    )
    lineages = Lineages(journal)
    assert lineages.job_of(place_of(A, "", 2), ["X"]) == ""
    assert lineages.job_of(where, ["paid"]) == ""
    assert lineages.job_of(where, ["in vain"]) == "day" == lineages.job_of(where, ["X"])
    assert lineages.job_of(place_of(B, "", 2), []) == ""
    assert journal.asked == [C[-12:], B[-12:]]


@pytest.mark.fault("J07")
def test_a_persons_word_is_found_by_all_that_its_order_is_known_by() -> None:
    """Once, however many of these are asked for."""
    word = OrderCancelled(reason="w", by="me", sale=("s",), had=("h",))
    lineages = Lineages(Telling({}, (1, word), (2, replace(word, sale=("t",), had=()))))
    found = lineages.words.of([by_order("X"), "s", "h", "t"])
    assert [event.seq for event, _ in found] == [1, 2]
    for key, seqs in (("s", [1]), ("h", [1]), ("t", [2]), (by_order("X"), [1, 2])):
        assert [event.seq for event, _ in lineages.words.of([key])] == seqs
    assert lineages.words.of(["elsewhere"]) == [] == Lineages(Telling()).words.of(["s"])


def test_what_a_row_is_called_today_and_what_it_asked_for() -> None:
    """In this run first, else when its file was last read."""
    journal = Telling(
        {A: [[("X", ""), ("", "")]]}, histories={"X": [FIRST], "Y": [DECLINED]}
    )
    place = place_of(A, "", 2)
    assert Lineages(journal).id_of(place) == "X"
    assert Lineages(journal, Names(today={place: "N"})).id_of(place) == "N"
    assert Lineages(journal).id_of(place_of(A, "", 3)) == ""
    assert Lineages(journal).rows.document(place) == {"order_id": "X"}
    assert Lineages(journal).rows.document(place_of(C, "", 2)) is None
    assert Lineages(journal).was_asked("X")
    assert not (Lineages(journal).was_asked("Y") or Lineages(journal).was_asked("Z"))
    job: Any = SimpleNamespace(
        input=SimpleNamespace(distinct_ids=True), columns=SimpleNamespace(ids_from="c")
    )
    of_job = Lineages.of_job(job, journal)
    assert (of_job.names.source, of_job.form("007")) == ("c", "007")
