"""Repeats: an order that its own files ask for twice is charged once, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain.model import Judged, Outcome, Problem
from batchpay.intake.repeats import Repeats
from batchpay.lifecycle.ancestry import Ancestry
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.places import place_of
from batchpay.messages.message import plain

D, C, R = Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED
BAD = (Problem("x", "", plain("x"), "x"),)


@dataclass
class Rows:
    """A chunk without cells."""

    rows: range
    sheet: str = ""


def order(order_id="A1", amount=100, **fields):
    """A document; by default one of customer 1 for recipient 1."""
    payer = {} if "card" in fields else {"customer": "cust_1"}
    return {
        "order_id": order_id,
        "amount": amount,
        "currency": "thb",
        "destination": "recp_1",
        **payer,
        **fields,
    }


def token(order_id, card, **fields):
    """An order paid by a one-time token."""
    return order(order_id, card=card, **fields)


def found(*batches, size=2, bad=(), distinct=False):
    """Outcomes by (batch, row) after both passes over chunks of `size` rows."""
    named = [
        (f"b{number}", list(chunks(documents, size, bad)))
        for number, documents in enumerate(batches)
    ]
    repeats = Repeats(distinct=distinct)
    for name, judged in named:
        for chunk in judged:
            repeats.add(name, chunk)
    if not repeats.candidates():
        return {}, repeats
    return repeats.resolve(named), repeats


def chunks(documents, size, bad):
    """Judged chunks; row numbers start at 2."""
    for start in range(0, len(documents), size):
        part = list(documents[start : start + size])
        problems = {at: BAD for at in range(len(part)) if start + at in bad}
        yield Judged(Rows(range(start + 2, start + 2 + len(part))), part, problems)


def outcomes(verdicts):
    """(batch, row) -> outcome."""
    return {
        (batch, row): repeat.outcome for (batch, _, row), repeat in verdicts.items()
    }


@pytest.mark.fault("E05", "E09")
def test_what_was_sent_already_is_history_to_other_files():
    """A corrected row beside the file that it corrects: held against it is only what its own file
    asks again.
    """
    named = [
        ("old", list(chunks([order("A1", 100), order("B1")], 2, ()))),
        ("new", list(chunks([order("A1", 200), order("B1"), order("B1")], 3, ()))),
    ]
    repeats = Repeats()
    for name, judged in named:
        for chunk in judged:
            repeats.add(name, chunk)
    sent = {"old": {2: "A1", 3: "B1"}, "new": {}}
    verdicts = repeats.resolve(named, lambda batch, *place: sent[batch])
    assert outcomes(verdicts) == {("new", 4): D}


FIRST = place_of("b0", "", 2)


def corrected(*batches, first_id="X1", distinct=False, sent=None, bad=()):
    """Verdicts over batches of (order id, the place that it corrects or ""); the row at FIRST has
    `first_id`.
    """
    named = []
    for number, pairs in enumerate(batches):
        documents = [order(order_id) for order_id, _ in pairs]
        corrects = {at: place for at, (_, place) in enumerate(pairs) if place}
        problems = dict.fromkeys(bad, BAD) if number == 0 else {}
        named.append(
            (
                f"b{number}",
                [
                    Judged(
                        Rows(range(2, 2 + len(pairs))),
                        documents,
                        problems,
                        corrects=corrects,
                    )
                ],
            )
        )
    ids = (first_id,) if first_id else ()
    repeats = Repeats(
        distinct=distinct,
        trace=lambda place, told=(): Ancestry((place,), ids, first_id),
    )
    for name, judged in named:
        repeats.add(name, judged[0])
    if not repeats.candidates():
        return {}
    return repeats.resolve(named, lambda batch, *place: (sent or {}).get(batch, {}))


@pytest.mark.fault("J07")
def test_a_row_and_its_corrections_in_one_run_are_a_conflict():
    """By its place, by its order id, by each other; in one file or several; each names the
    others.
    """
    verdicts = corrected([("X1", "")], [("R1", FIRST)])
    assert outcomes(verdicts) == {("b0", 2): C, ("b1", 2): C}
    assert "row 2 of batch b1 (order R1)" in str(verdicts["b0", "", 2].reason)
    assert "row 2 of batch b0 (order X1)" in str(verdicts["b1", "", 2].reason)
    elsewhere = place_of("gone", "", 7)
    assert outcomes(corrected([("X1", ""), ("R1", elsewhere)])) == {
        ("b0", 2): C,
        ("b0", 3): C,
    }
    assert outcomes(corrected([("R1", elsewhere)], [("R2", elsewhere)])) == {
        ("b0", 2): C,
        ("b1", 2): C,
    }
    assert outcomes(corrected([("R1", elsewhere)], [("x1", "")])) == {
        ("b0", 2): C,
        ("b1", 2): C,
    }
    assert corrected([("R1", elsewhere)], [("x1", "")], distinct=True) == {}


@pytest.mark.fault("J07")
def test_a_row_whose_first_id_could_not_be_read_is_known_by_its_place():
    """Its id is right since the job was changed, and is not what the journal has of it."""
    assert outcomes(corrected([("8E5", "")], [("R1", FIRST)], first_id="")) == {
        ("b0", 2): C,
        ("b1", 2): C,
    }
    elsewhere = place_of("gone", "", 7)
    assert outcomes(corrected([("R1", elsewhere), ("R2", elsewhere)], first_id="")) == {
        ("b0", 2): C,
        ("b0", 3): C,
    }


@pytest.mark.fault("J07")
def test_a_correction_alone_stands_against_nobody():
    """Its row breaks a rule still, was sent before, or has the same order id: that is told
    elsewhere.
    """
    assert corrected([("X1", "")], [("R1", FIRST)], bad=(0,)) == {}
    assert corrected([("R1", FIRST)]) == {}
    assert (
        outcomes(corrected([("X1", "")], [("R1", FIRST)], sent={"b0": {2: "X1"}})) == {}
    )
    assert outcomes(corrected([("X1", "")], [("X1", FIRST)])) == {("b1", 2): D}


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=30), st.integers(1, 7))
def test_different_orders_need_no_second_pass(numbers, size):
    """Distinct ids and tokens: no candidate at all."""
    documents = [token(f"A{number}", f"tokn_{number}") for number in numbers]
    verdicts, repeats = found(documents, size=size)
    assert not verdicts
    assert not repeats.candidates()


@pytest.mark.fault("E08")
def test_same_order_twice():
    """The first row stands, every later one is its duplicate and says so."""
    verdicts, _ = found([order("A1"), order("B"), order("A1"), order("A1")])
    assert outcomes(verdicts) == {("b0", 4): D, ("b0", 5): D}
    assert {repeat.of_row for repeat in verdicts.values()} == {2}
    assert "row 2" in str(verdicts["b0", "", 4].reason)


@pytest.mark.fault("E08")
def test_same_id_other_content():
    """Which one is right is not ours to say: none is sent, not even the two that agree."""
    verdicts, _ = found([order("A1"), order("A1", 200), order("B"), order("A1")])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C, ("b0", 5): C}
    assert "row 3" in str(verdicts["b0", "", 2].reason)
    assert "row 5" in str(verdicts["b0", "", 2].reason)


@pytest.mark.fault("E09")
def test_two_files_of_one_run():
    """As in one file; the reason names the other batch."""
    verdicts, _ = found(
        [order("A1"), order("B")], [order("C"), order("A1"), order("B", 5)]
    )
    assert outcomes(verdicts) == {("b1", 3): D, ("b0", 3): C, ("b1", 4): C}
    assert "batch b0" in str(verdicts["b1", "", 3].reason)


@pytest.mark.fault("E10")
def test_one_token_for_two_orders():
    """All rows with the token are rejected, the same row twice included; a customer may pay many
    times.
    """
    documents = [
        token("A", "tokn_1"),
        token("B", "tokn_1"),
        token("A", "tokn_1"),
        order("C"),
        order("D"),
    ]
    verdicts, _ = found(documents)
    assert outcomes(verdicts) == {("b0", 2): R, ("b0", 3): R, ("b0", 4): R}
    assert "token-twice" in str(verdicts["b0", "", 2].reason)
    assert "tokn_1" not in str(verdicts["b0", "", 2].reason)


@pytest.mark.fault("E10")
def test_one_token_in_one_order_twice():
    """The same row twice is a duplicate, not a quarrel over the token."""
    verdicts, _ = found([token("A", "tokn_1"), token("A", "tokn_1")])
    assert outcomes(verdicts) == {("b0", 3): D}


@pytest.mark.fault("X04")
def test_ids_equal_after_normalisation():
    """NFC and NFD of one word are both in conflict, whatever they ask, and the file is noted."""
    verdicts, repeats = found(
        [
            order("caf\u00e9"),
            order("cafe\u0301", 999, destination="recp_2"),
            order("cafe"),
        ]
    )
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C}
    assert ["NFC" in str(note) for note in repeats.notes_on("b0")] == [True]


@pytest.mark.fault("X04")
def test_a_file_is_noted_for_its_own_rows_alone():
    """One that has none of them is none of the matter; one that has some tells of both files."""
    one, other = order("caf\u00e9"), order("cafe\u0301")
    _, repeats = found([one, other], [order("CAF\u00c9x"), order("tea"), order("TEA")])
    assert len(repeats.notes_on("b0")) == 1 and repeats.notes_on("b1") == []
    _, repeats = found([one], [order("tea"), other])
    (of_one,), (of_other,) = map(repeats.notes_on, ("b0", "b1"))
    assert str(of_one).startswith("row 2, row 3 of batch b1:")
    assert str(of_other).startswith("row 2 of batch b0, row 3:")


@pytest.mark.fault("X04", "X14", "E04", "J07")
@pytest.mark.parametrize("other", ["1", "001", "00 01", "０００１", "0001.0"])
def test_look_alikes_of_one_order(other):
    """An id that lost its zeros, or got a point: both are in conflict, and told the one name that
    programs did not make of the other.
    """
    verdicts, _ = found([order("0001"), order(other)])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C}
    whole = str(verdicts["b0", "", 2].reason)
    assert (
        f"is order {other}'s of row 3 " in whole
        and "one order, write 0001 there too" in whole
    )
    assert "order 0001's of row 2" in str(verdicts["b0", "", 3].reason)
    assert 'alike_ids = "distinct"' in str(verdicts["b0", "", 3].reason)


@pytest.mark.fault("J07", "J08", "I1")
@pytest.mark.parametrize(
    "ids",
    [
        ("1004", "1.004"),
        ("1.004", "1004"),
        ("1005", "1005,0"),
        ("1.004", "1'004"),
        ("01004", "1.004,00"),
        ("๑.๐๐๔", "1004"),
        ("１．００４", "1004"),
        ("1234567.5", "1.234.567,5"),
    ],
)
@pytest.mark.parametrize("size", [1, 4])
def test_numbers_as_sheets_of_two_countries_show_them_are_one_where_they_ask_for_the_same(
    ids, size
):
    """In one file, in which nobody looks for who else asks for the same: none is sent, and no
    repeat of one.
    """
    one, other = ids
    documents = [order(one), order("B"), order(other), order(one)]
    verdicts, repeats = found(documents, size=size)
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 4): C, ("b0", 5): C}
    assert f"order {other}'s of row 4 " in str(verdicts["b0", "", 2].reason)
    assert f"order {one}'s of row 2 " in str(verdicts["b0", "", 4].reason)
    assert verdicts["b0", "", 5].by_itself.outcome is D
    assert found(documents, distinct=True)[0].keys() == {("b0", "", 5)}
    several = found([order(one)], [order(other)], size=size)
    assert several[0] == {} and repeats.notes_on("b0") == []


@pytest.mark.fault("X14")
@pytest.mark.parametrize(
    ("other", "changes"),
    [("1.004", {"amount": 200}), ("1.004", {"customer": "cust_2"}), ("1.005", {})],
)
def test_versions_are_ids_of_their_own(other, changes):
    """Beside a number of the same digits that asks for something else, or of other digits."""
    documents = [order("1004"), order(other, **changes), order("1.1"), order("1.10")]
    assert found(documents)[0] == {}


@pytest.mark.fault("X14", "J07")
@pytest.mark.parametrize(
    "changes", [{"amount": 200}, {"destination": "recp_2"}, {"customer": "cust_2"}]
)
def test_look_alikes_are_in_conflict_whatever_they_ask(changes):
    """Another amount, recipient or payer makes no other order of a damaged id; case alone does not
    tell ids apart.
    """
    verdicts, repeats = found(
        [order("0001"), order("1", **changes), order("ab"), order("AB", **changes)]
    )
    assert set(outcomes(verdicts).values()) == {C} and len(verdicts) == 4
    assert repeats.notes_on("b0") == []


@pytest.mark.fault("J07")
def test_look_alikes_in_two_files_of_a_run_name_each_other():
    """As in one file; the reason names the other batch."""
    verdicts, _ = found([order("0001"), order("B")], [order("1")])
    assert outcomes(verdicts) == {("b0", 2): C, ("b1", 2): C}
    assert "row 2 of batch b1" in str(verdicts["b0", "", 2].reason)


def test_a_source_that_has_both_ids_says_so():
    """Then they are different orders; a repeat of one is still a repeat, and ids equal to the eye
    stay in conflict.
    """
    documents = [
        order("0001"),
        order("1"),
        order("1"),
        order("2", 5),
        order("02", 6),
        order("02", 7),
    ]
    verdicts, _ = found(documents, distinct=True)
    assert outcomes(verdicts) == {("b0", 4): D, ("b0", 6): C, ("b0", 7): C}
    verdicts, repeats = found(
        [order("caf\u00e9"), order("cafe\u0301"), order("CAFE")], distinct=True
    )
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C}
    assert len(repeats.notes_on("b0")) == 1


def test_a_repeat_of_a_contested_row_is_contested():
    """A duplicate of a row in conflict is in conflict too: nobody waits for an owner that never
    comes.
    """
    verdicts, _ = found([order("01"), order("01"), order("1")])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C, ("b0", 4): C}
    assert [verdicts["b0", "", row].alone for row in (2, 3, 4)] == [False, False, True]


def test_rejected_rows_do_not_count():
    """A row that is wrong by itself contests nothing."""
    verdicts, _ = found(
        [order("A"), order("A", 5), token("B", "tokn_1"), token("C", "tokn_1")],
        bad={1, 3},
    )
    assert verdicts == {}


orders = st.lists(
    st.builds(order, st.sampled_from(["A", "a", "0A", "B"]), st.integers(1, 2)),
    max_size=12,
)


@given(orders, st.integers(1, 5), st.integers(0, 12))
def test_what_is_left_asks_for_each_order_once(documents, size, cut):
    """However rows are cut into chunks and files: no id or look-alike is left twice, each
    duplicate's owner is left.
    """
    verdicts, _ = found(documents[:cut], documents[cut:], size=size)
    places = [("b0", at + 2) for at in range(len(documents[:cut]))]
    places += [("b1", at + 2) for at in range(len(documents[cut:]))]
    told = outcomes(verdicts)
    left = [
        document
        for place, document in zip(places, documents, strict=True)
        if place not in told
    ]
    assert len({alike(document["order_id"]) for document in left}) == len(left)
    again, _ = found(left)
    assert again == {}
    for place, document in zip(places, documents, strict=True):
        if told.get(place) is D:
            assert document in left


@pytest.mark.fault("E09")
def test_the_first_of_many_rows_stands_wherever_the_others_are():
    """In the file's order, however far apart they are."""
    documents = [order(f"A{at}") for at in range(40)]
    for at in (8, 17, 32):
        documents[at] = order("A1")
    verdicts, _ = found(documents, size=40)
    assert outcomes(verdicts) == {("b0", 10): D, ("b0", 19): D, ("b0", 34): D}
    assert {repeat.of_row for repeat in verdicts.values()} == {3}
