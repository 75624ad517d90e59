"""A chunk's orders as columns: what is made of a column is what is made of each order alone."""

from __future__ import annotations

import doctest
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchpay.domain import documents
from batchpay.domain.documents import Documents, orders_of, values_of
from batchpay.domain.model import Judged, Problem
from batchpay.intake.controls import mode_check, sums_of
from batchpay.intake.likeness import Features
from batchpay.job.job import Columns, FromColumn
from batchpay.lifecycle import order_ids, sale_terms
from batchpay.lifecycle.order_ids import alike, all_alike
from batchpay.lifecycle.payers import single_use_of, single_uses_of
from batchpay.lifecycle.sale_terms import digests_of_terms, number_of_terms
from batchpay.messages.message import plain

WRONG = (Problem("x", "", plain("x"), "x"),)
TEXTS = st.sampled_from(["", "x", "tokn_test_1", "cust_1:card_2", "ü", "\ud800"])
# of whatever ids and their marks are made of
IDS = st.text("0019aeEzZ_-.,+' \n\u3000\uff11\u212a", max_size=8)
NAMES = ("order_id", "amount", "currency", "destination", "customer", "card")


def columns_of(rows: list[dict[str, Any]]) -> Documents:
    """Some orders as the columns that a mapping makes; None and the empty text where there is
    nothing.
    """
    fields = {name: [row.get(name) for row in rows] for name in NAMES}
    notes = [row.get("note", "") for row in rows]
    return Documents(len(rows), fields, {"note": notes})


def alone(row: dict[str, Any]) -> dict[str, Any]:
    """One of them as a document of its own."""
    document = {name: row[name] for name in NAMES if row[name]}
    if row.get("note"):
        document["metadata"] = {"note": row["note"]}
    return document


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "order_id": IDS,
            "amount": st.one_of(st.none(), st.integers(1, 10**12)),
            "currency": st.sampled_from([None, "thb", "jpy"]),
            "destination": TEXTS,
            "customer": st.one_of(st.none(), TEXTS),
            "card": TEXTS,
            "note": TEXTS,
        }
    ),
    max_size=8,
)


@pytest.mark.parametrize("module", [documents, order_ids, sale_terms])
def test_the_examples_of_the_modules_hold(module: Any) -> None:
    """What the docstrings show is what happens."""
    assert doctest.testmod(module).failed == 0


@given(ROWS, st.sets(st.integers(0, 7)), st.booleans())
def test_columns_are_the_documents_that_they_stand_for(
    rows: list[dict[str, Any]], gone: set[int], made: bool
) -> None:
    """One by one, all, a part and a column of them, and those that broke no rule; what is empty
    has no key, and keys stand in the order of the columns.
    """
    some, each = columns_of(rows), list(map(alone, rows))
    problems = {at: WRONG for at in gone if at < len(rows)}
    assert [some[at] for at in range(len(rows))] == each
    if made:
        assert [list(one.items()) for one in some] == [
            list(one.items()) for one in each
        ]
    assert (some, some[1:3], len(some)) == (each, each[1:3], len(each))
    assert [one or None for one in values_of(some, "card")] == values_of(each, "card")
    assert values_of(some, "source") == values_of(each, "source")
    left = [orders_of(Judged(None, kind, problems)) for kind in (some, each)]  # type: ignore[arg-type]
    assert left[0] == left[1] and list(values_of(left[0], "amount")) == values_of(
        left[1], "amount"
    )
    assert (some != each) is False and (some == "x") is False


@given(st.lists(IDS, max_size=6))
@example(["0001", "A-2", "0000", "0x3_", ""])
@example(["1e5", "0001"])
@example(["00aE5", "1_E5", "-001"])
def test_ids_look_alike_in_a_column_as_alone(ids: list[str]) -> None:
    """Two ids are one for both passes, or for none."""
    assert all_alike(ids) == list(map(alike, ids))


@given(ROWS)
def test_terms_and_tokens_of_a_column_are_those_of_each(
    rows: list[dict[str, Any]],
) -> None:
    """Journals keep them: they are what they always were."""
    priced = [row for row in rows if row["amount"] and row["currency"]]
    each = [{"destination": "", **alone(row)} for row in priced]
    numbers = list(map(number_of_terms, each))
    digests = b"".join(number.to_bytes(8, "big") for number in numbers)
    assert digests_of_terms(each) == digests
    assert digests_of_terms(columns_of(priced)) == digests
    assert single_uses_of(columns_of(rows)) == list(
        map(single_use_of, map(alone, rows))
    )
    features = Features()
    for at in range(0, len(priced), 2):
        features.add(columns_of(priced[at : at + 2]))
    assert features.total == sum(numbers) % 2**64
    assert features.smallest == sorted(set(numbers))


@given(ROWS)
def test_sums_count_what_has_amount_and_currency(rows: list[dict[str, Any]]) -> None:
    """By currency in capitals; what lacks one of both says nothing."""
    sums, counts = sums_of(columns_of(rows))
    assert (sums, counts) == sums_of(list(map(alone, rows)))
    for code in ("thb", "jpy"):
        amounts = [row["amount"] for row in rows if row["currency"] == code]
        priced = list(filter(None, amounts))
        assert (sums[code.upper()], counts[code.upper()]) == (sum(priced), len(priced))


MODES = st.text("_\n", max_size=2).flatmap(
    lambda ends: st.sampled_from(
        [
            "recp",
            "recp_test",
            "recp_test_1",
            "recp_tests",
            "_test",
            "a_b_test",
            "a_",
            "",
        ]
    ).map(lambda text: text + ends)
)


@given(st.lists(MODES, max_size=5), st.sampled_from(["test", "live"]))
def test_a_column_of_ids_is_of_the_mode_that_each_is_of(
    ids: list[str], mode: Any
) -> None:
    """The second word of an id says it; one without says nothing."""
    check = mode_check(mode, Columns({"destination": FromColumn("Shop")}, {}))
    wrong = {
        at
        for at, text in enumerate(ids)
        if "_" in text and (text.split("_", 2)[1] == "test") != (mode == "test")
    }
    assert set(check(Documents(len(ids), {"destination": ids}, {}))) == wrong
