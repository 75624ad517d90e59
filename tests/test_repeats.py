"""Repeats: an order that its own files ask for twice is charged once, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.model import Judged, Outcome, Problem
from batchpay.repeats import Repeats

D, C, R = Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED
BAD = (Problem("x", "", "x", "x"),)


@dataclass
class Rows:
    """A chunk without cells."""

    rows: range
    sheet: str = ""


def order(order_id="A1", amount=100, **fields):
    """A document; by default one of customer 1 for recipient 1."""
    payer = {} if "card" in fields else {"customer": "cust_1"}
    return {"order_id": order_id, "amount": amount, "currency": "thb", "destination": "recp_1", **payer, **fields}


def token(order_id, card, **fields):
    """An order paid by a one-time token."""
    return order(order_id, card=card, **fields)


def found(*batches, size=2, bad=()):
    """Outcomes by (batch, row) after both passes over chunks of `size` rows."""
    named = [(f"b{number}", list(chunks(documents, size, bad))) for number, documents in enumerate(batches)]
    repeats = Repeats()
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
    return {(batch, row): repeat.outcome for (batch, _, row), repeat in verdicts.items()}


@pytest.mark.fault("E05", "E09")
def test_what_was_sent_already_is_history_to_other_files():
    """A corrected row beside the file that it corrects: held against it is only what its own file asks again."""
    named = [("old", list(chunks([order("A1", 100), order("B1")], 2, ()))),
             ("new", list(chunks([order("A1", 200), order("B1"), order("B1")], 3, ())))]  # fmt: skip
    repeats = Repeats()
    for name, judged in named:
        for chunk in judged:
            repeats.add(name, chunk)
    sent = {"old": {2: "A1", 3: "B1"}, "new": {}}
    verdicts = repeats.resolve(named, lambda batch, *place: sent[batch])
    assert outcomes(verdicts) == {("new", 4): D}


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
    assert "row 2" in verdicts["b0", "", 4].reason


@pytest.mark.fault("E08")
def test_same_id_other_content():
    """Which one is right is not ours to say: none is sent, not even the two that agree."""
    verdicts, _ = found([order("A1"), order("A1", 200), order("B"), order("A1")])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C, ("b0", 5): C}
    assert "row 3" in verdicts["b0", "", 2].reason
    assert "row 5" in verdicts["b0", "", 2].reason


@pytest.mark.fault("E09")
def test_two_files_of_one_run():
    """As in one file; the reason names the other batch."""
    verdicts, _ = found([order("A1"), order("B")], [order("C"), order("A1"), order("B", 5)])
    assert outcomes(verdicts) == {("b1", 3): D, ("b0", 3): C, ("b1", 4): C}
    assert "batch b0" in verdicts["b1", "", 3].reason


@pytest.mark.fault("E10")
def test_one_token_for_two_orders():
    """All rows with the token are rejected, the same row twice included; a customer may pay many times."""
    documents = [token("A", "tokn_1"), token("B", "tokn_1"), token("A", "tokn_1"), order("C"), order("D")]
    verdicts, _ = found(documents)
    assert outcomes(verdicts) == {("b0", 2): R, ("b0", 3): R, ("b0", 4): R}
    assert "token-twice" in verdicts["b0", "", 2].reason
    assert "tokn_1" not in verdicts["b0", "", 2].reason


@pytest.mark.fault("E10")
def test_one_token_in_one_order_twice():
    """The same row twice is a duplicate, not a quarrel over the token."""
    verdicts, _ = found([token("A", "tokn_1"), token("A", "tokn_1")])
    assert outcomes(verdicts) == {("b0", 3): D}


@pytest.mark.fault("X04")
def test_ids_equal_after_normalisation():
    """NFC and NFD of one word are both in conflict, whatever they ask, and the file is noted."""
    verdicts, repeats = found([order("caf\u00e9"), order("cafe\u0301", 999, destination="recp_2"), order("cafe")])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C}
    assert ["NFC" in note for note in repeats.notes] == [True]


@pytest.mark.fault("X04", "X14", "E04")
@pytest.mark.parametrize("other", ["1", "001", "00 01", "０００１"])
def test_look_alikes_of_one_order(other):
    """The same payer, recipient and amount under an id that lost its zeros: both are in conflict."""
    verdicts, _ = found([order("0001"), order(other), order("0001", description="again")][:2])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C}


@pytest.mark.fault("X14")
def test_look_alikes_that_ask_for_something_else():
    """Other amount, other order; ids that differ in case only are noted."""
    verdicts, repeats = found([order("0001"), order("1", 200), order("ab"), order("AB", 7)])
    assert verdicts == {}
    assert ["case only" in note for note in repeats.notes] == [True]
    assert "row 4" in repeats.notes[0]


def test_a_repeat_of_a_contested_row_is_contested():
    """A duplicate of a row in conflict is in conflict too: nobody waits for an owner that never comes."""
    verdicts, _ = found([order("01"), order("01"), order("1")])
    assert outcomes(verdicts) == {("b0", 2): C, ("b0", 3): C, ("b0", 4): C}


def test_rejected_rows_do_not_count():
    """A row that is wrong by itself contests nothing."""
    verdicts, _ = found([order("A"), order("A", 5), token("B", "tokn_1"), token("C", "tokn_1")], bad={1, 3})
    assert verdicts == {}


orders = st.lists(
    st.builds(order, st.sampled_from(["A", "a", "0A", "B"]), st.integers(1, 2)), max_size=12
)  # fmt: skip


@given(orders, st.integers(1, 5), st.integers(0, 12))
def test_what_is_left_asks_for_each_order_once(documents, size, cut):
    """However rows are cut into chunks and files: no id is left twice, and each duplicate's owner is left."""
    verdicts, _ = found(documents[:cut], documents[cut:], size=size)
    places = [("b0", at + 2) for at in range(len(documents[:cut]))]
    places += [("b1", at + 2) for at in range(len(documents[cut:]))]
    told = outcomes(verdicts)
    left = [document for place, document in zip(places, documents, strict=True) if place not in told]
    assert len({document["order_id"] for document in left}) == len(left)
    again, _ = found(left)
    assert again == {}
    for place, document in zip(places, documents, strict=True):
        if told.get(place) is D:
            assert document in left
